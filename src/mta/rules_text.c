/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Queue ids, logged delays and age buckets: the numbers that operators see.
 * Integer arithmetic only, so that the last digit never depends on a floating
 * rounding.
 */
#include "mta/pure.h"

#include "mta/panic.h"
#include "mta/rules.h"

/* ---- Queue ids ---- */

/* Value order of the long form: digits, upper and lower case consonants. Base
 * 51 leaves out the last, which separates the parts. */
static const char id_digits[] =
	"0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz";

enum {
	LONG_BASE = 52,
	INODE_BASE = 51,
	LONG_SECOND_DIGITS = 6,
	LONG_USEC_DIGITS = 4,
	LONG_LEAST_SEPARATOR = LONG_SECOND_DIGITS + LONG_USEC_DIGITS,
	SHORT_USEC_DIGITS = 5,
	ID_PART_SIZE = 16,
};

static char *
put_number(char *out, uint64_t number, uint32_t base, size_t least_digits)
{
	char reversed[ID_PART_SIZE];
	size_t count = 0;

	while (number > 0 || count < least_digits) {
		mta_assert(count < sizeof(reversed));
		/* cppcheck-suppress zerodivcond ; no base is 0 */
		reversed[count++] = id_digits[number % base];
		number /= base;
	}
	while (count > 0)
		*out++ = reversed[--count];
	return out;
}

static uint32_t
second_part_usec(mta_time t)
{
	return (uint32_t)(t - mta_from_seconds(mta_second(t)));
}

/* R-QUEUE-ID */
void
mta_queue_id_short(struct mta_queue_id_parts id, char *buf)
{
	snprintf(buf, MTA_ID_TEXT_MAX, "%05X%llX", second_part_usec(id.created),
		 (unsigned long long)id.inode);
}

void
mta_queue_id_long(struct mta_queue_id_parts id, char *buf)
{
	char *out = buf;

	mta_assert(id.created >= 0);
	out = put_number(out, (uint64_t)mta_second(id.created), LONG_BASE,
			 LONG_SECOND_DIGITS);
	out = put_number(out, second_part_usec(id.created), LONG_BASE,
			 LONG_USEC_DIGITS);
	*out++ = 'z';
	out = put_number(out, id.inode, INODE_BASE, 1);
	*out = '\0';
}

bool
mta_queue_id_is_long(const char *id)
{
	const char *z = strrchr(id, 'z');

	return z != NULL && z - id >= LONG_LEAST_SEPARATOR;
}

static uint32_t
digit_value(char digit)
{
	const char *place = strchr(id_digits, digit);

	return place == NULL || digit == '\0' ? 0
					      : (uint32_t)(place - id_digits);
}

/* R-QUEUE-HASH */
void
mta_queue_id_hash(const char *id, int32_t depth, char *buf)
{
	char usec[2 * SHORT_USEC_DIGITS];
	const char *from = id;
	int32_t i;

	mta_assert(depth >= 0);
	if (mta_queue_id_is_long(id)) {
		const char *digit = strrchr(id, 'z') - LONG_USEC_DIGITS;
		uint32_t value = 0;

		for (i = 0; i < LONG_USEC_DIGITS; i++)
			value = value * LONG_BASE + digit_value(digit[i]);
		snprintf(usec, sizeof(usec), "%05X", value);
		from = usec;
	}
	for (i = 0; i < depth; i++)
		buf[i] = *from == '\0' ? '_' : *from++;
	buf[depth] = '\0';
}

/* ---- Delays ---- */

/* The place of the second significant digit, within what decimals allow. */
static int64_t
delay_unit_usec(int64_t usec, int32_t decimals)
{
	int64_t unit = 1;
	int64_t least = MTA_USEC_PER_S;

	for (; decimals > 0; decimals--)
		least /= 10;
	while (unit < MTA_USEC_PER_S && usec / unit >= 100)
		unit *= 10;
	return unit > least ? unit : least;
}

/* R-DELAY-FORMAT */
void
mta_delay_format(mta_span delay, int32_t decimals, char *buf)
{
	int64_t usec = delay > 0 ? delay : 0;
	int64_t unit = delay_unit_usec(usec, decimals);
	int length;

	mta_assert(decimals >= 0 && decimals <= 6);
	usec = (usec + unit / 2) / unit * unit;
	if (usec % MTA_USEC_PER_S == 0) {
		snprintf(buf, MTA_DELAY_SIZE, "%lld",
			 (long long)(usec / MTA_USEC_PER_S));
		return;
	}
	length = snprintf(buf, MTA_DELAY_SIZE, "%lld.%06lld",
			  (long long)(usec / MTA_USEC_PER_S),
			  (long long)(usec % MTA_USEC_PER_S));
	while (buf[length - 1] == '0')
		buf[--length] = '\0';
}

/* ---- Age buckets ---- */

/* R-SHAPE-BUCKET */
int32_t
mta_shape_bucket(const struct mta_shape_scale *scale, int64_t age_s)
{
	int64_t tick_s = (int64_t)scale->tick_minutes * 60;
	int64_t end_s = tick_s; /* the bucket holds ages below it */
	int32_t bucket = 1;

	mta_assert(scale->tick_minutes > 0);
	mta_assert(scale->buckets > 0);
	if (scale->is_linear) {
		int64_t whole = age_s > 0 ? age_s / tick_s : 0;

		return whole < scale->buckets ? (int32_t)whole + 1
					      : scale->buckets;
	}
	while (bucket < scale->buckets && age_s >= end_s) {
		bucket++;
		if (end_s > INT64_MAX / 2)
			break;
		end_s *= 2;
	}
	return bucket;
}
