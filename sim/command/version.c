/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Help texts. A command that does not work yet is not named here.
 */
#include "sim/command/version.h"

#include <string.h>

static const struct {
	const char *name;
	const char *line;
	const char *text;
} commands[] = {
	{"run", "simulate; write results; print a summary and the verdicts",
	 "mtasim run [OPTION]... SCENARIO\n"
	 "\n"
	 "Simulate a scenario, write its results folder, print a summary and "
	 "how each\n"
	 "expectation came out. The exit code is 0 also when one does not "
	 "hold (see check).\n"},
	{"check", "the same for CI: exit 99 when an expectation does not hold",
	 "mtasim check [OPTION]... SCENARIO...\n"
	 "\n"
	 "Run scenarios and judge their expectations, one line each, and a "
	 "last line for\n"
	 "all. With several, results go to DIR/NAME, and the exit code is the "
	 "first of\n"
	 "1, 2, 3, 99 that occurred.\n"
	 "\n"
	 "  --junit FILE       write JUnit's XML too\n"
	 "  --tap, --json      write TAP (for prove) or JSON instead of text\n"
	 "  --golden DIR       compare each run with the one recorded in "
	 "DIR/NAME; a\n"
	 "                     difference, with the first event that differs, "
	 "exits 99\n"
	 "  --update           with --golden: record\n"},
	{"diff", "two results folders: what differs, and the first event",
	 "mtasim diff DIR DIR\n"
	 "\n"
	 "Compare fingerprint, totals, series and events. Exit code 0: the "
	 "same; "
	 "99: they\n"
	 "differ; 3: a folder is no results folder of this format, or is not "
	 "whole.\n"},
	{"plot", "draw pictures from a results folder",
	 "mtasim plot DIR [NAME...] [--terminal png|svg|gif|dumb]\n"
	 "\n"
	 "Draw the pictures that the files of a results folder allow, or the "
	 "named ones,\n"
	 "into DIR/plots. With --terminal dumb they are drawn as text.\n"},
	{"qshape", "which domain's mail is how old, at an instant of a run",
	 "mtasim qshape [-s] [-l] [-p] [-b N] [-t MINUTES] [-m N] [-w N] "
	 "[-n N] DIR --at TIME\n"
	 "              [QUEUE...]\n"
	 "\n"
	 "Run the scenario of a results folder again up to TIME and print the "
	 "table of\n"
	 "qshape for the queues (default: incoming active).\n"
	 "\n"
	 "  -s        messages by the sender's domain, not recipients\n"
	 "  -b N      buckets of age (10)\n"
	 "  -t N      minutes of the first one (5); each is twice the one "
	 "before,\n"
	 "  -l        or all have the same length\n"
	 "  -p        parent domains too, with -m N (5) or more domains below "
	 "them\n"
	 "  -w N      columns of the table (80)\n"
	 "  -n N      in a terminal: rows (20; 0: all)\n"
	 "\n"
	 "As with Postfix's, other numbers change nothing unless they are "
	 "above "
	 "0. -N N and\n"
	 "-c DIR are taken and change nothing: the table comes at once, and "
	 "settings are\n"
	 "those of the run.\n"},
	{"postqueue", "what waits at an instant of a run, mail by mail",
	 "mtasim postqueue -p|-j DIR --at TIME\n"
	 "\n"
	 "Run the scenario of a results folder again up to TIME and list its "
	 "queues:\n"
	 "-p as a table, -j as one JSON object a line. Times are UTC.\n"},
	{"spool",
	 "the queues at an instant of a run, as folders of queue files",
	 "mtasim spool [--now] [--short] DIR --at TIME TARGET\n"
	 "\n"
	 "Run the scenario of a results folder again up to TIME and write its "
	 "queues to the\n"
	 "folder TARGET, which must be new or empty: queue files that qshape "
	 "and postcat of\n"
	 "Postfix read, and the logs of the latest attempts. The time of a "
	 "file is when it\n"
	 "is due next. qshape takes absolute paths of queues: "
	 "qshape /TARGET/deferred\n"
	 "\n"
	 "  --now     add to all times what makes TIME the present, so that "
	 "tools that look\n"
	 "            at the clock see the ages of that instant\n"
	 "  --short   messages without their bodies: small files, for long "
	 "queues\n"},
	{"step", "a run event by event, each with its cause",
	 "mtasim step SCENARIO [--from TIME] [--to TIME] [--mail N]\n"
	 "            [--set PATH=VALUE] [--seed N] [--for TIME]\n"
	 "\n"
	 "Print each event: when, who, what, the mail by its number and "
	 "queue id, the\n"
	 "queues, the flow tokens, which queue is looked at next, the "
	 "destination's\n"
	 "window, deliveries and feedback; below it a sentence that says "
	 "why. In a\n"
	 "terminal one at a time: next, next of the same kind, back, quit.\n"
	 "--mail N: only of mail number N, from 0. --set, --seed and "
	 "--for are those of\n"
	 "run.\n"},
	{"params", "every parameter of main.cf that the simulator knows",
	 "mtasim params [--markdown] [NAME...]\n"
	 "\n"
	 "Print name, default, bounds and meaning of the parameters, or of "
	 "the named ones.\n"},
	{"profiles", "the shipped profiles of receivers",
	 "mtasim profiles [NAME...]\n"
	 "\n"
	 "Print name, date, meaning and source of the profiles, or of the "
	 "named ones, and\n"
	 "warn of those that are older than 24 months.\n"},
	{"schema", "JSON Schema of a scenario, for editors",
	 "mtasim schema [--profile]\n"
	 "\n"
	 "Print the JSON Schema (draft-07) of a scenario, or of a "
	 "profile.\n"},
};
enum {
	COMMANDS = sizeof(commands) / sizeof(commands[0])
};

static const char run_options[] =
	"\n"
	"  --set PATH=VALUE   change a value of the scenario, checked like the "
	"file:\n"
	"                     --set mta.in_flow_delay=5s\n"
	"                     --set 'domains[gmail.com].transport=bulk'\n"
	"  --seed N           another seed\n"
	"  --for TIME         end after this time (2h), or at most then\n"
	"  --out DIR          results folder; default runs/NAME\n"
	"  --output LIST      more files: messages,attempts,moves,feedback,"
	"maillog,\n"
	"                     metrics,plots\n"
	"  --replications N   N runs with luck of their own, in DIR/r0, r1, "
	"...;\n"
	"                     expectations hold in all of them, or `in X% of "
	"runs`\n"
	"  --jobs N           so many runs at a time; the output is the same\n"
	"  --quiet            no summary; of check only what does not hold\n"
	"  --progress=auto|never\n"
	"                     a progress line on a terminal, or none\n"
	"  --help             this text\n"
	"\n"
	"A results folder has scenario.yaml and files/ (copies of the files "
	"that "
	"it names),\n"
	"so that it can be run again anywhere; run.json, summary.json, "
	"series.csv,\n"
	"destinations.csv, transports.csv; and what --output asks for: the "
	"other "
	"tables,\n"
	"maillog, metrics.om, plots/.\n"
	"\n"
	"Exit codes: 0 done; 1 internal or I/O error; 2 wrong usage; 3 invalid "
	"scenario;\n"
	"99 an expectation does not hold (check); 129, 130, 143 interrupted by "
	"SIGHUP,\n"
	"SIGINT, SIGTERM, results so far kept.\n";

static void
help_print_all(FILE *out)
{
	fputs("mtasim: a discrete-event simulator of mail-queue behaviour\n"
	      "\n"
	      "usage: mtasim COMMAND [OPTION]... [ARGUMENT]...\n"
	      "\n",
	      out);
	for (int i = 0; i < COMMANDS; i++)
		fprintf(out, "  %-9s %s\n", commands[i].name, commands[i].line);
	fputs("\n"
	      "  mtasim COMMAND --help tells more; mtasim --version\n"
	      "\n"
	      "Try: mtasim run scenarios/leaky-bucket.yaml\n",
	      out);
}

int
help_print(FILE *out, const char *command)
{
	if (!command) {
		help_print_all(out);
		return 0;
	}
	for (int i = 0; i < COMMANDS; i++) {
		if (strcmp(commands[i].name, command) != 0)
			continue;
		fputs(commands[i].text, out);
		if (i < 2)
			fputs(run_options, out);
		return 0;
	}
	return 1;
}
