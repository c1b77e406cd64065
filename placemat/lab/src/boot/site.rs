//! What a boot server offers, and to whom: machines, their images and configuration, and which
//! address is whose. Pure but for a lock.

use super::dhcp_log::DhcpEvent;
use placemat_spec::resource::Name;
use placemat_spec::value::Mac;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Component, Path, PathBuf};
use std::sync::{PoisonError, RwLock};

/// A machine that boots here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteMachine {
    /// Node name.
    pub node: Name,
    /// SMBIOS serial.
    pub serial: String,
    /// MACs of its NICs.
    pub macs: Vec<Mac>,
    /// Image it boots; absent: the site's.
    pub image: Option<Name>,
    /// Folder served as `/machines/SERIAL/`.
    pub config: Option<PathBuf>,
}

/// What a boot server offers.
#[derive(Debug)]
pub struct BootSite {
    machines: Vec<SiteMachine>,
    image: Name,
    bundles: HashMap<Name, PathBuf>,
    leases: RwLock<HashMap<Ipv4Addr, Mac>>,
}

/// What a path leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// A file that should be there.
    File(PathBuf),
    /// Nothing, and why.
    Nothing(&'static str),
}

impl BootSite {
    /// A site whose machines boot `image` unless they have one of their own. `bundles` gives each
    /// image's folder, `hosts` the fixed addresses.
    pub fn new(
        image: Name,
        machines: Vec<SiteMachine>,
        bundles: HashMap<Name, PathBuf>,
        hosts: impl IntoIterator<Item = (Mac, Ipv4Addr)>,
    ) -> Self {
        let leases = hosts
            .into_iter()
            .map(|(mac, address)| (address, mac))
            .collect();
        Self {
            machines,
            image,
            bundles,
            leases: RwLock::new(leases),
        }
    }

    /// Takes note of what DHCP did, and gives the machine that it was about, if it is one of ours.
    pub fn note_dhcp(&self, event: DhcpEvent) -> Option<&SiteMachine> {
        let mac = match event {
            DhcpEvent::Discover { mac } => mac,
            DhcpEvent::Ack { mac, address } => {
                let mut leases = self.leases.write().unwrap_or_else(PoisonError::into_inner);
                leases.insert(address, mac);
                mac
            }
        };
        self.machine_by_mac(mac)
    }

    /// The machine that has an address.
    pub fn machine_at(&self, address: IpAddr) -> Option<&SiteMachine> {
        let IpAddr::V4(address) = address.to_canonical() else {
            return None;
        };
        let leases = self.leases.read().unwrap_or_else(PoisonError::into_inner);
        let mac = *leases.get(&address)?;
        drop(leases);
        self.machine_by_mac(mac)
    }

    fn machine_by_mac(&self, mac: Mac) -> Option<&SiteMachine> {
        self.machines
            .iter()
            .find(|machine| machine.macs.contains(&mac))
    }

    /// What `path` leads to for a client.
    pub(super) fn find(&self, path: &str, client: Option<&SiteMachine>) -> Found {
        let parts: Vec<&str> = path.trim_start_matches('/').splitn(3, '/').collect();
        match parts.as_slice() {
            ["boot.efi"] => {
                let image = client.and_then(|machine| machine.image.as_ref());
                self.in_bundle(image.unwrap_or(&self.image), "node.efi")
            }
            ["images", name, rest] => self.in_bundle(name, rest),
            ["machines", serial, rest] => {
                let machine = self
                    .machines
                    .iter()
                    .find(|machine| machine.serial == *serial);
                match machine.map(|machine| machine.config.as_deref()) {
                    None => Found::Nothing("no machine has this serial"),
                    Some(None) => Found::Nothing("this machine has no configuration"),
                    Some(Some(folder)) => inside(folder, rest),
                }
            }
            _ => Found::Nothing("there are only /boot.efi, /images/ and /machines/"),
        }
    }

    fn in_bundle(&self, image: &str, rest: &str) -> Found {
        match self.bundles.get(image) {
            Some(folder) => inside(folder, rest),
            None => Found::Nothing("no image has this name"),
        }
    }
}

/// A path below a folder: names only, nothing that leads elsewhere.
fn inside(folder: &Path, rest: &str) -> Found {
    let rest = Path::new(rest);
    let names_only = rest
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    if names_only && rest.components().next().is_some() {
        Found::File(folder.join(rest))
    } else {
        Found::Nothing("paths have plain names only")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MAC: Mac = Mac([0x52, 0x54, 0, 0, 0, 1]);
    const OTHER: Mac = Mac([0x52, 0x54, 0, 0, 0, 2]);

    fn site() -> BootSite {
        let machine = |node: &str, mac, image: Option<&str>| SiteMachine {
            node: node.into(),
            serial: format!("serial-{node}"),
            macs: vec![mac],
            image: image.map(Into::into),
            config: (node == "cs1").then(|| "/config/cs1".into()),
        };
        BootSite::new(
            "usual".into(),
            vec![
                machine("cs1", MAC, None),
                machine("cs2", OTHER, Some("special")),
            ],
            HashMap::from([
                ("usual".into(), "/img/usual".into()),
                ("special".into(), "/img/special".into()),
            ]),
            [(MAC, Ipv4Addr::new(10, 0, 0, 1))],
        )
    }

    #[test]
    fn who_asks_decides_what_boots() {
        let site = site();
        let boot =
            |address: [u8; 4]| site.find("/boot.efi", site.machine_at(IpAddr::from(address)));
        let usual = Found::File("/img/usual/node.efi".into());
        assert_eq!(boot([10, 0, 0, 1]), usual);
        assert_eq!(boot([10, 0, 0, 2]), usual);
        let address = Ipv4Addr::new(10, 0, 0, 2);
        let machine = site.note_dhcp(DhcpEvent::Ack {
            mac: OTHER,
            address,
        });
        assert_eq!(machine.map(|machine| machine.node.as_str()), Some("cs2"));
        assert_eq!(
            boot([10, 0, 0, 2]),
            Found::File("/img/special/node.efi".into())
        );
        assert!(
            site.note_dhcp(DhcpEvent::Discover { mac: Mac([2; 6]) })
                .is_none()
        );
    }

    #[test]
    fn paths() {
        let site = site();
        for (path, expected) in [
            (
                "/images/special/vmlinuz",
                Found::File("/img/special/vmlinuz".into()),
            ),
            (
                "/images/none/vmlinuz",
                Found::Nothing("no image has this name"),
            ),
            (
                "/machines/serial-cs1/node.env",
                Found::File("/config/cs1/node.env".into()),
            ),
            (
                "/machines/serial-cs2/node.env",
                Found::Nothing("this machine has no configuration"),
            ),
            (
                "/machines/x/node.env",
                Found::Nothing("no machine has this serial"),
            ),
            (
                "/images/usual/../special/node.efi",
                Found::Nothing("paths have plain names only"),
            ),
            (
                "/images/usual//etc/passwd",
                Found::Nothing("paths have plain names only"),
            ),
            (
                "/",
                Found::Nothing("there are only /boot.efi, /images/ and /machines/"),
            ),
        ] {
            assert_eq!(site.find(path, None), expected, "{path}");
        }
    }

    proptest! {
        #[test]
        fn nothing_outside_of_what_is_offered(rest in "[a./]{0,12}") {
            if let Found::File(path) = site().find(&format!("/images/usual/{rest}"), None) {
                prop_assert!(path.starts_with("/img/usual"));
                prop_assert!(!path.components().any(|part| part == Component::ParentDir));
            }
        }
    }
}
