//! Libraries: named conditions and step lists, and their uses.

use super::reader::{Reader, Value};
use super::substitute::Frame;
use crate::condition::Condition;
use crate::model::Steps;
use indexmap::IndexMap;
use placemat_spec::document::Tree;
use placemat_spec::problem::suggestion;

/// Everything that `use` can name, as `LIBRARY.NAME`.
#[derive(Default)]
pub(super) struct Libraries<'t> {
    pub(super) conditions: IndexMap<String, &'t Tree>,
    pub(super) steps: IndexMap<String, &'t Tree>,
}

/// A library entry taken apart: its params with their defaults, and what it is.
struct Entry<'t> {
    params: Vec<(&'t str, &'t Tree)>,
    body: &'t Tree,
}

/// An entry is its body, or a map of `params` and the body under `key`.
fn entry<'t>(tree: &'t Tree, key: &str) -> Entry<'t> {
    let Some(map) = tree.as_map() else {
        return Entry {
            params: Vec::new(),
            body: tree,
        };
    };
    let Some(body) = map.get(key) else {
        return Entry {
            params: Vec::new(),
            body: tree,
        };
    };
    let params = map.get("params").and_then(|params| params.tree.as_map());
    let params = params
        .into_iter()
        .flatten()
        .map(|(name, e)| (name.as_str(), &e.tree))
        .collect();
    Entry {
        params,
        body: &body.tree,
    }
}

impl<'a> Reader<'a> {
    /// The condition that a `use` names, and its name.
    pub(crate) fn used_condition(&mut self, value: &Value<'_>) -> Option<(String, Condition)> {
        let table = &self.libraries.conditions;
        self.used(value, table, "that", "condition", |reader, body| {
            reader.condition(body)
        })
    }

    /// The step list that a `use` names, and its name.
    pub(crate) fn used_steps(&mut self, value: &Value<'_>) -> Option<(String, Steps)> {
        let table = &self.libraries.steps;
        self.used(value, table, "steps", "step list", |reader, body| {
            reader.steps(body)
        })
    }

    fn used<T>(
        &mut self,
        value: &Value<'_>,
        table: &'a IndexMap<String, &'a Tree>,
        key: &str,
        what: &str,
        read: impl FnOnce(&mut Self, &Value<'a>) -> Option<T>,
    ) -> Option<(String, T)> {
        let with = self.with.take();
        let name = self.text(value)?;
        let Some(tree) = table.get(&name).copied() else {
            let names: Vec<&str> = table.keys().map(String::as_str).collect();
            self.problem(
                "unknown-use",
                format!("no library has a {what} `{name}`"),
                value.place,
                "unknown".to_owned(),
                Some(suggestion(&name, "there are", &names)),
            );
            return None;
        };
        if self.using.contains(&name) {
            let circle = format!("{} -> {name}", self.using.join(" -> "));
            self.problem(
                "circular-use",
                format!("`{name}` uses itself: {circle}"),
                value.place,
                "closes the circle".to_owned(),
                None,
            );
            return None;
        }
        let entry = entry(tree, key);
        let frame = self.arguments(value, &name, &entry, with.as_ref())?;
        // A library sees its params and nothing of who uses it.
        let outer = std::mem::replace(&mut self.frame, frame);
        self.using.push(name.clone());
        let body = Value::new(entry.body, format!("`{name}`"));
        let done = read(self, &body);
        self.using.pop();
        self.frame = outer;
        done.map(|done| (name, done))
    }

    fn arguments(
        &mut self,
        value: &Value<'_>,
        name: &str,
        entry: &Entry<'_>,
        with: Option<&Tree>,
    ) -> Option<Frame> {
        let mut frame = Frame::default();
        let given = with.and_then(Tree::as_map);
        let known: Vec<&str> = entry.params.iter().map(|(name, _)| *name).collect();
        for (argument, given) in given.into_iter().flatten() {
            if known.contains(&argument.as_str()) {
                continue;
            }
            self.problem(
                "unknown-param",
                format!("`{name}` has no param `{argument}`"),
                given.key_place,
                "unknown param".to_owned(),
                Some(suggestion(argument, "its params are", &known)),
            );
        }
        let mut whole = true;
        for (param, default) in &entry.params {
            let given = given
                .and_then(|given| given.get(*param))
                .map(|entry| &entry.tree);
            let Some(tree) = given.or(Some(*default)).filter(|tree| !tree.is_null()) else {
                self.problem(
                    "missing-param",
                    format!("`{name}` needs its param `{param}`"),
                    value.place,
                    "used here without it".to_owned(),
                    Some(format!("add `with: {{{param}: VALUE}}`")),
                );
                whole = false;
                continue;
            };
            match self.text(&Value::new(tree, format!("`{param}` of `{name}`"))) {
                Some(text) => frame
                    .variables
                    .push(((*param).to_owned(), self.bound(text))),
                None => whole = false,
            }
        }
        whole.then_some(frame)
    }

    /// Reads every entry that needs no argument, so that mistakes show even where it is not used.
    pub(super) fn check_libraries(&mut self) {
        let ready =
            |tree: &Tree, key: &str| entry(tree, key).params.iter().all(|(_, d)| !d.is_null());
        let conditions = &self.libraries.conditions;
        for (name, tree) in conditions.iter().filter(|(_, tree)| ready(tree, "that")) {
            self.check_entry(name, tree, "that", |reader, body| {
                reader.condition(body);
            });
        }
        let steps = &self.libraries.steps;
        for (name, tree) in steps.iter().filter(|(_, tree)| ready(tree, "steps")) {
            self.check_entry(name, tree, "steps", |reader, body| {
                reader.steps(body);
            });
        }
    }

    fn check_entry(
        &mut self,
        name: &str,
        tree: &'a Tree,
        key: &str,
        read: impl FnOnce(&mut Self, &Value<'a>),
    ) {
        let entry = entry(tree, key);
        let body = Value::new(entry.body, format!("`{name}`"));
        if let Some(frame) = self.arguments(&body, name, &entry, None) {
            self.frame = frame;
            self.using.push(name.to_owned());
            read(self, &body);
            self.using.pop();
            self.frame = Frame::default();
        }
    }
}
