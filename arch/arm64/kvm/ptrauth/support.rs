// SPDX-License-Identifier: GPL-2.0

//! Whether guests can have pointer authentication, by which algorithm and level, or why not.
//!
//! Guests get both address and generic authentication, or neither. So the system must have both, on
//! every CPU and by one algorithm: a guest has one set of ID registers, and its pointers must
//! authenticate wherever its vCPUs run.

use kernel::{
    arm64::{
        cpufeature,
        id_regs::{
            IdAa64Isar1,
            IdAa64Isar2, //
        },
    },
    fmt,
    prelude::*, //
};

/// The algorithm that computes PACs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Algorithm {
    /// The architecture's first algorithm.
    Qarma5,
    /// The architecture's later algorithm with fewer rounds (FEAT_PACQARMA3).
    Qarma3,
    /// An algorithm of the CPU's designer.
    ImpDef,
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Qarma5 => "QARMA5",
            Self::Qarma3 => "QARMA3",
            Self::ImpDef => "IMPDEF",
        })
    }
}

/// Why guests cannot have pointer authentication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The CPU does not implement it.
    NotImplemented,
    /// The command line turns it off.
    Disabled,
    /// This CPU implements it, and another does not.
    NotOnAllCpus,
    /// Generic authentication is there, address authentication is not.
    NoAddressAuth,
    /// Address authentication is there, generic authentication is not.
    NoGenericAuth,
    /// More than one algorithm, or a different one for addresses and for generic data.
    MixedAlgorithms,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotImplemented => "no FEAT_PAuth",
            Self::Disabled => "disabled on the command line (arm64.nopauth)",
            Self::NotOnAllCpus => "not the same on all CPUs",
            Self::NoAddressAuth => "no address authentication",
            Self::NoGenericAuth => "no generic authentication",
            Self::MixedAlgorithms => "mixed algorithms",
        })
    }
}

/// A level of address authentication, as the ID registers number it.
///
/// From [`Level::PAUTH2`] on, each includes those from there up to it.
///
/// Reference: Arm ARM, the field APA of `ID_AA64ISAR1_EL1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
pub(crate) struct Level(u64);

impl Level {
    /// A PAC is mixed into the address by an exclusive or (FEAT_PAuth2).
    pub(crate) const PAUTH2: Self = Self(3);
    /// A combined instruction, such as `ERETAA`, faults if the authentication fails
    /// (FEAT_FPACCOMBINE).
    pub(crate) const FPACCOMBINE: Self = Self(5);
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            1 => "PAuth",
            2 => "EPAC",
            3 => "PAuth2",
            4 => "FPAC",
            5 => "FPACCOMBINE",
            6 => "PAuth_LR",
            _ => "beyond PAuth_LR",
        })
    }
}

/// The fields of one algorithm: the level of address authentication, and the value for generic
/// authentication. The architecture defines only the value 1 for the latter.
type Fields = (Algorithm, u64, u64);

/// One view of the two ID registers that describe pointer authentication.
struct View([Fields; 3]);

impl View {
    fn new(isar1: IdAa64Isar1, isar2: IdAa64Isar2) -> Self {
        Self([
            (Algorithm::Qarma5, *isar1.apa(), *isar1.gpa()),
            (Algorithm::Qarma3, *isar2.apa3(), *isar2.gpa3()),
            (Algorithm::ImpDef, *isar1.api(), *isar1.gpi()),
        ])
    }

    /// Returns whether there is pointer authentication of any kind.
    fn any(&self) -> bool {
        self.0
            .iter()
            .any(|(_, address, generic)| address | generic != 0)
    }

    /// Returns the one algorithm that does both kinds of authentication, if no other does either.
    fn single(&self) -> Option<(Algorithm, Level)> {
        let mut there = self.0.iter().filter(|(_, a, g)| *a != 0 || *g == 1);

        match (there.next(), there.next()) {
            (Some(&(algorithm, level @ 1.., 1)), None) => Some((algorithm, Level(level))),
            _ => None,
        }
    }
}

/// Returns the level of the one algorithm that a VM with these ID registers has.
pub(crate) fn vm_level(isar1: IdAa64Isar1, isar2: IdAa64Isar2) -> Option<Level> {
    View::new(isar1, isar2).single().map(|(_, level)| level)
}

/// The facts that the answer depends on.
struct Facts {
    /// The kernel found address authentication on all CPUs and uses it.
    address_auth: bool,
    /// The kernel found generic authentication on all CPUs and uses it.
    generic_auth: bool,
    /// What all CPUs have in common.
    system: View,
    /// This CPU has pointer authentication of some kind.
    this_cpu: bool,
    /// The command line sets some of the fields.
    overridden: bool,
}

impl Facts {
    fn gather() -> Self {
        let overridden = View::new(IdAa64Isar1::overridden(), IdAa64Isar2::overridden());

        Self {
            address_auth: cpufeature::supports_address_auth(),
            generic_auth: cpufeature::supports_generic_auth(),
            system: View::new(IdAa64Isar1::sanitised(), IdAa64Isar2::sanitised()),
            this_cpu: View::new(IdAa64Isar1::this_cpu(), IdAa64Isar2::this_cpu()).any(),
            overridden: overridden.any(),
        }
    }

    fn decide(&self) -> Result<(Algorithm, Level), Reason> {
        match (self.address_auth, self.generic_auth) {
            (true, true) => self.system.single().ok_or(Reason::MixedAlgorithms),
            (true, false) => Err(Reason::NoGenericAuth),
            (false, true) => Err(Reason::NoAddressAuth),
            (false, false) if !self.this_cpu => Err(Reason::NotImplemented),
            (false, false) if self.overridden => Err(Reason::Disabled),
            (false, false) => Err(Reason::NotOnAllCpus),
        }
    }
}

/// Returns the algorithm and level that guests get, or why they get none.
///
/// May be called from any context once the kernel has finalised its capabilities.
pub(crate) fn system() -> Result<(Algorithm, Level), Reason> {
    Facts::gather().decide()
}

/// Returns whether guests can have pointer authentication.
///
/// Called for `KVM_CHECK_EXTENSION`, preemptible.
///
/// # Safety
///
/// Nothing is required.
// With the kernel's minimum rustc, `#[export]` accepts only unsafe functions.
#[export]
pub(crate) unsafe extern "C" fn kvm_has_full_ptr_auth() -> bool {
    system().is_ok()
}

#[cfg(CONFIG_KVM_ARM64_PTRAUTH_KUNIT_TEST)]
#[kunit_tests(kvm_ptrauth_support)]
mod tests {
    use super::*;
    use kernel::str::CString;

    const BOOLS: [bool; 2] = [false, true];

    fn facts(address_auth: bool, generic_auth: bool, isar1: u64, isar2: u64) -> Facts {
        Facts {
            address_auth,
            generic_auth,
            system: View::new(IdAa64Isar1::from_raw(isar1), IdAa64Isar2::from_raw(isar2)),
            this_cpu: true,
            overridden: false,
        }
    }

    /// Every value that the two fields of an algorithm can take, for each algorithm.
    #[test]
    fn address_at_any_level_generic_at_level_one() {
        for (algorithm, address_at, generic_at) in [
            (Algorithm::Qarma5, (1, 4), (1, 24)),
            (Algorithm::ImpDef, (1, 8), (1, 28)),
            (Algorithm::Qarma3, (2, 12), (2, 8)),
        ] {
            for (address, generic) in (0..16).flat_map(|a| (0..16).map(move |g| (a, g))) {
                let register = |n| {
                    let field = |value: u64, (register, shift)| match register {
                        r if r == n => value << shift,
                        _ => 0,
                    };

                    field(address, address_at) | field(generic, generic_at)
                };
                let expected = if address > 0 && generic == 1 {
                    Ok((algorithm, Level(address)))
                } else {
                    Err(Reason::MixedAlgorithms)
                };

                assert_eq!(
                    facts(true, true, register(1), register(2)).decide(),
                    expected
                );
            }
        }
    }

    /// Every set of implemented algorithms, of both kinds: exactly three of 64 are good.
    #[test]
    fn one_algorithm_for_both_kinds() {
        let mut good = 0;

        for bits in 0..64u64 {
            let field = |n: u64, shift: u32| (bits >> n & 1) << shift;
            let isar1 = field(0, 4) | field(1, 24) | field(2, 8) | field(3, 28);
            let isar2 = field(4, 12) | field(5, 8);
            let expected = match bits {
                0b00_00_11 => Ok(Algorithm::Qarma5),
                0b00_11_00 => Ok(Algorithm::ImpDef),
                0b11_00_00 => Ok(Algorithm::Qarma3),
                _ => Err(Reason::MixedAlgorithms),
            };
            let decided = facts(true, true, isar1, isar2).decide().map(|(a, _)| a);

            assert_eq!(decided, expected);
            good += u32::from(decided.is_ok());
        }

        assert_eq!(good, 3);
    }

    /// Any of the six fields alone is pointer authentication of some kind, and nothing else is.
    #[test]
    fn any_field_counts() {
        let any = |isar1, isar2| {
            View::new(IdAa64Isar1::from_raw(isar1), IdAa64Isar2::from_raw(isar2)).any()
        };

        for bit in 0..64 {
            assert_eq!(any(1 << bit, 0), matches!(bit, 4..=11 | 24..=31));
            assert_eq!(any(0, 1 << bit), matches!(bit, 8..=15));
        }
    }

    /// The names are those of the Arm ARM.
    #[test]
    fn levels_have_names() -> Result {
        for (level, name) in [
            (1, c"PAuth"),
            (2, c"EPAC"),
            (3, c"PAuth2"),
            (4, c"FPAC"),
            (5, c"FPACCOMBINE"),
            (6, c"PAuth_LR"),
            (7, c"beyond PAuth_LR"),
        ] {
            assert!(*CString::try_from_fmt(fmt!("{}", Level(level)))? == *name);
        }

        Ok(())
    }

    #[test]
    fn levels_are_ordered() {
        for level in 1..16 {
            let has = |needed| Level(level) >= needed;

            assert_eq!(has(Level::PAUTH2), level >= 3);
            assert_eq!(has(Level::FPACCOMBINE), level >= 5);
        }
    }

    /// Unless the kernel uses both kinds, guests get none, and the reason fits the facts.
    #[test]
    fn both_kinds_must_be_in_use() {
        for (isar1, isar2) in [(0, 0), (0x0100_0010, 0), (0x1000_0100, 0), (0, 0x1100)] {
            assert_eq!(
                facts(true, false, isar1, isar2).decide(),
                Err(Reason::NoGenericAuth)
            );
            assert_eq!(
                facts(false, true, isar1, isar2).decide(),
                Err(Reason::NoAddressAuth)
            );

            for this_cpu in BOOLS {
                for overridden in BOOLS {
                    let facts = Facts {
                        this_cpu,
                        overridden,
                        ..facts(false, false, isar1, isar2)
                    };
                    let expected = match (this_cpu, overridden) {
                        (false, _) => Reason::NotImplemented,
                        (true, true) => Reason::Disabled,
                        (true, false) => Reason::NotOnAllCpus,
                    };

                    assert_eq!(facts.decide(), Err(expected));
                }
            }
        }
    }
}
