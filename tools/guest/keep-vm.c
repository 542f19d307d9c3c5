// SPDX-License-Identifier: GPL-2.0
/*
 * Keeps a VM, which never runs, until the system powers off.
 *
 * The scheduler calls KVM only while there is a VM: the kernel patches these calls in with
 * the first and out with the last. When a CPU writes code, QEMU's TCG drops what it has
 * translated of it before it does the write (notdirty_write() in accel/tcg/cputlb.c). If
 * another CPU executes the code between the two, TCG translates the old code again, and
 * keeps that. A vCPU is then loaded, but not put.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/kvm.h>

int main(void)
{
	int kvm = open("/dev/kvm", O_RDWR);

	if (kvm < 0 || ioctl(kvm, KVM_CREATE_VM, 0) < 0) {
		perror("keep-vm");
		return 1;
	}
	for (;;)
		pause();
}
