# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154
# Copyright (C) 2026 The mount checkpoint/restore authors
#
# What mutants-series builds: a kernel of each changed line, and one of all.

# What makes a/FILE b/FILE, as a patch on top of the series.
difference() {	# FILE
	(cd "$work" && diff -u "a/$1" "b/$1") && rc=0 || rc=$?
	rm -rf "$work/a" "$work/b"
	[ "$rc" = 1 ] || die "$1: no patch"
}

# FILE with that line changed.
make_patch() {	# FILE LINE TEXT
	mkdir -p "$work/a/${1%/*}" "$work/b/${1%/*}"
	cp "$1" "$work/a/$1"
	text=$3 awk -v nr="$2" 'NR == nr { match($0, /^[ \t]*/)
		$0 = substr($0, 1, RLENGTH) ENVIRON["text"] } { print }' "$1" >"$work/b/$1"
	difference "$1" >"$work/patch"
}

# All files with all that $work/unknown lists.
make_patch_of_all() {
	defined=
	for f in $(cut -f2 "$work/unknown" | sort -u); do
		mkdir -p "$work/a/${f%/*}" "$work/b/${f%/*}"
		cp "$f" "$work/a/$f"
		file=$f awk -F'\t' -v OFS='\t' '$2 == ENVIRON["file"] {
			print $1, $3, substr($0, length($1 $2 $3 $4) + 5) }' "$work/unknown" \
			>"$work/changes"
		{
			"$S/mutate-all" "$f" "$work/changes"
			[ -n "$defined" ] || cat <<-END
				#include <linux/moduleparam.h>
				int mutant_tried;
				core_param(mutant_tried, mutant_tried, int, 0);
			END
		} >"$work/b/$f"
		defined=1
		difference "$f"
	done >"$work/patch"
}

# What is in an object, but for what it says of its lines.
contents() {	# OBJECT
	objdump -dr --no-show-raw-insn "$1" | tail -n +4
	objcopy -O binary -j '.rodata*' -j '.data*' "$1" /dev/stdout
}

make_tree() {
	"$S/kernel-tree" "$tree" "$top"/kernel-patches/7.3/[0-9]*/[0-9]*.patch \
		"$work/patch" >"$O/logs/mutants-series.log" 2>&1 ||
		die "the patch does not apply (log: $O/logs/mutants-series.log)"
}

# In which files, of those that PATTERN names, the compiler found errors: in a line of
# theirs, or in a macro that it is made of.
wrong() {	# PATTERN
	awk -F: -v file="^$1:" '
		$0 ~ file "[0-9]+:[0-9]+: error: " { print $1; macro = 0; next }
		/: error: / { macro = 1 }
		macro && $0 ~ file ".*: note: in expansion of macro" { print $1; macro = 0 }
		' "$tree.meta/build.log"
}

make_kernel() {	# PATTERN: of the files that may be to blame, FRAGMENT...
	may=$1
	shift
	"$S/kernel-build" "$tree" "$config" "$@" >"$O/logs/mutants-series.log" 2>&1 && return
	# of a compiler that dies nobody knows
	[ -n "$(wrong "$may")" ] &&
		! grep -q 'internal compiler\|Killed\|No space' "$tree.meta/build.log" || {
		tail -n 5 "$tree.meta/build.log" >&2
		die "the kernel cannot be built (log: $tree.meta/build.log)"
	}
	return 1
}

# $became: empty, "no program" or "same", which is no other code.
build() {	# FILE
	became=
	make_tree
	make_kernel "$1" || {
		became="no program"
		return
	}
	[ -r "$tree/${1%.c}.o" ] && [ -r "${1%.c}.o" ] || die "$1: not part of this kernel"
	contents "$tree/${1%.c}.o" >"$work/it"
	contents "${1%.c}.o" >"$work/was"
	! cmp -s "$work/it" "$work/was" || became=same
}

# $work/all/vmlinux of all that compile. It says so when it waits for a lock for ever.
make_all() {
	echo CONFIG_SOFTLOCKUP_DETECTOR=y >"$work/lockup.config"
	while [ -s "$work/unknown" ]; do
		say "a kernel of $(wc -l <"$work/unknown") mutants"
		make_patch_of_all
		make_tree
		! make_kernel 'mutant-[0-9]+' "$work/lockup.config" || break
		became="no program"
		wrong 'mutant-[0-9]+' | sed 's/mutant-//' >"$work/wrong"
		awk -F'\t' 'FILENAME == ARGV[1] { wrong[$1]; next } $1 in wrong' \
			"$work/wrong" "$work/unknown" >"$work/none"
		while IFS=$tab read -r n file nr kind text <&3; do
			identify
			keep
		done 3<"$work/none"
		awk -F'\t' 'FILENAME == ARGV[1] { none[$1]; next } !($1 in none)' \
			"$work/none" "$work/unknown" >"$work/unknown.new"
		mv "$work/unknown.new" "$work/unknown"
	done
	[ -s "$work/unknown" ] || return 0
	mkdir -p "$work/all/usr"
	cp "$tree/vmlinux" "$tree/.config" "$work/all"
	cp "$tree/usr/gen_init_cpio" "$work/all/usr"
}
