//! What a `Power` may say.

use crate::resource::labels;
use crate::schema::{DURATION, Key, KindDoc, SELECTOR, Shape};

pub(crate) const DOC: KindDoc = KindDoc {
    name: "Power",
    doc: "A power feed or PDU, and what is plugged into it. A machine in several of them has power while one has.",
    keys: &[
        Key::required(
            "loads",
            Shape::List(&Shape::Form(&SELECTOR)),
            "Selectors of the machines and PDUs that are plugged in, in the order of the outlets.",
        ),
        Key::optional(
            "type",
            Shape::Choice(&[
                ("feed", "from outside of the data center"),
                (
                    "pdu",
                    "a power distribution unit, which feeds and PDUs can feed",
                ),
            ]),
            "What kind of source it is.",
        )
        .or("`feed`"),
        Key::optional(
            "return",
            Shape::Map(&[
                Key::optional(
                    "delay",
                    Shape::Form(&DURATION),
                    "How long after its own power the first outlet comes back; at most 5m.",
                )
                .or("`0s`"),
                Key::optional(
                    "gap",
                    Shape::Form(&DURATION),
                    "How long after each outlet the next one does; at most 5m.",
                )
                .or("`0s`"),
            ]),
            "How power comes back after an outage.",
        ),
        labels::KEY,
    ],
    example: "\
kind: Power
name: feed-rack1
loads: [rack/1]
",
};
