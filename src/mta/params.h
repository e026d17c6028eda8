/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The parameters of the mail system under their own names, with the defaults,
 * units and bounds that operators know. params.def has each of them once; the
 * structs below, the reading of values and docs/parameters.md follow from it.
 *
 * Field names: the parameter's name; times end in _s (whole seconds), sizes in
 * _bytes: p->in_flow_delay_s, p->message_size_limit_bytes, p->soft_bounce. The
 * smtp_ and lmtp_ twins are p->smtp.connect_timeout_s, p->lmtp....; the forms
 * that every transport has (smtp_destination_rate_delay) are resolved by
 * mta_transport_params.
 *
 * Differences from Postfix: a value that it would warn about and replace
 * (feedback) is an error here, as is text after a unit letter that contradicts
 * the letter (250ms); yes and no may also be written true and false; $name is
 * not expanded.
 */
#ifndef MTA_PARAMS_H
#define MTA_PARAMS_H

#include "mta/rules.h"
#include "mta/types.h"

/* Field and C type of each kind of parameter. */
#define MTA_PARAM_FIELD_TIME(field)	field##_s
#define MTA_PARAM_FIELD_INT(field)	field
#define MTA_PARAM_FIELD_BOOL(field)	field
#define MTA_PARAM_FIELD_TEXT(field)	field
#define MTA_PARAM_FIELD_BYTES(field)	field##_bytes
#define MTA_PARAM_FIELD_FEEDBACK(field) field
#define MTA_PARAM_CTYPE_TIME		int32_t
#define MTA_PARAM_CTYPE_INT		int32_t
#define MTA_PARAM_CTYPE_BOOL		bool
#define MTA_PARAM_CTYPE_TEXT		char * /* owned, never NULL */
#define MTA_PARAM_CTYPE_BYTES		int64_t
#define MTA_PARAM_CTYPE_FEEDBACK	struct mta_feedback
#define MTA_PARAM_MEMBER(kind, field)                                          \
	MTA_PARAM_CTYPE_##kind MTA_PARAM_FIELD_##kind(field);

/* Parameters of one of the agents smtp and lmtp. */
struct mta_smtp_params {
#define SMTP(kind, field, sdef, ldef, least, most, help, fact)                 \
	MTA_PARAM_MEMBER(kind, field)
#define SMTP_AS(kind, field, sname, lname, sdef, ldef, least, most, help,      \
		fact)                                                          \
	MTA_PARAM_MEMBER(kind, field)
#include "mta/params.def"
};

/* Parameters of one transport, as in force (F8.1). */
struct mta_transport_params {
#define TRANSPORT(kind, field, def_field, least, most, help, fact)             \
	MTA_PARAM_MEMBER(kind, field)
#include "mta/params.def"
};

enum mta_param_kind {
	MTA_PARAM_TIME,
	MTA_PARAM_INT,
	MTA_PARAM_BOOL,
	MTA_PARAM_TEXT,
	MTA_PARAM_BYTES,
	MTA_PARAM_FEEDBACK,
};

/* One row of the table. */
struct mta_param {
	const char *name;	  /* of a transport form: "_time_limit" */
	const char *default_text; /* as in main.cf; of a form: "$default_..." */
	const char *help;	  /* one line */
	const char *fact;	  /* source of default and bounds */
	enum mta_param_kind kind;
	bool is_transport_form;
	bool is_idle;	       /* has no effect; its help says so too */
	int64_t least;	       /* in seconds, bytes, or as it is */
	int64_t most;	       /* the type's largest: no bound */
	size_t offset;	       /* in mta_params, or mta_transport_params */
	size_t default_offset; /* of a form: its default's, in mta_params */
};

/* A value of any kind but text. */
union mta_param_value {
	int32_t number; /* time in seconds, int */
	int64_t bytes;
	bool flag;
	struct mta_feedback feedback;
};

/* A transport form that was set by name. */
struct mta_param_override {
	char *name;		       /* whole name, owned */
	size_t transport_length_bytes; /* of the transport's name at its start
					*/
	const struct mta_param *param;
	union mta_param_value value;
};

struct mta_params {
#define PARAM(kind, field, def, least, most, help, fact)                       \
	MTA_PARAM_MEMBER(kind, field)
#define PARAM_AS(kind, field, name, def, least, most, help, fact)              \
	MTA_PARAM_MEMBER(kind, field)
#include "mta/params.def"
	struct mta_smtp_params smtp;
	struct mta_smtp_params lmtp;
	struct mta_param_override *overrides; /* owned; in order of setting */
	uint32_t override_count;
	uint32_t override_capacity;
};

/* All defaults. A text whose default is another parameter outside this table
 * ($relay_domains) starts empty. Release with mta_params_release. */
void mta_params_init(struct mta_params *p);
void mta_params_release(struct mta_params *p);
/* Into storage that is not initialised; the copy owns what it holds. */
void mta_params_copy(struct mta_params *to, const struct mta_params *from);

enum mta_param_outcome {
	MTA_PARAM_SET,
	MTA_PARAM_UNKNOWN, /* no such name */
	MTA_PARAM_BAD,	   /* the value is not one of this parameter */
};

/*
 * Set a parameter, or a transport form, from text as in main.cf (F0.5, F7.3).
 * On failure p is unchanged and err says what is wrong and what would be right,
 * without the name; unknown names err with "unknown parameter".
 *
 * Whether the transport of a form exists is not known here: a misspelled name
 * that ends like a form (qmgr_mesage_recipient_limit) is taken as one, so the
 * reader must look at p->overrides when it knows the transports.
 */
MTA_MUST_CHECK enum mta_param_outcome
mta_params_set(struct mta_params *p, const char *name, const char *value,
	       char *err, size_t err_size_bytes);

/*
 * Read the text of a value other than TEXT, as mta_params_set does. False: err
 * says why.
 */
MTA_MUST_CHECK bool
mta_param_parse(const struct mta_param *row, const char *text,
		union mta_param_value *out, char *err, size_t err_size_bytes);

/* The row of a name; of a transport form that the name ends with, when no row
 * has the name itself; or NULL. */
const struct mta_param *mta_param_find(const char *name);

/* All rows: first the parameters in the order of the table, then the transport
 * forms. */
size_t mta_param_count(void);
const struct mta_param *mta_param_at(size_t index);

/* The value in force, as text that mta_params_set takes back. Not for
 * transport forms. Answers what snprintf answers. */
int mta_param_format(const struct mta_params *p, const struct mta_param *row,
		     char *buf, size_t size_bytes);
int mta_param_value_format(const struct mta_param *row,
			   const union mta_param_value *value, char *buf,
			   size_t size_bytes);
int mta_param_override_format(const struct mta_param_override *o, char *buf,
			      size_t size_bytes);
/* The bounds in words: "0s to 10s", "at least 1", "yes or no"; "" for text. */
int mta_param_bounds_format(const struct mta_param *row, char *buf,
			    size_t size_bytes);
/* Unit of a bare number: "s", "h", "d", "bytes", or "". */
const char *mta_param_unit(const struct mta_param *row);

/*
 * The parameters of a transport. R-TRANSPORT-PARAMS (F8.1): a form set by name,
 * else for `local` its own limits, else the default_ value; a destination rate
 * delay makes the concurrency limit 1; the initial window is at most the limit.
 */
void mta_transport_params(const struct mta_params *p, const char *transport,
			  struct mta_transport_params *out);

/* Parts of the above, as the rules take them. */
struct mta_window_law
mta_transport_window_law(const struct mta_transport_params *t);
struct mta_slot_law
mta_transport_slot_law(const struct mta_transport_params *t);

/* Is a name, spelled exactly so, in a list as main.cf writes it? */
bool mta_list_has_name(const char *list, const char *name);

/* What the queue manager corrects when it starts. R-PARAM-FIXES (F4.1) */
enum mta_param_fix {
	MTA_FIX_RECIPIENT_LIMIT = 1, /* raised to the active limit */
	MTA_FIX_BOUNCE_LIFETIME = 2, /* lowered to that of other mail */
};

/* Changes p; the sum of what it had to do. */
unsigned mta_params_fix(struct mta_params *p);

#endif
