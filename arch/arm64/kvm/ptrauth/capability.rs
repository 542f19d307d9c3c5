// SPDX-License-Identifier: GPL-2.0

//! The capability numbers of the draft of 2019.
//!
//! The C side answers `KVM_CHECK_EXTENSION` for the released numbers with [`kvm_has_full_ptr_auth`].
//! The draft's numbers have other meanings by now. They get the draft's answer only on a kernel
//! that was booted with `kvm-arm.ptrauth_caps=v10`.
//!
//! UAPI header: [`include/uapi/linux/kvm_ptrauth.h`](srctree/include/uapi/linux/kvm_ptrauth.h)
//!
//! [`kvm_has_full_ptr_auth`]: crate::support::kvm_has_full_ptr_auth

use crate::support;
use kernel::{
    arm64::cpufeature,
    bindings, pr_warn_once,
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    },
};

/// Set by the command line, before anyone can ask.
static DRAFT_NUMBERS: Atomic<bool> = Atomic::new(false);

/// Returns whether the draft's numbers answer.
pub(crate) fn draft_numbers() -> bool {
    DRAFT_NUMBERS.load(Relaxed)
}

/// Takes the value of `kvm-arm.ptrauth_caps=`. If there are several, the last one counts.
///
/// A value that is not understood stands for the default. Called during early boot.
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

/// Answers `KVM_CHECK_EXTENSION` for the draft's numbers: 0 or 1, or `-ENOENT` if `ext` is none of
/// them or they do not answer.
///
/// The draft knew pointer authentication with VHE only. Called for `/dev/kvm` and for VMs,
/// preemptible.
#[export]
pub(crate) extern "C" fn kvm_ptrauth_check_draft_extension(ext: c_long) -> c_int {
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

    /// The numbers are ABI: they are spelt out here on purpose. What does not fit 32 bits must not
    /// be cut down to one of them.
    #[test]
    fn only_the_draft_numbers_are_answered() {
        for ext in (0..1024).filter(|ext| !matches!(ext, 169 | 170)) {
            assert_eq!(kvm_ptrauth_check_draft_extension(ext), -2);
        }
        for ext in [-1, c_long::MIN, c_long::MAX, (1 << 32) + 169] {
            assert_eq!(kvm_ptrauth_check_draft_extension(ext), -2);
        }
        for ext in [169, 170] {
            let answered = kvm_ptrauth_check_draft_extension(ext) != -2;

            assert_eq!(answered, draft_numbers());
        }
    }
}
