//! Where every value of a thing comes from: the key that says it, or the rule that makes it.
//!
//! [`of_cluster`] explains what stands in cluster files; the menu explains what rack specs expand to,
//! in the same form.

mod given;

pub use given::{given, of_cluster};

use crate::problem::{Spot, suggestion};
use crate::{Place, Source};
use indexmap::IndexSet;
use serde::Serialize;
use std::fmt;
use thiserror::Error;

/// Where every value of a thing comes from.
#[derive(Debug, Clone, Serialize)]
pub struct Explanation {
    /// What it is, and its name: `node/rack1-cs1`.
    pub target: String,
    /// Its values, in the order in which they are told.
    pub values: Vec<Value>,
}

/// One value.
#[derive(Debug, Clone, Serialize)]
pub struct Value {
    /// Which: `asn`, `eth0.address`.
    pub what: String,
    /// The value; of a default that is no single value, empty.
    pub value: String,
    /// How it comes to be that: `given`, `default: 1`, a rule, or its terms.
    pub how: String,
    /// The keys that it was made of.
    pub from: Vec<Origin>,
}

impl Value {
    /// A value, and in words how it comes to be that.
    pub fn new(
        what: impl Into<String>,
        value: impl fmt::Display,
        how: impl Into<String>,
        from: Vec<Origin>,
    ) -> Self {
        Self {
            what: what.into(),
            value: value.to_string(),
            how: how.into(),
            from,
        }
    }
}

/// A key that a value was made of.
#[derive(Debug, Clone, Serialize)]
pub struct Origin {
    /// The key, from the top of the document: `pools.node`.
    pub key: String,
    /// Where its value stands; nowhere where it is left out.
    #[serde(flatten)]
    pub at: Option<Spot>,
}

impl Origin {
    /// A key whose value stands at `place`, or nowhere.
    pub fn new(key: impl Into<String>, place: Option<Place>, sources: &[Source]) -> Self {
        Self {
            key: key.into(),
            at: place.map(|place| Spot::of(place, sources)),
        }
    }
}

/// `pools.node dc.yml:16:9`, or of a key that is left out the key alone.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.key)?;
        match &self.at {
            Some(at) => write!(f, " {at}"),
            None => Ok(()),
        }
    }
}

/// Why nothing can be explained.
#[derive(Debug, Error)]
pub enum UnknownName {
    /// Nothing is called so.
    #[error("there is no `{name}` here")]
    Nothing {
        /// What was asked for.
        name: String,
        /// What there is, with the nearest name first.
        help: String,
    },
    /// Several things are.
    #[error("`{name}` is more than one thing")]
    Several {
        /// What was asked for.
        name: String,
        /// What it can be.
        help: String,
    },
}

impl UnknownName {
    /// What to do about it.
    pub fn help(&self) -> &str {
        match self {
            Self::Nothing { help, .. } | Self::Several { help, .. } => help,
        }
    }
}

/// Kinds that are meant only where they are said: what has the name is meant otherwise.
const SAID: [&str; 1] = ["bmc"];

/// The one of `targets` (`kind/name`) that is meant by a name with or without a kind: its number.
pub fn find(wanted: &str, targets: &[String]) -> Result<usize, UnknownName> {
    let bare = |target: &str| {
        let (kind, name) = target.split_once('/')?;
        (!SAID.contains(&kind)).then(|| name.to_owned())
    };
    let meant = |target: &String| target == wanted || bare(target).as_deref() == Some(wanted);
    let all = targets.iter().enumerate();
    let found: Vec<(usize, &String)> = all.filter(|(_, target)| meant(target)).collect();
    let help = match found.as_slice() {
        [(index, _)] => return Ok(*index),
        [] if wanted.contains('/') => {
            let names: Vec<&str> = targets.iter().map(String::as_str).collect();
            suggestion(wanted, "names are", &names)
        }
        [] => {
            let names: IndexSet<String> = targets.iter().filter_map(|it| bare(it)).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            suggestion(wanted, "names are", &names)
        }
        several => {
            let several: Vec<String> = several.iter().map(|(_, it)| format!("`{it}`")).collect();
            return Err(UnknownName::Several {
                name: wanted.into(),
                help: format!("say which: {}", several.join(", ")),
            });
        }
    };
    let name = wanted.to_owned();
    Err(UnknownName::Nothing { name, help })
}
