//! Whatever the runner's tests run stands for what users write: editors must not find fault with it.

use crate::schema::json_schema;
use crate::valid;
use placemat_spec::problem::Findings;
use placemat_spec::schema::to_json;
use placemat_spec::{Source, document};

/// Holds every document of a scenario file against the schema.
pub(super) fn takes(text: &str) {
    let source = Source::inline("t.yml", text);
    for document in document::load(&[source], &Findings::new()) {
        let document = to_json(&document.root);
        let errors = valid::errors(&json_schema(), &document);
        assert!(errors.is_empty(), "{}\nin {document:#}", errors.join("\n"));
    }
}
