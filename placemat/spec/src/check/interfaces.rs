//! Interfaces: their kernel names, and MAC addresses.

use super::names::NO_LINK;
use super::{Once, twice};
use crate::draft::Ledger;
use crate::problem::{Findings, Problem};

/// Longest name of an interface, in bytes: IFNAMSIZ less the final zero.
const LONGEST: usize = 15;

pub(super) fn check(ledger: &Ledger, findings: &Findings) {
    let mut names = Once::new();
    for interface in &ledger.interfaces {
        let name = &interface.name;
        let bad = |help: &str| {
            findings.error(
                Problem::new(
                    "bad-interface-name",
                    format!(
                        "`{}` of {} cannot be the name of an interface",
                        name.value, interface.owner
                    ),
                )
                .at(name.place, "bad name")
                .help(help),
            );
        };
        // What the kernel's dev_valid_name() refuses or takes for a pattern, what would break the
        // lines that name it (a relay's, BIRD's), and the names that are taken.
        let odd = |c: char| "/:%\"'\\".contains(c) || c.is_whitespace() || c.is_control();
        if name.is_empty() || name.len() > LONGEST {
            bad("interface names have 1 to 15 bytes");
        } else if name.value == "." || name.value == ".." || name.contains(odd) {
            bad("blanks, slashes, colons, percent signs and quotes cannot stand in it");
        } else if name.value == "lo" {
            bad("`lo` is the loopback interface: give its addresses as `loopback`");
        } else if NO_LINK.contains(&name.as_str()) {
            bad("the kernel uses this name for the settings of all interfaces: choose another");
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
