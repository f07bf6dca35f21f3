// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * --device: a filesystem on a block device comes back from whichever device has it here.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdlib.h>
#include <linux/fs.h>
#include <sys/fanotify.h>
#include <sys/sendfile.h>

#include "mntcr-stages.h"
#include "base/base.h"
#include "check/check.h"
#include "checked.h"
#include "disk.h"
#include "image/image.h"
#include "topology/topology.h"

long __real_syscall(long nr, long a, long b, long c, long d, long e, long f);
long __wrap_syscall(long nr, long a, long b, long c, long d, long e, long f);

static bool mounts_none;	/* of a device */
static int of_device = -1;

long __wrap_syscall(long nr, long a, long b, long c, long d, long e, long f)
{
	long ret;

	if (nr == __NR_fsmount && mounts_none && (int)a == of_device) {
		errno = EUSERS;
		return -1;
	}
	ret = __real_syscall(nr, a, b, c, d, e, f);
	if (nr == __NR_fsopen)
		of_device = strcmp((const char *)a, "ext4") ? -1 : (int)ret;
	return ret;
}

struct held {
	struct mntcr_topology *t;
	struct mntcr_error e;
	struct mntcr_restore_options o;
	struct mntcr_external device[3], external;
	char key[32], refusals[4][64], text[1200], line[900];
	unsigned int nr_refusals, nr_differences;
};

/* What the container has mounted, and what it may be found on afterwards. */
static struct disk was, is, other, none;
static const char *options;
static unsigned long flags;

static void refusal(void *data, const struct mntcr_refusal *r)
{
	struct held *h = data;

	if (h->nr_refusals < MC_ARRAY_SIZE(h->refusals))
		snprintf(h->refusals[h->nr_refusals], sizeof(h->refusals[0]), "%s",
			 r->rule);
	snprintf(h->text, sizeof(h->text), "%s; %s", r->text, r->help);
	h->nr_refusals++;
}

static void difference(void *data, const char *line)
{
	struct held *h = data;

	snprintf(h->line, sizeof(h->line), "%s", line);
	h->nr_differences++;
}

static void first_difference(void *data, const char *line)
{
	struct held *h = data;

	if (!h->nr_differences++)
		snprintf(h->line, sizeof(h->line), "%s", line);
}

static void build(void)
{
	TRY(mkdir("disk", 0755));
	TRY(mkdir("part", 0755));
	TRY(mount(was.path, "disk", "ext4", flags, options));
	TRY(mount("disk/vol", "part", NULL, MS_BIND, NULL));
	TRY(mount("none", "part", NULL, MS_BIND | MS_REMOUNT | MS_NOSUID, NULL));
}

static void dump_of(struct held *h, void (*fn)(void))
{
	memset(h, 0, sizeof(*h));
	h->t = image_of_container(fn);
	h->o.size = sizeof(h->o);
	h->o.devices = h->device;
	h->o.externals = &h->external;
	h->o.refused = refusal;
	h->o.difference = difference;
	h->o.data = h;
	snprintf(h->key, sizeof(h->key), "%u:%u", major(was.dev), minor(was.dev));
}

static void dump(struct held *h)
{
	dump_of(h, build);
}

static void from(struct held *h, const char *path)
{
	h->device[0] = (struct mntcr_external){ .key = h->key, .path = path };
	h->o.nr_devices = 1;
}

static bool is_there(int ns, const char *path)
{
	int status = -1;
	pid_t pid = fork();

	REQUIRE(pid >= 0);
	if (!pid)
		_exit(setns(ns, CLONE_NEWNS) || access(path, R_OK));
	waitpid(pid, &status, 0);
	return !status;
}

/* Of what has been restored, as a whole. */
static void look(struct held *h, const struct mntcr_restored *r, dev_t dev)
{
	struct mntcr_source src = {
		.type = MNTCR_SOURCE_FD, .fd = mntcr_restored_ns_fd(r, 0),
	};
	struct mntcr_topology *got = NULL;
	static const char *const paths[] = { "/disk", "/part" };
	/* that is the device's name */
	static const struct mntcr_verify_options but = {
		.size = sizeof(but), .flags = MNTCR_VERIFY_IGNORE_SOURCE,
	};
	size_t nr = 1, i;
	uint32_t m;

	REQUIRE(!mntcr_capture(&src, 1, NULL, &got, &h->e));
	REQUIRE(!mntcr_verify(h->t, got, &but, &nr, &h->e));
	CHECK_EQ(nr, 0);
	for (i = 0; i < MC_ARRAY_SIZE(paths); i++) {
		m = mc_mount_at(got, 0, paths[i]);
		REQUIRE(m != MC_NONE);
		CHECK_EQ(makedev(got->sbs[got->mounts[m].sb].major,
				 got->sbs[got->mounts[m].sb].minor), dev);
		CHECK_STR(got->sbs[got->mounts[m].sb].type, "ext4");
	}
	mntcr_topology_free(got);
}

static void good(struct held *h, dev_t dev)
{
	struct mntcr_restored *r = NULL;
	int ret;

	h->nr_refusals = h->nr_differences = 0;
	ret = mntcr_restore(h->t, &h->o, &r, &h->e);
	if (ret)
		TAP_SAY("%s", h->e.text);
	REQUIRE(!ret);
	look(h, r, dev);
	mntcr_restored_free(r);
}

static void bad(struct held *h, const char *rule, const char *says)
{
	struct mntcr_restored *r = NULL;
	char *list = NULL;
	size_t size;
	FILE *out = open_memstream(&list, &size);
	struct mntcr_error e;

	h->nr_refusals = 0;
	CHECK_EQ(mntcr_restore(h->t, &h->o, &r, &h->e), -1);
	CHECK_EQ(h->e.code, MNTCR_REFUSED);
	CHECK_STR(h->e.rule, rule);
	CHECK(has(h->e.text, says));
	/* and beforehand, in the same words */
	REQUIRE(out);
	CHECK_EQ(mntcr_check_restore(h->t, &h->o, false, out, &e), -1);
	fclose(out);
	CHECK(has(list, says));
	free(list);
}

static void wrong(struct held *h, const char *says)
{
	struct mntcr_restored *r = NULL;

	CHECK_EQ(mntcr_restore(h->t, &h->o, &r, &h->e), -1);
	CHECK_EQ(h->e.code, MNTCR_USAGE);
	CHECK(has(h->e.text, says));
}

static void done(struct held *h)
{
	mntcr_topology_free(h->t);
}

static void it_comes_from_the_device_that_is_named(void)
{
	struct mntcr_restored *r = NULL;
	struct held h;

	dump(&h);
	REQUIRE(h.t->nr_sbs >= 2);
	from(&h, is.path);
	h.nr_refusals = 0;
	REQUIRE(!mntcr_restore(h.t, &h.o, &r, &h.e));
	look(&h, r, is.dev);
	CHECK(is_there(mntcr_restored_ns_fd(r, 0), "/part/file"));
	CHECK_EQ(h.nr_differences, 2);
	CHECK(has(h.line, is.path));
	mntcr_restored_free(r);
	done(&h);
}

/* The filesystem is there, but no mount of it. */
static void what_fails_at_the_end_is_said(void)
{
	struct mntcr_restored *r = NULL;
	struct held h;

	dump(&h);
	from(&h, is.path);
	mounts_none = true;
	CHECK_EQ(mntcr_restore(h.t, &h.o, &r, &h.e), -1);
	mounts_none = false;
	CHECK_EQ(h.e.code, MNTCR_SYS);
	CHECK_EQ(h.e.err, EUSERS);
	CHECK(has(h.e.text, "fsmount"));
	done(&h);
}

static void its_options_are_as_they_were(void)
{
	struct held h;
	uint32_t m;

	options = "errors=continue,noauto_da_alloc";
	dump(&h);
	options = NULL;
	m = mc_mount_at(h.t, 0, "/disk");
	REQUIRE(m != MC_NONE);
	CHECK(has(mc_mount_options(h.t, &h.t->mounts[m]), "noauto_da_alloc"));
	from(&h, is.path);
	good(&h, is.dev);	/* compares them */
	done(&h);
}

static struct mntcr_stages *begun(struct held *h)
{
	static const struct mntcr_stages_options so = { .size = sizeof(so) };
	struct mntcr_stages *s = NULL;

	REQUIRE(!mntcr_stages_begin(h->t, &h->o, &so, &s, &h->e));
	return s;
}

static void ended(struct held *h, struct mntcr_stages *s, dev_t dev)
{
	struct mntcr_restored *r = NULL;

	REQUIRE(!mntcr_stages_share(s, &h->e));
	REQUIRE(!mntcr_stages_end(s, &r, &h->e));
	mntcr_stages_free(s);
	look(h, r, dev);
	mntcr_restored_free(r);
}

/*
 * Neither sees the device mounted when it looks.  It has one superblock all the same, the
 * first one's, and who comes second takes that; unless it is not as writable as its own.
 */
static void two_restores_at_once(void)
{
	struct mntcr_stages *first, *second;
	struct held h, ro;

	dump(&h);
	from(&h, is.path);
	first = begun(&h);
	second = begun(&h);
	REQUIRE(!mntcr_stages_place(first, &h.e));
	REQUIRE(!mntcr_stages_place(second, &h.e));
	/* that goes on when the one who has made it gives up */
	mntcr_stages_free(first);
	ended(&h, second, is.dev);
	flags = MS_RDONLY;
	dump(&ro);
	flags = 0;
	from(&ro, is.path);
	first = begun(&h);
	second = begun(&ro);
	REQUIRE(!mntcr_stages_place(first, &h.e));
	CHECK_EQ(mntcr_stages_place(second, &ro.e), -1);
	CHECK_EQ(ro.e.code, MNTCR_SYS);
	CHECK_EQ(ro.e.err, EBUSY);
	CHECK(has(ro.e.text, "mounted already, but not (as the image has it) writable or read-only"));
	mntcr_stages_free(second);
	ended(&h, first, is.dev);
	done(&h);
	done(&ro);
}

static void read_only(void)
{
	struct held h;

	flags = MS_RDONLY;
	dump(&h);
	flags = 0;
	from(&h, is.path);
	good(&h, is.dev);
	TRY(mount(is.path, "/tmp/here", "ext4", 0, NULL));
	bad(&h, "device-mounted", "it is mounted here already, at /tmp/here, and writable; ");
	TRY(umount("/tmp/here"));
	done(&h);
}

/* /disk and /part: is the mount read-only? */
static bool ro_mount[2];

static void build_apart(void)
{
	static const char *const paths[] = { "disk", "part" };
	size_t i;

	build();
	for (i = 0; i < 2; i++)
		TRY(mount("none", paths[i], NULL, MS_BIND | MS_REMOUNT |
			  (ro_mount[i] ? MS_RDONLY : 0), NULL));
}

static bool is_read_only(const struct mntcr_topology *t, const char *path, bool sb)
{
	const struct mc_mount *m = &t->mounts[mc_mount_at(t, 0, path)];

	return sb ? t->sbs[m->sb].flags & MS_RDONLY : m->attr & MOUNT_ATTR_RDONLY;
}

/* Each is what it was, whatever the other is. */
static void superblock_and_mounts_apart(void)
{
	char *list = NULL;
	struct held h;
	size_t size, i;
	FILE *out;

	for (i = 0; i < 4; i++) {
		flags = i & 1 ? MS_RDONLY : 0;
		ro_mount[0] = i & 2;
		ro_mount[1] = !ro_mount[0];
		dump_of(&h, build_apart);
		flags = 0;
		CHECK_EQ(is_read_only(h.t, "/disk", true), i & 1);
		CHECK_EQ(is_read_only(h.t, "/disk", false), ro_mount[0]);
		CHECK_EQ(is_read_only(h.t, "/part", false), ro_mount[1]);
		from(&h, is.path);
		out = open_memstream(&list, &size);
		REQUIRE(out);
		CHECK(!mntcr_check_restore(h.t, &h.o, false, out, &h.e));
		fclose(out);
		CHECK_EQ(strstr(list, ": fresh, read-only; mounted at ") != NULL, i & 1);
		free(list);
		list = NULL;
		good(&h, is.dev);	/* compares them */
		done(&h);
	}
}

/* What the kernel would refuse when its turn comes. */
static void a_device_that_cannot_be_written_to(void)
{
	int yes = 1, no = 0;
	struct held h;

	dump(&h);
	from(&h, is.path);
	TRY(ioctl(is.fd, BLKROSET, &yes));
	bad(&h, "device-read-only", ": the device is read-only, and ");
	done(&h);
	flags = MS_RDONLY;
	dump(&h);
	flags = 0;
	from(&h, is.path);
	good(&h, is.dev);
	TRY(ioctl(is.fd, BLKROSET, &no));
	done(&h);
}

static void restored_once(struct held *h)
{
	struct mntcr_restored *r = NULL;
	int ret = mntcr_restore(h->t, &h->o, &r, &h->e);

	if (ret)
		TAP_SAY("%s", h->e.text);
	CHECK(!ret);
	mntcr_restored_free(r);
}

static void copy(const char *from, const char *to)
{
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	struct stat st;

	REQUIRE(in >= 0 && out >= 0 && !fstat(in, &st));
	while (st.st_size > 0) {
		ssize_t n = sendfile(out, in, NULL, (size_t)st.st_size);

		REQUIRE(n > 0);
		st.st_size -= n;
	}
	close(out);
	close(in);
}

/* A disk as it is while it is mounted and written to: as of a machine that was switched off. */
static void make_dirty(struct disk *dirty)
{
	struct disk d;

	REQUIRE(disk_make_with("/tmp/journal.img", "has_journal,^orphan_file"));
	REQUIRE(disk_attach("/tmp/journal.img", &d));
	TRY(mount(d.path, "/tmp/here", "ext4", 0, NULL));
	TRY(mkdir("/tmp/here/vol", 0755));
	put("/tmp/here/vol/file", "x");
	sync();
	copy("/tmp/journal.img", "/tmp/dirty.img");
	TRY(umount("/tmp/here"));
	disk_detach(&d);
	REQUIRE(disk_attach("/tmp/dirty.img", dirty));
}

/* Even a superblock that is read-only has its journal replayed. */
static void a_journal_that_cannot_be_replayed(void)
{
	int yes = 1, no = 0;
	struct disk dirty;
	struct held h;
	uint32_t sb;

	make_dirty(&dirty);
	flags = MS_RDONLY;
	dump(&h);
	flags = 0;
	sb = h.t->mounts[mc_mount_at(h.t, 0, "/disk")].sb;
	h.t->sbs[sb].uuid = NULL;
	from(&h, dirty.path);
	TRY(ioctl(dirty.fd, BLKROSET, &yes));
	bad(&h, "device-journal", ": the device is read-only, and the journal on it ");
	/* or it is left as it is */
	h.t->sbs[sb].options = "norecovery";
	good(&h, dirty.dev);
	h.t->sbs[sb].options = "";
	TRY(ioctl(dirty.fd, BLKROSET, &no));
	/* done, once */
	restored_once(&h);
	TRY(ioctl(dirty.fd, BLKROSET, &yes));
	restored_once(&h);
	TRY(ioctl(dirty.fd, BLKROSET, &no));
	disk_detach(&dirty);
	TRY(unlink("/tmp/dirty.img"));
	TRY(unlink("/tmp/journal.img"));
	done(&h);
}

/* The kernel has one superblock for a device, and that one is somebody's. */
static void one_that_is_mounted_is_taken_as_it_is(void)
{
	struct mntcr_restored *r = NULL;
	char line[1000] = "", *at;
	struct held h;
	FILE *f;

	options = "noauto_da_alloc";
	dump(&h);
	options = NULL;
	TRY(mount(is.path, "/tmp/here", "ext4", 0, "nobarrier"));
	from(&h, is.path);
	REQUIRE(!mntcr_restore(h.t, &h.o, &r, &h.e));
	/* two sources, and this last */
	CHECK_EQ(h.nr_differences, 3);
	mntcr_restored_free(r);
	f = fopen("/proc/self/mountinfo", "re");
	REQUIRE(f);
	while (fgets(line, sizeof(line), f) && !strstr(line, " /tmp/here "))
		;
	fclose(f);
	at = strstr(line, " - ext4 ");
	REQUIRE(at);
	CHECK(has(at, "nobarrier"));
	CHECK(!strstr(at, "noauto_da_alloc"));
	TRY(umount("/tmp/here"));
	TRY(mount(is.path, "/tmp/here", "ext4", MS_RDONLY, NULL));
	bad(&h, "device-mounted", "it is mounted here already, at /tmp/here, and read-only; ");
	TRY(umount("/tmp/here"));
	good(&h, is.dev);
	done(&h);
}

static void build_on(void)
{
	build();
	TRY(mount("on", "disk/on", "tmpfs", 0, NULL));
}

/* Where the filesystem is mounted that is seen before, else once it is; by name, all of it. */
static void what_it_does_not_have(void)
{
	struct mntcr_restored *r = NULL;
	FILE *null = fopen("/dev/null", "we");
	struct disk lacks;
	struct held h;

	REQUIRE(null);
	/* a copy, of which no other device has anything in memory */
	REQUIRE(!system("cp /tmp/disk.img /tmp/lacks.img"));
	REQUIRE(disk_attach("/tmp/lacks.img", &lacks));
	dump_of(&h, build_on);
	from(&h, lacks.path);
	TRY(mount(lacks.path, "/tmp/here", "ext4", 0, NULL));
	TRY(rmdir("/tmp/here/on"));
	TRY(rename("/tmp/here/vol", "/tmp/here/gone"));
	bad(&h, "device-root", " leads to what has nothing at vol; ");
	CHECK_EQ(h.nr_refusals, 2);
	CHECK_STR(h.refusals[1], "device-mountpoint");
	CHECK(has(h.text, ": --device "));
	CHECK(has(h.text, " has nothing at on to mount it on; "));
	/* what hides it is not it */
	TRY(mount("over", "/tmp/here", "tmpfs", 0, NULL));
	CHECK_EQ(mntcr_check_restore(h.t, &h.o, false, null, &h.e), 0);
	TRY(umount("/tmp/here"));
	TRY(umount("/tmp/here"));
	CHECK_EQ(mntcr_check_restore(h.t, &h.o, false, null, &h.e), 0);
	CHECK_EQ(mntcr_restore(h.t, &h.o, &r, &h.e), -1);
	CHECK_EQ(h.e.code, MNTCR_REFUSED);
	CHECK_STR(h.e.rule, "device-root");
	CHECK(has(h.e.text, " leads to what has nothing at vol; "));
	CHECK(has(h.e.text, " (and 1 more refusals)"));
	/* nothing of it is left */
	TRY(mount(lacks.path, "/tmp/here", "ext4", MS_RDONLY, NULL));
	TRY(umount("/tmp/here"));
	TRY(mount(lacks.path, "/tmp/here", "ext4", 0, NULL));
	TRY(rename("/tmp/here/gone", "/tmp/here/vol"));
	TRY(mkdir("/tmp/here/on", 0755));
	REQUIRE(!mntcr_restore(h.t, &h.o, &r, &h.e));
	mntcr_restored_free(r);
	TRY(umount("/tmp/here"));
	close(lacks.fd);
	TRY(unlink("/tmp/lacks.img"));
	fclose(null);
	done(&h);
}

/* FS_IOC_GETFSUUID is from Linux 6.9 on. */
static bool has_uuid(const struct held *h)
{
	return h->t->sbs[h->t->mounts[mc_mount_at(h->t, 0, "/disk")].sb].uuid;
}

static void what_is_something_else(void)
{
	struct mntcr_restored *r = NULL;
	struct held h;

	dump(&h);
	bad(&h, "no-source", "--device ");
	from(&h, other.path);
	if (has_uuid(&h))
		bad(&h, "device-uuid", ": the filesystem on it is ");
	else
		TAP_SAY("this kernel tells no UUID");
	from(&h, none.path);
	bad(&h, "device-type", ": no filesystem that is known is on it");
	from(&h, "/tmp/disk.img");
	bad(&h, "device-path", ": it is no block device");
	from(&h, "/tmp/not-there");
	CHECK_EQ(mntcr_restore(h.t, &h.o, &r, &h.e), -1);
	CHECK_EQ(h.e.code, MNTCR_SYS);
	CHECK(has(h.e.text, "=/tmp/not-there: "));
	done(&h);
}

static void keys_that_are_wrong(void)
{
	struct held h;
	char root[40];

	dump(&h);
	snprintf(root, sizeof(root), "%s:/vol", h.key);
	h.device[0] = (struct mntcr_external){ .key = root, .path = is.path };
	h.o.nr_devices = 1;
	wrong(&h, "a device has all of a superblock");
	h.device[0].key = "path:/";
	wrong(&h, "mounted from no device");
	h.device[0].key = "9:99";
	wrong(&h, "--device 9:99: no superblock of the image");
	from(&h, is.path);
	h.device[1] = h.device[0];
	h.o.nr_devices = 2;
	wrong(&h, "given twice");
	h.o.nr_devices = 1;
	h.external = (struct mntcr_external){ .key = h.key, .path = "/tmp" };
	h.o.nr_externals = 1;
	wrong(&h, "an --external names this superblock, too");
	done(&h);
}

static void lists(struct held *h, const char *want, const char *says)
{
	struct mntcr_error e;
	char *list = NULL;
	size_t size;
	FILE *out = open_memstream(&list, &size);

	REQUIRE(out);
	CHECK_EQ(mntcr_check_restore(h->t, &h->o, false, out, &e), -1);
	fclose(out);
	CHECK(has(list, want));
	CHECK(says ? has(list, says) : !strstr(list, "several devices"));
	free(list);
}

/* Without an option: the one to paste. */
static void the_list_names_the_device(void)
{
	char want[100];
	struct held h;

	dump(&h);
	if (!has_uuid(&h)) {
		done(&h);
		SKIP("this kernel tells no UUID");
	}
	/* was and is have the same */
	snprintf(want, sizeof(want), "external   --device %s=PATH", h.key);
	lists(&h, want, ": several devices have its UUID: /dev/loop");
	disk_detach(&is);
	snprintf(want, sizeof(want), "external   --device %s=%s", h.key, was.path);
	lists(&h, want, NULL);
	REQUIRE(disk_attach("/tmp/disk.img", &is));
	done(&h);
}

/* By the name that it was mounted by, or the kernel's. */
static void the_device_where_it_is_dumped(void)
{
	struct mc_sb sb = {
		.type = "ext4", .major = major(was.dev), .minor = minor(was.dev),
	};
	const char *const sources[] = { "/tmp/name", "/old/dev/loop", other.path, "disk", NULL };
	char *path;
	size_t i;

	TRY(symlink(was.path, "/tmp/name"));
	for (i = 0; i < MC_ARRAY_SIZE(sources); i++) {
		sb.source = sources[i];
		path = mc_device_here(&sb);
		CHECK_STR(path ? path : "none", i ? was.path : "/tmp/name");
		free(path);
	}
	TRY(unlink("/tmp/name"));
	sb.minor = 4095;
	CHECK(!mc_device_here(&sb));
}

/* A name for a device, which is another one's once it has been looked at. */
static void rename_device(void *data, const char *line)
{
	difference(data, line);
	if (unlink("/tmp/name") || symlink(other.path, "/tmp/name"))
		abort();
}

static void a_name_that_leads_elsewhere_by_then(void)
{
	struct mntcr_restored *r = NULL;
	struct held h;

	dump(&h);
	TRY(symlink(is.path, "/tmp/name"));
	from(&h, "/tmp/name");
	h.o.difference = rename_device;
	CHECK_EQ(mntcr_restore(h.t, &h.o, &r, &h.e), -1);
	CHECK_EQ(h.nr_differences, 2);
	CHECK_STR(h.e.rule, "device-path");
	CHECK(has(h.e.text, "/tmp/name leads to device "));
	mntcr_restored_free(r);
	TRY(unlink("/tmp/name"));
	done(&h);
}

/* What it says of a device that is no good, and of one that is good and can't be had. */
static void what_can_not_be_had(void)
{
	static const char magic[30] = { 'h', 's', 'q', 's', [28] = 4 };
	static const char old[sizeof(magic)] = "x";
	struct mntcr_restored *r = NULL;
	struct held h;
	int fd;

	dump(&h);
	from(&h, none.path);
	TRY(pwrite(none.fd, magic, sizeof(magic), 0));
	bad(&h, "device-type", ": squashfs is on it, and ");
	TRY(pwrite(none.fd, old, sizeof(old), 0));
	/* local use: no driver has it */
	TRY(mknod("/tmp/gone", S_IFBLK | 0600, makedev(240, 77)));
	from(&h, "/tmp/gone");
	bad(&h, "device-path", ": it can't be read: ");
	TRY(unlink("/tmp/gone"));
	/* one that somebody holds alone */
	from(&h, is.path);
	fd = open(is.path, O_RDONLY | O_EXCL | O_CLOEXEC);
	REQUIRE(fd >= 0);
	CHECK_EQ(mntcr_restore(h.t, &h.o, &r, &h.e), -1);
	CHECK_EQ(h.e.code, MNTCR_SYS);
	CHECK_EQ(h.e.err, EBUSY);
	CHECK(has(h.e.text, "mounting its device, which is in use"));
	close(fd);
	good(&h, is.dev);
	done(&h);
}

/* The first 1024 bytes are not the filesystem's own. */
static void traces_of_another_filesystem(void)
{
	static const char magic[30] = { 'h', 's', 'q', 's', [28] = 4 };
	char old[sizeof(magic)];
	struct held h;

	dump(&h);
	from(&h, is.path);
	TRY(pread(is.fd, old, sizeof(old), 0));
	TRY(pwrite(is.fd, magic, sizeof(magic), 0));
	bad(&h, "device-type", "traces of several filesystems");
	TRY(pwrite(is.fd, old, sizeof(old), 0));
	good(&h, is.dev);
	done(&h);
}

/* Flags are told with the options, and are none. */
static void flags_that_are_the_same(void)
{
	struct mntcr_restored *r = NULL;
	struct held h;

	flags = MS_SYNCHRONOUS | MS_DIRSYNC;
	dump(&h);
	TRY(mount(is.path, "/tmp/here", "ext4", flags, NULL));
	flags = 0;
	from(&h, is.path);
	REQUIRE(!mntcr_restore(h.t, &h.o, &r, &h.e));
	CHECK_EQ(h.nr_differences, 2);	/* the sources */
	mntcr_restored_free(r);
	TRY(umount("/tmp/here"));
	TRY(mount(is.path, "/tmp/here", "ext4", MS_SYNCHRONOUS, NULL));
	h.nr_differences = 0;
	h.o.difference = first_difference;
	REQUIRE(!mntcr_restore(h.t, &h.o, &r, &h.e));
	CHECK_EQ(h.nr_differences, 3);
	CHECK(has(h.line, ": mounted here already, at /tmp/here, with its own options: rw,sync"));
	CHECK(has(h.line, " instead of rw,sync,dirsync"));
	mntcr_restored_free(r);
	TRY(umount("/tmp/here"));
	done(&h);
}

/* It is one superblock however it is named. */
static void a_device_that_an_external_leads_to(void)
{
	struct held h;
	char key[32];
	uint32_t i;

	dump(&h);
	TRY(mount(is.path, "/tmp/here", "ext4", 0, NULL));
	for (i = 0; i < h.t->nr_sbs && !strcmp(h.t->sbs[i].type, "ext4"); i++)
		;
	REQUIRE(i < h.t->nr_sbs);
	snprintf(key, sizeof(key), "%u:%u", h.t->sbs[i].major, h.t->sbs[i].minor);
	TRY(mkdir("/tmp/here/disk", 0755));
	TRY(mkdir("/tmp/here/part", 0755));
	h.external = (struct mntcr_external){ .key = key, .path = "/tmp/here" };
	h.o.nr_externals = 1;
	from(&h, is.path);
	bad(&h, "device-twice", ": the device is that of --external ");
	TRY(rmdir("/tmp/here/disk"));
	TRY(rmdir("/tmp/here/part"));
	TRY(umount("/tmp/here"));
	done(&h);
}

/* Who is asked whether a file may be opened is frozen, and answers nobody. */
static void nobody_who_is_frozen_is_asked(void)
{
	int group = fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC, O_RDONLY | O_CLOEXEC);
	struct held h;

	TRY(mount(was.path, "/tmp/here", "ext4", 0, NULL));
	if (group < 0 || fanotify_mark(group, FAN_MARK_ADD | FAN_MARK_FILESYSTEM,
				       FAN_OPEN_PERM | FAN_ONDIR, AT_FDCWD, "/tmp/here")) {
		TAP_SAY("no permission events here: %s", strerror(errno));
	} else {
		alarm(30);
		dump(&h);
		alarm(0);
		done(&h);
	}
	close(group);
	TRY(umount("/tmp/here"));
}

/* Something else is refused of what has its device: the rest of the list is there. */
static void the_list_is_whole_beside_a_device(void)
{
	char *list = NULL, want[100];
	struct mntcr_error e;
	struct held h;
	uint32_t i;
	size_t size;
	FILE *out;

	dump(&h);
	for (i = 0; i < h.t->nr_sbs; i++) {
		if (!strcmp(h.t->sbs[i].type, "ext4")) {
			h.t->sbs[i].options = "errors=panic";
			continue;
		}
		h.t->sbs[i].type = "fuse";
		snprintf(want, sizeof(want), "external   --external %u:%u=PATH",
			 h.t->sbs[i].major, h.t->sbs[i].minor);
	}
	from(&h, is.path);
	out = open_memstream(&list, &size);
	REQUIRE(out);
	CHECK_EQ(mntcr_check_restore(h.t, &h.o, false, out, &e), -1);
	fclose(out);
	CHECK(has(list, "[device-option]"));
	CHECK(has(list, want));
	free(list);
	done(&h);
}

/* What was named outright is taken, and told of. */
static void an_external_of_another_filesystem(void)
{
	struct held h;

	dump(&h);
	TRY(mount(other.path, "/tmp/here", "ext4", 0, NULL));
	h.external = (struct mntcr_external){ .key = h.key, .path = "/tmp/here" };
	h.o.nr_externals = 1;
	if (has_uuid(&h))
		lists(&h, ": the filesystem of /tmp/here is ", NULL);
	else
		TAP_SAY("this kernel tells no UUID");
	TRY(umount("/tmp/here"));
	done(&h);
}

static char *planned(struct held *h, bool json)
{
	char *list = NULL;
	struct mntcr_error e;
	size_t size;
	FILE *out = open_memstream(&list, &size);

	REQUIRE(out);
	CHECK(!mntcr_plan_print(h->t, &h->o, json, out, &e));
	fclose(out);
	return list;
}

static void note_flags(void *data, const char *line)
{
	if (strstr(line, "superblock flags"))
		++*(unsigned int *)data;
}

/* The superblock has that from whoever mounted it, and so it is said wherever it differs. */
static void an_external_that_is_read_only_or_not(void)
{
	struct mntcr_verify_options but = {
		.size = sizeof(but), .flags = MNTCR_VERIFY_IGNORE_SOURCE,
		.report = note_flags,
	};
	struct mntcr_source src = { .type = MNTCR_SOURCE_FD };
	struct mntcr_restored *r = NULL;
	struct mntcr_topology *got;
	char says[100], *list;
	unsigned int seen, i;
	struct mntcr_error e;
	struct held h;
	size_t nr;

	for (i = 0; i < 4; i++) {
		flags = i & 1 ? MS_RDONLY : 0;
		dump(&h);
		flags = i & 2 ? MS_RDONLY : 0;
		TRY(mount(is.path, "/tmp/here", "ext4", flags, NULL));
		flags = 0;
		h.external = (struct mntcr_external){ .key = h.key, .path = "/tmp/here" };
		h.o.nr_externals = 1;
		h.o.difference = first_difference;
		snprintf(says, sizeof(says), "%s: the filesystem of /tmp/here is %s, and was %s",
			 h.key, i & 2 ? "read-only" : "writable",
			 i & 1 ? "read-only" : "writable");
		REQUIRE(!mntcr_restore(h.t, &h.o, &r, &h.e));
		CHECK_EQ(strstr(h.line, says) != NULL, i == 1 || i == 2);
		src.fd = mntcr_restored_ns_fd(r, 0);
		seen = 0;
		but.data = &seen;
		REQUIRE(!mntcr_capture(&src, 1, NULL, &got, &e));
		CHECK(!mntcr_verify(h.t, got, &but, &nr, &e));
		CHECK_EQ(seen, i == 1 || i == 2);
		mntcr_topology_free(got);
		mntcr_restored_free(r);
		list = planned(&h, false);
		CHECK_EQ(strstr(list, says) != NULL, i == 1 || i == 2);
		free(list);
		list = planned(&h, true);
		CHECK_EQ(strstr(list, "\"what\": \"read-only\", \"text\": ") != NULL,
			 i == 1 || i == 2);
		free(list);
		TRY(umount("/tmp/here"));
		done(&h);
	}
}

/* By the name that the container has for it, if that is one of it here, or the kernel's. */
static void the_dump_names_the_device(void)
{
	char *list = NULL, want[100];
	struct mntcr_error e;
	struct held h;
	uint32_t sb;
	size_t size;
	FILE *out;
	int i;

	dump(&h);
	sb = h.t->mounts[mc_mount_at(h.t, 0, "/disk")].sb;
	h.t->sbs[sb].source = "/tmp/name";
	for (i = 0; i < 2; i++) {
		/* by a link, as LVM does */
		TRY(symlink(i ? is.path : was.path, "/tmp/to"));
		TRY(symlink("../tmp/to", "/tmp/name"));
		out = open_memstream(&list, &size);
		REQUIRE(out);
		mntcr_check_dump(h.t, NULL, false, out, &e);
		fclose(out);
		snprintf(want, sizeof(want), "--device %s=%s", h.key,
			 i ? was.path : "/tmp/name");
		CHECK(has(list, want));
		free(list);
		TRY(unlink("/tmp/to"));
		TRY(unlink("/tmp/name"));
	}
	done(&h);
}

static void two_superblocks_of_one_device(void)
{
	struct held h;
	uint32_t i;
	char key[32];

	dump(&h);
	/* as if the other one had been mounted, too: at "/part" */
	for (i = 0; i < h.t->nr_sbs; i++)
		if (strcmp(h.t->sbs[i].type, "ext4")) {
			h.t->sbs[i].type = "ext4";
			h.t->sbs[i].options = "";
		}
	snprintf(key, sizeof(key), "%u:%u", h.t->sbs[0].major, h.t->sbs[0].minor);
	from(&h, is.path);
	h.device[1] = (struct mntcr_external){
		.key = strcmp(key, h.key) ? key : "path:/", .path = is.path };
	h.o.nr_devices = 2;
	bad(&h, "device-twice", ", which has another superblock of the image");
	done(&h);
}

int main(void)
{
	make_host();
	TRY(mkdir("/tmp/here", 0755));
	if (!disk_make("/tmp/disk.img") || !disk_make("/tmp/other.img") ||
	    !disk_attach("/tmp/disk.img", &was)) {
		puts("1..0 # SKIP no mke2fs, or no loop devices");
		return 4;
	}
	TRY(mount(was.path, "/tmp/here", "ext4", 0, NULL));
	TRY(mkdir("/tmp/here/vol", 0755));
	TRY(mkdir("/tmp/here/on", 0755));
	put("/tmp/here/vol/file", "x");
	TRY(umount("/tmp/here"));
	put("/tmp/none.img", "x");
	TRY(truncate("/tmp/none.img", 1 << 20));
	if (!disk_attach("/tmp/disk.img", &is) || !disk_attach("/tmp/other.img", &other) ||
	    !disk_attach("/tmp/none.img", &none)) {
		puts("1..0 # SKIP too few loop devices");
		return 4;
	}
	TAP_RUN(it_comes_from_the_device_that_is_named);
	TAP_RUN(what_fails_at_the_end_is_said);
	TAP_RUN(its_options_are_as_they_were);
	TAP_RUN(two_restores_at_once);
	TAP_RUN(read_only);
	TAP_RUN(superblock_and_mounts_apart);
	TAP_RUN(a_device_that_cannot_be_written_to);
	TAP_RUN(a_journal_that_cannot_be_replayed);
	TAP_RUN(one_that_is_mounted_is_taken_as_it_is);
	TAP_RUN(what_it_does_not_have);
	TAP_RUN(what_is_something_else);
	TAP_RUN(nobody_who_is_frozen_is_asked);
	TAP_RUN(what_can_not_be_had);
	TAP_RUN(traces_of_another_filesystem);
	TAP_RUN(flags_that_are_the_same);
	TAP_RUN(a_name_that_leads_elsewhere_by_then);
	TAP_RUN(two_superblocks_of_one_device);
	TAP_RUN(a_device_that_an_external_leads_to);
	TAP_RUN(an_external_of_another_filesystem);
	TAP_RUN(an_external_that_is_read_only_or_not);
	TAP_RUN(keys_that_are_wrong);
	TAP_RUN(the_list_names_the_device);
	TAP_RUN(the_device_where_it_is_dumped);
	TAP_RUN(the_dump_names_the_device);
	TAP_RUN(the_list_is_whole_beside_a_device);
	return tap_done();
}
