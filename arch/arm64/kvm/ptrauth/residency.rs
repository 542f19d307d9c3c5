// SPDX-License-Identifier: GPL-2.0

//! Whose keys the CPU holds.
//!
//! The kernel uses no key but APIA, and that one only if it is built to sign its own return
//! addresses. The others, the *idle* keys, matter to user space and to guests alone. So with VHE,
//! where host kernel and hypervisor are one, they need not change hands each time that a guest is
//! left and entered again: they are the guest's from the vCPU's load to its put. APIA is idle as
//! well if the kernel does not use it. Otherwise the world switch exchanges it, and whenever the
//! kernel runs the guest's is in memory.
//!
//! ```text
//!                    load, if the guest may use its keys
//!              +----------------------------------------------+
//!              |                                              v
//!         +---------+                                    +---------+
//!         |  Host   |                                    |  Guest  |---+ put, load of a
//!         +---------+                                    +---------+   | transition L1<->L2
//!              ^                                              |   ^    |
//!              +----------------------------------------------+   +----+
//!                                    put
//! ```
//!
//! The state belongs to the vCPU, and is about the CPU that it is loaded on. It starts with
//! [`Host`](Owner::Host), and is moved only by load and put, which run in the vCPU's thread
//! without preemption. This is sound because of the following:
//!
//! - Preemption and migration: before another task gets the CPU, the preempt notifier puts the
//!   vCPU, and loads it again, wherever that is, before its thread goes on. A task switch installs
//!   the next task's keys itself.
//! - Interrupts and anything else that runs on top of a loaded vCPU is kernel code, which has no
//!   use for the idle keys. Return to user space and signals come after the put.
//! - `current`'s keys cannot change meanwhile: a task does so only in a system call of its own, and
//!   a debugger only while the task is stopped and so scheduled out. That is why the put can take
//!   them from memory. A child forked by a worker of the VMM copies memory, too.
//! - CPU hotplug and suspend: a CPU that goes away has moved its tasks or runs another than the
//!   vCPU's, the idle task for one, so nothing is loaded there.
//! - A panic at EL2 leaves the guest by the ordinary exit, which brings back the key that the
//!   kernel needs; the others are never used again.
//! - A transition between L1 and L2 puts and loads the vCPU at once, with preemption disabled. Both
//!   use the same registers, so what one has put there the other finds. Should L1 deny L2 the keys,
//!   they stay nonetheless, out of L2's reach by the traps; only a put that is no transition ends
//!   the stay.
//!
//! While a vCPU is not loaded all its keys are in memory. That is where `KVM_{GET,SET}_ONE_REG` and
//! a reset, neither of which works on a loaded vCPU, find them. Whoever wants a key of a loaded one
//! asks [`key`].

use kernel::{
    arm64::ptrauth::{
        Key,
        KeyId, //
    },
    kvm::LoadedVcpu,
};

/// Who has the idle keys of the CPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    /// They are `current`'s; the guest's are in memory.
    Host,
    /// They are the guest's; `current`'s are in memory, as always.
    Guest,
}

impl Owner {
    fn of(vcpu: &LoadedVcpu<'_>) -> Self {
        if vcpu.keys_on_cpu() {
            Self::Guest
        } else {
            Self::Host
        }
    }

    /// Who has the keys after a load of a vCPU whose guest may, or may not, use its keys.
    fn after_load(self, may_use: bool) -> Self {
        if may_use {
            Self::Guest
        } else {
            self
        }
    }

    /// Who has the keys after a put, which may be half of a transition between L1 and L2.
    fn after_put(self, transition: bool) -> Self {
        if transition {
            self
        } else {
            Self::Host
        }
    }
}

/// Has the keys change hands, if that is necessary for `after` to have what `before` had.
///
/// # Safety
///
/// `before` must be who has the keys. For `after` to be [`Owner::Guest`], the system must have
/// pointer authentication.
unsafe fn hand_over(vcpu: &mut LoadedVcpu<'_>, before: Owner, after: Owner) {
    match (before, after) {
        (Owner::Host, Owner::Guest) => {
            // SAFETY: By the safety requirements; only a put changes the owner again.
            unsafe { vcpu.bring_guest_keys() }
        }
        (Owner::Guest, Owner::Host) => {
            // SAFETY: The guest has got the keys here, hence the system has them.
            unsafe { vcpu.bring_host_keys() }
        }
        (Owner::Host, Owner::Host) | (Owner::Guest, Owner::Guest) => {}
    }
}

/// Brings the guest's keys, if it `may_use` them.
///
/// Called while `vcpu` is being loaded.
///
/// # Safety
///
/// If the guest may use its keys, the system must have pointer authentication.
pub(crate) unsafe fn load(vcpu: &mut LoadedVcpu<'_>, may_use: bool) {
    let owner = Owner::of(vcpu);

    // SAFETY: By the safety requirements; without a guest that may use its keys, the owner can only
    // be one that already was.
    unsafe { hand_over(vcpu, owner, owner.after_load(may_use)) };
}

/// Brings `current`'s keys back, unless the vCPU is about to be loaded again at once.
///
/// Called while `vcpu` is being put.
pub(crate) fn put(vcpu: &mut LoadedVcpu<'_>) {
    let owner = Owner::of(vcpu);

    // SAFETY: A put never makes the keys the guest's.
    unsafe { hand_over(vcpu, owner, owner.after_put(vcpu.in_nested_transition())) };
}

/// One of the guest's keys, wherever it is.
///
/// Called for a vCPU that is loaded, while its guest does not run.
///
/// # Safety
///
/// The system must have pointer authentication.
pub(crate) unsafe fn key(vcpu: &LoadedVcpu<'_>, id: KeyId) -> Key {
    if Owner::of(vcpu) == Owner::Guest && id.is_idle() {
        // SAFETY: By the safety requirements.
        unsafe { vcpu.key_on_cpu(id) }
    } else {
        vcpu.key_in_memory(id)
    }
}

#[cfg(CONFIG_KVM_ARM64_PTRAUTH_KUNIT_TEST)]
#[kernel::macros::kunit_tests(kvm_ptrauth_residency)]
mod tests {
    use super::*;
    use Owner::*;

    #[test]
    fn a_load_gives_the_keys_to_a_guest_that_may_use_them() {
        assert_eq!(Host.after_load(true), Guest);
        assert_eq!(Guest.after_load(true), Guest);
    }

    #[test]
    fn a_load_changes_nothing_for_a_guest_that_may_not() {
        assert_eq!(Host.after_load(false), Host);
        assert_eq!(Guest.after_load(false), Guest);
    }

    #[test]
    fn a_put_gives_the_keys_back() {
        assert_eq!(Host.after_put(false), Host);
        assert_eq!(Guest.after_put(false), Host);
    }

    #[test]
    fn half_a_transition_moves_no_key() {
        assert_eq!(Host.after_put(true), Host);
        assert_eq!(Guest.after_put(true), Guest);
    }

    /// All that can happen in twelve steps: whenever the vCPU is not loaded the keys are the
    /// host's, and whenever a guest that may use them is loaded they are its own.
    #[test]
    fn whoever_may_run_has_its_keys() {
        for steps in 0..1u32 << 12 {
            let mut owner = Host;

            for step in 0..6 {
                let may_use = steps & (1 << (2 * step)) != 0;
                let transition = steps & (2 << (2 * step)) != 0;

                owner = owner.after_load(may_use);
                assert!(!may_use || owner == Guest);

                owner = owner.after_put(transition);
                assert!(transition || owner == Host);
            }
        }
    }
}
