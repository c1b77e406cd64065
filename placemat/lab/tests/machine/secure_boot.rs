//! Secure Boot on real firmware: one boot, of which the first disk is not signed and the second is.

use crate::fixture::{Act, built, fixture, found};
use placemat_host::probe::firmware::{FirmwareFile, Flavor, find};
use placemat_lab::machine::{Bootable, Disk, DiskFormat, MachineFirmware, make_vars};
use placemat_spec::event::{BootPhase, LabEventKind};
use std::path::Path;
use std::process::Command;

/// Debian's OVMF has a store with keys for tests enrolled, and what belongs to them.
const STORE: &str = "/usr/share/OVMF/OVMF_VARS_4M.snakeoil.fd";
const KEY: &str = "/usr/share/ovmf/PkKek-1-snakeoil.key";
const CERTIFICATE: &str = "/usr/share/ovmf/PkKek-1-snakeoil.pem";

fn run(program: &str, arguments: &[&str]) {
    let said = Command::new(program).args(arguments).output();
    let said = said.unwrap_or_else(|error| panic!("{program}: {error}"));
    assert!(said.status.success(), "{program} {arguments:?}: {said:?}");
}

/// A disk from which firmware boots a program.
fn disk(folder: &Path, name: &str, program: &Path) -> Disk {
    let path = folder.join(name);
    let image = path.to_str().expect("UTF-8");
    let file = std::fs::File::create(&path).expect("disk");
    file.set_len(64 << 20).expect("disk");
    run("mformat", &["-i", image, "-F", "::"]);
    run("mmd", &["-i", image, "::EFI", "::EFI/BOOT"]);
    let program = program.to_str().expect("UTF-8");
    run("mcopy", &["-i", image, program, "::EFI/BOOT/BOOTX64.EFI"]);
    Disk::new(path, DiskFormat::Raw)
}

#[tokio::test]
async fn what_is_not_signed_is_refused_and_what_is_boots() {
    let Some(plain) = fixture(&[("first", Act::Halt)]) else {
        return;
    };
    let uki = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../images/out/node/node.efi");
    let there = [uki.as_path(), Path::new(STORE), Path::new(KEY)];
    if let Some(missing) = there.iter().find(|path| !path.exists()) {
        let required = std::env::var("PLACEMAT_REQUIRE").unwrap_or_default();
        assert!(
            !required
                .split(',')
                .any(|it| ["image", "sbsign"].contains(&it.trim())),
            "PLACEMAT_REQUIRE names what {} is for",
            missing.display()
        );
        eprintln!("skipped: {} is missing", missing.display());
        return;
    }
    if found("sbsign", "sbsign").is_none() {
        return;
    }
    let folder = plain.folder.path();
    let at = |name: &str| folder.join(name).display().to_string();
    let password = ["-passin", "pass:snakeoil"];
    let key = at("key");
    run(
        "openssl",
        &[&["rsa", "-in", KEY, "-out", &key], &password[..]].concat(),
    );
    let signed = at("signed.efi");
    let unsigned = uki.to_str().expect("UTF-8");
    let sign = [
        "--key",
        &key,
        "--cert",
        CERTIFICATE,
        "--output",
        &signed,
        unsigned,
    ];
    run("sbsign", &sign);
    let mut spec = plain.machine.spec().clone();
    let ovmf = find(Flavor::SecureBoot).expect("firmware");
    let vars = make_vars(folder, "-secure", &FirmwareFile::raw(STORE)).expect("store");
    spec.firmware = MachineFirmware::Uefi {
        code: ovmf.code,
        vars,
        secure_boot: true,
        ipv6: true,
    };
    spec.memory_mib = 512;
    spec.disks = vec![
        disk(folder, "unsigned.img", &uki),
        disk(folder, "signed.img", Path::new(&signed)),
    ];
    spec.boot_order = vec![Bootable::Disk(0), Bootable::Disk(1)];
    let mut fixture = built(spec, tempfile::tempdir().expect("folder"), Vec::new());
    fixture.machine.power_on(None, "start").await.expect("on");
    fixture
        .event(|what| {
            matches!(what, LabEventKind::Note { text }
                if text.starts_with("the firmware refused what it should boot: failed to load Boot")
                    && text.ends_with("Access Denied"))
        })
        .await;
    fixture.phase(BootPhase::Kernel, 1).await;
    fixture.end().await;
    plain.end().await;
}
