//! How strictly keys and values are read.

/// Whose rules hold for keys and values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dialect {
    /// placemat's own: a key is written as documented, and an unknown one is an error.
    #[default]
    Strict,
    /// Those of placemat v2, for files that ran there. What it took is taken, with a warning where
    /// it may not say what was meant: unknown keys, keys given twice (the last one counts), keys in
    /// another case. As in YAML 1.1, `yes`, `on`, `no` and `off` are booleans; an empty text, or zero
    /// where there must be some, is the same as no value.
    V2,
}

impl Dialect {
    /// A boolean, if the text is one.
    pub(super) fn boolean(self, text: &str) -> Option<bool> {
        match text {
            "true" | "True" | "TRUE" => return Some(true),
            "false" | "False" | "FALSE" => return Some(false),
            _ => {}
        }
        match text {
            "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" if self == Self::V2 => {
                Some(true)
            }
            "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" if self == Self::V2 => {
                Some(false)
            }
            _ => None,
        }
    }

    /// Whether two keys are the same.
    pub(super) fn same(self, one: &str, other: &str) -> bool {
        match self {
            Self::Strict => one == other,
            Self::V2 => one.eq_ignore_ascii_case(other),
        }
    }
}
