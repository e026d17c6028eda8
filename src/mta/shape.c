/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Counting and printing. A parent's row is made with its first domain; a domain
 * that is new counts once for its parent, so that a parent of one domain many
 * times over is not shown.
 */
#include "mta/pure.h"

#include "mta/panic.h"
#include "mta/shape.h"

enum {
	NAME_WIDTH_MIN = 18,
	ROWS_FIRST = 64,
};

struct mta_shape_options
mta_shape_defaults(void)
{
	return (struct mta_shape_options){
		.scale = {.tick_minutes = 5, .buckets = 10},
		.least_below = 5,
		.width = MTA_SHAPE_WIDTH,
	};
}

/* ---- rows --------------------------------------------------------------- */

/* name: the row takes over the caller's ownership if it is new. */
static struct mta_shape_row *
row_make(struct mta_shape *s, mta_sym name)
{
	struct mta_shape_row *row = mta_alloc(1, sizeof(*row));

	row->name = name;
	row->count = mta_alloc((size_t)s->options.scale.buckets + 1,
			       sizeof(*row->count));
	if (s->row_count == s->row_room) {
		s->row_room = s->row_room ? s->row_room * 2 : ROWS_FIRST;
		s->rows = mta_realloc(s->rows, s->row_room, sizeof(*s->rows));
	}
	s->rows[s->row_count++] = row;
	mta_table_add(&s->places, (uint64_t)name + 1, row);
	return row;
}

/* The row of a name, and whether it is new. */
static struct mta_shape_row *
row_of(struct mta_shape *s, const char *text, bool *is_new)
{
	mta_sym name = mta_sym_intern(s->host->symbols, text);
	struct mta_shape_row *row =
		mta_table_find(&s->places, (uint64_t)name + 1);

	*is_new = row == NULL;
	if (!row)
		return row_make(s, name);
	mta_sym_drop(s->host->symbols, name);
	return row;
}

static const char *
row_name(const struct mta_shape *s, const struct mta_shape_row *row)
{
	return mta_sym_text(s->host->symbols, row->name);
}

static void
row_count(struct mta_shape_row *row, int32_t bucket)
{
	row->count[0]++;
	row->count[bucket]++;
}

void
mta_shape_init(struct mta_shape *s, const struct mta_host *host,
	       const struct mta_shape_options *options)
{
	mta_assert(options->scale.buckets > 0);
	mta_assert(options->scale.buckets <= MTA_SHAPE_BUCKETS_MAX);
	*s = (struct mta_shape){
		.host = host,
		.options = *options,
		.now_s = mta_host_second(host),
	};
	if (s->options.width < MTA_SHAPE_WIDTH)
		s->options.width = MTA_SHAPE_WIDTH;
	mta_table_init(&s->places);
	row_make(s, mta_sym_intern(host->symbols, "TOTAL"));
}

void
mta_shape_release(struct mta_shape *s)
{
	for (uint32_t i = 0; i < s->row_count; i++) {
		mta_sym_drop(s->host->symbols, s->rows[i]->name);
		free(s->rows[i]->count);
		free(s->rows[i]);
	}
	free(s->rows);
	mta_table_release(&s->places);
}

/* ---- counting ----------------------------------------------------------- */

/* The parents of a domain, each once, but no bare top level. */
static void
count_parents(struct mta_shape *s, const char *domain, bool is_new,
	      int32_t bucket)
{
	const char *dot = strchr(domain, '.');

	while (dot && strchr(dot + 1, '.')) {
		bool parent_is_new;
		struct mta_shape_row *row = row_of(s, dot, &parent_is_new);

		row_count(row, bucket);
		row->below += is_new;
		is_new = parent_is_new;
		dot = strchr(dot + 1, '.');
	}
}

static void
count_address(struct mta_shape *s, mta_addr address, int32_t bucket)
{
	const struct mta_book *book = s->host->book;
	mta_sym symbol =
		mta_addr_is_null(address) ? 0 : book->domain(book, address);
	char domain[MTA_ADDR_TEXT_MAX];
	struct mta_shape_row *row;
	bool is_new;

	snprintf(domain, sizeof(domain), "%s",
		 symbol ? mta_sym_text(s->host->symbols, symbol)
			: "MAILER-DAEMON");
	row_count(s->rows[0], bucket);
	row = row_of(s, domain, &is_new);
	row_count(row, bucket);
	if (s->options.with_parents)
		count_parents(s, domain, is_new, bucket);
}

static bool
is_counted(const struct mta_file *f)
{
	if (f->mode & (MTA_MODE_FORCE_EXPIRE | MTA_MODE_DAMAGED))
		return false;
	return f->queue != MTA_MAILDROP || f->mode & MTA_MODE_REQUEUED;
}

static void
count_file(struct mta_shape *s, struct mta_ref file)
{
	struct mta_spool *spool = s->host->spool;
	const struct mta_file *shown = spool->ops->look(spool, file);
	struct mta_record record = {.kind = MTA_RECORD_DONE};
	struct mta_envelope e;
	int32_t bucket;

	if (!shown || !is_counted(shown))
		return;
	e = shown->envelope;
	bucket = mta_shape_bucket(&s->options.scale,
				  s->now_s - mta_second(e.arrival));
	while (record.kind != MTA_RECORD_END &&
	       spool->ops->read(spool, file, record.next, &record) == MTA_OK) {
		if (record.kind != MTA_RECORD_RECIPIENT)
			continue;
		count_address(s,
			      s->options.by_sender ? e.sender : record.address,
			      bucket);
		if (s->options.by_sender)
			break;
	}
}

void
mta_shape_add_queue(struct mta_shape *s, enum mta_queue queue)
{
	struct mta_spool *spool = s->host->spool;
	struct mta_scan scan = {0};
	struct mta_ref id;

	spool->ops->scan_open(spool, queue, &scan);
	while (mta_spool_next(spool, &scan, &id))
		count_file(s, id);
}

/* ---- the table ---------------------------------------------------------- */

/* A row and its name, for sorting without a look at the symbols. */
struct sorted {
	const struct mta_shape_row *row;
	const char *name;
};

static int
compare_rows(const void *va, const void *vb)
{
	const struct sorted *a = va;
	const struct sorted *b = vb;
	size_t length_a = strlen(a->name);
	size_t length_b = strlen(b->name);

	if (a->row->count[0] != b->row->count[0])
		return a->row->count[0] > b->row->count[0] ? -1 : 1;
	if (length_a != length_b)
		return length_a < length_b ? -1 : 1;
	return strcmp(a->name, b->name);
}

enum {
	HEAD_SIZE = 24
};

/* "T", then the upper end of each bucket in minutes; the last is open. */
static void
put_head(const struct mta_shape_scale *scale, int32_t column, char *head)
{
	int64_t end = scale->tick_minutes;
	int32_t bucket = column < scale->buckets ? column : column - 1;

	if (column == 0) {
		snprintf(head, HEAD_SIZE, "T");
		return;
	}
	if (scale->is_linear)
		end *= bucket < 1 ? 1 : bucket;
	for (int32_t i = 1; !scale->is_linear && i < bucket; i++)
		end = end > INT64_MAX / 4 ? end : end * 2;
	if (scale->buckets == 1)
		end = 0; /* the one bucket begins at 0 */
	snprintf(head, HEAD_SIZE, "%lld%s", (long long)end,
		 column == scale->buckets ? "+" : "");
}

static int
column_width(const struct mta_shape *s, int32_t column)
{
	char head[HEAD_SIZE];
	char total[HEAD_SIZE];
	size_t width;

	put_head(&s->options.scale, column, head);
	snprintf(total, sizeof(total), "%u", s->rows[0]->count[column]);
	width = strlen(head) > strlen(total) ? strlen(head) : strlen(total);
	return width > 2 ? (int)width + 1 : 3;
}

static void
put_name(struct mta_text *text, const char *name, int width)
{
	const char *mark = *name == '.' ? ".+" : "+";
	size_t room = (size_t)width;
	size_t length = strlen(name);

	if (length <= room)
		mta_text_print(text, "%*s", width, name);
	else
		mta_text_print(text, "%s%s", mark,
			       name + length - (room - strlen(mark)));
}

static bool
is_shown(const struct mta_shape *s, const struct sorted *r)
{
	return *r->name != '.' ||
	       r->row->below >= (uint32_t)s->options.least_below;
}

static void
put_rows(struct mta_shape *s, struct mta_text *text, const int *widths)
{
	int32_t columns = s->options.scale.buckets + 1;
	int32_t left =
		s->options.rows_most > 0 ? s->options.rows_most : INT32_MAX;
	struct sorted *sorted = mta_alloc(s->row_count, sizeof(*sorted));

	for (uint32_t i = 0; i < s->row_count; i++)
		sorted[i] =
			(struct sorted){s->rows[i], row_name(s, s->rows[i])};
	qsort(sorted, s->row_count, sizeof(*sorted), compare_rows);
	for (uint32_t i = 0; i < s->row_count && left > 0; i++) {
		if (!is_shown(s, &sorted[i]))
			continue;
		left--;
		put_name(text, sorted[i].name, widths[columns]);
		for (int32_t c = 0; c < columns; c++)
			mta_text_print(text, "%*u", widths[c],
				       sorted[i].row->count[c]);
		text->put(text, "\n");
	}
	free(sorted);
}

void
mta_shape_print(struct mta_shape *s, struct mta_text *text)
{
	int32_t columns = s->options.scale.buckets + 1;
	int widths[MTA_SHAPE_BUCKETS_MAX + 2];
	int room = s->options.width;
	char head[HEAD_SIZE];

	for (int32_t c = 0; c < columns; c++) {
		widths[c] = column_width(s, c);
		room -= widths[c];
	}
	/* Behind the columns: the width of the names. */
	widths[columns] = room < NAME_WIDTH_MIN ? NAME_WIDTH_MIN : room;
	mta_text_print(text, "%*s", widths[columns], "");
	for (int32_t c = 0; c < columns; c++) {
		put_head(&s->options.scale, c, head);
		mta_text_print(text, "%*s", widths[c], head);
	}
	text->put(text, "\n");
	put_rows(s, text, widths);
}
