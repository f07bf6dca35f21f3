// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * User namespaces that are there and stand for those of an image: the same, with ids
 * that are moved, and others.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include "mntcr-restore.h"
#include "plan/plan.h"
#include "topology/topology.h"
#include "inner.h"
#include "tap.h"

#define OLD	100000U
#define NEW	300000U
#define INO(u)	(5000U + (u))

static struct mc_idmap_extent old[] = { { 0, OLD, 65536 } };
/* what anybody may write */
static struct mc_idmap_extent inner_uid[] = { { 0, 4, 1 } }, inner_gid[] = { { 0, 5, 1 } };
static struct mc_idmap_extent whole[] = { { 0, OLD, 65536 } };
static struct mntcr_error e;

static void map(struct mntcr_topology *t, uint32_t u, uint32_t parent,
		struct mc_idmap_extent *x)
{
	t->userns[u].ino = INO(u);
	t->userns[u].parent = parent;
	t->userns[u].mapped = t->userns[u].setgroups = true;
	t->userns[u].owner = u == 2 ? 4 : 0;
	t->userns[u].map = (struct mc_idmap){ 1, 1, x, x };
}

/*
 * 1 in the dumper's, 2 in that; a namespace of 1's.  Its tmpfs and its second one, which
 * is idmapped, are of the initial user namespace.
 */
static struct mntcr_topology *image(void)
{
	struct mntcr_topology *t = mc_topology_new();
	uint32_t i;

	REQUIRE(t && mc_topology_add_ns(t) == 0);
	for (i = 0; i < 3; i++)
		REQUIRE(mc_topology_add_userns(t) == i);
	t->userns[0].dumper = true;
	map(t, 1, 0, old);
	map(t, 2, 1, inner_uid);
	t->userns[2].map.gid = inner_gid;
	t->userns[2].setgroups = false;
	t->unique_ids = true;
	t->ns[0].id = 77;
	t->ns[0].userns = 1;
	REQUIRE(mc_topology_add_idmap(t) == 0);
	t->idmaps[0] = (struct mc_idmap){ 1, 1, whole, whole };
	for (i = 0; i < 2; i++) {
		REQUIRE(mc_topology_add_sb(t) == i && mc_topology_add_mount(t) == i);
		t->sbs[i].minor = 200 + i;
		t->sbs[i].type = "tmpfs";
		t->sbs[i].userns = 0;
		t->sbs[i].options = "rw,size=64k,uid=100004,gid=5,inode64";
		t->mounts[i] = (struct mc_mount){
			.id = 100 + i, .id_old = 1 + i, .parent = i ? 0 : MC_NONE,
			.sb = i, .root = "/", .mountpoint = i ? "/a" : "/",
			.mp_type = MC_MP_DIR, .locks_known = true,
			.group = MC_NONE, .master = MC_NONE,
			.idmap = i ? 0 : MC_NONE,
			.attr = i ? MOUNT_ATTR_IDMAP : 0,
			.nsfs_owner = MC_NONE,
			.root_file = { S_IFDIR | 0755, OLD + 7, 8, 0, 0, NULL },
		};
	}
	t->mounts[1].mp_file = (struct mc_file){ S_IFDIR | 0700, 65, OLD + 65535, 0, 0, NULL };
	if (mc_topology_finish(t, &e)) {
		TAP_SAY("%s", e.text);
		REQUIRE(!"finished");
	}
	return t;
}

/* --- what is given ------------------------------------------------------------------ */

/* One of the caller's, with a map of both kinds of ids. */
static struct holder hold(const char *ids)
{
	struct holder h = scene_hold(CLONE_NEWUSER, NULL, NULL);

	write_of(h.pid, "uid_map", ids);
	write_of(h.pid, "gid_map", ids);
	return h;
}

static int do_as_its_root(void *data)
{
	/* what is said of the parent's end is forgotten with its ids */
	return setresgid(NEW, NEW, NEW) || setresuid(NEW, NEW, NEW) ||
	       prctl(PR_SET_PDEATHSIG, SIGKILL) || unshare(CLONE_NEWUSER) ? errno : 0;
}

/* One that whoever is its root has made. */
static struct holder hold_of_its_root(const char *ids)
{
	struct holder h = scene_hold(0, do_as_its_root, NULL);

	write_of(h.pid, "uid_map", ids);
	write_of(h.pid, "gid_map", ids);
	return h;
}

static int do_below(void *data)
{
	return inner_unshare(data, 0) || write_text("/proc/self/uid_map", "0 4 1") ||
	       write_text("/proc/self/setgroups", "deny") ||
	       write_text("/proc/self/gid_map", "0 5 1") ? errno : 0;
}

/* The same in that one. */
static struct holder hold_below(struct holder *outer)
{
	return scene_hold(0, do_below, outer);
}

static int give(struct mntcr_topology *t, const struct holder *h, uint32_t u)
{
	const struct mntcr_owner o = { .inode = INO(u), .fd = userns_of(h) };
	int ret;

	memset(&e, 0, sizeof(e));
	ret = mntcr_topology_owners(t, &o, 1, &e);
	close(o.fd);
	if (ret)
		TAP_SAY("%s", e.text);
	return ret;
}

/* The rule by which a plan refuses it, "" if it does not, and what it prints. */
static const char *planned(const struct mntcr_topology *t, char **text)
{
	const struct mc_plan_options o = { .api = MNTCR_API_EXTENDED };
	static struct mntcr_error why;
	struct mc_plan *p = NULL;
	size_t len;
	FILE *f;

	memset(&why, 0, sizeof(why));
	if (mc_plan_make(t, &o, &p, &why))
		TAP_SAY("%s", why.text);
	if (p && text) {
		f = open_memstream(text, &len);
		REQUIRE(f && !mc_plan_print(p, false, f, &e) && !fclose(f));
	}
	CHECK(!*why.rule || strstr(why.text, "--owner with another one"));
	mc_plan_free(p);
	return why.rule;
}

/* --- tests --------------------------------------------------------------------------- */

static void the_same_is_taken(void)
{
	struct mntcr_topology *t;
	uint32_t fds = mc_fd_count();
	struct holder h, below;
	char *text = NULL;

	scene_enter();
	fds = mc_fd_count();
	h = hold("0 100000 65536");
	below = hold_below(&h);
	t = image();
	REQUIRE(!give(t, &h, 1));
	REQUIRE(!give(t, &below, 2));
	CHECK_STR(planned(t, &text), "");
	CHECK(text && strstr(text, "owner     user1 is given\nowner     user2 is given\n"));
	CHECK(text && !strstr(text, "user1 in user0"));
	CHECK_EQ(t->idmaps[0].uid[0].parent_id, OLD);
	CHECK_STR(t->sbs[0].options, "rw,size=64k,uid=100004,gid=5,inode64");
	CHECK(!t->sbs[0].shifts);
	free(text);
	mntcr_topology_free(t);
	scene_release(&below);
	scene_release(&h);
	CHECK_EQ(mc_fd_count(), fds);
}

static void ids_are_moved(void)
{
	struct mntcr_topology *t;
	struct holder h;

	scene_enter();
	h = hold("0 300000 65536");
	t = image();
	/* on one of the host's nothing is */
	t->sbs[0].whose = MC_WHOSE_HOST;
	REQUIRE(!give(t, &h, 1));
	CHECK_STR(t->sbs[0].options, "rw,size=64k,uid=100004,gid=5,inode64");
	CHECK_EQ(t->mounts[0].root_file.uid, OLD + 7);
	CHECK_EQ(t->mounts[1].mp_file.gid, OLD + 65535);
	CHECK(!t->sbs[0].shifts && t->sbs[1].shifts);
	mntcr_topology_free(t);
	t = image();
	REQUIRE(!give(t, &h, 1));
	CHECK_STR(planned(t, NULL), "");
	CHECK_STR(t->sbs[0].options, "rw,size=64k,uid=300004,gid=5,inode64");
	CHECK_EQ(t->userns[1].map.uid[0].parent_id, NEW);
	CHECK_EQ(t->userns[2].map.uid[0].parent_id, 4);
	CHECK_EQ(t->idmaps[0].uid[0].id, 0);
	CHECK_EQ(t->idmaps[0].uid[0].parent_id, NEW);
	CHECK_EQ(t->idmaps[0].gid[0].parent_id, NEW);
	CHECK_EQ(t->mounts[0].root_file.uid, NEW + 7);
	CHECK_EQ(t->mounts[0].root_file.gid, 8);
	CHECK_EQ(t->mounts[1].mp_file.uid, 65);
	CHECK_EQ(t->mounts[1].mp_file.gid, NEW + 65535);
	CHECK_EQ(mc_shifted(t->sbs[1].shifts, true, OLD), NEW);
	CHECK_EQ(mc_shifted(t->sbs[1].shifts, true, OLD + 65536), OLD + 65536);
	CHECK_EQ(mc_shifted(t->sbs[1].shifts, false, MC_NO_ID), MC_NO_ID);
	mntcr_topology_free(t);
	/* an idmap that maps to more than that */
	t = image();
	whole[0].count++;
	CHECK_EQ(give(t, &h, 1), -1);
	CHECK_EQ(e.code, MNTCR_REFUSED);
	CHECK_STR(e.rule, "idmap-maps");
	whole[0].count--;
	mntcr_topology_free(t);
	t = image();
	whole[0].parent_id--;
	CHECK_EQ(give(t, &h, 1), -1);
	CHECK_STR(e.rule, "idmap-maps");
	whole[0].parent_id++;
	mntcr_topology_free(t);
	/* or to part of it */
	t = image();
	whole[0].count--;
	CHECK(!give(t, &h, 1));
	CHECK_EQ(t->idmaps[0].uid[0].parent_id, NEW);
	whole[0].count++;
	mntcr_topology_free(t);
	scene_release(&h);
}

/* What is seen through an idmap is moved with that, whoever the files are of. */
static void through_an_idmap(void)
{
	struct mntcr_topology *t;
	struct holder h;

	scene_enter();
	h = hold("0 300000 65536");
	t = image();
	t->sbs[1].whose = MC_WHOSE_HOST;
	REQUIRE(!give(t, &h, 1));
	CHECK(!t->sbs[1].shifts);
	CHECK_EQ(t->mounts[1].root_file.uid, NEW + 7);
	CHECK_EQ(t->mounts[1].root_file.gid, 8);
	mntcr_topology_free(t);
	scene_release(&h);
}

/* What it maps is moved with the files that have these ids, and with no others. */
static void what_an_idmap_maps(void)
{
	static struct mc_idmap_extent in[] = { { OLD, 1000, 65536 }, { 0, 0, 5 } };
	static struct mc_layer layer = { MC_LAYER_LOWER, "/l", 1, "/l", 0 };
	struct mntcr_topology *t;
	struct holder h;

	scene_enter();
	h = hold("0 300000 65536");
	t = image();
	t->idmaps[0] = (struct mc_idmap){ 2, 1, in, in };
	t->mounts[1].root_file.uid = 1007;
	t->sbs[0].type = "overlay";
	t->sbs[0].layers = &layer;
	t->sbs[0].nr_layers = 1;
	REQUIRE(!give(t, &h, 1));
	CHECK(t->mounts[1].idmap != 0 && layer.idmap == t->mounts[1].idmap);
	CHECK_EQ(t->idmaps[layer.idmap].uid[0].id, NEW);
	CHECK_EQ(t->idmaps[layer.idmap].uid[0].parent_id, 1000);
	CHECK_EQ(t->idmaps[layer.idmap].uid[1].id, 0);
	CHECK_EQ(t->idmaps[layer.idmap].gid[0].id, NEW);
	CHECK_EQ(t->mounts[1].root_file.uid, 1007);
	mntcr_topology_free(t);
	layer.idmap = 0;
	/* of the host's it stays, and of one whose ids are its user namespace's own */
	t = image();
	t->idmaps[0] = (struct mc_idmap){ 2, 1, in, in };
	t->sbs[0].userns = 1;
	t->mounts[0].idmap = 0;
	t->mounts[0].attr = MOUNT_ATTR_IDMAP;
	t->sbs[1].whose = MC_WHOSE_HOST;
	REQUIRE(!give(t, &h, 1));
	CHECK(!t->mounts[0].idmap && !t->mounts[1].idmap);
	CHECK_EQ(t->nr_idmaps, 1);
	CHECK_EQ(t->idmaps[0].uid[0].id, OLD);
	mntcr_topology_free(t);
	/* one map, and files of two kinds */
	t = image();
	t->idmaps[0] = (struct mc_idmap){ 2, 1, in, in };
	t->mounts[0].idmap = 0;
	t->mounts[0].attr = MOUNT_ATTR_IDMAP;
	t->sbs[1].whose = MC_WHOSE_HOST;
	REQUIRE(!give(t, &h, 1));
	CHECK_EQ(t->idmaps[t->mounts[0].idmap].uid[0].id, NEW);
	CHECK_EQ(t->idmaps[t->mounts[1].idmap].uid[0].id, OLD);
	mntcr_topology_free(t);
	/* more than what is moved; and others that are where it would be */
	t = image();
	in[0].id--;
	t->idmaps[0] = (struct mc_idmap){ 1, 1, in, in };
	CHECK_EQ(give(t, &h, 1), -1);
	CHECK_STR(e.rule, "idmap-maps");
	in[0].id++;
	mntcr_topology_free(t);
	t = image();
	in[1].id = NEW + 65530;
	t->idmaps[0] = (struct mc_idmap){ 2, 1, in, in };
	CHECK_EQ(give(t, &h, 1), -1);
	CHECK_STR(e.rule, "idmap-maps");
	in[1].id = 0;
	mntcr_topology_free(t);
	/* or of an overlay, some of whose files are moved */
	t = image();
	t->idmaps[0] = (struct mc_idmap){ 2, 1, in, in };
	t->sbs[1].type = "overlay";
	t->sbs[1].layers = (struct mc_layer[]){
		{ MC_LAYER_LOWER, "/l", 0, "/l", MC_NONE },
		{ MC_LAYER_LOWER, "/k", MC_NONE, NULL, MC_NONE },
	};
	t->sbs[1].nr_layers = 2;
	CHECK_EQ(give(t, &h, 1), -1);
	CHECK_STR(e.rule, "idmap-maps");
	mntcr_topology_free(t);
	scene_release(&h);
}

/* The second one lies on mounts[0], the third on that. */
static struct mntcr_topology *stacked(void)
{
	static struct mc_layer low[3], high[2];
	struct mntcr_topology *t = image();
	uint32_t i;

	low[0] = (struct mc_layer){ MC_LAYER_LOWER, "/l", 0, "/l", MC_NONE };
	low[1] = (struct mc_layer){ MC_LAYER_UPPER, "/u", 0, "/u", MC_NONE };
	low[2] = (struct mc_layer){ MC_LAYER_WORK, "/w", MC_NONE, NULL, MC_NONE };
	high[0] = (struct mc_layer){ MC_LAYER_LOWER, "/", 1, "/", MC_NONE };
	high[1] = (struct mc_layer){ MC_LAYER_LOWER, "/k", 1, "/k", MC_NONE };
	REQUIRE(mc_topology_add_sb(t) == 2);
	for (i = 1; i < 3; i++) {
		t->sbs[i].type = "overlay";
		t->sbs[i].options = "rw";
		t->sbs[i].layers = i == 1 ? low : high;
		t->sbs[i].nr_layers = i == 1 ? 3 : 2;
	}
	/* another one, of the host's */
	REQUIRE(mc_topology_add_sb(t) == 3);
	t->sbs[3].type = "ext4";
	t->sbs[3].options = "rw";
	t->mounts[1].idmap = MC_NONE;
	t->mounts[0].sb = 2;
	t->mounts[0].root_file = t->mounts[1].root_file;
	return t;
}

/* uid of the root of each of the two, and of what is on the upper overlay */
static void moved_are(const struct holder *h, struct mntcr_topology *t, uint32_t low,
		      uint32_t high, uint32_t on)
{
	t->mounts[1].mp_file.uid = OLD + 9;
	REQUIRE(!give(t, h, 1));
	CHECK_EQ(t->mounts[1].root_file.uid, low);
	CHECK_EQ(t->mounts[1].root_file.gid, 8);
	CHECK_EQ(t->mounts[0].root_file.uid, high);
	CHECK_EQ(t->mounts[1].mp_file.uid, on);
	CHECK(!t->sbs[1].shifts && !t->sbs[2].shifts);
	mntcr_topology_free(t);
}

/* Of an overlay, what its layers show. */
static void of_overlays(void)
{
	struct mntcr_topology *t;
	struct holder h;

	scene_enter();
	h = hold("0 300000 65536");
	moved_are(&h, stacked(), NEW + 7, NEW + 7, NEW + 9);
	/* all of the host's */
	t = stacked();
	t->sbs[1].layers[0].sb = t->sbs[1].layers[1].sb = 3;
	moved_are(&h, t, OLD + 7, OLD + 7, OLD + 9);
	/* or nobody knows whose */
	t = stacked();
	t->sbs[1].layers[0].sb = t->sbs[1].layers[1].sb = MC_NONE;
	t->sbs[1].layers[0].path = t->sbs[1].layers[1].path = NULL;
	moved_are(&h, t, OLD + 7, OLD + 7, OLD + 9);
	/* the root is the upper one's; below, either may be seen */
	t = stacked();
	t->sbs[1].layers[0].sb = 3;
	moved_are(&h, t, NEW + 7, NEW + 7, MC_NO_ID);
	t = stacked();
	t->sbs[1].layers[1].sb = 3;
	moved_are(&h, t, OLD + 7, OLD + 7, MC_NO_ID);
	/* of the host's, but idmapped */
	t = stacked();
	t->sbs[1].layers[0].sb = t->sbs[1].layers[1].sb = 3;
	t->sbs[1].layers[0].idmap = t->sbs[1].layers[1].idmap = 0;
	moved_are(&h, t, NEW + 7, NEW + 7, NEW + 9);
	/* what is not moved is known however it is seen */
	t = stacked();
	t->sbs[1].layers[0].sb = 3;
	t->mounts[1].mp_file.gid = 65;
	REQUIRE(!give(t, &h, 1));
	CHECK_EQ(t->mounts[1].mp_file.gid, 65);
	CHECK_EQ(t->mounts[1].mp_file.uid, 65);
	mntcr_topology_free(t);
	scene_release(&h);
}

/* Ranges side by side, each in the map, are as one: what lies across them moves, too. */
static void across_two_ranges(void)
{
	static struct mc_idmap_extent both[] = { { 0, OLD, 10 }, { 10, OLD + 10, 10 } };
	static struct mc_idmap_extent gap[] = { { 0, OLD, 10 }, { 10, OLD + 11, 10 } };
	static struct mc_idmap_extent some[] = { { 0, OLD + 5, 10 } };
	struct mc_shift list[8];
	struct mc_idmap was = { 2, 2, both, both }, is;
	struct mc_idmap_extent moved[2];
	struct mc_shifts s = { .list = list };
	struct mntcr_topology *t;
	uint32_t k, i;

	for (k = 0; k < 2; k++) {
		if (k)
			was = (struct mc_idmap){ 2, 2, gap, gap };
		for (i = 0; i < 2; i++) {
			moved[i] = was.uid[i];
			moved[i].parent_id += NEW - OLD;
		}
		is = (struct mc_idmap){ 2, 2, moved, moved };
		s.nr = 0;
		REQUIRE(mc_idmap_is_shifted(&was, &is, list, &s.nr));
		CHECK_EQ(s.nr, 4);
		t = image();
		t->idmaps[0] = (struct mc_idmap){ 1, 1, some, some };
		CHECK_EQ(mc_topology_shift(t, &s, NULL, &e), k ? -1 : 0);
		if (k) {
			CHECK_STR(e.rule, "idmap-maps");
		} else {
			CHECK_EQ(t->idmaps[0].uid[0].parent_id, NEW + 5);
			CHECK_EQ(t->idmaps[0].gid[0].parent_id, NEW + 5);
		}
		mntcr_topology_free(t);
	}
}

static void other(const struct holder *h, const struct holder *below,
		  void (*change)(struct mntcr_topology *t), const char *rule)
{
	struct mntcr_topology *t = image();

	if (change)
		change(t);
	if (below)
		t->ns[0].userns = 2;
	REQUIRE(!give(t, h, 1));
	CHECK(!below || !give(t, below, 2));
	CHECK_STR(planned(t, NULL), rule);
	mntcr_topology_free(t);
}

static void of_another_user(struct mntcr_topology *t)
{
	t->userns[1].owner = 33;
}

static void of_its_own_root(struct mntcr_topology *t)
{
	t->userns[1].owner = OLD;
}

static void denying_setgroups(struct mntcr_topology *t)
{
	t->userns[1].setgroups = false;
}

static void with_more(struct mntcr_topology *t)
{
	static struct mc_idmap_extent more[] = { { 0, OLD, 65536 }, { 65536, OLD + 65536, 1 } };

	t->userns[1].map.uid = more;
	t->userns[1].map.nr_uid = 2;
}

static void of_another_parent(struct mntcr_topology *t)
{
	t->userns[1].parent = 2;
	t->userns[2].parent = 0;
}

static void unknown(struct mntcr_topology *t)
{
	t->userns[1].mapped = t->userns[1].setgroups = false;
	t->userns[1].parent = MC_NONE;
	t->userns[1].map = (struct mc_idmap){ 0 };
}

static void without_parent(struct mntcr_topology *t)
{
	t->userns[1].parent = MC_NONE;
}

static void others_are_refused(void)
{
	struct holder h, below, far, moved, by_itself;

	scene_enter();
	h = hold("0 100000 65536");
	below = hold_below(&h);
	by_itself = hold_of_its_root("0 300000 65536");
	far = hold("1 100000 65536");
	moved = hold("0 300000 65536");
	other(&h, NULL, NULL, "");
	other(&far, NULL, NULL, "given-owner-maps");
	other(&h, NULL, with_more, "given-owner-maps");
	other(&h, NULL, of_another_user, "given-owner-uid");
	other(&h, NULL, denying_setgroups, "given-owner-setgroups");
	other(&h, NULL, of_another_parent, "given-owner-parent");
	other(&below, NULL, NULL, "given-owner-parent");
	/* moved, but not in the caller's */
	inner_gid[0].parent_id = 6;
	other(&h, &below, NULL, "given-owner-maps");
	inner_gid[0].parent_id = 5;
	other(&h, &below, NULL, "");
	other(&moved, NULL, NULL, "");
	other(&moved, NULL, without_parent, "given-owner-maps");
	/* who has made it is moved with the others */
	other(&by_itself, NULL, of_its_own_root, "");
	other(&by_itself, NULL, NULL, "given-owner-uid");
	/* what the image does not say cannot be another */
	other(&h, NULL, unknown, "");
	scene_release(&by_itself);
	scene_release(&moved);
	scene_release(&far);
	scene_release(&below);
	scene_release(&h);
}

/* Another child of the dumper's has the same ids. */
static struct mntcr_topology *two_alike(void)
{
	struct mntcr_topology *t = image();

	t->userns[2].parent = 0;
	t->userns[2].map = t->userns[1].map;
	t->userns[2].owner = t->userns[1].owner;
	t->userns[2].setgroups = t->userns[1].setgroups;
	return t;
}

static void only_one_of_two_is_moved(void)
{
	struct holder moved, also, stays, elsewhere;
	struct mntcr_owner o[2] = { { .inode = INO(1) }, { .inode = INO(2) } };
	struct mntcr_topology *t;

	scene_enter();
	moved = hold("0 300000 65536");
	also = hold("0 300000 65536");
	stays = hold("0 100000 65536");
	elsewhere = hold("0 400000 65536");

	t = two_alike();
	CHECK_EQ(give(t, &moved, 1), -1);
	CHECK_STR(e.rule, "given-owner-maps");
	CHECK(strstr(e.text, "is not moved itself"));
	mntcr_topology_free(t);

	o[0].fd = userns_of(&moved);
	o[1].fd = userns_of(&stays);
	t = two_alike();
	CHECK_EQ(mntcr_topology_owners(t, o, 2, &e), -1);
	CHECK_STR(e.rule, "given-owner-maps");
	mntcr_topology_free(t);
	close(o[1].fd);

	/* each is moved, and the same ids to two places */
	o[1].fd = userns_of(&elsewhere);
	t = two_alike();
	CHECK_EQ(mntcr_topology_owners(t, o, 2, &e), -1);
	CHECK_STR(e.rule, "given-owner-maps");
	CHECK(strstr(e.text, "and not to one here"));
	mntcr_topology_free(t);
	close(o[1].fd);

	o[1].fd = userns_of(&also);
	t = two_alike();
	memset(&e, 0, sizeof(e));
	CHECK_EQ(mntcr_topology_owners(t, o, 2, &e), 0);
	CHECK_STR(e.text, "");
	mntcr_topology_free(t);
	close(o[0].fd);
	close(o[1].fd);
	scene_release(&elsewhere);
	scene_release(&stays);
	scene_release(&also);
	scene_release(&moved);
}

static void not_given(struct mntcr_topology *t, uint64_t inode, int fd, const char *says)
{
	const struct mntcr_owner o = { .inode = inode, .fd = fd };

	CHECK_EQ(mntcr_topology_owners(t, &o, 1, &e), -1);
	CHECK_EQ(e.code, MNTCR_USAGE);
	if (!strstr(e.text, says))
		CHECK_STR(e.text, says);
	mntcr_topology_free(t);
}

static void what_is_no_owner(void)
{
	struct mntcr_topology *t;
	struct holder h;
	int net, user;

	scene_enter();
	h = hold("0 100000 65536");
	net = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	user = userns_of(&h);
	not_given(image(), INO(1), net, "what is given is no user namespace");
	not_given(image(), INO(3), user, "no user namespace of the image has this inode number");
	not_given(image(), 0, user, "no user namespace of the image has this inode number");
	t = image();
	t->userns[0].ino = INO(0);
	not_given(t, INO(0), user, "that is the dumper's own");
	t = image();
	REQUIRE(!give(t, &h, 1));
	not_given(t, INO(1), user, "given twice");
	close(net);
	close(user);
	scene_release(&h);
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	TAP_RUN(through_an_idmap);
	TAP_RUN(what_an_idmap_maps);
	TAP_RUN(of_overlays);
	TAP_RUN(across_two_ranges);
	TAP_RUN(the_same_is_taken);
	TAP_RUN(ids_are_moved);
	TAP_RUN(others_are_refused);
	TAP_RUN(only_one_of_two_is_moved);
	TAP_RUN(what_is_no_owner);
	return tap_done();
}
