//! Each server that runs finds who boots it.

use crate::verify::at;
use crate::verify::facts::Facts;
use crate::verify::site::Kind;
use placemat_spec::Problem;
use std::collections::HashSet;

pub(in crate::verify) fn check(facts: &Facts, problems: &mut Vec<Problem>) {
    let (mut serials, mut macs) = (HashSet::new(), HashSet::new());
    for dhcp in facts.site.dhcp() {
        serials.extend(dhcp.serials.iter().map(String::as_str));
        macs.extend(dhcp.hosts.iter().map(|host| host.mac.as_str()));
    }
    let mut seen = HashSet::new();
    for (name, machine) in &facts.site.machines {
        let Some(serial) = machine.serial.as_deref() else {
            continue;
        };
        let mut tell = |code, message| {
            problems.push(at(Problem::new(code, message), machine.place, "this one"));
        };
        if !seen.insert(serial) {
            tell(
                "duplicate-serial",
                format!("{name} has the serial {serial} of another"),
            );
        }
        if machine.kind != Kind::Server || !machine.runs {
            continue;
        }
        if !serials.contains(serial) {
            tell(
                "no-boot-entry",
                format!("no boot server knows {name} (serial {serial})"),
            );
        }
        for port in &machine.ports {
            let leased = port.mac.as_deref().is_some_and(|mac| macs.contains(mac));
            if port.addresses.is_empty() && !leased {
                let network = &port.network;
                tell(
                    "no-lease",
                    format!("{name} gets no fixed address on `{network}`"),
                );
            }
        }
    }
}
