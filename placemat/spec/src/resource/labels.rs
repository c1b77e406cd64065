//! `labels:` of a resource.

use crate::document::Fields;
use crate::problem::Problem;
use crate::schema::{Key, Shape};
use std::collections::BTreeMap;

/// `labels:` of a resource. Selectors read only these and the kind's own fields.
pub type Labels = BTreeMap<String, String>;

/// Longest key or value, in bytes.
const LONGEST: usize = 63;

/// `labels` of every kind.
pub(super) const KEY: Key = Key::optional(
    "labels",
    Shape::Dictionary(&Shape::Text),
    "Words for selectors: `rack`, `role`, `pod`, or any other. Keys and values are 1 to 63 letters, digits, `-`, `_` and `.`.",
);

/// Takes `labels`. Keys and values must be words that a selector can name.
pub(super) fn read(fields: &mut Fields<'_>) -> Labels {
    let mut labels = Labels::new();
    let Some(entries) = fields.opt("labels").and_then(|it| it.string_map()) else {
        return labels;
    };
    for (key, value) in entries {
        for (word, what) in [(&key, "key"), (&value, "value")] {
            if !is_word(word) {
                fields.findings().error(
                    Problem::new(
                        "bad-label",
                        format!("\"{}\" cannot be the {what} of a label", word.value),
                    )
                    .at(word.place, "no selector could name it")
                    .help(format!(
                        "label keys and values are 1 to {LONGEST} letters, digits, `-`, `_` and `.`"
                    )),
                );
            }
        }
        labels.insert(key.value, value.value);
    }
    labels
}

fn is_word(text: &str) -> bool {
    (1..=LONGEST).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}
