// SPDX-License-Identifier: GPL-2.0

//! The tables for people.

use crate::{
    boots::{Language, Variant},
    facts::Fact,
    summary::{Metric, Spread, Summary},
};
use std::fmt::Write;

const INTRO: &str = "\
# C and Rust side by side

Medians per round trip, with the least and the most of all windows in brackets.
For `nested`, a round trip is one guest entry, of L1 or of L2.

Accesses to key registers and the instructions of the switch path (`__guest_enter`
and what it calls for the keys) are counted one by one. Instructions of the host's
kernel are counted by the block and include its timer interrupts.
";

fn shown(spread: Spread) -> String {
    format!(
        "{:.2} ({:.2} to {:.2})",
        spread.median, spread.min, spread.max
    )
}

fn ratio(c: f64, rust: f64) -> String {
    if c == 0.0 {
        "-".into()
    } else {
        format!("{:.2}", rust / c)
    }
}

fn pair(signs: bool) -> [Variant; 2] {
    [Language::C, Language::Rust].map(|language| Variant { signs, language })
}

/// One metric of one pair of kernels, a line per scenario.
fn table(out: &mut String, summary: &Summary, signs: bool, metric: Metric) -> std::fmt::Result {
    let [c, rust] = pair(signs);

    writeln!(out, "\n### {}\n", metric.title())?;
    writeln!(out, "| scenario | ptrauth | C | Rust | Rust/C |")?;
    writeln!(out, "|---|---|---|---|---|")?;
    for scenario in summary.scenarios() {
        for ptrauth in [true, false] {
            let (Some(c), Some(rust)) = (
                summary.find(c, scenario, ptrauth),
                summary.find(rust, scenario, ptrauth),
            ) else {
                continue;
            };
            let (c, rust) = (c.spread(metric), rust.spread(metric));
            writeln!(
                out,
                "| {scenario} | {} | {} | {} | {} |",
                if ptrauth { "with" } else { "without" },
                shown(c),
                shown(rust),
                ratio(c.median, rust.median)
            )?;
        }
    }
    Ok(())
}

/// What the feature adds to the switch path.
fn difference(out: &mut String, summary: &Summary, signs: bool) -> std::fmt::Result {
    writeln!(out, "\n### what ptrauth adds to the switch path\n")?;
    writeln!(out, "| scenario | C | Rust | Rust/C |")?;
    writeln!(out, "|---|---|---|---|")?;
    for scenario in summary.scenarios() {
        let added = pair(signs).map(|variant| {
            let median = |ptrauth| {
                let cell = summary.find(variant, scenario, ptrauth)?;
                Some(cell.spread(Metric::Path).median)
            };
            Some(median(true)? - median(false)?)
        });
        if let [Some(c), Some(rust)] = added {
            writeln!(
                out,
                "| {scenario} | {c:.2} | {rust:.2} | {} |",
                ratio(c, rust)
            )?;
        }
    }
    Ok(())
}

/// Sizes and the like, a line each.
fn known(out: &mut String, facts: &[Fact]) -> std::fmt::Result {
    let mut names: Vec<(bool, &str)> = Vec::new();
    for fact in facts {
        let name = (fact.variant.signs, fact.name.as_str());
        if !names.contains(&name) {
            names.push(name);
        }
    }

    writeln!(out, "\n## Sizes and the build\n")?;
    writeln!(out, "| | kernel signs | C | Rust |")?;
    writeln!(out, "|---|---|---|---|")?;
    for (signs, name) in names {
        let [c, rust] = pair(signs).map(|variant| {
            facts
                .iter()
                .find(|fact| fact.variant == variant && fact.name == name)
                .map_or("-", |fact| fact.value.as_str())
        });
        writeln!(
            out,
            "| {name} | {} | {c} | {rust} |",
            if signs { "yes" } else { "no" }
        )?;
    }
    Ok(())
}

fn write(out: &mut String, summary: &Summary, facts: &[Fact]) -> std::fmt::Result {
    out.push_str(INTRO);
    for (signs, heading) in [
        (true, "The kernel signs its own return addresses"),
        (
            false,
            "The kernel does not (`CONFIG_ARM64_PTR_AUTH_KERNEL=n`)",
        ),
    ] {
        writeln!(out, "\n## {heading}")?;
        for metric in Metric::ALL {
            table(out, summary, signs, metric)?;
        }
        difference(out, summary, signs)?;
    }
    known(out, facts)
}

pub fn text(summary: &Summary, facts: &[Fact]) -> String {
    let mut out = String::new();
    write(&mut out, summary, facts).expect("a string takes all");
    out
}
