//! `placemat doctor`: a row for everything that a lab may need.

use crate::exit::{self, Failure};
use crate::{launch, place, talk};
use placemat_host::impair::{Backend, Offer};
use placemat_host::probe::firmware::{self, Flavor};
use placemat_host::probe::outside::Stack;
use placemat_host::probe::{accel, program, vhost};

/// One row: whether it is there, what it is, and in words how or how not.
fn row(there: bool, name: &str, words: &str) -> Result<bool, Failure> {
    let state = if there { "ok" } else { "missing" };
    talk::data(format!("  {state:<8} {name:<20} {words}").trim_end())?;
    talk::data("\n")?;
    Ok(there)
}

pub(super) fn run() -> Result<u8, Failure> {
    let mut ready = true;
    talk::data("programs\n")?;
    for known in program::PROGRAMS {
        let there = match program::find(known.name) {
            Ok(found) => row(true, known.name, &found.version.unwrap_or_default())?,
            Err(missing) => {
                let package = missing.package.unwrap_or_default();
                let words = format!("for {}; apt install {package}", known.purpose);
                row(false, known.name, &words)?
            }
        };
        ready &= there || !known.basic;
    }
    talk::data("host\n")?;
    for (name, flavor) in [
        ("UEFI firmware", Flavor::Plain),
        ("Secure Boot", Flavor::SecureBoot),
    ] {
        let there = match firmware::find(flavor) {
            Ok(ovmf) => row(true, name, &ovmf.code.path.display().to_string())?,
            Err(error) => row(false, name, &error.to_string())?,
        };
        ready &= there || flavor == Flavor::SecureBoot;
    }
    match Stack::find(None) {
        Ok(stack) => row(true, "way out", &stack.path.display().to_string())?,
        Err(_) => row(
            false,
            "way out",
            "for networks with use-nat; apt install passt (or slirp4netns)",
        )?,
    };
    let spaces = namespaces()?;
    ready &= spaces;
    ready &= device(
        "/dev/net/tun",
        "servers of tier full: `modprobe tun`, and read-write access",
    )?;
    // Not needed: the same without it, only slower.
    let words = if vhost::works() {
        "works"
    } else {
        "does not; NICs go through QEMU"
    };
    row(true, "vhost-net", words)?;
    if spaces {
        effects()?;
    }
    // Only labs with limits need them, so their absence is no verdict.
    match placemat_host::cgroup::probe() {
        Ok(support) => row(true, "limits of routers", &support.words)?,
        Err(refused) => row(
            false,
            "limits of routers",
            &format!("{refused}; {}", refused.remedy),
        )?,
    };
    if let Ok(qemu) = program::find("qemu-system-x86_64") {
        let cache = place::cache_base().join("accel.json");
        launch::run(async {
            let report = accel::probe(&qemu, &cache).await;
            let words = format!(
                "{} ({}); slowness {:.1}",
                report.accelerator, report.reason, report.slowness
            );
            row(true, "accelerator", &words)?;
            Ok(exit::OK)
        })?;
    }
    let (code, words) = if ready {
        (
            exit::OK,
            "ready; what is missing above is for labs that ask for it",
        )
    } else {
        (
            exit::HOST,
            "not ready: bird, dnsmasq, QEMU with UEFI firmware, namespaces and /dev/net/tun are needed",
        )
    };
    talk::say(words);
    Ok(code)
}

/// What this kernel can do to links, and by what: `impair` in files.
fn effects() -> Result<(), Failure> {
    let offer = match Offer::of_host() {
        Ok(offer) => offer,
        Err(error) => return row(false, "impaired links", &error.to_string()).map(|_| ()),
    };
    talk::data("impaired links (by what: of namespaces, of virtual machines)\n")?;
    for (effect, interface, machine) in offer.table() {
        let words = |backend: Option<Backend>| {
            backend.map_or_else(|| "-".to_owned(), |backend| backend.to_string())
        };
        let there = interface.is_some() && machine.is_some();
        let words = format!("{:<16} {}", words(interface), words(machine));
        row(there, effect, &words)?;
    }
    Ok(())
}

fn namespaces() -> Result<bool, Failure> {
    match placemat_host::sandbox::probe() {
        Ok(words) => row(true, "namespaces", words),
        Err(error) => {
            row(false, "namespaces", &error.to_string())?;
            for remedy in [
                "Ubuntu 24.04 restricts them: sysctl kernel.apparmor_restrict_unprivileged_userns=0",
                "Debian and others: sysctl kernel.unprivileged_userns_clone=1, user.max_user_namespaces=10000",
            ] {
                talk::data(&format!("  {:<8} {:<20} {remedy}\n", "", ""))?;
            }
            Ok(false)
        }
    }
}

fn device(path: &str, purpose: &str) -> Result<bool, Failure> {
    let opened = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(path);
    match opened {
        Ok(_) => row(true, path, ""),
        Err(error) => row(false, path, &format!("{error}; for {purpose}")),
    }
}
