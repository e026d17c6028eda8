/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reading expectations:
 *
 *     FUNCTION(METRIC[, FILTER=VALUE]...[, FROM..TO]) OP VALUE
 *     drained OP TIME
 *
 * OP is < <= == != >= > or `within X% of`; `in X% of runs` may follow. A small
 * recursive-descent parser over the scalar's text; a complaint points at the
 * character in question. Which function fits which metric, and in what unit
 * the bound is, follows from two tables, so that nonsense is refused here and
 * the judge of expectations meets only what it can answer.
 */
#include "mta/panic.h"
#include "sim/scenario/columns.h"
#include "sim/scenario/scenario_reader.h"

#include <stdlib.h>
#include <string.h>

struct parser {
	struct reader *r;
	const struct tree_node *node;
	const char *at; /* next character */
	struct scenario_expect *expect;
	bool failed;
};

static const char function_words[] =
	"value final max min mean integral rate count share";

const char series_words[] =
#define SERIES(id, name) name " "
#include "sim/scenario/columns.def"
	;
const char destination_words[] =
#define DESTINATION(id, name) name " "
#include "sim/scenario/columns.def"
	;
const char transport_words[] =
#define TRANSPORT(id, name) name " "
#include "sim/scenario/columns.def"
	;
int
column_place(const char *words, const char *name)
{
	int place = value_word(words, name);
	mta_assert(place >= 0);
	return place;
}

/* What becomes of a recipient; and what it is measured by, in the order of enum
 * scenario_metric. */
static const char outcome_words[] =
	"deferred bounced expired deleted sent held queued";
static const char sample_words[] = "delay wait attempts";

/* What a name is; several of these at once. */
struct metric {
	bool series;	   /* a column of series.csv */
	bool destinations; /* of destinations.csv */
	bool transports;   /* of transports.csv */
	bool outcome;
	bool sample;
};

static struct place
place_in(const struct parser *p, const char *at)
{
	struct place place = p->node->at;
	place.column += p->node->quoted;
	for (const char *c = p->node->text; c < at; c++)
		place.column += ((unsigned char)*c & 0xC0u) != 0x80u;
	return place;
}

static void __attribute__((format(printf, 3, 4)))
fail_at(struct parser *p, const char *at, const char *format, ...)
{
	if (p->failed)
		return;
	va_list arguments;
	va_start(arguments, format);
	char *text = memory_vprint(format, arguments);
	va_end(arguments);
	complaints_add(p->r->complaints, place_in(p, at),
		       tree_path(p->r->tree, p->node), "%s", text);
	free(text);
	p->failed = true;
}

static void
skip_blanks(struct parser *p)
{
	while (*p->at == ' ')
		p->at++;
}

/* Take text up to a blank or one of `stops`. */
static const char *
take(struct parser *p, const char *stops)
{
	skip_blanks(p);
	const char *from = p->at;
	while (*p->at && *p->at != ' ' && !strchr(stops, *p->at))
		p->at++;
	return arena_copy(p->r->arena, from, (size_t)(p->at - from));
}

static bool
take_char(struct parser *p, char c)
{
	skip_blanks(p);
	if (*p->at != c)
		return false;
	p->at++;
	return true;
}

static bool
take_word(struct parser *p, const char *word)
{
	skip_blanks(p);
	size_t size = strlen(word);
	if (strncmp(p->at, word, size) != 0 ||
	    (p->at[size] != ' ' && p->at[size]))
		return false;
	p->at += size;
	return true;
}

static void
parse_function(struct parser *p)
{
	skip_blanks(p);
	const char *from = p->at;
	const char *name = take(p, "(<=>!");
	int index = value_word(function_words, name);
	struct value_error why;
	if (!strcmp(name, "drained")) {
		p->expect->function = SCENARIO_DRAINED;
	} else if (index >= 0) {
		p->expect->function = (enum scenario_function)index;
	} else if (name[0] == 'p' &&
		   value_number(name + 1, &p->expect->percent, &why)) {
		p->expect->function = SCENARIO_PERCENTILE;
		if (!(p->expect->percent >= 1 && p->expect->percent <= 99.9))
			fail_at(p, from,
				"'%.40s' is no percentile; from p1 "
				"to p99.9",
				name);
	} else {
		fail_at(p, from,
			"'%.40s' is no function; these are value, "
			"final, max, min, mean, integral, rate, "
			"count, share, p1 to p99.9, and drained "
			"alone%s",
			name,
			reader_near_word(p->r,
					 "value final max min mean "
					 "integral rate count share drained",
					 name));
	}
}

static struct metric
metric_named(const char *name)
{
	return (struct metric){
		.series = value_word(series_words, name) >= 0,
		.destinations = value_word(destination_words, name) >= 0,
		.transports = value_word(transport_words, name) >= 0,
		.outcome = value_word(outcome_words, name) >= 0,
		.sample = value_word(sample_words, name) >= 0,
	};
}

static bool
metric_is_column(const struct metric *m)
{
	return m->series || m->destinations || m->transports;
}

static struct metric
parse_metric(struct parser *p)
{
	skip_blanks(p);
	const char *from = p->at;
	const char *name = take(p, ",)");
	struct metric metric = metric_named(name);
	p->expect->column = name;
	if (metric_is_column(&metric) || metric.outcome || metric.sample)
		return metric;
	char *words = arena_print(p->r->arena, "%s%s%s%s %s", series_words,
				  destination_words, transport_words,
				  outcome_words, sample_words);
	fail_at(p, from,
		"'%.40s' is no metric; a column of series.csv, "
		"destinations.csv or transports.csv, delay, wait, "
		"attempts, or an outcome%s",
		name, reader_near_word(p->r, words, name));
	return metric;
}

static void
fail_fit(struct parser *p, const char *at, const char *of)
{
	fail_at(p, at, "this function is of %s, not of %s", of,
		p->expect->column);
}

/* Does the function fit the metric? Sets what the metric is taken as. */
static void
check_fit(struct parser *p, const struct metric *metric, const char *at)
{
	struct scenario_expect *e = p->expect;
	bool sample = metric->sample;
	bool column = metric_is_column(metric);
	e->metric = SCENARIO_METRIC_COLUMN;
	if (sample)
		e->metric = (enum scenario_metric)(
			SCENARIO_METRIC_DELAY +
			value_word(sample_words, e->column));
	switch (e->function) {
	case SCENARIO_PERCENTILE:
		if (!sample)
			fail_fit(p, at, "delay, wait or attempts");
		return;
	case SCENARIO_COUNT:
	case SCENARIO_SHARE:
		e->metric = SCENARIO_METRIC_OUTCOME;
		if (!metric->outcome)
			fail_fit(p, at,
				 "an outcome (sent, deferred, bounced, "
				 "expired, held, deleted, queued)");
		return;
	case SCENARIO_VALUE:
	case SCENARIO_FINAL:
	case SCENARIO_INTEGRAL:
	case SCENARIO_RATE:
		if (!column)
			fail_fit(p, at, "a column of a series");
		return;
	case SCENARIO_MAX:
	case SCENARIO_MIN:
	case SCENARIO_MEAN:
		if (!column && !sample)
			fail_fit(p, at,
				 "a column of a series, delay, wait "
				 "or attempts");
		return;
	case SCENARIO_DRAINED:
		return;
	}
}

static const char **
filter_field(struct scenario_expect *e, const char *name)
{
	if (!strcmp(name, "destination"))
		return &e->destination;
	if (!strcmp(name, "domain"))
		return &e->domain;
	if (!strcmp(name, "source"))
		return &e->source;
	return strcmp(name, "transport") ? NULL : &e->transport;
}

static void
parse_time(struct parser *p, const char *at, const char *text, int64_t *us)
{
	struct value_error why;
	if (!value_time(text, us, &why))
		fail_at(p, at, "%s", why.text);
}

/* FROM..TO, already taken as one text. */
static void
parse_window(struct parser *p, const char *at, const char *text,
	     const char *dots)
{
	struct scenario_expect *e = p->expect;
	const char *from = arena_copy(p->r->arena, text, (size_t)(dots - text));
	parse_time(p, at, from, &e->from_us);
	parse_time(p, at + (dots - text) + 2, dots + 2, &e->to_us);
	e->has_window = true;
	if (!p->failed && e->to_us <= e->from_us)
		fail_at(p, at, "the end %s is not after the beginning %s",
			dots + 2, from);
}

static void
check_source(struct parser *p, const char *at, const char *name)
{
	struct reader *r = p->r;
	if (name_index_get(&r->sources, name, SIZE_MAX) != SIZE_MAX ||
	    !strcmp(name, "bounce"))
		return;
	struct name_nearest nearest = {.wanted = name};
	for (size_t i = 0; i < r->scenario->source_count; i++) {
		if (!reader_may_suggest(r))
			break;
		name_nearest_try(&nearest, r->scenario->sources[i].name);
	}
	fail_at(p, at, "there is no source '%.60s'%s", name,
		reader_did_you_mean(r, &nearest));
}

static void
check_transport(struct parser *p, const char *at, const char *name)
{
	if (name_index_get(&p->r->transports, name, SIZE_MAX) == SIZE_MAX)
		fail_at(p, at, "there is no transport '%.60s'%s", name,
			reader_near_transport(p->r, name));
}

static void
parse_filter(struct parser *p, const char *at, const char *text,
	     const char *equals)
{
	struct scenario_expect *e = p->expect;
	const char *name =
		arena_copy(p->r->arena, text, (size_t)(equals - text));
	const char *value = equals + 1;
	const char *value_at = at + (value - text);
	if (!strcmp(name, "at")) {
		parse_time(p, value_at, value, &e->at_us);
		return;
	}
	const char **field = filter_field(e, name);
	if (!field) {
		fail_at(p, at,
			"'%.40s' is no filter; these are destination, "
			"domain, source, transport, at%s",
			name,
			reader_near_word(p->r,
					 "destination domain source transport",
					 name));
		return;
	}
	if (*field)
		fail_at(p, at, "the filter '%s' is given twice", name);
	if (!*value)
		fail_at(p, value_at, "the filter '%s' has no value", name);
	*field = value;
	if (field == &e->source)
		check_source(p, value_at, value);
	if (field == &e->transport)
		check_transport(p, value_at, value);
}

static void
parse_argument(struct parser *p)
{
	skip_blanks(p);
	const char *at = p->at;
	const char *text = take(p, ",)");
	const char *equals = strchr(text, '=');
	const char *dots = strstr(text, "..");
	if (equals)
		parse_filter(p, at, text, equals);
	else if (dots)
		parse_window(p, at, text, dots);
	else
		fail_at(p, at, "'%.40s' is neither FILTER=VALUE nor FROM..TO",
			text);
}

/* Is this column there under these filters? */
static void
check_filters(struct parser *p, const struct metric *metric, const char *at)
{
	const struct scenario_expect *e = p->expect;
	if (e->function == SCENARIO_VALUE && e->at_us < 0)
		fail_at(p, at, "value() needs a time, as in value(%s, at=30m)",
			e->column);
	if (e->function != SCENARIO_VALUE && e->at_us >= 0)
		fail_at(p, at, "at= goes with value() only");
	if (e->metric != SCENARIO_METRIC_COLUMN)
		return;
	if (e->domain || e->source)
		fail_at(p, at,
			"a column of a series has no filter by domain "
			"or source");
	else if (e->destination && !metric->destinations)
		fail_at(p, at, "'%s' is no column of destinations.csv",
			e->column);
	else if (!e->destination && e->transport && !metric->transports)
		fail_at(p, at, "'%s' is no column of transports.csv",
			e->column);
	else if (!e->destination && !e->transport && !metric->series)
		fail_at(p, at,
			"'%s' is not of the whole system; add "
			"%s=NAME",
			e->column,
			metric->destinations ? "destination" : "transport");
}

static void
parse_call(struct parser *p)
{
	if (!take_char(p, '(')) {
		fail_at(p, p->at, "'(' is wanted here");
		return;
	}
	skip_blanks(p);
	const char *at = p->at;
	struct metric metric = parse_metric(p);
	if (!p->failed)
		check_fit(p, &metric, at);
	while (!p->failed && take_char(p, ','))
		parse_argument(p);
	if (!p->failed && !take_char(p, ')'))
		fail_at(p, p->at, "')' is wanted here");
	if (!p->failed)
		check_filters(p, &metric, at);
}

static void
parse_within(struct parser *p)
{
	struct value_error why;
	skip_blanks(p);
	const char *at = p->at;
	const char *text = take(p, "");
	p->expect->comparison = SCENARIO_WITHIN;
	if (!value_share(text, &p->expect->within, &why))
		fail_at(p, at, "%s", why.text);
	else if (!take_word(p, "of"))
		fail_at(p, p->at,
			"'of' is wanted here, as in within 5%% of "
			"300/s");
}

static void
parse_comparison(struct parser *p)
{
	static const struct {
		const char *text;
		enum scenario_comparison comparison;
	} table[] = {
		{"<=", SCENARIO_LESS_EQUAL}, {">=", SCENARIO_GREATER_EQUAL},
		{"==", SCENARIO_EQUAL},	     {"!=", SCENARIO_NOT_EQUAL},
		{"<", SCENARIO_LESS},	     {">", SCENARIO_GREATER},
	};
	skip_blanks(p);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		size_t size = strlen(table[i].text);
		if (!strncmp(p->at, table[i].text, size)) {
			p->at += size;
			p->expect->comparison = table[i].comparison;
			return;
		}
	}
	if (take_word(p, "within"))
		parse_within(p);
	else
		fail_at(p, p->at,
			"a comparison is wanted here: < <= == != >= "
			"> or 'within X%% of'");
}

static enum scenario_unit
wanted_unit(const struct scenario_expect *e)
{
	if (e->function == SCENARIO_DRAINED)
		return SCENARIO_UNIT_SECONDS;
	if (e->function == SCENARIO_RATE)
		return SCENARIO_UNIT_PER_SECOND;
	if (e->function == SCENARIO_SHARE)
		return SCENARIO_UNIT_SHARE;
	if (e->metric == SCENARIO_METRIC_DELAY ||
	    e->metric == SCENARIO_METRIC_WAIT)
		return SCENARIO_UNIT_SECONDS;
	return SCENARIO_UNIT_NUMBER;
}

static void
parse_bound(struct parser *p)
{
	struct scenario_expect *e = p->expect;
	struct value_error why;
	int64_t us = 0;
	bool ok = false;
	skip_blanks(p);
	const char *at = p->at;
	const char *text = take(p, "");
	e->unit = wanted_unit(e);
	switch (e->unit) {
	case SCENARIO_UNIT_SECONDS:
		ok = value_time(text, &us, &why);
		e->value = (double)us / 1e6;
		break;
	case SCENARIO_UNIT_PER_SECOND:
		ok = value_rate(text, &e->value, &why);
		break;
	case SCENARIO_UNIT_SHARE:
		ok = value_share(text, &e->value, &why);
		break;
	case SCENARIO_UNIT_NUMBER:
		ok = value_number(text, &e->value, &why);
		break;
	}
	if (!ok)
		fail_at(p, at, "%s", why.text);
}

static void
parse_runs(struct parser *p)
{
	struct value_error why;
	if (!take_word(p, "in"))
		return;
	skip_blanks(p);
	const char *at = p->at;
	const char *text = take(p, "");
	if (!value_share(text, &p->expect->runs_share, &why))
		fail_at(p, at, "%s", why.text);
	else if (!take_word(p, "of") || !take_word(p, "runs"))
		fail_at(p, p->at, "'of runs' is wanted here");
}

static void
read_expect(struct reader *r, const struct tree_node *node,
	    struct scenario_expect *expect)
{
	*expect = (struct scenario_expect){
		.text = reader_name(r, node,
				    "an expectation, as in max(active) < 100"),
		.column = "",
		.at_us = -1,
		.to_us = SCENARIO_NEVER,
		.at = node->at,
	};
	if (node->kind != TREE_SCALAR || !*node->text)
		return;
	struct parser p = {
		.r = r,
		.node = node,
		.at = node->text,
		.expect = expect,
	};
	parse_function(&p);
	if (!p.failed && expect->function != SCENARIO_DRAINED)
		parse_call(&p);
	if (!p.failed)
		parse_comparison(&p);
	if (!p.failed)
		parse_bound(&p);
	if (!p.failed)
		parse_runs(&p);
	skip_blanks(&p);
	if (!p.failed && *p.at)
		fail_at(&p, p.at, "nothing is wanted after the bound");
	if (expect->at_us < 0)
		expect->at_us = 0;
}

void
reader_expect(struct reader *r, const struct tree_node *root)
{
	struct scenario *s = r->scenario;
	const struct tree_node *node = tree_get(root, "expect");
	if (!reader_want(r, node, TREE_LIST))
		return;
	s->expect = arena_alloc(r->arena, node->count, sizeof(*s->expect));
	for (const struct tree_node *n = node->first; n; n = n->next)
		read_expect(r, n, &s->expect[s->expect_count++]);
}
