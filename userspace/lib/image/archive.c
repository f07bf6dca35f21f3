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

#include "base/base.h"
#include "contents/contents.h"
#include "image/image.h"

struct job {
	struct mc_topology *t;
	const struct mntcr_contents_options *o;
	int *ns_fd;		/* per namespace; -1: not given */
	bool *lossy;		/* per superblock: has to be empty */
	bool no_attr_call;	/* no open_tree_attr(2): it clones idmaps with their mounts */
	uint32_t *sorted;	/* mounts: by superblock, a root before what is below */
	uint32_t nr_refused;
	struct mntcr_error first; /* of them */
};

static int open_namespaces(struct job *j, struct mntcr_error *e)
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

/* Does b lie at or below a? */
static bool is_below(const char *a, const char *b)
{
	size_t n = strcmp(a, "/") ? strlen(a) : 0;

	return !strncmp(a, b, n) && (!b[n] || b[n] == '/');
}

/*
 * Why not alone, or NULL: it can be.  Its idmap is taken off the clone, by whoever rules
 * over the superblock; what is locked on it would lose one, too, and may not be able to.
 */
static const char *not_cloned(const struct job *j, uint32_t m)
{
	const struct mc_mount *mnt = &j->t->mounts[m];
	uint32_t owner = j->t->sbs[mnt->sb].userns;

	if (j->ns_fd[mnt->ns] < 0)
		return "in a namespace that was not given";
	if (mnt->unbindable)
		return "unbindable";
	if (mnt->idmap == MC_NONE)
		return NULL;
	if (j->no_attr_call)
		return "idmapped, and this kernel clones none without its idmap";
	if (mc_has_locked_child(j->t, m))
		return "idmapped, with locked mounts on it";
	return owner == MC_NONE || j->t->userns[owner].dumper || j->t->userns[owner].mapped ?
	       NULL : "idmapped, and of a filesystem that is not the dumper's";
}

static bool can_be_cloned(const struct job *j, uint32_t m)
{
	return !not_cloned(j, m);
}

/* --- what locked mounts cover ----------------------------------------------------- */

/* Those of one superblock are sorted[from, end). */
struct range {
	struct job *j;
	uint32_t from, end;
};

/* Does a clone of m show what is at path of the superblock? */
static bool shows(const struct job *j, uint32_t m, const char *path)
{
	const struct mc_mount *mnt = &j->t->mounts[m];
	uint32_t c;

	if (mnt->root_deleted || !can_be_cloned(j, m) || !is_below(mnt->root, path))
		return false;
	if (!mc_has_locked_child(j->t, m))
		return true;
	path += mnt->root[1] ? strlen(mnt->root) : 0;
	mc_for_each_child(j->t, c, m)
		/* on its root, it is not in the way of a descriptor of that */
		if (j->t->mounts[c].mountpoint[1] && is_below(j->t->mounts[c].mountpoint, path))
			return false;
	return true;
}

/*
 * Could it be seen there, if what is not locked were unmounted?  Then somebody may have
 * use for it.
 */
static bool could_show(const struct job *j, uint32_t m, const char *path)
{
	const struct mc_mount *mnt = &j->t->mounts[m], *c;
	uint32_t i;

	if (mnt->root_deleted || !is_below(mnt->root, path))
		return false;
	path += mnt->root[1] ? strlen(mnt->root) : 0;
	mc_for_each_child(j->t, i, m) {
		c = &j->t->mounts[i];
		if (c->locks_known && c->locks & MOUNT_LOCK_MOUNT &&
		    c->mountpoint[1] && is_below(c->mountpoint, path))
			return false;
	}
	return true;
}

static int open_elsewhere(void *data, const char *path, int *fd, bool *root,
			  struct mntcr_error *e)
{
	static const struct mc_open_how how = {
		.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
		.resolve = MC_RESOLVE_BENEATH | MC_RESOLVE_NO_SYMLINKS |
			   MC_RESOLVE_NO_XDEV,
	};
	const struct range *r = data;
	const struct job *j = r->j;
	const struct mc_mount *m;
	char esc[300], line[500], *dir;
	struct mntcr_error failed = { 0 };
	bool told = false;
	const char *way, *end;
	uint32_t i;
	int clone;

	*fd = -1;
	for (i = r->from; i < r->end; i++) {
		m = &j->t->mounts[j->sorted[i]];
		if (!shows(j, j->sorted[i], path))
			continue;
		clone = mc_contents_clone(j->t, j->sorted[i], j->ns_fd[m->ns], e);
		if (clone < 0) {
			/* another one may be reached */
			failed = *e;
			continue;
		}
		way = path + (m->root[1] ? strlen(m->root) : 0);
		way += *way == '/';
		end = strrchr(way, '/');
		*root = !*way;
		if (!end) {
			*fd = clone;
			return 0;
		}
		dir = strndup(way, (size_t)(end - way));
		if (dir)
			*fd = mc_openat2_far(clone, dir, &how);
		free(dir);
		mc_close(clone);
		return *fd >= 0 ? 0 :
		       mc_fail(e, MNTCR_SYS, errno, "%s %u:%u: /%s",
			       j->t->sbs[m->sb].type, j->t->sbs[m->sb].major,
			       j->t->sbs[m->sb].minor,
			       mc_escape(path + 1, esc, sizeof(esc)));
	}
	if (*failed.text) {
		*e = failed;
		return -1;
	}
	/* of these there are no contents */
	if (mc_type_of_layers(j->t->sbs[j->t->mounts[j->sorted[r->from]].sb].type))
		return 0;
	for (i = r->from; i < r->end; i++) {
		m = &j->t->mounts[j->sorted[i]];
		if (!told && j->o->left_out && could_show(j, j->sorted[i], path)) {
			told = true;
			snprintf(line, sizeof(line), "%s %u:%u: /%s: what covers it is not locked, but others of its mount are: without its contents",
				 j->t->sbs[m->sb].type, j->t->sbs[m->sb].major,
				 j->t->sbs[m->sb].minor, mc_escape(path + 1, esc, sizeof(esc)));
			j->o->left_out(j->o->data, line);
		}
		if (!m->root_deleted && is_below(path, m->root))
			return mc_refuse(e, "contents-out-of-reach",
					 "%s %u:%u: /%s is covered by locked mounts wherever it would be, but what is below it is mounted: %s",
					 j->t->sbs[m->sb].type, j->t->sbs[m->sb].major,
					 j->t->sbs[m->sb].minor,
					 mc_escape(path + 1, esc, sizeof(esc)), m->root);
	}
	return 0;
}

static void tell(const struct job *j, const struct mc_mount *m, const char *what)
{
	const struct mc_sb *sb = &j->t->sbs[m->sb];
	char line[600], name[300];

	if (!j->o->left_out)
		return;
	snprintf(line, sizeof(line), "%s %u:%u (%s): %s", sb->type, sb->major,
		 sb->minor, mc_mount_name(j->t, (uint32_t)(m - j->t->mounts), name,
					  sizeof(name)), what);
	j->o->left_out(j->o->data, line);
}

/* 0: told of, so that the others are looked at as well; else it is over. */
static int refused(struct job *j, const struct mc_sb *sb, const struct mntcr_error *e)
{
	if (e->code != MNTCR_REFUSED || !j->o->refused)
		return -1;
	j->o->refused(j->o->data, sb->major, sb->minor, e);
	if (!j->nr_refused++)
		j->first = *e;
	return 0;
}

/* What it was in, where a mount shows that: 1, it is, or can be made, a directory; -1: errno. */
static int is_in_directory(const struct job *j, const char *path, uint32_t m)
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
static int check_way(struct job *j, const struct range *sb, uint32_t m, struct mntcr_error *e)
{
	const struct mc_mount *mnt = &j->t->mounts[m];
	char name[300], root[300];
	uint32_t i;

	for (i = sb->from; i < sb->end; i++)
		if (strcmp(j->t->mounts[j->sorted[i]].root, mnt->root) &&
		    shows(j, j->sorted[i], mnt->root))
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
		tell(j, mnt, "its root has been unlinked, and what that was in is no directory any more: only a live source gives it");
		return 0;
	}
	mc_refuse(e, "deleted-root",
		  "%s: its root, %s, has been unlinked, and what that was in is no directory any more: it could not be made there again",
		  mc_mount_name(j->t, m, name, sizeof(name)),
		  mc_escape(mnt->root, root, sizeof(root)));
	return refused(j, &j->t->sbs[mnt->sb], e);
}

/*
 * The first of sorted[from, to), all of one root, that works; one with locked children
 * only where there is no other.
 */
static int save_root(struct job *j, struct mc_save *s, uint32_t from, uint32_t to,
		     const struct range *sb, struct mntcr_error *e)
{
	const struct mc_elsewhere elsewhere = { open_elsewhere, (void *)sb };
	const struct mc_mount *m = &j->t->mounts[j->sorted[from]];
	char name[300];
	bool tried = false, locked = false, again;
	uint32_t i, n;
	int fd, ret;

	for (n = 0; n < 2 * (to - from); n++) {
		i = from + n % (to - from);
		again = n >= to - from;
		locked = mc_has_locked_child(j->t, j->sorted[i]);
		if (!can_be_cloned(j, j->sorted[i]) || locked != again)
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
		tell(j, m, "nobody can look there for other names of what has been unlinked");
		return 0;
	}
	return mc_refuse(e, "contents-out-of-reach",
			 "%s: no mount with this root can be cloned, to read its contents: this one is %s",
			 mc_mount_name(j->t, j->sorted[from], name, sizeof(name)),
			 not_cloned(j, j->sorted[from]));
}

/* Overlays have no handles by which another name could be found: for one that may have it. */
static int watch_root(struct job *j, struct mc_save *s, uint32_t mount, bool *stays,
		      struct mntcr_error *e)
{
	const struct mc_mount *m = &j->t->mounts[mount];
	struct mntcr_error failed;
	int fd, ret;

	if (!m->root_named || !mc_type_of_layers(j->t->sbs[m->sb].type) ||
	    !can_be_cloned(j, mount))
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
static int save_sb(struct job *j, struct mc_save *s, uint32_t from, uint32_t end,
		   struct mntcr_error *e)
{
	const struct mc_mount *mounts = j->t->mounts;
	const char *last = NULL, *root;
	const struct range sb = { j, from, end };
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
		    (last && is_below(last, root)) || stays)
			continue;
		if (save_root(j, s, i, to, &sb, e))
			return -1;
		last = root;
	}
	return 0;
}

/* Of sorted[from, to), all of one root, the first that can be looked into. */
static int check_root_empty(struct job *j, uint32_t from, uint32_t to, struct mntcr_error *e)
{
	const struct mc_topology *t = j->t;
	const struct mc_sb *sb = &t->sbs[t->mounts[j->sorted[from]].sb];
	char name[300], why[sizeof(e->text)] = "";
	uint32_t i;
	int fd, ret;

	for (i = from; i < to; i++) {
		if (!can_be_cloned(j, j->sorted[i])) {
			if (!*why)
				snprintf(why, sizeof(why), "this one is %s",
					 not_cloned(j, j->sorted[i]));
			continue;
		}
		fd = mc_contents_clone(t, j->sorted[i],
				       j->ns_fd[t->mounts[j->sorted[i]].ns], e);
		if (fd < 0) {
			memcpy(why, e->text, sizeof(why));
			continue;
		}
		ret = mc_is_empty_dir(fd);
		if (ret < 0)
			snprintf(why, sizeof(why), "reading the directory: %s", strerror(errno));
		mc_close(fd);
		if (ret < 0)
			continue;
		if (ret)
			return 0;
		return mc_refuse(e, "not-empty",
				 "%s: %s %u:%u is not empty, and one that is made anew is; would help: --exclude-contents %u:%u, which lets that go",
				 mc_mount_name(t, j->sorted[i], name, sizeof(name)),
				 sb->type, sb->major, sb->minor, sb->major, sb->minor);
	}
	return mc_refuse(e, "contents-out-of-reach",
			 "%s: no mount with this root can be looked into, and %s %u:%u, made anew, is empty: %.400s; would help: --exclude-contents %u:%u",
			 mc_mount_name(t, j->sorted[from], name, sizeof(name)), sb->type,
			 sb->major, sb->minor, why, sb->major, sb->minor);
}

/*
 * What is in it nobody brings back: whose it is has to say that it may go.  Below a root
 * that is empty there is nothing; of which it is not known where it was, a restore is
 * refused.
 */
static int check_empty(struct job *j, uint32_t from, uint32_t end, struct mntcr_error *e)
{
	const struct mc_mount *mounts = j->t->mounts;
	const char *last = NULL, *root;
	uint32_t i, to;

	for (i = from; i < end && !mounts[j->sorted[i]].root_deleted; i = to) {
		root = mounts[j->sorted[i]].root;
		for (to = i + 1; to < end && !mounts[j->sorted[to]].root_deleted &&
		     !strcmp(mounts[j->sorted[to]].root, root); to++)
			;
		if (last && is_below(last, root))
			continue;
		if (check_root_empty(j, i, to, e))
			return -1;
		last = root;
	}
	return 0;
}

static int save_all(struct job *j, struct mc_save *s, struct mntcr_error *e)
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
		if (j->lossy[m->sb] && check_empty(j, i, end, e) && refused(j, sb, e))
			return -1;
		if (!sb->contents)
			continue;
		mc_save_count(s, &had_files, &had_bytes);
		if (save_sb(j, s, i, end, e)) {
			if (refused(j, sb, e))
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
	struct job *j = data;
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

/* --- which superblocks ---------------------------------------------------------- */

/*
 * Those of the files are the dumper's.  They mean the same to whoever fills a
 * superblock of that user namespace, which is made with the same maps.
 */
static bool ids_are_known(const struct mc_topology *t, const struct mc_mount *m)
{
	uint32_t owner = t->ns[m->ns].userns, of = t->sbs[m->sb].userns;

	if (owner == MC_NONE || t->userns[owner].dumper)
		return true;
	return of != MC_NONE && (t->userns[of].dumper || t->userns[of].mapped);
}

/* Can what was unlinked have been made there? */
static bool has_unlinked(const struct mc_sb *sb)
{
	return mc_type_on_device(sb->type) ||
	       (mc_type_of_layers(sb->type) && mc_layers_have_upper(sb));
}

/*
 * Of a device or layers, what has been unlinked and is mounted dies with the machine;
 * where that can't be read, a restore has to have it from live.
 */
static void choose_elsewhere(struct job *j)
{
	struct mc_topology *t = j->t;
	const struct mc_mount *m;
	uint32_t i;

	for (i = 0; i < t->nr_mounts; i++) {
		m = &t->mounts[i];
		if (m->unlinked && has_unlinked(&t->sbs[m->sb]) &&
		    t->sbs[m->sb].whose != MC_WHOSE_HOST)
			t->sbs[m->sb].contents = true;
	}
	for (i = 0; i < t->nr_mounts; i++) {
		m = &t->mounts[i];
		if (!m->unlinked || !mc_type_elsewhere(t->sbs[m->sb].type) ||
		    !t->sbs[m->sb].contents || ids_are_known(t, m))
			continue;
		tell(j, m, "the root of this mount has been unlinked and can't be read: without its contents");
		t->sbs[m->sb].contents = false;
	}
}

/* One unlinked root of a superblock, sorted[from, to): can it be, or is nobody let? */
static bool is_read(struct job *j, uint32_t from, uint32_t to)
{
	uint32_t i;

	for (i = from; i < to; i++)
		if (can_be_cloned(j, j->sorted[i]) ||
		    j->ns_fd[j->t->mounts[j->sorted[i]].ns] < 0)
			return true;
	tell(j, &j->t->mounts[j->sorted[from]],
	     "the root of this mount has been unlinked and can't be read: without its contents");
	/* which one it was is nothing without those */
	for (i = from; i < to; i++)
		j->t->mounts[j->sorted[i]].unlinked = 0;
	return false;
}

static void choose_unlinked(struct job *j)
{
	const struct mc_mount *mounts = j->t->mounts, *m, *x;
	uint32_t i, to, sb = MC_NONE;

	for (i = 0; i < j->t->nr_mounts; i = to) {
		m = &mounts[j->sorted[i]];
		to = i + 1;
		if (!m->unlinked || (m->sb != sb && !j->t->sbs[m->sb].contents))
			continue;
		for (; to < j->t->nr_mounts; to++) {
			x = &mounts[j->sorted[to]];
			if (x->sb != m->sb || x->unlinked != m->unlinked)
				break;
		}
		/* of a device, or layers, that is all there is */
		if (m->sb != sb && mc_type_elsewhere(j->t->sbs[m->sb].type))
			j->t->sbs[m->sb].contents = false;
		sb = m->sb;
		if (is_read(j, i, to))
			j->t->sbs[sb].contents = true;
	}
}

static int choose(struct job *j, struct mntcr_error *e)
{
	struct mc_topology *t = j->t;
	char esc[200];
	uint32_t i, sb;
	size_t x;

	for (i = 0; i < t->nr_sbs; i++) {
		t->sbs[i].contents = t->sbs[i].nr_mounts &&
				     mc_type_in_memory(t->sbs[i].type);
		/* a namespace's, of which a restore makes another one */
		j->lossy[i] = mc_type_of(t->sbs[i].type)->lossy &&
			      t->sbs[i].whose != MC_WHOSE_HOST &&
			      (!mc_type_of(t->sbs[i].type)->shows ||
			       mc_sb_has_own_ns(&t->sbs[i]));
	}
	choose_elsewhere(j);
	for (x = 0; x < j->o->nr_exclude; x++) {
		sb = mc_find_sb(t, j->o->exclude[x]);
		if (sb == MC_NONE)
			return mc_fail(e, MNTCR_USAGE, 0,
				       "to be left out: %s names no superblock of a mount",
				       mc_escape(j->o->exclude[x], esc, sizeof(esc)));
		t->sbs[sb].contents = j->lossy[sb] = false;
	}
	for (i = 0; i < t->nr_mounts; i++) {
		const struct mc_mount *m = &t->mounts[i];

		if (t->sbs[m->sb].contents && t->sbs[m->sb].whose == MC_WHOSE_HOST) {
			tell(j, m, "the host's: without its contents");
			t->sbs[m->sb].contents = false;	/* once */
		}
		/* a path would lead elsewhere by now */
		if (m->root_deleted && !m->unlinked && t->sbs[m->sb].contents)
			tell(j, m, "the root of this mount has been unlinked and could not be looked at: without its contents");
		if ((!m->root_deleted || m->unlinked) && t->sbs[m->sb].contents &&
		    !ids_are_known(t, m)) {
			mc_refuse(e, "contents-owner",
				  "%s %u:%u is mounted in a namespace of another user namespace, and which one it belongs to, or its maps, could not be asked: whose ids those of its files are is not known",
				  t->sbs[m->sb].type, t->sbs[m->sb].major,
				  t->sbs[m->sb].minor);
			if (refused(j, &t->sbs[m->sb], e))
				return -1;
			t->sbs[m->sb].contents = false;	/* once */
		}
	}
	choose_unlinked(j);
	return 0;
}

/* To path, or to out. */
static int write_contents(struct mc_topology *t, const struct mntcr_contents_options *opts,
			  const char *path, FILE *out, struct mntcr_error *e)
{
	struct mntcr_contents_options o;
	struct job j = { .t = t, .o = &o };
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
	if (!open_namespaces(&j, e) && !choose(&j, e))
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
