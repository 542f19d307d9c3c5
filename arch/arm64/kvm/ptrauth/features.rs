// SPDX-License-Identifier: GPL-2.0

//! The vCPU features by which a VMM turns pointer authentication on.
//!
//! The ABI has one feature for addresses and one for generic data. A vCPU has both or neither: the
//! traps and the keys do not tell them apart.

use kernel::{
    kvm::{
        Feature::{
            PtrauthAddress,
            PtrauthGeneric, //
        },
        Features,
        Vcpu, //
    },
    prelude::*, //
};

/// What a vCPU can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ptrauth {
    /// Pointer authentication is undefined for the guest.
    Off,
    /// The guest has address and generic authentication.
    On,
}

/// Leaves in `features` what the system can give.
pub(crate) fn supported(features: Features, system_has_ptrauth: bool) -> Features {
    if system_has_ptrauth {
        features
    } else {
        features.without(PtrauthAddress).without(PtrauthGeneric)
    }
}

/// What a VMM asks for with `features`. The two come as a pair, or it is `EINVAL`.
pub(crate) fn requested(features: Features) -> Result<Ptrauth> {
    match (
        features.contains(PtrauthAddress),
        features.contains(PtrauthGeneric),
    ) {
        (false, false) => Ok(Ptrauth::Off),
        (true, true) => Ok(Ptrauth::On),
        _ => Err(EINVAL),
    }
}

/// What `vcpu` has.
///
/// [`requested`] has let nothing but pairs through, so either feature stands for both. One of a
/// VM's vCPUs can be asked about before the VM has its features; it has none then.
pub(crate) fn of(vcpu: &Vcpu) -> Ptrauth {
    if vcpu.has_feature(PtrauthAddress) {
        Ptrauth::On
    } else {
        Ptrauth::Off
    }
}

#[cfg(CONFIG_KVM_ARM64_PTRAUTH_KUNIT_TEST)]
#[kunit_tests(kvm_ptrauth_features)]
mod tests {
    use super::*;
    use kernel::bindings;

    /// The two bits are ABI: they are spelt out here on purpose.
    const ADDRESS: usize = 1 << 5;
    const GENERIC: usize = 1 << 6;

    /// All sets of the features that exist, and each of them with all other bits of the word.
    fn words() -> impl Iterator<Item = usize> {
        const EXISTING: usize = (1 << bindings::KVM_VCPU_MAX_FEATURES) - 1;

        (0..=EXISTING).flat_map(|raw| [raw, raw | !EXISTING])
    }

    #[test]
    fn without_system_support_the_pair_goes_and_nothing_else() {
        for raw in words() {
            let left = supported(Features::from_raw(raw), false);

            assert_eq!(left.into_raw(), raw & !(ADDRESS | GENERIC));
        }
    }

    #[test]
    fn with_system_support_nothing_goes() {
        for raw in words() {
            assert_eq!(supported(Features::from_raw(raw), true).into_raw(), raw);
        }
    }

    #[test]
    fn the_features_come_as_a_pair() {
        for raw in words() {
            let expected = match (raw & ADDRESS, raw & GENERIC) {
                (0, 0) => Ok(Ptrauth::Off),
                (ADDRESS, GENERIC) => Ok(Ptrauth::On),
                _ => Err(EINVAL),
            };

            assert_eq!(requested(Features::from_raw(raw)), expected);
        }
    }
}
