// SPDX-License-Identifier: GPL-2.0

//! KVM on arm64: virtual CPUs, and the contexts that a world switch goes between.
//!
//! C headers: [`arch/arm64/include/asm/kvm_host.h`](srctree/arch/arm64/include/asm/kvm_host.h),
//! [`arch/arm64/include/asm/kvm_emulate.h`](srctree/arch/arm64/include/asm/kvm_emulate.h)
//!
//! Reference: <https://docs.kernel.org/virt/kvm/index.html>

#[cfg(CONFIG_ARM64_PTR_AUTH)]
mod context;
mod features;
#[cfg(CONFIG_ARM64_PTR_AUTH)]
mod keys;
mod nested;
mod vcpu;

#[cfg(CONFIG_ARM64_PTR_AUTH)]
pub use context::CpuContext;
pub use features::{
    Feature,
    Features, //
};
pub use vcpu::{
    LoadedVcpu,
    LockedVcpu,
    Vcpu, //
};

use crate::prelude::*;

/// Whether KVM runs protected guests, that is, the host is itself deprivileged (pKVM).
///
/// May be called from any context once KVM's mode is settled, which it is before initcalls run.
#[inline]
pub fn is_protected() -> bool {
    // SAFETY: Reads a mode and a capability, both of which are final by now.
    unsafe { bindings::is_protected_kvm_enabled() }
}

/// Prints an info-level line in the form that KVM's own C code uses.
///
/// May be called from any context that may print.
pub fn info(message: &CStr) {
    // SAFETY: `message` is a valid C string for the duration of the call.
    unsafe { bindings::kvm_info(message.as_char_ptr()) };
}
