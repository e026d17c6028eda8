/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The life of a run. Everything that the clock of the machine or the terminal
 * may know (progress, interruption) is here and flows nowhere else.
 */
#include "sim/command/run.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/stream.h"
#include "mta/panic.h"
#include "sim/base/arena.h"
#include "sim/base/exit_code.h"
#include "sim/base/folder.h"
#include "sim/command/check.h"
#include "sim/command/commands.h"
#include "sim/command/options.h"
#include "sim/command/snapshot.h"
#include "sim/host/world.h"
#include "sim/plot/plot.h"
#include "sim/results/results.h"
#include "sim/results/summary.h"

/* ---- interruption
 * ------------------------------------------------------------- */

static volatile sig_atomic_t caught_signal;

static void
signal_caught(int number)
{
	caught_signal = number;
}

void
run_outlive_reader(void)
{
	signal(SIGPIPE, SIG_IGN);
}

int
run_signal(void)
{
	return caught_signal;
}

bool
run_is_interrupted(void)
{
	return caught_signal != 0;
}

void
run_catch_signals(bool once)
{
	struct sigaction action;
	struct sigaction old;

	memset(&action, 0, sizeof(action));
	action.sa_handler = signal_caught;
	if (once)
		action.sa_flags = (int)SA_RESETHAND;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	/* The terminal has gone; but nohup wants the run to go on. */
	if (sigaction(SIGHUP, NULL, &old) == 0 && old.sa_handler != SIG_IGN)
		sigaction(SIGHUP, &action, NULL);
}

/* ---- a run
 * ---------------------------------------------------------------------- */

struct run {
	const struct run_request *request;
	const struct scenario *scenario;
	const struct options *options;
	struct world world;
	struct results results;
	struct progress progress;
	int64_t end_us;
	mta_time next_sample;
	bool has_failed; /* a snapshot could not be written */
};

/* A scenario that came out of one of several runs goes on from there. */
static uint32_t
replication_of(const struct run *r)
{
	return (uint32_t)r->scenario->replication + r->request->replication;
}

/* What a panic can say: where the run was, and how to get there again. */
static const struct run *running;

static void
say_replay(const struct run *r)
{
	const struct options *o = r->options;

	fprintf(stderr, "  replay: mtasim run %s", r->request->path);
	for (size_t i = 0; i < o->set_count; i++)
		fprintf(stderr, " --set '%s'", o->sets[i]);
	if (o->length)
		fprintf(stderr, " --for %s", o->length);
	if (r->request->replication > 0)
		fprintf(stderr, " --set replication=%lu",
			(unsigned long)replication_of(r));
	fputc('\n', stderr);
}

static void
report_panic(const char *file, int line, const char *fact)
{
	if (fact)
		fprintf(stderr,
			"mtasim: internal error: %s:%d: '%s' does not hold\n",
			file, line, fact);
	else
		fputs("mtasim: out of memory\n", stderr);
	if (running)
		fprintf(stderr, "  at %.6f s of '%s', seed %lld, step %llu\n",
			(double)(running->world.places[WORLD_POOL].loop.now -
				 SIM_EPOCH) /
				1e6,
			running->scenario->name,
			(long long)running->scenario->seed,
			(unsigned long long)running->world.agenda.steps);
	if (running && fact)
		say_replay(running);
	exit(EXIT_CODE_INTERNAL);
}

/* What was written of a run that ends in its midst is of no use: the same
 * command writes it again. */
static void
drop_part(void)
{
	if (running && results_part_dir(&running->results))
		folder_remove(results_part_dir(&running->results));
}

void
run_prepare(void)
{
	model_init();
	mta_panic_set_reporter(report_panic);
	atexit(drop_part);
}

struct scenario *
run_read_scenario(const struct options *o, const char *path, FILE *complain)
{
	struct complaints complaints = {0};
	struct complaints warnings = {0};
	struct scenario *scenario = scenario_read_file(
		path,
		&(struct scenario_options){.sets = o->sets,
					   .set_count = o->set_count,
					   .length = o->length,
					   .output = o->output,
					   .warnings = &warnings},
		&complaints);

	complaints_print(scenario ? &warnings : &complaints, complain);
	complaints_release(&complaints);
	complaints_release(&warnings);
	return scenario;
}

static struct results_state
run_state(const struct run *r)
{
	const struct world *w = &r->world;

	return (struct results_state){
		.qmgr = w->qmgr.is_running ? &w->qmgr : NULL,
		.sources_ended = injector_has_ended(&w->injector),
		.waiting = injector_waiting(&w->injector),
		.partial = caught_signal != 0,
	};
}

static void
run_show_progress(struct run *r, int64_t now_us)
{
	struct mta_spool *spool = world_host(&r->world)->spool;

	progress_update(
		&r->progress, now_us,
		&(struct progress_counts){
			.maildrop = spool->ops->count(spool, MTA_MAILDROP),
			.incoming = spool->ops->count(spool, MTA_INCOMING),
			.active = spool->ops->count(spool, MTA_ACTIVE),
			.deferred = spool->ops->count(spool, MTA_DEFERRED),
			.hold = spool->ops->count(spool, MTA_HOLD),
		});
}

/* All samples that lie before `at`, of which there may be very many; false:
 * they could not be written. */
static bool
run_sample_until(struct run *r, mta_time at)
{
	while (r->next_sample < at && !run_is_interrupted()) {
		int64_t now_us = r->next_sample - SIM_EPOCH;
		struct results_state state = run_state(r);

		if (results_sample(&r->results, now_us, &state) != 0)
			return false;
		run_show_progress(r, now_us);
		r->next_sample += r->scenario->run.sample_us;
	}
	return true;
}

/* Asked at each step: what is cheap and mostly false comes first. */
static bool
run_is_over(const struct run *r)
{
	return caught_signal != 0 ||
	       (r->world.qmgr.active_count == 0 &&
		r->scenario->run.end == SCENARIO_END_DRAINED &&
		world_is_drained(&r->world));
}

/* Let time pass. The scenario time of the end, or -1 when samples could not be
 * written. */
static int64_t
run_until_over(struct run *r)
{
	const bool is_bounded = r->end_us != SCENARIO_NEVER;
	const mta_time end = is_bounded ? world_time(r->end_us) : MTA_NEVER - 1;
	mta_time now = world_time(0);

	while (!run_is_over(r)) {
		struct mta_due due = mta_agenda_next(&r->world.agenda);

		if (due.at > end) {
			/* Without a bound: when nothing is to come. */
			if (is_bounded)
				now = end;
			break;
		}
		if (due.at > r->next_sample && !run_sample_until(r, due.at))
			return -1;
		mta_agenda_step(due);
		if (due.at > now)
			now = due.at;
	}
	return run_sample_until(r, now) ? now - SIM_EPOCH : -1;
}

static struct results_view
run_view(struct run *r)
{
	struct world *w = &r->world;

	return (struct results_view){
		.scenario = r->scenario,
		.trace = &w->trace,
		.symbols = &w->symbols,
		.book = &w->book,
		.spool = world_host(w)->spool,
		.port = world_host(w)->port,
		.agents = &w->agents,
		.params = &w->params,
		.router = &w->router.base,
	};
}

/* The operator wants a picture of a queue, into the results. */
static void
run_snapshot(struct operator* o, enum mta_queue queue)
{
	struct run *r = mta_container_of(o, struct run, world.operator);
	const struct mta_host *host = world_host(&r->world);

	if (!snapshot_write(results_part_dir(&r->results), host, queue,
			    host->loop->now - SIM_EPOCH))
		r->has_failed = true;
}

/* Results are open: start, run, finish. */
static int
run_world(struct run *r, struct world_options *options)
{
	struct results_state state;
	int64_t end_us;

	if (!world_start(&r->world, options)) {
		fprintf(stderr, "%s\n", options->error);
		return EXIT_CODE_INVALID;
	}
	r->world.operator.snapshot = run_snapshot;
	progress_init(&r->progress, r->end_us,
		      r->options->is_quiet ? PROGRESS_NEVER
					   : r->options->progress);
	end_us = run_until_over(r);
	progress_finish(&r->progress);
	if (end_us < 0 || r->has_failed)
		return EXIT_CODE_INTERNAL;
	state = run_state(r);
	return results_finish(&r->results, end_us, &state);
}

static int
run_build(struct run *r)
{
	struct world_options options = {
		.seed = (uint64_t)r->scenario->seed,
		.replication = replication_of(r),
		.is_interrupted = run_is_interrupted,
	};
	struct results_view view;
	int code = EXIT_CODE_INVALID;

	if (world_init(&r->world, r->scenario, &options)) {
		running = r;
		view = run_view(r);
		code = results_init(&r->results,
				    &(struct results_options){
					    .dir = r->request->dir,
					    .version = MTASIM_VERSION,
					    .replication = replication_of(r),
					    .output = r->scenario->output |
						      r->request->output},
				    &view);
		if (code == 0)
			code = run_world(r, &options);
	} else {
		fprintf(stderr, "%s\n", options.error);
	}
	running = NULL;
	return code;
}

char *
run_dir(const struct options *o, const struct scenario *scenario)
{
	if (o->out)
		return folder_clean(o->out);
	return memory_print("runs/%s", scenario->name);
}

/* Pictures, if asked for and if nobody is waiting for an end. */
static int
run_draw(const struct run *r, int code)
{
	unsigned output = r->scenario->output;
	int drawn = 0;

	if ((code == 0 || code == EXIT_CODE_EXPECTATION) &&
	    caught_signal == 0 && (output & SCENARIO_OUTPUT_PLOTS) != 0)
		drawn = plot_folder(r->request->dir);
	return drawn != 0 ? EXIT_CODE_INTERNAL : code;
}

int
run_scenario(const struct run_request *request)
{
	struct run r = {
		.request = request,
		.options = request->options,
		.scenario = request->scenario,
		.end_us = request->scenario->run.for_us,
		.next_sample = world_time(0),
	};
	int code = results_check_place(request->dir);

	if (code != 0)
		return code;
	code = run_build(&r);
	if (code == 0 || code == EXIT_CODE_EXPECTATION)
		request->say(request, &r.results);
	code = run_draw(&r, code);
	results_release(&r.results);
	world_release(&r.world);
	if (caught_signal != 0 && code != EXIT_CODE_INTERNAL)
		return EXIT_CODE_SIGNAL + caught_signal;
	return code;
}

/* ---- the command
 * -------------------------------------------------------------- */

static void
say_summary(const struct run_request *request, const struct results *results)
{
	struct summary_style style = summary_style_of(stdout);

	if (!request->options->is_quiet)
		summary_print(results, stdout, &style);
}

static int
run_once(const struct options *o)
{
	struct run_request request = {
		.options = o,
		.path = o->scenarios[0],
		.say = say_summary,
	};
	struct scenario *scenario = run_read_scenario(o, request.path, stderr);
	char *dir;
	int code;

	if (!scenario)
		return EXIT_CODE_INVALID;
	dir = run_dir(o, scenario);
	request.dir = dir;
	request.scenario = scenario;
	run_prepare();
	run_outlive_reader();
	run_catch_signals(true);
	code = run_scenario(&request);
	free(dir);
	scenario_free(scenario);
	return code;
}

static const char run_help[] =
	"mtasim run [OPTION]... SCENARIO\n"
	"\n"
	"Simulate a scenario, write its results folder, print a summary and "
	"how each\n"
	"expectation came out. The exit code is 0 also when one does not "
	"hold (see check).\n";

int
run_main(int argc, char **argv)
{
	struct options o;
	int code = options_read(&o, OPTIONS_RUN, argc, argv);

	if (code == 0 && o.wants_help)
		printf("%s%s", run_help, options_help);
	else if (code == 0)
		code = o.replications > 1 ? check_all(&o) : run_once(&o);
	options_release(&o);
	/* `run` shows verdicts, `check` judges by them. */
	return code == EXIT_CODE_EXPECTATION ? EXIT_CODE_OK : code;
}
