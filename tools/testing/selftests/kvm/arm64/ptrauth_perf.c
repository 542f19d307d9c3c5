// SPDX-License-Identifier: GPL-2.0-only
/*
 * ptrauth_perf - Measure what pointer authentication costs a guest and its host.
 *
 * Each scenario is a loop that goes from a guest to the host and back, once in
 * a guest with the feature and once in one without. The difference is the price
 * of the keys. For each, nanoseconds per round trip are printed as the median,
 * the least and the most of some windows of many rounds. Arguments name the
 * scenarios to run; without any, all are run.
 *
 * The loop of each window lies between two hints that do nothing, by which a
 * plugin of an emulator can count what happens in between.
 */
#include <pthread.h>
#include <sched.h>

#include <linux/arm-smccc.h>

#include "arch_timer.h"
#include "gic.h"
#include "gic_v3.h"
#include "kvm_util.h"
#include "l2.h"
#include "processor.h"
#include "ptrauth.h"
#include "test_util.h"
#include "vgic.h"

#define SEED		0x9ac5eedUL
#define NR_WINDOWS	9
#define SETTLE_US	200000
#define WAKE_SGI	1

enum scenario_id {
	HYPERCALL,
	USERSPACE,
	WFI,
	PINGPONG,
	NESTED,
	NR_SCENARIOS,
};

static void guest_hypercalls(u64 rounds);
static void guest_mmio(u64 rounds);
static void guest_wfi(u64 rounds);
static void guest_ping(u64 rounds);
static void guest_nested(u64 rounds);

/*
 * What a guest loops over, how many trips to the host and back each round takes,
 * and the statistic that proves it did.
 */
static const struct scenario {
	const char *name;
	const char *what;
	void (*loop)(u64 rounds);
	const char *stat;
	unsigned int trips;
	u64 rounds;
} scenarios[NR_SCENARIOS] = {
	[HYPERCALL] = { "hypercall", "a hypercall that the kernel answers",
			guest_hypercalls, "hvc_exit_stat", 1, 6000 },
	[USERSPACE] = { "userspace", "an MMIO exit to user space",
			guest_mmio, "mmio_exit_user", 1, 2000 },
	[WFI]	    = { "wfi", "a WFI that the timer ends",
			guest_wfi, "wfi_exit_stat", 1, 300 },
	[PINGPONG]  = { "pingpong", "two vCPUs that take turns on one CPU",
			guest_ping, "exits", 1, 300 },
	[NESTED]    = { "nested", "L1 enters L2, L2 calls L1",
			guest_nested, "exits", 2, 1200 },
};

/* Shared by host and guest, in the memory of the VM. */
struct shared {
	enum scenario_id id;
	u64 rounds;
	bool ptrauth;
	struct ptrauth_keys keys;
	u64 cycles;
	u32 timer_irq;
	bool stop;
};

static struct shared shared;

/* Guest code. */

/* Both hints are executed as NOPs. */
static void guest_begin_window(void)
{
	asm volatile("hint #112" ::: "memory");
}

static void guest_end_window(void)
{
	asm volatile("hint #113" ::: "memory");
}

static void guest_hypercalls(u64 rounds)
{
	struct arm_smccc_res res;

	while (rounds--)
		do_smccc(ARM_SMCCC_VERSION_FUNC_ID, 0, 0, 0, 0, 0, 0, 0, &res);
}

/* No message is at address 0, so the host can tell this from a ucall. */
static void guest_mmio(u64 rounds)
{
	while (rounds--)
		WRITE_ONCE(*ucall_exit_mmio_addr, 0);
}

/* Interrupts stay masked, and are polled: they end a WFI nonetheless. */
static unsigned int guest_wait(void)
{
	unsigned int intid;

	do {
		wfi();
		intid = gic_get_and_ack_irq();
	} while (intid == IAR_SPURIOUS);

	return intid;
}

static void guest_wfi(u64 rounds)
{
	unsigned int intid;

	while (rounds--) {
		timer_set_next_tval_ms(VIRTUAL, 1);
		timer_set_ctl(VIRTUAL, CTL_ENABLE);
		intid = guest_wait();
		timer_set_ctl(VIRTUAL, CTL_IMASK);
		gic_set_eoi(intid);
	}
}

static void guest_wake(unsigned int vcpu_id)
{
	write_sysreg_s(WAKE_SGI << 24 | BIT(vcpu_id), SYS_ICC_SGI1R_EL1);
	isb();
}

static void guest_ping(u64 rounds)
{
	while (rounds--) {
		guest_wake(1);
		gic_set_eoi(guest_wait());
	}
}

static void guest_pong(void)
{
	gic_init(GIC_V3, 2);
	gic_irq_enable(WAKE_SGI);
	GUEST_SYNC(0);

	for (;;) {
		gic_set_eoi(guest_wait());
		if (READ_ONCE(shared.stop))
			GUEST_DONE();
		guest_wake(0);
	}
}

/*
 * L2 is a loop of hypercalls. L1 gets them at its vector for synchronous
 * exceptions from a lower exception level, and goes straight back until x19
 * says that it is enough. L2 leaves all registers as they are.
 */
asm("	.pushsection .text, \"ax\"\n"
"	.balign	2048\n"
"l1_vectors:\n"
"	.space	0x400\n"
"	subs	x19, x19, #1\n"
"	b.eq	1f\n"
"	eret\n"
"1:	br	x20\n"
"	.popsection\n");

static void guest_start_nesting(void)
{
	u64 vectors;

	l1_prepare_l2(shared.ptrauth ? HCR_EL2_API | HCR_EL2_APK : 0);
	asm("adrp %0, l1_vectors\n\tadd %0, %0, :lo12:l1_vectors" : "=r" (vectors));
	write_sysreg(vectors, vbar_el1);
	isb();
}

static void guest_nested(u64 rounds)
{
	asm volatile("	mov	x19, %[rounds]\n"
	"	adr	x20, 2f\n"
	"	adr	x21, 1f\n"
	"	msr	elr_el1, x21\n"
	"	msr	spsr_el1, %[pstate]\n"
	"	isb\n"
	"	eret\n"
	"1:	hvc	#0\n"
	"	b	1b\n"
	"2:\n"
	: : [rounds] "r" (rounds), [pstate] "r" ((u64)L2_PSTATE)
	: "x19", "x20", "x21", "cc", "memory");
}

static void guest_code(void)
{
	const struct scenario *scenario = &scenarios[shared.id];
	u64 start;
	int i;

	if (shared.ptrauth) {
		ptrauth_write_keys(&shared.keys);
		ptrauth_enable();
	}
	if (shared.id == WFI || shared.id == PINGPONG) {
		gic_init(GIC_V3, shared.id == PINGPONG ? 2 : 1);
		gic_irq_enable(shared.id == PINGPONG ? WAKE_SGI : shared.timer_irq);
	}
	if (shared.id == NESTED)
		guest_start_nesting();

	/* The first rounds find things cold, and are not measured. */
	scenario->loop(shared.rounds);

	for (i = 0; i < NR_WINDOWS; i++) {
		GUEST_SYNC(i);
		start = timer_get_cntct(VIRTUAL);
		guest_begin_window();
		scenario->loop(shared.rounds);
		guest_end_window();
		shared.cycles = timer_get_cntct(VIRTUAL) - start;
	}

	/* Whoever waits in the other vCPU has to be told. */
	WRITE_ONCE(shared.stop, true);
	if (shared.id == PINGPONG)
		guest_wake(1);
	GUEST_DONE();
}

/* Host code. */

/*
 * Run a vCPU until it sends a message. The bare writes in between are rounds of
 * a scenario, so nothing else happens here.
 */
static u64 run_to_ucall(struct kvm_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	u64 message;

	do {
		vcpu_run(vcpu);
		memcpy(&message, run->mmio.data, sizeof(message));
	} while (run->exit_reason == KVM_EXIT_MMIO && !message);

	return ptrauth_get_ucall(vcpu);
}

static void *run_to_end(void *vcpu)
{
	while (run_to_ucall(vcpu) != UCALL_DONE)
		;
	return NULL;
}

static u64 get_stat(struct kvm_vcpu *vcpu, const char *name)
{
	u64 val;

	kvm_get_stat(&vcpu->stats, name, &val, 1);
	return val;
}

static struct shared *shared_of(struct kvm_vm *vm)
{
	return addr_gva2hva(vm, (gva_t)&shared);
}

static struct kvm_vm *create_vm(enum scenario_id id, bool ptrauth,
				struct kvm_vcpu *vcpus[2])
{
	unsigned int i, nr_vcpus = id == PINGPONG ? 2 : 1;
	struct kvm_random_state rng = new_kvm_random_state(SEED);
	struct kvm_vcpu_init init;
	struct shared *data;
	struct kvm_vm *vm;

	vm = vm_create(nr_vcpus);
	ptrauth_vcpu_init(vm, ptrauth, &init);
	if (id == NESTED)
		init.features[0] |= BIT(KVM_ARM_VCPU_HAS_EL2);

	vm_init_descriptor_tables(vm);
	for (i = 0; i < nr_vcpus; i++) {
		vcpus[i] = aarch64_vcpu_add(vm, i, &init, i ? guest_pong : guest_code);
		vcpu_init_descriptor_tables(vcpus[i]);
	}
	kvm_arch_vm_finalize_vcpus(vm);

	data = shared_of(vm);
	memset(data, 0, sizeof(*data));
	data->id = id;
	data->rounds = scenarios[id].rounds;
	data->ptrauth = ptrauth;
	ptrauth_random_keys(&rng, &data->keys);
	if (id == WFI)
		data->timer_irq = vcpu_get_vtimer_irq(vcpus[0]);

	return vm;
}

static int compare(const void *a, const void *b)
{
	double difference = *(const double *)a - *(const double *)b;

	return (difference > 0) - (difference < 0);
}

static void measure(enum scenario_id id, bool ptrauth)
{
	const struct scenario *scenario = &scenarios[id];
	double ns[NR_WINDOWS], per_cycle = 1e9 / timer_get_cntfrq();
	u64 trips = scenario->rounds * scenario->trips;
	struct kvm_vcpu *vcpus[2];
	struct shared *data;
	pthread_t other;
	struct kvm_vm *vm;
	u64 before;
	bool ok = true;
	int i;

	vm = create_vm(id, ptrauth, vcpus);
	data = shared_of(vm);
	if (id == PINGPONG) {
		TEST_ASSERT(run_to_ucall(vcpus[1]) == UCALL_SYNC, "vCPU 1 is not ready");
		pthread_create(&other, NULL, run_to_end, vcpus[1]);
	}

	TEST_ASSERT(run_to_ucall(vcpus[0]) == UCALL_SYNC, "the guest ended early");
	/* The kernel does its deferred work now. */
	usleep(SETTLE_US);
	for (i = 0; i < NR_WINDOWS; i++) {
		before = get_stat(vcpus[0], scenario->stat);
		run_to_ucall(vcpus[0]);
		/* A timer that fires early may spare the guest an exit now and then. */
		ok &= get_stat(vcpus[0], scenario->stat) - before >= trips / 2;
		ns[i] = data->cycles * per_cycle / trips;
	}
	if (id == PINGPONG)
		pthread_join(other, NULL);
	/*
	 * The VM stays until the process ends: the kernel would give its memory
	 * back bit by bit, in the windows of the next.
	 */

	qsort(ns, NR_WINDOWS, sizeof(ns[0]), compare);
	ksft_print_msg("windows: %s ptrauth=%d windows=%d trips=%lu\n", scenario->name,
		       ptrauth, NR_WINDOWS, trips);
	ksft_print_msg("time: %s ptrauth=%d median=%.0f min=%.0f max=%.0f\n",
		       scenario->name, ptrauth, ns[NR_WINDOWS / 2], ns[0],
		       ns[NR_WINDOWS - 1]);
	ksft_test_result(ok, "%s, %s ptrauth\n", scenario->what,
			 ptrauth ? "with" : "without");
}

/* Whether a scenario is among those that the arguments name. */
static bool is_wanted(enum scenario_id id, int argc, char *argv[])
{
	int i;

	for (i = 1; i < argc; i++)
		if (!strcmp(argv[i], scenarios[id].name))
			return true;
	return argc == 1;
}

/* Why a scenario cannot be measured here, or NULL. */
static const char *why_not(enum scenario_id id, bool ptrauth)
{
	if (ptrauth && !kvm_has_ptrauth())
		return "KVM has no pointer authentication";
	if ((id == WFI || id == PINGPONG) && !kvm_supports_vgic_v3())
		return "needs a GICv3";
	if (id == NESTED && !kvm_has_cap(KVM_CAP_ARM_EL2))
		return "needs kvm-arm.mode=nested";

	return NULL;
}

/* Whether a file contains a text; false if there is no such file. */
static bool file_has(const char *name, const char *text)
{
	char buffer[256] = {};
	FILE *file = fopen(name, "r");
	size_t size, i;

	if (!file)
		return false;
	size = fread(buffer, 1, sizeof(buffer) - 1, file);
	fclose(file);

	/* Strings of a device tree are separated by zeroes. */
	for (i = 0; i < size; i++)
		if (!strncmp(buffer + i, text, strlen(text)))
			return true;
	return false;
}

/*
 * An emulator does not say that it is one, but the machine that it emulates has
 * a name. The same machine run by a hypervisor is caught, too: times there are
 * those of nested virtualization, not of the CPU.
 */
static bool in_virtual_machine(void)
{
	return file_has("/proc/device-tree/compatible", "linux,dummy-virt") ||
	       file_has("/sys/class/dmi/id/sys_vendor", "QEMU");
}

int main(int argc, char *argv[])
{
	int id, ptrauth, wanted = 0;
	const char *reason;
	cpu_set_t cpus;

	TEST_REQUIRE(kvm_has_cap(KVM_CAP_ONE_REG));

	CPU_ZERO(&cpus);
	CPU_SET(sched_getcpu(), &cpus);
	TEST_ASSERT(!sched_setaffinity(0, sizeof(cpus), &cpus), "Cannot stay on one CPU");

	ksft_print_header();
	for (id = 0; id < NR_SCENARIOS; id++)
		wanted += is_wanted(id, argc, argv);
	TEST_ASSERT(wanted >= argc - 1, "No such scenario");
	ksft_set_plan(wanted * 2);
	if (in_virtual_machine())
		ksft_print_msg("This is a virtual or emulated machine: the times mean nothing\n");
	else
		ksft_print_msg("Times are nanoseconds per round trip\n");

	for (id = 0; id < NR_SCENARIOS; id++) {
		if (!is_wanted(id, argc, argv))
			continue;
		for (ptrauth = 0; ptrauth < 2; ptrauth++) {
			reason = why_not(id, ptrauth);
			if (reason)
				ksft_test_result_skip("%s: %s\n", scenarios[id].what, reason);
			else
				measure(id, ptrauth);
		}
	}

	ksft_finished();
}
