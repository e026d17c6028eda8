/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Mailboxes are rings that grow; lists of recipients come in sizes of powers of
 * two and are reused, so that nothing is allocated once a run has warmed up.
 */
#include "sim/host/port_loop.h"

#include "mta/panic.h"

enum {
	NOTES_PER_CHUNK = 64,
	LISTS_PER_CHUNK = 256,
};

/* A note whose sender is busy until it leaves. */
struct under_way {
	struct mta_pooled pooled;
	struct mta_timer timer; /* on the receiver's loop */
	struct port_view *view; /* the sender's */
	enum mta_service to;
	struct mta_note note;
};

struct list_head {
	struct mta_pooled pooled;
	struct mta_recipient *items;
	uint32_t size_class;
};

static struct port_view *
view_of(struct mta_port *base)
{
	return mta_container_of(base, struct port_view, base);
}

/* Few kinds fill a note. */
static inline void
note_copy(struct mta_note *to, const struct mta_note *from)
{
	enum {
		FEW = offsetof(struct mta_note, delivered) +
		      sizeof(from->delivered)
	};
	_Static_assert(
		sizeof(from->delivered) >= sizeof(from->agent) &&
			sizeof(from->delivered) >= sizeof(from->notify) &&
			sizeof(from->delivered) >= sizeof(from->submitted),
		"what all kinds but two fit into");

	memcpy(to, from, FEW);
	if (from->kind == MTA_NOTE_DELIVER || from->kind == MTA_NOTE_SUBMIT)
		memcpy((char *)to + FEW, (const char *)from + FEW,
		       sizeof(*to) - FEW);
}

/* ---- mailboxes
 * ---------------------------------------------------------------- */

/* The place behind this one; the first comes after the last. */
static inline struct mta_note *
box_after(const struct port_mailbox *box, struct mta_note *place)
{
	return place + 1 == box->limit ? box->ring : place + 1;
}

/* Twice as many places, what waits in the first of them. */
MTA_RARE static void
box_grow(struct port_mailbox *box)
{
	size_t places = box->ring ? 2 * (size_t)(box->limit - box->ring) : 16;
	struct mta_note *ring = mta_alloc(places, sizeof(*ring));
	struct mta_note *to = ring;

	mta_assert(box->ring_count < PORT_RINGS);
	for (struct mta_note *n = box->first; n && n != box->end;
	     n = box_after(box, n))
		*to++ = *n;
	box->rings[box->ring_count++] = ring;
	box->ring = box->first = ring;
	box->limit = ring + places;
	box->end = to;
}

static inline void
box_put(struct port_mailbox *box, const struct mta_note *note)
{
	struct mta_note *after = box_after(box, box->end);

	if (after == box->first) {
		box_grow(box);
		after = box->end + 1;
	}
	note_copy(box->end, note);
	box->end = after;
}

/* The receiver takes its turn at `at`, unless it is to take one sooner. */
static inline void
box_wake(struct port_mailbox *box, mta_time at)
{
	if (!mta_timer_is_armed(box->wake) || box->wake->at > at)
		mta_timer_wake(box->loop, box->wake, at);
}

static void
port_attach(struct mta_port *base, enum mta_service service,
	    struct mta_loop *loop, struct mta_timer *wake)
{
	struct port_mailbox *box = view_of(base)->boxes[service];

	if (!box->ring)
		box_grow(box);
	box->loop = loop;
	box->wake = wake;
}

static void
under_way_fired(struct mta_timer *timer)
{
	struct under_way *u = mta_container_of(timer, struct under_way, timer);
	struct port_mailbox *box = u->view->boxes[u->to];
	mta_time at = timer->at;

	box_put(box, &u->note);
	u->view->kept[u->to]--;
	mta_pool_give(&u->view->shared->under_way, u);
	box_wake(box, at);
}

/* The sender is busy until the note leaves. */
MTA_RARE static void
port_keep(struct port_view *v, enum mta_service to, const struct mta_note *note)
{
	struct under_way *u = mta_pool_take(&v->shared->under_way);

	u->view = v;
	v->kept[to]++;
	u->to = to;
	u->note = *note;
	mta_timer_init(&u->timer, under_way_fired);
	mta_timer_set(v->boxes[to]->loop, &u->timer, v->loop->now);
}

static void
port_send(struct mta_port *base, enum mta_service to,
	  const struct mta_note *note)
{
	struct port_view *v = view_of(base);
	struct port_mailbox *box = v->boxes[to];

	mta_assert(box->loop != NULL);
	if (note->kind == MTA_NOTE_DELIVER)
		mta_loop_charge(v->loop, v->costs.request);
	/* What we still keep for the receiver goes first: the sender's next
	 * step may come at the very time at which that leaves. */
	if (v->loop->now != v->loop->stepped || v->kept[to] > 0) {
		port_keep(v, to, note);
		return;
	}
	box_put(box, note);
	box_wake(box, v->loop->now);
}

void
port_loop_arrive_now(struct port_loop *p, enum mta_service service)
{
	for (uint32_t i = 0; i < p->under_way.fresh; i++) {
		struct under_way *u = mta_pool_at(&p->under_way, i);

		if (u->pooled.generation % 2 == 0 || u->to != service ||
		    u->note.kind == MTA_NOTE_TRIGGER)
			continue;
		mta_timer_cancel(p->boxes[service].loop, &u->timer);
		box_put(&p->boxes[service], &u->note);
		u->view->kept[service]--;
		mta_pool_give(&p->under_way, u);
	}
}

static struct mta_note *
port_receive(struct mta_port *base, enum mta_service service)
{
	struct port_view *v = view_of(base);
	struct port_mailbox *box = v->boxes[service];
	struct mta_note *note;

	note = box->first;
	if (note == box->end) {
		/* Most notes find nobody before them: the same places serve
		 * again, while they are warm. */
		box->first = box->end = box->ring;
		return NULL;
	}
	box->first = box_after(box, note);
	if (note->kind == MTA_NOTE_NOTIFY)
		mta_loop_charge(v->loop, v->costs.notice);
	return note;
}

/* ---- lists of recipients
 * -------------------------------------------------------- */

static uint32_t
size_class_of(uint32_t count)
{
	uint32_t c = 0;

	while (UINT32_C(1) << c < count)
		c++;
	mta_assert(c < PORT_LIST_CLASSES);
	return c;
}

/* What a list of recipients holds while nobody uses it. */
struct port_free {
	void *next;
};

static struct mta_recipient *
items_take(struct port_loop *p, uint32_t size_class)
{
	void *items = p->free_items[size_class];
	struct port_free *free_list = items;

	if (!items)
		return mta_alloc((size_t)1 << size_class,
				 sizeof(struct mta_recipient));
	p->free_items[size_class] = free_list->next;
	return items;
}

static void
items_give(struct port_loop *p, struct mta_recipient *items,
	   uint32_t size_class)
{
	void *block = items;
	struct port_free *free_list = block;

	free_list->next = p->free_items[size_class];
	p->free_items[size_class] = free_list;
}

static struct mta_ref
port_list_take(struct mta_port *base, uint32_t count,
	       struct mta_recipient **items)
{
	struct port_loop *p = view_of(base)->shared;
	struct list_head *list = mta_pool_take(&p->lists);

	list->size_class = size_class_of(count);
	list->items = items_take(p, list->size_class);
	*items = list->items;
	return mta_pool_ref(list);
}

static struct mta_recipient *
port_list_items(struct mta_port *base, struct mta_ref ref)
{
	struct list_head *list =
		mta_pool_find(&view_of(base)->shared->lists, ref);

	mta_assert(list != NULL);
	return list->items;
}

static void
port_list_give(struct mta_port *base, struct mta_ref ref)
{
	struct port_loop *p = view_of(base)->shared;
	struct list_head *list = mta_pool_find(&p->lists, ref);

	mta_assert(list != NULL);
	items_give(p, list->items, list->size_class);
	mta_pool_give(&p->lists, list);
}

/* ---- flow tokens (F3)
 * --------------------------------------------------------------- */

static bool
port_token_take(struct mta_port *base)
{
	struct port_loop *p = view_of(base)->shared;

	if (p->tokens == 0)
		return false;
	p->tokens--;
	return true;
}

static void
port_token_put(struct mta_port *base, uint32_t count)
{
	view_of(base)->shared->tokens += count;
}

static void
port_token_drop(struct mta_port *base, uint32_t count)
{
	struct port_loop *p = view_of(base)->shared;

	p->tokens -= count < p->tokens ? count : p->tokens;
}

static uint32_t
port_token_count(struct mta_port *base)
{
	return view_of(base)->shared->tokens;
}

static const struct mta_port_ops port_ops = {
	.attach = port_attach,
	.send = port_send,
	.receive = port_receive,
	.list_take = port_list_take,
	.list_items = port_list_items,
	.list_give = port_list_give,
	.token_take = port_token_take,
	.token_put = port_token_put,
	.token_drop = port_token_drop,
	.token_count = port_token_count,
};

/* ---- making it
 * ------------------------------------------------------------------------ */

void
port_loop_init(struct port_loop *p)
{
	*p = (struct port_loop){0};
	mta_pool_init(&p->under_way, sizeof(struct under_way), NOTES_PER_CHUNK);
	mta_pool_init(&p->lists, sizeof(struct list_head), LISTS_PER_CHUNK);
}

static void
items_free(struct port_loop *p)
{
	for (uint32_t i = 0; i < p->lists.fresh; i++) {
		struct list_head *list = mta_pool_at(&p->lists, i);

		if (list->pooled.generation % 2 == 1)
			free(list->items);
	}
	for (uint32_t c = 0; c < PORT_LIST_CLASSES; c++)
		while (p->free_items[c])
			free(items_take(p, c));
}

void
port_loop_release(struct port_loop *p)
{
	items_free(p);
	for (int i = 0; i < MTA_SERVICES; i++)
		for (uint32_t k = 0; k < p->boxes[i].ring_count; k++)
			free(p->boxes[i].rings[k]);
	for (uint32_t i = 0; i < p->under_way.fresh; i++) {
		struct under_way *u = mta_pool_at(&p->under_way, i);

		if (u->pooled.generation % 2 == 1)
			mta_timer_cancel(p->boxes[u->to].loop, &u->timer);
	}
	mta_pool_release(&p->under_way);
	mta_pool_release(&p->lists);
}

void
port_view_init(struct port_view *v, struct port_loop *shared,
	       struct mta_loop *loop)
{
	*v = (struct port_view){
		.base.ops = &port_ops, .shared = shared, .loop = loop};
	for (int i = 0; i < MTA_SERVICES; i++)
		v->boxes[i] = &shared->boxes[i];
}
