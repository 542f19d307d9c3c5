// SPDX-License-Identifier: GPL-2.0

//! How a VMM in Rust initialises a vCPU that has pointer authentication, if the host has it.
//!
//! `kvm_bindings` is what bindgen makes of `linux/kvm.h`.

use kvm_bindings::*;
use std::{
    ffi::{
        c_int,
        c_ulong, //
    },
    io,
    mem::size_of,
    os::fd::{
        AsRawFd,
        BorrowedFd, //
    },
};

extern "C" {
    fn ioctl(fd: c_int, request: c_ulong, ...) -> c_int;
}

const INIT_SIZE: c_ulong = size_of::<kvm_vcpu_init>() as c_ulong;
const KVM_CHECK_EXTENSION: c_ulong = (KVMIO << 8 | 0x03) as c_ulong;
const KVM_ARM_VCPU_INIT: c_ulong = 1 << 30 | INIT_SIZE << 16 | (KVMIO << 8 | 0xae) as c_ulong;
const KVM_ARM_PREFERRED_TARGET: c_ulong =
    2 << 30 | INIT_SIZE << 16 | (KVMIO << 8 | 0xaf) as c_ulong;

/// Both or none: `KVM_ARM_VCPU_INIT` does not take one without the other.
fn has_ptrauth(vm: BorrowedFd<'_>) -> bool {
    let supports = |cap| {
        // SAFETY: This takes a number and touches no memory.
        unsafe { ioctl(vm.as_raw_fd(), KVM_CHECK_EXTENSION, c_ulong::from(cap)) == 1 }
    };

    supports(KVM_CAP_ARM_PTRAUTH_ADDRESS) && supports(KVM_CAP_ARM_PTRAUTH_GENERIC)
}

pub fn init_vcpu(vm: BorrowedFd<'_>, vcpu: BorrowedFd<'_>) -> io::Result<()> {
    let mut init = kvm_vcpu_init::default();

    // SAFETY: `init` is what the kernel writes to.
    if unsafe { ioctl(vm.as_raw_fd(), KVM_ARM_PREFERRED_TARGET, &mut init) } < 0 {
        return Err(io::Error::last_os_error());
    }

    if has_ptrauth(vm) {
        init.features[0] |= 1 << KVM_ARM_VCPU_PTRAUTH_ADDRESS;
        init.features[0] |= 1 << KVM_ARM_VCPU_PTRAUTH_GENERIC;
    }

    // SAFETY: `init` is what the kernel reads.
    if unsafe { ioctl(vcpu.as_raw_fd(), KVM_ARM_VCPU_INIT, &init) } < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}
