// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Fresh superblocks, and what must exist inside of them.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "contents/contents.h"
#include "execute/execute.h"

/* Where the last file was made: the next is mostly in the same directory. */
struct nodes {
	int mnt, dir;
	const char *path;	/* of dir: len bytes of it */
	size_t len;
};

/* Of what is only known to be there, the owner is who makes it. */
static const struct mc_file some_dir = {
	.mode = S_IFDIR | 0755, .uid = MC_NO_ID, .gid = MC_NO_ID,
};
static const struct mc_file some_file = {
	.mode = S_IFREG | 0644, .uid = MC_NO_ID, .gid = MC_NO_ID,
};

/* -1, which is MC_NO_ID, leaves the id; a new owner takes set-id bits away. */
static int set_node(struct mc_exec *x, int dir, const char *name,
		    const struct mc_file *f)
{
	if (f->uid != MC_NO_ID || f->gid != MC_NO_ID) {
		mc_count(x, FCHOWNAT);
		if (fchownat(dir, name, f->uid, f->gid, AT_SYMLINK_NOFOLLOW))
			return -1;
	}
	if (S_ISLNK(f->mode))
		return 0;
	mc_count(x, FCHMODAT);
	return fchmodat(dir, name, f->mode & MC_MODE_ALL, 0);
}

/*
 * mkdirat(2) and mknodat(2) apply the caller's umask; fchmodat(2) after it does
 * not.
 */
static int make_node(struct mc_exec *x, int dir, const char *path, size_t len,
		     const struct mc_file *f, char *name)
{
	int ret;

	if (len > NAME_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(name, path, len);
	name[len] = '\0';
	mc_count(x, MKDIRAT);
	if (S_ISDIR(f->mode))
		ret = mkdirat(dir, name, 0700);
	else if (S_ISLNK(f->mode))
		ret = symlinkat(f->target ? f->target : ".", dir, name);
	else
		ret = mknodat(dir, name, (f->mode & S_IFMT) | 0600,
			      makedev(f->major, f->minor));
	if (ret)
		return errno == EEXIST ? 0 : -1;
	return set_node(x, dir, name, f);
}

static void leave_dir(struct mc_exec *x, struct nodes *n)
{
	if (n->dir == n->mnt)
		return;
	mc_count(x, CLOSE);
	mc_close(n->dir);
	n->dir = n->mnt;
	n->len = 0;
}

/* mkdir -p of the first len bytes; n->dir is there afterwards. */
static int enter_dir(struct mc_exec *x, struct nodes *n, const char *path,
		     size_t len)
{
	const char *p = path, *end;
	char name[NAME_MAX + 1];
	int next;

	if (n->len == len && (!len || !strncmp(n->path, path, len)))
		return 0;
	leave_dir(x, n);
	for (; p < path + len; p = end + 1) {
		end = strchrnul(p, '/');
		if (make_node(x, n->dir, p, (size_t)(end - p), &some_dir, name))
			return -1;
		next = mc_exec_below(x, n->dir, name, false);
		if (next < 0)
			return -1;
		leave_dir(x, n);
		n->dir = next;
	}
	n->path = path;
	n->len = len;
	return 0;
}

static int make_nodes(struct mc_exec *x, const struct mc_op *op, int mnt)
{
	struct nodes n = { .mnt = mnt, .dir = mnt };
	char what[256], esc[128], name[NAME_MAX + 1];
	const struct mc_node *node;
	const struct mc_file *f;
	const char *last;
	uint32_t i;
	int ret = 0;

	for (i = 0; i < op->nr && !ret; i++) {
		node = &x->p->nodes[op->first + i];
		f = node->file ? node->file : node->dir ? &some_dir : &some_file;
		if (!*node->path) {
			if (set_node(x, mnt, ".", f))
				ret = mc_exec_fail(x, op, errno,
						   "owner and mode of its root");
			continue;
		}
		last = strrchr(node->path, '/');
		last = last ? last + 1 : node->path;
		if (!enter_dir(x, &n, node->path, last == node->path ? 0 :
			       (size_t)(last - 1 - node->path)) &&
		    !make_node(x, n.dir, last, strlen(last), f, name))
			continue;
		snprintf(what, sizeof(what), "making %s inside",
			 mc_escape(node->path, esc, sizeof(esc)));
		ret = mc_exec_fail(x, op, errno, what);
	}
	leave_dir(x, &n);
	return ret;
}

/* What it shows, rather than whose it is. */
static bool is_given(const struct mc_exec *x, const struct mc_src *s,
		     enum mntcr_given_kind kind)
{
	return s->need != MC_NONE && x->p->needs[s->need].kind == kind;
}

/* The pid namespace that a proc is to show, if it is not the caller's. */
static int set_pidns(struct mc_exec *x, int fs, const struct mc_sb *sb,
		     const struct mc_op *op)
{
	const struct mc_src *s = &x->p->srcs[MC_REF_INDEX(op->obj)];
	bool given = is_given(x, s, MNTCR_GIVEN_PID);
	int fd;

	if (strcmp(sb->type, "proc") ||
	    (!given && (!mc_sb_has_own_pidns(sb) || x->o->caller_namespaces)))
		return 0;
	fd = given ? x->need_fd[s->need] :
	     mc_made_pidns(x, sb->pidns_ino, s->owner);
	if (fd < 0)
		return mc_exec_fail(x, op, errno, "making a pid namespace");
	mc_count(x, FSCONFIG);
	if (mc_fsconfig(fs, MC_FSCONFIG_SET_FD, "pidns", NULL, fd))
		return mc_exec_fail(x, op, errno,
				    "proc option pidns (a kernel before 6.17 has none)");
	return 0;
}

/*
 * Its size is said by an option only where this machine would choose another.  Until it
 * is finished there are directories more, and it may be full.
 */
static int set_size(struct mc_exec *x, int fs, int mnt, const struct mc_src *s,
		    const struct mc_op *op)
{
	const struct mc_sb *sb = &x->t->sbs[s->sb];
	uint64_t most = sb->inodes + (sb->inodes && s->finish ? MC_SPARE_INODES : 0);
	char size[32], inodes[32];
	struct statfs st;
	bool other;

	if (!sb->sized)
		return 0;
	if (fstatfs(mnt, &st))
		return mc_exec_fail(x, op, errno, "statfs");
	snprintf(size, sizeof(size), "%" PRIu64, sb->size);
	snprintf(inodes, sizeof(inodes), "%" PRIu64, most);
	other = (uint64_t)st.f_blocks * (uint64_t)st.f_bsize != sb->size;
	if (other && mc_exec_config(x, fs, MC_FSCONFIG_SET_STRING, "size", size))
		return mc_exec_fail(x, op, errno, "option size");
	if (st.f_files != most) {
		if (mc_exec_config(x, fs, MC_FSCONFIG_SET_STRING, "nr_inodes", inodes))
			return mc_exec_fail(x, op, errno, "option nr_inodes");
		other = true;
	}
	if (other && mc_exec_config(x, fs, MC_FSCONFIG_CMD_RECONFIGURE, NULL, NULL))
		return mc_exec_fail(x, op, errno, "setting its size");
	return 0;
}

/* All the options that it takes; -1. */
static int configure(struct mc_exec *x, const struct mc_op *op, int fs)
{
	const struct mc_sb *sb = &x->t->sbs[x->p->srcs[MC_REF_INDEX(op->obj)].sb];

	if (sb->source && mc_exec_config(x, fs, MC_FSCONFIG_SET_STRING, "source", sb->source))
		return mc_exec_fail(x, op, errno, "option source");
	return mc_exec_set_options(x, fs, sb, op) || set_pidns(x, fs, sb, op) ? -1 : 0;
}

struct shower {
	const char *type;
	int ns, nstype, fs, err;
};

/* sysfs and mqueue show the namespace of whoever opens them. */
static void *open_in(void *data)
{
	struct shower *s = data;

	s->fs = setns(s->ns, s->nstype) ? -1 : mc_fsopen(s->type, MC_FSOPEN_CLOEXEC);
	s->err = errno;
	return NULL;
}

static int open_shower(struct mc_exec *x, const char *type, uint32_t need)
{
	struct shower s = {
		.type = type, .ns = x->need_fd[need],
		.nstype = x->p->needs[need].kind == MNTCR_GIVEN_NET ? CLONE_NEWNET :
			  CLONE_NEWIPC,
	};

	mc_count(x, SETNS);
	mc_count(x, FSOPEN);
	errno = mc_in_thread(open_in, &s);
	if (errno)
		return -1;
	errno = s.err;
	return s.fs;
}

static int open_fs(struct mc_exec *x, const struct mc_op *op, uint32_t owner)
{
	const struct mc_src *s = &x->p->srcs[MC_REF_INDEX(op->obj)];
	const struct mc_sb *sb = &x->t->sbs[s->sb];
	const char *what = "fsopen";
	int fs;

	if (is_given(x, s, MNTCR_GIVEN_NET) || is_given(x, s, MNTCR_GIVEN_IPC)) {
		fs = open_shower(x, sb->type, s->need);
	} else if (mc_sb_has_own_ns(sb) && !x->o->caller_namespaces) {
		what = "fsopen in a namespace for it";
		fs = mc_made_fsopen(x, s);
	} else if (owner != MC_NONE) {
		what = "fsopen in its user namespace";
		fs = mc_owner_fsopen(x, owner, sb->type);
	} else {
		mc_count(x, FSOPEN);
		fs = mc_fsopen(sb->type, MC_FSOPEN_CLOEXEC);
	}
	return fs >= 0 ? fs : mc_exec_fail(x, op, errno, what);
}

static int fresh(struct mc_exec *x, const struct mc_op *op, int fs, int *mnt)
{
	const struct mc_src *s = &x->p->srcs[MC_REF_INDEX(op->obj)];
	const struct mc_sb *sb = &x->t->sbs[s->sb];
	bool rdonly = sb->flags & MS_RDONLY;
	bool full = mc_contents_has(x->o->contents, sb);
	int fd = -1, ret = -1;

	if (configure(x, op, fs))
		return -1;
	/* Files are made first: after that it may become read-only. */
	if (mc_exec_set_flags(x, fs, sb->flags) ||
	    (rdonly && !op->nr && !full && !s->finish &&
	     mc_exec_config(x, fs, MC_FSCONFIG_SET_FLAG, "ro", NULL)) ||
	    mc_exec_config(x, fs, MC_FSCONFIG_CMD_CREATE, NULL, NULL)) {
		mc_exec_fail(x, op, errno, "creating the superblock");
		goto out;
	}
	mc_count(x, FSMOUNT);
	fd = mc_fsmount(fs, MC_FSMOUNT_CLOEXEC, 0);
	if (fd < 0) {
		mc_exec_fail(x, op, errno, "fsmount");
		goto out;
	}
	if (set_size(x, fs, fd, s, op))
		goto out;
	/* what mounts are on is among the contents, if these were read */
	if ((full && mc_exec_fill(x, s, fd)) || make_nodes(x, op, fd))
		goto out;
	if (full && !s->finish && mc_exec_set_last(x, op, s, fd))
		goto out;
	if (rdonly && (op->nr || full) && !s->finish &&
	    (mc_exec_config(x, fs, MC_FSCONFIG_SET_FLAG, "ro", NULL) ||
	     mc_exec_config(x, fs, MC_FSCONFIG_CMD_RECONFIGURE, NULL, NULL))) {
		mc_exec_fail(x, op, errno, "making the superblock read-only");
		goto out;
	}
	*mnt = fd;
	fd = -1;
	ret = 0;
out:
	mc_exec_junk(x, fd);
	return ret;
}

struct fresh {
	int fs, *mnt;		/* mnt NULL: only configured */
};

static int fresh_or_configured(struct mc_exec *x, const struct mc_op *op, void *data)
{
	struct fresh *f = data;

	return f->mnt ? fresh(x, op, f->fs, f->mnt) : configure(x, op, f->fs);
}

static int fill(struct mc_exec *x, const struct mc_op *op, void *mnt)
{
	return mc_exec_fill(x, &x->p->srcs[MC_REF_INDEX(op->obj)], *(int *)mnt);
}

/* What has been unlinked in it. */
static int fill_overlay(struct mc_exec *x, const struct mc_op *op, int *mnt)
{
	if (!x->p->srcs[MC_REF_INDEX(op->obj)].nr_unlinked ||
	    !mc_exec_as_owner(x, op, fill, mnt))
		return 0;
	mc_exec_junk(x, *mnt);
	*mnt = -1;
	return -1;
}

static int fresh_overlay(struct mc_exec *x, const struct mc_op *op, int *mnt)
{
	int made = -1, fs = mc_exec_overlay(x, op, mnt, &made);

	if (made >= 0) {
		*mnt = made;
		return fill_overlay(x, op, mnt);
	}
	if (fs < 0)
		return -1;
	if (mnt) {
		mc_count(x, FSMOUNT);
		*mnt = mc_fsmount(fs, MC_FSMOUNT_CLOEXEC, 0);
		if (*mnt < 0)
			mc_exec_fail(x, op, errno, "fsmount");
	}
	mc_exec_junk(x, fs);
	if (!mnt)
		return 0;
	return *mnt < 0 ? -1 : fill_overlay(x, op, mnt);
}

/*
 * Who opens it is who it belongs to; its options and files are given their ids
 * from here, where these are what the image says.
 */
int mc_exec_fresh(struct mc_exec *x, const struct mc_op *op, int *mnt)
{
	uint32_t owner = x->p->srcs[MC_REF_INDEX(op->obj)].owner;
	struct fresh f = { .mnt = mnt };
	int ret;

	if (x->t->sbs[x->p->srcs[MC_REF_INDEX(op->obj)].sb].nr_layers)
		return fresh_overlay(x, op, mnt);
	if (x->p->srcs[MC_REF_INDEX(op->obj)].device != MC_NONE)
		return mc_exec_device(x, op, mnt);
	f.fs = open_fs(x, op, owner);
	if (f.fs < 0)
		return -1;
	ret = mc_exec_as_owner(x, op, fresh_or_configured, &f);
	mc_exec_junk(x, f.fs);
	return ret;
}

int mc_exec_tmpfs(struct mc_exec *x)
{
	int fs, fd = -1;

	mc_count(x, FSOPEN);
	fs = mc_fsopen("tmpfs", MC_FSOPEN_CLOEXEC);
	if (fs < 0)
		return -1;
	if (!mc_exec_config(x, fs, MC_FSCONFIG_SET_STRING, "mode", "0700") &&
	    !mc_exec_config(x, fs, MC_FSCONFIG_CMD_CREATE, NULL, NULL)) {
		mc_count(x, FSMOUNT);
		fd = mc_fsmount(fs, MC_FSMOUNT_CLOEXEC, 0);
	}
	mc_close(fs);
	mc_count(x, CLOSE);
	return fd;
}
