// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What did the strings of an overlay lead to?  The kernel does not say.  They are
 * walked in the namespace of its oldest mount, among the mounts that are older than
 * that one: whatever is mounted over them since was not there.  Directories of an
 * overlay have the times of the topmost layer: where these differ, something has been
 * moved or unmounted meanwhile, and nothing is known.
 *
 * A child does that, in the namespace, as it looks under mounts (under.c).
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "capture/capture.h"

/* For all paths of a namespace's overlays. */
#define POOL_SIZE	(1U << 20)
#define MOST_LINKS	40	/* the kernel's */
#define FEW_CHILDREN	4	/* sooner looked through than searched for */

/* An overlay, and the oldest mount of it. */
struct over {
	uint32_t sb, mount;
};

/* What the child finds of a layer; path NULL: nothing. */
struct found {
	uint32_t sb, idmap;
	const char *path;
};

struct job {
	struct mc_topology *t;
	uint32_t *children;	/* all mounts, by parent and mountpoint */
	const struct cap_ns *ns;
	const struct over *over;
	uint32_t nr;
	struct found *found;	/* of all layers of them; shared, and so is the pool */
	const struct found **of;	/* per superblock: of the first of its layers; or NULL */
	char *pool;
	size_t used;
	/* the child's: the mount that was looked into last, and a clone of it */
	int root, fd, clone;
	uint32_t mount;
};

static bool is_older(const struct mc_topology *t, uint32_t a, uint32_t b)
{
	return t->mounts[a].id < t->mounts[b].id;
}

/* Is the mount c before, at or behind where one would be that is on m at path? */
static int cmp_place(const struct mc_mount *c, uint32_t m, const char *path)
{
	if (c->parent != m)
		return c->parent < m ? -1 : 1;
	return strcmp(c->mountpoint, path);
}

static int cmp_child(const void *a, const void *b, void *data)
{
	const struct mc_mount *m = ((const struct mc_topology *)data)->mounts;
	const struct mc_mount *y = &m[*(const uint32_t *)b];

	return cmp_place(&m[*(const uint32_t *)a], y->parent, y->mountpoint);
}

/* With many overlays in one directory a walk along its children takes too long. */
static bool sort_children(struct job *j)
{
	uint32_t i;

	j->children = malloc((j->t->nr_mounts + 1UL) * sizeof(*j->children));
	if (!j->children)
		return false;
	for (i = 0; i < j->t->nr_mounts; i++)
		j->children[i] = i;
	qsort_r(j->children, i, sizeof(*j->children), cmp_child, j->t);
	return true;
}

static uint32_t child_at(const struct job *j, uint32_t m, const char *path)
{
	uint32_t from = 0, end = j->t->nr_mounts, mid;
	int c;

	/* as in a stack, which has one on each */
	if (j->t->mounts[m].nr_children <= FEW_CHILDREN) {
		mc_for_each_child(j->t, mid, m)
			if (!strcmp(j->t->mounts[mid].mountpoint, path))
				break;
		return mid;
	}
	while (from < end) {
		mid = from + (end - from) / 2;
		c = cmp_place(&j->t->mounts[j->children[mid]], m, path);
		if (!c)
			return j->children[mid];
		if (c < 0)
			from = mid + 1;
		else
			end = mid;
	}
	return MC_NONE;
}

/* The topmost mount there that is older; a younger one may be tucked beneath it. */
static uint32_t older_at(const struct job *j, uint32_t m, const char *path, uint32_t than)
{
	uint32_t c, best = MC_NONE;

	for (c = child_at(j, m, path); c != MC_NONE; c = child_at(j, c, "/"))
		if (is_older(j->t, c, than))
			best = c;
	return best;
}

static void leave(struct job *j)
{
	mc_close(j->clone);
	mc_close(j->fd);
	j->clone = j->fd = -1;
	j->mount = MC_NONE;
}

/* Those of overlays that come before it are known by then, and where they stand. */
static uint32_t sb_of_layer(const struct job *j, uint32_t sb, uint32_t layer)
{
	const struct mc_layer *l = &j->t->sbs[sb].layers[layer];

	if (l->sb != MC_NONE || !j->of[sb] || !j->of[sb][layer].path)
		return l->sb;
	return j->of[sb][layer].sb;
}

/* An overlay asks nobody whom its layers do not ask. */
static bool is_local(const struct job *j, uint32_t sb, uint32_t depth)
{
	const struct mc_sb *s = &j->t->sbs[sb];
	uint32_t i, of;

	if (mc_sb_is_local(s))
		return true;
	for (i = 0; depth < MC_MOST_STACKED && i < s->nr_layers; i++) {
		of = sb_of_layer(j, sb, i);
		if (of == MC_NONE || !is_local(j, of, depth + 1))
			return false;
	}
	return i && i == s->nr_layers;
}

/* What is at path, from the mount's root, whatever is mounted there.  -1: errno. */
static int look_in(struct job *j, uint32_t m, const char *path)
{
	size_t local = is_local(j, j->t->mounts[m].sb, 0) ? strlen(path) : 0;
	int fd;

	if (j->mount != m) {
		leave(j);
		j->fd = cap_open_mount(j->t, j->ns, j->root, m);
		j->mount = m;
	}
	if (j->fd < 0)
		return -1;
	/* not ".": of an overlay on an idmapped layer that may take asking for its ACL */
	if (!path[1])
		return fcntl(j->fd, F_DUPFD_CLOEXEC, 3);
	path++;
	if (j->clone < 0) {
		fd = mc_open_way(j->fd, path, local,
				 MC_RESOLVE_BENEATH | MC_RESOLVE_NO_XDEV);
		if (fd >= 0 || errno != EXDEV)
			return fd;
		j->clone = cap_clone(j->fd);
		if (j->clone < 0)
			return -1;
	}
	return mc_open_way(j->clone, path, local, MC_RESOLVE_BENEATH);
}

struct walk {
	uint32_t mount, than;
	char path[PATH_MAX];	/* from the mount's root; "": that */
	char rest[PATH_MAX];
	int links;
};

static bool start(struct job *j, struct walk *w)
{
	uint32_t over, root = j->t->ns[j->t->mounts[w->than].ns].root;

	if (!is_older(j->t, root, w->than))
		return false;
	over = older_at(j, root, "/", w->than);
	w->mount = over == MC_NONE ? root : over;
	w->path[0] = '\0';
	return true;
}

/* As the kernel has it, what is mounted where that leads to hides it. */
static void go_up(const struct job *j, struct walk *w)
{
	const struct mc_topology *t = j->t;
	const char *mp;
	uint32_t over;

	while (!w->path[0] && t->mounts[w->mount].parent != MC_NONE) {
		mp = t->mounts[w->mount].mountpoint;
		snprintf(w->path, sizeof(w->path), "%s", mp[1] ? mp : "");
		w->mount = t->mounts[w->mount].parent;
	}
	if (w->path[0])
		*strrchr(w->path, '/') = '\0';
	over = older_at(j, w->mount, w->path[0] ? w->path : "/", w->than);
	if (over != MC_NONE) {
		w->mount = over;
		w->path[0] = '\0';
	}
}

/*
 * A link, in a directory whose path has len bytes: what it leads to comes before the
 * rest.  0: it is none; -1: too much.
 */
static int follow(struct job *j, struct walk *w, int fd, size_t len)
{
	char target[PATH_MAX * 2];
	struct statx stx;
	ssize_t n;
	size_t k = strlen(w->rest);

	if (mc_look(fd, STATX_TYPE, &stx))
		return -1;
	if (S_ISDIR(stx.stx_mode))
		return 0;
	if (!is_local(j, j->t->mounts[w->mount].sb, 0) || w->links++ == MOST_LINKS)
		return -1;
	n = readlinkat(fd, "", target, PATH_MAX - 1);
	if (n <= 0 || (size_t)n + 1 + k >= sizeof(w->rest))
		return -1;
	target[n] = '/';
	memcpy(target + n + 1, w->rest, k + 1);
	memcpy(w->rest, target, (size_t)n + k + 2);
	w->path[len] = '\0';
	if (w->rest[0] != '/')
		return 1;
	return start(j, w) ? 1 : -1;
}

/* One component. */
static bool step(struct job *j, struct walk *w, const char *name, size_t n)
{
	size_t len = strlen(w->path);
	uint32_t over;
	int fd, link;

	if (n == 1 && name[0] == '.')
		return true;
	if (n == 2 && name[0] == '.' && name[1] == '.') {
		go_up(j, w);
		return true;
	}
	if (len + n + 2 > sizeof(w->path))
		return false;
	w->path[len] = '/';
	memcpy(w->path + len + 1, name, n);
	w->path[len + 1 + n] = '\0';
	/* what is mounted on is no link, and where children are locked nobody looks below */
	over = older_at(j, w->mount, w->path, w->than);
	if (over != MC_NONE) {
		w->mount = over;
		w->path[0] = '\0';
		return true;
	}
	fd = look_in(j, w->mount, w->path);
	if (fd < 0)
		return false;
	link = follow(j, w, fd, len);
	mc_close(fd);
	return link >= 0;
}

/* The directory that text led to when that mount was made, or false. */
static bool walk(struct job *j, struct walk *w, const char *text, uint32_t than)
{
	char name[NAME_MAX + 1];
	size_t n, skip;

	w->than = than;
	w->links = 0;
	if (strlen(text) >= sizeof(w->rest) || !start(j, w))
		return false;
	strcpy(w->rest, text);
	for (;;) {
		skip = strspn(w->rest, "/");
		n = strcspn(w->rest + skip, "/");
		if (!n)
			return true;
		if (n > NAME_MAX)
			return false;
		memcpy(name, w->rest + skip, n);
		name[n] = '\0';
		memmove(w->rest, w->rest + skip + n, strlen(w->rest + skip + n) + 1);
		if (!step(j, w, name, n))
			return false;
	}
}

static bool keep(struct job *j, const struct walk *w, struct found *f)
{
	const struct mc_mount *m = &j->t->mounts[w->mount];
	size_t n = strlen(m->root), k = strlen(w->path);

	/* a path does not say that there is none any more */
	if (m->root_deleted || m->root[0] != '/')
		return false;
	n = n == 1 ? 0 : n;
	if (n + k + 2 > POOL_SIZE - j->used)
		return false;
	f->sb = m->sb;
	f->idmap = m->idmap;
	f->path = j->pool + j->used;
	memcpy(j->pool + j->used, m->root, n);
	strcpy(j->pool + j->used + n, n + k ? w->path : "/");
	j->used += strlen(f->path) + 1;
	return true;
}

#define TIMES	(STATX_TYPE | STATX_MODE | STATX_CTIME | STATX_MTIME)

/* That the directory of the topmost layer is what the overlay shows there. */
static bool is_shown(struct job *j, uint32_t over, const struct statx *is)
{
	struct statx stx;
	int fd = look_in(j, over, "/");
	bool same;

	same = fd >= 0 && !statx(fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT |
				 AT_STATX_DONT_SYNC, TIMES, &stx) &&
	       stx.stx_mode == is->stx_mode &&
	       stx.stx_ctime.tv_sec == is->stx_ctime.tv_sec &&
	       stx.stx_ctime.tv_nsec == is->stx_ctime.tv_nsec &&
	       stx.stx_mtime.tv_sec == is->stx_mtime.tv_sec &&
	       stx.stx_mtime.tv_nsec == is->stx_mtime.tv_nsec;
	mc_close(fd);
	return same;
}

/* Nothing of one that is not as it was. */
static void look_at(struct job *j, const struct over *o, struct found *f)
{
	const struct mc_sb *sb = &j->t->sbs[o->sb];
	struct statx stx, shown = { 0 };
	uint32_t i, top = 0;
	struct walk w;
	bool ok = true;
	int fd;

	for (i = 0; i < sb->nr_layers; i++)
		if (sb->layers[i].kind == MC_LAYER_UPPER)
			top = i;
	for (i = 0; i < sb->nr_layers && ok; i++) {
		const struct mc_layer *l = &sb->layers[i];

		if (mc_layer_is_relative(l))
			continue;
		ok = walk(j, &w, l->text, o->mount) && keep(j, &w, &f[i]);
		fd = ok ? look_in(j, w.mount, w.path[0] ? w.path : "/") : -1;
		ok = fd >= 0 && !statx(fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT |
				       AT_STATX_DONT_SYNC, TIMES, &stx);
		mc_close(fd);
		if (ok && i == top)
			shown = stx;
	}
	if (ok && shown.stx_mask && !j->t->mounts[o->mount].root[1])
		ok = is_shown(j, o->mount, &shown);
	for (i = 0; !ok && i < sb->nr_layers; i++)
		f[i].path = NULL;
}

static void look(struct job *j)
{
	struct found *f = j->found;
	uint32_t i;

	if (setns(j->ns->fd, CLONE_NEWNS))
		return;
	j->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (i = 0; i < j->nr; i++) {
		look_at(j, &j->over[i], f);
		j->of[j->over[i].sb] = f;
		f += j->t->sbs[j->over[i].sb].nr_layers;
	}
}

static int take(struct job *j, struct mntcr_error *e)
{
	const struct found *f = j->found;
	uint32_t i, k;

	for (i = 0; i < j->nr; i++) {
		const struct mc_sb *sb = &j->t->sbs[j->over[i].sb];

		for (k = 0; k < sb->nr_layers; k++, f++) {
			/* one of its own files, by an older mount of another's */
			if (!f->path || f->sb == j->over[i].sb)
				continue;
			sb->layers[k].sb = f->sb;
			sb->layers[k].idmap = f->idmap;
			sb->layers[k].path = mc_topology_str(j->t, f->path);
			if (!sb->layers[k].path)
				return mc_nomem(e);
		}
	}
	return 0;
}

/* Of one namespace. */
static int look_by_child(struct job *j, struct mntcr_error *e)
{
	size_t size, nr = 0;
	int ret = 0;
	uint32_t i;
	pid_t pid;
	void *p;

	for (i = 0; i < j->nr; i++)
		nr += j->t->sbs[j->over[i].sb].nr_layers;
	size = nr * sizeof(*j->found);
	p = mmap(NULL, size + POOL_SIZE, PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		return mc_nomem(e);
	j->found = p;
	j->pool = (char *)p + size;
	pid = mc_child(0);
	if (!pid) {
		look(j);
		_exit(0);
	}
	if (pid > 0 && !mc_child_wait(pid))
		ret = take(j, e);
	munmap(p, size + POOL_SIZE);
	return ret;
}

static int cmp_over(const void *a, const void *b, void *data)
{
	const struct mc_mount *m = ((const struct mc_topology *)data)->mounts;
	uint32_t x = ((const struct over *)a)->mount, y = ((const struct over *)b)->mount;

	if (m[x].ns != m[y].ns)
		return m[x].ns < m[y].ns ? -1 : 1;
	return (x > y) - (x < y);
}

int cap_layers_of_overlays(struct mc_topology *t, const struct cap_ns *ns, size_t nr_ns,
			   struct mntcr_error *e)
{
	struct over *over = calloc(t->nr_sbs + 1UL, sizeof(*over));
	struct job j = { .t = t, .fd = -1, .clone = -1, .mount = MC_NONE };
	uint32_t i, m, n = 0, end;
	int ret = 0;

	if (!over)
		return mc_nomem(e);
	for (i = 0; i < t->nr_sbs; i++)
		over[i].mount = MC_NONE;
	for (m = 0; m < t->nr_mounts; m++) {
		i = t->mounts[m].sb;
		if (over[i].mount == MC_NONE || is_older(t, m, over[i].mount))
			over[i].mount = m;
	}
	for (i = 0; i < t->nr_sbs; i++) {
		struct mc_sb *sb = &t->sbs[i];

		if (mc_layers_of(t, sb, &sb->layers, &sb->nr_layers)) {
			ret = mc_nomem(e);
			goto out;
		}
		if (sb->nr_layers && over[i].mount != MC_NONE)
			over[n++] = (struct over){ i, over[i].mount };
	}
	j.of = calloc(t->nr_sbs + 1UL, sizeof(*j.of));
	if (!j.of || (n && !sort_children(&j))) {
		ret = mc_nomem(e);
		goto out;
	}
	qsort_r(over, n, sizeof(*over), cmp_over, t);
	for (i = 0; i < n && !ret; i = end) {
		m = t->mounts[over[i].mount].ns;
		for (end = i + 1; end < n && t->mounts[over[end].mount].ns == m; )
			end++;
		if (m >= nr_ns)
			break;
		j.ns = &ns[m];
		j.over = over + i;
		j.nr = end - i;
		ret = look_by_child(&j, e);
	}
	ret = ret ? ret : mc_link_work(t, e);
out:
	free(j.children);
	free(j.of);
	free(over);
	return ret;
}
