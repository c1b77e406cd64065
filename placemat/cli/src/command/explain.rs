//! `placemat explain`: where every value of a thing comes from.

use crate::exit::{self, Failure};
use crate::table::Table;
use crate::{expansion, input, talk};
use placemat_menu::explain::{ExplainError, explain};
use placemat_menu::neco;
use placemat_spec::explain::{Explanation, Origin, UnknownName, of_cluster};
use serde::Serialize;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Arguments of `explain`.
#[derive(Debug, clap::Args)]
pub(super) struct Explain {
    /// Cluster files, one rack spec (`kind: DataCenter`), or the menu of Neco's placemat-menu; `-` is
    /// standard input.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// What to explain: `rack1-cs1`, or with its kind `node/rack1-cs1`, `router/core`, `network/bmc`,
    /// `bmc/rack1-cs1` (of rack specs), `feed/feed-a`.
    #[arg(required = true)]
    name: String,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// Version of the answer as JSON. Raised on every incompatible change.
const VERSION: u32 = 1;

/// The answer as JSON.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    v: u32,
    #[serde(flatten)]
    explanation: &'a Explanation,
}

impl Explain {
    pub(super) fn run(self) -> Result<u8, Failure> {
        let explanation = self.explanation()?;
        if self.json {
            talk::json(&Answer {
                v: VERSION,
                explanation: &explanation,
            })?;
        } else {
            talk::data(&text(&explanation))?;
        }
        Ok(exit::OK)
    }

    fn explanation(&self) -> Result<Explanation, Failure> {
        let sources = input::read(&self.files)?;
        if let [menu] = &sources[..] {
            if neco::is_menu(menu) {
                return expansion::explain_neco(menu, &self.name).map_err(failed);
            }
            if placemat_menu::is_rack_spec(menu) {
                return explain(menu, &self.name).map_err(failed);
            }
        }
        input::outline(&sources)?.warn();
        of_cluster(&sources, &self.name).map_err(refused)
    }
}

fn failed(error: ExplainError) -> Failure {
    match error {
        ExplainError::Spec(problems) => problems.into(),
        ExplainError::Name(unknown) => refused(unknown),
    }
}

fn refused(unknown: UnknownName) -> Failure {
    let hint = unknown.help().to_owned();
    Failure::new(exit::USAGE, unknown).hint(hint)
}

/// Longest value of the table, in characters.
const LONGEST: usize = 64;

/// A value that would make the table wider than anybody can read, cut. JSON has all of it.
fn short(value: &str) -> String {
    if value.chars().count() <= LONGEST {
        return value.to_owned();
    }
    let start: String = value.chars().take(LONGEST - 3).collect();
    format!("{start}...")
}

/// A table. Where all values come from one file, its name stands above and not in every line.
fn text(explanation: &Explanation) -> String {
    let origins = explanation.values.iter().flat_map(|value| &value.from);
    let files: BTreeSet<&str> = origins
        .filter_map(|it| Some(it.at.as_ref()?.file.as_str()))
        .collect();
    let only = match files.len() {
        1 => files.first().copied(),
        _ => None,
    };
    let words = |origin: &Origin| match (&origin.at, only) {
        (Some(at), Some(_)) => format!("{} {}:{}", origin.key, at.line, at.column),
        _ => origin.to_string(),
    };
    let mut table = Table::new(&["WHAT", "VALUE", "HOW", "FROM"]).indent(2);
    for value in &explanation.values {
        let from: Vec<String> = value.from.iter().map(words).collect();
        table.row([
            value.what.clone(),
            short(&value.value),
            value.how.clone(),
            from.join(", "),
        ]);
    }
    let of = only.map_or_else(String::new, |file| format!(", of {file}"));
    format!("{}{of}\n{}", explanation.target, table.text())
}
