/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the selftests of this series have by another name, or not at all. It is included
 * before all else when they are built.
 */
#define kvm_gettid			gettid
#define kvm_random_state		guest_random_state
#define new_kvm_random_state		new_guest_random_state
#define kvm_random_u32			guest_random_u32
#define kvm_random_u64			guest_random_u64

/* The last of the vCPU features here. */
#define KVM_ARM_VCPU_PMU_V3_STRICT	KVM_ARM_VCPU_HAS_EL2_E2H0
