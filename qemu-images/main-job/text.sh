# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Copyright (C) 2026 The mount checkpoint/restore authors
#
# The mountinfo of several namespaces, read inside each, in one canonical text:
# $work/NAME.txt. Callers test its status, so "set -e" is off in here, and each
# command that fails has to be seen.
text_of() {	# NAME NAMESPACE-FILE...
	text=$work/$1
	shift
	rm -f "$text".1?? "$text.txt" || return 1
	i=100
	for ns; do
		i=$((i + 1))
		nsenter --mount="$ns" --wd=/proc cat self/mountinfo \
			>"$text.$i" || return 1
		# a namespace has one mount at least
		[ -s "$text.$i" ] || return 1
	done
	[ $i != 100 ] || return 1
	sh "$lib/canon.sh" "$text".1?? >"$text.txt" || return 1

	# not one line of any of them is lost: each begins with its file's number
	f=0
	for ns in "$text".1??; do
		f=$((f + 1))
		[ "$(wc -l <"$ns")" = "$(grep -c "^$f " "$text.txt")" ] || return 1
	done
	[ "$(cat "$text".1?? | wc -l)" = "$(wc -l <"$text.txt")" ]
}
