// SPDX-License-Identifier: GPL-2.0-only
/*
 * ptrauth_residency - Test that the right keys are in use, whatever takes the CPU
 * away from a vCPU or changes keys meanwhile.
 *
 * KVM may leave a guest's keys on the CPU while the vCPU is loaded. It must save
 * them before anything else can use them. So the test goes through what loads and
 * puts a vCPU, or happens to a loaded one: preemption, migration, a CPU that goes
 * offline, other guests, a debugger, fork, and user space that sets or resets the
 * registers of the vCPU.
 *
 * Guests assert that their registers and PACs are their own. Each process or
 * thread around them asserts the same of what it signs.
 */
#include <elf.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "allowed_cpus.h"
#include "kvm_util.h"
#include "processor.h"
#include "ptrauth.h"
#include "test_util.h"

#define SEED		0x9ac5eedUL

#define NR_MOVES	2000
#define NR_TURNS	1000
#define NR_PREEMPTIONS	1000
#define NR_UNPLUGS	8
#define NR_DEBUGS	50
#define NR_FORKS	50
#define NR_RESETS	20

/* How many PACs of each key to check, in the guest and outside. */
#define NR_CHECKS	3

/* How long a test that waits for the scheduler goes on at most. */
#define TIMEOUT_MS	20000

/* In the memory of each VM. */
struct guest {
	struct ptrauth_keys keys;
	struct ptrauth_codes codes;
	struct ptrauth_keys found;
	/* What the host says. */
	bool spin;
	bool new_keys;
};

static struct guest guest;

static struct kvm_random_state rng;

/* What this thread, and each that it starts or forks, signs. */
static struct ptrauth_codes own_codes;

/* Guest code. */

static void guest_code(void)
{
	ptrauth_read_keys(&guest.found);
	ptrauth_enable();
	ptrauth_write_keys(&guest.keys);
	ptrauth_sign_all(&guest.codes, PTRAUTH_NR_CODES);

	for (;;) {
		do {
			if (READ_ONCE(guest.new_keys)) {
				ptrauth_sign_all(&guest.codes, PTRAUTH_NR_CODES);
				WRITE_ONCE(guest.new_keys, false);
			}
			ptrauth_guest_check(&guest.keys, &guest.codes, NR_CHECKS,
					    "in the loop");
		} while (READ_ONCE(guest.spin));
		GUEST_SYNC(0);
	}
}

/* Host code. */

static struct guest *guest_of(struct kvm_vcpu *vcpu)
{
	return addr_gva2hva(vcpu->vm, (gva_t)&guest);
}

static struct kvm_vcpu *create_vm(void)
{
	struct kvm_vcpu_init init;
	struct kvm_vcpu *vcpu;
	struct guest *data;
	struct kvm_vm *vm;

	vm = vm_create(1);
	ptrauth_vcpu_init(vm, true, &init);
	vcpu = aarch64_vcpu_add(vm, 0, &init, guest_code);
	kvm_arch_vm_finalize_vcpus(vm);

	data = guest_of(vcpu);
	memset(data, 0, sizeof(*data));
	ptrauth_random_keys(&rng, &data->keys);

	return vcpu;
}

/* Run a guest for a while. Check right after that, before anything changes keys. */
static void run(struct kvm_vcpu *vcpu)
{
	vcpu_run(vcpu);
	ptrauth_host_check(&own_codes, NR_CHECKS, "after KVM_RUN");
	TEST_ASSERT(ptrauth_get_ucall(vcpu) == UCALL_SYNC, "The guest has come to an end");
}

/* A thread that runs a guest until it is told to stop. */
struct worker {
	struct kvm_vcpu *vcpu;
	pthread_t thread;
	unsigned long preemptions;
	bool stop;
};

static void *worker_thread(void *arg)
{
	struct worker *worker = arg;
	struct rusage usage;

	while (!READ_ONCE(worker->stop)) {
		run(worker->vcpu);
		if (!getrusage(RUSAGE_THREAD, &usage))
			WRITE_ONCE(worker->preemptions, usage.ru_nivcsw);
	}

	return NULL;
}

static void start_worker(struct worker *worker, bool spin)
{
	memset(worker, 0, sizeof(*worker));
	worker->vcpu = create_vm();
	guest_of(worker->vcpu)->spin = spin;
	pthread_create(&worker->thread, NULL, worker_thread, worker);
}

static void stop_worker(struct worker *worker)
{
	WRITE_ONCE(worker->stop, true);
	WRITE_ONCE(guest_of(worker->vcpu)->spin, false);
	pthread_join(worker->thread, NULL);
	kvm_vm_free(worker->vcpu->vm);
}

/* Put on one CPU, load on the next. */
static void test_moves(void)
{
	struct kvm_vcpu *vcpu;
	int cpu = -1, i;

	if (CPU_COUNT(&allowed_cpus) < 2) {
		ksft_test_result_skip("moving a vCPU needs a second CPU\n");
		return;
	}

	vcpu = create_vm();
	for (i = 0; i < NR_MOVES; i++) {
		cpu = next_allowed_cpu(cpu);
		pin_self_to_cpu(cpu);
		run(vcpu);
	}
	unpin_self();
	kvm_vm_free(vcpu->vm);

	ksft_test_result_pass("%d moves to another CPU\n", NR_MOVES);
}

/* The host looks at its own keys in between. */
static void test_turns(void)
{
	struct kvm_vcpu *vcpus[2];
	int i;

	pin_self_to_cpu(next_allowed_cpu(-1));
	for (i = 0; i < ARRAY_SIZE(vcpus); i++)
		vcpus[i] = create_vm();
	for (i = 0; i < NR_TURNS; i++)
		run(vcpus[i % ARRAY_SIZE(vcpus)]);
	unpin_self();
	for (i = 0; i < ARRAY_SIZE(vcpus); i++)
		kvm_vm_free(vcpus[i]->vm);

	ksft_test_result_pass("%d turns of two VMs on one CPU\n", NR_TURNS);
}

struct neighbour {
	pthread_t thread;
	unsigned long wakeups;
	bool stop;
};

/*
 * A real-time thread with keys of its own. It preempts the guest's thread at any
 * point between load and put.
 */
static void *neighbour_thread(void *arg)
{
	struct kvm_random_state random = new_kvm_random_state(SEED);
	struct neighbour *neighbour = arg;
	struct ptrauth_codes codes;
	struct timespec pause = {};

	TEST_ASSERT(!prctl(PR_PAC_RESET_KEYS, 0, 0, 0, 0), "Cannot get other keys");
	ptrauth_sign_all(&codes, PTRAUTH_NR_CODES);

	while (!READ_ONCE(neighbour->stop)) {
		pause.tv_nsec = 20000 + kvm_random_u32(&random) % 400000;
		nanosleep(&pause, NULL);
		ptrauth_host_check(&codes, NR_CHECKS, "a neighbour");
		WRITE_ONCE(neighbour->wakeups, neighbour->wakeups + 1);
	}

	return NULL;
}

static void test_preemption(bool spin)
{
	struct sched_param param = { .sched_priority = 1 };
	struct neighbour neighbour = {};
	struct worker worker;
	int err, ms;

	pin_self_to_cpu(next_allowed_cpu(-1));
	start_worker(&worker, spin);
	pthread_create(&neighbour.thread, NULL, neighbour_thread, &neighbour);
	unpin_self();

	err = pthread_setschedparam(neighbour.thread, SCHED_FIFO, &param);
	for (ms = 0; !err && ms < TIMEOUT_MS; ms += 20) {
		usleep(20000);
		if (READ_ONCE(neighbour.wakeups) >= NR_PREEMPTIONS &&
		    (spin || READ_ONCE(worker.preemptions) >= NR_PREEMPTIONS / 10))
			break;
	}

	WRITE_ONCE(neighbour.stop, true);
	pthread_join(neighbour.thread, NULL);
	stop_worker(&worker);

	if (err)
		ksft_test_result_skip("preemption needs the right to use SCHED_FIFO\n");
	else
		ksft_test_result(neighbour.wakeups >= 10 && worker.preemptions,
				 "a real-time neighbour that woke up %lu times, guest %s\n",
				 neighbour.wakeups, spin ? "stays inside" : "exits");
}

/* Either the guest runs on the CPU that goes away, or it was the last to do so. */
static void test_unplug(bool spin)
{
	int i, stay = next_allowed_cpu(-1), leave = next_allowed_cpu(stay);
	struct kvm_vcpu *vcpu;
	struct worker worker;

	if (stay == leave || !set_cpu_online(leave, true)) {
		ksft_test_result_skip("hot-unplug needs a CPU to unplug and the right to\n");
		return;
	}

	vcpu = create_vm();
	start_worker(&worker, spin);
	for (i = 0; i < NR_UNPLUGS; i++) {
		pin_task_to_cpu(worker.thread, leave);
		pin_self_to_cpu(leave);
		run(vcpu);
		pin_self_to_cpu(stay);
		usleep(2000);
		TEST_ASSERT(set_cpu_online(leave, false), "Cannot unplug CPU %d", leave);
		run(vcpu);
		usleep(2000);
		bring_cpu_back(leave);
	}
	unpin_self();
	stop_worker(&worker);
	kvm_vm_free(vcpu->vm);

	ksft_test_result_pass("%d times a CPU goes away, guest on it %s\n", NR_UNPLUGS,
			      spin ? "stays inside" : "exits");
}

/* A process resets its keys one by one. */
static void test_reset_own(void)
{
	static const unsigned long resets[] = {
		PR_PAC_APIAKEY, PR_PAC_APIBKEY, PR_PAC_APDAKEY, PR_PAC_APDBKEY,
		PR_PAC_APGAKEY,
	};
	struct ptrauth_codes before;
	struct kvm_vcpu *vcpu;
	int i, key;

	vcpu = create_vm();
	run(vcpu);
	for (i = 0; i < NR_RESETS; i++) {
		key = i % PTRAUTH_NR_KEYS;
		before = own_codes;
		TEST_ASSERT(!prctl(PR_PAC_RESET_KEYS, resets[key], 0, 0, 0),
			    "Cannot reset %s", ptrauth_key_name[key]);
		ptrauth_sign_all(&own_codes, PTRAUTH_NR_CODES);
		TEST_ASSERT(!ptrauth_same_codes(&before, &own_codes, key, ~0UL),
			    "%s is still the same", ptrauth_key_name[key]);
		run(vcpu);
	}
	kvm_vm_free(vcpu->vm);

	ksft_test_result_pass("%d resets of a key of the process\n", NR_RESETS);
}

static void __noreturn be_debugged(struct ptrauth_codes *codes, bool runs_guest)
{
	struct kvm_vcpu *vcpu = runs_guest ? create_vm() : NULL;

	TEST_ASSERT(!ptrace(PTRACE_TRACEME, 0, NULL, NULL), "Cannot be traced");
	for (;;) {
		ptrauth_stop_self();
		if (vcpu) {
			vcpu_run(vcpu);
			ptrauth_sign_all(codes, PTRAUTH_NR_CODES);
			ptrauth_get_ucall(vcpu);
		} else {
			ptrauth_sign_all(codes, PTRAUTH_NR_CODES);
		}
	}
}

static bool set_keys_of(pid_t pid, struct ptrauth_keys *keys)
{
	struct iovec address = { keys->half, 8 * sizeof(u64) };
	struct iovec generic = { keys->half + 8, 2 * sizeof(u64) };

	return !ptrace(PTRACE_SETREGSET, pid, NT_ARM_PACA_KEYS, &address) &&
	       !ptrace(PTRACE_SETREGSET, pid, NT_ARM_PACG_KEYS, &generic);
}

/* A VMM, and a process that runs no guest, get the same keys from a debugger. */
static void test_debugger(void)
{
	struct ptrauth_codes *codes;
	struct ptrauth_keys keys;
	int i, j, key, status;
	bool can = true;
	pid_t pids[2];

	codes = mmap(NULL, sizeof(*codes) * ARRAY_SIZE(pids), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	TEST_ASSERT(codes != MAP_FAILED, "Cannot share memory");
	for (j = 0; j < ARRAY_SIZE(pids); j++) {
		pids[j] = ptrauth_fork();
		if (!pids[j])
			be_debugged(&codes[j], j);
	}

	for (i = 0; can && i <= NR_DEBUGS; i++) {
		for (j = 0; j < ARRAY_SIZE(pids); j++)
			TEST_ASSERT(waitpid(pids[j], &status, 0) == pids[j] &&
				    WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP,
				    "Process %d ended: 0x%x", j, status);
		for (key = 0; i && key < PTRAUTH_NR_KEYS; key++)
			TEST_ASSERT(ptrauth_same_codes(&codes[0], &codes[1], key, ~0UL),
				    "The VMM signs with another %s than it was given",
				    ptrauth_key_name[key]);

		ptrauth_random_keys(&rng, &keys);
		for (j = 0; can && j < ARRAY_SIZE(pids); j++)
			can = set_keys_of(pids[j], &keys) &&
			      !ptrace(PTRACE_CONT, pids[j], NULL, NULL);
	}
	for (j = 0; j < ARRAY_SIZE(pids); j++) {
		kill(pids[j], SIGKILL);
		waitpid(pids[j], &status, 0);
	}
	munmap(codes, sizeof(*codes) * ARRAY_SIZE(pids));

	if (can)
		ksft_test_result_pass("%d sets of keys from a debugger\n", NR_DEBUGS);
	else
		ksft_test_result_skip("setting keys needs CONFIG_CHECKPOINT_RESTORE\n");
}

/* The thread that forks has just left a guest, another is inside of one. */
static void test_fork(void)
{
	struct kvm_vcpu *vcpu;
	struct worker worker;
	int i, status;
	pid_t pid;

	vcpu = create_vm();
	start_worker(&worker, true);
	for (i = 0; i < NR_FORKS; i++) {
		run(vcpu);
		pid = ptrauth_fork();
		if (!pid) {
			ptrauth_host_check(&own_codes, NR_CHECKS, "a child");
			_exit(0);
		}
		TEST_ASSERT(waitpid(pid, &status, 0) == pid && !status,
			    "A child of the VMM ended with 0x%x", status);
	}
	stop_worker(&worker);
	kvm_vm_free(vcpu->vm);

	ksft_test_result_pass("%d forks of the VMM\n", NR_FORKS);
}

/* User space sets all keys right after the guest used others. */
static void test_one_reg(void)
{
	struct kvm_vcpu *vcpu;
	struct guest *data;
	unsigned int half;
	int i;

	vcpu = create_vm();
	data = guest_of(vcpu);
	run(vcpu);
	for (i = 0; i < NR_RESETS; i++) {
		for (half = 0; half < PTRAUTH_NR_HALVES; half++)
			TEST_ASSERT_EQ(vcpu_get_reg(vcpu, ptrauth_half_id[half]),
				       data->keys.half[half]);
		ptrauth_random_keys(&rng, &data->keys);
		for (half = 0; half < PTRAUTH_NR_HALVES; half++)
			vcpu_set_reg(vcpu, ptrauth_half_id[half], data->keys.half[half]);
		data->new_keys = true;
		run(vcpu);
	}
	kvm_vm_free(vcpu->vm);

	ksft_test_result_pass("%d sets of keys from the VMM\n", NR_RESETS);
}

/* KVM_ARM_VCPU_INIT of a vCPU that has run is a reset. */
static void test_reset(void)
{
	struct kvm_vcpu_init init;
	struct kvm_vcpu *vcpu;
	struct guest *data;
	unsigned int half;
	u64 pc, sp;
	int i;

	vcpu = create_vm();
	data = guest_of(vcpu);
	init = vcpu->init;
	pc = vcpu_get_reg(vcpu, ARM64_CORE_REG(regs.pc));
	sp = vcpu_get_reg(vcpu, ARM64_CORE_REG(sp_el1));

	for (i = 0; i < NR_RESETS; i++) {
		run(vcpu);
		for (half = 0; half < PTRAUTH_NR_HALVES; half++)
			TEST_ASSERT(data->found.half[half] == PTRAUTH_RESET_VALUE,
				    "%s is 0x%lx after reset", ptrauth_half_name[half],
				    data->found.half[half]);
		run(vcpu);
		ptrauth_random_keys(&rng, &data->keys);
		memset(&data->found, 0, sizeof(data->found));
		aarch64_vcpu_setup(vcpu, &init);
		vcpu_set_reg(vcpu, ARM64_CORE_REG(regs.pc), pc);
		vcpu_set_reg(vcpu, ARM64_CORE_REG(sp_el1), sp);
	}
	kvm_vm_free(vcpu->vm);

	ksft_test_result_pass("%d resets of a vCPU\n", NR_RESETS);
}

int main(void)
{
	TEST_REQUIRE(kvm_has_ptrauth());
	TEST_REQUIRE(host_has_ptrauth());

	rng = new_kvm_random_state(SEED);
	ptrauth_sign_all(&own_codes, PTRAUTH_NR_CODES);
	find_allowed_cpus();
	atexit(bring_all_cpus_back);

	ksft_print_header();
	ksft_set_plan(11);
	ksft_print_msg("The seed of the keys is 0x%lx\n", SEED);

	test_moves();
	test_turns();
	test_preemption(true);
	test_preemption(false);
	test_unplug(true);
	test_unplug(false);
	test_reset_own();
	test_debugger();
	test_fork();
	test_one_reg();
	test_reset();

	ksft_finished();
}
