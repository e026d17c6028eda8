/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * M/M/1 at load 0.9: mail to one delivery process, through the whole queue,
 * beside SimPy doing a bare M/M/1 (Debian: python3-simpy3; PYTHON, or
 * /usr/bin/python3, runs it). Without SimPy ours is measured alone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/bench.h"
#include "tests/bench/sim.h"

enum {
	CUSTOMERS = 100000
};

/* Arguments: nothing; prints the mean wait. */
static const char simpy[] =
	"import random, simpy\n"
	"def customer(env, server, waits):\n"
	"    came = env.now\n"
	"    with server.request() as turn:\n"
	"        yield turn\n"
	"        waits.append(env.now - came)\n"
	"        yield env.timeout(random.expovariate(1.0))\n"
	"def source(env, server, waits, count):\n"
	"    for _ in range(count):\n"
	"        yield env.timeout(random.expovariate(0.9))\n"
	"        env.process(customer(env, server, waits))\n"
	"random.seed(1)\n"
	"env, waits = simpy.Environment(), []\n"
	"server = simpy.Resource(env, 1)\n"
	"env.process(source(env, server, waits, 100000))\n"
	"env.run()\n"
	"print(sum(waits) / len(waits))\n";

static void
write_scenario(struct bench_sim *s)
{
	FILE *f = bench_sim_write(s);

	bench_sim_head(f, "until: drained, at_most: 100d", "1h", 1);
	fprintf(f, "receivers: {r: {transfer: {exponential: 1s}}}\n"
		   "domains: {a.example: {receiver: r}}\n"
		   "sources:\n  s:\n    arrivals: {poisson: 0.9/s}\n");
	fprintf(f, "    until: %.0fs\n    users: 100\n    to: a.example\n",
		CUSTOMERS / 0.9);
	bench_sim_written(s, f);
}

static int
has_simpy(char *const argv[])
{
	int status = 1;
	pid_t child = fork();

	if (child == 0)
		execl(argv[0], argv[0], "-c", "import simpy", (char *)NULL);
	if (child == 0)
		_exit(127);
	if (child < 0 || waitpid(child, &status, 0) != child)
		return 0;
	return status == 0;
}

int
main(void)
{
	const char *python = getenv("PYTHON");
	char path[BENCH_PATH], flag[] = "-c", text[sizeof(simpy)];
	char *argv[] = {path, flag, text, NULL};
	struct bench_work works[2];
	struct bench_result r[2];
	struct bench_sim s;
	int has_peer;

	snprintf(path, sizeof(path), "%s",
		 python ? python : "/usr/bin/python3");
	snprintf(text, sizeof(text), "%s", simpy);
	has_peer = has_simpy(argv);
	bench_sim_open(&s);
	write_scenario(&s);
	works[0] = bench_sim_work(&s);
	works[1] = (struct bench_work){bench_execute, argv};
	bench_in_turn(works, has_peer ? 2 : 1, r);
	bench_sim_close(&s);
	printf("M/M/1: ours %.0f ns a customer\n",
	       r[0].seconds / CUSTOMERS * 1e9);
	if (has_peer)
		printf("SimPy: %.0f ns a customer, ratio %.2f\n",
		       r[1].seconds / CUSTOMERS * 1e9, r[1].ratio);
	else
		printf("SimPy is not installed (python3-simpy3)\n");
	return 0;
}
