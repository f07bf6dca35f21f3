/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The subcommands, in the order that help lists them; no include guard.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
CMD("dump", cmd_dump, "write the mounts of namespaces to an image")
CMD("show", cmd_show, "draw an image, live namespaces or a topology")
CMD("plan", cmd_plan, "print what a restore would do")
CMD("restore", cmd_restore, "make the namespaces of an image anew")
CMD("verify", cmd_verify, "compare two images or live namespaces")
CMD("bind", cmd_bind, "bind mount from or into another namespace")
CMD("features", cmd_features, "what this kernel supports")
