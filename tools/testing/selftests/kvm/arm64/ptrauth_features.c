// SPDX-License-Identifier: GPL-2.0-only
/*
 * ptrauth_features - Test how KVM_ARM_VCPU_INIT treats the two pointer
 * authentication flags, and what a reset does to a vCPU that has them.
 *
 * The flags come as a pair or not at all, and only if KVM has the capability. A
 * request that KVM refuses must not leave a trace: neither on a vCPU that has been
 * initialised before, nor on one that has not, nor on its VM.
 *
 * All except the second life of a vCPU is also tested on machines without pointer
 * authentication, where KVM must refuse the flags.
 */
#include <linux/psci.h>

#include <asm/cputype.h>

#include "kvm_util.h"
#include "processor.h"
#include "ptrauth.h"
#include "test_util.h"

#define ADDRESS		BIT(KVM_ARM_VCPU_PTRAUTH_ADDRESS)
#define GENERIC		BIT(KVM_ARM_VCPU_PTRAUTH_GENERIC)
#define POWER_OFF	BIT(KVM_ARM_VCPU_POWER_OFF)

/* The first bit of features[0] to which the interface gives no meaning. */
#define FIRST_UNKNOWN_BIT	(KVM_ARM_VCPU_PMU_V3_STRICT + 1)

/* A target that no CPU has, which KVM_ARM_VCPU_INIT refuses. */
#define BAD_TARGET		(~0U)

#define FEATURE_WORDS	(sizeof(((struct kvm_vcpu_init *)0)->features) / sizeof(u32))

static const struct {
	u32 flags;
	const char *name;
} pairs[] = {
	{ 0, "neither flag" },
	{ ADDRESS, "the address flag alone" },
	{ GENERIC, "the generic flag alone" },
	{ PTRAUTH_FEATURES, "both flags" },
};

/* Whether this machine has the capability, i.e. takes the two flags. */
static bool has_cap;

/* What KVM_ARM_VCPU_INIT has to answer to @flags on a fresh vCPU. */
static int verdict(u32 flags)
{
	if (!(flags & PTRAUTH_FEATURES))
		return 0;

	return has_cap && (flags & PTRAUTH_FEATURES) == PTRAUTH_FEATURES ?
	       0 : EINVAL;
}

/* Returns zero or the error number, as all helpers here do. */
static int do_init(struct kvm_vcpu *vcpu, u32 target,
		   const u32 features[FEATURE_WORDS])
{
	struct kvm_vcpu_init init = { .target = target };

	memcpy(init.features, features, sizeof(init.features));
	return __vcpu_ioctl(vcpu, KVM_ARM_VCPU_INIT, &init) ? errno : 0;
}

static u32 preferred_target(struct kvm_vcpu *vcpu)
{
	struct kvm_vcpu_init init = {};

	vm_ioctl(vcpu->vm, KVM_ARM_PREFERRED_TARGET, &init);
	return init.target;
}

static int init_vcpu(struct kvm_vcpu *vcpu, u32 flags)
{
	u32 features[FEATURE_WORDS] = { flags };

	return do_init(vcpu, preferred_target(vcpu), features);
}

static int init_fresh_vcpu(u32 flags)
{
	struct kvm_vm *vm = vm_create_barebones();
	int err = init_vcpu(__vm_vcpu_add(vm, 0), flags);

	kvm_vm_free(vm);
	return err;
}

static int get_mp_state(struct kvm_vcpu *vcpu)
{
	struct kvm_mp_state mp_state;

	vcpu_mp_state_get(vcpu, &mp_state);
	return mp_state.mp_state;
}

/* Note a condition that does not hold, and let the caller go on and clean up. */
#define check(cond, fmt, ...)						\
({									\
	bool __ok = (cond);						\
									\
	if (!__ok)							\
		ksft_print_msg("line %d: !(%s): " fmt "\n", __LINE__,	\
			       #cond, ##__VA_ARGS__);			\
	__ok;								\
})

#define check_err(got, want)						\
({									\
	int __got = (got), __want = (want);				\
									\
	check(__got == __want, "error %d (%s) from %s, expected %d",	\
	      __got, strerror(__got), #got, __want);			\
})

/*
 * Everything user space can see of a vCPU: each register KVM lists, and
 * whether the vCPU runs.
 */
struct vcpu_dump {
	struct kvm_reg_list *list;
	u8 (*val)[256];
	int mp_state;
};

static struct vcpu_dump *dump_vcpu(struct kvm_vcpu *vcpu)
{
	struct vcpu_dump *dump = calloc(1, sizeof(*dump));
	u64 i;

	TEST_ASSERT(dump, "Out of memory");
	dump->list = vcpu_get_reg_list(vcpu);
	dump->val = calloc(dump->list->n, sizeof(*dump->val));
	TEST_ASSERT(dump->val, "Out of memory");
	dump->mp_state = get_mp_state(vcpu);

	for (i = 0; i < dump->list->n; i++) {
		TEST_ASSERT(KVM_REG_SIZE(dump->list->reg[i]) <= sizeof(*dump->val),
			    "Register 0x%llx too big", dump->list->reg[i]);
		TEST_ASSERT(!__vcpu_get_reg(vcpu, dump->list->reg[i], dump->val[i]),
			    "Cannot read register 0x%llx", dump->list->reg[i]);
	}

	return dump;
}

static void free_dump(struct vcpu_dump *dump)
{
	free(dump->list);
	free(dump->val);
	free(dump);
}

/* The counters always run. */
static bool is_counter(u64 id)
{
	return id == KVM_REG_ARM_TIMER_CNT || id == KVM_REG_ARM_PTIMER_CNT;
}

/* Returns the number of differences, and prints the first few if asked to. */
static unsigned int count_changes(const struct vcpu_dump *a,
				  const struct vcpu_dump *b, bool print)
{
	unsigned int nr = 0;
	u64 i, va, vb;

	if (a->list->n != b->list->n) {
		ksft_print_msg("%llu registers became %llu\n", a->list->n,
			       b->list->n);
		return 1;
	}

	if (a->mp_state != b->mp_state) {
		nr++;
		if (print)
			ksft_print_msg("mp_state %d became %d\n", a->mp_state,
				       b->mp_state);
	}

	for (i = 0; i < a->list->n; i++) {
		if (is_counter(a->list->reg[i]))
			continue;
		if (a->list->reg[i] == b->list->reg[i] &&
		    !memcmp(a->val[i], b->val[i], sizeof(a->val[i])))
			continue;
		if (nr++ >= 4 || !print)
			continue;

		memcpy(&va, a->val[i], sizeof(va));
		memcpy(&vb, b->val[i], sizeof(vb));
		ksft_print_msg("register 0x%llx: 0x%lx became 0x%lx\n",
			       a->list->reg[i], va, vb);
	}

	return nr;
}

static u64 dirt(unsigned int i)
{
	return 0xd1d1d1d100000000UL + i;
}

/*
 * Move the vCPU away from its reset state. SP_EL1 and ELR_EL1 are not among the
 * registers because KVM leaves them alone at a reset.
 */
#define NR_SOILED	35

static void soil_vcpu(struct kvm_vcpu *vcpu, u32 flags)
{
	struct kvm_mp_state stopped = { .mp_state = KVM_MP_STATE_STOPPED };
	unsigned int i;

	for (i = 0; i < 31; i++)
		vcpu_set_reg(vcpu, ARM64_CORE_REG(regs.regs[i]), dirt(i));
	vcpu_set_reg(vcpu, ARM64_CORE_REG(regs.sp), dirt(31));
	vcpu_set_reg(vcpu, ARM64_CORE_REG(regs.pc), dirt(32));
	vcpu_set_reg(vcpu, KVM_ARM64_SYS_REG(SYS_TPIDR_EL1), dirt(33));
	vcpu_set_reg(vcpu, KVM_ARM64_SYS_REG(SYS_VBAR_EL1), dirt(34));

	if (flags & PTRAUTH_FEATURES)
		for (i = 0; i < PTRAUTH_NR_HALVES; i++)
			vcpu_set_reg(vcpu, ptrauth_half_id[i], dirt(40 + i));

	vcpu_mp_state_set(vcpu, &stopped);
}

static void test_fresh(void)
{
	int i, err;

	for (i = 0; i < ARRAY_SIZE(pairs); i++) {
		err = init_fresh_vcpu(pairs[i].flags);
		ksft_test_result(check_err(err, verdict(pairs[i].flags)),
				 "a fresh vCPU with %s is %s\n", pairs[i].name,
				 verdict(pairs[i].flags) ? "refused" : "accepted");
	}
}

static void test_unknown_bits(void)
{
	u32 target, features[FEATURE_WORDS];
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	bool ok = true;
	int bit, word, i;

	/* Known bits may be refused for many reasons, but not as unknown. */
	for (bit = 0; bit < FIRST_UNKNOWN_BIT; bit++)
		ok &= check(init_fresh_vcpu(BIT(bit)) != ENOENT, "bit %d", bit);
	ksft_test_result(ok, "no bit up to %d is refused with ENOENT\n",
			 FIRST_UNKNOWN_BIT - 1);

	vm = vm_create_barebones();
	vcpu = __vm_vcpu_add(vm, 0);
	target = preferred_target(vcpu);

	ok = true;
	for (bit = FIRST_UNKNOWN_BIT; bit < 32; bit++)
		for (i = 0; i < ARRAY_SIZE(pairs); i++)
			ok &= check_err(init_vcpu(vcpu, BIT(bit) | pairs[i].flags),
					ENOENT);
	ksft_test_result(ok, "each bit from %d on is refused with ENOENT\n",
			 FIRST_UNKNOWN_BIT);

	ok = true;
	for (word = 1; word < FEATURE_WORDS; word++) {
		for (bit = 0; bit < 32; bit++) {
			memset(features, 0, sizeof(features));
			features[word] = BIT(bit);
			ok &= check_err(do_init(vcpu, target, features), ENOENT);

			/* Not even the pair's own bits mean anything here. */
			features[0] = PTRAUTH_FEATURES;
			ok &= check_err(do_init(vcpu, target, features), ENOENT);
		}
	}
	ksft_test_result(ok, "each bit of features[1] to features[%zu] is refused with ENOENT\n",
			 FEATURE_WORDS - 1);

	kvm_vm_free(vm);
}

/* Which error wins when a request is wrong in more than one way. */
static void test_precedence(void)
{
	u32 target, features[FEATURE_WORDS] = {};
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	bool ok = true;

	vm = vm_create_barebones();
	vcpu = __vm_vcpu_add(vm, 0);
	target = preferred_target(vcpu);

	ok &= check_err(init_vcpu(vcpu, BIT(FIRST_UNKNOWN_BIT) | ADDRESS), ENOENT);
	ok &= check_err(init_vcpu(vcpu, BIT(FIRST_UNKNOWN_BIT) | GENERIC), ENOENT);
	features[0] = ADDRESS;
	features[1] = 1;
	ok &= check_err(do_init(vcpu, target, features), ENOENT);
	ksft_test_result(ok, "an unknown bit weighs more than half a pair\n");

	ok = check_err(do_init(vcpu, BAD_TARGET, features), EINVAL);
	features[0] = BIT(FIRST_UNKNOWN_BIT);
	ok &= check_err(do_init(vcpu, BAD_TARGET, features), EINVAL);
	ksft_test_result(ok, "a bad target weighs more than an unknown bit\n");

	ok = check_err(init_vcpu(vcpu, 0), 0);
	ok &= check_err(init_vcpu(vcpu, BIT(FIRST_UNKNOWN_BIT)), ENOENT);
	ok &= check_err(init_vcpu(vcpu, BIT(FIRST_UNKNOWN_BIT) | ADDRESS), ENOENT);
	ksft_test_result(ok, "an unknown bit weighs more than a changed set of flags\n");

	kvm_vm_free(vm);
}

static bool is_uninitialised(struct kvm_vcpu *vcpu)
{
	struct kvm_reg_list list = { .n = 0 };
	bool ok;
	u64 val;

	ok = check_err(__vcpu_get_reg(vcpu, ARM64_CORE_REG(regs.pc), &val) ? errno : 0,
		       ENOEXEC);
	ok &= check_err(__vcpu_set_reg(vcpu, ARM64_CORE_REG(regs.pc), 0) ? errno : 0,
			ENOEXEC);
	ok &= check_err(__vcpu_ioctl(vcpu, KVM_GET_REG_LIST, &list) ? errno : 0,
			ENOEXEC);

	/* Should KVM be ready to run the vCPU, it must not do so for ever. */
	vcpu->run->immediate_exit = 1;
	ok &= check_err(__vcpu_run(vcpu) ? errno : 0, ENOEXEC);
	vcpu->run->immediate_exit = 0;

	return ok;
}

/*
 * A refused first request must neither initialise the vCPU nor tie the VM to
 * the flags it asked for: each set of flags KVM accepts still has to work.
 */
static void test_failed_first_init(void)
{
	static const u32 refused[] = {
		ADDRESS,
		GENERIC,
		ADDRESS | POWER_OFF,
		BIT(FIRST_UNKNOWN_BIT),
		BIT(FIRST_UNKNOWN_BIT) | PTRAUTH_FEATURES,
	};
	struct kvm_vcpu *vcpu, *sibling;
	struct kvm_vm *vm;
	int i, j;
	bool ok;

	for (i = 0; i < ARRAY_SIZE(pairs); i++) {
		if (verdict(pairs[i].flags))
			continue;

		ok = true;
		for (j = 0; j < ARRAY_SIZE(refused); j++) {
			vm = vm_create_barebones();
			vcpu = __vm_vcpu_add(vm, 0);
			sibling = __vm_vcpu_add(vm, 1);

			ok &= check(init_vcpu(vcpu, refused[j]), "flags 0x%x",
				    refused[j]);
			ok &= is_uninitialised(vcpu);
			ok &= check_err(init_vcpu(sibling, pairs[i].flags), 0);
			ok &= is_uninitialised(vcpu);
			ok &= check_err(init_vcpu(vcpu, pairs[i].flags), 0);
			ok &= check(get_mp_state(vcpu) == KVM_MP_STATE_RUNNABLE,
				    "flags 0x%x", refused[j]);
			kvm_vm_free(vm);
		}
		ksft_test_result(ok, "a refused first request leaves no trace before %s\n",
				 pairs[i].name);
	}

	if (!has_cap)
		ksft_test_result_skip("no pair of flags to ask for after a refused request\n");
}

/* All vCPUs of a VM have the same flags, the first successful one decides. */
static void test_siblings(u32 flags, u32 other)
{
	struct kvm_vm *vm = vm_create_barebones();
	struct kvm_vcpu *first = __vm_vcpu_add(vm, 0);
	struct kvm_vcpu *second = __vm_vcpu_add(vm, 1);
	bool ok;

	ok = check_err(init_vcpu(first, flags), 0);
	ok &= check_err(init_vcpu(second, other), EINVAL);
	ok &= is_uninitialised(second);
	ok &= check_err(init_vcpu(second, flags), 0);
	ksft_test_result(ok, "a vCPU with %s next to one with %s is refused\n",
			 other ? "both flags" : "neither flag",
			 flags ? "both flags" : "neither flag");

	kvm_vm_free(vm);
}

/*
 * Set up a vCPU with @flags, get it dirty, and check that each request KVM has
 * to refuse leaves all the dirt in place, and that a good one removes it.
 */
static void test_second_init(u32 flags, const char *name)
{
	struct {
		u32 features[FEATURE_WORDS];
		u32 target;
		int err;
	} bad[] = {
		{ { flags ^ ADDRESS }, 0, EINVAL },
		{ { flags ^ GENERIC }, 0, EINVAL },
		{ { flags ^ PTRAUTH_FEATURES }, 0, EINVAL },
		{ { flags ^ ADDRESS ^ POWER_OFF }, 0, EINVAL },
		{ { flags ^ PTRAUTH_FEATURES ^ POWER_OFF }, 0, EINVAL },
		{ { flags ^ BIT(KVM_ARM_VCPU_PSCI_0_2) }, 0, EINVAL },
		{ { flags | BIT(FIRST_UNKNOWN_BIT) }, 0, ENOENT },
		{ { flags | BIT(31) | POWER_OFF }, 0, ENOENT },
		{ { flags, ADDRESS }, 0, ENOENT },
		{ { flags, 0, 0, 0, 0, 0, 1 }, 0, ENOENT },
		{ { flags }, BAD_TARGET, EINVAL },
	};
	struct vcpu_dump *fresh, *soiled, *now;
	struct kvm_vm *vm = vm_create_barebones();
	struct kvm_vcpu *vcpu = __vm_vcpu_add(vm, 0);
	u32 target = preferred_target(vcpu);
	bool ok;
	int i;

	TEST_ASSERT(!init_vcpu(vcpu, flags), "Cannot set up a vCPU with %s", name);
	fresh = dump_vcpu(vcpu);
	soil_vcpu(vcpu, flags);
	soiled = dump_vcpu(vcpu);

	/* Each register that got dirty has to show in the dump, and mp_state. */
	TEST_ASSERT(count_changes(fresh, soiled, false) >=
		    NR_SOILED + 1 + (flags ? PTRAUTH_NR_HALVES : 0),
		    "The dump does not show the changes made");

	ok = true;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		ok &= check_err(do_init(vcpu, bad[i].target ?: target,
					bad[i].features), bad[i].err);
		now = dump_vcpu(vcpu);
		ok &= check(!count_changes(soiled, now, true), "after features 0x%x",
			    bad[i].features[0]);
		free_dump(now);
	}
	ok &= check_err(__vcpu_ioctl(vcpu, KVM_ARM_VCPU_INIT,
				     (struct kvm_vcpu_init *)NULL) ? errno : 0,
			EFAULT);
	now = dump_vcpu(vcpu);
	ok &= check(!count_changes(soiled, now, true), "after a bad address");
	free_dump(now);
	ksft_test_result(ok, "a vCPU with %s survives refused requests unchanged\n",
			 name);

	ok = check_err(init_vcpu(vcpu, flags), 0);
	now = dump_vcpu(vcpu);
	ok &= check(!count_changes(fresh, now, true), "after a good request");
	free_dump(now);
	ksft_test_result(ok, "a vCPU with %s is reset by the same flags\n", name);

	ok = check_err(init_vcpu(vcpu, flags | POWER_OFF), 0);
	ok &= check(get_mp_state(vcpu) == KVM_MP_STATE_STOPPED, "after power off");
	ok &= check_err(init_vcpu(vcpu, flags ^ PTRAUTH_FEATURES), EINVAL);
	ok &= check(get_mp_state(vcpu) == KVM_MP_STATE_STOPPED, "after a refusal");
	ok &= check_err(init_vcpu(vcpu, flags), 0);
	ok &= check(get_mp_state(vcpu) == KVM_MP_STATE_RUNNABLE, "after power on");
	ksft_test_result(ok, "a vCPU with %s is powered off by a flag of one request\n",
			 name);

	free_dump(fresh);
	free_dump(soiled);
	kvm_vm_free(vm);
}

static void test_power_off(void)
{
	struct kvm_vm *vm = vm_create_barebones();
	struct kvm_vcpu *vcpu = __vm_vcpu_add(vm, 0);
	bool ok;
	int i;

	ok = check_err(init_vcpu(vcpu, POWER_OFF | ADDRESS), EINVAL);
	ok &= check_err(init_vcpu(vcpu, POWER_OFF | GENERIC), EINVAL);
	ok &= check_err(init_vcpu(vcpu, POWER_OFF | PTRAUTH_FEATURES),
			has_cap ? 0 : EINVAL);
	if (has_cap) {
		ok &= check(get_mp_state(vcpu) == KVM_MP_STATE_STOPPED, "both");
		for (i = 0; i < PTRAUTH_NR_HALVES; i++)
			ok &= check(vcpu_get_reg(vcpu, ptrauth_half_id[i]) ==
				    PTRAUTH_RESET_VALUE, "%s",
				    ptrauth_half_name[i]);
	}
	ksft_test_result(ok, "a vCPU that starts powered off has the same rules\n");

	kvm_vm_free(vm);
}

/* The registers of the feature exist exactly on the vCPUs that asked for it. */
static void test_visibility(u32 flags, const char *name)
{
	struct kvm_vm *vm = vm_create_barebones();
	struct kvm_vcpu *vcpu = __vm_vcpu_add(vm, 0);
	u64 isar1, isar2, i, half, val, address, generic;
	struct kvm_reg_list *list;
	unsigned int listed;
	bool ok = true;

	TEST_ASSERT(!init_vcpu(vcpu, flags), "Cannot set up a vCPU with %s", name);

	list = vcpu_get_reg_list(vcpu);
	for (half = 0; half < PTRAUTH_NR_HALVES; half++) {
		listed = 0;
		for (i = 0; i < list->n; i++)
			listed += list->reg[i] == ptrauth_half_id[half];
		ok &= check(listed == !!flags, "%s listed %u times",
			    ptrauth_half_name[half], listed);
		ok &= check_err(__vcpu_get_reg(vcpu, ptrauth_half_id[half], &val) ?
				errno : 0, flags ? 0 : ENOENT);
		ok &= check_err(__vcpu_set_reg(vcpu, ptrauth_half_id[half], half) ?
				errno : 0, flags ? 0 : ENOENT);
	}
	free(list);
	ksft_test_result(ok, "a vCPU with %s has %s\n", name,
			 flags ? "all key registers" : "no key registers");

	isar1 = vcpu_get_reg(vcpu, KVM_ARM64_SYS_REG(SYS_ID_AA64ISAR1_EL1));
	isar2 = vcpu_get_reg(vcpu, KVM_ARM64_SYS_REG(SYS_ID_AA64ISAR2_EL1));
	address = FIELD_GET(ID_AA64ISAR1_EL1_APA, isar1) |
		  FIELD_GET(ID_AA64ISAR1_EL1_API, isar1) |
		  FIELD_GET(ID_AA64ISAR2_EL1_APA3, isar2);
	generic = FIELD_GET(ID_AA64ISAR1_EL1_GPA, isar1) |
		  FIELD_GET(ID_AA64ISAR1_EL1_GPI, isar1) |
		  FIELD_GET(ID_AA64ISAR2_EL1_GPA3, isar2);
	ok = check(!!address == !!flags, "address fields are 0x%lx", address);
	ok &= check(!!generic == !!flags, "generic fields are 0x%lx", generic);
	ksft_test_result(ok, "a vCPU with %s %s in its ID registers\n", name,
			 flags ? "finds the feature" : "does not find the feature");

	kvm_vm_free(vm);
}

/*
 * The second vCPU of a guest is turned on, turns itself off, and is turned on
 * again, each time while its thread stays inside KVM_RUN. Each life has to
 * begin with the registers at their reset values, keys included, whatever an
 * earlier life or user space left in them, and with working instructions.
 */
#define NR_LIVES	3
#define NR_CHECKS	4
#define TIMEOUT_MS	30000
#define STUB_GPA	BIT(30)
#define STUB_SLOT	1

/*
 * What the second vCPU needs to turn its MMU on. The stub that does so runs
 * before there is a stack, and uses the offsets as numbers.
 */
struct stub_params {
	u64 mair;
	u64 tcr;
	u64 ttbr0;
	u64 cpacr;
	u64 vbar;
	u64 sctlr;
	u64 sp;
	u64 entry;
};

/* The stub and its parameters share a page, apart enough for both. */
#define STUB_PARAMS_OFFSET	2048

static struct {
	struct ptrauth_keys keys[NR_LIVES + 1];
	unsigned int life;
	bool done;
	bool abort;
} lives;

static u64 psci_call(u32 function, u64 arg0, u64 arg1, u64 arg2)
{
	struct arm_smccc_res res;

	do_smccc(function, arg0, arg1, arg2, 0, 0, 0, 0, &res);
	return res.a0;
}

static void guest_secondary(u64 sctlr)
{
	unsigned int half, life = READ_ONCE(lives.life);
	struct ptrauth_keys start;
	struct ptrauth_codes codes;

	ptrauth_read_keys(&start);
	for (half = 0; half < PTRAUTH_NR_HALVES; half++)
		__GUEST_ASSERT(start.half[half] == PTRAUTH_RESET_VALUE,
			       "life %u starts with %s = 0x%lx", life,
			       ptrauth_half_name[half], start.half[half]);
	__GUEST_ASSERT(!(sctlr & (PTRAUTH_SCTLR_ENABLE | SCTLR_ELx_M)),
		       "life %u starts with SCTLR_EL1 = 0x%lx", life, sctlr);

	ptrauth_write_keys(&lives.keys[life]);
	ptrauth_enable();
	ptrauth_sign_all(&codes, NR_CHECKS);
	ptrauth_guest_check(&lives.keys[life], &codes, NR_CHECKS, "second vCPU");
	GUEST_SYNC(life);
	ptrauth_guest_check(&lives.keys[life], &codes, NR_CHECKS,
			    "second vCPU after an exit");

	if (life == NR_LIVES - 1) {
		WRITE_ONCE(lives.done, true);
		GUEST_DONE();
	}

	psci_call(PSCI_0_2_FN_CPU_OFF, 0, 0, 0);
	GUEST_FAIL("life %u continues after CPU_OFF", life);
}

static void guest_primary(u64 target)
{
	const struct ptrauth_keys *keys = &lives.keys[NR_LIVES];
	struct ptrauth_codes codes;
	unsigned int life;
	u64 ret;

	ptrauth_write_keys(keys);
	ptrauth_enable();
	ptrauth_sign_all(&codes, NR_CHECKS);

	for (life = 0; life < NR_LIVES; life++) {
		while (psci_call(PSCI_0_2_FN64_AFFINITY_INFO, target, 0, 0) !=
		       PSCI_0_2_AFFINITY_LEVEL_OFF) {
			ptrauth_guest_check(keys, &codes, NR_CHECKS, "first vCPU");
			if (READ_ONCE(lives.abort))
				GUEST_DONE();
		}

		WRITE_ONCE(lives.life, life);
		ret = psci_call(PSCI_0_2_FN64_CPU_ON, target, STUB_GPA,
				STUB_GPA + STUB_PARAMS_OFFSET);
		__GUEST_ASSERT(!ret, "CPU_ON number %u returns %ld", life, ret);
	}

	while (!READ_ONCE(lives.done) && !READ_ONCE(lives.abort))
		ptrauth_guest_check(keys, &codes, NR_CHECKS, "first vCPU");

	GUEST_DONE();
}

struct runner {
	struct kvm_vcpu *vcpu;
	pthread_t thread;
	unsigned int syncs;
	bool stop;
	bool finished;
	bool ok;
};

/* Only there to make KVM_RUN return. */
static void ignore_signal(int sig)
{
}

/* Returns whether the guest came to its end, and says why if it did not. */
static bool run_to_end(struct runner *runner)
{
	struct ucall uc;
	int ret;

	for (;;) {
		ret = __vcpu_run(runner->vcpu);
		if (ret && errno == EINTR) {
			if (READ_ONCE(runner->stop))
				return false;
			continue;
		}
		if (!check(!ret, "KVM_RUN: %s", strerror(errno)))
			return false;

		switch (get_ucall(runner->vcpu, &uc)) {
		case UCALL_SYNC:
			runner->syncs++;
			break;
		case UCALL_DONE:
			return true;
		case UCALL_ABORT:
			ksft_print_msg("vCPU %u: %s\n", runner->vcpu->id, uc.buffer);
			return false;
		default:
			ksft_print_msg("vCPU %u: exit reason %u, ucall %lu (0x%lx, 0x%lx)\n",
				       runner->vcpu->id,
				       runner->vcpu->run->exit_reason, uc.cmd,
				       uc.args[0], uc.args[1]);
			return false;
		}
	}
}

static void *runner_thread(void *arg)
{
	struct runner *runner = arg;

	runner->ok = run_to_end(runner);
	__atomic_store_n(&runner->finished, true, __ATOMIC_RELEASE);

	return NULL;
}

/* Whether it has come to its end, and so has said whether it went well. */
static bool has_finished(struct runner *runner)
{
	return __atomic_load_n(&runner->finished, __ATOMIC_ACQUIRE);
}

/*
 * The stub is entered with the MMU off and the physical address of the
 * parameters in x0, and leaves for C with the value SCTLR_EL1 had in x0. The
 * page it is copied to is mapped at its physical address, so that the MMU can
 * be turned on under it.
 */
static void copy_stub(void *to)
{
	char *start, *end;

	asm volatile("adr	%[start], 1f\n"
		     "adr	%[end], 2f\n"
		     "b		2f\n"
		     "1:\n"
		     "ldp	x2, x3, [x0, #0]\n"
		     "msr	mair_el1, x2\n"
		     "msr	tcr_el1, x3\n"
		     "ldp	x2, x3, [x0, #16]\n"
		     "msr	ttbr0_el1, x2\n"
		     "msr	cpacr_el1, x3\n"
		     "ldp	x2, x3, [x0, #32]\n"
		     "msr	vbar_el1, x2\n"
		     "ldp	x4, x5, [x0, #48]\n"
		     "mrs	x0, sctlr_el1\n"
		     "isb\n"
		     "msr	sctlr_el1, x3\n"
		     "isb\n"
		     "mov	sp, x4\n"
		     "br	x5\n"
		     "2:\n"
		     : [start] "=&r" (start), [end] "=&r" (end));

	TEST_ASSERT(end - start <= STUB_PARAMS_OFFSET,
		    "The stub runs into its parameters");
	memcpy(to, start, end - start);
}

static struct stub_params *add_stub(struct kvm_vm *vm)
{
	unsigned int npages = vm_adjust_num_guest_pages(vm->mode, 1);
	char *page;

	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, STUB_GPA, STUB_SLOT,
				    npages, 0);
	virt_map(vm, STUB_GPA, STUB_GPA, npages);

	page = addr_gpa2hva(vm, STUB_GPA);
	copy_stub(page);

	return (struct stub_params *)(page + STUB_PARAMS_OFFSET);
}

/* Let the stub restore what the library has set up and CPU_ON resets. */
static void fill_stub_params(struct stub_params *params, struct kvm_vcpu *vcpu)
{
	params->mair = vcpu_get_reg(vcpu, KVM_ARM64_SYS_REG(SYS_MAIR_EL1));
	params->tcr = vcpu_get_reg(vcpu, KVM_ARM64_SYS_REG(SYS_TCR_EL1));
	params->ttbr0 = vcpu_get_reg(vcpu, KVM_ARM64_SYS_REG(SYS_TTBR0_EL1));
	params->cpacr = vcpu_get_reg(vcpu, KVM_ARM64_SYS_REG(SYS_CPACR_EL1));
	params->vbar = vcpu_get_reg(vcpu, KVM_ARM64_SYS_REG(SYS_VBAR_EL1));
	params->sctlr = vcpu_get_reg(vcpu, KVM_ARM64_SYS_REG(SYS_SCTLR_EL1));
	params->sp = vcpu_get_reg(vcpu, ARM64_CORE_REG(sp_el1));
	params->entry = (u64)guest_secondary;
}

static void test_cpu_on(void)
{
	struct kvm_vcpu_init init = {};
	struct runner primary = {}, secondary = {};
	struct kvm_random_state rng = new_kvm_random_state(0x5eed);
	bool ok, timeout = false;
	struct kvm_vm *vm;
	int i, ms;
	u64 mpidr;

	vm = vm_create(2);
	vm_ioctl(vm, KVM_ARM_PREFERRED_TARGET, &init);
	init.features[0] |= PTRAUTH_FEATURES | BIT(KVM_ARM_VCPU_PSCI_0_2);
	primary.vcpu = aarch64_vcpu_add(vm, 0, &init, guest_primary);
	init.features[0] |= POWER_OFF;
	secondary.vcpu = aarch64_vcpu_add(vm, 1, &init, NULL);
	vm_init_descriptor_tables(vm);
	vcpu_init_descriptor_tables(primary.vcpu);
	vcpu_init_descriptor_tables(secondary.vcpu);
	kvm_arch_vm_finalize_vcpus(vm);

	fill_stub_params(add_stub(vm), secondary.vcpu);
	for (i = 0; i < ARRAY_SIZE(lives.keys); i++)
		ptrauth_random_keys(&rng, &lives.keys[i]);
	sync_global_to_guest(vm, lives);

	/* The first life must not see what user space has left behind either. */
	for (i = 0; i < PTRAUTH_NR_HALVES; i++)
		vcpu_set_reg(secondary.vcpu, ptrauth_half_id[i], dirt(i));
	vcpu_set_reg(secondary.vcpu, KVM_ARM64_SYS_REG(SYS_SCTLR_EL1),
		     vcpu_get_reg(secondary.vcpu, KVM_ARM64_SYS_REG(SYS_SCTLR_EL1)) |
		     PTRAUTH_SCTLR_ENABLE);

	mpidr = vcpu_get_reg(secondary.vcpu, KVM_ARM64_SYS_REG(SYS_MPIDR_EL1));
	vcpu_args_set(primary.vcpu, 1, mpidr & MPIDR_HWID_BITMASK);

	signal(SIGUSR1, ignore_signal);
	TEST_ASSERT(!pthread_create(&primary.thread, NULL, runner_thread, &primary),
		    "Cannot create a thread");
	TEST_ASSERT(!pthread_create(&secondary.thread, NULL, runner_thread, &secondary),
		    "Cannot create a thread");

	/*
	 * Should one vCPU fail, the other would wait for it for ever. So the
	 * first is told to give up once the second has failed, and the second
	 * is thrown out of KVM_RUN once the first has.
	 */
	for (ms = 0; !has_finished(&primary) || !has_finished(&secondary); ms++) {
		timeout = ms > TIMEOUT_MS;
		if (timeout || (has_finished(&secondary) && !secondary.ok))
			write_guest_global(vm, lives.abort, true);
		if (timeout || (has_finished(&primary) && !primary.ok)) {
			WRITE_ONCE(secondary.stop, true);
			WRITE_ONCE(secondary.vcpu->run->immediate_exit, 1);
			pthread_kill(secondary.thread, SIGUSR1);
		}
		usleep(1000);
	}
	pthread_join(primary.thread, NULL);
	pthread_join(secondary.thread, NULL);

	ok = check(primary.ok && secondary.ok, "first %d, second %d", primary.ok,
		   secondary.ok);
	ok &= check(secondary.syncs == NR_LIVES, "%u lives", secondary.syncs);
	ok &= check(!timeout, "after %d ms", ms);
	ksft_test_result(ok, "CPU_ON resets a vCPU that runs, and its keys work\n");

	kvm_vm_free(vm);
}

/* The same without a thread inside KVM_RUN: user space sees the reset, too. */
static void guest_turn_on(u64 target)
{
	u64 ret = psci_call(PSCI_0_2_FN64_CPU_ON, target, dirt(1), dirt(2));

	__GUEST_ASSERT(!ret, "CPU_ON returns %ld", ret);
	GUEST_DONE();
}

static void test_cpu_on_registers(void)
{
	struct kvm_vcpu_init init = {};
	struct runner primary = {};
	struct kvm_vcpu *secondary;
	struct kvm_vm *vm;
	u64 mpidr, sctlr;
	bool ok;
	int i;

	vm = vm_create(2);
	vm_ioctl(vm, KVM_ARM_PREFERRED_TARGET, &init);
	init.features[0] |= BIT(KVM_ARM_VCPU_PSCI_0_2);
	init.features[0] |= has_cap ? PTRAUTH_FEATURES : 0;
	primary.vcpu = aarch64_vcpu_add(vm, 0, &init, guest_turn_on);
	init.features[0] |= POWER_OFF;
	secondary = aarch64_vcpu_add(vm, 1, &init, NULL);
	kvm_arch_vm_finalize_vcpus(vm);

	sctlr = vcpu_get_reg(secondary, KVM_ARM64_SYS_REG(SYS_SCTLR_EL1));
	vcpu_set_reg(secondary, KVM_ARM64_SYS_REG(SYS_SCTLR_EL1),
		     sctlr | PTRAUTH_SCTLR_ENABLE);
	if (has_cap)
		for (i = 0; i < PTRAUTH_NR_HALVES; i++)
			vcpu_set_reg(secondary, ptrauth_half_id[i], dirt(i));

	mpidr = vcpu_get_reg(secondary, KVM_ARM64_SYS_REG(SYS_MPIDR_EL1));
	vcpu_args_set(primary.vcpu, 1, mpidr & MPIDR_HWID_BITMASK);

	ok = check(run_to_end(&primary), "the first vCPU failed");
	ok &= check(get_mp_state(secondary) == KVM_MP_STATE_RUNNABLE,
		    "mp_state %d", get_mp_state(secondary));
	ok &= check(vcpu_get_reg(secondary, ARM64_CORE_REG(regs.pc)) == dirt(1),
		    "entry point");
	ok &= check(vcpu_get_reg(secondary, ARM64_CORE_REG(regs.regs[0])) == dirt(2),
		    "context id");
	sctlr = vcpu_get_reg(secondary, KVM_ARM64_SYS_REG(SYS_SCTLR_EL1));
	ok &= check(!(sctlr & (PTRAUTH_SCTLR_ENABLE | SCTLR_ELx_M)),
		    "SCTLR_EL1 is 0x%lx", sctlr);
	if (has_cap)
		for (i = 0; i < PTRAUTH_NR_HALVES; i++)
			ok &= check(vcpu_get_reg(secondary, ptrauth_half_id[i]) ==
				    PTRAUTH_RESET_VALUE, "%s",
				    ptrauth_half_name[i]);
	ksft_test_result(ok, "CPU_ON resets a vCPU that user space looks at\n");

	kvm_vm_free(vm);
}

int main(void)
{
	/* Skips the test where there is no KVM at all. */
	close(open_kvm_dev_path_or_exit());

	has_cap = kvm_has_ptrauth();

	ksft_print_header();
	ksft_set_plan(27);
	ksft_print_msg("The capability is %d\n", has_cap);

	test_fresh();
	test_unknown_bits();
	test_precedence();
	test_failed_first_init();
	test_second_init(0, "neither flag");
	test_visibility(0, "neither flag");
	test_siblings(0, PTRAUTH_FEATURES);
	test_power_off();
	test_cpu_on_registers();

	if (has_cap) {
		test_second_init(PTRAUTH_FEATURES, "both flags");
		test_visibility(PTRAUTH_FEATURES, "both flags");
		test_siblings(PTRAUTH_FEATURES, 0);
		test_cpu_on();
	} else {
		for (int i = 0; i < 7; i++)
			ksft_test_result_skip("needs a vCPU with pointer authentication\n");
	}

	ksft_finished();
}
