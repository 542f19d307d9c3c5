// SPDX-License-Identifier: GPL-2.0

//! Medians and spreads over the windows of a kind.

use crate::{
    boots::{Host, Language, Variant, Window},
    bounds::Bound,
};

/// What is counted, in the order in which it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    Kernel,
    Keys,
    Path,
    /// What a guest with ptrauth has more of [`Metric::Path`] than one without.
    Added,
}

impl Metric {
    pub const ALL: [Self; 4] = [Self::Kernel, Self::Keys, Self::Path, Self::Added];

    pub fn title(self) -> &'static str {
        match self {
            Self::Kernel => "instructions of the whole kernel",
            Self::Keys => "key-register accesses",
            Self::Path => "instructions in the switch path",
            Self::Added => "what ptrauth adds to the switch path",
        }
    }

    fn of(self, window: &Window) -> f64 {
        match self {
            Self::Kernel => window.kernel,
            Self::Keys => window.keys,
            Self::Path | Self::Added => window.path,
        }
    }
}

/// By how much counts differ that are one, as a part of them. Two boots may be alike by chance.
const UNSURE: f64 = 0.0001;

/// The middle of some values, and how far they reach.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    pub median: f64,
    pub min: f64,
    pub max: f64,
    /// How far the medians of single boots are apart.
    pub boots: f64,
    /// The standard error of the median of a boot, because ticks fall into some windows only.
    pub error: f64,
}

/// There must be a value.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    (values[(values.len() - 1) / 2] + values[values.len() / 2]) / 2.0
}

fn reach(values: &[f64]) -> (f64, f64) {
    values
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(min, max), value| {
            (value.min(min), value.max(max))
        })
}

/// The standard error of the median of values that are spread normally.
fn error_of_median(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
    (std::f64::consts::FRAC_PI_2 * variance / n).sqrt()
}

impl Spread {
    fn of(
        windows: &[Window],
        variant: Variant,
        scenario: &str,
        ptrauth: bool,
        metric: Metric,
    ) -> Option<Self> {
        let mut runs: Vec<Vec<f64>> = Vec::new();
        for w in windows {
            if (w.variant, w.scenario.as_str(), w.ptrauth) == (variant, scenario, ptrauth) {
                runs.resize(runs.len().max(w.run as usize + 1), Vec::new());
                runs[w.run as usize].push(metric.of(w));
            }
        }
        runs.retain(|run| !run.is_empty());
        let all = runs.concat();
        if all.is_empty() {
            return None;
        }
        let base = match metric {
            Metric::Added if ptrauth => Self::of(windows, variant, scenario, false, metric)?.median,
            _ => 0.0,
        };
        let (min, max) = reach(&all);
        let errors = runs.iter().map(|run| error_of_median(run));
        let error = errors.fold(0.0, f64::max);
        let (least, most) = reach(&runs.into_iter().map(median).collect::<Vec<_>>());
        Some(Self {
            median: median(all) - base,
            min: min - base,
            max: max - base,
            boots: most - least,
            error,
        })
    }
}

/// One count, side by side.
pub struct Row {
    pub host: Host,
    pub metric: Metric,
    pub scenario: String,
    /// Whether the guest has the feature.
    pub ptrauth: bool,
    pub c: Spread,
    pub rust: Spread,
    pub inlined: Option<Spread>,
}

impl Row {
    pub fn spreads(&self) -> [(Language, Option<Spread>); 3] {
        let spreads = [Some(self.c), Some(self.rust), self.inlined];
        std::array::from_fn(|i| (Language::ALL[i], spreads[i]))
    }

    pub fn ratio(&self) -> Option<f64> {
        (self.c.median != 0.0).then(|| self.rust.median / self.c.median)
    }

    pub fn bound(&self) -> Bound {
        Bound::of(self.host, self.metric, &self.scenario, self.ptrauth)
    }

    pub fn holds(&self) -> &'static str {
        // Two standard errors of the difference.
        let error = 2.0 * self.c.error.hypot(self.rust.error);
        let boots = self.c.boots.max(self.rust.boots).max(error);
        let spread = boots.max(self.c.median * UNSURE);
        self.bound().holds(self.rust.median, self.c.median, spread)
    }
}

/// Returns all rows, scenarios in the order in which they were run.
pub fn rows(windows: &[Window]) -> Vec<Row> {
    let mut kinds: Vec<(&str, bool)> = Vec::new();
    for w in windows {
        for kind in [(w.scenario.as_str(), true), (w.scenario.as_str(), false)] {
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
    }
    let mut rows = Vec::new();
    for host in Host::ALL {
        for metric in Metric::ALL {
            for &(scenario, ptrauth) in &kinds {
                let of = |language| {
                    Spread::of(
                        windows,
                        Variant { host, language },
                        scenario,
                        ptrauth,
                        metric,
                    )
                };
                let (Some(c), Some(rust)) = (of(Language::C), of(Language::Rust)) else {
                    continue;
                };
                if metric != Metric::Added || ptrauth {
                    rows.push(Row {
                        host,
                        metric,
                        scenario: scenario.to_string(),
                        ptrauth,
                        c,
                        rust,
                        inlined: of(Language::Inlined),
                    });
                }
            }
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5);
    }

    #[test]
    fn more_values_make_a_median_surer() {
        let few = [1.0, 3.0];
        assert_eq!(error_of_median(&[2.0, 2.0]), 0.0);
        assert!(error_of_median(&few.repeat(4)) < error_of_median(&few));
    }

    #[test]
    fn windows_of_a_kind_are_put_together() {
        let window = |kernel: &str, run, ptrauth, keys| Window {
            variant: Variant::parse(kernel, "vhe").unwrap(),
            run,
            scenario: "hypercall".into(),
            ptrauth,
            keys,
            path: 10.0 * keys,
            kernel: 100.0,
        };
        let rows = rows(&[
            window("c", 1, true, 30.0),
            window("c", 2, true, 31.0),
            window("rust", 1, true, 6.0),
            window("c", 1, false, 1.0),
            window("rust", 1, false, 1.0),
            window("c-nokey", 1, true, 1.0),
        ]);
        let row = |metric, ptrauth| {
            let mut found = rows
                .iter()
                .filter(|r| (r.metric, r.ptrauth) == (metric, ptrauth));
            (found.next().unwrap(), found.next().is_none())
        };

        let (keys, alone) = row(Metric::Keys, true);
        assert!(alone && keys.inlined.is_none());
        let spread = |median, min, max, boots| Spread {
            median,
            min,
            max,
            boots,
            error: 0.0,
        };
        assert_eq!(keys.c, spread(30.5, 30.0, 31.0, 1.0));
        assert_eq!(
            row(Metric::Added, true).0.rust,
            spread(50.0, 50.0, 50.0, 0.0)
        );
        assert_eq!(row(Metric::Kernel, false).0.ratio(), Some(1.0));
        assert_eq!(rows.len(), 7);
    }
}
