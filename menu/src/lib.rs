//! Rack spec to data center: expands a `kind: DataCenter` of a few lines into the cluster YAML, the
//! configuration of every BIRD, and what boot servers tell each machine.
//!
//! ```text
//! Source --rack--> DataCenter --allocation--> Allocation --topology--> Plan --render--> files
//! ```
//!
//! - [`rack`]: the input, checked, every problem with its place.
//! - [`allocation`]: arithmetic from rack and seat numbers to prefixes, addresses, ASNs, MACs and
//!   serials. A rack added at the end moves nothing.
//! - [`topology`]: the [`Plan`]: every machine, link and session by name.
//! - [`addresses`]: the plan of addresses as rows, for people and programs.
//! - `render`: one row of a table and one template for each kind of file.
//! - [`verify`]: what must hold of the plan and of the files, and what a single failure takes.
//! - [`diff`]: what a change of the rack spec changes.
//! - [`mod@explain`]: where every value of a machine comes from.
//!
//! What comes out: `cluster.yml`, `bird/NAME.conf` for routers and boot servers, and
//! `boot/NAME/{node.env,bird.conf}` for servers. Spines speak eBGP to ToRs; ToRs reflect iBGP
//! routes among the machines of their rack; every machine announces a loopback of its own; BFD
//! watches every session.
//!
//! [`neco`] does the same for the input of Neco's placemat-menu, with files as that wrote them.
//!
//! No I/O here: text in, text out.

pub mod addresses;
pub mod allocation;
pub mod diff;
pub mod explain;
mod list;
pub mod neco;
mod place;
pub mod rack;
mod render;
pub mod topology;
pub mod verify;

pub use list::List;
pub use rack::is_rack_spec;
pub use render::{FORMATS, File, Format, OwnTemplate, Rendering, built_in_templates};
pub use topology::Plan;

use allocation::Allocation;
use placemat_spec::Problem;
use placemat_spec::document::At;
pub use placemat_spec::{Problems, Source};
use rack::DataCenter;
use std::path::PathBuf;

/// What a rack spec expands to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// What the files say.
    pub plan: Plan,
    /// Every file, `cluster.yml` first.
    pub files: Vec<File>,
    /// Templates of one's own that were there to render them, as files.
    pub templates: Vec<String>,
}

/// Expands a rack spec.
///
/// `source.dir` should be absolute: the image's folder is resolved against it and written to
/// `cluster.yml`, which may stand anywhere.
pub fn expand(source: &Source) -> Result<Output, Problems> {
    expand_as(source, &Rendering::default())
}

/// As [`expand`], with templates of one's own, and other formats.
///
/// Templates come from `rendering` alone: of a folder that the rack spec names ([`templates`]), whoever
/// calls has read them. Where it names one and none were read, that is an error.
pub fn expand_as(source: &Source, rendering: &Rendering) -> Result<Output, Problems> {
    let dc = rack::read(source)?;
    if let Some(folder) = dc
        .templates
        .as_ref()
        .filter(|_| rendering.templates.is_empty())
    {
        let unread = Problem::new("unread-templates", "the rack spec has templates of its own")
            .at(folder.place, "nobody has read them");
        return Err(Problems::new(vec![source.clone()], vec![unread]));
    }
    let plan = planned(source, &dc)?;
    let files = render::render(&plan, rendering)?;
    let own = rendering.templates.iter();
    Ok(Output {
        plan,
        files,
        templates: own.map(|it| it.source.name.clone()).collect(),
    })
}

/// The plan of a rack spec, before anything is rendered.
pub fn plan(source: &Source) -> Result<Plan, Problems> {
    planned(source, &rack::read(source)?)
}

/// The folder of templates that a rack spec names, and where it does.
pub fn templates(source: &Source) -> Result<Option<At<PathBuf>>, Problems> {
    Ok(rack::read(source)?.templates)
}

/// The folder of the image of a rack spec, and where it is named.
pub fn bundle(source: &Source) -> Result<At<PathBuf>, Problems> {
    Ok(rack::read(source)?.image.bundle)
}

fn planned(source: &Source, dc: &DataCenter) -> Result<Plan, Problems> {
    let allocation =
        Allocation::new(dc).map_err(|problems| Problems::new(vec![source.clone()], problems))?;
    Ok(Plan::new(dc, &allocation))
}
