/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The CPUs that a test was allowed to run on when it started, and how to take one away.
 */
#ifndef SELFTEST_KVM_ALLOWED_CPUS_H
#define SELFTEST_KVM_ALLOWED_CPUS_H

#include <sched.h>

#include "test_util.h"
#include "write_file.h"

static cpu_set_t allowed_cpus;

/* Call this before anything else here, while nothing is pinned. */
static inline void find_allowed_cpus(void)
{
	TEST_ASSERT(!sched_getaffinity(0, sizeof(allowed_cpus), &allowed_cpus),
		    "Cannot get the CPU affinity");
}

/* The next one after @cpu, in a circle. The first is the one after -1. */
static inline int next_allowed_cpu(int cpu)
{
	do {
		cpu = (cpu + 1) % CPU_SETSIZE;
	} while (!CPU_ISSET(cpu, &allowed_cpus));

	return cpu;
}

/* Let the calling thread run on all of them again. */
static inline void unpin_self(void)
{
	TEST_ASSERT(!sched_setaffinity(0, sizeof(allowed_cpus), &allowed_cpus),
		    "Cannot reset the CPU affinity");
}

/* False if the CPU cannot be unplugged or plugged, which takes root. */
static inline bool set_cpu_online(int cpu, bool online)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/online", cpu);
	return write_file(path, online ? "1" : "0");
}

#endif /* SELFTEST_KVM_ALLOWED_CPUS_H */
