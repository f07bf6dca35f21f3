// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What is at the paths of --external: asked before anything is made.  What the
 * kernel would say of it half way, ENOTDIR or ENOENT, names neither option nor
 * reason; of another source it says nothing at all.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <libmount/libmount.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "contents/contents.h"
#include "execute/execute.h"

/* --- what a clone will show -------------------------------------- */

static int8_t is_read_only(struct libmnt_fs *fs)
{
	const char *options = fs ? mnt_fs_get_fs_options(fs) : NULL;
	uint32_t flags;

	if (!options)
		return -1;
	mc_sb_flags(options, &flags);
	return flags & MS_RDONLY ? 1 : 0;
}

int mc_external_sources(const int *fds, uint32_t nr, char ***sources, int8_t **read_only,
			struct mntcr_error *e)
{
	char **list = calloc(nr + 1UL, sizeof(*list));
	int8_t *ro = calloc(nr + 1UL, sizeof(*ro));
	struct libmnt_table *mounted;
	struct libmnt_fs *fs;
	const char *source;
	bool is_root;
	uint32_t i;
	int ret = 0;

	*sources = list;
	*read_only = ro;
	if (!list || !ro)
		return mc_nomem(e);
	memset(ro, -1, nr);
	if (!nr)
		return 0;
	mounted = mc_mounted_read();
	for (i = 0; mounted && !ret && i < nr; i++) {
		fs = fds[i] < 0 ? NULL : mc_mounted_at(mounted, fds[i], &is_root);
		source = fs ? mnt_fs_get_source(fs) : NULL;
		list[i] = source ? strdup(source) : NULL;
		ro[i] = is_read_only(fs);
		if (source && !list[i])
			ret = mc_nomem(e);
	}
	mc_mounted_free(mounted);
	return ret;
}

void mc_external_sources_free(char **sources, uint32_t nr)
{
	uint32_t i;

	for (i = 0; sources && i < nr; i++)
		free(sources[i]);
	free(sources);
}

/* --- what is had by opening it once more ------------------------------------- */

static bool is_plain(const char *options)
{
	return !options || !*options || !strcmp(options, "rw");
}

/* What is mounted at fd, as a superblock of a type of which there is one for all. */
static bool sb_at(struct libmnt_table *mounted, int fd, struct mc_sb *sb)
{
	bool is_root = false;
	struct libmnt_fs *fs = fd < 0 ? NULL : mc_mounted_at(mounted, fd, &is_root);
	const char *root = fs ? mnt_fs_get_root(fs) : NULL;
	const char *options = fs ? mnt_fs_get_fs_options(fs) : NULL;
	const struct mc_type *type;
	struct stat st;
	dev_t dev;

	if (!is_root || !root || strcmp(root, "/"))
		return false;
	sb->type = mnt_fs_get_fstype(fs);
	type = sb->type ? mc_type_of(sb->type) : NULL;
	if (!type || type->kind != MC_TYPE_ONE_FOR_ALL ||
	    !(type->again || (type->again_plain && is_plain(options))))
		return false;
	/* in a cgroup namespace, any cgroup may be "/" */
	if (!strcmp(sb->type, "cgroup2") &&
	    (fstat(fd, &st) || st.st_ino != MC_CGROUP_ROOT_INO))
		return false;
	dev = mnt_fs_get_devno(fs);
	sb->major = major(dev);
	sb->minor = minor(dev);
	return true;
}

void mc_exec_probe_external(const int *fds, size_t nr, uint64_t *again, int *cgroup_fd)
{
	struct libmnt_table *mounted = nr ? mc_mounted_read() : NULL;
	struct mc_sb sb = { 0 };
	size_t i;

	for (i = 0; mounted && i < nr; i++)
		again[i] = sb_at(mounted, fds[i], &sb) &&
			   mc_exec_is_had(sb.type, &sb, cgroup_fd) ?
			   mc_type_bit(mc_type_of(sb.type)) : 0;
	mc_mounted_free(mounted);
}

/* --- what is there ----------------------------------------------------------- */

struct check {
	const struct mc_plan *p;
	const struct mc_plan_options *po;
	const int *fds;
	struct mc_looking looking;
	uint32_t *first, *next;	/* mounts by source */
	struct mntcr_mount_id *ids;
	dev_t *devices;		/* per superblock: of what stands for it */
	uint32_t nr_refused;
	struct mntcr_error *e;
};

static bool is_wrong(const struct mc_mount *m, enum mc_there there)
{
	bool known = m->root_file.mode || m->mp_type != MC_MP_UNKNOWN;
	bool dir = m->root_file.mode ? S_ISDIR(m->root_file.mode) :
		   m->mp_type == MC_MP_DIR;

	return there == MC_IS_NOTHING || (known && dir != (there == MC_IS_DIR));
}

/* With the first nr of c->ids. */
static void report(struct check *c, const char *rule, const char *text,
		   const char *help, size_t nr)
{
	mc_refuse_beside(c->po, c->e, &c->nr_refused, &(struct mntcr_refusal){
		.rule = rule, .text = text, .help = help, .mounts = c->ids,
		.nr_mounts = nr,
	});
}

/* ", a directory of mode 0755"; "": it is not known */
static const char *as_it_was(const struct mc_mount *m, char *buf, size_t size)
{
	const struct mc_word *w = mc_words_file;

	*buf = '\0';
	while (w->name && w->bits != (m->root_file.mode & S_IFMT))
		w++;
	if (m->root_file.mode && w->name)
		snprintf(buf, size, " (a %s, mode %04o)", w->name,
			 m->root_file.mode & MC_MODE_ALL);
	return buf;
}

/* What a source leads to, for messages: what comes after it is where in there. */
static const char *name_of(const struct check *c, const struct mc_src *base, char *buf,
			   size_t size)
{
	const struct mc_sb *sb = &c->p->topo->sbs[base->sb];

	if (base->kind == MC_SRC_GIVEN) {
		snprintf(buf, size, "what is given");
		return buf;
	}
	if (base->kind != MC_SRC_EXTERNAL && base->device == MC_NONE) {
		snprintf(buf, size, "overlay %u:%u, made of its layers,", sb->major,
			 sb->minor);
		return buf;
	}
	return base->device != MC_NONE ?
	       mc_option_text("--device", &c->po->devices[base->device], buf, size) :
	       mc_option_text("--external", &c->po->externals[base->index], buf, size);
}

/* By what such a rule is called. */
static const char *rule_of(const struct mc_src *base, const char *external,
			   const char *device, const char *overlay)
{
	return base->kind == MC_SRC_EXTERNAL || base->kind == MC_SRC_GIVEN ? external :
	       base->device != MC_NONE ? device : overlay;
}

#define LAYERS_HELP	\
	"make it in a layer, name layers that have it, or dump with the contents of those in memory"
#define RELATIVE_HELP	"the directory from which its layers are directories"

static void refuse(struct check *c, const struct mc_src *base, const char *below,
		   enum mc_there there, uint32_t m, size_t nr)
{
	char name[256], more[32] = "", of[MC_OPTION_TEXT_SIZE], under[256], text[1200], was[64];
	const char *help = rule_of(base, base->path && strcmp(base->path, "/") ?
				   "the path of what is that root of the superblock" :
				   base->kind == MC_SRC_GIVEN ? "a mount of that superblock's root" :
				   "the path of what is the root of that superblock",
				   "the device that has it here", LAYERS_HELP);

	if (nr > 1)
		snprintf(more, sizeof(more), " and %zu more", nr - 1);
	snprintf(text, sizeof(text), "%s%s: %s%s, but %s leads to %s%s%s",
		 mc_mount_name(c->p->topo, m, name, sizeof(name)), more,
		 there == MC_IS_NOTHING ? "its root is below that of its superblock" :
		 there == MC_IS_DIR ? "its root is no directory" :
		 "its root is a directory",
		 there == MC_IS_NOTHING ? as_it_was(&c->p->topo->mounts[m], was,
						    sizeof(was)) : "",
		 name_of(c, base, of, sizeof(of)),
		 there == MC_IS_DIR ? "a directory" :
		 there == MC_IS_NO_DIR ? "what is no directory" :
		 "what has nothing at ", *below && there != MC_IS_NOTHING ? " at " : "",
		 mc_escape(below, under, sizeof(under)));
	report(c, rule_of(base, "external-root", "device-root", "overlay-root"), text, help,
	       nr);
}

/* Can all be mounted that is on m, whose root is at below? */
static void check_places(struct check *c, const struct mc_src *base, const char *below,
			 uint32_t m)
{
	const struct mc_topology *t = c->p->topo;
	char name[256], of[MC_OPTION_TEXT_SIZE], under[256], text[1200];
	struct mc_buf at = { 0 };
	enum mc_there there;
	uint32_t child;

	mc_for_each_child(t, child, m) {
		const struct mc_mount *on = &t->mounts[child];

		if (!on->mountpoint[1])
			continue;
		at.len = 0;
		mc_buf_puts(&at, below);
		mc_buf_puts(&at, on->mountpoint + !*below);
		if (at.nomem) {
			*c->looking.nomem = true;
			break;
		}
		there = mc_exec_look_in(&c->looking, base, at.data);
		if (there == MC_IS_UNKNOWN || !is_wrong(on, there))
			continue;
		snprintf(text, sizeof(text), "%s: %s has %s at %s to mount it on",
			 mc_mount_name(t, child, name, sizeof(name)),
			 name_of(c, base, of, sizeof(of)),
			 there == MC_IS_NOTHING ? "nothing" :
			 there == MC_IS_DIR ? "a directory" : "no directory",
			 mc_escape(at.data, under, sizeof(under)));
		c->ids[0].ns = on->ns;
		c->ids[0].id = on->id;
		report(c, rule_of(base, "external-mountpoint", "device-mountpoint",
				  "overlay-mountpoint"), text,
		       rule_of(base, "make it there, or name what has it",
			       "make it there, or name what has it", LAYERS_HELP), 1);
	}
	mc_buf_free(&at);
}

/*
 * What source i leads to, if that can be looked at or is an overlay of layers, or NULL;
 * below: where its root is there.
 */
static const struct mc_src *base_of(const struct check *c, uint32_t i, const char **below)
{
	const struct mc_src *base = mc_exec_base_of(c->p, i, below);

	if (base->kind == MC_SRC_EXTERNAL)
		return c->fds[base->index] >= 0 ? base : NULL;
	if (base->kind == MC_SRC_GIVEN)
		return c->looking.need_fd && c->looking.need_fd[base->index] >= 0 ? base :
		       NULL;
	if (base->device != MC_NONE)
		return c->looking.device_root &&
		       c->looking.device_root[base - c->p->srcs] >= 0 ? base : NULL;
	return base->kind == MC_SRC_FRESH && base->layers ? base : NULL;
}

static void check_root(struct check *c, uint32_t i)
{
	const struct mc_mount *m = c->p->topo->mounts;
	uint32_t mount, first = MC_NONE;
	const struct mc_src *base;
	const char *below;
	enum mc_there there;
	size_t nr = 0;

	base = base_of(c, i, &below);
	/* what has been unlinked will be made there */
	if (!base || c->first[i] == MC_NONE || m[c->first[i]].root_deleted)
		return;
	there = mc_exec_look_in(&c->looking, base, below);
	for (mount = c->first[i]; there != MC_IS_UNKNOWN && mount != MC_NONE;
	     mount = c->next[mount]) {
		if (!is_wrong(&m[mount], there))
			continue;
		if (!nr)
			first = mount;
		c->ids[nr].ns = m[mount].ns;
		c->ids[nr++].id = m[mount].id;
	}
	if (nr)
		refuse(c, base, below, there, first, nr);
}

static void check_mountpoints(struct check *c, uint32_t i)
{
	const struct mc_src *base;
	const char *below;
	uint32_t mount;

	base = base_of(c, i, &below);
	for (mount = c->first[i]; base && mount != MC_NONE; mount = c->next[mount])
		check_places(c, base, below, mount);
}

/* What is at that of an overlay which was a directory. */
static void refuse_layer(struct check *c, const struct mc_sb *sb, uint32_t i,
			 enum mc_there there, const char *in, const char *below,
			 const char *rule, const char *help)
{
	const char *option = mc_layer_option(sb->layers[i].kind);
	char text[1200], is[256], under[256];

	mc_escape(sb->layers[i].text, is, sizeof(is));
	if (there == MC_IS_OUTSIDE)
		snprintf(text, sizeof(text), "overlay %u:%u: its %s %s leads out of %s, on whose mount it has to be",
			 sb->major, sb->minor, option, is, in);
	else
		snprintf(text, sizeof(text), "overlay %u:%u: its %s %s was a directory, but %s has %s at %s",
			 sb->major, sb->minor, option, is, in,
			 there == MC_IS_NOTHING ? "nothing" : "no directory",
			 mc_escape(below, under, sizeof(under)));
	report(c, rule, text, help, 0);
}

/* Directories that layers of overlays are cloned from. */
static int check_layers(struct check *c, const struct mc_src *over)
{
	const struct mc_sb *sb = &c->p->topo->sbs[over->sb];
	const struct mc_src *base;
	struct mc_buf at = { 0 };
	const char *below;
	enum mc_there there;
	char of[MC_OPTION_TEXT_SIZE];
	uint32_t i;

	for (i = 0; i < sb->nr_layers; i++) {
		const struct mc_made_layer *l = &over->layers[i];

		base = l->src == MC_NONE ? NULL : base_of(c, l->src, &below);
		if (!base)
			continue;
		at.len = 0;
		mc_buf_puts(&at, below);
		mc_buf_puts(&at, *below ? l->below : l->below + !!*l->below);
		if (at.nomem)
			break;
		there = mc_exec_look_in(&c->looking, base, at.data);
		if (there == MC_IS_UNKNOWN || there == MC_IS_DIR)
			continue;
		name_of(c, base, of, sizeof(of));
		refuse_layer(c, sb, i, there, of, at.data,
			     rule_of(base, "external-layer", "device-layer", "overlay-layer"),
			     rule_of(base, "the path of what is that root of the superblock",
				     "the device that has it here", LAYERS_HELP));
	}
	mc_buf_free(&at);
	return i < sb->nr_layers ? mc_nomem(c->e) : 0;
}

/* Those that are relative, in the directory that an option says. */
static void check_relative(struct check *c, const struct mc_src *over)
{
	const struct mc_sb *sb = &c->p->topo->sbs[over->sb];
	const struct mntcr_external *o;
	char of[MC_OPTION_TEXT_SIZE], text[600];
	enum mc_there there;
	uint32_t i;
	int dir;

	if (over->layer_option == MC_NONE || !c->looking.layer_fd)
		return;
	dir = c->looking.layer_fd[over->layer_option];
	if (dir < 0)		/* told by whoever could not open it */
		return;
	o = &c->po->layers[over->layer_option];
	mc_option_text("--layer", o, of, sizeof(of));
	if (mc_exec_look(dir, "") == MC_IS_NO_DIR) {
		snprintf(text, sizeof(text), "overlay %u:%u: %s is no directory", sb->major,
			 sb->minor, of);
		report(c, "overlay-layer", text, RELATIVE_HELP, 0);
		return;
	}
	for (i = 0; i < sb->nr_layers; i++) {
		if (!mc_layer_is_relative(&sb->layers[i]))
			continue;
		there = mc_exec_look_layer(dir, &sb->layers[i]);
		if (there != MC_IS_DIR && there != MC_IS_UNKNOWN)
			refuse_layer(c, sb, i, there, of, sb->layers[i].text,
				     "overlay-layer", RELATIVE_HELP);
	}
}

/* --- which superblock that is ------------------------------------------------ */

/* What --host allows is a mount of the same type, where it is mounted. */
static void check_host(struct check *c, const struct mc_src *s, struct libmnt_fs *fs,
		       bool is_root)
{
	const struct mntcr_external *o = &c->po->externals[s->index];
	const struct mc_sb *sb = &c->p->topo->sbs[s->sb];
	const char *type = fs ? mnt_fs_get_fstype(fs) : NULL;
	char path[256], is[64], was[64], text[600];

	if (o->reserved[0] != MC_BY_HOST || (type && is_root && mc_exec_has_type(sb, type)))
		return;
	mc_escape(o->path, path, sizeof(path));
	mc_escape(sb->type, was, sizeof(was));
	if (type && is_root)
		snprintf(text, sizeof(text), "--host %s: what is mounted there is %s, and the image's host had %s there (%u:%u)",
			 path, mc_escape(type, is, sizeof(is)), was, sb->major, sb->minor);
	else
		snprintf(text, sizeof(text), "--host %s: nothing is mounted there, and the image's host had %s there (%u:%u)",
			 path, was, sb->major, sb->minor);
	report(c, "host-type", text, "--external with the path of what stands for it", 0);
}

/* Mounts of one superblock may be peers, which those of two cannot be. */
static void check_same(struct check *c, const struct mc_src *s, struct libmnt_fs *fs,
		       uint32_t *first)
{
	const struct mntcr_external *o = &c->po->externals[s->index], *a;
	const struct mc_sb *sb = &c->p->topo->sbs[s->sb];
	char of[MC_OPTION_TEXT_SIZE], other[256], text[900];

	if (first[s->sb] == MC_NONE) {
		first[s->sb] = (uint32_t)(s - c->p->srcs);
		c->devices[s->sb] = mnt_fs_get_devno(fs);
		return;
	}
	if (mnt_fs_get_devno(fs) == c->devices[s->sb])
		return;
	a = &c->po->externals[c->p->srcs[first[s->sb]].index];
	snprintf(text, sizeof(text), "%s is of another superblock than %s, which stands for a part of %u:%u, too",
		 mc_option_text("--external", o, of, sizeof(of)),
		 mc_escape(a->path, other, sizeof(other)), sb->major, sb->minor);
	report(c, "external-superblock", text, "paths within one superblock", 0);
}

/* -1: it is no namespace's file.  Others could be opened for a long time. */
static int nstype_of(int fd)
{
	char path[40];
	struct statfs fs;
	int file, type;

	if (fstatfs(fd, &fs) || fs.f_type != NSFS_MAGIC)
		return -1;
	snprintf(path, sizeof(path), "/proc/thread-self/fd/%d", fd);
	file = open(path, O_RDONLY | O_CLOEXEC);
	type = file < 0 ? -1 : ioctl(file, MC_NS_GET_NSTYPE);
	mc_close(file);
	return type;
}

static void check_ns(struct check *c, uint32_t src)
{
	const struct mc_src *s = &c->p->srcs[src];
	const struct mntcr_external *o = &c->po->externals[s->index];
	char of[MC_OPTION_TEXT_SIZE], text[600];
	uint32_t m = c->first[src];

	if (m == MC_NONE || !c->p->topo->mounts[m].nsfs_type ||
	    nstype_of(c->fds[s->index]) == (int)c->p->topo->mounts[m].nsfs_type)
		return;
	snprintf(text, sizeof(text), "%s is no file of such a namespace",
		 mc_option_text("--external", o, of, sizeof(of)));
	report(c, "external-namespace", text, "the path of one, as in /proc/PID/ns", 0);
}

/* Each for itself may be what it says, and together they are not. */
static void refuse_two(void *data, uint32_t a, uint32_t b, uint32_t type)
{
	struct check *c = data;
	const struct mc_mount *m = c->p->topo->mounts;
	char one[200], other[200], text[600];

	c->ids[0] = (struct mntcr_mount_id){ .ns = m[a].ns, .id = m[a].id };
	c->ids[1] = (struct mntcr_mount_id){ .ns = m[b].ns, .id = m[b].id };
	snprintf(text, sizeof(text), "%s and %s were of one %s namespace, and what is there for them is of two",
		 mc_mount_name(c->p->topo, a, one, sizeof(one)),
		 mc_mount_name(c->p->topo, b, other, sizeof(other)), mc_nstype_name(type));
	report(c, "two-namespaces", text, "--external with paths of one namespace", 2);
}

/* What has been unlinked is made there first. */
static void check_writable(struct check *c, const struct mc_src *s)
{
	const struct mntcr_external *o = &c->po->externals[s->index];
	char of[MC_OPTION_TEXT_SIZE], text[600];
	struct statvfs fs;

	if (!s->nr_unlinked || fstatvfs(c->fds[s->index], &fs) ||
	    !(fs.f_flag & ST_RDONLY))
		return;
	snprintf(text, sizeof(text), "%s is read-only: what was unlinked and is mounted can't be made there",
		 mc_option_text("--external", o, of, sizeof(of)));
	report(c, "deleted-root", text, "a path that is writable", 0);
}

/* A clone keeps the idmap that it is of; some kernels let it be replaced, not all. */
static void check_idmap(struct check *c, const struct mc_src *s, struct libmnt_fs *fs)
{
	const struct mntcr_external *o = &c->po->externals[s->index];
	const char *options = mnt_fs_get_vfs_options(fs);
	char of[MC_OPTION_TEXT_SIZE], text[600];

	if (!options || mnt_optstr_get_option(options, "idmapped", NULL, NULL))
		return;
	snprintf(text, sizeof(text), "%s is on an idmapped mount, and what is cloned of it would be idmapped like that",
		 mc_option_text("--external", o, of, sizeof(of)));
	report(c, "idmapped-source", text, "a path on a mount of it without an idmap", 0);
}

static int check_superblocks(struct check *c)
{
	uint32_t *first = malloc((c->p->topo->nr_sbs + 1UL) * sizeof(*first)), i;
	struct libmnt_table *mounted;
	struct libmnt_fs *fs;
	bool is_root;

	c->devices = calloc(c->p->topo->nr_sbs + 1UL, sizeof(*c->devices));
	if (!first || !c->devices) {
		free(first);
		return mc_nomem(c->e);
	}
	memset(first, 0xff, (c->p->topo->nr_sbs + 1UL) * sizeof(*first));
	mounted = mc_mounted_read();
	for (i = 0; mounted && i < c->p->nr_srcs; i++) {
		const struct mc_src *s = &c->p->srcs[i];

		if (s->kind != MC_SRC_EXTERNAL || c->fds[s->index] < 0)
			continue;
		fs = mc_mounted_at(mounted, c->fds[s->index], &is_root);
		check_host(c, s, fs, is_root);
		check_ns(c, i);
		check_writable(c, s);
		if (!fs)
			continue;
		check_same(c, s, fs, first);
		check_idmap(c, s, fs);
	}
	mc_mounted_free(mounted);
	free(first);
	return 0;
}

static bool is_any_looked_at(const struct mc_plan *p, const struct mc_looked *at)
{
	uint32_t i;

	for (i = 0; i < p->nr_srcs; i++)
		if (p->srcs[i].layers || (at->device_root && at->device_root[i] >= 0))
			return true;
	return false;
}

/* Mounts by the source that they are cloned from. */
static int start(struct check *c)
{
	uint32_t i, m;

	c->looking.listings = calloc(c->p->topo->nr_sbs + 1UL, sizeof(*c->looking.listings));
	c->first = malloc((c->p->nr_srcs + 1UL) * sizeof(*c->first));
	c->next = malloc((c->p->topo->nr_mounts + 1UL) * sizeof(*c->next));
	c->ids = calloc(c->p->topo->nr_mounts + 1UL, sizeof(*c->ids));
	if (!c->first || !c->next || !c->ids || !c->looking.listings)
		return mc_nomem(c->e);
	for (i = 0; i < c->p->nr_srcs; i++)
		c->first[i] = MC_NONE;
	for (m = c->p->topo->nr_mounts; m-- > 0;) {
		if (c->p->src_of[m] == MC_NONE)	/* refused */
			continue;
		c->next[m] = c->first[c->p->src_of[m]];
		c->first[c->p->src_of[m]] = m;
	}
	return 0;
}

static int check_all(struct check *c)
{
	const struct mc_plan *p = c->p;
	uint32_t i;

	for (i = 0; i < p->nr_srcs; i++)
		check_root(c, i);
	for (i = 0; i < p->nr_srcs; i++)
		check_mountpoints(c, i);
	for (i = 0; i < p->nr_srcs; i++) {
		if (!p->srcs[i].layers)
			continue;
		if (check_layers(c, &p->srcs[i]))
			return -1;
		check_relative(c, &p->srcs[i]);
	}
	return 0;
}

static int finish(struct check *c, int ret)
{
	uint32_t i;

	if (!ret && *c->looking.nomem)
		ret = mc_nomem(c->e);
	if (!ret && c->nr_refused > 1)
		mc_more_refusals(c->e, c->nr_refused - 1);
	free(c->first);
	free(c->next);
	free(c->ids);
	free(c->devices);
	for (i = 0; c->looking.listings && i < c->p->topo->nr_sbs; i++)
		mc_listing_free(c->looking.listings[i].listing);
	free(c->looking.listings);
	return ret || c->nr_refused ? -1 : 0;
}

int mc_external_check(const struct mc_plan *p, const struct mc_plan_options *po,
		      const struct mc_looked *at, struct mntcr_error *e)
{
	bool nomem = false;
	struct check c = {
		.p = p, .po = po, .fds = at->external_fd, .e = e,
		.looking = {
			.p = p, .external_fd = at->external_fd, .layer_fd = at->layer_fd,
			.device_root = at->device_root, .contents = at->contents,
			.nomem = &nomem,
		},
	};

	if (!po->nr_externals && !is_any_looked_at(p, at))
		return 0;
	return finish(&c, start(&c) ||
		      (po->nr_externals &&
		       (check_superblocks(&c) ||
			mc_one_ns(p, at->external_fd, NULL, refuse_two, &c, e))) ||
		      check_all(&c) ? -1 : 0);
}

/* At which root is that of the source, or what is given for the need. */
static int fits(const struct mc_exec *x, uint32_t src, uint32_t need, int root,
		struct mntcr_error *e)
{
	const struct mc_plan_options po = { .devices = x->o->devices };
	int *none = mc_fds_new(x->o->nr_externals), *roots = mc_fds_new(x->p->nr_srcs);
	int *given = mc_fds_new(x->p->nr_needs), *at, ret = -1;
	bool nomem = false;
	struct check c = {
		.p = x->p, .po = &po, .fds = none, .e = e,
		.looking = {
			.p = x->p, .external_fd = none, .device_root = roots,
			.need_fd = given, .nomem = &nomem,
		},
	};

	if (!none || !roots || !given) {
		mc_nomem(e);
	} else if (!start(&c)) {
		at = src != MC_NONE ? &roots[src] : &given[need];
		*at = root;
		ret = check_all(&c);
		*at = -1;
	}
	mc_fds_close(given, x->p->nr_needs);
	mc_fds_close(roots, x->p->nr_srcs);
	mc_fds_close(none, x->o->nr_externals);
	return finish(&c, ret);
}

int mc_device_fits(const struct mc_exec *x, uint32_t src, int root, struct mntcr_error *e)
{
	return fits(x, src, MC_NONE, root, e);
}

int mc_given_fits(const struct mc_exec *x, uint32_t need, int root, struct mntcr_error *e)
{
	return fits(x, MC_NONE, need, root, e);
}
