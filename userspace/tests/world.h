/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Worlds of mount namespaces for tests of restoring: made by mount(2) in
 * forked children, held by descriptor, watched and shaken from outside.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef WORLD_H
#define WORLD_H

#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <stdbool.h>
#include <stddef.h>

#define WORLD_MAX_NS	8

struct world {
	int ns[WORLD_MAX_NS];
	size_t nr;
};

static int world_proc_fd = -1;

/* --- steps ---------------------------------------------------------------- */

static inline void w_mkdir(const char *path)
{
	char part[4096];
	size_t i;

	for (i = 1; i <= strlen(path); i++) {
		if (path[i] && path[i] != '/')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		if (mkdir(part, 0755) && errno != EEXIST)
			err(1, "mkdir %s", part);
	}
}

static inline void w_touch(const char *path)
{
	int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);

	if (fd < 0)
		err(1, "%s", path);
	close(fd);
}

static inline void w_mount(const char *src, const char *path, const char *type,
		    unsigned long flags)
{
	if (mount(src, path, type, flags, NULL))
		err(1, "mount %s on %s, flags %lx", src ? src : "-", path, flags);
}

static inline void w_tmpfs(const char *source, const char *path)
{
	w_mkdir(path);
	w_mount(source, path, "tmpfs", 0);
}

static inline void w_bind(const char *from, const char *to)
{
	w_mount(from, to, NULL, MS_BIND);
}

static inline void w_rbind(const char *from, const char *to)
{
	w_mount(from, to, NULL, MS_BIND | MS_REC);
}

static inline void w_type(const char *path, unsigned long type)
{
	w_mount(NULL, path, NULL, type);
}

static inline void w_remount(const char *path, unsigned long flags)
{
	w_mount(NULL, path, NULL, MS_REMOUNT | MS_BIND | flags);
}

static inline void w_umount(const char *path)
{
	if (umount2(path, MNT_DETACH))
		err(1, "umount %s", path);
}

static inline void w_write(const char *path, const char *text)
{
	int fd = openat(world_proc_fd, path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		err(1, "/proc/%s", path);
	close(fd);
}

/* In a new user namespace: root is root. */
static inline void w_map_root(void)
{
	w_write("self/setgroups", "deny");
	w_write("self/uid_map", "0 0 1");
	w_write("self/gid_map", "0 0 1");
}

/* --- namespaces ------------------------------------------------------------ */

/* The child of every test: what it mounts is gone with it. */
static inline void world_own_ns(void)
{
	if (unshare(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("tests", "/tmp", "tmpfs", 0, NULL) || chdir("/tmp"))
		err(1, "a mount namespace for the tests");
}

/*
 * Once, before anything else: a private namespace with room in /tmp.  Where that
 * is not to be had, the whole program is one skipped test.
 */
static inline void world_start(void)
{
	cpu_set_t one;

	if (geteuid()) {
		printf("KTAP version 1\nok 1 all # SKIP needs root\n1..1\n");
		exit(4);
	}
	world_proc_fd = open("/proc", O_PATH | O_CLOEXEC);
	if (world_proc_fd < 0)
		err(1, "/proc");
	/* On 6.18 namespace ids ascend per CPU only, and binds depend on them. */
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	if (sched_setaffinity(0, sizeof(one), &one))
		err(1, "staying on one CPU");
	world_own_ns();
}

static inline int wd_wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static inline int wd_own_ns_fd(void)
{
	return openat(world_proc_fd, "self/ns/mnt", O_RDONLY | O_CLOEXEC);
}

/*
 * A namespace copied from the one numbered from, or from the caller's (-1),
 * then changed by fn in a child that is in it.  The child shares the
 * descriptor table and leaves the namespace open in it.
 */
static inline void world_add_flags(struct world *w, int from,
				   void (*fn)(void), int flags)
{
	volatile int *slot = &w->ns[w->nr];
	pid_t pid;
	int pipefd[2], fd;

	if (w->nr == WORLD_MAX_NS || pipe(pipefd))
		err(1, "world_add");
	pid = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
	if (pid < 0)
		err(1, "clone");
	if (!pid) {
		if (from >= 0 && setns(w->ns[from], CLONE_NEWNS))
			err(1, "setns");
		if (unshare(CLONE_NEWNS | flags))
			err(1, "unshare");
		if (flags & CLONE_NEWUSER)
			w_map_root();
		fn();
		fd = wd_own_ns_fd();
		if (fd < 0 || write(pipefd[1], &fd, sizeof(fd)) != sizeof(fd))
			err(1, "handing the namespace over");
		_exit(0);
	}
	if (wd_wait_for(pid))
		errx(1, "a namespace could not be built");
	if (read(pipefd[0], &fd, sizeof(fd)) != sizeof(fd))
		err(1, "taking the namespace over");
	close(pipefd[0]);
	close(pipefd[1]);
	*slot = fd;
	w->nr++;
}

static inline void world_add(struct world *w, int from, void (*fn)(void))
{
	world_add_flags(w, from, fn, 0);
}

static inline void world_close(struct world *w)
{
	while (w->nr)
		close(w->ns[--w->nr]);
}

/* In a namespace's child: an empty tmpfs becomes the root. */
static inline void world_new_root(void)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		err(1, "private");
	w_mkdir("/tmp/root");
	w_tmpfs("root", "/tmp/root");
	if (chdir("/tmp/root") || syscall(SYS_pivot_root, ".", ".") ||
	    umount2(".", MNT_DETACH) || chdir("/"))
		err(1, "pivot_root");
}

/* Run fn in namespace fd, in a child; its return value, or -1. */
static inline int world_in(int ns_fd, int (*fn)(void *), void *arg)
{
	pid_t pid = fork();

	if (!pid) {
		if (setns(ns_fd, CLONE_NEWNS))
			err(1, "setns");
		_exit(fn(arg));
	}
	return pid < 0 ? -1 : wd_wait_for(pid);
}

/* --- watching -------------------------------------------------------------- */

struct wd_text {
	char *s;
	size_t len, max;
};

static inline int wd_add(struct wd_text *t, const char *s, size_t n)
{
	char *p;

	if (t->len + n + 1 > t->max) {
		p = realloc(t->s, t->max = 2 * (t->len + n + 1));
		if (!p)
			return -1;
		t->s = p;
	}
	memcpy(t->s + t->len, s, n);
	t->len += n;
	t->s[t->len] = '\0';
	return 0;
}

static inline int wd_read_all(int fd, struct wd_text *t)
{
	char buf[8192];
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0)
		if (wd_add(t, buf, (size_t)n))
			return -1;
	return n ? -1 : 0;
}

/* The file is of the namespace in which it is opened. */
static inline int wd_mountinfo(int ns_fd, struct wd_text *t)
{
	int fds[2], ret;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC))
		return -1;
	pid = fork();
	if (!pid) {
		struct wd_text mine = { 0 };
		int fd;

		if (setns(ns_fd, CLONE_NEWNS))
			_exit(1);
		fd = openat(world_proc_fd, "self/mountinfo", O_RDONLY);
		if (fd < 0 || wd_read_all(fd, &mine))
			_exit(1);
		_exit(write(fds[1], mine.s, mine.len) != (ssize_t)mine.len);
	}
	close(fds[1]);
	ret = wd_read_all(fds[0], t);
	close(fds[0]);
	return wd_wait_for(pid) ? -1 : ret;
}

/* Groups by order of appearance. */
struct wd_names {
	unsigned long id[4096];
	size_t nr;
};

static inline size_t wd_rename_id(struct wd_names *n, unsigned long id)
{
	size_t i;

	for (i = 0; i < n->nr; i++)
		if (n->id[i] == id)
			return i + 1;
	if (n->nr < 4096)
		n->id[n->nr++] = id;
	return n->nr;
}

/* Mount id, parent id of a line; the position is what they become. */
static inline int wd_line_of(const unsigned long *ids, size_t nr, unsigned long id)
{
	size_t i;

	for (i = 0; i < nr; i++)
		if (ids[i] == id)
			return (int)i;
	return -1;
}

/* One line without ids: "1.4 on 0 0:41 / /z rw shared:4 master:1 - ..." */
static inline int wd_line(char *line, bool ev, struct wd_names *groups,
			  struct wd_text *out)
{
	char *word, *save, buf[64];
	unsigned long id;
	int field;

	for (field = 0, word = strtok_r(line, " ", &save); word;
	     field++, word = strtok_r(NULL, " ", &save)) {
		if (field < 2 || !strncmp(word, "propagate_from:", 15))
			continue;
		if (ev && field == 2)
			word = (char *)"-";
		else if (ev && !strncmp(word, "shared:", 7))
			word = (char *)"shared";
		else if (ev && !strncmp(word, "master:", 7))
			word = (char *)"master";
		if (sscanf(word, "shared:%lu", &id) == 1) {
			snprintf(buf, sizeof(buf), "shared:%zu",
				 wd_rename_id(groups, id));
			word = buf;
		} else if (sscanf(word, "master:%lu", &id) == 1) {
			snprintf(buf, sizeof(buf), "master:%zu",
				 wd_rename_id(groups, id));
			word = buf;
		}
		if (wd_add(out, " ", 1) || wd_add(out, word, strlen(word)))
			return -1;
	}
	return wd_add(out, "\n", 1);
}

static inline int wd_cmp_line(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/*
 * Mounts in their order; those of an event sorted, and their groups only by
 * kind, since propagation may visit a group's members in any order.
 */
static inline int wd_canonical(char *in, size_t ns, struct wd_names *groups,
			       struct wd_text *out)
{
	static unsigned long ids[4096];
	static char *evs[4096];
	struct wd_text one = { 0 };
	unsigned long parent;
	size_t nr = 0, nr_ev = 0, i;
	char *line, *save, buf[64];
	int ret = -1;
	bool ev;

	for (line = strtok_r(in, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		if (nr == 4096 ||
		    sscanf(line, "%lu %lu", &ids[nr], &parent) != 2)
			goto out;
		ev = strstr(line, " - tmpfs ev ");
		nr++;
		i = (size_t)wd_line_of(ids, nr, parent);
		if (ev)
			snprintf(buf, sizeof(buf), "event in %zu on %zd", ns,
				 (ssize_t)i);
		else
			snprintf(buf, sizeof(buf), "%zu.%zu on %zd", ns, nr - 1,
				 (ssize_t)i);
		one.len = 0;
		if (wd_add(&one, buf, strlen(buf)) ||
		    wd_line(line, ev, groups, &one))
			goto out;
		if (ev)
			evs[nr_ev++] = strdup(one.s);
		else if (wd_add(out, one.s, one.len))
			goto out;
	}
	qsort(evs, nr_ev, sizeof(*evs), wd_cmp_line);
	for (i = 0; i < nr_ev; i++)
		if (wd_add(out, evs[i], strlen(evs[i])))
			goto out;
	ret = 0;
out:
	while (nr_ev)
		free(evs[--nr_ev]);
	free(one.s);
	return ret;
}

/*
 * All namespaces' mountinfo, canonical: no ids, groups renamed by order of
 * appearance.  malloc()ed; NULL on failure.
 */
static inline char *world_text(const int *ns, size_t nr)
{
	static struct wd_names groups;
	struct wd_text out = { 0 };
	size_t i;

	groups.nr = 0;
	for (i = 0; i < nr; i++) {
		struct wd_text t = { 0 };
		int ret = wd_mountinfo(ns[i], &t);

		if (!ret)
			ret = wd_canonical(t.s, i, &groups, &out);
		free(t.s);
		if (ret) {
			free(out.s);
			return NULL;
		}
	}
	return out.s;
}

/* Lines of the caller's own mountinfo. */
static inline size_t world_own_mounts(void)
{
	int fd = openat(world_proc_fd, "self/mountinfo", O_RDONLY | O_CLOEXEC);
	struct wd_text t = { 0 };
	size_t i, n = 0;

	if (fd < 0 || wd_read_all(fd, &t))
		err(1, "mountinfo");
	close(fd);
	for (i = 0; i < t.len; i++)
		n += t.s[i] == '\n';
	free(t.s);
	return n;
}

static inline size_t world_own_fds(void)
{
	int fd = openat(world_proc_fd, "self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	size_t n = 0;

	if (!d)
		err(1, "/proc/self/fd");
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

/* --- shaking ---------------------------------------------------------------- */

struct wd_event {
	const char *dir;
	bool on;
};

static inline int wd_event(void *arg)
{
	const struct wd_event *ev = arg;
	char path[4096];

	snprintf(path, sizeof(path), "%s/ev", strcmp(ev->dir, "/") ? ev->dir : "");
	if (ev->on)
		return mount("ev", path, "tmpfs", 0, NULL) ? errno : 0;
	return umount2(path, MNT_DETACH) ? errno : 0;
}

/* tmpfs on / off DIR/ev in namespace fd: 0 or an errno. */
static inline int world_event(int ns_fd, const char *dir, bool on)
{
	struct wd_event ev = { dir, on };

	return world_in(ns_fd, wd_event, &ev);
}

#endif /* WORLD_H */
