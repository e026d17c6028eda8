/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Messages are 24 bytes in one array that grows, linked by number. There is one
 * event list, of deliveries that end; the next arrival and the next second are
 * variables beside it.
 */
#include "tests/bench/mini.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "tests/bench/bench.h"
#include "tests/bench/plain_heap.h"

enum {
	NONE = 0, /* message 0 is not used */
	ACTIVE_MAX = 20000,
	BUCKETS = 4096, /* seconds, more than the longest back-off */
	SECOND = 1000000,
	HISTOGRAM = 1024,
};

struct message {
	int64_t arrival;
	uint32_t next;
	uint32_t destination;
	uint32_t tries;
};

struct queue {
	uint32_t head;
	uint32_t tail;
};

struct destination {
	struct queue queue;
	double window;
	uint32_t busy;
	bool is_ready;	/* in the ring */
	uint32_t other; /* alias table */
	double keep;
};

struct mini {
	const struct mini_case *c;
	struct bench_random random;
	struct message *messages;
	uint32_t fresh, room, free_head;
	struct destination *dests;
	uint32_t *ring;
	uint32_t ring_first, ring_count;
	struct queue incoming;
	struct queue buckets[BUCKETS];
	struct plain_heap ends;
	int64_t now;
	uint32_t active, busy, deferred;
	uint64_t tries;
	uint64_t histogram[HISTOGRAM];
};

static void
put(struct mini *m, struct queue *q, uint32_t n)
{
	m->messages[n].next = NONE;
	if (q->head == NONE)
		q->head = n;
	else
		m->messages[q->tail].next = n;
	q->tail = n;
}

static uint32_t
take(struct mini *m, struct queue *q)
{
	uint32_t n = q->head;

	q->head = m->messages[n].next;
	return n;
}

/* ---- Zipf (Walker's alias method)
 * ------------------------------------------------ */

static void
zipf_init(struct mini *m)
{
	uint32_t n = m->c->destinations;
	uint32_t *list = calloc(n, sizeof(*list));
	uint32_t small = 0;
	uint32_t large = n;
	double sum = 0;

	if (!list)
		abort();
	for (uint32_t i = 0; i < n; i++)
		sum += 1.0 / (i + 1);
	for (uint32_t i = 0; i < n; i++) {
		m->dests[i].keep = n / (sum * (i + 1));
		m->dests[i].other = i;
		list[m->dests[i].keep < 1 ? small++ : --large] = i;
	}
	while (small > 0 && large < n) {
		struct destination *s = &m->dests[list[--small]];
		struct destination *l = &m->dests[list[large]];

		s->other = list[large];
		l->keep -= 1 - s->keep;
		if (l->keep < 1)
			list[small++] = list[large++];
	}
	free(list);
}

static uint32_t
zipf_draw(struct mini *m)
{
	double u = (1 - bench_random_unit(&m->random)) * m->c->destinations;
	uint32_t i = (uint32_t)u;

	return u - i < m->dests[i].keep ? i : m->dests[i].other;
}

/* ---- the queue
 * -------------------------------------------------------------------- */

static void
arrive(struct mini *m)
{
	uint32_t n = m->free_head;

	if (n != NONE) {
		m->free_head = m->messages[n].next;
	} else {
		if (m->fresh == m->room) {
			m->room = m->room ? 2 * m->room : 1024;
			m->messages = realloc(m->messages,
					      m->room * sizeof(*m->messages));
			if (!m->messages)
				abort();
		}
		n = m->fresh++;
	}
	m->messages[n] = (struct message){.arrival = m->now,
					  .destination = zipf_draw(m)};
	put(m, &m->incoming, n);
}

static void
make_ready(struct mini *m, uint32_t number)
{
	struct destination *d = &m->dests[number];
	uint32_t place = m->ring_first + m->ring_count;

	if (d->is_ready || d->queue.head == NONE ||
	    d->busy >= (uint32_t)d->window)
		return;
	d->is_ready = true;
	if (place >= m->c->destinations)
		place -= m->c->destinations;
	m->ring[place] = number;
	m->ring_count++;
}

static void
start(struct mini *m, uint32_t number)
{
	struct destination *d = &m->dests[number];
	double s = 0.02 - 0.98 * log(bench_random_unit(&m->random));

	d->busy++;
	m->busy++;
	m->tries++;
	plain_heap_add(&m->ends, m->now + (int64_t)(s * SECOND),
		       take(m, &d->queue));
	make_ready(m, number);
}

static void
admit_and_start(struct mini *m)
{
	while (m->active < ACTIVE_MAX && m->incoming.head != NONE) {
		uint32_t n = take(m, &m->incoming);
		uint32_t d = m->messages[n].destination;

		m->active++;
		put(m, &m->dests[d].queue, n);
		make_ready(m, d);
	}
	while (m->busy < m->c->processes && m->ring_count > 0) {
		uint32_t number = m->ring[m->ring_first];

		if (++m->ring_first == m->c->destinations)
			m->ring_first = 0;
		m->ring_count--;
		m->dests[number].is_ready = false;
		start(m, number);
	}
}

static void
end(struct mini *m, uint32_t n)
{
	struct message *x = &m->messages[n];
	struct destination *d = &m->dests[x->destination];
	uint32_t dest = x->destination;
	bool has_failed = bench_random_unit(&m->random) <= m->c->failing;
	int64_t delay = m->now - x->arrival + 1;

	d->busy--;
	m->busy--;
	m->active--;
	d->window += (has_failed ? -1 : 1) / d->window;
	d->window = d->window < 5 ? 5 : d->window > 20 ? 20 : d->window;
	if (has_failed) {
		int64_t wait = x->tries < 4 ? 300 << x->tries : 4000;

		x->tries++;
		m->deferred++;
		put(m,
		    &m->buckets[(m->now / SECOND +
				 (wait < 4000 ? wait : 4000)) %
				BUCKETS],
		    n);
	} else {
		m->histogram[(63 - __builtin_clzll((uint64_t)delay)) * 16]++;
		x->next = m->free_head;
		m->free_head = n;
	}
	make_ready(m, dest);
}

static void
tick(struct mini *m)
{
	struct queue *q = &m->buckets[m->now / SECOND % BUCKETS];

	while (q->head != NONE) {
		put(m, &m->incoming, take(m, q));
		m->deferred--;
	}
}

static void
init(struct mini *m)
{
	uint32_t n = m->c->destinations;

	m->fresh = 1;
	m->dests = calloc(n, sizeof(*m->dests));
	m->ring = calloc(n, sizeof(*m->ring));
	if (!m->dests || !m->ring)
		abort();
	bench_random_init(&m->random, 1);
	plain_heap_init(&m->ends, m->c->processes);
	zipf_init(m);
	for (uint32_t i = 0; i < n; i++)
		m->dests[i].window = 5;
	if (!m->messages) {
		m->room = 1024;
		m->messages = calloc(m->room, sizeof(*m->messages));
		if (!m->messages)
			abort();
	}
	for (uint32_t i = 0; i < m->c->backlog; i++)
		arrive(m);
}

static int64_t
next_arrival(struct mini *m, int64_t now)
{
	double s;

	if (m->c->rate <= 0)
		return INT64_MAX;
	s = -log(bench_random_unit(&m->random)) / m->c->rate;
	now += (int64_t)(s * SECOND);
	return now < (int64_t)(m->c->seconds * SECOND) ? now : INT64_MAX;
}

uint64_t
mini_run(const struct mini_case *c)
{
	struct mini *m = calloc(1, sizeof(*m));
	int64_t arrival, second = SECOND;
	uint64_t tries;

	if (!m)
		abort();
	m->c = c;
	init(m);
	arrival = next_arrival(m, 0);
	for (;;) {
		int64_t ends = plain_heap_time(&m->ends);

		admit_and_start(m);
		ends = plain_heap_time(&m->ends);
		if (ends == INT64_MAX && arrival == INT64_MAX &&
		    m->deferred == 0)
			break;
		if (second <= ends && second <= arrival) {
			m->now = second;
			second += SECOND;
			tick(m);
		} else if (arrival < ends) {
			m->now = arrival;
			arrive(m);
			arrival = next_arrival(m, arrival);
		} else {
			uint32_t n = plain_heap_number(&m->ends);

			m->now = ends;
			plain_heap_pop(&m->ends);
			end(m, n);
		}
	}
	tries = m->tries;
	free(m->messages);
	free(m->dests);
	free(m->ring);
	free(m->ends.keys);
	free(m);
	return tries;
}
