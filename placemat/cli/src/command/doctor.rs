//! `placemat doctor`.

use crate::exit::{self, Failure};
use crate::{launch, place};
use placemat_host::probe::{accel, firmware, program};

#[expect(clippy::print_stdout, reason = "the table is this verb's data")]
pub(super) fn run() -> Result<u8, Failure> {
    let mut ready = true;
    println!("programs");
    for known in program::PROGRAMS {
        match program::find(known.name) {
            Ok(found) => {
                println!(
                    "  ok       {:<20} {}",
                    known.name,
                    found.version.unwrap_or_default()
                );
            }
            Err(missing) => {
                ready = false;
                println!(
                    "  missing  {:<20} for {}; apt install {}",
                    known.name,
                    known.purpose,
                    missing.package.unwrap_or_default()
                );
            }
        }
    }
    println!("host");
    match firmware::find() {
        Ok(ovmf) => println!("  ok       {:<20} {}", "UEFI firmware", ovmf.code.display()),
        Err(error) => {
            ready = false;
            println!(
                "  missing  {:<20} {error}; apt install ovmf",
                "UEFI firmware"
            );
        }
    }
    ready &= namespaces();
    ready &= device(
        "/dev/net/tun",
        "servers of tier full: `modprobe tun`, and read-write access",
    );
    if let Ok(qemu) = program::find("qemu-system-x86_64") {
        let cache = place::cache_base().join("accel.json");
        launch::run(async {
            let report = accel::probe(&qemu, &cache).await;
            println!(
                "  ok       {:<20} {} ({}); slowness {:.1}",
                "accelerator", report.accelerator, report.reason, report.slowness
            );
            Ok(exit::OK)
        })?;
    }
    Ok(if ready { exit::OK } else { exit::HOST })
}

#[expect(clippy::print_stdout, reason = "a row of the table")]
fn namespaces() -> bool {
    match placemat_host::sandbox::probe() {
        Ok(words) => {
            println!("  ok       {:<20} {words}", "namespaces");
            true
        }
        Err(error) => {
            println!("  missing  {:<20} {error}", "namespaces");
            println!(
                "           {:<20} Ubuntu 24.04 restricts them: sysctl kernel.apparmor_restrict_unprivileged_userns=0",
                ""
            );
            println!(
                "           {:<20} Debian and others: sysctl kernel.unprivileged_userns_clone=1, user.max_user_namespaces=10000",
                ""
            );
            false
        }
    }
}

#[expect(clippy::print_stdout, reason = "a row of the table")]
fn device(path: &str, purpose: &str) -> bool {
    match std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
    {
        Ok(_) => {
            println!("  ok       {path}");
            true
        }
        Err(error) => {
            println!("  missing  {path:<20} {error}; for {purpose}");
            false
        }
    }
}
