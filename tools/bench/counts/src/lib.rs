// SPDX-License-Identifier: GPL-2.0

//! What is counted, and between which marks: the part of the plugin that needs no QEMU.

pub mod decode;
pub mod profile;
pub mod windows;
