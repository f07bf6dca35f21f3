// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * listmount(2), all of it.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <errno.h>
#include <stdlib.h>

#include "base/base.h"
#include "capture/capture.h"

#define LIST_CHUNK	4096

static int list(struct mc_mnt_id_req *req, unsigned int flags, uint64_t **ids, size_t *nr)
{
	size_t n = 0, max = 0, want;
	uint64_t *p;
	ssize_t got;

	*ids = NULL;
	*nr = 0;
	for (;;) {
		if (n > MC_MAX_MOUNTS) {
			errno = E2BIG;
			return -1;
		}
		if (max - n < LIST_CHUNK) {
			max = max ? max * 2 : 4 * LIST_CHUNK;
			p = realloc(*ids, max * sizeof(*p));
			if (!p) {
				errno = ENOMEM;
				return -1;
			}
			*ids = p;
		}
		want = max - n;
		if (want > 1000000)
			want = 1000000;
		got = mc_listmount(req, *ids + n, want, flags);
		if (got < 0)
			return -1;
		n += (size_t)got;
		if ((size_t)got < want)
			break;
		req->param = (*ids)[n - 1];
	}
	*nr = n;
	return 0;
}

int cap_list(const struct cap_ns *ns, uint64_t base, uint64_t **ids, size_t *nr)
{
	struct mc_mnt_id_req req = {
		.size = MC_MNT_ID_REQ_SIZE_VER1,
		.mnt_id = base,
		.mnt_ns_id = ns->id,
	};

	return list(&req, 0, ids, nr);
}

int cap_list_tree(int fd, uint64_t **ids, size_t *nr)
{
	struct mc_mnt_id_req req = {
		.size = MC_MNT_ID_REQ_SIZE_VER1,
		.mnt_ns_fd = (uint32_t)fd,
	};

	return list(&req, MC_LISTMOUNT_BY_FD, ids, nr);
}
