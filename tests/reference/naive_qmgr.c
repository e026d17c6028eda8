/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * naive_qmgr SCENARIO.json OUTDIR [START_S]: run the naive model on a recorded
 * scenario and write the tables that the comparer reads, in the format of the
 * simulator's results (only the columns compared are filled). START_S is when
 * the daemons came up (default -2.05). The injector, the operator's actions and
 * the samples are here; exit 0, or 1 with a text on stderr.
 */
#include "tests/reference/naive_world.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* From the request that brings the queue manager in until it works; recorded,
 * the same in all three runs. */
enum {
	ENABLE_DELAY = 2420000,
	TOOL_DELAY = 5000,
	START_DELAY = 20000
};

void
nw_event_add(struct world *w, int64_t delay, struct nw_event ev)
{
	if (w->events_n == w->events_room) {
		w->events_room = 2 * w->events_room + 16;
		w->events = realloc(w->events, (size_t)w->events_room *
						       sizeof(*w->events));
		if (w->events == NULL)
			abort();
	}
	ev.at = w->now + delay;
	ev.seq = ++w->seq;
	w->events[w->events_n++] = ev;
}

/* ---- injector ---- */

static void
inject_next(struct world *w)
{
	while (w->clients_free > 0 &&
	       w->next_arrival < (int)w->sc->arrivals_n) {
		int64_t at = w->sc->arrivals[w->next_arrival].at;

		if (at + COST_LATE > w->now)
			return;
		w->clients_free--;
		nw_event_add(w, 0,
			     (struct nw_event){.kind = NW_INJECT,
					       .number = w->next_arrival++});
	}
}

static bool
is_held(const struct world *w, const char *sender)
{
	for (size_t i = 0; i < w->sc->access_n; i++)
		if (fnmatch(w->sc->access[i].glob, sender, 0) == 0)
			return strcmp(w->sc->access[i].action, "hold") == 0;
	return false;
}

static void
inject(struct world *w, int index)
{
	const struct rec_arrival *a = &w->sc->arrivals[index];
	struct nw_mail *m;
	int64_t wait = COST_SUBMIT;
	int n = 0;
	int k = 0;

	for (size_t i = 0; i < a->to_n; i++)
		n += a->to[i].count;
	m = nw_mail_new(w, n);
	m->index = index;
	m->arrival = w->now;
	rec_sender(a, (size_t)index, m->sender, sizeof(m->sender));
	for (size_t i = 0; i < a->to_n; i++)
		for (int c = 0; c < a->to[i].count; c++, k++)
			rec_recipient((size_t)index, k, &a->to[i],
				      m->address[k], sizeof(m->address[k]));
	if (!w->first_injected)
		wait += COST_FIRST_MAIL;
	w->first_injected = true;
	nw_event_add(
		w, wait,
		(struct nw_event){.kind = NW_FILE, .mail = m, .number = 0});
}

/* The cleanup process takes a token or sleeps (F3.2), then makes the file. */
static void
make_file(struct world *w, struct nw_mail *m, int slept)
{
	if (w->in_flow_s > 0 && !slept) {
		if (w->tokens == 0) {
			nw_event_add(w, w->in_flow_s * 1000000,
				     (struct nw_event){.kind = NW_FILE,
						       .mail = m,
						       .number = 1});
			return;
		}
		w->tokens--;
	}
	m->created = w->now;
	m->bucket = (int)((w->now - nw_seconds(w->now) * 1000000) / 65536);
	nw_event_add(w, COST_WRITE + (m->n - 1) * COST_RCPT_IN,
		     (struct nw_event){.kind = NW_COMMIT, .mail = m});
}

static void
commit(struct world *w, struct nw_mail *m)
{
	bool held = is_held(w, m->sender);

	m->accepted = w->now;
	m->wake_s = nw_seconds(w->now);
	nw_enter(w, m, held ? NW_HOLD : NW_INCOMING, "submitted");
	if (held)
		w->tokens++;
	else
		nw_qmgr_note(w, &(struct nw_event){.kind = NW_NOTE,
						   .note = NW_TRIGGER});
	nw_event_add(w, 0, (struct nw_event){.kind = NW_CLIENT_FREE});
}

static void
bounce_made(struct world *w, struct nw_mail *about)
{
	struct nw_mail *m = nw_mail_new(w, 1);

	m->bounce = true;
	m->index = about->index;
	snprintf(m->address[0], sizeof(m->address[0]), "%.59s", about->sender);
	m->arrival = w->now - COST_WRITE;
	m->created = m->arrival;
	m->bucket =
		(int)((m->created - nw_seconds(m->created) * 1000000) / 65536);
	m->accepted = w->now;
	m->wake_s = nw_seconds(w->now);
	nw_enter(w, m, NW_INCOMING, "bounce");
	nw_qmgr_note(w,
		     &(struct nw_event){.kind = NW_NOTE, .note = NW_TRIGGER});
	nw_qmgr_note(w, &(struct nw_event){.kind = NW_NOTE,
					   .note = NW_NOTIFIED,
					   .mail = about});
}

/* ---- operator, samples ---- */

static void
move_all(struct world *w, enum nw_dir from, enum nw_dir to, const char *why)
{
	struct nw_mail **v;
	int n = nw_list(w, from, -1, &v);

	for (int i = 0; i < n; i++)
		nw_enter(w, v[i], to, why);
	free(v);
}

static void
act(struct world *w, const struct rec_action *a)
{
	if (a->what == REC_RELEASE)
		move_all(w, NW_HOLD, NW_DEFERRED, "released");
	else if (a->what == REC_HOLD &&
		 (a->queue == NULL || strcmp(a->queue, "deferred") == 0))
		move_all(w, NW_DEFERRED, NW_HOLD, "held");
	else if (a->what == REC_FLUSH)
		nw_qmgr_note(w, &(struct nw_event){.kind = NW_NOTE,
						   .note = NW_FLUSH});
	else if (a->what == REC_ENABLE_QMGR)
		nw_event_add(w, ENABLE_DELAY,
			     (struct nw_event){.kind = NW_QMGR_START});
	else
		fprintf(stderr,
			"naive_qmgr: warning: action %d is not modelled\n",
			(int)a->what);
}

static void
sample(struct world *w)
{
	int count[NW_REMOVED + 1] = {0};

	for (int i = 0; i < w->mails_n; i++)
		count[w->mails[i]->dir]++;
	fprintf(w->series, "%.6f,0,%d,%d,%d,%d\n", (double)w->now / 1e6,
		count[NW_INCOMING], count[NW_ACTIVE], count[NW_DEFERRED],
		count[NW_HOLD]);
	nw_event_add(w, w->sc->sample, (struct nw_event){.kind = NW_SAMPLE});
}

/* ---- events ---- */

static void
handle(struct world *w, struct nw_event *ev)
{
	switch (ev->kind) {
	case NW_INJECT:
		if (ev->number < 0)
			inject_next(w);
		else
			inject(w, ev->number);
		break;
	case NW_FILE:
		make_file(w, ev->mail, ev->number);
		break;
	case NW_COMMIT:
		commit(w, ev->mail);
		break;
	case NW_CLIENT_FREE:
		w->clients_free++;
		inject_next(w);
		break;
	case NW_NOTE:
		nw_qmgr_note(w, ev);
		break;
	case NW_WAKE:
		nw_qmgr_wake(w, ev);
		break;
	case NW_AGENT:
	case NW_ACCEPT:
	case NW_GREETED:
	case NW_REPLIED:
	case NW_CLOSED:
	case NW_REPORT:
		nw_remote_event(w, ev);
		break;
	case NW_ACTION:
		act(w, &w->sc->actions[ev->number]);
		break;
	case NW_SAMPLE:
		sample(w);
		break;
	case NW_QMGR_START:
		nw_qmgr_start(w);
		break;
	case NW_BOUNCE_MADE:
		bounce_made(w, ev->mail);
		break;
	}
}

static void
run(struct world *w)
{
	for (;;) {
		struct nw_event ev;
		int best = 0;

		if (w->events_n == 0)
			return;
		for (int i = 1; i < w->events_n; i++)
			if (w->events[i].at < w->events[best].at ||
			    (w->events[i].at == w->events[best].at &&
			     w->events[i].seq < w->events[best].seq))
				best = i;
		ev = w->events[best];
		if (ev.at > w->sc->duration)
			return;
		w->events[best] = w->events[--w->events_n];
		w->now = ev.at;
		handle(w, &ev);
	}
}

/* ---- files ---- */

static FILE *
table(const char *dir, const char *name, const char *head)
{
	char path[1000];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	if (f == NULL) {
		fprintf(stderr, "naive_qmgr: cannot write %s: %s\n", path,
			strerror(errno));
		exit(1);
	}
	fprintf(f, "%s\n", head);
	return f;
}

static void
open_tables(struct world *w, const char *dir)
{
	if (mkdir(dir, 0777) != 0 && errno != EEXIST) {
		fprintf(stderr, "naive_qmgr: cannot make %s: %s\n", dir,
			strerror(errno));
		exit(1);
	}
	w->attempts = table(dir, "attempts.csv",
			    "time_s,message,source,index,recipient,address,"
			    "domain,transport,destination,relay,outcome,"
			    "dsn,code,step,delay_s,before_queue_manager_s,"
			    "queue_manager_s,connection_setup_s,"
			    "transmission_s,batch,conn_use,reason");
	w->feedback = table(dir, "feedback.csv",
			    "time_s,event,transport,destination,limit,window,"
			    "busy,success,failure,fail_cohorts");
	w->series = table(dir, "series.csv",
			  "time_s,maildrop,incoming,active,deferred,hold");
	w->moves = table(dir, "moves.csv",
			 "time_s,message,source,index,from,to,reason");
	w->messages = table(dir, "messages.csv",
			    "message,source,index,arrived_s,accepted_s,first_"
			    "active_s,ended_s,recipients,attempts,"
			    "outcome");
}

static void
close_tables(struct world *w)
{
	for (int i = 0; i < w->mails_n; i++) {
		const struct nw_mail *m = w->mails[i];

		fprintf(w->messages, "%d,%s,%d,%.6f,%.6f,%.6f,%.6f,%d,%d,%s\n",
			m->number, m->bounce ? "bounce" : "trace", m->index,
			(double)m->arrival / 1e6, (double)m->accepted / 1e6,
			(double)m->first_active / 1e6, (double)m->ended / 1e6,
			m->n, m->attempts, m->outcome);
	}
	fclose(w->attempts);
	fclose(w->feedback);
	fclose(w->series);
	fclose(w->moves);
	fclose(w->messages);
}

int
main(int argc, char **argv)
{
	struct rec_scenario sc;
	struct world w = {0};
	char base[1000];
	char error[500];
	double start = argc > 3 ? atof(argv[3]) : -2.05;

	if (argc < 3) {
		fprintf(stderr,
			"usage: naive_qmgr SCENARIO.json OUTDIR [START_S]\n");
		return 2;
	}
	if (!rec_read(&sc, argv[1],
		      rec_find_base(argv[1], base, sizeof(base)) ? base : NULL,
		      error, sizeof(error))) {
		fprintf(stderr, "naive_qmgr: %s\n", error);
		return 3;
	}
	w.sc = &sc;
	open_tables(&w, argv[2]);
	w.ends = calloc(sc.dests_n, sizeof(*w.ends));
	if (w.ends == NULL)
		abort();
	for (size_t i = 0; i < sc.dests_n; i++)
		w.ends[i].rec = &sc.dests[i];
	nw_qmgr_init(&w);
	w.clients_free = sc.connections;
	w.now = (int64_t)(start * 1e6);
	if (!sc.start_without_qmgr)
		nw_event_add(&w, START_DELAY,
			     (struct nw_event){.kind = NW_QMGR_START});
	for (size_t i = 0; i < sc.arrivals_n; i++)
		nw_event_add(
			&w, sc.arrivals[i].at + COST_LATE - w.now,
			(struct nw_event){.kind = NW_INJECT, .number = -1});
	for (size_t i = 0; i < sc.actions_n; i++)
		nw_event_add(
			&w, sc.actions[i].at + TOOL_DELAY - w.now,
			(struct nw_event){.kind = NW_ACTION, .number = (int)i});
	nw_event_add(&w, -w.now, (struct nw_event){.kind = NW_SAMPLE});
	run(&w);
	close_tables(&w);
	rec_release(&sc);
	return 0;
}
