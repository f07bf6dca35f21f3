/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the parts that save a live filesystem's files share.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef MC_CONTENTS_SAVE_H
#define MC_CONTENTS_SAVE_H

#include <sys/stat.h>

#include "contents/contents.h"

struct archive;
struct archive_entry;

/*
 * Zeroes to say a hole with, as many as libarchive takes at once; it steps over them.  Where
 * there is no room for that, not less than the latter.
 */
#define MC_ZEROES	INT_MAX
#define MC_MIN_ZEROES	(MC_ZEROES >> 7)

/* What an owner without a mapping is shown as, see user_namespaces(7). */
#define MC_OVERFLOW_ID	65534

struct mc_save {
	FILE *out;
	bool broken;
	struct archive *a;
	struct mntcr_error *e;
	const struct mc_sb *sb;
	const struct mc_elsewhere *elsewhere;
	size_t prefix;		/* of path, before that in the superblock */
	struct mc_buf path;	/* of the member at hand */
	struct level {		/* a directory on the way to it */
		int fd;
		uint64_t mnt_id;	/* only where something may be covered */
		char **names;
		uint32_t nr, next;
		size_t len;		/* of the path up to here */
	} *levels;
	uint32_t nr_levels, max_levels;
	uint32_t nr_members;
	uint64_t nr_bytes;	/* of data, without holes */
	/* by inode: what has several links, under its first name */
	struct mc_map *by_ino;
	struct mc_map *expected;	/* inodes of unlinked roots, also with one link */
	char **links;
	uint32_t nr_links, max_links;
	struct piece {		/* of a file: where there is no hole */
		int64_t at, len;
	} *pieces;
	uint32_t nr_pieces, max_pieces;
	char *xlist, *xvalue;
	size_t header;		/* bytes of it that are not its data, so far */
	uint64_t nr_holes;	/* bytes of all files so far */
	const char *zeroes;
	size_t nr_zeroes;
	int watch;		/* of inotify(7), and which files it knows */
	struct mc_map *watched;
	bool overflow_uid, overflow_gid;	/* is an id of its own here */
};

/* --- save.c: all return -1, and s->e is set ------------------------------------- */

/* By errno. */
int mc_save_sys(struct mc_save *s, const char *what);
int mc_save_changed(struct mc_save *s);
/* Of a name that was there a moment ago, and no link where none may be; NULL: of none. */
int mc_save_by_name(struct mc_save *s, const char *name, const char *what);
int mc_save_refuse(struct mc_save *s, const char *rule, const char *what);
/* 0 if libarchive's ret is. */
int mc_save_failed(struct mc_save *s, int ret);

/* Of the member at hand; 0 or -1. */
int mc_save_header(struct mc_save *s, struct archive_entry *entry);
int mc_save_data(struct mc_save *s, const void *buf, size_t n);
/* Whatever superblock there was before, its links are none of this one's. */
int mc_save_turn_to(struct mc_save *s, const struct mc_sb *sb, struct mntcr_error *e);

/* --- save-one.c ------------------------------------------------------------------- */

int mc_save_check_owner(struct mc_save *s, const struct stat *st);
void mc_save_set_stat(const struct mc_save *s, struct archive_entry *entry,
		      const struct stat *st);
/* Of by_ino and expected. */
uint64_t mc_save_key(const struct stat *st);
/* What the member at hand is called, the next of links. */
int mc_save_add_link(struct mc_save *s);
/* 1: it has been said under another name. */
int mc_save_known_link(struct mc_save *s, const struct stat *st,
		       struct archive_entry *entry);
/* A socket is a file with a mark: there is no type for it in the format. */
void mc_save_set_socket(struct archive_entry *entry);
/* fd: of a regular file or a directory, to read from; else -1.  name NULL: dir is it. */
int mc_save_one(struct mc_save *s, struct archive_entry *entry, int dir,
		const char *name, int fd, const struct stat *st);

/* --- save-names.c ----------------------------------------------------------------- */

/* Of an unlinked one in an overlay: its number becomes one that only that file has. */
int mc_save_tell_apart(struct mc_save *s, int root, struct stat *st);

/* Of a file that stays where it is: is that a name of what has been unlinked as well? */
int mc_save_note_name(struct mc_save *s, int dir, const char *name, const struct stat *st);

#endif /* MC_CONTENTS_SAVE_H */
