//! What a `Power` may say.

use crate::resource::labels;
use crate::schema::{Key, KindDoc, SELECTOR, Shape};

pub(crate) const DOC: KindDoc = KindDoc {
    name: "Power",
    doc: "A power feed, and what is plugged into it and loses power with it.",
    keys: &[
        Key::required(
            "loads",
            Shape::List(&Shape::Form(&SELECTOR)),
            "Selectors of what is plugged in.",
        ),
        labels::KEY,
    ],
    example: "\
kind: Power
name: feed-rack1
loads: [rack/1]
",
};
