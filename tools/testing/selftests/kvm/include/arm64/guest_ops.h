/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A guest that does what a list says, at EL0, EL1 or EL2, and writes down what comes of it.
 *
 * Each item of the list is the address of an instruction or three, which work on x0, and an
 * operand for them, x1. The hints and some jumps take x17 and x16, or x30 and SP instead, so
 * these have copies. Whatever exception comes of an item, the guest goes on with the next
 * one, at the level of the handler. An exception return to OPS_NEXT goes on there, too.
 *
 * The list must end with a store to OPS_END.
 */
#ifndef SELFTEST_KVM_GUEST_OPS_H
#define SELFTEST_KVM_GUEST_OPS_H

#include <linux/bits.h>
#include <linux/types.h>

#include "processor.h"

/* Where the guest has its vectors, its code, and the tables that map all this to itself. */
#define OPS_VECTORS_EL1	0x0UL
#define OPS_VECTORS_EL2	0x800UL
#define OPS_START	0x1000UL
#define OPS_NEXT	0x1100UL
#define OPS_STUBS	0x1200UL
#define OPS_TABLES	0x2000UL
#define OPS_CODE_SIZE	0x10000UL

/* The list, and what comes of it. */
#define OPS_LIST	0x200000UL
#define OPS_LOG		0x201000UL
#define OPS_DATA_SIZE	0x10000UL

/* Nothing is here, so that a store is an exit. */
#define OPS_EXIT	0x400000UL
#define OPS_END		0x400008UL

/* The least TxSZ for the tables, and the most. */
#define OPS_MIN_T0SZ	25
#define OPS_MAX_T0SZ	33

struct ops_item {
	u64 stub;
	u64 operand;
};

/*
 * After an item, its stub or OPS_NEXT if there was an exception, x0, x17 and x30. For an
 * exception, its syndrome and OPS_EXCEPTION, ELR and SPSR.
 */
struct ops_entry {
	u64 what;
	u64 val[3];
};

#define OPS_EXCEPTION	BIT(63)

/* The vectors and the code. x12 and x13 are where the list and the log go on. */
extern char ops_code[];

asm("	.pushsection .text, \"ax\"\n"
"	.balign	0x800\n"
"ops_code:\n"
"	.irp	el, el1, el2\n"
"	.balign	0x800\n"
"	.rept	16\n"
"	.balign	0x80\n"
"	b	ops_handler_\\el\n"
"	.endr\n"
"	.endr\n"
/* A store that the host has not completed yet skips one instruction. */
"	.org	ops_code + 0x1000\n"
"	nop\n"
"	mov	x12, #0x200000\n"
"	add	x13, x12, #0x1000\n"
"	mov	x14, #0x400000\n"
"	add	x15, x14, #8\n"
"	b	1f\n"
"	.irp	el, el1, el2\n"
"ops_handler_\\el:\n"
"	mrs	x9, esr_\\el\n"
"	orr	x9, x9, #0x8000000000000000\n"
"	mrs	x10, elr_\\el\n"
"	mrs	x11, spsr_\\el\n"
"	stp	x9, x10, [x13], #16\n"
"	stp	x11, xzr, [x13], #16\n"
"	adr	x9, ops_next\n"
"	msr	elr_\\el, x9\n"
"	b	ops_next\n"
"	.endr\n"
"	.org	ops_code + 0x1100\n"
"ops_next:\n"
"	stp	x9, x0, [x13], #16\n"
"	stp	x17, x30, [x13], #16\n"
"1:	ldp	x9, x1, [x12], #16\n"
"	mov	x16, x1\n"
"	mov	x17, x0\n"
"	mov	x30, x0\n"
"	br	x9\n"
"	.org	ops_code + 0x1200\n"
"	.popsection\n");

/* For the host: put that at OPS_STUBS, and go on with the next item after it. */
static inline void ops_make_stub(u32 *code, unsigned int nr, const u32 insn[3])
{
	u64 at = OPS_STUBS + nr * 16;
	u32 *stub = code + at / sizeof(*code);
	int i;

	for (i = 0; i < 3; i++)
		stub[i] = insn[i] ?: 0xd503201f;	/* nop */
	stub[3] = 0x14000000 | (((OPS_NEXT - at - 12) / 4) & GENMASK(25, 0));	/* b */
}

/* For the host: code that may be executed, data, and exits, for EL0 as well, in 2 MiB each. */
static inline void ops_make_tables(u64 *code)
{
	const u64 normal = PTE_AF | PTE_SHARED | PTE_ATTRINDX(MT_NORMAL) | PTE_VALID;
	const u64 user = BIT(6), read_only = BIT(7), never_executed = GENMASK(54, 53);
	u64 *tables = code + OPS_TABLES / sizeof(*code);

	tables[0] = (OPS_TABLES + 0x1000) | PTE_TYPE_PAGE | PTE_VALID;
	tables[512] = normal | user | read_only;
	tables[513] = OPS_LIST | normal | user | never_executed;
	tables[514] = OPS_EXIT | PTE_AF | PTE_ATTRINDX(MT_DEVICE_nGnRE) | PTE_VALID |
		      user | never_executed;
}

#endif /* SELFTEST_KVM_GUEST_OPS_H */
