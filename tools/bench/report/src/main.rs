// SPDX-License-Identifier: GPL-2.0

//! Puts the counts of C and Rust side by side.
//!
//! Usage: `report <directory>`. The directory holds what `scripts/bench/bench` has left there:
//!
//! - `<variant>.<mode>.<run>.csv`: what the plugin counted in a boot, a line per window;
//! - `<variant>.<mode>.<run>.log`: what that boot printed, with the names of the windows;
//! - `facts.tsv`: sizes and the like, as lines of variant, name and value.
//!
//! It gets `bench.md`, `bench.csv` and `bench.svg`.

mod boots;
mod csv;
mod facts;
mod markdown;
mod plot;
mod summary;

use std::{error::Error, fs, path::Path, process::ExitCode};

fn report(directory: &Path) -> Result<(), Box<dyn Error>> {
    let summary = summary::Summary::of(&boots::read_all(directory)?);
    let facts = facts::read(&directory.join("facts.tsv"))?;

    fs::write(directory.join("bench.csv"), csv::text(&summary))?;
    fs::write(directory.join("bench.md"), markdown::text(&summary, &facts))?;
    plot::draw(&summary, &directory.join("bench.svg"))
}

fn main() -> ExitCode {
    let Some(directory) = std::env::args_os().nth(1) else {
        eprintln!("usage: report <directory>");
        return ExitCode::from(2);
    };
    match report(Path::new(&directory)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
