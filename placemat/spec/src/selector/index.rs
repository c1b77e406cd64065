//! Finds what a selector can mean at all, for many selectors on one large cluster: each power feed of a
//! thousand racks names its rack, and must not look at all the others.

use super::resolve::{Candidate, candidates};
use super::{Form, Selector};
use crate::Cluster;
use std::collections::HashMap;

/// Everything in a cluster that a selector can mean, also by name and by rack.
pub(crate) struct Index<'a> {
    all: Vec<Candidate<'a>>,
    by_name: HashMap<&'a str, Vec<Candidate<'a>>>,
    by_rack: HashMap<&'a str, Vec<Candidate<'a>>>,
}

impl<'a> Index<'a> {
    pub(crate) fn of(cluster: &'a Cluster) -> Self {
        let all = candidates(cluster);
        let mut by_name: HashMap<&str, Vec<Candidate<'a>>> = HashMap::new();
        let mut by_rack: HashMap<&str, Vec<Candidate<'a>>> = HashMap::new();
        for candidate in &all {
            by_name
                .entry(candidate.name)
                .or_default()
                .push(candidate.clone());
            if let Some(rack) = candidate.labels.get("rack") {
                by_rack.entry(rack).or_default().push(candidate.clone());
            }
        }
        Self {
            all,
            by_name,
            by_rack,
        }
    }

    /// Those among which a selector finds the same as among all; all where it finds nothing, so that
    /// the message can tell what there is.
    pub(crate) fn among(&self, selector: &Selector) -> &[Candidate<'a>] {
        let exact = |word: &str| !word.contains(['*', '?']);
        let some = match &selector.form {
            Form::Bare => self.by_name.get(selector.text.as_str()),
            Form::Named(kind, name) if exact(name) => {
                let named = self.by_name.get(name.as_str());
                named.filter(|some| some.iter().any(|it| it.kind == *kind))
            }
            Form::Rack(rack) if exact(rack) => {
                let inside = self.by_rack.get(rack.as_str());
                inside.filter(|some| some.iter().any(|it| it.kind.is_machine()))
            }
            _ => None,
        };
        some.unwrap_or(&self.all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Source;
    use crate::selector::{SelectorError, Target};

    #[test]
    fn a_selector_finds_the_same_as_among_all() {
        let text = include_str!("../../tests/good/small.yml");
        let cluster = Cluster::load(vec![Source::inline("small.yml", text)]);
        let (cluster, _) = cluster.expect("a good file");
        let index = Index::of(&cluster);
        let all = candidates(&cluster);
        let say = |found: Result<Vec<Target>, SelectorError>| match found {
            Ok(targets) => format!("{targets:?}"),
            Err(error) => format!("{} {}", error.code, error.hint),
        };
        for text in [
            "hub",
            "rack1-tor1",
            "feed-rack1",
            "rack1-tor9",
            "rack/1",
            "rack/*",
            "rack/2",
            "node/*",
            "node/rack1-cs1",
            "router/rack1-cs1",
            "network/bmc",
            "bmc",
            "node/tier=netns",
        ] {
            let selector = Selector::parse(text).expect(text);
            let near = selector.resolve_among(index.among(&selector));
            assert_eq!(say(near), say(selector.resolve_among(&all)), "{text}");
        }
        let rack = Selector::parse("rack/1").expect("a selector");
        assert!(index.among(&rack).len() < all.len());
    }
}
