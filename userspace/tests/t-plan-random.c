// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Random topologies, planned for both backends: run without a kernel, each
 * plan makes the very topology; and what can be made is not refused.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <sched.h>
#include <sys/mount.h>

#include "plan-sim.h"
#include "tap.h"

static uint32_t seed;

static uint32_t any(uint32_t n)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % n;
}

/* --- a topology ------------------------------------------------------------ */

static const char *const roots[] = {
	"/", "/a", "/a/b", "/a/b/c", "/b", "/b/x", "/..d", "/..d/e", "/a/f", "/f",
};
static const char *const places[] = {
	"/p", "/p/q", "/p/q/r", "/s", "/t/u", "/v", "/..w", "/f", "/p/f",
};
static const char *const types[] = {
	"ext4", "tmpfs", "tmpfs", "sysfs", "sysfs", "ext4", "cgroup2", "nsfs",
};
#define NR_SBS	8
#define NSFS	7

/* What the random topologies may have. */
struct wild {
	bool locks, locks_unknown, unbindable, outside, dots;
};

static struct mc_topology *t;
static struct mntcr_error e;

static bool is_file(const char *path)
{
	const char *last = strrchr(path, '/');

	return !last || last[1] == 'f';
}

static void start(uint32_t nr_ns, const struct wild *w)
{
	static const char *const labels[] = { "A", "B", "C", "D" };
	uint32_t turn = any(nr_ns), i, n;

	t = mc_topology_new();
	REQUIRE(t);
	t->unique_ids = true;
	for (i = 0; i < NR_SBS; i++) {
		n = mc_topology_add_sb(t);
		REQUIRE(n == i);
		t->sbs[n].major = 8;
		t->sbs[n].minor = i;
		t->sbs[n].type = types[i];
		t->sbs[n].source = types[i];
	}
	for (i = 0; i < 2; i++)
		REQUIRE(mc_topology_add_userns(t) == i);
	t->userns[0].dumper = true;
	t->userns[1].parent = 0;
	for (i = 0; i < nr_ns; i++) {
		n = mc_topology_add_ns(t);
		REQUIRE(n == i);
		/* in any order */
		t->ns[n].id = 100 + (i + turn) % nr_ns;
		t->ns[n].ino = 900 + i;
		t->ns[n].label = labels[i];
		t->ns[n].userns = w->locks && !any(3);
		t->ns[n].base_propagation = any(3) ? MS_PRIVATE : MS_SHARED;
	}
}

static void share(uint32_t m, uint32_t group, uint32_t master)
{
	uint32_t g;

	if (group) {
		g = mc_topology_get_group(t, group);
		REQUIRE(g != MC_NONE);
		t->mounts[m].group = g;
	}
	if (master) {
		g = mc_topology_get_group(t, master);
		REQUIRE(g != MC_NONE);
		t->mounts[m].master = g;
		if (group)
			t->groups[t->mounts[m].group].master = g;
	}
}

/*
 * Groups 1, 2, 3 of a superblock receive from one another in one of several
 * ways; 4 is never joined, so that it is outside.
 */
static void some_sharing(uint32_t m, uint32_t shape, const struct wild *w)
{
	static const uint8_t up[][4] = {
		{ 0, 0, 0, 0 }, { 0, 0, 1, 2 }, { 0, 0, 1, 1 }, { 0, 4, 1, 4 },
	};
	const uint8_t *from = up[shape % (w->outside ? 4 : 3)];
	uint32_t g = t->mounts[m].sb * 10, k = 1 + any(3);

	/* A master has members of its own, or it would be outside as well. */
	while (from[k] && from[k] < 4 &&
	       (mc_find_group(t, g + from[k]) == MC_NONE))
		k = from[k];
	switch (any(5)) {
	case 0:
	case 1:
		share(m, g + k, from[k] ? g + from[k] : 0);
		break;
	case 2:
		if (mc_find_group(t, g + k) != MC_NONE)
			share(m, 0, g + k);
		break;
	case 3:
		if (w->outside)
			share(m, 0, g + 4);
		break;
	}
}

static void some_flags(uint32_t i, const struct wild *w)
{
	static const uint32_t attrs[] = {
		0, MOUNT_ATTR_RDONLY, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV,
		MOUNT_ATTR_NOATIME, MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NODIRATIME,
	};
	struct mc_mount *m = &t->mounts[i];

	m->attr = attrs[any(5)];
	if (w->unbindable && !any(12) && m->group == MC_NONE &&
	    m->master == MC_NONE)
		m->unbindable = true;
	m->locks_known = !w->locks_unknown;
	if (!m->locks_known || !w->locks || !t->ns[m->ns].userns || any(2))
		return;
	if (m->parent != MC_NONE && any(2))
		m->locks |= MOUNT_LOCK_MOUNT;
	if (m->attr & MOUNT_ATTR_RDONLY)
		m->locks |= MOUNT_LOCK_RDONLY;
	if (m->attr & MOUNT_ATTR_NOEXEC)
		m->locks |= MOUNT_LOCK_NOEXEC;
	if (any(2))
		m->locks |= MOUNT_LOCK_ATIME;
}

static bool taken(uint32_t from, uint32_t up, const char *at)
{
	uint32_t i;

	for (i = from; i < t->nr_mounts; i++)
		if (t->mounts[i].parent == up && !strcmp(t->mounts[i].mountpoint, at))
			return true;
	return false;
}

/* The file of a namespace, in one that is older. */
static bool nsfs_mount(uint32_t i, uint32_t ns)
{
	struct mc_mount *m = &t->mounts[i];
	char root[32];
	uint32_t k;

	for (k = 0; k < t->nr_ns; k++)
		if (t->ns[k].id > t->ns[ns].id)
			break;
	if (k == t->nr_ns)
		return false;
	m->sb = NSFS;
	m->nsfs_type = CLONE_NEWNS;
	m->nsfs_ino = t->ns[k].ino;
	snprintf(root, sizeof(root), "mnt:[%u]", (unsigned int)t->ns[k].ino);
	m->root = mc_topology_str(t, root);
	return true;
}

static void add_mount(uint32_t ns, uint32_t from, const uint32_t *shape,
		      const struct wild *w)
{
	uint32_t m, up = MC_NONE, tries;
	const char *at = "/", *root;
	bool file;

	if (from < t->nr_mounts) {
		for (tries = 0; ; tries++) {
			if (tries == 20)
				return;
			up = from + any(t->nr_mounts - from);
			at = any(4) ? places[any(9)] : "/";
			if (is_file(t->mounts[up].root))
				at = "/";
			if (!taken(from, up, at))
				break;
		}
	}
	file = up != MC_NONE && is_file(at[1] ? at : t->mounts[up].root);
	do
		root = roots[any(10)];
	while (is_file(root) != file);
	m = mc_topology_add_mount(t);
	REQUIRE(m != MC_NONE);
	t->mounts[m].id = 10 + m * 2;
	t->mounts[m].ns = ns;
	t->mounts[m].parent = up;
	t->mounts[m].mountpoint = at;
	t->mounts[m].mp_type = file ? MC_MP_OTHER : MC_MP_DIR;
	t->mounts[m].root = root;
	t->mounts[m].sb = any(NR_SBS - 1);
	if (t->mounts[m].sb == 6 && w->dots && !any(2))
		t->mounts[m].root = file ? "/../f" : any(2) ? "/.." : "/../a";
	if (!file || any(3) || !nsfs_mount(m, ns))
		some_sharing(m, shape[t->mounts[m].sb], w);
	some_flags(m, w);
	/* Mounted beneath: the child is older. */
	if (up != MC_NONE && up + 1 < m && !any(6)) {
		uint64_t id = t->mounts[up].id;

		t->mounts[up].id = t->mounts[m].id;
		t->mounts[m].id = id;
	}
}

static void random_topology(const struct wild *w)
{
	uint32_t nr_ns = 1 + any(4), shape[NR_SBS], ns, i, n, from;
	bool no_ids;

	start(nr_ns, w);
	no_ids = !any(4);
	for (i = 0; i < NR_SBS; i++)
		shape[i] = any(12);
	for (ns = 0; ns < nr_ns; ns++) {
		from = t->nr_mounts;
		for (n = any(8) ? 1 + any(15) : 0; n; n--)
			add_mount(ns, from, shape, w);
	}
	for (i = 0; no_ids && i < nr_ns; i++)
		t->ns[i].id = 0;
	if (mc_topology_finish(t, &e)) {
		TAP_SAY("%s", e.text);
		REQUIRE(!"finished");
	}
}

/* --- properties ------------------------------------------------------------ */

static struct sim sim;

static void show(const struct mc_plan *p)
{
	size_t len;
	char *s = NULL;
	FILE *f = open_memstream(&s, &len);

	REQUIRE(f);
	if (getenv("SHOW"))
		mntcr_render(t, MNTCR_FORMAT_TREE, f, &e);
	if (p)
		mc_plan_print(p, false, f, &e);
	fclose(f);
	TAP_SAY("the plan is\n%s", s);
	free(s);
}

static bool plan(const struct mc_plan_options *o)
{
	struct mc_plan *p;
	const char *why;

	if (mc_plan_make(t, o, &p, &e)) {
		REQUIRE(e.code == MNTCR_REFUSED && *e.rule && *e.text);
		return false;
	}
	why = sim_run(&sim, p, o);
	if (why) {
		TAP_SAY("%s", why);
		show(p);
		tap.bad = 1;
	}
	mc_plan_free(p);
	return true;
}

static const uint32_t rounds = 4000;

static uint32_t first(void)
{
	return getenv("SEED") ? (uint32_t)atoi(getenv("SEED")) : 0;
}

static bool stop(uint32_t i)
{
	mntcr_topology_free(t);
	t = NULL;
	if (tap.bad)
		TAP_SAY("SEED=%u", i);
	return tap.bad || getenv("SEED");
}

static bool is_outside(const struct mntcr_external *x, uint32_t nr)
{
	uint32_t i, g;

	for (i = 0; i < nr; i++) {
		g = mc_find_group(t, (uint64_t)atoi(x[i].key));
		if (g == MC_NONE || t->groups[g].nr_members)
			return false;
	}
	return true;
}

/* Everything goes, but what is planned is right. */
static void plans_make_what_they_say(void)
{
	const struct mntcr_external ext[] = {
		{ .key = "8:0", .path = "/x" }, { .key = "8:1", .path = "/y" }, { .key = "8:3", .path = "/z" },
	}, masters[] = { { .key = "4", .path = "/m" }, { .key = "14", .path = "/n" } };
	uint32_t i, k, planned[2] = { 0 };
	struct wild w;
	bool live[4];

	for (i = first(); i < first() + rounds; i++) {
		struct mc_plan_options o = { 0 };

		seed = i * 7919;
		w.locks = any(2);
		w.locks_unknown = !any(3);
		w.unbindable = any(2);
		w.outside = any(2);
		w.dots = any(2);
		random_topology(&w);
		for (k = 0; k < 4; k++)
			live[k] = any(5);
		o.ns_live = live;
		o.externals = ext;
		o.nr_externals = any(3) ? 0 : any(4);
		o.masters = masters;
		o.nr_masters = any(3) ? 0 : any(3);
		while (o.nr_masters && !is_outside(masters, o.nr_masters))
			o.nr_masters--;
		o.prefer_fresh = !any(4);
		o.caller_namespaces = any(4);
		o.ignore_locks = any(2);
		o.whole_trees = any(2);
		o.batch = any(2) ? 1 + any(9) : 0;
		o.keep_fds = !any(8);
		o.api = any(2) ? MNTCR_API_EXTENDED : MNTCR_API_UPSTREAM;
		if (!o.keep_fds && !any(3))
			o.fd_budget = 2 + any(30);
		planned[o.api == MNTCR_API_UPSTREAM] += plan(&o);
		if (stop(i))
			return;
	}
	TAP_SAY("planned: %u with the new calls, %u without, of %u", planned[0],
		planned[1], rounds);
	CHECK(planned[0] > rounds / 8 && planned[1] > rounds / 32);
}

static void refuses_nothing(enum mntcr_api api, const bool *live, bool external,
			    const struct wild *w)
{
	static const struct mntcr_external all[] = {
		{ .key = "8:0", .path = "/0" }, { .key = "8:1", .path = "/1" }, { .key = "8:2", .path = "/2" }, { .key = "8:3", .path = "/3" },
		{ .key = "8:4", .path = "/4" }, { .key = "8:5", .path = "/5" }, { .key = "8:6", .path = "/6" },
	};
	const struct mc_plan_options o = {
		.api = api, .ns_live = live, .whole_trees = true,
		.externals = all, .nr_externals = external ? 7 : 0,
	};
	uint32_t i;

	for (i = first(); i < first() + rounds / 4; i++) {
		seed = i * 104729;
		random_topology(w);
		if (!plan(&o)) {
			TAP_SAY("%s: %s", e.rule, e.text);
			show(NULL);
			tap.bad = 1;
		}
		if (stop(i))
			return;
	}
}

static const bool all_live[4] = { true, true, true, true };
static const bool none_live[4];

/* Nothing locked, nothing unbindable, or nothing of it in the way. */
static void the_new_calls_refuse_nothing_that_lives(void)
{
	const struct wild w = { .outside = true, .dots = true };

	refuses_nothing(MNTCR_API_EXTENDED, all_live, false, &w);
}

static void the_new_calls_refuse_nothing_from_outside(void)
{
	const struct wild w = { .unbindable = true };

	refuses_nothing(MNTCR_API_EXTENDED, none_live, true, &w);
}

static void stock_calls_refuse_nothing_from_outside(void)
{
	const struct wild w = { .unbindable = true };

	refuses_nothing(MNTCR_API_UPSTREAM, none_live, true, &w);
}

int main(void)
{
	TAP_RUN(plans_make_what_they_say);
	TAP_RUN(the_new_calls_refuse_nothing_that_lives);
	TAP_RUN(the_new_calls_refuse_nothing_from_outside);
	TAP_RUN(stock_calls_refuse_nothing_from_outside);
	return tap_done();
}
