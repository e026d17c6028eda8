/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The operators' own views of a run at an instant: `mtasim qshape`, `mtasim
 * postqueue` and `mtasim spool`. They run the folder's scenario again; the
 * first two print from src/mta, the last writes a folder of queue files.
 */
#ifndef SIM_VIEW_CMD_H
#define SIM_VIEW_CMD_H

/* The commands; argv[0] is the command's name. They answer the exit code. */
int qshape_main(int argc, char **argv);
int postqueue_main(int argc, char **argv);
int spool_main(int argc, char **argv);

#endif
