//! What connects a lab with the host's network: pasta (package passt) or slirp4netns, which turn what
//! a TAP device gets into sockets of the host's. Neither needs root.

use super::program::{self, Missing};
use ipnet::IpNet;
use std::net::{IpAddr, Ipv6Addr};
use std::path::{Path, PathBuf};

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StackKind {
    /// pasta.
    Pasta,
    /// slirp4netns.
    Slirp4netns,
}

/// A user-space network stack that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stack {
    /// Which.
    pub kind: StackKind,
    /// Where.
    pub path: PathBuf,
}

/// What the lab's end of the connection is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uplink {
    /// Name of the TAP device.
    pub device: &'static str,
    /// Its address and prefix length, a family each.
    pub addresses: Vec<IpNet>,
    /// The gateways; the host's own loopback is reached at them.
    pub gateways: Vec<IpAddr>,
    /// Where the host's name server answers.
    pub name_servers: Vec<IpAddr>,
}

/// In order of preference.
const KINDS: [(&str, StackKind); 2] = [
    ("pasta", StackKind::Pasta),
    ("slirp4netns", StackKind::Slirp4netns),
];
/// Bytes. Large, since nothing on the way is a wire.
const MTU: &str = "65520";
/// Subnets that the connection may have, in order of preference; what a lab has itself is left out.
const SUBNETS: [&str; 3] = ["10.0.2.0/24", "100.127.255.0/24", "192.168.255.0/24"];
/// The same for IPv6, where it can be chosen.
const SUBNETS6: [&str; 2] = ["fd70:6c61:6365::/64", "fd70:6c61:6365:1::/64"];
/// The only IPv6 subnet of slirp4netns.
const SLIRP6: &str = "fd00::/64";

impl Stack {
    /// The first of the two that is there; with a name, that one only.
    pub fn find(name: Option<&str>) -> Result<Self, Missing> {
        let wanted = KINDS
            .iter()
            .filter(|(program, _)| name.is_none_or(|name| name == *program));
        let mut missing = None;
        for (program, kind) in wanted {
            match program::locate(program) {
                Ok(path) => return Ok(Self { kind: *kind, path }),
                Err(error) => missing = missing.or(Some(error)),
            }
        }
        Err(missing.unwrap_or_else(|| Missing {
            name: name.unwrap_or_default().to_owned(),
            package: None,
        }))
    }

    /// The connection, with subnets that none of `taken` overlaps.
    pub fn uplink(&self, device: &'static str, taken: &[IpNet]) -> Uplink {
        let free = |subnets: &[&str]| {
            let mut subnets = subnets.iter().filter_map(|text| text.parse::<IpNet>().ok());
            subnets.find(|subnet| {
                taken
                    .iter()
                    .all(|net| !net.contains(subnet) && !subnet.contains(net))
            })
        };
        let six = match self.kind {
            StackKind::Pasta => free(&SUBNETS6),
            StackKind::Slirp4netns => free(&[SLIRP6]),
        };
        let subnets = [free(&SUBNETS), six].into_iter().flatten();
        let mut uplink = Uplink {
            device,
            addresses: Vec::new(),
            gateways: Vec::new(),
            name_servers: Vec::new(),
        };
        for subnet in subnets {
            let own = host_of(subnet, if subnet.addr().is_ipv4() { 100 } else { 0x100 });
            uplink
                .addresses
                .extend(IpNet::new(own, subnet.prefix_len()));
            uplink.gateways.push(host_of(subnet, 2));
            uplink.name_servers.push(host_of(subnet, 3));
        }
        uplink
    }

    /// Its command line, for a network namespace at a path.
    pub fn command(&self, uplink: &Uplink, netns: &Path, root: bool) -> Vec<String> {
        let mut argv = vec![self.path.display().to_string()];
        let mut add = |words: &[&str]| argv.extend(words.iter().map(|word| (*word).to_owned()));
        match self.kind {
            StackKind::Pasta => {
                add(&["--foreground", "--quiet", "--netns-only", "--no-dhcp"]);
                add(&["--no-dhcpv6", "--no-ra", "--mtu", MTU]);
                for ports in ["-t", "-u", "-T", "-U"] {
                    // Nothing comes in by itself.
                    add(&[ports, "none"]);
                }
                if root {
                    // It would become nobody, who may not enter the namespace.
                    add(&["--runas", "0"]);
                }
                for address in &uplink.addresses {
                    add(&["--address", &address.addr().to_string()]);
                    if let IpNet::V4(v4) = address {
                        add(&["--netmask", &v4.netmask().to_string()]);
                    }
                }
                for gateway in &uplink.gateways {
                    add(&["--gateway", &gateway.to_string()]);
                }
                for server in &uplink.name_servers {
                    add(&["--dns-forward", &server.to_string()]);
                }
                add(&["--ns-ifname", uplink.device]);
                add(&["--netns", &netns.display().to_string()]);
            }
            StackKind::Slirp4netns => {
                add(&["--mtu", MTU, "--netns-type=path"]);
                for address in &uplink.addresses {
                    match address {
                        IpNet::V4(v4) => add(&["--cidr", &v4.trunc().to_string()]),
                        IpNet::V6(_) => add(&["--enable-ipv6"]),
                    }
                }
                add(&[&netns.display().to_string(), uplink.device]);
            }
        }
        argv
    }
}

/// The address with this number in a subnet.
fn host_of(subnet: IpNet, number: u32) -> IpAddr {
    match subnet {
        IpNet::V4(v4) => IpAddr::V4((u32::from(v4.network()) + number).into()),
        IpNet::V6(v6) => {
            let bits = u128::from(v6.network()) + u128::from(number);
            IpAddr::V6(Ipv6Addr::from(bits))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_lines() {
        let mut lines = Vec::new();
        for (kind, path) in [
            (StackKind::Pasta, "/usr/bin/pasta"),
            (StackKind::Slirp4netns, "/usr/bin/slirp4netns"),
        ] {
            let stack = Stack {
                kind,
                path: path.into(),
            };
            let taken = ["10.0.0.1/8", "fd00::1/64"].map(|net| net.parse().expect("a subnet"));
            for (taken, root) in [(&taken[..0], true), (&taken[..], false)] {
                let uplink = stack.uplink("~outside", taken);
                let argv = stack.command(&uplink, Path::new("/run/netns/hub"), root);
                lines.push(argv.join(" "));
            }
        }
        insta::assert_snapshot!(lines.join("\n\n"));
    }
}
