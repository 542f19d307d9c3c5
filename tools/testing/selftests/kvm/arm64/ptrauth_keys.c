// SPDX-License-Identifier: GPL-2.0-only
/*
 * ptrauth_keys - Test that guests keep their pointer authentication keys to
 * themselves, and that the process that runs them keeps its own.
 *
 * The key registers are not banked: host and guests share the same ten, and
 * KVM must exchange their contents. So each guest here sets random keys of its
 * own. It checks all ten registers and what they sign after each kind of exit,
 * after other guests had the CPU, and after a move to another CPU. The process
 * signs with its own keys after every run of a guest.
 *
 * PACs are compared with PACs from the same key registers and never with
 * constants, because each algorithm and implementation has its own.
 */
#include <elf.h>
#include <sched.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include <linux/sizes.h>

#include "allowed_cpus.h"
#include "arch_timer.h"
#include "gic.h"
#include "gic_v3.h"
#include "kvm_util.h"
#include "processor.h"
#include "ptrauth.h"
#include "test_util.h"
#include "vgic.h"

#define SEED		0x9ac5eedUL

#define NR_VMS		2
#define NR_VCPUS	4

/* How many PACs of each key a guest checks in the rounds of a test. */
#define NR_CHECKS	3

/* How many PACs of each key the process checks after each run of a guest. */
#define NR_HOST_CHECKS	2

/* How long the tests that wait for the scheduler go on at most. */
#define TIMEOUT_MS	10000

#define FAULT_GPA	BIT(30)
#define FAULT_SLOT	1

enum exit_kind {
	EXIT_HVC,
	EXIT_SYSREG,
	EXIT_FAULT,
	EXIT_VGIC,
	EXIT_UCALL,
	EXIT_WFI,
	EXIT_IRQ,
	EXIT_SIGNAL,
	NR_EXIT_KINDS,
};

/*
 * How a guest leaves, and the statistic that proves it did. Without the proof a
 * guest that never leaves would pass.
 */
static const struct {
	const char *name;
	const char *stat;
	unsigned int rounds;
	bool needs_gic;
} exit_kinds[NR_EXIT_KINDS] = {
	[EXIT_HVC]    = { "hypercall", "hvc_exit_stat", 50 },
	[EXIT_SYSREG] = { "trapped register", "exits", 50 },
	[EXIT_FAULT]  = { "stage 2 fault", "exits", 50 },
	[EXIT_VGIC]   = { "MMIO to the kernel", "mmio_exit_kernel", 50, true },
	[EXIT_UCALL]  = { "MMIO to user space", "mmio_exit_user", 50 },
	[EXIT_WFI]    = { "WFI", "wfi_exit_stat", 20, true },
	[EXIT_IRQ]    = { "timer interrupt", "exits", 20, true },
	[EXIT_SIGNAL] = { "signal", "signal_exits", 20 },
};

/* One for each vCPU, in the memory of its VM. */
struct vcpu_data {
	/* What the guest sets its registers to, and what they then sign. */
	struct ptrauth_keys keys;
	struct ptrauth_codes codes;

	/* What the guest found in them before, and what that signs. */
	struct ptrauth_keys found;
	struct ptrauth_codes found_codes;

	enum exit_kind kind;
	unsigned int rounds;
	unsigned int checks;
	unsigned int irqs;
	unsigned int undefs;
	u32 timer_irq;
	u64 stride;
	unsigned int half;
	u64 val;
	bool stop;
};

static struct vcpu_data vcpu_data[NR_VCPUS];

static struct kvm_random_state rng;
static struct ptrauth_codes host_codes;
static struct ptrauth_keys host_keys;
static unsigned long host_checks;
static unsigned long host_errors[PTRAUTH_NR_KEYS];

/* Guest code. */

static struct vcpu_data *guest_data(void)
{
	return &vcpu_data[guest_get_vcpuid()];
}

static void guest_check(struct vcpu_data *data, const char *when)
{
	ptrauth_guest_check(&data->keys, &data->codes, NR_CHECKS, when);
}

static struct vcpu_data *guest_start(void)
{
	struct vcpu_data *data = guest_data();

	ptrauth_read_keys(&data->found);
	ptrauth_enable();
	ptrauth_sign_all(&data->found_codes, PTRAUTH_NR_CODES);

	ptrauth_write_keys(&data->keys);
	ptrauth_sign_all(&data->codes, PTRAUTH_NR_CODES);
	guest_check(data, "at the start");

	return data;
}

static void guest_start_timer(void)
{
	timer_set_next_tval_ms(VIRTUAL, 2);
	timer_set_ctl(VIRTUAL, CTL_ENABLE);
}

static void guest_leave(struct vcpu_data *data, unsigned int round)
{
	unsigned int irqs = READ_ONCE(data->irqs);

	switch (data->kind) {
	case EXIT_HVC:
		ptrauth_guest_hypercall();
		break;
	case EXIT_SYSREG:
		GUEST_ASSERT(read_sysreg_s(SYS_ID_AA64ISAR1_EL1) ||
			     read_sysreg_s(SYS_ID_AA64ISAR2_EL1));
		break;
	case EXIT_FAULT:
		WRITE_ONCE(*(u64 *)(FAULT_GPA + round * data->stride), round);
		break;
	case EXIT_VGIC:
		GUEST_ASSERT(readl(GICD_BASE_GVA + GICD_TYPER));
		break;
	case EXIT_UCALL:
		GUEST_SYNC(round);
		break;
	case EXIT_WFI:
		/*
		 * A masked interrupt wakes the CPU, too. It has to be taken in
		 * the end, as the next WFI would not wait with one pending.
		 */
		guest_start_timer();
		do {
			wfi();
			guest_check(data, "woken up");
			local_irq_enable();
			isb();
			local_irq_disable();
		} while (READ_ONCE(data->irqs) == irqs);
		break;
	case EXIT_IRQ:
		guest_start_timer();
		local_irq_enable();
		while (READ_ONCE(data->irqs) == irqs)
			guest_check(data, "waiting for the interrupt");
		local_irq_disable();
		break;
	default:
		/* The host decides when a guest has had enough signals. */
		while (!READ_ONCE(data->stop))
			guest_check(data, "waiting for signals");
		break;
	}
}

static void guest_irq_handler(struct ex_regs *regs)
{
	struct vcpu_data *data = guest_data();
	unsigned int intid = gic_get_and_ack_irq();

	if (intid == IAR_SPURIOUS)
		return;

	__GUEST_ASSERT(intid == data->timer_irq, "interrupt %u", intid);
	timer_set_ctl(VIRTUAL, CTL_IMASK);
	guest_check(data, "in the interrupt handler");
	WRITE_ONCE(data->irqs, data->irqs + 1);
	gic_set_eoi(intid);
}

static void guest_exits(void)
{
	struct vcpu_data *data = guest_start();
	unsigned int round;

	if (exit_kinds[data->kind].needs_gic) {
		gic_init(GIC_V3, 1);
		timer_set_ctl(VIRTUAL, CTL_IMASK);
		gic_irq_enable(data->timer_irq);
	}

	GUEST_SYNC(0);
	for (round = 0; round < data->rounds; round++) {
		guest_leave(data, round);
		guest_check(data, exit_kinds[data->kind].name);
	}

	GUEST_DONE();
}

/* Alternate between using the keys and exits that others may use to step in. */
static void guest_loop(void)
{
	struct vcpu_data *data = guest_start();
	unsigned int i;

	GUEST_SYNC(0);
	while (!READ_ONCE(data->stop)) {
		for (i = 0; i < data->checks; i++)
			guest_check(data, "in the loop");
		ptrauth_guest_hypercall();
		guest_check(data, "after a hypercall");
		GUEST_SYNC(0);
		guest_check(data, "after an exit to user space");
	}

	GUEST_DONE();
}

enum one_reg_stage { STAGE_FOUND, STAGE_SET };

/* Show what the registers hold, set one half when told to, show again. */
static void guest_one_reg(void)
{
	struct vcpu_data *data = guest_data();

	ptrauth_enable();
	while (!READ_ONCE(data->stop)) {
		ptrauth_read_keys(&data->found);
		ptrauth_sign_all(&data->found_codes, PTRAUTH_NR_CODES);
		GUEST_SYNC(STAGE_FOUND);

		ptrauth_write_half(READ_ONCE(data->half), READ_ONCE(data->val));
		ptrauth_sign_all(&data->codes, PTRAUTH_NR_CODES);
		GUEST_SYNC(STAGE_SET);
	}

	GUEST_DONE();
}

static void guest_undef_handler(struct ex_regs *regs)
{
	struct vcpu_data *data = guest_data();

	WRITE_ONCE(data->undefs, data->undefs + 1);
	regs->pc += 4;
}

#define guest_assert_undef(expr, fmt, ...)				\
do {									\
	unsigned int __before = READ_ONCE(data->undefs);		\
									\
	expr;								\
	__GUEST_ASSERT(READ_ONCE(data->undefs) == __before + 1,		\
		       fmt " is not undefined", ##__VA_ARGS__);		\
} while (0)

/* Without the feature there is no way to read, change, or use a key. */
static void guest_without(void)
{
	struct vcpu_data *data = guest_data();
	unsigned int half, key;

	ptrauth_enable();
	while (!READ_ONCE(data->stop)) {
		for (half = 0; half < PTRAUTH_NR_HALVES; half++) {
			guest_assert_undef(ptrauth_read_half(half), "reading %s",
					   ptrauth_half_name[half]);
			guest_assert_undef(ptrauth_write_half(half, ~0UL),
					   "writing %s", ptrauth_half_name[half]);
		}
		for (key = 0; key < PTRAUTH_NR_KEYS; key++)
			guest_assert_undef(ptrauth_sign(key, ptrauth_pointer(0), 0),
					   "signing with %s", ptrauth_key_name[key]);
		GUEST_SYNC(0);
	}

	GUEST_DONE();
}

/* Host code. */

/*
 * Look at the process's own keys through what they sign. Called right after
 * KVM_RUN, since a switch to another thread and back would set them again.
 */
static void host_check_keys(unsigned int nr)
{
	unsigned int key, i;
	u64 code;

	for (key = 0; key < PTRAUTH_NR_KEYS; key++) {
		for (i = 0; i < nr; i++) {
			code = ptrauth_sign(key, ptrauth_pointer(i),
					    ptrauth_modifier(i));
			if (code == host_codes.code[key][i])
				continue;
			if (!__atomic_fetch_add(&host_errors[key], 1,
						__ATOMIC_RELAXED))
				ksft_print_msg("host: %s signs 0x%lx as 0x%lx, should be 0x%lx\n",
					       ptrauth_key_name[key],
					       ptrauth_pointer(i), code,
					       host_codes.code[key][i]);
		}
	}
	__atomic_fetch_add(&host_checks, 1, __ATOMIC_RELAXED);
}

enum outcome { OUTCOME_SYNC, OUTCOME_DONE, OUTCOME_SIGNAL, OUTCOME_FAILED };

/* Run a vCPU until its next ucall. The stage is that of a sync. */
static enum outcome run_vcpu(struct kvm_vcpu *vcpu, u64 *stage)
{
	struct ucall uc;
	int ret, err;

	ret = __vcpu_run(vcpu);
	err = errno;
	host_check_keys(NR_HOST_CHECKS);

	if (ret && err == EINTR)
		return OUTCOME_SIGNAL;
	if (ret) {
		ksft_print_msg("KVM_RUN: %s\n", strerror(err));
		return OUTCOME_FAILED;
	}

	switch (get_ucall(vcpu, &uc)) {
	case UCALL_SYNC:
		if (stage)
			*stage = uc.args[1];
		return OUTCOME_SYNC;
	case UCALL_DONE:
		return OUTCOME_DONE;
	case UCALL_ABORT:
		ksft_print_msg("vCPU %u: %s\n", vcpu->id, uc.buffer);
		return OUTCOME_FAILED;
	case UCALL_UNHANDLED:
		ksft_print_msg("vCPU %u: exception vector %lu, class 0x%lx at 0x%lx\n",
			       vcpu->id, uc.args[0], uc.args[1],
			       vcpu_get_reg(vcpu, ARM64_CORE_REG(elr_el1)));
		return OUTCOME_FAILED;
	default:
		ksft_print_msg("vCPU %u: exit reason %u\n", vcpu->id,
			       vcpu->run->exit_reason);
		return OUTCOME_FAILED;
	}
}

static struct vcpu_data *vcpu_data_of(struct kvm_vcpu *vcpu)
{
	return addr_gva2hva(vcpu->vm, (gva_t)&vcpu_data[vcpu->id]);
}

static struct kvm_vm *create_vm(unsigned int nr_vcpus, void *guest_code,
				bool ptrauth, struct kvm_vcpu *vcpus[])
{
	struct kvm_vcpu_init init;
	struct vcpu_data *data;
	struct kvm_vm *vm;
	unsigned int i;

	vm = vm_create(nr_vcpus);
	ptrauth_vcpu_init(vm, ptrauth, &init);

	vm_init_descriptor_tables(vm);
	vm_install_exception_handler(vm, VECTOR_IRQ_CURRENT, guest_irq_handler);
	if (!ptrauth)
		vm_install_sync_handler(vm, VECTOR_SYNC_CURRENT,
					ESR_ELx_EC_UNKNOWN, guest_undef_handler);

	for (i = 0; i < nr_vcpus; i++) {
		vcpus[i] = aarch64_vcpu_add(vm, i, &init, guest_code);
		vcpu_init_descriptor_tables(vcpus[i]);

		data = vcpu_data_of(vcpus[i]);
		memset(data, 0, sizeof(*data));
		ptrauth_random_keys(&rng, &data->keys);
		data->checks = 1;
		if (vm->arch.has_gic)
			data->timer_irq = vcpu_get_vtimer_irq(vcpus[i]);
	}
	kvm_arch_vm_finalize_vcpus(vm);

	return vm;
}

static u64 get_stat(struct kvm_vcpu *vcpu, const char *name)
{
	u64 val;

	kvm_get_stat(&vcpu->stats, name, &val, 1);
	return val;
}

static void ignore_signal(int sig)
{
}

static void set_timer(int ms)
{
	struct itimerval timer = {
		.it_interval.tv_usec = ms * 1000,
		.it_value.tv_usec = ms * 1000,
	};

	TEST_ASSERT(!setitimer(ITIMER_REAL, &timer, NULL), "Cannot set a timer");
}

static void test_exit_kind(enum exit_kind kind)
{
	const unsigned int rounds = exit_kinds[kind].rounds;
	unsigned int signals = 0, npages;
	struct vcpu_data *data;
	struct kvm_vcpu *vcpu;
	enum outcome outcome;
	struct kvm_vm *vm;
	u64 exits;

	if (exit_kinds[kind].needs_gic && !kvm_supports_vgic_v3()) {
		ksft_test_result_skip("%s needs a GICv3\n", exit_kinds[kind].name);
		return;
	}

	vm = create_vm(1, guest_exits, true, &vcpu);
	data = vcpu_data_of(vcpu);
	data->kind = kind;
	data->rounds = kind == EXIT_SIGNAL ? 1 : rounds;

	if (kind == EXIT_FAULT) {
		data->stride = max_t(u64, getpagesize(), vm->page_size);
		npages = rounds * data->stride / vm->page_size;
		vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, FAULT_GPA,
					    FAULT_SLOT, npages, 0);
		virt_map(vm, FAULT_GPA, FAULT_GPA, npages);
	}

	/* Exits before the guest begins do not count. */
	outcome = run_vcpu(vcpu, NULL);
	exits = get_stat(vcpu, exit_kinds[kind].stat);
	if (kind == EXIT_SIGNAL)
		set_timer(2);
	while (outcome == OUTCOME_SYNC || outcome == OUTCOME_SIGNAL) {
		outcome = run_vcpu(vcpu, NULL);
		if (outcome == OUTCOME_SIGNAL && ++signals == rounds) {
			set_timer(0);
			WRITE_ONCE(data->stop, true);
		}
	}
	exits = get_stat(vcpu, exit_kinds[kind].stat) - exits;

	/* A timer that fires early may spare the guest an exit now and then. */
	if (exits < rounds / 2)
		ksft_print_msg("%s is only %lu, expected %u\n",
			       exit_kinds[kind].stat, exits, rounds);
	ksft_test_result(outcome == OUTCOME_DONE && exits >= rounds / 2,
			 "a guest keeps its keys across: %s\n",
			 exit_kinds[kind].name);

	kvm_vm_free(vm);
}

/* Whether some key of two vCPUs signs alike, which would hide a mix-up. */
static bool any_same_key(struct kvm_vcpu *a, struct kvm_vcpu *b)
{
	unsigned int key;

	for (key = 0; key < PTRAUTH_NR_KEYS; key++) {
		if (ptrauth_same_codes(&vcpu_data_of(a)->codes,
				       &vcpu_data_of(b)->codes, key, ~0UL)) {
			ksft_print_msg("two vCPUs have the same PACs for %s\n",
				       ptrauth_key_name[key]);
			return true;
		}
	}

	return false;
}

static bool all_distinct(struct kvm_vcpu *vcpus[], unsigned int nr)
{
	unsigned int i, j;

	for (i = 0; i < nr; i++)
		for (j = 0; j < i; j++)
			if (any_same_key(vcpus[i], vcpus[j]))
				return false;

	return true;
}

/* One thread runs one vCPU after the other: a fixed order on a single CPU. */
static void test_turns(void)
{
	struct kvm_vcpu *vcpus[NR_VMS * NR_VCPUS];
	struct kvm_vm *vms[NR_VMS];
	bool ok = true;
	int i, round;

	for (i = 0; i < NR_VMS; i++)
		vms[i] = create_vm(NR_VCPUS, guest_loop, true, &vcpus[i * NR_VCPUS]);

	pin_self_to_cpu(next_allowed_cpu(-1));
	for (round = 0; ok && round < 20; round++)
		for (i = 0; ok && i < ARRAY_SIZE(vcpus); i++)
			ok = run_vcpu(vcpus[i], NULL) == OUTCOME_SYNC;
	unpin_self();

	ok = ok && all_distinct(vcpus, ARRAY_SIZE(vcpus));
	ksft_test_result(ok, "%zu vCPUs of %d VMs taking turns in one thread keep their keys\n",
			 ARRAY_SIZE(vcpus), NR_VMS);

	for (i = 0; i < NR_VMS; i++)
		kvm_vm_free(vms[i]);
}

struct runner {
	struct kvm_vcpu *vcpu;
	pthread_t thread;
	pid_t tid;
	unsigned int syncs;
	unsigned int moves;
	unsigned long preemptions;
	bool yield;
	bool finished;
	bool ok;
};

static void *runner_thread(void *arg)
{
	struct runner *runner = arg;
	int cpu, last_cpu = sched_getcpu();
	enum outcome outcome;
	struct rusage usage;

	WRITE_ONCE(runner->tid, kvm_gettid());
	do {
		outcome = run_vcpu(runner->vcpu, NULL);

		cpu = sched_getcpu();
		if (cpu != last_cpu)
			WRITE_ONCE(runner->moves, runner->moves + 1);
		last_cpu = cpu;
		if (!getrusage(RUSAGE_THREAD, &usage))
			WRITE_ONCE(runner->preemptions, usage.ru_nivcsw);
		WRITE_ONCE(runner->syncs, runner->syncs + 1);

		if (runner->yield)
			sched_yield();
	} while (outcome == OUTCOME_SYNC || outcome == OUTCOME_SIGNAL);

	runner->ok = outcome == OUTCOME_DONE;
	WRITE_ONCE(runner->finished, true);

	return NULL;
}

static void start_runner(struct runner *runner)
{
	/* The guest checks its keys long enough to be preempted doing so. */
	vcpu_data_of(runner->vcpu)->checks = 40;
	TEST_ASSERT(!pthread_create(&runner->thread, NULL, runner_thread, runner),
		    "Cannot create a thread");
}

static bool stop_runners(struct runner *runners, unsigned int nr)
{
	bool ok = true;
	unsigned int i;

	for (i = 0; i < nr; i++)
		WRITE_ONCE(vcpu_data_of(runners[i].vcpu)->stop, true);
	for (i = 0; i < nr; i++) {
		pthread_join(runners[i].thread, NULL);
		ok &= runners[i].ok;
	}

	return ok;
}

/* Threads of several VMs on one CPU: the scheduler decides who is next. */
static void test_one_cpu(void)
{
	struct runner runners[NR_VMS * NR_VCPUS] = {};
	struct kvm_vcpu *vcpus[ARRAY_SIZE(runners)];
	unsigned long preemptions;
	struct kvm_vm *vms[NR_VMS];
	unsigned int i, ms, syncs;
	bool ok, failed;

	for (i = 0; i < NR_VMS; i++)
		vms[i] = create_vm(NR_VCPUS, guest_loop, true, &vcpus[i * NR_VCPUS]);

	/* Threads inherit where to run. */
	pin_self_to_cpu(next_allowed_cpu(-1));
	for (i = 0; i < ARRAY_SIZE(runners); i++) {
		runners[i].vcpu = vcpus[i];
		runners[i].yield = true;
		start_runner(&runners[i]);
	}
	unpin_self();

	for (ms = 0; ms < TIMEOUT_MS; ms += 20) {
		usleep(20000);
		failed = false;
		preemptions = 0;
		syncs = ~0U;
		for (i = 0; i < ARRAY_SIZE(runners); i++) {
			failed |= READ_ONCE(runners[i].finished);
			preemptions += READ_ONCE(runners[i].preemptions);
			syncs = min(syncs, READ_ONCE(runners[i].syncs));
		}
		if (failed || (syncs >= 20 && preemptions >= 100))
			break;
	}
	ok = stop_runners(runners, ARRAY_SIZE(runners));
	ok = ok && all_distinct(vcpus, ARRAY_SIZE(vcpus));

	ksft_print_msg("%u rounds of each vCPU, %lu preemptions\n", syncs, preemptions);
	ksft_test_result(ok && syncs >= 2 && preemptions,
			 "%zu vCPUs of %d VMs sharing a CPU keep their keys\n",
			 ARRAY_SIZE(runners), NR_VMS);

	for (i = 0; i < NR_VMS; i++)
		kvm_vm_free(vms[i]);
}

/* The two vCPUs chase each other over the CPUs, in and out of the guest. */
static void test_migration(void)
{
	struct runner runners[2] = {};
	struct kvm_vcpu *vcpus[ARRAY_SIZE(runners)];
	unsigned int i, ms, moves = 0;
	bool ok, failed;
	struct kvm_vm *vm;
	cpu_set_t set;
	int cpu;

	if (CPU_COUNT(&allowed_cpus) < 2) {
		ksft_test_result_skip("moving a vCPU needs a second CPU\n");
		return;
	}

	vm = create_vm(ARRAY_SIZE(runners), guest_loop, true, vcpus);
	for (i = 0; i < ARRAY_SIZE(runners); i++) {
		runners[i].vcpu = vcpus[i];
		start_runner(&runners[i]);
		while (!READ_ONCE(runners[i].tid))
			usleep(100);
	}

	cpu = next_allowed_cpu(-1);
	for (ms = 0; ms < TIMEOUT_MS; ms++) {
		failed = false;
		moves = ~0U;
		for (i = 0; i < ARRAY_SIZE(runners); i++) {
			CPU_ZERO(&set);
			CPU_SET(cpu, &set);
			/* A thread that is gone has failed, and says why. */
			sched_setaffinity(runners[i].tid, sizeof(set), &set);
			cpu = next_allowed_cpu(cpu);
			failed |= READ_ONCE(runners[i].finished);
			moves = min(moves, READ_ONCE(runners[i].moves));
		}
		if (failed || moves >= 60)
			break;
		/* An odd step, so that with two CPUs they change places, too. */
		cpu = next_allowed_cpu(cpu);
		usleep(1000);
	}
	ok = stop_runners(runners, ARRAY_SIZE(runners));
	ok = ok && all_distinct(vcpus, ARRAY_SIZE(vcpus));

	ksft_print_msg("at least %u moves of each vCPU\n", moves);
	ksft_test_result(ok && moves >= 5,
			 "vCPUs moving between CPUs keep their keys\n");

	kvm_vm_free(vm);
}

/* Whether the vCPU's registers, seen from user space, are @keys. */
static bool vcpu_has_keys(struct kvm_vcpu *vcpu, const struct ptrauth_keys *keys,
			  const char *when)
{
	unsigned int half;
	bool ok = true;
	u64 val;

	for (half = 0; half < PTRAUTH_NR_HALVES; half++) {
		val = vcpu_get_reg(vcpu, ptrauth_half_id[half]);
		if (val == keys->half[half])
			continue;
		ksft_print_msg("%s: user space reads %s as 0x%lx, should be 0x%lx\n",
			       when, ptrauth_half_name[half], val, keys->half[half]);
		ok = false;
	}

	return ok;
}

static bool guest_found_keys(struct vcpu_data *data, const struct ptrauth_keys *keys,
			     const char *when)
{
	unsigned int half;
	bool ok = true;

	for (half = 0; half < PTRAUTH_NR_HALVES; half++) {
		if (data->found.half[half] == keys->half[half])
			continue;
		ksft_print_msg("%s: the guest reads %s as 0x%lx, should be 0x%lx\n",
			       when, ptrauth_half_name[half],
			       data->found.half[half], keys->half[half]);
		ok = false;
	}

	return ok;
}

/* Exactly the PACs of the changed key may differ. */
static bool only_key_changed(const struct ptrauth_codes *before,
			     const struct ptrauth_codes *after,
			     enum ptrauth_key changed, const char *when)
{
	bool ok = true, same, wanted;
	unsigned int key;

	for (key = 0; key < PTRAUTH_NR_KEYS; key++) {
		same = ptrauth_same_codes(before, after, key, ~0UL);
		wanted = key != changed;
		if (same == wanted)
			continue;
		ksft_print_msg("%s: %s %s\n", when, ptrauth_key_name[key], same ?
			       "still signs the same" : "signs differently");
		ok = false;
	}

	return ok;
}

/*
 * One half at a time, first from user space and then from the guest, with a
 * look at all the others from both sides.
 */
static void test_one_reg(void)
{
	struct ptrauth_codes before;
	struct ptrauth_keys keys;
	struct vcpu_data *data;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	unsigned int half;
	bool ok, ran;
	u64 stage;

	vm = create_vm(1, guest_one_reg, true, &vcpu);
	data = vcpu_data_of(vcpu);
	keys = data->keys;
	for (half = 0; half < PTRAUTH_NR_HALVES; half++)
		vcpu_set_reg(vcpu, ptrauth_half_id[half], keys.half[half]);

	/* One round without a change gives the PACs to compare with. */
	data->half = 0;
	data->val = keys.half[0];
	ran = run_vcpu(vcpu, NULL) == OUTCOME_SYNC &&
	      run_vcpu(vcpu, NULL) == OUTCOME_SYNC;
	ok = ran && guest_found_keys(data, &keys, "before the first run");
	ok = ok && vcpu_has_keys(vcpu, &keys, "after the first run");
	ksft_test_result(ok, "user space and guest agree on the keys\n");

	for (half = 0; half < PTRAUTH_NR_HALVES; half++) {
		before = data->codes;
		keys.half[half] = kvm_random_u64(&rng);
		vcpu_set_reg(vcpu, ptrauth_half_id[half], keys.half[half]);
		ok = vcpu_has_keys(vcpu, &keys, "user space wrote");

		/* A guest that has failed once is not fit to run again. */
		ran = ran && run_vcpu(vcpu, &stage) == OUTCOME_SYNC &&
		      stage == STAGE_FOUND;
		ok &= guest_found_keys(data, &keys, "user space wrote");
		ok &= only_key_changed(&before, &data->found_codes, half / 2,
				       "user space wrote");
		ok &= vcpu_has_keys(vcpu, &keys, "user space wrote and guest ran");

		keys.half[half] = kvm_random_u64(&rng);
		data->half = half;
		data->val = keys.half[half];
		ran = ran && run_vcpu(vcpu, &stage) == OUTCOME_SYNC &&
		      stage == STAGE_SET;
		ok &= vcpu_has_keys(vcpu, &keys, "guest wrote");
		ok &= only_key_changed(&data->found_codes, &data->codes, half / 2,
				       "guest wrote");

		ksft_test_result(ok && ran, "user space and guest pass each other %s\n",
				 ptrauth_half_name[half]);
	}

	kvm_vm_free(vm);
}

/*
 * A new vCPU comes to a CPU on which the process has used its keys and another
 * guest its own, and must see neither.
 */
static void test_isolation(void)
{
	struct kvm_vcpu *old, *new;
	struct ptrauth_keys reset;
	struct vcpu_data *data;
	struct kvm_vm *vms[2];
	unsigned int key, half;
	bool ran, ok;

	for (half = 0; half < PTRAUTH_NR_HALVES; half++)
		reset.half[half] = PTRAUTH_RESET_VALUE;

	vms[0] = create_vm(1, guest_loop, true, &old);
	vms[1] = create_vm(1, guest_loop, true, &new);
	data = vcpu_data_of(new);

	pin_self_to_cpu(next_allowed_cpu(-1));
	ok = vcpu_has_keys(new, &reset, "before the first run");
	ran = run_vcpu(old, NULL) == OUTCOME_SYNC;
	host_check_keys(PTRAUTH_NR_CODES);
	ran = ran && run_vcpu(new, NULL) == OUTCOME_SYNC;
	unpin_self();

	ok &= guest_found_keys(data, &reset, "in the first run");
	ksft_test_result(ran && ok, "a new vCPU finds the reset value in its key registers\n");

	ok = ran;
	for (key = 0; key < PTRAUTH_NR_KEYS; key++) {
		u64 mask = ptrauth_common_mask(key);

		if (!ptrauth_same_codes(&data->found_codes, &host_codes, key, mask) &&
		    !ptrauth_same_codes(&data->codes, &host_codes, key, mask))
			continue;
		ksft_print_msg("%s signs as it does on the host\n",
			       ptrauth_key_name[key]);
		ok = false;
	}
	ksft_test_result(ok, "a guest never signs with the keys of the process\n");

	ok = ran;
	for (key = 0; key < PTRAUTH_NR_KEYS; key++) {
		struct ptrauth_codes *codes = &vcpu_data_of(old)->codes;

		if (!ptrauth_same_codes(&data->found_codes, codes, key, ~0UL) &&
		    !ptrauth_same_codes(&data->codes, codes, key, ~0UL))
			continue;
		ksft_print_msg("%s signs as it does in the other guest\n",
			       ptrauth_key_name[key]);
		ok = false;
	}
	ksft_test_result(ok, "a guest never signs with the keys of another one\n");

	kvm_vm_free(vms[0]);
	kvm_vm_free(vms[1]);
}

/*
 * A process cannot read its own keys, but can those of a child that it traces.
 * A child that has not called execve() has the keys of its parent.
 */
static bool get_host_keys(struct ptrauth_keys *keys)
{
	struct iovec address = { keys->half, 8 * sizeof(u64) };
	struct iovec generic = { keys->half + 8, 2 * sizeof(u64) };
	bool ok = false;
	pid_t pid;
	int status;

	pid = ptrauth_fork();
	if (!pid) {
		if (!ptrace(PTRACE_TRACEME, 0, NULL, NULL))
			raise(SIGSTOP);
		_exit(0);
	}

	TEST_ASSERT(waitpid(pid, &status, 0) == pid, "Cannot wait for the child");
	if (WIFSTOPPED(status)) {
		ok = !ptrace(PTRACE_GETREGSET, pid, NT_ARM_PACA_KEYS, &address) &&
		     !ptrace(PTRACE_GETREGSET, pid, NT_ARM_PACG_KEYS, &generic) &&
		     address.iov_len == 8 * sizeof(u64) &&
		     generic.iov_len == 2 * sizeof(u64);
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
	}

	return ok;
}

/*
 * A guest with the keys of the process signs as the process does. This is what
 * gives the comparisons between guest and host PACs their meaning.
 */
static void test_same_keys(void)
{
	struct vcpu_data *data;
	struct kvm_vcpu *vcpu;
	unsigned int key, half;
	struct kvm_vm *vm;
	bool ok;

	if (!get_host_keys(&host_keys)) {
		ksft_test_result_skip("reading own keys needs CONFIG_CHECKPOINT_RESTORE\n");
		return;
	}

	vm = create_vm(1, guest_one_reg, true, &vcpu);
	data = vcpu_data_of(vcpu);
	for (half = 0; half < PTRAUTH_NR_HALVES; half++)
		vcpu_set_reg(vcpu, ptrauth_half_id[half], host_keys.half[half]);

	ok = run_vcpu(vcpu, NULL) == OUTCOME_SYNC;
	for (key = 0; ok && key < PTRAUTH_NR_KEYS; key++) {
		ok = ptrauth_same_codes(&data->found_codes, &host_codes, key,
					ptrauth_common_mask(key));
		if (!ok)
			ksft_print_msg("%s does not\n", ptrauth_key_name[key]);
	}
	ksft_test_result(ok, "a guest given the keys of the process signs like it\n");

	kvm_vm_free(vm);
}

/* A guest that has no keys shares the CPU with one that does. */
static void test_without(void)
{
	struct kvm_vcpu *with, *without;
	bool ok_with = true, ok_without = true;
	struct kvm_vm *vms[2];
	int i;

	vms[0] = create_vm(1, guest_loop, true, &with);
	vms[1] = create_vm(1, guest_without, false, &without);

	pin_self_to_cpu(next_allowed_cpu(-1));
	for (i = 0; ok_with && ok_without && i < 20; i++) {
		ok_with = run_vcpu(with, NULL) == OUTCOME_SYNC;
		ok_without = run_vcpu(without, NULL) == OUTCOME_SYNC;
	}
	unpin_self();

	ksft_test_result(ok_without, "a guest without the feature cannot get at a key\n");
	ksft_test_result(ok_with, "a guest with the feature keeps its keys next to it\n");

	kvm_vm_free(vms[0]);
	kvm_vm_free(vms[1]);
}

/*
 * All runs of guests in all tests have checked the process's keys a little. Do
 * a few runs with every PAC, and sum up.
 */
static void test_host_keys(void)
{
	struct kvm_vcpu *vcpu;
	unsigned int key, i;
	struct kvm_vm *vm;
	bool ok = true;
	u64 ptr;

	vm = create_vm(1, guest_loop, true, &vcpu);
	for (i = 0; ok && i < 20; i++) {
		ok = run_vcpu(vcpu, NULL) == OUTCOME_SYNC;
		host_check_keys(PTRAUTH_NR_CODES);
	}

	/* With wrong keys authentication may be fatal, so it comes last. */
	for (key = 0; key < PTRAUTH_NR_KEYS; key++) {
		if (key != PTRAUTH_APGA && !host_errors[key]) {
			ok = ok && run_vcpu(vcpu, NULL) == OUTCOME_SYNC;
			ptr = ptrauth_auth(key, host_codes.code[key][0],
					   ptrauth_modifier(0));
			if (ptr != ptrauth_pointer(0))
				host_errors[key]++;
		}
		ksft_test_result(ok && !host_errors[key],
				 "the process kept its key %s in %lu runs of guests\n",
				 ptrauth_key_name[key], host_checks);
	}

	kvm_vm_free(vm);
}

int main(void)
{
	int i;

	TEST_REQUIRE(kvm_has_cap(KVM_CAP_ARM_PTRAUTH_ADDRESS));
	TEST_REQUIRE(kvm_has_cap(KVM_CAP_ARM_PTRAUTH_GENERIC));
	TEST_REQUIRE(host_has_ptrauth());

	rng = new_kvm_random_state(SEED);
	ptrauth_sign_all(&host_codes, PTRAUTH_NR_CODES);
	signal(SIGALRM, ignore_signal);
	find_allowed_cpus();

	ksft_print_header();
	ksft_set_plan(NR_EXIT_KINDS + 3 + 1 + PTRAUTH_NR_HALVES + 3 + 1 + 2 +
		      PTRAUTH_NR_KEYS);
	ksft_print_msg("The seed of the keys is 0x%lx\n", SEED);

	for (i = 0; i < NR_EXIT_KINDS; i++)
		test_exit_kind(i);
	test_turns();
	test_one_cpu();
	test_migration();
	test_one_reg();
	test_isolation();
	test_same_keys();
	test_without();
	test_host_keys();

	ksft_finished();
}
