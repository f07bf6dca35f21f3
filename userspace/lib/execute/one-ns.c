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

/* How many levels below the caller's a pid namespace is; MC_NONE: it is not below it. */
static uint32_t depth_of(const struct mc_exec *x, int file)
{
	struct stat own;
	int depth = fstatat(x->proc_fd, "self/ns/pid", &own, 0) ? -1 :
		    mc_pidns_depth(file, own.st_ino);

	return depth < 0 ? MC_NONE : (uint32_t)depth;
}

struct depth {
	uint64_t ns;		/* in the image */
	uint32_t was, is;	/* below the dumper's and the caller's */
};

/* In the image, those that are made lie right below the dumper's. */
static bool is_made(const struct mc_exec *x, struct depth *d)
{
	uint32_t i;

	*d = (struct depth){ .is = MC_NONE };
	for (i = 0; i < x->nr_made && d->is == MC_NONE; i++)
		if (x->made[i].type == CLONE_NEWPID)
			*d = (struct depth){ .ns = x->made[i].nr, .was = 1,
					     .is = depth_of(x, x->made[i].fd) };
	return d->is != MC_NONE;
}

int mc_pid_depths(const struct mc_exec *x, struct mntcr_error *e)
{
	const struct mc_topology *t = x->t;
	struct depth first, d;
	bool any = is_made(x, &first), known;
	uint32_t i;

	for (i = 0; i < x->p->nr_needs; i++) {
		const struct mc_need *n = &x->p->needs[i];

		if (n->kind != MNTCR_GIVEN_PID || x->need_fd[i] < 0)
			continue;
		d.ns = n->id;
		d.was = t->sbs[t->mounts[n->mount].sb].pidns_depth;
		d.is = depth_of(x, x->need_fd[i]);
		known = d.was != MC_NONE && d.is != MC_NONE;
		/* the caller may be further in, or out, than the dumper was */
		if (known && any && d.is - first.is != d.was - first.was)
			return mc_refuse(e, "given-namespace-depth",
					 "pid:[%" PRIu64 "] and pid:[%" PRIu64 "] lay %u and %u levels below the dumper's, and what is there for them lies %u and %u below the caller's",
					 first.ns, d.ns, first.was, d.was, first.is, d.is);
		if (known && !any)
			first = d;
		any = any || known;
	}
	return 0;
}
