#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The mount checkpoint/restore authors
#
# Run the native tests of every variant as one flat TAP stream.  Called by
# make check with O, ASAN, TESTS, SCRIPTS, ONCE, VALGRIND, FUZZ and CLANG set.
#
# A program counts as failed unless its plan, its lines and its exit code agree.
# They run side by side, as many as there are processors: many a test waits for
# the kernel's grace periods. Each gets a directory, and is printed as a whole.

set -u
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
limit=${CHECK_TIMEOUT:-900}

# In a process group of its own, out of reach of what ends the others: the trap of
# a job ends it. Started in the background, it must not ignore signals for that.
bounded()	# COMMAND...
{
	timeout -k 5 "$limit" env --default-signal=INT,QUIT "$@" </dev/null &
	wait $!
}

# one PREFIX COMMAND...: lines "ok NAME", "not ok NAME", "# ..." without numbers
one()
{
	prefix=$1
	shift
	echo "running $prefix" >&2
	bounded "$@" >"$job/out" 2>"$job/err"
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
		/^1\.\.0 *# *SKIP/ {
			sub(/^1\.\.0 */, "")
			print "ok " p ": all " $0
			planned = 1
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
		}' "$job/out"
	if [ $rc -ne 0 ] && [ $rc -ne 4 ]; then
		head -n 200 "$job/err" | sed "s|^|# $prefix: |"
	fi
}

skip()
{
	echo "ok $1 # SKIP $2"
}

variant()	# gcc | asan, PROGRAM
{
	v=$O
	# The figures that count are those of the other one. A fork copies the page
	# tables of all freed memory that is held back, 256 MB unless told.
	[ "$1" != asan ] || {
		v=$ASAN
		export SCALE=4000 ASAN_OPTIONS="${ASAN_OPTIONS-quarantine_size_mb=16}"
	}
	case $2 in
	*.sh)
		one "$1/${2%.sh}" env MNTCR="$v/mntcr" VARIANT="$1" O="$O" sh "tests/$2"
		;;
	*)
		one "$1/$2" "$v/tests/$2"
		;;
	esac
}

memory()	# valgrind, PROGRAM
{
	one "$1/$2" env UNDER_VALGRIND=1 valgrind -q --error-exitcode=99 \
		--leak-check=full --errors-for-leak-kinds=definite \
		--child-silent-after-fork=yes "$O/tests/$2"
}

fuzz()		# fuzz, PROGRAM
{
	echo "running $1/$2" >&2
	mkdir -p "$O/fuzz/corpus/$2"
	if bounded "$O/fuzz/$2" -max_total_time="${FUZZ_TIME:-10}" \
		-rss_limit_mb=2048 -timeout=10 -print_final_stats=1 \
		-artifact_prefix="$O/fuzz/" "$O/fuzz/corpus/$2" \
		tests/data/seeds >"$job/out" 2>&1; then
		echo "ok fuzz/$2"
		sed -n 's/^stat::number_of_executed_units: */# runs: /p' "$job/out"
	else
		tail -n 60 "$job/out" | sed 's/^/# /'
		echo "not ok fuzz/$2"
	fi
}

# FUNCTION ARGUMENT PROGRAM of every job, those that take long first
# shellcheck disable=SC2086
list()
{
	for v in asan gcc; do
		for t in $TESTS; do
			echo variant $v "$t"
		done
		for t in $SCRIPTS; do
			echo variant $v "$t.sh"
		done
	done
	for t in $ONCE; do
		echo variant gcc "$t.sh"
	done
	! command -v valgrind >/dev/null || printf 'memory valgrind %s\n' $VALGRIND
	[ -z "$CLANG" ] || printf 'fuzz fuzz %s\n' $FUZZ
}

# Whoever makes the directory of a job runs it. What it says is there when it is
# through, and not before.
worker()
{
	nr=0
	while read -r function argument program; do
		nr=$((nr + 1))
		job=$tmp/$nr
		mkdir "$job" 2>/dev/null || continue
		(
			trap 'kill $! 2>/dev/null; exit 143' HUP INT TERM
			start=$(date +%s)
			$function "$argument" "$program"
			echo "# $argument/$program: $(($(date +%s) - start)) s"
		) >"$job/said" && mv "$job/said" "$job/tap"
	done <"$tmp/jobs"
}

all()
{
	list >"$tmp/jobs" || echo "not ok the list of programs"
	pids=
	for i in $(seq "$(nproc)"); do
		worker &
		pids="$pids $!"
	done
	for pid in $pids; do
		wait "$pid" || :
	done
	nr=0
	while read -r function argument program; do
		nr=$((nr + 1))
		grep -qs '^\(not \)*ok ' "$tmp/$nr/tap" && cat "$tmp/$nr/tap" ||
			echo "not ok $argument/$program: could not be run"
	done <"$tmp/jobs"
	[ -n "$CLANG" ] || skip fuzz "no clang"
	command -v valgrind >/dev/null || skip valgrind "no valgrind"
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
