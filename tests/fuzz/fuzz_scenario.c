/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * libFuzzer target: any bytes as a scenario; first lines "--set PATH=VALUE" are
 * such options. The reader must answer with a scenario or with complaints,
 * never both and never neither; what it accepts must be accepted again when
 * written out, and then be written the same.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/scenario/scenario.h"

enum {
	SETS_MOST = 8
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *
written(const struct scenario *scenario, size_t *size)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, size);
	if (!out)
		abort();
	scenario_write(scenario, out);
	fclose(out);
	return text;
}

static void
check_again(const struct scenario *scenario)
{
	struct complaints complaints;
	size_t size = 0;
	size_t again_size = 0;
	char *text = written(scenario, &size);
	complaints_init(&complaints);
	struct scenario *again = scenario_read_memory("again.yaml", text, size,
						      NULL, &complaints);
	if (!again) {
		complaints_print(&complaints, stderr);
		abort();
	}
	char *again_text = written(again, &again_size);
	if (again_size != size)
		abort();
	for (size_t i = 0; i < size; i++) {
		if (text[i] != again_text[i])
			abort();
	}
	free(text);
	free(again_text);
	scenario_free(again);
	complaints_release(&complaints);
}

/* Cuts the first lines off that are options. Their texts are to be freed. */
static size_t
cut_sets(const char **text, size_t *size, char *sets[SETS_MOST])
{
	static const char option[] = "--set ";
	const size_t length = sizeof(option) - 1;
	size_t count = 0;

	while (count<SETS_MOST && * size> length &&
	       memcmp(*text, option, length) == 0) {
		const char *end = memchr(*text, '\n', *size);
		if (!end)
			break;
		size_t line = (size_t)(end - *text);
		sets[count++] = strndup(*text + length, line - length);
		*text += line + 1;
		*size -= line + 1;
	}
	return count;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct complaints complaints;
	const char *text = (const char *)data;
	char *sets[SETS_MOST];
	size_t set_count = cut_sets(&text, &size, sets);
	const struct scenario_options options = {
		.sets = (const char *const *)sets,
		.set_count = set_count,
	};
	complaints_init(&complaints);
	struct scenario *scenario = scenario_read_memory(
		"fuzz.yaml", text, size, &options, &complaints);
	for (size_t i = 0; i < set_count; i++)
		free(sets[i]);
	if (!scenario == !complaints.count)
		abort();
	FILE *nowhere = fopen("/dev/null", "w");
	if (nowhere) {
		complaints_print(&complaints, nowhere);
		fclose(nowhere);
	}
	if (scenario)
		check_again(scenario);
	scenario_free(scenario);
	complaints_release(&complaints);
	return 0;
}
