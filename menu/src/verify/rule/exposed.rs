//! What the core is told of as a whole holds all that is below: else no packet from above finds it.

use crate::verify::at;
use crate::verify::facts::Facts;
use crate::verify::site::{Held, Kind};
use placemat_spec::Problem;

pub(in crate::verify) fn check(facts: &Facts, problems: &mut Vec<Problem>) {
    for (core, machine) in facts.cores() {
        let mut seen = Vec::new();
        for session in &machine.sessions {
            let Some((switch, _)) = facts.back(core, session) else {
                continue;
            };
            if !seen.contains(&switch) {
                seen.push(switch);
                problems.extend(untold(facts, core, switch));
            }
        }
    }
}

/// What a switch does not tell the core of. One without any ranges tells it of all that it hears.
fn untold(facts: &Facts, core: &str, switch: &str) -> Option<Problem> {
    let machine = facts.machine(switch)?;
    let (_, place) = machine.aggregates.first()?;
    let ranges = || machine.aggregates.iter().map(|(net, _)| net);
    let untold = |held: &&Held| !ranges().any(|net| net.contains(&held.net.addr()));
    let mut below = facts.held.iter().filter(|held| is_below(facts, held));
    let first = below.find(untold)?;
    let (owner, address) = (first.machine, first.net.addr());
    let more = match below.filter(untold).count() {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    let message =
        format!("{switch} tells {core} of no range that holds {address} of {owner}{more}");
    let problem = at(Problem::new("not-exposed", message), *place, "its ranges");
    Some(at(problem, first.place, "not in them"))
}

/// Whether an address is one of the fabric that others speak to: links are told to nobody.
fn is_below(facts: &Facts, held: &Held) -> bool {
    let Some(machine) = facts.machine(held.machine) else {
        return false;
    };
    match held.network {
        None => machine.role != "core",
        Some(_) => machine.kind == Kind::Server,
    }
}
