// SPDX-License-Identifier: GPL-2.0

//! The switch of APIA between host and guest, for VHE.
//!
//! The kernel signs its return addresses with APIA, so that this key, alone of the five, cannot
//! stay the guest's while its vCPU is loaded (`ptrauth/residency.rs`). `hyp/entry.S` calls these
//! two functions in the middle of the world switch, for guests that have ptrauth only. That is no
//! place for ordinary code:
//!
//! - A return address signed before the switch and authenticated after it is fatal, so nothing here
//!   may be signed.
//! - At guest exit x18 and SP_EL0 are still the guest's: there is no shadow call stack and no
//!   `current`, and with it no stack protector and no instrumentation. Nothing may fault, be
//!   probed or panic either.
//!
//! Hence straight-line code alone: no calls, no stack, no checks. The Makefile takes away the
//! compiler flags that stand against it, and `ptrauth_switch_check.sh` fails the build if the
//! object holds anything else.

use kernel::{
    arm64::ptrauth::{
        isb,
        Keys, //
    },
    bindings::{
        kvm_cpu_context,
        kvm_ptrauth_exit, //
    },
    kvm::CpuContext,
    prelude::*, //
};

/// Puts the guest's APIA in place, on the way into the guest.
///
/// The exception return that follows synchronizes it.
///
/// # Safety
///
/// For `__guest_enter` alone: `guest` is the context of the vCPU being entered, interrupts are
/// masked, the CPU has pointer authentication, and the host's key is in the hyp context.
#[export]
#[link_section = ".noinstr.text"]
pub unsafe extern "C" fn kvm_ptrauth_switch_to_guest(guest: *mut kvm_cpu_context) {
    // SAFETY: The context is valid and the CPU has the key, as the caller promises. The caller's
    // own return address was spilled before and is authenticated only when the host's key is back.
    unsafe { Keys::install_apia(CpuContext::keys(guest)) };
}

/// Saves the guest's APIA and puts the host's back, on the way out of the guest.
///
/// `exit_code` and `guest` are handed through, so that the caller need not keep them elsewhere.
///
/// # Safety
///
/// For `__guest_exit` alone: `guest` is the context of the vCPU being left and `hyp` that of this
/// CPU's host, interrupts are masked, and the guest was entered with its own key.
#[export]
#[link_section = ".noinstr.text"]
pub unsafe extern "C" fn kvm_ptrauth_switch_to_hyp(
    exit_code: u64,
    guest: *mut kvm_cpu_context,
    hyp: *mut kvm_cpu_context,
) -> kvm_ptrauth_exit {
    // SAFETY: The context is valid and the CPU has the key, as the caller promises.
    unsafe { Keys::save_apia(CpuContext::keys(guest)) };
    // SAFETY: As above; what the host signed, it signed with the key that comes back here.
    unsafe { Keys::install_apia(CpuContext::keys(hyp)) };
    // The host must not run on with the guest's APIA, not even for one function return.
    isb();

    kvm_ptrauth_exit { exit_code, guest }
}
