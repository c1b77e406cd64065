//! The documents of scenario files: which suite, which scenarios, which libraries, which data
//! center.

use super::Key;
use super::files::Input;
use super::library::Libraries;
use super::reader::{Reader, Value};
use crate::deadline::Limit;
use crate::model::{Scenario, Steps, Suite};
use placemat_spec::document::{self, Document, Entry, Map, Tree};
use placemat_spec::problem::{Findings, suggestion};
use placemat_spec::{Cluster, Place, Problem, Problems, Source};
use std::collections::HashSet;
use std::path::PathBuf;
use std::time::Duration;

/// Deadline of a run where the suite gives none.
const SUITE: Limit = Limit::default_of(Duration::from_secs(60 * 60));
/// Deadline of a scenario where it gives none.
const SCENARIO: Limit = Limit::default_of(Duration::from_secs(10 * 60));

/// The kinds of documents in scenario files.
pub(super) const KINDS: &[&str] = &["Suite", "Scenario", "Library"];

const SUITE_KEYS: &[Key] = &[
    Key::required("kind", "Suite", ""),
    Key::required("name", "NAME", "its name"),
    Key::required(
        "dc",
        "PATH",
        "cluster YAML or rack spec, relative to this file",
    ),
    Key::optional(
        "timeout",
        "DURATION",
        "deadline of the whole run; default 1h",
    ),
    Key::optional(
        "steady-state",
        "CONDITION | {that, timeout, stable-for}",
        "gate of scenarios without one",
    ),
];

const SCENARIO_KEYS: &[Key] = &[
    Key::required("kind", "Scenario", ""),
    Key::required("name", "NAME", "its name"),
    Key::optional("dc", "PATH", "data center, where no suite gives it"),
    Key::optional("labels", "[WORD]", "for selection"),
    Key::optional("timeout", "DURATION", "its deadline; default 10m"),
    Key::optional(
        "steady-state",
        "CONDITION | {that, timeout, stable-for} | none",
        "must hold before, after each heal, and at the end",
    ),
    Key::optional("params", "{NAME: DEFAULT}", "values used as `$(NAME)`"),
    Key::required("steps", "[STEP]", "the steps"),
];

const LIBRARY_KEYS: &[Key] = &[
    Key::required("kind", "Library", ""),
    Key::required("name", "NAME", "first part of what `use` names"),
    Key::optional("conditions", "{NAME: CONDITION}", "or `{params, that}`"),
    Key::optional("steps", "{NAME: [STEP]}", "or `{params, steps}`"),
];

/// Every kind of document, with its keys.
pub(crate) const DOCUMENTS: &[(&str, &[Key])] = &[
    ("Suite", SUITE_KEYS),
    ("Scenario", SCENARIO_KEYS),
    ("Library", LIBRARY_KEYS),
];

/// Keys of the language that are not there yet.
const LATER: &[(&str, &str)] = &[
    (
        "from",
        "comes with checkpoints, not there yet: scenarios run in order on the lab of their suite",
    ),
    ("checkpoint", "comes with checkpoints, not there yet"),
    ("retry", "comes with checkpoints, not there yet"),
    (
        "matrix",
        "not there yet; `for-each` goes through values inside a scenario",
    ),
    (
        "lane",
        "not there yet: scenarios of a suite run one after the other",
    ),
    ("defaults", "not there yet; give `timeout` where it matters"),
    (
        "on-failure",
        "not there yet; evidence is taken by itself at the first failure",
    ),
    ("needs", "not there yet"),
];

/// Scenario files after parsing, before a data center is known.
pub struct Draft {
    sources: Vec<Source>,
    documents: Vec<Document>,
    suite: Option<usize>,
    scenarios: Vec<usize>,
    libraries: Vec<usize>,
    dc: PathBuf,
    dc_text: String,
}

impl Draft {
    /// Parses the files and finds out what they are; reports what is wrong on that level.
    pub fn parse(inputs: Vec<Input>) -> Result<Self, Problems> {
        let (sources, asked): (Vec<Source>, Vec<bool>) = inputs
            .into_iter()
            .map(|input| (input.source, input.asked))
            .unzip();
        let findings = Findings::new();
        let documents = document::load(&sources, &findings);
        let mut draft = Self {
            sources,
            documents,
            suite: None,
            scenarios: Vec::new(),
            libraries: Vec::new(),
            dc: PathBuf::new(),
            dc_text: String::new(),
        };
        draft.sort(&asked, &findings);
        draft.find_dc(&findings);
        let warnings = findings.finish(&draft.sources)?;
        drop(warnings);
        Ok(draft)
    }

    /// The data center file: cluster YAML or rack spec.
    pub fn dc(&self) -> &std::path::Path {
        &self.dc
    }

    /// The texts that problems point into.
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    fn sort(&mut self, asked: &[bool], findings: &Findings) {
        for (index, document) in self.documents.iter().enumerate() {
            let Some(mut fields) = document.fields(findings) else {
                continue;
            };
            let Some(kind) = fields.kind(KINDS) else {
                continue;
            };
            match kind {
                "Suite" => match self.suite {
                    None => self.suite = Some(index),
                    Some(first) => findings.error(
                        Problem::new("two-suites", "a run has one suite")
                            .at(fields.place(), "second")
                            .at(kind_place(&self.documents[first]), "first"),
                    ),
                },
                "Library" => self.libraries.push(index),
                _ if asked[document.root.place.source] => self.scenarios.push(index),
                _ => {}
            }
        }
        if self.scenarios.is_empty() && findings.error_count() == 0 {
            findings.error(
                Problem::new("no-scenario", "there is no scenario to run")
                    .help("a scenario is a document with `kind: Scenario`, `name` and `steps`"),
            );
        }
    }

    fn find_dc(&mut self, findings: &Findings) {
        let given: Vec<(String, Place)> = self
            .suite
            .iter()
            .chain(&self.scenarios)
            .filter_map(|&index| {
                let entry = self.documents[index].root.as_map()?.get("dc")?;
                Some((entry.tree.text()?.to_owned(), entry.tree.place))
            })
            .collect();
        let path = |(text, place): &(String, Place)| self.sources[place.source].dir.join(text);
        let Some(first) = given.first() else {
            if self.suite.is_none() && findings.error_count() == 0 {
                let place = self
                    .scenarios
                    .first()
                    .map(|&s| kind_place(&self.documents[s]));
                let mut problem = Problem::new("no-dc", "no data center to run on")
                    .help("add a `kind: Suite` with `dc: PATH`, or `dc: PATH` to the scenario");
                if let Some(place) = place {
                    problem = problem.at(place, "has no `dc`, and there is no suite");
                }
                findings.error(problem);
            }
            return;
        };
        let dc = path(first);
        for other in &given[1..] {
            if path(other) != dc {
                findings.error(
                    Problem::new("two-dcs", "scenarios of one run share one data center")
                        .at(other.1, "another one")
                        .at(first.1, "first one")
                        .help("run them apart, one suite each"),
                );
            }
        }
        self.dc_text.clone_from(&first.0);
        self.dc = dc;
    }

    /// Checks everything against the data center and unfolds it into what runs.
    pub fn resolve(&self, cluster: &Cluster) -> Result<Suite, Problems> {
        let findings = Findings::new();
        let libraries = self.libraries(&findings);
        let mut reader = Reader::new(cluster, &self.sources, &libraries, &findings);
        reader.check_libraries();
        let suite = self.read_suite(&mut reader);
        let mut scenarios = Vec::new();
        let mut names: Vec<(String, Place)> = Vec::new();
        for &index in &self.scenarios {
            if let Some(scenario) = self.read_scenario(index, &mut reader, &mut names) {
                scenarios.push(scenario);
            }
        }
        if scenarios.len() < self.scenarios.len() && findings.error_count() == 0 {
            // Never run less than was asked for without a word.
            findings.error(Problem::new("unreadable", "a scenario could not be read"));
        }
        findings.finish(&self.sources).map_err(once_each)?;
        let (name, timeout) = suite.unwrap_or_else(|| {
            let one = scenarios.first().map(|scenario| scenario.name.clone());
            (one.unwrap_or_default(), SUITE)
        });
        Ok(Suite {
            name,
            dc: self.dc_text.clone(),
            timeout,
            scenarios,
        })
    }

    fn libraries<'t>(&'t self, findings: &Findings) -> Libraries<'t> {
        let mut libraries = Libraries::default();
        for &index in &self.libraries {
            let Some(map) = self.documents[index].root.as_map() else {
                continue;
            };
            check_keys(
                map,
                "Library",
                LIBRARY_KEYS,
                self.documents[index].root.place,
                findings,
            );
            let Some(name) = map.get("name").and_then(|name| name.tree.text()) else {
                continue;
            };
            let groups = [
                ("conditions", &mut libraries.conditions),
                ("steps", &mut libraries.steps),
            ];
            for (key, table) in groups {
                let entries = map.get(key).and_then(|entry| entry.tree.as_map());
                for (entry, Entry { tree, key_place }) in entries.into_iter().flatten() {
                    let full = format!("{name}.{entry}");
                    if table.insert(full.clone(), tree).is_some() {
                        findings.error(
                            Problem::new("duplicate-name", format!("`{full}` is there twice"))
                                .at(*key_place, "second"),
                        );
                    }
                }
            }
        }
        libraries
    }

    fn read_suite(&self, reader: &mut Reader<'_>) -> Option<(String, Limit)> {
        let root = &self.documents[self.suite?].root;
        let map = root.as_map()?;
        check_keys(map, "Suite", SUITE_KEYS, root.place, reader.findings);
        let name = reader.word(&field(map, "name")?)?;
        let timeout = reader.optional(field(map, "timeout").as_ref(), Reader::limit)?;
        if let Some(gate) = field(map, "steady-state") {
            // Read again for each scenario that has none of its own.
            reader.gate(&gate)?;
        }
        Some((name, timeout.unwrap_or(SUITE)))
    }

    fn read_scenario<'t>(
        &'t self,
        index: usize,
        reader: &mut Reader<'_>,
        names: &mut Vec<(String, Place)>,
    ) -> Option<Scenario> {
        let root = &self.documents[index].root;
        let map = root.as_map()?;
        check_keys(map, "Scenario", SCENARIO_KEYS, root.place, reader.findings);
        let name = reader.word(&field(map, "name")?);
        if let Some(name) = &name {
            let place = map["name"].tree.place;
            if let Some((_, first)) = names.iter().find(|(known, _)| known == name) {
                reader.findings.error(
                    Problem::new(
                        "duplicate-name",
                        format!("two scenarios are called `{name}`"),
                    )
                    .at(place, "second")
                    .at(*first, "first"),
                );
            }
            names.push((name.clone(), place));
        }
        reader.outputs.clear();
        reader.ids.clear();
        reader.frame.variables.clear();
        if let Some(labels) = field(map, "labels") {
            reader.texts(&labels);
        }
        if let Some(params) = field(map, "params") {
            for (param, text) in reader.pairs(Some(&params)).unwrap_or_default() {
                if let [crate::model::TextPart::Literal(text)] = text.0.as_slice() {
                    let bound = reader.bound(text.clone());
                    reader.frame.variables.push((param, bound));
                }
            }
        }
        let timeout = reader.optional(field(map, "timeout").as_ref(), Reader::limit);
        let suite: Option<&'t Map> = self
            .suite
            .and_then(|suite| self.documents[suite].root.as_map());
        let gate = field(map, "steady-state")
            .or_else(|| suite.and_then(|suite| field(suite, "steady-state")));
        let gate = match gate {
            Some(gate) => reader.gate(&gate),
            None => Some(None),
        };
        let steps: Option<Steps> = field(map, "steps").and_then(|steps| reader.steps(&steps));
        Some(Scenario {
            name: name?,
            loc: reader.loc(map["name"].tree.place),
            timeout: timeout?.unwrap_or(SCENARIO),
            gate: gate?,
            steps: steps?,
        })
    }
}

fn field<'t>(map: &'t Map, key: &str) -> Option<Value<'t>> {
    let entry = map.get(key).filter(|entry| !entry.tree.is_null())?;
    Some(Value::new(&entry.tree, format!("`{key}`")))
}

fn kind_place(document: &Document) -> Place {
    let map: Option<&Map> = document.root.as_map();
    map.and_then(|map| map.get("kind"))
        .map_or(document.root.place, |entry| entry.tree.place)
}

/// Reports keys of a document that do not belong there, and those that are missing.
fn check_keys(map: &Map, kind: &str, keys: &[Key], place: Place, findings: &Findings) {
    for (name, entry) in map {
        if keys.iter().any(|key| key.name == name) {
            continue;
        }
        if let Some((_, why)) = LATER.iter().find(|(later, _)| later == name) {
            findings.error(
                Problem::new("not-yet", format!("a {kind} cannot have `{name}`"))
                    .at(entry.key_place, "refused")
                    .help(*why),
            );
            continue;
        }
        let names: Vec<&str> = keys.iter().map(|key| key.name).collect();
        findings.error(
            Problem::new("unknown-key", format!("unknown key `{name}` in {kind}"))
                .at(entry.key_place, "unknown key")
                .help(suggestion(name, "keys are", &names)),
        );
    }
    let there = |key: &Key| {
        map.get(key.name)
            .is_some_and(|entry: &Entry| !Tree::is_null(&entry.tree))
    };
    for key in keys.iter().filter(|key| key.required && !there(key)) {
        let place = map
            .get("name")
            .or(map.get("kind"))
            .map_or(place, |entry| entry.tree.place);
        findings.error(
            Problem::new("missing-key", format!("this {kind} has no `{}`", key.name))
                .at(place, format!("`{}` is required", key.name))
                .help(format!("`{}: {}`: {}", key.name, key.form, key.doc)),
        );
    }
}

/// A loop that is unfolded, or a library used twice, says the same thing each time.
fn once_each(mut problems: Problems) -> Problems {
    let mut said = HashSet::new();
    problems.list.retain(|problem| {
        let place = problem.place().map(Place::at);
        said.insert((place, problem.message.clone()))
    });
    problems
}
