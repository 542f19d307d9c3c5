// SPDX-License-Identifier: GPL-2.0

//! The capability numbers of the draft of 2019.
//!
//! The C side answers `KVM_CHECK_EXTENSION` for the released numbers, with
//! [`kvm_has_full_ptr_auth`]. The release gives other meanings to the draft's numbers. They get the
//! draft's answer only on a kernel that was booted with `kvm-arm.ptrauth_caps=v10`.
//!
//! UAPI header: [`include/uapi/linux/kvm_ptrauth.h`](srctree/include/uapi/linux/kvm_ptrauth.h)
//!
//! [`kvm_has_full_ptr_auth`]: crate::support::kvm_has_full_ptr_auth

use crate::support;
use kernel::{
    arm64::cpufeature,
    bindings,
    pr_warn_once,
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    }, //
};

/// Whether the draft's numbers answer. Early boot sets it, before user space can ask.
static DRAFT_NUMBERS: Atomic<bool> = Atomic::new(false);

/// Returns whether the draft's numbers answer.
pub(crate) fn draft_numbers() -> bool {
    DRAFT_NUMBERS.load(Relaxed)
}

/// Takes the value of `kvm-arm.ptrauth_caps=`. If there are several, the last one counts.
///
/// An unknown value selects the default. Called during early boot.
///
/// # Safety
///
/// `value` must be null, or a C string that is valid for the call.
#[export]
pub(crate) unsafe extern "C" fn kvm_ptrauth_parse_caps(value: *mut c_char) -> c_int {
    // SAFETY: A value that is there is a valid C string.
    let v10 = !value.is_null() && unsafe { CStr::from_char_ptr(value) } == c"v10";

    if !v10 {
        pr_warn_once!("kvm-arm.ptrauth_caps: only \"v10\" is understood\n");
    }
    DRAFT_NUMBERS.store(v10, Relaxed);
    0
}

/// Answers `KVM_CHECK_EXTENSION` for the draft's numbers.
///
/// Returns 0 or 1. Returns `-ENOENT` if `ext` is another number, or if the draft's numbers do not
/// answer. The draft supported pointer authentication with VHE only.
///
/// Called for `/dev/kvm` and for VMs, preemptible.
///
/// # Safety
///
/// Nothing is required.
// With the kernel's minimum rustc, `#[export]` accepts only unsafe functions.
#[export]
pub(crate) unsafe extern "C" fn kvm_ptrauth_check_draft_extension(ext: c_long) -> c_int {
    const ADDRESS: c_long = bindings::KVM_CAP_ARM_PTRAUTH_ADDRESS_V10 as c_long;
    const GENERIC: c_long = bindings::KVM_CAP_ARM_PTRAUTH_GENERIC_V10 as c_long;

    match ext {
        ADDRESS | GENERIC if draft_numbers() => {
            c_int::from(support::system().is_ok() && cpufeature::has_vhe())
        }
        _ => ENOENT.to_errno(),
    }
}

#[cfg(CONFIG_KVM_ARM64_PTRAUTH_KUNIT_TEST)]
#[kunit_tests(kvm_ptrauth_capability)]
mod tests {
    use super::*;

    fn check(ext: c_long) -> c_int {
        // SAFETY: Nothing is required.
        unsafe { kvm_ptrauth_check_draft_extension(ext) }
    }

    /// The numbers are ABI, so the test spells them out. A number of more than 32 bits must not be
    /// truncated to one of them.
    #[test]
    fn only_the_draft_numbers_are_answered() {
        for ext in (0..1024).filter(|ext| !matches!(ext, 169 | 170)) {
            assert_eq!(check(ext), -2);
        }
        for ext in [-1, c_long::MIN, c_long::MAX, (1 << 32) + 169] {
            assert_eq!(check(ext), -2);
        }
        for ext in [169, 170] {
            let answered = check(ext) != -2;

            assert_eq!(answered, draft_numbers());
        }
    }
}
