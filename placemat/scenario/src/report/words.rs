//! How reports spell times, verdicts and phases, so that all of them say the same.

use super::timeline::{BandKind, Run};
use crate::event::{Loc, Verdict};
use placemat_spec::event::{BootPhase, LabPhase};

/// `340 ms`, `8.2 s`, `1 m 12 s`, `2 h 03 m`.
pub(super) fn duration(ms: f64) -> String {
    if ms < 9.95 {
        return format!("{ms:.1} ms");
    }
    if ms < 999.5 {
        return format!("{ms:.0} ms");
    }
    if ms < 59_950.0 {
        return format!("{:.1} s", ms / 1e3);
    }
    let (minutes, seconds) = split(ms / 1e3, 60.0);
    if minutes < 60.0 {
        return format!("{minutes} m {seconds:02} s");
    }
    let (hours, minutes) = split(minutes, 60.0);
    format!("{hours} h {minutes:02} m")
}

fn split(value: f64, unit: f64) -> (f64, f64) {
    let value = value.round();
    ((value / unit).floor(), value % unit)
}

/// The milliseconds of a budget's limit, such as `1s`, `500 ms`, `2.5s`.
pub(super) fn parse_ms(text: &str) -> Option<f64> {
    let text = text.trim();
    let unit_at = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let number: f64 = text[..unit_at].parse().ok()?;
    let factor = match text[unit_at..].trim() {
        "ms" => 1.0,
        "s" => 1e3,
        "m" | "min" => 60e3,
        "us" | "µs" => 1e-3,
        _ => return None,
    };
    Some(number * factor)
}

/// A verdict in lower case; `None` is a thing that never ended.
pub(super) fn verdict(verdict: Option<Verdict>) -> &'static str {
    match verdict {
        None => "unfinished",
        Some(Verdict::Pass) => "pass",
        Some(Verdict::Skip) => "skip",
        Some(Verdict::Flaky) => "flaky",
        Some(Verdict::Inconclusive) => "inconclusive",
        Some(Verdict::Vacuous) => "vacuous",
        Some(Verdict::Fail) => "fail",
    }
}

/// A shape for each verdict, so that nobody needs the colour.
pub(super) fn glyph(verdict: Option<Verdict>) -> &'static str {
    match verdict {
        None => "◌",
        Some(Verdict::Pass) => "✓",
        Some(Verdict::Skip) => "–",
        Some(Verdict::Flaky) => "≈",
        Some(Verdict::Inconclusive) => "?",
        Some(Verdict::Vacuous) => "∅",
        Some(Verdict::Fail) => "✕",
    }
}

/// A boot phase as its lane calls it.
pub(super) fn phase(phase: BootPhase) -> &'static str {
    match phase {
        BootPhase::Off => "off",
        BootPhase::Power => "power",
        BootPhase::Firmware => "firmware",
        BootPhase::Dhcp => "DHCP",
        BootPhase::Http => "HTTP",
        BootPhase::Kernel => "kernel",
        BootPhase::Userspace => "userspace",
        BootPhase::Agent => "agent",
    }
}

/// A band in words.
pub(super) fn band(kind: BandKind) -> &'static str {
    match kind {
        BandKind::Off => "off",
        BandKind::On => "on",
        BandKind::Boot(boot) => phase(boot),
    }
}

/// A band as a CSS class, and how high it stands in its lane: a boot climbs.
pub(super) fn band_class(kind: BandKind) -> (&'static str, u32) {
    match kind {
        BandKind::Off | BandKind::Boot(BootPhase::Off) => ("off", 1),
        BandKind::On => ("on", 8),
        BandKind::Boot(BootPhase::Power) => ("power", 2),
        BandKind::Boot(BootPhase::Firmware) => ("firmware", 3),
        BandKind::Boot(BootPhase::Dhcp) => ("dhcp", 4),
        BandKind::Boot(BootPhase::Http) => ("http", 5),
        BandKind::Boot(BootPhase::Kernel) => ("kernel", 6),
        BandKind::Boot(BootPhase::Userspace) => ("userspace", 7),
        BandKind::Boot(BootPhase::Agent) => ("agent", 8),
    }
}

/// A phase of the lab's own life.
pub(super) fn lab_phase(phase: LabPhase) -> &'static str {
    match phase {
        LabPhase::Links => "links",
        LabPhase::Routers => "routers",
        LabPhase::BootServers => "boot servers",
        LabPhase::Nodes => "servers",
        LabPhase::Running => "running",
        LabPhase::Stopping => "stopping",
        LabPhase::Stopped => "stopped",
    }
}

/// `file:line:column`, in the form that editors jump to.
pub(super) fn loc(loc: &Loc) -> String {
    match (loc.line, loc.column) {
        (0, _) => loc.file.clone(),
        (line, 0) => format!("{}:{line}", loc.file),
        (line, column) => format!("{}:{line}:{column}", loc.file),
    }
}

/// `4 scenarios: 3 pass, 1 fail, 0 ...`: only what occurred, worst first.
pub(super) fn tally(run: &Run) -> String {
    use Verdict::{Fail, Flaky, Inconclusive, Pass, Skip, Vacuous};
    let order = [
        Some(Fail),
        Some(Vacuous),
        Some(Inconclusive),
        None,
        Some(Flaky),
        Some(Skip),
        Some(Pass),
    ];
    let number = |of: Option<Verdict>| run.final_attempts().filter(|s| s.verdict == of).count();
    let parts = order
        .into_iter()
        .map(|v| (number(v), verdict(v)))
        .filter(|(n, _)| *n > 0);
    let mut parts: Vec<String> = parts.map(|(n, word)| format!("{n} {word}")).collect();
    let (not_run, began) = (run.not_run().count(), run.final_attempts().count());
    if not_run > 0 {
        parts.push(format!("{not_run} not run"));
    }
    let total = count(began + not_run, "scenario");
    if parts.is_empty() {
        total
    } else {
        format!("{total}: {}", parts.join(", "))
    }
}

/// Targets in few words: `router/spine-1`, `rack/1` where that is what they are, `5 targets`.
pub(super) fn targets(run: &Run, targets: &[String]) -> String {
    let [first, _, ..] = targets else {
        return targets.join("");
    };
    let rack_of = |object: &String| {
        run.lanes
            .iter()
            .find(|l| l.object == *object)?
            .rack
            .as_deref()
    };
    let whole = |rack: &str| {
        let mut members = run
            .lanes
            .iter()
            .filter(|lane| lane.rack.as_deref() == Some(rack));
        members.all(|lane| targets.contains(&lane.object))
            && targets.iter().all(|t| rack_of(t) == Some(rack))
    };
    match rack_of(first).filter(|rack| whole(rack)) {
        Some(rack) => format!("rack/{rack}"),
        None if targets.len() <= 3 => targets.join(", "),
        None => count(targets.len(), "target"),
    }
}

/// `3 flows`, `1 flow`.
pub(super) fn count(number: usize, thing: &str) -> String {
    let plural = match (number, thing) {
        (1, _) => "",
        (_, "try") => return format!("{number} tries"),
        _ => "s",
    };
    format!("{number} {thing}{plural}")
}

/// The folder of a path as the user gave it; the path itself where it has none.
pub(super) fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(folder, _)| folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_keep_two_or_three_digits() {
        let spelled = [
            0.0,
            3.06,
            40.4,
            999.6,
            8_240.0,
            59_990.0,
            72_000.0,
            3_599_700.0,
            7_380_000.0,
        ]
        .map(duration);
        insta::assert_snapshot!(
            spelled.join(", "),
            @"0.0 ms, 3.1 ms, 40 ms, 1.0 s, 8.2 s, 1 m 00 s, 1 m 12 s, 1 h 00 m, 2 h 03 m"
        );
    }

    #[test]
    fn limits_are_read_back() {
        assert_eq!(parse_ms("1s"), Some(1000.0));
        assert_eq!(parse_ms("2.5 s"), Some(2500.0));
        assert_eq!(parse_ms("250 ms"), Some(250.0));
        assert_eq!(parse_ms("8 %"), None);
        assert_eq!(parse_ms("fast"), None);
    }
}
