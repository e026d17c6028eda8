/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What rules_reply.c says of a failure is done here to the recipients. A hard
 * failure is acted on at any server, a soft one at the last, where nobody else
 * is left (F11.3).
 */
#include "mta/pure.h"

#include "mta/client.h"

void
mta_client_init(struct mta_client *c, const struct mta_host *host,
		const struct mta_params *params, enum mta_client_kind kind)
{
	*c = (struct mta_client){.is_smtp = kind == MTA_CLIENT_SMTP};
	mta_agent_init(&c->agent, host, params);
}

/* The verdict, and how to say it. */
struct client_verdict {
	struct mta_verdict verdict;
	struct mta_agent_result result;
};

static struct client_verdict
client_judge(const struct mta_client *c, const struct mta_client_failure *f)
{
	struct mta_request_view view = {
		.is_last_server = mta_way_is_at_end(&c->way),
		.session_completed = c->agent.session_completed,
		.hop_is_blamed = mta_status_is_set(c->agent.hop),
		.is_relay = c->way.stop > 0,
		.soft_bounce = c->agent.params->soft_bounce,
		.skip_5xx_greeting = c->way.smtp->skip_5xx_greeting,
	};
	struct mta_verdict verdict = mta_failure_judge(&f->what, &view);

	return (struct client_verdict){
		.verdict = verdict,
		.result = {.status = {.dsn = verdict.dsn, .reason = f->reason},
			   .relay = f->relay,
			   .code = (uint16_t)f->what.reply_code,
			   .conn_use = f->conn_use,
			   .step = (uint8_t)f->what.step}};
}

/* All that are left share it, unless another server is to be tried. F11.1:
 * mailboxes and commands are nobody's destination. */
static void
client_say_rest(struct mta_client *c, const struct client_verdict *v)
{
	struct mta_trace_delivery *attempt = &c->agent.attempt;

	if (v->verdict.effect == MTA_EFFECT_NEXT_SERVER ||
	    v->verdict.effect == MTA_EFFECT_TRY_HELO)
		return;
	if (c->is_smtp && attempt->setup == MTA_NEVER)
		attempt->setup = c->agent.host->loop->now;
	mta_agent_rest(&c->agent, &v->result,
		       c->is_smtp && v->verdict.blames_destination
			       ? MTA_BLAME_DESTINATION
			       : MTA_BLAME_NOBODY);
}

void
mta_client_fail(struct mta_client *c, const struct mta_client_failure *f)
{
	struct client_verdict v = client_judge(c, f);

	client_say_rest(c, &v);
}

bool
mta_client_refuse(struct mta_client *c, uint32_t recipient,
		  const struct mta_client_failure *f)
{
	struct client_verdict v = client_judge(c, f);

	if (v.verdict.effect != MTA_EFFECT_NEXT_SERVER)
		mta_agent_result(&c->agent, recipient, &v.result);
	return v.verdict.keeps_connection;
}

/* Whom RCPT refused for now may be left for another server. */
static void
client_say_accepted(struct mta_client *c, struct mta_client_accepted to,
		    const struct mta_agent_result *r)
{
	struct mta_agent *a = &c->agent;

	if (a->left_count == to.count) {
		mta_agent_rest(a, r, MTA_BLAME_NOBODY);
		return;
	}
	for (uint32_t i = 0; i < a->recipient_count; i++)
		if (mta_agent_has_left(a, i) && to.codes[i] == 250)
			mta_agent_result(a, i, r);
}

void
mta_client_sent(struct mta_client *c, struct mta_client_accepted to,
		const struct mta_agent_result *sent)
{
	c->agent.session_completed = true;
	client_say_accepted(c, to, sent);
}

/* With a reply the transaction has come to its end, as it has when the mail is
 * taken: no later failure is the destination's (F11.2). */
bool
mta_client_fail_mail(struct mta_client *c, struct mta_client_accepted to,
		     const struct mta_client_failure *f)
{
	struct client_verdict v;

	if (f->what.kind == MTA_FAIL_REPLY)
		c->agent.session_completed = true;
	v = client_judge(c, f);
	if (v.verdict.effect == MTA_EFFECT_BOUNCE)
		client_say_accepted(c, to, &v.result);
	else
		client_say_rest(c, &v);
	return v.verdict.keeps_connection;
}
