//! Matches selectors against a cluster.

use super::{Condition, Form, Selector, SelectorError, Target, TargetKind};
use crate::Cluster;
use crate::problem::suggestion;
use crate::resource::{Labels, NetworkType, RouterKind, Tier};

/// What a selector can see of a thing.
#[derive(Debug, Clone)]
pub(crate) struct Candidate<'a> {
    pub(super) kind: TargetKind,
    pub(super) name: &'a str,
    pub(super) labels: &'a Labels,
    fields: Vec<(&'static str, &'a str)>,
}

impl Candidate<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        if key == "name" {
            return Some(self.name);
        }
        let field = self
            .fields
            .iter()
            .find(|(name, _)| *name == key)
            .map(|(_, value)| *value);
        self.labels.get(key).map(String::as_str).or(field)
    }

    fn fits(&self, condition: &Condition) -> bool {
        self.get(&condition.key)
            .is_some_and(|value| glob(&condition.value, value))
            == condition.equal
    }

    fn target(&self) -> Target {
        Target::new(self.kind, self.name)
    }
}

impl Selector {
    /// Everything it means, in the order of the files; an error where that is nothing, or where a
    /// bare name means several things.
    pub fn resolve(&self, cluster: &Cluster) -> Result<Vec<Target>, SelectorError> {
        self.resolve_among(&candidates(cluster))
    }

    /// The same, for many selectors on one cluster: `all` is what [`Index::among`](super::Index::among) gives.
    pub(crate) fn resolve_among(
        &self,
        all: &[Candidate<'_>],
    ) -> Result<Vec<Target>, SelectorError> {
        let matched: Vec<Target> = match &self.form {
            Form::Hub => return Ok(vec![Target::new(TargetKind::Hub, "")]),
            Form::Bare => return self.bare(all).map(|target| vec![target]),
            Form::Rack(rack) => all
                .iter()
                .filter(|it| it.kind.is_machine())
                .filter(|it| it.labels.get("rack").is_some_and(|value| glob(rack, value)))
                .map(Candidate::target)
                .collect(),
            Form::Named(kind, name) => all
                .iter()
                .filter(|it| it.kind == *kind && glob(name, it.name))
                .map(Candidate::target)
                .collect(),
            Form::Where(kind, conditions) => all
                .iter()
                .filter(|it| {
                    it.kind == *kind && conditions.iter().all(|condition| it.fits(condition))
                })
                .map(Candidate::target)
                .collect(),
        };
        if matched.is_empty() {
            Err(self.no_match(all))
        } else {
            Ok(matched)
        }
    }

    /// The one thing of that name. Machines come before networks and feeds of the same name.
    fn bare(&self, all: &[Candidate<'_>]) -> Result<Target, SelectorError> {
        let named: Vec<&Candidate<'_>> = all.iter().filter(|it| it.name == self.text).collect();
        let machine = named.iter().find(|it| it.kind.is_machine());
        match (machine, named.as_slice()) {
            (Some(one), _) | (None, [one]) => Ok(one.target()),
            (None, []) => Err(self.no_match(all)),
            (None, many) => {
                let targets: Vec<String> =
                    many.iter().map(|it| format!("`{}`", it.target())).collect();
                Err(SelectorError {
                    code: "ambiguous-name",
                    message: format!("`{}` means several things", self.text),
                    range: 0..self.text.len(),
                    hint: format!("write one of {}", targets.join(", ")),
                })
            }
        }
    }

    /// Says what there is instead.
    fn no_match(&self, all: &[Candidate<'_>]) -> SelectorError {
        let mut range = 0..self.text.len();
        let (message, hint) = match &self.form {
            Form::Hub | Form::Bare => {
                let names: Vec<&str> = all
                    .iter()
                    .filter(|it| it.kind.is_machine())
                    .map(|it| it.name)
                    .collect();
                (
                    format!("nothing is named `{}`", self.text),
                    suggestion(&self.text, "there are", &names),
                )
            }
            Form::Rack(rack) => {
                let racks = values(all.iter().filter(|it| it.kind.is_machine()), "rack");
                range.start = "rack/".len();
                (
                    format!("no machine is labelled `rack: {rack}`"),
                    suggestion(rack, "racks are", &racks),
                )
            }
            Form::Named(kind, name) => {
                let names: Vec<&str> = all
                    .iter()
                    .filter(|it| it.kind == *kind)
                    .map(|it| it.name)
                    .collect();
                range.start = kind.to_string().len() + 1;
                let message = format!("no {kind} is named `{name}`");
                if names.is_empty() {
                    (message, format!("there is no {kind} at all"))
                } else {
                    (message, suggestion(name, "there are", &names))
                }
            }
            Form::Where(kind, conditions) => {
                let of_kind: Vec<&Candidate<'_>> =
                    all.iter().filter(|it| it.kind == *kind).collect();
                range.start = kind.to_string().len() + 1;
                let message = format!("no {kind} fits `{}`", &self.text[range.clone()]);
                // The first condition that nothing fits at all is the likely culprit.
                let culprit = conditions
                    .iter()
                    .find(|it| !of_kind.iter().any(|candidate| candidate.fits(it)));
                let hint = match culprit {
                    _ if of_kind.is_empty() => format!("there is no {kind} at all"),
                    Some(it) if values(of_kind.iter().copied(), &it.key).is_empty() => suggestion(
                        &it.key,
                        &format!("no {kind} has `{}`; there are", it.key),
                        &keys(&of_kind),
                    ),
                    Some(it) => {
                        let values = values(of_kind.iter().copied(), &it.key);
                        suggestion(&it.value, &format!("values of `{}` are", it.key), &values)
                    }
                    None => {
                        "each condition fits something, but all together fit nothing".to_owned()
                    }
                };
                (message, hint)
            }
        };
        SelectorError {
            code: "no-match",
            message,
            range,
            hint,
        }
    }
}

/// The different values of a key.
fn values<'a>(all: impl Iterator<Item = &'a Candidate<'a>>, key: &str) -> Vec<&'a str> {
    let mut values: Vec<&str> = all.filter_map(|it| it.get(key)).collect();
    values.sort_unstable();
    values.dedup();
    values
}

/// The keys that conditions can ask for.
fn keys<'a>(all: &[&'a Candidate<'a>]) -> Vec<&'a str> {
    let of = |it: &&'a Candidate<'a>| -> Vec<&'a str> {
        it.labels
            .keys()
            .map(String::as_str)
            .chain(it.fields.iter().map(|(key, _)| *key))
            .collect()
    };
    let mut keys: Vec<&str> = all.iter().flat_map(of).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// Everything in a cluster that a selector can mean, in the order of the files, kind by kind.
pub(super) fn candidates(cluster: &Cluster) -> Vec<Candidate<'_>> {
    let mut all = Vec::new();
    all.extend(cluster.nodes.values().map(|it| {
        let tier = match it.tier {
            Tier::Full => "full",
            Tier::Kernel => "kernel",
            Tier::Netns => "netns",
            Tier::Mock => "mock",
        };
        let mut fields = vec![("tier", tier)];
        fields.extend(it.image.as_deref().map(|image| ("image", image)));
        Candidate {
            kind: TargetKind::Node,
            name: &it.name,
            labels: &it.labels,
            fields,
        }
    }));
    all.extend(cluster.routers.values().map(|it| {
        let kind = match it.kind {
            RouterKind::Router => "Router",
            RouterKind::NetworkNamespace => "NetworkNamespace",
            RouterKind::Pod => "Pod",
        };
        Candidate {
            kind: TargetKind::Router,
            name: &it.name,
            labels: &it.labels,
            fields: vec![("kind", kind)],
        }
    }));
    all.extend(cluster.boot_servers.values().map(|it| Candidate {
        kind: TargetKind::BootServer,
        name: &it.name,
        labels: &it.labels,
        fields: vec![("image", it.image.as_str())],
    }));
    all.extend(cluster.networks.values().map(|it| {
        let kind = match it.kind {
            NetworkType::Internal => "internal",
            NetworkType::External => "external",
            NetworkType::Bmc => "bmc",
        };
        Candidate {
            kind: TargetKind::Network,
            name: &it.name,
            labels: &it.labels,
            fields: vec![("type", kind)],
        }
    }));
    all.extend(cluster.feeds.values().map(|it| Candidate {
        kind: it.target().kind,
        name: &it.name,
        labels: &it.labels,
        fields: Vec::new(),
    }));
    all
}

/// Whether `pattern`, with `*` and `?`, fits the whole of `text`. Linear but for the last `*`.
fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(byte) if *byte == b'?' || *byte == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    p = at + 1;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::glob;
    use proptest::prelude::*;

    #[test]
    fn globs() {
        for (pattern, text, fits) in [
            ("*", "", true),
            ("rack1-*", "rack1-cs1", true),
            ("*-cs?", "rack1-cs1", true),
            ("*1*1", "rack1-cs1", true),
            ("rack1", "rack1-cs1", false),
            ("*cs", "rack1-cs1", false),
            ("", "a", false),
        ] {
            assert_eq!(glob(pattern, text), fits, "{pattern} {text}");
        }
    }

    proptest! {
        #[test]
        fn a_text_fits_itself_and_any_cut(text in "[a-z0-9-]{0,12}", at in 0_usize..12) {
            prop_assert!(glob(&text, &text));
            let at = at.min(text.len());
            let cut = format!("{}*{}", &text[..at], &text[at..]);
            prop_assert!(glob(&cut, &text));
        }
    }
}
