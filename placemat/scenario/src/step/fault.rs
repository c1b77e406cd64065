//! `fault`: breaks something for as long as its scope lasts: applied, seen to take effect, and
//! always healed and seen to be healed, whatever happens inside.

use super::StepBody;
use crate::context::Context;
use crate::deadline::Limit;
use crate::event::What;
use crate::load::{BOOT_SERVERS, Fields, Key, POWERED, Reader, Row, Targets, Value};
use crate::measure::FaultSpan;
use crate::model::Steps;
use crate::outcome::Outcome;
use crate::port::{Fault, FaultKind};
use crate::runner::{after_heal, run_steps};
use crate::words::span;
use async_trait::async_trait;
use placemat_spec::resource::{DhcpFault, HttpFault};
use placemat_spec::selector::Target;
use placemat_spec::supply::Supply;
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

pub(super) const ROW: Row<super::Parse> = Row {
    name: "fault",
    doc: "breaks something while the steps inside run; healed on every way out",
    keys: &[
        Key::required(
            "kind",
            "FAULT",
            "power-loss carrier-down daemon-kill boot-http boot-dhcp",
        ),
        Key::required(
            "of",
            "SELECTOR",
            "what breaks; for power-loss also feeds and PDUs: what has another supply goes on",
        ),
        Key::optional("app", "NAME", "for daemon-kill: the program, such as bird"),
        Key::optional(
            "how",
            "WORD",
            "for boot-http: slow silent 404 truncated corrupt; for boot-dhcp: silent slow no-boot-file nak",
        ),
        Key::optional("rate", "RATE", "for boot-http slow: of each answer; 1mbit"),
        Key::optional("delay", "DURATION", "for boot-dhcp slow: of each offer; 5s"),
        Key::optional(
            "pick",
            "NUMBER",
            "only that many of them, drawn by the run's seed",
        ),
        Key::optional(
            "for",
            "DURATION",
            "lasts at least this long; never stretched",
        ),
        Key::optional("during", "[STEP]", "steps under the fault"),
    ],
    parse,
};

const KINDS: &[&str] = &[
    "power-loss",
    "carrier-down",
    "daemon-kill",
    "boot-http",
    "boot-dhcp",
];
/// The keys that only some kinds have: each is a mistake beside another.
const OF_KINDS: [(&str, &[&str]); 4] = [
    ("app", &["daemon-kill"]),
    ("how", &["boot-http", "boot-dhcp"]),
    ("rate", &["boot-http"]),
    ("delay", &["boot-dhcp"]),
];

/// Time to apply a fault, to see it take effect, and to undo it.
const ACT: Duration = Duration::from_secs(30);

/// The same, with the time in which power comes back outlet by outlet.
fn patience(cx: &Context, fault: &Fault) -> Limit {
    let staged = match fault.kind {
        FaultKind::PowerLoss => Supply::of(&cx.port().cluster()).longest_wait(),
        _ => Duration::ZERO,
    };
    Limit::default_of(ACT + staged)
}

/// Whoever feels a fault: of a feed or PDU, the machines that have no other supply.
fn felt(cx: &Context, fault: &Fault) -> Vec<Target> {
    let machines = match fault.kind {
        FaultKind::PowerLoss => Supply::of(&cx.port().cluster()).dark(&fault.of),
        _ => Vec::new(),
    };
    if machines.is_empty() {
        return fault.of.clone();
    }
    machines
}

#[derive(Debug)]
struct FaultScope {
    kind: &'static str,
    fault: FaultKind,
    of: Targets,
    pick: Option<u32>,
    hold: Duration,
    during: Steps,
}

fn parse(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<Box<dyn StepBody>> {
    let fields = reader.fields(value, ROW.name, ROW.keys)?;
    let kind = fields
        .get("kind")
        .and_then(|kind| reader.choice(kind, KINDS));
    let boot = matches!(kind, Some("boot-http" | "boot-dhcp"));
    let allowed = if boot { BOOT_SERVERS } else { POWERED };
    let of = match kind {
        Some("power-loss") => reader.sources(fields.get("of"), allowed),
        _ => reader.targets(fields.get("of"), allowed),
    };
    let pick = reader.optional(fields.get("pick"), |reader, pick| {
        reader.number_or(Some(pick), 1, 1)
    });
    let hold = reader.duration_or(fields.get("for"), Duration::ZERO);
    let during = reader.optional(fields.get("during"), Reader::steps);
    if fields.get("for").is_none() && fields.get("during").is_none() {
        reader.problem(
            "missing-key",
            "`fault` would end as soon as it began".to_owned(),
            value.place,
            "neither `for` nor `during`".to_owned(),
            Some(
                "say how long with `for: 8s`, or what happens meanwhile with `during:`".to_owned(),
            ),
        );
        return None;
    }
    let kind = kind?;
    let fault = fault_of(reader, kind, &fields, value);
    let fault = fault?;
    Some(Box::new(FaultScope {
        kind,
        fault,
        of: of?,
        pick: pick?,
        hold: hold?,
        during: during?.unwrap_or_else(|| Arc::from([])),
    }))
}

/// The fault of a kind, with the keys that only this kind has.
fn fault_of(
    reader: &mut Reader<'_>,
    kind: &str,
    fields: &Fields<'_>,
    value: &Value<'_>,
) -> Option<FaultKind> {
    for (key, kinds) in OF_KINDS {
        let Some(given) = fields.get(key) else {
            continue;
        };
        if !kinds.contains(&kind) {
            let of: Vec<String> = kinds.iter().map(|it| format!("`{it}`")).collect();
            reader.problem(
                "unknown-key",
                format!("`{key}` is for {}, not for `{kind}`", of.join(" and ")),
                given.place,
                "not needed here".to_owned(),
                None,
            );
            return None;
        }
    }
    let mut missing = |what: &str, key: &str, help: String| {
        reader.problem(
            "missing-key",
            format!("`{kind}` does not say {what}"),
            value.place,
            format!("no `{key}`"),
            Some(help),
        );
    };
    match kind {
        "power-loss" => Some(FaultKind::PowerLoss),
        "carrier-down" => Some(FaultKind::CarrierDown),
        "daemon-kill" => {
            let Some(app) = fields.get("app") else {
                missing(
                    "which program",
                    "app",
                    "for the routing daemon, `app: bird`".to_owned(),
                );
                return None;
            };
            reader.text(app).map(|app| FaultKind::DaemonKill { app })
        }
        _ => {
            let words = if kind == "boot-http" {
                HttpFault::WORDS
            } else {
                DhcpFault::WORDS
            };
            let Some(how) = fields.get("how") else {
                missing(
                    "what it does",
                    "how",
                    format!("one of `{}`", words.join("`, `")),
                );
                return None;
            };
            let how = reader.choice(how, words)?;
            misbehaviour(reader, kind, how, fields)
        }
    }
}

fn misbehaviour(
    reader: &mut Reader<'_>,
    kind: &str,
    how: &'static str,
    fields: &Fields<'_>,
) -> Option<FaultKind> {
    let key = if kind == "boot-http" { "rate" } else { "delay" };
    let extra = fields.get(key);
    if let Some(extra) = extra.filter(|_| how != "slow") {
        reader.problem(
            "unknown-key",
            format!("`{key}` is for `how: slow`, not for `{how}`"),
            extra.place,
            "not needed here".to_owned(),
            None,
        );
        return None;
    }
    if kind == "boot-http" {
        let rate = reader.optional(fields.get("rate"), Reader::rate)?;
        return HttpFault::named(how, rate).map(FaultKind::BootHttp);
    }
    let delay = reader.optional(fields.get("delay"), Reader::duration)?;
    if let (Some(at), Some(why)) = (extra, delay.and_then(DhcpFault::wrong_delay)) {
        reader.problem(
            "out-of-range",
            "`delay` of DHCP cannot be kept to".to_owned(),
            at.place,
            why.to_owned(),
            None,
        );
        return None;
    }
    DhcpFault::named(how, delay).map(FaultKind::BootDhcp)
}

/// What a fault is watched for.
#[derive(Debug, Clone, Copy)]
enum Watched {
    InEffect,
    Healed,
}

/// Why it was not seen.
enum Unseen {
    /// Not by the deadline: which one, and what the lab last said against being asked.
    Never(String),
    /// The scope was cancelled meanwhile.
    Cut(Outcome),
}

fn spans(cx: &Context) -> MutexGuard<'_, Vec<FaultSpan>> {
    let faults = &cx.case.faults;
    faults.lock().unwrap_or_else(PoisonError::into_inner)
}

impl FaultScope {
    /// Notes for measurements that the fault begins; its index there.
    fn begun(cx: &Context, fault: &Fault) -> usize {
        let mut spans = spans(cx);
        spans.push(FaultSpan {
            of: felt(cx, fault),
            applied_ms: cx.run.sink.elapsed_ms(),
            healing_ms: None,
        });
        spans.len() - 1
    }

    async fn apply(&self, cx: &Context, fault: &Fault) -> Outcome {
        // From here on it may be felt.
        cx.emit(|scenario, path| What::FaultApplied {
            scenario,
            path,
            kind: self.kind.to_owned(),
            targets: felt(cx, fault).iter().map(ToString::to_string).collect(),
        });
        // Not cut short by ^C: it is healed all the sooner when it is wholly there.
        let cx = cx
            .clone()
            .unwinding(&patience(cx, fault), "applying a fault");
        match cx.bounded(cx.port().apply_fault(fault)).await {
            Ok(Ok(())) => Outcome::pass(),
            Ok(Err(error)) => Outcome::fail(format!("{} could not be applied: {error}", self.kind)),
            Err(late) => late,
        }
    }

    async fn under(&self, cx: &Context, fault: &Fault) -> Outcome {
        let began = Instant::now();
        match observe(cx, fault, Watched::InEffect).await {
            Ok(()) => {}
            Err(Unseen::Never(why)) => {
                return Outcome::vacuous(format!(
                    "{} of {} was not seen to take effect, so nothing was tested: {why}",
                    self.kind, self.of
                ));
            }
            Err(Unseen::Cut(ended)) => return ended,
        }
        cx.emit(|scenario, path| What::FaultObserved { scenario, path });
        let ended = run_steps(&self.during, cx).await;
        if !ended.is_good() {
            return ended;
        }
        let rest = tokio::time::sleep_until(began + self.hold);
        match cx.bounded(rest).await {
            Ok(()) => ended,
            Err(cut) => ended.and(cut),
        }
    }

    /// Undoes it, however the scope ended and whatever was cancelled.
    async fn heal(&self, cx: &Context, fault: &Fault) -> Outcome {
        let cx = cx.clone().unwinding(&patience(cx, fault), "healing");
        let healed = match cx.bounded(cx.port().heal_fault(fault)).await {
            Ok(done) => done.map_err(|error| error.to_string()),
            Err(late) => Err(late.message.unwrap_or_default()),
        };
        if let Err(why) = healed {
            return Outcome::fail(format!("{} could not be healed: {why}", self.kind));
        }
        match observe(&cx, fault, Watched::Healed).await {
            Ok(()) => {
                cx.emit(|scenario, path| What::FaultHealed { scenario, path });
                Outcome::pass()
            }
            Err(Unseen::Never(why)) => Outcome::fail(format!(
                "{} of {} was undone, but not every target was seen to be back: {why}",
                self.kind, self.of
            )),
            Err(Unseen::Cut(ended)) => ended,
        }
    }
}

/// Watches until the fault is seen to be as wanted.
async fn observe(cx: &Context, fault: &Fault, wanted: Watched) -> Result<(), Unseen> {
    let cx = cx
        .clone()
        .limited(Some(&patience(cx, fault)), "observing a fault");
    let mut interval = Duration::from_millis(5);
    let mut refused = String::new();
    loop {
        let asking = async {
            match wanted {
                Watched::InEffect => cx.port().fault_in_effect(fault).await,
                Watched::Healed => cx.port().fault_is_healed(fault).await,
            }
        };
        let passed = match cx.bounded(asking).await {
            Ok(Ok(true)) => return Ok(()),
            Ok(Ok(false)) => {
                refused.clear();
                cx.bounded(tokio::time::sleep(interval)).await
            }
            Ok(Err(error)) => {
                refused = format!(" ({error})");
                cx.bounded(tokio::time::sleep(interval)).await
            }
            Err(ended) => Err(ended),
        };
        match passed {
            Ok(()) => interval = (interval * 2).min(Duration::from_millis(200)),
            Err(ended) if ended.interrupted => return Err(Unseen::Cut(ended)),
            Err(ended) => {
                let late = ended.message.unwrap_or_default();
                return Err(Unseen::Never(format!("{late}{refused}")));
            }
        }
    }
}

#[async_trait]
impl StepBody for FaultScope {
    async fn run(&self, cx: &Context) -> Outcome {
        let of = match self.pick {
            Some(count) => crate::draw::pick(cx.run.seed, &cx.path, &self.of, count as usize),
            None => self.of.to_vec(),
        };
        let fault = Fault {
            kind: self.fault.clone(),
            of,
        };
        cx.case.active_faults.fetch_add(1, Ordering::SeqCst);
        let span = Self::begun(cx, &fault);
        let mut ended = self.apply(cx, &fault).await;
        if ended.is_good() {
            ended = self.under(cx, &fault).await;
        }
        if !ended.is_good() && !ended.interrupted {
            // What the lab looks like under the fault is gone once it is healed.
            crate::runner::take_evidence(cx).await;
        }
        if let Some(span) = spans(cx).get_mut(span) {
            span.healing_ms = Some(cx.run.sink.elapsed_ms());
        }
        let ended = ended.and(self.heal(cx, &fault).await);
        cx.case.active_faults.fetch_sub(1, Ordering::SeqCst);
        if !ended.is_good() {
            return ended;
        }
        ended.and(after_heal(cx).await)
    }

    fn describe(&self) -> String {
        let held = if self.hold.is_zero() {
            String::new()
        } else {
            format!(" for {}", span(self.hold))
        };
        format!("{} of {}{held}", self.kind, self.of)
    }

    fn unwinds(&self) -> bool {
        true
    }

    fn default_timeout(&self) -> Option<Duration> {
        None
    }
}
