/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Directories of the naive model: a mail is in one of them, and each move makes
 * a new directory entry. A listing gives the newest entry first (F1.16);
 * deferred has sub-directories by the first hexadecimal digit of the creation
 * microseconds, made when first needed and never removed, newest sub-directory
 * first.
 */
#include "tests/reference/naive_world.h"

#include <stdlib.h>
#include <string.h>

static const char *const dir_names[] = {"",	    "incoming", "active",
					"deferred", "hold",	"removed"};

static void *
must(void *p)
{
	if (p == NULL)
		abort();
	return p;
}

void
nw_enter(struct world *w, struct nw_mail *m, enum nw_dir dir, const char *why)
{
	fprintf(w->moves, "%.6f,%d,%s,%d,%s,%s,%s\n", (double)w->now / 1e6,
		m->number, m->bounce ? "bounce" : "trace", m->index,
		dir_names[m->dir], dir_names[dir], why);
	m->dir = dir;
	m->entered = ++w->seq;
	if (dir != NW_DEFERRED)
		return;
	for (int i = 0; i < w->subdirs_n; i++)
		if (w->subdir_order[i] == m->bucket)
			return;
	w->subdir_order[w->subdirs_n++] = m->bucket;
}

struct nw_mail *
nw_mail_new(struct world *w, int recipients)
{
	struct nw_mail *m = must(calloc(1, sizeof(*m)));
	size_t n = (size_t)recipients + 1;

	m->number = w->mails_n;
	m->n = recipients;
	m->address = must(calloc(n, sizeof(*m->address)));
	m->done = must(calloc(n, sizeof(*m->done)));
	m->tries = must(calloc(n, sizeof(*m->tries)));
	m->in_bounce_log = must(calloc(n, sizeof(*m->in_bounce_log)));
	m->first_active = -1;
	m->outcome = "queued";
	w->mails = must(realloc(w->mails, (size_t)(w->mails_n + 1) *
						  sizeof(struct nw_mail *)));
	w->mails[w->mails_n++] = m;
	return m;
}

int
nw_list(struct world *w, enum nw_dir dir, int bucket, struct nw_mail ***out)
{
	struct nw_mail **v =
		must(calloc((size_t)w->mails_n + 1, sizeof(struct nw_mail *)));
	int n = 0;

	for (int i = 0; i < w->mails_n; i++) {
		struct nw_mail *m = w->mails[i];
		int k = n;

		if (m->dir != dir || (bucket >= 0 && m->bucket != bucket))
			continue;
		for (; k > 0 && v[k - 1]->entered < m->entered; k--)
			v[k] = v[k - 1];
		v[k] = m;
		n++;
	}
	*out = v;
	return n;
}
