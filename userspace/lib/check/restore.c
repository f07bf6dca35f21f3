// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * mntcr_check_restore(): what a restore would fail of, here.  The plan is made as for
 * a restore; what it takes from outside is opened and looked at, what it makes anew is
 * asked of the kernel up to the call that would make it.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <dirent.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>

#include "check/check.h"
#include "contents/contents.h"
#include "execute/execute.h"

struct job {
	const struct mc_topology *t;
	const struct mntcr_restore_options *o;
	struct mc_report r;
	struct mc_plan_options po;
	struct mc_hosts hosts;
	struct mc_exec x;
	int *live_fd;
	bool *ns_live, *again, wrong_keys;
	uint64_t *external_again;
	bool owners;		/* user namespaces that would be made are there */
	char **sources;		/* of externals */
	int8_t *read_only;
	uint32_t *mounts, *first;
	int ret;		/* of what is called back; e has its error */
	struct mntcr_error *e;
};

/* --- the options ------------------------------------------------------------------- */

static void open_paths(struct job *j, const struct mntcr_external *x, size_t nr,
		       int *fds, const char *option)
{
	char of[MC_OPTION_TEXT_SIZE];
	size_t i;
	int err;

	for (i = 0; i < nr; i++) {
		fds[i] = open(x[i].path, O_PATH | O_CLOEXEC);
		err = errno;
		if (fds[i] < 0)
			mc_report_refuse(&j->r, "external-path", "", "%s: %s",
					 mc_option_text(option, &x[i], of, sizeof(of)),
					 strerror(err));
	}
}

static void find_sources(struct job *j)
{
	struct mntcr_restore_options one = *j->o;
	struct mntcr_error e = { 0 };
	bool known;
	size_t i;

	one.nr_sources = 1;
	for (i = 0; i < j->o->nr_sources; i++) {
		one.sources = &j->o->sources[i];
		if (mc_find_live(j->t, &one, j->live_fd, j->ns_live, &known, NULL, &e))
			mc_report_refuse(&j->r, *e.rule ? e.rule : "source", "", "%s", e.text);
	}
}

/* No name at all, or that of a link to nothing: neither is made. */
static bool is_no_name(char *path)
{
	size_t n = strlen(path);
	struct stat st;

	while (n > 1 && path[n - 1] == '/')
		path[--n] = '\0';
	if (*path && lstat(path, &st))
		return false;
	errno = ENOENT;
	return true;
}

/* It is made in what has to be there. */
static void look_for_place(struct job *j, const char *path)
{
	char *copy = strdup(j->o->pin_dir), *in = NULL;
	bool no_name = copy && is_no_name(copy);
	int err = errno;

	if (!copy || asprintf(&in, "%s/.", dirname(copy)) < 0) {
		in = NULL;
		j->r.nomem = true;
	} else if (no_name) {
		mc_report_refuse(&j->r, "pin-directory", "another directory",
				 "--pin %s: it can't be made: %s", path, strerror(err));
	} else if (faccessat(AT_FDCWD, in, W_OK | X_OK, AT_EACCESS)) {
		mc_report_refuse(&j->r, "pin-directory", "another directory",
				 "--pin %s: it can't be made: %s", path, strerror(errno));
	}
	free(in);
	free(copy);
}

static void look_at_pins(struct job *j)
{
	DIR *dir = j->o->pin_dir ? opendir(j->o->pin_dir) : NULL;
	const struct dirent *d;
	int err = errno, left;
	char path[256];

	if (!j->o->pin_dir)
		return;
	mc_escape(j->o->pin_dir, path, sizeof(path));
	if (!dir && err == ENOENT) {
		look_for_place(j, path);
		return;
	}
	if (!dir) {
		mc_report_refuse(&j->r, "pin-directory", "", "--pin %s: %s", path,
				 strerror(err));
		return;
	}
	do
		d = readdir(dir);
	while (d && (!strcmp(d->d_name, ".") || !strcmp(d->d_name, "..")));
	left = mc_pins_unfinished(dirfd(dir));
	if (left < 0 && errno == EBUSY)
		mc_report_refuse(&j->r, "pin-directory", "another directory",
				 "--pin %s: another restore is pinning there", path);
	else if (d && left <= 0)
		mc_report_refuse(&j->r, "pin-directory", "another directory",
				 "--pin %s: it is not empty", path);
	closedir(dir);
}

/* --- what the plan takes and makes -------------------------------------------------- */

static void refused(void *data, const struct mntcr_refusal *refusal)
{
	mc_report_refusal(&((struct job *)data)->r, refusal);
}

static void wrong_key(void *data, const char *text)
{
	struct job *j = data;

	j->wrong_keys = true;
	mc_report_refuse(&j->r, "option", "", "%s", text);
}

/* Of the places of --host, all that nothing was at. */
static void wrong_hosts(struct job *j, const struct mntcr_error *first)
{
	char text[400];
	size_t at = 0;

	if (!j->hosts.nr_places)
		mc_report_refuse(&j->r, "option", "", "%s", first->text);
	while (mc_hosts_next_unused(&j->hosts, &at, text, sizeof(text)))
		mc_report_refuse(&j->r, "option", "", "%s", text);
}

/*
 * User namespaces live as long as descriptors of them; what would be made in one is
 * configured in one.
 */
static void try_owners(struct job *j)
{
	struct mntcr_error e = { 0 };

	j->x.e = &e;
	j->owners = !mc_owners_make(&j->x, NULL);
	if (!j->owners)
		mc_report_refuse(&j->r, "new-owner", "", "%s", e.text);
}

/* What has been looked at, before there are too many. */
static void close_junk(struct job *j)
{
	while (j->x.nr_junk)
		mc_close(j->x.junk[--j->x.nr_junk]);
}

static bool is_refused_as(const struct mc_plan *p, uint32_t src, const char *rule)
{
	const char *refused = p->from[p->srcs[src].sb].refused;

	return refused && !strcmp(refused, rule);
}

static void try_fresh(struct job *j, uint32_t src)
{
	const struct mc_sb *sb = &j->t->sbs[j->x.p->srcs[src].sb];
	const struct mc_op op = {
		.type = MC_OP_FRESH, .obj = MC_REF(MC_REF_SRC, src), .arg = MC_NONE,
	};
	struct mntcr_error e = { 0 };

	if (j->x.p->srcs[src].owner != MC_NONE && !j->owners)
		return;
	/* the plan has said what the kernel would say, and of which option */
	if (is_refused_as(j->x.p, src, "long-option"))
		return;
	/* not before that has been given */
	if (j->x.p->srcs[src].need != MC_NONE)
		return;
	j->x.e = &e;
	if (!mc_exec_fresh(&j->x, &op, NULL))
		return;
	mc_report_refuse(&j->r, e.err == ENODEV ? "no-such-type" : "fresh-superblock",
			 e.err == ENODEV ? "a kernel, or its module, that has it" : "",
			 "%s %u:%u: %s", sb->type, sb->major, sb->minor, e.text);
}

static void contents_refused(void *data, const struct mntcr_error *why)
{
	mc_report_refuse(&((struct job *)data)->r, why->rule, "", "%s", why->text);
}

/* Of contents, what would be made is read by the rules by which it is made. */
static void try_contents(struct job *j, const struct mc_src *s)
{
	int fd = s->kind == MC_SRC_EXTERNAL ? j->x.external_fd[s->index] : -1, ret;
	const struct mc_trying how = { .root = fd, .refused = contents_refused, .data = j };
	const struct mc_sb *sb = &j->t->sbs[s->sb];
	struct mntcr_error e = { 0 };
	struct mc_put *put;

	if (!mc_contents_has(j->o->contents, sb))
		return;
	put = mc_exec_put(j->x.p, s);
	ret = put ? mc_contents_try(j->o->contents, sb, mc_exec_is_whole(sb, s, fd), put,
				    s->nr_unlinked, &how, &e) :
	      mc_nomem(&e);
	free(put);
	if (!ret || e.code == MNTCR_REFUSED)
		return;
	if (e.code == MNTCR_SYS && e.err == ENOMEM)
		j->r.nomem = true;
	else
		mc_report_refuse(&j->r, *e.rule ? e.rule : "bad-image", "", "%s", e.text);
}

/* A filesystem may be another one of the same type, where the kernel tells that. */
static void compare_uuid(struct job *j, const struct mc_src *s)
{
	const struct mc_sb *sb = &j->t->sbs[s->sb];
	int fd = j->x.external_fd[s->index];
	char uuid[MC_UUID_LEN + 1], path[256];

	if (fd < 0 || !sb->uuid || !mc_fs_uuid(fd, uuid) || !strcmp(uuid, sb->uuid))
		return;
	mc_report_difference(&j->r, "uuid", "%u:%u: the filesystem of %s is %s instead of %s",
			     sb->major, sb->minor,
			     mc_escape(j->o->externals[s->index].path, path, sizeof(path)),
			     uuid, sb->uuid);
}

static void add_superblock(struct job *j, const struct mc_plan *p, uint32_t i)
{
	const struct mc_sb *sb = &j->t->sbs[i];
	json_t *o = mc_report_sb(sb);

	mc_report_set(&j->r, o, "from",
		      json_string(mc_report_from(&p->from[i], sb->nr_mounts)));
	if (p->from[i].refused)
		mc_report_set(&j->r, o, "rule", json_string(p->from[i].refused));
	if (p->from[i].need != MC_NONE)
		mc_report_set(&j->r, o, "need", mc_report_need(&p->needs[p->from[i].need]));
	if (p->from[i].nr_given)
		mc_report_set(&j->r, o, "given", json_integer(p->from[i].nr_given));
	mc_report_mounts(&j->r, o, j->mounts + j->first[i],
			 j->first[i + 1] - j->first[i]);
	mc_report_add(&j->r, j->r.superblocks, o);
}

static void differs(void *data, const char *what, const char *line)
{
	mc_report_difference(&((struct job *)data)->r, what, "%s", line);
}

/* Whatever the plan refuses, the rest of it is looked at. */
static void decided(void *data, const struct mc_plan *p)
{
	struct mntcr_error e = { 0 };
	struct job *j = data;
	const struct mc_given given = {
		j->x.external_fd, j->x.layer_fd, j->x.device_fd, j->x.master_fd, &j->x,
	};
	uint32_t i;

	j->x.p = p;
	for (i = 0; i < j->t->nr_sbs; i++)
		if (j->t->sbs[i].nr_mounts)
			add_superblock(j, p, i);
	if (mc_check_userns(&j->r, p))
		try_owners(j);
	for (i = 0; i < p->nr_srcs; i++) {
		if (p->srcs[i].kind == MC_SRC_FRESH) {
			try_fresh(j, i);
			close_junk(j);
			try_contents(j, &p->srcs[i]);
		} else if (p->srcs[i].kind == MC_SRC_EXTERNAL) {
			compare_uuid(j, &p->srcs[i]);
		}
		if (p->srcs[i].kind == MC_SRC_EXTERNAL && p->srcs[i].nr_unlinked) {
			try_contents(j, &p->srcs[i]);
		}
	}
	if (mc_given_check(p, &j->po, &given, differs, j, &e)) {
		*j->e = e;
		j->ret = -1;
	}
	if (p->staged)
		mc_report_needs(&j->r, p);
	mc_report_sources(&j->r, p);
	mc_check_owners(&j->r, p, j->o->contents);
}

static int ask_plan(struct job *j, struct mntcr_error *e)
{
	struct mc_plan *p = NULL;
	int ret;

	if (mc_ask_kernel(j->t, &j->po, e))
		return -1;
	mc_exec_probe_again(j->t, j->again, &j->x.cgroup_fd);
	mc_exec_probe_external(j->x.external_fd, j->o->nr_externals, j->external_again,
			       &j->x.cgroup_fd);
	if (mc_external_sources(j->x.external_fd, (uint32_t)j->o->nr_externals,
				&j->sources, &j->read_only, e))
		return -1;
	if (mc_check_needs(&j->r, &j->po, j->o, j->mounts, j->first, e))
		return -1;
	j->po.external_sources = j->sources;
	j->po.external_read_only = j->read_only;
	j->po.external_again = j->external_again;
	ret = mc_plan_make(j->t, &j->po, &p, e);
	/* an option that names nothing: without it nothing is planned */
	if (ret && e->code == MNTCR_USAGE && !j->wrong_keys)
		wrong_key(j, e->text);
	else if (ret && e->code != MNTCR_REFUSED && e->code != MNTCR_USAGE)
		return -1;
	if (j->ret) {
		*e = *j->e;
		mc_plan_free(p);
		return -1;
	}
	if (ret)
		return 0;
	if (p->staged)
		mc_report_delayed(&j->r, p);
	if (mc_masters_check_wide(p, &j->po, j->x.external_fd, j->x.master_fd, e) &&
	    e->code != MNTCR_REFUSED) {
		mc_plan_free(p);
		return -1;
	}
	mc_plan_free(p);
	return 0;
}

/* --- the frame ---------------------------------------------------------------------- */

static int start(struct job *j, const struct mntcr_stages_options *stages,
		 struct mntcr_error *e)
{
	const struct mc_topology *t = j->t;

	j->x.t = t;
	j->x.o = j->o;
	j->x.cgroup_fd = -1;
	j->x.proc_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	j->ns_live = calloc(t->nr_ns + 1UL, sizeof(*j->ns_live));
	j->again = calloc(t->nr_sbs + 1UL, sizeof(*j->again));
	j->external_again = calloc(j->o->nr_externals + 1UL, sizeof(*j->external_again));
	j->live_fd = j->x.live_fd = mc_fds_new(t->nr_ns);
	j->x.owner_fd = mc_fds_new(t->nr_userns);
	j->x.external_fd = mc_fds_new(j->o->nr_externals);
	j->x.master_fd = mc_fds_new(j->o->nr_masters);
	j->x.layer_fd = mc_fds_new(j->o->nr_layers);
	j->x.device_fd = mc_fds_new(j->o->nr_devices);
	j->mounts = mc_mounts_by_sb(t, &j->first);
	if (!j->ns_live || !j->again || !j->external_again || !j->live_fd || !j->x.owner_fd ||
	    !j->x.external_fd || !j->x.master_fd ||
	    !j->x.layer_fd || !j->x.device_fd || !j->mounts)
		return mc_nomem(e);
	if (j->x.proc_fd < 0)
		return mc_fail(e, MNTCR_SYS, errno, "/proc");
	mc_plan_options(j->o, &j->po);
	j->po.ns_live = j->ns_live;
	j->po.again = j->again;
	j->po.decided = decided;
	j->po.refused = refused;
	j->po.wrong_key = wrong_key;
	j->po.data = j;
	if (mc_report_new(&j->r, t, e))
		return -1;
	if (!stages)
		return 0;
	j->po.staged = true;
	j->po.give = stages->give;
	j->po.nr_give = (uint32_t)stages->nr_give;
	mc_report_staged(&j->r);
	return 0;
}

static void finish(struct job *j)
{
	mc_made_close(j->x.made, j->x.nr_made);
	mc_made_forget(&j->x);
	close_junk(j);
	free(j->x.junk);
	mc_idmaps_free(&j->x);
	mc_close(j->x.proc_fd);
	mc_close(j->x.cgroup_fd);
	mc_fds_close(j->live_fd, j->t->nr_ns);
	mc_fds_close(j->x.owner_fd, j->t->nr_userns);
	mc_fds_close(j->x.external_fd, j->o->nr_externals);
	mc_fds_close(j->x.master_fd, j->o->nr_masters);
	mc_fds_close(j->x.layer_fd, j->o->nr_layers);
	mc_fds_close(j->x.device_fd, j->o->nr_devices);
	mc_external_sources_free(j->sources, (uint32_t)j->o->nr_externals);
	free(j->read_only);
	free(j->ns_live);
	free(j->again);
	free(j->external_again);
	free(j->mounts);
	free(j->first);
	mc_hosts_free(&j->hosts);
	mc_report_free(&j->r);
}

/* All that it keeps open, and that is looked at. */
static uint32_t nr_fds(const struct mc_topology *t, const struct mntcr_restore_options *o)
{
	size_t nr = o->nr_externals + o->nr_masters + o->nr_layers + o->nr_devices;

	return mc_fd_count() + t->nr_ns + t->nr_userns + t->nr_idmaps + t->nr_sbs +
	       (uint32_t)nr + 64;
}

static int check(const struct mntcr_topology *t, const struct mntcr_restore_options *opts,
		 const struct mntcr_stages_options *stages, const struct mntcr_error *why,
		 size_t nr, bool json, FILE *out, struct mntcr_error *e)
{
	struct mntcr_restore_options o;
	struct mntcr_error lacks = { 0 }, inner = { 0 }, wrong = { 0 };
	struct mc_fd_limit limit = { 0 };
	bool hosts;
	struct job j = { .t = t, .o = &o, .e = &inner };
	int ret = -1;

	if (mc_restore_take(&o, opts, e))
		return -1;
	hosts = !mc_hosts_take(&j.hosts, t, &o, &wrong);
	if (!hosts && wrong.code != MNTCR_USAGE) {
		*e = wrong;
		mc_hosts_free(&j.hosts);
		return -1;
	}
	if (!o.fd_limit)
		mc_fd_limit_raise(&limit, nr_fds(t, &o));
	if (!start(&j, stages, e)) {
		mc_report_before(&j.r, why, nr);
		if (!hosts)
			wrong_hosts(&j, &wrong);
		if (o.api == MNTCR_API_EXTENDED && mc_need_extended(&lacks))
			mc_report_refuse(&j.r, "no-extended-api", "--api upstream", "%s",
					 lacks.text);
		look_at_pins(&j);
		find_sources(&j);
		open_paths(&j, o.externals, o.nr_externals, j.x.external_fd,
			   "--external");
		open_paths(&j, o.masters, o.nr_masters, j.x.master_fd,
			   "--external-master");
		open_paths(&j, o.layers, o.nr_layers, j.x.layer_fd, "--layer");
		open_paths(&j, o.devices, o.nr_devices, j.x.device_fd, "--device");
		if (!ask_plan(&j, e))
			ret = mc_report_end(&j.r, json, out, e);
	}
	finish(&j);
	mc_fd_limit_back(&limit);
	return ret;
}

int mntcr_check_restore(const struct mntcr_topology *t,
			const struct mntcr_restore_options *opts, bool json, FILE *out,
			struct mntcr_error *e)
{
	memset(e, 0, sizeof(*e));
	return check(t, opts, NULL, NULL, 0, json, out, e);
}

int mc_check_after(const struct mntcr_topology *t, const struct mntcr_restore_options *opts,
		   const struct mntcr_stages_options *stages, const struct mntcr_error *why,
		   size_t nr, bool json, FILE *out, struct mntcr_error *e)
{
	struct mntcr_stages_options so;

	memset(e, 0, sizeof(*e));
	if (stages && mc_take_options(&so, sizeof(so), sizeof(so), stages, "stages_options", e))
		return -1;
	return check(t, opts, stages ? &so : NULL, why, nr, json, out, e);
}

int mntcr_check_stages(const struct mntcr_topology *t,
		       const struct mntcr_restore_options *opts,
		       const struct mntcr_stages_options *stages, bool json, FILE *out,
		       struct mntcr_error *e)
{
	const struct mntcr_stages_options none = { .size = sizeof(none) };

	return mc_check_after(t, opts, stages ? stages : &none, NULL, 0, json, out, e);
}
