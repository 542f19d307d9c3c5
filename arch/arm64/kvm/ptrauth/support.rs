// SPDX-License-Identifier: GPL-2.0

//! Whether the system has what guests need.
//!
//! Guests are told of both address and generic authentication or of none, so the system must have
//! both, on every CPU and by one algorithm: a guest has one set of ID registers, and its pointers
//! must authenticate wherever its vCPUs run.

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

/// The algorithm that computes authentication codes.
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
    /// Some CPUs implement it and others do not, or by another algorithm.
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

/// What one view of the ID registers says of one algorithm.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Implemented {
    /// At any level of the feature.
    address: bool,
    /// At the one level that is defined.
    generic: bool,
}

impl Implemented {
    fn from_fields(address: u64, generic: u64) -> Self {
        Self {
            address: address != 0,
            generic: generic == 1,
        }
    }
}

/// One view of the two ID registers that describe pointer authentication.
#[derive(Clone, Copy)]
struct View {
    qarma5: Implemented,
    qarma3: Implemented,
    imp_def: Implemented,
}

impl View {
    fn new(isar1: IdAa64Isar1, isar2: IdAa64Isar2) -> Self {
        Self {
            qarma5: Implemented::from_fields(*isar1.apa(), *isar1.gpa()),
            qarma3: Implemented::from_fields(*isar2.apa3(), *isar2.gpa3()),
            imp_def: Implemented::from_fields(*isar1.api(), *isar1.gpi()),
        }
    }

    fn algorithms(&self) -> [(Algorithm, Implemented); 3] {
        [
            (Algorithm::Qarma5, self.qarma5),
            (Algorithm::Qarma3, self.qarma3),
            (Algorithm::ImpDef, self.imp_def),
        ]
    }

    /// Whether there is pointer authentication of any kind.
    fn any(&self) -> bool {
        self.algorithms()
            .iter()
            .any(|(_, i)| i.address || i.generic)
    }

    /// The one algorithm that does both kinds of authentication, if no other does either.
    fn single_algorithm(&self) -> Option<Algorithm> {
        let mut single = None;

        for (algorithm, implemented) in self.algorithms() {
            if implemented.address != implemented.generic {
                return None;
            }
            if implemented.address && single.replace(algorithm).is_some() {
                return None;
            }
        }

        single
    }
}

/// All that the answer depends on.
struct Facts {
    /// The kernel found address authentication on all CPUs and uses it.
    address_auth: bool,
    /// The kernel found generic authentication on all CPUs and uses it.
    generic_auth: bool,
    /// What all CPUs have in common.
    system: View,
    /// The CPU at hand has pointer authentication of some kind.
    this_cpu: bool,
    /// The command line has a say in it.
    overridden: bool,
}

impl Facts {
    fn gather() -> Self {
        let isar1 = IdAa64Isar1::overridden();
        let isar2 = IdAa64Isar2::overridden();

        Self {
            address_auth: cpufeature::supports_address_auth(),
            generic_auth: cpufeature::supports_generic_auth(),
            system: View::new(IdAa64Isar1::sanitised(), IdAa64Isar2::sanitised()),
            this_cpu: View::new(IdAa64Isar1::this_cpu(), IdAa64Isar2::this_cpu()).any(),
            overridden: [isar1.apa(), isar1.api()].iter().any(|field| **field != 0)
                || *isar2.apa3() != 0,
        }
    }

    fn decide(&self) -> Result<Algorithm, Reason> {
        match (self.address_auth, self.generic_auth) {
            (true, true) => self
                .system
                .single_algorithm()
                .ok_or(Reason::MixedAlgorithms),
            (true, false) => Err(Reason::NoGenericAuth),
            (false, true) => Err(Reason::NoAddressAuth),
            (false, false) if !self.this_cpu => Err(Reason::NotImplemented),
            (false, false) if self.overridden => Err(Reason::Disabled),
            (false, false) => Err(Reason::NotOnAllCpus),
        }
    }
}

/// The algorithm that guests get, or why there is none.
///
/// May be called from any context once the kernel has finalised its capabilities.
pub(crate) fn system() -> Result<Algorithm, Reason> {
    Facts::gather().decide()
}

/// The level of address authentication that all CPUs have, as the ID registers' fields have it.
///
/// Context as for [`system`].
pub(crate) fn address_level() -> u64 {
    let isar1 = IdAa64Isar1::sanitised();
    let isar2 = IdAa64Isar2::sanitised();

    (*isar1.apa()).max(*isar1.api()).max(*isar2.apa3())
}

#[cfg(CONFIG_KVM_ARM64_PTRAUTH_KUNIT_TEST)]
#[kunit_tests(kvm_ptrauth_support)]
mod tests {
    use super::*;

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

    /// Every value that the two fields of an algorithm can take.
    #[test]
    fn address_at_any_level_generic_at_level_one() {
        for address in 0..16 {
            for generic in 0..16 {
                let implemented = Implemented::from_fields(address, generic);

                assert_eq!(implemented.address, address > 0);
                assert_eq!(implemented.generic, generic == 1);
            }
        }
    }

    /// The fields must reach the algorithm that they stand for.
    #[test]
    fn each_algorithm_has_its_fields() {
        assert_eq!(
            facts(true, true, 0x0100_0010, 0).decide(),
            Ok(Algorithm::Qarma5)
        );
        assert_eq!(
            facts(true, true, 0x1000_0100, 0).decide(),
            Ok(Algorithm::ImpDef)
        );
        assert_eq!(facts(true, true, 0, 0x1100).decide(), Ok(Algorithm::Qarma3));
    }

    /// Every set of implemented algorithms, of both kinds: exactly three of 64 are good.
    #[test]
    fn one_algorithm_for_both_kinds() {
        let none = Implemented {
            address: false,
            generic: false,
        };
        let both = Implemented {
            address: true,
            generic: true,
        };
        let mut good = 0;

        for bits in 0..64u32 {
            let implemented = |n: u32| Implemented {
                address: bits & (1 << (2 * n)) != 0,
                generic: bits & (2 << (2 * n)) != 0,
            };
            let system = View {
                qarma5: implemented(0),
                qarma3: implemented(1),
                imp_def: implemented(2),
            };
            let decided = Facts {
                system,
                ..facts(true, true, 0, 0)
            }
            .decide();
            let expected = match (system.qarma5, system.qarma3, system.imp_def) {
                (q5, q3, id) if q5 == both && q3 == none && id == none => Ok(Algorithm::Qarma5),
                (q5, q3, id) if q5 == none && q3 == both && id == none => Ok(Algorithm::Qarma3),
                (q5, q3, id) if q5 == none && q3 == none && id == both => Ok(Algorithm::ImpDef),
                _ => Err(Reason::MixedAlgorithms),
            };

            assert_eq!(decided, expected);
            good += u32::from(decided.is_ok());
        }

        assert_eq!(good, 3);
    }

    /// Without both kinds in use, the ID registers cannot help, and the reason fits the facts.
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
