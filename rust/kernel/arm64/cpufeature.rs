// SPDX-License-Identifier: GPL-2.0

//! Features that the running system has, on every CPU and in use.
//!
//! All of this may be called from any context once the kernel has finalised its capabilities,
//! which it has before initcalls run.
//!
//! C headers: [`arch/arm64/include/asm/cpufeature.h`](srctree/arch/arm64/include/asm/cpufeature.h),
//! [`arch/arm64/include/asm/virt.h`](srctree/arch/arm64/include/asm/virt.h)

use super::sysreg::CurrentEl;

/// Whether addresses can be signed and authenticated (FEAT_PAuth).
#[inline]
pub fn supports_address_auth() -> bool {
    // SAFETY: Reads a capability bitmap, which is always allowed.
    unsafe { bindings::system_supports_address_auth() }
}

/// Whether generic data can be signed (`PACGA`).
#[inline]
pub fn supports_generic_auth() -> bool {
    // SAFETY: Looks at a patched branch, which is always allowed.
    unsafe { bindings::system_supports_generic_auth() }
}

/// Whether the kernel runs at EL2, that is, with the Virtualization Host Extensions (FEAT_VHE).
#[inline]
pub fn has_vhe() -> bool {
    *CurrentEl::read().el() == 2
}
