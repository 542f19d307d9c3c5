// SPDX-License-Identifier: GPL-2.0

//! Preemption.
//!
//! C header: [`include/linux/preempt.h`](srctree/include/linux/preempt.h)
//!
//! Reference: <https://docs.kernel.org/locking/preempt-locking.html>

use crate::types::NotThreadSafe;

/// Proof that the calling task stays on its CPU, and that no other task runs there, for as long as
/// the value lives. Interrupts still happen.
///
/// # Invariants
///
/// Preemption is disabled wherever code can use a value of this type, or a reference to one.
#[must_use = "preemption is enabled again when the value is dropped"]
pub struct Disabled(NotThreadSafe);

/// Disables preemption until the returned value is dropped.
///
/// May be called from any context, also if preemption is disabled already. The caller must not
/// sleep while it has the value.
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
        // SAFETY: Only `disable()` makes values that are dropped, so this matches its call of
        // `preempt_disable()`.
        unsafe { bindings::preempt_enable() };
    }
}

impl Disabled {
    /// Assumes that preemption is disabled, in code that always runs that way. Lockdep checks it.
    ///
    /// # Safety
    ///
    /// Preemption must be disabled for the whole of `'a`.
    #[inline]
    pub unsafe fn assume<'a>() -> &'a Self {
        // INVARIANT: Holds by the safety requirements of this function. It is never dropped.
        const ASSUMED: &Disabled = &Disabled(NotThreadSafe);

        if cfg!(CONFIG_PROVE_LOCKING) {
            // SAFETY: This only looks at the state of the task.
            unsafe { bindings::lockdep_assert_preemption_disabled() };
        }
        ASSUMED
    }
}
