// SPDX-License-Identifier: GPL-2.0

//! What a vCPU shows of its system registers, to the guest and to user space.
//!
//! With the feature these are the ten key registers, and the fields of the ID registers that tell
//! of it. Without, there is nothing of that.

use crate::features::{
    self,
    Ptrauth, //
};
use kernel::{
    arm64::id_regs::{
        IdAa64Isar1,
        IdAa64Isar2, //
    },
    kvm::Vcpu, //
};

/// Whether the key registers exist for the vCPU.
pub(crate) fn has_keys(vcpu: &Vcpu) -> bool {
    features::of(vcpu) == Ptrauth::On
}

fn hide_in_isar1(isar1: IdAa64Isar1) -> IdAa64Isar1 {
    isar1
        .with_const_apa::<0>()
        .with_const_gpa::<0>()
        .with_const_api::<0>()
        .with_const_gpi::<0>()
}

fn hide_in_isar2(isar2: IdAa64Isar2) -> IdAa64Isar2 {
    isar2.with_const_apa3::<0>().with_const_gpa3::<0>()
}

/// `ID_AA64ISAR1_EL1` as the vCPU may show it at most.
pub(crate) fn sanitise_isar1(vcpu: &Vcpu, isar1: IdAa64Isar1) -> IdAa64Isar1 {
    match features::of(vcpu) {
        Ptrauth::On => isar1,
        Ptrauth::Off => hide_in_isar1(isar1),
    }
}

/// `ID_AA64ISAR2_EL1` as the vCPU may show it at most.
pub(crate) fn sanitise_isar2(vcpu: &Vcpu, isar2: IdAa64Isar2) -> IdAa64Isar2 {
    match features::of(vcpu) {
        Ptrauth::On => isar2,
        Ptrauth::Off => hide_in_isar2(isar2),
    }
}

#[cfg(CONFIG_KVM_ARM64_PTRAUTH_KUNIT_TEST)]
#[kernel::macros::kunit_tests(kvm_ptrauth_registers)]
mod tests {
    use super::*;

    /// The fields are ABI: they are spelt out here on purpose.
    const ISAR1: u64 = 0xff00_0ff0;
    const ISAR2: u64 = 0x0000_ff00;

    const VALUES: [u64; 4] = [0, u64::MAX, 0x0123_4567_89ab_cdef, 0xa5a5_5a5a_a5a5_5a5a];

    #[test]
    fn the_fields_go_and_nothing_else() {
        for value in VALUES {
            let isar1 = hide_in_isar1(IdAa64Isar1::from_raw(value));
            let isar2 = hide_in_isar2(IdAa64Isar2::from_raw(value));

            assert_eq!(isar1.into_raw(), value & !ISAR1);
            assert_eq!(isar2.into_raw(), value & !ISAR2);
        }
    }
}
