//! Templates keep what the plan promised: every machine, address and session of the plan stands
//! in the files. What they have on top is theirs.

use crate::verify::at;
use crate::verify::facts::Facts;
use crate::verify::site::Machine;
use placemat_spec::Problem;
use std::collections::HashSet;
use std::net::IpAddr;

pub(in crate::verify) fn check(plan: &Facts, files: &Facts, problems: &mut Vec<Problem>) {
    for (name, promised) in &plan.site.machines {
        let Some(found) = files.machine(name) else {
            let message = format!("{name} is planned, and not in cluster.yml");
            problems.push(Problem::new("machine-lost", message));
            continue;
        };
        for what in lost(promised, found) {
            let message = format!("{name} has {what} in the plan, and not in the files");
            let problem = Problem::new("promise-broken", message);
            problems.push(at(problem, found.place, "this machine"));
        }
    }
    let found: HashSet<(&str, IpAddr)> = files
        .held
        .iter()
        .map(|held| (held.machine, held.net.addr()))
        .collect();
    for held in &plan.held {
        let address = held.net.addr();
        let machine = files.machine(held.machine);
        if let (false, Some(machine)) = (found.contains(&(held.machine, address)), machine) {
            let message = format!(
                "{} has {address} in the plan, and not in the files",
                held.machine
            );
            let problem = Problem::new("promise-broken", message);
            problems.push(at(problem, machine.place, "this machine"));
        }
    }
}

/// What a machine should have and has not.
fn lost(promised: &Machine, found: &Machine) -> Vec<String> {
    let neighbors: HashSet<IpAddr> = found.sessions.iter().map(|it| it.neighbor).collect();
    let sessions = promised
        .sessions
        .iter()
        .filter(|it| !neighbors.contains(&it.neighbor));
    let sessions = sessions.map(|it| format!("a session with {} ({})", it.name, it.neighbor));
    let bmc = promised
        .bmc
        .filter(|(address, _)| found.bmc.is_none_or(|(found, _)| found != *address));
    let bmc = bmc.map(|(address, _)| format!("a BMC at {address}"));
    let serial = promised
        .serial
        .as_ref()
        .filter(|_| promised.serial != found.serial);
    let serial = serial.map(|serial| format!("the serial {serial}"));
    sessions.chain(bmc).chain(serial).collect()
}
