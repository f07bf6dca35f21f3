// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A capture for which memory lacks once, wherever that is: it says so, and nothing else.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>

#include "mntcr.h"
#include "base/base.h"
#include "topology/topology.h"
#include "fuse-server.h"
#include "idmap-userns.h"
#include "image-text.h"
#include "nomem.h"
#include "scene.h"

WRAP(const char *, mc_topology_str, (struct mc_topology *t, const char *s), (t, s), NULL,
     true)
WRAP(const char *, mc_topology_strn, (struct mc_topology *t, const char *s, size_t n),
     (t, s, n), NULL, true)
WRAP(void *, mc_topology_alloc, (struct mc_topology *t, size_t n), (t, n), NULL, true)
WRAP(uint32_t, mc_topology_get_idmap, (struct mc_topology *t, const char *text, bool *added),
     (t, text, added), MC_NONE, true)

/* Where the kernel does that to a tmpfs. */
static void idmapped(void)
{
	int users = idmap_userns("0 100000 1000\n1000 300000 500\n");

	scene_mkdir("two");
	if (users < 0 || idmap_onto(users, "one", "two"))
		TAP_SAY("no idmapped mount here");
	mc_close(users);
}

/* A filesystem with a subtype; false: not here. */
static bool subtyped(struct fuse_server *server)
{
	char opts[64];

	if (fuse_start(server, 3600))
		return false;
	snprintf(opts, sizeof(opts), "fd=%d,rootmode=40000,user_id=0,group_id=0",
		 server->dev);
	scene_mkdir("fuse");
	REQUIRE(!mount("server", "fuse", "fuse.kind", 0, opts));
	REQUIRE(write(server->go[1], "", 1) == 1);
	fuse_leave(server);
	return true;
}

static void build(void)
{
	scene_mkdir("one");
	scene_tmpfs("one", "one");
	scene_mkdir("one/in");
	scene_mkdir("bind");
	scene_bind("one/in", "bind");
	scene_type("bind", MS_SHARED);
}

/* A new root, moved over the old one. */
static int move_over(void *data)
{
	build();
	scene_mkdir("new");
	scene_tmpfs("new", "new");
	return chdir("new") || mkdir("in", 0755) || mount("in", "in", "tmpfs", 0, NULL) ||
	       mount(".", "/", "none", MS_MOVE, NULL) || chroot(".") || chdir("/") ? errno : 0;
}

/* What is mounted in it is not below its parent's root any more: see leave(). */
static int to_be_left(void *data)
{
	scene_mkdir("top");
	scene_mkdir("top/a");
	scene_mkdir("top/a/m");
	scene_mkdir("b");
	scene_bind("top/a", "b");
	return mount("left", "b/m", "tmpfs", 0, NULL) ? errno : 0;
}

static int leave(void *data)
{
	return rename(SCENE_DIR "/top/a/m", SCENE_DIR "/top/m") ? errno : 0;
}

static const struct mntcr_source *source;
static enum mntcr_method method;

/* An image, or the rule of a refusal. */
static char *outcome(struct mntcr_error *e)
{
	struct mntcr_capture_options o = { .size = sizeof(o), .method = method };
	struct mntcr_topology *t = NULL;
	int ret = mntcr_capture(source, 1, &o, &t, e);
	char *s;

	left = -1;
	if (!ret)
		memset(e, 0, sizeof(*e));
	s = ret ? strdup(e->rule) : printed(t);
	mntcr_topology_free(t);
	return s;
}

static void each(const struct mntcr_source *src, enum mntcr_method by, const char *rule)
{
	struct mntcr_error e = { 0 };

	source = src;
	method = by;
	free(outcome(&e));
	if (e.code == MNTCR_UNSUPPORTED)
		SKIP("this kernel does not say enough");
	CHECK_STR(e.rule, rule);
	each_allocation(outcome, 20);
}

static void of_its_own(enum mntcr_method by)
{
	struct fuse_server server;
	bool fuse;
	const struct mntcr_source self = { .type = MNTCR_SOURCE_PID, .pid = getpid() };

	scene_enter();
	build();
	fuse = subtyped(&server);
	if (!fuse)
		TAP_SAY("no FUSE here");
	/* mountinfo does not say how */
	if (by == MNTCR_METHOD_STATMOUNT)
		idmapped();
	each(&self, by, "");
	if (fuse)
		fuse_end(&server);
}

static void by_statmount(void)
{
	of_its_own(MNTCR_METHOD_STATMOUNT);
}

static void by_mountinfo(void)
{
	of_its_own(MNTCR_METHOD_MOUNTINFO);
}

/* A new root, and below it all that was. */
static void of_what_is_hidden(void)
{
	struct mntcr_source src = { .type = MNTCR_SOURCE_PID };
	struct holder h;

	scene_enter();
	h = scene_hold(CLONE_NEWNS, move_over, NULL);
	src.pid = h.pid;
	each(&src, MNTCR_METHOD_MOUNTINFO, "");
	scene_release(&h);
}

/* The one that mountinfo does not show is added before it is refused. */
static void of_what_has_no_path(void)
{
	struct mntcr_source src = { .type = MNTCR_SOURCE_PID };
	struct holder h, other;
	uint64_t id;

	scene_enter();
	/* without its mounts, so that it may rename */
	other = scene_hold(CLONE_NEWNS, NULL, NULL);
	h = scene_hold(CLONE_NEWNS, to_be_left, NULL);
	if (ioctl(h.ns, MC_NS_GET_MNTNS_ID, &id) ||
	    (mc_listmount(NULL, NULL, 0, 0), errno == ENOSYS))
		SKIP("this kernel has no listmount(2)");
	CHECK_EQ(scene_in(other.ns, leave, NULL), 0);
	src.pid = h.pid;
	each(&src, MNTCR_METHOD_MOUNTINFO, "escaped-mountpoint");
	scene_release(&h);
	scene_release(&other);
}

int main(void)
{
	/* what forks takes long there */
	stride = UNDER_ASAN ? 7 : 1;
	TAP_RUN(by_statmount);
	TAP_RUN(by_mountinfo);
	TAP_RUN(of_what_is_hidden);
	TAP_RUN(of_what_has_no_path);
	return tap_done();
}
