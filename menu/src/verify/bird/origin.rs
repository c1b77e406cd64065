//! What a configuration originates: networks of its interfaces (`protocol direct`), and static routes.

use super::block::Statement;
use ipnet::IpNet;
use placemat_spec::Place;

/// What a router tells of by itself.
#[derive(Debug, Clone, Default)]
pub(in crate::verify) struct Origins {
    /// Patterns of `interface`, in all `protocol direct`.
    interfaces: Vec<String>,
    /// Every `route` of `protocol static`.
    routes: Vec<Static>,
}

/// A static route.
#[derive(Debug, Clone, Copy)]
struct Static {
    to: IpNet,
    place: Place,
    /// Whether what takes it ends here, as with a range that is told as a whole.
    ends: bool,
}

impl Origins {
    /// Takes in one statement of a configuration.
    pub(super) fn read(&mut self, statement: &Statement) {
        let mut head = statement.words.iter().map(|word| word.text);
        if head.next() != Some("protocol") {
            return;
        }
        let protocol = head.next().unwrap_or_default();
        for option in statement.block.iter().flatten() {
            let texts: Vec<&str> = option.words.iter().map(|word| word.text).collect();
            match (protocol, texts.as_slice()) {
                ("direct", ["interface", patterns @ ..]) => {
                    let patterns = patterns.iter().filter(|it| **it != ",");
                    self.interfaces.extend(patterns.map(|it| (*it).to_owned()));
                }
                ("static", ["route", to, how, ..]) => {
                    let Ok(to) = to.parse() else { continue };
                    self.routes.push(Static {
                        to,
                        place: option.words[1].place,
                        ends: matches!(*how, "unreachable" | "blackhole" | "prohibit"),
                    });
                }
                _ => {}
            }
        }
    }

    /// Ranges that it tells of as a whole, and where they stand.
    pub(in crate::verify) fn aggregates(&self) -> impl Iterator<Item = (IpNet, Place)> {
        let ends = self.routes.iter().filter(|route| route.ends);
        ends.map(|route| (route.to, route.place))
    }

    /// Whether it tells of the network of an interface, or of the network by a static route.
    pub(in crate::verify) fn tells(&self, interface: &str, nets: &[IpNet]) -> bool {
        let named = self.interfaces.iter().any(|it| matches(it, interface));
        let routed = |net: &IpNet| self.routes.iter().any(|route| route.to == net.trunc());
        named || !nets.is_empty() && nets.iter().all(routed)
    }
}

/// Whether a pattern of BIRD's (`*` is any text) means a name.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((start, rest)) => name.strip_prefix(start).is_some_and(|name| {
            let ends = name.char_indices().map(|(at, _)| at).chain([name.len()]);
            ends.into_iter().any(|at| matches(rest, &name[at..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::super::read;
    use super::*;

    #[test]
    fn patterns_and_routes() {
        let text = "
protocol direct a { interface \"eth1\", \"eth3*\"; ipv4; }
protocol direct { interface \"lo\"; }
protocol static { ipv4; route 10.1.0.0/16 unreachable; route 10.2.0.0/16 via 10.0.0.1; }
protocol kernel { ipv4; route 10.3.0.0/16 unreachable; }
";
        let origins = read(text, 0).expect("a configuration").origins;
        let net = |text: &str| text.parse::<IpNet>().expect("a prefix");
        let aggregates: Vec<(IpNet, u32)> = origins
            .aggregates()
            .map(|(net, place)| (net, place.line))
            .collect();
        assert_eq!(aggregates, [(net("10.1.0.0/16"), 4)]);
        for (interface, tells) in [
            ("eth1", true),
            ("eth2", false),
            ("eth31", true),
            ("lo", true),
        ] {
            assert_eq!(origins.tells(interface, &[]), tells, "{interface}");
        }
        assert!(origins.tells("eth2", &[net("10.2.0.1/16")]));
        assert!(!origins.tells("eth2", &[net("10.2.0.1/16"), net("fd00::1/64")]));
        assert!(matches("*", "x") && matches("e*h*", "eth0") && !matches("e*1", "eth0"));
    }
}
