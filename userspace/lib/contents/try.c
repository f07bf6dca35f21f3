// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Would the files of a superblock come out of the archive?  Read by the rules by
 * which they are made, without making any.  Only what hard links are to has to be
 * remembered: members are in order, so one walk along both finds it.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>
#include <string.h>

#include "contents/contents.h"

/* What a link is to, or the directory of that. */
struct target {
	char *path;
	enum { NOT_THERE, A_FILE, A_DIRECTORY } is;
};

struct job {
	bool whole;
	struct mc_rules rules;
	struct mc_members *m;
	const struct mc_trying *how;
	struct mntcr_error *e, first;	/* first: that has been refused */
	uint32_t nr_refused;
	struct target *targets;
	uint32_t nr, max, at;	/* those before at are behind the member at hand */
	const struct mc_put *put;	/* unlinked ones, by number, */
	const struct mc_put **by_path;	/* and by the path that they had */
	uint32_t nr_put, found;
	/* those that a later one may be a link to: number << 1 | is it a directory? */
	uint32_t *seen, nr_seen, max_seen;
};

static int cmp_target(const void *x, const void *y)
{
	return mc_member_cmp(((const struct target *)x)->path,
			     ((const struct target *)y)->path);
}

static int add(struct job *j, const char *path, size_t len)
{
	char *copy = strndup(path, len);

	if (!copy || !mc_grow(&j->targets, j->nr, &j->max, sizeof(*j->targets))) {
		free(copy);
		return mc_nomem(j->e);
	}
	j->targets[j->nr++] = (struct target){ copy, NOT_THERE };
	return 0;
}

static int each(struct job *j, const struct mntcr_contents *c, uint32_t part,
		int (*fn)(struct job *j, const char *path, struct archive_entry *entry))
{
	struct archive_entry *entry;
	char *name, *path;
	int ret;

	if (mc_members_open(j->m, c->fd, c->parts[part].from, j->rules.sb->shifts,
			    j->e))
		return -1;
	while ((ret = mc_rules_next(&j->rules, j->m, &entry, &name, &path)) > 0) {
		ret = fn(j, path, entry);
		j->rules.name = "";
		free(name);
		if (ret)
			break;
	}
	mc_members_close(j->m);
	return ret;
}

/* What is wrong with the name is said in its turn. */
static int collect(struct job *j, const char *path, struct archive_entry *entry)
{
	const char *link = archive_entry_hardlink(entry);
	uint32_t major, minor;
	char *copy, *to;
	int ret = 0;

	if (!link)
		return 0;
	copy = strdup(link);
	if (!copy)
		return mc_nomem(j->e);
	if (mc_member_name(copy, &major, &minor, &to) && *to)
		ret = add(j, to, strlen(to)) || add(j, to, mc_member_dir(to)) ? -1 : 0;
	free(copy);
	return ret;
}

/* Of targets up to this member, it or what is below them tells what they are. */
static void pass(struct job *j, const char *path, bool dir, bool also_it)
{
	struct target *t;
	size_t n;
	int c;

	for (; j->at < j->nr; j->at++) {
		t = &j->targets[j->at];
		c = mc_member_cmp(t->path, path);
		if (c > 0 || (!c && !also_it))
			return;
		n = strlen(t->path);
		if (!c)
			t->is = dir ? A_DIRECTORY : A_FILE;
		else if (!n || (!strncmp(path, t->path, n) && path[n] == '/'))
			t->is = A_DIRECTORY;	/* on the way, it is made */
	}
}

static const struct target *find(const struct job *j, char *path)
{
	const struct target key = { path, NOT_THERE };

	return bsearch(&key, j->targets, j->nr, sizeof(key), cmp_target);
}

static int cmp_nr(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static bool is_in(uint32_t nr, const uint32_t *list, uint32_t n)
{
	return n && bsearch(&nr, list, n, sizeof(nr), cmp_nr);
}

static int try_link(struct job *j, const char *link)
{
	char *copy = strdup(link), *path;
	const struct target *t;
	uint32_t unlinked;
	int ret;

	if (!copy)
		return mc_nomem(j->e);
	ret = mc_rules_link(&j->rules, copy, &path, &unlinked);
	if (!ret && unlinked) {
		if (is_in(unlinked << 1 | 1, j->seen, j->nr_seen))
			ret = mc_rules_no_link(&j->rules, MC_LINK_DIRECTORY);
		else if (!is_in(unlinked << 1, j->seen, j->nr_seen))
			ret = mc_rules_no_link(&j->rules, MC_LINK_MISSING);
	} else if (!ret && mc_type_in_memory(j->rules.sb->type)) {
		t = find(j, path);
		if (t->is == A_DIRECTORY)
			ret = mc_rules_no_link(&j->rules, MC_LINK_DIRECTORY);
		path[mc_member_dir(path)] = '\0';
		if (t->is == NOT_THERE)
			ret = mc_rules_no_link(&j->rules,
					       find(j, path)->is == A_DIRECTORY ?
					       MC_LINK_MISSING : MC_LINK_NOWHERE);
	}
	free(copy);
	return ret;
}

static int cmp_put(const void *a, const void *b)
{
	const struct mc_put *x = a, *y = b;

	return (x->nr > y->nr) - (x->nr < y->nr);
}

static const struct mc_put *find_put(const struct job *j, uint32_t nr)
{
	const struct mc_put key = { .nr = nr };

	return j->nr_put ? bsearch(&key, j->put, j->nr_put, sizeof(key), cmp_put) : NULL;
}

static int cmp_path(const void *a, const void *b)
{
	return mc_member_cmp((*(const struct mc_put *const *)a)->path,
			     (*(const struct mc_put *const *)b)->path);
}

/* What was refused is told of, if somebody wants all of it. */
static int refused(struct job *j)
{
	if (j->e->code != MNTCR_REFUSED || !j->how || !j->how->refused)
		return -1;
	if (!j->nr_refused++)
		j->first = *j->e;
	j->how->refused(j->how->data, j->e);
	memset(j->e, 0, sizeof(*j->e));
	return 0;
}

/* What one was in has to be a directory: what is below a path comes right after it. */
static int check_puts(struct job *j, const char *path, bool dir)
{
	uint32_t lo = 0, hi = j->nr_put, mid, was = j->rules.unlinked;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (mc_member_cmp(j->by_path[mid]->path, path) <= 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; !dir && lo < j->nr_put && mc_member_is_at(path, j->by_path[lo]->path); lo++) {
		j->rules.unlinked = j->by_path[lo]->nr;
		mc_rules_no_way(&j->rules, MC_WAY_NO_DIRECTORY);
		if (refused(j))
			return -1;
		j->rules.unlinked = was;
	}
	return 0;
}

static int try_data(struct job *j, struct archive_entry *entry)
{
	return j->how && j->how->no_data ? 0 :
	       mc_rules_data(&j->rules, j->m->a, entry, NULL, NULL);
}

/* What cannot be looked at, only making it shows. */
static int looked(struct job *j, bool failed)
{
	if (!failed)
		return 0;
	if (j->e->code != MNTCR_SYS || j->e->err == ENOMEM)
		return refused(j);
	memset(j->e, 0, sizeof(*j->e));
	return 0;
}

/* On its way, which is there already, nothing else is. */
static int check_way(struct job *j)
{
	const struct mc_put *put = find_put(j, j->rules.unlinked);
	struct stat st;

	return j->how && j->how->root >= 0 && !fstat(j->how->root, &st) ?
	       looked(j, mc_contents_check_way(&j->rules, j->how->root, put->path,
					       st.st_dev)) : 0;
}

static int try_handle(struct job *j, struct archive_entry *entry)
{
	const void *handle;
	int type, fd;
	size_t size;

	if (!mc_rules_handle(entry, &type, &handle, &size))
		return 0;
	if (!j->whole)
		return looked(j, mc_rules_no_name(&j->rules, MC_FOUND_ON_DEVICE));
	if (!j->how || j->how->root < 0)
		return 0;
	fd = mc_contents_by_handle(&j->rules, j->how->root, type, handle, size, entry);
	mc_close(fd);
	return looked(j, fd < 0);
}

static int try_unlinked(struct job *j, struct archive_entry *entry)
{
	const char *link = archive_entry_hardlink(entry);
	bool dir = !link && archive_entry_filetype(entry) == AE_IFDIR;

	if (mc_rules_unlinked(&j->rules, entry))
		return -1;
	if (!find_put(j, j->rules.unlinked))
		return 0;
	j->found++;
	if (check_way(j) || (!link && try_handle(j, entry)))
		return -1;
	/* what is there is known when it is made */
	if (link && !j->whole && mc_type_of_layers(j->rules.sb->type) &&
	    !strncmp(link, MC_CONTENTS_PREFIX, strlen(MC_CONTENTS_PREFIX))) {
		mc_rules_no_name(&j->rules, MC_FOUND_IN_LAYERS);
		if (refused(j))
			return -1;
	}
	if (link && try_link(j, link))
		return -1;
	if (!mc_grow(&j->seen, j->nr_seen, &j->max_seen, sizeof(*j->seen)))
		return mc_nomem(j->e);
	j->seen[j->nr_seen++] = j->rules.unlinked << 1 | dir;
	if (link || archive_entry_filetype(entry) != AE_IFREG ||
	    mc_rules_is_socket(entry))
		return 0;
	return try_data(j, entry);
}

static int try_one(struct job *j, const char *path, struct archive_entry *entry)
{
	const char *link = archive_entry_hardlink(entry);
	bool dir = !link && archive_entry_filetype(entry) == AE_IFDIR;

	if (!path)
		return try_unlinked(j, entry);
	if (mc_rules_member(&j->rules, path, entry))
		return -1;
	if (check_puts(j, path, dir))
		return -1;
	pass(j, path, dir, false);
	if (link && try_link(j, link))
		return -1;
	pass(j, path, dir, true);
	if (link || archive_entry_filetype(entry) != AE_IFREG ||
	    mc_rules_is_socket(entry))
		return 0;
	return try_data(j, entry);
}

static void merge(struct job *j)
{
	uint32_t i, n = 0;

	if (j->nr)
		qsort(j->targets, j->nr, sizeof(*j->targets), cmp_target);
	for (i = 0; i < j->nr; i++)
		if (n && !strcmp(j->targets[n - 1].path, j->targets[i].path))
			free(j->targets[i].path);
		else
			j->targets[n++] = j->targets[i];
	j->nr = n;
}

int mc_contents_try(const struct mntcr_contents *c, const struct mc_sb *sb, bool whole,
		    const struct mc_put *put, uint32_t nr_put,
		    const struct mc_trying *how, struct mntcr_error *e)
{
	struct job j = { .e = e, .how = how, .whole = whole, .put = put, .nr_put = nr_put };
	uint32_t part, i;
	int ret = -1;

	if (!mc_map_get(c->by_dev, mc_dev_key(sb->major, sb->minor), &part))
		return 0;
	j.m = malloc(sizeof(*j.m));
	j.by_path = malloc((nr_put + 1UL) * sizeof(*j.by_path));
	for (i = 0; j.by_path && i < nr_put; i++)
		j.by_path[i] = &put[i];
	if (j.by_path && nr_put)
		qsort(j.by_path, nr_put, sizeof(*j.by_path), cmp_path);
	if (!j.m || !j.by_path || mc_rules_start(&j.rules, sb, e)) {
		mc_nomem(e);
	} else if (!each(&j, c, part, collect)) {
		merge(&j);
		j.rules.unlinked = 0;
		ret = each(&j, c, part, try_one);
		if (!ret && j.found < nr_put)
			ret = mc_rules_missing(&j.rules);
		if (!ret && j.nr_refused) {
			*e = j.first;
			ret = -1;
		}
	}
	mc_rules_end(&j.rules);
	for (i = 0; i < j.nr; i++)
		free(j.targets[i].path);
	free(j.targets);
	free(j.seen);
	free(j.by_path);
	free(j.m);
	return ret;
}
