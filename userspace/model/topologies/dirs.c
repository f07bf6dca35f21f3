// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The directories that all superblocks have.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "topologies/dirs.h"

int dir_parents[NR_DIRS];

bool dir_under(int dir, int top)
{
	while (dir && dir != top)
		dir = dir_parents[dir];
	return dir == top;
}

int dir_event(int root, int i)
{
	return TOPO_ROOTS + root * DIRS_PER_ROOT + i;
}

int dir_hang(int root, int i)
{
	return dir_event(root, TOPO_MAX + i);
}

int dir_extra(int root, int i)
{
	return dir_event(root, 2 * TOPO_MAX + i);
}

const char *dir_path(int dir, int root, char *buf)
{
	char *p = buf + DIR_PATH - 1;

	*p = 0;
	for (int d = dir; d != root; d = dir_parents[d]) {
		char name[DIR_PATH];
		int i = (d - TOPO_ROOTS) % DIRS_PER_ROOT, n;

		if (d < TOPO_ROOTS)
			n = snprintf(name, sizeof(name), "%c", "ba"[d & 1]);
		else if (i < TOPO_MAX)
			n = snprintf(name, sizeof(name), "e%d", i);
		else if (i < 2 * TOPO_MAX)
			n = snprintf(name, sizeof(name), "h%d", i - TOPO_MAX);
		else
			n = snprintf(name, sizeof(name), "x%d", i - 2 * TOPO_MAX);
		if (*p)
			*--p = '/';
		p = memcpy(p - n, name, n);
	}
	return p;
}

static int step(int from, const char *name, int len)
{
	int i = len > 1 ? atoi(name + 1) : -1;

	if (from >= TOPO_ROOTS)
		return -1;
	if (len == 1 && from < 3 && (*name == 'a' || *name == 'b'))
		return 2 * from + 1 + (*name == 'b');
	if (i < 0 || i >= TOPO_MAX)
		return -1;
	if (*name == 'e')
		return dir_event(from, i);
	if (*name == 'h')
		return dir_hang(from, i);
	return *name == 'x' && i < 2 ? dir_extra(from, i) : -1;
}

int dir_walk(int from, const char *path)
{
	while (*path && from >= 0) {
		int n = strcspn(path, "/");

		if (n)
			from = step(from, path, n);
		path += n + (path[n] == '/');
	}
	return from;
}

void dirs_init(void)
{
	for (int d = 0; d < TOPO_ROOTS; d++) {
		dir_parents[d] = d ? (d - 1) / 2 : 0;
		for (int i = 0; i < DIRS_PER_ROOT; i++)
			dir_parents[dir_event(d, i)] = d;
	}
}
