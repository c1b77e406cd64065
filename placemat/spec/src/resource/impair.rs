//! `impair:` of networks and interfaces: what happens to frames on their way, in netem's words.

use crate::Place;
use crate::document::{Fields, Item};
use crate::print::Map;
use crate::problem::Problem;
use crate::schema::{DURATION, Key, PERCENTAGE, RATE, Shape};
use crate::value::{Percentage, format_duration, format_rate, parse_rate};
use std::fmt;
use std::time::Duration;

/// What is done to the frames that one end of a link sends.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Effects {
    /// Every frame is late by this much.
    pub delay: Duration,
    /// The delay varies by at most this much, evenly, to both sides.
    pub jitter: Duration,
    /// Share of frames that never arrive.
    pub loss: Percentage,
    /// Bits a second that pass; what is more waits, and is dropped when too much does.
    pub rate: Option<u64>,
    /// Share of frames in which one bit is turned.
    pub corrupt: Percentage,
    /// Share of frames that arrive twice.
    pub duplicate: Percentage,
    /// Share of frames that do not wait out the delay, and so overtake others.
    pub reorder: Percentage,
}

/// One of the [`Effects`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// [`Effects::delay`]
    Delay,
    /// [`Effects::jitter`]
    Jitter,
    /// [`Effects::loss`]
    Loss,
    /// [`Effects::rate`]
    Rate,
    /// [`Effects::corrupt`]
    Corrupt,
    /// [`Effects::duplicate`]
    Duplicate,
    /// [`Effects::reorder`]
    Reorder,
}

impl Effect {
    /// Its key in the file.
    pub fn word(self) -> &'static str {
        match self {
            Self::Delay => "delay",
            Self::Jitter => "jitter",
            Self::Loss => "loss",
            Self::Rate => "rate",
            Self::Corrupt => "corrupt",
            Self::Duplicate => "duplicate",
            Self::Reorder => "reorder",
        }
    }
}

impl Effects {
    /// Every effect and how much of it, as the file has it: nothing of it reads `0s` and `0%`, too.
    fn amounts(&self) -> [(Effect, Option<String>); 7] {
        let Self {
            delay,
            jitter,
            loss,
            rate,
            corrupt,
            duplicate,
            reorder,
        } = *self;
        let time = |time: Duration| Some(format_duration(time));
        let share = |share: Percentage| Some(share.to_string());
        [
            (Effect::Delay, time(delay)),
            (Effect::Jitter, time(jitter)),
            (Effect::Loss, share(loss)),
            (Effect::Rate, rate.map(format_rate)),
            (Effect::Corrupt, share(corrupt)),
            (Effect::Duplicate, share(duplicate)),
            (Effect::Reorder, share(reorder)),
        ]
    }
}

impl fmt::Display for Effects {
    /// `delay 50ms loss 1%`: as the file has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let none = Self::default().amounts();
        let some = self.amounts().into_iter().zip(none);
        let words = some.filter(|(amount, none)| amount != none);
        let words = words
            .filter_map(|((effect, amount), _)| Some(format!("{} {}", effect.word(), amount?)));
        f.write_str(&words.collect::<Vec<_>>().join(" "))
    }
}

/// A checked `impair`.
#[derive(Debug, Clone, PartialEq)]
pub struct Impair {
    /// What it does.
    pub effects: Effects,
    /// Which effects it asks for, each with its line.
    pub asked: Vec<(Effect, Place)>,
}

/// `impair` of a network or interface.
pub(super) const KEY: Key = Key::optional(
    "impair",
    Shape::Map(&[
        Key::optional(
            "delay",
            Shape::Form(&DURATION),
            "Every frame is late by this much.",
        ),
        Key::optional(
            "jitter",
            Shape::Form(&DURATION),
            "The delay varies by at most this much, evenly, to both sides; not more than `delay`.",
        ),
        Key::optional(
            "loss",
            Shape::Form(&PERCENTAGE),
            "Share of frames that never arrive.",
        ),
        Key::optional(
            "rate",
            Shape::Form(&RATE),
            "What passes in a second; what is more waits.",
        ),
        Key::optional(
            "corrupt",
            Shape::Form(&PERCENTAGE),
            "Share of frames in which one bit is turned.",
        ),
        Key::optional(
            "duplicate",
            Shape::Form(&PERCENTAGE),
            "Share of frames that arrive twice.",
        ),
        Key::optional(
            "reorder",
            Shape::Form(&PERCENTAGE),
            "Share of frames that do not wait out the delay; needs `delay`.",
        ),
    ]),
    "What happens to the frames that its ends send, by whatever this kernel offers; an interface's goes before its network's.",
);

/// Prints `impair`: what the file asks for.
pub(super) fn print(impair: &Impair) -> Map {
    let Impair { effects, asked } = impair;
    let amounts = effects.amounts().into_iter();
    let asked = amounts.filter(|(effect, _)| asked.iter().any(|(each, _)| each == effect));
    asked.fold(Map::new(), |map, (effect, amount)| {
        map.maybe_text(effect.word(), amount)
    })
}

/// Takes `impair`.
pub(super) fn read(fields: &mut Fields<'_>) -> Option<Impair> {
    let item = fields.opt("impair")?;
    let mut fields = item.fields()?;
    let mut asked = Vec::new();
    let mut take = |effect: Effect| {
        let item = fields.opt(effect.word())?;
        asked.push((effect, item.place()));
        Some(item)
    };
    let duration = |item: Option<Item<'_>>| {
        item.and_then(|it| it.duration())
            .map(|it| it.value)
            .unwrap_or_default()
    };
    let share = |item: Option<Item<'_>>| {
        item.and_then(|it| it.percentage())
            .map(|it| it.value)
            .unwrap_or_default()
    };
    let effects = Effects {
        delay: duration(take(Effect::Delay)),
        jitter: duration(take(Effect::Jitter)),
        loss: share(take(Effect::Loss)),
        rate: take(Effect::Rate)
            .and_then(|it| it.parse("bad-rate", "a rate such as `10mbit`", parse_rate))
            .map(|rate| rate.value),
        corrupt: share(take(Effect::Corrupt)),
        duplicate: share(take(Effect::Duplicate)),
        reorder: share(take(Effect::Reorder)),
    };
    check(&fields, &asked, &effects);
    fields.finish();
    Some(Impair { effects, asked })
}

/// Jitter and reordering are of a delay.
fn check(fields: &Fields<'_>, asked: &[(Effect, Place)], effects: &Effects) {
    let place = |effect| {
        let found = asked.iter().find(|(each, _)| *each == effect);
        found.map(|(_, place)| *place)
    };
    let findings = fields.findings();
    if asked.is_empty() {
        findings.error(
            Problem::new("missing-key", format!("{} has no effect", fields.describe()))
                .at(fields.place(), "nothing is asked for here")
                .help("effects are `delay`, `jitter`, `loss`, `rate`, `corrupt`, `duplicate` and `reorder`"),
        );
    }
    for effect in [Effect::Jitter, Effect::Reorder] {
        if let (Some(at), None) = (place(effect), place(Effect::Delay)) {
            let word = effect.word();
            findings.error(
                Problem::new(
                    "missing-key",
                    format!("{} has `{word}` and no `delay`", fields.describe()),
                )
                .at(at, "only of frames that are delayed")
                .help("add `delay`, such as `delay: 10ms`"),
            );
        }
    }
    if let (Some(jitter), Some(delay)) = (place(Effect::Jitter), place(Effect::Delay))
        && effects.jitter > effects.delay
    {
        findings.error(
            Problem::new(
                "conflict",
                format!(
                    "the jitter in {} is longer than the delay",
                    fields.describe()
                ),
            )
            .at(jitter, "frames cannot arrive before they were sent")
            .at(delay, "the delay"),
        );
    }
}
