// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Plans: which operations, in which order, how many; no system calls.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <jansson.h>
#include <sched.h>
#include <sys/mount.h>

#include "plan/plan.h"
#include "tap.h"

/* --- topologies by the row ------------------------------------------------------ */

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

static void start(uint32_t nr_ns)
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
static uint32_t add(uint32_t ns, uint64_t id, uint32_t parent, uint32_t sb,
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

static void share(uint32_t m, uint64_t group, uint64_t master)
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

static void finish(void)
{
	if (mc_topology_finish(t, &e)) {
		TAP_SAY("%s", e.text);
		REQUIRE(!"finished");
	}
}

static void done(void)
{
	mc_plan_free(p);
	p = NULL;
	mntcr_topology_free(t);
	t = NULL;
}

static int make(enum mntcr_api api, struct mc_plan_options *o)
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

static char *text(void)
{
	size_t len;
	char *s = NULL;
	FILE *f = open_memstream(&s, &len);

	REQUIRE(f);
	REQUIRE(!mc_plan_print(p, false, f, &e));
	REQUIRE(!fclose(f));
	return s;
}

static void golden(enum mntcr_api api, struct mc_plan_options *o, const char *want)
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
	free(s);
}

static void refused(enum mntcr_api api, struct mc_plan_options *o, const char *rule)
{
	CHECK_EQ(make(api, o), -1);
	CHECK_EQ(e.code, MNTCR_REFUSED);
	CHECK_STR(e.rule, rule);
	CHECK(*e.text);
}

/* --- the checker: no operation uses what is not there ---------------------------- */

struct checker {
	uint8_t *mount, *src;	/* 0 not yet, 1 open, 2 released, 3 spilled */
	uint8_t *attached;
	uint32_t open, most, detached, most_detached;
	bool groups_begun, locks_begun;
};

static uint8_t *state(struct checker *c, mc_ref r)
{
	static uint8_t always = 1;

	if (MC_REF_KIND(r) == MC_REF_MOUNT)
		return &c->mount[MC_REF_INDEX(r)];
	if (MC_REF_KIND(r) == MC_REF_SRC)
		return &c->src[MC_REF_INDEX(r)];
	return &always;
}

static void opens(struct checker *c, mc_ref r)
{
	uint8_t *s = state(c, r);

	REQUIRE(*s != 1 && *s != 2);
	*s = 1;
	if (++c->open > c->most)
		c->most = c->open;
}

static void uses(struct checker *c, mc_ref r)
{
	const struct mc_src *src;
	uint8_t *s = state(c, r);

	if (MC_REF_KIND(r) == MC_REF_SRC) {
		src = &p->srcs[MC_REF_INDEX(r)];
		if (src->kind == MC_SRC_SUB && src->inline_path) {
			uses(c, MC_REF(MC_REF_SRC, src->base));
			return;
		}
		if (src->kind == MC_SRC_NSFILE ||
		    (p->api == MNTCR_API_UPSTREAM && !src->opened))
			return;
	}
	if (*s == 3)
		opens(c, r);
	REQUIRE(*s == 1);
}

static void check_op(struct checker *c, const struct mc_op *op)
{
	uint32_t i, k = MC_REF_INDEX(op->obj);
	const struct mc_mount *m;

	switch ((enum mc_op_type)op->type) {
	case MC_OP_NS:
		return;
	case MC_OP_OPEN:
	case MC_OP_BASE:
	case MC_OP_FRESH:
		opens(c, op->obj);
		return;
	case MC_OP_SUBROOT:
		uses(c, MC_REF(MC_REF_SRC, p->srcs[k].base));
		opens(c, op->obj);
		return;
	case MC_OP_CLONE:
		uses(c, op->arg);
		if (MC_REF_KIND(op->obj) == MC_REF_TEMP)
			return;
		REQUIRE(!c->groups_begun);
		opens(c, op->obj);
		if (++c->detached > c->most_detached)
			c->most_detached = c->detached;
		return;
	case MC_OP_ATTACH:
		m = &t->mounts[k];
		REQUIRE(!c->groups_begun || m->parent == MC_NONE);
		uses(c, op->obj);
		REQUIRE(!c->attached[k]);
		if (m->parent != MC_NONE) {
			REQUIRE(c->attached[m->parent] ||
				t->mounts[m->parent].parent == MC_NONE);
			uses(c, op->arg);
			/* nothing is on the way to the mountpoint yet */
			mc_for_each_child(t, i, m->parent)
				REQUIRE(!c->attached[i] || i == k ||
					!strcmp(t->mounts[i].mountpoint, "/") ||
					!mc_path_below(t->mounts[i].mountpoint,
						       m->mountpoint));
		}
		c->attached[k] = 1;
		c->detached--;
		return;
	case MC_OP_GROUP:
		REQUIRE(!c->locks_begun);
		REQUIRE(op->nr);
		c->groups_begun = true;
		for (i = 0; i < op->nr; i++)
			uses(c, p->list[op->first + i]);
		if (op->arg != MC_NONE)
			uses(c, op->arg);
		return;
	case MC_OP_LOCK:
		c->locks_begun = true;
		uses(c, op->obj);
		return;
	case MC_OP_RELEASE:
		for (i = 0; i < op->nr; i++) {
			uint8_t *s = state(c, p->list[op->first + i]);

			if (MC_REF_KIND(p->list[op->first + i]) == MC_REF_TEMP)
				continue;
			REQUIRE(*s == 1);
			*s = op->flags & MC_SPILL ? 3 : 2;
			c->open--;
		}
		return;
	case MC_NR_OPS:
		REQUIRE(!"operation");
	}
}

static struct checker check(void)
{
	struct checker c = { 0 };
	uint32_t i;

	c.mount = calloc(t->nr_mounts + 1, 1);
	c.attached = calloc(t->nr_mounts + 1, 1);
	c.src = calloc(p->nr_srcs + 1, 1);
	REQUIRE(c.mount && c.src && c.attached);
	for (i = 0; i < p->nr_ops; i++)
		check_op(&c, &p->ops[i]);
	for (i = 0; i < t->nr_mounts; i++) {
		CHECK(c.attached[i]);
		CHECK_EQ(c.mount[i], 2);
	}
	for (i = 0; i < p->nr_srcs; i++)
		CHECK(c.src[i] != 1 || p->srcs[i].direct);
	CHECK(c.most <= p->peak_fds);
	free(c.mount);
	free(c.src);
	free(c.attached);
	return c;
}

/* --- tests ------------------------------------------------------------------------ */

static void small(void)
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

static void a_plan_for_the_extended_calls(void)
{
	small();
	golden(MNTCR_API_EXTENDED, NULL,
	       "namespace ns0 (A)\n"
	       "namespace ns1 (B)\n"
	       "open      src0 = live mount A:/\n"
	       "clone     mnt0:10 from src0\n"
	       "open      src2 = live mount A:/a\n"
	       "clone     mnt0:11 from src2\n"
	       "attach    mnt0:11 on mnt0:10 at /a\n"
	       "open      src4 = live mount A:/a/proc\n"
	       "clone     mnt0:12 from src4\n"
	       "attach    mnt0:12 on mnt0:11 at /proc\n"
	       "open      src1 = live mount B:/\n"
	       "clone     mnt1:20 from src1\n"
	       "open      src3 = live mount B:/a/b\n"
	       "clone     mnt1:21 from src3\n"
	       "attach    mnt1:21 on mnt1:20 at /a/b\n"
	       "group     shared: mnt0:11\n"
	       "group     master mnt0:11: mnt1:21\n"
	       "attach    mnt0:10 on ns0 at /\n"
	       "attach    mnt1:20 on ns1 at /\n"
	       "release   10 descriptors\n");
	check();
	done();
}

static void a_plan_for_the_upstream_calls(void)
{
	small();
	golden(MNTCR_API_UPSTREAM, NULL,
	       "namespace ns0 (A)\n"
	       "namespace ns1 (B)\n"
	       "base      src0 = live mount A:/\n"
	       "base      src2 = live mount A:/a\n"
	       "clone     mnt0:10 from src0\n"
	       "attach    mnt0:10 on ns0 at /\n"
	       "clone     mnt0:11 from src2\n"
	       "attach    mnt0:11 on mnt0:10 at /a\n"
	       "clone     mnt0:12 from src4 = live mount A:/a/proc\n"
	       "attach    mnt0:12 on mnt0:11 at /proc\n"
	       "subroot   src1 = c/d below src0\n"
	       "clone     mnt1:20 from src1\n"
	       "attach    mnt1:20 on ns1 at /\n"
	       "clone     mnt1:21 from src3 = x below src2\n"
	       "attach    mnt1:21 on mnt1:20 at /a/b\n"
	       "group     shared: mnt0:11\n"
	       "group     master mnt0:11: mnt1:21\n"
	       "release   8 descriptors\n");
	check();
	/* Trees are attached whole where the kernel lets them grow detached. */
	REQUIRE(!make(MNTCR_API_UPSTREAM,
		      &(struct mc_plan_options){ .whole_trees = true }));
	CHECK_EQ(p->ops[p->nr_ops - 2].type, MC_OP_ATTACH);
	CHECK_EQ(p->ops[p->nr_ops - 3].type, MC_OP_ATTACH);
	CHECK_EQ(p->ops[p->nr_ops - 4].type, MC_OP_GROUP);
	check();
	done();
}

static void fresh_and_external(void)
{
	struct mntcr_external ext = { "/dev/sda", "/srv" };
	struct mc_plan_options o = {
		.ns_live = (bool[]){ false, false },
		.externals = &ext, .nr_externals = 1,
		.caller_namespaces = true,
	};
	char *got;

	small();
	golden(MNTCR_API_EXTENDED, &o,
	       "namespace ns0 (A)\n"
	       "namespace ns1 (B)\n"
	       "base      src0 = external #0\n"
	       "clone     mnt0:10 from src0\n"
	       "fresh     src2 = new tmpfs for 8:1 with proc/ x/\n"
	       "clone     mnt0:11 from src2\n"
	       "attach    mnt0:11 on mnt0:10 at /a\n"
	       "fresh     src4 = new proc for 8:2\n"
	       "clone     mnt0:12 from src4\n"
	       "attach    mnt0:12 on mnt0:11 at /proc\n"
	       "subroot   src1 = c/d below src0\n"
	       "clone     mnt1:20 from src1\n"
	       "clone     mnt1:21 from src3 = x below src2\n"
	       "attach    mnt1:21 on mnt1:20 at /a/b\n"
	       "group     shared: mnt0:11\n"
	       "group     master mnt0:11: mnt1:21\n"
	       "attach    mnt0:10 on ns0 at /\n"
	       "attach    mnt1:20 on ns1 at /\n"
	       "release   8 descriptors\n");
	check();
	o.nr_externals = 0;
	refused(MNTCR_API_EXTENDED, &o, "no-source");
	/* proc would show what is the caller's: not unless that is wanted */
	o.nr_externals = 1;
	o.caller_namespaces = false;
	refused(MNTCR_API_EXTENDED, &o, "callers-namespace");
	refused(MNTCR_API_UPSTREAM, &o, "callers-namespace");
	o.ns_live = (bool[]){ true, false };
	o.prefer_fresh = true;
	REQUIRE(!make(MNTCR_API_EXTENDED, &o));
	got = text();
	CHECK(strstr(got, "new tmpfs"));
	CHECK(!strstr(got, "new proc"));
	free(got);
	check();
	done();
}

/* What programs read: valid whatever the bytes, and those bytes. */
static void json_keeps_bytes(void)
{
	static const char strange[] = "/\"\\\n\033\177", bad[] = "/a\xff\xfe";
	struct mc_plan_options o = { .prefer_fresh = true };
	bool seen = false, hex = false, makes = false;
	json_t *root, *ops, *op, *v;
	uint32_t m;
	size_t i, len;
	char *s = NULL;
	FILE *f;

	start(1);
	m = add(0, 1, MC_NONE, 1, "/", "/");
	add(0, 2, m, 1, "/", strange);
	add(0, 3, m, 1, "/", bad);
	finish();
	REQUIRE(!make(MNTCR_API_EXTENDED, &o));
	f = open_memstream(&s, &len);
	REQUIRE(f && !mc_plan_print(p, true, f, &e) && !fclose(f));
	for (i = 0; i < len; i++)
		CHECK(s[i] == '\n' || (s[i] >= ' ' && s[i] < 0x7f));
	root = json_loads(s, 0, NULL);
	REQUIRE(root);
	ops = json_object_get(root, "operations");
	json_array_foreach(ops, i, op) {
		v = json_object_get(op, "path");
		seen |= json_is_string(v) && !strcmp(json_string_value(v), strange);
		hex |= json_is_object(v) &&
		       !strcmp(json_string_value(json_object_get(v, "hex")),
			       "2f61fffe");
		makes |= json_array_size(json_object_get(op, "makes")) == 2;
	}
	CHECK(seen);
	CHECK(hex);
	CHECK(makes);
	json_decref(root);
	free(s);
	done();
}

/* nr mounts on one that has a long root: the root is said for each. */
static void many_on(size_t len, const char *part, uint32_t nr)
{
	char root[MC_MAX_PATH], at[32];
	uint32_t m, i;
	size_t n;

	start(1);
	m = add(0, 1, MC_NONE, 1, "/", "/");
	for (n = 0; n + strlen(part) <= len; n += strlen(part))
		memcpy(root + n, part, strlen(part));
	root[n] = '\0';
	m = add(0, 2, m, 1, root, "/on");
	for (i = 0; i < nr; i++) {
		snprintf(at, sizeof(at), "/%u", i);
		add(0, 3 + i, m, 1, "/", at);
	}
	finish();
}

#define LONG_NAME "/0123456789012345678901234567890123456789012345678"

static void what_fresh_ones_hold_is_bounded(void)
{
	struct mc_plan_options o = { .prefer_fresh = true };

	/* 120 MB, of an image of 100 kB */
	many_on(60000, LONG_NAME, 2000);
	refused(MNTCR_API_EXTENDED, &o, "too-many-mountpoints");
	TAP_SAY("%s", e.text);
	CHECK(strstr(e.text, "/on: "));
	refused(MNTCR_API_UPSTREAM, &o, "too-many-mountpoints");
	/* nothing is made on a live one */
	o.prefer_fresh = false;
	REQUIRE(!make(MNTCR_API_EXTENDED, &o));
	done();
	/* 3 million names; no more than are allowed */
	o.prefer_fresh = true;
	many_on(60000, "/a", 100);
	refused(MNTCR_API_EXTENDED, &o, "too-many-mountpoints");
	done();
	many_on(60000, "/a", 68);
	REQUIRE(!make(MNTCR_API_EXTENDED, &o));
	done();
	many_on(60000, LONG_NAME, 1100);
	REQUIRE(!make(MNTCR_API_EXTENDED, &o));
	done();
}

static void misused(struct mc_plan_options *o, const char *text)
{
	CHECK_EQ(make(MNTCR_API_EXTENDED, o), -1);
	CHECK_EQ(e.code, MNTCR_USAGE);
	if (!strstr(e.text, text))
		CHECK_STR(e.text, text);
}

/* An option that is wrong would else be left out in silence. */
static void options_that_name_nothing_or_too_much(void)
{
	struct mntcr_external ext[2] = {
		{ "8:0", "/a" }, { "/dev/sda", "/b" },
	}, masters[2] = { { "77", "/a" }, { "77", "/b" } };
	struct mc_plan_options o = { .externals = ext, .nr_externals = 2 };
	uint32_t r;

	start(1);
	t->sbs[sbs[3]].source = "tmp";
	r = add(0, 10, MC_NONE, 0, "/", "/");
	share(add(0, 11, r, 0, "/", "/a"), 0, 77);
	share(add(0, 12, r, 0, "/", "/b"), 5, 0);
	finish();
	misused(&o, "8:0 is named twice");
	ext[1].key = "8:9";
	misused(&o, "8:9: no superblock");
	ext[1].key = "tmp";
	misused(&o, "tmp: 2 superblocks");
	o.nr_externals = 1;
	REQUIRE(!make(MNTCR_API_EXTENDED, &o));
	o.masters = masters;
	o.nr_masters = 2;
	misused(&o, "77: given twice");
	masters[1].key = "5";
	misused(&o, "5: no peer group outside");
	o.nr_masters = 1;
	REQUIRE(!make(MNTCR_API_EXTENDED, &o));
	check();
	done();
}

/* Without ids, the files tell which namespace is older. */
static void namespaces_without_ids(void)
{
	uint32_t r, m;

	start(2);
	t->ns[0].id = t->ns[1].id = 0;
	t->sbs[sbs[2]].type = "nsfs";
	t->ns[0].ino = 7;
	t->ns[1].ino = 8;
	add(0, 10, MC_NONE, 0, "/", "/");
	r = add(1, 20, MC_NONE, 0, "/", "/");
	m = add(1, 21, r, 2, "mnt:[7]", "/f");
	t->mounts[m].nsfs_type = CLONE_NEWNS;
	t->mounts[m].nsfs_ino = 7;
	finish();
	REQUIRE(!make(MNTCR_API_EXTENDED, NULL));
	CHECK_EQ(p->ops[0].obj, MC_REF(MC_REF_NS, 1));
	CHECK_EQ(p->ops[1].obj, MC_REF(MC_REF_NS, 0));
	check();
	/* no kernel has that */
	t->mounts[0].nsfs_ns = 1;
	refused(MNTCR_API_EXTENDED, NULL, "namespace-cycle");
	done();
}

static void position(uint32_t m, uint32_t *clone, uint32_t *attach)
{
	uint32_t i;

	*clone = *attach = MC_NONE;
	for (i = 0; i < p->nr_ops; i++) {
		if (p->ops[i].obj != MC_REF(MC_REF_MOUNT, m))
			continue;
		if (p->ops[i].type == MC_OP_CLONE)
			*clone = i;
		if (p->ops[i].type == MC_OP_ATTACH)
			*attach = i;
	}
}

/* The upper one has the smaller id: it is cloned first and attached last. */
static void deeper_mountpoints_first(void)
{
	uint32_t r, up, in, deep, c[3], a[3];

	start(1);
	r = add(0, 10, MC_NONE, 0, "/", "/");
	up = add(0, 11, r, 1, "/", "/a");
	in = add(0, 12, up, 1, "/", "/z");
	deep = add(0, 13, r, 1, "/", "/a/b/c");
	add(0, 14, r, 1, "/", "/ab");
	add(0, 15, r, 0, "/q", "/");
	finish();
	REQUIRE(!make(MNTCR_API_EXTENDED, NULL));
	position(up, &c[0], &a[0]);
	position(in, &c[1], &a[1]);
	position(deep, &c[2], &a[2]);
	CHECK(c[0] < c[1] && c[1] < c[2]);
	CHECK(a[2] < a[0] && a[0] < a[1]);
	check();
	done();
}

/* What came beneath later is the parent of what was there before. */
static void a_tucked_mount(void)
{
	uint32_t r, c[2], a[2];

	start(1);
	r = add(0, 10, MC_NONE, 0, "/", "/");
	add(0, 11, r + 2, 1, "/", "/");
	add(0, 12, r, 1, "/", "/a");
	finish();
	REQUIRE(!make(MNTCR_API_EXTENDED, NULL));
	position(1, &c[0], &a[0]);
	position(2, &c[1], &a[1]);
	CHECK(c[0] < c[1] && a[1] < a[0]);
	check();
	done();
}

static void masters_come_first(void)
{
	uint32_t r, m[4], i, g, seen = 0;

	start(1);
	r = add(0, 10, MC_NONE, 0, "/", "/");
	for (i = 0; i < 4; i++) {
		char mp[8];

		snprintf(mp, sizeof(mp), "/m%u", i);
		m[i] = add(0, 11 + i, r, 1, "/", mp);
	}
	share(m[0], 9, 8);
	share(m[1], 8, 7);
	share(m[2], 7, 0);
	share(m[3], 0, 9);
	finish();
	REQUIRE(!make(MNTCR_API_EXTENDED, NULL));
	for (i = 0; i < p->nr_ops; i++) {
		if (p->ops[i].type != MC_OP_GROUP)
			continue;
		g = MC_REF_INDEX(p->list[p->ops[i].first]);
		CHECK_EQ(g, seen < 3 ? m[2 - seen] : m[3]);
		CHECK_EQ(p->ops[i].flags,
			 seen == 0 ? MOUNT_SETGROUP_SHARED :
			 seen < 3 ? MOUNT_SETGROUP_SHARED | MOUNT_SETGROUP_MASTER :
			 MOUNT_SETGROUP_MASTER);
		seen++;
	}
	CHECK_EQ(seen, 4);
	check();
	done();
}

static uint32_t count(enum mc_op_type type, uint8_t flags)
{
	uint32_t i, n = 0;

	for (i = 0; i < p->nr_ops; i++)
		n += p->ops[i].type == type &&
		     (!flags || p->ops[i].flags == flags);
	return n;
}

static void orphans(void)
{
	struct mntcr_external master = { "77", "/srv" };
	struct mntcr_external ext = { "8:0", "/srv" };
	struct mc_plan_options o = {
		.ns_live = (bool[]){ false }, .externals = &ext, .nr_externals = 1,
	};
	struct mc_plan_options with = o;
	uint32_t r, m;

	start(1);
	r = add(0, 10, MC_NONE, 0, "/", "/");
	m = add(0, 11, r, 0, "/", "/a");
	share(m, 0, 77);
	m = add(0, 12, r, 0, "/", "/b");
	share(m, 5, 77);
	finish();
	with.masters = &master;
	with.nr_masters = 1;
	refused(MNTCR_API_EXTENDED, &o, "orphan-slave");
	REQUIRE(!make(MNTCR_API_EXTENDED, &with));
	CHECK_EQ(count(MC_OP_GROUP, MOUNT_SETGROUP_MASTER), 1);
	CHECK_EQ(count(MC_OP_GROUP, MOUNT_SETGROUP_SHARED | MOUNT_SETGROUP_MASTER), 1);
	check();
	/* A live slave names it as well. */
	REQUIRE(!make(MNTCR_API_EXTENDED, NULL));
	CHECK_EQ(count(MC_OP_GROUP, MOUNT_SETGROUP_SIBLING), 1);
	CHECK_EQ(count(MC_OP_GROUP, MOUNT_SETGROUP_SHARED | MOUNT_SETGROUP_SIBLING), 1);
	check();
	/* Stock calls can follow the one that is no peer of anything. */
	REQUIRE(!make(MNTCR_API_UPSTREAM, NULL));
	CHECK_EQ(p->nr_temps, 1);
	CHECK(p->temps[0].keep_sharing);
	check();
	done();
}

/* Nothing outside can be of a superblock that is made here. */
static void no_orphans_on_fresh_superblocks(void)
{
	struct mntcr_external master = { "77", "/srv" };
	struct mc_plan_options o = {
		.prefer_fresh = true, .masters = &master, .nr_masters = 1,
	};

	start(1);
	share(add(0, 10, MC_NONE, 1, "/", "/"), 0, 77);
	finish();
	refused(MNTCR_API_EXTENDED, &o, "orphan-slave");
	o.nr_masters = 0;
	refused(MNTCR_API_EXTENDED, &o, "orphan-slave");
	refused(MNTCR_API_UPSTREAM, &o, "orphan-slave");
	done();
}

/* Each follows a live slave of its own; as few as contain them all. */
static void disjoint_orphans(void)
{
	uint32_t r, m, i;

	start(1);
	r = add(0, 10, MC_NONE, 1, "/", "/");
	share(add(0, 11, r, 0, "/a", "/a"), 0, 77);
	share(add(0, 12, r, 0, "/b", "/b"), 0, 77);
	share(add(0, 13, r, 0, "/b/c", "/c"), 0, 77);
	share(add(0, 14, r, 0, "/a/d", "/d"), 5, 77);
	finish();
	REQUIRE(!make(MNTCR_API_UPSTREAM, NULL));
	CHECK_EQ(p->nr_temps, 2);
	for (i = 0, m = 0; i < p->nr_ops; i++) {
		if (p->ops[i].type != MC_OP_GROUP)
			continue;
		CHECK(p->ops[i].flags & MOUNT_SETGROUP_SIBLING);
		m += p->ops[i].nr;
	}
	CHECK_EQ(m, 4);
	check();
	/* A peer of what is live would take part in what it does. */
	done();
	start(1);
	r = add(0, 10, MC_NONE, 1, "/", "/");
	share(add(0, 11, r, 0, "/a", "/a"), 0, 77);
	share(add(0, 12, r, 0, "/b", "/b"), 5, 77);
	finish();
	refused(MNTCR_API_UPSTREAM, NULL, "orphan-slave");
	done();
}

static void disjoint_groups(void)
{
	struct mc_plan_options o = { .ns_live = (bool[]){ false } };
	uint32_t r, m;

	start(1);
	r = add(0, 10, MC_NONE, 0, "/", "/");
	m = add(0, 11, r, 1, "/a/1", "/x");
	share(m, 5, 0);
	m = add(0, 12, r, 1, "/a/2", "/y");
	share(m, 5, 0);
	m = add(0, 13, r, 1, "/b", "/z");
	share(m, 0, 5);
	finish();
	REQUIRE(!make(MNTCR_API_EXTENDED, NULL));
	CHECK_EQ(count(MC_OP_GROUP, 0), 2);
	CHECK_EQ(p->nr_temps, 0);
	check();
	refused(MNTCR_API_UPSTREAM, NULL, "no-wide-mount");
	/* A fresh superblock has a root to stand in. */
	t->sbs[sbs[0]].type = "tmpfs";
	REQUIRE(!make(MNTCR_API_UPSTREAM, &o));
	CHECK_EQ(p->nr_temps, 1);
	CHECK_STR(p->temps[0].root, "/");
	check();
	done();
}

/* A peer that is as wide as its slaves stands for the group. */
static void the_widest_leads(void)
{
	uint32_t r, wide, m;

	start(1);
	r = add(0, 10, MC_NONE, 0, "/", "/");
	m = add(0, 11, r, 1, "/a/1", "/x");
	share(m, 5, 0);
	wide = add(0, 12, r, 1, "/a", "/y");
	share(wide, 5, 0);
	m = add(0, 13, r, 1, "/a/2", "/z");
	share(m, 0, 5);
	finish();
	REQUIRE(!make(MNTCR_API_UPSTREAM, NULL));
	CHECK_EQ(p->nr_temps, 0);
	CHECK_EQ(p->list[p->ops[p->nr_ops - 3].first], MC_REF(MC_REF_MOUNT, wide));
	check();
	done();
}

static void locks_and_types_last(void)
{
	struct mc_plan_options o = { .ignore_locks = true };
	uint32_t r, m;

	start(1);
	t->ns[0].base_propagation = MS_SHARED;
	r = add(0, 10, MC_NONE, 0, "/", "/");
	m = add(0, 11, r, 1, "/", "/a");
	share(m, 5, 0);
	t->mounts[r].locks_known = t->mounts[m].locks_known = true;
	t->mounts[m].attr = MOUNT_ATTR_RDONLY;
	t->mounts[m].locks = MOUNT_LOCK_MOUNT | MOUNT_LOCK_RDONLY;
	finish();
	/* its parent cannot be cloned alone any more */
	refused(MNTCR_API_EXTENDED, NULL, "uncloneable-source");
	t->mounts[m].locks = MOUNT_LOCK_RDONLY;
	REQUIRE(!make(MNTCR_API_EXTENDED, NULL));
	CHECK_EQ(count(MC_OP_LOCK, 0), 1);
	CHECK_EQ(count(MC_OP_GROUP, 0), 2);
	check();
	refused(MNTCR_API_UPSTREAM, NULL, "locks");
	REQUIRE(!make(MNTCR_API_UPSTREAM, &o));
	CHECK_EQ(count(MC_OP_LOCK, 0), 0);
	check();
	done();
}

/* Another owner: it is named by a live source only, and locks mounts. */
static void owners(void)
{
	struct mc_plan_options o = { .ns_live = (bool[]){ false } };
	uint32_t r, m;

	start(1);
	REQUIRE(mc_topology_add_userns(t) == 0);
	t->ns[0].userns = 0;
	r = add(0, 10, MC_NONE, 1, "/", "/");
	m = add(0, 11, r, 1, "/", "/a");
	add(0, 12, m, 1, "/", "/");
	finish();
	refused(MNTCR_API_EXTENDED, &o, "owner");
	o.ns_live = live;
	refused(MNTCR_API_UPSTREAM, &o, "locks");
	/* dumped where locks are not reported */
	refused(MNTCR_API_EXTENDED, &o, "locks");
	o.ignore_locks = true;
	REQUIRE(!make(MNTCR_API_EXTENDED, &o));
	o.ignore_locks = false;
	for (m = 0; m < 3; m++)
		t->mounts[m].locks_known = true;
	REQUIRE(!make(MNTCR_API_EXTENDED, &o));
	check();
	done();
}

/*
 * The kernel finds by id what is not below a lock: parents are locked before
 * what covers them, and what is mounted above others last.
 */
static void what_hides_is_locked_last(void)
{
	uint32_t r, i, at[3] = { 0 };

	start(1);
	r = add(0, 10, MC_NONE, 1, "/", "/");
	add(0, 11, r + 2, 1, "/", "/");
	add(0, 12, r, 1, "/", "/a");
	for (i = 0; i < 3; i++) {
		t->mounts[i].locks_known = true;
		t->mounts[i].locks = i ? MOUNT_LOCK_MOUNT : 0;
	}
	finish();
	REQUIRE(!make(MNTCR_API_EXTENDED, &(struct mc_plan_options){
		.ns_live = (bool[]){ false }, .fd_budget = 64 }));
	for (i = 0; i < p->nr_ops; i++)
		if (p->ops[i].type == MC_OP_LOCK)
			at[MC_REF_INDEX(p->ops[i].obj)] = i;
	CHECK(at[2] && at[2] < at[1]);
	check();
	done();
}

static void sources_that_cannot_be_cloned(void)
{
	uint32_t r, m;

	start(1);
	r = add(0, 10, MC_NONE, 0, "/", "/");
	m = add(0, 11, r, 1, "/", "/a");
	t->mounts[m].unbindable = true;
	finish();
	refused(MNTCR_API_EXTENDED, NULL, "uncloneable-source");
	done();
	/* another mount of it will do, a wider one as well */
	start(1);
	r = add(0, 10, MC_NONE, 0, "/", "/");
	m = add(0, 11, r, 1, "/x", "/a");
	t->mounts[m].unbindable = true;
	add(0, 12, r, 1, "/", "/b");
	finish();
	REQUIRE(!make(MNTCR_API_EXTENDED, NULL));
	check();
	REQUIRE(!make(MNTCR_API_UPSTREAM, NULL));
	check();
	done();
	/* covered: by id, but not by path */
	start(1);
	r = add(0, 10, MC_NONE, 0, "/", "/");
	m = add(0, 11, r, 1, "/", "/a");
	add(0, 12, m, 0, "/", "/");
	finish();
	REQUIRE(!make(MNTCR_API_EXTENDED, NULL));
	golden(MNTCR_API_UPSTREAM, NULL,
	       "namespace ns0 (A)\n"
	       "base      src0 = live mount /\n"
	       "base      src1 = live mount /a in a new copy of mnt0:10 without mnt0:12\n"
	       "clone     mnt0:10 from src0\n"
	       "attach    mnt0:10 on ns0 at /\n"
	       "clone     mnt0:11 from src1\n"
	       "attach    mnt0:11 on mnt0:10 at /a\n"
	       "clone     mnt0:12 from src0\n"
	       "attach    mnt0:12 on mnt0:11 at /\n"
	       "release   5 descriptors\n");
	check();
	/* a cover that is locked stays */
	t->mounts[2].locks_known = true;
	t->mounts[2].locks = MOUNT_LOCK_MOUNT;
	refused(MNTCR_API_UPSTREAM, &(struct mc_plan_options){
		.ignore_locks = true }, "overmounted-source");
	/* what covers the root is above everything that a path leads to */
	done();
	start(1);
	r = add(0, 10, MC_NONE, 0, "/", "/");
	add(0, 11, r, 1, "/", "/");
	finish();
	refused(MNTCR_API_UPSTREAM, NULL, "overmounted-source");
	done();
}

/* One superblock on n mountpoints, all in one group or none. */
static void many(uint32_t n, uint64_t group)
{
	uint32_t r, m, i;
	char mp[16];

	start(1);
	r = add(0, 10, MC_NONE, 0, "/", "/");
	for (i = 0; i < n; i++) {
		snprintf(mp, sizeof(mp), "/m%u", i);
		m = add(0, 11 + i, r, 1, "/", mp);
		if (group)
			share(m, group, 0);
	}
	finish();
}

static void chain(uint32_t n)
{
	uint32_t up = MC_NONE, m, i;

	start(1);
	for (i = 0; i < n; i++) {
		m = add(0, 10 + i, up, 1, "/", i ? "/d" : "/");
		share(m, 1000 + i, i ? 999 + i : 0);
		up = m;
	}
	finish();
}

static void operations_grow_linearly(void)
{
	static const enum mntcr_api apis[] = {
		MNTCR_API_EXTENDED, MNTCR_API_UPSTREAM,
	};
	uint64_t steps[2];
	uint32_t ops[2], shape, a, i;

	for (a = 0; a < 2; a++) {
		for (shape = 0; shape < 3; shape++) {
			for (i = 0; i < 2; i++) {
				uint32_t n = i ? 16000 : 4000;

				if (shape < 2)
					many(n, shape * 5);
				else
					chain(n);
				REQUIRE(!make(apis[a], NULL));
				steps[i] = p->steps;
				ops[i] = p->nr_ops;
				/* clone, attach; group by group in the chain */
				CHECK(ops[i] < (shape == 2 ? 3 : 2) * n + n / 50 + 30);
				done();
			}
			CHECK(ops[1] < 4.1 * ops[0]);
			/* n log n: 4.7 */
			CHECK(steps[1] < 4.8 * steps[0]);
		}
	}
}

/* Every mount of a chain below a cover is fetched from a copy of its tree. */
static void covered_chains_grow_linearly(void)
{
	uint64_t steps[2];
	uint32_t i, k, n, m, up, sb;

	for (i = 0; i < 2; i++) {
		n = i ? 8000 : 2000;
		start(1);
		up = add(0, 10, MC_NONE, 0, "/", "/");
		for (k = 0; k < n; k++) {
			sb = mc_topology_add_sb(t);
			REQUIRE(sb != MC_NONE);
			t->sbs[sb].minor = 100 + k;
			t->sbs[sb].type = "ext4";
			m = add(0, 11 + k, up, 0, "/", "/d");
			t->mounts[m].sb = sb;
			up = m;
		}
		add(0, 11 + n, 1, 0, "/", "/");
		finish();
		REQUIRE(!make(MNTCR_API_UPSTREAM, NULL));
		steps[i] = p->steps;
		done();
	}
	CHECK(steps[1] < 4.8 * steps[0]);
}

static void few_descriptors(void)
{
	struct mc_plan_options o = { .fd_budget = 100, .batch = 10 };
	struct checker c;

	many(2000, 5);
	REQUIRE(!make(MNTCR_API_EXTENDED, &o));
	CHECK(p->peak_fds < 200);
	CHECK(count(MC_OP_RELEASE, MC_SPILL) > 10);
	CHECK_EQ(count(MC_OP_GROUP, MOUNT_SETGROUP_SHARED), 1);
	CHECK(count(MC_OP_GROUP, MOUNT_SETGROUP_PEER) >= 2000 / 51);
	c = check();
	CHECK(c.most < 200);
	CHECK(c.most_detached <= 2);
	/* without a limit: one call says the group */
	REQUIRE(!make(MNTCR_API_EXTENDED, NULL));
	CHECK_EQ(count(MC_OP_GROUP, 0), 1);
	CHECK(p->peak_fds > 2000);
	check();
	done();
}

/* Whatever the shape: a restore with a limit is not refused for lack of them. */
static void the_limit_is_kept(void)
{
	static const uint32_t budgets[] = { 64, 100, 192, 500 };
	uint32_t shape, i, k, r;
	char mp[32];

	for (shape = 0; shape < 6; shape++) {
		if (shape < 2) {
			many(2000, shape * 5);
		} else if (shape == 2) {
			chain(2000);
		} else {
			/* all of one level before the next; three components */
			start(1);
			r = add(0, 10, MC_NONE, 0, "/", "/");
			for (i = 0; i < 1000; i++) {
				snprintf(mp, sizeof(mp), "/a/b/m%u", i);
				share(add(0, 11 + i, r, 1, "/", mp), 5, 0);
			}
			for (i = 0; i < 1000; i++) {
				k = add(0, 2000 + i, r + 1 + i, shape == 4, "/",
					shape == 5 ? "/" : "/x/y");
				share(k, shape == 4 ? 5 : 1000 + i, 0);
			}
			if (shape == 5)
				for (i = 0; i < 3; i++)
					share(add(0, 5000 + i, r + 1 + i, 1,
						  "/", "/z/z"), 0, 5);
			finish();
		}
		for (k = 0; k < 8; k++) {
			struct mc_plan_options o = {
				.fd_budget = budgets[k / 2],
				.batch = budgets[k / 2] / 8 + 1,
				.prefer_fresh = k & 1,
			};
			uint32_t nr;

			REQUIRE(!make(MNTCR_API_EXTENDED, &o));
			nr = check().most;
			if (nr > o.fd_budget || p->peak_fds > o.fd_budget)
				TAP_SAY("shape %u, %u of %u", shape, p->peak_fds,
					o.fd_budget);
			CHECK(p->peak_fds <= o.fd_budget);
		}
		done();
	}
}

/* --- any topology -------------------------------------------------------------------- */

static uint32_t seed;

static uint32_t any(uint32_t n)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % n;
}

static void random_topology(uint32_t n)
{
	static const char *const roots[] = { "/", "/a", "/a/b", "/b", "/c/d/e" };
	static const char *const dirs[] = {
		"/p", "/p/q", "/p/q/r", "/s", "/t/u", "/", "/v", "/w", "/x/y/z",
	};
	uint32_t ns, i, m, up, tries, c, first, nr_ns = 1 + any(3), g;
	uint64_t id = 10;

	start(nr_ns);
	for (ns = 0; ns < nr_ns; ns++) {
		first = add(ns, id++, MC_NONE, any(3), "/", "/");
		for (i = 1; i < n; i++) {
			const char *mp = "/";
			bool taken = true;

			for (tries = 0; taken && tries < 20; tries++) {
				up = first + any(i);
				mp = dirs[any(9)];
				taken = false;
				for (c = first; c < t->nr_mounts; c++)
					if (t->mounts[c].parent == up &&
					    !strcmp(t->mounts[c].mountpoint, mp))
						taken = true;
			}
			if (taken)
				break;
			m = add(ns, id, up, any(3), roots[any(5)], mp);
			id += 1 + any(3);
			/* every superblock has groups of its own */
			g = t->mounts[m].sb * 100;
			switch (any(6)) {
			case 0:
				share(m, g + 1 + any(2), 0);
				break;
			case 1:
				share(m, 0, g + 1 + any(2));
				break;
			case 2:
				share(m, g + 10, g + 1);
				break;
			case 3:
				t->mounts[m].unbindable = !any(3);
				break;
			}
		}
	}
	finish();
}

static void any_topology_is_planned_soundly(void)
{
	struct mc_plan_options o = { 0 };
	uint32_t i, planned = 0;
	char *a, *b;

	for (i = 0; i < 2000; i++) {
		seed = i;
		random_topology(2 + any(40));
		memset(&o, 0, sizeof(o));
		o.fd_budget = any(2) ? 40 + any(40) : 0;
		o.batch = any(3) ? 1 + any(20) : 0;
		o.prefer_fresh = any(2);
		o.whole_trees = any(2);
		if (!make(any(2) ? MNTCR_API_EXTENDED : MNTCR_API_UPSTREAM, &o)) {
			planned++;
			check();
			a = text();
			REQUIRE(!make(o.api, &o));
			b = text();
			CHECK(!strcmp(a, b));
			free(a);
			free(b);
		} else {
			REQUIRE(e.code == MNTCR_REFUSED);
		}
		done();
		if (tap.bad) {
			TAP_SAY("seed %u", i);
			return;
		}
	}
	CHECK(planned > 500);
}

/* Roots that are detached at a time, each of which counts. */
static uint32_t most_trees(uint32_t nr_ns, enum mntcr_api api)
{
	struct mc_plan_options o = { .whole_trees = true };
	uint32_t i, now = 0, most = 0;
	const struct mc_op *op;

	start(nr_ns);
	for (i = 0; i < nr_ns; i++)
		add(i, i + 1, MC_NONE, 0, "/", "/");
	finish();
	REQUIRE(!make(api, &o));
	for (i = 0; i < p->nr_ops; i++) {
		op = &p->ops[i];
		if (op->type == MC_OP_CLONE && ++now > most)
			most = now;
		if (op->type == MC_OP_ATTACH)
			now--;
	}
	CHECK_EQ(now, 0);
	done();
	return most;
}

static void few_trees_at_a_time(void)
{
	static const enum mntcr_api apis[] = {
		MNTCR_API_EXTENDED, MNTCR_API_UPSTREAM,
	};
	size_t a;

	for (a = 0; a < 2; a++) {
		CHECK_EQ(most_trees(MC_MOST_TREES, apis[a]), MC_MOST_TREES);
		CHECK(most_trees(MC_MOST_TREES + 1, apis[a]) < 4);
	}
}

int main(void)
{
	TAP_RUN(a_plan_for_the_extended_calls);
	TAP_RUN(a_plan_for_the_upstream_calls);
	TAP_RUN(fresh_and_external);
	TAP_RUN(json_keeps_bytes);
	TAP_RUN(what_fresh_ones_hold_is_bounded);
	TAP_RUN(options_that_name_nothing_or_too_much);
	TAP_RUN(namespaces_without_ids);
	TAP_RUN(deeper_mountpoints_first);
	TAP_RUN(a_tucked_mount);
	TAP_RUN(masters_come_first);
	TAP_RUN(orphans);
	TAP_RUN(no_orphans_on_fresh_superblocks);
	TAP_RUN(disjoint_orphans);
	TAP_RUN(disjoint_groups);
	TAP_RUN(the_widest_leads);
	TAP_RUN(locks_and_types_last);
	TAP_RUN(owners);
	TAP_RUN(what_hides_is_locked_last);
	TAP_RUN(sources_that_cannot_be_cloned);
	TAP_RUN(operations_grow_linearly);
	TAP_RUN(covered_chains_grow_linearly);
	TAP_RUN(few_descriptors);
	TAP_RUN(the_limit_is_kept);
	TAP_RUN(few_trees_at_a_time);
	TAP_RUN(any_topology_is_planned_soundly);
	return tap_done();
}
