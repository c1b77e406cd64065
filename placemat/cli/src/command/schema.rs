//! `placemat schema`.

use crate::exit::{self, Failure};
use crate::talk;
use anyhow::anyhow;
use placemat_menu::rack::keys;
use placemat_spec::problem::suggestion;
use placemat_spec::schema::{document_schema, json_schema, kinds};
use serde_json::Value;

/// Arguments of `schema`.
#[derive(Debug, clap::Args)]
pub(super) struct Schema {
    /// `cluster`, `menu` (rack specs), `scenario`, or a kind of resource, such as `Node` [default: cluster].
    what: Option<String>,
}

/// Words that ask for the schema of a kind of file, and what makes it.
type File = (&'static [&'static str], fn() -> Value);

const FILES: &[File] = &[
    (&["cluster"], || json_schema(None)),
    (&["menu", keys::DOC.name], || {
        document_schema(&[&keys::DOC], keys::TITLE, keys::DESCRIPTION)
    }),
    (&["scenario"], placemat_scenario::schema::json_schema),
];

impl Schema {
    pub(super) fn run(self) -> Result<u8, Failure> {
        talk::json(&of(self.what.as_deref().unwrap_or("cluster"))?)?;
        Ok(exit::OK)
    }
}

fn of(word: &str) -> Result<Value, Failure> {
    let is = |name: &str| name.eq_ignore_ascii_case(word);
    let files = FILES
        .iter()
        .find(|(words, _)| words.iter().any(|it| is(it)));
    if let Some((_, schema)) = files {
        return Ok(schema());
    }
    if let Some(kind) = kinds().find(|kind| is(kind.name)) {
        return Ok(json_schema(Some(kind)));
    }
    let files = FILES.iter().flat_map(|(words, _)| *words).copied();
    let names: Vec<&str> = files.chain(kinds().map(|kind| kind.name)).collect();
    Err(
        Failure::new(exit::USAGE, anyhow!("there is no schema of `{word}`")).hint(suggestion(
            word,
            "schemas are",
            &names,
        )),
    )
}
