// SPDX-License-Identifier: GPL-2.0

//! Pointer authentication (FEAT_PAuth) for KVM guests.
//!
//! KVM's C code calls these functions wherever pointer authentication makes a difference. Each is
//! in the file of its subject:
//!
//! - [`support`]: whether guests can have it, by which algorithm and at what level, or why not;
//! - [`features`]: the pair of vCPU features, the ID register fields, and trapped instructions;
//! - [`switch`]: load and put of a vCPU, and whose keys the CPU holds;
//! - [`eretax`]: `ERETAA` and `ERETAB` of a guest hypervisor;
//! - [`status`]: the line at boot, and `kvm/ptrauth` in debugfs;
//! - [`capability`]: the draft's capability numbers;
//! - [`vcpu`]: access to `struct kvm_vcpu`;
//! - `watch`: checks of whose keys the CPU holds, for debugging.
//!
//! The world switch itself calls `hyp/vhe/ptrauth_switch.rs`, for the one key that the kernel uses.
//!
//! C header: [`arch/arm64/include/asm/kvm_ptrauth.h`](srctree/arch/arm64/include/asm/kvm_ptrauth.h)
//!
//! Reference: Arm ARM, "Pointer authentication".

mod capability;
mod eretax;
mod features;
mod status;
mod support;
mod switch;
mod vcpu;
#[cfg(CONFIG_KVM_ARM64_PTRAUTH_DEBUG)]
mod watch;

const __LOG_PREFIX: &[u8] = b"kvm\0";
