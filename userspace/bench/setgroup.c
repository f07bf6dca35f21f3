// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What mount_setgroup() costs for each call, alone and beside ever more namespaces that
 * have nothing to do with the group: copies of the namespace with all private, which
 * have their mounts on the same mountpoints as the members have.
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
#define NR_CALLS	10000
#define NR_WAYS		4

/*
 * So many namespaces beside. A few are enough for all that is ever looked at of what
 * is mounted at the same places: JOIN_FEW_MOUNTS, and as many mounts on each mountpoint
 * as there are members and mounts that they join. From there on more change nothing.
 */
static const int nr_others[] = { 0, 25, 100, 400, 1600 };

#define NR_LEVELS	MC_ARRAY_SIZE(nr_others)
#define FIRST_FULL	1	/* the level that the last one is compared with */

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

static void add_others(int proc_fd, int nr)
{
	int i, own = openat(proc_fd, "self/ns/mnt", O_RDONLY | O_CLOEXEC);

	if (own < 0)
		err(1, "a namespace's file");
	for (i = 0; i < nr; i++)
		if (unshare(CLONE_NEWNS) ||
		    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
		    openat(proc_fd, "self/ns/mnt", O_RDONLY | O_CLOEXEC) < 0 ||
		    setns(own, CLONE_NEWNS))
			err(1, "a namespace beside");
	close(own);
}

static const struct {
	const char *name;
	unsigned int flags;
} ways[NR_WAYS] = {
	{ "SHARED", MOUNT_SETGROUP_SHARED },
	{ "PEER", MOUNT_SETGROUP_PEER },
	{ "MASTER", MOUNT_SETGROUP_MASTER },
	{ "SIBLING", MOUNT_SETGROUP_SIBLING },
};

static double growth(const double *us)
{
	return us[NR_LEVELS - 1] / us[FIRST_FULL];
}

static void print_text(double us[NR_WAYS][NR_LEVELS])
{
	bool met = true;
	size_t i, k;

	printf("mount_setgroup, %d members with %d mounts each, microseconds a call and what undoes it\n"
	       "%-8s", NR_MEMBERS, NR_CHILDREN, "beside");
	for (k = 0; k < NR_LEVELS; k++)
		printf(" %8d", nr_others[k]);
	printf("  namespaces\n");
	for (i = 0; i < NR_WAYS; i++) {
		bool grows = growth(us[i]) > GOAL_GROWTH;

		printf("%-8s", ways[i].name);
		for (k = 0; k < NR_LEVELS; k++)
			printf(" %8.1f", us[i][k]);
		printf("  x%.2f%s\n", growth(us[i]), grows ? "*" : "");
		met &= !grows;
	}
	printf("goal: x%.1f from %d to %d: %s\n", GOAL_GROWTH, nr_others[FIRST_FULL],
	       nr_others[NR_LEVELS - 1], met ? "met" : "missed where marked *");
}

static void print_json(double us[NR_WAYS][NR_LEVELS])
{
	size_t i, k;

	for (i = 0; i < NR_WAYS; i++) {
		printf("%s{\"flag\": \"%s\", \"us\": {", i ? ", " : "[", ways[i].name);
		for (k = 0; k < NR_LEVELS; k++)
			printf("%s\"%d\": %.2f", k ? ", " : "", nr_others[k], us[i][k]);
		printf("}}%s", i + 1 < NR_WAYS ? "" : "]\n");
	}
}

int bench_setgroup(int runs, bool json)
{
	int proc_fd = open("/proc", O_PATH | O_CLOEXEC);
	/* one keeps each of the namespaces */
	const uint32_t nr_fds = mc_fd_count() + (uint32_t)nr_others[NR_LEVELS - 1] + 50;
	double us[NR_WAYS][NR_LEVELS];
	struct mc_fd_limit limit = { 0 };
	struct scene s;
	size_t i, k;

	if (proc_fd < 0)
		err(1, "/proc");
	if (mc_fd_limit_raise(&limit, nr_fds) < nr_fds)
		err(1, "%u descriptors", nr_fds);
	build(&s);
	for (k = 0; k < NR_LEVELS; k++) {
		add_others(proc_fd, nr_others[k] - (k ? nr_others[k - 1] : 0));
		for (i = 0; i < NR_WAYS; i++)
			us[i][k] = measure(&s, ways[i].flags, runs);
	}
	if (json)
		print_json(us);
	else
		print_text(us);
	return 0;
}
