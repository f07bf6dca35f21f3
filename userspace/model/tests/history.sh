#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The mount checkpoint/restore authors
#
# usage: history.sh HISTORY HISTORY-MUTANTS
# Tests of the program, as TAP: what it prints of a failure fails in the same way when
# it is replayed; it leaves nothing behind; what says nothing is no success.
set -eu
export LC_ALL=C

history=$1 mutants=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
n=0 bad=0

result() {	# NAME RC
	n=$((n + 1))
	if [ "$2" = 0 ]; then
		echo "ok $n history_$1"
	else
		bad=1
		echo "not ok $n history_$1"
		sed 's/^/# /' "$work/out"
	fi
}

# Says WORDS and fails.
refused() {	# NAME WORDS ARGUMENT...
	name=$1 words=$2
	shift 2
	"$history" "$@" >"$work/out" 2>&1 && rc=1 || rc=0
	grep -qF -e "$words" "$work/out" || rc=1
	result "$name" "$rc"
}

printf 'TAP version 13\n'
refused no_steps "0: no number" --steps 0
refused steps_no_number "foo: no number" --steps foo
refused steps_and_more "10x: no number" --steps 10x
refused no_seed "usage:" SEED=4294967296
refused no_such_option "usage:" --rules 20
refused no_file "$work/none: No such file" --replay "$work/none"
: >"$work/empty"
refused no_operation "no operation" --replay "$work/empty"
"$mutants" --rules twenty >"$work/out" 2>&1 && rc=1 || rc=0
result rules_no_number "$rc"

if ! unshare -m true 2>/dev/null || [ "$(id -u)" != 0 ]; then
	n=$((n + 1))
	echo "ok $n history_replay # SKIP takes root"
	echo "1..$n"
	exit $bad
fi

# What begins with a number, after LINE.
operations() {	# LINE
	awk -v l="$1" '$0 == l { on = 1; next } /^[^0-9]/ { on = 0 } on' "$work/failed"
}

# What differs, of whichever mount, wherever, at whichever step.
what() {	# FILE
	sed -n 's/.*step [0-9]*: //p' "$1" | head -n 1 | sed 's/ m[0-9][0-9.]*//; s, /.*,,'
}

# On older kernels an unbindable mount is not so in a copy of its namespace.
broken="--no-log --never unbindable --broken slave-sends"
rc=0
ls -A /tmp >"$work/before"
"$mutants" $broken --steps 4000 SEED=1 >"$work/failed" 2>&1 && rc=1
cp "$work/failed" "$work/out"
result broken "$rc"

again() {	# NAME LINE
	rc=0
	operations "$2" >"$work/ops"
	"$mutants" $broken --replay "$work/ops" >"$work/out" 2>&1 && rc=1
	[ -s "$work/ops" ] || rc=1
	grep -q '^not ok 1 ' "$work/out" || rc=1
	[ "$(what "$work/out")" = "$(what "$work/failed")" ] || rc=1
	result "$1" "$rc"
}
again replay_shortest "# the history, for --replay:"
again replay_all "# as it was made up, for --replay:"

# Without the rule broken it passes.
rc=0
operations "# the history, for --replay:" >"$work/ops"
"$history" --no-log --replay "$work/ops" >"$work/out" 2>&1 || rc=1
result replay_whole_model "$rc"

# The command that is printed leads to the same history.
rc=0
set -- $(sed -n 's/^# again: history//p' "$work/failed")
"$mutants" --no-log "$@" >"$work/out" 2>&1 && rc=1
[ "$(what "$work/out")" = "$(what "$work/failed")" ] || rc=1
result again "$rc"

echo "7 umount m5" >"$work/skipped"
rc=0
"$history" --no-log --replay "$work/skipped" >"$work/out" 2>&1 && rc=1
grep -q 'none of them could be done' "$work/out" || rc=1
result all_skipped "$rc"
echo "5 mount fs0 / m0.1 /a" >>"$work/skipped"
rc=0
"$history" --no-log --replay "$work/skipped" >"$work/out" 2>&1 && rc=1
grep -q 'some of them could not be done' "$work/out" || rc=1
result some_skipped "$rc"
rc=0
"$history" --no-log SHARD=150/200 --steps 2000 >"$work/out" 2>&1 && rc=1
grep -q 'nothing was done' "$work/out" || rc=1
result empty_shard "$rc"

rc=0
for f in /tmp/history.*; do
	[ ! -e "$f" ] || grep -qx "${f#/tmp/}" "$work/before" || rc=1
done
result nothing_left "$rc"

echo "1..$n"
exit $bad
