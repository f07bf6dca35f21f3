// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What dumping and restoring many mounts costs, against the floor: a bare loop
 * of the same open_tree, move_mount and close calls.
 *
 * Every figure is taken in a process with a mount namespace of its own.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <err.h>
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "base/base.h"
#include "bench.h"

#define MAX_SIZES	8

/* Cost is to grow little more than the number of mounts: x4.4 for x4. */
#define GOAL_GROWTH	1.1

enum shape { BINDS, PEERS, CHAIN, PAIRS, NR_SHAPES };

static const char *const shape_names[NR_SHAPES] = {
	"plain binds", "one peer group", "slave chain", "pairs",
};

/* What execute may cost, in floors. */
static const double goal_ratio[NR_SHAPES] = { 1.3, 1.3, 1.6, 2.0 };

/* All of one size and shape; in memory that is shared with children. */
struct result {
	double floor, dump, image, read, execute, plan, undo;
	double stage[5];
	double calls;
	uint64_t wakeups;
	uint32_t mounts;
	bool done;
};

static const char usage[] =
"Usage: mntcr-bench [OPTION...]\n\n"
"Measure dump and restore of many mounts.\n\n"
"      --sizes N[,N...]    how many mounts (default 1000,4000,16000)\n"
"      --api API           upstream, extended or both (default: what works)\n"
"      --services          only that: 216 namespaces with 17,316 mounts in all, with\n"
"                          contents, made anew\n"
"      --setgroup          only that: mount_setgroup alone and beside other namespaces\n"
"      --runs N            take the best of N (default 3)\n"
"      --json              for programs\n"
"  -h, --help              this text\n";

double bench_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

void bench_least(double *best, double t, bool first)
{
	if (first || t < *best)
		*best = t;
}

/* --- the namespaces that are measured --------------------------------------- */

void bench_new_root(void)
{
	if (unshare(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("bench", "/tmp", "tmpfs", 0, "nr_inodes=0") ||
	    chdir("/tmp") || syscall(SYS_pivot_root, ".", ".") ||
	    umount2(".", MNT_DETACH) || chdir("/"))
		err(1, "a namespace to measure in");
}

static void set_type(int fd, uint64_t type)
{
	struct mc_mount_attr attr = { .propagation = type };

	if (mc_mount_setattr(fd, "", AT_EMPTY_PATH, &attr, MC_MOUNT_ATTR_SIZE_VER0))
		err(1, "mount_setattr");
}

static void make_dirs(uint32_t n)
{
	char name[16];
	uint32_t i;

	for (i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "m%u", i);
		if (mkdir(name, 0755))
			err(1, "mkdir %s", name);
	}
	if (mkdir("src", 0755) || mount("src", "src", "tmpfs", 0, NULL))
		err(1, "the source");
}

static int bind_on(int src, const char *name)
{
	int fd;

	fd = mc_open_tree(src, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	if (fd < 0)
		err(1, "open_tree");
	if (mc_move_mount(fd, "", AT_FDCWD, name, MOVE_MOUNT_F_EMPTY_PATH))
		err(1, "move_mount");
	return fd;
}

static int place(int src, uint32_t i)
{
	char name[16];

	snprintf(name, sizeof(name), "m%u", i);
	return bind_on(src, name);
}

/*
 * Two peers, and two on top of them, which are peers too. Each pair has nothing to
 * do with any other, but all of them have something mounted on one directory.
 */
static void place_pair(int src, uint32_t i)
{
	char name[16];
	int fd;

	fd = place(src, 2 * i);
	set_type(fd, MS_SHARED);
	close(place(fd, 2 * i + 1));
	close(fd);
	snprintf(name, sizeof(name), "m%u/c", 2 * i);
	close(bind_on(src, name));
}

static void build(enum shape shape, uint32_t n)
{
	int src, fd;
	uint32_t i;

	bench_new_root();
	make_dirs(n);
	src = mc_open_tree(AT_FDCWD, "src", OPEN_TREE_CLOEXEC);
	if (src < 0)
		err(1, "src");
	if (shape == PAIRS) {
		if (mkdirat(src, "c", 0755))
			err(1, "src/c");
		for (i = 0; i < n / 4; i++)
			place_pair(src, i);
		n = 0;
	} else if (shape != BINDS) {
		set_type(src, MS_SHARED);
	}
	for (i = 0; i < n; i++) {
		fd = place(src, i);
		if (shape == CHAIN) {
			set_type(fd, MS_SLAVE);
			set_type(fd, MS_SHARED);
			close(src);
			src = fd;
		} else {
			close(fd);
		}
	}
	close(src);
}

/*
 * The restorer's own namespace stays small: where none can be made empty, it
 * is what gets copied.  The child shares the descriptor table.
 */
static int build_aside(enum shape shape, uint32_t n, int proc_fd)
{
	volatile int *fd;
	int status, ret;
	pid_t pid;

	fd = mmap(NULL, sizeof(*fd), PROT_READ | PROT_WRITE,
		  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (fd == MAP_FAILED)
		err(1, "mmap");
	pid = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
	if (!pid) {
		build(shape, n);
		*fd = openat(proc_fd, "self/ns/mnt", O_RDONLY | O_CLOEXEC);
		_exit(*fd < 0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		errx(1, "the namespace to dump could not be built");
	ret = *fd;
	munmap((void *)fd, sizeof(*fd));
	return ret;
}

/* The floor has one namespace, one source and nothing to think about. */
static double measure_floor(uint32_t n)
{
	double then;
	uint32_t i;
	int src;

	bench_new_root();
	make_dirs(n);
	src = mc_open_tree(AT_FDCWD, "src", OPEN_TREE_CLOEXEC);
	if (src < 0)
		err(1, "src");
	then = bench_now();
	for (i = 0; i < n; i++)
		close(place(src, i));
	return bench_now() - then;
}

/* --- a poller of the restored namespace -------------------------------------- */

struct watch {
	int proc_fd;
	pid_t pid;
	volatile uint64_t *count;
	volatile int *ready;
};

static void watcher(const struct watch *w, int ns_fd)
{
	struct pollfd p = { .events = POLLPRI };

	if (setns(ns_fd, CLONE_NEWNS))
		_exit(1);
	p.fd = openat(w->proc_fd, "self/mountinfo", O_RDONLY | O_CLOEXEC);
	if (p.fd < 0)
		_exit(1);
	poll(&p, 1, 0);
	*w->ready = 1;
	for (;;)
		if (poll(&p, 1, -1) == 1)
			(*w->count)++;
}

/*
 * A real-time task on the processor that restores: it runs at each wake-up, so
 * that none is taken together with the next.
 */
static void watch(void *data, const int *ns_fds, size_t nr)
{
	struct sched_param prio = { .sched_priority = 1 };
	struct watch *w = data;
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	if (sched_setaffinity(0, sizeof(one), &one))
		err(1, "staying on one CPU");

	*w->ready = 0;
	w->pid = fork();
	if (!w->pid)
		watcher(w, ns_fds[0]);
	while (w->pid > 0 && !*w->ready && !waitpid(w->pid, NULL, WNOHANG))
		sched_yield();
	if (w->pid > 0 && sched_setscheduler(w->pid, SCHED_FIFO, &prio))
		warn("the poller is not a real-time task: wake-ups are the least there were");
}

/* --- one measurement ---------------------------------------------------------- */

void bench_check(int ret, const struct mntcr_error *e)
{
	if (ret)
		errx(1, "%s [%s]", e->text, e->rule);
}

static void one_restore(const struct mntcr_topology *t, int ns_fd,
			enum mntcr_api api, struct result *r, bool first,
			struct watch *w)
{
	struct mntcr_source src = { .type = MNTCR_SOURCE_FD, .fd = ns_fd };
	struct mntcr_restore_options o = {
		.size = sizeof(o),
		.api = api, .sources = &src, .nr_sources = 1, .data = w,
		.namespaces_made = w ? watch : NULL,
	};
	struct mntcr_restored *done;
	const struct mntcr_stats *s;
	struct mntcr_error e = { 0 };
	uint64_t ns[5];
	double sum = 0, then;
	int i;

	bench_check(mntcr_restore(t, &o, &done, &e), &e);
	s = mntcr_restored_stats(done);
	ns[0] = s->namespaces_ns;
	ns[1] = s->sources_ns;
	ns[2] = s->mounts_ns;
	ns[3] = s->groups_ns;
	ns[4] = s->rest_ns;
	if (!w) {
		for (i = 0; i < 5; i++)
			sum += (double)ns[i] / 1e6;
		for (i = 0; i < 5 && (first || sum < r->execute); i++)
			r->stage[i] = (double)ns[i] / 1e6;
		bench_least(&r->execute, sum, first);
		bench_least(&r->plan, (double)s->plan_ns / 1e6, first);
	}
	r->calls = (double)s->nr_calls / s->nr_mounts;
	r->mounts = s->nr_mounts;
	then = bench_now();
	mntcr_restored_free(done);
	if (!w)
		bench_least(&r->undo, bench_now() - then, first);
}

static void measure(enum shape shape, uint32_t n, enum mntcr_api api, int runs,
		    struct result *r)
{
	struct mntcr_source src = { .type = MNTCR_SOURCE_FD };
	struct mntcr_topology *t = NULL;
	struct mntcr_error e = { 0 };
	struct watch w = { 0 };
	cpu_set_t all;
	double then;
	int i, ns_fd;

	w.proc_fd = open("/proc", O_PATH | O_CLOEXEC);
	ns_fd = build_aside(shape, n, w.proc_fd);
	bench_new_root();
	if (mkdir("/proc", 0755) || mount("proc", "/proc", "proc", 0, NULL))
		err(1, "proc");
	src.fd = ns_fd;
	for (i = 0; i < runs; i++) {
		mntcr_topology_free(t);
		then = bench_now();
		bench_check(mntcr_capture(&src, 1, NULL, &t, &e), &e);
		bench_least(&r->dump, bench_now() - then, !i);
		then = bench_now();
		bench_check(mntcr_image_write(t, "/image", &e), &e);
		bench_least(&r->image, bench_now() - then, !i);
		mntcr_topology_free(t);
		then = bench_now();
		bench_check(mntcr_image_read("/image", &t, &e), &e);
		bench_least(&r->read, bench_now() - then, !i);
	}
	for (i = 0; i < runs; i++)
		one_restore(t, ns_fd, api, r, !i, NULL);
	/* Once more, watched: the poller's own work is not in the times. */
	w.count = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (w.count == MAP_FAILED)
		err(1, "mmap");
	w.ready = (volatile int *)(w.count + 1);
	if (sched_getaffinity(0, sizeof(all), &all))
		err(1, "processors");
	one_restore(t, ns_fd, api, r, false, &w);
	if (sched_setaffinity(0, sizeof(all), &all))
		err(1, "processors");
	if (w.pid > 0) {
		kill(w.pid, SIGKILL);
		waitpid(w.pid, NULL, 0);
	}
	r->wakeups = *w.count;
	mntcr_topology_free(t);
}

bool bench_in_child(void (*fn)(void *), void *arg)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		fn(arg);
		_exit(0);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && !status;
}

struct job {
	enum shape shape;
	uint32_t n;
	enum mntcr_api api;
	int runs;
	struct result *r;
};

static void floor_child(void *arg)
{
	struct job *j = arg;
	double t = measure_floor(j->n);

	bench_least(&j->r->floor, t, !j->r->floor);
}

static void measure_child(void *arg)
{
	struct job *j = arg;

	measure(j->shape, j->n, j->api, j->runs, j->r);
	j->r->done = true;
}

/* --- mountinfo ------------------------------------------------------------------ */

struct reading {
	uint32_t n;
	int runs;
	double ms;
};

/*
 * For each slave the kernel looks for the closest group above it that shows. Here the
 * one above has a peer for each slave, all of them in another namespace.
 */
static void read_child(void *arg)
{
	struct reading *r = arg;
	static char buf[65536];
	double then;
	int i, fd;

	build(PEERS, r->n);
	if (mkdir("/proc", 0755) || mount("proc", "/proc", "proc", 0, NULL))
		err(1, "proc");
	/* the descriptor keeps the peers; the copy belongs to another owner */
	if (open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC) < 0 ||
	    unshare(CLONE_NEWUSER | CLONE_NEWNS))
		err(1, "a copy of another owner");
	for (i = 0; i < r->runs; i++) {
		then = bench_now();
		fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			err(1, "mountinfo");
		while (read(fd, buf, sizeof(buf)) > 0)
			;
		close(fd);
		bench_least(&r->ms, bench_now() - then, !i);
	}
}

/* With the series that takes time linear in what is shown, see its fixes. */
static int run_mountinfo(const uint32_t *sizes, size_t nr_sizes, int runs, bool goal)
{
	struct reading *r;
	double prev = 0, growth;
	bool met = true;
	size_t i;

	r = mmap(NULL, sizeof(*r), PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (r == MAP_FAILED)
		err(1, "mmap");
	printf("reading mountinfo, slaves of a group elsewhere, milliseconds\n");
	for (i = 0; i < nr_sizes; i++) {
		*r = (struct reading) { .n = sizes[i], .runs = runs };
		if (!bench_in_child(read_child, r)) {
			warnx("mountinfo of %u slaves: failed", sizes[i]);
			munmap(r, sizeof(*r));
			return 1;
		}
		printf("%6u %8.1f", sizes[i], r->ms);
		if (i && prev > 0) {
			double times = (double)sizes[i] / sizes[i - 1];

			growth = r->ms / prev;
			met &= growth <= GOAL_GROWTH * times;
			printf("  x%.2f%s for x%.2f", growth,
			       goal && growth > GOAL_GROWTH * times ? "*" : "", times);
		}
		putchar('\n');
		prev = r->ms;
	}
	if (goal)
		printf("goal: growth x%.2f for x4: %s\n", 4 * GOAL_GROWTH,
		       met ? "met" : "missed where marked *");
	munmap(r, sizeof(*r));
	return 0;
}

/* --- output --------------------------------------------------------------------- */

/* Marked with * is what misses its goal; returns whether nothing does. */
static bool table(const struct job *j, const struct result *prev, uint32_t prev_n)
{
	const struct result *r = j->r;
	double ratio = r->floor ? r->execute / r->floor : 0;
	bool dear = ratio > goal_ratio[j->shape], steep = false;
	double growth, times;

	printf("%-15s %6u %8.1f %8.1f %8.1f %8.1f %8.1f %8.1f %6.2f%c%8.4f %8" PRIu64 " %8.1f",
	       shape_names[j->shape], j->n, r->dump, r->image, r->read, r->plan,
	       r->execute, r->floor, ratio, dear ? '*' : ' ', r->calls, r->wakeups,
	       r->undo);
	if (prev && prev->execute > 0 && prev->floor > 0) {
		growth = r->execute / prev->execute;
		times = (double)j->n / prev_n;
		steep = growth > GOAL_GROWTH * times;
		printf("  x%.2f%s for x%.2f (floor x%.2f)", growth, steep ? "*" : "",
		       times, r->floor / prev->floor);
	}
	putchar('\n');
	fflush(stdout);
	return !dear && !steep;
}

static void goals(bool met)
{
	printf("goals: ratio %.1f, slave chain %.1f, pairs %.1f; growth x%.2f for x4: %s\n",
	       goal_ratio[BINDS], goal_ratio[CHAIN], goal_ratio[PAIRS], 4 * GOAL_GROWTH,
	       met ? "met" : "missed where marked *");
}

static void json(const struct job *j, bool first)
{
	static const char *const stages[5] = {
		"namespaces", "sources", "mounts", "groups", "rest",
	};
	const struct result *r = j->r;
	int i;

	printf("%s\n  {\"api\": \"%s\", \"shape\": \"%s\", \"mounts\": %u, \"capture_ms\": %.3f, \"write_ms\": %.3f, \"read_ms\": %.3f, \"plan_ms\": %.3f, \"execute_ms\": %.3f, \"floor_ms\": %.3f, \"undo_ms\": %.3f, \"calls_per_mount\": %.4f, \"wakeups\": %" PRIu64 ", \"stages_ms\": {",
	       first ? "" : ",", j->api == MNTCR_API_EXTENDED ? "extended" : "upstream",
	       shape_names[j->shape], j->n, r->dump, r->image, r->read, r->plan,
	       r->execute, r->floor, r->undo, r->calls, r->wakeups);
	for (i = 0; i < 5; i++)
		printf("%s\"%s\": %.3f", i ? ", " : "", stages[i], r->stage[i]);
	printf("}}");
}

static int run_api(enum mntcr_api api, const uint32_t *sizes, size_t nr_sizes,
		   int runs, bool as_json, bool *first)
{
	struct result *r, prev;
	enum shape shape;
	bool met = true;
	size_t i;
	int k, ret = 0;

	r = mmap(NULL, sizeof(*r), PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (r == MAP_FAILED)
		err(1, "mmap");
	if (!as_json)
		printf("%s API, milliseconds\n%-15s %6s %8s %8s %8s %8s %8s %8s %6s %8s %8s %8s  growth\n",
		       api == MNTCR_API_EXTENDED ? "extended" : "upstream",
		       "shape", "mounts", "capture", "write", "read", "plan",
		       "execute", "floor", "ratio", "calls/m", "wakeups", "undo");
	for (shape = BINDS; shape < NR_SHAPES; shape++) {
		for (i = 0; i < nr_sizes; i++) {
			struct job j = { shape, sizes[i], api, runs, r };

			if (i)
				prev = *r;
			memset(r, 0, sizeof(*r));
			for (k = 0; k < runs; k++)
				if (!bench_in_child(floor_child, &j))
					ret = 1;
			if (!bench_in_child(measure_child, &j) || !r->done) {
				warnx("%s, %u mounts: failed", shape_names[shape],
				      sizes[i]);
				ret = 1;
				continue;
			}
			if (as_json)
				json(&j, *first);
			else
				met &= table(&j, i ? &prev : NULL, i ? sizes[i - 1] : 1);
			*first = false;
		}
	}
	if (!as_json && !ret)
		goals(met);
	munmap(r, sizeof(*r));
	return ret;
}

static bool parse_sizes(char *arg, uint32_t *sizes, size_t *nr)
{
	char *word, *save, *end;

	*nr = 0;
	for (word = strtok_r(arg, ",", &save); word;
	     word = strtok_r(NULL, ",", &save)) {
		if (*nr == MAX_SIZES)
			return false;
		sizes[*nr] = (uint32_t)strtoul(word, &end, 10);
		if (*end || !sizes[*nr] || sizes[*nr] > 90000)
			return false;
		(*nr)++;
	}
	return *nr > 0;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "sizes", required_argument, NULL, 's' },
		{ "api", required_argument, NULL, 'a' },
		{ "runs", required_argument, NULL, 'r' },
		{ "services", no_argument, NULL, 'S' },
		{ "setgroup", no_argument, NULL, 'g' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 }
	};
	uint32_t sizes[MAX_SIZES] = { 1000, 4000, 16000 };
	int lacks;
	bool extended = !mc_extended_lacks(&lacks);
	bool upstream = true, as_json = false, first = true, services = false;
	bool setgroup = false;
	size_t nr_sizes = 3;
	int c, runs = 3, ret = 0;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
		switch (c) {
		case 's':
			if (!parse_sizes(optarg, sizes, &nr_sizes))
				errx(2, "--sizes takes numbers up to 90000");
			break;
		case 'a':
			upstream = strcmp(optarg, "extended");
			extended = strcmp(optarg, "upstream");
			if (upstream && extended && strcmp(optarg, "both"))
				errx(2, "--api takes upstream, extended or both");
			break;
		case 'r':
			runs = atoi(optarg);
			if (runs < 1)
				errx(2, "--runs takes a number");
			break;
		case 'S':
			services = true;
			break;
		case 'g':
			setgroup = true;
			break;
		case 'j':
			as_json = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			fputs("Try 'mntcr-bench --help'.\n", stderr);
			return 2;
		}
	}
	if (geteuid())
		errx(1, "mounting takes root");
	if (setgroup && !extended)
		errx(1, "this kernel has no mount_setgroup, or --api rules it out");
	if (setgroup)
		return bench_setgroup(runs, as_json);
	if (services)
		return bench_services(extended ? MNTCR_API_EXTENDED : MNTCR_API_UPSTREAM,
				      runs, as_json);
	if (as_json)
		printf("[");
	if (upstream)
		ret |= run_api(MNTCR_API_UPSTREAM, sizes, nr_sizes, runs, as_json,
			       &first);
	if (extended)
		ret |= run_api(MNTCR_API_EXTENDED, sizes, nr_sizes, runs, as_json,
			       &first);
	if (as_json)
		printf("\n]\n");
	else
		ret |= run_mountinfo(sizes, nr_sizes, runs, extended);
	return ret;
}
