// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What kind of file is a mount's root?  statmount(2) and mountinfo do not say,
 * and a restore into fresh filesystems has to make it, and mountpoints.  What
 * cannot be found out stays unknown: that is no error.
 *
 * Nothing here may block on a dead server or start an automounter: paths are
 * walked in the dentry cache only, where mountpoints and all above them always
 * are, unless only the kernel can be asked; attributes are not synchronised.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>

#include "base/base.h"
#include "capture/capture.h"

struct look {
	struct mc_topology *t;
	const struct cap_ns *ns;
	struct cap_ids ids;
	struct cap_seen seen;
	int root;		/* -2: not tried */
	bool *asked;		/* per superblock: for its UUID */
};

/*
 * The pid namespace that a proc shows, by its init, and which others lie between that
 * one and the dumper's own.
 */
static void note_pidns(struct mntcr_topology *t, struct mc_sb *sb, int proc)
{
	int fd = openat(proc, "1/ns/pid", O_RDONLY | O_CLOEXEC | O_NOCTTY);
	uint64_t above[MC_PID_LEVELS], *copy;
	struct stat own, st;
	size_t size;
	int depth;

	/* there may be one that is hidden, too */
	sb->pidns_no_init = fd < 0 && errno == ENOENT &&
			    !(sb->options && strstr(sb->options, "hidepid="));
	if (fd < 0 || stat("/proc/self/ns/pid", &own) || fstat(fd, &st)) {
		mc_close(fd);
		return;
	}
	depth = mc_pidns_depth(fd, own.st_ino, above);
	mc_close(fd);
	/* known as a whole, or not at all */
	if (depth == -2)
		return;
	sb->pidns_ino = st.st_ino;
	if (depth >= 0)
		sb->pidns_depth = (uint32_t)depth;
	if (depth < 2)
		return;
	size = (size_t)(depth - 1) * sizeof(*above);
	copy = mc_topology_alloc(t, size);
	sb->pidns_above = copy ? memcpy(copy, above, size) : NULL;
}

/* Of a superblock, what no option says. */
static void note_sb(struct look *l, const struct mc_mount *m, int fd)
{
	struct mc_sb *sb = &l->t->sbs[m->sb];
	char uuid[MC_UUID_LEN + 1];
	struct statfs fs;

	if (!strcmp(sb->type, "tmpfs") && !sb->sized && !fstatfs(fd, &fs)) {
		sb->sized = true;
		sb->size = (uint64_t)fs.f_blocks * (uint64_t)fs.f_bsize;
		sb->inodes = fs.f_files;
	}
	if (mc_type_of(sb->type)->kind == MC_TYPE_DEVICE && l->asked && !l->asked[m->sb]) {
		l->asked[m->sb] = true;
		if (mc_fs_uuid(fd, uuid))
			sb->uuid = mc_topology_str(l->t, uuid);
	}
	if (!strcmp(sb->type, "proc") && !sb->pidns_ino && !strcmp(m->root, "/"))
		note_pidns(l->t, sb, fd);
}

static void note(struct look *l, struct mc_mount *m, int fd, bool unique)
{
	char target[MC_MAX_TARGET + 1];
	struct statx stx;

	/* Another one may lie over it. */
	if (mc_look(fd, CAP_FILE_MASK | STATX_INO | STATX_NLINK |
		    (unique ? STATX_MNT_ID_UNIQUE : 0), &stx) ||
	    !(stx.stx_mask & (STATX_MNT_ID | STATX_MNT_ID_UNIQUE)) ||
	    stx.stx_mnt_id != (stx.stx_mask & STATX_MNT_ID_UNIQUE ? m->id :
			       m->id_old) ||
	    !(stx.stx_attributes & STATX_ATTR_MOUNT_ROOT))
		return;
	note_sb(l, m, fd);
	cap_nsfs(l->t, m, fd);
	if (m->root_deleted && stx.stx_mask & STATX_INO) {
		m->root_ino = mc_inode_key(stx.stx_dev_minor, stx.stx_ino);
		m->root_named = !S_ISDIR(stx.stx_mode) &&
				(!(stx.stx_mask & STATX_NLINK) || stx.stx_nlink);
	}
	m->mp_type = S_ISDIR(stx.stx_mode) ? MC_MP_DIR : MC_MP_OTHER;
	cap_file(&l->ids, m, &stx, &m->root_file);
	if (S_ISLNK(m->root_file.mode) && cap_target(l->t, m, fd, target))
		m->root_file.target = mc_topology_str(l->t, target);
}

static void by_id(struct look *l, uint32_t i)
{
	int fd = cap_open_by_id(l->t, l->ns, i);

	if (fd >= 0)
		note(l, &l->t->mounts[i], fd, true);
	mc_close(fd);
}

static void by_path(struct look *l, uint32_t i)
{
	struct mc_mount *m = &l->t->mounts[i];
	char buf[CAP_PATH_MAX];
	const char *path;
	int fd;

	if (cap_is_covered(l->t, i) || !cap_path(l->t, i, buf, &path))
		return;
	if (l->root == -2)
		l->root = cap_open_entered(l->ns, "root", O_PATH | O_DIRECTORY);
	if (l->root < 0 && l->ns->src->type == MNTCR_SOURCE_PID)
		l->root = cap_open_proc(l->ns, (pid_t)l->ns->src->pid, "root",
					O_PATH | O_DIRECTORY);
	if (l->root < 0) {
		l->root = -1;
		return;
	}
	fd = mc_open_way(l->root, path, mc_local_way(l->t, i),
			 MC_RESOLVE_IN_ROOT | MC_RESOLVE_NO_MAGICLINKS);
	if (fd >= 0)
		note(l, m, fd, l->t->unique_ids);
	mc_close(fd);
}

static size_t root_len(const struct mc_mount *m)
{
	return m->root[1] ? strlen(m->root) : 0;
}

/*
 * What m shows, where another mount of its superblock, which a path leads to, has
 * it: none leads to m where one is covered.
 */
static void by_other(struct look *l, struct mc_mount *m, uint32_t other)
{
	const struct mc_mount *o = &l->t->mounts[other];
	size_t skip = root_len(o), local = 0;
	char buf[CAP_PATH_MAX], *full, target[MC_MAX_TARGET + 1];
	struct statx stx;
	const char *path;
	int fd;

	if (m->root_deleted || m->root[0] != '/' || strncmp(m->root, o->root, skip))
		return;
	if (!strcmp(m->root, o->root)) {
		m->mp_type = o->mp_type;
		if (m->idmap == o->idmap)
			m->root_file = o->root_file;
		return;
	}
	if (m->root[skip] != '/' || !cap_path(l->t, other, buf, &path))
		return;
	if (asprintf(&full, "%s%s", path[1] ? path : "", m->root + skip) < 0)
		return;
	if (mc_sb_is_local(&l->t->sbs[o->sb]))
		local = mc_local_way(l->t, other) + strlen(m->root + skip);
	fd = mc_open_way(l->root, full, local,
			 MC_RESOLVE_IN_ROOT | MC_RESOLVE_NO_MAGICLINKS);
	free(full);
	/* not what is mounted on it there, nor where a mount has come meanwhile */
	if (fd >= 0 && !mc_look(fd, CAP_FILE_MASK | (l->t->unique_ids ?
		    STATX_MNT_ID_UNIQUE : STATX_MNT_ID), &stx) &&
	    mc_look_is(&stx, l->t->unique_ids, o->id, o->id_old) &&
	    stx.stx_mode & S_IFMT) {
		m->mp_type = S_ISDIR(stx.stx_mode) ? MC_MP_DIR : MC_MP_OTHER;
		/* its owner, as an idmap shows it, is not what another shows */
		if (m->idmap == o->idmap)
			cap_file(&l->ids, m, &stx, &m->root_file);
		if (S_ISLNK(m->root_file.mode) && cap_target(l->t, m, fd, target))
			m->root_file.target = mc_topology_str(l->t, target);
	}
	mc_close(fd);
}

/* Of each superblock, the widest mount that was reached serves all others. */
static void by_others(struct look *l, uint32_t first, uint32_t end)
{
	struct mc_mount *m = l->t->mounts;
	uint32_t *widest, i;

	widest = malloc(l->t->nr_sbs * sizeof(*widest));
	if (!widest)
		return;
	memset(widest, 0xff, l->t->nr_sbs * sizeof(*widest));	/* MC_NONE */
	for (i = first; i < end; i++) {
		uint32_t *w = &widest[m[i].sb];

		if (m[i].root_file.mode && m[i].root[0] == '/' && !m[i].root_deleted &&
		    (*w == MC_NONE || root_len(&m[i]) < root_len(&m[*w])))
			*w = i;
	}
	for (i = first; i < end && l->root >= 0; i++)
		if (!m[i].root_file.mode && widest[m[i].sb] != MC_NONE)
			by_other(l, &m[i], widest[m[i].sb]);
	free(widest);
}

/* Another namespace, or mount, has shown the same. */
static bool by_seen(struct look *l, uint32_t i)
{
	const struct mc_file *f = cap_seen_get(&l->seen, i, false);
	struct mc_mount *m = &l->t->mounts[i];

	if (!f)
		return false;
	m->root_file = *f;
	m->mp_type = S_ISDIR(f->mode) ? MC_MP_DIR : MC_MP_OTHER;
	return true;
}

/*
 * A directory can be covered by a directory only, anything else by anything
 * else only: so the type of one in a stack tells that of the others.
 */
static void by_cover(struct mc_topology *t, uint32_t i)
{
	struct mc_mount *m = &t->mounts[i], *p;

	if (m->parent == MC_NONE || m->mountpoint[1])
		return;
	p = &t->mounts[m->parent];
	if (p->mp_type == MC_MP_UNKNOWN)
		p->mp_type = m->mp_type;
	else if (m->mp_type == MC_MP_UNKNOWN)
		m->mp_type = p->mp_type;
}

void cap_types(struct mc_topology *t, const struct cap_ns *ns, size_t nr)
{
	struct look l = { .t = t };
	uint32_t i, end;
	size_t n;

	l.asked = calloc(t->nr_sbs + 1UL, sizeof(*l.asked));
	cap_ids_init(&l.ids);
	cap_seen_init(&l.seen, t);
	for (n = 0; n < nr; n++) {
		l.ns = &ns[n];
		l.root = -2;
		i = t->ns[n].nr_mounts ? t->ns[n].first_mount : 0;
		for (end = i + t->ns[n].nr_mounts; i < end; i++) {
			struct mc_mount *m = &t->mounts[i];

			if (m->nr_children && m->mp_type == MC_MP_UNKNOWN) {
				/* what has something below it is one */
				uint32_t c;

				mc_for_each_child(t, c, i)
					if (t->mounts[c].mountpoint[1])
						m->mp_type = MC_MP_DIR;
			}
			if (by_seen(&l, i))
				continue;
			by_id(&l, i);
			if (!m->root_file.mode)
				by_path(&l, i);
			cap_seen_add(&l.seen, i, false);
		}
		by_others(&l, t->ns[n].nr_mounts ? t->ns[n].first_mount : end, end);
		mc_close(l.root);
		cap_under(t, (uint32_t)n, &ns[n], &l.ids, &l.seen);
	}
	cap_seen_free(&l.seen);
	free(l.asked);
	/* from the mounts on top to those below them, then back */
	for (i = 0; i < t->nr_mounts; i++)
		by_cover(t, i);
	for (i = t->nr_mounts; i-- > 0;)
		by_cover(t, i);
}
