#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The mount checkpoint/restore authors
#
# What the command's arguments and options bring about, by each API that there is.
# Each option is seen to change something.

set -u
# Natively in a mount namespace of its own, and with the command that is to be tested.
if [ -n "${MNTCR:-}" ] && [ -z "${APART:-}" ]; then
	if [ "$(id -u)" != 0 ]; then
		echo "1..0 # SKIP needs root"
		exit 4
	fi
	# on one processor ids of namespaces ascend, on all kernels
	cpu=$(sed -n 's/^Cpus_allowed_list:[[:space:]]*\([0-9]*\).*/\1/p' /proc/self/status)
	exec env APART=1 taskset -c "$cpu" unshare --mount --propagation private sh "$0"
fi
n=0
bad=0
failed=
tmp=$(mktemp -d) || exit 1
# nothing that happens here is seen elsewhere, nor the other way round
mount -t tmpfs command "$tmp" && mount --make-private "$tmp" || exit 1
[ -z "${MNTCR:-}" ] || { mkdir "$tmp/bin" && ln -s "$MNTCR" "$tmp/bin/mntcr"; } || exit 1
PATH=$tmp/bin:$PATH
holders=
cleanup()
{
	for pid in $holders; do
		kill "$pid"
	done
	umount -l "$tmp"
	rmdir "$tmp"
}
trap cleanup EXIT

# --- helpers -----------------------------------------------------------------
fail()
{
	failed=${failed:-$*}
}

# code CODE COMMAND...: its exit code; what it prints is in out and err
code()
{
	want=$1
	shift
	"$@" >"$tmp/out" 2>"$tmp/err" </dev/null
	got=$?
	[ $got -eq "$want" ] && return
	sed 's/^/# /' "$tmp/out" "$tmp/err"
	fail "exit code $got, not $want: $*"
}

try()
{
	code 0 "$@"
}

# refused RULE COMMAND...
refused()
{
	rule=$1
	shift
	code 4 "$@"
	grep -q -e "\[$rule\]" "$tmp/err" || fail "not [$rule]: $(cat "$tmp/err")"
}

holds()		# COMMAND...
{
	"$@" >/dev/null 2>&1 || fail "not so: $*"
}

fails()		# COMMAND...
{
	! "$@" >/dev/null 2>&1 || fail "should fail: $*"
}

same()		# GOT WANT WHAT
{
	[ "$1" = "$2" ] || fail "$3 is '$1', not '$2'"
}

# test NAME FUNCTION, once for each API
test_each()
{
	for api in upstream extended; do
		n=$((n + 1))
		failed=
		case " $apis " in
		*" $api "*) ;;
		*)
			echo "ok $n $api: $1 # SKIP this kernel has no mount_setgroup(2)"
			continue ;;
		esac
		work=$tmp/work
		mkdir "$work"
		"$2"
		if [ -z "$failed" ]; then
			echo "ok $n $api: $1"
		else
			bad=1
			echo "# failed: $failed"
			echo "not ok $n $api: $1"
		fi
		clean_up
	done
}

# Whatever is mounted in work, in any order.
clean_up()
{
	while awk -v d="$work/" 'index($5, d) == 1 { print $5; n = 1; exit }
			END { exit !n }' /proc/self/mountinfo >"$tmp/one"; do
		umount -l "$(cat "$tmp/one")" || exit 1
	done
	rm -rf "$work"
}

# line MOUNTPOINT [PID]: the last line of mountinfo for it
line()
{
	awk -v p="$1" '$5 == p { l = $0 } END { print l }' \
		"/proc/${2:-self}/mountinfo"
}

flags()		# MOUNTPOINT [PID]
{
	line "$@" | awk '{ print $6 }'
}

# what is said of sharing, "" if nothing is
sharing()	# MOUNTPOINT [PID]
{
	line "$@" | awk '{
		for (i = 7; $i != "-" && i <= NF; i++)
			s = s (s == "" ? "" : " ") $i
		print s
	}'
}

nr_mounts()
{
	wc -l </proc/self/mountinfo
}

bind()
{
	try mntcr bind --api "$api" "$@"
}

# hold NAME: a copy of this namespace, nothing propagates; the task is $NAME
hold()
{
	unshare -m --propagation private sh -c \
		'echo >"$0/ready"; exec sleep 1000' "$tmp" &
	holders="$holders $!"
	eval "$1=$!"
	read -r _ <"$tmp/ready"
}

# --- two namespaces, and a third that only its file holds ----------------------
mkfifo "$tmp/ready"
mkdir "$tmp/src" "$tmp/dst"
mount -t tmpfs src "$tmp/src"
echo below >"$tmp/src/file"
mkdir "$tmp/src/sub" "$tmp/src/dir"
hold one
hold two
: >"$tmp/ns"
unshare --mount="$tmp/ns" --propagation private true || exit 1
for pid in $one $two; do
	nsenter --mount="/proc/$pid/ns/mnt" sh -c \
		'mount -t tmpfs in "$0/dst" && echo "$1" >"$0/dst/whose" && mkdir "$0/dst/m"' \
		"$tmp" "$pid" || exit 1
done
nsenter --mount="$tmp/ns" sh -c \
	'mount -t tmpfs in "$0/dst" && echo pinned >"$0/dst/whose" && mkdir "$0/dst/m"' \
	"$tmp" || exit 1

apis=upstream
mntcr features >/dev/null && apis="upstream extended"

in_ns()		# NSFILE COMMAND...
{
	where=$1
	shift
	nsenter --mount="$where" "$@"
}

# --- bind: places ---------------------------------------------------------------
from_a_process()
{
	mkdir "$work/at"
	bind "$one:$tmp/dst" "$work/at"
	same "$(cat "$work/at/whose")" "$one" "what is seen"
	fails test -e "$tmp/dst/whose"
}
test_each "bind PID:PATH PATH" from_a_process

into_a_process()
{
	bind "$tmp/src" "$one:$tmp/dst/m"
	same "$(cat "/proc/$one/root$tmp/dst/m/file")" below "what is seen there"
	same "$(line "$tmp/dst/m")" "" "a mount here"
	try in_ns "/proc/$one/ns/mnt" umount "$tmp/dst/m"
}
test_each "bind PATH PID:PATH" into_a_process

from_one_to_another()
{
	bind "$one:$tmp/dst" "$two:$tmp/dst/m"
	same "$(cat "/proc/$two/root$tmp/dst/m/whose")" "$one" "what is seen there"
	same "$(line "$tmp/dst/m" "$one")" "" "a mount in the source's"
	try in_ns "/proc/$two/ns/mnt" umount "$tmp/dst/m"
}
test_each "bind PID:PATH PID:PATH" from_one_to_another

files_of_namespaces()
{
	mkdir "$work/at"
	bind "$tmp/ns:$tmp/dst" "$work/at"
	same "$(cat "$work/at/whose")" pinned "what is seen"
	bind "$one:$tmp/dst" "$tmp/ns:$tmp/dst/m"
	same "$(in_ns "$tmp/ns" cat "$tmp/dst/m/whose")" "$one" "what is seen there"
	try in_ns "$tmp/ns" umount "$tmp/dst/m"
}
test_each "bind NSFILE:PATH" files_of_namespaces

within_the_own()
{
	mkdir "$work/at"
	bind "$tmp/src/dir" "$work/at"
	same "$(line "$work/at" | awk '{ print $4 }')" /dir "the root of it"
	: >"$work/file"
	bind "$tmp/src/file" "$work/file"
	same "$(cat "$work/file")" below "the file"
}
test_each "bind PATH PATH" within_the_own

# The unique id: of the mount that another one covers.
covered()
{
	mkdir "$work/low" "$work/at" "$work/at2" "$work/at3"
	mount -t tmpfs low "$work/low"
	mkdir "$work/low/in"
	echo deep >"$work/low/in/file"
	if [ "$api" = upstream ]; then
		code 6 mntcr bind --api upstream @1 "$work/at"
		holds grep -q 'no mount by id' "$tmp/err"
		same "$(line "$work/at")" "" "a mount"
		return
	fi
	try mntcr show --json --method statmount $$
	id=$(grep -e "\"mountpoint\": \"${work#"$tmp"}/low\"" "$tmp/out" |
		sed 's/.*{"id": \([0-9]*\),.*/\1/')
	mount -t tmpfs high "$work/low"
	bind "@$id" "$work/at"
	same "$(cat "$work/at/in/file")" deep "below the cover"
	bind "@$id/in" "$work/at2"
	same "$(cat "$work/at2/file")" deep "a directory below the cover"
	bind "$$:@$id/in" "$work/at3"
	same "$(cat "$work/at3/file")" deep "the same, with whose it is"
	bind "$tmp/src" "@$id/in"
	same "$(cat "$work/at/in/file")" deep "what is mounted in one"
	umount "$work/low"
	same "$(cat "$work/low/in/file")" below "what was mounted below the cover"
}
test_each "bind @ID, @ID/PATH and PID:@ID/PATH" covered

# --- bind: options --------------------------------------------------------------
recursive()
{
	mkdir "$work/one" "$work/all"
	mount -t tmpfs sub "$tmp/src/sub"
	: >"$tmp/src/sub/here"
	bind "$tmp/src" "$work/one"
	bind -r "$tmp/src" "$work/all"
	umount "$tmp/src/sub"
	holds test -e "$work/one/file"
	fails test -e "$work/one/sub/here"
	holds test -e "$work/all/sub/here"
	bind -r -o ro "$work/all" "$one:$tmp/dst/m"
	same "$(flags "$tmp/dst/m/sub" "$one")" ro,relatime "with options, the mount below"
	try in_ns "/proc/$one/ns/mnt" umount -l "$tmp/dst/m"
}
test_each "bind -r" recursive

# attributes LIST WANT: of a mount that has none
attributes()
{
	bind -o "$1" "$tmp/src" "$work/at"
	same "$(flags "$work/at")" "$2" "with -o $1"
	umount "$work/at"
}

options()
{
	mkdir "$work/at" "$work/again"
	attributes ro ro,relatime
	attributes nosuid,nodev,noexec rw,nosuid,nodev,noexec,relatime
	attributes noatime,nosymfollow rw,noatime,nosymfollow
	attributes nodiratime rw,nodiratime,relatime
	attributes strictatime rw
	attributes noatime,strictatime,relatime rw,relatime
	# the last word counts
	attributes ro,rw,nosuid,suid,nodev rw,nodev,relatime
	attributes rw,ro ro,relatime
	bind -o ro "$tmp/src" "$work/at"
	fails sh -c ': >"$0/new"' "$work/at"
	holds sh -c ': >"$0/new"' "$tmp/src"
	umount "$work/at"
	# what the source has stays, unless told
	bind -o ro,nosuid,nodev,noexec,noatime,nosymfollow "$tmp/src" "$work/at"
	bind "$work/at" "$work/again"
	same "$(flags "$work/again")" "$(flags "$work/at")" "a bind of it"
	umount "$work/again"
	bind -o rw,suid,dev,exec,relatime "$work/at" "$work/again"
	same "$(flags "$work/again")" rw,relatime,nosymfollow "what was taken back"
	same "$(flags "$work/at")" ro,nosuid,nodev,noexec,noatime,nosymfollow "the source"
}
test_each "bind -o" options

propagation()
{
	mkdir "$work/from" "$work/at"
	mount -t tmpfs from "$work/from"
	mkdir "$work/from/ev"
	mount --make-shared "$work/from"
	group=$(sharing "$work/from")
	group=${group#shared:}
	holds test -n "$group"
	for how in default private slave keep shared unbindable; do
		[ $how != default ] || set --
		[ $how = default ] || set -- --propagation $how
		bind "$@" "$work/from" "$work/at"
		got=$(sharing "$work/at")
		case $how in
		default | private) want= ;;
		slave) want=master:$group ;;
		keep) want=shared:$group ;;
		unbindable) want=unbindable ;;
		shared)
			want="shared:${got#shared:}"
			[ "$got" != "shared:$group" ] || fail "a peer of the source"
			[ "$got" != "" ] || fail "not shared" ;;
		esac
		same "$got" "$want" "$how"
		# and whether a mount on the source comes through, and back
		mount -t tmpfs ev "$work/from/ev"
		case $how in
		slave | keep) holds test -n "$(line "$work/at/ev")" ;;
		*) same "$(line "$work/at/ev")" "" "$how: a mount" ;;
		esac
		umount "$work/from/ev"
		mount -t tmpfs ev "$work/at/ev"
		case $how in
		keep) holds test -n "$(line "$work/from/ev")" ;;
		*) same "$(line "$work/from/ev")" "" "$how: a mount back" ;;
		esac
		umount "$work/at/ev"
		umount "$work/at"
	done
	# across namespaces
	bind --propagation keep "$work/from" "$one:$tmp/dst/m"
	same "$(sharing "$tmp/dst/m" "$one")" "shared:$group" "the one there"
	mount -t tmpfs ev "$work/from/ev"
	holds test -n "$(line "$tmp/dst/m/ev" "$one")"
	umount "$work/from/ev"
	try in_ns "/proc/$one/ns/mnt" umount "$tmp/dst/m"
	fails mntcr bind --propagation keeps "$work/from" "$work/at"
}
test_each "bind --propagation" propagation

# --- restore --------------------------------------------------------------------
# image FILE GROUPS MOUNT...: a tmpfs for the root, and a superblock of source "disk",
# 9:99 and of the type in $type, for what is mounted
image()
{
	file=$1 image_groups=$2
	shift 2
	{
		cat <<END
{"format":"mntcr-image","version":2,"unique_ids":true,"user_namespaces":[],
"namespaces":[{"id":1,"label":"x"}],"groups":[$image_groups],"idmaps":[],
"superblocks":[
{"device":"0:1","type":"tmpfs","source":"root","options":"mode=755"},
{"device":"9:99","type":"${type:-tmpfs}","source":"disk","options":""}],
"mounts":[
END
		echo '{"id":10,"namespace":0,"superblock":0,"root":"/","mountpoint":"/","locks":[]}'
		for m; do
			echo ",{\"namespace\":0,\"parent\":10,$m}"
		done
		echo ']}'
	} >"$file"
}

type=
a='"id":11,"superblock":1,"root":"/","mountpoint":"/a"'

# restore DIR OPTION... IMAGE: pinned there
restore()
{
	pin=$1
	shift
	try mntcr restore --api "$api" --pin "$pin" "$@"
}

# look PIN PATH: from here, at work/look
look()
{
	[ -d "$work/look" ] || mkdir "$work/look"
	bind "$1/0:$2" "$work/look"
}

external()
{
	image "$work/image" '' "$a"
	mkdir "$work/vol"
	mount -t tmpfs disk "$work/vol"
	: >"$work/vol/mine"
	for key in disk 9:99; do
		restore "$work/$key" --verify --external "$key=$work/vol" "$work/image"
		look "$work/$key" /a
		holds test -e "$work/look/mine"
		umount "$work/look"
	done
	# not asked for, it is another one
	restore "$work/fresh" --verify "$work/image"
	look "$work/fresh" /a
	fails test -e "$work/look/mine"
	# what no superblock is called
	code 2 mntcr restore --discard --external "none=$work/vol" "$work/image"
	# and what cannot be made fresh takes it
	type=ext4
	image "$work/image" '' "$a"
	type=
	refused no-source mntcr restore --api "$api" --discard "$work/image"
	refused no-source mntcr plan --api "$api" "$work/image"
	try mntcr restore --api "$api" --discard --external "disk=$work/vol" "$work/image"
	try mntcr plan --api "$api" --external "disk=$work/vol" "$work/image"
	holds grep -q 'external #0' "$tmp/out"
	refused external-mountpoint mntcr plan --api "$api" --external "0:1=$work" \
		--external "9:99=$work/vol" "$work/image"
	mkdir "$work/a"
	try mntcr plan --api "$api" --external "0:1=$work" --external "9:99=$work/vol" \
		"$work/image"
	holds grep -q 'external #1' "$tmp/out"
}
test_each "restore --external" external

external_master()
{
	image "$work/image" '{"id":7}' "$a,\"master\":7"
	mkdir "$work/vol"
	mount -t tmpfs disk "$work/vol"
	mount --make-shared "$work/vol"
	mkdir "$work/vol/ev"
	refused orphan-slave mntcr restore --api "$api" --discard \
		--external "disk=$work/vol" "$work/image"
	refused orphan-slave mntcr plan --api "$api" \
		--external "disk=$work/vol" "$work/image"
	try mntcr plan --api "$api" --external "disk=$work/vol" \
		--external-master "7=$work/vol" "$work/image"
	holds grep -q 'external master #0' "$tmp/out"
	restore "$work/pin" --verify --external "disk=$work/vol" \
		--external-master "7=$work/vol" "$work/image"
	mount -t tmpfs ev "$work/vol/ev"
	try mntcr show "$work/pin"
	holds grep -q '/a/ev  ev' "$tmp/out"
	umount "$work/vol/ev"
	try mntcr show "$work/pin"
	fails grep -q '/a/ev' "$tmp/out"
	# only of a group that the image has, and by a shared mount
	code 2 mntcr restore --api "$api" --discard --external "disk=$work/vol" \
		--external-master "8=$work/vol" "$work/image"
	mount --make-private "$work/vol"
	refused external-master mntcr restore --api "$api" --discard \
		--external "disk=$work/vol" --external-master "7=$work/vol" "$work/image"
	refused external-master mntcr plan --api "$api" --external "disk=$work/vol" \
		--external-master "7=$work/vol" "$work/image"
	holds grep -q "external-master 7=$work/vol: the mount there is not shared" "$tmp/err"
}
test_each "restore --external-master" external_master

# (a source and options as no cgroup2 shows them)
map_cgroup()
{
	mkdir /sys/fs/cgroup/mc-new /sys/fs/cgroup/mc-new/sub
	type=cgroup2
	image "$work/image" '' '"id":11,"superblock":1,"root":"/mc-old/sub","mountpoint":"/a"'
	type=
	refused external-root mntcr restore --api "$api" --discard \
		--external disk=/sys/fs/cgroup "$work/image"
	try mntcr plan --api "$api" --external disk=/sys/fs/cgroup \
		--map-cgroup /mc-old=/mc-new "$work/image"
	holds grep -q 'mc-new/sub' "$tmp/out"
	code 4 mntcr restore --check --api "$api" --external disk=/sys/fs/cgroup "$work/image"
	holds grep -q 'external-root' "$tmp/out"
	try mntcr restore --check --api "$api" --external disk=/sys/fs/cgroup \
		--map-cgroup /mc-old=/mc-new "$work/image"
	code 4 mntcr restore --check --map-cgroup /mc=/x "$work/image"
	holds grep -q '^refused .* no mount is of the cgroup /mc,.* \[option\]$' "$tmp/out"
	code 4 mntcr restore --check --map-cgroup /mc-old=/x --map-cgroup /mc-old=/x "$work/image"
	holds grep -q '^refused .* the cgroup /mc-old is mapped twice \[option\]$' "$tmp/out"
	code 2 mntcr restore --discard --map-cgroup /mc=/x "$work/image"
	restore "$work/pin" --external disk=/sys/fs/cgroup --map-cgroup /mc-old=/mc-new \
		"$work/image"
	code 3 mntcr verify --ignore options,source "$work/image" "$work/pin"
	holds grep -q "/a: root: '/mc-old/sub' against '/mc-new/sub'" "$tmp/out"
	try mntcr verify --ignore options,source --map-cgroup /mc-old=/mc-new \
		"$work/image" "$work/pin"
	# one that no mount is of, none, and nothing that could be compared with it
	code 2 mntcr plan --external disk=/sys/fs/cgroup --map-cgroup /mc=/x "$work/image"
	holds grep -q 'no mount is of the cgroup /mc, or one below it' "$tmp/err"
	code 2 mntcr restore --discard --map-cgroup /mc-old "$work/image"
	holds grep -q 'map-cgroup takes OLD=NEW, not /mc-old' "$tmp/err"
	code 2 mntcr verify --map-cgroup /mc=/x "$work/image" "$work/pin"
	code 2 mntcr verify --events --map-cgroup /mc=/x "$work/pin" "$work/pin"
	# a live original shows what it showed, and is no source
	try mntcr dump -o "$work/image" "$work/pin"
	try mntcr restore --api "$api" --discard --source "$work/pin" "$work/image"
	code 4 mntcr restore --api "$api" --discard --source "$work/pin" \
		--map-cgroup /mc-new=/mc-none "$work/image"
	umount "$work/pin"/* "$work/pin"
	rmdir /sys/fs/cgroup/mc-new/sub /sys/fs/cgroup/mc-new
}
# (it makes cgroups: not on the machine that builds)
if [ -z "${MNTCR:-}" ]; then
	test_each "restore --map-cgroup" map_cgroup
else
	n=$((n + 1))
	echo "ok $n restore --map-cgroup # SKIP not in a VM"
fi

fresh()
{
	image "$work/image" '' "$a"
	restore "$work/first" "$work/image"
	look "$work/first" /a
	: >"$work/look/mine"
	umount "$work/look"
	try mntcr dump -o "$work/image" "$work/first"
	restore "$work/live" --verify --source "$work/first" "$work/image"
	look "$work/live" /a
	holds test -e "$work/look/mine"
	umount "$work/look"
	restore "$work/fresh" --verify --source "$work/first" --fresh "$work/image"
	look "$work/fresh" /a
	fails test -e "$work/look/mine"
	try mntcr plan --api "$api" --source "$work/first" "$work/image"
	holds grep -q 'live mount /a' "$tmp/out"
	fails grep -q 'new tmpfs' "$tmp/out"
	try mntcr plan --api "$api" --source "$work/first" --fresh "$work/image"
	holds grep -q 'new tmpfs' "$tmp/out"
	fails grep -q 'live mount' "$tmp/out"
}
test_each "restore --source and --fresh" fresh

callers()
{
	type=proc
	image "$work/image" '' "$a"
	type=
	refused callers-namespace mntcr restore --api "$api" --discard "$work/image"
	refused callers-namespace mntcr plan --api "$api" "$work/image"
	try mntcr plan --api "$api" --caller-namespaces "$work/image"
	holds grep -q 'new proc' "$tmp/out"
	# whose processes are seen
	try unshare --pid --fork mntcr restore --api "$api" --caller-namespaces \
		--pin "$work/inner" "$work/image"
	restore "$work/outer" --caller-namespaces "$work/image"
	look "$work/outer" /a
	same "$(readlink "$work/look/$one/ns/mnt")" "$(readlink "/proc/$one/ns/mnt")" \
		"a process here"
	umount "$work/look"
	look "$work/inner" /a
	fails test -e "$work/look/$one"
	holds test -e "$work/look/meminfo"
}
test_each "restore --caller-namespaces" callers

locks()
{
	image "$work/image" '' "$a,\"locks\":[\"mount\"]"
	try mntcr show "$work/image"
	holds grep -q '/a .*locked:mount' "$tmp/out"
	if [ "$api" = upstream ]; then
		refused locks mntcr restore --api "$api" --discard "$work/image"
		refused locks mntcr plan --api "$api" "$work/image"
	else
		restore "$work/locked" --verify "$work/image"
		try mntcr show "$work/locked"
		holds grep -q '/a .*locked:mount' "$tmp/out"
		try mntcr plan --api "$api" "$work/image"
		holds grep -q '^lock' "$tmp/out"
	fi
	restore "$work/free" --verify --ignore-locks "$work/image"
	try mntcr show "$work/free"
	holds grep -q ' /a  \|-/a  ' "$tmp/out"
	fails grep -q 'locked' "$tmp/out"
	try mntcr plan --api "$api" --ignore-locks "$work/image"
	fails grep -q '^lock' "$tmp/out"
}
test_each "restore --ignore-locks" locks

output()
{
	image "$work/image" '{"id":3}' "$a,\"group\":3" \
		'"id":12,"superblock":1,"root":"/","mountpoint":"/b","group":3'
	before=$(nr_mounts)
	try mntcr restore --api "$api" --discard "$work/image"
	fails test -s "$tmp/out"
	try mntcr restore --api "$api" --discard --stats "$work/image"
	holds grep -q "^$api API: 3 mounts, 1 groups, 1 namespaces, [1-9][0-9]* operations\$" \
		"$tmp/out"
	holds grep -q '^[1-9][0-9]* system calls, .* fsopen [1-9]' "$tmp/out"
	try mntcr restore --api "$api" --discard --json --verify "$work/image"
	holds grep -q '"mounts": 3' "$tmp/out"
	holds grep -q '"differences": 0' "$tmp/out"
	holds grep -q "\"api\": \"$api\"" "$tmp/out"
	same "$(nr_mounts)" "$before" "the number of mounts with --discard"
	restore "$work/pin" --stats "$work/image"
	holds test -s "$tmp/out"
	same "$(nr_mounts)" $((before + 2)) "the number of mounts with --pin"
	try mntcr verify "$work/image" "$work/pin"
	code 2 mntcr restore --api "$api" --discard --pin "$work/2" "$work/image"
}
test_each "restore --discard, --pin, --stats and --json" output

# device SOURCE IMAGE
device()
{
	tr -d ' \n' <"$2" | tr '{}' '\n\n' |
		sed -n "/\"source\":\"$1\"/s/.*\"device\":\"\([^\"]*\)\".*/\1/p"
}

# What the image has no contents of, something may cover.
covered()
{
	image "$work/plain" '' "$a" '"id":13,"superblock":1,"root":"/","mountpoint":"/b"'
	sed '/"9:99"/s/}\],$/},\
		{"device":"9:98","type":"tmpfs","source":"over","options":""}],/
		s/^\]}$/,{"id":14,"namespace":0,"parent":11,"superblock":2,"root":"\/","mountpoint":"\/"}&/
		/"id":13/d' "$work/plain" >"$work/image"
	restore "$work/first" "$work/image"
	try mntcr dump -o "$work/devices" "$work/first"
	under=$(device disk "$work/devices")
	over=$(device over "$work/devices")
	[ "$under" ] && [ "$over" ] || fail "devices: '$under' '$over'"
	mkdir "$work/first-root"
	bind "$work/first/0:/" "$work/first-root"
	echo x >"$work/first-root/file"
	# what is mounted here, too, would be the host's
	umount "$work/first-root"
	try mntcr dump --contents --exclude-contents "$under" --exclude-contents "$over" \
		-o "$work/contents" "$work/first"
	restore "$work/second" --verify "$work/contents"
	restore "$work/third" --verify --source "$work/first" "$work/contents"
	# by itself as well, and whichever is live
	try mntcr verify --contents --ignore whose "$work/contents" "$work/second"
	try mntcr verify --contents --ignore whose "$work/second" "$work/contents"
	[ "$api" = upstream ] || try mntcr verify --contents "$work/first" "$work/first"
	# what it has is compared
	bind "$work/first/0:/" "$work/first-root"
	echo y >"$work/first-root/file"
	code 3 mntcr restore --api "$api" --discard --verify --source "$work/first" \
		"$work/contents"
	holds grep -q 'verify: .*/file' "$tmp/err"
}
test_each "restore --verify of what is covered, without its contents" covered

# What stands in for the host's, where the image says whose it is.
stand_in()
{
	image "$work/image" '' "$a"
	refused stand-in mntcr restore --api "$api" --discard --stand-in 9:99 "$work/image"
	refused stand-in mntcr plan --stand-in 9:99 "$work/image"
	code 2 mntcr restore --api "$api" --discard --stand-in 9:98 "$work/image"
	sed 's/"version":2/"version":4/; s/"options":""/&,"whose":"host"/
		s/"mountpoint":"\/a"/&,"locks":[]},{"id":12,"namespace":0,"parent":11,"superblock":0,"root":"\/","mountpoint":"\/","locks":["mount"]/
		' "$work/image" >"$work/hidden"
	try mntcr plan --ignore-locks --stand-in 9:99 "$work/hidden"
	holds grep -q '^differs  *9:99: an empty read-only tmpfs stands in' "$tmp/out"
	try mntcr restore --api "$api" --ignore-locks --pin "$work/pin" --verify \
		--stand-in 9:99 "$work/hidden"
	holds grep -q 'will differ: 9:99: an empty read-only tmpfs stands in' "$tmp/err"
	code 3 mntcr verify --ignore locks "$work/hidden" "$work/pin"
	try mntcr verify --ignore locks --stand-in 9:99 "$work/hidden" "$work/pin"
	code 2 mntcr verify --events --stand-in 9:99 "$work/pin" "$work/pin"
}
test_each "restore --stand-in" stand_in

# An image that knows, against live ones.
whose()
{
	image "$work/own" '' "$a"
	sed -i 's/"version":2/"version":4/; s/"options":"[^"]*"/&,"whose":"container"/' "$work/own"
	sed '/"9:99"/s/container/host/' "$work/own" >"$work/hosts"
	restore "$work/pin" --verify "$work/own"
	try mntcr verify "$work/own" "$work/pin"
	try mntcr verify "$work/pin" "$work/own"
	code 3 mntcr verify "$work/hosts" "$work/pin"
	holds grep -q "/a: whose superblock: 'host' against 'container'" "$tmp/out"
	code 3 mntcr verify "$work/pin" "$work/hosts"
	code 3 mntcr verify "$work/hosts" "$work/own"
	try mntcr verify --ignore whose "$work/hosts" "$work/pin"
	try mntcr verify --not-own /a "$work/hosts" "$work/pin"
	code 3 mntcr verify --not-own /a "$work/own" "$work/pin"
	holds grep -q "/a: whose superblock: 'container' against 'host'" "$tmp/out"
	code 2 mntcr verify --own /b "$work/own" "$work/pin"
	holds grep -q "own: /b names no superblock" "$tmp/err"
	code 2 mntcr verify --own /a "$work/own" "$work/hosts"
	holds grep -q "need an image and live namespaces" "$tmp/err"
}
test_each "verify: whose a superblock is, --own, --not-own" whose

# A restore was given another namespace for the one whose file was mounted, here twice.
given_namespaces()
{
	for m in u v; do
		: >"$work/$m"
		mount --bind /proc/self/ns/uts "$work/$m" || fail "no bind of a uts namespace"
	done
	try mntcr dump -o "$work/first" $$
	umount "$work/u" "$work/v"
	sed 's/uts:\[40/uts:[39/; s/"type": "uts", "inode": 40/"type": "uts", "inode": 39/' \
		"$work/first" >"$work/other"
	code 3 mntcr verify "$work/first" "$work/other"
	holds grep -q "root: 'uts:\[4" "$tmp/out"
	try mntcr verify --given-namespaces "$work/first" "$work/other"
	# one of the two is not that one
	sed '/"mountpoint": "[^"]*\/u"/s/"uts", "inode": 39/"uts", "inode": 38/' "$work/other" \
		>"$work/two"
	code 3 mntcr verify --given-namespaces "$work/first" "$work/two"
	holds grep -q "namespace file" "$tmp/out"
}
test_each "verify --given-namespaces" given_namespaces

# A user namespace that is there; the ids of its fresh filesystems are its.
owner()
{
	image "$work/image" '' "$a"
	code 2 mntcr plan --owner 7 "$work/image"
	code 2 mntcr plan --owner x=/proc/self/ns/user "$work/image"
	code 1 mntcr plan --owner 7="$work/none" "$work/image"
	holds grep -q -e "--owner 7=$work/none: No such file" "$tmp/err"
	code 4 mntcr restore --check --owner 7="$work/none" --owner 9="$work/none" "$work/image"
	same "$(grep -c '^refused .* \[owner-path\]$' "$tmp/out")" 2 "what cannot be opened"
	holds grep -q '^superblock ' "$tmp/out"
	code 2 mntcr plan --owner 7=/proc/self/ns/net "$work/image"
	code 2 mntcr plan --owner 8=/proc/self/ns/user "$work/image"
	code 2 mntcr verify --events --owner 7=/proc/self/ns/user "$work/image" "$work/image"
	sed 's/"version":2/"version":4/
		s/"namespaces":\[{/&"owner":1,/
		s/"user_namespaces":\[/&{"inode":6,"dumper":true},{"inode":7,"parent":0,"owner":0,"setgroups":true,"uid_map":[[0,1000,9]],"gid_map":[[0,1000,9]]}/
		s/"mountpoint":"\/a"/&,"locks":[]/' \
		"$work/image" >"$work/owned"
	# whose parent nobody names
	refused given-owner-parent mntcr plan --owner 7=/proc/self/ns/user "$work/owned"
	refused given-owner-parent mntcr restore --api "$api" --discard \
		--owner 7=/proc/self/ns/user "$work/owned"
}
test_each "restore --owner" owner

# The directory that relative layers of an overlay are found from.
layer()
{
	image "$work/rel" '' "$a"
	sed -i 's/"version":2/"version":4/; s/"tmpfs","source":"disk","options":""/"overlay","source":"disk","options":"lowerdir=l,upperdir=up,workdir=work"/' \
		"$work/rel"
	mkdir -p "$work/dir/l" "$work/dir/up" "$work/dir/work"
	refused relative-layer mntcr plan "$work/rel"
	code 4 mntcr restore --check --api "$api" "$work/rel"
	holds grep -q '^layer  *--layer 9:99=PATH for /a$' "$tmp/out"
	try mntcr plan --layer 9:99="$work/dir" "$work/rel"
	holds grep -q 'new overlay for 9:99 with lowerdir l = below layer #0, ' "$tmp/out"
	code 2 mntcr plan --layer 0:1="$work/dir" "$work/rel"
	code 2 mntcr restore --api "$api" --discard --layer 9:99 "$work/rel"
	holds grep -q 'layer takes KEY=DIR' "$tmp/err"
	grep -q 'overlay$' /proc/filesystems || return 0
	restore "$work/pin" --layer /a="$work/dir" "$work/rel"
	try mntcr dump "$work/pin/0"
	holds grep -q '"options": "[^"]*lowerdir=l,upperdir=up,workdir=work' "$tmp/out"
}
test_each "restore --layer" layer

# Whatever a place of the host's is called, the options that are listed name it.
odd_places()
{
	nl='
'
	set -- "a b" "q'uo\"te" "nl${nl}x" '$(exit 99)`x`' 'c,omma\054=eq' '*?[a]' \
		"$(printf 'not-\377\376')" "$(printf 'c1-\302\205')"
	mkdir "$work/odd"
	try mount -t tmpfs all "$work/odd"
	for name; do
		mkdir "$work/odd/$name"
		try mount -t tmpfs odd "$work/odd/$name"
		: >"$work/odd/$name/mark"
	done
	hold odd
	try mntcr dump -o "$work/image" "$odd"
	try mntcr dump --check "$odd"
	fails grep -q "=PATH" "$tmp/out"
	sed -n 's/^options  *//p' "$tmp/out" >"$work/options"
	code 4 mntcr restore --check --api "$api" "$work/image"
	same "$(sed -n "s/^options  *//p" "$tmp/out" | sed "s/ --api $api//")" \
		"$(cat "$work/options")" "what restore --check lists"
	eval "set -- $(cat "$work/options")"
	try mntcr restore --api "$api" --verify "$@" --pin "$work/pin" "$work/image"
	for mark in "$work"/odd/*/mark; do
		in_ns "$work/pin/0" test -e "$mark" || fail "not the host's: $mark"
	done
}
test_each "places with odd names" odd_places

# --- what is listed beforehand ----------------------------------------------------
# The options of the list, pasted, restore a namespace that is a copy of this one.
listed()
{
	before=$(nr_mounts)
	try mntcr dump --check "$one"
	holds grep -q '^superblock .* tmpfs in: the container.s; fresh; mounted at ' "$tmp/out"
	holds grep -q '^superblock .* tmpfs src: the host.s; .*; outside at ' "$tmp/out"
	holds grep -q '^external  *--host ' "$tmp/out"
	fails grep -q '^refused' "$tmp/out"
	fails grep -q '=PATH' "$tmp/out"
	sed -n 's/^options  *//p' "$tmp/out" >"$work/options"
	holds test -s "$work/options"
	same "$(nr_mounts)" "$before" "the number of mounts"
	try mntcr dump --check --json "$one"
	holds grep -q '"options": \[' "$tmp/out"
	try mntcr dump -o "$work/image" "$one"
	code 4 mntcr restore --check --api "$api" "$work/image"
	holds grep -q '^refused .* \[callers-namespace\]$' "$tmp/out"
	fails test -s "$tmp/err"
	# here all of it is where it was
	same "$(sed -n "s/^options  *//p" "$tmp/out" | sed "s/ --api $api//")" \
		"$(cat "$work/options")" \
		"what restore --check lists"
	code 4 mntcr restore --check --json --api "$api" "$work/image"
	holds grep -q '"rule": "callers-namespace"' "$tmp/out"
	eval "set -- $(cat "$work/options")"
	try mntcr restore --check --api "$api" --pin "$work/pin" "$@" "$work/image"
	fails grep -q '^refused' "$tmp/out"
	same "$(nr_mounts)" "$before" "the number of mounts"
	fails test -e "$work/pin"
	try mntcr restore --api "$api" --discard --verify "$@" "$work/image"
	# and what is not one of its options
	code 2 mntcr dump --check -o "$work/image2" "$one"
	code 2 mntcr dump --json "$one"
	fails test -e "$work/image2"
}
test_each "dump --check and restore --check" listed

# as_text_and_json RULE TEXT COMMAND... IMAGE: refused by both kinds of list, all of it
as_text_and_json()
{
	rule=$1 text=$2
	shift 2
	code 4 "$@"
	holds grep -q "^refused .*$text.* \\[$rule\\]\$" "$tmp/out"
	fails test -s "$tmp/err"
	code 4 "$@" --json
	holds grep -q "\"rule\": \"$rule\"" "$tmp/out"
	fails test -s "$tmp/err"
}

# What is given at a stage is not had by another option as well.
given()
{
	type=ext4
	image "$work/image" '' "$a" '"id":12,"superblock":2,"root":"uts:[77]","mountpoint":"/u","nsfs":{"type":"uts","inode":77}'
	type=
	sed -i 's/"options":""}],/"options":""},{"device":"0:4","type":"nsfs","options":""}],/' \
		"$work/image"
	try mntcr show "$work/image"
	for words in "superblock:9:99 --external 9:99=/" "superblock:9:99 --device 9:99=/dev/null" \
			"uts:77 --external uts:[77]=/proc/self/ns/uts"; do
		# shellcheck disable=SC2086	# words
		code 4 mntcr restore --check --api "$api" --stages - --give $words "$work/image"
		# shellcheck disable=SC2086	# words
		set -- $words
		why="give $1: $2 names this one, too"
		[ "$api" = extended ] || why="give: nothing can be waited for with the upstream calls"
		holds grep -q "^refused  *.*$why" "$tmp/out"
	done
}
test_each "restore --give and another option" given

# What is refused of trees that are mounted nowhere, and what is by no plan.
trees()
{
	image "$work/plain" '' "$a"
	sed 's/"version":2/"version":5/; s/{"id":1,"label":"x"}/&,{"label":"7:3","detached":true}/
		s/"mountpoint":"\/a"/&,"locks":[]/
		s/^]}/,{"id":12,"namespace":1,"superblock":0,"root":"\/","mountpoint":"\/","locks":[]},{"id":13,"namespace":1,"parent":12,"superblock":0,"root":"\/","mountpoint":"\/d","locks":[],"unbindable":true}]}/' \
		"$work/plain" >"$work/image"
	try mntcr show "$work/image"
	set -- mntcr restore --check --api "$api"
	as_text_and_json detached-tree "which nobody would take" "$@" "$work/image"
	as_text_and_json detached-unbindable "unbindable, in a detached tree" "$@" --verify "$work/image"
	holds grep -q '"rule": "detached-tree"' "$tmp/out"
	code 4 mntcr restore --api "$api" --discard --verify --json "$work/image"
	holds grep -q '"rule": "detached-unbindable"' "$tmp/out"
	holds grep -q '"rule": "detached-tree"' "$tmp/out"
	holds grep -q '"help": "--stages, which hands it out"' "$tmp/out"
	if [ $api = extended ]; then
		try "$@" --stages - "$work/image"
		try "$@" --stages 99 --give superblock:9:99 "$work/image"
		holds grep -q '^need  *superblock:9:99 (tmpfs), at any time, for .*/a$' "$tmp/out"
		holds grep -q "^options  *--api $api --give superblock:9:99\$" "$tmp/out"
		as_text_and_json detached-unbindable "unbindable, in a detached tree" "$@" \
			--stages - --verify "$work/image"
		# as is what no image is made of, and all of it
		exec 9</proc/self/ns/mnt 8</
		code 4 mntcr dump --check --json --detached $$:9 --detached $$:8
		same "$(grep -c '"rule": "not-detached"' "$tmp/out")" 2 "trees that are refused"
		code 4 mntcr dump --check --detached $$:8
		holds grep -q '^refused .* \[not-detached\]$' "$tmp/out"
		# nor what is not open
		code 4 mntcr dump --check --json --detached $$:99 --detached $$:8 --detached $$:98
		same "$(grep -c '"rule": "not-detached"' "$tmp/out")" 3 "trees that are refused"
		fails test -s "$tmp/err"
		# with or without a list, and with or without that option
		code 4 mntcr dump --detached $$:99 --detached $$:8
		same "$(grep -c '\[not-detached\]' "$tmp/err")" 2 "trees that are refused"
		code 4 mntcr dump --check --json $$:99 $$:8
		same "$(grep -c '"rule": "not-detached"' "$tmp/out")" 2 "trees that are refused"
		code 4 mntcr dump $$:99
		# nor what may not be taken
		code 4 unshare --user --map-root-user mntcr dump --check --json --detached $$:9 \
			--detached $$:99
		same "$(grep -c '"rule": "detached-out-of-reach"' "$tmp/out")" 2 "trees out of reach"
		holds grep -q "would help: CAP_SYS_PTRACE" "$tmp/out"
		exec 9<&- 8<&-
	fi
	code 2 "$@" --stages x "$work/image"
	code 2 mntcr restore --discard --give superblock:9:99 "$work/image"
	# before there is a plan
	sed 's/"version":2/"version":4/; s/"options":"[^"]*"/&,"whose":"container"/' \
		"$work/plain" >"$work/own"
	as_text_and_json stand-in "nothing stands in for /a" "$@" --stand-in /a "$work/own"
	as_text_and_json option "/b names no superblock" "$@" --stand-in /b "$work/own"
	as_text_and_json option "owner 5: no user namespace" "$@" --owner 5=/proc/self/ns/user \
		"$work/plain"
	code 2 mntcr restore --discard --stand-in /b "$work/own"
	# a list that is not there
	for words in "--external 8:8=/" "--stand-in /b" "--json --external 8:8=/"; do
		# shellcheck disable=SC2086	# words
		code 1 sh -c 'exec "$@" >/dev/full' sh "$@" $words "$work/own"
		holds grep -q "No space left on device" "$tmp/err"
	done
	code 4 mntcr restore --api "$api" --discard --json --stand-in /a "$work/own"
	holds grep -q '"rule": "stand-in"' "$tmp/out"
}
test_each "detached trees, and what there is no plan for, in lists" trees

# Of options that change the image, too, all that is wrong is listed, with the rest.
all_wrong()
{
	type=ext4
	image "$work/plain" '' "$a"
	type=
	sed 's/"version":2/"version":4/; s/"options":"[^"]*"/&,"whose":"container"/' \
		"$work/plain" >"$work/image"
	set -- --api "$api" --stand-in /b --stand-in /c --owner 5=/proc/self/ns/user \
		--owner 6=/proc/self/ns/user --map-cgroup /x=/y --map-cgroup /z=/y
	code 4 mntcr restore --check "$@" "$work/image"
	for text in "/b names no superblock" "/c names no superblock" \
			"owner 5: no user namespace" "owner 6: no user namespace" \
			"no mount is of the cgroup /x" "no mount is of the cgroup /z"; do
		holds grep -q "^refused .*$text.* \[option\]\$" "$tmp/out"
	done
	holds grep -q "^refused .* \[no-source\]\$" "$tmp/out"
	holds grep -q "^superblock 9:99 " "$tmp/out"
	same "$(grep -c '^refused' "$tmp/out")" 7 "what is refused"
	# what a plan finds of keys as well
	code 4 mntcr restore --check --json "$@" --external 8:8=/ --host /none "$work/image"
	same "$(grep -c '"rule": "option"' "$tmp/out")" 8 "options that are wrong"
	code 2 mntcr restore --discard "$@" "$work/image"
	code 2 mntcr plan "$@" "$work/image"
	# what is refused of the image, and what the plan refuses, in one run
	for command in "restore --discard" "plan"; do
		# shellcheck disable=SC2086	# words
		code 4 mntcr $command --api "$api" --stand-in /a --stand-in / "$work/image"
		same "$(grep -c '\[stand-in\]$' "$tmp/err")" 2 "what nothing stands in for"
		same "$(grep -c '\[no-source\]$' "$tmp/err")" 1 "what is nowhere"
		# shellcheck disable=SC2086	# words
		code 4 mntcr $command --api "$api" --json --stand-in /a "$work/image"
		same "$(grep -o '"rule": "[^"]*"' "$tmp/out" | sort | xargs)" \
			"rule: no-source rule: stand-in" "all rules"
	done
	# nor is anything made where the plan refuses nothing
	code 4 mntcr restore --api "$api" --pin "$work/pin" --external 9:99=/tmp \
		--stand-in /a "$work/image"
	fails test -e "$work/pin"
}
test_each "all that is wrong with options in one list" all_wrong

echo "1..$n"
exit $bad
