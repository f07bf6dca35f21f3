// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What no clone of a mount alone gives: a copy of its namespace has it.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include "shot.h"

/* What the live ones look like is none of the restore's business. */
static void restored_beside(struct shot *s, unsigned int flags)
{
	char *before = world_text(s->w.ns, s->w.nr), *after;
	struct mntcr_restored *r = restored(s);

	same(s, r, flags);
	after = world_text(s->w.ns, s->w.nr);
	CHECK_STR(after, before);
	free(before);
	free(after);
	end(s, r);
}

/* --- unbindable, and no other mount of it ----------------------------------- */

/* What is unmounted or made private in a copy must not reach these. */
static void unbindable(void)
{
	world_new_root();
	w_type("/", MS_SHARED);
	w_tmpfs("u", "/u");
	w_mkdir("/u/a");
	w_tmpfs("below", "/u/b");
	w_touch("/u/f");
	w_bind("/u/f", "/u/f");
	w_type("/u", MS_UNBINDABLE);
	w_type("/u/b", MS_SHARED);
	w_tmpfs("v", "/v");
	w_type("/v", MS_UNBINDABLE);
}

static void unbindable_alone(void)
{
	struct shot s = shoot(unbindable);

	restored_beside(&s, MNTCR_VERIFY_DEVICES | MNTCR_VERIFY_ORDER);
}

static void unbindable_root(void)
{
	world_new_root();
	w_type("/", MS_UNBINDABLE);
}

static void the_root_is_unbindable(void)
{
	struct shot s = shoot(unbindable_root);

	restored_beside(&s, MNTCR_VERIFY_DEVICES);
}

static void unbindable_in_two(void)
{
	struct shot s = { .w = { .nr = 0 } };

	need_api();
	world_add(&s.w, -1, unbindable);
	world_add(&s.w, -1, unbindable);
	capture_fds(&s.w, s.src, &s.t);
	s.o.api = api;
	s.mounts = world_own_mounts();
	s.fds = world_own_fds();
	restored_beside(&s, MNTCR_VERIFY_DEVICES);
}

static bool empty_namespaces(void)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid)
		_exit(!!mc_unshare(UNSHARE_EMPTY_MNTNS));
	return !wd_wait_for(pid);
}

/* In a copy that another owner makes all is locked, and not to be cloned. */
static void owned_by_another(void)
{
	struct shot s = { .w = { .nr = 0 } };

	need_api();
	if (!empty_namespaces())
		SKIP("this kernel makes no namespace for another owner");
	world_add_flags(&s.w, -1, unbindable, CLONE_NEWUSER);
	capture_fds(&s.w, s.src, &s.t);
	s.o.api = api;
	s.o.ignore_locks = api == MNTCR_API_UPSTREAM;
	s.mounts = world_own_mounts();
	s.fds = world_own_fds();
	restored_beside(&s, MNTCR_VERIFY_DEVICES |
			(s.o.ignore_locks ? MNTCR_VERIFY_IGNORE_LOCKS : 0));
}

static const struct shot_test tests[] = {
	{ "unbindable-alone", unbindable_alone },
	{ "unbindable-root", the_root_is_unbindable },
	{ "unbindable-in-two", unbindable_in_two },
	{ "owned-by-another", owned_by_another },
};

int main(int argc, char **argv)
{
	return shot_run(tests, sizeof(tests) / sizeof(tests[0]), argv);
}
