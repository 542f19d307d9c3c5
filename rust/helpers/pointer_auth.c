// SPDX-License-Identifier: GPL-2.0

#include <linux/cpufeature.h>
#include <linux/sched.h>
#include <asm/pointer_auth.h>

__rust_helper bool rust_helper_system_supports_address_auth(void)
{
	return system_supports_address_auth();
}

__rust_helper bool rust_helper_system_supports_generic_auth(void)
{
	return system_supports_generic_auth();
}

#ifdef CONFIG_ARM64_PTR_AUTH
/*
 * Where bindgen has the thread in task_struct is not where the compiler has it,
 * so these addresses are computed here.
 */
__rust_helper const struct ptrauth_keys_user *rust_helper_current_ptrauth_keys_user(void)
{
	return &current->thread.keys_user;
}

#ifdef CONFIG_ARM64_PTR_AUTH_KERNEL
__rust_helper const struct ptrauth_key *rust_helper_current_ptrauth_key_kernel(void)
{
	return &current->thread.keys_kernel.apia;
}
#endif
#endif
