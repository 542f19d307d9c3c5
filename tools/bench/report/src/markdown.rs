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

\"Within the spread\": no further apart than two boots of one kernel, or than two standard
errors of the medians. Ticks fall into some windows of `wfi` only.
";

/// Whole-kernel medians of two boots must not be further apart.
const REPEATS: f64 = 0.003;

fn shown(spread: Option<Spread>) -> String {
    match spread {
        None => "-".into(),
        Some(s) if s.min == s.max => format!("{:.2}", s.median),
        Some(s) if s.median < 1.0 => format!("{:.2} (to {:.2})", s.median, s.max),
        Some(s) => {
            let percent = |value: f64| (value / s.median - 1.0) * 100.0;
            format!(
                "{:.2} ({:+.2} {:+.2} %)",
                s.median,
                percent(s.min),
                percent(s.max)
            )
        }
    }
}

fn with(ptrauth: bool) -> &'static str {
    if ptrauth {
        "with"
    } else {
        "without"
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
            with(row.ptrauth),
            row.spreads().map(|(_, spread)| shown(spread)).join(" | "),
            row.ratio()
                .map_or("-".into(), |ratio| format!("{ratio:.4}")),
            row.bound().text(),
            row.holds()
        )?;
    }
    Ok(())
}

/// Whether the bounds hold, and how well the counts of a whole kernel repeat.
fn verdict(out: &mut String, rows: &[Row]) -> std::fmt::Result {
    let mut most = (0.0, String::new());
    for row in rows.iter().filter(|row| row.metric == Metric::Kernel) {
        for (language, spread) in row.spreads() {
            let apart = spread.map_or(-1.0, |s| s.boots / s.median);
            if apart >= most.0 {
                let (language, with) = (language.name(), with(row.ptrauth));
                most = (
                    apart,
                    format!("{language}, {}, {with} ptrauth", row.scenario),
                );
            }
        }
    }
    let (apart, place) = most;
    let broken = rows.iter().filter(|row| row.holds() == "no").count();
    let (apart, most) = (apart * 100.0, REPEATS * 100.0);
    writeln!(
        out,
        "\nOf {} bounds, {broken} do not hold.\n\n\
         Between boots, whole-kernel medians differ by {apart:.3} % at most ({place}); \
         {most} % are allowed: {}.",
        rows.len(),
        if apart <= most {
            "they repeat"
        } else {
            "they do not repeat"
        }
    )
}

fn write(out: &mut String, about: &str, rows: &[Row], sizes: &str) -> std::fmt::Result {
    writeln!(out, "{INTRO}\n{}", about.trim_end())?;
    verdict(out, rows)?;
    for host in Host::ALL {
        writeln!(out, "\n## {}", host.title())?;
        for metric in Metric::ALL {
            let of = |row: &&Row| (row.host, row.metric) == (host, metric);
            // Where there are no keys, none are moved.
            let is_there = |row: &Row| row.c.max + row.rust.max > 0.0;
            if rows.iter().filter(of).any(is_there) {
                table(out, metric.title(), rows.iter().filter(of))?;
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
