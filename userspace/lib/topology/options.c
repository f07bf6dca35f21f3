// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Options of a superblock as the kernel prints them, taken apart again.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <string.h>
#include <sys/mount.h>

#include "base/base.h"
#include "topology/topology.h"

/* The kernel prints no byte of 0; one that an escape makes is dropped. */
static void unescape(char *s)
{
	size_t n = mc_unescape(s), i, to = 0;

	for (i = 0; i < n; i++)
		if (s[i])
			s[to++] = s[i];
	s[to] = '\0';
}

/*
 * A comma ends a value, except between the quotes that security modules put
 * around theirs, and in a list of nodes.
 */
static char *value_end(const char *name, char **value)
{
	char *p = *value, *close;

	if (*p == '"') {
		close = strchr(p + 1, '"');
		if (close && (!close[1] || close[1] == ',')) {
			*close = '\0';
			++*value;
			return close + 1;
		}
	}
	p += strcspn(p, ",");
	while (!strcmp(name, "mpol") && *p && p[1] >= '0' && p[1] <= '9')
		p += 1 + strcspn(p + 1, ",");
	return p;
}

bool mc_next_option(char **rest, char **name, char **value)
{
	char *p = *rest + strspn(*rest, ",");

	*name = p;
	*value = NULL;
	if (!*p)
		return false;
	p += strcspn(p, "=,");
	if (*p == '=') {
		*p++ = '\0';
		*value = p;
		p = value_end(*name, value);
	}
	if (*p)
		*p++ = '\0';
	*rest = p;
	unescape(*name);
	if (*value)
		unescape(*value);
	return true;
}

bool mc_is_sb_flag(const char *option)
{
	static const char *const flags[] = {
		"rw", "ro", "seclabel", "sync", "dirsync", "lazytime",
	};
	size_t i;

	for (i = 0; i < MC_ARRAY_SIZE(flags); i++)
		if (!strcmp(option, flags[i]))
			return true;
	return false;
}

bool mc_word_is(const char *s, size_t n, const char *word)
{
	return strlen(word) == n && !strncmp(s, word, n);
}

const char *mc_sb_flags(const char *s, uint32_t *flags)
{
	static const struct {
		const char *name;
		uint32_t flag;
	} names[] = {
		{ "rw", 0 }, { "ro", MS_RDONLY }, { "sync", MS_SYNCHRONOUS },
		{ "dirsync", MS_DIRSYNC }, { "mand", 0 },
		{ "lazytime", MS_LAZYTIME },
	};
	size_t i, n, at = 0;

	*flags = 0;
	while (*s) {
		n = strcspn(s, ",");
		for (i = at; i < MC_ARRAY_SIZE(names); i++)
			if (mc_word_is(s, n, names[i].name))
				break;
		if (i == MC_ARRAY_SIZE(names))
			break;
		*flags |= names[i].flag;
		at = i < 2 ? 2 : i + 1;	/* one of rw, ro; each once, in order */
		s += n;
		if (*s == ',')
			s++;
	}
	return s;
}
