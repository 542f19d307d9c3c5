// SPDX-License-Identifier: GPL-2.0

//! Counts what a host kernel does for its KVM guests, from inside an emulator.
//!
//! A plugin for QEMU's TCG. It takes these options:
//!
//! - `out=<file>`: where a line for each window goes, as [`counts::windows`] has it;
//! - `path=<start>-<end>`: addresses of the switch path, in hexadecimal, the end left out; several
//!   ranges are joined by `+`.
//!
//! Accesses to key registers and instructions of the switch path are counted one by one as they
//! are executed. All others are counted by the block: a block that ends early, by an exception,
//! counts as a whole.

use counts::{
    decode::{decode, Kind},
    windows::{Counts, Windows},
};
use qemu_plugin::{
    install::{Args, Info, Value},
    register, HasCallbacks, PluginId, Register, Result, TranslationBlock, VCPUIndex,
};
use std::{
    fs::File,
    ops::Range,
    sync::{
        atomic::{AtomicU64, Ordering::Relaxed},
        Arc, Mutex,
    },
};

/// More CPUs than any of our machines has.
const MAX_CPUS: usize = 64;

/// The counts of one CPU. Only the thread of that CPU touches them.
#[derive(Default)]
struct Cpu {
    key_reads: AtomicU64,
    key_writes: AtomicU64,
    path: AtomicU64,
    kernel: AtomicU64,
    low: AtomicU64,
}

fn add(counter: &AtomicU64, n: u64) {
    counter.store(counter.load(Relaxed) + n, Relaxed);
}

impl Cpu {
    fn counts(&self) -> Counts {
        Counts {
            key_reads: self.key_reads.load(Relaxed),
            key_writes: self.key_writes.load(Relaxed),
            path: self.path.load(Relaxed),
            kernel: self.kernel.load(Relaxed),
            low: self.low.load(Relaxed),
        }
    }
}

#[derive(Default)]
struct Counter {
    cpus: Arc<Vec<Cpu>>,
    path: Vec<Range<u64>>,
    windows: Option<Arc<Mutex<Windows<File>>>>,
}

/// Addresses of the kernel have the top bit set.
fn is_kernel(address: u64) -> bool {
    address >> 63 == 1
}

fn parse_ranges(text: &str) -> Option<Vec<Range<u64>>> {
    text.split('+')
        .map(|range| {
            let (start, end) = range.split_once('-')?;
            Some(u64::from_str_radix(start, 16).ok()?..u64::from_str_radix(end, 16).ok()?)
        })
        .collect()
}

impl Register for Counter {
    fn register(&mut self, _id: PluginId, args: &Args, _info: &Info) -> Result<()> {
        let text = |name: &str| match args.parsed.get(name) {
            Some(Value::String(text)) => text.clone(),
            _ => panic!("the option {name}= is needed"),
        };

        self.cpus = Arc::new((0..MAX_CPUS).map(|_| Cpu::default()).collect());
        self.path = parse_ranges(&text("path")).expect("path=<start>-<end>[+...] is needed");
        let out = text("out");
        let file = File::create(&out).unwrap_or_else(|e| panic!("{out}: {e}"));
        let windows = Windows::new(file).unwrap_or_else(|e| panic!("{out}: {e}"));
        self.windows = Some(Arc::new(Mutex::new(windows)));
        Ok(())
    }
}

impl HasCallbacks for Counter {
    fn on_translation_block_translate(
        &mut self,
        _id: PluginId,
        tb: TranslationBlock,
    ) -> Result<()> {
        let in_kernel = is_kernel(tb.vaddr());
        let size = tb.size() as u64;
        let cpus = self.cpus.clone();
        tb.register_execute_callback(move |cpu: VCPUIndex| {
            let cpu = &cpus[cpu as usize];
            add(if in_kernel { &cpu.kernel } else { &cpu.low }, size);
        });

        for insn in tb.instructions() {
            let mut word = [0; 4];
            if insn.read_data(&mut word) != word.len() {
                continue;
            }
            let kind = decode(u32::from_le_bytes(word));
            let cpus = self.cpus.clone();

            if in_kernel && self.path.iter().any(|range| range.contains(&insn.vaddr())) {
                let cpus = self.cpus.clone();
                insn.register_execute_callback(move |cpu| add(&cpus[cpu as usize].path, 1));
            }
            match kind {
                Kind::KeyRead if in_kernel => {
                    insn.register_execute_callback(move |cpu| {
                        add(&cpus[cpu as usize].key_reads, 1)
                    });
                }
                Kind::KeyWrite if in_kernel => {
                    insn.register_execute_callback(move |cpu| {
                        add(&cpus[cpu as usize].key_writes, 1);
                    });
                }
                // Only the measured guest is to mark windows.
                Kind::Begin | Kind::End if !in_kernel => {
                    let windows = self.windows.clone().expect("set when registered");
                    insn.register_execute_callback(move |cpu| {
                        let counts = cpus[cpu as usize].counts();
                        let mut windows = windows.lock().expect("no one panics with it");
                        if kind == Kind::Begin {
                            windows.begin(cpu, counts)
                        } else {
                            windows.end(cpu, counts)
                        }
                        .expect("the output can be written");
                    });
                }
                _ => {}
            }
        }
        Ok(())
    }
}

register!(Counter::default());
