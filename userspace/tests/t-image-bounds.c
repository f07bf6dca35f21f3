// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What an image may hold, and what reading it may cost: nesting, memory,
 * records at their limits.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <jansson.h>
#include <malloc.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "image-text.h"

static void nesting_is_bounded(void)
{
	static const char open[] = "[{";
	struct mntcr_topology *t;
	struct mntcr_error e;
	size_t n = 1 << 20, i;
	char *text = malloc(n);

	for (i = 0; i < 2; i++) {
		memset(text, open[i], n);
		CHECK(mc_image_parse(text, n, "img", &t, &e) == -1);
		CHECK_EQ(e.code, MNTCR_BAD_IMAGE);
	}
	memset(text, '[', n / 2);
	memset(text + n / 2, ']', n / 2);
	memcpy(text, HEAD USERNS, strlen(HEAD USERNS));
	memcpy(text + strlen(HEAD USERNS), "\"x\":[", 5);
	for (i = 0; i < strlen(HEAD USERNS) + 4; i++)
		text[n - 1 - i] = ' ';
	text[n - 1] = '}';
	CHECK(mc_image_parse(text, n, "img", &t, &e) == -1);
	CHECK_EQ(e.code, MNTCR_BAD_IMAGE);
	CHECK(strstr(e.text, "x: is nested too deeply"));
	free(text);
}

/* What jansson holds, and the most that it held. */
static size_t held, most_held;

static void *counting_malloc(size_t n)
{
	void *p = malloc(n);

	held += malloc_usable_size(p);
	if (held > most_held)
		most_held = held;
	return p;
}

static void counting_free(void *p)
{
	held -= malloc_usable_size(p);
	free(p);
}

static long most_resident(void)
{
	struct rusage u;

	REQUIRE(!getrusage(RUSAGE_SELF, &u));
	return u.ru_maxrss;	/* KiB */
}

/* Shadow memory and freed memory that is kept: there only jansson is counted. */
static bool instrumented(void)
{
#if defined(__SANITIZE_ADDRESS__)
	return true;
#elif defined(__has_feature)
	if (__has_feature(address_sanitizer))
		return true;
#endif
	return getenv("UNDER_VALGRIND");
}

/*
 * In a child, for the sake of what it has used at most.  says: NULL when the
 * image is one; kib: what reading it may take besides its own text.
 */
static void read_within(const char *text, size_t len, const char *says, long kib)
{
	struct mntcr_topology *t;
	struct mntcr_error e;
	int status;
	pid_t pid;
	long took;

	fflush(stdout);
	pid = fork();
	REQUIRE(pid >= 0);
	if (!pid) {
		tap.bad = 0;
		json_set_alloc_funcs(counting_malloc, counting_free);
		took = most_resident();
		if (mc_image_parse(text, len, "img", &t, &e) ? !says :
		    says != NULL) {
			TAP_SAY("%s", e.text);
			_exit(1);
		}
		if (says && (e.code != MNTCR_BAD_IMAGE || !strstr(e.text, says))) {
			TAP_SAY("\"%s\" lacks \"%s\"", e.text, says);
			tap.bad = 1;
		}
		took = most_resident() - took;
		if (!says || took >= kib)
			TAP_SAY("%zu KiB of text: jansson %zu KiB, in all %ld KiB more",
				len >> 10, most_held >> 10, took);
		CHECK(most_held > 0 && most_held < 4 << 20);
		CHECK(took < kib || instrumented());
		fflush(stdout);
		_exit(tap.bad);
	}
	REQUIRE(waitpid(pid, &status, 0) == pid);
	CHECK_EQ(status, 0);
}

/* head, n times item with a comma between, tail. */
static char *repeated(const char *head, const char *item, size_t n,
		      const char *tail)
{
	struct mc_buf b = { 0 };

	mc_buf_puts(&b, head);
	while (n--) {
		mc_buf_puts(&b, item);
		if (n)
			mc_buf_puts(&b, ",");
	}
	mc_buf_puts(&b, tail);
	REQUIRE(!b.nomem);
	return b.data;
}

/* Small texts of which a parser makes much. */
static void memory_is_bounded(void)
{
	static const char * const items[] = {
		"{}", "[]", "\"\"", "0", "{\"a\":0}", "[[[[[]]]]]",
		"{\"hex\":\"\"}", "\"\\u0001\\\"]}[{\"",
	};
	static const struct {
		const char *head, *tail, *says;
	} places[] = {
		{ HEAD "\"x\":[", "]}", "x: has more than" },
		{ HEAD USERNS NS SBS GROUPS IDMAPS "\"mounts\":[{\"id\":1,\"x\":[",
		  "]}]}", "mounts[0]: has more than" },
		{ HEAD USERNS NS SBS "\"mounts\":[]," IDMAPS "\"groups\":[[", "]]}",
		  "groups[0]: has more than" },
	};
	size_t n = getenv("UNDER_VALGRIND") ? 20000 : 300000, i, j;
	char *text;

	for (i = 0; i < MC_ARRAY_SIZE(places); i++)
		for (j = 0; j < MC_ARRAY_SIZE(items); j++) {
			text = repeated(places[i].head, items[j], n,
					places[i].tail);
			read_within(text, strlen(text), places[i].says, 8 << 10);
			free(text);
		}
	/* fields instead of elements */
	text = repeated(HEAD "\"x\":{", "\"\":{}", n, "}}");
	read_within(text, strlen(text), "x: has more than", 8 << 10);
	free(text);
	text = repeated(HEAD, "\"x\":{}", n, "}");
	read_within(text, strlen(text), "x: duplicate field", 8 << 10);
	free(text);
	/* one string */
	text = malloc(24 << 20);
	memset(text, 'a', 24 << 20);
	memcpy(text, HEAD "\"x\":\"", strlen(HEAD "\"x\":\""));
	memcpy(text + (24 << 20) - 2, "\"}", 2);
	read_within(text, 24 << 20, "x: has more than", 8 << 10);
	free(text);
	/* records, all of them good but for their number */
	n = MC_MAX_MOUNTS + 1;
	if (!getenv("UNDER_VALGRIND")) {
		text = repeated(HEAD USERNS NS SBS "\"groups\":[],\"idmaps\":[",
				"{\"uid\":[[0,0,1]],\"gid\":[]}", n,
				"],\"mounts\":[]}");
		read_within(text, strlen(text), "idmaps[262144]: more than 262144",
			    64 << 10);
		free(text);
	}
}

/* Of one record: exactly so many values are taken, itself and names of fields included. */
static void as_many_values_as_may_be(void)
{
	char *text = repeated(HEAD "\"x\":[", "0", 4095, "]}");
	struct mntcr_topology *t;
	struct mntcr_error e;

	CHECK_EQ(mc_image_parse(text, strlen(text), "img", &t, &e), -1);
	CHECK(strstr(e.text, "x: unknown field"));
	free(text);
	text = repeated(HEAD "\"x\":[", "0", 4096, "]}");
	CHECK_EQ(mc_image_parse(text, strlen(text), "img", &t, &e), -1);
	CHECK(strstr(e.text, "x: has more than 4096 values"));
	free(text);
}

/* 21 MB of what takes a parser most, in little more than they are. */
static void in_little_memory(void)
{
	static const char * const heads[] = {
		HEAD "\"x\":[", HEAD "\"mounts\":[[", HEAD "\"mounts\":[",
	};
	struct rlimit less;
	struct mntcr_topology *t;
	struct mntcr_error e;
	char *text, line[64] = "";
	size_t i, kib = 0;
	int status;
	FILE *f;
	pid_t pid;

	if (instrumented())
		SKIP("shadow memory has no bounds");
	for (i = 0; i < MC_ARRAY_SIZE(heads); i++) {
		text = repeated(heads[i], "{}", 7 << 20, "]}");
		fflush(stdout);
		pid = fork();
		REQUIRE(pid >= 0);
		if (!pid) {
			f = fopen("/proc/self/status", "r");
			while (f && fgets(line, sizeof(line), f))
				if (sscanf(line, "VmSize: %zu kB", &kib) == 1)
					break;
			less.rlim_cur = less.rlim_max = (kib + 8192) << 10;
			if (!kib || setrlimit(RLIMIT_AS, &less))
				_exit(99);
			if (!mc_image_parse(text, strlen(text), "img", &t, &e))
				_exit(98);
			_exit(e.code == MNTCR_BAD_IMAGE ? 0 : 97);
		}
		REQUIRE(waitpid(pid, &status, 0) == pid);
		CHECK_EQ(status, 0);
		free(text);
	}
}

/* No record that has to be taken is refused for its size. */
static void records_at_their_limits(void)
{
	char *extents = repeated("{\"uid\":[", "[1,1,4294967294]",
				 MC_MAX_IDMAP_EXTENTS, "],\"gid\":[");
	char *gid = repeated("", "[0,0,4294967295]", MC_MAX_IDMAP_EXTENTS, "]}");
	char *bytes = malloc(6 * MC_MAX_PATH + 1), *path, *idmaps, *text;
	struct mc_buf b = { 0 };
	size_t i;

	for (i = 0; i < MC_MAX_PATH; i++)
		memcpy(bytes + 6 * i, "\\u0001", 6);
	bytes[6 * i] = '\0';
	path = strdup(bytes);
	for (i = 0; i < MC_MAX_PATH; i += 128)
		memcpy(path + 6 * i, "\\u002f", 6);
	path[6 * (MC_MAX_PATH - 1)] = '\0';
	mc_buf_printf(&b, "\"idmaps\":[%s%s],", extents, gid);
	idmaps = replaced(good, IDMAPS, b.data);
	mc_buf_reset(&b);
	mc_buf_printf(&b, "\"%s\",\"source\":\"%s\",\"options\":\"%s\"",
		      path, bytes, bytes);
	text = replaced(idmaps, "\"/u\"", b.data);
	free(idmaps);
	mc_buf_reset(&b);
	mc_buf_printf(&b, "\"root\":\"%s\",\"mountpoint\":\"\\u0", path);
	idmaps = replaced(text, "\"root\":\"/\",\"mountpoint\":\"\\u0", b.data);
	read_within(idmaps, strlen(idmaps), NULL, 16 << 10);
	free(idmaps);
	free(text);
	free(path);
	free(bytes);
	free(gid);
	free(extents);
	mc_buf_free(&b);
}

/* As many mounts as there may be, with every field that a mount can have. */
static void as_large_as_can_be(void)
{
	unsigned int n = getenv("UNDER_VALGRIND") ? 2000 : MC_MAX_MOUNTS, i;
	struct mc_buf b = { 0 };

	mc_buf_puts(&b, HEAD USERNS
		    "\"namespaces\":[{\"label\":\"x\",\"owner\":0}],\"idmaps\":[],"
		    "\"superblocks\":[{\"device\":\"0:1\",\"type\":\"t\",\"options\":\"\"}],"
		    "\"groups\":[{\"id\":1}");
	for (i = 2; i <= n; i++)
		mc_buf_printf(&b, ",{\"id\":%u,\"master\":%u}", i, i - 1);
	mc_buf_puts(&b, "],\"mounts\":[");
	for (i = 1; i <= n; i++) {
		mc_buf_printf(&b, "%s{\"id\":%u,\"id_old\":%u,\"namespace\":0,"
			"\"superblock\":0,\"root\":\"/dir-%u\",\"directory\":true,"
			"\"mountpoint\":\"/%s%.0u\",\"source\":\"source of %u\","
			"\"options\":\"lowerdir=/lower/%u,upperdir=/upper/%u\","
			"\"attributes\":[\"ro\",\"nosuid\",\"nodev\",\"noexec\",\"noatime\"],"
			"\"locks\":[\"mount\",\"ro\",\"nodev\"],\"group\":%u",
			i > 1 ? "," : "", i, i, i, i > 1 ? "in-the-root/" : "",
			i > 1 ? i : 0, i, i, i, i);
		if (i > 1)
			mc_buf_printf(&b, ",\"parent\":1,\"master\":%u", i - 1);
		mc_buf_puts(&b, "}");
	}
	mc_buf_puts(&b, "]}");
	REQUIRE(!b.nomem);
	CHECK(b.len < MC_IMAGE_MAX_SIZE);
	/* one KiB a mount */
	read_within(b.data, b.len, NULL, MC_MAX_MOUNTS);
	mc_buf_free(&b);
}

/* Chains as deep as there are mounts: no recursion, nothing quadratic. */
static void long_chains(void)
{
	const unsigned int n = getenv("UNDER_VALGRIND") ? 2000 : 100000;
	size_t nr = 1;
	FILE *out;
	char ring[80];
	struct mc_buf b = { 0 };
	struct mntcr_topology *t;
	struct mntcr_error e;
	unsigned int i;
	char *text;

	mc_buf_puts(&b, HEAD "\"user_namespaces\":[],"
		    "\"namespaces\":[{\"label\":\"x\"}],"
		    "\"superblocks\":[{\"device\":\"0:1\",\"type\":\"t\",\"options\":\"\"}],"
		    "\"idmaps\":[],\"groups\":[");
	/* masters of masters, named backwards */
	for (i = n; i; i--) {
		mc_buf_printf(&b, "%s{\"id\":%u", i < n ? "," : "", i);
		if (i > 1)
			mc_buf_printf(&b, ",\"master\":%u", i - 1);
		mc_buf_puts(&b, "}");
	}
	mc_buf_puts(&b, "],\"mounts\":[");
	for (i = n; i; i--) {
		mc_buf_printf(&b, "%s{\"id\":%u,\"namespace\":0,\"superblock\":0,"
			      "\"root\":\"/\",\"mountpoint\":\"/\",\"group\":%u",
			      i < n ? "," : "", i, i);
		if (i > 1)
			mc_buf_printf(&b, ",\"parent\":%u,\"master\":%u", i - 1,
				      i - 1);
		mc_buf_puts(&b, "}");
	}
	mc_buf_puts(&b, "]}");
	REQUIRE(!b.nomem);
	if (mc_image_parse(b.data, b.len, "img", &t, &e))
		TAP_SAY("%s", e.text);
	REQUIRE(t);
	CHECK_EQ(t->groups[mc_find_group(t, n)].depth, n - 1);
	CHECK_EQ(mc_find_mount(t, n), n - 1);
	out = fopen("/dev/null", "we");
	REQUIRE(out);
	CHECK(!mntcr_render(t, MNTCR_FORMAT_TREE, out, &e));
	CHECK(!mntcr_verify(t, t, NULL, &nr, &e) && !nr);
	fclose(out);
	mntcr_topology_free(t);
	/* and once more as one ring of parents */
	snprintf(ring, sizeof(ring), "{\"id\":1,\"parent\":%u,\"namespace\":0,",
		 n);
	text = replaced(b.data, "{\"id\":1,\"namespace\":0,", ring);
	CHECK(mc_image_parse(text, strlen(text), "img", &t, &e) == -1);
	CHECK(strstr(e.text, "is its own ancestor"));
	free(text);
	mc_buf_free(&b);
}

static void paths_that_are_too_long(void)
{
	struct mntcr_topology *t;
	struct mntcr_error e;
	char *path, *text;
	size_t i;

	path = malloc(MC_MAX_PATH + 64);
	strcpy(path, "\"/");
	memset(path + 2, 'x', 256);
	strcpy(path + 258, "\"");
	text = replaced(good, "\"/t\"", path);
	CHECK(mc_image_parse(text, strlen(text), "img", &t, &e) == -1);
	CHECK(strstr(e.text, "longer than 255 bytes"));
	free(text);
	path[0] = '"';
	for (i = 1; i < MC_MAX_PATH + 8; i += 2)
		memcpy(path + i, "/x", 2);
	strcpy(path + i, "\"");
	text = replaced(good, "\"/t\"", path);
	CHECK(mc_image_parse(text, strlen(text), "img", &t, &e) == -1);
	CHECK(strstr(e.text, "is longer than 65536 bytes"));
	free(text);
	free(path);
}

/* n mounts, each with the same options of len bytes; finish()'s verdict. */
static int with_options(uint32_t n, size_t len, struct mntcr_topology **t,
			struct mntcr_error *e)
{
	char *options = calloc(1, len + 1), path[16];
	uint32_t i, m;

	memset(options, 'o', len);
	*t = mc_topology_new();
	REQUIRE(*t && mc_topology_add_ns(*t) == 0 &&
		mc_topology_add_sb(*t) == 0);
	(*t)->sbs[0].type = mc_topology_str(*t, "t");
	for (i = 0; i < n; i++) {
		m = mc_topology_add_mount(*t);
		REQUIRE(m == i);
		(*t)->mounts[m].id = i + 1;
		(*t)->mounts[m].ns = (*t)->mounts[m].sb = 0;
		(*t)->mounts[m].options = mc_topology_str(*t, options);
		if (!i)
			continue;
		snprintf(path, sizeof(path), "/%u", i);
		(*t)->mounts[m].parent = 0;
		(*t)->mounts[m].mountpoint = mc_topology_str(*t, path);
	}
	free(options);
	return mc_topology_finish(*t, e);
}

/* JSON's integers have a sign. */
static void too_large_a_number(void)
{
	struct mntcr_topology *t, *u;
	struct mntcr_error e;
	FILE *out = fopen("/dev/null", "we");
	char *text;

	REQUIRE(out && !with_options(2, 1, &t, &e));
	t->ns[0].id = INT64_MAX;
	text = printed(t);
	REQUIRE(!mc_image_parse(text, strlen(text), "img", &u, &e));
	CHECK(u->ns[0].id == INT64_MAX);
	mntcr_topology_free(u);
	free(text);
	t->ns[0].id++;
	CHECK_EQ(mc_image_print(t, out, &e), -1);
	CHECK_EQ(e.err, EOVERFLOW);
	fclose(out);
	mntcr_topology_free(t);
}

/* What is written can be read; what could not be is not written. */
static void nothing_that_cannot_be_read(void)
{
	struct mntcr_topology *t, *u;
	struct mntcr_error e;
	FILE *out;
	char *text;

	REQUIRE(!with_options(2, MC_MAX_PATH, &t, &e));
	text = printed(t);
	CHECK(!mc_image_parse(text, strlen(text), "img", &u, &e));
	mntcr_topology_free(t);
	mntcr_topology_free(u);
	free(text);
	CHECK(with_options(2, MC_MAX_PATH + 1, &t, &e) == -1);
	CHECK(strstr(e.text, "longer than 65536 bytes"));
	mntcr_topology_free(t);
	too_large_a_number();
	if (getenv("UNDER_VALGRIND"))
		return;
	REQUIRE(!with_options(MC_IMAGE_MAX_SIZE / MC_MAX_PATH, MC_MAX_PATH, &t,
			      &e));
	out = fopen("/dev/null", "we");
	REQUIRE(out);
	CHECK(mc_image_print(t, out, &e) == -1);
	CHECK_STR(e.rule, "too-large");
	CHECK_EQ(e.code, MNTCR_REFUSED);
	fclose(out);
	mntcr_topology_free(t);
}

int main(void)
{
	TAP_RUN(nesting_is_bounded);
	TAP_RUN(memory_is_bounded);
	TAP_RUN(as_many_values_as_may_be);
	TAP_RUN(in_little_memory);
	TAP_RUN(records_at_their_limits);
	TAP_RUN(as_large_as_can_be);
	TAP_RUN(long_chains);
	TAP_RUN(paths_that_are_too_long);
	TAP_RUN(nothing_that_cannot_be_read);
	return tap_done();
}
