// SPDX-License-Identifier: GPL-2.0-only
/*
 * ptrauth_eretax - Compare KVM's ERETAA and ERETAB for a guest hypervisor with
 * what the CPU itself says of the same addresses.
 *
 * L1 returns to many random addresses, with right and with wrong codes, under
 * random keys and with all that the translation regime can make of the upper
 * bits. KVM authenticates each of them. L1 then asks the CPU, whose instructions
 * look at the same regime as long as L1 runs: XPACI tells which bits belong to
 * the code, and PACIA and PACIB which code is right.
 *
 * Nothing is mapped where the returns lead, so that each ends with an exception
 * that tells the address, unless the return itself is what faults.
 */
#include <linux/sizes.h>

#include "kvm_util.h"
#include "l2.h"
#include "processor.h"
#include "ptrauth.h"
#include "test_util.h"

#define SEED		0x9ac5eedUL

/* How often L1 returns, unless the command line says so. */
#define NR_RETURNS	100000

/* What TCR_EL1 has besides TCR_TBI1, for both halves of the address space. */
#define TCR_TBI0	BIT(37)
#define TCR_TBID0	BIT(51)
#define TCR_TBID1	BIT(52)

/* L1 tells the host that it still runs after so many. */
#define NR_BATCH	5000

#define EC_IABT_CUR	0x21
#define EC_FPAC		0x1c

/* From this level on, an ERETAA or ERETAB that fails to authenticate faults. */
#define LEVEL_FPACCOMBINE	5

#define FNV_PRIME	0x100000001b3UL

/* How a return ended. */
struct ending {
	u64 ec;
	u64 elr;
};

static struct ending ending;

/* What L1 has seen so far, in the lower half of the address space and in the upper. */
static struct half {
	u64 good;
	u64 faults;
	u64 disabled;
	u64 wrong;
	u64 digest;
} halves[2];

static u64 nr_returns;
static struct kvm_random_state rng;
static bool has_fpac;

static u8 eret_stack[SZ_16K] __aligned(16);
static u8 l2_stack[SZ_16K] __aligned(16);

/* Guest code. */

/* The end of a return, in L1 or in L2. From L2, L1 has to be told. */
static void end_handler(struct ex_regs *regs)
{
	ending.ec = ESR_ELx_EC(read_sysreg(esr_el1));
	ending.elr = regs->pc;
	if (get_current_el() == 1)
		asm volatile("hvc #0" ::: "memory");
	l1_resume(regs);
}

static u64 random_below(u64 limit)
{
	return kvm_random_u64(&rng) % limit;
}

/* An address of an instruction in either half, mostly without anything in its upper bits. */
static u64 random_address(void)
{
	u64 address = kvm_random_u64(&rng) & ~3UL;

	/* The lowest part is where the code of the guest itself is. */
	address |= BIT(40);

	return random_below(8) ? ptrauth_strip(address) : address;
}

/* Bits of the code, of the address, or anything at all. */
static u64 spoil(u64 address)
{
	switch (random_below(4)) {
	case 0:
		return address ^ BIT(2 + random_below(62));
	case 1:
		return address ^ BIT(48 + random_below(16));
	case 2:
		return address ^ (kvm_random_u64(&rng) & GENMASK(63, 48));
	default:
		return (kvm_random_u64(&rng) & ~3UL) | BIT(40);
	}
}

/*
 * A random regime, but for the size of the half that the guest's code is in. In
 * the other half the code goes down to bit 32 at most: KVM computes no more of it.
 */
static u64 random_tcr(u64 tcr)
{
	const u64 bits = TCR_TBI0 | TCR_TBI1 | TCR_TBID0 | TCR_TBID1;

	tcr &= ~(bits | GENMASK(21, 16));
	tcr |= kvm_random_u64(&rng) & bits;
	tcr |= (16 + random_below(17)) << 16;

	return tcr;
}

/* Whether a branch ignores the top byte of @address. */
static bool top_byte_ignored(u64 tcr, u64 address)
{
	if (address & BIT(55))
		return (tcr & TCR_TBI1) && !(tcr & TCR_TBID1);
	return (tcr & TCR_TBI0) && !(tcr & TCR_TBID0);
}

static u64 branch_address(u64 tcr, u64 address)
{
	if (!top_byte_ignored(tcr, address))
		return address;
	if (address & BIT(55))
		return address | GENMASK(63, 56);
	return address & ~GENMASK(63, 56);
}

static void one_return(u64 tcr, u64 sctlr)
{
	enum ptrauth_key key = random_below(2) ? PTRAUTH_APIA : PTRAUTH_APIB;
	bool enabled = random_below(16), to_l2 = !random_below(4), good;
	u64 sp = (u64)eret_stack + sizeof(eret_stack) - 16 * random_below(16);
	u64 address = ptrauth_sign(key, random_address(), sp), stripped;
	struct ending expected;
	struct half *half;

	if (random_below(2))
		address = spoil(address);
	stripped = ptrauth_strip(address);
	good = ptrauth_sign(key, stripped, sp) == address;
	if (!good && !has_fpac && enabled)
		return;

	if (!enabled) {
		write_sysreg(sctlr & ~(key == PTRAUTH_APIA ? SCTLR_ELx_ENIA : SCTLR_ELx_ENIB),
			     sctlr_el1);
		isb();
	}
	write_sysreg_s((u64)l2_stack + sizeof(l2_stack), SYS_SP_EL1);
	l1_eret(address, to_l2 ? L2_PSTATE : L1_PSTATE, sp,
		key == PTRAUTH_APIA ? L1_ERETAA : L1_ERETAB);
	write_sysreg(sctlr, sctlr_el1);
	isb();

	if (good || !enabled) {
		expected.ec = EC_IABT_CUR;
		expected.elr = branch_address(tcr, enabled ? stripped : address);
	} else {
		expected.ec = EC_FPAC;
		expected.elr = key == PTRAUTH_APIA ? l1_frame.eretaa : l1_frame.eretab;
	}

	half = &halves[!!(address & BIT(55))];
	half->disabled += !enabled;
	half->good += enabled && good;
	half->faults += enabled && !good;
	half->digest = (half->digest ^ ending.ec) * FNV_PRIME;
	half->digest = (half->digest ^ ending.elr) * FNV_PRIME;
	if (ending.ec == expected.ec && ending.elr == expected.elr)
		return;

	if (!half->wrong++)
		GUEST_PRINTF("0x%lx to EL%u, TCR 0x%lx, %s%s: 0x%lx at 0x%lx, not 0x%lx at 0x%lx\n",
			     address, to_l2 ? 1 : 2, tcr, ptrauth_key_name[key],
			     enabled ? "" : " disabled", ending.ec, ending.elr,
			     expected.ec, expected.elr);
}

static void guest_code(void)
{
	u64 tcr = read_sysreg(tcr_el1), sctlr;
	struct ptrauth_keys keys;
	u64 i;

	ptrauth_enable();
	sctlr = read_sysreg(sctlr_el1);
	l1_prepare_l2(HCR_EL2_API | HCR_EL2_APK);

	for (i = 0; i < nr_returns; i++) {
		if (!(i % 16)) {
			ptrauth_random_keys(&rng, &keys);
			ptrauth_write_keys(&keys);
			tcr = random_tcr(tcr);
			write_sysreg(tcr, tcr_el1);
			write_sysreg_s(tcr, SYS_TCR_EL12);
			isb();
		}
		one_return(tcr, sctlr);
		if (!(i % NR_BATCH))
			GUEST_SYNC(i);
	}
	GUEST_DONE();
}

/* Host code. */

static bool vm_has_fpac(struct kvm_vcpu *vcpu)
{
	u64 isar1 = vcpu_get_reg(vcpu, KVM_ARM64_SYS_REG(SYS_ID_AA64ISAR1_EL1));
	u64 isar2 = vcpu_get_reg(vcpu, KVM_ARM64_SYS_REG(SYS_ID_AA64ISAR2_EL1));

	return FIELD_GET(ID_AA64ISAR1_EL1_APA, isar1) >= LEVEL_FPACCOMBINE ||
	       FIELD_GET(ID_AA64ISAR1_EL1_API, isar1) >= LEVEL_FPACCOMBINE ||
	       FIELD_GET(ID_AA64ISAR2_EL1_APA3, isar2) >= LEVEL_FPACCOMBINE;
}

int main(int argc, char *argv[])
{
	static const char * const names[] = { "lower", "upper" };
	struct kvm_vcpu *vcpu;
	struct half *half;
	struct kvm_vm *vm;
	int i;

	TEST_REQUIRE(kvm_has_cap(KVM_CAP_ARM_EL2));
	TEST_REQUIRE(kvm_has_ptrauth());

	ksft_print_header();
	ksft_set_plan(ARRAY_SIZE(halves));
	ksft_print_msg("The seed is 0x%lx\n", SEED);

	vm = vm_create_with_l1(&vcpu, guest_code);
	vm_install_sync_handler(vm, VECTOR_SYNC_CURRENT, EC_IABT_CUR, end_handler);
	vm_install_sync_handler(vm, VECTOR_SYNC_CURRENT, EC_FPAC, end_handler);
	vm_install_sync_handler(vm, VECTOR_SYNC_LOWER_64, ESR_ELx_EC_HVC64, l1_resume);

	nr_returns = argc > 1 ? strtoul(argv[1], NULL, 0) : NR_RETURNS;
	sync_global_to_guest(vm, nr_returns);
	rng = new_kvm_random_state(SEED);
	sync_global_to_guest(vm, rng);
	has_fpac = vm_has_fpac(vcpu);
	sync_global_to_guest(vm, has_fpac);

	do
		vcpu_run(vcpu);
	while (ptrauth_get_ucall(vcpu) != UCALL_DONE);

	sync_global_from_guest(vm, halves);
	for (i = 0; i < ARRAY_SIZE(halves); i++) {
		half = &halves[i];
		ksft_print_msg("%s half: %lu right codes, %lu faults, %lu times not enabled\n",
			       names[i], half->good, half->faults, half->disabled);
		ksft_print_msg("%s half: digest 0x%lx\n", names[i], half->digest);
		ksft_test_result(!half->wrong && half->good && half->disabled &&
				 (half->faults || !has_fpac),
				 "in the %s half, ERETAA and ERETAB do what the CPU does\n",
				 names[i]);
	}
	kvm_vm_free(vm);

	ksft_finished();
}
