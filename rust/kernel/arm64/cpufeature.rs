// SPDX-License-Identifier: GPL-2.0

//! Features that every CPU of the running system has, and that the kernel uses.
//!
//! These functions may be called from any context once the kernel has finalised its capabilities,
//! which it does after early initcalls and before all others.
//!
//! C header: [`arch/arm64/include/asm/cpufeature.h`](srctree/arch/arm64/include/asm/cpufeature.h)

/// Returns whether the system has a capability, like the C side's `cpus_have_cap()`.
#[inline]
fn has_cap<const CAP: u32>() -> bool {
    const BITS: u32 = usize::BITS;
    const { assert!(CAP < bindings::ARM64_NCAPS) };

    // SAFETY: The bitmap has `ARM64_NCAPS` bits, so the word lies in it. Nobody writes to it once
    // the capabilities are final, and a volatile read of a word cannot tear.
    let word = unsafe {
        (&raw const bindings::system_cpucaps)
            .cast::<usize>()
            .add((CAP / BITS) as usize)
            .read_volatile()
    };

    word & (1 << (CAP % BITS)) != 0
}

/// Returns whether addresses can be signed and authenticated (FEAT_PAuth).
#[inline]
pub fn supports_address_auth() -> bool {
    has_cap::<{ bindings::ARM64_HAS_ADDRESS_AUTH }>()
}

/// Returns whether generic data can be signed (`PACGA`).
#[inline]
pub fn supports_generic_auth() -> bool {
    has_cap::<{ bindings::ARM64_HAS_GENERIC_AUTH }>()
}

/// Returns whether the kernel runs at EL2, with the Virtualization Host Extensions (FEAT_VHE).
#[inline]
pub fn has_vhe() -> bool {
    has_cap::<{ bindings::ARM64_HAS_VIRT_HOST_EXTN }>()
}

/// Returns whether KVM runs protected guests, so that the host itself is deprivileged (pKVM).
#[inline]
pub fn is_protected_kvm_enabled() -> bool {
    has_cap::<{ bindings::ARM64_KVM_PROTECTED_MODE }>()
}
