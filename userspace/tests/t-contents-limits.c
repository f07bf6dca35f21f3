// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What an archive can have, up to the last byte of it: that comes back, and what is beyond
 * is refused by name before anything is written that nobody could read.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <limits.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/xattr.h>
#include <time.h>

#include "saved.h"

static char value[XATTR_SIZE_MAX];

/* It comes back the same. */
static off_t comes_back(void)
{
	struct mntcr_contents *a = save("a"), *b;
	struct stat st;
	struct seen s;

	fill(a, "b");
	b = save("b");
	if (compare(a, b, &s))
		TAP_SAY("%s", s.all);
	CHECK_EQ(s.nr, 0);
	REQUIRE(!fstat(a->fd, &st));
	mntcr_contents_free(a);
	mntcr_contents_free(b);
	return st.st_size;
}

/* --- attributes ------------------------------------------------------------------ */

static bool is_saved(void)
{
	struct mntcr_error e = { 0 };
	FILE *f = tmpfile();
	int root = root_of("a");
	struct mc_save *s;
	bool is;

	REQUIRE(f && !mc_save_new(&s, f, "{}", 2, &e));
	is = !mc_save_tree(s, &sb, root, "/", NULL, &e);
	if (!is)
		CHECK_STR(e.rule, "attributes-too-large");
	mc_save_end(s, true, &e);
	fclose(f);
	close(root);
	return is;
}

/* So many whole ones, and of the last one as much as goes in: that is read back. */
static void attributes_up_to_the_limit(const char *file, const char *name, size_t whole)
{
	size_t from = 0, end = sizeof(value), mid;
	char key[256];
	size_t i;

	for (i = 0; i < whole; i++) {
		snprintf(key, sizeof(key), "%s%zu", name, i);
		REQUIRE(!lsetxattr(file, key, value, sizeof(value), 0));
	}
	while (end - from > 1) {
		mid = from + (end - from) / 2;
		REQUIRE(!lsetxattr(file, name, value, mid, 0));
		if (is_saved())
			from = mid;
		else
			end = mid;
	}
	CHECK(from);
	REQUIRE(!lsetxattr(file, name, value, end, 0));
	is_not_saved("a", "attributes-too-large");
	REQUIRE(!lsetxattr(file, name, value, from, 0));
	comes_back();
}

static void attributes_of_any_size_that_is_saved(void)
{
	char far[4000], *p = far;
	int i;

	memset(value, '\377', sizeof(value));
	fresh("a");
	put("a/f", "", 0, 0);
	attributes_up_to_the_limit("a/f", "trusted.a", 11);
	/* with holes, its name is said twice; and so is a long one */
	fresh("a");
	for (i = 0; i < 15; i++) {
		p += sprintf(p, i ? "/%0200d" : "a/%0200d", i);
		REQUIRE(!mkdir(far, 0700));
	}
	strcpy(p, "/f");
	put(far, "x", 1, 1 << 20);
	attributes_up_to_the_limit(far, "trusted.\377=%\n", 11);
	fresh("a");
	memset(far, 't', sizeof(far) - 1);
	far[sizeof(far) - 1] = '\0';
	REQUIRE(!symlink(far, "a/l"));
	attributes_up_to_the_limit("a/l", "trusted.a", 11);
}

/* More names than a list of them may have. */
static void more_names_than_are_listed(void)
{
	char key[256];
	int i;

	fresh("a");
	put("a/f", "", 0, 0);
	for (i = 0; i < 300; i++) {
		snprintf(key, sizeof(key), "trusted.%0230d", i);
		REQUIRE(!setxattr("a/f", key, "", 0, 0));
	}
	is_not_saved("a", "attributes-too-large");
}

/* --- holes ----------------------------------------------------------------------- */

/* Of this process: other work on the machine is not what is measured. */
static time_t seconds(void)
{
	struct timespec now;

	REQUIRE(!clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now));
	return now.tv_sec;
}

static void in_time(time_t from)
{
	time_t took = seconds() - from;

	if (took > 100)
		TAP_SAY("it took %ld s", (long)took);
	CHECK(took <= 100);
}

static void holes_up_to_the_limit(void)
{
	const int64_t page = sysconf(_SC_PAGESIZE);
	time_t from = seconds();
	struct stat st;

	fresh("a");
	put("a/f", "x", 1, (1LL << 55) - page);
	REQUIRE(!truncate("a/f", 1LL << 55));
	put("a/g", "", 0, 0);
	REQUIRE(!truncate("a/g", (1LL << 55) + page));
	CHECK(comes_back() < 100000);
	REQUIRE(!stat("b/f", &st));
	CHECK_EQ(st.st_size, 1LL << 55);
	CHECK(st.st_blocks <= page / 512);
	REQUIRE(!stat("b/g", &st));
	CHECK_EQ(st.st_size, (1LL << 55) + page);
	CHECK_EQ(st.st_blocks, 0);
	in_time(from);
}

static void holes_beyond_it(void)
{
	time_t from = seconds();

	fresh("a");
	put("a/f", "", 0, 0);
	REQUIRE(!truncate("a/f", (1LL << 56) + 1));
	is_not_saved("a", "holes-too-large");
	REQUIRE(!truncate("a/f", LLONG_MAX));
	is_not_saved("a", "holes-too-large");
	put("a/f", "x", 1, 1LL << 62);
	is_not_saved("a", "holes-too-large");
	/* of two together */
	REQUIRE(!truncate("a/f", 1LL << 56));
	put("a/g", "", 0, 0);
	REQUIRE(!truncate("a/g", 1));
	is_not_saved("a", "holes-too-large");
	in_time(from);
}

static size_t most_mapped = SIZE_MAX;
void *__real_mmap(void *at, size_t n, int prot, int flags, int fd, off_t from);
void *__wrap_mmap(void *at, size_t n, int prot, int flags, int fd, off_t from);

void *__wrap_mmap(void *at, size_t n, int prot, int flags, int fd, off_t from)
{
	if (n <= most_mapped)
		return __real_mmap(at, n, prot, flags, fd, from);
	errno = ENOMEM;
	return MAP_FAILED;
}

/* Where there are few addresses, in smaller steps. */
static void holes_with_few_addresses(void)
{
	most_mapped = 20 << 20;
	fresh("a");
	put("a/f", "x", 1, 1LL << 45);
	CHECK(comes_back() < 100000);
	most_mapped = SIZE_MAX;
}

/* --- pieces ---------------------------------------------------------------------- */

/* As if each byte at an even place were data with holes around it. */
static bool each_byte;
off_t __real_lseek(int fd, off_t at, int whence);
off_t __wrap_lseek(int fd, off_t at, int whence);

off_t __wrap_lseek(int fd, off_t at, int whence)
{
	if (!each_byte || (whence != SEEK_DATA && whence != SEEK_HOLE))
		return __real_lseek(fd, at, whence);
	return at + (whence == SEEK_DATA ? at % 2 : (at + 1) % 2);
}

/* So many of them. */
static void make_pieces(size_t nr)
{
	static char x[2 * ((1 << 20) + 1)];
	size_t i;

	fresh("a");
	for (i = 0; i < nr; i++)
		x[2 * i] = 'x';
	put("a/f", x, 2 * nr, 0);
}

static void pieces_up_to_the_limit(void)
{
	struct mntcr_contents *a, *b;
	time_t from = seconds();
	struct seen s;
	struct stat st;

	fresh_options = "size=8m";
	make_pieces(1 << 20);
	each_byte = true;
	a = save("a");
	each_byte = false;
	/* two numbers of each, and its one byte */
	REQUIRE(!fstat(a->fd, &st));
	CHECK(st.st_size < 12 << 20);
	fill(a, "b");
	each_byte = true;
	b = save("b");
	each_byte = false;
	CHECK_EQ(compare(a, b, &s), 0);
	in_time(from);
	mntcr_contents_free(a);
	mntcr_contents_free(b);
	/* one more is refused */
	make_pieces((1 << 20) + 1);
	each_byte = true;
	is_not_saved("a", "too-many-holes");
	each_byte = false;
	fresh_options = "size=1m";
}

/* --- times ------------------------------------------------------------------------ */

/* As far from now as a filesystem keeps them. */
static void times_of_any_kind(void)
{
	static const struct timespec at[] = {
		{ 0, 0 }, { 0, 1 }, { -1, 0 }, { -1, 999999999 }, { 1, 100000000 },
		{ 0x7fffffff, 0 }, { 1LL << 33, 5 }, { 1LL << 62, 0 }, { INT64_MAX, 0 },
		{ -(1LL << 62), 0 }, { INT64_MIN + 1, 0 },
	};
	char name[32];
	size_t i;

	fresh("a");
	for (i = 0; i < MC_ARRAY_SIZE(at); i++) {
		snprintf(name, sizeof(name), "a/%zu", i);
		put(name, "", 0, 0);
		REQUIRE(!utimensat(AT_FDCWD, name, (struct timespec[2]){ at[i], at[i] }, 0));
	}
	comes_back();
}

/* --- paths ------------------------------------------------------------------------ */

/* 30 directories with such names in one another, the path without "/" at its ends. */
static char far_path[30 * 251];

static int make_far(void)
{
	int at, next, i;
	char *p;

	fresh("a");
	at = root_of("a");
	memset(far_path, 'd', sizeof(far_path));
	for (i = 0; i < 30; i++) {
		p = far_path + 251 * i;
		p[250] = '\0';
		REQUIRE(!mkdirat(at, p, 0755));
		next = openat(at, p, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		REQUIRE(next >= 0);
		close(at);
		at = next;
		p[250] = i < 29 ? '/' : '\0';
	}
	return at;
}

/* What goes by paths comes back: links, what no link could be made to, and ways. */
static void farther_than_a_path_may_be(void)
{
	int at = make_far(), fd, flags = FS_IMMUTABLE_FL, root;
	struct stat x, y;
	size_t len;

	fd = openat(at, "f", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	REQUIRE(fd >= 0 && write(fd, "x", 1) == 1 && !linkat(at, "f", at, "g", 0));
	if (ioctl(fd, FS_IOC_SETFLAGS, &flags))
		TAP_SAY("no inode flags here");
	close(fd);
	comes_back();
	root = root_of("b");
	close(at);
	len = strlen(far_path);
	at = mc_contents_dir(root, far_path, len);
	REQUIRE(at >= 0 && !fstatat(at, "f", &x, 0) && !fstatat(at, "g", &y, 0));
	CHECK_EQ(x.st_ino, y.st_ino);
	close(at);
	at = mc_contents_way(root, far_path, &len);
	CHECK(at >= 0);
	CHECK_EQ(len, strlen(far_path));
	close(at);
	/* as far as it is there */
	far_path[len - 1] = 'x';
	at = mc_contents_way(root, far_path, &len);
	CHECK(at >= 0);
	CHECK_EQ(len, strlen(far_path) - 251);
	close(at);
	close(root);
}

/* Over no link and no mount, however far from the start these are. */
static void no_other_way_there(void)
{
	char *last = far_path + 29 * 251;
	int at = make_far(), up = openat(at, "..", O_PATH | O_CLOEXEC), root = root_of("a");
	char proc[40];

	REQUIRE(up >= 0 && !mkdirat(at, "e", 0700));
	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", at);
	REQUIRE(!mount("t", proc, "tmpfs", 0, NULL));
	CHECK_EQ(mc_contents_dir(root, far_path, strlen(far_path)), -1);
	CHECK_EQ(errno, EXDEV);
	REQUIRE(!umount2(proc, MNT_DETACH));
	close(at);
	REQUIRE(!renameat(up, last, up, "e") && !symlinkat("e", up, last));
	CHECK_EQ(mc_contents_dir(root, far_path, strlen(far_path)), -1);
	CHECK_EQ(errno, ELOOP);
	close(up);
	close(root);
}

int main(void)
{
	start();
	TAP_RUN(attributes_of_any_size_that_is_saved);
	TAP_RUN(more_names_than_are_listed);
	TAP_RUN(holes_up_to_the_limit);
	TAP_RUN(holes_beyond_it);
	TAP_RUN(holes_with_few_addresses);
	TAP_RUN(pieces_up_to_the_limit);
	TAP_RUN(times_of_any_kind);
	TAP_RUN(farther_than_a_path_may_be);
	TAP_RUN(no_other_way_there);
	end();
	return tap_done();
}
