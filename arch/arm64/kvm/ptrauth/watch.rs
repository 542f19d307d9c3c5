// SPDX-License-Identifier: GPL-2.0

//! A watch on whose keys the CPU holds, for debugging.
//!
//! The table in [`switch`](crate::switch) says who owns the keys of the CPU at each step. With
//! `CONFIG_KVM_ARM64_PTRAUTH_DEBUG`, C code calls here around each load, put and guest entry, and
//! the first key that is not its owner's is reported. With VHE:
//!
//! - The user keys are `current`'s, as the C side has installed them, unless the flag
//!   `PTRAUTH_KEYS_ON_CPU` is set.
//! - A vCPU that has pointer authentication has the flag set from its load to its put, unless it
//!   runs an L2 to which L1 denies the keys. No put takes the flag away between L1 and L2.
//! - While the flag is set, only the guest changes its keys. They are what they were after the last
//!   load or exit, until the next entry or put.
//! - A load installs what memory has. A put leaves in memory what the CPU had.
//! - After an exit, memory has the APIA that the guest had. The key is not the kernel's.
//!
//! Without VHE the flag is never set, and the hyp context has the host's keys after a load. In any
//! mode APIA is the kernel's, if the kernel signs.

use crate::vcpu::{
    hyp_keys,
    LoadedVcpu, //
};
#[cfg(CONFIG_ARM64_PTR_AUTH_KERNEL)]
use kernel::arm64::ptrauth::kernel_apia;
use kernel::{
    arm64::{
        cpufeature,
        ptrauth::{
            self,
            AllCpus,
            Key,
            Keys,
            KERNEL_USES_APIA, //
        },
    },
    bindings,
    do_once_lite,
    preempt,
    prelude::*,
    warn_on, //
};

/// Reports the first thing that is wrong. What comes after it may be a consequence.
fn report(when: &str, what: &str, owner: &str) {
    do_once_lite! {
        pr_err!("ptrauth: {when}: {what} not {owner}\n");
        warn_on!(true);
    }
}

/// Reports `key` if it is not what its owner has.
fn check(when: &str, name: &str, owner: &str, key: Key, wanted: Key) {
    if (key.lo, key.hi) != (wanted.lo, wanted.hi) {
        report(when, name, owner);
    }
}

/// Checks the user keys against those of their owner.
fn check_user(when: &str, owner: &str, keys: &Keys, wanted: &Keys) {
    check(when, "APIB is", owner, keys.apib, wanted.apib);
    check(when, "APDA is", owner, keys.apda, wanted.apda);
    check(when, "APDB is", owner, keys.apdb, wanted.apdb);
    check(when, "APGA is", owner, keys.apga, wanted.apga);
}

/// Checks all five keys against those of their owner.
fn check_all(when: &str, owner: &str, keys: &Keys, wanted: &Keys) {
    check(when, "APIA is", owner, keys.apia, wanted.apia);
    check_user(when, owner, keys, wanted);
}

/// Returns the kernel's APIA, if it uses one.
fn kernels_apia() -> Option<Key> {
    #[cfg(CONFIG_ARM64_PTR_AUTH_KERNEL)]
    // SAFETY: `current` is valid, and its kernel key never changes.
    return Some(unsafe { (*kernel_apia(bindings::get_current())).apia });
    #[cfg(not(CONFIG_ARM64_PTR_AUTH_KERNEL))]
    None
}

/// A vCPU that is loaded, or is being loaded or put, on a system that has the keys.
struct Watch<'a> {
    vcpu: LoadedVcpu<'a>,
    all_cpus: AllCpus,
    when: &'static str,
}

impl Watch<'_> {
    /// Returns `None` if the system does not have the keys.
    ///
    /// # Safety
    ///
    /// `vcpu` must be a vCPU that the calling thread has loaded, or is loading or putting, with
    /// preemption disabled.
    unsafe fn new(vcpu: *mut bindings::kvm_vcpu, when: &'static str) -> Option<Self> {
        // SAFETY: By the safety requirements of this function.
        let stay = unsafe { preempt::Disabled::assume() };

        Some(Self {
            // SAFETY: By the safety requirements of this function.
            vcpu: unsafe { LoadedVcpu::from_raw(vcpu, stay) },
            all_cpus: AllCpus::check()?,
            when,
        })
    }

    /// Returns what the CPU holds.
    fn cpu(&self) -> Keys {
        let mut keys = Keys::default();

        // SAFETY: `keys` is valid for writes.
        unsafe {
            ptrauth::save_apia(self.all_cpus, &mut keys);
            ptrauth::save_user(self.all_cpus, self.vcpu.stay(), &mut keys);
        }
        keys
    }

    /// Returns the guest's keys as memory has them.
    fn memory(&self) -> Keys {
        // SAFETY: The guest's keys are valid as long as the vCPU, and the guest does not run.
        unsafe { *self.vcpu.keys() }
    }

    /// Returns the keys of a guest whose flag is set: memory has the APIA that is switched.
    fn guest(&self) -> Keys {
        let mut keys = self.cpu();

        if KERNEL_USES_APIA {
            keys.apia = self.memory().apia;
        }
        keys
    }

    /// Checks that the CPU has its owner's keys; for the guest, those that it had last.
    fn check_owner(&mut self) {
        let on_cpu = self.cpu();

        if let Some(apia) = kernels_apia() {
            check(self.when, "APIA is", "the kernel's", on_cpu.apia, apia);
        }
        if self.vcpu.keys_on_cpu() {
            check_all(self.when, "the guest's", &self.guest(), self.vcpu.watched());
        } else {
            // SAFETY: `current` is valid as long as its code runs, and the keys are its own.
            let currents = unsafe { *ptrauth::current_user_keys() };
            check_user(self.when, "current's", &on_cpu, &currents);
        }
    }

    /// Returns whether the vCPU's guest may use its keys.
    fn may_use_keys(&self) -> bool {
        let vcpu = &self.vcpu;

        cpufeature::has_vhe()
            && vcpu.has_ptrauth()
            && (!vcpu.runs_l2() || vcpu.l1_hcr_el2().api() || vcpu.l1_hcr_el2().apk())
    }

    /// Checks the flag.
    fn check_flag(&self, wanted: bool) {
        if self.vcpu.keys_on_cpu() != wanted {
            report(
                self.when,
                "the flag is",
                if wanted { "set" } else { "clear" },
            );
        }
    }
}

/// Checks whose keys the CPU holds before a load or put. Returns whether the flag is set.
///
/// # Safety
///
/// `vcpu` must be a vCPU that the calling thread is loading or putting, with preemption disabled.
#[export]
unsafe extern "C" fn kvm_ptrauth_watch_before(vcpu: *mut bindings::kvm_vcpu, load: bool) -> bool {
    let when = if load {
        "before a load"
    } else {
        "before a put"
    };
    // SAFETY: By the safety requirements of this function.
    let Some(mut watch) = (unsafe { Watch::new(vcpu, when) }) else {
        return false;
    };

    if load && !watch.vcpu.in_nested_transition() {
        watch.check_flag(false);
    }
    watch.check_owner();
    watch.vcpu.keys_on_cpu()
}

/// Checks the flag and the keys after a load. `on_cpu` is the flag from before it.
///
/// # Safety
///
/// `vcpu` must be a vCPU that the calling thread is loading, with preemption disabled.
#[export]
unsafe extern "C" fn kvm_ptrauth_watch_load(vcpu: *mut bindings::kvm_vcpu, on_cpu: bool) {
    // SAFETY: By the safety requirements of this function.
    let Some(mut watch) = (unsafe { Watch::new(vcpu, "after a load") }) else {
        return;
    };

    watch.check_flag(on_cpu || watch.may_use_keys());
    if !on_cpu {
        *watch.vcpu.watched() = watch.memory();
    }
    watch.check_owner();
    if watch.vcpu.has_ptrauth() && !cpufeature::has_vhe() && !cpufeature::is_protected_kvm_enabled()
    {
        // SAFETY: The hyp context lives as long as the kernel, and only this CPU uses it.
        let hyp = unsafe { *hyp_keys(watch.vcpu.stay()) };
        check_all(watch.when, "the host's", &hyp, &watch.cpu());
    }
}

/// Checks the flag and the keys after a put. `on_cpu` is the flag from before it.
///
/// # Safety
///
/// `vcpu` must be a vCPU that the calling thread is putting, with preemption disabled.
#[export]
unsafe extern "C" fn kvm_ptrauth_watch_put(vcpu: *mut bindings::kvm_vcpu, on_cpu: bool) {
    // SAFETY: By the safety requirements of this function.
    let Some(mut watch) = (unsafe { Watch::new(vcpu, "after a put") }) else {
        return;
    };

    watch.check_flag(on_cpu && watch.vcpu.in_nested_transition());
    if on_cpu && !watch.vcpu.in_nested_transition() {
        check_all(
            "in memory after a put",
            "the guest's",
            &watch.memory(),
            watch.vcpu.watched(),
        );
    }
    // If it is the scheduler's, the keys of the next task are still to come.
    if !on_cpu || !watch.vcpu.scheduled_out() {
        watch.check_owner();
    }
}

/// Checks whose keys the CPU holds before the guest is entered.
///
/// # Safety
///
/// `vcpu` must be a vCPU that the calling thread has loaded, and interrupts must be off.
#[export]
unsafe extern "C" fn kvm_ptrauth_watch_entry(vcpu: *mut bindings::kvm_vcpu) {
    // SAFETY: By the safety requirements of this function.
    if let Some(mut watch) = unsafe { Watch::new(vcpu, "before an entry") } {
        watch.check_owner();
    }
}

/// Checks the keys after the guest was left, and notes those that it has.
///
/// # Safety
///
/// `vcpu` must be a vCPU that the calling thread has loaded, and interrupts must be off.
#[export]
unsafe extern "C" fn kvm_ptrauth_watch_exit(vcpu: *mut bindings::kvm_vcpu) {
    // SAFETY: By the safety requirements of this function.
    let Some(mut watch) = (unsafe { Watch::new(vcpu, "after an exit") }) else {
        return;
    };

    if watch.vcpu.keys_on_cpu() {
        let guest = watch.guest();

        if let Some(kernels) = kernels_apia() {
            // The switch marks the key as it installs it.
            let marked = guest.apia.lo == watch.vcpu.keys().addr();

            if marked || (guest.apia.lo, guest.apia.hi) == (kernels.lo, kernels.hi) {
                report(watch.when, "APIA in memory is", "the guest's");
            }
        }
        *watch.vcpu.watched() = guest;
    }
    watch.check_owner();
}
