/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A small host for tests of single services: a spool of a few files that can be
 * looked into, a port that keeps what is sent to services that are not there,
 * one loop for all, a trace that remembers. Nothing of it is fast or complete;
 * the doors' own laws are tested elsewhere.
 */
#ifndef TESTS_UNIT_FAKE_HOST_H
#define TESTS_UNIT_FAKE_HOST_H

#include "mta/host.h"
#include "mta/params.h"

enum {
	FAKE_FILES = 64,
	FAKE_RECIPIENTS = 8,
	FAKE_LOG = 8,
	FAKE_NOTES = 256,
	FAKE_LISTS = 256,
	FAKE_RECORDS = 256,
	FAKE_SENDER_FAMILY = MTA_ADDR_NULL_FAMILIES + 1,
	FAKE_RECIPIENT_FAMILY,
	FAKE_POSTMASTER_FAMILY,
	FAKE_DOUBLE_FAMILY, /* of double-bounce addresses */
};

/* Time 0 of a test: a whole second, as the simulator's. */
#define FAKE_START (INT64_C(1767571200) * MTA_USEC_PER_S)

struct fake_file {
	bool exists;
	bool is_complete;
	struct mta_file shown;
	mta_addr recipients[FAKE_RECIPIENTS];
	bool done[FAKE_RECIPIENTS];
	uint32_t count;
	struct mta_log_record logs[2][FAKE_LOG];
	uint32_t log_count[2];
	int lock_count;
	uint32_t wake_s; /* as last moved */
};

struct fake_spool {
	struct mta_spool base;
	struct mta_loop *loop;
	struct mta_symtab *symbols;
	struct fake_file files[FAKE_FILES];
	uint32_t file_count;
	uint32_t scan_end; /* of the one scan that may be open */
	mta_span fsync;	   /* time of a commit or a log record */
	bool is_full;	   /* commits fail */
	bool no_logs;	   /* bounce logs take nothing */
};

struct fake_note {
	struct mta_note note;
	mta_time at;
};

struct fake_box {
	struct fake_note notes[FAKE_NOTES];
	uint32_t first;
	uint32_t count;
	struct mta_timer *wake; /* NULL: nobody is there */
};

struct fake_port {
	struct mta_port base;
	struct mta_loop *loop;
	struct fake_box boxes[MTA_SERVICES];
	struct mta_recipient lists[FAKE_LISTS][FAKE_RECIPIENTS];
	bool list_in_use[FAKE_LISTS];
	uint32_t lists_out; /* not yet given back */
	uint32_t tokens;
};

struct fake_host {
	struct mta_loop loop;
	struct mta_agenda agenda;
	uint32_t serial;
	struct fake_spool spool;
	struct fake_port port;
	struct mta_book book;
	struct mta_trace trace;
	struct mta_symtab symbols;
	struct mta_host host;
	struct mta_params params;
	struct mta_sink sink;
	struct mta_trace_delivery deliveries[FAKE_RECORDS];
	uint32_t delivery_count;
	struct mta_trace_notice notices[FAKE_RECORDS];
	uint32_t notice_count;
	struct mta_trace_status statuses[FAKE_RECORDS];
	uint32_t status_count;
	struct mta_trace_answered answers[FAKE_RECORDS];
	uint32_t answer_count;
};

void fake_init(struct fake_host *f);
/* Checks that all lists and all locks were given back. */
void fake_release(struct fake_host *f);

void fake_set(struct fake_host *f, const char *name, const char *value);
/* Let time pass until `seconds` after the start. */
void fake_run(struct fake_host *f, double seconds);
/* Seconds since the start. */
double fake_seconds(mta_time t);

struct fake_file *fake_file(struct fake_host *f, struct mta_ref id);
/* A complete file in a queue with recipients of FAKE_RECIPIENT_FAMILY. */
struct mta_ref fake_add(struct fake_host *f, enum mta_queue queue,
			mta_addr sender, uint32_t recipients);
/* How many complete files lie in a queue. */
uint32_t fake_count(struct fake_host *f, enum mta_queue queue);

/* Note number n that was sent to a service, or NULL. */
const struct fake_note *
fake_sent(struct fake_host *f, enum mta_service service, uint32_t n);
uint32_t fake_sent_count(struct fake_host *f, enum mta_service service);
/* How many of a kind. */
uint32_t fake_sent_kind(struct fake_host *f, enum mta_service service,
			enum mta_note_kind kind);

/* A submission with recipients of FAKE_RECIPIENT_FAMILY, as from a client. */
struct mta_note
fake_submission(struct fake_host *f, mta_addr sender, uint32_t recipients);
void
fake_send(struct fake_host *f, enum mta_service service, struct mta_note note);

#endif
