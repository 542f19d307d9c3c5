/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The CPUs that a test was allowed to run on when it started, and how to take one away.
 */
#ifndef SELFTEST_KVM_ALLOWED_CPUS_H
#define SELFTEST_KVM_ALLOWED_CPUS_H

#include <sched.h>
#include <unistd.h>

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

/*
 * One that is slow to come up, as under emulation, may need another try. So may one of a
 * system that hibernates.
 */
static inline void bring_cpu_back(int cpu)
{
	int tries = 1;

	while (!set_cpu_online(cpu, true)) {
		TEST_ASSERT(tries++ < 50, "Cannot bring CPU %d back", cpu);
		usleep(100000);
	}
}

/* For atexit(), so that a test that fails leaves none unplugged. */
static inline void bring_all_cpus_back(void)
{
	int cpu, first = next_allowed_cpu(-1);

	for (cpu = next_allowed_cpu(first); cpu != first; cpu = next_allowed_cpu(cpu))
		set_cpu_online(cpu, true);
}

#endif /* SELFTEST_KVM_ALLOWED_CPUS_H */
