//! Which accelerator VMs get. `/dev/kvm` that opens proves nothing: software KVM on a host without
//! vmx or svm makes VMs, runs a BIOS, and fails in UEFI firmware. So UEFI firmware is run under KVM
//! for a moment; KVM works when it comes alive. Else TCG, with the reason in words.
//!
//! How slow the accelerator is gets measured too: a loop of [`LOOP`] iterations in a boot sector,
//! against what a 3 GHz core needs for it. Patience is to be multiplied by that.

mod cache;
mod trial;

use super::firmware::{self, Flavor, Ovmf};
use super::program::Found;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::fs::OpenOptions;
use std::io;
use std::path::Path;
use trial::Life;

pub use trial::LOOP;

/// How QEMU runs the guest's instructions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Accelerator {
    /// The processor's virtualisation.
    Kvm,
    /// Translation to host instructions. Works everywhere, many times slower.
    Tcg,
}

impl Accelerator {
    /// QEMU's name of it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kvm => "kvm",
            Self::Tcg => "tcg",
        }
    }
}

impl fmt::Display for Accelerator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What the probe found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AccelReport {
    /// What VMs are to use.
    pub accelerator: Accelerator,
    /// Why, as a clause: `UEFI firmware came alive under KVM in 0.6 s`.
    pub reason: String,
    /// How many times slower than natively on a 3 GHz core a guest computes; at least 1.
    pub slowness: f64,
}

/// Finds out which accelerator works, or recalls it: `cache` is a file that this function writes
/// and that holds until the host reboots, QEMU changes or `/dev/kvm` does. Takes up to 5 s, no time
/// when recalled. Never fails: TCG always works.
pub async fn probe(qemu: &Found, cache: &Path) -> AccelReport {
    let key = cache::Key::now(qemu);
    if let Some(report) = cache::read(cache, &key) {
        return report;
    }
    let ovmf = firmware::find(Flavor::Plain).ok();
    let kvm = kvm_works(qemu, ovmf.as_ref()).await;
    let accelerator = if kvm.works {
        Accelerator::Kvm
    } else {
        Accelerator::Tcg
    };
    let report = AccelReport {
        accelerator,
        reason: kvm.reason,
        slowness: trial::slowness(&qemu.path, accelerator).await,
    };
    if kvm.lasts
        && let Err(error) = cache::write(cache, &key, &report)
    {
        tracing::warn!(path = %cache.display(), %error, "cannot keep the accelerator probe's result");
    }
    report
}

/// Why machines cannot have KVM, as far as that can be told at once: what an earlier [`probe`] found, or
/// that its device does not open. `None` where they may.
pub fn no_kvm(qemu: &Found, cache: &Path) -> Option<String> {
    if let Some(report) = cache::read(cache, &cache::Key::now(qemu)) {
        return (report.accelerator == Accelerator::Tcg).then_some(report.reason);
    }
    let opened = OpenOptions::new().read(true).write(true).open("/dev/kvm");
    opened.err().map(|error| unopened(&error))
}

struct Verdict {
    works: bool,
    reason: String,
    /// Will be the same next time. Silence is not: the host may just have been busy.
    lasts: bool,
}

async fn kvm_works(qemu: &Found, ovmf: Option<&Ovmf>) -> Verdict {
    let no = |reason: String| Verdict {
        works: false,
        reason,
        lasts: true,
    };
    if let Err(error) = OpenOptions::new().read(true).write(true).open("/dev/kvm") {
        return Verdict {
            // A group or a module may be added at any time.
            lasts: false,
            ..no(unopened(&error))
        };
    }
    let Some(ovmf) = ovmf else {
        return Verdict {
            lasts: false,
            ..no(format!(
                "/dev/kvm opens, but there is no UEFI firmware to try it with (`apt install {}`)",
                firmware::PACKAGE
            ))
        };
    };
    match trial::firmware(&qemu.path, ovmf, Accelerator::Kvm).await {
        Life::Alive(after) => Verdict {
            works: true,
            reason: format!(
                "UEFI firmware came alive under KVM in {:.1} s",
                after.as_secs_f64()
            ),
            lasts: true,
        },
        Life::Died(how) => no(format!(
            "/dev/kvm opens, but UEFI firmware dies under it: {how}"
        )),
        Life::Silent(after) => Verdict {
            lasts: false,
            ..no(format!(
                "/dev/kvm opens, but UEFI firmware showed no sign of life under it within {:.0} s",
                after.as_secs_f64()
            ))
        },
    }
}

fn unopened(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => {
            "there is no /dev/kvm (virtualisation is off, or not passed on to this machine)".into()
        }
        io::ErrorKind::PermissionDenied => {
            "you may not open /dev/kvm (`sudo usermod -aG kvm $USER`, then log in again)".into()
        }
        _ => format!("/dev/kvm does not open: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_in_words() {
        let reasons: Vec<String> = [
            io::ErrorKind::NotFound,
            io::ErrorKind::PermissionDenied,
            io::ErrorKind::Other,
        ]
        .map(|kind| unopened(&kind.into()))
        .into();
        insta::assert_snapshot!(reasons.join("\n"), @r"
        there is no /dev/kvm (virtualisation is off, or not passed on to this machine)
        you may not open /dev/kvm (`sudo usermod -aG kvm $USER`, then log in again)
        /dev/kvm does not open: other error
        ");
    }
}
