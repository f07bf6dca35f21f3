// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * With clones and attaches across namespaces and mount_setgroup(2): every
 * operation is a system call on descriptors, wherever the mounts are.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdlib.h>
#include <string.h>

#include "execute/execute.h"

static int ext_start(struct mc_exec *x)
{
	return 0;
}

static int ext_finish(struct mc_exec *x)
{
	return 0;
}

static int ext_make_ns(struct mc_exec *x, const struct mc_op *op)
{
	return x->op_at < x->ns_made ? 0 : mc_ns_make_all(x);
}

static int ext_go_home(struct mc_exec *x, const struct mc_op *op)
{
	return 0;
}

/*
 * After a restart the same id can be any mount's.  Where it is not known
 * whether there was one, the device number tells, in most cases.
 */
static int live(struct mc_exec *x, uint32_t mount, const struct mc_op *op)
{
	const struct mc_mount *m = &x->t->mounts[mount];
	struct statx st;
	int fd;

	mc_count(x, NS_MNT_OPEN);
	fd = mc_ns_mnt_open(x->live_fd[m->ns], m->id);
	if (fd < 0)
		return mc_exec_fail(x, op, errno, "opening it by its id");
	if (x->same_boot)
		return fd;
	mc_count(x, STATX);
	if (mc_look(fd, 0, &st)) {
		mc_exec_fail(x, op, errno, "statx of the live mount");
		goto fail;
	}
	if (!mc_exec_same_device(x, m, &st)) {
		mc_exec_fail(x, op, ESTALE, "its id is that of a mount of another filesystem");
		goto fail;
	}
	return fd;
fail:
	mc_count(x, CLOSE);
	mc_close(fd);
	return -1;
}

static int ext_reopen(struct mc_exec *x, uint32_t mount)
{
	mc_count(x, NS_MNT_OPEN);
	return mc_ns_mnt_open(x->ns_fd[x->t->mounts[mount].ns], x->spilled[mount]);
}

static int ext_open_src(struct mc_exec *x, uint32_t s)
{
	const struct mc_src *src = &x->p->srcs[s];
	const struct mc_op *op = &x->p->ops[x->op_at];
	int fd;

	switch (src->kind) {
	case MC_SRC_LIVE:
		x->src_fd[s] = live(x, src->index, op);
		return x->src_fd[s] < 0 ? -1 : 0;
	case MC_SRC_GIVEN:
		fd = fcntl(x->need_fd[src->index], F_DUPFD_CLOEXEC, 3);
		break;
	case MC_SRC_EXTERNAL:
		fd = fcntl(x->external_fd[src->index], F_DUPFD_CLOEXEC, 3);
		break;
	default:
		fd = fcntl(x->master_fd[src->index], F_DUPFD_CLOEXEC, 3);
		break;
	}
	if (fd < 0)
		return mc_exec_fail(x, op, errno, "dup");
	x->src_fd[s] = fd;
	return 0;
}

/* The scratch tree: a detached tmpfs, with a directory for each source. */
static int need_scratch(struct mc_exec *x, const struct mc_op *op)
{
	if (x->scratch_fd >= 0)
		return 0;
	x->scratch_fd = mc_exec_tmpfs(x);
	if (x->scratch_fd < 0)
		return mc_exec_fail(x, op, errno, "making the scratch tree");
	return 0;
}

static int to_scratch(struct mc_exec *x, uint32_t s, int fd,
		      const struct mc_op *op)
{
	char name[16];

	if (need_scratch(x, op))
		return -1;
	if (mc_exec_slot(x, mc_exec_src_is_dir(x, s, fd), name, sizeof(name)))
		return mc_exec_fail(x, op, errno, "making a place in the scratch tree");
	mc_count(x, MOVE_MOUNT);
	if (mc_move_mount(fd, "", x->scratch_fd, name, MOVE_MOUNT_F_EMPTY_PATH))
		return mc_exec_fail(x, op, errno, "putting it into the scratch tree");
	return 0;
}

static int ext_base_src(struct mc_exec *x, uint32_t s)
{
	const struct mc_src *src = &x->p->srcs[s];
	const struct mc_op *op = &x->p->ops[x->op_at];
	struct mc_mount_attr attr;
	int fd;

	/* fsmount(2) has made it detached. */
	if (mc_src_is_opened(src))
		return to_scratch(x, s, x->src_fd[s], op);
	if (ext_open_src(x, s))
		return -1;
	fd = x->src_fd[s];
	if (src->copied) {
		fd = mc_ns_copied(x, src->index, fd, op);
		if (fd < 0)
			return -1;
	}
	mc_exec_base_attr(x, src, &attr);
	fd = src->with_unlinked ?
	     mc_exec_open_tree(x, fd, "", OPEN_TREE_FOREIGN | AT_RECURSIVE, NULL) :
	     mc_exec_open_tree(x, fd, "", OPEN_TREE_FOREIGN, &attr);
	if (fd < 0)
		return mc_exec_fail(x, op, errno, "cloning");
	mc_exec_junk(x, x->src_fd[s]);
	x->src_fd[s] = fd;
	return to_scratch(x, s, fd, op);
}

static int ext_clone(struct mc_exec *x, const struct mc_op *op)
{
	uint32_t m = MC_REF_INDEX(op->obj), s = MC_REF_INDEX(op->arg);
	struct mc_mount_attr attr, *want = op->flags & MC_PLAIN ? NULL : &attr;
	const char *path;
	int fd;

	mc_exec_attr(x, m, &attr);
	mc_exec_idmap(x, op, &attr);
	fd = mc_exec_src(x, s, &path);
	if (x->p->srcs[s].direct) {
		/* Used once: it becomes the mount itself. */
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
	if (x->p->srcs[s].with_unlinked)
		fd = mc_exec_clone_with(x, fd, OPEN_TREE_FOREIGN, want);
	else
		fd = mc_exec_open_tree(x, fd, path, OPEN_TREE_FOREIGN, want);
	if (fd < 0)
		return mc_exec_fail(x, op, errno, "open_tree");
	x->mount_fd[m] = fd;
	return 0;
}

static int ext_layer(struct mc_exec *x, uint32_t src, const struct mc_mount_attr *attr,
		     const struct mc_op *op)
{
	const char *path;
	int fd = mc_exec_src(x, src, &path);

	return mc_exec_open_tree(x, fd, path, OPEN_TREE_FOREIGN, attr);
}

/* What is locked is in the image: locks are set when all is in place. */
static int ext_attach(struct mc_exec *x, const struct mc_op *op)
{
	uint32_t m = MC_REF_INDEX(op->obj);
	int to;

	if (op->flags & MC_PLACED)
		return mc_exec_move(x, mc_exec_fd(x, op->obj),
				    x->place_fd[x->p->part_of[m]], "/",
				    MOVE_MOUNT_T_FOREIGN | MOVE_MOUNT_UNLOCKED, op);
	to = mc_exec_fd(x, op->arg);
	if (to < 0)
		return mc_exec_fail(x, op, errno, "opening the parent by its id");
	if (op->flags & MC_ALONG)
		return mc_exec_along(x, to, op);
	return mc_exec_move(x, mc_exec_fd(x, op->obj), to, op->path,
			    MOVE_MOUNT_T_FOREIGN | MOVE_MOUNT_UNLOCKED, op);
}

static int ext_group(struct mc_exec *x, const struct mc_op *op)
{
	struct mc_mount_group_args args = { .nr_fds = op->nr };
	int32_t *fds = malloc(op->nr * sizeof(*fds));
	int ret = -1, ref = -1;
	uint32_t i;

	if (!fds)
		return mc_nomem(x->e);
	for (i = 0; i < op->nr; i++) {
		fds[i] = mc_exec_fd(x, x->p->list[op->first + i]);
		if (fds[i] < 0) {
			mc_exec_fail(x, op, errno, "opening a member by its id");
			goto out;
		}
	}
	if (op->arg != MC_NONE) {
		ref = mc_exec_fd(x, op->arg);
		if (ref < 0) {
			mc_exec_fail(x, op, errno, "opening its master by its id");
			goto out;
		}
	}
	args.mnt_fds = (uint64_t)(uintptr_t)fds;
	if (ref >= 0)
		args.target_fd = ref;
	mc_count(x, MOUNT_SETGROUP);
	if (mc_mount_setgroup(&args, MC_MOUNT_GROUP_ARGS_SIZE_VER0, op->flags)) {
		mc_exec_fail(x, op, errno, "mount_setgroup");
		goto out;
	}
	ret = 0;
out:
	free(fds);
	return ret;
}

static int ext_lock(struct mc_exec *x, const struct mc_op *op)
{
	const struct mc_mount_attr attr = {
		.lock_set = x->t->mounts[MC_REF_INDEX(op->obj)].locks,
	};
	int fd = mc_exec_fd(x, op->obj);

	mc_count(x, MOUNT_SETATTR);
	if (fd < 0 || mc_mount_setattr(fd, "", AT_EMPTY_PATH, &attr,
				       MC_MOUNT_ATTR_SIZE_VER1))
		return mc_exec_fail(x, op, errno, "setting its locks");
	return 0;
}

static int ext_flush(struct mc_exec *x)
{
	return 0;
}

const struct mc_backend mc_backend_extended = {
	.name = "extended",
	.start = ext_start,
	.finish = ext_finish,
	.make_ns = ext_make_ns,
	.go_home = ext_go_home,
	.reopen = ext_reopen,
	.open_src = ext_open_src,
	.base_src = ext_base_src,
	.clone = ext_clone,
	.layer = ext_layer,
	.attach = ext_attach,
	.group = ext_group,
	.lock = ext_lock,
	.flush = ext_flush,
};
