/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Draft numbers of KVM/arm64's pointer authentication capabilities.
 *
 * The series that brought pointer authentication to guests in 2019 numbered its
 * two capabilities 169 and 170 up to its tenth posting. By the time it was
 * merged those numbers had gone to KVM_CAP_PPC_IRQ_XIVE and KVM_CAP_ARM_SVE, and
 * the released KVM_CAP_ARM_PTRAUTH_ADDRESS and KVM_CAP_ARM_PTRAUTH_GENERIC became
 * 171 and 172.
 *
 * A VMM written against the draft can still be served: booted with
 * kvm-arm.ptrauth_caps=v10, KVM_CHECK_EXTENSION answers the draft's question for
 * the draft's numbers. They then no longer mean what linux/kvm.h says of them;
 * the released numbers answer as ever.
 */
#ifndef _UAPI_LINUX_KVM_PTRAUTH_H
#define _UAPI_LINUX_KVM_PTRAUTH_H

#define KVM_CAP_ARM_PTRAUTH_ADDRESS_V10	169
#define KVM_CAP_ARM_PTRAUTH_GENERIC_V10	170

#endif /* _UAPI_LINUX_KVM_PTRAUTH_H */
