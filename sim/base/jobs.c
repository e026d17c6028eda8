/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Results go through unlinked files and not through pipes: nobody has to read
 * while a child works, and a child that dies leaves what it wrote. The parent
 * blocks its signals and waits for them by name, so that none can come between
 * a look and a wait.
 */
#include "sim/base/jobs.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/base/arena.h"

struct child {
	pid_t pid; /* 0: not at work */
	FILE *out;
	FILE *said;
	bool is_over;
	struct job_end end;
};

struct pool {
	struct jobs *jobs;
	struct child *children; /* by index */
	uint32_t begun;
	uint32_t told;
	uint32_t at_work;
	int interrupted; /* the first signal */
	bool is_broken;
	sigset_t old;
	sigset_t waited;
	struct sigaction old_child;
};

/* Exists so that SIGCHLD is not one that is ignored. */
static void
child_ended(int number)
{
	(void)number;
}

static void
signals_block(struct pool *p)
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_handler = child_ended;
	sigaction(SIGCHLD, &action, &p->old_child);
	sigemptyset(&p->waited);
	sigaddset(&p->waited, SIGCHLD);
	sigaddset(&p->waited, SIGINT);
	sigaddset(&p->waited, SIGTERM);
	sigaddset(&p->waited, SIGHUP);
	sigprocmask(SIG_BLOCK, &p->waited, &p->old);
}

static void
signals_restore(struct pool *p)
{
	sigaction(SIGCHLD, &p->old_child, NULL);
	sigprocmask(SIG_SETMASK, &p->old, NULL);
}

static _Noreturn void
child_work(struct pool *p, uint32_t index)
{
	struct child *c = &p->children[index];
	int code;

	signals_restore(p);
	dup2(fileno(c->said), STDERR_FILENO);
	code = p->jobs->work(p->jobs, index, c->out);
	if (fflush(c->out) != 0)
		code = 1;
	exit(code);
}

static void
child_begin(struct pool *p)
{
	struct child *c = &p->children[p->begun];

	fflush(NULL);
	c->out = tmpfile();
	c->said = tmpfile();
	c->pid = c->out && c->said ? fork() : -1;
	if (c->pid == 0)
		child_work(p, p->begun);
	if (c->pid > 0) {
		p->at_work++;
		p->begun++;
		return;
	}
	fprintf(stderr, "mtasim: cannot start a process: %s\n",
		strerror(errno));
	if (c->out)
		fclose(c->out);
	if (c->said)
		fclose(c->said);
	p->is_broken = true;
}

static char *
file_take(FILE *file, size_t *size)
{
	long length = fseek(file, 0, SEEK_END) == 0 ? ftell(file) : 0;
	char *bytes = memory_array(length > 0 ? (size_t)length + 1 : 1, 1);

	rewind(file);
	*size = length > 0 ? fread(bytes, 1, (size_t)length, file) : 0;
	fclose(file);
	return bytes;
}

static void
child_end(struct pool *p, struct child *c, int status)
{
	c->end.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	c->end.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	c->end.out = file_take(c->out, &c->end.out_size);
	c->end.said = file_take(c->said, &c->end.said_size);
	c->pid = 0;
	c->is_over = true;
	p->at_work--;
}

static void
children_reap(struct pool *p)
{
	int status;

	for (uint32_t i = p->told; i < p->begun; i++) {
		struct child *c = &p->children[i];

		if (c->pid > 0 && waitpid(c->pid, &status, WNOHANG) == c->pid)
			child_end(p, c, status);
	}
}

static void
children_tell(struct pool *p)
{
	while (p->told < p->begun && p->children[p->told].is_over) {
		struct child *c = &p->children[p->told];

		p->jobs->done(p->jobs, p->told, &c->end);
		free(c->end.out);
		free(c->end.said);
		p->told++;
	}
}

static void
children_signal(struct pool *p, int number)
{
	for (uint32_t i = p->told; i < p->begun; i++) {
		if (p->children[i].pid > 0)
			kill(p->children[i].pid, number);
	}
}

static void
signal_wait(struct pool *p)
{
	int number = 0;

	if (sigwait(&p->waited, &number) != 0 || number == SIGCHLD)
		return;
	children_signal(p, p->interrupted ? SIGKILL : number);
	if (!p->interrupted)
		p->interrupted = number;
}

int
jobs_run(struct jobs *jobs)
{
	struct pool p = {
		.jobs = jobs,
		.children = memory_array(jobs->count + 1, sizeof(struct child)),
	};

	signals_block(&p);
	for (;;) {
		while (p.at_work < jobs->at_once && p.begun < jobs->count &&
		       !p.interrupted && !p.is_broken)
			child_begin(&p);
		if (p.at_work == 0)
			break;
		signal_wait(&p);
		children_reap(&p);
		children_tell(&p);
	}
	signals_restore(&p);
	free(p.children);
	return p.is_broken ? -1 : p.interrupted;
}
