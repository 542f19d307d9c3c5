// SPDX-License-Identifier: GPL-2.0-only
/*
 * ptrauth_fuzz - Make random calls to the parts of KVM's interface that handle pointer
 * authentication. Several threads share VMs and vCPUs, and close them while others use
 * them.
 *
 * Each call must end as Documentation/virt/kvm/api.rst says. None may hang, and none may
 * leak memory. The test does not read the kernel's log.
 *
 * The calls of a thread and their arguments depend on the seed and on the number of the
 * thread alone. So one thread repeats the same calls. Several threads do so as well, but
 * may race. A guest is interrupted after a time.
 *
 * Usage: ptrauth_fuzz [<calls> [<seed> [<threads>]]]
 *        ptrauth_fuzz -s [<calls> [<seed> [<from> <to>]]]
 *
 * With -s, one thread makes a sequence of calls, and guests do what the seed says. A digest of
 * all that comes back is shown every now and then. It has to be the same on every kernel, as
 * long as the CPU, the mode of KVM and this program are. Where it differs, the calls between
 * <from> and <to> can be shown one by one, with what came back, and compared.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

#include <linux/sizes.h>

#include "guest_ops.h"
#include "kvm_util.h"
#include "memory_use.h"
#include "processor.h"
#include "ptrauth.h"
#include "ptrauth_insns.h"
#include "test_util.h"
#include "vgic.h"

#include "gic.h"

#define NR_CALLS	50000
#define NR_THREADS	4
#define MAX_THREADS	64
#define SEED		0x9ac5eedUL

#define NR_VMS		3
#define NR_VCPUS	3

/* A VM keeps the vCPUs whose files were closed, so there may be more vCPUs than files. */
#define MAX_VCPU_ID	64

/*
 * Each VM and vCPU has its own file descriptor, whether or not it is open. So a call
 * on one that another thread has closed fails, but never hits another kind of file.
 */
#define FIRST_FD	100

/* A guest that does not leave is interrupted after so long. */
#define TICK_NS		2000000

/* Until each has succeeded once, up to so many times the calls are made. */
#define MAX_TIMES	20

/* If no thread gets anywhere for so long, something hangs. */
#define STALL_SECONDS	60

/* Slab objects of the kernel's own that come and go, in bytes, and pages, in KiB. */
#define SLAB_NOISE	(64 << 10)
#define PAGES_NOISE	(8 << 10)

#define GUEST_SIZE	SZ_64K

struct fuzzer {
	pthread_t thread;
	struct kvm_random_state rng;
	timer_t timer;
	unsigned int nr;
	u64 calls;
	u64 vms;
	/* The call that it makes, to name the one that hangs. */
	const char *doing;
	u64 reg[SZ_64K / sizeof(u64)];
};

static struct fuzzer fuzzers[MAX_THREADS];
static unsigned int nr_threads = NR_THREADS;
static u64 nr_calls, seed = SEED;
static void *guest_memory;
static sigset_t ticks;
static int kvm_fd;

static u32 below(struct fuzzer *f, u32 n)
{
	return kvm_random_u32(&f->rng) % n;
}

static bool once_in(struct fuzzer *f, u32 n)
{
	return !below(f, n);
}

static int vm_fd(unsigned int vm)
{
	return FIRST_FD + vm * (1 + NR_VCPUS);
}

static int any_vm(struct fuzzer *f)
{
	return vm_fd(below(f, NR_VMS));
}

static int any_vcpu(struct fuzzer *f)
{
	return any_vm(f) + 1 + below(f, NR_VCPUS);
}

/* Guest code: uses keys and leaves. All of its memory is full of this. */
static const u32 guest_block[] = {
	0xdac10020,	/* pacia x0, x1 */
	0xdac11020,	/* autia x0, x1 */
	0x9ac13002,	/* pacga x2, x0, x1 */
	0xd5382103,	/* mrs	x3, APIAKeyLo_EL1 */
	0xd5182163,	/* msr	APIBKeyHi_EL1, x3 */
	0xd4000002,	/* hvc	#0 */
	0xd2a80004,	/* mov	x4, #0x40000000 */
	0xb9000080,	/* str	w0, [x4] */
	0xd69f03e0,	/* eret */
};

static void *map_memory(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	TEST_ASSERT(memory != MAP_FAILED, "No memory for the guests");
	return memory;
}

static void fill_guest_memory(void)
{
	size_t at;

	guest_memory = map_memory(GUEST_SIZE);
	for (at = 0; at + sizeof(guest_block) <= GUEST_SIZE; at += sizeof(guest_block))
		memcpy(guest_memory + at, guest_block, sizeof(guest_block));
}

/* The calls. Each returns the result of the last of its ioctls, with errno. */

static int create_vm(struct fuzzer *f)
{
	struct kvm_userspace_memory_region region = {
		.memory_size = GUEST_SIZE,
		.userspace_addr = (u64)guest_memory,
	};
	int fd = ioctl(kvm_fd, KVM_CREATE_VM, 0UL);

	if (fd < 0)
		return fd;
	f->vms++;
	TEST_ASSERT(!ioctl(fd, KVM_SET_USER_MEMORY_REGION, &region), "No guest memory: %s",
		    strerror(errno));
	/* Its predecessor goes when the last of its vCPUs does. */
	TEST_ASSERT(dup2(fd, any_vm(f)) >= 0, "Cannot keep the VM");
	close(fd);

	return 0;
}

static int create_vcpu(struct fuzzer *f)
{
	u64 id = once_in(f, 20) ? kvm_random_u32(&f->rng) : below(f, MAX_VCPU_ID);
	bool immediate_exit = once_in(f, 4);
	int fd = ioctl(any_vm(f), KVM_CREATE_VCPU, id);
	struct kvm_run *run;

	if (fd < 0)
		return fd;
	run = mmap(NULL, sizeof(*run), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	TEST_ASSERT(run != MAP_FAILED, "Cannot map a vCPU: %s", strerror(errno));
	run->immediate_exit = immediate_exit;
	munmap(run, sizeof(*run));
	TEST_ASSERT(dup2(fd, any_vcpu(f)) >= 0, "Cannot keep the vCPU");
	close(fd);

	return 0;
}

static void random_init(struct fuzzer *f, struct kvm_vcpu_init *init)
{
	memset(init, 0, sizeof(*init));
	init->target = KVM_ARM_TARGET_GENERIC_V8;
	switch (below(f, 8)) {
	case 0:
		init->features[0] = kvm_random_u32(&f->rng);
		break;
	case 1:
		init->features[0] = BIT(below(f, 32));
		break;
	case 2:
		init->target = kvm_random_u32(&f->rng);
		break;
	case 3:
		init->features[below(f, ARRAY_SIZE(init->features))] = kvm_random_u32(&f->rng);
		break;
	case 4:
		init->features[0] = BIT(KVM_ARM_VCPU_PTRAUTH_ADDRESS + below(f, 2));
		break;
	default:
		init->features[0] = BIT(KVM_ARM_VCPU_PSCI_0_2);
		if (!once_in(f, 4))
			init->features[0] |= PTRAUTH_FEATURES;
		/* KVM_RUN refuses it, as there is no interrupt controller. */
		if (once_in(f, 8))
			init->features[0] |= BIT(KVM_ARM_VCPU_HAS_EL2);
		break;
	}
}

static void check_pair(int ret, const struct kvm_vcpu_init *init)
{
	u32 pair = init->features[0] & PTRAUTH_FEATURES;

	TEST_ASSERT(ret || !pair || pair == PTRAUTH_FEATURES,
		    "One of the two features was let in alone: 0x%x", init->features[0]);
}

static int init_vcpu(struct fuzzer *f)
{
	struct kvm_vcpu_init init;
	int ret;

	random_init(f, &init);
	/* KVM_RUN refuses a vCPU whose PMU is not set up. */
	init.features[0] &= ~(BIT(KVM_ARM_VCPU_PMU_V3) | BIT(KVM_ARM_VCPU_PMU_V3_STRICT));

	ret = ioctl(any_vcpu(f), KVM_ARM_VCPU_INIT, &init);
	check_pair(ret, &init);

	return ret;
}

static u64 any_reg(struct fuzzer *f)
{
	switch (below(f, 6)) {
	case 0:
	case 5:
		return ptrauth_half_id[below(f, PTRAUTH_NR_HALVES)];
	case 1:
		return ARM64_SYS_REG(3, 0, 0, below(f, 8), below(f, 8));
	case 2:
		return ARM64_SYS_REG(2 + below(f, 2), below(f, 8), below(f, 16), below(f, 16),
				     below(f, 8));
	case 3:
		return KVM_REG_ARM64 | KVM_REG_ARM_CORE | KVM_REG_SIZE_U64 | below(f, 0x100);
	default:
		return kvm_random_u64(&f->rng) >> (below(f, 2) * 32) |
		       (once_in(f, 2) ? KVM_REG_ARM64 : 0);
	}
}

static int get_one_reg(struct fuzzer *f)
{
	struct kvm_one_reg reg = { .id = any_reg(f), .addr = (u64)f->reg };

	return ioctl(any_vcpu(f), KVM_GET_ONE_REG, &reg);
}

static int set_one_reg(struct fuzzer *f)
{
	struct kvm_one_reg reg = { .id = any_reg(f), .addr = (u64)f->reg };

	switch (below(f, 4)) {
	case 0:
		f->reg[0] = 0;
		break;
	case 1:
		f->reg[0] = below(f, GUEST_SIZE) & ~3;
		break;
	case 2:
		/* What was last read, or set, somewhere else. */
		break;
	default:
		f->reg[0] = kvm_random_u64(&f->rng);
		break;
	}

	return ioctl(any_vcpu(f), KVM_SET_ONE_REG, &reg);
}

static int get_reg_list(struct fuzzer *f)
{
	struct kvm_reg_list *list = (void *)f->reg;

	list->n = once_in(f, 2) ? below(f, 16) : ARRAY_SIZE(f->reg) - 1;
	return ioctl(any_vcpu(f), KVM_GET_REG_LIST, list);
}

/* Signals come to the thread again and again from one tick on, or no more if that is 0. */
static void set_ticks(struct fuzzer *f, long ns)
{
	struct itimerspec spec = { { 0, ns }, { 0, ns } };

	TEST_ASSERT(!timer_settime(f->timer, 0, &spec, NULL), "Cannot set a timer");
}

/* Signals come only here, because they must not end other calls. */
static int run(struct fuzzer *f)
{
	int fd = any_vcpu(f), ret, error;

	set_ticks(f, TICK_NS);
	pthread_sigmask(SIG_UNBLOCK, &ticks, NULL);
	ret = ioctl(fd, KVM_RUN, NULL);
	error = errno;
	pthread_sigmask(SIG_BLOCK, &ticks, NULL);
	set_ticks(f, 0);
	errno = error;

	return ret;
}

static u32 any_cap(struct fuzzer *f)
{
	static const u32 ours[] = {
		KVM_CAP_ARM_PTRAUTH_ADDRESS, KVM_CAP_ARM_PTRAUTH_GENERIC,
		/* What the draft called them. */
		169, 170,
	};

	switch (below(f, 4)) {
	case 0:
		return kvm_random_u32(&f->rng);
	case 1:
		return below(f, 300);
	default:
		return ours[below(f, ARRAY_SIZE(ours))];
	}
}

static int check_extension(struct fuzzer *f)
{
	int fd = once_in(f, 2) ? kvm_fd : any_vm(f);
	u32 cap = any_cap(f);
	int ret;

	ret = ioctl(fd, KVM_CHECK_EXTENSION, (unsigned long)cap);
	if (cap == KVM_CAP_ARM_PTRAUTH_ADDRESS || cap == KVM_CAP_ARM_PTRAUTH_GENERIC)
		TEST_ASSERT(ret == 1 || (ret < 0 && errno == EBADF), "Capability %u is %d", cap,
			    ret);

	return ret;
}

static int close_vcpu(struct fuzzer *f)
{
	return close(any_vcpu(f));
}

static int close_vm(struct fuzzer *f)
{
	return close(any_vm(f));
}

/*
 * The error numbers that Documentation/virt/kvm/api.rst lists for each. Some capabilities
 * give EINVAL without a VM. A closed file gives EBADF.
 */
static const struct call {
	const char *name;
	int (*make)(struct fuzzer *f);
	unsigned int per_mille;
	int errors[6];
} calls[] = {
	{ "KVM_CREATE_VM", create_vm, 2 },
	{ "KVM_CREATE_VCPU", create_vcpu, 30, { EEXIST, EINVAL } },
	{ "KVM_ARM_VCPU_INIT", init_vcpu, 100, { EINVAL, ENOENT } },
	{ "KVM_GET_ONE_REG", get_one_reg, 230, { ENOENT, EINVAL, EPERM, ENOEXEC } },
	{ "KVM_SET_ONE_REG", set_one_reg, 310, { ENOENT, EINVAL, EPERM, ENOEXEC, EBUSY } },
	{ "KVM_GET_REG_LIST", get_reg_list, 30, { E2BIG, ENOEXEC, EPERM } },
	{ "KVM_RUN", run, 40, { EAGAIN, EINTR, ENOEXEC, ENOSYS, EPERM } },
	{ "KVM_CHECK_EXTENSION", check_extension, 253, { EINVAL } },
	{ "close of a vCPU", close_vcpu, 4 },
	{ "close of a VM", close_vm, 1 },
};

static u64 made[ARRAY_SIZE(calls)], succeeded[ARRAY_SIZE(calls)];

static const struct call *any_call(struct fuzzer *f)
{
	unsigned int i, dice = below(f, 1000);

	for (i = 0; dice >= calls[i].per_mille; i++)
		dice -= calls[i].per_mille;

	return &calls[i];
}

static void check_error(struct fuzzer *f, const struct call *call, int error)
{
	int i;

	if (error == EBADF)
		return;
	for (i = 0; i < ARRAY_SIZE(call->errors); i++)
		if (call->errors[i] == error)
			return;

	TEST_FAIL("thread %u, call %lu, seed 0x%lx: %s: %s", f->nr, f->calls, seed, call->name,
		  strerror(error));
}

/* Create the timer that interrupts this thread, so that no guest keeps it. */
static void create_timer(struct fuzzer *f)
{
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1 };

	event._sigev_un._tid = syscall(SYS_gettid);
	TEST_ASSERT(!timer_create(CLOCK_MONOTONIC, &event, &f->timer), "Cannot have a timer");
}

/* Whether a thread is done after so many calls. */
static bool enough(u64 nr)
{
	u64 wanted = nr_calls / nr_threads;
	int i;

	if (nr < wanted)
		return false;
	for (i = 0; i < ARRAY_SIZE(calls); i++)
		if (!READ_ONCE(succeeded[i]))
			return nr >= wanted * MAX_TIMES;

	return true;
}

static void *fuzz(void *arg)
{
	struct fuzzer *f = arg;
	const struct call *call;
	u64 i;
	int ret;

	create_timer(f);
	for (i = 0; !enough(i); i++) {
		call = any_call(f);
		WRITE_ONCE(f->doing, call->name);
		ret = call->make(f);
		if (ret < 0)
			check_error(f, call, errno);
		__atomic_fetch_add(&made[call - calls], 1, __ATOMIC_RELAXED);
		if (ret >= 0)
			__atomic_fetch_add(&succeeded[call - calls], 1, __ATOMIC_RELAXED);
		WRITE_ONCE(f->calls, f->calls + 1);
	}
	WRITE_ONCE(f->doing, NULL);
	timer_delete(f->timer);

	return NULL;
}

static u64 calls_made(void)
{
	u64 sum = 0;
	int i;

	for (i = 0; i < nr_threads; i++)
		sum += READ_ONCE(fuzzers[i].calls);

	return sum;
}

static bool all_done(void)
{
	int i;

	for (i = 0; i < nr_threads; i++)
		if (READ_ONCE(fuzzers[i].doing))
			return false;

	return true;
}

static void watch(u64 start, u64 wanted)
{
	u64 last = 0, shown = start, now;
	time_t since = time(NULL);
	int i;

	while (!all_done()) {
		usleep(50000);
		now = calls_made();
		if (now != last) {
			last = now;
			since = time(NULL);
		}
		if (now - shown >= wanted / 5) {
			ksft_print_msg("%lu calls\n", now);
			shown = now;
		}
		if (time(NULL) - since < STALL_SECONDS)
			continue;
		for (i = 0; i < nr_threads; i++)
			ksft_print_msg("thread %d: %s\n", i, READ_ONCE(fuzzers[i].doing) ?: "done");
		TEST_FAIL("No call came back for %d seconds, seed 0x%lx", STALL_SECONDS, seed);
	}
}

/* Make that many calls, or more, and close all that they have left open. */
static void fuzz_all(u64 wanted)
{
	u64 start = calls_made();
	unsigned int i;

	nr_calls = wanted;
	for (i = 0; i < nr_threads; i++) {
		fuzzers[i].doing = "starting";
		pthread_create(&fuzzers[i].thread, NULL, fuzz, &fuzzers[i]);
	}
	watch(start, wanted);
	for (i = 0; i < nr_threads; i++)
		pthread_join(fuzzers[i].thread, NULL);
	for (i = 0; i < NR_VMS * (1 + NR_VCPUS); i++)
		close(FIRST_FD + i);
}

/*
 * The sequence. What goes into the digest depends on neither time nor the host's addresses,
 * files and keys.
 */

#define SEQUENCE_CALLS	20000
#define SHOW_EVERY	1000

/* One of each kind, and one with any features. */
#define NR_MACHINES	(NR_KINDS + 1)
#define MACHINE_VCPUS	2

/* The size of a physical address: the smaller it is, the sooner a VM closes. */
#define MACHINE_IPA	32

/* A VM with EL2 takes a second to close, so that only one in so many does. */
#define EL2_STAYS	50

/* Bits that a VM may lack are as KVM would have them. */
#define SCTLR_BASE	(0x30d00980 | SCTLR_ELx_M | SCTLR_ELx_C | SCTLR_ELx_I)
#define SCTLR_BASE_E2H0	(0x30c50830 | SCTLR_ELx_M | SCTLR_ELx_C | SCTLR_ELx_I)

/* What TCR_EL1 has, and TCR_EL2 with E2H; and then without. */
#define TCR_BASE	(TCR_TG0_4K | UL(2) << 30 | TCR_SH0_INNER | TCR_ORGN0_WBWA | \
			 TCR_IRGN0_WBWA | TCR_EPD1_MASK)
#define TCR_TBI		GENMASK(38, 37)
#define TCR_TBID	GENMASK(52, 51)
#define TCR_BASE_E2H0	(TCR_TG0_4K | TCR_SH0_INNER | TCR_ORGN0_WBWA | TCR_IRGN0_WBWA | \
			 BIT(31) | BIT(23))
#define TCR_TBI_E2H0	BIT(20)
#define TCR_TBID_E2H0	BIT(29)

#define HFGRTR_KEYS	GENMASK(8, 4)
#define DAIF		(PSR_D_BIT | PSR_A_BIT | PSR_I_BIT | PSR_F_BIT)

/* Which values a register or operand may have, so that a list gets to its end. */
enum value { ANY, MODIFIER, POINTER, FAR_BIT, SPSR, SCTLR, SCTLR_2, TCR, TCR_2, HCR, KEY_TRAPS,
	     ERET_TRAP };

static const struct reg {
	const char *name;
	u32 reg;
	enum value value;
	bool host_only;
} regs[] = {
#define REG(name, ...)	{ #name, SYS_##name, __VA_ARGS__ }
	REG(APIAKEYLO_EL1), REG(APIAKEYHI_EL1), REG(APIBKEYLO_EL1), REG(APIBKEYHI_EL1),
	REG(APDAKEYLO_EL1), REG(APDAKEYHI_EL1), REG(APDBKEYLO_EL1), REG(APDBKEYHI_EL1),
	REG(APGAKEYLO_EL1), REG(APGAKEYHI_EL1),
	REG(ID_AA64ISAR1_EL1), REG(ID_AA64ISAR2_EL1), REG(ID_AA64MMFR0_EL1),
	REG(SCTLR_EL1, SCTLR), REG(TCR_EL1, TCR), REG(SCTLR_EL2, SCTLR_2), REG(TCR_EL2, TCR_2),
	REG(HCR_EL2, HCR), REG(HFGRTR_EL2, KEY_TRAPS), REG(HFGWTR_EL2, KEY_TRAPS),
	REG(HFGITR_EL2, ERET_TRAP), REG(TPIDR_EL1), REG(TPIDR_EL2),
	REG(ELR_EL1, ANY, true), REG(ESR_EL1, ANY, true), REG(FAR_EL1, ANY, true),
	REG(ELR_EL2, ANY, true), REG(SPSR_EL2, SPSR, true), REG(ESR_EL2, ANY, true),
	REG(FAR_EL2, ANY, true), REG(SP_EL2, MODIFIER, true),
#undef REG
};

static struct op {
	char text[64];
	u32 insn[3];
	enum value operand;
} ops[160];

static unsigned int nr_ops, nr_plain_ops;

/* What exception returns, and the end of a list, are made of. */
static unsigned int op_load, op_spoil, op_pacia_sp, op_eret_el1, op_eret_el2, op_end;

enum { WITH_PTRAUTH = 1, AT_EL2 = 2, WITHOUT_E2H = 4, NR_KINDS = 6 };

static const char * const kind_name[NR_KINDS] = {
	"EL1, without the feature", "EL1, with the feature",
	"EL2 with E2H, without the feature", "EL2 with E2H, with the feature",
	"EL2 without E2H, without the feature", "EL2 without E2H, with the feature",
};

static struct machine {
	int vm, gic, vcpu[MACHINE_VCPUS];
	struct kvm_run *run[MACHINE_VCPUS];
	/* The features that it is made for, those that it has, and which of its vCPUs have. */
	u32 wanted, features;
	bool has[MACHINE_VCPUS], is_set_up[MACHINE_VCPUS];
	/* Most PACs are for this modifier. */
	u64 modifier;
	u64 *code;
	u64 *data;
} machines[NR_MACHINES];

static u64 sequence_nr, sequence_digest = PTRAUTH_DIGEST, show_from = -1, show_to;
static u64 kind_runs[NR_KINDS];
static unsigned int nr_kinds;
static struct ptrauth_codes own_codes;

static bool shown(u64 nr)
{
	return nr >= show_from && nr <= show_to;
}

static void add(u64 val)
{
	sequence_digest = ptrauth_digest(sequence_digest, val);
}

/* Record a call: its target, its argument and its result. */
static int called(const char *name, u64 what, u64 with, int ret, u64 result)
{
	int error = ret < 0 ? errno : 0;

	sequence_nr++;
	if (shown(sequence_nr))
		ksft_print_msg("call %lu: %s 0x%lx 0x%lx: %s, 0x%lx\n", sequence_nr, name, what,
			       with, error ? strerror(error) : "done", result);
	add(what);
	add(with);
	add(error);
	add(result);
	if (!(sequence_nr % SHOW_EVERY))
		ksft_print_msg("%lu calls: digest 0x%lx\n", sequence_nr, sequence_digest);

	return ret;
}

static int seq_get(int fd, u64 id, u64 *val, bool counts)
{
	u64 buffer[SZ_2K / sizeof(u64)] = { };
	struct kvm_one_reg reg = { .id = id, .addr = (u64)buffer };
	int ret = ioctl(fd, KVM_GET_ONE_REG, &reg);

	*val = buffer[0];
	return called("KVM_GET_ONE_REG", id, 0, ret, counts ? *val : 0);
}

static int seq_set(int fd, u64 id, u64 val)
{
	struct kvm_one_reg reg = { .id = id, .addr = (u64)&val };

	return called("KVM_SET_ONE_REG", id, val, ioctl(fd, KVM_SET_ONE_REG, &reg), 0);
}

static bool at_el2(struct machine *m)
{
	return m->features & BIT(KVM_ARM_VCPU_HAS_EL2);
}

static bool without_e2h(struct machine *m)
{
	return at_el2(m) && (m->features & BIT(KVM_ARM_VCPU_HAS_EL2_E2H0));
}

/*
 * In a VM with EL2, KVM clears bits that belong to missing features, but only when it puts
 * the vCPU. So they must not be set.
 */
static bool has_bits(struct machine *m)
{
	return !at_el2(m) || (m->features & PTRAUTH_FEATURES);
}

static u64 random_below(struct fuzzer *f, u64 n)
{
	return ptrauth_random_u64(&f->rng) % n;
}

static u64 random_of(struct fuzzer *f, u64 bits)
{
	return ptrauth_random_u64(&f->rng) & bits;
}

static u64 random_spsr(struct fuzzer *f)
{
	static const u8 illegal[] = { 0x1, 0x2, 0x3, 0x6, 0xa, 0xc, 0xd, 0xf };
	static const u8 legal[] = { PSR_MODE_EL2h, PSR_MODE_EL2t, PSR_MODE_EL1h, PSR_MODE_EL1h,
				    PSR_MODE_EL1h, PSR_MODE_EL1t, PSR_MODE_EL0t };
	u64 spsr = DAIF | (once_in(f, 8) ? PSR_IL_BIT : 0);

	return spsr | (once_in(f, 8) ? illegal[below(f, ARRAY_SIZE(illegal))] :
				       legal[below(f, ARRAY_SIZE(legal))]);
}

static u64 random_value(struct fuzzer *f, struct machine *m, enum value value)
{
	const bool e2h0 = without_e2h(m), bits = has_bits(m);
	u64 enables, t0sz = OPS_MIN_T0SZ + below(f, OPS_MAX_T0SZ + 1 - OPS_MIN_T0SZ);

	switch (value) {
	case MODIFIER:
		return once_in(f, 4) ? ptrauth_random_u64(&f->rng) : m->modifier;
	case POINTER:
		switch (below(f, 4)) {
		case 0:
			return ptrauth_pointer(below(f, 8));
		case 1:
			return ~ptrauth_pointer(below(f, 8));
		case 2:
			return ptrauth_random_u64(&f->rng);
		default:
			return OPS_NEXT;
		}
	case FAR_BIT:
		return BIT(40 + below(f, 24));
	case SPSR:
		return random_spsr(f);
	case SCTLR:
	case SCTLR_2:
		enables = once_in(f, 2) ? PTRAUTH_SCTLR_ENABLE : random_of(f, PTRAUTH_SCTLR_ENABLE);
		return (value == SCTLR_2 && e2h0 ? SCTLR_BASE_E2H0 : SCTLR_BASE) |
		       (bits ? enables : 0);
	case TCR:
	case TCR_2:
		if (value == TCR_2 && e2h0)
			return TCR_BASE_E2H0 | t0sz |
			       random_of(f, TCR_TBI_E2H0 | (bits ? TCR_TBID_E2H0 : 0));
		return TCR_BASE | t0sz | (16 + random_below(f, 24)) << 16 |
		       random_of(f, TCR_TBI | (bits ? TCR_TBID : 0));
	case HCR:
		return HCR_EL2_RW | (e2h0 ? 0 : HCR_EL2_E2H | random_of(f, HCR_EL2_TGE)) |
		       (bits ? random_of(f, HCR_EL2_API | HCR_EL2_APK) : 0);
	case KEY_TRAPS:
		return once_in(f, 2) && bits ? random_of(f, HFGRTR_KEYS) : 0;
	case ERET_TRAP:
		return once_in(f, 4) ? HFGITR_EL2_ERET : 0;
	default:
		return ptrauth_random_u64(&f->rng);
	}
}

static unsigned int add_op(enum value operand, u32 a, u32 b, u32 c, const char *text,
			   const char *reg)
{
	struct op *op = &ops[nr_ops];

	TEST_ASSERT(nr_ops < ARRAY_SIZE(ops), "Too many operations");
	op->operand = operand;
	op->insn[0] = a;
	op->insn[1] = b;
	op->insn[2] = c;
	snprintf(op->text, sizeof(op->text), text, reg);

	return nr_ops++;
}

static void make_ops(void)
{
	const u32 mrs_x0 = 0xd5300000, msr_x1 = 0xd5100001, isb = 0xd5033fdf;
	int i;

	for (i = 0; i < ARRAY_SIZE(ptrauth_insns); i++)
		add_op(MODIFIER, ptrauth_insns[i].insn, 0, 0, "%s", ptrauth_insns[i].text);
	for (i = 0; i < ARRAY_SIZE(regs) && !regs[i].host_only; i++) {
		add_op(ANY, mrs_x0 | regs[i].reg, 0, 0, "mrs x0, %s", regs[i].name);
		add_op(regs[i].value, msr_x1 | regs[i].reg, isb, 0, "msr %s, x1", regs[i].name);
	}
	add_op(ANY, 0xdac143e0, 0, 0, "xpaci x0", "");
	add_op(ANY, 0xdac147e0, 0, 0, "xpacd x0", "");
	add_op(ANY, 0xd5384240, 0, 0, "mrs x0, CurrentEL", "");
	add_op(ANY, 0xd50040bf, 0, 0, "msr SPSel, #0", "");
	add_op(ANY, 0xd50041bf, 0, 0, "msr SPSel, #1", "");
	add_op(ANY, 0xd4000002, 0, 0, "hvc #0", "");
	add_op(ANY, 0xd4000001, 0, 0, "svc #0", "");
	add_op(ANY, 0xf90001c0, 0, 0, "str x0, [x14]", "");
	op_load = add_op(POINTER, 0xaa0103e0, 0, 0, "mov x0, x1", "");
	op_spoil = add_op(FAR_BIT, 0xca010000, 0, 0, "eor x0, x0, x1", "");
	op_pacia_sp = add_op(ANY, 0xdac103e0, 0, 0, "pacia x0, sp", "");
	add_op(ANY, 0xdac107e0, 0, 0, "pacib x0, sp", "");
	nr_plain_ops = nr_ops;
	op_eret_el1 = add_op(SPSR, 0xd5184020, 0xd5184001, 0xd69f03e0, "eret with EL1's", "");
	add_op(SPSR, 0xd5184020, 0xd5184001, 0xd69f0bff, "eretaa with EL1's", "");
	add_op(SPSR, 0xd5184020, 0xd5184001, 0xd69f0fff, "eretab with EL1's", "");
	op_eret_el2 = add_op(SPSR, 0xd51c4020, 0xd51c4001, 0xd69f03e0, "eret with EL2's", "");
	add_op(SPSR, 0xd51c4020, 0xd51c4001, 0xd69f0bff, "eretaa with EL2's", "");
	add_op(SPSR, 0xd51c4020, 0xd51c4001, 0xd69f0fff, "eretab with EL2's", "");
	op_end = add_op(ANY, 0xf90001ed, 0, 0, "str x13, [x15]", "");
}

static void close_machine(struct machine *m)
{
	int i;

	for (i = 0; i < MACHINE_VCPUS && m->run[i]; i++) {
		munmap(m->run[i], sizeof(*m->run[i]));
		close(m->vcpu[i]);
		m->run[i] = NULL;
	}
	close(m->gic);
	close(m->vm);
}

static void set_memory(struct machine *m, u32 slot, u64 at, u64 size, void *memory)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.guest_phys_addr = at,
		.memory_size = size,
		.userspace_addr = (u64)memory,
	};

	called("KVM_SET_USER_MEMORY_REGION", slot, at,
	       ioctl(m->vm, KVM_SET_USER_MEMORY_REGION, &region), 0);
}

static void set_gic_attr(struct machine *m, u32 group, u64 attr, u64 val)
{
	struct kvm_device_attr device_attr = { .group = group, .attr = attr, .addr = (u64)&val };

	called("KVM_SET_DEVICE_ATTR", group, val,
	       ioctl(m->gic, KVM_SET_DEVICE_ATTR, &device_attr), 0);
}

static void seq_init_vcpu(struct fuzzer *f, struct machine *m, int i)
{
	struct kvm_vcpu_init init;
	int ret;

	random_init(f, &init);
	if (!once_in(f, 4)) {
		init.target = KVM_ARM_TARGET_GENERIC_V8;
		memset(init.features, 0, sizeof(init.features));
		init.features[0] = m->wanted;
	}
	/* KVM_RUN would wait, or the guest would take its list for something else. */
	init.features[0] &= ~(BIT(KVM_ARM_VCPU_POWER_OFF) | BIT(KVM_ARM_VCPU_EL1_32BIT));

	ret = ioctl(m->vcpu[i], KVM_ARM_VCPU_INIT, &init);
	called("KVM_ARM_VCPU_INIT", init.target, init.features[0], ret, 0);
	check_pair(ret, &init);
	if (ret)
		return;
	m->features = init.features[0];
	m->has[i] = true;
	m->is_set_up[i] = false;
}

static void new_machine(struct fuzzer *f, struct machine *m)
{
	struct kvm_create_device gic = { .type = KVM_DEV_TYPE_ARM_VGIC_V3 };
	unsigned int nr = m - machines, kind = nr % nr_kinds;
	struct kvm_vcpu_init init;
	int i, ret;

	if (m->code)
		close_machine(m);
	else
		m->code = map_memory(OPS_CODE_SIZE);
	m->data = m->data ?: map_memory(OPS_DATA_SIZE);
	memcpy(m->code, ops_code, OPS_STUBS);
	for (i = 0; i < nr_ops; i++)
		ops_make_stub((u32 *)m->code, i, ops[i].insn);
	ops_make_tables(m->code);

	m->modifier = ptrauth_random_u64(&f->rng);
	m->features = 0;
	m->wanted = BIT(KVM_ARM_VCPU_PSCI_0_2);
	if (kind & WITH_PTRAUTH)
		m->wanted |= PTRAUTH_FEATURES;
	if (kind >= AT_EL2)
		m->wanted |= BIT(KVM_ARM_VCPU_HAS_EL2);
	if (kind >= WITHOUT_E2H)
		m->wanted |= BIT(KVM_ARM_VCPU_HAS_EL2_E2H0);
	if (nr >= NR_KINDS) {
		random_init(f, &init);
		m->wanted = init.features[0];
	}

	m->vm = ioctl(kvm_fd, KVM_CREATE_VM, (unsigned long)MACHINE_IPA);
	called("KVM_CREATE_VM", 0, m->wanted, m->vm, 0);
	set_memory(m, 0, 0, OPS_CODE_SIZE, m->code);
	set_memory(m, 1, OPS_LIST, OPS_DATA_SIZE, m->data);
	for (i = 0; i < MACHINE_VCPUS; i++) {
		m->has[i] = false;
		m->vcpu[i] = ioctl(m->vm, KVM_CREATE_VCPU, (unsigned long)i);
		called("KVM_CREATE_VCPU", i, 0, m->vcpu[i], 0);
		m->run[i] = mmap(NULL, sizeof(*m->run[i]), PROT_READ | PROT_WRITE, MAP_SHARED,
				 m->vcpu[i], 0);
		TEST_ASSERT(m->run[i] != MAP_FAILED, "Cannot map a vCPU: %s", strerror(errno));
	}
	/* KVM_RUN wants it for EL2. */
	ret = ioctl(m->vm, KVM_CREATE_DEVICE, &gic);
	called("KVM_CREATE_DEVICE", gic.type, 0, ret, 0);
	m->gic = gic.fd;
	set_gic_attr(m, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_DIST, GICD_BASE_GPA);
	set_gic_attr(m, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_REDIST_REGION,
		     REDIST_REGION_ATTR_ADDR(MACHINE_VCPUS, GICR_BASE_GPA, 0, 0));
	set_gic_attr(m, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT, 0);
	for (i = 0; i < MACHINE_VCPUS; i++)
		if (!once_in(f, 4))
			seq_init_vcpu(f, m, i);
}

/* After a reset: what the guest needs to work through a list, the rest is random. */
static void set_up(struct fuzzer *f, struct machine *m, int i)
{
	int fd = m->vcpu[i], n;

	for (n = 0; n < ARRAY_SIZE(regs); n++)
		if (regs[n].value != ANY && regs[n].value != SPSR)
			seq_set(fd, KVM_ARM64_SYS_REG(regs[n].reg),
				random_value(f, m, regs[n].value));
	for (n = below(f, 2) * PTRAUTH_NR_HALVES; n < PTRAUTH_NR_HALVES; n++)
		seq_set(fd, ptrauth_half_id[n], ptrauth_random_u64(&f->rng));
	seq_set(fd, KVM_ARM64_SYS_REG(SYS_VTCR_EL2), 0);
	seq_set(fd, KVM_ARM64_SYS_REG(SYS_VTTBR_EL2), 0);
	seq_set(fd, KVM_ARM64_SYS_REG(SYS_MAIR_EL1), DEFAULT_MAIR_EL1);
	seq_set(fd, KVM_ARM64_SYS_REG(SYS_MAIR_EL2), DEFAULT_MAIR_EL1);
	seq_set(fd, KVM_ARM64_SYS_REG(SYS_TTBR0_EL1), OPS_TABLES);
	seq_set(fd, KVM_ARM64_SYS_REG(SYS_TTBR0_EL2), OPS_TABLES);
	seq_set(fd, KVM_ARM64_SYS_REG(SYS_VBAR_EL1), OPS_VECTORS_EL1);
	seq_set(fd, KVM_ARM64_SYS_REG(SYS_VBAR_EL2), OPS_VECTORS_EL2);
	seq_set(fd, ARM64_CORE_REG(regs.sp), random_value(f, m, MODIFIER));
	seq_set(fd, ARM64_CORE_REG(sp_el1), random_value(f, m, MODIFIER));
	m->is_set_up[i] = true;
}

static struct ops_item *put_item(struct fuzzer *f, struct machine *m, struct ops_item *item,
				 unsigned int op)
{
	item->stub = OPS_STUBS + op * 16;
	item->operand = random_value(f, m, ops[op].operand);
	if (shown(sequence_nr + 1))
		ksft_print_msg("  %s, x1 = 0x%lx\n", ops[op].text, item->operand);
	add(item->operand);

	return item + 1;
}

/* The list: any op, and exception returns to what comes next, most of them with a PAC. */
static void make_list(struct fuzzer *f, struct machine *m)
{
	struct ops_item *item = (void *)m->data;
	unsigned int how, i, n = 4 + below(f, 16);
	bool el2;

	for (i = 0; i < n; i++) {
		if (!once_in(f, 3)) {
			item = put_item(f, m, item, below(f, nr_plain_ops));
			continue;
		}
		/* ERET, ERETAA or ERETAB. */
		how = below(f, 3);
		el2 = at_el2(m) && !once_in(f, 4);
		item = put_item(f, m, item, op_load);
		item[-1].operand = OPS_NEXT;
		if (how || once_in(f, 4))
			item = put_item(f, m, item,
					op_pacia_sp + (once_in(f, 8) ? below(f, 2) : how == 2));
		if (once_in(f, 8))
			item = put_item(f, m, item, op_spoil);
		item = put_item(f, m, item, (el2 ? op_eret_el2 : op_eret_el1) + how);
	}
	put_item(f, m, item, op_end);
}

/*
 * After an illegal exception return, an address has no tag that TCR_ELx says to ignore. Under
 * QEMU it does, unless an interrupt of the host comes before the guest's next instruction.
 */
static void drop_tag(struct ops_entry *entry)
{
	if (entry->what & OPS_EXCEPTION && ESR_ELx_EC(entry->what) == ESR_ELx_EC_ILL)
		entry->val[0] &= GENMASK(55, 0);
}

static void show_entry(struct ops_entry *entry)
{
	u64 op = (entry->what - OPS_STUBS) / 16;
	const char *text = op < nr_ops ? ops[op].text : "after the exception";

	if (entry->what & OPS_EXCEPTION)
		ksft_print_msg("  ESR 0x%lx, ELR 0x%lx, SPSR 0x%lx\n",
			       entry->what & ~OPS_EXCEPTION, entry->val[0], entry->val[1]);
	else
		ksft_print_msg("  %s: x0 = 0x%lx, x17 = 0x%lx, x30 = 0x%lx\n", text,
			       entry->val[0], entry->val[1], entry->val[2]);
}

static void seq_run(struct fuzzer *f, struct machine *m, int i)
{
	struct ops_entry *entry = (void *)m->data + (OPS_LOG - OPS_LIST);
	struct kvm_run *run = m->run[i];
	u64 val, nr = 0;
	int ret, n;

	if (m->has[i]) {
		if (!m->is_set_up[i])
			set_up(f, m, i);
		seq_set(m->vcpu[i], ARM64_CORE_REG(regs.pc), OPS_START);
		seq_set(m->vcpu[i], ARM64_CORE_REG(regs.pstate),
			(at_el2(m) ? PSR_MODE_EL2h : PSR_MODE_EL1h) | DAIF);
		make_list(f, m);
	}

	do {
		alarm(STALL_SECONDS);
		ret = ioctl(m->vcpu[i], KVM_RUN, NULL);
		alarm(0);
		TEST_ASSERT(!ret || errno != EINTR, "Call %lu, seed 0x%lx: the guest goes on",
			    sequence_nr + 1, seed);
		if (ret || run->exit_reason != KVM_EXIT_MMIO) {
			called("KVM_RUN", i, 0, ret, ret ? 0 : run->exit_reason);
			return;
		}
		memcpy(&val, run->mmio.data, sizeof(val));
		called("KVM_RUN", i, run->mmio.phys_addr, ret, val);
		ptrauth_host_check(&own_codes, 1, "after KVM_RUN");
	} while (run->mmio.phys_addr == OPS_EXIT);

	if (run->mmio.phys_addr == OPS_END)
		nr = (val - OPS_LOG) / sizeof(*entry);
	for (n = 0; n < nr; n++) {
		drop_tag(&entry[n]);
		if (shown(sequence_nr))
			show_entry(&entry[n]);
		add(entry[n].what);
		add(entry[n].val[0]);
		add(entry[n].val[1]);
		add(entry[n].val[2]);
	}
	kind_runs[(at_el2(m) ? AT_EL2 : 0) + (without_e2h(m) ? AT_EL2 : 0) +
		  !!(m->features & PTRAUTH_FEATURES)]++;
}

static u64 core_reg(struct fuzzer *f)
{
	return KVM_REG_ARM64 | KVM_REG_ARM_CORE | KVM_REG_SIZE_U64 | below(f, 0x60);
}

static void seq_get_reg(struct fuzzer *f, struct machine *m, int i)
{
	int fd = m->vcpu[i];
	u64 val;

	switch (below(f, 8)) {
	case 0:
		/* Time is among these. */
		seq_get(fd, any_reg(f), &val, false);
		break;
	case 1:
		seq_get(fd, core_reg(f), &val, true);
		break;
	case 2:
		seq_get(fd, ARM64_SYS_REG(3, 0, 0, below(f, 8), below(f, 8)), &val, true);
		break;
	default:
		seq_get(fd, KVM_ARM64_SYS_REG(regs[below(f, ARRAY_SIZE(regs))].reg), &val, true);
		break;
	}
}

static void seq_set_reg(struct fuzzer *f, struct machine *m, int i)
{
	const struct reg *reg = &regs[below(f, ARRAY_SIZE(regs))];
	u64 id = KVM_ARM64_SYS_REG(reg->reg), val;

	switch (below(f, 8)) {
	case 0:
		seq_set(m->vcpu[i], ARM64_CORE_REG(regs.regs[below(f, 2)]),
			ptrauth_random_u64(&f->rng));
		break;
	case 1:
		/* One field of an ID register differs, or none. */
		id = KVM_ARM64_SYS_REG(SYS_ID_AA64ISAR1_EL1 + (below(f, 2) << 5));
		if (!seq_get(m->vcpu[i], id, &val, true))
			seq_set(m->vcpu[i], id, val ^ (u64)below(f, 2) << 4 * below(f, 16));
		break;
	default:
		seq_set(m->vcpu[i], id, random_value(f, m, reg->value));
		break;
	}
}

static void seq_get_reg_list(struct fuzzer *f, struct machine *m, int i)
{
	struct kvm_reg_list *list = (void *)f->reg;
	u64 digest = PTRAUTH_DIGEST;
	int ret, n;

	list->n = ARRAY_SIZE(f->reg) - 1;
	ret = ioctl(m->vcpu[i], KVM_GET_REG_LIST, list);
	for (n = 0; !ret && n < list->n; n++)
		digest = ptrauth_digest(digest, list->reg[n]);
	called("KVM_GET_REG_LIST", i, ret ? 0 : list->n, ret, digest);
}

static void seq_check_extension(struct fuzzer *f, struct machine *m)
{
	u32 cap = any_cap(f);
	bool of_vm = once_in(f, 2);
	int ret = ioctl(of_vm ? m->vm : kvm_fd, KVM_CHECK_EXTENSION, (unsigned long)cap);

	called("KVM_CHECK_EXTENSION", cap, of_vm, ret, ret);
}

static void any_seq_call(struct fuzzer *f)
{
	struct machine *m = &machines[below(f, NR_MACHINES)];
	unsigned int dice = below(f, 1000);
	int i = below(f, MACHINE_VCPUS);

	if (dice < 5 && (!at_el2(m) || once_in(f, EL2_STAYS)))
		new_machine(f, m);
	else if (dice < 25)
		seq_init_vcpu(f, m, i);
	else if (dice < 35)
		seq_get_reg_list(f, m, i);
	else if (dice < 150)
		seq_check_extension(f, m);
	else if (dice < 500)
		seq_get_reg(f, m, i);
	else if (dice < 850)
		seq_set_reg(f, m, i);
	else
		seq_run(f, m, i);
}

static void sequence(int argc, char *argv[])
{
	u64 wanted = argc > 2 ? strtoul(argv[2], NULL, 0) : SEQUENCE_CALLS;
	struct fuzzer *f = &fuzzers[0];
	int i;

	if (argc > 3)
		seed = strtoul(argv[3], NULL, 0);
	if (argc > 5) {
		show_from = strtoul(argv[4], NULL, 0);
		show_to = strtoul(argv[5], NULL, 0);
	}
	ksft_print_header();
	ksft_set_plan(1 + NR_KINDS);

	f->rng = new_kvm_random_state(seed);
	ptrauth_sign_all(&own_codes, 1);
	make_ops();
	nr_kinds = !kvm_has_cap(KVM_CAP_ARM_EL2) ? AT_EL2 :
		   !kvm_has_cap(KVM_CAP_ARM_EL2_E2H0) ? WITHOUT_E2H : NR_KINDS;
	for (i = 0; i < NR_MACHINES; i++)
		new_machine(f, &machines[i]);
	while (sequence_nr < wanted)
		any_seq_call(f);

	for (i = 0; i < NR_KINDS; i++) {
		if (i >= nr_kinds)
			ksft_test_result_skip("there is no %s\n", kind_name[i]);
		else
			ksft_test_result(kind_runs[i], "%lu lists done at %s\n", kind_runs[i],
					 kind_name[i]);
	}
	ksft_test_result_pass("%lu calls with seed 0x%lx, and the host's own PACs are right\n",
			      sequence_nr, seed);
	ksft_finished();
}

static void ignore(int signal)
{
}

int main(int argc, char *argv[])
{
	bool in_sequence = argc > 1 && !strcmp(argv[1], "-s");
	u64 wanted = argc > 1 ? strtoul(argv[1], NULL, 0) : NR_CALLS, start, vms = 0;
	struct sigaction action = { .sa_handler = ignore };
	struct memory_use before;
	bool measured;
	int i;

	if (!in_sequence && argc > 2)
		seed = strtoul(argv[2], NULL, 0);
	if (!in_sequence && argc > 3)
		nr_threads = atoi(argv[3]);
	TEST_ASSERT(nr_threads && nr_threads <= MAX_THREADS, "%u threads", nr_threads);
	TEST_REQUIRE(kvm_has_ptrauth());

	/* Without SA_RESTART: a signal has to end KVM_RUN. */
	sigaction(SIGUSR1, &action, NULL);
	sigaction(SIGALRM, &action, NULL);
	sigemptyset(&ticks);
	sigaddset(&ticks, SIGUSR1);
	sigprocmask(SIG_BLOCK, &ticks, NULL);
	kvm_fd = open_kvm_dev_path_or_exit();
	if (in_sequence)
		sequence(argc, argv);
	fill_guest_memory();
	for (i = 0; i < nr_threads; i++) {
		fuzzers[i].nr = i;
		fuzzers[i].rng = new_kvm_random_state(seed + i);
	}

	ksft_print_header();
	ksft_set_plan(1 + ARRAY_SIZE(calls) + 1);
	ksft_print_msg("seed 0x%lx, %u threads\n", seed, nr_threads);

	/* Make some calls first: some allocations happen only once. */
	fuzz_all(wanted / 20);
	measured = memory_use(&before);
	for (i = 0; i < nr_threads; i++)
		fuzzers[i].vms = 0;
	memset(made, 0, sizeof(made));
	memset(succeeded, 0, sizeof(succeeded));

	start = calls_made();
	fuzz_all(wanted);
	for (i = 0; i < nr_threads; i++)
		vms += fuzzers[i].vms;

	ksft_test_result(vms, "%lu calls, %lu VMs, every error one that is documented\n",
			 calls_made() - start, vms);
	for (i = 0; i < ARRAY_SIZE(calls); i++)
		ksft_test_result(succeeded[i],
				 "%lu times %s, %lu with success\n", made[i], calls[i].name,
				 succeeded[i]);
	memory_use_result(measured, &before, SLAB_NOISE, PAGES_NOISE);

	ksft_finished();
}
