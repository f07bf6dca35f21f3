// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Capture of many mounts, and what is listed of many of the host's: processor times are
 * printed, growth is asserted: four times the mounts may not cost ten times as much.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <sys/resource.h>
#include <time.h>

#include "base/base.h"
#include "image/image.h"
#include "mntcr-restore.h"
#include "plan/plan.h"
#include "scene.h"

/* Not the time of day: other work on the machine is not what is measured; children's work is. */
static double now(void)
{
	struct timespec t;
	struct rusage u;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	getrusage(RUSAGE_CHILDREN, &u);
	return (double)(t.tv_sec + u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)t.tv_nsec / 1e9 +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

enum shape { PLAIN, PEERS, CHAIN };
static const char * const shapes[] = { "plain binds", "one peer group",
				       "slave chain" };

static void make(enum shape shape, unsigned int n)
{
	char path[32], last[32] = "src";
	unsigned int i;

	scene_mkdir("src");
	scene_mkdir("to");
	scene_tmpfs("src", "src");
	if (shape != PLAIN)
		scene_type("src", MS_SHARED);
	for (i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "to/%u", i);
		scene_mkdir(path);
		scene_bind(last, path);
		if (shape != CHAIN)
			continue;
		scene_type(path, MS_SLAVE);
		scene_type(path, MS_SHARED);
		strcpy(last, path);
	}
}

static double best_of(unsigned int rounds, enum mntcr_method method,
		      unsigned int n, double *write)
{
	struct mntcr_source self = { .type = MNTCR_SOURCE_PID, .pid = getpid() };
	struct mntcr_capture_options opts = {
		.size = sizeof(opts), .method = method,
	};
	double best = 1e9, start, took;
	struct mntcr_topology *t, *back;
	struct mntcr_error e;

	while (rounds--) {
		start = now();
		if (mntcr_capture(&self, 1, &opts, &t, &e))
			TAP_SAY("%s", e.text);
		REQUIRE(t);
		took = now() - start;
		if (took < best)
			best = took;
		CHECK(t->nr_mounts > n);
		start = now();
		REQUIRE(!mntcr_image_write(t, SCENE_DIR "/img", &e));
		*write = now() - start;
		REQUIRE(!mntcr_image_read(SCENE_DIR "/img", &back, &e));
		CHECK_EQ(back->nr_mounts, t->nr_mounts);
		mntcr_topology_free(back);
		mntcr_topology_free(t);
		REQUIRE(!unlink(SCENE_DIR "/img"));
	}
	return best;
}

static void grow(enum shape shape)
{
	static const enum mntcr_method methods[] = {
		MNTCR_METHOD_STATMOUNT, MNTCR_METHOD_MOUNTINFO,
	};
	static const char * const names[] = { "statmount", "mountinfo" };
	/* more than are listed at once */
	unsigned int small, large = 17000, i;
	double s[2], l[2], write;

	if (getenv("SCALE"))
		large = (unsigned int)atoi(getenv("SCALE"));
	small = large / 4;
	scene_enter();
	/* the image goes where everything else is */
	REQUIRE(!mount(NULL, ".", NULL, MS_REMOUNT, "size=64m"));
	make(shape, small);
	for (i = 0; i < 2; i++)
		s[i] = best_of(3, methods[i], small, &write);
	scene_enter();
	REQUIRE(!mount(NULL, ".", NULL, MS_REMOUNT, "size=64m"));
	make(shape, large);
	for (i = 0; i < 2; i++) {
		l[i] = best_of(3, methods[i], large, &write);
		TAP_SAY("%s, %s: %u mounts %.1f ms, %u mounts %.1f ms, image %.1f ms",
			shapes[shape], names[i], small, s[i] * 1e3, large,
			l[i] * 1e3, write * 1e3);
		/* 2 ms: below that the clock says little */
		if (s[i] > 0.002)
			CHECK(l[i] < s[i] * 10);
	}
}

static void plain_binds(void)
{
	grow(PLAIN);
}

static void one_peer_group(void)
{
	grow(PEERS);
}

static void slave_chain(void)
{
	grow(CHAIN);
}

/* --- what is had of the host ------------------------------------------------------- */

/* What has been written into open_memstream(). */
static struct mntcr_topology *parsed(FILE *out, char **image, const size_t *size)
{
	struct mntcr_topology *t;
	struct mntcr_error e;

	REQUIRE(!fclose(out));
	if (mc_image_parse(*image, *size, "image", &t, &e)) {
		TAP_SAY("%s", e.text);
		REQUIRE(false);
	}
	free(*image);
	return t;
}

/* Of n superblocks, each somewhere on the host, where one of that type is. */
static struct mntcr_topology *on_host(unsigned int n, char **places)
{
	char *image;
	size_t size;
	FILE *out = open_memstream(&image, &size);
	unsigned int i;

	REQUIRE(out);
	fputs("{\"format\":\"mntcr-image\",\"version\":4,\"unique_ids\":true,"
	      "\"user_namespaces\":[],\"namespaces\":[{\"id\":1,\"label\":\"x\"}],"
	      "\"groups\":[],\"idmaps\":[],\"superblocks\":["
	      "{\"device\":\"0:1\",\"type\":\"tmpfs\",\"options\":\"mode=755\"}", out);
	for (i = 0; i < n; i++) {
		REQUIRE(asprintf(&places[i], SCENE_DIR "/places-of-the-host/%0250u", i) > 0);
		scene_mkdir(places[i]);
		scene_tmpfs(places[i], "host");
		fprintf(out, ",{\"device\":\"9:%u\",\"type\":\"tmpfs\",\"options\":\"\","
			"\"whose\":\"host\",\"outside\":{\"path\":\"%s\",\"root\":\"/\"}}",
			i, places[i]);
	}
	fputs("],\"mounts\":[{\"id\":1,\"namespace\":0,\"superblock\":0,\"root\":\"/\","
	      "\"mountpoint\":\"/\",\"locks\":[]}", out);
	for (i = 0; i < n; i++)
		fprintf(out, ",{\"id\":%u,\"namespace\":0,\"parent\":1,\"superblock\":%u,"
			"\"root\":\"/\",\"mountpoint\":\"/%u\",\"locks\":[]}", i + 2, i + 1, i);
	fputs("]}", out);
	return parsed(out, &image, &size);
}

/* What is pasted is several arguments, none of them longer than the kernel takes. */
static void check_words(char *text)
{
	char *options = strstr(text, "\noptions "), *save, *word;
	size_t nr = 0, longest = 0;

	REQUIRE(options);
	for (word = strtok_r(options + 1, " \n", &save); word;
	     word = strtok_r(NULL, " \n", &save)) {
		nr += !strcmp(word, "--host");
		if (strlen(word) > longest)
			longest = strlen(word);
	}
	TAP_SAY("%zu --host, of %zu bytes at most", nr, longest);
	CHECK(nr > 1);
	CHECK(longest > 60000 && longest <= 65536);
}

static double listed(unsigned int n)
{
	char **places = calloc(n, sizeof(*places)), *text;
	struct mntcr_restore_options o = { .size = sizeof(o) };
	double best = 1e9, start, took;
	struct mntcr_topology *t;
	struct mntcr_error e;
	unsigned int i;
	size_t size;
	FILE *out;

	REQUIRE(places);
	scene_enter();
	REQUIRE(!mount(NULL, ".", NULL, MS_REMOUNT, "size=64m"));
	scene_mkdir("places-of-the-host");
	t = on_host(n, places);
	for (i = 0; i < 4; i++) {
		out = open_memstream(&text, &size);
		REQUIRE(out);
		start = now();
		if (mntcr_check_restore(t, &o, false, out, &e)) {
			TAP_SAY("%s", e.text);
			CHECK(false);
		}
		took = now() - start;
		REQUIRE(!fclose(out));
		/* the first time it lists what is to be given the others */
		if (!i)
			check_words(text);
		else if (i && took < best)
			best = took;
		free(text);
		o.hosts = (const char *const *)places;
		o.nr_hosts = n;
	}
	mntcr_topology_free(t);
	for (i = 0; i < n; i++)
		free(places[i]);
	free(places);
	return best;
}

static void places_of_the_host(void)
{
	/* of long names, so that few of them are more than one argument takes */
	double took = listed(400);

	TAP_SAY("400 places %.1f ms", took * 1e3);
}

/* --- files of namespaces ------------------------------------------------------------ */

/*
 * n files, each of a namespace of its own of that type; of user namespaces, it may be known
 * that they are there.  And n mount namespaces, empty, of the dumper's user namespace.
 */
static struct mntcr_topology *of_files(unsigned int n, const char *type, bool known)
{
	char *image;
	size_t size;
	FILE *out = open_memstream(&image, &size);
	unsigned int i;

	REQUIRE(out);
	fputs("{\"format\":\"mntcr-image\",\"version\":4,\"unique_ids\":true,"
	      "\"user_namespaces\":[{\"inode\":1,\"dumper\":true}", out);
	for (i = 0; known && i < n; i++)
		fprintf(out, ",{\"inode\":%u,\"parent\":0}", i + 10);
	fputs("],\"namespaces\":[{\"id\":1,\"label\":\"x\",\"owner\":0}", out);
	for (i = 0; i < n; i++)
		fprintf(out, ",{\"id\":%u,\"label\":\"x\",\"owner\":0}", i + 2);
	fputs("],\"groups\":[],\"idmaps\":[],\"superblocks\":["
	      "{\"device\":\"0:1\",\"type\":\"tmpfs\",\"options\":\"mode=755\"},"
	      "{\"device\":\"0:2\",\"type\":\"nsfs\",\"options\":\"\"}],\"mounts\":["
	      "{\"id\":1,\"namespace\":0,\"superblock\":0,\"root\":\"/\","
	      "\"mountpoint\":\"/\",\"locks\":[]}", out);
	for (i = 0; i < n; i++)
		fprintf(out, ",{\"id\":%u,\"namespace\":0,\"parent\":1,\"superblock\":1,"
			"\"root\":\"%s:[%u]\",\"mountpoint\":\"/%u\",\"locks\":[],"
			"\"nsfs\":{\"type\":\"%s\",\"inode\":%u}}", i + 2, type, i + 10, i,
			type, i + 10);
	fputs("]}", out);
	return parsed(out, &image, &size);
}

/* Each is named: by an option, or to be given. */
static double named(unsigned int n, bool given)
{
	struct mntcr_external *x = calloc(n, sizeof(*x));
	struct mntcr_given *give = calloc(n, sizeof(*give));
	char *keys = calloc(n, 32);
	struct mc_plan_options o = { .api = MNTCR_API_EXTENDED, .externals = x };
	struct mntcr_topology *t = of_files(n, "uts", false);
	double best = 1e9, start, took;
	struct mntcr_error e;
	struct mc_plan *p;
	unsigned int i;

	REQUIRE(x && give && keys);
	for (i = 0; i < n; i++) {
		snprintf(keys + 32 * i, 32, "uts:[%u]", i + 10);
		x[i] = (struct mntcr_external){ .key = keys + 32 * i, .path = "/x" };
		give[i] = (struct mntcr_given){ MNTCR_GIVEN_UTS, i + 10 };
	}
	o.nr_externals = given ? 1 : n;
	o.staged = given;
	if (given) {
		o.give = give + 1;
		o.nr_give = n - 1;
	}
	for (i = 0; i < 3; i++) {
		start = now();
		if (mc_plan_make(t, &o, &p, &e)) {
			TAP_SAY("%s", e.text);
			REQUIRE(false);
		}
		took = now() - start;
		CHECK_EQ(p->nr_needs, o.nr_give);
		best = took < best ? took : best;
		mc_plan_free(p);
	}
	mntcr_topology_free(t);
	free(x);
	free(give);
	free(keys);
	return best;
}

static double by_external(unsigned int n)
{
	return named(n, false);
}

static double by_give(unsigned int n)
{
	return named(n, true);
}

/* What is known of them one side alone knows. */
static double compared(unsigned int n)
{
	struct mntcr_topology *a = of_files(n, "user", true), *b = of_files(n, "user", false);
	const struct mntcr_verify_options o = { .size = sizeof(o) };
	double best = 1e9, start, took;
	struct mntcr_error e;
	unsigned int i;
	size_t nr;

	for (i = 0; i < 3; i++) {
		start = now();
		REQUIRE(!mntcr_verify(a, b, &o, &nr, &e));
		took = now() - start;
		CHECK_EQ(nr, 0);
		best = took < best ? took : best;
	}
	mntcr_topology_free(a);
	mntcr_topology_free(b);
	return best;
}

static void files_of_namespaces(void)
{
	static const struct {
		const char *what;
		double (*took)(unsigned int n);
	} c[] = {
		{ "named by options", by_external }, { "to be given", by_give },
		{ "compared", compared },
	};
	double s, l;
	size_t i;

	for (i = 0; i < MC_ARRAY_SIZE(c); i++) {
		s = c[i].took(1000);
		l = c[i].took(16000);
		TAP_SAY("files %s: 1000 %.1f ms, 16000 %.1f ms", c[i].what, s * 1e3, l * 1e3);
		CHECK(l < s * 50);
	}
}

int main(void)
{
	TAP_RUN(plain_binds);
	TAP_RUN(one_peer_group);
	TAP_RUN(slave_chain);
	TAP_RUN(places_of_the_host);
	TAP_RUN(files_of_namespaces);
	return tap_done();
}
