/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A run of mtasim to be measured: a scenario and a results folder in a folder
 * of its own under the system's for temporary files, which is removed at the
 * end. The program is $MTASIM, or the release build.
 *
 *	struct bench_sim s;
 *	bench_sim_open(&s);
 *	bench_sim_mail(&s, &mini, "60s");
 *	works[0] = bench_sim_work(&s);
 *	bench_in_turn(works, 1, results);
 *	bench_sim_close(&s);
 */
#ifndef TESTS_BENCH_SIM_H
#define TESTS_BENCH_SIM_H

#include <stdio.h>

#include "tests/bench/bench.h"
#include "tests/bench/mini.h"

enum {
	BENCH_PATH = 512,
	BENCH_ARGUMENTS = 16
};

/* Not to be moved or copied: argv points into it. */
struct bench_sim {
	char dir[BENCH_PATH / 2];
	char scenario[BENCH_PATH];
	char out[BENCH_PATH];
	char program[BENCH_PATH];
	char options[BENCH_ARGUMENTS][64];
	char *argv[BENCH_ARGUMENTS];
	int argument_count;
};

void bench_sim_open(struct bench_sim *s);
/* An option of `mtasim run`. */
void bench_sim_option(struct bench_sim *s, const char *option);
struct bench_work bench_sim_work(struct bench_sim *s);
void bench_sim_close(struct bench_sim *s);

/* The scenario, empty, to be written; bench_sim_written() closes it. */
FILE *bench_sim_write(struct bench_sim *s);
void bench_sim_written(struct bench_sim *s, FILE *f);

/* The scenario that is the mini model's case. sample: step of the series. */
void bench_sim_mail(struct bench_sim *s, const struct mini_case *c,
		    const char *sample);

/* The parts of that scenario, for others like it. */
void bench_sim_head(FILE *f, const char *run, const char *sample,
		    uint32_t processes);
/* "{zipf: ...}" over so many domains dN.example; exponent 0: all alike. */
void bench_sim_zipf(FILE *f, uint32_t domains, int exponent);

#endif
