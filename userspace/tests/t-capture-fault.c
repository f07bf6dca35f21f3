// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Namespaces are captured, and what a restore needs is listed, with each call and each
 * allocation failing in turn.  What comes of it all the same is what it is without.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#define EACH_CALL_FORKS

#include "base/base.h"
#include "checked.h"
#include "each-call.h"
#include "image-text.h"
#include "topology/topology.h"

/* --- what fails, besides --------------------------------------------------------- */

WRAP(int, name_to_handle_at, (int fd, const char *path, struct file_handle *h, int *id,
			      int flags), (fd, path, h, id, flags))
ALLOC(fmemopen, (void *p, size_t n, const char *mode), (p, n, mode))

/* --- the scene ------------------------------------------------------------------ */

/* Covered, unlinked, an overlay of its own, peers and slaves, files of namespaces. */
static void build(void)
{
	TRY(mkdir("own", 0755));
	TRY(mount("own", "own", "tmpfs", 0, "size=1m"));
	TRY(mount("none", "own", NULL, MS_SHARED, NULL));
	put("own/file", "seven!\n");
	put("own/unlinked", "");
	TRY(mkdir("own/dir", 0700));
	TRY(mkdir("own/lower", 0755));
	TRY(mkdir("slave", 0755));
	TRY(mount("own", "slave", NULL, MS_BIND, NULL));
	TRY(mount("none", "slave", NULL, MS_SLAVE, NULL));
	TRY(mkdir("covered", 0755));
	TRY(mount("one", "covered", "tmpfs", 0, NULL));
	TRY(mkdir("covered/in", 0755));
	TRY(mount("two", "covered/in", "tmpfs", MS_NODEV, NULL));
	TRY(mount("three", "covered", "tmpfs", MS_RDONLY, NULL));
	put("at", "");
	TRY(mount("own/file", "at", NULL, MS_BIND, NULL));
	put("gone", "");
	TRY(mount("own/unlinked", "gone", NULL, MS_BIND, NULL));
	TRY(unlink("own/unlinked"));
	TRY(mkdir("over", 0755));
	TRY(mount("over", "over", "overlay", 0, "lowerdir=own/lower:own/dir"));
	put("uts", "");
	TRY(mount("/proc/self/ns/uts", "uts", NULL, MS_BIND, NULL));
	TRY(mkdir("proc", 0755));
	TRY(mount("proc", "proc", "proc", 0, NULL));
	/* the host's, and where it has it */
	TRY(mkdir("run", 0755));
	TRY(mount("/tmp/run", "run", NULL, MS_BIND, NULL));
}

static pid_t pid;
static struct mntcr_topology *reference, *got;
static struct mntcr_capture_options co;
static unsigned int ignore;
static bool numbered;		/* a label has the number of a descriptor */

static void say(void *data, const char *line)
{
	(void)data;
	TAP_SAY("verify: %s", line);
}

static void check_capture(void)
{
	const struct mntcr_verify_options vo = {
		.size = sizeof(vo), .report = say, .max_reports = 5,
		.flags = MNTCR_VERIFY_DEVICES | MNTCR_VERIFY_ORDER | ignore,
	};
	struct mntcr_error e;
	size_t nr = 1;

	REQUIRE(!mntcr_verify(reference, got, &vo, &nr, &e));
	CHECK_EQ(nr, 0);
	/* where nothing fails all of it is the same, also what a restore need not have */
	if (!faults->err && !numbered) {
		char *was = printed(reference), *is = printed(got);

		CHECK_STR(is, was);
		free(was);
		free(is);
	}
	mntcr_topology_free(got);
	got = NULL;
}

/* --- jobs ------------------------------------------------------------------------ */

static int capture(struct mntcr_error *e)
{
	const struct mntcr_source s[] = {
		{ .type = MNTCR_SOURCE_PID, .pid = pid },
		{ .type = MNTCR_SOURCE_PID, .pid = getpid() },
	};

	return mntcr_capture(s, 2, &co, &got, e);
}

static int container(struct mntcr_error *e)
{
	struct mntcr_container c = { 0 };
	int ret = mntcr_capture_container(pid, &co, &c, &got, e);

	mntcr_container_free(&c);
	return ret;
}

static void of(const char *name, int (*run)(struct mntcr_error *e), enum mntcr_method method)
{
	const struct job j = { name, run, check_capture };
	struct mntcr_error e = { 0 };

	co = (struct mntcr_capture_options){ .size = sizeof(co), .method = method };
	if (run(&e))
		TAP_SAY("%s [%s]", e.text, e.rule);
	if (e.code == MNTCR_UNSUPPORTED)
		SKIP("this kernel does not say enough");
	REQUIRE(got);
	reference = got;
	got = NULL;
	each_call(&j, 200);
	/* a kernel without that kind of namespace has no such file */
	ignore = MNTCR_VERIFY_IGNORE_SHOWN;
	if (method == MNTCR_METHOD_STATMOUNT)
		each_call_by(&j, ENOENT, 200);
	ignore = 0;
	mntcr_topology_free(reference);
}

static void by_statmount(void)
{
	of("statmount", capture, MNTCR_METHOD_STATMOUNT);
}

static void by_mountinfo(void)
{
	of("mountinfo", capture, MNTCR_METHOD_MOUNTINFO);
}

static void of_a_container(void)
{
	of("container", container, MNTCR_METHOD_AUTO);
}

/* Nobody is in it; a file keeps it. */
static void only_a_file(void)
{
	int made[2];
	pid_t child;
	char x, path[32];

	TRY(mkdir("proc", 0755));
	TRY(mount("proc", "proc", "proc", 0, NULL));
	put("file", "");
	TRY(pipe2(made, O_CLOEXEC));
	TRY(child = fork());
	if (!child) {
		TRY(prctl(PR_SET_PDEATHSIG, SIGKILL));
		TRY(unshare(CLONE_NEWNS));
		TRY(syscall(SYS_pivot_root, ".", "old"));
		TRY(umount2("/old", MNT_DETACH));
		TRY(write(made[1], "x", 1));
		for (;;)
			pause();
	}
	TRY(read(made[0], &x, 1));
	snprintf(path, sizeof(path), "proc/%d/ns/mnt", (int)child);
	TRY(mount(path, "file", NULL, MS_BIND, NULL));
	TRY(kill(child, SIGKILL));
	TRY(waitpid(child, NULL, 0));
}

static void of_one_that_only_a_file_keeps(void)
{
	static const struct job j = { "container with a file", container, check_capture };
	struct mntcr_error e = { 0 };
	pid_t was = pid;
	cpu_set_t one, all;

	/* some kernels let each processor give out ids of its own: later is not larger */
	REQUIRE(!sched_getaffinity(0, sizeof(all), &all));
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	REQUIRE(!sched_setaffinity(0, sizeof(one), &one));
	pid = make_container(only_a_file);
	REQUIRE(!sched_setaffinity(0, sizeof(all), &all));
	co = (struct mntcr_capture_options){ .size = sizeof(co) };
	if (container(&e))
		TAP_SAY("%s [%s]", e.text, e.rule);
	REQUIRE(got && got->nr_ns == 2);
	reference = got;
	got = NULL;
	numbered = true;
	each_call_by(&j, 0, 20);
	numbered = false;
	mntcr_topology_free(reference);
	end(pid);
	pid = was;
}

/* --- lists ------------------------------------------------------------------------- */

static pid_t other;
static char *text, *text_without;

static int list(int (*fn)(FILE *out, struct mntcr_error *e), struct mntcr_error *e)
{
	size_t n = 0;
	FILE *out;
	int ret;

	free(text);
	text = NULL;
	out = open_memstream(&text, &n);
	if (!out)
		return mc_fail(e, MNTCR_SYS, errno, "open_memstream");
	ret = fn(out, e);
	if (fclose(out) && !ret)
		ret = mc_fail(e, MNTCR_SYS, errno, "writing");
	return ret;
}

static int needs_of_dump(FILE *out, struct mntcr_error *e)
{
	return mntcr_check_dump(got, NULL, false, out, e);
}

static int needs_of_restore(FILE *out, struct mntcr_error *e)
{
	const struct mntcr_restore_options o = {
		.size = sizeof(o), .pin_dir = "/tmp/pins",
	};

	return mntcr_check_restore(got, &o, false, out, e);
}

static int list_dump(struct mntcr_error *e)
{
	return list(needs_of_dump, e);
}

static int list_restore(struct mntcr_error *e)
{
	return list(needs_of_restore, e);
}

static size_t lines(const char *p)
{
	size_t n = 0;

	for (; *p; p++)
		n += *p == '\n';
	return n;
}

/* A mount may be named by its id where its path can't be had. */
static void check_list(void)
{
	CHECK_EQ(lines(text), lines(text_without));
}

/* All that is needed is given; what fails may be in the list as what is in the way. */
static void listed(const char *name, int (*run)(struct mntcr_error *e), void (*in)(void))
{
	const struct job j = { name, run, check_list };
	struct mntcr_error e = { 0 };

	other = make_container(in);
	REQUIRE(!mntcr_capture(&(struct mntcr_source){ .type = MNTCR_SOURCE_PID, .pid = other },
			       1, NULL, &got, &e));
	if (run(&e))
		TAP_SAY("%s [%s]: %s", e.text, e.rule, text);
	REQUIRE(text);
	text_without = text;
	text = NULL;
	each_call(&j, 40);
	free(text);
	free(text_without);
	text = NULL;
	mntcr_topology_free(got);
	got = NULL;
	end(other);
}

static void simple(void)
{
	TRY(mkdir("own", 0755));
	TRY(mount("own", "own", "tmpfs", 0, "size=1m"));
	TRY(mkdir("own/dir", 0755));
	TRY(mkdir("peer", 0755));
	TRY(mount("none", "own", NULL, MS_SHARED, NULL));
	TRY(mount("own/dir", "peer", NULL, MS_BIND, NULL));
}

static void lists(void)
{
	REQUIRE(!mkdir("/tmp/pins", 0755));
	listed("check dump", list_dump, simple);
	listed("check restore", list_restore, simple);
}

int main(void)
{
	each_call_start();
	/* what the machine has takes long to walk to */
	umount2("/sys", MNT_DETACH);
	make_host();
	pid = make_container(build);
	TAP_RUN(by_statmount);
	TAP_RUN(by_mountinfo);
	TAP_RUN(of_a_container);
	TAP_RUN(of_one_that_only_a_file_keeps);
	TAP_RUN(lists);
	end(pid);
	return tap_done();
}
