// SPDX-License-Identifier: GPL-2.0-only
/*
 * ptrauth_nested - Test pointer authentication between L1 and L2.
 *
 * L1, at EL2, and L2 use the same key registers. What one writes the other has
 * to find, if L1 lets L2 use them; and if not, L1 has to get the trap and find
 * its keys as they were. When L1 enters L2 with ERETAA or ERETAB, KVM has to
 * authenticate with the key that L1 has at that moment.
 */
#include <linux/sizes.h>

#include "kvm_util.h"
#include "l2.h"
#include "processor.h"
#include "ptrauth.h"
#include "test_util.h"

#define SEED		0x9ac5eedUL

#define NR_ROUNDS	200

/* How many codes of each key are looked at, in the guest and outside. */
#define NR_CHECKS	3

#define HCR_BOTH	(HCR_EL2_API | HCR_EL2_APK)

/* How L2 came back to L1. */
static u64 l2_esr;

static struct kvm_random_state rng;
static struct ptrauth_codes own_codes;

/* Shared by L1 and L2. */
static struct ptrauth_keys keys;
static struct ptrauth_codes codes;

static u8 l1_stack[SZ_16K] __aligned(16);
static u8 l2_stack[SZ_16K] __aligned(16);

/* Guest code. */

/* L1's handler for what L2 does. */
static void l1_handler(struct ex_regs *regs)
{
	l2_esr = read_sysreg(esr_el1);
	l1_resume(regs);
}

static void l1_enter(void (*code)(void), enum l1_eret how, u64 expected_ec)
{
	u64 sp = (u64)l1_stack + sizeof(l1_stack), address = (u64)code;

	if (how == L1_ERETAA)
		address = ptrauth_sign(PTRAUTH_APIA, address, sp);
	if (how == L1_ERETAB)
		address = ptrauth_sign(PTRAUTH_APIB, address, sp);

	l1_eret(address, L2_PSTATE, sp, how);
	__GUEST_ASSERT(ESR_ELx_EC(l2_esr) == expected_ec,
		       "L2 came back with class 0x%lx, should be 0x%lx",
		       ESR_ELx_EC(l2_esr), expected_ec);
}

static void l1_start(u64 hcr)
{
	ptrauth_enable();
	l1_prepare_l2(hcr);
	write_sysreg_s((u64)l2_stack + sizeof(l2_stack), SYS_SP_EL1);
	isb();
}

static void new_keys(void)
{
	ptrauth_random_keys(&rng, &keys);
	ptrauth_write_keys(&keys);
	ptrauth_sign_all(&codes, NR_CHECKS);
}

static void l2_call(void)
{
	asm volatile("hvc #0" ::: "memory");
}

static void l2_check_and_change(void)
{
	ptrauth_guest_check(&keys, &codes, NR_CHECKS, "in L2");
	new_keys();
	l2_call();
}

static void l2_use_api(void)
{
	ptrauth_sign(PTRAUTH_APIA, 0, 0);
	l2_call();
}

static void l2_use_apk(void)
{
	ptrauth_read_half(PTRAUTH_APGAKEYHI);
	l2_call();
}

/* What one writes the other finds, across exits to user space as well. */
static void guest_share(void)
{
	int i;

	l1_start(HCR_BOTH);
	for (i = 0; i < NR_ROUNDS; i++) {
		new_keys();
		l1_enter(l2_check_and_change, L1_ERET, ESR_ELx_EC_HVC64);
		ptrauth_guest_check(&keys, &codes, NR_CHECKS, "back in L1");
		GUEST_SYNC(i);
		l1_enter(l2_check_and_change, L1_ERET, ESR_ELx_EC_HVC64);
		ptrauth_guest_check(&keys, &codes, NR_CHECKS, "back in L1");
	}
	GUEST_DONE();
}

/* L1 keeps its keys through an L2 that may use instructions, registers, or none. */
static void guest_traps(void)
{
	bool api, apk;
	int i;

	for (i = 0; i < NR_ROUNDS; i++) {
		api = i & 1;
		apk = i & 2;
		l1_start((api ? HCR_EL2_API : 0) | (apk ? HCR_EL2_APK : 0));
		new_keys();

		l1_enter(l2_use_api, L1_ERET,
			 api ? ESR_ELx_EC_HVC64 : ESR_ELx_EC_PAC);
		ptrauth_guest_check(&keys, &codes, NR_CHECKS, "after use in L2");
		l1_enter(l2_use_apk, L1_ERET,
			 apk ? ESR_ELx_EC_HVC64 : ESR_ELx_EC_SYS64);
		ptrauth_guest_check(&keys, &codes, NR_CHECKS, "after access in L2");
		GUEST_SYNC(i);
		ptrauth_guest_check(&keys, &codes, NR_CHECKS, "after an exit");
	}
	GUEST_DONE();
}

/* The key of the return is new each time, and no exit lies in between. */
static void guest_eretax(void)
{
	int i;

	l1_start(HCR_BOTH);
	for (i = 0; i < NR_ROUNDS; i++) {
		new_keys();
		l1_enter(l2_call, i & 1 ? L1_ERETAA : L1_ERETAB,
			 ESR_ELx_EC_HVC64);
		ptrauth_guest_check(&keys, &codes, NR_CHECKS, "back in L1");
	}
	GUEST_DONE();
}

/* Host code. */

static void test(void *guest_code, const char *what)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;

	vm = vm_create_with_l1(&vcpu, guest_code);
	vm_install_sync_handler(vm, VECTOR_SYNC_LOWER_64, ESR_ELx_EC_HVC64, l1_handler);
	vm_install_sync_handler(vm, VECTOR_SYNC_LOWER_64, ESR_ELx_EC_PAC, l1_handler);
	vm_install_sync_handler(vm, VECTOR_SYNC_LOWER_64, ESR_ELx_EC_SYS64, l1_handler);
	rng = new_kvm_random_state(SEED);
	sync_global_to_guest(vm, rng);

	do {
		vcpu_run(vcpu);
		ptrauth_host_check(&own_codes, NR_CHECKS, "after KVM_RUN");
	} while (ptrauth_get_ucall(vcpu) != UCALL_DONE);
	kvm_vm_free(vm);

	ksft_test_result_pass("%s\n", what);
}

int main(void)
{
	TEST_REQUIRE(kvm_has_cap(KVM_CAP_ARM_EL2));
	TEST_REQUIRE(kvm_has_ptrauth());
	TEST_REQUIRE(host_has_ptrauth());

	ptrauth_sign_all(&own_codes, NR_CHECKS);

	ksft_print_header();
	ksft_set_plan(3);
	ksft_print_msg("The seed of the keys is 0x%lx\n", SEED);

	test(guest_share, "L1 and L2 find each other's keys");
	test(guest_traps, "L1 keeps its keys through an L2 without some or all use of them");
	test(guest_eretax, "ERETAA and ERETAB authenticate with the key of the moment");

	ksft_finished();
}
