// SPDX-License-Identifier: GPL-2.0

//! The vCPU features with which a VMM turns pointer authentication on, and what a guest without
//! them sees.
//!
//! The ABI has one feature for addresses and one for generic data. A vCPU has both or neither: the
//! traps and the keys do not tell them apart. Without them, the ID registers show nothing of
//! pointer authentication. Accesses to the key registers are undefined, and so are instructions
//! that would sign or authenticate. Those that are disabled do nothing.
//!
//! UAPI header: [`arch/arm64/include/uapi/asm/kvm.h`](srctree/arch/arm64/include/uapi/asm/kvm.h)
//!
//! Reference: `KVM_ARM_VCPU_INIT` in <https://docs.kernel.org/virt/kvm/api.html>

use crate::{
    support,
    vcpu::LockedVcpu, //
};
use kernel::{
    arm64::id_regs::{
        IdAa64Isar1,
        IdAa64Isar2, //
    },
    bindings,
    do_once_lite,
    prelude::*,
    warn_on, //
};

/// Both features, in the first word of `kvm_vcpu_init::features`.
const PAIR: c_ulong =
    1 << bindings::KVM_ARM_VCPU_PTRAUTH_ADDRESS | 1 << bindings::KVM_ARM_VCPU_PTRAUTH_GENERIC;

/// Removes from `features` those that the system cannot give to vCPUs.
///
/// Called at `KVM_ARM_VCPU_INIT`, before the vCPU changes, preemptible.
///
/// # Safety
///
/// Nothing is required.
// With the kernel's minimum rustc, `#[export]` accepts only unsafe functions.
#[export]
pub(crate) unsafe extern "C" fn kvm_ptrauth_supported_features(features: c_ulong) -> c_ulong {
    if support::system().is_ok() {
        features
    } else {
        features & !PAIR
    }
}

/// Checks the features that a VMM asks for.
///
/// Returns 0, or `-EINVAL` if one of the two comes without the other.
///
/// Called at `KVM_ARM_VCPU_INIT`, before the vCPU changes, preemptible. The C side has checked that
/// the system supports the features.
///
/// # Safety
///
/// Nothing is required.
// With the kernel's minimum rustc, `#[export]` accepts only unsafe functions.
#[export]
pub(crate) unsafe extern "C" fn kvm_ptrauth_check_features(features: c_ulong) -> c_int {
    match features & PAIR {
        0 | PAIR => 0,
        _ => EINVAL.to_errno(),
    }
}

/// Clears the fields of `ID_AA64ISAR1_EL1` that a vCPU without the features must not show.
///
/// Called when a VM gets its ID registers or user space sets them, preemptible.
///
/// # Safety
///
/// Nothing is required.
// With the kernel's minimum rustc, `#[export]` accepts only unsafe functions.
#[export]
pub(crate) unsafe extern "C" fn kvm_ptrauth_hide_isar1(val: u64) -> u64 {
    IdAa64Isar1::from_raw(val)
        .with_const_apa::<0>()
        .with_const_gpa::<0>()
        .with_const_api::<0>()
        .with_const_gpi::<0>()
        .into_raw()
}

/// Clears the fields of `ID_AA64ISAR2_EL1` that a vCPU without the features must not show.
///
/// Called when a VM gets its ID registers or user space sets them, preemptible.
///
/// # Safety
///
/// Nothing is required.
// With the kernel's minimum rustc, `#[export]` accepts only unsafe functions.
#[export]
pub(crate) unsafe extern "C" fn kvm_ptrauth_hide_isar2(val: u64) -> u64 {
    IdAa64Isar2::from_raw(val)
        .with_const_apa3::<0>()
        .with_const_gpa3::<0>()
        .into_raw()
}

/// Handles the trap of a pointer authentication instruction. Returns 1, which lets the guest go on.
///
/// The instruction is undefined for a guest without the features. A trap of L2 that L1 has asked
/// for is reinjected into L1. No other guest traps.
///
/// Called in the run loop, preemptible, with the vCPU loaded.
///
/// # Safety
///
/// `vcpu` must be the vCPU that the calling thread runs.
#[export]
pub(crate) unsafe extern "C" fn kvm_handle_ptrauth(vcpu: *mut bindings::kvm_vcpu) -> c_int {
    // SAFETY: The caller runs the vCPU, and so holds its mutex.
    let mut vcpu = unsafe { LockedVcpu::from_raw(vcpu) };

    if !vcpu.has_ptrauth() {
        vcpu.inject_undefined();
    } else if vcpu.runs_l2() {
        let esr = vcpu.esr();
        vcpu.inject_into_l1(esr);
    } else {
        do_once_lite! { warn_on!(true); }
        vcpu.inject_undefined();
    }
    1
}

#[cfg(CONFIG_KVM_ARM64_PTRAUTH_KUNIT_TEST)]
#[kunit_tests(kvm_ptrauth_features)]
mod tests {
    use super::*;

    /// The bits and fields are ABI, so the tests spell them out.
    const ADDRESS: c_ulong = 1 << 5;
    const GENERIC: c_ulong = 1 << 6;
    const ISAR1: u64 = 0xff00_0ff0;
    const ISAR2: u64 = 0x0000_ff00;

    const VALUES: [u64; 4] = [0, u64::MAX, 0x0123_4567_89ab_cdef, 0xa5a5_5a5a_a5a5_5a5a];

    /// Yields every set of existing features, with the other bits of the word clear and set.
    fn words() -> impl Iterator<Item = c_ulong> {
        const EXISTING: c_ulong = (1 << bindings::KVM_VCPU_MAX_FEATURES) - 1;

        (0..=EXISTING).flat_map(|raw| [raw, raw | !EXISTING])
    }

    #[test]
    fn the_pair_goes_if_the_system_lacks_it_and_nothing_else() {
        let lost = if support::system().is_ok() {
            0
        } else {
            ADDRESS | GENERIC
        };

        for raw in words() {
            // SAFETY: Nothing is required.
            let supported = unsafe { kvm_ptrauth_supported_features(raw) };

            assert_eq!(supported, raw & !lost);
        }
    }

    #[test]
    fn the_features_come_as_a_pair() {
        for raw in words() {
            let expected = match (raw & ADDRESS, raw & GENERIC) {
                (0, 0) | (ADDRESS, GENERIC) => 0,
                _ => -22,
            };

            // SAFETY: Nothing is required.
            assert_eq!(unsafe { kvm_ptrauth_check_features(raw) }, expected);
        }
    }

    #[test]
    fn the_fields_go_and_nothing_else() {
        for value in VALUES {
            // SAFETY: Nothing is required.
            assert_eq!(unsafe { kvm_ptrauth_hide_isar1(value) }, value & !ISAR1);
            // SAFETY: Nothing is required.
            assert_eq!(unsafe { kvm_ptrauth_hide_isar2(value) }, value & !ISAR2);
        }
    }
}
