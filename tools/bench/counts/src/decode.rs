// SPDX-License-Identifier: GPL-2.0

//! The few instructions of AArch64 that matter here.
//!
//! Reference: Arm ARM, C6.2 for `HINT`, `MRS` and `MSR (register)`, D24.2 for the encodings of the
//! key registers.

/// What an instruction is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `MRS` from or `MSR` to a pointer authentication key register.
    Key,
    /// `HINT #112`, by which the measured guest begins a window.
    Begin,
    /// `HINT #113`, by which it ends the window.
    End,
    /// Anything else.
    Other,
}

const MRS: u32 = 0xd530_0000;
const MSR: u32 = 0xd510_0000;
/// All but the register that is moved to or from.
const MOVE_MASK: u32 = 0xfff0_0000;

const HINT: u32 = 0xd503_201f;
const BEGIN: u32 = 112;
const END: u32 = 113;

/// Whether a move names one of `APIAKeyLo_EL1` to `APGAKeyHi_EL1`.
fn names_key(word: u32) -> bool {
    // Of op0, the encoding only has the lower bit, which is set for 3.
    let (op0, op1) = ((word >> 19) & 1, (word >> 16) & 7);
    let (crn, crm, op2) = ((word >> 12) & 15, (word >> 8) & 15, (word >> 5) & 7);

    (op0, op1, crn) == (1, 0, 2) && matches!((crm, op2), (1 | 2, 0..=3) | (3, 0..=1))
}

/// Tells what the instruction with this encoding is.
pub fn decode(word: u32) -> Kind {
    match word & MOVE_MASK {
        MRS | MSR if names_key(word) => Kind::Key,
        _ if word == HINT | BEGIN << 5 => Kind::Begin,
        _ if word == HINT | END << 5 => Kind::End,
        _ => Kind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `MRS` or `MSR` of S3_0_C2_C<crm>_<op2> with X<rt>, put together from its fields.
    fn key_move(read: bool, crm: u32, op2: u32, rt: u32) -> u32 {
        0xd510_0000 | u32::from(read) << 21 | 1 << 19 | 2 << 12 | crm << 8 | op2 << 5 | rt
    }

    /// Words that an assembler made of `mrs x9, APIAKeyLo_EL1` and the like.
    #[test]
    fn knows_what_an_assembler_writes() {
        assert_eq!(decode(0xd538_2109), Kind::Key);
        assert_eq!(decode(0xd518_2109), Kind::Key);
        assert_eq!(decode(0xd518_2320), Kind::Key);
        assert_eq!(decode(0xd503_2e1f), Kind::Begin);
        assert_eq!(decode(0xd503_2e3f), Kind::End);
    }

    #[test]
    fn there_are_ten_key_registers() {
        for read in [false, true] {
            let found = (0..16)
                .flat_map(|crm| (0..8).map(move |op2| key_move(read, crm, op2, 17)))
                .filter(|word| decode(*word) != Kind::Other)
                .count();

            assert_eq!(found, 10);
        }
    }

    #[test]
    fn other_registers_and_instructions_are_none_of_ours() {
        // mrs x0, hcr_el2; msr sctlr_el1, x0; isb; nop; hint #111; hint #114; ret.
        for word in [
            0xd53c_1100,
            0xd518_1000,
            0xd503_3fdf,
            0xd503_201f,
            0xd503_2dff,
            0xd503_2e5f,
            0xd65f_03c0,
        ] {
            assert_eq!(decode(word), Kind::Other);
        }
    }
}
