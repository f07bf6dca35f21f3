// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A host with services, as systemd makes their namespaces: copies of the host's, whose
 * mounts are its slaves and shared themselves, with mounts of their own; mountpoints of
 * several components. Dumped with contents, and made anew from the image alone.
 *
 * The floor is a loop of the calls that this takes at least: for each mount an openat2
 * of its mountpoint, an open_tree_attr and a move_mount, and their descriptors closed;
 * for each group one call.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <err.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "base/base.h"
#include "bench.h"
#include "topology/topology.h"

#define NR_NS		216
#define NR_MOUNTS	17316
#define NR_TMPFS	8
/* Of the host; the root and the filesystems are mounts, too. */
#define NR_EACH		(NR_MOUNTS / NR_NS)
#define NR_BINDS	(NR_EACH - 1 - NR_TMPFS)
/* So many namespaces have a mount more. */
#define NR_MORE		(NR_MOUNTS - NR_NS * NR_EACH)

/* Of the floor, for the new calls. */
#define GOAL_RATIO	1.3

struct result {
	double dump, read, restore, execute, floor;
	double calls;
	uint32_t mounts, groups;
	bool done;
};

struct job {
	enum mntcr_api api;
	int runs;
	struct result *r;
	int *ns;		/* NR_NS descriptors, shared with who made them */
};

static void make_dir(const char *path)
{
	if (mkdir(path, 0755) && errno != EEXIST)
		err(1, "mkdir %s", path);
}

static void place(uint32_t i, char path[64])
{
	snprintf(path, 64, "usr/lib/services/s%u", i);
	make_dir(path);
	snprintf(path, 64, "usr/lib/services/s%u/run", i);
	make_dir(path);
}

static void mount_on(const char *from, const char *to)
{
	if (mount(from, to, NULL, MS_BIND, NULL))
		err(1, "mount on %s", to);
}

static void make_file(const char *path)
{
	static const char data[4096] = "some contents";
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	if (fd < 0 || write(fd, data, sizeof(data)) != (ssize_t)sizeof(data))
		err(1, "%s", path);
	close(fd);
}

static void make_host(void)
{
	char path[64], from[64];
	uint32_t i, k;

	bench_new_root();
	make_dir("usr");
	make_dir("usr/lib");
	make_dir("usr/lib/services");
	make_dir("run");
	for (i = 0; i < NR_TMPFS; i++) {
		snprintf(path, sizeof(path), "run/%u", i);
		make_dir(path);
		if (mount("run", path, "tmpfs", 0, NULL))
			err(1, "mount on %s", path);
		for (k = 0; k < 10; k++) {
			snprintf(path, sizeof(path), "run/%u/f%u", i, k);
			make_file(path);
		}
	}
	for (i = 0; i < NR_BINDS; i++) {
		snprintf(from, sizeof(from), "run/%u", i % NR_TMPFS);
		place(i, path);
		mount_on(from, path);
	}
	place(NR_BINDS, path);
	if (mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL))
		err(1, "sharing");
}

static int this_ns(int proc_fd)
{
	int fd = openat(proc_fd, "self/ns/mnt", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		err(1, "a namespace's file");
	return fd;
}

static void make_services(const struct job *j, int proc_fd)
{
	char path[64];
	uint32_t i;

	make_host();
	j->ns[0] = this_ns(proc_fd);
	place(NR_BINDS, path);
	for (i = 1; i < NR_NS; i++) {
		if (unshare(CLONE_NEWNS) ||
		    mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) ||
		    mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL))
			err(1, "a service's namespace");
		if (i <= NR_MORE)
			mount_on("run/0", path);
		j->ns[i] = this_ns(proc_fd);
		if (setns(j->ns[0], CLONE_NEWNS))
			err(1, "back to the host");
	}
}

/* The child shares the table of descriptors; what measures has a namespace of its own. */
static void make_aside(const struct job *j)
{
	int proc_fd = open("/proc", O_PATH | O_CLOEXEC), status;
	pid_t pid = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);

	if (!pid) {
		make_services(j, proc_fd);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		errx(1, "the namespaces to dump could not be built");
}

static void measure(void *arg)
{
	struct mntcr_source src[NR_NS];
	const struct mntcr_contents_options co = {
		.size = sizeof(co), .sources = src, .nr_sources = NR_NS,
	};
	struct mntcr_restore_options o = { .size = sizeof(o) };
	struct mntcr_contents *c = NULL;
	struct mntcr_topology *t = NULL;
	struct mntcr_restored *done;
	const struct mntcr_stats *s;
	struct job *j = arg;
	struct result *r = j->r;
	struct mntcr_error e = { 0 };
	double then, sum;
	int i;

	make_aside(j);
	bench_new_root();
	if (mkdir("/proc", 0755) || mount("proc", "/proc", "proc", 0, NULL))
		err(1, "proc");
	memset(src, 0, sizeof(src));
	for (i = 0; i < NR_NS; i++)
		src[i] = (struct mntcr_source){ .type = MNTCR_SOURCE_FD, .fd = j->ns[i] };
	o.api = j->api;
	for (i = 0; i < j->runs; i++) {
		mntcr_topology_free(t);
		mntcr_contents_free(c);
		then = bench_now();
		bench_check(mntcr_capture(src, NR_NS, NULL, &t, &e), &e);
		bench_check(mntcr_image_write_contents(t, &co, "/image", &e), &e);
		bench_least(&r->dump, bench_now() - then, !i);
		mntcr_topology_free(t);
		then = bench_now();
		bench_check(mntcr_image_read_contents("/image", &t, &c, &e), &e);
		bench_least(&r->read, bench_now() - then, !i);
		o.contents = c;
		then = bench_now();
		bench_check(mntcr_restore(t, &o, &done, &e), &e);
		bench_least(&r->restore, bench_now() - then, !i);
		s = mntcr_restored_stats(done);
		sum = (double)(s->namespaces_ns + s->sources_ns + s->mounts_ns +
			       s->groups_ns + s->rest_ns) / 1e6;
		bench_least(&r->execute, sum, !i);
		r->calls = (double)s->nr_calls / s->nr_mounts;
		r->mounts = s->nr_mounts;
		mntcr_restored_free(done);
	}
	r->groups = t->nr_groups;
	mntcr_topology_free(t);
	mntcr_contents_free(c);
	r->done = true;
}

static void measure_floor(void *arg)
{
	const struct mc_mount_attr private = { .propagation = MS_PRIVATE };
	const struct mc_mount_attr shared = { .propagation = MS_SHARED };
	struct mc_open_how how = { .flags = O_PATH | O_CLOEXEC,
				   .resolve = MC_RESOLVE_BENEATH };
	struct job *j = arg;
	uint32_t n = j->r->mounts, i;
	char path[64];
	double then;
	int src, at, fd;

	bench_new_root();
	make_dir("usr");
	make_dir("usr/lib");
	make_dir("usr/lib/services");
	for (i = 0; i < n; i++)
		place(i, path);
	make_dir("src");
	if (mount("src", "src", "tmpfs", 0, NULL))
		err(1, "the source");
	src = mc_open_tree(AT_FDCWD, "src", OPEN_TREE_CLOEXEC);
	then = bench_now();
	for (i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "usr/lib/services/s%u/run", i);
		at = mc_openat2(AT_FDCWD, path, &how);
		fd = mc_open_tree_attr(src, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC |
				       AT_EMPTY_PATH, &private, MC_MOUNT_ATTR_SIZE_VER0);
		if (fd < 0 && errno == ENOSYS)
			fd = mc_open_tree(src, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC |
					  AT_EMPTY_PATH);
		if (at < 0 || fd < 0 ||
		    mc_move_mount(fd, "", at, "", MOVE_MOUNT_F_EMPTY_PATH |
				  MOVE_MOUNT_T_EMPTY_PATH) ||
		    (i < j->r->groups &&
		     mc_mount_setattr(fd, "", AT_EMPTY_PATH, &shared,
				      MC_MOUNT_ATTR_SIZE_VER0)))
			err(1, "the floor");
		close(at);
		close(fd);
	}
	then = bench_now() - then;
	bench_least(&j->r->floor, then, !j->r->floor);
}

int bench_services(enum mntcr_api api, int runs, bool json)
{
	const char *name = api == MNTCR_API_EXTENDED ? "extended" : "upstream";
	struct job j = { .api = api, .runs = runs };
	struct result *r;
	double ratio, floor_calls;
	int i;

	r = mmap(NULL, sizeof(*r) + NR_NS * sizeof(*j.ns), PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (r == MAP_FAILED)
		err(1, "mmap");
	j.r = r;
	j.ns = (int *)(r + 1);
	if (!bench_in_child(measure, &j) || !r->done)
		errx(1, "services: failed");
	for (i = 0; i < runs; i++)
		if (!bench_in_child(measure_floor, &j))
			errx(1, "services: the floor failed");
	ratio = r->execute / r->floor;
	floor_calls = 5 + (double)r->groups / r->mounts;
	if (json)
		printf("{\"api\": \"%s\", \"namespaces\": %d, \"mounts\": %u, \"groups\": %u, \"dump_ms\": %.1f, \"read_ms\": %.1f, \"restore_ms\": %.1f, \"execute_ms\": %.1f, \"floor_ms\": %.1f, \"calls_per_mount\": %.4f, \"floor_calls_per_mount\": %.4f}\n",
		       name, NR_NS, r->mounts, r->groups, r->dump, r->read, r->restore,
		       r->execute, r->floor, r->calls, floor_calls);
	else
		printf("services, %s API: %d namespaces, %u mounts, %u groups\n"
		       "dump with contents %.2f s, read %.2f s, restore %.2f s\n"
		       "executing %.2f s, floor %.2f s, ratio %.2f%s; %.4f calls a mount, floor %.4f\n",
		       name, NR_NS, r->mounts, r->groups, r->dump / 1e3, r->read / 1e3,
		       r->restore / 1e3, r->execute / 1e3, r->floor / 1e3, ratio,
		       api != MNTCR_API_EXTENDED ? "" : ratio <= GOAL_RATIO ?
		       " (goal 1.3: met)" : " (goal 1.3: missed)", r->calls, floor_calls);
	return 0;
}
