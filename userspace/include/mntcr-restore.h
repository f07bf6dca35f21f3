/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libmntcr: plan and restore.  Included by mntcr.h's users that restore.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef MNTCR_RESTORE_H
#define MNTCR_RESTORE_H

#include "mntcr.h"

#ifdef __cplusplus
extern "C" {
#endif

enum mntcr_api {
	MNTCR_API_AUTO,
	MNTCR_API_EXTENDED,	/* foreign clone and attach, mount_setgroup(2) */
	MNTCR_API_UPSTREAM,	/* stock kernels: setns(2), MOVE_MOUNT_SET_GROUP */
};

/*
 * For superblocks: path is a directory (or file) that stands for the superblock's
 * root, and key names the superblock in the image:
 *	MAJOR:MINOR	its device
 *	source:TEXT	the source that a mount of it shows
 *	path:/P		the mount that /P leads to in the image's first namespace;
 *			path:N:/P in its nth, counted from 0
 * Anything else is a source if one is that, and then, beginning with "/", a path.
 * TYPE:[INODE], the root of a mount of a namespace's file, as "uts:[4026532177]": path
 * is such a file, and stands for that one in all mounts.
 * KEY:/ROOT, where all of it names nothing: path stands for ROOT in the superblock KEY,
 * for what is at or below it; of several the longest root that contains a mount's.
 *
 * For masters: path is a shared mount of the caller's namespace, and key the id
 * of the peer group in the image, or path:/P, path:N:/P or /P for the one that the
 * mount there receives from.
 */
struct mntcr_external {
	const char *key;
	const char *path;
	uint64_t reserved[2];	/* 0 */
};

/* A mount of the image: by the place of its namespace in it, and its id. */
struct mntcr_mount_id {
	size_t ns;
	uint64_t id;
};

/*
 * What keeps an image from being restored.  Texts are one line, control bytes
 * escaped; all of it is the library's and gone when the call returns.
 */
struct mntcr_refusal {
	const char *rule;	/* its name: mntcr-restore(1) */
	const char *text;	/* what is the case; names the first few mounts */
	const char *help;	/* what would help; "": nothing is known to */
	const struct mntcr_mount_id *mounts;	/* all that it concerns */
	size_t nr_mounts;	/* 0: it concerns no one in particular */
};

struct mntcr_call_count {
	const char *name;
	uint64_t nr;
};

/* What a restore did; all times in nanoseconds. */
struct mntcr_stats {
	uint64_t plan_ns, namespaces_ns, sources_ns, mounts_ns, groups_ns, rest_ns;
	uint32_t nr_mounts, nr_namespaces, nr_groups, nr_ops;
	uint64_t nr_calls;		/* system calls of the execute stage */
	struct mntcr_call_count calls[32];
	uint32_t nr_call_names;
};

struct mntcr_restore_options {
	size_t size;
	enum mntcr_api api;
	/* Live namespaces to take superblocks from, matched by namespace id. */
	const struct mntcr_source *sources;
	size_t nr_sources;
	const struct mntcr_external *externals, *masters;
	size_t nr_externals, nr_masters;
	/*
	 * mntcr_plan_print() only: plan as if each namespace of the image still
	 * existed and were in sources
	 */
	bool assume_sources;
	/*
	 * make a new superblock even where the original one still exists and
	 * could be used
	 */
	bool prefer_fresh;
	/*
	 * Fresh proc, sysfs and mqueue as well: they show the pid, network and
	 * ipc namespace of the caller, not those that were dumped, nor new ones.
	 */
	bool caller_namespaces;
	bool keep_fds;		/* hand back a descriptor of every mount */
	bool ignore_locks;	/* the upstream calls cannot set locks */
	/* how many descriptors are closed at a time; 0: 256 */
	uint32_t batch;
	/*
	 * Descriptors that may be open at once.  0: as many as are needed, for
	 * which RLIMIT_NOFILE, that of the whole process, is raised for the time
	 * of the call if it can be.
	 */
	uint32_t fd_limit;
	/*
	 * NULL: namespaces live by descriptor only.  What carries the pins is
	 * mounted there before anything is restored, or it would propagate to
	 * what is.
	 */
	const char *pin_dir;
	bool pin_later;		/* by mntcr_restored_pin() */
	/*
	 * Called once, when the namespaces exist and are still empty, in the
	 * thread that makes the mounts, perhaps with all signals blocked.  The
	 * descriptors stay the library's.
	 */
	void (*namespaces_made)(void *data, const int *ns_fds, size_t nr);
	/*
	 * Called, before anything is made, with each difference from the image
	 * that is known by then.
	 */
	void (*difference)(void *data, const char *line);
	/* Called now and then with what is done and what there is to do. */
	void (*progress)(void *data, uint64_t done, uint64_t all);
	/* Asked often: true ends the restore as a failure, with EINTR. */
	bool (*cancelled)(void *data);
	/*
	 * Called for each refusal, not just the first, before the call fails
	 * with MNTCR_REFUSED; the error has the first and how many there are.
	 */
	void (*refused)(void *data, const struct mntcr_refusal *refusal);
	void *data;
	/*
	 * Of the image; fills the fresh superblocks that are made for it. NULL: they
	 * are empty.
	 */
	const struct mntcr_contents *contents;
	/*
	 * Absolute paths: the caller's own mounts at these places may be taken for
	 * what the image says its host had there, superblocks and peer groups, where
	 * they are of the same type.  externals and masters that name the same come
	 * first.
	 */
	const char *const *hosts;
	size_t nr_hosts;
	/*
	 * For an overlay, its device or a path of it in the first namespace: the
	 * directory that relative layers of it are found from, which an image does
	 * not say.  A key that names none fails with MNTCR_USAGE; a directory that
	 * lacks a layer, or has one that leads out of it, is refused (overlay-layer).
	 */
	const struct mntcr_external *layers;
	size_t nr_layers;
	/*
	 * Superblocks of filesystems on block devices: path is the device that has it
	 * here.  It is mounted as it was; where it is already, that one is taken as it is.
	 * key as of externals, without a root.
	 */
	const struct mntcr_external *devices;
	size_t nr_devices;
	/*
	 * mntcr_check_restore() only: words that come first among the options it lists,
	 * where the caller has been told what is not said here, or by other words.
	 */
	const char *const *repeat;
	size_t nr_repeat;
	/*
	 * Nobody will take detached trees (mntcr_restored_detached_fd()): an image that has
	 * one is refused.
	 */
	bool no_detached;
	/* What comes of it will be captured: refused is what cannot be. */
	bool will_capture;
};

struct mntcr_restored;

/* On failure nothing is left behind: no mount, no namespace, no pin. */
int mntcr_restore(const struct mntcr_topology *topo,
		  const struct mntcr_restore_options *opts,
		  struct mntcr_restored **restored, struct mntcr_error *e);
/* Descriptors stay this object's: duplicate what is to outlive it. */
void mntcr_restored_free(struct mntcr_restored *r);
/* Namespace file of the nth namespace of the image; -1: it stands for a detached tree. */
int mntcr_restored_ns_fd(const struct mntcr_restored *r, size_t ns);
/*
 * O_PATH descriptor of the root of that tree; or -1.  The tree is gone with the last
 * duplicate of it, unless it has been attached (move_mount(2)) somewhere.
 */
int mntcr_restored_detached_fd(const struct mntcr_restored *r, size_t ns);
size_t mntcr_restored_nr_ns(const struct mntcr_restored *r);
/* O_PATH descriptor of the image's mount, or -1; needs keep_fds. None of detached trees. */
int mntcr_restored_mount_fd(const struct mntcr_restored *r, size_t ns,
			    uint64_t id);
const struct mntcr_stats *mntcr_restored_stats(const struct mntcr_restored *r);
/* Which API was used in the end. */
enum mntcr_api mntcr_restored_api(const struct mntcr_restored *r);
/*
 * Bind all namespace files in dir, or none; may be called once. dir must be the
 * pin_dir that mntcr_restore() was given: a mount made elsewhere now may
 * propagate into the restored namespaces, and some kernels do not let every
 * namespace file be mounted everywhere.
 */
int mntcr_restored_pin(struct mntcr_restored *r, const char *dir,
		       struct mntcr_error *e);
/* Take the pins away again. */
void mntcr_restored_unpin(struct mntcr_restored *r);

/* The operations that a restore would do, without a system call on mounts. */
int mntcr_plan_print(const struct mntcr_topology *topo,
		     const struct mntcr_restore_options *opts, bool json,
		     FILE *out, struct mntcr_error *e);

/*
 * List what a restore on another machine will need of what was captured, and what it
 * cannot do: mntcr-dump(1), --check.  With contents, these are read, and written
 * nowhere; of its functions holds() is called, when all has been read.  MNTCR_REFUSED,
 * when all has been printed, if something cannot be dumped or restored, whatever is
 * given.
 */
int mntcr_check_dump(struct mntcr_topology *topo,
		     const struct mntcr_contents_options *contents, bool json,
		     FILE *out, struct mntcr_error *e);

/*
 * List what a restore with these options would fail of, here: mntcr-restore(1),
 * --check.  Changes nothing, and calls nothing back.  MNTCR_REFUSED, when all has been
 * printed, if there is something.
 */
int mntcr_check_restore(const struct mntcr_topology *topo,
			const struct mntcr_restore_options *opts, bool json,
			FILE *out, struct mntcr_error *e);

/*
 * The same list, of nothing but why: nr errors, MNTCR_REFUSED or MNTCR_USAGE, from before
 * there was anything to look at.  Fails with MNTCR_REFUSED, when it has been printed.
 */
int mntcr_check_refused(const struct mntcr_error *why, size_t nr, bool json, FILE *out,
			struct mntcr_error *e);

enum mntcr_propagation {
	MNTCR_PROPAGATION_PRIVATE,
	MNTCR_PROPAGATION_SLAVE,
	MNTCR_PROPAGATION_KEEP,		/* a peer of a shared source */
	MNTCR_PROPAGATION_UNBINDABLE,
	MNTCR_PROPAGATION_SHARED,	/* in a group of its own */
};

/* One side of a bind: a path in the namespace of pid, path or descriptor. */
struct mntcr_place {
	size_t size;
	struct mntcr_source ns;
	bool own_ns;			/* ignore ns: the caller's */
	uint64_t mnt_id;		/* the mount with this unique id, or 0 */
	const char *path;		/* below that mount, or from the root */
};

struct mntcr_bind_options {
	size_t size;
	enum mntcr_api api;
	bool recursive;
	uint64_t attr_set, attr_clr;	/* MOUNT_ATTR_* */
	enum mntcr_propagation propagation;
	bool unlocked;	/* leave it to the destination's owner, see mntcr-bind(1) */
};

int mntcr_bind(const struct mntcr_place *src, const struct mntcr_place *dst,
	       const struct mntcr_bind_options *opts, struct mntcr_error *e);

#ifdef __cplusplus
}
#endif

#endif /* MNTCR_RESTORE_H */
