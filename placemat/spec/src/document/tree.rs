//! A parsed document: maps, lists and scalars, each with its place.

use crate::Place;
use indexmap::IndexMap;
use std::ops::Deref;

/// A value and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct At<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub place: Place,
}

impl<T> At<T> {
    /// `value` at `place`.
    pub fn new(value: T, place: Place) -> Self {
        Self { value, place }
    }

    /// Another value at the same place.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> At<U> {
        At {
            value: change(self.value),
            place: self.place,
        }
    }
}

impl<T> Deref for At<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

/// One node of a document.
#[derive(Debug, Clone)]
pub struct Tree {
    /// What it is.
    pub value: Value,
    /// Where it stands: a scalar whole; of a block map or list, its beginning. Of an alias, where
    /// the alias stands; what is inside it keeps the place of its definition.
    pub place: Place,
}

/// What a node is.
#[derive(Debug, Clone)]
pub enum Value {
    /// A scalar.
    Scalar(Scalar),
    /// A list.
    List(Vec<Tree>),
    /// A map.
    Map(Map),
}

/// A scalar, as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scalar {
    /// Its text, after YAML's own quoting and escaping.
    pub text: String,
    /// Written without quotes, so that it may be a number, a boolean or null.
    pub plain: bool,
}

/// A map, in the order of the file. Keys are unique.
pub type Map = IndexMap<String, Entry>;

/// One entry of a map.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Where its key stands.
    pub key_place: Place,
    /// Its value.
    pub tree: Tree,
}

impl Scalar {
    /// Whether it stands for no value: `~`, `null`, or nothing at all.
    pub fn is_null(&self) -> bool {
        self.plain && matches!(self.text.as_str(), "" | "~" | "null" | "Null" | "NULL")
    }
}

impl Tree {
    /// Whether it stands for no value.
    pub fn is_null(&self) -> bool {
        matches!(&self.value, Value::Scalar(scalar) if scalar.is_null())
    }

    /// The scalar's text, if it is one and not null.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(scalar) if !scalar.is_null() => Some(&scalar.text),
            _ => None,
        }
    }

    /// The map, if it is one.
    pub fn as_map(&self) -> Option<&Map> {
        match &self.value {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The list, if it is one.
    pub fn as_list(&self) -> Option<&[Tree]> {
        match &self.value {
            Value::List(list) => Some(list),
            _ => None,
        }
    }

    /// What messages call it: `a list`, `a map`, `the string "two"`, `the number 2`, `nothing`.
    pub fn kind(&self) -> String {
        let scalar = match &self.value {
            Value::List(_) => return "a list".into(),
            Value::Map(_) => return "a map".into(),
            Value::Scalar(scalar) => scalar,
        };
        if scalar.is_null() {
            return "nothing".into();
        }
        if scalar.plain && matches!(scalar.text.as_str(), "true" | "false") {
            return format!("the boolean {}", scalar.text);
        }
        if scalar.plain && scalar.text.parse::<f64>().is_ok_and(f64::is_finite) {
            return format!("the number {}", scalar.text);
        }
        let mut text: String = scalar
            .text
            .chars()
            .take(40)
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        if scalar.text.chars().nth(40).is_some() {
            text.push_str("...");
        }
        format!("the string \"{text}\"")
    }
}
