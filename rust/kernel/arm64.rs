// SPDX-License-Identifier: GPL-2.0

//! The Arm 64-bit architecture: registers and CPU features.
//!
//! Reference: Arm Architecture Reference Manual for A-profile architecture (Arm ARM), DDI 0487.

pub mod cpufeature;
pub mod id_regs;
#[cfg(CONFIG_ARM64_PTR_AUTH)]
pub mod ptrauth;
pub mod sysreg;
