// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Plans as text: which operations, in which order; no system calls.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <jansson.h>
#include <sched.h>
#include <sys/mount.h>

#include "plan-checker.h"

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

#define WAITING	25

/* What has waited for one that is younger is attached in the order of its ids. */
static void what_has_waited_by_id(void)
{
	uint32_t r, i, c, a, last = 0;
	char at[8];

	start(1);
	r = add(0, 10, MC_NONE, 0, "/", "/");
	for (i = 0; i < WAITING; i++) {
		snprintf(at, sizeof(at), "/%u", (i + 3) % WAITING);
		add(0, 11 + i, r + 1 + WAITING, 1, "/", at);
	}
	add(0, 11 + WAITING, r, 1, "/", "/a");
	finish();
	REQUIRE(!make(MNTCR_API_EXTENDED, NULL));
	for (i = 0; i < WAITING; i++) {
		position(1 + i, &c, &a);
		CHECK(a > last);
		last = a;
	}
	check();
	done();
}

/* Of two that show parts of a superblock, the one that has it below serves for a root. */
static void below_the_wide_one_that_has_it(void)
{
	uint32_t r, m, at;

	start(2);
	live[1] = false;
	r = add(0, 10, MC_NONE, 0, "/", "/");
	at = add(0, 11, r, 1, "/a", "/p");
	add(0, 12, r, 1, "/b", "/q");
	r = add(1, 20, MC_NONE, 0, "/", "/");
	m = add(1, 21, r, 1, "/a/x", "/x");
	finish();
	REQUIRE(!make(MNTCR_API_EXTENDED, NULL));
	CHECK_EQ(p->srcs[p->src_of[m]].kind, MC_SRC_SUB);
	CHECK_STR(p->srcs[p->src_of[m]].path, "x");
	CHECK_EQ(p->srcs[p->srcs[p->src_of[m]].base].index, at);
	check();
	done();
}

/* Whatever their order in the image, the file of an older one may be in a younger one. */
static void namespaces_by_id(void)
{
	uint32_t i, first = MC_NONE;

	start(2);
	t->ns[0].id = 9;
	t->ns[1].id = 5;
	add(0, 10, MC_NONE, 0, "/", "/");
	add(1, 20, MC_NONE, 0, "/", "/");
	finish();
	REQUIRE(!make(MNTCR_API_EXTENDED, NULL));
	for (i = 0; i < p->nr_ops && first == MC_NONE; i++)
		if (p->ops[i].type == MC_OP_NS)
			first = MC_REF_INDEX(p->ops[i].obj);
	CHECK_EQ(first, 1);
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
	/* not above its owner */
	o = (struct mc_plan_options){ .no_own_locks = true };
	refused(MNTCR_API_EXTENDED, &o, "locks-owner");
	o.ignore_locks = true;
	REQUIRE(!make(MNTCR_API_EXTENDED, &o));
	t->mounts[m].locks = 0;
	o.ignore_locks = false;
	REQUIRE(!make(MNTCR_API_EXTENDED, &o));
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

int main(void)
{
	TAP_RUN(a_plan_for_the_extended_calls);
	TAP_RUN(a_plan_for_the_upstream_calls);
	TAP_RUN(json_keeps_bytes);
	TAP_RUN(namespaces_without_ids);
	TAP_RUN(deeper_mountpoints_first);
	TAP_RUN(a_tucked_mount);
	TAP_RUN(what_has_waited_by_id);
	TAP_RUN(namespaces_by_id);
	TAP_RUN(below_the_wide_one_that_has_it);
	TAP_RUN(locks_and_types_last);
	TAP_RUN(what_hides_is_locked_last);
	return tap_done();
}
