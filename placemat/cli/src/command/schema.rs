//! `placemat schema`.

use crate::exit::{self, Failure};
use crate::talk;
use anyhow::{Context, anyhow};
use placemat_spec::problem::suggestion;
use placemat_spec::schema::{json_schema, kinds};

/// Arguments of `schema`.
#[derive(Debug, clap::Args)]
pub(super) struct Schema {
    /// A kind of resource, such as `Node`; without one, all of them.
    kind: Option<String>,
}

impl Schema {
    pub(super) fn run(self) -> Result<u8, Failure> {
        let kind =
            self.kind.as_deref().map(|word| {
                let found = kinds().find(|kind| kind.name.eq_ignore_ascii_case(word));
                found.ok_or_else(|| {
                    let names: Vec<&str> = kinds().map(|kind| kind.name).collect();
                    Failure::new(exit::USAGE, anyhow!("there is no kind `{word}`"))
                        .hint(suggestion(word, "kinds are", &names))
                })
            });
        let schema = json_schema(kind.transpose()?);
        let text = serde_json::to_string_pretty(&schema).context("write JSON")?;
        talk::data(&(text + "\n"))?;
        Ok(exit::OK)
    }
}
