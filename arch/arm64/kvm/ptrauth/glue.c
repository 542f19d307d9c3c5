// SPDX-License-Identifier: GPL-2.0
/*
 * What Rust needs in C, because bindgen cannot translate macros and inline functions of
 * KVM. rust/helpers/ would export these functions to modules.
 */

#include <linux/init.h>
#include <linux/kvm_host.h>

#include <asm/kvm_emulate.h>
#include <asm/kvm_hyp.h>
#include <asm/kvm_nested.h>
#include <asm/kvm_ptrauth.h>

DECLARE_KVM_NVHE_PER_CPU(struct kvm_cpu_context, kvm_hyp_ctxt);

bool kvm_ptrauth_vcpu_has(const struct kvm_vcpu *vcpu)
{
	return vcpu_has_ptrauth(vcpu);
}

bool kvm_ptrauth_is_nested_ctxt(struct kvm_vcpu *vcpu)
{
	return is_nested_ctxt(vcpu);
}

u64 kvm_ptrauth_l1_hcr_el2(const struct kvm_vcpu *vcpu)
{
	return __vcpu_sys_reg(vcpu, HCR_EL2);
}

bool kvm_ptrauth_el2_e2h_is_set(const struct kvm_vcpu *vcpu)
{
	return vcpu_el2_e2h_is_set(vcpu);
}

u64 kvm_ptrauth_vm_id_reg(const struct kvm_vcpu *vcpu, u32 reg)
{
	return kvm_read_vm_id_reg(vcpu->kvm, reg);
}

struct kvm_cpu_context *kvm_ptrauth_hyp_ctxt(void)
{
	return this_cpu_ptr_hyp_sym(kvm_hyp_ctxt);
}

early_param("kvm-arm.ptrauth_caps", kvm_ptrauth_parse_caps);
