//! What a boot server offers, and to whom: machines, their images and configuration, and which
//! address is whose. Pure but for a lock and what a fault may change.

use super::dhcp_log::DhcpEvent;
use placemat_spec::resource::{BootMethod, HttpFault, Name};
use placemat_spec::value::Mac;
use std::collections::HashMap;
use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Path of the UEFI boot file; which file it is depends on who asks.
pub const BOOT_PATH: &str = "/boot.efi";
/// Path of the script that iPXE asks for: it goes on to the machine's own.
pub const SCRIPT_PATH: &str = "/boot.ipxe";
/// Path at which the lab itself looks how HTTP behaves.
pub(super) const PROBE_PATH: &str = "/probe";
/// Bytes at [`PROBE_PATH`]: none of them zero.
pub(super) const PROBE_SIZE: usize = 1024;

/// What a machine boots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteBoot {
    /// Image.
    pub image: Name,
    /// What UEFI firmware is handed.
    pub method: BootMethod,
    /// Kernel parameters besides the image's own.
    pub kernel_params: Vec<String>,
}

/// A machine that boots here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteMachine {
    /// Node name.
    pub node: Name,
    /// SMBIOS serial.
    pub serial: String,
    /// MACs of its NICs.
    pub macs: Vec<Mac>,
    /// What it boots.
    pub boot: SiteBoot,
    /// Folder served as `/machines/SERIAL/`.
    pub config: Option<PathBuf>,
    /// File served as `/machines/SERIAL/ignition.json`.
    pub ignition: Option<PathBuf>,
}

/// An image that can be booted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteBundle {
    /// Its folder.
    pub folder: PathBuf,
    /// Its kernel's command line; empty where it has none.
    pub command_line: String,
}

/// What a site is made of.
#[derive(Debug, Clone)]
pub struct SiteSpec {
    /// Where it is served, without a path: `http://10.69.0.3`.
    pub base: String,
    /// What machines boot that it does not know.
    pub usual: SiteBoot,
    /// Those that it knows.
    pub machines: Vec<SiteMachine>,
    /// Images by name.
    pub bundles: HashMap<Name, SiteBundle>,
    /// Fixed addresses.
    pub hosts: Vec<(Mac, Ipv4Addr)>,
    /// Public keys of SSH that may log in everywhere, a line each.
    pub authorized_keys: String,
    /// iPXE for UEFI, where it is needed.
    pub ipxe: Option<PathBuf>,
}

/// What a boot server offers.
#[derive(Debug)]
pub struct BootSite {
    content: RwLock<Arc<Content>>,
    served: CancellationToken,
    leases: RwLock<HashMap<Ipv4Addr, Mac>>,
    fault: watch::Sender<Option<HttpFault>>,
}

/// What it offers at the moment.
#[derive(Debug)]
struct Content {
    spec: SiteSpec,
    by_mac: HashMap<Mac, usize>,
    by_serial: HashMap<String, usize>,
}

/// What a path leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// A file that should be there.
    File(PathBuf),
    /// A text made for who asks.
    Text(String),
    /// Nothing, and why.
    Nothing(&'static str),
}

impl Content {
    fn of(spec: SiteSpec) -> Self {
        let mut by_mac = HashMap::new();
        let mut by_serial = HashMap::new();
        for (index, machine) in spec.machines.iter().enumerate() {
            by_mac.extend(machine.macs.iter().map(|mac| (*mac, index)));
            by_serial.insert(machine.serial.clone(), index);
        }
        Self {
            spec,
            by_mac,
            by_serial,
        }
    }
}

impl BootSite {
    /// A site, served until `served` is cancelled.
    pub fn new(spec: SiteSpec, served: CancellationToken) -> Self {
        let leases = spec.hosts.iter().map(|(mac, address)| (*address, *mac));
        Self {
            leases: RwLock::new(leases.collect()),
            fault: watch::Sender::new(None),
            served,
            content: RwLock::new(Arc::new(Content::of(spec))),
        }
    }

    /// Offers something else from now on. Who has which address is still known.
    pub fn offer(&self, spec: SiteSpec) {
        let hosts = spec.hosts.iter().map(|(mac, address)| (*address, *mac));
        let mut leases = self.leases.write().unwrap_or_else(PoisonError::into_inner);
        leases.extend(hosts);
        drop(leases);
        let mut content = self.content.write().unwrap_or_else(PoisonError::into_inner);
        *content = Arc::new(Content::of(spec));
    }

    /// Until when it is served.
    pub fn served(&self) -> &CancellationToken {
        &self.served
    }

    fn content(&self) -> Arc<Content> {
        let content = self.content.read().unwrap_or_else(PoisonError::into_inner);
        content.clone()
    }

    /// Takes note of what DHCP did, and gives the machine that it was about, if it is one of ours.
    pub fn note_dhcp(&self, event: DhcpEvent) -> Option<SiteMachine> {
        let mac = match event {
            DhcpEvent::Discover { mac } | DhcpEvent::Nak { mac, .. } => mac,
            DhcpEvent::Ack { mac, address } => {
                let mut leases = self.leases.write().unwrap_or_else(PoisonError::into_inner);
                leases.insert(address, mac);
                mac
            }
        };
        self.machine_by_mac(mac)
    }

    /// The machine that has an address.
    pub fn machine_at(&self, address: IpAddr) -> Option<SiteMachine> {
        let IpAddr::V4(address) = address.to_canonical() else {
            return None;
        };
        let leases = self.leases.read().unwrap_or_else(PoisonError::into_inner);
        let mac = *leases.get(&address)?;
        drop(leases);
        self.machine_by_mac(mac)
    }

    /// How its HTTP misbehaves from now on.
    pub fn set_fault(&self, fault: Option<HttpFault>) {
        self.fault.send_replace(fault);
    }

    /// How its HTTP misbehaves, now and later.
    pub fn fault(&self) -> watch::Receiver<Option<HttpFault>> {
        self.fault.subscribe()
    }

    fn machine_by_mac(&self, mac: Mac) -> Option<SiteMachine> {
        let content = self.content();
        let index = *content.by_mac.get(&mac)?;
        content.spec.machines.get(index).cloned()
    }

    /// What `path` leads to for a client.
    pub(super) fn find(&self, path: &str, client: Option<&SiteMachine>) -> Found {
        self.content().find(path, client)
    }
}

impl Content {
    fn machine_by_serial(&self, serial: &str) -> Option<&SiteMachine> {
        self.spec.machines.get(*self.by_serial.get(serial)?)
    }

    fn find(&self, path: &str, client: Option<&SiteMachine>) -> Found {
        let boot = |machine: Option<&SiteMachine>| {
            machine.map_or_else(|| self.spec.usual.clone(), |machine| machine.boot.clone())
        };
        let parts: Vec<&str> = path.trim_start_matches('/').splitn(3, '/').collect();
        match parts.as_slice() {
            ["boot.efi"] => {
                let boot = boot(client);
                match (boot.method, &self.spec.ipxe) {
                    (BootMethod::Uki, _) => self.in_bundle(&boot.image, "node.efi"),
                    (BootMethod::Ipxe, Some(ipxe)) => Found::File(ipxe.clone()),
                    (BootMethod::Ipxe, None) => Found::Nothing("this host has no iPXE for UEFI"),
                }
            }
            ["boot.ipxe"] => Found::Text(self.first_script()),
            ["images", name, rest] => self.in_bundle(name, rest),
            ["machines", serial, "boot.ipxe"] => {
                self.script(&boot(self.machine_by_serial(serial)), serial)
            }
            ["machines", serial, rest] => {
                let machine = self.machine_by_serial(serial);
                let ignition = machine.and_then(|machine| machine.ignition.as_deref());
                match (machine.map(|machine| machine.config.as_deref()), *rest) {
                    (None, _) => Found::Nothing("no machine has this serial"),
                    (_, "ignition.json") if ignition.is_some() => {
                        ignition.map_or(Found::Nothing(""), |file| Found::File(file.into()))
                    }
                    (_, "authorized_keys") => Found::Text(self.spec.authorized_keys.clone()),
                    (Some(None), _) => Found::Nothing("this machine has no configuration"),
                    (Some(Some(folder)), rest) => inside(folder, rest),
                }
            }
            ["probe"] => Found::Text("placemat".repeat(PROBE_SIZE / 8)),
            _ => Found::Nothing("there are only /boot.efi, /boot.ipxe, /images/ and /machines/"),
        }
    }

    /// The script that all get: only iPXE itself knows which machine it runs on.
    fn first_script(&self) -> String {
        let base = &self.spec.base;
        format!("#!ipxe\nchain --replace --autofree {base}/machines/${{serial}}/boot.ipxe\n")
    }

    /// A machine's script.
    fn script(&self, boot: &SiteBoot, serial: &str) -> Found {
        let Some(bundle) = self.spec.bundles.get(&boot.image) else {
            return Found::Nothing("the machine's image is no bundle");
        };
        let base = &self.spec.base;
        let mut words = bundle.command_line.trim().to_owned();
        for word in &boot.kernel_params {
            let _ = write!(words, " {word}");
        }
        let has_ignition = |machine: &SiteMachine| machine.ignition.is_some();
        if self.machine_by_serial(serial).is_some_and(has_ignition) {
            let _ = write!(
                words,
                " ignition.firstboot=1 ignition.platform.id=metal \
                 ignition.config.url={base}/machines/{serial}/ignition.json"
            );
        }
        let image = &boot.image;
        Found::Text(format!(
            "#!ipxe\n\
             # The kernel finds its initramfs by name, since UEFI does not hand it over.\n\
             kernel {base}/images/{image}/vmlinuz initrd=initrd.img {words}\n\
             initrd --name initrd.img {base}/images/{image}/initrd.img\n\
             boot\n"
        ))
    }

    fn in_bundle(&self, image: &str, rest: &str) -> Found {
        match self.spec.bundles.get(image) {
            Some(bundle) => inside(&bundle.folder, rest),
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

    fn boot(image: &str, method: BootMethod, params: &[&str]) -> SiteBoot {
        SiteBoot {
            image: image.into(),
            method,
            kernel_params: params.iter().map(|it| (*it).to_owned()).collect(),
        }
    }

    fn site() -> BootSite {
        let machine = |node: &str, mac, boot| SiteMachine {
            node: node.into(),
            serial: format!("serial-{node}"),
            macs: vec![mac],
            boot,
            config: (node == "cs1").then(|| "/config/cs1".into()),
            ignition: (node == "cs2").then(|| "/config/cs2.ign".into()),
        };
        let bundle = |name: &str| {
            let bundle = SiteBundle {
                folder: format!("/img/{name}").into(),
                command_line: format!("console=ttyS0 of={name}\n"),
            };
            (name.to_owned(), bundle)
        };
        let spec = SiteSpec {
            base: "http://10.0.0.9".into(),
            usual: boot("usual", BootMethod::Uki, &["usual=1"]),
            machines: vec![
                machine("cs1", MAC, boot("usual", BootMethod::Uki, &[])),
                machine(
                    "cs2",
                    OTHER,
                    boot("special", BootMethod::Ipxe, &["a=1", "b"]),
                ),
            ],
            bundles: [bundle("usual"), bundle("special")].into(),
            hosts: vec![(MAC, Ipv4Addr::new(10, 0, 0, 1))],
            authorized_keys: "ecdsa-sha2-nistp256 AAAA placemat\n".into(),
            ipxe: Some("/usr/lib/ipxe/snponly.efi".into()),
        };
        BootSite::new(spec, CancellationToken::new())
    }

    #[test]
    fn another_offer_keeps_what_is_known_of_addresses() {
        let site = site();
        let address = Ipv4Addr::new(10, 0, 0, 2);
        site.note_dhcp(DhcpEvent::Ack {
            mac: OTHER,
            address,
        });
        let mut spec = site.content().spec.clone();
        spec.machines.remove(0);
        spec.usual.image = "special".into();
        site.offer(spec);
        let machine = site.machine_at(address.into());
        assert_eq!(machine.map(|it| it.node).as_deref(), Some("cs2"));
        let first = site.machine_at(IpAddr::from([10, 0, 0, 1]));
        assert_eq!(first, None, "it is known no longer");
        let found = site.find("/boot.efi", None);
        assert_eq!(found, Found::File("/img/special/node.efi".into()));
    }

    #[test]
    fn who_asks_decides_what_boots() {
        let site = site();
        let boot = |address: [u8; 4]| {
            site.find("/boot.efi", site.machine_at(IpAddr::from(address)).as_ref())
        };
        let usual = Found::File("/img/usual/node.efi".into());
        assert_eq!(boot([10, 0, 0, 1]), usual);
        assert_eq!(boot([10, 0, 0, 2]), usual);
        let address = Ipv4Addr::new(10, 0, 0, 2);
        let machine = site.note_dhcp(DhcpEvent::Ack {
            mac: OTHER,
            address,
        });
        assert_eq!(machine.map(|machine| machine.node).as_deref(), Some("cs2"));
        assert_eq!(
            boot([10, 0, 0, 2]),
            Found::File("/usr/lib/ipxe/snponly.efi".into())
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
                "/machines/serial-cs2/ignition.json",
                Found::File("/config/cs2.ign".into()),
            ),
            (
                "/machines/serial-cs1/ignition.json",
                Found::File("/config/cs1/ignition.json".into()),
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
                Found::Nothing("there are only /boot.efi, /boot.ipxe, /images/ and /machines/"),
            ),
        ] {
            assert_eq!(site.find(path, None), expected, "{path}");
        }
    }

    #[test]
    fn scripts() {
        let site = site();
        let mut shown = String::new();
        for path in [
            "/boot.ipxe",
            "/machines/serial-cs1/boot.ipxe",
            "/machines/serial-cs2/boot.ipxe",
            "/machines/stranger/boot.ipxe",
        ] {
            let Found::Text(text) = site.find(path, None) else {
                panic!("{path} is no text");
            };
            let _ = write!(shown, "{path}\n{text}\n");
        }
        insta::assert_snapshot!(shown);
        let Found::Text(probe) = site.find(PROBE_PATH, None) else {
            panic!("no probe");
        };
        assert_eq!(probe.len(), PROBE_SIZE);
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
