// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Images: what versions from 4 on say of superblocks, and which unlinked root of one is which.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include "image-text.h"

#define SIZE "\"size\":4096,\"inodes\":10,\"contents\":true"
#define PID "\"pid_namespace\":70,\"pid_depth\":1"
#define SHOWS "\"shows\":{\"type\":\"pid\",\"id\":9,\"dumper\":true}"
#define WHOSE "\"whose\":\"host\",\"outside\":{\"path\":\"/proc\",\"root\":\"/\"}"
#define GROUP "{\"id\":7,\"outside\":{\"path\":\"/srv\",\"root\":\"/a\"}}"
#define OWNER "\"user_namespace\":1"
#define GONE(id, root, at, nr) ",{\"id\":" #id ",\"namespace\":0,\"parent\":101,"	\
	"\"superblock\":0,\"root\":\"" root "\",\"root_deleted\":true,"		\
	"\"unlinked\":" #nr ",\"mountpoint\":\"" at "\"}"

static const char four[] =
	"{\"format\":\"mntcr-image\",\"version\":4,\"user_namespaces\":["
	"{\"inode\":7,\"id\":3,\"dumper\":true},{\"inode\":0,\"id\":4}],"
	"\"namespaces\":[{\"id\":5,\"inode\":50,\"label\":\"a\"}],\"superblocks\":["
	"{\"device\":\"0:30\",\"type\":\"tmpfs\",\"options\":\"\"," SIZE "},"
	"{\"device\":\"0:31\",\"type\":\"proc\",\"options\":\"\"," OWNER "," SHOWS "," PID "," WHOSE "}],"
	"\"groups\":[" GROUP "],\"idmaps\":[],\"mounts\":[{\"id\":101,\"namespace\":0,"
	"\"superblock\":0,\"root\":\"/\",\"mountpoint\":\"/\"},{\"id\":102,"
	"\"namespace\":0,\"parent\":101,\"superblock\":1,\"root\":\"/\",\"mountpoint\":\"/p\",\"master\":7}"
	GONE(103, "/f", "/q", 1) GONE(104, "/f", "/r", 1) GONE(105, "/f", "/s", 2) "]}";

/* A filesystem that none was made for, as a program wrote that did not know better. */
static void a_uuid_of_zeros_is_none(void)
{
	char *text = replaced(four, OWNER ",", OWNER ",\"uuid\":\"00000000-0000-0000-0000-000000000000\",");
	struct mntcr_topology *t;
	struct mntcr_error e;

	REQUIRE(!mc_image_parse(text, strlen(text), "four", &t, &e));
	CHECK(!t->sbs[1].uuid);
	mntcr_topology_free(t);
	free(text);
}

static void what_is_written_is_read(void)
{
	struct mntcr_topology *t;
	struct mntcr_error e;
	char *a;

	if (mc_image_parse(four, strlen(four), "four", &t, &e))
		TAP_SAY("%s", e.text);
	REQUIRE(t);
	CHECK_EQ(t->userns[1].id, 4);
	CHECK(t->sbs[0].sized && t->sbs[0].contents);
	CHECK_EQ(t->sbs[0].size, 4096);
	CHECK_EQ(t->sbs[0].inodes, 10);
	CHECK_EQ(t->sbs[0].userns, MC_NONE);
	CHECK_EQ(t->sbs[0].shown_type, 0);
	CHECK_EQ(t->sbs[1].userns, 1);
	CHECK_EQ(t->sbs[1].shown_type, CLONE_NEWPID);
	CHECK_EQ(t->sbs[1].shown_id, 9);
	CHECK(t->sbs[1].shown_own);
	CHECK_EQ(t->sbs[1].pidns_ino, 70);
	CHECK_EQ(t->sbs[1].pidns_depth, 1);
	CHECK_EQ(t->mounts[1].unlinked, 0);
	CHECK_EQ(t->mounts[3].unlinked, 1);
	CHECK_EQ(t->mounts[4].unlinked, 2);
	CHECK_EQ(t->sbs[0].whose, MC_WHOSE_UNKNOWN);
	CHECK(!t->sbs[0].outside.path);
	CHECK_EQ(t->sbs[1].whose, MC_WHOSE_HOST);
	CHECK_STR(t->sbs[1].outside.path, "/proc");
	CHECK_STR(t->sbs[1].outside.root, "/");
	CHECK_STR(t->groups[0].outside.path, "/srv");
	CHECK_STR(t->groups[0].outside.root, "/a");
	a = written_twice(t);
	CHECK(strstr(a, "user_namespace\": 1"));
	free(a);
	mntcr_topology_free(t);
}

static const struct wrong wrong[] = {
	{ "\"version\":4", "\"version\":3", "user_namespaces[0].id: unknown field" },
	{ GONE(105, "/f", "/s", 2), GONE(105, "/g", "/s", 1), "unlinked root 1 of its superblock is that of mount 103, which was elsewhere" },
	{ "\"root_deleted\":true,", "", "a root that is there is unlinked one 1" },
	{ "\"unlinked\":2", "\"unlinked\":262145", "unlinked (mount 105): 262145 is out of range" },
	{ "\"id\":4}", "\"id\":3}", "user namespaces 0 and 1 both have id 3" },
	{ "\"id\":4}", "\"id\":0}", "user_namespaces[1].id: 0 is out of range" },
	{ "\"inodes\":10,", "", "superblocks[0].inodes: missing" },
	{ "\"size\":4096", "\"size\":-1", "superblocks[0].size: -1 is out of range" },
	{ "\"tmpfs\"", "\"ext4\"", "superblocks[0].size: only a tmpfs has one" },
	{ "\"tmpfs\",\"options\":\"\"," SIZE, "\"nfs\",\"options\":\"\",\"contents\":true", "superblocks[0].contents: only a tmpfs, a ramfs, a filesystem on a device or an overlay with an upper directory has them" },
	{ "\"tmpfs\",\"options\":\"\"," SIZE, "\"overlay\",\"options\":\"lowerdir=/a:/b\",\"contents\":true", "superblocks[0].contents: only a tmpfs, a ramfs, a filesystem on a device or an overlay with an upper directory has them" },
	{ OWNER, "\"user_namespace\":2", "superblocks[1].user_namespace: 2 is out of range" },
	{ SHOWS, "\"shows\":7", "superblocks[1].shows: must be an object" },
	{ SHOWS, "\"shows\":{}", "superblocks[1].shows.type: must be pid, net or ipc" },
	{ SHOWS, "\"shows\":{\"type\":\"user\",\"id\":9}", "superblocks[1].shows.type: must be pid, net or ipc" },
	{ SHOWS, "\"shows\":{\"type\":\"pid\",\"id\":0}", "superblocks[1].shows.id: 0 is out of range" },
	{ SHOWS, "\"shows\":{\"type\":\"pid\",\"dumper\":true}", "superblocks[1].shows.dumper: of a namespace that is gone" },
	{ SHOWS, "\"shows\":{\"type\":\"pid\",\"id\":9,\"owner\":1}", "superblocks[1].shows.owner: only that of a net namespace is said" },
	{ SHOWS, "\"shows\":{\"type\":\"net\",\"id\":9,\"owner\":2}", "superblocks[1].shows.owner: 2 is out of range" },
	{ SHOWS, "\"shows\":{\"type\":\"pid\",\"x\":1}", "superblocks[1].shows.x: unknown field" },
	{ "\"proc\"", "\"sysfs\"", "superblocks[1].pid_namespace: only a proc has one" },
	{ "\"tmpfs\"", "\"ext4\",\"uuid\":\"0123456-789ab-cdef-0123-456789abcdef\"", "superblocks[0].uuid: is none" },
	{ "\"tmpfs\"", "\"ext4\",\"uuid\":\"01234567-89ab-cdef-0123-456789abcdef0\"", "superblocks[0].uuid: is none" },
	{ PID, "\"pid_depth\":1", "superblocks[1].pid_depth: of no pid namespace" },
	{ PID, "\"pid_namespace\":70,\"pid_depth\":65", "superblocks[1].pid_depth: 65 is out of range" },
	{ "\"host\"", "\"hosts\"", "superblocks[1].whose: is not known" },
	{ "\"host\"", "\"\"", "superblocks[1].whose: is not known" },
	{ "\"host\"", "7", "superblocks[1].whose: is not known" },
	{ "\"host\"", "\"container\"", "superblocks[1].outside: only of the host's, and of what there is one for all" },
	{ "\"whose\":\"host\",", "", "superblocks[1].outside: only of the host's, and of what there is one for all" },
	{ SIZE, SIZE ",\"whose\":\"host\"", "superblocks[0].contents: of the host's" },
	{ "{\"path\":\"/proc\",\"root\":\"/\"}", "\"/proc\"", "superblocks[1].outside: must be an object" },
	{ "\"/proc\",", "\"proc\",", "superblocks[1].outside.path: does not start with /" },
	{ "\"/proc\",", "\"/../proc\",", "superblocks[1].outside.path: has a . or .. component" },
	{ "\"path\":\"/proc\",", "", "superblocks[1].outside.path: missing" },
	{ ",\"root\":\"/\"}", "}", "superblocks[1].outside.root: missing" },
	{ ",\"root\":\"/\"}", ",\"root\":\"/..\"}", "superblocks[1].outside.root: has a . or .. component" },
	{ ",\"root\":\"/\"}", ",\"root\":\"/\",\"x\":1}", "superblocks[1].outside.x: unknown field" },
	{ "\"/a\"}", "7}", "groups[0].outside.root: must be a string" },
	{ "\"master\":7", "\"group\":7", "group 7 has a member, and a place outside" },
};

static void what_is_wrong_is_refused(void)
{
	size_t i;

	for (i = 0; i < MC_ARRAY_SIZE(wrong); i++)
		is_wrong(four, &wrong[i]);
}

/* --- what version 6 says of pid namespaces --------------------------------------- */

#define DEPTH "\"pid_namespace\":70,\"pid_depth\":3"
#define ABOVE ",\"pid_above\":[60,50]"
#define NO_INIT ",\"pid_init\":false"

static void pid_namespaces_above(void)
{
	static const struct wrong bad[] = {
		{ ABOVE, ",\"pid_above\":[60]", "superblocks[1].pid_above: must be a list with one for each level between" },
		{ ABOVE, ",\"pid_above\":60", "superblocks[1].pid_above: must be a list" },
		{ ABOVE, ",\"pid_above\":[60,0]", "superblocks[1].pid_above: must be numbers from 1 on" },
		{ ABOVE, ",\"pid_above\":[60,\"5\"]", "superblocks[1].pid_above: must be numbers from 1 on" },
		{ DEPTH ABOVE, PID ",\"pid_above\":[]", "superblocks[1].pid_above: must be a list" },
		{ DEPTH ABOVE, "\"pid_namespace\":70" ABOVE, "superblocks[1].pid_above: must be a list" },
		{ "\"version\":6", "\"version\":5", "superblocks[1].pid_above: unknown field" },
	};
	char *deep = replaced(four, PID, DEPTH ABOVE), *six;
	struct mntcr_topology *t = NULL;
	struct mntcr_error e;
	size_t i;

	six = replaced(deep, "\"version\":4", "\"version\":6");
	if (mc_image_parse(six, strlen(six), "six", &t, &e))
		TAP_SAY("%s", e.text);
	REQUIRE(t && t->sbs[1].pidns_above);
	CHECK_EQ(t->sbs[1].pidns_above[0], 60);
	CHECK_EQ(t->sbs[1].pidns_above[1], 50);
	free(written_twice(t));
	mntcr_topology_free(t);
	for (i = 0; i < MC_ARRAY_SIZE(bad); i++)
		is_wrong(six, &bad[i]);
	free(deep);
	free(six);
}

static void pid_namespaces_without_init(void)
{
	static const struct wrong bad[] = {
		{ NO_INIT, ",\"pid_init\":true", "superblocks[1].pid_init: must be false, or absent" },
		{ NO_INIT, ",\"pid_init\":0", "superblocks[1].pid_init: must be false, or absent" },
		{ NO_INIT, NO_INIT "," PID, "superblocks[1].pid_init: only of a proc without pid_namespace" },
		{ SIZE, SIZE NO_INIT, "superblocks[0].pid_init: only of a proc without pid_namespace" },
		{ "\"version\":6", "\"version\":5", "superblocks[1].pid_init: unknown field" },
	};
	char *none = replaced(four, "," PID, NO_INIT), *six;
	struct mntcr_topology *t = NULL;
	struct mntcr_error e;
	char *text;
	size_t i;

	six = replaced(none, "\"version\":4", "\"version\":6");
	if (mc_image_parse(six, strlen(six), "six", &t, &e))
		TAP_SAY("%s", e.text);
	REQUIRE(t);
	CHECK(t->sbs[1].pidns_no_init && !t->sbs[0].pidns_no_init);
	text = written_twice(t);
	CHECK(strstr(text, "\"pid_init\": false"));
	free(text);
	mntcr_topology_free(t);
	for (i = 0; i < MC_ARRAY_SIZE(bad); i++)
		is_wrong(six, &bad[i]);
	free(none);
	free(six);
}

int main(void)
{
	TAP_RUN(pid_namespaces_above);
	TAP_RUN(pid_namespaces_without_init);
	TAP_RUN(what_is_written_is_read);
	TAP_RUN(a_uuid_of_zeros_is_none);
	TAP_RUN(what_is_wrong_is_refused);
	return tap_done();
}
