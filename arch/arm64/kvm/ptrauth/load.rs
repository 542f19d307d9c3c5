// SPDX-License-Identifier: GPL-2.0

//! What happens when a vCPU is loaded on a CPU, and put.
//!
//! `HCR_EL2.{API,APK}` of the vCPU is the one place that says whether its guest may use pointer
//! authentication right now. It is settled at load; at each entry and exit, the world switch reads
//! it to see whether there is a key to switch.

use crate::{
    counters::{
        self,
        Event, //
    },
    features::{
        self,
        Ptrauth, //
    },
    residency,
};
use kernel::{
    arm64::{
        cpufeature,
        sysreg::HcrEl2, //
    },
    kvm::{
        self,
        LoadedVcpu, //
    },
    prelude::*, //
};

/// Lets a guest with pointer authentication use it, to the extent that L1 lets it if it is an L2.
///
/// `nested` is the `HCR_EL2` that L1 has set for an L2 guest, or [`None`] if no L2 runs.
fn untrap(hcr: HcrEl2, nested: Option<HcrEl2>) -> HcrEl2 {
    let (api, apk) = nested.map_or((true, true), |l1| (l1.api(), l1.apk()));

    hcr.with_api(api).with_apk(apk)
}

/// Sets the vCPU's traps, and sees to the keys if its guest can bring its own.
///
/// Called with preemption disabled while `vcpu` is being loaded. pKVM does not trust the host with
/// any of this and sees to it at EL2.
pub(crate) fn vcpu_load(vcpu: &mut LoadedVcpu<'_>) {
    if features::of(vcpu) == Ptrauth::Off {
        return;
    }
    counters::count(Event::Load);
    if kvm::is_protected() {
        return;
    }

    let hcr = untrap(vcpu.hcr_el2(), vcpu.nested_hcr_el2());
    vcpu.set_ptrauth_traps(hcr);

    let may_use = hcr.api() || hcr.apk();
    if cpufeature::has_vhe() {
        // SAFETY: The vCPU has the feature, which is only given on systems that have pointer
        // authentication on all CPUs.
        unsafe { residency::load(vcpu, may_use) };
    } else if may_use {
        // SAFETY: As above.
        unsafe { vcpu.save_host_keys() };
    }
}

/// Takes the CPU back from the guest.
///
/// Called with preemption disabled while `vcpu` is being put.
pub(crate) fn vcpu_put(vcpu: &mut LoadedVcpu<'_>) {
    if features::of(vcpu) == Ptrauth::Off {
        return;
    }
    counters::count(Event::Put);
    residency::put(vcpu);
}

#[cfg(CONFIG_KVM_ARM64_PTRAUTH_KUNIT_TEST)]
#[kunit_tests(kvm_ptrauth_load)]
mod tests {
    use super::*;

    const API: u64 = 1 << 41;
    const APK: u64 = 1 << 40;
    const PAIRS: [u64; 4] = [0, API, APK, API | APK];

    /// What the other bits of the register may look like.
    const OTHERS: [u64; 3] = [0, !(API | APK), 0x5555_5555_5555_5555 & !(API | APK)];

    #[test]
    fn a_guest_that_is_no_l2_traps_nothing() {
        for others in OTHERS {
            for before in PAIRS {
                let hcr = untrap(HcrEl2::from_raw(others | before), None);

                assert_eq!(hcr.into_raw(), others | API | APK);
            }
        }
    }

    #[test]
    fn an_l2_traps_what_l1_says_and_nothing_else_of_l1_counts() {
        for others in OTHERS {
            for before in PAIRS {
                for l1_others in OTHERS {
                    for l1 in PAIRS {
                        let hcr = untrap(
                            HcrEl2::from_raw(others | before),
                            Some(HcrEl2::from_raw(l1_others | l1)),
                        );

                        assert_eq!(hcr.into_raw(), others | l1);
                    }
                }
            }
        }
    }
}
