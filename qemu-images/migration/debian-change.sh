# SPDX-License-Identifier: GPL-2.0
# Copyright (C) 2026 The mount checkpoint/restore authors
#
# In the container: what somebody mounts and writes when all is up. Among it two peers
# in disjoint directories, the mount of all of it being gone.
set -e
mount -t tmpfs -o size=64k,mode=750 late /srv
echo data >/srv/file
ln /srv/file /srv/linked
mkdir /run/event /run/ramfs /run/pts /run/one /run/two /run/all
mount -t ramfs -o mode=711 memory /run/ramfs
echo "in memory" >/run/ramfs/file
mount -t devpts -o newinstance,mode=620,ptmxmode=666,gid=5 none /run/pts
mount -t tmpfs -o size=1m all /run/all
mkdir /run/sys /run/queues
# (refused where one sees only parts of one, as in what Debian 13's systemd-nspawn starts)
! grep -q ' / /sys .* - sysfs ' /proc/self/mountinfo || mount -t sysfs again /run/sys
mount -t mqueue again /run/queues
# the initial user namespace's alone: once more by another name
if [ -d /sys/kernel/debug/bdi ]; then
	mkdir /run/debug
	mount -t debugfs again /run/debug
fi
: >/run/file
: >/run/socket
mount --bind /run/ramfs/file /run/file
mount --bind /run/systemd/notify /run/socket
# as "ip netns" has them
mkdir /run/netns
mount --bind /run/netns /run/netns
: >/run/netns/blue
unshare --net=/run/netns/blue true
# what nobody finds any more: a file, a directory, a file in one that is gone as well
mkdir /run/gone /run/gone/in /run/directory
echo gone >/run/gone-file
echo "in there" >/run/gone/in/file
: >/run/lost
: >/run/lost-in
mount --bind /run/gone-file /run/lost
mount --bind /run/gone/in/file /run/lost-in
mount --bind /run/gone/in /run/directory
rm -r /run/gone /run/gone-file
# and in an overlay: a file, and one that another has replaced
mkdir /run/overlay
cd /run/overlay
mkdir lower upper work all
echo lower >lower/file
read -r in out ids </proc/self/uid_map
# (trusted attributes are the initial user namespace's)
[ "$out" = 0 ] && also= || also=,userxattr
mount -t overlay -o "lowerdir=$PWD/lower,upperdir=$PWD/upper,workdir=$PWD/work$also" late all
echo gone >all/gone
echo upper >>all/file
echo new >all/new
: >/run/lost-gone
: >/run/lost-file
mount --bind all/gone /run/lost-gone
mount --bind all/file /run/lost-file
rm all/gone
mv all/new all/file
cd /
mkdir /run/all/one /run/all/two
mount --bind /run/all/one /run/one
mount --bind /run/all/two /run/two
umount /run/all
