// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A plan for people, and for programs.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "plan/plan.h"

static const char *const op_names[MC_NR_OPS] = {
	[MC_OP_NS] = "namespace",
	[MC_OP_OPEN] = "open",
	[MC_OP_BASE] = "base",
	[MC_OP_FRESH] = "fresh",
	[MC_OP_SUBROOT] = "subroot",
	[MC_OP_CLONE] = "clone",
	[MC_OP_ATTACH] = "attach",
	[MC_OP_PLACE] = "place",
	[MC_OP_GROUP] = "group",
	[MC_OP_UNLINK] = "unlink",
	[MC_OP_FINISH] = "finish",
	[MC_OP_LOCK] = "lock",
	[MC_OP_DETACH] = "detach",
	[MC_OP_RELEASE] = "release",
};

const char *mc_op_name(enum mc_op_type type)
{
	return op_names[type];
}

/* "ns0", "mnt0:123", "temp0", "src0" */
static const char *ref_name(const struct mc_plan *p, mc_ref r, char *buf, size_t n)
{
	uint32_t i = MC_REF_INDEX(r);

	switch (r == MC_NONE ? 99 : MC_REF_KIND(r)) {
	case MC_REF_MOUNT:
		snprintf(buf, n, "mnt%u:%" PRIu64, p->topo->mounts[i].ns,
			 p->topo->mounts[i].id);
		break;
	case MC_REF_TEMP:
		snprintf(buf, n, "temp%u", i);
		break;
	case MC_REF_SRC:
		snprintf(buf, n, "src%u", i);
		break;
	case MC_REF_NS:
		snprintf(buf, n, "ns%u", i);
		break;
	default:
		snprintf(buf, n, "-");
	}
	return buf;
}

static void flag_names(uint8_t flags, char *buf, size_t n)
{
	snprintf(buf, n, "%s%s%s%s",
		 flags & MOUNT_SETGROUP_SHARED ? "shared " : "",
		 flags & MOUNT_SETGROUP_PEER ? "peer " : "",
		 flags & MOUNT_SETGROUP_MASTER ? "master " : "",
		 flags & MOUNT_SETGROUP_SIBLING ? "sibling " : "");
	if (*buf)
		buf[strlen(buf) - 1] = '\0';
}

/* Each string, and what it is made to lead to. */
static void layer_words(const struct mc_plan *p, const struct mc_src *s, struct mc_buf *b)
{
	const struct mc_sb *sb = &p->topo->sbs[s->sb];
	char text[256], path[256];
	uint32_t i;

	for (i = 0; s->layers && i < sb->nr_layers; i++) {
		const struct mc_layer *l = &sb->layers[i];

		mc_buf_printf(b, "%s %s %s = ", i ? "," : " with", mc_layer_option(l->kind),
			      mc_escape(l->text, text, sizeof(text)));
		if (l->sb == MC_NONE)
			mc_buf_printf(b, "below layer #%u", s->layer_option);
		else
			mc_buf_printf(b, "%s of %u:%u%s", mc_escape(l->path, path, sizeof(path)),
				      p->topo->sbs[l->sb].major, p->topo->sbs[l->sb].minor,
				      l->idmap != MC_NONE ? ", idmapped" : "");
	}
}

/* Where a source comes from, in words. */
static void src_words(const struct mc_plan *p, uint32_t i, struct mc_buf *b)
{
	const struct mc_src *s = &p->srcs[i];
	const struct mc_sb *sb = &p->topo->sbs[s->sb];
	char tmp[256], dev[32];

	switch (s->kind) {
	case MC_SRC_LIVE:
		mc_buf_printf(b, "live mount %s%s",
			      mc_mount_name(p->topo, s->index, tmp, sizeof(tmp)),
			      s->with_unlinked ?
			      " with what is unlinked on it, in a copy of its namespace" :
			      s->copied ? " in a copy of its namespace" : "");
		break;
	case MC_SRC_SUB:
		mc_buf_printf(b, "%s below src%u",
			      mc_escape(s->path, tmp, sizeof(tmp)), s->base);
		break;
	case MC_SRC_FRESH:
		snprintf(dev, sizeof(dev), "%u:%u", sb->major, sb->minor);
		mc_buf_printf(b, "new %s for %s", sb->type, dev);
		if (s->device != MC_NONE)
			mc_buf_printf(b, " from %s%s", mc_escape(s->path, tmp, sizeof(tmp)),
				      sb->flags & MS_RDONLY ? ", read-only" : "");
		if (s->owner != MC_NONE)
			mc_buf_printf(b, " in user%u", s->owner);
		layer_words(p, s, b);
		break;
	case MC_SRC_AGAIN:
		mc_buf_printf(b, "%s %u:%u, opened again as %s", sb->type,
			      sb->major, sb->minor,
			      mc_escape(mc_mount_source(p->topo,
							&p->topo->mounts[s->index]),
					tmp, sizeof(tmp)));
		break;
	case MC_SRC_EXTERNAL:
		mc_buf_printf(b, "external #%u", s->index);
		break;
	case MC_SRC_MASTER:
		mc_buf_printf(b, "external master #%u", s->index);
		break;
	case MC_SRC_GIVEN:
		mc_need_id_text(p->needs[s->index].kind, p->needs[s->index].id, dev,
				sizeof(dev));
		mc_buf_printf(b, "%s %s, given",
			      mc_need_kind_name(p->needs[s->index].kind), dev);
		break;
	case MC_SRC_NSFILE:
		mc_buf_printf(b, "file of ns%u", s->index);
		break;
	case MC_SRC_NSMADE:
		if (p->topo->mounts[s->index].nsfs_userns != MC_NONE) {
			mc_buf_printf(b, "file of user%u",
				      p->topo->mounts[s->index].nsfs_userns);
			break;
		}
		mc_buf_printf(b, "file of %s for %s", mc_plan_is_ns_given(p, s) ?
			      "what is given" : "a new namespace", mc_escape(p->topo->mounts[s->index].root, tmp,
					sizeof(tmp)));
		if (s->owner != MC_NONE)
			mc_buf_printf(b, " in user%u", s->owner);
		break;
	}
}

static void op_line(const struct mc_plan *p, const struct mc_op *op,
		    struct mc_buf *b)
{
	char a[64], c[64], path[512];
	const struct mc_ns *ns;
	uint32_t i;

	mc_buf_printf(b, "%-9s ", op_names[op->type]);
	switch (op->type) {
	case MC_OP_NS:
		ns = &p->topo->ns[MC_REF_INDEX(op->obj)];
		mc_buf_printf(b, "%s", ref_name(p, op->obj, a, sizeof(a)));
		if (ns->label)
			mc_buf_printf(b, " (%s)", mc_escape(ns->label, path, sizeof(path)));
		break;
	case MC_OP_OPEN:
	case MC_OP_BASE:
	case MC_OP_FRESH:
	case MC_OP_SUBROOT:
		mc_buf_printf(b, "%s = ", ref_name(p, op->obj, a, sizeof(a)));
		src_words(p, MC_REF_INDEX(op->obj), b);
		for (i = 0; op->type == MC_OP_FRESH && i < op->nr; i++)
			mc_buf_printf(b, "%s%s%s", i ? " " : " with ",
				      mc_escape(p->nodes[op->first + i].path,
						path, sizeof(path)),
				      p->nodes[op->first + i].dir ? "/" : "");
		if (op->type == MC_OP_BASE && op->arg != MC_NONE)
			mc_buf_printf(b, " in a %scopy of %s",
				      op->flags & MC_NEW_COPY ? "new " : "",
				      ref_name(p, op->arg, a, sizeof(a)));
		for (i = 0; op->type == MC_OP_BASE && i < op->nr; i++)
			mc_buf_printf(b, "%s%s", i ? " " : " without ",
				      ref_name(p, p->list[op->first + i], a,
					       sizeof(a)));
		break;
	case MC_OP_CLONE:
		mc_buf_printf(b, "%s from %s", ref_name(p, op->obj, a, sizeof(a)),
			      ref_name(p, op->arg, c, sizeof(c)));
		i = MC_REF_INDEX(op->arg);
		if (!p->srcs[i].opened) {
			mc_buf_puts(b, " = ");
			src_words(p, i, b);
		}
		break;
	case MC_OP_PLACE:
		mc_buf_printf(b, "for %s on %s at %s",
			      ref_name(p, op->obj, a, sizeof(a)),
			      ref_name(p, op->arg, c, sizeof(c)),
			      mc_escape(op->path, path, sizeof(path)));
		break;
	case MC_OP_ATTACH:
		mc_buf_printf(b, "%s on %s at %s%s", ref_name(p, op->obj, a, sizeof(a)),
			      ref_name(p, op->arg, c, sizeof(c)),
			      mc_escape(op->path, path, sizeof(path)),
			      op->flags & MC_ALONG ? ", with which it came" :
			      op->flags & MC_PLACED ? ", where there is a place for it" :
			      "");
		break;
	case MC_OP_GROUP:
		flag_names(op->flags, a, sizeof(a));
		mc_buf_printf(b, "%s", a);
		if (op->arg != MC_NONE)
			mc_buf_printf(b, " %s", ref_name(p, op->arg, c, sizeof(c)));
		mc_buf_puts(b, ":");
		for (i = 0; i < op->nr; i++)
			mc_buf_printf(b, " %s", ref_name(p, p->list[op->first + i],
							 a, sizeof(a)));
		break;
	case MC_OP_UNLINK:
		mc_buf_printf(b, "in %s:", ref_name(p, op->obj, a, sizeof(a)));
		for (i = 0; i < op->nr; i++)
			mc_buf_printf(b, " %s", mc_escape(p->unlinked[op->first + i].path,
							  path, sizeof(path)));
		break;
	case MC_OP_FINISH:
	case MC_OP_LOCK:
	case MC_OP_DETACH:
		mc_buf_printf(b, "%s", ref_name(p, op->obj, a, sizeof(a)));
		break;
	case MC_OP_RELEASE:
		mc_buf_printf(b, "%u descriptors%s", op->nr,
			      op->flags & MC_SPILL ? " (needed again)" : "");
		break;
	}
	mc_buf_puts(b, "\n");
}

/* "0:100000:65536,..." as in uid_map */
static void put_map(struct mc_buf *b, const struct mc_idmap_extent *x, uint32_t nr)
{
	uint32_t i;

	for (i = 0; i < nr; i++)
		mc_buf_printf(b, "%s%u:%u:%u", i ? "," : "", x[i].id, x[i].parent_id,
			      x[i].count);
	if (!nr)
		mc_buf_puts(b, "none");
}

static void owner_line(const struct mc_plan *p, uint32_t u, struct mc_buf *b)
{
	const struct mc_userns *n = &p->topo->userns[u];

	mc_buf_printf(b, "%-9s user%u in user%u of uid %u, uids ", "owner", u,
		      n->parent, n->owner);
	put_map(b, n->map.uid, n->map.nr_uid);
	mc_buf_puts(b, ", gids ");
	put_map(b, n->map.gid, n->map.nr_gid);
	mc_buf_puts(b, n->setgroups ? "\n" : ", without setgroups\n");
}

/* Whose each is, if the image says so; and where it comes from. */
static const char *from_name(enum mc_from_kind kind)
{
	static const char *const names[] = {
		[MC_FROM_NOTHING] = "", [MC_FROM_LIVE] = "live",
		[MC_FROM_FRESH] = "fresh", [MC_FROM_EXTERNAL] = "external",
		[MC_FROM_FILES] = "files", [MC_FROM_GIVEN] = "given",
	};

	return names[kind];
}

static void whose_lines(const struct mc_plan *p, FILE *out)
{
	const struct mc_sb *sb;
	char type[64], path[256], root[256];
	uint32_t i;

	for (i = 0; i < p->topo->nr_sbs; i++) {
		sb = &p->topo->sbs[i];
		if (!sb->whose || !sb->nr_mounts)
			continue;
		fprintf(out, "%-9s %u:%u %s: %s", "whose", sb->major, sb->minor,
			mc_escape(sb->type, type, sizeof(type)),
			mc_whose_names[sb->whose]);
		if (sb->outside.path)
			fprintf(out, ", %s of it was at %s",
				mc_escape(sb->outside.root, root, sizeof(root)),
				mc_escape(sb->outside.path, path, sizeof(path)));
		fprintf(out, "; %s\n", from_name(p->from[i].kind));
	}
}

static int print_text(const struct mc_plan *p, FILE *out, struct mntcr_error *e)
{
	struct mc_buf b = { 0 };
	char a[64], is[256], was[256], line[900];
	const char *what;
	uint32_t i, at = 0;

	while (mc_plan_next_difference(p, &at, &what, line, sizeof(line)))
		fprintf(out, "%-9s %s\n", "differs", line);
	for (i = 0; i < p->topo->nr_mounts; i++)
		if (mc_plan_source_differs(p, i))
			fprintf(out, "%-9s %s: source %s instead of %s\n", "differs",
				ref_name(p, MC_REF(MC_REF_MOUNT, i), a, sizeof(a)),
				mc_escape(mc_plan_source_of(p, i), is, sizeof(is)),
				mc_escape(mc_mount_source(p->topo,
							  &p->topo->mounts[i]),
					  was, sizeof(was)));
	whose_lines(p, out);
	for (i = 0; i < p->topo->nr_userns; i++)
		if (p->topo->userns[i].given)
			fprintf(out, "%-9s user%u is given\n", "owner", i);
	for (i = 0; i < p->nr_owners; i++)
		owner_line(p, p->owners[i], &b);
	if (p->nr_owners && !b.nomem)
		fputs(b.data, out);
	for (i = 0; i < p->nr_ops && !b.nomem; i++) {
		mc_buf_reset(&b);
		op_line(p, &p->ops[i], &b);
		if (b.nomem)
			break;
		fputs(b.data, out);
	}
	mc_buf_free(&b);
	return i < p->nr_ops ? mc_nomem(e) : 0;
}

static void put(FILE *out, const char *key, const char *value)
{
	fprintf(out, ", \"%s\": ", key);
	mc_json_put(out, value);
}

/* One object a line: a plan of 16,000 mounts is read as it is written. No memory: false. */
static bool print_op(const struct mc_plan *p, const struct mc_op *op, FILE *out)
{
	bool nomem = false;
	char a[64];
	uint32_t i;

	fprintf(out, "{\"op\": \"%s\"", op_names[op->type]);
	if (op->obj != MC_NONE)
		put(out, "object", ref_name(p, op->obj, a, sizeof(a)));
	if (op->arg != MC_NONE)
		put(out, op->type == MC_OP_ATTACH ? "on" :
		    op->type == MC_OP_CLONE ? "from" : "reference",
		    ref_name(p, op->arg, a, sizeof(a)));
	if (op->path)
		put(out, "path", op->path);
	if (op->type == MC_OP_ATTACH && op->flags & MC_ALONG)
		fputs(", \"along\": true", out);
	if (op->type == MC_OP_OPEN || op->type == MC_OP_BASE ||
	    op->type == MC_OP_FRESH || op->type == MC_OP_SUBROOT ||
	    (op->type == MC_OP_CLONE && !p->srcs[MC_REF_INDEX(op->arg)].opened)) {
		struct mc_buf b = { 0 };

		src_words(p, MC_REF_INDEX(op->type == MC_OP_CLONE ? op->arg :
					  op->obj), &b);
		nomem = b.nomem;
		if (!nomem)
			put(out, "source", b.data);
		mc_buf_free(&b);
	}
	for (i = 0; op->type == MC_OP_FRESH && i < op->nr; i++) {
		fputs(i ? ", " : ", \"makes\": [", out);
		mc_json_put(out, p->nodes[op->first + i].path);
		if (i + 1 == op->nr)
			fputs("]", out);
	}
	for (i = 0; op->type == MC_OP_UNLINK && i < op->nr; i++) {
		fputs(i ? ", " : ", \"unlinks\": [", out);
		mc_json_put(out, p->unlinked[op->first + i].path);
		if (i + 1 == op->nr)
			fputs("]", out);
	}
	if (op->type == MC_OP_GROUP) {
		flag_names(op->flags, a, sizeof(a));
		put(out, "how", a);
	}
	if (op->type == MC_OP_GROUP || op->type == MC_OP_RELEASE ||
	    (op->type == MC_OP_BASE && op->nr)) {
		fprintf(out, ", \"list\": [");
		for (i = 0; i < op->nr; i++)
			fprintf(out, "%s\"%s\"", i ? ", " : "",
				ref_name(p, p->list[op->first + i], a, sizeof(a)));
		fprintf(out, "]");
	}
	fprintf(out, "}");
	return !nomem;
}

static void print_differences(const struct mc_plan *p, FILE *out)
{
	char a[64], line[900];
	const char *what;
	bool first = true;
	uint32_t i, at = 0;

	fprintf(out, "\"differences\": [");
	while (mc_plan_next_difference(p, &at, &what, line, sizeof(line))) {
		fprintf(out, "%s\n{\"what\": \"%s\"", first ? "" : ",", what);
		put(out, "text", line);
		fputs("}", out);
		first = false;
	}
	for (i = 0; i < p->topo->nr_mounts; i++) {
		if (!mc_plan_source_differs(p, i))
			continue;
		fprintf(out, "%s\n{\"object\": \"%s\", \"what\": \"source\"",
			first ? "" : ",",
			ref_name(p, MC_REF(MC_REF_MOUNT, i), a, sizeof(a)));
		put(out, "image", mc_mount_source(p->topo, &p->topo->mounts[i]));
		put(out, "restored", mc_plan_source_of(p, i));
		fputs("}", out);
		first = false;
	}
	fprintf(out, "], ");
}

static void print_superblocks(const struct mc_plan *p, FILE *out)
{
	const struct mc_sb *sb;
	bool first = true;
	uint32_t i;

	fprintf(out, "\"superblocks\": [");
	for (i = 0; i < p->topo->nr_sbs; i++) {
		sb = &p->topo->sbs[i];
		if (!sb->nr_mounts)
			continue;
		fprintf(out, "%s\n{\"device\": \"%u:%u\"", first ? "" : ",",
			sb->major, sb->minor);
		first = false;
		put(out, "type", sb->type);
		if (sb->whose)
			put(out, "whose", mc_whose_names[sb->whose]);
		if (sb->outside.path) {
			fputs(", \"outside\": {\"path\": ", out);
			mc_json_put(out, sb->outside.path);
			put(out, "root", sb->outside.root);
			fputs("}", out);
		}
		put(out, "from", from_name(p->from[i].kind));
		fputs("}", out);
	}
	fprintf(out, "], ");
}

static void print_owners(const struct mc_plan *p, FILE *out)
{
	const struct mc_userns *n;
	uint32_t i, nr = 0;

	fprintf(out, "\"user_namespaces\": [");
	for (i = 0; i < p->topo->nr_userns; i++)
		if (p->topo->userns[i].given)
			fprintf(out, "%s\n{\"user_namespace\": %u, \"given\": true}",
				nr++ ? "," : "", i);
	for (i = 0; i < p->nr_owners; i++) {
		n = &p->topo->userns[p->owners[i]];
		fprintf(out, "%s\n{\"user_namespace\": %u, \"parent\": %u, \"owner\": %u}",
			nr++ ? "," : "", p->owners[i], n->parent, n->owner);
	}
	fprintf(out, "], ");
}

int mc_plan_print(const struct mc_plan *p, bool json, FILE *out,
		  struct mntcr_error *e)
{
	uint32_t i;

	if (!json)
		return print_text(p, out, e);
	fprintf(out, "{\"api\": \"%s\", \"descriptors\": %u, ",
		p->api == MNTCR_API_EXTENDED ? "extended" : "upstream",
		p->peak_fds);
	print_differences(p, out);
	print_superblocks(p, out);
	print_owners(p, out);
	fprintf(out, "\"operations\": [\n");
	for (i = 0; i < p->nr_ops; i++) {
		if (!print_op(p, &p->ops[i], out))
			return mc_nomem(e);
		fprintf(out, "%s\n", i + 1 < p->nr_ops ? "," : "");
	}
	fprintf(out, "]}\n");
	return 0;
}
