// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * mntcr restore --stages: requests are lines, so are answers, the last of which is "ok"
 * or "error".  Descriptors come beside the line that they belong to, or are named as
 * /proc/PID/fd/N.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/base.h"
#include "plan/plan.h"
#include "stages.h"

#define LINE_MOST	4096
#define FDS_MOST	16	/* that have come and are not used yet */

struct driver {
	int fd, signal_fd;
	char in[LINE_MOST];
	size_t have;
	int fds[FDS_MOST];
	size_t nr_fds;
	struct mntcr_stages *s;
	bool *said;		/* of namespaces, then of those that were made: handed out */
	size_t nr_said;
	struct mntcr_error *e;
};

/* --- words -------------------------------------------------------------------- */

static bool whole_number(const char *word, const char **end, uint64_t *n)
{
	char *after;

	if (*word < '0' || *word > '9')
		return false;
	errno = 0;
	*n = strtoull(word, &after, 10);
	*end = after;
	return !errno;
}

/* KIND and ID, which is MAJOR:MINOR of a superblock. */
static bool parse_given(const char *kind, const char *id, struct mntcr_given *what)
{
	uint64_t major, minor;
	size_t k;

	for (k = 0; k < MNTCR_NR_GIVEN_KINDS; k++)
		if (!strcmp(kind, mc_need_kind_name((enum mntcr_given_kind)k)))
			break;
	if (k == MNTCR_NR_GIVEN_KINDS || !whole_number(id, &id, &major))
		return false;
	what->kind = (enum mntcr_given_kind)k;
	what->id = major;
	if (what->kind != MNTCR_GIVEN_SUPERBLOCK)
		return !*id;
	if (*id++ != ':' || !whole_number(id, &id, &minor) || *id ||
	    major > UINT32_MAX || minor > UINT32_MAX)
		return false;
	what->id = MNTCR_DEVICE(major, minor);
	return true;
}

int cmd_stages_fd(struct cmd_stages *s, const char *cmd, const char *arg, bool check)
{
	size_t fd;
	int type;
	socklen_t size = sizeof(type);

	s->asked = true;
	if (check && (!strcmp(arg, "-") || cmd_number(arg, INT_MAX, &fd)))
		return 0;
	if (!cmd_number(arg, INT_MAX, &fd))
		return cmd_usage(cmd, "--stages %s: no number of a descriptor", arg);
	if (getsockopt((int)fd, SOL_SOCKET, SO_DOMAIN, &type, &size) ||
	    type != AF_UNIX)
		return cmd_usage(cmd, "--stages %s: not a unix socket", arg);
	/* the end of another one's peer is not told */
	if (getsockopt((int)fd, SOL_SOCKET, SO_TYPE, &type, &size) ||
	    (type != SOCK_STREAM && type != SOCK_SEQPACKET))
		return cmd_usage(cmd, "--stages %s: a unix socket, and neither SOCK_STREAM nor SOCK_SEQPACKET",
				 arg);
	s->fd = (int)fd;
	fcntl(s->fd, F_SETFD, FD_CLOEXEC);
	return 0;
}

int cmd_stages_give(struct cmd_stages *s, const char *cmd, const char *arg)
{
	const char *colon = strchr(arg, ':');
	char kind[16] = "";
	void *p;

	if (colon && (size_t)(colon - arg) < sizeof(kind))
		memcpy(kind, arg, (size_t)(colon - arg));
	p = realloc(s->give, (s->nr_give + 1) * sizeof(*s->give));
	if (!p) {
		fprintf(stderr, "mntcr: %s: out of memory\n", cmd);
		return MNTCR_SYS;
	}
	s->give = p;
	if (!colon || !parse_given(kind, colon + 1, &s->give[s->nr_give]))
		return cmd_usage(cmd, "--give %s is not KIND:ID", arg);
	s->nr_give++;
	return 0;
}

void cmd_stages_free(struct cmd_stages *s)
{
	free(s->give);
}

/* --- what is said -------------------------------------------------------------- */

/* fd, if it is one, goes with the line. */
static bool send_line(int to, const char *line, int fd)
{
	union {
		struct cmsghdr h;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	size_t size = strlen(line), at = 0;
	ssize_t n;

	while (at < size) {
		struct iovec io = { (char *)line + at, size - at };
		struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1 };

		if (!at && fd >= 0) {
			memset(&control, 0, sizeof(control));
			control.h.cmsg_len = CMSG_LEN(sizeof(int));
			control.h.cmsg_level = SOL_SOCKET;
			control.h.cmsg_type = SCM_RIGHTS;
			memcpy(CMSG_DATA(&control.h), &fd, sizeof(fd));
			m.msg_control = &control;
			m.msg_controllen = sizeof(control);
		}
		n = sendmsg(to, &m, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		at += (size_t)n;
	}
	return true;
}

static int say(struct driver *d, int fd, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int say(struct driver *d, int fd, const char *fmt, ...)
{
	char line[LINE_MOST];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line) - 1, fmt, ap);
	va_end(ap);
	strcat(line, "\n");
	return send_line(d->fd, line, fd) ? 0 :
	       mc_fail(d->e, MNTCR_SYS, errno, "stages: answering");
}

void cmd_stages_over(const struct cmd_stages *s, const char *error)
{
	char line[LINE_MOST];

	snprintf(line, sizeof(line), "%s%s\n", error ? "error " : "ok", error ? error : "");
	send_line(s->fd, line, -1);
}

/* How long a driver may pause within a line that nobody waits for any more. */
#define PAUSE_MS	10000
/* And how much it may write of it. */
#define DRAIN_MOST	(64 << 20)

void cmd_stages_drain(const struct cmd_stages *s)
{
	struct pollfd p = { .fd = s->fd, .events = POLLIN };
	char some[LINE_MOST];
	bool in_line = s->in_line;
	size_t sum = 0;
	ssize_t n;

	if (s->fd < 0)
		return;
	while (sum < DRAIN_MOST) {
		n = recv(s->fd, some, sizeof(some), MSG_DONTWAIT);
		sum += n > 0 ? (size_t)n : 0;
		if (n > 0)
			in_line = some[n - 1] != '\n';
		else if (!n || (errno != EAGAIN && errno != EINTR))
			return;
		else if (errno == EAGAIN && (!in_line || poll(&p, 1, PAUSE_MS) <= 0))
			return;
	}
}

/* --- what is asked ------------------------------------------------------------- */

static int wait_for(struct driver *d)
{
	struct pollfd p[2] = {
		{ .fd = d->fd, .events = POLLIN },
		{ .fd = d->signal_fd, .events = POLLIN },
	};

	while (poll(p, 2, -1) < 0)
		if (errno != EINTR)
			return mc_fail(d->e, MNTCR_SYS, errno, "stages: poll");
	return p[1].revents ? mc_fail(d->e, MNTCR_SYS, EINTR, "stopped") : 0;
}

static int keep_fds(struct driver *d, struct msghdr *m)
{
	struct cmsghdr *c;
	bool room = true;
	size_t i, nr;
	int fd;

	for (c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		nr = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (i = 0; i < nr; i++) {
			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
			if (d->nr_fds < FDS_MOST) {
				d->fds[d->nr_fds++] = fd;
			} else {
				close(fd);
				room = false;
			}
		}
	}
	if (!room || m->msg_flags & MSG_CTRUNC)
		return mc_fail(d->e, MNTCR_USAGE, 0, "stages: more descriptors than %d that no give has taken",
			    FDS_MOST);
	return 0;
}

/* The next line, without its end, in d->in until the next call. */
static int next_line(struct driver *d, char *line)
{
	union {
		struct cmsghdr h;
		char space[CMSG_SPACE(FDS_MOST * sizeof(int))];
	} control;
	struct iovec io;
	struct msghdr m;
	char *end;
	ssize_t n;

	while (!(end = memchr(d->in, '\n', d->have))) {
		if (d->have == sizeof(d->in))
			return mc_fail(d->e, MNTCR_USAGE, 0, "stages: a line of more than %d bytes",
				    LINE_MOST - 1);
		if (wait_for(d))
			return -1;
		io = (struct iovec){ d->in + d->have, sizeof(d->in) - d->have };
		m = (struct msghdr){
			.msg_iov = &io, .msg_iovlen = 1, .msg_control = &control,
			.msg_controllen = sizeof(control),
		};
		n = recvmsg(d->fd, &m, MSG_CMSG_CLOEXEC);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return mc_fail(d->e, MNTCR_SYS, errno, "stages: reading");
		if (!n)
			return mc_fail(d->e, MNTCR_SYS, EPIPE, "stages: whoever drives it is gone");
		d->have += (size_t)n;
		if (keep_fds(d, &m))
			return -1;
	}
	n = end - d->in;
	memcpy(line, d->in, (size_t)n);
	line[n] = '\0';
	d->have -= (size_t)n + 1;
	memmove(d->in, end + 1, d->have);
	if (strlen(line) != (size_t)n)
		return mc_fail(d->e, MNTCR_USAGE, 0, "stages: a line with a NUL");
	return 0;
}

/* Up to most words; false: more, or none. */
static bool split(char *line, char **words, size_t most, size_t *nr)
{
	char *word, *rest = line;

	for (*nr = 0; (word = strsep(&rest, " ")); ) {
		if (!*word || *nr == most)
			return false;
		words[(*nr)++] = word;
	}
	return *nr;
}

/* /proc/PID/fd/N and nothing else: a path could lead anywhere by then. */
static bool is_fd_path(const char *path)
{
	static const char before[] = "/proc/", between[] = "/fd/";
	uint64_t n;

	if (strncmp(path, before, strlen(before)) ||
	    !whole_number(path + strlen(before), &path, &n) ||
	    strncmp(path, between, strlen(between)) ||
	    !whole_number(path + strlen(between), &path, &n))
		return false;
	return !*path;
}

static int take_fd(struct driver *d, const struct mntcr_given *what, const char *path,
		   int *fd)
{
	bool mount = !mc_need_is_ns(what->kind);

	if (!path) {
		if (!d->nr_fds)
			return mc_fail(d->e, MNTCR_USAGE, 0, "give: no descriptor has come with it");
		*fd = d->fds[0];
		memmove(d->fds, d->fds + 1, --d->nr_fds * sizeof(*d->fds));
		return 0;
	}
	if (!is_fd_path(path))
		return mc_fail(d->e, MNTCR_USAGE, 0, "give: a descriptor comes beside the line or is /proc/PID/fd/N");
	*fd = open(path, (mount ? O_PATH : O_RDONLY | O_NONBLOCK) | O_CLOEXEC);
	return *fd < 0 ? mc_fail(d->e, MNTCR_SYS, errno, "give: %s", path) : 0;
}

static int do_give(struct driver *d, char **words, size_t nr)
{
	struct mntcr_given what;
	int fd = -1, ret;

	if (nr < 3 || !parse_given(words[1], words[2], &what))
		return mc_fail(d->e, MNTCR_USAGE, 0, "give: KIND ID [/proc/PID/fd/N] is wanted");
	if (take_fd(d, &what, nr > 3 ? words[3] : NULL, &fd))
		return -1;
	ret = mntcr_stages_give(d->s, &what, fd, d->e);
	close(fd);
	return ret;
}

/* --- answers -------------------------------------------------------------------- */

static int say_need(struct driver *d, size_t i, bool waits)
{
	struct mntcr_need n;
	char id[32], type[64];

	mntcr_stages_need(d->s, i, &n);
	mc_need_id_text(n.kind, n.id, id, sizeof(id));
	if (waits)
		return n.done ? 0 : say(d, -1, "wait %s %s", mc_need_kind_name(n.kind), id);
	return say(d, -1, "need %s %s %s %zu %s", mc_need_kind_name(n.kind), id,
		   mc_escape(n.type, type, sizeof(type)), n.nr_mounts, n.name);
}

static int say_needs(struct driver *d, bool waits)
{
	size_t i;

	for (i = 0; i < mntcr_stages_nr_needs(d->s); i++)
		if (say_need(d, i, waits))
			return -1;
	return 0;
}

static int say_plan(struct driver *d)
{
	struct mntcr_mount_id m;
	size_t i;

	if (say_needs(d, false))
		return -1;
	for (i = 0; i < mntcr_stages_nr_delayed(d->s); i++) {
		mntcr_stages_delayed_mount(d->s, i, &m);
		if (say(d, -1, "delayed %zu %" PRIu64, m.ns, m.id))
			return -1;
	}
	return 0;
}

/* Once each, those that there are by now. */
static int say_made(struct driver *d)
{
	size_t i, nr_ns = mntcr_stages_nr_ns(d->s), nr = nr_ns + mntcr_stages_nr_made(d->s);
	struct mntcr_made made;
	bool *said = realloc(d->said, nr + 1);

	if (!said)
		return mc_nomem(d->e);
	d->said = said;
	while (d->nr_said < nr)
		said[d->nr_said++] = false;
	for (i = 0; i < nr_ns; i++) {
		if (said[i] || mntcr_stages_ns_fd(d->s, i) < 0)
			continue;
		said[i] = true;
		if (say(d, mntcr_stages_ns_fd(d->s, i), "namespace %zu", i))
			return -1;
	}
	for (; i < nr; i++) {
		mntcr_stages_made(d->s, i - nr_ns, &made);
		if (said[i] || made.fd < 0)
			continue;
		said[i] = true;
		if (say(d, made.fd, "made %s %" PRIu64, made.kind, made.id))
			return -1;
	}
	return say_needs(d, true);
}

/* Each with the root of the tree, which is gone when nobody has it any more. */
static int say_detached(struct driver *d, const struct mntcr_restored *r)
{
	size_t i;

	for (i = 0; i < mntcr_restored_nr_ns(r); i++)
		if (mntcr_restored_detached_fd(r, i) >= 0 &&
		    say(d, mntcr_restored_detached_fd(r, i), "detached %zu", i))
			return -1;
	return 0;
}

/* 1: that was the last one. */
static int one(struct driver *d, struct mntcr_restored **r)
{
	char line[LINE_MOST], *words[4];
	size_t nr;
	int ret;

	if (next_line(d, line))
		return -1;
	if (!split(line, words, 4, &nr) || (nr > 1 && strcmp(words[0], "give")))
		return mc_fail(d->e, MNTCR_USAGE, 0, "stages: not a request");
	/* what nobody takes now would be taken for another */
	if (d->nr_fds && !d->have && strcmp(words[0], "give"))
		return mc_fail(d->e, MNTCR_USAGE, 0, "stages: a descriptor with no give");
	if (!strcmp(words[0], "begin"))
		ret = say_plan(d);
	else if (!strcmp(words[0], "place"))
		ret = mntcr_stages_place(d->s, d->e) || say_made(d) ? -1 : 0;
	else if (!strcmp(words[0], "give"))
		ret = do_give(d, words, nr);
	else if (!strcmp(words[0], "delayed"))
		ret = mntcr_stages_delayed(d->s, d->e) || say_made(d) ? -1 : 0;
	else if (!strcmp(words[0], "share"))
		ret = mntcr_stages_share(d->s, d->e);
	else if (!strcmp(words[0], "end"))
		return mntcr_stages_end(d->s, r, d->e) || say_detached(d, *r) ? -1 : 1;
	else if (!strcmp(words[0], "abort"))
		return 1;
	else
		return mc_fail(d->e, MNTCR_USAGE, 0, "stages: not a request");
	return ret ? ret : say(d, -1, "ok");
}

int cmd_stages_drive(struct cmd_stages *s, const struct mntcr_topology *t,
		     const struct mntcr_restore_options *o, const sigset_t *held,
		     struct mntcr_restored **r, struct mntcr_error *e)
{
	const struct mntcr_stages_options so = {
		.size = sizeof(so), .give = s->give, .nr_give = s->nr_give,
	};
	struct driver d = { .fd = s->fd, .signal_fd = -1, .e = e };
	int ret;

	d.signal_fd = signalfd(-1, held, SFD_CLOEXEC);
	if (d.signal_fd < 0)
		return mc_fail(e, MNTCR_SYS, errno, "signalfd");
	ret = mntcr_stages_begin(t, o, &so, &d.s, e);
	while (!ret)
		ret = one(&d, r);
	s->in_line = d.have && d.in[d.have - 1] != '\n';
	mntcr_stages_free(d.s);
	free(d.said);
	while (d.nr_fds)
		close(d.fds[--d.nr_fds]);
	close(d.signal_fd);
	return ret > 0 ? 0 : -1;
}
