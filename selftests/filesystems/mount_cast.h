/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who may do what to whom: the same owners in every test.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef __SELFTEST_MOUNT_CAST_H
#define __SELFTEST_MOUNT_CAST_H

#include "mount_actors.h"

enum role {
	TEST_NS,	/* the test itself: root, its own mount namespace */
	PEER_NS,	/* another mount namespace of the same owner */
	OWNER,		/* a user namespace with a mount namespace that it owns */
	CHILD,		/* a child of that user namespace */
	SIBLING,	/* another child of the initial user namespace */
	NO_ADMIN,	/* the test itself without CAP_SYS_ADMIN */
	USER,		/* an unprivileged user in the test's namespaces */
	NR_ROLES,
};

#define TEST_UID	1000

/* All mount namespaces are copies of the test's at the time of the call. */
static inline int cast_setup(struct actor *cast)
{
	static const struct {
		enum role who, creator;
		enum actor_kind kind;
	} news[] = {
		{ PEER_NS,	TEST_NS,	ACTOR_MNTNS },
		{ OWNER,	TEST_NS,	ACTOR_USERNS },
		{ CHILD,	OWNER,		ACTOR_USERNS },
		{ SIBLING,	TEST_NS,	ACTOR_USERNS },
	};

	for (int i = 0; i < NR_ROLES; i++)
		cast[i] = (struct actor) { .userns = -1, .mntns = -1 };
	cast[NO_ADMIN].drop_caps = CAP_BIT(CAP_SYS_ADMIN);
	cast[USER].uid = TEST_UID;

	for (size_t i = 0; i < ARRAY_SIZE(news); i++) {
		int err = actor_new(&cast[news[i].who], &cast[news[i].creator],
				    news[i].kind);

		if (err)
			return err;
	}
	return 0;
}

/*
 * May @caller administer what is mounted in the namespace of @whose? It takes
 * privilege over the owner, and over that of the caller's own namespace.
 */
static inline bool may_admin(enum role caller, enum role whose)
{
	static const bool may[NR_ROLES][NR_ROLES] = {
		[TEST_NS] = {
			[TEST_NS] = true, [PEER_NS] = true, [OWNER] = true,
			[CHILD] = true, [SIBLING] = true,
		},
		[PEER_NS] = {
			[TEST_NS] = true, [PEER_NS] = true, [OWNER] = true,
			[CHILD] = true, [SIBLING] = true,
		},
		[OWNER] = { [OWNER] = true, [CHILD] = true },
		[CHILD] = { [CHILD] = true },
		[SIBLING] = { [SIBLING] = true },
	};

	return may[caller][whose];
}

#endif /* __SELFTEST_MOUNT_CAST_H */
