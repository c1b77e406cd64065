//! Menus of the tests, and the files beside them, which are not read from where messages say.

use placemat_menu::neco::{self, Beside, Expansion};
use placemat_menu::{Problems, Source};
use placemat_spec::document::{Dialect, Tree, Value as Node, load};
use placemat_spec::problem::Findings;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::Path;

/// The IPAM configuration of most tests.
pub(crate) const IPAM: &str = include_str!("notes/ipam.json");
/// A menu with all there is.
pub(crate) const MENU: &str = include_str!("notes/menu.yml");
/// Its seed.
pub(crate) const SEED: &str = include_str!("notes/seed.template");

/// Files beside a menu, by name.
#[derive(Debug, Clone)]
pub(crate) struct Folder(HashMap<String, String>);

impl Folder {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let owned = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
        Self(files.iter().map(owned).collect())
    }

    /// What the menu [`MENU`] needs.
    pub(crate) fn usual() -> Self {
        Self::new(&[("ipam.json", IPAM), ("seed.template", SEED)])
    }

    pub(crate) fn with(mut self, name: &str, text: &str) -> Self {
        self.0.insert(name.to_owned(), text.to_owned());
        self
    }
}

impl Beside for Folder {
    fn text(&self, path: &Path) -> Result<String, String> {
        let name = path.strip_prefix("/dc").unwrap_or(path);
        let text = self.0.get(name.to_str().unwrap());
        text.cloned()
            .ok_or_else(|| "No such file or directory".into())
    }
}

pub(crate) fn source(text: &str) -> Source {
    Source {
        name: "menu.yml".into(),
        dir: "/dc".into(),
        text: text.into(),
    }
}

pub(crate) fn expand_with(text: &str, folder: &Folder) -> Result<Expansion, Problems> {
    neco::expand(&source(text), folder, Path::new("/dc/out"), Dialect::Strict)
}

pub(crate) fn expand(text: &str) -> Expansion {
    expand_with(text, &Folder::usual()).unwrap_or_else(|problems| panic!("{problems}"))
}

/// A file of an expansion.
pub(crate) fn file<'a>(expansion: &'a Expansion, name: &str) -> Option<&'a str> {
    let file = expansion
        .files
        .iter()
        .find(|file| file.path == Path::new(name));
    file.map(|file| file.contents.as_str())
}

/// Documents as JSON, scalars as their text.
pub(crate) fn documents(text: &str) -> Vec<Value> {
    let findings = Findings::new();
    let sources = [Source::inline("x.yml", text)];
    let documents = load(&sources, &findings);
    let all = documents.iter().map(|document| plain(&document.root));
    let all = all.collect();
    assert_eq!(findings.error_count(), 0, "{text}");
    all
}

fn plain(tree: &Tree) -> Value {
    match &tree.value {
        Node::Scalar(scalar) => json!(scalar.text),
        Node::List(list) => list.iter().map(plain).collect(),
        Node::Map(map) => {
            let entries = map
                .iter()
                .map(|(key, entry)| (key.clone(), plain(&entry.tree)));
            Value::Object(entries.collect())
        }
    }
}
