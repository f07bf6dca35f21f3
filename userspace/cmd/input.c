// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What an argument names: a process, a namespace file, a directory of pinned
 * namespaces, an image.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/base.h"
#include "cmd.h"

#define NSFS_MAGIC	0x6e736673

static int nomem(const char *name)
{
	fprintf(stderr, "mntcr: %s: out of memory\n", name);
	return MNTCR_SYS;
}

static int path_error(const char *name, const char *path)
{
	int err = errno;
	char esc[600];

	fprintf(stderr, "mntcr: %s: %s: %s\n", name,
		mc_escape(path, esc, sizeof(esc)), strerror(err));
	return MNTCR_SYS;
}

static int add_source(struct cmd_input *in, const char *name,
		      struct mntcr_source src)
{
	void *p;

	if (in->nr == in->max) {
		in->max = in->max ? in->max * 2 : 8;
		p = realloc(in->sources, in->max * sizeof(*in->sources));
		if (!p)
			return nomem(name);
		in->sources = p;
	}
	in->sources[in->nr++] = src;
	return 0;
}

static int not_hidden(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

/* Other namespaces can be pinned beside them, as ip-netns(8) does. */
static bool is_mount_ns(const char *path)
{
	struct statfs fs;
	int fd, type;

	if (statfs(path, &fs) || fs.f_type != NSFS_MAGIC)
		return false;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return true;	/* for the capture to tell why */
	type = ioctl(fd, MC_NS_GET_NSTYPE);
	close(fd);
	return type == CLONE_NEWNS;
}

/* Every mount namespace file in it, in the order of version sort: 2 before 10. */
static int add_dir(struct cmd_input *in, const char *name, const char *dir)
{
	struct dirent **list;
	char *path;
	size_t before = in->nr;
	int n, i, ret = 0;
	void *p;

	n = scandir(dir, &list, not_hidden, versionsort);
	if (n < 0)
		return path_error(name, dir);
	for (i = 0; i < n && !ret; i++) {
		if (asprintf(&path, "%s/%s", dir, list[i]->d_name) < 0) {
			ret = nomem(name);
			break;
		}
		if (!is_mount_ns(path)) {
			free(path);
			continue;
		}
		if (in->nr_paths == in->max_paths) {
			in->max_paths = in->max_paths ? in->max_paths * 2 : 8;
			p = realloc(in->paths,
				    in->max_paths * sizeof(*in->paths));
			if (!p) {
				free(path);
				ret = nomem(name);
				break;
			}
			in->paths = p;
		}
		in->paths[in->nr_paths++] = path;
		ret = add_source(in, name, (struct mntcr_source){
			.type = MNTCR_SOURCE_PATH, .path = path });
	}
	for (i = 0; i < n; i++)
		free(list[i]);
	free(list);
	if (!ret && in->nr == before)
		return cmd_usage(name, "%s: no mount namespace is pinned there",
				 dir);
	return ret;
}

/* false: not two numbers */
static bool parse_detached(const char *arg, size_t *pid, size_t *fd)
{
	const char *colon = strchr(arg, ':');
	char first[16];

	if (!colon || (size_t)(colon - arg) >= sizeof(first))
		return false;
	memcpy(first, arg, (size_t)(colon - arg));
	first[colon - arg] = '\0';
	return cmd_number(first, INT32_MAX, pid) && *pid && cmd_number(colon + 1, INT32_MAX, fd);
}

bool cmd_is_detached(const char *arg)
{
	return parse_detached(arg, &(size_t){ 0 }, &(size_t){ 0 });
}

int cmd_input_open_detached(struct cmd_input *in, const char *name, const char *arg,
			    struct mntcr_error *e)
{
	size_t pid, fd;
	void *p;

	memset(e, 0, sizeof(*e));
	if (!parse_detached(arg, &pid, &fd))
		return cmd_usage(name, "%s: not PID:FD", arg);
	if (in->nr_trees == in->max_trees) {
		in->max_trees = in->max_trees ? in->max_trees * 2 : 8;
		p = realloc(in->trees, in->max_trees * sizeof(*in->trees));
		if (!p)
			return nomem(name);
		in->trees = p;
	}
	if (mntcr_detached_open((int64_t)pid, (int)fd, &in->trees[in->nr_trees], e))
		return (int)e->code;
	return add_source(in, name, *mntcr_detached_source(in->trees[in->nr_trees++]));
}

int cmd_input_add_detached(struct cmd_input *in, const char *name, const char *arg)
{
	struct mntcr_error e;
	int ret = cmd_input_open_detached(in, name, arg, &e);

	return ret && e.code ? cmd_error(name, &e) : ret;
}

static int set_image(struct cmd_input *in, const char *name, const char *arg)
{
	if (in->image)
		return cmd_usage(name, "%s: only one image can be given here", arg);
	in->image = arg;
	return 0;
}

int cmd_input_add(struct cmd_input *in, const char *name, const char *arg,
		  bool images)
{
	struct mntcr_source src = { .type = MNTCR_SOURCE_PATH, .path = arg };
	struct statfs fs;
	struct stat st;
	char *end;

	if (images && !strcmp(arg, "-"))
		return set_image(in, name, arg);
	if (*arg && strspn(arg, "0123456789") == strlen(arg)) {
		errno = 0;
		src.type = MNTCR_SOURCE_PID;
		src.pid = strtoll(arg, &end, 10);
		if (errno || src.pid < 1 || src.pid > INT32_MAX)
			return cmd_usage(name, "%s: not a process id", arg);
		return add_source(in, name, src);
	}
	if (cmd_is_detached(arg))
		return cmd_input_add_detached(in, name, arg);
	if (stat(arg, &st) || statfs(arg, &fs))
		return path_error(name, arg);
	if (S_ISDIR(st.st_mode))
		return add_dir(in, name, arg);
	if (fs.f_type != NSFS_MAGIC && images)
		return set_image(in, name, arg);
	return add_source(in, name, src);
}

int cmd_input_load(struct cmd_input *in, const char *name,
		   enum mntcr_method method, struct mntcr_topology **topo)
{
	struct mntcr_capture_options opts = {
		.size = sizeof(opts), .method = method, .whose = in->whose,
		.own = in->own, .nr_own = in->nr_own,
		.not_own = in->not_own, .nr_not_own = in->nr_not_own,
	};
	struct mntcr_error e;

	if (in->image && in->nr)
		return cmd_usage(name, "an image and namespaces cannot be mixed");
	if (!in->image && !in->nr)
		return cmd_usage(name, "nothing was named");
	if (in->image ? mntcr_image_read(in->image, topo, &e) :
			mntcr_capture(in->sources, in->nr, &opts, topo, &e))
		return cmd_error(name, &e);
	return 0;
}

void cmd_input_free(struct cmd_input *in)
{
	size_t i;

	for (i = 0; i < in->nr_paths; i++)
		free(in->paths[i]);
	free(in->paths);
	for (i = 0; i < in->nr_trees; i++)
		mntcr_detached_free(in->trees[i]);
	free(in->trees);
	free(in->own);
	free(in->not_own);
	free(in->sources);
	memset(in, 0, sizeof(*in));
}

bool cmd_method(const char *word, enum mntcr_method *method)
{
	if (!strcmp(word, "auto"))
		*method = MNTCR_METHOD_AUTO;
	else if (!strcmp(word, "statmount"))
		*method = MNTCR_METHOD_STATMOUNT;
	else if (!strcmp(word, "mountinfo"))
		*method = MNTCR_METHOD_MOUNTINFO;
	else
		return false;
	return true;
}

bool cmd_number(const char *word, size_t max, size_t *number)
{
	/* strtoul() takes a sign, and space before it */
	if (!*word || word[strspn(word, "0123456789")])
		return false;
	errno = 0;
	*number = strtoul(word, NULL, 10);
	return !errno && *number <= max;
}
