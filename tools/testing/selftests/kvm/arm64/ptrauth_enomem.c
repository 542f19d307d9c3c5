// SPDX-License-Identifier: GPL-2.0-only
/*
 * ptrauth_enomem - Make a VM and a vCPU with pointer authentication many times. Each
 * time, another allocation of the kernel fails.
 *
 * Either the failure does no harm, or a call returns ENOMEM. Afterwards, all must work
 * as before. Needs CONFIG_FAILSLAB and CONFIG_FAULT_INJECTION_DEBUG_FS.
 */
#include <fcntl.h>
#include <sys/mman.h>

#include <linux/sizes.h>

#include "kvm_util.h"
#include "processor.h"
#include "ptrauth.h"
#include "test_util.h"
#include "write_file.h"

/* More than making a VM ever takes. */
#define MAX_ALLOCATIONS	5000

#define KEY_HALF	0x5ca1ab1eUL
#define GUEST_MMIO	0x40000000UL

static int fail_nth_fd;
static void *guest_memory;

/* Guest code: sets a key, and exits. */
static const u32 guest_code[] = {
	0xd5182100,	/* msr	APIAKeyLo_EL1, x0 */
	0xd2a80001,	/* mov	x1, #0x40000000 */
	0xb9000020,	/* str	w0, [x1] */
};

/* Let allocations that may wait for memory fail, too, and do not log failures. */
static bool set_up_failslab(void)
{
	return write_file("/sys/kernel/debug/failslab/ignore-gfp-wait", "0") &&
	       write_file("/sys/kernel/debug/failslab/verbose", "0");
}

/* Let the @nth allocation of this thread from now on fail, or none if @nth is 0. */
static void fail_nth(unsigned int nth)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", nth);

	TEST_ASSERT(pwrite(fail_nth_fd, text, len, 0) == len, "Cannot make allocations fail");
}

/* How many allocations are left before one fails, 0 if it has failed. */
static int fail_nth_left(void)
{
	char text[16] = {};

	TEST_ASSERT(pread(fail_nth_fd, text, sizeof(text) - 1, 0) > 0,
		    "Cannot tell whether an allocation failed");
	return atoi(text);
}

static bool try(int kvm, int *vm, int *vcpu)
{
	struct kvm_vcpu_init init = {
		.target = KVM_ARM_TARGET_GENERIC_V8,
		.features[0] = BIT(KVM_ARM_VCPU_PSCI_0_2) | PTRAUTH_FEATURES,
	};
	struct kvm_userspace_memory_region region = {
		.memory_size = SZ_64K,
		.userspace_addr = (u64)guest_memory,
	};
	u64 value = KEY_HALF;
	struct kvm_one_reg reg = { .addr = (u64)&value };
	int half;

	*vm = ioctl(kvm, KVM_CREATE_VM, 0UL);
	if (*vm < 0)
		return false;
	if (ioctl(*vm, KVM_SET_USER_MEMORY_REGION, &region))
		return false;
	*vcpu = ioctl(*vm, KVM_CREATE_VCPU, 0UL);
	if (*vcpu < 0)
		return false;
	if (ioctl(*vcpu, KVM_ARM_VCPU_INIT, &init))
		return false;
	for (half = 0; half < PTRAUTH_NR_HALVES; half++) {
		reg.id = ptrauth_half_id[half];
		if (ioctl(*vcpu, KVM_SET_ONE_REG, &reg))
			return false;
	}

	return !ioctl(*vcpu, KVM_RUN, NULL);
}

/*
 * The guest has exited at its store. Its keys are those that it was given, except for the
 * half that it has written itself.
 */
static void check_guest(int vcpu)
{
	struct kvm_run *run = mmap(NULL, sizeof(*run), PROT_READ, MAP_SHARED, vcpu, 0);
	u64 value;
	struct kvm_one_reg reg = { .addr = (u64)&value };
	int half;

	TEST_ASSERT(run != MAP_FAILED, "Cannot map a vCPU: %s", strerror(errno));
	TEST_ASSERT(run->exit_reason == KVM_EXIT_MMIO && run->mmio.phys_addr == GUEST_MMIO,
		    "The guest left with reason %u", run->exit_reason);
	munmap(run, sizeof(*run));

	for (half = 0; half < PTRAUTH_NR_HALVES; half++) {
		reg.id = ptrauth_half_id[half];
		TEST_ASSERT(!ioctl(vcpu, KVM_GET_ONE_REG, &reg), "Cannot read a key");
		TEST_ASSERT(value == (half ? KEY_HALF : 0), "Half %d of the keys is 0x%lx", half,
			    value);
	}
}

/* Returns 0, or the error of the call that failed. */
static int make_vm(int kvm, unsigned int nth, bool *injected)
{
	int vm = -1, vcpu = -1, error;

	fail_nth(nth);
	error = try(kvm, &vm, &vcpu) ? 0 : errno;
	*injected = nth && !fail_nth_left();
	fail_nth(0);
	if (!error)
		check_guest(vcpu);
	if (vcpu >= 0)
		close(vcpu);
	if (vm >= 0)
		close(vm);

	return error;
}

int main(void)
{
	unsigned int nth, refused = 0, harmless = 0;
	bool injected;
	int kvm, error;

	TEST_REQUIRE(kvm_has_ptrauth());
	fail_nth_fd = open("/proc/thread-self/fail-nth", O_RDWR);
	__TEST_REQUIRE(fail_nth_fd >= 0 && set_up_failslab(), "CONFIG_FAILSLAB is needed");

	ksft_print_header();
	ksft_set_plan(2);
	guest_memory = mmap(NULL, SZ_64K, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			    -1, 0);
	TEST_ASSERT(guest_memory != MAP_FAILED, "No memory for the guest");
	memcpy(guest_memory, guest_code, sizeof(guest_code));
	kvm = open_kvm_dev_path_or_exit();
	error = make_vm(kvm, 0, &injected);
	TEST_ASSERT(!error, "Without a failure: %s", strerror(error));

	for (nth = 1; nth < MAX_ALLOCATIONS; nth++) {
		error = make_vm(kvm, nth, &injected);
		TEST_ASSERT(!error || (injected && error == ENOMEM), "Allocation %u: %s", nth,
			    strerror(error));
		if (!injected)
			break;
		if (error)
			refused++;
		else
			harmless++;
	}
	ksft_test_result(nth < MAX_ALLOCATIONS && refused,
			 "%u allocations failed, %u times ENOMEM, %u times no harm\n", nth - 1,
			 refused, harmless);

	error = make_vm(kvm, 0, &injected);
	ksft_test_result(!error, "afterwards all works as before\n");

	ksft_finished();
}
