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
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static double
seconds_of(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec * 1e-6;
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
	struct bench_cost cost;
	pid_t child = fork();
	int code;

	if (child == 0)
		_exit(work(argument));
	code = wait_for(child);
	if (code != 0 || getrusage(RUSAGE_CHILDREN, &used) != 0)
		return code ? code : 1;
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

static int
execute(void *argument)
{
	char *const *argv = argument;
	int null = open("/dev/null", O_WRONLY);

	if (null >= 0)
		dup2(null, STDOUT_FILENO);
	execv(argv[0], argv);
	perror(argv[0]);
	return 127;
}

struct bench_cost
bench_program(char *const argv[])
{
	union {
		char *const *in;
		void *out;
	} u = {.in = argv};

	return bench_measure(execute, u.out);
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

void
bench_random_init(struct bench_random *r, uint64_t seed)
{
	for (int i = 0; i < 4; i++) {
		seed = seed * UINT64_C(6364136223846793005) +
		       UINT64_C(1442695040888963407);
		r->s[i] = seed ^ seed >> 29;
	}
}
