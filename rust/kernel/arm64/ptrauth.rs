// SPDX-License-Identifier: GPL-2.0

//! The five pointer authentication keys.
//!
//! A key is 128 bits wide and sits in two 64-bit registers, lo and hi. All key registers belong to
//! EL1 and exist once per CPU. The kernel, processes and guests use them in turn.
//!
//! With `CONFIG_ARM64_PTR_AUTH_KERNEL`, the kernel signs its return addresses. It then installs an
//! APIA of its own when it is entered. It uses no other key. When it is left, it installs the
//! task's APIA. It installs the other four, the *user keys*, when it switches tasks
//! (`ptrauth_keys_install_user()`).
//!
//! C header:
//! [`arch/arm64/include/asm/pointer_auth.h`](srctree/arch/arm64/include/asm/pointer_auth.h)
//!
//! Reference: Arm ARM, "Pointer authentication", and the descriptions of the registers
//! `APIAKeyLo_EL1` to `APGAKeyHi_EL1`.

use super::{
    cpufeature,
    current_task, //
};
use crate::preempt;
use core::{
    arch::asm,
    mem::offset_of, //
};

/// One key: its halves `lo`, bits 63:0, and `hi`, bits 127:64.
pub use bindings::ptrauth_key as Key;

/// A set of all five keys: `apia`, `apib`, `apda`, `apdb` and `apga`, as a task has them and as KVM
/// orders them.
pub use bindings::ptrauth_keys_user as Keys;

/// Whether the kernel signs its own return addresses, with APIA.
pub const KERNEL_USES_APIA: bool = cfg!(CONFIG_ARM64_PTR_AUTH_KERNEL);

/// Proof that every CPU has the five keys, and that the kernel may access them.
///
/// # Invariants
///
/// The system has address and generic authentication.
#[derive(Clone, Copy)]
pub struct AllCpus(());

impl AllCpus {
    /// Checks that the system has address and generic authentication.
    #[inline]
    pub fn check() -> Option<Self> {
        let both = cpufeature::supports_address_auth() && cpufeature::supports_generic_auth();

        // INVARIANT: The system has both.
        both.then_some(Self(()))
    }

    /// Assumes that the system has address and generic authentication.
    ///
    /// # Safety
    ///
    /// The system must have address and generic authentication.
    #[inline]
    pub const unsafe fn assume() -> Self {
        // INVARIANT: Holds by the safety requirements of this function.
        Self(())
    }
}

/// Copies one key from its registers to its place in the set at `$to`.
///
/// One block of assembly moves both halves, so that they share one `stp`. The names of the
/// registers are those that assemblers know at any architecture level.
macro_rules! save_key {
    ($to:expr, $key:ident: $lo:literal, $hi:literal) => {
        asm!(
            concat!("mrs {lo}, ", $lo),
            concat!("mrs {hi}, ", $hi),
            "stp {lo}, {hi}, [{to}, #{offset}]",
            lo = out(reg) _,
            hi = out(reg) _,
            to = in(reg) $to,
            offset = const offset_of!(Keys, $key),
            options(nostack, preserves_flags),
        )
    };
}

/// Copies one key from its place in the set at `$from` to its registers.
macro_rules! install_key {
    ($from:expr, $key:ident: $lo:literal, $hi:literal) => {
        asm!(
            "ldp {lo}, {hi}, [{from}, #{offset}]",
            concat!("msr ", $lo, ", {lo}"),
            concat!("msr ", $hi, ", {hi}"),
            lo = out(reg) _,
            hi = out(reg) _,
            from = in(reg) $from,
            offset = const offset_of!(Keys, $key),
            options(nostack, preserves_flags),
        )
    };
}

// The following four functions compile to straight-line code without calls or use of the stack,
// whatever the configuration. A world switch can use them.

/// Copies APIA from the CPU to `to`.
///
/// # Safety
///
/// `to` must be valid for writes.
#[inline(always)]
pub unsafe fn save_apia(_: AllCpus, to: *mut Keys) {
    // SAFETY: The CPU has the key, and the two words written lie in `*to`.
    unsafe { save_key!(to, apia: "S3_0_C2_C1_0", "S3_0_C2_C1_1") };
}

/// Copies APIA from `from` to the CPU.
///
/// The CPU uses it for certain only after a context synchronization event, such as an exception
/// return.
///
/// # Safety
///
/// - `from` must have an `apia` that is valid for reads.
/// - With [`KERNEL_USES_APIA`], no return address of the caller or its callers may be signed with
///   one key and authenticated with the other.
#[inline(always)]
pub unsafe fn install_apia(_: AllCpus, from: *const Keys) {
    // SAFETY: The CPU has the key, and the two words read are those of `apia`. No return address
    // meets the wrong key, by the safety requirements.
    unsafe { install_key!(from, apia: "S3_0_C2_C1_0", "S3_0_C2_C1_1") };
}

/// Copies the user keys from the CPU to `to`.
///
/// # Safety
///
/// `to` must be valid for writes.
#[inline(always)]
pub unsafe fn save_user(_: AllCpus, _: &preempt::Disabled, to: *mut Keys) {
    // SAFETY: The CPU has the keys, and the words written lie in `*to`.
    unsafe {
        save_key!(to, apib: "S3_0_C2_C1_2", "S3_0_C2_C1_3");
        save_key!(to, apda: "S3_0_C2_C2_0", "S3_0_C2_C2_1");
        save_key!(to, apdb: "S3_0_C2_C2_2", "S3_0_C2_C2_3");
        save_key!(to, apga: "S3_0_C2_C3_0", "S3_0_C2_C3_1");
    }
}

/// Copies the user keys from `from` to the CPU.
///
/// The CPU uses them for certain only after a context synchronization event.
///
/// # Safety
///
/// - `from` must be valid for reads.
/// - Unless they are `current`'s, `current`'s must be back before user space runs on this CPU. A
///   task switch brings back those of the next task.
#[inline(always)]
pub unsafe fn install_user(_: AllCpus, _: &preempt::Disabled, from: *const Keys) {
    // SAFETY: The CPU has the keys, and the words read lie in `*from`. The kernel signs nothing
    // with these keys.
    unsafe {
        install_key!(from, apib: "S3_0_C2_C1_2", "S3_0_C2_C1_3");
        install_key!(from, apda: "S3_0_C2_C2_0", "S3_0_C2_C2_1");
        install_key!(from, apdb: "S3_0_C2_C2_2", "S3_0_C2_C2_3");
        install_key!(from, apga: "S3_0_C2_C3_0", "S3_0_C2_C3_1");
    }
}

/// Returns a pointer to the keys that `current` uses in user space. It is valid as long as the
/// task.
///
/// Nobody but the task itself changes the keys of a running task.
#[inline]
pub fn current_user_keys() -> *const Keys {
    current_task()
        .wrapping_byte_add(bindings::THREAD_KEYS_USER)
        .cast()
}

/// Returns a pointer to a set of keys of which only `apia` is valid: the key with which the kernel
/// signs on behalf of `task`.
#[cfg(CONFIG_ARM64_PTR_AUTH_KERNEL)]
#[inline(always)]
pub fn kernel_apia(task: *const bindings::task_struct) -> *const Keys {
    task.wrapping_byte_add(bindings::THREAD_KEYS_KERNEL - offset_of!(Keys, apia))
        .cast()
}

/// Computes the PAC for `value` and `modifier` as `PACGA` does with `key`, in the upper 32 bits.
///
/// APGA holds `key` for a moment, and is then restored. Preemption must be disabled: a task switch
/// in between would give `key` to another task, or lose it.
#[inline]
pub fn pacga_with(_: AllCpus, _: &preempt::Disabled, key: Key, value: u64, modifier: u64) -> u64 {
    let pac;

    // SAFETY: The CPU has the key, and nothing else in the kernel uses it.
    unsafe {
        asm!(
            ".arch_extension pauth",
            "mrs {saved_lo}, S3_0_C2_C3_0",
            "mrs {saved_hi}, S3_0_C2_C3_1",
            "msr S3_0_C2_C3_0, {lo}",
            "msr S3_0_C2_C3_1, {hi}",
            "isb",
            "pacga {pac}, {value}, {modifier}",
            "msr S3_0_C2_C3_0, {saved_lo}",
            "msr S3_0_C2_C3_1, {saved_hi}",
            "isb",
            saved_lo = out(reg) _,
            saved_hi = out(reg) _,
            lo = in(reg) key.lo,
            hi = in(reg) key.hi,
            pac = out(reg) pac,
            value = in(reg) value,
            modifier = in(reg) modifier,
            options(nostack, preserves_flags),
        )
    };
    pac
}

#[cfg(CONFIG_RUST_ARM64_KUNIT_TEST)]
#[macros::kunit_tests(rust_arm64_ptrauth)]
mod tests {
    use super::*;

    fn halves(key: Key) -> (usize, usize) {
        (key.lo, key.hi)
    }

    /// The other tests have nothing to test without the keys.
    #[test]
    fn all_cpus_have_the_keys_if_user_space_is_told_so() {
        // SAFETY: Both are numbers of features.
        let told = unsafe {
            bindings::cpu_have_feature(bindings::HWCAP_PACA.ilog2())
                && bindings::cpu_have_feature(bindings::HWCAP_PACG.ilog2())
        };

        assert_eq!(AllCpus::check().is_some(), told);
    }

    /// A put of a vCPU relies on this: it installs the keys of `current` without having saved them.
    #[test]
    fn the_cpu_holds_the_keys_of_current() {
        let Some(all_cpus) = AllCpus::check() else {
            return;
        };
        let mut on_cpu = Keys::default();

        let stay = preempt::disable();
        // SAFETY: `on_cpu` is valid for writes.
        unsafe { save_user(all_cpus, &stay, &mut on_cpu) };
        drop(stay);
        // SAFETY: Nobody writes to the keys of a task that runs.
        let user = unsafe { *current_user_keys() };

        assert_eq!(halves(on_cpu.apib), halves(user.apib));
        assert_eq!(halves(on_cpu.apda), halves(user.apda));
        assert_eq!(halves(on_cpu.apdb), halves(user.apdb));
        assert_eq!(halves(on_cpu.apga), halves(user.apga));
    }

    /// entry.S has loaded the key from the member of C's structure.
    #[test]
    #[cfg(CONFIG_ARM64_PTR_AUTH_KERNEL)]
    fn apia_is_the_kernels() {
        let Some(all_cpus) = AllCpus::check() else {
            return;
        };
        let mut on_cpu = Keys::default();
        // SAFETY: `on_cpu` is valid for writes.
        unsafe { save_apia(all_cpus, &mut on_cpu) };

        // SAFETY: `current` is valid, and its kernel key never changes.
        let kernel = unsafe { (*kernel_apia(current_task())).apia };

        assert_eq!(halves(on_cpu.apia), halves(kernel));
    }
}
