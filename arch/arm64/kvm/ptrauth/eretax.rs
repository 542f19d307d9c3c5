// SPDX-License-Identifier: GPL-2.0

//! `ERETAA` and `ERETAB` of a guest hypervisor.
//!
//! With nested virtualization, KVM emulates the exception returns of L1. So it must authenticate
//! the address that L1 returns to. The CPU's instructions cannot: they look at the
//! translation regime in force, not at L1's. But the PAC of an address is computed in the same way
//! as that of any value, and `PACGA` does that with the key in APGA. It gives the upper 32 bits of
//! a PAC. In an address space of less than 4 GiB, a PAC also has bits below. They count as 0.
//!
//! `arch/arm64/kvm/pauth.c` does the same in C.
//!
//! Reference: Arm ARM, the shared pseudocode that the functions are named after, and
//! "ERETAA, ERETAB".

use crate::{
    support::{
        self,
        Level, //
    },
    switch,
    vcpu::{
        LoadedVcpu,
        LockedVcpu, //
    },
};
use kernel::{
    arm64::{
        id_regs::IdAa64Mmfr0,
        ptrauth::{
            pacga_with,
            AllCpus, //
        },
        sysreg::{
            EsrEl2,
            TcrEl2,
            TcrEl2Host, //
        },
    },
    bindings,
    bits::genmask_u64,
    preempt,
    prelude::*, //
};

/// The class of the exception for a failed authentication.
const EC_FPAC: u64 = 0x1c;

/// The key that the instruction uses.
#[derive(Clone, Copy)]
enum KeyId {
    Apia,
    Apib,
}

/// How L1's translation treats the upper bits of an instruction's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Regime {
    /// The size of the half of the address space is 2^(64 - `txsz`).
    txsz: u32,
    /// Whether that half can have addresses of 52 bits.
    has_52_bits: bool,
    /// Whether the top byte is ignored.
    tbi: bool,
}

fn bit55(address: u64) -> bool {
    address & (1 << 55) != 0
}

impl Regime {
    /// Returns the regime for `address`.
    ///
    /// Without E2H there is one range of addresses, whatever their bit 55.
    fn of(tcr: u64, e2h: bool, mmfr0: IdAa64Mmfr0, address: u64) -> Self {
        let host = TcrEl2Host::from_raw(tcr);
        let el2 = TcrEl2::from_raw(tcr);
        let upper = e2h && bit55(address);
        let (txsz, tbi, tbid, tg) = match (e2h, upper) {
            (false, _) => (*el2.t0sz(), el2.tbi(), el2.tbid(), *el2.tg0()),
            (true, false) => (*host.t0sz(), host.tbi0(), host.tbid0(), *host.tg0()),
            (true, true) => (*host.t1sz(), host.tbi1(), host.tbid1(), *host.tg1()),
        };
        let ds = if e2h { host.ds() } else { el2.ds() };
        // TG0 and TG1 have different numbers for the same granules. A reserved one counts as
        // 64 KiB. With 64 KiB, KVM hides the larger size (FEAT_LVA).
        let granule_has_52_bits = match (upper, tg) {
            (false, 0) | (true, 2) => (1..8).contains(&*mmfr0.tgran4()),
            (false, 2) | (true, 1) => *mmfr0.tgran16() >= 2,
            _ => false,
        };

        Self {
            txsz: txsz as u32,
            has_52_bits: ds && granule_has_52_bits,
            // `EffectiveTBI()`, for addresses of instructions.
            tbi: tbi && !tbid,
        }
    }

    /// Returns the lowest bit of an address that belongs to its PAC, `CalculateBottomPACBit()`.
    ///
    /// KVM hides FEAT_TTST, which allows a TxSZ above 39. A value beyond the least
    /// (`AArch64.S1MinTxSZ()`) or the greatest has the effect of that one.
    fn calculate_bottom_pac_bit(self) -> u32 {
        let least = if self.has_52_bits { 12 } else { 16 };

        64 - self.txsz.clamp(least, 39)
    }

    /// Returns the bits of an address that belong to its PAC.
    fn pac_bits(self) -> u64 {
        let top_byte = if self.tbi { 0 } else { genmask_u64(56..=63) };

        (!0 << self.calculate_bottom_pac_bit()) & genmask_u64(0..=54) | top_byte
    }

    /// Returns the address without its PAC, `Strip()`.
    fn strip(self, address: u64) -> u64 {
        if bit55(address) {
            address | self.pac_bits()
        } else {
            address & !self.pac_bits()
        }
    }

    /// Returns the address if its PAC is right, or else what becomes of it, `Auth()`.
    ///
    /// `pac` is what `ComputePAC()` gives for the stripped address. Without FEAT_PAuth2 it replaces
    /// the upper bits of an address that is signed; with, it is mixed into them by an exclusive or,
    /// so that for the upper half of the address space the bits of the PAC are inverted.
    fn auth(self, address: u64, pac: u64, id: KeyId, pauth2: bool) -> Result<u64, u64> {
        let stripped = self.strip(address);
        let pac = pac & self.pac_bits();

        if pauth2 {
            let unmixed = address ^ pac;
            return (unmixed == stripped).then_some(stripped).ok_or(unmixed);
        }

        if address & self.pac_bits() == pac {
            Ok(stripped)
        } else {
            let shift = if self.tbi { 53 } else { 61 };
            let error_code = match id {
                KeyId::Apia => 1,
                KeyId::Apib => 2,
            };
            Err(stripped & !(3 << shift) | error_code << shift)
        }
    }
}

/// Returns whether the VM has this level.
fn vm_has(vcpu: &LockedVcpu<'_>, level: Level) -> bool {
    support::vm_level(vcpu.vm_id_aa64isar1(), vcpu.vm_id_aa64isar2()).is_some_and(|l| l >= level)
}

/// Authenticates where the guest hypervisor wants to return to. Returns the address to return to,
/// also if the authentication fails.
fn authenticate(vcpu: &LoadedVcpu<'_>, all_cpus: AllCpus) -> Result<u64, u64> {
    let address = vcpu.elr_el2();
    let (id, enabled) = if vcpu.esr().b_key() {
        (KeyId::Apib, vcpu.sctlr_el2().en_ib())
    } else {
        (KeyId::Apia, vcpu.sctlr_el2().en_ia())
    };
    if !enabled {
        return Ok(address);
    }

    let keys = switch::guest_keys(vcpu, all_cpus);
    let key = match id {
        KeyId::Apia => keys.apia,
        KeyId::Apib => keys.apib,
    };
    let regime = Regime::of(vcpu.tcr_el2(), vcpu.e2h(), vcpu.vm_id_aa64mmfr0(), address);
    let stripped = regime.strip(address);
    let pac = pacga_with(all_cpus, vcpu.stay(), key, stripped, vcpu.current_sp());

    regime.auth(address, pac, id, vm_has(vcpu, Level::PAUTH2))
}

/// Authenticates the address that a guest hypervisor returns to with `ERETAA` or `ERETAB`.
///
/// Returns whether the address has the right PAC, or needs none. Writes the address to return to
/// into `*elr` in either case.
///
/// Called while the vCPU is loaded, for the trap that ended the guest's run: with preemption from
/// KVM's run loop, without it from the world switch.
///
/// # Safety
///
/// `vcpu` must be the vCPU that the calling thread runs and has loaded, and have pointer
/// authentication; `elr` must be valid for a write.
#[export]
pub(crate) unsafe extern "C" fn kvm_auth_eretax(
    vcpu: *mut bindings::kvm_vcpu,
    elr: *mut u64,
) -> bool {
    // APGA holds another key for `PACGA`. A put meanwhile would save it as the guest's. A load
    // could move a register to the CPU or to memory after the check that says where it is.
    let stay = preempt::disable();
    // SAFETY: The caller has loaded the vCPU, and cannot be preempted from here on.
    let vcpu = unsafe { LoadedVcpu::from_raw(vcpu, &stay) };
    // SAFETY: A vCPU has pointer authentication only if the system has both kinds.
    let all_cpus = unsafe { AllCpus::assume() };
    let result = authenticate(&vcpu, all_cpus);
    let (Ok(address) | Err(address)) = result;

    // SAFETY: By the safety requirements.
    unsafe { elr.write(address) };
    result.is_ok()
}

/// Returns the syndrome with which a failed `ERETAA` or `ERETAB` of a guest hypervisor faults
/// there, or 0 if it does not.
///
/// The authentication comes before the return. So it does not matter whether that would be legal.
///
/// Called in the run loop, preemptible, with the vCPU loaded.
///
/// # Safety
///
/// `vcpu` must be the vCPU that the calling thread runs.
#[export]
pub(crate) unsafe extern "C" fn kvm_ptrauth_eretax_fault(vcpu: *mut bindings::kvm_vcpu) -> u64 {
    // SAFETY: The caller runs the vCPU, and so holds its mutex.
    let vcpu = unsafe { LockedVcpu::from_raw(vcpu) };

    if !vm_has(&vcpu, Level::FPACCOMBINE) {
        return 0;
    }

    let esr = vcpu.esr();
    EsrEl2::zeroed()
        .with_const_ec::<EC_FPAC>()
        .with_il(esr.il())
        .with_b_key(esr.b_key())
        .into_raw()
}

#[cfg(CONFIG_KVM_ARM64_PTRAUTH_KUNIT_TEST)]
#[kunit_tests(kvm_ptrauth_eretax)]
mod tests {
    use super::*;

    const BOOLS: [bool; 2] = [false, true];
    const IDS: [KeyId; 2] = [KeyId::Apia, KeyId::Apib];

    /// Some addresses of both halves, with and without something in their upper bits.
    const ADDRESSES: [u64; 8] = [
        0,
        0x0000_1234_5678_9abc,
        0x0000_7fff_ffff_fffc,
        0x5a3c_1234_5678_9abc,
        0xffff_8000_0000_0000,
        0xffff_ffff_ffff_fffc,
        0xffff_9234_5678_9abc,
        0x5ab7_9234_5678_9abc,
    ];
    const PACS: [u64; 4] = [0, !0, 0x1234_5678_9abc_def0, 0xa55a_5aa5_c33c_3cc3];

    /// Every regime, whatever its size.
    fn regimes() -> impl Iterator<Item = Regime> {
        (0..64).flat_map(|txsz| {
            [(true, false), (true, true), (false, false), (false, true)].map(
                |(has_52_bits, tbi)| Regime {
                    txsz,
                    has_52_bits,
                    tbi,
                },
            )
        })
    }

    /// What a VM with 52-bit addresses has, and one without.
    const LPA2: u64 = 1 << 28 | 2 << 20;
    const NO_LPA2: u64 = 1 << 20;

    fn regime(tcr: u64, e2h: bool, mmfr0: u64, address: u64) -> Regime {
        Regime::of(tcr, e2h, IdAa64Mmfr0::from_raw(mmfr0), address)
    }

    /// The lowest bit of the PAC in a half that asks for the largest address space that there is.
    #[test]
    fn the_largest_address_space_has_52_or_48_bits() {
        // TG0 of 4, 64 and 16 KiB, and TG1 of the same.
        let granules = [(0, 2, 52), (1, 3, 48), (2, 1, 52)];

        for (tg0, tg1, bits) in granules {
            for (ds, mmfr0, bits) in [(1, LPA2, bits), (0, LPA2, 48), (1, NO_LPA2, 48)] {
                let single = regime(12 | tg0 << 14 | ds << 32, false, mmfr0, 0);
                let lower = regime(12 | tg0 << 14 | ds << 59, true, mmfr0, 0);
                let upper = regime(12 << 16 | tg1 << 30 | ds << 59, true, mmfr0, !0);

                assert_eq!(single.calculate_bottom_pac_bit(), bits);
                assert_eq!(lower.calculate_bottom_pac_bit(), bits);
                assert_eq!(upper.calculate_bottom_pac_bit(), bits);
            }
        }
        // A VM may have 52 bits with one granule and not with the other, or no such granule.
        for (mmfr0, bits) in [(1 << 28, 52), (2 << 20, 48), (15 << 28, 48)] {
            assert_eq!(
                regime(12 | 1 << 59, true, mmfr0, 0).calculate_bottom_pac_bit(),
                bits
            );
        }
    }

    #[test]
    fn without_e2h_there_is_one_half() {
        for txsz in 0..64 {
            for (tbi, tbid) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                let tcr = txsz | tbi << 20 | tbid << 29;
                let expected = Regime {
                    txsz: txsz as u32,
                    has_52_bits: false,
                    tbi: tbi == 1 && tbid == 0,
                };

                assert_eq!(regime(tcr, false, LPA2, 0), expected);
                assert_eq!(regime(tcr, false, LPA2, !0), expected);
            }
        }
    }

    #[test]
    fn with_e2h_bit_55_tells_the_half() {
        for txsz in 0..64 {
            for (tbi, tbid) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                let expected = Regime {
                    txsz: txsz as u32,
                    has_52_bits: false,
                    tbi: tbi == 1 && tbid == 0,
                };
                // The other half's fields say the opposite.
                let lower = txsz | (63 - txsz) << 16 | tbi << 37 | (1 - tbi) << 38;
                let upper = (63 - txsz) | txsz << 16 | (1 - tbi) << 37 | tbi << 38;

                assert_eq!(regime(lower | tbid << 51, true, LPA2, 0), expected);
                assert_eq!(regime(upper | tbid << 52, true, LPA2, 1 << 55), expected);
            }
        }
    }

    #[test]
    fn the_pac_is_between_the_address_and_the_top() {
        for regime in regimes() {
            let bits = regime.pac_bits();
            let bottom = bits.trailing_zeros();

            assert_eq!(
                bottom,
                64 - regime
                    .txsz
                    .clamp(if regime.has_52_bits { 12 } else { 16 }, 39)
            );
            assert_eq!(bits & 1 << 55, 0);
            assert_eq!(bits >> 56, if regime.tbi { 0 } else { 0xff });
            assert_eq!(
                bits & genmask_u64(0..=54),
                genmask_u64(0..=54) >> bottom << bottom
            );
        }
    }

    #[test]
    fn stripping_is_sign_extension() {
        for regime in regimes() {
            for address in ADDRESSES {
                let stripped = regime.strip(address);
                let low = regime.calculate_bottom_pac_bit();
                let top = if regime.tbi { 56 } else { 64 };

                for bit in 0..64 {
                    let from = if bit >= low && bit < top { 55 } else { bit };

                    assert_eq!(stripped >> bit & 1, address >> from & 1);
                }
            }
        }
    }

    /// `AddPAC()`, which is what the guest hypervisor has done.
    fn add_pac(regime: Regime, address: u64, pac: u64, pauth2: bool) -> u64 {
        let (stripped, bits) = (regime.strip(address), regime.pac_bits());

        if pauth2 {
            stripped ^ pac & bits
        } else {
            stripped & !bits | pac & bits
        }
    }

    #[test]
    fn what_was_signed_authenticates() {
        for regime in regimes() {
            for address in ADDRESSES {
                for pac in PACS {
                    for pauth2 in BOOLS {
                        let signed = add_pac(regime, address, pac, pauth2);

                        for id in IDS {
                            assert_eq!(
                                regime.auth(signed, pac, id, pauth2),
                                Ok(regime.strip(address))
                            );
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn any_wrong_bit_of_the_pac_is_found() {
        for regime in regimes() {
            for address in ADDRESSES {
                for pauth2 in BOOLS {
                    let pac = PACS[2];
                    let signed = add_pac(regime, address, pac, pauth2);

                    for bit in (0..64).filter(|bit| regime.pac_bits() & 1 << bit != 0) {
                        let result = regime.auth(signed ^ 1 << bit, pac, KeyId::Apia, pauth2);

                        assert!(result.is_err());
                        if pauth2 {
                            assert_eq!(result, Err(regime.strip(address) ^ 1 << bit));
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn without_pauth2_the_error_code_names_the_key() {
        let regime = Regime {
            txsz: 16,
            has_52_bits: false,
            tbi: false,
        };

        for (id, lower, upper) in [
            (KeyId::Apia, 0x2000_1234_5678_9abc, 0xbfff_9234_5678_9abc),
            (KeyId::Apib, 0x4000_1234_5678_9abc, 0xdfff_9234_5678_9abc),
        ] {
            assert_eq!(regime.auth(ADDRESSES[1], !0, id, false), Err(lower));
            assert_eq!(regime.auth(ADDRESSES[6], 0, id, false), Err(upper));
        }

        let regime = Regime {
            txsz: 16,
            has_52_bits: false,
            tbi: true,
        };
        let (a, b) = (Err(0x0020_1234_5678_9abc), Err(0x0040_1234_5678_9abc));
        assert_eq!(regime.auth(ADDRESSES[1], !0, KeyId::Apia, false), a);
        assert_eq!(regime.auth(ADDRESSES[1], !0, KeyId::Apib, false), b);
    }
}
