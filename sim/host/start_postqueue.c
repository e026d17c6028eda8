/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Two passes: all lines are read and judged, then the mails are put in place,
 * so that a bad line leaves nothing behind.
 */
#include "sim/host/start_postqueue.h"

#include <jansson.h>

#include "mta/panic.h"
#include "sim/host/world.h"

enum {
	LINE_MOST = 1 << 24, /* bytes of one object */
	PROBLEM_BYTES = 256
};

struct listing {
	json_t **mails; /* one object each */
	size_t count;
	size_t capacity;
	int64_t newest_s;
};

static void
listing_release(struct listing *l)
{
	for (size_t i = 0; i < l->count; i++)
		json_decref(l->mails[i]);
	free(l->mails);
}

static const char *
recipient_address(const json_t *recipient)
{
	return json_string_value(json_object_get(recipient, "address"));
}

/* It is finished, and only still to be reported (F12.1). */
static bool
has_bounced(const json_t *recipient)
{
	return json_object_get(recipient, "bounce_reason") != NULL;
}

/* An enum mta_queue; MTA_QUEUES: there is no such queue, or only corrupt mail
 * in it. */
static uint32_t
queue_named(const char *name)
{
	for (uint32_t q = MTA_MAILDROP; q <= MTA_HOLD; q++) {
		if (strcmp(name, mta_queue_name((enum mta_queue)q)) != 0)
			continue;
		/* The next start takes it in again (F1.15). */
		return q == MTA_ACTIVE ? MTA_INCOMING : q;
	}
	return MTA_QUEUES;
}

static int64_t
size_of(const json_t *mail)
{
	return json_integer_value(json_object_get(mail, "message_size"));
}

static int64_t
arrival_of(const json_t *mail)
{
	return json_integer_value(json_object_get(mail, "arrival_time"));
}

/* NULL, or what the object lacks. */
static const char *
mail_check(const json_t *mail)
{
	const json_t *recipients = json_object_get(mail, "recipients");

	if (!json_is_object(mail))
		return "not a JSON object";
	if (!json_is_string(json_object_get(mail, "queue_name")))
		return "no queue_name";
	if (queue_named(json_string_value(
		    json_object_get(mail, "queue_name"))) == MTA_QUEUES)
		return "queue_name is none of maildrop, incoming, active, "
		       "deferred, hold";
	if (!json_is_string(json_object_get(mail, "sender")))
		return "no sender";
	if (!json_is_integer(json_object_get(mail, "arrival_time")))
		return "no arrival_time";
	if (arrival_of(mail) < 0 || arrival_of(mail) > UINT32_MAX)
		return "arrival_time is not in seconds since 1970";
	if (!json_is_integer(json_object_get(mail, "message_size")))
		return "no message_size";
	if (size_of(mail) < 0 || size_of(mail) > UINT32_MAX)
		return "message_size is out of range";
	if (json_array_size(recipients) == 0)
		return "no recipients";
	for (size_t i = 0; i < json_array_size(recipients); i++)
		if (!recipient_address(json_array_get(recipients, i)))
			return "a recipient without address";
	return NULL;
}

/* False: `problem` says what is wrong with the line. */
static bool
listing_add(struct listing *l, const char *line, size_t size_bytes,
	    char problem[PROBLEM_BYTES])
{
	json_error_t why;
	json_t *mail = json_loadb(line, size_bytes, 0, &why);
	const char *lacks = mail ? mail_check(mail) : why.text;

	if (lacks) {
		snprintf(problem, PROBLEM_BYTES, "%s", lacks);
		json_decref(mail);
		return false;
	}
	if (l->count == 0 || arrival_of(mail) > l->newest_s)
		l->newest_s = arrival_of(mail);
	if (l->count == l->capacity) {
		l->capacity = l->capacity * 2 + 64;
		l->mails = mta_realloc(l->mails, l->capacity, sizeof(json_t *));
	}
	l->mails[l->count++] = mail;
	return true;
}

static bool
line_read(struct listing *l, const char *line, size_t size_bytes,
	  char problem[PROBLEM_BYTES])
{
	if (size_bytes > LINE_MOST) {
		snprintf(problem, PROBLEM_BYTES, "line too long");
		return false;
	}
	return line[strspn(line, " \t\r\n")] == '\0' ||
	       listing_add(l, line, size_bytes, problem);
}

static bool
listing_read(struct listing *l, FILE *file, const char *path,
	     struct world_options *options)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t n;
	char problem[PROBLEM_BYTES];
	bool is_good = true;

	for (long number = 1; is_good && (n = getline(&line, &room, file)) > 0;
	     number++) {
		const char *what = "not a line of `postqueue -j`: ";

		is_good = line_read(l, line, (size_t)n, problem);
		if (is_good && start_is_given_up(options)) {
			is_good = false;
			what = "";
			strcpy(problem, "interrupted");
		}
		if (!is_good)
			snprintf(options->error, sizeof(options->error),
				 "%s:%ld: %s%s", path, number, what, problem);
	}
	free(line);
	return is_good;
}

/* MAILER-DAEMON is how the listing spells the null sender. */
static mta_addr
sender_of(struct world *w, const json_t *mail, uint32_t family)
{
	const char *text = json_string_value(json_object_get(mail, "sender"));

	if (strcmp(text, "MAILER-DAEMON") == 0)
		text = "";
	return book_add_row(&w->book, family, text);
}

/* The addresses of those that are not finished; how many. */
static uint32_t
live_recipients(struct world *w, const json_t *recipients, mta_addr *addresses)
{
	uint32_t count = 0;

	for (size_t i = 0; i < json_array_size(recipients); i++) {
		const json_t *to = json_array_get(recipients, i);

		if (!has_bounced(to))
			addresses[count++] =
				book_literal(&w->book, recipient_address(to));
	}
	return count;
}

static void
place(struct world *w, const struct listing *listing, const json_t *mail,
      uint32_t family)
{
	const json_t *recipients = json_object_get(mail, "recipients");
	int64_t age_s = listing->newest_s - arrival_of(mail);
	mta_addr *addresses =
		mta_alloc(json_array_size(recipients), sizeof(*addresses));
	struct start_letter letter = {
		.queue = (enum mta_queue)queue_named(
			json_string_value(json_object_get(mail, "queue_name"))),
		.sender = sender_of(w, mail, family),
		.recipients = addresses,
		.recipient_count = live_recipients(w, recipients, addresses),
		.size_bytes = (uint32_t)size_of(mail),
		.arrival = world_host(w)->loop->now - mta_from_seconds(age_s),
		.due_after = MTA_NEVER,
		.is_forced_to_expire =
			json_is_true(json_object_get(mail, "forced_expire")),
	};

	if (letter.recipient_count > 0)
		start_one(w, &letter);
	free(addresses);
}

bool
start_postqueue(struct world *w, const char *path, uint32_t source,
		struct world_options *options)
{
	struct listing listing = {0};
	FILE *file = fopen(path, "r");
	bool is_good;
	uint32_t family;

	if (!file) {
		snprintf(options->error, sizeof(options->error),
			 "%s: cannot be opened", path);
		return false;
	}
	is_good = listing_read(&listing, file, path, options);
	fclose(file);
	if (is_good && listing.count > 0) {
		family = book_add_rows(&w->book, source);
		for (size_t i = 0;
		     i < listing.count && !start_is_given_up(options); i++)
			place(w, &listing, listing.mails[i], family);
	}
	listing_release(&listing);
	return is_good;
}
