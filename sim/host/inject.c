/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Arrivals become submissions. One timer for each source; of a session, from
 * MAIL FROM to the answer, nothing is kept but that it is one of its source's:
 * the source is the client that the answer is for.
 *
 * Streams of luck: every property of a message has its own part of the source's
 * stream at the message's number, so that one more recipient changes no size.
 */
#include "sim/host/inject.h"

#include "model/law.h"
#include "mta/mail.h"
#include "mta/panic.h"
#include "mta/pickup.h"
#include "sim/host/epoch.h"

enum part {
	PART_COUNT,
	PART_SIZE,
	PART_USER,
	PART_DOMAIN, /* and one more for each recipient */
};

static void source_arrival_fired(struct mta_timer *timer);
static void injector_wake_fired(struct mta_timer *timer);

/* ---- where mail goes
 * --------------------------------------------------------- */

static size_t
targets_count(const struct scenario_to *to)
{
	return to->kind == SCENARIO_TO_ZIPF ? (size_t)to->zipf_domains
					    : to->count;
}

static struct chooser_throw
targets_throw(const struct targets *t, uint64_t index, uint32_t k)
{
	return chooser_throw(&t->chooser, t->luck, index, PART_DOMAIN + k,
			     index + k);
}

/* Messages come one after the other: what the next one needs of the table is
 * asked for now, long before it is read. */
static void
targets_look_ahead(struct targets *t, uint64_t index)
{
	t->next = targets_throw(t, index, 0);
	t->next_index = index;
	chooser_fetch(&t->chooser, t->next);
}

void
targets_init(struct targets *t, const struct scenario_to *to, int64_t users,
	     struct stream luck)
{
	size_t count = targets_count(to);
	const char *error = NULL;
	double *weights;

	*t = (struct targets){.to = to, .users = users, .luck = luck};
	t->families = mta_alloc(count, sizeof(*t->families));
	switch (to->kind) {
	case SCENARIO_TO_WEIGHTS:
		weights = mta_alloc(count, sizeof(*weights));
		for (size_t i = 0; i < count; i++)
			weights[i] = to->list[i].weight;
		error = chooser_init_weights(&t->chooser, weights, count);
		free(weights);
		break;
	case SCENARIO_TO_ZIPF:
		error = chooser_init_zipf(&t->chooser, count,
					  to->zipf_exponent);
		break;
	case SCENARIO_TO_CYCLE:
		error = chooser_init_cycle(&t->chooser, count);
		break;
	}
	/* The reader has judged all but whether there is the memory for it. */
	if (error)
		mta_panic(__FILE__, __LINE__, NULL);
	targets_look_ahead(t, 0);
}

void
targets_release(struct targets *t)
{
	if (!t->families)
		return;
	chooser_release(&t->chooser);
	free(t->families);
}

MTA_RARE static uint32_t
targets_make_family(struct targets *t, struct book *book, uint32_t i)
{
	char name[MTA_ADDR_TEXT_MAX];

	if (t->to->kind == SCENARIO_TO_ZIPF) {
		book_number_into(t->to->zipf_name, (uint64_t)i + 1, name,
				 sizeof(name));
		t->families[i] = book_add_users(book, name);
	} else {
		t->families[i] = book_add_users(book, t->to->list[i].domain);
	}
	return t->families[i];
}

static uint32_t
targets_family(struct targets *t, struct book *book, uint32_t i)
{
	return t->families[i] ? t->families[i]
			      : targets_make_family(t, book, i);
}

static uint32_t
targets_target(struct targets *t, uint64_t index, uint32_t k)
{
	struct chooser_throw at = t->next;

	if (k > 0 || index != t->next_index)
		at = targets_throw(t, index, k);
	if (k == 0)
		targets_look_ahead(t, index + 1);
	return chooser_read(&t->chooser, at);
}

mta_addr
targets_pick(struct targets *t, struct book *book, uint64_t index, uint32_t k)
{
	uint32_t i = targets_target(t, index, k);
	uint64_t user = 0;

	if (t->users > 1) {
		struct draw draw = stream_at_part(t->luck, index, PART_USER);

		user = draw_below(&draw, (uint64_t)t->users);
		if (k > 0)
			user = (user + k) % (uint64_t)t->users;
	}
	return mta_addr_make(targets_family(t, book, i), user);
}

/* ---- handing in
 * ---------------------------------------------------------------- */

/* A message that is about to be submitted. */
struct letter {
	mta_addr sender;
	uint32_t recipient_count;
	uint32_t size_bytes;
	const struct trace_row *row; /* of a trace, or NULL */
};

uint32_t
inject_recipients(int64_t drawn)
{
	if (drawn < 1)
		return 1;
	return drawn > SCENARIO_RECIPIENTS_MOST ? SCENARIO_RECIPIENTS_MOST
						: (uint32_t)drawn;
}

uint32_t
inject_size(int64_t drawn)
{
	return drawn > UINT32_MAX ? UINT32_MAX : (uint32_t)drawn;
}

static struct letter
source_letter(struct source *s, uint64_t index)
{
	int64_t count, size_bytes;

	if (s->trace) {
		const struct trace_row *row = &s->trace->rows[index];

		return (struct letter){.sender = row->sender,
				       .recipient_count = row->recipient_count,
				       .size_bytes = row->size_bytes,
				       .row = row};
	}
	count = law_draw_at(s->config->recipients, s->luck, index, PART_COUNT,
			    index, index);
	size_bytes = law_draw_at(s->config->size, s->luck, index, PART_SIZE,
				 index, index);
	return (struct letter){.sender = mta_addr_make(s->sender_family, index),
			       .recipient_count = inject_recipients(count),
			       .size_bytes = inject_size(size_bytes)};
}

static mta_addr
source_recipient(struct source *s, const struct letter *l, uint64_t index,
		 uint32_t k)
{
	if (l->row)
		return s->trace->recipients[l->row->first_recipient + k];
	return targets_pick(&s->targets, s->injector->book, index, k);
}

/* A process of smtpd begins with its mail and ends with it. A client is a
 * source, by its number, and the generation of its process. */
static struct mta_ref
client_begin(const struct source *s)
{
	struct mta_service_state *smtpd = &s->injector->smtpd;
	struct mta_child process;

	mta_service_spawned(smtpd, &process);
	mta_service_taken(smtpd, &process);
	return (struct mta_ref){.index = s->number,
				.generation = process.generation};
}

static void
client_end(struct injector *in, struct mta_ref client)
{
	struct mta_child process = {.generation = client.generation};

	mta_service_ended(&in->smtpd, &process, MTA_CHILD_DONE);
}

static struct source *
source_find(struct injector *in, struct mta_ref client)
{
	mta_assert(client.index < in->source_count);
	return &in->sources[client.index];
}

static void
source_submit(struct source *s, uint64_t index)
{
	struct injector *in = s->injector;
	const struct mta_host *h = &in->host;
	struct letter l = source_letter(s, index);
	struct mta_recipient *items;
	struct mta_note note;
	struct mta_note_submit *submit = &note.submit;

	s->session_count++;
	note.kind = MTA_NOTE_SUBMIT;
	submit->client = client_begin(s);
	submit->reply_to = MTA_TO_CLIENT;
	submit->recipient_count = l.recipient_count;
	submit->serial = mta_host_next_serial(h);
	submit->size_bytes = l.size_bytes;
	submit->sender = l.sender;
	submit->arrival = h->loop->now;
	submit->is_requeued = false;
	items = mta_recipients_begin(h->port, &submit->recipients,
				     l.recipient_count);
	for (uint32_t k = 0; k < l.recipient_count; k++)
		items[k] = (struct mta_recipient){
			.address = source_recipient(s, &l, index, k)};
	mta_mail_trace_submitted(h,
				 &(struct mta_trace_submitted){
					 .sender = l.sender,
					 .serial = submit->serial,
					 .size_bytes = l.size_bytes,
					 .recipient_count = l.recipient_count});
	h->port->ops->send(h->port, MTA_TO_CLEANUP, &note);
}

static void
source_postdrop(struct source *s, uint64_t index)
{
	const struct mta_host *h = &s->injector->host;
	struct letter l = source_letter(s, index);
	mta_addr *recipients =
		mta_alloc(l.recipient_count, sizeof(*recipients));

	for (uint32_t k = 0; k < l.recipient_count; k++)
		recipients[k] = source_recipient(s, &l, index, k);
	mta_postdrop_submit(h, s->injector->params,
			    &(struct mta_postdrop){
				    .user = s->config->via_user,
				    .sender = l.sender,
				    .recipients = recipients,
				    .recipient_count = l.recipient_count,
				    .size_bytes = l.size_bytes,
				    .serial = mta_host_next_serial(h),
			    });
	free(recipients);
}

/* ---- sessions
 * --------------------------------------------------------------------- */

static bool
smtpd_is_free(const struct injector *in)
{
	return in->is_up && mta_service_may_spawn(&in->smtpd);
}

static bool
source_wants_smtpd(const struct source *s)
{
	return s->started < s->arrived && s->session_count < s->session_limit;
}

/* Start what can be started; what must wait for smtpd stands in line. */
static void
source_serve(struct source *s)
{
	while (source_wants_smtpd(s)) {
		if (!smtpd_is_free(s->injector)) {
			if (s->in_queue.next == &s->in_queue)
				mta_list_append(&s->injector->waiting,
						&s->in_queue);
			return;
		}
		source_submit(s, s->started++);
	}
}

/* A process of smtpd is free: the source that has waited longest gets it. */
static void
injector_serve_waiting(struct injector *in)
{
	while (!mta_list_is_empty(&in->waiting) && smtpd_is_free(in)) {
		struct source *s = mta_container_of(in->waiting.next,
						    struct source, in_queue);

		mta_list_remove(&s->in_queue);
		if (source_wants_smtpd(s))
			source_submit(s, s->started++);
		if (source_wants_smtpd(s))
			mta_list_append(&in->waiting, &s->in_queue);
	}
}

static void
injector_answered(struct injector *in, struct mta_ref client)
{
	struct source *s = source_find(in, client);

	mta_assert(s->session_count > 0);
	s->session_count--;
	client_end(in, client);
	injector_serve_waiting(in);
	source_serve(s);
}

static void
injector_wake_fired(struct mta_timer *timer)
{
	struct injector *in = mta_container_of(timer, struct injector, wake);
	struct mta_port *port = in->host.port;
	struct mta_note *note;

	while ((note = port->ops->receive(port, MTA_TO_CLIENT))) {
		mta_assert(note->kind == MTA_NOTE_SUBMITTED);
		injector_answered(in, note->submitted.client);
	}
}

/* ---- arrivals
 * ---------------------------------------------------------------------- */

static int64_t
source_next_us(struct source *s)
{
	if (!s->trace)
		return arrival_next(&s->arrival);
	if (s->arrived == s->trace->count)
		return ARRIVAL_NEVER;
	return s->trace->rows[s->arrived].time_us;
}

static void
source_set_next(struct source *s)
{
	int64_t next_us = source_next_us(s);

	if (next_us == ARRIVAL_NEVER)
		s->has_ended = true;
	else
		mta_timer_set(s->injector->host.loop, &s->timer,
			      SIM_EPOCH + next_us);
}

static void
source_arrival_fired(struct mta_timer *timer)
{
	struct source *s = mta_container_of(timer, struct source, timer);

	s->arrived++;
	if (s->config->via == SCENARIO_VIA_SENDMAIL)
		source_postdrop(s, s->started++);
	else
		source_serve(s);
	source_set_next(s);
}

static bool
source_init(struct source *s, struct injector *in,
	    const struct scenario *scenario, size_t number,
	    struct injector_options *options)
{
	const struct scenario_source *config = &scenario->sources[number];
	struct stream stream;

	s->injector = in;
	s->config = config;
	s->number = (uint32_t)number;
	mta_timer_init(&s->timer, source_arrival_fired);
	mta_list_init(&s->in_queue);
	stream_init(&stream, options->seed, options->replication, "sources");
	s->luck = stream_child(stream, config->name);
	s->session_limit = config->connections;
	if (config->trace) {
		s->trace = trace_file_load(config->trace, in->book, s->number,
					   &options->reading);
		if (!s->trace)
			return false;
	} else {
		targets_init(&s->targets, &config->to, config->users, s->luck);
		arrival_init(&s->arrival, config->arrivals,
			     stream_child(s->luck, "arrivals"),
			     config->until_us, config->messages);
		s->sender_family =
			book_add_source(in->book, config->sender, s->number);
	}
	source_set_next(s);
	return true;
}

/* A table of very many domains takes a second. */
static bool
is_given_up(struct trace_file_reading *reading)
{
	if (!reading->is_interrupted || !reading->is_interrupted())
		return false;
	strcpy(reading->error, "interrupted before the run began");
	return true;
}

bool
injector_init(struct injector *in, const struct mta_host *host,
	      const struct mta_params *params, struct book *book,
	      const struct scenario *scenario, struct injector_options *options)
{
	bool is_read = true;

	*in = (struct injector){.host = *host,
				.params = params,
				.book = book,
				.source_count = scenario->source_count};
	/* Nothing listens before the system starts. */
	mta_service_init(&in->smtpd, 0, 0);
	mta_list_init(&in->waiting);
	mta_timer_init(&in->wake, injector_wake_fired);
	host->port->ops->attach(host->port, MTA_TO_CLIENT, host->loop,
				&in->wake);
	in->sources = mta_alloc(in->source_count + 1, sizeof(*in->sources));
	for (size_t i = 0; i < in->source_count && is_read; i++)
		is_read = source_init(&in->sources[i], in, scenario, i,
				      options) &&
			  !is_given_up(&options->reading);
	return is_read;
}

void
injector_release(struct injector *in)
{
	for (size_t i = 0; i < in->source_count; i++) {
		struct source *s = &in->sources[i];

		if (!s->injector)
			break; /* reading a trace failed before this one */
		mta_timer_cancel(in->host.loop, &s->timer);
		targets_release(&s->targets);
		trace_file_free(s->trace);
	}
	mta_timer_cancel(in->host.loop, &in->wake);
	free(in->sources);
}

void
injector_reload(struct injector *in, int64_t maxproc)
{
	mta_service_reload(&in->smtpd, maxproc,
			   in->params->default_process_limit);
	injector_serve_waiting(in);
}

void
injector_set_up(struct injector *in, bool is_up)
{
	in->is_up = is_up;
	for (size_t i = 0; is_up && i < in->source_count; i++)
		source_serve(&in->sources[i]);
}

bool
injector_has_ended(const struct injector *in)
{
	for (size_t i = 0; i < in->source_count; i++)
		if (!in->sources[i].has_ended ||
		    in->sources[i].started < in->sources[i].arrived ||
		    in->sources[i].session_count > 0)
			return false;
	return true;
}

uint64_t
injector_waiting(const struct injector *in)
{
	uint64_t count = 0;

	for (size_t i = 0; i < in->source_count; i++)
		count += in->sources[i].arrived - in->sources[i].started;
	return count;
}
