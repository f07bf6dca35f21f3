// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Whose a superblock is, and where the host's are found; whose files an archive has.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <sys/sysmacros.h>

#include "base/base.h"
#include "checked.h"
#include "topology/topology.h"

struct dumped {
	struct mntcr_topology *t;
	struct mntcr_container c;
	struct mntcr_error e;
	pid_t pid;
	int ret;
};

static void dump(struct dumped *d, pid_t pid, const struct mntcr_capture_options *o)
{
	memset(d, 0, sizeof(*d));
	d->pid = pid;
	d->ret = mntcr_capture_container(pid, o, &d->c, &d->t, &d->e);
}

static void good(struct dumped *d, pid_t pid, const struct mntcr_capture_options *o)
{
	dump(d, pid, o);
	if (d->ret)
		TAP_SAY("%s", d->e.text);
	REQUIRE(!d->ret);
}

static void done(struct dumped *d)
{
	mntcr_topology_free(d->t);
	mntcr_container_free(&d->c);
	end(d->pid);
}

static struct mc_sb *at(const struct dumped *d, const char *path)
{
	uint32_t m = mc_mount_at(d->t, 0, path);

	REQUIRE(m != MC_NONE);
	return &d->t->sbs[d->t->mounts[m].sb];
}

static void build(void)
{
	put("file", "seven!\n");
	TRY(mkdir("vol", 0755));
	TRY(mkdir("run", 0755));
	TRY(mkdir("part", 0755));
	TRY(mkdir("proc", 0555));
	TRY(mkdir("own", 0755));
	put("net", "");
	TRY(mount("/tmp/disk/vol", "vol", NULL, MS_BIND, NULL));
	TRY(mount("/tmp/run", "run", NULL, MS_BIND, NULL));
	TRY(mount("/tmp/part/in", "part", NULL, MS_BIND, NULL));
	TRY(mount("proc", "proc", "proc", 0, NULL));
	TRY(mount("own", "own", "tmpfs", 0, NULL));
	TRY(mount("/proc/self/ns/net", "net", NULL, MS_BIND, NULL));
}

static void each_rule(void)
{
	struct dumped d;
	uint32_t m;

	good(&d, make_container(build), NULL);
	CHECK_EQ(at(&d, "/")->whose, MC_WHOSE_CONTAINER);
	CHECK_EQ(at(&d, "/own")->whose, MC_WHOSE_CONTAINER);
	CHECK(!at(&d, "/own")->outside.path);
	CHECK_EQ(at(&d, "/proc")->whose, MC_WHOSE_NAMESPACE);
	CHECK_EQ(at(&d, "/net")->whose, MC_WHOSE_FILES);
	CHECK_EQ(at(&d, "/vol")->whose, MC_WHOSE_HOST);
	CHECK_STR(at(&d, "/vol")->outside.path, "/tmp/disk");
	CHECK_STR(at(&d, "/vol")->outside.root, "/");
	CHECK_EQ(at(&d, "/run")->whose, MC_WHOSE_HOST);
	CHECK_STR(at(&d, "/run")->outside.path, "/tmp/run");
	/* the container received it from a group that only the host is in */
	m = mc_mount_at(d.t, 0, "/vol");
	REQUIRE(d.t->mounts[m].master != MC_NONE);
	CHECK_STR(d.t->groups[d.t->mounts[m].master].outside.path, "/tmp/disk");
	CHECK_STR(d.t->groups[d.t->mounts[m].master].outside.root, "/");
	done(&d);
}

static void the_widest_that_a_path_leads_to(void)
{
	struct dumped d;
	pid_t pid;

	/* the whole of it is covered: what is seen has another root */
	REQUIRE(!mkdir("/tmp/part/at", 0755));
	REQUIRE(!mkdir("/tmp/seen", 0755));
	REQUIRE(!mkdir("/tmp/narrow", 0755));
	REQUIRE(!mkdir("/tmp/narrow-too", 0755));
	REQUIRE(!mkdir("/tmp/part/in/x", 0755));
	REQUIRE(!mount("/tmp/part/in/x", "/tmp/narrow", NULL, MS_BIND, NULL));
	REQUIRE(!mount("/tmp/part/in", "/tmp/seen", NULL, MS_BIND, NULL));
	REQUIRE(!mount("/tmp/part/in/x", "/tmp/narrow-too", NULL, MS_BIND, NULL));
	pid = make_container(build);
	REQUIRE(!mount("over", "/tmp/part", "tmpfs", 0, NULL));
	good(&d, pid, NULL);
	CHECK_EQ(at(&d, "/part")->whose, MC_WHOSE_HOST);
	CHECK_STR(at(&d, "/part")->outside.path, "/tmp/seen");
	CHECK_STR(at(&d, "/part")->outside.root, "/in");
	done(&d);
	/* none is seen: it is the host's all the same */
	REQUIRE(!umount("/tmp/part"));
	REQUIRE(!umount("/tmp/seen"));
	REQUIRE(!umount("/tmp/narrow"));
	REQUIRE(!umount("/tmp/narrow-too"));
	pid = make_container(build);
	REQUIRE(!mount("over", "/tmp/part", "tmpfs", 0, NULL));
	good(&d, pid, NULL);
	CHECK_EQ(at(&d, "/part")->whose, MC_WHOSE_HOST);
	CHECK(!at(&d, "/part")->outside.path);
	done(&d);
}

static void overruled(void)
{
	static const char *const run[] = { "/run" }, *const own[] = { "/own" };
	struct mntcr_capture_options o = {
		.size = sizeof(o), .own = run, .nr_own = 1,
		.not_own = own, .nr_not_own = 1,
	};
	struct dumped d;

	good(&d, make_container(build), &o);
	CHECK_EQ(at(&d, "/run")->whose, MC_WHOSE_CONTAINER);
	CHECK(!at(&d, "/run")->outside.path);
	CHECK_EQ(at(&d, "/own")->whose, MC_WHOSE_HOST);
	CHECK(!at(&d, "/own")->outside.path);
	done(&d);
}

/* One that is both, by whichever keys: the second would win. */
static void overruled_both_ways(void)
{
	static const char *const path[] = { "/run" };
	char device[32];
	const char *const dev[] = { device };
	struct mntcr_capture_options o = {
		.size = sizeof(o), .own = path, .nr_own = 1, .not_own = path, .nr_not_own = 1,
	};
	const struct mc_sb *sb;
	struct dumped d;
	int i;

	good(&d, make_container(build), NULL);
	sb = at(&d, "/run");
	snprintf(device, sizeof(device), "%u:%u", sb->major, sb->minor);
	done(&d);
	for (i = 0; i < 2; i++) {
		dump(&d, make_container(build), &o);
		CHECK_EQ(d.ret, -1);
		CHECK(!d.t);
		CHECK_EQ(d.e.code, MNTCR_USAGE);
		CHECK(has(d.e.text, "not the container's own: /run names "));
		CHECK(has(d.e.text, ", which is named as the container's own, too"));
		done(&d);
		o.own = dev;
	}
}

static void wrongly_overruled(void)
{
	static const struct {
		const char *key, *says;
	} wrong[] = {
		{ "/nowhere", "the container's own: /nowhere names no superblock of a mount" },
		{ "9:9", "the container's own: 9:9 names no superblock of a mount" },
		{ "/proc", "the container's own: /proc is of type proc, and whose that is does not depend on where it is mounted" },
		{ "/net", "the container's own: /net is of type nsfs, and whose that is does not depend on where it is mounted" },
	};
	struct mntcr_capture_options o = { .size = sizeof(o), .nr_own = 1 };
	struct dumped d;
	size_t i;

	for (i = 0; i < MC_ARRAY_SIZE(wrong); i++) {
		o.own = &wrong[i].key;
		dump(&d, make_container(build), &o);
		CHECK_EQ(d.ret, -1);
		CHECK(!d.t);
		CHECK_EQ(d.e.code, MNTCR_USAGE);
		CHECK_STR(d.e.text, wrong[i].says);
		done(&d);
	}
}

static unsigned int nr_told;

static void told(void *data, const char *line)
{
	if (strstr(line, "(/run): the host's: without its contents") ||
	    strstr(line, "(/part): the host's: without its contents"))
		nr_told++;
	else
		TAP_SAY("told: %s", line);
}

static void save(struct dumped *d, struct mntcr_topology **got)
{
	struct mntcr_contents_options o = {
		.size = sizeof(o), .sources = d->c.sources, .nr_sources = d->c.nr,
		.left_out = told,
	};
	struct mntcr_contents *files = NULL;
	int ret;

	nr_told = 0;
	ret = mntcr_image_write_contents(d->t, &o, "/tmp/image", &d->e);
	if (ret)
		TAP_SAY("%s", d->e.text);
	REQUIRE(!ret);
	REQUIRE(!mntcr_image_read_contents("/tmp/image", got, &files, &d->e));
	mntcr_contents_free(files);
	REQUIRE(!unlink("/tmp/image"));
}

/* The host's secrets stay where they are, unless the caller says whose they are. */
static void the_hosts_is_not_archived(void)
{
	static const char *const run[] = { "/run" };
	struct mntcr_capture_options o = { .size = sizeof(o), .own = run, .nr_own = 1 };
	struct mntcr_topology *got = NULL;
	struct dumped d;

	good(&d, make_container(build), NULL);
	save(&d, &got);
	CHECK_EQ(nr_told, 2);
	mntcr_topology_free(d.t);
	d.t = got;
	CHECK(at(&d, "/")->contents);
	CHECK(at(&d, "/own")->contents);
	CHECK(!at(&d, "/run")->contents);
	CHECK_EQ(at(&d, "/run")->whose, MC_WHOSE_HOST);
	CHECK_STR(at(&d, "/run")->outside.path, "/tmp/run");
	done(&d);

	good(&d, make_container(build), &o);
	save(&d, &got);
	CHECK_EQ(nr_told, 1);
	CHECK(at(&d, "/run")->contents);
	mntcr_topology_free(got);
	done(&d);
}

/* Where the caller's own is dumped, nothing is outside of it. */
static void the_callers_own(void)
{
	struct mntcr_source self = { .type = MNTCR_SOURCE_PATH,
				     .path = "/proc/self/ns/mnt" };
	struct mntcr_capture_options o = { .size = sizeof(o), .whose = true };
	struct dumped d = { 0 };

	REQUIRE(!mntcr_capture(&self, 1, &o, &d.t, &d.e));
	CHECK_EQ(at(&d, "/tmp/run")->whose, MC_WHOSE_CONTAINER);
	mntcr_topology_free(d.t);
	/* and unless it is asked for, nobody looks */
	REQUIRE(!mntcr_capture(&self, 1, NULL, &d.t, &d.e));
	CHECK_EQ(at(&d, "/tmp/run")->whose, MC_WHOSE_UNKNOWN);
	mntcr_topology_free(d.t);
}

static char differences[1000];

static void differs(void *data, const char *line)
{
	size_t n = strlen(differences);

	(void)data;
	snprintf(differences + n, sizeof(differences) - n, "%s\n", line);
}

static size_t compared(const struct mntcr_topology *a, const struct mntcr_topology *b,
		       unsigned int ignored)
{
	const struct mntcr_verify_options o = {
		.size = sizeof(o), .report = differs, .flags = ignored,
	};
	struct mntcr_error e;
	size_t nr = 99;

	differences[0] = '\0';
	REQUIRE(!mntcr_verify(a, b, &o, &nr, &e));
	if (nr)
		TAP_SAY("%s", differences);
	return nr;
}

/* As the image of it is, before and after another had what it shows of the host's. */
static struct mntcr_topology *imaged(struct dumped *d)
{
	struct mntcr_topology *t = NULL;

	REQUIRE(!mntcr_image_write(d->t, "/tmp/image", &d->e));
	REQUIRE(!mntcr_image_read("/tmp/image", &t, &d->e));
	REQUIRE(!unlink("/tmp/image"));
	return t;
}

/* Alike in all but that, where the kernel names the superblocks of one mount tree. */
static void build_private(void)
{
	build();
	TRY(umount2("run", MNT_DETACH));
	TRY(mount("run", "run", "tmpfs", 0, NULL));
}

static void verified(void)
{
	static const char *const run[] = { "/run" };
	struct mntcr_capture_options o = { .size = sizeof(o), .own = run, .nr_own = 1 };
	struct mntcr_topology *hosts, *own;
	struct dumped d;

	good(&d, make_container(build), NULL);
	hosts = imaged(&d);
	CHECK_EQ(compared(hosts, d.t, 0), 0);
	done(&d);
	/* a private copy in place of the host's, live and as an image; and the reverse */
	good(&d, make_container(build_private), NULL);
	own = imaged(&d);
	CHECK_EQ(compared(own, d.t, 0), 0);
	CHECK_EQ(compared(hosts, d.t, 0), 1);
	CHECK(has(differences, "/run: whose superblock: 'host' against 'container'"));
	CHECK_EQ(compared(hosts, d.t, MNTCR_VERIFY_IGNORE_WHOSE), 0);
	CHECK_EQ(compared(hosts, own, 0), 1);
	done(&d);
	good(&d, make_container(build), NULL);
	CHECK_EQ(compared(own, d.t, 0), 1);
	CHECK(has(differences, "/run: whose superblock: 'container' against 'host'"));
	done(&d);
	good(&d, make_container(build), &o);
	CHECK_EQ(compared(own, d.t, 0), 0);
	done(&d);
	mntcr_topology_free(hosts);
	mntcr_topology_free(own);
}

int main(void)
{
	make_host();
	TRY(mkdir("/tmp/part", 0755));
	TRY(mount("part", "/tmp/part", "tmpfs", 0, NULL));
	TRY(mkdir("/tmp/part/in", 0755));
	TAP_RUN(each_rule);
	TAP_RUN(verified);
	TAP_RUN(overruled);
	TAP_RUN(overruled_both_ways);
	TAP_RUN(wrongly_overruled);
	TAP_RUN(the_hosts_is_not_archived);
	TAP_RUN(the_callers_own);
	TAP_RUN(the_widest_that_a_path_leads_to);
	return tap_done();
}
