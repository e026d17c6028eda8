/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The words for what goes wrong with a remote end, as Postfix's smtp client
 * logs them. The same thing usually goes wrong again and again, so each remote
 * end keeps its last text; it is made anew only when the cause is another one.
 *
 * The model knows codes, not texts; the text and the enhanced code of a reply
 * are what servers usually say with such a code.
 */
#include "sim/host/remote.h"

#include "mta/agent.h"
#include "mta/panic.h"

enum {
	TEXT_MAX = 512,
	REMOTE_NAME_MAX = 255, /* longer names are cut */
};

/* ---- addresses ---------------------------------------------------------- */

/* Puts a text, a number of one byte: to where the next piece goes. Thousands of
 * ends are made in one run; the pieces are few and plain. */
static char *
put_text(char *to, const char *text)
{
	while (*text)
		*to++ = *text++;
	return to;
}

static char *
put_octet(char *to, uint32_t n)
{
	if (n >= 100)
		*to++ = (char)('0' + n / 100);
	if (n >= 10)
		*to++ = (char)('0' + n / 10 % 10);
	*to++ = (char)('0' + n % 10);
	return to;
}

char *
remote_address(uint32_t number, char *buffer)
{
	static const char *const networks[] = {"192.0.2.", "198.51.100.",
					       "203.0.113."};
	enum {
		HOSTS = 254,
		NETWORKS = sizeof(networks) / sizeof(networks[0])
	};
	char *to = buffer;
	uint32_t rest;

	if (number / HOSTS < NETWORKS) {
		to = put_text(to, networks[number / HOSTS]);
		to = put_octet(to, number % HOSTS + 1);
	} else {
		rest = number - HOSTS * NETWORKS + 1;
		to = put_text(to, "10.");
		to = put_octet(to, rest >> 16 & 255);
		*to++ = '.';
		to = put_octet(to, rest >> 8 & 255);
		*to++ = '.';
		to = put_octet(to, rest & 255);
	}
	*to = '\0';
	return to;
}

/* "mx.a.example[192.0.2.1]:25" */
static mta_sym
relay_name(uint32_t number, const char *name, struct mta_symtab *symbols)
{
	char text[REMOTE_NAME_MAX + REMOTE_ADDRESS_MAX + sizeof("mx.[]:25")];
	size_t length = strlen(name);
	char *to = put_text(text, "mx.");

	if (length > REMOTE_NAME_MAX)
		length = REMOTE_NAME_MAX;
	memcpy(to, name, length);
	to += length;
	*to++ = '[';
	to = remote_address(number, to);
	to = put_text(to, "]:25");
	return mta_sym_intern_n(symbols, text, (size_t)(to - text));
}

void
remote_init(struct remote *r, uint32_t number, const char *name,
	    struct mta_symtab *symbols)
{
	r->relay = relay_name(number, name, symbols);
	r->reason = 0;
	mta_list_init(&r->cached);
}

void
remote_release(struct remote *r, struct mta_symtab *symbols)
{
	mta_assert(mta_list_is_empty(&r->cached));
	mta_sym_drop(symbols, r->relay);
	mta_sym_drop(symbols, r->reason);
	receiver_release(&r->receiver);
}

/* ---- texts -------------------------------------------------------------- */

/* What servers usually say. */
static const char *
reply_text(int code)
{
	switch (code) {
	case 421:
		return "4.7.0 try again later";
	case 450:
		return "4.2.0 mailbox unavailable";
	case 451:
		return "4.3.0 try again later";
	case 452:
		return "4.3.1 insufficient system storage";
	case 550:
		return "5.1.1 mailbox unavailable";
	case 552:
		return "5.3.4 message too large";
	case 554:
		return "5.7.1 refused";
	default:
		return code < 500 ? "4.0.0 not now" : "5.0.0 refused";
	}
}

/* What the client was doing, for a timeout or a lost connection. */
static const char *
doing(enum receiver_step step)
{
	switch (step) {
	case RECEIVER_STEP_DNS:
	case RECEIVER_STEP_CONNECT:
	case RECEIVER_STEP_GREETING:
		return "receiving the initial server greeting";
	case RECEIVER_STEP_HELO:
		return "performing the EHLO handshake";
	case RECEIVER_STEP_MAIL:
		return "sending MAIL FROM";
	case RECEIVER_STEP_RCPT:
		return "sending RCPT TO";
	case RECEIVER_STEP_DATA:
		return "sending DATA command";
	case RECEIVER_STEP_END:
		return "sending end of data -- message may be sent more than "
		       "once";
	}
	return "";
}

static const char *
command(enum receiver_step step)
{
	switch (step) {
	case RECEIVER_STEP_MAIL:
		return "MAIL FROM";
	case RECEIVER_STEP_RCPT:
		return "RCPT TO";
	case RECEIVER_STEP_DATA:
		return "DATA";
	case RECEIVER_STEP_END:
		return "end of DATA";
	case RECEIVER_STEP_DNS:
	case RECEIVER_STEP_CONNECT:
	case RECEIVER_STEP_GREETING:
	case RECEIVER_STEP_HELO:
		break;
	}
	return NULL;
}

/* Parts of the relay's name: "mx.a.example[192.0.2.1]:25". */
struct relay_text {
	const char *relay;
	int host_length; /* without the port */
	int name_length; /* without the address, and without "mx." */
};

static struct relay_text
relay_parts(const char *relay)
{
	return (struct relay_text){
		.relay = relay,
		.host_length = (int)(strrchr(relay, ':') - relay),
		.name_length = (int)strcspn(relay, "[") - 3,
	};
}

static void
reply_format(char *text, struct relay_text at, struct remote_failure f,
	     const char *words)
{
	const char *in_reply_to = command(f.step);

	if (in_reply_to)
		snprintf(text, TEXT_MAX,
			 "host %.*s said: %d %s (in reply to %s command)",
			 at.host_length, at.relay, f.code, words, in_reply_to);
	else
		snprintf(text, TEXT_MAX,
			 "host %.*s refused to talk to me: %d %s",
			 at.host_length, at.relay, f.code, words);
}

static void
timeout_format(char *text, struct relay_text at, struct remote_failure f)
{
	if (f.step == RECEIVER_STEP_CONNECT)
		snprintf(text, TEXT_MAX, "connect to %s: Connection timed out",
			 at.relay);
	else
		snprintf(text, TEXT_MAX,
			 "conversation with %.*s timed out while %s",
			 at.host_length, at.relay, doing(f.step));
}

static void
failure_format(char *text, struct relay_text at, struct remote_failure f,
	       const char *words)
{
	switch (f.cause) {
	case RECEIVER_CAUSE_CODE:
		reply_format(text, at, f, words);
		break;
	case RECEIVER_CAUSE_REFUSED:
		snprintf(text, TEXT_MAX, "connect to %s: Connection refused",
			 at.relay);
		break;
	case RECEIVER_CAUSE_UNREACHABLE:
		snprintf(text, TEXT_MAX, "connect to %s: No route to host",
			 at.relay);
		break;
	case RECEIVER_CAUSE_TIMEOUT:
	case RECEIVER_CAUSE_GREETING:
		timeout_format(text, at, f);
		break;
	case RECEIVER_CAUSE_DNS:
		snprintf(text, TEXT_MAX,
			 "Host or domain name not found. Name service error "
			 "for name=%.*s type=MX: Host not found, try again",
			 at.name_length, at.relay + 3);
		break;
	case RECEIVER_CAUSE_LOST:
	case RECEIVER_CAUSE_NONE:
		snprintf(text, TEXT_MAX, "lost connection with %.*s while %s",
			 at.host_length, at.relay, doing(f.step));
		break;
	}
}

struct mta_status
remote_failure_text(struct remote *r, struct remote_failure f,
		    struct mta_symtab *symbols)
{
	char text[TEXT_MAX];
	const char *words = "";
	struct mta_dsn dsn = {0};
	uint64_t key = (uint64_t)f.cause << 32 | (uint64_t)f.step << 16 |
		       (uint64_t)(f.code & 0xffff);

	if (r->reason && r->reason_key == key)
		return (struct mta_status){.dsn = r->reason_dsn,
					   .reason = r->reason};
	if (f.cause == RECEIVER_CAUSE_CODE) {
		words = reply_text(f.code);
		dsn = mta_dsn_split(words).dsn;
	}
	failure_format(text, relay_parts(mta_sym_text(symbols, r->relay)), f,
		       words);
	mta_sym_drop(symbols, r->reason);
	r->reason = mta_sym_intern(symbols, text);
	r->reason_key = key;
	r->reason_dsn = dsn;
	return (struct mta_status){.dsn = dsn, .reason = r->reason};
}
