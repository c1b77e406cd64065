//! Boot servers: DHCP as a supervised program of their unit, HTTP as a task of the lab on a socket
//! in their namespace.

use super::build::{Tracks, Workshop, bird_file};
use super::{Lab, LabError};
use crate::blueprint::{Blueprint, Contents};
use crate::boot::dhcp_log::DhcpEvent;
use crate::boot::dnsmasq::DnsmasqError;
use crate::boot::{
    BOOT_PATH, BootSite, SCRIPT_PATH, SiteBoot, SiteBundle, SiteMachine, SiteSpec, dhcp_log,
    dnsmasq, http,
};
use crate::error::chain;
use crate::event::EventBus;
use crate::unit::{LineReader, UnitRoot, UnitSpec, bird_app};
use placemat_host::netns::NetnsError;
use placemat_spec::event::{BootPhase, DhcpAct, LabEventKind};
use placemat_spec::resource::{App, BootRecipe, BootServer, DhcpFault, HttpFault, Name, NodeIndex};
use placemat_spec::selector::{Target, TargetKind};
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where the configuration is put, below `/run`.
const CONFIG: &str = "dnsmasq/dnsmasq.conf";

/// The program that reads it.
const DNSMASQ: &str = "dnsmasq";

impl Workshop {
    /// What a boot server offers to which machines. `index` is of all the cluster.
    pub(super) fn site(
        &self,
        boot_server: &BootServer,
        index: &NodeIndex<'_>,
    ) -> Result<SiteSpec, LabError> {
        let recipes = boot_server.recipes(&self.cluster, index);
        let machines = recipes.iter().map(|(name, recipe)| {
            let node = &self.cluster.nodes[*name];
            let macs = node.interfaces.iter().enumerate().map(|(index, nic)| {
                nic.mac
                    .unwrap_or_else(|| crate::plan::derived_mac(&node.name, index))
            });
            SiteMachine {
                node: node.name.clone(),
                serial: node.smbios.serial.clone(),
                macs: macs.collect(),
                boot: boot_of(*recipe),
                config: recipe.config.map(Path::to_owned),
                ignition: recipe.ignition.map(Path::to_owned),
            }
        });
        let bundle = |name: &Name| {
            let folder = self.bundle(Some(name))?;
            // Only iPXE's scripts need it, and `check` looks whether it is there for them.
            let command_line = std::fs::read_to_string(folder.join("cmdline")).unwrap_or_default();
            Some(SiteBundle {
                folder,
                command_line,
            })
        };
        let images = self.cluster.images.keys();
        let hosts = boot_server.dhcp.hosts.iter();
        Ok(SiteSpec {
            base: dnsmasq::base_url(boot_server).map_err(|error| LabError(error.to_string()))?,
            usual: boot_of(boot_server.usual()),
            machines: machines.collect(),
            bundles: images
                .filter_map(|name| Some((name.clone(), bundle(name)?)))
                .collect(),
            hosts: hosts.map(|host| (host.mac, host.address)).collect(),
            authorized_keys: self.authorized_keys.clone(),
            ipxe: placemat_host::probe::firmware::find_ipxe().ok(),
        })
    }
}

fn boot_of(recipe: BootRecipe<'_>) -> SiteBoot {
    SiteBoot {
        image: recipe.image.clone(),
        method: recipe.boot,
        kernel_params: recipe.kernel_params.to_vec(),
    }
}

fn configured(
    boot_server: &BootServer,
    fault: Option<DhcpFault>,
) -> Result<Contents, DnsmasqError> {
    let text = dnsmasq::config(boot_server, Path::new("/run/dnsmasq"), fault)?;
    Ok(text.into_bytes().into())
}

/// The unit of a boot server.
pub(super) fn unit_spec(
    boot_server: &BootServer,
    blueprint: &Blueprint,
    site: &Arc<BootSite>,
    tracks: &Tracks,
    bus: &EventBus,
) -> Result<UnitSpec, LabError> {
    let config = configured(boot_server, boot_server.faults.dhcp)
        .map_err(|error| LabError(error.to_string()))?;
    let mut files: Vec<(PathBuf, Contents)> = vec![(CONFIG.into(), config)];
    let mut apps = Vec::new();
    if let Some(bird) = &boot_server.bird {
        files.push(bird_file(bird, blueprint));
        apps.push(bird_app(bird.place));
    }
    let mut command = vec![DNSMASQ.to_owned()];
    command.extend(dnsmasq::arguments(&Path::new("/run").join(CONFIG)));
    apps.push(App {
        command,
        ..App::new(DNSMASQ, &[], boot_server.place)
    });
    let target = Target::new(TargetKind::BootServer, &boot_server.name);
    Ok(UnitSpec {
        files,
        apps,
        readers: HashMap::from([(
            DNSMASQ.to_owned(),
            dhcp_reader(
                site.clone(),
                tracks.clone(),
                bus.clone(),
                target.to_string(),
            ),
        )]),
        ..UnitSpec::new(target, UnitRoot::HostReadOnly)
    })
}

/// Follows leases by `dnsmasq`'s log, and makes events of what it tells.
fn dhcp_reader(site: Arc<BootSite>, tracks: Tracks, bus: EventBus, object: String) -> LineReader {
    LineReader(Arc::new(move |line| {
        let Some(event) = dhcp_log::parse(line) else {
            return;
        };
        let node = site.note_dhcp(event).map(|machine| machine.node.clone());
        let (act, mac, address) = match event {
            DhcpEvent::Discover { mac } => (DhcpAct::Discover, mac, None),
            DhcpEvent::Ack { mac, address } => (DhcpAct::Ack, mac, Some(address)),
            DhcpEvent::Nak { mac, address } => (DhcpAct::Nak, mac, Some(address)),
        };
        if act == DhcpAct::Ack
            && let Some(track) = node.as_ref().and_then(|it| tracks.get(it))
        {
            track.reach(BootPhase::Dhcp, None);
        }
        let told = LabEventKind::Dhcp {
            act,
            node,
            mac: mac.to_string(),
            address: address.map(|it| it.to_string()),
        };
        bus.emit(object.clone(), told);
    }))
}

/// Turns requests into events and boot phases.
struct Observer {
    lab: Lab,
    object: String,
}

impl http::HttpObserver for Observer {
    fn asked(&self, node: Option<&Name>, path: &str) {
        // What firmware fetches is a boot phase; what a booted system fetches is not.
        let server = node.and_then(|node| self.lab.server(node));
        if let Some(server) = server
            && [BOOT_PATH, SCRIPT_PATH].contains(&path)
        {
            server.track().reach(BootPhase::Http, None);
        }
    }

    fn answered(&self, event: LabEventKind) {
        self.lab.bus().emit(self.object.clone(), event);
    }
}

impl Lab {
    /// Starts HTTP of every boot server. The sockets outlive a loss of power, during which no
    /// packet reaches them. What fails is an event on its boot server, and a sentence of what this
    /// gives.
    pub(super) fn serve_http(&self) -> Vec<String> {
        let mut failures = Vec::new();
        for boot_server in self.cluster().boot_servers.values() {
            let target = Target::new(TargetKind::BootServer, &boot_server.name);
            if let Err(text) = self.serve_http_on(&target, boot_server.http_port) {
                failures.push(self.note_failure(&target, text));
            }
        }
        failures
    }

    /// Starts HTTP of one.
    pub(super) fn serve_http_on(&self, target: &Target, port: u16) -> Result<(), String> {
        let served = self.serve_http_of(target, port);
        served.map_err(|error| format!("its HTTP server did not start: {}", chain(&error)))
    }

    /// How a boot server's HTTP misbehaves from now on.
    pub(crate) fn set_http_fault(
        &self,
        target: &Target,
        fault: Option<HttpFault>,
    ) -> Result<(), String> {
        self.site(target)?.set_fault(fault);
        Ok(())
    }

    /// How a boot server's HTTP was told to misbehave.
    pub(crate) fn http_fault(&self, target: &Target) -> Result<Option<HttpFault>, String> {
        Ok(*self.site(target)?.fault().borrow())
    }

    fn site(&self, target: &Target) -> Result<Arc<BootSite>, String> {
        let site = self.fleet().sites.get(target).cloned();
        site.ok_or_else(|| format!("{target} is no boot server"))
    }

    /// Whether a boot server's HTTP is seen to misbehave in this way, or with `None`, not at all. It
    /// must have power.
    pub(crate) async fn http_shows(
        &self,
        target: &Target,
        fault: Option<HttpFault>,
    ) -> Result<bool, String> {
        let failed =
            |error: &dyn std::error::Error| format!("look at HTTP of {target}: {}", chain(error));
        let port = self.boot_server(target)?.http_port;
        let netns = self.wiring().netns(target);
        let connect = move || netns.run(|| TcpStream::connect((Ipv4Addr::LOCALHOST, port)));
        let stream = tokio::task::spawn_blocking(connect)
            .await
            .map_err(|error| failed(&error))?
            .map_err(|error| failed(&error))?;
        stream
            .set_nonblocking(true)
            .map_err(|error| failed(&error))?;
        let stream = tokio::net::TcpStream::from_std(stream).map_err(|error| failed(&error))?;
        let seen = crate::boot::look_at_http(stream, fault).await;
        seen.map_err(|error| failed(&error))
    }

    /// How a boot server's DHCP misbehaves from now on: its `dnsmasq` is started anew.
    pub(crate) async fn set_dhcp_fault(
        &self,
        target: &Target,
        fault: Option<DhcpFault>,
    ) -> Result<(), String> {
        let config =
            configured(&self.boot_server(target)?, fault).map_err(|error| error.to_string())?;
        let unit = self
            .unit(target)
            .ok_or_else(|| format!("{target} has no DHCP"))?;
        if unit.has_file(Path::new(CONFIG), &config) {
            return Ok(());
        }
        let replaced = unit.replace_file(Path::new(CONFIG), config, DNSMASQ).await;
        replaced.map_err(|error| error.to_string())
    }

    /// Whether a boot server's `dnsmasq` runs, and was started with this fault or without any. One
    /// that does not run cannot be asked, but what it will be started with is known.
    pub(crate) fn dhcp_shows(
        &self,
        target: &Target,
        fault: Option<DhcpFault>,
    ) -> Result<bool, String> {
        let config =
            configured(&self.boot_server(target)?, fault).map_err(|error| error.to_string())?;
        let unit = self
            .unit(target)
            .ok_or_else(|| format!("{target} has no DHCP"))?;
        let runs = !unit.is_on() || unit.app_runs(DNSMASQ);
        Ok(runs && unit.has_file(Path::new(CONFIG), &config))
    }

    fn boot_server(&self, target: &Target) -> Result<BootServer, String> {
        (target.kind == TargetKind::BootServer)
            .then(|| self.cluster().boot_servers.get(&target.name).cloned())
            .flatten()
            .ok_or_else(|| format!("{target} is no boot server"))
    }

    fn serve_http_of(&self, target: &Target, port: u16) -> Result<(), NetnsError> {
        let Ok(site) = self.site(target) else {
            return Ok(());
        };
        let netns = self.wiring().netns(target);
        // Any address: the loopback's comes and goes with power.
        let any = SocketAddr::new(IpAddr::from([0, 0, 0, 0]), port);
        let listener = netns.run(|| TcpListener::bind(any))?;
        let observer = Arc::new(Observer {
            lab: self.clone(),
            object: target.to_string(),
        });
        let cancel = site.served().clone();
        let (lab, target) = (self.clone(), target.clone());
        self.tasks().spawn(async move {
            if let Err(error) = http::serve(listener, site, observer, cancel).await {
                lab.note_failure(&target, format!("its HTTP server ended: {}", chain(&error)));
            }
        });
        Ok(())
    }
}
