/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the test programs share. A test file exports `Suite *NAME_suite(void)`
 * (libcheck); tests/list-suites finds it and tests/main.c runs it. Each kind
 * of test (unit, contract, reference, theory) is one program.
 *
 * Counts and seeds: a generated test asks harness_scale() how many times its
 * ordinary count to run, and draws its seeds from harness_seed(), so that
 * `make check` is quick, `make check-long` is thorough, and a failure can be
 * run again alone.
 */
#ifndef TESTS_HARNESS_H
#define TESTS_HARNESS_H

#include <check.h>
#include <stddef.h>
#include <stdint.h>

/* Every suite of this program, ended by NULL; made by tests/list-suites. */
extern Suite *(*const harness_suites[])(void);

/*
 * The factor on the counts of generated tests: MTASIM_TEST_SCALE, 1 when it is
 * not set. A value that is not a whole number from 1 to 10000 ends the program.
 */
long harness_scale(void);

/*
 * The first seed of generated tests: MTASIM_TEST_SEED, else `otherwise`. A test
 * prints the seed of the case that failed.
 */
uint64_t harness_seed(uint64_t otherwise);

/*
 * A small generator for drawing test cases: the next of a stream that starts at
 * any *state (SplitMix64: a counter put through a mixing function). It is not
 * the generator that the models use.
 */
uint64_t harness_draw(uint64_t *state);

/* A draw from 0 .. bound - 1; bound is not 0. */
uint32_t harness_draw_below(uint64_t *state, uint32_t bound);

/*
 * The path of a file of the source tree, as "tests/invalid/x.yaml". Borrowed:
 * good until the fourth call after.
 */
const char *harness_source_path(const char *name);

#endif
