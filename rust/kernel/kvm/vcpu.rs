// SPDX-License-Identifier: GPL-2.0

//! Virtual CPUs.

use super::Feature;
use crate::{
    arm64::{
        id_regs::{
            IdAa64Isar1,
            IdAa64Isar2, //
        },
        sysreg::HcrEl2, //
    },
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

    /// An ID register as the VM has it.
    fn vm_id_register(&self, register: u32) -> u64 {
        // SAFETY: By the type's invariants the vCPU and its VM are valid, and the register is one
        // that each VM has.
        unsafe { bindings::kvm_read_vm_id_reg((*self.as_raw()).kvm, register) }
    }

    /// `ID_AA64ISAR1_EL1` as the VM has it.
    pub fn vm_id_aa64isar1(&self) -> IdAa64Isar1 {
        IdAa64Isar1::from_raw(self.vm_id_register(bindings::SYS_ID_AA64ISAR1_EL1))
    }

    /// `ID_AA64ISAR2_EL1` as the VM has it.
    pub fn vm_id_aa64isar2(&self) -> IdAa64Isar2 {
        IdAa64Isar2::from_raw(self.vm_id_register(bindings::SYS_ID_AA64ISAR2_EL1))
    }
}

/// A vCPU whose thread this is.
///
/// # Invariants
///
/// The caller holds the vCPU's mutex, as its thread does in `KVM_RUN`. So nothing else accesses the
/// members that only the thread may touch.
pub struct LockedVcpu<'a>(&'a Vcpu);

impl Deref for LockedVcpu<'_> {
    type Target = Vcpu;

    #[inline]
    fn deref(&self) -> &Vcpu {
        self.0
    }
}

impl LockedVcpu<'_> {
    /// Makes a locked vCPU from a pointer of the C side.
    ///
    /// # Safety
    ///
    /// `ptr` must point to a vCPU for which the invariants of this type and of [`Vcpu`] hold for
    /// as long as the returned value lives.
    #[inline]
    pub unsafe fn from_raw(ptr: *mut bindings::kvm_vcpu) -> Self {
        // INVARIANT: Holds by the safety requirements of this function.
        // SAFETY: By the safety requirements of this function.
        Self(unsafe { Vcpu::from_raw(ptr) })
    }

    /// Injects an exception for an undefined instruction into the guest.
    pub fn inject_undefined(&mut self) {
        // SAFETY: The vCPU is valid, and this is its thread.
        unsafe { bindings::kvm_inject_undefined(self.as_raw()) };
    }
}

/// A vCPU that is loaded, or about to be, on the CPU that this runs on.
///
/// # Invariants
///
/// The caller is the thread that loaded the vCPU and cannot be preempted, so that `this CPU` means
/// the same CPU for as long as the value lives.
pub struct LoadedVcpu<'a> {
    vcpu: LockedVcpu<'a>,
    _this_cpu: NotThreadSafe,
}

impl<'a> Deref for LoadedVcpu<'a> {
    type Target = LockedVcpu<'a>;

    #[inline]
    fn deref(&self) -> &LockedVcpu<'a> {
        &self.vcpu
    }
}

impl LoadedVcpu<'_> {
    /// Makes a loaded vCPU from a pointer of the C side.
    ///
    /// # Safety
    ///
    /// `ptr` must point to a vCPU for which the invariants of this type and of [`LockedVcpu`] hold
    /// for as long as the returned value lives.
    #[inline]
    pub unsafe fn from_raw(ptr: *mut bindings::kvm_vcpu) -> Self {
        // INVARIANT: Holds by the safety requirements of this function.
        Self {
            // SAFETY: By the safety requirements of this function.
            vcpu: unsafe { LockedVcpu::from_raw(ptr) },
            _this_cpu: NotThreadSafe,
        }
    }

    /// The value that `HCR_EL2` takes when the guest is entered.
    #[inline]
    pub fn hcr_el2(&self) -> HcrEl2 {
        // SAFETY: Only the vCPU's thread accesses this member, and that is the caller.
        HcrEl2::from_raw(unsafe { (*self.as_raw()).arch.hcr_el2 })
    }

    /// Has the guest trap on pointer authentication, or not, as `hcr` says. Nothing else of `hcr`
    /// counts.
    #[inline]
    pub fn set_ptrauth_traps(&mut self, hcr: HcrEl2) {
        let hcr = self.hcr_el2().with_api(hcr.api()).with_apk(hcr.apk());

        // SAFETY: Only the vCPU's thread accesses this member, and that is the caller.
        unsafe { (*self.as_raw()).arch.hcr_el2 = hcr.into_raw() };
    }
}
