// SPDX-License-Identifier: GPL-2.0

//! Pointer authentication (FEAT_PAuth) for KVM guests.
//!
//! KVM's C code asks here at each point where pointer authentication makes a difference. This file
//! holds the doors; what is decided behind each is in the file of its name:
//!
//! - [`support`]: whether the system has what guests need, and why not;
//! - [`capability`]: what `KVM_CHECK_EXTENSION` answers, and to which numbers;
//! - [`features`]: which of the two vCPU features exist, and that they come as a pair;
//! - [`load`]: what a vCPU traps when it is loaded on a CPU;
//! - [`residency`]: whose keys the CPU holds, from load to put;
//! - [`status`]: what is in force, in words.
//!
//! The one key that the kernel needs for itself is switched in `hyp/vhe/ptrauth_switch.rs`.
//!
//! C header: [`arch/arm64/include/asm/kvm_ptrauth.h`](srctree/arch/arm64/include/asm/kvm_ptrauth.h)
//!
//! Reference: Arm ARM, D8.10 "Pointer authentication".

mod capability;
mod features;
mod load;
mod residency;
mod status;
mod support;

use kernel::{
    arm64::ptrauth::KeyId,
    bindings,
    interrupt::local_interrupt_disable,
    kvm::{
        self,
        Features,
        LoadedVcpu, //
    },
    prelude::*,
    str::CString, //
};

const __LOG_PREFIX: &[u8] = b"kvm\0";

kernel::core_param!(c"kvm-arm.ptrauth_caps", capability::parse_numbers);

/// Answers `KVM_CHECK_EXTENSION` for `ext`: 0 or 1, or a negative value if `ext` is none of the
/// pointer authentication capabilities.
///
/// Called for `/dev/kvm` and for VMs, preemptible.
#[export]
pub extern "C" fn kvm_ptrauth_check_extension(ext: c_long) -> c_int {
    match capability::check(ext) {
        Some(answer) => c_int::from(answer),
        None => ENOENT.to_errno(),
    }
}

/// Takes from `features` those that the system cannot give to vCPUs.
///
/// Called at `KVM_ARM_VCPU_INIT`, before anything of the vCPU changes, preemptible.
#[export]
pub extern "C" fn kvm_ptrauth_supported_features(features: c_ulong) -> c_ulong {
    let features = Features::from_raw(features);

    features::supported(features, support::system().is_ok()).into_raw()
}

/// Checks the features that a VMM asks for: 0, or `-EINVAL` if one comes without the other.
///
/// Called at `KVM_ARM_VCPU_INIT`, before anything of the vCPU changes, preemptible. That the system
/// supports the features has been checked.
#[export]
pub extern "C" fn kvm_ptrauth_check_features(features: c_ulong) -> c_int {
    match features::requested(Features::from_raw(features)) {
        Ok(_) => 0,
        Err(e) => e.to_errno(),
    }
}

/// Prepares a vCPU that is being loaded on this CPU.
///
/// Called from `kvm_arch_vcpu_load()`, also for an L1<->L2 transition; not preemptible. Afterwards
/// the vCPU's `HCR_EL2` says whether its guest may use pointer authentication. If so, the hyp
/// context of this CPU has the host's keys that the world switch needs, and with VHE the CPU holds
/// the guest's keys but for those that the world switch brings.
///
/// # Safety
///
/// `vcpu` must be the vCPU that the calling thread is loading.
#[export]
pub unsafe extern "C" fn kvm_ptrauth_vcpu_load(vcpu: *mut bindings::kvm_vcpu) {
    // SAFETY: The caller loads the vCPU, which is initialised, with preemption disabled.
    load::vcpu_load(&mut unsafe { LoadedVcpu::from_raw(vcpu) });
}

/// Takes this CPU back from a vCPU that is being put.
///
/// Called from `kvm_arch_vcpu_put()`, also for an L1<->L2 transition; not preemptible. Unless it is
/// a transition, the CPU's keys are those of `current` afterwards, and the guest's are in memory.
///
/// # Safety
///
/// `vcpu` must be the vCPU that the calling thread is putting.
#[export]
pub unsafe extern "C" fn kvm_ptrauth_vcpu_put(vcpu: *mut bindings::kvm_vcpu) {
    // SAFETY: The caller puts the vCPU, which is initialised, with preemption disabled.
    load::vcpu_put(&mut unsafe { LoadedVcpu::from_raw(vcpu) });
}

/// One of the guest's two keys for instruction addresses as the guest sees it: APIB if `b`, APIA
/// otherwise.
///
/// Called while `vcpu` is loaded and its guest does not run; preemptible or not.
///
/// # Safety
///
/// `vcpu` must be the vCPU that the calling thread has loaded, and have pointer authentication.
#[export]
pub unsafe extern "C" fn kvm_ptrauth_insn_key(
    vcpu: *mut bindings::kvm_vcpu,
    b: bool,
) -> bindings::ptrauth_key {
    // Without this, the vCPU could be put between the look at where the key is and the read.
    let _irqs_off = local_interrupt_disable();
    // SAFETY: The caller has loaded the vCPU, and cannot be preempted from here on.
    let vcpu = unsafe { LoadedVcpu::from_raw(vcpu) };
    let id = if b { KeyId::Apib } else { KeyId::Apia };
    // SAFETY: A vCPU has pointer authentication only if the system has.
    let key = unsafe { residency::key(&vcpu, id) };

    bindings::ptrauth_key {
        lo: key.lo as c_ulong,
        hi: key.hi as c_ulong,
    }
}

/// Says in the kernel log what is in force.
///
/// Called once, when KVM has been initialised; may sleep.
#[export]
pub extern "C" fn kvm_ptrauth_report() {
    if let Ok(line) = CString::try_from_fmt(fmt!("ptrauth: {}", status::Status::current())) {
        kvm::info(&line);
    }
}
