// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * mntcr bind
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "restore-opts.h"

static const char usage[] =
"Usage: mntcr bind [OPTION...] SOURCE DESTINATION\n\n"
"Bind mount SOURCE on DESTINATION, each in any mount namespace:\n\n"
"  PATH               in the caller's namespace\n"
"  PID:PATH           in that of a process, from its root\n"
"  NSFILE:PATH        in that of a namespace file, /run/ns/a:/srv\n"
"  ...:@ID[/PATH]     below the mount with this unique id (extended API),\n"
"                     covered or not; @ID alone: in the caller's namespace\n\n"
"  -r, --recursive    with everything that is mounted below\n"
"  -o, --options LIST ro, rw, nosuid, nodev, noexec, noatime, relatime,\n"
"                     strictatime, nodiratime, nosymfollow, and suid, dev, exec\n"
"      --propagation TYPE\n"
"                     private (default), slave, shared, unbindable, or keep:\n"
"                     stay a peer of a shared source\n"
"      --unlocked     leave the mount to the owner of the destination, who may\n"
"                     change it; if less privileged than the caller's, the\n"
"                     mount is locked otherwise\n"
"      --api API      auto (default), extended or upstream\n"
"  -h, --help         this text\n";

static bool parse_options(char *list, struct mntcr_bind_options *o)
{
	static const struct {
		const char *word;
		uint64_t set, clr;
	} words[] = {
		{ "ro", MOUNT_ATTR_RDONLY, 0 },
		{ "rw", 0, MOUNT_ATTR_RDONLY },
		{ "nosuid", MOUNT_ATTR_NOSUID, 0 },
		{ "suid", 0, MOUNT_ATTR_NOSUID },
		{ "nodev", MOUNT_ATTR_NODEV, 0 },
		{ "dev", 0, MOUNT_ATTR_NODEV },
		{ "noexec", MOUNT_ATTR_NOEXEC, 0 },
		{ "exec", 0, MOUNT_ATTR_NOEXEC },
		{ "nosymfollow", MOUNT_ATTR_NOSYMFOLLOW, 0 },
		{ "nodiratime", MOUNT_ATTR_NODIRATIME, 0 },
		{ "noatime", MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME },
		{ "strictatime", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME },
		{ "relatime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME },
	};
	size_t i, n = sizeof(words) / sizeof(words[0]);
	char *word, *save;

	for (word = strtok_r(list, ",", &save); word;
	     word = strtok_r(NULL, ",", &save)) {
		for (i = 0; i < n && strcmp(words[i].word, word); i++)
			;
		if (i == n)
			return false;
		/* The last word about an attribute counts. */
		o->attr_set &= ~(words[i].clr | words[i].set);
		o->attr_clr &= ~words[i].set;
		o->attr_set |= words[i].set;
		o->attr_clr |= words[i].clr;
	}
	return true;
}

static bool parse_propagation(const char *word, enum mntcr_propagation *p)
{
	static const char *const words[] = {
		[MNTCR_PROPAGATION_PRIVATE] = "private",
		[MNTCR_PROPAGATION_SLAVE] = "slave",
		[MNTCR_PROPAGATION_KEEP] = "keep",
		[MNTCR_PROPAGATION_UNBINDABLE] = "unbindable",
		[MNTCR_PROPAGATION_SHARED] = "shared",
	};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(words[i], word))
			continue;
		*p = (enum mntcr_propagation)i;
		return true;
	}
	return false;
}

/* "@123", "@123/path" */
static bool parse_id(const char *s, struct mntcr_place *p)
{
	char *end;

	errno = 0;
	p->mnt_id = strtoull(s + 1, &end, 10);
	p->path = *end ? end : "/";
	/* No sign; and the last few mean something else to the kernel. */
	return s[1] >= '0' && s[1] <= '9' && !errno && p->mnt_id &&
	       p->mnt_id < MC_NS_MNT_OPEN_ROOT && (!*end || *end == '/');
}

static bool parse_place(char *arg, struct mntcr_place *p)
{
	size_t digits = strspn(arg, "0123456789");
	char *sep, *at;

	*p = (struct mntcr_place){ .size = sizeof(*p) };
	if (*arg == '@') {
		p->own_ns = true;
		return parse_id(arg, p);
	}
	if (digits && arg[digits] == ':') {
		p->ns.type = MNTCR_SOURCE_PID;
		p->ns.pid = strtoll(arg, NULL, 10);
		sep = arg + digits;
		if (p->ns.pid < 1 || p->ns.pid > INT32_MAX)
			return false;
	} else {
		/* Paths hold colons: what counts is the first ":/" or ":@". */
		sep = strstr(arg, ":/");
		at = strstr(arg, ":@");
		if (!sep || (at && at < sep))
			sep = at;
		if (!sep) {
			p->own_ns = true;
			p->path = arg;
			return *arg == '/';
		}
		*sep = '\0';
		p->ns.type = MNTCR_SOURCE_PATH;
		p->ns.path = arg;
	}
	if (sep[1] == '@')
		return parse_id(sep + 1, p);
	p->path = sep + 1;
	return sep[1] == '/';
}

int cmd_bind(int argc, char **argv)
{
	enum { OPT_PROPAGATION = 256, OPT_API, OPT_UNLOCKED };
	static const struct option options[] = {
		{ "recursive", no_argument, NULL, 'r' },
		{ "options", required_argument, NULL, 'o' },
		{ "propagation", required_argument, NULL, OPT_PROPAGATION },
		{ "api", required_argument, NULL, OPT_API },
		{ "unlocked", no_argument, NULL, OPT_UNLOCKED },
		{ "help", no_argument, NULL, 'h' },
		{ 0 }
	};
	struct mntcr_bind_options o = { .size = sizeof(o) };
	struct mntcr_place src, dst;
	struct mntcr_error e = { 0 };
	int c, ret = cmd_contradict("bind", argc, argv, "ro:h", options);

	if (ret)
		return ret;
	while ((c = getopt_long(argc, argv, "ro:h", options, NULL)) >= 0) {
		switch (c) {
		case 'r':
			o.recursive = true;
			break;
		case 'o':
			if (!parse_options(optarg, &o))
				return cmd_usage("bind", "-o: an option is not known");
			break;
		case OPT_PROPAGATION:
			if (!parse_propagation(optarg, &o.propagation))
				return cmd_usage("bind", "--propagation %s is not known",
						 optarg);
			break;
		case OPT_API:
			if (!cmd_api(optarg, &o.api))
				return cmd_usage("bind", "--api %s is not known", optarg);
			break;
		case OPT_UNLOCKED:
			o.unlocked = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return cmd_flush("bind");
		default:
			return cmd_try_help("bind");
		}
	}
	if (argc - optind != 2)
		return cmd_usage("bind", "a source and a destination are needed");
	if (!parse_place(argv[optind], &src))
		return cmd_usage("bind", "%s: not an absolute PATH, PID:PATH, NSFILE:PATH or @ID",
				 argv[optind]);
	if (!parse_place(argv[optind + 1], &dst))
		return cmd_usage("bind", "%s: not an absolute PATH, PID:PATH, NSFILE:PATH or @ID",
				 argv[optind + 1]);
	return mntcr_bind(&src, &dst, &o, &e) ? cmd_error("bind", &e) : 0;
}
