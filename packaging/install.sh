#!/bin/sh
# Installs fedway from a checkout, as packages and container images do.
#
#   packaging/install.sh              into /usr/local, with the units for systemd
#   packaging/install.sh --tree       the program alone
#
# PREFIX (default /usr/local) is where it will run; DESTDIR, when set, is put before every path that is written, for packages. What is
# installed is compiled JavaScript, the packages of production and, where npm brought it, the runtime: nothing is fetched at run time.
# Needs Node 24 on Linux x64 (npm brings it) or on the PATH, and npm.
set -eu

fail() {
  printf 'packaging/install.sh: %s\n' "$1" >&2
  exit 1
}

with_systemd=yes
case "${1:-}" in
  '') ;;
  --tree) with_systemd=no ;;
  --help | -h) sed -n '2,/^set -eu/{/^set -eu/!s/^# \{0,1\}//p}' "$0"; exit 0 ;;
  *) fail "unknown argument: $1. Known here: --tree" ;;
esac
[ $# -le 1 ] || fail 'one argument at most'

root=$(CDPATH='' cd -- "$(dirname -- "$(readlink -f -- "$0")")/.." && pwd)
PREFIX=${PREFIX:-/usr/local}
DESTDIR=${DESTDIR:-}
case "$PREFIX" in /*) ;; *) fail "PREFIX must be an absolute path: $PREFIX" ;; esac
# Letters that sed and systemd take as they are.
case "$PREFIX" in *[!A-Za-z0-9/._+-]*) fail "PREFIX may have letters, digits and / . _ + - only: $PREFIX" ;; esac
cd "$root"
[ -x node_modules/.bin/tsc ] || fail 'the packages are missing: run npm install --no-save first'
PATH=$root/node_modules/.bin:$PATH
[ "$(node -p 'Number(process.versions.node.split(".")[0]) >= 24')" = true ] ||
  fail 'Node 24 or later is needed: https://nodejs.org/en/download'

tree=$DESTDIR$PREFIX/lib/fedway
# Made beside the old tree and exchanged at the end: a running fedway, or a failure, never sees half of one.
new=$tree.new
rm -rf "$new"
mkdir -p "$new/bin" "$new/node_modules"
trap 'rm -rf "$new"' EXIT

tsc -p tsconfig.build.json --declaration false --sourceMap false --noEmitOnError --outDir "$new/dist" >&2 ||
  fail 'the build failed, see above'
install -m 755 packaging/fedway "$new/bin/fedway"
install -m 644 package.json LICENSE NOTICE "$new/"

# The packages of production, in the versions that are here and tested.
npm ls --omit=dev --all --parseable --loglevel=error >"$new/packages" || fail 'npm cannot list the packages, see above; npm install --no-save repairs them'
while IFS= read -r package; do
  name=${package#"$root/node_modules/"}
  case "$package" in
    "$root") ;;
    "$root/node_modules/node-linux-"*)
      mkdir -p "$new/runtime"
      install -m 755 "$package/bin/node" "$new/runtime/node"
      install -m 644 "$package/LICENSE" "$new/runtime/LICENSE"
      ;;
    "$root/node_modules/"*/node_modules/*) fail "a package within a package is not provided for: $name" ;;
    "$root/node_modules/"*)
      mkdir -p "$(dirname "$new/node_modules/$name")"
      cp -R "$package" "$new/node_modules/$name"
      ;;
    *) fail "not a package of this checkout: $package" ;;
  esac
done <"$new/packages"
rm "$new/packages"
# Everybody reads it, only its owner writes it, whatever the umask and the checkout say.
chmod -R u=rwX,go=rX "$new"

rm -rf "$tree.old"
[ ! -e "$tree" ] || mv "$tree" "$tree.old"
mv "$new" "$tree"
trap - EXIT
rm -rf "$tree.old"
mkdir -p "$DESTDIR$PREFIX/bin"
ln -sfn ../lib/fedway/bin/fedway "$DESTDIR$PREFIX/bin/fedway"
[ "$with_systemd" = yes ] || exit 0

lib=$DESTDIR$PREFIX/lib
mkdir -p "$lib/systemd/system" "$lib/sysusers.d" "$lib/tmpfiles.d" "$DESTDIR$PREFIX/share/doc/fedway"
for unit in fedway.service fedway-imp.service; do
  sed "s|@PREFIX@|$PREFIX|g" "packaging/systemd/$unit.in" >"$lib/systemd/system/$unit"
  chmod 644 "$lib/systemd/system/$unit"
done
install -m 644 packaging/systemd/sysusers.conf "$lib/sysusers.d/fedway.conf"
install -m 644 packaging/systemd/tmpfiles.conf "$lib/tmpfiles.d/fedway.conf"
install -m 644 fedway.example.yaml examples/*.yaml packaging/nftables/fedway.nft "$DESTDIR$PREFIX/share/doc/fedway/"
[ -z "$DESTDIR" ] || exit 0
cat <<NEXT
Installed. As root:
  systemd-sysusers && systemd-tmpfiles --create && systemctl daemon-reload
then write /etc/fedway/fedway.yaml (examples: $PREFIX/share/doc/fedway) and
  fedway check config && systemctl enable --now fedway
or, for an IM&P node, /etc/fedway/imp.yaml and
  fedway imp check && systemctl enable --now fedway-imp
NEXT
