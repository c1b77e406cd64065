//! Sources -> [`Cluster`]: reads every document, then checks that all of it fits together.

use crate::document::{self, Dialect, Document, Fields};
use crate::draft::{Draft, Kind, Reading};
use crate::problem::{Findings, Problem};
use crate::resource::{
    boot_server, data_folder, device_class, image, network, node, power, router,
};
use crate::schema::KindDoc;
use crate::{Cluster, Problems, Source, check};

/// Reads what is left of a resource's keys after `kind` and `name`.
type Read = fn(&mut Fields<'_>, &mut Reading<'_>);

/// Every kind of resource: what it may say, where its name belongs, how it is read. A new kind is a
/// row here and a module in `resource`.
const KINDS: [(&KindDoc, Kind, Read); 10] = [
    (&network::DOC, Kind::Network, network::read),
    (&router::DOC, Kind::Router, router::read_router),
    (&router::NAMESPACE_DOC, Kind::Router, router::read_namespace),
    (&router::POD_DOC, Kind::Router, router::read_pod),
    (&boot_server::DOC, Kind::BootServer, boot_server::read),
    (&node::DOC, Kind::Node, node::read),
    (&image::DOC, Kind::Image, image::read),
    (&device_class::DOC, Kind::DeviceClass, device_class::read),
    (&data_folder::DOC, Kind::DataFolder, data_folder::read),
    (&power::DOC, Kind::Power, power::read),
];

/// Every kind of resource, in the order of the documentation.
pub fn kinds() -> impl Iterator<Item = &'static KindDoc> {
    KINDS.into_iter().map(|(doc, _, _)| doc)
}

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
        Self::load_as(Dialect::Strict, sources)
    }

    /// As [`Cluster::load`], by the rules of `dialect`.
    pub fn load_as(dialect: Dialect, sources: Vec<Source>) -> Result<(Self, Problems), Problems> {
        let findings = Findings::of(dialect);
        let mut draft = read_all(&sources, &findings);
        check::all(&mut draft, &findings);
        let warnings = findings.finish(&sources)?;
        let mut cluster = draft.cluster;
        cluster.dialect = dialect;
        cluster.sources = sources.into();
        Ok((cluster, warnings))
    }
}

/// Reads every document of every source.
pub(crate) fn read_all(sources: &[Source], findings: &Findings) -> Draft {
    let mut draft = Draft::default();
    let documents = document::load(sources, findings);
    draft.ledger.lost = findings.error_count() > 0;
    for document in &documents {
        if read(document, sources, &mut draft, findings).is_none() {
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
    draft
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
    let word = fields.kind(&KINDS.map(|(doc, _, _)| doc.name))?;
    let (_, kind, read) = KINDS.into_iter().find(|(doc, _, _)| doc.name == word)?;
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
