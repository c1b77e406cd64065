//! `faults:` of a boot server: how its HTTP or its DHCP misbehaves, in words that scenarios share.

use crate::document::{Fields, Item};
use crate::problem::Problem;
use crate::value::{format_duration, format_rate, parse_rate};
use std::fmt;
use std::time::Duration;

/// How HTTP misbehaves, towards everybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HttpFault {
    /// Bodies trickle.
    Slow {
        /// Bits a second of each answer's body.
        rate: u64,
    },
    /// Requests are read and never answered.
    Silent,
    /// Nothing is there: status 404.
    NotFound,
    /// Half of a body, then the connection is closed.
    Truncated,
    /// One byte in each 4 KiB of a body is another.
    Corrupt,
}

/// How DHCP misbehaves, towards everybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DhcpFault {
    /// Nobody is answered.
    Silent,
    /// Offers come late.
    Slow {
        /// By this much: whole seconds.
        delay: Duration,
    },
    /// Addresses are given, but nothing to boot: neither boot file nor server.
    NoBootFile,
    /// Addresses are offered, and refused when they are asked for.
    Nak,
}

/// Faults that a boot server has from the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BootFaults {
    /// Of its HTTP.
    pub http: Option<HttpFault>,
    /// Of its DHCP.
    pub dhcp: Option<DhcpFault>,
}

/// Bits a second of a slow answer, unless the file says otherwise.
pub const SLOW_RATE: u64 = 1_000_000;
/// Delay of a slow offer, unless the file says otherwise.
pub const SLOW_DELAY: Duration = Duration::from_secs(5);

impl HttpFault {
    /// Their words.
    pub const WORDS: &'static [&'static str] = &["slow", "silent", "404", "truncated", "corrupt"];

    /// The fault of a word; `rate` is for `slow`.
    pub fn named(word: &str, rate: Option<u64>) -> Option<Self> {
        match word {
            "slow" => Some(Self::Slow {
                rate: rate.unwrap_or(SLOW_RATE),
            }),
            "silent" => Some(Self::Silent),
            "404" => Some(Self::NotFound),
            "truncated" => Some(Self::Truncated),
            "corrupt" => Some(Self::Corrupt),
            _ => None,
        }
    }
}

impl DhcpFault {
    /// Their words.
    pub const WORDS: &'static [&'static str] = &["silent", "slow", "no-boot-file", "nak"];

    /// The fault of a word; `delay` is for `slow`.
    pub fn named(word: &str, delay: Option<Duration>) -> Option<Self> {
        match word {
            "silent" => Some(Self::Silent),
            "slow" => Some(Self::Slow {
                delay: delay.unwrap_or(SLOW_DELAY),
            }),
            "no-boot-file" => Some(Self::NoBootFile),
            "nak" => Some(Self::Nak),
            _ => None,
        }
    }

    /// Why a delay cannot be had: DHCP servers count in seconds, and clients wait for about a minute.
    pub fn wrong_delay(delay: Duration) -> Option<&'static str> {
        let whole = delay.subsec_nanos() == 0 && (1..=60).contains(&delay.as_secs());
        (!whole).then_some("not a whole number of seconds from 1 to 60")
    }
}

impl fmt::Display for HttpFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Slow { rate } => write!(f, "slow, {}", format_rate(*rate)),
            Self::Silent => f.write_str("silent"),
            Self::NotFound => f.write_str("404"),
            Self::Truncated => f.write_str("truncated"),
            Self::Corrupt => f.write_str("corrupt"),
        }
    }
}

impl fmt::Display for DhcpFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silent => f.write_str("silent"),
            Self::Slow { delay } => write!(f, "slow, {}", format_duration(*delay)),
            Self::NoBootFile => f.write_str("no-boot-file"),
            Self::Nak => f.write_str("nak"),
        }
    }
}

/// Takes `faults`.
pub(super) fn read(fields: &mut Fields<'_>) -> BootFaults {
    let Some(mut fields) = fields.opt("faults").and_then(|it| it.fields()) else {
        return BootFaults::default();
    };
    let http = fields.opt("http").and_then(|it| http(&it));
    let dhcp = fields.opt("dhcp").and_then(|it| dhcp(&it));
    fields.finish();
    BootFaults { http, dhcp }
}

fn http(item: &Item<'_>) -> Option<HttpFault> {
    let (word, mut rest) = word(item, HttpFault::WORDS)?;
    let rate = rest.as_mut().and_then(|fields| {
        let rate = fields.opt("rate");
        refuse_unless_slow(word, fields, rate.as_ref());
        rate.and_then(|it| it.parse("bad-rate", "a rate such as `1mbit`", parse_rate))
    });
    finish(rest);
    HttpFault::named(word, rate.map(|rate| rate.value))
}

fn dhcp(item: &Item<'_>) -> Option<DhcpFault> {
    let (word, mut rest) = word(item, DhcpFault::WORDS)?;
    let delay = rest.as_mut().and_then(|fields| {
        let delay = fields.opt("delay");
        refuse_unless_slow(word, fields, delay.as_ref());
        let delay = delay.and_then(|it| it.duration())?;
        if let Some(why) = DhcpFault::wrong_delay(delay.value) {
            fields.findings().error(
                Problem::new(
                    "out-of-range",
                    format!("{} has a delay that cannot be kept to", fields.describe()),
                )
                .at(delay.place, why),
            );
        }
        Some(delay.value)
    });
    finish(rest);
    DhcpFault::named(word, delay)
}

/// The word alone, or under `how` with what belongs to it.
fn word<'a>(item: &Item<'a>, words: &[&'static str]) -> Option<(&'static str, Option<Fields<'a>>)> {
    let choices: Vec<(&'static str, &'static str)> = words.iter().map(|it| (*it, *it)).collect();
    if item.tree().as_map().is_none() {
        return Some((item.choice(&choices)?.value, None));
    }
    let mut fields = item.fields()?;
    let how = fields.req("how").and_then(|it| it.choice(&choices));
    let Some(how) = how else {
        // What belongs to it is not unknown.
        let _ = (fields.opt("rate"), fields.opt("delay"));
        fields.finish();
        return None;
    };
    Some((how.value, Some(fields)))
}

fn finish(rest: Option<Fields<'_>>) {
    if let Some(fields) = rest {
        fields.finish();
    }
}

fn refuse_unless_slow(word: &str, fields: &Fields<'_>, item: Option<&Item<'_>>) {
    if let Some(item) = item.filter(|_| word != "slow") {
        let problem = Problem::new(
            "conflict",
            format!("{} is not for `{word}`", item.describe()),
        );
        fields
            .findings()
            .error(problem.at(item.place(), "goes with `how: slow` only"));
    }
}
