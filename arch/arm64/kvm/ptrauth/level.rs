// SPDX-License-Identifier: GPL-2.0

//! How much of pointer authentication a VM has.
//!
//! The ID registers have one field per algorithm for that, with the same levels.

use kernel::{
    arm64::id_regs::{
        IdAa64Isar1,
        IdAa64Isar2, //
    },
    prelude::*, //
};

/// A level of address authentication. Each has what those before it have.
///
/// Reference: Arm ARM, D24.2, the field APA of `ID_AA64ISAR1_EL1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    /// A code that does not match is mixed into the address, and not replaced by an error code
    /// (FEAT_PAuth2).
    PAuth2 = 3,
    /// An instruction that authenticates and does more than that faults if it fails
    /// (FEAT_FPACCOMBINE).
    FpacCombine = 5,
}

/// The name of the feature that a value of the field stands for.
pub(crate) fn name(address: u64) -> &'static str {
    match address {
        0 => "none",
        1 => "PAuth",
        2 => "EPAC",
        3 => "PAuth2",
        4 => "FPAC",
        5 => "FPACCOMBINE",
        6 => "PAuth_LR",
        _ => "beyond PAuth_LR",
    }
}

/// Whether a VM with these ID registers has the level, by one algorithm alone.
pub(crate) fn has(isar1: IdAa64Isar1, isar2: IdAa64Isar2, level: Level) -> bool {
    let algorithms = [
        (*isar1.apa(), *isar1.gpa()),
        (*isar1.api(), *isar1.gpi()),
        (*isar2.apa3(), *isar2.gpa3()),
    ];
    let with_level = algorithms
        .iter()
        .filter(|(address, generic)| *address >= level as u64 && *generic >= 1);

    with_level.count() == 1
}

#[cfg(CONFIG_KVM_ARM64_PTRAUTH_KUNIT_TEST)]
#[kunit_tests(kvm_ptrauth_level)]
mod tests {
    use super::*;

    /// The three algorithms, by where their fields are: address in ISAR1, generic in ISAR1, and
    /// both in ISAR2.
    fn registers(algorithm: usize, address: u64, generic: u64) -> (u64, u64) {
        match algorithm {
            0 => (address << 4 | generic << 24, 0),
            1 => (address << 8 | generic << 28, 0),
            _ => (0, address << 12 | generic << 8),
        }
    }

    fn has_raw((isar1, isar2): (u64, u64), level: Level) -> bool {
        has(
            IdAa64Isar1::from_raw(isar1),
            IdAa64Isar2::from_raw(isar2),
            level,
        )
    }

    #[test]
    fn levels_are_ordered() {
        for algorithm in 0..3 {
            for address in 0..16 {
                for generic in 0..16 {
                    let raw = registers(algorithm, address, generic);

                    assert_eq!(has_raw(raw, Level::PAuth2), address >= 3 && generic >= 1);
                    assert_eq!(
                        has_raw(raw, Level::FpacCombine),
                        address >= 5 && generic >= 1
                    );
                }
            }
        }
    }

    #[test]
    fn two_algorithms_are_none() {
        for (a, b) in [(0, 1), (0, 2), (1, 2)] {
            let (a, b) = (registers(a, 5, 1), registers(b, 5, 1));

            assert!(!has_raw((a.0 | b.0, a.1 | b.1), Level::FpacCombine));
        }
    }
}
