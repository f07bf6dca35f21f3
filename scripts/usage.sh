# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Copyright (C) 2026 The mount checkpoint/restore authors
#
# What a script does before anything else: say how it is called, and nothing else
# when it is called in another way. The text is the comment at the script's head.

usage() {
	sed -n '/^# usage: /,/^[^#]/s/^#\( \|	\|$\)//p' "$0"
}

misuse() {
	echo "${0##*/}: $*" >&2
	usage | sed -n 1p >&2
	exit 2
}

# Between MIN and MAX operands, and no option that has not been taken.
takes() {	# MIN MAX ARGUMENT...
	case ${3:-} in
	-*) misuse "$3: no such option" ;;
	esac
	[ $(($# - 2)) -ge "$1" ] || misuse "too few arguments"
	[ $(($# - 2)) -le "$2" ] || misuse "too many arguments"
}

# A whole number of at least MIN; of a leading zero a shell makes another one.
number() {	# NAME VALUE [MIN]
	case $2 in
	'' | *[!0-9]* | 0?* | ???????????????????*) misuse "$1=$2: not a number" ;;
	esac
	[ "$2" -ge "${3:-0}" ] || misuse "$1=$2: less than ${3:-0}"
}

# I/N: one of N, counted from 0.
shard() {	# NAME VALUE
	case $2 in
	*/*/* | [!0-9]* | *[!0-9]) misuse "$1=$2: not I/N" ;;
	*/*) ;;
	*) misuse "$1=$2: not I/N" ;;
	esac
	number "$1" "${2%/*}"
	number "$1" "${2#*/}" 1
	[ "${2%/*}" -lt "${2#*/}" ] || misuse "$1=$2: I has to be less than N, it is counted from 0"
}

# Of hours, which may be a fraction, sets seconds.
hours() {	# NAME VALUE
	seconds=$(echo "$2" | awk 'NR > 1 || !/^[0-9]+(\.[0-9]+)?$/ { exit 1 }
		{ printf "%d", $0 * 3600 }') || misuse "$1=$2: not a number of hours"
}

case ${1:-} in
-h | --help) usage; exit 0 ;;
esac
