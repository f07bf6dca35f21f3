// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What is at a path of a superblock that a restore will have, as far as that can be looked
 * at before it is made: in what an --external leads to, in a filesystem in memory of which
 * the plan and the archive say all that it will hold, and in overlays of such layers, by the
 * rules by which these are merged.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "contents/contents.h"
#include "execute/execute.h"

/* What a layer has there, and what that does to those below it. */
struct seen {
	enum mc_there is;
	bool whiteout;		/* nothing, and nothing of what is below */
	bool opaque;		/* a directory, without what is below */
	bool elsewhere;		/* one that goes on under another name there */
};

/* --- in a directory ------------------------------------------------------------- */

static int open_below(int fd, const char *path)
{
	struct mc_open_how how = {
		.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
		.resolve = MC_RESOLVE_BENEATH | MC_RESOLVE_NO_SYMLINKS |
			   MC_RESOLVE_NO_XDEV,
	};
	int clone, below;

	if (!*path)
		return fcntl(fd, F_DUPFD_CLOEXEC, 3);
	below = mc_openat2_far(fd, path, &how);
	if (below >= 0 || errno != EXDEV)
		return below;
	/* a clone is without what is mounted on the way; locks may not let it go alone */
	clone = mc_open_tree(fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	if (clone < 0) {
		errno = EXDEV;
		return -1;
	}
	below = mc_openat2_far(clone, path, &how);
	mc_close(clone);
	return below;
}

static enum mc_there kind_of(int fd, uint32_t *mode)
{
	struct statx st;

	if (mc_look(fd, 0, &st))
		return MC_IS_UNKNOWN;
	*mode = st.stx_mode;
	return S_ISDIR(st.stx_mode) ? MC_IS_DIR : MC_IS_NO_DIR;
}

static enum mc_there not_opened(void)
{
	return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? MC_IS_NOTHING :
	       MC_IS_UNKNOWN;
}

/* at: opened for that, or -1 */
static enum mc_there what_is(int at)
{
	enum mc_there is;
	uint32_t mode;

	if (at < 0)
		return not_opened();
	is = kind_of(at, &mode);
	mc_close(at);
	return is;
}

enum mc_there mc_exec_look(int fd, const char *path)
{
	return what_is(open_below(fd, path));
}

/* Of overlayfs, whatever it is; of what cannot be read there is none. */
static bool has_mark(int fd, bool user, const char *name, char *value, size_t size)
{
	char path[40], attr[48];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/thread-self/fd/%d", fd);
	snprintf(attr, sizeof(attr), "%s.overlay.%s", user ? "user" : "trusted", name);
	n = getxattr(path, attr, value, size - 1);
	if (n < 0)
		return errno == ERANGE;
	value[n] = '\0';
	return true;
}

/* fd: the root of what a layer is in. */
static struct seen see_in(int fd, const char *path, bool user)
{
	struct seen s = { .is = MC_IS_UNKNOWN };
	int at = open_below(fd, path);
	char value[8] = "";
	uint32_t mode = 0;
	struct stat st;

	if (at < 0) {
		s.is = not_opened();
		return s;
	}
	s.is = kind_of(at, &mode);
	if (S_ISCHR(mode) && !fstat(at, &st) && !st.st_rdev) {
		s = (struct seen){ .is = MC_IS_NOTHING, .whiteout = true };
	} else if (S_ISREG(mode) && has_mark(at, user, "whiteout", value, sizeof(value))) {
		s.is = MC_IS_UNKNOWN;	/* one, if the directory that it is in says so */
	} else if (S_ISDIR(mode)) {
		s.opaque = has_mark(at, user, "opaque", value, sizeof(value)) &&
			   *value == 'y';
		s.elsewhere = has_mark(at, user, "redirect", value, sizeof(value));
	}
	mc_close(at);
	return s;
}

/* --- in what will be made ----------------------------------------------------------- */

/* What mounts are on, roots, and the directories of these; sorted. */
static enum mc_there look_among(const struct mc_plan *p, const struct mc_src *s,
				const char *path)
{
	const struct mc_node *n = p->nodes + s->index;
	uint32_t from = 0, end = s->nr_nodes, mid;
	size_t len = strlen(path);

	if (!len)
		return MC_IS_DIR;
	while (from < end) {
		mid = from + (end - from) / 2;
		if (mc_path_cmp(n[mid].path, path) < 0)
			from = mid + 1;
		else
			end = mid;
	}
	if (from == s->nr_nodes || strncmp(n[from].path, path, len) ||
	    (n[from].path[len] && n[from].path[len] != '/'))
		return MC_IS_NOTHING;
	if (n[from].path[len])
		return MC_IS_DIR;
	return (n[from].file ? S_ISDIR(n[from].file->mode) : n[from].dir) ? MC_IS_DIR :
	       MC_IS_NO_DIR;
}

/*
 * What is in the archive is made first, and of the nodes what it has not.  NULL: it could
 * not be read, or is not there, which is told when it is needed.
 */
static const struct mc_listing *listing_of(const struct mc_looking *l, uint32_t sb)
{
	struct mc_looked_up *of;
	struct mntcr_error e;

	if (!l->listings || !mc_contents_has(l->contents, &l->p->topo->sbs[sb]))
		return NULL;
	of = &l->listings[sb];
	if (!of->tried &&
	    mc_listing_read(l->contents, &l->p->topo->sbs[sb], &of->listing, &e) &&
	    e.code == MNTCR_SYS && e.err == ENOMEM)
		*l->nomem = true;
	of->tried = true;
	return of->listing;
}

/* As one that is made or found there would be seen. */
static struct seen see_listed(uint32_t is, bool user)
{
	unsigned int by = user ? MC_LISTED_USER : 0;

	if (is & MC_LISTED_WHITEOUT)
		return (struct seen){ .is = MC_IS_NOTHING, .whiteout = true };
	if (!(is & MC_LISTED_DIR))
		return (struct seen){ .is = is & MC_LISTED_PERHAPS << by ? MC_IS_UNKNOWN :
					    MC_IS_NO_DIR };
	return (struct seen){
		.is = MC_IS_DIR, .opaque = is & MC_LISTED_OPAQUE << by,
		.elsewhere = is & MC_LISTED_REDIRECT << by,
	};
}

/* In a filesystem in memory that is made. */
static struct seen see_made(const struct mc_looking *l, const struct mc_src *base,
			    const char *path, bool user)
{
	const struct mc_sb *sb = &l->p->topo->sbs[base->sb];
	const struct mc_listing *listing = listing_of(l, base->sb);
	uint32_t is = listing ? mc_listing_at(listing, path) : 0;

	if (is)
		return see_listed(is, user);
	if (sb->contents && !listing)
		return (struct seen){ .is = MC_IS_UNKNOWN };
	return (struct seen){ .is = look_among(l->p, base, path) };
}

/* Where its root is open; -1: nowhere. */
static int root_of(const struct mc_looking *l, const struct mc_src *base)
{
	if (base->kind == MC_SRC_EXTERNAL)
		return l->external_fd[base->index];
	if (base->kind == MC_SRC_GIVEN)
		return l->need_fd ? l->need_fd[base->index] : -1;
	return base->device != MC_NONE && l->device_root ?
	       l->device_root[base - l->p->srcs] : -1;
}

static bool is_made(const struct mc_looking *l, const struct mc_src *base)
{
	return base->kind == MC_SRC_FRESH && !base->layers && base->device == MC_NONE &&
	       mc_type_in_memory(l->p->topo->sbs[base->sb].type);
}

const struct mc_src *mc_exec_base_of(const struct mc_plan *p, uint32_t src, const char **path)
{
	const struct mc_src *s = &p->srcs[src];

	*path = s->kind == MC_SRC_SUB ? s->path : "";
	if (s->kind == MC_SRC_SUB)
		s = &p->srcs[s->base];
	return s->instead != MC_NONE ? &p->srcs[s->instead] : s;
}

/* --- in the layers of an overlay ------------------------------------------------------ */

/*
 * A relative one, from the directory that an option says; as it is when the overlay is
 * made: upper and work are there in a clone of that directory alone.
 */
static int open_relative(int dir, const struct mc_layer *layer, unsigned int flags)
{
	struct mc_open_how how = {
		.flags = O_PATH | O_CLOEXEC | flags, .resolve = MC_RESOLVE_NO_MAGICLINKS,
	};

	if (layer->kind == MC_LAYER_UPPER || layer->kind == MC_LAYER_WORK)
		how.resolve |= MC_RESOLVE_BENEATH | MC_RESOLVE_NO_XDEV;
	return mc_openat2(dir, layer->text, &how);
}

/*
 * It leads out of the directory, or over what is mounted in there: which, a clone tells that
 * has none of that.  Without one, what can be told with it.
 */
static enum mc_there look_in_clone(int dir, const struct mc_layer *layer)
{
	struct mc_open_how how = {
		.flags = O_PATH | O_CLOEXEC,
		.resolve = MC_RESOLVE_NO_MAGICLINKS | MC_RESOLVE_BENEATH,
	};
	int clone = mc_open_tree(dir, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	int at = mc_openat2(clone < 0 ? dir : clone, layer->text, &how);
	enum mc_there is = at < 0 && errno == EXDEV ? MC_IS_OUTSIDE : what_is(at);

	if (clone < 0 && is != MC_IS_OUTSIDE)
		is = MC_IS_UNKNOWN;
	mc_close(clone);
	return is;
}

enum mc_there mc_exec_look_layer(int dir, const struct mc_layer *layer)
{
	int at = open_relative(dir, layer, 0);

	return at < 0 && errno == EXDEV ? look_in_clone(dir, layer) : what_is(at);
}

/* path: below it, or "". */
static struct seen see_relative(const struct mc_looking *l, const struct mc_src *over,
				uint32_t i, const char *path, bool user)
{
	const struct mc_layer *layer = &l->p->topo->sbs[over->sb].layers[i];
	struct seen s = { .is = MC_IS_UNKNOWN };
	int dir = over->layer_option == MC_NONE || !l->layer_fd ? -1 :
		  l->layer_fd[over->layer_option], fd;

	fd = dir < 0 || !mc_layer_is_relative(layer) ? -1 :
	     open_relative(dir, layer, O_DIRECTORY);
	if (fd >= 0)
		s = see_in(fd, path, user);
	mc_close(fd);
	return s;
}

static struct seen see(const struct mc_looking *l, const struct mc_src *over, uint32_t i,
		       const char *path, struct mc_buf *at)
{
	const struct mc_sb *sb = &l->p->topo->sbs[over->sb];
	const struct mc_made_layer *made = &over->layers[i];
	bool user = strstr(sb->options, "userxattr");
	struct seen s = { .is = MC_IS_UNKNOWN };
	const struct mc_src *base;
	const char *below;

	if (made->src == MC_NONE)
		return see_relative(l, over, i, path, user);
	base = mc_exec_base_of(l->p, made->src, &below);
	at->len = 0;
	mc_buf_puts(at, below);
	mc_buf_puts(at, made->below);
	mc_buf_puts(at, *path ? "/" : "");
	mc_buf_puts(at, path);
	if (at->nomem)
		return s;
	below = at->data + strspn(at->data, "/");
	if (root_of(l, base) >= 0)
		return see_in(root_of(l, base), below, user);
	if (is_made(l, base))
		return see_made(l, base, below, user);
	s.is = mc_exec_look_in(l, base, below);
	return s;
}

/* In which order they are asked: the upper one first, and no other kind. */
static uint32_t by_turn(const struct mc_sb *sb, uint32_t *turn)
{
	uint32_t i, n = 0;

	for (i = 0; i < sb->nr_layers; i++)
		if (sb->layers[i].kind == MC_LAYER_UPPER)
			turn[n++] = i;
	for (i = 0; i < sb->nr_layers; i++)
		if (sb->layers[i].kind == MC_LAYER_LOWER)
			turn[n++] = i;
	return n;
}

/*
 * One name of a path, in the first *nr layers; those that what is found there hides are
 * none of them any more.
 */
static enum mc_there step(const struct mc_looking *l, const struct mc_src *over,
			  const uint32_t *turn, uint32_t *nr, const char *path, bool last,
			  struct mc_buf *at)
{
	enum mc_there is = MC_IS_NOTHING;
	struct seen s;
	uint32_t i;

	for (i = 0; i < *nr; i++) {
		s = see(l, over, turn[i], path, at);
		if (s.is == MC_IS_UNKNOWN && is == MC_IS_NOTHING)
			return MC_IS_UNKNOWN;
		if (s.is == MC_IS_NO_DIR && is == MC_IS_NOTHING)
			return last ? MC_IS_NO_DIR : MC_IS_NOTHING;
		if (s.elsewhere && !last)
			return MC_IS_UNKNOWN;
		if (s.whiteout || s.is == MC_IS_NO_DIR)
			*nr = i;
		else if (s.is == MC_IS_DIR)
			is = MC_IS_DIR;
		if (s.opaque)
			*nr = i + 1;
	}
	return is;
}

static enum mc_there look_in_overlay(const struct mc_looking *l, const struct mc_src *over,
				     const char *path)
{
	uint32_t turn[MC_MAX_LAYERS], nr = by_turn(&l->p->topo->sbs[over->sb], turn);
	enum mc_there is = MC_IS_DIR;
	struct mc_buf at = { 0 };
	char *way = strdup(path);
	size_t n = 0;
	bool last;

	if (!way)
		is = MC_IS_UNKNOWN;
	while (is == MC_IS_DIR && path[n]) {
		n += path[n] == '/';
		n += strcspn(path + n, "/");
		last = !path[n];
		way[n] = '\0';
		is = step(l, over, turn, &nr, way, last, &at);
		way[n] = path[n];
	}
	mc_buf_free(&at);
	free(way);
	return is;
}

enum mc_there mc_exec_look_in(const struct mc_looking *l, const struct mc_src *base,
			      const char *path)
{
	if (root_of(l, base) >= 0)
		return mc_exec_look(root_of(l, base), path);
	if (base->kind == MC_SRC_FRESH && base->layers)
		return look_in_overlay(l, base, path);
	return is_made(l, base) ? see_made(l, base, path, false).is : MC_IS_UNKNOWN;
}
