//! Finds UEFI firmware for VMs (OVMF): its code, and the variable store that belongs to it; and iPXE,
//! which such firmware can fetch and run.
//!
//! What a distribution says itself comes first: the descriptors that QEMU's
//! `docs/interop/firmware.json` specifies. Then the places where distributions are known to keep
//! the files.

mod descriptor;

use std::path::{Path, PathBuf};

/// Code and variable store that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ovmf {
    /// Read-only code.
    pub code: FirmwareFile,
    /// Variable store to begin with; each machine gets a copy of its own.
    pub vars: FirmwareFile,
}

/// A file of firmware.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirmwareFile {
    /// Where.
    pub path: PathBuf,
    /// QEMU's name of its format: `raw` or `qcow2`.
    pub format: &'static str,
}

impl FirmwareFile {
    /// A file that is what it seems.
    pub fn raw(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            format: "raw",
        }
    }
}

/// What firmware is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavor {
    /// Boots anything.
    Plain,
    /// Boots what is signed with a key that its variable store has; needs SMM.
    SecureBoot,
}

/// A known place: code, variable store.
type Row = (&'static str, &'static str);

/// Where distributions put OVMF without Secure Boot; the first pair that is there is taken. 4 MB
/// builds come first: newer releases have no others.
const PLAIN: &[Row] = &[
    // Debian, Ubuntu
    (
        "/usr/share/OVMF/OVMF_CODE_4M.fd",
        "/usr/share/OVMF/OVMF_VARS_4M.fd",
    ),
    // Arch
    (
        "/usr/share/edk2/x64/OVMF_CODE.4m.fd",
        "/usr/share/edk2/x64/OVMF_VARS.4m.fd",
    ),
    (
        "/usr/share/edk2-ovmf/x64/OVMF_CODE.fd",
        "/usr/share/edk2-ovmf/x64/OVMF_VARS.fd",
    ),
    // Fedora
    (
        "/usr/share/edk2/ovmf/OVMF_CODE.fd",
        "/usr/share/edk2/ovmf/OVMF_VARS.fd",
    ),
    // openSUSE
    (
        "/usr/share/qemu/ovmf-x86_64-4m-code.bin",
        "/usr/share/qemu/ovmf-x86_64-4m-vars.bin",
    ),
    // Debian and Ubuntu, older, 2 MB
    (
        "/usr/share/OVMF/OVMF_CODE.fd",
        "/usr/share/OVMF/OVMF_VARS.fd",
    ),
];

/// The same with Secure Boot and Microsoft's keys. Arch enrols none.
const SECURE: &[Row] = &[
    // Debian, Ubuntu
    (
        "/usr/share/OVMF/OVMF_CODE_4M.ms.fd",
        "/usr/share/OVMF/OVMF_VARS_4M.ms.fd",
    ),
    // Fedora
    (
        "/usr/share/edk2/ovmf/OVMF_CODE.secboot.fd",
        "/usr/share/edk2/ovmf/OVMF_VARS.secboot.fd",
    ),
    // openSUSE
    (
        "/usr/share/qemu/ovmf-x86_64-smm-ms-code.bin",
        "/usr/share/qemu/ovmf-x86_64-smm-ms-vars.bin",
    ),
    // Debian and Ubuntu, older, 2 MB
    (
        "/usr/share/OVMF/OVMF_CODE.secboot.fd",
        "/usr/share/OVMF/OVMF_VARS.ms.fd",
    ),
];

/// Package that brings it on Debian and Ubuntu.
pub const PACKAGE: &str = "ovmf";

/// No firmware where any distribution puts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "UEFI firmware (OVMF){} is neither described in /usr/share/qemu/firmware nor in a known place (`apt install {PACKAGE}`)",
    if *flavor == Flavor::SecureBoot { " with Secure Boot and enrolled keys" } else { "" }
)]
pub struct NoFirmware {
    flavor: Flavor,
}

/// Where distributions put iPXE for UEFI on x86-64; the first that is there is taken. The builds that
/// use the firmware's own network driver come first: that one works, or iPXE could not be fetched.
const IPXE_PLACES: &[&str] = &[
    // Debian, Ubuntu
    "/usr/lib/ipxe/snponly.efi",
    "/usr/lib/ipxe/ipxe.efi",
    // Fedora
    "/usr/share/ipxe/ipxe-snponly-x86_64.efi",
    "/usr/share/ipxe/ipxe-x86_64.efi",
    // Arch
    "/usr/share/ipxe/x86_64/ipxe.efi",
    // openSUSE and others
    "/usr/share/ipxe/snponly.efi",
    "/usr/share/ipxe/ipxe.efi",
];

/// Package that brings iPXE on Debian and Ubuntu.
pub const IPXE_PACKAGE: &str = "ipxe";

/// No iPXE where any distribution puts it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("iPXE for UEFI is in none of the {} known places (`apt install {IPXE_PACKAGE}`)", IPXE_PLACES.len())]
pub struct NoIpxe;

/// Finds iPXE for UEFI on this host.
pub fn find_ipxe() -> Result<PathBuf, NoIpxe> {
    find_ipxe_under(Path::new("/"))
}

/// Finds iPXE for UEFI in a tree that looks like a host's.
pub fn find_ipxe_under(root: &Path) -> Result<PathBuf, NoIpxe> {
    let at = |path: &&str| root.join(path.trim_start_matches('/'));
    let mut places = IPXE_PLACES.iter().map(at);
    places.find(|path| path.is_file()).ok_or(NoIpxe)
}

/// Finds firmware on this host.
pub fn find(flavor: Flavor) -> Result<Ovmf, NoFirmware> {
    find_under(Path::new("/"), flavor)
}

/// Finds firmware in a tree that looks like a host's.
pub fn find_under(root: &Path, flavor: Flavor) -> Result<Ovmf, NoFirmware> {
    let at = |path: &str| FirmwareFile::raw(root.join(path.trim_start_matches('/')));
    let rows = match flavor {
        Flavor::Plain => PLAIN,
        Flavor::SecureBoot => SECURE,
    };
    let known = rows.iter().map(|(code, vars)| Ovmf {
        code: at(code),
        vars: at(vars),
    });
    descriptor::all(root, flavor)
        .into_iter()
        .chain(known)
        .find(|pair| pair.code.path.is_file() && pair.vars.path.is_file())
        .ok_or(NoFirmware { flavor })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn put(root: &Path, path: &str, text: &str) {
        let path = root.join(path);
        fs::create_dir_all(path.parent().expect("parent")).expect("folder");
        fs::write(path, text).expect("file");
    }

    #[test]
    fn takes_a_whole_pair_and_the_better_one() {
        let root = tempfile::tempdir().expect("folder");
        let put = |path: &str| put(root.path(), path, "x");
        let find = |flavor| find_under(root.path(), flavor);
        assert!(find(Flavor::Plain).is_err());
        put("usr/share/OVMF/OVMF_CODE_4M.fd");
        assert!(find(Flavor::Plain).is_err());
        put("usr/share/OVMF/OVMF_CODE.fd");
        put("usr/share/OVMF/OVMF_VARS.fd");
        let old = find(Flavor::Plain).expect("2 MB pair");
        assert!(old.code.path.ends_with("OVMF_CODE.fd"));
        put("usr/share/OVMF/OVMF_VARS_4M.fd");
        let new = find(Flavor::Plain).expect("4 MB pair");
        assert!(new.vars.path.ends_with("OVMF_VARS_4M.fd"));
        let none = find(Flavor::SecureBoot).expect_err("no keys");
        insta::assert_snapshot!(none, @"UEFI firmware (OVMF) with Secure Boot and enrolled keys is neither described in /usr/share/qemu/firmware nor in a known place (`apt install ovmf`)");
        put("usr/share/OVMF/OVMF_CODE.secboot.fd");
        put("usr/share/OVMF/OVMF_VARS.ms.fd");
        let secure = find(Flavor::SecureBoot).expect("2 MB pair with keys");
        assert!(secure.vars.path.ends_with("OVMF_VARS.ms.fd"));
    }

    fn described(code: &str, more: &str, features: &[&str]) -> String {
        serde_json::json!({
            "description": "test",
            "interface-types": ["uefi"],
            "mapping": serde_json::from_str::<serde_json::Value>(&format!(
                r#"{{"device": "flash", {more}
                    "executable": {{"filename": "/fw/{code}", "format": "qcow2"}},
                    "nvram-template": {{"filename": "/fw/{code}.vars", "format": "qcow2"}}}}"#
            )).expect("JSON"),
            "targets": [{"architecture": "x86_64", "machines": ["pc-i440fx-*", "pc-q35-*"]}],
            "features": features,
            "tags": [],
        })
        .to_string()
    }

    #[test]
    fn descriptors_come_first_in_the_order_of_their_names() {
        let root = tempfile::tempdir().expect("folder");
        let put = |path: &str, text: &str| put(root.path(), path, text);
        let code = |flavor| {
            let found = find_under(root.path(), flavor).expect("firmware");
            let name = found.code.path.file_name().expect("name").to_owned();
            (name.into_string().expect("UTF-8"), found.code.format)
        };
        put("usr/share/OVMF/OVMF_CODE_4M.fd", "x");
        put("usr/share/OVMF/OVMF_VARS_4M.fd", "x");
        assert_eq!(
            code(Flavor::Plain),
            ("OVMF_CODE_4M.fd".to_owned(), "raw"),
            "known places, where nothing is described"
        );
        for name in [
            "amd",
            "secure",
            "keys",
            "other",
            "plain",
            "masked",
            "stateless",
            "mine",
        ] {
            put(&format!("fw/{name}"), "x");
            put(&format!("fw/{name}.vars"), "x");
        }
        let secure = ["secure-boot", "requires-smm"];
        let keys = ["secure-boot", "requires-smm", "enrolled-keys"];
        let share = "usr/share/qemu/firmware";
        put(&format!("{share}/10-broken.json"), "{");
        put(
            &format!("{share}/20-masked.json"),
            &described("masked", "", &[]),
        );
        put(
            &format!("{share}/30-stateless.json"),
            &described("stateless", r#""mode": "stateless","#, &[]),
        );
        put(
            &format!("{share}/31-amd.json"),
            &described("amd", "", &["amd-sev-es", "requires-smm"]),
        );
        put(
            &format!("{share}/40-secure.json"),
            &described("secure", "", &secure),
        );
        put(
            &format!("{share}/45-keys.json"),
            &described("keys", "", &keys),
        );
        put(
            &format!("{share}/50-gone.json"),
            &described("gone", "", &[]),
        );
        put(
            &format!("{share}/60-plain.json"),
            &described("plain", r#""mode": "split","#, &["acpi-s3"]),
        );
        put("etc/qemu/firmware/20-masked.json", "");
        assert_eq!(code(Flavor::Plain), ("plain".to_owned(), "qcow2"));
        assert_eq!(code(Flavor::SecureBoot), ("keys".to_owned(), "qcow2"));
        put(
            "etc/qemu/firmware/60-plain.json",
            &described("mine", "", &[]),
        );
        assert_eq!(
            code(Flavor::Plain).0,
            "mine",
            "the administrator's has its place"
        );
    }
    #[test]
    fn takes_the_ipxe_that_uses_the_firmwares_driver() {
        let root = tempfile::tempdir().expect("folder");
        let folder = root.path().join("usr/lib/ipxe");
        fs::create_dir_all(&folder).expect("folder");
        assert_eq!(find_ipxe_under(root.path()), Err(NoIpxe));
        fs::write(folder.join("ipxe.efi"), b"x").expect("file");
        let found = find_ipxe_under(root.path()).expect("iPXE");
        assert!(found.ends_with("ipxe.efi"));
        fs::write(folder.join("snponly.efi"), b"x").expect("file");
        let found = find_ipxe_under(root.path()).expect("iPXE");
        assert!(found.ends_with("snponly.efi"));
        insta::assert_snapshot!(NoIpxe, @"iPXE for UEFI is in none of the 7 known places (`apt install ipxe`)");
    }
}
