//! Chooses source ports so that flows cross a target, and finds out whether they do: ECMP hashes
//! the port with a secret of the kernel, so a burst is sent and the target's counters are read.

use super::Pair;
use crate::context::Context;
use crate::deadline::Limit;
use crate::port::{Flow, Flows, PortResult};
use placemat_spec::selector::Target;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// Time for the last packets to come in.
pub(super) const STOP: Limit = Limit::default_of(Duration::from_secs(30));

/// Time for the sockets of candidates to be closed.
const RELEASE: Duration = Duration::from_secs(1);

/// Packets of a burst: well above what routing protocols send meanwhile.
const BURST: u32 = 24;
/// Readings of the counters before a burst counts as not having come by.
const READINGS: u32 = 4;
/// Candidates tried for each flow wanted.
const TRIES_PER_FLOW: u32 = 4;

/// Source ports for probe flows, above the kernel's own ephemeral range of most hosts' services.
pub(super) fn ports() -> impl Iterator<Item = u16> {
    40_001..=59_999
}

/// `count` flows over the pairs in turn, half of them crossing `through` where that can be had.
pub(super) async fn choose(
    cx: &Context,
    pairs: &[Pair],
    count: u32,
    through: &[Target],
    every: Duration,
) -> PortResult<Vec<(Flow, Option<bool>)>> {
    let wanted = count as usize;
    let candidates: Vec<Flow> = (0..count * TRIES_PER_FLOW)
        .zip(ports())
        .map(|(index, port)| pairs[index as usize % pairs.len()].flow(port))
        .collect();
    let mut flows = cx.port().flows(candidates.clone(), every).await?;
    let enough = wanted.div_ceil(2);
    let (mut exposed, mut others) = (Vec::new(), Vec::new());
    for (index, flow) in candidates.into_iter().enumerate() {
        if exposed.len() >= enough && exposed.len() + others.len() >= wanted {
            break;
        }
        if crosses(cx, flows.as_mut(), index, through).await? {
            exposed.push(flow);
        } else {
            others.push(flow);
        }
    }
    drop(flows);
    let spare = wanted
        .saturating_sub(others.len())
        .max(enough)
        .min(exposed.len());
    let mut chosen: Vec<(Flow, Option<bool>)> = exposed
        .into_iter()
        .take(spare)
        .map(|flow| (flow, Some(true)))
        .collect();
    let rest = wanted.saturating_sub(chosen.len());
    chosen.extend(
        others
            .into_iter()
            .take(rest)
            .map(|flow| (flow, Some(false))),
    );
    chosen.sort_by_key(|(flow, _)| flow.source_port);
    Ok(chosen)
}

/// Opens flows, trying again for a moment: the candidates had the same addresses and ports, and
/// whoever held their sockets lets go of them in his own time.
pub(super) async fn open(
    cx: &Context,
    flows: Vec<Flow>,
    every: Duration,
) -> PortResult<Box<dyn Flows>> {
    let until = Instant::now() + RELEASE.mul_f64(cx.run.slowness);
    loop {
        match cx.port().flows(flows.clone(), every).await {
            Err(_) if Instant::now() < until => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            opened => return opened,
        }
    }
}

/// Whether a burst of this flow is seen to come in at the target.
async fn crosses(
    cx: &Context,
    flows: &mut dyn Flows,
    index: usize,
    through: &[Target],
) -> PortResult<bool> {
    let before = received(cx, through).await?;
    flows.burst(index, BURST).await?;
    let least = u64::from(BURST) * 3 / 4;
    for reading in 0..READINGS {
        let now = received(cx, through).await?;
        let rose = now.iter().any(|(link, packets)| {
            packets.saturating_sub(before.get(link).copied().unwrap_or(*packets)) >= least
        });
        if rose {
            return Ok(true);
        }
        // Packets in flight for the time of a reading or two, on a busy host.
        if reading + 1 < READINGS {
            tokio::time::sleep(Duration::from_millis(1 << reading)).await;
        }
    }
    Ok(false)
}

async fn received(cx: &Context, through: &[Target]) -> PortResult<BTreeMap<(Target, String), u64>> {
    let mut counters = BTreeMap::new();
    for target in through {
        for link in cx.port().links(target).await? {
            if link.name != "lo" {
                counters.insert((target.clone(), link.name), link.rx_packets);
            }
        }
    }
    Ok(counters)
}
