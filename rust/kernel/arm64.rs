// SPDX-License-Identifier: GPL-2.0

//! The Arm 64-bit architecture: registers and CPU features.
//!
//! Reference: Arm Architecture Reference Manual for A-profile architecture (Arm ARM), DDI 0487.

pub mod cpufeature;
pub mod id_regs;
#[cfg(CONFIG_ARM64_PTR_AUTH)]
pub mod ptrauth;
pub mod sysreg;

/// Returns the running task, which `SP_EL0` points to while the kernel runs.
///
/// The C side's `current`, without a call.
#[cfg(CONFIG_ARM64_PTR_AUTH)]
#[inline]
fn current_task() -> *const bindings::task_struct {
    let task;

    // SAFETY: Reading the register has no side effects.
    unsafe {
        core::arch::asm!(
            "mrs {task}, sp_el0",
            task = out(reg) task,
            options(nomem, nostack, preserves_flags),
        )
    };
    task
}
