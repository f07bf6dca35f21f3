// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A restore in stages: what is given late waits, and comes where it belongs, in
 * whatever order; whatever fails or is given up leaves nothing.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include "mntcr-stages.h"
#include "base/base.h"
#include "topology/topology.h"
#include "inner.h"
#include "late-owner.h"
#include "staged.h"
#include "tap.h"

/* Whose init the proc that was mount id shows. */
static ino_t shown_by(const struct mntcr_restored *r, uint64_t id)
{
	int fd = openat(mntcr_restored_mount_fd(r, 0, id), "1/ns/pid",
			O_RDONLY | O_CLOEXEC);
	ino_t ino = staged_ino(fd);

	mc_close(fd);
	return ino;
}

/* Of those that wait, which are younger than the order has them? */
static void same(const struct mntcr_topology *t, const struct mntcr_restored *r)
{
	static const uint64_t top = MOUNT_OF_PID(0);
	struct mntcr_verify_options o = {
		.size = sizeof(o), .report = staged_say, .flags = MNTCR_VERIFY_ORDER,
		.delayed = &top, .nr_delayed = 1,
	};
	struct mntcr_source src = {
		.type = MNTCR_SOURCE_FD, .fd = mntcr_restored_ns_fd(r, 0),
	};
	struct mntcr_topology *back = NULL;
	struct mntcr_error e = { 0 };
	size_t nr;

	REQUIRE(!mntcr_capture(&src, 1, NULL, &back, &e));
	REQUIRE(!mntcr_verify(t, back, &o, &nr, &e));
	CHECK_EQ(nr, 0);
	o.nr_delayed = 0;
	o.report = NULL;
	REQUIRE(!mntcr_verify(t, back, &o, &nr, &e));
	CHECK(nr > 0);
	mntcr_topology_free(back);
}

/*
 * Which of three that are nested are in place when those in given are: all up to the
 * first that is not.
 */
static size_t in_place(unsigned int given)
{
	size_t n = 0;

	while (n < 3 && given & 1U << n)
		n++;
	return n;
}

static void one_order(const int *order)
{
	struct staged x = staged_new(nested());
	struct mntcr_restored *r = NULL;
	unsigned int given = 0;
	int i;

	x.o.keep_fds = true;
	staged_begin(&x);
	CHECK_EQ(mntcr_stages_nr_needs(x.s), 3);
	REQUIRE(!staged_fails(&x, mntcr_stages_place(x.s, &x.e)));
	CHECK_EQ(staged_mounts(&x), PLACED_MOUNTS);
	for (i = 0; i < 3; i++) {
		staged_give_pid(&x, order[i]);
		/* not before it is asked for */
		CHECK_EQ(staged_mounts(&x), PLACED_MOUNTS + in_place(given));
		given |= 1U << order[i];
		REQUIRE(!staged_fails(&x, mntcr_stages_delayed(x.s, &x.e)));
		CHECK_EQ(staged_mounts(&x), PLACED_MOUNTS + in_place(given) +
			 (given == 7));
	}
	REQUIRE(!staged_fails(&x, mntcr_stages_share(x.s, &x.e)));
	REQUIRE(!staged_fails(&x, mntcr_stages_end(x.s, &r, &x.e)));
	same(x.t, r);
	for (i = 0; i < 3; i++)
		CHECK_EQ(shown_by(r, MOUNT_OF_PID(i)), staged_ino(x.pid[i].fd));
	mntcr_restored_free(r);
	staged_over(&x);
}

static void each_order_of_giving(void)
{
	static const int orders[6][3] = {
		{ 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
		{ 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 },
	};
	size_t i;

	need_stages();
	for (i = 0; i < 6; i++)
		one_order(orders[i]);
}

/* Before anything is placed: then it does not wait. */
static void given_at_once(void)
{
	struct mntcr_restored *r = NULL;
	struct staged x;
	int i;

	need_stages();
	x = staged_new(nested());
	staged_begin(&x);
	for (i = 0; i < 3; i++)
		staged_give_pid(&x, i);
	REQUIRE(!staged_fails(&x, mntcr_stages_place(x.s, &x.e)));
	CHECK_EQ(staged_mounts(&x), PLACED_MOUNTS + 4);
	REQUIRE(!staged_fails(&x, mntcr_stages_share(x.s, &x.e)));
	REQUIRE(!staged_fails(&x, mntcr_stages_end(x.s, &r, &x.e)));
	same(x.t, r);
	mntcr_restored_free(r);
	staged_over(&x);
}

/* Everything up to the nth call; then it is given up. */
static void give_up(int calls)
{
	struct staged x = staged_new(nested());
	int i;

	staged_begin(&x);
	if (calls-- > 0)
		REQUIRE(!staged_fails(&x, mntcr_stages_place(x.s, &x.e)));
	for (i = 0; i < 3; i++) {
		if (calls-- > 0)
			staged_give_pid(&x, i);
		if (calls-- > 0)
			REQUIRE(!staged_fails(&x, mntcr_stages_delayed(x.s, &x.e)));
	}
	if (calls-- > 0)
		REQUIRE(!staged_fails(&x, mntcr_stages_share(x.s, &x.e)));
	CHECK(calls <= 0);
	staged_over(&x);
}

static void given_up_at_each_stage(void)
{
	int i;

	need_stages();
	for (i = 0; i <= 8; i++)
		give_up(i);
}

static void complains(struct staged *x, int ret, const char *words)
{
	CHECK_EQ(ret, -1);
	CHECK_EQ(x->e.code, MNTCR_USAGE);
	if (!strstr(x->e.text, words)) {
		TAP_SAY("\"%s\" lacks \"%s\"", x->e.text, words);
		tap.bad = 1;
	}
	/* all is gone already */
	CHECK_EQ(mntcr_stages_nr_ns(x->s), 0);
	CHECK_EQ(mntcr_stages_place(x->s, &x->e), -1);
	staged_over(x);
}

static void what_is_wrong(void)
{
	struct mntcr_given what = { .kind = MNTCR_GIVEN_PID, .id = PID_INO(0) };
	struct mntcr_restored *r;
	struct staged x;
	int fd;

	need_stages();
	x = staged_new(nested());
	staged_begin(&x);
	complains(&x, mntcr_stages_delayed(x.s, &x.e), "nothing has been placed yet");
	x = staged_new(nested());
	staged_begin(&x);
	complains(&x, mntcr_stages_end(x.s, &r, &x.e), "nothing has been placed yet");
	x = staged_new(nested());
	staged_placed(&x);
	complains(&x, mntcr_stages_place(x.s, &x.e), "mounts are placed");
	x = staged_new(nested());
	staged_placed(&x);
	complains(&x, mntcr_stages_share(x.s, &x.e), "waits for pid 5000");
	x = staged_new(nested());
	staged_placed(&x);
	what.id = 4711;
	complains(&x, mntcr_stages_give(x.s, &what, x.pid[0].fd, &x.e),
		  "give pid 4711: nothing waits for it");
	what.id = PID_INO(0);
	x = staged_new(nested());
	staged_placed(&x);
	staged_give_pid(&x, 0);
	complains(&x, mntcr_stages_give(x.s, &what, x.pid[0].fd, &x.e),
		  "give pid 5000: it has been given already");
	fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	REQUIRE(fd >= 0);
	x = staged_new(nested());
	staged_placed(&x);
	complains(&x, mntcr_stages_give(x.s, &what, fd, &x.e),
		  "a namespace's of another kind");
	close(fd);
	fd = open("/tmp", O_RDONLY | O_CLOEXEC);
	x = staged_new(nested());
	staged_placed(&x);
	complains(&x, mntcr_stages_give(x.s, &what, fd, &x.e), "no namespace's file");
	close(fd);
}

/* What was chosen to be given, and what nobody needs. */
static void chosen(void)
{
	struct mntcr_given give = { .kind = MNTCR_GIVEN_PID, .id = PID_INO(1) };
	struct mntcr_topology *t;
	struct staged x;

	need_stages();
	t = nested();
	t->sbs[2].pidns_depth = 1;
	x = staged_new(t);
	staged_begin(&x);
	CHECK_EQ(mntcr_stages_nr_needs(x.s), 2);
	staged_over(&x);
	t = nested();
	t->sbs[2].pidns_depth = 1;
	x = staged_new(t);
	x.so.give = &give;
	x.so.nr_give = 1;
	staged_begin(&x);
	CHECK_EQ(mntcr_stages_nr_needs(x.s), 3);
	staged_over(&x);
	give.id = 1;
	x = staged_new(nested());
	x.so.give = &give;
	x.so.nr_give = 1;
	CHECK_EQ(mntcr_stages_begin(x.t, &x.o, &x.so, &x.s, &x.e), -1);
	CHECK_EQ(x.e.code, MNTCR_USAGE);
	CHECK(strstr(x.e.text, "give pid:1: no mount of the image waits"));
	staged_over(&x);
}

/* --- an owner that is given late ---------------------------------------------------- */

static const struct mntcr_given late_owner = { MNTCR_GIVEN_USER, 6000 };

static void an_owner_in(bool pid_first, bool at_once)
{
	struct staged x = staged_new(owned());
	struct mntcr_restored *r = NULL;
	struct holder h;
	int user = userns_with("0 1000 10", &h), is;

	x.so.give = &late_owner;
	x.so.nr_give = 1;
	x.o.keep_fds = true;
	x.fds += 2;	/* h's, user */
	staged_begin(&x);
	CHECK_EQ(mntcr_stages_nr_needs(x.s), 2);
	if (at_once)
		REQUIRE(!staged_fails(&x, mntcr_stages_give(x.s, &late_owner, user, &x.e)));
	REQUIRE(!staged_fails(&x, mntcr_stages_place(x.s, &x.e)));
	CHECK(mntcr_stages_ns_fd(x.s, 0) >= 0);
	CHECK_EQ(mntcr_stages_ns_fd(x.s, 1) >= 0, at_once);
	CHECK_EQ(staged_mounts(&x), at_once ? 2 : 1);
	if (pid_first)
		staged_give_pid(&x, 0);
	REQUIRE(!staged_fails(&x, mntcr_stages_delayed(x.s, &x.e)));
	if (!at_once)
		REQUIRE(!staged_fails(&x, mntcr_stages_give(x.s, &late_owner, user, &x.e)));
	REQUIRE(!staged_fails(&x, mntcr_stages_delayed(x.s, &x.e)));
	if (!pid_first)
		staged_give_pid(&x, 0);
	REQUIRE(!staged_fails(&x, mntcr_stages_delayed(x.s, &x.e)));
	CHECK_EQ(staged_mounts(&x), 2);
	REQUIRE(mntcr_stages_ns_fd(x.s, 1) >= 0);
	is = ioctl(mntcr_stages_ns_fd(x.s, 1), MC_NS_GET_USERNS);
	CHECK_EQ(staged_ino(is), staged_ino(user));
	close(is);
	REQUIRE(!staged_fails(&x, mntcr_stages_share(x.s, &x.e)));
	REQUIRE(!staged_fails(&x, mntcr_stages_end(x.s, &r, &x.e)));
	CHECK_EQ(staged_ino(mntcr_restored_mount_fd(r, 0, 101)),
		 staged_ino(mntcr_restored_ns_fd(r, 1)));
	is = openat(mntcr_restored_mount_fd(r, 1, 112), "1/ns/pid", O_RDONLY | O_CLOEXEC);
	CHECK_EQ(staged_ino(is), staged_ino(x.pid[0].fd));
	close(is);
	CHECK(mntcr_restored_mount_fd(r, 1, 113) >= 0);
	mntcr_restored_free(r);
	scene_release(&h);
	close(user);
	x.fds -= 2;
	staged_over(&x);
}

static void an_owner_late(void)
{
	need_stages();
	an_owner_in(false, false);
	an_owner_in(true, false);
	an_owner_in(false, true);
	an_owner_in(true, true);
}

static void another_owner(const char *ids, const char *words, bool own)
{
	struct staged x = staged_new(owned());
	struct holder h;
	int user = userns_with(ids, &h);

	if (own) {
		close(user);
		user = open("/proc/self/ns/user", O_RDONLY | O_CLOEXEC);
	}
	x.so.give = &late_owner;
	x.so.nr_give = 1;
	staged_placed(&x);
	CHECK_EQ(mntcr_stages_give(x.s, &late_owner, user, &x.e), -1);
	CHECK_EQ(x.e.code, MNTCR_REFUSED);
	CHECK_STR(x.e.rule, own ? "given-owner-parent" : "given-owner-maps");
	if (!strstr(x.e.text, words))
		CHECK_STR(x.e.text, words);
	close(user);
	scene_release(&h);
	staged_over(&x);
}

/* What is given belongs to the caller's, and in the image to the one that comes late. */
static void a_namespace_of_another(bool pid_first)
{
	const struct mntcr_given pid = { MNTCR_GIVEN_PID, PID_INO(0) };
	struct staged x = staged_new(owned());
	struct holder h;
	int user = userns_with("0 1000 10", &h);

	x.t->sbs[x.t->mounts[4].sb].userns = 1;
	x.so.give = &late_owner;
	x.so.nr_give = 1;
	staged_placed(&x);
	if (pid_first) {
		staged_give_pid(&x, 0);
		CHECK_EQ(mntcr_stages_give(x.s, &late_owner, user, &x.e), -1);
	} else {
		REQUIRE(!staged_fails(&x, mntcr_stages_give(x.s, &late_owner, user, &x.e)));
		CHECK_EQ(mntcr_stages_give(x.s, &pid, x.pid[0].fd, &x.e), -1);
	}
	CHECK_EQ(x.e.code, MNTCR_REFUSED);
	CHECK_STR(x.e.rule, "given-namespace-owner");
	close(user);
	scene_release(&h);
	staged_over(&x);
}

static void others_late(void)
{
	need_stages();
	a_namespace_of_another(false);
	a_namespace_of_another(true);
	another_owner("0 1000 11", "give user 6000: it is one whose maps are others", false);
	another_owner("0 2000 10", "by --owner", false);
	another_owner("0 1000 10", "out of the caller's reach", true);
}

/* Whoever restores in one go is told. */
static void refused_in_one_go(void)
{
	struct mntcr_restored *r = NULL;
	struct staged x;

	need_stages();
	x = staged_new(nested());
	CHECK_EQ(mntcr_restore(x.t, &x.o, &r, &x.e), -1);
	CHECK_EQ(x.e.code, MNTCR_REFUSED);
	CHECK_STR(x.e.rule, "callers-namespace");
	staged_over(&x);
	x = staged_new(nested());
	x.o.api = MNTCR_API_UPSTREAM;
	CHECK_EQ(mntcr_stages_begin(x.t, &x.o, &x.so, &x.s, &x.e), -1);
	CHECK_EQ(x.e.code, MNTCR_REFUSED);
	CHECK_STR(x.e.rule, "callers-namespace");
	staged_over(&x);
}

/* --- stock calls -------------------------------------------------------------------- */

/* A root, a shared mount and a slave of it with one on top. */
static int do_stock(void *data)
{
	if (mount("root", SCENE_DIR, "tmpfs", 0, "size=64k") || chdir(SCENE_DIR) ||
	    mkdir("old", 0700) || mkdir("a", 0755) || mkdir("b", 0755) ||
	    mount("shared", "a", "tmpfs", 0, NULL) || mkdir("a/c", 0755) ||
	    mount("none", "a", NULL, MS_SHARED, NULL) ||
	    mount("a", "b", NULL, MS_BIND, NULL) ||
	    mount("none", "b", NULL, MS_SLAVE, NULL) ||
	    mount("a", "b/c", NULL, MS_BIND, NULL) ||
	    syscall(SYS_pivot_root, ".", "old") || umount2("/old", MNT_DETACH))
		return errno;
	return 0;
}

/* All that needs nobody between the stages; what does is refused by its own rule. */
static void with_stock_calls(void)
{
	const struct mntcr_given give = { MNTCR_GIVEN_PID, PID_INO(0) };
	struct mntcr_verify_options v = { .size = sizeof(v), .report = staged_say };
	struct mntcr_restored *r = NULL;
	struct mntcr_topology *t = NULL, *back = NULL;
	struct mntcr_source src = { .type = MNTCR_SOURCE_FD };
	struct mntcr_error e = { 0 };
	struct holder h;
	struct staged x;
	size_t nr = 1;

	scene_enter();
	h = scene_hold(CLONE_NEWNS, do_stock, NULL);
	src.fd = h.ns;
	REQUIRE(!mntcr_capture(&src, 1, NULL, &t, &e));
	x = staged_new(t);
	x.namespaces = staged_namespaces();
	x.o.api = MNTCR_API_UPSTREAM;
	x.o.sources = &src;
	x.o.nr_sources = 1;
	staged_placed(&x);
	CHECK_EQ(mntcr_stages_nr_needs(x.s), 0);
	CHECK_EQ(staged_mounts(&x), 4);
	REQUIRE(!staged_fails(&x, mntcr_stages_delayed(x.s, &x.e)));
	REQUIRE(!staged_fails(&x, mntcr_stages_share(x.s, &x.e)));
	REQUIRE(!staged_fails(&x, mntcr_stages_end(x.s, &r, &x.e)));
	src.fd = mntcr_restored_ns_fd(r, 0);
	REQUIRE(!mntcr_capture(&src, 1, NULL, &back, &e));
	REQUIRE(!mntcr_verify(t, back, &v, &nr, &e));
	CHECK_EQ(nr, 0);
	mntcr_topology_free(back);
	mntcr_restored_free(r);
	/* given up when it is placed */
	src.fd = h.ns;
	mntcr_stages_free(x.s);
	x.s = NULL;
	staged_placed(&x);
	mntcr_stages_free(x.s);
	x.s = NULL;
	x.so.give = &give;
	x.so.nr_give = 1;
	CHECK_EQ(mntcr_stages_begin(x.t, &x.o, &x.so, &x.s, &x.e), -1);
	CHECK_EQ(x.e.code, MNTCR_USAGE);
	CHECK(strstr(x.e.text, "nothing can be waited for with the upstream calls"));
	staged_over(&x);
	x = staged_new(nested());
	x.namespaces = staged_namespaces();
	x.o.api = MNTCR_API_UPSTREAM;
	CHECK_EQ(mntcr_stages_begin(x.t, &x.o, &x.so, &x.s, &x.e), -1);
	CHECK_EQ(x.e.code, MNTCR_REFUSED);
	CHECK_STR(x.e.rule, "callers-namespace");
	staged_over(&x);
	scene_release(&h);
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	world_start();
	TAP_RUN(an_owner_late);
	TAP_RUN(others_late);
	TAP_RUN(each_order_of_giving);
	TAP_RUN(given_at_once);
	TAP_RUN(given_up_at_each_stage);
	TAP_RUN(what_is_wrong);
	TAP_RUN(chosen);
	TAP_RUN(refused_in_one_go);
	/* which leaves it in a namespace of its own */
	TAP_RUN(with_stock_calls);
	return tap_done();
}
