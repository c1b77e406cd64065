//! Texts, names and other values, the odder the better.

use super::Draw;
use serde_json::{Value, json};

/// What YAML may take for something else, and what breaks lines, columns and terminals.
const ODD: [&str; 48] = [
    "x",
    "",
    "~",
    "null",
    "no",
    "Yes",
    "on",
    "true",
    "1",
    "007",
    "1e3",
    "0x1f",
    "0o17",
    "1_000",
    "-1",
    ".5",
    "-.inf",
    "2026-11-21",
    "12:30:45",
    "<<",
    "=",
    "-",
    "--",
    "---",
    "...",
    "- a",
    "a: b",
    "a #b",
    "#",
    "[a, b]",
    "{a: b}",
    "a, b",
    "&a",
    "*a",
    "!a",
    "|",
    ">-",
    "%a",
    "@",
    "`",
    "\"",
    "'",
    "\\n",
    "?",
    " a ",
    "é",
    "日本",
    ":",
];
const ODD_CHARACTERS: [char; 24] = [
    'a',
    ' ',
    '\n',
    '\t',
    '\r',
    '\u{1}',
    '\u{1b}',
    '\u{7f}',
    '\u{85}',
    '\u{a0}',
    '\u{ad}',
    '\u{2028}',
    '\u{202e}',
    '\u{feff}',
    '\u{fffe}',
    '\u{e000}',
    '\u{1f600}',
    '\u{10ffff}',
    '\'',
    '"',
    '\\',
    '#',
    ':',
    ',',
];

/// As text, with everything beyond ASCII escaped, since YAML wants more of it escaped than JSON does.
pub(super) fn json_text(value: &Value) -> String {
    let escape = |c: char| match u32::from(c) {
        0x7f..=0xffff => format!("\\u{:04x}", u32::from(c)),
        0x10000.. => format!("\\U{:08x}", u32::from(c)),
        _ => c.to_string(),
    };
    value.to_string().chars().map(escape).collect()
}

impl Draw<'_> {
    /// Any text.
    pub(super) fn text(&mut self) -> String {
        if self.chance() {
            let count = self.below(8);
            return (0..count)
                .filter_map(|_| self.pick(&ODD_CHARACTERS))
                .collect();
        }
        self.pick(&ODD).expect("a text").to_owned()
    }

    /// A word of letters, digits and the like, which may look like a number.
    pub(super) fn word(&mut self) -> String {
        const WORDS: [&str; 12] = [
            "a",
            "no",
            "1e3",
            "0x1f",
            "007",
            "1.10",
            "10.0.0.1",
            "2026-11-21",
            "null",
            "1_000",
            "true",
            "rack1-tor1",
        ];
        self.pick(&WORDS).expect("a word").to_owned()
    }

    /// A key of a map of the user's own.
    pub(super) fn key(&mut self, path: &str) -> String {
        let key = if path.ends_with(".labels") {
            self.word()
        } else {
            self.text()
        };
        // `<<` merges, in quotes as well; names of variables have no `=`.
        if key.is_empty() || key == "<<" || key.contains('=') {
            "k".into()
        } else {
            key
        }
    }

    fn path(&mut self, absolute: bool) -> String {
        let start = if absolute || self.chance() { "/" } else { "./" };
        format!("{start}{}", self.text().replace([':', ','], "_"))
    }

    /// A value of a form; none where nothing is there to be named.
    pub(super) fn form(&mut self, path: &str, form: &str) -> Option<Value> {
        let number = self.unique();
        Some(match form {
            "name" => return self.name(path, number).map(|name| json!(name)),
            "path" => json!(self.path(path.rsplit('.').next() == Some("path"))),
            "selector" => json!(self.pick(&["rack/*", "node/*"]).expect("one")),
            "mac" => json!(format!(
                "52:54:00:00:{:02x}:{:02x}",
                number >> 8,
                number & 255
            )),
            "interface-address" => json!(self.interface_address(number)),
            "address" => json!(format!("10.200.{}.{}", 1 + (number >> 8), number % 250 + 1)),
            "duration" => json!(self.pick(&["0s", "1s", "1m30s", "250ms", "1.5s", "7us"])?),
            "size" => json!(self.pick(&["1G", "512M", "64MiB", "16777216"])?),
            "percentage" => json!(self.pick(&["0%", "25%", "0.5%", "100 %", "33.3%"])?),
            "rate" => json!(self.pick(&["10mbit", "1Gbit", "1500bit"])?),
            "url" => json!(self.pick(&["http://a/b", "https://u:p@[fd00::1]:8/x?y=%20#z"])?),
            "sha256" => json!(format!("{}{number:064x}", self.pick(&["", "sha256:"])?)),
            "serial" => json!(format!("{}{number}", self.pick(&["s", "0", "1e", "0x"])?)),
            "credential" => json!(self.pick(&["admin", "no", "1e3", " x ", "é", "a\tb"])?),
            "file-name" => json!(format!("{number}{}", self.pick(&["", "é", ".yml", "#"])?)),
            "uuid" => json!(format!("0ccb0d23-5b5c-4a6f-9D5e-{number:012x}")),
            "cpu-model" => json!(self.pick(&["EPYC", "Skylake-Server,+x2apic", "486"])?),
            "oci-image" => {
                let tag = self.pick(&["", ":v1", ":1.10"])?;
                let path = self.path(false);
                match self.below(4) {
                    0 => json!(format!("docker://quay.io/a{tag}")),
                    1 => json!(format!("oci:{path}x{tag}")),
                    2 => json!(format!("oci-archive:{path}x{tag}")),
                    _ => json!(format!("docker-archive:{path}x{tag}")),
                }
            }
            "user" => json!(self.pick(&["nobody", "0", "65534:65534", "a:b"])?),
            other => panic!("the form `{other}` is not drawn yet: add it here"),
        })
    }

    fn name(&mut self, path: &str, number: u32) -> Option<String> {
        let names = &self.names;
        let among = match path.rsplit('.').next().unwrap_or_default() {
            "name" => return Some(format!("{}{number}", self.pick(&["n", "1e", "0x"])?)),
            "interfaces[]" | "network" => &names.networks,
            "image" if path == "Node.volumes[].image" => &names.images,
            "image" => &names.bundles,
            "folder" => &names.folders,
            "device-class" => &names.classes,
            "depends-on[]" => &names.machines,
            // Settled by what is there.
            "after[]" | "volume" | "node" => return None,
            other => panic!("what {other} of {path} names is not known: add it here"),
        };
        let among = among.clone();
        self.pick(&among)
    }

    /// An address that no other call gives, each in a subnet of its own.
    fn interface_address(&mut self, number: u32) -> String {
        if self.chance() {
            format!("fd00:{number:x}::1/{}", [64, 127, 128][self.below(3)])
        } else {
            let (high, low) = (number >> 8, number & 255);
            format!("10.{high}.{low}.{}/24", 1 + self.below(254))
        }
    }
}
