// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What flags are called in images and in output: mount(8)'s words.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <sys/stat.h>

#include "base/base.h"
#include "topology/topology.h"

#define FLAG(name, bit)	{ name, bit, bit }

const struct mc_word mc_words_attr[] = {
	FLAG("ro", MOUNT_ATTR_RDONLY),
	FLAG("nosuid", MOUNT_ATTR_NOSUID),
	FLAG("nodev", MOUNT_ATTR_NODEV),
	FLAG("noexec", MOUNT_ATTR_NOEXEC),
	/* relatime is the default, hence no word */
	{ "noatime", MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME },
	{ "strictatime", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME },
	FLAG("nodiratime", MOUNT_ATTR_NODIRATIME),
	FLAG("nosymfollow", MOUNT_ATTR_NOSYMFOLLOW),
	FLAG("idmapped", MOUNT_ATTR_IDMAP),
	{ NULL, 0, 0 }
};

const struct mc_word mc_words_lock[] = {
	FLAG("mount", MOUNT_LOCK_MOUNT),
	FLAG("ro", MOUNT_LOCK_RDONLY),
	FLAG("nodev", MOUNT_LOCK_NODEV),
	FLAG("nosuid", MOUNT_LOCK_NOSUID),
	FLAG("noexec", MOUNT_LOCK_NOEXEC),
	FLAG("atime", MOUNT_LOCK_ATIME),
	{ NULL, 0, 0 }
};

const struct mc_word mc_words_sb[] = {
	FLAG("ro", MS_RDONLY),
	FLAG("sync", MS_SYNCHRONOUS),
	FLAG("dirsync", MS_DIRSYNC),
	FLAG("lazytime", MS_LAZYTIME),
	{ NULL, 0, 0 }
};

const struct mc_word mc_words_propagation[] = {
	FLAG("shared", MS_SHARED),
	FLAG("slave", MS_SLAVE),
	FLAG("private", MS_PRIVATE),
	FLAG("unbindable", MS_UNBINDABLE),
	{ NULL, 0, 0 }
};

const struct mc_word mc_words_nstype[] = {
	FLAG("mnt", CLONE_NEWNS),
	FLAG("net", CLONE_NEWNET),
	FLAG("pid", CLONE_NEWPID),
	FLAG("user", CLONE_NEWUSER),
	FLAG("uts", CLONE_NEWUTS),
	FLAG("ipc", CLONE_NEWIPC),
	FLAG("cgroup", CLONE_NEWCGROUP),
	FLAG("time", 0x80 /* CLONE_NEWTIME, missing in older headers */),
	{ NULL, 0, 0 }
};

const char *mc_nstype_name(uint32_t type)
{
	const struct mc_word *w = mc_words_nstype;

	while (w->name && w->bits != type)
		w++;
	return w->name;
}

#define TYPE(name, type)	{ name, type, S_IFMT }

const struct mc_word mc_words_file[] = {
	TYPE("directory", S_IFDIR),
	TYPE("file", S_IFREG),
	TYPE("symlink", S_IFLNK),
	TYPE("socket", S_IFSOCK),
	TYPE("fifo", S_IFIFO),
	TYPE("char-device", S_IFCHR),
	TYPE("block-device", S_IFBLK),
	{ NULL, 0, 0 }
};

const char *const mc_whose_names[MC_NR_WHOSE] = {
	[MC_WHOSE_UNKNOWN] = "",
	[MC_WHOSE_CONTAINER] = "container",
	[MC_WHOSE_HOST] = "host",
	[MC_WHOSE_NAMESPACE] = "namespace",
	[MC_WHOSE_ALL] = "all",
	[MC_WHOSE_FILES] = "files",
};
