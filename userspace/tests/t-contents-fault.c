// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A container is dumped with its files, and restored from the image, with each call
 * and each allocation failing in turn: either it is done, and right, or it says what
 * failed; and nothing is left of it.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <dirent.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "base/base.h"
#include "checked.h"
#include "contents/contents.h"
#include "each-call.h"
#include "extended.h"
#include "topology/topology.h"

/* --- what fails, besides ------------------------------------------------------- */

WRAP(ssize_t, write, (int fd, const void *p, size_t n), (fd, p, n))
/* Into the archive: into memory, the allocations fail. */
size_t __real_fwrite(const void *p, size_t size, size_t n, FILE *out);
size_t __wrap_fwrite(const void *p, size_t size, size_t n, FILE *out);
size_t __wrap_fwrite(const void *p, size_t size, size_t n, FILE *out)
{
	return fileno(out) >= 0 && fails("fwrite") ? 0 : __real_fwrite(p, size, n, out);
}

WRAP(ssize_t, pwrite, (int fd, const void *p, size_t n, off_t at), (fd, p, n, at))
WRAP(ssize_t, fgetxattr, (int fd, const char *name, void *to, size_t n),
     (fd, name, to, n))
WRAP(ssize_t, flistxattr, (int fd, char *to, size_t n), (fd, to, n))
WRAP(int, fsetxattr, (int fd, const char *name, const void *v, size_t n, int flags),
     (fd, name, v, n, flags))
WRAP(int, fchmodat, (int fd, const char *path, mode_t mode, int flags),
     (fd, path, mode, flags))
WRAP(int, fchownat, (int fd, const char *path, uid_t uid, gid_t gid, int flags),
     (fd, path, uid, gid, flags))
WRAP(int, futimens, (int fd, const struct timespec *ts), (fd, ts))
WRAP(int, utimensat, (int fd, const char *path, const struct timespec *ts, int flags),
     (fd, path, ts, flags))
WRAP(int, ftruncate, (int fd, off_t n), (fd, n))
WRAP(int, linkat, (int fd, const char *path, int to, const char *name, int flags),
     (fd, path, to, name, flags))
WRAP(int, symlinkat, (const char *to, int fd, const char *path), (to, fd, path))
WRAP(int, mkdirat, (int fd, const char *path, mode_t mode), (fd, path, mode))
WRAP(int, mknodat, (int fd, const char *path, mode_t mode, dev_t dev),
     (fd, path, mode, dev))
WRAP(int, fsync, (int fd), (fd))
WRAP_FD(int, inotify_init1, (int flags), (flags), true)
WRAP(int, inotify_add_watch, (int fd, const char *path, uint32_t mask), (fd, path, mask))
WRAP(int, renameat, (int from, const char *a, int to, const char *b), (from, a, to, b))
WRAP_FD(int, mkostemp, (char *name, int flags), (name, flags), true)
WRAP(ssize_t, lgetxattr, (const char *path, const char *name, void *to, size_t n),
     (path, name, to, n))
WRAP(ssize_t, llistxattr, (const char *path, char *to, size_t n), (path, to, n))
WRAP(int, lsetxattr, (const char *path, const char *name, const void *v, size_t n, int flags),
     (path, name, v, n, flags))
WRAP(int, fchmod, (int fd, mode_t mode), (fd, mode))
WRAP(int, fchown, (int fd, uid_t uid, gid_t gid), (fd, uid, gid))

/* --- the scene -------------------------------------------------------------------- */

/* Not of a tmpfs before Linux 6.6. */
static void set_flags(const char *path, int flags)
{
	int fd;

	TRY(fd = open(path, O_RDONLY | O_CLOEXEC));
	if (ioctl(fd, FS_IOC_SETFLAGS, &flags) && errno != ENOTTY &&
	    errno != EOPNOTSUPP)
		err(1, "%s", path);
	close(fd);
}

static void build(void)
{
	char path[NAME_MAX + 8];
	int fd;

	TRY(mkdir("own", 0755));
	TRY(mount("own", "own", "tmpfs", 0, "size=1m"));
	put("own/file", "seven!\n");
	TRY(setxattr("own/file", "trusted.mntcr", "x", 1, 0));
	TRY(link("own/file", "own/linked"));
	TRY(symlink("file", "own/symlink"));
	/* a path takes more room than what it begins with */
	snprintf(path, sizeof(path), "own/%0*d", NAME_MAX, 0);
	TRY(mknod(path, S_IFIFO | 0600, 0));
	TRY(mknod("own/null", S_IFCHR | 0666, makedev(1, 3)));
	TRY(mkdir("own/dir", 0700));
	TRY(fd = open("own/hole", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	TRY(ftruncate(fd, 1 << 20));
	TRY(pwrite(fd, "end", 3, (1 << 20) - 3));
	close(fd);
	put("own/append", "only at its end\n");
	set_flags("own/append", FS_APPEND_FL);
	put("own/nodump", "");
	set_flags("own/nodump", FS_NODUMP_FL);
	put("at", "");
	TRY(mount("own/file", "at", NULL, MS_BIND, NULL));
	/* and one of which a file is all that can be seen */
	TRY(mkdir("lone", 0755));
	TRY(mount("lone", "lone", "tmpfs", 0, NULL));
	put("lone/file", "alone\n");
	put("lone-at", "");
	TRY(mount("lone/file", "lone-at", NULL, MS_BIND, NULL));
	TRY(umount2("lone", 0));
}

/* Its strings are to lead where they do once this is the root. */
static void over(void)
{
	pid_t child = fork();
	int status;

	TRY(child);
	if (!child) {
		TRY(chroot("."));
		TRY(mount("over", "/m", "overlay", 0,
			  "lowerdir=/low,upperdir=/up,workdir=/work"));
		_exit(0);
	}
	TRY(waitpid(child, &status, 0));
	TRY(status ? -1 : 0);
}

/* In an overlay: a file that is nowhere else, and one with another name. */
static void unlinked_in_layers(void)
{
	TRY(mkdir("low", 0755));
	put("low/file", "nine...\n");
	TRY(mkdir("up", 0755));
	TRY(mkdir("work", 0755));
	TRY(mkdir("m", 0755));
	over();
	put("gone-low", "");
	TRY(mount("m/file", "gone-low", NULL, MS_BIND, NULL));
	TRY(unlink("m/file"));
	put("m/one", "ten\n");
	TRY(link("m/one", "m/two"));
	put("gone-one", "");
	TRY(mount("m/one", "gone-one", NULL, MS_BIND, NULL));
	TRY(unlink("m/one"));
}

/* And what only a kernel with the series can put back: unlinked roots, with files. */
static void build_unlinked(void)
{
	build();
	put("own/unlinked", "still there\n");
	put("gone", "");
	TRY(mount("own/unlinked", "gone", NULL, MS_BIND, NULL));
	TRY(unlink("own/unlinked"));
	TRY(mkdir("own/dir/in", 0750));
	put("own/dir/in/file", "eight!!\n");
	TRY(mkdir("gone-dir", 0755));
	TRY(mount("own/dir/in", "gone-dir", NULL, MS_BIND, NULL));
	TRY(unlink("own/dir/in/file"));
	TRY(rmdir("own/dir/in"));
	unlinked_in_layers();
}

/* In a user namespace of its own, with what shows others that are its own. */
static void build_owned(void)
{
	TRY(mkdir("own", 0755));
	TRY(mount("own", "own", "tmpfs", 0, "size=1m"));
	put("own/file", "seven!\n");
	TRY(chown("own/file", 5, 6));
	TRY(mkdir("proc", 0755));
	TRY(mount("proc", "proc", "proc", 0, NULL));
	TRY(mkdir("queues", 0755));
	TRY(mount("queues", "queues", "mqueue", 0, NULL));
}

static void map(pid_t task, const char *which)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)task, which);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	REQUIRE(fd >= 0 && write(fd, "0 100000 65536", 14) == 14);
	close(fd);
}

static pid_t make_owned(void)
{
	int go[2], ready[2];
	pid_t task;
	char x;

	REQUIRE(!pipe2(go, O_CLOEXEC) && !pipe2(ready, O_CLOEXEC));
	task = (pid_t)syscall(SYS_clone, CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID |
			      CLONE_NEWIPC | SIGCHLD, NULL, NULL, NULL, 0);
	if (task < 0)
		return 0;
	if (!task) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		TRY(read(go[0], &x, 1) == 1 ? 0 : -1);
		TRY(setresgid(0, 0, 0));
		TRY(setresuid(0, 0, 0));
		enter_root(build_owned);
		TRY(write(ready[1], "x", 1));
		for (;;)
			pause();
	}
	map(task, "uid_map");
	map(task, "gid_map");
	REQUIRE(write(go[1], "x", 1) == 1);
	close(go[0]);
	close(go[1]);
	close(ready[1]);
	if (read(ready[0], &x, 1) != 1) {
		end(task);
		task = 0;
	}
	close(ready[0]);
	return task;
}

static pid_t pid;
static const char *image = "/tmp/reference";
static struct mntcr_topology *reference;
static struct mntcr_contents *files;
static struct mntcr_restored *restored;

static void read_image(const char *path, struct mntcr_topology **t, struct mntcr_contents **c)
{
	struct mntcr_error e = { 0 };

	if (mntcr_image_read_contents(path, t, c, &e))
		TAP_SAY("%s", e.text);
	REQUIRE(*t && *c);
}

static void say(void *data, const char *line)
{
	(void)data;
	TAP_SAY("verify: %s", line);
}

static void compare(const struct mntcr_topology *t, const struct mntcr_contents *c)
{
	const struct mntcr_verify_options vo = {
		.size = sizeof(vo), .report = say, .contents_a = files, .contents_b = c,
	};
	struct mntcr_error e;
	size_t nr = 1;

	REQUIRE(!mntcr_verify(reference, t, &vo, &nr, &e));
	CHECK_EQ(nr, 0);
}

/* --- jobs ------------------------------------------------------------------------- */

static int dump_to(const char *path, struct mntcr_error *e)
{
	struct mntcr_contents_options o = { .size = sizeof(o) };
	struct mntcr_container c = { 0 };
	struct mntcr_topology *t = NULL;
	int ret;

	ret = mntcr_capture_container(pid, NULL, &c, &t, e);
	o.sources = c.sources;
	o.nr_sources = c.nr;
	if (!ret)
		ret = mntcr_image_write_contents(t, &o, path, e);
	mntcr_topology_free(t);
	mntcr_container_free(&c);
	return ret;
}

static void check_dump(void)
{
	struct mntcr_topology *t = NULL;
	struct mntcr_contents *c = NULL;

	read_image("/tmp/image", &t, &c);
	compare(t, c);
	mntcr_topology_free(t);
	mntcr_contents_free(c);
	REQUIRE(!unlink("/tmp/image"));
}

/* What has the name is whole, also where the directory could not be synchronised. */
static int dump(struct mntcr_error *e)
{
	int ret = dump_to("/tmp/image", e);

	faults->left = -1;
	if (ret && !access("/tmp/image", F_OK))
		check_dump();
	return ret;
}

static int restore(struct mntcr_error *e)
{
	struct mntcr_restore_options o = { .size = sizeof(o) };
	struct mntcr_topology *t = NULL;
	struct mntcr_contents *c = NULL;
	int ret = mntcr_image_read_contents(image, &t, &c, e);

	o.contents = c;
	if (!ret)
		ret = mntcr_restore(t, &o, &restored, e);
	mntcr_topology_free(t);
	mntcr_contents_free(c);
	return ret;
}

static void check_restore(void)
{
	struct mntcr_source s = { .type = MNTCR_SOURCE_FD };
	const struct mntcr_contents_options o = {
		.size = sizeof(o), .sources = &s, .nr_sources = 1,
	};
	struct mntcr_topology *t = NULL, *again = NULL;
	struct mntcr_contents *c = NULL;
	struct mntcr_error e = { 0 };

	s.fd = mntcr_restored_ns_fd(restored, 0);
	REQUIRE(!mntcr_capture(&s, 1, NULL, &t, &e));
	REQUIRE(!mntcr_image_write_contents(t, &o, "/tmp/image", &e));
	read_image("/tmp/image", &again, &c);
	compare(again, c);
	mntcr_topology_free(again);
	mntcr_topology_free(t);
	mntcr_contents_free(c);
	mntcr_restored_free(restored);
	REQUIRE(!unlink("/tmp/image"));
}

/* Where it is, in its superblock, takes more room than any path before. */
static char far_path[20000];

static int save_from_afar(struct mntcr_error *e)
{
	struct mc_sb sb = { .type = "tmpfs", .minor = 7 };
	FILE *out = fopen("/tmp/far", "we");
	int root = open("/tmp", O_PATH | O_DIRECTORY | O_CLOEXEC, 0), ret = -1;
	struct mc_save *s;

	if (!out || root < 0) {
		mc_fail(e, MNTCR_SYS, errno, "the test's own");
	} else if (!mc_save_new(&s, out, "{}", 2, e)) {
		ret = mc_save_tree(s, &sb, root, far_path, NULL, e);
		if (mc_save_end(s, ret, e))
			ret = -1;
	}
	mc_close(root);
	if (out)
		fclose(out);
	return ret;
}

static void check_far(void)
{
	struct stat st;

	CHECK(!stat("/tmp/far", &st) && st.st_size > (off_t)sizeof(far_path));
}

static void saved_from_afar(void)
{
	const struct job j = { "far", save_from_afar, check_far };
	struct mntcr_error e = { 0 };

	memset(far_path, 'x', sizeof(far_path) - 1);
	far_path[0] = '/';
	REQUIRE(!save_from_afar(&e));
	each_call(&j, 20);
}

static int save_small(struct mntcr_error *e)
{
	struct mc_sb sb = { .type = "tmpfs", .minor = 7 };
	FILE *out = __real_fopen("/dev/null", "we");
	int root = __real_open("/tmp/small", O_PATH | O_DIRECTORY | O_CLOEXEC, 0), ret = -1;
	struct mc_save *s;

	REQUIRE(out && root >= 0);
	if (!mc_save_new(&s, out, "{}", 2, e)) {
		ret = mc_save_tree(s, &sb, root, "/", NULL, e);
		if (mc_save_end(s, ret, e))
			ret = -1;
	}
	close(root);
	fclose(out);
	return ret;
}

static bool by_name(const char *call)
{
	return !strcmp(call, "fstatat") || !strcmp(call, "openat") ||
	       !strcmp(call, "readlinkat") || !strcmp(call, "llistxattr") ||
	       !strcmp(call, "lgetxattr");
}

/* A file goes, or a link takes its name, between two calls that are given the name. */
static void gone_while_it_is_read(void)
{
	static const int errs[] = { ENOENT, ELOOP };
	struct mntcr_error e;
	long n, opened, others;
	size_t i;

	REQUIRE(!mkdir("/tmp/small", 0755));
	put("/tmp/small/file", "seven!\n");
	REQUIRE(!symlink("file", "/tmp/small/link"));
	REQUIRE(!setxattr("/tmp/small/file", "trusted.mntcr", "x", 1, 0) &&
		!lsetxattr("/tmp/small/link", "trusted.mntcr", "x", 1, 0));
	for (i = 0; i < 2; i++) {
		opened = others = 0;
		faults->err = errs[i];
		for (n = 0; n < 1000; n++) {
			memset(&e, 0, sizeof(e));
			faults->failed = 0;
			faults->left = n;
			save_small(&e);
			faults->left = -1;
			if (!faults->failed)
				break;
			/* (a directory that is open does not go) */
			if (!by_name(faults->name) || strstr(e.text, "opendir"))
				continue;
			if (e.code != MNTCR_CHANGED)
				TAP_SAY("%s: %s", faults->name, e.text);
			CHECK_EQ(e.code, MNTCR_CHANGED);
			CHECK(strstr(e.text, "changed while it was read"));
			*(strcmp(faults->name, "openat") ? &others : &opened) += 1;
		}
		/* of the root and the file; besides, three are looked at and the link's own */
		CHECK_EQ(opened, 2);
		CHECK(others >= 6);
	}
	REQUIRE(!unlink("/tmp/small/file") && !unlink("/tmp/small/link") &&
		!rmdir("/tmp/small"));
}

/* Through a temporary file. */
static int from_a_pipe(struct mntcr_error *e)
{
	struct mntcr_contents *c = NULL;
	struct mntcr_topology *t = NULL;
	char block[60000], path[64];
	ssize_t n;
	int fd, p[2], ret;

	fd = __real_open("/tmp/reference", O_RDONLY | O_CLOEXEC, 0);
	REQUIRE(fd >= 0 && !__real_pipe2(p, O_CLOEXEC));
	n = __real_read(fd, block, sizeof(block));
	/* all of it fits into the pipe */
	REQUIRE(n > 0 && n < (ssize_t)sizeof(block));
	REQUIRE(__real_write(p[1], block, (size_t)n) == n);
	close(p[1]);
	close(fd);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", p[0]);
	ret = mntcr_image_read_contents(path, &t, &c, e);
	faults->left = -1;
	close(p[0]);
	if (!ret)
		compare(t, c);
	CHECK(!ret || (!t && !c));
	mntcr_topology_free(t);
	mntcr_contents_free(c);
	return ret;
}

static int with_itself(struct mntcr_error *e)
{
	const struct mntcr_verify_options vo = {
		.size = sizeof(vo), .report = say, .contents_a = files, .contents_b = files,
	};
	size_t nr = 1;
	int ret = mntcr_verify(reference, reference, &vo, &nr, e);

	if (!ret)
		CHECK_EQ(nr, 0);
	return ret;
}

/* Its members are read by the rules by which they would be made. */
static int check(struct mntcr_error *e)
{
	const struct mntcr_restore_options o = { .size = sizeof(o), .contents = files };
	FILE *out = __real_fopen("/dev/null", "we");
	int ret;

	REQUIRE(out);
	ret = mntcr_check_restore(reference, &o, false, out, e);
	fclose(out);
	return ret;
}

static void as_it_was(void)
{
}

static const struct job pipe_job = { "read from a pipe", from_a_pipe, as_it_was };
static const struct job compare_job = { "compare", with_itself, as_it_was };
static const struct job check_job = { "check", check, as_it_was };
static const struct job dump_job = { "dump", dump, check_dump };
static const struct job restore_job = { "restore", restore, check_restore };

/* In an emulated machine, too; and what fails is the same. */
static bool takes_long(void)
{
	return UNDER_ASAN || tap_in_vm();
}

static void dumped(void)
{
	each_call(&dump_job, 200);
	/* what is gone has changed */
	if (!takes_long()) {
		each_call_by(&dump_job, ENOENT, 200);
		each_call_by(&dump_job, EINTR, 200);
	}
}

static void restored_with_contents(void)
{
	each_call(&restore_job, 200);
	/* what is there already; a call that this kernel lacks, or that is interrupted */
	if (!takes_long()) {
		each_call_by(&restore_job, EEXIST, 200);
		each_call_by(&restore_job, ENOSYS, 200);
		each_call_by(&restore_job, EINTR, 200);
	}
}

static void read_and_compared(void)
{
	each_call(&pipe_job, 40);
	each_call_by(&pipe_job, EINTR, 40);
	each_call(&compare_job, 20);
	each_call(&check_job, 40);
}

static void forget(void)
{
	mntcr_topology_free(reference);
	mntcr_contents_free(files);
	end(pid);
	reference = NULL;
	files = NULL;
	pid = 0;
}

static void with_unlinked_roots(void)
{
	struct mntcr_error e = { 0 };

	if (!has_extended())
		SKIP("this kernel attaches no mount whose root is unlinked");
	forget();
	pid = make_container(build_unlinked);
	image = "/tmp/unlinked";
	if (dump_to(image, &e))
		TAP_SAY("%s [%s]", e.text, e.rule);
	read_image(image, &reference, &files);
	if (restore(&e))
		TAP_SAY("%s [%s]", e.text, e.rule);
	REQUIRE(restored);
	check_restore();
	each_call(&restore_job, 200);
	each_call(&dump_job, 200);
	each_call(&compare_job, 20);
	each_call(&check_job, 40);
}

/* Its user, pid and ipc namespaces are made anew. */
static void restored_to_owners_that_are_made(void)
{
	struct mntcr_error e = { 0 };

	forget();
	pid = make_owned();
	if (!pid)
		SKIP("no proc in user namespaces here");
	image = "/tmp/owned";
	if (dump_to(image, &e)) {
		CHECK_STR(e.rule, "contents-owner");
		SKIP("this kernel does not report the namespaces of superblocks");
	}
	read_image(image, &reference, &files);
	if (restore(&e)) {
		TAP_SAY("%s", e.text);
		CHECK_EQ(e.code, MNTCR_REFUSED);
		CHECK(!has_extended());
		SKIP("this kernel has no mount_setgroup(2)");
	}
	check_restore();
	each_call(&restore_job, 200);
	each_call(&dump_job, 200);
}

int main(void)
{
	struct mntcr_error e = { 0 };

	each_call_start();
	make_host();
	pid = make_container(build);
	if (dump_to("/tmp/reference", &e)) {
		printf("Bail out! %s\n", e.text);
		return 1;
	}
	read_image("/tmp/reference", &reference, &files);
	TAP_RUN(saved_from_afar);
	TAP_RUN(gone_while_it_is_read);
	TAP_RUN(dumped);
	TAP_RUN(restored_with_contents);
	TAP_RUN(read_and_compared);
	TAP_RUN(with_unlinked_roots);
	TAP_RUN(restored_to_owners_that_are_made);
	mntcr_topology_free(reference);
	mntcr_contents_free(files);
	if (pid)
		end(pid);
	return tap_done();
}
