// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Options of superblocks, as far as they say something of the superblock alone.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <string.h>

#include "verify/pairs.h"

static bool word_is(const char *word, size_t len, const char *key)
{
	size_t n = strlen(key);

	return len >= n && !memcmp(word, key, n);
}

static bool word_is_one(const char *word, size_t len, const char *const *keys)
{
	while (keys && *keys)
		if (word_is(word, len, *keys++))
			return true;
	return false;
}

/* The next word of a list that names no width of inode numbers, and is none of these. */
static const char *next_word(const char **rest, size_t *len, bool *named,
			     const char *const *without)
{
	for (;;) {
		const char *word = *rest;

		if (!*word)
			return NULL;
		*len = strcspn(word, ",");
		*rest = word + *len + !!word[*len];
		if (word_is_one(word, *len, without))
			continue;
		if (*len != 7 ||
		    (memcmp(word, "inode32", 7) && memcmp(word, "inode64", 7)))
			return word;
		*named = true;
	}
}

/*
 * A tmpfs names the width of its inode numbers if the kernel was built to have
 * them wide (CONFIG_TMPFS_INODE64), and not what that is otherwise: between two
 * kernels, or an image without it and a mount, only two that name it differ.
 * A devtmpfs is the machine's, and so is its size. Of an autofs, the group that is
 * let pass is shown as the reader numbers processes, and the pipe is a process's.
 */
bool mc_verify_same_options(const struct mc_topology *a, uint32_t x,
			    const struct mc_topology *b, uint32_t y)
{
	const char *p = mc_mount_options(a, &a->mounts[x]);
	const char *q = mc_mount_options(b, &b->mounts[y]);
	const struct mc_sb *s = &a->sbs[a->mounts[x].sb];
	const struct mc_sb *u = &b->sbs[b->mounts[y].sb];
	/* options name only what is not this machine's default */
	static const char *const sizes[] = { "size=", "nr_inodes=", NULL };
	static const char *const automounter[] = { "pgrp=", "pipe_ino=", NULL };
	const char *const *without = NULL;
	const char *type = s->type ? s->type : "";
	bool in_p = false, in_q = false;
	const char *m, *n;
	size_t k, l;

	if (mc_verify_same_text(p, q))
		return true;
	if (!strcmp(type, "autofs"))
		without = automounter;
	else if (!strcmp(type, "devtmpfs"))
		without = sizes;
	else if (strcmp(type, "tmpfs"))
		return false;
	else if (s->sized && u->sized && s->size == u->size && s->inodes == u->inodes)
		without = sizes;
	p = p ? p : "";
	q = q ? q : "";
	do {
		m = next_word(&p, &k, &in_p, without);
		n = next_word(&q, &l, &in_q, without);
		if (!m != !n || (m && (k != l || memcmp(m, n, k))))
			return false;
	} while (m);
	return !in_p || !in_q;
}
