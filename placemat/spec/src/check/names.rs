//! Names: their form, and that none is given twice.

use crate::document::At;
use crate::draft::{Declared, Kind, Ledger};
use crate::problem::{Findings, Problem};
use std::collections::HashMap;

/// Longest name of a network: its bridge is a link of that name (IFNAMSIZ less the final zero).
const LONGEST_NETWORK: usize = 15;
/// What names are made of, in words.
const FORM: &str = "letters, digits, `-`, `_` and `.`, and begin with a letter or digit";
/// Names that no link can have: the loopback interface's, and those of /proc/sys/net/ipv4/conf that
/// are no links. Shared by networks and interfaces. The hub's own ports begin with `_`, as no
/// network does.
pub(super) const NO_LINK: [&str; 3] = ["lo", "all", "default"];
/// Longest name of anything else: a host name's label (RFC 1035).
const LONGEST: usize = 63;

/// Checks the form of one name.
pub(crate) fn form(kind: Kind, name: &At<String>, owner: &str, findings: &Findings) {
    let most = if kind == Kind::Network {
        LONGEST_NETWORK
    } else {
        LONGEST
    };
    let problem =
        |message: String, label: &str| Problem::new("bad-name", message).at(name.place, label);
    if name.is_empty() {
        findings.error(problem(
            format!("{} has an empty name", kind.a_word()),
            "expected a name",
        ));
    } else if name.len() > most {
        findings.error(
            problem(
                format!("the name of {owner} is too long"),
                &format!("{} bytes", name.len()),
            )
            .help(format!(
                "names of {}s have at most {most} bytes",
                kind.word()
            )),
        );
    } else if !is_word(name) {
        findings.error(
            problem(format!("\"{}\" cannot be a name", name.value), "bad name")
                .help(format!("names are {FORM}")),
        );
    } else if kind == Kind::Network && NO_LINK.contains(&name.as_str()) {
        findings.error(
            problem(
                format!("no network can be named `{}`", name.value),
                "taken by the kernel",
            )
            .help("a network's bridge is a link of its name: choose another"),
        );
    } else if kind.is_machine() && name.value == "hub" {
        findings.error(
            problem("no machine can be named `hub`".into(), "reserved")
                .help("`hub` is the namespace that holds the bridges"),
        );
    }
}

/// Checks the form of the name of a part of a resource, which is a file's too: an app's log, a
/// volume's disk.
pub(crate) fn part(name: &At<String>, what: &str, findings: &Findings) {
    if !is_word(name) || name.len() > LONGEST {
        findings.error(
            Problem::new(
                "bad-name",
                format!("\"{}\" cannot be the name of {what}", name.value),
            )
            .at(name.place, "bad name")
            .help(format!("names are 1 to {LONGEST} {FORM}")),
        );
    }
}

fn is_word(name: &str) -> bool {
    let fine = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    name.bytes().all(fine) && name.starts_with(|first: char| first.is_ascii_alphanumeric())
}

/// No name twice in a kind, and none shared by two machines of different kinds.
pub(super) fn check(ledger: &Ledger, findings: &Findings) {
    let mut seen: HashMap<(Kind, &str), &Declared> = HashMap::new();
    let mut machines: HashMap<&str, &Declared> = HashMap::new();
    for declared in &ledger.names {
        let (kind, name) = (declared.kind, declared.name.as_str());
        if let Some(first) = seen.get(&(kind, name)) {
            findings.error(
                Problem::new(
                    "duplicate-name",
                    format!("there are two {}s named `{name}`", kind.word()),
                )
                .at(declared.name.place, "named again here")
                .at(first.name.place, "first named here")
                .help("rename or remove one of the two"),
            );
            continue;
        }
        seen.insert((kind, name), declared);
        if !kind.is_machine() {
            continue;
        }
        if let Some(first) = machines.get(name) {
            findings.error(
                Problem::new(
                    "duplicate-name",
                    format!("a {} and a {} are both named `{name}`", first.kind.word(), kind.word()),
                )
                .at(declared.name.place, format!("this {}", kind.word()))
                .at(first.name.place, format!("this {}", first.kind.word()))
                .help("routers, boot servers and nodes share one space of names, so that a bare name means one of them"),
            );
        } else {
            machines.insert(name, declared);
        }
    }
}
