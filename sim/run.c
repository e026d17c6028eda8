/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The life of a run. Everything that the clock of the machine or the terminal
 * may know (progress, interruption) is here and flows nowhere else.
 */
#include "sim/run.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/stream.h"
#include "mta/panic.h"
#include "sim/options.h"
#include "sim/results.h"
#include "sim/summary.h"
#include "sim/version.h"
#include "sim/world.h"

/* ---- interruption ------------------------------------------------------------- */

static volatile sig_atomic_t caught_signal;

static void
signal_caught(int number)
{
	caught_signal = number;
}

static void
signals_catch(void)
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_handler = signal_caught;
	action.sa_flags = (int)SA_RESETHAND; /* the second one ends it at once */
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

/* ---- a run ---------------------------------------------------------------------- */

struct run {
	struct scenario *scenario;
	const struct options *options;
	const char *path; /* of the scenario, as given */
	struct world world;
	struct results results;
	struct progress progress;
	int64_t end_us;
	int64_t next_sample_us;
};

/* What a panic can say: where the run was, and how to get there again. */
static const struct run *running;

static void
report_panic(const char *file, int line, const char *fact)
{
	fprintf(stderr, "mtasim: internal error: %s:%d: '%s' does not hold\n",
		file, line, fact);
	if (!running)
		return;
	fprintf(stderr, "  at %.6f s of '%s', seed %lld, step %llu\n",
		(double)(running->world.places[WORLD_POOL].loop.now -
			 SIM_EPOCH) /
			1e6,
		running->scenario->name, (long long)running->scenario->seed,
		(unsigned long long)running->world.driver.steps);
	fprintf(stderr, "  replay: mtasim run --seed %lld %s\n",
		(long long)running->scenario->seed, running->path);
}

static struct scenario *
scenario_read(const struct options *o, const char *path)
{
	struct complaints complaints = { 0 };
	struct scenario *scenario = scenario_read_file(
		path,
		&(struct scenario_options){ .sets = o->sets,
					    .set_count = o->set_count,
					    .data_dir = data_dir() },
		&complaints);

	complaints_print(&complaints, stderr);
	complaints_release(&complaints);
	return scenario;
}

static struct results_state
run_state(const struct run *r)
{
	const struct world *w = &r->world;

	return (struct results_state){
		.qmgr = w->qmgr.is_running ? &w->qmgr : NULL,
		.sources_ended = injector_has_ended(&w->injector),
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

/* All samples that lie before `at`; false: they could not be written. */
static bool
run_sample_until(struct run *r, mta_time at)
{
	while (world_time(r->next_sample_us) < at &&
	       r->next_sample_us <= r->end_us) {
		struct results_state state = run_state(r);

		if (results_sample(&r->results, r->next_sample_us, &state) !=
		    0)
			return false;
		run_show_progress(r, r->next_sample_us);
		r->next_sample_us += r->scenario->run.sample_us;
	}
	return true;
}

static bool
run_is_over(const struct run *r)
{
	return caught_signal != 0 ||
	       (r->scenario->run.end == SCENARIO_END_DRAINED &&
		r->world.qmgr.active_count == 0 &&
		world_is_drained(&r->world));
}

/* Let time pass. The scenario time of the end, or -1 when samples could not be
 * written. */
static int64_t
run_until_over(struct run *r)
{
	struct driver *driver = &r->world.driver;
	mta_time now = world_time(0);

	while (!run_is_over(r)) {
		struct driver_turn turn = driver_next(driver);

		if (turn.at > world_time(r->end_us)) {
			now = world_time(r->end_us);
			break;
		}
		if (!run_sample_until(r, turn.at))
			return -1;
		driver_step(driver, turn);
		if (turn.at > now)
			now = turn.at;
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
	running = r;
	progress_init(&r->progress, r->end_us,
		      r->options->is_quiet ? PROGRESS_NEVER :
					     r->options->progress);
	end_us = run_until_over(r);
	progress_finish(&r->progress);
	running = NULL;
	if (end_us < 0)
		return EXIT_CODE_INTERNAL;
	state = run_state(r);
	return results_finish(&r->results, end_us, &state);
}

static int
run_build(struct run *r, const char *dir)
{
	struct world_options options = { .seed =
						 (uint64_t)r->scenario->seed };
	struct results_view view;
	int code = EXIT_CODE_INVALID;

	if (world_init(&r->world, r->scenario, &options)) {
		view = run_view(r);
		code = results_init(
			&r->results,
			&(struct results_options){
				.dir = dir,
				.version = MTASIM_VERSION,
				.output = r->scenario->output |
					  r->options->output },
			&view);
		if (code == 0)
			code = run_world(r, &options);
	} else {
		fprintf(stderr, "%s\n", options.error);
	}
	return code;
}

static int
run_code_of_signal(int code)
{
	if (code == EXIT_CODE_INTERNAL)
		return code;
	if (caught_signal == SIGINT)
		return EXIT_CODE_SIGINT;
	if (caught_signal == SIGTERM)
		return EXIT_CODE_SIGTERM;
	return code;
}

static void
run_set_length(struct run *r)
{
	if (r->options->for_us > 0)
		r->scenario->run.for_us = r->options->for_us;
	r->end_us = r->scenario->run.for_us;
}

static const char *
run_dir(const struct run *r, char *buffer, size_t size)
{
	if (r->options->out)
		return r->options->out;
	snprintf(buffer, size, "runs/%s", r->scenario->name);
	return buffer;
}

/* One scenario, whole. `say` prints what came out. */
static int
run_one(const struct options *o, const char *path,
	void (*say)(const struct run *))
{
	struct run r = { .options = o, .path = path };
	char dir[512];
	int code;

	r.scenario = scenario_read(o, path);
	if (!r.scenario)
		return EXIT_CODE_INVALID;
	run_set_length(&r);
	code = results_check_place(run_dir(&r, dir, sizeof(dir)));
	if (code == 0) {
		code = run_build(&r, run_dir(&r, dir, sizeof(dir)));
		if (code == 0 || code == EXIT_CODE_EXPECTATION)
			say(&r);
		results_release(&r.results);
		world_release(&r.world);
	}
	scenario_free(r.scenario);
	return run_code_of_signal(code);
}

/* ---- the commands ------------------------------------------------------------------ */

static void
say_summary(const struct run *r)
{
	struct summary_style style = summary_style_of(stdout);

	if (!r->options->is_quiet)
		summary_print(&r->results, stdout, &style);
}

static void
say_verdicts(const struct run *r)
{
	struct summary_style style = summary_style_of(stdout);

	if (!r->options->is_quiet)
		printf("%s\n", r->scenario->name);
	summary_print_verdicts(&r->results, stdout, &style);
}

int
run_main(int argc, char **argv)
{
	struct options o;
	int code = options_read(&o, OPTIONS_RUN, argc, argv);

	if (code == 0 && o.wants_help) {
		help_print(stdout, "run");
	} else if (code == 0) {
		model_init();
		mta_panic_set_reporter(report_panic);
		signals_catch();
		code = run_one(&o, o.scenarios[0], say_summary);
		/* `run` shows verdicts, `check` judges by them. */
		if (code == EXIT_CODE_EXPECTATION)
			code = EXIT_CODE_OK;
	}
	options_release(&o);
	return code;
}

int
check_main(int argc, char **argv)
{
	struct options o;
	int code = options_read(&o, OPTIONS_CHECK, argc, argv);

	if (code == 0 && o.wants_help) {
		help_print(stdout, "check");
	} else if (code == 0) {
		model_init();
		mta_panic_set_reporter(report_panic);
		signals_catch();
		for (size_t i = 0; i < o.scenario_count && !caught_signal;
		     i++) {
			int one = run_one(&o, o.scenarios[i], say_verdicts);

			if (code == 0)
				code = one;
		}
	}
	options_release(&o);
	return code;
}
