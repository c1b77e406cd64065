//! One value of a document, on its way to a typed value.

use super::dialect::Dialect;
use super::fields::Fields;
use super::tree::{At, Scalar, Tree, Value};
use crate::Place;
use crate::problem::{Findings, Problem, suggestion};
use crate::schema::Asked;
use crate::value::{self, Percentage};
use std::fmt::{self, Write as _};
use std::ops::RangeInclusive;
use std::rc::Rc;
use std::str::FromStr;
use std::time::Duration;

/// How messages name a value: ``` `interfaces[0].mac` of Node `n1` ```.
#[derive(Debug)]
pub(super) enum Path<'a> {
    Root(String),
    Key(Rc<Path<'a>>, &'a str),
    /// A key of the user's choice.
    Entry(Rc<Path<'a>>, &'a str),
    Index(Rc<Path<'a>>, usize),
}

impl Path<'_> {
    fn steps(&self, out: &mut String) -> &str {
        match self {
            Self::Root(what) => what,
            Self::Key(parent, key) | Self::Entry(parent, key) => {
                let root = parent.steps(out);
                if !out.is_empty() {
                    out.push('.');
                }
                out.push_str(key);
                root
            }
            Self::Index(parent, index) => {
                let root = parent.steps(out);
                let _ = write!(out, "[{index}]");
                root
            }
        }
    }
}

impl Path<'_> {
    /// As [`Asked`](crate::schema::Asked) has it: `Node.interfaces[].mac`. `None` where the kind of
    /// the document is not known.
    pub(super) fn noted(&self) -> Option<String> {
        match self {
            Self::Root(what) => {
                let kind = what.strip_prefix("this ").unwrap_or(what);
                let kind = kind.split(' ').next().unwrap_or(kind);
                (kind != "document").then(|| kind.to_owned())
            }
            Self::Key(parent, key) => Some(format!("{}.{key}", parent.noted()?)),
            Self::Entry(parent, _) => Some(format!("{}.*", parent.noted()?)),
            Self::Index(parent, _) => Some(format!("{}[]", parent.noted()?)),
        }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut steps = String::new();
        let root = self.steps(&mut steps);
        if steps.is_empty() {
            f.write_str(root)
        } else {
            write!(f, "`{steps}` of {root}")
        }
    }
}

/// One value. Every getter returns `None` after reporting why the value does not fit.
#[derive(Debug, Clone)]
pub struct Item<'a> {
    tree: &'a Tree,
    path: Rc<Path<'a>>,
    findings: &'a Findings,
}

impl<'a> Item<'a> {
    pub(super) fn new(tree: &'a Tree, path: Rc<Path<'a>>, findings: &'a Findings) -> Self {
        Self {
            tree,
            path,
            findings,
        }
    }

    /// A value that no [`Fields`] gave: `what` is what messages call it.
    pub fn root(tree: &'a Tree, what: &str, findings: &'a Findings) -> Self {
        Self::new(tree, Rc::new(Path::Root(what.to_owned())), findings)
    }

    /// The tree itself.
    pub fn tree(&self) -> &'a Tree {
        self.tree
    }

    /// Where it stands.
    pub fn place(&self) -> Place {
        self.tree.place
    }

    /// Where problems are reported.
    pub fn findings(&self) -> &'a Findings {
        self.findings
    }

    /// What messages call it: ``` `interfaces[0].mac` of Node `n1` ```.
    pub fn describe(&self) -> String {
        self.path.to_string()
    }

    /// A problem with this value: `` `cpu` of Node `n1` MESSAGE ``, `label` under its caret.
    pub fn problem(&self, code: &'static str, message: &str, label: impl Into<String>) -> Problem {
        Problem::new(code, format!("{} {message}", self.path)).at(self.place(), label)
    }

    /// Notes what is asked for here, if anybody wants to know.
    fn note(&self, what: impl FnOnce(&mut Asked, &str)) {
        self.findings.note(|asked| {
            if let Some(path) = self.path.noted() {
                what(asked, &path);
            }
        });
    }

    /// Reports that it is not of the type that is wanted here.
    fn wrong_type(&self, wanted: &str) {
        let message = format!("must be {wanted}, not {}", self.tree.kind());
        self.findings
            .error(self.problem("wrong-type", &message, format!("expected {wanted}")));
    }

    fn scalar(&self, wanted: &str) -> Option<&'a Scalar> {
        match &self.tree.value {
            Value::Scalar(scalar) if scalar.text.contains('\0') => {
                self.findings.error(
                    self.problem("bad-text", "has a NUL character in it", "`\\0` in here")
                        .help("no path, name or argument can have one: remove it"),
                );
                None
            }
            Value::Scalar(scalar) if !scalar.is_null() => Some(scalar),
            _ => {
                self.wrong_type(wanted);
                None
            }
        }
    }

    /// A scalar that is not in quotes, as numbers and booleans have to be.
    fn plain(&self, wanted: &str) -> Option<&'a str> {
        let scalar = self.scalar(wanted)?;
        if scalar.plain {
            return Some(&scalar.text);
        }
        let message = format!("must be {wanted}, not {}", self.tree.kind());
        let problem = self.problem("wrong-type", &message, format!("expected {wanted}"));
        self.findings.error(problem.help("remove the quotes"));
        None
    }

    /// Text. Any scalar will do and keeps its text: `1.10`, `yes`.
    pub fn string(&self) -> Option<At<String>> {
        self.note(|asked, path| asked.fact(path, "text"));
        let scalar = self.scalar("text")?;
        Some(At::new(scalar.text.clone(), self.place()))
    }

    /// `true` or `false`.
    pub fn boolean(&self) -> Option<At<bool>> {
        const WANTED: &str = "`true` or `false`";
        self.note(|asked, path| asked.fact(path, "boolean"));
        let text = self.plain(WANTED)?;
        if let Some(value) = self.findings.dialect().boolean(text) {
            return Some(At::new(value, self.place()));
        }
        let meant = match text.to_ascii_lowercase().as_str() {
            "yes" | "on" | "y" => Some("true"),
            "no" | "off" | "n" => Some("false"),
            _ => None,
        };
        let message = format!("must be {WANTED}, not {}", self.tree.kind());
        let mut problem = self.problem("wrong-type", &message, format!("expected {WANTED}"));
        problem.help =
            meant.map(|meant| format!("write `{meant}`: `{text}` is a string in YAML 1.2"));
        self.findings.error(problem);
        None
    }

    /// A whole number within `range`: decimal, `0x...` or `0o...`.
    pub fn integer<T>(&self, range: RangeInclusive<T>) -> Option<At<T>>
    where
        T: TryFrom<u64> + Into<u64> + Copy,
    {
        let (low, high) = ((*range.start()).into(), (*range.end()).into());
        self.note(|asked, path| asked.integer(path, low, high));
        let wanted = if high == u64::MAX {
            format!("a whole number, {low} or more")
        } else {
            format!("a whole number from {low} to {high}")
        };
        let text = self.plain(&wanted)?;
        let number = match text.as_bytes() {
            [b'0', b'x', ..] => u64::from_str_radix(&text[2..], 16),
            [b'0', b'o', ..] => u64::from_str_radix(&text[2..], 8),
            _ => text.parse::<u64>(),
        };
        let number = number.ok().filter(|number| (low..=high).contains(number));
        if let Some(number) = number.and_then(|number| T::try_from(number).ok()) {
            return Some(At::new(number, self.place()));
        }
        if self.findings.dialect() == Dialect::V2 && text == "0" {
            return None;
        }
        if text.trim_start_matches('-').parse::<f64>().is_ok() {
            let message = format!("must be {wanted}, not {text}");
            self.findings.error(self.problem(
                "out-of-range",
                &message,
                format!("expected {wanted}"),
            ));
        } else {
            self.wrong_type(&wanted);
        }
        None
    }

    /// A number within `range`, with or without a fraction.
    pub fn decimal(&self, range: RangeInclusive<f64>) -> Option<At<f64>> {
        self.note(|asked, path| asked.decimal(path, *range.start(), *range.end()));
        let wanted = format!("a number from {} to {}", range.start(), range.end());
        let text = self.plain(&wanted)?;
        match text.parse::<f64>() {
            Ok(number) if range.contains(&number) => Some(At::new(number, self.place())),
            Ok(_) => {
                let message = format!("must be {wanted}, not {text}");
                self.findings.error(self.problem(
                    "out-of-range",
                    &message,
                    format!("expected {wanted}"),
                ));
                None
            }
            Err(_) => {
                self.wrong_type(&wanted);
                None
            }
        }
    }

    /// A duration: `500ms`, `10s`, `1m30s`, `2h`.
    pub fn duration(&self) -> Option<At<Duration>> {
        self.parse(
            "bad-duration",
            "a duration such as `500ms`, `10s` or `1m30s`",
            value::parse_duration,
        )
    }

    /// A size in bytes: `512M`, `1G`, `4096`; suffixes are powers of 1024.
    pub fn size(&self) -> Option<At<u64>> {
        self.parse(
            "bad-size",
            "a size such as `512M` or `1G`",
            value::parse_size,
        )
    }

    /// A percentage: `25%`, `0.5%`.
    pub fn percentage(&self) -> Option<At<Percentage>> {
        self.parse(
            "bad-percentage",
            "a percentage such as `25%`",
            Percentage::from_str,
        )
    }

    /// Text that `read` makes a value of. `wanted` completes "must be ..."; the error of `read`
    /// stands under the caret.
    pub fn parse<T, E: fmt::Display>(
        &self,
        code: &'static str,
        wanted: &str,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<At<T>> {
        self.note(|asked, path| asked.fact(path, &format!("text that may be {code}")));
        let text = &self.scalar(wanted)?.text;
        match read(text) {
            Ok(value) => Some(At::new(value, self.place())),
            Err(error) => {
                let message = format!("must be {wanted}, not \"{text}\"");
                self.findings
                    .error(self.problem(code, &message, error.to_string()));
                None
            }
        }
    }

    /// One of the given words.
    pub fn choice<T: Clone>(&self, choices: &[(&'static str, T)]) -> Option<At<T>> {
        let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
        self.note(|asked, path| asked.choice(path, &words));
        let wanted = match words.as_slice() {
            [one] => format!("`{one}`"),
            _ => format!("one of `{}`", words.join("`, `")),
        };
        let text = &self.scalar(&wanted)?.text;
        if let Some((_, value)) = choices.iter().find(|(word, _)| word == text) {
            return Some(At::new(value.clone(), self.place()));
        }
        let message = format!("cannot be \"{text}\"");
        self.findings.error(
            self.problem("unknown-value", &message, "unknown value")
                .help(suggestion(text, "possible values are", &words)),
        );
        None
    }

    /// The elements of a list.
    pub fn list(&self) -> Option<Vec<Item<'a>>> {
        self.note(|asked, path| asked.fact(path, "list"));
        let Value::List(list) = &self.tree.value else {
            self.wrong_type("a list");
            return None;
        };
        let item = |(index, tree)| {
            Item::new(
                tree,
                Rc::new(Path::Index(Rc::clone(&self.path), index)),
                self.findings,
            )
        };
        Some(list.iter().enumerate().map(item).collect())
    }

    /// A list of texts. Elements that are not text are reported and left out.
    pub fn strings(&self) -> Option<Vec<At<String>>> {
        Some(self.list()?.iter().filter_map(Item::string).collect())
    }

    /// The keys of a map.
    pub fn fields(&self) -> Option<Fields<'a>> {
        self.note(|asked, path| asked.fact(path, "map"));
        let Value::Map(map) = &self.tree.value else {
            self.wrong_type("a map of keys");
            return None;
        };
        Some(Fields::nested(
            map,
            self.place(),
            Rc::clone(&self.path),
            self.findings,
        ))
    }

    /// A map from words of the user's choice to texts.
    pub fn string_map(&self) -> Option<Vec<(At<String>, At<String>)>> {
        let text =
            |(key, item): (At<&str>, Item<'_>)| Some((key.map(str::to_owned), item.string()?));
        Some(
            self.fields()?
                .entries()
                .into_iter()
                .filter_map(text)
                .collect(),
        )
    }
}
