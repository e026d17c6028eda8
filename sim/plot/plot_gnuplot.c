/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The outside of drawing: where the shipped scripts are, and the gnuplot
 * program. It is started directly, never through a shell, with
 * --default-settings, so that nobody's ~/.gnuplot changes a picture. What it
 * says is kept back and shown only when it fails: it warns of much that does
 * not matter.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/base/arena.h"
#include "sim/base/file_load.h"
#include "sim/base/shipped.h"
#include "sim/plot/plot_job.h"

enum {
	SAID_BYTES = 4096
};

char *
plot_shipped(const char *folder, const char *name)
{
	const char *root;
	for (size_t i = 0; (root = shipped_root(i)); i++) {
		char *path = memory_print("%s/%s/%s", root, folder, name);
		if (access(path, R_OK) == 0)
			return path;
		free(path);
	}
	return NULL;
}

char *
plot_script_load(const char *name)
{
	char *path = plot_shipped("plots", name);
	size_t size;
	char *text = path ? file_load(path, &size) : NULL;
	if (!text)
		fprintf(stderr,
			"mtasim: cannot find plots/%s, looked in $MTASIM_DATA "
			"and in %s; set MTASIM_DATA to the folder that holds "
			"plots/ and scenarios/\n",
			name, MTASIM_DATADIR);
	free(path);
	return text;
}

bool
plot_gnuplot_exists(void)
{
	const char *path = getenv("PATH");
	if (!path)
		path = "/usr/local/bin:/usr/bin:/bin";
	while (*path) {
		size_t length = strcspn(path, ":");
		size_t size = length + sizeof("/gnuplot");
		char *file = memory_array(size + 1, 1);
		snprintf(file, size + 1, "%.*s/gnuplot", (int)length, path);
		bool there = access(file, X_OK) == 0;
		free(file);
		if (there)
			return true;
		path += length + (path[length] == ':');
	}
	return false;
}

/* In the child: become gnuplot. */
static _Noreturn void
become_gnuplot(const char *folder, const char *script, const char *picture,
	       int said)
{
	char command[300];
	if (chdir(folder) != 0 || dup2(said, 2) < 0)
		_exit(126);
	/* Our own names only: no quote can be in them. */
	snprintf(command, sizeof(command), "output_file='%s'", picture);
	execlp("gnuplot", "gnuplot", "--default-settings", "-e", command,
	       script, (char *)NULL);
	_exit(127);
}

/* All that the child says; what does not fit is dropped. */
static void
listen_to(int said, char *text, size_t size)
{
	char rest[256];
	size_t used = 0;
	for (;;) {
		bool room = used + 1 < size;
		ssize_t n = room ? read(said, text + used, size - 1 - used)
				 : read(said, rest, sizeof(rest));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		used += room ? (size_t)n : 0;
	}
	text[used] = '\0';
}

bool
plot_gnuplot(const char *folder, const char *script, const char *picture)
{
	int pipes[2];
	char text[SAID_BYTES];
	int status = 0;
	fflush(NULL);
	if (pipe(pipes) != 0) {
		fprintf(stderr, "mtasim: cannot start gnuplot: %s\n",
			strerror(errno));
		return false;
	}
	pid_t child = fork();
	if (child == 0) {
		close(pipes[0]);
		become_gnuplot(folder, script, picture, pipes[1]);
	}
	close(pipes[1]);
	if (child > 0)
		listen_to(pipes[0], text, sizeof(text));
	close(pipes[0]);
	while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
		continue;
	if (child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return true;
	fprintf(stderr, "mtasim: gnuplot failed on %s/%s\n%s", folder, script,
		child > 0 ? text : "");
	return false;
}
