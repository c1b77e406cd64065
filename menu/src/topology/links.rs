//! What both ends of a link have: names, NICs, sessions.

use super::{Interface, Network, PeerKind, Session};
use crate::allocation::Addresses;
use crate::rack::{DataCenter, Family};
use std::net::IpAddr;

/// NICs named `eth0`, `eth1`, ... in the order of `ends`.
pub(super) fn interfaces(ends: impl Iterator<Item = (String, Addresses)>) -> Vec<Interface> {
    ends.enumerate()
        .map(|(index, (network, addresses))| Interface {
            name: format!("eth{index}"),
            network,
            address: addresses.v4,
            address6: addresses.v6,
            mac: None,
        })
        .collect()
}

/// A network between machines of the data center.
pub(super) fn network(name: String, role: &'static str) -> Network {
    Network {
        name,
        role,
        bmc: None,
        outside: Vec::new(),
        rack: None,
        pod: None,
    }
}

/// Who is at the other end of a session.
#[derive(Debug, Clone)]
pub(super) struct Peer {
    pub(super) name: String,
    pub(super) kind: PeerKind,
    pub(super) asn: u32,
}

/// The sessions to a peer: one, or one of each family. An own address that is not given from here
/// is left out.
pub(super) fn sessions(
    dc: &DataCenter,
    peer: &Peer,
    local: Addresses,
    neighbor: Addresses,
) -> Vec<Session> {
    let session = |ipv6: bool, name: &str, channels: &[&'static str]| {
        let of = |addresses: Addresses| -> Option<IpAddr> {
            if ipv6 {
                addresses.v6.map(|net| net.addr().into())
            } else {
                addresses.v4.map(|net| net.addr().into())
            }
        };
        // A neighbor that has no address in a family has no session of it.
        Some(Session {
            name: name.to_owned(),
            peer: peer.name.clone(),
            kind: peer.kind,
            local: of(local),
            neighbor: of(neighbor)?,
            asn: peer.asn,
            channels: channels.to_vec(),
        })
    };
    let name = &peer.name;
    let sessions = match dc.family {
        Family::Ipv4 => [session(false, name, &["ipv4"]), None],
        Family::Ipv6 => [session(true, name, &["ipv4", "ipv6"]), None],
        Family::Dual => [
            session(false, name, &["ipv4"]),
            session(true, &format!("{name}-ipv6"), &["ipv6"]),
        ],
    };
    sessions.into_iter().flatten().collect()
}
