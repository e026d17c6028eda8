/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reading laws of chance. The numbers of a law are written in the unit of
 * what is drawn (times with units, sizes with theirs), shapes and sigmas are
 * bare. What a law cannot mean is for its builder in model/law.h to say; here
 * it gets the place in the file.
 */
#include "sim/scenario/scenario_reader.h"

#include <stdlib.h>
#include <string.h>

#include "model/law.h"
#include "sim/base/csv_read.h"

static const char law_words[] = "constant uniform exponential lognormal "
				"gamma weibull pareto mixture empirical "
				"values";

enum {
	VALUES_MAX = 10000000
};

/* A law in work. */
struct law_reader {
	struct reader *r;
	const char *unit; /* "time", "size", "count" or "number" */
	struct law *law;
};

/* A text as a number of the law's unit. */
static bool
unit_value(const char *unit, const char *text, double *value,
	   struct value_error *why)
{
	int64_t whole = 0;
	bool ok;
	if (!strcmp(unit, "time")) {
		ok = value_time(text, &whole, why);
		*value = (double)whole;
	} else if (!strcmp(unit, "size")) {
		ok = value_size(text, &whole, why);
		*value = (double)whole;
	} else {
		ok = value_number(text, value, why);
		if (ok && *value < 0) {
			strcpy(why->text, "a number below 0");
			ok = false;
		}
	}
	return ok;
}

static bool
read_value(struct law_reader *l, const struct tree_node *node, double *value)
{
	struct value_error why;
	if (!reader_want(l->r, node, TREE_SCALAR))
		return false;
	bool ok = unit_value(l->unit, node->text, value, &why);
	if (!ok)
		reader_complain(l->r, node, "%s", why.text);
	return ok;
}

static bool
read_bare(struct law_reader *l, const struct tree_node *node, double *value)
{
	struct value_error why;
	if (!reader_want(l->r, node, TREE_SCALAR))
		return false;
	bool ok = value_number(node->text, value, &why);
	if (!ok)
		reader_complain(l->r, node, "%s", why.text);
	return ok;
}

static bool
read_share(struct law_reader *l, const struct tree_node *node, double *value)
{
	struct value_error why;
	if (!reader_want(l->r, node, TREE_SCALAR))
		return false;
	bool ok = value_share(node->text, value, &why);
	if (!ok)
		reader_complain(l->r, node, "%s", why.text);
	return ok;
}

/* Every key of the map is one of these words. */
static bool
check_keys(struct law_reader *l, const struct tree_node *map, const char *words)
{
	bool ok = reader_want(l->r, map, TREE_MAP);
	for (const struct tree_node *n = ok ? map->first : NULL; n;
	     n = n->next) {
		if (value_word(words, n->key) >= 0)
			continue;
		reader_complain_key(l->r, n, "unknown key of the law %s",
				    map->key ? map->key : "");
		ok = false;
	}
	return ok;
}

static const struct tree_node *
need(struct law_reader *l, const struct tree_node *map, const char *key)
{
	const struct tree_node *node = tree_get(map, key);
	if (!node)
		reader_complain_key(l->r, map, "the key '%s' is missing", key);
	return node;
}

static bool
built(struct law_reader *l, const struct tree_node *node, const char *error)
{
	if (error)
		reader_complain(l->r, node, "%s", error);
	return !error;
}

static bool
read_uniform(struct law_reader *l, const struct tree_node *node)
{
	double least = 0;
	double most = 0;
	if (node->kind != TREE_LIST || node->count != 2) {
		reader_complain(l->r, node, "[least, most] is wanted here");
		return false;
	}
	bool ok = read_value(l, node->first, &least);
	ok &= read_value(l, node->last, &most);
	return ok && built(l, node, law_uniform(l->law, least, most));
}

static bool
read_lognormal(struct law_reader *l, const struct tree_node *node)
{
	double median = 0;
	double second = 0;
	if (!check_keys(l, node, "median sigma p99"))
		return false;
	const struct tree_node *sigma = tree_get(node, "sigma");
	const struct tree_node *p99 = tree_get(node, "p99");
	const struct tree_node *at = need(l, node, "median");
	bool ok = at && read_value(l, at, &median);
	if (!sigma == !p99) {
		reader_complain_key(l->r, node,
				    "beside 'median' either "
				    "'sigma' or 'p99' is wanted");
		return false;
	}
	ok &= sigma ? read_bare(l, sigma, &second)
		    : read_value(l, p99, &second);
	return ok && built(l, node,
			   sigma ? law_lognormal(l->law, median, second)
				 : law_lognormal_p99(l->law, median, second));
}

/* {FIRST: value, shape: number} */
static bool
read_shaped(struct law_reader *l, const struct tree_node *node,
	    const char *first,
	    const char *(*build)(struct law *, double, double))
{
	double scale = 0;
	double shape = 0;
	const char *words = arena_print(l->r->arena, "%s shape", first);
	if (!check_keys(l, node, words))
		return false;
	const struct tree_node *a = need(l, node, first);
	const struct tree_node *b = need(l, node, "shape");
	bool ok = a && read_value(l, a, &scale);
	ok &= b && read_bare(l, b, &shape);
	return ok && built(l, node, build(l->law, scale, shape));
}

static const struct law *
read_part(struct law_reader *l, const struct tree_node *node, double *share)
{
	if (!reader_want(l->r, node, TREE_MAP))
		return NULL;
	const struct tree_node *weight = need(l, node, "share");
	bool ok = weight && read_share(l, weight, share);
	struct tree_node rest = *node;
	/* The law of a part stands beside its share: look at it alone. */
	const struct tree_node *law_at = NULL;
	for (const struct tree_node *n = node->first; n; n = n->next) {
		if (n == weight)
			continue;
		if (law_at) {
			reader_complain_key(l->r, n, "one law for each part");
			ok = false;
		}
		law_at = n;
	}
	if (!law_at) {
		reader_complain(l->r, node,
				"a part has a share and a law, as "
				"in {share: 20%%, constant: 5s}");
		return NULL;
	}
	struct tree_node only = *law_at;
	only.next = NULL;
	rest.first = &only;
	rest.count = 1;
	const struct law *law = reader_law(l->r, &rest, l->unit);
	return ok ? law : NULL;
}

static bool
read_mixture(struct law_reader *l, const struct tree_node *node)
{
	if (!reader_want(l->r, node, TREE_LIST))
		return false;
	struct law_part *parts =
		arena_alloc(l->r->arena, node->count, sizeof(*parts));
	bool ok = true;
	for (const struct tree_node *n = node->first; n; n = n->next) {
		parts[n->index].law = read_part(l, n, &parts[n->index].share);
		ok &= parts[n->index].law != NULL;
	}
	return ok && built(l, node, law_mixture(l->law, parts, node->count));
}

/* The unit of a column in a table, and the factor to the law's unit. */
static bool
find_value_column(struct law_reader *l, struct csv_reader *csv, int *column,
		  double *factor)
{
	static const char *const names[][2] = {
		{"time", "time_s"},
		{"size", "size_bytes"},
		{"count", "count"},
		{"number", "number"},
	};
	size_t row = 0;
	while (row < 3 && strcmp(names[row][0], l->unit) != 0)
		row++;
	*factor = row == 0 ? 1e6 : 1;
	return csv_find(csv, names[row][1], column);
}

/* A growing list of doubles from a table; shares NULL: values only. */
struct table {
	double *values; /* owned, as the next */
	double *shares;
	size_t count;
	size_t room;
};

static void
table_add(struct table *t, double value, double share)
{
	if (t->count == t->room) {
		t->room = t->room ? t->room * 2 : 64;
		t->values =
			memory_resize(t->values, t->room, sizeof(*t->values));
		t->shares =
			memory_resize(t->shares, t->room, sizeof(*t->shares));
	}
	t->values[t->count] = value;
	t->shares[t->count++] = share;
}

static bool
load_table(struct law_reader *l, const struct tree_node *node, bool shares,
	   struct table *t)
{
	struct csv_reader csv;
	int value_at = -1;
	int share_at = -1;
	double factor = 1;
	const char *path = reader_file(l->r, node);
	if (!path)
		return false;
	bool ok = csv_open(&csv, path) &&
		  find_value_column(l, &csv, &value_at, &factor) &&
		  (!shares || csv_find(&csv, "share", &share_at));
	while (ok && csv_next(&csv)) {
		double value = 0;
		double share = 0;
		ok = csv_double(&csv, value_at, &value) &&
		     (!shares || csv_double(&csv, share_at, &share));
		if (ok && value < 0)
			ok = csv_fail(&csv, "a value below 0");
		if (ok && t->count == VALUES_MAX)
			ok = csv_fail(&csv, "more rows than are read");
		if (ok)
			table_add(t, value * factor, share);
	}
	if (csv.error[0])
		reader_complain(l->r, node, "%s", csv.error);
	ok = !csv.error[0];
	csv_close(&csv);
	return ok;
}

static bool
load_knots(struct law_reader *l, const struct tree_node *node, struct table *t)
{
	if (node->kind == TREE_SCALAR)
		return load_table(l, node, true, t);
	if (!reader_want(l->r, node, TREE_LIST))
		return false;
	bool ok = true;
	for (const struct tree_node *n = node->first; n; n = n->next) {
		double value = 0;
		double share = 0;
		if (n->kind != TREE_LIST || n->count != 2) {
			reader_complain(l->r, n, "a knot is [value, share]");
			ok = false;
			continue;
		}
		ok &= read_value(l, n->first, &value);
		ok &= read_share(l, n->last, &share);
		table_add(t, value, share);
	}
	return ok;
}

static bool
read_empirical(struct law_reader *l, const struct tree_node *node)
{
	struct table t = {.values = NULL};
	bool ok = load_knots(l, node, &t);
	if (ok) {
		struct law_knot *knots =
			arena_alloc(l->r->arena, t.count, sizeof(*knots));
		for (size_t i = 0; i < t.count; i++) {
			knots[i].value = t.values[i];
			knots[i].share = t.shares[i];
		}
		ok = built(l, node, law_empirical(l->law, knots, t.count));
	}
	free(t.values);
	free(t.shares);
	return ok;
}

static bool
load_values(struct law_reader *l, const struct tree_node *node, struct table *t)
{
	const struct tree_node *list = tree_get(node, "list");
	const struct tree_node *file = tree_get(node, "file");
	if (!list == !file) {
		reader_complain_key(l->r, node,
				    "either 'list' or 'file' is "
				    "wanted");
		return false;
	}
	if (file)
		return load_table(l, file, false, t);
	if (!reader_want(l->r, list, TREE_LIST))
		return false;
	bool ok = true;
	for (const struct tree_node *n = list->first; n; n = n->next) {
		double value = 0;
		ok &= read_value(l, n, &value);
		table_add(t, value, 0);
	}
	return ok;
}

static bool
read_values(struct law_reader *l, const struct tree_node *node)
{
	struct table t = {.values = NULL};
	if (!check_keys(l, node, "list file by then"))
		return false;
	const struct tree_node *by = tree_get(node, "by");
	const struct tree_node *then = tree_get(node, "then");
	int by_index = by ? reader_word(l->r, by, "delivery message") : 0;
	int then_index = then ? reader_word(l->r, then, "last cycle") : 0;
	bool ok = load_values(l, node, &t) && by_index >= 0 && then_index >= 0;
	if (ok) {
		double *values =
			arena_alloc(l->r->arena, t.count, sizeof(*values));
		if (t.count)
			memcpy(values, t.values, t.count * sizeof(*values));
		ok = built(
			l, node,
			law_values(l->law, values, t.count,
				   by_index ? LAW_BY_MESSAGE : LAW_BY_DELIVERY,
				   then_index ? LAW_THEN_CYCLE
					      : LAW_THEN_LAST));
	}
	free(t.values);
	free(t.shares);
	return ok;
}

static bool
read_plain(struct law_reader *l, const struct tree_node *node,
	   const char *(*build)(struct law *, double))
{
	double value = 0;
	return read_value(l, node, &value) &&
	       built(l, node, build(l->law, value));
}

static bool
read_kind(struct law_reader *l, const struct tree_node *node)
{
	switch ((enum law_kind)value_word(law_words, node->key)) {
	case LAW_CONSTANT:
		return read_plain(l, node, law_constant);
	case LAW_UNIFORM:
		return read_uniform(l, node);
	case LAW_EXPONENTIAL:
		return read_plain(l, node, law_exponential);
	case LAW_LOGNORMAL:
		return read_lognormal(l, node);
	case LAW_GAMMA:
		return read_shaped(l, node, "mean", law_gamma);
	case LAW_WEIBULL:
		return read_shaped(l, node, "scale", law_weibull);
	case LAW_PARETO:
		return read_shaped(l, node, "least", law_pareto);
	case LAW_MIXTURE:
		return read_mixture(l, node);
	case LAW_EMPIRICAL:
		return read_empirical(l, node);
	case LAW_VALUES:
		return read_values(l, node);
	}
	return false;
}

/* The map's one key, which names the law. */
static const struct tree_node *
law_key(struct reader *r, const struct tree_node *node)
{
	for (const struct tree_node *n = node->first; n; n = n->next) {
		if (value_word(law_words, n->key) >= 0)
			continue;
		struct name_nearest nearest = {.wanted = n->key};
		for (int kind = 0; kind <= LAW_VALUES; kind++)
			name_nearest_try(&nearest,
					 law_kind_name((enum law_kind)kind));
		reader_complain_key(r, n, "'%s' is no law%s", n->key,
				    reader_did_you_mean(r, &nearest));
		return NULL;
	}
	if (node->count == 1)
		return node->first;
	reader_complain(r, node,
			"one law is wanted here, as in "
			"{exponential: 5s}");
	return NULL;
}

struct law *
reader_law(struct reader *r, const struct tree_node *node, const char *unit)
{
	struct law_reader l = {
		.r = r,
		.unit = unit,
		.law = arena_alloc(r->arena, 1, sizeof(struct law)),
	};
	bool ok;
	if (!node)
		return NULL;
	if (node->kind == TREE_SCALAR) {
		ok = read_plain(&l, node, law_constant);
	} else if (reader_want(r, node, TREE_MAP)) {
		const struct tree_node *key = law_key(r, node);
		ok = key && read_kind(&l, key);
	} else {
		ok = false;
	}
	return ok ? l.law : NULL;
}

struct law *
reader_law_default(struct reader *r, const char *text, const char *unit)
{
	struct law *law = arena_alloc(r->arena, 1, sizeof(*law));
	struct value_error why;
	double value = 0;
	if (!unit_value(unit, text, &value, &why))
		return NULL;
	return law_constant(law, value) ? NULL : law;
}
