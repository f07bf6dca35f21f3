// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Live sources: which namespaces of the image they are the originals of.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <string.h>

#include "execute/execute.h"

/* After a restart all ids, of namespaces and of mounts, may mean others. */
static int check_boot(const struct mntcr_topology *t, bool *known,
		      struct mntcr_error *e)
{
	char now[MC_BOOT_ID_LEN + 1];

	*known = t->boot_id && mc_boot_id(now);
	if (!*known || !strcmp(now, t->boot_id))
		return 0;
	return mc_fail(e, MNTCR_USAGE, 0,
		       "the image is of another boot (%s, not %s): nothing that lives now is an original of its mounts",
		       t->boot_id, now);
}

/*
 * The live original of which namespace?  An id is not used again before the
 * system restarts; where the kernel says none, now and when it was dumped, the
 * file's inode number has to do, and the mounts that are used are looked at once
 * more.
 */
static int which_ns(const struct mntcr_topology *t, size_t source, int fd,
		    uint32_t *ns, struct mntcr_error *e)
{
	struct stat st = { 0 };
	uint64_t id = 0;

	*ns = MC_NONE;
	if (!ioctl(fd, MC_NS_GET_MNTNS_ID, &id)) {
		*ns = mc_find_ns(t, id);
	} else if (errno != ENOTTY && errno != EINVAL) {
		return mc_fail(e, MNTCR_SYS, errno,
			       "source %zu: asking for its namespace id",
			       source + 1);
	} else if (fstat(fd, &st)) {
		return mc_fail(e, MNTCR_SYS, errno, "source %zu: its inode number",
			       source + 1);
	} else {
		uint32_t i;

		for (i = 0; i < t->nr_ns && *ns == MC_NONE; i++)
			if (!t->ns[i].id && t->ns[i].ino == st.st_ino)
				*ns = i;
	}
	if (*ns != MC_NONE)
		return 0;
	return mc_fail(e, MNTCR_USAGE, 0,
		       "source %zu (namespace %llu) is none of the image's namespaces: it has been replaced, or the system restarted, since the dump",
		       source + 1, (unsigned long long)(id ? id : st.st_ino));
}

/* What is read of such a tree is a copy, and no mount of that is one of the image's. */
static int refuse_tree(const struct mntcr_source *s, struct mc_refusals *r,
		       struct mntcr_error *e)
{
	char name[64];

	mc_refuse(e, "detached-source",
		  "source %s is a detached tree, whose mounts nobody can open by their ids; --external with the key of each superblock that is wanted from there, and a path through the descriptor, as /proc/PID/fd/FD",
		  mc_escape(s->path, name, sizeof(name)));
	if (!r)
		return -1;
	mc_refusals_tell(r, &(struct mntcr_refusal){
		.rule = e->rule, .text = e->text, .help = "" });
	return 0;
}

/* Each source is the live original of the namespace with its id. */
int mc_find_live(const struct mntcr_topology *t,
		 const struct mntcr_restore_options *o, int *live_fd,
		 bool *ns_live, bool *known_boot, struct mc_refusals *r,
		 struct mntcr_error *e)
{
	size_t i;

	if (o->nr_sources && check_boot(t, known_boot, e))
		return -1;
	for (i = 0; i < o->nr_sources; i++) {
		uint32_t ns;
		int fd;

		if (o->sources[i].type == MNTCR_SOURCE_DETACHED) {
			if (refuse_tree(&o->sources[i], r, e))
				return -1;
			continue;
		}
		fd = mc_open_ns(&o->sources[i], NULL, 0, e);
		if (fd < 0)
			return -1;
		if (which_ns(t, i, fd, &ns, e)) {
			mc_close(fd);
			return -1;
		}
		if (ns_live[ns]) {
			mc_close(fd);
			continue;
		}
		live_fd[ns] = fd;
		ns_live[ns] = true;
	}
	return 0;
}
