// SPDX-License-Identifier: GPL-2.0-only
/*
 * ptrauth_undef - Test which instructions a guest without pointer authentication
 * finds undefined.
 *
 * The CPU has the instructions all the same. KVM gets a trap for those that would
 * sign or authenticate, and answers that there is no such instruction. With the
 * enables of SCTLR_EL1 clear, the CPU itself leaves pointers alone and nothing
 * traps, except PACGA, which has no enable. XPACI and the like only strip bits;
 * no trap exists for them.
 */
#include "kvm_util.h"
#include "processor.h"
#include "ptrauth.h"
#include "ptrauth_insns.h"
#include "test_util.h"

static const u64 enables[] = {
	[ENABLE_IA] = SCTLR_ELx_ENIA,
	[ENABLE_IB] = SCTLR_ELx_ENIB,
	[ENABLE_DA] = SCTLR_ELx_ENDA,
	[ENABLE_DB] = SCTLR_ELx_ENDB,
	[ENABLE_JUMP] = PTRAUTH_SCTLR_ENABLE,
	[ENABLE_LOAD] = PTRAUTH_SCTLR_ENABLE,
	[ENABLE_ALWAYS] = 0,
};

static unsigned int undefs;

/* Guest code. */

static void guest_undef_handler(struct ex_regs *regs)
{
	WRITE_ONCE(undefs, undefs + 1);
	regs->pc += 4;
}

/*
 * Executes an instruction with the value in all registers that it could change,
 * and returns it with the bits flipped that have changed in any of them.
 */
static u64 guest_execute(u32 insn, u64 value)
{
	register u64 x0 asm("x0") = value;
	register u64 x10 asm("x10") = value;
	register u64 x11 asm("x11") = insn;

	asm volatile("	adr	x9, 1f\n"
	"	str	w11, [x9]\n"
	"	dc	cvau, x9\n"
	"	dsb	ish\n"
	"	ic	ivau, x9\n"
	"	dsb	ish\n"
	"	isb\n"
	"	mov	x9, x30\n"
	"	mov	x17, x0\n"
	"	mov	x30, x0\n"
	"	mov	x1, xzr\n"
	"	mov	x16, xzr\n"
	"1:	nop\n"
	"	eor	x0, x0, x10\n"
	"	eor	x17, x17, x10\n"
	"	eor	x30, x30, x10\n"
	"	orr	x0, x0, x17\n"
	"	orr	x0, x0, x30\n"
	"	eor	x0, x0, x10\n"
	"	mov	x30, x9\n"
	: "+r" (x0) : "r" (x10), "r" (x11) : "x1", "x9", "x16", "x17", "memory");

	return x0;
}

static void guest_expect(unsigned int i, u64 value, bool undef, const char *when)
{
	unsigned int before = READ_ONCE(undefs);
	u64 result = guest_execute(ptrauth_insns[i].insn, value);

	__GUEST_ASSERT(READ_ONCE(undefs) - before == undef, "%s, %s: %u exceptions",
		       ptrauth_insns[i].text, when, READ_ONCE(undefs) - before);
	__GUEST_ASSERT(result == value, "%s, %s: 0x%lx became 0x%lx",
		       ptrauth_insns[i].text, when, value, result);
}

static void guest_set_enables(u64 sctlr)
{
	write_sysreg((read_sysreg(sctlr_el1) & ~PTRAUTH_SCTLR_ENABLE) | sctlr, sctlr_el1);
	isb();
}

static void guest_instructions(void)
{
	const u64 value = ptrauth_pointer(0);
	enum ptrauth_enable enable;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ptrauth_insns); i++) {
		enable = ptrauth_insns[i].enable;

		if (enable != ENABLE_JUMP && enable != ENABLE_LOAD) {
			guest_set_enables(0);
			guest_expect(i, value, enable == ENABLE_ALWAYS, "no enable set");
			guest_set_enables(PTRAUTH_SCTLR_ENABLE & ~enables[enable]);
			guest_expect(i, value, enable == ENABLE_ALWAYS,
				     "all enables set but its own");
		}
		guest_set_enables(enables[enable]);
		guest_expect(i, value, true, "its own enable set");
		guest_set_enables(PTRAUTH_SCTLR_ENABLE);
		guest_expect(i, value, true, "all enables set");
	}
	GUEST_DONE();
}

/*
 * At EL2, KVM clears the enables when it puts the vCPU, because such a VM does not have
 * them. An instruction that finds its enable gone leaves the pointer alone.
 */
static void guest_instructions_at_el2(void)
{
	const u64 value = ptrauth_pointer(0);
	unsigned int i, before;
	u64 enable, result;
	bool is_eret;

	for (i = 0; i < ARRAY_SIZE(ptrauth_insns); i++) {
		enable = enables[ptrauth_insns[i].enable];
		/* L1's exception returns are trapped with and without enables. */
		is_eret = (ptrauth_insns[i].insn & 0xfffffbff) == 0xd69f0bff;
		if (ptrauth_insns[i].enable >= ENABLE_JUMP && enable && !is_eret)
			continue;

		guest_set_enables(0);
		guest_expect(i, value, is_eret || !enable, "no enable set at EL2");
		do {
			guest_set_enables(PTRAUTH_SCTLR_ENABLE);
			before = READ_ONCE(undefs);
			result = guest_execute(ptrauth_insns[i].insn, value);
			GUEST_ASSERT_EQ(result, value);
		} while (enable && !(read_sysreg(sctlr_el1) & enable));
		__GUEST_ASSERT(READ_ONCE(undefs) == before + 1, "%s at EL2: %u exceptions",
			       ptrauth_insns[i].text, READ_ONCE(undefs) - before);
	}
	GUEST_DONE();
}

static void guest_registers(void)
{
	unsigned int half, before;

	for (half = 0; half < PTRAUTH_NR_HALVES; half++) {
		before = READ_ONCE(undefs);
		ptrauth_read_half(half);
		ptrauth_write_half(half, ~0UL);
		__GUEST_ASSERT(READ_ONCE(undefs) == before + 2,
			       "%s can be read or written", ptrauth_half_name[half]);
	}
	GUEST_DONE();
}

static void guest_id_registers(void)
{
	GUEST_ASSERT_EQ(read_sysreg_s(SYS_ID_AA64ISAR1_EL1) &
			(ID_AA64ISAR1_EL1_APA | ID_AA64ISAR1_EL1_API |
			 ID_AA64ISAR1_EL1_GPA | ID_AA64ISAR1_EL1_GPI), 0);
	GUEST_ASSERT_EQ(read_sysreg_s(SYS_ID_AA64ISAR2_EL1) &
			(ID_AA64ISAR2_EL1_APA3 | ID_AA64ISAR2_EL1_GPA3), 0);
	GUEST_DONE();
}

/* Host code. */

static void test(void *guest_code, bool el2, const char *what)
{
	struct kvm_vcpu_init init;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;

	if (el2 && !kvm_has_cap(KVM_CAP_ARM_EL2)) {
		ksft_test_result_skip("%s: needs a guest at EL2\n", what);
		return;
	}

	vm = vm_create(1);
	ptrauth_vcpu_init(vm, false, &init);
	if (el2)
		init.features[0] |= BIT(KVM_ARM_VCPU_HAS_EL2);
	vm_init_descriptor_tables(vm);
	vcpu = aarch64_vcpu_add(vm, 0, &init, guest_code);
	vcpu_init_descriptor_tables(vcpu);
	kvm_arch_vm_finalize_vcpus(vm);
	vm_install_sync_handler(vm, VECTOR_SYNC_CURRENT, ESR_ELx_EC_UNKNOWN,
				guest_undef_handler);

	vcpu_run(vcpu);
	TEST_ASSERT(ptrauth_get_ucall(vcpu) == UCALL_DONE, "The guest did not get to its end");
	kvm_vm_free(vm);

	ksft_test_result_pass("%s\n", what);
}

int main(void)
{
	/* A CPU without FEAT_PAuth decides this itself, and not always in the same way. */
	TEST_REQUIRE(host_has_ptrauth());

	ksft_print_header();
	ksft_set_plan(6);

	test(guest_instructions, false, "instructions are undefined, or leave pointers alone");
	test(guest_registers, false, "key registers are undefined");
	test(guest_id_registers, false, "ID registers tell of nothing");
	test(guest_instructions_at_el2, true,
	     "at EL2, instructions are undefined, or leave pointers alone");
	test(guest_registers, true, "at EL2, key registers are undefined");
	test(guest_id_registers, true, "at EL2, ID registers tell of nothing");

	ksft_finished();
}
