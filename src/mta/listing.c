/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One walk over the queues for both forms. The form is asked at the few places
 * where they differ: before a mail, at a recipient, after a mail, at the end.
 */
#include "mta/pure.h"

#include "mta/listing.h"

enum {
	SEEN_MAX = 1000,   /* recipients of a log that are looked up again */
	REASON_RIGHT = 76, /* a reason in brackets ends two columns later */
	TIME_TEXT = 48,
};

struct listing {
	const struct mta_host *host;
	enum mta_listing_form form;
	bool long_ids;
	struct mta_text *text;
	uint64_t bytes;
	uint64_t mails;
	/* of the mail that is being listed */
	bool has_recipients;
	mta_sym last_reason;
};

/* ---- words -------------------------------------------------------------- */

/* Day and month as people write them: "Tue Feb 10 09:15:02 2026". */
static void
put_time(int64_t seconds, char *buffer, size_t size)
{
	static const char days[] = "ThuFriSatSunMonTueWed"; /* from 1970 on */
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	int64_t day = seconds / 86400;
	int64_t left = seconds % 86400;
	/* Years of 365.2425 days that begin in March (civil from days). */
	int64_t shifted = day + 719468;
	int64_t era = shifted / 146097;
	int64_t in_era = shifted % 146097;
	int64_t year =
		(in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) /
		365;
	int64_t in_year = in_era - (365 * year + year / 4 - year / 100);
	int64_t month = (5 * in_year + 2) / 153;
	int64_t date = in_year - (153 * month + 2) / 5 + 1;

	month = month < 10 ? month + 2 : month - 10; /* from 0, January */
	year += era * 400 + (month < 2);
	snprintf(buffer, size, "%.3s %.3s %2d %02d:%02d:%02d %lld",
		 days + 3 * (day % 7), months + 3 * month, (int)date,
		 (int)(left / 3600), (int)(left / 60 % 60), (int)(left % 60),
		 (long long)year);
}

static void
put_json(struct mta_text *text, const char *value)
{
	char plain[2] = "";

	text->put(text, "\"");
	for (const char *at = value; *at; at++) {
		unsigned char c = (unsigned char)*at;

		plain[0] = *at;
		if (c == '"' || c == '\\')
			mta_text_print(text, "\\%c", c);
		else if (c < 0x20)
			mta_text_print(text, "\\u%04x", c);
		else
			text->put(text, plain);
	}
	text->put(text, "\"");
}

static void
address_text(const struct listing *l, mta_addr address, char *buffer)
{
	const struct mta_book *book = l->host->book;

	book->text(book, address, buffer, MTA_ADDR_TEXT_MAX);
	if (!*buffer)
		snprintf(buffer, MTA_ADDR_TEXT_MAX, "MAILER-DAEMON");
}

/* ---- one mail ----------------------------------------------------------- */

struct mail {
	enum mta_queue queue;
	struct mta_envelope envelope;
	uint32_t mode;
	char id[MTA_ID_TEXT_MAX];
	char sender[MTA_ADDR_TEXT_MAX];
};

static void
table_mail(struct listing *l, const struct mail *m)
{
	char id[MTA_ID_TEXT_MAX + 2];
	char arrival[TIME_TEXT];

	snprintf(id, sizeof(id), "%s%s%s", m->id,
		 m->queue == MTA_ACTIVE ? "*"
		 : m->queue == MTA_HOLD ? "!"
					: "",
		 m->mode & MTA_MODE_FORCE_EXPIRE ? "#" : "");
	put_time(mta_second(m->envelope.arrival), arrival, sizeof(arrival));
	if (l->mails == 0)
		l->text->put(
			l->text,
			l->long_ids
				? "----Queue ID----- --Size-- ---Arrival "
				  "Time---- --Sender/Recipient------\n"
				: "-Queue ID-  --Size-- ----Arrival Time---- "
				  "-Sender/Recipient-------\n");
	mta_text_print(l->text,
		       l->long_ids ? "%-17s %8u %-19.19s %s\n"
				   : "%-11s %7u %-20.20s %s\n",
		       id, m->envelope.size_bytes, arrival, m->sender);
}

static void
json_mail(struct listing *l, const struct mail *m)
{
	mta_text_print(l->text,
		       "{\"queue_name\": \"%s\", \"queue_id\": \"%s\", "
		       "\"arrival_time\": %lld, \"message_size\": %u, "
		       "\"forced_expire\": %s, \"sender\": ",
		       mta_queue_name(m->queue), m->id,
		       (long long)mta_second(m->envelope.arrival),
		       m->envelope.size_bytes,
		       m->mode & MTA_MODE_FORCE_EXPIRE ? "true" : "false");
	put_json(l->text, m->sender);
	l->text->put(l->text, ", \"recipients\": [");
}

/* A reason stands above the recipients that share it. */
static void
table_recipient(struct listing *l, const char *address, mta_sym reason)
{
	const char *words = mta_sym_text(l->host->symbols, reason);

	if (reason != l->last_reason) {
		int pad = REASON_RIGHT;

		if (!reason)
			words = "reason unavailable";
		pad -= (int)strlen(words);
		mta_text_print(l->text, "%*s(%s)\n", pad > 0 ? pad : 0, "",
			       words);
	}
	mta_text_print(l->text, "%*s%s\n", l->long_ids ? 47 : 41, "", address);
}

/* key: what the reason is called, where there is one. */
static void
json_recipient(struct listing *l, const char *address, mta_sym reason,
	       const char *key)
{
	l->text->put(l->text, l->has_recipients ? ", " : "");
	l->text->put(l->text, "{\"orig_address\": ");
	put_json(l->text, address);
	l->text->put(l->text, ", \"address\": ");
	put_json(l->text, address);
	if (reason) {
		mta_text_print(l->text, ", \"%s\": ", key);
		put_json(l->text, mta_sym_text(l->host->symbols, reason));
	}
	l->text->put(l->text, "}");
}

static void
list_recipient(struct listing *l, mta_addr to, mta_sym reason, const char *key)
{
	char address[MTA_ADDR_TEXT_MAX];

	address_text(l, to, address);
	if (l->form == MTA_LISTING_TABLE)
		table_recipient(l, address, reason);
	else
		json_recipient(l, address, reason, key);
	l->has_recipients = true;
	l->last_reason = reason;
}

/* What an operator is told of: first what was deferred, then what bounced and
 * is not yet reported. */
static const struct reasons {
	enum mta_log log;
	const char *key; /* of -j */
} reasons[] = {
	{MTA_LOG_DEFER, "delay_reason"},
	{MTA_LOG_BOUNCE, "bounce_reason"},
};
enum {
	REASONS = sizeof(reasons) / sizeof(reasons[0])
};

static bool
is_in_log(const struct listing *l, struct mta_ref file, mta_addr address)
{
	struct mta_spool *spool = l->host->spool;
	struct mta_log_record record;
	uint32_t seen = 0;

	for (int i = 0; i < REASONS; i++)
		for (uint32_t n = 0;
		     spool->ops->log_read(spool, reasons[i].log, file, n,
					  &record) == MTA_OK;
		     n++) {
			if (seen++ == SEEN_MAX)
				return false;
			if (record.address == address)
				return true;
		}
	return false;
}

static void
list_log(struct listing *l, struct mta_ref file, const struct reasons *r)
{
	struct mta_spool *spool = l->host->spool;
	struct mta_log_record entry;

	for (uint32_t n = 0;
	     spool->ops->log_read(spool, r->log, file, n, &entry) == MTA_OK;
	     n++)
		list_recipient(l, entry.address, entry.status.reason, r->key);
}

static void
list_recipients(struct listing *l, struct mta_ref file)
{
	struct mta_spool *spool = l->host->spool;
	struct mta_record record = {.kind = MTA_RECORD_DONE};

	l->has_recipients = false;
	l->last_reason = 0;
	for (int i = 0; i < REASONS; i++)
		list_log(l, file, &reasons[i]);
	while (record.kind != MTA_RECORD_END &&
	       spool->ops->read(spool, file, record.next, &record) == MTA_OK)
		if (record.kind == MTA_RECORD_RECIPIENT &&
		    !is_in_log(l, file, record.address))
			list_recipient(l, record.address, 0, NULL);
}

static void
list_mail(struct listing *l, enum mta_queue queue, struct mta_ref file)
{
	struct mta_spool *spool = l->host->spool;
	const struct mta_file *shown = spool->ops->look(spool, file);
	struct mail m = {.queue = queue};

	if (!shown)
		return;
	m.envelope = shown->envelope;
	m.mode = shown->mode;
	spool->ops->id_text(spool, file, m.id, sizeof(m.id));
	address_text(l, m.envelope.sender, m.sender);
	if (l->form == MTA_LISTING_TABLE)
		table_mail(l, &m);
	else
		json_mail(l, &m);
	list_recipients(l, file);
	l->text->put(l->text, l->form == MTA_LISTING_TABLE ? "\n" : "]}\n");
	l->mails++;
	l->bytes += m.envelope.size_bytes;
}

static void
list_queue(struct listing *l, enum mta_queue queue)
{
	struct mta_spool *spool = l->host->spool;
	struct mta_scan scan = {0};
	struct mta_ref id;

	spool->ops->scan_open(spool, queue, &scan);
	while (mta_spool_next(spool, &scan, &id))
		list_mail(l, queue, id);
}

void
mta_listing_print(const struct mta_host *h, enum mta_listing_form form,
		  bool long_ids, struct mta_text *text)
{
	static const enum mta_queue order[] = {
		MTA_MAILDROP, MTA_ACTIVE, MTA_INCOMING, MTA_DEFERRED, MTA_HOLD};
	struct listing l = {
		.host = h,
		.form = form,
		.long_ids = long_ids,
		.text = text,
	};

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		list_queue(&l, order[i]);
	if (form == MTA_LISTING_JSON)
		return;
	if (l.mails == 0)
		text->put(text, "Mail queue is empty\n");
	else
		mta_text_print(text, "-- %llu Kbytes in %llu Request%s.\n",
			       (unsigned long long)(l.bytes / 1024),
			       (unsigned long long)l.mails,
			       l.mails == 1 ? "" : "s");
}
