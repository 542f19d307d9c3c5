// SPDX-License-Identifier: GPL-2.0

//! What is in force, in words.

use crate::{
    capability::{
        self,
        Numbers, //
    },
    level,
    support::{
        self,
        Algorithm,
        Reason, //
    },
};
use kernel::{
    arm64::cpufeature,
    fmt,
    kvm,
    prelude::*, //
};

/// Who switches the keys.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Switch {
    /// `hyp/vhe/ptrauth_switch.rs`.
    Rust,
    /// The assembly of the hypervisor that lives at EL2 alone.
    Nvhe,
    /// The same, and out of the host's reach.
    Protected,
}

/// A summary that fits one line.
pub(crate) struct Status {
    support: Result<Algorithm, Reason>,
    switch: Switch,
    numbers: Numbers,
}

impl Status {
    /// The status of the running system. KVM's mode must be settled.
    pub(crate) fn current() -> Self {
        let switch = match (cpufeature::has_vhe(), kvm::is_protected()) {
            (true, _) => Switch::Rust,
            (false, false) => Switch::Nvhe,
            (false, true) => Switch::Protected,
        };

        Self {
            support: support::system(),
            switch,
            numbers: capability::numbers(),
        }
    }
}

impl Switch {
    fn name(self) -> &'static str {
        match self {
            Self::Rust => "Rust",
            Self::Nvhe => "assembly (nVHE)",
            Self::Protected => "assembly (pKVM)",
        }
    }
}

impl Status {
    /// Writes a line for each fact, as `status` in debugfs shows them.
    pub(crate) fn write_facts(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.support {
            Ok(algorithm) => {
                f.write_str("guests: address+generic\n")?;
                f.write_fmt(fmt!("algorithm: {algorithm}\n"))?;
                f.write_fmt(fmt!("level: {}\n", level::name(support::address_level())))?;
            }
            Err(reason) => {
                f.write_str("guests: none\n")?;
                f.write_fmt(fmt!("reason: {reason}\n"))?;
            }
        }
        f.write_fmt(fmt!("key switch: {}\n", self.switch.name()))?;
        f.write_str(match self.numbers {
            Numbers::Released => "capabilities: 171 172\n",
            Numbers::ReleasedAndV10 => "capabilities: 171 172 169 170\n",
        })
    }
}

/// The line of the boot log.
impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.support {
            Ok(algorithm) => {
                f.write_fmt(fmt!(
                    "address+generic ({algorithm}), key switch in {}",
                    self.switch.name()
                ))?;
            }
            Err(reason) => f.write_fmt(fmt!("not available to guests: {reason}"))?,
        }

        if self.numbers == Numbers::ReleasedAndV10 {
            f.write_str(", draft capability numbers answer too")?;
        }

        Ok(())
    }
}

#[cfg(CONFIG_KVM_ARM64_PTRAUTH_KUNIT_TEST)]
#[kunit_tests(kvm_ptrauth_status)]
mod tests {
    use super::*;
    use kernel::str::CString;

    fn line(
        support: Result<Algorithm, Reason>,
        switch: Switch,
        numbers: Numbers,
    ) -> Result<CString> {
        let status = Status {
            support,
            switch,
            numbers,
        };

        CString::try_from_fmt(fmt!("{}", status))
    }

    #[test]
    fn says_what_is_there_and_who_switches() -> Result {
        for (algorithm, switch, expected) in [
            (
                Algorithm::ImpDef,
                Switch::Rust,
                c"address+generic (IMPDEF), key switch in Rust",
            ),
            (
                Algorithm::Qarma5,
                Switch::Nvhe,
                c"address+generic (QARMA5), key switch in assembly (nVHE)",
            ),
            (
                Algorithm::Qarma3,
                Switch::Protected,
                c"address+generic (QARMA3), key switch in assembly (pKVM)",
            ),
        ] {
            assert!(*line(Ok(algorithm), switch, Numbers::Released)? == *expected);
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
            for switch in [Switch::Rust, Switch::Nvhe, Switch::Protected] {
                assert!(*line(Err(reason), switch, Numbers::Released)? == *expected);
            }
        }

        Ok(())
    }

    #[test]
    fn says_that_the_draft_numbers_answer() -> Result {
        let line = line(
            Err(Reason::NotImplemented),
            Switch::Rust,
            Numbers::ReleasedAndV10,
        )?;

        assert!(line
            .to_bytes()
            .ends_with(b"no FEAT_PAuth, draft capability numbers answer too"));
        Ok(())
    }
}
