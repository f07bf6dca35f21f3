// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A restore whose caller acts between its stages, and gives what only processes can
 * make.  What waits for what the plan says; here it is noted what is there.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <libmount/libmount.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "capture/capture.h"
#include "execute/priv.h"

enum stage { BEGUN, PLACED, SHARED, OVER };

struct mntcr_stages {
	struct mc_work *w;
	enum stage stage;
	bool *need_done, *part_done;
	bool *now;		/* per need: it has been given since the last time */
	uint32_t *shown;	/* per superblock: a mount of it that is placed */
	char name[512];
};

/* What fails takes all with it. */
static int fail(struct mntcr_stages *s)
{
	mc_work_free(s->w);
	s->w = NULL;
	s->stage = OVER;
	return -1;
}

static int turn(struct mntcr_stages *s, const char *what, enum stage from, enum stage to,
		struct mntcr_error *e)
{
	static const char *const is[] = {
		[BEGUN] = "nothing has been placed yet", [PLACED] = "mounts are placed",
		[SHARED] = "mounts are shared already", [OVER] = "it has ended",
	};

	if (s->stage >= from && s->stage <= to)
		return 0;
	mc_fail(e, MNTCR_USAGE, 0, "%s: not at this stage: %s", what, is[s->stage]);
	return fail(s);
}

/* --- begin ------------------------------------------------------------------ */

static int note_shown(struct mntcr_stages *s, struct mntcr_error *e)
{
	const struct mc_plan *p = s->w->plan;
	uint32_t i;

	s->shown = malloc((p->topo->nr_sbs + 1UL) * sizeof(*s->shown));
	s->need_done = calloc(p->nr_needs + 1UL, sizeof(*s->need_done));
	s->part_done = calloc(p->nr_parts + 1UL, sizeof(*s->part_done));
	s->now = calloc(p->nr_needs + 1UL, sizeof(*s->now));
	s->w->x.need_fd = mc_fds_new(p->nr_needs);
	if (!s->shown || !s->need_done || !s->part_done || !s->now || !s->w->x.need_fd)
		return mc_nomem(e);
	for (i = 0; i < p->topo->nr_sbs; i++)
		s->shown[i] = MC_NONE;
	for (i = p->topo->nr_mounts; i-- > 0; )
		if (!p->part_of || p->part_of[i] == MC_NONE)
			s->shown[p->topo->mounts[i].sb] = i;
	return 0;
}

int mntcr_stages_begin(const struct mntcr_topology *t,
		       const struct mntcr_restore_options *opts,
		       const struct mntcr_stages_options *stages,
		       struct mntcr_stages **out, struct mntcr_error *e)
{
	struct mntcr_stages_options so;
	struct mntcr_stages *s;

	*out = NULL;
	if (mc_take_options(&so, sizeof(so), sizeof(so), stages, "stages_options", e))
		return -1;
	s = calloc(1, sizeof(*s));
	if (!s)
		return mc_nomem(e);
	if (mc_work_begin(t, opts, &so, &s->w, e) || note_shown(s, e)) {
		mntcr_stages_free(s);
		return -1;
	}
	*out = s;
	return 0;
}

size_t mntcr_stages_nr_needs(const struct mntcr_stages *s)
{
	return s->w ? s->w->plan->nr_needs : 0;
}

void mntcr_stages_need(const struct mntcr_stages *s, size_t i, struct mntcr_need *need)
{
	struct mntcr_stages *names = (struct mntcr_stages *)s;
	const struct mc_plan *p = s->w->plan;
	const struct mc_need *n = &p->needs[i];

	*need = (struct mntcr_need){
		.kind = n->kind, .id = n->id, .nr_mounts = n->nr_mounts,
		.type = p->topo->sbs[p->topo->mounts[n->mount].sb].type,
		.name = mc_mount_name(p->topo, n->mount, names->name,
				      sizeof(names->name)),
		.given = s->w->x.need_fd[i] >= 0, .done = s->need_done[i],
	};
}

size_t mntcr_stages_nr_delayed(const struct mntcr_stages *s)
{
	return s->w ? s->w->plan->nr_parts : 0;
}

void mntcr_stages_delayed_mount(const struct mntcr_stages *s, size_t i,
				struct mntcr_mount_id *mount)
{
	const struct mc_plan *p = s->w->plan;
	const struct mc_mount *m = &p->topo->mounts[p->parts[i].top];

	*mount = (struct mntcr_mount_id){ .ns = m->ns, .id = m->id };
}

/* --- give ---------------------------------------------------------------------- */

static int wrong(const char *what, struct mntcr_error *e)
{
	return mc_fail(e, MNTCR_USAGE, 0, "the descriptor is %s", what);
}

static int check_ns(const struct mc_need *n, int fd, struct mntcr_error *e)
{
	static const int types[] = {
		[MNTCR_GIVEN_PID] = CLONE_NEWPID, [MNTCR_GIVEN_NET] = CLONE_NEWNET,
		[MNTCR_GIVEN_IPC] = CLONE_NEWIPC, [MNTCR_GIVEN_USER] = CLONE_NEWUSER,
		[MNTCR_GIVEN_UTS] = CLONE_NEWUTS, [MNTCR_GIVEN_TIME] = CLONE_NEWTIME,
		[MNTCR_GIVEN_CGROUP] = CLONE_NEWCGROUP,
	};
	int type = ioctl(fd, MC_NS_GET_NSTYPE);

	if (type < 0)
		return mc_fail(e, MNTCR_USAGE, errno,
			       "the descriptor is no namespace's file");
	return type == types[n->kind] ? 0 : wrong("a namespace's of another kind", e);
}

/* Whose a namespace has to be; MC_NONE: the image does not say. */
static uint32_t owner_of(const struct mntcr_stages *s, const struct mc_need *n)
{
	return mc_plan_ns_owner(s->w->plan, n->kind, n->mount);
}

/* Once both are there. */
static int check_ns_owner(struct mntcr_stages *s, const struct mc_need *n, int fd,
			  struct mntcr_error *e)
{
	struct mc_exec *x = &s->w->x;
	uint32_t u = owner_of(s, n);
	struct stat want, is;
	int owner, ret;

	if (u == MC_NONE)
		return 0;
	if (!x->t->userns[u].dumper) {
		owner = mc_owner_fd(x, u);
		if (owner < 0 || fstat(owner, &want))
			return 0;	/* not there yet */
	} else if (stat("/proc/self/ns/user", &want)) {
		return mc_fail(e, MNTCR_SYS, errno, "asking for the caller's user namespace");
	}
	/* an owner that is not named is further up than the caller */
	owner = ioctl(fd, MC_NS_GET_USERNS);
	ret = owner >= 0 && !fstat(owner, &is) && is.st_ino == want.st_ino &&
	      is.st_dev == want.st_dev ? 0 :
	      mc_refuse(e, "given-namespace-owner",
			"it belongs to another user namespace than the image's");
	mc_close(owner);
	return ret;
}

/* Of those that were given before their owner. */
static int check_owned(struct mntcr_stages *s, uint32_t u, struct mntcr_error *e)
{
	const struct mc_plan *p = s->w->plan;
	char id[32];
	uint32_t i;

	for (i = 0; i < p->nr_needs; i++) {
		if (s->w->x.need_fd[i] < 0 || owner_of(s, &p->needs[i]) != u ||
		    !check_ns_owner(s, &p->needs[i], s->w->x.need_fd[i], e))
			continue;
		mc_need_id_text(p->needs[i].kind, p->needs[i].id, id, sizeof(id));
		return mc_refuse(e, "given-namespace-owner",
				 "%s %s, which has been given, does not belong to it",
				 mc_need_kind_name(p->needs[i].kind), id);
	}
	return 0;
}

/* What is above a cgroup namespace's root is "/..". */
static bool is_a_part(const char *root)
{
	return strcmp(root, "/") && !(!strncmp(root, "/..", 3) && (!root[3] || root[3] == '/'));
}

/* Of a detached one nothing tells. */
static const char *what_is_wrong(int fd)
{
	struct libmnt_table *mounted = mc_mounted_read();
	bool is_root;
	struct libmnt_fs *fs = mounted ? mc_mounted_at(mounted, fd, &is_root) : NULL;
	const char *root = fs ? mnt_fs_get_root(fs) : NULL;
	const char *options = fs ? mnt_fs_get_vfs_options(fs) : NULL, *wrong = NULL;

	if (root && is_a_part(root))
		wrong = "of a mount of a part of a filesystem";
	else if (options && !mnt_optstr_get_option(options, "idmapped", NULL, NULL))
		wrong = "of an idmapped mount";
	mc_mounted_free(mounted);
	return wrong;
}

/* Of the filesystem that it stands for, as far as that can be told. */
static int check_mount(struct mntcr_stages *s, const struct mc_need *n, int fd,
		       struct mntcr_error *e)
{
	const struct mc_topology *t = s->w->x.t;
	const struct mc_mount *m = &t->mounts[n->mount];
	const struct mc_sb *sb = &t->sbs[m->sb];
	uint32_t shown = s->shown[m->sb];
	struct statx st, other;
	const char *what;
	struct statfs fs;

	if (fstatfs(fd, &fs) || mc_look(fd, 0, &st))
		return mc_fail(e, MNTCR_SYS, errno, "looking at the descriptor");
	/* images of some kernels have the name of the type only */
	if (sb->magic ? (uint64_t)(uint32_t)fs.f_type != (sb->magic & UINT32_MAX) :
	    n->kind == MNTCR_GIVEN_SUPERBLOCK && mc_exec_is_wrong_type(sb, fd))
		return wrong("of another type of filesystem", e);
	if (n->kind == MNTCR_GIVEN_SUPERBLOCK) {
		what = st.stx_attributes & STATX_ATTR_MOUNT_ROOT ? what_is_wrong(fd) :
		       "not of a mount's root";
		return what ? wrong(what, e) :
		       mc_given_fits(&s->w->x, (uint32_t)(n - s->w->plan->needs), fd, e);
	}
	if (m->root_file.mode && (m->root_file.mode & S_IFMT) != (st.stx_mode & S_IFMT))
		return wrong("of another type of file", e);
	if (mc_type_of(sb->type)->kind == MC_TYPE_FILES || shown == MC_NONE ||
	    s->w->x.mount_fd[shown] < 0)
		return 0;
	if (mc_look(s->w->x.mount_fd[shown], 0, &other))
		return mc_fail(e, MNTCR_SYS, errno, "looking at the superblock that it is of");
	return st.stx_dev_major == other.stx_dev_major &&
	       st.stx_dev_minor == other.stx_dev_minor ? 0 :
	       wrong("not of the superblock that was restored", e);
}

/* Ids that have been used cannot be moved any more. */
static int check_user(struct mntcr_stages *s, uint32_t need, int fd, struct mntcr_error *e)
{
	struct mc_exec *x = &s->w->x;
	const struct mc_topology *t = x->t;
	struct mc_shift moved[2 * MC_MAX_IDMAP_EXTENTS];
	struct cap_owner is = { .moved = moved };
	struct mc_topology *to;
	const char *what;
	uint32_t u = 0;
	int ret = -1;

	while (u < t->nr_userns && t->userns[u].ino != x->p->needs[need].id)
		u++;
	/* it owns nothing that the image has; its file is mounted */
	if (u == t->nr_userns)
		return 0;
	to = mc_topology_new();
	if (!to || mc_topology_add_userns(to)) {
		mc_nomem(e);
		goto out;
	}
	memset(e, 0, sizeof(*e));
	what = cap_look_at_owner(t, u, fd, t->userns[u].parent == MC_NONE ? -1 :
				 mc_owner_fd(x, t->userns[u].parent), to, 0, &is, e);
	if (!what && is.nr_moved) {
		is.rule = "given-owner-maps";
		what = "whose ids are moved: such a one is given at once, by --owner";
	}
	if (what)
		mc_refuse(e, is.rule, "it is one %s", what);
	if (what || *e->text)
		goto out;
	x->owner_fd[u] = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	ret = x->owner_fd[u] < 0 ? mc_fail(e, MNTCR_SYS, errno, "dup") :
	      check_owned(s, u, e);
out:
	mntcr_topology_free(to);
	return ret;
}

static int give(struct mntcr_stages *s, const struct mntcr_given *what, int fd,
		struct mntcr_error *e)
{
	struct mc_exec *x = &s->w->x;
	uint32_t need;
	int ret;

	if (!mc_plan_find_need(x->p, what->kind, what->id, &need))
		return mc_fail(e, MNTCR_USAGE, 0, "nothing waits for it");
	if (x->need_fd[need] >= 0)
		return mc_fail(e, MNTCR_USAGE, 0, "it has been given already");
	if (mc_need_is_ns(x->p->needs[need].kind))
		ret = check_ns(&x->p->needs[need], fd, e);
	else
		ret = check_mount(s, &x->p->needs[need], fd, e);
	if (!ret)
		ret = check_ns_owner(s, &x->p->needs[need], fd, e);
	if (!ret && x->p->needs[need].kind == MNTCR_GIVEN_USER)
		ret = check_user(s, need, fd, e);
	if (ret)
		return -1;
	x->need_fd[need] = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	return x->need_fd[need] < 0 ? mc_fail(e, MNTCR_SYS, errno, "dup") : 0;
}

int mntcr_stages_give(struct mntcr_stages *s, const struct mntcr_given *what, int fd,
		      struct mntcr_error *e)
{
	struct mntcr_error why;
	char id[32];

	if (turn(s, "give", BEGUN, PLACED, e))
		return -1;
	if ((size_t)what->kind >= MNTCR_NR_GIVEN_KINDS) {
		mc_fail(e, MNTCR_USAGE, 0, "give: no such kind");
		return fail(s);
	}
	if (!give(s, what, fd, &why))
		return 0;
	mc_need_id_text(what->kind, what->id, id, sizeof(id));
	*e = why;
	snprintf(e->text, sizeof(e->text), "give %s %s: %.*s",
		 mc_need_kind_name(what->kind), id,
		 (int)sizeof(e->text) - 64, why.text);
	return fail(s);
}

/* --- place, delayed, share, end ------------------------------------------------ */

static int run_needs(struct mntcr_stages *s, struct mntcr_error *e)
{
	const struct mc_plan *p = s->w->plan;
	uint32_t i;

	for (i = 0; i < p->nr_needs; i++)
		s->now[i] = !s->need_done[i] && s->w->x.need_fd[i] >= 0;
	s->w->x.e = e;
	if (mc_owners_make(&s->w->x, s->now) || mc_made_files(&s->w->x, s->now))
		return -1;
	for (i = 0; i < p->nr_needs; i++) {
		if (!s->now[i])
			continue;
		if (mc_work_ops(s->w, p->needs[i].first_op,
				p->needs[i].first_op + p->needs[i].nr_ops, e))
			return -1;
		s->need_done[i] = true;
	}
	return 0;
}

static int attach_what_can_be(struct mntcr_stages *s, struct mntcr_error *e)
{
	const struct mc_part *part;
	uint32_t i;

	if (run_needs(s, e))
		return fail(s);
	for (i = 0; i < s->w->plan->nr_parts; i++) {
		part = &s->w->plan->parts[i];
		if (s->part_done[i] || !s->need_done[part->need] ||
		    (part->owner_need != MC_NONE && !s->need_done[part->owner_need]) ||
		    (part->above != MC_NONE && !s->part_done[part->above]))
			continue;
		if (mc_work_ops(s->w, part->first_op, part->first_op + part->nr_ops, e))
			return fail(s);
		s->part_done[i] = true;
	}
	return 0;
}

int mntcr_stages_place(struct mntcr_stages *s, struct mntcr_error *e)
{
	if (turn(s, "place", BEGUN, BEGUN, e))
		return -1;
	if (mc_work_place(s->w, e))
		return fail(s);
	s->stage = PLACED;
	/* of what was given before */
	return attach_what_can_be(s, e);
}

int mntcr_stages_delayed(struct mntcr_stages *s, struct mntcr_error *e)
{
	if (turn(s, "delayed", PLACED, PLACED, e))
		return -1;
	return attach_what_can_be(s, e);
}

static int all_there(struct mntcr_stages *s, struct mntcr_error *e)
{
	const struct mc_plan *p = s->w->plan;
	char id[32];
	uint32_t i, need;

	for (i = 0; i < p->nr_parts && s->part_done[i]; i++)
		;
	if (i == p->nr_parts)
		return 0;
	need = p->parts[i].need;
	if (s->need_done[need] && p->parts[i].owner_need != MC_NONE)
		need = p->parts[i].owner_need;
	mc_need_id_text(p->needs[need].kind, p->needs[need].id, id, sizeof(id));
	mc_mount_name(p->topo, p->parts[i].top, s->name, sizeof(s->name));
	return mc_fail(e, MNTCR_USAGE, 0,
		       "share: not all mounts are in place: %s waits for %s %s%s",
		       s->name, mc_need_kind_name(p->needs[need].kind), id,
		       s->w->x.need_fd[need] < 0 ? "" :
		       ", which has been given since the last of the stage delayed");
}

struct two {
	struct mntcr_stages *s;
	struct mntcr_error *e;
	bool found;
};

static void refuse_two(void *data, uint32_t a, uint32_t b, uint32_t type)
{
	struct two *two = data;
	const struct mc_topology *t = two->s->w->x.t;
	char one[200], other[200];

	if (!two->found)
		mc_refuse(two->e, "two-namespaces",
			  "share: %s and %s were of one %s namespace, and what is given, or made, for them is of two",
			  mc_mount_name(t, a, one, sizeof(one)),
			  mc_mount_name(t, b, other, sizeof(other)), mc_nstype_name(type));
	two->found = true;
}

/* One thing was given after the other; and what was made, before or after that. */
static int check_one(struct mntcr_stages *s, struct mntcr_error *e)
{
	struct two two = { .s = s, .e = e };
	struct mc_exec *x = &s->w->x;

	return mc_one_ns(s->w->plan, x->external_fd, x, refuse_two, &two, e) || two.found ||
	       mc_pid_levels(x, e) ? -1 : 0;
}

int mntcr_stages_share(struct mntcr_stages *s, struct mntcr_error *e)
{
	if (turn(s, "share", PLACED, PLACED, e))
		return -1;
	if (all_there(s, e) || check_one(s, e) || mc_work_share(s->w, e))
		return fail(s);
	s->stage = SHARED;
	return 0;
}

int mntcr_stages_end(struct mntcr_stages *s, struct mntcr_restored **restored,
		     struct mntcr_error *e)
{
	*restored = NULL;
	if (turn(s, "end", SHARED, SHARED, e))
		return -1;
	if (mc_work_end(s->w, restored, e))
		return fail(s);
	fail(s);	/* nothing is left to undo */
	return 0;
}

void mntcr_stages_free(struct mntcr_stages *s)
{
	if (!s)
		return;
	mc_work_free(s->w);
	free(s->need_done);
	free(s->part_done);
	free(s->now);
	free(s->shown);
	free(s);
}

/* --- what there is by now ------------------------------------------------------ */

size_t mntcr_stages_nr_ns(const struct mntcr_stages *s)
{
	return s->w && s->stage != BEGUN ? s->w->x.t->nr_ns : 0;
}

int mntcr_stages_ns_fd(const struct mntcr_stages *s, size_t ns)
{
	return ns < mntcr_stages_nr_ns(s) && !s->w->x.t->ns[ns].detached ?
	       s->w->x.ns_fd[ns] : -1;
}

size_t mntcr_stages_nr_made(const struct mntcr_stages *s)
{
	return s->w && s->stage != BEGUN ?
	       s->w->x.nr_made + s->w->plan->nr_owners : 0;
}

void mntcr_stages_made(const struct mntcr_stages *s, size_t i, struct mntcr_made *made)
{
	const struct mc_exec *x = &s->w->x;
	uint32_t u;

	if (i >= x->p->nr_owners) {
		i -= x->p->nr_owners;
		*made = (struct mntcr_made){ mc_made_word(&x->made[i]), x->made[i].nr,
					     x->made[i].fd };
		return;
	}
	u = x->p->owners[i];
	*made = (struct mntcr_made){ "user", x->t->userns[u].ino, x->owner_fd[u] };
}
