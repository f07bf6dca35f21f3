/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sharing topologies: counted, numbered, written as one line.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 *
 * A topology says of each mount whether it is private, unbindable, in a peer
 * group or only a slave, and of each peer group which one is its master.  A
 * mount also has a colour: the namespace it is in and the directory that is
 * its root.  Written as one line:
 *
 *	p u [m m@1 s/a [m/b/a]] [m]
 *
 * "p" private, "u" unbindable; brackets hold a peer group: its members "m",
 * then what has the group as master: slaves "s" and peer groups.  "/a" is the
 * root (none: the root of the superblock), "@1" the namespace (none: 0).
 */
#ifndef TOPO_H
#define TOPO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TOPO_MAX	24	/* mounts */
#define TOPO_MAX_NS	6
#define TOPO_ROOTS	7	/* the binary tree of directories: heap order */
#define TOPO_LINE	(TOPO_MAX * 16)

enum topo_kind { TOPO_PRIVATE, TOPO_UNBINDABLE, TOPO_MEMBER, TOPO_SLAVE };

struct topo_mount {
	enum topo_kind kind;
	int group;	/* of a member: its group; of a slave: its master */
	int ns;
	int root;
};

struct topo {
	int nr;
	int nr_groups;
	struct topo_mount m[TOPO_MAX];
	int master[TOPO_MAX];	/* of each group: its master, or -1 */
};

/*
 * All topologies of up to @max mounts with so many colours.  Topologies that
 * differ by the numbering of mounts and groups are one; numbers go from 0 to
 * total[n] - 1.
 */
#define TOPO_SIZES	9

struct topo_space {
	int max, nr_ns, nr_roots, colours;
	/* sizes: group components; what hangs below a group; at the top */
	uint64_t group[TOPO_SIZES], low[TOPO_SIZES], top[TOPO_SIZES];
	/* multisets of components no larger than [j], of total size [t] */
	uint64_t lows[TOPO_SIZES][TOPO_SIZES], tops[TOPO_SIZES][TOPO_SIZES];
	/* permutations of colours that make no difference */
	int nr_perms;
	unsigned char perm[8 * 24][4 * TOPO_ROOTS];
};

int topo_space_init(struct topo_space *s, int max, int nr_ns, bool roots);
uint64_t topo_total(const struct topo_space *s, int n);
void topo_unrank(const struct topo_space *s, int n, uint64_t rank,
		 struct topo *t);
uint64_t topo_rank(const struct topo_space *s, const struct topo *t);
/* Is it the first among those that a permutation of colours makes of it? */
bool topo_first(const struct topo_space *s, const struct topo *t,
		uint64_t rank);
void topo_canonical(const struct topo_space *s, struct topo *t);

/* The directory of the tree that "/a/b" or the like begins with. */
int topo_parse_dir(const char **text);
extern const char *const topo_dir_name[TOPO_ROOTS];
/* The mounts and the groups in the order in which they are printed. */
void topo_order(const struct topo *t, int *mounts, int *groups);
/* Does what is mounted on @s appear on @r as well? */
bool topo_hears(const struct topo *t, int r, int s);
int topo_nr_ns(const struct topo *t);

/* As one line; parsing gives the offset of the first error plus 1, or 0. */
void topo_print(const struct topo *t, char *line, size_t size);
int topo_parse(struct topo *t, const char *line);

/* Any topology, not evenly distributed.  @seed is advanced. */
void topo_random(struct topo *t, int nr, int nr_ns, bool roots,
		 uint64_t *seed);
uint64_t topo_next_random(uint64_t *seed);

#endif
