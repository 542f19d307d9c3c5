/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The instructions of pointer authentication, except for those that only strip bits.
 */
#ifndef SELFTEST_KVM_PTRAUTH_INSNS_H
#define SELFTEST_KVM_PTRAUTH_INSNS_H

#include <linux/types.h>

/* Which bit of SCTLR_EL1 an instruction needs to do more than a plain one would. */
enum ptrauth_enable {
	ENABLE_IA,
	ENABLE_IB,
	ENABLE_DA,
	ENABLE_DB,
	/* One of them; without, this goes or reads wherever x0 leads. */
	ENABLE_JUMP,
	ENABLE_LOAD,
	/* None. */
	ENABLE_ALWAYS,
};

/*
 * Operands are x0 and x1; hints take x17 and x16, or x30 and sp. So does BRAA and
 * its like: QEMU 10.0 aborts on these with any other register if it has BTI.
 */
static const struct {
	u32 insn;
	enum ptrauth_enable enable;
	const char *text;
} ptrauth_insns[] = {
	{ 0xdac10020, ENABLE_IA, "pacia x0, x1" },
	{ 0xdac10420, ENABLE_IB, "pacib x0, x1" },
	{ 0xdac10820, ENABLE_DA, "pacda x0, x1" },
	{ 0xdac10c20, ENABLE_DB, "pacdb x0, x1" },
	{ 0xdac123e0, ENABLE_IA, "paciza x0" },
	{ 0xdac127e0, ENABLE_IB, "pacizb x0" },
	{ 0xdac12be0, ENABLE_DA, "pacdza x0" },
	{ 0xdac12fe0, ENABLE_DB, "pacdzb x0" },
	{ 0xdac11020, ENABLE_IA, "autia x0, x1" },
	{ 0xdac11420, ENABLE_IB, "autib x0, x1" },
	{ 0xdac11820, ENABLE_DA, "autda x0, x1" },
	{ 0xdac11c20, ENABLE_DB, "autdb x0, x1" },
	{ 0xdac133e0, ENABLE_IA, "autiza x0" },
	{ 0xdac137e0, ENABLE_IB, "autizb x0" },
	{ 0xdac13be0, ENABLE_DA, "autdza x0" },
	{ 0xdac13fe0, ENABLE_DB, "autdzb x0" },
	{ 0xd503211f, ENABLE_IA, "pacia1716" },
	{ 0xd503215f, ENABLE_IB, "pacib1716" },
	{ 0xd503219f, ENABLE_IA, "autia1716" },
	{ 0xd50321df, ENABLE_IB, "autib1716" },
	{ 0xd503233f, ENABLE_IA, "paciasp" },
	{ 0xd503237f, ENABLE_IB, "pacibsp" },
	{ 0xd50323bf, ENABLE_IA, "autiasp" },
	{ 0xd50323ff, ENABLE_IB, "autibsp" },
	{ 0xd503231f, ENABLE_IA, "paciaz" },
	{ 0xd503235f, ENABLE_IB, "pacibz" },
	{ 0xd503239f, ENABLE_IA, "autiaz" },
	{ 0xd50323df, ENABLE_IB, "autibz" },
	{ 0xd71f0a30, ENABLE_JUMP, "braa x17, x16" },
	{ 0xd71f0e30, ENABLE_JUMP, "brab x17, x16" },
	{ 0xd61f0a3f, ENABLE_JUMP, "braaz x17" },
	{ 0xd61f0e3f, ENABLE_JUMP, "brabz x17" },
	{ 0xd73f0801, ENABLE_JUMP, "blraa x0, x1" },
	{ 0xd73f0c01, ENABLE_JUMP, "blrab x0, x1" },
	{ 0xd63f081f, ENABLE_JUMP, "blraaz x0" },
	{ 0xd63f0c1f, ENABLE_JUMP, "blrabz x0" },
	{ 0xd65f0bff, ENABLE_JUMP, "retaa" },
	{ 0xd65f0fff, ENABLE_JUMP, "retab" },
	{ 0xd69f0bff, ENABLE_JUMP, "eretaa" },
	{ 0xd69f0fff, ENABLE_JUMP, "eretab" },
	{ 0xf8200400, ENABLE_LOAD, "ldraa x0, [x0]" },
	{ 0xf8a00400, ENABLE_LOAD, "ldrab x0, [x0]" },
	{ 0x9ac13000, ENABLE_ALWAYS, "pacga x0, x0, x1" },
};

#endif /* SELFTEST_KVM_PTRAUTH_INSNS_H */
