//! Two clusters held against each other.

use super::facts::{Fact, Object, objects};
use super::reach::{self, LiveSession};
use super::{Act, Changes, How, KeyChange, ObjectChange, Refusal, VERSION, bird};
use crate::blueprint::Blueprint;
use crate::plan::Rewiring;
use placemat_spec::resource::{Bird, Network, NetworkType};
use placemat_spec::{Place, Problem};
use std::collections::{HashMap, HashSet};

/// What of networks a lab cannot change, beside what none can.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetworkRule {
    /// Nothing of it is on the host.
    Inside,
    /// The ranges of its external and BMC networks are on the host.
    Attached,
}

/// What to do about what cannot be done live.
pub const REMEDY: &str = "take the lab down and bring it up again with the new files";

/// What leads from `old` to `new`. `rewiring` is what becomes of the links, `sessions` those that are up. Problems are the
/// refused changes, with their places in the new files.
pub fn between(
    old: &Blueprint,
    new: &Blueprint,
    rewiring: &Rewiring,
    sessions: &[LiveSession],
    rule: NetworkRule,
) -> (Changes, Vec<Problem>) {
    let (was, is) = (objects(old), objects(new));
    let before: HashMap<&str, &Object> = was.iter().map(|it| (it.name.as_str(), it)).collect();
    let after: HashSet<&str> = is.iter().map(|it| it.name.as_str()).collect();
    let mut changes = Changes {
        v: VERSION,
        converted: rewiring.converted.clone(),
        ..Changes::default()
    };
    let mut touched = HashMap::new();
    for object in &is {
        match before.get(object.name.as_str()) {
            None => changes.objects.push(whole(object, Act::Add)),
            Some(was) => {
                let mut keys = keys(&was.facts, &object.facts);
                if let Some(key) = keys.iter_mut().find(|it| it.how == How::Reload) {
                    let difference = difference(&object.name, old, new);
                    key.detail = Some(difference.words());
                    touched.insert(object.name.clone(), difference);
                }
                if let Some(how) = keys.iter().map(|key| key.how).max() {
                    changes.objects.push(ObjectChange {
                        object: object.name.clone(),
                        act: Act::Change,
                        how,
                        keys,
                    });
                }
            }
        }
    }
    let gone = was.iter().filter(|it| !after.contains(it.name.as_str()));
    changes
        .objects
        .extend(gone.map(|it| whole(it, Act::Remove)));
    let problems = refuse(&mut changes, old, new, &is, rule);
    reach::tell(&mut changes, old, rewiring, sessions, &touched);
    (changes, problems)
}

fn whole(object: &Object, act: Act) -> ObjectChange {
    ObjectChange {
        object: object.name.clone(),
        act,
        how: How::InPlace,
        keys: Vec::new(),
    }
}

fn keys(old: &[Fact], new: &[Fact]) -> Vec<KeyChange> {
    let before: HashMap<&str, &Fact> = old.iter().map(|it| (it.key.as_str(), it)).collect();
    let after: HashSet<&str> = new.iter().map(|it| it.key.as_str()).collect();
    let mut keys = Vec::new();
    let mut add = |key: &str, old: Option<&Fact>, new: Option<&Fact>, how| {
        keys.push(KeyChange {
            key: key.to_owned(),
            old: old.map(Fact::value),
            new: new.map(Fact::value),
            how,
            detail: None,
        });
    };
    for fact in new {
        match before.get(fact.key.as_str()) {
            None => add(&fact.key, None, Some(fact), fact.whole),
            Some(was) => {
                if let Some(how) = fact.how_from(was) {
                    add(&fact.key, Some(was), Some(fact), how);
                }
            }
        }
    }
    for fact in old.iter().filter(|it| !after.contains(it.key.as_str())) {
        add(&fact.key, Some(fact), None, fact.whole);
    }
    keys
}

fn difference(object: &str, old: &Blueprint, new: &Blueprint) -> bird::Difference {
    let text = |of: &Blueprint| {
        let bird = bird_of(object, of);
        bird.map(|it| of.bird(it)).unwrap_or_default()
    };
    bird::difference(&text(old), &text(new))
}

fn bird_of<'b>(object: &str, of: &'b Blueprint) -> Option<&'b Bird> {
    match object.split_once('/')? {
        ("router", name) => of.cluster.routers.get(name)?.bird.as_ref(),
        ("boot-server", name) => of.cluster.boot_servers.get(name)?.bird.as_ref(),
        _ => None,
    }
}

/// Notes what cannot be done live.
fn refuse(
    changes: &mut Changes,
    old: &Blueprint,
    new: &Blueprint,
    objects: &[Object],
    rule: NetworkRule,
) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut refused = Vec::new();
    let network = |of: &Blueprint, object: &str| -> Option<Network> {
        let name = object.strip_prefix("network/")?;
        of.cluster.networks.get(name).cloned()
    };
    for change in &mut changes.objects {
        let (was, is) = (network(old, &change.object), network(new, &change.object));
        let either = |is_so: fn(&Network) -> bool| was.iter().chain(&is).any(is_so);
        let mut reasons: Vec<(&str, &str)> = Vec::new();
        let key_changes = |key: &str| change.keys.iter().any(|it| it.key == key);
        if key_changes("type") && was.is_some() {
            reasons.push((
                "type",
                "a network is of one type for as long as its lab lives",
            ));
        }
        let whole = change.act != Act::Change;
        if either(|it| it.use_nat) && (whole || key_changes("use-nat") || key_changes("addresses"))
        {
            let why = "the lab's way to the outside is opened when it starts";
            reasons.push(("use-nat", why));
        } else if rule == NetworkRule::Attached
            && either(|it| it.kind != NetworkType::Internal)
            && (whole || key_changes("addresses"))
        {
            let why = "the host's own links into the lab (--attach-host) are made when it starts";
            reasons.push(("addresses", why));
        }
        for (key, why) in reasons {
            change.how = How::Refused;
            let nat = is.as_ref().and_then(|it| it.use_nat_place);
            let own = objects.iter().find(|it| it.name == change.object);
            let place = nat.filter(|_| key == "use-nat").or(own.map(|it| it.place));
            problems.push(problem(&change.object, key, why, place));
            refused.push(Refusal {
                object: change.object.clone(),
                key: key.to_owned(),
                why: why.to_owned(),
            });
        }
    }
    changes.refused = refused;
    problems
}

fn problem(object: &str, key: &str, why: &str, place: Option<Place>) -> Problem {
    let message = format!("`{key}` of {object} cannot change on a live lab");
    let problem = match place {
        Some(place) => Problem::new("not-live", message).at(place, why),
        // What the new files no longer have has no line in them.
        None => Problem::new("not-live", format!("{message}: {why}")),
    };
    problem.help(REMEDY)
}
