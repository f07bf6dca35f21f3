/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tests that act in several user and mount namespaces at once.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef __SELFTEST_MOUNT_ACTORS_H
#define __SELFTEST_MOUNT_ACTORS_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>
#include <linux/capability.h>

#include "mount_api.h"
#include "../kselftest.h"

/* Who does something: where the process is and what it may do. */
struct actor {
	int userns;		/* -1: that of the test */
	int mntns;		/* -1: that of the test */
	uid_t uid;		/* not 0: become this user, without capabilities */
	__u64 drop_caps;	/* given up after the namespaces are entered */
};

#define CAP_BIT(cap)	(1ULL << (cap))

/* The test as it is. */
extern const struct actor this_test;

/* A process as @actor that shares the descriptor table with its parent. */
pid_t actor_fork(const struct actor *actor);
void __noreturn actor_exit(int ret);
int actor_wait(pid_t pid);

/*
 * Evaluate @expr as @actor: its value, or -errno. Descriptors that it opens
 * stay open in the test. Changes to memory are lost.
 */
#define AS(actor, expr) ({				\
	pid_t __pid = actor_fork(actor);		\
							\
	if (!__pid)					\
		actor_exit(expr);			\
	actor_wait(__pid);				\
})

/* The same in the test's directory, a copy of which each actor has. */
#define IN(actor, expr)		AS(actor, chdir(self->base) ? -errno : (expr))

/* The path of @name there. */
#define PATH(name) ({						\
	static char __path[128];				\
								\
	snprintf(__path, sizeof(__path), "%s/%s", self->base, name); \
	__path;							\
})

/* What tests do most, there. */
#define OPEN_IN(actor, name)	IN(actor, k_open(name, O_PATH))
#define MOUNT_IN(actor, name)	IN(actor, k_mount("tmpfs", name, "tmpfs", 0))
#define UMOUNT_IN(actor, name)	IN(actor, k_umount(name, 0))
#define CHANGE_IN(actor, name, type) \
	IN(actor, k_mount(NULL, name, NULL, type))
#define MOUNTED_IN(actor, name)	IN(actor, is_mounted_at(&this_test, name))

/* How actor_new() makes the namespaces of @new. */
enum actor_kind {
	ACTOR_MNTNS,		/* a copy of the creator's mount namespace */
	ACTOR_EMPTY_MNTNS,	/* a mount namespace with nothing in it */
	ACTOR_USERNS,		/* a user namespace, and a copy that it owns */
};

int actor_new(struct actor *new, const struct actor *creator,
	      enum actor_kind kind);
void actor_close(struct actor *actor);
__u64 actor_ns_id(const struct actor *actor);

/* What is mounted at a path, or which mount a descriptor is on. */
struct mnt {
	bool is_root;		/* the path is a mount root */
	__u64 id;
	__u64 parent;
	__u64 attr;
	__u64 propagation;
	__u64 group;
	__u64 master;
	__u64 propagate_from;
	__u64 locks;		/* 0 if the kernel does not tell */
};

int mnt_at(const struct actor *actor, const char *path, struct mnt *mnt);
int mnt_of(int fd, struct mnt *mnt);
__u64 mnt_id_of(int fd);

/* 0 if that can't be found out, or there is none. */
__u64 group_of(int fd);
__u64 master_of(int fd);
__u64 propagation_of(int fd);

/* The mount of @actor's namespace that receives from peer group @group. */
int mnt_receiver(const struct actor *actor, __u64 group, struct mnt *mnt);

/*
 * Is something mounted on @path, in @actor's namespace? 1 or 0, or -errno: for
 * EXPECT_EQ(), an error is neither.
 */
int is_mounted_at(const struct actor *actor, const char *path);

/* Every mount of @actor's namespace and its properties, as text. */
char *ns_snapshot(const struct actor *actor);
int ns_nr_mounts(const struct actor *actor);

/* A new filesystem, not attached anywhere; a tmpfs, made by @actor. */
int new_mount(const char *type, unsigned int attr);
int detached_tmpfs(const struct actor *actor, unsigned int attr);

/* Descriptor of @actor's mountinfo, and whether it was notified since. */
int mountinfo_watch(const struct actor *actor);
bool mountinfo_changed(int fd);

int read_uint(const char *path, unsigned int *val);

/* An own mount namespace with a private tmpfs at a new directory. */
int scratch_setup(char *dir, size_t size);
void scratch_teardown(const char *dir);

#endif /* __SELFTEST_MOUNT_ACTORS_H */
