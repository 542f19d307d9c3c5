// SPDX-License-Identifier: GPL-2.0

//! How a VMM in Rust gives a vCPU pointer authentication, if the host has it.
//!
//! It uses the crates kvm-bindings and kvm-ioctls.

use kvm_bindings::{
    kvm_vcpu_init,
    KVM_ARM_VCPU_PTRAUTH_ADDRESS,
    KVM_ARM_VCPU_PTRAUTH_GENERIC, //
};
use kvm_ioctls::{
    Cap,
    Error,
    Kvm,
    VcpuFd,
    VmFd, //
};

/// Both or none: `KVM_ARM_VCPU_INIT` does not take one without the other.
fn has_ptrauth(vm: &VmFd) -> bool {
    vm.check_extension(Cap::ArmPtrAuthAddress) && vm.check_extension(Cap::ArmPtrAuthGeneric)
}

fn init_vcpu(vm: &VmFd, vcpu: &VcpuFd) -> Result<(), Error> {
    let mut init = kvm_vcpu_init::default();

    vm.get_preferred_target(&mut init)?;
    if has_ptrauth(vm) {
        init.features[0] |= 1 << KVM_ARM_VCPU_PTRAUTH_ADDRESS;
        init.features[0] |= 1 << KVM_ARM_VCPU_PTRAUTH_GENERIC;
    }
    vcpu.vcpu_init(&init)
}

pub fn make_vcpu(kvm: &Kvm) -> Result<(VmFd, VcpuFd), Error> {
    let vm = kvm.create_vm()?;
    let vcpu = vm.create_vcpu(0)?;

    init_vcpu(&vm, &vcpu)?;
    Ok((vm, vcpu))
}
