//! What a test needs of the machine: skipped in words where it is missing, a failure where
//! `PLACEMAT_REQUIRE` names it.

use crate::program;
use placemat_host::probe::firmware::{Flavor, find};
use placemat_host::probe::program::locate;

/// Something a machine may not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// To be root.
    Root,
    /// BIRD 2.
    Bird,
    /// dnsmasq.
    Dnsmasq,
    /// QEMU and its firmware.
    Qemu,
    /// swtpm.
    Swtpm,
    /// `sbsign` and the key that Debian's OVMF has for tests.
    Sbsign,
    /// The built node image.
    Image,
    /// The node image with Debian's generic kernel.
    GenericImage,
    /// `ipmitool`.
    Ipmitool,
    /// `curl`.
    Curl,
    /// `ssh`.
    Ssh,
    /// Control groups that a lab may have some of.
    Cgroups,
    /// busybox, for its small servers and clients.
    Busybox,
    /// pasta, a way out of labs.
    Pasta,
    /// slirp4netns, another.
    Slirp4netns,
    /// iPXE for UEFI.
    Ipxe,
    /// Graphviz.
    Graphviz,
    /// squid and chrony, which a core can serve by.
    Services,
    /// `useradd`, `su` and, for subordinate ids, `newuidmap`.
    Users,
}

impl Need {
    /// Its name in `PLACEMAT_REQUIRE`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Bird => "bird",
            Self::Dnsmasq => "dnsmasq",
            Self::Qemu => "qemu",
            Self::Swtpm => "swtpm",
            Self::Sbsign => "sbsign",
            Self::Image => "image",
            Self::GenericImage => "generic-image",
            Self::Ipmitool => "ipmitool",
            Self::Curl => "curl",
            Self::Ssh => "ssh",
            Self::Cgroups => "cgroups",
            Self::Busybox => "busybox",
            Self::Pasta => "pasta",
            Self::Slirp4netns => "slirp4netns",
            Self::Ipxe => "ipxe",
            Self::Graphviz => "graphviz",
            Self::Services => "services",
            Self::Users => "users",
        }
    }

    /// Why it is missing, in words.
    fn missing(self) -> Option<String> {
        let programs: &[&'static str] = match self {
            Self::Root => {
                return (!nix::unistd::geteuid().is_root()).then(|| "not root".to_owned());
            }
            Self::Image => {
                return program::image()
                    .is_none()
                    .then(|| "images/out/node is missing; `images/build` makes it".to_owned());
            }
            Self::GenericImage => {
                return program::generic_image().is_none().then(|| {
                    "images/out/node-generic is missing; `images/build --kernel generic` makes it"
                        .to_owned()
                });
            }
            Self::Qemu => {
                if let Err(error) = find(Flavor::Plain) {
                    return Some(error.to_string());
                }
                &["qemu-system-x86_64"]
            }
            Self::Swtpm => &["swtpm"],
            Self::Sbsign => &["sbsign"],
            Self::Bird => &["bird"],
            Self::Dnsmasq => &["dnsmasq"],
            Self::Ipmitool => &["ipmitool"],
            Self::Curl => &["curl"],
            Self::Ssh => &["ssh"],
            Self::Cgroups => {
                let found = placemat_host::cgroup::probe();
                return found.err().map(|error| error.to_string());
            }
            Self::Busybox => &["busybox"],
            Self::Pasta => &["pasta", "nft", "bash"],
            Self::Slirp4netns => &["slirp4netns", "nft", "bash"],
            Self::Ipxe => {
                let found = placemat_host::probe::firmware::find_ipxe();
                return found.err().map(|error| error.to_string());
            }
            Self::Graphviz => &["dot"],
            Self::Services => &["squid", "chronyd"],
            Self::Users => &["useradd", "userdel", "newuidmap"],
        };
        programs
            .iter()
            .find_map(|name| locate(name).err().map(|error| error.to_string()))
    }
}

/// Whether everything is there. What is missing is said on stderr.
///
/// # Panics
///
/// When something is missing that `PLACEMAT_REQUIRE` (names, separated by commas; `all`) wants.
#[must_use]
pub fn needs(wanted: &[Need]) -> bool {
    let required = std::env::var("PLACEMAT_REQUIRE").unwrap_or_default();
    let mut there = true;
    for need in wanted {
        let Some(why) = need.missing() else { continue };
        assert!(
            !required
                .split([',', ' '])
                .any(|name| name == need.name() || name == "all"),
            "PLACEMAT_REQUIRE names {}, but: {why}",
            need.name()
        );
        eprintln!("skipped: needs {}: {why}", need.name());
        there = false;
    }
    there
}
