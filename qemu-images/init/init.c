// SPDX-License-Identifier: GPL-2.0
/*
 * PID 1 of the test VM: set up, run the listed tests in order, report each
 * as one KTAP test on the second serial port, end with a verdict byte.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "init.h"

#define KTAP_TTY	"/dev/ttyS1"
#define SHELL_TTY	"/dev/ttyS0"

/* Is WORD on the kernel's command line? */
static int told(const char *word)
{
	char buf[4096];
	ssize_t n;
	int fd;

	fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	if (n < 0)
		return 0;
	buf[n] = '\0';
	return strstr(buf, word) != NULL;
}

static enum verdict run_all(const struct test *t, unsigned int nr)
{
	unsigned int count[OUTCOME_TIMEOUT + 1] = { 0 };
	int until_failure = told("vm.until-failure");
	unsigned int i = 0;

	out_printf("KTAP version 1\n1..%u\n", nr);
	for (; t; t = t->next) {
		char why[64] = "";
		enum outcome o;

		i++;
		if (until_failure && count[OUTCOME_FAIL] + count[OUTCOME_TIMEOUT]) {
			out_printf("ok %u %s # SKIP another one failed\n", i, t->name);
			klog("vm: test %s ends, not begun", t->name);
			continue;
		}
		klog("vm: test %s starts", t->name);
		o = run_test(t, why, sizeof(why));
		count[o]++;
		switch (o) {
		case OUTCOME_OK:
			out_printf("ok %u %s\n", i, t->name);
			break;
		case OUTCOME_SKIP:
			out_printf("ok %u %s # SKIP\n", i, t->name);
			break;
		default:
			out_printf("# %s: %s\nnot ok %u %s\n", t->name, why,
				   i, t->name);
			break;
		}
		klog("vm: test %s ends %s", t->name, why);
	}
	debug_ask();
	klog("vm: end of the run");
	if (count[OUTCOME_TIMEOUT])
		return VERDICT_TIMEOUT;
	if (count[OUTCOME_FAIL])
		return VERDICT_FAIL;
	if (count[OUTCOME_SKIP] == nr)
		return VERDICT_SKIP;
	return VERDICT_PASS;
}

int main(void)
{
	struct test *tests;
	unsigned int nr;

	if (new_root()) {
		klog("vm: no new root: %s", strerror(errno));
		verdict_exit(VERDICT_BROKEN);
	}
	if (modules_load() || setup_mounts())
		verdict_exit(VERDICT_BROKEN);
	if (setup_limits())
		verdict_exit(VERDICT_BROKEN);
	setup_processors();
	if (told("vm.shell"))
		shell(SHELL_TTY);
	if (out_open(KTAP_TTY)) {
		klog("vm: %s: %s", KTAP_TTY, strerror(errno));
		verdict_exit(VERDICT_BROKEN);
	}
	if (list_read(TEST_LIST, &tests, &nr)) {
		klog("vm: %s: %s", TEST_LIST, strerror(errno));
		verdict_exit(VERDICT_BROKEN);
	}
	verdict_exit(run_all(tests, nr));
}
