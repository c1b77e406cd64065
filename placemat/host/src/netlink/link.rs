//! Links: bridges, veth pairs, state and counters.

use super::{CREATE, Netlink, NetlinkError};
use crate::netns::Netns;
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{
    InfoData, InfoKind, InfoVeth, LinkAttribute, LinkFlags, LinkInfo, LinkMessage,
};
use std::collections::HashMap;

/// One end of a veth pair to be made.
#[derive(Debug, Clone, Copy)]
pub struct VethEnd<'a> {
    /// Its name.
    pub name: &'a str,
    /// The namespace it goes to; `None`: the socket's own.
    pub netns: Option<&'a Netns>,
    /// Its MAC; `None`: the kernel draws one.
    pub mac: Option<[u8; 6]>,
    /// Its MTU in bytes; `None`: the kernel's 1500.
    pub mtu: Option<u32>,
}

impl VethEnd<'_> {
    fn attributes(&self) -> Vec<LinkAttribute> {
        let mut attributes = vec![LinkAttribute::IfName(self.name.to_owned())];
        attributes.extend(
            self.netns
                .map(|netns| LinkAttribute::NetNsFd(netns.raw_fd())),
        );
        attributes.extend(self.mac.map(|mac| LinkAttribute::Address(mac.to_vec())));
        attributes.extend(self.mtu.map(LinkAttribute::Mtu));
        attributes
    }
}

/// A link as the kernel shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkState {
    /// Name.
    pub name: String,
    /// Index in its namespace.
    pub index: u32,
    /// Administratively up.
    pub up: bool,
    /// The other end is there.
    pub carrier: bool,
    /// Packets received.
    pub rx_packets: u64,
    /// Packets sent.
    pub tx_packets: u64,
    /// MAC, empty where it has none.
    pub mac: Vec<u8>,
    /// MTU in bytes.
    pub mtu: u32,
}

impl Netlink {
    /// Makes a bridge without spanning tree, down.
    pub fn create_bridge(&mut self, name: &str, mtu: Option<u32>) -> Result<(), NetlinkError> {
        let mut message = LinkMessage::default();
        message.attributes = vec![
            LinkAttribute::IfName(name.to_owned()),
            LinkAttribute::LinkInfo(vec![LinkInfo::Kind(InfoKind::Bridge)]),
        ];
        message.attributes.extend(mtu.map(LinkAttribute::Mtu));
        self.request(RouteNetlinkMessage::NewLink(message), CREATE, || {
            format!("create bridge {name}")
        })
    }

    /// Makes a veth pair, each end in its namespace, both down.
    pub fn create_veth(&mut self, a: VethEnd<'_>, b: VethEnd<'_>) -> Result<(), NetlinkError> {
        let mut peer = LinkMessage::default();
        peer.attributes = b.attributes();
        let mut message = LinkMessage::default();
        message.attributes = a.attributes();
        message.attributes.push(LinkAttribute::LinkInfo(vec![
            LinkInfo::Kind(InfoKind::Veth),
            LinkInfo::Data(InfoData::Veth(InfoVeth::Peer(peer))),
        ]));
        self.request(RouteNetlinkMessage::NewLink(message), CREATE, || {
            format!("create veth pair {} - {}", a.name, b.name)
        })
    }

    /// Sets a link administratively up or down.
    pub fn set_up(&mut self, name: &str, up: bool) -> Result<(), NetlinkError> {
        let mut message = named(name);
        message.header.flags = if up {
            LinkFlags::Up
        } else {
            LinkFlags::empty()
        };
        message.header.change_mask = LinkFlags::Up;
        self.request(RouteNetlinkMessage::SetLink(message), 0, || {
            format!("set {name} {}", if up { "up" } else { "down" })
        })
    }

    /// Makes a link a port of the bridge with index `bridge`.
    pub fn set_bridge(&mut self, name: &str, bridge: u32) -> Result<(), NetlinkError> {
        let mut message = named(name);
        message.attributes.push(LinkAttribute::Controller(bridge));
        self.request(RouteNetlinkMessage::SetLink(message), 0, || {
            format!("plug {name} into its bridge")
        })
    }

    /// Takes a link out of the bridge that it is a port of.
    pub fn release(&mut self, name: &str) -> Result<(), NetlinkError> {
        let mut message = named(name);
        message.attributes.push(LinkAttribute::Controller(0));
        self.request(RouteNetlinkMessage::SetLink(message), 0, || {
            format!("take {name} out of its bridge")
        })
    }

    /// Sets the MTU of a link, in bytes.
    pub fn set_mtu(&mut self, name: &str, mtu: u32) -> Result<(), NetlinkError> {
        let mut message = named(name);
        message.attributes.push(LinkAttribute::Mtu(mtu));
        self.request(RouteNetlinkMessage::SetLink(message), 0, || {
            format!("set the MTU of {name} to {mtu}")
        })
    }

    /// Removes a link.
    pub fn delete_link(&mut self, name: &str) -> Result<(), NetlinkError> {
        self.request(RouteNetlinkMessage::DelLink(named(name)), 0, || {
            format!("remove {name}")
        })
    }

    /// Index of the link with this name.
    pub fn index_of(&mut self, name: &str) -> Result<u32, NetlinkError> {
        let links = self.links()?;
        let found = links.iter().find(|link| link.name == name);
        found.map(|link| link.index).ok_or_else(|| {
            NetlinkError::new(
                format!("find link {name}"),
                std::io::ErrorKind::NotFound.into(),
            )
        })
    }

    /// Index of every link of the namespace, by name.
    pub fn indexes(&mut self) -> Result<HashMap<String, u32>, NetlinkError> {
        let links = self.links()?.into_iter();
        Ok(links.map(|link| (link.name, link.index)).collect())
    }

    /// Every link of the namespace.
    pub fn links(&mut self) -> Result<Vec<LinkState>, NetlinkError> {
        let mut links = Vec::new();
        let request = RouteNetlinkMessage::GetLink(LinkMessage::default());
        self.dump(request, "list links", |answer| {
            if let RouteNetlinkMessage::NewLink(message) = answer {
                links.push(state_of(message));
            }
        })?;
        Ok(links)
    }
}

/// The kernel finds links by name: no look-up of indices.
fn named(name: &str) -> LinkMessage {
    let mut message = LinkMessage::default();
    message
        .attributes
        .push(LinkAttribute::IfName(name.to_owned()));
    message
}

fn state_of(message: LinkMessage) -> LinkState {
    let flags = message.header.flags;
    let mut state = LinkState {
        name: String::new(),
        index: message.header.index,
        up: flags.contains(LinkFlags::Up),
        carrier: flags.contains(LinkFlags::LowerUp),
        rx_packets: 0,
        tx_packets: 0,
        mac: Vec::new(),
        mtu: 0,
    };
    for attribute in message.attributes {
        match attribute {
            LinkAttribute::IfName(name) => state.name = name,
            LinkAttribute::Address(mac) => state.mac = mac,
            LinkAttribute::Mtu(mtu) => state.mtu = mtu,
            LinkAttribute::Stats64(stats) => {
                state.rx_packets = stats.rx_packets;
                state.tx_packets = stats.tx_packets;
            }
            _ => {}
        }
    }
    state
}
