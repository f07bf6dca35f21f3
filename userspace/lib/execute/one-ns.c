// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What was of one pid, net or ipc namespace, and comes from paths and descriptors: is it of
 * one there?  The kernel tells by id, of files, and with the series of superblocks, too.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <inttypes.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/vfs.h>

#include "execute/execute.h"

struct looking {
	const struct mc_plan *p;
	const int *external_fd;
	struct mc_exec *x;
	bool asked, tells;	/* of superblocks; this kernel does */
};

struct of_ns {
	uint32_t type;		/* CLONE_NEW* */
	uint64_t nr;		/* in the image */
	uint64_t id;		/* of what is there */
	uint32_t mount;
};

static int cmp_ns(const void *a, const void *b)
{
	const struct of_ns *x = a, *y = b;

	if (x->type != y->type)
		return x->type < y->type ? -1 : 1;
	if (x->nr != y->nr)
		return x->nr < y->nr ? -1 : 1;
	return (x->mount > y->mount) - (x->mount < y->mount);
}

/*
 * Of a file, which may have been opened for its path alone; 0: not known.  Kernels that have
 * no ids have inode numbers for all that can be told there.
 */
static uint64_t id_of_file(int fd)
{
	char path[40];
	struct stat st;
	uint64_t id = 0;
	int file;

	snprintf(path, sizeof(path), "/proc/thread-self/fd/%d", fd);
	file = open(path, O_RDONLY | O_CLOEXEC);
	if (file >= 0 && ioctl(file, MC_NS_GET_ID, &id))
		id = fstat(file, &st) ? 0 : st.st_ino;
	mc_close(file);
	return id;
}

/* Of a proc, by its init, if it has one. */
static uint64_t id_of_init(int proc)
{
	int file = openat(proc, "1/ns/pid", O_RDONLY | O_CLOEXEC | O_NOCTTY);
	uint64_t id = file < 0 ? 0 : id_of_file(file);

	mc_close(file);
	return id;
}

/* A kernel that does not know that bit may mean another thing by it. */
static bool tells(struct looking *l)
{
	struct mntcr_error e;
	uint64_t unknown;

	if (!l->asked)
		l->tells = !mc_statmount_unknown(&unknown, &e) &&
			   !(unknown & MC_STATMOUNT_SB_NS);
	l->asked = true;
	return l->tells;
}

static uint64_t id_at(struct looking *l, int fd, uint32_t type)
{
	const struct mc_mnt_id_req req = {
		.size = MC_MNT_ID_REQ_SIZE_VER1, .mnt_ns_fd = (uint32_t)fd,
		.param = MC_STATMOUNT_SB_NS,
	};
	struct mc_statmount sm;
	struct statfs fs;

	if (fd < 0 || fstatfs(fd, &fs))
		return 0;
	if (fs.f_type == NSFS_MAGIC)
		return id_of_file(fd);
	if (tells(l) && !mc_statmount(&req, &sm, sizeof(sm), MC_STATMOUNT_BY_FD) &&
	    sm.mask & MC_STATMOUNT_SB_NS)
		return sm.sb_ns_type == type ? sm.sb_ns_id : 0;
	return type == CLONE_NEWPID && fs.f_type == PROC_SUPER_MAGIC ? id_of_init(fd) : 0;
}

/* What is live is what the image says. */
static uint64_t id_of_live(const struct mc_topology *t, const struct mc_mount *m,
			   uint32_t type)
{
	const struct mc_sb *sb = &t->sbs[m->sb];

	return m->nsfs_type ? m->nsfs_id : sb->shown_type == type ? sb->shown_id : 0;
}

static uint64_t id_of(struct looking *l, const struct mc_src *s, const struct of_ns *n)
{
	struct mc_exec *x = l->x;

	switch (s->kind) {
	case MC_SRC_EXTERNAL:
		return id_at(l, l->external_fd[s->index], n->type);
	case MC_SRC_LIVE:
		return id_of_live(l->p->topo, &l->p->topo->mounts[n->mount], n->type);
	case MC_SRC_GIVEN:
		return x ? id_at(l, x->need_fd[s->index], n->type) : 0;
	case MC_SRC_FRESH:
	case MC_SRC_AGAIN:
	case MC_SRC_NSMADE:
		return x ? id_at(l, mc_plan_is_ns_given(l->p, s) ? x->need_fd[s->need] :
				 mc_made_fd(x, n->type, n->nr), n->type) : 0;
	default:
		return 0;
	}
}

int mc_one_ns(const struct mc_plan *p, const int *external_fd, struct mc_exec *x,
	      void (*differ)(void *data, uint32_t a, uint32_t b, uint32_t type), void *data,
	      struct mntcr_error *e)
{
	struct looking l = { .p = p, .external_fd = external_fd, .x = x };
	const struct mc_topology *t = p->topo;
	struct of_ns *of = calloc(t->nr_mounts + 1UL, sizeof(*of));
	bool *seen = calloc(p->nr_srcs + 1UL, sizeof(*seen));
	const struct mc_src *s;
	const char *path;
	uint32_t m, i, n = 0;
	int ret = of && seen ? 0 : mc_nomem(e);

	for (m = 0; !ret && m < t->nr_mounts; m++) {
		of[n].mount = m;
		if (p->src_of[m] == MC_NONE ||
		    !mc_mount_ns(t, &t->mounts[m], &of[n].type, &of[n].nr))
			continue;
		s = mc_exec_base_of(p, p->src_of[m], &path);
		if (seen[s - p->srcs])
			continue;
		seen[s - p->srcs] = true;
		of[n].id = id_of(&l, s, &of[n]);
		n += of[n].id != 0;
	}
	if (!ret)
		qsort(of, n, sizeof(*of), cmp_ns);
	for (i = 1; i < n; i++)
		if (of[i].type == of[i - 1].type && of[i].nr == of[i - 1].nr &&
		    of[i].id != of[i - 1].id)
			differ(data, of[i - 1].mount, of[i].mount, of[i].type);
	free(of);
	free(seen);
	return ret;
}

/* --- how pid namespaces lie in one another ------------------------------------------ */

/* What is there for one of the image. */
struct level {
	uint64_t ns;		/* in the image */
	uint64_t ino;
	uint32_t was, is;	/* levels below the dumper's and the caller's; MC_NONE */
	const uint64_t *above_was; /* was - 1 in the image, or NULL */
	uint64_t above[MC_PID_LEVELS];
};

struct levels {
	const struct mc_exec *x;
	ino_t own;
	struct level first;	/* whose depths are both known */
	bool any;
	struct mc_map *was, *is; /* inode numbers, one to one */
	uint32_t nr;
};

static void level_of(const struct levels *l, uint64_t ns, uint32_t was,
		     const uint64_t *above, int file, struct level *at)
{
	int depth = mc_pidns_depth(file, l->own, at->above);
	struct stat st;

	at->ns = ns;
	at->was = was;
	at->above_was = above;
	at->is = depth < 0 ? MC_NONE : (uint32_t)depth;
	at->ino = fstat(file, &st) ? 0 : st.st_ino;
}

/* The caller may be further in, or out, than the dumper was. */
static int is_as_deep(struct levels *l, const struct level *at, struct mntcr_error *e)
{
	if (at->was == MC_NONE || at->is == MC_NONE)
		return 0;
	if (l->any && at->is - l->first.is != at->was - l->first.was)
		return mc_refuse(e, "given-namespace-depth",
				 "pid:[%" PRIu64 "] and pid:[%" PRIu64 "] lay %u and %u levels below the dumper's, and what is there for them lies %u and %u below the caller's",
				 l->first.ns, at->ns, l->first.was, at->was, l->first.is, at->is);
	if (!l->any)
		l->first = *at;
	l->any = true;
	return 0;
}

/* Each of those above it is what is there for others as well. */
static int is_below_them(struct levels *l, const struct level *at, struct mntcr_error *e)
{
	uint32_t i;
	int ret = at->ino ? mc_map_pair(l->was, l->is, &l->nr, at->ns, at->ino) : 1;

	for (i = 0; ret > 0 && at->above_was && at->is != MC_NONE && i + 1 < at->was &&
	     i + 1 < at->is; i++)
		ret = mc_map_pair(l->was, l->is, &l->nr, at->above_was[i], at->above[i]);
	if (ret < 0)
		return mc_nomem(e);
	if (ret)
		return 0;
	if (!i)
		return mc_refuse(e, "given-namespace-parent",
				 "pid:[%" PRIu64 "] was another one than the rest, and what they lay in, and what is there for it is one of these",
				 at->ns);
	return mc_refuse(e, "given-namespace-parent",
			 "pid:[%" PRIu64 "] lay in pid:[%" PRIu64 "], and what is there for it does not lie in what is there for that",
			 at->ns, at->above_was[i - 1]);
}

static int add_level(struct levels *l, const struct level *at, struct mntcr_error *e)
{
	return is_as_deep(l, at, e) || is_below_them(l, at, e) ? -1 : 0;
}

static int compare_levels(struct levels *l, struct mntcr_error *e)
{
	const struct mc_exec *x = l->x;
	const struct mc_sb *sb;
	struct level at;
	uint32_t i;

	/* in the image, those that are made lie right below the dumper's */
	for (i = 0; i < x->nr_made; i++) {
		if (x->made[i].type != CLONE_NEWPID)
			continue;
		level_of(l, x->made[i].nr, 1, NULL, x->made[i].fd, &at);
		if (add_level(l, &at, e))
			return -1;
	}
	for (i = 0; i < x->p->nr_needs; i++) {
		const struct mc_need *n = &x->p->needs[i];

		if (n->kind != MNTCR_GIVEN_PID || x->need_fd[i] < 0)
			continue;
		sb = &x->t->sbs[x->t->mounts[n->mount].sb];
		level_of(l, n->id, sb->pidns_depth, sb->pidns_above, x->need_fd[i], &at);
		if (add_level(l, &at, e))
			return -1;
	}
	return 0;
}

int mc_pid_levels(const struct mc_exec *x, struct mntcr_error *e)
{
	struct levels l = { .x = x, .was = mc_map_new(), .is = mc_map_new() };
	struct stat own;
	int ret;

	if (!fstatat(x->proc_fd, "self/ns/pid", &own, 0))
		l.own = own.st_ino;
	ret = l.was && l.is ? compare_levels(&l, e) : mc_nomem(e);
	mc_map_free(l.was);
	mc_map_free(l.is);
	return ret;
}
