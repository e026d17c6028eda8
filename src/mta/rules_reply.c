/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a remote answer, or its absence, means to recipients and destination
 * (R-BLAME, F11.2). One idea orders the table: a failure concerns the site (we
 * did not get as far as this mail, or lost the way), or the mail and its
 * recipients. Only failures of the site are held against the destination, and
 * only if they leave something undone. All else follows from whether the
 * failure is soft or hard and whether there is another server to try.
 */
#include "mta/pure.h"

#include "mta/panic.h"
#include "mta/rules.h"

enum failure_level {
	LEVEL_SITE,
	LEVEL_MAIL, /* or the one recipient that was named */
};

struct failure_class {
	enum failure_level level;
	struct mta_dsn dsn; /* class 4 soft, 5 hard */
};

#define CLASS(l, c, s, d)                                                      \
	{                                                                      \
		.level = LEVEL_##l,                                            \
		.dsn = {.class = (c),                                          \
			.subject = (s),                                        \
			.detail = (d) }                                        \
	}

/* Failures that are no replies. */
static const struct failure_class plain_failures[] = {
	[MTA_FAIL_REPLY] = CLASS(SITE, 4, 0, 0), /* see reply_class */
	[MTA_FAIL_LOST] = CLASS(SITE, 4, 4, 2),
	[MTA_FAIL_TIMEOUT] = CLASS(SITE, 4, 4, 2),
	[MTA_FAIL_REFUSED] = CLASS(SITE, 4, 4, 1),
	[MTA_FAIL_UNREACHABLE] = CLASS(SITE, 4, 4, 1),
	[MTA_FAIL_DNS_SOFT] = CLASS(SITE, 4, 4, 3),
	[MTA_FAIL_DNS_NONE] = CLASS(SITE, 5, 4, 4),
	[MTA_FAIL_NULL_MX] = CLASS(SITE, 5, 1, 0),
	[MTA_FAIL_LOOP] = CLASS(SITE, 5, 4, 6),
	[MTA_FAIL_LOOP_BACKUP] = CLASS(SITE, 4, 4, 6),
	[MTA_FAIL_NO_TLS] = CLASS(SITE, 4, 7, 4),
	[MTA_FAIL_TLS_BAD] = CLASS(SITE, 4, 7, 5),
	[MTA_FAIL_TLS_MAY] = CLASS(MAIL, 4, 7, 5),
	[MTA_FAIL_AUTH] = CLASS(SITE, 4, 7, 0),
	[MTA_FAIL_TOO_BIG] = CLASS(MAIL, 5, 3, 4),
	[MTA_FAIL_NO_UTF8] = CLASS(MAIL, 5, 6, 7),
	[MTA_FAIL_LOCAL_DATA] = CLASS(SITE, 4, 3, 0),
	[MTA_FAIL_TIME_LIMIT] = CLASS(MAIL, 5, 3, 0),
};

static enum failure_level
reply_level(enum mta_smtp_step step)
{
	switch (step) {
	case MTA_STEP_MAIL:
	case MTA_STEP_RCPT:
	case MTA_STEP_DATA:
	case MTA_STEP_END:
		return LEVEL_MAIL;
	case MTA_STEP_NONE:
	case MTA_STEP_DNS:
	case MTA_STEP_CONNECT:
	case MTA_STEP_GREETING:
	case MTA_STEP_EHLO:
	case MTA_STEP_HELO:
	case MTA_STEP_STARTTLS:
	case MTA_STEP_AUTH:
		break;
	}
	return LEVEL_SITE;
}

static bool
is_greeting(enum mta_smtp_step step)
{
	return step == MTA_STEP_CONNECT || step == MTA_STEP_GREETING;
}

static struct failure_class
reply_class(const struct mta_failure *f, const struct mta_request_view *v)
{
	uint8_t class = f->reply_code >= 500 ? 5 : 4;
	struct mta_dsn dsn = mta_dsn_fit(f->dsn, class);

	mta_assert(f->reply_code >= 400 && f->reply_code <= 599);
	if (is_greeting(f->step) && v->skip_5xx_greeting)
		dsn = mta_dsn_soften(dsn);
	return (struct failure_class){.level = reply_level(f->step),
				      .dsn = dsn};
}

static struct failure_class
plain_class(const struct mta_failure *f, const struct mta_request_view *v)
{
	struct failure_class c = plain_failures[f->kind];

	if (f->kind == MTA_FAIL_TIMEOUT && f->step == MTA_STEP_CONNECT)
		c.dsn = MTA_DSN(4, 4, 1);
	/* A relay that we configured and cannot find is our own mistake. */
	if (f->step == MTA_STEP_DNS && c.dsn.class == 5 && v->is_relay)
		c.dsn = MTA_DSN(4, 3, 5);
	return c;
}

/* Only a 421 to EHLO ends the session; other refusals lead to HELO. */
static bool
leads_to_helo(const struct mta_failure *f)
{
	return f->kind == MTA_FAIL_REPLY && f->step == MTA_STEP_EHLO &&
	       f->reply_code != 421;
}

static bool
moves_on(const struct mta_failure *f, const struct failure_class *c,
	 const struct mta_request_view *v)
{
	/* A command is all there is. */
	if (v->is_last_server || f->kind == MTA_FAIL_TIME_LIMIT)
		return false;
	/* Another server may well know SMTPUTF8. */
	return c->dsn.class == 4 || v->soft_bounce ||
	       f->kind == MTA_FAIL_NO_UTF8;
}

/* After 421 the server closes the connection, and a failed handshake leaves
 * none that could be used. */
static bool
keeps_connection(const struct mta_failure *f, const struct failure_class *c)
{
	return c->level != LEVEL_SITE && f->kind != MTA_FAIL_TLS_MAY &&
	       !(f->kind == MTA_FAIL_REPLY && f->reply_code == 421);
}

/* R-BLAME */
struct mta_verdict
mta_failure_judge(const struct mta_failure *f, const struct mta_request_view *v)
{
	struct failure_class c = f->kind == MTA_FAIL_REPLY ? reply_class(f, v)
							   : plain_class(f, v);
	struct mta_verdict out = {
		.keeps_connection = keeps_connection(f, &c),
		.dsn = c.dsn,
	};

	if (leads_to_helo(f)) {
		out.effect = MTA_EFFECT_TRY_HELO;
		out.keeps_connection = true;
		return out;
	}
	if (moves_on(f, &c, v)) {
		out.effect = MTA_EFFECT_NEXT_SERVER;
		return out;
	}
	out.effect = c.dsn.class == 4 ? MTA_EFFECT_DEFER : MTA_EFFECT_BOUNCE;
	out.blames_destination = c.level == LEVEL_SITE &&
				 (c.dsn.class == 4 || v->soft_bounce) &&
				 !v->session_completed && !v->hop_is_blamed;
	return out;
}

/* The code of the first that is refused, else 250. */
static uint16_t
first_refusal(const uint16_t *codes, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (codes[i] != 250)
			return codes[i];
	return 250;
}

/* R-PIPE */
struct mta_command_end
mta_command_judge(const struct mta_command *c)
{
	if (c->took >= c->limit)
		return (struct mta_command_end){.is_killed = true,
						.after = c->limit};
	return (struct mta_command_end){
		.code = first_refusal(c->codes, c->count), .after = c->took};
}

/* R-DSN-FIT */
struct mta_dsn
mta_dsn_fit(struct mta_dsn dsn, uint8_t class)
{
	return dsn.class == class ? dsn : MTA_DSN(class, 0, 0);
}

/* R-SOFT-BOUNCE */
struct mta_dsn
mta_dsn_soften(struct mta_dsn dsn)
{
	if (dsn.class == 5)
		dsn.class = 4;
	return dsn;
}
