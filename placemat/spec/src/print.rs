//! A [`Cluster`] -> YAML: one document a resource, with everything in it that the files left to its
//! default. What is printed reads as the same cluster again, by [`Cluster::load`].
//!
//! Each kind has its printer beside its reader (`resource/<kind>/print.rs`), and takes the checked
//! resource apart field by field, so that a new field does not compile until it is printed.

mod scalar;
mod write;

use crate::Cluster;
use crate::resource::{
    Labels, boot_server, data_folder, device_class, image, network, node, power, router,
};
use ipnet::IpNet;
use std::fmt::Display;
use std::path::Path;

/// A value to be printed.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    /// A number or boolean, as it stands.
    Plain(String),
    /// Text, quoted where YAML would take it for something else.
    Text(String),
    /// A list.
    List(Vec<Value>),
    /// A map.
    Map(Map),
}

/// A map to be printed, its keys in order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Map(Vec<(String, Value)>);

impl Map {
    /// A map without keys.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// The beginning of a resource.
    pub(crate) fn resource(kind: &str, name: &str) -> Self {
        Self::new().text("kind", kind).text("name", name)
    }

    /// Adds a key.
    pub(crate) fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.0.push((key.to_owned(), value.into()));
        self
    }

    /// Adds a key, if there is a value.
    pub(crate) fn maybe(self, key: &str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }

    /// Adds a text.
    pub(crate) fn text(self, key: &str, text: impl Display) -> Self {
        self.with(key, Value::text(text))
    }

    /// Adds a text, if there is one.
    pub(crate) fn maybe_text(self, key: &str, text: Option<impl Display>) -> Self {
        self.maybe(key, text.map(Value::text))
    }

    /// Adds a path, if there is one.
    pub(crate) fn maybe_path(self, key: &str, path: Option<&Path>) -> Self {
        self.maybe_text(key, path.map(Path::display))
    }

    /// Adds a list, unless it is empty.
    pub(crate) fn list<V: Into<Value>>(
        self,
        key: &str,
        elements: impl IntoIterator<Item = V>,
    ) -> Self {
        let list: Vec<Value> = elements.into_iter().map(Into::into).collect();
        let some = (!list.is_empty()).then_some(Value::List(list));
        self.maybe(key, some)
    }

    /// Adds a list of texts, unless it is empty.
    pub(crate) fn texts<T: Display>(self, key: &str, texts: impl IntoIterator<Item = T>) -> Self {
        self.list(key, texts.into_iter().map(Value::text))
    }

    /// Adds a map, unless it is empty.
    pub(crate) fn map(self, key: &str, map: Self) -> Self {
        let some = (!map.0.is_empty()).then_some(map);
        self.maybe(key, some)
    }

    /// Adds addresses, unless there is none.
    pub(crate) fn addresses(self, key: &str, addresses: &[IpNet]) -> Self {
        self.texts(key, addresses)
    }

    /// Adds `labels`.
    pub(crate) fn labels(self, labels: &Labels) -> Self {
        self.map("labels", dictionary(labels))
    }
}

/// A map of words of the user's choice.
pub(crate) fn dictionary<'a>(words: impl IntoIterator<Item = (&'a String, &'a String)>) -> Map {
    let words = words.into_iter();
    words.fold(Map::new(), |map, (key, value)| map.text(key, value))
}

/// The word of a table that stands for a value: the first, where several do.
pub(crate) fn word<T: PartialEq>(table: &[(&'static str, T)], value: &T) -> &'static str {
    let found = table.iter().find(|(_, each)| each == value);
    found.map_or("", |(word, _)| word)
}

impl Value {
    /// A text.
    pub(crate) fn text(text: impl Display) -> Self {
        Self::Text(text.to_string())
    }

    /// A list of texts, which may be empty.
    pub(crate) fn list<T: Display>(texts: impl IntoIterator<Item = T>) -> Self {
        Self::List(texts.into_iter().map(Self::text).collect())
    }
}

impl From<Map> for Value {
    fn from(map: Map) -> Self {
        Self::Map(map)
    }
}

macro_rules! plain {
    ($($type:ty),*) => {
        $(impl From<$type> for Value {
            fn from(value: $type) -> Self {
                Self::Plain(value.to_string())
            }
        })*
    };
}

plain!(bool, u16, u32, u64, f64);

impl Cluster {
    /// Prints it: a document for each resource, those first that others name, each kind in the order
    /// of the files.
    /// Paths are printed as they were resolved: absolute where the sources' folders were. By whose
    /// rules it was read is not told: what is printed is placemat's own.
    pub fn to_yaml(&self) -> String {
        let Self {
            networks,
            routers,
            nodes,
            boot_servers,
            images,
            device_classes,
            data_folders,
            feeds,
            // What it was read from and how, and what follows from the rest.
            sources: _,
            files: _,
            dialect: _,
        } = self;
        let documents = images.values().map(image::print);
        let documents = documents
            .chain(device_classes.values().map(device_class::print))
            .chain(data_folders.values().map(data_folder::print))
            .chain(networks.values().map(network::print))
            .chain(routers.values().map(router::print))
            .chain(boot_servers.values().map(boot_server::print))
            .chain(nodes.values().map(node::print))
            .chain(feeds.values().map(power::print));
        let documents: Vec<String> = documents.map(|map| write::document(&map)).collect();
        documents.join("---\n")
    }
}
