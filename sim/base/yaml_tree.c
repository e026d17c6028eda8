/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From libyaml's events to a tree. One loop over the events with a pointer to
 * the open collection: nothing here recurses over the input, so a hostile
 * text costs memory in proportion to its size and no stack. Anchors are
 * remembered by name, the latest wins, as in YAML. A collection that is still
 * open when an alias names it would contain itself and is refused.
 */
#include "sim/base/yaml_tree.h"

#include "mta/panic.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "sim/base/name_index.h"

enum {
	LINEAR_KEYS = 16
}; /* above this, repeated keys by hash */

struct builder {
	struct tree *tree;
	struct source_text *source;
	struct complaints *complaints;
	struct tree_node *open; /* collection that events go into */
	struct tree_node *root;
	const char *key; /* read, waiting for its value; or NULL */
	struct place key_at;
	int depth;
	bool failed;		     /* give up */
	size_t copies;		     /* nodes added by aliases */
	struct name_index anchors;   /* name -> index of anchored[] */
	struct tree_node **anchored; /* owned */
	size_t anchored_count;
	size_t anchored_room;
};

void
tree_init(struct tree *tree)
{
	*tree = (struct tree){.root = NULL};
}

void
tree_release(struct tree *tree)
{
	for (size_t i = 0; i < tree->source_count; i++)
		source_text_release(tree->sources[i]);
	free(tree->sources);
	arena_release(&tree->arena);
	tree_init(tree);
}

struct source_text *
tree_add_source(struct tree *tree, const char *name, const char *text,
		size_t size)
{
	struct source_text *source =
		arena_alloc(&tree->arena, 1, sizeof(*source));
	source->name = arena_copy(&tree->arena, name, strlen(name));
	if (text)
		source->text = arena_copy(&tree->arena, text, size);
	source->size = size;
	source->rank = (int)tree->source_count;
	tree->sources = memory_resize(tree->sources, tree->source_count + 1,
				      sizeof(struct source_text *));
	tree->sources[tree->source_count++] = source;
	return source;
}

struct source_text *
tree_own_source(struct tree *tree, const char *name, char *text, size_t size)
{
	struct source_text *source = tree_add_source(tree, name, NULL, size);
	source->owned = text;
	source->text = text;
	return source;
}

struct tree_node *
tree_new(struct tree *tree, enum tree_kind kind, const char *text,
	 struct place at)
{
	struct tree_node *node = arena_alloc(&tree->arena, 1, sizeof(*node));
	node->kind = kind;
	node->text = text;
	node->at = at;
	return node;
}

void
tree_append(struct tree_node *parent, struct tree_node *child, const char *key,
	    struct place key_at)
{
	child->parent = parent;
	child->key = key;
	child->key_at = key_at;
	child->index = parent->count++;
	child->next = NULL;
	if (parent->last)
		parent->last->next = child;
	else
		parent->first = child;
	parent->last = child;
}

static struct place
place_of(const struct builder *b, yaml_mark_t mark)
{
	return (struct place){
		.source = b->source,
		.line = mark.line < INT32_MAX ? (int)mark.line + 1 : 0,
		.column = mark.column < INT32_MAX ? (int)mark.column + 1 : 0,
	};
}

static const char *
event_text(struct builder *b, const yaml_event_t *event)
{
	const char *text = (const char *)event->data.scalar.value;
	size_t length = event->data.scalar.length;
	if (memchr(text, '\0', length))
		complaints_add(b->complaints, place_of(b, event->start_mark),
			       "", "a text cannot hold a NUL character");
	return arena_copy(&b->tree->arena, text, length);
}

static void
anchor_put(struct builder *b, const yaml_char_t *name, struct tree_node *node)
{
	if (!name)
		return;
	if (b->anchored_count == b->anchored_room) {
		b->anchored_room = b->anchored_room ? b->anchored_room * 2 : 8;
		b->anchored = memory_resize(b->anchored, b->anchored_room,
					    sizeof(struct tree_node *));
	}
	const char *text = (const char *)name;
	const char *copy = arena_copy(&b->tree->arena, text, strlen(text));
	name_index_put(&b->anchors, copy, b->anchored_count);
	b->anchored[b->anchored_count++] = node;
}

/* Give a value its place in the open collection, or make it the root. */
static void
builder_attach(struct builder *b, struct tree_node *node)
{
	if (!b->open)
		b->root = node;
	else
		tree_append(b->open, node, b->key, b->key_at);
	b->key = NULL;
}

/* True when the event is a value; false when it was, or should be, a key. */
static bool
builder_wants_value(const struct builder *b)
{
	return !b->open || b->open->kind == TREE_LIST || b->key;
}

static void
builder_fail(struct builder *b, struct place at, const char *message)
{
	complaints_add(b->complaints, at, "", "%s", message);
	b->failed = true;
}

static void
check_tag(struct builder *b, const yaml_char_t *tag, struct place at)
{
	if (tag)
		complaints_add(b->complaints, at, "",
			       "tags such as '%s' are not allowed; a value is "
			       "read by the type of its key",
			       (const char *)tag);
}

static void
on_key(struct builder *b, const yaml_event_t *event, struct place at)
{
	if (event->data.scalar.anchor)
		complaints_add(b->complaints, at, "",
			       "a key cannot have an anchor");
	b->key = event_text(b, event);
	b->key_at = at;
}

static void
on_scalar(struct builder *b, const yaml_event_t *event)
{
	struct place at = place_of(b, event->start_mark);
	check_tag(b, event->data.scalar.tag, at);
	if (!builder_wants_value(b)) {
		on_key(b, event, at);
		return;
	}
	struct tree_node *node =
		tree_new(b->tree, TREE_SCALAR, event_text(b, event), at);
	node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	builder_attach(b, node);
	anchor_put(b, event->data.scalar.anchor, node);
}

static void
on_open(struct builder *b, enum tree_kind kind, const yaml_char_t *anchor,
	struct place at)
{
	if (!builder_wants_value(b)) {
		builder_fail(b, at,
			     "a key must be a plain text, not a list "
			     "or map; a text that starts with [ or { "
			     "must be put in double quotes");
		return;
	}
	if (b->depth == TREE_DEPTH_MAX) {
		builder_fail(b, at, "too deeply nested");
		return;
	}
	struct tree_node *node = tree_new(b->tree, kind, "", at);
	builder_attach(b, node);
	anchor_put(b, anchor, node);
	b->open = node;
	b->depth++;
}

static void
complain_repeated(struct builder *b, const struct tree_node *first,
		  const struct tree_node *again)
{
	complaints_add(b->complaints, again->key_at, tree_path(b->tree, again),
		       "repeated key; it is first given in line %d",
		       first->key_at.line);
}

static void
check_keys_by_hash(struct builder *b, const struct tree_node *map)
{
	struct name_index seen = {.slots = NULL};
	struct tree_node **nodes =
		memory_array(map->count, sizeof(struct tree_node *));
	name_index_reserve(&seen, map->count);
	for (struct tree_node *n = map->first; n; n = n->next) {
		nodes[n->index] = n;
		if (name_index_add(&seen, n->key, n->index))
			continue;
		size_t first = name_index_get(&seen, n->key, 0);
		complain_repeated(b, nodes[first], n);
	}
	free(nodes);
	name_index_release(&seen);
}

static void
check_keys(struct builder *b, const struct tree_node *map)
{
	for (const struct tree_node *n = map->first; n; n = n->next) {
		if (!strcmp(n->key, "<<"))
			complaints_add(b->complaints, n->key_at, "",
				       "merge keys are not allowed; write the "
				       "keys out, or use a profile");
	}
	if (map->count > LINEAR_KEYS) {
		check_keys_by_hash(b, map);
		return;
	}
	for (const struct tree_node *n = map->first; n; n = n->next) {
		const struct tree_node *first = tree_get(map, n->key);
		if (first != n)
			complain_repeated(b, first, n);
	}
}

static void
on_close(struct builder *b)
{
	mta_assert(b->open); /* libyaml pairs the events */
	if (b->open->kind == TREE_MAP)
		check_keys(b, b->open);
	b->open = b->open->parent;
	b->depth--;
}

static size_t
tree_size_up_to(const struct tree_node *node, size_t most)
{
	size_t size = 1;
	const struct tree_node *n = node->first;
	for (; n && size < most; n = n->next)
		size += tree_size_up_to(n, most - size);
	return size;
}

static int
tree_height(const struct tree_node *node)
{
	int height = 0;
	for (const struct tree_node *n = node->first; n; n = n->next) {
		int h = tree_height(n) + 1;
		height = h > height ? h : height;
	}
	return height;
}

static bool
is_open(const struct builder *b, const struct tree_node *node)
{
	const struct tree_node *open = b->open;
	while (open && open != node)
		open = open->parent;
	return open && open == node;
}

static void
on_alias(struct builder *b, const yaml_event_t *event)
{
	struct place at = place_of(b, event->start_mark);
	const char *name = (const char *)event->data.alias.anchor;
	size_t found = name_index_get(&b->anchors, name, SIZE_MAX);
	if (found == SIZE_MAX) {
		complaints_add(b->complaints, at, "",
			       "'*%s' is an alias, and no anchor '&%s' comes "
			       "before it; a text that starts with * must be "
			       "put in double quotes",
			       name, name);
		b->failed = true;
		return;
	}
	mta_assert(b->anchored);
	const struct tree_node *target = b->anchored[found];
	if (is_open(b, target)) {
		builder_fail(b, at,
			     "an alias cannot stand for what it is "
			     "inside of");
		return;
	}
	if (!builder_wants_value(b)) {
		builder_fail(b, at, "a key cannot be an alias");
		return;
	}
	b->copies += tree_size_up_to(target, TREE_COPIES_MAX);
	if (b->copies >= TREE_COPIES_MAX ||
	    b->depth + tree_height(target) > TREE_DEPTH_MAX) {
		builder_fail(b, at,
			     "the aliases of this file stand for too "
			     "much");
		return;
	}
	builder_attach(b, tree_copy(b->tree, target));
}

/* True until the end of the stream. */
static bool
on_event(struct builder *b, const yaml_event_t *event, int *documents)
{
	struct place at = place_of(b, event->start_mark);
	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		if (++*documents > 1)
			builder_fail(b, at,
				     "a second document; a scenario "
				     "is one document");
		return true;
	case YAML_SCALAR_EVENT:
		on_scalar(b, event);
		return true;
	case YAML_SEQUENCE_START_EVENT:
		check_tag(b, event->data.sequence_start.tag, at);
		on_open(b, TREE_LIST, event->data.sequence_start.anchor, at);
		return true;
	case YAML_MAPPING_START_EVENT:
		check_tag(b, event->data.mapping_start.tag, at);
		on_open(b, TREE_MAP, event->data.mapping_start.anchor, at);
		return true;
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		on_close(b);
		return true;
	case YAML_ALIAS_EVENT:
		on_alias(b, event);
		return true;
	case YAML_STREAM_END_EVENT:
		return false;
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_DOCUMENT_END_EVENT:
		return true;
	}
	return false;
}

/* The start of a line; *end is where it stops. */
static const char *
find_line(const struct source_text *source, int line, const char **end)
{
	const char *p = source->text;
	const char *stop = p + source->size;
	for (int at = 1; at < line && p < stop; p++)
		at += *p == '\n';
	*end = memchr(p, '\n', (size_t)(stop - p));
	*end = *end ? *end : stop;
	return p;
}

static bool
line_has_tab_first(const struct source_text *source, int line)
{
	const char *end;
	const char *p = find_line(source, line, &end);
	while (p < end && *p == ' ')
		p++;
	return p < end && *p == '\t';
}

/* Whether a value in this line holds what only quotes would protect. */
static bool
line_wants_quotes(const struct source_text *source, int line)
{
	const char *end;
	const char *p = find_line(source, line, &end);
	while (p < end && (*p == ' ' || *p == '-'))
		p++;
	const char *value = p;
	for (; p + 1 < end; p++) {
		if (p[0] == ':' && p[1] == ' ') {
			value = p + 1;
			break;
		}
	}
	for (p = value; p < end; p++) {
		if (*p && strchr("*@{}[],#:%", *p))
			return true;
	}
	return false;
}

static struct place
place_of_offset(struct source_text *source, size_t offset)
{
	struct place at = {.source = source, .line = 1, .column = 1};
	for (size_t i = 0; i < offset && i < source->size; i++) {
		unsigned char c = (unsigned char)source->text[i];
		if (c == '\n') {
			at.line++;
			at.column = 1;
		} else if ((c & 0xC0u) != 0x80u) {
			at.column++;
		}
	}
	return at;
}

static void
complain_syntax(struct builder *b, const yaml_parser_t *parser)
{
	const char *problem = parser->problem ? parser->problem : "unreadable";
	if (parser->error == YAML_READER_ERROR) {
		complaints_add(
			b->complaints,
			place_of_offset(b->source, parser->problem_offset), "",
			"not UTF-8 text: %s", problem);
		return;
	}
	struct place at = place_of(b, parser->problem_mark);
	const char *hint = "";
	if (line_has_tab_first(b->source, at.line))
		hint = "; this is a tab: YAML is indented with blanks";
	else if (line_wants_quotes(b->source, at.line))
		hint = "; a text with one of * @ { } [ ] , # : % is best put "
		       "in double quotes";
	complaints_add(b->complaints, at, "", "YAML syntax: %s%s%s%s", problem,
		       parser->context ? " " : "",
		       parser->context ? parser->context : "", hint);
}

static void
builder_run(struct builder *b, yaml_parser_t *parser)
{
	int documents = 0;
	bool more = true;
	while (more && !b->failed) {
		yaml_event_t event;
		if (!yaml_parser_parse(parser, &event)) {
			complain_syntax(b, parser);
			b->failed = true;
			return;
		}
		more = on_event(b, &event, &documents);
		yaml_event_delete(&event);
	}
}

struct tree_node *
tree_parse(struct tree *tree, struct source_text *source,
	   struct complaints *complaints)
{
	static const char mark[] = "\xEF\xBB\xBF";
	struct builder b = {
		.tree = tree,
		.source = source,
		.complaints = complaints,
	};
	size_t skip =
		source->size >= 3 && !memcmp(source->text, mark, 3) ? 3 : 0;
	yaml_parser_t parser;
	if (!yaml_parser_initialize(&parser))
		return NULL;
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser,
				     (const unsigned char *)source->text + skip,
				     source->size - skip);
	builder_run(&b, &parser);
	yaml_parser_delete(&parser);
	name_index_release(&b.anchors);
	free(b.anchored);
	if (b.failed)
		return NULL;
	if (!b.root)
		complaints_add(complaints, (struct place){.source = source}, "",
			       "there is nothing in this file");
	return b.root;
}
