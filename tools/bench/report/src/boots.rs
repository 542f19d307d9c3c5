// SPDX-License-Identifier: GPL-2.0

//! What was counted in the windows of all boots.

use std::{fs, path::Path};

/// Which kernel of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Language {
    C,
    Rust,
}

impl Language {
    pub fn name(self) -> &'static str {
        match self {
            Self::C => "C",
            Self::Rust => "Rust",
        }
    }
}

/// A kernel that was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Variant {
    /// Whether the kernel signs its own return addresses, with `CONFIG_ARM64_PTR_AUTH_KERNEL`.
    pub signs: bool,
    pub language: Language,
}

impl Variant {
    pub fn parse(name: &str) -> Option<Self> {
        let (language, signs) = match name.strip_suffix("-nokey") {
            Some(language) => (language, false),
            None => (name, true),
        };
        let language = match language {
            "c" => Language::C,
            "rust" => Language::Rust,
            _ => return None,
        };
        Some(Self { signs, language })
    }
}

/// One window: a scenario was gone through many times.
#[derive(Clone, Debug, PartialEq)]
pub struct Window {
    pub variant: Variant,
    pub scenario: String,
    /// Whether the guest had the feature.
    pub ptrauth: bool,
    /// Per round trip: accesses to key registers, instructions of the switch path, instructions of
    /// the host's kernel.
    pub keys: f64,
    pub path: f64,
    pub kernel: f64,
}

/// The value of `name=` among the words of a line.
fn number(line: &str, name: &str) -> Option<u64> {
    line.split_whitespace()
        .find_map(|word| word.strip_prefix(name)?.strip_prefix('=')?.parse().ok())
}

/// The windows that a boot's log names, in their order: scenario, ptrauth, and round trips.
fn names(log: &str) -> Option<Vec<(String, bool, u64)>> {
    log.lines()
        .filter_map(|line| line.split_once("# window: ").map(|(_, line)| line))
        .map(|line| {
            let scenario = line.split_whitespace().next()?.to_string();
            Some((
                scenario,
                number(line, "ptrauth")? == 1,
                number(line, "trips")?,
            ))
        })
        .collect()
}

/// The counts of a boot, a row per window.
fn counts(csv: &str) -> Option<Vec<[u64; 4]>> {
    csv.lines()
        .skip(1)
        .map(|line| {
            let mut fields = line.split(',').skip(1).map(|field| field.parse().ok());
            Some([
                fields.next()??,
                fields.next()??,
                fields.next()??,
                fields.next()??,
            ])
        })
        .collect()
}

fn windows(variant: Variant, log: &str, csv: &str) -> Result<Vec<Window>, String> {
    let names = names(log).ok_or("a line about a window cannot be read")?;
    let counts = counts(csv).ok_or("the counts hold an error")?;

    if names.len() != counts.len() || names.is_empty() {
        return Err(format!(
            "{} windows were named, {} counted",
            names.len(),
            counts.len()
        ));
    }
    Ok(names
        .into_iter()
        .zip(counts)
        .map(
            |((scenario, ptrauth, trips), [reads, writes, path, kernel])| {
                let per_trip = |n: u64| n as f64 / trips as f64;
                Window {
                    variant,
                    scenario,
                    ptrauth,
                    keys: per_trip(reads + writes),
                    path: per_trip(path),
                    kernel: per_trip(kernel),
                }
            },
        )
        .collect())
}

/// Reads what all boots have left in the directory.
pub fn read_all(directory: &Path) -> Result<Vec<Window>, String> {
    let mut all = Vec::new();
    let entries = fs::read_dir(directory).map_err(|e| format!("{}: {e}", directory.display()))?;
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();

    for csv in paths {
        let stem = csv.file_stem().unwrap_or_default().to_string_lossy();
        let variant = stem.split_once('.').and_then(|(v, _)| Variant::parse(v));
        let (Some(variant), Some("csv")) = (variant, csv.extension().and_then(|e| e.to_str()))
        else {
            continue;
        };
        let read = |path: &Path| {
            fs::read(path)
                .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
                .map_err(|e| format!("{}: {e}", path.display()))
        };
        let log = read(&csv.with_extension("log"))?;
        let boot =
            windows(variant, &log, &read(&csv)?).map_err(|e| format!("{}: {e}", csv.display()))?;
        all.extend(boot);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUST: Variant = Variant {
        signs: true,
        language: Language::Rust,
    };
    const HEAD: &str = "window,key_reads,key_writes,path,kernel,low\n";
    const LOG: &str = "boot\n# # window: hypercall ptrauth=1 trips=100\n# # time: x\n\
                       # # window: wfi ptrauth=0 trips=10\n";

    #[test]
    fn counts_are_per_round_trip() {
        let csv = format!("{HEAD}0,200,400,11500,200000,7\n1,0,0,950,1000,7\n");
        let windows = windows(RUST, LOG, &csv).unwrap();

        assert_eq!(windows.len(), 2);
        assert_eq!(windows[0].scenario, "hypercall");
        assert!(windows[0].ptrauth && !windows[1].ptrauth);
        assert_eq!((windows[0].keys, windows[0].path), (6.0, 115.0));
        assert_eq!((windows[1].keys, windows[1].kernel), (0.0, 100.0));
    }

    #[test]
    fn what_does_not_match_is_refused() {
        assert!(windows(RUST, LOG, &format!("{HEAD}0,1,1,1,1,1\n")).is_err());
        assert!(windows(RUST, LOG, &format!("{HEAD}0,1,1,1,1,1\nerror,x\n")).is_err());
        assert!(windows(RUST, "", HEAD).is_err());
        assert!(windows(RUST, "# window: wfi ptrauth=1\n", HEAD).is_err());
    }

    #[test]
    fn variants_have_names() {
        assert_eq!(Variant::parse("rust"), Some(RUST));
        assert!(!Variant::parse("c-nokey").unwrap().signs);
        assert_eq!(Variant::parse("bench"), None);
    }
}
