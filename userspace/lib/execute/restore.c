// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A restore, stage by stage: choose the API, find the live sources and plan; place the
 * mounts; share them; hand back what was made.  mntcr_restore() is these in a row.
 * Whatever goes wrong, the namespaces go with their last descriptor.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "contents/contents.h"
#include "execute/priv.h"

/* Descriptors beside those of the plan: namespaces, /proc, pins. */
#define OWN_FDS		16
/* Fewer than these are not worth making a plan for. */
#define LEAST_BUDGET	64

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* --- before the plan ------------------------------------------------------ */

/* Descriptors that are not the plan's: the caller's, and what names sources. */
static uint32_t count_others(const struct mntcr_restore_options *o)
{
	return mc_fd_count() + OWN_FDS + (uint32_t)(o->nr_sources + o->nr_externals +
					o->nr_masters + o->nr_layers +
					o->nr_devices);
}

/* What only the kernel's answer told is told as well. */
static void refused_late(struct mc_work *w, const struct mntcr_error *e)
{
	if (e->code == MNTCR_REFUSED && !w->refusals.nr)
		mc_refusals_tell(&w->refusals, &(struct mntcr_refusal){
			.rule = e->rule, .text = e->text, .help = "" });
}

/* With too few descriptors for all at once, groups are made in pieces. */
static int make_plan(struct mc_work *w, const struct mntcr_topology *t,
		     const struct mntcr_restore_options *o,
		     struct mntcr_error *e)
{
	uint32_t limit, want;

	if (mc_plan_make(t, &w->po, &w->plan, e))
		return -1;
	want = w->plan->peak_fds + w->others;
	limit = o->fd_limit ? o->fd_limit : mc_fd_limit_raise(&w->fd_limit, want);
	if (limit >= want)
		return 0;
	if (o->keep_fds)
		goto few;
	mc_plan_free(w->plan);
	/* With less than that, this tells how many it takes at least. */
	w->po.fd_budget = limit > w->others + LEAST_BUDGET ?
			  limit - w->others : LEAST_BUDGET;
	if (w->po.batch > w->po.fd_budget / 8 || !w->po.batch)
		w->po.batch = w->po.fd_budget / 8 + 1;
	if (mc_plan_make(t, &w->po, &w->plan, e))
		return -1;
	want = w->plan->peak_fds + w->others;
	if (limit >= want)
		return 0;
few:
	return mc_fail(e, MNTCR_SYS, EMFILE,
		       "too few descriptors: this restore needs %u at once, RLIMIT_NOFILE allows %u",
		       want, limit);
}

static int open_paths(const struct mntcr_external *ext, size_t nr, int *fds,
		      const char *what, struct mntcr_error *e)
{
	char of[MC_OPTION_TEXT_SIZE];
	size_t i;

	for (i = 0; i < nr; i++) {
		fds[i] = open(ext[i].path, O_PATH | O_CLOEXEC);
		if (fds[i] < 0)
			return mc_fail(e, MNTCR_SYS, errno, "%s",
				       mc_option_text(what, &ext[i], of, sizeof(of)));
	}
	return 0;
}

/* --- the execution -------------------------------------------------------- */

static int setup(struct mc_work *w, const struct mntcr_topology *t,
		 const struct mntcr_restore_options *o, struct mntcr_error *e)
{
	struct mc_exec *x = &w->x;

	x->t = t;
	x->o = o;
	x->e = e;
	x->proc_fd = x->scratch_fd = x->cgroup_fd = x->root_fd = x->cwd_fd = -1;
	x->copy_ns_fd = x->copy_root_fd = -1;
	x->caller_ns_fd = x->scratch_ns_fd = x->fd_dir = x->copy_fd = -1;
	x->in = MC_IN_CALLERS;
	w->ns_live = calloc(t->nr_ns + 1, sizeof(*w->ns_live));
	w->again = calloc(t->nr_sbs + 1, sizeof(*w->again));
	w->external_again = calloc(o->nr_externals + 1, sizeof(*w->external_again));
	x->placeholder = calloc(t->nr_ns + 1, sizeof(*x->placeholder));
	x->ns_fd = mc_fds_new(t->nr_ns);
	x->tree_fd = mc_fds_new(t->nr_ns);
	x->nsroot_fd = mc_fds_new(t->nr_ns);
	x->live_fd = mc_fds_new(t->nr_ns);
	x->owner_fd = mc_fds_new(t->nr_userns);
	x->mount_fd = mc_fds_new(t->nr_mounts);
	x->external_fd = mc_fds_new(o->nr_externals);
	x->master_fd = mc_fds_new(o->nr_masters);
	x->layer_fd = mc_fds_new(o->nr_layers);
	x->device_fd = mc_fds_new(o->nr_devices);
	if (!w->ns_live || !w->again || !w->external_again || !x->placeholder ||
	    !x->ns_fd || !x->tree_fd || !x->nsroot_fd || !x->live_fd || !x->owner_fd || !x->mount_fd || !x->external_fd || !x->master_fd ||
	    !x->layer_fd || !x->device_fd)
		return mc_nomem(e);
	return 0;
}

static void teardown(struct mc_work *w)
{
	struct mc_exec *x = &w->x;
	uint32_t i;

	if (w->plan) {
		mc_exec_take_back(x);
		for (i = 0; x->later && i < w->plan->nr_srcs; i++)
			mc_flags_free(&x->later[i]);
		free(x->later);
		mc_fds_close(x->aside_fd, w->plan->nr_srcs);
		mc_fds_close(x->upper_fd, w->plan->nr_srcs);
		mc_fds_close(x->temp_fd, w->plan->nr_temps);
		mc_fds_close(x->src_fd, w->plan->nr_srcs);
		mc_fds_close(x->need_fd, w->plan->nr_needs);
		mc_fds_close(x->place_fd, w->plan->nr_parts);
	}
	mc_fds_close(x->ns_fd, x->t->nr_ns);
	mc_fds_close(x->tree_fd, x->t->nr_ns);
	mc_fds_close(x->nsroot_fd, x->t->nr_ns);
	mc_fds_close(x->live_fd, x->t->nr_ns);
	mc_fds_close(x->owner_fd, x->t->nr_userns);
	mc_idmaps_free(x);
	mc_fds_close(x->mount_fd, x->t->nr_mounts);
	mc_fds_close(x->external_fd, x->o->nr_externals);
	mc_fds_close(x->master_fd, x->o->nr_masters);
	mc_fds_close(x->layer_fd, x->o->nr_layers);
	mc_fds_close(x->device_fd, x->o->nr_devices);
	mc_close(x->proc_fd);
	mc_close(x->root_fd);
	mc_close(x->cwd_fd);
	mc_close(x->scratch_fd);
	mc_close(x->cgroup_fd);
	mc_close(x->copy_ns_fd);
	mc_close(x->copy_root_fd);
	for (i = 0; i < x->nr_junk; i++)
		mc_close(x->junk[i]);
	free(x->junk);
	mc_made_close(x->made, x->nr_made);
	mc_made_forget(x);
	free(x->put_off);
	free(x->put);
	free(x->placeholder);
	free(x->spilled);
	free(w->ns_live);
	free(w->again);
	free(w->external_again);
	mc_external_sources_free(w->external_sources, (uint32_t)x->o->nr_externals);
	free(w->external_read_only);
	mc_plan_free(w->plan);
	mc_fd_limit_back(&w->fd_limit);
}

/* Some operations, in the thread that they are run in. */
struct piece {
	struct mc_work *w;
	int (*fn)(struct piece *piece);
	uint32_t first, end;
	int ret;
};

static void run_piece(void *data)
{
	struct piece *piece = data;

	piece->ret = piece->fn(piece);
}

/* The extended calls leave the thread where it is; setns does not. */
static int in_its_thread(struct piece *piece)
{
	if (piece->w->worker)
		mc_worker_run(piece->w->worker, run_piece, piece);
	else
		run_piece(piece);
	return piece->ret;
}

static int start_piece(struct piece *piece)
{
	return mc_exec_start(&piece->w->x, &piece->w->r->stats);
}

static int ops_piece(struct piece *piece)
{
	return mc_exec_ops(&piece->w->x, piece->first, piece->end,
			   &piece->w->r->stats);
}

static int finish_piece(struct piece *piece)
{
	return mc_exec_finish(&piece->w->x, &piece->w->r->stats);
}

static int start(struct mc_work *w)
{
	struct piece piece = { .w = w, .fn = start_piece };

	w->x.temp_fd = mc_fds_new(w->plan->nr_temps);
	w->x.src_fd = mc_fds_new(w->plan->nr_srcs);
	w->x.place_fd = mc_fds_new(w->plan->nr_parts);
	if (!w->x.temp_fd || !w->x.src_fd || !w->x.place_fd)
		return mc_nomem(w->x.e);
	if (w->x.o->nr_devices) {
		w->x.root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
		w->x.cwd_fd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (w->x.root_fd < 0 || w->x.cwd_fd < 0)
			return mc_fail(w->x.e, MNTCR_SYS, errno, "the caller's directories");
	}
	mc_fd_table_grow(w->x.proc_fd, w->plan->peak_fds + w->others);
	if (w->po.api == MNTCR_API_EXTENDED) {
		w->x.be = &mc_backend_extended;
	} else {
		w->x.be = &mc_backend_upstream;
		w->worker = mc_worker_new();
		if (!w->worker)
			return mc_fail(w->x.e, MNTCR_SYS, errno, "pthread_create");
	}
	if (mc_exec_fill_externals(&w->x))
		return -1;
	w->started = true;
	return in_its_thread(&piece);
}

static int finish(struct mc_work *w)
{
	struct piece piece = { .w = w, .fn = finish_piece };

	w->started = false;
	return in_its_thread(&piece);
}

/* The first error is the one that is reported. */
static int undo(struct mc_work *w)
{
	w->x.e = &w->later;
	if (w->started)
		finish(w);
	return -1;
}

/* Before anything is made. */
static void tell_differences(const struct mc_plan *p,
			     const struct mntcr_restore_options *o)
{
	char name[256], was[256], is[256], line[900];
	const char *what;
	uint32_t m, at = 0;

	while (o->difference && mc_plan_next_difference(p, &at, &what, line, sizeof(line)))
		o->difference(o->data, line);
	for (m = 0; o->difference && m < p->topo->nr_mounts; m++) {
		if (!mc_plan_source_differs(p, m))
			continue;
		snprintf(line, sizeof(line), "%s: source '%s' instead of '%s'",
			 mc_mount_name(p->topo, m, name, sizeof(name)),
			 mc_escape(mc_plan_source_of(p, m), is, sizeof(is)),
			 mc_escape(mc_mount_source(p->topo, &p->topo->mounts[m]),
				   was, sizeof(was)));
		o->difference(o->data, line);
	}
}

/* Of the directory for unlinked roots: nobody is to be there first. */
static int name_aside(struct mc_work *w, struct mntcr_error *e)
{
	uint64_t nr;

	if (!w->o.contents)
		return 0;	/* there will be none */
	if (getrandom(&nr, sizeof(nr), 0) != sizeof(nr))
		return mc_fail(e, MNTCR_SYS, errno, "getrandom");
	snprintf(w->aside, sizeof(w->aside), "%016" PRIx64, nr);
	w->po.aside = w->aside;
	return 0;
}

static int begin(struct mc_work *w, const struct mntcr_topology *t,
		 struct mntcr_error *e)
{
	const struct mntcr_restore_options *o = &w->o;
	uint64_t then;

	if (o->api == MNTCR_API_EXTENDED && mc_need_extended(e))
		return -1;
	w->others = count_others(o) + t->nr_idmaps;
	if (!o->fd_limit)
		mc_fd_limit_raise(&w->fd_limit, w->others);
	w->x.proc_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (w->x.proc_fd < 0)
		return mc_fail(e, MNTCR_SYS, errno, "/proc");
	if (mc_find_live(t, o, w->x.live_fd, w->ns_live, &w->x.same_boot, &w->refusals, e) ||
	    open_paths(o->externals, o->nr_externals, w->x.external_fd,
		       "--external", e) ||
	    open_paths(o->masters, o->nr_masters, w->x.master_fd,
		       "--external-master", e) ||
	    open_paths(o->layers, o->nr_layers, w->x.layer_fd, "--layer", e) ||
	    open_paths(o->devices, o->nr_devices, w->x.device_fd, "--device", e))
		return -1;
	w->po.ns_live = w->ns_live;
	if (mc_ask_kernel(t, &w->po, e))
		return -1;
	mc_exec_probe_again(t, w->again, &w->x.cgroup_fd);
	w->po.again = w->again;
	mc_exec_probe_external(w->x.external_fd, o->nr_externals, w->external_again,
			       &w->x.cgroup_fd);
	w->po.external_again = w->external_again;
	if (mc_external_sources(w->x.external_fd, (uint32_t)o->nr_externals,
				&w->external_sources, &w->external_read_only, e))
		return -1;
	w->po.external_sources = w->external_sources;
	w->po.external_read_only = w->external_read_only;
	if (name_aside(w, e))
		return -1;
	then = now();
	w->refusals.given = (struct mc_given){
		w->x.external_fd, w->x.layer_fd, w->x.device_fd, w->x.master_fd, &w->x,
	};
	w->refusals.differs = o->difference;
	if (make_plan(w, t, o, e))
		return mc_refusals_end(&w->refusals, e);
	w->r->stats.plan_ns = now() - then;
	w->x.p = w->plan;
	if (mc_refusals_look(&w->refusals, w->plan, e))
		return -1;
	tell_differences(w->plan, o);
	return o->pin_dir ? mc_pins_open(o->pin_dir, &w->r->pins, e) : 0;
}

void mc_plan_options(const struct mntcr_restore_options *o,
		     struct mc_plan_options *po)
{
	memset(po, 0, sizeof(*po));
	po->api = mc_choose_api(o->api);
	po->prefer_fresh = o->prefer_fresh;
	po->caller_namespaces = o->caller_namespaces;
	po->externals = o->externals;
	po->nr_externals = o->nr_externals;
	po->masters = o->masters;
	po->nr_masters = o->nr_masters;
	po->layers = o->layers;
	po->nr_layers = o->nr_layers;
	po->devices = o->devices;
	po->nr_devices = (uint32_t)o->nr_devices;
	po->batch = o->batch;
	po->keep_fds = o->keep_fds;
	po->ignore_locks = o->ignore_locks;
	po->no_detached = o->no_detached;
	po->will_capture = o->will_capture;
	po->refused = o->refused;
	po->data = o->data;
}

static int check_reserved(const struct mntcr_restore_options *o, struct mntcr_error *e)
{
	const struct {
		const struct mntcr_external *x;
		size_t nr;
	} lists[] = {
		{ o->externals, o->nr_externals }, { o->masters, o->nr_masters },
		{ o->layers, o->nr_layers }, { o->devices, o->nr_devices },
	};
	size_t l, i;

	for (l = 0; l < MC_ARRAY_SIZE(lists); l++)
		for (i = 0; i < lists[l].nr; i++)
			if (!mc_is_zero(lists[l].x[i].reserved,
					sizeof(lists[l].x[i].reserved)))
				return mc_fail(e, MNTCR_USAGE, 0,
					       "external: something reserved is not 0");
	return 0;
}

int mc_restore_take(struct mntcr_restore_options *o,
		    const struct mntcr_restore_options *theirs,
		    struct mntcr_error *e)
{
	if (mc_take_options(o, sizeof(*o), sizeof(*o), theirs, "restore_options", e))
		return -1;
	return check_reserved(o, e);
}

int mc_work_begin(const struct mntcr_topology *t,
		  const struct mntcr_restore_options *opts,
		  const struct mntcr_stages_options *stages, struct mc_work **work,
		  struct mntcr_error *e)
{
	struct mc_work *w = calloc(1, sizeof(*w));
	int ret;

	*work = w;
	if (!w)
		return mc_nomem(e);
	w->r = calloc(1, sizeof(*w->r));
	if (!w->r || mc_restore_take(&w->o, opts, e) ||
	    mc_hosts_take(&w->hosts, t, &w->o, e)) {
		ret = w->r ? -1 : mc_nomem(e);
		mc_hosts_free(&w->hosts);
		mntcr_restored_free(w->r);
		free(w);
		*work = NULL;
		return ret;
	}
	mc_plan_options(&w->o, &w->po);
	mc_refusals_take(&w->refusals, &w->o, &w->po);
	if (stages) {
		w->po.staged = true;
		w->po.give = stages->give;
		w->po.nr_give = (uint32_t)stages->nr_give;
	}
	ret = setup(w, t, &w->o, e) || begin(w, t, e) ? -1 : 0;
	if (ret)
		refused_late(w, e);
	return ret;
}

int mc_restore_refused(const struct mntcr_topology *t,
		       const struct mntcr_restore_options *opts,
		       const struct mntcr_stages_options *stages, struct mntcr_error *e)
{
	struct mntcr_restore_options o = *opts;
	struct mc_work *w;
	int ret;

	o.pin_dir = NULL;	/* nothing is mounted there */
	o.difference = NULL;
	ret = mc_work_begin(t, &o, stages, &w, e);
	mc_work_free(w);
	return ret;
}

int mc_work_ops(struct mc_work *w, uint32_t first, uint32_t end,
		struct mntcr_error *e)
{
	struct piece piece = { .w = w, .fn = ops_piece, .first = first, .end = end };

	w->x.e = e;
	if (!in_its_thread(&piece))
		return 0;
	refused_late(w, e);
	return undo(w);
}

int mc_work_place(struct mc_work *w, struct mntcr_error *e)
{
	w->x.e = e;
	if (start(w)) {
		refused_late(w, e);
		return undo(w);
	}
	return mc_work_ops(w, 0, w->plan->place_end, e);
}

int mc_work_share(struct mc_work *w, struct mntcr_error *e)
{
	return mc_work_ops(w, w->plan->share_first, w->plan->nr_ops, e);
}

int mc_work_end(struct mc_work *w, struct mntcr_restored **restored,
		struct mntcr_error *e)
{
	w->x.e = e;
	if (finish(w) || mc_hand_back(w->r, w, w->o.keep_fds, e))
		return -1;
	if (w->o.pin_dir && !w->o.pin_later &&
	    mntcr_restored_pin(w->r, w->o.pin_dir, e))
		return -1;
	*restored = w->r;
	w->r = NULL;
	return 0;
}

void mc_work_free(struct mc_work *w)
{
	if (!w)
		return;
	undo(w);
	mc_worker_end(w->worker);
	teardown(w);
	mc_hosts_free(&w->hosts);
	mntcr_restored_free(w->r);
	free(w);
}

int mntcr_restore(const struct mntcr_topology *t,
		  const struct mntcr_restore_options *opts,
		  struct mntcr_restored **restored, struct mntcr_error *e)
{
	struct mc_work *w;
	int ret;

	*restored = NULL;
	ret = mc_work_begin(t, opts, NULL, &w, e) || mc_work_place(w, e) ||
	      mc_work_share(w, e) || mc_work_end(w, restored, e) ? -1 : 0;
	mc_work_free(w);
	return ret;
}

/* What a plan asks of the machine, beside the places of hosts. */
struct planning {
	struct mntcr_restore_options o;
	struct mc_hosts hosts;
	struct mc_plan_options po;
	struct mc_refusals refusals;
	bool known_boot, *ns_live, *again;
	uint64_t *external_again;
	int *live_fd, *external_fd, *device_fd, *layer_fd, *master_fd, cgroup_fd;
	char **sources;
	int8_t *read_only;
};

/* Whether they are there already matters when it is restored. */
static void open_those_there(const struct mntcr_external *x, size_t nr, int *fds)
{
	size_t i;

	for (i = 0; i < nr; i++)
		fds[i] = open(x[i].path, O_PATH | O_CLOEXEC);
}

static int start_planning(struct planning *w, const struct mntcr_topology *t,
			  struct mntcr_error *e)
{
	const struct mntcr_restore_options *o = &w->o;

	w->cgroup_fd = -1;
	w->ns_live = calloc(t->nr_ns + 1, sizeof(*w->ns_live));
	w->again = calloc(t->nr_sbs + 1, sizeof(*w->again));
	w->external_again = calloc(o->nr_externals + 1, sizeof(*w->external_again));
	w->live_fd = mc_fds_new(t->nr_ns);
	w->external_fd = mc_fds_new(o->nr_externals);
	w->device_fd = mc_fds_new(o->nr_devices);
	w->layer_fd = mc_fds_new(o->nr_layers);
	w->master_fd = mc_fds_new(o->nr_masters);
	if (!w->ns_live || !w->again || !w->external_again || !w->live_fd ||
	    !w->external_fd || !w->device_fd || !w->layer_fd || !w->master_fd)
		return mc_nomem(e);
	open_those_there(o->externals, o->nr_externals, w->external_fd);
	open_those_there(o->devices, o->nr_devices, w->device_fd);
	open_those_there(o->layers, o->nr_layers, w->layer_fd);
	open_those_there(o->masters, o->nr_masters, w->master_fd);
	mc_plan_options(o, &w->po);
	mc_refusals_take(&w->refusals, o, &w->po);
	w->refusals.given = (struct mc_given){
		w->external_fd, w->layer_fd, w->device_fd, w->master_fd, NULL,
	};
	return 0;
}

static void end_planning(struct planning *w, const struct mntcr_topology *t)
{
	mc_external_sources_free(w->sources, (uint32_t)w->o.nr_externals);
	free(w->read_only);
	mc_fds_close(w->live_fd, t->nr_ns);
	mc_fds_close(w->external_fd, w->o.nr_externals);
	mc_fds_close(w->device_fd, w->o.nr_devices);
	mc_fds_close(w->layer_fd, w->o.nr_layers);
	mc_fds_close(w->master_fd, w->o.nr_masters);
	mc_close(w->cgroup_fd);
	mc_hosts_free(&w->hosts);
	free(w->ns_live);
	free(w->again);
	free(w->external_again);
}

static int plan_print(struct planning *w, const struct mntcr_topology *t, bool json,
		      FILE *out, struct mntcr_error *e)
{
	struct mc_plan_options *po = &w->po;
	struct mc_plan *p = NULL;
	int ret = -1;

	if (mc_find_live(t, &w->o, w->live_fd, w->ns_live, &w->known_boot, &w->refusals, e))
		return -1;
	if (w->o.assume_sources)
		memset(w->ns_live, true, t->nr_ns * sizeof(*w->ns_live));
	po->ns_live = w->ns_live;
	mc_exec_probe_again(t, w->again, &w->cgroup_fd);
	po->again = w->again;
	mc_exec_probe_external(w->external_fd, w->o.nr_externals, w->external_again,
			       &w->cgroup_fd);
	po->external_again = w->external_again;
	if (mc_external_sources(w->external_fd, (uint32_t)w->o.nr_externals, &w->sources,
				&w->read_only, e))
		return -1;
	po->external_sources = w->sources;
	po->external_read_only = w->read_only;
	if (mc_ask_for_calls(t, po, e))
		return -1;
	if (mc_plan_make(t, po, &p, e))
		mc_refusals_end(&w->refusals, e);
	else if (!mc_refusals_look(&w->refusals, p, e))
		ret = mc_plan_print(p, json, out, e);
	mc_plan_free(p);
	return ret;
}

int mntcr_plan_print(const struct mntcr_topology *t,
		     const struct mntcr_restore_options *opts, bool json,
		     FILE *out, struct mntcr_error *e)
{
	struct planning w = { 0 };
	int ret;

	if (mc_restore_take(&w.o, opts, e))
		return -1;
	if (mc_hosts_take(&w.hosts, t, &w.o, e)) {
		mc_hosts_free(&w.hosts);
		return -1;
	}
	ret = start_planning(&w, t, e) ? -1 : plan_print(&w, t, json, out, e);
	end_planning(&w, t);
	return ret;
}
