#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The mount checkpoint/restore authors
#
# The command as a person or a script meets it: help, exit codes, messages.

. "$(dirname "$0")/cli.sh"

[ "$(id -u)" -eq 0 ] || { echo "1..0 # SKIP needs root"; exit 4; }
seed=$(dirname "$0")/data/seeds/sharing.json

check "help" 0 "^Usage: mntcr COMMAND" "$MNTCR" --help
check "version" 0 "^mntcr [0-9]" "$MNTCR" --version
check "no command" 2 "^Usage: mntcr" "$MNTCR"
check "unknown command" 2 "no command 'nonsense'" "$MNTCR" nonsense
for c in $("$MNTCR" --help | sed -n 's/^  \([a-z]*\)  .*/\1/p'); do
	check "$c --help" 0 "^Usage: mntcr $c" "$MNTCR" "$c" --help
	check "$c --nonsense" 2 "^mntcr: $c: unrecognized option '--nonsense'" \
		"$MNTCR" "$c" --nonsense
	echo "Try 'mntcr $c --help'." >"$tmp/want"
	sed 1d "$tmp/err" >"$tmp/help"
	is "$c --nonsense: then where help is" "$tmp/want" "$tmp/help"
	if [ -f "$(dirname "$0")/../man/mntcr-$c.1" ]; then
		ok "$c has a man page"
		"$MNTCR" "$c" --help | sed -n '/^  /p' |
			grep -o -e '--[a-z][a-z-]*' |
			sort -u >"$tmp/help"
		sed '/^[$#] /d; s/\\-/-/g' "$(dirname "$0")/../man/mntcr-$c.1" |
			grep -o -e '--[a-z][a-z-]*' | sort -u >"$tmp/man"
		is "$c --help and the man page have the same options" \
			"$tmp/help" "$tmp/man"
	else
		: >"$tmp/out"; : >"$tmp/err"
		fail "$c has a man page" "man/mntcr-$c.1 is missing"
	fi
done

# a namespace of our own, to be certain that it holds still
unshare -m --propagation private sleep 1000 &
holder=$!
i=0
while [ "$(readlink "/proc/$holder/ns/mnt")" = "$(readlink /proc/self/ns/mnt)" ] ||
      [ "$(tr -d '\0' <"/proc/$holder/comm")" != sleep ]; do
	i=$((i + 1))
	[ $i -lt 100000 ] || break
done

check "dump to standard output" 0 '"format": "mntcr-image"' \
	"$MNTCR" dump $holder
check "dump to a file" 0 "" "$MNTCR" dump -o "$tmp/img" $holder
# a link, such as /dev/stdout, is written through and not replaced
ln -s img-behind "$tmp/link"
: >"$tmp/img-behind"
check "dump through a link" 0 "" "$MNTCR" dump -o "$tmp/link" $holder
check "the link is still one" 0 "^namespace 0:" sh -c \
	'[ -L "$1/link" ] && "$2" show "$1/img-behind"' sh "$tmp" "$MNTCR"
check "verify: two images on one side" 2 "only one image" \
	"$MNTCR" verify "$tmp/img" "$tmp/img" "$tmp/img"
check "show an image" 0 "^namespace 0: $holder mnt:" "$MNTCR" show "$tmp/img"
check "show a process" 0 "^namespace 0: $holder mnt:" "$MNTCR" show $holder
check "show a namespace file" 0 "^namespace 0: /proc/$holder/ns/mnt mnt:" \
	"$MNTCR" show /proc/$holder/ns/mnt
check "show --json is the image" 0 '"format": "mntcr-image"' \
	"$MNTCR" show --json "$tmp/img"
if "$MNTCR" show --json "$tmp/img" | cmp -s - "$tmp/img"; then
	ok "show --json repeats the image byte by byte"
else
	fail "show --json repeats the image byte by byte" "it differs"
fi
check "show --dot" 0 "^digraph" "$MNTCR" show --dot "$tmp/img"
check "show from standard input" 0 "^namespace 0" \
	sh -c '"$0" show - <"$1"' "$MNTCR" "$tmp/img"
check "verify an image against its source" 0 "" \
	"$MNTCR" verify --devices --order "$tmp/img" $holder
check "verify by the other method" 0 "" \
	"$MNTCR" verify --method mountinfo "$tmp/img" $holder
check "verify finds a difference" 3 "" "$MNTCR" verify "$tmp/img" "$seed"
if grep -q "only in the second" "$tmp/out"; then
	ok "verify prints differences"
else
	fail "verify prints differences" "none printed"
fi
check "verify --quiet" 3 "" "$MNTCR" verify -q "$tmp/img" "$seed"
if [ -s "$tmp/out" ]; then
	fail "verify --quiet is quiet" "it is not"
else
	ok "verify --quiet is quiet"
fi
check "features" 0 "^FEATURE " sh -c '"$0" features; [ $? -eq 0 -o $? -eq 6 ]' "$MNTCR"
check "features --json" 0 '"name": "mount_setgroup"' \
	sh -c '"$0" features --json; [ $? -eq 0 -o $? -eq 6 ]' "$MNTCR"

check "dump: nothing named" 2 "no namespace was named" "$MNTCR" dump
check "dump: bad method" 2 "method magic is not known" \
	"$MNTCR" dump --method magic $holder
for i in -1 0 '' 3x ' 3' 4294967296 99999999999999999999; do
	check "dump: --retries '$i'" 2 "is not a number above 0" \
		"$MNTCR" dump --retries "$i" $holder
done
check "dump: --cgroup and a namespace" 2 "exclude one another" \
	"$MNTCR" dump --cgroup "$tmp" $holder
check "dump: --cgroup and --container" 2 "exclude one another" \
	"$MNTCR" dump --cgroup "$tmp" --container $holder
check "dump: no cgroup" 2 "not a directory of cgroup v2" "$MNTCR" dump --cgroup "$tmp"
check "dump: a file may not be as large" 1 "File too large" \
	sh -c 'ulimit -f 1; exec "$@"' sh "$MNTCR" dump -o "$tmp/large" $holder
check "dump: and is not left" 1 "" test -e "$tmp/large"
check "dump: --freeze, and what?" 2 "freeze without --container or --cgroup" "$MNTCR" dump --freeze $holder
check "dump: --freeze no cgroup" 2 "not a directory of cgroup v2" \
	"$MNTCR" dump --cgroup "$tmp" --freeze
check "dump: --freeze-timeout alone" 2 "timeout without --freeze" \
	"$MNTCR" dump --freeze-timeout 3 $holder
for i in 0 x -1 2147484; do
	check "dump: --freeze-timeout '$i'" 2 "is not a number of seconds above 0" \
		"$MNTCR" dump --cgroup "$tmp" --freeze --freeze-timeout "$i"
done
check "dump: no such process" 1 "mntcr: dump: process 2147483647: No such process" \
	"$MNTCR" dump 2147483647
check "dump: not a process id" 2 "not a process id" "$MNTCR" dump 99999999999999999999
check "dump: no such file" 1 "mntcr: dump: $tmp/none: No such file" \
	"$MNTCR" dump "$tmp/none"
check "dump: not a namespace" 2 "$tmp/img: not a mount namespace" \
	"$MNTCR" dump "$tmp/img"
check "dump: another kind of namespace" 2 "not a mount namespace" \
	"$MNTCR" dump /proc/self/ns/net
check "dump: nothing pinned in the directory" 2 "no mount namespace is pinned" \
	"$MNTCR" dump "$tmp"
check "dump: no room" 1 "/dev/full: .*No space left" \
	"$MNTCR" dump -o /dev/full $holder
check "dump: standard output full" 1 "No space left" \
	sh -c 'exec "$0" dump "$1" >/dev/full' "$MNTCR" $holder
check "dump: no such directory" 1 "$tmp/no/img: No such file" \
	"$MNTCR" dump -o "$tmp/no/img" $holder
check "show: standard output full" 1 "No space left" \
	sh -c 'exec "$0" show "$1" >/dev/full' "$MNTCR" "$tmp/img"
for json in '' --json; do
	check "features $json: standard output full" 1 "features: standard output: No space left" \
		sh -c 'exec "$0" features $1 >/dev/full' "$MNTCR" $json
done
check "show: image and namespace mixed" 2 "cannot be mixed" \
	"$MNTCR" show "$tmp/img" $holder
echo '{"format": "mntcr-image", "version": 99}' >"$tmp/v99"
check "show: another version" 5 "$tmp/v99: version: 99 is not supported" \
	"$MNTCR" show "$tmp/v99"
head -c 300 "$tmp/img" >"$tmp/cut"
check "show: truncated image" 5 "mntcr: show: $tmp/cut:" "$MNTCR" show "$tmp/cut"
: >"$tmp/empty"
check "show: empty image" 5 "$tmp/empty:" "$MNTCR" show "$tmp/empty"
check "show: not JSON" 5 "/proc/version:1:" "$MNTCR" show /proc/version
check "verify: one argument" 2 "two things" "$MNTCR" verify "$tmp/img"
check "verify: events of an image" 2 "needs live namespaces" \
	"$MNTCR" verify --events "$tmp/img" $holder
# a directory where more is pinned than mount namespaces
mkdir "$tmp/pins"
ln -s /proc/$holder/ns/net "$tmp/pins/1"
ln -s /proc/$holder/ns/mnt "$tmp/pins/2"
ln -s /proc/$holder/ns/uts "$tmp/pins/3"
check "show: a directory of namespaces of all kinds" 0 \
	"^namespace 0: $tmp/pins/2 mnt:" "$MNTCR" show "$tmp/pins"
check "show: a directory of none" 2 "one: no mount namespace is pinned" \
	sh -c 'mkdir "$1/one"; exec "$2" show "$1/one"' sh "$tmp" "$MNTCR"
unshare -m --propagation private sleep 1000 &
second=$!
i=0
while [ "$(readlink "/proc/$second/ns/mnt")" = "$(readlink /proc/self/ns/mnt)" ] ||
      [ "$(tr -d '\0' <"/proc/$second/comm")" != sleep ]; do
	i=$((i + 1))
	[ $i -lt 100000 ] || break
done
if command -v script >/dev/null; then
	: >"$tmp/want"
	script -qec "'$MNTCR' verify -q --events $holder $second" /dev/null \
		</dev/null >"$tmp/tty"
	is "verify -q: nothing, on a terminal either" "$tmp/want" "$tmp/tty"
else
	skip "verify -q: nothing, on a terminal either" "no script"
fi
kill $second
for i in -1 '' 3x 99999999999999999999; do
	check "verify: --max '$i'" 2 "is not a number" \
		"$MNTCR" verify --max "$i" "$tmp/img" "$tmp/img"
done
check "verify: --quiet and --json" 2 "exclude one another" \
	"$MNTCR" verify -q --json "$tmp/img" "$tmp/img"
check "verify --json: the same" 0 '"differences": 0' \
	"$MNTCR" verify --json "$tmp/img" "$tmp/img"
# more than is buffered
sed 's/"label": "[^"]*"/"label": "'"$(printf %0250d 0)"'"/' \
	"$(dirname "$seed")/host.json" >"$tmp/long"
sed 's/"type": "/&x/; s/"options": "/&x/; s/"source": "/&x/' "$tmp/long" >"$tmp/long2"
check "verify --json: standard output full" 1 "standard output: No space left" \
	sh -c 'exec "$0" verify --json "$1" "$2" >/dev/full' "$MNTCR" \
	"$tmp/long" "$tmp/long2"
check "verify: bad --ignore" 2 "--ignore takes" \
	"$MNTCR" verify --ignore nothing "$tmp/img" "$tmp/img"
for id in @-1 @+5 @0 @18446744073709551615 @18446744073709551614 @1x "@ 7"; do
	check "bind: $id is no mount id" 2 "not an absolute PATH" \
		"$MNTCR" bind "$id" "$tmp/none"
done
check "bind: no such process" 1 "process 2147483647: No such process" \
	"$MNTCR" bind 2147483647:/ "$tmp/none"
check "restore: no such process" 1 "process 2147483647: No such process" \
	"$MNTCR" restore --discard --source 2147483647 "$tmp/img"
if [ -n "$(ls -A "$tmp" | grep '^\.')" ]; then
	fail "no temporary file stays" "$(ls -A "$tmp")"
else
	ok "no temporary file stays"
fi

# Names that would draw on a terminal or make up lines of output, in every place
# that takes bytes.
evil='\u001b[31m\nFAKE\u009b7m\u007f'
cat >"$tmp/evil" <<EOF
{"format":"mntcr-image","version":1,"user_namespaces":[],
 "namespaces":[{"label":"L$evil"},{"label":"M$evil"}],
 "superblocks":[{"device":"0:1","type":"fuse","subtype":"T$evil","source":"S$evil","options":"O$evil"}],
 "groups":[],"idmaps":[],"mounts":[
 {"id":1,"namespace":0,"superblock":0,"root":"/R$evil","mountpoint":"/"},
 {"id":2,"namespace":0,"parent":1,"superblock":0,"root":"/R$evil","mountpoint":"/P$evil"},
 {"id":3,"namespace":1,"superblock":0,"root":"/","mountpoint":"/","source":"X$evil","options":"Y$evil"}]}
EOF
sed 's/"[TSOXY]/&2/g; s,"/[RP],&2,g' "$tmp/evil" >"$tmp/evil2"
# harmless NAME CODE PATTERN COMMAND...: PATTERN is there, escaped, and nothing
# that a terminal would obey
harmless()
{
	name=$1
	code=$2
	pattern=$3
	shift 3
	"$@" >"$tmp/out" 2>"$tmp/err" </dev/null
	got=$?
	cat "$tmp/out" "$tmp/err" >"$tmp/both"
	if [ $got -ne "$code" ]; then
		fail "$name" "exit code $got, not $code"
	elif ! grep -q -e "$pattern" "$tmp/both"; then
		fail "$name" "nothing like '$pattern'"
	elif grep -q '^FAKE' "$tmp/both" ||
	     LC_ALL=C tr -d '\n\t\040-\176\240-\377' <"$tmp/both" | grep -q .; then
		cat -v "$tmp/both" >"$tmp/err"
		: >"$tmp/out"
		fail "$name" "bytes that are not harmless"
	else
		ok "$name"
	fi
}
esc='\\033\[31m\\012FAKE\\302\\2337m\\177'
for what in L M T S R P X; do
	harmless "show escapes $what" 0 "$what$esc" "$MNTCR" show "$tmp/evil"
done
harmless "show --dot escapes" 0 'L\\\\033' "$MNTCR" show --dot "$tmp/evil"
harmless "show --json escapes" 0 'L\\u001B\[31m\\nFAKE\\u009b7m\\u007f' \
	"$MNTCR" show --json "$tmp/evil"
harmless "plan escapes" 0 "L$esc" "$MNTCR" plan --assume-sources "$tmp/evil"
harmless "plan --json escapes" 0 'P\\u001B\[31m\\nFAKE\\u009B7m' \
	"$MNTCR" plan --json --assume-sources "$tmp/evil"
harmless "plan's refusal escapes" 4 "M$esc" "$MNTCR" plan "$tmp/evil"
harmless "restore's refusal escapes" 4 "M$esc" \
	"$MNTCR" restore --discard "$tmp/evil"
for what in L T S O R P X Y; do
	harmless "verify escapes $what" 3 "$what$esc" \
		"$MNTCR" verify "$tmp/evil" "$tmp/evil2"
done
harmless "verify --json escapes" 3 '"differences": [1-9]' \
	"$MNTCR" verify --json "$tmp/evil" "$tmp/evil2"
if command -v python3 >/dev/null; then
	cp "$tmp/out" "$tmp/json"
	check "verify --json is JSON" 0 "" python3 -c \
		'import json, sys; d = json.load(open(sys.argv[1])); sys.exit(d["differences"] != len(d["reports"]))' \
		"$tmp/json"
else
	skip "verify --json is JSON" "no python3"
fi
harmless "the reader's messages escape" 5 "unknown field" sh -c \
	'sed "s/\"device\"/\"D$3\":1,&/" "$1/evil" >"$1/evil3"; "$2" show "$1/evil3"' \
	sh "$tmp" "$MNTCR" "$(printf %s "$evil" | sed 's/\\/\\\\/g')"
for what in show verify dump; do
	harmless "$what: no such file, escaped" 1 'no\\033file: No such file' \
		"$MNTCR" $what "$tmp/$(printf 'no\033file')" $holder
done
harmless "usage errors escape" 2 'no\\033thing' \
	"$MNTCR" dump --method "$(printf 'no\033thing')" $holder

# a filesystem that cannot be made and is to be had from nowhere
sed 's/"fuse","subtype":"[^"]*"/"weirdfs"/; s/\\u....//g; s/\\n//g' "$tmp/evil" \
	>"$tmp/weird"
for what in plan "restore --discard"; do
	# shellcheck disable=SC2086
	check "$what: a type that cannot be made" 4 \
		'weirdfs cannot be made fresh; would help: .*--external 0:1=PATH \[no-source\]' \
		"$MNTCR" $what "$tmp/weird"
done

# every refusal at once, for people and for programs
cat >"$tmp/two" <<EOF
{"format":"mntcr-image","version":1,"user_namespaces":[],
 "namespaces":[{"label":"A"}],
 "superblocks":[{"device":"0:1","type":"weirdfs","source":"w","options":""},{"device":"0:2","type":"proc","options":""}],
 "groups":[],"idmaps":[],"mounts":[
 {"id":1,"namespace":0,"superblock":0,"root":"/","mountpoint":"/"},
 {"id":2,"namespace":0,"parent":1,"superblock":0,"root":"/d","mountpoint":"/d"},
 {"id":3,"namespace":0,"parent":1,"superblock":1,"root":"/","mountpoint":"/p"}]}
EOF
cat >"$tmp/want" <<EOF
weirdfs no-source 1 2
proc callers-namespace 3
EOF
for what in plan "restore --discard"; do
	# shellcheck disable=SC2086
	check "$what: more than one refusal" 4 'callers-namespace' \
		"$MNTCR" $what "$tmp/two"
	sed -n 's/.*superblock (\([a-z]*\),.* would help: .*\[\([a-z-]*\)\]$/\1 \2/p' \
		"$tmp/err" >"$tmp/got"
	sed 's/ [0-9 ]*$//' "$tmp/want" >"$tmp/rules"
	is "$what: each is a line" "$tmp/rules" "$tmp/got"
	if command -v python3 >/dev/null; then
		# shellcheck disable=SC2086
		"$MNTCR" $what --json "$tmp/two" >"$tmp/json" 2>"$tmp/err"
		echo $? >"$tmp/code"
		echo 4 >"$tmp/4"
		is "$what --json: more than one refusal" "$tmp/4" "$tmp/code"
		python3 -c 'import json, sys
for r in json.load(sys.stdin)["refusals"]:
	assert r["help"]
	print(r["text"].split("(")[1].split(",")[0], r["rule"],
	      *[m["id"] for m in r["mounts"]])' <"$tmp/json" >"$tmp/got"
		is "$what --json: each with its mounts" "$tmp/want" "$tmp/got"
	else
		skip "$what --json: more than one refusal" "no python3"
		skip "$what --json: each with its mounts" "no python3"
	fi
done

# what restore --check was told is among what it lists, in the words that were given
sed 's/"version":[0-9]/"version":4/
	s/"user_namespaces":\[/&{"inode":6,"dumper":true},{"inode":7,"parent":0,"owner":0,"setgroups":true,"uid_map":[[0,1000,9]],"gid_map":[[0,1000,9]]}/' \
	"$tmp/two" >"$tmp/owned"
cat >"$tmp/want" <<EOF
--api upstream --owner 7=/proc/self/ns/user --caller-namespaces --external 0:1=/
EOF
"$MNTCR" restore --check --api upstream --owner 7=/proc/self/ns/user \
	--caller-namespaces --external 0:1=/ "$tmp/owned" >"$tmp/out" 2>"$tmp/err"
sed -n 's/^options  *//p' "$tmp/out" | sed 's/ --external [^ ]*=PATH//g' >"$tmp/got"
is "restore --check repeats what it was given" "$tmp/want" "$tmp/got"

# KEY=PATH: "=" in a key is quoted, and so is what quotes
cat >"$tmp/keys" <<EOF
{"format":"mntcr-image","version":1,"user_namespaces":[],
 "namespaces":[{"label":"A"}],
 "superblocks":[{"device":"0:1","type":"ceph","source":"user@fsid.name=/","options":""}],
 "groups":[],"idmaps":[],"mounts":[
 {"id":1,"namespace":0,"superblock":0,"root":"/","mountpoint":"/"}]}
EOF
sed 's/user@fsid.name=./\\\\srv\\u0007=\\\\x/' "$tmp/keys" >"$tmp/keys2"
key()		# IMAGE KEY=PATH: that is it
{
	check "--external $2" 0 "external #0" "$MNTCR" plan --external "$2" "$tmp/$1"
}
key keys 'user@fsid.name\=/=/mnt'
key keys 'user@fsid.name\075/=/mnt'
key keys 'source:user@fsid.name\=/=relative'
key keys 'path:/=/mnt=/x'
key keys2 '\\srv\007\=\\x=/mnt'
key keys2 '\134srv\007\075\134x=/mnt'
check "--external: a key ends at the first =" 2 "external user@fsid.name: no superblock" \
	"$MNTCR" plan --external 'user@fsid.name=/=/mnt' "$tmp/keys"
for arg in nothing '=/mnt' 'key=' 'key\=/mnt' 'key\'; do
	check "--external $arg" 2 "external takes KEY\[:ROOT\]=PATH, not " \
		"$MNTCR" plan --external "$arg" "$tmp/keys"
	check "--external-master $arg" 2 "external-master takes KEY=PATH, not " \
		"$MNTCR" plan --external-master "$arg" "$tmp/keys"
	check "--device $arg" 2 "device takes KEY=DEVICE, not " \
		"$MNTCR" plan --device "$arg" "$tmp/keys"
done

# what the documentation says
here=$(dirname "$0")/..
awk '/^```/ { c++; next } c == 3' "$here/doc/image.md" >"$tmp/example"
check "the example of doc/image.md is an image" 0 "master:31" \
	"$MNTCR" show "$tmp/example"
if command -v groff >/dev/null; then
	check "man pages format without a warning" 0 "" \
		sh -c 'for p in "$0"/man/*.[0-9] "$0"/../kernel-patches/man/*.[0-9]; do
			groff -t -man -Tutf8 -ww -rLL=120n -z "$p" 2>&1; done |
			{ ! grep . >&2; }' "$here"
else
	skip "man pages format without a warning" "no groff"
fi

undocumented=$(sed -n 's/^[a-z].*[ *]\(mntcr_[a-z_]*\)(.*/\1/p' "$here"/include/*.h |
	while read -r f; do
		sed -n '/^\.SH SYNOPSIS/,/^\.SH DESCRIPTION/p' "$here/man/libmntcr.3" |
			grep -q "$f(" || echo "$f: no prototype"
		grep -q "^\.BR $f ()" "$here/man/libmntcr.3" || echo "$f: no word"
	done)
check "libmntcr.3 has each function of the headers" 0 "" \
	sh -c '[ -z "$0" ] || { echo "$0" >&2; exit 1; }' "$undocumented"
# and every one in the library is in a header
hidden=$(nm -g --defined-only "$O/libmntcr.a" 2>/dev/null |
	sed -n 's/.* T \(mntcr_[a-z_]*\)$/\1/p' | while read -r f; do
		cat "$here"/include/*.h | grep -q "$f(" || echo "$f"
	done)
check "each function of the library is in a header" 0 "" \
	sh -c '[ -z "$0" ] || { echo "$0" >&2; exit 1; }' "$hidden"

# too few descriptors, too little memory
check "dump: too few descriptors" 1 "Too many open files" \
	sh -c 'ulimit -n 4; exec "$0" dump "$1"' "$MNTCR" $holder
if [ "$VARIANT" = asan ]; then
	skip "show: too little memory" "ASan reserves address space"
else
	awk 'BEGIN {
		print "{\"format\":\"mntcr-image\",\"version\":1,\"user_namespaces\":[],"
		print "\"namespaces\":[{\"label\":\"x\"}],\"groups\":[],\"idmaps\":[],"
		print "\"superblocks\":[{\"device\":\"0:1\",\"type\":\"t\",\"options\":\"\"}],\"mounts\":["
		for (i = 1; i < 200000; i++)
			printf "%s{\"id\":%d,\"namespace\":0,\"superblock\":0,\"root\":\"/\",\"mountpoint\":\"/%s\"%s}\n",
				(i > 1 ? "," : ""), i, (i > 1 ? i : ""), \
				(i > 1 ? ",\"parent\":1" : "")
		print "]}"
	}' >"$tmp/big"
	check "show: enough memory" 0 "199999 mounts" "$MNTCR" show "$tmp/big"
	check "show: too little memory" 1 "out of memory" \
		sh -c 'ulimit -v 100000; exec "$0" show "$1"' "$MNTCR" "$tmp/big"
fi

finished
