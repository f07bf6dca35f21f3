/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the planning stages tell one another and the finished plan forgets.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef MC_PLAN_PRIV_H
#define MC_PLAN_PRIV_H

#include "plan/plan.h"

/*
 * How a mount of a live namespace is reached on stock kernels, which have no
 * NS_MNT_OPEN.
 */
enum mc_hidden {
	MC_SEEN,	/* a path from the namespace's root leads there */
	MC_COVERED,	/* once what covers it is unmounted, in a copy of the tree */
	MC_SEALED,	/* not at all: what covers it is locked or not copied */
	MC_FILED,	/* nor this: a copy would have a mount namespace's file */
};

enum mc_sb_mode {
	MC_SB_LIVE,
	MC_SB_FRESH,
	MC_SB_EXTERNAL,
};

struct mc_sb_plan {
	enum mc_sb_mode mode;
	uint32_t src;			/* FRESH: the one at "/" */
	uint32_t first_wide, nr_wide;	/* LIVE: in priv->wide; EXTERNAL: in priv->exts */
	const char *refused;		/* rule by which it, or some of its mounts, can't
					   be had from there; or NULL */
};

/*
 * A live mount that can be cloned, and whose root no other such mount of the
 * superblock contains: what is wide serves every root below.
 */
struct mc_wide {
	uint32_t mount;
	uint32_t src;			/* MC_NONE until wanted */
};

/* What an --external says: of that superblock, what is below root. */
struct mc_ext {
	uint32_t sb;
	uint32_t option;
	const char *root;
	uint32_t src;			/* MC_NONE until wanted */
	uint32_t up;			/* the nearest one that contains it, or MC_NONE */
};

/* What an --external stands for that names a namespace, as the root of its file does. */
struct mc_ext_ns {
	uint32_t type, option;
	uint64_t ino;
	uint32_t src;			/* MC_NONE until wanted */
};

/* A superblock that shows a namespace, the one that the image numbers so. */
struct mc_shown {
	uint32_t type;			/* CLONE_NEWPID, _NEWNET, _NEWIPC */
	uint64_t nr;			/* inode number of a pid namespace, id of others */
	bool made;			/* with a new one; else with one that is there */
	uint32_t mount;			/* the first of its that is had */
};

/* The lowest directory of a superblock that contains the roots of some mounts. */
struct mc_area {
	const char *path;	/* len bytes of it; NULL: nothing yet */
	size_t len;		/* 0: "/" */
	bool deleted;
	bool none;		/* no directory contains them all */
};

/* Refusals that were told, and the one that more mounts may belong to. */
struct mc_refusing {
	uint32_t nr;
	struct mntcr_error first;
	const char *rule;	/* NULL: there is none */
	char text[600], help[256];
	uint32_t *mounts;
	uint32_t nr_mounts, max_mounts;
};

struct mc_sb_by_device {
	uint64_t device;		/* MNTCR_DEVICE() */
	uint32_t sb;
};

struct mc_sb_by_source {
	const char *source;		/* of it, or of a mount of it */
	uint32_t sb;
};

struct mc_ns_by_file {
	uint32_t type;
	uint64_t ino;
	uint32_t mount;			/* one of its file */
	struct mc_ext_ns *ext;		/* what stands for it; or NULL */
};

struct mc_plan_priv {
	uint32_t *ns_order;
	uint32_t *order;		/* steps: mount << 1 clones it, mount << 1 | 1
					   attaches it */
	uint32_t nr_order;
	uint8_t *hidden;		/* enum mc_hidden */
	uint32_t *seen_above;		/* nearest mount above that a path leads to */
	uint32_t *cover;		/* what is mounted on its root, or MC_NONE */
	bool *is_above;			/* of some sibling */
	uint32_t *above;		/* nearest sibling whose mountpoint is above its
					   own, which hides it; or MC_NONE */
	bool *owner_made;		/* per user namespace: in mc_plan.owners */
	bool *owner_live;		/* the owner of a live source */
	struct mc_sb_plan *sb;
	uint64_t node_bytes, node_names; /* in fresh superblocks; shared parts of
					   paths are counted each time */
	uint64_t fresh_once;		/* types (mc_type_bit()): planned already, and
					   the kernel makes no second one */
	struct mc_wide *wide;
	uint32_t nr_wide;
	struct mc_ext *exts;		/* by superblock and root */
	uint32_t nr_exts;
	struct mc_ext_ns *ext_ns;
	uint32_t nr_ext_ns;
	struct mc_shown *shown;		/* by type, number and made */
	uint32_t nr_shown;
	struct mc_sb_by_device *by_device; /* of all superblocks; NULL: without keys */
	struct mc_sb_by_source *by_source;
	uint32_t nr_by_source;
	struct mc_ns_by_file *by_file;	/* by type and number; the same */
	uint32_t nr_by_file;
	uint32_t nr_wrong_keys;		/* of options */
	uint32_t *external_of;		/* per superblock: the first of exts, or MC_NONE */
	uint32_t *layer_of;		/* per superblock: --layer, or MC_NONE */
	uint32_t *device_of;		/* the same, --device */
	uint32_t *master_of;		/* per group: option, or MC_NONE */
	mc_ref *leader;			/* per group: the mount by which others join it or
					   become its slaves */
	mc_ref *from_mount, *from_group; /* per slave: the mount by which its master is
					   named, a member or a slave of it */
	const struct mc_plan_options *opts;
	struct mc_refusing refusing;
};

/*
 * In the order of the files: each needs those before it and no others.
 */

/* --- parts.c: false, NULL, MC_NONE: no memory ------------------------------ */

struct mc_plan *mc_plan_new(const struct mc_topology *t);
/* What only planning needs goes; mc_plan_free() takes the rest. */
void mc_plan_forget(struct mc_plan *p);
struct mc_op *mc_plan_op(struct mc_plan *p, enum mc_op_type type, mc_ref obj);
/* A reference more for the last operation's list; op->nr is the caller's. */
bool mc_plan_list(struct mc_plan *p, mc_ref r);
/* n bytes that live as long as the plan. */
char *mc_plan_alloc(struct mc_plan *p, size_t n);
uint32_t mc_plan_new_src(struct mc_plan *p, enum mc_src_kind kind, uint32_t sb,
			 uint32_t index);
uint32_t mc_plan_new_temp(struct mc_plan *p, uint32_t src, uint32_t sb,
			  const char *root, bool keep_sharing);

/* --- path.c (the rest is in plan.h) ---------------------------------------- */

/* Namespace files have names, cgroups seen from below "..": no paths. */
bool mc_plan_is_path(const char *root);

/* --- refuse.c ---------------------------------------------------------------- */

/*
 * Mounts, perhaps none, cannot be restored, and why; help: what would help, or
 * "".  Planning goes on, to find what else cannot.  -1: no memory.
 */
int mc_plan_refuse(struct mc_plan *p, struct mntcr_error *e, const char *rule,
		   const uint32_t *mounts, uint32_t nr, const char *help,
		   const char *fmt, ...) __attribute__((format(printf, 7, 8)));
/* When all have been found: -1 if there were any. */
int mc_plan_refused(struct mc_plan *p, struct mntcr_error *e);

/* --- need.c (the rest is in plan.h) ---------------------------------------- */

/* Once it is known which owners are live: which wait. */
int mc_plan_choose_owners(struct mc_plan *p, struct mntcr_error *e);
/* First: what the caller wants to give. */
int mc_plan_choose_needs(struct mc_plan *p, const struct mc_plan_options *o,
			 struct mntcr_error *e);
/*
 * What has to be given for the superblock, MC_NONE: nothing; had: it is to be had
 * otherwise.
 */
int mc_plan_sb_need(struct mc_plan *p, uint32_t sb, bool had, uint32_t *need,
		    struct mntcr_error *e);
/* The same of one mount, whose source it becomes. */
int mc_plan_mount_need(struct mc_plan *p, uint32_t mount, bool had,
		       struct mntcr_error *e);
/* What a namespace of that CLONE_NEW* type is given as; MNTCR_NR_GIVEN_KINDS: nothing. */
enum mntcr_given_kind mc_need_of_nstype(uint32_t type);
/* The namespace of a file is given, as that which superblocks show may be. */
bool mc_plan_file_need(const struct mc_plan *p, const struct mc_mount *m, uint32_t *need);
/* Of a process, or of a terminal that one has open: not in a new superblock. */
bool mc_plan_root_needs_process(const struct mc_sb *sb, const char *root);
/* Once all have: is whatever was chosen waited for? */
int mc_plan_check_needs(struct mc_plan *p, struct mntcr_error *e);

/* --- area.c ----------------------------------------------------------------- */

/* Is some mount of the image a member of the group? */
bool mc_plan_internal(const struct mc_topology *t, uint32_t g);
/* Groups by depth, so that a master comes before its slaves; to be freed. */
uint32_t *mc_plan_by_depth(const struct mc_topology *t);
/*
 * For each group, in that order: the lowest directory that contains the roots
 * of its members and of all mounts that receive from it.
 */
void mc_plan_find_areas(const struct mc_topology *t, const uint32_t *order,
			struct mc_area *areas);
bool mc_plan_is_area(const struct mc_mount *m, const struct mc_area *a);
char *mc_plan_area_path(struct mc_plan *p, const struct mc_area *a);
/* With its members, or where it has none, those that receive from it. */
int mc_plan_refuse_group(struct mc_plan *p, uint32_t g, const char *rule,
			 const char *help, const char *what,
			 struct mntcr_error *e);

/* --- keys.c ----------------------------------------------------------------- */

/*
 * Sort superblocks by their devices, and their sources with those of their mounts; and
 * namespaces whose files are mounted.
 */
int mc_plan_sort_keys(struct mc_plan *p, struct mntcr_error *e);
/* The first in by_device, by_source that is not before it, or their number. */
uint32_t mc_plan_first_device(const struct mc_plan *p, uint64_t device);
uint32_t mc_plan_first_source(const struct mc_plan *p, const char *source);
/* A namespace whose file is mounted; NULL: it is none, or there are no keys. */
struct mc_ns_by_file *mc_plan_by_file(const struct mc_plan *p, uint32_t type, uint64_t ino);

/* --- names.c ---------------------------------------------------------------- */

/*
 * Find which superblock each --external and --device, which group each
 * --external-master and which overlay each --layer names; fails with MNTCR_USAGE where
 * one names nothing or is given twice.  What --host says is left out where it has been
 * said.
 */
int mc_plan_names(struct mc_plan *p, const struct mc_plan_options *o,
		  struct mntcr_error *e);

/* --- owner.c ---------------------------------------------------------------- */

/* Why a user namespace cannot be had. */
struct mc_no_owner {
	const char *rule, *what, *help;
};

/* First: which are those of live sources. */
void mc_plan_owners_start(struct mc_plan *p, const struct mc_plan_options *o);
/*
 * The user namespace is wanted: that of a live source, or made.  1: it will be
 * there; 0: it cannot be, and why.
 */
int mc_plan_owner(struct mc_plan *p, uint32_t u, struct mc_no_owner *why);
/* In which one the fresh source of a superblock, of these mounts, is to be made. */
int mc_plan_sb_owner(struct mc_plan *p, uint32_t src, const uint32_t *mounts,
		     uint32_t nr, struct mntcr_error *e);

/* --- check.c, ns.c, order.c ------------------------------------------------- */

/*
 * Do the options fit the image (MNTCR_USAGE if not), and can its namespaces'
 * owners and locks be restored?
 */
int mc_plan_check(struct mc_plan *p, const struct mc_plan_options *o,
		  struct mntcr_error *e);
/* In which order namespaces are made. */
int mc_plan_ns_order(struct mc_plan *p, struct mntcr_error *e);
/* Is the file of one mounted where what is given late turns that round? */
int mc_plan_late_files(struct mc_plan *p, struct mntcr_error *e);
/* Make one; and all whose owner waits for nothing. */
int mc_plan_namespace(struct mc_plan *p, uint32_t ns, struct mntcr_error *e);
int mc_plan_namespaces(struct mc_plan *p, struct mntcr_error *e);
/* In which order mounts are attached, and which a path leads to. */
int mc_plan_order(struct mc_plan *p, struct mntcr_error *e);

/* --- kernel.c --------------------------------------------------------------- */

/*
 * Are they files of a mount namespace that is not restored?  1: that has been
 * refused.
 */
int mc_plan_foreign_file(struct mc_plan *p, const uint32_t *mounts, uint32_t nr,
			 struct mntcr_error *e);
/* Can the superblock of these mounts, all there are of it, be made anew? */
int mc_plan_new_sb(struct mc_plan *p, uint32_t sb, const uint32_t *mounts,
		   uint32_t nr, struct mntcr_error *e);

/* --- unlinked.c -------------------------------------------------------------- */

/* Can a recursive clone of its live parent bring it? */
bool mc_plan_can_come_along(const struct mc_plan *p, uint32_t m);
/* Where something comes along, its parent's source is its own original. */
int mc_plan_take_along(struct mc_plan *p, struct mntcr_error *e);
/* What is unmounted in the copy first, into op's list. */
int mc_plan_leave_behind(struct mc_plan *p, uint32_t m, struct mc_op *op,
			 struct mntcr_error *e);

/* Can it be made in the fresh superblock that it is of? */
bool mc_plan_is_anew(const struct mc_plan *p, const struct mc_mount *m);
/* Of mounts that show the same one, once: as what it is made, from "/" on. */
int mc_plan_unlinked_anew(struct mc_plan *p, uint32_t mount, const char **made_as);
/* Once nothing more is attached. */
int mc_plan_unlink(struct mc_plan *p, struct mntcr_error *e);
/* finish.c */
void mc_plan_mark_finish(struct mc_plan *p);
int mc_plan_finish_src(struct mc_plan *p, uint32_t src, struct mntcr_error *e);
/* All with this finish_need. */
int mc_plan_finish(struct mc_plan *p, uint32_t need, struct mntcr_error *e);

/*
 * --- where superblocks come from -----------------------------------------------
 *
 * sorted has mounts of one superblock, by their roots; a run of it, [from, to), has those
 * of one root that are mapped the same.
 */

/* --- candidate.c ------------------------------------------------------------- */

int mc_plan_cmp_source(const void *x, const void *y, void *data);
/* Where the run ends that begins at from. */
uint32_t mc_plan_run_end(struct mc_plan *p, const uint32_t *sorted, uint32_t from,
			 uint32_t end);
/* May this live mount be cloned alone?  0 best, from MC_RANK_COVERED: -1 no. */
#define MC_RANK_COVERED	4
int mc_plan_rank(const struct mc_plan *p, uint32_t m);
/* Can it at least be found in a copy of its namespace? */
bool mc_plan_can_be_copied(const struct mc_plan *p, uint32_t m);
/* Has a clone of src nothing locked that the mount has not? */
bool mc_plan_fits(const struct mc_plan *p, uint32_t src, uint32_t mount);
/* The best of a run; MC_NONE: none can be cloned. */
uint32_t mc_plan_best(struct mc_plan *p, const uint32_t *sorted, uint32_t from,
		      uint32_t to);

/* Is all of the superblock to be had from live mounts? */
bool mc_plan_is_live(const struct mc_plan *p, uint32_t sb);

/* --- no-source.c ------------------------------------------------------------- */

/* Told by mc_plan_refuse(); here it is remembered.  Returns rule. */
const char *mc_plan_note(struct mc_plan *p, uint32_t sb, const char *rule);
/* Each refuses nr mounts of a run. */
int mc_plan_no_source(struct mc_plan *p, const uint32_t *mounts, uint32_t nr,
		      struct mntcr_error *e);
int mc_plan_deleted_root(struct mc_plan *p, const uint32_t *mounts, uint32_t nr,
			 struct mntcr_error *e);
int mc_plan_no_namespace(struct mc_plan *p, const uint32_t *mounts, uint32_t nr,
			 struct mntcr_error *e);
int mc_plan_only_live(struct mc_plan *p, const uint32_t *mounts, uint32_t nr,
		      struct mntcr_error *e);
int mc_plan_beside_external(struct mc_plan *p, const uint32_t *mounts, uint32_t nr,
			    struct mntcr_error *e);

/* --- device.c --------------------------------------------------------------- */

/* Of a superblock, all of whose mounts these are, and which a --device names. */
int mc_plan_device_src(struct mc_plan *p, const uint32_t *mounts, uint32_t nr, uint32_t *src,
		       struct mntcr_error *e);

/* --- wide.c ------------------------------------------------------------------ */

/* The source of what is at root below base, which is at base_root; MC_NONE: no memory. */
uint32_t mc_plan_sub_src(struct mc_plan *p, uint32_t base, const char *base_root,
			 const char *root);
uint32_t mc_plan_ext_root(struct mc_plan *p, struct mc_ext *x);
/* A clean source for any root of a superblock; MC_NONE: there is none. */
int mc_plan_wide_src(struct mc_plan *p, uint32_t sb, const char *root,
		     uint32_t *src, struct mntcr_error *e);
void mc_plan_find_wide(struct mc_plan *p, const uint32_t *sorted, uint32_t from,
		       uint32_t end);

/* --- live.c ------------------------------------------------------------------ */

bool mc_plan_any_live(const struct mc_plan *p, const uint32_t *sorted, uint32_t from,
		      uint32_t to);
/* The live mount that a source is, or is below. */
uint32_t mc_plan_live_mount(const struct mc_plan *p, uint32_t src);
int mc_plan_own_src(struct mc_plan *p, uint32_t m, struct mntcr_error *e);
/* One for all of a run, or in a copy; MC_NONE: there is none. */
int mc_plan_find_live_src(struct mc_plan *p, const uint32_t *sorted, uint32_t from,
			  uint32_t to, uint32_t *found, struct mntcr_error *e);
int mc_plan_copied_src(struct mc_plan *p, const uint32_t *sorted, uint32_t from,
		       uint32_t to, uint32_t *src, struct mntcr_error *e);
int mc_plan_live_run(struct mc_plan *p, const uint32_t *sorted, uint32_t from,
		     uint32_t to, struct mntcr_error *e);

/* --- shown.c ----------------------------------------------------------------- */

/*
 * Once all superblocks but those of files have sources: which namespaces they show.  One
 * of which there is one must not be made besides.
 */
int mc_plan_find_shown(struct mc_plan *p, struct mntcr_error *e);
/* What shows the namespace of a file, and is made with it, or is there; NULL: nothing. */
const struct mc_shown *mc_plan_shown(const struct mc_plan *p, const struct mc_mount *m,
				     bool made);
/* Refuses nr files, which would be made beside what is there. */
int mc_plan_file_beside(struct mc_plan *p, const uint32_t *mounts, uint32_t nr,
			const struct mc_shown *there, struct mntcr_error *e);
/* Once files have sources, too: the same of those that are there. */
int mc_plan_check_files(struct mc_plan *p, struct mntcr_error *e);

/* --- ns-file.c --------------------------------------------------------------- */

/*
 * Of a run of namespaces' files, once all superblocks have sources: 1, and they have a
 * source, or are refused; 0: no.
 */
int mc_plan_ns_file(struct mc_plan *p, const uint32_t *sorted, uint32_t from,
		    uint32_t to, struct mntcr_error *e);

/* --- source-text.c ----------------------------------------------------------- */

/* Those of a superblock that have to be made from some that show the same. */
int mc_plan_by_text(struct mc_plan *p, const uint32_t *sorted, uint32_t from,
		    uint32_t end, struct mntcr_error *e);
int mc_plan_by_external_text(struct mc_plan *p, const uint32_t *sorted, uint32_t from,
			     uint32_t end, struct mntcr_error *e);

/* --- source.c ---------------------------------------------------------------- */

/* Which sources there are, and which mount is made from which. */
int mc_plan_sources(struct mc_plan *p, const struct mc_plan_options *o,
		    struct mntcr_error *e);

/* It shows a namespace that is made for it. */
static inline bool mc_plan_has_made_ns(const struct mc_plan *p, const struct mc_sb *sb)
{
	const struct mc_plan_options *o = p->priv->opts;

	return !o->caller_namespaces && ((mc_sb_has_own_pidns(sb) && !o->no_empty_pidns) ||
					 mc_sb_has_own_ns(sb));
}

/* --- layers.c ---------------------------------------------------------------- */

/* What overlays that are made anew are made of. */
int mc_plan_layers(struct mc_plan *p, struct mntcr_error *e);

/* --- settle.c --------------------------------------------------------------- */

/* Once all uses are known: which sources need the scratch tree. */
void mc_plan_settle_srcs(struct mc_plan *p);
/* Is a bare clone of its source all that the mount takes? */
bool mc_plan_plain(const struct mc_plan *p, uint32_t mount);

/* --- node.c ----------------------------------------------------------------- */

/* What fresh superblocks must hold. */
int mc_plan_nodes(struct mc_plan *p, struct mntcr_error *e);

/* --- prepare.c -------------------------------------------------------------- */

/* Emit what must precede a use of the source. */
int mc_plan_prepare_src(struct mc_plan *p, uint32_t src, struct mntcr_error *e);

/* --- base.c ----------------------------------------------------------------- */

/* Sources that are fetched before anything else. */
int mc_plan_bases(struct mc_plan *p, struct mntcr_error *e);

/* --- outside.c, group.c ----------------------------------------------------- */

/*
 * How slaves name a master of which no restored mount is a member: by an
 * external mount, a live slave, or a temporary clone of one.
 */
int mc_plan_outside(struct mc_plan *p, uint32_t g, const struct mc_area *areas,
		    struct mntcr_error *e);
/* The same for each group; temporary mounts where that takes one. */
int mc_plan_temps(struct mc_plan *p, struct mntcr_error *e);

/* --- emit.c ------------------------------------------------------------------ */

/* The operations that make the groups. */
int mc_plan_groups(struct mc_plan *p, const struct mc_plan_options *o,
		   struct mntcr_error *e);
/* The types of the namespaces' own roots, once their mounts are on them. */
int mc_plan_ns_types(struct mc_plan *p, struct mntcr_error *e);

/* --- mounts.c ---------------------------------------------------------------- */

/* Is it in a detached tree that is built detached? */
static inline bool mc_plan_is_whole(const struct mc_plan *p, uint32_t m)
{
	return p->whole && p->whole[p->topo->mounts[m].ns];
}

int mc_plan_clone(struct mc_plan *p, uint32_t m, struct mntcr_error *e);
int mc_plan_attach(struct mc_plan *p, uint32_t m, uint8_t flags, struct mntcr_error *e);
/* Open the place of a mount that waits. */
int mc_plan_place(struct mc_plan *p, uint32_t m, struct mntcr_error *e);

/* --- delay.c ----------------------------------------------------------------- */

/* Which mounts wait with which. */
int mc_plan_parts(struct mc_plan *p, struct mntcr_error *e);
/* What the namespace that it is the root of waits for; or MC_NONE. */
uint32_t mc_plan_late_ns(const struct mc_plan *p, uint32_t m);
/* Is it the topmost of those that wait? */
bool mc_plan_is_top(const struct mc_plan *p, uint32_t m);
/* Once all others are placed: what is done when something is given. */
int mc_plan_delays(struct mc_plan *p, struct mntcr_error *e);

/* --- release.c --------------------------------------------------------------- */

/* Insert the releases, once every use is known. */
int mc_plan_release(struct mc_plan *p, const struct mc_plan_options *o,
		    struct mntcr_error *e);

#endif /* MC_PLAN_PRIV_H */
