// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Histories: each operation in the model and in the kernel, then the two states
 * must be the same.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "history/run.h"

#define TRIES	200	/* to make up an operation that can be done */
#define MOST	200	/* mounts, where those are left out that make them fewer */

int run_init(struct run *r, struct world *w, bool log)
{
	memset(r, 0, sizeof(*r));
	r->w = w;
	r->log = -1;
	if (!log)
		return 0;
	r->log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	return r->log < 0 || lseek(r->log, 0, SEEK_END) < 0 ? -1 : 0;
}

void run_free(struct run *r)
{
	hist_free(&r->h);
	hist_free(&r->next);
	if (r->log >= 0)
		close(r->log);
}

static bool failed(struct run *r, const struct op *op, struct failure is,
		   const char *who, const char *why)
{
	is.type = op ? op->type : 0;
	r->failure = is;
	snprintf(r->what, sizeof(r->what), "step %d: %s: %s", op ? op->step : 0,
		 who, why);
	return false;
}

/* What the kernel's own checks have to say of propagation, or of anything. */
static bool log_is_silent(struct run *r, const struct op *op)
{
	static const char *const bad[] = {
		"propagation of mount", "is not one group", "WARNING:", "BUG:",
		"UBSAN:", "Oops",
	};
	char line[1024], *text;
	ssize_t n;

	while (r->log >= 0 && ((n = read(r->log, line, sizeof(line) - 1)) > 0 ||
			       (n < 0 && errno == EPIPE))) {
		line[n < 0 ? 0 : n] = 0;
		text = strchr(line, ';');
		for (size_t i = 0; text && i < sizeof(bad) / sizeof(*bad); i++)
			if (strstr(text, bad[i]))
				return failed(r, op, (struct failure) {
						.kind = LOG, .differs = bad[i],
					}, "the kernel's log", text + 1);
	}
	return true;
}

static bool cannot(struct run *r, const struct op *op, const char *who, const char *why)
{
	return failed(r, op, (struct failure) { .kind = CANNOT }, who, why);
}

bool same_failure(const struct failure *a, const struct failure *b)
{
	return a->kind == b->kind && a->kernel == b->kernel && a->model == b->model &&
	       a->differs == b->differs && (a->kind != ERRNO || a->type == b->type);
}

bool run_start(struct run *r)
{
	/* what the last one has left in the log is not this one's */
	if (r->failure.kind && r->log >= 0)
		lseek(r->log, 0, SEEK_END);
	r->failure = (struct failure) { 0 };
	hist_free(&r->h);
	hist_free(&r->next);
	*r->what = 0;
	hist_init(&r->next);
	if (hist_init(&r->h) || hist_start(&r->h))
		return cannot(r, NULL, "the model", "out of memory");
	if (world_start(r->w, &r->h) || world_compare(r->w, &r->h, true))
		return cannot(r, NULL, "the start", r->w->error);
	return true;
}

/* world.error, of a call or of what is there after it. */
static bool differs(struct run *r, const struct op *op, const char *who)
{
	if (!r->w->differs)
		return cannot(r, op, who, r->w->error);
	return failed(r, op, (struct failure) {
			.kind = STATE, .differs = r->w->differs,
		}, who, r->w->error);
}

static bool same_error(struct run *r, const struct op *op, int kernel, int model)
{
	char why[128];

	if (kernel > 0)
		return differs(r, op, "cannot be done");
	if (kernel == -ENOMEM || model == -ENOMEM)
		return cannot(r, op, kernel == -ENOMEM ? "the kernel" : "the model",
			      "out of memory");
	if (kernel == model)
		return true;
	snprintf(why, sizeof(why), "%s, the model: %s",
		 kernel ? strerror(-kernel) : "done",
		 model ? strerror(-model) : "done");
	return failed(r, op, (struct failure) {
			.kind = ERRNO, .kernel = kernel, .model = model,
		}, "the kernel", why);
}

static bool compare(struct run *r, const struct op *op)
{
	if (!log_is_silent(r, op))
		return false;
	if (world_compare(r->w, &r->h, r->careful || op->step % 8 == 0))
		return differs(r, op, "model and kernel differ");
	return true;
}

static void count_one(struct count *of, int err)
{
	of->done += !err;
	of->refused += err < 0;
}

static void count_held(struct run *r, const struct op *op, const struct target *t, int err)
{
	const unsigned int from = 1u << OP_OPEN | 1u << OP_BIND | 1u << OP_FOREIGN;
	const unsigned int to = 1u << OP_ATTACH | 1u << OP_FOREIGN;

	if (op->flags & OP_WITHIN)
		count_one(&r->elsewhere, err);
	if (from >> op->type & 1 && hist_held(&r->h, t->a))
		count_one(&r->from_held, err);
	if (to >> op->type & 1 && hist_held(&r->h, t->b))
		count_one(&r->to_held, err);
}

/*
 * In both.  @c: it has been made up; skipped is what makes too many mounts, and most of
 * what would be refused to anybody.
 */
static int one(struct run *r, const struct op *op, struct chance *c, bool *done)
{
	struct hist other;
	struct target t;
	int model, kernel;

	*done = false;
	r->of[op->type].left++;
	if (!hist_resolve(&r->h, op, &t) || !world_can(r->w, &r->h, op, &t))
		return HIST_SKIP;
	if (hist_copy(&r->next, &r->h))
		return cannot(r, op, "the model", "out of memory") - 1;
	model = hist_apply(&r->next, op, &t);
	if (c && model && !op_by(op) && !chance_refused(c))
		return HIST_SKIP;
	/* what an event makes does not stay */
	if (!model && hist_alive(&r->next) > (c && op->type != OP_EVENT ? c->limit : MOST))
		return HIST_SKIP;
	r->of[op->type].left--;
	kernel = world_do(r->w, &r->h, op, &t);
	if (r->say) {
		op_print(r->say, op);
		if (kernel < 0)
			fprintf(r->say, "#   %s\n", strerror(-kernel));
		fflush(r->say);
	}
	if (!same_error(r, op, kernel, model))
		return -1;
	count_held(r, op, &t, model);
	if (model) {
		r->refused++;
		r->of[op->type].refused++;
	} else {
		r->of[op->type].done++;
		other = r->h;
		r->h = r->next;
		r->next = other;
		hist_moved(&r->h);
		hist_moved(&r->next);
		if (hist_compact(&r->h))
			return cannot(r, op, "the model", "out of memory") - 1;
		*done = true;
	}
	if (hist_alive(&r->h) > r->most)
		r->most = hist_alive(&r->h);
	return compare(r, op) ? 0 : -1;
}

/* What the event has mounted goes again, by the path that leads to it. */
static int end_event(struct run *r, const struct op *event)
{
	struct op op = {
		.step = event->step, .type = OP_UMOUNT, .a = { event->step, 0 },
	};
	/* which is no operation of its own */
	const struct count umounts = r->of[OP_UMOUNT];
	struct target t;
	bool done;
	int err;

	if (!hist_resolve(&r->h, &op, &t))
		return 0;
	if (!world_can(r->w, &r->h, &op, &t))
		op.flags = OP_LAZY;
	err = one(r, &op, NULL, &done);
	r->of[OP_UMOUNT] = umounts;
	return err;
}

/* 0, -1: it failed, HIST_SKIP. */
static int try(struct run *r, const struct op *op, struct chance *c)
{
	bool done;
	int err = one(r, op, c, &done);

	if (!err && done && op->type == OP_EVENT)
		err = end_event(r, op) < 0 ? -1 : 0;
	if (!err)
		r->done++;
	return err;
}

static bool run_op(struct run *r, const struct op *op)
{
	int err = try(r, op, NULL);

	r->skipped += err == HIST_SKIP;
	return err >= 0;
}

bool run_all(struct run *r, const struct history *y)
{
	if (!run_start(r))
		return false;
	for (int i = 0; i < y->nr; i++)
		if (!run_op(r, &y->op[i]))
			return false;
	return true;
}

bool run_random(struct run *r, struct chance *c, int steps, struct history *y)
{
	struct op op;

	y->nr = 0;
	if (!run_start(r))
		return false;
	for (int step = 1; step <= steps; step++) {
		int err = HIST_SKIP;

		c->tries = 0;
		for (int k = 0; k < TRIES && err == HIST_SKIP; k++) {
			/* every other one is an event */
			if (!(step & 1 ? generate(c, &r->h, step, &op) :
			      generate_event(c, &r->h, step, &op)))
				continue;
			if (history_add(y, &op))
				return cannot(r, &op, "history", "out of memory");
			err = try(r, &op, c);
			if (err == HIST_SKIP)
				y->nr--;
		}
		if (err < 0)
			return false;
		r->unmade += err == HIST_SKIP;
	}
	return true;
}
