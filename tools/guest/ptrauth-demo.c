// SPDX-License-Identifier: GPL-2.0
/*
 * Shows what pointer authentication does for a process: signs and authenticates
 * with all five keys, and tries forged pointers. Without the feature, shows that
 * it is really off.
 *
 * PTRAUTH_EXPECT=1 or 0 in the environment says which of the two must be the
 * case. The output is TAP.
 */
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ptrauth-insns.h"

#ifndef HWCAP_PACA
#define HWCAP_PACA	(1UL << 30)
#define HWCAP_PACG	(1UL << 31)
#endif

/*
 * With a large address space and tagged addresses a PAC has as few as three bits.
 * So one in eight forged pointers passes, and it takes many to be sure.
 */
#define TRIES		64

/* Bit 54 is part of the PAC whatever the size of the address space. */
#define FORGED_BIT	(1UL << 54)

/* Kept until the end, because TAP begins with their number. */
static struct {
	bool ok;
	char what[80];
} results[32];

static unsigned int nr, failed;

static void result(bool ok, const char *what)
{
	results[nr].ok = ok;
	snprintf(results[nr].what, sizeof(results[nr].what), "%s", what);
	nr++;
	failed += !ok;
}

static void print_results(void)
{
	printf("1..%u\n", nr);
	for (unsigned int i = 0; i < nr; i++)
		printf("%sok %u %s\n", results[i].ok ? "" : "not ", i + 1, results[i].what);
}

/* PACIA1716 is a NOP where there is no pointer authentication. */
static uint64_t pacia_hint(uint64_t value, uint64_t modifier)
{
	register uint64_t x17 asm("x17") = value;
	register uint64_t x16 asm("x16") = modifier;

	asm volatile("hint #8" : "+r" (x17) : "r" (x16));
	return x17;
}

static uint64_t target = 42;

static void callee(void)
{
}

static const struct key {
	const char *name;
	uint64_t (*sign)(uint64_t value, uint64_t modifier);
	uint64_t (*auth)(uint64_t value, uint64_t modifier);
	bool code;
} keys[] = {
	{ "APIA", pacia, autia, true },
	{ "APIB", pacib, autib, true },
	{ "APDA", pacda, autda, false },
	{ "APDB", pacdb, autdb, false },
};

#define NR_KEYS		(sizeof(keys) / sizeof(keys[0]))

static uint64_t pointer_for(const struct key *key)
{
	return key->code ? (uint64_t)callee : (uint64_t)&target;
}

static void use(const struct key *key, uint64_t pointer)
{
	if (key->code)
		((void (*)(void))pointer)();
	else if (*(volatile uint64_t *)pointer != 42)
		abort();
}

/* Runs @fn in a child and returns the signal that ended it, 0 if none did. */
static int signal_of(void (*fn)(const struct key *key), const struct key *key)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0)
		exit(1);
	if (!pid) {
		fn(key);
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid)
		exit(1);

	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void use_signed(const struct key *key)
{
	use(key, key->auth(key->sign(pointer_for(key), 1), 1));
}

static void use_forged(const struct key *key)
{
	use(key, key->auth(key->sign(pointer_for(key), 1) ^ FORGED_BIT, 1));
}

static void show_key(const struct key *key)
{
	unsigned int changed = 0, good = 0;
	uint64_t pointer = pointer_for(key);
	char what[80];
	int sig;

	for (uint64_t modifier = 0; modifier < TRIES; modifier++) {
		uint64_t code = key->sign(pointer, modifier);

		changed += code != pointer;
		good += key->auth(code, modifier) == pointer;
	}
	snprintf(what, sizeof(what), "%s signs, and authenticates what it signed", key->name);
	result(changed && good == TRIES && !signal_of(use_signed, key), what);

	sig = signal_of(use_forged, key);
	snprintf(what, sizeof(what), "%s refuses a forged pointer (%s)", key->name,
		 sig ? strsignal(sig) : "it was used");
	result(sig == SIGILL || sig == SIGSEGV, what);
}

static void show_generic(void)
{
	unsigned int same = 0, differ = 0, low = 0;

	for (uint64_t modifier = 0; modifier < TRIES; modifier++) {
		uint64_t code = pacga(42, modifier);

		same += code == pacga(42, modifier);
		differ += code != pacga(43, modifier);
		low += !!(uint32_t)code;
	}
	result(same == TRIES && differ && !low, "APGA signs data");
}

/*
 * Without the keys turned on in SCTLR_EL1, signing does nothing; on a CPU without
 * the feature, it is undefined. Both are fine, a signed pointer is not.
 */
static void sign(const struct key *key)
{
	for (uint64_t modifier = 0; modifier < TRIES; modifier++)
		if (key->sign(pointer_for(key), modifier) != pointer_for(key))
			abort();
}

/* APGA cannot be turned off, only be undefined. */
static void sign_generic(const struct key *key)
{
	(void)key;
	pacga(0, 0);
}

static void show_absence(void)
{
	unsigned int unchanged = 0;
	char what[80];

	for (uint64_t modifier = 0; modifier < TRIES; modifier++)
		unchanged += pacia_hint((uint64_t)&target, modifier) == (uint64_t)&target;
	result(unchanged == TRIES, "PACIA1716 does nothing");

	for (size_t i = 0; i < NR_KEYS; i++) {
		int sig = signal_of(sign, &keys[i]);

		snprintf(what, sizeof(what), "%s signs nothing (%s)", keys[i].name,
			 sig ? strsignal(sig) : "no effect");
		result(!sig || sig == SIGILL, what);
	}
	result(signal_of(sign_generic, NULL) == SIGILL, "signing with APGA is undefined");
}

/* What the kernel tells users of the CPU: the line of features, empty if none. */
static const char *cpuinfo_features(void)
{
	static char line[4096];
	FILE *f;

	f = fopen("/proc/cpuinfo", "r");
	while (f && fgets(line, sizeof(line), f)) {
		if (!strncmp(line, "Features", 8)) {
			line[strcspn(line, "\n")] = ' ';
			fclose(f);
			return line;
		}
	}

	return "";
}

int main(void)
{
	unsigned long hwcap = getauxval(AT_HWCAP);
	const char *features = cpuinfo_features();
	const char *expect = getenv("PTRAUTH_EXPECT");
	bool address = hwcap & HWCAP_PACA, generic = hwcap & HWCAP_PACG;

	printf("TAP version 13\n");
	printf("# %s\n", features);
	result(!!strstr(features, " paca ") == address && !!strstr(features, " pacg ") == generic,
	       "/proc/cpuinfo and the hardware capabilities agree");
	result(address == generic, "address and generic authentication come as a pair");
	if (expect && *expect)
		result(address == (*expect == '1'),
		       *expect == '1' ? "pointer authentication is there, as expected"
				      : "pointer authentication is off, as expected");

	if (address && generic) {
		for (size_t i = 0; i < NR_KEYS; i++)
			show_key(&keys[i]);
		show_generic();
	} else if (!address) {
		show_absence();
	}
	print_results();

	return !!failed;
}
