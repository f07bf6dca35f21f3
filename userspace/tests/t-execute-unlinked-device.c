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

static void bind_on(const char *from, const char *to)
{
	TRY(mount(from, to, NULL, MS_BIND, NULL));
	TRY(mount("none", to, NULL, MS_PRIVATE, NULL));
}

static void mtime(const char *path, time_t t)
{
	TRY(utimensat(AT_FDCWD, path, (struct timespec[2]){ { t, 5 }, { t, 7 } }, 0));
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

#define EXPECT(x)	do { if (!(x)) { printf("# failed: %s (%m)\n", #x); \
				fflush(stdout); return 1; } } while (0)

static bool reads(const char *path, const char *text)
{
	char buf[64] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof(buf) - 1);

	close(fd);
	return n >= 0 && !strcmp(buf, text);
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
	char value;

	EXPECT(!stat("/on", &st) && !stat("/on2", &two));
	EXPECT(st.st_ino == two.st_ino && !st.st_nlink);
	EXPECT(st.st_uid == 7 && st.st_gid == 8 && st.st_mode == (S_IFREG | 04751));
	EXPECT(st.st_mtim.tv_sec == 1000 && st.st_mtim.tv_nsec == 7);
	EXPECT(getxattr("/on", "trusted.a", &value, 1) == 1 && value == 'b');
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

static void inside(const struct back *b, int (*fn)(void))
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	REQUIRE(pid >= 0);
	if (!pid) {
		TRY(setns(mntcr_restored_ns_fd(b->r, 0), CLONE_NEWNS));
		_exit(fn());
	}
	REQUIRE(waitpid(pid, &status, 0) == pid);
	CHECK_EQ(status, 0);
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
	inside(b, fn);
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

static void what_cannot_be_made(void)
{
	uint32_t m;
	struct back b;

	dump(&b, build);
	/* whoever says a handle could mean any file of it */
	from_path(&b);
	bad(&b, true, "it had another name, and is found only where a device stands for its superblock");
	CHECK(!disk_is_clean("/tmp/here"));
	TRY(umount("/tmp/here"));
	b.o.nr_externals = 0;
	from_device(&b);
	/* the image has it read-only: nobody writes there */
	m = mc_mount_at(b.t, 0, "/disk");
	REQUIRE(m != MC_NONE);
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
	/* gone meanwhile */
	TRY(mount(disk.path, "/tmp/here", "ext4", 0, NULL));
	TRY(unlink("/tmp/here/kept"));
	TRY(umount("/tmp/here"));
	b.o.nr_devices = 1;
	b.from.path = disk.path;
	bad(&b, false, "it had another name, and is not there any more");
	TRY(mount(disk.path, "/tmp/here", "ext4", 0, NULL));
	CHECK_EQ(names_in("/tmp/here"), 1);
	CHECK_EQ(names_in("/tmp/here/d"), 1);
	done(&b);
}

int main(void)
{
	make_host();
	TRY(mkdir("/tmp/here", 0755));
	if (!disk_make("/tmp/disk.img") || !disk_attach("/tmp/disk.img", &disk)) {
		puts("1..0 # SKIP no mke2fs, or no loop devices");
		return 0;
	}
	TRY(mount(disk.path, "/tmp/here", "ext4", 0, NULL));
	TRY(mkdir("/tmp/here/d", 0755));
	put("/tmp/here/kept", "kept");
	TRY(truncate("/tmp/here/kept", 1 << 20));
	TRY(umount("/tmp/here"));
	TAP_RUN(on_its_device);
	TAP_RUN(where_the_device_is_mounted);
	TAP_RUN(given_up_half_way);
	TAP_RUN(what_cannot_be_made);
	return tap_done();
}
