// SPDX-License-Identifier: GPL-2.0

//! The five pointer authentication keys.
//!
//! A key is 128 bits wide and sits in two 64-bit registers, lo and hi. All key registers belong to
//! EL1, and exist once per CPU: kernel, processes and guests take turns in them.
//!
//! The kernel signs its own return addresses with APIA if `CONFIG_ARM64_PTR_AUTH_KERNEL` is set,
//! and uses no other key. So it switches APIA whenever it is entered and left, and the keys that
//! it leaves idle only when tasks are switched: between two switches, the CPU holds those of
//! `current`'s user side, unless a vCPU has brought its guest's.
//!
//! C header: [`asm/pointer_auth.h`](srctree/arch/arm64/include/asm/pointer_auth.h)
//!
//! Reference: Arm ARM, D8.10 "Pointer authentication", and the descriptions of the registers
//! `APIAKeyLo_EL1` to `APGAKeyHi_EL1` in D24.2.

use crate::prelude::*;
use core::{
    arch::asm,
    mem::offset_of, //
};

/// One key.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub struct Key {
    /// Bits 63:0.
    pub lo: u64,
    /// Bits 127:64.
    pub hi: u64,
}

/// A set of all five keys, laid out as KVM and the architecture order them.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub struct Keys {
    /// Key A for instruction addresses. The kernel signs return addresses with it.
    pub apia: Key,
    /// Key B for instruction addresses.
    pub apib: Key,
    /// Key A for data addresses.
    pub apda: Key,
    /// Key B for data addresses.
    pub apdb: Key,
    /// The key for generic data.
    pub apga: Key,
}

/// Names one of the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyId {
    /// Key A for instruction addresses.
    Apia,
    /// Key B for instruction addresses.
    Apib,
    /// Key A for data addresses.
    Apda,
    /// Key B for data addresses.
    Apdb,
    /// The key for generic data.
    Apga,
}

/// Whether the kernel signs its own return addresses, with APIA.
pub const KERNEL_USES_APIA: bool = cfg!(CONFIG_ARM64_PTR_AUTH_KERNEL);

impl KeyId {
    /// Whether the kernel has no use for the key while it runs itself.
    pub const fn is_idle(self) -> bool {
        !(KERNEL_USES_APIA && matches!(self, Self::Apia))
    }
}

/// Writes the accessors of the key registers, from the list of the registers.
///
/// The names of the registers are those that assemblers know at any architecture level. Each key
/// is moved in a single assembly block, so that its halves share one `stp` or `ldp`.
macro_rules! key_registers {
    ($($save:ident, $install:ident: {
        $($id:ident, $key:ident: $lo:literal, $hi:literal;)+
    })+) => {
        impl KeyId {
            /// Reads the key from the CPU's registers.
            ///
            /// # Safety
            ///
            /// The CPU must have pointer authentication, and accesses to the keys must not be
            /// trapped at the current exception level.
            pub unsafe fn read(self) -> Key {
                let lo;
                let hi;

                match self {
                    $($(
                        // SAFETY: By the safety requirements the registers can be read.
                        Self::$id => unsafe {
                            asm!(
                                concat!("mrs {lo}, ", $lo),
                                concat!("mrs {hi}, ", $hi),
                                lo = out(reg) lo,
                                hi = out(reg) hi,
                                options(nomem, nostack, preserves_flags),
                            )
                        },
                    )+)+
                }
                Key { lo, hi }
            }

            /// The key's place in a set.
            pub const fn of(self, keys: &Keys) -> Key {
                match self {
                    $($( Self::$id => keys.$key, )+)+
                }
            }
        }

        impl Keys {
            $(
                /// Copies these keys from the CPU's registers to `to`.
                ///
                /// This compiles to straight-line code without calls or use of the stack,
                /// whatever the configuration, so that a world switch can use it.
                ///
                /// # Safety
                ///
                /// - `to` must be valid for writes.
                /// - The CPU must have pointer authentication, and accesses to the keys must not
                ///   be trapped at the current exception level.
                #[inline(always)]
                pub unsafe fn $save(to: *mut Self) {
                    $(
                        // SAFETY: By the safety requirements the registers can be read, and the
                        // two words that are written lie in `*to`.
                        unsafe {
                            asm!(
                                concat!("mrs {lo}, ", $lo),
                                concat!("mrs {hi}, ", $hi),
                                "stp {lo}, {hi}, [{to}, #{offset}]",
                                lo = out(reg) _,
                                hi = out(reg) _,
                                to = in(reg) to,
                                offset = const offset_of!(Keys, $key),
                                options(nostack, preserves_flags),
                            )
                        };
                    )+
                }

                /// Copies these keys from `from` to the CPU's registers.
                ///
                /// The new keys are sure to be used only after a context synchronization event,
                /// for instance an exception return. This compiles to code as plain as that of
                /// the counterpart.
                ///
                /// # Safety
                ///
                /// - `from` must be valid for reads.
                /// - The CPU must have pointer authentication, and accesses to the keys must not
                ///   be trapped at the current exception level.
                /// - No pointer that was signed with one of these keys before may be
                ///   authenticated after, unless the keys are the same or have been brought back
                ///   by then. With [`KERNEL_USES_APIA`], the compiler signs return addresses with
                ///   APIA: neither the caller nor its callers up to the place where the previous
                ///   key comes back may have a signed return address.
                #[inline(always)]
                pub unsafe fn $install(from: *const Self) {
                    $(
                        // SAFETY: By the safety requirements the registers can be written, and
                        // the two words that are read lie in `*from`.
                        unsafe {
                            asm!(
                                "ldp {lo}, {hi}, [{from}, #{offset}]",
                                concat!("msr ", $lo, ", {lo}"),
                                concat!("msr ", $hi, ", {hi}"),
                                lo = out(reg) _,
                                hi = out(reg) _,
                                from = in(reg) from,
                                offset = const offset_of!(Keys, $key),
                                options(nostack, preserves_flags),
                            )
                        };
                    )+
                }
            )+
        }
    };
}

key_registers! {
    save_apia, install_apia: {
        Apia, apia: "S3_0_C2_C1_0", "S3_0_C2_C1_1";
    }
    save_all_but_apia, install_all_but_apia: {
        Apib, apib: "S3_0_C2_C1_2", "S3_0_C2_C1_3";
        Apda, apda: "S3_0_C2_C2_0", "S3_0_C2_C2_1";
        Apdb, apdb: "S3_0_C2_C2_2", "S3_0_C2_C2_3";
        Apga, apga: "S3_0_C2_C3_0", "S3_0_C2_C3_1";
    }
}

/// Checks that a key of a task's user side is where [`Keys`] has it.
macro_rules! assert_user_key {
    ($key:ident) => {
        static_assert!(
            offset_of!(bindings::ptrauth_keys_user, $key) == offset_of!(Keys, $key)
                && offset_of!(bindings::ptrauth_key, lo) == offset_of!(Key, lo)
                && offset_of!(bindings::ptrauth_key, hi) == offset_of!(Key, hi)
        );
    };
}

assert_user_key!(apia);
assert_user_key!(apib);
assert_user_key!(apda);
assert_user_key!(apdb);
assert_user_key!(apga);

impl Keys {
    /// Copies all keys from the CPU's registers to `to`.
    ///
    /// # Safety
    ///
    /// As for [`Keys::save_apia`].
    #[inline(always)]
    pub unsafe fn save(to: *mut Self) {
        // SAFETY: By the safety requirements, which are those of both.
        unsafe {
            Self::save_apia(to);
            Self::save_all_but_apia(to);
        }
    }

    /// Copies the keys that the kernel leaves idle from the CPU's registers to `to`.
    ///
    /// # Safety
    ///
    /// As for [`Keys::save_apia`]. The caller must not be preemptible, or else they may be those of
    /// several CPUs.
    pub unsafe fn save_idle(to: *mut Self) {
        if KeyId::Apia.is_idle() {
            // SAFETY: By the safety requirements.
            unsafe { Self::save_apia(to) };
        }
        // SAFETY: By the safety requirements.
        unsafe { Self::save_all_but_apia(to) };
    }

    /// Copies the keys that the kernel leaves idle from `from` to the CPU's registers.
    ///
    /// # Safety
    ///
    /// - `from` must be valid for reads.
    /// - The CPU must have pointer authentication, and accesses to the keys must not be trapped at
    ///   the current exception level.
    /// - The caller must not be preemptible, and `current`'s keys must be back before it is, or
    ///   before user space runs.
    pub unsafe fn install_idle(from: *const Self) {
        if KeyId::Apia.is_idle() {
            // SAFETY: By the safety requirements; the kernel signs nothing with APIA.
            unsafe { Self::install_apia(from) };
        }
        // SAFETY: By the safety requirements; the kernel signs nothing with any of these.
        unsafe { Self::install_all_but_apia(from) };
    }

    /// The keys that `current` uses in user space.
    ///
    /// As long as no vCPU is loaded, the CPU holds the idle ones of these: nobody but the task
    /// itself changes the keys of a running task.
    pub fn of_current_user() -> *const Self {
        // SAFETY: `current` is valid as long as its code runs.
        unsafe { bindings::current_ptrauth_keys_user() }.cast()
    }

    /// Copies the key that the kernel uses itself on behalf of `current`, if any, to `to`.
    ///
    /// # Safety
    ///
    /// `to` must be valid for writes.
    pub unsafe fn copy_current_kernel(to: *mut Self) {
        #[cfg(CONFIG_ARM64_PTR_AUTH_KERNEL)]
        {
            // SAFETY: `current` is valid as long as its code runs, and the key never changes.
            let key = unsafe { *bindings::current_ptrauth_key_kernel() };

            // SAFETY: By the safety requirements.
            unsafe {
                (*to).apia = Key {
                    lo: key.lo as u64,
                    hi: key.hi as u64,
                }
            };
        }
        #[cfg(not(CONFIG_ARM64_PTR_AUTH_KERNEL))]
        let _ = to;
    }
}

/// The code for `value` and `modifier` that `PACGA` computes with `key`, in the upper 32 bits.
///
/// APGA is what it was before.
///
/// # Safety
///
/// - The CPU must have pointer authentication, and accesses to the keys must not be trapped at the
///   current exception level.
/// - The caller must not be preemptible, so that nobody else meets `key` in the place of APGA.
pub unsafe fn pacga_with(key: Key, value: u64, modifier: u64) -> u64 {
    let code;

    // SAFETY: By the safety requirements the registers can be accessed. Nothing else of the kernel
    // uses the key that is replaced for a moment.
    unsafe {
        asm!(
            ".arch_extension pauth",
            "mrs {saved_lo}, S3_0_C2_C3_0",
            "mrs {saved_hi}, S3_0_C2_C3_1",
            "msr S3_0_C2_C3_0, {lo}",
            "msr S3_0_C2_C3_1, {hi}",
            "isb",
            "pacga {code}, {value}, {modifier}",
            "msr S3_0_C2_C3_0, {saved_lo}",
            "msr S3_0_C2_C3_1, {saved_hi}",
            "isb",
            saved_lo = out(reg) _,
            saved_hi = out(reg) _,
            lo = in(reg) key.lo,
            hi = in(reg) key.hi,
            code = out(reg) code,
            value = in(reg) value,
            modifier = in(reg) modifier,
            options(nostack, preserves_flags),
        )
    };
    code
}

/// Makes writes to system registers visible to the instructions that follow.
#[inline(always)]
pub fn isb() {
    // SAFETY: A barrier is always allowed.
    unsafe { asm!("isb", options(nostack, preserves_flags)) };
}

#[cfg(CONFIG_RUST_ARM64_KUNIT_TEST)]
#[macros::kunit_tests(rust_arm64_ptrauth)]
mod tests {
    use super::*;
    use crate::{
        arm64::cpufeature,
        preempt, //
    };

    const IDS: [KeyId; 5] = [
        KeyId::Apia,
        KeyId::Apib,
        KeyId::Apda,
        KeyId::Apdb,
        KeyId::Apga,
    ];

    #[test]
    fn the_kernel_uses_no_key_but_apia() {
        for id in IDS {
            assert_eq!(id.is_idle(), !KERNEL_USES_APIA || id != KeyId::Apia);
        }
    }

    /// The claim on which everything rests that does not read the host's keys back.
    #[test]
    fn the_cpu_holds_the_keys_of_current() {
        if !cpufeature::supports_address_auth() || !cpufeature::supports_generic_auth() {
            return;
        }

        let stay = preempt::disable();
        // SAFETY: Nobody writes to the keys of a task that runs.
        let user = unsafe { *Keys::of_current_user() };
        let mut kernel = user;
        // SAFETY: `kernel` can be written.
        unsafe { Keys::copy_current_kernel(&mut kernel) };
        // SAFETY: All CPUs have both kinds of authentication.
        let on_cpu = IDS.map(|id| unsafe { id.read() });
        drop(stay);

        for (id, key) in IDS.into_iter().zip(on_cpu) {
            if id.is_idle() && id != KeyId::Apia {
                assert!(key == id.of(&user));
            } else if !id.is_idle() {
                assert!(key == id.of(&kernel));
            }
        }
    }
}
