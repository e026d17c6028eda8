/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which mails went before a large one. attempts.csv tells each delivery: whose
 * it was, when it began and ended, and as which of all it was handed to an
 * agent. A job that is not older than the large one, began after it, and before
 * its last delivery, has gone before it.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/arena.h"
#include "sim/base/folder.h"
#include "sim/plot/plot_dest.h"
#include "sim/plot/plot_jobs.h"

enum {
	ROWS_MOST = 12, /* mails shown by name beside the large one */
	LARGE_TRIED = 40
};

/* ---- reading */

static size_t
name_number(struct names *names, const char *name)
{
	size_t at = name_index_get(&names->index, name, SIZE_MAX);
	if (at != SIZE_MAX)
		return at;
	if (names->count == names->room) {
		names->room = names->room ? names->room * 2 : 16;
		names->list = memory_resize(names->list, names->room,
					    sizeof(*names->list));
	}
	names->list[names->count] = memory_text(name);
	name_index_add(&names->index, names->list[names->count], names->count);
	return names->count++;
}

static void
names_release(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->list[i]);
	free(names->list);
	name_index_release(&names->index);
}

/* Columns of attempts.csv. */
struct attempt_columns {
	int time, message, source, index, transport, before, queue, setup,
		transmission, batch;
};

static bool
find_columns(struct csv_reader *csv, struct attempt_columns *c)
{
	return csv_find(csv, "time_s", &c->time) &&
	       csv_find(csv, "message", &c->message) &&
	       csv_find(csv, "source", &c->source) &&
	       csv_find(csv, "index", &c->index) &&
	       csv_find(csv, "transport", &c->transport) &&
	       csv_find(csv, "before_queue_manager_s", &c->before) &&
	       csv_find(csv, "queue_manager_s", &c->queue) &&
	       csv_find(csv, "connection_setup_s", &c->setup) &&
	       csv_find(csv, "transmission_s", &c->transmission) &&
	       csv_find(csv, "batch", &c->batch);
}

/* A part of the delay; one that there was not took no time. */
static bool
read_part(struct csv_reader *csv, int column, double *seconds)
{
	*seconds = 0;
	return !*csv_text(csv, column) || csv_double(csv, column, seconds);
}

/* A difference of times that have six decimals has no more. */
static double
microseconds(double seconds)
{
	return nearbyint(seconds * 1e6) / 1e6;
}

static bool
read_delivery(struct csv_reader *csv, const struct attempt_columns *c,
	      struct jobs *jobs, struct delivery *d)
{
	double queue, setup, transmission;
	if (!csv_integer(csv, c->batch, &d->batch) ||
	    !csv_integer(csv, c->message, &d->message) ||
	    !csv_integer(csv, c->index, &d->of_source) ||
	    !csv_double(csv, c->time, &d->end) ||
	    !read_part(csv, c->before, &d->before) ||
	    !read_part(csv, c->queue, &queue) ||
	    !read_part(csv, c->setup, &setup) ||
	    !read_part(csv, c->transmission, &transmission))
		return false;
	d->start = microseconds(d->end - setup - transmission);
	d->active = microseconds(d->start - queue);
	d->source = name_number(&jobs->sources, csv_text(csv, c->source));
	d->transport =
		name_number(&jobs->transports, csv_text(csv, c->transport));
	return true;
}

/* What no agent had has no batch, and is no delivery. */
static void
read_rows(struct csv_reader *csv, struct jobs *jobs)
{
	struct attempt_columns columns;
	bool good = find_columns(csv, &columns);
	while (good && csv_next(csv)) {
		if (!*csv_text(csv, columns.batch))
			continue;
		if (jobs->delivery_count == jobs->delivery_room) {
			jobs->delivery_room = jobs->delivery_room
						      ? jobs->delivery_room * 2
						      : 1024;
			jobs->deliveries = memory_resize(
				jobs->deliveries, jobs->delivery_room,
				sizeof(*jobs->deliveries));
		}
		struct delivery *d = &jobs->deliveries[jobs->delivery_count];
		good = read_delivery(csv, &columns, jobs, d);
		jobs->delivery_count += good;
	}
}

static int
compare_owner(const struct delivery *a, const struct delivery *b)
{
	if (a->transport != b->transport)
		return a->transport < b->transport ? -1 : 1;
	if (a->message != b->message)
		return a->message < b->message ? -1 : 1;
	return (a->before > b->before) - (a->before < b->before);
}

static int
compare_delivery(const void *left, const void *right)
{
	const struct delivery *a = left;
	const struct delivery *b = right;
	int owner = compare_owner(a, b);
	return owner ? owner : (a->batch > b->batch) - (a->batch < b->batch);
}

/* A row is a recipient: those of one delivery become one. */
static void
merge_recipients(struct jobs *jobs)
{
	size_t kept = 0;
	if (jobs->delivery_count == 0)
		return;
	qsort(jobs->deliveries, jobs->delivery_count, sizeof(*jobs->deliveries),
	      compare_delivery);
	for (size_t i = 1; i < jobs->delivery_count; i++) {
		struct delivery *last = &jobs->deliveries[kept];
		const struct delivery *d = &jobs->deliveries[i];
		if (d->batch == last->batch)
			last->end = fmax(last->end, d->end);
		else
			jobs->deliveries[++kept] = *d;
	}
	jobs->delivery_count = kept + 1;
}

enum plot_result
plot_jobs_read(struct plot_job *job, struct jobs *jobs)
{
	struct csv_reader csv;
	char *path = folder_find(job->run->dir, "attempts.csv");
	if (!path)
		return plot_why(job, PLOT_ABSENT,
				"%s/attempts.csv is missing; run the scenario "
				"with --output attempts",
				job->run->dir);
	if (csv_open(&csv, path))
		read_rows(&csv, jobs);
	free(path);
	merge_recipients(jobs);
	return dest_end_table(job, &csv);
}

/* ---- jobs */

static const struct delivery *
job_last(const struct job *j)
{
	return j->first + j->count - 1;
}

static int
compare_first(const void *left, const void *right)
{
	const struct job *a = left;
	const struct job *b = right;
	return (a->first->batch > b->first->batch) -
	       (a->first->batch < b->first->batch);
}

static void
find_jobs(struct jobs *jobs)
{
	jobs->list = memory_array(jobs->delivery_count + 1, sizeof(struct job));
	for (size_t i = 0; i < jobs->delivery_count; i++) {
		const struct delivery *d = &jobs->deliveries[i];
		if (i == 0 || compare_owner(d - 1, d) != 0)
			jobs->list[jobs->count++] = (struct job){.first = d};
		struct job *j = &jobs->list[jobs->count - 1];
		j->end = fmax(j->end, d->end);
		j->count++;
	}
	qsort(jobs->list, jobs->count, sizeof(*jobs->list), compare_first);
}

/* Did `j`, which is not older and stood behind `large`, begin before the last
 * delivery of it? */
static bool
went_before(const struct job *j, const struct job *large)
{
	return j->first->transport == large->first->transport &&
	       j->first->active >= large->first->active &&
	       j->first->batch > large->first->batch &&
	       j->first->batch < job_last(large)->batch;
}

static size_t
count_ahead(const struct jobs *jobs, const struct job *large)
{
	size_t count = 0;
	for (size_t i = 0; i < jobs->count; i++)
		count += went_before(&jobs->list[i], large);
	return count;
}

/* A number that main.cf has for one transport or for all. */
static double
law_number(const struct plot_run *run, const char *transport, const char *form,
	   double otherwise)
{
	char name[300];
	snprintf(name, sizeof(name), "%.200s_%s", transport, form);
	const char *text = plot_run_parameter(run, name);
	if (!text) {
		snprintf(name, sizeof(name), "default_%s", form);
		text = plot_run_parameter(run, name);
	}
	return text ? strtod(text, NULL) : otherwise;
}

struct slot_law
plot_jobs_law(const struct plot_run *run, const struct jobs *jobs,
	      const struct job *j)
{
	const char *of = jobs->transports.list[j->first->transport];
	return (struct slot_law){
		.cost = law_number(run, of, "delivery_slot_cost", 5),
		.loan = law_number(run, of, "delivery_slot_loan", 3),
		.discount = law_number(run, of, "delivery_slot_discount", 50),
		.minimum = law_number(run, of, "minimum_delivery_slots", 3),
	};
}

/* The largest first; of two the earlier. */
static int
compare_size(const void *left, const void *right)
{
	const struct job *a = *(const struct job *const *)left;
	const struct job *b = *(const struct job *const *)right;
	if (a->count != b->count)
		return a->count > b->count ? -1 : 1;
	return compare_first(a, b);
}

/* Can a job with so many deliveries be jumped over? R-PREEMPT-ALLOWED */
static bool
is_large(const struct job *j, const struct slot_law *law)
{
	return law->cost >= 2 && j->count > 1 &&
	       (double)j->count >= law->minimum * law->cost;
}

/* The largest job that others went before. A few are tried: where these have
 * none, the others, which are smaller, are no example. */
static void
choose_large(const struct plot_run *run, struct jobs *jobs)
{
	struct job **order = memory_array(jobs->count + 1, sizeof(*order));
	for (size_t i = 0; i < jobs->count; i++)
		order[i] = &jobs->list[i];
	qsort(order, jobs->count, sizeof(*order), compare_size);
	for (size_t i = 0; i < jobs->count && i < LARGE_TRIED; i++) {
		struct slot_law law = plot_jobs_law(run, jobs, order[i]);
		size_t ahead = is_large(order[i], &law)
				       ? count_ahead(jobs, order[i])
				       : 0;
		if (ahead == 0)
			continue;
		order[i]->role = ROLE_LARGE;
		jobs->large = order[i];
		jobs->ahead = ahead;
		break;
	}
	free(order);
}

/* Those that went before it; and what is drawn: until the end of the large one,
 * or of as many others as there are rows for. */
static void
choose_rows(struct jobs *jobs)
{
	double end = 0;
	for (size_t i = 0; i < jobs->count; i++) {
		struct job *j = &jobs->list[i];
		if (!went_before(j, jobs->large))
			continue;
		j->role = ROLE_AHEAD;
		if (jobs->rows < ROWS_MOST) {
			jobs->rows++;
			end = fmax(end, j->end);
		}
	}
	if (jobs->rows == jobs->ahead)
		end = fmax(end, jobs->large->end);
	jobs->from = jobs->large->first->active;
	jobs->to = end > jobs->from ? end : jobs->from + 1;
}

bool
plot_jobs_choose(const struct plot_run *run, struct jobs *jobs)
{
	find_jobs(jobs);
	choose_large(run, jobs);
	if (jobs->large)
		choose_rows(jobs);
	return jobs->large != NULL;
}

void
plot_jobs_release(struct jobs *jobs)
{
	free(jobs->deliveries);
	free(jobs->list);
	names_release(&jobs->sources);
	names_release(&jobs->transports);
}
