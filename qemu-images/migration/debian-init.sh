#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Copyright (C) 2026 The mount checkpoint/restore authors
#
# usage: debian-init.sh plain|trixie|user ROOT VOLUME
# In new namespaces, "user" of each kind, the others of each but user, mounts being slaves of
# the host's: systemd, with what is mounted at ROOT as its root, and what changes in
# memory. What the host mounts in VOLUME, a filesystem of its own, appears in /media.
set -eu
container=$1
shift
# what it has from the host is locked in a user namespace: a mount more is its own
mount --bind "$1" "$1"
cd "$1"
mount --bind "$2" media
mount -t proc -o nosuid,nodev,noexec proc proc
mount -t sysfs -o nosuid,nodev,noexec sysfs sys
mount -t cgroup2 -o nosuid,nodev,noexec cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755,size=1m,nosuid dev dev
mkdir dev/pts dev/shm dev/mqueue
mount -t devpts -o newinstance,ptmxmode=666,mode=620,gid=5,nosuid,noexec devpts dev/pts
for n in null zero full random urandom tty; do
	case $container in
	plain|trixie)
		cp -a /dev/$n dev/$n ;;
	user)	: >dev/$n
		mount --bind /dev/$n dev/$n ;;
	esac
done
[ "$container" = user ] || cp -a /dev/autofs dev/autofs
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
mount -t tmpfs -o mode=755,size=8m,nosuid,nodev run run
mount -t tmpfs -o mode=755,size=8m,nosuid,nodev var var
mount -t tmpfs -o mode=1777,size=8m,nosuid,nodev tmp tmp
mkfifo run/ready
if [ "$container" = user ]; then
	# debugfs, tracefs and autofs are for the initial user namespace alone
	mkdir -p run/systemd/system.control
	ln -s /dev/null run/systemd/system.control/sys-kernel-debug.mount
	ln -s /dev/null run/systemd/system.control/sys-kernel-tracing.mount
	ln -s /dev/null run/systemd/system.control/var-auto.automount
fi
hostname ct
mkdir run/oldroot
pivot_root . run/oldroot
cd /
# programs are the container's now
PATH=/usr/sbin:/usr/bin
umount -l /run/oldroot
rmdir /run/oldroot
mount --make-rshared /
exec env -i container=mntcr PATH=/usr/sbin:/usr/bin /sbin/init </dev/null >/dev/null 2>&1
