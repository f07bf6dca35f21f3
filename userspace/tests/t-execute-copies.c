// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What no clone of a mount alone gives: a copy of its namespace has it.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include "shot.h"

/* What the live ones look like is none of the restore's business. */
static void restored_beside(struct shot *s, unsigned int flags)
{
	char *before = world_text(s->w.ns, s->w.nr), *after;
	struct mntcr_restored *r = restored(s);

	same(s, r, flags);
	after = world_text(s->w.ns, s->w.nr);
	CHECK_STR(after, before);
	free(before);
	free(after);
	end(s, r);
}

/* --- unbindable, and no other mount of it ----------------------------------- */

/* What is unmounted or made private in a copy must not reach these. */
static void unbindable(void)
{
	world_new_root();
	w_type("/", MS_SHARED);
	w_tmpfs("u", "/u");
	w_mkdir("/u/a");
	w_tmpfs("below", "/u/b");
	w_touch("/u/f");
	w_bind("/u/f", "/u/f");
	w_type("/u", MS_UNBINDABLE);
	w_type("/u/b", MS_SHARED);
	w_tmpfs("v", "/v");
	w_type("/v", MS_UNBINDABLE);
}

static void unbindable_alone(void)
{
	struct shot s = shoot(unbindable);

	restored_beside(&s, MNTCR_VERIFY_DEVICES | MNTCR_VERIFY_ORDER);
}

static void unbindable_root(void)
{
	world_new_root();
	w_type("/", MS_UNBINDABLE);
}

static void the_root_is_unbindable(void)
{
	struct shot s = shoot(unbindable_root);

	restored_beside(&s, MNTCR_VERIFY_DEVICES);
}

static void unbindable_in_two(void)
{
	struct shot s = { .o = { .size = sizeof(s.o) } };

	need_api();
	world_add(&s.w, -1, unbindable);
	world_add(&s.w, -1, unbindable);
	capture_fds(&s.w, s.src, &s.t);
	s.o.api = api;
	s.mounts = world_own_mounts();
	s.fds = world_own_fds();
	restored_beside(&s, MNTCR_VERIFY_DEVICES);
}

static bool empty_namespaces(void)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid)
		_exit(!!mc_unshare(UNSHARE_EMPTY_MNTNS));
	return !wd_wait_for(pid);
}

/* In a copy that another owner makes all is locked, and not to be cloned. */
static void owned_by_another_is(void (*fn)(void))
{
	struct shot s = { .o = { .size = sizeof(s.o) } };

	need_api();
	if (!empty_namespaces())
		SKIP("this kernel makes no empty namespaces");
	world_add_flags(&s.w, -1, fn, CLONE_NEWUSER);
	capture_fds(&s.w, s.src, &s.t);
	s.o.api = api;
	s.o.ignore_locks = api == MNTCR_API_UPSTREAM;
	s.mounts = world_own_mounts();
	s.fds = world_own_fds();
	restored_beside(&s, MNTCR_VERIFY_DEVICES |
			(s.o.ignore_locks ? MNTCR_VERIFY_IGNORE_LOCKS : 0));
}

static void owned_by_another(void)
{
	owned_by_another_is(unbindable);
}

/* --- roots that have been unlinked ------------------------------------------- */

static void put(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	if (!f || fputs(text, f) < 0 || fclose(f))
		err(1, "%s", path);
}

static bool has(const char *path, const char *text)
{
	char line[64] = "";
	FILE *f = fopen(path, "r");

	if (!f || !fgets(line, sizeof(line), f))
		return false;
	fclose(f);
	return !strcmp(line, text);
}

/* On the root, on what is on it, on a procfs; beside others, below some. */
static void unlinked(void)
{
	world_new_root();
	w_tmpfs("files", "/f");
	put("/f/1", "one");
	put("/f/2", "two");
	w_mkdir("/f/dir");
	w_mkdir("/d");
	w_touch("/1");
	w_bind("/f/1", "/1");
	w_remount("/1", MS_RDONLY | MS_NOSUID);
	w_bind("/f/dir", "/d");
	w_mkdir("/proc");
	w_mount("proc", "/proc", "proc", MS_NOSUID);
	w_bind("/f/1", "/proc/sys/kernel/hostname");
	w_tmpfs("inner", "/s/t/u");
	w_touch("/s/t/u/2");
	w_touch("/s/t/u/3");
	w_mkdir("/s/t/u/m");
	w_bind("/f/2", "/s/t/u/2");
	w_type("/s/t/u/2", MS_SHARED);
	w_bind("/s/t/u/2", "/s/t/u/3");
	w_tmpfs("more", "/s/t/u/m");
	w_tmpfs("over", "/s/t/u/m");
	w_tmpfs("beside", "/b");
	if (unlink("/f/1") || unlink("/f/2") || rmdir("/f/dir"))
		err(1, "unlink");
}

static void one_unlinked(void)
{
	world_new_root();
	w_tmpfs("files", "/f");
	put("/f/1", "one");
	w_touch("/1");
	w_touch("/2");
	w_bind("/f/1", "/1");
	w_tmpfs("beside", "/b");
	if (unlink("/f/1"))
		err(1, "unlink");
}

static int mount_more(void *arg)
{
	w_tmpfs("more", "/more");
	return 0;
}

static int other_file(void *arg)
{
	w_umount("/1");
	w_tmpfs("others", "/f");
	put("/f/1", "another one");
	w_bind("/f/1", "/1");
	return unlink("/f/1");
}

static int other_root(void *arg)
{
	w_umount("/1");
	w_bind("/2", "/1");
	return 0;
}

static int sibling_gone(void *arg)
{
	w_umount("/b");
	return 0;
}

static int read_only_now(void *arg)
{
	w_remount("/1", MS_RDONLY);
	return 0;
}

/* What is on the mount by now would come along, and is none of the image's. */
static void changed_since(int (*change)(void *arg))
{
	struct shot s = shoot(one_unlinked);

	REQUIRE(!world_in(s.w.ns[0], change, NULL));
	failed(&s, ESTALE, "what is mounted on it has changed since it was dumped");
	end(&s, NULL);
}

static void more_beside_an_unlinked_one(void)
{
	changed_since(mount_more);
}

static void another_unlinked_one(void)
{
	changed_since(other_file);
}

static void another_root_there(void)
{
	changed_since(other_root);
}

static void one_beside_is_gone(void)
{
	changed_since(sibling_gone);
}

/* Not in the image: it comes back as it was. */
static void remounted_since(void)
{
	struct shot s = shoot(one_unlinked);

	REQUIRE(!world_in(s.w.ns[0], read_only_now, NULL));
	restored_beside(&s, MNTCR_VERIFY_DEVICES);
}

static void unlinked_and_owned_by_another(void)
{
	owned_by_another_is(one_unlinked);
}

static int do_look(void *arg)
{
	if (!has("/1", "one") || !has("/proc/sys/kernel/hostname", "one"))
		return 1;
	return has("/s/t/u/2", "two") && has("/s/t/u/3", "two") ? 0 : 2;
}

static void unlinked_roots(void)
{
	struct mntcr_restored *r;
	struct shot s;
	char *before, *after;

	s = shoot(unlinked);
	before = world_text(s.w.ns, s.w.nr);
	r = restored(&s);
	same(&s, r, MNTCR_VERIFY_DEVICES);
	CHECK_EQ(world_in(mntcr_restored_ns_fd(r, 0), do_look, NULL), 0);
	after = world_text(s.w.ns, s.w.nr);
	CHECK_STR(after, before);
	free(before);
	free(after);
	end(&s, r);
}

static int younger_ns;

static int do_bind_file(void *arg)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", younger_ns);
	w_touch("/file");
	w_mkdir("/proc");
	w_mount("proc", "/proc", "proc", 0);
	w_bind(path, "/file");
	w_umount("/proc");
	return 0;
}

static void nothing(void)
{
}

/* The file of a mount namespace, which a copy of its holder does not have. */
static void unlinked_beside_a_file(void)
{
	struct shot s = { .o = { .size = sizeof(s.o) } };

	need_api();
	world_add(&s.w, -1, one_unlinked);
	world_add(&s.w, 0, nothing);
	younger_ns = s.w.ns[1];
	REQUIRE(!world_in(s.w.ns[0], do_bind_file, NULL));
	capture_fds(&s.w, s.src, &s.t);
	s.o.api = api;
	s.mounts = world_own_mounts();
	s.fds = world_own_fds();
	restored_beside(&s, MNTCR_VERIFY_DEVICES);
}

/* --- locked covers ------------------------------------------------------------ */

/*
 * The working directory is on the covered mount, which no path leads to.  Copied
 * with the cover, that stays locked on it.
 */
static void locked_cover(void)
{
	w_tmpfs("root", "/tmp/root");
	w_mkdir("/tmp/root/x");
	w_rbind(".", "/tmp/root/x");
	if (chdir("/tmp/root") || syscall(SYS_pivot_root, ".", ".") ||
	    umount2(".", MNT_DETACH) || chdir("/"))
		err(1, "pivot_root");
}

static void count_refusal(void *data, const struct mntcr_refusal *refusal)
{
	CHECK(strstr(refusal->rule, "-source"));
	++*(unsigned int *)data;
}

static void in_user_ns(void)
{
	bool known = false;
	unsigned int nr = 0;
	struct shot s;
	uint32_t i;

	w_tmpfs("low", "/tmp/low");
	REQUIRE(!chdir("/tmp/low"));
	w_tmpfs("cover", "/tmp/low");
	in_child_own_user_ns();
	/* here it is that they are locked to one another */
	REQUIRE(!unshare(CLONE_NEWNS));
	s = shoot(locked_cover);
	s.o.ignore_locks = true;
	s.o.refused = count_refusal;
	s.o.data = &nr;
	for (i = 0; i < s.t->nr_mounts; i++)
		known |= s.t->mounts[i].locks_known;
	CHECK(known || api == MNTCR_API_UPSTREAM);
	CHECK_EQ(s.t->nr_mounts, 3);
	failed(&s, 0, known ? "/x: " : "mount /x (id ");
	CHECK_EQ(nr, 1);
	CHECK_EQ(s.e.code, MNTCR_REFUSED);
	if (known) {
		CHECK_STR(s.e.rule, api == MNTCR_API_UPSTREAM ?
			  "overmounted-source" : "uncloneable-source");
	} else {
		CHECK_STR(s.e.rule, "overmounted-source");
		CHECK(strstr(s.e.text, "unmounting it in a copy of its tree: Invalid argument"));
		CHECK(strstr(s.e.text, "it is locked, as a mount is that came from a more privileged mount namespace: mount_namespaces(7)"));
	}
	end(&s, NULL);
}

/* Known beforehand where the kernel reports locks; told when it fails elsewhere. */
static void a_locked_cover(void)
{
	shot_in_child(in_user_ns);
}

static const struct shot_test tests[] = {
	{ "unbindable-alone", unbindable_alone },
	{ "unbindable-root", the_root_is_unbindable },
	{ "unbindable-in-two", unbindable_in_two },
	{ "owned-by-another", owned_by_another },
	{ "unlinked-roots", unlinked_roots },
	{ "unlinked-and-owned-by-another", unlinked_and_owned_by_another },
	{ "more-beside-an-unlinked-one", more_beside_an_unlinked_one },
	{ "another-unlinked-one", another_unlinked_one },
	{ "another-root-there", another_root_there },
	{ "one-beside-is-gone", one_beside_is_gone },
	{ "remounted-since", remounted_since },
	{ "unlinked-beside-a-file", unlinked_beside_a_file },
	{ "locked-cover", a_locked_cover },
};

int main(int argc, char **argv)
{
	return shot_run(tests, sizeof(tests) / sizeof(tests[0]), argv);
}
