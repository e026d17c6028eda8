/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rules in order; a rule with a recipient pattern fits when one recipient does.
 */
#include "sim/host/access.h"

#include <ctype.h>

#include "mta/panic.h"

bool
glob_fits(const char *pattern, const char *text)
{
	const char *star = NULL; /* the last * met, to come back to */
	const char *back = NULL;

	while (*text) {
		if (*pattern == '*') {
			star = pattern++;
			back = text;
		} else if (*pattern == '?' ||
			   tolower((unsigned char)*pattern) ==
				   tolower((unsigned char)*text)) {
			pattern++;
			text++;
		} else if (star) {
			pattern = star + 1;
			text = ++back;
		} else {
			return false;
		}
	}
	return pattern[strspn(pattern, "*")] == '\0';
}

static bool
address_fits(const struct access *a, const char *pattern, mta_addr address)
{
	char text[MTA_ADDR_TEXT_MAX];

	a->book->text(a->book, address, text, sizeof(text));
	return glob_fits(pattern, text);
}

static bool
rule_fits(const struct access *a, const struct scenario_access *rule,
	  const struct mta_note_submit *s, const struct mta_recipient *items)
{
	if (rule->sender && !address_fits(a, rule->sender, s->sender))
		return false;
	if (!rule->recipient)
		return true;
	for (uint32_t i = 0; i < s->recipient_count; i++)
		if (address_fits(a, rule->recipient, items[i].address))
			return true;
	return false;
}

static enum mta_access_action
action_of(enum scenario_access_action action)
{
	switch (action) {
	case SCENARIO_ACCESS_HOLD:
		return MTA_ACCESS_HOLD;
	case SCENARIO_ACCESS_DISCARD:
		return MTA_ACCESS_DISCARD;
	case SCENARIO_ACCESS_REJECT:
		return MTA_ACCESS_REJECT;
	}
	return MTA_ACCESS_NONE;
}

static enum mta_access_action
access_decide(struct mta_access *base, const struct mta_note_submit *s,
	      const struct mta_recipient *items)
{
	struct access *a = mta_container_of(base, struct access, base);

	for (size_t i = 0; i < a->scenario->access_count; i++) {
		const struct scenario_access *rule = &a->scenario->access[i];
		struct draw draw =
			stream_at_part(a->luck, s->serial, (uint32_t)i);

		if (rule_fits(a, rule, s, items) &&
		    draw_chance(&draw, rule->share))
			return action_of(rule->action);
	}
	return MTA_ACCESS_NONE;
}

void
access_init(struct access *a, const struct scenario *scenario,
	    struct mta_book *book, uint64_t seed, uint32_t replication)
{
	*a = (struct access){.base.decide = access_decide,
			     .scenario = scenario,
			     .book = book};
	stream_init(&a->luck, seed, replication, "access");
}
