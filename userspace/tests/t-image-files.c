// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Where images are written: at once or not at all, through links too.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "image-text.h"
#include "killed.h"

/* Of what opens a file without a name. */
static int unnamed_fails;
static int nr_unnamed;

int __real_openat(int dir, const char *path, int flags, mode_t mode);
int __wrap_openat(int dir, const char *path, int flags, mode_t mode);
int __wrap_openat(int dir, const char *path, int flags, mode_t mode)
{
	if ((flags & O_TMPFILE) == O_TMPFILE) {
		nr_unnamed++;
		if (unnamed_fails) {
			errno = unnamed_fails;
			return -1;
		}
	}
	return __real_openat(dir, path, flags, mode);
}

static void writing_is_atomic(void)
{
	char dir[] = "/tmp/mntcr-image-XXXXXX", path[64], link[64];
	struct mntcr_topology *t, *u;
	struct mntcr_error e;
	struct stat st;
	FILE *f;

	REQUIRE(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/img", dir);
	snprintf(link, sizeof(link), "%s/old", dir);
	REQUIRE(!mc_image_parse(good, strlen(good), "good", &t, &e));
	f = fopen(path, "w");
	REQUIRE(f && fputs("what was there", f) >= 0 && !fclose(f));
	REQUIRE(!linkat(AT_FDCWD, path, AT_FDCWD, link, 0));
	REQUIRE(!mntcr_image_write(t, path, &e));
	/* a new file took the name; who held the old one keeps it */
	REQUIRE(!stat(link, &st));
	CHECK_EQ(st.st_size, 14);
	REQUIRE(!stat(path, &st));
	CHECK_EQ(st.st_mode & 0777, 0600);
	REQUIRE(!mntcr_image_read(path, &u, &e));
	CHECK_EQ(u->nr_mounts, t->nr_mounts);
	mntcr_topology_free(u);
	REQUIRE(!unlink(path) && !unlink(link));

	snprintf(path, sizeof(path), "%s/no/img", dir);
	CHECK(mntcr_image_write(t, path, &e) == -1);
	CHECK_EQ(e.err, ENOENT);
	CHECK(mntcr_image_write(t, "/dev/full", &e) == -1);
	CHECK_EQ(e.err, ENOSPC);
	CHECK(strstr(e.text, "/dev/full: "));
	/* nothing but what was asked for */
	CHECK(!rmdir(dir));
	CHECK(mntcr_image_read(dir, &u, &e) == -1);
	CHECK_EQ(e.err, ENOENT);
	CHECK(mntcr_image_read("/", &u, &e) == -1);
	CHECK_EQ(e.err, EISDIR);
	mntcr_topology_free(t);
}

static void put_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	REQUIRE(f && fputs(text, f) >= 0 && !fclose(f));
}

static bool is_image(const char *path)
{
	struct mntcr_topology *t;
	struct mntcr_error e;

	if (mntcr_image_read(path, &t, &e))
		return false;
	mntcr_topology_free(t);
	return true;
}

static bool holds(const char *path, const char *text)
{
	FILE *f = fopen(path, "re");
	char buf[64];
	size_t n;

	REQUIRE(f);
	n = fread(buf, 1, sizeof(buf) - 1, f);
	fclose(f);
	buf[n] = '\0';
	return !strcmp(buf, text);
}

static ino_t ino_of(const char *path)
{
	struct stat st;

	REQUIRE(!lstat(path, &st));
	return st.st_ino;
}

static void through_links(void)
{
	char dir[] = "/tmp/mntcr-image-XXXXXX", path[64];
	char name[NAME_MAX + 1];
	struct rlimit was, less;
	struct mntcr_topology *t;
	struct mntcr_error e;
	struct stat st;
	FILE *f;
	ino_t ino;
	int fd;

	REQUIRE(mkdtemp(dir) && !chdir(dir) && !mkdir("to", 0700) &&
		!mkdir("a", 0700));
	REQUIRE(!mc_image_parse(good, strlen(good), "good", &t, &e));
	put_file("to/img", "what was there");
	/* links to a link to the file, all in different directories */
	REQUIRE(!symlink("../to/img", "a/link") && !symlink("a/link", "link"));
	REQUIRE(!link("to/img", "old"));
	/* out of room half way: what was there stays, and nothing else does */
	signal(SIGXFSZ, SIG_IGN);
	REQUIRE(!getrlimit(RLIMIT_FSIZE, &was));
	less = was;
	less.rlim_cur = 100;
	REQUIRE(!setrlimit(RLIMIT_FSIZE, &less));
	CHECK(mntcr_image_write(t, "link", &e) == -1);
	CHECK_EQ(e.err, EFBIG);
	CHECK(mntcr_image_write(t, "to/img", &e) == -1);
	CHECK_EQ(e.err, EFBIG);
	/* nor is anything made where a link leads to nothing */
	REQUIRE(!symlink("to/new", "dangling"));
	CHECK(mntcr_image_write(t, "dangling", &e) == -1);
	CHECK_EQ(e.err, EFBIG);
	CHECK(access("to/new", F_OK) && errno == ENOENT);
	REQUIRE(!setrlimit(RLIMIT_FSIZE, &was));
	REQUIRE(!stat("link", &st));
	CHECK_EQ(st.st_size, 14);
	CHECK_EQ(ino_of("to/img"), ino_of("old"));
	/* the file is replaced, the links are not */
	if (mntcr_image_write(t, "link", &e))
		TAP_SAY("%s", e.text);
	REQUIRE(!lstat("link", &st) && S_ISLNK(st.st_mode));
	REQUIRE(!lstat("a/link", &st) && S_ISLNK(st.st_mode));
	REQUIRE(!lstat("to/img", &st) && S_ISREG(st.st_mode));
	CHECK_EQ(st.st_mode & 0777, 0600);
	CHECK(is_image("to/img"));
	REQUIRE(!stat("old", &st));
	CHECK_EQ(st.st_size, 14);
	/* nothing to replace yet */
	CHECK(!mntcr_image_write(t, "dangling", &e));
	CHECK(is_image("to/new"));
	REQUIRE(!lstat("dangling", &st) && S_ISLNK(st.st_mode));
	REQUIRE(!lstat("to/new", &st));
	CHECK_EQ(st.st_mode & 0777, 0600);
	REQUIRE(!symlink("loop", "loop"));
	CHECK(mntcr_image_write(t, "loop", &e) == -1);
	CHECK_EQ(e.err, ELOOP);
	/* an open file is not pulled away from who holds it */
	fd = open("held", O_CREAT | O_RDWR | O_CLOEXEC, 0644);
	REQUIRE(fd >= 0);
	ino = ino_of("held");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	CHECK(!mntcr_image_write(t, path, &e));
	CHECK_EQ(ino_of("held"), ino);
	CHECK(is_image("held"));
	close(fd);
	/* names as long as they may be, and none at all */
	memset(name, 'n', NAME_MAX);
	name[NAME_MAX] = '\0';
	CHECK(!mntcr_image_write(t, name, &e));
	CHECK(is_image(name));
	CHECK(mntcr_image_write(t, "", &e) == -1);
	CHECK_EQ(e.err, ENOENT);
	CHECK(mntcr_image_write(t, "none/", &e) == -1);
	CHECK_EQ(e.err, EISDIR);
	CHECK(mntcr_image_write(t, "to", &e) == -1);
	CHECK_EQ(e.err, EISDIR);
	/* no temporary file is left anywhere */
	f = popen("find . -name '.mntcr*' | wc -l; rm -rf to a old link loop dangling held nnn*", "re");
	REQUIRE(f && fscanf(f, "%d", &fd) == 1 && !pclose(f));
	CHECK_EQ(fd, 0);
	CHECK(!chdir("/") && !rmdir(dir));
	mntcr_topology_free(t);
}

/* Not on all filesystems there are files without a name. */
static void named_where_it_must_be(void)
{
	static const int errs[] = { EOPNOTSUPP, EISDIR, ENOENT };
	char dir[] = "/tmp/mntcr-image-XXXXXX", path[64];
	struct mntcr_topology *t;
	struct mntcr_error e;
	struct stat st;
	size_t i;

	REQUIRE(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/img", dir);
	REQUIRE(!mc_image_parse(good, strlen(good), "good", &t, &e));
	for (i = 0; i < MC_ARRAY_SIZE(errs); i++) {
		nr_unnamed = 0;
		unnamed_fails = errs[i];
		CHECK(!mntcr_image_write(t, path, &e));
		unnamed_fails = 0;
		CHECK_EQ(nr_unnamed, 1);
		CHECK(is_image(path));
		CHECK(!stat(path, &st) && (st.st_mode & 0777) == 0600);
		CHECK(!unlink(path));
	}
	unnamed_fails = EACCES;
	CHECK(mntcr_image_write(t, path, &e) == -1);
	CHECK_EQ(e.err, EACCES);
	unnamed_fails = 0;
	CHECK(!rmdir(dir));
	mntcr_topology_free(t);
}

/* It cannot clean up: nothing has a name yet. */
static void killed_half_way(void)
{
	const struct rlimit room = { 100, 100 }, no_core = { 0, 0 };
	char dir[] = "/tmp/mntcr-image-XXXXXX", path[64];
	struct mntcr_topology *t;
	struct mntcr_error e;
	int fd, status;
	pid_t pid;

	REQUIRE(mkdtemp(dir));
	fd = open(dir, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	if (fd < 0 && errno == EOPNOTSUPP) {
		rmdir(dir);
		SKIP("no files without a name on the filesystem of /tmp");
	}
	REQUIRE(fd >= 0);
	close(fd);
	snprintf(path, sizeof(path), "%s/img", dir);
	REQUIRE(!mc_image_parse(good, strlen(good), "good", &t, &e));
	put_file(path, "what was there");
	pid = fork();
	if (!pid) {
		signal(SIGXFSZ, SIG_DFL);
		if (!setrlimit(RLIMIT_CORE, &no_core) && !setrlimit(RLIMIT_FSIZE, &room))
			mntcr_image_write(t, path, &e);
		_exit(1);
	}
	REQUIRE(pid > 0 && waitpid(pid, &status, 0) == pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGXFSZ);
	CHECK(!is_image(path));
	CHECK(!unlink(path));
	CHECK(!rmdir(dir));
	mntcr_topology_free(t);
}

/* --- ended after each of its calls ---------------------------------------------- */

struct writing {
	struct mntcr_topology *t;
	char dir[32], path[48];
	bool replaces;
};

static int write_it(void *data)
{
	const struct writing *w = data;
	struct mntcr_error e;

	return mntcr_image_write(w->t, w->path, &e);
}

/* What is in the directory, but for what has the name. */
static size_t nr_beside(const char *dir)
{
	struct dirent *d;
	DIR *in = opendir(dir);
	size_t nr = 0;

	REQUIRE(in);
	while ((d = readdir(in)))
		nr += strcmp(d->d_name, ".") && strcmp(d->d_name, "..") &&
		      strcmp(d->d_name, "img");
	closedir(in);
	return nr;
}

/* Once it was through before that: false. */
static bool ended_after(struct writing *w, long n, size_t *nr_images)
{
	struct killed k;
	bool image;

	if (w->replaces)
		put_file(w->path, "what was there");
	REQUIRE(killed_run(&k, write_it, w, n));
	CHECK(k.done ? WIFEXITED(k.status) : WIFSIGNALED(k.status));
	CHECK_EQ(nr_beside(w->dir), 0);
	image = is_image(w->path);
	if (!image && !w->replaces)
		CHECK_ERRNO(access(w->path, F_OK), ENOENT);
	if (!image && w->replaces)
		CHECK(holds(w->path, "what was there"));
	*nr_images += image && !k.done;
	unlink(w->path);
	return !k.done && !tap.bad;
}

/* Either the image has the name, or nothing is left of it. */
static void ended_after_each(int sig, bool replaces)
{
	struct writing w = { .dir = "/tmp/mntcr-image-XXXXXX", .replaces = replaces };
	struct mntcr_error e;
	size_t nr_images = 0;
	long n = 0;

	REQUIRE(mkdtemp(w.dir));
	snprintf(w.path, sizeof(w.path), "%s/img", w.dir);
	REQUIRE(!mc_image_parse(good, strlen(good), "good", &w.t, &e));
	killed_by = sig;
	while (ended_after(&w, n, &nr_images))
		n++;
	killed_by = SIGKILL;
	/* it was ended right after it had the name, too */
	CHECK(n > 5 && nr_images);
	CHECK(!rmdir(w.dir));
	mntcr_topology_free(w.t);
}

static void ended_while_it_takes_the_name(void)
{
	ended_after_each(SIGTERM, true);
	ended_after_each(SIGHUP, false);
	ended_after_each(SIGKILL, false);
}

int main(void)
{
	TAP_RUN(writing_is_atomic);
	TAP_RUN(named_where_it_must_be);
	TAP_RUN(killed_half_way);
	/* valgrind does not know openat2(2), without which it is in place; its own calls */
	if (!getenv("UNDER_VALGRIND")) {
		TAP_RUN(through_links);
		TAP_RUN(ended_while_it_takes_the_name);
	}
	return tap_done();
}
