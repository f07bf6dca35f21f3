/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The plan: a finished topology turned into an ordered list of operations.
 * Making it is a pure function of the topology and the options: no system
 * calls, the same plan for the same input, near linear in the mounts.
 *
 * Every restored mount is a clone (OPEN_TREE_CLONE) of a *source*: a mount of the
 * same superblock that exists already or is made for the purpose.  Sources that
 * serve more than one clone are kept, with nothing mounted below them, in the
 * *scratch tree*: a tree of mounts of the restorer's own, which goes in the end.
 * A *temporary mount* lives there too: one that a peer group needs while it is
 * made and that the image does not have.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef MC_PLAN_H
#define MC_PLAN_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "mntcr-stages.h"
#include "base/base.h"
#include "topology/topology.h"

/*
 * What an operation works on: a kind in the two top bits, an index below.  From
 * the operation that makes it to the RELEASE that lists it, the restorer has one
 * descriptor open of whatever a reference names.
 */
typedef uint32_t mc_ref;

#define MC_REF_MOUNT		0U	/* the restored counterpart of a mount of the image */
#define MC_REF_TEMP		1U	/* a temporary mount, see above */
#define MC_REF_SRC		2U	/* a source, see above */
#define MC_REF_NS		3U	/* the mount (nullfs) that a new namespace starts with */
#define MC_REF(kind, i)		((mc_ref)((kind) << 30 | (i)))
#define MC_REF_KIND(r)		((r) >> 30)
#define MC_REF_INDEX(r)		((r) & 0x3fffffffU)

enum mc_src_kind {
	MC_SRC_LIVE,		/* a mount of the original namespace, which still exists */
	MC_SRC_SUB,		/* a path below another source */
	MC_SRC_FRESH,		/* a new superblock: fsopen(2) */
	/*
	 * a superblock that exists, reached by fsopen(2) again: the kernel
	 * gives the same one, with another source text
	 */
	MC_SRC_AGAIN,
	MC_SRC_EXTERNAL,	/* --external: a path stands for a root of the superblock */
	MC_SRC_NSFILE,		/* the file of a namespace that is restored */
	MC_SRC_NSMADE,		/* that of a net or ipc namespace that is made for it, or
				   of a user namespace that the image knows */
	MC_SRC_MASTER,		/* --external-master: a shared mount, named as a master */
	MC_SRC_GIVEN,		/* by the caller, at a stage */
};

/*
 * Of an overlay that is made: its layers are put below MC_LAYERS_IN, and each string
 * is made to lead there.
 */
#define MC_LAYERS_IN	"/.mntcr"
#define MC_LAYERS_CWD	MC_LAYERS_IN "/cwd"

struct mc_made_layer {
	uint32_t src;		/* that it is cloned from; MC_NONE: it is found from the
				   directory that an option says */
	uint32_t with;		/* the layer whose clone it is in: itself, or of the work
				   directory, the upper one */
	const char *below;	/* path in the clone, with its "/", or "" */
	const char *at;		/* where its string leads to, if that can be had */
};

struct mc_src {
	enum mc_src_kind kind;
	uint32_t sb;
	uint32_t index;		/* LIVE, NSMADE: mount, NSFILE: ns, FRESH: first node,
				   EXTERNAL, MASTER: option, AGAIN: the mount
				   whose source it has, GIVEN: need */
	uint32_t instead;	/* AGAIN: the EXTERNAL source that it is opened once more
				   in place of; or MC_NONE */
	uint32_t nr_nodes;	/* FRESH */
	uint32_t unlinked, nr_unlinked; /* FRESH, EXTERNAL: first of its unlinked roots */
	bool finish;		/* FRESH, in memory: it is written to after it is made, for
				   unlinked roots in it, or for an overlay whose upper
				   directory it has: what prevents that comes with FINISH */
	uint32_t finish_need;	/* once this is given and what waits for it is made;
				   MC_NONE: it waits for nothing; nr_needs: in the end */
	uint32_t shown_by;	/* FRESH, AGAIN, showing a namespace that is made: a mount
				   of it, of its root if there is one; NSMADE: of what
				   shows it, or MC_NONE */
	uint32_t base;		/* SUB: the source it is below */
	const char *path;	/* SUB: relative path; EXTERNAL: the root; FRESH: the
				   device, if it is of one */
	uint32_t uses;		/* clones and subs that are made from it */
	uint32_t attr_of;	/* if scratch: the mount whose attributes it gets, so
				   that its clones need not be given them one by one */
	bool scratch;		/* kept in the scratch tree */
	bool covered;		/* LIVE, stock kernels: no path leads to it, so its tree
				   is copied and what covers it is unmounted there */
	bool copied;		/* LIVE, unbindable: from a copy of its namespace, where
				   it is made private */
	bool with_unlinked;	/* LIVE, copied: cloned with those of its children whose
				   root is unlinked */
	bool along;		/* LIVE, unlinked root: it comes with its parent, and
				   is never opened */
	bool direct;		/* FRESH, AGAIN, used once: attached itself, not a
				   clone of it */
	bool inline_path;	/* SUB, path of one component: open_tree(2) resolves it,
				   no descriptor of its own */
	uint32_t owner;		/* FRESH, NSMADE: the user namespace that it is made in,
				   or is the file of; MC_NONE: the caller's */
	uint32_t need;		/* FRESH, GIVEN: that has to be given first; or
				   MC_NONE */
	struct mc_made_layer *layers; /* FRESH, of an overlay: one for each of its
				   superblock; else NULL */
	uint32_t layer_option;	/* --layer; or MC_NONE */
	uint32_t device;	/* FRESH: --device, whose path is path; or MC_NONE */
	bool other_layers;	/* its strings cannot be had as they are; */
	bool one_by_one;	/* but each by itself, if the kernel has an option for that */
	bool by_mount;		/* all as they are, by mount(2), which takes a page of them */
	bool opened;		/* while planning: its operation is in the list */
};

enum mc_op_type {
	MC_OP_NS,		/* make namespace obj, empty */
	MC_OP_OPEN,		/* open source obj where it is */
	MC_OP_BASE,		/* clone source obj into the scratch tree.  With arg, the
				   source is covered: clone it from a copy of the live
				   mount arg and all below, in which the mounts of
				   list are unmounted first.  With unlinked ones, they
				   are in a copy of its namespace */
	MC_OP_FRESH,		/* make superblock of source obj; list: nodes */
	MC_OP_SUBROOT,		/* open source obj (SUB): its path below its base */
	MC_OP_CLONE,		/* clone source arg: a detached mount, its attributes
				   set, which obj refers to from here on */
	MC_OP_ATTACH,		/* attach obj to arg (mount or namespace root) at path */
	MC_OP_PLACE,		/* open path in arg, where obj, which waits, will be
				   attached: later mounts may hide it */
	MC_OP_GROUP,		/* make the mounts in list one peer group, or slaves, or
				   both: flags as of mount_setgroup(2), arg its target */
	MC_OP_UNLINK,		/* unlink again what mounts of source obj's superblock
				   have for roots; list: unlinked roots */
	MC_OP_FINISH,		/* nothing is written to the superblock of source obj any
				   more: set its inode flags, its number of inodes, and
				   read-only */
	MC_OP_LOCK,		/* set obj's locks (MNT_LOCKED, MNT_LOCK_*) */
	MC_OP_DETACH,		/* obj, the root of a namespace that stands for a detached
				   tree: clone all of it, to be handed out; with MC_WHOLE
				   it is that tree itself, and attached nowhere */
	MC_OP_RELEASE,		/* close the descriptors of what is in list */
	MC_NR_OPS,
};

struct mc_op {
	uint8_t type;
	uint8_t flags;		/* GROUP: MOUNT_SETGROUP_*; else see below */
	mc_ref obj;
	mc_ref arg;		/* GROUP: the peer, the master, the sibling */
	uint32_t first, nr;	/* its part of mc_plan.list; FRESH: of mc_plan.nodes,
				   UNLINK: of mc_plan.unlinked */
	const char *path;
};

/*
 * RELEASE: closed for lack of descriptors, although a later operation needs these
 * mounts.  Their unique ids are noted first, by which they are opened again.
 */
#define MC_SPILL		1
/* CLONE: the source is private and has the mount's attributes: nothing to set. */
#define MC_PLAIN		1
/* CLONE: the source has not the mount's idmap, which is set. */
#define MC_IDMAP		2
/* DETACH: it has been detached all the time. */
#define MC_WHOLE		1
/* ATTACH: it came with arg, the parent, and is opened there. */
#define MC_ALONG		1
/* ATTACH: at the place that has been opened for it. */
#define MC_PLACED		2
/* BASE with arg: the earlier copy lacks the mount by now; a new one is made. */
#define MC_NEW_COPY		1

/* Attributes that a clone is given in any case; its source's idmap it keeps. */
#define MC_ATTRS (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | \
		  MOUNT_ATTR_NOEXEC | MOUNT_ATTR__ATIME |		     \
		  MOUNT_ATTR_NODIRATIME | MOUNT_ATTR_NOSYMFOLLOW)

/* Of what must exist in fresh filesystems, all together. */
#define MC_MAX_NODE_BYTES	(64U << 20)
#define MC_MAX_NODE_NAMES	(8 * MC_MAX_MOUNTS)

/* Something that must exist in a fresh filesystem; "" is its root. */
struct mc_node {
	const char *path;
	/* NULL: nothing is known but whether it is a directory (dir) */
	const struct mc_file *file;
	bool dir;
	uint32_t mount;		/* that shows it: a root of it, or what it is on */
};

/*
 * An unlinked root of mounts of a fresh superblock, on a device or in an overlay.  No call attaches what
 * has been unlinked already: it is made in a directory that only the restore gets into,
 * by its number, attached, given the name that it had, and unlinked.
 */
struct mc_unlinked {
	uint32_t nr;		/* as in the image */
	const char *made_as, *path; /* below the superblock's root */
	mode_t type;		/* 0: not known */
};

/* A temporary mount: the image has none like it, a group needs it for a while. */
struct mc_temp {
	uint32_t src;
	uint32_t sb;
	const char *root;
	bool keep_sharing;	/* stays in the group of the source it is cloned from */
};

/* Where a superblock comes from. */
enum mc_from_kind {
	MC_FROM_NOTHING,	/* nothing is mounted of it */
	MC_FROM_LIVE,		/* mounts of live namespaces */
	MC_FROM_FRESH,		/* it is made */
	MC_FROM_EXTERNAL,
	MC_FROM_FILES,		/* files of namespaces that are restored */
	MC_FROM_GIVEN,		/* by the caller, at a stage */
};

struct mc_from {
	enum mc_from_kind kind;
	const char *refused;	/* the rule by which some of it is not had; or NULL */
	uint32_t nr_refused;	/* so many of its mounts */
	uint32_t need;		/* that all of it waits for, or what it will show; or
				   MC_NONE */
	uint32_t nr_given;	/* so many of its mounts are given each by itself */
};

/* Something that is given: operations make sources of it that mounts are cloned from. */
struct mc_need {
	enum mntcr_given_kind kind;
	uint64_t id;		/* mntcr-stages.h says of what */
	bool chosen;		/* by the caller: it could be made */
	uint32_t mount;		/* the first that is of it; of a namespace, and no file */
	uint32_t nr_mounts;
	uint32_t first_op, nr_ops;
};

/*
 * Mounts that become possible together: one of what is given, and all that is mounted
 * on it, down to the next that waits for something else.
 */
struct mc_part {
	uint32_t need;
	uint32_t owner_need;	/* of a namespace's root: for the namespace; or MC_NONE */
	uint32_t top;		/* the mount that all others are on */
	uint32_t above;		/* the part that this one is mounted on; MC_NONE: what is
				   placed */
	uint32_t first_op, nr_ops;
};

struct mc_plan {
	const struct mc_topology *topo;
	enum mntcr_api api;
	/*
	 * Trees are built detached and attached when they are complete, so that
	 * nobody sees them half made.  Each counts as a namespace meanwhile
	 * (user.max_mnt_namespaces): with more than these, roots go first.
	 */
#define MC_MOST_TREES	32
	bool roots_last;
	/*
	 * Operations before place_end place mounts, all private; those from share_first
	 * make groups, types of namespace roots and locks.  Between lie those of needs
	 * and parts, whose order is that in which things are given.
	 */
	uint32_t place_end, share_first;
	bool staged, waits;	/* waits: for what is given */
	struct mc_need *needs;
	struct mc_part *parts;	/* each after the one that it is on */
	uint32_t *part_of;	/* per mount: MC_NONE: it is placed; NULL: all are */
	uint32_t nr_needs, max_needs, nr_parts, max_parts;
	struct mc_map *need_of[MNTCR_NR_GIVEN_KINDS];	/* by id */
	struct mc_op *ops;
	mc_ref *list;
	struct mc_src *srcs;
	struct mc_temp *temps;
	struct mc_node *nodes;
	struct mc_unlinked *unlinked; /* by superblock and number */
	uint32_t *src_of;	/* per mount: the source that it is cloned from */
	uint32_t nr_ops, nr_list, nr_srcs, nr_temps, nr_nodes, nr_unlinked;
	uint32_t max_ops, max_list, max_srcs, max_temps, max_nodes, max_unlinked;
	bool *whole;		/* per namespace: a detached tree that is built detached, so
				   that nothing propagates into it and its root and types
				   may be any; NULL: none */
	uint32_t *owners;	/* user namespaces to be made, parents first */
	uint32_t nr_owners;
	uint32_t *owner_need;	/* per user namespace; NULL: none waits */
	uint32_t peak_fds;	/* most descriptors that are open at once */
	struct mc_from *from;	/* per superblock */
	bool *orphan;		/* per group outside: nothing names it to its slaves */
	uint64_t steps;		/* comparisons and visits: for tests of linearity */
	/* per --external, the caller's: what a clone of it shows; or NULL */
	char *const *external_sources;
	const int8_t *external_read_only; /* its superblock: 0 or 1, -1: not known; or NULL */
	const struct mntcr_external *externals;
	struct mc_arena_chunk *strings;
	struct mc_plan_priv *priv;	/* only while planning */
};

/* In mntcr_external.reserved[0]: it is --host that says so (execute/host.c). */
#define MC_BY_HOST	1

#define MC_ASIDE_LEN	16

struct mc_plan_options {
	enum mntcr_api api;		/* not AUTO */
	const bool *ns_live;		/* per namespace; NULL: none */
	const bool *again;		/* per superblock: fsopen(2) gives that
					   very one; NULL: none */
	bool prefer_fresh;		/* fresh before live where either would do */
	/*
	 * make proc, sysfs and mqueue anew too, which then show the caller's
	 * pid, network and ipc namespaces
	 */
	bool caller_namespaces;
	const struct mntcr_external *externals, *masters, *layers, *devices;
	uint32_t nr_externals, nr_masters, nr_layers, nr_devices;
	/* if they are known already: mc_plan.external_sources, external_read_only */
	char *const *external_sources;
	const int8_t *external_read_only;
	/*
	 * per --external: the mc_type_bit() of what is there, if fsopen(2) gives the
	 * superblock whose root that is, and changes nothing of it; else 0.  NULL: none
	 */
	const uint64_t *external_again;
	/*
	 * unlinked roots that are made anew: the end of the name of the directory that
	 * they are made in, which nobody can know.  NULL: not known yet
	 */
	const char *aside;
	uint32_t batch;			/* descriptors per release; 0: 256 */
	uint32_t fd_budget;		/* 0: no limit */
	bool keep_fds;			/* the caller wants every mount's */
	bool no_detached;		/* nobody takes detached trees, */
	bool will_capture;		/* and what is made will be captured */
	bool ignore_locks;
	/* for each refusal, before mc_plan_make() fails; may be NULL */
	void (*refused)(void *data, const struct mntcr_refusal *refusal);
	/* for each key that names nothing, or what another does; the same; may be NULL */
	void (*wrong_key)(void *data, const char *text);
	/*
	 * Once it is known where everything comes from, also if some of it has been
	 * refused: then src_of has MC_NONE for some mounts, and there are no
	 * operations.  The plan is not to be kept.
	 */
	void (*decided)(void *data, const struct mc_plan *p);
	void *data;
	/* what can't be made is waited for, and this, too */
	bool staged;
	const struct mntcr_given *give;
	uint32_t nr_give;
	bool no_own_locks;	/* the caller may not lock what belongs to its owner */
	uint32_t userns_level;	/* the caller's user namespace is at least so many
				   levels below the initial one */
	bool no_setgroups;	/* in the caller's user namespace */
	bool no_empty_pidns;	/* no pid namespace is had that nobody is in */
	bool whole_trees;	/* upstream: namespaces can be made empty, and
				   detached trees mounted on and grouped */
};

int mc_plan_make(const struct mc_topology *t, const struct mc_plan_options *o,
		 struct mc_plan **plan, struct mntcr_error *e);
void mc_plan_free(struct mc_plan *p);
/*
 * One more of what is refused beside the plan: o is told of it, and the first of *nr is
 * the error.
 */
void mc_refuse_beside(const struct mc_plan_options *o, struct mntcr_error *e, uint32_t *nr,
		      const struct mntcr_refusal *refusal);
/* The error is the first refusal: say that there are nr more. */
void mc_more_refusals(struct mntcr_error *e, uint32_t nr);
/*
 * Is the source made by fsopen(2), rather than found among mounts that exist?
 */
static inline bool mc_src_is_opened(const struct mc_src *s)
{
	return s->kind == MC_SRC_FRESH || s->kind == MC_SRC_AGAIN;
}

/* The source that this one is below in the end, or itself. */
static inline uint32_t mc_src_base(const struct mc_plan *p, uint32_t src)
{
	while (p->srcs[src].kind == MC_SRC_SUB)
		src = p->srcs[src].base;
	return src;
}

const char *mc_need_kind_name(enum mntcr_given_kind kind);
bool mc_need_is_ns(enum mntcr_given_kind kind);
/* Does a superblock show such namespaces? */
bool mc_need_is_shown(enum mntcr_given_kind kind);
/* That a user namespace waits for, given late or made in such a one; or MC_NONE. */
uint32_t mc_plan_owner_need(const struct mc_plan *p, uint32_t u);
/* That the mount waits for, which has a source; or MC_NONE. */
uint32_t mc_plan_need_of(const struct mc_plan *p, uint32_t mount);
/* Does a source show a namespace, or is its file, that is given at a stage? */
bool mc_plan_is_ns_given(const struct mc_plan *p, const struct mc_src *s);
/*
 * Whose a pid, net or ipc namespace is that is given, by a mount that waits for it; MC_NONE:
 * the image does not say.
 */
uint32_t mc_plan_ns_owner(const struct mc_plan *p, enum mntcr_given_kind kind, uint32_t mount);
/* As it is written: MAJOR:MINOR of a superblock, else a number. */
void mc_need_id_text(enum mntcr_given_kind kind, uint64_t id, char *buf, size_t size);
bool mc_plan_find_need(const struct mc_plan *p, enum mntcr_given_kind kind, uint64_t id,
		       uint32_t *need);

/* Is it idmapped, and its source not? */
bool mc_plan_sets_idmap(const struct mc_plan *p, uint32_t mount);
/* The source that the mount will be restored with; NULL: not known. */
const char *mc_plan_source_of(const struct mc_plan *p, uint32_t mount);
/* Does it differ from the source in the image? */
bool mc_plan_source_differs(const struct mc_plan *p, uint32_t mount);
/*
 * The next thing that will be other than it was, beside the sources of mounts, from *at on,
 * 0 at first; what: "host", one of the host's is made anew, or stood in for; "layers", an
 * overlay will show other strings; "read-only", what stands for a superblock is, and that was
 * not, or the other way round.  false: that was all.
 */
bool mc_plan_next_difference(const struct mc_plan *p, uint32_t *at, const char **what,
			     char *line, size_t size);
/* Where it is from which a string leads, while the overlay is made. */
static inline const char *mc_layer_in(const char *text)
{
	return *text == '/' ? "" : MC_LAYERS_CWD;
}
/* Of fsconfig(2), with the NUL: it gives EINVAL for more. */
#define MC_FSCONFIG_MAX	256
/* Of mount(2)'s, all of them: less than this on all machines. */
#define MC_MOUNT_DATA_MAX 4096
int mc_plan_print(const struct mc_plan *p, bool json, FILE *out,
		  struct mntcr_error *e);
const char *mc_op_name(enum mc_op_type type);

/* An order in which everything below a path follows it directly. */
int mc_path_cmp(const char *a, const char *b);

#endif /* MC_PLAN_H */
