// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A small container for tests, and looks at one from outside that share nothing
 * with the restorer.
 *
 *	migrant make FILE	two tasks in two mount namespaces of one pid namespace;
 *				their process ids go into FILE; runs until it is killed
 *	migrant make-user FILE	one task, in a user namespace of its own too
 *	migrant mounts NSFILE	mountinfo, as a task in there reads it
 *	migrant files NSFILE	every file that such a task sees, one a line
 *	migrant memory NSFILE	the same of each tmpfs, ramfs, overlay alone, once where it
 *				is mounted several times
 *	migrant sizes NSFILE	how large each filesystem in there may become
 *	migrant pids NSFILE	which processes the proc in there shows
 *	migrant mount NSFILE PATH	mount a tmpfs in there; umount takes it away
 *	migrant hold NSFILE	only be in there
 *	migrant each WHAT PREFIX NAME NSFILE...	one of these looks at each, into
 *				PREFIX.0.NAME, PREFIX.1.NAME, ...
 *	migrant send DEVICE	standard input to a serial port, byte by byte
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <termios.h>
#include <unistd.h>

#define TRY(x)	do {							\
	if ((x) == -1) {						\
		fprintf(stderr, "migrant: %s: %s\n", #x, strerror(errno)); \
		_exit(1);						\
	}								\
} while (0)

/* --- the container ---------------------------------------------------------------- */

static void put(const char *path, const void *data, size_t n, off_t at, int mode)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0600);

	TRY(fd);
	TRY(pwrite(fd, data, n, at) == (ssize_t)n ? 0 : -1);
	TRY(fchmod(fd, (mode_t)mode));
	close(fd);
}

static void old(const char *path)
{
	const struct timespec t[2] = { { 981173046, 1 }, { 981173047, 789000123 } };

	TRY(utimensat(AT_FDCWD, path, t, AT_SYMLINK_NOFOLLOW));
}

static void files(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX, .sun_path = "etc/socket" };
	char block[9000], name[256];
	int fd, flags = FS_NODUMP_FL, s;
	size_t i;

	TRY(mkdir("etc", 0755));
	TRY(mkdir("etc/private", 0700));
	TRY(mkdir("proc", 0555));
	TRY(mkdir("shared", 0777));
	TRY(chmod("shared", 01777));
	TRY(mkdir("ro", 0755));
	TRY(mkdir("old", 0755));
	put("etc/hosts", "127.0.0.1 localhost\n", 20, 0, 0644);
	put("etc/empty", "", 0, 0, 0400);
	put("etc/suid", "#!\n", 3, 0, 0755);
	TRY(chown("etc/suid", 1000, 1001));
	TRY(chmod("etc/suid", 06751));
	TRY(setxattr("etc/suid", "security.capability",
		     "\1\0\0\2\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20, 0));
	TRY(chown("etc/private", 100000, 65534));
	TRY(setxattr("etc/private", "trusted.note", "a\0b\xff", 4, 0));
	TRY(setxattr("etc/hosts", "trusted.a=b%41", "", 0, 0));
	put("etc/private/key", "secret", 6, 0, 0600);
	TRY(link("etc/private/key", "etc/key"));
	TRY(link("etc/private/key", "zzz"));
	TRY(symlink("../../outside/\n\xff", "etc/link"));
	TRY(mkfifo("etc/fifo", 0620));
	TRY(mknod("etc/null", S_IFCHR | 0666, makedev(1, 3)));
	TRY(mknod("etc/whiteout", S_IFCHR, makedev(0, 0)));
	TRY(mknod("etc/disk", S_IFBLK | 0640, makedev(254, 300)));
	s = socket(AF_UNIX, SOCK_STREAM, 0);
	TRY(s);
	TRY(bind(s, (struct sockaddr *)&at, sizeof(at)));
	close(s);
	for (i = 0; i < sizeof(block); i++)
		block[i] = (char)(i * 7 + i / 256);
	put("etc/sparse", block, sizeof(block), 1 << 20, 0644);
	put("etc/sparse", block, sizeof(block), 8 << 20, 0644);
	TRY(truncate("etc/sparse", 11 << 20));
	put("etc/hole", "", 0, 0, 0644);
	TRY(truncate("etc/hole", 1LL << 40));
	memset(name, 'n', 255);
	name[255] = '\0';
	put(name, block, 1, 0, 0600);
	put("\303\244 \377\1\n", block, 4096, 0, 0600);
	/* "a.b" lies between "a" and what is in it by bytes, not in a walk */
	TRY(mkdir("a", 0750));
	put("a/x", "x", 1, 0, 0644);
	put("a.b", "y", 1, 0, 0644);
	fd = open("a/x", O_RDONLY);
	TRY(fd);
	TRY(ioctl(fd, FS_IOC_SETFLAGS, &flags));
	close(fd);
	old("etc/hosts");
	old("etc/link");
	old("etc/fifo");
	old("etc/private");
	old("etc");
}

/* A file whose name another one has by now, and a directory; old etc stays so. */
static void unlinked(void)
{
	put("etc/bound", "", 0, 0, 0644);
	put("etc/gone", "only in here", 12, 0, 0640);
	TRY(mount("etc/gone", "etc/bound", NULL, MS_BIND, NULL));
	TRY(unlink("etc/gone"));
	put("etc/gone", "in its place", 12, 0, 0600);
	TRY(mkdir("etc/bound-dir", 0755));
	TRY(mkdir("gone", 0711));
	TRY(mount("gone", "etc/bound-dir", NULL, MS_BIND, NULL));
	old("gone");
	TRY(rmdir("gone"));
	old("etc");
}

static int second(void *unused)
{
	TRY(prctl(PR_SET_PDEATHSIG, SIGKILL));
	TRY(unshare(CLONE_NEWNS));
	TRY(mount("none", "/ro", "tmpfs", MS_RDONLY | MS_NOSUID, "size=64k,nr_inodes=10"));
	TRY(mount("none", "/shared/slave", "none", MS_SLAVE, NULL));
	TRY(kill(getpid(), SIGSTOP));
	for (;;)
		pause();
}

static void build(void)
{
	TRY(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL));
	/* a place of its own, that need not be there before */
	TRY(mount("ct-root", "/tmp", "tmpfs", MS_NODEV, "size=16m,mode=751"));
	TRY(chdir("/tmp"));
	files();
	unlinked();
	TRY(mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL));
	/* the size of this one is the machine's default */
	TRY(mount("shared", "shared", "tmpfs", 0, "mode=1777"));
	TRY(mkdir("shared/slave", 0755));
	TRY(mkdir("shared/event", 0755));
	put("shared/note", "of both", 7, 0, 0644);
	TRY(mount("none", "shared", NULL, MS_SHARED, NULL));
	TRY(mount("slave", "shared/slave", "tmpfs", 0, "size=1m"));
	TRY(mkdir("shared/slave/event", 0755));
	TRY(mount("etc/private", "ro", NULL, MS_BIND, NULL));
	TRY(mount("none", "ro", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL));
	TRY(syscall(SYS_pivot_root, ".", "old"));
	TRY(chdir("/"));
	TRY(umount2("/old", MNT_DETACH));
}

/* As root of a user namespace, whose ids are 100000 and on out here. */
static void build_user(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX, .sun_path = "etc/socket" };
	int s;

	TRY(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL));
	TRY(mount("user-root", "/tmp", "tmpfs", MS_NODEV, "size=16m,mode=751"));
	TRY(chdir("/tmp"));
	TRY(mkdir("etc", 0755));
	TRY(mkdir("proc", 0555));
	TRY(mkdir("shared", 0777));
	TRY(chmod("shared", 01777));
	TRY(mkdir("ro", 0755));
	TRY(mkdir("old", 0755));
	put("etc/hosts", "127.0.0.1 localhost\n", 20, 0, 0644);
	put("etc/suid", "#!\n", 3, 0, 0755);
	TRY(chown("etc/suid", 1000, 1001));
	TRY(chmod("etc/suid", 06751));
	put("etc/capable", "#!\n", 3, 0, 0755);
	TRY(setxattr("etc/capable", "security.capability",
		     "\1\0\0\2\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20, 0));
	TRY(link("etc/hosts", "etc/link"));
	TRY(symlink("../outside", "etc/symlink"));
	TRY(mkfifo("etc/fifo", 0620));
	TRY(chown("etc/fifo", 65535, 65534));
	s = socket(AF_UNIX, SOCK_STREAM, 0);
	TRY(s);
	TRY(bind(s, (struct sockaddr *)&at, sizeof(at)));
	close(s);
	old("etc/hosts");
	unlinked();
	TRY(mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL));
	TRY(mount("shared", "shared", "tmpfs", 0, "mode=1777,uid=7,gid=8"));
	TRY(mkdir("shared/event", 0755));
	TRY(mount("none", "shared", NULL, MS_SHARED, NULL));
	TRY(mount("etc", "ro", NULL, MS_BIND, NULL));
	TRY(mount("none", "ro", NULL, MS_BIND | MS_REMOUNT | MS_NODEV | MS_RDONLY,
		  NULL));
	TRY(syscall(SYS_pivot_root, ".", "old"));
	TRY(chdir("/"));
	TRY(umount2("/old", MNT_DETACH));
}

static int user(void *data)
{
	int *pipes = data;
	char x;

	TRY(prctl(PR_SET_PDEATHSIG, SIGKILL));
	if (read(pipes[2], &x, 1) != 1)
		_exit(1);
	TRY(setgid(0));
	TRY(setuid(0));
	TRY(prctl(PR_SET_PDEATHSIG, SIGKILL));
	build_user();
	TRY(write(pipes[1], "x", 1));
	for (;;)
		pause();
}

static void put_proc(pid_t pid, const char *file, const char *text)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	fd = open(path, O_WRONLY);
	TRY(fd);
	TRY(write(fd, text, strlen(text)));
	close(fd);
}

static int made(const char *file, pid_t first, long second);

static int make_user(const char *file)
{
	static char stack[65536];
	int pipes[4];
	pid_t pid;
	char x;

	TRY(pipe(pipes));
	TRY(pipe(pipes + 2));
	/* whose it is can be told from who is root in it */
	TRY(syscall(SYS_setresuid, -1, 1000, -1));
	pid = clone(user, stack + sizeof(stack), SIGCHLD | CLONE_NEWUSER | CLONE_NEWNS |
		    CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS, pipes);
	TRY(pid);
	TRY(syscall(SYS_setresuid, -1, 0, -1));
	put_proc(pid, "setgroups", "deny");
	put_proc(pid, "uid_map", "0 100000 65535\n65535 300000 1\n");
	put_proc(pid, "gid_map", "0 200000 65536\n");
	TRY(write(pipes[3], "x", 1));
	close(pipes[1]);
	if (read(pipes[0], &x, 1) != 1)
		return 1;
	return made(file, pid, 0);
}

static int first(void *data)
{
	static char stack[65536];
	int status, *ready = data;
	pid_t child;

	TRY(prctl(PR_SET_PDEATHSIG, SIGKILL));
	build();
	child = clone(second, stack + sizeof(stack), SIGCHLD, NULL);
	TRY(child);
	TRY(waitpid(child, &status, WUNTRACED));
	if (!WIFSTOPPED(status))
		_exit(1);
	TRY(kill(child, SIGCONT));
	TRY(write(ready[1], "x", 1));
	for (;;)
		pause();
}

static int make(const char *file)
{
	static char stack[65536];
	char path[64], x;
	int ready[2];
	long inner = 0;
	pid_t pid;
	FILE *f;

	TRY(pipe(ready));
	pid = clone(first, stack + sizeof(stack), SIGCHLD | CLONE_NEWNS |
		    CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS, ready);
	TRY(pid);
	close(ready[1]);
	if (read(ready[0], &x, 1) != 1)
		return 1;
	/* what the second one is called out here */
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
	f = fopen(path, "r");
	if (!f || fscanf(f, "%ld", &inner) != 1)
		return 1;
	fclose(f);
	return made(file, pid, inner);
}

/* Until it is killed; its children go with it. */
static int made(const char *file, pid_t first, long second)
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "%s.new", file);
	f = fopen(path, "w");
	if (!f)
		return 1;
	fprintf(f, "%d %ld\n", (int)first, second);
	if (fclose(f) || rename(path, file))
		return 1;
	for (;;)
		pause();
}

/* --- looks at it ------------------------------------------------------------------- */

static void copy(int fd)
{
	char buf[65536];
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0)
		fwrite(buf, 1, (size_t)n, stdout);
	TRY(n);
}

/* What makes a line of anything: bytes other than letters and digits as \ooo. */
static void word(const char *s, size_t n)
{
	for (; n--; s++)
		if (*s > ' ' && *s < 127 && *s != '\\')
			putchar(*s);
		else
			printf("\\%03o", (unsigned char)*s);
}

static void digest(int fd)
{
	uint64_t h = 0xcbf29ce484222325ULL;
	off_t at = 0, end;
	char buf[65536];
	ssize_t n, i;

	while ((at = lseek(fd, at, SEEK_DATA)) >= 0) {
		end = lseek(fd, at, SEEK_HOLE);
		printf(" data=%lld+%lld", (long long)at, (long long)(end - at));
		for (; at < end; at += n) {
			n = pread(fd, buf, end - at < (off_t)sizeof(buf) ?
				  (size_t)(end - at) : sizeof(buf), at);
			if (n <= 0)
				break;
			for (i = 0; i < n; i++)
				h = (h ^ (unsigned char)buf[i]) * 0x100000001b3ULL;
		}
	}
	printf(" digest=%016llx", (unsigned long long)h);
}

static int cmp(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void attributes(const char *name)
{
	static char names[65536], value[65536];
	char *list[100];
	ssize_t n = llistxattr(name, names, sizeof(names)), k;
	size_t nr = 0, i;
	char *p;

	for (p = names; n > 0 && p < names + n && nr < 100; p += strlen(p) + 1)
		list[nr++] = p;
	qsort(list, nr, sizeof(*list), cmp);
	for (i = 0; i < nr; i++) {
		k = lgetxattr(name, list[i], value, sizeof(value));
		TRY(k);
		printf(" ");
		word(list[i], strlen(list[i]));
		printf("=");
		word(value, (size_t)k);
	}
}

/* Unless 0, what is of another filesystem is left out. */
static dev_t only;

/*
 * The work directory of an overlay: the kernel cleans it out when the overlay is made,
 * and keeps a whiteout in it to link more from.
 */
static bool is_works(const char *path)
{
	const char *p = strstr(path, "/overlay/work");

	return p && (!p[13] || p[13] == '/');
}

static void line(const char *path, const char *name)
{
	char target[4096];
	struct statfs fs;
	struct stat st;
	int fd, flags = 0;
	ssize_t n;

	TRY(lstat(name, &st));
	if (only && st.st_dev != only)
		return;
	word(path, strlen(path));
	if (is_works(path)) {
		puts(" an overlay's");
		return;
	}
	printf(" mode=%06o uid=%u gid=%u", st.st_mode, st.st_uid, st.st_gid);
	/* of proc, that is when it was mounted */
	if (statfs(name, &fs) || fs.f_type != PROC_SUPER_MAGIC)
		printf(" mtime=%lld.%09ld", (long long)st.st_mtim.tv_sec,
		       st.st_mtim.tv_nsec);
	if (!S_ISDIR(st.st_mode) && !(S_ISCHR(st.st_mode) && !st.st_rdev))
		printf(" nlink=%lu", (unsigned long)st.st_nlink);
	if (S_ISREG(st.st_mode))
		printf(" size=%lld", (long long)st.st_size);
	if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
		printf(" dev=%u:%u", major(st.st_rdev), minor(st.st_rdev));
	if (S_ISLNK(st.st_mode)) {
		n = readlink(name, target, sizeof(target));
		TRY(n);
		printf(" target=");
		word(target, (size_t)n);
	}
	attributes(name);
	if (S_ISREG(st.st_mode)) {
		fd = open(name, O_RDONLY | O_NOFOLLOW | O_NOATIME);
		TRY(fd);
		if (!ioctl(fd, FS_IOC_GETFLAGS, &flags))
			printf(" flags=%x", flags & FS_FL_USER_MODIFIABLE);
		digest(fd);
		close(fd);
	}
	putchar('\n');
}

/* Of proc, whose files are the machine's own, only that it is there. */
static bool is_left_out(void)
{
	struct statfs fs;
	struct stat st;

	if (only) {
		TRY(stat(".", &st));
		return st.st_dev != only;
	}
	TRY(statfs(".", &fs));
	return fs.f_type == PROC_SUPER_MAGIC;
}

static void walk(const char *path)
{
	char below[8192], **names = NULL;
	struct dirent *d;
	struct stat st;
	size_t nr = 0, i;
	DIR *dir;
	int fd;

	if (strlen(path) > 1 && is_left_out())
		return;
	dir = opendir(".");
	if (!dir)
		TRY(-1);
	while ((d = readdir(dir))) {
		if (!strcmp(d->d_name, ".") || !strcmp(d->d_name, ".."))
			continue;
		names = realloc(names, (nr + 1) * sizeof(*names));
		names[nr++] = strdup(d->d_name);
	}
	closedir(dir);
	qsort(names, nr, sizeof(*names), cmp);
	for (i = 0; i < nr; i++) {
		snprintf(below, sizeof(below), "%s/%s", strcmp(path, "/") ? path : "",
			 names[i]);
		line(below, names[i]);
		TRY(lstat(names[i], &st));
		/* an automount would be asked for */
		if (!S_ISDIR(st.st_mode) || is_works(below) ||
		    (only && st.st_dev != only))
			continue;
		fd = open(".", O_PATH | O_DIRECTORY);
		TRY(fd);
		TRY(chdir(names[i]));
		walk(below);
		TRY(fchdir(fd));
		close(fd);
	}
	for (i = 0; i < nr; i++)
		free(names[i]);
	free(names);
}

/* As mountinfo writes it. */
static void plain(char *s)
{
	char *to = s;

	for (; *s; s++)
		if (*s == '\\' && s[1] && s[2] && s[3]) {
			*to++ = (char)((s[1] - '0') * 64 + (s[2] - '0') * 8 + s[3] - '0');
			s += 3;
		} else {
			*to++ = *s;
		}
	*to = '\0';
}

/* What has come in below a mountpoint that something else covers by now. */
static bool is_hidden(const char *path)
{
	struct stat st;

	if (!lstat(path, &st))
		return false;
	if (errno != ENOENT)
		TRY(-1);
	word(path, strlen(path));
	puts(" hidden");
	return true;
}

/*
 * Where the next mount that can be seen is; false: that was all.  A devtmpfs is the
 * machine's, and who looks at an autofs waits for its automounter.
 */
static bool next_place(FILE *in, char path[4096])
{
	char entry[8192];

	while (in && fgets(entry, sizeof(entry), in)) {
		if (sscanf(entry, "%*s %*s %*s %*s %4095s", path) != 1)
			TRY(-1);
		plain(path);
		if (!strstr(entry, " - devtmpfs ") && !strstr(entry, " - autofs ") &&
		    !is_hidden(path))
			return true;
	}
	return false;
}

/* Each root of one that is shown, at the first place. */
static void memory(int mountinfo)
{
	FILE *in = fdopen(mountinfo, "r");
	char path[4096];
	struct stat *seen = NULL, st;
	size_t nr = 0, i;
	struct statfs fs;

	while (next_place(in, path)) {
		TRY(lstat(path, &st));
		TRY(statfs(path, &fs));
		if (fs.f_type != TMPFS_MAGIC && fs.f_type != RAMFS_MAGIC &&
		    fs.f_type != OVERLAYFS_SUPER_MAGIC)
			continue;
		for (i = 0; i < nr; i++)
			if (seen[i].st_dev == st.st_dev && seen[i].st_ino == st.st_ino)
				break;
		if (i < nr)
			continue;
		seen = realloc(seen, (nr + 1) * sizeof(*seen));
		seen[nr++] = st;
		/* files of an overlay have the devices of its layers */
		only = fs.f_type == OVERLAYFS_SUPER_MAGIC ? 0 : st.st_dev;
		line(path, path);
		if (!S_ISDIR(st.st_mode))
			continue;
		TRY(chdir(path));
		walk(path);
	}
	free(seen);
}

/* How large each filesystem may become, by where it is mounted. */
static void sizes(int mountinfo)
{
	FILE *in = fdopen(mountinfo, "r");
	char path[4096];
	struct statfs fs;

	while (next_place(in, path)) {
		TRY(statfs(path, &fs));
		printf("%s %llu %llu\n", path,
		       (unsigned long long)fs.f_blocks * (unsigned long long)fs.f_bsize,
		       (unsigned long long)fs.f_files);
	}
}

/* Which processes the proc in there shows. */
static void pids(void)
{
	DIR *dir = opendir("/proc");
	struct dirent *d;

	if (!dir)
		TRY(-1);
	while ((d = readdir(dir)))
		if (strspn(d->d_name, "0123456789") == strlen(d->d_name))
			puts(d->d_name);
	closedir(dir);
}

static int enter(const char *file)
{
	int ns = open(file, O_RDONLY), proc = open("/proc", O_PATH | O_DIRECTORY);

	TRY(ns);
	TRY(proc);
	TRY(setns(ns, CLONE_NEWNS));
	return proc;
}

static int send_raw(const char *device)
{
	struct termios t;
	char buf[4096];
	ssize_t n, done, k;
	int fd = open(device, O_WRONLY | O_NOCTTY);

	TRY(fd);
	TRY(tcgetattr(fd, &t));
	cfmakeraw(&t);
	TRY(tcsetattr(fd, TCSANOW, &t));
	while ((n = read(0, buf, sizeof(buf))) > 0)
		for (done = 0; done < n; done += k) {
			k = write(fd, buf + done, (size_t)(n - done));
			TRY(k);
		}
	TRY(n);
	TRY(tcdrain(fd));
	return 0;
}

/* What standard output is to have of the mount namespace; false: no such look. */
static bool look(const char *what, const char *file)
{
	int proc = enter(file), fd = openat(proc, "self/mountinfo", O_RDONLY);

	TRY(fd);
	if (!strcmp(what, "mounts")) {
		copy(fd);
	} else if (!strcmp(what, "sizes")) {
		sizes(fd);
	} else if (!strcmp(what, "memory")) {
		memory(fd);
	} else if (!strcmp(what, "pids")) {
		pids();
	} else if (!strcmp(what, "files")) {
		line("/", ".");
		walk("/");
	} else {
		return false;
	}
	return true;
}

/* A process for each, since none comes back. */
static int each(const char *what, const char *prefix, const char *name, char **files)
{
	char path[4096];
	int i, status;
	pid_t pid;

	for (i = 0; files[i]; i++) {
		pid = fork();
		TRY(pid);
		if (!pid) {
			snprintf(path, sizeof(path), "%s.%d.%s", prefix, i, name);
			if (!freopen(path, "w", stdout))
				TRY(-1);
			_exit(!look(what, files[i]) || fflush(stdout));
		}
		TRY(waitpid(pid, &status, 0));
		if (status)
			return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (argc < 3) {
		fprintf(stderr, "usage: migrant make|make-user|mounts|sizes|pids|files|memory|hold|mount|umount|each|send WHERE [PATH]\n");
		return 2;
	}
	if (!strcmp(what, "make"))
		return make(argv[2]);
	if (!strcmp(what, "make-user"))
		return make_user(argv[2]);
	if (!strcmp(what, "send"))
		return send_raw(argv[2]);
	if (!strcmp(what, "each") && argc > 5)
		return each(argv[2], argv[3], argv[4], argv + 5);
	if (!strcmp(what, "mount") && argc > 3) {
		enter(argv[2]);
		TRY(mount("event", argv[3], "tmpfs", 0, "size=4k"));
	} else if (!strcmp(what, "umount") && argc > 3) {
		enter(argv[2]);
		TRY(umount2(argv[3], 0));
	} else if (!strcmp(what, "hold")) {
		enter(argv[2]);
		for (;;)
			pause();
	} else if (!look(what, argv[2])) {
		return 2;
	}
	return fflush(stdout) ? 1 : 0;
}
