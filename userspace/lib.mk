# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The mount checkpoint/restore authors
# The library.  Each file needs those before it and no others, which the build
# checks: folders by the table in the Makefile, files by their order here.

lib-y += base/error.o
lib-y += base/options.o
lib-y += base/buf.o
lib-y += base/text.o
lib-y += base/map.o
lib-y += base/json.o
lib-y += base/fd.o
lib-y += base/look.o
lib-y += base/boot-id.o
lib-y += base/fd-limit.o
lib-y += base/child.o
lib-y += base/thread.o
lib-y += base/worker.o
lib-y += base/ns-file.o
lib-y += base/features.o

lib-y += topology/topology.o
lib-y += topology/words.o
lib-y += topology/types.o
lib-y += topology/options.o
lib-y += topology/layers.o
lib-y += topology/file.o
lib-y += topology/userns.o
lib-y += topology/check.o
lib-y += topology/link.o
lib-y += topology/event.o
lib-y += topology/unlinked.o
lib-y += topology/way.o
lib-y += topology/cgroup.o
lib-y += topology/key.o
lib-y += topology/stand-in.o
lib-y += topology/select.o

lib-y += capture/userns.o
lib-y += capture/ns.o
lib-y += capture/build.o
lib-y += capture/enter.o
lib-y += capture/file.o
lib-y += capture/seen.o
lib-y += capture/under.o
lib-y += capture/layers.o
lib-y += capture/shown.o
lib-y += capture/type.o
lib-y += capture/statmount.o
lib-y += capture/listed.o
lib-y += capture/mountinfo.o
lib-y += capture/outside.o
lib-y += capture/whose.o
lib-y += capture/capture.o
lib-y += capture/cgroup.o
lib-y += capture/held.o
lib-y += capture/freeze.o
lib-y += capture/container.o

lib-y += contents/member.o
lib-y += contents/open.o
lib-y += contents/rules.o
lib-y += contents/fill.o
lib-y += contents/try.o
lib-y += contents/compare.o
lib-y += contents/source.o
lib-y += contents/save.o

lib-y += image/scan.o
lib-y += image/field.o
lib-y += image/record.o
lib-y += image/parse.o
lib-y += image/read.o
lib-y += image/write.o
lib-y += image/archive.o

lib-y += plan/path.o
lib-y += plan/parts.o
lib-y += plan/refuse.o
lib-y += plan/need.o
lib-y += plan/area.o
lib-y += plan/names.o
lib-y += plan/owner.o
lib-y += plan/check.o
lib-y += plan/ns.o
lib-y += plan/order.o
lib-y += plan/kernel.o
lib-y += plan/unlinked.o
lib-y += plan/source.o
lib-y += plan/layers.o
lib-y += plan/differ.o
lib-y += plan/base.o
lib-y += plan/outside.o
lib-y += plan/group.o
lib-y += plan/emit.o
lib-y += plan/mounts.o
lib-y += plan/delay.o
lib-y += plan/release.o
lib-y += plan/print.o
lib-y += plan/plan.o

lib-y += verify/order.o
lib-y += verify/verify.o
lib-y += verify/event.o
lib-y += verify/events.o

lib-y += render/tree.o
lib-y += render/dot.o
lib-y += render/render.o

lib-y += execute/common.o
lib-y += execute/owner.o
lib-y += execute/made.o
lib-y += execute/idmap.o
lib-y += execute/overlay.o
lib-y += execute/fresh.o
lib-y += execute/unlinked.o
lib-y += execute/again.o
lib-y += execute/external.o
lib-y += execute/host.o
lib-y += execute/master.o
lib-y += execute/ns.o
lib-y += execute/extended.o
lib-y += execute/upstream.o
lib-y += execute/execute.o
lib-y += execute/pin.o
lib-y += execute/restore.o
lib-y += execute/stages.o
lib-y += execute/bind.o

lib-y += check/print.o
lib-y += check/report.o
lib-y += check/by-sb.o
lib-y += check/owners.o
lib-y += check/needs.o
lib-y += check/dump.o
lib-y += check/restore.o
