/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Contents: the files of filesystems in memory, into a pax archive and back.
 *
 * An image with contents is such an archive.  Its first member is the image's
 * JSON; then come the files of one superblock after the other, each directory
 * before what is in it, names in the order of their bytes.  doc/image.md has the
 * names of members.
 *
 * An archive is not trusted: a member is made in the directory that was opened
 * for the one before it, by a name of one component, and what a hard link names is
 * looked up without leaving the filesystem or following a link.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef MC_CONTENTS_H
#define MC_CONTENTS_H

#include "base/base.h"
#include "topology/topology.h"

#define MC_CONTENTS_JSON	"mntcr-image.json"
/* The last member, empty: without it, the archive has been cut off. */
#define MC_CONTENTS_END		"mntcr-image.end"
#define MC_CONTENTS_PREFIX	"contents/"
#define MC_UNLINKED_PREFIX	"unlinked/"
/* A socket is an empty file with this attribute: pax has no type for it. */
#define MC_CONTENTS_SOCKET	"mntcr.socket"

/*
 * An unlinked root on a device that has another name there: by this attribute, its file
 * handle after the type of that (32 bits, least byte first), and without data.
 */
#define MC_CONTENTS_HANDLE	"mntcr.handle"
#define MC_MAX_HANDLE		128

#define MC_MAX_DIR_DEPTH	1000	/* a descriptor for each */
#define MC_MAX_MEMBERS		(1U << 24)
#define MC_MAX_MEMBER_NAME	(1U << 16)
/* Readers of the format take no more of what is said of a member beside its data. */
#define MC_MAX_HEADER	(1U << 20)
/* Of holes in all of an image: a second's time of saying them, and more than any disk has. */
#define MC_MAX_HOLES	(1ULL << 56)
#define MC_MAX_SIZE	(2 * MC_MAX_HOLES)	/* of a file, with what is between them */

struct archive;
struct archive_entry;

/* --- attr.c: attributes that the kernel parses ------------------------------------ */

/* NULL: one that a file of that type may have, as far as its name and value say. */
const char *mc_attr_fault(const char *name, const void *value, size_t size, mode_t type);
/* May its value have ids? */
bool mc_attr_has_ids(const char *name);
void mc_attr_shift(const char *name, void *value, size_t size, const struct mc_shifts *s);

/* --- shift.c ------------------------------------------------------------------ */

/* Owner, ACLs and what file capabilities count from; -1: no memory. */
int mc_entry_shift(struct archive_entry *entry, const struct mc_shifts *s);

/* --- member.c --------------------------------------------------------------- */

/*
 * An archive in a file, from an offset on; the descriptor stays the caller's.  With
 * shifts, which may be NULL, ids come out as others.
 */
struct mc_members {
	int fd;
	const struct mc_shifts *shifts;
	uint64_t at;
	struct archive *a;
	int err;		/* of reading the file; 0: the archive is at fault */
	char last[400];		/* what the last one is called, for errors of the next */
	size_t n;		/* in buf, up to at */
	char buf[65536];
};
int mc_members_open(struct mc_members *m, int fd, uint64_t from,
		    const struct mc_shifts *shifts, struct mntcr_error *e);
/* 1: there is one, 0: that was all. */
int mc_members_next(struct mc_members *m, struct archive_entry **entry,
		    struct mntcr_error *e);
void mc_members_close(struct mc_members *m);
/* An error of the member, which without a name of its own lies behind another one. */
int mc_members_bad(const struct mc_members *m, const char *name, const char *why,
		   struct mntcr_error *e);

/*
 * Which superblock, and where in it: "" is its root. *path points into name, whose
 * "/" at the end is cut off.  false: no such name.
 */
bool mc_member_name(char *name, uint32_t *major, uint32_t *minor, char **path);

/* The same of an unlinked root: which superblock, and which of them. */
bool mc_member_unlinked(const char *name, uint32_t *major, uint32_t *minor,
			uint32_t *nr);

/* In a map: of a superblock, by its index. */
static inline uint64_t mc_unlinked_key(uint32_t sb, uint32_t nr)
{
	return (uint64_t)sb << 32 | nr;
}

/* The order of paths in an archive: what is in a directory comes right after it. */
int mc_member_cmp(const char *x, const char *y);
/* y is x or below it; "" is the root. */
bool mc_member_is_at(const char *x, const char *y);
/* How many bytes of a path are its directory's; 0: the root. */
size_t mc_member_dir(const char *path);

/* --- pax.c ------------------------------------------------------------------------ */

/* What is said of the member whose header is at that byte: *fault is NULL if that is right; -1: no memory. */
int mc_pax_fault(const struct mc_members *m, uint64_t at, const char **fault);

/* --- rules.c: what members of one superblock may be like ----------------------- */

struct mc_rules {
	const struct mc_sb *sb;
	struct mntcr_error *e;
	const char *name;	/* path of the member at hand, for errors */
	/* the member before it */
	char *last;
	bool any, last_is_dir;
	size_t bottom;		/* bytes of the topmost directory that is open */
	uint32_t unlinked;	/* which one is at hand, after all others; 0: none yet */
};
enum mc_no_link {
	MC_LINK_NOWHERE, MC_LINK_MISSING, MC_LINK_DIRECTORY,
};

int mc_rules_start(struct mc_rules *r, const struct mc_sb *sb, struct mntcr_error *e);
void mc_rules_end(struct mc_rules *r);
/* Errors that name the member; -1. */
int mc_rules_fail(const struct mc_rules *r, enum mntcr_code code, int err,
		  const char *what);
int mc_rules_bad(const struct mc_rules *r, const char *what);
/* The same of an extended attribute of it. */
int mc_rules_attr(const struct mc_rules *r, enum mntcr_code code, int err,
		  const char *key, const char *what);
/*
 * The next member of the superblock: 1; 0: that was all.  path points into name,
 * which is to be freed; it is no path if r->unlinked is set.
 */
int mc_rules_next(struct mc_rules *r, struct mc_members *m,
		  struct archive_entry **entry, char **name, char **path);
/* Everything but what a link is to, and data. */
int mc_rules_member(struct mc_rules *r, const char *path, struct archive_entry *entry);
/* Of an unlinked one; which one it is, is in r. */
int mc_rules_unlinked(struct mc_rules *r, struct archive_entry *entry);
/*
 * path points into target, which is what the hard link says it is to; or unlinked is
 * set.
 */
int mc_rules_link(struct mc_rules *r, char *target, char **path, uint32_t *unlinked);
int mc_rules_no_link(struct mc_rules *r, enum mc_no_link why);
int mc_rules_missing(const struct mc_rules *r);
int mc_rules_no_way(const struct mc_rules *r, const char *what);
#define MC_WAY_NO_DIRECTORY	"what it was in is no directory any more"
#define MC_WAY_ELSEWHERE	"what it was in is another subvolume, into which nothing can be moved"
/* What had another name has none by now, or it may not be looked for. */
int mc_rules_no_name(const struct mc_rules *r, const char *what);
#define MC_NO_NAME_LEFT		"and has none any more"
#define MC_NO_NAME_THERE	"and is not there any more"
#define MC_NAME_OF_ANOTHER	"and another file is there by now"
#define MC_FOUND_IN_LAYERS	"and is found only where it is made anew of its layers"
#define MC_FOUND_ON_DEVICE	"and is found only where a device stands for its superblock, or the root of a mount of all of it, whose UUID is the image's"
/* All its data, piece by piece; block may be NULL. */
int mc_rules_data(struct mc_rules *r, struct archive *a, struct archive_entry *entry,
		  int (*block)(void *data, const char *p, size_t n, int64_t at),
		  void *data);
bool mc_rules_is_socket(struct archive_entry *entry);
/* Its handle, and the type of that; the bytes are the entry's. */
bool mc_rules_handle(struct archive_entry *entry, int *type, const void **handle,
		     size_t *size);

/* --- open.c: an image's archive --------------------------------------------- */

struct mntcr_contents {
	int fd;			/* ours */
	struct part {
		uint32_t major, minor;
		uint64_t from;	/* of its first member */
		char **tops;	/* members that are below no other: paths, "" is the root */
		uint32_t nr_tops, max_tops;
		uint32_t *unlinked, nr_unlinked, max_unlinked;
	} *parts;
	uint32_t nr_parts, max_parts;
	struct mc_map *by_dev;
};

/* Do these first bytes of a file, 512 of them, belong to an archive? */
bool mc_contents_is_archive(const char *buf, size_t len);
/*
 * Of an image's archive: the JSON, appended to json, and where each superblock
 * begins.  fd is taken, unless it fails.
 */
int mc_contents_open(int fd, size_t max_json, struct mc_buf *json,
		     struct mntcr_contents **c, struct mntcr_error *e);
/*
 * The superblocks that the image says have contents are those that do, and each member
 * is of what some mount shows.
 */
int mc_contents_check(const struct mntcr_contents *c, const struct mc_topology *t,
		      struct mntcr_error *e);
bool mc_contents_has(const struct mntcr_contents *c, const struct mc_sb *sb);

/* --- places.c ---------------------------------------------------------------- */

/* What mounts show and are on is a directory there, and in directories, or not, as they say. */
int mc_contents_check_places(const struct mntcr_contents *c, const struct mc_topology *t,
			     struct mntcr_error *e);

/* --- flags.c ----------------------------------------------------------------- */

struct mc_flagged {
	char *path;		/* below the root */
	unsigned long flags;
};

struct mc_flags {
	struct mc_flagged *list;
	uint32_t nr, max;
};

/* Are there any among them that have to be the last that is done? */
bool mc_flags_wait(unsigned long flags);
bool mc_flags_add(struct mc_flags *l, const char *path, unsigned long flags);
/* -1: errno, of *path */
int mc_flags_set(const struct mc_flags *l, int root, const char **path);
void mc_flags_free(struct mc_flags *l);

/* --- fill.c ------------------------------------------------------------------ */

/* An unlinked root, and what has been made of it. */
struct mc_put {
	uint32_t nr;
	const char *path;	/* that it had, below the root */
	mode_t type;		/* that it has; 0: not known */
	bool made;
	bool ours;		/* told: it is a file that was not there before */
	uint64_t dev, ino;	/* ino 0: a directory, which may get another one */
};
static inline bool mc_put_is(const struct mc_put *put, const struct stat *st)
{
	return st->st_dev == put->dev &&
	       (put->ino ? st->st_ino == put->ino : S_ISDIR(st->st_mode));
}
#define MC_PUT_NAME	12	/* room for its name while it has no other: its number */
void mc_put_name(const struct mc_put *put, char *name);

/*
 * All of the superblock's files into root, the root of an empty filesystem; what has
 * been unlinked into aside, a directory of the same one, by its number.  put is sorted
 * by that.  Of a device or an overlay, where others have files, there are only the latter, and nobody
 * else gets into aside; whole: root is all of it, so that a handle may lead anywhere in
 * there.  later: flags that are left to who calls, once nothing is changed any more.
 */
int mc_contents_fill(const struct mntcr_contents *c, const struct mc_sb *sb,
		     int root, int aside, bool whole, struct mc_put *put,
		     uint32_t nr_put, struct mc_flags *later, struct mntcr_error *e);
/* The directory of path's first len bytes below root, through no link; -1: errno. */
int mc_contents_dir(int root, const char *path, size_t len);
/* That, or the lowest one above that is there: len becomes the bytes of its path. */
int mc_contents_way(int root, const char *path, size_t *len);
/* An unlinked root can get its path back, below root: where it is made, on dev. */
int mc_contents_check_way(const struct mc_rules *r, int root, const char *path, dev_t dev);
/* What the handle means there: that file, with a name; -1. */
int mc_contents_by_handle(const struct mc_rules *r, int root, int type, const void *handle,
			  size_t size, struct archive_entry *entry);

/* --- try.c ------------------------------------------------------------------- */

/* May be NULL: all is read, and it ends with what is refused first. */
struct mc_trying {
	int root;		/* -1, or where unlinked ones will be made: that is looked at */
	bool no_data;		/* of files */
	/* for each that is refused, and what comes after it is looked at */
	void (*refused)(void *data, const struct mntcr_error *why);
	void *data;
};

/* The same without making any: with what would mc_contents_fill() fail? */
int mc_contents_try(const struct mntcr_contents *c, const struct mc_sb *sb, bool whole,
		    const struct mc_put *put, uint32_t nr_put,
		    const struct mc_trying *how, struct mntcr_error *e);

/* --- list.c ------------------------------------------------------------------- */

/* Of a member; those that a mark of overlayfs tells, shifted by MC_LISTED_USER: of "user.". */
#define MC_LISTED		0x01U
#define MC_LISTED_DIR		0x02U
#define MC_LISTED_WHITEOUT	0x04U	/* a device of no number */
#define MC_LISTED_OPAQUE	0x08U
#define MC_LISTED_REDIRECT	0x10U
#define MC_LISTED_PERHAPS	0x20U	/* a whiteout, if its directory says so */
#define MC_LISTED_USER		3

struct mc_listing;

/* All names of a superblock; what is wrong with a member is not all looked for. */
int mc_listing_read(const struct mntcr_contents *c, const struct mc_sb *sb,
		    struct mc_listing **listing, struct mntcr_error *e);
/* path: below its root, or "".  0: it is not there. */
uint32_t mc_listing_at(const struct mc_listing *l, const char *path);
void mc_listing_free(struct mc_listing *l);

/* --- compare.c ---------------------------------------------------------------- */

/* Calls differ() with each difference. */
int mc_contents_compare(const struct mntcr_contents *a, const struct mc_sb *x,
			const struct mntcr_contents *b, const struct mc_sb *y,
			void (*differ)(void *data, const char *line), void *data,
			struct mntcr_error *e);

/* --- source.c ----------------------------------------------------------------- */

/*
 * A detached mount of the live one, read-only; -1.  It has no children, but where locked
 * ones do not let it go without them.
 */
int mc_contents_clone(const struct mc_topology *t, uint32_t mount, int ns_fd,
		      struct mntcr_error *e);

/* --- save.c, save-names.c, save-tree.c, save-unlinked.c -------------------------- */

struct mc_save;
/* Begins with the JSON.  out is written to; it stays the caller's. */
int mc_save_new(struct mc_save **s, FILE *out, const char *json, size_t len,
		struct mntcr_error *e);
/*
 * Where a mount covers what is to be saved at path of the superblock, open() gives the
 * directory that it is in where nothing does, or itself, if it is the root of a mount;
 * -1 if it is covered wherever it would be.
 */
struct mc_elsewhere {
	int (*open)(void *data, const char *path, int *fd, bool *root,
		    struct mntcr_error *e);
	void *data;
};

/*
 * Everything at and below root, which is at path of the superblock; hard links
 * between what is saved of one superblock stay.  Of an overlay, only names of what has
 * been unlinked, too, are looked for.  elsewhere: NULL where root has
 * nothing mounted below it.
 */
int mc_save_tree(struct mc_save *s, const struct mc_sb *sb, int root, const char *path,
		 const struct mc_elsewhere *elsewhere, struct mntcr_error *e);
/*
 * Before anything of a superblock is saved: one of its unlinked roots, of which a
 * name may still be there.
 */
int mc_save_expect(struct mc_save *s, const struct mc_sb *sb, uint64_t ino,
		   struct mntcr_error *e);
/*
 * The same of an overlay, where that may be: numbers are those of files in layers, and two
 * links to one in a lower layer are two files.
 */
int mc_save_watch(struct mc_save *s, const struct mc_sb *sb, int root,
		  struct mntcr_error *e);
/* After all trees of the superblock: its nr-th unlinked root. */
int mc_save_unlinked(struct mc_save *s, const struct mc_sb *sb, int root, uint32_t nr,
		     struct mntcr_error *e);
/* Of all trees so far: files, directories too, and the bytes of data in them. */
void mc_save_count(const struct mc_save *s, uint64_t *nr_files, uint64_t *nr_bytes);
/* The archive's end, and s is gone; failed: only the latter. */
int mc_save_end(struct mc_save *s, bool failed, struct mntcr_error *e);

#endif /* MC_CONTENTS_H */
