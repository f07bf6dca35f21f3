#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Copyright (C) 2026 The mount checkpoint/restore authors
#
# usage: canon.sh MOUNTINFO...
# Rewrite the mountinfo of several namespaces, a file each, so that two sets
# that are the same up to the kernel's numbers become the same text: a mount is
# named by the mountpoints from the top down to it (over one another they
# repeat), lines are sorted by that, and peer groups numbered as they come.
set -eu
export LC_ALL=C

awk '
FNR == 1 {
	file++
}

# Parents are not always listed before their children.
{
	lines[file, FNR] = $0
	up[file, $1] = $2
	at[file, $1] = $5
	id[file, FNR] = $1
	count[file] = FNR
}

function chain(f, m) {
	if (!((f, m) in at))
		return ""
	return chain(f, up[f, m]) " > " at[f, m]
}

END {
	for (f = 1; f <= file; f++) {
		for (l = 1; l <= count[f]; l++) {
			n = split(lines[f, l], w, " ")
			text = f chain(f, id[f, l]) " |"
			for (i = 3; i <= n; i++)
				if (i != 5)
					text = text " " w[i]
			print text
		}
	}
}' "$@" | sort | awk '
function group(id) {
	if (!(id in groups))
		groups[id] = ++nr_groups
	return groups[id]
}

{
	text = ""
	options = 0
	for (i = 1; i <= NF; i++) {
		if ($i == "|")
			options = 1
		else if ($i == "-")
			options = 0
		if (options && $i ~ /^(shared|master|propagate_from):[0-9]+$/) {
			split($i, part, ":")
			$i = part[1] ":" group(part[2])
		}
		text = text (i > 1 ? " " : "") $i
	}
	print text
}'
