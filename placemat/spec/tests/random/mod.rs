//! Random data centers, drawn by the tables of `schema`: every key that a table has is left out or
//! given, with a value of its shape. What one key asks of another is settled afterwards, so that all
//! of them load. A new key is drawn as soon as its row is there.

mod settle;
mod values;

use placemat_spec::schema::{Key, KindDoc, Shape, kinds};
use serde_json::{Map, Value, json};

/// Where choices come from: a tape of numbers, zeros after its end. Zero always is the least: a key
/// left out, an empty list. So what fails shrinks to little.
pub(crate) struct Draw<'t> {
    tape: &'t [u32],
    /// Numbers given out so far, for what may be there once.
    unique: u32,
    pub(crate) names: Names,
}

/// Names of the resources to be.
#[derive(Default)]
pub(crate) struct Names {
    pub(crate) networks: Vec<String>,
    pub(crate) bundles: Vec<String>,
    pub(crate) images: Vec<String>,
    pub(crate) classes: Vec<String>,
    pub(crate) folders: Vec<String>,
    pub(crate) machines: Vec<String>,
    pub(crate) nodes: Vec<Node>,
}

/// What boot servers can call a node.
#[derive(Clone, Default)]
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) serial: Option<String>,
    pub(crate) mac: Option<String>,
}

/// A text that loads.
pub(crate) fn data_center(tape: &[u32]) -> String {
    let mut draw = Draw {
        tape,
        unique: 0,
        names: Names::default(),
    };
    // In the order in which they name each other, with something there to be named.
    let order = [
        ("Network", 2),
        ("Image", 2),
        ("DeviceClass", 1),
        ("DataFolder", 1),
        ("Router", 0),
        ("NetworkNamespace", 0),
        ("Pod", 0),
        ("Node", 0),
        ("BootServer", 0),
        ("Power", 0),
    ];
    let mut documents = Vec::new();
    for kind in kinds() {
        assert!(
            order.iter().any(|(name, _)| *name == kind.name),
            "{}",
            kind.name
        );
    }
    for (name, least) in order {
        let kind = kinds().find(|kind| kind.name == name).expect("a kind");
        for index in 0..least + draw.below(3) {
            documents.extend(draw.resource(kind, index));
        }
    }
    // Tables, and everything else, may come before what they name.
    let turn = draw.below(documents.len());
    documents.rotate_left(turn);
    documents.join("---\n")
}

impl Draw<'_> {
    /// The next number, less than `most`.
    pub(crate) fn below(&mut self, most: usize) -> usize {
        let Some((first, rest)) = self.tape.split_first() else {
            return 0;
        };
        self.tape = rest;
        usize::try_from(*first).expect("32 bits") % most.max(1)
    }

    pub(crate) fn chance(&mut self) -> bool {
        self.below(2) == 1
    }

    pub(crate) fn pick<T: Clone>(&mut self, among: &[T]) -> Option<T> {
        let index = self.below(among.len());
        among.get(index).cloned()
    }

    /// A number that no other call gives.
    pub(crate) fn unique(&mut self) -> u32 {
        self.unique += 1;
        self.unique
    }

    /// A document, as JSON, which is YAML.
    fn resource(&mut self, kind: &KindDoc, index: usize) -> Option<String> {
        let mut map = self.map(kind.name, kind.keys);
        let name = format!("{}-{index}", kind.name.to_lowercase());
        // A bridge has at most 15 bytes.
        let name = name.replace("networknamespace", "ns");
        map.insert("kind".into(), json!(kind.name));
        map.insert("name".into(), json!(name));
        self.settle(kind.name, index, &mut map);
        self.remember(kind.name, &name, &map);
        let empty = kind.name == "Power" && map["loads"] == json!([]);
        (!empty).then(|| values::json_text(&Value::Object(map)) + "\n")
    }

    fn map(&mut self, path: &str, keys: &[Key]) -> Map<String, Value> {
        let mut map = Map::new();
        for key in keys {
            if key.required || self.chance() {
                let value = self.value(&format!("{path}.{}", key.name), key.shape);
                map.extend(value.map(|value| (key.name.to_owned(), value)));
            }
        }
        map
    }

    /// A value of a shape; none where nothing is there to be named.
    fn value(&mut self, path: &str, shape: Shape) -> Option<Value> {
        if let Some(value) = self.special(path) {
            return Some(value);
        }
        Some(match shape {
            Shape::Text => json!(self.text()),
            Shape::Form(form) => return self.form(path, form.name),
            Shape::Boolean => json!(self.chance()),
            Shape::Integer(low, high) => {
                let span = usize::try_from((high - low).min(9)).expect("few");
                let step = u64::try_from(self.below(span + 1)).expect("few");
                json!(low + step)
            }
            Shape::Decimal(low, _) => json!(low + f64::from(self.unique()) / 8.0),
            Shape::Choice(words) => json!(self.pick(words).expect("a word").0),
            Shape::List(element) => {
                let count = self.below(4);
                let list = (0..count).filter_map(|_| self.value(&format!("{path}[]"), *element));
                Value::Array(list.collect())
            }
            Shape::Map(keys) => Value::Object(self.map(path, keys)),
            Shape::Dictionary(value) => {
                let count = self.below(4);
                let mut map = Map::new();
                for _ in 0..count {
                    let key = self.key(path);
                    let value = self.value(&format!("{path}.*"), *value);
                    map.extend(value.map(|value| (key, value)));
                }
                Value::Object(map)
            }
            Shape::Tagged(variants) => {
                let variant = self.pick(variants).expect("a variant");
                let mut map = self.map(path, variant.keys);
                map.insert("kind".into(), json!(variant.word));
                Value::Object(map)
            }
            Shape::Either(shapes) => {
                let shape = self.pick(shapes).expect("a shape");
                return self.value(path, shape);
            }
            // An empty text is none in placemat v2; nobody looks at what is ignored.
            Shape::Nothing => return None,
            Shape::Ignored => json!("ignored"),
        })
    }
}
