//! Boots: every boot of every server with the time each phase took.

use super::super::timeline::{BandKind, Boot, LaneRun, Run};
use super::super::words;
use super::chart::Scale;
use placemat_spec::event::BootPhase;
use serde::Serialize;

/// Boots listed at most.
const BOOTS: usize = 200;

/// All boots, on one scale.
#[derive(Serialize)]
pub(super) struct Table {
    rows: Vec<Row>,
    hidden: usize,
}

#[derive(Serialize)]
struct Row {
    server: String,
    number: u32,
    detail: String,
    total: String,
    reached: &'static str,
    whole: bool,
    phases: Vec<Phase>,
}

#[derive(Serialize)]
struct Phase {
    class: &'static str,
    x: f64,
    w: f64,
    name: &'static str,
    took: String,
}

/// Builds it.
pub(super) fn table(run: &Run) -> Table {
    let all = run
        .lanes
        .iter()
        .flat_map(|lane| lane.boots.iter().map(move |boot| (lane, boot)));
    // A chassis without a machine behind it has power, and never boots.
    let mut boots: Vec<(&LaneRun, &Boot)> = all.filter(|(_, boot)| boot.phases.len() > 1).collect();
    boots.sort_by(|a, b| begin(a.1).total_cmp(&begin(b.1)));
    let hidden = boots.len().saturating_sub(BOOTS);
    boots.truncate(BOOTS);
    let longest = boots
        .iter()
        .map(|(_, boot)| last(boot).1 - begin(boot))
        .fold(1.0, f64::max);
    let scale = Scale::until(longest);
    Table {
        rows: boots
            .into_iter()
            .map(|(lane, boot)| row(lane, boot, &scale))
            .collect(),
        hidden,
    }
}

fn begin(boot: &Boot) -> f64 {
    boot.phases.first().map_or(0.0, |(_, t)| *t)
}

fn last(boot: &Boot) -> (BootPhase, f64) {
    boot.phases.last().copied().unwrap_or((BootPhase::Off, 0.0))
}

fn row(lane: &LaneRun, boot: &Boot, scale: &Scale) -> Row {
    let (reached, end) = last(boot);
    let phase = |pair: &[(BootPhase, f64)]| {
        let [(phase, from), (_, to)] = pair else {
            return None;
        };
        let (x, w) = scale.span(from - begin(boot), Some(to - begin(boot)));
        let class = words::band_class(BandKind::Boot(*phase)).0;
        Some(Phase {
            class,
            x,
            w,
            name: words::phase(*phase),
            took: words::duration(to - from),
        })
    };
    Row {
        server: lane.name().to_owned(),
        number: boot.number,
        detail: boot.detail.clone().unwrap_or_default(),
        total: words::duration(end - begin(boot)),
        reached: words::phase(reached),
        whole: reached >= BootPhase::Agent,
        phases: boot.phases.windows(2).filter_map(phase).collect(),
    }
}
