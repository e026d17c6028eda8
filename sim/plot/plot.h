/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * `mtasim plot DIR [NAME...]`: pictures of a results folder, drawn by gnuplot.
 */
#ifndef SIM_PLOT_H
#define SIM_PLOT_H

/*
 * The command, argv[0] being its own name ("plot"). Returns the exit code: 0
 * done, 1 gnuplot is missing or failed, 2 wrong usage, 3 the folder or one of
 * its files cannot be used.
 */
int plot_main(int argc, char **argv);

/* All pictures of a results folder as PNG, without a word on the standard
 * output; the same exit codes. */
int plot_folder(const char *dir);

#endif
