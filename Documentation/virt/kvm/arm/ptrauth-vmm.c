// SPDX-License-Identifier: GPL-2.0
/*
 * A minimal VMM that turns pointer authentication on. Its guest has one page. It
 * signs a value with a key that the VMM sets, and passes the PAC to the VMM with a
 * store to an address without memory.
 */
#include <err.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <linux/kvm.h>

#define PAGE	0x10000
#define RAM	0x10000
#define MMIO	0x20000

#define CORE_REG(name) (KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE | \
			KVM_REG_ARM_CORE_REG(name))
#define APGAKEYLO_EL1	ARM64_SYS_REG(3, 0, 2, 3, 0)
#define APGAKEYHI_EL1	ARM64_SYS_REG(3, 0, 2, 3, 1)

static const __u32 guest[] = {
	0x9ac23020,	/* pacga x0, x1, x2 */
	0xf9000060,	/* str   x0, [x3] */
};

/* Both or none: KVM_ARM_VCPU_INIT does not take one without the other. */
static bool has_ptrauth(int vm)
{
	return ioctl(vm, KVM_CHECK_EXTENSION, KVM_CAP_ARM_PTRAUTH_ADDRESS) == 1 &&
	       ioctl(vm, KVM_CHECK_EXTENSION, KVM_CAP_ARM_PTRAUTH_GENERIC) == 1;
}

static int init_vcpu(int vm, int vcpu)
{
	struct kvm_vcpu_init init;

	if (ioctl(vm, KVM_ARM_PREFERRED_TARGET, &init))
		return -1;

	if (has_ptrauth(vm)) {
		init.features[0] |= 1U << KVM_ARM_VCPU_PTRAUTH_ADDRESS;
		init.features[0] |= 1U << KVM_ARM_VCPU_PTRAUTH_GENERIC;
	}

	return ioctl(vcpu, KVM_ARM_VCPU_INIT, &init);
}

static void set_reg(int vcpu, __u64 id, __u64 value)
{
	struct kvm_one_reg reg = { .id = id, .addr = (uintptr_t)&value };

	if (ioctl(vcpu, KVM_SET_ONE_REG, &reg))
		err(1, "register 0x%llx", id);
}

int main(void)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	int vm = ioctl(kvm, KVM_CREATE_VM, 0);
	int vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	void *ram = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct kvm_userspace_memory_region region = {
		.guest_phys_addr = RAM,
		.memory_size = PAGE,
		.userspace_addr = (uintptr_t)ram,
	};
	struct kvm_run *run;
	__u64 pac;

	if (vcpu < 0 || ram == MAP_FAILED)
		err(1, "no VM");
	if (!has_ptrauth(vm))
		errx(1, "no pointer authentication for guests");

	memcpy(ram, guest, sizeof(guest));
	run = mmap(NULL, ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0),
		   PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	if (run == MAP_FAILED || ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region) ||
	    init_vcpu(vm, vcpu))
		err(1, "no vCPU");

	set_reg(vcpu, CORE_REG(regs.pc), RAM);
	set_reg(vcpu, CORE_REG(regs.regs[1]), 0x1122334455667788);
	set_reg(vcpu, CORE_REG(regs.regs[2]), 42);
	set_reg(vcpu, CORE_REG(regs.regs[3]), MMIO);
	set_reg(vcpu, APGAKEYLO_EL1, 0x0123456789abcdef);
	set_reg(vcpu, APGAKEYHI_EL1, 0xfedcba9876543210);

	if (ioctl(vcpu, KVM_RUN, 0))
		err(1, "the guest does not run");
	if (run->exit_reason != KVM_EXIT_MMIO || run->mmio.phys_addr != MMIO)
		errx(1, "the guest has no PACGA: exit %u", run->exit_reason);

	memcpy(&pac, run->mmio.data, sizeof(pac));
	printf("the guest's PAC: 0x%016llx\n", pac);
	return 0;
}
