// SPDX-License-Identifier: GPL-2.0

#include <linux/kvm_host.h>

#include <asm/kvm_emulate.h>
#include <asm/kvm_hyp.h>
#include <asm/kvm_nested.h>

DECLARE_KVM_NVHE_PER_CPU(struct kvm_cpu_context, kvm_hyp_ctxt);

__rust_helper bool rust_helper___vcpu_has_feature(const struct kvm_arch *arch, int feature)
{
	return __vcpu_has_feature(arch, feature);
}

__rust_helper u64 rust_helper___vcpu_sys_reg(const struct kvm_vcpu *vcpu, enum vcpu_sysreg reg)
{
	return __vcpu_sys_reg(vcpu, reg);
}

__rust_helper bool rust_helper_is_nested_ctxt(struct kvm_vcpu *vcpu)
{
	return is_nested_ctxt(vcpu);
}

__rust_helper bool rust_helper_vcpu_in_nested_transition(struct kvm_vcpu *vcpu)
{
	return vcpu_get_flag(vcpu, IN_NESTED_ERET) || vcpu_get_flag(vcpu, IN_NESTED_EXCEPTION);
}

__rust_helper bool rust_helper_vcpu_sysregs_on_cpu(struct kvm_vcpu *vcpu)
{
	return vcpu_get_flag(vcpu, SYSREGS_ON_CPU);
}

__rust_helper bool rust_helper_vcpu_el2_e2h_is_set(const struct kvm_vcpu *vcpu)
{
	return vcpu_el2_e2h_is_set(vcpu);
}

__rust_helper u64 rust_helper_kvm_read_vm_id_reg(struct kvm *kvm, u32 reg)
{
	return kvm_read_vm_id_reg(kvm, reg);
}

__rust_helper bool rust_helper_vcpu_ptrauth_keys_on_cpu(struct kvm_vcpu *vcpu)
{
	return vcpu_get_flag(vcpu, PTRAUTH_KEYS_ON_CPU);
}

__rust_helper void rust_helper_vcpu_set_ptrauth_keys_on_cpu(struct kvm_vcpu *vcpu, bool on_cpu)
{
	if (on_cpu)
		vcpu_set_flag(vcpu, PTRAUTH_KEYS_ON_CPU);
	else
		vcpu_clear_flag(vcpu, PTRAUTH_KEYS_ON_CPU);
}

__rust_helper bool rust_helper_is_protected_kvm_enabled(void)
{
	return is_protected_kvm_enabled();
}

__rust_helper struct kvm_cpu_context *rust_helper_this_cpu_hyp_ctxt(void)
{
	return this_cpu_ptr_hyp_sym(kvm_hyp_ctxt);
}

__rust_helper void rust_helper_kvm_info(const char *msg)
{
	kvm_info("%s\n", msg);
}
