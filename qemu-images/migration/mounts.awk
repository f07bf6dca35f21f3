# SPDX-License-Identifier: GPL-2.0
# Copyright (C) 2026 The mount checkpoint/restore authors
#
# Lines of mountinfo, of one namespace after the other, with new names for what
# another boot numbers anew: mount ids, devices, groups, namespaces, each the same name
# for the same number. Of a tmpfs the sizes are left out, which it shows where they are not
# this machine's defaults; they are compared by themselves. A devtmpfs is the
# machine's, as large as that decides. What shows the cgroup "cgroup", if that is set,
# or one below it, is said to show "now".

function name(kind, number) {
	if (!((kind, number) in names))
		names[kind, number] = kind ++nr[kind]
	return names[kind, number]
}

{
	# an id that no line before has had is the root's parent, outside
	$2 = ("m", $2) in names ? name("m", $2) : "outside"
	$1 = name("m", $1)
	$3 = name("d", $3)
	for (i = 7; $i != "-"; i++) {
		split($i, tag, ":")
		$i = tag[1] ":" name("g", tag[2])
	}
	if ($(i + 1) ~ /^(dev)?tmpfs$/) {
		k = split($(i + 3), option, ",")
		$(i + 3) = option[1]
		for (j = 2; j <= k; j++)
			if (option[j] !~ /^(size|nr_inodes)=/)
				$(i + 3) = $(i + 3) "," option[j]
	}
	# the automounter is a process group, which has another number
	if ($(i + 1) == "autofs" && match($(i + 3), /pgrp=[0-9]+/))
		$(i + 3) = substr($(i + 3), 1, RSTART - 1) "pgrp=" \
			name("p", substr($(i + 3), RSTART + 5, RLENGTH - 5)) \
			substr($(i + 3), RSTART + RLENGTH)
	if ($(i + 1) == "nsfs") {
		split($4, of, ":")
		$4 = of[1] ":" name("n", $4)
	}
	if (cgroup != "" && $(i + 1) == "cgroup2" && index($4 "/", cgroup "/") == 1)
		$4 = now substr($4, length(cgroup) + 1)
	print
}
