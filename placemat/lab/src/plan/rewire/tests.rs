//! Plans of links, before and after.

use super::Rewiring;
use crate::plan::{Peer, Plan};
use placemat_spec::{Cluster, Source};
use proptest::prelude::*;
use std::fmt::Write as _;

fn plan(text: &str) -> Plan {
    match Cluster::load(vec![Source::inline("test.yml", text)]) {
        Ok((cluster, _)) => Plan::of(&cluster),
        Err(problems) => panic!("{problems}"),
    }
}

/// Networks `n0..` with routers `r0..` plugged in as `ends` says: (router, network).
fn routers(networks: usize, ends: &[(usize, usize)]) -> Plan {
    let mut text = String::new();
    for network in 0..networks {
        let _ = writeln!(
            text,
            "---\n{{kind: Network, name: n{network}, type: internal}}"
        );
    }
    let mut of: std::collections::BTreeMap<usize, Vec<usize>> = std::collections::BTreeMap::new();
    for (router, network) in ends {
        of.entry(*router).or_default().push(*network);
    }
    for (router, networks) in of {
        let interfaces = networks.iter().map(|network| {
            format!(
                "{{network: n{network}, name: e{network}, mac: \"52:54:00:00:{router:02x}:{network:02x}\", addresses: [10.{network}.0.{router}/24]}}"
            )
        });
        let interfaces: Vec<String> = interfaces.collect();
        let _ = writeln!(
            text,
            "---\n{{kind: Router, name: r{router}, interfaces: [{}]}}",
            interfaces.join(", ")
        );
    }
    plan(&text)
}

fn shown(way: &Rewiring) -> String {
    let mut text = String::new();
    for (sign, pairs) in [("-", &way.pairs_gone), ("+", &way.pairs_new)] {
        for pair in pairs {
            let far = match &pair.peer {
                Peer::End(end) => end.target.to_string(),
                Peer::Port { name, bridge } => format!("{name} in {bridge}"),
            };
            let _ = writeln!(text, "{sign} {} {} - {far}", pair.network, pair.end.target);
        }
    }
    for (sign, bridges) in [("-", &way.bridges_gone), ("+", &way.bridges_new)] {
        for bridge in bridges {
            let _ = writeln!(text, "{sign} bridge {}", bridge.name);
        }
    }
    let _ = writeln!(text, "converted: {:?}", way.converted);
    text
}

#[test]
fn a_third_end_makes_a_bridge_of_a_pair_and_its_leaving_keeps_it() {
    let two = routers(2, &[(1, 0), (2, 0), (1, 1), (3, 1)]);
    let mut three = routers(2, &[(1, 0), (2, 0), (3, 0), (1, 1), (3, 1)]);
    let there = Rewiring::between(&two, &mut three);
    let mut again = routers(2, &[(1, 0), (2, 0), (1, 1), (3, 1)]);
    let back = Rewiring::between(&three, &mut again);
    insta::assert_snapshot!(format!("{}\nback\n{}", shown(&there), shown(&back)));
}

#[test]
fn names_in_the_hub_stay_with_their_links() {
    let old = routers(2, &[(1, 1), (2, 1), (3, 1)]);
    let mut new = routers(2, &[(1, 0), (2, 0), (3, 0), (1, 1), (3, 1), (4, 1)]);
    let way = Rewiring::between(&old, &mut new);
    insta::assert_snapshot!(shown(&way));
}

fn any_ends() -> impl Strategy<Value = Vec<(usize, usize)>> {
    prop::collection::btree_set((1..6_usize, 0..4_usize), 0..12)
        .prop_map(|ends| ends.into_iter().collect())
}

proptest! {
    #[test]
    fn from_a_plan_to_itself_there_is_no_way(ends in any_ends()) {
        let old = routers(4, &ends);
        prop_assert!(Rewiring::between(&old, &mut old.clone()).is_empty());
    }

    #[test]
    fn after_a_way_was_gone_there_is_none_left(a in any_ends(), b in any_ends()) {
        let (old, mut new) = (routers(4, &a), routers(4, &b));
        let way = Rewiring::between(&old, &mut new);
        // What stays and what comes is what is wanted, and every name in the hub is one link's.
        prop_assert_eq!(
            old.pairs.len() - way.pairs_gone.len() + way.pairs_new.len(),
            new.pairs.len()
        );
        let mut names: Vec<&str> = new.pairs.iter().filter_map(|pair| match &pair.peer {
            Peer::Port { name, .. } => Some(name.as_str()),
            Peer::End(_) => None,
        }).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        prop_assert_eq!(names.len(), all);
        let mut same = routers(4, &b);
        prop_assert!(Rewiring::between(&new, &mut same).is_empty());
    }
}
