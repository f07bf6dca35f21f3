// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * An image with contents: the JSON, then the files of each superblock, read through
 * the widest mounts that there are of it.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "image/archive.h"
#include "image/image.h"

static int open_namespaces(struct mc_ar_job *j, struct mntcr_error *e)
{
	struct mc_map *by_ino = mc_map_new();
	uint32_t i, n;
	struct stat st;
	size_t s;
	int fd, ret = 0;

	for (i = 0; by_ino && i < j->t->nr_ns; i++) {
		n = i;
		if (mc_map_add(by_ino, j->t->ns[i].ino, &n) < 0)
			ret = mc_nomem(e);
	}
	if (!by_ino)
		ret = mc_nomem(e);
	for (s = 0; s < j->o->nr_sources && !ret; s++) {
		fd = mc_open_ns(&j->o->sources[s], NULL, 0, e);
		if (fd < 0) {
			ret = -1;
		} else if (!fstat(fd, &st) && mc_map_get(by_ino, st.st_ino, &n) &&
			   j->ns_fd[n] < 0) {
			j->ns_fd[n] = fd;
			continue;
		}
		mc_close(fd);
	}
	mc_map_free(by_ino);
	return ret;
}

static int cmp_mount(const void *x, const void *y, void *data)
{
	const struct mc_topology *t = data;
	uint32_t i = *(const uint32_t *)x, k = *(const uint32_t *)y;
	const struct mc_mount *a = &t->mounts[i], *b = &t->mounts[k];
	int c;

	if (a->sb != b->sb)
		return a->sb < b->sb ? -1 : 1;
	c = a->root_deleted - b->root_deleted;
	if (!c)
		c = (a->unlinked > b->unlinked) - (a->unlinked < b->unlinked);
	if (!c)
		c = mc_member_cmp(a->root, b->root);
	return c ? c : (i > k) - (i < k);
}

/* What it was in, where a mount shows that: 1, it is, or can be made, a directory; -1: errno. */
static int is_in_directory(const struct mc_ar_job *j, const char *path, uint32_t m)
{
	static const struct mc_open_how how = {
		.flags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
		.resolve = MC_RESOLVE_BENEATH | MC_RESOLVE_NO_SYMLINKS |
			   MC_RESOLVE_NO_XDEV,
	};
	const struct mc_mount *mnt = &j->t->mounts[m];
	const char *way = path + (mnt->root[1] ? strlen(mnt->root) : 0) + 1;
	const char *end = strrchr(way, '/');
	struct mntcr_error e;
	char *dir;
	int clone, fd, err;

	if (!end && !mnt->root[1])
		return 1;
	/* in the mount's own root, which may be a file by now */
	dir = end ? strndup(way, (size_t)(end - way)) : strdup(".");
	if (!dir)
		return -1;
	clone = mc_contents_clone(j->t, m, j->ns_fd[mnt->ns], &e);
	fd = clone < 0 ? -1 : mc_openat2_far(clone, dir, &how);
	err = clone < 0 || fd >= 0 ? 0 : errno;
	mc_close(fd);
	mc_close(clone);
	free(dir);
	/* what is not there, or not reached, is no obstacle that is known */
	return err != ENOTDIR && err != ELOOP;
}

/*
 * Where a name that led to an unlinked root has become a file's, nobody makes that again.
 */
static int check_way(struct mc_ar_job *j, const struct mc_ar_range *sb, uint32_t m,
		     struct mntcr_error *e)
{
	const struct mc_mount *mnt = &j->t->mounts[m];
	char name[300], root[300];
	uint32_t i;

	for (i = sb->from; i < sb->end; i++)
		if (strcmp(j->t->mounts[j->sorted[i]].root, mnt->root) &&
		    mc_ar_shows(j, j->sorted[i], mnt->root))
			break;
	if (i == sb->end)
		return 0;
	switch (is_in_directory(j, mnt->root, j->sorted[i])) {
	case 1:
		return 0;
	case -1:
		return mc_nomem(e);
	}
	/* who asks for all that would be refused elsewhere; a live source still has it */
	if (!j->o->refused) {
		mc_ar_tell(j, mnt, "its root has been unlinked, and what that was in is no directory any more: only a live source gives it");
		return 0;
	}
	mc_refuse(e, "deleted-root",
		  "%s: its root, %s, has been unlinked, and what that was in is no directory any more: it could not be made there again",
		  mc_mount_name(j->t, m, name, sizeof(name)),
		  mc_escape(mnt->root, root, sizeof(root)));
	return mc_ar_refused(j, &j->t->sbs[mnt->sb], e);
}

/*
 * The first of sorted[from, to), all of one root, that works; one with locked children
 * only where there is no other.
 */
static int save_root(struct mc_ar_job *j, struct mc_save *s, uint32_t from, uint32_t to,
		     const struct mc_ar_range *sb, struct mntcr_error *e)
{
	const struct mc_elsewhere elsewhere = { mc_ar_elsewhere, (void *)sb };
	const struct mc_mount *m = &j->t->mounts[j->sorted[from]];
	char name[300];
	bool tried = false, locked = false, again;
	uint32_t i, n;
	int fd, ret;

	for (n = 0; n < 2 * (to - from); n++) {
		i = from + n % (to - from);
		again = n >= to - from;
		locked = mc_has_locked_child(j->t, j->sorted[i]);
		if (!mc_ar_can_clone(j, j->sorted[i]) || locked != again)
			continue;
		tried = true;
		fd = mc_contents_clone(j->t, j->sorted[i],
				       j->ns_fd[j->t->mounts[j->sorted[i]].ns], e);
		if (fd < 0)
			continue;
		ret = m->unlinked ?
		      mc_save_unlinked(s, &j->t->sbs[m->sb], fd, m->unlinked, e) :
		      mc_save_tree(s, &j->t->sbs[m->sb], fd, m->root,
				   locked ? &elsewhere : NULL, e);
		mc_close(fd);
		return ret;
	}
	if (tried)
		return -1;
	if (!m->unlinked && mc_type_of_layers(j->t->sbs[m->sb].type)) {
		mc_ar_tell(j, m, "nobody can look there for other names of what has been unlinked");
		return 0;
	}
	return mc_refuse(e, "contents-out-of-reach",
			 "%s: no mount with this root can be cloned, to read its contents: this one is %s",
			 mc_mount_name(j->t, j->sorted[from], name, sizeof(name)),
			 mc_ar_not_cloned(j, j->sorted[from]));
}

/* Overlays have no handles by which another name could be found: for one that may have it. */
static int watch_root(struct mc_ar_job *j, struct mc_save *s, uint32_t mount, bool *stays,
		      struct mntcr_error *e)
{
	const struct mc_mount *m = &j->t->mounts[mount];
	struct mntcr_error failed;
	int fd, ret;

	if (!m->root_named || !mc_type_of_layers(j->t->sbs[m->sb].type) ||
	    !mc_ar_can_clone(j, mount))
		return 0;
	*stays = false;
	fd = mc_contents_clone(j->t, mount, j->ns_fd[m->ns], &failed);
	/* another mount of it may be reached, or else it is refused in its turn */
	if (fd < 0 && failed.code == MNTCR_REFUSED)
		return 0;
	if (fd < 0) {
		*e = failed;
		return -1;
	}
	ret = mc_save_watch(s, &j->t->sbs[m->sb], fd, e);
	mc_close(fd);
	return ret;
}

/* Widest first: what lies below a root that has been saved is in it. */
static int save_sb(struct mc_ar_job *j, struct mc_save *s, uint32_t from, uint32_t end,
		   struct mntcr_error *e)
{
	const struct mc_mount *mounts = j->t->mounts;
	const char *last = NULL, *root;
	const struct mc_ar_range sb = { j, from, end };
	const struct mc_mount *m, *x;
	bool stays = mc_type_elsewhere(j->t->sbs[mounts[j->sorted[from]].sb].type);
	uint32_t i, to;

	for (i = from; i < end; i++) {
		m = &mounts[j->sorted[i]];
		if (m->unlinked && (mc_save_expect(s, &j->t->sbs[m->sb], m->root_ino, e) ||
				    watch_root(j, s, j->sorted[i], &stays, e) ||
				    check_way(j, &sb, j->sorted[i], e)))
			return -1;
	}
	for (i = from; i < end; i = to) {
		m = &mounts[j->sorted[i]];
		root = m->root;
		for (to = i + 1; to < end; to++) {
			x = &mounts[j->sorted[to]];
			if (strcmp(x->root, root) || x->unlinked != m->unlinked ||
			    x->root_deleted != m->root_deleted)
				break;
		}
		/*
		 * of which it is not known which one it is, that has been saved, or
		 * that stays on its device, or in its layers
		 */
		if (m->root_deleted ? !m->unlinked :
		    (last && mc_path_below(last, root)) || stays)
			continue;
		if (save_root(j, s, i, to, &sb, e))
			return -1;
		last = root;
	}
	return 0;
}

static int save_all(struct mc_ar_job *j, struct mc_save *s, struct mntcr_error *e)
{
	const struct mc_topology *t = j->t;
	uint64_t files, bytes, had_files, had_bytes;
	uint32_t i, end;

	for (i = 0; i < t->nr_mounts; i = end) {
		const struct mc_mount *m = &t->mounts[j->sorted[i]];
		const struct mc_sb *sb = &t->sbs[m->sb];

		for (end = i + 1; end < t->nr_mounts &&
		     t->mounts[j->sorted[end]].sb == m->sb; end++)
			;
		if (j->lossy[m->sb] && mc_ar_check_empty(j, i, end, e) && mc_ar_refused(j, sb, e))
			return -1;
		if (!sb->contents)
			continue;
		mc_save_count(s, &had_files, &had_bytes);
		if (save_sb(j, s, i, end, e)) {
			if (mc_ar_refused(j, sb, e))
				return -1;
			continue;
		}
		mc_save_count(s, &files, &bytes);
		if (j->o->saved)
			j->o->saved(j->o->data, sb->major, sb->minor,
				    files - had_files, bytes - had_bytes);
	}
	if (!j->nr_refused)
		return 0;
	*e = j->first;
	return -1;
}

static int print(void *data, FILE *out, struct mntcr_error *e)
{
	struct mntcr_error ignored;
	struct mc_ar_job *j = data;
	struct mc_save *s;
	size_t len = 0;
	char *json = NULL;
	FILE *text = open_memstream(&json, &len);
	int ret = -1;

	if (!text)
		return mc_nomem(e);
	ret = mc_image_print(j->t, text, e);
	if (fclose(text) && !ret)
		ret = mc_nomem(e);
	if (!ret)
		ret = mc_save_new(&s, out, json, len, e);
	free(json);
	if (ret)
		return -1;
	ret = save_all(j, s, e);
	if (!ret && j->o->holds)
		ret = j->o->holds(j->o->data, e);
	/* told of what is refused, it is whole as an archive, and thrown away */
	if (ret && j->nr_refused && e->code == MNTCR_REFUSED) {
		mc_save_end(s, false, &ignored);
		return -1;
	}
	ret = mc_save_end(s, ret, e);
	if (!ret && (fflush(out) || ferror(out)))
		ret = mc_fail(e, MNTCR_SYS, errno, "writing");
	return ret;
}

/* To path, or to out. */
static int write_contents(struct mc_topology *t, const struct mntcr_contents_options *opts,
			  const char *path, FILE *out, struct mntcr_error *e)
{
	struct mntcr_contents_options o;
	struct mc_ar_job j = { .t = t, .o = &o };
	const struct mc_image_print p = { print, &j };
	struct mc_fd_limit limit = { 0 };
	uint32_t i;
	int ret = -1;

	memset(e, 0, sizeof(*e));
	if (mc_take_options(&o, sizeof(o), sizeof(o), opts, "contents_options", e))
		return -1;
	j.ns_fd = malloc((t->nr_ns + 1) * sizeof(*j.ns_fd));
	j.sorted = malloc((t->nr_mounts + 1) * sizeof(*j.sorted));
	j.lossy = calloc(t->nr_sbs + 1UL, sizeof(*j.lossy));
	if (!j.ns_fd || !j.sorted || !j.lossy) {
		free(j.ns_fd);
		free(j.lossy);
		free(j.sorted);
		return mc_nomem(e);
	}
	for (i = 0; i < t->nr_ns; i++)
		j.ns_fd[i] = -1;
	mc_open_tree_attr(-1, "", 0, NULL, 1);
	j.no_attr_call = errno == ENOSYS;
	/* one for each directory on the way to a file */
	mc_fd_limit_raise(&limit, mc_fd_count() + t->nr_ns + MC_MAX_DIR_DEPTH + 32);
	for (i = 0; i < t->nr_mounts; i++)
		j.sorted[i] = i;
	qsort_r(j.sorted, t->nr_mounts, sizeof(*j.sorted), cmp_mount, t);
	if (!open_namespaces(&j, e) && !mc_ar_choose(&j, e))
		ret = path ? mc_image_write(&p, path, e) : print(&j, out, e);
	for (i = 0; i < t->nr_ns; i++)
		mc_close(j.ns_fd[i]);
	mc_fd_limit_back(&limit);
	free(j.ns_fd);
	free(j.sorted);
	free(j.lossy);
	return ret;
}

int mntcr_image_write_contents(struct mc_topology *t,
			       const struct mntcr_contents_options *opts,
			       const char *path, struct mntcr_error *e)
{
	return write_contents(t, opts, path, NULL, e);
}

int mc_image_print_contents(struct mc_topology *t, const struct mntcr_contents_options *opts,
			    FILE *out, struct mntcr_error *e)
{
	FILE *null = out ? NULL : fopen("/dev/null", "we");
	int ret;

	if (!out && !null)
		return mc_fail(e, MNTCR_SYS, errno, "/dev/null");
	ret = write_contents(t, opts, NULL, out ? out : null, e);
	if (null)
		fclose(null);
	return ret;
}
