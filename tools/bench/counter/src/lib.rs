// SPDX-License-Identifier: GPL-2.0

//! Counts what a host kernel does for its KVM guests, from inside an emulator.
//!
//! A plugin for QEMU's TCG. It takes these options:
//!
//! - `out=<file>`: where a line for each window goes, as [`counts::windows`] has it;
//! - `path=<start>-<end>`: addresses of the switch path, in hexadecimal, the end left out; several
//!   ranges are joined by `+`;
//! - `profile=<file>`, if wanted: where the counts of single instructions go, as
//!   [`counts::profile`] has it;
//! - `keys=<file>`, if wanted: where the number of all accesses to key registers goes when QEMU
//!   ends, those of guests and of code at other addresses than the kernel's included.
//!
//! Each instruction of the kernel is counted as it is executed, whatever it is for: an interrupt's
//! and another thread's, too. There is one CPU.

use counts::{
    decode::{decode, Kind},
    profile::Profile,
    windows::{Counts, Windows},
};
use qemu_plugin::{
    install::{Args, Info, Value},
    qemu_plugin_register_atexit_cb, register, HasCallbacks, PluginId, Register, Result,
    TranslationBlock,
};
use std::{
    fs::File,
    io::{BufWriter, Write},
    ops::Range,
    sync::{
        atomic::{AtomicU64, Ordering::Relaxed},
        Arc, Mutex,
    },
};

/// The counts so far. Only the thread of the CPU touches them.
#[derive(Default)]
struct Counters {
    /// All accesses to key registers, in the kernel and elsewhere.
    all_keys: AtomicU64,
    keys: AtomicU64,
    path: AtomicU64,
    kernel: AtomicU64,
}

fn add_one(counter: &AtomicU64) {
    counter.store(counter.load(Relaxed) + 1, Relaxed);
}

/// Where the counts go as a window ends.
struct Output {
    windows: Windows<File>,
    profile: Option<(Profile, BufWriter<File>)>,
}

impl Output {
    fn mark(&mut self, kind: Kind, counters: &Counters) -> std::io::Result<()> {
        let counts = Counts {
            keys: counters.keys.load(Relaxed),
            path: counters.path.load(Relaxed),
            kernel: counters.kernel.load(Relaxed),
        };
        match (kind, &mut self.profile) {
            (Kind::Begin, Some((profile, _))) => profile.begin(),
            (Kind::End, Some((profile, file))) => profile.end(file)?,
            _ => {}
        }
        match kind {
            Kind::Begin => self.windows.begin(counts),
            _ => self.windows.end(counts),
        }
    }
}

#[derive(Default)]
struct Counter {
    counters: Arc<Counters>,
    path: Vec<Range<u64>>,
    output: Option<Arc<Mutex<Output>>>,
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
    fn register(&mut self, id: PluginId, args: &Args, _info: &Info) -> Result<()> {
        let text = |name: &str| match args.parsed.get(name) {
            Some(Value::String(text)) => text.clone(),
            _ => panic!("the option {name}= is needed"),
        };
        let create = |name| {
            let path = text(name);
            File::create(&path).unwrap_or_else(|e| panic!("{path}: {e}"))
        };

        self.path = parse_ranges(&text("path")).expect("path=<start>-<end>[+...] is needed");
        let profile = args.parsed.get("profile");
        self.output = Some(Arc::new(Mutex::new(Output {
            windows: Windows::new(create("out")).expect("the output can be written"),
            profile: profile.map(|_| (Profile::default(), BufWriter::new(create("profile")))),
        })));
        if args.parsed.contains_key("keys") {
            let (counters, mut file) = (self.counters.clone(), create("keys"));
            qemu_plugin_register_atexit_cb(id, move |_| {
                let keys = counters.all_keys.load(Relaxed);
                writeln!(file, "{keys}").expect("the output can be written");
            })?;
        }
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
        let output = self.output.as_ref().expect("set when registered");

        for insn in tb.instructions() {
            let mut word = [0; 4];
            if insn.read_data(&mut word) != word.len() {
                continue;
            }
            let kind = decode(u32::from_le_bytes(word));
            let counters = self.counters.clone();

            if kind == Kind::Key {
                let counters = counters.clone();
                insn.register_execute_callback(move |_| add_one(&counters.all_keys));
            }
            if in_kernel {
                let in_path = self.path.iter().any(|range| range.contains(&insn.vaddr()));
                insn.register_execute_callback(move |_| {
                    add_one(&counters.kernel);
                    if in_path {
                        add_one(&counters.path);
                    }
                    if kind == Kind::Key {
                        add_one(&counters.keys);
                    }
                });
                let mut output = output.lock().expect("no one panics with it");
                if let Some((profile, _)) = &mut output.profile {
                    let counter = profile.at(insn.vaddr());
                    insn.register_execute_callback(move |_| add_one(&counter));
                }
            } else if matches!(kind, Kind::Begin | Kind::End) {
                // Only the measured guest is to mark windows.
                let output = output.clone();
                insn.register_execute_callback(move |_| {
                    let mut output = output.lock().expect("no one panics with it");
                    let done = output.mark(kind, &counters);
                    done.expect("the output can be written");
                });
            }
        }
        Ok(())
    }
}

register!(Counter::default());
