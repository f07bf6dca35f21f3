// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The helper of an event.
 *
 * It alone has the descriptors, opened before anything could cover or hide them,
 * and blocks all signals; when nobody is left to tell it to, it unmounts what it
 * mounted.  It makes system calls and nothing else: see mc_child().
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/base.h"
#include "verify/event.h"

#define EVENT_SOURCE	"mntcr-event"
/*
 * EAGAIN is what a disturbed walk gives, and one into a cover where nothing is:
 * so many in a row are no disturbance.
 */
#define TRIES		50

enum { FIRE = 'f', END = 'e' };

static int new_tmpfs(void)
{
	int fs = mc_fsopen("tmpfs", MC_FSOPEN_CLOEXEC), fd = -1;

	if (fs < 0)
		return -1;
	if (!mc_fsconfig(fs, MC_FSCONFIG_SET_STRING, "source", EVENT_SOURCE, 0) &&
	    !mc_fsconfig(fs, MC_FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		fd = mc_fsmount(fs, MC_FSMOUNT_CLOEXEC, 0);
	mc_close(fs);
	return fd;
}

/* A clone of a mount that is itself detached: EINVAL before 6.15. */
static int new_file(void)
{
	int dir = new_tmpfs(), fd = -1;

	if (dir >= 0 && !mknodat(dir, "f", S_IFREG | 0600, 0))
		fd = mc_open_tree(dir, "f", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	mc_close(dir);
	return fd;
}

/* Only a file covers a file: the same, once more. */
static int clone_of(int on)
{
	struct mc_mount_attr private = { .propagation = MS_PRIVATE };
	int fd;

	fd = mc_open_tree(on, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC |
			  AT_EMPTY_PATH);
	if (fd >= 0 && mc_mount_setattr(fd, "", AT_EMPTY_PATH, &private,
					MC_MOUNT_ATTR_SIZE_VER0)) {
		mc_close(fd);
		return -1;
	}
	return fd;
}

static int detached(bool dir, int on)
{
	int fd = dir ? new_tmpfs() : new_file();

	return fd < 0 && !dir && errno == EINVAL ? clone_of(on) : fd;
}

/* In the helper. */
struct helper {
	int ns, proc, sock;
	const char *path;
	const struct mc_mount *m;
	bool unique_ids;
	size_t local;		/* see mc_open_way() */

	int on, event, mountinfo;
	uint64_t on_id, event_id;	/* those that mountinfo has */
};

static int open_place(struct helper *h)
{
	struct statx st;
	int fd_dir;

	if (setns(h->ns, CLONE_NEWNS))
		return errno;
	h->mountinfo = openat(h->proc, "self/mountinfo", O_RDONLY | O_CLOEXEC);
	fd_dir = openat(h->proc, "self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (h->mountinfo < 0 || fd_dir < 0 || fchdir(fd_dir))
		return errno;
	mc_close(fd_dir);
	h->on = mc_open_way(AT_FDCWD, h->path, h->local, 0);
	if (h->on < 0 || mc_look(h->on, h->unique_ids ? STATX_MNT_ID_UNIQUE : 0,
				 &st))
		return errno;
	if (!mc_look_is(&st, h->unique_ids, h->m->id, h->m->id_old))
		return MC_EVENT_OTHER;
	h->event = detached(S_ISDIR(st.stx_mode), h->on);
	if (h->event < 0)
		return errno == EINVAL ? MC_EVENT_CANNOT : errno;
	if (mc_look(h->on, 0, &st))
		return errno;
	h->on_id = st.stx_mnt_id;
	if (mc_look(h->event, 0, &st))
		return errno;
	h->event_id = st.stx_mnt_id;
	return 0;
}

/* Of a walk: it came to where nothing of that name is. */
static bool into_a_cover(int err)
{
	return err == EAGAIN || err == ENOENT || err == ENOTDIR || err == ELOOP ||
	       err == EACCES || err == ENAMETOOLONG || err == ENOTCONN;
}

static int fire(struct helper *h)
{
	int fd, err, tries = TRIES;
	struct statx st;

	/* an event on the other side may have come here, or in between */
	do {
		fd = mc_open_way(AT_FDCWD, h->path, h->local, 0);
	} while (fd < 0 && errno == EAGAIN && --tries);
	if (fd < 0)
		return into_a_cover(errno) ? MC_EVENT_OTHER : errno;
	err = mc_look(fd, 0, &st) ? errno : 0;
	mc_close(fd);
	if (err)
		return err;
	if (st.stx_mnt_id != h->on_id)
		return MC_EVENT_OTHER;
	return mc_move_mount(h->event, "", h->on, "", MOVE_MOUNT_F_EMPTY_PATH |
			     MOVE_MOUNT_T_EMPTY_PATH) ? errno : 0;
}

/* Is anything mounted on the event?  1, 0, or -1 and errno. */
static int is_parent(const struct helper *h)
{
	bool second = false, blank = false;
	uint64_t parent = 0;
	char buf[4096];
	ssize_t n, i;

	/* "ID PARENT ...": the second word of each line */
	for (;;) {
		n = read(h->mountinfo, buf, sizeof(buf));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return (int)n;
		for (i = 0; i < n; i++) {
			if (buf[i] == '\n') {
				second = blank = false;
				parent = 0;
			} else if (buf[i] == ' ') {
				if (second && parent == h->event_id)
					return 1;
				second = !blank;
				blank = true;
			} else if (second) {
				parent = parent * 10 + (uint64_t)(buf[i] - '0');
			}
		}
	}
}

static int end(struct helper *h)
{
	char name[16];
	int ret = is_parent(h);

	/* nothing is left behind because memory was short for a moment */
	if (ret < 0 && !lseek(h->mountinfo, 0, SEEK_SET))
		ret = is_parent(h);
	if (ret)
		return ret < 0 ? errno : MC_EVENT_OTHER;
	/* the current directory is that of the descriptors */
	snprintf(name, sizeof(name), "%d", h->event);
	return umount2(name, MNT_DETACH) ? errno : 0;
}

static ssize_t next_word(const struct helper *h, char *c)
{
	ssize_t n;

	do {
		n = recv(h->sock, c, 1, 0);
	} while (n < 0 && errno == EINTR);
	return n;
}

static void serve(struct helper *h)
{
	bool fired = false;
	int ret = open_place(h);
	char c;

	for (;;) {
		/* who is not answered would wait for it, and not tell to end */
		if (send(h->sock, &ret, sizeof(ret), MSG_NOSIGNAL) != sizeof(ret) ||
		    next_word(h, &c) != 1 || c != FIRE)
			break;
		ret = fire(h);
		fired = !ret;
	}
	ret = fired ? end(h) : 0;
	send(h->sock, &ret, sizeof(ret), MSG_NOSIGNAL);
}

/* --- the caller's side ------------------------------------------------------ */

static ssize_t next_answer(const struct mc_event *ev, int *ret)
{
	ssize_t n;

	do {
		n = recv(ev->sock, ret, sizeof(*ret), 0);
	} while (n < 0 && errno == EINTR);
	return n;
}

static int answer(const struct mc_event *ev)
{
	ssize_t n;
	int ret;

	n = next_answer(ev, &ret);
	/*
	 * recv(2) looks for a packet before it looks whether the other has ended: what
	 * was sent last, in between, is there and was not seen.
	 */
	if (!n)
		n = next_answer(ev, &ret);
	/* killed: by nobody but who runs out of memory */
	return n == (ssize_t)sizeof(ret) ? ret : n < 0 ? errno : ECHILD;
}

int mc_event_open(struct mc_event *ev, int ns, int proc, const char *path,
		  const struct mc_topology *t, uint32_t m)
{
	struct helper h = {
		.ns = ns, .proc = proc, .path = path, .m = &t->mounts[m],
		.unique_ids = t->unique_ids, .local = mc_local_way(t, m),
	};
	int sock[2], err;

	ev->pid = 0;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sock))
		return errno;
	ev->pid = mc_child(0);
	if (!ev->pid) {
		/* its end is that of the caller: there is no other copy of it */
		mc_close(sock[0]);
		h.sock = sock[1];
		serve(&h);
		_exit(0);
	}
	err = errno;
	mc_close(sock[1]);
	ev->sock = sock[0];
	if (ev->pid < 0) {
		mc_close(ev->sock);
		ev->pid = 0;
		return err;
	}
	return answer(ev);
}

static int tell(const struct mc_event *ev, char c)
{
	if (send(ev->sock, &c, 1, MSG_NOSIGNAL) == 1)
		return answer(ev);
	return errno == EPIPE ? ECHILD : errno;
}

int mc_event_fire(struct mc_event *ev)
{
	return tell(ev, FIRE);
}

int mc_event_end(struct mc_event *ev)
{
	int ret;

	if (!ev->pid)
		return 0;
	ret = tell(ev, END);
	mc_close(ev->sock);
	mc_child_wait(ev->pid);
	ev->pid = 0;
	return ret;
}
