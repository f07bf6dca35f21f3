// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What a restore elsewhere will need, as the list says; and that it is so: restored
 * with the options of the list, it is the same.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include "checked.h"
#include "base/base.h"

struct listed {
	struct mntcr_topology *t;
	struct mntcr_container c;
	struct mntcr_contents_options files;
	struct mntcr_error e;
	char *text;
	size_t size;
	json_t *json;
	int ret;		/* of both, which agree */
};

static void list(struct listed *l, pid_t pid, bool contents)
{
	FILE *out;
	int ret;

	memset(l, 0, sizeof(*l));
	ret = mntcr_capture_container(pid, NULL, &l->c, &l->t, &l->e);
	if (ret)
		TAP_SAY("%s", l->e.text);
	REQUIRE(!ret);
	l->files.size = sizeof(l->files);
	l->files.sources = l->c.sources;
	l->files.nr_sources = l->c.nr;
	out = open_memstream(&l->text, &l->size);
	REQUIRE(out);
	ret = mntcr_check_dump(l->t, contents ? &l->files : NULL, true, out, &l->e);
	REQUIRE(!fclose(out));
	l->json = json_loads(l->text, 0, NULL);
	REQUIRE(l->json);
	free(l->text);
	out = open_memstream(&l->text, &l->size);
	REQUIRE(out);
	l->ret = mntcr_check_dump(l->t, contents ? &l->files : NULL, false, out, &l->e);
	REQUIRE(!fclose(out));
	CHECK_EQ(l->ret, ret);
	if (l->ret)
		CHECK_EQ(l->e.code, MNTCR_REFUSED);
}

static void done(struct listed *l, pid_t pid)
{
	mntcr_topology_free(l->t);
	mntcr_container_free(&l->c);
	json_decref(l->json);
	free(l->text);
	end(pid);
}

static size_t length(const struct listed *l, const char *key)
{
	return json_array_size(json_object_get(l->json, key));
}

/* --- the container's own ----------------------------------------------------------- */

static void own(void)
{
	put("file", "seven!\n");
	TRY(mkdir("proc", 0555));
	TRY(mount("proc", "proc", "proc", 0, NULL));
}

static void what_is_the_containers_comes_back_by_itself(void)
{
	bool given = mc_lacks_empty_pidns();
	struct listed l;
	pid_t pid = make_container(own);

	list(&l, pid, true);
	CHECK_EQ(l.ret, 0);
	/* the root, old, file, proc */
	CHECK(has(l.text, " tmpfs ct: the container's; fresh with 7 bytes of contents in 4 files; mounted at "));
	CHECK(has(l.text, given ? " proc proc: of a namespace; external; mounted at " :
			  " proc proc: of a namespace; fresh; mounted at "));
	CHECK_EQ(length(&l, "superblocks"), 2);
	/* or a proc with the container's pid namespace has to come from somewhere */
	CHECK_EQ(length(&l, "options"), given ? 2 : 0);
	CHECK_EQ(length(&l, "refusals"), 0);
	CHECK_EQ(length(&l, "differences"), 0);
	CHECK_EQ(strstr(l.text, "options") != NULL, given);
	done(&l, pid);
}

static void without_contents_they_are_a_difference(void)
{
	struct listed l;
	pid_t pid = make_container(own);

	list(&l, pid, false);
	CHECK_EQ(l.ret, 0);
	CHECK(has(l.text, " tmpfs ct: the container's; fresh; mounted at "));
	CHECK(has(l.text, ": its files are not in the image, but for what mounts are on"));
	CHECK_EQ(length(&l, "differences"), 1);
	done(&l, pid);
}

static int holds_not(void *data, struct mntcr_error *e)
{
	++*(int *)data;
	return mc_fail(e, MNTCR_CHANGED, 0, "it has ended");
}

/* What was read of something that has ended meanwhile is no answer. */
static void it_has_to_hold(void)
{
	FILE *out = fopen("/dev/null", "we");
	pid_t pid = make_container(own);
	int nr = 0;
	struct listed l;

	list(&l, pid, true);
	REQUIRE(out);
	l.files.holds = holds_not;
	l.files.data = &nr;
	CHECK_EQ(mntcr_check_dump(l.t, &l.files, false, out, &l.e), -1);
	CHECK_EQ(l.e.code, MNTCR_CHANGED);
	CHECK_EQ(nr, 1);
	fclose(out);
	done(&l, pid);
}

/* --- the host's -------------------------------------------------------------------- */

static void of_the_host(void)
{
	TRY(mkdir("vol", 0755));
	TRY(mkdir("run", 0755));
	TRY(mount("/tmp/disk/vol", "vol", NULL, MS_BIND, NULL));
	TRY(mount("/tmp/run", "run", NULL, MS_BIND, NULL));
	TRY(mount("none", "run", NULL, MS_PRIVATE, NULL));
}

static void what_is_the_hosts_is_found_there(void)
{
	const json_t *x, *m;
	struct listed l;
	pid_t pid = make_container(of_the_host);

	list(&l, pid, true);
	CHECK_EQ(l.ret, 0);
	CHECK(has(l.text, " overlay disk: the host's; external; mounted at "));
	CHECK(has(l.text, "; outside at /tmp/disk\n"));
	CHECK(has(l.text, " tmpfs run: the host's; external; mounted at /run; "));
	CHECK(has(l.text, "; outside at /tmp/run\n"));
	CHECK(has(l.text, " (/run): the host's: without its contents\n"));
	CHECK_EQ(length(&l, "differences"), 1);
	CHECK_EQ(length(&l, "externals"), 2);
	CHECK_EQ(length(&l, "masters"), 1);
	x = json_array_get(json_object_get(l.json, "externals"), 0);
	m = json_array_get(json_object_get(l.json, "masters"), 0);
	CHECK(json_is_true(json_object_get(x, "found")));
	CHECK_STR(json_string_value(json_object_get(x, "option")), "--host");
	CHECK_STR(json_string_value(json_object_get(x, "value")), "/tmp/disk");
	CHECK_STR(json_string_value(json_object_get(m, "option")), "--host");
	CHECK_STR(json_string_value(json_object_get(m, "value")), "/tmp/disk");
	CHECK_EQ(json_array_size(json_object_get(x, "mounts")), 1);
	CHECK_EQ(json_array_size(json_object_get(m, "mounts")), 1);
	CHECK(has(l.text, "\nexternal   --host /tmp/disk for /vol\n"));
	CHECK(has(l.text, "\nexternal   --host /tmp/run for /run\n"));
	CHECK(has(l.text, "\nmaster     --host /tmp/disk for /vol\n"));
	CHECK(has(l.text, "\noptions    --host /tmp/disk,/tmp/run\n"));
	done(&l, pid);
}

static void pasted_options_restore_it(void)
{
	static const char *const places[] = { "/tmp/disk", "/tmp/run" };
	struct mntcr_restore_options o = {
		.size = sizeof(o), .hosts = places, .nr_hosts = 2,
	};
	struct mntcr_source src = { .type = MNTCR_SOURCE_FD };
	struct mntcr_restored *r = NULL;
	struct mntcr_topology *got = NULL;
	const json_t *words;
	struct listed l;
	size_t nr = 1;
	pid_t pid = make_container(of_the_host);
	int ret;

	list(&l, pid, true);
	CHECK_EQ(l.ret, 0);
	words = json_object_get(l.json, "options");
	REQUIRE(json_array_size(words) == 2);
	CHECK_STR(json_string_value(json_array_get(words, 0)), "--host");
	CHECK_STR(json_string_value(json_array_get(words, 1)), "/tmp/disk,/tmp/run");
	ret = mntcr_restore(l.t, &o, &r, &l.e);
	if (ret)
		TAP_SAY("%s", l.e.text);
	REQUIRE(!ret);
	src.fd = mntcr_restored_ns_fd(r, 0);
	ret = mntcr_capture(&src, 1, NULL, &got, &l.e);
	REQUIRE(!ret);
	REQUIRE(!mntcr_verify(l.t, got, NULL, &nr, &l.e));
	CHECK_EQ(nr, 0);
	mntcr_topology_free(got);
	/* it does receive */
	REQUIRE(!mount("ev", "/tmp/disk/vol/ev", "tmpfs", 0, NULL));
	REQUIRE(!mntcr_capture(&src, 1, NULL, &got, &l.e));
	REQUIRE(!mntcr_verify(l.t, got, NULL, &nr, &l.e));
	CHECK(nr);
	REQUIRE(!umount("/tmp/disk/vol/ev"));
	mntcr_topology_free(got);
	mntcr_restored_free(r);
	done(&l, pid);
}

/* --- refused ----------------------------------------------------------------------- */

static void not_to_be_had(void)
{
	put("gone", "");
	put("at", "");
	put("net", "");
	TRY(mkdir("vol", 0755));
	TRY(mount("gone", "at", NULL, MS_BIND, NULL));
	TRY(unlink("gone"));
	TRY(mount("/proc/self/ns/net", "net", NULL, MS_BIND, NULL));
	TRY(mount("/tmp/disk/vol", "vol", NULL, MS_BIND, NULL));
	TRY(mount("none", "vol", NULL, MS_PRIVATE, NULL));
	TRY(mkdir("alone", 0755));
	TRY(mount("alone", "alone", "tmpfs", 0, NULL));
	TRY(mount("none", "alone", NULL, MS_UNBINDABLE, NULL));
	TRY(mkdir("other", 0755));
	TRY(mount("other", "other", "tmpfs", 0, NULL));
	TRY(mount("none", "other", NULL, MS_UNBINDABLE, NULL));
}

static void all_that_is_refused_is_listed(void)
{
	struct listed l;
	pid_t pid = make_container(not_to_be_had);

	list(&l, pid, true);
	CHECK_EQ(l.ret, -1);
	CHECK_STR(l.e.rule, "contents-out-of-reach");
	CHECK(has(l.e.text, " (and 1 more refusals)"));
	CHECK_EQ(length(&l, "refusals"), 2);
	CHECK(has(l.text, " [contents-out-of-reach]\n"));
	CHECK(has(l.text, ": files of namespaces; external; mounted at /net\n"));
	CHECK(has(l.text, " tmpfs alone: the container's; refused [contents-out-of-reach]; "));
	/* the rest of it is listed all the same */
	CHECK(has(l.text, " tmpfs ct: the container's; fresh with 0 bytes of contents in 8 files; "));
	CHECK(has(l.text, " overlay disk: the host's; external; "));
	CHECK_EQ(length(&l, "externals"), 2);
	CHECK_EQ(length(&l, "masters"), 0);
	done(&l, pid);
}

/* What is lost without contents is refused without them. */
static void an_unlinked_root_without_contents(void)
{
	struct listed l;
	pid_t pid = make_container(not_to_be_had);

	list(&l, pid, false);
	CHECK_EQ(l.ret, -1);
	CHECK(has(l.text, " [deleted-root]\n"));
	done(&l, pid);
}

static bool dir_is_file, only_that_is_mounted;

static void unlinked_in_what_has_gone(void)
{
	TRY(mkdir("a", 0755));
	TRY(mount("a", "a", "tmpfs", 0, NULL));
	TRY(mkdir("a/d", 0755));
	put("a/d/f", "unlinked");
	put("t", "");
	TRY(mount("a/d/f", "t", NULL, MS_BIND, NULL));
	TRY(unlink("a/d/f"));
	TRY(rmdir("a/d"));
	if (dir_is_file)
		put("a/d", "file");
	if (!only_that_is_mounted)
		return;
	put("u", "");
	TRY(mount("a/d", "u", NULL, MS_BIND, NULL));
	TRY(umount("a"));
}

/* A directory that has gone is made again, unless its name is another thing's. */
static void what_an_unlinked_root_was_in(void)
{
	struct listed l;
	pid_t pid;
	int i;

	for (i = 0; i < 3; i++) {
		dir_is_file = i;
		only_that_is_mounted = i == 2;
		pid = make_container(unlinked_in_what_has_gone);
		list(&l, pid, true);
		CHECK_EQ(l.ret, dir_is_file ? -1 : 0);
		CHECK_EQ(strstr(l.text, "refused    /t: its root, /d/f, has been unlinked, and what that was in is no directory any more") != NULL,
			 dir_is_file);
		CHECK_EQ(strstr(l.text, " [deleted-root]\n") != NULL, dir_is_file);
		CHECK_EQ(length(&l, "refusals"), dir_is_file);
		done(&l, pid);
	}
}

/* --- files of namespaces ------------------------------------------------------------ */

/*
 * Of each kind: those that are not made with the mounts, net, which is, and the dumper's
 * user namespace, for which the caller's stands; one twice.
 */
static const char *const kinds[] = { "uts", "cgroup", "pid", "time", "net", "user" };

static void with_namespaces(void)
{
	int fd[MC_ARRAY_SIZE(kinds)];
	char path[64];
	size_t i;

	TRY(unshare(CLONE_NEWUTS | CLONE_NEWCGROUP | CLONE_NEWNET));
	for (i = 0; i < MC_ARRAY_SIZE(kinds); i++) {
		snprintf(path, sizeof(path), "/proc/self/ns/%s", kinds[i]);
		fd[i] = open(path, O_RDONLY | O_CLOEXEC);
		if (fd[i] < 0)
			continue;	/* not in this kernel */
		put(kinds[i], "");
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd[i]);
		TRY(mount(path, kinds[i], NULL, MS_BIND, NULL));
	}
	put("again", "");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd[0]);
	TRY(mount(path, "again", NULL, MS_BIND, NULL));
}

/* For PATH of each option, those of the container itself: then they are the same. */
static size_t found(const struct listed *l, pid_t pid, struct mntcr_external *x,
		    char paths[][40])
{
	const json_t *words = json_object_get(l->json, "options");
	char *value, *end;
	size_t i, n = 0;

	for (i = 0; i + 1 < json_array_size(words); i += 2) {
		CHECK_STR(json_string_value(json_array_get(words, i)), "--external");
		value = strdup(json_string_value(json_array_get(words, i + 1)));
		end = value ? strstr(value, "]=PATH") : NULL;
		REQUIRE(end);
		end[1] = '\0';
		snprintf(paths[n], sizeof(paths[n]), "/proc/%d/ns/%.*s", (int)pid,
			 (int)strcspn(value, ":"), value);
		x[n] = (struct mntcr_external){ .key = value, .path = paths[n] };
		n++;
	}
	return n;
}

static void say(void *data, const char *line)
{
	TAP_SAY("%s", line);
}

static void each_namespace_has_its_option(void)
{
	const struct mntcr_verify_options v = { .size = sizeof(v), .report = say };
	struct mntcr_external x[MC_ARRAY_SIZE(kinds)];
	char paths[MC_ARRAY_SIZE(kinds)][40], what[64];
	struct mntcr_restore_options o = { .size = sizeof(o), .externals = x };
	struct mntcr_source src = { .type = MNTCR_SOURCE_FD };
	struct mntcr_restored *r = NULL;
	struct mntcr_topology *got = NULL;
	struct listed l;
	size_t nr = 1, i;
	pid_t pid = make_container(with_namespaces);
	bool made;
	int ret;

	list(&l, pid, true);
	CHECK_EQ(l.ret, 0);
	CHECK(!strstr(l.text, "live"));
	CHECK(has(l.text, ": files of namespaces; external; mounted at "));
	CHECK(has(l.text, "=PATH' ") || has(l.text, "=PATH'\n"));
	for (i = 0; i < 3; i++) {
		snprintf(what, sizeof(what), "external   --external %s:[", kinds[i]);
		CHECK(has(l.text, what));
	}
	CHECK(has(l.text, "]=PATH for /uts, /again\n"));
	CHECK(!strstr(l.text, "--external user:["));
	/* one that is made with the mounts has none, if the kernel says whose it was */
	made = !strstr(l.text, "--external net:[");
	TAP_SAY("a network namespace is %s", made ? "made" : "given");
	o.nr_externals = found(&l, pid, x, paths);
	CHECK(o.nr_externals >= 3);
	ret = mntcr_restore(l.t, &o, &r, &l.e);
	if (ret)
		TAP_SAY("%s", l.e.text);
	REQUIRE(!ret);
	src.fd = mntcr_restored_ns_fd(r, 0);
	REQUIRE(!mntcr_capture(&src, 1, NULL, &got, &l.e));
	REQUIRE(!mntcr_verify(l.t, got, &v, &nr, &l.e));
	CHECK_EQ(nr, 0);
	mntcr_topology_free(got);
	mntcr_restored_free(r);
	for (i = 0; i < o.nr_externals; i++)
		free((char *)x[i].key);
	done(&l, pid);
}

static void nothing_is_changed(void)
{
	struct mntcr_topology *now = NULL;
	struct listed l;
	size_t nr = 1;
	pid_t pid = make_container(of_the_host);

	list(&l, pid, true);
	REQUIRE(!mntcr_capture(l.c.sources, l.c.nr, NULL, &now, &l.e));
	REQUIRE(!mntcr_verify(l.t, now, NULL, &nr, &l.e));
	CHECK_EQ(nr, 0);
	mntcr_topology_free(now);
	done(&l, pid);
}

int main(void)
{
	make_host();
	TAP_RUN(what_is_the_containers_comes_back_by_itself);
	TAP_RUN(without_contents_they_are_a_difference);
	TAP_RUN(it_has_to_hold);
	TAP_RUN(what_is_the_hosts_is_found_there);
	TAP_RUN(pasted_options_restore_it);
	TAP_RUN(all_that_is_refused_is_listed);
	TAP_RUN(an_unlinked_root_without_contents);
	TAP_RUN(what_an_unlinked_root_was_in);
	TAP_RUN(each_namespace_has_its_option);
	TAP_RUN(nothing_is_changed);
	return tap_done();
}
