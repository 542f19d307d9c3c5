// SPDX-License-Identifier: GPL-2.0

//! Virtual CPUs.

use super::Feature;
use crate::{
    arm64::sysreg::HcrEl2,
    types::{
        NotThreadSafe,
        Opaque, //
    },
};
use core::ops::Deref;

/// Wraps the kernel's `struct kvm_vcpu`.
///
/// # Invariants
///
/// The vCPU and its VM are initialised, and stay so for the lifetime of a reference.
#[repr(transparent)]
pub struct Vcpu(Opaque<bindings::kvm_vcpu>);

impl Vcpu {
    /// Makes a reference from a pointer of the C side.
    ///
    /// # Safety
    ///
    /// `ptr` must point to a vCPU that upholds the type's invariants for the lifetime `'a`.
    #[inline]
    pub unsafe fn from_raw<'a>(ptr: *mut bindings::kvm_vcpu) -> &'a Self {
        // SAFETY: `ptr` is valid by the safety requirements of this function, and the type is
        // transparent.
        unsafe { &*ptr.cast() }
    }

    #[inline]
    pub(super) fn as_raw(&self) -> *mut bindings::kvm_vcpu {
        self.0.get()
    }

    /// Whether the VMM gave the vCPU this feature.
    #[inline]
    pub fn has_feature(&self, feature: Feature) -> bool {
        // SAFETY: By the type's invariants the vCPU and its VM are valid. The features of a VM
        // are read with an atomic bit operation.
        unsafe {
            bindings::__vcpu_has_feature(&raw const (*(*self.as_raw()).kvm).arch, feature as i32)
        }
    }
}

/// A vCPU that is loaded, or about to be, on the CPU that this runs on.
///
/// # Invariants
///
/// - The caller is the thread that loaded the vCPU and cannot be preempted, so that `this CPU`
///   means the same CPU for as long as the value lives.
/// - Nothing else accesses the members of the vCPU that only its thread may touch.
pub struct LoadedVcpu<'a> {
    vcpu: &'a Vcpu,
    _this_cpu: NotThreadSafe,
}

impl Deref for LoadedVcpu<'_> {
    type Target = Vcpu;

    #[inline]
    fn deref(&self) -> &Vcpu {
        self.vcpu
    }
}

impl LoadedVcpu<'_> {
    /// Makes a loaded vCPU from a pointer of the C side.
    ///
    /// # Safety
    ///
    /// `ptr` must point to a vCPU for which the invariants of this type and of [`Vcpu`] hold for
    /// as long as the returned value lives.
    #[inline]
    pub unsafe fn from_raw(ptr: *mut bindings::kvm_vcpu) -> Self {
        // INVARIANT: Holds by the safety requirements of this function.
        Self {
            // SAFETY: By the safety requirements of this function.
            vcpu: unsafe { Vcpu::from_raw(ptr) },
            _this_cpu: NotThreadSafe,
        }
    }

    /// The value that `HCR_EL2` takes when the guest is entered.
    #[inline]
    pub fn hcr_el2(&self) -> HcrEl2 {
        // SAFETY: Only the vCPU's thread accesses this member, and that is the caller.
        HcrEl2::from_raw(unsafe { (*self.as_raw()).arch.hcr_el2 })
    }

    /// Sets the value that `HCR_EL2` takes when the guest is entered.
    #[inline]
    pub fn set_hcr_el2(&mut self, hcr: HcrEl2) {
        // SAFETY: Only the vCPU's thread accesses this member, and that is the caller.
        unsafe { (*self.as_raw()).arch.hcr_el2 = hcr.into_raw() };
    }

    /// If an L2 guest runs on the vCPU, `HCR_EL2` as the guest hypervisor in L1 has set it for L2.
    ///
    /// [`None`] means that the guest, or L1 itself, runs.
    #[inline]
    pub fn nested_hcr_el2(&self) -> Option<HcrEl2> {
        // SAFETY: The vCPU is valid, and the registers that tell its mode are this thread's.
        if !unsafe { bindings::is_nested_ctxt(self.as_raw()) } {
            return None;
        }

        // SAFETY: As above; the guest hypervisor's `HCR_EL2` always lives in memory.
        let hcr = unsafe { bindings::__vcpu_sys_reg(self.as_raw(), bindings::vcpu_sysreg_HCR_EL2) };
        Some(HcrEl2::from_raw(hcr))
    }

    /// Whether the vCPU is on its way from L1 to L2 or back.
    ///
    /// It is then put and loaded again at once, on the same CPU and by the same thread.
    #[inline]
    pub fn in_nested_transition(&self) -> bool {
        // SAFETY: Only the vCPU's thread accesses these flags, and that is the caller.
        unsafe { bindings::vcpu_in_nested_transition(self.as_raw()) }
    }
}
