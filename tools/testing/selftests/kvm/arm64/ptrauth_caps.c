// SPDX-License-Identifier: GPL-2.0-only
/*
 * ptrauth_caps - Test what the numbers of KVM's pointer authentication
 * capabilities mean.
 *
 * The released numbers are 171 and 172. A draft of the interface used 169 and
 * 170, which have other meanings in the release. Booting with
 * kvm-arm.ptrauth_caps=v10 gives 169 and 170 the draft's meaning. The test reads
 * the command line to know which meaning to expect.
 *
 * PTRAUTH_EXPECT=1 or 0 in the environment says whether the machine should have
 * the capability. Any other answer is then a failure.
 */
#include <ctype.h>
#include <sys/klog.h>

#include <linux/kvm_ptrauth.h>

#include "kvm_util.h"
#include "processor.h"
#include "ptrauth.h"
#include "test_util.h"

#define CMDLINE_PARAM	"kvm_arm.ptrauth_caps="

/* The actions of syslog(2), for which the C library has no names. */
#define SYSLOG_ACTION_READ_ALL		3
#define SYSLOG_ACTION_SIZE_BUFFER	10

enum number { ADDRESS_V10, GENERIC_V10, ADDRESS, GENERIC, NR_NUMBERS };

static const struct {
	long nr;
	const char *name;
} numbers[NR_NUMBERS] = {
	[ADDRESS_V10] = { KVM_CAP_ARM_PTRAUTH_ADDRESS_V10,
			  "the draft's address number" },
	[GENERIC_V10] = { KVM_CAP_ARM_PTRAUTH_GENERIC_V10,
			  "the draft's generic number" },
	[ADDRESS]     = { KVM_CAP_ARM_PTRAUTH_ADDRESS,
			  "the released address number" },
	[GENERIC]     = { KVM_CAP_ARM_PTRAUTH_GENERIC,
			  "the released generic number" },
};

/* The kernel takes '-' and '_' for the same in the name of a parameter. */
static bool param_has_name(const char *param, const char *name)
{
	for (; *name; param++, name++)
		if ((*param == '-' ? '_' : *param) != *name)
			return false;

	return true;
}

/*
 * The last occurrence on the command line wins. What follows a bare "--" goes
 * to init and not to the kernel.
 */
static bool cmdline_wants_v10(void)
{
	char buf[8192], *param, *save;
	bool v10 = false;
	ssize_t len;
	int fd;

	fd = open_path_or_exit("/proc/cmdline", O_RDONLY);
	len = read(fd, buf, sizeof(buf) - 1);
	TEST_ASSERT(len >= 0, "Cannot read /proc/cmdline");
	buf[len] = '\0';
	close(fd);

	for (param = strtok_r(buf, " \t\n", &save); param;
	     param = strtok_r(NULL, " \t\n", &save)) {
		if (!strcmp(param, "--"))
			break;
		if (param_has_name(param, CMDLINE_PARAM))
			v10 = !strcmp(param + strlen(CMDLINE_PARAM), "v10");
	}

	return v10;
}

enum vhe { VHE_UNKNOWN, VHE_NO, VHE_YES };

/*
 * No file tells whether the kernel itself runs at EL2, but KVM logs it when it
 * starts. If that line is gone from the log, nested virtualization proves it,
 * because KVM offers that with VHE only.
 */
static enum vhe find_vhe(void)
{
	static const char end[] = "VHE mode initialized successfully";
	static const char end_nv[] = "VHE+NV2 mode initialized successfully";
	enum vhe vhe = VHE_UNKNOWN;
	char *buf, *p;
	int size, len;

	if (kvm_has_cap(KVM_CAP_ARM_EL2))
		return VHE_YES;

	size = klogctl(SYSLOG_ACTION_SIZE_BUFFER, NULL, 0);
	if (size <= 0)
		return VHE_UNKNOWN;

	buf = calloc(1, size + 1);
	TEST_ASSERT(buf, "Cannot allocate %d bytes for the kernel log", size);

	len = klogctl(SYSLOG_ACTION_READ_ALL, buf, size);
	if (len > 0) {
		buf[len] = '\0';
		p = strstr(buf, end);
		if (!p)
			p = strstr(buf, end_nv);
		/* The other modes log "Hyp nVHE", "Hyp hVHE", or "Protected". */
		if (p > buf)
			vhe = isspace(p[-1]) ? VHE_YES : VHE_NO;
	}

	free(buf);
	return vhe;
}

static void test_agreement(struct kvm_vm *vm, int answers[])
{
	int fd, sys, i;

	fd = open_kvm_dev_path_or_exit();
	for (i = 0; i < NR_NUMBERS; i++) {
		sys = ioctl(fd, KVM_CHECK_EXTENSION, numbers[i].nr);
		answers[i] = __vm_ioctl(vm, KVM_CHECK_EXTENSION,
					(void *)numbers[i].nr);
		ksft_print_msg("%ld: %d on /dev/kvm, %d on a VM\n",
			       numbers[i].nr, sys, answers[i]);
		ksft_test_result(sys == answers[i] && (sys == 0 || sys == 1),
				 "%ld, %s, is 0 or 1 and the same for a VM\n",
				 numbers[i].nr, numbers[i].name);
	}
	close(fd);
}

static void test_default_meaning(const int answers[])
{
	bool sve = getauxval(AT_HWCAP) & HWCAP_SVE;

	BUILD_BUG_ON(KVM_CAP_ARM_PTRAUTH_ADDRESS_V10 != KVM_CAP_PPC_IRQ_XIVE);
	BUILD_BUG_ON(KVM_CAP_ARM_PTRAUTH_GENERIC_V10 != KVM_CAP_ARM_SVE);

	ksft_test_result(answers[ADDRESS_V10] == 0,
			 "169 is KVM_CAP_PPC_IRQ_XIVE, which no arm64 has\n");
	ksft_test_result(answers[GENERIC_V10] == sve,
			 "170 is KVM_CAP_ARM_SVE, %d as in the hwcaps\n", sve);
}

static void test_v10_meaning(const int answers[])
{
	enum vhe vhe = find_vhe();
	int expected;

	ksft_test_result(answers[ADDRESS_V10] == answers[GENERIC_V10],
			 "169 and 170 are the two halves of the draft's pair\n");

	if (vhe == VHE_UNKNOWN) {
		ksft_test_result_skip("the kernel log does not tell whether KVM uses VHE\n");
		return;
	}

	expected = vhe == VHE_YES ? answers[ADDRESS] : 0;
	ksft_test_result(answers[ADDRESS_V10] == expected,
			 "169 is %d %s VHE\n", expected,
			 vhe == VHE_YES ? "with" : "without");
}

static void test_vcpu_init(int cap)
{
	static const struct {
		u32 features;
		const char *name;
	} combinations[] = {
		{ 0, "neither flag" },
		{ BIT(KVM_ARM_VCPU_PTRAUTH_ADDRESS), "the address flag alone" },
		{ BIT(KVM_ARM_VCPU_PTRAUTH_GENERIC), "the generic flag alone" },
		{ PTRAUTH_FEATURES, "both flags" },
	};
	int i, ret, err;
	bool good;

	for (i = 0; i < ARRAY_SIZE(combinations); i++) {
		struct kvm_vm *vm = vm_create_barebones();
		struct kvm_vcpu *vcpu = __vm_vcpu_add(vm, 0);
		struct kvm_vcpu_init init = {};

		vm_ioctl(vm, KVM_ARM_PREFERRED_TARGET, &init);
		init.features[0] |= combinations[i].features;
		ret = __vcpu_ioctl(vcpu, KVM_ARM_VCPU_INIT, &init);
		err = ret ? errno : 0;

		good = !combinations[i].features ||
		       (cap && combinations[i].features == PTRAUTH_FEATURES);
		if (err != (good ? 0 : EINVAL))
			ksft_print_msg("KVM_ARM_VCPU_INIT: %s\n", strerror(err));
		ksft_test_result(err == (good ? 0 : EINVAL),
				 "with capability %d a vCPU with %s is %s\n",
				 cap, combinations[i].name,
				 good ? "accepted" : "refused with EINVAL");
		kvm_vm_free(vm);
	}
}

static void test_expectation(const char *expect, int cap)
{
	if (strcmp(expect, "0") && strcmp(expect, "1")) {
		ksft_test_result_fail("PTRAUTH_EXPECT is \"%s\", neither 0 nor 1\n",
				      expect);
		return;
	}

	ksft_test_result(cap == (*expect == '1'),
			 "PTRAUTH_EXPECT=%s and the capability is %d\n",
			 expect, cap);
}

int main(void)
{
	const char *expect = getenv("PTRAUTH_EXPECT");
	int answers[NR_NUMBERS];
	bool host, v10;
	struct kvm_vm *vm;

	/* Without /dev/kvm there is nothing to ask, and this skips the test. */
	vm = vm_create_barebones();
	v10 = cmdline_wants_v10();
	host = host_has_ptrauth();

	ksft_print_header();
	ksft_set_plan(NR_NUMBERS + 2 + 2 + 4 + !!expect);
	ksft_print_msg("169 and 170 have their %s meaning\n",
		       v10 ? "draft" : "released");

	test_agreement(vm, answers);
	if (v10)
		test_v10_meaning(answers);
	else
		test_default_meaning(answers);

	ksft_test_result(answers[ADDRESS] == answers[GENERIC],
			 "171 and 172 are the same, KVM only knows the pair\n");

	/* A machine that mixes two algorithms would differ, there is none yet. */
	ksft_test_result(answers[ADDRESS] == host,
			 "171 is %d as the hwcaps have %s of PACA and PACG\n",
			 host, host ? "both" : "not both");

	test_vcpu_init(answers[ADDRESS] == 1);

	if (expect)
		test_expectation(expect, answers[ADDRESS]);

	kvm_vm_free(vm);

	ksft_finished();
}
