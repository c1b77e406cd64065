//! Numbers that make a rack spec, and the text that they make.

use placemat_menu::{Plan, Source, plan};
use proptest::prelude::*;
use std::fmt::Write as _;

pub(crate) const INTERNET: &str = "10.0.0.0/24";
pub(crate) const EXTERNAL: &str = "10.1.0.0/24";
pub(crate) const PROXY: &str = "10.2.0.1";

/// Server types by number, and how many NICs they say.
const TYPES: [(&str, &str); 5] = [
    ("full", "tier: full, disk: node-os"),
    ("kernel", "tier: kernel, role: gpu"),
    ("netns", "tier: netns"),
    ("mock", "tier: mock"),
    ("single", "tier: netns, nics: 1, role: ss"),
];

/// Numbers that make a rack spec.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    pub(crate) spines: u32,
    pub(crate) super_spines: u32,
    /// None: no pods.
    pub(crate) pods: u32,
    pub(crate) racks: Vec<Rack>,
    pub(crate) family: &'static str,
    pub(crate) scheme: &'static str,
    pub(crate) boot: &'static str,
    pub(crate) core: bool,
    /// Feeds and PDUs.
    pub(crate) power: Option<(u32, u32)>,
}

/// A rack: each server is an index into the types.
#[derive(Debug, Clone)]
pub(crate) struct Rack {
    pub(crate) tors: u32,
    pub(crate) servers: Vec<usize>,
    /// From 1; 0 where there are no pods.
    pub(crate) pod: u32,
}

pub(crate) fn shape() -> impl Strategy<Value = Shape> {
    let servers = prop::collection::vec(0..TYPES.len(), 0..6);
    let racks = prop::collection::vec((1..=2u32, servers), 1..8);
    let words = (
        prop::sample::select(vec!["ipv4", "dual", "ipv6"]),
        prop::sample::select(vec!["per-rack", "per-switch"]),
        prop::sample::select(vec!["built-in", "sabakan"]),
    );
    let power = prop::option::of((1..=2u32, 1..=2u32));
    // Over 15 spines, links of a rack take a larger block.
    let numbers = (1..20u32, 1..5u32, 0..4u32);
    (numbers, racks, words, any::<bool>(), power).prop_map(
        |((spines, super_spines, pods), racks, (family, scheme, boot), core, power)| {
            let count = u32::try_from(racks.len()).unwrap();
            let pods = pods.min(count);
            let rack = |(index, (tors, servers)): (u32, _)| Rack {
                tors,
                servers,
                // In order, and none empty: the first pods have one rack each.
                pod: pods.min(index + 1),
            };
            Shape {
                spines,
                super_spines,
                pods,
                racks: (0..).zip(racks).map(rack).collect(),
                family,
                scheme,
                boot,
                core,
                power,
            }
        },
    )
}

impl Shape {
    fn racks(&self, pod: u32, indent: &str) -> String {
        let racks = self.racks.iter().filter(|rack| rack.pod == pod);
        let line = |rack: &Rack| {
            let servers: Vec<&str> = rack.servers.iter().map(|kind| TYPES[*kind].0).collect();
            let tors = rack.tors;
            format!(
                "{indent}- {{tors: {tors}, servers: [{}]}}\n",
                servers.join(", ")
            )
        };
        racks.map(line).collect()
    }

    fn text(&self) -> String {
        let mut text = format!("kind: DataCenter\nname: p\nspines: {}\n", self.spines);
        if self.pods == 0 {
            write!(text, "racks:\n{}", self.racks(0, "  ")).unwrap();
        } else {
            writeln!(text, "super-spines: {}\npods:", self.super_spines).unwrap();
            for pod in 1..=self.pods {
                write!(text, "  - racks:\n{}", self.racks(pod, "      ")).unwrap();
            }
        }
        let types = TYPES.map(|(name, says)| format!("{name}: {{{says}}}"));
        let base = if self.scheme == "per-rack" {
            64_550
        } else {
            4_200_010_000_u32
        };
        write!(
            text,
            "types: {{{}}}\nimage: {{bundle: node}}\nfamily: {}\nboot: {}\n\
             asn: {{scheme: {}, base: {base}}}\n\
             pools: {{node: 10.64.0.0/17, fabric: 10.80.0.0/18, loopback: 10.90.0.0/22, \
             bmc: 10.96.0.0/20, ipv6: 'fd00:1::/52'}}\n",
            types.join(", "),
            self.family,
            self.boot,
            self.scheme,
        )
        .unwrap();
        if self.core {
            let more = match self.family {
                "ipv4" => "",
                _ => ", bastion6: 'fd00:2::/124', global6: 'fd00:3::/48'",
            };
            writeln!(
                text,
                "core: {{internet: {INTERNET}, external: {EXTERNAL}, proxy: {PROXY}}}\n\
                 exposed: {{bastion: 10.3.0.0/28, load-balancer: 10.4.0.0/16{more}}}"
            )
            .unwrap();
        }
        if let Some((feeds, pdus)) = self.power {
            writeln!(text, "power: {{feeds: {feeds}, pdus: {pdus}}}").unwrap();
        }
        text
    }

    pub(crate) fn source(&self) -> Source {
        Source {
            dir: "/dc".into(),
            ..Source::inline("p.yml", self.text())
        }
    }

    pub(crate) fn plan(&self) -> Plan {
        plan(&self.source()).unwrap_or_else(|problems| panic!("{problems}\n{}", self.text()))
    }
}
