//! Lanes of the timeline: one a rack, unfolding to its servers, routers and boot servers.

use super::super::timeline::{Band, LaneRun, Mark, MarkKind, Run};
use super::super::words;
use super::chart::Scale;
use serde::Serialize;

/// Lanes drawn at most. Those that a fault touched come first, then display order.
const LANES: usize = 200;
/// Bands drawn in all lanes together, about.
const BANDS: usize = 6_000;
/// Marks drawn in all lanes together, about.
const MARKS: usize = 4_000;
/// Labs up to this size are shown unfolded.
const UNFOLDED: usize = 24;

/// A rack, or the fabric above the racks.
#[derive(Serialize)]
pub(super) struct Group {
    name: String,
    detail: String,
    open: bool,
    strip: f64,
    strip_height: f64,
    lanes: Vec<Lane>,
}

#[derive(Serialize)]
struct Lane {
    name: String,
    title: String,
    tag: String,
    bands: Vec<BandView>,
    marks: Vec<MarkView>,
    hidden: usize,
}

#[derive(Serialize)]
struct BandView {
    x: f64,
    w: f64,
    class: &'static str,
    y: u32,
    h: u32,
    title: String,
}

#[derive(Serialize)]
struct MarkView {
    x: f64,
    class: &'static str,
    title: String,
}

/// Groups in order of their first lane, and how many lanes were left out.
pub(super) fn groups(run: &Run, scale: &Scale) -> (Vec<Group>, usize) {
    let drawn = drawn(run);
    let hidden = run.lanes.len() - drawn.len();
    let mut groups: Vec<(String, Vec<&LaneRun>)> = Vec::new();
    for lane in drawn {
        let key = group_of(lane);
        match groups.iter_mut().find(|(name, _)| *name == key) {
            Some((_, lanes)) => lanes.push(lane),
            None => groups.push((key, vec![lane])),
        }
    }
    let small = run.lanes.len() <= UNFOLDED;
    let share = |all: usize| (all / run.lanes.len().clamp(1, LANES)).clamp(16, 80);
    let share = (share(BANDS), share(MARKS));
    let build = |(name, members): (String, Vec<&LaneRun>)| {
        let open = small || members.iter().any(|lane| is_faulted(run, lane));
        let strip = (32.0 / count(members.len())).clamp(1.0, 5.0);
        Group {
            name,
            detail: words::count(members.len(), "lane", "lanes"),
            open,
            strip,
            strip_height: strip * count(members.len()),
            lanes: members
                .into_iter()
                .map(|lane| view(lane, scale, share))
                .collect(),
        }
    };
    (groups.into_iter().map(build).collect(), hidden)
}

fn count(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::MAX, f64::from)
}

fn drawn(run: &Run) -> Vec<&LaneRun> {
    if run.lanes.len() <= LANES {
        return run.lanes.iter().collect();
    }
    let (hit, others): (Vec<_>, Vec<_>) = run.lanes.iter().partition(|lane| is_faulted(run, lane));
    hit.into_iter().chain(others).take(LANES).collect()
}

fn is_faulted(run: &Run, lane: &LaneRun) -> bool {
    run.faults
        .iter()
        .any(|fault| fault.targets.contains(&lane.object))
}

fn group_of(lane: &LaneRun) -> String {
    match (&lane.rack, &lane.role) {
        (Some(rack), _) => format!("rack {rack}"),
        (None, Some(role)) => format!("{role}s"),
        (None, None) => "no rack".to_owned(),
    }
}

fn view(lane: &LaneRun, scale: &Scale, (bands, marks): (usize, usize)) -> Lane {
    let words = [lane.role.as_deref(), lane.tier.as_deref()];
    let tag = lane
        .tier
        .as_deref()
        .or(lane.role.as_deref())
        .unwrap_or_default();
    let tags: Vec<&str> = words.into_iter().flatten().collect();
    let hidden = lane.bands.len().saturating_sub(bands)
        + lane.marks.len().saturating_sub(marks)
        + lane.marks_dropped;
    Lane {
        name: lane.name().to_owned(),
        title: format!("{} {}", lane.object, tags.join(" ")),
        tag: tag.to_owned(),
        bands: lane
            .bands
            .iter()
            .take(bands)
            .map(|band| band_view(lane, band, scale))
            .collect(),
        marks: lane
            .marks
            .iter()
            .take(marks)
            .map(|mark| mark_view(lane, mark, scale))
            .collect(),
        hidden,
    }
}

fn band_view(lane: &LaneRun, band: &Band, scale: &Scale) -> BandView {
    let (x, w) = scale.span(band.start_ms, band.end_ms);
    let (class, level) = words::band_class(band.kind);
    let h = 2 * level + 2;
    let lasted = match band.end_ms {
        Some(end) => format!("for {}", words::duration(end - band.start_ms)),
        None => "until the end".to_owned(),
    };
    let detail = band
        .detail
        .as_ref()
        .map_or_else(String::new, |detail| format!(" ({detail})"));
    let title = format!(
        "{}: {}{detail}, from {} {lasted}",
        lane.name(),
        words::band(band.kind),
        words::duration(band.start_ms),
    );
    BandView {
        x,
        w,
        class,
        y: 20 - h,
        h,
        title,
    }
}

fn mark_view(lane: &LaneRun, mark: &Mark, scale: &Scale) -> MarkView {
    let class = match mark.kind {
        MarkKind::App => "app",
        MarkKind::Trouble => "trouble",
        MarkKind::Link => "link",
        MarkKind::Http => "http",
        MarkKind::Note => "note",
    };
    let title = format!(
        "{} {}: {}",
        words::duration(mark.t_ms),
        lane.name(),
        mark.text
    );
    MarkView {
        x: scale.at(mark.t_ms),
        class,
        title,
    }
}
