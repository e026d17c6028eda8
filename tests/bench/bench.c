/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Each piece of work has a helper between it and us, which does nothing but
 * wait for it: what the system counted for the helper's children is that piece
 * alone.
 */
#include "tests/bench/bench.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double
seconds_of(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec * 1e-6;
}

static double
clock_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int
wait_for(pid_t child)
{
	int status = 0;

	if (child < 0 || waitpid(child, &status, 0) != child)
		return 1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* In the helper. */
static int
help(int (*work)(void *), void *argument, int out)
{
	struct rusage used;
	struct bench_cost cost = {.wall = -clock_seconds()};
	pid_t child = fork();
	int code;

	if (child == 0)
		_exit(work(argument));
	code = wait_for(child);
	if (code != 0 || getrusage(RUSAGE_CHILDREN, &used) != 0)
		return code ? code : 1;
	cost.wall += clock_seconds();
	cost.seconds = seconds_of(used.ru_utime) + seconds_of(used.ru_stime);
	cost.bytes = (double)used.ru_maxrss * 1024;
	return write(out, &cost, sizeof(cost)) != (ssize_t)sizeof(cost);
}

struct bench_cost
bench_measure(int (*work)(void *), void *argument)
{
	struct bench_cost cost = {0};
	int ends[2];
	pid_t helper;

	fflush(NULL);
	if (pipe(ends) != 0) {
		perror("pipe");
		exit(1);
	}
	helper = fork();
	if (helper == 0)
		_exit(help(work, argument, ends[1]));
	close(ends[1]);
	if (wait_for(helper) != 0 ||
	    read(ends[0], &cost, sizeof(cost)) != (ssize_t)sizeof(cost)) {
		fprintf(stderr, "bench: a measured process failed\n");
		exit(1);
	}
	close(ends[0]);
	return cost;
}

int
bench_execute(void *argument)
{
	char *const *argv = argument;
	int null = open("/dev/null", O_WRONLY);

	if (null >= 0)
		dup2(null, STDOUT_FILENO);
	execv(argv[0], argv);
	perror(argv[0]);
	return 127;
}

static int
compare(const void *a, const void *b)
{
	const double *x = a;
	const double *y = b;

	return (*x > *y) - (*x < *y);
}

double
bench_median(double *values, int count)
{
	qsort(values, (size_t)count, sizeof(*values), compare);
	return values[count / 2];
}

static double
median_of(const double *values, int count)
{
	double copy[BENCH_ROUNDS_MAX];

	memcpy(copy, values, (size_t)count * sizeof(*copy));
	return bench_median(copy, count);
}

/* One column of costs[round][work]. */
static double
column(struct bench_cost costs[][BENCH_WORKS_MAX], int rounds, size_t work,
       size_t field)
{
	double values[BENCH_ROUNDS_MAX];

	for (int i = 0; i < rounds; i++)
		memcpy(&values[i], (const char *)&costs[i][work] + field,
		       sizeof(*values));
	return median_of(values, rounds);
}

static double
ratios(struct bench_cost costs[][BENCH_WORKS_MAX], int rounds, size_t work,
       bool of_wall)
{
	double values[BENCH_ROUNDS_MAX];

	for (int i = 0; i < rounds; i++) {
		const struct bench_cost *a = &costs[i][work];
		const struct bench_cost *b = &costs[i][0];

		values[i] =
			of_wall ? a->wall / b->wall : a->seconds / b->seconds;
	}
	return median_of(values, rounds);
}

void
bench_in_turn(const struct bench_work *works, size_t count,
	      struct bench_result *results)
{
	static struct bench_cost costs[BENCH_ROUNDS_MAX][BENCH_WORKS_MAX];
	int rounds = bench_rounds();

	for (int i = 0; i < rounds; i++) {
		for (size_t w = 0; w < count; w++)
			costs[i][w] =
				bench_measure(works[w].run, works[w].argument);
	}
	for (size_t w = 0; w < count; w++)
		results[w] = (struct bench_result){
			.seconds = column(costs, rounds, w,
					  offsetof(struct bench_cost, seconds)),
			.wall = column(costs, rounds, w,
				       offsetof(struct bench_cost, wall)),
			.bytes = column(costs, rounds, w,
					offsetof(struct bench_cost, bytes)),
			.ratio = ratios(costs, rounds, w, false),
			.wall_ratio = ratios(costs, rounds, w, true),
		};
}

int
bench_rounds(void)
{
	const char *text = getenv("MTASIM_BENCH_ROUNDS");
	long rounds = text ? strtol(text, NULL, 10) : 5;

	if (rounds < 1)
		rounds = 1;
	if (rounds > BENCH_ROUNDS_MAX)
		rounds = BENCH_ROUNDS_MAX;
	return (int)rounds | 1;
}

bool
bench_is_full(void)
{
	const char *text = getenv("MTASIM_BENCH_SCALE");

	return text && strcmp(text, "full") == 0;
}

void
bench_random_init(struct bench_random *r, uint64_t seed)
{
	for (int i = 0; i < 4; i++) {
		seed = seed * UINT64_C(6364136223846793005) +
		       UINT64_C(1442695040888963407);
		r->s[i] = seed ^ seed >> 29;
	}
}
