// SPDX-License-Identifier: GPL-2.0
/*
 * One process on each CPU signs and authenticates again and again with keys of its
 * own. The PACs must stay the same whatever happens to the machine below. So this
 * tells whether a guest still has its keys.
 *
 * Usage: ptrauth-loop <rounds, 0 for no end>
 *
 * Prints a line per round, which is half a second, and "FAILED" at the first wrong
 * PAC.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ptrauth-insns.h"

/* A PAC may have as few as three bits. */
#define NR_CODES	32

#define NR_KEYS		5
#define MAX_CPUS	64

static const struct key {
	const char *name;
	uint64_t (*sign)(uint64_t value, uint64_t modifier);
	uint64_t (*auth)(uint64_t value, uint64_t modifier);
} keys[NR_KEYS] = {
	{ "APIA", pacia, autia },
	{ "APIB", pacib, autib },
	{ "APDA", pacda, autda },
	{ "APDB", pacdb, autdb },
	{ "APGA", pacga, NULL },
};

static uint64_t pointer(unsigned int i)
{
	return 0x123456780000UL + i * 0x10010UL;
}

/* Signs, authenticates, and compares with what was signed first. */
static bool pass(uint64_t codes[NR_KEYS][NR_CODES], int cpu)
{
	for (unsigned int k = 0; k < NR_KEYS; k++) {
		for (unsigned int i = 0; i < NR_CODES; i++) {
			uint64_t code = keys[k].sign(pointer(i), i);

			if (code != codes[k][i]) {
				printf("FAILED: CPU %d: %s signs 0x%lx, should be 0x%lx\n",
				       cpu, keys[k].name, code, codes[k][i]);
				return false;
			}
			if (keys[k].auth && keys[k].auth(code, i) != pointer(i)) {
				printf("FAILED: CPU %d: %s does not authenticate 0x%lx\n",
				       cpu, keys[k].name, code);
				return false;
			}
		}
	}

	return true;
}

static void sign_on(int cpu, volatile unsigned long *passes)
{
	uint64_t codes[NR_KEYS][NR_CODES];
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || sched_setaffinity(0, sizeof(set), &set) ||
	    prctl(PR_PAC_RESET_KEYS, 0, 0, 0, 0)) {
		printf("FAILED: CPU %d: no keys of its own\n", cpu);
		return;
	}

	for (unsigned int k = 0; k < NR_KEYS; k++)
		for (unsigned int i = 0; i < NR_CODES; i++)
			codes[k][i] = keys[k].sign(pointer(i), i);

	while (pass(codes, cpu))
		(*passes)++;
}

int main(int argc, char *argv[])
{
	unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 0, last = 0;
	volatile unsigned long *passes;
	int cpus = 0, cpu, status;
	cpu_set_t set;

	/* What a process is about to say must not be said again by those it forks. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	passes = mmap(NULL, MAX_CPUS * sizeof(*passes), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (passes == MAP_FAILED || sched_getaffinity(0, sizeof(set), &set)) {
		printf("FAILED: no memory, or no CPU\n");
		return 1;
	}

	for (cpu = 0; cpu < MAX_CPUS; cpu++) {
		if (!CPU_ISSET(cpu, &set))
			continue;
		cpus++;
		switch (fork()) {
		case 0:
			sign_on(cpu, &passes[cpu]);
			fflush(stdout);
			_exit(1);
		case -1:
			printf("FAILED: cannot fork\n");
			return 1;
		}
	}

	for (unsigned long round = 1; !rounds || round <= rounds; round++) {
		unsigned long sum = 0;

		usleep(500000);
		for (cpu = 0; cpu < MAX_CPUS; cpu++)
			sum += passes[cpu];
		/* A process ends by itself only if it finds a wrong PAC. */
		if (waitpid(-1, &status, WNOHANG)) {
			printf("FAILED: a process ended with status 0x%x\n", status);
			return 1;
		}
		printf("round %lu: %d CPUs, %lu passes\n", round, cpus, sum);
		if (sum == last) {
			printf("FAILED: nothing was signed\n");
			return 1;
		}
		last = sum;
	}

	return 0;
}
