//! How reports spell times, verdicts and phases, so that all of them say the same.

use super::timeline::{BandKind, Run};
use crate::event::{Loc, Verdict};
pub(super) use crate::words::count;
use crate::words::span_ms;
use placemat_spec::event::{BootPhase, LabPhase};

/// `3.1 ms`, `340 ms`, `8.2 s`, `1 min 12 s`.
pub(super) fn duration(ms: f64) -> String {
    if ms < 0.05 {
        "0 ms".to_owned()
    } else if ms < 9.95 {
        format!("{ms:.1} ms")
    } else {
        span_ms(ms)
    }
}

/// The milliseconds of a budget's limit, such as `1s`, `500 ms`, `1 min 30 s`.
pub(super) fn parse_ms(text: &str) -> Option<f64> {
    let mut total = None;
    let mut rest = text.trim();
    while !rest.is_empty() {
        let unit_at = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, behind) = rest.split_at(unit_at);
        let behind = behind.trim_start();
        let end = behind
            .find(|c: char| !c.is_alphabetic())
            .unwrap_or(behind.len());
        let (unit, next) = behind.split_at(end);
        let factor = match unit {
            "ms" => 1.0,
            "s" => 1e3,
            "m" | "min" => 60e3,
            _ => return None,
        };
        *total.get_or_insert(0.0) += number.parse::<f64>().ok()? * factor;
        rest = next.trim_start();
    }
    total
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
        BootPhase::Bgp => "BGP",
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
        BandKind::Boot(BootPhase::Bgp) => ("bgp", 8),
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
    let total = count(began + not_run, "scenario", "scenarios");
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
        None => count(targets.len(), "target", "targets"),
    }
}

/// A word as a shell takes it: in quotes where it would see more than one, or something else.
pub(super) fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "_-./:,@%+=".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// A moment of the wall clock to the second: `2026-11-21 19:33:29 UTC`. What is none stays as it is.
pub(super) fn moment(wall: &str) -> String {
    wall.parse::<jiff::Timestamp>().map_or_else(
        |_| wall.to_owned(),
        |moment| moment.strftime("%F %T UTC").to_string(),
    )
}

/// The folder of a path as the user gave it; the path itself where it has none.
pub(super) fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(folder, _)| folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_can_be_pasted() {
        assert_eq!(shell_word("scenarios/a-1.yml"), "scenarios/a-1.yml");
        assert_eq!(shell_word("my tests/$(x).yml"), "'my tests/$(x).yml'");
        assert_eq!(shell_word("it's"), "'it'\\''s'");
        assert_eq!(shell_word(""), "''");
    }

    #[test]
    fn moments_are_to_the_second() {
        assert_eq!(
            moment("2026-11-21T19:33:29.160622797Z"),
            "2026-11-21 19:33:29 UTC"
        );
        assert_eq!(moment("yesterday"), "yesterday");
    }

    #[test]
    fn limits_are_read_back() {
        assert_eq!(parse_ms("1s"), Some(1000.0));
        assert_eq!(parse_ms("2.5 s"), Some(2500.0));
        assert_eq!(parse_ms("250 ms"), Some(250.0));
        assert_eq!(parse_ms("1 min 30 s"), Some(90_000.0));
        assert_eq!(parse_ms("8 %"), None);
        assert_eq!(parse_ms("fast"), None);
    }
}
