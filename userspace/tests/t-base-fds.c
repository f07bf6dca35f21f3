// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The table of descriptors is made as large as it is going to be, with no descriptor
 * more in it.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <fcntl.h>
#include <unistd.h>

#include "base/base.h"
#include "tap.h"

/* Room in the table, as /proc tells. */
static unsigned int room(void)
{
	FILE *f = fopen("/proc/self/status", "re");
	unsigned int n = 0;
	char line[256];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "FDSize: %u", &n) == 1)
			break;
	if (f)
		fclose(f);
	return n;
}

static void grows_at_once(void)
{
	struct mc_fd_limit limit = {};
	uint32_t open_before = mc_fd_count();
	unsigned int before = room(), may;

	CHECK(before && before < 1024);
	may = mc_fd_limit_raise(&limit, 1024);
	CHECK_EQ(may, 1024);
	mc_fd_table_grow(STDERR_FILENO, 0);
	CHECK_EQ(room(), before);
	mc_fd_table_grow(STDERR_FILENO, 1024);
	CHECK(room() >= 1024);
	CHECK_EQ(mc_fd_count(), open_before);
	CHECK_EQ(fcntl(1023, F_GETFD), -1);
	mc_fd_limit_back(&limit);
}

/* More than may be open: as it was. */
static void beyond_the_limit(void)
{
	uint32_t open_before = mc_fd_count();
	unsigned int before = room();

	mc_fd_table_grow(STDERR_FILENO, UINT32_MAX);
	CHECK_EQ(room(), before);
	CHECK_EQ(mc_fd_count(), open_before);
}

int main(void)
{
	TAP_RUN(grows_at_once);
	TAP_RUN(beyond_the_limit);
	return tap_done();
}
