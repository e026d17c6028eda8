/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Limits with a memory: the token bucket with its penalty, the greylist, and
 * the hash table under them (docs/models.md, M-RECEIVER-RATE and
 * M-RECEIVER-GREYLIST).
 *
 * The bucket is filled when it is asked, from the time since it was last asked;
 * it starts full. Meeting it empty starts the penalty: for its length a second
 * bucket, empty at first, rules instead. Then the first rules again.
 *
 * Tables keep hashes, never texts, and are only looked up, never walked in an
 * order that could be seen. They grow with distinct keys and never shrink.
 */
#include "model/receiver_private.h"

#include <math.h>
#include <stdlib.h>

/* A level that a sum of doubles left a little below a whole token is whole. */
#define ALMOST 1e-9

/* In `last` of a greylist cell: seen, but never let through. A new cell has -1,
 * a cell that was let through the time of it. */
enum {
	SEEN = -2
};

void
receiver_table_release(struct receiver_table *table)
{
	free(table->cells);
	*table = (struct receiver_table){0};
}

static struct receiver_cell *
find_cell(const struct receiver_table *table, uint64_t key)
{
	size_t i = key & (table->size - 1);

	while (table->cells[i].key != 0 && table->cells[i].key != key)
		i = (i + 1) & (table->size - 1);
	return &table->cells[i];
}

static void
enlarge(struct receiver_table *table)
{
	struct receiver_table larger = {.size = table->size ? table->size * 2
							    : 16};

	larger.cells = receiver_grow(NULL, larger.size, sizeof(*larger.cells));
	for (size_t i = 0; i < larger.size; i++)
		larger.cells[i] = (struct receiver_cell){0};
	for (size_t i = 0; i < table->size; i++)
		if (table->cells[i].key != 0)
			*find_cell(&larger, table->cells[i].key) =
				table->cells[i];
	larger.used = table->used;
	free(table->cells);
	*table = larger;
}

/* Bounded by the distinct keys that were ever asked for: addresses, triplets,
 * clients. At most half full, so that probing is short. */
struct receiver_cell *
receiver_table_at(struct receiver_table *table, uint64_t key)
{
	struct receiver_cell *cell;

	if (key == 0)
		key = 1;
	if (table->used * 2 >= table->size)
		enlarge(table);
	cell = find_cell(table, key);
	if (cell->key == 0) {
		*cell = (struct receiver_cell){.key = key, .last = -1};
		table->used++;
	}
	return cell;
}

uint64_t
receiver_hash_text(uint64_t hash, const char *text)
{
	return stream_child((struct stream){.key = hash}, text).key;
}

static double
burst_of(const struct receiver_quota *quota)
{
	if (quota->burst > 0)
		return quota->burst;
	return fmax(1, quota->per_s * 60);
}

static double
filled(double level, const struct receiver_quota *quota, double seconds)
{
	return fmin(burst_of(quota), level + quota->per_s * seconds);
}

/* Bring both levels up to now. True while the penalty is in force. */
static bool
fill_buckets(struct receiver *receiver, int64_t now_us)
{
	const struct receiver_rate *rate = &receiver->config->rate;
	struct receiver_extra *extra = receiver_extra(receiver);

	if (extra->bucket.at_us < 0) {
		extra->bucket.level = burst_of(&rate->most);
		extra->bucket.at_us = now_us > 0 ? now_us : 0;
	}
	if (now_us > extra->bucket.at_us) {
		double seconds = (double)(now_us - extra->bucket.at_us) / 1e6;

		extra->bucket.level =
			filled(extra->bucket.level, &rate->most, seconds);
		extra->bucket.penalty_level = filled(
			extra->bucket.penalty_level, &rate->penalty, seconds);
		extra->bucket.at_us = now_us;
	}
	return now_us < extra->bucket.penalty_until_us;
}

/* A penalty may be a smaller cap alone. */
static bool
rate_is_lower(const struct receiver *receiver)
{
	const struct receiver_rate *rate = &receiver->config->rate;

	return rate->penalty.per_s > 0 || rate->penalty_connections == 0;
}

bool
receiver_is_punishing(struct receiver *receiver, int64_t now_us)
{
	return receiver->extra &&
	       now_us < receiver->extra->bucket.penalty_until_us;
}

bool
receiver_is_empty(struct receiver *receiver, int64_t now_us)
{
	struct receiver_extra *extra = receiver_extra(receiver);

	if (fill_buckets(receiver, now_us) && rate_is_lower(receiver))
		return extra->bucket.penalty_level + ALMOST < 1;
	return extra->bucket.level + ALMOST < 1;
}

bool
receiver_take(struct receiver *receiver, int64_t now_us, uint32_t n)
{
	const struct receiver_rate *rate = &receiver->config->rate;
	struct receiver_extra *extra = receiver_extra(receiver);
	bool penalty = fill_buckets(receiver, now_us);
	double *level = penalty && rate_is_lower(receiver)
				? &extra->bucket.penalty_level
				: &extra->bucket.level;

	if (*level + ALMOST >= n) {
		*level = fmax(0, *level - n);
		return true;
	}
	if (!penalty && rate->penalty_for_us > 0) {
		extra->bucket.penalty_until_us = now_us + rate->penalty_for_us;
		extra->bucket.penalty_level = 0;
	}
	return false;
}

static bool
is_known_client(struct receiver *receiver, uint32_t client)
{
	const struct receiver_greylist *greylist = &receiver->config->greylist;

	if (greylist->whitelist_after <= 0)
		return false;
	return receiver_table_at(&receiver_extra(receiver)->known,
				 (uint64_t)client + 1)
		       ->first >= greylist->whitelist_after;
}

static uint64_t
grey_key(const struct receiver_greylist *greylist, uint32_t client,
	 const char *sender, const char *address)
{
	unsigned parts = greylist->key
				 ? greylist->key
				 : RECEIVER_KEY_CLIENT | RECEIVER_KEY_SENDER |
					   RECEIVER_KEY_RECIPIENT;
	uint64_t key = 0;

	if (parts & RECEIVER_KEY_CLIENT)
		key = stream_mix(key, client);
	if (parts & RECEIVER_KEY_SENDER)
		key = receiver_hash_text(key, sender ? sender : "");
	if (parts & RECEIVER_KEY_RECIPIENT)
		key = receiver_hash_text(key, address ? address : "");
	return key;
}

bool
receiver_is_grey(struct receiver *receiver, uint32_t client, const char *sender,
		 const char *address, int64_t now_us)
{
	const struct receiver_greylist *greylist = &receiver->config->greylist;
	struct receiver_cell *cell;
	int64_t age_us;

	if (is_known_client(receiver, client))
		return false;
	/* first: when first seen; last: when it last passed */
	cell = receiver_table_at(&receiver_extra(receiver)->grey,
				 grey_key(greylist, client, sender, address));
	age_us = now_us - cell->first;
	if (cell->last >= 0 && (greylist->keep_us == 0 ||
				now_us - cell->last <= greylist->keep_us)) {
		cell->last = now_us;
		return false;
	}
	if (cell->last != SEEN ||
	    (greylist->window_us > 0 && age_us > greylist->window_us)) {
		cell->first = now_us;
		cell->last = SEEN;
		return true;
	}
	if (age_us < greylist->delay_us)
		return true;
	cell->last = now_us > 0 ? now_us : 0;
	return false;
}

void
receiver_count_good(struct receiver *receiver, uint32_t client, int64_t now_us)
{
	const struct receiver_greylist *greylist = &receiver->config->greylist;
	struct receiver_cell *cell;

	cell = receiver_table_at(&receiver_extra(receiver)->known,
				 (uint64_t)client + 1);
	/* first: how many counted; last: when the last was */
	if (cell->last >= 0 && now_us - cell->last < greylist->whitelist_gap_us)
		return;
	cell->first++;
	cell->last = now_us > 0 ? now_us : 0;
}
