/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Columns of the tables of samples, by number and by name.
 */
#ifndef SIM_COLUMNS_H
#define SIM_COLUMNS_H

enum series_column {
#define SERIES(id, name) SERIES_##id,
#include "sim/scenario/columns.def"
	SERIES_COLUMNS
};

enum destination_column {
#define DESTINATION(id, name) DESTINATION_##id,
#include "sim/scenario/columns.def"
	DESTINATION_COLUMNS
};

enum transport_column {
#define TRANSPORT(id, name) TRANSPORT_##id,
#include "sim/scenario/columns.def"
	TRANSPORT_COLUMNS
};

/* Their names in that order, a blank behind each. */
extern const char series_words[];
extern const char destination_words[];
extern const char transport_words[];

/* The place of a name among these; it must be there. */
int column_place(const char *words, const char *name);

#endif
