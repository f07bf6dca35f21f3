// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A superblock of which there is one, opened once more under another source.
 * That is tried before planning, on a mount that nobody sees: only where it
 * gives the very superblock of the image is it of use.
 *
 * cgroup2 takes its options over from whoever opens it in the initial cgroup
 * namespace, for the whole system.  A child does it in one of its own, and in
 * the root cgroup, so that nothing lies outside of what it gets.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <libmount/libmount.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "execute/execute.h"

/* Of what fs is open for, which is closed. */
static int mount_again(int fs, const char *source)
{
	int fd = -1, err;

	if (fs < 0)
		return -1;
	if ((!source ||
	     !mc_fsconfig(fs, MC_FSCONFIG_SET_STRING, "source", source, 0)) &&
	    !mc_fsconfig(fs, MC_FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		fd = mc_fsmount(fs, MC_FSMOUNT_CLOEXEC, 0);
	err = errno;
	close(fs);
	errno = err;
	return fd;
}

static int open_again(const char *type, const char *source)
{
	return mount_again(mc_fsopen(type, MC_FSOPEN_CLOEXEC), source);
}

/* The root cgroup's directory, in one of the caller's mounts. */
static int root_cgroup(void)
{
	struct libmnt_table *tb = mnt_new_table_from_file("/proc/thread-self/mountinfo");
	struct libmnt_iter *it = mnt_new_iter(MNT_ITER_BACKWARD);
	struct libmnt_fs *fs;
	struct statx st;
	int fd = -1;

	while (tb && it && fd < 0 && !mnt_table_next_fs(tb, it, &fs)) {
		const char *type = mnt_fs_get_fstype(fs);
		const char *target = mnt_fs_get_target(fs);

		if (!type || !target || strcmp(type, "cgroup2"))
			continue;
		fd = open(target, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (!statx(fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT |
			   AT_STATX_DONT_SYNC, STATX_INO, &st) &&
		    st.stx_ino == MC_CGROUP_ROOT_INO)
			break;
		close(fd);
		fd = -1;
	}
	mnt_unref_table(tb);
	mnt_free_iter(it);
	return fd;
}

struct cgroup_again {
	const char *source;
	int fd;
};

static int cgroup_child(void *data)
{
	struct cgroup_again *w = data;

	if (!unshare(CLONE_NEWCGROUP))
		w->fd = open_again("cgroup2", w->source);
	return w->fd < 0 ? errno : 0;
}

static int open_cgroup(int root_fd, const char *source)
{
	struct cgroup_again w = { .source = source, .fd = -1 };

	mc_child_task(cgroup_child, &w, sizeof(w), root_fd);
	return w.fd;
}

static int open_type(const char *type, const char *source, int cgroup_fd)
{
	if (strcmp(type, "cgroup2"))
		return open_again(type, source);
	if (cgroup_fd >= 0)
		return open_cgroup(cgroup_fd, source);
	errno = ENOENT;
	return -1;
}

int mc_exec_again(struct mc_exec *x, const struct mc_op *op, int *mnt)
{
	const struct mc_src *s = &x->p->srcs[MC_REF_INDEX(op->obj)];
	const struct mc_sb *sb = &x->t->sbs[s->sb];
	const char *source = mc_mount_source(x->t, &x->t->mounts[s->index]);

	if (x->p->from[s->sb].kind == MC_FROM_FRESH && mc_sb_has_own_ns(sb) &&
	    !x->o->caller_namespaces) {
		*mnt = mount_again(mc_made_fsopen(x, s), source);
	} else {
		mc_count(x, FSOPEN);
		*mnt = open_type(sb->type, source, x->cgroup_fd);
	}
	if (*mnt < 0)
		return mc_exec_fail(x, op, errno, "opening it once more");
	return 0;
}

bool mc_exec_is_had(const char *type, const struct mc_sb *sb, int *cgroup_fd)
{
	struct statx st;
	bool same;
	int fd;

	if (!strcmp(type, "cgroup2") && *cgroup_fd < 0)
		*cgroup_fd = root_cgroup();
	fd = open_type(type, NULL, *cgroup_fd);
	same = fd >= 0 && !statx(fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT |
				 AT_STATX_DONT_SYNC, STATX_INO, &st) &&
	       st.stx_dev_major == sb->major && st.stx_dev_minor == sb->minor;
	mc_close(fd);
	return same;
}

void mc_exec_probe_again(const struct mc_topology *t, bool *again, int *cgroup_fd)
{
	uint32_t m, i;

	for (m = 0; m < t->nr_mounts; m++) {
		const char *source = mc_mount_source(t, &t->mounts[m]);
		const struct mc_sb *sb = &t->sbs[t->mounts[m].sb];

		/* Only where mounts of it show several. */
		if (source && sb->source && strcmp(source, sb->source))
			again[t->mounts[m].sb] = mc_type_of(sb->type)->again;
	}
	for (i = 0; i < t->nr_sbs; i++)
		again[i] = again[i] && mc_exec_is_had(t->sbs[i].type, &t->sbs[i], cgroup_fd);
}
