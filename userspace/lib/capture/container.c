// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Which mount namespaces are a container's: those of every task in a pid namespace
 * and the ones below it, or in a cgroup, and those that nothing but a namespace file
 * mounted in one of them keeps.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "capture/capture.h"

struct task {
	uint32_t tid;
	uint64_t mnt;		/* inode of its mount namespace */
};

struct scan {
	struct mntcr_error *e;
	struct mc_map *members;	/* the cgroup's tasks; NULL: it is a pid namespace */
	struct mc_map *within;	/* those that may be in it; NULL: any */
	uint64_t pidns;
	struct mc_map *below;	/* pid namespaces: 1 if it is that one or below it */
	struct mc_map *in, *out; /* mount namespaces: by a task of each sort */
	struct task *tasks;	/* one for each in the container */
	uint32_t nr, max;
};

/* A task that is gone, or going, has none any more. */
static bool is_gone(int err)
{
	return err == ENOENT || err == ESRCH;
}

/* 1, 0, or -1 with errno: EPERM is that of the top, whose parent nobody may see. */
static int is_below(struct scan *s, int ns, uint64_t ino)
{
	uint32_t known = 0;
	struct stat st;
	int fd = ns, up, err = 0;

	if (mc_map_get(s->below, ino, &known))
		return (int)known;
	while (fd >= 0 && !known) {
		if (fstat(fd, &st)) {
			err = errno;
			break;
		}
		known = st.st_ino == s->pidns;
		if (known)
			break;
		up = ioctl(fd, MC_NS_GET_PARENT);
		err = up >= 0 || errno == EPERM ? 0 : errno;
		if (fd != ns)
			mc_close(fd);
		fd = up;
	}
	if (fd >= 0 && fd != ns)
		mc_close(fd);
	if (err) {
		errno = err;
		return -1;
	}
	if (mc_map_add(s->below, ino, &known) < 0) {
		errno = ENOMEM;
		return -1;
	}
	return (int)known;
}

static int add_task(struct scan *s, uint32_t tid, uint64_t mnt, bool in)
{
	uint32_t at = in ? s->nr : tid;
	int ret = mc_map_add(in ? s->in : s->out, mnt, &at);

	if (ret < 0)
		return mc_nomem(s->e);
	if (ret || !in)
		return 0;
	if (!mc_grow(&s->tasks, s->nr, &s->max, sizeof(*s->tasks)))
		return mc_nomem(s->e);
	s->tasks[s->nr++] = (struct task){ tid, mnt };
	return 0;
}

/*
 * One that may not be looked at (a security module's choice) is in no pid namespace
 * below that of /proc, if it has one number only.
 */
static bool is_of_proc(int dir, uint32_t tid)
{
	char name[40], line[256];
	int fd, n = 0;
	FILE *in;

	snprintf(name, sizeof(name), "%u/status", tid);
	fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	in = fd < 0 ? NULL : fdopen(fd, "r");
	if (!in) {
		mc_close(fd);
		return false;
	}
	while (!n && fgets(line, sizeof(line), in))
		if (!strncmp(line, "NSpid:", 6))
			n = strchr(line + 7, '\t') ? 2 : 1;
	fclose(in);
	return n == 1;
}

static bool is_member(const struct scan *s, uint32_t tid)
{
	uint32_t v;

	return mc_map_get(s->members, tid, &v);
}

static int one_task(struct scan *s, int dir, uint32_t tid)
{
	char name[40];
	struct stat pid, mnt;
	int ns, in, err;
	uint32_t v;

	snprintf(name, sizeof(name), "%u/ns/mnt", tid);
	if (fstatat(dir, name, &mnt, 0)) {
		err = errno;
		if (is_gone(err) ||
		    (err == EACCES && (s->members ? !is_member(s, tid) : is_of_proc(dir, tid))))
			return 0;
		return mc_fail(s->e, MNTCR_SYS, err,
			       "task %u: its mount namespace", tid);
	}
	if (s->members)
		return add_task(s, tid, mnt.st_ino, is_member(s, tid));
	snprintf(name, sizeof(name), "%u/ns/pid", tid);
	ns = openat(dir, name, O_RDONLY | O_CLOEXEC);
	if (ns < 0 || fstat(ns, &pid)) {
		err = errno;
		mc_close(ns);
		return is_gone(err) ? 0 : mc_fail(s->e, MNTCR_SYS, err,
						  "task %u: its pid namespace", tid);
	}
	in = is_below(s, ns, pid.st_ino);
	err = errno;
	mc_close(ns);
	if (in > 0 && s->within && !mc_map_get(s->within, tid, &v))
		return mc_refuse(s->e, "task-outside-cgroup",
				 "task %u of the container is not in the cgroup that is frozen",
				 tid);
	if (in < 0 && err == ENOMEM)
		return mc_nomem(s->e);
	if (in < 0)
		return mc_fail(s->e, MNTCR_SYS, err, "task %u: whose child its pid namespace is",
			       tid);
	return add_task(s, tid, mnt.st_ino, in);
}

/* Each thread of each process is in namespaces of its own. */
static int each_number(struct scan *s, const char *path,
		       int (*fn)(struct scan *s, int dir, uint32_t nr))
{
	DIR *dir = opendir(path);
	struct dirent *d;
	int ret = 0;

	if (!dir)
		return is_gone(errno) ? 0 :
		       mc_fail(s->e, MNTCR_SYS, errno, "%s", path);
	while (!ret && (d = readdir(dir)))
		if (*d->d_name && strspn(d->d_name, "0123456789") == strlen(d->d_name))
			ret = fn(s, dirfd(dir), (uint32_t)strtoul(d->d_name, NULL, 10));
	closedir(dir);
	return ret;
}

static int one_process(struct scan *s, int dir, uint32_t pid)
{
	char path[40];

	snprintf(path, sizeof(path), "/proc/%u/task", pid);
	return each_number(s, path, one_task);
}

static int cmp_task(const void *a, const void *b)
{
	const struct task *x = a, *y = b;

	return (x->tid > y->tid) - (x->tid < y->tid);
}

static int check_outside(const struct scan *s)
{
	struct stat own;
	uint32_t i, tid;

	if (stat("/proc/self/ns/mnt", &own))
		return mc_fail(s->e, MNTCR_SYS, errno, "/proc/self/ns/mnt");
	if (mc_map_get(s->in, own.st_ino, &i))
		return mc_refuse(s->e, "namespace-of-others",
				 "the mount namespace of task %u in the container is also the caller's own",
				 s->tasks[i].tid);

	for (i = 0; i < s->nr; i++)
		if (mc_map_get(s->out, s->tasks[i].mnt, &tid))
			return mc_refuse(s->e, "namespace-of-others",
					 "the mount namespace of task %u in the container is also that of task %u, which is not in it",
					 s->tasks[i].tid, tid);
	return 0;
}

static int add_member(void *data, uint32_t tid, bool inner)
{
	uint32_t v = 1;

	return mc_map_add(data, tid, &v) < 0 ? -1 : 0;
}

static int of_cgroup(struct scan *s, const char *path, struct mc_map **members)
{
	int ret, dir = cap_cgroup_open(path, s->e);

	if (dir < 0)
		return -1;
	*members = mc_map_new();
	ret = *members ? cap_cgroup_tasks(dir, add_member, *members, s->e) : -1;
	close(dir);
	return ret && !s->e->code ? mc_nomem(s->e) : ret;
}

static int of_pid_namespace(struct scan *s, int64_t pid)
{
	char path[40];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%" PRId64 "/ns/pid", pid);
	if (stat(path, &st))
		return mc_fail(s->e, MNTCR_SYS, errno, "%s", path);
	s->pidns = st.st_ino;
	return 0;
}

/* cgroup: or NULL */
static int scan(struct scan *s, int64_t pid, const char *cgroup, const char *within)
{
	char text[256];

	if (cgroup ? of_cgroup(s, cgroup, &s->members) : of_pid_namespace(s, pid))
		return -1;
	if (within && of_cgroup(s, within, &s->within))
		return -1;
	s->below = mc_map_new();
	s->in = mc_map_new();
	s->out = mc_map_new();
	if (!s->below || !s->in || !s->out)
		return mc_nomem(s->e);
	if (each_number(s, "/proc", one_process))
		return -1;
	if (!s->nr && cgroup)
		return mc_fail(s->e, MNTCR_SYS, ESRCH, "cgroup %s: its tasks",
			       mc_escape(cgroup, text, sizeof(text)));
	if (!s->nr)
		return mc_fail(s->e, MNTCR_SYS, ESRCH, "process %" PRId64, pid);
	if (check_outside(s))
		return -1;
	qsort(s->tasks, s->nr, sizeof(*s->tasks), cmp_task);
	return 0;
}

/* --- namespaces that only a file keeps --------------------------------------------- */

static int add_source(struct mntcr_container *c, struct mntcr_source src,
		      struct mntcr_error *e)
{
	uint32_t max = (uint32_t)c->max;

	if (!mc_grow(&c->sources, (uint32_t)c->nr, &max, sizeof(*c->sources)))
		return mc_nomem(e);
	c->max = max;
	c->sources[c->nr++] = src;
	return 0;
}

/*
 * The file, found below the root of a task in the namespace where it is mounted.
 * What lies there by now may be anything: it is looked at before it is opened.
 */
static int open_file(const struct mntcr_source *in, const char *path, uint64_t ino)
{
	struct stat st, own;
	char name[64];
	int root, at, fd = -1;

	if (in->type != MNTCR_SOURCE_PID)
		return -1;
	snprintf(name, sizeof(name), "/proc/%" PRId64 "/root", in->pid);
	root = open(name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	at = root < 0 ? -1 : mc_open_cached(root, path + 1, MC_RESOLVE_IN_ROOT |
					    MC_RESOLVE_NO_MAGICLINKS);
	if (at >= 0 && !stat("/proc/self/ns/mnt", &own) && !fstat(at, &st) &&
	    st.st_dev == own.st_dev && st.st_ino == ino) {
		snprintf(name, sizeof(name), "/proc/thread-self/fd/%d", at);
		fd = open(name, O_RDONLY | O_CLOEXEC);
	}
	mc_close(at);
	mc_close(root);
	return fd;
}

static int add_file(struct mntcr_container *c, const struct scan *s,
		    const struct mc_topology *t, uint32_t m, struct mntcr_error *e)
{
	const struct mc_mount *mnt = &t->mounts[m];
	char *path, name[300];
	uint32_t tid;
	int fd;

	if (mc_map_get(s->out, mnt->nsfs_ino, &tid))
		return mc_refuse(e, "namespace-of-others",
				 "%s is the file of the mount namespace of task %u, which is not in the container",
				 mc_mount_name(t, m, name, sizeof(name)), tid);
	path = mc_mount_path(t, m);
	if (!path)
		return mc_nomem(e);
	fd = open_file(&c->sources[mnt->ns], path, mnt->nsfs_ino);
	if (fd < 0) {
		free(path);
		return mc_refuse(e, "namespace-out-of-reach",
				 "%s is the file of a mount namespace of the container, and no path of a task leads there",
				 mc_mount_name(t, m, name, sizeof(name)));
	}
	if (!add_source(c, (struct mntcr_source){ .type = MNTCR_SOURCE_FD, .fd = fd,
						  .path = path }, e))
		return 0;
	free(path);
	mc_close(fd);
	return -1;
}

/* 1: there were some that are not among the sources yet. */
static int add_files(struct mntcr_container *c, const struct scan *s,
		     const struct mc_topology *t, struct mntcr_error *e)
{
	struct mc_map *seen = mc_map_new();
	uint32_t i, v;
	int ret = 0, more = 0;

	for (i = 0; seen && i < t->nr_ns && !ret; i++) {
		v = i;
		if (mc_map_add(seen, t->ns[i].ino, &v) < 0)
			ret = mc_nomem(e);
	}
	for (i = 0; seen && i < t->nr_mounts && !ret; i++) {
		const struct mc_mount *m = &t->mounts[i];

		if (m->nsfs_type != CLONE_NEWNS || m->nsfs_ns != MC_NONE)
			continue;
		v = i;
		switch (mc_map_add(seen, m->nsfs_ino, &v)) {
		case 0:
			ret = add_file(c, s, t, i, e);
			more = 1;
			break;
		case -1:
			ret = mc_nomem(e);
		}
	}
	if (!seen)
		ret = mc_nomem(e);
	mc_map_free(seen);
	return ret ? ret : more;
}

static int capture(int64_t pid, const char *cgroup,
		   const struct mntcr_capture_options *opts, struct mntcr_container *c,
		   struct mntcr_topology **topo, struct mntcr_error *e)
{
	struct mntcr_capture_options o;
	struct scan s = { .e = e };
	uint32_t i;
	size_t n;
	int ret;

	memset(c, 0, sizeof(*c));
	memset(e, 0, sizeof(*e));
	*topo = NULL;
	if (mc_take_options(&o, sizeof(o), sizeof(o), opts, "capture_options", e))
		return -1;
	o.size = sizeof(o);
	o.whose = true;
	ret = scan(&s, pid, cgroup, cgroup ? NULL : o.within);
	for (i = 0; i < s.nr && !ret; i++)
		ret = add_source(c, (struct mntcr_source){
			.type = MNTCR_SOURCE_PID, .pid = s.tasks[i].tid }, e);
	for (n = 0; n < o.nr_detached && !ret; n++)
		ret = add_source(c, o.detached[n], e);
	while (!ret) {
		ret = cap_capture(c->sources, c->nr, &o, topo, e);
		if (!ret)
			ret = add_files(c, &s, *topo, e);
		if (ret <= 0)
			break;
		mntcr_topology_free(*topo);
		*topo = NULL;
		ret = 0;
	}
	mc_map_free(s.members);
	mc_map_free(s.within);
	mc_map_free(s.below);
	mc_map_free(s.in);
	mc_map_free(s.out);
	free(s.tasks);
	if (!ret)
		return 0;
	mntcr_topology_free(*topo);
	*topo = NULL;
	mntcr_container_free(c);
	return -1;
}

int mntcr_capture_container(int64_t pid, const struct mntcr_capture_options *opts,
			    struct mntcr_container *c,
			    struct mntcr_topology **topo, struct mntcr_error *e)
{
	return capture(pid, NULL, opts, c, topo, e);
}

int mntcr_capture_cgroup(const char *path, const struct mntcr_capture_options *opts,
			 struct mntcr_container *c,
			 struct mntcr_topology **topo, struct mntcr_error *e)
{
	return capture(0, path, opts, c, topo, e);
}

void mntcr_container_free(struct mntcr_container *c)
{
	size_t i;

	for (i = 0; i < c->nr; i++)
		if (c->sources[i].type == MNTCR_SOURCE_FD) {
			mc_close(c->sources[i].fd);
			free((char *)c->sources[i].path);
		}
	free(c->sources);
	memset(c, 0, sizeof(*c));
}
