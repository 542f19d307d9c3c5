// SPDX-License-Identifier: GPL-2.0

//! Virtual CPUs: the only file that knows `struct kvm_vcpu`.
//!
//! What code may do with a vCPU depends on where it is called. Two types express this. The calling
//! thread runs a [`LockedVcpu`]. A [`LoadedVcpu`] is also loaded on this CPU, and its caller cannot
//! be preempted.
//!
//! C headers: [`arch/arm64/include/asm/kvm_host.h`](srctree/arch/arm64/include/asm/kvm_host.h),
//! [`arch/arm64/include/asm/kvm_emulate.h`](srctree/arch/arm64/include/asm/kvm_emulate.h)

use core::{
    arch::asm,
    marker::PhantomData,
    mem::offset_of,
    ops::Deref, //
};
use kernel::{
    arm64::{
        id_regs::{
            IdAa64Isar1,
            IdAa64Isar2,
            IdAa64Mmfr0, //
        },
        ptrauth::Keys,
        sysreg::{
            EsrEl2,
            HcrEl2,
            SctlrEl2,
            SpsrEl2, //
        },
    },
    bindings,
    preempt,
    prelude::*, //
};

/// Asserts that members have the offsets of the C compiler. bindgen gets some of them wrong.
macro_rules! assert_offsets {
    ($($structure:ident, $($member:ident).+ => $offset:ident;)*) => {
        $(static_assert!(
            offset_of!(bindings::$structure, $($member).+) == bindings::$offset
        );)*
    };
}

assert_offsets! {
    kvm_vcpu, kvm => VCPU_KVM_OFFSET;
    kvm_vcpu, mutex => VCPU_MUTEX_OFFSET;
    kvm_vcpu, scheduled_out => VCPU_SCHEDULED_OUT_OFFSET;
    kvm_vcpu, arch.ctxt => VCPU_CTXT_OFFSET;
    kvm_vcpu, arch.hcr_el2 => VCPU_HCR_EL2_OFFSET;
    kvm_vcpu, arch.fault.esr_el2 => VCPU_ESR_EL2_OFFSET;
    kvm_vcpu, arch.sflags => VCPU_SFLAGS_OFFSET;
    kvm, arch.vcpu_features => KVM_VCPU_FEATURES_OFFSET;
    kvm_cpu_context, regs.sp => CTXT_SP_OFFSET;
    kvm_cpu_context, regs.pstate => CTXT_PSTATE_OFFSET;
    kvm_cpu_context, sys_regs => CTXT_SYS_REGS_OFFSET;
}

/// Offset of the keys in a `struct kvm_cpu_context`.
const KEYS: usize = offset_of!(bindings::kvm_cpu_context, sys_regs)
    + bindings::vcpu_sysreg_APIAKEYLO_EL1 as usize * size_of::<u64>();

/// Asserts that a context has the keys in the order of [`Keys`].
macro_rules! assert_keys {
    ($($key:ident, $lo:ident, $hi:ident;)*) => {
        $(static_assert!(
            (bindings::$lo - bindings::vcpu_sysreg_APIAKEYLO_EL1) as usize * size_of::<u64>()
                == offset_of!(Keys, $key.lo)
                && bindings::$hi == bindings::$lo + 1
        );)*
    };
}

assert_keys! {
    apia, vcpu_sysreg_APIAKEYLO_EL1, vcpu_sysreg_APIAKEYHI_EL1;
    apib, vcpu_sysreg_APIBKEYLO_EL1, vcpu_sysreg_APIBKEYHI_EL1;
    apda, vcpu_sysreg_APDAKEYLO_EL1, vcpu_sysreg_APDAKEYHI_EL1;
    apdb, vcpu_sysreg_APDBKEYLO_EL1, vcpu_sysreg_APDBKEYHI_EL1;
    apga, vcpu_sysreg_APGAKEYLO_EL1, vcpu_sysreg_APGAKEYHI_EL1;
}

/// Returns a pointer to the host's keys in the hyp context of this CPU.
///
/// A world switch that exchanges all five keys takes the host's from there when it leaves a guest.
/// Preemption is disabled, so the context stays this CPU's.
pub(crate) fn hyp_keys(_: &preempt::Disabled) -> *mut Keys {
    // SAFETY: The per-CPU context can be looked up without preemption.
    let ctxt = unsafe { bindings::kvm_ptrauth_hyp_ctxt() };

    ctxt.wrapping_byte_add(KEYS).cast()
}

/// A vCPU that the calling thread runs.
///
/// # Invariants
///
/// The pointer is that of an initialised vCPU of an initialised VM, and valid for `'a`. The caller
/// holds the vCPU's mutex, as the thread does in each ioctl of the vCPU. Nothing else accesses the
/// members that belong to the thread.
pub(crate) struct LockedVcpu<'a>(*mut bindings::kvm_vcpu, PhantomData<&'a bindings::kvm_vcpu>);

impl LockedVcpu<'_> {
    /// Makes a locked vCPU from a pointer of the C side.
    ///
    /// # Safety
    ///
    /// `ptr` must point to a vCPU that is valid for as long as the returned value lives, and whose
    /// mutex the caller holds for as long.
    #[inline]
    pub(crate) unsafe fn from_raw(ptr: *mut bindings::kvm_vcpu) -> Self {
        if cfg!(CONFIG_LOCKDEP) {
            // SAFETY: The vCPU is valid, and so is its mutex.
            unsafe { bindings::mutex_assert_is_held(&raw mut (*ptr).mutex) };
        }
        // INVARIANT: Holds by the safety requirements of this function.
        Self(ptr, PhantomData)
    }

    /// Returns whether the vCPU has pointer authentication, as the C side's `vcpu_has_ptrauth()`
    /// does. Only a system where each CPU has all keys gives it to vCPUs.
    pub(crate) fn has_ptrauth(&self) -> bool {
        // SAFETY: By the type invariant, the vCPU is valid.
        unsafe { bindings::kvm_ptrauth_vcpu_has(self.0) }
    }

    /// Returns an ID register as the VM has it: the sanitised value, until the VMM writes another.
    ///
    /// # Safety
    ///
    /// `register` must be the encoding of an ID register that each VM has.
    unsafe fn vm_id_reg(&self, register: u32) -> u64 {
        // SAFETY: By the type invariant, the vCPU and its VM are valid.
        unsafe { bindings::kvm_ptrauth_vm_id_reg(self.0, register) }
    }

    /// Returns `ID_AA64ISAR1_EL1` as the VM has it.
    pub(crate) fn vm_id_aa64isar1(&self) -> IdAa64Isar1 {
        // SAFETY: It is such a register.
        IdAa64Isar1::from_raw(unsafe { self.vm_id_reg(bindings::SYS_ID_AA64ISAR1_EL1) })
    }

    /// Returns `ID_AA64ISAR2_EL1` as the VM has it.
    pub(crate) fn vm_id_aa64isar2(&self) -> IdAa64Isar2 {
        // SAFETY: It is such a register.
        IdAa64Isar2::from_raw(unsafe { self.vm_id_reg(bindings::SYS_ID_AA64ISAR2_EL1) })
    }

    /// Returns `ID_AA64MMFR0_EL1` as the VM has it.
    pub(crate) fn vm_id_aa64mmfr0(&self) -> IdAa64Mmfr0 {
        // SAFETY: It is such a register.
        IdAa64Mmfr0::from_raw(unsafe { self.vm_id_reg(bindings::SYS_ID_AA64MMFR0_EL1) })
    }

    /// Injects an exception for an undefined instruction into the guest.
    pub(crate) fn inject_undefined(&mut self) {
        // SAFETY: By the type invariant, the vCPU is valid, and this is its thread.
        unsafe { bindings::kvm_inject_undefined(self.0) };
    }

    /// Reinjects into L1 the exception that L2 caused, with the syndrome `esr`.
    pub(crate) fn inject_into_l1(&mut self, esr: EsrEl2) {
        // SAFETY: By the type invariant, the vCPU is valid, and this is its thread.
        unsafe { bindings::kvm_inject_nested_sync(self.0, esr.into_raw()) };
    }

    /// Returns the syndrome of the last exit from the guest.
    pub(crate) fn esr(&self) -> EsrEl2 {
        // SAFETY: By the type invariant, the vCPU is valid. The member belongs to this thread.
        EsrEl2::from_raw(unsafe { (*self.0).arch.fault.esr_el2 })
    }

    /// Returns whether the VM has EL2, without which there is no L2.
    #[inline]
    pub(crate) fn vm_has_el2(&self) -> bool {
        // SAFETY: By the type invariant, the vCPU and its VM are valid, and have their features.
        let features = unsafe { (*(*self.0).kvm).arch.vcpu_features[0] };

        features & 1 << bindings::KVM_ARM_VCPU_HAS_EL2 != 0
    }

    /// Returns whether an L2 guest runs on the vCPU, as the C side's `is_nested_ctxt()` does.
    pub(crate) fn runs_l2(&self) -> bool {
        // SAFETY: By the type invariant, the vCPU is valid, and this is its thread.
        unsafe { bindings::kvm_ptrauth_is_nested_ctxt(self.0) }
    }

    /// Returns a register of the guest hypervisor, whether it is on the CPU or in memory.
    fn el2_register<const REGISTER: bindings::vcpu_sysreg>(&self) -> u64 {
        const { assert!(REGISTER < bindings::vcpu_sysreg_NR_SYS_REGS) };

        // SAFETY: By the type invariant, the vCPU is valid, and this is its thread. KVM has the
        // register, if only in memory.
        unsafe { bindings::vcpu_read_sys_reg(self.0, REGISTER) }
    }

    /// Returns `HCR_EL2` as L1 has set it for L2.
    pub(crate) fn l1_hcr_el2(&self) -> HcrEl2 {
        // SAFETY: By the type invariant, the vCPU is valid. The register is always in memory.
        HcrEl2::from_raw(unsafe { bindings::kvm_ptrauth_l1_hcr_el2(self.0) })
    }

    /// Returns `SCTLR_EL2` of the guest hypervisor.
    pub(crate) fn sctlr_el2(&self) -> SctlrEl2 {
        SctlrEl2::from_raw(self.el2_register::<{ bindings::vcpu_sysreg_SCTLR_EL2 }>())
    }

    /// Returns `TCR_EL2` of the guest hypervisor. Its layout depends on [`e2h`](Self::e2h).
    pub(crate) fn tcr_el2(&self) -> u64 {
        self.el2_register::<{ bindings::vcpu_sysreg_TCR_EL2 }>()
    }

    /// Returns `ELR_EL2` of the guest hypervisor.
    pub(crate) fn elr_el2(&self) -> u64 {
        self.el2_register::<{ bindings::vcpu_sysreg_ELR_EL2 }>()
    }

    /// Returns whether the guest hypervisor runs with `HCR_EL2.E2H`.
    pub(crate) fn e2h(&self) -> bool {
        // SAFETY: By the type invariant, the vCPU is valid, and this is its thread.
        unsafe { bindings::kvm_ptrauth_el2_e2h_is_set(self.0) }
    }
}

/// A vCPU that is loaded, or is being loaded or put, on the CPU that this runs on.
///
/// # Invariants
///
/// The caller is the thread that loaded the vCPU. It cannot be preempted for as long as the value
/// lives.
pub(crate) struct LoadedVcpu<'a> {
    vcpu: LockedVcpu<'a>,
    stay: &'a preempt::Disabled,
}

impl<'a> Deref for LoadedVcpu<'a> {
    type Target = LockedVcpu<'a>;

    #[inline]
    fn deref(&self) -> &LockedVcpu<'a> {
        &self.vcpu
    }
}

impl<'a> LoadedVcpu<'a> {
    /// Makes a loaded vCPU from a pointer of the C side.
    ///
    /// # Safety
    ///
    /// `ptr` must point to a vCPU for which the safety requirements of [`LockedVcpu::from_raw`]
    /// hold, and which is loaded, or is being loaded or put, on this CPU.
    #[inline]
    pub(crate) unsafe fn from_raw(
        ptr: *mut bindings::kvm_vcpu,
        stay: &'a preempt::Disabled,
    ) -> Self {
        // INVARIANT: Holds by the safety requirements of this function, and by `stay`.
        Self {
            // SAFETY: By the safety requirements of this function.
            vcpu: unsafe { LockedVcpu::from_raw(ptr) },
            stay,
        }
    }

    /// Returns the proof that there is no preemption.
    #[inline]
    pub(crate) fn stay(&self) -> &'a preempt::Disabled {
        self.stay
    }

    /// Returns a pointer to the guest's keys in memory. It is valid as long as the vCPU.
    #[inline]
    pub(crate) fn keys(&self) -> *mut Keys {
        let vcpu = self.vcpu.0;

        vcpu.wrapping_byte_add(bindings::VCPU_CTXT_OFFSET + KEYS)
            .cast()
    }

    /// Returns the guest's keys as they were at the last check.
    #[cfg(CONFIG_KVM_ARM64_PTRAUTH_DEBUG)]
    pub(crate) fn watched(&mut self) -> &mut Keys {
        let vcpu = self.vcpu.0;

        // SAFETY: The vCPU is valid, and its member is used here alone, by this thread.
        unsafe { &mut *vcpu.byte_add(bindings::VCPU_PTRAUTH_WATCHED_OFFSET).cast() }
    }

    /// Returns whether one of these bits is set in the flags.
    #[inline]
    fn has_flag(&self, bits: u16) -> bool {
        // SAFETY: By the type invariant, the vCPU is valid. The member belongs to this thread.
        unsafe { (*self.vcpu.0).arch.sflags & bits != 0 }
    }

    /// Returns whether the CPU holds the guest's keys.
    #[inline]
    pub(crate) fn keys_on_cpu(&self) -> bool {
        self.has_flag(bindings::VCPU_PTRAUTH_KEYS_ON_CPU)
    }

    /// Sets or clears the flag that says that the CPU holds the guest's keys.
    #[inline]
    pub(crate) fn set_keys_on_cpu(&mut self, on_cpu: bool) {
        // SAFETY: The member belongs to this thread. Another load or put, which would write it too,
        // cannot come in between, since there is no preemption.
        let flags = unsafe { &mut (*self.vcpu.0).arch.sflags };

        if on_cpu {
            *flags |= bindings::VCPU_PTRAUTH_KEYS_ON_CPU;
        } else {
            *flags &= !bindings::VCPU_PTRAUTH_KEYS_ON_CPU;
        }
    }

    /// Returns whether the vCPU is on its way from L1 to L2 or back.
    ///
    /// The C side then puts and loads it on the same CPU, with preemption disabled.
    #[inline]
    pub(crate) fn in_nested_transition(&self) -> bool {
        self.has_flag(bindings::VCPU_IN_NESTED_TRANSITION)
    }

    /// Returns whether the scheduler puts the vCPU, to switch to another task.
    #[inline]
    pub(crate) fn scheduled_out(&self) -> bool {
        // SAFETY: Only the preempt notifiers write the member, in this thread.
        unsafe { (*self.vcpu.0).scheduled_out }
    }

    /// Returns the `HCR_EL2` with which the guest is entered.
    #[inline]
    pub(crate) fn hcr_el2(&self) -> HcrEl2 {
        // SAFETY: The vCPU is valid. Other threads change single bits, atomically.
        HcrEl2::from_raw(unsafe { (&raw const (*self.vcpu.0).arch.hcr_el2).read_volatile() })
    }

    /// Copies API and APK from `hcr` to the `HCR_EL2` with which the guest is entered. Other bits
    /// are ignored.
    ///
    /// Other threads set and clear other bits of the same register (`vcpu_interrupt_line()`), so
    /// these two change one by one, atomically, and only if they differ.
    pub(crate) fn set_ptrauth_traps(&mut self, hcr: HcrEl2) {
        let vcpu = self.vcpu.0;
        let place = vcpu.wrapping_byte_add(bindings::VCPU_HCR_EL2_OFFSET).cast();
        let change = |shift: u32, on: bool| {
            // SAFETY: The register is valid, and the bit lies in it.
            unsafe {
                if on {
                    bindings::set_bit(shift as usize, place);
                } else {
                    bindings::clear_bit(shift as usize, place);
                }
            }
        };
        let now = self.hcr_el2();

        if now.api() != hcr.api() {
            change(HcrEl2::API_SHIFT, hcr.api());
        }
        if now.apk() != hcr.apk() {
            change(HcrEl2::APK_SHIFT, hcr.apk());
        }
    }

    /// Returns the guest hypervisor's current stack pointer.
    ///
    /// At EL2t that is `SP_EL0`, which is saved with the general purpose registers. `SP_EL2` is in
    /// `SP_EL1` while the vCPU's system registers are on the CPU.
    pub(crate) fn current_sp(&self) -> u64 {
        // SAFETY: The members belong to this thread. Each exit from the guest writes them.
        let regs = unsafe { &(*self.vcpu.0).arch.ctxt.regs };

        if !SpsrEl2::from_raw(regs.pstate).sp() {
            return regs.sp;
        }
        if !self.has_flag(bindings::VCPU_SYSREGS_ON_CPU) {
            return self.el2_register::<{ bindings::vcpu_sysreg_SP_EL2 }>();
        }

        let sp;
        // SAFETY: The flag is set with VHE only, where the host kernel runs at EL2 and can read the
        // register. Reading it has no side effects.
        unsafe { asm!("mrs {}, sp_el1", out(reg) sp, options(nomem, nostack, preserves_flags)) };
        sp
    }
}
