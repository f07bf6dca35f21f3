// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * --host: the restorer's own mount at a place stands for what the dumper's host had
 * there.  An image is not trusted, so nothing is taken but at places that the caller
 * has named, and there only what is of the recorded type (external-sb.c).
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <libmount/libmount.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "execute/execute.h"

static int cmp_place(const void *a, const void *b)
{
	const struct mc_host_place *x = a, *y = b;

	return strcmp(x->path, y->path);
}

static struct mc_host_place *place_of(const struct mc_hosts *h, const struct mc_found *f)
{
	const struct mc_host_place key = { .path = f->path };

	return f->path && h->nr_places ?
	       bsearch(&key, h->places, h->nr_places, sizeof(key), cmp_place) : NULL;
}

/* key: to be freed, also if it fails */
static bool add(struct mc_hosts *h, struct mntcr_external *x, const char *path, char *key)
{
	if (!key)
		return false;
	h->keys[h->nr_keys++] = key;
	*x = (struct mntcr_external){ .key = key, .path = path };
	x->reserved[0] = MC_BY_HOST;
	return true;
}

/*
 * Of the place of a group: it can stand for that if a mount is there that is shared,
 * and of the superblock that is taken for the group's.
 */
static bool is_peer(const struct mc_topology *t, const struct mc_hosts *h,
		    const struct mc_host_place *place, uint32_t g)
{
	const struct mc_host_place *of = place_of(h, &t->sbs[t->groups[g].sb].outside);

	return place->shared && of && place->device == of->device;
}

static void look(struct mc_host_place *p, struct libmnt_table *mounted)
{
	int fd = open(p->path, O_PATH | O_CLOEXEC);
	struct libmnt_fs *fs;
	unsigned long flags = 0;
	bool is_root;

	fs = fd < 0 ? NULL : mc_mounted_at(mounted, fd, &is_root);
	if (fs) {
		p->device = mnt_fs_get_devno(fs);
		p->shared = is_root && !mnt_fs_get_propagation(fs, &flags) &&
			    flags & MS_SHARED;
	}
	mc_close(fd);
}

static int take_places(struct mc_hosts *h, const struct mntcr_restore_options *o,
		       struct mntcr_error *e)
{
	struct libmnt_table *mounted;
	const char *fault;
	char esc[256];
	size_t i, k = 0;
	int ret = 0;

	h->places = calloc(o->nr_hosts, sizeof(*h->places));
	if (!h->places)
		return mc_nomem(e);
	mounted = mc_mounted_read();
	for (i = 0; i < o->nr_hosts && !ret; i++) {
		h->places[i].path = o->hosts[i];
		fault = mc_path_fault(o->hosts[i], false);
		if (fault)
			ret = mc_fail(e, MNTCR_USAGE, 0, "--host %s: the path %s",
				      mc_escape(o->hosts[i], esc, sizeof(esc)), fault);
		else if (mounted)
			look(&h->places[i], mounted);
	}
	mc_mounted_free(mounted);
	if (ret)
		return -1;
	qsort(h->places, o->nr_hosts, sizeof(*h->places), cmp_place);
	for (i = 0; i < o->nr_hosts; i++)
		if (!i || cmp_place(&h->places[k - 1], &h->places[i]))
			h->places[k++] = h->places[i];
	h->nr_places = k;
	return 0;
}

static int add_all(struct mc_hosts *h, const struct mc_topology *t,
		   struct mntcr_restore_options *o, struct mntcr_error *e)
{
	struct mc_host_place *at;
	uint32_t i;
	char *key;

	for (i = 0; i < t->nr_sbs; i++) {
		at = place_of(h, &t->sbs[i].outside);
		if (!at || !t->sbs[i].nr_mounts)
			continue;
		at->used = true;
		if (!add(h, &h->externals[o->nr_externals++], at->path,
			 mc_sb_key(&t->sbs[i])))
			return mc_nomem(e);
	}
	for (i = 0; i < t->nr_groups; i++) {
		at = place_of(h, &t->groups[i].outside);
		if (!at)
			continue;
		at->used = true;
		if (!is_peer(t, h, at, i))
			continue;
		if (asprintf(&key, "%llu", (unsigned long long)t->groups[i].id) < 0)
			key = NULL;
		if (!add(h, &h->masters[o->nr_masters++], at->path, key))
			return mc_nomem(e);
	}
	return 0;
}

int mc_hosts_take(struct mc_hosts *h, const struct mc_topology *t,
		  struct mntcr_restore_options *o, struct mntcr_error *e)
{
	char text[400];
	size_t i;

	memset(h, 0, sizeof(*h));
	if (!o->nr_hosts)
		return 0;
	h->externals = calloc(o->nr_externals + t->nr_sbs + 1UL, sizeof(*h->externals));
	h->masters = calloc(o->nr_masters + t->nr_groups + 1UL, sizeof(*h->masters));
	h->keys = calloc(t->nr_sbs + t->nr_groups + 1UL, sizeof(*h->keys));
	if (!h->externals || !h->masters || !h->keys)
		return mc_nomem(e);
	for (i = 0; i < o->nr_externals; i++)
		h->externals[i] = o->externals[i];
	for (i = 0; i < o->nr_masters; i++)
		h->masters[i] = o->masters[i];
	o->externals = h->externals;
	o->masters = h->masters;
	if (take_places(h, o, e) || add_all(h, t, o, e))
		return -1;
	i = 0;
	return mc_hosts_next_unused(h, &i, text, sizeof(text)) ?
	       mc_fail(e, MNTCR_USAGE, 0, "%s", text) : 0;
}

bool mc_hosts_next_unused(const struct mc_hosts *h, size_t *at, char *text, size_t size)
{
	char esc[256];

	while (*at < h->nr_places && h->places[*at].used)
		++*at;
	if (*at == h->nr_places)
		return false;
	snprintf(text, size, "--host %s: the image has nothing that its host had there",
		 mc_escape(h->places[(*at)++].path, esc, sizeof(esc)));
	return true;
}

void mc_hosts_free(struct mc_hosts *h)
{
	while (h->nr_keys)
		free(h->keys[--h->nr_keys]);
	free(h->keys);
	free(h->externals);
	free(h->masters);
	free(h->places);
}
