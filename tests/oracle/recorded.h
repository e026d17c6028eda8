/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A recorded scenario as the recordings describe it: the JSON of one scenario
 * merged with base_config.json. Reading is strict: a key, mode or suffix that
 * is not known is an error whose text names it and its place, so that a
 * scenario never seen before is either understood wholly or refused.
 *
 * Times are microseconds from t0. Everything belongs to the struct;
 * rec_release() frees it. Optional phase values use REC_UNSET; a phase is
 * complete in itself (nothing is inherited from the one before).
 */
#ifndef TESTS_ORACLE_RECORDED_H
#define TESTS_ORACLE_RECORDED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REC_ALWAYS INT64_MIN /* a phase that holds from the start */

struct rec_phase {
	int64_t at; /* holds from here; REC_ALWAYS when the file does not say */
	bool refuse;	    /* connection refused */
	int64_t latency;    /* end of data to its answer */
	int64_t *latencies; /* by message index, cyclic; NULL: `latency` for all
			     */
	size_t latencies_n;
	int64_t per_rcpt; /* added for each accepted recipient */
	int64_t banner_delay;
	int64_t fail_delay; /* before a 421 greeting */
	bool *connect_fail; /* by connection, cyclic; NULL: none fails */
	size_t connect_fail_n;
	int conn_limit; /* most open connections; 0 any number */
	int mail_code;	/* fixed answers; 0: accepted */
	int rcpt_code;
	int eod_code;
};

struct rec_dest {
	char *name; /* "a": domain a.test */
	char *transport;
	struct rec_phase *phases;
	size_t phases_n;
};

struct rec_to {	      /* one group of recipients of an arrival */
	char *domain; /* "a.test" */
	int count;
	char *suffix; /* "", ".t2", ".tx" or ".p" */
};

struct rec_arrival {
	int64_t at;
	char *from; /* NULL: the default sender */
	struct rec_to *to;
	size_t to_n;
};

enum rec_do {
	REC_HOLD,
	REC_RELEASE,
	REC_REQUEUE,
	REC_DELETE,
	REC_EXPIRE,
	REC_FLUSH,
	REC_FLUSH_SITE,
	REC_ENABLE_QMGR,
	REC_RELOAD,
	REC_SET
};

struct rec_action {
	int64_t at;
	enum rec_do what;
	char *queue; /* limits postsuper to one queue; NULL: ALL */
	char *name;  /* REC_SET: parameter; REC_FLUSH_SITE: site */
	char *value; /* REC_SET */
};

struct rec_pair { /* main.cf parameter or transport's process limit */
	char *name;
	char *value;
};

struct rec_access { /* sender pattern and what happens to its mail */
	char *glob;
	char *action; /* hold, discard or reject */
};

struct rec_scenario {
	char *name;
	char *title;
	struct rec_pair *params; /* those that bear on queues, base and own
				    merged, own order */
	size_t params_n;
	struct rec_pair *transports; /* name, maxproc */
	size_t transports_n;
	struct rec_dest *dests; /* in name order */
	size_t dests_n;
	struct rec_arrival *arrivals;
	size_t arrivals_n;
	struct rec_action *actions;
	size_t actions_n;
	struct rec_access *access;
	size_t access_n;
	int connections; /* of the injector */
	bool start_without_qmgr;
	int64_t duration;
	int64_t min_duration;
	int64_t sample;
};

/* Read FILE with the base configuration BASE (NULL: none). False: error[] says
 * what is wrong, by name. */
bool rec_read(struct rec_scenario *sc, const char *file, const char *base,
	      char *error, size_t error_size);

void rec_release(struct rec_scenario *sc);

/* The value of a parameter in force, or NULL. */
const char *rec_param(const struct rec_scenario *sc, const char *name);

/* A parameter of a transport: T_SUFFIX, else default_SUFFIX, else SUFFIX; NULL
 * when none is given. */
const char *rec_transport_param(const struct rec_scenario *sc,
				const char *transport, const char *suffix);

/* The phase that holds at a time. */
const struct rec_phase *rec_phase_at(const struct rec_dest *d, int64_t at);

/* The destination of a recipient domain, or NULL. */
const struct rec_dest *
rec_dest_of(const struct rec_scenario *sc, const char *domain);

/* Latency of a delivery of message `index` with n accepted recipients. */
int64_t rec_latency(const struct rec_phase *p, int64_t index, int n);

/* Addresses as the recordings' injector writes them. */
void
rec_sender(const struct rec_arrival *a, size_t index, char *out, size_t room);

void rec_recipient(size_t index, int k, const struct rec_to *to, char *out,
		   size_t room);

/* Find base_config.json beside FILE or one folder up; false when there is none.
 */
bool rec_find_base(const char *file, char *out, size_t room);

#endif
