/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Images whose mounts wait for what is given, and those who give it.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef TESTS_STAGED_H
#define TESTS_STAGED_H

#include <signal.h>
#include <sys/prctl.h>

#include "mntcr-stages.h"
#include "base/base.h"
#include "topology/topology.h"
#include "extended.h"
#include "tap.h"
#include "world.h"

#define PID_INO(i)		(5000U + (unsigned int)(i))
#define MOUNT_OF_PID(i)		(102U + (unsigned int)(i))
/* of nested(): the root, and what hides the place of the first that waits */
#define PLACED_MOUNTS		2

/* A pid namespace with an init, and the child that keeps it. */
struct staged_pid {
	pid_t keeper;
	int fd;
};

struct staged {
	struct mntcr_topology *t;
	struct mntcr_restore_options o;
	struct mntcr_stages_options so;
	struct mntcr_stages *s;
	struct mntcr_error e;
	struct staged_pid pid[3];
	uint32_t fds;
	size_t mounts, namespaces;
};

static inline void staged_say(void *data, const char *line)
{
	TAP_SAY("verify: %s", line);
}

static inline void need_stages(void)
{
	if (!has_extended())
		SKIP("this kernel has no mount_setgroup(2)");
}

static inline ino_t staged_ino(int fd)
{
	struct stat st;

	return fd >= 0 && !fstat(fd, &st) ? st.st_ino : 0;
}

/* --- images ------------------------------------------------------------------- */

static inline uint32_t staged_sb(struct mntcr_topology *t, const char *type,
				 uint64_t magic, uint64_t pid)
{
	uint32_t i = mc_topology_add_sb(t);

	REQUIRE(i != MC_NONE);
	t->sbs[i].minor = 200 + i;
	t->sbs[i].type = mc_topology_str(t, type);
	t->sbs[i].source = mc_topology_str(t, type);
	t->sbs[i].options = mc_topology_str(t, "");
	t->sbs[i].magic = magic;
	t->sbs[i].pidns_ino = pid;
	t->sbs[i].pidns_depth = pid ? 2 : MC_NONE;
	return i;
}

static inline struct mc_mount *staged_mount(struct mntcr_topology *t, uint64_t id,
					    uint32_t parent, uint32_t sb, const char *at)
{
	uint32_t i = mc_topology_add_mount(t);

	REQUIRE(i != MC_NONE);
	t->mounts[i].id = id;
	t->mounts[i].id_old = (uint32_t)id;
	t->mounts[i].ns = 0;
	t->mounts[i].parent = parent;
	t->mounts[i].sb = sb;
	t->mounts[i].root = mc_topology_str(t, "/");
	t->mounts[i].mountpoint = mc_topology_str(t, at);
	t->mounts[i].mp_type = MC_MP_DIR;
	t->mounts[i].locks_known = true;
	t->mounts[i].attr = MOUNT_ATTR_RELATIME;
	return &t->mounts[i];
}

/* A namespace whose root is a tmpfs: superblock 0, mount 0, which has the id 100. */
static inline struct mntcr_topology *staged_topology(void)
{
	struct mntcr_topology *t = mc_topology_new();

	REQUIRE(t && mc_topology_add_ns(t) == 0);
	t->unique_ids = true;
	t->ns[0].id = 77;
	staged_sb(t, "tmpfs", 0x01021994, 0);
	staged_mount(t, 100, MC_NONE, 0, "/");
	return t;
}

static inline struct mntcr_topology *staged_finish(struct mntcr_topology *t)
{
	struct mntcr_error e;

	if (mc_topology_finish(t, &e)) {
		TAP_SAY("%s", e.text);
		REQUIRE(!"finished");
	}
	return t;
}

/*
 * A proc at /d/p, one on it, one on that; and a tmpfs on the last.  Another on /d hides
 * all of them, and is there before them.
 */
static inline struct mntcr_topology *nested(void)
{
	struct mntcr_topology *t = staged_topology();
	uint32_t proc[3], i;

	for (i = 0; i < 3; i++)
		proc[i] = staged_sb(t, "proc", 0x9fa0, PID_INO(i));
	staged_mount(t, 102, 0, proc[0], "/d/p");
	staged_mount(t, 103, 1, proc[1], "/sys");
	staged_mount(t, 104, 2, proc[2], "/fs");
	staged_mount(t, 105, 3, 0, "/driver");
	staged_mount(t, 106, 0, 0, "/d");
	return staged_finish(t);
}

/* --- who gives ------------------------------------------------------------------ */

/* The init of the pid namespace that the caller's children are in; it says when it is. */
static inline void staged_fork_init(int ready)
{
	if (fork())
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (write(ready, "", 1) != 1)
		_exit(1);
}

/* The file of that namespace. */
static inline int staged_pid_file(pid_t pid)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "%d/ns/pid_for_children", (int)pid);
	fd = openat(world_proc_fd, path, O_RDONLY | O_CLOEXEC);
	REQUIRE(fd >= 0);
	return fd;
}

/* A child keeps it whose child is init: of the one at ns, or of a new one (-1). */
static inline struct staged_pid staged_pid_with_init(int ns)
{
	struct staged_pid p;
	int ready[2];
	char c;

	REQUIRE(!pipe2(ready, O_CLOEXEC));
	p.keeper = fork();
	REQUIRE(p.keeper >= 0);
	if (!p.keeper) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (ns < 0 ? unshare(CLONE_NEWPID) : setns(ns, CLONE_NEWPID))
			_exit(1);
		staged_fork_init(ready[1]);
		close(ready[1]);
		for (;;)
			pause();
	}
	close(ready[1]);
	REQUIRE(read(ready[0], &c, 1) == 1);
	close(ready[0]);
	p.fd = staged_pid_file(p.keeper);
	return p;
}

static inline struct staged_pid staged_pid_new(void)
{
	return staged_pid_with_init(-1);
}

/* Two levels below: the keeper's child is init of the one between. */
static inline struct staged_pid staged_pid_below(void)
{
	int ready[2], who[2];
	struct staged_pid p;
	pid_t between;
	char c;

	REQUIRE(!pipe2(ready, O_CLOEXEC) && !pipe2(who, O_CLOEXEC));
	p.keeper = fork();
	REQUIRE(p.keeper >= 0);
	if (!p.keeper) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (unshare(CLONE_NEWPID))
			_exit(1);
		between = fork();
		if (between && write(who[1], &between, sizeof(between)) != sizeof(between))
			_exit(1);
		if (!between) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			if (unshare(CLONE_NEWPID))
				_exit(1);
			staged_fork_init(ready[1]);
		}
		close(ready[1]);
		close(who[1]);
		for (;;)
			pause();
	}
	close(ready[1]);
	close(who[1]);
	REQUIRE(read(who[0], &between, sizeof(between)) == sizeof(between));
	REQUIRE(read(ready[0], &c, 1) == 1);
	close(ready[0]);
	close(who[0]);
	p.fd = staged_pid_file(between);
	return p;
}

static inline void staged_pid_free(struct staged_pid *p)
{
	kill(p->keeper, SIGKILL);
	wd_wait_for(p->keeper);
	close(p->fd);
}

/*
 * --- mount namespaces that there are -------------------------------------------
 *
 * All of the machine, so only in a VM, where nobody else makes any: elsewhere 0.
 */

static inline size_t staged_namespaces(void)
{
	struct {
		uint32_t size, nr_mounts;
		uint64_t id;
	} info = { .size = 16 };
	int fd = has_extended() ?
		 openat(world_proc_fd, "self/ns/mnt", O_RDONLY | O_CLOEXEC) : -1, next;
	size_t n = 0;

	/* NS_MNT_GET_NEXT */
	for (; fd >= 0; fd = next, n++) {
		next = ioctl(fd, _IOR(0xb7, 11, char[16]), &info);
		close(fd);
	}
	return n;
}

/*
 * A thread that made namespaces is in the last of them until a moment after
 * pthread_join(3).
 */
static inline size_t staged_namespaces_end(size_t want)
{
	int tries = 100000;
	size_t n;

	while ((n = staged_namespaces()) > want && tries--)
		sched_yield();
	return n;
}

/* --- the stages ------------------------------------------------------------------ */

/* t becomes its own. */
static inline struct staged staged_new(struct mntcr_topology *t)
{
	struct staged x = {
		.t = t, .o = { .size = sizeof(x.o) }, .so = { .size = sizeof(x.so) },
	};
	static size_t namespaces;
	int i;

	/* before the first test */
	if (!namespaces)
		namespaces = staged_namespaces();
	x.fds = mc_fd_count();
	x.mounts = world_own_mounts();
	x.namespaces = namespaces;
	CHECK(x.namespaces > 0 || !has_extended());
	for (i = 0; i < 3; i++)
		x.pid[i] = staged_pid_below();
	return x;
}

static inline int staged_fails(struct staged *x, int ret)
{
	if (ret)
		TAP_SAY("%s [%s]", x->e.text, x->e.rule);
	return ret;
}

static inline void staged_begin(struct staged *x)
{
	REQUIRE(!staged_fails(x, mntcr_stages_begin(x->t, &x->o, &x->so, &x->s, &x->e)));
}

static inline void staged_placed(struct staged *x)
{
	staged_begin(x);
	REQUIRE(!staged_fails(x, mntcr_stages_place(x->s, &x->e)));
}

static inline int staged_give(struct staged *x, enum mntcr_given_kind kind, uint64_t id, int fd)
{
	const struct mntcr_given what = { .kind = kind, .id = id };

	return mntcr_stages_give(x->s, &what, fd, &x->e);
}

static inline void staged_given(struct staged *x, enum mntcr_given_kind kind, uint64_t id, int fd)
{
	REQUIRE(fd >= 0);
	REQUIRE(!staged_fails(x, staged_give(x, kind, id, fd)));
}

static inline void staged_give_pid(struct staged *x, int i)
{
	const struct mntcr_given what = { .kind = MNTCR_GIVEN_PID, .id = PID_INO(i) };

	REQUIRE(!staged_fails(x, mntcr_stages_give(x->s, &what, x->pid[i].fd, &x->e)));
}

static inline struct mntcr_restored *staged_finished(struct staged *x)
{
	struct mntcr_restored *r = NULL;

	REQUIRE(!staged_fails(x, mntcr_stages_delayed(x->s, &x->e)));
	REQUIRE(!staged_fails(x, mntcr_stages_share(x->s, &x->e)));
	REQUIRE(!staged_fails(x, mntcr_stages_end(x->s, &r, &x->e)));
	return r;
}

/* In the namespace as it is by now. */
static inline size_t staged_mounts(const struct staged *x)
{
	struct wd_text text = { 0 };
	size_t n = 0;
	char *p;

	REQUIRE(!wd_mountinfo(mntcr_stages_ns_fd(x->s, 0), &text));
	for (p = text.s; p && (p = strchr(p, '\n')); p++)
		n++;
	free(text.s);
	return n;
}

/* Nothing is left but what was there before. */
static inline void staged_over(struct staged *x)
{
	int i;

	mntcr_stages_free(x->s);
	for (i = 0; i < 3; i++)
		staged_pid_free(&x->pid[i]);
	mntcr_topology_free(x->t);
	CHECK_EQ(mc_fd_count(), x->fds);
	CHECK_EQ(world_own_mounts(), x->mounts);
	CHECK_EQ(staged_namespaces_end(x->namespaces), x->namespaces);
}

#endif /* TESTS_STAGED_H */
