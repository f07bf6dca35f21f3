// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Memory runs out at every allocation in turn, for good or for that one: the call
 * fails, says so, and gives back what it had.  The linker sends the library's allocations here
 * (LIBS-t-lib-nomem in core.mk); jansson is given the same function.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <linux/magic.h>
#include <stdarg.h>
#include <sys/vfs.h>

#include <jansson.h>

#include "base/base.h"
#include "image/image.h"
#include "image-text.h"
#include "mntcr-restore.h"
#include "plan/plan.h"
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

#define SHARING		TESTDATA "/seeds/sharing.json"
#define HOST		TESTDATA "/seeds/host.json"
#define EVERY_KIND	TESTDATA "/seeds/every-kind.json"

static char *image_text(const char *image, size_t *len)
{
	FILE *f = fopen(image, "re");
	char *text = __real_malloc(65536);

	REQUIRE(f && text);
	*len = fread(text, 1, 65536, f);
	fclose(f);
	REQUIRE(*len > 1000 && *len < 65536);
	return text;
}

static long stride;	/* unless 0 */

static long stride_of_all(void)
{
	if (getenv("UNDER_VALGRIND"))
		return 41;
	return stride ? stride : tap_step(3);
}

/*
 * fn with ever more memory until none is lacking.  It returns 0, or -1 with *e; the
 * number of steps is what says that failures did happen.  What can do without one
 * allocation may: then fn finds it right.
 */
static void starve_by(int (*fn)(struct mntcr_error *e), bool once)
{
	struct mntcr_error e;
	long n, bad = 0, step = stride_of_all();
	int ret = 0;

	only_that = once;
	for (n = tap_first(step); n < 100000; n += step) {
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

static void reading_of(const char *image)
{
	text = image_text(image, &text_len);
	starve(do_parse);
	free(text);
}

static void reading(void)
{
	reading_of(SHARING);
	reading_of(EVERY_KIND);
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

static const char *refusal;	/* that there is, or NULL */
static struct mntcr_restore_options plan_opts = { .api = MNTCR_API_UPSTREAM };
static struct {
	size_t parts, refusals;
} all[2], told;			/* by the first, which lacks nothing */

static void count_refusal(void *data, const struct mntcr_refusal *r)
{
	told.refusals++;
}

/* Printed whole, or not printed; refused with all reasons. */
static int plan_as(bool json, struct mntcr_error *e)
{
	struct mntcr_restore_options o = plan_opts;
	long later = all[json].parts ? -1 : left;
	char *p = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&p, &n);
	int ret;

	if (!out)
		return mc_nomem(e);
	if (later >= 0)
		left = -1;
	o.size = sizeof(o);
	o.refused = count_refusal;
	told.refusals = 0;
	ret = mntcr_plan_print(whole, &o, json, out, e);
	if (ret && e->code == MNTCR_REFUSED && refusal) {
		CHECK_STR(e->rule, refusal);
		ret = 0;
	}
	fclose(out);
	told.parts = parts(p) + 1;
	free(p);
	if (later >= 0) {
		REQUIRE(!ret);
		all[json] = told;
		left = later;
		return plan_as(json, e);
	}
	if (!ret) {
		CHECK_EQ(told.parts, all[json].parts);
		CHECK_EQ(told.refusals, all[json].refusals);
	}
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

/* What a caller's processes make is given later. */
static int do_plan_stages(struct mntcr_error *e)
{
	static const struct mntcr_given give[] = {
		{ MNTCR_GIVEN_PID, 4026532710 }, { MNTCR_GIVEN_IPC, 82 },
		{ MNTCR_GIVEN_NET, 83 }, { MNTCR_GIVEN_UTS, 4026532720 },
		{ MNTCR_GIVEN_SUPERBLOCK, MNTCR_DEVICE(0, 48) }, { MNTCR_GIVEN_MOUNT, 210 },
	};
	static const struct mntcr_external base = { .key = "0:43", .path = "/srv/layers" };
	static const struct mntcr_external cg = { .key = "0:47", .path = "/sys/fs/cgroup" };
	static const struct mntcr_external master = { .key = "33", .path = "/srv/none" };
	const struct mc_plan_options o = {
		.api = MNTCR_API_EXTENDED, .staged = true, .give = give,
		.nr_give = MC_ARRAY_SIZE(give), .layers = &base, .nr_layers = 1,
		.externals = &cg, .nr_externals = 1, .masters = &master, .nr_masters = 1,
	};
	struct mc_plan *p = NULL;
	int ret = mc_plan_make(whole, &o, &p, e);
	FILE *out;

	if (ret) {
		CHECK(!p);
		return ret;
	}
	CHECK(p->nr_needs >= MC_ARRAY_SIZE(give));
	out = fopen("/dev/null", "we");
	ret = out ? mc_plan_print(p, left & 1, out, e) : mc_nomem(e);
	if (out)
		fclose(out);
	mc_plan_free(p);
	return ret;
}

static void with(const char *image, int (*fn)(struct mntcr_error *e))
{
	struct mntcr_error e;

	text = image_text(image, &text_len);
	REQUIRE(!mc_image_parse(text, text_len, "img", &whole, &e));
	starve(fn);
	mntcr_topology_free(whole);
	free(text);
}

static void writing(void)
{
	with(SHARING, do_write);
	with(EVERY_KIND, do_write);
	CHECK(!unlink("/tmp/mntcr-nomem"));
}

static void comparing(void)
{
	with(SHARING, do_verify);
	with(EVERY_KIND, do_verify);
}

static void drawing(void)
{
	with(SHARING, do_tree);
}

static void planned(const char *image, const char *rule)
{
	refusal = rule;
	memset(all, 0, sizeof(all));
	with(image, do_plan);
	with(image, do_plan_json);
}

/* With what is to be given at a stage; that nothing waits for it is found out last. */
static int do_plan_staged(struct mntcr_error *e)
{
	const struct mntcr_given give[] = {
		{ MNTCR_GIVEN_NET, 77 }, { MNTCR_GIVEN_IPC, 78 },
	};
	const struct mc_plan_options o = {
		.api = MNTCR_API_EXTENDED, .staged = true, .give = give,
		.nr_give = MC_ARRAY_SIZE(give),
	};
	struct mc_plan *p;

	REQUIRE(mc_plan_make(whole, &o, &p, e));
	return e->code == MNTCR_USAGE && strstr(e->text, "give net:77: no mount") ? 0 : -1;
}

static void planning(void)
{
	plan_opts.assume_sources = true;
	planned(SHARING, NULL);
	plan_opts.api = MNTCR_API_EXTENDED;
	planned(HOST, NULL);
	with(SHARING, do_plan_staged);
}

/* Where it is none, such a path would be refused: one that leads to nothing is not looked at. */
static const char *a_cgroup2(void)
{
	struct statfs fs;

	return !statfs("/sys/fs/cgroup", &fs) && fs.f_type == CGROUP2_SUPER_MAGIC ?
	       "/sys/fs/cgroup" : "/srv/cgroup";
}

static void planning_of_every_kind(void)
{
	const struct mntcr_external externals[] = {
		{ .key = "0:47", .path = a_cgroup2() },
		{ .key = "254:1:/a", .path = "/srv/a" },
		{ .key = "there:", .path = "/remote" },
		{ .key = "uts:[4026532720]", .path = "/run/uts" },
		/* as of what shows it */
		{ .key = "net:[4026532721]", .path = "/proc/self/ns/net" },
	};
	static const struct mntcr_external master = { .key = "33", .path = "/srv/none" }, layer = { .key = "/relative", .path = "/srv/none" };

	plan_opts = (struct mntcr_restore_options){ .api = MNTCR_API_EXTENDED };
	/* which is said first */
	planned(EVERY_KIND, mc_lacks_empty_pidns() ? "callers-namespace" : "no-source");
	plan_opts.externals = externals;
	plan_opts.nr_externals = MC_ARRAY_SIZE(externals);
	plan_opts.masters = &master;
	plan_opts.nr_masters = 1;
	plan_opts.layers = &layer;
	plan_opts.nr_layers = 1;
	plan_opts.caller_namespaces = true;
	planned(EVERY_KIND, NULL);
	plan_opts.prefer_fresh = true;
	plan_opts.assume_sources = true;
	planned(EVERY_KIND, NULL);
	plan_opts = (struct mntcr_restore_options){
		.api = MNTCR_API_UPSTREAM, .assume_sources = true, .ignore_locks = true,
	};
	planned(EVERY_KIND, "owner");
	with(EVERY_KIND, do_plan_stages);
}

/* --- changes of what was read --------------------------------------------------- */

/* They take what they change, which nothing is lacking for. */
static int changed(int (*fn)(struct mntcr_topology *t, struct mntcr_error *e),
		   struct mntcr_error *e)
{
	struct mntcr_topology *t;
	long later = left;
	int ret;

	left = -1;
	REQUIRE(!mc_image_parse(text, text_len, "img", &t, e));
	left = later;
	ret = fn(t, e);
	mntcr_topology_free(t);
	return ret;
}

static int select_some(struct mntcr_topology *t, struct mntcr_error *e)
{
	static const char *const ns[] = { "4711", "mnt:[4026532179]" };
	static const char *const reaches[] = { "4711:/layers", "/srv", "402" };
	static const uint64_t groups[] = { 31 };
	const struct mntcr_select_options o = {
		.size = sizeof(o), .namespaces = ns, .nr_namespaces = MC_ARRAY_SIZE(ns),
		.groups = groups, .nr_groups = 1,
		.reaches = reaches, .nr_reaches = MC_ARRAY_SIZE(reaches),
	};

	return mntcr_topology_select(t, &o, e);
}

static int do_select(struct mntcr_error *e)
{
	return changed(select_some, e);
}

static int map_cgroups(struct mntcr_topology *t, struct mntcr_error *e)
{
	static const struct mntcr_cgroup_map maps[] = { { "/", "/ct/new" } };

	return mntcr_topology_map_cgroups(t, maps, 1, e);
}

static int do_map_cgroups(struct mntcr_error *e)
{
	return changed(map_cgroups, e);
}

static void changing(void)
{
	with(EVERY_KIND, do_select);
	with(EVERY_KIND, do_map_cgroups);
}

/* --- lists -------------------------------------------------------------------------- */

/* What is listed is refused, too: an image of another machine. */
static int listed(int ret, FILE *out, struct mntcr_error *e)
{
	fclose(out);
	return ret && e->code == MNTCR_REFUSED ? 0 : ret;
}

static int do_check_restore(struct mntcr_error *e)
{
	static const char *const hosts[] = { "/tmp" };
	const struct mntcr_restore_options o = {
		.size = sizeof(o), .caller_namespaces = true, .hosts = hosts, .nr_hosts = 1,
	};
	FILE *out = fopen("/dev/null", "we");

	return out ? listed(mntcr_check_restore(whole, &o, left & 1, out, e), out, e) :
	       mc_nomem(e);
}

static int check_dump(struct mntcr_topology *t, struct mntcr_error *e)
{
	FILE *out = fopen("/dev/null", "we");

	return out ? listed(mntcr_check_dump(t, NULL, left & 1, out, e), out, e) :
	       mc_nomem(e);
}

static int do_check_dump(struct mntcr_error *e)
{
	return changed(check_dump, e);
}

static void listing(void)
{
	/* owners are tried by a clone(2) that valgrind does not know, and ASan takes long for */
	stride = UNDER_ASAN ? 23 * tap_step(3) : 0;
	if (!getenv("UNDER_VALGRIND") && !UNDER_ASAN)
		with(EVERY_KIND, do_check_restore);
	with(EVERY_KIND, do_check_dump);
	stride = 0;
}

/* --- live ones -------------------------------------------------------------------- */

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
	TAP_RUN(planning_of_every_kind);
	TAP_RUN(changing);
	TAP_RUN(listing);
	/* valgrind does not know statmount(2) */
	if (!getenv("UNDER_VALGRIND"))
		TAP_RUN(capturing_by_statmount);
	TAP_RUN(capturing_by_mountinfo);
	TAP_RUN(asking_whose_it_is);
	return tap_done();
}
