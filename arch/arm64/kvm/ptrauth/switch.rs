// SPDX-License-Identifier: GPL-2.0

//! Load and put of a vCPU, and whose keys the CPU holds.
//!
//! The kernel uses no key but APIA, and that one only if it is built to sign its own return
//! addresses. The user keys, APIB, APDA, APDB and APGA, matter to user space and to guests alone.
//! So with VHE, where host kernel and hypervisor are one, they are the guest's from the vCPU's load
//! to its put. The same holds for APIA if the kernel does not sign. If it does, the world switch
//! (`hyp/vhe/ptrauth_switch.rs`) exchanges APIA at guest entry and exit, and the guest's is in
//! memory whenever the kernel runs.
//!
//! The vCPU's flag `PTRAUTH_KEYS_ON_CPU` says that the CPU holds the guest's keys:
//!
//! | step | flag was | keys of the CPU | flag is |
//! |---|---|---|---|
//! | load, the guest may use its keys | clear | become the guest's | set |
//! | load, L1 denies L2 the keys | clear | stay `current`'s | clear |
//! | put | set | become `current`'s, or the next task's | clear |
//! | put and load between L1 and L2 | set | stay the guest's | set |
//!
//! Only load and put change it. They run in the vCPU's thread without preemption. This is sound
//! because of the following:
//!
//! - Preemption and migration: the preempt notifier puts the vCPU before another task gets the
//!   CPU. It loads the vCPU again before the thread goes on, on whatever CPU.
//! - A put by the scheduler does not install `current`'s keys. It runs in `context_switch()`, with
//!   interrupts off, and `__switch_to()` then installs the keys of the next task, whatever task
//!   that is. Only the preempt notifiers set `vcpu->scheduled_out`, so no other put finds it set.
//! - Interrupt handlers, and all else that runs while a vCPU is loaded, are kernel code. The kernel
//!   does not use the user keys. The return to user space and signals come after the put.
//! - `current`'s keys cannot change meanwhile: a task changes its keys only in a system call of its
//!   own, and a debugger changes them only while the task is stopped and so scheduled out. So the
//!   put can take them from memory.
//! - If the kernel does not sign, a put leaves the guest's APIA on the CPU. Each return to user
//!   space installs the task's APIA (`__ptrauth_keys_install_user`), unless the task has disabled
//!   it, and then no instruction uses it.
//! - CPU hotplug and suspend: a CPU that goes away runs another task than the vCPU's, so no vCPU is
//!   loaded there.
//! - A panic at EL2 while a guest is loaded takes the ordinary exit, which installs the key that
//!   the kernel needs. Nothing uses the other keys again.
//! - A transition between L1 and L2 puts and loads the vCPU at once, with preemption disabled. Both
//!   use the same registers, so each finds there what the other has left. The keys stay even if L1
//!   denies them to L2. The traps keep L2 from using them.
//!
//! While a vCPU is not loaded, all its keys are in memory. `KVM_{GET,SET}_ONE_REG` and a reset
//! access them there. Neither accesses a loaded vCPU.

use crate::vcpu::LoadedVcpu;
use kernel::{
    arm64::{
        cpufeature,
        ptrauth::{
            self,
            AllCpus, //
        },
        sysreg::HcrEl2, //
    },
    bindings,
    do_once_lite,
    preempt,
    prelude::*,
    warn_on, //
};

/// Returns the traps of the guest: none, or what L1 asks for if it is an L2.
fn wanted_hcr(l1: Option<HcrEl2>) -> HcrEl2 {
    l1.unwrap_or(HcrEl2::zeroed().with_api(true).with_apk(true))
}

/// Prepares a vCPU with pointer authentication that is being loaded on this CPU.
///
/// Called from `kvm_arch_vcpu_load()`, also for an L1<->L2 transition, without preemption.
/// Afterwards the vCPU's `HCR_EL2` says whether its guest may use the instructions and the keys. If
/// it may, with VHE the CPU holds the guest's keys, except for APIA if the world switch exchanges
/// it. In nVHE mode, the hyp context of this CPU holds the host's keys. In protected mode
/// this does nothing: EL2 sets the traps and switches the keys.
///
/// # Safety
///
/// `vcpu` must be a vCPU that has pointer authentication, and that the calling thread is loading,
/// with preemption disabled.
#[export]
pub(crate) unsafe extern "C" fn __kvm_vcpu_load_ptrauth(vcpu: *mut bindings::kvm_vcpu) {
    // SAFETY: By the safety requirements of this function.
    let stay = unsafe { preempt::Disabled::assume() };
    // SAFETY: The caller loads the vCPU, with its mutex held.
    let vcpu = unsafe { LoadedVcpu::from_raw(vcpu, stay) };
    // SAFETY: A vCPU has pointer authentication only if the system has both kinds.
    let all_cpus = unsafe { AllCpus::assume() };
    let hcr = vcpu.hcr_el2();

    if !cpufeature::has_vhe() {
        load_nvhe(vcpu, all_cpus);
    } else if hcr.api() && hcr.apk() && !vcpu.vm_has_el2() && !vcpu.keys_on_cpu() {
        // Nearly every load comes here: the traps are right, only the keys are missing.
        install(vcpu, all_cpus);
    } else {
        settle(vcpu, all_cpus);
    }
}

/// Sets the traps, and installs the guest's keys where they are not on the CPU and may be used.
#[inline(never)]
fn settle(mut vcpu: LoadedVcpu<'_>, all_cpus: AllCpus) {
    let l2 = vcpu.vm_has_el2() && vcpu.runs_l2();
    let hcr = wanted_hcr(l2.then(|| vcpu.l1_hcr_el2()));

    vcpu.set_ptrauth_traps(hcr);
    if vcpu.keys_on_cpu() {
        if vcpu.in_nested_transition() {
            return;
        }
        // A put was missed. The CPU may hold other keys than the guest's, so install the guest's.
        do_once_lite! { warn_on!(true); }
    }
    if hcr.api() || hcr.apk() {
        install(vcpu, all_cpus);
    }
}

/// Installs the guest's keys.
#[inline(always)]
fn install(mut vcpu: LoadedVcpu<'_>, all_cpus: AllCpus) {
    // SAFETY: The guest's keys are valid as long as the vCPU. The put, or the task switch after it,
    // installs those of user space before that runs. The kernel does not sign if APIA is installed
    // here.
    unsafe {
        if !ptrauth::KERNEL_USES_APIA {
            ptrauth::install_apia(all_cpus, vcpu.keys());
        }
        ptrauth::install_user(all_cpus, vcpu.stay(), vcpu.keys());
    }
    vcpu.set_keys_on_cpu(true);
}

/// Sets the traps, and saves the host's keys for a world switch that exchanges all five. In
/// protected mode it does nothing.
#[inline(never)]
fn load_nvhe(mut vcpu: LoadedVcpu<'_>, all_cpus: AllCpus) {
    // pKVM does not trust the host with a guest's traps and keys. EL2 handles them.
    if cpufeature::is_protected_kvm_enabled() {
        return;
    }

    vcpu.set_ptrauth_traps(wanted_hcr(None));
    let host = crate::vcpu::hyp_keys(vcpu.stay());
    // SAFETY: The hyp context lives as long as the kernel, and only this CPU uses it.
    unsafe {
        ptrauth::save_apia(all_cpus, host);
        ptrauth::save_user(all_cpus, vcpu.stay(), host);
    }
}

/// Saves the keys of a vCPU that is being put, and installs the host's.
///
/// Called from `kvm_arch_vcpu_put()`, also for an L1<->L2 transition, without preemption. A
/// transition leaves the keys as they are. Otherwise the guest's keys are in memory afterwards, and
/// the CPU's user keys are `current`'s, unless a task switch follows.
///
/// # Safety
///
/// `vcpu` must be a vCPU whose keys are on the CPU, and that the calling thread is putting, with
/// preemption disabled.
#[export]
pub(crate) unsafe extern "C" fn __kvm_vcpu_put_ptrauth(vcpu: *mut bindings::kvm_vcpu) {
    // SAFETY: By the safety requirements of this function.
    let stay = unsafe { preempt::Disabled::assume() };
    // SAFETY: The caller puts the vCPU, with its mutex held.
    let mut vcpu = unsafe { LoadedVcpu::from_raw(vcpu, stay) };
    // SAFETY: The CPU holds the keys of the vCPU, so the system has them.
    let all_cpus = unsafe { AllCpus::assume() };

    if vcpu.in_nested_transition() {
        return;
    }

    save(&vcpu, all_cpus);
    if !vcpu.scheduled_out() {
        // SAFETY: `current` is valid as long as its code runs, and the keys are its own.
        unsafe { ptrauth::install_user(all_cpus, stay, ptrauth::current_user_keys()) };
    }
    vcpu.set_keys_on_cpu(false);
}

/// Copies the guest's keys to memory, as far as the CPU holds them.
#[inline(always)]
fn save(vcpu: &LoadedVcpu<'_>, all_cpus: AllCpus) {
    // SAFETY: The guest's keys are valid as long as the vCPU, and the guest does not run.
    unsafe {
        if !ptrauth::KERNEL_USES_APIA {
            ptrauth::save_apia(all_cpus, vcpu.keys());
        }
        ptrauth::save_user(all_cpus, vcpu.stay(), vcpu.keys());
    }
}

/// Returns the keys of a loaded vCPU, whether they are on the CPU or in memory.
pub(crate) fn guest_keys(vcpu: &LoadedVcpu<'_>, all_cpus: AllCpus) -> ptrauth::Keys {
    if vcpu.keys_on_cpu() {
        save(vcpu, all_cpus);
    }
    // SAFETY: The guest's keys are valid as long as the vCPU, and the guest does not run.
    unsafe { *vcpu.keys() }
}

#[cfg(CONFIG_KVM_ARM64_PTRAUTH_KUNIT_TEST)]
#[kunit_tests(kvm_ptrauth_switch)]
mod tests {
    use super::*;

    const API: u64 = 1 << 41;
    const APK: u64 = 1 << 40;

    #[test]
    fn a_guest_that_is_no_l2_traps_nothing() {
        assert_eq!(wanted_hcr(None).into_raw() & (API | APK), API | APK);
    }

    #[test]
    fn an_l2_traps_what_l1_says() {
        for l1 in [0, API, APK, API | APK] {
            let hcr = wanted_hcr(Some(HcrEl2::from_raw(l1)));

            assert_eq!(hcr.into_raw() & (API | APK), l1);
        }
    }
}
