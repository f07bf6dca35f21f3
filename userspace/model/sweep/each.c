// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Which topologies a sweep goes through, and which of them are this shard's.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sweep/each.h"

int each_init(struct each *e, int argc, char **argv)
{
	const char *shard, *seed;

	for (int i = 1; i < argc; i++)
		if (!strncmp(argv[i], "SHARD=", 6) ||
		    !strncmp(argv[i], "SEED=", 5))
			putenv(argv[i]);
	shard = getenv("SHARD");
	seed = getenv("SEED");
	*e = (struct each) { .shards = 1, .seed = time(NULL) };
	if (shard && (sscanf(shard, "%" SCNu64 "/%" SCNu64, &e->shard,
			     &e->shards) != 2 || e->shard >= e->shards)) {
		fprintf(stderr, "SHARD=%s: not i/n with i < n\n", shard);
		return -1;
	}
	if (seed)
		e->seed = strtoull(seed, NULL, 0);
	else if (e->shards > 1)
		e->seed = 1;
	return 0;
}

int64_t each_structure(const struct each *e, int n, int nr_ns, bool roots,
		       each_fn *fn, void *data)
{
	struct topo_space *s = malloc(sizeof(*s));
	uint64_t number = 0;
	struct topo t;
	int err;

	err = s ? topo_space_init(s, n, nr_ns, roots) : -ENOMEM;
	for (uint64_t rank = 0; !err && rank < topo_total(s, n); rank++) {
		uint64_t seed = rank;

		topo_unrank(s, n, rank, &t);
		if (topo_first(s, &t, rank) &&
		    number++ % e->shards == e->shard)
			fn(data, &t, topo_next_random(&seed));
	}
	free(s);
	return err ? err : (int64_t)number;
}

static int count_trees(struct tree_walk *w, int class, int base, int nr_ns,
		       fits_fn *fits, void *data, struct tree_counts *n)
{
	int err = tree_start(w, &tree_classes[class], base, nr_ns);
	struct layout l;
	struct topo t;

	if (err)
		return err;
	for (n->all = n->fit = 0; tree_next(w, &t, &l); n->all++)
		n->fit += fits(data, &t, &l);
	n->uniform = w->all - n->all;
	tree_end(w);
	return 0;
}

int each_fitting_tree(const struct each *e, int class, int base, int nr_ns,
		      uint64_t one_in, fits_fn *fits, tree_fn *fn, void *data,
		      struct tree_counts *n)
{
	struct tree_walk *w = malloc(sizeof(*w));
	uint64_t number = 0, fit = 0, chosen = 0;
	struct layout l;
	struct topo t;
	int err;

	err = w ? count_trees(w, class, base, nr_ns, fits, data, n) : -ENOMEM;
	n->one_in = one_in < n->fit ? one_in : n->fit;
	if (!err && n->fit)
		err = tree_start(w, &tree_classes[class], base, nr_ns);
	if (err || !n->fit)
		goto out;
	for (; tree_next(w, &t, &l); number++) {
		uint64_t seed = number;

		if (fits(data, &t, &l) &&
		    fit++ % n->one_in == e->seed % n->one_in &&
		    chosen++ % e->shards == e->shard)
			fn(data, &t, &l, topo_next_random(&seed));
	}
	tree_end(w);
out:
	free(w);
	return err;
}

void each_random(const struct each *e, int nr, each_fn *fn, void *data)
{
	uint64_t seed = e->seed;
	struct topo t, drawn;
	char line[TOPO_LINE];

	for (int i = 0; i < nr; i++) {
		int n = 1 + topo_next_random(&seed) % TOPO_MAX;
		int nr_ns = 1 + topo_next_random(&seed) % TOPO_MAX_NS;
		uint64_t hash;

		topo_random(&drawn, n, nr_ns, topo_next_random(&seed) & 1,
			    &seed);
		hash = topo_next_random(&seed);
		if (i % e->shards != e->shard)
			continue;
		/* numbered as they are printed */
		topo_print(&drawn, line, sizeof(line));
		if (!topo_parse(&t, line))
			fn(data, &t, hash);
	}
}

static const char *const known[] = {
	/* a slave wider than its master: copies got a master too high */
	"[m [m [m] [m/a [m]] [m]]]",
	"[m [m s [m/b [m]] [m]]]",
	"[m [m [m m/a m s]]]",
	/* roots that do not contain one another */
	"[m/a m/b]", "[m/a m/b m]", "[m/a s/b s]", "[m/a [m/b m] [m/b/a]]",
	"[m/a/a m/b/b [m/a m/b s] [m m/a/a]]",
	/* places in the ring and in the master's list of slaves */
	"[m m m m [m m m] [m m] s s]", "[m m [m m [m m] s] s [m m [m m] s]]",
	"[m m@1 m@2 [m m@1 m@2 [m m@1] s@2] s@1 [m@1 m@2]]",
};

#define NR_KNOWN	((int)(sizeof(known) / sizeof(*known)))

int each_known(const struct each *e, each_fn *fn, void *data)
{
	struct topo t;

	for (int k = 0; k < 12 * NR_KNOWN; k++) {
		uint64_t seed = k;

		if (k % e->shards == e->shard &&
		    !topo_parse(&t, known[k % NR_KNOWN]))
			fn(data, &t, topo_next_random(&seed));
	}
	return 12 * NR_KNOWN;
}

void each_print(const struct topo *t, const struct layout *l, char *line,
		size_t size)
{
	topo_print(t, line, size);
	layout_print(t, l, line + strlen(line), size - strlen(line));
}

int each_parse(const char *text, struct topo *t, struct layout *l)
{
	const char *colon = strchr(text, ':');
	char line[2 * TOPO_LINE];

	snprintf(line, sizeof(line), "%.*s", colon ? (int)(colon - text) :
		 (int)strlen(text), text);
	if (topo_parse(t, line))
		return -1;
	return layout_parse(t, l, colon ? colon + 1 : "");
}
