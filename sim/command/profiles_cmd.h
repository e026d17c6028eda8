/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The age of a shipped profile. `mtasim profiles` is the one command that looks
 * at today's date, and only to warn of profiles that are old; no result of a
 * run depends on it.
 */
#ifndef SIM_PROFILES_CMD_H
#define SIM_PROFILES_CMD_H

/* A profile older than this is warned of. */
enum {
	PROFILE_OLD_MONTHS = 24
};

/*
 * Months from `as_of` ("2024" or "2024-05"; a year alone counts from its
 * December) to a month of a year; -1 if `as_of` is neither.
 */
int profile_age_months(const char *as_of, int year, int month);

#endif
