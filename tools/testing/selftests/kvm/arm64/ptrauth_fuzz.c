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
 */
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

#include <linux/sizes.h>

#include "kvm_util.h"
#include "memory_use.h"
#include "processor.h"
#include "ptrauth.h"
#include "test_util.h"

#define NR_CALLS	50000
#define NR_THREADS	4
#define MAX_THREADS	64
#define SEED		0x9ac5eedUL

#define NR_VMS		3
#define NR_VCPUS	3

/* A VM may have more vCPUs than there are open files for, of those that were closed. */
#define MAX_VCPU_ID	64

/*
 * Each VM and vCPU has its own file descriptor, whether or not it is open. So a call
 * on one that another thread has closed fails, but never hits another kind of file.
 */
#define FIRST_FD	100

/* A guest that does not leave is interrupted after so long. */
#define TICK_NS		2000000

/* Up to so many times as many calls are made until each has succeeded once. */
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

static void fill_guest_memory(void)
{
	size_t at;

	guest_memory = mmap(NULL, GUEST_SIZE, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	TEST_ASSERT(guest_memory != MAP_FAILED, "No memory for the guests");
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

static int init_vcpu(struct fuzzer *f)
{
	struct kvm_vcpu_init init = { .target = KVM_ARM_TARGET_GENERIC_V8 };
	u32 pair;
	int ret;

	switch (below(f, 8)) {
	case 0:
		init.features[0] = kvm_random_u32(&f->rng);
		break;
	case 1:
		init.features[0] = BIT(below(f, 32));
		break;
	case 2:
		init.target = kvm_random_u32(&f->rng);
		break;
	case 3:
		init.features[below(f, ARRAY_SIZE(init.features))] = kvm_random_u32(&f->rng);
		break;
	case 4:
		init.features[0] = BIT(KVM_ARM_VCPU_PTRAUTH_ADDRESS + below(f, 2));
		break;
	default:
		init.features[0] = BIT(KVM_ARM_VCPU_PSCI_0_2);
		if (!once_in(f, 4))
			init.features[0] |= PTRAUTH_FEATURES;
		/* KVM_RUN refuses it, as there is no interrupt controller. */
		if (once_in(f, 8))
			init.features[0] |= BIT(KVM_ARM_VCPU_HAS_EL2);
		break;
	}

	/* A PMU needs more than this before KVM_RUN lets it in. */
	init.features[0] &= ~(BIT(KVM_ARM_VCPU_PMU_V3) | BIT(KVM_ARM_VCPU_PMU_V3_STRICT));

	ret = ioctl(any_vcpu(f), KVM_ARM_VCPU_INIT, &init);
	pair = init.features[0] & PTRAUTH_FEATURES;
	TEST_ASSERT(ret || !pair || pair == PTRAUTH_FEATURES,
		    "One of the two features was let in alone: 0x%x", init.features[0]);

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

static int check_extension(struct fuzzer *f)
{
	static const u32 ours[] = {
		KVM_CAP_ARM_PTRAUTH_ADDRESS, KVM_CAP_ARM_PTRAUTH_GENERIC,
		/* What the draft called them. */
		169, 170,
	};
	int fd = once_in(f, 2) ? kvm_fd : any_vm(f);
	u32 cap;
	int ret;

	switch (below(f, 4)) {
	case 0:
		cap = kvm_random_u32(&f->rng);
		break;
	case 1:
		cap = below(f, 300);
		break;
	default:
		cap = ours[below(f, ARRAY_SIZE(ours))];
		break;
	}

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

static void ignore(int signal)
{
}

int main(int argc, char *argv[])
{
	u64 wanted = argc > 1 ? strtoul(argv[1], NULL, 0) : NR_CALLS, start, vms = 0;
	struct sigaction action = { .sa_handler = ignore };
	struct memory_use before;
	bool measured;
	int i;

	if (argc > 2)
		seed = strtoul(argv[2], NULL, 0);
	if (argc > 3)
		nr_threads = atoi(argv[3]);
	TEST_ASSERT(nr_threads && nr_threads <= MAX_THREADS, "%u threads", nr_threads);
	TEST_REQUIRE(kvm_has_ptrauth());

	/* Without SA_RESTART: a signal has to end KVM_RUN. */
	sigaction(SIGUSR1, &action, NULL);
	sigemptyset(&ticks);
	sigaddset(&ticks, SIGUSR1);
	sigprocmask(SIG_BLOCK, &ticks, NULL);
	kvm_fd = open_kvm_dev_path_or_exit();
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
