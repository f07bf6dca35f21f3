// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Some kernels let each processor give ids to namespaces from a range of its
 * own.  Pins need larger ones than that of the caller's namespace, whichever
 * processors the caller has chosen to run on.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include "shot.h"

static int banned = -1;
static unsigned int nr_calls;

int __real_sched_setaffinity(pid_t pid, size_t size, const cpu_set_t *set);
int __wrap_sched_setaffinity(pid_t pid, size_t size, const cpu_set_t *set);

/* As if the cpuset lacked a processor. */
int __wrap_sched_setaffinity(pid_t pid, size_t size, const cpu_set_t *set)
{
	cpu_set_t some = *set;

	nr_calls++;
	if (banned >= 0)
		CPU_CLR(banned, &some);
	return __real_sched_setaffinity(pid, size, &some);
}

int __real_sched_getaffinity(pid_t pid, size_t size, cpu_set_t *set);
int __wrap_sched_getaffinity(pid_t pid, size_t size, cpu_set_t *set);

int __wrap_sched_getaffinity(pid_t pid, size_t size, cpu_set_t *set)
{
	nr_calls++;
	return __real_sched_getaffinity(pid, size, set);
}

static void stay_on(int cpu)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	REQUIRE(!__real_sched_setaffinity(0, sizeof(one), &one));
}

static uint64_t own_id(void)
{
	uint64_t id = 0;
	int fd = wd_own_ns_fd();

	REQUIRE(fd >= 0);
	if (ioctl(fd, MC_NS_GET_MNTNS_ID, &id))
		id = 0;
	close(fd);
	return id;
}

/* The id of a namespace that is made there, in which the caller is then. */
static uint64_t made_on(int cpu)
{
	stay_on(cpu);
	REQUIRE(!unshare(CLONE_NEWNS));
	return own_id();
}

/*
 * The caller is in a namespace made by upper, and runs on lower, where all are
 * made with smaller ids.
 */
static void find(int *lower, int *upper)
{
	cpu_set_t all;
	uint64_t id[CPU_SETSIZE] = { 0 };
	int cpu;

	memset(&all, 0xff, sizeof(all));
	REQUIRE(!__real_sched_setaffinity(0, sizeof(all), &all));
	REQUIRE(!__real_sched_getaffinity(0, sizeof(all), &all));
	*lower = *upper = -1;
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &all))
			continue;
		id[cpu] = made_on(cpu);
		if (!id[cpu])
			SKIP("this kernel does not say ids of namespaces");
		if (*lower < 0 || id[cpu] < id[*lower])
			*lower = cpu;
		if (*upper < 0 || id[cpu] > id[*upper])
			*upper = cpu;
	}
	if (*lower == *upper)
		SKIP("one processor");
	id[*upper] = made_on(*upper);
	if (made_on(*lower) > id[*upper])
		SKIP("ids ascend over all processors here");
	REQUIRE(made_on(*upper) > id[*upper]);
	stay_on(*lower);
}

static cpu_set_t seen;

static void look(void *data, const int *fds, size_t nr)
{
	if (__real_sched_getaffinity(0, sizeof(seen), &seen))
		CPU_ZERO(&seen);
}


static void prepare(struct shot *s, int *lower, int *upper)
{
	need_api();
	find(lower, upper);
	*s = shoot(small);
	s->o.pin_dir = "/tmp/pins";
	s->o.namespaces_made = look;
}

static uint64_t counted(const struct mntcr_restored *r)
{
	const struct mntcr_stats *st = mntcr_restored_stats(r);
	uint32_t i;

	for (i = 0; i < st->nr_call_names; i++)
		if (!strcmp(st->calls[i].name, "sched_affinity"))
			return st->calls[i].nr;
	return 0;
}

static void another_processor_serves(void)
{
	struct mntcr_restored *r;
	int lower, upper;
	struct shot s;

	prepare(&s, &lower, &upper);
	nr_calls = 0;
	r = restored(&s);
	CHECK_EQ(counted(r), nr_calls);
	CHECK_EQ(world_own_mounts(), s.mounts + 2);
	/* That was for the moment, and is over when the mounts are made. */
	CHECK_EQ(CPU_COUNT(&seen), 1);
	CHECK(CPU_ISSET(lower, &seen));
	CHECK(!umount2("/tmp/pins", MNT_DETACH));
	CHECK(!rmdir("/tmp/pins"));
	end(&s, r);
}

static void no_other_processor(void)
{
	int lower, upper;
	struct shot s;

	prepare(&s, &lower, &upper);
	banned = upper;
	failed(&s, ELOOP, "each processor that may be used here makes namespaces with smaller ones");
	banned = -1;
	CHECK_ERRNO(access("/tmp/pins", F_OK), ENOENT);
	end(&s, NULL);
}

static const struct shot_test tests[] = {
	{ "another-serves", another_processor_serves },
	{ "no-other", no_other_processor },
};

int main(int argc, char **argv)
{
	return shot_run(tests, sizeof(tests) / sizeof(tests[0]), argv);
}
