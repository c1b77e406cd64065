//! Typed scalars: words, numbers, durations, shares. Each is read by `spec`'s own reader, so that
//! messages are the same everywhere.

use super::reader::{Reader, Value};
use crate::deadline::Limit;
use placemat_spec::document::Item;
use std::time::Duration;

impl Reader<'_> {
    /// One of several words.
    pub(crate) fn choice(
        &mut self,
        value: &Value<'_>,
        words: &[&'static str],
    ) -> Option<&'static str> {
        let choices: Vec<(&'static str, &'static str)> = words.iter().map(|w| (*w, *w)).collect();
        self.typed(value, |item| item.choice(&choices))
            .map(|word| word.value)
    }

    /// One of several words, with what it stands for.
    pub(crate) fn one_of<T: Copy>(
        &mut self,
        value: &Value<'_>,
        table: &[(&'static str, T)],
    ) -> Option<(&'static str, T)> {
        let words: Vec<&'static str> = table.iter().map(|(word, _)| *word).collect();
        let chosen = self.choice(value, &words)?;
        table.iter().find(|(word, _)| *word == chosen).copied()
    }

    pub(crate) fn choice_or(
        &mut self,
        value: Option<&Value<'_>>,
        words: &[&'static str],
        default: &'static str,
    ) -> Option<&'static str> {
        value.map_or(Some(default), |value| self.choice(value, words))
    }

    #[allow(
        clippy::redundant_closure_for_method_calls,
        reason = "the method is not general enough"
    )]
    pub(crate) fn boolean_or(&mut self, value: Option<&Value<'_>>, default: bool) -> Option<bool> {
        let Some(value) = value else {
            return Some(default);
        };
        self.typed(value, |item| item.boolean()).map(|at| at.value)
    }

    pub(crate) fn number(&mut self, value: &Value<'_>) -> Option<u32> {
        self.number_from(value, 0)
    }

    fn number_from(&mut self, value: &Value<'_>, least: u32) -> Option<u32> {
        self.typed(value, |item| item.integer(least..=100_000))
            .map(|at| at.value)
    }

    pub(crate) fn number_or(
        &mut self,
        value: Option<&Value<'_>>,
        default: u32,
        least: u32,
    ) -> Option<u32> {
        value.map_or(Some(default), |value| self.number_from(value, least))
    }

    #[allow(
        clippy::redundant_closure_for_method_calls,
        reason = "the method is not general enough"
    )]
    pub(crate) fn duration(&mut self, value: &Value<'_>) -> Option<Duration> {
        self.typed(value, |item| item.duration()).map(|at| at.value)
    }

    pub(crate) fn duration_or(
        &mut self,
        value: Option<&Value<'_>>,
        default: Duration,
    ) -> Option<Duration> {
        value.map_or(Some(default), |value| self.duration(value))
    }

    /// A deadline with its place.
    /// A rate in bits a second.
    pub(crate) fn rate(&mut self, value: &Value<'_>) -> Option<u64> {
        let read = |item: &Item<'_>| {
            item.parse(
                "bad-rate",
                "a rate such as `1mbit`",
                placemat_spec::value::parse_rate,
            )
        };
        self.typed(value, read).map(|at| at.value)
    }

    pub(crate) fn limit(&mut self, value: &Value<'_>) -> Option<Limit> {
        let length = self.duration(value)?;
        Some(Limit {
            length,
            loc: Some(self.loc(value.place)),
        })
    }

    #[allow(
        clippy::redundant_closure_for_method_calls,
        reason = "the method is not general enough"
    )]
    /// A percentage as a share, 0 to 1 and beyond.
    pub(crate) fn share(&mut self, value: &Value<'_>) -> Option<f64> {
        self.typed(value, |item| item.percentage())
            .map(|at| at.value.fraction())
    }

    /// `all`, or a number.
    #[allow(
        clippy::option_option,
        reason = "outer: readable, inner: a number was given"
    )]
    pub(crate) fn peers(&mut self, value: Option<&Value<'_>>) -> Option<Option<u32>> {
        match value {
            None => Some(None),
            Some(value) if value.tree.text() == Some("all") => Some(None),
            Some(value) => self.number_from(value, 1).map(Some),
        }
    }

    /// A name of the author's choice: letters, digits, `-` and `_`.
    pub(crate) fn word(&mut self, value: &Value<'_>) -> Option<String> {
        let word = self.verbatim(value)?;
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if word.chars().all(fits) && word.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return Some(word);
        }
        self.problem(
            "bad-name",
            format!("{} cannot be `{word}`", value.what),
            value.place,
            "expected a letter, then letters, digits, `-` and `_`".to_owned(),
            None,
        );
        None
    }
}
