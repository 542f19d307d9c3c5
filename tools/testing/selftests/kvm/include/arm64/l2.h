/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The simplest L2: it runs at EL1 in the memory of L1, which is at EL2 with E2H.
 */
#ifndef SELFTEST_KVM_L2_H
#define SELFTEST_KVM_L2_H

#include "kvm_util.h"
#include "processor.h"
#include "ptrauth.h"

/* For the host: a VM whose only vCPU starts in L1, and has @features beside EL2. */
static inline struct kvm_vm *vm_create_with_l1(struct kvm_vcpu **vcpu, u32 features,
					       void *guest_code)
{
	struct kvm_vcpu_init init;
	struct kvm_vm *vm;

	vm = vm_create(1);
	ptrauth_vcpu_init(vm, false, &init);
	init.features[0] |= BIT(KVM_ARM_VCPU_HAS_EL2) | features;
	vm_init_descriptor_tables(vm);
	*vcpu = aarch64_vcpu_add(vm, 0, &init, guest_code);
	vcpu_init_descriptor_tables(*vcpu);
	kvm_arch_vm_finalize_vcpus(vm);

	return vm;
}

#define L2_PSTATE	(PSR_MODE_EL1h | PSR_D_BIT | PSR_A_BIT | PSR_I_BIT | PSR_F_BIT)

#define __l1_hand_to_l2(reg)						\
	write_sysreg_s(read_sysreg_s(SYS_##reg##_EL1), SYS_##reg##_EL12)

/*
 * For L1: give L2 the translation tables and vectors that L1 uses now. Turn stage 2
 * off, and set the bits of @hcr in HCR_EL2 as well.
 */
static inline void l1_prepare_l2(u64 hcr)
{
	__l1_hand_to_l2(SCTLR);
	__l1_hand_to_l2(MAIR);
	__l1_hand_to_l2(TCR);
	__l1_hand_to_l2(TTBR0);
	__l1_hand_to_l2(TTBR1);
	__l1_hand_to_l2(CPACR);
	__l1_hand_to_l2(VBAR);
	write_sysreg(0, vtcr_el2);
	write_sysreg(0, vttbr_el2);
	write_sysreg(HCR_EL2_RW | HCR_EL2_E2H | hcr, hcr_el2);
	isb();
}

/* How L1 returns from an exception. */
enum l1_eret { L1_ERET, L1_ERETAA, L1_ERETAB };

#define L1_PSTATE	(PSR_MODE_EL2h | PSR_D_BIT | PSR_A_BIT | PSR_I_BIT | PSR_F_BIT)

/* Where l1_eret() goes on, and the addresses of its ERETAA and ERETAB. */
static struct l1_frame {
	u64 sp;
	u64 pc;
	u64 eretaa;
	u64 eretab;
} l1_frame __maybe_unused;

/*
 * For L1: return to @address, with @sp as the stack pointer, which is also what
 * the address must have been signed for. This function returns when an exception
 * handler calls l1_resume().
 */
static inline void l1_eret(u64 address, u64 pstate, u64 sp, enum l1_eret how)
{
	register u64 x0 asm("x0") = address;
	register u64 x1 asm("x1") = pstate;
	register u64 x2 asm("x2") = sp;
	register u64 x3 asm("x3") = how;
	register struct l1_frame *x4 asm("x4") = &l1_frame;

	asm volatile("	.arch_extension pauth\n"
	"	stp	x29, x30, [sp, #-16]!\n"
	"	mov	x9, sp\n"
	"	adr	x10, 3f\n"
	"	stp	x9, x10, [x4]\n"
	"	adr	x9, 1f\n"
	"	adr	x10, 2f\n"
	"	stp	x9, x10, [x4, #16]\n"
	"	mov	sp, x2\n"
	"	msr	elr_el1, x0\n"
	"	msr	spsr_el1, x1\n"
	"	isb\n"
	"	cmp	x3, #1\n"
	"	b.eq	1f\n"
	"	b.hi	2f\n"
	"	eret\n"
	"1:	eretaa\n"
	"2:	eretab\n"
	"3:	mov	sp, x9\n"
	"	ldp	x29, x30, [sp], #16\n"
	: "+r" (x0), "+r" (x1), "+r" (x2), "+r" (x3), "+r" (x4)
	: : "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15",
	    "x16", "x17", "x18", "x19", "x20", "x21", "x22", "x23", "x24", "x25",
	    "x26", "x27", "x28", "cc", "memory");
}

/* For a handler in L1: return from l1_eret(). */
static inline void l1_resume(struct ex_regs *regs)
{
	regs->regs[9] = l1_frame.sp;
	regs->pc = l1_frame.pc;
	regs->pstate = L1_PSTATE;
}

#endif /* SELFTEST_KVM_L2_H */
