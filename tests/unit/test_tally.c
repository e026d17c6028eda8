/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who got what (sim/results/tally.c): records by hand, counted by destination,
 * domain and source; what has no destination of its own; what the warm-up
 * leaves out.
 */
#include "tests/harness.h"

#include "sim/host/book.h"
#include "sim/results/tally.h"

static struct mta_symtab symbols;
static struct book book;
static struct tally tally;
static mta_sym smtp;
static mta_sym retry;
static uint32_t users_a;
static uint32_t users_b;

static void
setup(void)
{
	mta_symtab_init(&symbols);
	book_init(&book, &symbols, "host.example");
	smtp = mta_sym_intern(&symbols, "smtp");
	retry = mta_sym_intern(&symbols, "retry");
	users_a = book_add_users(&book, "a.example");
	users_b = book_add_users(&book, "b.example");
	tally_init(&tally, &symbols, &book.base, NULL, 100);
	tally_add_service(&tally, retry);
}

static void
teardown(void)
{
	tally_release(&tally);
	book_release(&book);
	mta_symtab_release(&symbols);
}

static struct mta_trace_delivery
to(uint32_t users, const char *destination, enum mta_outcome outcome,
   int64_t delay)
{
	return (struct mta_trace_delivery){
		.at = 1000 + delay,
		.arrival = 1000,
		.active = 1000,
		.handoff = MTA_NEVER,
		.setup = MTA_NEVER,
		.recipient = mta_addr_make(users, 3),
		.transport = smtp,
		.destination = mta_sym_intern(&symbols, destination),
		.outcome = (uint8_t)outcome,
	};
}

static struct tally_place
count(const struct mta_trace_delivery *d, uint32_t source)
{
	return tally_delivery(&tally, d, source);
}

static const struct tally_key *
destination_of(const struct tally_place *p)
{
	return tally_destination_at(&tally, p->pair);
}

static const struct tally_key *
domain_of(const struct tally_place *p)
{
	return tally_domain_at(&tally, p->pair);
}

/* Both domains go to one relay host, a.example elsewhere once. */
START_TEST(by_destination_domain_and_source)
{
	struct mta_trace_delivery d[] = {
		to(users_a, "relay", MTA_SENT, 10),
		to(users_b, "relay", MTA_DEFERRED_OUTCOME, 20),
		to(users_b, "relay", MTA_SENT, 30),
		to(users_a, "other", MTA_BOUNCED, 40),
	};
	struct tally_place p[4];

	for (uint32_t i = 0; i < 4; i++)
		p[i] = count(&d[i], i / 2);
	ck_assert_ptr_eq(destination_of(&p[0]), destination_of(&p[1]));
	ck_assert_ptr_ne(destination_of(&p[0]), destination_of(&p[3]));
	ck_assert_ptr_eq(domain_of(&p[0]), domain_of(&p[3]));
	ck_assert_uint_eq(tally.destinations.count, 2);
	ck_assert_uint_eq(tally.domains.count, 2);
	ck_assert_uint_eq(tally.sources.count, 2);
	tally_close(&tally);
	/* relay: delays 10 and 30, three attempts */
	ck_assert_uint_eq(destination_of(&p[0])->delay.count, 2);
	ck_assert_int_eq(destination_of(&p[0])->delay.greatest, 30);
	ck_assert_uint_eq(tally_attempts(destination_of(&p[0])), 3);
	ck_assert_uint_eq(destination_of(&p[0])->outcomes[MTA_SENT], 2);
	ck_assert_uint_eq(destination_of(&p[0])->outcomes[MTA_DEFERRED_OUTCOME],
			  1);
	/* a.example: delays 10 and 40 */
	ck_assert_uint_eq(domain_of(&p[0])->delay.sum, 50);
	ck_assert_uint_eq(tally_attempts(domain_of(&p[0])), 2);
	ck_assert_uint_eq(domain_of(&p[0])->outcomes[MTA_BOUNCED], 1);
	/* the first source: one final outcome, one deferral */
	ck_assert_uint_eq(p[0].source->delay.count, 1);
	ck_assert_uint_eq(tally_attempts(p[0].source), 2);
	ck_assert_uint_eq(tally.all.delay.count, 3);
	ck_assert_uint_eq(tally.all.delay.sum, 80);
	ck_assert_uint_eq(tally_attempts(&tally.all), 4);
}
END_TEST

/* The retry transport's destination is a text; an expired recipient has none:
 * both count where the domain's mail went last. Expiry is no attempt. */
START_TEST(without_a_destination)
{
	struct mta_trace_delivery sent = to(users_a, "relay", MTA_SENT, 10);
	struct mta_trace_delivery put_off =
		to(users_a, "4.4.1 refused", MTA_DEFERRED_OUTCOME, 20);
	struct mta_trace_delivery expired = to(users_a, "", MTA_EXPIRED, 30);
	struct mta_trace_delivery unknown = to(users_b, "", MTA_EXPIRED, 30);
	struct tally_place p = count(&sent, 0);
	struct tally_place other;

	put_off.transport = retry;
	expired.transport = 0;
	unknown.transport = 0;
	ck_assert_ptr_eq(count(&put_off, 0).pair, p.pair);
	ck_assert_ptr_eq(count(&expired, 0).pair, p.pair);
	other = count(&unknown, 0);
	tally_close(&tally);
	ck_assert_uint_eq(tally_attempts(destination_of(&p)), 2);
	ck_assert_uint_eq(destination_of(&p)->outcomes[MTA_EXPIRED], 1);
	/* Never tried, and no router to ask: by the domain's own name. */
	ck_assert_str_eq(mta_sym_text(&symbols, destination_of(&other)->name),
			 "b.example");
	ck_assert_uint_eq(destination_of(&other)->transport, 0);
}
END_TEST

/* Final outcomes before 100 have no delay in the statistics, but are counted.
 */
START_TEST(warm_up)
{
	struct mta_trace_delivery d = to(users_a, "relay", MTA_SENT, 10);
	struct tally_place p;

	d.at = 99;
	d.arrival = 0;
	p = count(&d, 0);
	d.at = 100;
	count(&d, 0);
	tally_close(&tally);
	ck_assert_uint_eq(destination_of(&p)->outcomes[MTA_SENT], 2);
	ck_assert_uint_eq(destination_of(&p)->delay.count, 1);
	ck_assert_int_eq(destination_of(&p)->delay.least, 100);
}
END_TEST

START_TEST(unfinished)
{
	struct mta_trace_delivery d = to(users_a, "relay", MTA_SENT, 10);
	struct tally_place p = count(&d, 0);

	ck_assert_ptr_eq(tally_open(&tally, mta_addr_make(users_a, 9),
				    UINT32_MAX, 500, MTA_QUEUED)
				 .pair,
			 p.pair);
	tally_close(&tally);
	tally_close(&tally); /* adds up once */
	ck_assert_uint_eq(destination_of(&p)->open.count, 1);
	ck_assert_int_eq(destination_of(&p)->open.least, 500);
	ck_assert_uint_eq(domain_of(&p)->outcomes[MTA_QUEUED], 1);
	ck_assert_uint_eq(tally.all.open.count, 1);
	ck_assert_uint_eq(tally.all.outcomes[MTA_QUEUED], 1);
	ck_assert_uint_eq(tally_source(&tally, UINT32_MAX)->open.count, 1);
}
END_TEST

/* Each pair once, in the order of the first change, with what it had before. */
START_TEST(changes_since_they_were_read)
{
	struct mta_trace_delivery a = to(users_a, "relay", MTA_SENT, 10);
	struct mta_trace_delivery b = to(users_b, "relay", MTA_BOUNCED, 20);
	const struct tally_changes *changes;
	struct tally_pair *pair = count(&a, 0).pair;

	tally_deferred(&tally, pair, 1);
	changes = tally_changes(&tally);
	ck_assert_uint_eq(changes->count, 1);
	tally_clear_changes(&tally);
	ck_assert_uint_eq(changes->count, 0);
	count(&b, 0);
	count(&a, 0);
	tally_deferred(&tally, pair, -1);
	changes = tally_changes(&tally);
	ck_assert_uint_eq(changes->count, 2);
	ck_assert_uint_eq(changes->list[0].failed, 0);
	ck_assert_uint_eq(changes->list[1].pair, pair->number);
	ck_assert_uint_eq(changes->list[1].delivered, 1);
	ck_assert_int_eq(changes->list[1].in_deferred, 1);
	ck_assert_uint_eq(tally_delivered(pair), 2);
	ck_assert_int_eq(pair->in_deferred, 0);
	ck_assert_uint_eq(
		tally_failed(tally_pair_at(&tally, changes->list[0].pair)), 1);
}
END_TEST

/* A mail of which no recipient can be read is counted, for no domain. */
START_TEST(of_no_recipient)
{
	struct tally_pair *pair = tally_pair_of_none(&tally);

	tally_deferred(&tally, pair, 1);
	ck_assert_ptr_eq(tally_pair_of_none(&tally), pair);
	ck_assert_uint_eq(pair->domain, TALLY_NO_DOMAIN);
	ck_assert_uint_eq(tally_destination_at(&tally, pair)->name, 0);
	tally_close(&tally);
	ck_assert_uint_eq(tally.domains.count, 0);
}
END_TEST

Suite *
tally_suite(void)
{
	Suite *suite = suite_create("tally");
	TCase *c = tcase_create("all");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, by_destination_domain_and_source);
	tcase_add_test(c, without_a_destination);
	tcase_add_test(c, warm_up);
	tcase_add_test(c, unfinished);
	tcase_add_test(c, changes_since_they_were_read);
	tcase_add_test(c, of_no_recipient);
	suite_add_tcase(suite, c);
	return suite;
}
