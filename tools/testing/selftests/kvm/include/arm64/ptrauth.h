/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pointer authentication helpers for the guest and for the process that runs
 * it.
 *
 * There are five keys of 128 bits. Each key is two system registers, its lo
 * and its hi half. Four of the keys (APIA, APIB, APDA, APDB) sign pointers,
 * APGA computes a PAC of 32 bits over any 64-bit value.
 */
#ifndef SELFTEST_KVM_PTRAUTH_H
#define SELFTEST_KVM_PTRAUTH_H

#include <asm/unistd.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <linux/arm-smccc.h>

#include "kvm_util.h"
#include "processor.h"
#include "test_util.h"
#include "ucall.h"

enum ptrauth_key {
	PTRAUTH_APIA,
	PTRAUTH_APIB,
	PTRAUTH_APDA,
	PTRAUTH_APDB,
	PTRAUTH_APGA,
	PTRAUTH_NR_KEYS,
};

/* The halves in register order: key number times two, plus one for the hi. */
enum ptrauth_half {
	PTRAUTH_APIAKEYLO,
	PTRAUTH_APIAKEYHI,
	PTRAUTH_APIBKEYLO,
	PTRAUTH_APIBKEYHI,
	PTRAUTH_APDAKEYLO,
	PTRAUTH_APDAKEYHI,
	PTRAUTH_APDBKEYLO,
	PTRAUTH_APDBKEYHI,
	PTRAUTH_APGAKEYLO,
	PTRAUTH_APGAKEYHI,
	PTRAUTH_NR_HALVES,
};

/*
 * The number of PACs per key in a set. Host and guest may share as few as three
 * bits of a pointer's PAC. With this many, two different keys do not look the
 * same.
 */
#define PTRAUTH_NR_CODES	32

/*
 * The position of a pointer's PAC depends on the size of the virtual address
 * space and on whether the top byte is ignored. Host and guest differ in both.
 * These bits belong to the PAC for every address size up to 52 bits.
 */
#define PTRAUTH_COMMON_MASK	GENMASK(54, 52)

/* The value to which KVM resets a register of architecturally unknown value. */
#define PTRAUTH_RESET_VALUE	0x1de7ec7edbadc0deUL

#define PTRAUTH_FEATURES	(BIT(KVM_ARM_VCPU_PTRAUTH_ADDRESS) | \
				 BIT(KVM_ARM_VCPU_PTRAUTH_GENERIC))

/* The bits of SCTLR_EL1 that turn the pointer keys on; APGA needs none. */
#define PTRAUTH_SCTLR_ENABLE	(SCTLR_ELx_ENIA | SCTLR_ELx_ENIB | \
				 SCTLR_ELx_ENDA | SCTLR_ELx_ENDB)

/* What an illegal exception return sets. */
#define PSR_IL_BIT	BIT(20)

struct ptrauth_keys {
	u64 half[PTRAUTH_NR_HALVES];
};

struct ptrauth_codes {
	u64 code[PTRAUTH_NR_KEYS][PTRAUTH_NR_CODES];
};

static const char * const ptrauth_key_name[PTRAUTH_NR_KEYS] __maybe_unused = {
	[PTRAUTH_APIA] = "APIA",
	[PTRAUTH_APIB] = "APIB",
	[PTRAUTH_APDA] = "APDA",
	[PTRAUTH_APDB] = "APDB",
	[PTRAUTH_APGA] = "APGA",
};

static const char * const ptrauth_half_name[PTRAUTH_NR_HALVES] __maybe_unused = {
	[PTRAUTH_APIAKEYLO] = "APIAKeyLo_EL1",
	[PTRAUTH_APIAKEYHI] = "APIAKeyHi_EL1",
	[PTRAUTH_APIBKEYLO] = "APIBKeyLo_EL1",
	[PTRAUTH_APIBKEYHI] = "APIBKeyHi_EL1",
	[PTRAUTH_APDAKEYLO] = "APDAKeyLo_EL1",
	[PTRAUTH_APDAKEYHI] = "APDAKeyHi_EL1",
	[PTRAUTH_APDBKEYLO] = "APDBKeyLo_EL1",
	[PTRAUTH_APDBKEYHI] = "APDBKeyHi_EL1",
	[PTRAUTH_APGAKEYLO] = "APGAKeyLo_EL1",
	[PTRAUTH_APGAKEYHI] = "APGAKeyHi_EL1",
};

static const u64 ptrauth_half_id[PTRAUTH_NR_HALVES] __maybe_unused = {
	[PTRAUTH_APIAKEYLO] = KVM_ARM64_SYS_REG(SYS_APIAKEYLO_EL1),
	[PTRAUTH_APIAKEYHI] = KVM_ARM64_SYS_REG(SYS_APIAKEYHI_EL1),
	[PTRAUTH_APIBKEYLO] = KVM_ARM64_SYS_REG(SYS_APIBKEYLO_EL1),
	[PTRAUTH_APIBKEYHI] = KVM_ARM64_SYS_REG(SYS_APIBKEYHI_EL1),
	[PTRAUTH_APDAKEYLO] = KVM_ARM64_SYS_REG(SYS_APDAKEYLO_EL1),
	[PTRAUTH_APDAKEYHI] = KVM_ARM64_SYS_REG(SYS_APDAKEYHI_EL1),
	[PTRAUTH_APDBKEYLO] = KVM_ARM64_SYS_REG(SYS_APDBKEYLO_EL1),
	[PTRAUTH_APDBKEYHI] = KVM_ARM64_SYS_REG(SYS_APDBKEYHI_EL1),
	[PTRAUTH_APGAKEYLO] = KVM_ARM64_SYS_REG(SYS_APGAKEYLO_EL1),
	[PTRAUTH_APGAKEYHI] = KVM_ARM64_SYS_REG(SYS_APGAKEYHI_EL1),
};

static inline bool kvm_has_ptrauth(void)
{
	return kvm_has_cap(KVM_CAP_ARM_PTRAUTH_ADDRESS) &&
	       kvm_has_cap(KVM_CAP_ARM_PTRAUTH_GENERIC);
}

/*
 * Whether this process may execute the signing instructions. Without the
 * extension they are undefined and end in a SIGILL.
 */
static inline bool host_has_ptrauth(void)
{
	unsigned long hwcap = getauxval(AT_HWCAP);

	return (hwcap & HWCAP_PACA) && (hwcap & HWCAP_PACG);
}

/* The registers of the running CPU. Only a guest can get at them. */
static inline u64 ptrauth_read_half(enum ptrauth_half half)
{
	switch (half) {
	case PTRAUTH_APIAKEYLO:
		return read_sysreg_s(SYS_APIAKEYLO_EL1);
	case PTRAUTH_APIAKEYHI:
		return read_sysreg_s(SYS_APIAKEYHI_EL1);
	case PTRAUTH_APIBKEYLO:
		return read_sysreg_s(SYS_APIBKEYLO_EL1);
	case PTRAUTH_APIBKEYHI:
		return read_sysreg_s(SYS_APIBKEYHI_EL1);
	case PTRAUTH_APDAKEYLO:
		return read_sysreg_s(SYS_APDAKEYLO_EL1);
	case PTRAUTH_APDAKEYHI:
		return read_sysreg_s(SYS_APDAKEYHI_EL1);
	case PTRAUTH_APDBKEYLO:
		return read_sysreg_s(SYS_APDBKEYLO_EL1);
	case PTRAUTH_APDBKEYHI:
		return read_sysreg_s(SYS_APDBKEYHI_EL1);
	case PTRAUTH_APGAKEYLO:
		return read_sysreg_s(SYS_APGAKEYLO_EL1);
	default:
		return read_sysreg_s(SYS_APGAKEYHI_EL1);
	}
}

static inline void ptrauth_write_half(enum ptrauth_half half, u64 val)
{
	switch (half) {
	case PTRAUTH_APIAKEYLO:
		write_sysreg_s(val, SYS_APIAKEYLO_EL1);
		break;
	case PTRAUTH_APIAKEYHI:
		write_sysreg_s(val, SYS_APIAKEYHI_EL1);
		break;
	case PTRAUTH_APIBKEYLO:
		write_sysreg_s(val, SYS_APIBKEYLO_EL1);
		break;
	case PTRAUTH_APIBKEYHI:
		write_sysreg_s(val, SYS_APIBKEYHI_EL1);
		break;
	case PTRAUTH_APDAKEYLO:
		write_sysreg_s(val, SYS_APDAKEYLO_EL1);
		break;
	case PTRAUTH_APDAKEYHI:
		write_sysreg_s(val, SYS_APDAKEYHI_EL1);
		break;
	case PTRAUTH_APDBKEYLO:
		write_sysreg_s(val, SYS_APDBKEYLO_EL1);
		break;
	case PTRAUTH_APDBKEYHI:
		write_sysreg_s(val, SYS_APDBKEYHI_EL1);
		break;
	case PTRAUTH_APGAKEYLO:
		write_sysreg_s(val, SYS_APGAKEYLO_EL1);
		break;
	default:
		write_sysreg_s(val, SYS_APGAKEYHI_EL1);
		break;
	}
	isb();
}

static inline void ptrauth_read_keys(struct ptrauth_keys *keys)
{
	unsigned int half;

	for (half = 0; half < PTRAUTH_NR_HALVES; half++)
		keys->half[half] = ptrauth_read_half(half);
}

static inline void ptrauth_write_keys(const struct ptrauth_keys *keys)
{
	unsigned int half;

	for (half = 0; half < PTRAUTH_NR_HALVES; half++)
		ptrauth_write_half(half, keys->half[half]);
}

static inline void ptrauth_random_keys(struct kvm_random_state *rng,
				       struct ptrauth_keys *keys)
{
	unsigned int half;

	for (half = 0; half < PTRAUTH_NR_HALVES; half++)
		keys->half[half] = kvm_random_u64(rng);
}

/* The library's leaves bits 31 and 63 clear. */
static inline u64 ptrauth_random_u64(struct kvm_random_state *rng)
{
	return kvm_random_u64(rng) ^ kvm_random_u64(rng) << 1;
}

/* What two runs that had the same values in the same order have in common. */
#define PTRAUTH_DIGEST	0xcbf29ce484222325UL

static inline u64 ptrauth_digest(u64 digest, u64 val)
{
	digest = (digest ^ val) * 0x100000001b3UL;
	return digest ^ digest >> 32;
}

/* Let the guest sign and authenticate pointers with all its pointer keys. */
static inline void ptrauth_enable(void)
{
	write_sysreg(read_sysreg(sctlr_el1) | PTRAUTH_SCTLR_ENABLE, sctlr_el1);
	isb();
}

/*
 * The selftests are compiled for the base architecture, in which the signing
 * instructions do not exist yet. The extension is only turned on here, so that
 * the compiler cannot make use of it by itself.
 *
 * The result depends on registers the compiler knows nothing of, which is why
 * each of these has to be volatile.
 */
#define ptrauth_asm1(insn, val)				\
({							\
	asm volatile(".arch_extension pauth\n\t"	\
		     insn " %0" : "+r" (val));		\
})

#define ptrauth_asm2(insn, val, modifier)		\
({							\
	asm volatile(".arch_extension pauth\n\t"	\
		     insn " %0, %1"			\
		     : "+r" (val) : "r" (modifier));	\
})

#define ptrauth_asm3(insn, val, modifier)		\
({							\
	asm volatile(".arch_extension pauth\n\t"	\
		     insn " %0, %0, %1"			\
		     : "+r" (val) : "r" (modifier));	\
})

static inline u64 ptrauth_sign(enum ptrauth_key key, u64 val, u64 modifier)
{
	switch (key) {
	case PTRAUTH_APIA:
		ptrauth_asm2("pacia", val, modifier);
		break;
	case PTRAUTH_APIB:
		ptrauth_asm2("pacib", val, modifier);
		break;
	case PTRAUTH_APDA:
		ptrauth_asm2("pacda", val, modifier);
		break;
	case PTRAUTH_APDB:
		ptrauth_asm2("pacdb", val, modifier);
		break;
	default:
		ptrauth_asm3("pacga", val, modifier);
		break;
	}

	return val;
}

/* There is no instruction that authenticates with APGA. */
static inline u64 ptrauth_auth(enum ptrauth_key key, u64 val, u64 modifier)
{
	switch (key) {
	case PTRAUTH_APIA:
		ptrauth_asm2("autia", val, modifier);
		break;
	case PTRAUTH_APIB:
		ptrauth_asm2("autib", val, modifier);
		break;
	case PTRAUTH_APDA:
		ptrauth_asm2("autda", val, modifier);
		break;
	case PTRAUTH_APDB:
		ptrauth_asm2("autdb", val, modifier);
		break;
	default:
		break;
	}

	return val;
}

/* @ptr without its PAC, if it points to an instruction. */
static inline u64 ptrauth_strip(u64 ptr)
{
	ptrauth_asm1("xpaci", ptr);
	return ptr;
}

/* Pointers are never followed. They only have to be canonical. */
static inline u64 ptrauth_pointer(unsigned int i)
{
	return 0x123456780000UL + i * 0x10010UL;
}

static inline u64 ptrauth_modifier(unsigned int i)
{
	return (i + 1) * 0x9e3779b97f4a7c15UL;
}

/* Compute the first @nr PACs of each key. */
static inline void ptrauth_sign_all(struct ptrauth_codes *codes, unsigned int nr)
{
	unsigned int key, i;

	for (key = 0; key < PTRAUTH_NR_KEYS; key++)
		for (i = 0; i < nr; i++)
			codes->code[key][i] = ptrauth_sign(key, ptrauth_pointer(i),
							   ptrauth_modifier(i));
}

/* Which bits of a PAC to compare when host and guest computed one each. */
static inline u64 ptrauth_common_mask(enum ptrauth_key key)
{
	return key == PTRAUTH_APGA ? GENMASK(63, 32) : PTRAUTH_COMMON_MASK;
}

/* Whether two full sets of PACs of @key agree in all bits of @mask. */
static inline bool ptrauth_same_codes(const struct ptrauth_codes *a,
				      const struct ptrauth_codes *b,
				      enum ptrauth_key key, u64 mask)
{
	unsigned int i;

	for (i = 0; i < PTRAUTH_NR_CODES; i++)
		if ((a->code[key][i] ^ b->code[key][i]) & mask)
			return false;

	return true;
}

/* Assert, in the guest, that the registers hold @keys. */
static inline void ptrauth_guest_check_keys(const struct ptrauth_keys *keys,
					    const char *when)
{
	struct ptrauth_keys now;
	unsigned int half;

	ptrauth_read_keys(&now);
	for (half = 0; half < PTRAUTH_NR_HALVES; half++)
		__GUEST_ASSERT(now.half[half] == keys->half[half],
			       "%s: %s is 0x%lx, should be 0x%lx", when,
			       ptrauth_half_name[half], now.half[half],
			       keys->half[half]);
}

/*
 * Assert, in the guest, that the first @nr PACs are those of @ref, and that every
 * signed pointer authenticates.
 */
static inline void ptrauth_guest_check_codes(const struct ptrauth_codes *ref,
					     unsigned int nr, const char *when)
{
	unsigned int key, i;
	u64 code, ptr, modifier;

	for (key = 0; key < PTRAUTH_NR_KEYS; key++) {
		for (i = 0; i < nr; i++) {
			ptr = ptrauth_pointer(i);
			modifier = ptrauth_modifier(i);
			code = ptrauth_sign(key, ptr, modifier);
			__GUEST_ASSERT(code == ref->code[key][i],
				       "%s: %s signs 0x%lx as 0x%lx, should be 0x%lx",
				       when, ptrauth_key_name[key], ptr, code,
				       ref->code[key][i]);
			if (key == PTRAUTH_APGA)
				continue;

			code = ptrauth_auth(key, code, modifier);
			__GUEST_ASSERT(code == ptr,
				       "%s: %s authenticates 0x%lx as 0x%lx",
				       when, ptrauth_key_name[key], ptr, code);
		}
	}
}

/* Both. The registers come first because they name the half that is wrong. */
static inline void ptrauth_guest_check(const struct ptrauth_keys *keys,
				       const struct ptrauth_codes *ref,
				       unsigned int nr, const char *when)
{
	ptrauth_guest_check_keys(keys, when);
	ptrauth_guest_check_codes(ref, nr, when);
}

/* Go to the host and back. */
static inline void ptrauth_guest_hypercall(void)
{
	struct arm_smccc_res res;

	do_smccc(ARM_SMCCC_VERSION_FUNC_ID, 0, 0, 0, 0, 0, 0, 0, &res);
	__GUEST_ASSERT((s32)res.a0 >= ARM_SMCCC_VERSION_1_0,
		       "SMCCC_VERSION is 0x%lx", res.a0);
}

/* Assert, in the host, that the calling thread's first @nr PACs are those of @own. */
static inline void ptrauth_host_check(const struct ptrauth_codes *own, unsigned int nr,
				      const char *who)
{
	unsigned int key, i;
	u64 code;

	for (key = 0; key < PTRAUTH_NR_KEYS; key++) {
		for (i = 0; i < nr; i++) {
			code = ptrauth_sign(key, ptrauth_pointer(i), ptrauth_modifier(i));
			TEST_ASSERT(code == own->code[key][i],
				    "%s: %s signs 0x%lx, should be 0x%lx", who,
				    ptrauth_key_name[key], code, own->code[key][i]);
		}
	}
}

/*
 * Stop as raise(SIGSTOP) does. A C library may sign the return addresses of its own
 * functions, and a debugger may change APIA while this thread is stopped.
 */
static __always_inline void ptrauth_stop_self(void)
{
	register long pid asm("x0") = getpid();
	register long sig asm("x1") = SIGSTOP;
	register long nr asm("x8") = __NR_kill;

	asm volatile("svc #0" : "+r"(pid) : "r"(sig), "r"(nr) : "memory");
}

/*
 * Fork. The child ends with this thread. Else a stopped child would keep the output open
 * after its test failed, and kselftest would wait for it.
 */
static inline pid_t ptrauth_fork(void)
{
	pid_t pid = fork();

	TEST_ASSERT(pid >= 0, "Cannot fork");
	if (!pid)
		prctl(PR_SET_PDEATHSIG, SIGKILL);

	return pid;
}

/*
 * What to initialise the vCPUs of @vm with. The guest is at EL1, also if KVM is in
 * nested mode, where the library would have it at EL2.
 */
static inline void ptrauth_vcpu_init(struct kvm_vm *vm, bool ptrauth,
				     struct kvm_vcpu_init *init)
{
	memset(init, 0, sizeof(*init));
	vm_ioctl(vm, KVM_ARM_PREFERRED_TARGET, init);
	init->features[0] |= BIT(KVM_ARM_VCPU_PSCI_0_2);
	if (ptrauth)
		init->features[0] |= PTRAUTH_FEATURES;
}

/*
 * What a guest that has just exited says: UCALL_SYNC, UCALL_PRINTF or UCALL_DONE.
 * A failed assertion of the guest ends the test, as does anything else.
 */
static inline u64 ptrauth_get_ucall(struct kvm_vcpu *vcpu)
{
	struct ucall uc;

	switch (get_ucall(vcpu, &uc)) {
	case UCALL_PRINTF:
		ksft_print_msg("%s", uc.buffer);
		break;
	case UCALL_SYNC:
	case UCALL_DONE:
		break;
	case UCALL_ABORT:
		REPORT_GUEST_ASSERT(uc);
		break;
	default:
		TEST_FAIL("vCPU %u: exit reason %u, ucall %lu", vcpu->id,
			  vcpu->run->exit_reason, uc.cmd);
	}

	return uc.cmd;
}

#endif /* SELFTEST_KVM_PTRAUTH_H */
