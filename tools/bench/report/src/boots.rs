// SPDX-License-Identifier: GPL-2.0

//! What was counted in the windows of all boots.

use std::{fs, path::Path};

/// What a column of the report is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    C,
    Rust,
    /// Rust with the C helpers inlined, by `CONFIG_RUST_INLINE_HELPERS`.
    Inlined,
}

impl Language {
    pub const ALL: [Self; 3] = [Self::C, Self::Rust, Self::Inlined];

    pub fn name(self) -> &'static str {
        match self {
            Self::C => "C",
            Self::Rust => "Rust",
            Self::Inlined => "Rust, helpers inlined",
        }
    }
}

/// What the guests run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host {
    /// The kernel signs its own return addresses.
    Signs,
    /// It does not, by `CONFIG_ARM64_PTR_AUTH_KERNEL=n`.
    NoKey,
    /// The CPU has no pointer authentication.
    NoPauth,
}

impl Host {
    pub const ALL: [Self; 3] = [Self::Signs, Self::NoKey, Self::NoPauth];

    pub fn title(self) -> &'static str {
        match self {
            Self::Signs => "The kernel signs its own return addresses",
            Self::NoKey => "The kernel does not (`CONFIG_ARM64_PTR_AUTH_KERNEL=n`)",
            Self::NoPauth => "The CPU has no pointer authentication (Neoverse N1)",
        }
    }
}

/// A kernel and the CPU that it was measured on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Variant {
    pub host: Host,
    pub language: Language,
}

impl Variant {
    /// Tells it from the names that `scripts/bench` has for the kernel and for the way of booting.
    pub fn parse(kernel: &str, mode: &str) -> Option<Self> {
        let host = match (kernel.ends_with("-nokey"), mode) {
            (true, _) => Host::NoKey,
            (false, "nopauth") => Host::NoPauth,
            _ => Host::Signs,
        };
        let language = match kernel {
            "c" | "c-nokey" => Language::C,
            "rust" | "rust-nokey" => Language::Rust,
            "rust-inline" => Language::Inlined,
            _ => return None,
        };
        Some(Self { host, language })
    }
}

/// One window: a scenario was gone through many times.
#[derive(Clone, Debug, PartialEq)]
pub struct Window {
    pub variant: Variant,
    /// The number of the boot among those of its kind.
    pub run: u32,
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
    let mut names = Vec::new();
    for line in log.lines() {
        let Some((_, line)) = line.split_once("# windows: ") else {
            continue;
        };
        let scenario = line.split_whitespace().next()?.to_string();
        let name = (
            scenario,
            number(line, "ptrauth")? == 1,
            number(line, "trips")?,
        );
        names.extend(vec![name; number(line, "windows")? as usize]);
    }
    Some(names)
}

/// The counts of a boot, a row per window: accesses to keys, switch path, kernel.
fn counts(csv: &str) -> Option<Vec<[u64; 3]>> {
    csv.lines()
        .skip(1)
        .map(|line| {
            let fields = line.split(',').skip(1).map(|field| field.parse().ok());
            fields.collect::<Option<Vec<_>>>()?.try_into().ok()
        })
        .collect()
}

fn windows(variant: Variant, run: u32, log: &str, csv: &str) -> Result<Vec<Window>, String> {
    let names = names(log).ok_or("a line about windows cannot be read")?;
    let counts = counts(csv).ok_or("the counts hold an error")?;

    if names.len() != counts.len() || names.is_empty() {
        let (named, counted) = (names.len(), counts.len());
        return Err(format!("{named} windows were named, {counted} counted"));
    }
    let window = |((scenario, ptrauth, trips), counts): ((String, bool, u64), [u64; 3])| {
        let [keys, path, kernel] = counts.map(|n| n as f64 / trips as f64);
        Window {
            variant,
            run,
            scenario,
            ptrauth,
            keys,
            path,
            kernel,
        }
    };
    Ok(names.into_iter().zip(counts).map(window).collect())
}

/// Reads what all boots have left in the directory.
pub fn read_all(directory: &Path) -> Result<Vec<Window>, String> {
    let mut all = Vec::new();
    let entries = fs::read_dir(directory).map_err(|e| format!("{}: {e}", directory.display()))?;
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();

    for csv in paths {
        let stem = csv.file_stem().unwrap_or_default().to_string_lossy();
        let names: Vec<_> = stem.split('.').collect();
        let ([kernel, mode, run], Some(true)) = (
            &names[..],
            csv.extension().map(|extension| extension == "csv"),
        ) else {
            continue;
        };
        let (Some(variant), Ok(run)) = (Variant::parse(kernel, mode), run.parse()) else {
            continue;
        };
        let read = |path: &Path| {
            fs::read(path)
                .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
                .map_err(|e| format!("{}: {e}", path.display()))
        };
        let log = read(&csv.with_extension("log"))?;
        let boot = windows(variant, run, &log, &read(&csv)?)
            .map_err(|e| format!("{}: {e}", csv.display()))?;
        all.extend(boot);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUST: Variant = Variant {
        host: Host::Signs,
        language: Language::Rust,
    };
    const HEAD: &str = "window,keys,path,kernel\n";
    const LOG: &str = "boot\n# # windows: hypercall ptrauth=1 windows=2 trips=100\n\
                       # # time: x\n# # windows: wfi ptrauth=0 windows=1 trips=10\n";

    #[test]
    fn counts_are_per_round_trip() {
        let csv = format!("{HEAD}0,600,11500,200000\n1,600,1,1\n2,0,950,1000\n");
        let windows = windows(RUST, 1, LOG, &csv).unwrap();

        assert_eq!(windows.len(), 3);
        assert_eq!(windows[0].scenario, "hypercall");
        assert!(windows[0].ptrauth && !windows[2].ptrauth);
        assert_eq!((windows[0].keys, windows[0].path), (6.0, 115.0));
        assert_eq!((windows[2].keys, windows[2].kernel), (0.0, 100.0));
    }

    #[test]
    fn what_does_not_match_is_refused() {
        assert!(windows(RUST, 1, LOG, &format!("{HEAD}0,1,1,1\n")).is_err());
        assert!(windows(RUST, 1, LOG, &format!("{HEAD}0,1,1,1\nerror,x\n")).is_err());
        assert!(windows(RUST, 1, "", HEAD).is_err());
        assert!(windows(RUST, 1, "# windows: wfi ptrauth=1\n", HEAD).is_err());
    }

    #[test]
    fn variants_have_names() {
        let host = |kernel, mode| Variant::parse(kernel, mode).unwrap().host;
        assert_eq!(Variant::parse("rust", "nested"), Some(RUST));
        assert_eq!(host("c-nokey", "vhe"), Host::NoKey);
        assert_eq!(host("c", "nopauth"), Host::NoPauth);
        assert_eq!(Variant::parse("bench", "vhe"), None);
    }
}
