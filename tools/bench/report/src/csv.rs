// SPDX-License-Identifier: GPL-2.0

//! All figures, for other programs.

use crate::summary::{Metric, Summary};
use std::fmt::Write;

pub fn text(summary: &Summary) -> String {
    let mut out =
        String::from("kernel_signs,language,scenario,ptrauth,metric,median,min,max,windows\n");
    for cell in summary.cells() {
        for metric in Metric::ALL {
            let spread = cell.spread(metric);
            let language = cell.variant.language.name();
            writeln!(
                out,
                "{},{language},{},{},{},{:.3},{:.3},{:.3},{}",
                u8::from(cell.variant.signs),
                cell.scenario,
                u8::from(cell.ptrauth),
                metric.title(),
                spread.median,
                spread.min,
                spread.max,
                cell.windows
            )
            .expect("a string takes all");
        }
    }
    out
}
