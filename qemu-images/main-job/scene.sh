# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Copyright (C) 2026 The mount checkpoint/restore authors
#
# A scene of mounts made by real programs with classic calls, in five mount
# namespaces; started in one of its own, which is the first. Writes a line
# "NAME PID" for each to descriptor 9, then "done", and stays until killed.
set -eu

run=/run/scene

# The program given runs until the VM ends; the shell inside it reports its pid
# on descriptor 8 once the mounts of its namespace are as they shall be.
enter() {	# NAME COMMAND...
	name=$1
	shift
	mkfifo "$run/$name"
	"$@" 8>"$run/$name" 9>&- &
	read -r pid <"$run/$name"
	echo "$name $pid" >&9
}

# Reports and stays.
stay='echo $$ >&8; exec 8>&-; exec sleep 1000000'

mkdir -p $run /srv
mount --make-rshared /
mount -t tmpfs -o size=64m,mode=755 scene /srv
mount --make-shared /srv
cd /srv
mkdir disk wide vol-a vol-b net-wide net narrow cover config data

# a real filesystem on a block device
truncate -s 8M disk.img
mke2fs -q -t ext4 disk.img
mount -o loop disk.img disk
mkdir disk/logs disk/db
echo kept >disk/db/file

# two shared volumes whose wide mount is gone: disjoint peers
mount -t tmpfs -o size=1m volumes wide
mkdir wide/a wide/b
mount --bind wide/a vol-a
mount --bind wide/b vol-b
umount wide

# a slave wider than its master
mount -t tmpfs -o size=1m exports net-wide
mkdir net-wide/sub
mount --bind net-wide net
mount --make-slave net
mount --bind net-wide/sub narrow
umount net-wide

# one mount over another, in the same place
mount -t tmpfs -o size=1m lower cover
mount --make-private cover
echo hidden >cover/hidden
mount -t tmpfs -o size=1m upper cover

# a file, and a directory read-only, by bind
echo setting=1 >config/file
touch data.conf
mount --bind config/file data.conf
mount --bind disk/logs data
mount -o remount,bind,ro,nosuid data
mount --make-unbindable data
cd /

# the first namespace is this one, where all that was made
echo "host $$" >&9

# a service with mounts of its own that receives from the host
enter service unshare --mount --propagation slave sh -c '
	set -e
	mount -t tmpfs -o size=1m private /tmp
	mount --make-shared /srv/disk
	mount --bind /srv/disk/db /srv/config
	'"$stay"

# a namespace made inside that one, its root a bind that it pivoted to
enter nested nsenter --mount="/proc/$pid/ns/mnt" \
	unshare --mount --propagation unchanged sh -c '
	set -e
	mount -t tmpfs -o size=2m newroot /mnt
	mkdir /mnt/old /mnt/usr /mnt/proc /mnt/vol
	mount --rbind /usr /mnt/usr
	mount -t proc proc /mnt/proc
	mount --bind /srv/vol-b /mnt/vol
	mount --make-slave /mnt/vol
	mount --make-shared /mnt/vol
	cd /mnt
	ln -s usr/bin bin; ln -s usr/lib lib; ln -s usr/lib64 lib64
	pivot_root . old
	umount -l /old
	'"$stay"

# a sandbox by bubblewrap
enter sandbox bwrap --ro-bind /usr /usr --symlink usr/bin /bin \
	--symlink usr/lib /lib --symlink usr/lib64 /lib64 \
	--proc /proc --dev /dev --tmpfs /tmp --bind /srv/vol-a /data \
	--ro-bind /srv/config/file /etc/setting sh -c "$stay"

# a network namespace's shell by iproute2
ip netns add blue
enter netns ip netns exec blue sh -c "$stay"

echo done >&9
exec 9>&-
exec sleep 1000000
