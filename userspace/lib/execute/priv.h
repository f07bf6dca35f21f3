/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A restore in stages, as those who carry them out see it.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef MC_EXECUTE_PRIV_H
#define MC_EXECUTE_PRIV_H

#include "execute/execute.h"

struct mc_pins;

struct mntcr_restored {
	const struct mntcr_topology *topo;
	enum mntcr_api api;
	int *ns_fd, *tree_fd, *mount_fd;
	uint32_t nr_ns, nr_mounts;
	struct mc_made *made;
	uint32_t nr_made;
	struct mc_made *userns;
	uint32_t nr_userns;
	struct mc_pins *pins;
	bool pinned;		/* else there is only the place for pins */
	struct mntcr_stats stats;
	/* Mounts by id, since the caller may free the topology first. */
	struct mc_map **by_id;
};

/* What happens between reading an image and handing back what was made. */
struct mc_work {
	struct mc_exec x;
	struct mntcr_restore_options o;	/* a copy; what it points to is the caller's */
	struct mc_hosts hosts;
	struct mc_plan *plan;
	struct mc_plan_options po;
	struct mc_fd_limit fd_limit;
	uint32_t others;	/* descriptors beside the plan's */
	bool *ns_live, *again;
	uint64_t *external_again;
	char **external_sources;
	int8_t *external_read_only;
	char aside[MC_ASIDE_LEN + 1];
	struct mc_refusals refusals;
	bool started;		/* and not finished */
	struct mntcr_error later; /* of what is undone after another one */
	struct mc_worker *worker; /* upstream: the thread that enters namespaces */
	struct mntcr_restored *r; /* what will be handed back */
};

/*
 * The stages in their order; each fails with all undone but what mc_work_free()
 * frees, which is called in any case.
 */
/* stages: NULL, where nothing is given. */
int mc_work_begin(const struct mntcr_topology *t,
		  const struct mntcr_restore_options *o,
		  const struct mntcr_stages_options *stages, struct mc_work **w,
		  struct mntcr_error *e);
int mc_work_place(struct mc_work *w, struct mntcr_error *e);
/* Operations of the plan, from first to before end. */
int mc_work_ops(struct mc_work *w, uint32_t first, uint32_t end,
		struct mntcr_error *e);
int mc_work_share(struct mc_work *w, struct mntcr_error *e);
int mc_work_end(struct mc_work *w, struct mntcr_restored **r, struct mntcr_error *e);
void mc_work_free(struct mc_work *w);

/* restored.c: at the end; with mounts, a descriptor of each of them, too. */
int mc_hand_back(struct mntcr_restored *r, struct mc_work *w, bool mounts,
		 struct mntcr_error *e);

#endif /* MC_EXECUTE_PRIV_H */
