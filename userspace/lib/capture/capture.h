/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Inside capture: sources, raw mounts, and what turns them into a topology.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef MC_CAPTURE_H
#define MC_CAPTURE_H

#include <limits.h>
#include <sys/types.h>
#include <sys/sysmacros.h>

#include "base/base.h"
#include "topology/topology.h"

/* Of a tree that is mounted nowhere, a copy, which is. */
struct mntcr_detached {
	struct mntcr_source source;
	char name[40];
	uint64_t root;		/* id of the tree's own root */
	uint64_t *ids;		/* of the copy's mounts, ascending */
	size_t nr;
	uint64_t carrier;	/* of what the copy is mounted on, if its root is no directory;
				   else 0 */
	struct mntcr_error *e;	/* while it is opened */
};

/*
 * Are the mounts of the copy, which is in the namespace ns, what is at the same places
 * of the tree, as far as paths lead there?  was: the ids that the tree had, ascending.
 */
int cap_is_copy_of(const struct mntcr_detached *d, int tree, int copy, int ns,
		   const uint64_t *was, size_t nr_was);

/* One distinct mount namespace. */
struct cap_ns {
	const struct mntcr_source *src;
	char label[256];
	int fd;			/* nsfs */
	uint64_t id, ino;	/* id 0: this kernel does not say */
	int no_id;		/* and with which errno */
	uint32_t userns;	/* index in the topology */
	bool own;		/* the caller is in it */
	bool by_id;		/* NS_MNT_OPEN opens mounts here */
	/* not counting the mount below the root that tasks see; -1: unknown */
	int64_t nr_mounts;
};

/* Opens, names and deduplicates; fills t->userns. */
int cap_open(const struct mntcr_source *sources, size_t nr,
	     struct cap_ns **list, size_t *nr_ns, struct mc_topology *t,
	     struct mntcr_error *e);
void cap_close(struct cap_ns *list, size_t nr);
/*
 * The unique ids of all mounts below base, ascending; *ids is malloc()ed, also if
 * that fails.  Sets errno only: what it means is the caller's.
 */
int cap_list(const struct cap_ns *ns, uint64_t base, uint64_t **ids, size_t *nr);
/* The same of a detached tree, below the mount that fd is of. */
int cap_list_tree(int fd, uint64_t **ids, size_t *nr);
/* Fill in nr_mounts anew. */
void cap_count(struct cap_ns *ns);

/*
 * /proc/PID/name, if that task is in the namespace: /proc may be of another pid
 * namespace, and the number may have been given to another task; -1 and errno.
 */
int cap_open_proc(const struct cap_ns *ns, pid_t pid, const char *name,
		  int flags);

/*
 * /proc/PID/name of a task that has just entered the namespace and stands on
 * its topmost root; -1 and errno.
 */
int cap_open_entered(const struct cap_ns *ns, const char *name, int flags);

/*
 * What the mounts of a finished topology show and are on, as files; directory or
 * not, where that alone is found out.
 */
void cap_types(struct mc_topology *t, const struct cap_ns *ns, size_t nr);

/* The init of the pid namespace that a process is in. */
int cap_find_init(int64_t pid, uint32_t *init, struct mntcr_error *e);
/* O_PATH of a directory of cgroup v2; -1 and an error. */
int cap_cgroup_open(const char *path, struct mntcr_error *e);
/*
 * fn for each task, threads too, of that cgroup and those below it, until it returns
 * something else than 0, which is returned.  inner: its own cgroup has others below
 * it.  What is forked meanwhile may go unseen.
 */
typedef int cap_task_fn(void *data, uint32_t tid, bool inner);
int cap_cgroup_tasks(int dir, cap_task_fn *fn, void *data, struct mntcr_error *e);

/* NS_GET_ID of a namespace's file, 0 where the kernel does not say; -1: errno. */
int cap_ns_id(int fd, uint64_t *id);
/*
 * What it takes to make t->userns[u] anew, if the caller may look; both are open.
 */
int cap_userns(struct mc_topology *t, uint32_t u, int userns_fd, int parent_fd,
	       bool parent_is_own, struct mntcr_error *e);
/* What is so of a user namespace that is there, for one of an image. */
struct cap_owner {
	const char *rule;	/* by which it is another one; or NULL */
	struct mc_shift *moved;	/* room for what mc_idmap_is_shifted() finds */
	uint32_t nr_moved;
};
/*
 * Is what is open at fd what t->userns[u] was?  Else what differs.  parent_fd: what
 * stands for its parent, or -1.  to->userns[scratch] is read into, also beyond its end.
 */
const char *cap_look_at_owner(const struct mc_topology *t, uint32_t u, int fd,
			      int parent_fd, struct mc_topology *to, uint32_t scratch,
			      struct cap_owner *is, struct mntcr_error *e);
/* Sets shown_own and shown_owner of each superblock. */
int cap_shown(struct mc_topology *t, struct mntcr_error *e);
/* Sets nsfs_id and nsfs_owner of a namespace's file, which is open at fd. */
void cap_nsfs(struct mc_topology *t, struct mc_mount *m, int fd);

/* Sets whose and outside of each superblock, outside of each external group. */
int cap_whose(struct mc_topology *t, const struct mntcr_capture_options *o,
	      struct mntcr_error *e);

/*
 * Are all 2^32 ids mapped in the caller's user namespace? If not, an id may be
 * the overflow id and stand for another.
 */
struct cap_ids {
	bool all_uids, all_gids;
};
void cap_ids_init(struct cap_ids *ids);

#define CAP_FILE_MASK	(STATX_TYPE | STATX_MODE | STATX_UID | STATX_GID)

/* Of a file seen through a mount, if CAP_FILE_MASK was answered. */
void cap_file(const struct cap_ids *ids, const struct mc_mount *through,
	      const struct statx *stx, struct mc_file *f);
/*
 * Read the target of a symlink, only where the filesystem has it in memory, so
 * that no server (NFS, FUSE) can block.
 */
bool cap_target(const struct mc_topology *t, const struct mc_mount *through,
		int fd, char buf[MC_MAX_TARGET + 1]);

/* Root files and places, by mount, that others may show as well. */
struct cap_seen {
	const struct mc_topology *t;
	struct mc_map *by_key;
	uint64_t seed;
};
void cap_seen_init(struct cap_seen *s, const struct mc_topology *t);
void cap_seen_free(struct cap_seen *s);
/* What a mount is on (place), or its root, if that was added of another; or NULL. */
const struct mc_file *cap_seen_get(const struct cap_seen *s, uint32_t mount, bool place);
/* That of this mount, if it is known. */
void cap_seen_add(struct cap_seen *s, uint32_t mount, bool place);

/* A mount by its id, covered or not; -1: no kernel for it, or errno. */
int cap_open_by_id(const struct mc_topology *t, const struct cap_ns *ns, uint32_t i);
/*
 * A mount of the namespace that the caller is in, which has its root at root: by its
 * id, or where it is not covered.  -1.
 */
int cap_open_mount(const struct mc_topology *t, const struct cap_ns *ns, int root,
		   uint32_t i);
/* A clone of that mount alone, private.  -1: errno. */
int cap_clone(int fd);
/* What the layers of overlays led to, as far as that can be told. */
int cap_layers_of_overlays(struct mc_topology *t, const struct cap_ns *ns, size_t nr_ns,
			   struct mntcr_error *e);
/* mp_file of the mounts of the nth namespace. */
void cap_under(struct mc_topology *t, uint32_t n, const struct cap_ns *ns,
	       const struct cap_ids *ids, struct cap_seen *seen);

/* As long as a mountpoint in an image; openat2(2) is given it in parts. */
#define CAP_PATH_MAX	(MC_MAX_PATH + 1U)
/* From the namespace's root, at the end of buf; false: longer than that. */
bool cap_path(const struct mc_topology *t, uint32_t m, char buf[CAP_PATH_MAX],
	      const char **path);
/* Is another mount on its root (overmount)? Then no path leads to it. */
bool cap_is_covered(const struct mc_topology *t, uint32_t m);

/* A mount as either method sees it; strings are interned in the topology. */
struct raw_mount {
	uint64_t id, parent_id;	/* the method's own ids */
	uint32_t id_old;
	uint32_t major, minor, sb_flags;
	uint64_t magic;
	uint64_t user_ns_id, shown_id; /* NS_GET_ID; 0: unknown, or gone */
	uint32_t shown_type;
	const char *type, *subtype, *source, *options, *root;
	const char *path;	/* from the root that paths start at; or NULL */
	uint64_t attr, group, master;
	bool unbindable;
	bool locks_known;
	uint32_t locks;
	uint32_t propagation;	/* MS_* */
	uint32_t idmap;		/* index in the topology */
	bool idmap_known;
};

struct raw_ns {
	struct raw_mount *m;	/* in the order of the namespace */
	uint32_t nr, max;
	uint32_t root;		/* of m, or MC_NONE */
	uint32_t hidden;	/* not among m */
	uint32_t base_propagation;
};

/*
 * What listmount(2) has below the root that a mountinfo starts at: it lists also
 * what has no path, which mountinfo leaves out.
 */
struct cap_listed {
	bool known;		/* else there is no such call, or it may not be asked */
	uint64_t root;
	uint64_t *ids;
	size_t nr;
};
/*
 * proc: mountinfo was that of the task that the caller named, and begins at
 * that task's root; else that of a helper that has entered the namespace.
 */
int cap_listed(struct cap_listed *l, const struct cap_ns *ns, bool proc,
	       struct mntcr_error *e);
/* Of raw->nr mounts of mountinfo, one is missing: it becomes one without a path. */
int cap_add_missing(const struct cap_listed *l, const struct cap_ns *ns,
		    struct mc_topology *t, struct raw_ns *raw,
		    struct mntcr_error *e);
/* How many mounts are below that root, one on the other? */
int cap_layers(const struct cap_listed *l, const struct cap_ns *ns, uint32_t *nr,
	       struct mntcr_error *e);

/* The rule against what no image can hold although it was read twice. */
#define CAP_CONTRADICTORY	"contradictory-mounts"

/*
 * Everything of one namespace goes into t, in order of m.  Only for what was
 * the same when it was looked at a second time.
 */
int cap_build(struct mc_topology *t, const struct cap_ns *ns,
	      struct raw_ns *raw, bool unique_ids, struct mc_map *by_dev,
	      struct mntcr_error *e);

/*
 * One attempt each: fill t (namespaces included) from all of ns.  MNTCR_CHANGED
 * asks for another one, MNTCR_UNSUPPORTED for the other method.  MNTCR_CHANGED
 * with ENOENT: what the text names was not there; it has an id that is never
 * used again, and so cannot go away a second time.
 */
int cap_statmount(struct mc_topology *t, struct cap_ns *ns, size_t nr,
		  struct mntcr_error *e);
int cap_mountinfo(struct mc_topology *t, struct cap_ns *ns, size_t nr,
		  struct mntcr_error *e);

/* As mntcr_capture(), with options that have been taken. */
int cap_capture(const struct mntcr_source *sources, size_t nr,
		const struct mntcr_capture_options *opts,
		struct mntcr_topology **topo, struct mntcr_error *e);

#endif /* MC_CAPTURE_H */
