//! `--attach-host`: the ranges of a lab's external and BMC networks on the host, as placemat v2 had
//! them, through one veth pair.
//!
//! All that the host gets hangs on its end of the pair: an address and a route for each range. The
//! pair goes with the lab's network namespace, however that ends, and takes all of it along.

use crate::error::chain;
use crate::lab::LabError;
use crate::outside;
use ipnet::IpNet;
use placemat_host::netlink::{Netlink, NetlinkError, VethEnd};
use placemat_host::netns::Netns;
use placemat_spec::Cluster;
use placemat_spec::resource::NetworkType;
use std::fmt;
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The hub's end. No name in a file has a tilde.
const HUB_END: &str = "~host";
/// Between the ends, a pair of addresses for each lab: 100.127.254.0/24 is shared address space
/// (RFC 6598), which no file should have, fd70:6c61:6365:ff::/64 a local one (RFC 4193).
const SUBNET: Ipv4Addr = Ipv4Addr::new(100, 127, 254, 0);
const SUBNET6: Ipv6Addr = Ipv6Addr::new(0xfd70, 0x6c61, 0x6365, 0xff, 0, 0, 0, 0);

/// What the host gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Name of the host's end.
    pub device: String,
    /// Addresses of the two ends, the host's and the hub's, a family each.
    pub ends: Vec<(IpNet, IpNet)>,
    /// Ranges that are routed to the hub.
    pub ranges: Vec<IpNet>,
}

impl Attachment {
    /// What a lab with this id puts on the host.
    pub fn of(cluster: &Cluster, id: &str) -> Self {
        let networks = cluster
            .networks
            .values()
            .filter(|network| network.kind != NetworkType::Internal);
        let ranges: Vec<IpNet> = networks
            .flat_map(|network| network.addresses.iter().map(IpNet::trunc))
            .collect();
        // Ids are hexadecimal; any part of one will do, and 127 pairs are enough for a host.
        let number = u32::from_str_radix(id, 16).unwrap_or(0) % 127 * 2;
        let four = |last: u32| IpAddr::V4((u32::from(SUBNET) + last).into());
        let six = |last: u32| IpAddr::V6((u128::from(SUBNET6) + u128::from(last)).into());
        let net = |address, length| IpNet::new(address, length).ok();
        let mut ends = Vec::new();
        if ranges.iter().any(|range| range.addr().is_ipv4()) {
            ends.extend(net(four(number), 31).zip(net(four(number + 1), 31)));
        }
        if ranges.iter().any(|range| range.addr().is_ipv6()) {
            ends.extend(net(six(number), 127).zip(net(six(number + 1), 127)));
        }
        Self {
            device: format!("pm-{id}"),
            ends,
            ranges,
        }
    }

    /// Makes it. The calling thread is in the hub's namespace.
    pub(crate) async fn make(&self, host: &Netns) -> Result<(), LabError> {
        let failed = |act: &str, error: &dyn std::error::Error| {
            LabError(format!("attach the host: {act}: {}", chain(error)))
        };
        outside::forward_in_hub().map_err(|error| failed("let the hub forward", &error))?;
        outside::load(&self.rules())
            .await
            .map_err(|error| failed("masquerade in the hub", &error))?;
        let (this, host) = (self.clone(), host.clone());
        tokio::task::spawn_blocking(move || this.link(&host))
            .await
            .map_err(|error| failed("make the link", &error))?
            .map_err(|error| failed("make the link", &error))
    }

    fn link(&self, host: &Netns) -> Result<(), NetlinkError> {
        let mut hub = Netlink::open()?;
        let mut outer = Netlink::open_in(host)?;
        let end = |name, netns| VethEnd {
            name,
            netns,
            mac: None,
            mtu: None,
        };
        hub.create_veth(end(HUB_END, None), end(&self.device, Some(host)))?;
        let (inner_index, outer_index) = (hub.index_of(HUB_END)?, outer.index_of(&self.device)?);
        for (outer_end, inner_end) in &self.ends {
            hub.add_address(inner_index, *inner_end)?;
            outer.add_address(outer_index, *outer_end)?;
        }
        hub.set_up(HUB_END, true)?;
        outer.set_up(&self.device, true)?;
        for range in &self.ranges {
            let via = self
                .ends
                .iter()
                .map(|(_, inner)| inner.addr())
                .find(|address| address.is_ipv4() == range.addr().is_ipv4());
            if let Some(via) = via {
                outer.add_route(*range, via, outer_index)?;
            }
        }
        Ok(())
    }

    /// What comes from the host has the hub's address in the lab, where nobody knows a way to the
    /// host's.
    fn rules(&self) -> String {
        let mut rules = String::new();
        for (outer, _) in &self.ends {
            let family = if outer.addr().is_ipv4() { "ip" } else { "ip6" };
            // Writing to a string does not fail.
            let _ = writeln!(rules, "    {family} saddr {} masquerade", outer.addr());
        }
        format!(
            "table inet placemat-host {{\n  chain in {{\n    type nat hook postrouting priority srcnat;\n{rules}  }}\n}}\n"
        )
    }
}

/// Takes the pair away, so that the host is as it was when the lab says that it is down.
pub(crate) fn detach() -> Result<(), NetlinkError> {
    Netlink::open()?.delete_link(HUB_END)
}

impl fmt::Display for Attachment {
    /// Every change to the host, a line each.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let device = &self.device;
        write!(f, "host: link {device}, which goes with the lab")?;
        for (outer, _) in &self.ends {
            write!(f, "\nhost: address {outer} on {device}")?;
        }
        for range in &self.ranges {
            write!(f, "\nhost: route {range} by way of {device}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use placemat_spec::Source;

    #[test]
    fn every_change_is_told() {
        let text = "kind: Network\nname: ext\ntype: external\naddresses: [10.3.0.1/24, 'fd00:3::1/64']\n---\n\
                    kind: Network\nname: bmc\ntype: bmc\naddress: 10.72.16.1/20\n---\n\
                    kind: Network\nname: in\ntype: internal\n";
        let (cluster, _) = Cluster::load(vec![Source::inline("test.yml", text)])
            .unwrap_or_else(|it| panic!("{it}"));
        let attachment = Attachment::of(&cluster, "0a1b2c");
        insta::assert_snapshot!(format!("{attachment}\n\n{}", attachment.rules()));
        assert!(attachment.device.len() < 16);
    }
}
