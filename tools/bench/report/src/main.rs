// SPDX-License-Identifier: GPL-2.0

//! Puts the counts of C and Rust side by side.
//!
//! Usage: `report <directory>`. The directory holds what `scripts/bench/bench` has left there:
//!
//! - `<kernel>.<mode>.<run>.csv`: what the plugin counted in a boot, a line per window;
//! - `<kernel>.<mode>.<run>.log`: what that boot printed, with the names of the windows;
//! - `about.md`: by what was counted, and what is left out;
//! - `sizes.md`: what is known of the kernels without booting them.
//!
//! It gets `bench.md`, `bench.csv` and `bench.svg`.

mod boots;
mod bounds;
mod csv;
mod markdown;
mod plot;
mod summary;

use std::{error::Error, fs, path::Path, process::ExitCode};

fn report(directory: &Path) -> Result<(), Box<dyn Error>> {
    let rows = summary::rows(&boots::read_all(directory)?);
    let about = fs::read_to_string(directory.join("about.md"))?;
    let sizes = fs::read_to_string(directory.join("sizes.md"))?;

    fs::write(directory.join("bench.csv"), csv::text(&rows))?;
    fs::write(
        directory.join("bench.md"),
        markdown::text(&about, &rows, &sizes),
    )?;
    plot::draw(&rows, &directory.join("bench.svg"))
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
