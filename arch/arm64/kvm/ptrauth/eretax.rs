// SPDX-License-Identifier: GPL-2.0

//! `ERETAA` and `ERETAB` of a guest hypervisor.
//!
//! With nested virtualization, KVM makes the exception returns of L1 in its place, and so has to
//! authenticate the address that L1 returns to. The CPU cannot do that: its instructions look at
//! the translation regime in force, not at L1's. But the code of an address is computed in the same
//! way as that of any value, which `PACGA` does with whatever is in APGA.
//!
//! Reference: Arm ARM, the shared pseudocode that the functions are named after, and C6.2
//! "ERETAA, ERETAB".

use crate::{
    counters::{
        self,
        Event, //
    },
    level::{
        self,
        Level, //
    },
    residency,
};
use kernel::{
    arm64::{
        ptrauth::{
            pacga_with,
            KeyId, //
        },
        sysreg::{
            EsrEl2,
            SpsrEl2,
            TcrEl2,
            TcrEl2Host, //
        },
    },
    bits::genmask_u64,
    kvm::{
        LoadedVcpu,
        LockedVcpu, //
    },
    prelude::*, //
};

/// The class of the exception for a failed authentication.
const EC_FPAC: u64 = 0x1c;

/// Which of two keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Which {
    A,
    B,
}

/// What L1's translation makes of the upper bits of an address of an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Regime {
    /// The size of the half of the address space is 2^(64 - `txsz`).
    txsz: u32,
    /// Whether the top byte is ignored.
    tbi: bool,
}

fn bit55(address: u64) -> bool {
    address & (1 << 55) != 0
}

impl Regime {
    /// The regime for `address`.
    ///
    /// Without E2H there is but one half. An address with bit 55 set does not belong to it, and is
    /// treated as if it did.
    fn of(tcr: u64, e2h: bool, address: u64) -> Self {
        let host = TcrEl2Host::from_raw(tcr);
        let single = TcrEl2::from_raw(tcr);
        let (txsz, tbi, tbid) = match (e2h, bit55(address)) {
            (false, _) => (*single.t0sz(), single.tbi(), single.tbid()),
            (true, false) => (*host.t0sz(), host.tbi0(), host.tbid0()),
            (true, true) => (*host.t1sz(), host.tbi1(), host.tbid1()),
        };

        Self {
            txsz: txsz as u32,
            tbi: Self::effective_tbi(tbi, tbid),
        }
    }

    /// `EffectiveTBI()`, for addresses of instructions.
    fn effective_tbi(tbi: bool, tbid: bool) -> bool {
        tbi && !tbid
    }

    /// `CalculateBottomPACBit()`: the lowest bit of an address that belongs to its code.
    ///
    /// KVM gives guests neither larger address spaces than 48 bits (FEAT_LVA) nor smaller ones than
    /// 25 (FEAT_TTST); sizes beyond have the effect of the nearest one.
    fn calculate_bottom_pac_bit(self) -> u32 {
        64 - self.txsz.clamp(16, 39)
    }

    /// The bits of an address that belong to its code.
    fn code_bits(self) -> u64 {
        let top_byte = if self.tbi { 0 } else { genmask_u64(56..=63) };

        (!0 << self.calculate_bottom_pac_bit()) & genmask_u64(0..=54) | top_byte
    }

    /// `Strip()`: the address without its code.
    fn strip(self, address: u64) -> u64 {
        if bit55(address) {
            address | self.code_bits()
        } else {
            address & !self.code_bits()
        }
    }

    /// `Auth()`: the address if its code matches `pac`, or else what becomes of it.
    ///
    /// `pac` is what `ComputePAC()` gives for the stripped address. In contrast to the pseudocode,
    /// a code that matches is good whatever the level, so that the level matters to errors alone.
    fn auth(self, address: u64, pac: u64, which: Which, pauth2: bool) -> Result<u64, u64> {
        let bits = self.code_bits();

        if (pac ^ address) & bits == 0 {
            Ok(self.strip(address))
        } else if pauth2 {
            Err(address ^ (pac & bits))
        } else {
            let shift = if self.tbi { 53 } else { 61 };
            let error_code = match which {
                Which::A => 1,
                Which::B => 2,
            };
            Err(self.strip(address) & !(3 << shift) | error_code << shift)
        }
    }
}

fn vm_has(vcpu: &LockedVcpu<'_>, level: Level) -> bool {
    level::has(vcpu.vm_id_aa64isar1(), vcpu.vm_id_aa64isar2(), level)
}

/// Authenticates where the guest hypervisor wants to return to, which it has tried with `ERETAA` or
/// `ERETAB`. Gives the address to return to, also if the authentication fails.
///
/// # Safety
///
/// The system must have pointer authentication.
pub(crate) unsafe fn authenticate(vcpu: &LoadedVcpu<'_>) -> Result<u64, u64> {
    let address = vcpu.elr_el2();
    let (which, key, enabled) = if vcpu.esr().b_key() {
        (Which::B, KeyId::Apib, vcpu.sctlr_el2().en_ib())
    } else {
        (Which::A, KeyId::Apia, vcpu.sctlr_el2().en_ia())
    };
    if !enabled {
        return Ok(address);
    }

    let regime = Regime::of(vcpu.tcr_el2(), vcpu.e2h(), address);
    // SAFETY: By the safety requirements.
    let pac = unsafe {
        pacga_with(
            residency::key(vcpu, key),
            regime.strip(address),
            vcpu.sp_el2(),
        )
    };
    let result = regime.auth(address, pac, which, vm_has(vcpu, Level::PAuth2));

    counters::count(match result {
        Ok(_) => Event::EretaxAuthenticated,
        Err(_) => Event::EretaxFailed,
    });
    result
}

/// The syndrome for L1 if its `ERETAA` or `ERETAB` that has failed to authenticate is to fault.
///
/// It does not if that return is illegal anyway, which comes first and is found out later.
pub(crate) fn fault(vcpu: &LockedVcpu<'_>, spsr: SpsrEl2) -> Option<EsrEl2> {
    if !vm_has(vcpu, Level::FpacCombine) || spsr.il() {
        return None;
    }

    let esr = vcpu.esr();
    Some(
        EsrEl2::zeroed()
            .with_const_ec::<EC_FPAC>()
            .with_il(esr.il())
            .with_b_key(esr.b_key()),
    )
}
