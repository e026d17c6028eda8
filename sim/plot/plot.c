/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The plot command: reads its arguments, lets each picture be made, and writes
 * DIR/plots/NAME.csv (the table), NAME.gp (the script, whole in itself) and the
 * picture. A text terminal gets its picture on the standard output, from a
 * folder that is removed again.
 *
 * One picture that cannot be made does not keep the others from being drawn.
 * Files are written beside their place and renamed when whole.
 */
#include "sim/plot/plot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/base/arena.h"
#include "sim/base/exit_code.h"
#include "sim/base/name_index.h"
#include "sim/plot/plot_job.h"

struct plot_picture {
	const char *name;
	const char *shows;
	enum plot_result (*make)(struct plot_job *);
};

static const struct plot_picture pictures[] = {
	{"queues", "mail in each queue over time", plot_make_queues},
	{"window", "window and busy deliveries of the busiest destinations",
	 plot_make_window},
	{"delays",
	 "how long delivery took, by destination: percentiles; from\n"
	 "             attempts.csv, if it is there, the share delivered "
	 "within "
	 "a time",
	 plot_make_delays},
	{"attempts", "deliveries, deferrals and bounces over time",
	 plot_make_attempts},
	{"inflow", "accepted mail against flow tokens and incoming",
	 plot_make_inflow},
	{"jobs",
	 "who has the deliveries of a transport, mail by mail, where\n"
	 "             others go before a large one; from attempts.csv",
	 plot_make_jobs},
	{"recorded", "this run over a recording of the same mail",
	 plot_make_recorded},
};

enum {
	PICTURES = sizeof(pictures) / sizeof(pictures[0])
};

static const char *const terminals[] = {"png", "svg", "gif", "dumb", NULL};

struct plot_options {
	const char *dir;
	const char *terminal;
	bool wanted[PICTURES];
	bool all; /* no name was given */
	bool help;
	bool quiet; /* no list of what was drawn */
};

static void
print_help(void)
{
	puts("usage: mtasim plot DIR [NAME...] [--terminal png|svg|gif|dumb]\n"
	     "\n"
	     "Draw pictures of the results in DIR into DIR/plots, each with\n"
	     "the gnuplot script that drew it. Without a NAME: all that the\n"
	     "files in DIR allow.\n");
	for (size_t i = 0; i < PICTURES; i++)
		printf("  %-10s %s\n", pictures[i].name, pictures[i].shows);
	puts("\n"
	     "  --terminal png|svg|gif  the kind of picture; png if not said\n"
	     "  --terminal dumb         draw in the terminal, write no files\n"
	     "  --help                  this text");
}

/* ---- arguments */

static int
usage_error(const char *what, const char *text, const char *hint)
{
	fprintf(stderr, "mtasim: plot: %s '%s'%s\n", what, text, hint);
	return EXIT_CODE_USAGE;
}

static int
take_terminal(struct plot_options *options, const char *text)
{
	for (size_t i = 0; terminals[i]; i++) {
		if (!strcmp(terminals[i], text)) {
			options->terminal = terminals[i];
			return 0;
		}
	}
	return usage_error("unknown terminal", text,
			   "; use png, svg, gif or dumb");
}

static int
take_name(struct plot_options *options, const char *text)
{
	char hint[300] = "";
	struct name_nearest nearest = {.wanted = text};
	for (size_t i = 0; i < PICTURES; i++) {
		if (!strcmp(pictures[i].name, text)) {
			options->wanted[i] = true;
			options->all = false;
			return 0;
		}
		name_nearest_try(&nearest, pictures[i].name);
	}
	if (nearest.best)
		snprintf(hint, sizeof(hint), "; did you mean %s?",
			 nearest.best);
	else
		snprintf(hint, sizeof(hint), "; there are");
	for (size_t i = 0; i < PICTURES && !nearest.best; i++) {
		size_t used = strlen(hint);
		snprintf(hint + used, sizeof(hint) - used, "%s %s",
			 i > 0 ? "," : "", pictures[i].name);
	}
	return usage_error("unknown picture", text, hint);
}

static int
take_option(struct plot_options *options, char **argv, int *at)
{
	static const char terminal[] = "--terminal";
	const char *text = argv[*at];
	size_t length = strlen(terminal);
	if (!strcmp(text, "--help") || !strcmp(text, "-h")) {
		options->help = true;
		return 0;
	}
	if (!strncmp(text, terminal, length) && text[length] == '=')
		return take_terminal(options, text + length + 1);
	if (strcmp(text, terminal) != 0)
		return usage_error("unknown option", text,
				   "; see mtasim plot --help");
	if (!argv[*at + 1])
		return usage_error("no value after", text,
				   "; use png, svg, gif or dumb");
	return take_terminal(options, argv[++*at]);
}

static int
take_arguments(struct plot_options *options, int argc, char **argv)
{
	int code = 0;
	bool only_names = false;
	for (int i = 1; i < argc && code == 0 && !options->help; i++) {
		if (!only_names && !strcmp(argv[i], "--"))
			only_names = true;
		else if (!only_names && argv[i][0] == '-' && argv[i][1])
			code = take_option(options, argv, &i);
		else if (!options->dir)
			options->dir = argv[i];
		else
			code = take_name(options, argv[i]);
	}
	if (code == 0 && !options->help && !options->dir) {
		fputs("mtasim: plot: which results? usage: mtasim plot DIR "
		      "[NAME...]\n",
		      stderr);
		code = EXIT_CODE_USAGE;
	}
	return code;
}

/* ---- files */

/* Where everything about one picture goes. */
struct target {
	const char *folder;   /* borrowed */
	const char *name;     /* borrowed; of the picture */
	const char *terminal; /* borrowed */
	bool quiet;
};

static char *
target_path(const struct target *target, const char *suffix)
{
	return memory_print("%s/%s%s", target->folder, target->name, suffix);
}

static bool
write_error(const char *path)
{
	fprintf(stderr, "mtasim: cannot write %s: %s\n", path, strerror(errno));
	return false;
}

/* Put a file in its place when it is whole. */
static bool
write_file(const struct target *target, const char *suffix,
	   const char *const *parts)
{
	char beside[32];
	snprintf(beside, sizeof(beside), "%s.new", suffix);
	char *path = target_path(target, suffix);
	char *new = target_path(target, beside);
	FILE *file = fopen(new, "w");
	bool good = file != NULL;
	for (size_t i = 0; good && parts[i]; i++)
		good = fputs(parts[i], file) >= 0;
	if (file)
		good = fclose(file) == 0 && good;
	good = good && rename(new, path) == 0;
	if (!good) {
		write_error(path);
		unlink(new);
	}
	free(path);
	free(new);
	return good;
}

/* ---- drawing */

/* Columns and lines of the terminal that is drawn in. */
static void
set_text_size(struct plot_job *job)
{
	long columns = 79;
	long lines = 24;
	struct winsize window;
	if (ioctl(1, TIOCGWINSZ, &window) == 0 && window.ws_col > 0 &&
	    window.ws_row > 0) {
		columns = window.ws_col - 1;
		lines = window.ws_row - 1;
	}
	const char *text = getenv("COLUMNS");
	if (text && strtol(text, NULL, 10) > 0)
		columns = strtol(text, NULL, 10);
	text = getenv("LINES");
	if (text && strtol(text, NULL, 10) > 0)
		lines = strtol(text, NULL, 10);
	columns = columns < 40 ? 40 : columns > 500 ? 500 : columns;
	lines = lines < 12 ? 12 : lines > 200 ? 200 : lines;
	plot_set_number(job, "text_columns", (double)columns);
	plot_set_number(job, "text_lines", (double)lines);
}

static void
set_run(struct plot_job *job, const struct target *target)
{
	char text[200];
	plot_set_text(job, "picture", target->name);
	/* Set here unless the command line has set it. */
	fprintf(job->settings, "if (!exists('terminal')) terminal = '%s'\n",
		target->terminal);
	snprintf(text, sizeof(text), "%.120s, seed %lld%s", job->run->scenario,
		 (long long)job->run->seed,
		 job->run->partial ? " (interrupted)" : "");
	plot_set_text(job, "run_name", text);
}

static const char script_head[] =
	"# Drawn by `mtasim plot`, and runs again as it is, with the table\n"
	"# beside it:\n"
	"#\n"
	"#	gnuplot %s.gp\n"
	"#	gnuplot -e \"terminal='svg'\" %s.gp\n"
	"#\n"
	"# Kinds: png svg gif dumb. What follows are the settings of the run,\n"
	"# what all pictures share, and the picture.\n"
	"\n";

/*
 * Print a picture made of text: without the form feed that gnuplot starts it
 * with, and without blanks at line ends and empty lines around it.
 */
static bool
print_text(const char *path)
{
	FILE *file = fopen(path, "r");
	char *line = NULL;
	size_t room = 0;
	size_t empty = 0;
	bool begun = false;
	ssize_t length;
	if (!file)
		return write_error(path);
	while ((length = getline(&line, &room, file)) > 0) {
		const char *text = *line == '\f' ? line + 1 : line;
		while (length > 0 && strchr(" \n", line[length - 1]))
			line[--length] = '\0';
		if (!*text) {
			empty++;
			continue;
		}
		for (; begun && empty > 0; empty--)
			putchar('\n');
		empty = 0;
		begun = true;
		puts(text);
	}
	putchar('\n');
	free(line);
	fclose(file);
	return true;
}

/* Write table and script, and let gnuplot draw. */
static bool
draw(const struct target *target, const char *table, const char *settings)
{
	char head[sizeof(script_head) + 200];
	char ending[8];
	char gp[40];
	char drawn[48];
	bool text = !strcmp(target->terminal, "dumb");
	snprintf(head, sizeof(head), script_head, target->name, target->name);
	snprintf(gp, sizeof(gp), "%.30s.gp", target->name);
	snprintf(ending, sizeof(ending), ".%.4s", target->terminal);
	snprintf(drawn, sizeof(drawn), "%.30s%s.new", target->name, ending);
	char *common = plot_script_load("common.gp");
	char *script = common ? plot_script_load(gp) : NULL;
	const char *const tables[] = {table, NULL};
	const char *const scripts[] = {head, settings,
				       "\n", common ? common : "",
				       "\n", script ? script : "",
				       NULL};
	bool good = script && write_file(target, ".csv", tables) &&
		    write_file(target, ".gp", scripts) &&
		    plot_gnuplot(target->folder, gp, drawn);
	free(common);
	free(script);
	char *path = target_path(target, ending);
	char *new = target_path(target, drawn + strlen(target->name));
	if (good && text)
		good = print_text(new);
	else if (good)
		good = rename(new, path) == 0 || write_error(path);
	unlink(new); /* unless it was put in its place */
	if (good && !text && !target->quiet)
		puts(path);
	free(path);
	free(new);
	return good;
}

/* Make one picture; an exit code. */
static int
make_picture(const struct plot_run *run, const struct plot_picture *picture,
	     const struct target *target, bool asked)
{
	char *table = NULL;
	char *settings = NULL;
	size_t table_size = 0;
	size_t settings_size = 0;
	struct plot_job job = {
		.run = run,
		.table = memory_stream(&table, &table_size),
		.settings = memory_stream(&settings, &settings_size),
		.text = !strcmp(target->terminal, "dumb"),
	};
	set_run(&job, target);
	if (job.text)
		set_text_size(&job);
	enum plot_result result = picture->make(&job);
	memory_stream_end(job.table);
	memory_stream_end(job.settings);
	int code = 0;
	if (result == PLOT_READY)
		code = draw(target, table, settings) ? EXIT_CODE_OK
						     : EXIT_CODE_INTERNAL;
	else if (result == PLOT_BAD || asked)
		code = EXIT_CODE_INVALID;
	if (code == EXIT_CODE_INVALID)
		fprintf(stderr, "mtasim: cannot draw %s: %s\n", picture->name,
			job.why);
	free(table);
	free(settings);
	return code;
}

/* The more serious of two exit codes: internal, then invalid, then none. */
static int
worse(int a, int b)
{
	if (a == EXIT_CODE_INTERNAL || b == EXIT_CODE_INTERNAL)
		return EXIT_CODE_INTERNAL;
	return a ? a : b;
}

static int
make_all(const struct plot_run *run, const struct plot_options *options,
	 const char *folder)
{
	int code = 0;
	/* All begin with it: where it is missing, one word is enough. */
	char *common = plot_script_load("common.gp");
	free(common);
	if (!common)
		return EXIT_CODE_INTERNAL;
	for (size_t i = 0; i < PICTURES; i++) {
		const struct target target = {
			.folder = folder,
			.name = pictures[i].name,
			.terminal = options->terminal,
			.quiet = options->quiet,
		};
		if (options->all || options->wanted[i])
			code = worse(code,
				     make_picture(run, &pictures[i], &target,
						  !options->all));
	}
	return code;
}

/* Draw in the terminal, by way of a folder that goes again. */
static int
make_text(const struct plot_run *run, const struct plot_options *options)
{
	static const char *const suffixes[] = {".csv", ".gp", ".csv.new",
					       ".gp.new"};
	const char *root = getenv("TMPDIR");
	if (!root || !*root)
		root = "/tmp";
	char *folder = memory_print("%s/mtasim-plot.XXXXXX", root);
	if (!mkdtemp(folder)) {
		write_error(folder);
		free(folder);
		return EXIT_CODE_INTERNAL;
	}
	int code = make_all(run, options, folder);
	for (size_t i = 0; i < PICTURES; i++) {
		struct target target = {.folder = folder,
					.name = pictures[i].name};
		for (size_t s = 0; s < sizeof(suffixes) / sizeof(suffixes[0]);
		     s++) {
			char *path = target_path(&target, suffixes[s]);
			unlink(path);
			free(path);
		}
	}
	rmdir(folder);
	free(folder);
	return code;
}

static int
make_files(const struct plot_run *run, const struct plot_options *options)
{
	char *folder = memory_print("%s/plots", run->dir);
	int code = EXIT_CODE_INTERNAL;
	if (mkdir(folder, 0777) == 0 || errno == EEXIST)
		code = make_all(run, options, folder);
	else
		write_error(folder);
	free(folder);
	return code;
}

static int
plot_with(const struct plot_options *options)
{
	struct plot_run run;
	int code = plot_run_read(&run, options->dir);
	if (code == 0 && !plot_gnuplot_exists()) {
		fputs("mtasim: gnuplot is not installed, or not in PATH; on "
		      "Debian: apt-get install gnuplot-nox\n",
		      stderr);
		code = EXIT_CODE_INTERNAL;
	}
	if (code == 0)
		code = strcmp(options->terminal, "dumb") != 0
			       ? make_files(&run, options)
			       : make_text(&run, options);
	plot_run_release(&run);
	return code;
}

int
plot_folder(const char *dir)
{
	return plot_with(&(struct plot_options){
		.dir = dir, .terminal = "png", .all = true, .quiet = true});
}

int
plot_main(int argc, char **argv)
{
	struct plot_options options = {.terminal = "png", .all = true};
	int code = take_arguments(&options, argc, argv);
	if (code != 0)
		return code;
	if (options.help) {
		print_help();
		return 0;
	}
	return plot_with(&options);
}
