/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * run.json says what was run: a reader who has it and scenario.yaml can run it
 * again. summary.json says what came out. No dates, paths or host names: the
 * same run gives the same bytes anywhere.
 */
#include "sim/results/results_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/arena.h"
#include "sim/base/exit_code.h"
#include "sim/base/folder.h"
#include "sim/base/json_out.h"
#include "sim/base/sha256.h"

/* ---- parameters in force
 * ------------------------------------------------------ */

static void
write_params(struct json_out *json, const struct mta_params *params)
{
	char text[2048];

	json_out_open(json, "parameters", JSON_OUT_OBJECT);
	for (size_t i = 0; i < mta_param_count(); i++) {
		const struct mta_param *row = mta_param_at(i);

		if (row->is_transport_form)
			continue;
		mta_param_format(params, row, text, sizeof(text));
		json_out_text(json, row->name, text);
	}
	/* Those of a transport that were set by name; of a name that was set
	 * twice the last one is in force. */
	for (uint32_t i = 0; i < params->override_count; i++) {
		const struct mta_param_override *o = &params->overrides[i];
		bool is_last = true;

		for (uint32_t k = i + 1; k < params->override_count; k++)
			is_last = is_last && strcmp(params->overrides[k].name,
						    o->name) != 0;
		if (!is_last)
			continue;
		mta_param_override_format(o, text, sizeof(text));
		json_out_text(json, o->name, text);
	}
	json_out_close(json);
}

/* ---- run.json
 * ------------------------------------------------------------------ */

static void
put_settings(FILE *out, const struct scenario_settings *set)
{
	fputs("set", out);
	for (size_t i = 0; i < set->count; i++)
		fprintf(out, "%s %s=%s", i ? "," : "", set->list[i].name,
			set->list[i].value);
}

static void
put_where(FILE *out, const struct scenario_where *where)
{
	if (where->all)
		fputs(" ALL", out);
	if (where->queue != MTA_QUEUES)
		fprintf(out, " %s",
			mta_queue_name((enum mta_queue)where->queue));
	if (where->domain)
		fprintf(out, " %s", where->domain);
	if (where->sender)
		fprintf(out, " from %s", where->sender);
	if (where->id)
		fprintf(out, " %s", where->id);
}

static void
put_action(FILE *out, const struct scenario_action *a)
{
	static const char *const words[] = {
		[SCENARIO_DO_SET] = "",
		[SCENARIO_DO_RELOAD] = "reload",
		[SCENARIO_DO_STOP] = "stop",
		[SCENARIO_DO_START] = "start",
		[SCENARIO_DO_HOLD] = "hold",
		[SCENARIO_DO_RELEASE] = "release",
		[SCENARIO_DO_REQUEUE] = "requeue",
		[SCENARIO_DO_DELETE] = "delete",
		[SCENARIO_DO_EXPIRE] = "expire",
		[SCENARIO_DO_FLUSH] = "flush",
		[SCENARIO_DO_FLUSH_SITE] = "flush",
		[SCENARIO_DO_FLUSH_ID] = "flush",
		[SCENARIO_DO_CRASH_QMGR] = "crash of qmgr",
		[SCENARIO_DO_CRASH_AGENT] = "crash of an agent:",
		[SCENARIO_DO_SNAPSHOT] = "snapshot of",
	};

	if (a->what == SCENARIO_DO_SET) {
		put_settings(out, &a->set);
		return;
	}
	fputs(words[a->what], out);
	put_where(out, &a->where);
	if (a->transport)
		fprintf(out, " %s", a->transport);
}

static void
write_action(struct json_out *json, const struct scenario_action *a)
{
	char *text = NULL;
	size_t size = 0;
	FILE *file = memory_stream(&text, &size);

	put_action(file, a);
	memory_stream_end(file);
	json_out_open(json, NULL, JSON_OUT_ROW);
	json_out_seconds(json, "at_s", a->at_us);
	json_out_text(json, "text", text);
	json_out_close(json);
	free(text);
}

static void
write_totals(struct json_out *json, const struct results *r)
{
	const struct totals_sums t = totals_sum(&r->totals);

	json_out_open(json, "totals", JSON_OUT_OBJECT);
	json_out_open(json, "messages", JSON_OUT_ROW);
	json_out_integer(json, "submitted", (int64_t)t.submitted);
	json_out_integer(json, "notices", (int64_t)t.notices);
	json_out_integer(json, "refused", (int64_t)t.refused);
	json_out_integer(json, "accepted", (int64_t)t.accepted);
	json_out_integer(json, "ended", (int64_t)t.ended);
	json_out_integer(json, "unfinished", (int64_t)r->left_messages);
	json_out_close(json);
	json_out_open(json, "recipients", JSON_OUT_ROW);
	json_out_integer(json, "delivered", (int64_t)t.delivered);
	json_out_integer(json, "bounced", (int64_t)t.bounced);
	json_out_integer(json, "expired", (int64_t)t.expired);
	json_out_integer(json, "deleted", (int64_t)t.deleted);
	json_out_integer(json, "unfinished", (int64_t)r->left_recipients);
	json_out_integer(json, "attempts", (int64_t)t.attempts);
	json_out_integer(json, "deferrals", (int64_t)t.deferrals);
	json_out_close(json);
	json_out_integer(json, "untried", (int64_t)r->totals.untried);
	json_out_integer(json, "waiting_at_client", (int64_t)r->left_waiting);
	json_out_double(json, "mean_in_system",
			totals_mean_in_system(&r->totals, r->end));
	json_out_close(json);
}

static FILE *
open_file(struct results *r, const char *name)
{
	char *path = memory_print("%s/%s", r->part, name);
	FILE *file = fopen(path, "w");

	if (!file)
		results_fail(r, "cannot create '%s': %s", path,
			     strerror(errno));
	free(path);
	return file;
}

static int
close_file(struct results *r, FILE *file, const char *name)
{
	bool is_bad = ferror(file) != 0;

	if (fclose(file) != 0 || is_bad)
		return results_fail(r, "cannot write '%s/%s': %s", r->part,
				    name, strerror(errno));
	return 0;
}

int
results_write_scenario(struct results *r)
{
	FILE *file = open_file(r, "scenario.yaml");

	if (!file)
		return EXIT_CODE_INTERNAL;
	/* So that the folder can be run again: with the luck that it had. */
	if (r->replication != r->view.scenario->replication)
		scenario_put_replication(r->view.scenario, r->replication);
	scenario_write(r->view.scenario, file);
	return close_file(r, file, "scenario.yaml");
}

/* So that a folder whose scenario was cut off or edited is noticed. */
static void
write_scenario_hash(struct json_out *json, const struct results *r)
{
	char *path = memory_print("%s/scenario.yaml", r->part);
	char hex[SHA256_HEX_SIZE];

	if (sha256_file(path, hex))
		json_out_text(json, "scenario_sha256", hex);
	free(path);
}

int
results_write_run_json(struct results *r)
{
	const struct scenario *s = r->view.scenario;
	char fingerprint[FINGERPRINT_TEXT];
	struct json_out json;
	FILE *file = open_file(r, "run.json");

	if (!file)
		return EXIT_CODE_INTERNAL;
	fingerprint_text(&r->fingerprint, fingerprint);
	json_out_init(&json, file);
	json_out_open(&json, NULL, JSON_OUT_OBJECT);
	json_out_integer(&json, "format", RESULTS_FORMAT);
	json_out_text(&json, "scenario", s->name);
	write_scenario_hash(&json, r);
	json_out_integer(&json, "seed", s->seed);
	json_out_integer(&json, "replication", r->replication);
	json_out_text(&json, "version", r->version);
	json_out_boolean(&json, "partial", r->partial);
	json_out_text(&json, "fingerprint", fingerprint);
	json_out_seconds(&json, "end_s", r->end_us);
	json_out_seconds(&json, "warmup_s", s->run.warmup_us);
	if (r->drained_us >= 0)
		json_out_seconds(&json, "drained_s", r->drained_us);
	else
		json_out_null(&json, "drained_s");
	write_totals(&json, r);
	json_out_open(&json, "operator", JSON_OUT_ARRAY);
	for (size_t i = 0; i < s->action_count; i++) {
		if (s->actions[i].at_us <= r->end_us)
			write_action(&json, &s->actions[i]);
	}
	json_out_close(&json);
	write_params(&json, &r->params);
	json_out_close(&json);
	json_out_finish(&json);
	return close_file(r, file, "run.json");
}

/* ---- summary.json
 * ---------------------------------------------------------------- */

static void
write_percentile(struct json_out *json, const struct tally_key *k,
		 const char *name, double percent, bool *is_bound)
{
	int64_t value = 0;

	if (!histogram_bound(&k->delay, &k->open, percent, &value))
		*is_bound = true;
	json_out_seconds(json, name, value);
}

/* Percentiles that unfinished mail can still move are lower bounds; from
 * `bounds_from` on they are such. */
static void
write_delay(struct json_out *json, const struct tally_key *k)
{
	static const struct {
		const char *name;
		double percent;
	} rows[] = {
		{"p50", 50}, {"p90", 90},     {"p95", 95},
		{"p99", 99}, {"p99.9", 99.9},
	};
	const char *first_bound = NULL;

	json_out_open(json, "delay_s", JSON_OUT_ROW);
	json_out_integer(json, "count", (int64_t)k->delay.count);
	json_out_integer(json, "unfinished", (int64_t)k->open.count);
	if (k->delay.count > 0) {
		json_out_double(json, "mean", histogram_mean(&k->delay) / 1e6);
		json_out_seconds(json, "min", k->delay.least);
		json_out_seconds(json, "max", k->delay.greatest);
	}
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool is_bound = false;

		if (k->delay.count + k->open.count == 0)
			break;
		write_percentile(json, k, rows[i].name, rows[i].percent,
				 &is_bound);
		if (is_bound && !first_bound)
			first_bound = rows[i].name;
	}
	json_out_text(json, "lower_bounds_from", first_bound);
	json_out_close(json);
}

static void
write_key(struct json_out *json, const char *name, const struct tally_key *k)
{
	json_out_open(json, name, JSON_OUT_OBJECT);
	write_delay(json, k);
	json_out_integer(json, "attempts", (int64_t)tally_attempts(k));
	json_out_open(json, "outcomes", JSON_OUT_ROW);
	for (uint32_t o = 0; o < MTA_OUTCOMES; o++) {
		if (k->outcomes[o] > 0)
			json_out_integer(json,
					 mta_outcome_name((enum mta_outcome)o),
					 (int64_t)k->outcomes[o]);
	}
	json_out_close(json);
	json_out_close(json);
}

/* What keys are sorted by, beside each other in memory. */
struct busy_key {
	uint64_t weight;
	const struct tally_key *key;
	uint32_t number;
};

/* Busiest first; of equals the one seen first. */
static int
compare_busy(const void *left, const void *right)
{
	const struct busy_key *a = left;
	const struct busy_key *b = right;

	if (a->weight != b->weight)
		return a->weight > b->weight ? -1 : 1;
	return (a->number > b->number) - (a->number < b->number);
}

/* One of the keys [first, end) gets the place that it has in order: those
 * before it are busier, those behind it less busy. The place. */
static uint32_t
split_busy(struct busy_key *keys, uint32_t first, uint32_t end)
{
	struct busy_key pivot = keys[first + (end - first) / 2];
	uint32_t place = first;

	keys[first + (end - first) / 2] = keys[end - 1];
	for (uint32_t i = first; i < end - 1; i++) {
		struct busy_key k = keys[i];

		if (compare_busy(&k, &pivot) > 0)
			continue;
		keys[i] = keys[place];
		keys[place++] = k;
	}
	keys[end - 1] = keys[place];
	keys[place] = pivot;
	return place;
}

/* The busiest `top` come first, in no order: as a quicksort that looks only at
 * the part in which their end lies. */
static void
gather_busy(struct busy_key *keys, uint32_t count, int64_t top)
{
	uint32_t first = 0;
	uint32_t end = count;

	while (first < top && top < end) {
		uint32_t place = split_busy(keys, first, end);

		if (place < top)
			first = place + 1;
		else
			end = place;
	}
}

/* Keys of which there is something to tell, the busiest `top` of them first and
 * in order; how many. */
static uint32_t
sort_busy(const struct tally_table *table, int64_t top, struct busy_key *sorted)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < table->count; i++) {
		const struct tally_key *k = table->keys[i];
		uint64_t weight = tally_attempts(k) + k->open.count;

		if (weight > 0)
			sorted[count++] = (struct busy_key){
				.weight = weight, .key = k, .number = i};
	}
	gather_busy(sorted, count, top);
	qsort(sorted, top < count ? (size_t)top : count, sizeof(*sorted),
	      compare_busy);
	return count;
}

static void
add_rest(struct tally_key *rest, const struct tally_key *k)
{
	for (uint32_t o = 0; o < MTA_OUTCOMES; o++)
		rest->outcomes[o] += k->outcomes[o];
	histogram_merge(&rest->delay, &k->delay);
	histogram_merge(&rest->open, &k->open);
}

static void
key_name(const struct results *r, const struct tally_table *table,
	 const struct tally_key *k, char *out, size_t size)
{
	const struct mta_symtab *symbols = r->view.symbols;

	if (table == &r->tally.sources)
		snprintf(out, size, "%s", results_source_name(r, k->source));
	else if (table == &r->tally.destinations)
		snprintf(out, size, "%s:%s",
			 mta_sym_text(symbols, k->transport),
			 mta_sym_text(symbols, k->name));
	else
		snprintf(out, size, "%s", mta_sym_text(symbols, k->name));
}

/* The busiest by name, the rest as one. */
static void
write_table(struct json_out *json, const struct results *r, const char *title,
	    const struct tally_table *table)
{
	struct busy_key *sorted =
		memory_array(table->count + 1, sizeof(*sorted));
	int64_t top = r->view.scenario->destinations.top;
	struct tally_key rest = {.number = 0};
	uint32_t count = sort_busy(table, top, sorted);
	char name[1024];

	json_out_open(json, title, JSON_OUT_OBJECT);
	for (uint32_t i = 0; i < count; i++) {
		if (i >= top) {
			add_rest(&rest, sorted[i].key);
			continue;
		}
		key_name(r, table, sorted[i].key, name, sizeof(name));
		write_key(json, name, sorted[i].key);
	}
	if (count > top)
		write_key(json, "(other)", &rest);
	json_out_close(json);
	histogram_release(&rest.delay);
	histogram_release(&rest.open);
	free(sorted);
}

static void
write_verdict(struct json_out *json, const struct scenario_expect *x,
	      const struct expect_verdict *v, bool partial)
{
	static const char *const bounds[] = {
		[EXPECT_EXACT] = "exact",
		[EXPECT_AT_LEAST] = "at least",
		[EXPECT_UNKNOWN] = "unknown",
	};

	json_out_open(json, NULL, JSON_OUT_OBJECT);
	json_out_text(json, "expect", x->text);
	/* What an interrupted run has so far decides nothing. */
	if (partial)
		json_out_null(json, "passed");
	else
		json_out_boolean(json, "passed", v->passed);
	json_out_double(json, "value", v->value);
	json_out_text(json, "bound", bounds[v->bound]);
	json_out_double(json, "margin", v->margin);
	json_out_text(json, "text", v->text);
	json_out_close(json);
}

int
results_write_summary_json(struct results *r)
{
	const struct scenario *s = r->view.scenario;
	struct json_out json;
	FILE *file = open_file(r, "summary.json");

	if (!file)
		return EXIT_CODE_INTERNAL;
	json_out_init(&json, file);
	json_out_open(&json, NULL, JSON_OUT_OBJECT);
	json_out_text(&json, "scenario", s->name);
	json_out_boolean(&json, "partial", r->partial);
	write_totals(&json, r);
	write_key(&json, "overall", &r->tally.all);
	write_table(&json, r, "destinations", &r->tally.destinations);
	write_table(&json, r, "domains", &r->tally.domains);
	write_table(&json, r, "sources", &r->tally.sources);
	json_out_open(&json, "expectations", JSON_OUT_ARRAY);
	for (size_t i = 0; i < r->expect.count; i++)
		write_verdict(&json, &s->expect[i], &r->verdicts[i],
			      r->partial);
	json_out_close(&json);
	json_out_close(&json);
	json_out_finish(&json);
	return close_file(r, file, "summary.json");
}
