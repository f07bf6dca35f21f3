// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What has been unlinked on a device and is mounted: made again where the device is now,
 * mounted, and unlinked again.  Nothing of that is left there, whatever goes wrong.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <dirent.h>
#include <stdlib.h>
#include <sys/xattr.h>

#include "base/base.h"
#include "checked.h"
#include "disk.h"
#include "topology/topology.h"
#include "unlinked.h"

#define CAPABILITY "\1\0\0\2\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0"

static const char *image = "/tmp/image";
static struct disk disk;

struct back {
	struct mntcr_topology *t;
	struct mntcr_contents *c;
	struct mntcr_restored *r;
	struct mntcr_restore_options o;
	struct mntcr_external from;
	struct mntcr_error e;
	char key[32];
	int turns;
};

static void say(void *data, const char *line)
{
	TAP_SAY("%s", line);
}

/* A disk of its own, and what is on it from before. */
static void build(void)
{
	TRY(mkdir("disk", 0755));
	TRY(mount(disk.path, "disk", "ext4", 0, NULL));
	put("on", "");
	put("on2", "");
	put("on3", "");
	put("on4", "");
	put("on5", "");
	TRY(mkdir("ondir", 0755));
	/* two binds of one */
	put("disk/d/f", "what was in it");
	TRY(chown("disk/d/f", 7, 8));
	TRY(chmod("disk/d/f", 04751));
	TRY(setxattr("disk/d/f", "trusted.a", "b", 1, 0));
	/* where the kernel has none of these, they are not missed */
	if (setxattr("disk/d/f", "security.capability", CAPABILITY, 20, 0))
		TRY(errno == EOPNOTSUPP ? 0 : -1);
	mtime("disk/d/f", 1000);
	bind_on("disk/d/f", "on");
	bind_on("disk/d/f", "on2");
	TRY(unlink("disk/d/f"));
	/* whose name has been taken since */
	unlink("disk/d/taken");
	put("disk/d/taken", "first");
	bind_on("disk/d/taken", "on3");
	TRY(unlink("disk/d/taken"));
	put("disk/d/taken", "second");
	/* with a name that is left, and more in it than an archive should have */
	TRY(link("disk/kept", "disk/d/gone"));
	bind_on("disk/d/gone", "on4");
	TRY(unlink("disk/d/gone"));
	/* a directory, and what was in it */
	TRY(mkdir("disk/dir", 0700));
	put("disk/dir/f", "in it");
	bind_on("disk/dir", "ondir");
	bind_on("disk/dir/f", "on5");
	TRY(unlink("disk/dir/f"));
	TRY(rmdir("disk/dir"));
	mtime("disk/d", 2000);
}

/* With enough to do that it can be given up in between. */
static void build_many(void)
{
	char path[20];
	int i;

	build();
	TRY(umount("on4"));
	for (i = 0; i < 70; i++) {
		snprintf(path, sizeof(path), "many%d", i);
		put(path, "");
		bind_on("on4", path);
	}
}

/* Without the one that only a whole device has. */
static void build_without_names(void)
{
	build();
	TRY(umount("on4"));
}

static void build_many_here(void)
{
	char path[20];
	int i;

	build_without_names();
	for (i = 0; i < 70; i++) {
		snprintf(path, sizeof(path), "many%d", i);
		put(path, "");
		bind_on("on4", path);
	}
}

/* Where nothing else was in it. */
static void build_a_directory(void)
{
	build_many_here();
	TRY(umount("on5"));
}

static void dump(struct back *b, void (*fn)(void))
{
	const struct mntcr_source src = {
		.type = MNTCR_SOURCE_PID, .pid = (uint32_t)make_container(fn),
	};
	const struct mntcr_contents_options o = {
		.size = sizeof(o), .sources = &src, .nr_sources = 1, .left_out = say,
	};
	struct mntcr_topology *t = NULL;
	int ret;

	memset(b, 0, sizeof(*b));
	ret = mntcr_capture(&src, 1, NULL, &t, &b->e) ||
	      mntcr_image_write_contents(t, &o, image, &b->e);
	mntcr_topology_free(t);
	end((pid_t)src.pid);
	if (ret)
		TAP_SAY("%s", b->e.text);
	REQUIRE(!ret);
	REQUIRE(!mntcr_image_read_contents(image, &b->t, &b->c, &b->e));
	snprintf(b->key, sizeof(b->key), "%u:%u", major(disk.dev), minor(disk.dev));
	b->o.size = sizeof(b->o);
	b->o.contents = b->c;
	b->from.key = b->key;
}

static void from_device(struct back *b)
{
	b->from.path = disk.path;
	b->o.devices = &b->from;
	b->o.nr_devices = 1;
}

static void from_path(struct back *b)
{
	TRY(mount(disk.path, "/tmp/here", "ext4", 0, NULL));
	b->from.path = "/tmp/here";
	b->o.externals = &b->from;
	b->o.nr_externals = 1;
}

static void done(struct back *b)
{
	mntcr_restored_free(b->r);
	mntcr_contents_free(b->c);
	mntcr_topology_free(b->t);
	umount("/tmp/here");
}

static int names_in(const char *path)
{
	DIR *d = opendir(path);
	const struct dirent *x;
	int n = 0;

	while (d && (x = readdir(d)))
		n += strcmp(x->d_name, ".") && strcmp(x->d_name, "..") &&
		     strcmp(x->d_name, "lost+found");
	if (d)
		closedir(d);
	return n;
}

/* As the container has left it, below its root. */
static int disk_is_clean(const char *root)
{
	char d[100], taken[120];
	struct stat st;

	snprintf(d, sizeof(d), "%s/d", root);
	snprintf(taken, sizeof(taken), "%s/d/taken", root);
	EXPECT(names_in(root) == 2 && names_in(d) == 1);
	EXPECT(reads(taken, "second"));
	EXPECT(!stat(d, &st) && st.st_mtim.tv_sec == 2000 && st.st_mtim.tv_nsec == 7);
	return 0;
}

static int all_is_there(void)
{
	struct stat st, two;
	char value, cap[20];

	EXPECT(!stat("/on", &st) && !stat("/on2", &two));
	EXPECT(st.st_ino == two.st_ino && !st.st_nlink);
	EXPECT(st.st_uid == 7 && st.st_gid == 8 && st.st_mode == (S_IFREG | 04751));
	EXPECT(st.st_mtim.tv_sec == 1000 && st.st_mtim.tv_nsec == 7);
	EXPECT(getxattr("/on", "trusted.a", &value, 1) == 1 && value == 'b');
	EXPECT(getxattr("/on", "security.capability", cap, 20) == 20 ?
	       !memcmp(cap, CAPABILITY, 20) : errno == EOPNOTSUPP);
	EXPECT(reads("/on", "what was in it") && reads("/on3", "first"));
	EXPECT(!stat("/ondir", &st) && st.st_mode == (S_IFDIR | 0700) && !st.st_nlink);
	EXPECT(reads("/on5", "in it"));
	return disk_is_clean("/disk");
}

static int all_and_the_other_name(void)
{
	struct stat st, kept;

	EXPECT(!stat("/on4", &st) && !stat("/disk/kept", &kept));
	EXPECT(st.st_ino == kept.st_ino && kept.st_nlink == 1);
	EXPECT(st.st_size == 1 << 20);
	return all_is_there();
}

/* And it is what it was, contents included. */
static void same(struct back *b)
{
	const struct mntcr_source src = {
		.type = MNTCR_SOURCE_FD, .fd = mntcr_restored_ns_fd(b->r, 0),
	};
	const struct mntcr_contents_options o = {
		.size = sizeof(o), .sources = &src, .nr_sources = 1, .left_out = say,
	};
	struct mntcr_verify_options v = {
		.size = sizeof(v), .report = say, .flags = MNTCR_VERIFY_ORDER,
	};
	struct mntcr_topology *t = NULL;
	struct mntcr_contents *c = NULL;
	size_t nr = 1;

	REQUIRE(!mntcr_capture(&src, 1, NULL, &t, &b->e));
	REQUIRE(!mntcr_image_write_contents(t, &o, image, &b->e));
	mntcr_topology_free(t);
	REQUIRE(!mntcr_image_read_contents(image, &t, &c, &b->e));
	v.contents_a = b->c;
	v.contents_b = c;
	REQUIRE(!mntcr_verify(b->t, t, &v, &nr, &b->e));
	CHECK_EQ(nr, 0);
	mntcr_topology_free(t);
	mntcr_contents_free(c);
}

static void good(struct back *b, int (*fn)(void))
{
	FILE *null = fopen("/dev/null", "we");
	int ret = mntcr_check_restore(b->t, &b->o, false, null, &b->e);

	fclose(null);
	if (!ret)
		ret = mntcr_restore(b->t, &b->o, &b->r, &b->e);
	if (ret)
		TAP_SAY("%s", b->e.text);
	REQUIRE(!ret);
	inside(mntcr_restored_ns_fd(b->r, 0), fn);
	same(b);
}

/* listed: it is known beforehand */
static void bad(struct back *b, bool listed, const char *says)
{
	char *list = NULL;
	size_t size;
	FILE *out = listed ? open_memstream(&list, &size) : NULL;

	CHECK_EQ(mntcr_restore(b->t, &b->o, &b->r, &b->e), -1);
	CHECK_EQ(b->e.code, MNTCR_REFUSED);
	CHECK_STR(b->e.rule, "deleted-root");
	CHECK(has(b->e.text, says));
	if (listed) {
		REQUIRE(out);
		CHECK_EQ(mntcr_check_restore(b->t, &b->o, false, out, &b->e), -1);
		fclose(out);
		CHECK(has(list, says));
		free(list);
	}
}

static void on_its_device(void)
{
	static const enum mntcr_api apis[] = { MNTCR_API_AUTO, MNTCR_API_UPSTREAM };
	struct back b;
	size_t i;

	for (i = 0; i < MC_ARRAY_SIZE(apis); i++) {
		dump(&b, build);
		from_device(&b);
		b.o.api = apis[i];
		good(&b, all_and_the_other_name);
		done(&b);
	}
}

static void where_the_device_is_mounted(void)
{
	static const enum mntcr_api apis[] = { MNTCR_API_AUTO, MNTCR_API_UPSTREAM };
	struct back b;
	size_t i;

	for (i = 0; i < MC_ARRAY_SIZE(apis); i++) {
		dump(&b, build_without_names);
		from_path(&b);
		b.o.api = apis[i];
		good(&b, all_is_there);
		CHECK(!disk_is_clean("/tmp/here"));
		done(&b);
	}
}

static bool cancelled(void *data)
{
	struct back *b = data;

	return --b->turns < 0;
}

/* All of it is what was given: what a handle means is in there. */
static void by_its_handle_where_the_device_is_mounted(void)
{
	static const enum mntcr_api apis[] = { MNTCR_API_AUTO, MNTCR_API_UPSTREAM };
	struct back b;
	uint32_t m;
	size_t i;

	for (i = 0; i < MC_ARRAY_SIZE(apis); i++) {
		dump(&b, build);
		m = mc_mount_at(b.t, 0, "/disk");
		REQUIRE(m != MC_NONE);
		if (!b.t->sbs[b.t->mounts[m].sb].uuid) {
			done(&b);
			SKIP("this kernel tells no UUID");
		}
		from_path(&b);
		b.o.api = apis[i];
		good(&b, all_and_the_other_name);
		CHECK(!disk_is_clean("/tmp/here"));
		done(&b);
	}
}

/* A mount of a part: a handle could mean what is outside of that. */
static void by_no_handle_in_a_part(void)
{
	struct back b;

	dump(&b, build);
	from_path(&b);
	TRY(mkdir("/tmp/here/sub", 0755));
	TRY(rename("/tmp/here/d", "/tmp/here/sub/d"));
	TRY(mkdir("/tmp/part", 0755));
	TRY(mount("/tmp/here/sub", "/tmp/part", NULL, MS_BIND, NULL));
	b.from.path = "/tmp/part";
	bad(&b, true, "it had another name, and is found only where a device stands");
	TRY(umount("/tmp/part"));
	/* and below the root of a mount of all */
	b.from.path = "/tmp/here/sub";
	bad(&b, true, "it had another name, and is found only where a device stands");
	TRY(rename("/tmp/here/sub/d", "/tmp/here/d"));
	TRY(rmdir("/tmp/here/sub"));
	TRY(rmdir("/tmp/part"));
	mtime("/tmp/here/d", 2000);
	done(&b);
}

/* Whenever that is asked. */
static void given_up_half_way(void)
{
	int way, turns, ret = -1;
	struct back b;

	for (way = 0; way < 2; way++) {
		dump(&b, build_many);
		if (way)
			from_path(&b);
		else
			from_device(&b);
		b.o.cancelled = cancelled;
		b.o.data = &b;
		for (turns = 0; turns < 100; turns++) {
			b.turns = turns;
			ret = mntcr_restore(b.t, &b.o, &b.r, &b.e);
			if (!ret)
				break;
			CHECK_EQ(b.e.err, EINTR);
			if (!way)
				TRY(mount(disk.path, "/tmp/here", "ext4", 0, NULL));
			REQUIRE(!disk_is_clean("/tmp/here"));
			if (!way)
				TRY(umount("/tmp/here"));
		}
		CHECK_EQ(ret, 0);
		CHECK(turns > 1);
		done(&b);
	}
}

/* From where it is mounted that is known before anything is made. */
static void has_gone(struct back *b, const char *says)
{
	struct stat before, after;

	/* some kernels tell no UUID */
	if (strstr(says, "another name") &&
	    !b->t->sbs[b->t->mounts[mc_mount_at(b->t, 0, "/disk")].sb].uuid)
		says = "it had another name, and is found only where a device stands";
	b->from.path = "/tmp/here";
	b->o.nr_externals = 1;
	REQUIRE(!stat("/tmp/here", &before));
	bad(b, true, says);
	REQUIRE(!stat("/tmp/here", &after));
	CHECK(!memcmp(&before.st_ctim, &after.st_ctim, sizeof(before.st_ctim)));
	b->o.nr_externals = 0;
}

static void what_cannot_be_made(void)
{
	uint32_t m;
	struct stat before, after;
	const char *uuid;
	struct back b;
	int held;

	dump(&b, build);
	/* whoever says a handle could mean any file of it: not without its UUID */
	from_path(&b);
	m = mc_mount_at(b.t, 0, "/disk");
	REQUIRE(m != MC_NONE);
	uuid = b.t->sbs[b.t->mounts[m].sb].uuid;
	b.t->sbs[b.t->mounts[m].sb].uuid = NULL;
	REQUIRE(!stat("/tmp/here/d", &before));
	bad(&b, true, "it had another name, and is found only where a device stands for its superblock");
	CHECK(!disk_is_clean("/tmp/here"));
	/* and nothing has been made before */
	REQUIRE(!stat("/tmp/here/d", &after));
	CHECK(!memcmp(&before.st_ctim, &after.st_ctim, sizeof(before.st_ctim)));
	/* nor of another one */
	b.t->sbs[b.t->mounts[m].sb].uuid = "01234567-89ab-cdef-0123-456789abcdef";
	bad(&b, true, "or the root of a mount of all of it, whose UUID is the image's");
	b.t->sbs[b.t->mounts[m].sb].uuid = uuid;
	CHECK(!disk_is_clean("/tmp/here"));
	TRY(umount("/tmp/here"));
	b.o.nr_externals = 0;
	from_device(&b);
	b.o.contents = NULL;
	CHECK_EQ(mntcr_restore(b.t, &b.o, &b.r, &b.e), -1);
	CHECK_EQ(b.e.code, MNTCR_USAGE);
	CHECK(has(b.e.text, "which were not given"));
	b.o.contents = b.c;
	/* the image has it read-only: nobody writes there */
	b.t->sbs[b.t->mounts[m].sb].flags |= MS_RDONLY;
	bad(&b, true, "the root of this mount has been unlinked");
	b.t->sbs[b.t->mounts[m].sb].flags &= ~(uint32_t)MS_RDONLY;
	b.o.nr_devices = 0;
	TRY(mount(disk.path, "/tmp/here", "ext4", MS_RDONLY, NULL));
	b.from.path = "/tmp/here";
	b.o.nr_externals = 1;
	bad(&b, true, "/tmp/here is read-only");
	TRY(umount("/tmp/here"));
	b.o.nr_externals = 0;
	/* gone meanwhile: not quite, and altogether */
	TRY(mount(disk.path, "/tmp/here", "ext4", 0, NULL));
	held = open("/tmp/here/kept", O_RDONLY | O_CLOEXEC);
	REQUIRE(held >= 0);
	TRY(unlink("/tmp/here/kept"));
	has_gone(&b, "it had another name, and has none any more");
	b.o.nr_devices = 1;
	b.from.path = disk.path;
	bad(&b, false, "it had another name, and has none any more");
	CHECK_EQ(names_in("/tmp/here"), 1);
	close(held);
	b.o.nr_devices = 0;
	has_gone(&b, "it had another name, and is not there any more");
	TRY(rename("/tmp/here/d", "/tmp/here/e"));
	put("/tmp/here/d", "a file");
	has_gone(&b, "what it was in is no directory any more");
	TRY(unlink("/tmp/here/d"));
	TRY(rename("/tmp/here/e", "/tmp/here/d"));
	TRY(umount("/tmp/here"));
	b.o.nr_devices = 1;
	b.from.path = disk.path;
	bad(&b, false, "it had another name, and is not there any more");
	TRY(mount(disk.path, "/tmp/here", "ext4", 0, NULL));
	CHECK_EQ(names_in("/tmp/here"), 1);
	CHECK_EQ(names_in("/tmp/here/d"), 1);
	done(&b);
}

/* Of what the restore's thread sees, paths need not lead there. */
static int here = -1;

static void open_here(void)
{
	here = open("/tmp/here", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	REQUIRE(here >= 0);
}

static void put_at(int dir, const char *name)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
			0600);

	REQUIRE(fd >= 0 && write(fd, "theirs", 6) == 6);
	close(fd);
}

/* What begins like that in a directory; how many there are. */
static int find(const char *dir, const char *start, char *name)
{
	int fd = openat(here, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), n = 0;
	DIR *d = fdopendir(fd);
	const struct dirent *x;

	REQUIRE(d);
	while ((x = readdir(d)))
		if (!strncmp(x->d_name, start, strlen(start)) &&
		    (*start || *x->d_name != '.')) {
			n++;
			if (name)
				snprintf(name, 256, "%s", x->d_name);
		}
	closedir(d);
	return n;
}

#define ASIDE ".mntcr-unlinked-"

/* Asked between steps: nothing that is made is where others get in. */
static bool looks(void *data)
{
	struct back *b = data;
	char name[256];
	struct stat st;

	CHECK_EQ(find("d", "", NULL), 1);
	CHECK_EQ(find("d", ".", NULL), 2);
	if (!find(".", ASIDE, name))
		return false;
	b->turns++;
	CHECK_EQ(find(".", ASIDE, NULL), 1);
	CHECK(!fstatat(here, name, &st, AT_SYMLINK_NOFOLLOW));
	CHECK_EQ(st.st_mode, S_IFDIR | 0700);
	CHECK_EQ(st.st_uid, 0);
	return false;
}

static void nobody_else_gets_in(void)
{
	struct back b;

	dump(&b, build_many_here);
	from_path(&b);
	open_here();
	b.o.cancelled = looks;
	b.o.data = &b;
	good(&b, all_is_there);
	CHECK(b.turns > 0);
	CHECK(!disk_is_clean("/tmp/here"));
	close(here);
	done(&b);
}

/* Once they are made: a directory gets something into it. */
static bool put_into_it(void *data)
{
	struct back *b = data;
	char aside[256], name[20];
	struct stat st;
	int fd, i, dir;

	if (b->turns || !find(".", ASIDE, aside))
		return false;
	fd = openat(here, aside, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (i = 1; i < 9; i++) {
		snprintf(name, sizeof(name), "%d", i);
		if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) ||
		    !S_ISDIR(st.st_mode))
			continue;
		dir = openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		put_at(dir, "x");
		close(dir);
		b->turns++;
	}
	/* where it is not kept apart */
	if (!b->turns && fd >= 0) {
		put_at(fd, "x");
		b->turns++;
	}
	close(fd);
	return false;
}

static void clean_up(void)
{
	CHECK_EQ(system("rm -r /tmp/here/" ASIDE "*"), 0);
}

/* What has the name by now comes back, and so does what is in the way. */
static void what_has_the_name_is_kept(void)
{
	struct back b;

	dump(&b, build_a_directory);
	from_path(&b);
	open_here();
	put("/tmp/here/dir", "precious");
	b.o.cancelled = put_into_it;
	b.o.data = &b;
	CHECK_EQ(mntcr_restore(b.t, &b.o, &b.r, &b.e), -1);
	CHECK(has(b.e.text, "unlinking /dir again"));
	CHECK_EQ(b.turns, 1);
	CHECK(reads("/tmp/here/dir", "precious"));
	unlink("/tmp/here/dir");
	clean_up();
	mtime("/tmp/here/d", 2000);
	CHECK(!disk_is_clean("/tmp/here"));
	close(here);
	done(&b);
}

/* They are called as one of ours could be. */
static void names_of_others_are_left_alone(void)
{
	static const char *const names[] = {
		"/tmp/here/.mntcr-unlinked-1",
		"/tmp/here/d/.mntcr-unlinked-1",
		"/tmp/here/d/.mntcr-unlinked-2",
		"/tmp/here/d/.mntcr-unlinked-3",
	};
	struct back b;
	size_t i;

	dump(&b, build_without_names);
	from_path(&b);
	for (i = 0; i < MC_ARRAY_SIZE(names); i++)
		put(names[i], "theirs");
	if (mntcr_restore(b.t, &b.o, &b.r, &b.e)) {
		TAP_SAY("%s", b.e.text);
		CHECK(false);
	}
	for (i = 0; i < MC_ARRAY_SIZE(names); i++) {
		CHECK(reads(names[i], "theirs"));
		unlink(names[i]);
	}
	mtime("/tmp/here/d", 2000);
	CHECK(!disk_is_clean("/tmp/here"));
	done(&b);
}

/* Another directory comes into its place, by who may write there. */
static bool swap(void *data)
{
	struct back *b = data;
	char aside[256], name[20];
	int fd, i;

	if (b->turns || !find(".", ASIDE, aside))
		return false;
	b->turns = 1;
	TRY(renameat(here, aside, here, "moved"));
	TRY(mkdirat(here, aside, 0755));
	fd = openat(here, aside, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (i = 1; i < 6; i++) {
		snprintf(name, sizeof(name), "%d", i);
		put_at(fd, name);
	}
	close(fd);
	return false;
}

static void another_directory_is_noticed(void)
{
	char aside[256];
	struct back b;

	dump(&b, build_many_here);
	from_path(&b);
	open_here();
	b.o.cancelled = swap;
	b.o.data = &b;
	CHECK_EQ(mntcr_restore(b.t, &b.o, &b.r, &b.e), -1);
	CHECK_EQ(b.e.err, ESTALE);
	CHECK_EQ(b.turns, 1);
	CHECK_EQ(find(".", ASIDE, aside), 1);
	CHECK_EQ(find(aside, "", NULL), 5);
	CHECK_EQ(names_in("/tmp/here/moved"), 0);
	rmdir("/tmp/here/moved");
	clean_up();
	CHECK(!disk_is_clean("/tmp/here"));
	close(here);
	done(&b);
}

int main(void)
{
	make_host();
	TRY(mkdir("/tmp/here", 0755));
	if (!disk_make("/tmp/disk.img") || !disk_attach("/tmp/disk.img", &disk)) {
		puts("1..0 # SKIP no mke2fs, or no loop devices");
		return 4;
	}
	TRY(mount(disk.path, "/tmp/here", "ext4", 0, NULL));
	TRY(mkdir("/tmp/here/d", 0755));
	put("/tmp/here/kept", "kept");
	TRY(truncate("/tmp/here/kept", 1 << 20));
	TRY(umount("/tmp/here"));
	TAP_RUN(on_its_device);
	TAP_RUN(where_the_device_is_mounted);
	TAP_RUN(by_its_handle_where_the_device_is_mounted);
	TAP_RUN(by_no_handle_in_a_part);
	TAP_RUN(given_up_half_way);
	TAP_RUN(nobody_else_gets_in);
	TAP_RUN(what_has_the_name_is_kept);
	TAP_RUN(names_of_others_are_left_alone);
	TAP_RUN(another_directory_is_noticed);
	TAP_RUN(what_cannot_be_made);
	return tap_done();
}
