//! What stands in cluster files: each value with its place, and what is left out with its default.

use super::{Explanation, Origin, UnknownName, Value, find};
use crate::document::{self, Document, Map, Tree};
use crate::problem::Findings;
use crate::schema::{KindDoc, kinds};
use crate::{Place, Source, document::Value as Content};

/// Explains a resource, named with its kind (`node/n1`, `boot-server/b`) or without. The sources are
/// those of a cluster that loads: what is wrong with them is not told here.
pub fn of_cluster(sources: &[Source], name: &str) -> Result<Explanation, UnknownName> {
    let documents = document::load(sources, &Findings::new());
    let resources: Vec<(String, &Map, &KindDoc)> = documents.iter().filter_map(resource).collect();
    let targets: Vec<String> = resources.iter().map(|(it, ..)| it.clone()).collect();
    let (target, map, doc) = &resources[find(name, &targets)?];
    let mut reader = Reader {
        sources,
        values: Vec::new(),
    };
    for (key, entry) in *map {
        reader.value(key, entry.key_place, &entry.tree);
    }
    for key in doc.keys {
        let absent = map.get(key.name).is_none_or(|entry| entry.tree.is_null());
        if absent && !key.default.is_empty() {
            reader.values.push(Value {
                what: key.name.into(),
                value: single(key.default).unwrap_or_default().into(),
                how: format!("default: {}", key.default.replace('`', "")),
                from: vec![Origin::new(key.name, None, sources)],
            });
        }
    }
    Ok(Explanation {
        target: target.clone(),
        values: reader.values,
    })
}

/// Every scalar below a key, `path`, as a value that is given.
pub fn given(sources: &[Source], path: &str, tree: &Tree) -> Vec<Value> {
    let mut reader = Reader {
        sources,
        values: Vec::new(),
    };
    reader.value(path, tree.place, tree);
    reader.values
}

/// What a document is called, its keys, and what its kind may say.
fn resource(document: &Document) -> Option<(String, &Map, &'static KindDoc)> {
    let map = document.root.as_map()?;
    let text = |key| map.get(key)?.tree.text();
    let doc = kinds().find(|doc| Some(doc.name) == text("kind"))?;
    let kind = match doc.name {
        // As selectors and verbs have it.
        "Router" | "NetworkNamespace" | "Pod" => "router".into(),
        "BootServer" => "boot-server".into(),
        "DeviceClass" => "device-class".into(),
        "DataFolder" => "data-folder".into(),
        "Power" if text("type") == Some("pdu") => "pdu".into(),
        "Power" => "feed".into(),
        other => other.to_lowercase(),
    };
    Some((format!("{kind}/{}", text("name")?), map, doc))
}

/// The value of a default that is one: `` `512M` `` alone.
fn single(default: &str) -> Option<&str> {
    let inner = default.strip_prefix('`')?.strip_suffix('`')?;
    (!inner.contains('`')).then_some(inner)
}

struct Reader<'a> {
    sources: &'a [Source],
    values: Vec<Value>,
}

impl Reader<'_> {
    /// Every scalar of a tree, and what is empty.
    fn value(&mut self, path: &str, key: Place, tree: &Tree) {
        match &tree.value {
            Content::Map(map) if !map.is_empty() => {
                for (name, entry) in map {
                    let path = format!("{path}.{name}");
                    self.value(&path, entry.key_place, &entry.tree);
                }
            }
            Content::List(list) if !list.is_empty() => {
                for (index, element) in list.iter().enumerate() {
                    self.value(&format!("{path}[{index}]"), element.place, element);
                }
            }
            Content::Scalar(scalar) if !scalar.is_null() => {
                // A text of several lines, on one.
                let text = scalar.text.trim_end().replace('\n', "\\n");
                self.given(path, text, tree.place);
            }
            Content::Scalar(_) => {}
            Content::Map(_) => self.given(path, "{}".into(), key),
            Content::List(_) => self.given(path, "[]".into(), key),
        }
    }

    fn given(&mut self, path: &str, value: String, place: Place) {
        self.values.push(Value {
            what: path.into(),
            value,
            how: "given".into(),
            from: vec![Origin::new(path, Some(place), self.sources)],
        });
    }
}
