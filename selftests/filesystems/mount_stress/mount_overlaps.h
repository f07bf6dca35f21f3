/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which calls of several processes were under way at one time: two that race have met
 * only if they were.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef __SELFTEST_MOUNT_OVERLAPS_H
#define __SELFTEST_MOUNT_OVERLAPS_H

#include <stdlib.h>
#include <sys/mman.h>

#define MAX_SIDES	16

struct side {
	const char *name;
	unsigned int inside;		/* whether a call is under way */
	unsigned int nr_calls;
	unsigned int met[MAX_SIDES];	/* under way there as one began here */
};

/* What all of them see; NULL: nothing is counted. */
static struct side *sides;
/* The one that this process is, if any. */
static int own_side = -1;

/* Memory that the test and its children see, all zero, or NULL. */
static inline void *shared_memory(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		       -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static inline void call_begins(void)
{
	struct side *own = &sides[own_side];

	/* two that begin at once don't count: less is said than there was, not more */
	for (int i = 0; i < MAX_SIDES; i++)
		own->met[i] += __atomic_load_n(&sides[i].inside, __ATOMIC_SEQ_CST);
	own->nr_calls++;
	__atomic_store_n(&own->inside, 1, __ATOMIC_SEQ_CST);
}

static inline void call_ends(void)
{
	__atomic_store_n(&sides[own_side].inside, 0, __ATOMIC_SEQ_CST);
}

/* The value of a call, which is counted if this process is one of the sides. */
#define MEET(call) ({							\
	const bool __counted = sides && own_side >= 0;			\
									\
	if (__counted)							\
		call_begins();						\
									\
	typeof(call) __value = (call);					\
									\
	if (__counted)							\
		call_ends();						\
	__value;							\
})

static inline void say_overlaps(struct __test_metadata *_metadata)
{
	for (int i = 0; i < MAX_SIDES; i++) {
		char *text = NULL;
		size_t size;
		FILE *f;

		if (!sides[i].name)
			continue;
		f = open_memstream(&text, &size);
		if (!f)
			continue;
		fprintf(f, "%s: %u calls", sides[i].name, sides[i].nr_calls);
		for (int j = i + 1; j < MAX_SIDES; j++)
			if (sides[j].name)
				fprintf(f, "; met %s %u", sides[j].name,
					sides[i].met[j] + sides[j].met[i]);
		if (!fclose(f))
			TH_LOG("%s", text);
		free(text);
	}
}

#endif /* __SELFTEST_MOUNT_OVERLAPS_H */
