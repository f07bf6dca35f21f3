// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * --host: what is the host's comes from the restorer's own mounts, at the places that
 * are named and nowhere else.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <sys/sysmacros.h>

#include "base/base.h"
#include "checked.h"
#include "image/image.h"
#include "topology/topology.h"

struct held {
	struct mntcr_topology *t;
	struct mntcr_error e;
	struct mntcr_restore_options o;
	const char *hosts[4];
	struct mntcr_external ext[3];
	char refusals[4][64], line[600], text[900];
	unsigned int nr_refusals, nr_differences;
};

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

static void build(void)
{
	TRY(mkdir("vol", 0755));
	TRY(mkdir("run", 0755));
	TRY(mkdir("part", 0755));
	TRY(mount("/tmp/disk/vol", "vol", NULL, MS_BIND, NULL));
	TRY(mount("/tmp/run", "run", NULL, MS_BIND, NULL));
	TRY(mount("none", "run", NULL, MS_PRIVATE, NULL));
	TRY(mount("/tmp/part/in/sub", "part", NULL, MS_BIND, NULL));
}

static void dump(struct held *h)
{
	memset(h, 0, sizeof(*h));
	h->t = image_of_container(build);
	h->o.size = sizeof(h->o);
	h->o.hosts = h->hosts;
	h->o.externals = h->ext;
	h->o.refused = refusal;
	h->o.difference = difference;
	h->o.data = h;
}

static void add_host(struct held *h, const char *place)
{
	h->hosts[h->o.nr_hosts++] = place;
}

static struct mc_sb *at(struct held *h, const char *path)
{
	uint32_t m = mc_mount_at(h->t, 0, path);

	REQUIRE(m != MC_NONE);
	return &h->t->sbs[h->t->mounts[m].sb];
}

/* Returns what came of it; *dev: st_dev of what is mounted at path there. */
static int restore(struct held *h, const char *path, dev_t *dev)
{
	struct mntcr_restored *r = NULL;
	struct mntcr_source src = { .type = MNTCR_SOURCE_FD };
	struct mntcr_topology *got = NULL;
	size_t nr = 1;
	uint32_t m;
	int ret;

	h->nr_refusals = h->nr_differences = 0;
	ret = mntcr_restore(h->t, &h->o, &r, &h->e);
	if (ret || !path)
		goto out;
	src.fd = mntcr_restored_ns_fd(r, 0);
	REQUIRE(!mntcr_capture(&src, 1, NULL, &got, &h->e));
	REQUIRE(!mntcr_verify(h->t, got, NULL, &nr, &h->e));
	CHECK_EQ(nr, 0);
	m = mc_mount_at(got, 0, path);
	REQUIRE(m != MC_NONE);
	*dev = makedev(got->sbs[got->mounts[m].sb].major, got->sbs[got->mounts[m].sb].minor);
	mntcr_topology_free(got);
out:
	mntcr_restored_free(r);
	return ret;
}

static void good(struct held *h, const char *path, dev_t *dev)
{
	int ret = restore(h, path, dev);

	if (ret)
		TAP_SAY("%s", h->e.text);
	REQUIRE(!ret);
}

static void bad(struct held *h, const char *rule, const char *says)
{
	CHECK_EQ(restore(h, NULL, NULL), -1);
	CHECK_EQ(h->e.code, MNTCR_REFUSED);
	CHECK_STR(h->e.rule, rule);
	if (!strstr(h->e.text, says))
		CHECK_STR(h->e.text, says);
}

static void wrong(struct held *h, const char *says)
{
	CHECK_EQ(restore(h, NULL, NULL), -1);
	CHECK_EQ(h->e.code, MNTCR_USAGE);
	if (!strstr(h->e.text, says))
		CHECK_STR(h->e.text, says);
}

static void done(struct held *h)
{
	mntcr_topology_free(h->t);
}

static dev_t device_of(const char *path)
{
	struct stat st;

	REQUIRE(!stat(path, &st));
	return st.st_dev;
}

static void what_was_named_is_taken(void)
{
	struct held h;
	dev_t dev = 0;

	dump(&h);
	add_host(&h, "/tmp/part");
	add_host(&h, "/tmp/disk");
	add_host(&h, "/tmp/run");
	good(&h, "/run", &dev);
	CHECK_EQ(dev, device_of("/tmp/run"));
	CHECK_EQ(h.nr_differences, 0);
	good(&h, "/part", &dev);
	CHECK_EQ(dev, device_of("/tmp/part"));
	/* its group, too: it receives */
	good(&h, "/vol", &dev);
	done(&h);
}

/* An image is not trusted: by itself it gets nothing of this host. */
static void what_was_not_named_is_not(void)
{
	struct held h;
	dev_t dev = 0;

	dump(&h);
	bad(&h, "no-source", "/vol");
	add_host(&h, "/tmp/disk");
	/* a tmpfs can be made: an empty one, which is said */
	good(&h, "/run", &dev);
	CHECK(dev != device_of("/tmp/run"));
	CHECK_EQ(h.nr_differences, 2);
	CHECK(strstr(h.line, "the host's becomes one of the container's own; --host=/tmp/"));
	/* what is said outright counts */
	add_host(&h, "/tmp/run");
	h.ext[0] = (struct mntcr_external){ .key = "path:/run", .path = "/tmp/run2" };
	h.o.nr_externals = 1;
	good(&h, "/run", &dev);
	CHECK_EQ(dev, device_of("/tmp/run2"));
	done(&h);
}

static void places_that_are_wrong(void)
{
	struct held h;

	dump(&h);
	add_host(&h, "/tmp/disk");
	add_host(&h, "/tmp/none");
	wrong(&h, "--host /tmp/none: the image has nothing that its host had there");
	h.hosts[1] = "tmp/disk";
	wrong(&h, "--host tmp/disk: the path does not start with /");
	h.hosts[1] = "/tmp/../tmp/disk";
	wrong(&h, "--host /tmp/../tmp/disk: the path has a . or .. component");
	/* twice the same is once */
	h.hosts[1] = "/tmp/disk";
	good(&h, NULL, NULL);
	done(&h);
}

static void what_is_there_now_is_looked_at(void)
{
	struct held h;
	uint32_t m;

	dump(&h);
	add_host(&h, "/tmp/disk");
	add_host(&h, "/tmp/run");
	at(&h, "/run")->outside.path = "/tmp/odd";
	h.hosts[1] = "/tmp/odd";
	bad(&h, "host-type", "--host /tmp/odd: what is mounted there is ramfs, and the image's host had tmpfs there");
	at(&h, "/run")->outside.path = "/tmp/lower";
	h.hosts[1] = "/tmp/lower";
	bad(&h, "host-type", "--host /tmp/lower: nothing is mounted there, and the image's host had tmpfs there");
	at(&h, "/run")->outside.path = "/tmp/none";
	h.hosts[1] = "/tmp/none";
	CHECK_EQ(restore(&h, NULL, NULL), -1);
	CHECK_EQ(h.e.code, MNTCR_SYS);
	CHECK_EQ(h.e.err, ENOENT);
	/* a root that it lacks: with what it was */
	at(&h, "/run")->outside.path = "/tmp/run";
	h.hosts[1] = "/tmp/run";
	m = mc_mount_at(h.t, 0, "/run");
	h.t->mounts[m].root = "/gone";
	h.t->mounts[m].root_file.mode = S_IFDIR | 0711;
	bad(&h, "external-root", "/run: its root is below that of its superblock (a directory, mode 0711), but --host /tmp/run leads to ");
	done(&h);
}

/* The group is taken only where a mount there is of it and of the superblock. */
static void groups(void)
{
	struct held h;
	uint32_t g;

	dump(&h);
	add_host(&h, "/tmp/disk");
	g = h.t->mounts[mc_mount_at(h.t, 0, "/vol")].master;
	REQUIRE(g != MC_NONE);
	CHECK_STR(h.t->groups[g].outside.path, "/tmp/disk");
	good(&h, NULL, NULL);
	REQUIRE(!mount("none", "/tmp/disk", NULL, MS_PRIVATE, NULL));
	bad(&h, "orphan-slave", "");
	REQUIRE(!mount("none", "/tmp/disk", NULL, MS_SHARED, NULL));
	/* of another superblock */
	h.t->groups[g].outside.path = "/tmp/run";
	add_host(&h, "/tmp/run");
	REQUIRE(!mount("none", "/tmp/run", NULL, MS_SHARED, NULL));
	bad(&h, "orphan-slave", "");
	REQUIRE(!mount("none", "/tmp/run", NULL, MS_PRIVATE, NULL));
	/* and where the superblock is not taken, its group is not */
	h.t->groups[g].outside.path = "/tmp/disk";
	at(&h, "/vol")->outside.path = NULL;
	at(&h, "/vol")->outside.root = NULL;
	h.ext[0] = (struct mntcr_external){ .key = "path:/vol", .path = "/tmp/disk" };
	h.o.nr_externals = 1;
	bad(&h, "orphan-slave", "");
	done(&h);
}

/* KEY:ROOT=PATH, where only a part is to be had. */
static void a_part_of_a_superblock(void)
{
	struct held h;
	dev_t dev = 0;

	dump(&h);
	add_host(&h, "/tmp/disk");
	h.ext[0] = (struct mntcr_external){ .key = "path:/part:/in", .path = "/tmp/other/in" };
	h.o.nr_externals = 1;
	good(&h, "/part", &dev);
	CHECK_EQ(dev, device_of("/tmp/other"));
	h.ext[0].key = "path:/part:/in/sub";
	h.ext[0].path = "/tmp/other/in/sub";
	good(&h, "/part", &dev);
	CHECK_EQ(dev, device_of("/tmp/other"));
	h.ext[0].path = "/tmp/other/in/none";
	CHECK_EQ(restore(&h, NULL, NULL), -1);
	CHECK_EQ(h.e.err, ENOENT);
	h.ext[0].key = "path:/part:/in/sub/below";
	h.ext[0].path = "/tmp/other";
	bad(&h, "no-source", "its root, /in/sub of ");
	done(&h);
}

/* What is recorded is a part: that is what the place stands for. */
static void a_place_of_a_part(void)
{
	struct held h;
	dev_t dev = 0;

	REQUIRE(!mkdir("/tmp/seen", 0755));
	REQUIRE(!mount("/tmp/part/in", "/tmp/seen", NULL, MS_BIND, NULL));
	dump(&h);
	at(&h, "/part")->outside.path = "/tmp/seen";
	at(&h, "/part")->outside.root = "/in";
	add_host(&h, "/tmp/disk");
	add_host(&h, "/tmp/seen");
	good(&h, "/part", &dev);
	CHECK_EQ(dev, device_of("/tmp/part"));
	REQUIRE(!umount("/tmp/seen"));
	done(&h);
}

/* Mounts that were of one superblock cannot be of two. */
static void parts_of_two_superblocks(void)
{
	struct held h;

	dump(&h);
	add_host(&h, "/tmp/disk");
	h.ext[0] = (struct mntcr_external){ .key = "path:/part:/in", .path = "/tmp/other/in" };
	h.ext[1] = (struct mntcr_external){ .key = "path:/part", .path = "/tmp/part" };
	h.o.nr_externals = 2;
	good(&h, NULL, NULL);	/* the second stands for nothing that is wanted */
	h.t->mounts[mc_mount_at(h.t, 0, "/run")].sb =
		h.t->mounts[mc_mount_at(h.t, 0, "/part")].sb;
	bad(&h, "external-superblock", "/tmp/other/in is of another superblock than /tmp/part, which stands for a part of ");
	done(&h);
}

static void printed(struct held *h, char **text, int want)
{
	size_t size;
	FILE *out = open_memstream(text, &size);

	REQUIRE(out);
	CHECK_EQ(mntcr_check_restore(h->t, &h->o, false, out, &h->e), want);
	REQUIRE(!fclose(out));
}

/* What is listed beforehand, pasted. */
static void the_list_has_the_options(void)
{
	struct held h;
	dev_t dev = 0;
	char *text;

	dump(&h);
	printed(&h, &text, -1);
	CHECK(has(text, "\nexternal   --host /tmp/disk for /vol\n"));
	CHECK(has(text, "\nexternal   --host /tmp/run for /run\n"));
	CHECK(has(text, "\nmaster     --host /tmp/disk for /vol\n"));
	/* in the order of the superblocks */
	CHECK(has(text, "\noptions    --host /tmp/disk,/tmp/run,/tmp/part\n"));
	CHECK(has(text, " [no-source]\n"));
	CHECK(has(text, "differs    tmpfs "));
	CHECK(has(text, ": the host's becomes one of the container's own; --host=/tmp/run keeps it the host's\n"));
	free(text);
	add_host(&h, "/tmp/disk");
	add_host(&h, "/tmp/run");
	add_host(&h, "/tmp/part");
	printed(&h, &text, 0);
	CHECK(has(text, "\noptions    --host /tmp/disk,/tmp/run,/tmp/part\n"));
	CHECK(!strstr(text, "differs"));
	free(text);
	good(&h, "/vol", &dev);
	CHECK_EQ(h.nr_differences, 0);
	/* where the host has none: what is yet to be found */
	at(&h, "/vol")->outside.path = "/tmp/none";
	h.o.nr_hosts = 0;
	printed(&h, &text, -1);
	CHECK(has(text, "=PATH for /vol\n"));
	CHECK(has(text, "\nmaster     --external-master "));
	free(text);
	done(&h);
}

int main(void)
{
	make_host();
	TRY(mkdir("/tmp/part", 0755));
	TRY(mount("part", "/tmp/part", "tmpfs", 0, NULL));
	TRY(mkdir("/tmp/part/in", 0755));
	TRY(mkdir("/tmp/part/in/sub", 0755));
	/* of the same type, source and files: another superblock */
	TRY(mkdir("/tmp/other", 0755));
	TRY(mount("part", "/tmp/other", "tmpfs", 0, NULL));
	TRY(mkdir("/tmp/other/in", 0755));
	TRY(mkdir("/tmp/other/in/sub", 0755));
	TRY(mkdir("/tmp/run2", 0755));
	TRY(mount("run", "/tmp/run2", "tmpfs", 0, NULL));
	TRY(mkdir("/tmp/odd", 0755));
	TRY(mount("odd", "/tmp/odd", "ramfs", 0, NULL));
	TAP_RUN(what_was_named_is_taken);
	TAP_RUN(what_was_not_named_is_not);
	TAP_RUN(places_that_are_wrong);
	TAP_RUN(what_is_there_now_is_looked_at);
	TAP_RUN(groups);
	TAP_RUN(a_part_of_a_superblock);
	TAP_RUN(a_place_of_a_part);
	TAP_RUN(parts_of_two_superblocks);
	TAP_RUN(the_list_has_the_options);
	return tap_done();
}
