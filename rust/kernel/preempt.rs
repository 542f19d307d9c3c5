// SPDX-License-Identifier: GPL-2.0

//! Preemption.
//!
//! C header: [`include/linux/preempt.h`](srctree/include/linux/preempt.h)
//!
//! Reference: <https://docs.kernel.org/locking/preempt-locking.html>

use crate::types::NotThreadSafe;

/// Keeps the calling task on its CPU, with no other task in between, for as long as the value
/// lives. Interrupts are still taken.
///
/// # Invariants
///
/// Preemption has been disabled once for this value, by the task that drops it.
#[must_use = "preemption is enabled again when the value is dropped"]
pub struct Disabled(NotThreadSafe);

/// Disables preemption until the returned value is dropped.
///
/// May be called from any context, also where preemption is disabled already. The caller must not
/// sleep as long as it has the value.
#[inline]
pub fn disable() -> Disabled {
    // SAFETY: Preemption can be disabled everywhere, any number of times.
    unsafe { bindings::preempt_disable() };
    // INVARIANT: It has just been disabled, and the value cannot go to another task.
    Disabled(NotThreadSafe)
}

impl Drop for Disabled {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: By the type's invariants this matches a call of `preempt_disable()`.
        unsafe { bindings::preempt_enable() };
    }
}
