/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The picture of jobs: one large mail, the mails that went before it while it
 * still had deliveries to hand out, and what that did to its credit (rules.md,
 * R-PREEMPT-PRICE).
 *
 * Those may have jumped, and paid; or the large one had no destination with
 * room. attempts.csv does not say which. Where all of them could have paid,
 * they are taken to have paid; else the credit is not known, and not drawn.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/arena.h"
#include "sim/plot/plot_jobs.h"

enum {
	STEPS_MOST = 4000,
	SLICES = 1000 /* gaps shorter than one are not drawn */
};

/* Something changes by an amount. */
struct change {
	double at;
	int64_t batch;
	double amount;
	size_t column; /* of the table of levels */
};

struct changes {
	struct change *list; /* owned */
	size_t count;
	size_t room;
};

static void
changes_add(struct changes *all, struct change change)
{
	if (all->count == all->room) {
		all->room = all->room ? all->room * 2 : 256;
		all->list =
			memory_resize(all->list, all->room, sizeof(*all->list));
	}
	all->list[all->count++] = change;
}

/* What ends at an instant makes room for what begins then. */
static int
compare_time(const void *left, const void *right)
{
	const struct change *a = left;
	const struct change *b = right;
	if (a->at != b->at)
		return a->at < b->at ? -1 : 1;
	if (a->amount != b->amount)
		return a->amount < b->amount ? -1 : 1;
	return (a->batch > b->batch) - (a->batch < b->batch);
}

static int
compare_batch(const void *left, const void *right)
{
	const struct change *a = left;
	const struct change *b = right;
	return (a->batch > b->batch) - (a->batch < b->batch);
}

enum {
	LEVEL_TIME,
	LEVEL_LARGE,
	LEVEL_AHEAD,
	LEVEL_OTHER,
	LEVEL_COLUMNS
};

static size_t
level_of(enum role role)
{
	switch (role) {
	case ROLE_LARGE:
		return LEVEL_LARGE;
	case ROLE_AHEAD:
		return LEVEL_AHEAD;
	case ROLE_OTHER:
		break;
	}
	return LEVEL_OTHER;
}

/* Deliveries of the transport that begin and end, as far as they are seen. */
static void
find_level_changes(const struct jobs *jobs, struct changes *changes)
{
	for (size_t i = 0; i < jobs->count; i++) {
		const struct job *j = &jobs->list[i];
		if (j->first->transport != jobs->large->first->transport)
			continue;
		for (size_t k = 0; k < j->count; k++) {
			const struct delivery *d = &j->first[k];
			struct change c = {
				.at = fmax(d->start, jobs->from),
				.batch = d->batch,
				.amount = 1,
				.column = level_of(j->role),
			};
			if (d->end <= jobs->from || d->start >= jobs->to)
				continue;
			changes_add(changes, c);
			c.at = d->end;
			c.amount = -1;
			changes_add(changes, c);
		}
	}
	if (changes->count > 0)
		qsort(changes->list, changes->count, sizeof(*changes->list),
		      compare_time);
}

/* One row for each instant at which something changes, until the end. */
static void
sum_changes(const struct jobs *jobs, const struct changes *changes,
	    struct plot_table *levels)
{
	double now[LEVEL_COLUMNS] = {jobs->from, 0, 0, 0};
	for (size_t i = 0; i < changes->count; i++) {
		const struct change *c = &changes->list[i];
		if (c->at >= jobs->to)
			break;
		if (c->at > now[LEVEL_TIME])
			memcpy(plot_table_add(levels), now, sizeof(now));
		now[LEVEL_TIME] = c->at;
		now[c->column] += c->amount;
	}
	memcpy(plot_table_add(levels), now, sizeof(now));
	now[LEVEL_TIME] = jobs->to;
	memcpy(plot_table_add(levels), now, sizeof(now));
}

static void
print_levels(struct plot_job *job, const struct jobs *jobs)
{
	struct plot_table levels = {.columns = LEVEL_COLUMNS};
	struct changes changes = {0};
	double most = 0;
	find_level_changes(jobs, &changes);
	sum_changes(jobs, &changes, &levels);
	for (size_t i = 0; i < levels.rows; i++) {
		double sum = plot_table_get(&levels, i, LEVEL_LARGE) +
			     plot_table_get(&levels, i, LEVEL_AHEAD) +
			     plot_table_get(&levels, i, LEVEL_OTHER);
		most = fmax(most, sum);
	}
	plot_set_number(job, "level_most", most);
	plot_set_number(job, "any_other",
			plot_table_max(&levels, LEVEL_OTHER) > 0);
	plot_table_thin(&levels, STEPS_MOST);
	for (size_t i = 0; i < levels.rows; i++)
		fprintf(job->table, "level,,%.10g,,%.10g,%.10g,%.10g,\n",
			plot_table_get(&levels, i, LEVEL_TIME),
			plot_table_get(&levels, i, LEVEL_LARGE),
			plot_table_get(&levels, i, LEVEL_AHEAD),
			plot_table_get(&levels, i, LEVEL_OTHER));
	plot_table_release(&levels);
	free(changes.list);
}

/* Its wait, and the stretches of time in which it had deliveries. */
static void
print_row(struct plot_job *job, const struct jobs *jobs, const struct job *j,
	  size_t row)
{
	double gap = (jobs->to - jobs->from) / SLICES;
	double start = j->first->start;
	double end = j->first->end;
	fprintf(job->table, "wait,%zu,%.10g,%.10g,,,,\n", row,
		fmax(j->first->active, jobs->from), start);
	for (size_t k = 1; k < j->count; k++) {
		const struct delivery *d = &j->first[k];
		if (d->start > end + gap) {
			fprintf(job->table, "held,%zu,%.10g,%.10g,,,,\n", row,
				start, end);
			start = d->start;
		}
		end = fmax(end, d->end);
	}
	fprintf(job->table, "held,%zu,%.10g,%.10g,,,,\n", row, start, end);
}

static void
set_row(struct plot_job *job, const struct jobs *jobs, const struct job *j,
	size_t row)
{
	char name[32];
	char text[120];
	snprintf(name, sizeof(name), "row_%zu", row);
	snprintf(text, sizeof(text), "%.60s %lld (%zu)",
		 jobs->sources.list[j->first->source],
		 (long long)j->first->of_source, j->count);
	plot_set_text(job, name, text);
}

static void
print_rows(struct plot_job *job, const struct jobs *jobs)
{
	size_t row = 0;
	set_row(job, jobs, jobs->large, row);
	print_row(job, jobs, jobs->large, row);
	for (size_t i = 0; i < jobs->count && row < jobs->rows; i++) {
		const struct job *j = &jobs->list[i];
		if (j->role != ROLE_AHEAD)
			continue;
		set_row(job, jobs, j, ++row);
		print_row(job, jobs, j, row);
	}
	plot_set_number(job, "rows", (double)row);
}

/* A delivery of the large one earns 1; another mail is charged for all of its
 * deliveries when the first of them goes. */
static void
find_credit_changes(const struct jobs *jobs, const struct slot_law *law,
		    struct changes *changes)
{
	for (size_t i = 0; i < jobs->count; i++) {
		const struct job *j = &jobs->list[i];
		bool earns = j->role == ROLE_LARGE;
		size_t count = earns ? j->count : 1;
		double charge = law->cost * (double)j->count;
		for (size_t k = 0; k < count && j->role != ROLE_OTHER; k++) {
			const struct delivery *d = &j->first[k];
			changes_add(changes,
				    (struct change){
					    .at = d->start,
					    .batch = d->batch,
					    .amount = earns ? 1 : -charge,
				    });
		}
	}
	if (changes->count > 0)
		qsort(changes->list, changes->count, sizeof(*changes->list),
		      compare_batch);
}

/* R-PREEMPT-ALLOWED, R-PREEMPT-CREDIT: may this be charged to such a credit? */
static bool
can_pay(const struct slot_law *law, double credit, double charge)
{
	return credit > 0 &&
	       floor(credit / law->cost) + law->loan >=
		       charge / law->cost * (100 - law->discount) / 100;
}

/* False if some of them cannot have paid. */
static bool
sum_credit(const struct jobs *jobs, const struct slot_law *law,
	   const struct changes *changes, struct plot_table *credits)
{
	double credit = 0;
	bool known = true;
	for (size_t i = 0; i < changes->count; i++) {
		const struct change *c = &changes->list[i];
		if (c->at > jobs->to)
			break;
		known &= c->amount > 0 || can_pay(law, credit, -c->amount);
		credit += c->amount;
		double *row = plot_table_add(credits);
		row[0] = c->at;
		row[1] = credit;
	}
	double *row = plot_table_add(credits);
	row[0] = jobs->to;
	row[1] = credit;
	return known;
}

static void
print_credit(struct plot_job *job, const struct jobs *jobs)
{
	struct slot_law law = plot_jobs_law(job->run, jobs, jobs->large);
	struct plot_table credits = {.columns = 2};
	struct changes changes = {0};
	double least = 0;
	find_credit_changes(jobs, &law, &changes);
	bool known = sum_credit(jobs, &law, &changes, &credits);
	plot_set_number(job, "slot_cost", law.cost);
	plot_set_number(job, "credit_is_known", known);
	plot_set_number(job, "credit_most", plot_table_max(&credits, 1));
	for (size_t i = 0; i < credits.rows; i++)
		least = fmin(least, plot_table_get(&credits, i, 1));
	plot_set_number(job, "credit_least", least);
	plot_table_thin(&credits, STEPS_MOST);
	for (size_t i = 0; known && i < credits.rows; i++)
		fprintf(job->table, "credit,,%.10g,,,,,%.10g\n",
			plot_table_get(&credits, i, 0),
			plot_table_get(&credits, i, 1));
	plot_table_release(&credits);
	free(changes.list);
}

static void
print_jobs(struct plot_job *job, const struct jobs *jobs)
{
	const struct plot_run *run = job->run;
	struct plot_run seen = *run;
	seen.from_s = jobs->from;
	seen.to_s = jobs->to;
	job->run = &seen;
	plot_set_time(job);
	job->run = run;
	plot_set_text(job, "transport",
		      jobs->transports.list[jobs->large->first->transport]);
	plot_set_number(job, "ahead", (double)jobs->ahead);
	fputs("part,row,time_s,end_s,large,ahead,other,credit\n", job->table);
	print_levels(job, jobs);
	print_rows(job, jobs);
	print_credit(job, jobs);
}

enum plot_result
plot_make_jobs(struct plot_job *job)
{
	struct jobs jobs = {0};
	enum plot_result result = plot_jobs_read(job, &jobs);
	if (result == PLOT_READY && !plot_jobs_choose(job->run, &jobs))
		result = plot_why(job, PLOT_ABSENT,
				  "%s/attempts.csv has no mail that went "
				  "before a large one",
				  job->run->dir);
	if (result == PLOT_READY)
		print_jobs(job, &jobs);
	plot_jobs_release(&jobs);
	return result;
}
