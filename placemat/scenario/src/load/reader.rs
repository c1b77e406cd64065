//! Takes typed values out of a document, with variables put in, and collects every problem.

use super::Key;
use super::library::Libraries;
use super::substitute::Frame;
use crate::deadline::Limit;
use crate::event::Loc;
use crate::model::{Text, TextPart};
use placemat_spec::document::{Item, Scalar, Tree, Value as Node};
use placemat_spec::problem::{Findings, Problem, suggestion};
use placemat_spec::{Cluster, Place, Source};
use std::collections::HashMap;

/// A value of a document, and what messages call it.
#[derive(Debug, Clone)]
pub struct Value<'t> {
    /// Where it stands.
    pub place: Place,
    pub(super) tree: &'t Tree,
    pub(super) what: String,
}

/// The keys of a map, checked against what is allowed there.
pub struct Fields<'t> {
    entries: Vec<(&'t str, Value<'t>)>,
}

impl<'t> Fields<'t> {
    /// The value of a key, when the file gives one.
    pub fn get(&self, key: &str) -> Option<&Value<'t>> {
        self.entries
            .iter()
            .find(|(name, _)| *name == key)
            .map(|(_, value)| value)
    }
}

impl<'t> Value<'t> {
    pub(super) fn new(tree: &'t Tree, what: impl Into<String>) -> Self {
        Self {
            place: tree.place,
            tree,
            what: what.into(),
        }
    }
}

/// What reading a scenario needs and collects.
pub struct Reader<'a> {
    pub(super) cluster: &'a Cluster,
    pub(super) sources: &'a [Source],
    pub(super) libraries: &'a Libraries<'a>,
    pub(super) findings: &'a Findings,
    /// Variables, innermost last.
    pub(super) frame: Frame,
    /// Outputs of the steps read so far: step id to output names.
    pub(super) outputs: HashMap<String, Vec<String>>,
    /// Ids of the steps read so far.
    pub(super) ids: HashMap<String, Place>,
    /// Library entries being read, to end circles.
    pub(super) using: Vec<String>,
    /// Common keys of the step being read.
    pub(super) step: StepKeys,
    /// `with:` beside the `use` being read.
    pub(super) with: Option<Tree>,
}

/// What a kind's parser needs to know of, or adds to, the keys that all steps share.
#[derive(Default)]
pub(super) struct StepKeys {
    pub(super) id: Option<String>,
    pub(super) timeout: Option<Limit>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(
        cluster: &'a Cluster,
        sources: &'a [Source],
        libraries: &'a Libraries<'a>,
        findings: &'a Findings,
    ) -> Self {
        Self {
            cluster,
            sources,
            libraries,
            findings,
            frame: Frame::default(),
            outputs: HashMap::new(),
            ids: HashMap::new(),
            using: Vec::new(),
            step: StepKeys::default(),
            with: None,
        }
    }

    /// Reports a problem.
    pub(crate) fn problem(
        &mut self,
        code: &'static str,
        message: String,
        place: Place,
        label: String,
        help: Option<String>,
    ) {
        let mut problem = Problem::new(code, message).at(place, label);
        problem.help = help;
        self.findings.error(problem);
    }

    /// A place as events name it.
    pub(crate) fn loc(&self, place: Place) -> Loc {
        Loc {
            file: self
                .sources
                .get(place.source)
                .map(|s| s.name.clone())
                .unwrap_or_default(),
            line: place.line,
            column: place.column,
        }
    }

    /// The keys of a map. Unknown keys and missing required ones are reported; only a value that is
    /// no map at all reads as `None`.
    pub(crate) fn fields<'t>(
        &mut self,
        value: &Value<'t>,
        name: &str,
        keys: &[Key],
    ) -> Option<Fields<'t>> {
        let Node::Map(map) = &value.tree.value else {
            let form: Vec<String> = keys.iter().map(|key| format!("`{}`", key.name)).collect();
            self.problem(
                "wrong-type",
                format!(
                    "{} must be a map of keys, not {}",
                    value.what,
                    value.tree.kind()
                ),
                value.place,
                "expected a map of keys".to_owned(),
                Some(format!("keys are {}", form.join(", "))),
            );
            return None;
        };
        let mut entries = Vec::new();
        for (key, entry) in map {
            if keys.iter().any(|known| known.name == key) {
                if !entry.tree.is_null() {
                    entries.push((
                        key.as_str(),
                        Value::new(&entry.tree, format!("`{key}` of `{name}`")),
                    ));
                }
                continue;
            }
            let names: Vec<&str> = keys.iter().map(|key| key.name).collect();
            self.problem(
                "unknown-key",
                format!("unknown key `{key}` in `{name}`"),
                entry.key_place,
                "unknown key".to_owned(),
                Some(suggestion(key, "keys are", &names)),
            );
        }
        for key in keys.iter().filter(|key| key.required) {
            if !entries.iter().any(|(name, _)| *name == key.name) {
                self.problem(
                    "missing-key",
                    format!("`{name}` has no `{}`", key.name),
                    value.place,
                    format!("`{}` is required here", key.name),
                    Some(format!("`{}: {}`: {}", key.name, key.form, key.doc)),
                );
            }
        }
        Some(Fields { entries })
    }

    /// Reads an optional value.
    #[allow(clippy::option_option, reason = "outer: readable, inner: given")]
    pub(crate) fn optional<'t, T>(
        &mut self,
        value: Option<&Value<'t>>,
        read: impl FnOnce(&mut Self, &Value<'t>) -> Option<T>,
    ) -> Option<Option<T>> {
        match value {
            None => Some(None),
            Some(value) => read(self, value).map(Some),
        }
    }

    /// The value with variables put in, for the typed readers of `spec`.
    pub(super) fn typed<T>(
        &mut self,
        value: &Value<'_>,
        read: impl FnOnce(&Item<'_>) -> Option<T>,
    ) -> Option<T> {
        if let Node::Scalar(scalar) = &value.tree.value
            && scalar.text.contains("$(")
        {
            let text = self.text(value)?;
            let plain = scalar.plain;
            let tree = Tree {
                value: Node::Scalar(Scalar { text, plain }),
                place: value.place,
            };
            return read(&Item::root(&tree, &value.what, self.findings));
        }
        read(&Item::root(value.tree, &value.what, self.findings))
    }

    /// Text with variables put in. Outputs are refused: they are not known yet.
    pub(crate) fn text(&mut self, value: &Value<'_>) -> Option<String> {
        let text = self.runtime_text(value)?;
        let mut whole = String::new();
        for part in &text.0 {
            match part {
                TextPart::Literal(literal) => whole.push_str(literal),
                TextPart::Output { id, name } => {
                    self.problem(
                        "output-here",
                        format!("{} cannot use the output `{id}.{name}`", value.what),
                        value.place,
                        "must be known before anything runs".to_owned(),
                        Some(
                            "outputs can be used in `argv`, `env`, `stdin` and `expect` of `exec`"
                                .to_owned(),
                        ),
                    );
                    return None;
                }
            }
        }
        Some(whole)
    }

    /// Text that may use outputs of earlier steps.
    pub(crate) fn runtime_text(&mut self, value: &Value<'_>) -> Option<Text> {
        let scalar = Item::root(value.tree, &value.what, self.findings).string()?;
        self.substituted(&scalar.value, value.place)
    }

    /// Text exactly as it stands.
    pub(crate) fn verbatim(&mut self, value: &Value<'_>) -> Option<String> {
        Some(
            Item::root(value.tree, &value.what, self.findings)
                .string()?
                .value,
        )
    }

    /// One text or a list of them.
    pub(crate) fn texts(&mut self, value: &Value<'_>) -> Option<Vec<Text>> {
        if value.tree.as_list().is_none() {
            return Some(vec![self.runtime_text(value)?]);
        }
        let items = self.list(value)?;
        let texts: Vec<Option<Text>> = items.iter().map(|item| self.runtime_text(item)).collect();
        texts.into_iter().collect()
    }

    /// The elements of a list that must not be empty.
    pub(crate) fn list<'t>(&mut self, value: &Value<'t>) -> Option<Vec<Value<'t>>> {
        let Some(list) = value.tree.as_list() else {
            self.problem(
                "wrong-type",
                format!("{} must be a list, not {}", value.what, value.tree.kind()),
                value.place,
                "expected a list".to_owned(),
                None,
            );
            return None;
        };
        if list.is_empty() {
            self.problem(
                "empty-list",
                format!("{} is an empty list", value.what),
                value.place,
                "nothing here".to_owned(),
                Some("an empty list would pass without testing anything".to_owned()),
            );
            return None;
        }
        let item =
            |(index, tree)| Value::new(tree, format!("element {} of {}", index + 1, value.what));
        Some(list.iter().enumerate().map(item).collect())
    }

    /// A map from words of the author's choice to texts.
    pub(crate) fn pairs(&mut self, value: Option<&Value<'_>>) -> Option<Vec<(String, Text)>> {
        let Some(value) = value else {
            return Some(Vec::new());
        };
        let Some(map) = value.tree.as_map() else {
            self.problem(
                "wrong-type",
                format!("{} must be a map, not {}", value.what, value.tree.kind()),
                value.place,
                "expected `NAME: TEXT`".to_owned(),
                None,
            );
            return None;
        };
        let mut pairs = Vec::new();
        for (name, entry) in map {
            let item = Value::new(&entry.tree, format!("`{name}` of {}", value.what));
            pairs.push(self.runtime_text(&item).map(|text| (name.clone(), text)));
        }
        pairs.into_iter().collect()
    }

    /// `outputs:` of a step: names for parts of its result. Known to the steps after it.
    pub(crate) fn outputs(
        &mut self,
        value: Option<&Value<'_>>,
        parts: &[&'static str],
    ) -> Option<Vec<(String, &'static str)>> {
        let Some(value) = value else {
            return Some(Vec::new());
        };
        let map = value.tree.as_map().cloned().unwrap_or_default();
        if map.is_empty() {
            self.problem(
                "wrong-type",
                format!("{} must be a map, not {}", value.what, value.tree.kind()),
                value.place,
                "expected `NAME: stdout`".to_owned(),
                None,
            );
            return None;
        }
        let Some(id) = self.step.id.clone() else {
            self.problem(
                "missing-key",
                "a step with `outputs` needs an `id`".to_owned(),
                value.place,
                "outputs of a step without `id`".to_owned(),
                Some(
                    "add `id: NAME` to the step; later steps then use `$(NAME.OUTPUT)`".to_owned(),
                ),
            );
            return None;
        };
        let mut outputs = Vec::new();
        for (name, entry) in &map {
            let item = Value::new(&entry.tree, format!("`{name}` of {}", value.what));
            outputs.push(self.choice(&item, parts).map(|part| (name.clone(), part)));
        }
        let names = map.keys().cloned().collect();
        self.outputs.insert(id, names);
        outputs.into_iter().collect()
    }

    /// `id:` of the step being read.
    pub(crate) fn step_id(&self) -> Option<String> {
        self.step.id.clone()
    }

    /// `timeout:` written inside the kind's own map counts as the step's.
    pub(crate) fn step_timeout(&mut self, value: Option<&Value<'_>>) {
        let Some(value) = value else { return };
        if self.step.timeout.is_some() {
            self.problem(
                "two-timeouts",
                "the step has two timeouts".to_owned(),
                value.place,
                "second one".to_owned(),
                Some("keep one of them".to_owned()),
            );
        }
        self.step.timeout = self.limit(value).or(self.step.timeout.take());
    }
}
