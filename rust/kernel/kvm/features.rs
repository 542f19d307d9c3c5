// SPDX-License-Identifier: GPL-2.0

//! The features that a VMM gives its vCPUs.
//!
//! C header: [`arch/arm64/include/uapi/asm/kvm.h`](srctree/arch/arm64/include/uapi/asm/kvm.h)
//!
//! Reference: `KVM_ARM_VCPU_INIT` in <https://docs.kernel.org/virt/kvm/api.html>

/// One vCPU feature. Those that nobody asks for yet are not listed.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Feature {
    /// Authentication of addresses.
    PtrauthAddress = bindings::KVM_ARM_VCPU_PTRAUTH_ADDRESS,
    /// Authentication of generic data.
    PtrauthGeneric = bindings::KVM_ARM_VCPU_PTRAUTH_GENERIC,
}

/// A set of vCPU features: the first, and so far only used, word of `kvm_vcpu_init::features`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Features(usize);

impl Features {
    /// Takes the word as it is in the ABI. Bits without a [`Feature`] are kept.
    pub const fn from_raw(raw: usize) -> Self {
        Self(raw)
    }

    /// The word as it is in the ABI.
    pub const fn into_raw(self) -> usize {
        self.0
    }

    const fn mask(feature: Feature) -> usize {
        1 << feature as u32
    }

    /// Whether the set has `feature`.
    pub const fn contains(self, feature: Feature) -> bool {
        self.0 & Self::mask(feature) != 0
    }

    /// The set with `feature` in it.
    pub const fn with(self, feature: Feature) -> Self {
        Self(self.0 | Self::mask(feature))
    }

    /// The set with `feature` taken out.
    pub const fn without(self, feature: Feature) -> Self {
        Self(self.0 & !Self::mask(feature))
    }
}
