/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A million rows of ten columns, as destinations.csv has them: our tables
 * beside fprintf. Both write a file.
 */
#include <inttypes.h>
#include <stdio.h>

#include "sim/base/table_out.h"
#include "tests/bench/bench.h"
#include "tests/bench/sim.h"

enum {
	ROWS = 1000000
};

static const char header[] = "time_s,transport,destination,state,window,busy,"
			     "todo,deferred,delivered,failed";

static int
run_ours(void *argument)
{
	struct table_out t;

	if (!table_out_open(&t, argument, "ours.csv", header))
		return 1;
	for (int64_t i = 0; i < ROWS; i++) {
		table_out_seconds(&t, i * 12345);
		table_out_text(&t, "smtp");
		table_out_text(&t, "destination.example");
		table_out_text(&t, "ready");
		table_out_integer(&t, i % 20);
		table_out_integer(&t, i % 7);
		table_out_integer(&t, i % 1000);
		table_out_integer(&t, i % 30000);
		table_out_integer(&t, i);
		table_out_integer(&t, i / 10);
		table_out_end_row(&t);
	}
	return !table_out_close(&t);
}

static int
run_fprintf(void *argument)
{
	char path[BENCH_PATH];
	FILE *f;

	snprintf(path, sizeof(path), "%s/plain.csv", (const char *)argument);
	f = fopen(path, "w");
	if (!f)
		return 1;
	fprintf(f, "%s\n", header);
	for (int64_t i = 0; i < ROWS; i++)
		fprintf(f,
			"%.6f,%s,%s,%s,%" PRId64 ",%" PRId64 ",%" PRId64
			",%" PRId64 ",%" PRId64 ",%" PRId64 "\n",
			(double)i * 0.012345, "smtp", "destination.example",
			"ready", i % 20, i % 7, i % 1000, i % 30000, i, i / 10);
	return fclose(f);
}

int
main(void)
{
	struct bench_work works[2];
	struct bench_result r[2];
	struct bench_sim s;

	bench_sim_open(&s);
	works[0] = (struct bench_work){run_fprintf, s.dir};
	works[1] = (struct bench_work){run_ours, s.dir};
	bench_in_turn(works, 2, r);
	bench_sim_close(&s);
	printf("%d rows of ten columns: ours %.3f s, fprintf %.3f s, "
	       "ratio %.2f\n",
	       ROWS, r[1].seconds, r[0].seconds, 1 / r[1].ratio);
	return 0;
}
