// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * libFuzzer target: any bytes on the socket by which a restore is driven, with and without
 * a descriptor.  Whatever is asked is answered, or the restore is given up with a reason;
 * no descriptor is left.  The stages themselves do nothing.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <dirent.h>
#include <sys/types.h>

#include "../cmd/stages.h"
#include "base/base.h"
#include "plan/plan.h"

#define mntcr_stages_begin		stub_begin
#define mntcr_stages_place		stub_step
#define mntcr_stages_delayed		stub_step
#define mntcr_stages_share		stub_step
#define mntcr_stages_give		stub_give
#define mntcr_stages_end		stub_end
#define mntcr_stages_free		stub_free
#define mntcr_stages_nr_needs		stub_two
#define mntcr_stages_nr_delayed		stub_two
#define mntcr_stages_nr_ns		stub_two
#define mntcr_stages_nr_made		stub_none
#define mntcr_stages_need		stub_need
#define mntcr_stages_delayed_mount	stub_delayed_mount
#define mntcr_stages_ns_fd		stub_ns_fd
#define mntcr_stages_made		stub_made
#define mntcr_restored_nr_ns		stub_restored_nr_ns
#define mntcr_restored_detached_fd	stub_detached_fd

struct mntcr_stages {
	int ns_fd;
};

static struct mntcr_stages stages;

static int stub_begin(const struct mntcr_topology *t, const struct mntcr_restore_options *o,
		      const struct mntcr_stages_options *so, struct mntcr_stages **s,
		      struct mntcr_error *e)
{
	*s = &stages;
	return 0;
}

static int stub_step(struct mntcr_stages *s, struct mntcr_error *e)
{
	return 0;
}

static int stub_give(struct mntcr_stages *s, const struct mntcr_given *what, int fd,
		     struct mntcr_error *e)
{
	if (fd < 0)
		abort();
	if (what->id == 13)
		return mc_fail(e, MNTCR_USAGE, 0, "give: nothing waits for that");
	return 0;
}

static int stub_end(struct mntcr_stages *s, struct mntcr_restored **r, struct mntcr_error *e)
{
	return 0;
}

static void stub_free(struct mntcr_stages *s)
{
}

static size_t stub_two(const struct mntcr_stages *s)
{
	return 2;
}

static size_t stub_none(const struct mntcr_stages *s)
{
	return 0;
}

static void stub_need(const struct mntcr_stages *s, size_t i, struct mntcr_need *need)
{
	*need = (struct mntcr_need){
		.kind = MNTCR_GIVEN_NET, .id = i, .type = "sysfs", .name = "0:/sys",
	};
}

static void stub_delayed_mount(const struct mntcr_stages *s, size_t i,
			       struct mntcr_mount_id *mount)
{
	*mount = (struct mntcr_mount_id){ 0, i };
}

static int stub_ns_fd(const struct mntcr_stages *s, size_t ns)
{
	return s->ns_fd;
}

static void stub_made(const struct mntcr_stages *s, size_t i, struct mntcr_made *made)
{
}

static size_t stub_restored_nr_ns(const struct mntcr_restored *r)
{
	return 0;
}

static int stub_detached_fd(const struct mntcr_restored *r, size_t ns)
{
	return -1;
}

#include "../cmd/stages.c"

/* Options are no part of it. */
int cmd_usage(const char *cmd, const char *fmt, ...)
{
	return MNTCR_USAGE;
}

bool cmd_number(const char *word, size_t max, size_t *number)
{
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The lowest that is free: it is the same where none is left open. */
static int lowest(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		abort();
	return fd;
}

static size_t lines(const uint8_t *data, size_t size)
{
	size_t n = 0;

	while (size--)
		n += data[size] == '\n';
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mntcr_restored *r = NULL;
	struct mntcr_error e = { 0 };
	struct cmd_stages s = { 0 };
	sigset_t none;
	int ends[2], before = lowest(), after;
	char *text;

	/* it fits into the socket, and so do the answers, which nobody reads */
	if (!size || size > 16384 || lines(data, size) > 32)
		goto out;
	text = strndup((const char *)data, size);
	if (!text || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		abort();
	if (data[0] & 1)
		send_line(ends[1], "give net:1\n", before);
	send_line(ends[1], text, data[0] & 2 ? before : -1);
	shutdown(ends[1], SHUT_WR);
	sigemptyset(&none);
	s.fd = ends[0];
	stages.ns_fd = before;
	if (cmd_stages_drive(&s, NULL, NULL, &none, &r, &e) && !*e.text)
		abort();
	cmd_stages_over(&s, *e.text ? e.text : NULL);
	cmd_stages_free(&s);
	close(ends[0]);
	close(ends[1]);
	free(text);
out:
	after = lowest();
	if (after != before + 1)
		abort();
	close(after);
	close(before);
	return 0;
}
