/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writing to the kernel's files in sysfs, debugfs and the like.
 */
#ifndef SELFTEST_KVM_WRITE_FILE_H
#define SELFTEST_KVM_WRITE_FILE_H

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

/* False if the file is not there, may not be written, or does not take @text. */
static inline bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);

	return ok;
}

#endif /* SELFTEST_KVM_WRITE_FILE_H */
