// SPDX-License-Identifier: GPL-2.0

//! The pointer authentication keys of a vCPU, and how they take turns on the CPU with the host's.

use super::{
    CpuContext,
    LoadedVcpu, //
};
use crate::arm64::ptrauth::{
    Key,
    KeyId,
    Keys, //
};

/// All of these are about the CPU that the vCPU is loaded on. They demand that it has pointer
/// authentication: a guest has it only if all CPUs do.
impl LoadedVcpu<'_> {
    #[inline]
    fn guest_keys(&self) -> *mut Keys {
        // SAFETY: The vCPU is valid; this only computes an address.
        CpuContext::keys(unsafe { &raw mut (*self.as_raw()).arch.ctxt })
    }

    #[inline]
    fn hyp_keys(&self) -> *mut Keys {
        // SAFETY: Without preemption, which the type's invariants exclude, the context stays this
        // CPU's.
        CpuContext::keys(unsafe { bindings::this_cpu_hyp_ctxt() })
    }

    /// Whether the CPU holds the guest's idle keys, those that the kernel does not use itself.
    ///
    /// This is what the last `set_keys_on_cpu()` said; a new vCPU has no keys on any CPU.
    #[inline]
    pub fn keys_on_cpu(&self) -> bool {
        // SAFETY: Only the vCPU's thread accesses this flag, and that is the caller.
        unsafe { bindings::vcpu_ptrauth_keys_on_cpu(self.as_raw()) }
    }

    /// Notes whether the CPU holds the guest's idle keys.
    #[inline]
    fn set_keys_on_cpu(&mut self, on_cpu: bool) {
        // SAFETY: Only the vCPU's thread accesses this flag, and that is the caller.
        unsafe { bindings::vcpu_set_ptrauth_keys_on_cpu(self.as_raw(), on_cpu) };
    }

    /// Gives the CPU's idle keys to the guest, and has the world switch find the kernel's key.
    ///
    /// # Safety
    ///
    /// The CPU must have pointer authentication, and the put of the vCPU must bring the host's keys
    /// back.
    pub unsafe fn bring_guest_keys(&mut self) {
        // SAFETY: The hyp context lives as long as the kernel, and only this CPU uses it.
        unsafe { Keys::copy_current_kernel(self.hyp_keys()) };
        // SAFETY: The guest's context is as valid as the vCPU, and the host kernel may access the
        // keys, which the CPU has by the safety requirements. There is no preemption here, and the
        // put comes before another task or user space runs.
        unsafe { Keys::install_idle(self.guest_keys()) };
        self.set_keys_on_cpu(true);
    }

    /// Takes the CPU's idle keys from the guest, and gives them back to `current`.
    ///
    /// # Safety
    ///
    /// The CPU must have pointer authentication, and hold the guest's keys.
    pub unsafe fn bring_host_keys(&mut self) {
        // SAFETY: As for `bring_guest_keys()`; there is no preemption.
        unsafe { Keys::save_idle(self.guest_keys()) };
        // SAFETY: As above; `current` lives for as long as its code runs, and the keys are its own.
        unsafe { Keys::install_idle(Keys::of_current_user()) };
        self.set_keys_on_cpu(false);
    }

    /// Saves the keys that this CPU holds to where a world switch that exchanges all five takes
    /// the host's keys from when it leaves the guest.
    ///
    /// # Safety
    ///
    /// The CPU must have pointer authentication.
    pub unsafe fn save_host_keys(&mut self) {
        // SAFETY: As for `bring_guest_keys()`.
        unsafe { Keys::save(self.hyp_keys()) };
    }

    /// One of the guest's keys, from its context in memory.
    ///
    /// The guest does not run, since the caller does.
    pub fn key_in_memory(&self, id: KeyId) -> Key {
        // SAFETY: The guest's context is valid, and nobody writes to it while the guest does not
        // run.
        id.of(unsafe { &*self.guest_keys() })
    }

    /// One of the keys that the CPU holds.
    ///
    /// # Safety
    ///
    /// The CPU must have pointer authentication.
    pub unsafe fn key_on_cpu(&self, id: KeyId) -> Key {
        // SAFETY: The host kernel may access the keys, which the CPU has by the safety
        // requirements.
        unsafe { id.read() }
    }
}
