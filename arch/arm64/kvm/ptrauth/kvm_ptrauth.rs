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
//! - [`traps`]: what happens when a guest traps on an instruction;
//! - [`registers`]: what a vCPU shows of its system registers;
//! - [`eretax`]: `ERETAA` and `ERETAB` of a guest hypervisor;
//! - [`level`]: how much of the feature a VM has;
//! - [`status`]: what is in force, in words;
//! - [`counters`]: how often things have happened;
//! - [`debugfs`]: where both can be read.
//!
//! The one key that the kernel needs for itself is switched in `hyp/vhe/ptrauth_switch.rs`.
//!
//! C header: [`arch/arm64/include/asm/kvm_ptrauth.h`](srctree/arch/arm64/include/asm/kvm_ptrauth.h)
//!
//! Reference: Arm ARM, D8.10 "Pointer authentication".

mod capability;
mod counters;
mod debugfs;
mod eretax;
mod features;
mod level;
mod load;
mod registers;
mod residency;
mod status;
mod support;
mod traps;

use kernel::{
    arm64::{
        id_regs::{
            IdAa64Isar1,
            IdAa64Isar2, //
        },
        sysreg::SpsrEl2, //
    },
    bindings,
    kvm::{
        self,
        Features,
        LoadedVcpu,
        LockedVcpu,
        Vcpu, //
    },
    preempt,
    prelude::*,
    str::CString, //
};
use status::Status;

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

/// Handles a trap that a pointer authentication instruction of the guest has caused: 1, which lets
/// the guest go on.
///
/// Called in the run loop, preemptible, with the vCPU loaded.
///
/// # Safety
///
/// `vcpu` must be the vCPU that the calling thread runs.
#[export]
pub unsafe extern "C" fn kvm_ptrauth_handle_trap(vcpu: *mut bindings::kvm_vcpu) -> c_int {
    // SAFETY: The caller runs the vCPU, and so holds its mutex.
    traps::handle(&mut unsafe { LockedVcpu::from_raw(vcpu) });
    1
}

/// Whether the key registers exist for the vCPU.
///
/// Called for accesses by the guest and by user space, preemptible.
///
/// # Safety
///
/// `vcpu` must be an initialised vCPU.
#[export]
pub unsafe extern "C" fn kvm_ptrauth_has_keys(vcpu: *const bindings::kvm_vcpu) -> bool {
    // SAFETY: By the safety requirements.
    registers::has_keys(unsafe { Vcpu::from_raw(vcpu.cast_mut()) })
}

/// Takes from a value of `ID_AA64ISAR1_EL1` what the vCPU must not show.
///
/// Called when a VM gets its ID registers or user space sets them, preemptible.
///
/// # Safety
///
/// `vcpu` must be an initialised vCPU.
#[export]
pub unsafe extern "C" fn kvm_ptrauth_sanitise_isar1(
    vcpu: *const bindings::kvm_vcpu,
    val: u64,
) -> u64 {
    // SAFETY: By the safety requirements.
    let vcpu = unsafe { Vcpu::from_raw(vcpu.cast_mut()) };
    registers::sanitise_isar1(vcpu, IdAa64Isar1::from_raw(val)).into_raw()
}

/// Takes from a value of `ID_AA64ISAR2_EL1` what the vCPU must not show.
///
/// Called when a VM gets its ID registers or user space sets them, preemptible.
///
/// # Safety
///
/// `vcpu` must be an initialised vCPU.
#[export]
pub unsafe extern "C" fn kvm_ptrauth_sanitise_isar2(
    vcpu: *const bindings::kvm_vcpu,
    val: u64,
) -> u64 {
    // SAFETY: By the safety requirements.
    let vcpu = unsafe { Vcpu::from_raw(vcpu.cast_mut()) };
    registers::sanitise_isar2(vcpu, IdAa64Isar2::from_raw(val)).into_raw()
}

/// Authenticates the address that a guest hypervisor returns to with `ERETAA` or `ERETAB`. Whether
/// that fails or not, `*elr` is where to return to.
///
/// Called while the vCPU is loaded, for the trap that the guest was left for, preemptible or not.
///
/// # Safety
///
/// `vcpu` must be the vCPU that the calling thread runs, and have pointer authentication; `elr`
/// must be valid for a write.
#[export]
pub unsafe extern "C" fn kvm_auth_eretax(vcpu: *mut bindings::kvm_vcpu, elr: *mut u64) -> bool {
    // Without this, the vCPU could be put between the look at where a register is and the access.
    let _stay = preempt::disable();
    // SAFETY: The caller has loaded the vCPU, and cannot be preempted from here on.
    let vcpu = unsafe { LoadedVcpu::from_raw(vcpu) };
    // SAFETY: A vCPU has pointer authentication only if the system has.
    let result = unsafe { eretax::authenticate(&vcpu) };
    let (Ok(address) | Err(address)) = result;

    // SAFETY: By the safety requirements.
    unsafe { elr.write(address) };
    result.is_ok()
}

/// The syndrome with which a failed `ERETAA` or `ERETAB` of a guest hypervisor faults there, or 0
/// if it does not. `spsr` is what the return would take the program status from.
///
/// Called in the run loop, preemptible, with the vCPU loaded.
///
/// # Safety
///
/// `vcpu` must be the vCPU that the calling thread runs.
#[export]
pub unsafe extern "C" fn kvm_ptrauth_eretax_fault(vcpu: *mut bindings::kvm_vcpu, spsr: u64) -> u64 {
    // SAFETY: The caller runs the vCPU, and so holds its mutex.
    let vcpu = unsafe { LockedVcpu::from_raw(vcpu) };

    eretax::fault(&vcpu, SpsrEl2::from_raw(spsr)).map_or(0, |esr| esr.into_raw())
}

/// Says in the kernel log what is in force, and keeps it in debugfs.
///
/// Called once, when KVM has been initialised; may sleep.
#[export]
pub extern "C" fn kvm_ptrauth_report() {
    let status = Status::current();

    if let Ok(line) = CString::try_from_fmt(fmt!("ptrauth: {status}")) {
        kvm::info(&line);
    }
    // That there is nothing to look at is no reason for anything else to fail.
    let _ = debugfs::create(status);
}
