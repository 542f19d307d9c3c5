// SPDX-License-Identifier: GPL-2.0

//! How often each instruction is executed in a window.

use std::{
    collections::BTreeMap,
    io::Write,
    sync::{
        atomic::{AtomicU64, Ordering::Relaxed},
        Arc,
    },
};

/// A counter for each address at which there is code.
#[derive(Default)]
pub struct Profile {
    counters: BTreeMap<u64, Arc<AtomicU64>>,
    ended: u32,
}

impl Profile {
    /// Returns the counter of the instruction at this address.
    pub fn at(&mut self, address: u64) -> Arc<AtomicU64> {
        self.counters.entry(address).or_default().clone()
    }

    /// Begins a window: what was counted before is not in it.
    pub fn begin(&self) {
        for counter in self.counters.values() {
            counter.store(0, Relaxed);
        }
    }

    /// Ends the window, and writes its number, address and count for each instruction in it.
    pub fn end(&mut self, mut out: impl Write) -> std::io::Result<()> {
        for (address, counter) in &self.counters {
            let count = counter.load(Relaxed);
            if count != 0 {
                writeln!(out, "{},{address:x},{count}", self.ended)?;
            }
        }
        self.ended += 1;
        out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_begin_anew_in_each_window() {
        let (mut profile, mut out) = (Profile::default(), Vec::new());
        let (first, second) = (profile.at(0x10), profile.at(0x2c));

        first.fetch_add(5, Relaxed);
        profile.begin();
        profile.at(0x10).fetch_add(2, Relaxed);
        profile.end(&mut out).unwrap();
        profile.begin();
        second.fetch_add(1, Relaxed);
        profile.end(&mut out).unwrap();

        assert_eq!(out, b"0,10,2\n1,2c,1\n");
    }
}
