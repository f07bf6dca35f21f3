// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Capture through /proc/PID/mountinfo, parsed by libmount.
 *
 * Root, mountpoint, source and superblock options are taken from the line
 * itself: libmount cuts a mountpoint that ends in " (deleted)" and unescapes
 * options, after which a comma within a value cannot be told from one between
 * two.
 *
 * Every file is read twice; equal text means that there was a moment at which
 * all namespaces looked like that.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <errno.h>
#include <inttypes.h>
#include <libmount/libmount.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "capture/capture.h"

struct text {
	int fd;
	struct mc_buf first;
	int64_t nr_mounts;	/* number of mounts, asked for before the text was read */
	bool of_task;		/* as the task sees it that was named, */
	bool same;		/* as it does, and whoever enters */
	struct cap_listed listed;
};

static int read_all(int fd, struct mc_buf *b)
{
	char chunk[65536];
	ssize_t n;

	if (lseek(fd, 0, SEEK_SET) < 0)
		return -1;
	for (;;) {
		n = read(fd, chunk, sizeof(chunk));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		mc_buf_add(b, chunk, (size_t)n);
		if (b->nomem) {
			errno = ENOMEM;
			return -1;
		}
	}
	return (int)n;
}

static size_t nr_lines(const struct mc_buf *b)
{
	size_t n = 0, i;

	for (i = 0; i < b->len; i++)
		n += b->data[i] == '\n';
	return n;
}

/*
 * The task that was named may see more than one that enters: it can stand
 * below a mount that covers "/".
 */
static int get_text(const struct cap_ns *ns, struct text *t,
		    struct mntcr_error *e)
{
	struct mc_buf b = { 0 };
	int fd = -1, err, bad;

	/*
	 * a new task stands on the topmost root, whatever others have made
	 * theirs
	 */
	t->fd = cap_open_entered(ns, "mountinfo", O_RDONLY);
	err = errno;
	if (t->fd >= 0 && read_all(t->fd, &t->first))
		return mc_fail(e, MNTCR_SYS, errno, "%s: mountinfo", ns->label);
	if (ns->src->type == MNTCR_SOURCE_PID)
		fd = cap_open_proc(ns, (pid_t)ns->src->pid, "mountinfo",
				   O_RDONLY);
	if (fd >= 0) {
		bad = read_all(fd, &b);
		if (bad && errno == ENOMEM) {
			mc_close(fd);
			mc_buf_free(&b);
			return mc_nomem(e);
		}
		if (bad || (t->fd >= 0 && nr_lines(&b) <= nr_lines(&t->first))) {
			t->same = b.len == t->first.len && b.len &&
				  !memcmp(b.data, t->first.data, b.len);
			mc_close(fd);
			mc_buf_free(&b);
		} else {
			mc_close(t->fd);
			mc_buf_free(&t->first);
			t->fd = fd;
			t->first = b;
			t->of_task = true;
		}
	}
	if (t->fd < 0)
		return mc_fail(e, MNTCR_SYS, err,
			       "%s: opening mountinfo from within", ns->label);
	return 0;
}

/* The columns that libmount does not hand back byte by byte. */
struct line {
	char *id, *root, *mountpoint, *source, *options;
};

static char *column(char **p)
{
	char *s = *p, *end = strchr(s, ' ');

	if (!end)
		return NULL;
	*end = '\0';
	*p = end + 1;
	return s;
}

/* Cuts the line at *p apart in place and steps over it. */
static bool split_line(char **p, struct line *l)
{
	char *s = *p, *end = strchr(s, '\n'), *word;

	if (!end)
		return false;
	*end = '\0';
	*p = end + 1;
	l->id = column(&s);
	if (!l->id || !column(&s) || !column(&s))
		return false;
	l->root = column(&s);
	l->mountpoint = l->root ? column(&s) : NULL;
	if (!l->mountpoint)
		return false;
	do {
		word = column(&s);
	} while (word && strcmp(word, "-"));
	if (!word || !column(&s))
		return false;
	l->source = column(&s);	/* may be empty */
	l->options = s;
	return l->source;
}

static const char *unescaped(struct mc_topology *t, char *s)
{
	size_t n = mc_unescape(s);

	return mc_topology_strn(t, s, n);
}

static uint64_t mount_attrs(const char *opts)
{
	static const struct {
		const char *name;
		uint64_t attr;
	} names[] = {
		{ "ro", MOUNT_ATTR_RDONLY }, { "nosuid", MOUNT_ATTR_NOSUID },
		{ "nodev", MOUNT_ATTR_NODEV }, { "noexec", MOUNT_ATTR_NOEXEC },
		{ "nodiratime", MOUNT_ATTR_NODIRATIME },
		{ "nosymfollow", MOUNT_ATTR_NOSYMFOLLOW },
		{ "idmapped", MOUNT_ATTR_IDMAP },
	};
	uint64_t attr = 0, atime = MOUNT_ATTR_STRICTATIME;
	char *p = (char *)opts, *name, *value;	/* libmount's: not written to */
	size_t i, n, nv;

	while (p && !mnt_optstr_next_option(&p, &name, &n, &value, &nv)) {
		if (mc_word_is(name, n, "noatime"))
			atime = MOUNT_ATTR_NOATIME;
		else if (mc_word_is(name, n, "relatime"))
			atime = MOUNT_ATTR_RELATIME;
		for (i = 0; i < MC_ARRAY_SIZE(names); i++)
			if (mc_word_is(name, n, names[i].name))
				attr |= names[i].attr;
	}
	return attr | atime;
}

static void sharing(struct raw_mount *m, const char *fields)
{
	const char *s = fields ? fields : "";
	unsigned long id;
	size_t n;

	while (*s) {
		n = strcspn(s, " ");
		if (sscanf(s, "shared:%lu", &id) == 1)
			m->group = id;
		else if (sscanf(s, "master:%lu", &id) == 1)
			m->master = id;
		else if (mc_word_is(s, n, "unbindable"))
			m->unbindable = true;
		s += n;
		while (*s == ' ')
			s++;
	}
}

static int read_line(struct mc_topology *t, struct libmnt_fs *fs,
		     struct line *l, struct raw_mount *m, struct mntcr_error *e)
{
	const char *type = mnt_fs_get_fstype(fs), *dot;
	dev_t dev = mnt_fs_get_devno(fs);

	*m = (struct raw_mount){
		.id = (uint64_t)mnt_fs_get_id(fs),
		.parent_id = (uint64_t)mnt_fs_get_parent_id(fs),
		.id_old = (uint32_t)mnt_fs_get_id(fs),
		.major = major(dev),
		.minor = minor(dev),
		.attr = mount_attrs(mnt_fs_get_vfs_options(fs)),
		.idmap = MC_NONE,
	};
	sharing(m, mnt_fs_get_optional_fields(fs));
	dot = type ? strchr(type, '.') : NULL;
	m->type = !type ? NULL : dot ?
		  mc_topology_strn(t, type, (size_t)(dot - type)) :
		  mc_topology_str(t, type);
	if (dot) {
		m->subtype = mc_topology_str(t, dot + 1);
		if (!m->subtype)
			return mc_nomem(e);
	}
	m->options = mc_topology_str(t, mc_sb_flags(l->options, &m->sb_flags));
	m->source = unescaped(t, l->source);
	m->root = unescaped(t, l->root);
	m->path = unescaped(t, l->mountpoint);
	if (!m->type || !m->options || !m->source || !m->root || !m->path)
		return mc_nomem(e);
	return 0;
}

static int parse(struct mc_topology *t, const struct cap_ns *ns,
		 const struct mc_buf *text, struct raw_ns *raw,
		 struct mntcr_error *e)
{
	struct libmnt_table *tb = mnt_new_table();
	struct libmnt_iter *it = mnt_new_iter(MNT_ITER_FORWARD);
	char *copy = NULL, *at;
	struct libmnt_fs *fs;
	FILE *in = NULL;
	struct line l;
	int ret = -1;

	copy = malloc(text->len + 1);
	if (!tb || !it || !copy)
		goto nomem;
	if (text->len) {
		memcpy(copy, text->data, text->len + 1);
		in = fmemopen(text->data, text->len, "r");
		if (!in)
			goto nomem;
		errno = 0;
		if (mnt_table_parse_stream(tb, in, "mountinfo")) {
			mc_fail(e, MNTCR_SYS, errno ? errno : EPROTO,
				"%s: mountinfo", ns->label);
			goto out;
		}
	}
	at = copy;
	raw->nr = 0;
	while (!mnt_table_next_fs(tb, it, &fs)) {
		if (!split_line(&at, &l) || atoi(l.id) != mnt_fs_get_id(fs)) {
			mc_fail(e, MNTCR_SYS, EPROTO,
				"%s: libmount reads mountinfo differently at mount %d",
				ns->label, mnt_fs_get_id(fs));
			goto out;
		}
		if (!mc_grow(&raw->m, raw->nr, &raw->max, sizeof(*raw->m)))
			goto nomem;
		if (read_line(t, fs, &l, &raw->m[raw->nr], e))
			goto out;
		raw->nr++;
	}
	if (raw->nr != nr_lines(text)) {
		mc_fail(e, MNTCR_SYS, EPROTO, "%s: libmount read %u of %zu lines of mountinfo",
			ns->label, raw->nr, nr_lines(text));
		goto out;
	}
	ret = 0;
	goto out;
nomem:
	mc_nomem(e);
out:
	if (in)
		fclose(in);
	free(copy);
	mnt_free_iter(it);
	mnt_unref_table(tb);
	return ret;
}

/*
 * More than the kernel's layers are below the root: a new one was moved over it.
 * Fine where the task that was named stands on that, as well as whoever enters:
 * it is the whole of what they see.
 */
static int find_layers(const struct cap_ns *ns, const struct text *t,
		       struct raw_ns *raw, struct mntcr_error *e)
{
	if (t->same && t->listed.known &&
	    !cap_layers(&t->listed, ns, &raw->hidden, e))
		return 0;
	if (t->same && t->listed.known && e->err != EPERM)
		return -1;
	return mc_refuse(e, "hidden-mounts",
			 "%s: mountinfo hides %" PRId64 " of its mounts: its root is covered, or mountpoints are no longer below their parent's root; would help: --method statmount, which names these, or to name a task that stands on the topmost root",
			 ns->label, ns->nr_mounts + 1 - raw->nr);
}

/* The namespace's visible root is the one mount whose parent is not listed. */
static int find_root(struct mc_topology *topo, const struct cap_ns *ns,
		     const struct text *t, struct raw_ns *raw,
		     struct mntcr_error *e)
{
	struct mc_map *by_id = mc_map_new();
	uint32_t i, v;
	int64_t hidden;
	int ret = -1;

	if (!by_id)
		goto nomem;
	for (i = 0; i < raw->nr; i++) {
		v = i;
		if (mc_map_add(by_id, raw->m[i].id, &v) < 0)
			goto nomem;
	}
	raw->root = MC_NONE;
	for (i = 0; i < raw->nr; i++) {
		if (mc_map_get(by_id, raw->m[i].parent_id, &v) && v != i)
			continue;
		if (raw->root != MC_NONE) {
			mc_refuse(e, "hidden-mounts",
				  "%s: its tasks have changed root and mountinfo shows only part of it",
				  ns->label);
			goto out;
		}
		raw->root = i;
	}
	/*
	 * An empty namespace shows the nullfs that it was made with, which no
	 * image has.
	 */
	if (raw->nr == 1 && !strcmp(raw->m[0].type, "nullfs")) {
		raw->nr = 0;
		raw->root = MC_NONE;
	}
	if (ns->nr_mounts < 0 && !t->listed.known)
		topo->uncounted = true;
	hidden = ns->nr_mounts < 0 ? 0 : ns->nr_mounts + 1 - raw->nr;
	/* Counted before the text was read and after. */
	if ((hidden < 0 || hidden > 2) && ns->nr_mounts != t->nr_mounts) {
		mc_fail(e, MNTCR_CHANGED, 0, "%s: its mounts changed meanwhile",
			ns->label);
		goto out;
	}
	if (hidden < 0) {
		mc_refuse(e, CAP_CONTRADICTORY, "%s: mountinfo has %" PRId64 " mounts more than the namespace",
			  ns->label, -hidden);
		goto out;
	}
	/* nullfs and rootfs are all that is below an ordinary root. */
	if (hidden > 2) {
		ret = find_layers(ns, t, raw, e);
		goto out;
	}
	raw->hidden = (uint32_t)hidden;
	ret = 0;
	goto out;
nomem:
	mc_nomem(e);
out:
	mc_map_free(by_id);
	return ret;
}

int cap_mountinfo(struct mc_topology *t, struct cap_ns *ns, size_t nr,
		  struct mntcr_error *e)
{
	struct text *texts = calloc(nr + 1, sizeof(*texts));
	struct mc_map *by_dev = mc_map_new();
	struct raw_ns raw = { 0 };
	struct mc_buf again = { 0 };
	size_t i;
	int ret = -1;

	for (i = 0; texts && i < nr; i++) {
		texts[i].fd = -1;
		texts[i].nr_mounts = ns[i].nr_mounts;
	}
	if (!texts || !by_dev) {
		mc_nomem(e);
		goto out;
	}
	for (i = 0; i < nr; i++) {
		if (get_text(&ns[i], &texts[i], e) ||
		    cap_listed(&texts[i].listed, &ns[i], texts[i].of_task, e))
			goto out;
	}
	for (i = 0; i < nr; i++) {
		mc_buf_reset(&again);
		if (read_all(texts[i].fd, &again)) {
			mc_fail(e, MNTCR_SYS, errno, "%s: mountinfo",
				ns[i].label);
			goto out;
		}
		cap_count(&ns[i]);
		if (again.len != texts[i].first.len ||
		    (again.len && memcmp(again.data, texts[i].first.data, again.len))) {
			mc_fail(e, MNTCR_CHANGED, 0,
				"%s: its mounts changed meanwhile",
				ns[i].label);
			goto out;
		}
	}
	t->unique_ids = false;
	for (i = 0; i < nr; i++) {
		raw.nr = 0;
		raw.base_propagation = 0;
		if (parse(t, &ns[i], &texts[i].first, &raw, e) ||
		    find_root(t, &ns[i], &texts[i], &raw, e) ||
		    cap_add_missing(&texts[i].listed, &ns[i], t, &raw, e) ||
		    cap_build(t, &ns[i], &raw, false, by_dev, e))
			goto out;
	}
	ret = 0;
out:
	for (i = 0; texts && i < nr; i++) {
		mc_close(texts[i].fd);
		mc_buf_free(&texts[i].first);
		free(texts[i].listed.ids);
	}
	free(texts);
	free(raw.m);
	mc_buf_free(&again);
	mc_map_free(by_dev);
	return ret;
}
