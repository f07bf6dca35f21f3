/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tests of the model, run on the model and on its mutants.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef TESTS_H
#define TESTS_H

#include "topologies/build.h"
#include "topologies/tree.h"

/* Each returns NULL, or what is wrong. */
typedef const char *test_fn(void);

struct named_test {
	const char *name;
	test_fn *fn;
};

extern const struct named_test doc_tests[];	/* end: NULL */
extern const struct named_test places_tests[];
extern const struct named_test foreign_tests[];
extern const struct named_test count_tests[];
extern const struct named_test tree_tests[];
extern const struct named_test shard_tests[];
extern const char *test_propsweep;	/* the program */

/* All the consistency checks on one topology. */
const char *check_topology(const struct topo *t, const struct layout *l,
			   bool join);
/* Every layout of a topology of so many mounts, until one is bad. */
#define LAYOUT_MAX	4

typedef const char *layout_fn(void *data, const struct topo *t,
			      const struct layout *l);
const char *each_layout(const struct topo *t, layout_fn *fn, void *data);

/*
 * On a whole space, with two layouts of each topology or with all; on a class
 * of trees.  @done: how many topologies; @line: the one that failed.
 */
const char *check_space(int n, int nr_ns, bool roots, bool all_layouts,
			uint64_t *done, uint64_t *layouts, char *line,
			size_t size);
const char *check_trees(int class, int n, int nr_ns, uint64_t *done,
			char *line, size_t size);
/* Trees of a class, the uniform ones as well. */
long long trees_by_species(const struct tree_class *class, int n, int nr_ns);

/* "file: line: condition" on failure, from within a test. */
#define STR1(x)		#x
#define STR(x)		STR1(x)
#define EXPECT(cond)						\
	do {							\
		if (!(cond)) {					\
			bad = __FILE__ ":" STR(__LINE__) ": " #cond; \
			goto out;				\
		}						\
	} while (0)

#endif
