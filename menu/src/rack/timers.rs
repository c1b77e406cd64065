//! `bfd:` and `bgp:`: timers of every session.

use placemat_spec::document::{Fields, Item};
use std::ops::RangeInclusive;
use std::time::Duration;

/// BFD timers.
#[derive(Debug, Clone, Copy)]
pub struct Bfd {
    /// Sent and expected this often; whole milliseconds.
    pub interval: Duration,
    /// Down after so many were missed.
    pub multiplier: u32,
}

/// BGP timers; whole seconds.
#[derive(Debug, Clone, Copy)]
pub struct Bgp {
    /// Hold time.
    pub hold: Duration,
    /// Wait before the first connection attempt, and between attempts.
    pub connect: Duration,
    /// Wait after a first error; it doubles up to four times this.
    pub error_wait: Duration,
}

pub(super) fn bfd(fields: &mut Fields) -> Bfd {
    let mut bfd = Bfd {
        interval: Duration::from_millis(400),
        multiplier: 5,
    };
    if let Some(mut fields) = fields.opt("bfd").and_then(|it| it.fields()) {
        let unit = Duration::from_millis(1);
        if let Some(interval) = fields
            .opt("interval")
            .and_then(|it| time(&it, unit, 10..=60_000))
        {
            bfd.interval = interval;
        }
        if let Some(multiplier) = fields
            .opt("multiplier")
            .and_then(|it| it.integer(1..=255u32))
        {
            bfd.multiplier = multiplier.value;
        }
        fields.finish();
    }
    bfd
}

pub(super) fn bgp(fields: &mut Fields) -> Bgp {
    let second = Duration::from_secs(1);
    let mut bgp = Bgp {
        hold: 30 * second,
        connect: second,
        error_wait: second,
    };
    if let Some(mut fields) = fields.opt("bgp").and_then(|it| it.fields()) {
        let mut set = |key, timer: &mut Duration, range| {
            let given = fields.opt(key).and_then(|it| time(&it, second, range));
            *timer = given.unwrap_or(*timer);
        };
        set("hold", &mut bgp.hold, 3..=65_535);
        set("connect", &mut bgp.connect, 1..=3_600);
        set("error-wait", &mut bgp.error_wait, 1..=3_600);
        fields.finish();
    }
    bgp
}

/// A duration that is a whole number of `unit` within `range`.
fn time(item: &Item, unit: Duration, range: RangeInclusive<u32>) -> Option<Duration> {
    let (low, high) = (unit * *range.start(), unit * *range.end());
    let given = item.duration()?;
    let whole = given.as_nanos().is_multiple_of(unit.as_nanos());
    if whole && (low..=high).contains(&given.value) {
        return Some(given.value);
    }
    let message = format!("must be a multiple of {unit:?} from {low:?} to {high:?}");
    let label = if whole { "out of range" } else { "too fine" };
    item.findings()
        .error(item.problem("bad-timer", &message, label));
    None
}
