#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The mount checkpoint/restore authors
#
# Run the native tests of every variant as one flat TAP stream.  Called by
# make check with O, TESTS, SCRIPTS, VALGRIND, FUZZ and CLANG set.
#
# A program counts as failed unless its plan, its lines and its exit code agree.

set -u
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
limit=${CHECK_TIMEOUT:-900}

# one PREFIX COMMAND...: lines "ok NAME", "not ok NAME", "# ..." without numbers
one()
{
	prefix=$1
	shift
	echo "running $prefix" >&2
	timeout -k 5 "$limit" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
	rc=$?
	awk -v p="$prefix" -v rc="$rc" '
		/^(not )?ok [0-9]+/ {
			bad = /^not/
			line = $0
			sub(/^(not )?ok [0-9]+ *(- )?/, "", line)
			print (bad ? "not ok " : "ok ") p ": " line
			n++; fails += bad
			next
		}
		/^1\.\.[0-9]+/ { plan = substr($0, 4) + 0; planned = 1; next }
		/^KTAP|^TAP/ { next }
		{ sub(/^# */, ""); print "# " p ": " $0 }
		END {
			why = ""
			if (!planned)
				why = "no plan"
			else if (plan != n)
				why = "planned " plan ", ran " n
			if (rc == 124 || rc == 137)
				why = "timed out"
			else if (rc != 0 && rc != 4 && !fails)
				why = "exit code " rc
			else if ((rc == 0 || rc == 4) && fails)
				why = "failures, yet exit code " rc
			if (why != "")
				print "not ok " p ": program: " why
		}' "$tmp/out"
	if [ $rc -ne 0 ] && [ $rc -ne 4 ]; then
		head -n 200 "$tmp/err" | sed "s|^|# $prefix: |"
	fi
}

skip()
{
	echo "ok $1 # SKIP $2"
}

all()
{
	for v in . asan clang; do
		case $v in
		.) name=gcc ;;
		*) name=$v ;;
		esac
		# the figures that count are those of the first
		[ $v = . ] || export SCALE=4000
		if [ $v = clang ] && [ -z "$CLANG" ]; then
			skip clang "no clang"
			continue
		fi
		for t in $TESTS; do
			one "$name/$t" "$O/$v/tests/$t"
		done
		for t in $SCRIPTS; do
			[ $v = clang ] && continue
			one "$name/$t" env MNTCR="$O/$v/mntcr" VARIANT=$name \
				O="$O" sh "tests/$t.sh"
		done
	done
	for t in $VALGRIND; do
		if ! command -v valgrind >/dev/null; then
			skip "valgrind/$t" "no valgrind"
			continue
		fi
		one "valgrind/$t" env UNDER_VALGRIND=1 valgrind -q \
			--error-exitcode=99 --leak-check=full \
			--errors-for-leak-kinds=definite --child-silent-after-fork=yes \
			"$O/tests/$t"
	done
	for t in $FUZZ; do
		if [ -z "$CLANG" ]; then
			skip "fuzz/$t" "no clang"
			continue
		fi
		mkdir -p "$O/fuzz/corpus/$t"
		if timeout -k 5 "$limit" "$O/fuzz/$t" -max_total_time="${FUZZ_TIME:-10}" \
			-rss_limit_mb=2048 -timeout=10 -print_final_stats=1 \
			-artifact_prefix="$O/fuzz/" "$O/fuzz/corpus/$t" \
			tests/data/seeds >"$tmp/out" 2>&1; then
			echo "ok fuzz/$t"
			sed -n 's/^stat::number_of_executed_units: */# runs: /p' \
				"$tmp/out"
		else
			tail -n 60 "$tmp/out" | sed 's/^/# /'
			echo "not ok fuzz/$t"
		fi
	done
}

echo "TAP version 13"
all | awk '
	/^(not )?ok / {
		n++
		bad += /^not/
		sub(/ok /, "ok " n " ")
	}
	{ print; fflush() }
	END { print "1.." n; exit bad != 0 }'
