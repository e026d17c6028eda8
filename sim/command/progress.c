/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The line is made of parts in the order of their importance: how far, when,
 * how fast, the queues. A part that does not fit any more is left out with all
 * that follow, so a line never wraps; one that wrapped could not be wiped.
 */
#include "sim/command/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S INT64_C(1000000000)
#define US_PER_S INT64_C(1000000)

/* Silent for so long; then one drawing in so many. */
#define QUIET_NS  NS_PER_S
#define REDRAW_NS (NS_PER_S / 5)

enum {
	BAR_CELLS = 20,
	LINE_BYTES = 256
};

static int64_t
clock_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

void
progress_init(struct progress *bar, int64_t total_us, enum progress_mode mode)
{
	const char *terminal = getenv("TERM");
	const char *no_colour = getenv("NO_COLOR");
	bool dumb = !terminal || !strcmp(terminal, "dumb");
	int64_t now = clock_ns();
	*bar = (struct progress){
		.total_us = total_us == INT64_MAX ? 0 : total_us,
		.began_ns = now,
		.drawn_ns = now,
		.enabled = mode == PROGRESS_AUTO && !dumb && isatty(2),
		.colour = !no_colour || !*no_colour,
	};
}

/* Simulated time as 1:02:03, with days before it where there are any. */
static void
print_time(int64_t us, char *out, size_t size)
{
	int64_t s = us / US_PER_S;
	int64_t days = s / 86400;
	s %= 86400;
	char prefix[24] = "";
	if (days > 0)
		snprintf(prefix, sizeof(prefix), "%" PRId64 "d ", days);
	snprintf(out, size, "%s%d:%02d:%02d", prefix, (int)(s / 3600),
		 (int)(s / 60 % 60), (int)(s % 60));
}

static void
print_bar(double share, char *out, size_t size)
{
	int full = (int)(share * BAR_CELLS);
	char cells[BAR_CELLS + 1];
	for (int i = 0; i < BAR_CELLS; i++)
		cells[i] = i < full ? '=' : i == full ? '>' : ' ';
	cells[BAR_CELLS] = '\0';
	snprintf(out, size, "[%s] %3d %%", cells, (int)(share * 100));
}

/* Append a part if the whole still fits; false if it did not. */
static bool
add_part(char *out, size_t size, size_t width, const char *part)
{
	size_t used = strlen(out);
	size_t gap = used ? 2 : 0;
	size_t wanted = used + gap + strlen(part);
	if (wanted > width || wanted >= size)
		return false;
	snprintf(out + used, size - used, "%s%s", gap ? "  " : "", part);
	return true;
}

void
progress_line(const struct progress *bar, int64_t now_us,
	      const struct progress_counts *counts, size_t width, char *out,
	      size_t size)
{
	char parts[8][80];
	char total[40];
	size_t n = 0;
	if (now_us < 0)
		now_us = 0; /* the daemons come up before time 0 */
	if (bar->total_us > 0) {
		double share = (double)now_us / (double)bar->total_us;
		print_bar(share > 1 ? 1 : share, parts[n++], sizeof(parts[0]));
	}
	print_time(now_us, parts[n++], sizeof(parts[0]));
	if (bar->total_us > 0) {
		print_time(bar->total_us, total, sizeof(total));
		size_t used = strlen(parts[n - 1]);
		snprintf(parts[n - 1] + used, sizeof(parts[0]) - used, " of %s",
			 total);
	}
	snprintf(parts[n++], sizeof(parts[0]), "%.0fx", bar->speed);
	snprintf(parts[n++], sizeof(parts[0]), "incoming %" PRId64,
		 counts->incoming);
	snprintf(parts[n++], sizeof(parts[0]), "active %" PRId64,
		 counts->active);
	snprintf(parts[n++], sizeof(parts[0]), "deferred %" PRId64,
		 counts->deferred);
	if (counts->hold > 0)
		snprintf(parts[n++], sizeof(parts[0]), "hold %" PRId64,
			 counts->hold);
	if (counts->maildrop > 0)
		snprintf(parts[n++], sizeof(parts[0]), "maildrop %" PRId64,
			 counts->maildrop);
	out[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		if (!add_part(out, size, width, parts[i]))
			return;
	}
}

static size_t
terminal_width(void)
{
	struct winsize window;
	if (ioctl(2, TIOCGWINSZ, &window) == 0 && window.ws_col > 1)
		return window.ws_col;
	return 80;
}

/* Speed over the last interval, and a little of what it was before. */
static void
measure(struct progress *bar, int64_t now_us, int64_t now_ns)
{
	double real = (double)(now_ns - bar->drawn_ns) / (double)NS_PER_S;
	double simulated = (double)(now_us - bar->last_us) / (double)US_PER_S;
	double speed = real > 0 ? simulated / real : 0;
	bar->speed = bar->last_us == 0 ? speed : 0.7 * bar->speed + 0.3 * speed;
	bar->drawn_ns = now_ns;
	bar->last_us = now_us;
}

void
progress_update(struct progress *bar, int64_t now_us,
		const struct progress_counts *counts)
{
	if (!bar->enabled)
		return;
	int64_t now_ns = clock_ns();
	if (now_ns - bar->began_ns < QUIET_NS ||
	    now_ns - bar->drawn_ns < REDRAW_NS)
		return;
	char line[LINE_BYTES];
	measure(bar, now_us, now_ns);
	/* The last column stays free: some terminals wrap on filling it. */
	progress_line(bar, now_us, counts, terminal_width() - 1, line,
		      sizeof(line));
	fprintf(stderr, "\r%s%s%s\033[K", bar->colour ? "\033[36m" : "", line,
		bar->colour ? "\033[0m" : "");
	fflush(stderr);
	bar->shown = true;
}

void
progress_finish(struct progress *bar)
{
	if (bar->shown) {
		fputs("\r\033[K", stderr);
		fflush(stderr);
	}
	bar->enabled = false;
}
