# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Copyright (C) 2026 The mount checkpoint/restore authors
#
# What the scripts share: the top directory, the build directory O, messages.

# shellcheck disable=SC2034	# for the scripts that read this file
top=$(cd "$(dirname "$0")/.." && pwd)
O=${O:-$top/.build}
mkdir -p "$O"
O=$(cd "$O" && pwd)
me=${0##*/}
# mke2fs and the like are not on an ordinary user's path
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
# what our own make was told is nothing to the kernel's
unset MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL

die() {
	echo "$me: $*" >&2
	exit 2
}

# A line that says what goes on now, and since when.
say() {
	echo "[$(date +%H:%M:%S)] $*" >&2
}

# Keys of kernel-patches/7.3/BASE.
base_key() {
	sed -n "s/^$1=//p" "${BASE_FILE:-$top/kernel-patches/7.3/BASE}"
}

# What the names of kernels end in, by the variables that choose their variant.
kernel_variant() {
	kv=
	[ "${SMP:-0}" = 0 ] || kv=-smp
	[ "${DEBUG_KERNEL:-0}" = 0 ] || kv=$kv-debug
	[ "${BENCH_KERNEL:-0}" = 0 ] || kv=$kv-bench
	echo "$kv"
}

# Run a command, its output to a log; the log's end when it fails. With V=1
# the output is seen as it comes.
logged() {	# LOG COMMAND...
	log=$1
	shift
	mkdir -p "$(dirname "$log")"
	if [ "${V:-0}" != 0 ]; then
		"$@"
	elif ! "$@" >"$log" 2>&1; then
		tail -n 30 "$log" >&2
		echo "$me: failed: $* (log: $log)" >&2
		return 1
	fi
}
