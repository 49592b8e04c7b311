#!/bin/sh
# For booted.test.ts: boots systemd with fedway.service and fedway-imp.service in a machine that is this one's file system with an installed tree over it. What it
# writes goes to memory. To be run in new mount, PID, network, UTS, IPC and cgroup namespaces, as their first process.
# Usage: boot-machine.sh FOLDER; FOLDER/tree is what was installed with PREFIX=/usr, FOLDER/etc what lies in /etc/fedway.
set -eu
folder=$1
mkdir -p "$folder/machine"
mount -t tmpfs tmpfs "$folder/machine"
cd "$folder/machine"
mkdir upper work root
cp -a "$folder/tree/." upper/
mount -t overlay overlay -o "lowerdir=/,upperdir=$folder/machine/upper,workdir=$folder/machine/work" root
cd root
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs run
mount --rbind /dev dev
ip link set lo up

chroot . systemd-sysusers
chroot . systemd-tmpfiles --create fedway.conf
cp -R "$folder/etc/." etc/fedway/
chroot . chgrp -R fedway /etc/fedway
chmod -R u=rwX,g=rX,o= etc/fedway
# Times that a test can wait for.
for unit in fedway fedway-imp; do
  mkdir -p "etc/systemd/system/$unit.service.d"
  printf '[Service]\nWatchdogSec=5s\nRestartSec=200ms\n' >"etc/systemd/system/$unit.service.d/test.conf"
done

mkdir -p old
mount -t tmpfs -o mode=1777 tmpfs tmp
pivot_root . old
cd /
umount -l /old
exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --system --unit=fedway.service --show-status=no
