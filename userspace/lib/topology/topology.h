/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The data model between all stages: namespaces, superblocks, sharing groups
 * and mounts in arrays, referring to one another by 32-bit index.
 *
 * A topology is filled by mc_topology_add_*() and then sealed once by
 * mc_topology_finish(), which validates everything and derives the links that
 * are marked "derived".  Every stage but capture and image sees only finished
 * topologies and may rely on what finish() checked:
 *
 *  - mounts ascend by id within a namespace and namespaces' mounts are
 *    contiguous (ns[i].first_mount, nr_mounts), namespaces in the order given;
 *  - each namespace has one root mount (or no mount at all), every other mount
 *    reaches it through its parents, and they are in the same namespace;
 *  - members of a group have one superblock; the master relation is a forest,
 *    a group is external exactly when it has no member; mount.master is its
 *    group's when it has one;
 *  - unbindable excludes both group and master;
 *  - strings have no NUL; mountpoints and roots are as described below.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef MC_TOPOLOGY_H
#define MC_TOPOLOGY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mntcr.h"

#define MC_NONE			UINT32_MAX

/* Bounds on anything that is read from outside. */
#define MC_MAX_NAMESPACES	(1U << 16)
#define MC_MAX_MOUNTS		(1U << 18)
#define MC_MAX_PATH		(1U << 16)
#define MC_MAX_IDMAP_EXTENTS	340
/* As lines of three numbers, which the kernel pads. */
#define MC_IDMAP_TEXT_SIZE	(MC_MAX_IDMAP_EXTENTS * 33 + 1)

enum mc_mp_type {
	MC_MP_UNKNOWN,
	MC_MP_DIR,
	MC_MP_OTHER,		/* a regular file, socket, fifo, symlink... */
};

/*
 * A file as a restore can make it, ids as the dumper saw them through the mount.
 * Of what could not be read nothing is known.
 */
struct mc_file {
	uint32_t mode;		/* S_IFMT and 07777; 0: nothing is known */
	uint32_t uid, gid;	/* MC_NO_ID: not known, or not one of the dumper's */
	uint32_t major, minor;	/* of a device */
	const char *target;	/* of a symlink, where that is known; or NULL */
};

#define MC_NO_ID		UINT32_MAX
#define MC_MODE_ALL		07777U
#define MC_MAX_MAJOR		4095U	/* of the kernel's dev_t */
#define MC_MAX_MINOR		((1U << 20) - 1)
#define MC_MAX_TARGET		4095	/* no kernel takes a longer one */

struct mc_idmap_extent {
	uint32_t id, parent_id, count;
};

struct mc_idmap {
	uint32_t nr_uid, nr_gid;
	const struct mc_idmap_extent *uid, *gid;
};

/* Ids of the dumper's user namespace that are others where it is restored. */
struct mc_shift {
	bool gid;
	uint32_t from, count, to;
};
struct mc_shifts {
	uint32_t nr;
	const struct mc_shift *list;	/* no two contain one id */
};

/* A user namespace that is there, for one of the image; not in an image. */
struct mc_given_userns {
	int fd;			/* the topology's */
	const char *rule;	/* why it cannot be that one; or NULL */
	const char *what;
};

/* User namespaces that own a captured one, and their ancestors. */
struct mc_userns {
	uint64_t ino;		/* as the dumper's system numbered it, or 0 */
	uint64_t id;		/* NS_GET_ID; unknown: 0 */
	uint32_t parent;	/* MC_NONE: top of what the dumper could see */
	bool dumper;		/* the one that the dumper itself was in */
	/* What it takes to make it anew; all ids are those of the parent. */
	bool mapped;		/* the rest is known */
	bool setgroups;		/* setgroups(2) is allowed there */
	uint32_t owner;		/* whose it is */
	struct mc_idmap map;
	const struct mc_given_userns *given;	/* or NULL */
};

struct mc_ns {
	uint64_t id;		/* NS_GET_MNTNS_ID; unknown: 0 */
	uint64_t ino;		/* st_ino of its nsfs file; unknown: 0 */
	/* how the user named it when it was captured: "1234", a path */
	const char *label;
	uint32_t userns;	/* owner, or MC_NONE if unknown */
	bool detached;		/* no namespace: a tree that a task held by descriptor;
				   id and ino, of the copy of it, are not in an image */
	/*
	 * how many mounts lie under the root mount that tasks see; they are not
	 * in the topology
	 */
	uint32_t hidden;
	uint32_t base_propagation; /* MS_* of the mount below the root that tasks see,
				      the namespace's own (rootfs, nullfs); 0: unknown */
	uint32_t number;	/* where a selection has renumbered it: its number before,
				   from 1; else 0; not in an image */
	uint32_t root;		/* mount, or MC_NONE for an empty namespace */
	uint32_t first_mount;	/* derived */
	uint32_t nr_mounts;	/* derived */
};

/* Whose a superblock is: the rules are in capture/whose.c. */
enum mc_whose {
	MC_WHOSE_UNKNOWN,	/* nobody asked */
	MC_WHOSE_CONTAINER,
	MC_WHOSE_HOST,		/* mounted outside as well, or shows what is the host's */
	MC_WHOSE_NAMESPACE,	/* shows a namespace that is not the host's */
	MC_WHOSE_ALL,		/* the kernel has one for all */
	MC_WHOSE_FILES,		/* files of namespaces or processes */
	MC_NR_WHOSE,
};

/* A mount in the dumper's own mount namespace; path NULL: none was found. */
struct mc_found {
	const char *path, *root;
};

enum mc_layer_kind {
	MC_LAYER_LOWER,
	MC_LAYER_DATA,		/* lower, for nothing but data */
	MC_LAYER_UPPER,
	MC_LAYER_WORK,
	MC_NR_LAYER_KINDS,
};

/* A path in an overlay's options, and what it led to. */
struct mc_layer {
	enum mc_layer_kind kind;
	const char *text;	/* without the escapes of its option */
	uint32_t sb;		/* MC_NONE: not known */
	const char *path;	/* in that superblock */
	uint32_t idmap;		/* of the mount that it is a part of; or MC_NONE */
};

#define MC_MAX_LAYERS		512U	/* no kernel takes more than 500 lower ones */
#define MC_MOST_STACKED		2	/* FILESYSTEM_MAX_STACK_DEPTH of the kernel */

struct mc_sb {
	/* st_dev: no two superblocks that exist at one time have the same */
	uint32_t major, minor;
	const char *type;
	const char *subtype;	/* or NULL */
	const char *source;	/* or NULL */
	const char *options;	/* as in mountinfo, after the "-"; never NULL */
	uint64_t magic;		/* unknown: 0 */
	uint32_t userns;	/* that it belongs to; MC_NONE: unknown */
	/*
	 * The namespace that it shows, if its type shows one, by its id
	 * (NS_GET_ID).
	 */
	uint32_t shown_type;	/* CLONE_NEWPID, _NEWNET, _NEWIPC; 0: none, or unknown */
	uint64_t shown_id;	/* 0: it is gone */
	bool shown_own;		/* it is the dumper's own */
	uint32_t shown_owner;	/* whose a network namespace is; MC_NONE: not known */
	uint32_t flags;		/* MS_RDONLY, MS_SYNCHRONOUS, MS_DIRSYNC, MS_LAZYTIME */
	const char *uuid;	/* on its device, in the usual form; NULL: not known */
	/* statfs(2)'s, of a tmpfs: most bytes and inodes; 0: no bound */
	bool sized;
	uint64_t size, inodes;
	bool contents;		/* its files come with the image; of a device, its
				   unlinked roots alone */
	/* of an overlay, in the order of its options */
	struct mc_layer *layers;
	uint32_t nr_layers;
	/* work directories of overlays in it, without the first "/", sorted; derived */
	const char **work;
	uint32_t nr_work;
	/* of a proc: the pid namespace that it shows; 0: not known */
	uint64_t pidns_ino;
	/* how far below the dumper's own that is; MC_NONE: it is not below it */
	uint32_t pidns_depth;
	/* those between, its parent first: pidns_depth - 1; NULL: none, or not known */
	const uint64_t *pidns_above;
	/* that one has no init: it has ended, or nobody has been in it; false: not known */
	bool pidns_no_init;
	enum mc_whose whose;
	struct mc_found outside; /* the widest; never of the container's */
	const char *stands_in_for; /* a type, or NULL; not in an image */
	/* of ids in its contents, which are as they were dumped; not in an image */
	const struct mc_shifts *shifts;
	uint32_t nr_mounts;	/* derived */
};

/* A peer group; external when no member is in the topology. */
struct mc_group {
	uint64_t id;
	struct mc_found outside; /* of an external one: one of its members */
	uint32_t master;	/* group or MC_NONE */
	uint32_t sb;		/* derived; of its members, or of its receivers */
	uint32_t first_member;	/* derived: mount, ascending by index */
	uint32_t nr_members;	/* derived */
	uint32_t first_slave_mount; /* derived: of the mounts without a group */
	uint32_t first_slave_group; /* derived */
	uint32_t next_slave_group;  /* derived: sibling below the same master */
	uint32_t depth;		/* derived: 0 without a master */
};

struct mc_mount {
	uint64_t id;		/* unique id, or mountinfo's from old kernels */
	uint32_t id_old;	/* mountinfo's */
	uint32_t ns;
	uint32_t parent;	/* MC_NONE for the namespace's root */
	uint32_t sb;
	const char *root;	/* within the superblock: "/", "/a", "net:[1]" */
	bool moved;		/* to another root than that of its original */
	bool root_deleted;	/* unlinked; "//deleted", as the kernel prints, is cut off */
	uint64_t root_ino;	/* of an unlinked one, mc_inode_key(), by the capture; 0: not known */
	bool root_named;	/* and some name of it may be left */
	/*
	 * which unlinked one of the superblock, from 1: the same number, the same
	 * file that was unlinked in the same place; 0: not known
	 */
	uint32_t unlinked;
	bool above;		/* not selected, but above one that is; not in an image */
	const char *mountpoint;	/* from the parent mount's root: "/", "/a/b" */
	enum mc_mp_type mp_type;
	struct mc_file root_file;
	/*
	 * the mountpoint; where it is mounted on another mount's root, that
	 * mount's root_file
	 */
	struct mc_file mp_file;
	const char *source;	/* NULL: the superblock's */
	const char *options;	/* NULL: the superblock's */
	uint64_t attr;		/* MOUNT_ATTR_*, IDMAP included */
	uint32_t idmap;		/* or MC_NONE */
	bool locks_known;
	uint32_t locks;		/* MOUNT_LOCK_* */
	uint32_t group;		/* or MC_NONE */
	uint32_t master;	/* group received from, or MC_NONE */
	bool unbindable;
	uint32_t nsfs_type;	/* CLONE_NEW*: what a namespace file names; 0 */
	uint64_t nsfs_ino;
	uint64_t nsfs_id;	/* NS_GET_ID of a net or ipc namespace that is not the
				   dumper's own; unknown: 0 */
	uint32_t nsfs_owner;	/* whose that one is; MC_NONE: unknown */
	uint32_t nsfs_ns;	/* derived: that one, if in the topology */
	uint32_t nsfs_userns;	/* derived: the same, of a user namespace's file */

	/* derived; children ascend by index, hence by id */
	uint32_t first_child, last_child, next_sibling;
	uint32_t nr_children;
	uint32_t next_member;	/* in the same group */
	uint32_t next_slave;	/* without a group, below the same master */
};

struct mc_arena;
struct mc_strtab;
struct mc_map;

struct mntcr_topology {
	struct mc_userns *userns;
	struct mc_ns *ns;
	struct mc_sb *sbs;
	struct mc_group *groups;
	struct mc_idmap *idmaps;
	struct mc_mount *mounts;
	uint32_t nr_userns, nr_ns, nr_sbs, nr_groups, nr_idmaps, nr_mounts;
	bool unique_ids;	/* mount ids are never reused before a restart */
	const char *boot_id;	/* of the dumper's system, or NULL: unknown */
	bool uncounted;		/* captured where nothing tells of mounts below the
				   roots that are seen; not in an image */
	bool finished;

	/* private to topology.c */
	uint32_t max_userns, max_ns, max_sbs, max_groups, max_idmaps, max_mounts;
	struct mc_arena *arena;
	struct mc_strtab *strings;
	struct mc_map *by_mount, *by_group, *by_ns, *by_userns;
	struct mc_map *by_idmap; /* by the address of its text */
};

#define mc_topology mntcr_topology

struct mc_topology *mc_topology_new(void);

/* Interned copies that live as long as the topology; NULL without memory. */
const char *mc_topology_str(struct mc_topology *t, const char *s);
const char *mc_topology_strn(struct mc_topology *t, const char *s, size_t n);
void *mc_topology_alloc(struct mc_topology *t, size_t size);

/*
 * Each returns the index of a new zeroed element (indices set to MC_NONE), or
 * MC_NONE without memory.  Pointers to elements die with the next add.
 */
uint32_t mc_topology_add_userns(struct mc_topology *t);
uint32_t mc_topology_add_ns(struct mc_topology *t);
uint32_t mc_topology_add_sb(struct mc_topology *t);
uint32_t mc_topology_add_group(struct mc_topology *t, uint64_t id);
uint32_t mc_topology_add_idmap(struct mc_topology *t);
uint32_t mc_topology_add_mount(struct mc_topology *t);

/* The idmap that is said with this text: found; or added, empty, and *added. */
uint32_t mc_topology_get_idmap(struct mc_topology *t, const char *text, bool *added);
/* User namespace by its id, not 0: found, or added. */
uint32_t mc_topology_get_userns(struct mc_topology *t, uint64_t id);
/* Group by original id: found, or added. */
uint32_t mc_topology_get_group(struct mc_topology *t, uint64_t id);

/*
 * What is wrong with an absolute path without empty, "." or ".." components, or just
 * "/"; NULL: nothing.  With dots, it may begin with some "..".
 */
const char *mc_path_fault(const char *p, bool dots);
/* The part of mc_topology_finish() that checks each element by itself. */
int mc_topology_check(const struct mc_topology *t, struct mntcr_error *e);
/* Validate and derive.  Elements may be reordered; indices are rewritten. */
int mc_topology_finish(struct mc_topology *t, struct mntcr_error *e);
/* The same for what is left of a finished one. */
int mc_topology_again(struct mc_topology *t, struct mntcr_error *e);

/* On finished topologies. */
uint32_t mc_find_mount(const struct mc_topology *t, uint64_t id);
uint32_t mc_find_ns(const struct mc_topology *t, uint64_t id);
uint32_t mc_find_group(const struct mc_topology *t, uint64_t id);
/*
 * By what is printed of it: its label, "mnt:[INODE]" or the number within, its number
 * (from 0).  Returns how many are meant; *ns is one of these.
 */
uint32_t mc_ns_named(const struct mc_topology *t, const char *key, uint32_t *ns);
/* Digits only, and no more than fit. */
bool mc_parse_u64(const char *s, uint64_t *v);
/* MAJOR:MINOR, or the path in the first namespace of a mount of it. */
uint32_t mc_find_sb(const struct mc_topology *t, const char *key);
/*
 * MAJOR:MINOR, as a key of --external; or MAJOR:MINOR:ROOT of what was found outside.
 * malloc()ed; NULL without memory.
 */
char *mc_sb_key(const struct mc_sb *sb);
/* MAJOR:MINOR alone, as a --layer has it; likewise. */
char *mc_device_key(const struct mc_sb *sb);

/*
 * What an id of a user namespace is in the dumper's; false: it is not mapped, or
 * the maps on the way are not known.
 */
bool mc_userns_up(const struct mc_topology *t, uint32_t u, bool gid, uint32_t id,
		  uint32_t *up);
/* The id of its that stands for root, or where that is not mapped, its first. */
bool mc_userns_first_id(const struct mc_userns *u, bool gid, uint32_t *id);

/* --- shift.c ----------------------------------------------------------------- */

/* One id; MC_NO_ID stays. */
uint32_t mc_shifted(const struct mc_shifts *s, bool gid, uint32_t id);
/*
 * Is b what a is with all ids of the parent moved, each kind by as much?  Then the
 * ranges that are, at most as many as a has.
 */
bool mc_idmap_is_shifted(const struct mc_idmap *a, const struct mc_idmap *b,
			 struct mc_shift *list, uint32_t *nr);
struct mc_wrong;
/*
 * All that the image says of ids: of idmaps what they map to, and of what can be made
 * anew and is not the host's the options, files and contents.  s lives as long as t.
 */
int mc_topology_shift(struct mc_topology *t, const struct mc_shifts *s,
		      const struct mc_wrong *w, struct mntcr_error *e);

/* --- path.c ------------------------------------------------------------------ */

/* b is a or below it. */
bool mc_path_below(const char *a, const char *b);
/* strlen(), but 0 for "/". */
size_t mc_root_len(const char *root);
/* Bytes of leading "/..": a cgroup above the one that it was looked at from. */
size_t mc_path_dots(const char *path);

/* --- cgroup.c, stand-in.c ---------------------------------------------------- */

/*
 * mntcr_topology_map_cgroups() and mntcr_topology_stand_in(), which end with the first that
 * is wrong; where w is told of those, the others are applied, and t is to be looked at and
 * no more.
 */
int mc_topology_map_cgroups(struct mc_topology *t, const struct mntcr_cgroup_map *maps,
			    size_t nr, const struct mc_wrong *w, struct mntcr_error *e);
int mc_topology_stand_in(struct mc_topology *t, const char *const *keys, size_t nr,
			 const struct mc_wrong *w, struct mntcr_error *e);

/* --- unlinked.c ------------------------------------------------------------- */

/* Numbers the unlinked roots of a capture that has been finished. */
int mc_number_unlinked(struct mc_topology *t, struct mntcr_error *e);
/* What /proc/PID/uid_map says, to at most MC_MAX_IDMAP_EXTENTS; false: not that. */
bool mc_idmap_parse(const char *text, struct mc_idmap_extent *x, uint32_t *nr);
/* Is all of a range of ids mapped, by one extent?  Then to what. */
bool mc_idmap_range(const struct mc_idmap *m, bool gid, uint32_t id, uint32_t count,
		    uint32_t *to);
bool mc_idmap_same(const struct mc_idmap *a, const struct mc_idmap *b);
/* Which id is mapped to that one?  false: none. */
bool mc_idmap_back(const struct mc_idmap *m, bool gid, uint32_t to, uint32_t *id);

/* One that is known to be locked: the mount cannot be cloned without it. */
bool mc_has_locked_child(const struct mc_topology *t, uint32_t mount);
const char *mc_mount_source(const struct mc_topology *t, const struct mc_mount *m);
const char *mc_mount_options(const struct mc_topology *t, const struct mc_mount *m);

/* Path from the namespace's root, malloc()ed; NULL without memory. */
char *mc_mount_path(const struct mc_topology *t, uint32_t mount);
/*
 * Does a superblock ask nobody but the kernel and its disks?  And how many bytes at
 * the end of mc_mount_path() lead through such ones only?
 */
bool mc_sb_is_local(const struct mc_sb *sb);
size_t mc_local_way(const struct mc_topology *t, uint32_t mount);

/* The topmost mount whose mountpoint path resolves to; MC_NONE: none is there. */
uint32_t mc_mount_at(const struct mc_topology *t, uint32_t ns, const char *path);

/*
 * If something is mounted on the root of mount "on", propagation may make a
 * copy of it in mount r: the path of that copy from r's root ("/" if r is
 * "on"), or NULL if there is none.
 */
const char *mc_event_lands(const struct mc_topology *t, uint32_t on, uint32_t r);

/* NAMESPACE:/path for messages, escaped, cut to size. */
const char *mc_mount_name(const struct mc_topology *t, uint32_t mount,
			  char *buf, size_t size);

/* What flags are called in images and in output; ends with a NULL name. */
struct mc_word {
	const char *name;
	uint64_t bits;
	uint64_t mask;		/* the field that bits are a value of */
};

extern const struct mc_word mc_words_attr[];	/* MOUNT_ATTR_* */
extern const struct mc_word mc_words_lock[];	/* MOUNT_LOCK_* */
extern const struct mc_word mc_words_sb[];	/* MS_* of a superblock */
extern const struct mc_word mc_words_propagation[];
extern const struct mc_word mc_words_nstype[];
extern const struct mc_word mc_words_file[];	/* S_IFMT */
extern const char *const mc_whose_names[MC_NR_WHOSE];
/* What a namespace of that CLONE_NEW* type is called; NULL: there is none such. */
const char *mc_nstype_name(uint32_t type);

/* Nothing that is known of both differs. */
bool mc_file_same(const struct mc_file *a, const struct mc_file *b);
bool mc_mode_is_device(uint32_t mode);
/* A type whose files are in no other place, and whose mounts need theirs made. */
bool mc_type_in_memory(const char *type);
/* One whose files are on a device, or in layers, but for those that have no name any more. */
bool mc_type_on_device(const char *type);
bool mc_type_of_layers(const char *type);
/* Either of them. */
bool mc_type_elsewhere(const char *type);
/* Of an overlay: new files have a place in it. */
bool mc_layers_have_upper(const struct mc_sb *sb);
/* Does it show a pid namespace that a restore can make: a child of the dumper's? */
bool mc_sb_has_own_pidns(const struct mc_sb *sb);
/* Does it, as a sysfs or mqueue, show another namespace than the dumper's own? */
bool mc_sb_has_own_ns(const struct mc_sb *sb);
/*
 * Of which pid, net or ipc namespace is a mount, because its superblock shows it, or as its
 * file?  Of the first, by its inode number; of the others, by id.  false: not known.
 */
bool mc_mount_ns(const struct mc_topology *t, const struct mc_mount *m, uint32_t *type,
		 uint64_t *nr);
/* Whose that one is; MC_NONE: not known. */
uint32_t mc_sb_ns_owner(const struct mc_sb *sb);

/*
 * The next of a superblock's options, unescaped in place; false: that was all.
 * value is NULL where there is no "=".
 */
bool mc_next_option(char **rest, char **name, char **value);
/* Are those n bytes that word? */
bool mc_word_is(const char *s, size_t n, const char *word);
/* A flag of the superblock, or added by a security module by itself: not to be given. */
bool mc_is_sb_flag(const char *option);
/* Those of mountinfo: the superblock's flags come first; returns the filesystem's own. */
const char *mc_sb_flags(const char *options, uint32_t *flags);

/*
 * device.c: fn for each option that is not given to a device here, until one returns
 * other than 0: that; -1: no memory.
 */
int mc_device_options(const struct mc_sb *sb,
		      int (*fn)(void *data, const char *name, const char *value), void *data);
/* There is none. */
bool mc_device_is_plain(const struct mc_sb *sb);

/*
 * layers.c: the layers of an overlay as its options say, sb and path not known; the
 * topology's.  None where that cannot be told.  -1: no memory.
 */
int mc_layers_of(struct mc_topology *t, const struct mc_sb *sb,
		 struct mc_layer **layers, uint32_t *nr);
/* Which one the root of an overlay shows. */
uint32_t mc_layer_top(const struct mc_sb *sb);
/* The option that says it: "lowerdir", ... */
const char *mc_layer_option(enum mc_layer_kind kind);
/* Does an option of that name say layers? */
bool mc_layer_option_named(const char *name);
/* work.c: mc_sb.work of all, which goes by the layers. */
int mc_link_work(struct mc_topology *t, struct mntcr_error *e);
/* What of a superblock's files is the kernel's, for one mount of an overlay; by path. */
enum mc_scratch {
	MC_SCRATCH_NONE,
	MC_SCRATCH_DIR,		/* its times are */
	MC_SCRATCH_BELOW,		/* all of it is */
};
enum mc_scratch mc_scratch_at(const struct mc_sb *sb, const char *path);
/* Relative to where its mounter was, which nobody knows. */
static inline bool mc_layer_is_relative(const struct mc_layer *l)
{
	return l->text[0] != '/';
}

/* "01234567-89ab-cdef-0123-456789abcdef" and nothing else. */
bool mc_uuid_is_text(const char *s);
/* Of such a text: of a filesystem that has none. */
bool mc_uuid_is_nil(const char *s);

/* types.c: what is so of a type of filesystem. */
enum mc_type_kind {
	MC_TYPE_OTHER,		/* not known */
	MC_TYPE_DEVICE,		/* its files are on a block device */
	MC_TYPE_MEMORY,		/* files that are nowhere else */
	MC_TYPE_NAMESPACE,	/* shows a namespace */
	MC_TYPE_ONE_FOR_ALL,
	MC_TYPE_OF_ITS_OWN,	/* one for each mount, without files worth keeping */
	MC_TYPE_FILES,		/* of namespaces or processes */
	MC_TYPE_LAYERS,
	MC_TYPE_SERVER,		/* somebody answers for it */
};

struct mc_type {
	const char *name;
	enum mc_type_kind kind;
	bool fresh;		/* a restore can make one */
	const char *shows;	/* which namespace, by then of whoever makes it; or NULL */
	bool once;		/* a second one for that namespace is the same */
	/*
	 * There is one for all, or for each namespace, and opening it once more
	 * changes nothing of it.  debugfs, tracefs, devtmpfs take over the options
	 * of whoever opens them last: nothing changes if theirs are the defaults,
	 * which the first two show by not naming any.
	 */
	bool again, again_plain;
	bool lossy;		/* a new one is empty, whatever had been put into it */
};

/* Never NULL: whatever the table does not have is MC_TYPE_OTHER. */
const struct mc_type *mc_type_of(const char *name);
/* A bit of its own for each type of the table; 0 for others. */
uint64_t mc_type_bit(const struct mc_type *type);

#define mc_for_each_child(t, c, m)					\
	for ((c) = (t)->mounts[(m)].first_child; (c) != MC_NONE;	\
	     (c) = (t)->mounts[(c)].next_sibling)
#define mc_for_each_member(t, m, g)					\
	for ((m) = (t)->groups[(g)].first_member; (m) != MC_NONE;	\
	     (m) = (t)->mounts[(m)].next_member)

#endif /* MC_TOPOLOGY_H */
