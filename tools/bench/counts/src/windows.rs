// SPDX-License-Identifier: GPL-2.0

//! The windows in which counts matter.
//!
//! What happened in a window is the difference of the counts at its end and at its begin. Each
//! window becomes a line of the output as it ends, so that nothing is lost if QEMU is stopped;
//! whatever does not fit together becomes a line that begins with `error`.

use std::io::Write;

/// What the host's kernel has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Accesses to key registers.
    pub keys: u64,
    /// Instructions of the switch path.
    pub path: u64,
    /// All instructions.
    pub kernel: u64,
}

/// The windows so far, and where they are written to.
pub struct Windows<W> {
    open: Option<Counts>,
    ended: u32,
    out: W,
}

impl<W: Write> Windows<W> {
    /// Starts the output with the names of the columns.
    pub fn new(mut out: W) -> std::io::Result<Self> {
        writeln!(out, "window,keys,path,kernel")?;
        Ok(Self {
            open: None,
            ended: 0,
            out,
        })
    }

    /// Begins a window, with these counts so far.
    pub fn begin(&mut self, counts: Counts) -> std::io::Result<()> {
        if self.open.replace(counts).is_some() {
            writeln!(self.out, "error,a window began inside of another")?;
        }
        Ok(())
    }

    /// Ends the window, with these counts so far.
    pub fn end(&mut self, end: Counts) -> std::io::Result<()> {
        if let Some(start) = self.open.take() {
            let (keys, path) = (end.keys - start.keys, end.path - start.path);
            let kernel = end.kernel - start.kernel;
            writeln!(self.out, "{},{keys},{path},{kernel}", self.ended)?;
            self.ended += 1;
        } else {
            writeln!(self.out, "error,a window ended that had not begun")?;
        }
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(n: u64) -> Counts {
        Counts {
            keys: n,
            path: 2 * n,
            kernel: 3 * n,
        }
    }

    fn output(what: impl Fn(&mut Windows<&mut Vec<u8>>)) -> Vec<String> {
        let mut out = Vec::new();
        what(&mut Windows::new(&mut out).unwrap());
        let text = String::from_utf8(out).unwrap();
        text.lines().skip(1).map(String::from).collect()
    }

    #[test]
    fn a_window_is_a_difference() {
        let lines = output(|w| {
            w.begin(counts(100)).unwrap();
            w.end(counts(107)).unwrap();
            w.begin(counts(110)).unwrap();
            w.end(counts(110)).unwrap();
        });

        assert_eq!(lines, ["0,7,14,21", "1,0,0,0"]);
    }

    #[test]
    fn what_does_not_fit_together_is_an_error() {
        assert!(output(|w| w.end(counts(1)).unwrap())[0].starts_with("error,"));

        let lines = output(|w| {
            w.begin(counts(1)).unwrap();
            w.begin(counts(2)).unwrap();
        });
        assert!(lines[0].starts_with("error,"));
    }
}
