#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Copyright (C) 2026 The mount checkpoint/restore authors
#
# The main job, inside the VM: mounts that real programs made, in several
# namespaces, are dumped, restored from the live sources by the series' calls,
# verified, and compared once more as text by a script that shares no code with
# the restorer. Then, case by case, what the series' calls and what stock
# kernels' calls can restore. TAP at the left margin, the rest is for a person.
#
# usage: main-job.sh [--stock]
# With --stock the kernel has none of the series' calls, and its statmount(2), if
# there is one, not enough for a dump.
set -eu

stock=${1:-}
shown=extended
[ -z "$stock" ] || shown=upstream

lib=/vm/main-job
work=/tmp/job
pins=/tmp/restored
mkdir -p $work $pins
. $lib/text.sh
n=0
bad=0

step() {	# STATUS TEXT
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $n $2"
	else
		bad=1
		echo "not ok $n $2"
	fi
}

end() {
	echo "1..$n"
	exit $bad
}

title() {
	printf '\n=== %s\n\n' "$*"
}

# The namespaces a restore left, in the image's order.
pinned() {	# DIR
	i=0
	while [ -e "$1/$i" ]; do
		echo "$1/$i"
		i=$((i + 1))
	done
}

# By one backend; the outcome goes to files named after the run.
restore() {	# NAME API IMAGE PID...
	run=$work/$1.$2
	api=$2
	image=$3
	pin=$pins/$1.$2
	shift 3
	sources=
	for p; do
		sources="$sources --source $p"
	done
	# shellcheck disable=SC2086
	mntcr restore --api "$api" $sources --pin "$pin" --json \
		"$image" >"$run.json" 2>"$run.err" && rc=0 || rc=$?
	return $rc
}

number() {	# RUN KEY
	sed -n "s/^ *\"$2\": \([0-9]*\),*\$/\1/p" "$work/$1.json" | head -n 1
}

# One cell of the table: the calls it took, or the rule that it failed on.
cell() {	# RUN STATUS
	if [ "$2" = 0 ]; then
		echo "yes, $(number "$1" system_calls) calls"
		return
	fi
	rule=$(sed -n 's/.*\[\([a-z-]*\)\]$/\1/p' "$work/$1.err" | head -n 1)
	echo "no: ${rule:-$(tail -n 1 "$work/$1.err" | cut -c1-60)}"
}

row() {
	printf '  %-55s %6s  %-16s  %s\n' "$@"
}

echo "TAP version 13"

title "Mounts made by mount, unshare, nsenter, pivot_root, bwrap, ip netns"
mkfifo $work/scene
unshare --mount --propagation private sh $lib/scene.sh 9>$work/scene &
names=
pids=
files=
name=
while read -r name pid; do
	[ "$name" != done ] || break
	names="$names $name"
	pids="$pids $pid"
	files="$files /proc/$pid/ns/mnt"
done <$work/scene
[ "$name" = done ] && rc=0 || rc=1
step $rc "scene:$names"
[ $rc = 0 ] || end

# shellcheck disable=SC2086	# lists of words
{
	mntcr dump -o $work/image $pids && rc=0 || rc=$?
	step $rc "dump"
	mntcr dump --method mountinfo -o $work/image.text $pids &&
		mntcr verify $work/image $work/image.text && rc=0 || rc=$?
	step $rc "dump by mountinfo is the same"
	if [ -n "$stock" ]; then
		mntcr dump --method statmount -o $work/image.none $pids \
			2>$work/none.err && rc=0 || rc=$?
		cat $work/none.err
		[ $rc = 6 ] && [ ! -e $work/image.none ] && rc=0 || rc=1
		step $rc "dump by statmount(2) is refused"
	fi
	text_of before $files && rc=0 || rc=$?
	step $rc "read mountinfo inside the namespaces"
	[ $rc != 0 ] || echo "$(wc -l <$work/before.txt) mounts"
}

title "Before"
mntcr show $work/image

if [ -z "$stock" ]; then
	title "After: restored by the series' calls, without entering a namespace"
	# shellcheck disable=SC2086
	restore scene extended $work/image $pids && rc=0 || rc=$?
	cat $work/scene.extended.err
	step $rc "extended: restore"
fi
if [ -z "$stock" ] && [ $rc = 0 ]; then
	mntcr show $pins/scene.extended
	echo
	mntcr verify --devices $work/image $pins/scene.extended && rc=0 || rc=$?
	step $rc "extended: the restored namespaces are the image's, says mntcr verify"
	# shellcheck disable=SC2046
	text_of extended $(pinned $pins/scene.extended) &&
		diff -u $work/before.txt $work/extended.txt && rc=0 || rc=$?
	step $rc "extended: their mountinfo is the same text"
fi
# shellcheck disable=SC2086
text_of again $files && diff -u $work/before.txt $work/again.txt && rc=0 || rc=$?
step $rc "the sources are as they were"

# What a restore that failed may not leave: a pin, or a mount below its directory.
left_behind() {	# DIR
	[ -n "$(ls -A "$1" 2>/dev/null)" ] || grep -q " $1[/ ]" /proc/self/mountinfo
}

# What a backend made must be right, and what it refuses leave nothing behind.
# Only the series' calls must be able to make all; for others a rule or a kernel
# that has not got it must be named (exit codes 4 and 6); which it is where there
# is none of them, 6. Namespaces are let go.
judge() {	# NAME API IMAGE STATUS
	if [ -n "$stock" ] && [ "$2" = extended ]; then
		[ -s "$work/$1.$2.err" ] && [ "$4" = 6 ] && ! left_behind "$pins/$1.$2" &&
			rc=0 || rc=1
		[ $rc = 0 ] || cat "$work/$1.$2.err"
		echo "$rc $2: $1: not on this kernel, nothing left behind" >>$work/verdicts
	elif [ "$4" = 0 ]; then
		mntcr verify --devices "$3" "$pins/$1.$2" &&
			[ -n "$(number "$1.$2" system_calls)" ] && rc=0 || rc=$?
		echo "$rc $2: $1: restored, verified" >>$work/verdicts
		umount -R "$pins/$1.$2"
	else
		[ -s "$work/$1.$2.err" ] && ! left_behind "$pins/$1.$2" &&
			[ "$2" != extended ] && { [ "$4" = 4 ] || [ "$4" = 6 ]; } &&
			case " $(echo $must_upstream) " in
			*" $1 "*) false ;;
			esac && rc=0 || rc=1
		[ $rc = 0 ] || cat "$work/$1.$2.err"
		echo "$rc $2: $1: refused, nothing left behind" >>$work/verdicts
	fi
}

. $lib/cases.sh
title "What each can restore, and in how many system calls"
row "" mounts "series" "stock kernel"
if [ -n "$stock" ]; then
	# shellcheck disable=SC2086
	restore scene extended $work/image $pids && ext=0 || ext=$?
	judge scene extended $work/image $ext
fi
[ -s $work/scene.extended.json ] && ext=0 || ext=1
# shellcheck disable=SC2086
restore scene upstream $work/image $pids && up=0 || up=$?
row "the whole scene" "$(number scene.extended mounts)" \
	"$(cell scene.extended $ext)" "$(cell scene.upstream $up)"
judge scene upstream $work/image $up
# shellcheck disable=SC2086
text_of after $files && diff -u $work/before.txt $work/after.txt && rc=0 || rc=1
echo "$rc the sources are as they were after that, too" >>$work/verdicts
[ $ext != 0 ] || umount -R $pins/scene.extended

for c in $cases; do
	eval "what=\$title_$c"
	mkfifo "$work/$c.up"
	# shellcheck disable=SC2016
	unshare --mount --propagation private sh -c '
		set -eu
		mkdir -p /srv
		mount -t tmpfs -o mode=755 case /srv
		cd /srv
		. '$lib/cases.sh'
		case_'"$c"'
		cd /
		echo $$ >&8
		exec 8>&-
		exec sleep 1000000
	' 8>"$work/$c.up" &
	pid=
	read -r pid <"$work/$c.up" || :
	if ! mntcr dump -o "$work/$c.image" "$pid"; then
		echo "1 $c: dump" >>$work/verdicts
		continue
	fi
	restore "$c" extended "$work/$c.image" "$pid" && ext=0 || ext=$?
	judge "$c" extended "$work/$c.image" "$ext"
	restore "$c" upstream "$work/$c.image" "$pid" && up=0 || up=$?
	judge "$c" upstream "$work/$c.image" "$up"
	mounts=$(number "$c.$shown" mounts)
	row "$what" "${mounts:--}" "$(cell "$c.extended" "$ext")" \
		"$(cell "$c.upstream" "$up")"
	kill "$pid"
done
echo
while read -r rc text; do
	step "$rc" "$text"
done <$work/verdicts
end
