//! `kind: Router` (a container with BIRD) and `kind: NetworkNamespace` (its sibling without one).

mod app;
mod read;

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
}

/// A checked `Router` or `NetworkNamespace`.
#[derive(Debug, Clone)]
pub struct Router {
    /// Its name.
    pub name: Name,
    /// Which kind.
    pub kind: RouterKind,
    /// Its interfaces, in order.
    pub interfaces: Vec<Interface>,
    /// Addresses on `lo`, announced or not as its BIRD decides.
    pub loopback: Vec<IpNet>,
    /// The routing daemon.
    pub bird: Option<Bird>,
    /// Further programs.
    pub apps: Vec<App>,
    /// Scripts run once after the interfaces are up, before the apps (v2).
    pub init_scripts: Vec<PathBuf>,
    /// Labels.
    pub labels: Labels,
    /// Where its name stands.
    pub place: Place,
}

/// `bird:` of a router, boot server.
#[derive(Debug, Clone)]
pub struct Bird {
    /// Its configuration file, resolved.
    pub config: PathBuf,
    /// Where the path stands.
    pub place: Place,
}

/// One supervised program.
#[derive(Debug, Clone)]
pub struct App {
    /// Name, unique in its router.
    pub name: Name,
    /// Program and arguments; never empty.
    pub command: Vec<String>,
    /// Environment on top of the lab's own.
    pub env: BTreeMap<String, String>,
    /// What happens when it ends.
    pub restart: RestartPolicy,
    /// How to tell that it is ready; absent: as soon as it runs.
    pub ready: Option<Readiness>,
    /// Where it stands.
    pub place: Place,
}

/// What to do when a supervised program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RestartPolicy {
    /// Start it again, with back-off from 100 ms doubling to 5 s. The default.
    #[default]
    Always,
    /// Start it again only after a non-zero exit or a signal.
    OnFailure,
    /// Leave it ended.
    Never,
}

/// A command that exits 0 once the program is ready.
#[derive(Debug, Clone)]
pub struct Readiness {
    /// Program and arguments, run in the same container.
    pub command: Vec<String>,
    /// How long to wait.
    pub timeout: Duration,
}
