// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Options as kernels print them, taken apart.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include "base/base.h"
#include "topology/topology.h"
#include "tap.h"

/* "[name]" or "[name=value]" for each. */
static const struct {
	const char *options, *parts;
} table[] = {
	{ "", "" },
	{ "rw", "[rw]" },
	{ "rw,size=1024k,inode64", "[rw][size=1024k][inode64]" },
	{ ",rw,,ro,", "[rw][ro]" },
	{ "a=,b", "[a=][b]" },
	{ "a=b=c", "[a=b=c]" },
	/* a list of nodes, and where it ends */
	{ "mpol=bind:0,2", "[mpol=bind:0,2]" },
	{ "mpol=interleave:0-1,3,5-7,uid=3", "[mpol=interleave:0-1,3,5-7][uid=3]" },
	{ "mpol=local,huge=never", "[mpol=local][huge=never]" },
	{ "size=4k,9p", "[size=4k][9p]" },
	/* a security module's */
	{ "rw,context=\"u:r:t:s0:c1,c2\",mode=700", "[rw][context=u:r:t:s0:c1,c2][mode=700]" },
	{ "context=\"a,1\"", "[context=a,1]" },
	{ "context=\"a\\042b\",c", "[context=a\"b][c]" },
	{ "context=\"\",c", "[context=][c]" },
	{ "context=u:r:t:s0,seclabel", "[context=u:r:t:s0][seclabel]" },
	/* no quotes of that kind */
	{ "a=\"b,c", "[a=\"b][c]" },
	{ "a=\"b\"c,d", "[a=\"b\"c][d]" },
	{ "a=b\"c,d\"", "[a=b\"c][d\"]" },
	/* escapes */
	{ "lowerdir=/a\\054b\\040c\\134,x", "[lowerdir=/a,b c\\][x]" },
	{ "a\\075b=c", "[a=b=c]" },
	{ "a=\\54,b=\\,c=\\400,d=\\08x", "[a=\\54][b=\\][c=\\400][d=\\08x]" },
	{ "a=b\\000c", "[a=bc]" },
	{ "a=\\377", "[a=\377]" },
};

static void as_printed(void)
{
	struct mc_buf b = { 0 };
	char *copy, *rest, *name, *value;
	size_t i;

	for (i = 0; i < MC_ARRAY_SIZE(table); i++) {
		copy = rest = strdup(table[i].options);
		REQUIRE(copy);
		mc_buf_puts(&b, "");
		while (mc_next_option(&rest, &name, &value))
			mc_buf_printf(&b, "[%s%s%s]", name, value ? "=" : "",
				      value ? value : "");
		CHECK_STR(b.data, table[i].parts);
		mc_buf_reset(&b);
		free(copy);
	}
	mc_buf_free(&b);
}

/* Of some the inode number may not be known. */
static void namespaces_by_name(void)
{
	struct mc_topology *t = mc_topology_new();
	uint32_t i, ns;

	REQUIRE(t);
	for (i = 0; i < 3; i++) {
		REQUIRE(mc_topology_add_ns(t) == i);
		t->ns[i].label = i ? "4711" : "mnt:[0]";
		t->ns[i].ino = i == 2 ? 7 : 0;
	}
	CHECK_EQ(mc_ns_named(t, "mnt:[0]", &ns), 1);
	CHECK_EQ(ns, 0);
	CHECK_EQ(mc_ns_named(t, "mnt:[7]", &ns), 1);
	CHECK_EQ(ns, 2);
	CHECK_EQ(mc_ns_named(t, "4711", &ns), 2);
	CHECK_EQ(mc_ns_named(t, "0", &ns), 1);
	CHECK_EQ(ns, 0);
	CHECK_EQ(mc_ns_named(t, "8", &ns), 0);
	mntcr_topology_free(t);
}

int main(void)
{
	TAP_RUN(namespaces_by_name);
	TAP_RUN(as_printed);
	return tap_done();
}
