// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Binds from and into other namespaces, with both APIs.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include "mntcr-restore.h"
#include "base/base.h"
#include "extended.h"
#include "tap.h"
#include "world.h"

static enum mntcr_api api;

static void tree(void)
{
	world_new_root();
	w_mkdir("/dir/sub");
	w_mkdir("/empty");
	w_touch("/file");
	w_tmpfs("one", "/a");
	w_mkdir("/a/in/deep");
	w_tmpfs("below", "/a/in");
	w_touch("/a/in/here");
	if (symlink("/a", "/link") || symlink("../../../../../../a", "/dir/up"))
		err(1, "symlink");
}

static void shared(void)
{
	tree();
	w_type("/a", MS_SHARED);
}

static struct mntcr_place at(const struct world *w, int ns, const char *path)
{
	struct mntcr_place p = {
		.size = sizeof(p),
		.ns = { .type = MNTCR_SOURCE_FD, .fd = w->ns[ns] }, .path = path,
	};

	return p;
}

static int do_bind(struct mntcr_place src, struct mntcr_place dst,
		   struct mntcr_bind_options *o, struct mntcr_error *e)
{
	static struct mntcr_bind_options none;

	if (!o) {
		none = (struct mntcr_bind_options){ .size = sizeof(none) };
		o = &none;
	}
	o->api = api;
	memset(e, 0, sizeof(*e));
	if (api == MNTCR_API_EXTENDED && !has_extended())
		SKIP("this kernel has no foreign clones");
	return mntcr_bind(&src, &dst, o, e);
}

#define BIND_OK(...)	do {						\
	struct mntcr_error e_;						\
	if (do_bind(__VA_ARGS__, &e_)) {				\
		TAP_SAY("%s", e_.text);					\
		tap.bad = 1;						\
	}								\
} while (0)

static bool has(const struct world *w, int ns, const char *what)
{
	char *text = world_text(&w->ns[ns], 1);
	bool found;

	REQUIRE(text);
	found = strstr(text, what);
	if (!found)
		TAP_SAY("no \"%s\" in\n%s", what, text);
	free(text);
	return found;
}

static size_t lines(const struct world *w, int ns)
{
	char *text = world_text(&w->ns[ns], 1), *p;
	size_t n = 0;

	REQUIRE(text);
	for (p = text; *p; p++)
		n += *p == '\n';
	free(text);
	return n;
}

static struct world two(void (*fn)(void))
{
	struct world w = { .nr = 0 };

	world_add(&w, -1, fn);
	world_add(&w, -1, tree);
	return w;
}

static void between_two(void)
{
	struct world w = two(tree);

	BIND_OK(at(&w, 0, "/a"), at(&w, 1, "/empty"), NULL);
	CHECK(has(&w, 1, " / /empty rw,relatime - tmpfs one"));
	CHECK_EQ(lines(&w, 1), 4);
	CHECK_EQ(lines(&w, 0), 3);
	world_close(&w);
}

static void with_what_is_below(void)
{
	struct world w = two(tree);
	struct mntcr_bind_options o = { .size = sizeof(o), .recursive = true };

	BIND_OK(at(&w, 0, "/a"), at(&w, 1, "/empty"), &o);
	CHECK(has(&w, 1, " /empty/in rw,relatime - tmpfs below"));
	world_close(&w);
}

static void into_ours_and_back(void)
{
	struct mntcr_place own = {
		.size = sizeof(own), .own_ns = true, .path = "/tmp/here",
	};
	struct world w = two(tree);
	size_t before = world_own_mounts();

	REQUIRE(!mkdir("/tmp/here", 0755) || errno == EEXIST);
	BIND_OK(at(&w, 0, "/a"), own, NULL);
	CHECK_EQ(world_own_mounts(), before + 1);
	BIND_OK(own, at(&w, 1, "/empty"), NULL);
	CHECK(has(&w, 1, " / /empty rw,relatime - tmpfs one"));
	CHECK(!umount2("/tmp/here", 0));
	world_close(&w);
}

static void attributes(void)
{
	struct mntcr_bind_options o = {
		.size = sizeof(o),
		.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID,
	};
	struct world w = two(tree);

	BIND_OK(at(&w, 0, "/a"), at(&w, 1, "/empty"), &o);
	CHECK(has(&w, 1, " / /empty ro,nosuid,relatime - tmpfs one"));
	world_close(&w);
}

static int do_mkdir_ev(void *arg)
{
	return mkdir(arg, 0755) ? errno : 0;
}

static void events_arrive(void)
{
	struct mntcr_bind_options slave = {
		.size = sizeof(slave), .propagation = MNTCR_PROPAGATION_SLAVE,
	};
	struct mntcr_bind_options keep = {
		.size = sizeof(keep), .propagation = MNTCR_PROPAGATION_KEEP,
	};
	struct world w = two(shared);

	BIND_OK(at(&w, 0, "/a"), at(&w, 1, "/empty"), &slave);
	BIND_OK(at(&w, 0, "/a"), at(&w, 1, "/dir"), &keep);
	REQUIRE(!world_in(w.ns[0], do_mkdir_ev, (void *)"/a/ev"));
	CHECK_EQ(world_event(w.ns[0], "/a", true), 0);
	CHECK(has(&w, 1, " /empty/ev "));
	CHECK(has(&w, 1, " /dir/ev "));
	CHECK_EQ(world_event(w.ns[0], "/a", false), 0);
	/* the slave does not send, the peer does */
	CHECK_EQ(world_event(w.ns[1], "/empty", true), 0);
	CHECK_EQ(lines(&w, 0), 3);
	CHECK_EQ(world_event(w.ns[1], "/dir", true), 0);
	CHECK(has(&w, 0, " /a/ev "));
	world_close(&w);
}

static void shared_deep(void)
{
	shared();
	w_type("/a/in", MS_SHARED);
}

/* Whatever the source is: it neither sends nor receives. */
static void a_group_of_its_own(void)
{
	struct mntcr_bind_options o = {
		.size = sizeof(o),
		.propagation = MNTCR_PROPAGATION_SHARED, .recursive = true,
	};
	struct world w = two(shared_deep);

	BIND_OK(at(&w, 0, "/a"), at(&w, 1, "/empty"), &o);
	CHECK(has(&w, 1, " / /empty rw,relatime shared:1 - tmpfs one"));
	CHECK(has(&w, 1, " / /empty/in rw,relatime shared:2 - tmpfs below"));
	REQUIRE(!world_in(w.ns[0], do_mkdir_ev, (void *)"/a/ev"));
	REQUIRE(!world_in(w.ns[0], do_mkdir_ev, (void *)"/a/in/ev"));
	CHECK_EQ(world_event(w.ns[0], "/a", true), 0);
	CHECK_EQ(world_event(w.ns[0], "/a/in", true), 0);
	CHECK_EQ(lines(&w, 1), 5);
	CHECK_EQ(world_event(w.ns[1], "/empty", true), 0);
	CHECK_EQ(world_event(w.ns[1], "/empty/in", true), 0);
	CHECK_EQ(lines(&w, 0), 5);
	world_close(&w);
}

static void symlinks_stay_inside(void)
{
	struct world w = two(tree);

	BIND_OK(at(&w, 0, "/link"), at(&w, 1, "/empty"), NULL);
	BIND_OK(at(&w, 0, "/dir/up"), at(&w, 1, "/dir"), NULL);
	CHECK(has(&w, 1, " / /empty rw,relatime - tmpfs one"));
	CHECK(has(&w, 1, " / /dir rw,relatime - tmpfs one"));
	world_close(&w);
}

static void files(void)
{
	struct world w = two(tree);

	BIND_OK(at(&w, 0, "/a/in/here"), at(&w, 1, "/file"), NULL);
	CHECK(has(&w, 1, " /here /file rw,relatime - tmpfs below"));
	world_close(&w);
}

static void errors(void)
{
	struct world w = two(tree);
	struct mntcr_error e;
	size_t fds = world_own_fds();
	struct mntcr_place gone = {
		.size = sizeof(gone),
		.ns = { .type = MNTCR_SOURCE_PID, .pid = 0x7ffffff0 }, .path = "/",
	};

	CHECK_EQ(do_bind(at(&w, 0, "/none"), at(&w, 1, "/empty"), NULL, &e), -1);
	CHECK_EQ(e.err, ENOENT);
	CHECK(strstr(e.text, "source /none"));
	CHECK_EQ(do_bind(at(&w, 0, "/a"), at(&w, 1, "/none"), NULL, &e), -1);
	CHECK_EQ(e.err, ENOENT);
	CHECK(strstr(e.text, "destination /none"));
	CHECK_EQ(do_bind(at(&w, 0, "/a"), at(&w, 1, "/file"), NULL, &e), -1);
	CHECK(e.err == ENOTDIR || e.err == EINVAL);
	CHECK_EQ(do_bind(gone, at(&w, 1, "/empty"), NULL, &e), -1);
	CHECK_EQ(e.err, ESRCH);
	CHECK_EQ(lines(&w, 1), 3);
	CHECK_EQ(world_own_fds(), fds);
	world_close(&w);
}

static void unbindable(void)
{
	tree();
	w_type("/a", MS_UNBINDABLE);
}

static void unbindable_is_refused(void)
{
	struct world w = two(unbindable);
	struct mntcr_error e;

	CHECK_EQ(do_bind(at(&w, 0, "/a"), at(&w, 1, "/empty"), NULL, &e), -1);
	CHECK_EQ(e.err, EINVAL);
	CHECK(strstr(e.text, "unbindable"));
	CHECK_EQ(lines(&w, 1), 3);
	world_close(&w);
}

static void unbindable_root(void)
{
	tree();
	w_type("/", MS_UNBINDABLE);
}

/* No path is the root, in messages too. */
static void no_path_is_the_root(void)
{
	struct world w = two(unbindable_root);
	struct mntcr_error e;

	CHECK_EQ(do_bind(at(&w, 0, NULL), at(&w, 1, "/empty"), NULL, &e), -1);
	CHECK_EQ(e.err, EINVAL);
	CHECK(strstr(e.text, "source /: "));
	BIND_OK(at(&w, 1, NULL), at(&w, 1, "/empty"), NULL);
	CHECK(has(&w, 1, " / /empty rw,relatime - tmpfs root"));
	world_close(&w);
}

static void asked_for_by_name_it_must_be_there(void)
{
	struct mntcr_bind_options o = {
		.size = sizeof(o), .api = MNTCR_API_EXTENDED,
	};
	struct mntcr_place from = {
		.size = sizeof(from), .own_ns = true, .path = "/",
	};
	struct mntcr_place to = {
		.size = sizeof(to), .own_ns = true, .path = "/tmp/none",
	};
	struct mntcr_error e;
	bool extended = has_extended();

	CHECK_EQ(mntcr_bind(&from, &to, &o, &e), -1);
	CHECK_EQ(e.code, extended ? MNTCR_SYS : MNTCR_UNSUPPORTED);
}

static int do_mnt_id(void *arg)
{
	struct statx st;
	int fd = *(int *)arg;

	if (statx(AT_FDCWD, "/a", 0, STATX_MNT_ID_UNIQUE, &st) ||
	    !(st.stx_mask & STATX_MNT_ID_UNIQUE))
		return 1;
	return write(fd, &st.stx_mnt_id, sizeof(st.stx_mnt_id)) !=
	       sizeof(st.stx_mnt_id);
}

static int do_cover(void *arg)
{
	w_tmpfs("cover", "/a");
	return 0;
}

static void by_id_below_a_cover(void)
{
	struct world w = two(tree);
	struct mntcr_place src = at(&w, 0, "/");
	struct mntcr_error e;
	int p[2], ret;

	REQUIRE(!pipe(p));
	/* no unique ids before Linux 6.8: any will do, to be refused */
	if (world_in(w.ns[0], do_mnt_id, &p[1]))
		src.mnt_id = 1;
	else
		REQUIRE(read(p[0], &src.mnt_id, sizeof(src.mnt_id)) ==
			sizeof(src.mnt_id));
	close(p[0]);
	close(p[1]);
	REQUIRE(!world_in(w.ns[0], do_cover, NULL));
	ret = do_bind(src, at(&w, 1, "/empty"), NULL, &e);
	if (api == MNTCR_API_UPSTREAM) {
		CHECK_EQ(ret, -1);
		CHECK_EQ(e.code, MNTCR_UNSUPPORTED);
	} else {
		CHECK_EQ(ret, 0);
		CHECK(has(&w, 1, " / /empty rw,relatime - tmpfs one"));
		src.mnt_id = 0x7fffffffffff;
		CHECK_EQ(do_bind(src, at(&w, 1, "/empty"), NULL, &e), -1);
		CHECK_EQ(e.err, ENOENT);
	}
	world_close(&w);
}

static void nothing(void)
{
}

static int do_make_writable(void *arg)
{
	return mount(NULL, arg, NULL, MS_REMOUNT | MS_BIND, NULL) ? errno : 0;
}

/* A less privileged owner cannot undo it, unless it is left to that owner. */
static void for_a_less_privileged_owner(void)
{
	struct mntcr_bind_options o = {
		.size = sizeof(o), .attr_set = MOUNT_ATTR_RDONLY,
	};
	struct world w = { .nr = 0 };
	struct mntcr_error e;
	size_t before;
	int ret;

	world_add(&w, -1, tree);
	world_add_flags(&w, 0, nothing, CLONE_NEWUSER);
	before = lines(&w, 1);
	ret = do_bind(at(&w, 0, "/a"), at(&w, 1, "/empty"), &o, &e);
	if (api == MNTCR_API_UPSTREAM) {
		CHECK_EQ(ret, -1);
		CHECK_EQ(e.code, MNTCR_UNSUPPORTED);
		CHECK(strstr(e.text, "--unlocked"));
		CHECK_EQ(lines(&w, 1), before);
	} else {
		CHECK_EQ(ret, 0);
		CHECK_EQ(world_in(w.ns[1], do_make_writable, "/empty"), EPERM);
		CHECK(has(&w, 1, " / /empty ro,relatime - tmpfs one"));
	}
	o.unlocked = true;
	BIND_OK(at(&w, 0, "/a"), at(&w, 1, "/dir"), &o);
	CHECK_EQ(world_in(w.ns[1], do_make_writable, "/dir"), 0);
	CHECK(has(&w, 1, " / /dir rw,relatime - tmpfs one"));
	/* one's own is not locked */
	o.unlocked = false;
	BIND_OK(at(&w, 0, "/a"), at(&w, 0, "/empty"), &o);
	CHECK_EQ(world_in(w.ns[0], do_make_writable, "/empty"), 0);
	world_close(&w);
}

static const struct {
	const char *name;
	void (*fn)(void);
} tests[] = {
	{ "between-two", between_two },
	{ "with-what-is-below", with_what_is_below },
	{ "into-ours-and-back", into_ours_and_back },
	{ "attributes", attributes },
	{ "events-arrive", events_arrive },
	{ "a-group-of-its-own", a_group_of_its_own },
	{ "symlinks-stay-inside", symlinks_stay_inside },
	{ "files", files },
	{ "errors", errors },
	{ "unbindable-is-refused", unbindable_is_refused },
	{ "no-path-is-the-root", no_path_is_the_root },
	{ "asked-for-by-name", asked_for_by_name_it_must_be_there },
	{ "by-id-below-a-cover", by_id_below_a_cover },
	{ "for-a-less-privileged-owner", for_a_less_privileged_owner },
};

int main(void)
{
	char name[128];
	size_t i, a;

	world_start();
	for (a = 0; a < 2; a++) {
		api = a ? MNTCR_API_EXTENDED : MNTCR_API_UPSTREAM;
		for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
			snprintf(name, sizeof(name), "%s.%s",
				 a ? "extended" : "upstream", tests[i].name);
			tap_run(name, tests[i].fn);
		}
	}
	return tap_done();
}
