//! Steps and conditions: one kind each, looked up in the tables, with the keys that all share.

use super::Key;
use super::reader::{Reader, StepKeys, Value};
use crate::condition::{CONDITIONS, Condition};
use crate::deadline::Limit;
use crate::model::{Gate, Step, Steps};
use crate::step::STEPS;
use placemat_spec::document::{Entry, Map};
use placemat_spec::problem::suggestion;
use std::time::Duration;

/// Keys that every step may have.
pub(crate) const STEP_KEYS: &[Key] = &[
    Key::optional("name", "TEXT", "what reports call it"),
    Key::optional("id", "NAME", "what later steps call its outputs"),
    Key::optional("if", "CONDITION", "it is skipped unless this holds"),
    Key::optional("timeout", "DURATION", "its deadline"),
    Key::optional(
        "continue",
        "true | false",
        "whether the scenario goes on when it fails; default false",
    ),
];

/// Keys and kinds of the language that this version refuses, and why.
const LATER: &[(&str, &str)] = &[
    (
        "retry",
        "a retry comes with checkpoints, not there yet; to wait for something use `eventually`",
    ),
    ("env", "`env` belongs inside `exec`"),
    ("checkpoint", "comes with checkpoints, not there yet"),
    ("image", "not there yet"),
    ("apply", "not there yet"),
    (
        "copy",
        "not there yet; small files can go through `exec` with `stdin`",
    ),
    ("http", "not there yet; `exec` with `curl` does it"),
    ("console", "not there yet"),
    (
        "collect",
        "not there yet; evidence is taken by itself at the first failure",
    ),
    (
        "set",
        "not there yet; `for-each` and library params name values",
    ),
    (
        "heal",
        "a fault is healed at the end of its scope: put the steps under `during`",
    ),
    ("wait", "that is `eventually`"),
    ("never", "that is `always: {that: {not: ...}}`"),
];

/// Time for a steady-state gate where the file gives none.
const GATE: Duration = Duration::from_secs(60);

impl Reader<'_> {
    /// A list of steps, at least one.
    pub(crate) fn steps(&mut self, value: &Value<'_>) -> Option<Steps> {
        let items = self.list(value)?;
        let steps: Vec<Option<Step>> = items.iter().map(|item| self.step(item)).collect();
        steps
            .into_iter()
            .collect::<Option<Vec<Step>>>()
            .map(Steps::from)
    }

    fn step(&mut self, value: &Value<'_>) -> Option<Step> {
        let map = self.map_of(
            value,
            "a step is a map with one kind",
            "steps are",
            STEPS_NAMES,
        )?;
        let (row, entry) = {
            let common: Vec<&str> = STEP_KEYS.iter().map(|key| key.name).collect();
            let index = self.kind(map, value, "step", STEPS_NAMES, &common)?;
            let row = &STEPS[index];
            (row, &map[row.name])
        };
        let outer = std::mem::take(&mut self.step);
        let field = |key: &str| {
            map.get(key)
                .filter(|entry| !entry.tree.is_null())
                .map(|entry| Value::new(&entry.tree, format!("`{key}` of the step")))
        };
        let name = self.optional(field("name").as_ref(), Reader::text);
        let id = self.optional(field("id").as_ref(), Reader::word);
        let timeout = self.optional(field("timeout").as_ref(), Reader::limit);
        let keep_going = self.boolean_or(field("continue").as_ref(), false);
        let only_if = self.optional(field("if").as_ref(), Reader::condition);
        if let (Some(Some(id)), Some(entry)) = (&id, map.get("id")) {
            self.new_id(id, entry);
        }
        self.step = StepKeys {
            id: id.clone().flatten(),
            timeout: timeout.clone().flatten(),
        };
        self.take_with(map, row.name);
        let inner = Value::new(&entry.tree, format!("`{}`", row.name));
        let body = (row.parse)(self, &inner);
        self.with = None;
        let StepKeys { timeout: own, .. } = std::mem::replace(&mut self.step, outer);
        let (name, _, _) = (name?, id?, timeout?);
        let body = body?;
        Some(Step {
            kind: row.name,
            name: name.unwrap_or_else(|| body.describe()),
            loc: self.loc(map[row.name].key_place),
            timeout: own,
            keep_going: keep_going?,
            only_if: only_if?,
            body,
        })
    }

    /// An id names one step of a scenario; a loop that is unfolded brings the same one again.
    fn new_id(&mut self, id: &str, entry: &Entry) {
        let place = entry.tree.place;
        if let Some(first) = self.ids.insert(id.to_owned(), place)
            && first.at() != place.at()
        {
            let problem = placemat_spec::Problem::new(
                "duplicate-id",
                format!("two steps have the id `{id}`"),
            )
            .at(place, "second")
            .at(first, "first");
            self.findings.error(problem);
        }
    }

    /// A condition.
    pub(crate) fn condition(&mut self, value: &Value<'_>) -> Option<Condition> {
        let map = self.map_of(
            value,
            "a condition is a map with one kind",
            "conditions are",
            CONDITION_NAMES,
        )?;
        let index = self.kind(map, value, "condition", CONDITION_NAMES, &[])?;
        let row = &CONDITIONS[index];
        let entry = &map[row.name];
        self.take_with(map, row.name);
        let body = (row.parse)(self, &Value::new(&entry.tree, format!("`{}`", row.name)));
        self.with = None;
        let loc = self.loc(entry.key_place);
        Some(Condition {
            kind: row.name,
            loc,
            body: body?,
        })
    }

    /// A list of conditions, at least one.
    pub(crate) fn conditions(&mut self, value: &Value<'_>) -> Option<Vec<Condition>> {
        let items = self.list(value)?;
        let read: Vec<Option<Condition>> = items.iter().map(|item| self.condition(item)).collect();
        read.into_iter().collect()
    }

    /// A steady-state gate: a condition, or a map with `that`; `none` for no gate.
    #[allow(
        clippy::option_option,
        reason = "outer: readable, inner: there is a gate"
    )]
    pub(super) fn gate(&mut self, value: &Value<'_>) -> Option<Option<Gate>> {
        if value.tree.text() == Some("none") {
            return Some(None);
        }
        let loc = self.loc(value.place);
        if value
            .tree
            .as_map()
            .is_some_and(|map| map.contains_key("that"))
        {
            let fields = self.fields(value, "steady-state", GATE_KEYS)?;
            let that = fields.get("that").and_then(|that| self.condition(that));
            let timeout = self.optional(fields.get("timeout"), Reader::limit);
            let stable_for = self.duration_or(fields.get("stable-for"), Duration::ZERO);
            return Some(Some(Gate {
                that: that?,
                timeout: timeout?.unwrap_or(Limit::default_of(GATE)),
                stable_for: stable_for?,
                loc,
            }));
        }
        let that = self.condition(value)?;
        let timeout = Limit::default_of(GATE);
        Some(Some(Gate {
            that,
            timeout,
            stable_for: Duration::ZERO,
            loc,
        }))
    }

    fn map_of<'t>(
        &mut self,
        value: &Value<'t>,
        message: &str,
        introduction: &str,
        names: fn() -> Vec<&'static str>,
    ) -> Option<&'t Map> {
        if let Some(map) = value.tree.as_map() {
            return Some(map);
        }
        let help = suggestion(
            value.tree.text().unwrap_or_default(),
            introduction,
            &names(),
        );
        self.problem(
            "wrong-type",
            format!("{message}, not {}", value.tree.kind()),
            value.place,
            "expected `KIND: ...`".to_owned(),
            Some(help),
        );
        None
    }

    /// Finds the one kind of a step or condition, reporting keys that do not belong there.
    fn kind(
        &mut self,
        map: &Map,
        value: &Value<'_>,
        what: &str,
        names: fn() -> Vec<&'static str>,
        common: &[&str],
    ) -> Option<usize> {
        let names = names();
        let uses = map.contains_key("use");
        let mut found: Vec<(usize, &Entry)> = Vec::new();
        let mut unknown = false;
        for (key, entry) in map {
            if let Some(index) = names.iter().position(|name| name == key) {
                found.push((index, entry));
                continue;
            }
            if common.contains(&key.as_str()) || (uses && key == "with") {
                continue;
            }
            unknown = true;
            if let Some((_, why)) = LATER.iter().find(|(name, _)| name == key) {
                self.problem(
                    "not-yet",
                    format!("a {what} cannot have `{key}`"),
                    entry.key_place,
                    "refused".to_owned(),
                    Some((*why).to_owned()),
                );
                continue;
            }
            let mut valid: Vec<&str> = names.clone();
            valid.extend(common);
            let help = if found.is_empty() && map.len() == 1 {
                suggestion(key, &format!("{what} kinds are"), &names)
            } else {
                suggestion(key, "there are", &valid)
            };
            self.problem(
                "unknown-kind",
                format!("there is no {what} `{key}`"),
                entry.key_place,
                format!("neither a {what} kind nor a key that it may have"),
                Some(help),
            );
        }
        match found.as_slice() {
            [(index, _)] => Some(*index),
            [] => {
                if !unknown {
                    self.problem(
                        "missing-kind",
                        format!("this {what} does not say what to do"),
                        value.place,
                        format!("no {what} kind here"),
                        Some(suggestion("", &format!("{what} kinds are"), &names)),
                    );
                }
                None
            }
            [(_, first), (index, second), ..] => {
                let problem = placemat_spec::Problem::new(
                    "two-kinds",
                    format!(
                        "a {what} has exactly one kind, and this one has {}",
                        found.len()
                    ),
                )
                .at(second.key_place, format!("`{}` as well", names[*index]))
                .at(first.key_place, "first kind")
                .help(format!("make two {what}s of it, each with its own `-`"));
                self.findings.error(problem);
                None
            }
        }
    }

    /// Keeps `with:` for the `use` beside it.
    fn take_with(&mut self, map: &Map, kind: &str) {
        self.with = None;
        if kind == "use"
            && let Some(with) = map.get("with")
        {
            self.with = Some(with.tree.clone());
        }
    }
}

/// Keys of a steady state that says more than what must hold.
pub(crate) const GATE_KEYS: &[Key] = &[
    Key::required("that", "CONDITION", "what must hold"),
    Key::optional("timeout", "DURATION", "patience; default 60s"),
    Key::optional(
        "stable-for",
        "DURATION",
        "it must hold this long without a break",
    ),
];

const STEPS_NAMES: fn() -> Vec<&'static str> = || STEPS.iter().map(|row| row.name).collect();
const CONDITION_NAMES: fn() -> Vec<&'static str> =
    || CONDITIONS.iter().map(|row| row.name).collect();
