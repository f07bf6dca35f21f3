/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Running a plan.  The frame walks the operations; what depends on the kernel
 * at hand is behind struct mc_backend.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef MC_EXECUTE_H
#define MC_EXECUTE_H

#include "mntcr-restore.h"
#include "plan/plan.h"

/* System calls that are counted. */
enum mc_call {
	MC_CALL_OPEN_TREE,
	MC_CALL_OPEN_TREE_ATTR,
	MC_CALL_MOVE_MOUNT,
	MC_CALL_SET_GROUP,
	MC_CALL_MOUNT_SETATTR,
	MC_CALL_MOUNT_SETGROUP,
	MC_CALL_MOUNT,
	MC_CALL_UMOUNT,
	MC_CALL_PIVOT_ROOT,
	MC_CALL_OPENAT,
	MC_CALL_OPENAT2,
	MC_CALL_STATX,
	MC_CALL_NS_ID,
	MC_CALL_AFFINITY,
	MC_CALL_NS_MNT_OPEN,
	MC_CALL_SETNS,
	MC_CALL_UNSHARE,
	MC_CALL_FCHDIR,
	MC_CALL_MKDIRAT,
	MC_CALL_FCHMODAT,
	MC_CALL_FCHOWNAT,
	MC_CALL_FSOPEN,
	MC_CALL_FSCONFIG,
	MC_CALL_FSMOUNT,
	MC_CALL_CLOSE,
	MC_CALL_CLOSE_RANGE,
	MC_NR_CALLS,
};

struct mc_exec;

struct mc_backend {
	const char *name;
	/* Prepare the calling thread for the other calls; undo that. */
	int (*start)(struct mc_exec *x);
	int (*finish)(struct mc_exec *x);
	int (*make_ns)(struct mc_exec *x, const struct mc_op *op);
	/*
	 * Return to the caller's mount namespace: a new proc mount in a user
	 * namespace needs a proc there that is fully visible.
	 */
	int (*go_home)(struct mc_exec *x, const struct mc_op *op);
	/* A descriptor of a restored mount that was closed (MC_SPILL), or -1. */
	int (*reopen)(struct mc_exec *x, uint32_t mount);
	/* src_fd[] = a descriptor that clones can be made from */
	int (*open_src)(struct mc_exec *x, uint32_t src);
	/* src_fd[] = a childless mount in the scratch tree */
	int (*base_src)(struct mc_exec *x, uint32_t src);
	int (*clone)(struct mc_exec *x, const struct mc_op *op);
	/*
	 * A detached clone of what the source is, for a layer of an overlay, perhaps
	 * with other attributes; or -1.
	 */
	int (*layer)(struct mc_exec *x, uint32_t src, const struct mc_mount_attr *attr,
		     const struct mc_op *op);
	int (*attach)(struct mc_exec *x, const struct mc_op *op);
	int (*group)(struct mc_exec *x, const struct mc_op *op);
	int (*lock)(struct mc_exec *x, const struct mc_op *op);
	/* Carry out the attaches that wait (struct mc_put_off). */
	int (*flush)(struct mc_exec *x);
};

extern const struct mc_backend mc_backend_extended;
extern const struct mc_backend mc_backend_upstream;

/*
 * Stock calls attach in the namespace that the thread is in: to enter each once,
 * attaches wait until there is another reason to enter it.
 */
struct mc_put_off {
	mc_ref obj;
	const struct mc_op *op;	/* ATTACH, or one that adds to the scratch tree */
	uint32_t slot;		/* then: the name of its mountpoint there */
};

/* Mount namespaces that the thread can be in (upstream); else one of the image. */
#define MC_IN_CALLERS	(MC_NONE - 1)
#define MC_IN_SCRATCH	(MC_NONE - 2)
#define MC_IN_COPY	(MC_NONE - 4)	/* of a live namespace */
#define MC_IN_TREE	(MC_NONE - 3)	/* the scratch one, to attach to a tree that is
					   detached itself */
#define MC_IN_LIVE	0x80000000U	/* + namespace: the live original of that one */

/*
 * A namespace that was made, for the one with that number at the dump: a pid or user
 * namespace's inode, a net or ipc namespace's id.
 */
struct mc_made {
	uint32_t type;		/* CLONE_NEW* */
	uint64_t nr;
	int fd;
};

struct mc_put;

struct mc_exec {
	const struct mc_topology *t;
	const struct mc_plan *p;
	const struct mc_backend *be;
	const struct mntcr_restore_options *o;
	struct mntcr_error *e;

	/* Descriptors, one for each mount, source, ... of the plan; -1: none. */
	int *mount_fd, *temp_fd, *src_fd;
	int *ns_fd;		/* namespace files of what is made */
	int *nsroot_fd;		/* the mount that the kernel made each of them with */
	int *tree_fd;		/* per namespace: the detached tree that it stands for */
	int *live_fd;		/* namespace files of the sources */
	int *external_fd, *master_fd, *layer_fd, *device_fd;
	int *owner_fd;		/* user namespaces, made or of live sources */
	int *need_fd;		/* what has been given */
	int *place_fd;		/* per part of the plan: where it will be */
	struct mc_made *made;	/* but user namespaces */
	uint32_t nr_made, max_made;
	struct mc_map *made_by[3];	/* by number: pid, net, ipc */
	int *idmap_fd;		/* per idmap: a user namespace that has it; */
	uint32_t *same_idmap;	/* one for all that are equal */
	int proc_fd;		/* the caller's /proc */
	int root_fd, cwd_fd;	/* its directories, from which a device's path leads */
	int cgroup_fd;		/* the root cgroup, if that is wanted */
	int copy_ns_fd, copy_root_fd; /* a copy of a live namespace; */
	uint32_t copy_of;	/* of which */
	int scratch_fd;		/* directory that bases are mounted in */
	bool same_boot;		/* known: ids in the image mean what they did */
	struct mc_put *put;	/* per unlinked root that is made; NULL: none has been */
	int *aside_fd;		/* per source: the directory that its are made in */
	struct mc_flags *later;	/* per source: of files in it, set last; NULL: none is full */
	int *upper_fd;		/* per source: the upper directory of an overlay with such */
	uint64_t *spilled;	/* per mount: its unique id, while its descriptor is
				   closed (MC_SPILL); else 0 */

	int *junk;		/* descriptors that the next RELEASE closes as well */
	uint32_t nr_junk, max_junk;
	uint32_t nr_scratch;
	uint32_t ns_made;	/* NS operations before this one are done */
	uint32_t ops_end;	/* of those that are running */
	uint32_t op_at;		/* the operation that is running */
	bool told_ns;		/* namespaces_made has been called */
	bool on_one_cpu;	/* while namespaces are made; */
	cpu_set_t cpus;		/* that of the thread before */

	/* upstream */
	int caller_ns_fd, scratch_ns_fd, fd_dir;
	int copy_fd;		/* root of the copy in which covers are unmounted */
	uint32_t in;		/* namespace the thread is in */
	bool no_empty_ns, no_attr_call, no_foreign_type;
	bool in_fd_dir;
	bool *placeholder;	/* per namespace: its root is a stand-in that goes by
				   pivot_root(2) when the real one is attached */
	struct mc_put_off *put_off;
	uint32_t nr_put_off, max_put_off;
	uint32_t put_off_to;	/* the namespace that all of them wait for */

	uint64_t calls[MC_NR_CALLS];
};

/*
 * x->p in pieces, all in one thread: start, operations from first to before end, finish,
 * which is called whatever failed.  x->e is filled on failure.
 */
int mc_exec_start(struct mc_exec *x, struct mntcr_stats *stats);
int mc_exec_ops(struct mc_exec *x, uint32_t first, uint32_t end,
		struct mntcr_stats *stats);
int mc_exec_finish(struct mc_exec *x, struct mntcr_stats *stats);
const char *mc_call_name(enum mc_call c);

/* --- for backends (common.c) ------------------------------------------------ */

#define mc_count(x, c)	((x)->calls[MC_CALL_##c]++)

/* "attach: mount 12 at ns:/a/b: what: errno text (rule)" */
int mc_exec_fail(struct mc_exec *x, const struct mc_op *op, int err,
		 const char *what);
/* The same of umount2(2) in a copy, whose EINVAL a lock may be the reason of. */
int mc_exec_fail_unmount(struct mc_exec *x, const struct mc_op *op, uint32_t mount,
			 int err, const char *where);
int mc_exec_fd(struct mc_exec *x, mc_ref r);
/* fd stays usable until the next RELEASE closes it; -1, and it is closed. */
int mc_exec_junk(struct mc_exec *x, int fd);
/* The attributes that a mount is cloned with. */
void mc_exec_attr(const struct mc_exec *x, uint32_t mount,
		  struct mc_mount_attr *attr);
/* The same for a source in the scratch tree. */
void mc_exec_base_attr(const struct mc_exec *x, const struct mc_src *s,
		       struct mc_mount_attr *attr);
/* fd below dfd, never through a symlink or a mount. */
int mc_exec_below(struct mc_exec *x, int dfd, const char *path, bool xdev);
/* By device: can it be m, a mount of m's superblock? */
bool mc_exec_same_device(const struct mc_exec *x, const struct mc_mount *m,
			 const struct statx *st);
/* What source s is cloned from: a descriptor and a path below it. */
int mc_exec_src(struct mc_exec *x, uint32_t s, const char **path);
/* A path of one component: no symlink or mount on the way to resolve. */
bool mc_one_component(const char *path);
int mc_exec_open_tree(struct mc_exec *x, int dfd, const char *path,
		      unsigned int flags, const struct mc_mount_attr *attr);
int mc_exec_move(struct mc_exec *x, int fd, int to, const char *path,
		 unsigned int flags, const struct mc_op *op);
/* A recursive clone, of which the topmost mount alone is given the attributes. */
int mc_exec_clone_with(struct mc_exec *x, int fd, unsigned int flags,
		       const struct mc_mount_attr *attr);
/* detached.c: DETACH; once all is done, let go of the namespaces that those were built in. */
int mc_exec_detach(struct mc_exec *x, const struct mc_op *op);
void mc_exec_leave_trees(struct mc_exec *x);
/* ATTACH of what came with its parent, which is open at fd. */
int mc_exec_along(struct mc_exec *x, int fd, const struct mc_op *op);
/* A new mountpoint in the scratch tree; name becomes its number. */
int mc_exec_slot(struct mc_exec *x, bool dir, char *name, size_t size);
/*
 * mnt NULL: as far as nothing is made of it.  Does the kernel take type and options?
 */
int mc_exec_fresh(struct mc_exec *x, const struct mc_op *op, int *mnt);
/*
 * An overlay, as far as its superblock: a descriptor of fsopen(2), of which all that is
 * left is fsmount(2); or -1, or instead of that in *mnt a clone of it, mounted.  layers
 * false: not even them, and nothing is made.
 */
int mc_exec_overlay(struct mc_exec *x, const struct mc_op *op, bool layers, int *mnt);
/*
 * device.c: what is on a block device, as a superblock of its own or the one that is
 * mounted of it already; mnt as above.
 */
int mc_exec_device(struct mc_exec *x, const struct mc_op *op, int *mnt);
/* Of what will differ: a word for what it is of, and the line. */
typedef void mc_differs(void *data, const char *what, const char *line);
/*
 * Before anything is made: are these what the image says?  po->refused, differs and
 * roots may be NULL: per source, all -1, to be opened where that is mounted already.
 */
int mc_devices_check(const struct mc_plan *p, const struct mc_plan_options *po,
		     const int *fds, int *roots, mc_differs *differs, void *data,
		     struct mntcr_error *e);
/* config.c: to what fsopen(2) has opened. */
int mc_exec_set_options(struct mc_exec *x, int fs, const struct mc_sb *sb,
			const struct mc_op *op);
int mc_exec_set_flags(struct mc_exec *x, int fs, uint32_t flags);
int mc_exec_config(struct mc_exec *x, int fs, unsigned int cmd, const char *key,
		   const char *value);
/* Which unlinked roots a fresh superblock has, and where; to be freed, or NULL. */
struct mc_put *mc_exec_put(const struct mc_plan *p, const struct mc_src *s);
/*
 * All that the archive has of a superblock whose root that is; what has been unlinked,
 * in a directory of its own.
 */
int mc_exec_fill(struct mc_exec *x, const struct mc_src *s, int root);
/* What a tmpfs has beside its own until it is finished. */
#define MC_SPARE_INODES	4096
/* When nothing is changed in it any more: flags that let nobody do so.  op has failed else. */
int mc_exec_set_last(struct mc_exec *x, const struct mc_op *op, const struct mc_src *s,
		     int root);
/* The latter on devices that are mounted already, before anything else. */
int mc_exec_fill_externals(struct mc_exec *x);
/*
 * Before anything is made: the image has them all, and they can be made, on devices as far
 * as that is known.
 */
int mc_exec_check_unlinked(const struct mc_exec *x, const struct mc_plan_options *po,
			   struct mntcr_error *e);
/* Source sub, open at fd: if it is an unlinked root, is it what was made?  -1: errno. */
int mc_exec_is_made(const struct mc_exec *x, uint32_t sub, int fd);
/* What is left of those on devices, after a failure. */
void mc_exec_take_back(struct mc_exec *x);
/* UNLINK: what was given other names. */
int mc_exec_unlink(struct mc_exec *x, const struct mc_op *op);
/* finish.c: FINISH. */
int mc_exec_close(struct mc_exec *x, const struct mc_op *op);
int mc_exec_tmpfs(struct mc_exec *x);
bool mc_exec_is_dir(struct mc_exec *x, int fd);
/* Is the source's root a directory?  A mountpoint of that kind has to be made. */
bool mc_exec_src_is_dir(struct mc_exec *x, uint32_t s, int fd);
void mc_exec_release(struct mc_exec *x, const struct mc_op *op);

/* --- user namespaces (owner.c) ----------------------------------------------- */

/* What waits for a need, if that is among the given ones; without any, what waits for none. */
bool mc_exec_is_due(uint32_t need, const bool *given);
/* All that the plan says which are due. */
int mc_owners_make(struct mc_exec *x, const bool *given);
/* Made, or that of a live source; x keeps it open.  -1: errno. */
int mc_owner_fd(struct mc_exec *x, uint32_t u);
/* fsopen(2) in there.  -1: errno. */
int mc_owner_fsopen(struct mc_exec *x, uint32_t u, const char *type);
/*
 * An empty namespace of its, MC_NONE being the caller's; -1: errno.  And fsopen(2)
 * in such a one, which is made if *ns_fd is -1, by whom file belongs to; without a
 * type that is all, and 0.
 */
int mc_owner_ns(struct mc_exec *x, uint32_t u, uint32_t ns_type);
int mc_owner_ns_fsopen(struct mc_exec *x, uint32_t u, uint32_t ns_type, int *ns_fd,
		       const struct mc_file *file, const char *type);
/* A user namespace of the caller's with these maps.  -1: errno, and what failed. */
int mc_owner_of_map(struct mc_exec *x, const struct mc_idmap *map, const char **what);
/*
 * Call fn with all of the caller's capabilities, and with the ids of its root for
 * files, as what is made in its superblocks needs.  -1: errno, and it was not called.
 */
int mc_owner_as_root(struct mc_exec *x, uint32_t u, void (*fn)(void *data),
		     void *data);

/* The same for who owns the superblock that the operation is of: what fn returns, or -1. */
int mc_exec_as_owner(struct mc_exec *x, const struct mc_op *op,
		     int (*fn)(struct mc_exec *x, const struct mc_op *op, void *data),
		     void *data);

/* --- what superblocks show (made.c) ------------------------------------------- */

/* The pid namespace for that of the dump; owner MC_NONE: the caller's.  -1: errno. */
int mc_made_pidns(struct mc_exec *x, uint64_t ino, uint32_t owner);
/* fsopen(2) of a sysfs or mqueue in the namespace for the one that it showed. */
int mc_made_fsopen(struct mc_exec *x, const struct mc_src *s);
/* One that has been made; -1: none. */
int mc_made_fd(struct mc_exec *x, uint32_t type, uint64_t nr);
/* Each that is due and whose file is mounted, before any of them is. */
int mc_made_files(struct mc_exec *x, const bool *given);
const char *mc_made_word(const struct mc_made *made);	/* "pid", "net", ... */
void mc_made_close(struct mc_made *made, uint32_t nr);
void mc_made_forget(struct mc_exec *x);	/* which is which */

/* --- idmaps (idmap.c) -------------------------------------------------------- */

/*
 * Make what the clones of the plan are to have, and see where that is known that they
 * can: refused, all as far as it is not, before anything else is made.  The plan may be
 * one that is refused.
 */
int mc_idmaps_make(struct mc_exec *x, const struct mc_plan_options *po);
void mc_idmaps_free(struct mc_exec *x);
void mc_exec_set_idmap(const struct mc_exec *x, uint32_t idmap, struct mc_mount_attr *attr);
/* With the idmap that op, a CLONE, sets. */
void mc_exec_idmap(const struct mc_exec *x, const struct mc_op *op,
		   struct mc_mount_attr *attr);

/* --- --host (host.c) ---------------------------------------------------------- */

struct mc_host_place {
	const char *path;
	dev_t device;
	bool shared;		/* a shared mount is there */
	bool used;
};

struct mc_hosts {
	struct mc_host_place *places;	/* by path */
	size_t nr_places;
	struct mntcr_external *externals, *masters;
	char **keys;
	size_t nr_keys;
};

/*
 * Externals and masters are put behind those of o that the image has at o's places:
 * they live as long as h, which is to be freed also if it fails.
 */
int mc_hosts_take(struct mc_hosts *h, const struct mc_topology *t,
		  struct mntcr_restore_options *o, struct mntcr_error *e);
/* What is said of the next place, from *at on, that the image has nothing at; false: none. */
bool mc_hosts_next_unused(const struct mc_hosts *h, size_t *at, char *text, size_t size);
void mc_hosts_free(struct mc_hosts *h);

/* --- what will be there (shown.c) -------------------------------------------- */

enum mc_there {
	MC_IS_DIR, MC_IS_NO_DIR, MC_IS_NOTHING, MC_IS_UNKNOWN,
	MC_IS_OUTSIDE,		/* of a layer alone: not in the directory that it is from */
};

struct mc_listing;

struct mc_looking {
	const struct mc_plan *p;
	const int *external_fd, *layer_fd;	/* -1: could not be opened; NULL: none was */
	const int *device_root;			/* the same, per source */
	const int *need_fd;			/* and per need, what is given for it */
	const struct mntcr_contents *contents;	/* or NULL */
	/* per superblock, or NULL */
	struct mc_looked_up {
		struct mc_listing *listing;	/* NULL: it could not be read */
		bool tried;			/* that is done once */
	} *listings;
	bool *nomem;				/* for reading one */
};

/* Below fd, whatever else is mounted on the way; path is relative, or "". */
enum mc_there mc_exec_look(int fd, const char *path);
/* Of an overlay, relative to the directory of a --layer. */
enum mc_there mc_exec_look_layer(int dir, const struct mc_layer *layer);
/* The same of a source that is below none. */
enum mc_there mc_exec_look_in(const struct mc_looking *l, const struct mc_src *base,
			      const char *path);
/* Which one a source is below, or itself; path: where. */
const struct mc_src *mc_exec_base_of(const struct mc_plan *p, uint32_t src, const char **path);

/* --- which namespace that is (one-ns.c) -------------------------------------- */

/*
 * Of what was of one namespace, is all that is there, or given, of one?  differ() is called
 * with two mounts that are not; as far as the kernel tells.  x: what has been given at stages
 * and made; or NULL.
 */
int mc_one_ns(const struct mc_plan *p, const int *external_fd, struct mc_exec *x,
	      void (*differ)(void *data, uint32_t a, uint32_t b, uint32_t type), void *data,
	      struct mntcr_error *e);
/*
 * Do pid namespaces that were given lie in one another, and in those that were made, as
 * they did?
 */
int mc_pid_levels(const struct mc_exec *x, struct mntcr_error *e);

/* --- what is external (external-mounted.c, external-sb.c, external.c) --------- */

struct libmnt_fs;
struct libmnt_table;

/* All mounts that mountinfo shows us.  NULL: it could not be read. */
struct libmnt_table *mc_mounted_read(void);
/* The mount that fd is of; NULL: it is none of them. */
struct libmnt_fs *mc_mounted_at(struct libmnt_table *tb, int fd, bool *is_root);
void mc_mounted_free(struct libmnt_table *tb);
/*
 * Is what stands for it all of that very filesystem, so that a file handle of the image
 * means nothing but what was given?  fd: of its --external; else -1.
 */
bool mc_exec_is_whole(const struct mc_sb *sb, const struct mc_src *s, int fd);
/*
 * Per --external, open at fds, which may be -1: its mount's source, or NULL; and is its
 * superblock read-only: 0, 1, or -1, it is not known.
 */
int mc_external_sources(const int *fds, uint32_t nr, char ***sources, int8_t **read_only,
			struct mntcr_error *e);
void mc_external_sources_free(char **sources, uint32_t nr);
/* "--external KEY=PATH", or "--host PATH", which names the same (option.c). */
const char *mc_option_text(const char *option, const struct mntcr_external *o, char *buf,
			   size_t size);
#define MC_OPTION_TEXT_SIZE	420
/* is: a type as mountinfo has it, "fuse.sshfs" */
bool mc_exec_has_type(const struct mc_sb *sb, const char *is);
/* Is what is at fd of another type, and would such a one be refused (external-type.c)? */
bool mc_exec_is_wrong_type(const struct mc_sb *sb, int fd);
/* layer_fd, of each --layer, device_root, and contents, of layers in memory, may be NULL. */
struct mc_looked {
	const int *external_fd, *layer_fd, *device_root;
	const struct mntcr_contents *contents;
};

/*
 * Are roots of mounts, and what mounts are on, there where --external leads, on devices, and
 * in overlays that are made of layers, and directories or not as they have to be?  And are
 * the layers?
 */
int mc_external_check(const struct mc_plan *p, const struct mc_plan_options *po,
		      const struct mc_looked *at, struct mntcr_error *e);
/*
 * Of which type is what is there, and what of the image is not used then (external-type.c)?
 * differs may be NULL.
 */
int mc_external_types(const struct mc_plan *p, const struct mc_plan_options *po,
		      const struct mc_looked *at, mc_differs *differs, void *data,
		      struct mntcr_error *e);
/* The same of a source on a device, which is mounted now. */
int mc_device_fits(const struct mc_exec *x, uint32_t src, int root, struct mntcr_error *e);
/* And of what is given for a need, a superblock. */
int mc_given_fits(const struct mc_exec *x, uint32_t need, int root, struct mntcr_error *e);

/* --- all that is refused (refusals.c) ---------------------------------------- */

/* Per option; -1: could not be opened. */
struct mc_given {
	const int *external_fd, *layer_fd, *device_fd, *master_fd;
	/* is asked what the kernel takes: makes idmaps; NULL: nobody is */
	struct mc_exec *x;
};

/*
 * mc_external_check(), mc_external_types(), mc_devices_check(), mc_masters_check() and mc_idmaps_make(): -1 if
 * something could not be looked at; what is refused po->refused has been told of.
 */
int mc_given_check(const struct mc_plan *p, const struct mc_plan_options *po,
		   const struct mc_given *given, mc_differs *differs, void *data,
		   struct mntcr_error *e);

/* Those of a plan, and of what is given for it. */
struct mc_refusals {
	struct mc_given given;
	void (*differs)(void *data, const char *line);	/* with o->data; may be NULL */
	/* and what mc_refusals_take() sets */
	const struct mntcr_restore_options *o;
	const struct mc_plan_options *po;
	uint32_t nr;
	bool looked;		/* at what is given */
	struct mntcr_error first, failed;
};

/* po tells r, and r tells o->refused. */
void mc_refusals_take(struct mc_refusals *r, const struct mntcr_restore_options *o,
		      struct mc_plan_options *po);
/* As mc_plan_options.refused; data is a struct mc_refusals. */
void mc_refusals_tell(void *data, const struct mntcr_refusal *refusal);
/* What is given, once p has been made. */
int mc_refusals_look(struct mc_refusals *r, const struct mc_plan *p, struct mntcr_error *e);
/* -1, with all of it in e, if that is of a refusal. */
int mc_refusals_end(const struct mc_refusals *r, struct mntcr_error *e);

/* --- external masters (master.c) ------------------------------------------- */

/* Before anything is made: can what is there be received from? */
int mc_masters_check(const struct mc_plan *p, const struct mc_plan_options *po,
		     const int *external_fd, const int *master_fd, struct mntcr_error *e);
/* And of a plan that nothing else is refused of, is it wide enough? */
int mc_masters_check_wide(const struct mc_plan *p, const struct mc_plan_options *po,
			  const int *external_fd, const int *master_fd,
			  struct mntcr_error *e);

/* --- what is opened once more (again.c) ------------------------------------ */

/* again[]: per superblock.  *cgroup_fd, -1 before, is for mc_exec_again(). */
void mc_exec_probe_again(const struct mc_topology *t, bool *again, int *cgroup_fd);
#define MC_CGROUP_ROOT_INO	1

/* Of each type one superblock is to be had: is it this one? */
bool mc_exec_is_had(const char *type, const struct mc_sb *sb, int *cgroup_fd);
/* again[]: per descriptor of an --external, mc_plan_options.external_again. */
void mc_exec_probe_external(const int *fds, size_t nr, uint64_t *again, int *cgroup_fd);
/* A detached mount of the superblock's root, with the source's text. */
int mc_exec_again(struct mc_exec *x, const struct mc_op *op, int *mnt);

/* --- namespaces (ns.c) ---------------------------------------------------- */

/*
 * Make all namespaces, in threads of their own: unshare(2) would change the
 * caller's root and working directory.
 */
int mc_ns_make_all(struct mc_exec *x);
/* Make one, in the calling thread, which ends up in it. */
int mc_ns_make_here(struct mc_exec *x, uint32_t ns);
/*
 * The counterpart of a live mount, open at fd, in a copy of its namespace that is
 * private all over, once what is in op's list is unmounted there: a descriptor for
 * clones, or -1.  The copy is kept for the next.
 */
int mc_ns_copied(struct mc_exec *x, uint32_t mount, int fd,
		 const struct mc_op *op);
/* Before the first one, in the same thread, and after the last one. */
int mc_ns_choose_cpu(struct mc_exec *x);
void mc_ns_leave_cpu(struct mc_exec *x);
int mc_ns_open_self(struct mc_exec *x);

/* --- pins (pin.c) ---------------------------------------------------------- */

struct mc_pins;

/* Before the restore, which would get copies of what is mounted here. */
int mc_pins_open(const char *dir, struct mc_pins **pins, struct mntcr_error *e);
/* Once the namespaces are complete.  After a failure undo is called for. */
int mc_pins_add(struct mc_pins *p, const int *ns_fds, uint32_t nr,
		struct mntcr_error *e);
/* As TYPE-NUMBER, of the one at the dump. */
int mc_pins_add_made(struct mc_pins *p, const struct mc_made *made, uint32_t nr,
		     struct mntcr_error *e);
/* They are whole: nobody takes them away any more. */
int mc_pins_finish(struct mc_pins *p, struct mntcr_error *e);
/*
 * Is this directory what a restore has left that was killed while it pinned?  -1 with
 * EBUSY: it lives.
 */
int mc_pins_unfinished(int dir);
bool mc_pins_are_in(const struct mc_pins *p, const char *dir);
void mc_pins_undo(struct mc_pins *p);
void mc_pins_free(struct mc_pins *p);

/* --- what the caller asked for (restore.c) --------------------------------- */

/* MNTCR_UNSUPPORTED unless all the new calls are there. */
int mc_need_extended(struct mntcr_error *e);
enum mntcr_api mc_choose_api(enum mntcr_api wanted);
/* What the plan asks of the kernel and of the caller's privileges. */
int mc_ask_kernel(const struct mc_topology *t, struct mc_plan_options *po,
		  struct mntcr_error *e);
/* Of that, no more than what the kernel can do. */
int mc_ask_for_calls(const struct mc_topology *t, struct mc_plan_options *po,
		     struct mntcr_error *e);
/*
 * Which namespaces are still there: live_fd, -1 before, and ns_live of each.  Sources that
 * are refused r is told of, and then they are none; NULL: that is the error.
 */
int mc_find_live(const struct mntcr_topology *t,
		 const struct mntcr_restore_options *o, int *live_fd,
		 bool *ns_live, bool *known_boot, struct mc_refusals *r,
		 struct mntcr_error *e);
/* A copy of the caller's options, checked. */
int mc_restore_take(struct mntcr_restore_options *o,
		    const struct mntcr_restore_options *theirs,
		    struct mntcr_error *e);
void mc_plan_options(const struct mntcr_restore_options *o,
		     struct mc_plan_options *po);
/* A restore as far as opts->refused is told of all: nothing is made. */
int mc_restore_refused(const struct mntcr_topology *t,
		       const struct mntcr_restore_options *opts,
		       const struct mntcr_stages_options *stages, struct mntcr_error *e);

#endif /* MC_EXECUTE_H */
