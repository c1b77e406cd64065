//! Takes the keys of a map one by one, and reports those that nobody asked for.

use super::dialect::Dialect;
use super::item::{Item, Path};
use super::tree::{At, Entry, Map, Tree};
use crate::Place;
use crate::problem::{Findings, Problem, nearest, suggestion};
use std::rc::Rc;

/// The keys of one map. Ask for every key that the map may have, then call [`finish`](Self::finish).
///
/// What is missing is reported in the end, since a key that is spelled wrong may explain it.
#[must_use = "call `finish`, which reports unknown keys"]
#[derive(Debug)]
pub struct Fields<'a> {
    map: &'a Map,
    place: Place,
    path: Rc<Path<'a>>,
    findings: &'a Findings,
    asked: Vec<&'static str>,
    /// Those of them of which it was told that they have no value.
    told: Vec<&'static str>,
    /// Problems that one of these keys is missing.
    missing: Vec<(Vec<&'static str>, Problem)>,
    finished: bool,
}

impl<'a> Fields<'a> {
    pub(super) fn document(map: &'a Map, place: Place, findings: &'a Findings) -> Self {
        Self::nested(
            map,
            place,
            Rc::new(Path::Root("this document".into())),
            findings,
        )
    }

    pub(super) fn nested(
        map: &'a Map,
        place: Place,
        path: Rc<Path<'a>>,
        findings: &'a Findings,
    ) -> Self {
        Self {
            map,
            place,
            path,
            findings,
            asked: Vec::new(),
            told: Vec::new(),
            missing: Vec::new(),
            finished: false,
        }
    }

    /// Where the map stands; of a resource, where its name (or else its kind) stands.
    pub fn place(&self) -> Place {
        self.place
    }

    /// Where problems are reported.
    pub fn findings(&self) -> &'a Findings {
        self.findings
    }

    /// What messages call the map: ``Node `n1` ``, `` `interfaces[0]` of Node `n1` ``.
    pub fn describe(&self) -> String {
        self.path.to_string()
    }

    /// The value of an optional key; `key:` without a value reads as absent, and where findings are
    /// [explicit](Findings::explicit) it is reported in the end.
    pub fn opt(&mut self, key: &'static str) -> Option<Item<'a>> {
        self.asked.push(key);
        self.findings.note(|asked| {
            if let Some(path) = self.path.noted() {
                asked.key(&format!("{path}.{key}"));
            }
        });
        let (name, entry) = self.find(key)?;
        if entry.tree.is_null() || self.is_empty(&entry.tree) {
            return None;
        }
        let path = Rc::new(Path::Key(Rc::clone(&self.path), name));
        Some(Item::new(&entry.tree, path, self.findings))
    }

    /// The entry of a key, and the key as it is written.
    fn find(&self, key: &str) -> Option<(&'a str, &'a Entry)> {
        let map = self.map;
        let found = map.get_key_value(key).or_else(|| {
            let dialect = self.findings.dialect();
            // Where no other dialect is spoken, most lookups end here: files are large.
            (dialect != Dialect::Strict)
                .then(|| map.iter().rev().find(|(name, _)| dialect.same(name, key)))?
        });
        found.map(|(name, entry)| (name.as_str(), entry))
    }

    fn entry(&self, key: &str) -> Option<&'a Entry> {
        self.find(key).map(|(_, entry)| entry)
    }

    /// Whether this dialect takes a value for none.
    fn is_empty(&self, tree: &Tree) -> bool {
        self.findings.dialect() == Dialect::V2 && tree.text() == Some("")
    }

    /// The value of a required key; its absence is reported.
    pub fn req(&mut self, key: &'static str) -> Option<Item<'a>> {
        self.required(key, None)
    }

    /// The same; where it is absent, `help` says what to write.
    pub fn req_or(&mut self, key: &'static str, help: &str) -> Option<Item<'a>> {
        self.required(key, Some(help))
    }

    fn required(&mut self, key: &'static str, help: Option<&str>) -> Option<Item<'a>> {
        let item = self.opt(key);
        if item.is_none() {
            if let Some(entry) = self.entry(key) {
                let mut problem = self.no_value(key, entry);
                problem.help = help.map(str::to_owned);
                self.findings.error(problem);
                self.told.push(key);
            } else {
                let mut problem =
                    Problem::new("missing-key", format!("{} has no `{key}`", self.path))
                        .at(self.place, format!("`{key}` is required here"));
                problem.help = help.map(str::to_owned);
                self.missing.push((vec![key], problem));
            }
        }
        item
    }

    /// Reports keys without a value, where that is an error.
    fn tell_empty(&mut self) {
        if !self.findings.is_explicit() {
            return;
        }
        for key in std::mem::take(&mut self.asked) {
            let Some(entry) = self.entry(key).filter(|entry| entry.tree.is_null()) else {
                continue;
            };
            if !self.told.contains(&key) {
                self.told.push(key);
                let help = "give it a value, or remove the key; of a map, `{}` takes all defaults";
                self.findings.error(self.no_value(key, entry).help(help));
            }
        }
    }

    fn no_value(&self, key: &str, entry: &Entry) -> Problem {
        let message = format!("`{key}` of {} has no value", self.path);
        Problem::new("missing-value", message).at(entry.key_place, "expected a value after this")
    }

    /// Reports that one of `keys` is missing, unless an unknown key turns out to be one of them,
    /// spelled wrong: then that alone is told.
    pub fn missing(&mut self, keys: &[&'static str], problem: Problem) {
        self.missing.push((keys.to_vec(), problem));
    }

    /// Whether a key is there, and where, without taking it. One without a value is not, unless that is
    /// an error; in placemat v2's dialect nor is zero.
    pub fn key_place(&self, key: &str) -> Option<Place> {
        let entry = self.entry(key)?;
        let zero = self.findings.dialect() == Dialect::V2 && entry.tree.text() == Some("0");
        let null = entry.tree.is_null() && !self.findings.is_explicit();
        let absent = null || zero || self.is_empty(&entry.tree);
        (!absent).then_some(entry.key_place)
    }

    /// Takes a key that means something, but cannot be used here (yet); `false` is let pass. It is
    /// not listed among the valid keys.
    pub fn refuse(&mut self, key: &'static str, help: &str) {
        let item = self.opt(key);
        self.findings.note(|asked| {
            if let Some(path) = self.path.noted() {
                asked.forget(&format!("{path}.{key}"));
            }
        });
        let Some(item) = item else {
            self.asked.pop();
            return;
        };
        if item.tree().text() != Some("false") {
            let problem = item.problem("unsupported", "is not supported yet", "not supported yet");
            self.findings.error(problem.help(help));
        }
    }

    /// The tree under a key, without taking it.
    pub fn peek(&self, key: &str) -> Option<&'a Tree> {
        self.entry(key).map(|entry| &entry.tree)
    }

    /// Whether a list is absent or has no element, without taking it.
    pub fn lacks(&self, key: &str) -> bool {
        self.peek(key).is_none_or(|tree| {
            tree.is_null() || self.is_empty(tree) || tree.as_list().is_some_and(<[_]>::is_empty)
        })
    }

    /// Takes `kind`, which must be one of `kinds`. Messages then call the map by it.
    pub fn kind(&mut self, kinds: &[&'static str]) -> Option<&'static str> {
        let Some(item) = self.opt("kind") else {
            let mut problem = match self.entry("kind") {
                Some(entry) => Problem::new("missing-value", "`kind` has no value")
                    .at(entry.key_place, "expected a kind after this"),
                None => self.no_kind(),
            };
            problem.help = Some(format!("kinds are {}", listed(kinds)));
            self.findings.error(problem);
            self.told.push("kind");
            return None;
        };
        let word = item.string()?;
        let Some(kind) = kinds.iter().copied().find(|kind| *kind == word.value) else {
            self.findings.error(
                Problem::new("unknown-kind", format!("there is no kind `{}`", word.value))
                    .at(word.place, "unknown kind")
                    .help(suggestion(&word.value, "kinds are", kinds)),
            );
            return None;
        };
        self.path = Rc::new(Path::Root(format!("this {kind}")));
        self.place = word.place;
        Some(kind)
    }

    fn no_kind(&self) -> Problem {
        let problem = Problem::new("missing-kind", "this document has no `kind`");
        match self.misspelled("kind") {
            Some((_, entry)) => problem.at(entry.key_place, "did you mean `kind`?"),
            None => problem.at(self.place, "the document begins here"),
        }
    }

    /// The key that is there, that nobody asked for yet, and that may be `key`, spelled wrong.
    fn misspelled<'k>(&self, key: &'k str) -> Option<(&'k str, &'a Entry)> {
        let others = self.map.keys().map(String::as_str);
        let near = nearest(key, others.filter(|other| !self.asked.contains(other)))?;
        Some((key, self.map.get(near)?))
    }

    /// Takes `name`, which is required. Messages then call the map by its kind and name. Call it
    /// right after [`kind`](Self::kind).
    pub fn name(&mut self) -> Option<At<String>> {
        let name = self.req("name")?.string()?;
        if let Path::Root(what) = &*self.path {
            let kind = what.strip_prefix("this ").unwrap_or(what);
            self.path = Rc::new(Path::Root(format!("{kind} `{}`", name.value)));
        }
        self.place = name.place;
        Some(name)
    }

    /// Every key and its value, for maps whose keys the user chooses.
    pub fn entries(&mut self) -> Vec<(At<&'a str>, Item<'a>)> {
        let map = self.map;
        map.iter()
            .map(|(name, entry)| {
                let path = Rc::new(Path::Entry(Rc::clone(&self.path), name));
                (
                    At::new(name.as_str(), entry.key_place),
                    Item::new(&entry.tree, path, self.findings),
                )
            })
            .collect()
    }

    /// Reports every key that nobody asked for, with the nearest one that was.
    pub fn finish(mut self) {
        self.finished = true;
        for (name, entry) in self.map {
            if self.asked.contains(&name.as_str()) {
                continue;
            }
            if let Some(key) = self.taken_for(name) {
                self.findings.warning(
                    Problem::new(
                        "other-case",
                        format!("`{name}` of {} is read as `{key}`", self.path),
                    )
                    .at(entry.key_place, format!("`{key}`"))
                    .help("`placemat up` takes it only as documented"),
                );
                continue;
            }
            self.unknown(name, entry);
        }
    }

    /// The key that was asked for and got this one, which is written differently.
    fn taken_for(&self, name: &str) -> Option<&'static str> {
        let dialect = self.findings.dialect();
        let mut asked = self.asked.iter().copied();
        asked.find(|key| {
            dialect.same(key, name) && self.find(key).is_some_and(|(found, _)| found == name)
        })
    }

    fn unknown(&mut self, name: &str, entry: &Entry) {
        // What is there already is a bad guess at what was meant.
        let mut keys: Vec<&'static str> = Vec::new();
        for key in &self.asked {
            if !keys.contains(key) {
                keys.push(key);
            }
        }
        let free = keys.iter().filter(|key| !self.map.contains_key(**key));
        let near = nearest(name, free.copied());
        let before = self.missing.len();
        self.missing
            .retain(|(missing, _)| !near.is_some_and(|near| missing.contains(&near)));
        let explains = self.missing.len() < before;
        let near = near.map(|near| format!("did you mean `{near}`? "));
        let near = near.unwrap_or_default();
        let problem = Problem::new(
            "unknown-key",
            format!("unknown key `{name}` in {}", self.path),
        );
        match self.findings.dialect() {
            Dialect::V2 if !explains => self.findings.warning(
                problem
                    .at(entry.key_place, "ignored, as placemat v2 did")
                    .help(format!(
                        "{near}placemat itself refuses it; remove it if it means nothing"
                    )),
            ),
            _ => self.findings.error(
                problem
                    .at(entry.key_place, "unknown key")
                    .help(format!("{near}keys are {}", listed(&keys))),
            ),
        }
    }
}

/// Whoever gives up half-way does not know what the other keys are: one that is near may be meant.
impl Drop for Fields<'_> {
    fn drop(&mut self) {
        for (keys, mut problem) in std::mem::take(&mut self.missing) {
            if !self.finished
                && let Some((key, entry)) = keys.iter().find_map(|key| self.misspelled(key))
            {
                problem.labels = vec![(entry.key_place, format!("did you mean `{key}`?"))];
            }
            self.findings.error(problem);
        }
        self.tell_empty();
    }
}

fn listed(names: &[&str]) -> String {
    names
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}
