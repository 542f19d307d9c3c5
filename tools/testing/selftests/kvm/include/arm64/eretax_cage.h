/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Code for a guest hypervisor, L1, that tries an address with a BRAA or BRAB and then
 * with an ERETAA or ERETAB, in any translation regime.
 *
 * It is copied to where L1's addresses are physical ones, and so may turn L1's MMU off.
 */
#ifndef SELFTEST_KVM_ERETAX_CAGE_H
#define SELFTEST_KVM_ERETAX_CAGE_H

#include <linux/bits.h>
#include <linux/sizes.h>
#include <linux/stringify.h>
#include <linux/types.h>

/* Code, and room for tables. */
#define CAGE		0xe00000UL
#define CAGE_SIZE	SZ_64K
#define CAGE_L2_VECTORS	0x800
#define CAGE_TRY	0x1000
#define CAGE_TABLES	0x2000

enum try_flags { TRY_KEY_B = BIT(0), TRY_SIGN = BIT(1), TRY_EL2T = BIT(2) };

/* Where an attempt has led, and in what state. */
struct attempt {
	u64 esr;
	u64 elr;
	u64 spsr;
};

/* The code in the cage knows this layout. */
struct try {
	u64 address;
	u64 spoil;
	u64 sp;
	u64 other_sp;
	u64 spsr;
	u64 flags;
	u64 tcr;
	u64 ttbr0;
	u64 sctlr;
	u64 hcr;

	u64 signed_address;
	u64 stripped;
	struct attempt cpu;
	struct attempt kvm;
	u64 eretax;
};

/* What is at CAGE + CAGE_TRY. */
typedef void (*cage_try_fn)(struct try *try);

/* With HCR_EL2.E2H, and without. */
extern char cage_e2h[], cage_no_e2h[];

/*
 * L1's vectors, those of L2, and the function that makes both attempts. The function
 * may be called in any regime, and returns in that of the caller.
 *
 * While the regime is another one, there are no accesses to memory. x13 is where to
 * go on after an exception, x15, x16 and x18 are its ESR, ELR and SPSR.
 */
asm("	.arch_extension pauth\n"
"	.macro	define_cage name, el\n"
"	.pushsection .text, \"ax\"\n"
"	.balign	0x800\n"
"\\name:\n"
"	.irp	offset, 0x000, 0x200, 0x400\n"
"	.org	\\name + \\offset\n"
"	b	9f\n"
"	.endr\n"
"	.irp	offset, 0x800, 0xa00, 0xc00\n"
"	.org	\\name + \\offset\n"
"	mrs	x15, esr_el1\n"
"	mrs	x16, elr_el1\n"
"	mrs	x18, spsr_el1\n"
"	hvc	#0\n"
"	.endr\n"
"	.org	\\name + 0x1000\n"
"	stp	x29, x30, [sp, #-96]!\n"
"	stp	x19, x20, [sp, #16]\n"
"	stp	x21, x22, [sp, #32]\n"
"	stp	x23, x24, [sp, #48]\n"
"	stp	x25, x26, [sp, #64]\n"
"	stp	x27, x28, [sp, #80]\n"
"	mov	x28, x0\n"
"	ldp	x0, x1, [x28, #0]\n"	/* address, spoil */
"	ldp	x2, x3, [x28, #16]\n"	/* sp, other_sp */
"	ldp	x4, x5, [x28, #32]\n"	/* spsr, flags */
"	ldp	x6, x7, [x28, #48]\n"	/* tcr, ttbr0 */
"	ldp	x8, x9, [x28, #64]\n"	/* sctlr, hcr */
"	mrs	x19, tcr_\\el\n"
"	mrs	x20, ttbr0_\\el\n"
"	mrs	x21, sctlr_\\el\n"
"	mrs	x22, hcr_el2\n"
"	mrs	x23, vbar_\\el\n"
"	mov	x24, sp\n"
/* Change the regime while the MMU is off. */
"	bic	x10, x21, #1\n"
"	msr	sctlr_\\el, x10\n"
"	isb\n"
"	adr	x10, \\name\n"
"	msr	vbar_\\el, x10\n"
"	msr	tcr_\\el, x6\n"
"	msr	ttbr0_\\el, x7\n"
"	msr	hcr_el2, x9\n"
"	isb\n"
"	msr	sctlr_\\el, x8\n"
"	isb\n"
/* The stack pointers, that in use last. */
"	tbnz	x5, #2, 1f\n"
"	msr	sp_el0, x3\n"
"	b	2f\n"
"1:	mov	sp, x3\n"
"	msr	spsel, #0\n"
"2:	mov	sp, x2\n"
/* Sign and spoil the address. */
"	tbz	x5, #1, 4f\n"
"	tbnz	x5, #0, 3f\n"
"	pacia	x0, sp\n"
"	b	4f\n"
"3:	pacib	x0, sp\n"
"4:	eor	x0, x0, x1\n"
"	mov	x25, x0\n"
"	xpaci	x25\n"
/* The CPU's attempt. QEMU 10.0 aborts itself if the register is not x16 or x17. */
"	adr	x13, 2f\n"
"	mov	x17, x0\n"
"	tbnz	x5, #0, 1f\n"
"	braa	x17, sp\n"
"1:	brab	x17, sp\n"
"2:	mov	x26, x15\n"
"	mov	x27, x16\n"
"	mov	x12, x18\n"
/* KVM's attempt. */
"	msr	elr_\\el, x0\n"
"	msr	spsr_\\el, x4\n"
"	isb\n"
"	tbz	x5, #2, 1f\n"
"	msr	spsel, #0\n"
"1:	adr	x13, 4f\n"
"	tbnz	x5, #0, 3f\n"
"2:	eretaa\n"
"3:	eretab\n"
"4:	adr	x17, 2b\n"
"	tbz	x5, #0, 5f\n"
"	adr	x17, 3b\n"
"5:	mov	sp, x24\n"
"	bic	x10, x21, #1\n"
"	msr	sctlr_\\el, x10\n"
"	isb\n"
"	msr	tcr_\\el, x19\n"
"	msr	ttbr0_\\el, x20\n"
"	msr	hcr_el2, x22\n"
"	msr	vbar_\\el, x23\n"
"	isb\n"
"	msr	sctlr_\\el, x21\n"
"	isb\n"
"	stp	x0, x25, [x28, #80]\n"	/* signed_address, stripped */
"	stp	x26, x27, [x28, #96]\n"	/* cpu */
"	stp	x12, x15, [x28, #112]\n"	/* cpu, kvm */
"	stp	x16, x18, [x28, #128]\n"	/* kvm */
"	str	x17, [x28, #144]\n"	/* eretax */
"	ldp	x27, x28, [sp, #80]\n"
"	ldp	x25, x26, [sp, #64]\n"
"	ldp	x23, x24, [sp, #48]\n"
"	ldp	x21, x22, [sp, #32]\n"
"	ldp	x19, x20, [sp, #16]\n"
"	ldp	x29, x30, [sp], #96\n"
"	ret\n"
/* The end of an attempt. L2 calls with what it has found. */
"9:	mrs	x11, esr_\\el\n"
"	lsr	x14, x11, #26\n"
"	cmp	x14, #0x16\n"
"	b.eq	1f\n"
"	mov	x15, x11\n"
"	mrs	x16, elr_\\el\n"
"	mrs	x18, spsr_\\el\n"
"1:	br	x13\n"
"	.org	\\name + " __stringify(CAGE_TABLES) "\n"
"	.popsection\n"
"	.endm\n"
"	define_cage cage_e2h, el1\n"
"	define_cage cage_no_e2h, el2\n");

#endif /* SELFTEST_KVM_ERETAX_CAGE_H */
