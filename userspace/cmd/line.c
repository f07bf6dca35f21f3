// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * From topologies that are written as lines to what is drawn and restored.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <string.h>

#include "base/base.h"
#include "topology/topology.h"
#include "topologies/layout.h"
#include "line.h"

#define TMPFS_MAGIC	0x01021994
#define STR_(x)		#x
#define STR(x)		STR_(x)

struct at {
	const char *line;
	unsigned int line_nr;
	struct mntcr_error *e;
};

static int fault(const struct at *at, size_t column, const char *what)
{
	char esc[64];

	return mc_fail(at->e, MNTCR_USAGE, 0, "line %u, column %zu: \"%s\": %s",
		       at->line_nr, column + 1,
		       mc_escape(at->line + column, esc, sizeof(esc)), what);
}

/* Why the parser stopped there; what is before it has been read. */
static const char *why(const struct topo *t, const char *line, size_t column)
{
	char c = line[column];
	int depth = 0;

	for (size_t i = 0; i < column; i++)
		depth += (line[i] == '[') - (line[i] == ']');
	switch (c) {
	case '\0':
		return depth ? "a bracket is not closed" : "no mount";
	case ']':
		return depth ? "a peer group without a member" :
			       "no bracket is open";
	case '[':
		return "more than " STR(TOPO_MAX) " peer groups";
	case 'p':
	case 'u':
	case 'm':
	case 's':
		break;
	default:
		return "expected one of p u m s [ ]";
	}
	if (t->nr == TOPO_MAX)
		return "more than " STR(TOPO_MAX) " mounts";
	if (!depth && (c == 'm' || c == 's'))
		return "a member or slave outside of brackets";
	if (depth && (c == 'p' || c == 'u'))
		return "a private or unbindable mount within brackets";
	return "after p u m s only /a or /b, twice at most, and @0 to @5";
}

/* The part after the colon. */
static int parse_layout(const struct topo *t, struct layout *l,
			const struct at *at, size_t start)
{
	char text[LINE_MAX_SIZE];
	size_t column = start, end;

	if (!layout_parse(t, l, at->line + start))
		return 0;
	/* which word was it? */
	for (;; column = end) {
		column += strspn(at->line + column, " ");
		end = column + strcspn(at->line + column, " ");
		memcpy(text, at->line + start, end - start);
		text[end - start] = '\0';
		if (end == column || layout_parse(t, l, text))
			break;
	}
	return fault(at, column,
		     "expected N>M, N>M/a, N^M or N!: mount N, counted from 0, is "
		     "in or over mount M of its namespace, or locked");
}

static int parse(struct topo *t, struct layout *l, const struct at *at)
{
	const char *colon = strchr(at->line, ':');
	size_t len = colon ? (size_t)(colon - at->line) : strlen(at->line);
	char text[LINE_MAX_SIZE];
	int column;

	memcpy(text, at->line, len);
	text[len] = '\0';
	column = topo_parse(t, text);
	if (column)
		return fault(at, (size_t)column - 1,
			     why(t, text, (size_t)column - 1));
	return parse_layout(t, l, at, colon ? len + 1 : len);
}

static uint32_t add_sb(struct mc_topology *t, const char *source)
{
	uint32_t i = mc_topology_add_sb(t);

	if (i == MC_NONE)
		return i;
	t->sbs[i].minor = i + 1;
	t->sbs[i].type = "tmpfs";
	t->sbs[i].source = source;
	t->sbs[i].magic = TMPFS_MAGIC;
	return i;
}

static struct mc_mount *add_mount(struct mc_topology *t, uint32_t ns,
				  uint32_t sb)
{
	uint32_t i = mc_topology_add_mount(t);
	struct mc_mount *m;

	if (i == MC_NONE)
		return NULL;
	m = &t->mounts[i];
	m->id = m->id_old = i + 1;
	m->ns = ns;
	m->sb = sb;
	m->mp_type = MC_MP_DIR;
	return m;
}

/* "/" and the way from one directory of the model down to another. */
static const char *path(struct mc_topology *t, int dir, int root)
{
	char name[DIR_PATH], text[DIR_PATH + 1] = "/";

	strcat(text, dir_path(dir, root, name));
	return mc_topology_str(t, text);
}

/* The namespaces that the line names, each with its root. */
static bool add_namespaces(struct mc_topology *t, int n, unsigned int line_nr,
			   uint32_t *roots)
{
	char label[40];

	for (int i = 0; i < n; i++) {
		uint32_t ns = mc_topology_add_ns(t);

		roots[i] = t->nr_mounts;
		if (ns == MC_NONE || !add_mount(t, ns, 0))
			return false;
		snprintf(label, sizeof(label), "line %u @%d", line_nr, i);
		t->ns[ns].id = ns + 1;
		t->ns[ns].label = mc_topology_str(t, label);
		if (!t->ns[ns].label)
			return false;
	}
	return true;
}

static bool add_groups(struct mc_topology *t, const struct topo *topo)
{
	uint32_t first = t->nr_groups, g;

	for (int i = 0; i < topo->nr_groups; i++) {
		g = mc_topology_add_group(t, first + (uint32_t)i + 1);
		if (g == MC_NONE)
			return false;
		if (topo->master[i] >= 0)
			t->groups[g].master = first + (uint32_t)topo->master[i];
	}
	return true;
}

static bool add(struct mc_topology *t, const struct topo *topo,
		const struct layout *l, unsigned int line_nr)
{
	uint32_t first_ns = t->nr_ns, first_group = t->nr_groups;
	uint32_t roots[TOPO_MAX_NS], sb, first;

	if (!add_namespaces(t, topo_nr_ns(topo), line_nr, roots) ||
	    !add_groups(t, topo))
		return false;
	sb = add_sb(t, "tree");
	if (sb == MC_NONE)
		return false;
	first = t->nr_mounts;
	for (int i = 0; i < topo->nr; i++) {
		const struct topo_mount *x = &topo->m[i];
		int at, on = layout_place(topo, l, i, &at);
		struct mc_mount *m = add_mount(t, first_ns + (uint32_t)x->ns, sb);

		if (!m)
			return false;
		m->parent = on < 0 ? roots[x->ns] : first + (uint32_t)on;
		m->root = path(t, x->root, 0);
		m->mountpoint = path(t, at, on < 0 ? 0 : topo->m[on].root);
		if (!m->root || !m->mountpoint)
			return false;
		m->unbindable = x->kind == TOPO_UNBINDABLE;
		m->locks_known = true;
		m->locks = l->locked[i] ? MOUNT_LOCK_MOUNT : 0;
		if (x->kind == TOPO_MEMBER) {
			m->group = first_group + (uint32_t)x->group;
			m->master = t->groups[m->group].master;
		} else if (x->kind == TOPO_SLAVE) {
			m->master = first_group + (uint32_t)x->group;
		}
	}
	return true;
}

/* What the sweeps print after a topology: with it they choose the same again. */
static void cut_hash(char *line)
{
	static const char word[] = " HASH=0x";
	char *hash = strstr(line, word), *end;

	if (!hash)
		return;
	end = hash + strlen(word);
	end += strspn(end, "0123456789abcdef");
	if (end[-1] != 'x' && !end[strspn(end, " ")])
		*hash = '\0';
}

int line_topology(const char *text, struct mntcr_topology **topo,
		  struct mntcr_error *e)
{
	struct mc_topology *t = mc_topology_new();
	struct at at = { .e = e };
	char line[LINE_MAX_SIZE];
	struct layout l;
	struct topo one;
	size_t len;

	dirs_init();
	memset(e, 0, sizeof(*e));
	if (!t || add_sb(t, "root") == MC_NONE)
		goto nomem;
	t->unique_ids = true;
	for (; *text; text += len + (text[len] == '\n')) {
		len = strcspn(text, "\n");
		at.line_nr++;
		if (*text == '#' || strspn(text, " ") == len)
			continue;
		at.line = line;
		if (len >= sizeof(line)) {
			mc_fail(e, MNTCR_USAGE, 0, "line %u: longer than %zu bytes",
				at.line_nr, sizeof(line) - 1);
			goto fail;
		}
		memcpy(line, text, len);
		line[len] = '\0';
		cut_hash(line);
		if (parse(&one, &l, &at))
			goto fail;
		if (!add(t, &one, &l, at.line_nr))
			goto nomem;
	}
	if (!t->nr_ns) {
		mc_fail(e, MNTCR_USAGE, 0, "no topology");
		goto fail;
	}
	if (mc_topology_finish(t, e))
		goto fail;
	*topo = t;
	return 0;
nomem:
	mc_nomem(e);
fail:
	mntcr_topology_free(t);
	return -1;
}
