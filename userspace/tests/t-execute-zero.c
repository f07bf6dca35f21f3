// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Restores for which each descriptor in turn is 0, as it may be where stdin was closed:
 * what is done is the same, and so is what is refused.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include "mntcr-restore.h"
#include "checked.h"
#include "each-call.h"
#include "extended.h"
#include "idmap-userns.h"
#include "topology/topology.h"

static struct mntcr_topology *t;
static struct mntcr_restore_options o;
static struct mntcr_restored *r;

static void say(void *data, const char *line)
{
	TAP_SAY("verify: %s", line);
}

static struct mntcr_topology *captured(const struct mntcr_source *src)
{
	struct mntcr_topology *got = NULL;
	struct mntcr_error e = { 0 };

	if (mntcr_capture(src, 1, NULL, &got, &e))
		TAP_SAY("capture: %s [%s]", e.text, e.rule);
	REQUIRE(got);
	return got;
}

/* Of one that is gone. */
static struct mntcr_topology *image_of(void (*build)(void))
{
	pid_t pid = make_container(build);
	struct mntcr_topology *got = captured(&(struct mntcr_source){
		.type = MNTCR_SOURCE_PID, .pid = pid });

	end(pid);
	return got;
}

static int restore(struct mntcr_error *e)
{
	return mntcr_restore(t, &o, &r, e);
}

/* Is the file of the network that the sysfs shows? */
static bool file_is_of_sysfs(const struct mntcr_topology *of)
{
	uint32_t i, k;

	for (i = 0; i < of->nr_sbs; i++)
		for (k = 0; !strcmp(of->sbs[i].type, "sysfs") && k < of->nr_mounts; k++)
			if (of->mounts[k].nsfs_id &&
			    of->mounts[k].nsfs_id == of->sbs[i].shown_id)
				return true;
	return false;
}

static void check_restored(void)
{
	const struct mntcr_verify_options vo = {
		.size = sizeof(vo), .report = say, .max_reports = 5,
		.flags = MNTCR_VERIFY_ORDER,
	};
	struct mntcr_topology *got = captured(&(struct mntcr_source){
		.type = MNTCR_SOURCE_FD, .fd = mntcr_restored_ns_fd(r, 0) });
	struct mntcr_error e;
	size_t nr = 1;

	REQUIRE(!mntcr_verify(t, got, &vo, &nr, &e));
	CHECK_EQ(nr, 0);
	CHECK_EQ(file_is_of_sysfs(got), file_is_of_sysfs(t));
	mntcr_topology_free(got);
	mntcr_restored_free(r);
	r = NULL;
}

static void each_of(const struct job *j, void (*build)(void), bool shows)
{
	if (o.api == MNTCR_API_EXTENDED && !has_extended())
		SKIP("this kernel has no mount_setgroup(2)");
	t = image_of(build);
	CHECK_EQ(file_is_of_sysfs(t), shows);
	each_call_by(j, 0, 5);
	mntcr_topology_free(t);
}

/* What shows a network and an ipc namespace, and the file of the network. */
static void showing(void)
{
	TRY(unshare(CLONE_NEWNET | CLONE_NEWIPC));
	put("net", "");
	TRY(mount("/proc/self/ns/net", "net", NULL, MS_BIND, NULL));
	TRY(mkdir("sys", 0755));
	TRY(mount("sys", "sys", "sysfs", 0, NULL));
	TRY(mkdir("queues", 0755));
	TRY(mount("queues", "queues", "mqueue", 0, NULL));
}

static void namespaces_that_are_made(void)
{
	static const struct job j = { "made", restore, check_restored };

	o = (struct mntcr_restore_options){ .size = sizeof(o), .api = MNTCR_API_EXTENDED };
	each_of(&j, showing, true);
}

/* Slaves of a group, and of a slave that is shared. */
static void sharing(void)
{
	TRY(mkdir("a", 0755));
	TRY(mount("a", "a", "tmpfs", 0, "size=64k"));
	TRY(mount("none", "a", NULL, MS_SHARED, NULL));
	TRY(mkdir("b", 0755));
	TRY(mount("a", "b", NULL, MS_BIND, NULL));
	TRY(mkdir("c", 0755));
	TRY(mount("a", "c", NULL, MS_BIND, NULL));
	TRY(mount("none", "c", NULL, MS_SLAVE, NULL));
	TRY(mount("none", "c", NULL, MS_SHARED, NULL));
	TRY(mkdir("d", 0755));
	TRY(mount("c", "d", NULL, MS_BIND, NULL));
	TRY(mount("none", "d", NULL, MS_SLAVE, NULL));
}

static void groups(void)
{
	static const struct job j = { "groups", restore, check_restored };

	o = (struct mntcr_restore_options){ .size = sizeof(o), .api = MNTCR_API_EXTENDED };
	each_of(&j, sharing, false);
}

/* Pairs, in all more than there are descriptors. */
static void many(void)
{
	char one[16], other[16];
	int i;

	for (i = 0; i < 32; i++) {
		snprintf(one, sizeof(one), "%d", i);
		snprintf(other, sizeof(other), "with%d", i);
		TRY(mkdir(one, 0755));
		TRY(mkdir(other, 0755));
		TRY(mount("many", one, "tmpfs", 0, "size=64k"));
		TRY(mount("none", one, NULL, MS_SHARED, NULL));
		TRY(mount(one, other, NULL, MS_BIND, NULL));
	}
}

static void in_pieces(void)
{
	static const struct job j = { "pieces", restore, check_restored };

	o = (struct mntcr_restore_options){
		.size = sizeof(o), .api = MNTCR_API_UPSTREAM, .fd_limit = 60,
	};
	/* it makes many */
	each_call_step = 5;
	each_of(&j, many, false);
	each_call_step = 0;
}

/* --- what is refused ------------------------------------------------------------- */

static const char *rule;

static int refused(struct mntcr_error *e)
{
	if (!mntcr_restore(t, &o, &r, e)) {
		mntcr_restored_free(r);
		return mc_fail(e, MNTCR_SYS, 0, "not refused");
	}
	return e->code == MNTCR_REFUSED && !strcmp(e->rule, rule) ? 0 : -1;
}

static void nothing_came(void)
{
}

/* A path whose mount has an idmap: seen with the descriptor that leads there. */
static void a_source_with_an_idmap(void)
{
	static const struct job j = { "idmapped", refused, nothing_came };
	struct mntcr_external x = { .path = "/tmp/idmapped" };
	int users = idmap_userns("0 100000 1000\n");
	char key[32];

	TRY(mkdir("/tmp/plain", 0755));
	TRY(mount("plain", "/tmp/plain", "tmpfs", 0, NULL));
	TRY(mkdir("/tmp/idmapped", 0755));
	if (users < 0 || idmap_onto(users, "/tmp/plain", "/tmp/idmapped"))
		SKIP("no idmapped mounts of this kernel's tmpfs");
	close(users);
	t = image_of(sharing);
	snprintf(key, sizeof(key), "%u:%u", t->sbs[t->mounts[1].sb].major,
		 t->sbs[t->mounts[1].sb].minor);
	x.key = key;
	o = (struct mntcr_restore_options){
		.size = sizeof(o), .externals = &x, .nr_externals = 1,
	};
	rule = "idmapped-source";
	each_call_by(&j, 0, 2);
	mntcr_topology_free(t);
}

static void with_a_place(void)
{
	TRY(mkdir("a", 0755));
	TRY(mount("a", "a", "tmpfs", 0, "size=64k"));
	TRY(mkdir("a/in", 0755));
	TRY(mount("in", "a/in", "tmpfs", 0, "size=64k"));
}

/* What its descriptor leads to is looked into, before anything is done. */
static void an_external_without_the_place(void)
{
	static const struct job j = { "placeless", refused, nothing_came };
	struct mntcr_external x = { .path = "/tmp/placeless" };
	char key[32];
	uint32_t m;

	TRY(mkdir(x.path, 0755));
	TRY(mount("placeless", x.path, "tmpfs", 0, NULL));
	t = image_of(with_a_place);
	m = mc_mount_at(t, 0, "/a");
	REQUIRE(m != MC_NONE);
	snprintf(key, sizeof(key), "%u:%u", t->sbs[t->mounts[m].sb].major,
		 t->sbs[t->mounts[m].sb].minor);
	x.key = key;
	o = (struct mntcr_restore_options){
		.size = sizeof(o), .externals = &x, .nr_externals = 1,
	};
	rule = "external-mountpoint";
	each_call_by(&j, 0, 2);
	mntcr_topology_free(t);
}

int main(void)
{
	/* whose a network is, is seen from the first pid namespace alone */
	TRY(unshare(CLONE_NEWNS));
	TRY(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL));
	each_call_here();
	TRY(mount("tmp", "/tmp", "tmpfs", 0, NULL));
	TRY(mkdir("/tmp/ct", 0755));
	TAP_RUN(namespaces_that_are_made);
	TAP_RUN(groups);
	/* (it is the same with the new calls) */
	if (!has_extended())
		TAP_RUN(in_pieces);
	TAP_RUN(a_source_with_an_idmap);
	TAP_RUN(an_external_without_the_place);
	return tap_done();
}
