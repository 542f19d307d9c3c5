// SPDX-License-Identifier: GPL-2.0

//! System registers, as values.
//!
//! Fields that nobody asks for yet are not declared; their bits are kept as they are.
//!
//! Reference: Arm ARM, chapter D24 "AArch64 System Register Descriptions".

use crate::bitfield;
use core::arch::asm;

bitfield! {
    /// `CurrentEL`, Current Exception Level.
    pub struct CurrentEl(u64) {
        /// The exception level.
        3:2 el;
    }
}

impl CurrentEl {
    /// Reads the register.
    #[inline]
    pub fn read() -> Self {
        let value: u64;

        // SAFETY: The register is there at each exception level that the kernel can run at, and
        // reading it does nothing else.
        unsafe {
            asm!(
                "mrs {value}, CurrentEL",
                value = out(reg) value,
                options(nomem, nostack, preserves_flags),
            )
        };
        Self::from_raw(value)
    }
}

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
        /// Addresses of instructions are signed and authenticated with APIA.
        31:31 en_ia => bool;
        /// Addresses of instructions are signed and authenticated with APIB.
        30:30 en_ib => bool;
    }
}

bitfield! {
    /// `TCR_EL2`, Translation Control Register, with `HCR_EL2.E2H` clear.
    pub struct TcrEl2(u64) {
        /// The size of the address space is 2^(64 - T0SZ).
        5:0 t0sz;
        /// Translation ignores the top byte of addresses.
        20:20 tbi => bool;
        /// It does so for data only.
        29:29 tbid => bool;
    }
}

bitfield! {
    /// `TCR_EL2`, Translation Control Register, with `HCR_EL2.E2H` set.
    ///
    /// Each field is there for the lower half of the address space and for the upper.
    pub struct TcrEl2Host(u64) {
        /// The size of the lower half is 2^(64 - T0SZ).
        5:0 t0sz;
        /// The size of the upper half is 2^(64 - T1SZ).
        21:16 t1sz;
        /// Translation ignores the top byte of addresses in the lower half.
        37:37 tbi0 => bool;
        /// Translation ignores the top byte of addresses in the upper half.
        38:38 tbi1 => bool;
        /// It does so for data only, in the lower half.
        51:51 tbid0 => bool;
        /// It does so for data only, in the upper half.
        52:52 tbid1 => bool;
    }
}

bitfield! {
    /// `ESR_EL2`, Exception Syndrome Register.
    pub struct EsrEl2(u64) {
        /// The class of the exception.
        31:26 ec;
        /// The instruction was 32 bits long.
        25:25 il => bool;
        /// For a trapped `ERETAA` or `ERETAB`, and for a failed authentication: the key was B.
        0:0 b_key => bool;
    }
}

bitfield! {
    /// `SPSR_EL2`, Saved Program Status Register.
    pub struct SpsrEl2(u64) {
        /// The exception return is illegal.
        20:20 il => bool;
    }
}

#[cfg(CONFIG_RUST_ARM64_KUNIT_TEST)]
#[macros::kunit_tests(rust_arm64_sysreg)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_runs_at_el1_or_el2() {
        assert_eq!(CurrentEl::from_raw(1 << 2).el(), 1);
        assert_eq!(CurrentEl::from_raw(2 << 2).el(), 2);

        let el = *CurrentEl::read().el();
        assert!(el == 1 || el == 2);
    }

    #[test]
    fn hcr_fields_are_where_the_architecture_has_them() {
        assert_eq!(HcrEl2::from_raw(0).with_api(true).into_raw(), 1 << 41);
        assert_eq!(HcrEl2::from_raw(0).with_apk(true).into_raw(), 1 << 40);
    }

    #[test]
    fn hcr_keeps_the_other_bits() {
        let all = HcrEl2::from_raw(u64::MAX);

        assert_eq!(all.with_api(false).with_apk(false).into_raw(), !(3 << 40));
    }
}
