/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The instructions that sign and authenticate, for programs that are compiled for
 * the base architecture. Their results depend on registers that the compiler does
 * not know.
 */
#ifndef PTRAUTH_INSNS_H
#define PTRAUTH_INSNS_H

#include <stdint.h>

#define PTRAUTH_OP(name, insn)						\
static inline uint64_t name(uint64_t value, uint64_t modifier)		\
{									\
	asm volatile(".arch_extension pauth\n" insn " %0, %1"		\
		     : "+r" (value) : "r" (modifier));			\
	return value;							\
}

PTRAUTH_OP(pacia, "pacia")
PTRAUTH_OP(pacib, "pacib")
PTRAUTH_OP(pacda, "pacda")
PTRAUTH_OP(pacdb, "pacdb")
PTRAUTH_OP(autia, "autia")
PTRAUTH_OP(autib, "autib")
PTRAUTH_OP(autda, "autda")
PTRAUTH_OP(autdb, "autdb")

static inline uint64_t pacga(uint64_t value, uint64_t modifier)
{
	uint64_t code;

	asm volatile(".arch_extension pauth\npacga %0, %1, %2"
		     : "=r" (code) : "r" (value), "r" (modifier));
	return code;
}

#endif /* PTRAUTH_INSNS_H */
