/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Arrival processes as iterators.
 *
 * The exact time is kept in a double and rounded only when it is given out, so
 * that gaps of a few microseconds keep their mean. Even spacing is computed
 * from the count, not by adding. The daily process turns unit exponentials into
 * times by inverting the integrated rate hour by hour, which is exact and costs
 * one draw for each arrival.
 *
 * Draws: cursor n for arrival n; parts 1 and 2 of cursor k for gap and length
 * of burst k.
 */
#include "model/arrival.h"

#include "model/law.h"
#include "model/real.h"

#include <gsl/gsl_sf_gamma.h>
#include <math.h>

#define US_PER_S    1e6
#define US_PER_HOUR 3600e6

enum {
	EMPTY_BURSTS_MOST = 20000000 /* twice as many as a list can have */
};

enum {
	PART_GAP,
	PART_BURST_GAP,
	PART_BURST_LENGTH
};

static const char *
check_daily(const struct arrival_config *config)
{
	double hours = 0;

	for (int i = 0; i < 24; i++) {
		if (!(config->hours[i] >= 0 && config->hours[i] <= 1e9))
			return "hours: a weight must be a number of 0 or more";
		hours += config->hours[i];
	}
	for (int i = 0; i < 7; i++) {
		if (!(config->days[i] >= 0 && config->days[i] <= 1e9))
			return "days: a factor must be a number of 0 or more";
	}
	if (!(hours > 0))
		return "hours: at least one weight must be more than 0";
	if (config->day_us < 0)
		return "start: cannot be negative";
	return NULL;
}

static const char *
check_bursts(const struct arrival_config *config)
{
	if (!config->every || law_most(config->every) < LAW_GAP_LEAST)
		return "every: must be 1ms or more";
	if (!config->messages || law_most(config->messages) == 0)
		return "messages: a burst needs at least one message";
	return NULL;
}

const char *
arrival_config_check(const struct arrival_config *config)
{
	bool optional = config->kind == ARRIVAL_BURST ||
			config->kind == ARRIVAL_BURSTS ||
			config->kind == ARRIVAL_TIMES;

	if (!(config->rate_per_s >= 0 && config->rate_per_s <= 1e9))
		return "rate: must lie in 0..1e9 per second";
	if (!optional && config->rate_per_s <= 0)
		return "rate: must be more than 0";
	switch (config->kind) {
	case ARRIVAL_POISSON:
	case ARRIVAL_EVEN:
		return NULL;
	case ARRIVAL_WEIBULL:
		/* Below 0.05 the mean is made by gaps that never come. */
		if (!(config->shape >= 0.05 && config->shape <= 100))
			return "shape: must lie in 0.05..100";
		return NULL;
	case ARRIVAL_DAILY:
		return check_daily(config);
	case ARRIVAL_TIMES:
		for (size_t i = 1; i < config->time_count; i++)
			if (config->times[i] < config->times[i - 1])
				return "times: must ascend";
		return NULL;
	case ARRIVAL_BURST:
		if (config->burst_messages < 1)
			return "messages: must be at least 1";
		return NULL;
	case ARRIVAL_BURSTS:
		return check_bursts(config);
	}
	return NULL;
}

/*
 * Scale of a Weibull law with this mean gap. The gamma function comes from
 * libm's neighbours; 40 bits of the result are the same everywhere.
 */
static double
weibull_scale_us(const struct arrival_config *config)
{
	double scale = US_PER_S / config->rate_per_s /
		       gsl_sf_gamma(1 + 1 / config->shape);
	int exponent;
	double mantissa = frexp(scale, &exponent);

	return ldexp(floor(mantissa * 0x1p40 + 0.5), exponent - 40);
}

void
arrival_init(struct arrival *arrival, const struct arrival_config *config,
	     struct stream stream, int64_t until_us, int64_t messages)
{
	*arrival = (struct arrival){.config = config,
				    .stream = stream,
				    .until_us = until_us,
				    .left = messages};
	if (config->kind == ARRIVAL_POISSON)
		arrival->scale_us = US_PER_S / config->rate_per_s;
	else if (config->kind == ARRIVAL_WEIBULL)
		arrival->scale_us = weibull_scale_us(config);
}

/* Events a microsecond in an hour, counted from Monday 00:00. */
static double
daily_rate(const struct arrival_config *config, int64_t hour)
{
	double hours = 0, days = 0;

	for (int i = 0; i < 24; i++)
		hours += config->hours[i];
	for (int i = 0; i < 7; i++)
		days += config->days[i];
	return config->rate_per_s / US_PER_S *
	       (config->hours[hour % 24] * 24 / hours) *
	       (days > 0 ? config->days[hour / 24 % 7] : 1);
}

/* Move the clock until `need` events are expected to have come. */
static double
daily_after(const struct arrival *arrival, double need)
{
	const struct arrival_config *config = arrival->config;
	double day_us = (double)config->day_us;
	double clock = arrival->clock_us + day_us;

	for (;;) {
		int64_t hour = (int64_t)(clock / US_PER_HOUR);
		double end = (double)(hour + 1) * US_PER_HOUR;
		double rate = daily_rate(config, hour);

		if (need <= (end - clock) * rate)
			return clock + need / rate - day_us;
		need -= (end - clock) * rate;
		clock = end;
		if (clock - day_us >= (double)arrival->until_us ||
		    clock >= (double)LAW_MOST)
			return (double)ARRIVAL_NEVER;
	}
}

static int64_t
rounded(double us)
{
	return (int64_t)floor(us + 0.5);
}

/* Begin bursts until one has messages; its first is at burst_us. A source that
 * has none in so many will have no more: as a list of numbers that ends in 0.
 */
static void
next_burst(struct arrival *arrival)
{
	const struct arrival_config *config = arrival->config;
	uint32_t tries = EMPTY_BURSTS_MOST;

	while (arrival->burst_left == 0 && tries-- > 0 &&
	       arrival->burst_us < LAW_MOST &&
	       arrival->burst_us < arrival->until_us) {
		uint64_t k = arrival->bursts++;
		struct draw gap =
			stream_at_part(arrival->stream, k, PART_BURST_GAP);
		struct draw length =
			stream_at_part(arrival->stream, k, PART_BURST_LENGTH);
		int64_t us = law_draw(config->every, &gap, k, k);
		int64_t last_us = rounded(arrival->clock_us);

		arrival->burst_us += us > LAW_GAP_LEAST ? us : LAW_GAP_LEAST;
		/* One burst at a time: a late one follows the one before. */
		if (arrival->burst_us < last_us)
			arrival->burst_us = last_us;
		arrival->burst_left = law_draw(config->messages, &length, k, k);
		arrival->burst_count = 0;
	}
}

static double
in_burst(const struct arrival_config *config, int64_t start, int64_t n)
{
	double rate = config->rate_per_s;

	return (double)start + (rate > 0 ? (double)n * (US_PER_S / rate) : 0);
}

/* Exact time of the next arrival. */
static double
next_exact(struct arrival *arrival)
{
	const struct arrival_config *config = arrival->config;
	uint64_t n = arrival->count;
	struct draw draw = stream_at_part(arrival->stream, n, PART_GAP);

	switch (config->kind) {
	case ARRIVAL_POISSON:
		return arrival->clock_us +
		       draw_exponential(&draw) * arrival->scale_us;
	case ARRIVAL_EVEN:
		return (double)n * US_PER_S / config->rate_per_s;
	case ARRIVAL_WEIBULL:
		return arrival->clock_us +
		       arrival->scale_us * real_power(draw_exponential(&draw),
						      1 / config->shape);
	case ARRIVAL_DAILY:
		return daily_after(arrival, draw_exponential(&draw));
	case ARRIVAL_TIMES:
		return n < config->time_count ? (double)config->times[n]
					      : (double)ARRIVAL_NEVER;
	case ARRIVAL_BURST:
		return n < (uint64_t)config->burst_messages
			       ? in_burst(config, config->at_us, (int64_t)n)
			       : (double)ARRIVAL_NEVER;
	case ARRIVAL_BURSTS:
		next_burst(arrival);
		if (arrival->burst_left == 0)
			return (double)ARRIVAL_NEVER;
		arrival->burst_left--;
		return in_burst(config, arrival->burst_us,
				arrival->burst_count++);
	}
	return (double)ARRIVAL_NEVER;
}

int64_t
arrival_next(struct arrival *arrival)
{
	double exact;
	int64_t at;

	if (arrival->left <= 0)
		return ARRIVAL_NEVER;
	exact = next_exact(arrival);
	if (exact >= (double)LAW_MOST) {
		arrival->left = 0;
		return ARRIVAL_NEVER;
	}
	at = rounded(exact);
	if (at >= arrival->until_us) {
		arrival->left = 0;
		return ARRIVAL_NEVER;
	}
	arrival->clock_us = exact;
	arrival->count++;
	if (arrival->left != ARRIVAL_NEVER)
		arrival->left--;
	return at;
}
