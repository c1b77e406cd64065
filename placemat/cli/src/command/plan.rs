//! `placemat plan`: what would be made, without making it; or what a live lab would become.

mod needs;

use crate::exit::{self, Failure};
use crate::table::Table;
use crate::{input, launch, proposal, talk};
use placemat_lab::plan::{Made, Plan as LabPlan, Summary, TierPlan};
use placemat_spec::value::format_size;
use serde::Serialize;
use std::fmt::Write as _;
use std::path::PathBuf;

/// Arguments of `plan`.
#[derive(Debug, clap::Args)]
pub(super) struct Plan {
    /// Cluster files, or one rack spec (`kind: DataCenter`); `-` is standard input.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// As JSON.
    #[arg(long)]
    json: bool,
    /// Show what `apply` would change of this live lab, and whom that disturbs.
    #[arg(long, value_name = "ID|NAME")]
    lab: Option<String>,
    /// Exit with 1 if the lab differs from the files.
    #[arg(long, requires = "lab")]
    exit_code: bool,
}

/// The whole answer.
#[derive(Debug, Serialize)]
struct Planned {
    #[serde(flatten)]
    summary: Summary,
    needs: Vec<needs::Need>,
}

impl Plan {
    pub(super) fn run(self) -> Result<u8, Failure> {
        if let Some(lab) = &self.lab {
            return self.of_lab(lab);
        }
        let loaded = input::cluster(&input::read(&self.files)?)?;
        loaded.warn();
        let plan = LabPlan::of(&loaded.cluster);
        let planned = Planned {
            summary: plan.summary(&loaded.cluster),
            needs: needs::of(&loaded.cluster, &plan),
        };
        if self.json {
            talk::json(&planned)?;
        } else {
            talk::data(&planned.text())?;
        }
        Ok(exit::OK)
    }
}

/// Exit code of `--exit-code` where something differs, as `git diff` has it.
const DIFFERS: u8 = 1;

impl Plan {
    fn of_lab(&self, lab: &str) -> Result<u8, Failure> {
        let entry = crate::command::find_lab(Some(lab))?;
        let sources = input::read(&self.files)?;
        let loaded = input::cluster(&sources)?;
        loaded.warn();
        let cache = crate::place::cache_base();
        let proposal = proposal::of(&self.files, &sources, &loaded, &entry, cache)?;
        let seen = launch::run(proposal::compare(&entry, &proposal))?;
        if self.json {
            talk::json(&seen.changes)?;
        } else {
            talk::data(&seen.changes.to_string())?;
        }
        if !seen.refused.is_empty() {
            return Err(proposal::refused(&seen.refused));
        }
        let differs = self.exit_code && !seen.changes.is_empty();
        Ok(if differs { DIFFERS } else { exit::OK })
    }
}

impl Planned {
    fn text(&self) -> String {
        let parts = [
            self.networks(),
            self.routers(),
            self.boot_servers(),
            self.servers(),
            self.host(),
            self.totals(),
        ];
        let parts = parts.into_iter().filter(|part| !part.is_empty());
        parts.collect::<Vec<_>>().join("\n")
    }

    fn networks(&self) -> String {
        let heading = ["NAME", "TYPE", "MADE AS", "MTU", "PLUGGED IN"];
        let mut table = Table::new(&heading).indent(2);
        for network in &self.summary.networks {
            let made = match network.made {
                Made::Bridge => "bridge",
                Made::Pair => "veth pair",
                Made::Hub => "addresses",
                Made::Nothing => "nothing",
            };
            table.row([
                network.name.clone(),
                network.kind.into(),
                made.into(),
                network.mtu.map(|mtu| mtu.to_string()).unwrap_or_default(),
                plugged(network),
            ]);
        }
        section("networks", self.summary.networks.len(), &table)
    }

    fn routers(&self) -> String {
        let mut table = Table::new(&["NAME", "KIND", "INTERFACES", "PROGRAMS"]).indent(2);
        for router in &self.summary.routers {
            table.row([
                router.name.clone(),
                router.kind.into(),
                router.interfaces.to_string(),
                router.programs.join(", "),
            ]);
        }
        section("routers", self.summary.routers.len(), &table)
    }

    fn boot_servers(&self) -> String {
        let heading = ["NAME", "INTERFACES", "IMAGE", "MACHINES", "LEASES"];
        let mut table = Table::new(&heading).indent(2);
        for server in &self.summary.boot_servers {
            table.row([
                server.name.clone(),
                server.interfaces.to_string(),
                server.image.clone(),
                server.machines.to_string(),
                server.subnets.join(", "),
            ]);
        }
        section("boot servers", self.summary.boot_servers.len(), &table)
    }

    fn servers(&self) -> String {
        let heading = ["TIER", "SERVERS", "AT START", "CPUS", "MEMORY", "DISKS"];
        let mut table = Table::new(&heading).indent(2);
        for tier in &self.summary.tiers {
            let some = |number: u64, text: String| if number > 0 { text } else { String::new() };
            table.row([
                tier.tier.into(),
                tier.servers.to_string(),
                tier.autostart.to_string(),
                some(tier.cpus, tier.cpus.to_string()),
                some(tier.memory_mib, format_size(tier.memory_mib << 20)),
                disks(tier),
            ]);
        }
        let count = self.summary.tiers.iter().map(|tier| tier.servers).sum();
        section("servers", count, &table)
    }

    fn host(&self) -> String {
        let mut table = Table::new(&["NEEDED", "FOR"]).indent(2);
        for need in &self.needs {
            table.row(need.row());
        }
        format!("this host\n{}", table.text())
    }

    fn totals(&self) -> String {
        let totals = &self.summary.totals;
        let count = |number, noun: &str| talk::count(number, noun, &format!("{noun}s"));
        format!(
            "in all: {}, {}, {}, {}\n",
            count(totals.namespaces, "namespace"),
            count(totals.bridges, "bridge"),
            count(totals.veth_pairs, "veth pair"),
            count(totals.taps, "tap")
        )
    }
}

/// A heading with a number over a table; nothing where there is nothing.
fn section(title: &str, count: usize, table: &Table) -> String {
    if count == 0 {
        return String::new();
    }
    format!("{title}: {count}\n{}", table.text())
}

/// Ends, then what the hub has there.
fn plugged(network: &placemat_lab::plan::NetworkPlan) -> String {
    const SHOWN: usize = 4;
    let mut words: Vec<String> = network.ends.iter().take(SHOWN).cloned().collect();
    if network.ends.len() > SHOWN {
        words.push(format!("and {} more", network.ends.len() - SHOWN));
    }
    if !network.addresses.is_empty() {
        words.push(format!("hub {}", network.addresses.join(" ")));
    }
    if network.bmcs > 0 {
        words.push(talk::count(network.bmcs, "BMC", "BMCs"));
    }
    words.join(", ")
}

fn disks(tier: &TierPlan) -> String {
    let mut text = String::new();
    if tier.disks > 0 {
        // Writing to a string does not fail.
        let _ = write!(text, "{}", tier.disks);
    }
    if tier.raw_disk_bytes > 0 {
        let _ = write!(text, ", {} of them empty", format_size(tier.raw_disk_bytes));
    }
    text
}
