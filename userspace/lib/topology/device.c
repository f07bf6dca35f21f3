// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Options of filesystems on block devices.  Those of an image are given to the kernel of
 * whoever restores it, on a device of theirs: some name another device, a file or a place
 * on it where another filesystem begins, or have the kernel panic.  So only those that are
 * known to do nothing of the kind are given.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "topology/topology.h"

/* NAME; NAME=VALUE; or "NAME=", of any number, which may have the letter of a unit. */
static const char *const ext[] = {
	"acl", "noacl", "user_xattr", "nouser_xattr", "bsddf", "minixdf", "grpid", "nogrpid",
	"bsdgroups", "sysvgroups", "resuid=", "resgid=", "errors=continue",
	"errors=remount-ro", "nouid32", "debug", "oldalloc", "orlov", "reservation",
	"noreservation", "commit=", "min_batch_time=", "max_batch_time=", "bh", "nobh",
	"barrier", "nobarrier", "barrier=", "delalloc", "nodelalloc", "mblk_io_submit",
	"nomblk_io_submit", "journal_checksum", "nojournal_checksum",
	"journal_async_commit", "journal_ioprio=", "data=journal", "data=ordered",
	"data=writeback", "data_err=abort", "data_err=ignore", "auto_da_alloc",
	"noauto_da_alloc", "auto_da_alloc=", "stripe=", "inode_readahead_blks=",
	"init_itable", "init_itable=", "noinit_itable", "max_dir_size_kb=", "discard",
	"nodiscard", "i_version", "dioread_lock", "dioread_nolock", "block_validity",
	"noblock_validity", "dax", "dax=always", "dax=never", "dax=inode", "inlinecrypt",
	"mb_optimize_scan=", "nombcache", "no_mbcache", "prefetch_block_bitmaps",
	"no_prefetch_block_bitmaps", "warn_on_error", "nowarn_on_error", "noload",
	"norecovery", "quota", "noquota", "usrquota", "grpquota", "prjquota", NULL
};
static const char *const xfs[] = {
	"attr2", "noattr2", "ikeep", "noikeep", "wsync", "noalign", "swalloc", "norecovery",
	"nouuid", "filestreams", "grpid", "nogrpid", "bsdgroups", "sysvgroups", "discard",
	"nodiscard", "inode32", "inode64", "largeio", "nolargeio", "allocsize=", "logbufs=",
	"logbsize=", "sunit=", "swidth=", "dax", "dax=always", "dax=never", "dax=inode",
	"quota", "noquota", "usrquota", "uquota", "uqnoenforce", "grpquota", "gquota",
	"gqnoenforce", "prjquota", "pquota", "pqnoenforce", "lifetime", "nolifetime",
	"max_open_zones=", NULL
};
static const char *const squashfs[] = {
	"errors=continue", "threads=", "threads=single", "threads=multi", "threads=percpu",
	NULL
};
static const char *const erofs[] = {
	"user_xattr", "nouser_xattr", "acl", "noacl", "cache_strategy=disabled",
	"cache_strategy=readahead", "cache_strategy=readaround", "dax", "dax=always",
	"dax=never", "directio", NULL
};

static const char *const *known_of(const char *type)
{
	static const char *const nothing[] = { NULL };

	return !strncmp(type, "ext", 3) ? ext : !strcmp(type, "xfs") ? xfs :
	       !strcmp(type, "squashfs") ? squashfs : !strcmp(type, "erofs") ? erofs :
	       nothing;
}

static bool is_number(const char *s)
{
	size_t n = strspn(s, "0123456789");

	return n && (!s[n] || (strchr("kKmMgGtT", s[n]) && !s[n + 1]));
}

static bool is_known(const char *const *known, const char *name, const char *value)
{
	size_t n = strlen(name);

	for (; *known; known++) {
		if (strncmp(*known, name, n))
			continue;
		if (!value ? !(*known)[n] :
		    (*known)[n] == '=' && ((*known)[n + 1] ? !strcmp(*known + n + 1, value) :
					   is_number(value)))
			return true;
	}
	return false;
}

int mc_device_options(const struct mc_sb *sb,
		      int (*fn)(void *data, const char *name, const char *value), void *data)
{
	char *copy = strdup(sb->options), *rest = copy, *name, *value;
	int ret = 0;

	if (!copy)
		return -1;
	while (!ret && mc_next_option(&rest, &name, &value))
		if ((value || !mc_is_sb_flag(name)) &&
		    !is_known(known_of(sb->type), name, value))
			ret = fn(data, name, value);
	free(copy);
	return ret;
}

static int is_one(void *data, const char *name, const char *value)
{
	(void)data;
	(void)name;
	(void)value;
	return 1;
}

bool mc_device_is_plain(const struct mc_sb *sb)
{
	return !mc_device_options(sb, is_one, NULL);
}
