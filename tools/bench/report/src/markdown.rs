// SPDX-License-Identifier: GPL-2.0

//! The tables for people.

use crate::{
    boots::{Host, Language},
    summary::{Metric, Row, Spread},
};
use std::fmt::Write;

const INTRO: &str = "\
# C and Rust side by side

Counts per round trip: the median of all windows of all boots, with the distance to the
least and to the most of them. For `nested`, a round trip is one guest entry, of L1 or of L2.

Whole kernel: each instruction at a kernel's address that the CPU executes between the marks
at which the guest begins and ends a window. Timer interrupts and kernel threads are in it;
user space and the guest, whose code is the same everywhere, are not. The switch path is
`__guest_enter` with the exit behind it, and what they call for the keys.
";

/// Whole-kernel medians of two boots must not be further apart.
const REPEATS: f64 = 0.003;

fn shown(spread: Option<Spread>) -> String {
    match spread {
        None => "-".into(),
        Some(s) if s.min == s.max => format!("{:.2}", s.median),
        Some(s) => {
            let percent = |value: f64| (value - s.median) * 100.0 / s.median.abs().max(0.01);
            format!(
                "{:.2} ({:+.2} {:+.2} %)",
                s.median,
                percent(s.min),
                percent(s.max)
            )
        }
    }
}

/// One metric on one host, a line per scenario.
fn table<'a>(
    out: &mut String,
    title: &str,
    rows: impl Iterator<Item = &'a Row>,
) -> std::fmt::Result {
    let columns = Language::ALL.map(Language::name).join(" | ");

    writeln!(out, "\n### {title}\n")?;
    writeln!(
        out,
        "| scenario | guest's ptrauth | {columns} | Rust/C | Rust must be | holds |"
    )?;
    writeln!(out, "|---|---|---|---|---|---|---|---|")?;
    for row in rows {
        writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} |",
            row.scenario,
            if row.ptrauth { "with" } else { "without" },
            row.spreads().map(|(_, spread)| shown(spread)).join(" | "),
            row.ratio()
                .map_or("-".into(), |ratio| format!("{ratio:.4}")),
            row.bound().text(),
            row.holds()
        )?;
    }
    Ok(())
}

/// How well the counts of a whole kernel repeat.
fn repeats(out: &mut String, rows: &[Row]) -> std::fmt::Result {
    let mut most = (0.0, String::new());
    for row in rows.iter().filter(|row| row.metric == Metric::Kernel) {
        for (language, spread) in row.spreads() {
            let apart = spread.map_or(0.0, |s| s.boots / s.median);
            if apart >= most.0 {
                most = (
                    apart,
                    format!("{}, {}, {:?}", language.name(), row.scenario, row.host),
                );
            }
        }
    }
    let (apart, place) = most;
    writeln!(
        out,
        "\nBetween boots, whole-kernel medians differ by {:.3} % at most ({place}). \
         They repeat within {} %: {}.",
        apart * 100.0,
        REPEATS * 100.0,
        if apart <= REPEATS { "yes" } else { "no" }
    )
}

fn write(out: &mut String, about: &str, rows: &[Row], sizes: &str) -> std::fmt::Result {
    writeln!(out, "{INTRO}\n{}", about.trim_end())?;
    repeats(out, rows)?;
    for host in Host::ALL {
        writeln!(out, "\n## {}", host.title())?;
        for metric in Metric::ALL {
            let of = rows
                .iter()
                .filter(|row| (row.host, row.metric) == (host, metric));
            // Nothing moves keys where there are none.
            if host != Host::NoPauth || matches!(metric, Metric::Kernel | Metric::Path) {
                table(out, metric.title(), of)?;
            }
        }
    }
    writeln!(out, "\n## Sizes and the build\n\n{}", sizes.trim_end())
}

pub fn text(about: &str, rows: &[Row], sizes: &str) -> String {
    let mut out = String::new();
    write(&mut out, about, rows, sizes).expect("a string takes all");
    out
}
