// SPDX-License-Identifier: GPL-2.0

//! What is known of a kernel without booting it.

use crate::boots::Variant;
use std::{fs, path::Path};

/// A value by its name: sizes in bytes, times in seconds and the like, as the name says.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    pub variant: Variant,
    pub name: String,
    pub value: String,
}

fn parse(line: &str) -> Option<Fact> {
    let mut fields = line.split('\t');
    let variant = Variant::parse(fields.next()?)?;
    let name = fields.next()?.to_string();
    let value = fields.next()?.to_string();
    Some(Fact {
        variant,
        name,
        value,
    })
}

pub fn read(path: &Path) -> Result<Vec<Fact>, String> {
    fs::read_to_string(path)
        .map_err(|e| format!("{}: {e}", path.display()))?
        .lines()
        .map(|line| parse(line).ok_or_else(|| format!("{}: {line}", path.display())))
        .collect()
}
