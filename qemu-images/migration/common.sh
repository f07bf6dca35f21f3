# SPDX-License-Identifier: GPL-2.0
# Copyright (C) 2026 The mount checkpoint/restore authors
#
# Both sides of the migration test: TAP, and what is looked at of a container.

lib=/vm/migration
work=/tmp/migration
mkdir -p $work
n=0
bad=0
differences=0

# (Where there are several containers, "about" says of which this is.)
step() {	# STATUS TEXT
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $n ${about:-}$2"
	else
		bad=1
		echo "not ok $n ${about:-}$2"
	fi
}

# Does this kernel have the calls of the series?
has_series() {
	mntcr features >/dev/null
}

uptime() {
	read -r up _ </proc/uptime
	echo "$up"
}

# Since a time that uptime() gave.
seconds() {	# THEN
	uptime | awk -v then="$1" '{ printf "%.2f\n", $1 - then }'
}

end() {
	echo "1..$n"
	exit $bad
}

fail() {	# TEXT
	step 1 "$1"
	end
}

# A program in the background has made something when it says so in a file.
made() {	# FILE PID TEXT
	while [ ! -e "$1" ]; do
		kill -0 "$2" 2>/dev/null || fail "$3"
		sleep 0.1
	done
}

boot() {
	tr -d - </proc/sys/kernel/random/boot_id
}

# From A: all that was written there; to B.
send_all() {
	boot >$work/a.boot
	tar -C $work -cf - . | $lib/migrant send /dev/ttyS2 && rc=0 || rc=$?
	step $rc "sent"
}

receive_all() {
	tar -C $work -xf $lib/a.tar
	[ "$(cat $work/a.boot)" != "$(boot)" ] && rc=0 || rc=1
	step $rc "another boot"
}

# What somebody in each namespace sees, into files SIDE.N.WHAT.
look() {	# SIDE WHAT... -- NSFILE...
	side=$1
	shift
	whats=
	while [ "$1" != -- ]; do
		whats="$whats $1"
		shift
	done
	shift
	for what in $whats; do
		$lib/migrant each "$what" "$work/$side" "$what" "$@" || return 1
	done
}

# Something is mounted at a place in one namespace: what comes of it in all?
event() {	# SIDE NAME NTH PATH NSFILE...
	side=$1 name=$2 nth=$3 path=$4
	shift 4
	i=0
	for file; do
		[ $i != "$nth" ] || at=$file
		i=$((i + 1))
	done
	$lib/migrant mount "$at" "$path" || return 1
	$lib/migrant each mounts "$work/$side" "$name" "$@" || return 1
	$lib/migrant umount "$at" "$path"
}

# Both ways between the two namespaces, and where it goes one way only.
events() {	# SIDE NSFILE...
	side=$1
	shift
	event "$side" event-peer-0 0 /shared/event "$@" &&
		event "$side" event-peer-1 1 /shared/event "$@" &&
		event "$side" event-master 0 /shared/slave/event "$@" &&
		event "$side" event-slave 1 /shared/slave/event "$@"
}

same() {	# TEXT FILE FILE
	if diff "$2" "$3" >$work/diff; then
		step 0 "$1 ($(wc -l <"$2") lines)"
	else
		step 1 "$1"
		differences=$((differences + $(grep -c '^[<>]' $work/diff || :)))
		head -n 20 $work/diff | sed 's/^/# /'
	fi
}

# Of each namespace, automounts at the end: they come when there is an automounter.
mounts_of() {	# FILE...
	for file; do
		grep -v " - autofs " "$file"
		grep " - autofs " "$file" || :
	done
}

# Of mountinfo, up to what cannot be the same: see mounts.awk.
same_mounts() {	# TEXT NAME
	# shellcheck disable=SC2086	# options of awk
	mounts_of $work/a.[0-9]*."$2" | awk ${mounts_were:-} -f $lib/mounts.awk >$work/a.text
	mounts_of $work/b.[0-9]*."$2" | awk -f $lib/mounts.awk >$work/b.text
	same "$1" $work/a.text $work/b.text
}
