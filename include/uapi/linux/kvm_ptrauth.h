/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Draft numbers of KVM/arm64's pointer authentication capabilities.
 *
 * The tenth posting of the series that brought pointer authentication to guests in
 * 2019 numbered its two capabilities 169 and 170. The merge gave these numbers to
 * KVM_CAP_PPC_IRQ_XIVE and KVM_CAP_ARM_SVE. So the released
 * KVM_CAP_ARM_PTRAUTH_ADDRESS and KVM_CAP_ARM_PTRAUTH_GENERIC are 171 and 172.
 *
 * A kernel with CONFIG_KVM_ARM64_PTRAUTH_RUST that is booted with
 * kvm-arm.ptrauth_caps=v10 also serves VMMs that were written against the draft:
 * KVM_CHECK_EXTENSION gives the draft's answer for the draft's numbers. They then
 * lose the meaning that linux/kvm.h gives them. The released numbers always answer.
 */
#ifndef _UAPI_LINUX_KVM_PTRAUTH_H
#define _UAPI_LINUX_KVM_PTRAUTH_H

#define KVM_CAP_ARM_PTRAUTH_ADDRESS_V10	169
#define KVM_CAP_ARM_PTRAUTH_GENERIC_V10	170

#endif /* _UAPI_LINUX_KVM_PTRAUTH_H */
