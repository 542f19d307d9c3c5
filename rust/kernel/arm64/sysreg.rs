// SPDX-License-Identifier: GPL-2.0

//! System registers, as values.
//!
//! Only fields that have a user are declared. The other bits are kept as they are.
//!
//! C header: `asm/sysreg-defs.h`, made from
//! [`arch/arm64/tools/sysreg`](srctree/arch/arm64/tools/sysreg)
//!
//! Reference: Arm ARM, "AArch64 System Register Descriptions".

use crate::{
    bitfield,
    prelude::*, //
};
use core::arch::asm;

/// Asserts that fields are where the C side has them.
macro_rules! assert_fields {
    ($($register:ident::$shift:ident == $c:ident;)*) => {
        $(static_assert!($register::$shift == bindings::$c);)*
    };
}
pub(super) use assert_fields;

bitfield! {
    /// `HCR_EL2`, Hypervisor Configuration Register.
    pub struct HcrEl2(u64) {
        /// When clear, pointer authentication instructions at EL1 and EL0 trap to EL2.
        41:41 api => bool;
        /// When clear, accesses to the key registers at EL1 trap to EL2.
        40:40 apk => bool;
    }
}

bitfield! {
    /// `SCTLR_EL2`, System Control Register.
    pub struct SctlrEl2(u64) {
        /// APIA signs and authenticates addresses of instructions.
        31:31 en_ia => bool;
        /// APIB signs and authenticates addresses of instructions.
        30:30 en_ib => bool;
    }
}

bitfield! {
    /// `TCR_EL2`, Translation Control Register, with `HCR_EL2.E2H` clear.
    pub struct TcrEl2(u64) {
        /// The size of the address space is 2^(64 - T0SZ).
        5:0 t0sz;
        /// The granule of the tables.
        15:14 tg0;
        /// Translation ignores the top byte of addresses.
        20:20 tbi => bool;
        /// It does so for data only.
        29:29 tbid => bool;
        /// Addresses may have 52 bits, if the granule allows for it (FEAT_LPA2).
        32:32 ds => bool;
    }
}

bitfield! {
    /// `TCR_EL2`, Translation Control Register, with `HCR_EL2.E2H` set.
    ///
    /// Each field except DS exists twice: for the lower half of the address space, and for the
    /// upper. The layout is that of `TCR_EL1`.
    pub struct TcrEl2Host(u64) {
        /// The size of the lower half is 2^(64 - T0SZ).
        5:0 t0sz;
        /// The granule of the tables for the lower half.
        15:14 tg0;
        /// The size of the upper half is 2^(64 - T1SZ).
        21:16 t1sz;
        /// The granule of the tables for the upper half, by other numbers than TG0.
        31:30 tg1;
        /// Translation ignores the top byte of addresses in the lower half.
        37:37 tbi0 => bool;
        /// Translation ignores the top byte of addresses in the upper half.
        38:38 tbi1 => bool;
        /// It does so for data only, in the lower half.
        51:51 tbid0 => bool;
        /// It does so for data only, in the upper half.
        52:52 tbid1 => bool;
        /// Addresses may have 52 bits, if the granule allows for it (FEAT_LPA2).
        59:59 ds => bool;
    }
}

bitfield! {
    /// `ESR_EL2`, Exception Syndrome Register.
    pub struct EsrEl2(u64) {
        /// The class of the exception.
        31:26 ec;
        /// The instruction was 32 bits long.
        25:25 il => bool;
        /// The key was B, for a trapped `ERETAA` or `ERETAB` and for a failed authentication.
        0:0 b_key => bool;
    }
}

bitfield! {
    /// `SPSR_EL2`, Saved Program Status Register.
    pub struct SpsrEl2(u64) {
        /// The stack pointer in use is that of the exception level, not `SP_EL0`.
        0:0 sp => bool;
    }
}

assert_fields! {
    HcrEl2::API_SHIFT == HCR_EL2_API_SHIFT;
    HcrEl2::APK_SHIFT == HCR_EL2_APK_SHIFT;
    SctlrEl2::EN_IA_SHIFT == SCTLR_EL2_EnIA_SHIFT;
    SctlrEl2::EN_IB_SHIFT == SCTLR_EL2_EnIB_SHIFT;
    TcrEl2Host::T0SZ_SHIFT == TCR_EL1_T0SZ_SHIFT;
    TcrEl2Host::TG0_SHIFT == TCR_EL1_TG0_SHIFT;
    TcrEl2Host::T1SZ_SHIFT == TCR_EL1_T1SZ_SHIFT;
    TcrEl2Host::TG1_SHIFT == TCR_EL1_TG1_SHIFT;
    TcrEl2Host::TBI0_SHIFT == TCR_EL1_TBI0_SHIFT;
    TcrEl2Host::TBI1_SHIFT == TCR_EL1_TBI1_SHIFT;
    TcrEl2Host::TBID0_SHIFT == TCR_EL1_TBID0_SHIFT;
    TcrEl2Host::TBID1_SHIFT == TCR_EL1_TBID1_SHIFT;
    TcrEl2Host::DS_SHIFT == TCR_EL1_DS_SHIFT;
    EsrEl2::EC_SHIFT == ESR_ELx_EC_SHIFT;
    EsrEl2::IL_SHIFT == ESR_ELx_IL_SHIFT;
}

// Where C has no name for the position, it has one for the value.
static_assert!(TcrEl2::T0SZ_MASK == bindings::TCR_EL2_T0SZ_MASK as u64);
static_assert!(TcrEl2::TBI_MASK == bindings::TCR_EL2_TBI as u64);
static_assert!(TcrEl2::DS_MASK == bindings::TCR_EL2_DS);
static_assert!(EsrEl2::B_KEY_MASK == bindings::ESR_ELx_ERET_ISS_ERETA as u64);
static_assert!(SpsrEl2::SP_MASK == (bindings::PSR_MODE_EL2h ^ bindings::PSR_MODE_EL2t) as u64);

/// Makes writes to system registers visible to the instructions that follow.
#[inline(always)]
pub fn isb() {
    // SAFETY: A barrier is always allowed.
    unsafe { asm!("isb", options(nostack, preserves_flags)) };
}
