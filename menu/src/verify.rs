//! What a generated data center must be before anything runs: both ends of each session agree,
//! addresses fit, DHCP gives out what is free, BMCs can be reached. Looked at twice: in the plan,
//! and in the files as a lab and BIRD will read them, since a template of one's own can break what
//! the plan promised.
//!
//! A rule is a file in `rule` and a row of [`RULES`].

mod bird;
mod blame;
pub(crate) mod facts;
mod rule;
mod single;
pub(crate) mod site;

use crate::Output;
use crate::render::File;
use crate::topology::{Boot, Plan};
use facts::Facts;
use placemat_spec::{Place, Problem, Problems, Source};

/// One thing that must hold.
pub struct Rule {
    /// Its name.
    pub name: &'static str,
    /// What must hold.
    pub holds: &'static str,
    check: Check,
}

/// How a rule looks for problems.
enum Check {
    /// In the plan, and in the files.
    Holds(fn(&Facts, &mut Vec<Problem>)),
    /// In the files, against the plan.
    Kept(fn(&Facts, &Facts, &mut Vec<Problem>)),
}

/// Everything that must hold, in the order of the documentation.
pub const RULES: &[Rule] = &[
    Rule {
        name: "sessions",
        holds: "both ends of each BGP session are there, name each other's addresses, can reach \
                each other directly, do not both wait, and agree on BFD",
        check: Check::Holds(rule::sessions::check),
    },
    Rule {
        name: "asns",
        holds: "each end of a session expects the ASN that the other end has",
        check: Check::Holds(rule::asns::check),
    },
    Rule {
        name: "router-ids",
        holds: "router ids are unique, and each is a loopback address of its machine",
        check: Check::Holds(rule::router_ids::check),
    },
    Rule {
        name: "pairs",
        holds: "a /31 or /127 has two ends, on one network, each with an address of its own",
        check: Check::Holds(rule::pairs::check),
    },
    Rule {
        name: "mtu",
        holds: "what fits into the servers' networks fits through the links between routers",
        check: Check::Holds(rule::mtu::check),
    },
    Rule {
        name: "overlaps",
        holds: "no address is given twice, and no network or loopback lies in another network",
        check: Check::Holds(rule::overlaps::check),
    },
    Rule {
        name: "dhcp",
        holds: "DHCP ranges are inside their networks and clear of static addresses, fixed leases \
                are for NICs of that network, and a relay leads to the server that has the range",
        check: Check::Holds(rule::dhcp::check),
    },
    Rule {
        name: "boot",
        holds: "each server that runs has an entry at one boot server at least, and a lease there",
        check: Check::Holds(rule::boot::check),
    },
    Rule {
        name: "management",
        holds: "each BMC is a host of the network from which it is managed, and where there is a \
                core, that is on this network and tells the fabric of it",
        check: Check::Holds(rule::management::check),
    },
    Rule {
        name: "exposed",
        holds: "where there is a core, the switches below it tell it of ranges that hold every \
                loopback, exposed address and server of the fabric",
        check: Check::Holds(rule::exposed::check),
    },
    Rule {
        name: "promise",
        holds: "every machine, address, session, serial and BMC of the plan stands in the files",
        check: Check::Kept(rule::promise::check),
    },
];

/// What was found in a data center without errors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// What was verified, in numbers.
    pub verified: String,
    /// Single points of failure, a line each.
    pub single_points: Vec<String>,
}

/// Verifies a plan and the files that were rendered from it.
pub fn verify(plan: &Plan, files: &[File]) -> Result<Report, Problems> {
    planned(plan)?;
    written(plan, files)
}

/// As [`verify`], of what a rack spec became; problems without a help say who is to mend them.
pub fn verify_output(output: &Output) -> Result<Report, Problems> {
    planned(&output.plan).map_err(|problems| blame::told(problems, &[]))?;
    written(&output.plan, &output.files)
        .map_err(|problems| blame::told(problems, &output.templates))
}

fn planned(plan: &Plan) -> Result<(), Problems> {
    checked(&Facts::of(&site::planned(plan)), None, Vec::new)
}

fn written(plan: &Plan, files: &[File]) -> Result<Report, Problems> {
    let (mut site, sources) = site::read(files)?;
    if plan.boot == Boot::Sabakan {
        // What sabakan hands out is in files of its own, which it reads as the plan has them.
        for boot in &plan.boot_servers {
            if let Some(machine) = site.machines.get_mut(&boot.speaker.name) {
                machine.dhcp = Some(site::dhcp(boot));
            }
        }
    }
    let facts = Facts::of(&site);
    checked(&facts, None, || sources.clone())?;
    // Made once more: it and what the files are read from would be a lot of memory at once.
    let planned = site::planned(plan);
    checked(&facts, Some(&Facts::of(&planned)), || sources.clone())?;
    Ok(Report {
        verified: format!(
            "{} machines, {} networks and {} sessions keep {} rules",
            site.machines.len(),
            site.networks.len(),
            facts.sessions().count() / 2,
            RULES.len()
        ),
        single_points: single::points(&facts),
    })
}

/// Checks all rules of one sort: those that a site keeps by itself, or as it was planned.
fn checked(
    facts: &Facts,
    planned: Option<&Facts>,
    sources: impl FnOnce() -> Vec<Source>,
) -> Result<(), Problems> {
    let mut problems = Vec::new();
    for rule in RULES {
        match (&rule.check, planned) {
            (Check::Holds(check), None) => check(facts, &mut problems),
            (Check::Kept(check), Some(planned)) => check(planned, facts, &mut problems),
            _ => {}
        }
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(Problems::new(sources(), problems))
    }
}

/// Shows where, if it stands anywhere: a plan has no text.
fn at(problem: Problem, place: Option<Place>, label: impl Into<String>) -> Problem {
    match place {
        Some(place) => problem.at(place, label),
        None => problem,
    }
}
