// SPDX-License-Identifier: GPL-2.0

//! What the counts of Rust must not exceed.

use crate::{
    boots::Host::{self, *},
    summary::Metric::{self, *},
};

/// The most that a count may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    /// So much less than that of C, or as much if it is 0.
    C(f64),
    /// Less than that of C.
    BelowC,
    /// A number of its own, to a tenth: the least that the way in which keys move can cost.
    Number(f64),
}

impl Bound {
    /// Returns that of a row: nothing costs more than in C.
    pub fn of(host: Host, metric: Metric, scenario: &str, ptrauth: bool) -> Self {
        match (metric, host, scenario, ptrauth) {
            (Keys, Signs, "wfi", true) => Self::Number(42.1),
            (Keys, Signs, "pingpong", true) => Self::Number(76.1),
            (Keys, NoKey, "userspace", true) => Self::Number(30.1),
            (Keys, NoKey, "pingpong", true) => Self::Number(56.1),
            (Added, Signs, "hypercall", true) => Self::Number(18.0),
            // What the same design costs in C.
            (Kernel, Signs, "hypercall", true) => Self::C(36.0),
            (Kernel, _, "wfi" | "pingpong" | "nested", true) => Self::BelowC,
            _ => Self::C(0.0),
        }
    }

    pub fn text(self) -> String {
        match self {
            Self::C(0.0) => "<= C".into(),
            Self::C(less) => format!("<= C - {less}"),
            Self::BelowC => "< C".into(),
            Self::Number(most) => format!("<= {most}"),
        }
    }

    /// Tells whether a count holds the bound, beside that of C. Counts that differ by less than
    /// `spread` cannot be told apart.
    pub fn holds(self, rust: f64, c: f64, spread: f64) -> &'static str {
        let most = match self {
            Self::C(less) => c - less,
            Self::BelowC => c,
            Self::Number(most) => most + 0.05,
        };
        if rust < most || (rust == most && self != Self::BelowC) {
            "yes"
        } else if rust <= most + spread {
            "within the spread"
        } else {
            "no"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_can_be_broken() {
        assert_eq!(Bound::C(0.0).holds(5.0, 5.0, 0.0), "yes");
        assert_eq!(Bound::C(2.0).holds(4.0, 5.0, 0.5), "no");
        assert_eq!(Bound::BelowC.holds(5.0, 5.0, 0.0), "within the spread");
        assert_eq!(Bound::BelowC.holds(5.1, 5.0, 0.0), "no");
        assert_eq!(Bound::Number(3.0).holds(3.04, 9.0, 0.0), "yes");
        assert_eq!(Bound::Number(3.0).holds(3.1, 9.0, 0.0), "no");
    }
}
