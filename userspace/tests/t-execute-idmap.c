// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Idmapped mounts of which no live one can be cloned: of a superblock that is made, of
 * an external path, of a live mount that is not idmapped.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mntcr-restore.h"
#include "base/base.h"
#include "image/image.h"
#include "topology/topology.h"
#include "extended.h"
#include "idmap-userns.h"
#include "in-child.h"
#include "tap.h"

#define DIR(uid) "\"root_file\":{\"type\":\"directory\",\"mode\":\"0751\",\"uid\":" #uid ",\"gid\":" #uid "}"
#define IDMAPPED(n) "\"attributes\":[\"nodev\",\"idmapped\"],\"idmap\":" #n ","
#define MOUNT(id, parent, sb, at, more) ",{\"id\":" #id ",\"namespace\":0,\"parent\":" #parent ","	\
	"\"superblock\":" #sb ",\"root\":\"/\",\"mountpoint\":\"" at "\"," more "}"
#define A "[[0,1000,10]]"
#define B "[[0,2000,5],[5,3000,5]]"

static const char image[] =
	"{\"format\":\"mntcr-image\",\"version\":4,\"unique_ids\":true,\"user_namespaces\":[],"
	"\"namespaces\":[{\"id\":1,\"label\":\"x\"}],\"groups\":[],\"idmaps\":["
	"{\"uid\":" A ",\"gid\":" A "},{\"uid\":" A ",\"gid\":" A "},"
	"{\"uid\":" B ",\"gid\":" B "}],\"superblocks\":["
	"{\"device\":\"0:1\",\"type\":\"tmpfs\",\"source\":\"root\",\"options\":\"mode=755\"},"
	"{\"device\":\"0:2\",\"type\":\"tmpfs\",\"source\":\"own\",\"options\":\"\"}],"
	"\"mounts\":[{\"id\":10,\"namespace\":0,\"superblock\":0,\"root\":\"/\",\"mountpoint\":\"/\"}"
	MOUNT(11, 10, 1, "/p", DIR(5))
	MOUNT(12, 10, 1, "/i", IDMAPPED(0) DIR(1005))
	MOUNT(13, 10, 1, "/j", IDMAPPED(1) DIR(1005))
	MOUNT(14, 10, 1, "/k", IDMAPPED(2) DIR(3000))
	MOUNT(15, 12, 0, "/d", "\"mountpoint_file\":{\"type\":\"directory\",\"mode\":\"0700\",\"uid\":1003,\"gid\":1004}")
	"]}";

struct made {
	struct mntcr_topology *t;
	struct mntcr_restored *r;
	struct mntcr_error e;
	struct mntcr_restore_options o;
	int ret;
};

static enum mntcr_api api;

static void need_api(void)
{
	if (api == MNTCR_API_EXTENDED && !has_extended())
		SKIP("this kernel has no mount_setgroup(2)");
}

static void start(struct made *m)
{
	need_api();
	memset(m, 0, sizeof(*m));
	m->o.size = sizeof(m->o);
	m->o.api = api;
	m->o.keep_fds = true;
	REQUIRE(!mc_image_parse(image, strlen(image), "image", &m->t, &m->e));
}

static void run(struct made *m)
{
	m->ret = mntcr_restore(m->t, &m->o, &m->r, &m->e);
}

static void end(struct made *m)
{
	mntcr_restored_free(m->r);
	mntcr_topology_free(m->t);
}

/* Does this kernel set one on a tmpfs? 6.3 has begun to. */
static bool tmpfs_takes_it(void)
{
	static int known = -1;

	if (known < 0)
		known = idmap_tmpfs_takes();
	return known;
}

static void owner(const struct made *m, uint64_t mount, const char *path, uint32_t uid,
		  uint32_t gid)
{
	struct stat st;
	int fd = mntcr_restored_mount_fd(m->r, 0, mount);

	REQUIRE(fd >= 0);
	REQUIRE(!fstatat(fd, path, &st, AT_EMPTY_PATH));
	CHECK_EQ(st.st_uid, uid);
	CHECK_EQ(st.st_gid, gid);
}

/* How many user namespaces: each is one unshare(2). */
static uint64_t unshared(const struct made *m)
{
	const struct mntcr_stats *s = mntcr_restored_stats(m->r);
	uint32_t i;

	for (i = 0; i < s->nr_call_names; i++)
		if (!strcmp(s->calls[i].name, "unshare"))
			return s->calls[i].nr;
	return 0;
}

static void same(struct made *m)
{
	struct mntcr_source src = { .type = MNTCR_SOURCE_FD };
	struct mntcr_topology *got = NULL;
	size_t nr = 1;
	int ret;

	src.fd = mntcr_restored_ns_fd(m->r, 0);
	ret = mntcr_capture(&src, 1, NULL, &got, &m->e);
	/* where mountinfo has to do, that one is idmapped is all there is to see */
	if (ret) {
		CHECK_STR(m->e.rule, "idmap-unknown");
		return;
	}
	REQUIRE(!mntcr_verify(m->t, got, &(struct mntcr_verify_options){
			.size = sizeof(struct mntcr_verify_options),
			.flags = MNTCR_VERIFY_IGNORE_OPTIONS | MNTCR_VERIFY_IGNORE_SOURCE,
		}, &nr, &m->e));
	CHECK_EQ(nr, 0);
	mntcr_topology_free(got);
}

static bool taken(struct made *m)
{
	if (tmpfs_takes_it()) {
		if (m->ret)
			TAP_SAY("%s", m->e.text);
		REQUIRE(!m->ret);
		return true;
	}
	CHECK_EQ(m->ret, -1);
	CHECK_EQ(m->e.code, MNTCR_REFUSED);
	CHECK_STR(m->e.rule, "idmapped-source");
	CHECK(strstr(m->e.text, "/i and 2 more: tmpfs: Invalid argument: this kernel sets no idmap on mounts of it"));
	return false;
}

static void owners(struct made *m)
{
	owner(m, 11, "", 5, 5);
	owner(m, 12, "", 1005, 1005);
	owner(m, 13, "", 1005, 1005);
	owner(m, 14, "", 3000, 3000);
}

static void on_a_fresh_superblock(void)
{
	struct mc_idmap_extent other = { 0, 1000, 11 };
	uint64_t nr;
	struct made m;

	start(&m);
	run(&m);
	if (taken(&m)) {
		owners(&m);
		/* what is mounted on: as it was seen through the mount */
		owner(&m, 13, "d", 1003, 1004);
		owner(&m, 11, "d", 3, 4);
		same(&m);
		nr = unshared(&m);
		end(&m);
		/* two maps are equal: with three there is one namespace more */
		start(&m);
		m.t->idmaps[1].uid = &other;
		run(&m);
		REQUIRE(!m.ret);
		CHECK_EQ(unshared(&m), nr + 1);
	}
	end(&m);
}

/* Over it, a clone of it with an idmap. */
static void idmap_in_place(const char *path)
{
	int user = idmap_userns("0 1000 10");

	REQUIRE(!idmap_onto(user, path, path));
	close(user);
}

static void on_one_that_is_idmapped(struct mntcr_external *ext)
{
	struct made m;

	idmap_in_place(ext->path);
	start(&m);
	m.o.externals = ext;
	m.o.nr_externals = 1;
	run(&m);
	CHECK_EQ(m.ret, -1);
	CHECK_STR(m.e.rule, "idmapped-source");
	CHECK(strstr(m.e.text, "--external 0:2=/tmp/own is on an idmapped mount"));
	end(&m);
	REQUIRE(!umount(ext->path));
}

static void on_an_external_path(void)
{
	struct mntcr_external ext = { .key = "0:2", .path = "/tmp/own" };
	struct made m;

	start(&m);
	REQUIRE(!mkdir("/tmp/own", 0755));
	REQUIRE(!mount("own", "/tmp/own", "tmpfs", 0, NULL));
	REQUIRE(!chown("/tmp/own", 5, 5));
	REQUIRE(!mkdir("/tmp/own/d", 0700));
	m.o.externals = &ext;
	m.o.nr_externals = 1;
	run(&m);
	if (taken(&m))
		owners(&m);
	end(&m);
	if (tmpfs_takes_it())
		on_one_that_is_idmapped(&ext);
	/* of a type that takes none */
	REQUIRE(!mount("proc", "/tmp/own", "proc", 0, NULL));
	start(&m);
	m.t->mounts[mc_find_mount(m.t, 15)].mountpoint = "/sys";
	m.t->sbs[1].type = "ext4";
	m.o.externals = &ext;
	m.o.nr_externals = 1;
	run(&m);
	CHECK_EQ(m.ret, -1);
	CHECK_STR(m.e.rule, "idmapped-source");
	CHECK(strstr(m.e.text, "/i and 2 more: ext4: Invalid argument: "));
	end(&m);
	REQUIRE(!umount("/tmp/own"));
	REQUIRE(!umount("/tmp/own"));
	REQUIRE(!rmdir("/tmp/own"));
}

/* What is there already, and what the caller has none of. */
static void maps_that_cannot_be(void)
{
	struct mc_idmap_extent twice[] = { { 0, 1000, 5 }, { 3, 2000, 5 } };
	struct made m;
	char *text = NULL;
	size_t size;
	FILE *out;

	start(&m);
	m.t->idmaps[2].uid = twice;
	run(&m);
	CHECK_EQ(m.ret, -1);
	if (tmpfs_takes_it()) {
		CHECK_EQ(m.e.code, MNTCR_REFUSED);
		CHECK_STR(m.e.rule, "idmap-maps");
		CHECK_STR(m.e.text, "/k: a user namespace with the ids of its idmap: uid_map: Invalid argument: the caller may not map them");
	} else {
		CHECK_STR(m.e.rule, "idmapped-source");
	}
	/* beforehand it is listed */
	out = open_memstream(&text, &size);
	REQUIRE(out);
	CHECK_EQ(mntcr_check_restore(m.t, &m.o, false, out, &m.e), -1);
	REQUIRE(!fclose(out));
	CHECK(strstr(text, tmpfs_takes_it() ? " [idmap-maps]\n" : " [idmapped-source]\n"));
	free(text);
	end(&m);
}

static void in_a_user_namespace(void)
{
	struct made m;

	in_child_own_user_ns();
	start(&m);
	run(&m);
	CHECK_EQ(m.ret, -1);
	CHECK_EQ(m.e.code, MNTCR_REFUSED);
	CHECK_STR(m.e.rule, "idmap-maps");
	/* both maps, of which one is that of two mounts */
	if (!strstr(m.e.text, "/i and 1 more: a user namespace with the ids of its idmap: uid_map: Operation not permitted") ||
	    !strstr(m.e.text, " (and 1 more refusals)"))
		CHECK_STR(m.e.text, "");
	end(&m);
}

static void by_one_who_may_not_map_them(void)
{
	need_api();
	in_child(in_a_user_namespace);
}

/* Of the live ones, all that are idmapped cannot be cloned; one that is not can. */
static void from_a_live_mount_without(void)
{
	struct mntcr_source src = { .type = MNTCR_SOURCE_FD };
	struct mntcr_restored *r = NULL;
	struct mntcr_topology *t = NULL;
	struct mntcr_restore_options o = {
		.size = sizeof(o), .api = api, .sources = &src, .nr_sources = 1,
	};
	struct mntcr_error e = { 0 };
	struct made m;
	int ret;

	if (!tmpfs_takes_it())
		SKIP("no idmapped mounts of this kernel's tmpfs");
	start(&m);
	run(&m);
	REQUIRE(!m.ret);
	src.fd = mntcr_restored_ns_fd(m.r, 0);
	if (mntcr_capture(&src, 1, NULL, &t, &e)) {
		CHECK_STR(e.rule, "idmap-unknown");
		end(&m);
		SKIP("this kernel does not say idmaps");
	}
	/* equal maps are one */
	CHECK_EQ(t->nr_idmaps, 2);
	CHECK_EQ(t->mounts[mc_mount_at(t, 0, "/i")].idmap,
		 t->mounts[mc_mount_at(t, 0, "/j")].idmap);
	/* as if each had something locked on it */
	t->mounts[mc_mount_at(t, 0, "/i")].unbindable = true;
	t->mounts[mc_mount_at(t, 0, "/j")].unbindable = true;
	t->mounts[mc_mount_at(t, 0, "/k")].unbindable = true;
	ret = mntcr_restore(t, &o, &r, &e);
	if (ret)
		TAP_SAY("%s", e.text);
	CHECK_EQ(ret, 0);
	end(&m);
	if (!ret) {
		m.r = r;
		m.t = t;
		same(&m);
	}
	mntcr_restored_free(r);
	mntcr_topology_free(t);
}

static void all(enum mntcr_api a)
{
	static const struct {
		const char *name;
		void (*fn)(void);
	} tests[] = {
		{ "fresh-superblock", on_a_fresh_superblock },
		{ "external-path", on_an_external_path },
		{ "maps-that-cannot-be", maps_that_cannot_be },
		{ "maps-of-others", by_one_who_may_not_map_them },
		{ "live-mount-without", from_a_live_mount_without },
	};
	char name[64];
	size_t i;

	api = a;
	for (i = 0; i < MC_ARRAY_SIZE(tests); i++) {
		snprintf(name, sizeof(name), "%s.%s", a == MNTCR_API_EXTENDED ?
			 "extended" : "upstream", tests[i].name);
		tap_run(name, tests[i].fn);
	}
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	world_start();
	all(MNTCR_API_UPSTREAM);
	all(MNTCR_API_EXTENDED);
	return tap_done();
}
