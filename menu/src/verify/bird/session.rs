//! Statements to BGP sessions: `protocol bgp` and the `template bgp` that it comes from.

use super::Unreadable;
use super::block::Statement;
use super::lex::Token;
use super::origin::Origins;
use placemat_spec::Place;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};

/// What a configuration says of BGP.
#[derive(Debug, Default)]
pub(in crate::verify) struct Config {
    /// `router id`, and where it stands.
    pub(in crate::verify) router_id: Option<(Ipv4Addr, Place)>,
    /// Protocols, in order.
    pub(in crate::verify) sessions: Vec<Bgp>,
    /// Whether there is a `protocol bfd`, without which `bfd on` does nothing.
    pub(in crate::verify) bfd: bool,
    /// What it tells of by itself.
    pub(in crate::verify) origins: Origins,
}

/// A `protocol bgp`, or a template of it.
#[derive(Debug, Clone, Default)]
pub(in crate::verify) struct Bgp {
    pub(in crate::verify) name: String,
    pub(in crate::verify) place: Place,
    /// `local ADDRESS`.
    pub(in crate::verify) local: Option<(IpAddr, Place)>,
    /// `local as`.
    pub(in crate::verify) local_asn: Option<(u32, Place)>,
    /// `neighbor ADDRESS`.
    pub(in crate::verify) neighbor: Option<(IpAddr, Place)>,
    /// `neighbor as`: a number, or what it is relative to ours.
    pub(in crate::verify) asn: Option<(Asn, Place)>,
    pub(in crate::verify) passive: bool,
    pub(in crate::verify) multihop: bool,
    pub(in crate::verify) bfd: bool,
}

/// The ASN of a neighbor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asn {
    Is(u32),
    /// The same as ours.
    Internal,
    /// Any but ours.
    External,
}

pub(super) fn read(statements: &[Statement]) -> Result<Config, Unreadable> {
    let mut config = Config::default();
    let mut defines: HashMap<&str, &str> = HashMap::new();
    let mut templates: HashMap<&str, Bgp> = HashMap::new();
    for statement in statements {
        config.origins.read(statement);
        let texts: Vec<&str> = statement.words.iter().map(|word| word.text).collect();
        match texts.as_slice() {
            ["router", "id", id] => {
                let place = statement.words[2].place;
                let id = defines.get(id).unwrap_or(id).parse();
                config.router_id = id.ok().map(|id| (id, place));
            }
            ["define", name, "=", value] => {
                defines.insert(name, value);
            }
            ["protocol", "bfd", ..] => config.bfd = true,
            [what @ ("protocol" | "template"), "bgp", rest @ ..] => {
                let head = statement.words[0];
                let from = rest.iter().position(|word| *word == "from");
                let base = match from.and_then(|at| statement.words.get(2 + at + 1)) {
                    Some(name) => templates.get(name.text).cloned().ok_or(Unreadable {
                        place: name.place,
                        reason: "is no template of BGP",
                    })?,
                    None => Bgp::default(),
                };
                let named = statement.words.get(2).filter(|_| from != Some(0));
                let mut bgp = Bgp {
                    name: named.map_or_else(String::new, |name| name.text.to_owned()),
                    place: named.unwrap_or(&head).place,
                    ..base
                };
                for option in statement.block.iter().flatten() {
                    apply(&mut bgp, &option.words, &defines);
                }
                if *what == "protocol" {
                    config.sessions.push(bgp);
                } else if let Some(name) = named {
                    templates.insert(name.text, bgp);
                }
            }
            _ => {}
        }
    }
    Ok(config)
}

/// Takes in one option of a session.
fn apply(bgp: &mut Bgp, words: &[Token], defines: &HashMap<&str, &str>) {
    let value = |word: &Token| {
        defines
            .get(word.text)
            .map_or(word.text, |value| *value)
            .to_owned()
    };
    let Some((first, rest)) = words.split_first() else {
        return;
    };
    let on = !rest
        .first()
        .is_some_and(|word| matches!(word.text, "off" | "no"));
    match first.text {
        "passive" => bgp.passive = on,
        "multihop" => bgp.multihop = true,
        "direct" => bgp.multihop = false,
        "bfd" => bgp.bfd = on,
        "local" | "neighbor" => {
            let ours = first.text == "local";
            let mut rest = rest.iter();
            while let Some(word) = rest.next() {
                match word.text {
                    "as" => {
                        let Some(asn) = rest.next() else { break };
                        let number = value(asn).parse().ok();
                        if ours {
                            bgp.local_asn = number.map(|number| (number, asn.place));
                        } else {
                            bgp.asn = number.map(|number| (Asn::Is(number), asn.place));
                        }
                    }
                    "internal" if !ours => bgp.asn = Some((Asn::Internal, word.place)),
                    "external" if !ours => bgp.asn = Some((Asn::External, word.place)),
                    "port" => {
                        rest.next();
                    }
                    // Whoever comes out of a range has no address yet.
                    "range" if !ours => {
                        rest.next();
                    }
                    _ => {
                        let value = value(word);
                        // A link-local address has its interface after `%`.
                        let address = value.split('%').next().unwrap_or(&value).parse();
                        let address = address.ok().map(|address| (address, word.place));
                        if ours {
                            bgp.local = address;
                        } else {
                            bgp.neighbor = address;
                        }
                    }
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::super::read;
    use super::*;

    const TEXT: &str = "
# A comment with protocol bgp nobody {
define ME = 10.0.0.1; /* and
one of two lines } */
router id ME;
filter f { if net ~ [ 10.0.0.0/8{24,32} ] then { accept; } else reject; }
protocol bfd { interface \"*\" { interval 1 s; }; }
template bgp base { local as 65001; bfd on; ipv4 { import all; export filter { accept; }; }; }
template bgp quiet from base { passive; bfd off; }
protocol bgp 'spine-1' from base { local ME; neighbor 10.0.0.0 as 65000; }
protocol bgp quiet_one from quiet { neighbor fd00::1%eth0 internal; multihop 2; }
protocol bgp from base { neighbor range 10.1.0.0/24 external; }
";

    #[test]
    fn sessions_have_what_their_templates_say() {
        let config = read(TEXT, 7).expect("a configuration");
        assert!(config.bfd);
        let (id, place) = config.router_id.expect("router id");
        assert_eq!(
            (id.to_string().as_str(), place.line, place.source),
            ("10.0.0.1", 5, 7)
        );
        let [spine, quiet, nameless] = config.sessions.as_slice() else {
            panic!("{:?}", config.sessions)
        };
        assert_eq!(spine.name, "spine-1");
        assert_eq!(
            spine.local.map(|it| it.0.to_string()).as_deref(),
            Some("10.0.0.1")
        );
        assert_eq!(spine.local_asn.map(|it| it.0), Some(65001));
        let (asn, place) = spine.asn.expect("an ASN");
        assert_eq!((asn, place.line, place.column), (Asn::Is(65000), 10, 67));
        assert_eq!(&TEXT[place.offset..place.offset + place.len], "65000");
        assert!(spine.bfd && !spine.passive && !spine.multihop);
        assert!(quiet.passive && !quiet.bfd && quiet.multihop);
        assert_eq!(
            quiet.neighbor.map(|it| it.0.to_string()).as_deref(),
            Some("fd00::1")
        );
        assert_eq!(quiet.asn.map(|it| it.0), Some(Asn::Internal));
        assert!(nameless.neighbor.is_none() && nameless.name.is_empty());
        assert_eq!(nameless.asn.map(|it| it.0), Some(Asn::External));
    }

    #[test]
    fn what_is_no_configuration_is_told_with_its_place() {
        for (text, line, reason) in [
            ("router id 1.2.3.4;\n}", 2, "closes nothing"),
            (
                "protocol bgp a {\n neighbor 10.0.0.1 as 1;\n",
                1,
                "is not closed",
            ),
            (
                "protocol bgp a { neighbor 10.0.0.1 as 1 }",
                1,
                "comes before a `;`",
            ),
            ("log stderr all", 1, "begins a statement without a `;`"),
            ("\n/* no end", 2, "is a comment without an end"),
            ("protocol bgp 'a\n{ }", 1, "is not closed in its line"),
            ("protocol bgp a from b { }", 1, "is no template of BGP"),
        ] {
            let error = read(text, 0).expect_err(text);
            assert_eq!((error.place.line, error.reason), (line, reason), "{text}");
        }
        let deep = "a { ".repeat(100_000);
        assert_eq!(
            read(&deep, 0).expect_err("deep").reason,
            "is nested too deep"
        );
    }
}
