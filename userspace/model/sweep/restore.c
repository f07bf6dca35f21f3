// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * One topology: built, captured, restored with each backend, and compared by
 * structure and by events with the model, which knows nothing of the restorer.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "mntcr-restore.h"
#include "sweep/restore.h"
#include "sweep/step.h"
#include "base/base.h"

#define IMAGE	"/tmp/image.json"
#define MAX_GROUPS	(4 * TOPO_MAX)

const char *const backend_names[NR_BACKENDS] = { "extended", "upstream" };

/* Choices that make no difference to the result. */
static bool by_image(const struct run *r)
{
	return r->hash >> 5 & 1;
}

/* On stock kernels nothing else opens what is covered. */
static bool keep_fds(const struct run *r)
{
	return (is_tree(r) && !world_has_api()) || (r->hash >> 6 & 1);
}

/* Whoever uses another world next finds the process elsewhere. */
static int go_home(struct run *r)
{
	const struct restoration *x = r->data;

	r->w->in = -2;
	return setns(x->home, CLONE_NEWNS) ?
		world_fail(r->w, "setns", "the library's namespace") : 0;
}

/* What would be left behind: descriptors, and mounts of the caller's. */
struct left {
	int fds, mounts;
};

static bool count_left(struct run *r, struct left *n)
{
	struct mc_mnt_id_req req = {
		.size = MC_MNT_ID_REQ_SIZE_VER0, .mnt_id = MC_LSMT_ROOT,
	};
	uint64_t ids[512];
	int fd = openat(r->w->proc, "self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	n->fds = 0;
	while (d && readdir(d))
		n->fds++;
	if (d)
		closedir(d);
	n->mounts = mc_listmount(&req, ids, 512, 0);
	return n->fds > 0 && n->mounts >= 0;
}

/* --- building and capturing ----------------------------------------------- */

/* Mount @i of the topology in a copy of its namespace. */
static int twin(const struct run *r, int i, int ns)
{
	int up = r->l->on[i] < 0 ? model_ns_root(&r->m, ns) :
		 twin(r, r->l->on[i], ns);

	return model_lookup(&r->m, up, r->m.mnt[r->mnt[i]].at);
}

/* What has been made a slave by copying is to be a peer. */
static bool make_peer(struct run *r, int copy, int i)
{
	return both(r, world_type(r->w, copy, -1, MODEL_PRIVATE, false),
		    model_set_type(&r->m, r->mnt[copy], MODEL_PRIVATE, false)) &&
	       both(r, world_setgroup(r->w, &copy, 1, i, MODEL_SG_PEER, -1),
		    model_setgroup(&r->m, &r->mnt[copy], 1, r->mnt[i], -1,
				   MODEL_SG_PEER, 0));
}

/* The copy's mounts take part in the events. */
static bool add_copy(struct run *r, bool peers)
{
	int n = r->t->nr, nr_ns = r->w->nr_ns, new, of[WORLD_MOUNTS];
	uint64_t id[WORLD_MOUNTS];

	new = model_clone_ns(&r->m, 0, 1);
	if (!both(r, world_clone(r->w, 0, true), new))
		return false;
	for (int i = 0; i < r->t->nr; i++) {
		if (r->t->m[i].ns)
			continue;
		r->mnt[n] = twin(r, i, new);
		r->w->mnt[n] = -1;
		r->w->mnt_ns[n] = nr_ns;
		r->w->mnt_root[n] = r->t->m[i].root;
		of[n++] = i;
	}
	r->w->nr = n;
	if (world_find(r->w, &r->m, r->mnt, r->t->nr, id))
		return failed(r, "the copy", r->w->error);
	for (int c = r->t->nr; c < n && peers; c++)
		if (r->t->m[of[c]].kind == TOPO_MEMBER &&
		    !make_peer(r, c, of[c]))
			return false;
	return true;
}

static bool build_scene(struct run *r)
{
	const struct restoration *x = r->data;

	if (!build(r))
		return false;
	snprintf(r->step, sizeof(r->step), "leaving only its own mounts");
	for (int k = 0; k < r->w->nr_ns && x->scene.own_only; k++)
		if (world_enter(r->w, k) ||
		    umount2("/src/shared", UMOUNT_NOFOLLOW))
			return failed(r, "the whole filesystem", strerror(errno));
	snprintf(r->step, sizeof(r->step), "copying the namespace");
	return (!x->scene.other ||
		add_copy(r, x->scene.other == OTHER_PEERS)) && compare(r);
}

static int capture(const int *ns, int nr,
		   struct mntcr_topology **topo, struct mntcr_error *e)
{
	struct mntcr_source src[TOPO_MAX_NS + 1] = { 0 };

	for (int k = 0; k < nr; k++) {
		src[k].type = MNTCR_SOURCE_FD;
		src[k].fd = ns[k];
	}
	return mntcr_capture(src, nr, NULL, topo, e);
}

static bool dump(struct run *r, struct mntcr_topology **topo)
{
	struct mntcr_topology *read = NULL;
	struct mntcr_error e;

	snprintf(r->step, sizeof(r->step), "dump");
	*topo = NULL;
	if (go_home(r))
		return failed(r, "sweep", r->w->error);
	if (capture(r->w->ns, r->w->nr_ns, topo, &e))
		return failed(r, "capture", e.text);
	if (!by_image(r))
		return true;
	if (mntcr_image_write(*topo, IMAGE, &e))
		return failed(r, "image", e.text);
	if (mntcr_image_read(IMAGE, &read, &e))
		return failed(r, "image", e.text);
	mntcr_topology_free(*topo);
	*topo = read;
	return true;
}

/* --- what was restored ----------------------------------------------------- */

static void first_line(void *data, const char *line)
{
	struct run *r = data;

	failed(r, "verify", line);
}

static bool verify(struct run *r, const struct mntcr_topology *topo,
		   const int *ns, int nr)
{
	struct mntcr_verify_options o = {
		.size = sizeof(o),
		.flags = MNTCR_VERIFY_DEVICES | MNTCR_VERIFY_ORDER,
		.max_reports = 1, .report = first_line, .data = r,
	};
	struct mntcr_topology *got = NULL;
	struct mntcr_error e;
	size_t differences = 1;

	if (capture(ns, nr, &got, &e))
		return failed(r, "capture of what was restored", e.text);
	if (mntcr_verify(topo, got, &o, &differences, &e))
		failed(r, "verify", e.text);
	mntcr_topology_free(got);
	return !differences;
}

/*
 * The descriptors that the library hands back are of these mounts.  Where there
 * is no other way to one that is covered, it is taken: what it is of is known.
 */
static bool same_fds(struct run *r, struct world *copy, const uint64_t *id,
		     const struct mntcr_restored *got)
{
	for (int i = 0; i < copy->nr; i++) {
		uint64_t old = world_mount_id(r->w->mnt[i]);
		int fd = mntcr_restored_mount_fd(got, copy->mnt_ns[i], old);

		if (!old || fd < 0 || world_mount_id(fd) != id[i])
			return failed(r, "keep_fds", "not this mount's descriptor");
		if (copy->mnt[i] < 0)
			copy->mnt[i] = fcntl(fd, F_DUPFD_CLOEXEC, 0);
		if (copy->mnt[i] < 0)
			return failed(r, "sweep", strerror(errno));
	}
	return true;
}

/* Some, then at the places of a tree's children: where they are seen. */
static bool some_events(struct run *own, struct run *orig, struct run **seen)
{
	struct batch b;

	/* what they had before is compared with them */
	own->w->brief = false;
	if (!fire(own, &b, own->w->nr, event_dirs(own), true))
		return false;
	own->w->brief = true;
	orig->w->in = -2;
	snprintf(orig->step, sizeof(orig->step), "events in the restored");
	if (!compare(orig)) {
		*seen = orig;
		return false;
	}
	own->w->in = -2;
	return clear(own, &b) && (!is_tree(own) || do_places(own, &b));
}

/* Events among the restored, of which the originals must see nothing. */
static bool events(struct run *r, struct world *copy)
{
	struct run own = *r, *seen = &own;
	bool ok;

	own.w = copy;
	memset(&own.m, 0, sizeof(own.m));
	if (model_copy(&own.m, &r->m))
		return failed(r, "sweep", strerror(ENOMEM));
	snprintf(own.step, sizeof(own.step), "restoring");
	ok = some_events(&own, r, &seen);
	if (!ok && seen == &own) {
		memcpy(r->step, own.step, sizeof(r->step));
		memcpy(r->what, own.what, sizeof(r->what));
	}
	model_free(&own.m);
	return ok;
}

static uint64_t calls(const struct mntcr_stats *s, const char *name)
{
	for (uint32_t i = 0; i < s->nr_call_names; i++)
		if (!strcmp(s->calls[i].name, name))
			return s->calls[i].nr;
	return 0;
}

/* With the new calls: one for each group and its slaves, and no detours. */
static bool right_calls(struct run *r, enum backend b,
			const struct mntcr_restored *got)
{
	const struct mntcr_stats *s = mntcr_restored_stats(got);
	bool shared[MAX_GROUPS] = { false }, heard[MAX_GROUPS] = { false };
	uint64_t n = 0, did = calls(s, "mount_setgroup");
	const struct model_mount *m = r->m.mnt;

	if (r->m.nr_groups > MAX_GROUPS)
		return failed(r, "sweep", "too many groups");
	if (b == UPSTREAM)
		return !did || failed(r, "system calls", "mount_setgroup");
	for (int i = 0; i < r->m.nr; i++) {
		int g = m[i].group, up = model_master(&r->m, i);

		if (m[i].ns < 0)
			continue;
		if (g && !shared[g])
			shared[g] = ++n;
		if (!g && up && !heard[up])
			heard[up] = ++n;
	}
	if (calls(s, "setns") || calls(s, "move_mount_set_group"))
		return failed(r, "system calls", "those of stock kernels");
	if (n == did)
		return true;
	snprintf(r->what, sizeof(r->what),
		 "system calls: mount_setgroup %llu times, not %llu",
		 (unsigned long long)did, (unsigned long long)n);
	return false;
}

static bool inspect(struct run *r, enum backend b, bool fds,
		    const struct mntcr_topology *topo,
		    const struct mntcr_restored *got)
{
	int ns[TOPO_MAX_NS + 1], nr = r->w->nr_ns;
	uint64_t id[WORLD_MOUNTS];
	struct world copy;
	bool ok;

	if ((int)mntcr_restored_nr_ns(got) != nr)
		return failed(r, "restore", "not as many namespaces");
	for (int k = 0; k < nr; k++)
		ns[k] = mntcr_restored_ns_fd(got, k);
	if (!right_calls(r, b, got) || !verify(r, topo, ns, nr))
		return false;
	ok = !world_adopt(&copy, r->w, ns, &r->m, r->mnt, id);
	if (!ok)
		failed(r, "what was restored", copy.error);
	ok = ok && (!fds || same_fds(r, &copy, id, got)) && events(r, &copy);
	copy.in = -2;
	world_drop(&copy);
	return ok;
}

/* --- one backend ----------------------------------------------------------- */

static bool refused(struct run *r, enum backend b, unsigned int reasons,
		    const struct mntcr_error *e)
{
	struct restoration *x = r->data;

	if (e->code != MNTCR_REFUSED)
		return failed(r, "restore failed", e->text);
	for (int k = 0; k < NR_REFUSALS; k++)
		if (!strcmp(refusals[k].rule, e->rule) && refusals[k].by[b] &&
		    refusals[k].reason & reasons)
			x->refused[b] = &refusals[k];
	if (x->refused[b])
		return refused_indeed(r, b);
	snprintf(r->what, sizeof(r->what), "%s: %s: %.280s", e->rule, reasons ?
		 "another rule forbids it" : "no rule forbids it", e->text);
	return false;
}

static void show_plan(struct run *r, const struct mntcr_topology *topo,
		      const struct mntcr_restore_options *o)
{
	struct mntcr_error e;
	char *text = NULL, *line, *save;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return;
	mntcr_plan_print(topo, o, false, f, &e);
	fclose(f);
	for (line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save))
		fprintf(r->show, "#   %s\n", line);
	free(text);
}

static bool restore(struct run *r, enum backend b, struct mntcr_topology *topo)
{
	struct restoration *x = r->data;
	unsigned int reasons = expect_reasons(r->t, r->l, &x->scene, b);
	struct mntcr_source src[TOPO_MAX_NS + 1] = { 0 };
	struct mntcr_restore_options o = {
		.size = sizeof(o),
		.api = b == EXTENDED ? MNTCR_API_EXTENDED : MNTCR_API_UPSTREAM,
		.sources = src, .nr_sources = r->w->nr_ns,
		.keep_fds = keep_fds(r),
	};
	struct mntcr_restored *got = NULL;
	struct mntcr_error e = { 0 };
	bool ok;

	for (int k = 0; k < r->w->nr_ns; k++) {
		src[k].type = MNTCR_SOURCE_FD;
		src[k].fd = r->w->ns[k];
	}
	snprintf(r->step, sizeof(r->step), "restoring");
	if (x->plan && r->show) {
		fprintf(r->show, "# plan, %s:\n", backend_names[b]);
		show_plan(r, topo, &o);
	}
	if (mntcr_restore(topo, &o, &got, &e)) {
		ok = refused(r, b, reasons, &e);
		if (ok && x->plan && r->show)
			fprintf(r->show, "# %s refuses: %s: %s\n",
				backend_names[b], e.rule, e.text);
		return ok;
	}
	/* the rule says no: it is wrong, or what came out is */
	if (reasons)
		ok = failed(r, "restored", "what cannot be had");
	else
		ok = inspect(r, b, o.keep_fds, topo, got);
	mntcr_restored_free(got);
	x->restored[b] = ok;
	return ok;
}

static bool one_backend(struct run *r, enum backend b,
			struct mntcr_topology *topo)
{
	struct left before, after;

	if (go_home(r) || !count_left(r, &before))
		return failed(r, "sweep", "its namespace");
	if (!restore(r, b, topo))
		return false;
	if (go_home(r) || !count_left(r, &after))
		return failed(r, "sweep", "its namespace");
	snprintf(r->step, sizeof(r->step), "restoring");
	if (before.fds != after.fds || before.mounts != after.mounts)
		return failed(r, "left behind", before.fds != after.fds ?
			      "descriptors" : "mounts of the caller's");
	snprintf(r->step, sizeof(r->step), "restoring, of the originals");
	return compare(r);
}

bool restore_topology(struct run *r)
{
	struct restoration *x = r->data;
	struct mntcr_topology *topo = NULL;
	char step[sizeof(r->step)], what[sizeof(r->what)];
	bool ok = true;

	r->what[0] = 0;
	memset(&r->m, 0, sizeof(r->m));
	memset(x->restored, 0, sizeof(x->restored));
	memset(x->refused, 0, sizeof(x->refused));
	memset(x->wrong, 0, sizeof(x->wrong));
	memset(x->seen, 0, sizeof(x->seen));
	r->w->brief = false;
	if (!build_scene(r) || !dump(r, &topo)) {
		memcpy(x->wrong, x->use, sizeof(x->wrong));
		ok = false;
	}
	r->w->brief = true;
	for (int b = 0; b < NR_BACKENDS && topo; b++) {
		if (!x->use[b] || x->wrong[b] || one_backend(r, b, topo))
			continue;
		x->wrong[b] = true;
		if (ok) {
			memcpy(step, r->step, sizeof(step));
			memcpy(what, r->what, sizeof(what));
		}
		ok = false;
	}
	/* what the first one did is told */
	if (!ok && topo) {
		memcpy(r->step, step, sizeof(step));
		memcpy(r->what, what, sizeof(what));
	}
	mntcr_topology_free(topo);
	model_free(&r->m);
	return ok;
}
