//! `kind: Router` (a container with BIRD), `kind: NetworkNamespace` (its sibling without one) and `kind: Pod`
//! (placemat v1's, whose apps have images).

mod app;
mod image;
mod keys;
mod limits;
mod pod;
mod print;
mod read;

pub use image::{OciImage, OciSource};
pub(super) use keys::BIRD;
pub(crate) use keys::{DOC, NAMESPACE_DOC, POD_DOC};
pub use limits::Limits;
pub(crate) use pod::read as read_pod;
pub use pod::{PodApp, PodMount, PodVolume, PodVolumeKind};
pub(crate) use print::print;
pub(super) use print::print_bird;
pub(super) use read::bird;
pub(crate) use read::{read_namespace, read_router};

use super::{Interface, Labels, Name};
use crate::Place;
use ipnet::IpNet;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// Which of the two kinds it was written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RouterKind {
    /// Own net, mount, PID and UTS namespace; private `/run` and `/etc`.
    Router,
    /// Placemat v2's: a network namespace with applications in it.
    NetworkNamespace,
    /// Placemat v1's: a router whose apps each run on an image of their own.
    Pod,
}

/// A checked `Router` or `NetworkNamespace`.
#[derive(Debug, Clone, PartialEq)]
pub struct Router {
    /// Its name.
    pub name: Name,
    /// Which kind.
    pub kind: RouterKind,
    /// What its root file system is made of; absent: the host's.
    pub image: Option<OciImage>,
    /// Its interfaces, in order.
    pub interfaces: Vec<Interface>,
    /// Addresses on `lo`, announced or not as its BIRD decides.
    pub loopback: Vec<IpNet>,
    /// The routing daemon.
    pub bird: Option<Bird>,
    /// What apps of a pod share.
    pub volumes: Vec<PodVolume>,
    /// Further programs.
    pub apps: Vec<App>,
    /// Scripts run once after the interfaces are up, before the apps (v2).
    pub init_scripts: Vec<PathBuf>,
    /// The most that all its processes together may use.
    pub limits: Option<Limits>,
    /// Labels.
    pub labels: Labels,
    /// Where its name stands.
    pub place: Place,
}

/// `bird:` of a router, boot server.
#[derive(Debug, Clone, PartialEq)]
pub struct Bird {
    /// Its configuration file, resolved.
    pub config: PathBuf,
    /// Where the path stands.
    pub place: Place,
}

/// One supervised program.
#[derive(Debug, Clone, PartialEq)]
pub struct App {
    /// Name, unique in its router.
    pub name: Name,
    /// Program and arguments; empty only where an image says what to run.
    pub command: Vec<String>,
    /// Environment on top of the lab's own, and of the image's.
    pub env: BTreeMap<String, String>,
    /// Folder that it starts in, an absolute path inside; absent: the image's, or `/`.
    pub workdir: Option<PathBuf>,
    /// Who it runs as, `NAME` or `NAME:GROUP`, numbers too; absent: the image's, or root.
    pub user: Option<String>,
    /// The image that it runs on, in a pod.
    pub pod: Option<PodApp>,
    /// What happens when it ends.
    pub restart: RestartPolicy,
    /// How to tell that it is ready; absent: as soon as it runs.
    pub ready: Option<Readiness>,
    /// Apps of the same router that are ready before it starts.
    pub after: Vec<Name>,
    /// Where it stands.
    pub place: Place,
}

impl App {
    /// A program that is started again whenever it ends, with nothing else said about it.
    pub fn new(name: &str, command: &[&str], place: Place) -> Self {
        Self {
            name: name.to_owned(),
            command: command.iter().map(|word| (*word).to_owned()).collect(),
            env: BTreeMap::new(),
            workdir: None,
            user: None,
            pod: None,
            restart: RestartPolicy::Always,
            ready: None,
            after: Vec::new(),
            place,
        }
    }
}

/// What to do when a supervised program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RestartPolicy {
    /// Start it again, with back-off from 100 ms doubling to 5 s. The default of a `Router`.
    #[default]
    Always,
    /// Start it again only after a non-zero exit or a signal. The default of a `NetworkNamespace`,
    /// whose apps may end well for good in placemat v2.
    OnFailure,
    /// Leave it ended.
    Never,
}

/// A command that exits 0 once the program is ready.
#[derive(Debug, Clone, PartialEq)]
pub struct Readiness {
    /// Program and arguments, run in the same container.
    pub command: Vec<String>,
    /// How often it is tried.
    pub interval: Duration,
    /// How long to wait.
    pub timeout: Duration,
}
