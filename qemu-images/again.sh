#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Copyright (C) 2026 The mount checkpoint/restore authors
#
# usage: again.sh SECONDS PROGRAM [ARG...]
# In the VM: run a test for so long, over and over, as one test, which passes if it
# has passed each time, and has skipped nothing. Says how often that was, and sums up
# the numbers that its log has (of a kselftest: what it says by TH_LOG).
set -eu

seconds=$1
shift
name=${1##*/}
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
start=$(date +%s)
now=$start told=$start nr=0

printf 'TAP version 13\n1..1\n'
while [ $nr = 0 ] || [ "$now" -lt $((start + seconds)) ]; do
	"$@" >"$work/out" 2>&1 && rc=0 || rc=$?
	nr=$((nr + 1))
	now=$(date +%s)
	if [ $rc != 0 ] || grep -q '# SKIP' "$work/out"; then
		sed 's/^/# /' "$work/out"
		echo "not ok 1 $name: exit status $rc or a skip, run $nr, after $((now - start)) s"
		exit 1
	fi
	sed -n 's/^# [a-z_]*\.[ch]:[0-9]*:\([a-z_]*\):/\1: /p' "$work/out" >>"$work/said"
	if [ $((now - told)) -ge 60 ]; then
		told=$now
		echo "# $nr runs in $((now - start)) s"
	fi
done
# the same words, each number the sum of those at its place
awk '{
	words = ""
	for (i = 0; match($0, /[0-9]+/); i++) {
		words = words substr($0, 1, RSTART - 1) "\n"
		sum[i] = substr($0, RSTART, RLENGTH)
		$0 = substr($0, RSTART + RLENGTH)
	}
	words = words $0
	if (!(words in seen)) {
		seen[words] = 1
		order[n++] = words
	}
	for (j = 0; j < i; j++)
		total[words, j] += sum[j]
} END {
	for (k = 0; k < n; k++) {
		nr = split(order[k], part, "\n")
		line = part[1]
		for (j = 1; j < nr; j++)
			line = line sprintf("%.0f", total[order[k], j - 1]) part[j + 1]
		print "# " line
	}
}' "$work/said"
echo "# $nr runs in $((now - start)) s"
echo "ok 1 $name"
