//! Finds UEFI firmware for VMs (OVMF): its code, and the empty variable store that belongs to it.

use std::path::{Path, PathBuf};

/// Code and variable store that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ovmf {
    /// Read-only code.
    pub code: PathBuf,
    /// Empty variable store; each machine gets a copy of its own.
    pub vars: PathBuf,
}

/// Where distributions put OVMF without Secure Boot; the first pair that is there is taken. 4 MB
/// builds come first: newer releases have no others.
const PLACES: &[(&str, &str)] = &[
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

/// Package that brings it on Debian and Ubuntu.
pub const PACKAGE: &str = "ovmf";

/// No firmware where any distribution puts it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("UEFI firmware (OVMF) is in none of the {} known places (`apt install {PACKAGE}`)", PLACES.len())]
pub struct NoFirmware;

/// Finds firmware on this host.
pub fn find() -> Result<Ovmf, NoFirmware> {
    find_under(Path::new("/"))
}

/// Finds firmware in a tree that looks like a host's.
pub fn find_under(root: &Path) -> Result<Ovmf, NoFirmware> {
    let at = |path: &str| root.join(path.trim_start_matches('/'));
    PLACES
        .iter()
        .map(|(code, vars)| Ovmf {
            code: at(code),
            vars: at(vars),
        })
        .find(|pair| pair.code.is_file() && pair.vars.is_file())
        .ok_or(NoFirmware)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn takes_a_whole_pair_and_the_better_one() {
        let root = tempfile::tempdir().expect("folder");
        let put = |path: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().expect("parent")).expect("folder");
            fs::write(path, b"x").expect("file");
        };
        assert_eq!(find_under(root.path()), Err(NoFirmware));
        put("usr/share/OVMF/OVMF_CODE_4M.fd");
        assert_eq!(find_under(root.path()), Err(NoFirmware));
        put("usr/share/OVMF/OVMF_CODE.fd");
        put("usr/share/OVMF/OVMF_VARS.fd");
        let old = find_under(root.path()).expect("2 MB pair");
        assert!(old.code.ends_with("OVMF_CODE.fd"));
        put("usr/share/OVMF/OVMF_VARS_4M.fd");
        let new = find_under(root.path()).expect("4 MB pair");
        assert!(new.vars.ends_with("OVMF_VARS_4M.fd"));
        insta::assert_snapshot!(NoFirmware, @"UEFI firmware (OVMF) is in none of the 6 known places (`apt install ovmf`)");
    }
}
