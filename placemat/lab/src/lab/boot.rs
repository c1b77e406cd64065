//! Boot servers: DHCP as a supervised program of their unit, HTTP as a task of the lab on a socket
//! in their namespace.

use super::build::{Tracks, Workshop, bird_file};
use super::{Lab, LabError};
use crate::boot::{BootSite, SiteMachine, dhcp_log, dnsmasq, http};
use crate::error::chain;
use crate::unit::{LineReader, UnitRoot, UnitSpec, bird_app};
use placemat_host::netns::NetnsError;
use placemat_spec::event::{BootPhase, LabEventKind};
use placemat_spec::resource::{App, BootServer, Name};
use placemat_spec::selector::{Target, TargetKind};
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;

/// Where the configuration is put, below `/run`.
const CONFIG: &str = "dnsmasq/dnsmasq.conf";

impl Workshop {
    /// What a boot server offers to which machines.
    pub(super) fn site(&self, boot_server: &BootServer) -> Arc<BootSite> {
        let by_serial = |serial: &str| {
            self.cluster
                .nodes
                .values()
                .find(|node| node.smbios.serial == serial)
        };
        let machines = boot_server.machines.iter().filter_map(|entry| {
            let node = by_serial(&entry.serial)?;
            let macs = node.interfaces.iter().enumerate().map(|(index, nic)| {
                nic.mac
                    .unwrap_or_else(|| crate::plan::derived_mac(&node.name, index))
            });
            Some(SiteMachine {
                node: node.name.clone(),
                serial: entry.serial.clone(),
                macs: macs.collect(),
                image: entry.image.clone(),
                config: entry.config.clone(),
            })
        });
        let bundles: HashMap<Name, _> = self
            .cluster
            .images
            .keys()
            .filter_map(|name| Some((name.clone(), self.bundle(Some(name))?)))
            .collect();
        let hosts = boot_server
            .dhcp
            .hosts
            .iter()
            .map(|host| (host.mac, host.address));
        Arc::new(BootSite::new(
            boot_server.image.clone(),
            machines.collect(),
            bundles,
            hosts,
        ))
    }
}

/// The unit of a boot server.
pub(super) fn unit_spec(
    boot_server: &BootServer,
    site: &Arc<BootSite>,
    tracks: &Tracks,
) -> Result<UnitSpec, LabError> {
    let state = Path::new("/run/dnsmasq");
    let config =
        dnsmasq::config(boot_server, state).map_err(|error| LabError(error.to_string()))?;
    let mut files = vec![(CONFIG.into(), config.into_bytes())];
    let mut apps = Vec::new();
    if let Some(bird) = &boot_server.bird {
        files.push(bird_file(bird)?);
        apps.push(bird_app(bird.place));
    }
    let mut command = vec!["dnsmasq".to_owned()];
    command.extend(dnsmasq::arguments(&Path::new("/run").join(CONFIG)));
    apps.push(App {
        command,
        ..App::new("dnsmasq", &[], boot_server.place)
    });
    let target = Target::new(TargetKind::BootServer, &boot_server.name);
    Ok(UnitSpec {
        files,
        apps,
        readers: HashMap::from([(
            "dnsmasq".to_owned(),
            dhcp_reader(site.clone(), tracks.clone()),
        )]),
        ..UnitSpec::new(target, UnitRoot::HostReadOnly)
    })
}

/// Follows leases by `dnsmasq`'s log.
fn dhcp_reader(site: Arc<BootSite>, tracks: Tracks) -> LineReader {
    LineReader(Arc::new(move |line| {
        let Some(event) = dhcp_log::parse(line) else {
            return;
        };
        let given = matches!(event, dhcp_log::DhcpEvent::Ack { .. });
        let machine = site.note_dhcp(event);
        if given && let Some(track) = machine.and_then(|machine| tracks.get(&machine.node)) {
            track.reach(BootPhase::Dhcp, None);
        }
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
            && path == dnsmasq::BOOT_PATH
        {
            server.track().reach(BootPhase::Http, None);
        }
    }

    fn answered(&self, _node: Option<&Name>, event: LabEventKind) {
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
            if let Err(error) = self.serve_http_of(&target, boot_server.http_port) {
                let text = format!("its HTTP server did not start: {}", chain(&error));
                failures.push(self.note_failure(&target, text));
            }
        }
        failures
    }

    fn serve_http_of(&self, target: &Target, port: u16) -> Result<(), NetnsError> {
        let Some(site) = self.inner.sites.get(target) else {
            return Ok(());
        };
        let netns = self.wiring().netns(target).clone();
        // Any address: the loopback's comes and goes with power.
        let any = SocketAddr::new(IpAddr::from([0, 0, 0, 0]), port);
        let listener = netns.run(|| TcpListener::bind(any))?;
        let observer = Arc::new(Observer {
            lab: self.clone(),
            object: target.to_string(),
        });
        let (site, cancel) = (site.clone(), self.inner.cancel.clone());
        let (lab, target) = (self.clone(), target.clone());
        self.tasks().spawn(async move {
            if let Err(error) = http::serve(listener, site, observer, cancel).await {
                lab.note_failure(&target, format!("its HTTP server ended: {}", chain(&error)));
            }
        });
        Ok(())
    }
}
