// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Unlinked roots of mounts into an archive: what could be made again, and how another name
 * of theirs is found.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <archive_entry.h>
#include <endian.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>

#include "contents/save.h"

int mc_save_expect(struct mc_save *s, const struct mc_sb *sb, uint64_t ino,
		   struct mntcr_error *e)
{
	uint32_t unused = 0;

	return mc_save_turn_to(s, sb, e) || mc_map_add(s->expected, ino, &unused) < 0 ?
	       mc_nomem(e) : 0;
}

/* What is made again could not be unlinked again. */
static int check_flags(struct mc_save *s, int fd)
{
	int flags = 0;

	if (fd < 0 || ioctl(fd, FS_IOC_GETFLAGS, &flags) ||
	    !(flags & (FS_IMMUTABLE_FL | FS_APPEND_FL)))
		return 0;
	return mc_save_refuse(s, "deleted-root",
			      "it has been unlinked and is immutable or only to be appended to: nobody could unlink it again");
}

/* 1: by that the other name it has is found, and what is in it. */
static int add_handle(struct mc_save *s, struct archive_entry *entry, int root,
		      const struct stat *st)
{
	union {
		struct file_handle h;
		char room[sizeof(struct file_handle) + MC_MAX_HANDLE];
	} u = { .h.handle_bytes = MC_MAX_HANDLE };
	unsigned char value[4 + MC_MAX_HANDLE];
	uint32_t type;
	int unused;

	if (S_ISDIR(st->st_mode) || !st->st_nlink || !mc_type_on_device(s->sb->type))
		return 0;
	if (name_to_handle_at(root, "", &u.h, &unused, AT_EMPTY_PATH))
		return mc_save_sys(s, "its file handle, by which its other name is found");
	type = htole32((uint32_t)u.h.handle_type);
	memcpy(value, &type, 4);
	memcpy(value + 4, u.h.f_handle, u.h.handle_bytes);
	archive_entry_xattr_add_entry(entry, MC_CONTENTS_HANDLE, value,
				      4 + u.h.handle_bytes);
	return 1;
}

/* What has another name: like a file without data, and no more is needed of it. */
static int by_handle(struct mc_save *s, struct archive_entry *entry,
		     const struct stat *st)
{
	int ret;

	mc_save_set_stat(s, entry, st);
	archive_entry_set_size(entry, 0);
	ret = mc_save_known_link(s, st, entry);
	if (ret)
		return ret < 0 ? -1 : 0;
	if (S_ISSOCK(st->st_mode))
		mc_save_set_socket(entry);
	if (S_ISLNK(st->st_mode))
		archive_entry_set_symlink(entry, ".");
	return mc_save_header(s, entry);
}

int mc_save_unlinked(struct mc_save *s, const struct mc_sb *sb, int root, uint32_t nr,
		     struct mntcr_error *e)
{
	struct archive_entry *entry;
	char proc[40];
	struct stat st;
	int fd = -1, ret = -1;

	if (mc_save_turn_to(s, sb, e))
		return -1;
	mc_buf_printf(&s->path, "%s%u:%u/%u", MC_UNLINKED_PREFIX, sb->major, sb->minor,
		      nr);
	if (s->path.nomem)
		return mc_nomem(e);
	if (fstat(root, &st))
		return mc_save_sys(s, "stat");
	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", root);
	if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)) {
		fd = open(proc, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
		if (fd < 0)
			return mc_save_sys(s, "opening it");
	}
	entry = archive_entry_new();
	if (!entry)
		mc_nomem(e);
	else if (!check_flags(s, fd) &&
		 (!mc_type_of_layers(sb->type) || S_ISDIR(st.st_mode) ||
		  !mc_save_tell_apart(s, root, &st)))
		ret = add_handle(s, entry, root, &st);
	if (ret == 1)
		ret = by_handle(s, entry, &st);
	else if (entry && !ret)
		ret = mc_save_one(s, entry, root, NULL, fd, &st);
	archive_entry_free(entry);
	mc_close(fd);
	return ret;
}
