// SPDX-License-Identifier: GPL-2.0

//! The switch of APIA between host and guest, for VHE.
//!
//! The kernel signs its return addresses with APIA. So APIA is the only one of the five keys that
//! cannot stay the guest's while its vCPU is loaded (`ptrauth/switch.rs`). `hyp/entry.S` calls the
//! two functions in the middle of the world switch, for vCPUs whose keys the CPU holds. Ordinary
//! code cannot run there:
//!
//! - A return address that is signed before the switch and authenticated after it is fatal. So
//!   nothing here may sign.
//! - At guest exit, x18 is still the guest's, so the shadow call stack does not work. Nothing may
//!   fault, be probed or panic. The caller passes `current`, so that nothing here reads SP_EL0.
//!
//! So the object has straight-line code alone: no calls, no stack, no checks. The Makefile removes
//! the compiler flags that prevent this. `ptrauth_switch_check.sh` fails the build if the object
//! has anything else.

use core::arch::asm;
use kernel::{
    arm64::{
        ptrauth::{
            install_apia,
            kernel_apia,
            save_apia,
            AllCpus, //
        },
        sysreg::isb, //
    },
    bindings::{
        kvm_cpu_context,
        kvm_ptrauth_exit,
        task_struct, //
    },
    prelude::*, //
};

/// Installs the guest's APIA, on the way into the guest.
///
/// The exception return that follows synchronizes it.
///
/// # Safety
///
/// For `__guest_enter` alone: `guest_keys` are the keys of the vCPU being entered, which the CPU
/// holds except for APIA, and interrupts are masked.
#[export]
#[link_section = ".noinstr.text"]
pub unsafe extern "C" fn kvm_ptrauth_switch_to_guest(guest_keys: *mut u64) {
    // SAFETY: The CPU holds the guest's other keys, so the system has them all.
    let all_cpus = unsafe { AllCpus::assume() };

    // SAFETY: The keys are valid. The caller's own return address was spilled before, and is
    // authenticated only when the kernel's key is back.
    unsafe { install_apia(all_cpus, guest_keys.cast()) };

    if cfg!(CONFIG_KVM_ARM64_PTRAUTH_DEBUG) {
        // The exit must overwrite this mark. A guest's key equals it only by chance. Rust may add a
        // check that panics to a write of its own (CONFIG_RUST_DEBUG_ASSERTIONS).
        // SAFETY: The keys are valid, and the CPU has them as long as the guest runs.
        unsafe { asm!("str {0}, [{0}]", in(reg) guest_keys, options(nostack, preserves_flags)) };
    }
}

/// Saves the guest's APIA and installs the kernel's, on the way out of the guest.
///
/// Returns `exit_code` and `guest`, so that the caller need not save them.
///
/// # Safety
///
/// For `__guest_exit` alone: `host` is the task that runs the vCPU being left, `guest_keys` are the
/// keys of the vCPU, and interrupts are masked. The guest was entered with its own APIA.
#[export]
#[link_section = ".noinstr.text"]
pub unsafe extern "C" fn kvm_ptrauth_switch_to_hyp(
    exit_code: u64,
    guest: *mut kvm_cpu_context,
    guest_keys: *mut u64,
    host: *const task_struct,
) -> kvm_ptrauth_exit {
    // SAFETY: The CPU holds the guest's other keys, so the system has them all.
    let all_cpus = unsafe { AllCpus::assume() };

    // SAFETY: The keys are valid.
    unsafe { save_apia(all_cpus, guest_keys.cast()) };
    // SAFETY: The task is valid. Nothing was signed with the guest's key, and the return addresses
    // of the callers were signed with the key installed here.
    unsafe { install_apia(all_cpus, kernel_apia(host)) };
    // The kernel must not run on with the guest's APIA, not even for one function return.
    isb();

    kvm_ptrauth_exit { exit_code, guest }
}
