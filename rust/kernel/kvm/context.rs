// SPDX-License-Identifier: GPL-2.0

//! The memory in which a world switch keeps the registers of the side that is not running.

use crate::{
    arm64::ptrauth::Keys,
    prelude::*,
    types::Opaque, //
};
use core::mem::{
    offset_of,
    size_of, //
};

/// Where the key registers begin in a context.
const KEYS: usize = offset_of!(bindings::kvm_cpu_context, sys_regs)
    + bindings::vcpu_sysreg_APIAKEYLO_EL1 as usize * size_of::<u64>();

/// Checks that a register's slot in the context is where [`Keys`] has it.
macro_rules! assert_slot {
    ($slot:ident, $key:ident, $half:ident) => {
        static_assert!(
            (bindings::$slot - bindings::vcpu_sysreg_APIAKEYLO_EL1) as usize * size_of::<u64>()
                == offset_of!(Keys, $key.$half)
        );
    };
}

assert_slot!(vcpu_sysreg_APIAKEYLO_EL1, apia, lo);
assert_slot!(vcpu_sysreg_APIAKEYHI_EL1, apia, hi);
assert_slot!(vcpu_sysreg_APIBKEYLO_EL1, apib, lo);
assert_slot!(vcpu_sysreg_APIBKEYHI_EL1, apib, hi);
assert_slot!(vcpu_sysreg_APDAKEYLO_EL1, apda, lo);
assert_slot!(vcpu_sysreg_APDAKEYHI_EL1, apda, hi);
assert_slot!(vcpu_sysreg_APDBKEYLO_EL1, apdb, lo);
assert_slot!(vcpu_sysreg_APDBKEYHI_EL1, apdb, hi);
assert_slot!(vcpu_sysreg_APGAKEYLO_EL1, apga, lo);
assert_slot!(vcpu_sysreg_APGAKEYHI_EL1, apga, hi);

/// Wraps the kernel's `struct kvm_cpu_context`, of a guest or of hyp.
#[repr(transparent)]
pub struct CpuContext(Opaque<bindings::kvm_cpu_context>);

impl CpuContext {
    /// Returns the keys that the context at `this` holds.
    ///
    /// The result is valid wherever `this` is. Nothing is dereferenced, and there is no check that
    /// some configuration could turn into a call, so that a world switch can use this.
    #[inline(always)]
    pub const fn keys(this: *mut bindings::kvm_cpu_context) -> *mut Keys {
        this.wrapping_byte_add(KEYS).cast()
    }
}
