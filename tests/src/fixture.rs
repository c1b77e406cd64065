//! A small lab of routers for tests of how labs live and die.

use crate::Place;
use std::fmt::Write as _;
use std::path::PathBuf;

/// Number of routers of [`ring`].
pub const ROUTERS: usize = 6;

/// Six routers in a ring, each with BIRD, one AS each and BGP on every link; two of them share a
/// bridged network with a namespace, and a mock server has a BMC on the hub. So there is something
/// of everything the kernel has to take away: pairs, bridges, containers, addresses on the hub.
pub fn ring(place: &Place) -> PathBuf {
    let mut cluster = String::from(HEAD);
    for number in 1..=ROUTERS {
        let next = number % ROUTERS + 1;
        let last = (number + ROUTERS - 2) % ROUTERS + 1;
        let mut lines = format!(
            "---\nkind: Network\nname: link{number}\ntype: internal\n---\nkind: Router\nname: r{number}\n\
             interfaces:\n  - {{network: link{number}, addresses: [10.1.{number}.0/31]}}\n  \
             - {{network: link{last}, addresses: [10.1.{last}.1/31]}}\n"
        );
        if number <= 2 {
            let _ = writeln!(
                lines,
                "  - {{network: shared, addresses: [10.2.0.{number}/24]}}"
            );
        }
        let _ = writeln!(
            lines,
            "loopback: [10.0.0.{number}/32]\nbird: {{config: r{number}.conf}}"
        );
        cluster += &lines;
        let mut config = format!("log stderr all;\nrouter id 10.0.0.{number};\n{CONFIG}");
        for (neighbor, local, remote) in [
            (next, format!("10.1.{number}.0"), format!("10.1.{number}.1")),
            (last, format!("10.1.{last}.1"), format!("10.1.{last}.0")),
        ] {
            let _ = writeln!(
                config,
                "protocol bgp r{neighbor} from session {{ local {local} as 6500{number}; \
                 neighbor {remote} as 6500{neighbor}; }}"
            );
        }
        place.write(&format!("r{number}.conf"), &config);
    }
    place.write("ring.yml", &cluster)
}

const HEAD: &str = "\
kind: Network
name: shared
type: internal
---
kind: Network
name: bmc
type: bmc
address: 10.72.16.1/20
---
kind: NetworkNamespace
name: guest
interfaces: [{network: shared, addresses: [10.2.0.9/24]}]
apps: [{name: wait, command: [sleep, infinity]}]
---
kind: Node
name: mock
tier: mock
interfaces: [shared]
bmc: {address: 10.72.17.4, user: admin, password: placemat}
";

const CONFIG: &str = "\
protocol device {}
protocol direct { interface \"lo\"; ipv4; }
protocol kernel { ipv4 { export all; }; }
template bgp session {
\tconnect delay time 1;
\tconnect retry time 1;
\terror wait time 1, 4;
\tipv4 { import all; export all; };
}
";
