# SPDX-License-Identifier: GPL-2.0
# Copyright (C) 2026 The mount checkpoint/restore authors
#
# What both sides of the Debian container's migration do.

cgroup=/sys/fs/cgroup/ct
disk=/tmp/disk

# What a host has of its own: the container's disk and its cgroup, and what there is
# one of for all.
host() {
	mkdir -p $disk $cgroup
	mount -t ext4 -o ro,loop $lib/root.img $disk
	mount -t debugfs debugfs /sys/kernel/debug
	mount -t fusectl fusectl /sys/fs/fuse/connections
}

# Something is mounted in each namespace in turn.
all_events() {	# SIDE NSFILE...
	side=$1
	shift
	nth=0
	for ns; do
		event "$side" event-$nth $nth /mnt "$@" || return 1
		nth=$((nth + 1))
	done
	event "$side" event-tmp 0 /run/event "$@"
}
