/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The memory that the kernel uses for itself, to tell whether a test has leaked some.
 */
#ifndef SELFTEST_KVM_MEMORY_USE_H
#define SELFTEST_KVM_MEMORY_USE_H

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "test_util.h"
#include "write_file.h"

/* How often to look again when there is more than before: what RCU frees comes late. */
#define MEMORY_USE_TRIES	20

struct memory_use {
	/* Objects in use, of all caches that are not reclaimable, in bytes. */
	long slab;
	/* Pages that are not free and belong neither to user space nor to files, in KiB. */
	long pages;
};

/*
 * Caches keep freed objects at hand for each CPU and count them as used. Shrinking
 * them gives those back.
 */
static inline bool memory_use_settle(void)
{
	DIR *dir = opendir("/sys/kernel/slab");
	struct dirent *entry;
	char path[512];
	bool ok = dir;

	ok &= write_file("/proc/sys/vm/drop_caches", "3");
	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/sys/kernel/slab/%s/shrink", entry->d_name);
		ok &= write_file(path, "1");
	}
	if (dir)
		closedir(dir);

	return ok;
}

static inline bool memory_use_slab(long *bytes)
{
	FILE *file = fopen("/proc/slabinfo", "r");
	bool ok = file;
	long active, size;
	char line[512];

	*bytes = 0;
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "%*s %ld %*d %ld", &active, &size) == 2)
			*bytes += active * size;
	if (file)
		fclose(file);

	return ok;
}

/* The free pages that each CPU keeps at hand, which MemFree leaves out. */
static inline bool memory_use_pages_at_hand(long *kib)
{
	FILE *file = fopen("/proc/zoneinfo", "r");
	bool ok = file;
	char line[128];
	long count;

	*kib = 0;
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, " count: %ld", &count) == 1)
			*kib += count * (getpagesize() / 1024);
	if (file)
		fclose(file);

	return ok;
}

static inline bool memory_use_pages(long *kib)
{
	/* What to take away from all there is. */
	static const char * const others[] = {
		"MemFree", "Buffers", "Cached", "AnonPages", "SReclaimable",
	};
	FILE *file = fopen("/proc/meminfo", "r");
	char line[128], name[64];
	long value, at_hand;
	bool ok = memory_use_pages_at_hand(&at_hand) && file;
	int i;

	*kib = -at_hand;
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%63[^:]: %ld", name, &value) != 2)
			continue;
		if (!strcmp(name, "MemTotal"))
			*kib += value;
		for (i = 0; i < ARRAY_SIZE(others); i++)
			if (!strcmp(name, others[i]))
				*kib -= value;
	}
	if (file)
		fclose(file);

	return ok;
}

/* False if this cannot be measured: it takes root and SLUB's files in sysfs. */
static inline bool memory_use(struct memory_use *use)
{
	return memory_use_settle() && memory_use_slab(&use->slab) &&
	       memory_use_pages(&use->pages);
}

/*
 * The result of a test: sooner or later, the use must exceed @before by no more than
 * @slab bytes and @pages KiB. A skip if @measured is false: @before is unknown then.
 */
static inline void memory_use_result(bool measured, const struct memory_use *before,
				     long slab, long pages)
{
	struct memory_use now = {};
	bool back = false;
	int i;

	if (!measured) {
		ksft_test_result_skip("memory afterwards: cannot be measured\n");
		return;
	}

	for (i = 0; !back && i < MEMORY_USE_TRIES; i++) {
		if (i)
			usleep(250000);
		back = memory_use(&now) && now.slab - before->slab <= slab &&
		       now.pages - before->pages <= pages;
	}
	ksft_test_result(back, "memory afterwards: slab %+ld KiB, pages %+ld KiB\n",
			 (now.slab - before->slab) / 1024, now.pages - before->pages);
}

#endif /* SELFTEST_KVM_MEMORY_USE_H */
