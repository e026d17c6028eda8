/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Strict reading of recorded scenarios. Every object is read by a table of its
 * keys; what the table does not hold is refused. The base configuration has
 * many main.cf names without bearing on queues (names of folders, TLS, relay
 * rules); those are listed here and dropped, all others are kept for the
 * scenario. Errors leave through one text buffer; the first one ends the
 * reading.
 */
#include "tests/oracle/recorded.h"

#include <ctype.h>
#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

struct reading { /* one reading's state */
	struct rec_scenario *sc;
	const char *file;
	char *error;
	size_t error_size;
	bool failed;
	json_t *files; /* the scenario's own tables */
};

static const char *const no_bearing[] = {
	"compatibility_level",
	"command_directory",
	"daemon_directory",
	"shlib_directory",
	"meta_directory",
	"mail_owner",
	"setgid_group",
	"maillog_file",
	"myhostname",
	"mydomain",
	"myorigin",
	"mydestination",
	"inet_protocols",
	"mynetworks",
	"smtpd_relay_restrictions",
	"smtpd_recipient_restrictions",
	"smtpd_peername_lookup",
	"smtp_host_lookup",
	"disable_dns_lookups",
	"alias_maps",
	"alias_database",
	"local_recipient_maps",
	"relay_domains",
	"default_transport",
	"relayhost",
	"append_dot_mydomain",
	"biff",
	"fast_flush_domains",
	"smtpd_client_connection_count_limit",
	"smtpd_client_connection_rate_limit",
	"smtp_tls_security_level",
	"smtpd_tls_security_level",
	"smtpd_tls_cert_file",
	"smtp_address_preference",
	"smtputf8_enable",
	"smtpd_client_message_rate_limit",
	"smtpd_client_recipient_rate_limit",
	"smtpd_delay_open_until_valid_rcpt",
	"smtpd_discard_ehlo_keywords",
	"smtpd_error_sleep_time",
	"smtpd_hard_error_limit",
	"smtpd_recipient_limit",
	"smtpd_soft_error_limit",
	"smtpd_timeout",
	"smtp_bind_address",
	"smtp_discard_ehlo_keywords",
	"smtp_line_length_limit",
	"smtp_per_record_deadline",
	"anvil_rate_time_unit",
	"debug_peer_level",
	"debug_peer_list",
	"fork_attempts",
	"fork_delay",
	"line_length_limit",
	"mynetworks_style",
	"queue_directory",
	"data_directory",
	"syslog_name",
	"maillog_file_prefixes",
};

static void *
must(void *p)
{
	if (p == NULL)
		abort();
	return p;
}

static char *
copy(const char *s)
{
	return must(strdup(s));
}

__attribute__((format(printf, 2, 3))) static void
fail(struct reading *r, const char *format, ...)
{
	va_list ap;
	int n;

	if (r->failed)
		return;
	r->failed = true;
	n = snprintf(r->error, r->error_size, "%s: ", r->file);
	if (n < 0 || (size_t)n >= r->error_size)
		return;
	va_start(ap, format);
	vsnprintf(r->error + n, r->error_size - (size_t)n, format, ap);
	va_end(ap);
}

static int64_t
micro(double s)
{
	return llround(s * 1e6);
}

/* A time in seconds as JSON number. */
static int64_t
read_time(struct reading *r, const char *where, json_t *v)
{
	if (!json_is_number(v)) {
		fail(r, "%s: a number of seconds is wanted", where);
		return 0;
	}
	return micro(json_number_value(v));
}

static int
read_int(struct reading *r, const char *where, json_t *v)
{
	if (!json_is_integer(v)) {
		fail(r, "%s: an integer is wanted", where);
		return 0;
	}
	return (int)json_integer_value(v);
}

static const char *
read_text(struct reading *r, const char *where, json_t *v)
{
	if (!json_is_string(v)) {
		fail(r, "%s: a text is wanted", where);
		return "";
	}
	return json_string_value(v);
}

/* A parameter value: text, number or truth value, as main.cf would have it. */
static char *
read_value(struct reading *r, const char *where, json_t *v)
{
	char buf[64];

	if (json_is_string(v))
		return copy(json_string_value(v));
	if (json_is_integer(v))
		snprintf(buf, sizeof(buf), "%lld",
			 (long long)json_integer_value(v));
	else if (json_is_real(v))
		snprintf(buf, sizeof(buf), "%.9g", json_real_value(v));
	else if (json_is_boolean(v))
		snprintf(buf, sizeof(buf), "%s",
			 json_is_true(v) ? "yes" : "no");
	else {
		fail(r, "%s: a text or number is wanted", where);
		buf[0] = '\0';
	}
	return copy(buf);
}

static int
read_code(struct reading *r, const char *where, json_t *v)
{
	long code = json_is_integer(v)	? (long)json_integer_value(v)
		    : json_is_string(v) ? strtol(json_string_value(v), NULL, 10)
					: 0;

	if (code < 200 || code > 599) {
		fail(r, "%s: a reply code is wanted", where);
		return 0;
	}
	return code < 400 ? 0 : (int)code;
}

/* ---- phases ---- */

static void
read_latency_list(struct reading *r, struct rec_phase *p, json_t *v)
{
	const char *key;
	json_t *x;
	json_t *list = NULL;
	size_t i;

	json_object_foreach (v, key, x) {
		if (strcmp(key, "list") == 0)
			list = x;
		else if (strcmp(key, "key") != 0)
			fail(r, "latency: unknown key '%s'", key);
		else if (strcmp(read_text(r, "latency.key", x), "msg") != 0)
			fail(r, "latency.key: unknown '%s'",
			     json_is_string(x) ? json_string_value(x) : "");
	}
	if (!json_is_array(list) || json_array_size(list) == 0) {
		fail(r, "latency.list: a list of numbers is wanted");
		return;
	}
	p->latencies_n = json_array_size(list);
	p->latencies = must(calloc(p->latencies_n, sizeof(*p->latencies)));
	json_array_foreach (list, i, x)
		p->latencies[i] = read_time(r, "latency.list", x);
}

static void
read_pattern(struct reading *r, struct rec_phase *p, json_t *v)
{
	json_t *x;
	size_t i;

	if (!json_is_array(v) || json_array_size(v) == 0) {
		fail(r, "connect_fail: a list of 0 and 1 is wanted");
		return;
	}
	p->connect_fail_n = json_array_size(v);
	p->connect_fail =
		must(calloc(p->connect_fail_n, sizeof(*p->connect_fail)));
	json_array_foreach (v, i, x)
		p->connect_fail[i] = read_int(r, "connect_fail", x) != 0;
}

static void
read_phase_key(struct reading *r, struct rec_phase *p, const char *key,
	       json_t *v)
{
	if (strcmp(key, "t") == 0)
		p->at = read_time(r, "phase t", v);
	else if (strcmp(key, "mode") == 0 &&
		 strcmp(read_text(r, "mode", v), "refuse") == 0)
		p->refuse = true;
	else if (strcmp(key, "mode") == 0)
		fail(r, "phase: unknown mode '%s'",
		     json_is_string(v) ? json_string_value(v) : "");
	else if (strcmp(key, "latency") == 0 && json_is_object(v))
		read_latency_list(r, p, v);
	else if (strcmp(key, "latency") == 0)
		p->latency = read_time(r, "latency", v);
	else if (strcmp(key, "per_rcpt") == 0)
		p->per_rcpt = read_time(r, "per_rcpt", v);
	else if (strcmp(key, "banner_delay") == 0)
		p->banner_delay = read_time(r, "banner_delay", v);
	else if (strcmp(key, "fail_delay") == 0)
		p->fail_delay = read_time(r, "fail_delay", v);
	else if (strcmp(key, "connect_fail") == 0)
		read_pattern(r, p, v);
	else if (strcmp(key, "conn_limit") == 0)
		p->conn_limit = read_int(r, "conn_limit", v);
	else if (strcmp(key, "mail") == 0)
		p->mail_code = read_code(r, "mail", v);
	else if (strcmp(key, "rcpt") == 0)
		p->rcpt_code = read_code(r, "rcpt", v);
	else if (strcmp(key, "eod") == 0)
		p->eod_code = read_code(r, "eod", v);
	else
		fail(r, "phase: unknown key '%s'", key);
}

static void
read_phases(struct reading *r, struct rec_dest *d, json_t *v)
{
	json_t *x;
	json_t *y;
	const char *key;
	size_t i;

	if (!json_is_array(v) || json_array_size(v) == 0) {
		fail(r, "destinations.%s.phases: a list is wanted", d->name);
		return;
	}
	d->phases_n = json_array_size(v);
	d->phases = must(calloc(d->phases_n, sizeof(*d->phases)));
	json_array_foreach (v, i, x) {
		d->phases[i].at = REC_ALWAYS;
		json_object_foreach (x, key, y)
			read_phase_key(r, &d->phases[i], key, y);
	}
}

static void
read_dest(struct reading *r, struct rec_dest *d, const char *name, json_t *v)
{
	const char *key;
	json_t *x;

	d->name = copy(name);
	json_object_foreach (v, key, x) {
		if (strcmp(key, "transport") == 0)
			d->transport = copy(read_text(r, "transport", x));
		else if (strcmp(key, "phases") == 0)
			read_phases(r, d, x);
		else
			fail(r, "destinations.%s: unknown key '%s'", name, key);
	}
	if (d->transport == NULL)
		d->transport = copy("smtp");
	if (d->phases_n == 0)
		fail(r, "destinations.%s: phases are missing", name);
}

static int
dest_order(const void *a, const void *b)
{
	const struct rec_dest *x = a;
	const struct rec_dest *y = b;

	return strcmp(x->name, y->name);
}

static void
read_dests(struct reading *r, json_t *v)
{
	struct rec_scenario *sc = r->sc;
	const char *key;
	json_t *x;

	sc->dests = must(calloc(json_object_size(v) + 1, sizeof(*sc->dests)));
	json_object_foreach (v, key, x)
		read_dest(r, &sc->dests[sc->dests_n++], key, x);
	qsort(sc->dests, sc->dests_n, sizeof(*sc->dests), dest_order);
}

/* ---- arrivals ---- */

static void
check_suffix(struct reading *r, const char *s, size_t index)
{
	char *end;

	if (s[0] == '\0' || strcmp(s, ".tx") == 0 || strcmp(s, ".p") == 0)
		return;
	if (strncmp(s, ".t", 2) == 0 && isdigit((unsigned char)s[2])) {
		strtol(s + 2, &end, 10);
		if (*end == '\0')
			return;
	}
	fail(r, "arrivals[%zu]: unknown suffix '%s'", index, s);
}

static void
read_to(struct reading *r, struct rec_arrival *a, json_t *v, size_t index)
{
	json_t *x;
	size_t i;

	a->to_n = json_array_size(v);
	a->to = must(calloc(a->to_n + 1, sizeof(*a->to)));
	json_array_foreach (v, i, x) {
		struct rec_to *to = &a->to[i];
		size_t n = json_array_size(x);

		if (n < 2 || n > 3)
			fail(r,
			     "arrivals[%zu].to: [domain, count, suffix] is "
			     "wanted",
			     index);
		to->domain = copy(read_text(r, "to", json_array_get(x, 0)));
		to->count = read_int(r, "to", json_array_get(x, 1));
		to->suffix = copy(
			n == 3 ? read_text(r, "to", json_array_get(x, 2)) : "");
		check_suffix(r, to->suffix, index);
	}
}

static void
read_arrivals(struct reading *r, json_t *v)
{
	struct rec_scenario *sc = r->sc;
	json_t *x;
	json_t *y;
	const char *key;
	size_t i;

	sc->arrivals_n = json_array_size(v);
	sc->arrivals = must(calloc(sc->arrivals_n + 1, sizeof(*sc->arrivals)));
	json_array_foreach (v, i, x) {
		struct rec_arrival *a = &sc->arrivals[i];

		json_object_foreach (x, key, y) {
			if (strcmp(key, "t") == 0)
				a->at = read_time(r, "arrival t", y);
			else if (strcmp(key, "from") == 0)
				a->from = copy(read_text(r, "from", y));
			else if (strcmp(key, "to") == 0)
				read_to(r, a, y, i);
			else
				fail(r, "arrivals[%zu]: unknown key '%s'", i,
				     key);
		}
	}
}

static void
check_domains(struct reading *r)
{
	for (size_t i = 0; i < r->sc->arrivals_n; i++)
		for (size_t k = 0; k < r->sc->arrivals[i].to_n; k++)
			if (rec_dest_of(r->sc,
					r->sc->arrivals[i].to[k].domain) ==
			    NULL)
				fail(r,
				     "arrivals[%zu]: no destination for domain "
				     "'%s'",
				     i, r->sc->arrivals[i].to[k].domain);
}

/* ---- actions ---- */

static struct rec_action *
new_action(struct rec_scenario *sc, int64_t at, enum rec_do what)
{
	struct rec_action *a;

	sc->actions = must(realloc(sc->actions,
				   (sc->actions_n + 1) * sizeof(*sc->actions)));
	a = &sc->actions[sc->actions_n++];
	*a = (struct rec_action){.at = at, .what = what};
	return a;
}

static const char *
word(json_t *list, size_t i)
{
	json_t *x = json_array_get(list, i);

	return json_is_string(x) ? json_string_value(x) : "";
}

static bool
is_queue_name(const char *s)
{
	static const char *const names[] = {"maildrop", "incoming", "active",
					    "deferred", "hold"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(s, names[i]) == 0)
			return true;
	return false;
}

static void
read_postsuper(struct reading *r, int64_t at, json_t *list)
{
	static const struct {
		const char *option;
		enum rec_do what;
	} known[] = {{"-h", REC_HOLD},
		     {"-H", REC_RELEASE},
		     {"-r", REC_REQUEUE},
		     {"-d", REC_DELETE},
		     {"-e", REC_EXPIRE}};
	const char *queue = word(list, 3);
	const char *option = word(list, 1);

	if (strcmp(word(list, 2), "ALL") != 0)
		fail(r, "actions: postsuper %s '%s': only ALL can be replayed",
		     option, word(list, 2));
	if (json_array_size(list) > 4 ||
	    (*queue != '\0' && !is_queue_name(queue)))
		fail(r, "actions: postsuper: unknown word '%s'",
		     json_array_size(list) > 4 ? word(list, 4) : queue);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(option, known[i].option) == 0) {
			new_action(r->sc, at, known[i].what)->queue =
				*queue != '\0' ? copy(queue) : NULL;
			return;
		}
	if (strcmp(option, "-f") != 0)
		fail(r, "actions: postsuper: unknown option '%s'", option);
	new_action(r->sc, at, REC_EXPIRE)->queue =
		*queue != '\0' ? copy(queue) : NULL;
	new_action(r->sc, at, REC_RELEASE)->queue =
		*queue != '\0' ? copy(queue) : NULL;
}

static void
read_postconf(struct reading *r, int64_t at, json_t *list)
{
	size_t i = strcmp(word(list, 1), "-e") == 0 ? 2 : 1;

	for (; i < json_array_size(list); i++) {
		char *text = copy(word(list, i));
		char *eq = strchr(text, '=');
		struct rec_action *a;
		char *value;

		if (eq == NULL) {
			fail(r, "actions: postconf: '%s' is not name=value",
			     text);
			free(text);
			return;
		}
		value = eq + 1 + strspn(eq + 1, " ");
		for (*eq = '\0'; eq > text && eq[-1] == ' '; eq--)
			eq[-1] = '\0';
		a = new_action(r->sc, at, REC_SET);
		a->name = copy(text);
		a->value = copy(value);
		free(text);
	}
}

static void
read_exec(struct reading *r, int64_t at, json_t *list)
{
	const char *tool = word(list, 0);
	const char *option = word(list, 1);

	if (strcmp(tool, "postsuper") == 0)
		read_postsuper(r, at, list);
	else if (strcmp(tool, "postconf") == 0)
		read_postconf(r, at, list);
	else if ((strcmp(tool, "postqueue") == 0 &&
		  strcmp(option, "-f") == 0) ||
		 (strcmp(tool, "postfix") == 0 &&
		  strcmp(option, "flush") == 0) ||
		 (strcmp(tool, "sendmail") == 0 && strcmp(option, "-q") == 0))
		new_action(r->sc, at, REC_FLUSH);
	else if (strcmp(tool, "postqueue") == 0 && strcmp(option, "-s") == 0)
		new_action(r->sc, at, REC_FLUSH_SITE)->name =
			copy(word(list, 2));
	else if (strcmp(tool, "postfix") == 0 && strcmp(option, "reload") == 0)
		new_action(r->sc, at, REC_RELOAD);
	else
		fail(r, "actions: unknown command '%s %s'", tool, option);
}

static void
read_set(struct reading *r, int64_t at, json_t *v)
{
	const char *key;
	json_t *x;

	json_object_foreach (v, key, x) {
		struct rec_action *a = new_action(r->sc, at, REC_SET);

		a->name = copy(key);
		a->value = read_value(r, key, x);
	}
}

static void
read_action(struct reading *r, json_t *v)
{
	int64_t at = json_object_get(v, "t") != NULL
			     ? read_time(r, "action t", json_object_get(v, "t"))
			     : 0;
	const char *what = json_string_value(json_object_get(v, "do"));
	const char *key;
	json_t *x;

	if (what == NULL && json_object_get(v, "exec") == NULL)
		fail(r, "actions: 'exec' or 'do' is wanted");
	json_object_foreach (v, key, x) {
		if (strcmp(key, "t") == 0 || strcmp(key, "do") == 0)
			continue;
		if (strcmp(key, "exec") == 0)
			read_exec(r, at, x);
		else if (what != NULL && strcmp(what, "set") == 0 &&
			 json_is_object(x) &&
			 (strcmp(key, "main") == 0 || strcmp(key, "set") == 0 ||
			  strcmp(key, "params") == 0))
			read_set(r, at, x);
		else
			fail(r, "actions: unknown key '%s'", key);
	}
	if (what == NULL || strcmp(what, "set") == 0)
		return;
	if (strcmp(what, "enable_qmgr") == 0)
		new_action(r->sc, at, REC_ENABLE_QMGR);
	else if (strcmp(what, "hup") == 0)
		new_action(r->sc, at, REC_RELOAD);
	else
		fail(r, "actions: unknown do '%s'", what);
}

/* ---- parameters and access tables ---- */

/* The few regular expressions a sender table may hold, as a glob; false when it
 * is not one of them. */
static bool
regex_to_glob(const char *re, size_t len, char *out, size_t room)
{
	size_t n = 0;
	size_t i = 0;
	bool closed = len > 0 && re[len - 1] == '$';

	if (len > 0 && re[0] == '^')
		i = 1;
	else
		out[n++] = '*';
	for (len -= closed ? 1 : 0; i < len && n + 2 < room;) {
		size_t used = 1;
		char c = re[i];

		if (c == '[') {
			const char *end = memchr(re + i, ']', len - i);

			if (end == NULL)
				return false;
			used = (size_t)(end - (re + i)) + 1;
			c = '?';
		} else if (c == '.') {
			c = '?';
		} else if (c == '\\' && i + 1 < len) {
			used = 2;
			c = re[i + 1];
		} else if (strchr("()|{}?*+", c) != NULL) {
			return false;
		}
		i += used;
		if (i < len && (re[i] == '+' || re[i] == '*')) {
			i++;
			c = '*';
		}
		out[n++] = c;
	}
	if (!closed)
		out[n++] = '*';
	out[n] = '\0';
	return i >= len;
}

static void
read_table(struct reading *r, const char *name)
{
	struct rec_scenario *sc = r->sc;
	json_t *file = json_object_get(r->files, name);
	char *text = copy(json_is_string(file) ? json_string_value(file) : "");
	char *rest = text;
	char *line;

	if (file == NULL)
		fail(r, "main: table '@ETC@/%s' is not among the files", name);
	for (line = strtok_r(rest, "\n", &rest); line != NULL;
	     line = strtok_r(rest, "\n", &rest)) {
		char *slash = line[0] == '/' ? strchr(line + 1, '/') : NULL;
		char glob[200] = "";
		char action[20] = "";

		if (slash == NULL ||
		    !regex_to_glob(line + 1, (size_t)(slash - line - 1), glob,
				   sizeof(glob)) ||
		    sscanf(slash + 1, " %19s", action) != 1) {
			fail(r, "files.%s: cannot replay '%s'", name, line);
			break;
		}
		for (char *c = action; *c != '\0'; c++)
			*c = (char)tolower((unsigned char)*c);
		if (strcmp(action, "hold") != 0 &&
		    strcmp(action, "discard") != 0 &&
		    strcmp(action, "reject") != 0)
			fail(r, "files.%s: unknown action '%s'", name, action);
		sc->access = must(realloc(
			sc->access, (sc->access_n + 1) * sizeof(*sc->access)));
		sc->access[sc->access_n++] = (struct rec_access){
			.glob = copy(glob), .action = copy(action)};
	}
	free(text);
}

static void
put_param(struct rec_scenario *sc, const char *name, char *value)
{
	for (size_t i = 0; i < sc->params_n; i++)
		if (strcmp(sc->params[i].name, name) == 0) {
			free(sc->params[i].value);
			sc->params[i].value = value;
			return;
		}
	sc->params = must(
		realloc(sc->params, (sc->params_n + 1) * sizeof(*sc->params)));
	sc->params[sc->params_n++] =
		(struct rec_pair){.name = copy(name), .value = value};
}

static void
read_param(struct reading *r, const char *name, json_t *v)
{
	static const char sender_table[] = "check_sender_access regexp:@ETC@/";

	for (size_t i = 0; i < sizeof(no_bearing) / sizeof(no_bearing[0]); i++)
		if (strcmp(name, no_bearing[i]) == 0)
			return;
	if (strcmp(name, "smtpd_sender_restrictions") == 0) {
		const char *text = read_text(r, name, v);

		if (strncmp(text, sender_table, sizeof(sender_table) - 1) == 0)
			read_table(r, text + sizeof(sender_table) - 1);
		else if (*text != '\0')
			fail(r, "main: cannot replay %s '%s'", name, text);
		return;
	}
	put_param(r->sc, name, read_value(r, name, v));
}

static void
read_main(struct reading *r, json_t *v)
{
	const char *key;
	json_t *x;

	json_object_foreach (v, key, x)
		read_param(r, key, x);
}

static void
read_transports(struct reading *r, json_t *v)
{
	struct rec_scenario *sc = r->sc;
	const char *key;
	const char *field;
	json_t *x;
	json_t *y;

	sc->transports =
		must(calloc(json_object_size(v) + 2, sizeof(*sc->transports)));
	sc->transports[sc->transports_n++] =
		(struct rec_pair){.name = copy("smtp"), .value = copy("100")};
	json_object_foreach (v, key, x) {
		struct rec_pair *t = &sc->transports[0];

		if (strcmp(key, "smtp") != 0) {
			t = &sc->transports[sc->transports_n++];
			*t = (struct rec_pair){.name = copy(key),
					       .value = copy("100")};
		}
		json_object_foreach (x, field, y) {
			if (strcmp(field, "maxproc") != 0)
				fail(r, "transports.%s: unknown key '%s'", key,
				     field);
			free(t->value);
			t->value = read_value(r, field, y);
		}
	}
}

/* ---- the whole ---- */

static void
read_top(struct reading *r, const char *key, json_t *v)
{
	struct rec_scenario *sc = r->sc;
	json_t *x;
	size_t i;

	if (strcmp(key, "name") == 0)
		sc->name = copy(read_text(r, key, v));
	else if (strcmp(key, "title") == 0)
		sc->title = copy(read_text(r, key, v));
	else if (strcmp(key, "main") == 0)
		read_main(r, v);
	else if (strcmp(key, "destinations") == 0)
		read_dests(r, v);
	else if (strcmp(key, "arrivals") == 0)
		read_arrivals(r, v);
	else if (strcmp(key, "inject_conns") == 0)
		sc->connections = read_int(r, key, v);
	else if (strcmp(key, "actions") == 0)
		json_array_foreach (v, i, x)
			read_action(r, x);
	else if (strcmp(key, "start_without_qmgr") == 0)
		sc->start_without_qmgr = json_is_true(v);
	else if (strcmp(key, "duration") == 0)
		sc->duration = read_time(r, key, v);
	else if (strcmp(key, "min_duration") == 0)
		sc->min_duration = read_time(r, key, v);
	else if (strcmp(key, "sample") == 0)
		sc->sample = read_time(r, key, v);
	else if (strcmp(key, "visibility") != 0 && strcmp(key, "files") != 0 &&
		 strcmp(key, "transports") != 0)
		fail(r, "unknown key '%s'", key);
}

static size_t
read_some(void *buffer, size_t size, void *file)
{
	int n = gzread(file, buffer, (unsigned)size);

	return n < 0 ? (size_t)-1 : (size_t)n;
}

static json_t *
load(struct reading *r, const char *file)
{
	json_error_t e = {.text = "cannot be read"};
	gzFile f = gzopen(file, "rb"); /* plain files as well */
	json_t *v = NULL;

	if (f != NULL) {
		v = json_load_callback(read_some, f, JSON_REJECT_DUPLICATES,
				       &e);
		gzclose(f);
	}
	if (v == NULL)
		fail(r, "line %d: %s", e.line, e.text);
	else if (!json_is_object(v))
		fail(r, "an object is wanted");
	return v;
}

static void
read_base(struct reading *r, const char *base)
{
	json_t *v = load(r, base);
	const char *key;
	json_t *x;

	json_object_foreach (v, key, x) {
		if (strcmp(key, "main.cf") == 0)
			read_main(r, x);
		else if (strcmp(key, "master.cf") != 0)
			fail(r, "unknown key '%s' in %s", key, base);
	}
	json_decref(v);
}

bool
rec_read(struct rec_scenario *sc, const char *file, const char *base,
	 char *error, size_t error_size)
{
	struct reading r = {.sc = sc,
			    .file = file,
			    .error = error,
			    .error_size = error_size};
	const char *key;
	json_t *top;
	json_t *x;

	*sc = (struct rec_scenario){
		.connections = 1, .duration = 60000000, .sample = 250000};
	if (base != NULL)
		read_base(&r, base);
	top = load(&r, file);
	r.files = json_object_get(top, "files");
	read_transports(&r, json_object_get(top, "transports"));
	json_object_foreach (top, key, x)
		read_top(&r, key, x);
	json_decref(top);
	if (!r.failed && (sc->name == NULL || sc->dests_n == 0))
		fail(&r, "name or destinations are missing");
	check_domains(&r);
	if (r.failed)
		rec_release(sc);
	return !r.failed;
}

static void
release_dest(struct rec_dest *d)
{
	for (size_t i = 0; i < d->phases_n; i++) {
		free(d->phases[i].latencies);
		free(d->phases[i].connect_fail);
	}
	free(d->phases);
	free(d->name);
	free(d->transport);
}

static void
release_pairs(struct rec_pair *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(v[i].name);
		free(v[i].value);
	}
	free(v);
}

static void
release_arrival(struct rec_arrival *a)
{
	for (size_t i = 0; i < a->to_n; i++) {
		free(a->to[i].domain);
		free(a->to[i].suffix);
	}
	free(a->to);
	free(a->from);
}

void
rec_release(struct rec_scenario *sc)
{
	for (size_t i = 0; i < sc->dests_n; i++)
		release_dest(&sc->dests[i]);
	for (size_t i = 0; i < sc->arrivals_n; i++)
		release_arrival(&sc->arrivals[i]);
	for (size_t i = 0; i < sc->actions_n; i++) {
		free(sc->actions[i].queue);
		free(sc->actions[i].name);
		free(sc->actions[i].value);
	}
	for (size_t i = 0; i < sc->access_n; i++) {
		free(sc->access[i].glob);
		free(sc->access[i].action);
	}
	release_pairs(sc->params, sc->params_n);
	release_pairs(sc->transports, sc->transports_n);
	free(sc->dests);
	free(sc->arrivals);
	free(sc->actions);
	free(sc->access);
	free(sc->name);
	free(sc->title);
	*sc = (struct rec_scenario){0};
}

const char *
rec_param(const struct rec_scenario *sc, const char *name)
{
	for (size_t i = 0; i < sc->params_n; i++)
		if (strcmp(sc->params[i].name, name) == 0)
			return sc->params[i].value;
	return NULL;
}

const char *
rec_transport_param(const struct rec_scenario *sc, const char *transport,
		    const char *suffix)
{
	char name[200];
	const char *text;

	snprintf(name, sizeof(name), "%s_%s", transport, suffix);
	text = rec_param(sc, name);
	if (text != NULL)
		return text;
	snprintf(name, sizeof(name), "default_%s", suffix);
	text = rec_param(sc, name);
	return text != NULL ? text : rec_param(sc, suffix);
}

const struct rec_phase *
rec_phase_at(const struct rec_dest *d, int64_t at)
{
	const struct rec_phase *p = &d->phases[0];

	for (size_t i = 0; i < d->phases_n; i++)
		if (d->phases[i].at <= at)
			p = &d->phases[i];
	return p;
}

const struct rec_dest *
rec_dest_of(const struct rec_scenario *sc, const char *domain)
{
	size_t len = strcspn(domain, ".");

	if (strcmp(domain + len, ".test") != 0)
		return NULL;
	for (size_t i = 0; i < sc->dests_n; i++)
		if (strlen(sc->dests[i].name) == len &&
		    strncmp(sc->dests[i].name, domain, len) == 0)
			return &sc->dests[i];
	return NULL;
}

int64_t
rec_latency(const struct rec_phase *p, int64_t index, int n)
{
	int64_t base = p->latency;

	if (p->latencies != NULL)
		base = p->latencies[(size_t)index % p->latencies_n];
	return base + n * p->per_rcpt;
}

void
rec_sender(const struct rec_arrival *a, size_t index, char *out, size_t room)
{
	if (a->from != NULL)
		snprintf(out, room, "%s", a->from);
	else
		snprintf(out, room, "m%06zu@src.test", index);
}

void
rec_recipient(size_t index, int k, const struct rec_to *to, char *out,
	      size_t room)
{
	snprintf(out, room, "r%06zu-%04d%s@%s", index, k, to->suffix,
		 to->domain);
}

bool
rec_find_base(const char *file, char *out, size_t room)
{
	static const char *const tries[] = {"base_config.json",
					    "../base_config.json"};
	const char *slash = strrchr(file, '/');
	int dir = slash == NULL ? 0 : (int)(slash - file + 1);

	for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		FILE *f;

		snprintf(out, room, "%.*s%s", dir, file, tries[i]);
		f = fopen(out, "r");
		if (f != NULL) {
			fclose(f);
			return true;
		}
	}
	return false;
}
