// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A container in another cgroup: which mounts show another one then, and where what is
 * mounted on these is.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include "plan-checker.h"

static uint32_t own, slice, all, on_all, on_other, host, over, bind;

/* 8:1 is cgroup2, 8:2 has directories of the same names. */
static void image(void)
{
	uint32_t r, up;

	start(1);
	t->sbs[sbs[1]].type = "cgroup2";
	r = add(0, 10, MC_NONE, 0, "/", "/");
	own = add(0, 11, r, 1, "/ct", "/own");
	slice = add(0, 12, own, 1, "/ct/a/b", "/a/b");
	all = add(0, 13, r, 1, "/", "/all");
	on_all = add(0, 14, all, 2, "/", "/ct/a/b");
	on_other = add(0, 15, all, 2, "/", "/ctx");
	host = add(0, 16, r, 1, "/ctx", "/host");
	bind = add(0, 17, r, 2, "/ct", "/bind");
	over = add(0, 18, own, 2, "/", "/");
	up = add(0, 19, r, 1, "/../ct", "/up");
	finish();
	CHECK_STR(t->mounts[up].root, "/../ct");
}

static int map(const char *const words[], size_t nr)
{
	struct mntcr_cgroup_map maps[4];
	size_t i;

	for (i = 0; i < nr; i++)
		maps[i] = (struct mntcr_cgroup_map){ words[2 * i], words[2 * i + 1] };
	memset(&e, 0, sizeof(e));
	return mntcr_topology_map_cgroups(t, maps, nr, &e);
}

#define MAP(...)							\
	map((const char *const[]){ __VA_ARGS__ },			\
	    sizeof((const char *const[]){ __VA_ARGS__ }) / (2 * sizeof(char *)))

static void root_is(uint32_t m, const char *root)
{
	CHECK_STR(t->mounts[m].root, root);
}

static void place_is(uint32_t m, const char *place)
{
	CHECK_STR(t->mounts[m].mountpoint, place);
}

static void it_and_what_is_below(void)
{
	image();
	REQUIRE(!MAP("/ct", "/m/new"));
	root_is(own, "/m/new");
	root_is(slice, "/m/new/a/b");
	place_is(slice, "/a/b");
	root_is(all, "/");
	place_is(on_all, "/m/new/a/b");
	/* not the same component, not the same filesystem */
	root_is(host, "/ctx");
	place_is(on_other, "/ctx");
	root_is(bind, "/ct");
	place_is(over, "/");
	done();
}

static void the_longest(void)
{
	image();
	REQUIRE(!MAP("/", "/m", "/ct", "/m/x"));
	root_is(own, "/m/x");
	root_is(slice, "/m/x/a/b");
	root_is(all, "/m");
	place_is(on_all, "/x/a/b");
	root_is(host, "/m/ctx");
	done();
}

static void all_of_them(void)
{
	image();
	REQUIRE(!MAP("/", "/z"));
	root_is(all, "/z");
	root_is(own, "/z/ct");
	root_is(slice, "/z/ct/a/b");
	place_is(on_all, "/ct/a/b");
	root_is(host, "/z/ctx");
	done();
}

static void to_the_root(void)
{
	image();
	REQUIRE(!MAP("/ct", "/"));
	root_is(own, "/");
	root_is(slice, "/a/b");
	place_is(on_all, "/a/b");
	done();
}

static void wrong(const char *text)
{
	CHECK_EQ(e.code, MNTCR_USAGE);
	if (!strstr(e.text, text)) {
		TAP_SAY("%s", e.text);
		CHECK(!"the message");
	}
	done();
}

static void what_is_wrong(void)
{
	static char path[MC_MAX_PATH];

	image();
	CHECK(MAP("ct", "/x") == -1);
	wrong("the cgroup ct does not start with /");
	image();
	CHECK(MAP("/ct", "/a/../b") == -1);
	wrong("the cgroup /a/../b has a . or .. component");
	image();
	CHECK(MAP("/ct", "/a", "/ct/", "/b") == -1);
	wrong("the cgroup /ct/ has an empty component");
	image();
	CHECK(MAP("/ct", "/a", "/ct", "/b") == -1);
	wrong("the cgroup /ct is mapped twice");
	image();
	CHECK(MAP("/c", "/a") == -1);
	wrong("no mount is of the cgroup /c, or one below it");
	/* as long as a path may be, and then more */
	memset(path, 'a', sizeof(path) - 1);
	for (size_t i = 0; i < sizeof(path) - 1; i += 200)
		path[i] = '/';
	image();
	CHECK(MAP("/ct", path) == -1);
	wrong("a cgroup's path becomes too long");
}

/* Its parent would have to show what it does not. */
static void out_of_its_parent(void)
{
	image();
	CHECK(MAP("/ct/a", "/y") == -1);
	wrong("/own/a/b: it is mounted on a cgroup");
}

int main(void)
{
	TAP_RUN(it_and_what_is_below);
	TAP_RUN(the_longest);
	TAP_RUN(all_of_them);
	TAP_RUN(to_the_root);
	TAP_RUN(what_is_wrong);
	TAP_RUN(out_of_its_parent);
	return tap_done();
}
