// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What both backends do alike.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "execute/execute.h"

static const char *const call_names[MC_NR_CALLS] = {
	[MC_CALL_OPEN_TREE] = "open_tree",
	[MC_CALL_OPEN_TREE_ATTR] = "open_tree_attr",
	[MC_CALL_MOVE_MOUNT] = "move_mount",
	[MC_CALL_SET_GROUP] = "move_mount_set_group",
	[MC_CALL_MOUNT_SETATTR] = "mount_setattr",
	[MC_CALL_MOUNT_SETGROUP] = "mount_setgroup",
	[MC_CALL_MOUNT] = "mount",
	[MC_CALL_UMOUNT] = "umount2",
	[MC_CALL_PIVOT_ROOT] = "pivot_root",
	[MC_CALL_OPENAT] = "openat",
	[MC_CALL_OPENAT2] = "openat2",
	[MC_CALL_STATX] = "statx",
	[MC_CALL_NS_ID] = "ns_id",
	[MC_CALL_AFFINITY] = "sched_affinity",
	[MC_CALL_NS_MNT_OPEN] = "ns_mnt_open",
	[MC_CALL_SETNS] = "setns",
	[MC_CALL_UNSHARE] = "unshare",
	[MC_CALL_FCHDIR] = "fchdir",
	[MC_CALL_MKDIRAT] = "mkdirat",
	[MC_CALL_FCHMODAT] = "fchmodat",
	[MC_CALL_FCHOWNAT] = "fchownat",
	[MC_CALL_FSOPEN] = "fsopen",
	[MC_CALL_FSCONFIG] = "fsconfig",
	[MC_CALL_FSMOUNT] = "fsmount",
	[MC_CALL_CLOSE] = "close",
	[MC_CALL_CLOSE_RANGE] = "close_range",
};

const char *mc_call_name(enum mc_call c)
{
	return call_names[c];
}

/* --- errors --------------------------------------------------------------- */

/*
 * The rule of the kernel behind an errno, where the operation leaves one only.
 */
static const char *rule(const struct mc_op *op, int err)
{
	switch (op->type) {
	case MC_OP_NS:
		if (err == ENOSPC)
			return "limit of mount namespaces, user.max_mnt_namespaces";
		break;
	case MC_OP_FRESH:
		if (err == EPERM)
			return "CAP_SYS_ADMIN over the owner of the namespace; of what is made inside, CAP_MKNOD, CAP_CHOWN and CAP_FOWNER";
		break;
	case MC_OP_OPEN:
	case MC_OP_BASE:
		if (err == ENOENT || err == ESTALE)
			return "the live source has changed since it was dumped";
		/* fall through */
	case MC_OP_CLONE:
		if (err == EINVAL)
			return "a mount cannot be cloned alone when it is unbindable or hides something with a locked mount, as all do that came from a more privileged mount namespace: mount_namespaces(7); a kernel that reports locks lets that be told beforehand";
		if (err == ENOSPC)
			return "detached trees count against user.max_mnt_namespaces";
		break;
	case MC_OP_DETACH:
		if (err == ENOSPC)
			return "detached trees count against user.max_mnt_namespaces";
		break;
	case MC_OP_SUBROOT:
		if (err == ENOENT)
			return "the root of the mount does not exist in this superblock";
		break;
	case MC_OP_ATTACH:
	case MC_OP_PLACE:
		if (err == ENOENT)
			return "the mountpoint does not exist";
		if (err == ELOOP)
			return "a symlink in the mountpoint, or the file of a namespace that is not younger than this one";
		if (err == ENOTDIR)
			return "a directory is mounted on a directory, a file on a file, and symlinks are not followed";
		if (err == EXDEV)
			return "something else is mounted on the way to the mountpoint";
		if (err == ENOSPC)
			return "fs.mount-max mounts in one namespace";
		break;
	case MC_OP_GROUP:
		if (err == EINVAL)
			return "members share one superblock, are private and lie below the mount that they join";
		if (err == EXDEV)
			return "members of a group share one superblock";
		if (err == EBUSY)
			return "a mount that joins a group must be private";
		if (err == EPERM)
			return "CAP_SYS_ADMIN over the owner of every namespace involved";
		if (err == ERANGE)
			return "a member rooted outside of the mount that it joins, or below a lock there, takes CAP_SYS_ADMIN over all that it is connected to";
		if (err == EACCES)
			return "what a lock or another owner protects must not become removable";
		if (err == EMFILE)
			return "RLIMIT_NOFILE, or fs.mount-max members in one call";
		break;
	case MC_OP_LOCK:
		if (err == EPERM)
			return "CAP_SYS_ADMIN in the parent of the user namespace that owns the namespace";
		break;
	}
	if (err == EPERM)
		return "CAP_SYS_ADMIN over the owner of the namespace";
	if (err == EMFILE)
		return "RLIMIT_NOFILE";
	return NULL;
}

static void op_words(const struct mc_exec *x, const struct mc_op *op,
		     char *buf, size_t size)
{
	char name[512];
	mc_ref r = op->obj;
	uint32_t i;

	if (op->type == MC_OP_GROUP && op->nr)
		r = x->p->list[op->first];
	i = MC_REF_INDEX(r);
	switch (r == MC_NONE ? 99 : MC_REF_KIND(r)) {
	case MC_REF_MOUNT:
		snprintf(buf, size, "mount %s (id %llu)",
			 mc_mount_name(x->t, i, name, sizeof(name)),
			 (unsigned long long)x->t->mounts[i].id);
		break;
	case MC_REF_TEMP:
		snprintf(buf, size, "temporary mount of %s",
			 x->t->sbs[x->p->temps[i].sb].type);
		break;
	case MC_REF_SRC:
		i = mc_src_base(x->p, i);
		if (x->p->srcs[i].kind == MC_SRC_LIVE)
			snprintf(buf, size, "live mount %s (id %llu)",
				 mc_mount_name(x->t, x->p->srcs[i].index, name,
					       sizeof(name)),
				 (unsigned long long)
				 x->t->mounts[x->p->srcs[i].index].id);
		else
			snprintf(buf, size, "source of superblock %u:%u (%s)",
				 x->t->sbs[x->p->srcs[i].sb].major,
				 x->t->sbs[x->p->srcs[i].sb].minor,
				 x->t->sbs[x->p->srcs[i].sb].type);
		break;
	case MC_REF_NS:
		snprintf(buf, size, "namespace %u (%s)", i,
			 x->t->ns[i].label ?
			 mc_escape(x->t->ns[i].label, name, sizeof(name)) : "-");
		break;
	default:
		snprintf(buf, size, "-");
	}
}

/* A group: how many more it is about, and the option that names its master. */
static void group_words(const struct mc_exec *x, const struct mc_op *op, char *buf,
			size_t size)
{
	const struct mntcr_external *o;
	char of[MC_OPTION_TEXT_SIZE], more[32] = "";
	const struct mc_src *s;

	*buf = '\0';
	if (op->type != MC_OP_GROUP)
		return;
	if (op->nr > 1)
		snprintf(more, sizeof(more), " and %u more", op->nr - 1);
	snprintf(buf, size, "%s", more);
	if (op->arg == MC_NONE || MC_REF_KIND(op->arg) != MC_REF_SRC)
		return;
	s = &x->p->srcs[MC_REF_INDEX(op->arg)];
	if (s->kind != MC_SRC_MASTER)
		return;
	o = &x->o->masters[s->index];
	snprintf(buf, size, "%s: receiving from %s", more,
		 mc_option_text("--external-master", o, of, sizeof(of)));
}

int mc_exec_fail(struct mc_exec *x, const struct mc_op *op, int err,
		 const char *what)
{
	const char *r = rule(op, err);
	char words[700], group[400];

	op_words(x, op, words, sizeof(words));
	group_words(x, op, group, sizeof(group));
	return mc_fail(x->e, MNTCR_SYS, err, "%s: %s%s: %s%s%s%s",
		       mc_op_name(op->type), words, group, what,
		       r ? " (" : "", r ? r : "", r ? ")" : "");
}

int mc_exec_fail_unmount(struct mc_exec *x, const struct mc_op *op, uint32_t mount,
			 int err, const char *where)
{
	char what[600], name[512];

	mc_mount_name(x->t, mount, name, sizeof(name));
	if (err == EINVAL && !x->t->mounts[mount].locks_known)
		return mc_refuse(x->e, "overmounted-source",
				 "mount %s (id %llu): unmounting it in %s: %s: it is locked, as a mount is that came from a more privileged mount namespace: mount_namespaces(7); a kernel that reports locks lets that be told before anything is made",
				 name, (unsigned long long)x->t->mounts[mount].id,
				 where, strerror(err));
	snprintf(what, sizeof(what), "unmounting %s in %s", name, where);
	return mc_exec_fail(x, op, err, what);
}

/* --- descriptors ---------------------------------------------------------- */

static int *fd_slot(struct mc_exec *x, mc_ref r)
{
	uint32_t i = MC_REF_INDEX(r);

	switch (MC_REF_KIND(r)) {
	case MC_REF_MOUNT:
		return &x->mount_fd[i];
	case MC_REF_TEMP:
		return &x->temp_fd[i];
	case MC_REF_SRC:
		return &x->src_fd[i];
	default:
		return &x->nsroot_fd[i];
	}
}

int mc_exec_fd(struct mc_exec *x, mc_ref r)
{
	int *fd = fd_slot(x, r);
	uint32_t i = MC_REF_INDEX(r);

	if (*fd < 0 && MC_REF_KIND(r) == MC_REF_MOUNT && x->spilled &&
	    x->spilled[i])
		*fd = x->be->reopen(x, i);
	return *fd;
}

/* Without memory to note it, it is closed at once. */
int mc_exec_junk(struct mc_exec *x, int fd)
{
	if (fd < 0)
		return 0;
	if (!mc_grow(&x->junk, x->nr_junk, &x->max_junk, sizeof(*x->junk))) {
		mc_count(x, CLOSE);
		mc_close(fd);
		return mc_nomem(x->e);
	}
	x->junk[x->nr_junk++] = fd;
	return 0;
}

static int cmp_fd(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;

	return (x > y) - (x < y);
}

/* Descriptors with consecutive numbers are closed by one call. */
static void close_junk(struct mc_exec *x)
{
	uint32_t i, j;

	if (x->nr_junk)
		qsort(x->junk, x->nr_junk, sizeof(*x->junk), cmp_fd);
	for (i = 0; i < x->nr_junk; i = j) {
		for (j = i + 1; j < x->nr_junk; j++)
			if (x->junk[j] != x->junk[j - 1] + 1)
				break;
		if (j - i > 1) {
			mc_count(x, CLOSE_RANGE);
			if (!mc_close_range(x->junk[i], x->junk[j - 1], 0))
				continue;
		}
		for (; i < j; i++) {
			mc_count(x, CLOSE);
			close(x->junk[i]);
		}
	}
	x->nr_junk = 0;
}

/* Close the descriptor and note the mount's unique id. */
static void spill(struct mc_exec *x, mc_ref r)
{
	uint32_t i = MC_REF_INDEX(r);
	struct statx st;

	if (MC_REF_KIND(r) != MC_REF_MOUNT || x->mount_fd[i] < 0)
		return;
	if (!x->spilled)
		x->spilled = calloc(x->t->nr_mounts, sizeof(*x->spilled));
	if (!x->spilled)
		return;
	if (!x->spilled[i]) {
		mc_count(x, STATX);
		/* the calls that open by id take no other */
		if (mc_look(x->mount_fd[i], STATX_MNT_ID_UNIQUE, &st) ||
		    !(st.stx_mask & (STATX_MNT_ID | STATX_MNT_ID_UNIQUE)) ||
		    (x->p->api == MNTCR_API_EXTENDED &&
		     !(st.stx_mask & STATX_MNT_ID_UNIQUE)))
			return;
		x->spilled[i] = st.stx_mnt_id;
	}
	mc_exec_junk(x, x->mount_fd[i]);
	x->mount_fd[i] = -1;
}

void mc_exec_release(struct mc_exec *x, const struct mc_op *op)
{
	uint32_t i;
	int *fd;

	for (i = 0; op && i < op->nr; i++) {
		mc_ref r = x->p->list[op->first + i];

		if (op->flags & MC_SPILL) {
			spill(x, r);
			continue;
		}
		fd = fd_slot(x, r);
		mc_exec_junk(x, *fd);
		*fd = -1;
	}
	close_junk(x);
}

/* --- paths ---------------------------------------------------------------- */

bool mc_one_component(const char *path)
{
	return path[0] == '/' && path[1] && !strchr(path + 1, '/') &&
	       strcmp(path, "/.") && strcmp(path, "/..");
}

bool mc_exec_same_device(const struct mc_exec *x, const struct mc_mount *m,
			 const struct statx *st)
{
	const struct mc_sb *sb = &x->t->sbs[m->sb];

	/*
	 * statx(2) shows another device for device nodes and for btrfs's
	 * subvolumes.
	 */
	return !S_ISDIR(st->stx_mode) || !strcmp(sb->type, "btrfs") ||
	       (st->stx_dev_major == sb->major && st->stx_dev_minor == sb->minor);
}

int mc_exec_below(struct mc_exec *x, int dfd, const char *path, bool xdev)
{
	struct mc_open_how how = {
		.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
		.resolve = MC_RESOLVE_BENEATH | MC_RESOLVE_NO_SYMLINKS |
			   (xdev ? 0 : MC_RESOLVE_NO_XDEV),
	};
	uint64_t opens = 0;
	int fd;

	while (*path == '/')
		path++;
	fd = mc_openat2_count(dfd, path, &how, &opens);
	x->calls[MC_CALL_OPENAT2] += opens;
	x->calls[MC_CALL_CLOSE] += opens - 1;
	return fd;
}

int mc_exec_src(struct mc_exec *x, uint32_t s, const char **path)
{
	const struct mc_src *src = &x->p->srcs[s];

	*path = "";
	if (src->kind == MC_SRC_NSFILE)
		return x->ns_fd[src->index];
	if (src->kind == MC_SRC_SUB && src->inline_path) {
		*path = src->path;
		return x->src_fd[src->base];
	}
	return x->src_fd[s];
}

/* --- mounts --------------------------------------------------------------- */

/* A clone is made private; its group is set once all mounts are there. */
void mc_exec_attr(const struct mc_exec *x, uint32_t mount,
		  struct mc_mount_attr *attr)
{
	const struct mc_mount *m = &x->t->mounts[mount];

	memset(attr, 0, sizeof(*attr));
	attr->attr_set = m->attr & MC_ATTRS;
	attr->attr_clr = MC_ATTRS;
	attr->propagation = m->unbindable ? MS_UNBINDABLE : MS_PRIVATE;
}

void mc_exec_base_attr(const struct mc_exec *x, const struct mc_src *s,
		       struct mc_mount_attr *attr)
{
	memset(attr, 0, sizeof(*attr));
	if (s->attr_of != MC_NONE)
		mc_exec_attr(x, s->attr_of, attr);
	attr->propagation = MS_PRIVATE;
}

int mc_exec_open_tree(struct mc_exec *x, int dfd, const char *path,
		      unsigned int flags, const struct mc_mount_attr *attr)
{
	int fd, err;

	flags |= OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW |
		 AT_NO_AUTOMOUNT | (*path ? 0 : AT_EMPTY_PATH);
	if (attr && !x->no_attr_call) {
		mc_count(x, OPEN_TREE_ATTR);
		fd = mc_open_tree_attr(dfd, path, flags, attr,
				       MC_MOUNT_ATTR_SIZE_VER0);
		if (fd >= 0 || errno != ENOSYS)
			return fd;
		x->no_attr_call = true;
	}
	mc_count(x, OPEN_TREE);
	fd = mc_open_tree(dfd, path, flags);
	if (fd < 0 || !attr)
		return fd;
	/* what is left shared would take its unmounts to the original */
	mc_count(x, MOUNT_SETATTR);
	if (!mc_mount_setattr(fd, "", AT_EMPTY_PATH | (flags & AT_RECURSIVE),
			      attr, MC_MOUNT_ATTR_SIZE_VER0))
		return fd;
	err = errno;
	mc_count(x, CLOSE);
	close(fd);
	errno = err;
	return -1;
}

/*
 * Onto path below the mount at to.  A path of one component is safe as it is:
 * the last component is neither followed as a symlink nor automounted.
 */
int mc_exec_move(struct mc_exec *x, int fd, int to, const char *path,
		 unsigned int flags, const struct mc_op *op)
{
	int at = to;

	if (mc_one_component(path)) {
		path++;
	} else {
		if (path[1]) {
			at = mc_exec_below(x, to, path, false);
			if (at < 0)
				return mc_exec_fail(x, op, errno,
						    "opening the mountpoint");
			if (mc_exec_junk(x, at))
				return -1;
		}
		path = "";
		flags |= MOVE_MOUNT_T_EMPTY_PATH;
	}
	mc_count(x, MOVE_MOUNT);
	if (mc_move_mount(fd, "", at, path, flags | MOVE_MOUNT_F_EMPTY_PATH))
		return mc_exec_fail(x, op, errno, "move_mount");
	return 0;
}

int mc_exec_clone_with(struct mc_exec *x, int fd, unsigned int flags,
		       const struct mc_mount_attr *attr)
{
	int err, tree = mc_exec_open_tree(x, fd, "", flags | AT_RECURSIVE, NULL);

	if (tree < 0 || !attr)
		return tree;
	mc_count(x, MOUNT_SETATTR);
	if (!mc_mount_setattr(tree, "", AT_EMPTY_PATH, attr,
			      MC_MOUNT_ATTR_SIZE_VER0))
		return tree;
	err = errno;
	mc_count(x, CLOSE);
	close(tree);
	errno = err;
	return -1;
}

int mc_exec_along(struct mc_exec *x, int fd, const struct mc_op *op)
{
	uint32_t m = MC_REF_INDEX(op->obj);
	struct statx st;

	x->mount_fd[m] = mc_exec_below(x, fd, op->path, true);
	if (x->mount_fd[m] < 0)
		return mc_exec_fail(x, op, errno, "opening it where it came with its parent");
	mc_count(x, STATX);
	if (mc_look(x->mount_fd[m], 0, &st))
		return mc_exec_fail(x, op, errno, "statx of what came with its parent");
	if (!(st.stx_attributes & STATX_ATTR_MOUNT_ROOT) ||
	    !mc_exec_same_device(x, &x->t->mounts[m], &st))
		return mc_exec_fail(x, op, ESTALE, "it did not come with its parent");
	return 0;
}

int mc_exec_slot(struct mc_exec *x, bool dir, char *name, size_t size)
{
	snprintf(name, size, "%u", x->nr_scratch++);
	mc_count(x, MKDIRAT);
	if (dir)
		return mkdirat(x->scratch_fd, name, 0700);
	return mknodat(x->scratch_fd, name, S_IFREG | 0600, 0);
}

bool mc_exec_is_dir(struct mc_exec *x, int fd)
{
	struct statx st;

	mc_count(x, STATX);
	return mc_look(fd, 0, &st) || S_ISDIR(st.stx_mode);
}

bool mc_exec_src_is_dir(struct mc_exec *x, uint32_t s, int fd)
{
	const struct mc_src *src = &x->p->srcs[s];

	if (src->kind == MC_SRC_LIVE &&
	    x->t->mounts[src->index].mp_type != MC_MP_UNKNOWN)
		return x->t->mounts[src->index].mp_type == MC_MP_DIR;
	return mc_exec_is_dir(x, fd);
}
