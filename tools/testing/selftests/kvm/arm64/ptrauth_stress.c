// SPDX-License-Identifier: GPL-2.0-only
/*
 * ptrauth_stress - Run many guests with keys of their own, while CPUs go offline, threads
 * are moved, interrupted and stopped, and VMMs are killed.
 *
 * Each VMM is a process with one VM. Its guests exit all the time, to the kernel or to
 * user space, and check their keys and PACs after each exit. The thread of each vCPU
 * checks its own after each KVM_RUN, and so do processes without a guest. A round trip
 * is held when the guest has found its keys and PACs right after it. The first wrong PAC
 * ends the test.
 *
 * Usage: ptrauth_stress [<round trips> [<seed>]]
 */
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "allowed_cpus.h"
#include "kvm_util.h"
#include "memory_use.h"
#include "processor.h"
#include "ptrauth.h"
#include "test_util.h"

#define NR_TRIPS	20000
#define SEED		0x9ac5eedUL

#define NR_VMMS		8
#define NR_VCPUS	4
#define NR_BYSTANDERS	4

/* How many PACs of each key to check, each time. */
#define NR_CHECKS	1

/* A guest goes to user space once in so many round trips. */
#define TRIPS_PER_EXIT	8

/* If nothing is held for so long, something hangs. */
#define STALL_SECONDS	60

/* Slab objects of the kernel's own that come and go, in bytes, and pages, in KiB. */
#define SLAB_NOISE	(256 << 10)
#define PAGES_NOISE	(8 << 10)

enum fault {
	MOVED,
	SIGNALLED,
	STOPPED,
	KILLED,
	UNPLUGGED,
	NR_FAULTS,
};

static const char * const fault_name[NR_FAULTS] = {
	[MOVED]	    = "threads moved to other CPUs",
	[SIGNALLED] = "threads interrupted by a signal",
	[STOPPED]   = "VMMs stopped and continued",
	[KILLED]    = "VMMs killed",
	[UNPLUGGED] = "CPUs taken away and brought back",
};

struct vcpu_report {
	/* 0 as long as there is no such thread. */
	pid_t tid;
	u64 trips;
	u64 exits;
};

/* What all processes share. */
static struct shared {
	struct vcpu_report vcpus[NR_VMMS][NR_VCPUS];
	u64 checks[NR_BYSTANDERS];
	u64 unplugged;
} *shared;

/* One for each vCPU, in the memory of its VM. */
static struct guest {
	struct ptrauth_keys keys;
	struct ptrauth_codes codes;
	u64 trips;
} guests[NR_VCPUS];

static struct kvm_random_state rng;

/* Whether there is a CPU that can be taken away. */
static bool can_unplug;

/* Guest code. */

static void guest_code(void)
{
	struct guest *guest = &guests[guest_get_vcpuid()];

	ptrauth_enable();
	ptrauth_write_keys(&guest->keys);
	ptrauth_sign_all(&guest->codes, PTRAUTH_NR_CODES);

	for (;;) {
		if (guest->trips % TRIPS_PER_EXIT)
			ptrauth_guest_hypercall();
		else
			GUEST_SYNC(0);
		ptrauth_guest_check(&guest->keys, &guest->codes, NR_CHECKS, "back again");
		WRITE_ONCE(guest->trips, guest->trips + 1);
	}
}

/* A VMM. */

static struct kvm_vcpu *vcpus[NR_VCPUS];
static struct vcpu_report *reports;

static void *vcpu_thread(void *arg)
{
	struct kvm_vcpu *vcpu = arg;
	struct guest *guest = addr_gva2hva(vcpu->vm, (gva_t)&guests[vcpu->id]);
	struct vcpu_report *report = &reports[vcpu->id];
	struct ptrauth_codes codes;
	u64 seen = 0, trips;
	int ret, err;

	TEST_ASSERT(!prctl(PR_PAC_RESET_KEYS, 0, 0, 0, 0), "Cannot get other keys");
	ptrauth_sign_all(&codes, PTRAUTH_NR_CODES);
	WRITE_ONCE(report->tid, syscall(SYS_gettid));

	for (;;) {
		ret = __vcpu_run(vcpu);
		err = errno;
		ptrauth_host_check(&codes, NR_CHECKS, "a VMM after KVM_RUN");

		/* The trips of VMMs that had this place before count, too. */
		trips = READ_ONCE(guest->trips);
		WRITE_ONCE(report->trips, report->trips + trips - seen);
		WRITE_ONCE(report->exits, report->exits + 1);
		seen = trips;

		if (ret)
			TEST_ASSERT(err == EINTR, "KVM_RUN: %s", strerror(err));
		else
			TEST_ASSERT(ptrauth_get_ucall(vcpu) == UCALL_SYNC,
				    "The guest has come to an end");
	}

	return NULL;
}

static void __noreturn be_vmm(int nr)
{
	struct kvm_vcpu_init init;
	pthread_t thread;
	struct kvm_vm *vm;
	int i;

	reports = shared->vcpus[nr];
	rng = new_kvm_random_state(kvm_random_u32(&rng));

	vm = vm_create(NR_VCPUS);
	ptrauth_vcpu_init(vm, true, &init);
	for (i = 0; i < NR_VCPUS; i++) {
		vcpus[i] = aarch64_vcpu_add(vm, i, &init, guest_code);
		ptrauth_random_keys(&rng, &((struct guest *)
				    addr_gva2hva(vm, (gva_t)&guests[i]))->keys);
	}
	kvm_arch_vm_finalize_vcpus(vm);

	for (i = 0; i < NR_VCPUS; i++)
		pthread_create(&thread, NULL, vcpu_thread, vcpus[i]);
	for (;;)
		pause();
}

/* Processes around them. */

static void __noreturn be_bystander(int nr)
{
	struct ptrauth_codes codes;

	TEST_ASSERT(!prctl(PR_PAC_RESET_KEYS, 0, 0, 0, 0), "Cannot get other keys");
	ptrauth_sign_all(&codes, PTRAUTH_NR_CODES);
	for (;;) {
		ptrauth_host_check(&codes, NR_CHECKS, "a process without a guest");
		WRITE_ONCE(shared->checks[nr], shared->checks[nr] + 1);
		usleep(500);
	}
}

/* All but the first CPU, one after the other. */
static void __noreturn be_unplugger(int unused)
{
	int first = next_allowed_cpu(-1), cpu = first;

	for (;;) {
		cpu = next_allowed_cpu(cpu);
		if (cpu != first && set_cpu_online(cpu, false)) {
			usleep(20000);
			bring_cpu_back(cpu);
			WRITE_ONCE(shared->unplugged, shared->unplugged + 1);
		}
		usleep(200000);
	}
}

/* The process that starts them all, lets faults happen, and waits. */

static pid_t vmm_pids[NR_VMMS], bystander_pids[NR_BYSTANDERS], unplugger_pid;
static u64 faults[NR_FAULTS];

static pid_t start(void (*what)(int nr), int nr)
{
	pid_t pid;

	/* Others then get other random numbers. */
	kvm_random_u32(&rng);

	pid = ptrauth_fork();
	if (!pid)
		what(nr);

	return pid;
}

static void stop(pid_t pid)
{
	int status;

	kill(pid, SIGKILL);
	TEST_ASSERT(waitpid(pid, &status, 0) == pid, "Lost process %d", pid);
	TEST_ASSERT(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL,
		    "Process %d ended by itself: 0x%x", pid, status);
}

static void start_all(void)
{
	int i;

	for (i = 0; i < NR_VMMS; i++)
		vmm_pids[i] = start(be_vmm, i);
	for (i = 0; i < NR_BYSTANDERS; i++)
		bystander_pids[i] = start(be_bystander, i);
	if (can_unplug)
		unplugger_pid = start(be_unplugger, 0);
}

static void stop_all(void)
{
	int i;

	for (i = 0; i < NR_VMMS; i++)
		stop(vmm_pids[i]);
	for (i = 0; i < NR_BYSTANDERS; i++)
		stop(bystander_pids[i]);
	if (can_unplug)
		stop(unplugger_pid);
	memset(shared->vcpus, 0, sizeof(shared->vcpus));
	bring_all_cpus_back();
}

static u64 trips_held(void)
{
	u64 sum = 0;
	int i, j;

	for (i = 0; i < NR_VMMS; i++)
		for (j = 0; j < NR_VCPUS; j++)
			sum += READ_ONCE(shared->vcpus[i][j].trips);

	return sum;
}

/*
 * A VMM whose threads do not run yet is only killed, and rarely, so that some VMMs get
 * that far. It gets no other signals, because they would disturb it while it makes the VM.
 */
static void let_one_happen(void)
{
	int vmm = kvm_random_u32(&rng) % NR_VMMS;
	struct vcpu_report *reports = shared->vcpus[vmm];
	pid_t pid = vmm_pids[vmm];
	pid_t tid = READ_ONCE(reports[kvm_random_u32(&rng) % NR_VCPUS].tid);
	u32 dice = kvm_random_u32(&rng) % 100;
	cpu_set_t set;
	int i;

	if (dice < 40 && tid) {
		CPU_ZERO(&set);
		CPU_SET(next_allowed_cpu(kvm_random_u32(&rng) % 64), &set);
		/* The CPU may be away just now. */
		faults[MOVED] += !sched_setaffinity(tid, sizeof(set), &set);
	} else if (dice < 80 && tid) {
		faults[SIGNALLED] += !syscall(SYS_tgkill, pid, tid, SIGUSR1);
	} else if (dice < 97 && tid) {
		kill(pid, SIGSTOP);
		usleep(kvm_random_u32(&rng) % 10000);
		faults[STOPPED] += !kill(pid, SIGCONT);
	} else if (dice >= 97 && (tid || kvm_random_u32(&rng) % 8 == 0)) {
		stop(pid);
		for (i = 0; i < NR_VCPUS; i++)
			WRITE_ONCE(reports[i].tid, 0);
		vmm_pids[vmm] = start(be_vmm, vmm);
		faults[KILLED]++;
	}
}

static bool all_happened(void)
{
	int i;

	faults[UNPLUGGED] = READ_ONCE(shared->unplugged);
	for (i = 0; i < NR_FAULTS; i++)
		if (!faults[i] && (i != UNPLUGGED || can_unplug))
			return false;

	return true;
}

/*
 * Wait until so many round trips have been held and each fault has happened. A process
 * that ends by itself has found an error, and has printed it.
 */
static void hold(u64 trips)
{
	u64 held = 0, last = 0, shown = 0;
	time_t since = time(NULL);
	int status;

	while (held < trips || !all_happened()) {
		usleep(5000);
		let_one_happen();
		TEST_ASSERT(waitpid(-1, &status, WNOHANG) == 0,
			    "A process ended by itself: 0x%x", status);

		held = trips_held();
		if (held != last) {
			last = held;
			since = time(NULL);
		}
		TEST_ASSERT(time(NULL) - since < STALL_SECONDS,
			    "Nothing was held for %d seconds", STALL_SECONDS);
		if (held - shown >= trips / 10) {
			ksft_print_msg("%lu of %lu round trips held, %lu VMMs killed\n", held,
				       trips, faults[KILLED]);
			shown = held;
		}
	}
}

static void ignore(int signal)
{
}

int main(int argc, char *argv[])
{
	u64 trips = argc > 1 ? strtoul(argv[1], NULL, 0) : NR_TRIPS;
	u64 seed = argc > 2 ? strtoul(argv[2], NULL, 0) : SEED;
	struct memory_use before;
	u64 held, checks = 0, exits = 0;
	bool measured;
	int i, j;

	TEST_REQUIRE(kvm_has_ptrauth());
	TEST_REQUIRE(host_has_ptrauth());

	rng = new_kvm_random_state(seed);
	signal(SIGUSR1, ignore);
	find_allowed_cpus();
	i = next_allowed_cpu(next_allowed_cpu(-1));
	can_unplug = CPU_COUNT(&allowed_cpus) > 1 && set_cpu_online(i, true);
	atexit(bring_all_cpus_back);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	TEST_ASSERT(shared != MAP_FAILED, "Cannot share memory");

	ksft_print_header();
	ksft_set_plan(3 + NR_FAULTS);
	ksft_print_msg("%d VMs with %d vCPUs each on %d CPUs, seed 0x%lx\n", NR_VMMS, NR_VCPUS,
		       CPU_COUNT(&allowed_cpus), seed);

	/* Do all once first: some allocations happen only once. */
	start_all();
	hold(trips / 20);
	stop_all();
	memset(faults, 0, sizeof(faults));
	memset(shared, 0, sizeof(*shared));
	measured = memory_use(&before);

	start_all();
	hold(trips);
	held = trips_held();
	for (i = 0; i < NR_VMMS; i++)
		for (j = 0; j < NR_VCPUS; j++)
			exits += shared->vcpus[i][j].exits;
	for (i = 0; i < NR_BYSTANDERS; i++)
		checks += shared->checks[i];
	stop_all();

	ksft_test_result(held >= trips && exits, "%lu round trips held, 0 wrong PACs\n", held);
	ksft_test_result(checks, "%lu checks by their VMMs, %lu by processes without a guest\n",
			 exits, checks);
	for (i = 0; i < NR_FAULTS; i++) {
		if (i == UNPLUGGED && !can_unplug)
			ksft_test_result_skip("%s: that takes two CPUs and the right to\n",
					      fault_name[i]);
		else
			ksft_test_result(faults[i], "%lu %s\n", faults[i], fault_name[i]);
	}
	memory_use_result(measured, &before, SLAB_NOISE, PAGES_NOISE);

	ksft_finished();
}
