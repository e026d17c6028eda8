/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An event loop whose poll never sleeps: it looks which service is due first
 * and lets it take one step at that time.
 */
#include "sim/driver.h"

#include "mta/panic.h"

void
driver_init(struct driver *d)
{
	*d = (struct driver){0};
}

void
driver_add(struct driver *d, struct mta_loop *loop, enum driver_kind kind)
{
	mta_assert(d->count < DRIVER_LOOPS_MAX);
	d->loops[d->count++] = (struct driver_loop){.loop = loop, .kind = kind};
}

struct driver_turn
driver_next(const struct driver *d)
{
	struct driver_turn best = {.at = MTA_NEVER};
	uint64_t sequence = UINT64_MAX;

	for (uint32_t i = 0; i < d->count; i++) {
		const struct driver_loop *l = &d->loops[i];
		struct mta_when when = mta_loop_next(l->loop);

		if (when.at == MTA_NEVER)
			continue;
		if (when.at < l->busy_until)
			when.at = l->busy_until;
		if (when.at < best.at ||
		    (when.at == best.at && when.sequence < sequence)) {
			best.at = when.at;
			best.loop = i;
			sequence = when.sequence;
		}
	}
	return best;
}

void
driver_step(struct driver *d, struct driver_turn turn)
{
	struct driver_loop *l = &d->loops[turn.loop];
	bool was_due = mta_loop_step(l->loop, turn.at);

	mta_assert(was_due);
	if (l->kind == DRIVER_PROCESS)
		l->busy_until = l->loop->now;
	d->steps++;
}
