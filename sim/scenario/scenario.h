/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A scenario as read from its YAML file: plain structs, checked, with the
 * defaults filled in. Whoever builds the simulated world reads these and
 * nothing of YAML.
 *
 * Times are int64_t microseconds, sizes bytes, rates per second, shares 0..1.
 * Everything here belongs to the scenario and lives until scenario_free();
 * texts are never NULL unless the field says so. Lists keep the order of the
 * file. Names are resolved: a domain's receiver is an index into `receivers`,
 * and a scenario that was returned without complaint has no dangling name.
 *
 * Laws, arrivals and receivers are the structs of model/; this header needs
 * only their names.
 */
#ifndef SIM_SCENARIO_H
#define SIM_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "mta/types.h"
#include "sim/base/complaint.h"

struct law;		/* model/law.h */
struct arrival_config;	/* model/arrival.h */
struct receiver_config; /* model/receiver.h */

#define SCENARIO_NEVER INT64_MAX /* a time or count without a bound */

enum {
	SCENARIO_RECIPIENTS_MOST = 10000000 /* of a message */
};

/* run: */
enum scenario_end {
	SCENARIO_END_TIME,    /* for: stops at for_us */
	SCENARIO_END_DRAINED, /* until: drained, for_us is at_most */
};

struct scenario_run {
	enum scenario_end end;
	int64_t for_us;	     /* length, or at_most (may be NEVER) */
	int64_t sample_us;   /* step of the time series, > 0 */
	int64_t warmup_us;   /* left out of the statistics */
	int64_t start_at_us; /* when the daemons come up; may be negative */
};

/* output: what is written beyond the files that always are */
enum scenario_output {
	SCENARIO_OUTPUT_MESSAGES = 1 << 0,
	SCENARIO_OUTPUT_ATTEMPTS = 1 << 1,
	SCENARIO_OUTPUT_MOVES = 1 << 2,
	SCENARIO_OUTPUT_FEEDBACK = 1 << 3,
	SCENARIO_OUTPUT_MAILLOG = 1 << 4,
	SCENARIO_OUTPUT_PLOTS = 1 << 5,
	SCENARIO_OUTPUT_METRICS = 1 << 6,
};
/* Their words, in the order of the bits. */
#define SCENARIO_OUTPUT_WORDS                                                  \
	"messages attempts moves feedback maillog plots metrics"

/* destinations: rows of destinations.csv */
struct scenario_destinations {
	int64_t top;	  /* so many by name, the rest summed */
	int64_t every_us; /* 0: each sample */
};

/* One line of main.cf, accepted by mta/params.h already. */
struct scenario_setting {
	const char *name;
	const char *value;
	struct place at;
};

struct scenario_settings {
	struct scenario_setting *list;
	size_t count;
};

/* transports: */
enum scenario_kind {
	SCENARIO_KIND_SMTP,
	SCENARIO_KIND_LMTP,
	SCENARIO_KIND_LOCAL,
	SCENARIO_KIND_VIRTUAL,
	SCENARIO_KIND_PIPE,
	SCENARIO_KIND_DISCARD,
	SCENARIO_KIND_ERROR, /* bounces what it gets */
	SCENARIO_KIND_RETRY, /* defers what it gets */
};

/* The standard ones (smtp, lmtp, relay, local, virtual, pipe, discard, error,
 * retry) are always in the list, first, in this order. */
struct scenario_transport {
	const char *name;
	enum scenario_kind kind;
	int64_t maxproc; /* -1: default_process_limit; 0: no limit */
	struct place at;
};

/* services: limits of the other daemons */
struct scenario_service {
	const char *name;
	int64_t maxproc; /* -1: default_process_limit; 0: no limit */
	struct place at;
};

/* access: the first rule that fits decides */
enum scenario_access_action {
	SCENARIO_ACCESS_HOLD,
	SCENARIO_ACCESS_DISCARD,
	SCENARIO_ACCESS_REJECT,
};

struct scenario_access {
	enum scenario_access_action action;
	const char *sender;    /* glob, or NULL: any */
	const char *recipient; /* glob, or NULL: any */
	double share;	       /* of what the globs fit, 0..1 */
	struct place at;
};

/* costs: */
struct scenario_costs {
	int64_t pickup_us;	   /* per message taken from maildrop */
	int64_t cleanup_us;	   /* per message */
	int64_t bounce_us;	   /* per notice, before its cleanup */
	int64_t qmgr_admit_us;	   /* per message opened */
	int64_t qmgr_scan_us;	   /* per name looked at in a queue run */
	int64_t qmgr_request_us;   /* per delivery handed to an agent */
	int64_t qmgr_finish_us;	   /* per message out of active */
	int64_t qmgr_wake_us;	   /* by which a whole-second sleep ends late */
	int64_t agent_start_us;	   /* per process started */
	int64_t agent_delivery_us; /* per delivery, in its agent */
	int64_t disk_fsync_us;
	int64_t disk_rename_us;
	int64_t disk_parallel; /* servers of the disk station, >= 1 */
};

/* receivers: and the receivers written inside domains: or mx: */
struct scenario_receiver {
	const char *name;    /* "google"; "domains[*]" for an inner one */
	const char *profile; /* the profile it came from, or NULL */
	struct receiver_config *config;
	struct place at;
	bool is_used; /* a domain, an mx or bounces_to leads to it */
};

/* domains: */
enum scenario_sharing {
	SCENARIO_RECEIVER_NONE,	  /* no remote end; the transport decides */
	SCENARIO_RECEIVER_SHARED, /* one remote end with one state */
	SCENARIO_RECEIVER_EACH,	  /* a copy for every domain that fits */
};

/* The key is "user@domain", "domain", ".domain" (what is below it) or "*";
 * the most specific wins: in that order, and of ".a.b" and ".b" the longer. */
struct scenario_domain {
	const char *name;
	const char *transport; /* name; NULL: smtp */
	const char *nexthop;   /* NULL: the recipient's domain */
	enum scenario_sharing sharing;
	size_t receiver; /* index; unless NONE */
	struct place at;
};

/* to: where mail of a source goes */
enum scenario_to_kind {
	SCENARIO_TO_WEIGHTS, /* domain by weight */
	SCENARIO_TO_ZIPF,    /* domain k of 1..domains with k^-exponent */
	SCENARIO_TO_CYCLE,   /* in turn */
};

struct scenario_target {
	const char *domain;
	double weight; /* > 0; 1 in a cycle */
};

struct scenario_to {
	enum scenario_to_kind kind;
	struct scenario_target *list; /* weights, cycle */
	size_t count;
	int64_t zipf_domains;
	double zipf_exponent;
	const char *zipf_name; /* holds {n}, from 1 */
};

enum scenario_via {
	SCENARIO_VIA_SMTP,
	SCENARIO_VIA_SENDMAIL, /* maildrop and pickup, as user via_user */
};

/* sources: */
struct scenario_source {
	const char *name;
	struct arrival_config *arrivals; /* NULL: a trace */
	const char *trace;		 /* path to open, or NULL */
	int64_t until_us;		 /* NEVER: no end by time */
	int64_t messages;		 /* NEVER: no end by count */
	const char *sender; /* may hold {n}; "" is the empty sender */
	struct scenario_to to;
	int64_t users;		/* mailboxes in each domain, >= 1 */
	struct law *recipients; /* of a message; more than MOST are MOST */
	struct law *size;	/* bytes */
	enum scenario_via via;
	const char *via_user; /* NULL unless sendmail */
	int64_t connections;  /* client sessions; NEVER: no limit */
	struct place at;
};

/* start: mail that is there at the beginning */
struct scenario_start {
	enum mta_queue queue;  /* maildrop incoming deferred hold */
	const char *postqueue; /* path of a postqueue -j file; then only it */
	int64_t messages;
	struct scenario_to to;
	const char *sender;
	int64_t users;
	struct law *recipients;
	struct law *size;
	struct law *age; /* microseconds since arrival */
	struct law *due; /* until the next try; NULL: by its age */
	struct place at;
};

enum scenario_order {
	SCENARIO_ORDER_SEEDED,
	SCENARIO_ORDER_NEWEST_FIRST,
	SCENARIO_ORDER_OLDEST_FIRST,
};

/* operator: */
enum scenario_do {
	SCENARIO_DO_SET,
	SCENARIO_DO_RELOAD,
	SCENARIO_DO_STOP,
	SCENARIO_DO_START,
	SCENARIO_DO_HOLD,
	SCENARIO_DO_RELEASE,
	SCENARIO_DO_REQUEUE,
	SCENARIO_DO_DELETE,
	SCENARIO_DO_EXPIRE,
	SCENARIO_DO_FLUSH,	/* everything */
	SCENARIO_DO_FLUSH_SITE, /* where.domain */
	SCENARIO_DO_FLUSH_ID,	/* where.id */
	SCENARIO_DO_CRASH_QMGR,
	SCENARIO_DO_CRASH_AGENT, /* transport */
	SCENARIO_DO_SNAPSHOT,	 /* where.queue */
};

struct scenario_where {
	bool all;	    /* ALL */
	uint32_t queue;	    /* enum mta_queue; MTA_QUEUES: any */
	const char *domain; /* NULL: any; glob */
	const char *sender; /* NULL: any; glob */
	const char *id;	    /* NULL: any */
};

struct scenario_action {
	int64_t at_us;
	enum scenario_do what;
	struct scenario_settings set;
	struct scenario_where where;
	const char *service;   /* with STOP and START: "qmgr", or NULL: all */
	const char *transport; /* of the agent that crashes; else NULL */
	struct place at;
};

/* expect: */
enum scenario_function {
	SCENARIO_VALUE,
	SCENARIO_FINAL,
	SCENARIO_MAX,
	SCENARIO_MIN,
	SCENARIO_MEAN,
	SCENARIO_INTEGRAL,
	SCENARIO_RATE,
	SCENARIO_COUNT,
	SCENARIO_SHARE,
	SCENARIO_PERCENTILE,
	SCENARIO_DRAINED, /* no metric; value: seconds */
};

enum scenario_metric {
	SCENARIO_METRIC_COLUMN,	  /* of series.csv, destinations.csv, ... */
	SCENARIO_METRIC_DELAY,	  /* per recipient, arrival to the end, s */
	SCENARIO_METRIC_WAIT,	  /* per recipient, arrival to first try, s */
	SCENARIO_METRIC_ATTEMPTS, /* per recipient */
	SCENARIO_METRIC_OUTCOME,  /* recipients of outcome `column` */
};

enum scenario_comparison {
	SCENARIO_LESS,
	SCENARIO_LESS_EQUAL,
	SCENARIO_EQUAL,
	SCENARIO_NOT_EQUAL,
	SCENARIO_GREATER_EQUAL,
	SCENARIO_GREATER,
	SCENARIO_WITHIN, /* |x - value| <= within * |value| */
};

enum scenario_unit {
	SCENARIO_UNIT_NUMBER,
	SCENARIO_UNIT_SECONDS,
	SCENARIO_UNIT_PER_SECOND,
	SCENARIO_UNIT_SHARE,
};

struct scenario_expect {
	const char *text; /* as written */
	enum scenario_function function;
	double percent; /* of PERCENTILE: 95 for p95 */
	enum scenario_metric metric;
	const char *column;	 /* column or outcome; "" for drained */
	const char *destination; /* filters; NULL: not given */
	const char *domain;
	const char *source;
	const char *transport;
	int64_t at_us;	 /* of VALUE */
	int64_t from_us; /* window of time; 0 .. NEVER when not given */
	int64_t to_us;
	bool has_window; /* FROM..TO was given */
	enum scenario_comparison comparison;
	double within; /* share, with WITHIN */
	double value;  /* in `unit` */
	enum scenario_unit unit;
	double runs_share; /* "in 95% of runs": 0.95; 0: not given */
	struct place at;
};

/* A file that the scenario names. */
struct scenario_file {
	const char *name; /* as written in the scenario */
	const char *path; /* where it was found */
	char sha256[65];  /* of its content, lower-case hex */
};

struct tree;

struct scenario {
	const char *name;     /* scenario: */
	const char *question; /* "" if not given, as the next */
	const char *prediction;
	int64_t seed;
	int64_t replication; /* of the first run, from 0 */
	struct scenario_run run;
	unsigned output; /* enum scenario_output, or-ed */
	struct scenario_destinations destinations;
	struct scenario_settings mta;
	struct scenario_transport *transports;
	size_t transport_count;
	struct scenario_service *services;
	size_t service_count;
	struct scenario_access *access;
	size_t access_count;
	struct scenario_costs costs;
	struct scenario_receiver *receivers;
	size_t receiver_count;
	struct scenario_domain *domains;
	size_t domain_count;
	enum scenario_sharing bounces_sharing; /* NONE: local, at once */
	size_t bounces_receiver;	       /* index, unless NONE */
	struct scenario_source *sources;
	size_t source_count;
	struct scenario_start *start;
	size_t start_count;
	enum scenario_order order;
	struct scenario_action *actions; /* in order of time */
	size_t action_count;
	struct scenario_expect *expect;
	size_t expect_count;
	struct scenario_file *files;
	size_t file_count;
	struct tree *tree; /* the effective scenario, for writing */
};

/* How to read. All borrowed for the call. */
struct scenario_options {
	const char *const *sets; /* "PATH=VALUE", each a --set */
	size_t set_count;
	const char *length; /* --for: run.for, or run.at_most of a run that
			     * is to drain; or NULL */
	unsigned output;    /* enum scenario_output, added to output: */
	struct complaints *warnings; /* gets what is odd, not wrong; or NULL */
};

/*
 * Read a scenario. Everything that is wrong goes to `complaints`; if there is
 * any, the result is NULL. The complaints hold copies and may be printed later.
 */
struct scenario *
scenario_read_file(const char *path, const struct scenario_options *options,
		   struct complaints *complaints);

/* The same for a text in memory; `name` stands for the file in complaints. */
struct scenario *
scenario_read_memory(const char *name, const char *text, size_t size,
		     const struct scenario_options *options,
		     struct complaints *complaints);

void scenario_free(struct scenario *scenario);

/*
 * Write the effective scenario: profiles and --set applied, `files:` with the
 * SHA-256 of each file it names. Reading it again gives the same scenario.
 */
void scenario_write(const struct scenario *scenario, FILE *out);

/* What is written from now on says this replication; the scenario's own stays
 * what it was read as. */
void
scenario_put_replication(const struct scenario *scenario, int64_t replication);

#endif
