// SPDX-License-Identifier: GPL-2.0

//! The capabilities by which a VMM learns of pointer authentication.
//!
//! UAPI headers: [`include/uapi/linux/kvm.h`](srctree/include/uapi/linux/kvm.h),
//! [`include/uapi/linux/kvm_ptrauth.h`](srctree/include/uapi/linux/kvm_ptrauth.h)

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

/// The numbers of the capabilities that are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Numbers {
    /// Those of the released UAPI.
    Released,
    /// Those, and the numbers that the draft of 2019 used.
    ReleasedAndV10,
}

impl Numbers {
    /// What a value of `kvm-arm.ptrauth_caps=` selects, or [`None`] if it is not understood.
    fn from_option(value: Option<&CStr>) -> Option<Self> {
        match value?.to_bytes() {
            b"v10" => Some(Self::ReleasedAndV10),
            _ => None,
        }
    }
}

/// Set by the command line, before anyone can ask.
static V10_NUMBERS: Atomic<bool> = Atomic::new(false);

/// Takes the value of `kvm-arm.ptrauth_caps=`.
///
/// A value that is not understood is no reason to fail: it stands for the default. If there are
/// several, the last one counts.
pub(crate) fn parse_numbers(value: Option<&CStr>) -> Result {
    let numbers = Numbers::from_option(value).unwrap_or_else(|| {
        pr_warn_once!(
            "kvm-arm.ptrauth_caps: only \"v10\" is understood, keeping the released numbers\n"
        );
        Numbers::Released
    });

    V10_NUMBERS.store(numbers == Numbers::ReleasedAndV10, Relaxed);
    Ok(())
}

/// The numbers in force.
pub(crate) fn numbers() -> Numbers {
    if V10_NUMBERS.load(Relaxed) {
        Numbers::ReleasedAndV10
    } else {
        Numbers::Released
    }
}

/// What one of our numbers asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Question {
    /// Whether guests can have pointer authentication.
    Released,
    /// The same, for the draft, which knew it with VHE only.
    V10,
}

impl Question {
    /// What is asked for with `ext`, or [`None`] if that is not one of our numbers.
    fn from_number(ext: u32, numbers: Numbers) -> Option<Self> {
        match ext {
            bindings::KVM_CAP_ARM_PTRAUTH_ADDRESS | bindings::KVM_CAP_ARM_PTRAUTH_GENERIC => {
                Some(Self::Released)
            }
            bindings::KVM_CAP_ARM_PTRAUTH_ADDRESS_V10
            | bindings::KVM_CAP_ARM_PTRAUTH_GENERIC_V10
                if numbers == Numbers::ReleasedAndV10 =>
            {
                Some(Self::V10)
            }
            _ => None,
        }
    }

    fn answer(self, supported: bool, vhe: bool) -> bool {
        match self {
            Self::Released => supported,
            Self::V10 => supported && vhe,
        }
    }
}

/// Answers `KVM_CHECK_EXTENSION`, or gives [`None`] if `ext` is not one of our numbers.
pub(crate) fn check(ext: c_long) -> Option<bool> {
    let question = Question::from_number(ext.try_into().ok()?, numbers())?;

    Some(question.answer(support::system().is_ok(), cpufeature::has_vhe()))
}

#[cfg(CONFIG_KVM_ARM64_PTRAUTH_KUNIT_TEST)]
#[kunit_tests(kvm_ptrauth_capability)]
mod tests {
    use super::*;

    const BOOLS: [bool; 2] = [false, true];
    const NUMBERS: [Numbers; 2] = [Numbers::Released, Numbers::ReleasedAndV10];

    #[test]
    fn only_v10_is_understood() {
        assert_eq!(
            Numbers::from_option(Some(c"v10")),
            Some(Numbers::ReleasedAndV10)
        );

        for value in [
            None,
            Some(c""),
            Some(c"v1"),
            Some(c"v100"),
            Some(c"V10"),
            Some(c" v10"),
        ] {
            assert_eq!(Numbers::from_option(value), None);
        }
    }

    /// The numbers are ABI: they are spelt out here on purpose.
    #[test]
    fn numbers_ask_what_they_should() {
        for numbers in NUMBERS {
            for ext in 0..1024 {
                let expected = match (ext, numbers) {
                    (171 | 172, _) => Some(Question::Released),
                    (169 | 170, Numbers::ReleasedAndV10) => Some(Question::V10),
                    _ => None,
                };

                assert_eq!(Question::from_number(ext, numbers), expected);
            }
        }
    }

    #[test]
    fn only_the_draft_asks_for_vhe() {
        for supported in BOOLS {
            for vhe in BOOLS {
                assert_eq!(Question::Released.answer(supported, vhe), supported);
                assert_eq!(Question::V10.answer(supported, vhe), supported && vhe);
            }
        }
    }

    /// What does not fit 32 bits must not be cut down to a number of ours.
    #[test]
    fn numbers_out_of_range_are_not_ours() {
        assert_eq!(check(-1), None);
        assert_eq!(check(c_long::MIN), None);
        assert_eq!(check((1 << 32) + 171), None);
        assert_eq!(check(c_long::MAX), None);
    }
}
