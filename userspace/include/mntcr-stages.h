/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libmntcr: a restore in stages, for programs that make processes between them.
 *
 *	begin	reads and plans; says what it will need
 *	place	everything that can exist now, all mounts private
 *	give	something that is needed, by descriptor; at any time before share
 *	delayed	what has become possible by it, as often as there is news
 *	share	groups, types of namespace roots, locks: in this order
 *	end	hands back what mntcr_restore() does
 *
 * mntcr_restore() is these in a row.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef MNTCR_STAGES_H
#define MNTCR_STAGES_H

#include "mntcr-restore.h"

#ifdef __cplusplus
extern "C" {
#endif

enum mntcr_given_kind {
	/*
	 * Namespaces: a descriptor of the namespace's file.  If a file of it is mounted,
	 * too, that waits for the same.
	 */
	MNTCR_GIVEN_PID,	/* id: inode number at the dump; a proc shows it */
	MNTCR_GIVEN_NET,	/* id: as in the image ("shows"); a sysfs shows it */
	MNTCR_GIVEN_IPC,	/* the same, an mqueue */
	/* A mount of the superblock's root, attached or not; id: MNTCR_DEVICE() */
	MNTCR_GIVEN_SUPERBLOCK,
	/* What the mount's root is to be; id: of the mount in the image */
	MNTCR_GIVEN_MOUNT,
	/*
	 * A user namespace; id: inode number at the dump.  Waited for only if it is
	 * asked for: then all that is its waits, its mount namespaces whole.
	 */
	MNTCR_GIVEN_USER,
	/* Whose files are mounted; id: the same.  Else each mount of one is waited for. */
	MNTCR_GIVEN_UTS,
	MNTCR_GIVEN_TIME,
	MNTCR_GIVEN_CGROUP,
	MNTCR_NR_GIVEN_KINDS,
};

/* A superblock's id: its device in the image. */
#define MNTCR_DEVICE(major, minor)	((uint64_t)(major) << 32 | (uint32_t)(minor))

struct mntcr_given {
	enum mntcr_given_kind kind;
	uint64_t id;
};

struct mntcr_stages_options {
	size_t size;
	/*
	 * What will be given although a restore could make it.  Whatever it can't
	 * make is waited for unasked.
	 */
	const struct mntcr_given *give;
	size_t nr_give;
};

/* What some mounts wait for. */
struct mntcr_need {
	enum mntcr_given_kind kind;
	uint64_t id;
	const char *type;	/* of filesystem; the library's, as is name */
	const char *name;	/* of the first mount, for people */
	size_t nr_mounts;	/* that are of it; what is mounted on them waits as well */
	bool given;
	bool done;		/* and whatever waited for nothing else is in place */
};

/* A namespace that was made, and which one of the image it stands for. */
struct mntcr_made {
	const char *kind;	/* "pid", "user", "net", "ipc" */
	uint64_t id;		/* at the dump: inode number, of the last two the kernel's id */
	int fd;			/* the library's */
};

struct mntcr_stages;

/*
 * In place of MNTCR_REFUSED for what only a process can make, it is waited for.
 * What opts points to, and topo, have to last until mntcr_stages_end() or _free().
 * That takes the extended API: with the upstream calls nothing is waited for, and what
 * needs a process is refused as in mntcr_restore().  RLIMIT_NOFILE stays raised until
 * then, since each mount has a descriptor.
 */
int mntcr_stages_begin(const struct mntcr_topology *topo,
		       const struct mntcr_restore_options *opts,
		       const struct mntcr_stages_options *stages,
		       struct mntcr_stages **s, struct mntcr_error *e);
/*
 * mntcr_check_restore() of such a restore: what is waited for is not refused but listed,
 * with the mounts that wait for it and the stage after which it can be given.
 */
int mntcr_check_stages(const struct mntcr_topology *topo,
		       const struct mntcr_restore_options *opts,
		       const struct mntcr_stages_options *stages, bool json, FILE *out,
		       struct mntcr_error *e);
/*
 * Each of these fails with MNTCR_USAGE when it is not its turn, and undoes all that was
 * done when it fails for whatever reason; then only mntcr_stages_free() is left.
 */
int mntcr_stages_place(struct mntcr_stages *s, struct mntcr_error *e);
/* fd is duplicated. */
int mntcr_stages_give(struct mntcr_stages *s, const struct mntcr_given *what, int fd,
		      struct mntcr_error *e);
int mntcr_stages_delayed(struct mntcr_stages *s, struct mntcr_error *e);
int mntcr_stages_share(struct mntcr_stages *s, struct mntcr_error *e);
int mntcr_stages_end(struct mntcr_stages *s, struct mntcr_restored **restored,
		     struct mntcr_error *e);
/* At any stage; before the end all is undone. */
void mntcr_stages_free(struct mntcr_stages *s);

size_t mntcr_stages_nr_needs(const struct mntcr_stages *s);
void mntcr_stages_need(const struct mntcr_stages *s, size_t i, struct mntcr_need *need);
/* The topmost of the mounts that wait, which become younger than the image has them. */
size_t mntcr_stages_nr_delayed(const struct mntcr_stages *s);
void mntcr_stages_delayed_mount(const struct mntcr_stages *s, size_t i,
				struct mntcr_mount_id *mount);
/*
 * From place to end: the nth namespace; those that were made besides.  -1: none, or not
 * yet, since its owner has not been given; or it stands for a detached tree, which is
 * handed out at the end, by mntcr_restored_detached_fd().  What is made later comes behind
 * in the list.
 */
size_t mntcr_stages_nr_ns(const struct mntcr_stages *s);
int mntcr_stages_ns_fd(const struct mntcr_stages *s, size_t ns);
size_t mntcr_stages_nr_made(const struct mntcr_stages *s);
void mntcr_stages_made(const struct mntcr_stages *s, size_t i, struct mntcr_made *made);

#ifdef __cplusplus
}
#endif

#endif /* MNTCR_STAGES_H */
