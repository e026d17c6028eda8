/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the simulator's files stand on (sim/base): characters, names, memory
 * that is given back at once, work in processes.
 */
#include "tests/harness.h"

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mta/types.h"
#include "sim/base/arena.h"
#include "sim/base/jobs.h"
#include "sim/base/name_index.h"
#include "sim/base/utf8.h"

/* ---- utf8 --------------------------------------------------------------- */

/* RFC 3629, section 3: 1920 characters have two bytes (U+0080 to U+07FF), 61440
 * three (U+0800 to U+FFFF without the 2048 surrogates). Of all that two and
 * three bytes can be, those and no others are one character. */
START_TEST(utf8_of_two_and_three_bytes)
{
	unsigned char text[4] = {0};
	int two = 0, three = 0;

	for (unsigned a = 0xc0; a < 0x100; a++) {
		for (unsigned b = 1; b < 0x100; b++) {
			text[0] = (unsigned char)a;
			text[1] = (unsigned char)b;
			text[2] = 0;
			two += utf8_length(text) == 2;
			for (unsigned c = 1; c < 0x100; c++) {
				text[2] = (unsigned char)c;
				three += utf8_length(text) == 3;
			}
		}
	}
	ck_assert_int_eq(two, 1920);
	ck_assert_int_eq(three, 61440);
}
END_TEST

/* The limits of section 3 and the sequences that section 10 warns of. */
START_TEST(utf8_at_its_limits)
{
	static const struct {
		const char *text;
		size_t length;
	} cases[] = {
		{"A", 1},
		{"\x7f", 1},
		{"\xc2\x80", 2},
		{"\xdf\xbf", 2},
		{"\xe0\xa0\x80", 3},
		{"\xed\x9f\xbf", 3},
		{"\xee\x80\x80", 3},
		{"\xef\xbf\xbf", 3},
		{"\xf0\x90\x80\x80", 4},
		{"\xf4\x8f\xbf\xbf", 4},
		{"\x80", 0},
		{"\xc0\x80", 0},
		{"\xc1\xbf", 0},
		{"\xe0\x9f\xbf", 0},
		{"\xed\xa0\x80", 0},
		{"\xed\xbf\xbf", 0},
		{"\xf0\x8f\xbf\xbf", 0},
		{"\xf4\x90\x80\x80", 0},
		{"\xf5\x80\x80\x80", 0},
		{"\xff", 0},
		{"\xe2\x82", 0},
		{"\xf0\x9f\x92", 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_uint_eq(
			utf8_length((const unsigned char *)cases[i].text),
			cases[i].length);
	ck_assert(utf8_is_valid(""));
	ck_assert(utf8_is_valid("caf\xc3\xa9 \xe2\x82\xac"));
	ck_assert(!utf8_is_valid("caf\xe9"));
}
END_TEST

/* ---- name_index --------------------------------------------------------- */

enum {
	NAMES = 500
};

static void
check_names(const struct name_index *index, char names[NAMES][16], size_t count,
	    size_t step)
{
	ck_assert_uint_eq(index->count, count);
	for (size_t i = 0; i < NAMES; i++)
		ck_assert_uint_eq(name_index_get(index, names[i], 9999),
				  i < count ? i * step : 9999);
}

START_TEST(names_and_their_values)
{
	static char names[NAMES][16];
	struct name_index index = {0};

	for (size_t i = 0; i < NAMES; i++)
		snprintf(names[i], sizeof(names[i]), "%c%zu.example",
			 (int)('a' + i % 26), i);
	check_names(&index, names, 0, 0);
	for (size_t i = 0; i < NAMES; i++) {
		ck_assert(name_index_add(&index, names[i], i));
		ck_assert(!name_index_add(&index, names[i], 7));
		if (i % 50 == 0)
			check_names(&index, names, i + 1, 1);
	}
	for (size_t i = 0; i < NAMES; i++)
		name_index_put(&index, names[i], 3 * i);
	check_names(&index, names, NAMES, 3);
	name_index_release(&index);
	ck_assert_uint_eq(name_index_get(&index, names[0], 1), 1);
}
END_TEST

/* Distances by hand: letters added, lost, changed or swapped; at most a third
 * of the name, rounded, and three. */
START_TEST(the_nearest_name)
{
	static const struct {
		const char *wanted, *candidate;
		int distance; /* -1: not near */
	} cases[] = {
		{"domains", "domains", 0},
		{"Domains", "domains", 0},
		{"domain", "domains", 1},
		{"domainss", "domains", 1},
		{"domians", "domains", 1},
		{"domeins", "domains", 1},
		{"dmn", "domains", -1},
		{"domXXns", "domains", 2},
		{"dXXXins", "domains", -1},
		{"to", "from", -1},
		{"ot", "to", 1},
		{"t", "to", -1},
		{"queue_run_delay", "queue_run_dXXXy", 3},
		{"queue_run_delay", "queue_run_XXXXX", -1},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct name_nearest n = {.wanted = cases[i].wanted};

		name_nearest_try(&n, cases[i].candidate);
		if (cases[i].distance < 0) {
			ck_assert_msg(!n.best, "%s", cases[i].wanted);
			continue;
		}
		ck_assert_ptr_eq(n.best, cases[i].candidate);
		ck_assert_uint_eq(n.distance, (size_t)cases[i].distance);
	}
}
END_TEST

/* ---- arena -------------------------------------------------------------- */

/* Pieces of all sizes, larger than a chunk too: zeroed, aligned, apart. */
START_TEST(pieces_of_an_arena)
{
	enum {
		PIECES = 300
	};
	static unsigned char *pieces[PIECES];
	static size_t sizes[PIECES];
	struct arena arena = {0};

	for (size_t i = 0; i < PIECES; i++) {
		sizes[i] = i % 100 == 99 ? 200000 : i * i % 997;
		pieces[i] = arena_alloc(&arena, sizes[i], 1);
		ck_assert_uint_eq((uintptr_t)pieces[i] % _Alignof(max_align_t),
				  0);
		for (size_t k = 0; k < sizes[i]; k++)
			ck_assert_uint_eq(pieces[i][k], 0);
		memset(pieces[i], (int)(i % 251), sizes[i]);
	}
	for (size_t i = 0; i < PIECES; i++)
		for (size_t k = 0; k < sizes[i]; k++)
			ck_assert_uint_eq(pieces[i][k], i % 251);
	ck_assert_str_eq(arena_copy(&arena, "queue manager", 5), "queue");
	ck_assert_str_eq(arena_print(&arena, "%d of %s", 2, "three"),
			 "2 of three");
	arena_release(&arena);
	ck_assert_ptr_null(arena.chunks);
}
END_TEST

/* ---- streams into memory ------------------------------------------------ */

START_TEST(stream_gives_its_text)
{
	char *text = NULL;
	size_t size = 0;
	FILE *stream = memory_stream(&text, &size);

	fprintf(stream, "%d-%s", 42, "fold");
	memory_stream_end(stream);
	ck_assert_str_eq(text, "42-fold");
	ck_assert_uint_eq(size, 7);
	free(text);
}
END_TEST

/* What takes nothing, as memory that is gone: a device that is always full. */
static void
end_full_stream(int said)
{
	FILE *stream = fopen("/dev/full", "w");

	dup2(said, STDERR_FILENO);
	if (!stream)
		_exit(99);
	fputs("more than there is room for", stream);
	memory_stream_end(stream);
	_exit(0);
}

START_TEST(stream_without_memory_ends_the_program)
{
	char said[100] = "";
	int ends[2];
	int status = 0;
	pid_t child;

	ck_assert_int_eq(pipe(ends), 0);
	fflush(NULL);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0)
		end_full_stream(ends[1]);
	close(ends[1]);
	ck_assert_int_gt(read(ends[0], said, sizeof(said) - 1), 0);
	close(ends[0]);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), EXIT_FAILURE);
	ck_assert_str_eq(said, "mtasim: out of memory\n");
}
END_TEST

/* ---- jobs --------------------------------------------------------------- */

enum {
	PIECES = 7,
	CRASHES = 4
};

struct told {
	struct jobs jobs;
	uint32_t count;
};

/* The earlier ones have more to do. */
static int
work(struct jobs *jobs, uint32_t index, FILE *out)
{
	volatile uint32_t left = (PIECES - index) * 1000000;

	(void)jobs;
	while (left > 0)
		left--;
	if (index == CRASHES)
		kill(getpid(), SIGKILL);
	fprintf(out, "piece %u", index);
	fprintf(stderr, "says %u", index);
	return (int)index % 3;
}

static void
done(struct jobs *jobs, uint32_t index, const struct job_end *end)
{
	struct told *told = mta_container_of(jobs, struct told, jobs);
	char text[32];

	ck_assert_uint_eq(index, told->count++);
	if (index == CRASHES) {
		ck_assert_int_eq(end->code, -1);
		ck_assert_int_eq(end->signal, SIGKILL);
		return;
	}
	ck_assert_int_eq(end->code, (int)index % 3);
	ck_assert_int_eq(end->signal, 0);
	snprintf(text, sizeof(text), "piece %u", index);
	ck_assert_str_eq(end->out, text);
	ck_assert_uint_eq(end->out_size, strlen(text));
	snprintf(text, sizeof(text), "says %u", index);
	ck_assert_str_eq(end->said, text);
	ck_assert_uint_eq(end->said_size, strlen(text));
}

/* Told in order, however many work at once and whoever ends first. */
START_TEST(jobs_are_told_in_order)
{
	struct told told = {.jobs = {.count = PIECES,
				     .at_once = (uint32_t)_i,
				     .work = work,
				     .done = done}};

	ck_assert_int_eq(jobs_run(&told.jobs), 0);
	ck_assert_uint_eq(told.count, PIECES);
}
END_TEST

Suite *
base_suite(void)
{
	Suite *s = suite_create("base");
	TCase *t = tcase_create("base");

	tcase_add_test(t, utf8_of_two_and_three_bytes);
	tcase_add_test(t, utf8_at_its_limits);
	tcase_add_test(t, names_and_their_values);
	tcase_add_test(t, the_nearest_name);
	tcase_add_test(t, pieces_of_an_arena);
	tcase_add_test(t, stream_gives_its_text);
	tcase_add_test(t, stream_without_memory_ends_the_program);
	tcase_add_loop_test(t, jobs_are_told_in_order, 1, PIECES + 2);
	suite_add_tcase(s, t);
	return s;
}
