// SPDX-License-Identifier: GPL-2.0

//! The five pointer authentication keys.
//!
//! A key is 128 bits wide and sits in two 64-bit registers, lo and hi. All key registers belong to
//! EL1, and exist once per CPU: kernel, processes and guests take turns in them.
//!
//! Reference: Arm ARM, D8.10 "Pointer authentication", and the descriptions of the registers
//! `APIAKeyLo_EL1` to `APGAKeyHi_EL1` in D24.2.

use core::arch::asm;

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

/// Writes the accessors that go through all keys, from the list of their registers.
///
/// The names of the registers are those that assemblers know at any architecture level. Each key
/// is moved in a single assembly block, so that its halves share one `stp` or `ldp`.
macro_rules! key_registers {
    ($($key:ident: $lo:literal, $hi:literal;)+) => {
        impl Keys {
            /// Copies the CPU's key registers to `to`.
            ///
            /// This compiles to straight-line code without calls or use of the stack, whatever
            /// the configuration, so that a world switch can use it.
            ///
            /// # Safety
            ///
            /// - `to` must be valid for writes.
            /// - The CPU must have pointer authentication, and accesses to the keys must not be
            ///   trapped at the current exception level.
            #[inline(always)]
            pub unsafe fn save(to: *mut Self) {
                $(
                    // SAFETY: By the safety requirements the registers can be read, and the two
                    // words that are written lie in `*to`.
                    unsafe {
                        asm!(
                            concat!("mrs {lo}, ", $lo),
                            concat!("mrs {hi}, ", $hi),
                            "stp {lo}, {hi}, [{to}, #{offset}]",
                            lo = out(reg) _,
                            hi = out(reg) _,
                            to = in(reg) to,
                            offset = const core::mem::offset_of!(Keys, $key),
                            options(nostack, preserves_flags),
                        )
                    };
                )+
            }

            /// Copies the keys at `from` to the CPU's key registers.
            ///
            /// The new keys are sure to be used only after a context synchronization event, for
            /// instance an exception return. This compiles to code as plain as that of
            /// [`Keys::save`].
            ///
            /// # Safety
            ///
            /// - `from` must be valid for reads.
            /// - The CPU must have pointer authentication, and accesses to the keys must not be
            ///   trapped at the current exception level.
            /// - No pointer that was signed before may be authenticated after, unless the keys it
            ///   takes are the same or have been brought back by then. The compiler signs return
            ///   addresses with APIA: neither the caller nor its callers up to the place where the
            ///   previous keys come back may have a signed return address.
            #[inline(always)]
            pub unsafe fn install(from: *const Self) {
                $(
                    // SAFETY: By the safety requirements the registers can be written, and the
                    // two words that are read lie in `*from`.
                    unsafe {
                        asm!(
                            "ldp {lo}, {hi}, [{from}, #{offset}]",
                            concat!("msr ", $lo, ", {lo}"),
                            concat!("msr ", $hi, ", {hi}"),
                            lo = out(reg) _,
                            hi = out(reg) _,
                            from = in(reg) from,
                            offset = const core::mem::offset_of!(Keys, $key),
                            options(nostack, preserves_flags),
                        )
                    };
                )+
            }
        }
    };
}

key_registers! {
    apia: "S3_0_C2_C1_0", "S3_0_C2_C1_1";
    apib: "S3_0_C2_C1_2", "S3_0_C2_C1_3";
    apda: "S3_0_C2_C2_0", "S3_0_C2_C2_1";
    apdb: "S3_0_C2_C2_2", "S3_0_C2_C2_3";
    apga: "S3_0_C2_C3_0", "S3_0_C2_C3_1";
}

/// Makes writes to system registers visible to the instructions that follow.
#[inline(always)]
pub fn isb() {
    // SAFETY: A barrier is always allowed.
    unsafe { asm!("isb", options(nostack, preserves_flags)) };
}
