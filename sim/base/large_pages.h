/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Large pages for what a run keeps. With many destinations a message finds most
 * of its memory cold, and then the walk to the page costs as much as the line:
 * 2 MB pages save 10 to 20 percent of the time.
 */
#ifndef SIM_LARGE_PAGES_H
#define SIM_LARGE_PAGES_H

/*
 * Ask the system for them, for the memory that malloc is going to hand out.
 * Before anything large is allocated. Where there are none it has no effect,
 * and never one on results.
 */
void large_pages_prefer(void);

#endif
