// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What mount_setgroup() costs for each call, alone and beside namespaces that have
 * nothing to do with the group: copies of the namespace with all private, which have
 * their mounts on the same mountpoints as the members have.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <err.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "bench.h"

#define NR_MEMBERS	8
#define NR_CHILDREN	8	/* below each member */
#define NR_CALLS	2000
#define NR_OTHERS	400

/* Of the cost without the other namespaces. */
#define GOAL_GROWTH	1.3

struct scene {
	int members[NR_MEMBERS];
	int all;		/* what they are mounted in */
	int peer, slave;
};

static int mount_and_open(const char *name)
{
	char path[32];
	int i, fd;

	if (mkdir(name, 0755) || mount("fs", name, NULL, MS_BIND, NULL))
		err(1, "mount on %s", name);
	for (i = 0; i < NR_CHILDREN; i++) {
		snprintf(path, sizeof(path), "%s/%d", name, i);
		if (mount("child", path, "tmpfs", 0, NULL))
			err(1, "mount on %s", path);
	}
	fd = open(name, O_PATH | O_CLOEXEC);
	if (fd < 0)
		err(1, "%s", name);
	return fd;
}

static void build(struct scene *s)
{
	char path[32];
	int i;

	bench_new_root();
	if (mkdir("fs", 0755) || mount("fs", "fs", "tmpfs", 0, NULL))
		err(1, "a filesystem");
	for (i = 0; i < NR_CHILDREN; i++) {
		snprintf(path, sizeof(path), "fs/%d", i);
		if (mkdir(path, 0755))
			err(1, "mkdir %s", path);
	}
	if (mkdir("all", 0755) || mount("all", "all", "tmpfs", 0, NULL))
		err(1, "what the members are mounted in");
	s->all = open("all", O_PATH | O_CLOEXEC);
	if (s->all < 0)
		err(1, "all");
	for (i = 0; i < NR_MEMBERS; i++) {
		snprintf(path, sizeof(path), "all/%d", i);
		s->members[i] = mount_and_open(path);
	}
	s->peer = mount_and_open("peer");
	if (mount(NULL, "peer", NULL, MS_SHARED, NULL))
		err(1, "sharing");
	if (mkdir("slave", 0755) || mount("peer", "slave", NULL, MS_BIND, NULL) ||
	    mount(NULL, "slave", NULL, MS_SLAVE, NULL))
		err(1, "a slave");
	s->slave = open("slave", O_PATH | O_CLOEXEC);
	if (s->slave < 0)
		err(1, "slave");
}

static void call(const struct scene *s, unsigned int flags)
{
	struct mc_mount_group_args args = {
		.mnt_fds = (uintptr_t)s->members,
		.nr_fds = NR_MEMBERS,
	};

	if (flags & MOUNT_SETGROUP_SIBLING)
		args.target_fd = s->slave;
	else if (flags != MOUNT_SETGROUP_SHARED)
		args.target_fd = s->peer;
	if (mc_mount_setgroup(&args, sizeof(args), flags))
		err(1, "mount_setgroup");
}

/* All members with one call, which takes less than that which is measured. */
static void make_private(const struct scene *s)
{
	const struct mc_mount_attr private = { .propagation = MS_PRIVATE };

	if (mc_mount_setattr(s->all, "", AT_EMPTY_PATH | AT_RECURSIVE, &private,
			     MC_MOUNT_ATTR_SIZE_VER0))
		err(1, "private again");
}

/*
 * Microseconds for a call and what makes its members private again, which a clock that
 * counts ticks can't tell apart; the least of some rounds.
 */
static double measure(const struct scene *s, unsigned int flags, int runs)
{
	double best = 0, then;
	int i, k;

	for (i = 0; i < runs; i++) {
		then = bench_now();
		for (k = 0; k < NR_CALLS; k++) {
			call(s, flags);
			make_private(s);
		}
		bench_least(&best, (bench_now() - then) * 1e3 / NR_CALLS, !i);
	}
	return best;
}

static void add_others(int proc_fd)
{
	int i, own = openat(proc_fd, "self/ns/mnt", O_RDONLY | O_CLOEXEC);

	if (own < 0)
		err(1, "a namespace's file");
	for (i = 0; i < NR_OTHERS; i++)
		if (unshare(CLONE_NEWNS) ||
		    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
		    openat(proc_fd, "self/ns/mnt", O_RDONLY | O_CLOEXEC) < 0 ||
		    setns(own, CLONE_NEWNS))
			err(1, "a namespace beside");
	close(own);
}

int bench_setgroup(int runs, bool json)
{
	static const struct {
		const char *name;
		unsigned int flags;
	} ways[] = {
		{ "SHARED", MOUNT_SETGROUP_SHARED },
		{ "PEER", MOUNT_SETGROUP_PEER },
		{ "MASTER", MOUNT_SETGROUP_MASTER },
		{ "SIBLING", MOUNT_SETGROUP_SIBLING },
	};
	double alone[MC_ARRAY_SIZE(ways)], beside, growth;
	int proc_fd = open("/proc", O_PATH | O_CLOEXEC);
	bool met = true;
	struct scene s;
	size_t i;

	if (proc_fd < 0)
		err(1, "/proc");
	build(&s);
	for (i = 0; i < MC_ARRAY_SIZE(ways); i++)
		alone[i] = measure(&s, ways[i].flags, runs);
	add_others(proc_fd);
	if (!json)
		printf("mount_setgroup, %d members with %d mounts each, microseconds a call and what undoes it\n"
		       "%-8s %8s %8s  beside %d other namespaces\n",
		       NR_MEMBERS, NR_CHILDREN, "", "alone", "beside", NR_OTHERS);
	for (i = 0; i < MC_ARRAY_SIZE(ways); i++) {
		beside = measure(&s, ways[i].flags, runs);
		growth = beside / alone[i];
		met &= growth <= GOAL_GROWTH;
		if (json)
			printf("%s{\"flag\": \"%s\", \"alone_us\": %.2f, \"beside_us\": %.2f}%s",
			       i ? ", " : "[", ways[i].name, alone[i], beside,
			       i + 1 < MC_ARRAY_SIZE(ways) ? "" : "]\n");
		else
			printf("%-8s %8.1f %8.1f  x%.2f%s\n", ways[i].name, alone[i],
			       beside, growth, growth > GOAL_GROWTH ? "*" : "");
	}
	if (!json)
		printf("goal: x%.1f: %s\n", GOAL_GROWTH,
		       met ? "met" : "missed where marked *");
	return 0;
}
