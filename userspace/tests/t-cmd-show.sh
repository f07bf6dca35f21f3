#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The mount checkpoint/restore authors
#
# mntcr show of topologies that are written as lines, and what Graphviz makes of
# its graphs.

. "$(dirname "$0")/cli.sh"

line='[m m@1 s/a [m/b/a]] p u : 2>0 3^2 4>3'

# --- as a tree --------------------------------------------------------------
check "a line as trees" 0 "" "$MNTCR" show --topology "$line"
cat >"$tmp/want" <<END
namespace 0: line 1 @0, 6 mounts
/  root tmpfs private rw
|-/h0  tree tmpfs shared:1 rw
| \`-/h0/h2  tree[/a] tmpfs master:1 rw
|   \`-/h0/h2 (over it)  tree[/b/a] tmpfs shared:2,master:1 rw
|     \`-/h0/h2/h4  tree tmpfs private rw
\`-/h5  tree tmpfs unbindable rw

namespace 1: line 1 @1, 2 mounts
/  root tmpfs private rw
\`-/h1  tree tmpfs shared:1 rw
END
cp "$tmp/out" "$tmp/tree"
is "the trees are those of the line" "$tmp/want" "$tmp/tree"
check "-t is short for it" 0 "shared:1" "$MNTCR" show -t p -t '[m]'

# --- as an image ------------------------------------------------------------
check "a line as an image" 0 '"format": "mntcr-image"' \
	"$MNTCR" show --json -t "$line"
cp "$tmp/out" "$tmp/img"
check "show draws that image" 0 "" "$MNTCR" show "$tmp/img"
cp "$tmp/out" "$tmp/again"
is "as it draws the line" "$tmp/tree" "$tmp/again"
check "and prints it again" 0 "" "$MNTCR" show --json "$tmp/img"
cp "$tmp/out" "$tmp/img2"
is "to the byte" "$tmp/img" "$tmp/img2"
"$MNTCR" show --json -t '[m m@1 s/a [m/b/a]] p p : 2>0 3^2 4>3' >"$tmp/other"
check "verify: the same line is the same" 0 "" \
	"$MNTCR" verify --devices --order "$tmp/img" "$tmp/img2"
check "verify: another line is not" 3 "" "$MNTCR" verify "$tmp/img" "$tmp/other"
for api in extended upstream; do
	check "plan: $api" 0 "" "$MNTCR" plan --api $api "$tmp/img"
	[ "$api" = extended ] || continue
	cp "$tmp/out" "$tmp/plan"
	check "plan: the groups of the line" 0 "^3$" \
		sh -c 'grep -c group "$0"' "$tmp/plan"
done

# --- several, and from standard input ---------------------------------------
printf '%s\n' '# two' '[m s]' '' '   ' 'p@2' >"$tmp/lines"
check "one a line on standard input" 0 "^namespace 3: line 5 @2, 2 mounts" \
	sh -c '"$0" show -t - <"$1"' "$MNTCR" "$tmp/lines"
check "the last line may lack its end" 0 "line 2 @0" \
	sh -c 'printf "p\np" | "$0" show -t -' "$MNTCR"
check "several options" 0 "^namespace 2: line 2 @1, 2 mounts" \
	"$MNTCR" show -t '[m m]' -t '[m@1 m]'
check "lines have their own groups" 0 "shared:2" \
	"$MNTCR" show -t '[m m]' -t '[m m]'
"$MNTCR" show -J -t '[m m]' -t '[m m]' >"$tmp/img"
check "and their own superblock, which verify takes" 0 "" \
	"$MNTCR" verify "$tmp/img" "$tmp/img"

# --- as the sweeps print them -----------------------------------------------
check "a hash at the end" 0 "" "$MNTCR" show --topology "$line HASH=0x1c2d"
cp "$tmp/out" "$tmp/hashed"
is "is left out" "$tmp/tree" "$tmp/hashed"
check "also without a layout, and of several" 0 "^namespace 1: line 2 @0" sh -c \
	'printf "%s\n" "[m m s] HASH=0xffffffffffffffff" "p HASH=0x0 " | "$0" show -t -' \
	"$MNTCR"

# --- what is wrong, and where -----------------------------------------------
wrong()	# LINE PATTERN
{
	check "wrong: $1" 2 "mntcr: show: $2" "$MNTCR" show --topology "$1"
}
wrong '' 'no topology'
wrong '# p' 'no topology'
wrong ':' 'line 1, column 1: ":": no mount'
wrong 'p q' 'line 1, column 3: "q": expected one of p u m s'
wrong '[m' 'line 1, column 3: "": a bracket is not closed'
wrong 'p ]' 'line 1, column 3: "]": no bracket is open'
wrong '[s]' 'line 1, column 3: "]": a peer group without a member'
wrong 'p m' 'line 1, column 3: "m": a member or slave outside of brackets'
wrong 's' 'line 1, column 1: "s": a member or slave outside of brackets'
wrong '[m u]' 'line 1, column 4: "u]": a private or unbindable mount within'
wrong 'p p/c' 'line 1, column 3: "p/c": after p u m s only'
wrong 'p/a/b/a' 'line 1, column 1: .*twice at most'
wrong 'p@6' 'line 1, column 1: .*@0 to @5'
wrong 'pp' 'line 1, column 1: "pp": after p'
wrong 'p	p' 'line 1, column 1: "p\\011p"'
wrong 'p p : 1>0 0>0' 'line 1, column 11: "0>0": expected N>M'
wrong 'p HASH=0x' 'line 1, column 3: "HASH=0x": expected one of'
wrong 'p HASH=12' 'line 1, column 3: "HASH=12": expected one of'
wrong 'p p : 1>0 HASH=0x1g' 'line 1, column 11: "HASH=0x1g": expected N>M'
wrong 'HASH=0x1' 'line 1, column 1: "HASH=0x1": expected one of'
wrong ' HASH=0x1' 'line 1, column 1: "": no mount'
wrong 'p p : 1>7' 'line 1, column 7: "1>7": expected N>M'
wrong 'p p p : 1^0  2^0 ' 'line 1, column 14: "2^0 ": expected N>M'
wrong 'p p p : 2^0 1^0' 'line 1, column 13: "1^0": expected N>M'
wrong 'p p : 1>0 : 1>0' 'line 1, column 11: ": 1>0": expected N>M'
wrong 'p/a p : 1>0/b' 'line 1, column 9: "1>0/b": expected N>M'
wrong 'p p : 1>0/a 0>1' 'line 1, column 13: "0>1": expected N>M'
wrong 'p p@1 : 1>0' 'line 1, column 9: "1>0": .*of its namespace'
check "wrong: the second line" 2 'line 2, column 2: "": a bracket' \
	"$MNTCR" show -t p -t '['
check "wrong: a line feed does not hide the rest" 2 'line 2, column 1: "q"' \
	"$MNTCR" show -t 'p
q'

check "a directory and a lock" 0 '  |-/h0/a  tree tmpfs private rw locked:mount$' \
	"$MNTCR" show -t 'p p p : 1>0/a! 2>0'
check "a lock alone" 0 '/h1  tree tmpfs private rw locked:mount$' \
	"$MNTCR" show -t 'p p : 1!'
check "in a later mount" 0 '  `-/h1/h0  tree tmpfs private rw$' \
	"$MNTCR" show -t 'p p : 0>1'

# --- bounds -----------------------------------------------------------------
repeat()	# NUMBER TEXT
{
	awk -v n="$1" -v s="$2" 'BEGIN { while (n--) printf "%s", s }'
}
check "24 mounts" 0 "25 mounts" "$MNTCR" show -t "$(repeat 24 'p ')"
wrong "$(repeat 25 'p ')" 'line 1, column 49: "p ": more than 24 mounts'
check "24 peer groups, each below the one before" 0 "shared:24,master:23" \
	"$MNTCR" show -t "$(repeat 24 '[m ')$(repeat 24 ']')"
wrong "$(repeat 25 '[')" 'line 1, column 25: "\[": more than 24 peer groups'
check "1023 bytes" 0 "h0" "$MNTCR" show -t "p$(repeat 1022 ' ')"
wrong "p$(repeat 1023 ' ')" 'line 1: longer than 1023 bytes'
check "a text without end" 2 "more than 262144 bytes" \
	sh -c 'yes p | "$0" show -t -' "$MNTCR"
check "a NUL byte" 2 "a NUL byte" \
	sh -c 'printf "p\0p\n" | "$0" show -t -' "$MNTCR"
check "standard input is a directory" 1 "standard input: Is a directory" \
	sh -c '"$0" show -t - </' "$MNTCR"
check "standard input is empty" 2 "no topology" "$MNTCR" show -t -
check "nothing else with a line" 2 "nothing else with --topology" \
	"$MNTCR" show -t p "$tmp/img"

# each beginning of a line is drawn or refused
i=0
rest=
while [ $i -le ${#line} ]; do
	start=$(printf %.${i}s "$line")
	"$MNTCR" show -t "$start" >"$tmp/out" 2>"$tmp/err"
	case $? in
	0 | 2) ;;
	*)
		rest=$start
		break ;;
	esac
	i=$((i + 1))
done
if [ -z "$rest" ] && [ $i -gt 30 ]; then
	ok "any beginning of a line"
else
	fail "any beginning of a line" "$rest"
fi

# --- parts ------------------------------------------------------------------
parts='[m m@1 [m@1 m@2 s@2]] [m [m/b/a] [m/a [m/a/b]] m/b] : 5>0'
"$MNTCR" show -J -t "$parts" >"$tmp/img"
shows()	# NAME OPTION...; the trees are on standard input
{
	what=$1
	shift
	cat >"$tmp/want"
	check "$what" 0 "" "$MNTCR" show "$@" "$tmp/img"
	cp "$tmp/out" "$tmp/part"
	is "$what: that, and nothing else" "$tmp/want" "$tmp/part"
}
shows "a namespace, by its number, which it keeps" -N 2 <<END
namespace 2: line 1 @2, 3 mounts
/  root tmpfs private rw
|-/h3  tree tmpfs shared:2,master:1(external) rw
\`-/h4  tree tmpfs master:2 rw
END
cp "$tmp/part" "$tmp/two"
shows "by its label, and twice" -N "line 1 @2" --namespace 2 <"$tmp/two"
shows "a peer group, its slaves and its master" --group 2 <<END
namespace 0: line 1 @0, 2 mounts
/  ...
\`-/h0  tree tmpfs shared:1 rw

namespace 1: line 1 @1, 3 mounts
/  ...
|-/h1  tree tmpfs shared:1 rw
\`-/h2  tree tmpfs shared:2,master:1 rw

namespace 2: line 1 @2, 3 mounts
/  ...
|-/h3  tree tmpfs shared:2,master:1 rw
\`-/h4  tree tmpfs master:2 rw
END
shows "of that what is in one namespace" --group 2 -N 0 <<END
namespace 0: line 1 @0, 2 mounts
/  ...
\`-/h0  tree tmpfs shared:1 rw
END
shows "slaves of a slave group, not their master's others" --reaches "line 1 @1:/h2" <<END
namespace 1: line 1 @1, 2 mounts
/  ...
\`-/h2  tree tmpfs shared:2,master:1(external) rw

namespace 2: line 1 @2, 3 mounts
/  ...
|-/h3  tree tmpfs shared:2,master:1(external) rw
\`-/h4  tree tmpfs master:2 rw
END
shows "what an event reaches, not where there is nothing of it" --reaches /h9 <<END
namespace 0: line 1 @0, 5 mounts
/  ...
|-/h0  ...
| \`-/h0/h5  tree tmpfs shared:3 rw
|-/h6  tree[/b/a] tmpfs shared:4,master:3 rw
\`-/h9  tree[/b] tmpfs shared:3 rw
END
id=$(sed -n 's/.*{"id": \([0-9]*\),.*"mountpoint": "\/h9".*/\1/p' "$tmp/img")
cp "$tmp/part" "$tmp/nine"
shows "the mount by its id" --reaches "$id" <"$tmp/nine"
shows "what reaches nothing is there itself" -N 2 --reaches /h4 <<END
namespace 2: line 1 @2, 2 mounts
/  ...
\`-/h4  tree tmpfs master:2(external) rw
END
shows "several" --reaches /h7 --reaches 2:/h4 --group 4 <<END
namespace 0: line 1 @0, 7 mounts
/  ...
|-/h0  ...
| \`-/h0/h5  tree tmpfs shared:3 rw
|-/h6  tree[/b/a] tmpfs shared:4,master:3 rw
|-/h7  tree[/a] tmpfs shared:5,master:3 rw
|-/h8  tree[/a/b] tmpfs shared:6,master:5 rw
\`-/h9  tree[/b] tmpfs shared:3 rw

namespace 2: line 1 @2, 2 mounts
/  ...
\`-/h4  tree tmpfs master:2(external) rw
END
check "a part as an image" 0 '"format": "mntcr-image"' \
	"$MNTCR" show --json --reaches /h9 "$tmp/img"
cp "$tmp/out" "$tmp/img2"
check "which is drawn" 0 "^namespace 0: line 1 @0, 5 mounts" "$MNTCR" show "$tmp/img2"
check "and planned" 0 "" "$MNTCR" plan "$tmp/img2"
check "a part as a graph" 0 'label="/h0.*color=gray' \
	"$MNTCR" show --dot --reaches /h9 "$tmp/img"
check "without groups that are of the way only" 1 "" grep -q 'peer group 1"' "$tmp/out"
check "of a line" 0 "1 @1, 3 mounts" "$MNTCR" show -N 1 -t "$parts"
sed 's/line 1 @1/2/' "$tmp/img" >"$tmp/img2"
check "wrong: two namespaces may be meant" 2 "2 may be one namespace or another" \
	"$MNTCR" show -N 2 "$tmp/img2"
for wrong in '-N 3;3 names no namespace' '-N mnt:[0;mnt:\[0 names no' \
	'--group 7;no peer group 7' '--group 0;no peer group 0' \
	'--group x;x: not the number' '--reaches /h;/h names no mount' \
	'--reaches 99;99 names no mount' '--reaches 3:/;3 names no namespace' \
	'--reaches h9;h9 names no mount' \
	'-N 2 --group 3;nothing of that is in the namespaces'; do
	# shellcheck disable=SC2086 # words
	check "wrong: ${wrong%;*}" 2 "${wrong#*;}" \
		"$MNTCR" show ${wrong%;*} "$tmp/img"
done
cat >"$tmp/layers" <<'END'
{"format": "mntcr-image", "version": 4, "user_namespaces": [], "idmaps": [], "groups": [],
"namespaces": [{"label": "a"}, {"label": "b"}],
"superblocks": [{"device": "0:29", "type": "tmpfs", "options": ""},
{"device": "0:30", "type": "tmpfs", "options": ""},
{"device": "0:31", "type": "overlay", "options": "lowerdir=/l:/m",
 "layers": [{"superblock": 0, "path": "/l"}, {"superblock": 1, "path": "/m"}]}],
"mounts": [
{"id": 1, "namespace": 0, "superblock": 0, "root": "/", "mountpoint": "/"},
{"id": 2, "namespace": 1, "superblock": 1, "root": "/", "mountpoint": "/"},
{"id": 3, "namespace": 1, "parent": 2, "superblock": 2, "root": "/", "mountpoint": "/o"}]}
END
check "layers of an overlay, of what is left only" 0 \
	'"layers": \[{}, {"superblock": 0, "path": "/m"}\]' "$MNTCR" show -J -N b "$tmp/layers"

# --- graphs -----------------------------------------------------------------
check "a line as a graph" 0 "^digraph" "$MNTCR" show --dot -t "$line"
cp "$tmp/out" "$tmp/dot"
count()	# NAME NUMBER PATTERN
{
	check "$1" 0 "^$2$" sh -c 'grep -c -e "$0" "$1"' "$3" "$tmp/dot"
}
count "a cluster for each namespace" 2 'subgraph cluster_'
count "a node for each peer group" 2 'g[0-9]* \[shape=ellipse'
count "a line for each member" 3 'g[0-9]* -> m[0-9]* \[dir=both'
count "a dashed arrow for each slave" 2 'g0 -> [gm][0-9]* \[style=dashed'
count "what lies over its parent" 1 'label="(over it)'

cat >"$tmp/odd" <<'END'
{"format": "mntcr-image", "version": 1, "user_namespaces": [], "idmaps": [],
"groups": [{"id": 7}],
"namespaces": [{"label": "a \"b\" \\N &lt; \n", "hidden": 0}],
"superblocks": [{"device": "0:1", "type": "ext4", "options": "", "flags": ["ro"]}],
"mounts": [
{"id": 1, "namespace": 0, "superblock": 0, "root": "/", "mountpoint": "/", "master": 7},
{"id": 2, "namespace": 0, "parent": 1, "superblock": 0, "root": "/&amp;<b>", "mountpoint": "/\"];\\", "attributes": ["ro"]},
{"id": 3, "namespace": 0, "parent": 1, "superblock": 0, "root": "/é", "mountpoint": {"hex": "2fff0a"}}]}
END
check "odd names as a tree" 0 '/\\377\\012' "$MNTCR" show "$tmp/odd"
check "a superblock is read-only, its mount is not" 0 " rw superblock:ro$" \
	"$MNTCR" show "$tmp/odd"
check "odd names as a graph" 0 "^digraph" "$MNTCR" show --dot "$tmp/odd"
cp "$tmp/out" "$tmp/dot.odd"
check "their labels are escaped" 0 "" grep -F \
	'[label="/\"];\\134\next4 0:1 /&amp;amp;<b>"]' "$tmp/dot.odd"
if ! command -v dot >/dev/null; then
	skip "Graphviz takes a graph" "no dot"
	skip "Graphviz takes odd names" "no dot"
	skip "Graphviz shows them as they are" "no dot"
else
	check "Graphviz takes a graph" 0 "</svg>" dot -Tsvg "$tmp/dot"
	check "Graphviz takes odd names" 0 "</svg>" dot -Tsvg "$tmp/dot.odd"
	sed -n 's/^<text[^>]*>\(.*\)<\/text>/\1/p' "$tmp/out" |
		sed 's/&#45;/-/g; s/&#160;/ /g; s/&quot;/"/g; s/&lt;/</g
			s/&gt;/>/g; s/&amp;/\&/g' | sort >"$tmp/got"
	LC_ALL=C sort -o "$tmp/got" "$tmp/got"
	LC_ALL=C sort >"$tmp/want" <<'END'
namespace 0: a "b" \134N &lt; \012
/
ext4 0:1 /
/"];\134
ext4 0:1 /&amp;<b>
/\377\012
ext4 0:1 /é
peer group 7
(external)
END
	is "Graphviz shows them as they are" "$tmp/want" "$tmp/got"
fi

finished
