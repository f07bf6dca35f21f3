// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Arguments of the form KEY=VALUE.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "capture/given.h"
#include "topology/topology.h"
#include "cmd.h"

bool cmd_octal(const char *s, char *c)
{
	unsigned int v;

	if (s[0] < '0' || s[0] > '3' || s[1] < '0' || s[1] > '7' ||
	    s[2] < '0' || s[2] > '7')
		return false;
	v = (unsigned int)(s[0] - '0') << 6 | (unsigned int)(s[1] - '0') << 3 |
	    (unsigned int)(s[2] - '0');
	*c = (char)v;
	return v;
}

/*
 * KEY=PATH, split in place.  KEY ends at the first "=" without a "\" before it,
 * which takes the next byte as it is, or the byte that three octal digits say.
 */
bool cmd_split(char *arg, char **path)
{
	char *to = arg, *from;

	for (from = arg; *from && *from != '='; from++) {
		if (*from != '\\') {
			*to++ = *from;
		} else if (cmd_octal(from + 1, to)) {
			to++;
			from += 3;
		} else if (from[1]) {
			*to++ = *++from;
		} else {
			return false;
		}
	}
	*path = from + 1;
	if (!*from || to == arg || !**path)
		return false;
	*to = '\0';
	return true;
}

static int no_memory(const char *cmd)
{
	fprintf(stderr, "mntcr: %s: out of memory\n", cmd);
	return MNTCR_SYS;
}

int cmd_split_key(const char *cmd, const char *opt, const char *form, char *arg,
		  char **value)
{
	char *copy = strdup(arg);
	int ret = 0;

	if (!copy)
		return no_memory(cmd);
	/* as it was given */
	if (!cmd_split(arg, value))
		ret = cmd_usage(cmd, "%s takes %s, not %s", opt, form, copy);
	free(copy);
	return ret;
}

int cmd_maps_add(struct cmd_maps *m, const char *cmd, char *arg)
{
	void *p = realloc(m->maps, (m->nr + 1) * sizeof(*m->maps));
	char *to;
	int ret;

	if (!p)
		return no_memory(cmd);
	m->maps = p;
	ret = cmd_split_key(cmd, "--map-cgroup", "OLD=NEW", arg, &to);
	if (!ret)
		m->maps[m->nr++] = (struct mntcr_cgroup_map){ .from = arg, .to = to };
	return ret;
}

int cmd_maps_add_stand_in(struct cmd_maps *m, const char *cmd, const char *arg)
{
	void *p = realloc(m->stand_ins, (m->nr_stand_ins + 1) * sizeof(*m->stand_ins));

	if (!p)
		return no_memory(cmd);
	m->stand_ins = p;
	m->stand_ins[m->nr_stand_ins++] = arg;
	return 0;
}

/* Kept, as there may be a list to say it in. */
static int add_unopened(struct cmd_maps *m, const char *cmd, const char *arg)
{
	int err = errno;
	struct mntcr_error *p = realloc(m->unopened, (m->nr_unopened + 1) * sizeof(*p));
	char esc[600];

	if (!p)
		return no_memory(cmd);
	m->unopened = p;
	mc_fail(&p[m->nr_unopened++], MNTCR_SYS, err, "--owner %s",
		mc_escape(arg, esc, sizeof(esc)));
	return 0;
}

int cmd_maps_add_owner(struct cmd_maps *m, const char *cmd, char *arg)
{
	void *p = realloc(m->owners, (m->nr_owners + 1) * sizeof(*m->owners));
	char *copy = strdup(arg), *path;
	size_t inode;
	int ret, fd;

	if (p)
		m->owners = p;
	if (!p || !copy) {
		free(copy);
		return no_memory(cmd);
	}
	ret = cmd_split_key(cmd, "--owner", "INODE=PATH", copy, &path);
	if (!ret && !cmd_number(copy, SIZE_MAX, &inode))
		ret = cmd_usage(cmd, "--owner takes INODE=PATH, not %s", arg);
	if (ret)
		goto out;
	/* nothing that is no namespace's file is waited for */
	fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		ret = add_unopened(m, cmd, arg);
	else
		m->owners[m->nr_owners++] = (struct mntcr_owner){ .inode = inode, .fd = fd };
out:
	free(copy);
	return ret;
}

static void keep_wrong(void *data, const struct mntcr_error *why)
{
	struct cmd_wrong *w = data;
	void *p = realloc(w->list, (w->nr + 1) * sizeof(*w->list));

	if (!p) {
		w->nomem = true;
		return;
	}
	w->list = p;
	w->list[w->nr++] = *why;
}

/* In a list it is one of the things that a restore would fail of. */
static int tell_unopened(const struct cmd_maps *m, struct cmd_wrong *w, struct mntcr_error *e)
{
	size_t i;

	for (i = 0; i < m->nr_unopened; i++) {
		*e = m->unopened[i];
		if (!w || !w->lists)
			return -1;
		mc_refuse(e, "owner-path", "%s", m->unopened[i].text);
		keep_wrong(w, e);
	}
	return 0;
}

int cmd_maps_apply(const struct cmd_maps *m, struct mntcr_topology *t,
		   struct cmd_wrong *w, struct mntcr_error *e)
{
	const struct mc_wrong all = { keep_wrong, w }, *wrong = w ? &all : NULL;

	memset(e, 0, sizeof(*e));
	if (tell_unopened(m, w, e) ||
	    (m->nr && mc_topology_map_cgroups(t, m->maps, m->nr, wrong, e)) ||
	    (m->nr_stand_ins &&
	     mc_topology_stand_in(t, m->stand_ins, m->nr_stand_ins, wrong, e)) ||
	    (m->nr_owners && mc_topology_owners(t, m->owners, m->nr_owners, wrong, e)))
		return -1;
	return w && w->nomem ? mc_nomem(e) : 0;
}

void cmd_maps_free(struct cmd_maps *m)
{
	while (m->nr_owners)
		close(m->owners[--m->nr_owners].fd);
	free(m->unopened);
	free(m->owners);
	free(m->maps);
	free(m->stand_ins);
}
