// SPDX-License-Identifier: GPL-2.0-only
/*
 * ptrauth_host - Test that the keys which a thread has disabled stay disabled, and
 * that its other keys stay the same, whatever guests it runs.
 *
 * PACIA and the like are NOPs in a thread that has disabled the key, and guests
 * of that thread use the key nonetheless. So a VMM may have its own use of some
 * key disabled, or a debugger may do that to it. When the key is enabled again,
 * it must make the same PACs as before, or other PACs if it was reset.
 *
 * Guests assert that their keys and PACs are their own.
 */
#include <elf.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "allowed_cpus.h"
#include "kvm_util.h"
#include "processor.h"
#include "ptrauth.h"
#include "test_util.h"

#define SEED		0x0ff5eedUL

/* Runs of a guest, each on another CPU than the one before if there is one. */
#define NR_RUNS		200

/* How often a debugger sets which keys are enabled. */
#define NR_DEBUGS	50

/* How many PACs of each key to check, in the guest and outside. */
#define NR_CHECKS	3

/* The keys that can be disabled, in the order of enum ptrauth_key. */
#define POINTER_KEYS	(PR_PAC_APIAKEY | PR_PAC_APIBKEY | PR_PAC_APDAKEY | PR_PAC_APDBKEY)

/* In the memory of each VM. */
struct guest {
	struct ptrauth_keys keys;
	struct ptrauth_codes codes;
};

static struct guest guest;

static struct kvm_random_state rng;

/* What this process signs while all keys are enabled. */
static struct ptrauth_codes own_codes;

/* Guest code. */

static void guest_code(void)
{
	ptrauth_enable();
	ptrauth_write_keys(&guest.keys);
	ptrauth_sign_all(&guest.codes, PTRAUTH_NR_CODES);

	for (;;) {
		ptrauth_guest_check(&guest.keys, &guest.codes, NR_CHECKS, "in the loop");
		GUEST_SYNC(0);
	}
}

static void guest_code_without(void)
{
	for (;;)
		GUEST_SYNC(0);
}

/* Host code. */

static struct guest *guest_of(struct kvm_vcpu *vcpu)
{
	return addr_gva2hva(vcpu->vm, (gva_t)&guest);
}

static struct kvm_vcpu *create_vm(bool ptrauth)
{
	struct kvm_vcpu_init init;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;

	vm = vm_create(1);
	ptrauth_vcpu_init(vm, ptrauth, &init);
	vcpu = aarch64_vcpu_add(vm, 0, &init, ptrauth ? guest_code : guest_code_without);
	kvm_arch_vm_finalize_vcpus(vm);
	ptrauth_random_keys(&rng, &guest_of(vcpu)->keys);

	return vcpu;
}

/* Assert that keys in @disabled sign and authenticate nothing, and others as ever. */
static void check_host(unsigned long disabled, const char *when)
{
	u64 ptr, modifier, code, wanted;
	unsigned int key, i;

	for (key = 0; key < PTRAUTH_NR_KEYS; key++) {
		for (i = 0; i < NR_CHECKS; i++) {
			ptr = ptrauth_pointer(i);
			modifier = ptrauth_modifier(i);
			wanted = disabled & BIT(key) ? ptr : own_codes.code[key][i];

			code = ptrauth_sign(key, ptr, modifier);
			TEST_ASSERT(code == wanted, "%s: %s signs 0x%lx, should be 0x%lx",
				    when, ptrauth_key_name[key], code, wanted);
			if (!(disabled & BIT(key)))
				continue;

			/* What would not authenticate if the key were enabled. */
			ptr = own_codes.code[key][i];
			code = ptrauth_auth(key, ptr, ~modifier);
			TEST_ASSERT(code == ptr, "%s: %s authenticates 0x%lx as 0x%lx",
				    when, ptrauth_key_name[key], ptr, code);
		}
	}
}

static void set_enabled(unsigned long keys, bool enabled)
{
	TEST_ASSERT(!prctl(PR_PAC_SET_ENABLED_KEYS, keys, enabled ? keys : 0, 0, 0),
		    "Cannot set which keys are enabled");
}

/* Run guests in turn over CPUs. */
static void run(struct kvm_vcpu **vcpus, unsigned long disabled, const char *when)
{
	int cpu = -1, i;

	for (i = 0; i < NR_RUNS; i++) {
		/* Two runs on each, so that each guest gets to each CPU. */
		if (!(i & 1)) {
			cpu = next_allowed_cpu(cpu);
			pin_self_to_cpu(cpu);
		}
		vcpu_run(vcpus[i & 1]);
		check_host(disabled, when);
		TEST_ASSERT(ptrauth_get_ucall(vcpus[i & 1]) == UCALL_SYNC,
			    "The guest has come to an end");
	}
	unpin_self();
}

static void test_disabled(struct kvm_vcpu **vcpus, unsigned long disabled, const char *what)
{
	set_enabled(disabled, false);
	run(vcpus, disabled, "disabled");
	set_enabled(disabled, true);
	check_host(0, "enabled again");
	run(vcpus, 0, "enabled again");

	ksft_test_result_pass("%d runs with %s disabled\n", NR_RUNS, what);
}

static void test_reset(struct kvm_vcpu **vcpus)
{
	struct ptrauth_codes before;
	unsigned int key;

	for (key = 0; key <= PTRAUTH_APDB; key++) {
		before = own_codes;
		set_enabled(POINTER_KEYS, false);
		TEST_ASSERT(!prctl(PR_PAC_RESET_KEYS, BIT(key), 0, 0, 0), "Cannot reset %s",
			    ptrauth_key_name[key]);
		run(vcpus, POINTER_KEYS, "reset while disabled");
		set_enabled(POINTER_KEYS, true);

		ptrauth_sign_all(&own_codes, PTRAUTH_NR_CODES);
		TEST_ASSERT(!ptrauth_same_codes(&before, &own_codes, key, ~0UL),
			    "%s is still the same", ptrauth_key_name[key]);
		memcpy(before.code[key], own_codes.code[key], sizeof(before.code[key]));
		TEST_ASSERT(!memcmp(&before, &own_codes, sizeof(before)),
			    "The reset of %s changed another key", ptrauth_key_name[key]);
		run(vcpus, 0, "reset and enabled again");
	}

	ksft_test_result_pass("a reset of each key while all are disabled\n");
}

struct neighbour {
	struct kvm_vcpu *vcpu;
	unsigned long checks;
	bool stop;
};

/* Signs all the time with all keys, inside a guest and outside of it. */
static void *neighbour_thread(void *arg)
{
	struct neighbour *neighbour = arg;

	while (!READ_ONCE(neighbour->stop)) {
		vcpu_run(neighbour->vcpu);
		check_host(0, "a neighbour");
		TEST_ASSERT(ptrauth_get_ucall(neighbour->vcpu) == UCALL_SYNC,
			    "The guest has come to an end");
		neighbour->checks++;
	}

	return NULL;
}

/* A thread that has all keys enabled, and takes turns with one that has none. */
static void test_neighbour(struct kvm_vcpu **vcpus)
{
	struct neighbour neighbour = { create_vm(true) };
	pthread_t thread;

	pthread_create(&thread, NULL, neighbour_thread, &neighbour);
	set_enabled(POINTER_KEYS, false);
	run(vcpus, POINTER_KEYS, "disabled, with a neighbour");
	set_enabled(POINTER_KEYS, true);
	run(vcpus, 0, "enabled, with a neighbour");
	WRITE_ONCE(neighbour.stop, true);
	pthread_join(thread, NULL);
	kvm_vm_free(neighbour.vcpu->vm);

	ksft_test_result(neighbour.checks >= NR_RUNS / 10,
			 "%d runs beside a thread with other keys enabled, which did %lu\n",
			 NR_RUNS, neighbour.checks);
}

/* @enabled is what the debugger says that it has set. */
static void __noreturn be_debugged(struct kvm_vcpu **vcpus, unsigned long *enabled)
{
	int i;

	TEST_ASSERT(!ptrace(PTRACE_TRACEME, 0, NULL, NULL), "Cannot be traced");
	for (i = 0;; i++) {
		ptrauth_stop_self();
		vcpu_run(vcpus[i & 1]);
		check_host(POINTER_KEYS & ~READ_ONCE(*enabled), "set by a debugger");
		ptrauth_get_ucall(vcpus[i & 1]);
	}
}

static void test_debugger(void)
{
	struct kvm_vcpu *vcpus[2];
	unsigned long *enabled;
	struct iovec iov;
	int i, status;
	pid_t pid;

	enabled = mmap(NULL, sizeof(*enabled), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	TEST_ASSERT(enabled != MAP_FAILED, "Cannot share memory");
	pid = ptrauth_fork();
	if (!pid) {
		vcpus[0] = create_vm(true);
		vcpus[1] = create_vm(false);
		be_debugged(vcpus, enabled);
	}

	iov = (struct iovec){ enabled, sizeof(*enabled) };
	for (i = 0; i <= NR_DEBUGS; i++) {
		TEST_ASSERT(waitpid(pid, &status, 0) == pid && WIFSTOPPED(status) &&
			    WSTOPSIG(status) == SIGSTOP, "The VMM ended: 0x%x", status);
		/* Each set of keys in turn. */
		*enabled = i & POINTER_KEYS;
		TEST_ASSERT(!ptrace(PTRACE_SETREGSET, pid, NT_ARM_PAC_ENABLED_KEYS, &iov) &&
			    !ptrace(PTRACE_CONT, pid, NULL, NULL),
			    "Cannot set which keys are enabled");
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	munmap(enabled, sizeof(*enabled));

	ksft_test_result_pass("%d sets of enabled keys from a debugger\n", NR_DEBUGS);
}

int main(void)
{
	struct kvm_vcpu *vcpus[2];
	unsigned int key;

	TEST_REQUIRE(kvm_has_ptrauth());
	TEST_REQUIRE(host_has_ptrauth());

	rng = new_kvm_random_state(SEED);
	ptrauth_sign_all(&own_codes, PTRAUTH_NR_CODES);
	find_allowed_cpus();

	ksft_print_header();
	ksft_set_plan(8);
	ksft_print_msg("The seed of the keys is 0x%lx\n", SEED);

	vcpus[0] = create_vm(true);
	vcpus[1] = create_vm(false);
	test_disabled(vcpus, POINTER_KEYS, "all keys");
	for (key = 0; key <= PTRAUTH_APDB; key++)
		test_disabled(vcpus, BIT(key), ptrauth_key_name[key]);
	test_reset(vcpus);
	test_neighbour(vcpus);
	kvm_vm_free(vcpus[0]->vm);
	kvm_vm_free(vcpus[1]->vm);
	test_debugger();

	ksft_finished();
}
