//! Sources -> [`Cluster`]: reads every document, then checks that all of it fits together.

use crate::document::{self, Document, Fields};
use crate::draft::{Draft, Kind, Reading};
use crate::problem::{Findings, Problem};
use crate::{Cluster, Problems, Source, check, resource};

/// Reads what is left of a resource's keys after `kind` and `name`.
type Read = fn(&mut Fields<'_>, &mut Reading<'_>);

/// Every kind of resource. A new kind is a row here and a module in `resource`.
const KINDS: [(&str, Kind, Read); 10] = [
    ("Network", Kind::Network, resource::network::read),
    ("Router", Kind::Router, resource::router::read_router),
    (
        "NetworkNamespace",
        Kind::Router,
        resource::router::read_namespace,
    ),
    ("Pod", Kind::Router, resource::router::read_pod),
    ("BootServer", Kind::BootServer, resource::boot_server::read),
    ("Node", Kind::Node, resource::node::read),
    ("Image", Kind::Image, resource::image::read),
    (
        "DeviceClass",
        Kind::DeviceClass,
        resource::device_class::read,
    ),
    ("DataFolder", Kind::DataFolder, resource::data_folder::read),
    ("Power", Kind::Power, resource::power::read),
];

/// Kinds that belong elsewhere, or to a later version: what to say instead of "unknown".
const FOREIGN: [(&str, &str); 4] = [
    (
        "DataCenter",
        "this is a rack spec: expand it with `placemat menu FILE -o DIR`, then use DIR/cluster.yml",
    ),
    (
        "Scenario",
        "this is a scenario: run it with `placemat test`",
    ),
    (
        "Suite",
        "this is a scenario suite: run it with `placemat test`",
    ),
    (
        "Library",
        "this is a scenario library: `placemat test` reads it beside its scenarios",
    ),
];

impl Cluster {
    /// Reads and checks a data center. On success the second value has the warnings; on failure all
    /// errors of all sources are reported at once. Touches no file: see [`Cluster::files`].
    pub fn load(sources: Vec<Source>) -> Result<(Self, Problems), Problems> {
        let findings = Findings::new();
        let mut draft = Draft::default();
        let documents = document::load(&sources, &findings);
        draft.ledger.lost = findings.error_count() > 0;
        for document in &documents {
            if read(document, &sources, &mut draft, &findings).is_none() {
                draft.ledger.lost = true;
            }
        }
        if documents.is_empty() && !draft.ledger.lost {
            let name = sources
                .first()
                .map_or("the input", |source| source.name.as_str());
            findings.error(Problem::new(
                "empty",
                format!("{name} has no resource in it"),
            ));
        }
        check::all(&mut draft, &findings);
        let warnings = findings.finish(&sources)?;
        let mut cluster = draft.cluster;
        cluster.sources = sources.into();
        Ok((cluster, warnings))
    }
}

/// Reads one document; `None` if not even its kind and name could be read.
fn read(
    document: &Document,
    sources: &[Source],
    draft: &mut Draft,
    findings: &Findings,
) -> Option<()> {
    let mut fields = document.fields(findings)?;
    if let Some(tree) = fields.peek("kind")
        && let Some((kind, advice)) = FOREIGN.iter().find(|(kind, _)| tree.text() == Some(kind))
    {
        findings.error(
            Problem::new(
                "unsupported-kind",
                format!("kind `{kind}` cannot stand in a cluster file"),
            )
            .at(tree.place, "not a resource of a data center")
            .help(*advice),
        );
        return None;
    }
    let word = fields.kind(&KINDS.map(|(word, _, _)| word))?;
    let (_, kind, read) = KINDS.into_iter().find(|(name, _, _)| *name == word)?;
    let name = fields.name()?;
    check::names::form(kind, &name, &fields.describe(), findings);
    draft.ledger.declare(kind, &name);
    let source = sources.get(name.place.source)?;
    let owner = fields.describe();
    read(
        &mut fields,
        &mut Reading {
            draft,
            source,
            name,
            owner,
        },
    );
    fields.finish();
    Some(())
}
