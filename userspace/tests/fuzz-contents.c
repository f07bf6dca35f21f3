// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Fuzz target: any bytes for the archive of an image.  What can be opened is filled
 * into an empty directory that cannot be left; what was said of it beforehand is so.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "contents/contents.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void differs(void *data, const char *line)
{
	abort();	/* from itself */
}

/* -1: this machine does not let one have a tmpfs */
static int new_root(void)
{
	static bool tried, can;
	int fs, fd = -1;

	if (!tried) {
		tried = true;
		can = !unshare(CLONE_NEWNS) || !unshare(CLONE_NEWUSER | CLONE_NEWNS);
	}
	if (!can)
		return -1;
	fs = mc_fsopen("tmpfs", MC_FSOPEN_CLOEXEC);
	if (fs >= 0 && !mc_fsconfig(fs, MC_FSCONFIG_SET_STRING, "size", "1m", 0) &&
	    !mc_fsconfig(fs, MC_FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		fd = mc_fsmount(fs, MC_FSMOUNT_CLOEXEC, 0);
	mc_close(fs);
	return fd;
}

/* As one is called that nobody can know. */
#define ASIDE	".mntcr-unlinked-0123456789abcdef"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC), root, aside;
	struct mntcr_contents *c = NULL;
	struct mc_flags later = { 0 };
	struct mc_buf json = { 0 };
	int tried, filled;
	struct mntcr_error e;
	uint32_t i;

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	if (mc_contents_open(fd, 65536, &json, &c, &e))
		mc_close(fd);
	for (i = 0; c && i < c->nr_parts; i++) {
		const struct mc_sb sb = { .type = "tmpfs", .major = c->parts[i].major,
					  .minor = c->parts[i].minor };

		mc_contents_compare(c, &sb, c, &sb, differs, NULL, &e);
		struct mc_put put[] = {
			{ .nr = 1, .path = "u1" }, { .nr = 3, .path = "a/u3" },
		};

		tried = mc_contents_try(c, &sb, true, put, 2, NULL, &e);
		root = new_root();
		if (root >= 0) {
			if (mkdirat(root, ASIDE, 0700))
				abort();
			aside = mc_contents_dir(root, ASIDE, strlen(ASIDE));
			filled = mc_contents_fill(c, &sb, root, aside, true, put, 2, &later, &e);
			mc_flags_free(&later);
			mc_close(aside);
			/* for want of room or power it may fail earlier */
			if (filled ? !tried && e.code == MNTCR_BAD_IMAGE : tried)
				abort();
		}
		mc_close(root);
	}
	mntcr_contents_free(c);
	mc_buf_free(&json);
	return 0;
}
