# SPDX-License-Identifier: GPL-2.0
#
# What gdb does for 'make debug': connects to QEMU, and lets the system run until it
# first enters a guest that has pointer authentication. Start it in build/, with the
# vmlinux that runs.

set pagination off
target remote debug.sock
hbreak kvm_ptrauth_switch_to_guest
hbreak kvm_ptrauth_switch_to_hyp
continue
