/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * `mtasim profiles`: the shipped profiles of receivers, with what each says of
 * itself. The one command that looks at today's date, and only to warn of
 * profiles that are old; no result of a run depends on it.
 */
#ifndef SIM_PROFILES_CMD_H
#define SIM_PROFILES_CMD_H

/* A profile older than this is warned of. */
enum {
	PROFILE_OLD_MONTHS = 24
};

/*
 * mtasim profiles [NAME...]: name, as_of, description and source of all or of
 * the named profiles on stdout, in order of their names; on stderr one warning
 * with the names of those that are old. argv[0] is "profiles". Answers the exit
 * code: 2 for an unknown name, with the nearest known one; 1 if the folder
 * cannot be read, 3 if a profile is not one.
 */
int profiles_main(int argc, char **argv);

/*
 * Months from `as_of` ("2024" or "2024-05"; a year alone counts from its
 * December) to a month of a year; -1 if `as_of` is neither.
 */
int profile_age_months(const char *as_of, int year, int month);

#endif
