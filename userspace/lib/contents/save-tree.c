// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Trees of a live filesystem into an archive, one directory after the other.  What is in
 * memory at a time: the names of the directories on the way.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <archive_entry.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "contents/save.h"

static void free_names(char **names, uint32_t nr)
{
	while (nr)
		free(names[--nr]);
	free(names);
}

static int cmp_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int read_names(struct mc_save *s, int fd, char ***names, uint32_t *nr)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	uint32_t max = 0;
	struct dirent *x;

	*names = NULL;
	*nr = 0;
	if (!d) {
		mc_save_sys(s, "opendir");
		mc_close(copy);
		return -1;
	}
	for (errno = 0; (x = readdir(d)); errno = 0) {
		if (!strcmp(x->d_name, ".") || !strcmp(x->d_name, ".."))
			continue;
		if (!mc_grow(names, *nr, &max, sizeof(**names)))
			goto nomem;
		(*names)[*nr] = strdup(x->d_name);
		if (!(*names)[*nr])
			goto nomem;
		++*nr;
	}
	if (errno) {
		mc_save_sys(s, "readdir");
		goto out;
	}
	closedir(d);
	if (*nr)
		qsort(*names, *nr, sizeof(**names), cmp_name);
	return 0;
nomem:
	mc_nomem(s->e);
out:
	closedir(d);
	free_names(*names, *nr);
	return -1;
}

/* Takes fd. */
static int push(struct mc_save *s, int fd)
{
	struct level l = { .fd = fd, .len = s->path.len };
	struct statx x;

	if (s->elsewhere) {
		if (mc_look(fd, STATX_MNT_ID, &x)) {
			mc_save_sys(s, "statx");
			mc_close(fd);
			return -1;
		}
		l.mnt_id = x.stx_mnt_id;
	}
	if (s->nr_levels == MC_MAX_DIR_DEPTH - 1) {
		mc_close(fd);
		return mc_save_refuse(s, "too-deep", "it is in too many directories");
	}
	if (read_names(s, fd, &l.names, &l.nr)) {
		mc_close(fd);
		return -1;
	}
	if (!mc_grow(&s->levels, s->nr_levels, &s->max_levels, sizeof(*s->levels))) {
		mc_close(fd);
		free_names(l.names, l.nr);
		return mc_nomem(s->e);
	}
	s->levels[s->nr_levels++] = l;
	return 0;
}

static void pop(struct mc_save *s)
{
	struct level *l = &s->levels[--s->nr_levels];

	free_names(l->names, l->nr);
	mc_close(l->fd);
}

static void cut(struct mc_save *s, size_t len)
{
	s->path.len = len;
	s->path.data[len] = '\0';
}

/* Of an overlay, whose files are in its layers. */
static bool only_names(const struct mc_save *s)
{
	return mc_type_of_layers(s->sb->type);
}

/* What is no name any more is none of what has been unlinked. */
static int not_seen(struct mc_save *s, const char *name, const char *what)
{
	if (only_names(s) && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
		return 0;
	return mc_save_by_name(s, name, what);
}

static int visit(struct mc_save *s, int dir, const char *name)
{
	struct archive_entry *entry;
	struct stat st, now;
	int fd = -1, ret = -1;

	if (s->path.len > MC_MAX_MEMBER_NAME - 1)
		return mc_save_refuse(s, "too-deep", "its path is too long");
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return not_seen(s, name, "stat");
	if (only_names(s) && !S_ISDIR(st.st_mode))
		return mc_save_note_name(s, dir, name, &st);
	if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)) {
		fd = openat(dir, *name ? name : ".", O_RDONLY | O_NOFOLLOW |
			    O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
		if (fd < 0)
			return not_seen(s, name, "opening it");
		if (fstat(fd, &now)) {
			mc_save_sys(s, "stat");
			mc_close(fd);
			return -1;
		}
		/* an overlay numbers its directories anew when it forgets them */
		if (!only_names(s) && now.st_ino != st.st_ino) {
			mc_close(fd);
			return mc_save_changed(s);
		}
	}
	if (only_names(s))
		return push(s, fd);
	entry = archive_entry_new();
	if (entry)
		ret = mc_save_one(s, entry, dir, *name ? name : ".", fd, &st);
	else
		mc_nomem(s->e);
	archive_entry_free(entry);
	if (!ret && S_ISDIR(st.st_mode))
		return push(s, fd);
	mc_close(fd);
	return ret;
}

/* A root that is no directory: its clone cannot be opened to read, only reopened. */
static int visit_file(struct mc_save *s, int root)
{
	struct archive_entry *entry;
	char proc[40];
	struct stat st;
	int fd = -1, ret = -1;

	if (fstat(root, &st))
		return mc_save_sys(s, "stat");
	if (only_names(s))
		return mc_save_note_name(s, root, "", &st);
	if (!S_ISREG(st.st_mode))
		return mc_save_refuse(s, "root-of-no-file",
				      "what is mounted of it is neither directory nor regular file");
	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", root);
	fd = open(proc, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	entry = fd < 0 ? NULL : archive_entry_new();
	if (fd < 0)
		mc_save_sys(s, "opening it");
	else if (!entry)
		mc_nomem(s->e);
	else
		ret = mc_save_one(s, entry, -1, "", fd, &st);
	archive_entry_free(entry);
	mc_close(fd);
	return ret;
}

static int visit_root(struct mc_save *s, int root)
{
	struct stat st;

	if (fstat(root, &st))
		return mc_save_sys(s, "stat");
	return S_ISDIR(st.st_mode) ? visit(s, root, "") : visit_file(s, root);
}

/*
 * What a mount is on that nobody can take away: no mount shows it, and so it only has
 * to be there, of the kind that can be mounted on, and like the directory it is in.
 */
static int nobody_sees(struct mc_save *s, int in, bool dir)
{
	struct archive_entry *entry;
	struct stat st;
	int ret;

	if (only_names(s))
		return 0;
	if (fstat(in, &st))
		return mc_save_sys(s, "stat");
	if (mc_save_check_owner(s, &st))
		return -1;
	entry = archive_entry_new();
	if (!entry)
		return mc_nomem(s->e);
	st.st_mode = dir ? S_IFDIR | 0755 : S_IFREG | 0644;
	st.st_nlink = 1;
	st.st_size = 0;
	mc_save_set_stat(s, entry, &st);
	ret = mc_save_header(s, entry);
	archive_entry_free(entry);
	return ret;
}

/* One in a directory, unless it is covered. */
static int visit_next(struct mc_save *s, int dir, uint64_t mnt_id, const char *name)
{
	struct statx st;
	bool root;
	int fd, ret;

	if (mc_scratch_at(s->sb, s->path.data + s->prefix + 1) == MC_SCRATCH_BELOW)
		return 0;
	if (!s->elsewhere)
		return visit(s, dir, name);
	if (statx(dir, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT,
		  STATX_TYPE | STATX_MNT_ID, &st))
		return mc_save_by_name(s, name, "stat");
	if (st.stx_mnt_id == mnt_id)
		return visit(s, dir, name);
	ret = s->elsewhere->open(s->elsewhere->data, s->path.data + s->prefix, &fd, &root,
				 s->e);
	if (ret || fd < 0)
		return ret ? ret : nobody_sees(s, dir, S_ISDIR(st.stx_mode));
	ret = root ? visit_root(s, fd) : visit(s, fd, name);
	mc_close(fd);
	return ret;
}

int mc_save_tree(struct mc_save *s, const struct mc_sb *sb, int root, const char *path,
		 const struct mc_elsewhere *elsewhere, struct mntcr_error *e)
{
	struct level *l;
	int ret;

	if (mc_save_turn_to(s, sb, e))
		return -1;
	s->elsewhere = elsewhere;
	mc_buf_printf(&s->path, "%s%u:%u", MC_CONTENTS_PREFIX, sb->major, sb->minor);
	s->prefix = s->path.len;
	mc_buf_printf(&s->path, "%s", strcmp(path, "/") ? path : "");
	if (s->path.nomem)
		return mc_nomem(e);
	ret = visit_root(s, root);
	while (!ret && s->nr_levels) {
		l = &s->levels[s->nr_levels - 1];
		cut(s, l->len);
		if (l->next == l->nr) {
			pop(s);
			continue;
		}
		mc_buf_printf(&s->path, "/%s", l->names[l->next]);
		if (s->path.nomem)
			ret = mc_nomem(e);
		else
			ret = visit_next(s, l->fd, l->mnt_id, l->names[l->next++]);
	}
	while (s->nr_levels)
		pop(s);
	return ret;
}
