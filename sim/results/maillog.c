/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who logs what, by kind of record. A line needs an id, and a record names its
 * file: the spool still knows the id of the file that was removed last, so the
 * last words of a mail can be written from the record of its removal.
 *
 * Agents finish what the operator takes from them (F9.10): the ids of such
 * files are kept here.
 *
 * The words of smtpd's refusals and of warnings are ours; their form, codes and
 * ids are those of the facts.
 */
#include "sim/results/maillog.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>

#include "mta/note.h"
#include "mta/panic.h"
#include "mta/rules.h"
#include "sim/results/delay_parts.h"

/* Process numbers; agents have AGENT_PID + the place of their transport. */
enum maillog_pid {
	PID_SMTPD = 101,
	PID_CLEANUP,
	PID_PICKUP,
	PID_QMGR,
	PID_BOUNCE,
	PID_POSTSUPER,
	AGENT_PID = 201,
};

#define HOST_NAME   "mta"
#define HOST_DOMAIN "mta.example"

/* ---- lines ----------------------------------------------------------------
 */

static const char months[12][4] = {
	"Jan", "Feb", "Mar", "Apr", "May", "Jun",
	"Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
};

/* Lines of one second begin alike. */
static void
set_stamp(struct maillog *m, int64_t second)
{
	time_t seconds = (time_t)second;
	struct tm tm;

	gmtime_r(&seconds, &tm);
	snprintf(m->stamp_text, sizeof(m->stamp_text),
		 "%s %2d %02d:%02d:%02d " HOST_NAME " postfix/",
		 months[tm.tm_mon], tm.tm_mday, tm.tm_hour, tm.tm_min,
		 tm.tm_sec);
	m->stamp_second = second;
}

/* Begin a line: stamp, host, program. */
static void
line_open(struct maillog *m, mta_time at, const char *program, int pid)
{
	if (at > m->stamp)
		m->stamp = at;
	if (!m->stamp_text[0] || mta_second(m->stamp) != m->stamp_second)
		set_stamp(m, mta_second(m->stamp));
	fputs(m->stamp_text, m->file);
	fprintf(m->file, "%s[%d]: ", program, pid);
}

static uint64_t
file_key(struct mta_ref file)
{
	return (uint64_t)file.index << 32 | file.generation;
}

/* Write down the id of a file under a key. */
static void
keep_id(struct maillog *m, struct mta_table *ids, uint64_t key,
	struct mta_ref file)
{
	char *id = mta_table_find(ids, key);

	if (!id) {
		/* One for each mail that somebody has taken hold of. */
		id = mta_alloc(MTA_ID_TEXT_MAX, 1);
		mta_table_add(ids, key, id);
	}
	m->view.spool->ops->id_text(m->view.spool, file, id, MTA_ID_TEXT_MAX);
}

static void
forget_id(struct mta_table *ids, uint64_t key)
{
	char *id = mta_table_find(ids, key);

	if (!id)
		return;
	mta_table_remove(ids, key);
	free(id);
}

static void
put_id(struct maillog *m, struct mta_ref file)
{
	char id[MTA_ID_TEXT_MAX];
	const char *kept = NULL;

	m->view.spool->ops->id_text(m->view.spool, file, id, sizeof(id));
	if (!*id)
		kept = mta_table_find(&m->kept, file_key(file));
	fputs(kept ? kept : id, m->file);
	fputs(": ", m->file);
}

static void
line_of(struct maillog *m, mta_time at, const char *program, int pid,
	struct mta_ref file)
{
	line_open(m, at, program, pid);
	put_id(m, file);
}

static void
put_address(struct maillog *m, const char *key, mta_addr address)
{
	const struct mta_book *book = &m->view.book->base;
	char text[MTA_ADDR_TEXT_MAX];

	book->text(book, address, text, sizeof(text));
	fputs(key, m->file);
	fputs("=<", m->file);
	fputs(text, m->file);
	fputc('>', m->file);
}

/* ---- arrivals -------------------------------------------------------------
 */

/* The client of a source: NAME[ADDRESS]. */
static void
put_client(struct maillog *m, uint32_t source)
{
	fprintf(m->file, "client%u.example[198.51.100.%u]", source + 1,
		source % 254 + 1);
}

static const struct scenario_source *
source_of(const struct maillog *m, uint32_t source)
{
	return source < m->view.scenario->source_count
		       ? &m->view.scenario->sources[source]
		       : NULL;
}

static bool
is_local(const struct maillog *m, uint32_t source)
{
	const struct scenario_source *s = source_of(m, source);

	return s && s->via == SCENARIO_VIA_SENDMAIL;
}

/* A file of cleanup's. */
struct arrival {
	mta_time at;
	mta_addr sender;
	struct mta_ref file;
	uint32_t serial;
};

static void
log_picked_up(struct maillog *m, const struct arrival *a, uint32_t source,
	      const char *old)
{
	line_of(m, a->at, "pickup", PID_PICKUP, a->file);
	fprintf(m->file, "uid=%u ", 1000 + source % 1000);
	put_address(m, "from", a->sender);
	if (old)
		fprintf(m->file, " orig_id=%s", old);
	fputc('\n', m->file);
}

static void
log_arrival(struct maillog *m, const struct arrival *a)
{
	struct book_origin origin = book_origin_of(m->view.book, a->sender);
	uint64_t key = (uint64_t)a->serial + 1;
	const char *old = mta_table_find(&m->requeued, key);

	if (old || is_local(m, origin.source)) {
		log_picked_up(m, a, origin.source, old);
	} else if (source_of(m, origin.source)) {
		line_of(m, a->at, "smtpd", PID_SMTPD, a->file);
		fputs("client=", m->file);
		put_client(m, origin.source);
		fputc('\n', m->file);
	}
	forget_id(&m->requeued, key);
	line_of(m, a->at, "cleanup", PID_CLEANUP, a->file);
	fprintf(m->file, "message-id=<m%u@" HOST_DOMAIN ">\n", a->serial);
}

/* Cleanup refuses what pickup brings recipient by recipient: before the first,
 * what is said of every mail. */
static void
log_refused_arrival(struct maillog *m, const struct mta_trace_delivery *d)
{
	if (mta_ref_equal(d->file, m->refused))
		return;
	m->refused = d->file;
	log_arrival(m, &(struct arrival){.at = d->at,
					 .sender = d->sender,
					 .file = d->file,
					 .serial = d->serial});
}

/* smtpd tells a client no, or that its mail will be thrown away. */
static void
log_smtpd(struct maillog *m, const struct mta_trace_answered *r,
	  const char *what, const char *why)
{
	uint32_t source = book_origin_of(m->view.book, r->sender).source;

	if (!source_of(m, source) || is_local(m, source))
		return;
	line_open(m, r->at, "smtpd", PID_SMTPD);
	fprintf(m->file, "NOQUEUE: %s: MAIL from ", what);
	put_client(m, source);
	fprintf(m->file, ": %s; ", why);
	put_address(m, "from", r->sender);
	fprintf(m->file, " proto=ESMTP helo=<client%u.example>\n", source + 1);
}

/* Codes of F2.3 and F2.5. What is thrown away is taken in first (F2.7). */
static void
log_answer(struct maillog *m, const struct mta_trace_answered *r)
{
	switch ((enum mta_submit_result)r->result) {
	case MTA_SUBMIT_REJECTED:
		log_smtpd(m, r, "reject", "550 5.7.1 access denied");
		return;
	case MTA_SUBMIT_TOO_LARGE:
		log_smtpd(m, r, "reject", "552 5.3.4 message too large");
		return;
	case MTA_SUBMIT_DISCARDED:
		log_smtpd(m, r, "discard", "access rule");
		log_arrival(m, &(struct arrival){.at = r->at,
						 .sender = r->sender,
						 .file = r->file,
						 .serial = r->serial});
		return;
	case MTA_SUBMIT_ACCEPTED:
	case MTA_SUBMIT_HELD:
	case MTA_SUBMIT_NO_SPACE:
		return;
	}
}

/* ---- deliveries -----------------------------------------------------------
 */

static const char *
program_of(enum scenario_kind kind)
{
	switch (kind) {
	case SCENARIO_KIND_SMTP:
		return "smtp";
	case SCENARIO_KIND_LMTP:
		return "lmtp";
	case SCENARIO_KIND_LOCAL:
		return "local";
	case SCENARIO_KIND_VIRTUAL:
		return "virtual";
	case SCENARIO_KIND_PIPE:
		return "pipe";
	case SCENARIO_KIND_DISCARD:
		return "discard";
	case SCENARIO_KIND_ERROR:
	case SCENARIO_KIND_RETRY:
		return "error";
	}
	return "error";
}

static void
line_of_agent(struct maillog *m, const struct mta_trace_delivery *d)
{
	const struct scenario *s = m->view.scenario;
	const char *transport = mta_sym_text(m->view.symbols, d->transport);

	for (size_t i = 0; i < s->transport_count; i++) {
		if (strcmp(s->transports[i].name, transport) != 0)
			continue;
		/* Stock master.cf names its relay clients apart (F14.1). */
		line_of(m, d->at,
			strcmp(transport, "relay") == 0
				? "relay/smtp"
				: program_of(s->transports[i].kind),
			AGENT_PID + (int)i, d->file);
		return;
	}
	line_of(m, d->at, "qmgr", PID_QMGR, d->file);
}

static void
put_delays(struct maillog *m, const struct mta_trace_delivery *d)
{
	struct delay_parts delays = delay_parts_of(d);
	int32_t limit = m->view.params->delay_logging_resolution_limit;
	char text[MTA_DELAY_SIZE];

	mta_delay_format(delays.whole, limit, text);
	fprintf(m->file, ", delay=%s", text);
	for (int i = 0; i < DELAY_PARTS; i++) {
		mta_delay_format(delays.part[i], limit, text);
		fprintf(m->file, "%s%s", i ? "/" : ", delays=", text);
	}
}

static const char *
status_word(const struct mta_trace_delivery *d)
{
	switch ((enum mta_outcome)d->outcome) {
	case MTA_SENT:
	case MTA_DISCARDED:
		return "sent";
	case MTA_DEFERRED_OUTCOME:
		return d->soft_bounce ? "SOFTBOUNCE" : "deferred";
	case MTA_BOUNCED:
		return "bounced";
	case MTA_EXPIRED:
	case MTA_HELD:
	case MTA_DELETED:
	case MTA_QUEUED:
		break;
	}
	return NULL;
}

/* F14.3. There is no such line at expiry (F14.9). */
static void
log_delivery(struct maillog *m, const struct mta_trace_delivery *d)
{
	const char *status = status_word(d);

	if (!status)
		return;
	if (d->active == MTA_NEVER) {
		log_refused_arrival(m, d);
		line_of(m, d->at, "cleanup", PID_CLEANUP, d->file);
	} else if (d->handoff == MTA_NEVER) {
		line_of(m, d->at, "qmgr", PID_QMGR, d->file);
	} else {
		line_of_agent(m, d);
	}
	put_address(m, "to", d->recipient);
	fprintf(m->file, ", relay=%s",
		d->relay ? mta_sym_text(m->view.symbols, d->relay) : "none");
	if (d->conn_use >= 2)
		fprintf(m->file, ", conn_use=%u", d->conn_use);
	put_delays(m, d);
	fprintf(m->file, ", dsn=%u.%u.%u, status=%s (%s)\n", d->dsn.class,
		d->dsn.subject, d->dsn.detail, status,
		mta_sym_text(m->view.symbols, d->reason));
}

/* ---- the queue manager, bounce, postsuper ---------------------------------
 */

static void
log_admitted(struct maillog *m, const struct mta_trace_admitted *r)
{
	line_of(m, r->at, "qmgr", PID_QMGR, r->file);
	put_address(m, "from", r->sender);
	fprintf(m->file, ", size=%u, nrcpt=%u (queue active)\n", r->size_bytes,
		r->recipient_count);
}

static void
log_notice(struct maillog *m, const struct mta_trace_notice *r)
{
	static const char *const words[] = {
		[MTA_NOTICE_BOUNCE] = "sender non-delivery notification",
		[MTA_NOTICE_WARNING] = "sender delay notification",
		[MTA_NOTICE_POSTMASTER] =
			"postmaster non-delivery notification",
		[MTA_NOTICE_POSTMASTER_DELAY] = "postmaster delay notification",
		[MTA_NOTICE_DOUBLE_BOUNCE] =
			"postmaster non-delivery notification",
	};
	char id[MTA_ID_TEXT_MAX];

	m->view.spool->ops->id_text(m->view.spool, r->notice, id, sizeof(id));
	line_of(m, r->at, "bounce", PID_BOUNCE, r->file);
	fprintf(m->file, "%s: %s\n", words[r->kind], id);
}

static void
log_expired(struct maillog *m, const struct mta_trace_status *r,
	    const char *how)
{
	line_of(m, r->at, "qmgr", PID_QMGR, r->file);
	put_address(m, "from", r->sender);
	fprintf(m->file, ", status=%s, returned to sender\n", how);
}

/* A bounce that cannot be delivered goes silently (F10.2), a double bounce with
 * a warning (F10.3). */
static void
log_dropped(struct maillog *m, const struct mta_trace_status *r)
{
	if (mta_addr_is_null(r->sender))
		return;
	line_open(m, r->at, "bounce", PID_BOUNCE);
	fputs("warning: ", m->file);
	put_id(m, r->file);
	fputs("undeliverable double bounce dropped\n", m->file);
}

static void
log_postsuper(struct maillog *m, mta_time at, struct mta_ref file,
	      const char *what)
{
	line_of(m, at, "postsuper", PID_POSTSUPER, file);
	fprintf(m->file, "%s\n", what);
}

static void
log_status(struct maillog *m, const struct mta_trace_status *r)
{
	switch ((enum mta_mail_status)r->what) {
	case MTA_STATUS_EXPIRED:
		log_expired(m, r, "expired");
		return;
	case MTA_STATUS_FORCE_EXPIRED:
		log_expired(m, r, "force-expired");
		return;
	case MTA_STATUS_BOUNCE_FAILED:
		line_of(m, r->at, "qmgr", PID_QMGR, r->file);
		fputs("status=deferred (bounce failed)\n", m->file);
		return;
	case MTA_STATUS_WARN_FAILED:
		line_of(m, r->at, "qmgr", PID_QMGR, r->file);
		fputs("status=deferred (delay warning failed)\n", m->file);
		return;
	case MTA_STATUS_SKIPPED:
		line_of(m, r->at, "qmgr", PID_QMGR, r->file);
		fputs("skipped, still being delivered\n", m->file);
		return;
	case MTA_STATUS_DROPPED:
		log_dropped(m, r);
		return;
	case MTA_STATUS_MARKED:
		log_postsuper(m, r->at, r->file, "expired");
		return;
	}
}

/* F5.8 */
static void
log_clogged(struct maillog *m, const struct mta_trace_clogged *r)
{
	line_open(m, r->at, "qmgr", PID_QMGR);
	fprintf(m->file,
		"warning: mail for %s is using up %u of %u active queue "
		"entries\n",
		mta_sym_text(m->view.symbols, r->destination), r->used,
		r->active_count);
}

static void
log_throttle(struct maillog *m, const struct mta_trace_throttle *r)
{
	if (!r->reason)
		return;
	line_open(m, r->at, "qmgr", PID_QMGR);
	fprintf(m->file, "warning: transport %s is not used for a while: %s\n",
		mta_sym_text(m->view.symbols, r->transport),
		mta_sym_text(m->view.symbols, r->reason));
}

/* Taken from the queue manager, and perhaps from agents (F9.10), by somebody
 * else. */
static bool
is_taken_away(enum mta_move_reason reason)
{
	return reason == MTA_MOVE_HOLD || reason == MTA_MOVE_REQUEUED ||
	       reason == MTA_MOVE_DELETED || reason == MTA_MOVE_RESTART;
}

static void
log_move(struct maillog *m, const struct mta_trace_move *r)
{
	if (r->from == MTA_QUEUES && r->reason != MTA_MOVE_PRESENT) {
		if (r->to == MTA_INCOMING || r->to == MTA_HOLD)
			log_arrival(m, &(struct arrival){.at = r->at,
							 .sender = r->sender,
							 .file = r->file,
							 .serial = r->serial});
		return;
	}
	if (r->from == MTA_ACTIVE &&
	    is_taken_away((enum mta_move_reason)r->reason))
		keep_id(m, &m->kept, file_key(r->file), r->file);
	switch ((enum mta_move_reason)r->reason) {
	case MTA_MOVE_DONE:
		forget_id(&m->kept, file_key(r->file));
		line_of(m, r->at, "qmgr", PID_QMGR, r->file);
		fputs("removed\n", m->file);
		return;
	case MTA_MOVE_HOLD:
		log_postsuper(m, r->at, r->file, "placed on hold");
		return;
	case MTA_MOVE_RELEASED:
		log_postsuper(m, r->at, r->file, "released from hold");
		return;
	case MTA_MOVE_REQUEUED:
		/* Pickup will make a new file, and log the old one's id. */
		keep_id(m, &m->requeued, (uint64_t)r->serial + 1, r->file);
		log_postsuper(m, r->at, r->file, "requeued");
		return;
	case MTA_MOVE_DELETED:
		log_postsuper(m, r->at, r->file, "removed");
		return;
	case MTA_MOVE_ACCEPTED:
	case MTA_MOVE_SUBMITTED:
	case MTA_MOVE_ADMITTED:
	case MTA_MOVE_LOCKED:
	case MTA_MOVE_DEFERRED:
	case MTA_MOVE_PICKED_UP:
	case MTA_MOVE_DAMAGED:
	case MTA_MOVE_RESTART:
	case MTA_MOVE_FLUSHED:
	case MTA_MOVE_PRESENT:
		return;
	}
}

/* ---- the sink -------------------------------------------------------------
 */

static void
take(struct mta_sink *sink, enum mta_trace_kind kind, const void *record)
{
	struct maillog *m = mta_container_of(sink, struct maillog, sink);

	switch (kind) {
	case MTA_TRACE_ANSWERED:
		log_answer(m, record);
		break;
	case MTA_TRACE_MOVE:
		log_move(m, record);
		break;
	case MTA_TRACE_ADMITTED:
		log_admitted(m, record);
		break;
	case MTA_TRACE_DELIVERY:
		log_delivery(m, record);
		break;
	case MTA_TRACE_NOTICE:
		log_notice(m, record);
		break;
	case MTA_TRACE_STATUS:
		log_status(m, record);
		break;
	case MTA_TRACE_CLOGGED:
		log_clogged(m, record);
		break;
	case MTA_TRACE_THROTTLE:
		log_throttle(m, record);
		break;
	case MTA_TRACE_SUBMITTED:
	case MTA_TRACE_JUMPED:
	case MTA_TRACE_SELECTED:
	case MTA_TRACE_FEEDBACK:
	case MTA_TRACE_SCAN:
	case MTA_TRACE_TURN:
	case MTA_TRACE_ENDED:
	case MTA_TRACE_KINDS:
		break;
	}
}

struct maillog *
maillog_open(const char *dir, const struct results_view *view)
{
	static const enum mta_trace_kind kinds[] = {
		MTA_TRACE_ANSWERED, MTA_TRACE_MOVE,	MTA_TRACE_ADMITTED,
		MTA_TRACE_DELIVERY, MTA_TRACE_NOTICE,	MTA_TRACE_STATUS,
		MTA_TRACE_CLOGGED,  MTA_TRACE_THROTTLE,
	};
	struct maillog *m = mta_alloc(1, sizeof(*m));

	*m = (struct maillog){.sink = {.take = take}, .view = *view};
	mta_table_init(&m->requeued);
	mta_table_init(&m->kept);
	snprintf(m->path, sizeof(m->path), "%s/maillog", dir);
	m->file = fopen(m->path, "w");
	if (!m->file) {
		snprintf(m->error, sizeof(m->error),
			 "cannot create '%.400s': %s", m->path,
			 strerror(errno));
		return m;
	}
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		mta_trace_subscribe(view->trace, kinds[i], &m->sink);
	return m;
}

bool
maillog_close(struct maillog *m)
{
	bool is_bad;

	if (!m->file)
		return m->error[0] == '\0';
	is_bad = ferror(m->file) != 0;
	if (fclose(m->file) != 0 || is_bad)
		snprintf(m->error, sizeof(m->error),
			 "cannot write '%.400s': %s", m->path, strerror(errno));
	m->file = NULL;
	return m->error[0] == '\0';
}

static void
ids_release(struct mta_table *ids)
{
	for (uint32_t i = 0; i < ids->slot_count; i++)
		free(ids->slots[i].value);
	mta_table_release(ids);
}

void
maillog_free(struct maillog *m)
{
	if (!m)
		return;
	if (m->file)
		fclose(m->file);
	ids_release(&m->requeued);
	ids_release(&m->kept);
	free(m);
}
