/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What every stage needs: errors, buffers, escaping, a hash map, descriptors,
 * helper processes, what the kernel offers; and system calls (sys.h).
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#ifndef MC_BASE_H
#define MC_BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "mntcr.h"
#include "base/sys.h"

#define MC_ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/*
 * Fill e and return -1.  err is an errno (its text is appended) or 0.  Paths
 * that go into the text are to be escaped first (mc_escape).
 */
int mc_fail(struct mntcr_error *e, enum mntcr_code code, int err,
	    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* MNTCR_REFUSED with the rule's name. */
int mc_refuse(struct mntcr_error *e, const char *rule,
	      const char *fmt, ...) __attribute__((format(printf, 3, 4)));
int mc_nomem(struct mntcr_error *e);
/* Put before the text of e, and ": ", where that was (escaped).  Returns -1. */
int mc_fail_in(struct mntcr_error *e, const char *where);

/* Who wants all that is wrong usage or refused, and not only the first. */
struct mc_wrong {
	void (*tell)(void *data, const struct mntcr_error *why);
	void *data;
};

/* After a failure: 0, if that has been told; -1: it is the end.  w may be NULL. */
int mc_wrong_told(const struct mc_wrong *w, const struct mntcr_error *e);

/*
 * Copy a caller's structure, which begins with its size, into mine (of size
 * bytes). The caller's must be at least first bytes, the size in the first
 * release; what it lacks becomes 0, and what it has beyond mine must be 0.
 * theirs may be NULL: all 0. what names it in messages.
 */
int mc_take_options(void *mine, size_t size, size_t first, const void *theirs,
		    const char *what, struct mntcr_error *e);
bool mc_is_zero(const void *p, size_t n);

/* A superblock's device number, as a key. */
static inline uint64_t mc_dev_key(uint32_t major, uint32_t minor)
{
	return (uint64_t)major << 32 | minor;
}

/* A file of one superblock: an overlay shows those of several, by their numbers there. */
static inline uint64_t mc_inode_key(uint32_t dev_minor, uint64_t ino)
{
	return ino ^ (uint64_t)dev_minor << 44;
}

/* Grow *arr (of *max elements) to hold nr + 1; false without memory. */
bool mc_grow(void *arr, uint32_t nr, uint32_t *max, size_t elem);

/* A growing byte buffer; data is always NUL-terminated once not NULL. */
struct mc_buf {
	char *data;
	size_t len, max;
	bool nomem;		/* sticky: check once at the end */
};
void mc_buf_add(struct mc_buf *b, const char *s, size_t n);
void mc_buf_puts(struct mc_buf *b, const char *s);
void mc_buf_printf(struct mc_buf *b, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void mc_buf_reset(struct mc_buf *b);
void mc_buf_free(struct mc_buf *b);

/* s for a message or a tree: \ooo for control bytes and what is not UTF-8. */
const char *mc_escape(const char *s, char *buf, size_t size);
/* Nothing but a backslash would be written otherwise there. */
bool mc_is_plain(const char *s);
/*
 * s as it is written in an argument, up to what ends it: that and a backslash have a
 * backslash before them, and what is not plain is \ooo.  To be freed; NULL: no memory.
 */
char *mc_argument(const char *s, const char *ends);
bool mc_is_utf8(const char *s, size_t len);

/*
 * A random seed for hashing: without one, an image could be made whose keys all
 * collide.
 */
uint64_t mc_random_seed(void);

/* Open-addressed map from a 64-bit key to a 32-bit value. */
struct mc_map;
struct mc_map *mc_map_new(void);
void mc_map_free(struct mc_map *m);
/* 0 added, 1 was there (*value is what it holds), -1 no memory. */
int mc_map_add(struct mc_map *m, uint64_t key, uint32_t *value);
bool mc_map_get(const struct mc_map *m, uint64_t key, uint32_t *value);
/*
 * Pairs, by their number, of which there are *nr: one to one.  1: x and y are, or become,
 * one; 0: one of them is of another; -1: no memory.
 */
int mc_map_pair(struct mc_map *a, struct mc_map *b, uint32_t *nr, uint64_t x, uint64_t y);

uint64_t mc_hash_bytes(const void *p, size_t n, uint64_t seed);

/*
 * What seq_escape() of the kernel wrote, in place: \ooo is a byte, whatever else
 * is itself.  The length, which is not strlen() if one of them was 0.
 */
size_t mc_unescape(char *s);

/* Does the kernel have every feature whose needed_by is this? */
bool mc_features_are_there(const struct mntcr_feature *f, const char *needed_by);

/*
 * Bits of statmount(2) to be left out of a request: those that the series brings, where
 * the calls that they come with are not seen, for the kernel has none or nobody may ask,
 * and they may mean something else.  Fails where there was no answer.
 */
int mc_statmount_unknown(uint64_t *bits, struct mntcr_error *e);

/*
 * Does NS_MNT_OPEN open mounts here? To be asked before it is used: where it is something
 * else, what comes back is no descriptor.
 */
bool mc_opens_by_id(void);

/* Can no pid namespace be opened here that no process has been in yet? */
bool mc_lacks_empty_pidns(void);

/* What of the extended calls this kernel lacks, and the errno; NULL: nothing. */
const char *mc_extended_lacks(int *err);
/* The same of what it takes to look at a detached tree. */
const char *mc_detached_lacks(int *err);

/* A UUID as the kernel prints it. */
#define MC_BOOT_ID_LEN	36
bool mc_is_boot_id(const char *s);
/* /proc/sys/kernel/random/boot_id; false if it cannot be read. */
bool mc_boot_id(char id[MC_BOOT_ID_LEN + 1]);

/* Zeroed at first; to go back to, if it was raised. */
struct mc_fd_limit {
	struct rlimit old;
};
/* Returns what may be used: want, or less. */
uint32_t mc_fd_limit_raise(struct mc_fd_limit *l, uint32_t want);
void mc_fd_limit_back(struct mc_fd_limit *l);
/*
 * Makes room for want descriptors at once, fd being any that is open.  A table that
 * threads share grows by doubling otherwise, and waits for RCU each time (expand_files()
 * in fs/file.c).
 */
void mc_fd_table_grow(int fd, uint32_t want);
/* How many descriptors the process has open: that number, or a few more. */
uint32_t mc_fd_count(void);

/* Close unless negative; errno kept. */
void mc_close(int fd);
/* All that a file says, as a string; false: an error, or more than fits. */
bool mc_read_text(int fd, char *buf, size_t size);
/* Of a directory: is nothing in it?  0 of what is none, -1: errno. */
int mc_is_empty_dir(int fd);
/* Room for so many, all of them -1; NULL: no memory. */
int *mc_fds_new(size_t nr);
/* Close what is open of them, and free; NULL is none. */
void mc_fds_close(int *fds, size_t nr);

/* openat2(2) takes less than PATH_MAX at a time; this one walks whatever way it is. */
int mc_openat2_far(int dir, const char *path, const struct mc_open_how *how);
/* The same; how many calls that took is added to nr_opens. */
int mc_openat2_count(int dir, const char *path, const struct mc_open_how *how,
		     uint64_t *nr_opens);

/*
 * O_PATH of what lies at a path without symlinks, walked in the dentry cache
 * only: no dead server blocks that, no automounter starts.
 */
int mc_open_cached(int dir, const char *path, uint64_t resolve);
/*
 * The same; but proc and sysfs, for example, let no walk stay in the cache, and have
 * no server: so the last bytes of path, local of them, "/" first, may take more.
 */
int mc_open_way(int dir, const char *path, size_t local, uint64_t resolve);

/*
 * statx(2) of fd for no more than the VFS itself knows: no server is asked, so
 * that none blocks or refuses it.  What can be had of mask is in stx_mask, as
 * always; the device and whether it is a directory (S_ISDIR(stx_mode)) always are.
 * -1 and errno.
 */
struct statx;
int mc_look(int fd, unsigned int mask, struct statx *st);
/*
 * Was what mc_look() saw the mount with these ids?  Where it had the reusable one
 * alone (id_old), the caller has to be in the mount's namespace, fd still open.
 */
bool mc_look_is(const struct statx *st, bool unique, uint64_t id, uint32_t id_old);

/*
 * That of the filesystem of a local file or directory, in the usual form; false: it is not
 * known, has none, or somebody who has a say in whether that is opened does not answer.
 */
#define MC_UUID_LEN	36
bool mc_fs_uuid(int fd, char text[MC_UUID_LEN + 1]);

/*
 * The mount namespace file that s names, opened anew, close-on-exec; -1 and an
 * error.  name[size], if not NULL, becomes what messages and images call s.
 */
int mc_open_ns(const struct mntcr_source *s, char *name, size_t size,
	       struct mntcr_error *e);

#define MC_PID_LEVELS	32	/* the kernel's */

/*
 * How many levels a pid namespace lies below the one of that inode number, the caller's;
 * -1: it is not below that; -2: it could not be looked at.  above, if it is not NULL:
 * inode numbers of those between, its parent's first.
 */
int mc_pidns_depth(int file, ino_t own, uint64_t above[MC_PID_LEVELS]);

/*
 * Helper processes that the caller of the library does not notice: the end of
 * one raises no SIGCHLD, and neither wait() nor waitpid(-1, ...) finds it.
 *
 * As fork(2), flags (CLONE_*) in addition.  In the child all signals are
 * blocked, since handlers are the caller's; and as the caller may have threads
 * whose locks it got copies of, it makes system calls and nothing else, and
 * ends by _exit(2).
 */
pid_t mc_child(unsigned long flags);
/* The same in the cgroup of that directory; a kernel before 5.7 has no such call. */
pid_t mc_child_in(unsigned long flags, int cgroup_fd);
/* What it gave to _exit(2); -1 and errno if it did not end like that. */
int mc_child_wait(pid_t pid);
/*
 * Let a child do @task, which returns 0 or an errno, in the cgroup of a directory
 * if cgroup_fd is not negative.  Descriptors are shared: what it opens is open here
 * when it has ended.  So is @data, of @size bytes: it has what the child has left
 * there, also after an error.  Returns 0, or -1 and errno.
 */
int mc_child_task(int (*task)(void *data), void *data, size_t size, int cgroup_fd);

/*
 * Run fn(data) in a thread that has a root and a directory of its own, and wait for it:
 * 0 or an errno.  No signal handler runs in there, since handlers are the caller's and
 * expect the caller's root and mounts.
 */
int mc_in_thread(void *(*fn)(void *), void *data);

/*
 * A thread that has been joined may be in its mount namespace for a moment yet: whoever
 * looks for the tasks in there would find it.  Wait until it is not.
 */
void mc_thread_gone(pid_t tid);

/* --- worker.c -------------------------------------------------------------- */

/* A thread that does one thing after the other, signals blocked.  NULL: errno. */
struct mc_worker;

struct mc_worker *mc_worker_new(void);
/* Returns when fn has. */
void mc_worker_run(struct mc_worker *w, void (*fn)(void *data), void *data);
void mc_worker_end(struct mc_worker *w);

/* jansson's json_t: a string if s is UTF-8, else {"hex": "..."}; NULL: no memory. */
struct json_t *mc_json_bytes(const char *s);
/* The same as text. */
void mc_json_put(FILE *out, const char *s);

#endif /* MC_BASE_H */
