// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Automounts: neither a dump, nor a restore, nor what compares the two makes
 * the kernel ask the automounter for anything, and so none of them waits for one.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>

#include "helper.h"

/* --- a namespace with automounts ---------------------------------------------- */

/* Where the kernel would ask; nobody ever answers. */
static int ask[2];

/*
 * Whoever mounts is the automounter, and only that process group passes.  There
 * is none afterwards: all that happens here happens to others.
 */
static void automount(const char *path, const char *kind)
{
	char options[128];

	snprintf(options, sizeof(options),
		 "fd=%d,pgrp=%d,minproto=5,maxproto=5,%s", ask[1], (int)getpid(),
		 kind);
	w_mkdir(path);
	if (mount("automounter", path, "autofs", 0, options))
		err(1, "autofs on %s", path);
}

static void automounts(void)
{
	if (setpgid(0, 0))
		err(1, "setpgid");
	world_new_root();
	w_mkdir("/ev");
	/* one that has not been asked for, */
	automount("/direct", "direct");
	/* one that has, and what is mounted there then, */
	automount("/there", "direct");
	w_mount("there", "/there", "tmpfs", 0);
	w_mkdir("/there/in");
	w_tmpfs("deeper", "/there/in");
	/* one of each kind of key in a directory of them */
	automount("/keys", "indirect");
	w_mkdir("/keys/idle");
	w_mkdir("/keys/used");
	w_mount("used", "/keys/used", "tmpfs", 0);
	/* seen at another place as well, and shared */
	w_mkdir("/again");
	w_bind("/direct", "/again");
	w_mkdir("/keys2");
	w_rbind("/keys", "/keys2");
	w_type("/direct", MS_SHARED);
	w_type("/there", MS_SHARED);
	w_type("/keys/used", MS_SHARED);
}

struct autos {
	struct world w;
	struct mntcr_source src[1];
	struct mntcr_topology *t;
	struct mntcr_restore_options o;
	struct mntcr_error e;
};

/* Nothing was asked; what is still waiting for an answer would have asked. */
static void check_silent(const char *after)
{
	char buf[512];
	ssize_t n = read(ask[0], buf, sizeof(buf));

	if (n >= 0 || errno != EAGAIN) {
		TAP_SAY("%s: the automounter was asked for something", after);
		tap.bad = 1;
	}
}

static struct mntcr_topology *capture(const struct mntcr_source *src)
{
	struct mntcr_topology *t = helper_capture(src);

	check_silent("dump");
	return t;
}

static void begin(struct autos *a)
{
	memset(a, 0, sizeof(*a));
	a->o.size = sizeof(a->o);
	need_api();
	if (pipe2(ask, O_CLOEXEC | O_NONBLOCK))
		err(1, "pipe");
	world_add(&a->w, -1, automounts);
	close(ask[1]);
	check_silent("building");
	a->src[0] = (struct mntcr_source){ .type = MNTCR_SOURCE_FD,
					   .fd = a->w.ns[0] };
	a->t = capture(a->src);
	a->o.api = api;
}

static void finish(struct autos *a)
{
	mntcr_topology_free(a->t);
	world_close(&a->w);
	close(ask[0]);
}

static uint32_t count_type(const struct mntcr_topology *t, const char *type)
{
	uint32_t m, n = 0;

	for (m = 0; m < t->nr_mounts; m++)
		n += !strcmp(t->sbs[t->mounts[m].sb].type, type);
	return n;
}

/* --- tests ---------------------------------------------------------------------- */

static int do_touch(void *arg)
{
	int fd = open(arg, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? errno : 0;
}

/* Who looks into one asks, once: else silence would prove nothing. */
static void asked(const char *path, const struct autos *a)
{
	struct pollfd p = { .fd = ask[0], .events = POLLIN };
	char buf[512];
	pid_t pid;

	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (setns(a->w.ns[0], CLONE_NEWNS))
			_exit(1);
		_exit(do_touch((void *)path));
	}
	REQUIRE(pid > 0);
	CHECK_EQ(poll(&p, 1, 10000), 1);
	CHECK(read(ask[0], buf, sizeof(buf)) > 0);
	kill(pid, SIGKILL);
	CHECK_EQ(wd_wait_for(pid), -1);
}

static void what_asks(void)
{
	struct autos a;

	begin(&a);
	asked("/direct", &a);
	asked("/keys/idle", &a);
	CHECK_EQ(world_in(a.w.ns[0], do_touch, (void *)"/there/in"), 0);
	CHECK_EQ(world_in(a.w.ns[0], do_touch, (void *)"/keys/used"), 0);
	check_silent("what is mounted already");
	finish(&a);
}

static void both_methods_see_them(void)
{
	struct mntcr_verify_options vo = {
		.size = sizeof(vo),
		.report = say, .max_reports = 10,
					   .flags = MNTCR_VERIFY_DEVICES };
	struct mntcr_topology *other;
	struct autos a;
	size_t nr = 1;

	begin(&a);
	CHECK_EQ(count_type(a.t, "autofs"), 5);
	CHECK_EQ(count_type(a.t, "tmpfs"), 5);
	method = method == MNTCR_METHOD_STATMOUNT ? MNTCR_METHOD_MOUNTINFO :
						    MNTCR_METHOD_STATMOUNT;
	other = capture(a.src);
	method = method == MNTCR_METHOD_STATMOUNT ? MNTCR_METHOD_MOUNTINFO :
						    MNTCR_METHOD_STATMOUNT;
	vo.flags |= MNTCR_VERIFY_IGNORE_LOCKS;
	REQUIRE(!mntcr_verify(a.t, other, &vo, &nr, &a.e));
	CHECK_EQ(nr, 0);
	mntcr_topology_free(other);
	finish(&a);
}

static void restored_from_live(void)
{
	struct mntcr_capture_options co = {
		.size = sizeof(co), .method = method,
	};
	struct mntcr_verify_options vo = {
		.size = sizeof(vo),
		.report = say, .max_reports = 10, .capture = &co,
		.flags = MNTCR_VERIFY_DEVICES,
	};
	struct mntcr_source made = { .type = MNTCR_SOURCE_FD };
	struct mntcr_restored *r = NULL;
	struct mntcr_topology *got;
	struct autos a;
	size_t nr = 1, events = 0;
	int ret;

	begin(&a);
	a.o.sources = a.src;
	a.o.nr_sources = 1;
	ret = mntcr_restore(a.t, &a.o, &r, &a.e);
	check_silent("restore");
	if (api == MNTCR_API_EXTENDED && method == MNTCR_METHOD_MOUNTINFO) {
		CHECK_EQ(ret, -1);
		CHECK_STR(a.e.rule, "no-unique-ids");
		finish(&a);
		return;
	}
	if (ret)
		TAP_SAY("restore: %s [%s]", a.e.text, a.e.rule);
	REQUIRE(!ret);
	made.fd = mntcr_restored_ns_fd(r, 0);
	got = capture(&made);
	REQUIRE(!mntcr_verify(a.t, got, &vo, &nr, &a.e));
	CHECK_EQ(nr, 0);
	mntcr_topology_free(got);
	ret = mntcr_verify_events(a.src, 1, &made, 1, &vo, &events, &nr, &a.e);
	check_silent("verify --events");
	if (ret)
		TAP_SAY("events: %s [%s]", a.e.text, a.e.rule);
	REQUIRE(!ret);
	CHECK_EQ(nr, 0);
	/* the root, the others where they are not covered */
	TAP_SAY("%zu events", events);
	CHECK(events >= 5);
	mntcr_restored_free(r);
	check_silent("undo");
	finish(&a);
}

/* A fresh one would have no automounter. */
static void none_is_made_fresh(void)
{
	struct mntcr_restored *r = NULL;
	struct autos a;

	begin(&a);
	a.o.prefer_fresh = true;
	CHECK_EQ(mntcr_restore(a.t, &a.o, &r, &a.e), -1);
	CHECK_EQ(a.e.code, MNTCR_REFUSED);
	CHECK_STR(a.e.rule, "no-source");
	CHECK(strstr(a.e.text, "autofs cannot be made fresh"));
	check_silent("refusal");
	finish(&a);
}

static const struct helper_test tests[] = {
	{ "what-asks", what_asks },
	{ "both-methods-see-them", both_methods_see_them },
	{ "restored-from-live", restored_from_live },
	{ "none-is-made-fresh", none_is_made_fresh },
};

int main(int argc, char **argv)
{
	return helper_run(tests, sizeof(tests) / sizeof(tests[0]), argv);
}
