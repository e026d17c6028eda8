/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the test programs share; see harness.h. Keeps no state but the few
 * rotating buffers of paths. Settings come from the environment only here, so
 * that no test reads it by itself.
 */
#include "tests/harness.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t
number_from_environment(const char *name, uint64_t otherwise, uint64_t most)
{
	const char *text = getenv(name);
	char *end;
	unsigned long long value;

	if (!text || !*text)
		return otherwise;
	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || *end || *text == '-' || value > most) {
		fprintf(stderr, "%s='%s': not a whole number up to %llu\n",
			name, text, (unsigned long long)most);
		exit(2);
	}
	return value;
}

long
harness_scale(void)
{
	uint64_t scale = number_from_environment("MTASIM_TEST_SCALE", 1, 10000);

	return scale ? (long)scale : 1;
}

uint64_t
harness_seed(uint64_t otherwise)
{
	return number_from_environment("MTASIM_TEST_SEED", otherwise,
				       UINT64_MAX);
}

uint64_t
harness_draw(uint64_t *state)
{
	uint64_t z;

	*state += UINT64_C(0x9e3779b97f4a7c15);
	z = *state;
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

uint32_t
harness_draw_below(uint64_t *state, uint32_t bound)
{
	/* The high half times the bound: no division, bias below 2^-32. */
	return (uint32_t)(((harness_draw(state) >> 32) * bound) >> 32);
}

const char *
harness_source_path(const char *name)
{
	static char paths[4][1024];
	static unsigned next;
	char *path = paths[next++ % 4];
	int length =
		snprintf(path, sizeof(paths[0]), "%s/%s", MTASIM_SRCDIR, name);

	ck_assert_int_gt(length, 0);
	ck_assert_uint_lt((unsigned)length, sizeof(paths[0]));
	return path;
}
