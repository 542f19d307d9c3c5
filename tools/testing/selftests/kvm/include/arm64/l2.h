/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The simplest L2: it runs at EL1 in the memory of L1, which is at EL2 with E2H.
 */
#ifndef SELFTEST_KVM_L2_H
#define SELFTEST_KVM_L2_H

#include "processor.h"

#define L2_PSTATE	(PSR_MODE_EL1h | PSR_D_BIT | PSR_A_BIT | PSR_I_BIT | PSR_F_BIT)

#define __l1_hand_to_l2(reg)						\
	write_sysreg_s(read_sysreg_s(SYS_##reg##_EL1), SYS_##reg##_EL12)

/*
 * For L1: have L2 use the translation tables and vectors that L1 has now, with no
 * stage 2, and with @hcr in addition to what this takes of HCR_EL2.
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

#endif /* SELFTEST_KVM_L2_H */
