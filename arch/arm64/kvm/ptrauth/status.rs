// SPDX-License-Identifier: GPL-2.0

//! The line at boot and `/sys/kernel/debug/kvm/ptrauth`, which say what is in force.

use crate::{
    capability,
    support::{
        self,
        Algorithm,
        Level,
        Reason, //
    },
};
use kernel::{
    arm64::cpufeature,
    debugfs::Dir,
    fmt,
    prelude::*, //
};

/// What is in force.
struct Status {
    support: Result<(Algorithm, Level), Reason>,
    /// What switches the keys.
    switch: &'static str,
    draft_numbers: bool,
}

impl Status {
    /// Returns the status of the running system. KVM must have chosen its mode.
    fn current() -> Self {
        let switch = if cpufeature::has_vhe() {
            "Rust"
        } else if cpufeature::is_protected_kvm_enabled() {
            "assembly (pKVM)"
        } else {
            "assembly (nVHE)"
        };

        Self {
            support: support::system(),
            switch,
            draft_numbers: capability::draft_numbers(),
        }
    }

    /// Writes a line for each fact.
    fn write_facts(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.support {
            Ok((algorithm, level)) => f.write_fmt(fmt!(
                "guests: address+generic\nalgorithm: {algorithm}\nlevel: {level}\n"
            ))?,
            Err(reason) => f.write_fmt(fmt!("guests: none\nreason: {reason}\n"))?,
        }
        let draft = if self.draft_numbers { " 169 170" } else { "" };
        f.write_fmt(fmt!(
            "key switch: {}\ncapabilities: 171 172{draft}\n",
            self.switch
        ))
    }
}

/// Writes the line at boot.
impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.support {
            Ok((algorithm, _)) => f.write_fmt(fmt!(
                "address+generic ({algorithm}), key switch in {}",
                self.switch
            ))?,
            Err(reason) => f.write_fmt(fmt!("not available to guests: {reason}"))?,
        }
        if self.draft_numbers {
            f.write_str(", draft capability numbers answer too")?;
        }
        Ok(())
    }
}

/// Reports what is in force in the kernel log and in debugfs.
///
/// Called once, when KVM has been initialised. May sleep.
///
/// # Safety
///
/// Nothing is required.
// With the kernel's minimum rustc, `#[export]` accepts only unsafe functions.
#[export]
pub(crate) unsafe extern "C" fn kvm_ptrauth_report() {
    let status = Status::current();

    pr_info!("ptrauth: {status}\n");
    // KVM is never unloaded, so the file stays. Without memory or debugfs there is no file. Nothing
    // depends on it, so that is not an error.
    // SAFETY: KVM has made the directory, and does not remove it.
    let dir = unsafe { Dir::lookup(c"kvm") };
    let file = dir.read_callback_file(c"ptrauth", status, &Status::write_facts);
    if let Ok(file) = KBox::pin_init(file, GFP_KERNEL) {
        core::mem::forget(file);
    }
}

#[cfg(CONFIG_KVM_ARM64_PTRAUTH_KUNIT_TEST)]
#[kunit_tests(kvm_ptrauth_status)]
mod tests {
    use super::*;
    use kernel::str::CString;

    fn line(
        support: Result<Algorithm, Reason>,
        switch: &'static str,
        draft_numbers: bool,
    ) -> Result<CString> {
        let status = Status {
            support: support.map(|algorithm| (algorithm, Level::PAUTH2)),
            switch,
            draft_numbers,
        };

        CString::try_from_fmt(fmt!("{}", status))
    }

    #[test]
    fn says_what_is_there_and_who_switches() -> Result {
        for (algorithm, switch, expected) in [
            (
                Algorithm::ImpDef,
                "Rust",
                c"address+generic (IMPDEF), key switch in Rust",
            ),
            (
                Algorithm::Qarma5,
                "assembly (nVHE)",
                c"address+generic (QARMA5), key switch in assembly (nVHE)",
            ),
            (
                Algorithm::Qarma3,
                "assembly (pKVM)",
                c"address+generic (QARMA3), key switch in assembly (pKVM)",
            ),
        ] {
            assert!(*line(Ok(algorithm), switch, false)? == *expected);
        }

        Ok(())
    }

    #[test]
    fn says_why_there_is_none() -> Result {
        for (reason, expected) in [
            (
                Reason::NotImplemented,
                c"not available to guests: no FEAT_PAuth",
            ),
            (
                Reason::Disabled,
                c"not available to guests: disabled on the command line (arm64.nopauth)",
            ),
            (
                Reason::NotOnAllCpus,
                c"not available to guests: not the same on all CPUs",
            ),
            (
                Reason::NoAddressAuth,
                c"not available to guests: no address authentication",
            ),
            (
                Reason::NoGenericAuth,
                c"not available to guests: no generic authentication",
            ),
            (
                Reason::MixedAlgorithms,
                c"not available to guests: mixed algorithms",
            ),
        ] {
            for switch in ["Rust", "assembly (nVHE)", "assembly (pKVM)"] {
                assert!(*line(Err(reason), switch, false)? == *expected);
            }
        }

        Ok(())
    }

    #[test]
    fn says_that_the_draft_numbers_answer() -> Result {
        let line = line(Err(Reason::NotImplemented), "Rust", true)?;

        assert!(line
            .to_bytes()
            .ends_with(b"no FEAT_PAuth, draft capability numbers answer too"));
        Ok(())
    }
}
