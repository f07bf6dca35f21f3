// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * verify --events, where an event or a copy of it hides the way to its own place
 * or to another one: it is compared like the others, and nothing stays, however
 * the comparison ends.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include "mntcr.h"
#include "base/base.h"
#include "topology/topology.h"
#include "scene.h"

static int touch(const char *path)
{
	int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);

	return fd < 0 ? -1 : close(fd);
}

static int tmpfs(const char *path)
{
	DO(mkdir(path, 0755));
	DO(mount(path, path, "tmpfs", 0, NULL));
	return mount("none", path, "none", MS_SHARED, NULL);
}

static int bind(const char *from, const char *to)
{
	return mount(from, to, "none", MS_BIND, NULL);
}

/* Apart from the other one's. */
static int own_place(void)
{
	DO(mount("own", SCENE_DIR, "tmpfs", 0, NULL));
	return chdir(SCENE_DIR);
}

/* On c: covers s as well, where c is. */
static int in_itself(void *data)
{
	DO(own_place());
	DO(tmpfs("s"));
	DO(mkdir("s/c", 0755));
	return bind("s", "s/c") ? errno : 0;
}

/* On x, a peer of one that shows d: covers d, and below that y hangs. */
static int another_place(void *data)
{
	DO(own_place());
	DO(tmpfs("s"));
	DO(mkdir("s/d", 0755));
	DO(mkdir("s/d/y", 0755));
	DO(mkdir("x", 0755));
	DO(bind("s/d", "x"));
	DO(mount("y", "s/d/y", "tmpfs", 0, NULL));
	return 0;
}

/* Files: f on g, and all of it seen once more below. */
static int files(void *data)
{
	DO(own_place());
	DO(tmpfs("s"));
	DO(touch("s/f"));
	DO(touch("s/g"));
	DO(mkdir("s/c", 0755));
	DO(bind("s", "s/c"));
	DO(bind("s/f", "s/c/g"));
	return 0;
}

static int on_the_root(void *data)
{
	DO(own_place());
	DO(mount("none", "/", "none", MS_REC | MS_SHARED, NULL));
	DO(mkdir("c", 0755));
	return bind("/", "c") ? errno : 0;
}

/* At the end of a way that is too long for one call. */
static int far_away(void *data)
{
	char name[256];
	int i;

	memset(name, 'n', 250);
	name[250] = '\0';
	DO(own_place());
	for (i = 0; i < 20; i++) {
		DO(mkdir(name, 0755));
		DO(chdir(name));
	}
	return tmpfs("m") ? errno : 0;
}

static int (*const scenes[])(void *data) = {
	in_itself, another_place, files, on_the_root, far_away,
};

struct pair {
	struct holder h[2];
	struct mntcr_source src[2];
	struct mntcr_topology *before;
};

static void begin(struct pair *p, int (*build)(void *data))
{
	struct mntcr_error e;
	int i;

	scene_enter();
	for (i = 0; i < 2; i++) {
		p->h[i] = scene_hold(CLONE_NEWNS, build, NULL);
		p->src[i] = (struct mntcr_source){ .type = MNTCR_SOURCE_FD,
						   .fd = p->h[i].ns };
	}
	REQUIRE(!mntcr_capture(p->src, 2, NULL, &p->before, &e));
}

static void finish(struct pair *p)
{
	mntcr_topology_free(p->before);
	scene_release(&p->h[0]);
	scene_release(&p->h[1]);
}

static void say(void *data, const char *line)
{
	TAP_SAY("%s", line);
}

static void nothing_stays(const struct pair *p)
{
	struct mntcr_verify_options opts = {
		.size = sizeof(opts), .report = say, .max_reports = 5,
	};
	struct mntcr_topology *now;
	struct mntcr_error e;
	size_t nr = 1;

	REQUIRE(!mntcr_capture(p->src, 2, NULL, &now, &e));
	REQUIRE(!mntcr_verify(p->before, now, &opts, &nr, &e));
	CHECK_EQ(nr, 0);
	mntcr_topology_free(now);
}

static void compare_all(enum mntcr_method method)
{
	struct mntcr_capture_options co = {
		.size = sizeof(co), .method = method,
	};
	struct mntcr_verify_options opts = {
		.size = sizeof(opts),
		.report = say, .left_out = say,
					     .capture = &co };
	long step = tap_step(UNDER_ASAN ? 3 : 1);
	struct mntcr_error e;
	struct pair p;
	size_t i, nr, nr_events;
	int ret;

	for (i = (size_t)tap_first(step); i < MC_ARRAY_SIZE(scenes); i += (size_t)step) {
		begin(&p, scenes[i]);
		ret = mntcr_verify_events(&p.src[0], 1, &p.src[1], 1, &opts,
					  &nr_events, &nr, &e);
		if (ret)
			TAP_SAY("scene %zu: %s", i, e.text);
		CHECK_EQ(ret, 0);
		CHECK_EQ(nr, 0);
		CHECK(nr_events > 1);
		nothing_stays(&p);
		finish(&p);
	}
}

static void compared_like_the_others(void)
{
	compare_all(MNTCR_METHOD_AUTO);
}

static void by_mountinfo_as_well(void)
{
	compare_all(MNTCR_METHOD_MOUNTINFO);
}

/* --- what no path leads to ------------------------------------------------------ */

struct count {
	const char *why;
	size_t nr;
};

static void count(void *data, const char *line)
{
	struct count *c = data;
	size_t n = strlen(line), k = strlen(c->why);

	c->nr += n > k && !strcmp(line + n - k, c->why);
}

/* All but one is compared, which is said to be left out. */
static void one_is_left_out(int (*build)(void *data), const char *why)
{
	struct count c = { .why = why };
	size_t nr, nr_events;
	struct mntcr_verify_options opts = {
		.size = sizeof(opts),
		.report = say, .left_out = count, .data = &c,
	};
	struct mntcr_error e;
	struct pair p;
	int ret;

	begin(&p, build);
	ret = mntcr_verify_events(&p.src[0], 1, &p.src[1], 1, &opts, &nr_events,
				  &nr, &e);
	if (ret)
		TAP_SAY("%s", e.text);
	CHECK_EQ(ret, 0);
	CHECK_EQ(nr, 0);
	CHECK(nr_events > 0);
	CHECK_EQ(c.nr, 1);
	nothing_stays(&p);
	finish(&p);
}

static int unlinked_file(void *data)
{
	DO(own_place());
	DO(tmpfs("s"));
	DO(touch("s/f"));
	DO(touch("s/g"));
	DO(bind("s/f", "s/g"));
	DO(unlink("s/f"));
	return 0;
}

static int unlinked_directory(void *data)
{
	DO(own_place());
	DO(tmpfs("s"));
	DO(mkdir("s/d", 0755));
	DO(mkdir("s/e", 0755));
	DO(bind("s/d", "s/e"));
	DO(rmdir("s/d"));
	return 0;
}

/* The kernel mounts nothing on what has been unlinked. */
static void unlinked(void)
{
	static const char why[] =
		": left out: its root has been unlinked: the kernel mounts nothing there";

	one_is_left_out(unlinked_file, why);
	one_is_left_out(unlinked_directory, why);
}

/* --- however it ends ------------------------------------------------------------ */

static int sig;

/* While the event is there, for its copy is reported. */
static void end_it(void *data, const char *line)
{
	const char *where = data;

	say(NULL, line);
	if (strstr(line, where))
		kill(getpid(), sig);
}

/*
 * t a peer of BASE/t, x a slave of BASE/e; what e receives from is outside, and
 * so only an event can tell the two apart.
 */
static int slave_of_outside(void *data)
{
	char from[64];

	DO(chdir(SCENE_DIR));
	snprintf(from, sizeof(from), "%s/t", (const char *)data);
	DO(mount(from, "t", "none", MS_BIND | MS_REC, NULL));
	snprintf(from, sizeof(from), "%s/e", (const char *)data);
	DO(bind(from, "x"));
	DO(mount("none", "x", "none", MS_SLAVE, NULL));
	/* what goes there is not to go elsewhere */
	DO(mount("none", "one", "none", MS_REC | MS_PRIVATE, NULL));
	DO(mount("none", "two", "none", MS_REC | MS_PRIVATE, NULL));
	DO(umount2("one", MNT_DETACH));
	return umount2("two", MNT_DETACH) ? errno : 0;
}

static void outside(const char *base, bool receives)
{
	scene_mkdir(base);
	scene_tmpfs(base, base);
	REQUIRE(!chdir(base));
	scene_mkdir("t");
	scene_mkdir("e");
	scene_tmpfs("t", "t");
	scene_type("t", MS_SHARED);
	scene_mkdir("t/c");
	scene_bind("t", "t/c");
	scene_bind("t", "e");
	scene_type("e", receives ? MS_SLAVE : MS_PRIVATE);
	scene_type("e", MS_SHARED);
	REQUIRE(!chdir(".."));
}

static void begin_outside(struct pair *p)
{
	static const char * const base[] = { "one", "two" };
	struct mntcr_error e;
	int i;

	scene_enter();
	scene_mkdir("t");
	scene_mkdir("x");
	outside(base[0], true);
	outside(base[1], false);
	for (i = 0; i < 2; i++) {
		p->h[i] = scene_hold(CLONE_NEWNS, slave_of_outside,
				     (void *)base[i]);
		p->src[i] = (struct mntcr_source){ .type = MNTCR_SOURCE_FD,
						   .fd = p->h[i].ns };
	}
	REQUIRE(!mntcr_capture(p->src, 2, NULL, &p->before, &e));
}

/*
 * Ended by a signal while an event is there that hides its own place.  Blocked
 * ones wait until it is gone; SIGKILL does not, but the helper remains.
 */
static void gone_however_it_ends(void)
{
	static const int sigs[] = { SIGTERM, SIGINT, SIGKILL };
	struct mntcr_verify_options opts = {
		.size = sizeof(opts), .report = end_it, .data = "/t/c:",
	};
	struct mntcr_error e;
	struct pair p;
	size_t nr, i;
	int status, k;
	pid_t pid;

	/* helpers become this one's to wait for */
	REQUIRE(!prctl(PR_SET_CHILD_SUBREAPER, 1));
	for (i = 0; i < MC_ARRAY_SIZE(sigs); i++) {
		begin_outside(&p);
		sig = sigs[i];
		fflush(stdout);
		pid = fork();
		REQUIRE(pid >= 0);
		if (!pid) {
			alarm(60);
			if (mntcr_verify_events(&p.src[0], 1, &p.src[1], 1,
						&opts, &nr, &nr, &e))
				TAP_SAY("%s", e.text);
			fflush(stdout);
			_exit(99);
		}
		REQUIRE(waitpid(pid, &status, 0) == pid);
		CHECK(WIFSIGNALED(status));
		CHECK_EQ(WTERMSIG(status), sigs[i]);
		/* one for each of the two */
		alarm(60);
		for (k = 0; k < 2 && sigs[i] == SIGKILL; k++) {
			pid = waitpid(-1, &status, __WALL);
			CHECK(pid > 0 && pid != p.h[0].pid && pid != p.h[1].pid);
			CHECK(WIFEXITED(status) && !WEXITSTATUS(status));
		}
		alarm(0);
		nothing_stays(&p);
		finish(&p);
	}
}

int main(void)
{
	TAP_RUN(compared_like_the_others);
	TAP_RUN(by_mountinfo_as_well);
	TAP_RUN(unlinked);
	TAP_RUN(gone_however_it_ends);
	return tap_done();
}
