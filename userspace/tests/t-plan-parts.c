// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The plan of a restore in stages: what waits is in parts, each with all its operations,
 * and attached when it is complete.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include "plan/plan.h"
#include "late-owner.h"
#include "staged.h"

static struct mc_plan *p;

/* Given a user namespace by its inode, if that is not 0. */
static void becomes(struct mntcr_topology *t, uint64_t user, const char *want)
{
	const struct mntcr_given give = { MNTCR_GIVEN_USER, user };
	const struct mc_plan_options o = {
		.api = MNTCR_API_EXTENDED, .staged = true, .give = &give, .nr_give = !!user,
	};
	struct mntcr_error e = { 0 };
	char *s = NULL;
	size_t n;
	FILE *f = open_memstream(&s, &n);

	p = NULL;
	if (mc_plan_make(t, &o, &p, &e))
		TAP_SAY("%s", e.text);
	REQUIRE(f && p && !mc_plan_print(p, false, f, &e) && !fclose(f));
	if (strcmp(s, want)) {
		TAP_SAY("the plan is\n%sand not\n%s", s, want);
		tap.bad = 1;
	}
	free(s);
}

/* Each ends with what puts it in its place. */
static void attached_last(void)
{
	uint32_t i;

	for (i = 0; i < p->nr_parts; i++) {
		const struct mc_part *x = &p->parts[i];
		const struct mc_op *last = &p->ops[x->first_op + x->nr_ops - 1];

		REQUIRE(x->nr_ops && last->type == MC_OP_ATTACH);
		CHECK_EQ(last->obj, MC_REF(MC_REF_MOUNT, x->top));
	}
}

static void three_that_are_nested(void)
{
	struct mntcr_topology *t = nested();

	becomes(t, 0,
		"namespace ns0 ()\n"
		"fresh     src0 = new tmpfs for 0:200 with d/ d/p/\n"
		"clone     mnt0:100 from src0\n"
		"place     for mnt0:102 on mnt0:100 at /d/p\n"
		"clone     mnt0:106 from src0\n"
		"attach    mnt0:106 on mnt0:100 at /d\n"
		"attach    mnt0:100 on ns0 at /\n"
		"fresh     src1 = new proc for 0:201\n"
		"fresh     src2 = new proc for 0:202\n"
		"fresh     src3 = new proc for 0:203\n"
		"clone     mnt0:102 from src1\n"
		"place     for mnt0:103 on mnt0:102 at /sys\n"
		"attach    mnt0:102 on mnt0:100 at /d/p, where there is a place for it\n"
		"clone     mnt0:103 from src2\n"
		"place     for mnt0:104 on mnt0:103 at /fs\n"
		"attach    mnt0:103 on mnt0:102 at /sys, where there is a place for it\n"
		"clone     mnt0:104 from src3\n"
		"clone     mnt0:105 from src0\n"
		"attach    mnt0:105 on mnt0:104 at /driver\n"
		"attach    mnt0:104 on mnt0:103 at /fs, where there is a place for it\n");
	CHECK_EQ(p->nr_parts, 3);
	attached_last();
	mc_plan_free(p);
	mntcr_topology_free(t);
}

/* A namespace of one that is given has no place before that. */
static void all_of_a_namespace(void)
{
	struct mntcr_topology *t = owned();

	becomes(t, 6000,
		"namespace ns0 ()\n"
		"fresh     src0 = new tmpfs for 0:200 with f\n"
		"clone     mnt0:100 from src0\n"
		"place     for mnt0:101 on mnt0:100 at /f\n"
		"attach    mnt0:100 on ns0 at /\n"
		"namespace ns1 ()\n"
		"fresh     src1 = new tmpfs for 0:201 in user1 with a/ p/\n"
		"fresh     src2 = new proc for 0:203\n"
		"clone     mnt0:101 from src3 = file of ns1\n"
		"attach    mnt0:101 on mnt0:100 at /f, where there is a place for it\n"
		"clone     mnt1:110 from src1\n"
		"clone     mnt1:111 from src0\n"
		"attach    mnt1:111 on mnt1:110 at /a\n"
		"place     for mnt1:112 on mnt1:110 at /p\n"
		"attach    mnt1:110 on ns1 at /\n"
		"clone     mnt1:112 from src2\n"
		"place     for mnt1:113 on mnt1:112 at /sys\n"
		"attach    mnt1:112 on mnt1:110 at /p, where there is a place for it\n"
		"clone     mnt1:113 from src1\n"
		"attach    mnt1:113 on mnt1:112 at /sys, where there is a place for it\n");
	attached_last();
	mc_plan_free(p);
	mntcr_topology_free(t);
}

int main(void)
{
	TAP_RUN(three_that_are_nested);
	TAP_RUN(all_of_a_namespace);
	return tap_done();
}
