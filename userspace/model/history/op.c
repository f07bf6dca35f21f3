// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Histories: an operation as a line of text.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 *
 *	STEP VERB ARGUMENT...
 *
 * m5 is the mount that step 5 has made, m5.1 the first of its copies, n7 the
 * namespace of step 7, or the detached tree that it has opened, to be attached or
 * dropped; m0 and n0 are there at the start.  A namespace at the end of a line is that
 * of who does it, if that is not where the mounts can be used.  /c is the directory
 * whose last name is c, which it keeps: rename /c /a moves it into a, with what is in
 * it, mkdir /k /a makes a new one there.
 */
#include <stdlib.h>
#include <string.h>

#include "history/history.h"

/*
 * What follows a verb: mounts A and B, directories of them, and so on; S is the mount
 * named, if there has to be one; M members, words, to the end, W with a namespace.
 */
static const struct {
	const char *verb, *args;
} syntax[NR_OPS] = {
	[OP_MOUNT] = { "mount", "sfBtw" },
	[OP_BIND] = { "bind", "AfBtw" },
	[OP_UMOUNT] = { "umount", "Aw" },
	[OP_TYPE] = { "make", "Ayw" },
	[OP_MOVE] = { "move", "ABtw" },
	[OP_CLONE] = { "clone", "No" },
	[OP_DROP] = { "drop", "N" },
	[OP_EVENT] = { "event", "Bt" },
	[OP_FOREIGN] = { "foreign", "AfBtw" },
	[OP_SETGROUP] = { "setgroup", "gSMw" },
	[OP_SET_GROUP] = { "set-group", "ABw" },
	[OP_LOCK] = { "lock", "Aw" },
	[OP_RENAME] = { "rename", "ft" },
	[OP_RMDIR] = { "rmdir", "f" },
	[OP_MKDIR] = { "mkdir", "ft" },
	[OP_PIVOT] = { "pivot", "ABtM" },
	[OP_OPEN] = { "open", "AfW" },
	[OP_ATTACH] = { "attach", "NBtW" },
};

const char *const op_types[4] = {
	[MODEL_PRIVATE] = "private", [MODEL_SHARED] = "shared",
	[MODEL_SLAVE] = "slave", [MODEL_UNBINDABLE] = "unbindable",
};

static const char *const words[] = { "rec", "lazy", "unlocked", "beneath", "by1", "by2", "by3" };

/* Of mount_setgroup(2), by their bits, as "shared+master". */
static const char *const groups[] = { "shared", "peer", "master", "sibling" };

#define COUNT(a)	(int)(sizeof(a) / sizeof((a)[0]))

const char *op_verb(enum op_type type)
{
	return syntax[type].verb;
}

static void print_name(FILE *f, char kind, const struct name *n)
{
	fprintf(f, " %c%d", kind, n->step);
	if (n->k)
		fprintf(f, ".%d", n->k);
}

static void print_dir(FILE *f, int dir)
{
	fprintf(f, " /");
	if (dir)
		fputc('a' + dir - 1, f);
}

static void print_words(FILE *f, unsigned int flags)
{
	for (int i = 0; i < COUNT(words); i++)
		if (flags & 1u << i)
			fprintf(f, " %s", words[i]);
}

static void print_groups(FILE *f, int flags)
{
	const char *before = " ";

	for (int i = 0; i < COUNT(groups); i++)
		if (flags & 1 << i) {
			fprintf(f, "%s%s", before, groups[i]);
			before = "+";
		}
}

void op_print(FILE *f, const struct op *op)
{
	fprintf(f, "%d %s", op->step, syntax[op->type].verb);
	for (const char *p = syntax[op->type].args; *p; p++) {
		switch (*p) {
		case 'A':
			print_name(f, 'm', &op->a);
			break;
		case 'B':
			print_name(f, 'm', &op->b);
			break;
		case 'S':
			if (op->arg != MODEL_SG_SHARED)
				print_name(f, 'm', &op->a);
			break;
		case 'M':
			for (int i = 0; i < op->nr; i++)
				print_name(f, 'm', &op->member[i]);
			break;
		case 'g':
			print_groups(f, op->arg);
			break;
		case 'N':
			print_name(f, 'n', &op->ns);
			break;
		case 'f':
			print_dir(f, op->from);
			break;
		case 't':
			print_dir(f, op->to);
			break;
		case 's':
			fprintf(f, " fs%d", op->arg);
			break;
		case 'o':
			fprintf(f, " owner%d", op->arg);
			break;
		case 'y':
			fprintf(f, " %s", op_types[op->arg]);
			break;
		case 'w':
		case 'W':
			print_words(f, op->flags);
			if (op->flags & OP_WITHIN)
				print_name(f, 'n', &op->within);
			break;
		}
	}
	fputc('\n', f);
}

static bool parse_name(const char *s, char kind, struct name *n)
{
	char end;

	*n = (struct name) { 0 };
	if (*s != kind)
		return false;
	if (sscanf(s + 1, "%d.%d%c", &n->step, &n->k, &end) == 2)
		return n->step >= 0 && n->k > 0;
	return sscanf(s + 1, "%d%c", &n->step, &end) == 1 && n->step >= 0;
}

static bool parse_dir(const char *s, int *dir)
{
	*dir = s[0] && s[1] ? s[1] - 'a' + 1 : 0;
	return s[0] == '/' && *dir >= 0 && *dir < HIST_DIRS && (!*dir || !s[2]);
}

static bool parse_number(const char *s, const char *what, int max, int *n)
{
	size_t len = strlen(what);
	char end;

	return !strncmp(s, what, len) && sscanf(s + len, "%d%c", n, &end) == 1 &&
	       *n >= 0 && *n < max;
}

static bool parse_word(const char *s, const char *const *list, int nr, int *n)
{
	for (*n = 0; *n < nr; ++*n)
		if (!strcmp(s, list[*n]))
			return true;
	return false;
}

static bool parse_groups(const char *s, int *flags)
{
	for (*flags = 0; *s; s += *s == '+') {
		int n = strcspn(s, "+"), i = 0;

		while (i < COUNT(groups) && (strncmp(s, groups[i], n) || groups[i][n]))
			i++;
		if (i == COUNT(groups))
			return false;
		*flags |= 1 << i;
		s += n;
	}
	return *flags;
}

static bool parse_arg(char kind, const char *s, struct op *op)
{
	switch (kind) {
	case 'A':
	case 'S':
		return parse_name(s, 'm', &op->a);
	case 'B':
		return parse_name(s, 'm', &op->b);
	case 'N':
		return parse_name(s, 'n', &op->ns);
	case 'g':
		return parse_groups(s, &op->arg);
	case 'f':
		return parse_dir(s, &op->from);
	case 't':
		return parse_dir(s, &op->to);
	case 's':
		return parse_number(s, "fs", HIST_SBS, &op->arg);
	case 'o':
		return parse_number(s, "owner", HIST_OWNERS, &op->arg);
	case 'y':
		return parse_word(s, op_types, COUNT(op_types), &op->arg);
	}
	return false;
}

int op_parse(const char *line, struct op *op)
{
	char copy[256], *save, *s;
	bool with_words;
	const char *p;
	int n;

	*op = (struct op) { 0 };
	if (strlen(line) >= sizeof(copy))
		return -1;
	strcpy(copy, line);
	s = strtok_r(copy, " \t\n", &save);
	if (!s || !parse_number(s, "", 1 << 30, &op->step))
		return -1;
	s = strtok_r(NULL, " \t\n", &save);
	for (op->type = 0; s && op->type < NR_OPS; op->type++)
		if (!strcmp(s, syntax[op->type].verb))
			break;
	if (!s || op->type == NR_OPS)
		return -1;
	for (p = syntax[op->type].args; *p && !strchr("wWM", *p); p++) {
		if (*p == 'S' && op->arg == MODEL_SG_SHARED)
			continue;
		s = strtok_r(NULL, " \t\n", &save);
		if (!s || !parse_arg(*p, s, op))
			return -1;
	}
	with_words = *p && strpbrk(p, "wW");
	while ((s = strtok_r(NULL, " \t\n", &save))) {
		if (*p == 'M' && op->nr < HIST_MEMBERS &&
		    parse_name(s, 'm', &op->member[op->nr])) {
			op->nr++;
			continue;
		}
		if (*p == 'W' && parse_name(s, 'n', &op->within)) {
			op->flags |= OP_WITHIN;
			continue;
		}
		if (!with_words || !parse_word(s, words, COUNT(words), &n))
			return -1;
		op->flags |= 1u << n;
	}
	return *p == 'M' && !op->nr ? -1 : 0;
}

int history_add(struct history *y, const struct op *op)
{
	if (y->nr == y->cap) {
		int cap = y->cap ? 2 * y->cap : 64;
		struct op *p = realloc(y->op, cap * sizeof(*p));

		if (!p)
			return -1;
		y->op = p;
		y->cap = cap;
	}
	y->op[y->nr++] = *op;
	return 0;
}

int op_by(const struct op *op)
{
	return op->flags & OP_BY_1 ? 1 : op->flags & OP_BY_2 ? 2 :
	       op->flags & OP_BY_3 ? 3 : 0;
}

/* Lines that begin with "#" are comments. */
int history_read(struct history *y, FILE *f)
{
	char line[256];
	struct op op;
	int n = 0;

	while (fgets(line, sizeof(line), f)) {
		n++;
		if (*line == '#' || *line == '\n')
			continue;
		if (op_parse(line, &op)) {
			fprintf(stderr, "line %d is no operation: %s", n, line);
			return -1;
		}
		if (history_add(y, &op))
			return -1;
	}
	return 0;
}

void history_print(const struct history *y, FILE *f)
{
	for (int i = 0; i < y->nr; i++)
		op_print(f, &y->op[i]);
}
