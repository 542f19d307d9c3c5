// SPDX-License-Identifier: GPL-2.0-only
/*
 * ptrauth_nested - Test pointer authentication between L1 and L2.
 *
 * L1, at EL2, and L2 use the same key registers. What one writes the other has
 * to find, if L1 lets L2 use them; and if not, L1 has to get the trap and find
 * its keys as they were. When L1 enters L2 with ERETAA or ERETAB, KVM has to
 * authenticate with the key that L1 has at that moment.
 *
 * L2 must find its keys unchanged, as far as L1 lets it use them, when it has been
 * preempted, and when it continues on another CPU or in another VM.
 */
#include <signal.h>
#include <linux/sizes.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "allowed_cpus.h"
#include "kvm_util.h"
#include "l2.h"
#include "processor.h"
#include "ptrauth.h"
#include "test_util.h"

#define SEED		0x9ac5eedUL

#define NR_ROUNDS	200

/* How many PACs of each key to check, in the guest and outside. */
#define NR_CHECKS	3

#define HCR_BOTH	(HCR_EL2_API | HCR_EL2_APK)

/* How often a vCPU in L2 has to be preempted, and for how long to wait for that. */
#define NR_PREEMPTIONS	20
#define MAX_ROUNDS	20000

/* How L2 came back to L1. */
static u64 l2_esr;

static struct kvm_random_state rng;
static struct ptrauth_codes own_codes;

/* What L1 lets L2 use. */
static u64 l2_hcr;

/* Shared by L1 and L2. */
static struct ptrauth_keys keys;
static struct ptrauth_codes codes;

static u8 l1_stack[SZ_16K] __aligned(16);
static u8 l2_stack[SZ_16K] __aligned(16);

/* Guest code. */

/* L1's handler for what L2 does. */
static void l1_handler(struct ex_regs *regs)
{
	l2_esr = read_sysreg(esr_el1);
	l1_resume(regs);
}

static void l1_enter(void (*code)(void), enum l1_eret how, u64 expected_ec)
{
	u64 sp = (u64)l1_stack + sizeof(l1_stack), address = (u64)code;

	if (how == L1_ERETAA)
		address = ptrauth_sign(PTRAUTH_APIA, address, sp);
	if (how == L1_ERETAB)
		address = ptrauth_sign(PTRAUTH_APIB, address, sp);

	/* L2 never unwinds its stack. */
	write_sysreg_s((u64)l2_stack + sizeof(l2_stack), SYS_SP_EL1);
	l1_eret(address, L2_PSTATE, sp, how);
	__GUEST_ASSERT(ESR_ELx_EC(l2_esr) == expected_ec,
		       "L2 came back with class 0x%lx, should be 0x%lx",
		       ESR_ELx_EC(l2_esr), expected_ec);
}

static void l1_start(u64 hcr)
{
	ptrauth_enable();
	l1_prepare_l2(hcr);
}

static void new_keys(void)
{
	ptrauth_random_keys(&rng, &keys);
	ptrauth_write_keys(&keys);
	ptrauth_sign_all(&codes, NR_CHECKS);
}

static void l2_call(void)
{
	asm volatile("hvc #0" ::: "memory");
}

static void l2_check_and_change(void)
{
	ptrauth_guest_check(&keys, &codes, NR_CHECKS, "in L2");
	new_keys();
	l2_call();
}

static void l2_use_api(void)
{
	ptrauth_sign(PTRAUTH_APIA, 0, 0);
	l2_call();
}

static void l2_use_apk(void)
{
	ptrauth_read_half(PTRAUTH_APGAKEYHI);
	l2_call();
}

/* What L2 can see of its keys. */
static void l2_check(const char *when)
{
	if (l2_hcr & HCR_EL2_APK)
		ptrauth_guest_check_keys(&keys, when);
	if (l2_hcr & HCR_EL2_API)
		ptrauth_guest_check_codes(&codes, NR_CHECKS, when);
}

/* What one writes the other finds, across exits to user space as well. */
static void guest_share(void)
{
	int i;

	l1_start(HCR_BOTH);
	for (i = 0; i < NR_ROUNDS; i++) {
		new_keys();
		l1_enter(l2_check_and_change, L1_ERET, ESR_ELx_EC_HVC64);
		ptrauth_guest_check(&keys, &codes, NR_CHECKS, "back in L1");
		GUEST_SYNC(i);
		l1_enter(l2_check_and_change, L1_ERET, ESR_ELx_EC_HVC64);
		ptrauth_guest_check(&keys, &codes, NR_CHECKS, "back in L1");
	}
	GUEST_DONE();
}

/* L1 keeps its keys through an L2 that may use instructions, registers, or none. */
static void guest_traps(void)
{
	bool api, apk;
	int i;

	for (i = 0; i < NR_ROUNDS; i++) {
		api = i & 1;
		apk = i & 2;
		l1_start((api ? HCR_EL2_API : 0) | (apk ? HCR_EL2_APK : 0));
		new_keys();

		l1_enter(l2_use_api, L1_ERET,
			 api ? ESR_ELx_EC_HVC64 : ESR_ELx_EC_PAC);
		ptrauth_guest_check(&keys, &codes, NR_CHECKS, "after use in L2");
		l1_enter(l2_use_apk, L1_ERET,
			 apk ? ESR_ELx_EC_HVC64 : ESR_ELx_EC_SYS64);
		ptrauth_guest_check(&keys, &codes, NR_CHECKS, "after access in L2");
		GUEST_SYNC(i);
		ptrauth_guest_check(&keys, &codes, NR_CHECKS, "after an exit");
	}
	GUEST_DONE();
}

static void l2_go_on(void)
{
	int i, round;

	for (round = 0; round < 10; round++) {
		for (i = 0; i < 10; i++)
			l2_check("in L2");
		GUEST_SYNC(round);
	}
	l2_call();
}

/* L2 has its keys for as long as it runs, and L1 its own after that. */
static void guest_stay_in_l2(void)
{
	l1_start(l2_hcr);
	new_keys();
	for (;;) {
		l1_enter(l2_go_on, L1_ERET, ESR_ELx_EC_HVC64);
		ptrauth_guest_check(&keys, &codes, NR_CHECKS, "back in L1");
	}
}

static void l2_move_and_use_api(void)
{
	l2_check("before a move of L2");
	GUEST_SYNC(0);
	l2_check("after a move of L2");
	l2_use_api();
}

static void l2_move_and_use_apk(void)
{
	l2_check("before a move of L2");
	GUEST_SYNC(0);
	l2_check("after a move of L2");
	l2_use_apk();
}

/* The host goes on with all this in another VM at each GUEST_SYNC(). */
static void guest_move(void)
{
	l1_start(l2_hcr);
	new_keys();
	GUEST_SYNC(0);
	ptrauth_guest_check(&keys, &codes, NR_CHECKS, "after a move of L1");

	l1_enter(l2_move_and_use_api, L1_ERET,
		 l2_hcr & HCR_EL2_API ? ESR_ELx_EC_HVC64 : ESR_ELx_EC_PAC);
	ptrauth_guest_check(&keys, &codes, NR_CHECKS, "back in L1");
	l1_enter(l2_move_and_use_apk, L1_ERET,
		 l2_hcr & HCR_EL2_APK ? ESR_ELx_EC_HVC64 : ESR_ELx_EC_SYS64);
	ptrauth_guest_check(&keys, &codes, NR_CHECKS, "back in L1");
	GUEST_DONE();
}

static void l2_eret(void)
{
	asm volatile("eret");
}

static void l2_eretaa(void)
{
	asm volatile(".arch_extension pauth\n\teretaa");
}

static void l2_eretab(void)
{
	asm volatile(".arch_extension pauth\n\teretab");
}

/* L1 wants to know of L2's exception returns, and has to get the syndrome of each. */
static void guest_trap_eret(void)
{
	static void (* const l2[])(void) = { l2_eret, l2_eretaa, l2_eretab };
	static const u64 iss[] = {
		0,
		ESR_ELx_ERET_ISS_ERET,
		ESR_ELx_ERET_ISS_ERET | ESR_ELx_ERET_ISS_ERETA,
	};
	int i;

	l1_start(HCR_BOTH);
	new_keys();
	write_sysreg_s(HFGITR_EL2_ERET, SYS_HFGITR_EL2);
	for (i = 0; i < ARRAY_SIZE(l2); i++) {
		l1_enter(l2[i], L1_ERET, ESR_ELx_EC_ERET);
		GUEST_ASSERT_EQ(l2_esr & ESR_ELx_ISS_MASK, iss[i]);
		ptrauth_guest_check(&keys, &codes, NR_CHECKS, "after a return that is trapped");
	}
	write_sysreg_s(0, SYS_HFGITR_EL2);
	GUEST_DONE();
}

/* L2 accesses this half. */
static enum ptrauth_half l2_half;

static void l2_read_half(void)
{
	ptrauth_read_half(l2_half);
	l2_call();
}

static void l2_write_half(void)
{
	ptrauth_write_half(l2_half, keys.half[l2_half]);
	l2_call();
}

static void l1_expect_trap(void (*code)(void), bool trap, bool read)
{
	l1_enter(code, L1_ERET, trap ? ESR_ELx_EC_SYS64 : ESR_ELx_EC_HVC64);
	if (!trap)
		return;
	GUEST_ASSERT_EQ(KVM_ARM64_SYS_REG(esr_sys64_to_sysreg(l2_esr)), ptrauth_half_id[l2_half]);
	GUEST_ASSERT_EQ(!!(l2_esr & ESR_ELx_SYS64_ISS_DIR_MASK), read);
}

/* L1 wants to know when L2 reads or writes one of the keys. */
static void guest_trap_keys(void)
{
	static const u64 traps[PTRAUTH_NR_KEYS] = {
		[PTRAUTH_APIA] = HFGRTR_EL2_APIAKey,
		[PTRAUTH_APIB] = HFGRTR_EL2_APIBKey,
		[PTRAUTH_APDA] = HFGRTR_EL2_APDAKey,
		[PTRAUTH_APDB] = HFGRTR_EL2_APDBKey,
		[PTRAUTH_APGA] = HFGRTR_EL2_APGAKey,
	};
	unsigned int key;

	l1_start(HCR_BOTH);
	new_keys();
	for (key = 0; key < PTRAUTH_NR_KEYS; key++) {
		for (l2_half = 0; l2_half < PTRAUTH_NR_HALVES; l2_half++) {
			bool trap = l2_half / 2 == key;

			write_sysreg_s(traps[key], SYS_HFGRTR_EL2);
			l1_expect_trap(l2_read_half, trap, true);
			l1_expect_trap(l2_write_half, false, false);
			write_sysreg_s(0, SYS_HFGRTR_EL2);
			write_sysreg_s(traps[key], SYS_HFGWTR_EL2);
			l1_expect_trap(l2_read_half, false, true);
			l1_expect_trap(l2_write_half, trap, false);
			write_sysreg_s(0, SYS_HFGWTR_EL2);
		}
		ptrauth_guest_check(&keys, &codes, NR_CHECKS, "after accesses that are trapped");
	}
	GUEST_DONE();
}

/* The key of the return is new each time, and no exit lies in between. */
static void guest_eretax(void)
{
	int i;

	l1_start(HCR_BOTH);
	for (i = 0; i < NR_ROUNDS; i++) {
		new_keys();
		l1_enter(l2_call, i & 1 ? L1_ERETAA : L1_ERETAB,
			 ESR_ELx_EC_HVC64);
		ptrauth_guest_check(&keys, &codes, NR_CHECKS, "back in L1");
	}
	GUEST_DONE();
}

/* Host code. */

static const char * const hcr_name[] = { "neither", "API", "APK", "both" };

static u64 hcr_bits(int i)
{
	return (i & 1 ? HCR_EL2_API : 0) | (i & 2 ? HCR_EL2_APK : 0);
}

static struct kvm_vm *make_vm(struct kvm_vcpu **vcpu, void *guest_code, u64 hcr)
{
	struct kvm_vm *vm = vm_create_with_l1(vcpu, PTRAUTH_FEATURES, guest_code);

	vm_install_sync_handler(vm, VECTOR_SYNC_LOWER_64, ESR_ELx_EC_HVC64, l1_handler);
	vm_install_sync_handler(vm, VECTOR_SYNC_LOWER_64, ESR_ELx_EC_PAC, l1_handler);
	vm_install_sync_handler(vm, VECTOR_SYNC_LOWER_64, ESR_ELx_EC_SYS64, l1_handler);
	vm_install_sync_handler(vm, VECTOR_SYNC_LOWER_64, ESR_ELx_EC_ERET, l1_handler);
	l2_hcr = hcr;
	sync_global_to_guest(vm, l2_hcr);
	kvm_random_u64(&rng);
	sync_global_to_guest(vm, rng);

	return vm;
}

static u64 run(struct kvm_vcpu *vcpu)
{
	vcpu_run(vcpu);
	ptrauth_host_check(&own_codes, NR_CHECKS, "after KVM_RUN");

	return ptrauth_get_ucall(vcpu);
}

static void test(void *guest_code, const char *what)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = make_vm(&vcpu, guest_code, 0);

	while (run(vcpu) != UCALL_DONE)
		;
	kvm_vm_free(vm);

	ksft_test_result_pass("%s\n", what);
}

static bool vm_has_fgt(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = make_vm(&vcpu, guest_share, 0);
	u64 mmfr0 = vcpu_get_reg(vcpu, KVM_ARM64_SYS_REG(SYS_ID_AA64MMFR0_EL1));

	kvm_vm_free(vm);

	return SYS_FIELD_GET(ID_AA64MMFR0_EL1, FGT, mmfr0);
}

static void test_fgt(void *guest_code, const char *what)
{
	if (vm_has_fgt())
		test(guest_code, what);
	else
		ksft_test_result_skip("%s: needs FEAT_FGT\n", what);
}

/* VMs in turns, each in an L2, and the next round on other CPUs. */
static void test_turns(void)
{
	struct kvm_vcpu *vcpus[4];
	struct kvm_vm *vms[4];
	int i, round, cpu = -1;

	for (i = 0; i < ARRAY_SIZE(vms); i++)
		vms[i] = make_vm(&vcpus[i], guest_stay_in_l2, hcr_bits(i));
	for (round = 0; round < NR_ROUNDS; round++) {
		for (i = 0; i < ARRAY_SIZE(vms); i++) {
			if (!(round % 2)) {
				cpu = next_allowed_cpu(cpu);
				pin_self_to_cpu(cpu);
			}
			run(vcpus[i]);
		}
	}
	unpin_self();
	for (i = 0; i < ARRAY_SIZE(vms); i++)
		kvm_vm_free(vms[i]);

	ksft_test_result_pass("in turns with other VMs and on any CPU, L2 keeps what it may use\n");
}

/* Takes the CPU away now and then, and has PACs of its own. */
static pid_t start_rival(int cpu)
{
	pid_t pid = ptrauth_fork();

	if (pid)
		return pid;

	pin_self_to_cpu(cpu);
	prctl(PR_PAC_RESET_KEYS, 0, 0, 0, 0);
	for (;;)
		ptrauth_sign_all(&codes, NR_CHECKS);
}

/* The vCPU is put and loaded without an exit to user space. */
static void test_preemption(int hcr)
{
	struct rusage before, now;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	int round, cpu;
	pid_t rival;

	vm = make_vm(&vcpu, guest_stay_in_l2, hcr_bits(hcr));
	cpu = next_allowed_cpu(-1);
	pin_self_to_cpu(cpu);
	rival = start_rival(cpu);
	getrusage(RUSAGE_THREAD, &before);
	for (round = 0; round < MAX_ROUNDS; round++) {
		run(vcpu);
		getrusage(RUSAGE_THREAD, &now);
		if (now.ru_nivcsw - before.ru_nivcsw >= NR_PREEMPTIONS)
			break;
	}
	kill(rival, SIGKILL);
	waitpid(rival, NULL, 0);
	unpin_self();
	kvm_vm_free(vm);

	ksft_test_result(round < MAX_ROUNDS,
			 "preempted, L2 keeps what it may use (%s)\n", hcr_name[hcr]);
}

/* The library lets the guest know where the host has its ucalls. */
static void move_memory(struct kvm_vm *from_vm, struct kvm_vm *to_vm)
{
	struct userspace_mem_region *from = memslot2region(from_vm, 0);
	struct userspace_mem_region *to = memslot2region(to_vm, 0);
	u64 *word = to->host_mem, size = from->region.memory_size;
	u64 i;

	TEST_ASSERT(to->region.memory_size == size, "Memory differs");
	memcpy(to->host_mem, from->host_mem, size);
	for (i = 0; i < size / sizeof(*word); i++)
		if (word[i] - (u64)from->host_mem < size)
			word[i] += (u64)to->host_mem - (u64)from->host_mem;
}

/*
 * Go on with @vcpu in a new VM, which gets all the registers and all the memory. If it is @used,
 * it has run L1 before, as a VM that goes back to a snapshot has.
 */
static void move(struct kvm_vm **vm, struct kvm_vcpu **vcpu, bool used)
{
	struct kvm_vcpu *new_vcpu;
	struct kvm_reg_list *list;
	struct kvm_one_reg reg;
	struct kvm_vm *new_vm;
	u8 val[256];
	u64 i;

	vcpu_run_complete_io(*vcpu);
	new_vm = vm_create_with_l1(&new_vcpu, PTRAUTH_FEATURES, guest_move);
	if (used) {
		vcpu_run(new_vcpu);
		vcpu_run_complete_io(new_vcpu);
	}
	move_memory(*vm, new_vm);

	list = vcpu_get_reg_list(*vcpu);
	for (i = 0; i < list->n; i++) {
		reg = (struct kvm_one_reg) { .id = list->reg[i], .addr = (u64)val };
		vcpu_ioctl(*vcpu, KVM_GET_ONE_REG, &reg);
		TEST_ASSERT(!__vcpu_ioctl(new_vcpu, KVM_SET_ONE_REG, &reg),
			    "Cannot set register 0x%llx: %s", reg.id, strerror(errno));
	}
	free(list);

	kvm_vm_free(*vm);
	*vm = new_vm;
	*vcpu = new_vcpu;
}

static void test_move(int hcr, bool used)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = make_vm(&vcpu, guest_move, hcr_bits(hcr));

	while (run(vcpu) != UCALL_DONE)
		move(&vm, &vcpu, used);
	kvm_vm_free(vm);

	ksft_test_result_pass("in another VM%s, L1 and L2 keep what they may use (%s)\n",
			      used ? " that has run" : "", hcr_name[hcr]);
}

int main(void)
{
	int i;

	TEST_REQUIRE(kvm_has_cap(KVM_CAP_ARM_EL2));
	TEST_REQUIRE(kvm_has_ptrauth());
	TEST_REQUIRE(host_has_ptrauth());

	ptrauth_sign_all(&own_codes, NR_CHECKS);
	find_allowed_cpus();
	rng = new_kvm_random_state(SEED);

	ksft_print_header();
	ksft_set_plan(6 + 3 * ARRAY_SIZE(hcr_name));
	ksft_print_msg("The seed of the keys is 0x%lx\n", SEED);

	test(guest_share, "L1 and L2 find each other's keys");
	test(guest_traps, "L1 keeps its keys through an L2 without some or all use of them");
	test(guest_eretax, "ERETAA and ERETAB authenticate with the key of the moment");
	test_fgt(guest_trap_eret, "L1 gets the exception returns of L2 that it wants to know of");
	test_fgt(guest_trap_keys, "L1 gets L2's accesses to the keys that it wants to know of");
	test_turns();
	for (i = 0; i < ARRAY_SIZE(hcr_name); i++)
		test_preemption(i);
	for (i = 0; i < ARRAY_SIZE(hcr_name); i++)
		test_move(i, false);
	for (i = 0; i < ARRAY_SIZE(hcr_name); i++)
		test_move(i, true);

	ksft_finished();
}
