// SPDX-License-Identifier: GPL-2.0

//! ID registers: what the CPUs implement.
//!
//! Each register can be seen in three ways:
//!
//! - `this_cpu()` is what the CPU at hand says;
//! - `sanitised()` is what all CPUs have in common, after what the command line takes away;
//! - `overridden()` has all ones in the fields that the command line sets, whatever it sets them
//!   to.
//!
//! Fields that nobody asks for yet are not declared.
//!
//! C header: [`arch/arm64/include/asm/cpufeature.h`](srctree/arch/arm64/include/asm/cpufeature.h)
//!
//! Reference: Arm ARM, D24.2 "General system control registers".

use crate::bitfield;
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

/// Gives an ID register its three views.
///
/// `$mrs` is the register's name as the assembler knows it at any architecture level, `$id` its
/// encoding as the C side uses it for look-ups.
macro_rules! id_register_views {
    ($register:ident, $mrs:literal, $id:ident, $override:ident) => {
        impl $register {
            /// Reads the register of the CPU that this runs on.
            ///
            /// Where CPUs differ, this is one opinion; callers that care are not preemptible.
            pub fn this_cpu() -> Self {
                let value;

                // SAFETY: Reading an ID register has no side effects. At EL1 and EL2 it is never
                // trapped to anyone but a hypervisor, which emulates it.
                unsafe {
                    asm!(
                        concat!("mrs {}, ", $mrs),
                        out(reg) value,
                        options(nomem, nostack, preserves_flags),
                    )
                };
                Self::from_raw(value)
            }

            /// The value that holds for the whole system.
            pub fn sanitised() -> Self {
                // SAFETY: The register is one that the C side keeps track of.
                Self::from_raw(unsafe { bindings::read_sanitised_ftr_reg(bindings::$id) })
            }

            /// The fields that the command line sets.
            pub fn overridden() -> Self {
                // SAFETY: The override is written by the boot CPU before any Rust code runs, and
                // never again.
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

    /// Each field alone, all ones, must give the mask that the architecture has for it.
    #[test]
    fn fields_are_where_the_architecture_has_them() {
        assert_eq!(
            IdAa64Isar1::from_raw(0).with_const_apa::<0xf>().into_raw(),
            0x0000_00f0
        );
        assert_eq!(
            IdAa64Isar1::from_raw(0).with_const_api::<0xf>().into_raw(),
            0x0000_0f00
        );
        assert_eq!(
            IdAa64Isar1::from_raw(0).with_const_gpa::<0xf>().into_raw(),
            0x0f00_0000
        );
        assert_eq!(
            IdAa64Isar1::from_raw(0).with_const_gpi::<0xf>().into_raw(),
            0xf000_0000
        );
        assert_eq!(
            IdAa64Isar2::from_raw(0).with_const_gpa3::<0xf>().into_raw(),
            0x0f00
        );
        assert_eq!(
            IdAa64Isar2::from_raw(0).with_const_apa3::<0xf>().into_raw(),
            0xf000
        );
    }

    /// The system cannot have more than the CPU at hand, but for what is set by hand.
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
