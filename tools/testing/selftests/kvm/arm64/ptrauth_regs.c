// SPDX-License-Identifier: GPL-2.0-only
/*
 * ptrauth_regs - Test what user space finds in the registers of pointer
 * authentication, and what it may change.
 *
 * There are ten key registers, which exist exactly for vCPUs with the feature,
 * and six fields of two ID registers, which user space cannot change, be it one
 * by one or to what a host with another algorithm has.
 */
#include "kvm_util.h"
#include "processor.h"
#include "ptrauth.h"
#include "test_util.h"

#define SEED	0x9ac5eedUL

static const struct {
	const char *name;
	u64 id;
	unsigned int shift;
} fields[] = {
	{ "ID_AA64ISAR1_EL1.APA", KVM_ARM64_SYS_REG(SYS_ID_AA64ISAR1_EL1), 4 },
	{ "ID_AA64ISAR1_EL1.API", KVM_ARM64_SYS_REG(SYS_ID_AA64ISAR1_EL1), 8 },
	{ "ID_AA64ISAR1_EL1.GPA", KVM_ARM64_SYS_REG(SYS_ID_AA64ISAR1_EL1), 24 },
	{ "ID_AA64ISAR1_EL1.GPI", KVM_ARM64_SYS_REG(SYS_ID_AA64ISAR1_EL1), 28 },
	{ "ID_AA64ISAR2_EL1.GPA3", KVM_ARM64_SYS_REG(SYS_ID_AA64ISAR2_EL1), 8 },
	{ "ID_AA64ISAR2_EL1.APA3", KVM_ARM64_SYS_REG(SYS_ID_AA64ISAR2_EL1), 12 },
};

/* KVM_GET_ONE_REG gives ENOENT for what the vCPU does not have. */
static int get_error(struct kvm_vcpu *vcpu, u64 id, u64 *val)
{
	return __vcpu_get_reg(vcpu, id, val) ? errno : 0;
}

static int set_error(struct kvm_vcpu *vcpu, u64 id, u64 val)
{
	return __vcpu_set_reg(vcpu, id, val) ? errno : 0;
}

static bool is_listed(struct kvm_vcpu *vcpu, u64 id)
{
	struct kvm_reg_list *list = vcpu_get_reg_list(vcpu);
	bool found = false;
	u64 i;

	for (i = 0; i < list->n; i++)
		found |= list->reg[i] == id;
	free(list);

	return found;
}

static void test_keys(struct kvm_vcpu *vcpu, bool ptrauth)
{
	struct kvm_random_state rng = new_kvm_random_state(SEED);
	const char *with = ptrauth ? "with" : "without";
	struct ptrauth_keys keys;
	unsigned int half;
	bool ok = true;
	u64 id, val;

	ptrauth_random_keys(&rng, &keys);
	for (half = 0; half < PTRAUTH_NR_HALVES; half++)
		ok &= set_error(vcpu, ptrauth_half_id[half], keys.half[half]) ==
			(ptrauth ? 0 : ENOENT);
	ksft_test_result(ok, "%s the feature, setting a key %s\n", with,
			 ptrauth ? "works" : "is ENOENT");

	/* All are read only now, so that no two can be the same. */
	for (half = 0; half < PTRAUTH_NR_HALVES; half++) {
		id = ptrauth_half_id[half];
		ok &= get_error(vcpu, id, &val) == (ptrauth ? 0 : ENOENT);
		ok &= !ptrauth || val == keys.half[half];
		ok &= is_listed(vcpu, id) == ptrauth;
	}
	ksft_test_result(ok, "%s the feature, each half is %s\n", with,
			 ptrauth ? "listed, and what it was set to" : "neither listed nor there");
}

static void test_fields(struct kvm_vcpu *vcpu, bool ptrauth)
{
	const char *with = ptrauth ? "with" : "without";
	unsigned int i, value, nr_set = 0;
	bool fixed = true, shown = true;
	u64 before, now, field;

	for (i = 0; i < ARRAY_SIZE(fields); i++) {
		before = vcpu_get_reg(vcpu, fields[i].id);
		field = (before >> fields[i].shift) & 0xf;
		nr_set += !!field;
		shown &= ptrauth || !field;

		for (value = 0; value < 16; value++) {
			now = (before & ~(0xfUL << fields[i].shift)) |
			      (u64)value << fields[i].shift;
			if (set_error(vcpu, fields[i].id, now) ==
			    (value == field ? 0 : EINVAL))
				continue;
			ksft_print_msg("%s: setting 0x%lx to %u\n", fields[i].name, field,
				       value);
			fixed = false;
		}
		fixed &= vcpu_get_reg(vcpu, fields[i].id) == before;
	}

	/* One algorithm, for addresses and for generic data. */
	ksft_test_result(shown && nr_set == (ptrauth ? 2 : 0),
			 "%s the feature, %u fields of the ID registers are set\n", with,
			 nr_set);
	ksft_test_result(fixed, "%s the feature, no field can be changed\n", with);
}

/* The fields of an algorithm, for addresses and for generic data. */
static const struct {
	const char *name;
	u64 isar1;
	u64 isar2;
} algorithms[] = {
	{ "QARMA5", ID_AA64ISAR1_EL1_APA | ID_AA64ISAR1_EL1_GPA, 0 },
	{ "QARMA3", 0, ID_AA64ISAR2_EL1_APA3 | ID_AA64ISAR2_EL1_GPA3 },
	{ "IMPDEF", ID_AA64ISAR1_EL1_API | ID_AA64ISAR1_EL1_GPI, 0 },
};

#define ISAR1_FIELDS	(ID_AA64ISAR1_EL1_APA | ID_AA64ISAR1_EL1_GPA | \
			 ID_AA64ISAR1_EL1_API | ID_AA64ISAR1_EL1_GPI)
#define ISAR2_FIELDS	(ID_AA64ISAR2_EL1_APA3 | ID_AA64ISAR2_EL1_GPA3)

/* What a VMM does with the registers that come from a host of each algorithm. */
static void test_algorithms(struct kvm_vcpu *vcpu)
{
	const u64 isar1_id = KVM_ARM64_SYS_REG(SYS_ID_AA64ISAR1_EL1);
	const u64 isar2_id = KVM_ARM64_SYS_REG(SYS_ID_AA64ISAR2_EL1);
	const u64 isar1 = vcpu_get_reg(vcpu, isar1_id), isar2 = vcpu_get_reg(vcpu, isar2_id);
	unsigned int i, nr_own = 0;
	u64 other1, other2;
	bool ok = true;

	for (i = 0; i < ARRAY_SIZE(algorithms); i++) {
		if ((isar1 & algorithms[i].isar1) || (isar2 & algorithms[i].isar2)) {
			nr_own++;
			ok &= !set_error(vcpu, isar1_id, isar1);
			ok &= !set_error(vcpu, isar2_id, isar2);
			continue;
		}

		/* FPACCOMBINE, and that there is generic authentication. */
		other1 = (isar1 & ~ISAR1_FIELDS) | (algorithms[i].isar1 & 0x11000550UL);
		other2 = (isar2 & ~ISAR2_FIELDS) | (algorithms[i].isar2 & 0x5100UL);
		if (other1 != isar1)
			ok &= set_error(vcpu, isar1_id, other1) == EINVAL;
		if (other2 != isar2)
			ok &= set_error(vcpu, isar2_id, other2) == EINVAL;
		ok &= vcpu_get_reg(vcpu, isar1_id) == isar1;
		ok &= vcpu_get_reg(vcpu, isar2_id) == isar2;
		if (!ok)
			ksft_print_msg("the registers of %s\n", algorithms[i].name);
	}
	ksft_test_result(ok && nr_own == 1, "no algorithm can be set but the host's\n");
}

static void test(bool ptrauth)
{
	struct kvm_vcpu_init init;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;

	if (ptrauth && !kvm_has_ptrauth()) {
		ksft_test_result_skip("key registers need pointer authentication\n");
		ksft_test_result_skip("values of keys need pointer authentication\n");
		ksft_test_result_skip("fields that are set need pointer authentication\n");
		ksft_test_result_skip("fields that are fixed need pointer authentication\n");
		ksft_test_result_skip("algorithms need pointer authentication\n");
		return;
	}

	vm = vm_create(1);
	ptrauth_vcpu_init(vm, ptrauth, &init);
	vcpu = aarch64_vcpu_add(vm, 0, &init, NULL);
	kvm_arch_vm_finalize_vcpus(vm);

	test_keys(vcpu, ptrauth);
	test_fields(vcpu, ptrauth);
	if (ptrauth)
		test_algorithms(vcpu);
	kvm_vm_free(vm);
}

int main(void)
{
	ksft_print_header();
	ksft_set_plan(9);

	test(false);
	test(true);

	ksft_finished();
}
