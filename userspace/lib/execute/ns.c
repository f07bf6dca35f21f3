// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * New mount namespaces.  unshare(2) moves its caller, so it happens in a
 * thread with root and cwd of its own: descriptors are shared with it, nothing
 * else is.  A namespace owned by another user namespace takes a process, since
 * threads cannot change theirs; it shares the descriptor table as well.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "execute/execute.h"

/*
 * By a descriptor of the caller's /proc: an empty namespace has none mounted.
 */
static int open_self(int proc_fd, const char *who)
{
	char path[32];

	strcpy(path, who);
	strcat(path, "/ns/mnt");
	return openat(proc_fd, path, O_RDONLY | O_CLOEXEC);
}

int mc_ns_open_self(struct mc_exec *x)
{
	mc_count(x, OPENAT);
	return open_self(x->proc_fd, "thread-self");
}

/* Were it shared, the root of the next namespace, a copy, would be its peer. */
static int make_private(void)
{
	struct mc_mount_attr attr = { .propagation = MS_PRIVATE };

	return mc_mount_setattr(AT_FDCWD, "/", 0, &attr, MC_MOUNT_ATTR_SIZE_VER0);
}

/* --- ids that ascend ------------------------------------------------------ */

static uint64_t id_of(struct mc_exec *x, int fd)
{
	uint64_t id = 0;

	mc_count(x, NS_ID);
	return fd >= 0 && !ioctl(fd, MC_NS_GET_MNTNS_ID, &id) ? id : 0;
}

static uint64_t id_of_new(struct mc_exec *x)
{
	uint64_t id;
	int fd;

	mc_count(x, UNSHARE);
	if (mc_unshare(x->no_empty_ns ? CLONE_NEWNS : UNSHARE_EMPTY_MNTNS) ||
	    make_private())
		return 0;
	fd = mc_ns_open_self(x);
	id = id_of(x, fd);
	mc_count(x, CLOSE);
	mc_close(fd);
	return id;
}

static bool stay_on(struct mc_exec *x, int cpu)
{
	cpu_set_t set;

	if (cpu < 0 || cpu >= CPU_SETSIZE)
		return false;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	mc_count(x, AFFINITY);
	return !sched_setaffinity(0, sizeof(set), &set);
}

static bool names_namespaces(const struct mc_exec *x)
{
	uint32_t i;

	for (i = 0; i < x->p->nr_srcs; i++)
		if (x->p->srcs[i].kind == MC_SRC_NSFILE)
			return true;
	return false;
}

/* On one of these, of which id_of_new() is larger; *knows: it could be asked. */
static bool stay_above(struct mc_exec *x, const cpu_set_t *cpus, uint64_t own,
		       bool *knows)
{
	uint64_t id;
	int cpu;

	for (cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, cpus) || !stay_on(x, cpu))
			continue;
		id = id_of_new(x);
		if (id > own)
			return true;
		*knows = *knows && id;
	}
	return false;
}

/* What the cpuset allows is more than what the caller asked for, maybe. */
static bool stay_anywhere(struct mc_exec *x, uint64_t own, bool *knows)
{
	cpu_set_t all;
	int cpu;

	memset(&all, 0xff, sizeof(all));
	mc_count(x, AFFINITY);
	mc_count(x, AFFINITY);
	if (sched_setaffinity(0, sizeof(all), &all) ||
	    sched_getaffinity(0, sizeof(all), &all))
		return false;
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &x->cpus))
			CPU_CLR(cpu, &all);
	return stay_above(x, &all, own, knows);
}

/*
 * The file of a namespace can be mounted only in one with a smaller id.  Some
 * kernels (6.18) let each CPU give out ids from a range of its own, so "made
 * later" means a larger id on one CPU only: stay on one, and where the caller's
 * namespace is to hold pins, on one that gives out larger ids than the caller's.
 */
int mc_ns_choose_cpu(struct mc_exec *x)
{
	bool knows = true;
	uint64_t own, id;
	int fd;

	if (!x->o->pin_dir && !names_namespaces(x))
		return 0;
	mc_count(x, AFFINITY);
	if (sched_getaffinity(0, sizeof(x->cpus), &x->cpus) ||
	    !stay_on(x, sched_getcpu()))
		return 0;
	x->on_one_cpu = true;
	if (!x->o->pin_dir)
		return 0;
	mc_count(x, OPENAT);
	fd = open_self(x->proc_fd, "self");
	own = id_of(x, fd);
	mc_close(fd);
	id = own ? id_of_new(x) : 0;
	if (!id || id > own || stay_above(x, &x->cpus, own, &knows) ||
	    stay_anywhere(x, own, &knows) || !knows)
		return 0;
	return mc_fail(x->e, MNTCR_SYS, ELOOP,
		       "pin: the caller's mount namespace has the id %llu, and each processor that may be used here makes namespaces with smaller ones, whose files cannot be mounted in it: pin from an older namespace, or allow more processors",
		       (unsigned long long)own);
}

void mc_ns_leave_cpu(struct mc_exec *x)
{
	if (!x->on_one_cpu)
		return;
	x->on_one_cpu = false;
	mc_count(x, AFFINITY);
	sched_setaffinity(0, sizeof(x->cpus), &x->cpus);
}

/* --- another owner -------------------------------------------------------- */

struct owned {
	int proc_fd, userns_fd, live_fd, ns_fd, root_fd;
};

/* Nothing in a copy is shared: what is done there goes nowhere else. */
static int copy_live(int live_fd)
{
	struct mc_mount_attr attr = { .propagation = MS_PRIVATE };

	return setns(live_fd, CLONE_NEWNS) || unshare(CLONE_NEWNS) ||
	       mc_mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &attr,
				MC_MOUNT_ATTR_SIZE_VER0);
}

static int owned_child(void *data)
{
	struct owned *w = data;

	if ((w->userns_fd >= 0 && setns(w->userns_fd, CLONE_NEWUSER)) ||
	    (w->live_fd >= 0 ? copy_live(w->live_fd) :
	     mc_unshare(UNSHARE_EMPTY_MNTNS) || make_private()))
		return errno;
	w->ns_fd = open_self(w->proc_fd, "self");
	w->root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return w->ns_fd < 0 || w->root_fd < 0 ? errno : 0;
}

static int make_owned(struct mc_exec *x, int userns_fd, int live_fd, int *ns_fd,
		      int *root_fd)
{
	struct owned w = {
		.proc_fd = x->proc_fd, .userns_fd = userns_fd, .live_fd = live_fd,
		.ns_fd = -1, .root_fd = -1,
	};
	int ret = mc_child_task(owned_child, &w, sizeof(w), -1);

	*ns_fd = w.ns_fd;
	*root_fd = w.root_fd;
	return ret;
}

/* The user namespace that is to own it, if it is not ours; x's to close. */
static int owner(struct mc_exec *x, uint32_t ns, int *fd)
{
	const struct mc_ns *n = &x->t->ns[ns];

	*fd = -1;
	if (n->userns == MC_NONE || x->t->userns[n->userns].dumper)
		return 0;
	*fd = mc_owner_fd(x, n->userns);
	if (*fd < 0)
		return mc_fail(x->e, MNTCR_SYS, errno,
			       "namespace %u: asking for its owner", ns);
	return 0;
}

/* --- copies of live ones --------------------------------------------------- */

/*
 * By a child in the owner's user namespace: in a copy that another owner makes,
 * all is locked.
 */
static int make_copy(struct mc_exec *x, uint32_t ns, const struct mc_op *op)
{
	int userns_fd, ret;

	if (x->copy_ns_fd >= 0 && x->copy_of == ns)
		return 0;
	if (owner(x, ns, &userns_fd))
		return -1;
	mc_close(x->copy_ns_fd);
	mc_close(x->copy_root_fd);
	x->copy_ns_fd = x->copy_root_fd = -1;
	mc_count(x, UNSHARE);
	ret = make_owned(x, userns_fd, x->live_fd[ns], &x->copy_ns_fd,
			 &x->copy_root_fd);
	if (ret)
		ret = mc_exec_fail(x, op, errno, "copying its namespace");
	x->copy_of = ns;
	return ret;
}

struct strip {
	struct mc_exec *x;
	char **paths;
	uint32_t nr, at;
	uint32_t mount;	/* below which that is */
	int copy;	/* of which this is the copy */
	uint64_t id;	/* its id, as mountinfo has it; 0: not to be had */
	/* how many there are on it in the end, and the sum of their devices */
	uint32_t left;
	uint64_t devices;
};

static uint64_t device(uint64_t major, uint64_t minor)
{
	return major << 32 | minor;
}

static bool comes_along(const struct mc_exec *x, uint32_t m)
{
	return x->p->src_of[m] != MC_NONE && x->p->srcs[x->p->src_of[m]].along;
}

/*
 * First come the id, the parent's and the device: proc_pid_mountinfo(5).  Without unique
 * ids another mount may have the id of one that is gone, and of a file that is no
 * directory statx(2) need not show that device.  Nothing is allocated: a child has the
 * locks of threads that it does not have.
 */
static int count_children(const struct strip *w)
{
	char buf[4096], *c;
	unsigned int field = 0;
	uint64_t value = 0, major = 0, devices = 0;
	bool child = false;
	uint32_t n = 0;
	ssize_t got;
	int fd = openat(w->x->proc_fd, "thread-self/mountinfo", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return errno;
	while ((got = read(fd, buf, sizeof(buf))) > 0)
		for (c = buf; c < buf + got; c++)
			if (*c == '\n') {
				field = 0;
				value = 0;
			} else if (*c == ' ') {
				field++;
				if (field == 2)
					child = value == w->id;
				if (field == 3 && child) {
					n++;
					devices += device(major, value);
				}
				value = 0;
			} else if (*c == ':') {
				major = value;
				value = 0;
			} else if (field < 3) {
				value = value * 10 + (uint64_t)(*c - '0');
			}
	close(fd);
	return got < 0 ? EIO : n == w->left && devices == w->devices ? 0 : ESTALE;
}

/* errno stays. */
static bool is_mount(int fd)
{
	int err = errno;
	struct statx st;
	bool is = mc_look(fd, 0, &st) || st.stx_attributes & STATX_ATTR_MOUNT_ROOT;

	errno = err;
	return is;
}

/* They are as they were dumped, whatever the live ones have become. */
static int set_along(const struct strip *w)
{
	struct mc_mount_attr attr;
	uint32_t c;
	int fd, ret;

	mc_for_each_child(w->x->t, c, w->mount) {
		if (!comes_along(w->x, c))
			continue;
		fd = mc_exec_below(w->x, w->copy, w->x->t->mounts[c].mountpoint + 1, true);
		mc_exec_attr(w->x, c, &attr);
		ret = fd < 0 ? -1 : mc_mount_setattr(fd, "", AT_EMPTY_PATH, &attr,
						     MC_MOUNT_ATTR_SIZE_VER0);
		if (ret && fd >= 0 && errno == EINVAL && !is_mount(fd))
			errno = ESTALE;
		ret = ret ? errno : 0;
		mc_close(fd);
		errno = ret;
		if (ret)
			return -1;
	}
	return 0;
}

/* By descriptor: a path could be led astray. */
static int strip_child(void *data)
{
	struct strip *w = data;
	char name[16];
	int dir, fd;

	dir = openat(w->x->proc_fd, "thread-self/fd",
		     O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || setns(w->x->copy_ns_fd, CLONE_NEWNS) || fchdir(dir)) {
		int err = errno;

		mc_close(dir);
		return err;
	}
	for (; w->at < w->nr; w->at++) {
		fd = mc_exec_below(w->x, w->x->copy_root_fd, w->paths[w->at], true);
		snprintf(name, sizeof(name), "%d", fd);
		if (fd < 0 || umount2(name, MNT_DETACH)) {
			int err = fd < 0 || is_mount(fd) ? errno : ESTALE;

			mc_close(fd);
			mc_close(dir);
			return err;
		}
		close(fd);
	}
	close(dir);
	if (set_along(w))
		return errno;
	return w->id ? count_children(w) : 0;
}

#define CHANGED	"what is mounted on it has changed since it was dumped"

/* Where nobody may ask for the number, the device has to do. */
static bool same_file(const struct statx *a, const struct statx *b)
{
	return a->stx_ino == b->stx_ino && a->stx_dev_major == b->stx_dev_major &&
	       a->stx_dev_minor == b->stx_dev_minor;
}

/* What is mounted there, with its id; -1: errno. */
static int look_at(struct mc_exec *x, int parent, const struct mc_mount *m, struct statx *st)
{
	int fd = mc_exec_below(x, parent, m->mountpoint + 1, true), ret = -1, err;

	mc_count(x, STATX);
	if (fd >= 0)
		ret = mc_look(fd, STATX_INO | (x->t->unique_ids ? STATX_MNT_ID_UNIQUE :
					       STATX_MNT_ID), st);
	err = errno;
	mc_close(fd);
	errno = err;
	return ret;
}

/* What comes along is what the image has there, and not what is there by now. */
static int check_along(struct mc_exec *x, uint32_t mount, int live, int copy,
		       const struct mc_op *op)
{
	struct statx was, is;
	uint32_t c;

	mc_for_each_child(x->t, c, mount) {
		const struct mc_mount *m = &x->t->mounts[c];

		if (!comes_along(x, c))
			continue;
		if (look_at(x, live, m, &was) || look_at(x, copy, m, &is))
			return mc_exec_fail(x, op, errno, CHANGED);
		if ((was.stx_mask & (STATX_MNT_ID | STATX_MNT_ID_UNIQUE) &&
		     !mc_look_is(&was, x->t->unique_ids, m->id, m->id_old)) ||
		    !same_file(&was, &is))
			return mc_exec_fail(x, op, ESTALE, CHANGED);
	}
	return 0;
}

/*
 * Unmount what is in the list there.  Then nothing is left on mount but what is cloned
 * with it, unless something was mounted or unmounted there since it was dumped.
 */
static int strip_copy(struct mc_exec *x, uint32_t mount, int copy, uint64_t id,
		      const struct mc_op *op)
{
	struct strip w = { .x = x, .nr = op->nr, .mount = mount, .copy = copy, .id = id };
	const struct mc_sb *sb;
	uint32_t i;
	int ret = -1;

	mc_for_each_child(x->t, i, mount) {
		if (!comes_along(x, i))
			continue;
		sb = &x->t->sbs[x->t->mounts[i].sb];
		w.left++;
		w.devices += device(sb->major, sb->minor);
	}
	w.paths = calloc(op->nr + 1, sizeof(*w.paths));
	for (i = 0; w.paths && i < op->nr; i++) {
		w.paths[i] = mc_mount_path(x->t, MC_REF_INDEX(x->p->list[op->first + i]));
		if (!w.paths[i])
			break;
	}
	if (!w.paths || i < op->nr) {
		mc_nomem(x->e);
		goto out;
	}
	ret = mc_child_task(strip_child, &w, sizeof(w), -1);
	if (ret) {
		if (errno == ESTALE)
			mc_exec_fail(x, op, ESTALE, CHANGED);
		else if (w.at < op->nr)
			mc_exec_fail_unmount(x, op,
					     MC_REF_INDEX(x->p->list[op->first + w.at]),
					     errno, "a copy of its namespace");
		else
			mc_exec_fail(x, op, errno, "entering a copy of its namespace");
	}
out:
	for (i = 0; w.paths && i < op->nr; i++)
		free(w.paths[i]);
	free(w.paths);
	return ret;
}

int mc_ns_copied(struct mc_exec *x, uint32_t mount, int fd,
		 const struct mc_op *op)
{
	bool with_unlinked = x->p->srcs[MC_REF_INDEX(op->obj)].with_unlinked;
	struct statx was, is;
	char *path;
	int copy;

	if (make_copy(x, x->t->mounts[mount].ns, op))
		return -1;
	path = mc_mount_path(x->t, mount);
	if (!path)
		return mc_nomem(x->e);
	copy = mc_exec_below(x, x->copy_root_fd, path, true);
	free(path);
	if (copy < 0)
		return mc_exec_fail(x, op, errno, "opening it in a copy of its namespace");
	if (mc_exec_junk(x, copy))
		return -1;
	mc_count(x, STATX);
	mc_count(x, STATX);
	if (mc_look(fd, STATX_INO, &was) || mc_look(copy, STATX_INO | STATX_MNT_ID, &is))
		return mc_exec_fail(x, op, errno, "statx of the live mount");
	if (same_file(&was, &is))
		return with_unlinked &&
		       (strip_copy(x, mount, copy, is.stx_mask & STATX_MNT_ID ? is.stx_mnt_id : 0, op) ||
			check_along(x, mount, fd, copy, op)) ? -1 : copy;
	return mc_exec_fail(x, op, ESTALE, "in a copy of its namespace, its path leads to another mount");
}

/* --- ours ----------------------------------------------------------------- */

int mc_ns_make_here(struct mc_exec *x, uint32_t ns)
{
	const struct mc_op op = { .type = MC_OP_NS, .obj = MC_REF(MC_REF_NS, ns) };
	int userns_fd, ret;

	if (owner(x, ns, &userns_fd))
		return -1;
	if (userns_fd >= 0) {
		mc_count(x, UNSHARE);
		ret = make_owned(x, userns_fd, -1, &x->ns_fd[ns],
				 &x->nsroot_fd[ns]);
		if (ret)
			return mc_exec_fail(x, &op, errno, "in its user namespace");
		return 0;
	}
	mc_count(x, UNSHARE);
	if (mc_unshare(x->no_empty_ns ? CLONE_NEWNS : UNSHARE_EMPTY_MNTNS))
		return mc_exec_fail(x, &op, errno, "unshare");
	mc_count(x, MOUNT_SETATTR);
	if (make_private())
		return mc_exec_fail(x, &op, errno, "making its root private");
	x->ns_fd[ns] = mc_ns_open_self(x);
	if (x->ns_fd[ns] < 0)
		return mc_exec_fail(x, &op, errno, "opening its file");
	mc_count(x, OPENAT);
	x->nsroot_fd[ns] = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (x->nsroot_fd[ns] < 0)
		return mc_exec_fail(x, &op, errno, "opening its root");
	return 0;
}

struct maker {
	struct mc_exec *x;
	int ret;
};

static void *make_all(void *data)
{
	struct maker *m = data;
	struct mc_exec *x = m->x;
	uint32_t i;

	m->ret = -1;
	mc_count(x, UNSHARE);	/* that of mc_in_thread() */
	if (mc_ns_choose_cpu(x))
		return NULL;
	for (i = x->op_at; i < x->ops_end && x->p->ops[i].type == MC_OP_NS; i++)
		if (mc_ns_make_here(x, MC_REF_INDEX(x->p->ops[i].obj)))
			return NULL;
	x->ns_made = i;
	m->ret = 0;
	return NULL;
}

int mc_ns_make_all(struct mc_exec *x)
{
	struct maker m = { .x = x };
	int err = mc_in_thread(make_all, &m);

	x->on_one_cpu = false;	/* that thread is gone */
	return err ? mc_fail(x->e, MNTCR_SYS, err, "pthread_create") : m.ret;
}
