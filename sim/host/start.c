/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Each mail has a file as if it had come by the normal way some time ago: its
 * arrival lies before the beginning, and what is deferred wakes when its age's
 * ladder says so (R-BACKOFF-AGE), unless the scenario tells when. Putting it in
 * place takes no time: nobody does it.
 */
#include "sim/host/start.h"

#include "model/law.h"
#include "mta/mail.h"
#include "mta/panic.h"
#include "sim/host/inject.h"
#include "sim/host/start_postqueue.h"
#include "sim/host/world.h"

enum part {
	PART_AGE = 1000000, /* away from those of inject.c */
	PART_DUE,
	PART_COUNT,
	PART_SIZE,
};

/* What would be due, had it been tried at its arrival and ever since. */
static uint32_t
wake_by_age(const struct world *w, int64_t created_s)
{
	int64_t now_s = mta_host_second(world_host(w));
	struct mta_backoff b = {
		.minimal_s = w->qmgr_params.minimal_backoff_time_s,
		.maximal_s = w->qmgr_params.maximal_backoff_time_s,
	};
	int64_t at_s = created_s;

	while (at_s < now_s) {
		int64_t age_s = at_s - created_s;
		int64_t delay_s = mta_backoff_delay_s(b, age_s);
		/* Once it is less than the age, it is always the same. */
		int64_t steps = delay_s < age_s
					? (now_s - at_s + delay_s - 1) / delay_s
					: 1;

		at_s += steps * delay_s;
	}
	return mta_wake_second(at_s);
}

/* When it is due. What is not deferred is so at once. */
static uint32_t
wake_of(const struct world *w, const struct start_letter *l)
{
	mta_time now = world_host(w)->loop->now;

	if (l->queue != MTA_DEFERRED)
		return (uint32_t)mta_second(now);
	if (l->due_after != MTA_NEVER)
		return mta_wake_second(mta_second(now + l->due_after));
	return wake_by_age(w, mta_second(l->arrival));
}

static struct mta_ref
put_in_place(struct world *w, const struct start_letter *l, uint32_t serial,
	     uint32_t wake_s)
{
	return spool_mem_put(
		&w->spool,
		&(struct spool_seed){
			.queue = l->queue,
			.wake_s = wake_s,
			.envelope = {.arrival = l->arrival,
				     .created = l->arrival,
				     .committed = l->arrival,
				     .sender = l->sender,
				     .serial = serial,
				     .size_bytes = l->size_bytes,
				     .recipient_count = l->recipient_count,
				     .first_active = MTA_NEVER},
			.recipients = l->recipients,
		});
}

void
start_one(struct world *w, const struct start_letter *l)
{
	const struct mta_host *h = world_host(w);
	uint32_t serial = mta_host_next_serial(h);
	uint32_t wake_s = wake_of(w, l);
	struct mta_ref file;

	mta_mail_trace_submitted(
		h, &(struct mta_trace_submitted){.sender = l->sender,
						 .serial = serial,
						 .size_bytes = l->size_bytes,
						 .recipient_count =
							 l->recipient_count});
	file = put_in_place(w, l, serial, wake_s);
	mta_mail_present(h, file, wake_s);
	if (l->is_forced_to_expire)
		h->spool->ops->set_mode(h->spool, file, MTA_MODE_FORCE_EXPIRE,
					0);
	mta_trace_deliver(h->trace, MTA_TRACE_ANSWERED,
			  &(struct mta_trace_answered){
				  .at = h->loop->now,
				  .arrival = l->arrival,
				  .sender = l->sender,
				  .file = file,
				  .serial = serial,
				  .result = l->queue == MTA_HOLD
						    ? MTA_SUBMIT_HELD
						    : MTA_SUBMIT_ACCEPTED,
				  .recipient_count = l->recipient_count,
			  });
}

static int64_t
draw(const struct law *law, struct stream luck, uint64_t index, uint32_t part)
{
	return law_draw_at(law, luck, index, part, index, index);
}

bool
start_is_given_up(const struct world_options *options)
{
	return options->is_interrupted && options->is_interrupted();
}

/* One entry of `start:` that is described by laws. */
static void
start_by_law(struct world *w, const struct scenario_start *s,
	     struct stream luck, uint32_t family,
	     const struct world_options *options)
{
	mta_time now = world_host(w)->loop->now;
	struct targets targets;
	mta_addr *recipients = NULL;

	targets_init(&targets, &s->to, s->users, luck);
	for (uint64_t i = 0;
	     i < (uint64_t)s->messages && !start_is_given_up(options); i++) {
		struct start_letter l = {.queue = s->queue};

		l.recipient_count = inject_recipients(
			draw(s->recipients, luck, i, PART_COUNT));
		recipients = mta_realloc(recipients, l.recipient_count,
					 sizeof(*recipients));
		for (uint32_t k = 0; k < l.recipient_count; k++)
			recipients[k] = targets_pick(&targets, &w->book, i, k);
		l.recipients = recipients;
		l.sender = mta_addr_make(family, i);
		l.size_bytes = inject_size(draw(s->size, luck, i, PART_SIZE));
		l.arrival = now - draw(s->age, luck, i, PART_AGE);
		l.due_after =
			s->due ? draw(s->due, luck, i, PART_DUE) : MTA_NEVER;
		start_one(w, &l);
	}
	free(recipients);
	targets_release(&targets);
}

bool
start_mail(struct world *w, struct world_options *options)
{
	const struct scenario *scenario = w->scenario;
	struct stream luck;
	char name[32];

	stream_init(&luck, options->seed, options->replication, "start");
	for (size_t i = 0;
	     i < scenario->start_count && !start_is_given_up(options); i++) {
		const struct scenario_start *s = &scenario->start[i];
		/* Behind the sources: what was there is a source as well. */
		uint32_t source = (uint32_t)(scenario->source_count + i);

		if (s->postqueue) {
			if (!start_postqueue(w, s->postqueue, source, options))
				return false;
			continue;
		}
		snprintf(name, sizeof(name), "start[%zu]", i);
		start_by_law(w, s, stream_child(luck, name),
			     book_add_source(&w->book, s->sender, source),
			     options);
	}
	return true;
}
