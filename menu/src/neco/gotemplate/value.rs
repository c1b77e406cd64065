//! What templates compute with.

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::neco) enum Value {
    /// A string.
    Text(String),
    /// A whole number.
    Number(i64),
    /// `true` or `false`.
    Bool(bool),
    /// A list.
    List(Vec<Value>),
    /// A structure: what messages call it, and its fields.
    Record(&'static str, Vec<(&'static str, Value)>),
    /// No value.
    Nil,
}

impl Value {
    /// What `if` makes of it: zero, empty and no value are false.
    pub(super) fn truth(&self) -> bool {
        match self {
            Self::Text(text) => !text.is_empty(),
            Self::Number(number) => *number != 0,
            Self::Bool(bool) => *bool,
            Self::List(list) => !list.is_empty(),
            Self::Record(..) => true,
            Self::Nil => false,
        }
    }

    /// What messages call it.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "a string",
            Self::Number(_) => "a number",
            Self::Bool(_) => "a boolean",
            Self::List(_) => "a list",
            Self::Record(name, _) => name,
            Self::Nil => "nothing",
        }
    }

    /// How it is printed, if it can be.
    pub(super) fn print(&self) -> Option<String> {
        Some(match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.to_string(),
            Self::Bool(bool) => bool.to_string(),
            Self::List(list) => {
                let words: Option<Vec<String>> = list.iter().map(Self::print).collect();
                format!("[{}]", words?.join(" "))
            }
            Self::Record(..) | Self::Nil => return None,
        })
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}

impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(list: Vec<T>) -> Self {
        Self::List(list.into_iter().map(Into::into).collect())
    }
}
