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

case ${1:-} in
-h | --help) usage; exit 0 ;;
esac
