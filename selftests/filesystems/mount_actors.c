// SPDX-License-Identifier: GPL-2.0
/*
 * Tests that act in several user and mount namespaces at once.
 *
 * An actor's process shares the descriptor table with the test, nothing else:
 * it can enter any namespace and hand back descriptors by their number.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "mount_actors.h"
#include "utils.h"

#define TEXT_SIZE	0x40000
#define MAX_MOUNTS	1024

/* What a child hands to the test besides descriptors. */
static struct {
	int ret;
	int fds[2];
	struct mnt mnt;
	int nr_mounts;
	char text[TEXT_SIZE];
} *shared;

const struct actor this_test = { .userns = -1, .mntns = -1 };

static int shared_init(void)
{
	void *p;

	if (shared)
		return 0;
	p = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return -1;
	shared = p;
	return 0;
}

static int drop_caps(__u64 mask)
{
	for (int cap = 0; cap < 64; cap++)
		if ((mask & CAP_BIT(cap)) && !cap_down(cap))
			return -1;
	return 0;
}

static int actor_enter(const struct actor *actor)
{
	if (actor->userns >= 0 && setns(actor->userns, CLONE_NEWUSER))
		return -1;
	if (actor->mntns >= 0 && setns(actor->mntns, CLONE_NEWNS))
		return -1;
	if (actor->drop_caps && drop_caps(actor->drop_caps))
		return -1;
	if (actor->uid &&
	    (setresgid(actor->uid, actor->uid, actor->uid) ||
	     setresuid(actor->uid, actor->uid, actor->uid)))
		return -1;
	/* a change of ids takes the process's own /proc files away */
	return prctl(PR_SET_DUMPABLE, 1);
}

pid_t actor_fork(const struct actor *actor)
{
	pid_t pid;

	if (shared_init())
		return -1;
	fflush(stdout);
	fflush(stderr);
	shared->ret = -ECANCELED;
	pid = syscall(__NR_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
	if (pid)
		return pid;
	if (actor_enter(actor)) {
		fprintf(stderr, "# can't become the actor: %m\n");
		actor_exit(-ECANCELED);
	}
	return 0;
}

void actor_exit(int ret)
{
	shared->ret = ret;
	_exit(0);
}

int actor_wait(pid_t pid)
{
	int status;

	if (pid < 0)
		return -ECANCELED;
	while (waitpid(pid, &status, 0) != pid)
		if (errno != EINTR)
			return -ECANCELED;
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		return -ECANCELED;
	return shared->ret;
}

int read_uint(const char *path, unsigned int *val)
{
	FILE *f = fopen(path, "re");
	int n;

	if (!f)
		return -errno;
	n = fscanf(f, "%u", val);
	fclose(f);
	return n == 1 ? 0 : -EINVAL;
}

/* Runs in the child. An empty namespace has no /proc, so open that before. */
static int make_namespaces(enum actor_kind kind)
{
	int proc, err;

	proc = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (proc < 0)
		return -errno;
	if (kind == ACTOR_USERNS && enter_userns())
		goto err;
	if (unshare(kind == ACTOR_EMPTY_MNTNS ? UNSHARE_EMPTY_MNTNS :
						CLONE_NEWNS))
		goto err;
	shared->fds[0] = openat(proc, "ns/user", O_RDONLY | O_CLOEXEC);
	shared->fds[1] = openat(proc, "ns/mnt", O_RDONLY | O_CLOEXEC);
	if (shared->fds[0] < 0 || shared->fds[1] < 0)
		goto err;
	close(proc);
	return 0;
err:
	err = -errno;
	close(proc);
	return err;
}

int actor_new(struct actor *new, const struct actor *creator,
	      enum actor_kind kind)
{
	int err = AS(creator, make_namespaces(kind));

	if (err)
		return err;
	*new = (struct actor) {
		.userns	= shared->fds[0],
		.mntns	= shared->fds[1],
	};
	/* setns() to the user namespace that one is in already fails */
	if (kind != ACTOR_USERNS && creator->userns < 0) {
		close(new->userns);
		new->userns = -1;
	}
	return 0;
}

void actor_close(struct actor *actor)
{
	if (actor->userns >= 0)
		close(actor->userns);
	if (actor->mntns >= 0)
		close(actor->mntns);
	actor->userns = -1;
	actor->mntns = -1;
}

__u64 actor_ns_id(const struct actor *actor)
{
	__u64 id = 0;
	int fd = actor->mntns;

	if (fd < 0)
		fd = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, NS_GET_MNTNS_ID, &id))
		id = 0;
	if (fd != actor->mntns)
		close(fd);
	return id;
}

static void mnt_fill(const struct statmount *sm, struct mnt *mnt)
{
	mnt->id = sm->mnt_id;
	mnt->parent = sm->mnt_parent_id;
	mnt->attr = sm->mnt_attr;
	mnt->propagation = sm->mnt_propagation;
	mnt->group = sm->mnt_peer_group;
	mnt->master = sm->mnt_master;
	mnt->propagate_from = sm->propagate_from;
	mnt->locks = 0;
	if (sm->mask & STATMOUNT_MNT_LOCKS)
		mnt->locks = statmount_locks(sm);
}

#define MNT_MASK	(STATMOUNT_MNT_BASIC | STATMOUNT_PROPAGATE_FROM | \
			 STATMOUNT_MNT_LOCKS)

static int mnt_of_statx(int fd, struct mnt *mnt)
{
	struct statx stx;

	memset(mnt, 0, sizeof(*mnt));
	if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID_UNIQUE, &stx))
		return -errno;
	mnt->is_root = stx.stx_attributes & STATX_ATTR_MOUNT_ROOT;
	mnt->id = stx.stx_mnt_id;
	return 0;
}

int mnt_of(int fd, struct mnt *mnt)
{
	struct statmount sm;
	int err;

	err = mnt_of_statx(fd, mnt);
	if (!err)
		err = k_statmount_fd(fd, MNT_MASK, &sm, sizeof(sm));
	if (!err)
		mnt_fill(&sm, mnt);
	return err;
}

__u64 mnt_id_of(int fd)
{
	struct statx stx;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID_UNIQUE, &stx) ||
	    !(stx.stx_mask & STATX_MNT_ID_UNIQUE))
		return 0;
	return stx.stx_mnt_id;
}

__u64 group_of(int fd)
{
	struct mnt mnt;

	return mnt_of(fd, &mnt) ? 0 : mnt.group;
}

__u64 master_of(int fd)
{
	struct mnt mnt;

	return mnt_of(fd, &mnt) ? 0 : mnt.master;
}

__u64 propagation_of(int fd)
{
	struct mnt mnt;

	return mnt_of(fd, &mnt) ? 0 : mnt.propagation;
}

static int mnt_at_child(const char *path)
{
	struct mnt *mnt = &shared->mnt;
	struct statmount sm;
	int fd, err;

	fd = k_open(path, O_PATH);
	if (fd < 0)
		return fd;
	err = mnt_of_statx(fd, mnt);
	if (!err)
		err = k_statmount(mnt->id, 0, MNT_MASK, &sm, sizeof(sm));
	if (!err)
		mnt_fill(&sm, mnt);
	close(fd);
	return err;
}

int mnt_at(const struct actor *actor, const char *path, struct mnt *mnt)
{
	int err = AS(actor, mnt_at_child(path));

	if (!err)
		*mnt = shared->mnt;
	return err;
}

int is_mounted_at(const struct actor *actor, const char *path)
{
	struct mnt mnt;
	int err = mnt_at(actor, path, &mnt);

	return err ?: mnt.is_root;
}

static __u64 ids[MAX_MOUNTS];

static int receiver_child(__u64 group)
{
	struct statmount sm;
	int nr, err;

	nr = k_listmount(LSMT_ROOT, 0, ids, MAX_MOUNTS);
	if (nr < 0)
		return nr;
	for (int i = 0; i < nr; i++) {
		err = k_statmount(ids[i], 0, MNT_MASK, &sm, sizeof(sm));
		if (err)
			return err;
		if (sm.mnt_master == group) {
			mnt_fill(&sm, &shared->mnt);
			shared->mnt.is_root = true;
			return 0;
		}
	}
	return -ENOENT;
}

int mnt_receiver(const struct actor *actor, __u64 group, struct mnt *mnt)
{
	int err = AS(actor, receiver_child(group));

	if (!err)
		*mnt = shared->mnt;
	return err;
}

static int snapshot_child(void)
{
	static union {
		struct statmount sm;
		char space[sizeof(struct statmount) + 4096];
	} buf;
	size_t pos = 0;
	int nr, err;

	nr = k_listmount(LSMT_ROOT, 0, ids, MAX_MOUNTS);
	if (nr < 0)
		return nr;
	if (nr == MAX_MOUNTS)
		return -E2BIG;
	shared->text[0] = 0;
	for (int i = 0; i < nr; i++) {
		struct mnt m;

		err = k_statmount(ids[i], 0, MNT_MASK | STATMOUNT_MNT_POINT,
				  &buf.sm, sizeof(buf));
		if (err)
			return err;
		mnt_fill(&buf.sm, &m);
		pos += snprintf(shared->text + pos, TEXT_SIZE - pos,
				"%llx on %llx:%s attr %llx prop %llx group %llu master %llu locks %llx\n",
				m.id, m.parent, buf.sm.str + buf.sm.mnt_point,
				m.attr, m.propagation, m.group, m.master,
				m.locks);
		if (pos >= TEXT_SIZE)
			return -E2BIG;
	}
	shared->nr_mounts = nr;
	return 0;
}

char *ns_snapshot(const struct actor *actor)
{
	int err = AS(actor, snapshot_child());

	if (err) {
		fprintf(stderr, "# no snapshot: %s\n", strerror(-err));
		return NULL;
	}
	return strdup(shared->text);
}

int ns_nr_mounts(const struct actor *actor)
{
	int err = AS(actor, snapshot_child());

	return err ? err : shared->nr_mounts;
}

int new_mount(const char *type, unsigned int attr)
{
	int fs, fd = -1;

	fs = sys_fsopen(type, FSOPEN_CLOEXEC);
	if (fs < 0)
		return -errno;
	if (!sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		fd = sys_fsmount(fs, FSMOUNT_CLOEXEC, attr);
	if (fd < 0)
		fd = -errno;
	close(fs);
	return fd;
}

int detached_tmpfs(const struct actor *actor, unsigned int attr)
{
	return AS(actor, new_mount("tmpfs", attr));
}

int mountinfo_watch(const struct actor *actor)
{
	return AS(actor, k_open("/proc/self/mountinfo", O_RDONLY));
}

bool mountinfo_changed(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLPRI };

	return poll(&pfd, 1, 0) == 1 && (pfd.revents & POLLPRI);
}

int scratch_setup(char *dir, size_t size)
{
	int err;

	if (unshare(CLONE_NEWNS))
		return -errno;
	err = k_mount("", "/", NULL, MS_REC | MS_PRIVATE);
	if (err)
		return err;
	snprintf(dir, size, "/tmp/mount_api.XXXXXX");
	if (!mkdtemp(dir))
		return -errno;
	err = k_mount("tmpfs", dir, "tmpfs", 0);
	if (err)
		rmdir(dir);
	return err;
}

void scratch_teardown(const char *dir)
{
	umount2(dir, MNT_DETACH);
	rmdir(dir);
}
