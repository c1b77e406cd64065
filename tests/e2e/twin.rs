//! A sabotaged twin of the demo: its data center, expanded anew, with one thing broken, and the
//! part of its suite that has to notice, as it stands in `scenarios/demo` but for shorter waits.

use crate::record::Record;
use placemat_tests::{Place, Said, repository};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

/// The deadlines of what is run are shorter.
const PATIENCE: Duration = Duration::from_secs(600);

/// A copy of the demo in a folder of its own.
pub(crate) struct Twin {
    dir: TempDir,
}

impl Twin {
    /// Expands `menu/examples/small.yml` with the program under test.
    pub(crate) fn new(place: &Place) -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let spec = repository().join("menu/examples/small.yml");
        let dc = dir.path().join("dc");
        place
            .say(&[
                "menu".as_ref(),
                spec.as_os_str(),
                "-o".as_ref(),
                dc.as_os_str(),
            ])
            .well();
        fs::create_dir(dir.path().join("suite")).expect("a folder");
        let twin = Self { dir };
        let suite = repository().join("scenarios/demo");
        for (file, changes) in [
            (
                "suite.yml",
                &[("../../menu/examples/small.yml", "../dc/cluster.yml")][..],
            ),
            ("lib.yml", &[]),
        ] {
            fs::copy(suite.join(file), twin.scenario(file)).expect("a file of the demo");
            twin.change(&format!("suite/{file}"), changes);
        }
        twin
    }

    /// Takes a scenario of the demo along, with changes.
    pub(crate) fn take(&self, file: &str, changes: &[(&str, &str)]) {
        let from = repository().join("scenarios/demo").join(file);
        fs::copy(from, self.scenario(file)).expect("a scenario of the demo");
        self.change(&format!("suite/{file}"), changes);
    }

    /// Adds a scenario of the test's own.
    pub(crate) fn add(&self, file: &str, text: &str) {
        fs::write(self.scenario(file), text).expect("write a scenario");
    }

    /// Cuts a scenario off before a line.
    pub(crate) fn cut(&self, file: &str, before: &str) {
        self.rewrite(&format!("suite/{file}"), |text| {
            let at = text.find(before).unwrap_or_else(|| panic!("no `{before}`"));
            let line = text[..at].rfind('\n').unwrap_or(0);
            text[..=line].to_owned()
        });
    }

    /// Replaces each text, which has to be there, by another.
    pub(crate) fn change(&self, file: &str, changes: &[(&str, &str)]) {
        self.rewrite(file, |text| {
            changes.iter().fold(text.to_owned(), |text, (from, to)| {
                assert!(text.contains(from), "{file} has no `{from}`");
                text.replace(from, to)
            })
        });
    }

    /// Changes the document of one resource in `cluster.yml`.
    pub(crate) fn change_resource(&self, kind: &str, name: &str, change: impl Fn(&str) -> String) {
        let (kind, name) = (format!("kind: {kind}\n"), format!("name: {name}\n"));
        self.rewrite("dc/cluster.yml", |text| {
            let mut found = 0;
            let documents: Vec<String> = text
                .split("---\n")
                .map(|document| {
                    if document.contains(&kind) && document.contains(&name) {
                        found += 1;
                        change(document)
                    } else {
                        document.to_owned()
                    }
                })
                .collect();
            assert_eq!(found, 1, "one {kind} with {name}");
            documents.join("---\n")
        });
    }

    /// Leaves a server off.
    pub(crate) fn leave_off(&self, server: &str) {
        self.change_resource("Node", server, |text| format!("{text}autostart: false\n"));
    }

    /// Runs the suite.
    pub(crate) fn run(&self, place: &Place) -> (Said, Record) {
        let events = self.dir.path().join("events.jsonl");
        let said = place.say_within(
            PATIENCE,
            &[
                "test".as_ref(),
                self.dir.path().join("suite").as_os_str(),
                "--events".as_ref(),
                events.as_os_str(),
            ],
        );
        (said, Record::read(&events))
    }

    /// The expanded cluster.
    pub(crate) fn cluster(&self) -> PathBuf {
        self.dir.path().join("dc/cluster.yml")
    }

    fn scenario(&self, file: &str) -> PathBuf {
        self.dir.path().join("suite").join(file)
    }

    fn rewrite(&self, file: &str, change: impl FnOnce(&str) -> String) {
        let path: &Path = &self.dir.path().join(file);
        let text = fs::read_to_string(path).expect("a file of the twin");
        fs::write(path, change(&text)).expect("a file of the twin");
    }
}
