// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Filesystems on block devices.  The kernel makes one superblock of a device and gives
 * that to whoever mounts it next: such a one is never given an option.  What is on a
 * device is read there before anything is made: an image's options, and mounts in which
 * a container would write, are for no other filesystem.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <blkid/blkid.h>
#include <libmount/libmount.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "execute/execute.h"

/* --- what is there ------------------------------------------------------------- */

struct check {
	const struct mc_plan *p;
	const struct mc_plan_options *po;
	const int *fds;
	struct libmnt_table *tb;
	struct libmnt_iter *it;
	int *roots;
	mc_differs *differs;
	void *data;
	uint32_t nr_refused;
	struct mntcr_error *e;
};

/* text: after the option, which it is about. */
static void refuse(struct check *c, const struct mc_src *s, const char *rule,
		   const char *help, const char *text)
{
	char of[MC_OPTION_TEXT_SIZE], all[1200];

	snprintf(all, sizeof(all), "%s: %s",
		 mc_option_text("--device", &c->po->devices[s->device], of, sizeof(of)), text);
	mc_refuse_beside(c->po, c->e, &c->nr_refused, &(struct mntcr_refusal){
		.rule = rule, .text = all, .help = help });
}

/* One driver has all three, and a disk that it may have made of one another. */
static bool is_ext(const char *type)
{
	return !strcmp(type, "ext2") || !strcmp(type, "ext3") || !strcmp(type, "ext4");
}

static void check_found(struct check *c, const struct mc_src *s, const char *type,
			const char *uuid)
{
	const struct mc_sb *sb = &c->p->topo->sbs[s->sb];
	char is[64], was[64], text[300];

	mc_escape(sb->type, was, sizeof(was));
	if (!type || (strcmp(type, sb->type) && !(is_ext(type) && is_ext(sb->type)))) {
		snprintf(text, sizeof(text), "%s is on it, and %u:%u was %s",
			 type ? mc_escape(type, is, sizeof(is)) :
			 "no filesystem that is known", sb->major, sb->minor, was);
		refuse(c, s, "device-type", "the device that has it here", text);
	} else if (sb->uuid && (!uuid || strcmp(uuid, sb->uuid))) {
		snprintf(text, sizeof(text), "the filesystem on it is %s, and %u:%u was %s",
			 uuid ? mc_escape(uuid, is, sizeof(is)) : "without a UUID",
			 sb->major, sb->minor, sb->uuid);
		refuse(c, s, "device-uuid", "the device that has it here", text);
	}
}

/* Of the superblock, from its first byte on: fs/ext4/ext4.h. */
#define EXT_SB		1024
#define EXT_MAGIC_AT	0x38
#define EXT_INCOMPAT_AT	0x60
#define EXT_RECOVER	0x4U

/* Its journal has what is not in place yet: whoever mounts it writes that there first. */
static bool needs_recovery(int fd)
{
	unsigned char sb[EXT_INCOMPAT_AT + 4];

	return pread(fd, sb, sizeof(sb), EXT_SB) == (ssize_t)sizeof(sb) &&
	       sb[EXT_MAGIC_AT] == 0x53 && sb[EXT_MAGIC_AT + 1] == 0xef &&
	       sb[EXT_INCOMPAT_AT] & EXT_RECOVER;
}

/* Without that: the one name has the kernel shown, and both are taken. */
static bool leaves_journal(const struct mc_sb *sb)
{
	char *copy = strdup(sb->options), *rest = copy, *name, *value;
	bool leaves = false;

	while (copy && !leaves && mc_next_option(&rest, &name, &value))
		leaves = !value && (!strcmp(name, "norecovery") || !strcmp(name, "noload"));
	free(copy);
	return leaves;
}

/* As the kernel has it: it mounts none writable of which it knows that it is not. */
static void check_writable(struct check *c, const struct mc_src *s, int fd, bool mounted)
{
	const struct mc_sb *sb = &c->p->topo->sbs[s->sb];
	bool was_ro = sb->flags & MS_RDONLY;
	char text[200];
	int ro;

	if (ioctl(fd, BLKROGET, &ro) || !ro)
		return;
	if (!was_ro)
		snprintf(text, sizeof(text), "the device is read-only, and %u:%u was writable",
			 sb->major, sb->minor);
	else if (mounted || !is_ext(sb->type) || leaves_journal(sb) || !needs_recovery(fd))
		return;
	else
		snprintf(text, sizeof(text), "the device is read-only, and the journal on it has to be replayed before it can be mounted");
	refuse(c, s, was_ro ? "device-journal" : "device-read-only",
	       was_ro ? "a device that can be written to, or e2fsck(8), which replays it" :
	       "a device that can be written to", text);
}

/* Reading changes nothing, not even if its journal would have to be replayed. */
static int probe(struct check *c, const struct mc_src *s, bool mounted)
{
	const char *type = NULL, *uuid = NULL;
	blkid_probe pr = blkid_new_probe();
	char path[40], text[200];
	int fd, err, found;

	if (!pr)
		return mc_nomem(c->e);
	snprintf(path, sizeof(path), "/proc/thread-self/fd/%d", c->fds[s->device]);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	err = fd < 0 ? errno : blkid_probe_set_device(pr, fd, 0, 0) ? EIO : 0;
	if (err) {
		snprintf(text, sizeof(text), "it can't be read: %s", strerror(err));
		refuse(c, s, "device-path", "the device that has it here", text);
	} else {
		check_writable(c, s, fd, mounted);
		blkid_probe_enable_superblocks(pr, 1);
		found = blkid_do_safeprobe(pr);
		if (!found) {
			blkid_probe_lookup_value(pr, "TYPE", &type, NULL);
			blkid_probe_lookup_value(pr, "UUID", &uuid, NULL);
		}
		if (found == -2)
			refuse(c, s, "device-type", "wipefs(8), for those that are left from before",
			       "there are traces of several filesystems on it");
		else if (found < 0)
			refuse(c, s, "device-path", "the device that has it here",
			       "what is on it can't be read");
		else
			check_found(c, s, type, uuid);
	}
	blkid_free_probe(pr);
	mc_close(fd);
	return 0;
}

/* As mountinfo has them, flags first. */
static const char *text_of(const char *options, uint32_t flags, char *buf, size_t size)
{
	char esc[256];

	snprintf(buf, size, "%s%s%s%s%s", flags & MS_RDONLY ? "ro" : "rw",
		 flags & MS_SYNCHRONOUS ? ",sync" : "", flags & MS_DIRSYNC ? ",dirsync" : "",
		 flags & MS_LAZYTIME ? ",lazytime" : "", *options ? "," : "");
	strncat(buf, mc_escape(options, esc, sizeof(esc)), size - strlen(buf) - 1);
	return buf;
}

/* The root of all of it, where a mount is there that nothing hides. */
static int open_root(struct check *c, dev_t dev)
{
	struct libmnt_fs *fs;
	bool is_root;
	int fd = -1;

	mnt_reset_iter(c->it, MNT_ITER_FORWARD);
	while (fd < 0 && !mnt_table_next_fs(c->tb, c->it, &fs)) {
		if (mnt_fs_get_devno(fs) != dev || !mnt_fs_get_root(fs) ||
		    strcmp(mnt_fs_get_root(fs), "/"))
			continue;
		fd = mc_open_cached(AT_FDCWD, mnt_fs_get_target(fs), 0);
		if (fd >= 0 && mc_mounted_at(c->tb, fd, &is_root) != fs) {
			mc_close(fd);
			fd = -1;
		}
	}
	return fd;
}

/* That one is taken as it is.  What is mounted elsewhere alone is not seen. */
static bool check_mounted(struct check *c, const struct mc_src *s, dev_t dev)
{
	const struct mc_sb *sb = &c->p->topo->sbs[s->sb];
	struct libmnt_fs *fs = NULL, *f;
	char at[256], is[320], was[320], line[1100];
	bool ro, was_ro = sb->flags & MS_RDONLY;
	const char *options;
	uint32_t flags;

	mnt_reset_iter(c->it, MNT_ITER_FORWARD);
	while (!fs && !mnt_table_next_fs(c->tb, c->it, &f))
		if (mnt_fs_get_devno(f) == dev)
			fs = f;
	options = fs ? mnt_fs_get_fs_options(fs) : NULL;
	if (!options)
		return fs;
	options = mc_sb_flags(options, &flags);
	ro = flags & MS_RDONLY;
	mc_escape(mnt_fs_get_target(fs), at, sizeof(at));
	if (ro != was_ro) {
		snprintf(line, sizeof(line), "it is mounted here already, at %s, and %s; %u:%u was %s",
			 at, ro ? "read-only" : "writable", sb->major, sb->minor,
			 was_ro ? "read-only" : "writable");
		refuse(c, s, "device-mounted", "unmount or remount it, or --external with its path",
		       line);
	} else if (c->differs && (flags != sb->flags || strcmp(options, sb->options))) {
		snprintf(line, sizeof(line), "%u:%u: mounted here already, at %s, with its own options: %s instead of %s",
			 sb->major, sb->minor, at, text_of(options, flags, is, sizeof(is)),
			 text_of(sb->options, sb->flags, was, sizeof(was)));
		c->differs(c->data, "options", line);
	}
	return true;
}

/* An --external that leads to what is mounted of the device, for another superblock. */
static bool is_external(struct check *c, const struct mc_src *s, dev_t dev)
{
	char of[MC_OPTION_TEXT_SIZE], text[600];
	const struct mntcr_external *o;
	struct statx st;
	uint32_t i;

	for (i = 0; i < c->p->nr_srcs; i++) {
		const struct mc_src *x = &c->p->srcs[i];

		if (x->kind != MC_SRC_EXTERNAL || x->sb == s->sb)
			continue;
		o = &c->po->externals[x->index];
		/* no automounter is started, and no server asked */
		if (statx(AT_FDCWD, o->path, AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC, 0, &st) ||
		    makedev(st.stx_dev_major, st.stx_dev_minor) != dev)
			continue;
		snprintf(text, sizeof(text), "the device is that of %s, which has another superblock of the image",
			 mc_option_text("--external", o, of, sizeof(of)));
		refuse(c, s, "device-twice", "a device for each", text);
		return true;
	}
	return false;
}

/* One of a live namespace: likewise. */
static bool is_live(struct check *c, const struct mc_src *s, dev_t dev)
{
	const struct mc_sb *sb = c->p->topo->sbs;
	char text[300];
	uint32_t i;

	for (i = 0; i < c->p->topo->nr_sbs; i++) {
		if (i == s->sb || c->p->from[i].kind != MC_FROM_LIVE ||
		    makedev(sb[i].major, sb[i].minor) != dev)
			continue;
		snprintf(text, sizeof(text), "the device is that of %u:%u in a live namespace, another superblock of the image",
			 sb[i].major, sb[i].minor);
		refuse(c, s, "device-twice", "a device for each", text);
		return true;
	}
	return false;
}

static int check_one(struct check *c, uint32_t src, dev_t *of)
{
	const struct mc_src *s = &c->p->srcs[src];
	char other[256], text[400];
	struct stat st;
	uint32_t i;

	if (c->fds[s->device] < 0)	/* told by whoever could not open it */
		return 0;
	if (fstat(c->fds[s->device], &st) || !S_ISBLK(st.st_mode)) {
		refuse(c, s, "device-path", "the block device that has it here, for a file a loop device",
		       "it is no block device");
		return 0;
	}
	of[src] = st.st_rdev;
	for (i = 0; i < src; i++) {
		if (of[i] != st.st_rdev)
			continue;
		snprintf(text, sizeof(text), "the device is that of %s, which has another superblock of the image",
			 mc_escape(c->p->srcs[i].path, other, sizeof(other)));
		refuse(c, s, "device-twice", "a device for each", text);
		return 0;
	}
	if (is_external(c, s, st.st_rdev) || is_live(c, s, st.st_rdev))
		return 0;
	i = c->nr_refused;
	if (probe(c, s, check_mounted(c, s, st.st_rdev)))
		return -1;
	if (c->roots && c->nr_refused == i)
		c->roots[src] = open_root(c, st.st_rdev);
	return 0;
}

int mc_devices_check(const struct mc_plan *p, const struct mc_plan_options *po,
		     const int *fds, int *roots, mc_differs *differs, void *data,
		     struct mntcr_error *e)
{
	struct check c = {
		.p = p, .po = po, .fds = fds, .roots = roots, .differs = differs,
		.data = data, .e = e,
	};
	dev_t *of;
	uint32_t i;
	int ret = 0;

	if (!po->nr_devices)
		return 0;
	of = calloc(p->nr_srcs + 1UL, sizeof(*of));
	if (!of)
		return mc_nomem(e);
	c.tb = mc_mounted_read();
	if (!c.tb)
		ret = mc_fail(e, MNTCR_SYS, errno, "/proc/thread-self/mountinfo");
	c.it = mnt_new_iter(MNT_ITER_FORWARD);
	if (!ret && !c.it)
		ret = mc_nomem(e);
	for (i = 0; i < p->nr_srcs && !ret; i++)
		if (p->srcs[i].kind == MC_SRC_FRESH && p->srcs[i].device != MC_NONE)
			ret = check_one(&c, i, of);
	mc_mounted_free(c.tb);
	mnt_free_iter(c.it);
	free(of);
	if (c.nr_refused > 1)
		mc_more_refusals(e, c.nr_refused - 1);
	return ret || c.nr_refused ? -1 : 0;
}

/* --- making it ------------------------------------------------------------------- */

/* source and, with all, the image's options. */
static int open_fs(struct mc_exec *x, const struct mc_op *op, bool all)
{
	const struct mc_src *s = &x->p->srcs[MC_REF_INDEX(op->obj)];
	const struct mc_sb *sb = &x->t->sbs[s->sb];
	int fs;

	mc_count(x, FSOPEN);
	fs = mc_fsopen(sb->type, MC_FSOPEN_CLOEXEC);
	if (fs < 0)
		return mc_exec_fail(x, op, errno, "fsopen");
	if (mc_exec_config(x, fs, MC_FSCONFIG_SET_STRING, "source", s->path))
		mc_exec_fail(x, op, errno, "option source");
	else if (sb->flags & MS_RDONLY &&
		 mc_exec_config(x, fs, MC_FSCONFIG_SET_FLAG, "ro", NULL))
		mc_exec_fail(x, op, errno, "option ro");
	else if (all && mc_exec_set_flags(x, fs, sb->flags))
		mc_exec_fail(x, op, errno, "its flags");
	else if (!all || !mc_exec_set_options(x, fs, sb, op))
		return fs;
	mc_close(fs);
	return -1;
}

struct creating {
	struct mc_exec *x;
	int fs, err;
	bool alone;
};

/*
 * The kernel looks for the device by its path, from where this thread is: that is made
 * the caller's root, since with stock calls threads go about other namespaces.  Before
 * 6.6 it does not tell that there is a superblock already, and gives that.
 */
static void *create_at_home(void *data)
{
	struct creating *c = data;
	struct mc_exec *x = c->x;
	int ret;

	ret = unshare(CLONE_FS) || fchdir(x->root_fd) || chroot(".") || fchdir(x->cwd_fd);
	if (!ret) {
		ret = mc_exec_config(x, c->fs, c->alone ? MC_FSCONFIG_CMD_CREATE_EXCL :
				     MC_FSCONFIG_CMD_CREATE, NULL, NULL);
		if (ret && c->alone && errno == EOPNOTSUPP)
			ret = mc_exec_config(x, c->fs, MC_FSCONFIG_CMD_CREATE, NULL, NULL);
	}
	c->err = ret ? errno : 0;
	return NULL;
}

/* An errno; EBUSY: there is one already. */
static int create(struct mc_exec *x, int fs, bool alone)
{
	struct creating c = { .x = x, .fs = fs, .alone = alone };
	int err = mc_in_thread(create_at_home, &c);

	return err ? err : c.err;
}

/* The kernel has gone by its path: is it the device that was looked at? */
static int check_same(struct mc_exec *x, const struct mc_op *op, int mnt)
{
	const struct mc_src *s = &x->p->srcs[MC_REF_INDEX(op->obj)];
	struct stat is, st;
	char path[256];

	if (fstat(x->device_fd[s->device], &st) || fstat(mnt, &is))
		return mc_exec_fail(x, op, errno, "its device");
	if (is.st_dev == st.st_rdev)
		return 0;
	return mc_refuse(x->e, "device-path", "%s leads to device %u:%u, and led to %u:%u when that was looked at; a path that nobody changes",
			 mc_escape(s->path, path, sizeof(path)), major(is.st_dev),
			 minor(is.st_dev), major(st.st_rdev), minor(st.st_rdev));
}

int mc_exec_device(struct mc_exec *x, const struct mc_op *op, int *mnt)
{
	const struct mc_src *s = &x->p->srcs[MC_REF_INDEX(op->obj)];
	int fs, fd, err;

	/* the plan has told that: it is not even asked whether the kernel would take it */
	if (!mc_device_is_plain(&x->t->sbs[s->sb]))
		return mnt ? mc_refuse(x->e, "device-option", "%u:%u has options that no device is mounted with",
				       x->t->sbs[s->sb].major, x->t->sbs[s->sb].minor) : 0;
	fs = open_fs(x, op, true);
	if (fs < 0)
		return -1;
	if (!mnt) {
		mc_close(fs);
		return 0;
	}
	err = create(x, fs, true);
	if (err == EBUSY) {
		mc_close(fs);
		fs = open_fs(x, op, false);
		if (fs < 0)
			return -1;
		err = create(x, fs, false);
	}
	if (err) {
		mc_exec_junk(x, fs);
		return mc_exec_fail(x, op, err, err == EBUSY ?
				    "mounting its device, which is in use, or mounted already, but not (as the image has it) writable or read-only" :
				    "mounting its device");
	}
	mc_count(x, FSMOUNT);
	fd = mc_fsmount(fs, MC_FSMOUNT_CLOEXEC, 0);
	if (fd < 0)
		mc_exec_fail(x, op, errno, "fsmount");
	mc_exec_junk(x, fs);
	if (fd < 0)
		return -1;
	if (check_same(x, op, fd) || (s->nr_unlinked && mc_exec_fill(x, s, fd))) {
		mc_exec_junk(x, fd);
		return -1;
	}
	*mnt = fd;
	return 0;
}
