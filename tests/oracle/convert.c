/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writing of the scenario, key by key as FORMATS.md of the recordings and
 * docs/scenario.md describe them. A schedule entry of ours keeps what it does
 * not name, a recorded phase does not; so what any phase of a destination sets
 * is named in all of them.
 */
#include "tests/oracle/convert.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * The harness's own costs, microseconds; see convert.h. Each is what the
 * recordings say of that step, mean or median over all scenarios, and is put
 * where it arises: before the receiver counts the connection, while it does,
 * and after.
 */
enum {
	LAG = 800,	    /* schedule to MAIL */
	SUBMIT = 900,	    /* MAIL to the message's file */
	FIRST_LATE = 15000, /* more for a session's first: processes start */
	PACE = 1000,	    /* from one message of any session to the next */
	RCPT_LATE = 180,    /* more for each further recipient */
	MANY_RCPTS = 100,   /* more than these fill a segment, and wait */
	MANY_LATE = 40000,  /* for an acknowledgement */
	CLEANUP = 900,	    /* file to commit */
	NOTICE = 2500,	    /* a notice, before its cleanup */
	ADMIT = 300,	    /* queue manager, per message */
	REQUEST = 100,	    /* per delivery: simultaneous ones begin so far
			     * apart */
	FINISH = 250,	    /* per message that has been tried */
	WAKE = 500,	    /* lateness of its sleeps: S25a drifts by 1.05 ms */
	WAKE_SECOND = 550,  /* in sleeps of 1 s, S06a by 2.1 in 3 s */
	WAKE_MOST = 100000,
	AGENT_START = 8000,    /* a new delivery process */
	CONNECT = 300,	       /* accept to MAIL */
	ANSWER = 1630,	       /* MAIL to data, lateness of the answer, close */
	RCPT = 200,	       /* each recipient */
	REPLY = 1000,	       /* MAIL to close when MAIL or RCPT is refused */
	REFUSED = 600,	       /* a refused connection, with its log */
	TURNED_AWAY = 1750,    /* more for a 421 greeting */
	ENABLE_QMGR = 2420000, /* asked for until the queue manager works */
	MESSAGE_SIZE = 348
};

static const char *
seconds(int64_t us, char *buf)
{
	sprintf(buf, "%" PRId64 "us", us);
	return buf;
}

static bool
is_plain(const char *s)
{
	static const char *const words[] = {"", "true", "false", "null", "~"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(s, words[i]) == 0)
			return false;
	for (; *s != '\0'; s++)
		if (!isalnum((unsigned char)*s) && strchr("._/", *s) == NULL)
			return false;
	return true;
}

static void
put_text(FILE *f, const char *s)
{
	if (is_plain(s)) {
		fputs(s, f);
		return;
	}
	putc('"', f);
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			putc('\\', f);
		putc(*s, f);
	}
	putc('"', f);
}

/* ---- receivers ---- */

struct uses { /* what any phase of a destination sets */
	bool refuse;
	bool banner;
	bool fails;
	bool limit;
	bool codes;
};

static struct uses
find_uses(const struct rec_dest *d)
{
	struct uses u = {0};

	for (size_t i = 0; i < d->phases_n; i++) {
		const struct rec_phase *p = &d->phases[i];

		u.refuse = u.refuse || p->refuse;
		u.banner = u.banner || p->banner_delay > 0;
		u.fails = u.fails || p->connect_fail != NULL;
		u.limit = u.limit || p->conn_limit > 0;
		u.codes = u.codes || p->mail_code != 0 || p->rcpt_code != 0 ||
			  p->eod_code != 0;
	}
	return u;
}

static void
put_transfer(FILE *f, const struct rec_phase *p)
{
	if (p->latencies == NULL) {
		fprintf(f, "transfer: %" PRId64 "us", p->latency + ANSWER);
		return;
	}
	fprintf(f, "transfer: {values: {list: [");
	for (size_t i = 0; i < p->latencies_n; i++)
		fprintf(f, "%s%" PRId64 "us", i == 0 ? "" : ", ",
			p->latencies[i] + ANSWER);
	fprintf(f, "], by: message, then: cycle}}");
}

static void
put_reply(FILE *f, bool *first, const char *step, int code, const char *more)
{
	fprintf(f, "%s{step: %s, code: %d%s", *first ? "" : ", ", step, code,
		more);
	/* A reply at the end has the time of the transfer. */
	if (strcmp(step, "end") != 0)
		fprintf(f, ", after: %dus", REPLY);
	putc('}', f);
	*first = false;
}

/* One reply for each suffix that the destination's recipients carry. */
static void
put_suffix_replies(FILE *f, const struct rec_scenario *sc,
		   const struct rec_dest *d, bool *first)
{
	for (size_t i = 0; i < sc->arrivals_n; i++)
		for (size_t k = 0; k < sc->arrivals[i].to_n; k++) {
			const struct rec_to *to = &sc->arrivals[i].to[k];
			bool seen = to->suffix[0] == '\0' ||
				    rec_dest_of(sc, to->domain) != d;
			char more[200];
			int n;

			for (size_t a = 0; a <= i && !seen; a++)
				for (size_t b = 0; b < sc->arrivals[a].to_n &&
						   !(a == i && b == k);
				     b++)
					seen = seen ||
					       (strcmp(sc->arrivals[a]
							       .to[b]
							       .suffix,
						       to->suffix) == 0 &&
						rec_dest_of(sc,
							    sc->arrivals[a]
								    .to[b]
								    .domain) ==
							d);
			if (seen)
				continue;
			n = snprintf(more, sizeof(more), ", match: \"*%s@*\"",
				     to->suffix);
			if (isdigit((unsigned char)to->suffix[2]))
				snprintf(more + n, sizeof(more) - (size_t)n,
					 ", times: %d", atoi(to->suffix + 2));
			put_reply(f, first, "rcpt",
				  strcmp(to->suffix, ".p") == 0 ? 550 : 450,
				  more);
		}
}

static void
put_replies(FILE *f, const struct rec_scenario *sc, const struct rec_dest *d,
	    const struct rec_phase *p)
{
	bool first = true;

	fprintf(f, "replies: [");
	if (p->mail_code != 0)
		put_reply(f, &first, "mail", p->mail_code, "");
	if (p->rcpt_code != 0)
		put_reply(f, &first, "rcpt", p->rcpt_code, "");
	put_suffix_replies(f, sc, d, &first);
	if (p->eod_code != 0)
		put_reply(f, &first, "end", p->eod_code, "");
	fprintf(f, "]");
}

static bool
has_suffix(const struct rec_scenario *sc, const struct rec_dest *d)
{
	for (size_t i = 0; i < sc->arrivals_n; i++)
		for (size_t k = 0; k < sc->arrivals[i].to_n; k++)
			if (sc->arrivals[i].to[k].suffix[0] != '\0' &&
			    rec_dest_of(sc, sc->arrivals[i].to[k].domain) == d)
				return true;
	return false;
}

static void
put_fails(FILE *f, const struct rec_phase *p)
{
	if (p->connect_fail == NULL) {
		fprintf(f, "fails: {share: 0%%}");
		return;
	}
	fprintf(f, "fails: {pattern: [");
	for (size_t i = 0; i < p->connect_fail_n; i++)
		fprintf(f, "%s%d", i == 0 ? "" : ", ", p->connect_fail[i]);
	fprintf(f, "], how: 421, after: %" PRId64 "us}",
		p->fail_delay + TURNED_AWAY);
}

static void
put_phase(FILE *f, const struct rec_scenario *sc, const struct rec_dest *d,
	  const struct rec_phase *p, const char *indent)
{
	struct uses u = find_uses(d);

	if (u.refuse)
		fprintf(f, "%sstate: %s\n%safter: %dus\n", indent,
			p->refuse ? "refused" : "up", indent, REFUSED);
	fprintf(f, "%sconnect: %dus\n%s", indent, CONNECT, indent);
	put_transfer(f, p);
	fprintf(f, "\n%sper_recipient: %" PRId64 "us\n", indent,
		p->per_rcpt + RCPT);
	if (u.codes || has_suffix(sc, d)) {
		fputs(indent, f);
		put_replies(f, sc, d, p);
		putc('\n', f);
	}
	if (u.banner)
		fprintf(f, "%sgreeting_delay: %" PRId64 "us\n", indent,
			p->banner_delay);
	if (u.fails) {
		fputs(indent, f);
		put_fails(f, p);
		putc('\n', f);
	}
	if (u.limit)
		fprintf(f,
			"%sconnections: {most: %d, over: \"421\", after: "
			"%" PRId64 "us}\n",
			indent, p->conn_limit > 0 ? p->conn_limit : 1000000,
			p->fail_delay + TURNED_AWAY);
}

static void
put_receiver(FILE *f, const struct rec_scenario *sc, const struct rec_dest *d)
{
	fprintf(f, "  %s:\n", d->name);
	put_phase(f, sc, d, &d->phases[0], "    ");
	if (d->phases_n > 1)
		fprintf(f, "    schedule:\n");
	for (size_t i = 1; i < d->phases_n; i++) {
		fprintf(f, "      - at: %" PRId64 "us\n",
			d->phases[i].at > 0 ? d->phases[i].at : 0);
		put_phase(f, sc, d, &d->phases[i], "        ");
	}
}

/* ---- the rest ---- */

/* The queue manager sleeps from scan to scan when nothing else is to be done.
 */
static int64_t
sleep_s(const struct rec_scenario *sc)
{
	static const char units[] = "smhdw";
	static const int64_t each[] = {1, 60, 3600, 86400, 604800};
	int64_t s = 3; /* of base_config.json */

	for (size_t i = 0; i < sc->params_n; i++) {
		char *end;
		const char *unit;

		if (strcmp(sc->params[i].name, "queue_run_delay") != 0)
			continue;
		s = strtoll(sc->params[i].value, &end, 10);
		unit = *end == '\0' ? NULL : strchr(units, *end);
		if (unit != NULL)
			s *= each[unit - units];
	}
	return s;
}

/* The system lets a longer sleep end later, up to a limit. */
static int64_t
lateness(const struct rec_scenario *sc)
{
	int64_t us = WAKE + WAKE_SECOND * sleep_s(sc);

	return us < WAKE_MOST ? us : WAKE_MOST;
}

static void
put_head(FILE *f, const struct rec_scenario *sc, double start_s)
{
	char a[40];
	char b[40];

	fprintf(f, "scenario: ");
	put_text(f, sc->name);
	fprintf(f, "\nquestion: \"a recorded run of a real mail system, "
		   "replayed\"\nseed: 1\n");
	fprintf(f, "run: {for: %s, sample: %s, start_at: %.6fs}\n",
		seconds(sc->duration, a), seconds(sc->sample, b), start_s);
	fprintf(f, "output: [messages, attempts, moves, feedback]\nmta:\n");
	for (size_t i = 0; i < sc->params_n; i++) {
		fprintf(f, "  %s: ", sc->params[i].name);
		put_text(f, sc->params[i].value);
		putc('\n', f);
	}
	fprintf(f, "transports:\n");
	for (size_t i = 0; i < sc->transports_n; i++)
		fprintf(f, "  %s: {kind: smtp, maxproc: %s}\n",
			sc->transports[i].name, sc->transports[i].value);
	fprintf(f, "services: {smtpd: {maxproc: 60}, cleanup: {maxproc: 0}}\n");
	fprintf(f,
		"costs: {cleanup: %dus, bounce: %dus, qmgr: {admit: %dus, "
		"request: %dus, finish: %dus, wake: %" PRId64 "us}, "
		"agent: {start: %dus, delivery: %dus}}\n",
		CLEANUP, NOTICE, ADMIT, REQUEST, FINISH, lateness(sc),
		AGENT_START, CONVERT_BEFORE_ACCEPT);
	fprintf(f, "spool: {order: newest-first}\n");
	if (sc->access_n > 0)
		fprintf(f, "access:\n");
	for (size_t i = 0; i < sc->access_n; i++)
		fprintf(f, "  - {sender: \"%s\", action: %s}\n",
			sc->access[i].glob, sc->access[i].action);
}

static void
put_destinations(FILE *f, const struct rec_scenario *sc)
{
	fprintf(f, "receivers:\n");
	for (size_t i = 0; i < sc->dests_n; i++)
		put_receiver(f, sc, &sc->dests[i]);
	fprintf(f, "domains:\n");
	for (size_t i = 0; i < sc->dests_n; i++)
		fprintf(f, "  %s.test: {receiver: %s, transport: %s}\n",
			sc->dests[i].name, sc->dests[i].name,
			sc->dests[i].transport);
	/* default_transport of base_config.json */
	fprintf(f, "  \"*\": {transport: error, "
		   "nexthop: \"5.1.2 no such test domain\"}\n");
	fprintf(f,
		"sources:\n  trace: {trace: arrivals.csv, via: smtp, "
		"connections: %d}\n",
		sc->connections);
}

static void
put_where(FILE *f, const struct rec_action *a)
{
	if (a->queue == NULL)
		fprintf(f, "where: ALL}\n");
	else
		fprintf(f, "where: {queue: %s}}\n", a->queue);
}

static void
put_action(FILE *f, const struct rec_action *a)
{
	int64_t at = a->at + (a->what == REC_ENABLE_QMGR ? ENABLE_QMGR : 0);

	fprintf(f, "  - {at: %" PRId64 "us, ", at > 0 ? at : 0);
	switch (a->what) {
	case REC_HOLD:
		fprintf(f, "postsuper: hold, ");
		put_where(f, a);
		break;
	case REC_RELEASE:
		fprintf(f, "postsuper: release, ");
		put_where(f, a);
		break;
	case REC_REQUEUE:
		fprintf(f, "postsuper: requeue, ");
		put_where(f, a);
		break;
	case REC_DELETE:
		fprintf(f, "postsuper: delete, ");
		put_where(f, a);
		break;
	case REC_EXPIRE:
		fprintf(f, "postsuper: expire, ");
		put_where(f, a);
		break;
	case REC_FLUSH:
		fprintf(f, "postqueue: flush}\n");
		break;
	case REC_FLUSH_SITE:
		fprintf(f, "postqueue: {site: %s}}\n", a->name);
		break;
	case REC_ENABLE_QMGR:
		fprintf(f, "postfix: start, service: qmgr}\n");
		break;
	case REC_RELOAD:
		fprintf(f, "postfix: reload}\n");
		break;
	case REC_SET:
		fprintf(f, "set: {%s: ", a->name);
		put_text(f, a->value);
		fprintf(f, "}}\n");
		break;
	}
}

static void
put_operator(FILE *f, const struct rec_scenario *sc)
{
	if (sc->actions_n == 0 && !sc->start_without_qmgr)
		return;
	fprintf(f, "operator:\n");
	if (sc->start_without_qmgr)
		fprintf(f, "  - {at: 0s, postfix: stop, service: qmgr}\n");
	for (size_t i = 0; i < sc->actions_n; i++)
		put_action(f, &sc->actions[i]);
}

static void
put_arrival(FILE *f, const struct rec_arrival *a, size_t index, int64_t at)
{
	char address[200];
	int k = 0;

	rec_sender(a, index, address, sizeof(address));
	fprintf(f, "%" PRId64 ".%06" PRId64 ",%s,", at / 1000000, at % 1000000,
		address);
	for (size_t i = 0; i < a->to_n; i++)
		for (int c = 0; c < a->to[i].count; c++, k++) {
			rec_recipient(index, k, &a->to[i], address,
				      sizeof(address));
			fprintf(f, "%s%s", k == 0 ? "" : " ", address);
		}
	fprintf(f, ",%d\n", MESSAGE_SIZE);
}

static int
recipients_of(const struct rec_arrival *a)
{
	int n = 0;

	for (size_t i = 0; i < a->to_n; i++)
		n += a->to[i].count;
	return n;
}

/* What a submission takes from MAIL to the file. */
static int64_t
submission(const struct rec_arrival *a, bool is_first)
{
	int n = recipients_of(a);

	return SUBMIT + RCPT_LATE * (n - 1) + (n > MANY_RCPTS ? MANY_LATE : 0) +
	       (is_first ? FIRST_LATE : 0);
}

/* The session that is free first; times when each is. */
static size_t
first_free(const int64_t *free_at, size_t n)
{
	size_t first = 0;

	for (size_t i = 1; i < n; i++)
		if (free_at[i] < free_at[first])
			first = i;
	return first;
}

/* A trace says when a message reaches the system, which is later than it is
 * due by what its session is busy with. */
static bool
put_trace(FILE *f, const struct rec_scenario *sc)
{
	size_t n = sc->connections > 0 ? (size_t)sc->connections : 1;
	int64_t *free_at = calloc(n, sizeof(*free_at));
	int64_t last = -PACE;

	if (free_at == NULL)
		return false;
	fprintf(f, "time_s,sender,recipients,size_bytes\n");
	for (size_t i = 0; i < sc->arrivals_n; i++) {
		const struct rec_arrival *a = &sc->arrivals[i];
		int64_t *session = &free_at[first_free(free_at, n)];
		int64_t at = a->at + LAG;

		at = at < *session ? *session : at;
		at += submission(a, *session == 0);
		at = at < last + PACE ? last + PACE : at;
		*session = at + CLEANUP;
		put_arrival(f, a, i, at);
		last = at;
	}
	free(free_at);
	return true;
}

static FILE *
create(const char *dir, const char *name, char *error, size_t error_size)
{
	char path[1000];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	if (f == NULL)
		snprintf(error, error_size, "cannot write '%s': %s", path,
			 strerror(errno));
	return f;
}

bool
convert_scenario(const struct rec_scenario *sc, const char *dir, double start_s,
		 char *error, size_t error_size)
{
	FILE *f = create(dir, "arrivals.csv", error, error_size);

	if (f == NULL)
		return false;
	if (!put_trace(f, sc)) {
		snprintf(error, error_size, "no memory");
		fclose(f);
		return false;
	}
	fclose(f);
	f = create(dir, "scenario.yaml", error, error_size);
	if (f == NULL)
		return false;
	put_head(f, sc, start_s);
	put_destinations(f, sc);
	put_operator(f, sc);
	fclose(f);
	return true;
}
