// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The layers that an overlay's options name.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "topology/topology.h"

static const struct {
	const char *name;
	enum mc_layer_kind kind;
	bool list;		/* several, between colons */
	bool escaped;		/* a backslash takes the next byte as it is */
} options[] = {
	{ "lowerdir", MC_LAYER_LOWER, true, true },
	{ "lowerdir+", MC_LAYER_LOWER, false, false },
	{ "datadir+", MC_LAYER_DATA, false, false },
	{ "upperdir", MC_LAYER_UPPER, false, true },
	{ "workdir", MC_LAYER_WORK, false, true },
};

const char *mc_layer_option(enum mc_layer_kind kind)
{
	static const char *const names[MC_NR_LAYER_KINDS] = {
		[MC_LAYER_LOWER] = "lowerdir", [MC_LAYER_DATA] = "datadir",
		[MC_LAYER_UPPER] = "upperdir", [MC_LAYER_WORK] = "workdir",
	};

	return names[kind];
}

uint32_t mc_layer_top(const struct mc_sb *sb)
{
	uint32_t i;

	for (i = 0; i < sb->nr_layers; i++)
		if (sb->layers[i].kind == MC_LAYER_UPPER)
			return i;
	return 0;
}

bool mc_layers_have_upper(const struct mc_sb *sb)
{
	return sb->nr_layers && sb->layers[mc_layer_top(sb)].kind == MC_LAYER_UPPER;
}

bool mc_layer_option_named(const char *name)
{
	size_t i;

	for (i = 0; i < MC_ARRAY_SIZE(options); i++)
		if (!strcmp(name, options[i].name))
			return true;
	return false;
}

struct found {
	struct mc_topology *t;
	struct mc_layer *layers;
	uint32_t nr;
	bool strange;		/* nothing that a kernel shows */
};

/* Of the first n bytes of s. */
static int add(struct found *f, enum mc_layer_kind kind, const char *s, size_t n,
	       bool escaped)
{
	char *text = mc_topology_alloc(f->t, n + 1);
	size_t i, to = 0;

	if (!text)
		return -1;
	for (i = 0; i < n; i++) {
		if (escaped && s[i] == '\\' && i + 1 < n)
			i++;
		text[to++] = s[i];
	}
	text[to] = '\0';
	if (!to || f->nr == MC_MAX_LAYERS) {
		f->strange = true;
		return 0;
	}
	f->layers[f->nr++] = (struct mc_layer){ kind, text, MC_NONE, NULL, MC_NONE };
	return 0;
}

/* After two colons come layers for data. */
static int add_list(struct found *f, const char *s)
{
	enum mc_layer_kind kind = MC_LAYER_LOWER;
	size_t n;

	for (;;) {
		for (n = 0; s[n] && s[n] != ':'; n++)
			n += s[n] == '\\' && s[n + 1];
		if (add(f, kind, s, n, true))
			return -1;
		if (!s[n])
			return 0;
		s += n + 1;
		if (*s == ':') {
			kind = MC_LAYER_DATA;
			s++;
		}
	}
}

static int add_option(struct found *f, const char *name, const char *value)
{
	size_t i;

	for (i = 0; i < MC_ARRAY_SIZE(options); i++) {
		if (strcmp(name, options[i].name))
			continue;
		if (!value)
			f->strange = true;
		else if (options[i].list)
			return add_list(f, value);
		else
			return add(f, options[i].kind, value, strlen(value),
				   options[i].escaped);
	}
	return 0;
}

int mc_layers_of(struct mc_topology *t, const struct mc_sb *sb,
		 struct mc_layer **layers, uint32_t *nr)
{
	struct found f = { .t = t };
	char *copy, *rest, *name, *value;
	uint32_t kinds[MC_NR_LAYER_KINDS] = { 0 }, i;
	int ret = 0;

	*layers = NULL;
	*nr = 0;
	if (mc_type_of(sb->type)->kind != MC_TYPE_LAYERS)
		return 0;
	copy = strdup(sb->options);
	f.layers = calloc(MC_MAX_LAYERS, sizeof(*f.layers));
	if (!copy || !f.layers)
		ret = -1;
	for (rest = copy; !ret && mc_next_option(&rest, &name, &value); )
		ret = add_option(&f, name, value);
	free(copy);
	for (i = 0; i < f.nr; i++)
		kinds[f.layers[i].kind]++;
	if (!ret && !f.strange && kinds[MC_LAYER_UPPER] < 2 &&
	    kinds[MC_LAYER_UPPER] == kinds[MC_LAYER_WORK] && f.nr) {
		*layers = mc_topology_alloc(t, f.nr * sizeof(**layers));
		if (*layers) {
			memcpy(*layers, f.layers, f.nr * sizeof(**layers));
			*nr = f.nr;
		} else {
			ret = -1;
		}
	}
	free(f.layers);
	return ret;
}
