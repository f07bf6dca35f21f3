// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Privilege, further than make check goes: without arguments all that
 * make check-all does, as TAP.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/priv.h"

static int tests, failed;

static void report(const char *what, const char *bad, const char *where)
{
	if (bad)
		printf("# %s\n# %s\n", bad, where);
	printf("%sok %d %s\n", bad ? "not " : "", ++tests, what);
	fflush(stdout);
	failed |= bad != NULL;
}

static int usage(void)
{
	fprintf(stderr, "usage: model-priv [[-abnu] [-c CAPS] [-d DEPTH] [-r ROOTS] MOUNTS CHILDREN]\n"
		"-a a mount for each owner, -b binds, -n mounts on mounts, -u unbindable,\n"
		"-c owners with power over (6), -d (u)mounts tried (2), -r roots (3)\n");
	return 2;
}

int main(int argc, char **argv)
{
	struct priv_space p = { .scope = { .caps = 6, .roots = 3 }, .depth = 2 };
	struct priv_counts counts = { 0 };
	char line[2 * PRIV_LINE] = "";
	int opt, bad;

	if (argc == 1) {
		printf("1..%d\n", priv_further(NULL));
		priv_further(report);
		return failed;
	}
	while ((opt = getopt(argc, argv, "abnuc:d:r:")) >= 0)
		switch (opt) {
		case 'a':
			p.scope.all_owners = true;
			break;
		case 'b':
			p.binds = true;
			break;
		case 'n':
			p.scope.nested = true;
			break;
		case 'u':
			p.scope.unbindable = true;
			break;
		case 'c':
			p.scope.caps = atoi(optarg);
			break;
		case 'd':
			p.depth = atoi(optarg);
			break;
		case 'r':
			p.scope.roots = atoi(optarg);
			break;
		default:
			return usage();
		}
	if (argc != optind + 2)
		return usage();
	p.scope.mains = atoi(argv[optind]);
	p.scope.leaves = atoi(argv[optind + 1]);
	if (p.scope.mains < 1 || p.scope.leaves < 0 ||
	    p.scope.mains + p.scope.leaves > PRIV_MAX || p.scope.caps < 1 ||
	    p.scope.caps > 7 || p.scope.roots < 1 || p.scope.roots > PRIV_ROOTS)
		return usage();
	bad = priv_space(&p, ~0u, &counts, line, sizeof(line));
	priv_print_counts(&counts);
	if (bad >= 0)
		printf("%s\n%s\n", bad_names[bad], line);
	return bad >= 0;
}
