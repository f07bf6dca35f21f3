# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Copyright (C) 2026 The mount checkpoint/restore authors
#
# What the scripts share: the top directory, the build directory O, messages.

. "$(dirname "$0")/usage.sh"

# shellcheck disable=SC2034	# for the scripts that read this file
top=$(cd "$(dirname "$0")/.." && pwd)
me=${0##*/}
O=${O:-$top/.build}
case $O in
*[[:space:]]*) echo "$me: $O: no blank may be in the name of the checkout or of O=" >&2; exit 2 ;;
esac
# the mark says that what is in there is ours to remove
[ -n "$(ls -A "$O" 2>/dev/null)" ] || { mkdir -p "$O" && : >"$O/.mntcr-build"; }
O=$(cd "$O" && pwd)
[ "$O" != "$top" ] || { echo "$me: O= is the source directory" >&2; exit 2; }
# mke2fs and the like are not on an ordinary user's path
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
# what our own make was told is nothing to the kernel's
unset MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL
# nor what a kernel developer's shell tells every build of his
unset ARCH CROSS_COMPILE LLVM LLVM_IAS KBUILD_OUTPUT KBUILD_EXTMOD KCFLAGS KCPPFLAGS \
	KAFLAGS HOSTCFLAGS HOSTLDFLAGS KCONFIG_CONFIG KCONFIG_ALLCONFIG
# from a hook, git's commands would work on the repository that the hook is of
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_COMMON_DIR GIT_OBJECT_DIRECTORY \
	GIT_ALTERNATE_OBJECT_DIRECTORIES GIT_PREFIX GIT_NAMESPACE
# messages are looked for in what compilers say (the kernel's make drops LC_ALL)
export LC_ALL=C LANG=C
unset LANGUAGE LC_MESSAGES

die() {
	echo "$me: $*" >&2
	exit 2
}

# A line that says what goes on now, and since when.
say() {
	echo "[$(date +%H:%M:%S)] $*" >&2
}

# What of selftests/ lies in the kernel's tree below tools/testing/selftests/.
our_selftests() {
	(cd "$top/selftests" && find . -mindepth 2 -type f ! -name '*.o' \
		! -path './mutants/*' ! -path './other-numbers/*') | sed 's#^\./##' | sort
}

# Keys of kernel-patches/7.3/BASE.
base_key() {
	sed -n "s/^$1=//p" "${BASE_FILE:-$top/kernel-patches/7.3/BASE}"
}

# What the names of kernels end in, by the variables that choose their variant.
kernel_variant() {
	kv=
	[ "${SMP:-0}" = 0 ] || kv=-smp
	[ "${LAZY:-0}" = 0 ] || kv=$kv-lazy
	[ "${DEBUG_KERNEL:-0}" = 0 ] || kv=$kv-debug
	[ "${KCSAN:-0}" = 0 ] || kv=$kv-kcsan
	[ "${BENCH_KERNEL:-0}" = 0 ] || kv=$kv-bench
	echo "$kv"
}

# What a soak runs, in that order, as scripts/suites has it: SUITE IN MINUTES. Fuzzing comes
# first, and what takes less before what takes more; with "once", what takes hours and is
# the same with any seed: once, when all others have been.
soak_suites() {	# [once]
	awk -v once="${1:-}" -v OFS='\t' '
		BEGIN { if (!once) print "fuzz", "soak", 0 }
		!/^#/ && $2 ~ /soak/ && ($1 == "mutants-series") == (once != "") {
			print $1, $2, $3
		}' "$top/scripts/suites" | sort -s -n -t "$(printf '\t')" -k3,3
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
