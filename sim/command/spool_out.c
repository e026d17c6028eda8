/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One walk over the queues. A file is built in memory and written at once; its
 * mode and times are set last, as writing would change them. The logs name a
 * recipient by the place of its record in the file, in bytes, which is known
 * when the file has been built; the spool in memory counts recipients.
 */
#include "sim/command/spool_out.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mta/panic.h"
#include "mta/rules.h"
#include "mta/text.h"
#include "sim/base/arena.h"
#include "sim/base/exit_code.h"
#include "sim/base/folder.h"
#include "sim/command/queue_file.h"

enum {
	DIR_MODE = 0700,
	LOG_MODE = 0600,
	HASH_MOST = 16, /* hash characters; an id has no more */
	/* "/" + queue + hashes with their slashes + id */
	BELOW_MOST = 64 + 2 * HASH_MOST + MTA_ID_TEXT_MAX,
};

struct spool_out {
	struct world *world;
	const struct mta_host *host;
	const char *dir; /* TARGET.part */
	struct spool_out_options options;
	struct queue_file file;
	uint32_t *offsets; /* owned; of each recipient's record, in bytes */
	uint32_t offset_room;
	char path[FOLDER_PATH];
	char *error;
};

static const char *const log_names[SPOOL_LOGS] = {
	[MTA_LOG_DEFER] = "defer",
	[MTA_LOG_BOUNCE] = "bounce",
};

static bool
fail(struct spool_out *o, const char *what)
{
	snprintf(o->error, SPOOL_OUT_ERROR, "cannot %s '%.400s': %s", what,
		 o->path, strerror(errno));
	return false;
}

static bool
make_dir(struct spool_out *o)
{
	return mkdir(o->path, DIR_MODE) == 0 || errno == EEXIST ||
	       fail(o, "create");
}

/* o->path: where a file of this id belongs; its folders are made. */
static bool
set_path(struct spool_out *o, const char *queue, const char *id)
{
	const struct mta_params *p = &o->world->params;
	char hash[HASH_MOST + 1] = "";
	int32_t depth = p->hash_queue_depth;
	size_t n = (size_t)snprintf(o->path, sizeof(o->path), "%s/%s", o->dir,
				    queue);

	if (depth > HASH_MOST)
		depth = HASH_MOST;
	if (mta_text_lists(p->hash_queue_names, queue))
		mta_queue_id_hash(id, depth, hash);
	for (const char *c = hash; *c; c++) {
		n += (size_t)snprintf(o->path + n, sizeof(o->path) - n, "/%c",
				      *c);
		if (!make_dir(o))
			return false;
	}
	snprintf(o->path + n, sizeof(o->path) - n, "/%s", id);
	return true;
}

/* ---- queue files ------------------------------------------------------------
 */

static void
note_offset(struct spool_out *o, uint32_t n)
{
	if (n >= o->offset_room) {
		o->offset_room = o->offset_room ? 2 * o->offset_room : 64;
		o->offsets = memory_resize(o->offsets, o->offset_room,
					   sizeof(*o->offsets));
	}
	o->offsets[n] = (uint32_t)o->file.size;
}

static void
add_recipients(struct spool_out *o, struct mta_ref file)
{
	struct mta_spool *spool = o->host->spool;
	const struct mta_book *book = o->host->book;
	struct mta_record r = {.kind = MTA_RECORD_DONE};
	char text[MTA_ADDR_TEXT_MAX];
	uint32_t n = 0;

	while (spool->ops->read(spool, file, r.next, &r) == MTA_OK &&
	       r.kind != MTA_RECORD_END) {
		book->text(book, r.address, text, sizeof(text));
		note_offset(o, n++);
		queue_file_add(&o->file, text, r.kind == MTA_RECORD_DONE);
	}
}

static mode_t
mode_of(uint32_t mode, bool is_dropped)
{
	mode_t bits = 0700;

	if (mode & MTA_MODE_DAMAGED)
		return 0400;
	if (is_dropped)
		bits |= 0044;
	if (mode & MTA_MODE_FLUSH)
		bits |= 0040;
	if (mode & MTA_MODE_FORCE_EXPIRE)
		bits |= 0010;
	return bits;
}

static void
build_file(struct spool_out *o, struct mta_ref file,
	   const struct mta_envelope *e, bool is_dropped)
{
	const struct mta_book *book = o->host->book;
	char sender[MTA_ADDR_TEXT_MAX];
	char message_id[64];
	const struct queue_file_head head = {
		.is_dropped = is_dropped,
		.is_short = o->options.is_short,
		.arrival = e->arrival + mta_from_seconds(o->options.shift_s),
		.created_s = mta_second(e->created) + o->options.shift_s,
		.warn_s = e->warn_s > 0 ? e->warn_s + o->options.shift_s
					: e->warn_s,
		.size_bytes = e->size_bytes,
		.recipients = e->recipient_count,
		.sender = sender,
		.message_id = message_id,
	};

	book->text(book, e->sender, sender, sizeof(sender));
	snprintf(message_id, sizeof(message_id), "m%u@mta.example", e->serial);
	queue_file_begin(&o->file, &head);
	add_recipients(o, file);
	queue_file_end(&o->file, &head);
}

/* What was built, into o->path. */
static bool
write_file(struct spool_out *o, mode_t mode, int64_t time_s)
{
	const struct timespec times[2] = {{.tv_sec = (time_t)time_s},
					  {.tv_sec = (time_t)time_s}};
	FILE *out = fopen(o->path, "wx");
	bool is_bad;

	if (!out)
		return fail(o, "create");
	is_bad = fwrite(o->file.bytes, 1, o->file.size, out) != o->file.size;
	is_bad = fflush(out) != 0 || is_bad;
	is_bad = is_bad || fchmod(fileno(out), mode) != 0 ||
		 futimens(fileno(out), times) != 0;
	if (fclose(out) == 0 && !is_bad)
		return true;
	return fail(o, "write");
}

/* ---- logs -------------------------------------------------------------------
 */

static void
put_log_record(struct spool_out *o, FILE *out, enum mta_log log,
	       const struct mta_log_record *r)
{
	const struct mta_book *book = o->host->book;
	const struct mta_dsn *dsn = &r->status.dsn;
	const char *reason = mta_sym_text(o->host->symbols, r->status.reason);
	char to[MTA_ADDR_TEXT_MAX];

	mta_assert(r->offset < o->offset_room);
	book->text(book, r->address, to, sizeof(to));
	fprintf(out,
		"\n<%s>: %s\nrecipient=%s\noffset=%u\nstatus=%u.%u.%u\n"
		"action=%s\nreason=%s\n\n",
		to, reason, to, o->offsets[r->offset], dsn->class, dsn->subject,
		dsn->detail, log == MTA_LOG_DEFER ? "delayed" : "failed",
		reason);
}

static bool
write_log(struct spool_out *o, enum mta_log log, struct mta_ref file,
	  const char *id)
{
	struct mta_spool *spool = o->host->spool;
	struct mta_log_record r;
	FILE *out;
	bool is_bad;

	if (spool->ops->log_read(spool, log, file, 0, &r) != MTA_OK)
		return true;
	if (!set_path(o, log_names[log], id))
		return false;
	out = fopen(o->path, "wx");
	if (!out)
		return fail(o, "create");
	for (uint32_t n = 0;
	     spool->ops->log_read(spool, log, file, n, &r) == MTA_OK; n++)
		put_log_record(o, out, log, &r);
	is_bad = ferror(out) != 0 || fchmod(fileno(out), LOG_MODE) != 0;
	return (fclose(out) == 0 && !is_bad) || fail(o, "write");
}

/* ---- the walk ---------------------------------------------------------------
 */

static bool
write_mail(struct spool_out *o, enum mta_queue queue, struct mta_ref file)
{
	struct mta_spool *spool = o->host->spool;
	const struct mta_file *shown = spool->ops->look(spool, file);
	bool is_dropped;
	int64_t wake_s;
	struct mta_file f;
	char id[MTA_ID_TEXT_MAX];

	if (!shown)
		return true;
	f = *shown;
	wake_s = spool_mem_wake(&o->world->spool, file);
	is_dropped = queue == MTA_MAILDROP && !(f.mode & MTA_MODE_REQUEUED);
	spool->ops->id_text(spool, file, id, sizeof(id));
	build_file(o, file, &f.envelope, is_dropped);
	if (!set_path(o, mta_queue_name(queue), id) ||
	    !write_file(o, mode_of(f.mode, is_dropped),
			wake_s + o->options.shift_s))
		return false;
	return write_log(o, MTA_LOG_DEFER, file, id) &&
	       write_log(o, MTA_LOG_BOUNCE, file, id);
}

static bool
write_queue(struct spool_out *o, enum mta_queue queue)
{
	struct mta_spool *spool = o->host->spool;
	struct mta_scan scan = {0};
	struct mta_ref id;

	spool->ops->scan_open(spool, queue, &scan);
	while (mta_spool_next(spool, &scan, &id)) {
		if (write_mail(o, queue, id))
			continue;
		spool->ops->scan_close(spool, &scan);
		return false;
	}
	return true;
}

static bool
make_dirs(struct spool_out *o)
{
	for (int q = 0; q < MTA_QUEUES + SPOOL_LOGS; q++) {
		snprintf(o->path, sizeof(o->path), "%s/%s", o->dir,
			 q < MTA_QUEUES ? mta_queue_name((enum mta_queue)q)
					: log_names[q - MTA_QUEUES]);
		if (!make_dir(o))
			return false;
	}
	return true;
}

static bool
write_tree(struct spool_out *o)
{
	if (!make_dirs(o))
		return false;
	for (int q = 0; q < MTA_QUEUES; q++)
		if (!write_queue(o, (enum mta_queue)q))
			return false;
	return true;
}

/* ---- the place --------------------------------------------------------------
 */

/* TARGET.part does not become a folder: why? */
static void
explain_part(const char *part, char error[SPOOL_OUT_ERROR])
{
	if (errno == EEXIST)
		snprintf(error, SPOOL_OUT_ERROR,
			 "'%.400s' is left from a command that was killed, or "
			 "is being written; remove it",
			 part);
	else
		snprintf(error, SPOOL_OUT_ERROR,
			 "cannot create the folder '%.400s': %s", part,
			 strerror(errno));
}

int
spool_out_begin(const char *target, char error[SPOOL_OUT_ERROR])
{
	char *clean = folder_clean(target);
	char *part = memory_print("%s.part", clean);
	bool is_free = folder_is_free(clean) &&
		       !folder_holds(clean, "run.json") &&
		       !folder_holds(clean, "replications.json");
	int code = EXIT_CODE_USAGE;

	if (!is_free) {
		snprintf(error, SPOOL_OUT_ERROR,
			 "'%.400s' exists and is not an empty folder; name a "
			 "new one",
			 clean);
	} else if (strlen(part) + BELOW_MOST > FOLDER_PATH) {
		snprintf(error, SPOOL_OUT_ERROR,
			 "the path of the target is too long");
	} else if (!folder_make(part)) {
		code = EXIT_CODE_INTERNAL;
		explain_part(part, error);
	} else {
		code = EXIT_CODE_OK;
	}
	free(part);
	free(clean);
	return code;
}

bool
spool_out_write(const char *target, struct world *world,
		const struct spool_out_options *options,
		char error[SPOOL_OUT_ERROR])
{
	char *clean = folder_clean(target);
	char *part = memory_print("%s.part", clean);
	struct spool_out o = {
		.world = world,
		.host = world_host(world),
		.dir = part,
		.options = *options,
		.error = error,
	};
	bool is_whole = write_tree(&o) && folder_put(part, clean, error);

	queue_file_release(&o.file);
	free(o.offsets);
	if (!is_whole)
		folder_remove(part);
	free(part);
	free(clean);
	return is_whole;
}
