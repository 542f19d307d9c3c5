// SPDX-License-Identifier: GPL-2.0

//! The windows in which counts matter.
//!
//! A window begins and ends on one CPU. What happened in between is the difference of that CPU's
//! counts. Each window becomes a line of the output as it ends, so that nothing is lost if QEMU is
//! stopped; whatever does not fit together becomes a line that begins with `error`.

use std::io::Write;

/// What has happened on one CPU so far, or in a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// `MRS` from key registers, by the host.
    pub key_reads: u64,
    /// `MSR` to key registers, by the host.
    pub key_writes: u64,
    /// Instructions of the switch path.
    pub path: u64,
    /// Instructions of the host's kernel.
    pub kernel: u64,
    /// Instructions at low addresses: of user space, and of the measured guests.
    pub low: u64,
}

impl Counts {
    fn since(self, start: Self) -> Self {
        Self {
            key_reads: self.key_reads - start.key_reads,
            key_writes: self.key_writes - start.key_writes,
            path: self.path - start.path,
            kernel: self.kernel - start.kernel,
            low: self.low - start.low,
        }
    }
}

/// The windows so far, and where they are written to.
pub struct Windows<W> {
    open: Option<(u32, Counts)>,
    ended: u32,
    out: W,
}

impl<W: Write> Windows<W> {
    /// Starts the output with the names of the columns.
    pub fn new(mut out: W) -> std::io::Result<Self> {
        writeln!(out, "window,key_reads,key_writes,path,kernel,low")?;
        Ok(Self {
            open: None,
            ended: 0,
            out,
        })
    }

    /// The CPU begins a window, with these counts so far.
    pub fn begin(&mut self, cpu: u32, counts: Counts) -> std::io::Result<()> {
        if self.open.replace((cpu, counts)).is_some() {
            writeln!(self.out, "error,a window began inside of another")?;
        }
        Ok(())
    }

    /// The CPU ends the window, with these counts so far.
    pub fn end(&mut self, cpu: u32, counts: Counts) -> std::io::Result<()> {
        match self.open.take() {
            Some((begun, start)) if begun == cpu => {
                let c = counts.since(start);
                writeln!(
                    self.out,
                    "{},{},{},{},{},{}",
                    self.ended, c.key_reads, c.key_writes, c.path, c.kernel, c.low
                )?;
                self.ended += 1;
            }
            Some(_) => writeln!(self.out, "error,a window ended on another CPU")?,
            None => writeln!(self.out, "error,a window ended that had not begun")?,
        }
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(n: u64) -> Counts {
        Counts {
            key_reads: n,
            key_writes: 2 * n,
            path: 3 * n,
            kernel: 4 * n,
            low: 5 * n,
        }
    }

    fn output(what: impl Fn(&mut Windows<&mut Vec<u8>>)) -> Vec<String> {
        let mut out = Vec::new();
        what(&mut Windows::new(&mut out).unwrap());
        String::from_utf8(out)
            .unwrap()
            .lines()
            .skip(1)
            .map(String::from)
            .collect()
    }

    #[test]
    fn a_window_is_a_difference() {
        let lines = output(|w| {
            w.begin(1, counts(100)).unwrap();
            w.end(1, counts(107)).unwrap();
            w.begin(0, counts(1)).unwrap();
            w.end(0, counts(1)).unwrap();
        });

        assert_eq!(lines, ["0,7,14,21,28,35", "1,0,0,0,0,0"]);
    }

    #[test]
    fn what_does_not_fit_together_is_an_error() {
        assert!(output(|w| w.end(0, counts(1)).unwrap())[0].starts_with("error,"));

        for (begin, end) in [(0, 1), (1, 0)] {
            let lines = output(|w| {
                w.begin(begin, counts(1)).unwrap();
                w.end(end, counts(2)).unwrap();
            });
            assert!(lines[0].starts_with("error,"));
        }

        let lines = output(|w| {
            w.begin(0, counts(1)).unwrap();
            w.begin(0, counts(2)).unwrap();
        });
        assert!(lines[0].starts_with("error,"));
    }
}
