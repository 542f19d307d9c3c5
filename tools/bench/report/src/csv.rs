// SPDX-License-Identifier: GPL-2.0

//! All figures, for other programs.

use crate::summary::Row;
use std::fmt::Write;

pub fn text(rows: &[Row]) -> String {
    let mut out = String::from("host,metric,scenario,ptrauth");
    for language in ["c", "rust", "inlined"] {
        write!(out, ",{language},{language}_min,{language}_max").expect("a string takes all");
    }
    out.push_str(",bound,holds\n");
    for row in rows {
        let ptrauth = u8::from(row.ptrauth);
        let mut fields =
            vec![
                format!("{:?},{:?},{},{ptrauth}", row.host, row.metric, row.scenario)
                    .to_lowercase(),
            ];
        for (_, spread) in row.spreads() {
            fields.push(spread.map_or(",,".into(), |s| {
                format!("{:.3},{:.3},{:.3}", s.median, s.min, s.max)
            }));
        }
        fields.push(row.bound().text());
        fields.push(row.holds().into());
        out += &(fields.join(",") + "\n");
    }
    out
}
