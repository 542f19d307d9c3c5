// SPDX-License-Identifier: GPL-2.0

//! Bars, C beside Rust.

use crate::{
    boots::{Host, Language},
    summary::{Metric, Row},
};
use plotters::{
    coord::Shift,
    prelude::*,
    style::text_anchor::{HPos, Pos, VPos},
};
use std::{error::Error, path::Path};

const SIZE: (u32, u32) = (760, 620);
const FONT: &str = "sans-serif";

/// Two colours that differ in brightness, too.
fn colour(language: Language) -> RGBColor {
    match language {
        Language::C => RGBColor(0x9a, 0xa5, 0xb1),
        _ => RGBColor(0xb7, 0x41, 0x0e),
    }
}

/// A group of bars.
struct Group {
    name: String,
    values: [(Language, f64); 2],
}

/// Guests with ptrauth. Without a key of the kernel's own, one scenario shows it all.
fn groups(rows: &[Row], metric: Metric) -> Vec<Group> {
    rows.iter()
        .filter(|row| row.metric == metric && row.ptrauth)
        .filter(|row| row.host == Host::Signs || row.scenario == "hypercall")
        .map(|row| Group {
            name: match row.host {
                Host::Signs => row.scenario.clone(),
                _ => format!("{} (unsigned kernel)", row.scenario),
            },
            values: [
                (Language::C, row.c.median),
                (Language::Rust, row.rust.median),
            ],
        })
        .collect()
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

fn draw_groups(area: &Area<'_>, title: &str, groups: &[Group]) -> Result<(), Box<dyn Error>> {
    let most = groups
        .iter()
        .flat_map(|group| group.values.map(|(_, value)| value))
        .fold(1.0, f64::max);
    let mut chart = ChartBuilder::on(area)
        .caption(title, (FONT, 16))
        .margin(12)
        .x_label_area_size(28)
        .y_label_area_size(40)
        .build_cartesian_2d(0.0..groups.len() as f64, 0.0..most * 1.15)?;

    chart
        .configure_mesh()
        .disable_x_mesh()
        .disable_x_axis()
        .light_line_style(TRANSPARENT)
        .y_label_style((FONT, 12))
        .draw()?;

    for language in [Language::C, Language::Rust] {
        let at = |group: usize| {
            let left = group as f64 + if language == Language::C { 0.16 } else { 0.5 };
            (left, left + 0.34)
        };
        let values: Vec<_> = groups
            .iter()
            .flat_map(|group| group.values)
            .filter(|(of, _)| *of == language)
            .map(|(_, value)| value)
            .collect();

        chart
            .draw_series(values.iter().enumerate().map(|(group, value)| {
                let (left, right) = at(group);
                Rectangle::new([(left, 0.0), (right, *value)], colour(language).filled())
            }))?
            .label(language.name())
            .legend(move |(x, y)| {
                Rectangle::new([(x, y - 5), (x + 12, y + 5)], colour(language).filled())
            });
        let above = (FONT, 12)
            .into_font()
            .into_text_style(area)
            .pos(Pos::new(HPos::Center, VPos::Bottom));
        chart.draw_series(values.iter().enumerate().map(|(group, value)| {
            let (left, right) = at(group);
            Text::new(
                format!("{value:.1}"),
                ((left + right) / 2.0, value + most * 0.01),
                above.clone(),
            )
        }))?;
    }

    let below = (FONT, 13)
        .into_font()
        .into_text_style(area)
        .pos(Pos::new(HPos::Center, VPos::Top));
    for (group, bars) in groups.iter().enumerate() {
        let (x, y) = chart.backend_coord(&(group as f64 + 0.5, 0.0));
        let (left, top) = area.get_base_pixel();
        area.draw(&Text::new(
            bars.name.clone(),
            (x - left, y - top + 6),
            below.clone(),
        ))?;
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .label_font((FONT, 13))
        .background_style(WHITE)
        .border_style(TRANSPARENT)
        .draw()?;
    Ok(())
}

/// Draws accesses to key registers, and what the feature adds to the switch path.
pub fn draw(rows: &[Row], path: &Path) -> Result<(), Box<dyn Error>> {
    let root = SVGBackend::new(path, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let (top, bottom) = root.split_vertically(SIZE.1 / 2);

    draw_groups(
        &top,
        "Key-register accesses per round trip",
        &groups(rows, Metric::Keys),
    )?;
    draw_groups(
        &bottom,
        "Instructions that ptrauth adds to the switch path, per round trip",
        &groups(rows, Metric::Added),
    )?;
    root.present()?;
    Ok(())
}
