// SPDX-License-Identifier: GPL-2.0

//! `/sys/kernel/debug/kvm_arm_ptrauth/`: what is in force and why, and what has happened.

use crate::{
    counters::{
        self,
        Event, //
    },
    status::Status,
};
use kernel::{
    debugfs::{
        Dir,
        File, //
    },
    fmt,
    prelude::*, //
};

#[pin_data]
struct Files {
    #[pin]
    status: File<Status>,
    #[pin]
    counters: File<()>,
    dir: Dir,
}

fn write_counters(_: &(), f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for event in Event::ALL {
        f.write_fmt(fmt!("{} {}\n", event.name(), counters::total(event)))?;
    }
    Ok(())
}

impl Files {
    fn new(status: Status) -> impl PinInit<Self, Error> {
        let dir = Dir::new(c"kvm_arm_ptrauth");

        try_pin_init!(Self {
            status <- dir.read_callback_file(c"status", status, &Status::write_facts),
            counters <- dir.read_callback_file(c"counters", (), &write_counters),
            dir,
        })
    }
}

/// Makes the files, for good.
///
/// Without debugfs there are none. Called once, may sleep.
pub(crate) fn create(status: Status) -> Result {
    let files = KBox::pin_init(Files::new(status), GFP_KERNEL)?;

    // KVM is never unloaded.
    core::mem::forget(files);
    Ok(())
}
