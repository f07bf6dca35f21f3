// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The namespaces to capture: opened, told apart, and whose they are.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "capture/capture.h"

static uint64_t ino_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) ? 0 : st.st_ino;
}

static uint64_t ino_of_path(const char *path)
{
	struct stat st;

	return stat(path, &st) ? 0 : st.st_ino;
}

static int open_source(const struct mntcr_source *src, struct cap_ns *ns,
		       struct mntcr_error *e)
{
	ns->fd = mc_open_ns(src, ns->label, sizeof(ns->label), e);
	if (ns->fd < 0)
		return -1;
	ns->ino = ino_of(ns->fd);
	if (!ns->ino)
		return mc_fail(e, MNTCR_SYS, errno, "%s", ns->label);
	ns->own = ns->ino == ino_of_path("/proc/self/ns/mnt");
	if (ioctl(ns->fd, MC_NS_GET_MNTNS_ID, &ns->id)) {
		ns->no_id = errno;
		ns->id = 0;
	}
	cap_count(ns);
	return 0;
}

void cap_count(struct cap_ns *ns)
{
	struct mc_mnt_ns_info info = { .size = sizeof(info) };

	ns->nr_mounts = ioctl(ns->fd, MC_NS_MNT_GET_INFO, &info) ? -1 :
			(int64_t)info.nr_mounts;
}

int cap_ns_id(int fd, uint64_t *id)
{
	*id = 0;
	return ioctl(fd, MC_NS_GET_ID, id) && errno != ENOTTY && errno != EINVAL ? -1 : 0;
}

/* The owner and its ancestors as far up as the kernel lets the caller see. */
static int find_userns(struct mc_topology *t, struct cap_ns *ns,
		       struct mc_map *by_ino, struct mntcr_error *e)
{
	uint64_t own = ino_of_path("/proc/self/ns/user"), ino, id;
	uint32_t i, child = MC_NONE;
	int fd, up, err, ret = -1;

	ns->userns = MC_NONE;
	/* without it none is the dumper's; where there is no /proc, nobody knows */
	if (!own && errno != ENOENT)
		return mc_fail(e, MNTCR_SYS, errno, "/proc/self/ns/user");
	fd = ioctl(ns->fd, MC_NS_GET_USERNS);
	while (fd >= 0) {
		ino = ino_of(fd);
		if (!ino) {
			mc_fail(e, MNTCR_SYS, errno, "%s: its owner", ns->label);
			goto out;
		}
		i = t->nr_userns;
		switch (mc_map_add(by_ino, ino, &i)) {
		case 1:
			/* its ancestors are known */
			up = -1;
			errno = EPERM;
			break;
		case 0:
			if (cap_ns_id(fd, &id)) {
				mc_fail(e, MNTCR_SYS, errno, "%s: its owner's id",
					ns->label);
				goto out;
			}
			if ((id ? mc_topology_get_userns(t, id) :
			     mc_topology_add_userns(t)) == MC_NONE) {
				mc_nomem(e);
				goto out;
			}
			t->userns[i].ino = ino;
			t->userns[i].dumper = ino == own;
			up = ioctl(fd, MC_NS_GET_PARENT);
			err = errno;
			if (up >= 0 && !t->userns[i].dumper &&
			    cap_userns(t, i, fd, up, ino_of(up) == own, e)) {
				mc_close(up);
				goto out;
			}
			errno = err;
			break;
		default:
			mc_nomem(e);
			goto out;
		}
		if (child == MC_NONE)
			ns->userns = i;
		else
			t->userns[child].parent = i;
		child = i;
		mc_close(fd);
		fd = up;
	}
	switch (errno) {
	case EPERM:	/* above what the caller may see */
	case ENOTTY:	/* an old kernel */
	case EINVAL:
		ret = 0;
		break;
	default:
		mc_fail(e, MNTCR_SYS, errno, "%s: its owner", ns->label);
	}
out:
	mc_close(fd);
	return ret;
}

void cap_close(struct cap_ns *list, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++)
		mc_close(list[i].fd);
	free(list);
}

static bool has_word(const char *text, const char *word)
{
	size_t n;

	for (; *text; text += n + !!text[n]) {
		n = strcspn(text, " ");
		if (mc_word_is(text, n, word))
			return true;
	}
	return false;
}

/*
 * A detached tree is told by the id of its root: its copies are in namespaces of their
 * own.  1: it has come already, by another descriptor, which its label names, too.
 */
static int same_tree(struct cap_ns *ns, uint32_t n, struct mc_map *trees,
		     struct mntcr_error *e)
{
	const struct mntcr_source *src = ns[n].src;
	struct cap_ns *first;
	size_t len;
	uint32_t v = n;

	if (src->type != MNTCR_SOURCE_DETACHED)
		return 0;
	switch (mc_map_add(trees, src->tree->root, &v)) {
	case -1:
		return mc_nomem(e);
	case 0:
		return 0;
	}
	first = &ns[v];
	/* the same descriptor once more */
	if (has_word(first->label, ns[n].label))
		return 1;
	len = strlen(first->label);
	if (len + 1 + strlen(ns[n].label) >= sizeof(first->label))
		return mc_refuse(e, "detached-descriptors",
				 "%s: one detached tree, named by more descriptors than its label in the image has room for",
				 first->label);
	first->label[len] = ' ';
	strcpy(first->label + len + 1, ns[n].label);
	return 1;
}

int cap_open(const struct mntcr_source *sources, size_t nr,
	     struct cap_ns **list, size_t *nr_ns, struct mc_topology *t,
	     struct mntcr_error *e)
{
	struct mc_map *seen = mc_map_new(), *userns = mc_map_new(), *trees = mc_map_new();
	struct cap_ns *ns = calloc(nr + 1, sizeof(*ns));
	size_t i, n = 0;
	const bool by_id = mc_opens_by_id();
	uint32_t v = 0;
	int ret = -1;

	if (!ns || !seen || !userns || !trees) {
		mc_nomem(e);
		goto out;
	}
	for (i = 0; i < nr; i++) {
		ns[n] = (struct cap_ns){ .src = &sources[i], .fd = -1, .by_id = by_id };
		n++;
		if (open_source(&sources[i], &ns[n - 1], e))
			goto out;
		switch (mc_map_add(seen, ns[n - 1].ino, &v)) {
		case -1:
			mc_nomem(e);
			goto out;
		case 1:
			mc_close(ns[--n].fd);
			continue;
		}
		switch (same_tree(ns, (uint32_t)n - 1, trees, e)) {
		case -1:
			goto out;
		case 1:
			mc_close(ns[--n].fd);
			continue;
		}
		if (find_userns(t, &ns[n - 1], userns, e))
			goto out;
	}
	ret = 0;
	*list = ns;
	*nr_ns = n;
	ns = NULL;
out:
	mc_map_free(seen);
	mc_map_free(userns);
	mc_map_free(trees);
	if (ns)
		cap_close(ns, n);
	return ret;
}
