// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What is mounted: by the model, and by listmount(2) and statmount(2).
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>

#include "base/sys.h"
#include "privilege/seen.h"

/* Bits: 0 locked, 1 its attributes, 2 shared, 3 slave, 4 unbindable, ... */
static int add(struct seen *s, int ns, int sb, int root, unsigned int bits)
{
	if (s->nr == SEEN_MAX) {
		errno = EOVERFLOW;
		return -1;
	}
	s->mount[s->nr++] = bits | (uint32_t)root << 5 | (uint32_t)sb << 13 |
			    (uint32_t)ns << 21;
	return 0;
}

/* Mounts below PRIV_NS are the roots, which the kernel has beneath others. */
int seen_model(struct seen *s, const struct model *m)
{
	for (int i = 0; i < m->nr; i++) {
		const struct model_mount *p = &m->mnt[i];

		if (p->ns >= 0 &&
		    add(s, p->ns, p->sb, p->root, p->locked |
			(unsigned int)p->attr_locked << 1 |
			(p->group ? 4u : 0) | (model_master(m, i) ? 8u : 0) |
			(unsigned int)p->unbindable << 4))
			return -1;
	}
	return 0;
}

static int root_dir(const char *root, const char *const *dirs)
{
	for (int d = 0; d < PRIV_ROOTS; d++)
		if (!strcmp(root + 1, dirs[d]))
			return d;
	return PRIV_ROOTS;
}

static int add_mount(struct seen *s, const struct mc_mnt_id_req *in, int ns,
		     const dev_t *dev, const char *const *dirs)
{
	union {
		struct mc_statmount sm;
		char bytes[4096];
	} buf;
	struct mc_mnt_id_req req = *in;
	unsigned int bits = 0;

	req.param = MC_STATMOUNT_SB_BASIC | MC_STATMOUNT_MNT_BASIC |
		    MC_STATMOUNT_MNT_ROOT | MC_STATMOUNT_MNT_LOCKS;
	if (mc_statmount(&req, &buf.sm, sizeof(buf), 0))
		return -1;
	for (int sb = 0; sb < 2 + PRIV_MAX; sb++) {
		if (makedev(buf.sm.sb_dev_major, buf.sm.sb_dev_minor) != dev[sb])
			continue;
		if (buf.sm.mnt_locks & MOUNT_LOCK_MOUNT)
			bits |= 1;
		if (buf.sm.mnt_locks & MOUNT_LOCK_ATIME)
			bits |= 2;
		if (buf.sm.mnt_propagation & MS_SHARED)
			bits |= 4;
		if (buf.sm.mnt_propagation & MS_SLAVE)
			bits |= 8;
		if (buf.sm.mnt_propagation & MS_UNBINDABLE)
			bits |= 16;
		return add(s, ns, sb, root_dir(buf.sm.str + buf.sm.mnt_root, dirs),
			   bits);
	}
	return 0;
}

int seen_kernel(struct seen *s, int fd, int ns, const dev_t *dev,
		const char *const *dirs)
{
	struct mc_mnt_id_req req = {
		.size = MC_MNT_ID_REQ_SIZE_VER1, .mnt_id = MC_LSMT_ROOT,
	};
	uint64_t ids[SEEN_MAX];
	ssize_t n;

	if (ioctl(fd, MC_NS_GET_MNTNS_ID, &req.mnt_ns_id))
		return -1;
	n = mc_listmount(&req, ids, SEEN_MAX, 0);
	if (n == SEEN_MAX)
		errno = EOVERFLOW;
	if (n < 0 || n == SEEN_MAX)
		return -1;
	for (ssize_t i = 0; i < n; i++) {
		req.mnt_id = ids[i];
		if (add_mount(s, &req, ns, dev, dirs))
			return -1;
	}
	return 0;
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

bool seen_same(struct seen *model, struct seen *kernel, struct seen *before)
{
	int n = 0, k = 0;

	qsort(model->mount, model->nr, sizeof(*model->mount), by_number);
	qsort(kernel->mount, kernel->nr, sizeof(*kernel->mount), by_number);
	qsort(before->mount, before->nr, sizeof(*before->mount), by_number);
	/* each of the kernel's is one of the others, and none is left */
	for (int i = 0; i < kernel->nr; i++)
		if (n < model->nr && model->mount[n] == kernel->mount[i])
			n++;
		else if (k < before->nr && before->mount[k] == kernel->mount[i])
			k++;
		else
			return false;
	return n == model->nr && k == before->nr;
}

static void print(const char *what, const struct seen *s)
{
	printf("# %s:", what);
	for (int i = 0; i < s->nr; i++)
		printf(" %u/%u/%u:%s%s%s%s%s", s->mount[i] >> 21,
		       s->mount[i] >> 13 & 255, s->mount[i] >> 5 & 255,
		       s->mount[i] & 1 ? "L" : "", s->mount[i] & 2 ? "A" : "",
		       s->mount[i] & 4 ? "m" : "", s->mount[i] & 8 ? "s" : "",
		       s->mount[i] & 16 ? "u" : "");
	putchar('\n');
}

void seen_print(const struct seen *model, const struct seen *kernel,
		const struct seen *before)
{
	print("namespace/superblock/root of the model's", model);
	print("of the kernel's", kernel);
	print("of those that were there before", before);
}
