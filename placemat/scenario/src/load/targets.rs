//! Selectors to targets, and targets to addresses.

use super::reader::{Reader, Value};
use ipnet::IpNet;
use placemat_spec::document::At;
use placemat_spec::resource::{Interface, Labels, Node, Tier};
use placemat_spec::selector::{Selector, Target, TargetKind};
use placemat_spec::supply::Supply;
use placemat_spec::{Cluster, Place};
use std::fmt;
use std::net::IpAddr;

/// What has a routing daemon and loopbacks.
pub(crate) const ROUTING: &[TargetKind] =
    &[TargetKind::Router, TargetKind::BootServer, TargetKind::Node];
/// Where commands can run.
pub(crate) const EXEC: &[TargetKind] = &[
    TargetKind::Router,
    TargetKind::BootServer,
    TargetKind::Node,
    TargetKind::Hub,
];
/// Where probe flows can start.
pub(crate) const FLOWS: &[TargetKind] = ROUTING;
/// What can lose power; feeds and PDUs stand for the machines behind them.
pub(crate) const POWERED: &[TargetKind] = &[
    TargetKind::Node,
    TargetKind::Router,
    TargetKind::BootServer,
    TargetKind::Feed,
    TargetKind::Pdu,
];
/// Boot servers.
pub(crate) const BOOT_SERVERS: &[TargetKind] = &[TargetKind::BootServer];
/// Servers.
pub(crate) const NODES: &[TargetKind] = &[TargetKind::Node];
/// Anything a loop can go through.
pub(super) const ANY: &[TargetKind] = &[
    TargetKind::Node,
    TargetKind::Router,
    TargetKind::BootServer,
    TargetKind::Feed,
    TargetKind::Pdu,
    TargetKind::Network,
    TargetKind::Hub,
];

/// Targets, and how the file names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Targets {
    text: String,
    list: Vec<Target>,
}

impl std::ops::Deref for Targets {
    type Target = [Target];
    fn deref(&self) -> &[Target] {
        &self.list
    }
}

impl fmt::Display for Targets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Where a route or a ping goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Destination {
    pub(crate) net: IpNet,
    /// Whose loopback it is, when it was named by a selector.
    pub(crate) of: Option<Target>,
}

/// Destinations, and how the file names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Destinations {
    pub(crate) text: String,
    pub(crate) list: Vec<Destination>,
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.net.prefix_len() == self.net.max_prefix_len();
        match &self.of {
            Some(target) => write!(f, "{target} ({})", self.net.addr()),
            None if host => write!(f, "{}", self.net.addr()),
            None => write!(f, "{}", self.net),
        }
    }
}

impl Reader<'_> {
    /// The targets of one selector or a list of them, in order, each once. Zero matches are an
    /// error; `None` in is a key that is missing and has been reported.
    pub(crate) fn targets(
        &mut self,
        value: Option<&Value<'_>>,
        allowed: &[TargetKind],
    ) -> Option<Targets> {
        self.targets_of(value, allowed, allowed.len() < ANY.len())
    }

    /// The same, with feeds and PDUs as themselves.
    pub(crate) fn sources(
        &mut self,
        value: Option<&Value<'_>>,
        allowed: &[TargetKind],
    ) -> Option<Targets> {
        self.targets_of(value, allowed, false)
    }

    fn targets_of(
        &mut self,
        value: Option<&Value<'_>>,
        allowed: &[TargetKind],
        machines: bool,
    ) -> Option<Targets> {
        let value = value?;
        let selectors = if value.tree.as_list().is_some() {
            self.list(value)?
        } else {
            vec![value.clone()]
        };
        let mut targets = Targets {
            text: String::new(),
            list: Vec::new(),
        };
        let mut whole = true;
        for selector in &selectors {
            let Some((text, found)) = self.selector(selector, allowed, machines) else {
                whole = false;
                continue;
            };
            if !targets.text.is_empty() {
                targets.text.push_str(", ");
            }
            targets.text.push_str(&text);
            for target in found {
                if !targets.list.contains(&target) {
                    targets.list.push(target);
                }
            }
        }
        whole.then_some(targets)
    }

    fn selector(
        &mut self,
        value: &Value<'_>,
        allowed: &[TargetKind],
        machines: bool,
    ) -> Option<(String, Vec<Target>)> {
        let text = self.text(value)?;
        let mut found = self.selected(&text, value.place)?;
        if text.starts_with("rack/") && found.iter().any(|target| allowed.contains(&target.kind)) {
            // A rack means whatever in it fits here; of a type that does not fit is a mistake.
            found.retain(|target| allowed.contains(&target.kind));
        }
        let mut targets = Vec::new();
        for target in found {
            if machines && Supply::is_source(&target) && allowed.contains(&target.kind) {
                targets.extend(Supply::of(self.cluster).behind(&[target]));
            } else {
                targets.push(target);
            }
        }
        if let Some(refused) = targets
            .iter()
            .find(|target| !allowed.contains(&target.kind))
        {
            let kinds: Vec<String> = allowed.iter().map(|kind| format!("`{kind}`")).collect();
            self.problem(
                "wrong-target",
                format!("{} cannot be {refused}", value.what),
                value.place,
                "wrong kind of target".to_owned(),
                Some(format!("expected {}", kinds.join(", "))),
            );
            return None;
        }
        Some((text, targets))
    }

    /// The targets of a selector's text, which must match something.
    pub(super) fn selected(&mut self, text: &str, place: Place) -> Option<Vec<Target>> {
        match Selector::parse(text).and_then(|selector| selector.resolve(self.cluster)) {
            Ok(targets) => Some(targets),
            Err(error) => {
                self.findings.error(error.problem(&At::new(text, place)));
                None
            }
        }
    }

    /// Loopbacks of targets, or one prefix or address.
    pub(crate) fn destinations(&mut self, value: Option<&Value<'_>>) -> Option<Destinations> {
        let value = value?;
        if value.tree.as_list().is_none() {
            let text = self.text(value)?;
            let net = text.parse::<IpNet>().map(|net| net.trunc());
            if let Ok(net) = net.or_else(|_| text.parse::<IpAddr>().map(IpNet::from)) {
                return Some(Destinations {
                    text,
                    list: vec![Destination { net, of: None }],
                });
            }
        }
        let targets = self.targets(Some(value), ROUTING)?;
        let list: Vec<Destination> = targets
            .iter()
            .flat_map(|target| {
                loopbacks(self.cluster, target)
                    .iter()
                    .map(|net| Destination {
                        net: IpNet::from(net.addr()),
                        of: Some(target.clone()),
                    })
            })
            .collect();
        if list.is_empty() {
            self.no_loopback(&targets, value.place);
            return None;
        }
        Some(Destinations {
            text: targets.text,
            list,
        })
    }

    /// Targets with their first loopback address; those without one are an error.
    pub(crate) fn addressed(
        &mut self,
        targets: &[Target],
        place: Place,
    ) -> Option<Vec<(Target, IpAddr)>> {
        let addressed: Vec<(Target, IpAddr)> = targets
            .iter()
            .filter_map(|target| Some((target.clone(), loopback(self.cluster, target)?)))
            .collect();
        if addressed.len() == targets.len() {
            return Some(addressed);
        }
        let bare: Vec<Target> = targets
            .iter()
            .filter(|target| loopback(self.cluster, target).is_none())
            .cloned()
            .collect();
        self.no_loopback(&bare, place);
        None
    }

    /// Addresses of targets on their links: what next hops name.
    pub(crate) fn addresses_on_links(
        &mut self,
        targets: &[Target],
        place: Place,
    ) -> Option<Vec<IpAddr>> {
        let addresses: Vec<IpAddr> = targets
            .iter()
            .flat_map(|target| interfaces(self.cluster, target))
            .flat_map(|interface| interface.addresses.iter().map(IpNet::addr))
            .collect();
        if addresses.is_empty() {
            self.problem(
                "no-address",
                format!("{} has no address on a link", crate::model::named(targets)),
                place,
                "cannot be a next hop".to_owned(),
                Some("a server's addresses are leased: name routers or boot servers".to_owned()),
            );
            return None;
        }
        Some(addresses)
    }

    fn no_loopback(&mut self, targets: &[Target], place: Place) {
        self.problem(
            "no-loopback",
            format!("{} has no loopback address", crate::model::named(targets)),
            place,
            "has no address to speak to".to_owned(),
            Some("give it `loopback:` in the data center file".to_owned()),
        );
    }

    /// Probe flows can start only where the lab can open sockets: not inside a VM.
    pub(crate) fn can_send(&mut self, targets: &[Target], value: &Value<'_>) -> bool {
        let vm = targets
            .iter()
            .find(|target| node(self.cluster, target).is_some_and(|node| node.tier != Tier::Netns));
        let Some(vm) = vm else { return true };
        let tier = node(self.cluster, vm).map_or("full", |node| crate::runner::tier(node.tier));
        self.problem(
            "wrong-target",
            format!("flows cannot start at {vm}, which is of tier {tier}"),
            value.place,
            "no sockets can be opened in it".to_owned(),
            Some(
                "use routers, boot servers, or servers of tier netns: `node/tier=netns`".to_owned(),
            ),
        );
        false
    }
}

/// A server.
pub(super) fn node<'c>(cluster: &'c Cluster, target: &Target) -> Option<&'c Node> {
    (target.kind == TargetKind::Node)
        .then(|| cluster.nodes.get(&target.name))
        .flatten()
}

/// Labels of a target.
pub(super) fn labels<'c>(cluster: &'c Cluster, target: &Target) -> Option<&'c Labels> {
    let name = &target.name;
    match target.kind {
        TargetKind::Node => cluster.nodes.get(name).map(|node| &node.labels),
        TargetKind::Router => cluster.routers.get(name).map(|router| &router.labels),
        TargetKind::BootServer => cluster.boot_servers.get(name).map(|server| &server.labels),
        TargetKind::Network => cluster.networks.get(name).map(|network| &network.labels),
        TargetKind::Feed | TargetKind::Pdu => cluster.feeds.get(name).map(|feed| &feed.labels),
        TargetKind::Hub => None,
    }
}

fn interfaces<'c>(cluster: &'c Cluster, target: &Target) -> &'c [Interface] {
    let name = &target.name;
    match target.kind {
        TargetKind::Node => cluster.nodes.get(name).map(|it| &it.interfaces),
        TargetKind::Router => cluster.routers.get(name).map(|it| &it.interfaces),
        TargetKind::BootServer => cluster.boot_servers.get(name).map(|it| &it.interfaces),
        _ => None,
    }
    .map_or(&[], Vec::as_slice)
}

fn loopbacks<'c>(cluster: &'c Cluster, target: &Target) -> &'c [IpNet] {
    let name = &target.name;
    match target.kind {
        TargetKind::Node => cluster.nodes.get(name).map(|node| &node.loopback),
        TargetKind::Router => cluster.routers.get(name).map(|router| &router.loopback),
        TargetKind::BootServer => cluster
            .boot_servers
            .get(name)
            .map(|server| &server.loopback),
        _ => None,
    }
    .map_or(&[], Vec::as_slice)
}

/// The first loopback address of a target.
pub(super) fn loopback(cluster: &Cluster, target: &Target) -> Option<IpAddr> {
    loopbacks(cluster, target).first().map(IpNet::addr)
}

/// The first loopback address of a target that speaks to `to`: one of the same family.
pub(crate) fn source(cluster: &Cluster, target: &Target, to: IpAddr) -> Option<IpAddr> {
    let mut own = loopbacks(cluster, target).iter().map(IpNet::addr);
    own.find(|own| own.is_ipv4() == to.is_ipv4())
}
