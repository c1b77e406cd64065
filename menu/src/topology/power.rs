//! Failure domains: feeds and PDUs.

use super::Feed;
use super::build::{pods, racks};
use crate::rack::{DataCenter, Power};

/// What the two feeds and the two PDUs of a group are called.
const SIDES: [&str; 2] = ["a", "b"];

/// Machines that share PDUs.
struct Group {
    name: String,
    loads: Vec<String>,
    rack: Option<u32>,
    pod: Option<u32>,
}

pub(super) fn feeds(dc: &DataCenter) -> Vec<Feed> {
    let groups = groups(dc);
    let Some(power) = dc.power else {
        let feeds = groups.into_iter().map(|group| Feed {
            name: format!("feed-{}", group.name),
            pdu: false,
            feed: None,
            loads: group.loads,
            rack: group.rack,
            pod: group.pod,
        });
        return feeds.collect();
    };
    let sides = |count: u32| SIDES.into_iter().take(count as usize);
    let feeds = sides(power.feeds).map(|side| Feed {
        name: format!("feed-{side}"),
        pdu: false,
        feed: None,
        loads: vec![if single(power) {
            format!("pdu/feed={side}")
        } else {
            "pdu/*".into()
        }],
        rack: None,
        pod: None,
    });
    let pdus = groups.iter().flat_map(|group| {
        sides(power.pdus)
            .enumerate()
            .map(move |(index, side)| Feed {
                name: format!("{}-pdu-{side}", group.name),
                pdu: true,
                feed: single(power).then(|| SIDES[index % power.feeds.clamp(1, 2) as usize]),
                loads: group.loads.clone(),
                rack: group.rack,
                pod: group.pod,
            })
    });
    feeds.chain(pdus).collect()
}

/// Whether each PDU hangs on one feed; else, being alone, on both.
fn single(power: Power) -> bool {
    power.pdus >= power.feeds
}

/// Switches, then racks. What lies behind the core hangs on a wall of its own.
fn groups(dc: &DataCenter) -> Vec<Group> {
    let group = |name: &str, load: &str| Group {
        name: name.into(),
        loads: vec![load.into()],
        rack: None,
        pod: None,
    };
    let mut groups = Vec::new();
    if dc.core.is_some() {
        groups.push(group("core", "router/role=core"));
    }
    if dc.pods == 0 {
        groups.push(group("spines", "router/role=spine"));
    } else {
        groups.push(group("super-spines", "router/role=super-spine"));
    }
    groups.extend(pods(dc).map(|pod| Group {
        pod: Some(pod),
        ..group(
            &format!("pod{pod}"),
            &format!("router/role=spine+pod={pod}"),
        )
    }));
    groups.extend(racks(dc).map(|rack| Group {
        rack: Some(rack),
        ..group(&format!("rack{rack}"), &format!("rack/{rack}"))
    }));
    groups
}
