// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Memory runs out at every allocation in turn, for good or for that one: the call
 * fails, says so, and gives back what it had.  The linker sends the library's allocations here
 * (LIBS-t-lib-nomem in core.mk); jansson is given the same function.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdarg.h>

#include <jansson.h>

#include "base/base.h"
#include "image/image.h"
#include "mntcr-restore.h"
#include "scene.h"

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t m);
void *__real_realloc(void *p, size_t n);
char *__real_strdup(const char *s);
char *__real_strndup(const char *s, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t m);
void *__wrap_realloc(void *p, size_t n);
char *__wrap_strdup(const char *s);
char *__wrap_strndup(const char *s, size_t n);

static long left = -1;		/* allocations until the next one fails */
static bool only_that;		/* and not all after it, as when memory is full */
static long failed;

static bool fails(void)
{
	if (left < 0 || left--)
		return false;
	left = only_that ? -1 : 0;
	failed++;
	errno = ENOMEM;
	return true;
}

void *__wrap_malloc(size_t n)
{
	return fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t m)
{
	return fails() ? NULL : __real_calloc(n, m);
}

void *__wrap_realloc(void *p, size_t n)
{
	return fails() ? NULL : __real_realloc(p, n);
}

char *__wrap_strdup(const char *s)
{
	return fails() ? NULL : __real_strdup(s);
}

char *__wrap_strndup(const char *s, size_t n)
{
	return fails() ? NULL : __real_strndup(s, n);
}

/* jansson 2.14 writes beyond a text that could not grow if what it needs next is had. */
static void *malloc_of_jansson(size_t n)
{
	return only_that ? __real_malloc(n) : __wrap_malloc(n);
}

static const char *seed = TESTDATA "/seeds/sharing.json";

static char *image_text(size_t *len)
{
	FILE *f = fopen(seed, "re");
	char *text = __real_malloc(65536);

	REQUIRE(f && text);
	*len = fread(text, 1, 65536, f);
	fclose(f);
	REQUIRE(*len > 1000 && *len < 65536);
	return text;
}

/*
 * fn with ever more memory until none is lacking.  It returns 0, or -1 with *e; the
 * number of steps is what says that failures did happen.  What can do without one
 * allocation may: then fn finds it right.
 */
static void starve_by(int (*fn)(struct mntcr_error *e), bool once)
{
	struct mntcr_error e;
	long n, bad = 0, step = getenv("UNDER_VALGRIND") ? 41 : 1;
	int ret;

	only_that = once;
	for (n = 0; n < 100000; n += step) {
		memset(&e, 0, sizeof(e));
		failed = 0;
		left = n;
		ret = fn(&e);
		left = -1;
		if (!ret && (!once || !failed))
			break;
		if (ret && (!failed || e.code != MNTCR_SYS || e.err != ENOMEM)) {
			TAP_SAY("at allocation %ld: code %d, errno %d: %s", n,
				e.code, e.err, e.text);
			if (bad++ > 5)
				break;
		}
	}
	CHECK_EQ(bad, 0);
	CHECK_EQ(ret, 0);
	TAP_SAY("%ld allocations", n);
	CHECK(n > 0);
}

static void starve(int (*fn)(struct mntcr_error *e))
{
	starve_by(fn, false);
	starve_by(fn, true);
}

static char *text;
static size_t text_len;
static struct mntcr_topology *whole;

static int do_parse(struct mntcr_error *e)
{
	struct mntcr_topology *t;

	if (mc_image_parse(text, text_len, "img", &t, e)) {
		CHECK(!t);
		return -1;
	}
	mntcr_topology_free(t);
	return 0;
}

static void reading(void)
{
	text = image_text(&text_len);
	starve(do_parse);
	free(text);
}

static int do_write(struct mntcr_error *e)
{
	return mntcr_image_write(whole, "/tmp/mntcr-nomem", e);
}

static int do_verify(struct mntcr_error *e)
{
	size_t nr = 1;
	int ret = mntcr_verify(whole, whole, NULL, &nr, e);

	if (!ret)
		CHECK_EQ(nr, 0);
	return ret;
}

static int do_tree(struct mntcr_error *e)
{
	FILE *out = fopen("/dev/null", "we");
	int ret;

	if (!out)
		return mc_nomem(e);
	ret = mntcr_render(whole, MNTCR_FORMAT_TREE, out, e);
	fclose(out);
	return ret;
}

/* Lines and fields: a mount may be named by its id where its path can't be had. */
static size_t parts(const char *p)
{
	size_t n = 0;

	for (; *p; p++)
		n += *p == '\n' || !strncmp(p, "\": ", 3) || !strncmp(p, " = ", 3);
	return n;
}

static enum mntcr_api api = MNTCR_API_UPSTREAM;
static size_t all[2];		/* by the first, which lacks nothing */

/* Printed whole, or not printed. */
static int plan_as(bool json, struct mntcr_error *e)
{
	const struct mntcr_restore_options o = {
		.size = sizeof(o), .api = api, .assume_sources = true,
	};
	long later = all[json] ? -1 : left;
	char *p = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&p, &n);
	int ret;

	if (!out)
		return mc_nomem(e);
	if (later >= 0)
		left = -1;
	ret = mntcr_plan_print(whole, &o, json, out, e);
	fclose(out);
	n = parts(p);
	free(p);
	if (later >= 0) {
		REQUIRE(!ret);
		all[json] = n;
		left = later;
		return plan_as(json, e);
	}
	if (!ret)
		CHECK_EQ(n, all[json]);
	return ret;
}

static int do_plan(struct mntcr_error *e)
{
	return plan_as(false, e);
}

static int do_plan_json(struct mntcr_error *e)
{
	return plan_as(true, e);
}

static void with_a_topology(int (*fn)(struct mntcr_error *e))
{
	struct mntcr_error e;

	text = image_text(&text_len);
	REQUIRE(!mc_image_parse(text, text_len, "img", &whole, &e));
	starve(fn);
	mntcr_topology_free(whole);
	free(text);
}

static void writing(void)
{
	with_a_topology(do_write);
	CHECK(!unlink("/tmp/mntcr-nomem"));
}

static void comparing(void)
{
	with_a_topology(do_verify);
}

static void drawing(void)
{
	with_a_topology(do_tree);
}

static void planning(void)
{
	with_a_topology(do_plan);
	with_a_topology(do_plan_json);
	seed = TESTDATA "/seeds/host.json";
	api = MNTCR_API_EXTENDED;
	all[0] = 0;
	with_a_topology(do_plan);
	seed = TESTDATA "/seeds/sharing.json";
	api = MNTCR_API_UPSTREAM;
}

static enum mntcr_method method;
static pid_t task;		/* in the namespace; 0: the test itself */

static int do_capture(struct mntcr_error *e)
{
	struct mntcr_source self = {
		.type = MNTCR_SOURCE_PID, .pid = task ? task : getpid(),
	};
	struct mntcr_capture_options opts = {
		.size = sizeof(opts), .method = method, .whose = task,
	};
	struct mntcr_topology *t;

	if (mntcr_capture(&self, 1, &opts, &t, e)) {
		CHECK(!t);
		return -1;
	}
	mntcr_topology_free(t);
	return 0;
}

static void capturing_by_statmount(void)
{
	scene_enter();
	method = MNTCR_METHOD_STATMOUNT;
	starve(do_capture);
}

static void capturing_by_mountinfo(void)
{
	scene_enter();
	method = MNTCR_METHOD_MOUNTINFO;
	starve(do_capture);
}

/* And whose it is: what the test's own namespace shows of it is found. */
static void asking_whose_it_is(void)
{
	struct holder h;

	scene_enter();
	method = MNTCR_METHOD_MOUNTINFO;
	h = scene_hold(CLONE_NEWNS, NULL, NULL);
	task = h.pid;
	starve(do_capture);
	task = 0;
	scene_release(&h);
}

int main(void)
{
	json_set_alloc_funcs(malloc_of_jansson, free);
	TAP_RUN(reading);
	TAP_RUN(writing);
	TAP_RUN(comparing);
	TAP_RUN(drawing);
	TAP_RUN(planning);
	/* valgrind does not know statmount(2) */
	if (!getenv("UNDER_VALGRIND"))
		TAP_RUN(capturing_by_statmount);
	TAP_RUN(capturing_by_mountinfo);
	TAP_RUN(asking_whose_it_is);
	return tap_done();
}
