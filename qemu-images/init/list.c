// SPDX-License-Identifier: GPL-2.0
/*
 * The list of tests: a line each, "NAME SECONDS PROGRAM ARG...", words
 * separated by blanks; one that has blanks itself is in single quotes.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "init.h"

/* The next word, ended in place; NULL behind the last, or without its end quote. */
static char *next_word(char **line, bool *open)
{
	static const char blank[] = " \t\n";
	char *word = *line + strspn(*line, blank), *end;
	bool quoted = *word == '\'';

	if (!*word)
		return NULL;
	word += quoted;
	end = word + strcspn(word, quoted ? "'" : blank);
	if (quoted && (!*end || !strchr(blank, end[1]))) {
		*open = true;
		return NULL;
	}
	*line = *end ? end + 1 : end;
	*end = 0;
	return word;
}

/* The words of LINE live as long as the list does: until power-off. */
static struct test *parse_line(char *line)
{
	struct test *t;
	bool open = false;
	char *word, *end;
	unsigned int n = 0;

	t = calloc(1, sizeof(*t));
	if (!t)
		return NULL;
	t->name = next_word(&line, &open);
	word = next_word(&line, &open);
	if (!t->name || !word)
		goto bad;
	t->timeout = strtoul(word, &end, 10);
	if (*end || !t->timeout)
		goto bad;
	while ((word = next_word(&line, &open))) {
		if (n == MAX_ARGS - 1)
			goto bad;
		t->argv[n++] = word;
	}
	if (!n || open)
		goto bad;
	return t;
bad:
	free(t);
	errno = EINVAL;
	return NULL;
}

int list_read(const char *path, struct test **head, unsigned int *nr)
{
	struct test **tail = head;
	char *line = NULL;
	size_t size = 0;
	int ret = -1;
	FILE *f;

	*head = NULL;
	*nr = 0;
	f = fopen(path, "re");
	if (!f)
		return -1;
	while (getline(&line, &size, f) >= 0) {
		char *copy;

		if (line[0] == '\n' || line[0] == '#')
			continue;
		copy = strdup(line);
		if (!copy)
			goto out;
		*tail = parse_line(copy);
		if (!*tail) {
			free(copy);
			goto out;
		}
		tail = &(*tail)->next;
		(*nr)++;
	}
	if (*nr)
		ret = 0;
	else
		errno = ENODATA;
out:
	free(line);
	fclose(f);
	return ret;
}
