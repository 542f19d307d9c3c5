// SPDX-License-Identifier: GPL-2.0

//! What happens when a guest traps on a pointer authentication instruction.
//!
//! That is one outside of the hint space, or an `ERETAA` or `ERETAB`.

use crate::{
    counters::{
        self,
        Event, //
    },
    features::{
        self,
        Ptrauth, //
    },
};
use kernel::{
    do_once_lite,
    kvm::LockedVcpu,
    warn_on, //
};

/// What a trap leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// The guest was not given the feature: there is no such instruction.
    Undefined,
    /// L1 has not given the feature to L2, and gets what it asked for.
    TakenByL1,
    /// Nobody asked for the trap.
    Unexpected,
}

fn outcome(ptrauth: Ptrauth, runs_l2: bool) -> Outcome {
    match (ptrauth, runs_l2) {
        (Ptrauth::Off, _) => Outcome::Undefined,
        (Ptrauth::On, true) => Outcome::TakenByL1,
        (Ptrauth::On, false) => Outcome::Unexpected,
    }
}

/// Handles the trap that the guest was left for.
///
/// Called in the run loop, preemptible, with the vCPU loaded.
pub(crate) fn handle(vcpu: &mut LockedVcpu<'_>) {
    counters::count(Event::Trap);

    match outcome(features::of(vcpu), vcpu.runs_l2()) {
        Outcome::Undefined => vcpu.inject_undefined(),
        Outcome::TakenByL1 => {
            let esr = vcpu.esr();
            vcpu.inject_into_l1(esr);
        }
        Outcome::Unexpected => {
            do_once_lite! {
                warn_on!(true);
            }
            vcpu.inject_undefined();
        }
    }
}

#[cfg(CONFIG_KVM_ARM64_PTRAUTH_KUNIT_TEST)]
#[kernel::macros::kunit_tests(kvm_ptrauth_traps)]
mod tests {
    use super::*;

    #[test]
    fn without_the_feature_it_is_undefined_wherever_it_comes_from() {
        assert_eq!(outcome(Ptrauth::Off, false), Outcome::Undefined);
        assert_eq!(outcome(Ptrauth::Off, true), Outcome::Undefined);
    }

    #[test]
    fn only_l1_can_have_asked_for_a_trap() {
        assert_eq!(outcome(Ptrauth::On, true), Outcome::TakenByL1);
        assert_eq!(outcome(Ptrauth::On, false), Outcome::Unexpected);
    }
}
