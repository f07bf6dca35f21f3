// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What a restore would fail of, as the list says; and that it does fail, or does not.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <archive.h>
#include <archive_entry.h>
#include <sys/xattr.h>

#include "checked.h"
#include "base/base.h"
#include "contents/contents.h"
#include "image/image.h"
#include "mntcr-stages.h"

long __real_syscall(long nr, long a, long b, long c, long d, long e, long f);
long __wrap_syscall(long nr, long a, long b, long c, long d, long e, long f);

static const char *lacks;	/* this type of filesystem */
static bool lacks_pidns;

long __wrap_syscall(long nr, long a, long b, long c, long d, long e, long f)
{
	if (nr == __NR_fsopen && lacks && !strcmp((const char *)a, lacks)) {
		errno = ENODEV;
		return -1;
	}
	if (nr == __NR_unshare && lacks_pidns && a & CLONE_NEWPID) {
		errno = EINVAL;
		return -1;
	}
	return __real_syscall(nr, a, b, c, d, e, f);
}

#define HEAD "{\"format\":\"mntcr-image\",\"version\":4,\"unique_ids\":true," \
	"\"user_namespaces\":[],\"namespaces\":[{\"id\":1,\"label\":\"x\"}],"
#define ROOT "{\"device\":\"0:1\",\"type\":\"tmpfs\",\"source\":\"root\",\"options\":\"mode=755\"}"
#define DISK "{\"device\":\"9:9\",\"type\":\"ext4\",\"source\":\"disk\",\"options\":\"\"}"
#define AT_ROOT "{\"id\":10,\"namespace\":0,\"superblock\":0,\"root\":\"/\",\"mountpoint\":\"/\",\"locks\":[]}"

/* A root, and what is given of the rest. */
static char *image_with(const char *idmaps, const char *sbs, const char *groups,
			const char *mounts)
{
	char *s;

	REQUIRE(asprintf(&s, HEAD "\"idmaps\":[%s],\"groups\":[%s],\"superblocks\":["
			 ROOT "%s],\"mounts\":[" AT_ROOT "%s]}", idmaps, groups, sbs,
			 mounts) > 0);
	return s;
}

static char *image(const char *sbs, const char *groups, const char *mounts)
{
	return image_with("", sbs, groups, mounts);
}

#define ON_DISK(id, root, at, more)					\
	",{\"id\":" #id ",\"namespace\":0,\"parent\":10,\"superblock\":1,"	\
	"\"root\":\"" root "\",\"mountpoint\":\"" at "\"" more "}"

struct seen {
	struct mntcr_topology *t;
	struct mntcr_error e;
	char *text;
	size_t size;
	int ret;
};

static int nr_mounts(void)
{
	FILE *in = fopen("/proc/self/mountinfo", "re");
	int c, n = 0;

	while (in && (c = getc(in)) != EOF)
		n += c == '\n';
	if (in)
		fclose(in);
	return n;
}

static void list(struct seen *s, char *image, struct mntcr_restore_options *o)
{
	int before = nr_mounts(), ret;
	FILE *out;

	memset(s, 0, sizeof(*s));
	o->size = sizeof(*o);
	ret = mc_image_parse(image, strlen(image), "image", &s->t, &s->e);
	if (ret)
		TAP_SAY("%s", s->e.text);
	free(image);
	REQUIRE(!ret);
	out = open_memstream(&s->text, &s->size);
	REQUIRE(out);
	s->ret = mntcr_check_restore(s->t, o, false, out, &s->e);
	REQUIRE(!fclose(out));
	if (s->ret)
		CHECK_EQ(s->e.code, MNTCR_REFUSED);
	CHECK_EQ(nr_mounts(), before);
}

/* What the list says of a restore, the restore does. */
static void look(struct seen *s, char *image, struct mntcr_restore_options *o)
{
	struct mntcr_restored *r = NULL;
	struct mntcr_error e;
	int ret;

	list(s, image, o);
	ret = mntcr_restore(s->t, o, &r, &e);
	CHECK_EQ(ret, s->ret);
	if (ret)
		TAP_SAY("restore: %s", e.text);
	mntcr_restored_free(r);
}

static void done(struct seen *s)
{
	mntcr_topology_free(s->t);
	free(s->text);
}

static void nothing_stands_in_the_way(void)
{
	struct mntcr_restore_options o = { 0 };
	struct seen s;

	look(&s, image("", "", ""), &o);
	CHECK_EQ(s.ret, 0);
	CHECK_STR(s.text, "superblock 0:1 tmpfs root: fresh; mounted at /\n");
	done(&s);
}

static void everything_about_an_external_at_once(void)
{
	struct mntcr_external x = { .key = "9:9", .path = "/tmp/disk" };
	struct mntcr_restore_options o = { .externals = &x, .nr_externals = 1 };
	struct seen s;

	look(&s, image("," DISK, "",
		       ON_DISK(11, "/", "/a", "")
		       ON_DISK(12, "/vol", "/b", "")
		       ON_DISK(13, "/none", "/c", "")
		       ",{\"id\":14,\"namespace\":0,\"parent\":11,\"superblock\":0,\"root\":\"/\",\"mountpoint\":\"/on\"}"),
	     &o);
	CHECK_EQ(s.ret, -1);
	CHECK(has(s.text, "superblock 9:9 ext4 disk: external; mounted at "));
	CHECK(has(s.text, "differs    9:9: --external 9:9=/tmp/disk is of type overlay instead of ext4\n"));
	CHECK(has(s.text, "refused    /c: its root is below that of its superblock, but --external 9:9=/tmp/disk leads to what has nothing at none;"));
	CHECK(has(s.text, " [external-root]\n"));
	CHECK(has(s.text, "refused    /a/on: --external 9:9=/tmp/disk has nothing at on to mount it on;"));
	CHECK(has(s.text, " [external-mountpoint]\n"));
	CHECK(has(s.e.text, "(and 1 more refusals)"));
	done(&s);
}

static void it_is_good_once_all_is_there(void)
{
	struct mntcr_external x = { .key = "9:9", .path = "/tmp/disk" };
	struct mntcr_restore_options o = { .externals = &x, .nr_externals = 1 };
	struct seen s;

	look(&s, image("," DISK, "", ON_DISK(11, "/", "/a", "")), &o);
	CHECK_EQ(s.ret, 0);
	CHECK(has(s.text, "differs    9:9: --external 9:9=/tmp/disk is of type overlay instead of ext4\n"));
	CHECK(!strstr(s.text, "refused"));
	done(&s);
}

/* Further down than one path may lead. */
static void a_place_far_down(void)
{
	struct mntcr_external x = { .key = "9:9", .path = "/tmp/disk" };
	struct mntcr_restore_options o = { .externals = &x, .nr_externals = 1 };
	char name[201], way[30 * 201 + 1] = "", text[sizeof(way) + 400];
	int fd, below, i, last;
	struct seen s;

	memset(name, 'd', 200);
	name[200] = '\0';
	for (i = 0; i < 30; i++) {
		strcat(way, "/");
		strcat(way, name);
	}
	snprintf(text, sizeof(text), ON_DISK(11, "/", "/a", "")
		 ",{\"id\":14,\"namespace\":0,\"parent\":11,\"superblock\":0,\"root\":\"/\",\"mountpoint\":\"%s\"}",
		 way);
	for (last = 29; last <= 30; last++) {
		fd = open(x.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		for (i = 0; i < last; i++) {
			REQUIRE(!mkdirat(fd, name, 0755) || errno == EEXIST);
			below = openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
			REQUIRE(below >= 0);
			close(fd);
			fd = below;
		}
		close(fd);
		look(&s, image("," DISK, "", text), &o);
		CHECK_EQ(s.ret, last < 30 ? -1 : 0);
		CHECK(last == 30 || has(s.text, " [external-mountpoint]\n"));
		done(&s);
	}
}

/* What the kernel makes for whoever mounts it is of its type, or another thing. */
static void an_external_of_another_type(void)
{
	static const struct {
		const char *type, *path, *is;
	} wrong[] = {
		{ "tmpfs", "/tmp/disk", "overlay" }, { "tmpfs", "/proc", "proc" },
		{ "ramfs", "/tmp/run", "tmpfs" }, { "proc", "/tmp/run", "tmpfs" },
		{ "sysfs", "/tmp/disk/vol", "overlay" }, { "mqueue", "/proc", "proc" },
		{ "devpts", "/tmp/run", "tmpfs" }, { "hugetlbfs", "/tmp/run", "tmpfs" },
		{ "cgroup2", "/tmp/run", "tmpfs" }, { "debugfs", "/tmp/run", "tmpfs" },
	};
	struct mntcr_external x = { .key = "9:7" };
	struct mntcr_restore_options o = { .externals = &x, .nr_externals = 1 };
	char sb[100], text[200], path[40];
	struct seen s;
	size_t i;
	int fs, fd;

	for (i = 0; i < MC_ARRAY_SIZE(wrong); i++) {
		x.path = wrong[i].path;
		snprintf(sb, sizeof(sb), ",{\"device\":\"9:7\",\"type\":\"%s\",\"options\":\"\"}",
			 wrong[i].type);
		look(&s, image(sb, "", ON_DISK(11, "/", "/a", "")), &o);
		CHECK_EQ(s.ret, -1);
		snprintf(text, sizeof(text), "refused    9:7: --external 9:7=%s is of type %s instead of %s; would help: a path on a filesystem of type %s [external-type]\n",
			 wrong[i].path, wrong[i].is, wrong[i].type, wrong[i].type);
		CHECK(has(s.text, text));
		CHECK(!strstr(s.text, "differs    9:7: --external"));
		done(&s);
	}
	/* in no mount that anybody sees: by what statfs(2) says */
	fs = mc_fsopen("tmpfs", MC_FSOPEN_CLOEXEC);
	REQUIRE(fs >= 0 && !mc_fsconfig(fs, MC_FSCONFIG_CMD_CREATE, NULL, NULL, 0));
	fd = mc_fsmount(fs, MC_FSMOUNT_CLOEXEC, 0);
	REQUIRE(fd >= 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	x.path = path;
	look(&s, image(",{\"device\":\"9:7\",\"type\":\"ramfs\",\"options\":\"\",\"magic\":2240043254}", "",
		       ON_DISK(11, "/", "/a", "")), &o);
	CHECK_EQ(s.ret, -1);
	CHECK(has(s.text, " is of type another (0x1021994) instead of ramfs; "));
	done(&s);
	close(fd);
	close(fs);
	x.path = "/tmp/run";
	look(&s, image(",{\"device\":\"9:7\",\"type\":\"tmpfs\",\"options\":\"\"}", "",
		       ON_DISK(11, "/", "/a", "")), &o);
	CHECK_EQ(s.ret, 0);
	CHECK(!strstr(s.text, "is of type"));
	done(&s);
}

static void what_cannot_be_opened_and_what_the_plan_refuses(void)
{
	struct mntcr_external x = { .key = "0:1", .path = "/tmp/none" };
	struct mntcr_source gone = { .type = MNTCR_SOURCE_PID, .pid = INT32_MAX };
	struct mntcr_restore_options o = {
		.externals = &x, .nr_externals = 1, .sources = &gone, .nr_sources = 1,
		.pin_dir = "/tmp",
	};
	struct seen s;

	look(&s, image("," DISK, "", ON_DISK(11, "/", "/a", "")), &o);
	CHECK_EQ(s.ret, -1);
	CHECK(has(s.text, "refused    --external 0:1=/tmp/none: No such file or directory [external-path]\n"));
	CHECK(has(s.text, "refused    process 2147483647: No such process [source]\n"));
	CHECK(has(s.text, "refused    --pin /tmp: it is not empty; would help: another directory [pin-directory]\n"));
	CHECK(has(s.text, "superblock 9:9 ext4 disk: refused [no-source]; mounted at "));
	CHECK(has(s.text, "ext4 cannot be made fresh; would help: --source with its namespace, --device 9:9=DEVICE, or --external 9:9=PATH [no-source]\n"));
	done(&s);
}

#define OVER(options, layers)						\
	",{\"device\":\"9:8\",\"type\":\"overlay\",\"options\":\"" options "\"" layers "}"
#define ON_OVER(id, at)							\
	",{\"id\":" #id ",\"namespace\":0,\"parent\":10,\"superblock\":2,"	\
	"\"root\":\"/\",\"mountpoint\":\"" at "\"}"

/* Of an overlay, what its layers are of is asked for, and not the whole. */
static void layers_of_an_overlay(void)
{
	struct mntcr_restore_options o = { 0 };
	struct seen s;

	look(&s, image("," DISK OVER("lowerdir=/d:/e", ",\"layers\":[{\"superblock\":1,\"path\":\"/\"},"
				     "{\"superblock\":1,\"path\":\"/vol\"}]"), "",
		       ON_DISK(11, "/", "/d", "") ON_OVER(12, "/m")), &o);
	CHECK_EQ(s.ret, -1);
	CHECK(has(s.text, "external   --external 9:9=PATH for /d\n"));
	CHECK(!strstr(s.text, "9:8=PATH for"));
	done(&s);
	o.externals = &(struct mntcr_external){ .key = "9:9", .path = "/tmp/disk" };
	o.nr_externals = 1;
	look(&s, image("," DISK OVER("lowerdir=/d:/e", ",\"layers\":[{\"superblock\":1,\"path\":\"/\"},"
				     "{\"superblock\":1,\"path\":\"/none\"}]"), "",
		       ON_DISK(11, "/", "/d", "") ON_OVER(12, "/m")), &o);
	CHECK_EQ(s.ret, -1);
	CHECK(has(s.text, "refused    overlay 9:8: its lowerdir /e was a directory, but --external 9:9=/tmp/disk has nothing at none;"));
	CHECK(has(s.text, " [external-layer]\n"));
	done(&s);
	o.nr_externals = 0;
	look(&s, image("," DISK OVER("lowerdir=d:e", ""), "",
		       ON_DISK(11, "/", "/d", "") ON_OVER(12, "/m")), &o);
	CHECK_EQ(s.ret, -1);
	CHECK(has(s.text, "layer      --layer 9:8=PATH for /m\n"));
	CHECK(has(s.text, " [relative-layer]\n"));
	CHECK(!strstr(s.text, "--external 9:8=PATH for"));
	done(&s);
}

static char told[8][32];
static size_t nr_told;

static void tell(void *data, const struct mntcr_refusal *refusal)
{
	if (nr_told < MC_ARRAY_SIZE(told))
		snprintf(told[nr_told], sizeof(told[0]), "%s", refusal->rule);
	nr_told++;
}

#define IDMAPPED_PROC(id, at)						\
	",{\"id\":" #id ",\"namespace\":0,\"parent\":10,\"superblock\":5,\"root\":\"/\"," \
	"\"mountpoint\":\"" at "\",\"attributes\":[\"idmapped\"],\"idmap\":0}"

/*
 * By the plan, at an --external, of a layer, of a device, of an --external-master, and of
 * an idmap that the kernel does not set: a restore and a plan, too.
 */
static void all_in_one_run(void)
{
	static const char *const rules[] = {
		"no-source", "device-path", "external-root", "overlay-layer",
		"external-master", "idmapped-source",
	};
	const size_t nr = MC_ARRAY_SIZE(rules);
	struct mntcr_external x[2] = { { .key = "9:9", .path = "/tmp/disk" },
				       { .key = "9:5", .path = "/proc" } };
	struct mntcr_external layer = { .key = "9:8", .path = "/tmp/run" };
	struct mntcr_external device = { .key = "9:6", .path = "/tmp/run" };
	struct mntcr_external master = { .key = "7", .path = "/tmp/run" };
	struct mntcr_restore_options o = {
		.externals = x, .nr_externals = 2, .layers = &layer, .nr_layers = 1,
		.devices = &device, .nr_devices = 1, .masters = &master, .nr_masters = 1,
		.refused = tell,
	};
	struct mntcr_restored *r = NULL;
	uint32_t fds = mc_fd_count();
	struct mntcr_error e;
	struct seen s;
	FILE *out;
	size_t i;

	list(&s, image_with("{\"uid\":[[0,1000,10]],\"gid\":[[0,1000,10]]}", "," DISK OVER("lowerdir=nowhere", "")
		       ",{\"device\":\"9:7\",\"type\":\"xfs\",\"source\":\"x\",\"options\":\"\"}"
		       ",{\"device\":\"9:6\",\"type\":\"ext4\",\"source\":\"y\",\"options\":\"\"}"
		       ",{\"device\":\"9:5\",\"type\":\"proc\",\"source\":\"p\",\"options\":\"\"}",
		       "{\"id\":7}", ON_DISK(11, "/none", "/d", ",\"master\":7") ON_OVER(12, "/m")
		       ",{\"id\":13,\"namespace\":0,\"parent\":10,\"superblock\":3,"
		       "\"root\":\"/\",\"mountpoint\":\"/x\"}"
		       ",{\"id\":14,\"namespace\":0,\"parent\":10,\"superblock\":4,"
		       "\"root\":\"/\",\"mountpoint\":\"/y\"}"
		       IDMAPPED_PROC(15, "/i") IDMAPPED_PROC(16, "/j")), &o);
	CHECK_EQ(s.ret, -1);
	CHECK(has(s.e.text, "(and 5 more refusals)"));
	CHECK(has(s.text, "refused    /i and 1 more: "));
	nr_told = 0;
	CHECK_EQ(mntcr_restore(s.t, &o, &r, &e), -1);
	CHECK_EQ(e.code, MNTCR_REFUSED);
	CHECK_STR(e.rule, "no-source");
	CHECK(has(e.text, "(and 5 more refusals)"));
	REQUIRE(nr_told == nr);
	for (i = 0; i < nr; i++) {
		CHECK_STR(told[i], rules[i]);
		CHECK(has(s.text, rules[i]));
	}
	/* what the kernel takes, a plan does not ask */
	nr_told = 0;
	out = fopen("/dev/null", "we");
	REQUIRE(out);
	CHECK_EQ(mntcr_plan_print(s.t, &o, false, out, &e), -1);
	CHECK(has(e.text, "(and 4 more refusals)"));
	REQUIRE(nr_told == nr - 1);
	for (i = 0; i < nr - 1; i++)
		CHECK_STR(told[i], rules[i]);
	fclose(out);
	done(&s);
	CHECK_EQ(mc_fd_count(), fds);
}

/* Of a source as well, which is none then, and before it what is no source at all. */
static void a_tree_for_a_source(void)
{
	struct mntcr_source tree = { .type = MNTCR_SOURCE_DETACHED, .path = "7:3" };
	struct mntcr_restore_options o = {
		.size = sizeof(o), .sources = &tree, .nr_sources = 1, .refused = tell,
	};
	struct mntcr_restored *r = NULL;
	char *text = image("," DISK, "", ON_DISK(11, "/", "/a", ""));
	struct mntcr_topology *t;
	struct mntcr_error e;

	REQUIRE(!mc_image_parse(text, strlen(text), "image", &t, &e));
	free(text);
	nr_told = 0;
	CHECK_EQ(mntcr_restore(t, &o, &r, &e), -1);
	CHECK_EQ(e.code, MNTCR_REFUSED);
	CHECK(has(e.text, "(and 1 more refusals)"));
	REQUIRE(nr_told == 2);
	CHECK_STR(told[0], "detached-source");
	CHECK_STR(told[1], "no-source");
	mntcr_topology_free(t);
	/* and where the plan refuses nothing */
	text = image("", "", "");
	REQUIRE(!mc_image_parse(text, strlen(text), "image", &t, &e));
	free(text);
	nr_told = 0;
	CHECK_EQ(mntcr_restore(t, &o, &r, &e), -1);
	CHECK_STR(e.rule, "detached-source");
	CHECK_EQ(nr_told, 1);
	mntcr_topology_free(t);
}

/* From a directory that an option says; upper and work in it alone. */
static void relative_layers(void)
{
	static const char *const lacking[] = {
		"refused    overlay 9:8: its lowerdir l was a directory, but --layer 9:8=/tmp/rel has nothing at l; would help: the directory from which its layers are directories [overlay-layer]\n",
		"refused    overlay 9:8: its upperdir u was a directory, but --layer 9:8=/tmp/rel has no directory at u; ",
		"refused    overlay 9:8: its workdir w was a directory, but --layer 9:8=/tmp/rel has nothing at w; ",
	};
	struct seen s;
	size_t i;
	struct mntcr_external layer = { .key = "9:8", .path = "/tmp/rel" };
	struct mntcr_restore_options o = { .layers = &layer, .nr_layers = 1 };

	TRY(mkdir("/tmp/rel", 0755));
	put("/tmp/rel/u", "x");
	look(&s, image("," DISK OVER("lowerdir=l,upperdir=u,workdir=w", ""), "",
		       ON_OVER(12, "/m")), &o);
	CHECK_EQ(s.ret, -1);
	for (i = 0; i < MC_ARRAY_SIZE(lacking); i++)
		CHECK(has(s.text, lacking[i]));
	CHECK(has(s.e.text, "(and 2 more refusals)"));
	done(&s);
	layer.path = "/tmp/rel/u";
	look(&s, image("," DISK OVER("lowerdir=l,upperdir=u,workdir=w", ""), "",
		       ON_OVER(12, "/m")), &o);
	CHECK_EQ(s.ret, -1);
	CHECK(has(s.text, "refused    overlay 9:8: --layer 9:8=/tmp/rel/u is no directory; "));
	CHECK(!strstr(s.text, "its lowerdir"));
	done(&s);
	/* a lower one may be elsewhere, and a link leads the upper one to what is there */
	TRY(unlink("/tmp/rel/u"));
	TRY(mkdir("/tmp/rel/real", 0755));
	TRY(symlink("real", "/tmp/rel/u"));
	TRY(mkdir("/tmp/rel/w", 0755));
	TRY(symlink("/tmp/rel/real", "/tmp/rel/l"));
	layer.path = "/tmp/rel";
	list(&s, image("," DISK OVER("lowerdir=l,upperdir=u,workdir=w", ""), "",
		       ON_OVER(12, "/m")), &o);
	CHECK_EQ(s.ret, 0);
	CHECK(!strstr(s.text, "[overlay-layer]"));
	done(&s);
	/* but not out of there, by a link or by itself, nor over what is mounted there */
	TRY(unlink("/tmp/rel/u"));
	TRY(symlink("/tmp/run", "/tmp/rel/u"));
	look(&s, image("," DISK OVER("lowerdir=l,upperdir=u,workdir=real/../../rel/w", ""), "",
		       ON_OVER(12, "/m")), &o);
	CHECK_EQ(s.ret, -1);
	CHECK(has(s.text, "refused    overlay 9:8: its upperdir u leads out of --layer 9:8=/tmp/rel, on whose mount it has to be; "));
	CHECK(has(s.text, "refused    overlay 9:8: its workdir real/../../rel/w leads out of --layer 9:8=/tmp/rel"));
	CHECK(has(s.text, " [overlay-layer]\n"));
	CHECK(has(s.e.text, "(and 1 more refusals)"));
	done(&s);
	TRY(unlink("/tmp/rel/u"));
	TRY(mkdir("/tmp/rel/u", 0755));
	TRY(mkdir("/tmp/rel/on", 0755));
	TRY(mount("on", "/tmp/rel/on", "tmpfs", 0, NULL));
	TRY(mkdir("/tmp/rel/on/w", 0755));
	look(&s, image("," DISK OVER("lowerdir=l,upperdir=u,workdir=on/w", ""), "",
		       ON_OVER(12, "/m")), &o);
	CHECK_EQ(s.ret, -1);
	CHECK(has(s.text, "refused    overlay 9:8: its workdir on/w was a directory, but --layer 9:8=/tmp/rel has nothing at on/w; "));
	done(&s);
	TRY(umount("/tmp/rel/on"));
}

/* Files of overlayfs that say what is merged; /tmp is none. */
static void mark(const char *path, const char *name, const char *value)
{
	char attr[64];

	snprintf(attr, sizeof(attr), "trusted.overlay.%s", name);
	TRY(setxattr(path, attr, value, strlen(value), 0));
}

static void make_layers(void)
{
	static const char *const dirs[] = {
		"/tmp/l", "/tmp/l/up", "/tmp/l/up/new", "/tmp/l/up/opaque", "/tmp/l/up/moved",
		"/tmp/l/low", "/tmp/l/low/dir", "/tmp/l/low/dir/in", "/tmp/l/low/gone",
		"/tmp/l/low/opaque", "/tmp/l/low/opaque/in", "/tmp/l/low/shut",
		"/tmp/l/low/shut/in",
	};
	size_t i;

	for (i = 0; i < MC_ARRAY_SIZE(dirs); i++)
		TRY(mkdir(dirs[i], 0755));
	put("/tmp/l/low/file", "x");
	put("/tmp/l/up/shut", "x");
	TRY(mknod("/tmp/l/up/gone", S_IFCHR | 0600, 0));
	mark("/tmp/l/up/opaque", "opaque", "y");
	mark("/tmp/l/up/moved", "redirect", "/dir");
}

#define ON_IT(id, at, dir)						\
	",{\"id\":" #id ",\"namespace\":0,\"parent\":12,\"superblock\":0,"	\
	"\"root\":\"/\",\"mountpoint\":\"" at "\",\"directory\":" dir "}"
#define OF_IT(id, root, at)						\
	",{\"id\":" #id ",\"namespace\":0,\"parent\":10,\"superblock\":2,"	\
	"\"root\":\"" root "\",\"mountpoint\":\"" at "\"}"
#define UP_AND_LOW(of)							\
	OVER("lowerdir=/up:/low", ",\"layers\":[{\"superblock\":" of ",\"path\":\"/up\"}," \
	     "{\"superblock\":" of ",\"path\":\"/low\"}]")

/* What its layers, merged, do not have where something is mounted, or as a root. */
static void places_on_an_overlay(void)
{
	static const char *const says[] = {
		"refused    /m/none: overlay 9:8, made of its layers, has nothing at none to mount it on; would help: make it in a layer, name layers that have it, or dump with the contents of those in memory [overlay-mountpoint]\n",
		"refused    /m/gone: overlay 9:8, made of its layers, has nothing at gone ",
		"refused    /m/file: overlay 9:8, made of its layers, has no directory at file ",
		"refused    /m/shut/in: overlay 9:8, made of its layers, has nothing at shut/in ",
		"refused    /m/opaque/in: overlay 9:8, made of its layers, has nothing at opaque/in ",
		"refused    /m/dir: overlay 9:8, made of its layers, has a directory at dir ",
		"refused    /m/file/in: overlay 9:8, made of its layers, has nothing at file/in ",
		"refused    /part: its root is below that of its superblock, but overlay 9:8, made of its layers, leads to what has nothing at none; ",
		" [overlay-root]\n",
	};
	struct mntcr_external x = { .key = "9:9", .path = "/tmp/l" };
	struct mntcr_restore_options o = { .externals = &x, .nr_externals = 1 };
	struct seen s;
	size_t i;

	make_layers();
	look(&s, image("," DISK UP_AND_LOW("1"), "", ON_DISK(11, "/", "/d", "")
		       ON_OVER(12, "/m")
		       ON_IT(13, "/new", "true") ON_IT(14, "/dir/in", "true")
		       ",{\"id\":15,\"namespace\":0,\"parent\":12,\"superblock\":1,"
		       "\"root\":\"/low/file\",\"mountpoint\":\"/file\",\"directory\":false}"
		       ON_IT(17, "/opaque", "true")
		       OF_IT(18, "/dir", "/part")), &o);
	CHECK_EQ(s.ret, 0);
	CHECK(!strstr(s.text, "refused "));
	done(&s);
	look(&s, image("," DISK UP_AND_LOW("1"), "", ON_DISK(11, "/", "/d", "")
		       ON_OVER(12, "/m")
		       ON_IT(13, "/none", "true") ON_IT(14, "/gone", "true")
		       ON_IT(15, "/file", "true") ON_IT(16, "/shut/in", "true")
		       ON_IT(17, "/opaque/in", "true") ON_IT(19, "/dir", "false")
		       ON_IT(20, "/file/in", "true")
		       OF_IT(18, "/none", "/part")), &o);
	CHECK_EQ(s.ret, -1);
	for (i = 0; i < MC_ARRAY_SIZE(says); i++)
		CHECK(has(s.text, says[i]));
	CHECK(has(s.e.text, "(and 7 more refusals)"));
	done(&s);
	/* a name that goes on under another one is not looked for */
	list(&s, image("," DISK UP_AND_LOW("1"), "", ON_DISK(11, "/", "/d", "")
		       ON_OVER(12, "/m") ON_IT(13, "/moved/none", "true")), &o);
	CHECK_EQ(s.ret, 0);
	done(&s);
	/* of layers in memory without contents no more is there than what is mounted on */
	o.nr_externals = 0;
	look(&s, image("," DISK UP_AND_LOW("0"), "", OF_IT(12, "/", "/m")
		       ON_IT(13, "/none", "true") ON_IT(14, "/low", "true")
		       ",{\"id\":15,\"namespace\":0,\"parent\":10,\"superblock\":0,"
		       "\"root\":\"/\",\"mountpoint\":\"/up/low/x\"}"), &o);
	CHECK_EQ(s.ret, -1);
	CHECK(has(s.text, "refused    /m/none: overlay 9:8, made of its layers, has nothing at none to mount it on; "));
	CHECK(!strstr(s.text, "/m/low: "));
	CHECK(!strstr(s.e.text, "more refusals"));
	done(&s);
}

/* What is mounted on the way does not hide what a clone will have. */
static void behind_what_is_mounted_there(void)
{
	struct mntcr_external x = { .key = "9:9", .path = "/tmp/over" };
	struct mntcr_restore_options o = { .externals = &x, .nr_externals = 1 };
	struct seen s;

	TRY(mkdir("/tmp/over", 0755));
	TRY(mount("over", "/tmp/over", "tmpfs", 0, NULL));
	TRY(mkdir("/tmp/over/in", 0755));
	TRY(mkdir("/tmp/over/in/there", 0755));
	TRY(mount("in", "/tmp/over/in", "tmpfs", 0, NULL));
	TRY(mkdir("/tmp/over/in/hidden", 0755));
	look(&s, image("," DISK, "", ON_DISK(12, "/", "/m", "")
		       ON_IT(13, "/in/there", "true")), &o);
	CHECK(!strstr(s.text, "refused "));
	done(&s);
	look(&s, image("," DISK, "", ON_DISK(12, "/", "/m", "")
		       ON_IT(13, "/in/hidden", "true")), &o);
	CHECK(has(s.text, "refused    /m/in/hidden: --external 9:9=/tmp/over has nothing at in/hidden to mount it on;"));
	done(&s);
	TRY(umount("/tmp/over/in"));
	TRY(umount("/tmp/over"));
}

#define MANY	300

/* More superblocks than descriptors; and more that has to stay open than at first may be. */
static void with_few_descriptors(void)
{
	struct rlimit old, few = { .rlim_cur = 100 };
	struct mntcr_external *x = calloc(MANY, sizeof(*x));
	struct mntcr_restore_options o = { 0 };
	struct mc_buf sbs = { 0 }, mounts = { 0 };
	struct seen s;
	bool given;
	int i;

	REQUIRE(x && !getrlimit(RLIMIT_NOFILE, &old));
	for (i = 0; i < MANY; i++) {
		mc_buf_printf(&sbs, ",{\"device\":\"0:%d\",\"type\":\"tmpfs\",\"source\":\"t\",\"options\":\"\"}",
			      i + 10);
		mc_buf_printf(&mounts, ",{\"id\":%d,\"namespace\":0,\"parent\":10,\"superblock\":%d,\"root\":\"/\",\"mountpoint\":\"/%d\"}",
			      i + 11, i + 1, i);
		REQUIRE(asprintf((char **)&x[i].key, "0:%d", i + 10) > 0);
		x[i].path = "/tmp/run";
	}
	for (given = false; ; given = true) {
		few.rlim_max = old.rlim_max;
		REQUIRE(!setrlimit(RLIMIT_NOFILE, &few));
		/* which is not raised then */
		o.fd_limit = given ? 0 : (uint32_t)few.rlim_cur;
		o.externals = x;
		o.nr_externals = given ? MANY : 0;
		list(&s, image(sbs.data, "", mounts.data), &o);
		CHECK_EQ(s.ret, 0);
		CHECK(!strstr(s.text, "refused "));
		done(&s);
		REQUIRE(!setrlimit(RLIMIT_NOFILE, &old));
		if (given)
			break;
	}
	for (i = 0; i < MANY; i++)
		free((char *)x[i].key);
	free(x);
	mc_buf_free(&sbs);
	mc_buf_free(&mounts);
}

static void no_place_for_pins(void)
{
	struct mntcr_restore_options o = { .pin_dir = "/tmp/none/pins/" };
	struct seen s;

	look(&s, image("", "", ""), &o);
	CHECK_EQ(s.ret, -1);
	CHECK(has(s.text, "refused    --pin /tmp/none/pins/: it can't be made: No such file or directory; would help: another directory [pin-directory]\n"));
	done(&s);
	/* a link to nothing, whatever comes after it, and no name */
	REQUIRE(!symlink("nothing", "/tmp/dangling"));
	o.pin_dir = "/tmp/dangling";
	look(&s, image("", "", ""), &o);
	CHECK(s.ret == -1 && has(s.text, "refused    --pin /tmp/dangling: it can't be made: No such file "));
	done(&s);
	o.pin_dir = "/tmp/dangling//";
	look(&s, image("", "", ""), &o);
	CHECK(s.ret == -1 && has(s.text, "refused    --pin /tmp/dangling//: it can't be made: "));
	done(&s);
	REQUIRE(!unlink("/tmp/dangling"));
	o.pin_dir = "";
	look(&s, image("", "", ""), &o);
	CHECK(s.ret == -1 && has(s.text, "refused    --pin : it can't be made: No such file "));
	done(&s);
}

static void an_option_that_names_nothing(void)
{
	struct mntcr_external x = { .key = "8:8", .path = "/tmp" };
	struct mntcr_restore_options o = { .externals = &x, .nr_externals = 1 };
	struct seen s;

	look(&s, image("", "", ""), &o);
	CHECK_EQ(s.ret, -1);
	CHECK(has(s.text, "refused    --external 8:8: no superblock of the image is this device"));
	CHECK_STR(s.e.rule, "option");
	done(&s);
}

/* Each of them, and not only the first. */
static void all_options_that_name_nothing(void)
{
	static const char *const places[] = { "/tmp/x", "/tmp/y" };
	struct mntcr_external x[] = {
		{ .key = "8:8", .path = "/tmp" }, { .key = "0:1", .path = "/tmp" },
		{ .key = "root", .path = "/tmp" }, { .key = "7:7", .path = "/tmp" },
		{ .key = "net:[5]", .path = "/tmp" },
	};
	struct mntcr_external d = { .key = "6:6", .path = "/dev/null" };
	struct mntcr_external l = { .key = "5:5", .path = "/tmp" };
	struct mntcr_external m = { .key = "4", .path = "/tmp" };
	struct mntcr_restore_options o = {
		.externals = x, .nr_externals = 5, .devices = &d, .nr_devices = 1,
		.layers = &l, .nr_layers = 1, .masters = &m, .nr_masters = 1,
	};
	struct seen s;

	look(&s, image("", "", ""), &o);
	CHECK_EQ(s.ret, -1);
	CHECK(has(s.text, "refused    --external 8:8: no superblock "));
	CHECK(has(s.text, "refused    --external root: the superblock 0:1 is named twice [option]\n"));
	CHECK(has(s.text, "refused    --external 7:7: no superblock "));
	CHECK(has(s.text, "refused    --external net:[5]: no mount of the image "));
	CHECK(has(s.text, "refused    --device 6:6: no superblock "));
	CHECK(has(s.text, "refused    --layer 5:5: no overlay "));
	CHECK(has(s.text, "refused    --external-master 4: no peer group "));
	CHECK(has(s.e.text, "--external 8:8: no superblock "));
	CHECK(has(s.e.text, "(and 6 more refusals)"));
	done(&s);
	o = (struct mntcr_restore_options){ .hosts = places, .nr_hosts = 2 };
	look(&s, image("", "", ""), &o);
	CHECK(has(s.text, "refused    --host /tmp/x: the image has nothing "));
	CHECK(has(s.text, "refused    --host /tmp/y: the image has nothing "));
	done(&s);
}

static void a_master_that_is_not_shared(void)
{
	struct mntcr_external x[2] = { { .key = "9:9", .path = "/tmp/disk" },
				       { .key = "7", .path = "/tmp/run" } };
	struct mntcr_restore_options o = { .externals = x, .nr_externals = 1 };
	struct seen s;

	look(&s, image("," DISK, "{\"id\":7}", ON_DISK(11, "/", "/a", ",\"master\":7")),
	     &o);
	CHECK_EQ(s.ret, -1);
	CHECK_STR(s.e.rule, "orphan-slave");
	done(&s);
	o.masters = &x[1];
	o.nr_masters = 1;
	look(&s, image("," DISK, "{\"id\":7}", ON_DISK(11, "/", "/a", ",\"master\":7")),
	     &o);
	CHECK_EQ(s.ret, -1);
	CHECK(has(s.text, "refused    --external-master 7=/tmp/run: the mount there is not shared"));
	CHECK_STR(s.e.rule, "external-master");
	done(&s);
	x[1].path = "/tmp/disk";
	look(&s, image("," DISK, "{\"id\":7}", ON_DISK(11, "/", "/a", ",\"master\":7")),
	     &o);
	CHECK_EQ(s.ret, 0);
	done(&s);
}

/* How much the external path shows counts, whichever of them it is. */
static void a_master_that_shows_less(void)
{
	struct mntcr_external x = { .key = "9:9", .path = "/tmp/disk" };
	struct mntcr_external m = { .key = "7", .path = "/tmp/less" };
	struct mntcr_restore_options o = {
		.externals = &x, .nr_externals = 1, .masters = &m, .nr_masters = 1,
		.api = MNTCR_API_UPSTREAM,
	};
	struct seen s;

	TRY(mkdir(m.path, 0755));
	TRY(mount("/tmp/disk/vol", m.path, NULL, MS_BIND, NULL));
	TRY(mount("none", m.path, NULL, MS_SHARED, NULL));
	look(&s, image("," DISK, "{\"id\":7}", ON_DISK(11, "/", "/a", ",\"master\":7")), &o);
	CHECK_EQ(s.ret, -1);
	CHECK(has(s.text, "refused    --external-master 7=/tmp/less: the root of the mount there, /vol, does not contain /, that of /a, "));
	done(&s);
	look(&s, image("," DISK, "{\"id\":7}", ON_DISK(11, "/vol", "/a", ",\"master\":7")), &o);
	CHECK_EQ(s.ret, 0);
	done(&s);
	TRY(umount(m.path));
	TRY(rmdir(m.path));
}

static void what_the_kernel_does_not_take(void)
{
	struct mntcr_restore_options o = { 0 };
	struct seen s;

	lacks = "devpts";
	look(&s, image(",{\"device\":\"0:9\",\"type\":\"devpts\",\"source\":\"pts\",\"options\":\"\"},"
		       "{\"device\":\"0:8\",\"type\":\"tmpfs\",\"source\":\"t\",\"options\":\"nonsense=1\"}", "",
		       ON_DISK(11, "/", "/a", "")
		       ",{\"id\":12,\"namespace\":0,\"parent\":10,\"superblock\":2,\"root\":\"/\",\"mountpoint\":\"/b\"}"),
	     &o);
	lacks = NULL;
	CHECK_EQ(s.ret, -1);
	CHECK(has(s.text, "refused    devpts 0:9: "));
	CHECK(has(s.text, ": fsopen: No such device"));
	CHECK(has(s.text, " [no-such-type]\n"));
	CHECK(has(s.text, "refused    tmpfs 0:8: "));
	CHECK(has(s.text, ": tmpfs option nonsense: Invalid argument"));
	CHECK(has(s.text, " [fresh-superblock]\n"));
	done(&s);
}

/* By the plan: the kernel would only say that it is invalid. */
static void what_is_too_long_for_it(void)
{
	struct mntcr_restore_options o = { 0 };
	char option[400], sbs[600];
	struct seen s;

	memset(option, 'x', sizeof(option));
	option[sizeof(option) - 1] = '\0';
	snprintf(sbs, sizeof(sbs), ",{\"device\":\"0:8\",\"type\":\"tmpfs\",\"source\":\"t\",\"options\":\"%s\"}",
		 option);
	look(&s, image(sbs, "", ON_DISK(11, "/", "/a", "")), &o);
	CHECK_EQ(s.ret, -1);
	CHECK(has(s.text, " [long-option]\n"));
	CHECK(!strstr(s.text, "[fresh-superblock]"));
	CHECK(!strstr(s.e.text, "more refusal"));
	done(&s);
}

/* Which is known before anything is made, to who plans and to who dumps, too. */
static void a_kernel_without_empty_pid_namespaces(void)
{
	struct mntcr_restore_options o = { 0 };
	FILE *out = fopen("/dev/null", "we"), *dump_list;
	bool faked, none = false;
	struct mntcr_error e = { 0 };
	struct seen s;

	REQUIRE(out);
	for (faked = false; !none; faked = true) {
		lacks_pidns = faked;
		none = faked || mc_lacks_empty_pidns();
		look(&s, image(",{\"device\":\"0:9\",\"type\":\"proc\",\"source\":\"proc\",\"options\":\"\","
			       "\"pid_namespace\":70,\"pid_depth\":1}", "",
			       ON_DISK(11, "/", "/proc", "")), &o);
		CHECK_EQ(s.ret, none ? -1 : 0);
		CHECK_EQ(has(s.text, "since this kernel opens none for it"), none);
		CHECK_EQ(has(s.text, " [callers-namespace]\n"), none);
		CHECK_EQ(mntcr_plan_print(s.t, &o, false, out, &e), none ? -1 : 0);
		CHECK_STR(e.rule, none ? "callers-namespace" : "");
		free(s.text);
		REQUIRE(dump_list = open_memstream(&s.text, &s.size));
		CHECK_EQ(mntcr_check_dump(s.t, NULL, false, dump_list, &e), 0);
		fclose(dump_list);
		CHECK_EQ(has(s.text, "--external 0:9="), none);
		done(&s);
	}
	lacks_pidns = false;
	fclose(out);
}

/*
 * What ends with "/" is a directory, and with "@" one that hides what is below it, for
 * overlayfs; with "%" it is a whiteout; what follows "=" is what it is a link to.
 */
static void set_kind(struct archive_entry *x, const char *name)
{
	const char *link = strchr(name, '=');
	size_t n = strlen(name) - 1;
	char path[256];

	if (link) {
		snprintf(path, sizeof(path), "%.*s", (int)(link - name), name);
		archive_entry_set_pathname(x, path);
		archive_entry_set_hardlink(x, link + 1);
		return;
	}
	snprintf(path, sizeof(path), "%.*s", (int)(strchr("@%", name[n]) ? n : n + 1), name);
	archive_entry_set_pathname(x, path);
	archive_entry_set_filetype(x, strchr("/@", name[n]) ? AE_IFDIR :
				   name[n] == '%' ? AE_IFCHR : AE_IFREG);
	archive_entry_set_perm(x, 0755);
	if (name[n] == '@')
		archive_entry_xattr_add_entry(x, "trusted.overlay.opaque", "y", 1);
}

/* The members, files but for what set_kind() says, as contents. */
static struct mntcr_contents *packed(const char *const *names, size_t nr)
{
	struct archive *a = archive_write_new();
	struct mntcr_contents *c = NULL;
	struct archive_entry *x;
	struct mc_buf json = { 0 };
	struct mntcr_error e;
	FILE *f = tmpfile();
	size_t i;

	REQUIRE(f && a && archive_write_set_format_pax(a) == ARCHIVE_OK);
	REQUIRE(archive_write_open_FILE(a, f) == ARCHIVE_OK);
	for (i = 0; i < nr; i++) {
		x = archive_entry_new();
		set_kind(x, names[i]);
		archive_entry_set_size(x, 0);
		REQUIRE(archive_write_header(a, x) == ARCHIVE_OK);
		archive_entry_free(x);
	}
	REQUIRE(archive_write_close(a) == ARCHIVE_OK && !fflush(f));
	archive_write_free(a);
	REQUIRE(!mc_contents_open(dup(fileno(f)), 100, &json, &c, &e));
	fclose(f);
	mc_buf_free(&json);
	return c;
}

static void note_line(void *data, const char *line)
{
	char (*lines)[1000] = data;

	snprintf(*lines + strlen(*lines), sizeof(*lines) - strlen(*lines), "%s\n", line);
}

/* What is in the image is not silently let go. */
static void contents_that_are_not_used(void)
{
	static const char *const names[] = {
		MC_CONTENTS_JSON, "contents/0:8/", "contents/0:8/f", MC_CONTENTS_END,
	};
#define NOT_USED "tmpfs 0:8: its contents in the image are not used, since what an option names stands for it\n"
	static const char sb[] = ",{\"device\":\"0:8\",\"type\":\"tmpfs\",\"source\":\"run\","
				 "\"options\":\"\",\"contents\":true}";
	struct mntcr_external x = { .key = "0:8", .path = "/tmp/run" };
	char lines[1000] = "";
	struct mntcr_restore_options o = {
		.contents = packed(names, MC_ARRAY_SIZE(names)), .externals = &x,
		.nr_externals = 1, .difference = note_line, .data = &lines,
	};
	struct seen s;

	look(&s, image(sb, "", ON_DISK(11, "/", "/a", "")), &o);
	CHECK_EQ(s.ret, 0);
	CHECK(has(s.text, "differs    " NOT_USED));
	CHECK(has(lines, NOT_USED));
	done(&s);
	/* those that are used */
	o.nr_externals = 0;
	*lines = '\0';
	look(&s, image(sb, "", ON_DISK(11, "/", "/a", "")), &o);
	CHECK_EQ(s.ret, 0);
	CHECK(!strstr(s.text, "differs"));
	CHECK_STR(lines, "");
	done(&s);
	mntcr_contents_free((struct mntcr_contents *)o.contents);
	/* and of a disk, where another type is possible, it is said by both */
	x = (struct mntcr_external){ .key = "9:9", .path = "/tmp/disk" };
	o.contents = NULL;
	o.nr_externals = 1;
	look(&s, image("," DISK, "", ON_DISK(11, "/", "/a", "")), &o);
	CHECK(has(s.text, "differs    9:9: --external 9:9=/tmp/disk is of type overlay instead of ext4\n"));
	CHECK(has(lines, "9:9: --external 9:9=/tmp/disk is of type overlay instead of ext4\n"));
	done(&s);
#undef NOT_USED
}

/* What layers in memory hold is in the archive. */
static void places_on_layers_with_contents(void)
{
#define IN	"contents/0:8/"
	static const char *const names[] = {
		MC_CONTENTS_JSON, IN, IN "low/", IN "low/dir/", IN "low/file", IN "low/gone/",
		IN "low/opaque/", IN "low/opaque/in/", IN "low/shut/", IN "low/shut/in/",
		/* as the kernel makes a second whiteout */
		IN "up/", IN "up/first%", IN "up/gone=" IN "up/first", IN "up/new/", IN "up/opaque@", IN "up/shut",
		MC_CONTENTS_END,
	};
#undef IN
	static const char *const says[] = {
		"refused    /m/none: overlay 9:8, made of its layers, has nothing at none to mount it on; ",
		"refused    /m/gone: overlay 9:8, made of its layers, has nothing at gone ",
		"refused    /m/file: overlay 9:8, made of its layers, has no directory at file ",
		"refused    /m/shut/in: overlay 9:8, made of its layers, has nothing at shut/in ",
		"refused    /m/opaque/in: overlay 9:8, made of its layers, has nothing at opaque/in ",
		"refused    /part: its root is below that of its superblock, but overlay 9:8, made of its layers, leads to what has nothing at none; ",
		"refused    overlay 9:7: its lowerdir /lost was a directory, but overlay 9:8, made of its layers, has nothing at lost; ",
	};
	const char *sb = ",{\"device\":\"0:8\",\"type\":\"tmpfs\",\"source\":\"t\","
			 "\"options\":\"\",\"contents\":true}" UP_AND_LOW("1");
	const char *two = ",{\"device\":\"0:8\",\"type\":\"tmpfs\",\"source\":\"t\","
			  "\"options\":\"\",\"contents\":true}" UP_AND_LOW("1")
			  ",{\"device\":\"9:7\",\"type\":\"overlay\",\"options\":\"lowerdir=/lost:/dir\","
			  "\"layers\":[{\"superblock\":2,\"path\":\"/lost\"},{\"superblock\":2,\"path\":\"/dir\"}]}";
	struct mntcr_contents *c = packed(names, MC_ARRAY_SIZE(names));
	struct mntcr_restore_options o = { .contents = c };
	struct seen s;
	size_t i;

	look(&s, image(sb, "", ON_DISK(11, "/", "/d", "") ON_OVER(12, "/m")
		       ON_IT(13, "/new", "true") ON_IT(14, "/dir", "true")
		       ON_IT(17, "/opaque", "true")), &o);
	CHECK_EQ(s.ret, 0);
	CHECK(!strstr(s.text, "refused "));
	done(&s);
	look(&s, image(two, "", ON_DISK(11, "/", "/d", "") ON_OVER(12, "/m")
		       ON_IT(13, "/none", "true") ON_IT(14, "/gone", "true")
		       ON_IT(15, "/file", "true") ON_IT(16, "/shut/in", "true")
		       ON_IT(17, "/opaque/in", "true") OF_IT(18, "/none", "/part")
		       ",{\"id\":19,\"namespace\":0,\"parent\":10,\"superblock\":3,"
		       "\"root\":\"/\",\"mountpoint\":\"/n\"}"), &o);
	CHECK_EQ(s.ret, -1);
	for (i = 0; i < MC_ARRAY_SIZE(says); i++)
		CHECK(has(s.text, says[i]));
	CHECK(has(s.e.text, "(and 6 more refusals)"));
	done(&s);
	mntcr_contents_free(c);
}

static void an_archive_that_could_not_be_made(void)
{
	static const char *const names[] = {
		MC_CONTENTS_JSON, "contents/0:8/f", "contents/0:8/f", MC_CONTENTS_END,
	};
	struct mntcr_contents *c = packed(names, 4);
	struct mntcr_external x = { .key = "0:8", .path = "/tmp/run" };
	struct mntcr_restore_options o = { .contents = c };
	const char *sb = ",{\"device\":\"0:8\",\"type\":\"tmpfs\",\"source\":\"t\","
			 "\"options\":\"\",\"contents\":true}";
	struct seen s;

	look(&s, image(sb, "", ON_DISK(11, "/", "/a", "")), &o);
	CHECK_EQ(s.ret, -1);
	CHECK(has(s.text, "refused    contents of tmpfs 0:8: /f: is there already [bad-image]\n"));
	done(&s);
	/* nobody reads what is not made */
	o.externals = &x;
	o.nr_externals = 1;
	look(&s, image(sb, "", ON_DISK(11, "/", "/a", "")), &o);
	CHECK_EQ(s.ret, 0);
	done(&s);
	mntcr_contents_free(c);
}

/* A namespace of a user namespace that has this map. */
static char *owned(const char *uid_map)
{
	char *s;

	REQUIRE(asprintf(&s, "{\"format\":\"mntcr-image\",\"version\":4,\"unique_ids\":true,"
			 "\"user_namespaces\":[{\"inode\":1,\"dumper\":true},"
			 "{\"inode\":2,\"parent\":0,\"owner\":0,\"uid_map\":[%s],"
			 "\"gid_map\":[[0,0,1]],\"setgroups\":false}],"
			 "\"namespaces\":[{\"id\":1,\"label\":\"x\",\"owner\":1}],"
			 "\"idmaps\":[],\"groups\":[],\"superblocks\":[" ROOT "],"
			 "\"mounts\":[" AT_ROOT "]}", uid_map) > 0);
	return s;
}

/* The root's superblock is the caller's, that on /a of a user namespace. */
static char *with_options(const char *options)
{
	char *s;

	REQUIRE(asprintf(&s, "{\"format\":\"mntcr-image\",\"version\":4,\"unique_ids\":true,"
			 "\"user_namespaces\":[{\"inode\":1,\"dumper\":true},"
			 "{\"inode\":2,\"parent\":0,\"owner\":0,\"uid_map\":[[0,100000,10]],"
			 "\"gid_map\":[[0,100000,10]],\"setgroups\":true}],"
			 "\"namespaces\":[{\"id\":1,\"label\":\"x\"}],"
			 "\"idmaps\":[],\"groups\":[],\"superblocks\":[" ROOT ","
			 "{\"device\":\"0:8\",\"type\":\"tmpfs\",\"source\":\"t\",\"user_namespace\":1,"
			 "\"options\":\"%s\"}],\"mounts\":[" AT_ROOT ON_DISK(11, "/", "/a", "") "]}",
			 options) > 0);
	return s;
}

/* It is asked in one that is like that. */
static void options_of_another_owner(void)
{
	struct mntcr_restore_options o = { 0 };
	uint32_t fds = mc_fd_count();
	struct seen s;

	look(&s, with_options("mode=755,uid=100003"), &o);
	CHECK_EQ(s.ret, 0);
	done(&s);
	look(&s, with_options("mode=755,uid=3"), &o);
	CHECK_EQ(s.ret, -1);
	CHECK_STR(s.e.rule, "fresh-superblock");
	CHECK(has(s.text, "refused    tmpfs 0:8: "));
	CHECK(has(s.text, ": tmpfs option uid: Invalid argument"));
	done(&s);
	CHECK_EQ(mc_fd_count(), fds);
	errno = 0;
	CHECK(waitpid(-1, NULL, WNOHANG | __WALL) == -1 && errno == ECHILD);
}

static void look_at_owners(void *data)
{
	struct mntcr_restore_options o = { 0 };
	struct seen s;
	int err;

	look(&s, image("," "{\"device\":\"0:8\",\"type\":\"tmpfs\",\"source\":\"t\",\"options\":\"\"}",
		       "", ON_DISK(11, "/f", "/a", ",\"root_file\":{\"type\":\"file\",\"mode\":\"0644\",\"uid\":1000,\"gid\":0}")),
	     &o);
	CHECK_EQ(s.ret, -1);
	CHECK_STR(s.e.rule, "unmapped-owner");
	CHECK(has(s.text, "belong to ids that are not mapped here; the first is f: owner 1000, group 0;"));
	done(&s);
	/* nor can they be in one that it makes, if this kernel has the calls */
	if (mc_extended_lacks(&err))
		return;
	look(&s, owned("[0,0,1]"), &o);
	CHECK_EQ(s.ret, 0);
	done(&s);
	look(&s, owned("[0,0,2]"), &o);
	CHECK_EQ(s.ret, -1);
	CHECK_STR(s.e.rule, "owner-maps");
	done(&s);
}

static void owners_that_nobody_is(void)
{
	as_only_root(look_at_owners, NULL);
}

/* --- in stages ------------------------------------------------------------------ */

#define OF(id, sb, root, at, more)					\
	",{\"id\":" #id ",\"namespace\":0,\"parent\":10,\"superblock\":" #sb ","	\
	"\"root\":\"" root "\",\"mountpoint\":\"" at "\"" more "}"

/* A server's, a process's of a nested proc, and files of namespaces. */
static struct mntcr_topology *waits(void)
{
	char *text = image(",{\"device\":\"0:7\",\"type\":\"autofs\",\"options\":\"\"},"
			   "{\"device\":\"0:8\",\"type\":\"proc\",\"options\":\"\",\"pid_namespace\":70,\"pid_depth\":2},"
			   "{\"device\":\"0:4\",\"type\":\"nsfs\",\"options\":\"\"}", "",
			   OF(11, 1, "/", "/a", "") OF(12, 2, "/", "/p", "")
			   OF(13, 2, "/7", "/q", "")
			   OF(14, 3, "uts:[77]", "/u", ",\"nsfs\":{\"type\":\"uts\",\"inode\":77}")
			   OF(15, 3, "uts:[77]", "/v", ",\"nsfs\":{\"type\":\"uts\",\"inode\":77}")
			   OF(16, 3, "time:[78]", "/w", ",\"nsfs\":{\"type\":\"time\",\"inode\":78}"));
	struct mntcr_topology *t;
	struct mntcr_error e;

	REQUIRE(!mc_image_parse(text, strlen(text), "image", &t, &e));
	free(text);
	return t;
}

static char *staged_list(const struct mntcr_topology *t, const struct mntcr_given *give,
			 size_t nr, bool json, int want, struct mntcr_error *e)
{
	const struct mntcr_restore_options o = { .size = sizeof(o) };
	const struct mntcr_stages_options so = {
		.size = sizeof(so), .give = give, .nr_give = nr,
	};
	uint32_t fds = mc_fd_count();
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	REQUIRE(out);
	CHECK_EQ(mntcr_check_stages(t, &o, &so, json, out, e), want);
	REQUIRE(!fclose(out));
	CHECK_EQ(mc_fd_count(), fds);
	return text;
}

/* What is waited for is listed, and not refused. */
static void what_stages_wait_for(void)
{
	static const char *const lines[] = {
		"superblock 0:7 autofs none: given as superblock:0:7; mounted at /a\n",
		"superblock 0:8 proc none: fresh once pid:70 is given, in part given; mounted at ",
		"superblock 0:4 nsfs none: given; mounted at ",
		"need       superblock:0:7 (autofs), at any time, or --external 0:7=PATH, for /a\n",
		"need       pid:70 (proc), after place, or --external 0:8=PATH, for /p\n",
		"need       mount:13 (proc), after delayed, or --external 0:8=PATH, for /q\n",
		"need       mount:14 (nsfs), at any time, or --external uts:[77]=PATH, for /u\n",
		"delayed    /a\n", "delayed    /q\n",
		/* each that would be asked for without stages */
		"external   --external 0:7=PATH for /a\n",
		"external   --external 0:8=PATH for ",
		"external   --external uts:[77]=PATH for /u, /v\n",
		"external   --external time:[78]=PATH for /w\n",
	};
	struct mntcr_topology *t = waits();
	const struct mntcr_given uts = { MNTCR_GIVEN_UTS, 77 };
	struct mntcr_error e;
	char *text;
	size_t i;
	int err;

	if (mc_extended_lacks(&err)) {
		text = staged_list(t, NULL, 0, false, -1, &e);
		CHECK_EQ(e.code, MNTCR_REFUSED);
		CHECK(has(text, "external   --external uts:[77]=PATH for /u, /v\n"));
		CHECK(has(text, " [namespace-not-given]\n"));
		goto out;
	}
	text = staged_list(t, NULL, 0, false, 0, &e);
	CHECK(!strstr(text, "refused"));
	/* what nobody has found is waited for */
	CHECK(!strstr(text, "\noptions"));
	for (i = 0; i < MC_ARRAY_SIZE(lines); i++)
		CHECK(has(text, lines[i]));
	free(text);
	/* those that will be given as one are waited for as one */
	text = staged_list(t, &uts, 1, true, 0, &e);
	CHECK(has(text, "\"kind\": \"uts\""));
	CHECK(has(text, "\"id\": \"77\""));
	CHECK(has(text, "\"chosen\": true"));
	CHECK(!strstr(text, "\"id\": \"14\""));
	CHECK(has(text, "\"need\": \"pid:70\""));
	/* nor is there another way to what will be given */
	CHECK(!strstr(text, "uts:[77]=PATH"));
	CHECK(has(text, "\"0:8=PATH\""));
	free(text);
	/* a mistake */
	text = staged_list(t, &(struct mntcr_given){ MNTCR_GIVEN_UTS, 76 }, 1, false, -1, &e);
	CHECK_STR(e.rule, "option");
	CHECK(has(text, "refused    give uts:76: no mount of the image waits for such a one [option]\n"));
out:
	free(text);
	mntcr_topology_free(t);
}

#define HOSTS(device, type, at)						\
	",{\"device\":\"" device "\",\"type\":\"" type "\",\"options\":\"\",\"whose\":\"host\"," \
	"\"outside\":{\"path\":\"" at "\",\"root\":\"/\"}}"

/* A superblock of the host's, a group of it, and one that is nowhere here. */
static struct mntcr_topology *of_the_host(void)
{
	char *text = image(HOSTS("9:9", "overlay", "/tmp/disk") HOSTS("9:8", "overlay", "/tmp/none"),
			   "{\"id\":7,\"outside\":{\"path\":\"/tmp/disk\",\"root\":\"/\"}}",
			   OF(11, 1, "/", "/a", ",\"master\":7") OF(12, 2, "/", "/b", ""));
	struct mntcr_topology *t;
	struct mntcr_error e;

	if (mc_image_parse(text, strlen(text), "image", &t, &e))
		TAP_SAY("%s", e.text);
	free(text);
	REQUIRE(t);
	return t;
}

/* What the host has here can be given by an option, which is told; what it has not, too. */
static void what_the_host_has_in_stages(void)
{
	static const char *const lines[] = {
		"superblock 9:9 overlay none: given as superblock:9:9; mounted at /a\n",
		"external   --host /tmp/disk for /a\n",
		"external   --external 9:8=PATH for /b\n",
		"master     --host /tmp/disk for /a\n",
		"need       superblock:9:9 (overlay), at any time, or --host /tmp/disk, for /a\n",
		"need       superblock:9:8 (overlay), at any time, or --external 9:8=PATH, for /b\n",
		"\noptions    --host /tmp/disk\n",
	};
	const char *place = "/tmp/disk";
	struct mntcr_restore_options o = { .size = sizeof(o), .hosts = &place, .nr_hosts = 1 };
	const struct mntcr_given disk = { MNTCR_GIVEN_SUPERBLOCK, MNTCR_DEVICE(9, 9) };
	struct mntcr_topology *t = of_the_host();
	struct mntcr_stages_options so = { .size = sizeof(so) };
	struct mntcr_stages *s = NULL;
	struct mntcr_error e;
	char *text;
	size_t i;
	int err;

	if (mc_extended_lacks(&err)) {
		mntcr_topology_free(t);
		SKIP("this kernel has no mount_setgroup(2)");
	}
	/* the group is the host's, which nothing but an option names */
	text = staged_list(t, NULL, 0, false, -1, &e);
	CHECK_STR(e.rule, "orphan-slave");
	for (i = 0; i < MC_ARRAY_SIZE(lines); i++)
		CHECK(has(text, lines[i]));
	free(text);
	/* with what it prints, that is all */
	CHECK_EQ(mntcr_stages_begin(t, &o, &so, &s, &e), 0);
	mntcr_stages_free(s);
	/* what will be given all the same has no other way */
	text = staged_list(t, &disk, 1, false, -1, &e);
	CHECK(has(text, "need       superblock:9:9 (overlay), at any time, for /a\n"));
	CHECK(has(text, "master     --external-master 7=PATH for /a\n"));
	CHECK(!strstr(text, "--host"));
	free(text);
	mntcr_topology_free(t);
}

/* Without stages each is refused, and each namespace has an option of its own. */
static void files_of_namespaces(void)
{
	struct mntcr_external x[2] = {
		{ .key = "uts:[77]", .path = "/proc/self/ns/uts" },
		{ .key = "time:[78]", .path = "/proc/self/ns/net" },
	};
	struct mntcr_restore_options o = { 0 };
	const char *sb = ",{\"device\":\"0:4\",\"type\":\"nsfs\",\"options\":\"\"}";
	const char *mounts =
		OF(14, 1, "uts:[77]", "/u", ",\"nsfs\":{\"type\":\"uts\",\"inode\":77}")
		OF(16, 1, "time:[78]", "/w", ",\"nsfs\":{\"type\":\"time\",\"inode\":78}");
	struct seen s;

	look(&s, image(sb, "", mounts), &o);
	CHECK_EQ(s.ret, -1);
	CHECK(has(s.text, "superblock 0:4 nsfs none: refused [namespace-not-given]; "));
	CHECK(has(s.text, "external   --external uts:[77]=PATH for /u\n"));
	CHECK(has(s.text, "external   --external time:[78]=PATH for /w\n"));
	CHECK(has(s.text, "\noptions    --external 'uts:[77]=PATH' --external 'time:[78]=PATH'\n"));
	done(&s);
	/* in part, and what is left has the option */
	o.externals = x;
	o.nr_externals = 1;
	look(&s, image(sb, "", mounts), &o);
	CHECK_EQ(s.ret, -1);
	CHECK(has(s.text, "superblock 0:4 nsfs none: external [namespace-not-given]; "));
	CHECK(has(s.text, "external   --external time:[78]=PATH for /w\n"));
	CHECK(!strstr(s.text, "for /u"));
	done(&s);
	o.nr_externals = 2;
	look(&s, image(sb, "", mounts), &o);
	CHECK_EQ(s.ret, -1);
	CHECK_STR(s.e.rule, "external-namespace");
	done(&s);
}

/* What was found before there was a plan. */
static void what_there_is_no_list_for(void)
{
	struct mntcr_error why[2] = { 0 }, e;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	mc_refuse(&why[0], "detached-unbindable", "of one");
	mc_fail(&why[1], MNTCR_USAGE, 0, "of another");
	REQUIRE(out);
	CHECK_EQ(mntcr_check_refused(why, 2, false, out, &e), -1);
	REQUIRE(!fclose(out));
	CHECK_EQ(e.code, MNTCR_REFUSED);
	CHECK_STR(text, "refused    of one [detached-unbindable]\nrefused    of another [option]\n");
	free(text);
}

struct two_superblocks {
	struct mntcr_topology *t;
	struct mntcr_restore_options o;
};

static void look_at_two_superblocks(void *data)
{
	const struct two_superblocks *two = data;
	struct mntcr_error e;
	char *list = NULL;
	size_t size;
	FILE *out = open_memstream(&list, &size);

	REQUIRE(out);
	CHECK_EQ(mntcr_check_restore(two->t, &two->o, false, out, &e), -1);
	fclose(out);
	CHECK(has(list, "1 files of fresh filesystems belong to ids that are not mapped here; the first is contents/0:8/f: owner 1000, group 0;"));
	free(list);
}

/* What belongs to one superblock is moved, and what is another's is not. */
static void owners_of_two_superblocks(void)
{
	static const char *const names[] = {
		MC_CONTENTS_JSON, "contents/0:7/f", "contents/0:8/f", MC_CONTENTS_END,
	};
	static const struct mc_shift to[] = { { false, 0, 1, 1000 } };
	static const struct mc_shifts moved = { 1, to };
	struct mntcr_contents *c = packed(names, 4);
	struct two_superblocks two = { .o = { .size = sizeof(two.o), .contents = c } };
	char *text = image(",{\"device\":\"0:7\",\"type\":\"tmpfs\",\"options\":\"\",\"contents\":true},"
			   "{\"device\":\"0:8\",\"type\":\"tmpfs\",\"options\":\"\",\"contents\":true}", "",
			   ON_DISK(11, "/", "/a", "")
			   ",{\"id\":12,\"namespace\":0,\"parent\":10,\"superblock\":2,\"root\":\"/\",\"mountpoint\":\"/b\"}");
	struct mntcr_error e;

	REQUIRE(!mc_image_parse(text, strlen(text), "image", &two.t, &e));
	free(text);
	two.t->sbs[2].shifts = &moved;
	as_only_root(look_at_two_superblocks, &two);
	mntcr_topology_free(two.t);
	mntcr_contents_free(c);
}

int main(void)
{
	make_host();
	TAP_RUN(nothing_stands_in_the_way);
	TAP_RUN(everything_about_an_external_at_once);
	TAP_RUN(it_is_good_once_all_is_there);
	TAP_RUN(a_place_far_down);
	TAP_RUN(an_external_of_another_type);
	TAP_RUN(what_cannot_be_opened_and_what_the_plan_refuses);
	TAP_RUN(layers_of_an_overlay);
	TAP_RUN(relative_layers);
	TAP_RUN(all_in_one_run);
	TAP_RUN(a_tree_for_a_source);
	TAP_RUN(places_on_an_overlay);
	TAP_RUN(contents_that_are_not_used);
	TAP_RUN(places_on_layers_with_contents);
	TAP_RUN(behind_what_is_mounted_there);
	TAP_RUN(with_few_descriptors);
	TAP_RUN(no_place_for_pins);
	TAP_RUN(an_option_that_names_nothing);
	TAP_RUN(all_options_that_name_nothing);
	TAP_RUN(a_master_that_is_not_shared);
	TAP_RUN(a_master_that_shows_less);
	TAP_RUN(what_the_kernel_does_not_take);
	TAP_RUN(what_is_too_long_for_it);
	TAP_RUN(a_kernel_without_empty_pid_namespaces);
	TAP_RUN(an_archive_that_could_not_be_made);
	TAP_RUN(options_of_another_owner);
	TAP_RUN(what_stages_wait_for);
	TAP_RUN(what_the_host_has_in_stages);
	TAP_RUN(files_of_namespaces);
	TAP_RUN(what_there_is_no_list_for);
	TAP_RUN(owners_that_nobody_is);
	TAP_RUN(owners_of_two_superblocks);
	return tap_done();
}
