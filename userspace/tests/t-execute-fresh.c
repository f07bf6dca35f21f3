// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Superblocks made anew: their options, their modes, and those that cannot be had twice.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <sys/mman.h>
#include <sys/vfs.h>

#include "shot.h"

static void fresh_superblocks(void)
{
	struct shot s = shoot(fresh_tree);
	struct mntcr_restored *r;

	s.o.prefer_fresh = s.o.caller_namespaces = true;
	r = restored(&s);
	same(&s, r, MNTCR_VERIFY_ORDER);
	end(&s, r);
}

#define SYSFS_MAGIC	0x62656572
#define DEVPTS_MAGIC	0x1cd1
#define MQUEUE_MAGIC	0x19800202

static void special_tree(void)
{
	world_new_root();
	w_mkdir("/sys");
	w_mkdir("/dev/pts");
	w_mkdir("/dev/pts2");
	w_mkdir("/dev/mqueue");
	w_mount("sysfs", "/sys", "sysfs", MS_NOSUID);
	w_mount("mqueue", "/dev/mqueue", "mqueue", MS_NODEV);
	w_bind("/sys/kernel", "/sys/kernel");
	if (mount("pts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
		  "newinstance,gid=5,mode=620,ptmxmode=666,max=7") ||
	    mount("pts", "/dev/pts2", "devpts", 0, "newinstance,uid=3,mode=600"))
		err(1, "devpts");
	/* as systemd-nspawn does for a container with users of its own */
	if (chown("/dev/pts2", 7, 8) || chmod("/dev/pts2", 0711))
		err(1, "root of devpts");
}

/* Each by itself; older kernels look at all of them when it is made. */
static bool devpts_takes_words(void)
{
	int fd = mc_fsopen("devpts", FSOPEN_CLOEXEC);
	bool takes;

	REQUIRE(fd >= 0);
	takes = mc_fsconfig(fd, FSCONFIG_SET_STRING, "ptmxmode", "9", 0);
	close(fd);
	return takes;
}

/* A terminal in the first one, which stays. */
static int do_open_ptmx(void *arg)
{
	int fd = open("/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);

	return fd < 0 ? errno : 0;
}

/* What they are by what they do: 0, or the number of what is wrong. */
static int do_special(void *arg)
{
	struct statfs fs;
	struct stat st;

	if (statfs("/sys", &fs) || fs.f_type != SYSFS_MAGIC ||
	    access("/sys/kernel/mm", F_OK) || access("/sys/class/net/lo", F_OK))
		return 1;
	if (statfs("/dev/mqueue", &fs) || fs.f_type != MQUEUE_MAGIC ||
	    stat("/dev/mqueue", &st) || (st.st_mode & 07777) != 01777)
		return 2;
	if (statfs("/dev/pts", &fs) || fs.f_type != DEVPTS_MAGIC ||
	    stat("/dev/pts/ptmx", &st) || (st.st_mode & 07777) != 0666)
		return 3;
	if (stat("/dev/pts2/ptmx", &st) || st.st_mode & 07777)
		return 4;
	/* A new one, empty, that counts from 0 and gives what is to be given. */
	if (!access("/dev/pts/0", F_OK))
		return 5;
	if (do_open_ptmx(NULL) || stat("/dev/pts/0", &st) ||
	    (st.st_mode & 07777) != 0620 || st.st_gid != 5)
		return 6;
	if (!access("/dev/pts2/0", F_OK))
		return 7;
	return stat("/dev/pts2", &st) || (st.st_mode & 07777) != 0711 ||
	       st.st_uid != 7 || st.st_gid != 8 ? 8 : 0;
}

static void fresh_special_filesystems(void)
{
	struct shot s = shoot(special_tree);
	struct mntcr_restored *r;
	uint32_t m;

	s.o.prefer_fresh = s.o.caller_namespaces = true;
	r = restored(&s);
	same(&s, r, MNTCR_VERIFY_ORDER);
	CHECK_EQ(world_in(mntcr_restored_ns_fd(r, 0), do_special, NULL), 0);
	mntcr_restored_free(r);
	/* sysfs may not be had from whom it is not asked of */
	s.o.caller_namespaces = false;
	failed(&s, 0, "a fresh one would show the caller's");
	CHECK_STR(s.e.rule, "callers-namespace");
	/* devpts shows nobody's */
	s.o.sources = s.src;
	s.o.nr_sources = s.w.nr;
	r = restored(&s);
	same(&s, r, MNTCR_VERIFY_ORDER);
	CHECK_EQ(world_in(mntcr_restored_ns_fd(r, 0), do_special, NULL), 0);
	/* wrong words for one */
	for (m = 0; strcmp(s.t->sbs[m].type, "devpts"); m++)
		REQUIRE(m + 1 < s.t->nr_sbs);
	s.t->sbs[m].options = "ptmxmode=9";
	mntcr_restored_free(r);
	failed(&s, EINVAL, devpts_takes_words() ? "devpts option ptmxmode" :
						  "creating the superblock");
	end(&s, NULL);
}

static void two_sysfs(void)
{
	world_new_root();
	w_mkdir("/one");
	w_mkdir("/two");
	w_mount("sysfs", "/one", "sysfs", 0);
	if (unshare(CLONE_NEWNET))
		err(1, "unshare");
	w_mount("sysfs", "/two", "sysfs", 0);
}

static void two_mqueue(void)
{
	world_new_root();
	w_mkdir("/one");
	w_mkdir("/two");
	w_mount("mqueue", "/one", "mqueue", 0);
	if (unshare(CLONE_NEWIPC))
		err(1, "unshare");
	w_mount("mqueue", "/two", "mqueue", 0);
}

/* The caller has one network namespace, and so there is one sysfs to be had. */
static void no_second(void (*fn)(void), const char *type)
{
	struct shot s = shoot(fn);
	struct mntcr_restored *r;
	char words[64];

	snprintf(words, sizeof(words), "%s cannot be made fresh twice", type);
	s.o.prefer_fresh = s.o.caller_namespaces = true;
	failed(&s, 0, words);
	CHECK_STR(s.e.rule, "no-source");
	CHECK_EQ(s.e.code, MNTCR_REFUSED);
	/* The second from where it is. */
	s.o.sources = s.src;
	s.o.nr_sources = s.w.nr;
	r = restored(&s);
	same(&s, r, MNTCR_VERIFY_ORDER);
	end(&s, r);
}

static void no_second_sysfs(void)
{
	no_second(two_sysfs, "sysfs");
}

static void no_second_mqueue(void)
{
	no_second(two_mqueue, "mqueue");
}

#define RAMFS_MAGIC	0x858458f6

/* As systemd leaves them for a service's credentials. */
static void ramfs_tree(void)
{
	world_new_root();
	w_mkdir("/one");
	w_mkdir("/two");
	if (mount("ramfs", "/one", "ramfs", MS_NOSUID | MS_NODEV, "mode=700") ||
	    mount("other", "/two", "ramfs", 0, NULL))
		err(1, "ramfs");
	w_mkdir("/two/in");
	w_bind("/two/in", "/two/in");
}

/* Two of their own: 0, or the number of what is wrong. */
static int do_ramfs(void *arg)
{
	struct stat one, two;
	struct statfs fs;

	if (statfs("/one", &fs) || fs.f_type != RAMFS_MAGIC || stat("/one", &one) ||
	    (one.st_mode & 07777) != 0700)
		return 1;
	if (statfs("/two/in", &fs) || fs.f_type != RAMFS_MAGIC || stat("/two", &two) ||
	    (two.st_mode & 07777) != 0755)
		return 2;
	return one.st_dev != two.st_dev ? 0 : 3;
}

static void fresh_ramfs(void)
{
	struct shot s = shoot(ramfs_tree);
	struct mntcr_restored *r;

	s.o.prefer_fresh = s.o.caller_namespaces = true;
	r = restored(&s);
	same(&s, r, MNTCR_VERIFY_ORDER);
	CHECK_EQ(world_in(mntcr_restored_ns_fd(r, 0), do_ramfs, NULL), 0);
	end(&s, r);
}

static void tmpfs_tree(void)
{
	world_new_root();
	w_mkdir("/a");
	if (mount("t", "/a", "tmpfs", 0, "size=1m,mode=711,uid=7"))
		err(1, "mount");
}

/* Printed in other words, all of them are the same. */
static void options_as_the_kernel_prints_them(void)
{
	static const char *const same_as[] = {
		"rw,size=\\061024k,mode=\\067\\061\\061,uid=7",
		"rw,size=\"1024k\",mode=\"711\",uid=\"7\"",
		",,size=1024k,,mode=711,uid=7,",
	};
	struct shot s = shoot(tmpfs_tree);
	struct mntcr_restored *r;
	const char *printed;
	uint32_t sb;
	size_t i;

	s.o.prefer_fresh = true;
	for (sb = 0; !strstr(s.t->sbs[sb].options, "uid=7"); )
		REQUIRE(++sb < s.t->nr_sbs);
	printed = s.t->sbs[sb].options;
	for (i = 0; i < sizeof(same_as) / sizeof(*same_as); i++) {
		s.t->sbs[sb].options = mc_topology_str(s.t, same_as[i]);
		r = restored(&s);
		s.t->sbs[sb].options = printed;
		same(&s, r, 0);
		mntcr_restored_free(r);
	}
	end(&s, NULL);
}

static int do_modes(void *arg)
{
	static const struct {
		const char *path;
		mode_t mode;
	} want[] = {
		{ "/a", 0755 }, { "/a/b/x", 0755 }, { "/a/b/x/y", 0755 },
		{ "/a/b/file", 0644 },
	};
	struct stat st;
	size_t i;

	for (i = 0; i < sizeof(want) / sizeof(want[0]); i++)
		if (stat(want[i].path, &st) || (st.st_mode & 07777) != want[i].mode)
			return 1 + (int)i;
	return 0;
}

static void whatever_the_umask(void)
{
	struct shot s = shoot(fresh_tree);
	struct mntcr_restored *r;

	s.o.prefer_fresh = s.o.caller_namespaces = true;
	umask(077);
	r = restore(&s);
	CHECK_EQ(umask(022), 077);
	REQUIRE(r);
	CHECK_EQ(world_in(mntcr_restored_ns_fd(r, 0), do_modes, NULL), 0);
	end(&s, r);
}

/* An image says what it likes; a terminal need not hear it. */
static void options_are_shown_escaped(void)
{
	struct shot s = shoot(small);
	const char *was = s.t->sbs[0].options;

	s.o.prefer_fresh = s.o.caller_namespaces = true;
	s.t->sbs[0].options = "no\033[2Jne=1";
	failed(&s, EINVAL, "option no\\033[2Jne: ");
	s.t->sbs[0].options = was;
	end(&s, NULL);
}

static void ro_superblock(void)
{
	world_new_root();
	w_mkdir("/a/b");
	w_tmpfs("one", "/a/b");
	w_mkdir("/a/b/in");
	w_tmpfs("two", "/a/b/in");
	if (mount(NULL, "/a/b", NULL, MS_REMOUNT | MS_RDONLY, NULL))
		err(1, "remount");
}

static void a_fresh_superblock_that_is_read_only(void)
{
	struct shot s = shoot(ro_superblock);
	struct mntcr_restored *r;

	s.o.prefer_fresh = s.o.caller_namespaces = true;
	r = restored(&s);
	same(&s, r, MNTCR_VERIFY_ORDER);
	end(&s, r);
}

static void root_with_proc(void)
{
	w_tmpfs("root", "/tmp/root");
	w_mkdir("/tmp/root/proc");
	if (mount("proc", "/tmp/root/proc", "proc", MS_NOSUID, NULL) ||
	    chdir("/tmp/root") || syscall(SYS_pivot_root, ".", ".") ||
	    umount2(".", MNT_DETACH) || chdir("/"))
		err(1, "a root with proc");
}

/* There proc can be made by whom sees one already, and by nobody else. */
static int fresh_proc(void)
{
	struct mntcr_restored *r;
	struct shot s;

	world_own_ns();
	if (mount("proc", "/proc", "proc", 0, NULL))
		return 4;
	close(world_proc_fd);
	world_proc_fd = open("/proc", O_PATH | O_CLOEXEC);
	s = shoot(root_with_proc);
	s.o.prefer_fresh = s.o.caller_namespaces = true;
	s.o.ignore_locks = true;
	r = restored(&s);
	same(&s, r, MNTCR_VERIFY_ORDER | MNTCR_VERIFY_IGNORE_LOCKS);
	end(&s, r);
	return tap.bad;
}

static void proc_in_a_user_namespace(void)
{
	int status;
	pid_t pid;

	need_api();
	fflush(stdout);
	pid = fork();
	if (!pid) {
		if (unshare(CLONE_NEWUSER))
			_exit(4);
		w_map_root();
		if (unshare(CLONE_NEWPID))
			_exit(4);
		pid = fork();
		if (pid)
			_exit(wd_wait_for(pid));
		if (setjmp(tap.out))
			_exit(1);
		status = fresh_proc();
		fflush(stdout);
		_exit(status);
	}
	status = wd_wait_for(pid);
	if (status == 4)
		SKIP("no proc in user namespaces here");
	CHECK_EQ(status, 0);
}

static const struct shot_test tests[] = {
	{ "fresh-superblocks", fresh_superblocks },
	{ "fresh-special-filesystems", fresh_special_filesystems },
	{ "fresh-ramfs", fresh_ramfs },
	{ "no-second-fresh-sysfs", no_second_sysfs },
	{ "no-second-fresh-mqueue", no_second_mqueue },
	{ "options-as-printed", options_as_the_kernel_prints_them },
	{ "whatever-the-umask", whatever_the_umask },
	{ "options-are-shown-escaped", options_are_shown_escaped },
	{ "fresh-and-read-only", a_fresh_superblock_that_is_read_only },
	{ "proc-in-a-user-namespace", proc_in_a_user_namespace },
};

int main(int argc, char **argv)
{
	return shot_run(tests, sizeof(tests) / sizeof(tests[0]), argv);
}
