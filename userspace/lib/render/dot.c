// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Graphviz: a cluster per namespace, a box per mount, an ellipse per peer
 * group with a line to each member, dashed arrows from master to slave.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "render/render.h"

/* For a double-quoted label, where backslashes escape and "&lt;" would be an entity. */
static void quoted(FILE *out, const char *s)
{
	char esc[1024];

	for (s = mc_escape(s, esc, sizeof(esc)); *s; s++) {
		if (*s == '"' || *s == '\\')
			fputc('\\', out);
		if (*s == '&')
			fputs("&amp;", out);
		else
			fputc(*s, out);
	}
}

static void mount_node(const struct mc_topology *t, uint32_t i, FILE *out)
{
	const struct mc_mount *m = &t->mounts[i];
	const struct mc_sb *sb = &t->sbs[m->sb];

	fprintf(out, "    m%u [label=\"", i);
	if (m->parent != MC_NONE && !m->mountpoint[1])
		fputs("(over it)", out);
	else
		quoted(out, m->mountpoint);
	fputs("\\n", out);
	quoted(out, sb->type);
	fprintf(out, " %u:%u ", sb->major, sb->minor);
	quoted(out, m->root);
	fprintf(out, "%s\"%s%s];\n", m->root_deleted ? " (deleted)" : "",
		m->unbindable ? ", style=dotted" : "",
		m->above ? ", color=gray, fontcolor=gray" : "");
	if (m->parent != MC_NONE)
		fprintf(out, "    m%u -> m%u [arrowhead=none];\n", m->parent, i);
}

/* Mounts that are there only because of others below them show no sharing. */
static bool is_drawn(const struct mc_topology *t, uint32_t group)
{
	const struct mc_group *g = &t->groups[group];
	uint32_t m;

	if (g->first_slave_group != MC_NONE)
		return true;
	mc_for_each_member(t, m, group)
		if (!t->mounts[m].above)
			return true;
	for (m = g->first_slave_mount; m != MC_NONE; m = t->mounts[m].next_slave)
		if (!t->mounts[m].above)
			return true;
	return false;
}

static void group_node(const struct mc_topology *t, uint32_t i, FILE *out)
{
	const struct mc_group *g = &t->groups[i];
	uint32_t m;

	fprintf(out, "  g%u [shape=ellipse, label=\"peer group %" PRIu64 "%s\"%s];\n",
		i, g->id, g->nr_members ? "" : "\\n(external)",
		g->nr_members ? "" : ", style=dotted");
	mc_for_each_member(t, m, i)
		if (!t->mounts[m].above)
			fprintf(out, "  g%u -> m%u [dir=both, color=blue, constraint=false];\n",
				i, m);
	if (g->master != MC_NONE)
		fprintf(out, "  g%u -> g%u [style=dashed, color=red];\n",
			g->master, i);
	for (m = g->first_slave_mount; m != MC_NONE; m = t->mounts[m].next_slave)
		if (!t->mounts[m].above)
			fprintf(out, "  g%u -> m%u [style=dashed, color=red, constraint=false];\n",
				i, m);
}

int mc_render_dot(const struct mc_topology *t, FILE *out,
		  struct mntcr_error *e)
{
	uint32_t i, j;

	fputs("digraph mounts {\n"
	      "  rankdir=LR;\n  node [shape=box, fontsize=10];\n", out);
	for (i = 0; i < t->nr_ns; i++) {
		const struct mc_ns *ns = &t->ns[i];

		fprintf(out, "  subgraph cluster_%u {\n    label=\"%s %u: ",
			i, ns->detached ? "detached tree" : "namespace", ns->number ? ns->number - 1 : i);
		quoted(out, ns->label);
		fputs("\";\n", out);
		for (j = 0; j < ns->nr_mounts; j++)
			mount_node(t, ns->first_mount + j, out);
		fputs("  }\n", out);
	}
	for (i = 0; i < t->nr_groups; i++)
		if (is_drawn(t, i))
			group_node(t, i, out);
	fputs("}\n", out);
	return 0;
}
