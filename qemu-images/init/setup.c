// SPDX-License-Identifier: GPL-2.0
/*
 * The mounts and limits that any program in the VM may expect.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init.h"

static const struct {
	const char *type;
	const char *target;
	unsigned long flags;
	const char *options;
} mounts[] = {
	{ "devtmpfs", "/dev", MS_NOSUID, "mode=0755" },
	{ "proc", "/proc", MS_NOSUID | MS_NOEXEC | MS_NODEV, NULL },
	{ "sysfs", "/sys", MS_NOSUID | MS_NOEXEC | MS_NODEV, NULL },
	{ "cgroup2", "/sys/fs/cgroup", MS_NOSUID | MS_NOEXEC | MS_NODEV, NULL },
	{ "devpts", "/dev/pts", MS_NOSUID | MS_NOEXEC,
	  "gid=5,mode=620,ptmxmode=666" },
	{ "mqueue", "/dev/mqueue", MS_NOSUID | MS_NOEXEC | MS_NODEV, NULL },
	{ "tmpfs", "/dev/shm", MS_NOSUID | MS_NODEV, "mode=1777" },
	{ "tmpfs", "/run", MS_NOSUID | MS_NODEV, "mode=0755" },
	{ "tmpfs", "/tmp", MS_NOSUID | MS_NODEV, "mode=1777" },
};

static const struct {
	const char *target;
	const char *path;
} links[] = {
	{ "/proc/self/fd", "/dev/fd" },
	{ "/proc/self/fd/0", "/dev/stdin" },
	{ "/proc/self/fd/1", "/dev/stdout" },
	{ "/proc/self/fd/2", "/dev/stderr" },
	{ "/proc/self/mounts", "/etc/mtab" },
};

int setup_mounts(void)
{
	size_t i;

	for (i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
		if (mkdir(mounts[i].target, 0755) && errno != EEXIST)
			goto err;
		if (mount(mounts[i].type, mounts[i].target, mounts[i].type,
			  mounts[i].flags, mounts[i].options)) {
			/* the kernel may have mounted /dev itself */
			if (errno != EBUSY)
				goto err;
		}
	}
	for (i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		if (symlink(links[i].target, links[i].path) && errno != EEXIST)
			klog("vm: %s: %s", links[i].path, strerror(errno));
	}
	return 0;
err:
	klog("vm: mount %s: %s", mounts[i].target, strerror(errno));
	return -1;
}

/* For whoever asked for so many: a race on fewer is none. */
void setup_processors(void)
{
	klog("vm: %ld processors online", sysconf(_SC_NPROCESSORS_ONLN));
}

/* Tests raise the soft limit as they need; the hard one must not stop them. */
int setup_limits(void)
{
	static const struct rlimit nofile = { 1024, 1048576 };

	if (setrlimit(RLIMIT_NOFILE, &nofile)) {
		klog("vm: RLIMIT_NOFILE: %s", strerror(errno));
		return -1;
	}
	umask(022);
	return 0;
}
