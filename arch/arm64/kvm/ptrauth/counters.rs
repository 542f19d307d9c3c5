// SPDX-License-Identifier: GPL-2.0

//! How often things have happened since boot.
//!
//! CPUs count on cache lines that at most a few of them share, so that counting costs next to
//! nothing. Guest entry and exit are not counted at all.

use kernel::{
    bindings,
    cpu::CpuId,
    sync::atomic::{
        Atomic,
        Relaxed, //
    },
};

/// What is counted.
#[derive(Clone, Copy)]
pub(crate) enum Event {
    /// A vCPU was loaded whose guest has pointer authentication.
    Load,
    /// Such a vCPU was put.
    Put,
    /// A guest trapped on an instruction.
    Trap,
    /// An `ERETAA` or `ERETAB` of a guest hypervisor was authenticated.
    EretaxAuthenticated,
    /// An attempt at one failed. If KVM made it in the world switch, it makes another in the run
    /// loop before it takes that for the answer.
    EretaxFailed,
}

impl Event {
    /// All of them, each at the place that its value says.
    pub(crate) const ALL: [Self; 5] = [
        Self::Load,
        Self::Put,
        Self::Trap,
        Self::EretaxAuthenticated,
        Self::EretaxFailed,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Load => "load",
            Self::Put => "put",
            Self::Trap => "trap",
            Self::EretaxAuthenticated => "eretax_authenticated",
            Self::EretaxFailed => "eretax_failed",
        }
    }
}

#[repr(align(64))]
struct Counters([Atomic<u64>; Event::ALL.len()]);

/// A kernel for thousands of CPUs need not have as many.
const NR_COUNTERS: usize = if bindings::CONFIG_NR_CPUS < 32 {
    bindings::CONFIG_NR_CPUS as usize
} else {
    32
};

static COUNTERS: [Counters; NR_COUNTERS] =
    [const { Counters([const { Atomic::new(0) }; Event::ALL.len()]) }; NR_COUNTERS];

/// Counts an event.
///
/// May be called from any context. Should the caller be preempted, the event counts for another
/// CPU, which is as good.
pub(crate) fn count(event: Event) {
    let place = CpuId::current().as_u32() as usize % NR_COUNTERS;

    if let Some(counter) = COUNTERS.get(place).and_then(|c| c.0.get(event as usize)) {
        counter.add(1, Relaxed);
    }
}

/// How often the event has happened on all CPUs.
pub(crate) fn total(event: Event) -> u64 {
    COUNTERS
        .iter()
        .filter_map(|counters| counters.0.get(event as usize))
        .map(|counter| counter.load(Relaxed))
        .fold(0, u64::wrapping_add)
}

#[cfg(CONFIG_KVM_ARM64_PTRAUTH_KUNIT_TEST)]
#[kernel::macros::kunit_tests(kvm_ptrauth_counters)]
mod tests {
    use super::*;

    #[test]
    fn events_have_a_place_and_a_name_each() {
        for (place, event) in Event::ALL.into_iter().enumerate() {
            assert_eq!(event as usize, place);
            for other in &Event::ALL[..place] {
                assert!(other.name() != event.name());
            }
        }
    }

    /// No guest runs yet that could be counted meanwhile.
    #[test]
    fn an_event_counts_for_itself_alone() {
        for event in Event::ALL {
            let before = Event::ALL.map(total);

            count(event);
            for other in Event::ALL {
                let place = other as usize;

                assert_eq!(
                    total(other),
                    before[place] + u64::from(place == event as usize)
                );
            }
        }
    }
}
