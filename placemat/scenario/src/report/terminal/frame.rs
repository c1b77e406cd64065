//! The frame of a live display, as a pure function of what is known: a line a server, a bar over
//! all, the current step, active faults.

use super::super::timeline::{BandKind, Boot, LaneRun, Run};
use super::super::words;
use super::line::{Line, Style};
use placemat_spec::event::BootPhase;

/// Phases of a boot that a server's line shows one by one.
const PHASES: [BootPhase; 8] = [
    BootPhase::Power,
    BootPhase::Firmware,
    BootPhase::Dhcp,
    BootPhase::Http,
    BootPhase::Kernel,
    BootPhase::Userspace,
    BootPhase::Agent,
    BootPhase::Bgp,
];
/// Columns of the bar over all servers.
const BAR: usize = 24;

/// The frame, at most `rows` high: servers give way first, those that are up before the others.
pub(super) fn lines(run: &Run, now_ms: f64, rows: usize) -> Vec<Line> {
    let mut below = step_lines(run, now_ms);
    below.extend(run.active_faults().map(|fault| {
        let seen = if fault.observed_ms.is_some() {
            "in effect"
        } else {
            "not yet seen in effect"
        };
        let since = words::duration(now_ms - fault.applied_ms);
        Line::default()
            .then(
                Style::Warn,
                format!("⚡ {} {} ", fault.kind, words::targets(run, &fault.targets)),
            )
            .then(Style::Dim, format!("{since}, {seen}"))
    }));
    let mut lines = head_lines(run, now_ms);
    let room = rows.saturating_sub(lines.len() + below.len());
    lines.extend(server_lines(run, now_ms, room));
    lines.extend(below);
    lines.truncate(rows);
    lines
}

fn head_lines(run: &Run, now_ms: f64) -> Vec<Line> {
    let phase = run
        .phases
        .last()
        .map_or("starting", |(_, phase)| words::lab_phase(*phase));
    let name = if run.suite.is_empty() {
        "lab"
    } else {
        &run.suite
    };
    let mut line = Line::default()
        .then(Style::Bold, name)
        .then(Style::Dim, format!("  {}  ", words::duration(now_ms)))
        .then(Style::Plain, format!("{phase}  "));
    let servers: Vec<&LaneRun> = run.lanes.iter().filter(|lane| lane.is_server()).collect();
    if !servers.is_empty() {
        let up = servers.iter().filter(|lane| is_up(lane)).count();
        // One that is up without BGP may never speak it.
        let done = servers.iter().map(|lane| {
            if is_up(lane) {
                PHASES.len()
            } else {
                progress(lane)
            }
        });
        let filled: usize = done.sum::<usize>() * BAR / (servers.len() * PHASES.len());
        let style = if up == servers.len() {
            Style::Good
        } else {
            Style::Plain
        };
        line = line
            .then(style, "█".repeat(filled))
            .then(Style::Dim, "░".repeat(BAR - filled))
            .then(
                Style::Plain,
                format!(
                    "  {up} of {} up",
                    words::count(servers.len(), "server", "servers")
                ),
            );
    }
    vec![line]
}

fn server_lines(run: &Run, now_ms: f64, room: usize) -> Vec<Line> {
    let servers: Vec<&LaneRun> = run.lanes.iter().filter(|lane| lane.is_server()).collect();
    let width = servers
        .iter()
        .map(|lane| lane.name().chars().count())
        .max()
        .unwrap_or(0);
    if servers.len() <= room {
        return servers
            .into_iter()
            .map(|lane| server(lane, now_ms, width))
            .collect();
    }
    let fitting = room.saturating_sub(1);
    let (open, up): (Vec<&LaneRun>, Vec<&LaneRun>) =
        servers.iter().copied().partition(|lane| !is_up(lane));
    let chosen = open.into_iter().chain(up).take(fitting);
    let mut lines: Vec<Line> = chosen.map(|lane| server(lane, now_ms, width)).collect();
    if room > 0 {
        let more = words::count(servers.len() - fitting, "server", "servers");
        lines.push(Line::default().then(Style::Dim, format!("  and {more} more")));
    }
    lines
}

fn server(lane: &LaneRun, now_ms: f64, width: usize) -> Line {
    let reached = progress(lane);
    let up = is_up(lane);
    let style = if up { Style::Good } else { Style::Warn };
    let text = Line::new(format!("  {:width$}  ", lane.name()))
        .then(
            Style::Dim,
            format!("{:6} ", lane.tier.as_deref().unwrap_or_default()),
        )
        .then(style, "▰".repeat(reached))
        .then(Style::Dim, "▱".repeat(PHASES.len() - reached));
    let Some(band) = lane.state() else {
        return text.then(Style::Dim, "  not started");
    };
    let word = words::band(band.kind);
    let text = text.then(
        if up { Style::Good } else { Style::Plain },
        format!("  {word:<12}"),
    );
    let boot = lane.boots.last().filter(|boot| boot.end_ms.is_none());
    let Some(boot) = boot else {
        return text.then(
            Style::Dim,
            format!("{:>8}", words::duration(now_ms - band.start_ms)),
        );
    };
    let number = if boot.number > 1 {
        format!("  boot {}", boot.number)
    } else {
        String::new()
    };
    let from = boot
        .detail
        .as_ref()
        .map_or_else(String::new, |detail| format!("  {detail}"));
    text.then(
        Style::Plain,
        format!("{:>8}", words::duration(took(boot, up, now_ms))),
    )
    .then(Style::Dim, format!("{number}{from}"))
}

/// From power-on to the last phase it has come to when it is up, or until now.
fn took(boot: &Boot, up: bool, now_ms: f64) -> f64 {
    let begin = boot.phases.first().map_or(now_ms, |(_, t)| *t);
    let end = boot
        .phases
        .last()
        .filter(|_| up)
        .map_or(now_ms, |(_, t)| *t);
    end - begin
}

/// How many phases of its boot a server has behind it or is in.
fn progress(lane: &LaneRun) -> usize {
    match lane.state().map(|band| band.kind) {
        Some(BandKind::Boot(BootPhase::Power)) if is_mock(lane) => PHASES.len(),
        Some(BandKind::Boot(phase)) => PHASES.iter().filter(|p| **p <= phase).count(),
        _ => 0,
    }
}

/// A chassis without a machine has come as far as it will once it has power.
fn is_mock(lane: &LaneRun) -> bool {
    lane.tier.as_deref() == Some("mock")
}

/// Whether a server's boot has come to its end, but for BGP, which not every server speaks.
pub(super) fn is_up(lane: &LaneRun) -> bool {
    progress(lane) + 1 >= PHASES.len()
}

/// Whether a server is on its way up.
pub(super) fn is_booting(lane: &LaneRun) -> bool {
    lane.is_server() && progress(lane) > 0 && !is_up(lane)
}

fn step_lines(run: &Run, now_ms: f64) -> Vec<Line> {
    let Some(scenario) = run.scenarios.last().filter(|s| s.end_ms.is_none()) else {
        return Vec::new();
    };
    let position = run.planned.iter().position(|name| *name == scenario.name);
    let number = position.map_or_else(String::new, |i| {
        format!("[{}/{}] ", i + 1, run.planned.len())
    });
    let head = Line::default()
        .then(Style::Dim, number)
        .then(Style::Bold, &scenario.name)
        .then(
            Style::Dim,
            format!("  {}", words::duration(now_ms - scenario.start_ms)),
        );
    let Some(step) = scenario.current_step() else {
        return vec![head];
    };
    let (elapsed, deadline) = (
        words::duration(now_ms - step.start_ms),
        words::duration(step.deadline_ms),
    );
    let near = step.deadline_ms > 0.0 && now_ms - step.start_ms > 0.8 * step.deadline_ms;
    let mut lines = vec![
        head.then(Style::Dim, format!("  {}", words::loc(&step.loc))),
        Line::new(format!("  {} {} ", step.path, step.kind))
            .then(if near { Style::Warn } else { Style::Plain }, elapsed)
            .then(Style::Dim, format!(" of {deadline}: "))
            .then(Style::Plain, &step.name),
    ];
    if let Some(value) = step.last_value() {
        lines.push(
            Line::default()
                .then(Style::Dim, "  last: ")
                .then(Style::Plain, value),
        );
    }
    lines
}
