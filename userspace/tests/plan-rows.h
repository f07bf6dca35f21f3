/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Topologies by the row, and the plan that is made of one; what it has to be.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef TESTS_PLAN_ROWS_H
#define TESTS_PLAN_ROWS_H

#include <jansson.h>

#include "plan/plan.h"
#include "tap.h"

static struct mc_topology *t;
static uint32_t sbs[4];
static struct mntcr_error e;
static struct mc_plan *p;
static bool live[MC_MOST_TREES + 8];

static const struct {
	const char *type, *source, *options;
} kinds[4] = {

	{ "ext4", "/dev/sda", "rw" }, { "tmpfs", "tmp", "rw,mode=755" },
	{ "proc", "proc", "rw" }, { "ext4", "/dev/sdb", "rw" },
};

static inline void start(uint32_t nr_ns)
{
	uint32_t i, n;

	t = mc_topology_new();
	REQUIRE(t);
	t->unique_ids = true;
	for (i = 0; i < 4; i++) {
		sbs[i] = mc_topology_add_sb(t);
		REQUIRE(sbs[i] != MC_NONE);
		t->sbs[sbs[i]].major = 8;
		t->sbs[sbs[i]].minor = i;
		t->sbs[sbs[i]].type = mc_topology_str(t, kinds[i].type);
		t->sbs[sbs[i]].source = mc_topology_str(t, kinds[i].source);
		t->sbs[sbs[i]].options = mc_topology_str(t, kinds[i].options);
	}
	for (i = 0; i < nr_ns; i++) {
		n = mc_topology_add_ns(t);
		REQUIRE(n != MC_NONE);
		t->ns[n].id = 100 + i;
		t->ns[n].label = i ? "B" : "A";
		live[i] = true;
	}
}

/* A mount; parent MC_NONE is the namespace's root. */
static inline uint32_t add(uint32_t ns, uint64_t id, uint32_t parent, uint32_t sb,
		    const char *root, const char *mountpoint)
{
	uint32_t m = mc_topology_add_mount(t);

	REQUIRE(m != MC_NONE);
	t->mounts[m].id = id;
	t->mounts[m].ns = ns;
	t->mounts[m].parent = parent;
	t->mounts[m].sb = sbs[sb];
	t->mounts[m].root = mc_topology_str(t, root);
	t->mounts[m].mountpoint = mc_topology_str(t, mountpoint);
	t->mounts[m].mp_type = MC_MP_DIR;
	if (parent == MC_NONE)
		t->ns[ns].root = m;
	return m;
}

static inline void share(uint32_t m, uint64_t group, uint64_t master)
{
	uint32_t g, up;

	if (group) {
		g = mc_topology_get_group(t, group);
		REQUIRE(g != MC_NONE);
		t->mounts[m].group = g;
	}
	if (master) {
		up = mc_topology_get_group(t, master);
		REQUIRE(up != MC_NONE);
		t->mounts[m].master = up;
		if (group)
			t->groups[t->mounts[m].group].master = up;
	}
}

static inline void finish(void)
{
	if (mc_topology_finish(t, &e)) {
		TAP_SAY("%s", e.text);
		REQUIRE(!"finished");
	}
}

static inline void done(void)
{
	mc_plan_free(p);
	p = NULL;
	mntcr_topology_free(t);
	t = NULL;
}

static inline int make(enum mntcr_api api, struct mc_plan_options *o)
{
	struct mc_plan_options none = { 0 };

	if (!o)
		o = &none;
	o->api = api;
	if (!o->ns_live)
		o->ns_live = live;
	mc_plan_free(p);
	p = NULL;
	memset(&e, 0, sizeof(e));
	return mc_plan_make(t, o, &p, &e);
}

static inline char *printed(bool json)
{
	size_t len;
	char *s = NULL;
	FILE *f = open_memstream(&s, &len);

	REQUIRE(f);
	REQUIRE(!mc_plan_print(p, json, f, &e));
	REQUIRE(!fclose(f));
	return s;
}

static inline char *text(void)
{
	return printed(false);
}

static inline size_t lines_of(const char *s, const char *begin)
{
	size_t n = 0;

	for (; *s; s += strcspn(s, "\n"), s += *s == '\n')
		n += !strncmp(s, begin, strlen(begin));
	return n;
}

/* What programs read has as many of each as what people read. */
static inline void same_as_json(const char *people)
{
	char *s = printed(true);
	json_t *root = json_loads(s, 0, NULL);

	if (!root)
		TAP_SAY("no JSON: %s", s);
	REQUIRE(root);
	CHECK_EQ(json_array_size(json_object_get(root, "differences")),
		 lines_of(people, "differs "));
	CHECK_EQ(json_array_size(json_object_get(root, "operations")), p->nr_ops);
	json_decref(root);
	free(s);
}

static inline void golden(enum mntcr_api api, struct mc_plan_options *o, const char *want)
{
	char *s;

	if (make(api, o)) {
		TAP_SAY("%s [%s]", e.text, e.rule);
		REQUIRE(!"planned");
	}
	s = text();
	if (strcmp(s, want)) {
		TAP_SAY("the plan is\n%sand not\n%s", s, want);
		tap.bad = 1;
	}
	same_as_json(s);
	free(s);
}

static inline void refused(enum mntcr_api api, struct mc_plan_options *o, const char *rule)
{
	CHECK_EQ(make(api, o), -1);
	CHECK_EQ(e.code, MNTCR_REFUSED);
	CHECK_STR(e.rule, rule);
	CHECK(*e.text);
}

static inline void small(void)
{
	uint32_t r, a, b;

	start(2);
	r = add(0, 10, MC_NONE, 0, "/", "/");
	a = add(0, 11, r, 1, "/", "/a");
	share(a, 5, 0);
	add(0, 12, a, 2, "/", "/proc");
	r = add(1, 20, MC_NONE, 0, "/c/d", "/");
	b = add(1, 21, r, 1, "/x", "/a/b");
	share(b, 0, 5);
	finish();
}

static inline uint32_t count(enum mc_op_type type, uint8_t flags)
{
	uint32_t i, n = 0;

	for (i = 0; i < p->nr_ops; i++)
		n += p->ops[i].type == type &&
		     (!flags || p->ops[i].flags == flags);
	return n;
}

#endif /* TESTS_PLAN_ROWS_H */
