// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Where superblocks and peer groups are to be found outside of what is dumped: in
 * the caller's own mount namespace, by mountinfo.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <fcntl.h>
#include <libmount/libmount.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/base.h"
#include "capture/outside.h"

/*
 * Does its path lead to it?  No server is asked: what would take that is not named.
 * proc and sysfs let no walk stay in the cache, and have no server.
 */
static bool is_seen(const char *target, int id)
{
	bool local = !strncmp(target, "/proc/", 6) || !strncmp(target, "/sys/", 5);
	int fd = mc_open_way(AT_FDCWD, target, local ? strlen(target) : 0, 0);
	struct statx st;
	bool seen;

	seen = fd >= 0 && !mc_look(fd, STATX_MNT_ID, &st) &&
	       mc_look_is(&st, false, 0, (uint32_t)id);
	mc_close(fd);
	return seen;
}

static uint64_t shared_group(struct libmnt_fs *fs)
{
	const char *s = mnt_fs_get_optional_fields(fs);
	const char *at = s ? strstr(s, "shared:") : NULL;

	return at ? strtoull(at + 7, NULL, 10) : 0;
}

static int add_group(struct mc_outside *o, uint32_t i, uint64_t group,
		     struct mntcr_error *e)
{
	uint32_t at = i;

	o->places[i].next_peer = MC_NONE;
	if (!group || !o->places[i].seen)
		return 0;
	switch (mc_map_add(o->by_group, group, &at)) {
	case 1:
		o->places[i].next_peer = o->places[at].next_peer;
		o->places[at].next_peer = i;
		return 0;
	case -1:
		return mc_nomem(e);
	}
	return 0;
}

static int add(struct mc_outside *o, struct libmnt_fs *fs, uint32_t *last,
	       struct mntcr_error *e)
{
	const char *target = mnt_fs_get_target(fs), *root = mnt_fs_get_root(fs);
	const char *source = mnt_fs_get_source(fs);
	dev_t dev = mnt_fs_get_devno(fs);
	struct mc_place *p;
	uint32_t i = o->nr, head;

	if (!target || !root || !mc_map_get(o->wanted, mc_dev_key(major(dev), minor(dev)), &head))
		return 0;
	head = i;
	if (!mc_grow(&o->places, o->nr, &o->max, sizeof(*o->places)))
		return mc_nomem(e);
	p = &o->places[o->nr++];
	*p = (struct mc_place){
		.next = MC_NONE, .target = strdup(target), .root = strdup(root),
		.source = source ? strdup(source) : NULL, .id = mnt_fs_get_id(fs),
	};
	if (!p->target || !p->root || (source && !p->source))
		return mc_nomem(e);
	p->seen = is_seen(target, p->id);
	last[i] = i;
	switch (mc_map_add(o->by_dev, mc_dev_key(major(dev), minor(dev)), &head)) {
	case 1:
		o->places[last[head]].next = i;
		last[head] = i;
		break;
	case -1:
		return mc_nomem(e);
	}
	return add_group(o, i, shared_group(fs), e);
}

/* -1 and errno: nobody knows. */
static int own_is_dumped(const struct mc_topology *t)
{
	struct stat st;
	uint32_t i;

	if (stat("/proc/self/ns/mnt", &st))
		return -1;
	for (i = 0; i < t->nr_ns; i++)
		if (t->ns[i].ino == st.st_ino)
			return 1;
	return 0;
}

int mc_outside_read(struct mc_outside *o, const struct mc_topology *t,
		    struct mntcr_error *e)
{
	struct libmnt_table *tb;
	struct libmnt_iter *it;
	struct libmnt_fs *fs;
	uint32_t *last = NULL, i, v;
	int ret = 0, own;

	memset(o, 0, sizeof(*o));
	o->wanted = mc_map_new();
	o->by_dev = mc_map_new();
	o->by_group = mc_map_new();
	if (!o->wanted || !o->by_dev || !o->by_group)
		return mc_nomem(e);
	for (i = 0; i < t->nr_sbs; i++) {
		v = i;
		if (mc_map_add(o->wanted, mc_dev_key(t->sbs[i].major, t->sbs[i].minor), &v) < 0)
			return mc_nomem(e);
	}
	own = own_is_dumped(t);
	if (own)
		return own > 0 ? 0 : mc_fail(e, MNTCR_SYS, errno, "/proc/self/ns/mnt");
	tb = mnt_new_table_from_file("/proc/thread-self/mountinfo");
	it = mnt_new_iter(MNT_ITER_FORWARD);
	if (!tb || !it)
		ret = mc_fail(e, MNTCR_SYS, errno, "reading mountinfo");
	else
		last = calloc((size_t)mnt_table_get_nents(tb) + 1, sizeof(*last));
	if (!ret && !last)
		ret = mc_nomem(e);
	while (!ret && !mnt_table_next_fs(tb, it, &fs))
		ret = add(o, fs, last, e);
	free(last);
	mnt_unref_table(tb);
	mnt_free_iter(it);
	return ret;
}

void mc_outside_free(struct mc_outside *o)
{
	uint32_t i;

	for (i = 0; i < o->nr; i++) {
		free(o->places[i].target);
		free(o->places[i].root);
		free(o->places[i].source);
	}
	free(o->places);
	mc_map_free(o->wanted);
	mc_map_free(o->by_dev);
	mc_map_free(o->by_group);
}

uint32_t mc_outside_of(const struct mc_outside *o, const struct mc_sb *sb)
{
	uint32_t i;

	return mc_map_get(o->by_dev, mc_dev_key(sb->major, sb->minor), &i) ? i : MC_NONE;
}

/* Of two that lead there: the wider one; and then the one that needs no escapes. */
static bool is_better(const struct mc_place *p, const struct mc_place *best)
{
	size_t len = strlen(p->root), least;

	if (!best)
		return true;
	least = strlen(best->root);
	return len < least ||
	       (len == least && mc_is_plain(p->target) && !mc_is_plain(best->target));
}

const struct mc_place *mc_outside_widest(const struct mc_outside *o,
					 const struct mc_sb *sb)
{
	const struct mc_place *best = NULL, *p;
	uint32_t i;

	for (i = mc_outside_of(o, sb); i != MC_NONE; i = p->next) {
		p = &o->places[i];
		if (p->seen && !mc_path_fault(p->root, false) && is_better(p, best))
			best = p;
	}
	return best;
}

const struct mc_place *mc_outside_root(const struct mc_outside *o,
				       const struct mc_sb *sb)
{
	const struct mc_place *best = mc_outside_widest(o, sb);

	return best && !strcmp(best->root, "/") ? best : NULL;
}

const struct mc_place *mc_outside_group(const struct mc_outside *o, uint64_t group)
{
	const struct mc_place *best = NULL;
	uint32_t i;

	if (!mc_map_get(o->by_group, group, &i))
		return NULL;
	for (; i != MC_NONE; i = o->places[i].next_peer)
		if (is_better(&o->places[i], best))
			best = &o->places[i];
	return best;
}
