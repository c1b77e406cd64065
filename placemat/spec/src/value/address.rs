//! IP addresses as files write them: bare, with prefix length, and subnets.

use ipnet::{IpNet, Ipv4Net};
use std::net::IpAddr;
use thiserror::Error;

/// Why a text is not the address that is wanted. Reads as a few words under a caret.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AddressError {
    /// Not an address at all.
    #[error("not an IP address")]
    NotAnAddress,
    /// The prefix length is missing.
    #[error("it needs a prefix length, such as `{0}`")]
    NoPrefix(String),
    /// A prefix length where none belongs.
    #[error("no prefix length belongs here: `{0}`")]
    Prefix(IpAddr),
    /// A prefix length that does not exist.
    #[error("the prefix length goes from 0 to {0}")]
    PrefixLength(u8),
    /// The address of the subnet itself, given to an interface.
    #[error("the address of the subnet itself: the first host is `{0}`")]
    SubnetAddress(IpNet),
    /// The broadcast address, given to an interface.
    #[error("the broadcast address of {0}")]
    Broadcast(IpNet),
    /// Multicast, unspecified or the like, given to an interface.
    #[error("not a unicast address")]
    NotUnicast,
    /// Host bits in a subnet.
    #[error("it has host bits: the subnet is `{0}`")]
    HostBits(IpNet),
    /// IPv6 where only IPv4 is possible.
    #[error("only IPv4 is possible here")]
    NotIpv4,
}

/// `10.0.0.1`: a unicast address without prefix length.
pub fn parse_address(text: &str) -> Result<IpAddr, AddressError> {
    match text.parse::<IpAddr>() {
        Ok(address) if is_unicast(address) => Ok(address),
        Ok(_) => Err(AddressError::NotUnicast),
        Err(_) => Err(text
            .parse::<IpNet>()
            .map_or(AddressError::NotAnAddress, |net| {
                AddressError::Prefix(net.addr())
            })),
    }
}

/// `10.0.0.1/24`: what an interface can carry. Not the subnet's own address, nor its broadcast
/// address; in a /31 (RFC 3021), /32, /127 (RFC 6164) or /128 every address is a host's.
pub fn parse_interface_address(text: &str) -> Result<IpNet, AddressError> {
    let net = parse_net(text)?;
    if !is_unicast(net.addr()) {
        return Err(AddressError::NotUnicast);
    }
    if net.max_prefix_len() - net.prefix_len() <= 1 {
        return Ok(net);
    }
    if net.addr() == net.network() {
        let first = net.hosts().next().unwrap_or(net.addr());
        let first = IpNet::new(first, net.prefix_len()).unwrap_or(net);
        return Err(AddressError::SubnetAddress(first));
    }
    if net.addr().is_ipv4() && net.addr() == net.broadcast() {
        return Err(AddressError::Broadcast(net.trunc()));
    }
    Ok(net)
}

/// `10.0.0.1/24` or, as placemat v2 lets pass, `10.0.0.0/24`: what a bridge can carry.
pub fn parse_bridge_address(text: &str) -> Result<IpNet, AddressError> {
    match parse_interface_address(text) {
        Err(AddressError::SubnetAddress(_)) => parse_net(text),
        other => other,
    }
}

/// `10.0.0.0/24`: an IPv4 subnet, without host bits.
pub fn parse_subnet(text: &str) -> Result<Ipv4Net, AddressError> {
    let net = parse_net(text)?;
    if net.trunc() != net {
        return Err(AddressError::HostBits(net.trunc()));
    }
    match net {
        IpNet::V4(net) => Ok(net),
        IpNet::V6(_) => Err(AddressError::NotIpv4),
    }
}

fn parse_net(text: &str) -> Result<IpNet, AddressError> {
    if let Ok(net) = text.parse() {
        return Ok(net);
    }
    let (address, length) = text
        .split_once('/')
        .map_or((text, None), |(a, b)| (a, Some(b)));
    let Ok(address) = address.parse::<IpAddr>() else {
        return Err(AddressError::NotAnAddress);
    };
    let most = if address.is_ipv4() { 32 } else { 128 };
    Err(match length {
        None => AddressError::NoPrefix(format!("{address}/{}", if most == 32 { 24 } else { 64 })),
        Some(_) => AddressError::PrefixLength(most),
    })
}

fn is_unicast(address: IpAddr) -> bool {
    let broadcast = matches!(address, IpAddr::V4(v4) if v4.is_broadcast());
    !address.is_multicast() && !address.is_unspecified() && !broadcast
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interface_addresses() {
        for good in [
            "10.0.0.1/24",
            "10.0.0.0/31",
            "10.0.0.0/32",
            "fd00::1/64",
            "fd00::/127",
        ] {
            assert_eq!(
                parse_interface_address(good).map(|net| net.to_string()),
                Ok(good.into())
            );
        }
        let bad = |text: &str| parse_interface_address(text).unwrap_err().to_string();
        assert_eq!(
            bad("10.0.0.0/24"),
            "the address of the subnet itself: the first host is `10.0.0.1/24`"
        );
        assert_eq!(bad("10.0.0.255/24"), "the broadcast address of 10.0.0.0/24");
        assert_eq!(
            bad("10.0.0.1"),
            "it needs a prefix length, such as `10.0.0.1/24`"
        );
        assert_eq!(bad("10.0.0.1/33"), "the prefix length goes from 0 to 32");
        assert_eq!(bad("10.0.0.256/24"), "not an IP address");
        assert_eq!(bad("224.0.0.1/24"), "not a unicast address");
    }

    #[test]
    fn subnets_and_bare_addresses() {
        assert!(parse_subnet("10.0.0.64/26").is_ok());
        assert_eq!(
            parse_subnet("10.0.0.65/26").unwrap_err().to_string(),
            "it has host bits: the subnet is `10.0.0.64/26`"
        );
        assert_eq!(
            parse_address("10.0.0.1/8").unwrap_err().to_string(),
            "no prefix length belongs here: `10.0.0.1`"
        );
    }
}
