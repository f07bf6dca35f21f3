/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libmntcr: dump and restore the mounts of mount namespaces.
 *
 * The library keeps no global state and prints nothing.  Every call that can
 * fail returns 0 or -1 and, on -1, has filled in the struct mntcr_error that
 * it was handed.
 *
 * Structures of options begin with their size, which the caller sets to
 * sizeof(struct ...), and all that is not meant is 0: they grow at their ends.
 * A library that is older than the caller's header takes what it knows, if the
 * rest is 0, and is MNTCR_USAGE otherwise; one that is newer takes what is
 * missing for 0.  A size that no header has had is MNTCR_USAGE.  Elements of
 * arrays cannot grow; they have room that must be 0.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef MNTCR_H
#define MNTCR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MNTCR_VERSION	"0.1"

/* What kind of failure.  The commands exit with these numbers. */
enum mntcr_code {
	MNTCR_OK = 0,
	MNTCR_SYS = 1,		/* a system call failed: see .err */
	MNTCR_USAGE = 2,	/* the caller asked for something impossible */
	MNTCR_DIFFERS = 3,	/* verify: the topologies are not the same */
	MNTCR_REFUSED = 4,	/* a named rule: cannot be dumped or restored */
	MNTCR_BAD_IMAGE = 5,	/* not an image, or one that contradicts itself */
	MNTCR_UNSUPPORTED = 6,	/* this kernel lacks what was asked for */
	MNTCR_CHANGED = 7,	/* it would not hold still, or has ended meanwhile */
};

struct mntcr_error {
	enum mntcr_code code;
	int err;		/* an errno, or 0 */
	char rule[48];		/* the rule's name with MNTCR_REFUSED, or "" */
	char text[960];		/* one line, control bytes escaped */
};

struct mntcr_topology;

enum mntcr_method {
	MNTCR_METHOD_AUTO,
	MNTCR_METHOD_STATMOUNT,	/* listmount(2), statmount(2) */
	MNTCR_METHOD_MOUNTINFO,	/* libmount over /proc/PID/mountinfo */
};

enum mntcr_source_type {
	MNTCR_SOURCE_PID,
	MNTCR_SOURCE_PATH,	/* a mount namespace file */
	MNTCR_SOURCE_FD,	/* a descriptor of one; stays the caller's */
	MNTCR_SOURCE_DETACHED,	/* what mntcr_detached_source() gives */
};

struct mntcr_detached;

struct mntcr_source {
	enum mntcr_source_type type;
	int64_t pid;
	const char *path;	/* FD: only what it is called; or NULL */
	int fd;
	const struct mntcr_detached *tree; /* DETACHED: what it is of */
	uint64_t reserved[1];	/* 0 */
};

/*
 * A tree of mounts that is attached nowhere, and that a task holds by descriptor, as
 * open_tree(2) and fsmount(2) give it: fd of the process pid, of the caller if that is 0.
 * What becomes of it is a copy, in a mount namespace that is there until it is freed, as
 * long as which the source can be used.  In a topology it is a namespace that no id and no
 * inode number tells from others.  MNTCR_UNSUPPORTED on kernels without
 * LISTMOUNT_BY_FD and the calls of the extended API; MNTCR_REFUSED: mntcr-dump(1) has
 * the rules.
 */
struct mntcr_detached;
int mntcr_detached_open(int64_t pid, int fd, struct mntcr_detached **detached,
			struct mntcr_error *e);
const struct mntcr_source *mntcr_detached_source(const struct mntcr_detached *detached);
void mntcr_detached_free(struct mntcr_detached *detached);

struct mntcr_capture_options {
	size_t size;
	enum mntcr_method method;
	unsigned int retries;	/* 0: the default, 8 */
	/* Called, each once, with what may be missing that cannot be seen. */
	void (*note)(void *data, const char *line);
	void *data;
	/*
	 * For mntcr_capture_container() alone: every task of the container has to be
	 * in this cgroup or below it; one that is not is refused by name
	 * ("task-outside-cgroup").
	 */
	const char *within;
	/*
	 * Find out whose each superblock is, the container's or the host's, and where
	 * the caller's own mount namespace shows what is the host's; mntcr-dump(1) has
	 * the rules.  mntcr_capture_container() and _cgroup() do it in any case.
	 */
	bool whose;
	/*
	 * MAJOR:MINOR, or the path in the first namespace of a mount: the container's,
	 * or not, wherever else it is mounted.  With whose.
	 */
	const char *const *own, *const *not_own;
	size_t nr_own, nr_not_own;
	/*
	 * For mntcr_capture_container() and _cgroup(): trees that tasks of the container
	 * hold, which come after the namespaces of its tasks.
	 */
	const struct mntcr_source *detached;
	size_t nr_detached;
};

/*
 * Capture the mount namespaces of sources.  One given twice counts once.  They
 * appear in the topology in the order given.  RLIMIT_NOFILE, that of the whole
 * process, is raised for the time of the call if that many need it.
 */
int mntcr_capture(const struct mntcr_source *sources, size_t nr,
		  const struct mntcr_capture_options *opts,
		  struct mntcr_topology **topo, struct mntcr_error *e);

/*
 * Namespaces of a container, for as long as it holds still.  Descriptors among them
 * are closed with it, and what these are called is freed.
 */
struct mntcr_container {
	struct mntcr_source *sources;
	size_t nr, max;
};

/*
 * Capture the mount namespaces of every task in the pid namespace of pid, or in one
 * below that, and those that only a namespace file mounted in one of them keeps.
 * One that holds another task as well is refused.  The sources are the topology's
 * namespaces, in that order.
 */
int mntcr_capture_container(int64_t pid, const struct mntcr_capture_options *opts,
			    struct mntcr_container *container,
			    struct mntcr_topology **topo, struct mntcr_error *e);
/*
 * The same with every task of a cgroup and those below it; path is its directory in
 * a cgroup v2 filesystem.  Without freezing it, what forks meanwhile may count as
 * another task.
 */
int mntcr_capture_cgroup(const char *path, const struct mntcr_capture_options *opts,
			 struct mntcr_container *container,
			 struct mntcr_topology **topo, struct mntcr_error *e);
/*
 * The cgroup at the root of the cgroup namespace that the container's init is in, as a
 * path to be freed, for mntcr_freeze().  Where that namespace is the caller's own,
 * MNTCR_REFUSED ("no-own-cgroup").
 */
int mntcr_container_cgroup(int64_t pid, char **cgroup, struct mntcr_error *e);
void mntcr_container_free(struct mntcr_container *container);

/*
 * Freeze the tasks of a cgroup and those below it, and wait until all are frozen.
 * What has not frozen in time (MNTCR_REFUSED, "not-frozen", which names the tasks) is
 * thawed again; a cgroup that the caller is in is refused ("caller-in-cgroup").
 * mntcr_thaw() leaves cgroup.freeze as it was before; so does a child process of
 * the library when the caller ends without that, by SIGKILL too.  frozen is freed,
 * whatever mntcr_thaw() returns; it may be NULL.
 */
struct mntcr_freeze;
struct mntcr_freeze_options {
	size_t size;
	uint64_t timeout_ms;	/* 0: 10000; at most INT_MAX */
};
int mntcr_freeze(const char *path, const struct mntcr_freeze_options *opts,
		 struct mntcr_freeze **frozen, struct mntcr_error *e);
int mntcr_thaw(struct mntcr_freeze *frozen, struct mntcr_error *e);
/*
 * Has it been frozen all the time?  MNTCR_CHANGED: somebody has thawed it, or a task has
 * come or gone.  One that was frozen before, too: whoever froze it may thaw it.
 */
int mntcr_frozen(const struct mntcr_freeze *frozen, struct mntcr_error *e);

/*
 * What is captured of a container, and its files, are still to be had when it has ended.
 * To be watched from before that: MNTCR_CHANGED once the init of that process's pid
 * namespace, or all that was in the cgroup, has ended.
 */
struct mntcr_watch;
int mntcr_watch_container(int64_t pid, struct mntcr_watch **watch, struct mntcr_error *e);
int mntcr_watch_cgroup(const char *path, struct mntcr_watch **watch, struct mntcr_error *e);
int mntcr_watch_check(const struct mntcr_watch *watch, struct mntcr_error *e);
void mntcr_watch_free(struct mntcr_watch *watch);

void mntcr_topology_free(struct mntcr_topology *topo);

/*
 * Where a container comes into another cgroup than it was in: paths from the root of
 * the hierarchy as the dumper saw it, absolute, without "." and "..".  What a mount of
 * cgroup2 shows, and what is mounted on that, moves from the longest from that
 * contains it to its to; what none contains stays.  A live original of what moves is
 * no source of it.  A from that no mount is of, or that is given twice, is
 * MNTCR_USAGE.  After a failure topo can only be freed.
 */
struct mntcr_cgroup_map {
	const char *from, *to;
};
int mntcr_topology_map_cgroups(struct mntcr_topology *topo,
			       const struct mntcr_cgroup_map *maps, size_t nr,
			       struct mntcr_error *e);

/*
 * Superblocks of the host's all of whose mounts are hidden by locked ones: each becomes
 * an empty read-only tmpfs.  Keys are those of mntcr_capture_options.own.  What can be
 * seen, or is not known to be the host's, is MNTCR_REFUSED ("stand-in").  After a
 * failure topo can only be freed.
 */
int mntcr_topology_stand_in(struct mntcr_topology *topo, const char *const *keys,
			    size_t nr, struct mntcr_error *e);

/*
 * Leave in topo only a part of it, for people to look at: these namespaces (nr 0: all)
 * and, unless there is neither group nor mount, in them only the mounts that share
 * with these groups (their members and slaves, the slaves' own, and members of their
 * masters), those that something mounted on or below one of these mounts can reach,
 * and what lies above such mounts.
 *
 * A namespace is named by its label, by "mnt:[INODE]" or that number, or by its number
 * in topo, from 0; a mount by its id, or as [NAMESPACE:]PATH, where PATH begins with "/"
 * and the namespace is otherwise the first that is chosen.  What names nothing, or
 * several namespaces, is MNTCR_USAGE.  After a failure topo can only be freed.
 */
struct mntcr_select_options {
	size_t size;
	const char *const *namespaces;
	size_t nr_namespaces;
	const uint64_t *groups;		/* their ids */
	size_t nr_groups;
	const char *const *reaches;
	size_t nr_reaches;
};
int mntcr_topology_select(struct mntcr_topology *topo,
			  const struct mntcr_select_options *opts,
			  struct mntcr_error *e);

/*
 * A user namespace that is there and stands for one of the image, which is not made
 * then.  Its owner, parent and maps have to be those of the image, or a plan refuses
 * what belongs to it; but the ids of one whose parent is the caller's may all be moved
 * to another range.  Then so are those ids in topo, and in what is restored of it with
 * contents: idmaps, and options and files of what is made anew.  A parent is given
 * before its child.  MNTCR_REFUSED ("idmap-maps"): an idmap maps to some of them and to
 * others.  After a failure topo can only be freed.
 */
struct mntcr_owner {
	uint64_t inode;		/* as in the image: of the namespace's file, at the dump */
	int fd;			/* of the namespace's file; duplicated */
	uint32_t reserved[3];	/* 0 */
};
int mntcr_topology_owners(struct mntcr_topology *topo, const struct mntcr_owner *owners,
			  size_t nr, struct mntcr_error *e);

/*
 * path "-" is standard input or output.  Writing to a file is atomic, through a
 * symbolic link too; to what has no name, a device or /dev/stdout, it is not.
 */
int mntcr_image_read(const char *path, struct mntcr_topology **topo,
		     struct mntcr_error *e);
int mntcr_image_write(const struct mntcr_topology *topo, const char *path,
		      struct mntcr_error *e);

/*
 * The files of filesystems in memory that come with an image: its topology says of
 * which superblocks. The image may be replaced or unlinked meanwhile.
 */
struct mntcr_contents;

/* Any image; *contents becomes NULL where it has none. */
int mntcr_image_read_contents(const char *path, struct mntcr_topology **topo,
			      struct mntcr_contents **contents,
			      struct mntcr_error *e);
void mntcr_contents_free(struct mntcr_contents *contents);

struct mntcr_contents_options {
	size_t size;
	/* Live originals of the topology's namespaces, for all that have mounts. */
	const struct mntcr_source *sources;
	size_t nr_sources;
	/* MAJOR:MINOR, or the path in the first namespace of a mount: without */
	const char *const *exclude;
	size_t nr_exclude;
	/*
	 * One line: of what is left out, and, if refused is NULL, of an unlinked root that
	 * nobody could make again; may be NULL.
	 */
	void (*left_out)(void *data, const char *line);
	void *data;
	/*
	 * If not NULL: a superblock whose contents are refused is told of, with the
	 * rule, and the others are read all the same; the call fails in the end.  So is
	 * one with an unlinked root that nobody could make again.
	 */
	void (*refused)(void *data, unsigned int major, unsigned int minor,
			const struct mntcr_error *e);
	/* For each superblock, when it is read: its files, and the bytes in them. */
	void (*saved)(void *data, unsigned int major, unsigned int minor,
		      uint64_t nr_files, uint64_t nr_bytes);
	/*
	 * When all has been read, and the image is not complete yet: does it hold?  With
	 * -1 and an error there is no image.  May be NULL.
	 */
	int (*holds)(void *data, struct mntcr_error *e);
};

/*
 * The topology and the files of every tmpfs and ramfs that it mounts, which should
 * hold still: what changes while it is read is MNTCR_CHANGED.  The file's mode is
 * 0600.  Marks in topo which superblocks have contents.
 */
int mntcr_image_write_contents(struct mntcr_topology *topo,
			       const struct mntcr_contents_options *opts,
			       const char *path, struct mntcr_error *e);

enum mntcr_verify_flags {
	/* The very same superblocks, by device number, not only as many. */
	MNTCR_VERIFY_DEVICES = 1 << 0,
	/* Compare also in which order the mounts were made. */
	MNTCR_VERIFY_ORDER = 1 << 1,
	/*
	 * Leave out superblock options, and what a superblock that is made anew
	 * cannot have the same.
	 */
	MNTCR_VERIFY_IGNORE_OPTIONS = 1 << 2,
	MNTCR_VERIFY_IGNORE_SOURCE = 1 << 3,
	MNTCR_VERIFY_IGNORE_LOCKS = 1 << 4,
	MNTCR_VERIFY_IGNORE_OWNER = 1 << 5,
	/*
	 * Leave out type, mode, owner and device number of the files that are
	 * mounts' roots and mountpoints.
	 */
	MNTCR_VERIFY_IGNORE_FILES = 1 << 6,
	/*
	 * Leave out which pid, net or ipc namespace a proc, sysfs or mqueue
	 * shows.
	 */
	MNTCR_VERIFY_IGNORE_SHOWN = 1 << 7,
	/* Leave out whether a superblock is the container's or the host's. */
	MNTCR_VERIFY_IGNORE_WHOSE = 1 << 8,
	/* Leave out what the options of overlays led to. */
	MNTCR_VERIFY_IGNORE_LAYERS = 1 << 9,
	/*
	 * A namespace that is given in place of another is that one: its file may have
	 * another number, the same in all mounts.
	 */
	MNTCR_VERIFY_GIVEN_NAMESPACES = 1 << 10,
};

struct mntcr_verify_options {
	size_t size;
	unsigned int flags;
	/*
	 * The most differences that are reported; 0: all. What is beyond is
	 * counted all the same. mntcr_verify_events() takes it for all its
	 * comparisons together.
	 */
	size_t max_reports;
	void (*report)(void *data, const char *line);
	void *data;
	/*
	 * For mntcr_verify_events() alone: how both sides are captured; NULL:
	 * the default.
	 */
	const struct mntcr_capture_options *capture;
	/*
	 * For mntcr_verify_events() alone: called now and then with how many
	 * mounts are done and how many there are.
	 */
	void (*progress)(void *data, size_t done, size_t all);
	/*
	 * For mntcr_verify_events() alone: called for each mount on which
	 * nothing could be mounted, with the reason.
	 */
	void (*left_out)(void *data, const char *line);
	/*
	 * For mntcr_verify() alone: both sides' contents, to be compared as well;
	 * NULL: they are not.
	 */
	const struct mntcr_contents *contents_a, *contents_b;
	/*
	 * For MNTCR_VERIFY_ORDER: ids of mounts of the first that were restored late,
	 * with what is on them; these may be younger than the order has it.
	 */
	const uint64_t *delayed;
	size_t nr_delayed;
};

/*
 * Are the two the same up to renaming of ids?  Namespaces are paired by their
 * order, mounts by parent and mountpoint, superblocks, peer groups and owners
 * must then map one to one.  *nr_differences is 0 when they do; the call itself
 * fails only for lack of memory.
 */
int mntcr_verify(const struct mntcr_topology *a,
		 const struct mntcr_topology *b,
		 const struct mntcr_verify_options *opts,
		 size_t *nr_differences, struct mntcr_error *e);

/*
 * Do events propagate the same in two sets of live namespaces?  If they are the
 * same by mntcr_verify(), something is mounted on each mount in turn that is
 * not covered, in both, and the results are compared; then it is unmounted.  A
 * namespace that is in both is MNTCR_USAGE: an event there is one on both sides.  What
 * cannot be reached in both is left out: opts->left_out() says so.
 * Whoever shares mounts with them sees that.  All signals are blocked in the
 * calling thread, opts->report() included, while something is mounted: what
 * ends the process does so when it is gone again.  After SIGKILL, or a signal that
 * another thread takes, it is gone a moment later.
 */
int mntcr_verify_events(const struct mntcr_source *first, size_t nr_first,
			const struct mntcr_source *second, size_t nr_second,
			const struct mntcr_verify_options *opts,
			size_t *nr_events, size_t *nr_differences,
			struct mntcr_error *e);

enum mntcr_format {
	MNTCR_FORMAT_TREE,
	MNTCR_FORMAT_JSON,
	MNTCR_FORMAT_DOT,
};

int mntcr_render(const struct mntcr_topology *topo, enum mntcr_format format,
		 FILE *out, struct mntcr_error *e);

/* What this kernel offers, probed without side effects: mntcr-features(1). */
enum mntcr_feature_state {
	MNTCR_FEATURE_NO,
	MNTCR_FEATURE_YES,
	MNTCR_FEATURE_UNKNOWN,	/* the probe was not permitted */
};

enum mntcr_feature_id {
	MNTCR_FEAT_STATMOUNT,
	MNTCR_FEAT_OPEN_TREE_ATTR,
	MNTCR_FEAT_SET_GROUP,
	MNTCR_FEAT_EMPTY_MNTNS,
	MNTCR_FEAT_OPEN_TREE_FOREIGN,
	MNTCR_FEAT_MOVE_MOUNT_FOREIGN,
	MNTCR_FEAT_NS_MNT_OPEN,
	MNTCR_FEAT_MOUNT_SETGROUP,
	MNTCR_FEAT_STATMOUNT_LOCKS,
	MNTCR_FEAT_LOCK_SET,
	MNTCR_FEAT_STATMOUNT_SB_NS,
	MNTCR_FEAT_LISTMOUNT_BY_FD,
	MNTCR_FEAT_EMPTY_PIDNS,
	MNTCR_NR_FEATURES,
};

struct mntcr_feature {
	enum mntcr_feature_id id;
	const char *name;	/* stable, for programs */
	const char *what;	/* one line, for people */
	const char *needed_by;	/* "capture", "upstream", "extended", "locks",
				 * "superblocks", "detached", "proc" */
	enum mntcr_feature_state state;
	int err;		/* the errno that the probe saw */
};

/*
 * Fills nr elements, MNTCR_NR_FEATURES of the caller's header: those that the
 * library knows, in the order of their ids, and of what else there is room for
 * the name is NULL.
 */
int mntcr_features(struct mntcr_feature *features, size_t nr,
		   struct mntcr_error *e);

#ifdef __cplusplus
}
#endif

#endif /* MNTCR_H */
