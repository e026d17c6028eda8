/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The table of parameters, made from params.def, and the struct that holds
 * their values. A row knows where its value lies in struct mta_params; that is
 * the only place where fields are found by offset. Transport forms that were
 * set by name are kept in a list, in order of setting: there are a few, and
 * they are looked up once for each transport.
 *
 * Does not know which transports exist.
 */
#include "mta/pure.h"

#include "mta/params.h"
#include "mta/panic.h"
#include "mta/text.h"

#define FIELD(kind, field)  MTA_PARAM_FIELD_##kind(field)
#define OFFSET(kind, field) offsetof(struct mta_params, FIELD(kind, field))
#define TWIN_OFFSET(twin, kind, field)                                         \
	(offsetof(struct mta_params, twin) +                                   \
	 offsetof(struct mta_smtp_params, FIELD(kind, field)))

/* What the members have in common, without the braces. */
#define CELLS(k, n, d, lo, hi, h, f, o)                                        \
	.name = (n), .default_text = (d), .help = (h), .fact = (f),            \
	.kind = MTA_PARAM_##k, .least = (lo), .most = (hi), .offset = (o)
#define ROW(...)      {CELLS(__VA_ARGS__)},
#define IDLE_ROW(...) {CELLS(__VA_ARGS__), .is_idle = true},
#define IDLE	      " (no effect)"

#define TWIN(twin, kind, n, d, lo, hi, h, f, field)                            \
	ROW(kind, n, d, lo, hi, h, f, TWIN_OFFSET(twin, kind, field))

static const struct mta_param general_rows[] = {
#define PARAM(kind, field, def, lo, hi, help, fact)                            \
	ROW(kind, #field, def, lo, hi, help, fact, OFFSET(kind, field))
#define PARAM_IDLE(kind, field, def, lo, hi, help, fact)                       \
	IDLE_ROW(kind, #field, def, lo, hi, help IDLE, fact,                   \
		 OFFSET(kind, field))
#define PARAM_AS(kind, field, name, def, lo, hi, help, fact)                   \
	ROW(kind, name, def, lo, hi, help, fact, OFFSET(kind, field))
#define SMTP(kind, field, sdef, ldef, lo, hi, h, f)                            \
	TWIN(smtp, kind, "smtp_" #field, sdef, lo, hi, h, f, field)            \
	TWIN(lmtp, kind, "lmtp_" #field, ldef, lo, hi, h, f, field)
#define SMTP_IDLE(kind, field, sdef, ldef, lo, hi, h, f)                       \
	IDLE_ROW(kind, "smtp_" #field, sdef, lo, hi, h IDLE, f,                \
		 TWIN_OFFSET(smtp, kind, field))                               \
	IDLE_ROW(kind, "lmtp_" #field, ldef, lo, hi, h IDLE, f,                \
		 TWIN_OFFSET(lmtp, kind, field))
#define SMTP_AS(kind, field, sname, lname, sdef, ldef, lo, hi, h, f)           \
	TWIN(smtp, kind, sname, sdef, lo, hi, h, f, field)                     \
	TWIN(lmtp, kind, lname, ldef, lo, hi, h, f, field)
#include "mta/params.def"
};

static const struct mta_param form_rows[] = {
#define TRANSPORT(k, field, def_field, lo, hi, h, f)                           \
	{.name = "_" #field,                                                   \
	 .default_text = "$" #def_field,                                       \
	 .help = (h),                                                          \
	 .fact = (f),                                                          \
	 .kind = MTA_PARAM_##k,                                                \
	 .is_transport_form = true,                                            \
	 .least = (lo),                                                        \
	 .most = (hi),                                                         \
	 .offset = offsetof(struct mta_transport_params, FIELD(k, field)),     \
	 .default_offset = OFFSET(k, def_field)},
#include "mta/params.def"
};

enum {
	GENERAL_COUNT = sizeof(general_rows) / sizeof(general_rows[0]),
	FORM_COUNT = sizeof(form_rows) / sizeof(form_rows[0]),
};

/* ---- Rows ---- */

size_t
mta_param_count(void)
{
	return GENERAL_COUNT + FORM_COUNT;
}

const struct mta_param *
mta_param_at(size_t index)
{
	mta_assert(index < mta_param_count());
	return index < GENERAL_COUNT ? &general_rows[index]
				     : &form_rows[index - GENERAL_COUNT];
}

static bool
is_transport_name(const char *name, size_t length_bytes)
{
	size_t i;

	for (i = 0; i < length_bytes; i++) {
		char c = name[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		      (c >= '0' && c <= '9') || strchr("._-", c) != NULL))
			return false;
	}
	return length_bytes > 0;
}

/* The longest form that fits: X_destination_recipient_limit is not the
 * recipient limit of a transport X_destination. */
static const struct mta_param *
find_form(const char *name)
{
	size_t length = strlen(name);
	const struct mta_param *best = NULL;
	size_t best_length = 0;
	size_t i;

	for (i = 0; i < FORM_COUNT; i++) {
		size_t suffix = strlen(form_rows[i].name);

		if (suffix <= best_length || suffix >= length ||
		    strcmp(name + length - suffix, form_rows[i].name) != 0)
			continue;
		best = &form_rows[i];
		best_length = suffix;
	}
	if (best == NULL || !is_transport_name(name, length - best_length))
		return NULL;
	return best;
}

const struct mta_param *
mta_param_find(const char *name)
{
	size_t i;

	for (i = 0; i < GENERAL_COUNT; i++) {
		if (strcmp(name, general_rows[i].name) == 0)
			return &general_rows[i];
	}
	return find_form(name);
}

const char *
mta_param_unit(const struct mta_param *row)
{
	const struct mta_param *source = row;

	if (row->kind == MTA_PARAM_BYTES)
		return "bytes";
	if (row->kind != MTA_PARAM_TIME)
		return "";
	if (row->is_transport_form)
		source = mta_param_find(row->default_text + 1);
	mta_assert(source != NULL);
	return source->default_text + strlen(source->default_text) - 1;
}

/* ---- Values in their struct ---- */

static void *
field_of(void *s, size_t offset)
{
	return (char *)s + offset;
}

static const void *
const_field_of(const void *s, size_t offset)
{
	return (const char *)s + offset;
}

static char *
duplicate(const char *text)
{
	size_t size = strlen(text) + 1;

	/* Bounded by the scenario's text; read once, at start. */
	return memcpy(mta_alloc(size, 1), text, size);
}

static void
put_value(const struct mta_param *row, void *field,
	  const union mta_param_value *value)
{
	switch (row->kind) {
	case MTA_PARAM_TIME:
	case MTA_PARAM_INT:
		memcpy(field, &value->number, sizeof(value->number));
		break;
	case MTA_PARAM_BYTES:
		memcpy(field, &value->bytes, sizeof(value->bytes));
		break;
	case MTA_PARAM_BOOL:
		memcpy(field, &value->flag, sizeof(value->flag));
		break;
	case MTA_PARAM_FEEDBACK:
		memcpy(field, &value->feedback, sizeof(value->feedback));
		break;
	case MTA_PARAM_TEXT:
		mta_assert(row->kind != MTA_PARAM_TEXT);
		break;
	}
}

static union mta_param_value
get_value(const struct mta_param *row, const void *field)
{
	union mta_param_value value = {.bytes = 0};

	switch (row->kind) {
	case MTA_PARAM_TIME:
	case MTA_PARAM_INT:
		memcpy(&value.number, field, sizeof(value.number));
		break;
	case MTA_PARAM_BYTES:
		memcpy(&value.bytes, field, sizeof(value.bytes));
		break;
	case MTA_PARAM_BOOL:
		memcpy(&value.flag, field, sizeof(value.flag));
		break;
	case MTA_PARAM_FEEDBACK:
		memcpy(&value.feedback, field, sizeof(value.feedback));
		break;
	case MTA_PARAM_TEXT:
		mta_assert(row->kind != MTA_PARAM_TEXT);
		break;
	}
	return value;
}

static void
put_text(void *field, char *owned)
{
	memcpy(field, &owned, sizeof(owned));
}

static char *
get_text(const void *field)
{
	char *text;

	memcpy(&text, field, sizeof(text));
	return text;
}

/* ---- Life ---- */

static void
put_default(struct mta_params *p, const struct mta_param *row)
{
	void *field = field_of(p, row->offset);
	const char *text = row->default_text;
	union mta_param_value value;
	char err[200];
	bool is_good;

	if (row->kind == MTA_PARAM_TEXT) {
		put_text(field, duplicate(*text == '$' ? "" : text));
		return;
	}
	is_good = mta_param_parse(row, text, &value, err, sizeof(err));
	mta_assert(is_good);
	put_value(row, field, &value);
}

void
mta_params_init(struct mta_params *p)
{
	size_t i;

	*p = (struct mta_params){.overrides = NULL};
	for (i = 0; i < GENERAL_COUNT; i++)
		put_default(p, &general_rows[i]);
}

void
mta_params_release(struct mta_params *p)
{
	uint32_t k;
	size_t i;

	for (i = 0; i < GENERAL_COUNT; i++) {
		if (general_rows[i].kind == MTA_PARAM_TEXT)
			free(get_text(field_of(p, general_rows[i].offset)));
	}
	for (k = 0; k < p->override_count; k++)
		free(p->overrides[k].name);
	free(p->overrides);
	*p = (struct mta_params){.overrides = NULL};
}

void
mta_params_copy(struct mta_params *to, const struct mta_params *from)
{
	uint32_t k;
	size_t i;

	*to = *from;
	for (i = 0; i < GENERAL_COUNT; i++) {
		void *field = field_of(to, general_rows[i].offset);

		if (general_rows[i].kind == MTA_PARAM_TEXT)
			put_text(field, duplicate(get_text(field)));
	}
	to->overrides = NULL;
	to->override_capacity = from->override_count;
	if (from->override_count == 0)
		return;
	to->overrides =
		mta_alloc(from->override_count, sizeof(from->overrides[0]));
	for (k = 0; k < from->override_count; k++) {
		to->overrides[k] = from->overrides[k];
		to->overrides[k].name = duplicate(from->overrides[k].name);
	}
}

/* ---- Setting ---- */

static void
set_override(struct mta_params *p, const struct mta_param *row,
	     const char *name, const union mta_param_value *value)
{
	struct mta_param_override *o;
	uint32_t i;

	for (i = 0; i < p->override_count; i++) {
		if (strcmp(p->overrides[i].name, name) == 0) {
			p->overrides[i].value = *value;
			return;
		}
	}
	if (p->override_count == p->override_capacity) {
		p->override_capacity = 2 * p->override_capacity + 4;
		/* Bounded by the lines of the scenario. */
		p->overrides = mta_realloc(p->overrides, p->override_capacity,
					   sizeof(p->overrides[0]));
	}
	o = &p->overrides[p->override_count++];
	*o = (struct mta_param_override){
		.name = duplicate(name),
		.transport_length_bytes = strlen(name) - strlen(row->name),
		.param = row,
		.value = *value,
	};
}

static enum mta_param_outcome
set_text(struct mta_params *p, const struct mta_param *row, const char *value,
	 char *err, size_t err_size_bytes)
{
	void *field = field_of(p, row->offset);
	char *old = get_text(field);

	if (strchr(value, '$') != NULL) {
		snprintf(err, err_size_bytes,
			 "'%s': $name is not expanded "
			 "here; write the value itself",
			 value);
		return MTA_PARAM_BAD;
	}
	put_text(field, duplicate(value));
	free(old);
	return MTA_PARAM_SET;
}

enum mta_param_outcome
mta_params_set(struct mta_params *p, const char *name, const char *value,
	       char *err, size_t err_size_bytes)
{
	const struct mta_param *row = mta_param_find(name);
	union mta_param_value parsed;

	if (row == NULL) {
		snprintf(err, err_size_bytes, "unknown parameter");
		return MTA_PARAM_UNKNOWN;
	}
	if (row->kind == MTA_PARAM_TEXT)
		return set_text(p, row, value, err, err_size_bytes);
	if (!mta_param_parse(row, value, &parsed, err, err_size_bytes))
		return MTA_PARAM_BAD;
	if (row->is_transport_form)
		set_override(p, row, name, &parsed);
	else
		put_value(row, field_of(p, row->offset), &parsed);
	return MTA_PARAM_SET;
}

/* ---- To text ---- */

int
mta_param_format(const struct mta_params *p, const struct mta_param *row,
		 char *buf, size_t size_bytes)
{
	const void *field = const_field_of(p, row->offset);
	union mta_param_value value;

	mta_assert(!row->is_transport_form);
	if (row->kind == MTA_PARAM_TEXT)
		return snprintf(buf, size_bytes, "%s", get_text(field));
	value = get_value(row, field);
	return mta_param_value_format(row, &value, buf, size_bytes);
}

int
mta_param_override_format(const struct mta_param_override *o, char *buf,
			  size_t size_bytes)
{
	return mta_param_value_format(o->param, &o->value, buf, size_bytes);
}

/* ---- Transports ---- */

static union mta_param_value
form_value(const struct mta_params *p, const struct mta_param *row,
	   const char *transport)
{
	size_t length = strlen(transport);
	uint32_t i;

	for (i = 0; i < p->override_count; i++) {
		const struct mta_param_override *o = &p->overrides[i];

		if (o->param == row && o->transport_length_bytes == length &&
		    memcmp(o->name, transport, length) == 0)
			return o->value;
	}
	return get_value(row, const_field_of(p, row->default_offset));
}

/* R-TRANSPORT-PARAMS */
void
mta_transport_params(const struct mta_params *p, const char *transport,
		     struct mta_transport_params *out)
{
	size_t i;

	*out = (struct mta_transport_params){.time_limit_s = 0};
	for (i = 0; i < FORM_COUNT; i++) {
		union mta_param_value value =
			form_value(p, &form_rows[i], transport);

		put_value(&form_rows[i], field_of(out, form_rows[i].offset),
			  &value);
	}
	if (strcmp(transport, "local") == 0) {
		out->destination_concurrency_limit =
			p->local_destination_concurrency_limit;
		out->destination_recipient_limit =
			p->local_destination_recipient_limit;
	}
	if (out->destination_rate_delay_s > 0)
		out->destination_concurrency_limit = 1;
	if (out->destination_concurrency_limit != 0 &&
	    out->initial_destination_concurrency >
		    out->destination_concurrency_limit)
		out->initial_destination_concurrency =
			out->destination_concurrency_limit;
}

struct mta_window_law
mta_transport_window_law(const struct mta_transport_params *t)
{
	return (struct mta_window_law){
		.limit = t->destination_concurrency_limit,
		.initial = t->initial_destination_concurrency,
		.failed_cohort_limit =
			t->destination_concurrency_failed_cohort_limit,
		.positive = t->destination_concurrency_positive_feedback,
		.negative = t->destination_concurrency_negative_feedback,
	};
}

struct mta_slot_law
mta_transport_slot_law(const struct mta_transport_params *t)
{
	return (struct mta_slot_law){
		.cost = t->delivery_slot_cost,
		.loan = t->delivery_slot_loan,
		.discount = t->delivery_slot_discount,
		.minimum = t->minimum_delivery_slots,
	};
}

/* ---- Start-up ---- */

/* R-PARAM-FIXES */
unsigned
mta_params_fix(struct mta_params *p)
{
	unsigned fixes = 0;

	if (p->qmgr_message_recipient_limit < p->qmgr_message_active_limit) {
		p->qmgr_message_recipient_limit = p->qmgr_message_active_limit;
		fixes |= MTA_FIX_RECIPIENT_LIMIT;
	}
	if (p->bounce_queue_lifetime_s > p->maximal_queue_lifetime_s) {
		p->bounce_queue_lifetime_s = p->maximal_queue_lifetime_s;
		fixes |= MTA_FIX_BOUNCE_LIFETIME;
	}
	return fixes;
}

bool
mta_list_has_name(const char *list, const char *name)
{
	size_t length;

	for (const char *word; (word = mta_text_word(&list, &length));) {
		if (strlen(name) == length && memcmp(word, name, length) == 0)
			return true;
	}
	return false;
}
