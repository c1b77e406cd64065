//! `placemat doctor`: a row for everything that a lab may need, and what mends what can be mended.

mod fix;
mod limits;

use crate::exit::{self, Failure};
use crate::{input, launch, place, talk};
use placemat_host::impair::{Backend, Offer};
use placemat_host::probe::firmware::{self, Flavor};
use placemat_host::probe::outside::Stack;
use placemat_host::probe::{accel, program, vhost};
use serde::Serialize;
use std::path::PathBuf;

/// Arguments of `doctor`.
#[derive(Debug, clap::Args)]
pub(super) struct Doctor {
    /// Cluster files, or one rack spec: the host's limits are held against what they need.
    files: Vec<PathBuf>,
    /// Change the host's settings that are too low for FILES or for any lab, and tell each change. Only
    /// root can. They last until the host starts again.
    #[arg(long)]
    fix: bool,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// Version of the answer as JSON. Raised on every incompatible change.
const VERSION: u32 = 1;

/// One thing that a lab may need.
#[derive(Debug, Serialize)]
struct Row {
    section: &'static str,
    name: String,
    /// Whether it is there.
    ok: bool,
    /// Whether no lab can do without.
    required: bool,
    /// What it is, or how it can be had.
    words: String,
    /// Of a limit: what it is set to, what is used of it, and what FILES need.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    limit: Option<limits::Numbers>,
}

#[derive(Debug, Serialize)]
struct Answer {
    v: u32,
    /// Whether everything is there that no lab can do without, and all that FILES need.
    ready: bool,
    rows: Vec<Row>,
    /// Settings that were changed.
    changes: Vec<fix::Change>,
}

/// Rows as they come: shown at once, or kept for JSON.
struct Rows {
    json: bool,
    list: Vec<Row>,
}

impl Rows {
    /// A heading, with what is said behind it.
    fn section(&mut self, name: &str, words: &str) -> Result<(), Failure> {
        if self.json {
            return Ok(());
        }
        talk::data(&format!("{name}{words}\n"))
    }

    fn add(&mut self, row: Row) -> Result<(), Failure> {
        if !self.json {
            let state = if row.ok { "ok" } else { "missing" };
            let state = if row.limit.is_some() && !row.ok {
                "low"
            } else {
                state
            };
            let line = format!("  {state:<8} {:<20} {}", row.name, row.words);
            talk::data(&(line.trim_end().to_owned() + "\n"))?;
        }
        self.list.push(row);
        Ok(())
    }

    /// A row: whether it is there, what it is, and in words how or how not.
    fn row(
        &mut self,
        (section, required): (&'static str, bool),
        ok: bool,
        name: &str,
        words: &str,
    ) -> Result<(), Failure> {
        self.add(Row {
            section,
            name: name.to_owned(),
            ok,
            required,
            words: words.to_owned(),
            limit: None,
        })
    }
}

impl Doctor {
    pub(super) fn run(self) -> Result<u8, Failure> {
        let loaded = match self.files.as_slice() {
            [] => None,
            files => Some(input::cluster(&input::read(files)?)?),
        };
        let cluster = loaded.as_ref().map(|loaded| &loaded.cluster);
        let mut changes = Vec::new();
        if self.fix {
            let done = fix::apply(cluster, &mut changes);
            // Before one that could not be made, others may have been.
            if done.is_err() && !changes.is_empty() || done.is_ok() && !self.json {
                talk::say(&fix::words(&changes));
            }
            done?;
        }
        let mut rows = Rows {
            json: self.json,
            list: Vec::new(),
        };
        look(&mut rows)?;
        limits::rows(&mut rows, cluster)?;
        accelerator(&mut rows)?;
        let lacking: Vec<&str> = rows
            .list
            .iter()
            .filter(|row| row.required && !row.ok)
            .map(|row| row.name.as_str())
            .collect();
        let lacking = lacking.join(", ");
        let ready = lacking.is_empty();
        if self.json {
            talk::json(&Answer {
                v: VERSION,
                ready,
                rows: rows.list,
                changes,
            })?;
        } else if ready {
            talk::say("ready; what is missing above is for labs that ask for it");
        } else {
            talk::say(&format!("not ready for want of {lacking}"));
        }
        Ok(if ready { exit::OK } else { exit::HOST })
    }
}

fn look(rows: &mut Rows) -> Result<(), Failure> {
    rows.section("programs", "")?;
    for known in program::PROGRAMS {
        let (ok, words) = match program::find(known.name) {
            Ok(found) => (true, found.version.unwrap_or_default()),
            Err(missing) => {
                let package = missing.package.unwrap_or_default();
                let words = format!("for {}; apt install {package}", known.purpose);
                (false, words)
            }
        };
        rows.row(("programs", known.basic), ok, known.name, &words)?;
    }
    rows.section("host", "")?;
    for (name, flavor) in [
        ("UEFI firmware", Flavor::Plain),
        ("Secure Boot", Flavor::SecureBoot),
    ] {
        let (ok, words) = match firmware::find(flavor) {
            Ok(ovmf) => (true, ovmf.code.path.display().to_string()),
            Err(error) => (false, error.to_string()),
        };
        rows.row(("host", flavor == Flavor::Plain), ok, name, &words)?;
    }
    let (ok, words) = match Stack::find(None) {
        Ok(stack) => (true, stack.path.display().to_string()),
        Err(_) => (
            false,
            "for networks with use-nat; apt install passt (or slirp4netns)".to_owned(),
        ),
    };
    rows.row(("host", false), ok, "way out", &words)?;
    let spaces = namespaces(rows)?;
    device(
        rows,
        "/dev/net/tun",
        "servers of tier full: `modprobe tun`, and read-write access",
    )?;
    // Not needed: the same without it, only slower.
    let words = if vhost::works() {
        "works"
    } else {
        "does not; NICs go through QEMU"
    };
    rows.row(("host", false), true, "vhost-net", words)?;
    // Only labs with limits need them, so their absence is no verdict.
    let (ok, words) = match placemat_host::cgroup::probe() {
        Ok(support) => (true, support.words),
        Err(refused) => (false, format!("{refused}; {}", refused.remedy)),
    };
    rows.row(("host", false), ok, "limits of routers", &words)?;
    if spaces {
        effects(rows)?;
    }
    Ok(())
}

fn accelerator(rows: &mut Rows) -> Result<(), Failure> {
    let Ok(qemu) = program::find("qemu-system-x86_64") else {
        return Ok(());
    };
    rows.section("virtual machines", "")?;
    let cache = place::cache_base().join("accel.json");
    let report = launch::run(async { Ok(accel::probe(&qemu, &cache).await) })?;
    let words = format!(
        "{} ({}); slowness {:.1}",
        report.accelerator, report.reason, report.slowness
    );
    rows.row(("virtual machines", false), true, "accelerator", &words)
}

/// What this kernel can do to links, and by what: `impair` in files.
fn effects(rows: &mut Rows) -> Result<(), Failure> {
    const SECTION: &str = "impaired links";
    let offer = match Offer::of_host() {
        Ok(offer) => offer,
        Err(error) => return rows.row((SECTION, false), false, SECTION, &error.to_string()),
    };
    rows.section(SECTION, " (by what: of namespaces, of virtual machines)")?;
    for (effect, interface, machine) in offer.table() {
        let words = |backend: Option<Backend>| {
            backend.map_or_else(|| "-".to_owned(), |backend| backend.to_string())
        };
        let ok = interface.is_some() && machine.is_some();
        let words = format!("{:<16} {}", words(interface), words(machine));
        rows.row((SECTION, false), ok, effect, &words)?;
    }
    Ok(())
}

fn namespaces(rows: &mut Rows) -> Result<bool, Failure> {
    let probed = placemat_host::sandbox::probe();
    let ok = probed.is_ok();
    let words = match probed {
        Ok(words) => words.to_owned(),
        Err(error) => {
            let remedies = fix::user_namespaces().into_iter();
            let lines = remedies.map(|(name, value)| format!("; sysctl -w {name}={value}"));
            format!("{error}{}", lines.collect::<String>())
        }
    };
    rows.row(("host", true), ok, "namespaces", &words)?;
    Ok(ok)
}

fn device(rows: &mut Rows, path: &str, purpose: &str) -> Result<(), Failure> {
    let opened = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(path);
    let words = match &opened {
        Ok(_) => String::new(),
        Err(error) => format!("{error}; for {purpose}"),
    };
    rows.row(("host", true), opened.is_ok(), path, &words)
}
