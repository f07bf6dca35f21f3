/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reference model of mount propagation.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 *
 * The state is a set of mounts and two relations: which mounts are peers, and
 * which peer group is the master of a mount or of a peer group.  Filesystems
 * are reduced to a tree of directories, the same one for every superblock.
 * Every operation either succeeds and returns 0 (or the number of a new mount
 * or namespace), or returns -errno and changes nothing.
 */
#ifndef MODEL_H
#define MODEL_H

#include <stdbool.h>

#define MODEL_DETACHED	(-1)	/* ns of a mount not (yet) in any namespace */
#define MODEL_GONE	(-2)	/* ns of a mount that was unmounted */

struct model_mount {
	int ns;
	int sb;
	int root;	/* directory of the superblock that is its root */
	int parent;	/* mount, -1 for the root of a namespace */
	int at;		/* directory of the parent's superblock */
	int group;	/* peer group, 0 when not shared */
	int master;	/* master group when not shared: use model_master() */
	bool unbindable;
	bool locked;
	bool attr_locked;	/* what came from further up keeps its attributes */
};

struct model {
	const int *dirs;	/* parent of each directory; dirs[0] is 0 */
	const bool *removed;	/* directories that have been, or NULL: none */
	int nr_dirs;
	struct model_mount *mnt;
	int nr, cap;
	int *group_master;	/* master group of each peer group */
	int nr_groups, group_cap;
	int *owner;		/* owner of each namespace, 0: the initial one */
	int *origin;		/* of a tree that somebody holds: the namespace from within
				 * which it has been opened; else -1 */
	const int *above;	/* owner above each one, -1: none of these;
				 * NULL: 0 is above all, itself too */
	int nr_ns, ns_cap, origin_cap;
};

enum model_type { MODEL_PRIVATE, MODEL_SHARED, MODEL_SLAVE, MODEL_UNBINDABLE };

/* The flags of mount_setgroup(2). */
#define MODEL_SG_SHARED		0x1u
#define MODEL_SG_PEER		0x2u
#define MODEL_SG_MASTER		0x4u
#define MODEL_SG_SIBLING	0x8u

/* How many members it takes: fs.mount-max, as long as nobody has changed it. */
#define MODEL_MOUNT_MAX		100000

void model_init(struct model *m, const int *dirs, int nr_dirs);
void model_free(struct model *m);
int model_copy(struct model *to, const struct model *from);

/* A namespace with one private mount: the root of superblock @sb. */
int model_new_ns(struct model *m, int owner, int sb);
int model_clone_ns(struct model *m, int ns, int owner);
int model_ns_root(const struct model *m, int ns);

int model_mount(struct model *m, int sb, int root, int dst, int at);
int model_bind(struct model *m, int src, int root, int dst, int at, bool rec);
int model_move(struct model *m, int src, int dst, int at);
/* move_mount(2), MOVE_MOUNT_BENEATH: of an attached one, or of a new one. */
int model_move_beneath(struct model *m, int src, int over);
int model_mount_beneath(struct model *m, int sb, int root, int over);
/* By a process whose root directory is that of @root. */
int model_pivot_root(struct model *m, int root, int new, int old, int at);
int model_umount(struct model *m, int mnt, bool lazy);
/* rmdir(2) of that directory, where nothing is mounted for the caller. */
void model_rmdir(struct model *m, int dir);
int model_set_type(struct model *m, int mnt, enum model_type t, bool rec);
int model_setgroup(struct model *m, const int *member, int nr, int peer,
		   int master, unsigned int flags, int caller);

/*
 * Privilege.  @caps: the owners over which the caller is capable, a bit each;
 * what is not given it is not checked.
 */
int model_setgroup_caps(struct model *m, const int *member, int nr, int peer,
			int master, unsigned int flags, unsigned int caps);
/* MOVE_MOUNT_SET_GROUP, as it is with the series' first patch. */
int model_set_group(struct model *m, int from, int to, unsigned int caps);
/* open_tree(2) with OPEN_TREE_CLONE: a namespace of its own, @owner's, detached. */
int model_open_tree(struct model *m, int src, int root, bool rec, int owner);
/* move_mount(2) of all of such a namespace. */
int model_attach(struct model *m, int ns, int dst, int at);
/* Either by who is in the namespace @from. */
int model_open_tree_from(struct model *m, int src, int root, bool rec, int from);
int model_attach_from(struct model *m, int ns, int dst, int at, int from);
void model_drop_ns(struct model *m, int ns);

/* Who calls, and from where. */
struct model_caller {
	int ns;
	unsigned int caps;
};

/* OPEN_TREE_FOREIGN, then MOVE_MOUNT_T_FOREIGN, maybe with MOVE_MOUNT_UNLOCKED. */
enum { MODEL_BIND_REC = 1, MODEL_BIND_UNLOCKED = 2 };

int model_bind_foreign(struct model *m, int src, int root, int dst, int at,
		       unsigned int flags, const struct model_caller *who);

/* mount_setattr(2): what of a mount it is to change. */
struct model_attr {
	bool set_type;
	enum model_type type;
	bool lock;	/* MOUNT_LOCK_MOUNT */
	bool attrs;	/* an attribute, which has no effect here */
};

int model_setattr(struct model *m, int mnt, const struct model_attr *attr,
		  const struct model_caller *who);

/* Queries. */
bool model_detached(const struct model *m, int ns);
/* The namespace from within which a mount can be used. */
int model_used_from(const struct model *m, int mnt);
bool model_alive(const struct model *m, int mnt);
bool model_under(const struct model *m, int dir, int root);
int model_lookup(const struct model *m, int parent, int at);
/* MN, "Restrictions", 3: does a locked child cover something at @dir or below? */
bool model_lock_hides(const struct model *m, int mnt, int dir);
int model_master(const struct model *m, int mnt);
bool model_hears(const struct model *m, int receiver, int sender);
bool model_in_tree(const struct model *m, int mnt, int top);

/* Internal consistency: NULL, or what is wrong. */
const char *model_check(const struct model *m);
/* Directories may have been renamed, so that mountpoints lie elsewhere. */
const char *model_check_renamed(const struct model *m);
/* The same up to the numbers of mounts and groups: NULL, or what differs. */
const char *model_differ(const struct model *a, const struct model *b);

/*
 * In the mutants of the model one rule each is broken, so that the tests can
 * be tested.  In the model itself BROKEN() is 0.
 */
enum model_mutant {
	MUT_NONE,
	MUT_SLAVE_SENDS,	/* a slave sends to its master */
	MUT_DIRECT_SLAVES,	/* propagation stops at the first slave */
	MUT_NO_VISIBILITY,	/* the mountpoint need not be below the root */
	MUT_COPY_PRIVATE,	/* copies at peers are not peers */
	MUT_COPY_MASTER_TOP,	/* copies at slaves of slaves: master too high */
	MUT_COPY_NOT_SHARED,	/* copies at shared slaves are not shared */
	MUT_ON_TOP,		/* propagated mounts cover instead of being tucked */
	MUT_LAST_PEER,		/* slaves are lost with the last peer */
	MUT_LEAVE_TAKES,	/* slaves are lost with any peer that leaves */
	MUT_SLAVE_OF_MASTER,	/* a new slave skips the group it left */
	MUT_UMOUNT_ALONE,	/* umount does not propagate to slaves */
	MUT_UMOUNT_BUSY,	/* umount takes receivers that have children */
	MUT_UMOUNT_UNDER,	/* umount takes what was mounted on a copy */
	MUT_BIND_FRESH,		/* a bind of a shared mount is not its peer */
	MUT_BIND_UNBINDABLE,	/* a recursive bind copies unbindable mounts */
	MUT_MOVE_NO_SHARE,	/* what moves below a shared mount stays private */
	MUT_MOVE_FROM_SHARED,	/* moving away from a shared parent is allowed */
	MUT_CLONE_SLAVE,	/* a cloned namespace only receives */
	MUT_SHARED_FORGETS,	/* a slave made shared loses its master */
	MUT_SETGROUP_MASTER,	/* a joining peer does not inherit the master */
	MUT_MAX,
	/* rules of privilege: for tests/priv.c */
	MUT_PRIV = MUT_MAX,	/* none */
	MUT_CAPABLE_MEMBER,	/* members may be anywhere */
	MUT_CAPABLE_NAMED,	/* what is joined may be anywhere */
	MUT_PRIVATE_ONLY,	/* members may be shared, or slaves */
	MUT_SUPERBLOCK,		/* members may be of another superblock */
	MUT_UNBINDABLE,		/* members may be unbindable */
	MUT_ROOTS,		/* containment: roots don't matter */
	MUT_OBSTRUCTED,		/* containment: locks don't matter */
	MUT_UNBOUNDED,		/* containment: none is needed */
	MUT_UNBOUNDED_ABOVE,	/* or privilege over the nearest ring only */
	MUT_UNBOUNDED_BELOW,	/* or privilege, but not over what receives */
	MUT_PAIR_LOCK,		/* pairs: locks don't matter */
	MUT_PAIR_OWNER,		/* pairs: owners don't matter */
	MUT_PAIR_UNCONTAINED,	/* pairs: only where a member has a child */
	MUT_FOREIGN_SOURCE,	/* a foreign source may be anywhere */
	MUT_FOREIGN_DEST,	/* a foreign destination may be anywhere */
	MUT_CLONE_LOCKED,	/* a clone may leave locked children out */
	/* for tests/foreign.c and privsweep */
	MUT_FOREIGN,
	MUT_ATTACH_FREE = MUT_FOREIGN,	/* what is attached is not locked */
	MUT_ATTACH_ALWAYS,	/* it is, whoever the destination belongs to */
	MUT_ATTACH_SAME_OWNER,	/* it is, but for the caller's own owner */
	MUT_ATTACH_UNLOCKED,	/* the flag makes no difference */
	MUT_ATTACH_COPIES,	/* copies are not locked along */
	MUT_ATTACH_COPIES_OWN,	/* nor for another owner than the destination's */
	MUT_ATTACH_ROOT,	/* its root is locked as well */
	MUT_LOCK_OWNER,		/* an owner may lock, too */
	MUT_TYPE_HERE,		/* types are for the caller's namespace only */
	MUT_TYPE_OWNER,		/* types may be set anywhere */
	MUT_ATTR_ANYWHERE,	/* attributes are not for one's own mounts only */
	MUT_TOO_MANY,		/* too many members are E2BIG */
	MUT_GATE,		/* the first member is looked at with the others */
	MUT_PRIV_MAX,
	/* of detached trees that are held: for histories, and tests/foreign.c */
	MUT_HELD = MUT_PRIV_MAX,
	MUT_HELD_RECEIVES = MUT_HELD,	/* they get what is mounted elsewhere */
	MUT_HELD_KEEPS,		/* they keep what is unmounted elsewhere */
	MUT_HELD_SOURCE,	/* what is in them is opened from anywhere */
	MUT_HELD_DEST,		/* anybody attaches to them */
	MUT_HELD_SILENT,	/* what is attached to them goes nowhere else */
	MUT_HELD_MAX
};

#ifdef MODEL_MUTANTS
extern enum model_mutant model_mutant;
extern const char *const model_mutant_names[];
#define BROKEN(x)	(model_mutant == (x))
#else
#define BROKEN(x)	false
#endif

#endif
