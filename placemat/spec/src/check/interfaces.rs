//! Interfaces: their kernel names, and MAC addresses.

use super::{Once, twice};
use crate::draft::Ledger;
use crate::problem::{Findings, Problem};

/// Longest name of an interface, in bytes: IFNAMSIZ less the final zero.
const LONGEST: usize = 15;

pub(super) fn check(ledger: &Ledger, findings: &Findings) {
    let mut names = Once::new();
    for interface in &ledger.interfaces {
        let name = &interface.name;
        let bad = |message: String, help: &str| {
            findings.error(
                Problem::new("bad-interface-name", message)
                    .at(name.place, "bad name")
                    .help(help),
            );
        };
        // What the kernel's dev_valid_name() refuses, and the one name that is taken.
        if name.is_empty() || name.len() > LONGEST {
            bad(
                format!(
                    "`{}` of {} cannot be the name of an interface",
                    name.value, interface.owner
                ),
                "interface names have 1 to 15 bytes",
            );
        } else if name.value == "."
            || name.value == ".."
            || name.contains(|c: char| c == '/' || c == ':' || c.is_whitespace())
        {
            bad(
                format!(
                    "`{}` of {} cannot be the name of an interface",
                    name.value, interface.owner
                ),
                "the kernel allows no blanks, slashes or colons",
            );
        } else if name.value == "lo" {
            bad(
                format!("{} names an interface `lo`", interface.owner),
                "`lo` is the loopback interface: give its addresses as `loopback`",
            );
        }
        let owner = interface.owner.as_str();
        if let Some(first) = names.again((owner, name.as_str()), name.place, owner) {
            findings.error(
                Problem::new(
                    "duplicate-interface",
                    format!("{owner} has two interfaces named `{}`", name.value),
                )
                .at(name.place, "named again here")
                .at(first.0, "first named here")
                .help("interfaces without a `name` are eth0, eth1, ... by their position"),
            );
        }
    }
    let mut macs = Once::new();
    for (mac, owner) in &ledger.macs {
        if let Some(first) = macs.again(mac.value, mac.place, owner) {
            let message = format!("the MAC address {} is used twice", mac.value);
            findings.error(twice("duplicate-mac", message, mac.place, &first));
        }
    }
}
