// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A restore, a bind, a dump or a comparison of events is killed after each of its system
 * calls in turn, SIGKILL: nothing stays mounted that was not, the namespaces that are
 * read are as they were, what was frozen is not any more, and a second try is as good as
 * if there had been none.
 *
 * A sample: so many kills of each scene, evenly over its calls, whatever the clock says.
 * Calls of helpers count, too, but it is never a helper that is killed alone.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <dirent.h>

#include "each-scene.h"
#include "killed.h"

#define PINS	"/tmp/shared/pins"

static bool disturbed(void)
{
	return false;
}

/* Kills of each scene, 0: after every call; which of the calls; or after this one only. */
static long sample = 16, seed, only_call = -1;

static int run_job(void *data)
{
	const struct job *j = data;
	struct mntcr_error e = { 0 };

	return j->run(&e);
}

/*
 * What mntcr-restore(1) says may stay: the tmpfs for pins, which the next restore takes
 * away, and its directory.
 */
static bool only_pins(const char *before, const char *after)
{
	const char *line, *end;
	char *text;
	bool same = true;

	for (line = after; *line && same; line = end + (*end != '\0')) {
		end = line + strcspn(line, "\n");
		text = strndup(line, (size_t)(end - line));
		REQUIRE(text);
		same = strstr(before, text) || strstr(text, "/pins");
		free(text);
	}
	return same;
}

static bool as_before(const char *before, bool pins)
{
	char *after = NULL;
	bool same = false;
	long ms;

	/* mounts and namespaces go a moment after those who held them */
	for (ms = 0; ms < 2000 && !same; ms += 10) {
		free(after);
		after = state();
		same = (!strcmp(before, after) || (pins && only_pins(before, after))) &&
		       (counted_ns < 0 || room_for(counted_ns + 1));
		if (!same)
			killed_sleep(10);
	}
	if (!same)
		TAP_SAY("before:\n%s\nafter:\n%s", before, after);
	free(after);
	return same;
}

static void unpin(void)
{
	if (umount2(PINS, MNT_DETACH) || rmdir(PINS))
		err(1, "%s", PINS);
}

/* Pins that are complete: that is a restore, and what they pin is as it should be. */
static void look_at_pins(void)
{
	int ns[WORLD_MAX_NS] = { -1 };
	char path[64];
	size_t i;

	for (i = 0; i < t->nr_ns; i++) {
		snprintf(path, sizeof(path), PINS "/%zu", i);
		ns[i] = open(path, O_RDONLY | O_CLOEXEC);
		REQUIRE(ns[i] >= 0);
	}
	check_namespaces(ns, i);
	while (i--)
		close(ns[i]);
}

/* --- a dump with contents ------------------------------------------------------- */

#define IMAGE	"/tmp/image"

static int run_dump(struct mntcr_error *e)
{
	struct mntcr_contents_options co = { .size = sizeof(co), .sources = src, .nr_sources = 1 };
	struct mntcr_topology *got = NULL;
	int ret = mntcr_capture(src, 1, NULL, &got, e) ||
		  mntcr_image_write_contents(got, &co, IMAGE, e);

	mntcr_topology_free(got);
	return ret ? -1 : 0;
}

static void check_dump(void)
{
	struct mntcr_topology *got = NULL;
	struct mntcr_contents *c = NULL;
	struct mntcr_error e = { 0 };

	if (mntcr_image_read_contents(IMAGE, &got, &c, &e))
		TAP_SAY("%s", e.text);
	REQUIRE(got && c && got->nr_mounts == 2);
	mntcr_topology_free(got);
	mntcr_contents_free(c);
}

static void undo_dump(void)
{
	REQUIRE(!unlink(IMAGE));
}

/* What has the name is whole; mntcr-dump(1) says what else may be there. */
static void take_image(void)
{
	const struct dirent *d;
	DIR *dir = opendir("/tmp");

	REQUIRE(dir);
	while ((d = readdir(dir)))
		if (!strncmp(d->d_name, ".mntcr-", 7))
			REQUIRE(!unlinkat(dirfd(dir), d->d_name, 0));
	closedir(dir);
	if (!access(IMAGE, F_OK)) {
		check_dump();
		undo_dump();
	}
}

static const struct job dump_job = { run_dump, check_dump, undo_dump };

static void files(void)
{
	int fd;

	world_new_root();
	w_tmpfs("files", "/f");
	w_touch("/f/empty");
	fd = open("/f/some", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, "seven!\n", 7) != 7)
		err(1, "/f/some");
	close(fd);
	if (symlink("some", "/f/link") || link("/f/some", "/f/linked"))
		err(1, "links");
}

static void dump_with_contents(void)
{
	prepare();
	world_add(&w, -1, files);
	src[0].fd = w.ns[0];
	each_once(&dump_job);
	world_close(&w);
}

static void restore_with_contents(void)
{
	struct mntcr_contents *c = NULL;
	struct mntcr_error e = { 0 };

	prepare();
	world_add(&w, -1, files);
	src[0].fd = w.ns[0];
	REQUIRE(!run_dump(&e));
	REQUIRE(!mntcr_image_read_contents(IMAGE, &t, &c, &e));
	undo_dump();
	o.contents = c;
	verify_flags = 0;
	each_once(&restore_job);
	mntcr_contents_free(c);
	finish();
}

/* --- a restore of a whole container, whose originals nothing is taken of ------------- */

/* Files, an overlay of some, peers, and what has been unlinked and is mounted. */
static void container_root(void)
{
	files();
	w_mkdir("/f/low/in");
	w_mkdir("/f/up");
	w_mkdir("/f/work");
	w_mkdir("/m");
	if (mount("ov", "/m", "overlay", 0, "lowerdir=/f/low,upperdir=/f/up,workdir=/f/work"))
		err(1, "overlay");
	w_tmpfs("peers", "/s");
	w_type("/s", MS_SHARED);
	w_mkdir("/p");
	w_bind("/s", "/p");
	w_touch("/f/gone");
	w_touch("/here");
	w_bind("/f/gone", "/here");
	if (unlink("/f/gone"))
		err(1, "unlink");
}

/* In a user namespace of its own, whose the tmpfs is as well. */
static void container_service(void)
{
	w_mkdir("/s/own");
	w_tmpfs("own", "/s/own");
	w_touch("/s/own/file");
}

static int do_look_inside(void *arg)
{
	char text[8] = "";
	int fd = open("/f/linked", O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || read(fd, text, sizeof(text)) != 7 || strcmp(text, "seven!\n"))
		return 1;
	if (access("/m/in", F_OK) || stat("/here", &st) || st.st_nlink)
		return 2;
	return arg && access("/s/own/file", F_OK) ? 3 : 0;
}

static void check_container(void)
{
	size_t i;

	check_restore();
	for (i = 0; i < w.nr; i++)
		CHECK_EQ(world_in(mntcr_restored_ns_fd(r, i), do_look_inside,
				  i == 2 ? "its own" : NULL), 0);
}

static const struct job container_job = { run_restore, check_container, undo_restore };

static void whole_container(void)
{
	struct mntcr_contents_options co = { .size = sizeof(co), .sources = src };
	struct mntcr_topology *live;
	struct mntcr_contents *c = NULL;
	struct mntcr_error e = { 0 };

	prepare();
	world_add(&w, -1, container_root);
	world_add(&w, 0, all_slave);
	/* which the upstream calls do not make */
	if (api == MNTCR_API_EXTENDED)
		world_add_flags(&w, 0, container_service, CLONE_NEWUSER);
	shoot();
	live = t;
	co.nr_sources = w.nr;
	if (mntcr_image_write_contents(live, &co, IMAGE, &e))
		TAP_SAY("%s", e.text);
	mntcr_topology_free(live);
	REQUIRE(!mntcr_image_read_contents(IMAGE, &t, &c, &e));
	undo_dump();
	o.sources = NULL;
	o.nr_sources = 0;
	o.contents = c;
	o.pin_dir = PINS;
	verify_flags = 0;
	each_once(&container_job);
	mntcr_contents_free(c);
	finish();
}

/* --- the same of a cgroup that is frozen meanwhile -------------------------------- */

#define CG	"/tmp/cg"

/* The machine's, where others may run this test. */
static char ct[64];

static int open_cgroup(const char *name, int flags)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", ct, name);
	fd = open(path, flags | O_CLOEXEC);
	if (fd < 0)
		err(1, "%s", path);
	return fd;
}

/* A container: a task with a mount namespace of its own. */
static pid_t contain(void)
{
	int ready[2];
	pid_t pid;
	char x;

	REQUIRE(!pipe2(ready, O_CLOEXEC));
	pid = fork();
	REQUIRE(pid >= 0);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (write(open_cgroup("cgroup.procs", O_WRONLY), "0", 1) != 1 ||
		    unshare(CLONE_NEWNS))
			err(1, "a container");
		files();
		if (write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	REQUIRE(read(ready[0], &x, 1) == 1);
	close(ready[0]);
	return pid;
}

static int run_frozen(struct mntcr_error *e)
{
	struct mntcr_contents_options co = { .size = sizeof(co) };
	struct mntcr_container c = { 0 };
	struct mntcr_topology *got = NULL;
	struct mntcr_freeze *f = NULL;
	struct mntcr_error later;
	int ret = mntcr_freeze(ct, NULL, &f, e) ||
		  mntcr_capture_cgroup(ct, NULL, &c, &got, e);

	co.sources = c.sources;
	co.nr_sources = c.nr;
	ret = ret || mntcr_image_write_contents(got, &co, IMAGE, e);
	mntcr_topology_free(got);
	mntcr_container_free(&c);
	return mntcr_thaw(f, ret ? &later : e) || ret ? -1 : 0;
}

/* Whoever was to thaw it has done so, or ended without: there is nothing to wait for. */
static void is_thawed(void)
{
	char is = 0;
	int fd = open_cgroup("cgroup.freeze", O_RDONLY);

	REQUIRE(read(fd, &is, 1) == 1);
	close(fd);
	CHECK_EQ(is, '0');
}

static void check_frozen(void)
{
	check_dump();
	is_thawed();
}

static const struct job frozen_job = { run_frozen, check_frozen, undo_dump };

static void container_that_is_frozen(void)
{
	pid_t task, pid;

	prepare();
	w_mkdir(CG);
	fflush(stdout);
	/* from a cgroup namespace of its own no options are set */
	pid = fork();
	if (!pid)
		_exit(unshare(CLONE_NEWCGROUP) || mount("cg", CG, "cgroup2", 0, NULL));
	if (wd_wait_for(pid))
		SKIP("no cgroup2");
	snprintf(ct, sizeof(ct), CG "/mntcr-XXXXXX");
	if (!mkdtemp(ct)) {
		REQUIRE(errno == EROFS || errno == EPERM || errno == EACCES);
		w_umount(CG);
		SKIP("no cgroup2");
	}
	/* beside it, one that nobody reads */
	world_add(&w, -1, files);
	task = contain();
	each_once(&frozen_job);
	kill(task, SIGKILL);
	waitpid(task, NULL, 0);
	REQUIRE(!rmdir(ct));
	w_umount(CG);
	world_close(&w);
}

/* --- a comparison of events ------------------------------------------------------- */

static int run_events(struct mntcr_error *e)
{
	struct mntcr_source a = { .type = MNTCR_SOURCE_FD, .fd = w.ns[0] };
	struct mntcr_source b = { .type = MNTCR_SOURCE_FD, .fd = w.ns[1] };
	struct mntcr_verify_options vo = { .size = sizeof(vo), .report = say };
	size_t events = 0, differences = 0;

	if (mntcr_verify_events(&a, 1, &b, 1, &vo, &events, &differences, e))
		return -1;
	return events && !differences ? 0 : -1;
}

static void no_trace(void)
{
}

static const struct job events_job = { run_events, no_trace, no_trace };

static void comparison_of_events(void)
{
	prepare();
	world_add(&w, -1, shared);
	world_add(&w, -1, shared);
	each_once(&events_job);
	world_close(&w);
}

/* --- killed after each ---------------------------------------------------------- */

/* What was killed after its last step has been done. */
static void take_back(const struct job *j, const char *before)
{
	char *after = state();

	if (j->run == run_bind && strcmp(before, after)) {
		j->check();
		j->undo();
	} else if (j->run == run_dump || j->run == run_frozen) {
		take_image();
		if (j->run == run_frozen)
			is_thawed();
	} else if (!access(PINS "/0", F_OK) && access(PINS "/.unfinished", F_OK)) {
		look_at_pins();
		unpin();
	}
	free(after);
}

static void again(const struct job *j)
{
	struct mntcr_error e = { 0 };

	if (j->run(&e)) {
		TAP_SAY("the second try: %s [%s]", e.text, e.rule);
		tap.bad = 1;
		return;
	}
	j->check();
	j->undo();
	/* one that was there before it is not its own to remove */
	rmdir(PINS);
}

/* Was it killed, and not through before? Then calls is how many there were this time. */
static bool kill_after(const struct job *j, const char *before, long n, long *calls)
{
	struct killed k;

	if (!killed_run(&k, run_job, (void *)j, n))
		tap.bad = 1;
	take_back(j, before);
	if (!as_before(before, o.pin_dir))
		tap.bad = 1;
	if (k.done) {
		CHECK(WIFEXITED(k.status) && !WEXITSTATUS(k.status));
		if (n - k.calls_left < *calls)
			*calls = n - k.calls_left;
	} else if (!tap.bad) {
		again(j);
	}
	if (!as_before(before, false))
		tap.bad = 1;
	if (tap.bad)
		TAP_SAY("killed after call %ld", n);
	return !k.done;
}

/* How many calls there are: more than it is, and it comes to its end. */
static long calls_of(const struct job *j, const char *before)
{
	const long many = 10000000;
	struct killed k;

	REQUIRE(killed_run(&k, run_job, (void *)j, many));
	REQUIRE(k.done && WIFEXITED(k.status) && !WEXITSTATUS(k.status));
	take_back(j, before);
	REQUIRE(as_before(before, o.pin_dir));
	return many - k.calls_left;
}

static void each_kill(const struct job *j)
{
	char *before = state();
	long calls = calls_of(j, before), nr = sample && sample < calls ? sample : calls;
	long i, kills = 0;
	int tries;

	if (only_call >= 0) {
		kills = kill_after(j, before, only_call, &calls);
		CHECK(kills);
		nr = 0;
	}
	/*
	 * Of calls that wait for a thread to end there are now more, now fewer: what was
	 * through before is tried again, among as many as there were.
	 */
	for (i = 0; i < nr && !tap.bad; i++)
		for (tries = 0; tries < 4 && !tap.bad; tries++)
			if (kill_after(j, before, (i * calls + seed % calls) / nr, &calls)) {
				kills++;
				break;
			}
	free(before);
	TAP_SAY("killed after %ld of some %ld calls", kills, calls);
	CHECK(tap.bad || only_call >= 0 || kills > nr / 2);
}

static void each_way(const struct job *j, long least)
{
	each_kill(j);
}

static void each_once(const struct job *j)
{
	each_kill(j);
}

/* --- what is left behind ---------------------------------------------------------- */

static int leave_one(void *data)
{
	pid_t pid = fork();

	while (!pid)
		pause();
	*(pid_t *)data = pid;
	return pid < 0;
}

/* Not only waited for by nobody: what adopts it may take its time, or never do. */
static bool is_running(pid_t pid)
{
	char path[40], line[512], *state;
	bool running = false;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "re");
	if (!f)
		return false;
	if (fgets(line, sizeof(line), f)) {
		state = strrchr(line, ')');
		running = state && state[1] == ' ' && !strchr("ZX", state[2]);
	}
	fclose(f);
	return running;
}

/* It does not outlive that it was seen. */
static void what_is_left_is_killed(void)
{
	pid_t *left = mmap(NULL, sizeof(*left), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	long patience = killed_patience, ms;
	struct killed k;

	REQUIRE(left != MAP_FAILED);
	killed_patience = 200;
	CHECK(!killed_run(&k, leave_one, left, 1000));
	killed_patience = patience;
	REQUIRE(k.done && *left > 0);
	for (ms = 0; ms < 2000 && is_running(*left); ms++)
		killed_sleep(1);
	CHECK(!is_running(*left));
	/* it is ours where this is the first process of a namespace */
	waitpid(*left, NULL, WNOHANG);
	munmap(left, sizeof(*left));
}

static const struct scene_test tests[] = {
	EACH_SCENE,
	{ "dump", dump_with_contents },
	{ "frozen", container_that_is_frozen },
	{ "contents", restore_with_contents },
	{ "container", whole_container },
	{ "events", comparison_of_events },
};

/* [KILLS [SEED] | NAME [CALL]] */
int main(int argc, char **argv)
{
	const char *only = argc > 1 ? argv[1] : NULL;

	/* emulated, each takes a second or two */
	if (tap_in_vm())
		sample = 3;
	if (only && *only >= '0' && *only <= '9') {
		sample = atol(only);
		seed = argc > 2 ? labs(atol(argv[2])) : 0;
		only = NULL;
	} else if (argc > 2) {
		only_call = labs(atol(argv[2]));
	}
	if (!only)
		TAP_RUN(what_is_left_is_killed);
	run_scenes(tests, MC_ARRAY_SIZE(tests), only);
	run_in_stages(only);
	return tap_done();
}
