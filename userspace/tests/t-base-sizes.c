// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Callers with other headers: what is longer is taken if the rest is 0, what is
 * shorter is filled up, and what has no size is refused, by every function.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include "mntcr-restore.h"
#include "base/base.h"
#include "image/image.h"
#include "image-text.h"

struct now {
	size_t size;
	uint64_t a, b;
};

#define FIRST	offsetof(struct now, b)	/* b came later */

struct later {
	struct now now;
	unsigned char c[40];
};

static void shorter_and_longer(void)
{
	struct later theirs;
	struct mntcr_error e;
	struct now mine;
	size_t i;

	memset(&theirs, 0, sizeof(theirs));
	theirs.now = (struct now){ FIRST, 1, 2 };
	memset(&mine, 0xff, sizeof(mine));
	CHECK(!mc_take_options(&mine, sizeof(mine), FIRST, &theirs, "x", &e));
	CHECK_EQ(mine.size, sizeof(mine));
	CHECK_EQ(mine.a, 1);
	CHECK_EQ(mine.b, 0);
	theirs.now.size = sizeof(struct now);
	CHECK(!mc_take_options(&mine, sizeof(mine), FIRST, &theirs, "x", &e));
	CHECK_EQ(mine.b, 2);
	theirs.now.size = sizeof(theirs);
	CHECK(!mc_take_options(&mine, sizeof(mine), FIRST, &theirs, "x", &e));
	CHECK_EQ(mine.size, sizeof(mine));
	CHECK_EQ(mine.a, 1);
	CHECK_EQ(mine.b, 2);
	/* the first byte beyond, and the last */
	for (i = 0; i < sizeof(theirs.c); i += sizeof(theirs.c) - 1) {
		theirs.c[i] = 1;
		CHECK_EQ(mc_take_options(&mine, sizeof(mine), FIRST, &theirs,
					 "x", &e), -1);
		CHECK_EQ(e.code, MNTCR_USAGE);
		CHECK_STR(e.text, "x: something is asked for that this version of the library does not know");
		theirs.c[i] = 0;
	}
	memset(&mine, 0xff, sizeof(mine));
	CHECK(!mc_take_options(&mine, sizeof(mine), FIRST, NULL, "x", &e));
	CHECK_EQ(mine.size, sizeof(mine));
	CHECK(!mine.a && !mine.b);
}

static void what_is_no_size(void)
{
	static const size_t sizes[] = { 0, 1, FIRST - 1, 4097, SIZE_MAX };
	struct later theirs = { .now = { .a = 1 } };
	struct mntcr_error e;
	struct now mine;
	char words[64];
	size_t i;

	for (i = 0; i < MC_ARRAY_SIZE(sizes); i++) {
		theirs.now.size = sizes[i];
		CHECK_EQ(mc_take_options(&mine, sizeof(mine), FIRST, &theirs,
					 "x", &e), -1);
		CHECK_EQ(e.code, MNTCR_USAGE);
		snprintf(words, sizeof(words), "x: the size is %zu, not sizeof(struct mntcr_x)",
			 sizes[i]);
		CHECK_STR(e.text, words);
	}
}

static void refused(int ret, const struct mntcr_error *e, const char *words)
{
	CHECK_EQ(ret, -1);
	CHECK_EQ(e->code, MNTCR_USAGE);
	if (!strstr(e->text, words)) {
		TAP_SAY("\"%s\" lacks \"%s\"", e->text, words);
		tap.bad = 1;
	}
}

/* One that has no size, and one that has more than is known. */
#define BOTH(call, o, name)	do {					\
	struct {							\
		__typeof__(o) o;					\
		unsigned char more[8];					\
	} x_ = { .more = { 1 } };					\
	const __typeof__(o) *p_ = &x_.o;				\
	memset(&e, 0, sizeof(e));					\
	refused(call, &e, name ": the size is 0");			\
	x_.o.size = sizeof(x_);						\
	memset(&e, 0, sizeof(e));					\
	refused(call, &e, name ": something is asked for");		\
} while (0)

static void every_function(void)
{
	struct mntcr_source self = { .type = MNTCR_SOURCE_PATH,
				     .path = "/proc/self/ns/mnt" };
	struct mntcr_place place = { .size = sizeof(place), .own_ns = true,
				     .path = "/" };
	struct mntcr_restored *r = (void *)1;
	struct mntcr_topology *t, *u;
	struct mntcr_container c;
	struct mntcr_contents_options files;
	struct mntcr_capture_options co;
	struct mntcr_restore_options ro;
	struct mntcr_freeze *f = (void *)1;
	struct mntcr_freeze_options fo;
	struct mntcr_verify_options vo;
	struct mntcr_bind_options bo;
	struct mntcr_error e;
	size_t n, k;

	REQUIRE(!mc_image_parse(good, strlen(good), "good", &t, &e));
	BOTH(mntcr_capture(&self, 1, p_, &u, &e), co, "capture_options");
	CHECK(!u);
	BOTH(mntcr_freeze("/", p_, &f, &e), fo, "freeze_options");
	CHECK(!f);
	BOTH(mntcr_verify(t, t, p_, &n, &e), vo, "verify_options");
	BOTH(mntcr_verify_events(&self, 1, &self, 1, p_, &n, &k, &e), vo,
	     "verify_options");
	BOTH(mntcr_restore(t, p_, &r, &e), ro, "restore_options");
	CHECK(!r);
	BOTH(mntcr_plan_print(t, p_, false, stdout, &e), ro, "restore_options");
	BOTH(mntcr_check_restore(t, p_, false, stdout, &e), ro, "restore_options");
	BOTH(mntcr_check_dump(t, p_, false, stdout, &e), files, "contents_options");
	BOTH(mntcr_capture_container(1, p_, &c, &u, &e), co, "capture_options");
	CHECK(!u);
	BOTH(mntcr_bind(&place, &place, p_, &e), bo, "bind_options");
	BOTH(mntcr_bind(p_, &place, NULL, &e), place, "place");
	BOTH(mntcr_bind(&place, p_, NULL, &e), place, "place");
	/* what is below the options */
	co = (struct mntcr_capture_options){ 0 };
	vo = (struct mntcr_verify_options){ .size = sizeof(vo), .capture = &co };
	refused(mntcr_verify_events(&self, 1, &self, 1, &vo, &n, &k, &e), &e,
		"capture_options: the size is 0");
	mntcr_topology_free(t);
}

/* Elements have no size; what they will say is not overlooked. */
static void what_is_reserved(void)
{
	struct mntcr_source self = { .type = MNTCR_SOURCE_PATH,
				     .path = "/proc/self/ns/mnt" };
	struct mntcr_external x[2] = { { .key = "a", .path = "/" },
				       { .key = "b", .path = "/" } };
	struct mntcr_restore_options o = {
		.size = sizeof(o), .externals = x, .nr_externals = 1,
		.masters = &x[1], .nr_masters = 1,
	};
	struct mntcr_restored *r;
	struct mntcr_topology *t, *u;
	struct mntcr_error e;
	size_t i;

	REQUIRE(!mc_image_parse(good, strlen(good), "good", &t, &e));
	for (i = 0; i < 2; i++) {
		self.reserved[0] = 1;
		refused(mntcr_capture(&self, 1, NULL, &u, &e), &e,
			"source: something reserved");
		self.reserved[0] = 0;
		x[i].reserved[1 - i] = 1;
		refused(mntcr_restore(t, &o, &r, &e), &e,
			"external: something reserved");
		refused(mntcr_plan_print(t, &o, false, stdout, &e), &e,
			"external: something reserved");
		x[i].reserved[1 - i] = 0;
	}
	mntcr_topology_free(t);
}

/* A caller who knows fewer features, and one who knows more. */
static void room_for_features(void)
{
	struct mntcr_feature f[MNTCR_NR_FEATURES + 2];
	struct mntcr_error e;

	memset(f, 0xff, sizeof(f));
	REQUIRE(!mntcr_features(f, 2, &e));
	CHECK_EQ(f[1].id, 1);
	CHECK_EQ((unsigned int)f[2].id, ~0U);
	REQUIRE(!mntcr_features(f, MNTCR_NR_FEATURES + 2, &e));
	CHECK(f[MNTCR_NR_FEATURES - 1].name);
	CHECK(!f[MNTCR_NR_FEATURES].name && !f[MNTCR_NR_FEATURES + 1].name);
	REQUIRE(!mntcr_features(f, 0, &e));
}

int main(void)
{
	TAP_RUN(shorter_and_longer);
	TAP_RUN(what_is_no_size);
	TAP_RUN(every_function);
	TAP_RUN(what_is_reserved);
	TAP_RUN(room_for_features);
	return tap_done();
}
