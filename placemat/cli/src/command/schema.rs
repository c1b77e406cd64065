//! `placemat schema`.

use crate::exit::{self, Failure};
use crate::talk;
use anyhow::anyhow;
use placemat_menu::rack::keys;
use placemat_spec::problem::suggestion;
use placemat_spec::schema::{document_schema, json_schema, kinds};

/// Arguments of `schema`.
#[derive(Debug, clap::Args)]
pub(super) struct Schema {
    /// A kind of resource, such as `Node`, or `menu` for rack specs; without one, all of a cluster file.
    kind: Option<String>,
}

impl Schema {
    pub(super) fn run(self) -> Result<u8, Failure> {
        if self.kind.as_deref().is_some_and(is_menu) {
            let schema = document_schema(&[&keys::DOC], keys::TITLE, keys::DESCRIPTION);
            return print(&schema);
        }
        let kind =
            self.kind.as_deref().map(|word| {
                let found = kinds().find(|kind| kind.name.eq_ignore_ascii_case(word));
                found.ok_or_else(|| {
                    let rack_spec = std::iter::once(keys::DOC.name);
                    let names: Vec<&str> = kinds().map(|kind| kind.name).chain(rack_spec).collect();
                    Failure::new(exit::USAGE, anyhow!("there is no kind `{word}`"))
                        .hint(suggestion(word, "kinds are", &names))
                })
            });
        print(&json_schema(kind.transpose()?))
    }
}

/// Rack specs go by the verb and by their kind.
fn is_menu(word: &str) -> bool {
    ["menu", keys::DOC.name]
        .iter()
        .any(|name| name.eq_ignore_ascii_case(word))
}

fn print(schema: &serde_json::Value) -> Result<u8, Failure> {
    talk::json(schema)?;
    Ok(exit::OK)
}
