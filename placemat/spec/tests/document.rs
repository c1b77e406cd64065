//! The readers that scenarios and rack specs share: every getter, and what it says of a bad value.
#![allow(clippy::unwrap_used)]

use placemat_spec::document::{self, Item};
use placemat_spec::problem::Findings;
use placemat_spec::selector::Selector;
use placemat_spec::{Problems, Source};

/// Reads the document's only map with `read`; the problems, if any.
fn read(text: &str, read: impl FnOnce(&mut document::Fields<'_>)) -> Result<Problems, Problems> {
    let sources = [Source::inline("test.yml", text)];
    let findings = Findings::new();
    let documents = document::load(&sources, &findings);
    let mut fields = documents[0].fields(&findings).unwrap();
    read(&mut fields);
    fields.finish();
    findings.finish(&sources)
}

#[test]
fn values_keep_what_they_say() {
    let text = r#"
string: 1.10
yes: yes
quoted: "a\tb"
folded: >-
  one
  two
hex: 0x1f
octal: 0o17
decimal: 0.25
truth: True
duration: 1m30s
size: 512M
share: 12.5%
words: [a, 2, "on"]
map: {A: 1, B: x y}
nothing: ~
empty:
selector: node/role=cs
"#;
    read(text, |fields| {
        let string = |item: Option<Item<'_>>| item.unwrap().string().unwrap().value;
        assert_eq!(string(fields.req("string")), "1.10");
        assert_eq!(string(fields.req("yes")), "yes");
        assert_eq!(string(fields.req("quoted")), "a\tb");
        assert_eq!(string(fields.req("folded")), "one two");
        assert_eq!(
            fields
                .req("hex")
                .unwrap()
                .integer(0..=255_u8)
                .unwrap()
                .value,
            31
        );
        assert_eq!(
            fields
                .req("octal")
                .unwrap()
                .integer(0..=u64::MAX)
                .unwrap()
                .value,
            15
        );
        assert!(
            (fields
                .req("decimal")
                .unwrap()
                .decimal(0.0..=1.0)
                .unwrap()
                .value
                - 0.25)
                .abs()
                < 1e-9
        );
        assert!(fields.req("truth").unwrap().boolean().unwrap().value);
        assert_eq!(
            fields
                .req("duration")
                .unwrap()
                .duration()
                .unwrap()
                .as_secs(),
            90
        );
        assert_eq!(fields.req("size").unwrap().size().unwrap().value, 512 << 20);
        assert!(
            (fields
                .req("share")
                .unwrap()
                .percentage()
                .unwrap()
                .fraction()
                - 0.125)
                .abs()
                < 1e-9
        );
        let words = fields.req("words").unwrap().strings().unwrap();
        assert_eq!(
            words.iter().map(|it| it.as_str()).collect::<Vec<_>>(),
            ["a", "2", "on"]
        );
        let map = fields.req("map").unwrap().string_map().unwrap();
        assert_eq!((map[1].0.as_str(), map[1].1.as_str()), ("B", "x y"));
        assert!(
            fields.opt("nothing").is_none()
                && fields.opt("empty").is_none()
                && fields.opt("absent").is_none()
        );
        let selector = Selector::read(&fields.req("selector").unwrap()).unwrap();
        assert_eq!((selector.place.line, selector.place.column), (19, 11));
    })
    .unwrap();
}

#[test]
fn every_getter_reports_what_does_not_fit() {
    let text = "{integer: 300, text: abc, number: 2.5, bool: off, duration: 5, share: 25, list: {}, map: [],
 word: sapphire, string: [1], words: [a, [b], {c: d}], none: , more: 1, Integer: 2}\n";
    let problems = read(text, |fields| {
        fields.req("integer").and_then(|it| it.integer(0..=255_u8));
        fields.req("text").and_then(|it| it.integer(1..=u64::MAX));
        fields.req("number").and_then(|it| it.decimal(0.0..=1.0));
        fields.req("bool").and_then(|it| it.boolean());
        fields.req("duration").and_then(|it| it.duration());
        fields.req("share").and_then(|it| it.percentage());
        fields.req("list").and_then(|it| it.list());
        fields
            .req("map")
            .and_then(|it| it.fields().map(document::Fields::finish));
        fields
            .req("word")
            .and_then(|it| it.choice(&[("ruby", 1), ("saphir", 2)]));
        fields.req("string").and_then(|it| it.string());
        fields.req("words").and_then(|it| it.strings());
        fields.req("none").and_then(|it| it.string());
        fields.req("absent").and_then(|it| it.string());
    });
    insta::assert_snapshot!(problems.unwrap_err().to_string());
}

#[test]
fn merge_keys_fill_what_is_not_said() {
    let text =
        "base: &base {a: 1, b: 2}\nmore: &more {b: 3, c: 4}\nboth:\n  <<: [*base, *more]\n  a: 0\n";
    read(text, |fields| {
        fields.opt("base");
        fields.opt("more");
        let both = fields.req("both").unwrap().string_map().unwrap();
        let mut both: Vec<String> = both
            .iter()
            .map(|(key, value)| format!("{}={}", key.value, value.value))
            .collect();
        both.sort();
        assert_eq!(both, ["a=0", "b=2", "c=4"]);
    })
    .unwrap();
}

#[test]
fn crlf_tabs_and_wide_letters_keep_the_carets_right() {
    let problems = read(
        "größe:\t\"é\"\r\nnäme: x\r\nname: [\"日本\", 名]\r\n",
        |fields| {
            fields.opt("größe").and_then(|it| it.integer(0..=9_u8));
            fields.opt("name").and_then(|it| it.string());
        },
    );
    insta::assert_snapshot!(problems.unwrap_err().to_string());
}
