// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What a plan asks of the kernel, and of what the caller may do there.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <string.h>

#include "execute/execute.h"

int mc_need_extended(struct mntcr_error *e)
{
	int err = 0;
	const char *what = mc_extended_lacks(&err);

	if (!what)
		return 0;
	return mc_fail(e, MNTCR_UNSUPPORTED, err,
		       "this kernel has no %s: the extended API cannot be used (see mntcr features)",
		       what);
}

/*
 * What the plan asks of the kernel: no kernel that makes empty namespaces
 * refuses to mount on a detached tree.  A probe that fails is no answer.
 */
static int ask_for_trees(struct mc_plan_options *po, struct mntcr_error *e)
{
	struct mntcr_feature f[MNTCR_NR_FEATURES];
	const struct mntcr_feature *empty = &f[MNTCR_FEAT_EMPTY_MNTNS];

	if (po->api != MNTCR_API_UPSTREAM)
		return 0;
	if (mntcr_features(f, MNTCR_NR_FEATURES, e))
		return -1;
	if (empty->state == MNTCR_FEATURE_UNKNOWN)
		return mc_fail(e, MNTCR_SYS, empty->err, "probing for %s",
			       empty->what);
	po->whole_trees = empty->state == MNTCR_FEATURE_YES;
	return 0;
}

/* Asked only where it matters: that makes one. */
static void ask_for_pidns(const struct mc_topology *t, struct mc_plan_options *po)
{
	uint32_t i = 0;

	while (i < t->nr_sbs && !mc_sb_has_own_pidns(&t->sbs[i]))
		i++;
	po->no_empty_pidns = i < t->nr_sbs && mc_lacks_empty_pidns();
}

int mc_ask_for_calls(const struct mc_topology *t, struct mc_plan_options *po,
		     struct mntcr_error *e)
{
	ask_for_pidns(t, po);
	return ask_for_trees(po, e);
}

/*
 * Who owns a namespace cannot lock what is mounted there.  Whether the caller is
 * above the owner of its own is seen from whether the owner's parent is named to
 * it; the initial user namespace has none.
 */
static int ask_for_locks(struct mc_plan_options *po, struct mntcr_error *e)
{
	int ns = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	int owner = ns < 0 ? -1 : ioctl(ns, MC_NS_GET_USERNS), parent;
	struct stat st;

	mc_close(ns);
	/* an owner that is not named is further up */
	if (owner < 0 && errno == EPERM) {
		po->no_own_locks = true;
		return 0;
	}
	if (owner < 0 || fstat(owner, &st)) {
		mc_close(owner);
		return mc_fail(e, MNTCR_SYS, errno,
			       "asking for the owner of the caller's mount namespace");
	}
	parent = ioctl(owner, MC_NS_GET_PARENT);
	po->no_own_locks = parent < 0 && st.st_ino != MC_USERNS_INIT_INO;
	mc_close(parent);
	mc_close(owner);
	return 0;
}

/* What user namespaces that are made in the caller's would have from it. */
static int ask_for_userns(struct mc_plan_options *po, struct mntcr_error *e)
{
	int fd = open("/proc/self/setgroups", O_RDONLY | O_CLOEXEC);
	char text[16] = "";
	struct stat st;

	/* a kernel without user namespaces has neither file */
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0 ||
	    stat("/proc/self/ns/user", &st)) {
		mc_close(fd);
		return mc_fail(e, MNTCR_SYS, errno,
			       "asking for what the caller's user namespace allows");
	}
	mc_close(fd);
	po->no_setgroups = !strncmp(text, "deny", 4);
	/* it does not say how deep it is */
	po->userns_level = st.st_ino != MC_USERNS_INIT_INO;
	return 0;
}

int mc_ask_kernel(const struct mc_topology *t, struct mc_plan_options *po,
		  struct mntcr_error *e)
{
	return mc_ask_for_calls(t, po, e) || ask_for_locks(po, e) || ask_for_userns(po, e) ?
	       -1 : 0;
}

enum mntcr_api mc_choose_api(enum mntcr_api wanted)
{
	int err;

	if (wanted != MNTCR_API_AUTO)
		return wanted;
	return mc_extended_lacks(&err) ? MNTCR_API_UPSTREAM : MNTCR_API_EXTENDED;
}
