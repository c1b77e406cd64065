//! `dnsmasq`'s log, read for who was given which address.

use placemat_spec::value::Mac;
use std::net::Ipv4Addr;

/// Something that DHCP did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DhcpEvent {
    /// A server looks for an address.
    Discover {
        /// Its MAC.
        mac: Mac,
    },
    /// A server was given an address.
    Ack {
        /// Its MAC.
        mac: Mac,
        /// The address.
        address: Ipv4Addr,
    },
    /// A server was refused an address.
    Nak {
        /// Its MAC.
        mac: Mac,
        /// The address.
        address: Ipv4Addr,
    },
}

/// Reads one line of the log. Lines that tell of nothing of interest give `None`.
pub fn parse(line: &str) -> Option<DhcpEvent> {
    // dnsmasq-dhcp: 1878229318 DHCPACK(eth0) 10.69.0.68 52:54:00:aa:bb:01 rack1-cs1
    let mut words = line
        .split_whitespace()
        .skip_while(|word| !word.starts_with("DHCP"));
    let (act, _) = words.next()?.split_once('(')?;
    let words: Vec<&str> = words.collect();
    match (act, words.as_slice()) {
        ("DHCPACK", [address, mac, ..]) => Some(DhcpEvent::Ack {
            mac: self::mac(mac)?,
            address: address.parse().ok()?,
        }),
        ("DHCPNAK", [address, mac, ..]) => Some(DhcpEvent::Nak {
            mac: self::mac(mac)?,
            address: address.parse().ok()?,
        }),
        // With or without the address that it would like to have.
        ("DHCPDISCOVER", [mac]) => Some(DhcpEvent::Discover {
            mac: self::mac(mac)?,
        }),
        ("DHCPDISCOVER", [first, second, ..]) => Some(DhcpEvent::Discover {
            mac: self::mac(first).or_else(|| self::mac(second))?,
        }),
        _ => None,
    }
}

fn mac(text: &str) -> Option<Mac> {
    let mut bytes = [0; 6];
    let mut parts = text.split(':');
    for byte in &mut bytes {
        *byte = u8::from_str_radix(parts.next()?, 16).ok()?;
    }
    parts.next().is_none().then_some(Mac(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MAC: Mac = Mac([0x52, 0x54, 0, 0xaa, 0xbb, 1]);

    #[test]
    fn reads_what_dnsmasq_writes() {
        let ack = Some(DhcpEvent::Ack {
            mac: MAC,
            address: Ipv4Addr::new(10, 69, 0, 68),
        });
        let discover = Some(DhcpEvent::Discover { mac: MAC });
        for (line, event) in [
            (
                "dnsmasq-dhcp: 187 DHCPACK(eth0) 10.69.0.68 52:54:00:aa:bb:01",
                ack,
            ),
            (
                "dnsmasq-dhcp: DHCPACK(eth0) 10.69.0.68 52:54:00:aa:bb:01 cs1",
                ack,
            ),
            (
                "dnsmasq-dhcp: 187 DHCPDISCOVER(eth0) 52:54:00:aa:bb:01",
                discover,
            ),
            (
                "dnsmasq-dhcp: 187 DHCPDISCOVER(eth0) 10.69.0.9 52:54:00:aa:bb:01",
                discover,
            ),
            (
                "dnsmasq-dhcp: 187 DHCPDISCOVER(eth0) 52:54:00:aa:bb:01 no address available",
                discover,
            ),
            (
                "dnsmasq-dhcp: 187 DHCPNAK(eth0) 10.69.0.68 52:54:00:aa:bb:01 no leases left",
                Some(DhcpEvent::Nak {
                    mac: MAC,
                    address: Ipv4Addr::new(10, 69, 0, 68),
                }),
            ),
            (
                "dnsmasq-dhcp: 187 DHCPOFFER(eth0) 10.69.0.68 52:54:00:aa:bb:01",
                None,
            ),
            (
                "dnsmasq-dhcp: 187 sent size:  4 option:  3 router  10.69.0.65",
                None,
            ),
            (
                "dnsmasq-dhcp: DHCP, IP range 10.69.0.100 -- 10.69.0.120, lease time 1h",
                None,
            ),
            ("", None),
        ] {
            assert_eq!(parse(line), event, "{line}");
        }
    }

    proptest! {
        #[test]
        fn any_line_is_fine(line: String) {
            parse(&line);
        }
    }
}
