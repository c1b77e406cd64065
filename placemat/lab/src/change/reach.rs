//! Whom a change disturbs: sessions that are up and will go down, machines that restart, come, go or lose an interface.

use super::bird::Difference;
use super::{Act, Changes, Fate, How, MachineChange, SessionKind, SessionLoss};
use crate::blueprint::Blueprint;
use crate::plan::{End, Rewiring};
use ipnet::IpNet;
use placemat_spec::Cluster;
use placemat_spec::resource::Interface;
use placemat_spec::selector::{Target, TargetKind};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::IpAddr;

/// A session that is up, as one of its ends sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveSession {
    /// Whose BIRD told of it.
    pub of: Target,
    /// What kind.
    pub kind: SessionKind,
    /// Protocol of the BIRD configuration; BFD has none of its own.
    pub protocol: Option<String>,
    /// The other end.
    pub neighbor: IpAddr,
    /// The interface, where the session says so itself.
    pub interface: Option<String>,
}

/// Where an address is.
#[derive(Debug, Clone)]
struct Whereabouts {
    target: Target,
    /// The interface that has it; absent: the loopback.
    interface: Option<String>,
}

/// Everything that breaks sessions, by where it happens.
struct Causes<'c> {
    /// Everything of a target.
    targets: HashMap<String, String>,
    /// Everything on an interface.
    links: HashMap<(Target, String), String>,
    /// Everything from and to an address.
    addresses: HashMap<IpAddr, String>,
    /// Single protocols of a target.
    protocols: &'c HashMap<String, Difference>,
}

/// Adds sessions and machines to `changes`.
pub(super) fn tell(
    changes: &mut Changes,
    old: &Blueprint,
    rewiring: &Rewiring,
    sessions: &[LiveSession],
    protocols: &HashMap<String, Difference>,
) {
    changes.machines = machines(changes, rewiring);
    let causes = causes(changes, rewiring, protocols);
    let known = addresses(&old.cluster);
    let interfaces: Interfaces<'_> = machines_of(&old.cluster)
        .map(|(target, interfaces, _)| (target, interfaces))
        .collect();
    // Both ends tell of the same session.
    let mut lost: BTreeMap<(SessionKind, Vec<String>), SessionLoss> = BTreeMap::new();
    for session in sessions {
        let far = known.get(&session.neighbor);
        let near = near(session, &interfaces, far);
        let Some(why) = causes.why(session, near.as_deref(), far) else {
            continue;
        };
        let mut ends = vec![shown(&session.of, near.as_deref())];
        ends.extend(far.map(|far| shown(&far.target, far.interface.as_deref())));
        ends.sort();
        let loss = SessionLoss {
            kind: session.kind,
            ends: ends.clone(),
            why,
        };
        lost.entry((session.kind, ends)).or_insert(loss);
    }
    changes.sessions = lost.into_values().collect();
}

impl Causes<'_> {
    fn why(
        &self,
        session: &LiveSession,
        near: Option<&str>,
        far: Option<&Whereabouts>,
    ) -> Option<String> {
        let mut ends = vec![(&session.of, near)];
        ends.extend(far.map(|far| (&far.target, far.interface.as_deref())));
        for (target, _) in &ends {
            if let Some(why) = self.targets.get(&target.to_string()) {
                return Some(why.clone());
            }
        }
        for (target, interface) in &ends {
            let link = interface.map(|name| ((*target).clone(), name.to_owned()));
            if let Some(why) = link.and_then(|link| self.links.get(&link)) {
                return Some(why.clone());
            }
        }
        if let Some(why) = self.addresses.get(&session.neighbor) {
            return Some(why.clone());
        }
        let protocol = session.protocol.as_ref()?;
        let difference = self.protocols.get(&session.of.to_string())?;
        difference
            .touches(protocol)
            .then(|| format!("protocol {protocol} of {} changes", session.of))
    }
}

fn causes<'c>(
    changes: &Changes,
    rewiring: &Rewiring,
    protocols: &'c HashMap<String, Difference>,
) -> Causes<'c> {
    let mut causes = Causes {
        protocols,
        targets: HashMap::new(),
        links: HashMap::new(),
        addresses: HashMap::new(),
    };
    for change in &changes.objects {
        let object = &change.object;
        let bird = change.keys.iter().find(|key| key.key == "bird.config");
        let why = match (change.act, change.how) {
            (Act::Remove, _) => format!("{object} is removed"),
            (Act::Change, How::Restart) => format!("{object} restarts"),
            _ => match bird.map(|key| (key.old.is_some(), key.new.is_some())) {
                Some((true, false)) => format!("BIRD of {object} is stopped"),
                _ => continue,
            },
        };
        causes.targets.insert(object.clone(), why);
    }
    let made: HashSet<(&Target, &str, &str)> = rewiring
        .made()
        .map(|(end, network)| (&end.target, end.interface.as_str(), network))
        .collect();
    for (end, network) in rewiring.cut() {
        let again = made.contains(&(&end.target, &*end.interface, network));
        let why = if rewiring.converted.iter().any(|it| it == network) {
            format!("network/{network} becomes a bridge")
        } else if again {
            format!("the link on network/{network} is made anew")
        } else {
            format!("the link on network/{network} is removed")
        };
        let link = (end.target.clone(), end.interface.clone());
        causes.links.insert(link, why);
    }
    for (was, is) in rewiring.set() {
        let gone = was.addresses.iter().filter(|it| !is.addresses.contains(it));
        for address in gone {
            let why = format!("{address} of {}:{} goes", was.target, was.interface);
            causes.addresses.insert(address.addr(), why);
        }
    }
    for change in &changes.objects {
        let Some(key) = change.keys.iter().find(|key| key.key == "loopback") else {
            continue;
        };
        let nets = |text: &Option<String>| -> Vec<IpNet> {
            let words = text.as_deref().unwrap_or_default().split(' ');
            words.filter_map(|word| word.parse().ok()).collect()
        };
        let stays = nets(&key.new);
        for net in nets(&key.old).into_iter().filter(|it| !stays.contains(it)) {
            let why = format!("{net} of {} goes", change.object);
            causes.addresses.insert(net.addr(), why);
        }
    }
    causes
}

fn machines(changes: &Changes, rewiring: &Rewiring) -> Vec<MachineChange> {
    let is_machine = |object: &str| {
        ["router/", "boot-server/", "node/"]
            .iter()
            .any(|kind| object.starts_with(kind))
    };
    let mut machines = Vec::new();
    for change in changes.objects.iter().filter(|it| is_machine(&it.object)) {
        let restarting = change.keys.iter().filter(|key| key.how == How::Restart);
        let (fate, why) = match (change.act, change.how) {
            (Act::Add, _) => (Fate::New, String::new()),
            (Act::Remove, _) => (Fate::Removed, String::new()),
            (Act::Change, How::Restart) => {
                let keys: Vec<&str> = restarting.map(|key| key.key.as_str()).collect();
                (Fate::Restarts, keys.join(", "))
            }
            (Act::Change, _) => continue,
        };
        machines.push(MachineChange {
            machine: change.object.clone(),
            fate,
            why,
        });
    }
    let told: HashSet<String> = machines.iter().map(|it| it.machine.clone()).collect();
    let mut losing: BTreeMap<&Target, Vec<&End>> = BTreeMap::new();
    for (end, _) in rewiring.cut() {
        losing.entry(&end.target).or_default().push(end);
    }
    for (target, ends) in losing {
        if !told.contains(&target.to_string()) {
            let mut names: Vec<&str> = ends.iter().map(|end| end.interface.as_str()).collect();
            names.sort_unstable();
            machines.push(MachineChange {
                machine: target.to_string(),
                fate: Fate::LosesInterface,
                why: names.join(", "),
            });
        }
    }
    machines
}

/// Who has which address. Of several with the same, as on several segments, the first.
fn addresses(cluster: &Cluster) -> HashMap<IpAddr, Whereabouts> {
    let mut known = HashMap::new();
    for (target, interfaces, loopback) in machines_of(cluster) {
        for interface in interfaces {
            for address in &interface.addresses {
                known.entry(address.addr()).or_insert(Whereabouts {
                    target: target.clone(),
                    interface: Some(interface.name.clone()),
                });
            }
        }
        for address in loopback {
            known.entry(address.addr()).or_insert(Whereabouts {
                target: target.clone(),
                interface: None,
            });
        }
    }
    known
}

fn machines_of(cluster: &Cluster) -> impl Iterator<Item = (Target, &[Interface], &[IpNet])> {
    let routers = cluster.routers.values().map(|it| {
        let target = Target::new(TargetKind::Router, &it.name);
        (target, &it.interfaces[..], &it.loopback[..])
    });
    let boot_servers = cluster.boot_servers.values().map(|it| {
        let target = Target::new(TargetKind::BootServer, &it.name);
        (target, &it.interfaces[..], &it.loopback[..])
    });
    let nodes = cluster.nodes.values().map(|it| {
        let target = Target::new(TargetKind::Node, &it.name);
        (target, &it.interfaces[..], &it.loopback[..])
    });
    routers.chain(boot_servers).chain(nodes)
}

type Interfaces<'c> = HashMap<Target, &'c [Interface]>;

/// The interface by which one end reaches the other: that with an address of the neighbour's subnet, else the one that is
/// on the same network.
fn near(
    session: &LiveSession,
    interfaces: &Interfaces<'_>,
    far: Option<&Whereabouts>,
) -> Option<String> {
    if session.interface.is_some() {
        return session.interface.clone();
    }
    let own = interfaces.get(&session.of)?;
    let neighbor = session.neighbor;
    let by_subnet = own
        .iter()
        .find(|it| it.addresses.iter().any(|net| net.contains(&neighbor)));
    let by_network = || {
        let far = far?;
        let name = far.interface.as_ref()?;
        let peers = interfaces.get(&far.target)?;
        let peer = peers.iter().find(|it| it.name == *name)?;
        own.iter().find(|it| it.network == peer.network)
    };
    by_subnet.or_else(by_network).map(|it| it.name.clone())
}

fn shown(target: &Target, interface: Option<&str>) -> String {
    match interface {
        Some(interface) => format!("{target}:{interface}"),
        None => target.to_string(),
    }
}
