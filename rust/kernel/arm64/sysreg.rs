// SPDX-License-Identifier: GPL-2.0

//! System registers, as values.
//!
//! Fields that nobody asks for yet are not declared; their bits are kept as they are.
//!
//! Reference: Arm ARM, chapter D24 "AArch64 System Register Descriptions".

use crate::bitfield;

bitfield! {
    /// `HCR_EL2`, Hypervisor Configuration Register.
    pub struct HcrEl2(u64) {
        /// When clear, pointer authentication instructions at EL1 and EL0 trap to EL2.
        41:41 api => bool;
        /// When clear, accesses to the key registers at EL1 trap to EL2.
        40:40 apk => bool;
    }
}

#[cfg(CONFIG_RUST_ARM64_KUNIT_TEST)]
#[macros::kunit_tests(rust_arm64_sysreg)]
mod tests {
    use super::*;

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
