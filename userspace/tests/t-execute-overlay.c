// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Overlays made anew: their strings, what these lead to, and who makes them.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include "shot.h"

static bool has_overlay(void)
{
	int fd = mc_fsopen("overlay", FSOPEN_CLOEXEC);

	mc_close(fd);
	return fd >= 0;
}

static struct shot shoot_overlay(void (*fn)(void))
{
	struct shot s;

	need_api();
	if (!has_overlay())
		SKIP("this kernel has no overlay");
	s = shoot(fn);
	s.o.prefer_fresh = true;
	return s;
}

static void overlay(const char *on, unsigned long flags, const char *options)
{
	if (mount("ov", on, "overlay", flags, options))
		err(1, "overlay on %s with %s", on, options);
}

static void put_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		err(1, "%s", path);
	close(fd);
}

static const struct mc_sb *overlay_at(const struct shot *s, const char *path)
{
	uint32_t m = mc_mount_at(s->t, 0, path);

	REQUIRE(m != MC_NONE);
	REQUIRE(!strcmp(s->t->sbs[s->t->mounts[m].sb].type, "overlay"));
	return &s->t->sbs[s->t->mounts[m].sb];
}

/* "lowerdir /l /sub/l of the superblock at /, ..." */
static void check_layer(const struct shot *s, const struct mc_sb *sb, uint32_t i,
			const char *text, const char *of, const char *path)
{
	uint32_t m = of ? mc_mount_at(s->t, 0, of) : MC_NONE;

	REQUIRE(i < sb->nr_layers);
	CHECK_STR(sb->layers[i].text, text);
	REQUIRE((m == MC_NONE) == !of);
	CHECK_EQ(sb->layers[i].sb, of ? s->t->mounts[m].sb : MC_NONE);
	if (of && sb->layers[i].path)
		CHECK_STR(sb->layers[i].path, path);
}

/* ".." of what covers a root stays there. */
static void above_the_root(void)
{
	int ns;

	world_new_root();
	w_mkdir("/l");
	w_tmpfs("cover", "/");
	ns = wd_own_ns_fd();
	if (ns < 0 || setns(ns, CLONE_NEWNS))
		err(1, "setns");
	close(ns);
	w_mkdir("/m");
	w_mkdir("/l");
	w_mkdir("/in/dir");
	w_tmpfs("in", "/in");
	w_mkdir("/in/dir");
	overlay("/m", 0, "lowerdir=/in/../../l:/../in/dir");
}

static void up_to_what_covers_a_root(void)
{
	struct shot s = shoot_overlay(above_the_root);
	const struct mc_sb *sb = overlay_at(&s, "/m");
	uint32_t m = mc_mount_at(s.t, 0, "/m"), cover = s.t->mounts[m].parent;

	REQUIRE(sb->nr_layers == 2);
	CHECK_EQ(sb->layers[0].sb, s.t->mounts[cover].sb);
	CHECK_EQ(sb->layers[1].sb, s.t->mounts[mc_mount_at(s.t, 0, "/in")].sb);
	if (sb->layers[0].path && sb->layers[1].path) {
		CHECK_STR(sb->layers[0].path, "/l");
		CHECK_STR(sb->layers[1].path, "/dir");
	}
	end(&s, NULL);
}

/* --- plain ones ----------------------------------------------------------------- */

static void layers(void)
{
	world_new_root();
	w_mkdir("/m");
	w_mkdir("/one");
	w_tmpfs("one", "/one");
	w_mkdir("/one/l1");
	w_mkdir("/one/l2");
	w_mkdir("/rw");
	w_tmpfs("two", "/rw");
	w_mkdir("/rw/d/up");
	w_mkdir("/rw/d/work");
	if (chmod("/rw/d/up", 0710) || symlink("one", "/link"))
		err(1, "layers");
}

static void plain(void)
{
	layers();
	overlay("/m", MS_NOSUID, "lowerdir=/link/l1:/one//l2,upperdir=/rw/d/up,workdir=/rw/d/work");
	/* what is there by now was not there then */
	w_tmpfs("three", "/rw/d");
}

static int do_plain(void *arg)
{
	const char *m = arg;
	char path[64];
	struct stat st;

	if (stat(m, &st) || (st.st_mode & 07777) != 0710)
		return 1;
	snprintf(path, sizeof(path), "%s/new", m);
	put_file(path, "x");
	if (umount("/rw/d") || access("/rw/d/up/new", F_OK) || umount(m))
		return 2;
	return access("/one/l1", F_OK) || access("/one/l2", F_OK) ? 3 : 0;
}

static void as_it_was(void)
{
	struct shot s = shoot_overlay(plain);
	struct mntcr_restored *r;
	const struct mc_sb *sb = overlay_at(&s, "/m");

	CHECK_EQ(sb->nr_layers, 4);
	check_layer(&s, sb, 0, "/link/l1", "/one", "/l1");
	check_layer(&s, sb, 1, "/one//l2", "/one", "/l2");
	check_layer(&s, sb, 2, "/rw/d/up", "/rw", "/d/up");
	check_layer(&s, sb, 3, "/rw/d/work", "/rw", "/d/work");
	CHECK_EQ(sb->layers[2].kind, MC_LAYER_UPPER);
	CHECK_EQ(sb->layers[3].kind, MC_LAYER_WORK);
	r = restored(&s);
	same(&s, r, MNTCR_VERIFY_ORDER);
	CHECK_EQ(world_in(mntcr_restored_ns_fd(r, 0), do_plain, "/m"), 0);
	end(&s, r);
}

/* What is below a root may be as long as that. */
static void below_roots(void)
{
	world_new_root();
	w_mkdir("/m");
	w_mkdir("/some");
	w_tmpfs("some", "/some");
	w_mkdir("/some/ab/cd");
	w_mkdir("/some/ab/l");
	w_mkdir("/ab");
	w_bind("/some/ab", "/ab");
	overlay("/m", 0, "lowerdir=/ab/cd:/ab/l");
}

static void layers_below_a_root(void)
{
	struct shot s = shoot_overlay(below_roots);
	const struct mc_sb *sb = overlay_at(&s, "/m");

	CHECK_EQ(sb->nr_layers, 2);
	check_layer(&s, sb, 0, "/ab/cd", "/some", "/ab/cd");
	check_layer(&s, sb, 1, "/ab/l", "/some", "/ab/l");
	end(&s, NULL);
}

/* Over the mount that its own strings lead through. */
static void covering(void)
{
	layers();
	overlay("/one", 0, "lowerdir=/link/l1:/one//l2,upperdir=/rw/d/up,workdir=/rw/d/work");
	w_tmpfs("three", "/rw/d");
}

static void over_its_layers(void)
{
	struct shot s = shoot_overlay(covering);
	const struct mc_sb *sb = overlay_at(&s, "/one");
	struct mntcr_restored *r;
	uint32_t m = mc_mount_at(s.t, 0, "/one");

	/* covered, and stock kernels open no mount by its id */
	if (api == MNTCR_API_UPSTREAM && sb->layers[0].sb == MC_NONE) {
		failed(&s, 0, "overlay");
		CHECK_STR(s.e.rule, "no-source");
		end(&s, NULL);
		return;
	}
	CHECK_EQ(sb->layers[0].sb, s.t->mounts[s.t->mounts[m].parent].sb);
	CHECK_STR(sb->layers[0].path, "/l1");
	CHECK_STR(sb->layers[1].path, "/l2");
	r = restored(&s);
	same(&s, r, MNTCR_VERIFY_ORDER);
	CHECK_EQ(world_in(mntcr_restored_ns_fd(r, 0), do_plain, "/one"), 0);
	end(&s, r);
}

/* --- several on one another, read-only ones, one in the other's layer ----------- */

static void stacked(void)
{
	world_new_root();
	w_mkdir("/a");
	w_mkdir("/b");
	w_mkdir("/up");
	w_mkdir("/work");
	w_mkdir("/ro");
	w_mkdir("/rw");
	overlay("/ro", 0, "lowerdir=/a:/b");
	overlay("/rw", MS_NODEV, "lowerdir=/ro,upperdir=/up,workdir=/work");
	w_mkdir("/part");
	w_bind("/rw", "/part");
}

static int do_stacked(void *arg)
{
	put_file("/part/new", "x");
	return access("/up/new", F_OK) || access("/rw/new", F_OK) ? 1 : 0;
}

static void one_on_the_other(void)
{
	struct shot s = shoot_overlay(stacked);
	struct mntcr_restored *r;

	check_layer(&s, overlay_at(&s, "/rw"), 0, "/ro", "/ro", "/");
	r = restored(&s);
	same(&s, r, MNTCR_VERIFY_ORDER);
	CHECK_EQ(world_in(mntcr_restored_ns_fd(r, 0), do_stacked, NULL), 0);
	end(&s, r);
}

/* --- strings that cannot be had together ------------------------------------------ */

static void nested(void)
{
	world_new_root();
	w_mkdir("/rw");
	w_mkdir("/m");
	w_tmpfs("rw", "/rw");
	w_mkdir("/rw/up");
	w_mkdir("/rw/work");
	overlay("/m", 0, "lowerdir=/,upperdir=/rw/up,workdir=/rw/work");
}

static size_t nr_lines;
static char last_line[600];

static void note_line(void *data, const char *line)
{
	nr_lines++;
	snprintf(last_line, sizeof(last_line), "%s", line);
}

static int do_nested(void *arg)
{
	put_file("/m/new", "x");
	return access("/rw/up/new", F_OK) || access("/m/rw", F_OK) ? 1 : 0;
}

static void by_other_strings(void)
{
	struct shot s = shoot_overlay(nested);
	struct mntcr_restored *r;

	nr_lines = 0;
	s.o.difference = note_line;
	r = restored(&s);
	CHECK_EQ(nr_lines, 1);
	CHECK(strstr(last_line, "other strings"));
	CHECK_EQ(world_in(mntcr_restored_ns_fd(r, 0), do_nested, NULL), 0);
	end(&s, r);
}

#define NR_LONG	9
static unsigned long list_flags;

/* As of an image of containers: more than fsconfig(2) takes at a time. */
static void list_with(const char *last, const char *escaped)
{
	char options[600] = "lowerdir=", path[64];
	int i;

	world_new_root();
	w_mkdir("/m");
	w_mkdir(last);
	for (i = 0; i < NR_LONG; i++) {
		snprintf(path, sizeof(path), "/var/lib/store/0123456789abcdef/%d", i);
		w_mkdir(path);
		put_file(strcat(path, "/file"), path);
		*strrchr(path, '/') = '\0';
		snprintf(options + strlen(options), sizeof(options) - strlen(options),
			 "%s%s", i ? ":" : "", path);
	}
	snprintf(options + strlen(options), sizeof(options) - strlen(options), ":%s", escaped);
	overlay("/m", list_flags, options);
}

static void long_list(void)
{
	list_with("/last", "/last");
}

/* What a mount(2) of what is shown would read as something else. */
static void escaped_list(void)
{
	list_with("/a:b", "/a\\:b");
}

/* lowerdir+: from Linux 6.8 on; before 6.5 all is taken, and refused later. */
static bool takes_one_by_one(void)
{
	int fs = mc_fsopen("overlay", FSOPEN_CLOEXEC);
	bool ok = fs >= 0 && mc_fsconfig(fs, MC_FSCONFIG_SET_STRING, "no", "/", 0) &&
		  !mc_fsconfig(fs, MC_FSCONFIG_SET_STRING, "lowerdir+", "/", 0);

	mc_close(fs);
	return ok;
}

/* What it shows has this in it, if the kernel takes layers one by one. */
static void shows(const struct mntcr_restored *r, const char *text)
{
	struct wd_text info = { 0 };

	REQUIRE(!wd_mountinfo(mntcr_restored_ns_fd(r, 0), &info));
	CHECK_EQ(strstr(info.s, text) != NULL, takes_one_by_one());
	free(info.s);
}

/* As it was, and with the superblock and the mount read-only, and not. */
static void a_long_list(void)
{
	static const unsigned long flags[] = { 0, MS_RDONLY, MS_NODEV | MS_SYNCHRONOUS };
	struct mntcr_restored *r;
	struct shot s;
	size_t i;

	for (i = 0; i < MC_ARRAY_SIZE(flags); i++) {
		list_flags = flags[i];
		s = shoot_overlay(long_list);
		nr_lines = 0;
		s.o.difference = note_line;
		r = restored(&s);
		CHECK_EQ(nr_lines, 0);
		same(&s, r, MNTCR_VERIFY_ORDER);
		end(&s, r);
	}
	list_flags = 0;
}

/* Which option that is, it does not say. */
static void what_is_no_option(void)
{
	struct shot s = shoot_overlay(long_list);
	struct mc_sb *sb = (struct mc_sb *)overlay_at(&s, "/m");
	char options[900];

	snprintf(options, sizeof(options), "%s,nonsense=1", sb->options);
	sb->options = options;
	failed(&s, EINVAL, "mounting it");
	end(&s, NULL);
}

static void one_by_one(void)
{
	struct shot s = shoot_overlay(escaped_list);
	struct mntcr_restored *r;

	nr_lines = 0;
	s.o.difference = note_line;
	r = restored(&s);
	CHECK_EQ(nr_lines, 1);
	CHECK(strstr(last_line, "one by one"));
	shows(r, "lowerdir+=/var/lib/store/0123456789abcdef/0,"
		 "lowerdir+=/var/lib/store/0123456789abcdef/1,");
	end(&s, r);
}

#define LONG_NAME "0123456789012345678901234567890123456789012345678901234567890123456789"
#define LONG_PATH "/" LONG_NAME "/" LONG_NAME "/" LONG_NAME "/" LONG_NAME

/* More than that, and with little in common with where the work directory is. */
static void long_upper(void)
{
	world_new_root();
	w_mkdir("/m");
	w_mkdir("/l");
	w_mkdir("/rw/work");
	w_mkdir("/rw" LONG_PATH);
	overlay("/m", 0, "lowerdir=/l,upperdir=/rw" LONG_PATH ",workdir=/rw/work");
}

static int do_long_upper(void *arg)
{
	put_file("/m/new", "x");
	return access("/rw" LONG_PATH "/new", F_OK);
}

static void a_long_upper(void)
{
	struct shot s = shoot_overlay(long_upper);
	struct mntcr_restored *r;

	nr_lines = 0;
	s.o.difference = note_line;
	r = restored(&s);
	CHECK_EQ(nr_lines, 0);
	same(&s, r, MNTCR_VERIFY_ORDER);
	CHECK_EQ(world_in(mntcr_restored_ns_fd(r, 0), do_long_upper, NULL), 0);
	end(&s, r);
}

/* --- relative ones ------------------------------------------------------------------ */

static void relative(void)
{
	world_new_root();
	w_mkdir("/m");
	w_mkdir("/store/l");
	w_mkdir("/store/k/x");
	w_mkdir("/store/up");
	w_mkdir("/store/work");
	if (chdir("/store"))
		err(1, "chdir");
	overlay("/m", 0, "lowerdir=l:k/x,upperdir=up,workdir=work");
}

static int do_relative(void *arg)
{
	put_file("/m/new", "x");
	return 0;
}

static void from_a_directory(void)
{
	static const char *const dirs[] = { "l", "k", "k/x", "up", "work" };
	struct shot s = shoot_overlay(relative);
	struct mntcr_external layer = { .key = "/m" };
	struct mntcr_restored *r;
	char dir[] = "/tmp/mntcr-layer-XXXXXX", path[64], file[64];
	size_t i;

	CHECK_EQ(overlay_at(&s, "/m")->layers[0].sb, MC_NONE);
	failed(&s, 0, "does not say from which directory");
	CHECK_STR(s.e.rule, "relative-layer");
	REQUIRE(mkdtemp(dir));
	for (i = 0; i < 5; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, dirs[i]);
		REQUIRE(!mkdir(path, 0755));
	}
	snprintf(file, sizeof(file), "%s/up/new", dir);
	layer.path = dir;
	s.o.layers = &layer;
	s.o.nr_layers = 1;
	r = restored(&s);
	same(&s, r, MNTCR_VERIFY_ORDER);
	CHECK_EQ(world_in(mntcr_restored_ns_fd(r, 0), do_relative, NULL), 0);
	CHECK(!access(file, F_OK));
	mntcr_restored_free(r);
	/* nothing of that name */
	snprintf(path, sizeof(path), "%s/up", dir);
	layer.path = path;
	failed(&s, 0, "its lowerdir l was a directory, but --layer /m=");
	CHECK_EQ(s.e.code, MNTCR_REFUSED);
	CHECK_STR(s.e.rule, "overlay-layer");
	CHECK(strstr(s.e.text, "(and 3 more refusals)"));
	layer.key = "/";
	failed(&s, 0, "no overlay of the image with a relative layer");
	CHECK_EQ(s.e.code, MNTCR_USAGE);
	snprintf(path, sizeof(path), "rm -r %s", dir);
	CHECK(!system(path));
	end(&s, NULL);
}

/* --- what is not known --------------------------------------------------------------- */

static void unmounted(void)
{
	world_new_root();
	w_mkdir("/m");
	w_mkdir("/l");
	w_mkdir("/up");
	w_tmpfs("gone", "/l");
	w_mkdir("/l/a");
	w_mkdir("/l/b");
	overlay("/m", 0, "lowerdir=/l/a:/l/b");
	if (umount2("/l", MNT_DETACH))
		err(1, "umount");
	w_mkdir("/l/a");
	w_mkdir("/l/b");
	/* the clock of files may not have gone on since */
	if (chmod("/l/a", 0700))
		err(1, "chmod");
}

/* Something else has that name by now: it is not taken for it. */
static void a_layer_that_is_gone(void)
{
	struct shot s = shoot_overlay(unmounted);

	CHECK_EQ(overlay_at(&s, "/m")->layers[0].sb, MC_NONE);
	CHECK_EQ(overlay_at(&s, "/m")->layers[1].sb, MC_NONE);
	failed(&s, 0, "overlay");
	CHECK_STR(s.e.rule, "no-source");
	end(&s, NULL);
}

static void live_stays_live(void)
{
	struct shot s = shoot_overlay(plain);
	struct mntcr_restored *r;

	s.o.prefer_fresh = false;
	r = restored(&s);
	same(&s, r, MNTCR_VERIFY_ORDER);
	end(&s, r);
}

/* --- of another owner ---------------------------------------------------------------- */

static void of_a_user(void)
{
	world_new_root();
	w_mkdir("/l");
	w_mkdir("/up");
	w_mkdir("/work");
	w_mkdir("/m");
	overlay("/m", 0, "lowerdir=/l,upperdir=/up,workdir=/work,userxattr");
}

/* By mount(2), which that one's root may do where it is made. */
static void long_of_a_user(void)
{
	world_new_root();
	w_mkdir("/l");
	w_mkdir("/up" LONG_PATH);
	w_mkdir("/work");
	w_mkdir("/m");
	overlay("/m", 0, "lowerdir=/l,upperdir=/up" LONG_PATH ",workdir=/work,userxattr");
}

/* A whiteout takes power over the layers; made by the kernel, it is the root's. */
static int do_of_a_user(void *arg)
{
	struct stat st;

	put_file("/l/below", "x");
	if (unlink("/m/below") ||
	    (lstat("/up" LONG_PATH "/below", &st) && lstat("/up/below", &st)) ||
	    !S_ISCHR(st.st_mode))
		return 1;
	return st.st_uid == (uid_t)(uintptr_t)arg ? 0 : 2;
}

static void owned_by(void (*build)(void))
{
	struct shot s = { .o = { .size = sizeof(s.o), .prefer_fresh = true } };
	struct mntcr_restored *r;

	need_api();
	if (!has_overlay())
		SKIP("this kernel has no overlay");
	world_add_flags(&s.w, -1, build, CLONE_NEWUSER);
	capture_fds(&s.w, s.src, &s.t);
	s.o.api = api;
	s.mounts = world_own_mounts();
	s.fds = world_own_fds();
	CHECK(overlay_at(&s, "/m")->userns != MC_NONE);
	r = restored(&s);
	same(&s, r, MNTCR_VERIFY_ORDER);
	CHECK_EQ(world_in(mntcr_restored_ns_fd(r, 0), do_of_a_user, (void *)0), 0);
	end(&s, r);
}

/* Without the series' calls that is refused for its owner: t-plan-owners. */
static void owned_by_another(void)
{
	owned_by(of_a_user);
	owned_by(long_of_a_user);
}

static const struct shot_test tests[] = {
	{ "as-it-was", as_it_was },
	{ "below-a-root", layers_below_a_root },
	{ "up-to-what-covers-a-root", up_to_what_covers_a_root },
	{ "over-its-layers", over_its_layers },
	{ "one-on-the-other", one_on_the_other },
	{ "by-other-strings", by_other_strings },
	{ "a-long-list", a_long_list },
	{ "what-is-no-option", what_is_no_option },
	{ "one-by-one", one_by_one },
	{ "a-long-upper", a_long_upper },
	{ "from-a-directory", from_a_directory },
	{ "a-layer-that-is-gone", a_layer_that_is_gone },
	{ "live-stays-live", live_stays_live },
};

static const struct shot_test extended[] = {
	{ "owned-by-another", owned_by_another },
};

int main(int argc, char **argv)
{
	return shot_run_with(tests, sizeof(tests) / sizeof(tests[0]),
			     extended, sizeof(extended) / sizeof(extended[0]), argv);
}
