# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The mount checkpoint/restore authors
# Topology, capture, image, verify, render, and the commands on them.

lib-y += util.o
lib-y += topology.o
lib-y += finish.o
lib-y += capture.o
lib-y += capture-ns.o
lib-y += capture-build.o
lib-y += capture-statmount.o
lib-y += capture-mountinfo.o
