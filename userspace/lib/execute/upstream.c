// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * With stock kernels' calls.  A clone can only be made in the namespace that
 * its source is in, an attach only in the one that it goes to: clones are
 * therefore made many at a time, from one scratch namespace, and attached many
 * at a time, with one setns(2) each way.  Sharing is joined mount by mount.
 *
 * All of it happens in a thread whose root and cwd are its own.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "execute/execute.h"

/*
 * Detached trees that wait at the same time.  They count as namespaces: where
 * fewer are allowed (ENOSPC), those that wait go first.
 */
#define MOST_PUT_OFF	256

/* --- moving between namespaces -------------------------------------------- */

static int ns_file(const struct mc_exec *x, uint32_t where)
{
	if (where == MC_IN_CALLERS)
		return x->caller_ns_fd;
	if (where == MC_IN_SCRATCH)
		return x->scratch_ns_fd;
	if (where == MC_IN_COPY)
		return x->copy_ns_fd;
	if (where & MC_IN_LIVE)
		return x->live_fd[where & ~MC_IN_LIVE];
	return x->ns_fd[where];
}

static int enter(struct mc_exec *x, uint32_t where)
{
	if (x->in == where)
		return 0;
	mc_count(x, SETNS);
	if (setns(ns_file(x, where), CLONE_NEWNS))
		return -1;
	x->in = where;
	x->in_fd_dir = false;
	return 0;
}

/* --- start and finish ----------------------------------------------------- */

/* The mount at fd, already on the root, becomes the root; the old one goes. */
static int become_root(struct mc_exec *x, int fd)
{
	mc_count(x, FCHDIR);
	if (fchdir(fd))
		return -1;
	mc_count(x, PIVOT_ROOT);
	if (syscall(SYS_pivot_root, ".", "."))
		return -1;
	mc_count(x, UMOUNT);
	return umount2(".", MNT_DETACH);
}

/*
 * The scratch namespace holds the bases and is what new namespaces are copied
 * from where none can be made empty: it is emptied by hand once.
 */
static int make_scratch(struct mc_exec *x)
{
	struct mc_mount_attr attr = { .propagation = MS_PRIVATE };
	int fd;

	mc_count(x, UNSHARE);
	if (mc_unshare(UNSHARE_EMPTY_MNTNS)) {
		if (errno != EINVAL)
			return -1;
		x->no_empty_ns = true;
		mc_count(x, UNSHARE);
		if (mc_unshare(CLONE_NEWNS))
			return -1;
	}
	mc_count(x, MOUNT_SETATTR);
	if (mc_mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &attr,
			     MC_MOUNT_ATTR_SIZE_VER0))
		return -1;
	fd = mc_exec_tmpfs(x);
	if (fd < 0)
		return -1;
	x->scratch_fd = fd;
	mc_count(x, MOVE_MOUNT);
	if (mc_move_mount(fd, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH))
		return -1;
	if (x->no_empty_ns && become_root(x, fd))
		return -1;
	x->scratch_ns_fd = mc_ns_open_self(x);
	x->in = MC_IN_SCRATCH;
	return x->scratch_ns_fd < 0 ? -1 : 0;
}

static int up_start(struct mc_exec *x)
{
	mc_count(x, UNSHARE);
	if (unshare(CLONE_FS))
		return mc_fail(x->e, MNTCR_SYS, errno, "unshare(CLONE_FS)");
	x->caller_ns_fd = mc_ns_open_self(x);
	mc_count(x, OPENAT);
	x->fd_dir = openat(x->proc_fd, "thread-self/fd",
			   O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (x->caller_ns_fd < 0 || x->fd_dir < 0)
		return mc_fail(x->e, MNTCR_SYS, errno, "opening /proc/thread-self");
	if (make_scratch(x))
		return mc_fail(x->e, MNTCR_SYS, errno,
			       "making the scratch namespace (CAP_SYS_ADMIN)");
	return 0;
}

/*
 * Leave and close the scratch namespace: the temporary mounts in it, and what
 * they share, are gone before the restore is said to be done.
 */
static int up_finish(struct mc_exec *x)
{
	int ret = 0;

	if (x->caller_ns_fd >= 0 && enter(x, MC_IN_CALLERS))
		ret = mc_fail(x->e, MNTCR_SYS, errno, "returning to the own namespace");
	mc_close(x->copy_fd);
	mc_close(x->scratch_fd);
	mc_close(x->scratch_ns_fd);
	mc_close(x->caller_ns_fd);
	mc_close(x->fd_dir);
	x->copy_fd = -1;
	x->scratch_fd = x->scratch_ns_fd = x->caller_ns_fd = x->fd_dir = -1;
	return ret;
}

static int up_make_ns(struct mc_exec *x, const struct mc_op *op)
{
	uint32_t ns = MC_REF_INDEX(op->obj);
	const struct mc_ns *n = &x->t->ns[ns];

	if (x->no_empty_ns && n->userns != MC_NONE &&
	    !x->t->userns[n->userns].dumper)
		return mc_refuse(x->e, "owner",
				 "namespace %u is owned by another user namespace, and this kernel cannot make an empty one",
				 ns);
	if (!x->ns_made++ && mc_ns_choose_cpu(x))
		return -1;
	x->placeholder[ns] = x->no_empty_ns;
	if (mc_ns_make_here(x, ns))
		return -1;
	x->in = ns;
	x->in_fd_dir = false;
	/*
	 * Made by a child in the owner's user namespace, it is entered through
	 * its file.
	 */
	if (n->userns != MC_NONE && !x->t->userns[n->userns].dumper)
		x->in = MC_NONE;
	return 0;
}

static int up_go_home(struct mc_exec *x, const struct mc_op *op)
{
	if (enter(x, MC_IN_CALLERS))
		return mc_exec_fail(x, op, errno, "entering the own namespace");
	return 0;
}

/* By its path: stock kernels cannot open a mount by its id. */
static int up_reopen(struct mc_exec *x, uint32_t mount)
{
	struct statx st;
	char *path;
	int fd;

	if (x->in_fd_dir)
		x->in = MC_NONE;
	if (enter(x, x->t->mounts[mount].ns))
		return -1;
	path = mc_mount_path(x->t, mount);
	if (!path) {
		errno = ENOMEM;
		return -1;
	}
	fd = mc_exec_below(x, AT_FDCWD, path, true);
	free(path);
	if (fd < 0)
		return -1;
	mc_count(x, STATX);
	if (!mc_look(fd, STATX_MNT_ID_UNIQUE, &st) &&
	    st.stx_mnt_id == x->spilled[mount])
		return fd;
	mc_count(x, CLOSE);
	close(fd);
	errno = ESTALE;
	return -1;
}

/* A descriptor of what is restored or in the scratch tree. */
static int fd_of(struct mc_exec *x, mc_ref r, const struct mc_op *op)
{
	int fd = mc_exec_fd(x, r);

	return fd < 0 ? mc_exec_fail(x, op, errno, "opening a mount by its path") : fd;
}

/* --- what is put off ------------------------------------------------------ */

static int pivot(struct mc_exec *x, uint32_t ns, int fd, const struct mc_op *op)
{
	if (become_root(x, fd))
		return mc_exec_fail(x, op, errno, "pivot_root");
	x->placeholder[ns] = false;
	/* Root and cwd are not what setns would give. */
	x->in = MC_NONE;
	if (enter(x, ns))
		return mc_exec_fail(x, op, errno, "entering its namespace");
	return 0;
}

static int do_attach(struct mc_exec *x, const struct mc_put_off *w)
{
	const struct mc_op *op = w->op;
	int fd = mc_exec_fd(x, w->obj), to;
	char name[16];
	uint32_t ns;

	if (x->put_off_to == MC_IN_SCRATCH) {
		snprintf(name, sizeof(name), "%u", w->slot);
		mc_count(x, MOVE_MOUNT);
		if (mc_move_mount(fd, "", x->scratch_fd, name,
				  MOVE_MOUNT_F_EMPTY_PATH))
			return mc_exec_fail(x, op, errno,
					    "putting it into the scratch tree");
		return 0;
	}
	to = fd_of(x, op->arg, op);
	if (to >= 0 && op->flags & MC_ALONG)
		return mc_exec_along(x, to, op);
	if (to < 0 || mc_exec_move(x, fd, to, op->path, 0, op))
		return -1;
	ns = MC_REF_INDEX(op->arg);
	if (MC_REF_KIND(op->arg) == MC_REF_NS && x->placeholder[ns])
		return pivot(x, ns, fd, op);
	return 0;
}

static int up_flush(struct mc_exec *x)
{
	uint32_t i, n = x->nr_put_off;

	x->nr_put_off = 0;
	if (!n)
		return 0;
	if (enter(x, x->put_off_to == MC_IN_TREE ? MC_IN_SCRATCH : x->put_off_to))
		return mc_exec_fail(x, x->put_off[0].op, errno,
				    "entering its namespace");
	for (i = 0; i < n; i++)
		if (do_attach(x, &x->put_off[i]))
			return -1;
	return 0;
}

static int put_off(struct mc_exec *x, mc_ref obj, const struct mc_op *op,
		   uint32_t where, uint32_t slot)
{
	struct mc_put_off *w;

	if ((x->put_off_to != where || x->nr_put_off >= MOST_PUT_OFF) &&
	    up_flush(x))
		return -1;
	if (!mc_grow(&x->put_off, x->nr_put_off, &x->max_put_off,
		     sizeof(*x->put_off)))
		return mc_nomem(x->e);
	x->put_off_to = where;
	w = &x->put_off[x->nr_put_off++];
	w->obj = obj;
	w->op = op;
	w->slot = slot;
	return 0;
}

/* A clone failed: may it succeed once nothing waits any more? */
static bool lacks_room(const struct mc_exec *x, int fd)
{
	return fd < 0 && errno == ENOSPC && x->nr_put_off;
}

static int to_scratch(struct mc_exec *x, mc_ref obj, bool dir,
		      const struct mc_op *op)
{
	uint32_t slot = x->nr_scratch;
	char name[16];

	if (mc_exec_slot(x, dir, name, sizeof(name)))
		return mc_exec_fail(x, op, errno, "making a place in the scratch tree");
	return put_off(x, obj, op, MC_IN_SCRATCH, slot);
}

/* --- sources -------------------------------------------------------------- */

/*
 * The id tells whether it is that mount.  Ids of mountinfo are used again,
 * unique ones after a restart: then the superblock is another, in most cases.
 */
static bool is_original(const struct mc_exec *x, const struct mc_mount *m,
			const struct statx *st)
{
	/* no kernel with unique ids lacks the others */
	return (!(st->stx_mask & (STATX_MNT_ID | STATX_MNT_ID_UNIQUE)) ||
		mc_look_is(st, x->t->unique_ids, m->id, m->id_old)) &&
	       mc_exec_same_device(x, m, st);
}

/* The live mount, by its path in its namespace. */
static int open_live(struct mc_exec *x, uint32_t mount, const struct mc_op *op)
{
	const struct mc_mount *m = &x->t->mounts[mount];
	struct statx st;
	char *path;
	int fd;

	if (x->in_fd_dir)
		x->in = MC_NONE;
	if (enter(x, MC_IN_LIVE | m->ns))
		return mc_exec_fail(x, op, errno, "entering the live namespace");
	path = mc_mount_path(x->t, mount);
	if (!path)
		return mc_nomem(x->e);
	fd = mc_exec_below(x, AT_FDCWD, path, true);
	free(path);
	if (fd < 0)
		return mc_exec_fail(x, op, errno, "opening the live mount by its path");
	if (mc_exec_junk(x, fd))
		return -1;
	mc_count(x, STATX);
	if (mc_look(fd, x->t->unique_ids ? STATX_MNT_ID_UNIQUE : 0, &st))
		return mc_exec_fail(x, op, errno, "statx of the live mount");
	if (!is_original(x, m, &st))
		return mc_exec_fail(x, op, ESTALE, "its path leads to another mount");
	return fd;
}

/* Enter the namespace of the source and open it there. */
static int open_origin(struct mc_exec *x, uint32_t s, const struct mc_op *op)
{
	const struct mc_src *src = &x->p->srcs[s];

	if (src->kind == MC_SRC_LIVE)
		return open_live(x, src->index, op);
	if (enter(x, MC_IN_CALLERS))
		return mc_exec_fail(x, op, errno, "entering the own namespace");
	return x->external_fd[src->index];
}

static int up_open_src(struct mc_exec *x, uint32_t s)
{
	int fd;

	/* Only masters: everything else is a base, or cloned where it is. */
	fd = fcntl(x->master_fd[x->p->srcs[s].index], F_DUPFD_CLOEXEC, 3);
	if (fd < 0)
		return mc_exec_fail(x, &x->p->ops[x->op_at], errno, "dup");
	x->src_fd[s] = fd;
	return 0;
}

/* --- sources that are covered ---------------------------------------------- */

/* From the copied mount to m: paths of both, one below the other. */
static int below_copy(struct mc_exec *x, uint32_t m, const struct mc_op *op)
{
	char *up = mc_mount_path(x->t, MC_REF_INDEX(op->arg));
	char *path = mc_mount_path(x->t, m);
	int fd = -1;

	if (!up || !path)
		mc_nomem(x->e);
	else {
		fd = mc_exec_below(x, x->copy_fd,
				   path + (up[1] ? strlen(up) : 0), true);
		if (fd < 0)
			mc_exec_fail(x, op, errno, "finding it in a copy of its tree");
	}
	free(up);
	free(path);
	return mc_exec_junk(x, fd) ? -1 : fd;
}

/* Nothing in the copy is shared: what is unmounted there goes nowhere else. */
static int copy_tree(struct mc_exec *x, const struct mc_op *op)
{
	const struct mc_mount_attr attr = { .propagation = MS_PRIVATE };
	char name[16];
	int fd;

	fd = open_live(x, MC_REF_INDEX(op->arg), op);
	if (fd < 0)
		return -1;
	fd = mc_exec_open_tree(x, fd, "", AT_RECURSIVE, &attr);
	if (fd < 0)
		return mc_exec_fail(x, op, errno, "copying the tree that it is in");
	mc_exec_junk(x, x->copy_fd);
	x->copy_fd = fd;
	if (up_flush(x))
		return -1;
	if (enter(x, MC_IN_SCRATCH))
		return mc_exec_fail(x, op, errno, "entering the scratch namespace");
	if (mc_exec_slot(x, true, name, sizeof(name)))
		return mc_exec_fail(x, op, errno, "making a place in the scratch tree");
	mc_count(x, MOVE_MOUNT);
	if (mc_move_mount(fd, "", x->scratch_fd, name, MOVE_MOUNT_F_EMPTY_PATH))
		return mc_exec_fail(x, op, errno, "putting a copy into the scratch tree");
	return 0;
}

/* By descriptor: a path could be led astray. */
static int remove_cover(struct mc_exec *x, uint32_t m, const struct mc_op *op)
{
	int fd = below_copy(x, m, op);
	char name[16];

	if (fd < 0)
		return -1;
	snprintf(name, sizeof(name), "%d", fd);
	mc_count(x, FCHDIR);
	mc_count(x, UMOUNT);
	x->in_fd_dir = true;
	if (fchdir(x->fd_dir) || umount2(name, MNT_DETACH))
		return mc_exec_fail_unmount(x, op, m, errno, "a copy of its tree");
	return 0;
}

/* The source is cloned from within the copy. */
static int open_copied(struct mc_exec *x, uint32_t m, const struct mc_op *op)
{
	int fd = open_live(x, m, op);

	if (fd >= 0)
		fd = mc_ns_copied(x, m, fd, op);
	if (fd < 0)
		return -1;
	if (x->in == MC_IN_COPY)	/* of another one */
		x->in = MC_NONE;
	if (enter(x, MC_IN_COPY))
		return mc_exec_fail(x, op, errno, "entering a copy of its namespace");
	return fd;
}

static int check_superblock(struct mc_exec *x, int fd, uint32_t sb,
			    const struct mc_op *op)
{
	const struct mc_sb *s = &x->t->sbs[sb];
	struct statx st;

	mc_count(x, STATX);
	if (mc_look(fd, 0, &st))
		return mc_exec_fail(x, op, errno, "statx in a copy of its tree");
	/* btrfs has devices of its own for its subvolumes */
	if ((st.stx_dev_major == s->major && st.stx_dev_minor == s->minor) ||
	    !strcmp(s->type, "btrfs"))
		return 0;
	return mc_exec_fail(x, op, ESTALE, "something else is there");
}

static int open_covered(struct mc_exec *x, uint32_t s, const struct mc_op *op)
{
	uint32_t i;
	int fd;

	if (op->flags & MC_NEW_COPY && copy_tree(x, op))
		return -1;
	if (enter(x, MC_IN_SCRATCH))
		return mc_exec_fail(x, op, errno, "entering the scratch namespace");
	for (i = 0; i < op->nr; i++)
		if (remove_cover(x, MC_REF_INDEX(x->p->list[op->first + i]), op))
			return -1;
	fd = below_copy(x, x->p->srcs[s].index, op);
	if (fd < 0 || check_superblock(x, fd, x->p->srcs[s].sb, op))
		return -1;
	return fd;
}

static int up_base_src(struct mc_exec *x, uint32_t s)
{
	struct mc_mount_attr attr;
	const struct mc_op *op = &x->p->ops[x->op_at];
	int fd;

	while (!mc_src_is_opened(&x->p->srcs[s])) {
		/*
		 * All sources of one live namespace are opened before going to
		 * the scratch namespace, so that each is entered once.
		 */
		fd = x->p->srcs[s].covered ? open_covered(x, s, op) :
		     x->p->srcs[s].copied ?
		     open_copied(x, x->p->srcs[s].index, op) :
		     open_origin(x, s, op);
		if (fd < 0)
			return -1;
		mc_exec_base_attr(x, &x->p->srcs[s], &attr);
		fd = x->p->srcs[s].with_unlinked ?
		     mc_exec_open_tree(x, fd, "", AT_RECURSIVE, NULL) :
		     mc_exec_open_tree(x, fd, "", 0, &attr);
		x->src_fd[s] = fd;
		if (fd >= 0)
			break;
		/* its covers are unmounted in this copy already */
		if (!lacks_room(x, fd) || x->p->srcs[s].covered ||
		    x->p->srcs[s].with_unlinked)
			return mc_exec_fail(x, op, errno, "cloning");
		if (up_flush(x))
			return -1;
	}
	return to_scratch(x, op->obj, mc_exec_src_is_dir(x, s, x->src_fd[s]), op);
}

/* --- clones --------------------------------------------------------------- */

/* Where all is that waits to be put there. */
static int go_to_scratch(struct mc_exec *x, const struct mc_op *op)
{
	if (x->nr_put_off && x->put_off_to == MC_IN_SCRATCH && up_flush(x))
		return -1;
	if (enter(x, MC_IN_SCRATCH))
		return mc_exec_fail(x, op, errno, "entering the scratch namespace");
	return 0;
}

static int up_layer(struct mc_exec *x, uint32_t src, const struct mc_mount_attr *attr,
		    const struct mc_op *op)
{
	const char *path;
	int fd;

	if (go_to_scratch(x, op))
		return -1;
	fd = mc_exec_src(x, src, &path);
	return mc_exec_open_tree(x, fd, path, 0, attr);
}

static int origin_of_clone(struct mc_exec *x, const struct mc_op *op,
			   const char **path)
{
	uint32_t s = MC_REF_INDEX(op->arg);
	const struct mc_src *src = &x->p->srcs[s];

	*path = "";
	if ((src->kind == MC_SRC_LIVE || src->kind == MC_SRC_EXTERNAL) &&
	    !src->scratch)
		return open_origin(x, s, op);
	if (src->kind != MC_SRC_NSFILE && src->kind != MC_SRC_NSMADE && go_to_scratch(x, op))
		return -1;
	return mc_exec_src(x, s, path);
}

static int up_clone(struct mc_exec *x, const struct mc_op *op)
{
	const struct mc_mount_attr priv = { .propagation = MS_PRIVATE };
	bool temp = MC_REF_KIND(op->obj) == MC_REF_TEMP;
	uint32_t m = MC_REF_INDEX(op->obj), s = MC_REF_INDEX(op->arg);
	struct mc_mount_attr attr, *want = &attr;
	const char *path;
	int fd;

	if (temp)
		attr = priv;
	else
		mc_exec_attr(x, m, &attr);
	mc_exec_idmap(x, op, &attr);
	if (temp ? x->p->temps[m].keep_sharing : op->flags & MC_PLAIN)
		want = NULL;
	if (x->p->srcs[s].direct) {
		fd = x->src_fd[s];
		x->src_fd[s] = -1;
		x->mount_fd[m] = fd;
		if (!want)
			return 0;
		mc_count(x, MOUNT_SETATTR);
		if (mc_mount_setattr(fd, "", AT_EMPTY_PATH, &attr,
				     MC_MOUNT_ATTR_SIZE_VER0))
			return mc_exec_fail(x, op, errno, "mount_setattr");
		return 0;
	}
	for (;;) {
		fd = origin_of_clone(x, op, &path);
		if (fd < 0)
			return -1;
		fd = x->p->srcs[s].with_unlinked ?
		     mc_exec_clone_with(x, fd, 0, want) :
		     mc_exec_open_tree(x, fd, path, 0, want);
		if (!lacks_room(x, fd))
			break;
		if (up_flush(x))
			return -1;
	}
	if (fd < 0)
		return mc_exec_fail(x, op, errno, "cloning");
	if (!temp) {
		x->mount_fd[m] = fd;
		return 0;
	}
	x->temp_fd[m] = fd;
	return to_scratch(x, op->obj, mc_exec_is_dir(x, fd), op);
}

static int up_attach(struct mc_exec *x, const struct mc_op *op)
{
	uint32_t m = MC_REF_INDEX(op->obj);
	bool tree = x->p->roots_last && x->t->mounts[m].parent != MC_NONE;

	return put_off(x, op->obj, op, tree ? MC_IN_TREE : x->t->mounts[m].ns, 0);
}

/* --- groups --------------------------------------------------------------- */

static uint32_t place(const struct mc_exec *x, mc_ref r)
{
	switch (MC_REF_KIND(r)) {
	case MC_REF_MOUNT:
		return x->t->mounts[MC_REF_INDEX(r)].ns;
	case MC_REF_NS:
		return MC_REF_INDEX(r);
	default:
		return MC_IN_SCRATCH;
	}
}

/*
 * mount(2) on /proc/thread-self/fd/N changes the type of a mount in any
 * namespace since 6.17; before (EINVAL), one has to go there.  Into a tree
 * that is detached nobody can go, but no kernel that needs it has such trees.
 */
static int set_type(struct mc_exec *x, mc_ref r, unsigned long type,
		    const struct mc_op *op)
{
	struct mc_mount_attr attr = { .propagation = type };
	int fd = fd_of(x, r, op);
	char name[16];

	if (fd < 0)
		return -1;
	if (!x->no_foreign_type) {
		if (!x->in_fd_dir) {
			mc_count(x, FCHDIR);
			if (fchdir(x->fd_dir))
				return mc_exec_fail(x, op, errno,
						    "going to /proc/thread-self/fd");
			x->in_fd_dir = true;
		}
		snprintf(name, sizeof(name), "%d", fd);
		mc_count(x, MOUNT);
		if (!mount(NULL, name, NULL, type, NULL))
			return 0;
		if (errno != EINVAL || x->p->roots_last)
			return mc_exec_fail(x, op, errno,
					    "changing its propagation type");
		x->no_foreign_type = true;
	}
	if (enter(x, place(x, r)))
		return mc_exec_fail(x, op, errno, "entering its namespace");
	mc_count(x, MOUNT_SETATTR);
	if (mc_mount_setattr(fd, "", AT_EMPTY_PATH, &attr, MC_MOUNT_ATTR_SIZE_VER0))
		return mc_exec_fail(x, op, errno, "changing its propagation type");
	return 0;
}

static int join(struct mc_exec *x, mc_ref from, mc_ref to, const struct mc_op *op)
{
	int from_fd = fd_of(x, from, op);
	int to_fd = from_fd < 0 ? -1 : fd_of(x, to, op);
	struct mc_op about = *op;

	/* the member that it is about, and not all */
	while (about.nr > 1 && x->p->list[about.first] != to) {
		about.first++;
		about.nr--;
	}
	about.nr = 1;
	about.arg = from;
	if (to_fd < 0)
		return -1;
	mc_count(x, SET_GROUP);
	if (mc_move_mount(from_fd, "", to_fd, "",
			  MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH |
			  MOVE_MOUNT_SET_GROUP))
		return mc_exec_fail(x, &about, errno, "MOVE_MOUNT_SET_GROUP");
	return 0;
}

/*
 * Stock kernels make a slave of a group of what was its peer, by MS_SLAVE only.
 */
static int enslave(struct mc_exec *x, mc_ref master, mc_ref r,
		   const struct mc_op *op)
{
	return join(x, master, r, op) || set_type(x, r, MS_SLAVE, op) ? -1 : 0;
}

static bool contains(const struct mc_exec *x, mc_ref a, mc_ref b)
{
	const struct mc_mount *m = &x->t->mounts[MC_REF_INDEX(a)];
	const struct mc_mount *n = &x->t->mounts[MC_REF_INDEX(b)];

	return m->root_deleted == n->root_deleted &&
	       mc_path_below(m->root, n->root);
}

static int up_group(struct mc_exec *x, const struct mc_op *op)
{
	const mc_ref *list = x->p->list + op->first;
	bool shared = op->flags & MOUNT_SETGROUP_SHARED;
	uint32_t i;
	int ret = 0;

	/* An older kernel's root is not nullfs, and not the namespace's own. */
	if (MC_REF_KIND(list[0]) == MC_REF_NS && x->no_empty_ns)
		return 0;
	if (op->flags & MOUNT_SETGROUP_MASTER)
		ret = enslave(x, op->arg, list[0], op);
	else if (op->arg != MC_NONE)
		ret = join(x, op->arg, list[0], op);
	if (!ret && shared)
		ret = set_type(x, list[0], MS_SHARED, op);
	for (i = 1; i < op->nr && !ret; i++) {
		if (shared)
			ret = join(x, list[0], list[i], op);
		else if (!(op->flags & MOUNT_SETGROUP_MASTER))
			ret = join(x, op->arg, list[i], op);
		else if (contains(x, list[0], list[i]))
			ret = join(x, list[0], list[i], op);
		else
			ret = enslave(x, op->arg, list[i], op);
	}
	return ret;
}

static int up_lock(struct mc_exec *x, const struct mc_op *op)
{
	return mc_refuse(x->e, "locks", "the upstream calls cannot lock a mount");
}

const struct mc_backend mc_backend_upstream = {
	.name = "upstream",
	.start = up_start,
	.finish = up_finish,
	.make_ns = up_make_ns,
	.go_home = up_go_home,
	.reopen = up_reopen,
	.open_src = up_open_src,
	.base_src = up_base_src,
	.clone = up_clone,
	.layer = up_layer,
	.attach = up_attach,
	.group = up_group,
	.lock = up_lock,
	.flush = up_flush,
};
