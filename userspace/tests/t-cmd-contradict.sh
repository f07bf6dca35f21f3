#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The mount checkpoint/restore authors
#
# Options that contradict one another: wrong usage, before anything is looked at, and
# for every command in the same words.

. "$(dirname "$0")/cli.sh"

# what is named is not there: whoever looks at it fails with something else
no=$tmp/none

# twice OPTION A B COMMAND...: not with two values, but twice with one
twice()
{
	opt=$1 a=$2 b=$3
	shift 3
	check "$1 $opt: two values" 2 "^mntcr: $1: $opt is given twice, as $a and as $b$" \
		"$MNTCR" "$@" "$opt" "$a" "$opt" "$b"
	"$MNTCR" "$@" "$opt" "$a" "$opt" "$a" >"$tmp/out" 2>"$tmp/err" </dev/null
	if grep -q "twice" "$tmp/err"; then
		fail "$1 $opt: one value, twice" "that is no contradiction"
	else
		ok "$1 $opt: one value, twice"
	fi
}
twice --output "$tmp/a" "$tmp/b" dump 2147483647
twice --method auto mountinfo dump 2147483647
twice --retries 1 2 dump 2147483647
twice --container 2147483646 2147483647 dump
twice --cgroup "$tmp" "$no" dump
twice --freeze-timeout 1 2 dump --freeze --cgroup "$no"
twice --pin "$tmp/a" "$tmp/b" restore "$no"
twice --api auto upstream restore --discard "$no"
twice --api auto upstream plan "$no"
twice --stages 98 99 restore "$no"
twice --max 1 2 verify "$no" "$no"
twice --method auto mountinfo verify "$no" "$no"
twice --method auto mountinfo show "$no"
twice --api auto upstream bind "$no" "$no"
twice --propagation private shared bind "$no" "$no"
check "whatever the letter" 2 "output is given twice, as a and as b" \
	"$MNTCR" dump -o a --output b 2147483647

# keys OPTION KEY COMMAND...: one key, two values
keys()
{
	opt=$1 key=$2
	shift 2
	check "$1 $opt: a key with two values" 2 \
		"^mntcr: $1: $opt names $key twice, for a and for b=c$" \
		"$MNTCR" "$@" "$opt" "$key=a" "$opt" "$key=b=c"
}
for cmd in restore plan; do
	keys --external 9:9 $cmd "$no"
	keys --external-master 7 $cmd "$no"
	keys --device 9:9 $cmd "$no"
	keys --layer 9:9 $cmd "$no"
	keys --map-cgroup /a $cmd "$no"
	keys --owner 7 $cmd "$no"
done
keys --map-cgroup /a verify "$no" "$no"
keys --owner 7 verify "$no" "$no"
check "a key in two spellings" 2 "external names a=b twice, for /x and for /y" \
	"$MNTCR" plan --external 'a\=b=/x' --external 'a\075b=/y' "$no"
check "two parts of one superblock" 1 "none: No such file" \
	"$MNTCR" plan --external 9:9=/x --external 9:9:/a=/y "$no"

# both KEY WORDS COMMAND...: WORDS are two options, with their values, that both name it
both()
{
	key=$1 words=$2
	shift 2
	# shellcheck disable=SC2086	# words
	check "$1 $words" 2 "^mntcr: $1: --[a-z-]* and --[a-z-]* exclude one another, and both name $key$" \
		"$MNTCR" "$@" $words
}
both /x "--own /x --not-own /x" dump 2147483647
both 0:7 "--not-own 0:7 --own 0:7" dump --container 2147483647
both /x "--own /x --not-own /x" verify "$no" 2147483647
for cmd in restore plan; do
	both 9:9 "--external 9:9=/a --device 9:9=/dev/b" $cmd "$no"
	both 9:9 "--device 9:9=/dev/b --external 9:9=/dev/b" $cmd "$no"
	both 9:9 "--stand-in 9:9 --external 9:9=/a" $cmd "$no"
	both 9:9 "--stand-in 9:9 --device 9:9=/a" $cmd "$no"
	both 9:9 "--external 9:9=/a --layer 9:9=/b" $cmd "$no"
done
check "each names another one" 1 "No such process" \
	"$MNTCR" dump --own /x --not-own /y 2147483647

# not WORDS COMMAND...: the two that exclude one another
not()
{
	words=$1
	shift
	# shellcheck disable=SC2086	# words
	check "$1 $words" 2 "^mntcr: $1: --[a-z-]* and --[a-z-]* exclude one another$" \
		"$MNTCR" "$@" $words
}
not "--pin /nowhere/a --discard" restore "$no"
not "--discard --stages 99" restore "$no"
not "--check --output /nowhere/a" dump 2147483647
not "-o /nowhere/a --check" dump 2147483647
not "--json --dot" show "$no"
not "-q --json" verify "$no" "$no"
for o in --contents "--map-cgroup /a=/b" "--stand-in /x" "--owner 7=/x"; do
	not "--events $o" verify "$no" "$no"
done
check "who asks for help gets it" 0 "^Usage: mntcr dump" \
	"$MNTCR" dump --own /x --not-own /x --help
check "what is not known is said first" 2 "unrecognized option '--nonsense'" \
	"$MNTCR" dump --own /x --not-own /x --nonsense

# what one superblock is, in two spellings, only the image says
cat >"$tmp/img" <<END
{"format":"mntcr-image","version":4,"user_namespaces":[],"namespaces":[{"label":"A"}],
 "superblocks":[{"device":"0:1","type":"tmpfs","options":""},
  {"device":"9:9","type":"ext4","source":"d","options":""}],
 "groups":[],"idmaps":[],"mounts":[
 {"id":1,"namespace":0,"superblock":0,"root":"/","mountpoint":"/"},
 {"id":3,"namespace":0,"parent":1,"superblock":1,"root":"/","mountpoint":"/d"}]}
END
check "--external of one by two keys" 2 "named twice" \
	"$MNTCR" plan --external 9:9=/a --external path:/d=/b "$tmp/img"
check "--external and --device of one" 2 "an --external names this superblock, too" \
	"$MNTCR" plan --external 9:9=/a --device path:/d=/b "$tmp/img"
check "--device of one by two keys" 2 "given twice" \
	"$MNTCR" plan --device 9:9=/a --device path:/d=/b "$tmp/img"
finished
