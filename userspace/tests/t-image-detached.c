// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Detached trees in an image: what is said of them, shown, compared and planned.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include "image-text.h"
#include "plan/plan.h"

#define TREE	"{\"label\":\"7:3\",\"owner\":0,\"detached\":true,\"hidden\":0}"
#define UNBINDABLE "\"mountpoint\":\"/d\",\"locks\":[]"

static const char image[] =
	"{\"format\":\"mntcr-image\",\"version\":5,\"user_namespaces\":["
	"{\"inode\":7,\"dumper\":true}],"
	"\"namespaces\":[{\"id\":5,\"inode\":6,\"label\":\"7\",\"owner\":0,\"hidden\":1}," TREE "],"
	"\"superblocks\":[{\"device\":\"0:40\",\"type\":\"tmpfs\",\"options\":\"\"}],"
	"\"groups\":[],\"idmaps\":[],\"mounts\":["
	"{\"id\":11,\"namespace\":0,\"superblock\":0,\"root\":\"/\",\"mountpoint\":\"/\",\"locks\":[]},"
	"{\"id\":12,\"namespace\":1,\"superblock\":0,\"root\":\"/\",\"mountpoint\":\"/\",\"locks\":[]},"
	"{\"id\":13,\"namespace\":1,\"parent\":12,\"superblock\":0,\"root\":\"/a\"," UNBINDABLE "}]}";

static struct mntcr_topology *parse(const char *text)
{
	struct mntcr_topology *t = NULL;
	struct mntcr_error e;

	if (mc_image_parse(text, strlen(text), "image", &t, &e))
		TAP_SAY("%s", e.text);
	REQUIRE(t);
	return t;
}

static struct mntcr_topology *parse_with(const char *from, const char *to)
{
	char *text = replaced(image, from, to);
	struct mntcr_topology *t = parse(text);

	free(text);
	return t;
}

static void what_is_written_is_read(void)
{
	struct mntcr_topology *t = parse(image);

	CHECK(!t->ns[0].detached && t->ns[1].detached);
	free(written_twice(t));
	/* ids of the copy that was captured are nobody else's business */
	t->ns[1].id = 77;
	t->ns[1].ino = 78;
	free(written_twice(t));
	mntcr_topology_free(t);
}

static void what_is_wrong_is_refused(void)
{
	static const struct wrong wrong[] = {
		{ "\"version\":5", "\"version\":4", "namespaces[1].detached: unknown field" },
		{ "\"detached\":true", "\"detached\":1", "namespaces[1].detached: must be true or false" },
		{ "\"detached\":true", "\"detached\":true,\"id\":9", "namespaces[1].detached: says that it is no namespace" },
		{ "\"detached\":true", "\"detached\":true,\"inode\":9", "namespaces[1].detached: says that it is no namespace" },
		{ "\"hidden\":0", "\"hidden\":1", "namespaces[1].detached: says that it is no namespace" },
		{ "\"hidden\":0", "\"base_propagation\":[\"private\"]", "namespaces[1].detached: says that it is no namespace" },
	};
	char *text, *rest;
	size_t i;

	for (i = 0; i < MC_ARRAY_SIZE(wrong); i++)
		is_wrong(image, &wrong[i]);
	/* no mounts */
	text = strdup(image);
	REQUIRE(text);
	rest = strstr(text, ",{\"id\":12");
	REQUIRE(rest);
	strcpy(rest, "]}");
	is_wrong(text, &(struct wrong){ "", "", "namespace 1: a detached tree without mounts" });
	free(text);
}

static void how_it_is_shown(void)
{
	static const char *const lines[] = {
		"namespace 0: 7 mnt:[6], 1 mount\n", "\ndetached tree 1: 7:3, 2 mounts\n",
	};
	struct mntcr_topology *t = parse(image);
	struct mntcr_error e;
	char *out = NULL;
	size_t len, i;
	FILE *f;

	/* of the copy of a live one */
	t->ns[1].ino = 78;
	f = open_memstream(&out, &len);
	REQUIRE(f && !mntcr_render(t, MNTCR_FORMAT_TREE, f, &e) && !fclose(f));
	for (i = 0; i < MC_ARRAY_SIZE(lines); i++)
		CHECK(strstr(out, lines[i]));
	free(out);
	f = open_memstream(&out, &len);
	REQUIRE(f && !mntcr_render(t, MNTCR_FORMAT_DOT, f, &e) && !fclose(f));
	CHECK(strstr(out, "label=\"namespace 0: 7\""));
	CHECK(strstr(out, "label=\"detached tree 1: 7:3\""));
	free(out);
	mntcr_topology_free(t);
}

static char said[300];

static void note(void *data, const char *line)
{
	snprintf(said, sizeof(said), "%s", line);
}

static void a_namespace_is_another_thing(void)
{
	struct mntcr_verify_options o = { .size = sizeof(o), .report = note };
	struct mntcr_topology *a = parse(image), *b = parse_with(",\"detached\":true", "");
	struct mntcr_error e;
	size_t nr;

	REQUIRE(!mntcr_verify(a, a, &o, &nr, &e));
	CHECK_EQ(nr, 0);
	REQUIRE(!mntcr_verify(a, b, &o, &nr, &e));
	CHECK_EQ(nr, 1);
	CHECK_STR(said, "namespace 1 (7:3): a detached tree in the first only");
	REQUIRE(!mntcr_verify(b, a, &o, &nr, &e));
	CHECK_EQ(nr, 1);
	CHECK_STR(said, "namespace 1 (7:3): a detached tree in the second only");
	mntcr_topology_free(a);
	mntcr_topology_free(b);
}

static const struct mc_plan_options options = { .api = MNTCR_API_EXTENDED };

static void is_detached_last(uint32_t budget)
{
	struct mntcr_topology *t = parse(image);
	struct mc_plan_options o = options;
	struct mc_plan *p = NULL;
	struct mntcr_error e;
	uint32_t i, at = MC_NONE, last = 0, roots = 0;

	o.fd_budget = budget;
	REQUIRE(!mc_plan_make(t, &o, &p, &e));
	for (i = 0; i < p->nr_ops; i++) {
		if (p->ops[i].type == MC_OP_DETACH) {
			CHECK_EQ(at, MC_NONE);
			CHECK_EQ(p->ops[i].obj, MC_REF(MC_REF_MOUNT, t->ns[1].root));
			CHECK_EQ(p->ops[i].flags, budget ? 0 : MC_WHOLE);
			at = i;
		} else if (p->ops[i].type != MC_OP_RELEASE) {
			last = i;
			roots += p->ops[i].type == MC_OP_ATTACH &&
				 MC_REF_KIND(p->ops[i].arg) == MC_REF_NS;
		}
	}
	CHECK(at != MC_NONE && at > last);
	/* with few descriptors it is built in a namespace */
	CHECK_EQ(roots, budget ? 2 : 1);
	mc_plan_free(p);
	mntcr_topology_free(t);
}

static void it_is_detached_last(void)
{
	is_detached_last(0);
	is_detached_last(100);
}

/* Whatever the limit: a copy would leave it out, and a namespace's root is a directory. */
static void what_is_built_detached(void)
{
	struct mntcr_topology *t = parse(image);
	struct mc_plan_options o = options;
	struct mc_plan *p = NULL;
	struct mntcr_error e;
	uint32_t n;

	o.fd_budget = 100;
	for (n = 0; n < 3; n++) {
		t->mounts[1].mp_type = n == 1 ? MC_MP_OTHER : MC_MP_DIR;
		t->mounts[2].unbindable = n == 2;
		REQUIRE(!mc_plan_make(t, &o, &p, &e));
		CHECK(!p->whole[0]);
		CHECK_EQ(p->whole[1], n > 0);
		mc_plan_free(p);
	}
	mntcr_topology_free(t);
}

static void is_refused(struct mntcr_topology *t, enum mntcr_api api, const char *rule)
{
	struct mc_plan_options o = options;
	struct mc_plan *p = NULL;
	struct mntcr_error e;

	o.api = api;
	CHECK_EQ(mc_plan_make(t, &o, &p, &e), -1);
	CHECK_EQ(e.code, MNTCR_REFUSED);
	CHECK_STR(e.rule, rule);
	mntcr_topology_free(t);
}

static void what_cannot_be_made(void)
{
	is_refused(parse(image), MNTCR_API_UPSTREAM, "detached-tree");
	is_refused(parse_with(UNBINDABLE, UNBINDABLE ",\"unbindable\":true"),
		   MNTCR_API_UPSTREAM, "detached-tree");
}

struct told {
	uint32_t nr;
	bool tree, unbindable;
};

static void refused(void *data, const struct mntcr_refusal *r)
{
	struct told *told = data;

	told->nr++;
	CHECK_EQ(r->nr_mounts, 1);
	CHECK(*r->help);
	if (!strcmp(r->rule, "detached-tree"))
		told->tree = r->mounts[0].ns == 1 && r->mounts[0].id == 12;
	if (!strcmp(r->rule, "detached-unbindable"))
		told->unbindable = r->mounts[0].ns == 1 && r->mounts[0].id == 13;
}

/* Both at once, each with its mount; and neither where nobody asks for it. */
static void what_nobody_takes_or_can_look_at(void)
{
	struct mntcr_topology *t = parse_with(UNBINDABLE, UNBINDABLE ",\"unbindable\":true");
	struct mc_plan_options o = options;
	struct mc_plan *p = NULL;
	struct mntcr_error e;
	struct told told = { 0 };

	REQUIRE(!mc_plan_make(t, &o, &p, &e));
	mc_plan_free(p);
	o.no_detached = o.will_capture = true;
	o.refused = refused;
	o.data = &told;
	CHECK_EQ(mc_plan_make(t, &o, &p, &e), -1);
	CHECK_EQ(e.code, MNTCR_REFUSED);
	CHECK_EQ(told.nr, 2);
	CHECK(told.tree && told.unbindable);
	mntcr_topology_free(t);
}

int main(void)
{
	TAP_RUN(what_is_written_is_read);
	TAP_RUN(what_is_wrong_is_refused);
	TAP_RUN(how_it_is_shown);
	TAP_RUN(a_namespace_is_another_thing);
	TAP_RUN(it_is_detached_last);
	TAP_RUN(what_is_built_detached);
	TAP_RUN(what_cannot_be_made);
	TAP_RUN(what_nobody_takes_or_can_look_at);
	return tap_done();
}
