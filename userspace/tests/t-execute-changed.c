// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Images that nobody dumped are executed: a few fields of one that was are changed at
 * random, and what can still be read and planned is restored, in a child.  It ends by
 * itself; where it says that it is done, and told no difference, verify finds none; where
 * not, it says why and is gone without a trace; what is live is as it was.
 *
 * usage: t-execute-changed [IMAGES [SEED [ONE [SCENE]]]]: so many are executed of each
 * scene; or, unless ONE is 0, only the one with that number, which a failure names, and
 * whose text is shown if it fails again.
 *
 * Copyright (C) 2026 The mount checkpoint/restore authors
 */
#include <ftw.h>
#include <linux/magic.h>
#include <sys/mman.h>

#include "image/image.h"
#include "change-image.h"
#include "each-scene.h"

/* What the child says by its exit status. */
enum {
	DONE = 10,
	DIFFERS,	/* as it had told */
	REFUSED,
	FAILED,
	WRONG,
};

static size_t wanted = 10, only_one;
static uint64_t seed = 1;
static size_t total[WRONG + 1];

static bool disturbed(void)
{
	return false;
}

static void note(void *data, const char *line)
{
	*(bool *)data = true;
}

static int wrong(const char *what, const char *text)
{
	TAP_SAY("%s: %s", what, text);
	return WRONG;
}

/*
 * Nothing makes another one of a live superblock, whatever is said of it; a live mount is
 * found by its id, of whatever superblock it is said to be, and its root has been renamed
 * for all that one knows.  Where two records of one file differ, one of them is wrong; there
 * is no mount without a source (alloc_vfsmnt()); and a size that is not the default is among
 * the options.
 */
static bool can_be(const char *line)
{
	return !strstr(line, " file of its ") && !strstr(line, ": source: '(none)'") &&
	       !(strstr(line, ": options: ") &&
		 (strstr(line, "size=") || strstr(line, "nr_inodes="))) &&
	       (!o.nr_sources || (!strstr(line, ": size: ") && !strstr(line, ": source: ") &&
				  !strstr(line, ": options: ") &&
				  !strstr(line, ": filesystem type: ") &&
				  !strstr(line, ": which unlinked file: ") &&
				  !strstr(line, ": external group: ") &&
				  !strstr(line, ": owned by a") &&
				  !strstr(line, ": its superblock belongs to: ") &&
				  !strstr(line, ": device: ") &&
				  !strstr(line, ": superblock is not the counterpart: ") &&
				  !strstr(line, ": root: ")));
}

static void differs(void *data, const char *line)
{
	if (!can_be(line))
		return;
	TAP_SAY("verify: %s", line);
	*(bool *)data = true;
}

/* Compared with the image that it was restored from. */
static int judge(const struct mntcr_topology *image, bool was_told)
{
	bool other = false;
	struct mntcr_verify_options vo = {
		.size = sizeof(vo),
		.flags = verify_flags, .report = differs, .data = &other,
	};
	struct mntcr_source s[WORLD_MAX_NS * 2] = { 0 };
	struct mntcr_topology *got = NULL;
	struct mntcr_error e = { 0 };
	size_t nr = 0, i;

	if (mntcr_restored_nr_ns(r) > MC_ARRAY_SIZE(s))
		return wrong("namespaces", "more than there were");
	for (i = 0; i < mntcr_restored_nr_ns(r); i++) {
		s[i].type = MNTCR_SOURCE_FD;
		s[i].fd = mntcr_restored_ns_fd(r, i);
	}
	if (mntcr_capture(s, i, NULL, &got, &e))
		return wrong("capture", e.text);
	if (was_told)
		vo.report = NULL;
	if (mntcr_verify(image, got, &vo, &nr, &e))
		return wrong("verify", e.text);
	mntcr_topology_free(got);
	if (was_told)
		return nr ? DIFFERS : DONE;
	return other ? wrong("it is done", "and not what the image says") : DONE;
}

static int restored(const struct mntcr_topology *image)
{
	struct mntcr_error e = { 0 };
	bool was_told = false;
	int ret;

	o.difference = note;
	o.data = &was_told;
	if (mntcr_restore(image, &o, &r, &e)) {
		if (!*e.text)
			return wrong("failed", "without a word");
		if (e.code == MNTCR_REFUSED)
			return *e.rule ? REFUSED : wrong("refused by no rule", e.text);
		return FAILED;
	}
	ret = judge(image, was_told);
	undo_restore();
	return ret;
}

/* The image of the scene, changed; what became of it, or 0: it can't be read. */
static int try_one(json_t *image, size_t n)
{
	struct mntcr_topology *changed = NULL;
	struct mntcr_error e = { 0 };
	pid_t pid;
	char *text;
	int status;

	ci_seed(seed + n * 1000003);
	text = ci_changed(image);
	REQUIRE(text);
	if (mc_image_parse(text, strlen(text), "changed", &changed, &e)) {
		CHECK(*e.text);
		free(text);
		return 0;
	}
	fflush(stdout);
	pid = fork();
	REQUIRE(pid >= 0);
	if (!pid) {
		alarm(60);
		status = restored(changed);
		fflush(stdout);
		_exit(status);
	}
	REQUIRE(waitpid(pid, &status, 0) == pid);
	mntcr_topology_free(changed);
	if (!WIFEXITED(status) || WEXITSTATUS(status) < DONE || WEXITSTATUS(status) >= WRONG) {
		TAP_SAY("image %zu of seed %llu: status %x%s%s", n, (unsigned long long)seed,
			status, only_one ? ": " : "", only_one ? text : "");
		tap.bad++;
	}
	free(text);
	return WIFEXITED(status) ? WEXITSTATUS(status) : WRONG;
}

static json_t *image_of_scene(void)
{
	struct mntcr_error e = { 0 };
	char *text = NULL;
	json_t *image;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	REQUIRE(out && !mc_image_print(t, out, &e) && !fclose(out));
	image = json_loadb(text, len, 0, NULL);
	REQUIRE(image);
	free(text);
	return image;
}

/* --- what is live ------------------------------------------------------------- */

static struct wd_text files;

static int add_entry(const char *path, const struct stat *st, int type, struct FTW *at)
{
	struct statfs fs;
	char line[512];
	int n;

	/* what the kernel makes up changes by itself */
	if (type == FTW_D && (statfs(path, &fs) || fs.f_type != TMPFS_MAGIC))
		return FTW_SKIP_SUBTREE;
	n = snprintf(line, sizeof(line), "%s %o %lld %lld.%09ld\n", path, st->st_mode,
		     (long long)st->st_size, (long long)st->st_mtim.tv_sec,
		     st->st_mtim.tv_nsec);
	return n >= (int)sizeof(line) || wd_add(&files, line, (size_t)n) ? FTW_STOP :
	       FTW_CONTINUE;
}

/* In the namespace: what is in its filesystems, to where the test reads it. */
static int list_files(void *arg)
{
	files.len = 0;
	if (nftw("/", add_entry, 16, FTW_PHYS | FTW_ACTIONRETVAL))
		return 1;
	return write(*(int *)arg, files.s, files.len) != (ssize_t)files.len;
}

static char *live_files(void)
{
	struct wd_text all = { 0 };
	int fd = memfd_create("files", MFD_CLOEXEC);
	size_t i;

	REQUIRE(fd >= 0);
	for (i = 0; i < w.nr; i++)
		REQUIRE(!world_in(w.ns[i], list_files, &fd));
	REQUIRE(!lseek(fd, 0, SEEK_SET) && !wd_read_all(fd, &all));
	close(fd);
	return all.s;
}

static void same(const char *what, char *before, char *after)
{
	if (strcmp(before, after)) {
		TAP_SAY("%s: before:\n%s\nafter:\n%s", what, before, after);
		tap.bad = 1;
	}
	free(before);
	free(after);
}

/* --- each scene --------------------------------------------------------------- */

static void each_once(const struct job *j)
{
	char *before, *listed;
	json_t *image;
	size_t n, executed = 0, nr[WRONG + 1] = { 0 };
	int what;

	before = state();
	listed = live_files();
	image = image_of_scene();
	for (n = only_one; executed < wanted && (only_one || n < 200 * wanted) && tap.bad < 5; n++) {
		what = try_one(image, n);
		nr[what]++;
		total[what]++;
		executed += what == DONE || what == DIFFERS || what == FAILED;
		if (only_one)
			break;
	}
	json_decref(image);
	TAP_SAY("%zu images: %zu executed (%zu done, %zu not as told, %zu failed), %zu refused, %zu not read",
		n, executed, nr[DONE], nr[DIFFERS], nr[FAILED], nr[REFUSED], nr[0]);
	CHECK(tap.bad || only_one || executed == wanted);
	same("state", before, state());
	same("files", listed, live_files());
}

static void each_way(const struct job *j, long least)
{
	each_once(j);
}

static const struct scene_test tests[] = { EACH_SCENE };

int main(int argc, char **argv)
{
	if (argc > 1)
		wanted = strtoul(argv[1], NULL, 10);
	if (argc > 2)
		seed = strtoull(argv[2], NULL, 10);
	if (argc > 3)
		only_one = strtoul(argv[3], NULL, 10);
	/* the last one is a bind, of no image */
	run_scenes(tests, MC_ARRAY_SIZE(tests) - 1, argc > 4 ? argv[4] : NULL);
	printf("# executed %zu: %zu done, %zu with differences that were told, %zu failed; refused %zu, not read %zu\n",
	       total[DONE] + total[DIFFERS] + total[FAILED], total[DONE], total[DIFFERS],
	       total[FAILED], total[REFUSED], total[0]);
	return tap_done();
}
