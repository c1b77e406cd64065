//! What every kind of resource may say: one table a kind, beside its reader. JSON Schema and the
//! reference in `docs/reference/` are printed from the tables.
//!
//! A reader asks for its keys in code, so a table could tell something else. It cannot for long:
//! [`Findings`](crate::problem::Findings) notes what readers ask for ([`asked`]), and a test compares
//! that, key by key and type by type, with what the tables declare ([`declared`]).

mod asked;
mod forms;
mod json;
mod reference;

pub use asked::{Asked, asked, asked_by};
pub(crate) use forms::*;
pub use forms::{DURATION, PATH, SIZE};
pub use json::{document_schema, json_schema, to_json};
pub use reference::{index, reference, reference_page};

pub use crate::load::kinds;

/// A kind of resource.
#[derive(Debug, Clone, Copy)]
pub struct KindDoc {
    /// Its word: `Network`.
    pub name: &'static str,
    /// What it is, in a sentence or two.
    pub doc: &'static str,
    /// Its keys, without `kind` and `name`, which every kind has.
    pub keys: &'static [Key],
    /// A document that loads beside the examples of the other kinds.
    pub example: &'static str,
}

impl KindDoc {
    /// The key at a path: maps and lists are passed through, of words of the user's choice any fits.
    pub fn key(&self, path: &[&str]) -> Option<&'static Key> {
        let (first, rest) = path.split_first()?;
        let key = self.keys.iter().find(|key| key.name == *first)?;
        rest.iter()
            .try_fold((key, key.shape), |(key, shape), word| {
                inner(key, shape, word)
            })
            .map(|(key, _)| key)
    }
}

/// What a word leads to inside of a shape: a key, or a word of the user's choice.
fn inner(key: &'static Key, shape: Shape, word: &str) -> Option<(&'static Key, Shape)> {
    match shape {
        Shape::Map(keys) => {
            let found = keys.iter().find(|key| key.name == word)?;
            Some((found, found.shape))
        }
        Shape::Dictionary(value) => Some((key, *value)),
        Shape::List(element) => inner(key, *element, word),
        _ => None,
    }
}

/// A key of a map.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// The key itself.
    pub name: &'static str,
    /// What its value is.
    pub shape: Shape,
    /// It cannot be left out.
    pub required: bool,
    /// What leaving it out means, in words; empty where there is nothing to tell.
    pub default: &'static str,
    /// What it means.
    pub doc: &'static str,
}

impl Key {
    /// A key that must be there.
    pub const fn required(name: &'static str, shape: Shape, doc: &'static str) -> Self {
        Self {
            name,
            shape,
            required: true,
            default: "",
            doc,
        }
    }

    /// A key that may be left out.
    pub const fn optional(name: &'static str, shape: Shape, doc: &'static str) -> Self {
        Self {
            required: false,
            ..Self::required(name, shape, doc)
        }
    }

    /// What leaving it out means.
    #[must_use]
    pub const fn or(self, default: &'static str) -> Self {
        Self { default, ..self }
    }
}

/// What a value is.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// Any text.
    Text,
    /// Text of a form.
    Form(&'static Form),
    /// `true` or `false`.
    Boolean,
    /// A whole number from the first to the second.
    Integer(u64, u64),
    /// A number from the first to the second, with or without a fraction.
    Decimal(f64, f64),
    /// One of these words, each with its meaning.
    Choice(&'static [(&'static str, &'static str)]),
    /// A list.
    List(&'static Shape),
    /// A map of these keys.
    Map(&'static [Key]),
    /// A map from words of the user's choice.
    Dictionary(&'static Shape),
    /// A map whose other keys follow from the word under `kind`.
    Tagged(&'static [Variant]),
    /// One of several.
    Either(&'static [Shape]),
    /// An empty text, which placemat v2 takes for none.
    Nothing,
    /// Nobody looks at it.
    Ignored,
}

/// A form of a [`Shape::Tagged`] map.
#[derive(Debug, Clone, Copy)]
pub struct Variant {
    /// The word under `kind`.
    pub word: &'static str,
    /// What it is.
    pub doc: &'static str,
    /// Keys besides `kind`.
    pub keys: &'static [Key],
}

/// A form of text.
#[derive(Debug, Clone, Copy)]
pub struct Form {
    /// Its name in the schema.
    pub name: &'static str,
    /// What it is, as a noun phrase.
    pub doc: &'static str,
    /// Code of the problem where a text is not of that form; empty where any text is taken.
    pub code: &'static str,
    /// What all texts of the form match (ECMA 262); others may, too.
    pub pattern: &'static str,
    /// One of them.
    pub example: &'static str,
}

impl Form {
    /// A form; the arguments are its fields, in the order in which a table reads best.
    pub const fn new(
        name: &'static str,
        code: &'static str,
        pattern: &'static str,
        example: &'static str,
        doc: &'static str,
    ) -> Self {
        Self {
            name,
            doc,
            code,
            pattern,
            example,
        }
    }
}

/// The two keys of every kind.
pub(crate) const COMMON: [Key; 2] = [
    Key::required("kind", Shape::Text, "The kind of resource."),
    Key::required(
        "name",
        Shape::Form(&NAME),
        "Its name, by which others refer to it. Routers, boot servers and nodes share one space of names.",
    ),
];

/// What the tables say that readers ask for: see [`asked`].
pub fn declared() -> Asked {
    declared_by(kinds())
}

/// The same of these tables, which may be another crate's.
pub fn declared_by<'a>(kinds: impl Iterator<Item = &'a KindDoc>) -> Asked {
    let mut all = Asked::default();
    for kind in kinds {
        for key in COMMON.iter().chain(kind.keys) {
            // `kind` is asked for before it is known what to call the document.
            if key.name != "kind" {
                declare(&format!("{}.{}", kind.name, key.name), key.shape, &mut all);
            }
        }
    }
    all
}

fn declare(path: &str, shape: Shape, all: &mut Asked) {
    let keys = |keys: &[Key], all: &mut Asked| {
        for key in keys {
            declare(&format!("{path}.{}", key.name), key.shape, all);
        }
    };
    all.key(path);
    match shape {
        Shape::Text => all.fact(path, "text"),
        Shape::Form(form) if form.code.is_empty() => all.fact(path, "text"),
        Shape::Form(form) => all.fact(path, &format!("text that may be {}", form.code)),
        Shape::Boolean => all.fact(path, "boolean"),
        Shape::Integer(low, high) => all.fact(path, &asked::integer(low, high)),
        Shape::Decimal(low, high) => all.fact(path, &asked::decimal(low, high)),
        Shape::Choice(words) => {
            let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            all.fact(path, &asked::choice(&words));
        }
        Shape::List(element) => {
            all.fact(path, "list");
            declare(&format!("{path}[]"), *element, all);
        }
        Shape::Map(inner) => {
            all.fact(path, "map");
            keys(inner, all);
        }
        Shape::Dictionary(value) => {
            all.fact(path, "map");
            declare(&format!("{path}.*"), *value, all);
        }
        Shape::Tagged(variants) => {
            all.fact(path, "map");
            // Some readers take it as text, others as one of the words.
            declare(&format!("{path}.kind"), Shape::Text, all);
            let words: Vec<&str> = variants.iter().map(|variant| variant.word).collect();
            all.fact(&format!("{path}.kind"), &asked::choice(&words));
            for variant in variants {
                keys(variant.keys, all);
            }
        }
        Shape::Either(shapes) => {
            for shape in shapes {
                declare(path, *shape, all);
            }
        }
        Shape::Nothing | Shape::Ignored => {}
    }
}
