/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Directories of the memory spool: in which order files are listed. A directory
 * is a row of lanes (sim/host/spool_lane.h), in the order of their creation; of
 * sub-directories, those of one parent stand together.
 *
 *   seeded        16 lanes, a file's by hash(seed, queue, id); lane by lane, in
 *                 order of entry inside: pseudo-random to everything else
 *   oldest-first  the entry made first comes first
 *   newest-first  the entry made last comes first, as tmpfs has it
 *
 * In the latter two a hashed queue (F1.5) has a lane for each sub-directory,
 * made when the first file is renamed into it and kept: newest-first visits the
 * newest sub-directory first, oldest-first the oldest. Hash characters beyond
 * the fourth are not told apart.
 *
 * A scan sees the entries that were there when it was opened; of a hashed
 * queue, when the lane was reached. A file that is moved away and back is a new
 * entry.
 */
#ifndef SIM_SPOOL_DIR_H
#define SIM_SPOOL_DIR_H

#include "mta/spool.h"
#include "sim/host/spool_lane.h"
#include "sim/host/spool_record.h"

enum spool_order {
	SPOOL_SEEDED,
	SPOOL_NEWEST_FIRST,
	SPOOL_OLDEST_FIRST
};

enum {
	SPOOL_SEEDED_LANES = 16,
	SPOOL_CURSORS = 16,   /* scans open at the same time */
	SPOOL_HASH_DEPTH = 4, /* hash characters that are told apart */
};

struct spool_dir {
	bool is_hashed;
	bool has_subdirs;	   /* a lane for each; else lane n has key n */
	struct spool_lane **lanes; /* owned; in the order said above */
	uint32_t lane_count;
	uint32_t live;	       /* files in all lanes */
	uint32_t live_lanes;   /* no subdirs: bit n: lane n is not empty */
	uint32_t cursors_open; /* scans of this directory */
};

/* How far an open scan has read. */
struct spool_cursor {
	bool is_open;
	enum mta_queue queue;
	bool is_reading;      /* `lane` was reached, and not its end */
	uint32_t lane;	      /* which one is read; subdirs: or comes next */
	uint32_t lanes_left;  /* subdirs: that one counted */
	uint32_t lanes_ahead; /* no subdirs: bits of those to come */
	struct spool_walk walk;
	uint32_t ends[SPOOL_SEEDED_LANES]; /* not hashed: entries at opening,
					      of the lanes ahead */
};

struct spool_dirs {
	enum spool_order order;
	uint64_t seed;
	uint32_t depth; /* hash characters */
	struct spool_records *records;
	struct spool_dir dirs[MTA_QUEUES];
	struct spool_cursor cursors[SPOOL_CURSORS];
	uint32_t cursors_open;
};

struct spool_dirs_config {
	enum spool_order order;
	uint64_t seed;
	bool is_hashed[MTA_QUEUES]; /* hash_queue_names */
	uint32_t hash_depth;	    /* hash_queue_depth, >= 1 */
};

/* records: borrowed; their `place` and `where` are kept by the directories. */
void spool_dirs_init(struct spool_dirs *d, const struct spool_dirs_config *c,
		     struct spool_records *records);
void spool_dirs_release(struct spool_dirs *d);

/* A new entry for a file that is in no directory. record: of its slot, here as
 * below */
void spool_dirs_add(struct spool_dirs *d, enum mta_queue queue,
		    struct spool_record *record, struct spool_entry e);
/* Of a file that is in a directory. Its entry goes; the wake time that it had.
 */
uint32_t spool_dirs_remove(struct spool_dirs *d, struct spool_record *record,
			   uint32_t slot);
uint32_t spool_dirs_wake(struct spool_dirs *d,
			 const struct spool_record *record, uint32_t slot);
void
spool_dirs_set_wake(struct spool_dirs *d, const struct spool_record *record,
		    struct spool_entry e);

/* As the operations of mta/spool.h, without their cost. */
void spool_dirs_scan_open(struct spool_dirs *d, enum mta_queue queue,
			  struct mta_scan *scan);
enum mta_scan_result
spool_dirs_scan_next(struct spool_dirs *d, struct mta_scan *scan,
		     uint32_t due_s, uint32_t skips_max,
		     struct mta_scan_item *item);
void spool_dirs_scan_close(struct spool_dirs *d, struct mta_scan *scan);

#endif
