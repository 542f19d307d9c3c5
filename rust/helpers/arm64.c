// SPDX-License-Identifier: GPL-2.0

#include <linux/cpufeature.h>
#include <asm/virt.h>

__rust_helper bool rust_helper_is_kernel_in_hyp_mode(void)
{
	return is_kernel_in_hyp_mode();
}

__rust_helper bool rust_helper_system_supports_address_auth(void)
{
	return system_supports_address_auth();
}

__rust_helper bool rust_helper_system_supports_generic_auth(void)
{
	return system_supports_generic_auth();
}
