// SPDX-License-Identifier: GPL-2.0

//! Medians and spreads over the windows of a kind.

use crate::boots::{Variant, Window};

/// What is counted, in the order in which it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    Keys,
    Path,
    Kernel,
}

impl Metric {
    pub const ALL: [Self; 3] = [Self::Keys, Self::Path, Self::Kernel];

    pub fn title(self) -> &'static str {
        match self {
            Self::Keys => "key-register accesses",
            Self::Path => "instructions in the switch path",
            Self::Kernel => "instructions of the host's kernel",
        }
    }

    fn of(self, window: &Window) -> f64 {
        match self {
            Self::Keys => window.keys,
            Self::Path => window.path,
            Self::Kernel => window.kernel,
        }
    }
}

/// The middle of some values, and how far they reach.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    pub median: f64,
    pub min: f64,
    pub max: f64,
}

impl Spread {
    /// There must be a value.
    fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let (low, high) = ((values.len() - 1) / 2, values.len() / 2);
        Self {
            median: (values[low] + values[high]) / 2.0,
            min: values[0],
            max: values[values.len() - 1],
        }
    }
}

/// What was counted in one kind of window on one kernel.
#[derive(Clone, Debug)]
pub struct Cell {
    pub variant: Variant,
    pub scenario: String,
    pub ptrauth: bool,
    pub windows: usize,
    spreads: [Spread; 3],
}

impl Cell {
    pub fn spread(&self, metric: Metric) -> Spread {
        self.spreads[metric as usize]
    }
}

/// All cells, in the order in which the scenarios were run.
pub struct Summary {
    cells: Vec<Cell>,
}

impl Summary {
    pub fn of(windows: &[Window]) -> Self {
        let mut kinds: Vec<(Variant, &str, bool)> = Vec::new();
        for w in windows {
            let kind = (w.variant, w.scenario.as_str(), w.ptrauth);
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
        let cell = |(variant, scenario, ptrauth): (Variant, &str, bool)| {
            let of_kind: Vec<_> = windows
                .iter()
                .filter(|w| {
                    (w.variant, w.scenario.as_str(), w.ptrauth) == (variant, scenario, ptrauth)
                })
                .collect();
            Cell {
                variant,
                scenario: scenario.to_string(),
                ptrauth,
                windows: of_kind.len(),
                spreads: Metric::ALL
                    .map(|metric| Spread::of(of_kind.iter().map(|w| metric.of(w)).collect())),
            }
        };
        Self {
            cells: kinds.into_iter().map(cell).collect(),
        }
    }

    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// The scenarios, each once.
    pub fn scenarios(&self) -> Vec<&str> {
        let mut names = Vec::new();
        for cell in &self.cells {
            if !names.contains(&cell.scenario.as_str()) {
                names.push(&cell.scenario);
            }
        }
        names
    }

    pub fn find(&self, variant: Variant, scenario: &str, ptrauth: bool) -> Option<&Cell> {
        self.cells
            .iter()
            .find(|c| c.variant == variant && c.scenario == scenario && c.ptrauth == ptrauth)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(Spread::of(vec![3.0, 1.0, 2.0]).median, 2.0);
        assert_eq!(
            Spread::of(vec![4.0, 1.0, 2.0, 3.0]),
            Spread {
                median: 2.5,
                min: 1.0,
                max: 4.0
            }
        );
    }

    #[test]
    fn windows_of_a_kind_are_put_together() {
        let window = |variant: &str, ptrauth, keys| Window {
            variant: Variant::parse(variant).unwrap(),
            scenario: "hypercall".into(),
            ptrauth,
            keys,
            path: 10.0,
            kernel: 100.0,
        };
        let summary = Summary::of(&[
            window("c", true, 30.0),
            window("c", true, 31.0),
            window("rust", true, 6.0),
            window("c", false, 0.0),
        ]);
        let c = Variant::parse("c").unwrap();

        assert_eq!(summary.scenarios(), ["hypercall"]);
        assert_eq!(summary.cells().len(), 3);
        let cell = summary.find(c, "hypercall", true).unwrap();
        assert_eq!((cell.windows, cell.spread(Metric::Keys).median), (2, 30.5));
        assert!(summary.find(c, "wfi", true).is_none());
    }
}
