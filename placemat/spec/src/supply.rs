//! Who gets power from whom: feeds into PDUs, PDUs into machines, and what is left when some are lost.

use crate::Cluster;
use crate::selector::{Index, Target, TargetKind};
use indexmap::IndexMap;
use std::collections::{HashMap, HashSet};
use std::time::Duration;

/// The plugs of a cluster. Pure; which sources are lost is the caller's to know.
#[derive(Debug, Clone, Default)]
pub struct Supply {
    /// What each machine and PDU is plugged into, with the time that its outlet takes to come back.
    plugs: Plugs,
    /// What is plugged into each feed and PDU, in the order of its outlets.
    outlets: HashMap<Target, Vec<Target>>,
}

impl Supply {
    /// Of a checked cluster.
    pub fn of(cluster: &Cluster) -> Self {
        let index = Index::of(cluster);
        let mut supply = Self::default();
        for power in cluster.feeds.values() {
            let source = power.target();
            let mut outlets: Vec<Target> = Vec::new();
            for load in &power.loads {
                // Checked: every load means something.
                for target in load.resolve_among(index.among(load)).unwrap_or_default() {
                    if !outlets.contains(&target) {
                        outlets.push(target);
                    }
                }
            }
            let mut wait = power.delay;
            for target in &outlets {
                let plugs = supply.plugs.entry(target.clone()).or_default();
                plugs.push((source.clone(), wait));
                wait += power.gap;
            }
            supply.outlets.insert(source, outlets);
        }
        supply
    }

    /// Whether something has power while `lost` have lost theirs. What is plugged in nowhere hangs on
    /// a wall that never fails.
    pub fn is_live(&self, target: &Target, lost: &HashSet<Target>) -> bool {
        if lost.contains(target) {
            return false;
        }
        match self.plugs.get(target) {
            Some(plugs) => plugs.iter().any(|(source, _)| self.is_live(source, lost)),
            None => true,
        }
    }

    /// How long something waits for its power once its sources have theirs: the sum of the delays on
    /// the fastest way from a feed, without those that are lost.
    pub fn wait(&self, target: &Target, lost: &HashSet<Target>) -> Duration {
        let plugs = self.plugs.get(target).map_or(&[][..], Vec::as_slice);
        let live = plugs
            .iter()
            .filter(|(source, _)| self.is_live(source, lost));
        live.map(|(source, wait)| self.wait(source, lost) + *wait)
            .min()
            .unwrap_or_default()
    }

    /// The machines behind some targets, themselves if they are machines; each once.
    pub fn behind(&self, targets: &[Target]) -> Vec<Target> {
        let mut found: Vec<Target> = Vec::new();
        let mut seen: HashSet<Target> = HashSet::new();
        let mut next: Vec<Target> = targets.iter().rev().cloned().collect();
        while let Some(target) = next.pop() {
            if !seen.insert(target.clone()) {
                continue;
            }
            if target.kind.is_machine() {
                found.push(target);
            } else {
                let outlets = self.outlets.get(&target).map_or(&[][..], Vec::as_slice);
                next.extend(outlets.iter().rev().cloned());
            }
        }
        found
    }

    /// Those of the machines behind some targets that go dark when all of these are lost: what has
    /// another supply goes on.
    pub fn dark(&self, targets: &[Target]) -> Vec<Target> {
        let lost: HashSet<Target> = targets.iter().cloned().collect();
        let mut machines = self.behind(targets);
        machines.retain(|machine| !self.is_live(machine, &lost));
        machines
    }

    /// The longest that anything waits for its power, on the slowest way: the fastest may be lost.
    pub fn longest_wait(&self) -> Duration {
        let machines = self.plugs.keys().filter(|it| it.kind.is_machine());
        let waits = machines.map(|machine| slowest(&self.plugs, machine));
        waits.max().unwrap_or_default()
    }

    /// Whether a target is a source of power: a feed or a PDU.
    pub fn is_source(target: &Target) -> bool {
        matches!(target.kind, TargetKind::Feed | TargetKind::Pdu)
    }
}

/// What each machine and PDU is plugged into.
type Plugs = IndexMap<Target, Vec<(Target, Duration)>>;

fn slowest(plugs: &Plugs, target: &Target) -> Duration {
    let own = plugs.get(target).map_or(&[][..], Vec::as_slice);
    let waits = own
        .iter()
        .map(|(source, wait)| slowest(plugs, source) + *wait);
    waits.max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Source;
    use crate::selector::Selector;

    const CLUSTER: &str = "\
kind: Power
name: a
loads: [pdu/a1, pdu/a2]
---
kind: Power
name: b
loads: [b1]
return: {delay: 10s}
---
kind: Power
name: a1
type: pdu
loads: [single, double]
return: {delay: 1s, gap: 500ms}
---
{kind: Power, name: a2, type: pdu, loads: [alone]}
---
{kind: Power, name: b1, type: pdu, loads: [double]}
---
{kind: Node, name: single, tier: mock}
---
{kind: Node, name: double, tier: mock}
---
{kind: Node, name: alone, tier: mock}
---
{kind: Node, name: wall, tier: mock}
";

    #[test]
    fn what_is_plugged_only_into_what_is_lost_goes_dark() {
        let (cluster, warnings) =
            Cluster::load(vec![Source::inline("dc.yml", CLUSTER)]).expect("a good file");
        assert!(warnings.is_empty(), "{warnings}");
        let supply = Supply::of(&cluster);
        let targets = |texts: &[&str]| -> Vec<Target> {
            let resolve = |text: &&str| {
                let selector = Selector::parse(text).expect("a selector");
                selector.resolve(&cluster).expect("targets")
            };
            texts.iter().flat_map(resolve).collect()
        };
        let names = |list: Vec<Target>| -> String {
            list.iter()
                .map(|it| it.name.as_str())
                .collect::<Vec<_>>()
                .join(" ")
        };
        for (lost, dark) in [
            (&["feed/a"][..], "single alone"),
            (&["pdu/a1"], "single"),
            (&["pdu/b1"], ""),
            (&["feed/a", "feed/b"], "single double alone"),
            (&["pdu/a1", "feed/b"], "single double"),
            (&["pdu/*"], "single double alone"),
            (&["node/double", "pdu/a2"], "double alone"),
            (&["node/wall"], "wall"),
        ] {
            assert_eq!(names(supply.dark(&targets(lost))), dark, "{lost:?}");
        }
        assert_eq!(
            names(supply.behind(&targets(&["feed/*"]))),
            "single double alone"
        );
        let wait = |name: &str, lost: &[&str]| {
            let lost = targets(lost).into_iter().collect();
            supply.wait(&Target::new(TargetKind::Node, name), &lost)
        };
        assert_eq!(wait("single", &[]), Duration::from_secs(1));
        assert_eq!(wait("double", &[]), Duration::from_millis(1500));
        assert_eq!(wait("double", &["pdu/a1"]), Duration::from_secs(10));
        assert_eq!(wait("wall", &[]), Duration::ZERO);
        assert_eq!(supply.longest_wait(), Duration::from_secs(10));
    }
}
