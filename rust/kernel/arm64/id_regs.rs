// SPDX-License-Identifier: GPL-2.0

//! ID registers: what the CPUs implement.
//!
//! [`IdAa64Isar1`] and [`IdAa64Isar2`] have three views:
//!
//! - `this_cpu()` is what this CPU says;
//! - `sanitised()` is what all CPUs have in common, without what the command line disables;
//! - `overridden()` has all ones in the fields that the command line sets.
//!
//! Only fields that have a user are declared.
//!
//! C header: [`arch/arm64/include/asm/cpufeature.h`](srctree/arch/arm64/include/asm/cpufeature.h)
//!
//! Reference: Arm ARM, "General system control registers".

use super::sysreg::assert_fields;
use crate::{
    bitfield,
    prelude::*, //
};
use core::arch::asm;

bitfield! {
    /// `ID_AA64ISAR1_EL1`, AArch64 Instruction Set Attribute Register 1.
    pub struct IdAa64Isar1(u64) {
        /// Generic authentication with an IMPLEMENTATION DEFINED algorithm.
        31:28 gpi;
        /// Generic authentication with QARMA5.
        27:24 gpa;
        /// Address authentication with an IMPLEMENTATION DEFINED algorithm.
        11:8 api;
        /// Address authentication with QARMA5.
        7:4 apa;
    }
}

bitfield! {
    /// `ID_AA64ISAR2_EL1`, AArch64 Instruction Set Attribute Register 2.
    pub struct IdAa64Isar2(u64) {
        /// Address authentication with QARMA3.
        15:12 apa3;
        /// Generic authentication with QARMA3.
        11:8 gpa3;
    }
}

bitfield! {
    /// `ID_AA64MMFR0_EL1`, AArch64 Memory Model Feature Register 0.
    pub struct IdAa64Mmfr0(u64) {
        /// 4 KiB granule: 0 means addresses of 48 bits, 1 to 7 of 52 bits, 8 to 15 no support.
        31:28 tgran4;
        /// 16 KiB granule: 0 means no support, 1 addresses of 48 bits, 2 and above of 52 bits.
        23:20 tgran16;
    }
}

assert_fields! {
    IdAa64Isar1::GPI_SHIFT == ID_AA64ISAR1_EL1_GPI_SHIFT;
    IdAa64Isar1::GPA_SHIFT == ID_AA64ISAR1_EL1_GPA_SHIFT;
    IdAa64Isar1::API_SHIFT == ID_AA64ISAR1_EL1_API_SHIFT;
    IdAa64Isar1::APA_SHIFT == ID_AA64ISAR1_EL1_APA_SHIFT;
    IdAa64Isar2::APA3_SHIFT == ID_AA64ISAR2_EL1_APA3_SHIFT;
    IdAa64Isar2::GPA3_SHIFT == ID_AA64ISAR2_EL1_GPA3_SHIFT;
    IdAa64Mmfr0::TGRAN4_SHIFT == ID_AA64MMFR0_EL1_TGRAN4_SHIFT;
    IdAa64Mmfr0::TGRAN16_SHIFT == ID_AA64MMFR0_EL1_TGRAN16_SHIFT;
}

/// Implements the three views of an ID register.
///
/// `$mrs` is a name that assemblers know at any architecture level, `$id` the encoding by which the
/// C side looks the register up.
macro_rules! id_register_views {
    ($register:ident, $mrs:literal, $id:ident, $override:ident) => {
        impl $register {
            /// Reads the register of the CPU that this runs on.
            ///
            /// CPUs may differ. A caller that needs a certain CPU must not be preemptible.
            #[inline]
            pub fn this_cpu() -> Self {
                let value;

                // SAFETY: Reading an ID register has no side effects. Only a hypervisor traps it,
                // and emulates it.
                unsafe {
                    asm!(
                        concat!("mrs {}, ", $mrs),
                        out(reg) value,
                        options(nomem, nostack, preserves_flags),
                    )
                };
                Self::from_raw(value)
            }

            /// Returns the value that holds for the whole system.
            #[inline]
            pub fn sanitised() -> Self {
                // SAFETY: The register is one that the C side keeps track of.
                Self::from_raw(unsafe { bindings::read_sanitised_ftr_reg(bindings::$id) })
            }

            /// Returns the fields that the command line sets, to whatever value.
            ///
            /// Modules cannot call it, because the C side does not export the override to them.
            #[inline]
            pub fn overridden() -> Self {
                // SAFETY: Early boot alone writes the override, on one CPU, so no write races with
                // this read.
                Self::from_raw(unsafe { bindings::$override.mask })
            }
        }
    };
}

id_register_views!(
    IdAa64Isar1,
    "S3_0_C0_C6_1",
    SYS_ID_AA64ISAR1_EL1,
    id_aa64isar1_override
);
id_register_views!(
    IdAa64Isar2,
    "S3_0_C0_C6_2",
    SYS_ID_AA64ISAR2_EL1,
    id_aa64isar2_override
);

#[cfg(CONFIG_RUST_ARM64_KUNIT_TEST)]
#[macros::kunit_tests(rust_arm64_id_regs)]
mod tests {
    use super::*;

    /// The system has no more than this CPU, except for what the command line sets.
    #[test]
    fn sanitised_fields_are_no_more_than_this_cpus() {
        let here = IdAa64Isar1::this_cpu();
        let all = IdAa64Isar1::sanitised();
        let set = IdAa64Isar1::overridden();

        assert!(*set.apa() != 0 || *all.apa() <= *here.apa());
        assert!(*set.api() != 0 || *all.api() <= *here.api());
        assert!(*set.gpa() != 0 || *all.gpa() <= *here.gpa());
        assert!(*set.gpi() != 0 || *all.gpi() <= *here.gpi());
    }
}
