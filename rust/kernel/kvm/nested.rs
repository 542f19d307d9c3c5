// SPDX-License-Identifier: GPL-2.0

//! Nested virtualization: a guest hypervisor in L1, at its virtual EL2, and its guest L2.
//!
//! C headers: [`arch/arm64/include/asm/kvm_nested.h`](srctree/arch/arm64/include/asm/kvm_nested.h),
//! [`arch/arm64/include/asm/kvm_emulate.h`](srctree/arch/arm64/include/asm/kvm_emulate.h)

use super::{
    LoadedVcpu,
    LockedVcpu, //
};
use crate::arm64::sysreg::{
    EsrEl2,
    HcrEl2,
    SctlrEl2, //
};
use core::arch::asm;

impl LockedVcpu<'_> {
    /// Whether an L2 guest runs on the vCPU, and not the guest hypervisor or a plain guest.
    #[inline]
    pub fn runs_l2(&self) -> bool {
        // SAFETY: The vCPU is valid, and the registers that tell its mode are this thread's.
        unsafe { bindings::is_nested_ctxt(self.as_raw()) }
    }

    /// If an L2 guest runs on the vCPU, `HCR_EL2` as L1 has set it for L2.
    #[inline]
    pub fn nested_hcr_el2(&self) -> Option<HcrEl2> {
        if !self.runs_l2() {
            return None;
        }

        // SAFETY: The vCPU is valid; the guest hypervisor's `HCR_EL2` always lives in memory.
        let hcr = unsafe { bindings::__vcpu_sys_reg(self.as_raw(), bindings::vcpu_sysreg_HCR_EL2) };
        Some(HcrEl2::from_raw(hcr))
    }

    /// Why the guest was left.
    pub fn esr(&self) -> EsrEl2 {
        // SAFETY: Only the vCPU's thread accesses this member, and that is the caller.
        EsrEl2::from_raw(unsafe { (*self.as_raw()).arch.fault.esr_el2 })
    }

    /// Lets L1 have the exception that L2 caused, with this syndrome.
    pub fn inject_into_l1(&mut self, esr: EsrEl2) {
        // SAFETY: The vCPU is valid, and this is its thread.
        unsafe { bindings::kvm_inject_nested_sync(self.as_raw(), esr.into_raw()) };
    }

    /// A register of the guest hypervisor, wherever it is.
    fn el2_register(&self, register: bindings::vcpu_sysreg) -> u64 {
        // SAFETY: The vCPU is valid, and this is its thread.
        unsafe { bindings::vcpu_read_sys_reg(self.as_raw(), register) }
    }

    /// `SCTLR_EL2` of the guest hypervisor.
    pub fn sctlr_el2(&self) -> SctlrEl2 {
        SctlrEl2::from_raw(self.el2_register(bindings::vcpu_sysreg_SCTLR_EL2))
    }

    /// `TCR_EL2` of the guest hypervisor, whose layout depends on [`e2h`](Self::e2h).
    pub fn tcr_el2(&self) -> u64 {
        self.el2_register(bindings::vcpu_sysreg_TCR_EL2)
    }

    /// `ELR_EL2` of the guest hypervisor.
    pub fn elr_el2(&self) -> u64 {
        self.el2_register(bindings::vcpu_sysreg_ELR_EL2)
    }

    /// Whether the guest hypervisor runs with `HCR_EL2.E2H`.
    pub fn e2h(&self) -> bool {
        // SAFETY: The vCPU is valid, and this is its thread.
        unsafe { bindings::vcpu_el2_e2h_is_set(self.as_raw()) }
    }
}

impl LoadedVcpu<'_> {
    /// Whether the vCPU is on its way from L1 to L2 or back.
    ///
    /// It is then put and loaded again at once, on the same CPU and by the same thread.
    #[inline]
    pub fn in_nested_transition(&self) -> bool {
        // SAFETY: Only the vCPU's thread accesses these flags, and that is the caller.
        unsafe { bindings::vcpu_in_nested_transition(self.as_raw()) }
    }

    /// The guest hypervisor's stack pointer.
    ///
    /// While the vCPU is loaded and its hypervisor is what runs there, it is on the CPU.
    pub fn sp_el2(&self) -> u64 {
        // SAFETY: Only the vCPU's thread accesses this flag, and that is the caller.
        if !unsafe { bindings::vcpu_sysregs_on_cpu(self.as_raw()) } {
            // SAFETY: The vCPU is valid, and its registers are in memory.
            return unsafe {
                bindings::__vcpu_sys_reg(self.as_raw(), bindings::vcpu_sysreg_SP_EL2)
            };
        }

        let sp;
        // SAFETY: The flag is set with VHE only, where the host kernel runs at EL2 and can read the
        // register, which has no side effects.
        unsafe { asm!("mrs {}, sp_el1", out(reg) sp, options(nomem, nostack, preserves_flags)) };
        sp
    }
}
