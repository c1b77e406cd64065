//! Finds the programs that a lab runs, with their versions, or the package that brings them.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A program that a lab may need. One row of [`PROGRAMS`] each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Program {
    /// Its file name.
    pub name: &'static str,
    /// Package that brings it on Debian and Ubuntu.
    pub package: &'static str,
    /// What it is for, as a noun phrase.
    pub purpose: &'static str,
    /// Argument that makes it print its version; empty where it has none.
    pub version: &'static str,
    /// Whether a host without it is not ready: most labs need it. The others are for labs that ask for them.
    pub basic: bool,
}

const fn row(
    name: &'static str,
    package: &'static str,
    purpose: &'static str,
    version: &'static str,
) -> Program {
    Program {
        name,
        package,
        purpose,
        version,
        basic: false,
    }
}

const fn basic(program: Program) -> Program {
    Program {
        basic: true,
        ..program
    }
}

/// Every program that placemat may start or that scenarios use.
pub const PROGRAMS: &[Program] = &[
    basic(row(
        "qemu-system-x86_64",
        "qemu-system-x86",
        "servers of tier full and kernel",
        "--version",
    )),
    row("swtpm", "swtpm", "TPMs of servers", "--version"),
    basic(row("bird", "bird2", "routing daemons", "--version")),
    basic(row(
        "dnsmasq",
        "dnsmasq-base",
        "DHCP of boot servers and relays of ToRs",
        "--version",
    )),
    row(
        "virtiofsd",
        "qemu-system-common",
        "volumes of kind hostPath with `protocol: virtiofs`",
        "--version",
    ),
    row(
        "newuidmap",
        "uidmap",
        "rootless labs with more than one user id",
        "",
    ),
    row("skopeo", "skopeo", "OCI images of registries", "--version"),
    row("ipmitool", "ipmitool", "IPMI from inside the lab", "-V"),
    row("curl", "curl", "Redfish from inside the lab", "--version"),
    row(
        "ip",
        "iproute2",
        "looking at links and routes by hand",
        "-V",
    ),
    row(
        "nft",
        "nftables",
        "address translation of networks with use-nat",
        "--version",
    ),
    row(
        "tcpdump",
        "tcpdump",
        "looking at packets by hand",
        "--version",
    ),
];

/// A program that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Where.
    pub path: PathBuf,
    /// First line that it says about its version; `None` where it does not say.
    pub version: Option<String>,
}

/// A program that is not there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name} is not installed ({})", remedy(name, package.as_deref()))]
pub struct Missing {
    /// Its name.
    pub name: String,
    /// Package that brings it, where known.
    pub package: Option<String>,
}

fn remedy(name: &str, package: Option<&str>) -> String {
    match package {
        Some(package) => format!("`apt install {package}`"),
        None => format!("no {name} in PATH"),
    }
}

/// Finds a program by name and asks it for its version. Takes as long as the program does to say
/// it: some 20 ms for QEMU.
pub fn find(name: &str) -> Result<Found, Missing> {
    let path = locate(name)?;
    let version = known(name)
        .filter(|program| !program.version.is_empty())
        .and_then(|program| version(&path, program.version));
    Ok(Found { path, version })
}

/// Finds a program by name, without starting it.
pub fn locate(name: &str) -> Result<PathBuf, Missing> {
    locate_in(name, std::env::var_os("PATH").as_deref())
}

/// Its row, where it has one.
pub fn known(name: &str) -> Option<&'static Program> {
    PROGRAMS.iter().find(|program| program.name == name)
}

fn locate_in(name: &str, path: Option<&OsStr>) -> Result<PathBuf, Missing> {
    // Daemons live in sbin, which an ordinary user's PATH lacks on Debian.
    let standard = [
        "/usr/local/sbin",
        "/usr/sbin",
        "/sbin",
        "/usr/bin",
        "/bin",
        // Where distributions put virtiofsd.
        "/usr/libexec",
        "/usr/lib/qemu",
    ];
    path.map(std::env::split_paths)
        .into_iter()
        .flatten()
        .chain(standard.iter().map(PathBuf::from))
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .find(|path| is_executable(path))
        .ok_or_else(|| Missing {
            name: name.into(),
            package: known(name).map(|program| program.package.into()),
        })
}

fn is_executable(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

fn version(path: &Path, argument: &str) -> Option<String> {
    let output = Command::new(path)
        .arg(argument)
        .stdin(Stdio::null())
        .output()
        .ok()
        // What a program says as it fails is no version.
        .filter(|output| output.status.success())?;
    // BIRD says it on standard error.
    [output.stdout, output.stderr]
        .iter()
        .filter_map(|text| std::str::from_utf8(text).ok())
        .flat_map(str::lines)
        .map(str::trim)
        .find(|line| !line.is_empty())
        .map(Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn what_a_program_says_as_it_fails_is_no_version() {
        let echo = version(Path::new("/bin/echo"), "a 1.0");
        assert_eq!(echo.as_deref(), Some("a 1.0"));
        assert_eq!(version(Path::new("/bin/sh"), "--no-such-option"), None);
    }

    #[test]
    fn finds_executables_only() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("a-daemon");
        fs::write(&path, "#!/bin/sh\n").expect("file");
        let at = Some(folder.path().as_os_str());
        let missing = locate_in("a-daemon", at).expect_err("not executable");
        insta::assert_snapshot!(missing, @"a-daemon is not installed (no a-daemon in PATH)");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("mode");
        assert_eq!(locate_in("a-daemon", at), Ok(path));
    }

    #[test]
    fn names_the_package() {
        let missing = Missing {
            name: "bird".into(),
            package: known("bird").map(|program| program.package.into()),
        };
        insta::assert_snapshot!(missing, @"bird is not installed (`apt install bird2`)");
    }

    #[test]
    fn asks_only_known_programs_for_their_version() {
        assert!(find("sh").is_ok_and(|found| found.version.is_none()));
    }
}
