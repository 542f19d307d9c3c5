// SPDX-License-Identifier: GPL-2.0-only
/*
 * ptrauth_eretax - Compare KVM's ERETAA and ERETAB for a guest hypervisor with
 * the CPU's BRAA and BRAB.
 *
 * KVM emulates the exception returns of L1, so it must authenticate ELR_EL2.
 * BRAA and BRAB do to a register what ERETAA and ERETAB do to ELR_EL2: the key,
 * the modifier, the enables, the bits that belong to the PAC, the PAC Fail
 * exception and the corruption of a wrong address are the same. L1 executes them
 * itself, and the CPU looks at the same registers as KVM. So each address is
 * tried twice, first with a BRAx and then with an ERETAx. Nothing is where the
 * addresses lead, so that each attempt ends with an exception, whose class and
 * address have to be the same, unless SPSR_EL2 makes an Illegal Execution state
 * exception of a good return.
 *
 * L1 sets its translation regime to random states for this. So its MMU is off most
 * of the time, which does not matter to pointer authentication.
 */
#include "eretax_cage.h"
#include "kvm_util.h"
#include "l2.h"
#include "processor.h"
#include "ptrauth.h"
#include "test_util.h"

#define SEED		0x9ac5eedUL

/* How many returns L1 tries, unless the command line says so. */
#define NR_RETURNS	10000

/* One in so many without E2H, where each costs more. */
#define NR_E2H_SHARE	4

/* L1 tells the host that it still runs after so many. */
#define NR_BATCH	5000

/* New keys after so many. */
#define NR_PER_KEYS	16

#define EC_ILL		0x0e
#define EC_FPAC		0x1c
#define EC_IABT_LOW	0x20
#define EC_IABT_CUR	0x21

/* What TCR_EL1 has, and TCR_EL2 with E2H. */
#define TCR_T1SZ(size)	((size) << 16)
#define TCR_TG1_16K	(UL(1) << 30)
#define TCR_TG1_4K	(UL(2) << 30)
#define TCR_TG1_64K	(UL(3) << 30)
#define TCR_TBI0	BIT(37)
#define TCR_TBID0	BIT(51)
#define TCR_TBID1	BIT(52)
#define TCR_UPPER	(GENMASK(21, 16) | GENMASK(31, 30) | TCR_TBI1 | TCR_TBID1)

/* What TCR_EL2 has without E2H. */
#define TCR_EL2_PS	16
#define TCR_EL2_TBI	BIT(20)
#define TCR_EL2_TBID	BIT(29)
#define TCR_EL2_DS	BIT(32)
#define TCR_EL2_RES1	(BIT(31) | BIT(23))

#define MAX_TXSZ	39

/* No address that is tried lies below. There is no memory between this and twice as much. */
#define UNMAPPED_BIT	24

enum part { E2H_LOWER, E2H_UPPER, NO_E2H, NR_PARTS };

static const char * const part_name[NR_PARTS] = {
	[E2H_LOWER] = "with E2H, in the lower half",
	[E2H_UPPER] = "with E2H, in the upper half",
	[NO_E2H] = "without E2H",
};

static struct score {
	u64 good;
	u64 refused;
	u64 disabled;
	u64 illegal;
	u64 wrong;
} scores[NR_PARTS];

static struct try try;

static u64 digest = PTRAUTH_DIGEST;
static u64 nr_returns;
static struct kvm_random_state rng;
static bool e2h;
static u64 lib_tcr, lib_ttbr0, lib_sctlr;

/* Guest code. */

static u64 random_u64(void)
{
	return ptrauth_random_u64(&rng);
}

static u64 random_below(u64 limit)
{
	return random_u64() % limit;
}

static u64 random_of(u64 bits)
{
	return random_u64() & bits;
}

enum granule { GRANULE_4K, GRANULE_16K, GRANULE_64K, NR_GRANULES };

/*
 * The least is 12 with LPA2 and TCR_EL2.DS, or has the effect of 16. With 64K it
 * would be 12 with FEAT_LVA, which the CPU may have, but L1 has not.
 */
static u64 random_txsz(enum granule granule)
{
	u64 least = granule == GRANULE_64K ? 16 : 12;

	return least + random_below(random_below(2) ? 5 : MAX_TXSZ + 1 - least);
}

static u64 random_tcr(void)
{
	static const u64 tg0[] = { TCR_TG0_4K, TCR_TG0_16K, TCR_TG0_64K };
	static const u64 tg1[] = { TCR_TG1_4K, TCR_TG1_16K, TCR_TG1_64K };
	enum granule lower = random_below(NR_GRANULES), upper = random_below(NR_GRANULES);
	u64 tcr = tg0[lower] | random_txsz(lower);

	if (!e2h)
		return tcr | TCR_EL2_RES1 | (lib_tcr & GENMASK(18, TCR_EL2_PS)) |
		       random_of(TCR_EL2_TBI | TCR_EL2_TBID | TCR_EL2_DS);

	return tcr | tg1[upper] | TCR_T1SZ(random_txsz(upper)) | (lib_tcr & TCR_IPS_MASK) |
	       TCR_EPD1_MASK | random_of(TCR_TBI0 | TCR_TBI1 | TCR_TBID0 | TCR_TBID1 | TCR_DS);
}

static bool has_lpa2(void)
{
	u64 mmfr0 = read_sysreg_s(SYS_ID_AA64MMFR0_EL1);

	return SYS_FIELD_GET(ID_AA64MMFR0_EL1, TGRAN4, mmfr0) ==
	       ID_AA64MMFR0_EL1_TGRAN4_52_BIT;
}

/* Any regime with the MMU off, or one that the existing tables allow. */
static void random_regime(void)
{
	const u64 tbi = e2h ? TCR_TBI0 | TCR_TBID0 : TCR_EL2_TBI | TCR_EL2_TBID;
	const u64 free = e2h ? TCR_UPPER | tbi : tbi;
	unsigned int tables;

	try.sctlr = lib_sctlr;
	try.ttbr0 = lib_ttbr0;
	try.tcr = random_tcr();
	tables = random_below(4);
	if (tables == 0) {
		try.tcr = (lib_tcr & ~free) | (try.tcr & free);
	} else if (tables == 1 && has_lpa2()) {
		try.ttbr0 = CAGE + CAGE_TABLES;
		try.tcr &= ~(TCR_TG0_MASK | GENMASK(5, 0));
		try.tcr |= (e2h ? TCR_DS : TCR_EL2_DS) | (12 + random_below(4));
	} else {
		try.sctlr &= ~SCTLR_ELx_M;
	}
}

#define PSTATE_LOOKED_AT	(PSR_IL_BIT | PSR_MODE32_BIT | PSR_MODE_MASK)

/* Where L1 is. */
static u64 own_mode(void)
{
	return try.flags & TRY_EL2T ? PSR_MODE_EL2t : PSR_MODE_EL2h;
}

/*
 * Where to return to, legal or not, and with or without SPSR_EL2.IL. Gives the state
 * after that.
 */
static u64 random_spsr(void)
{
	static const u8 illegal[] = { 0x1, 0x2, 0x3, 0x6, 0xa, 0xc, 0xd, 0xf, 0x13, 0x1a, 0x1f };
	static const u8 legal[] = { PSR_MODE_EL2h, PSR_MODE_EL2t, PSR_MODE_EL1h,
				    PSR_MODE_EL1t, PSR_MODE_EL0t };
	bool tge = random_below(2), is_legal = random_below(4);
	u64 mode, il = random_below(8) ? 0 : PSR_IL_BIT;

	mode = is_legal ? legal[random_below(ARRAY_SIZE(legal))] :
			  illegal[random_below(ARRAY_SIZE(illegal))];
	/* There is no use for TGE and EL0 without E2H. */
	if (mode == PSR_MODE_EL0t && !e2h)
		tge = false;
	if (tge && (mode == PSR_MODE_EL1h || mode == PSR_MODE_EL1t))
		is_legal = false;

	try.hcr = HCR_EL2_RW | random_of(HCR_EL2_API | HCR_EL2_APK);
	if (e2h)
		try.hcr |= HCR_EL2_E2H;
	if (tge)
		try.hcr |= HCR_EL2_TGE;
	try.spsr = mode | il | PSR_D_BIT | PSR_A_BIT | PSR_I_BIT | PSR_F_BIT;

	return is_legal ? mode | il : own_mode() | PSR_IL_BIT;
}

/* An address of an instruction in either half, and how much of its PAC is spoiled. */
static void random_address(void)
{
	const u64 may_spoil = GENMASK(63, UNMAPPED_BIT + 1) & ~BIT(55);

	try.address = (random_u64() & ~3UL) | BIT(UNMAPPED_BIT);
	/* Mostly without anything in the upper bits, as far as that may be wanted. */
	if (random_below(8)) {
		if (try.address & BIT(55))
			try.address |= GENMASK(63, 52);
		else
			try.address &= ~GENMASK(63, 52);
	}
	if (random_below(4)) {
		if (try.address & BIT(55))
			try.address |= GENMASK(63, UNMAPPED_BIT + 1);
		else
			try.address &= ~GENMASK(63, UNMAPPED_BIT + 1);
	}

	switch (random_below(6)) {
	case 0:
		try.spoil = BIT(UNMAPPED_BIT + 1 + random_below(63 - UNMAPPED_BIT));
		break;
	case 1:
		try.spoil = BIT(48 + random_below(16));
		break;
	case 2:
		try.spoil = random_of(GENMASK(63, UNMAPPED_BIT + 1));
		break;
	default:
		try.spoil = 0;
	}
	try.spoil &= may_spoil;
}

static bool failed(struct attempt *attempt)
{
	return ESR_ELx_EC(attempt->esr) == EC_FPAC;
}

/*
 * Whether it led anywhere. As nothing is there, that is most likely an abort, but an
 * Illegal Execution state exception may come first.
 */
static bool landed(struct attempt *attempt)
{
	u64 ec = ESR_ELx_EC(attempt->esr);

	return ec == EC_IABT_CUR || ec == EC_IABT_LOW || ec == EC_ILL;
}

/* Whether KVM's attempt has ended as the CPU's. */
static bool ended_alike(u64 pstate)
{
	struct attempt *cpu = &try.cpu, *kvm = &try.kvm;
	u64 mask = GENMASK(63, 0);

	if (failed(cpu))
		return kvm->esr == cpu->esr && kvm->elr == try.eretax &&
		       (kvm->spsr & PSTATE_LOOKED_AT) == own_mode();

	/* All else of the address is unknown after an attempt to get to AArch32. */
	if (try.spsr & PSR_MODE32_BIT)
		mask = GENMASK(31, 2);

	return landed(kvm) && !((kvm->elr ^ cpu->elr) & mask) &&
	       (kvm->spsr & PSTATE_LOOKED_AT) == pstate;
}

/* Whether an attempt has led to the address without its PAC. */
static bool accepted(struct attempt *attempt)
{
	return landed(attempt) && !((attempt->elr ^ try.stripped) << 8);
}

/*
 * KVM computes the upper 32 bits of a PAC. If TxSZ is above 32, the PAC reaches down
 * to bits of which the CPU knows more: KVM takes them for 0.
 */
static bool cpu_knows_more(void)
{
	bool upper = e2h && (try.signed_address & BIT(55));
	u64 txsz = (upper ? try.tcr >> 16 : try.tcr) & 0x3f;

	if (txsz <= 32)
		return false;

	return !accepted(&try.kvm) ||
	       !((try.signed_address ^ try.stripped) & GENMASK(31, 64 - txsz));
}

static void one_return(void)
{
	bool enabled = random_below(16);
	struct score *score;
	u64 pstate;

	try.flags = random_of(TRY_KEY_B | TRY_EL2T) | (random_below(16) ? TRY_SIGN : 0);
	random_regime();
	random_address();
	pstate = random_spsr();
	try.sp = random_u64();
	try.other_sp = random_u64();
	if (!enabled)
		try.sctlr &= ~(try.flags & TRY_KEY_B ? SCTLR_ELx_ENIB : SCTLR_ELx_ENIA);

	/* L2 ignores the top byte of an address where L1 does. */
	if (e2h)
		write_sysreg_s(try.tcr, SYS_TCR_EL12);
	else
		write_sysreg((try.tcr & TCR_EL2_TBI ? TCR_TBI0 | TCR_TBI1 : 0) |
			     (try.tcr & TCR_EL2_TBID ? TCR_TBID0 | TCR_TBID1 : 0), tcr_el1);
	((cage_try_fn)(CAGE + CAGE_TRY))(&try);

	digest = ptrauth_digest(digest, landed(&try.kvm) ? try.kvm.elr : try.kvm.esr);
	digest = ptrauth_digest(digest, try.kvm.spsr & PSTATE_LOOKED_AT);

	score = &scores[!e2h ? NO_E2H : try.signed_address & BIT(55) ? E2H_UPPER : E2H_LOWER];
	score->good += enabled && accepted(&try.cpu);
	score->refused += enabled && !accepted(&try.cpu);
	score->disabled += !enabled;
	score->illegal += !!(pstate & PSR_IL_BIT);
	if (ended_alike(pstate) || (enabled && cpu_knows_more()))
		return;

	if (score->wrong++ >= 3)
		return;
	GUEST_PRINTF("0x%lx, flags %lu, TCR 0x%lx, SCTLR 0x%lx, HCR 0x%lx, SPSR 0x%lx\n",
		     try.signed_address, try.flags, try.tcr, try.sctlr, try.hcr, try.spsr);
	GUEST_PRINTF("the CPU: 0x%lx at 0x%lx, KVM: 0x%lx at 0x%lx, PSTATE 0x%lx\n",
		     try.cpu.esr, try.cpu.elr, try.kvm.esr, try.kvm.elr, try.kvm.spsr);
}

/* Each key signs. */
static void check_enables(void)
{
	enum ptrauth_key key;

	for (key = PTRAUTH_APIA; key <= PTRAUTH_APDB; key++)
		__GUEST_ASSERT(ptrauth_sign(key, ptrauth_pointer(0), 0) != ptrauth_pointer(0),
			       "%s signs nothing", ptrauth_key_name[key]);
}

static void guest_code(void)
{
	struct ptrauth_keys keys;
	u64 i;

	/* L2, with its MMU off. */
	if (e2h) {
		lib_tcr = read_sysreg(tcr_el1);
		lib_ttbr0 = read_sysreg(ttbr0_el1);
		lib_sctlr = read_sysreg(sctlr_el1) | PTRAUTH_SCTLR_ENABLE;
		write_sysreg(lib_sctlr, sctlr_el1);
		write_sysreg_s(lib_sctlr & ~SCTLR_ELx_M, SYS_SCTLR_EL12);
		write_sysreg_s(CAGE + CAGE_L2_VECTORS, SYS_VBAR_EL12);
	} else {
		lib_tcr = read_sysreg(tcr_el2);
		lib_ttbr0 = read_sysreg(ttbr0_el2);
		lib_sctlr = read_sysreg(sctlr_el2) | PTRAUTH_SCTLR_ENABLE;
		write_sysreg(lib_sctlr & ~SCTLR_ELx_M, sctlr_el1);
		write_sysreg(CAGE + CAGE_L2_VECTORS, vbar_el1);
		write_sysreg(lib_sctlr, sctlr_el2);
	}
	write_sysreg(0, vtcr_el2);
	write_sysreg(0, vttbr_el2);
	isb();

	ptrauth_random_keys(&rng, &keys);
	ptrauth_write_keys(&keys);
	check_enables();
	for (i = 0; i < nr_returns; i++) {
		if (!(i % NR_PER_KEYS)) {
			ptrauth_random_keys(&rng, &keys);
			ptrauth_write_keys(&keys);
		}
		one_return();
		if (!(i % NR_BATCH))
			GUEST_SYNC(i);
	}
	GUEST_DONE();
}

/* Host code. */

/* Tables for 52 bits and 4K: the first GiB where it is, and nothing else. */
static void make_tables(u64 *tables)
{
	const u64 at = CAGE + CAGE_TABLES;

	tables[0] = (at + SZ_4K) | PGD_TYPE_TABLE | PTE_VALID;
	tables[512] = (at + 2 * SZ_4K) | PUD_TYPE_TABLE | PTE_VALID;
	tables[1024] = PTE_AF | PTE_ATTRINDX(MT_NORMAL) | PTE_VALID;
}

/* What the library has set up is for E2H. */
static void leave_e2h(struct kvm_vcpu *vcpu)
{
	u64 tcr = vcpu_get_reg(vcpu, KVM_ARM64_SYS_REG(SYS_TCR_EL2));

	vcpu_set_reg(vcpu, KVM_ARM64_SYS_REG(SYS_TCR_EL2),
		     (tcr & GENMASK(15, 0)) | TCR_EL2_RES1 | (tcr & TCR_DS ? TCR_EL2_DS : 0) |
		     (tcr & TCR_IPS_MASK) >> TCR_IPS_SHIFT << TCR_EL2_PS);
	vcpu_set_reg(vcpu, KVM_ARM64_SYS_REG(SYS_CPTR_EL2), 0);
	vcpu_set_reg(vcpu, KVM_ARM64_SYS_REG(SYS_HCR_EL2), HCR_EL2_RW);
}

static void run_l1(bool with_e2h, u64 returns)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	void *cage;

	vm = vm_create_with_l1(&vcpu, PTRAUTH_FEATURES |
			       (with_e2h ? 0 : BIT(KVM_ARM_VCPU_HAS_EL2_E2H0)), guest_code);
	if (!with_e2h)
		leave_e2h(vcpu);

	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, CAGE, 1,
				    CAGE_SIZE / vm->page_size, 0);
	virt_map(vm, CAGE, CAGE, CAGE_SIZE / vm->page_size);
	cage = addr_gpa2hva(vm, CAGE);
	memcpy(cage, with_e2h ? cage_e2h : cage_no_e2h, CAGE_TABLES);
	make_tables(cage + CAGE_TABLES);

	e2h = with_e2h;
	nr_returns = returns;
	sync_global_to_guest(vm, e2h);
	sync_global_to_guest(vm, nr_returns);
	sync_global_to_guest(vm, rng);
	sync_global_to_guest(vm, digest);
	sync_global_to_guest(vm, scores);

	do
		vcpu_run(vcpu);
	while (ptrauth_get_ucall(vcpu) != UCALL_DONE);

	sync_global_from_guest(vm, rng);
	sync_global_from_guest(vm, digest);
	sync_global_from_guest(vm, scores);
	kvm_vm_free(vm);
}

int main(int argc, char *argv[])
{
	u64 returns = argc > 1 ? strtoul(argv[1], NULL, 0) : NR_RETURNS;
	bool has_e2h0;
	int i;

	TEST_REQUIRE(kvm_has_cap(KVM_CAP_ARM_EL2));
	TEST_REQUIRE(kvm_has_ptrauth());

	ksft_print_header();
	ksft_set_plan(NR_PARTS);
	ksft_print_msg("The seed is 0x%lx\n", SEED);

	rng = new_kvm_random_state(SEED);
	has_e2h0 = kvm_has_cap(KVM_CAP_ARM_EL2_E2H0);
	run_l1(true, returns - returns / NR_E2H_SHARE);
	if (has_e2h0)
		run_l1(false, returns / NR_E2H_SHARE);

	for (i = 0; i < NR_PARTS; i++) {
		struct score *score = &scores[i];

		if (i == NO_E2H && !has_e2h0) {
			ksft_test_result_skip("there are no VMs without E2H\n");
			continue;
		}
		ksft_print_msg("%s: %lu right PACs, %lu wrong PACs, %lu times not enabled\n",
			       part_name[i], score->good, score->refused, score->disabled);
		ksft_print_msg("%s: %lu illegal states, %lu errors\n", part_name[i],
			       score->illegal, score->wrong);
		ksft_test_result(!score->wrong && score->good && score->refused &&
				 score->disabled && score->illegal,
				 "%s, ERETAA and ERETAB do what the CPU does\n", part_name[i]);
	}
	ksft_print_msg("digest 0x%lx\n", digest);

	ksft_finished();
}
