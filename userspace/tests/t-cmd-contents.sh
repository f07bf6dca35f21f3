#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The mount checkpoint/restore authors
#
# mntcr dump and verify with what is in files, of a container that is its pid namespace,
# and what they say of arguments that make no sense.

# in a mount namespace of its own: nothing that is mounted here is seen elsewhere
if [ "$(id -u)" != 0 ]; then
	echo "1..0 # SKIP needs root"
	exit 4
fi
[ -n "${APART:-}" ] || exec env APART=1 unshare --mount --propagation private sh "$0"

. "$(dirname "$0")/cli.sh"

mkdir "$tmp/ct" "$tmp/dir"
# init of its pid namespace: ends with unshare
unshare --pid --fork --kill-child unshare --mount --propagation private sh -c "
	mount -t tmpfs -o size=1m,mode=755 files '$tmp/ct' && echo seven >'$tmp/ct/file' &&
	mkdir '$tmp/ct/sub' && ln -s file '$tmp/ct/link' && : >'$tmp/dir/ready' &&
	exec sleep 600" >"$tmp/holder" 2>&1 </dev/null &
holder=$!
for _ in $(seq 200); do
	[ ! -e "$tmp/dir/ready" ] || break
	sleep 0.05
done
init=$(cat "/proc/$holder/task/$holder/children" 2>/dev/null)
init=${init%% *}
[ -n "$init" ] || init=$(ps -o pid= --ppid $holder)
init=$(echo $init)

# --- dumped -----------------------------------------------------------------------
check "a container with contents" 0 "" \
	"$MNTCR" dump --container "$init" --contents -o "$tmp/img"
check "an archive" 0 "mntcr-image.json" tar -tf "$tmp/img"
check "with its files" 0 "/file$" tar -tf "$tmp/img"
check "the same to standard output" 0 "" \
	sh -c '"$1" dump --container "$2" --contents >"$3"' sh "$MNTCR" "$init" "$tmp/img2"
check "is the same" 0 "" "$MNTCR" verify --contents "$tmp/img" "$tmp/img2"
check "without those of one of them" 0 "" "$MNTCR" dump --container "$init" --contents \
	--exclude-contents "$tmp/ct" -o "$tmp/less"
check "what is left out is not compared" 0 "" "$MNTCR" verify --contents "$tmp/img" "$tmp/less"
check "of a namespace alone, without" 0 "" "$MNTCR" dump -o "$tmp/none" "$init"
check "whose superblocks are" 0 "" "$MNTCR" dump --container "$init" \
	--own "$tmp/ct" --not-own / -o "$tmp/own"

# --- compared ---------------------------------------------------------------------
check "an image against what is live" 0 "" \
	"$MNTCR" verify --contents "$tmp/img" "$init"
check "the other way round" 0 "" "$MNTCR" verify --contents "$init" "$tmp/img"
says()
{
	want=$1
	shift
	"$MNTCR" verify "$@" >"$tmp/said" 2>&1
	rc=$?
	grep -qx "$want" "$tmp/said" || cat "$tmp/said" >&2
	grep -qx "$want" "$tmp/said" || return 99
	return $rc
}
check "nobody has to ask for it" 0 "" says "contents compared" "$tmp/img" "$init"
check "as JSON" 0 '"contents": "compared"' "$MNTCR" verify --json "$init" "$tmp/img"
check "two images" 0 "" says "contents compared" "$tmp/img" "$tmp/img2"
check "one of them without" 0 "" \
	says "mntcr: verify: contents are not compared: the second has none" "$tmp/img" "$tmp/none"
check "as JSON" 0 '"contents": "lacking"' "$MNTCR" verify --json "$tmp/none" "$tmp/img"
says_nothing()
{
	"$MNTCR" verify "$@" >"$tmp/said" 2>&1 && wc -c <"$tmp/said"
}
check "what has none says nothing" 0 "^0$" says_nothing "$tmp/none" "$init"
check "nor do live ones" 0 "^0$" says_nothing "$init" "$init"
check "asked for and ignored" 2 "exclude one another" \
	"$MNTCR" verify --contents --ignore contents "$tmp/img" "$init"
check "as JSON" 0 '"differences": 0,' "$MNTCR" verify --json --contents "$tmp/img" "$init"
nsenter -t "$init" -m sh -c "echo eight >'$tmp/ct/file'"
check "a file that is another" 3 "" "$MNTCR" verify --contents "$tmp/img" "$init"
check "without being asked for" 3 "" says "contents compared" "$tmp/img" "$init"
check "nor when quiet" 3 "" "$MNTCR" verify -q "$init" "$tmp/img"
check "ignored" 0 "" says "contents not compared" --ignore contents "$tmp/img" "$init"
check "as JSON" 0 '"contents": "ignored"' "$MNTCR" verify --json --ignore owner,contents \
	"$init" "$tmp/img"
check "no room for them" 1 "unless --ignore contents is given$" env TMPDIR="$tmp/nowhere" \
	"$MNTCR" verify "$tmp/img" "$init"
# what cannot be cloned cannot be read: that it differs is known all the same
nsenter -m -t "$init" mount --make-unbindable "$tmp/ct"
check "what has become unbindable" 3 "" says ".*/ct: unbindable: 'no' against 'yes'" \
	"$tmp/img" "$init"
check "and what is not compared then" 3 "" says \
	"mntcr: verify: contents are not compared: .* this one is unbindable" "$tmp/img" "$init"
check "as JSON" 3 "" sh -c '"$1" verify --json "$2" "$3" >"$4" 2>/dev/null
	grep -q "\"contents\": \"refused\"" "$4" && exit 3' \
	sh "$MNTCR" "$tmp/img" "$init" "$tmp/said"
check "where nothing else differs that is refused" 4 "contents-out-of-reach" \
	"$MNTCR" verify --contents "$init" "$init"
nsenter -m -t "$init" mount --make-private "$tmp/ct"
check "and says which" 3 "" sh -c '"$1" verify --contents "$2" "$3" | grep /file >&2; exit 3' \
	sh "$MNTCR" "$tmp/img" "$init"
check "an image without contents" 2 "the second has none" \
	"$MNTCR" verify --contents "$tmp/img" "$tmp/none"
check "or the first" 2 "the first has none" \
	"$MNTCR" verify --contents "$tmp/none" "$tmp/img"
check "no room for a temporary file" 1 "temporary file" env TMPDIR="$tmp/nowhere" \
	"$MNTCR" verify --contents "$tmp/img" "$init"
mkdir "$tmp/full"
mount -t tmpfs -o size=16k full "$tmp/full"
check "and which one is full" 1 "^mntcr: verify: a temporary file in $tmp/full (TMPDIR may" \
	env TMPDIR="$tmp/full" "$MNTCR" verify --contents "$tmp/img" "$init"
check "of one for a pipe, too" 1 "standard input: into a temporary file in $tmp/full (TMPDIR may" \
	env TMPDIR="$tmp/full" sh -c 'cat "$2" /dev/zero 2>/dev/null | "$1" show -' sh "$MNTCR" "$tmp/img"
umount "$tmp/full"
# more directories in one another than it may open
nsenter -t "$init" -m sh -c "cd '$tmp/ct' && for i in \$(seq 60); do mkdir d && cd d; done"
check "what a check is of is no file" 1 "^mntcr: dump: contents of tmpfs" sh -c \
	'ulimit -n 40; exec "$@"' sh "$MNTCR" dump --check --container "$init" --contents
nsenter -t "$init" -m rm -r "$tmp/ct/d"
mkdir "$tmp/spool"
# ended half way
check "nothing is left of it" 1 "$tmp/spool.*: File too large\$" env TMPDIR="$tmp/spool" sh -c \
	'ulimit -c 0; ulimit -f 2; exec "$@"' sh "$MNTCR" verify --contents "$tmp/img" "$init"
check "where it was" 0 "^0$" sh -c 'ls -A "$1" | wc -l' sh "$tmp/spool"
# as much as does not go into that file
nsenter -t "$init" -m sh -c "head -c 700000 /dev/zero | tr '\\0' x >'$tmp/ct/much'"
few()
{
	TMPDIR=$tmp/spool sh -c 'ulimit -c 0; ulimit -f 1000; exec "$@"' sh "$MNTCR" \
		verify --contents "$@"
}
check "what both have is read" 1 ": File too large\$" few "$tmp/img" "$init"
check "what the image has not is not" 0 "" few "$tmp/less" "$init"
check "the other way round" 0 "" few "$init" "$tmp/less"
nsenter -t "$init" -m rm "$tmp/ct/much"
check "events of a namespace and itself" 2 "are one namespace" "$MNTCR" verify --events \
	"$init" "$init"
check "a delayed one that is not there" 2 "no mount has the id 1$" "$MNTCR" verify --order \
	--delayed 1 "$tmp/img" "$tmp/img"

# --- archives with more than the image names -----------------------------------------
# more MEMBER: the same archive, and in it this file, too
more()
{
	rm -rf "$tmp/x"
	mkdir "$tmp/x"
	tar -C "$tmp/x" -xf "$tmp/img2" 2>/dev/null && mkdir -p "$tmp/x/$(dirname "$1")" &&
		: >"$tmp/x/$1" &&
		{ tar -tf "$tmp/img2" 2>/dev/null | grep -v -x mntcr-image.end
		  echo "$1"; echo mntcr-image.end; } >"$tmp/members" &&
		tar -C "$tmp/x" --format=pax --no-recursion -cf "$tmp/more" -T "$tmp/members"
}
dev=$(tar -tf "$tmp/img2" 2>/dev/null | sed -n 's,^contents/\([^/]*\)/.*,\1,p' | tail -n 1)
more "contents/$dev/zz"
check "a file more of a superblock" 0 "" "$MNTCR" show "$tmp/more"
more "contents/4095:1/x"
check "of a superblock that is not in the image" 5 "$tmp/more: it has contents of 4095:1, and no superblock" \
	"$MNTCR" show "$tmp/more"
check "and nothing is restored of it" 5 "it has contents of 4095:1" \
	"$MNTCR" restore --discard "$tmp/more"
more "unlinked/$dev/7"
check "an unlinked root that no mount has" 5 "$tmp/more: member unlinked/$dev/7: is no unlinked root of" \
	"$MNTCR" show "$tmp/more"
cp "$tmp/img2" "$tmp/img3"
nsenter -t "$init" -m mount --bind "$tmp/ct/sub" "$tmp/dir"
nsenter -t "$init" -m umount "$tmp/ct"
check "a directory of one alone" 0 "" "$MNTCR" dump --container "$init" --contents -o "$tmp/img2"
more "contents/$dev/file"
check "a file where no mount shows it" 5 "$tmp/more: member contents/$dev/file: is of what no mount" \
	"$MNTCR" show "$tmp/more"
mv "$tmp/img3" "$tmp/img2"

# --- arguments --------------------------------------------------------------------
check "a container that is no number" 2 "is not a process id" "$MNTCR" dump --container x
check "contents to be left out without any" 2 "without --contents" \
	"$MNTCR" dump --exclude-contents /x "$init"
check "events and contents" 2 "exclude one another" \
	"$MNTCR" verify --events --contents "$init" "$init"
check "events and cgroups" 2 "exclude one another" \
	"$MNTCR" verify --events --map-cgroup /a=/b "$init" "$init"
check "a delayed one that is no number" 2 "is not a number" \
	"$MNTCR" verify --delayed x "$tmp/img" "$tmp/img"
check "a method that there is not" 2 "is not known" \
	"$MNTCR" verify --method x "$tmp/img" "$tmp/img"
check "the methods that there are" 0 "" "$MNTCR" verify --method auto "$init" "$init"
check "cgroups that are no pair" 2 "" "$MNTCR" verify --map-cgroup x "$tmp/img" "$tmp/img"
check "an image that is not there" 1 "nowhere" \
	"$MNTCR" verify --contents "$tmp/nowhere" "$tmp/img"

finished
