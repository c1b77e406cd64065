//! What a unit is made of: its root, its files, its programs and what holds them in bounds.

use crate::blueprint::Contents;
use placemat_host::cgroup::Group;
use placemat_host::container::{Bind, Settings};
use placemat_spec::resource::{App, Limits};
use placemat_spec::selector::Target;
use std::collections::HashMap;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;

/// What a unit is made of.
#[derive(Debug, Clone)]
pub struct UnitSpec {
    /// What it is.
    pub target: Target,
    /// Its root file system.
    pub root: UnitRoot,
    /// What is put on its `/run` each time its power comes on: (path below it, contents).
    pub files: Vec<(PathBuf, Contents)>,
    /// Empty folders that are put there, too.
    pub folders: Vec<Folder>,
    /// Scripts run once, in order, before the programs.
    pub init_scripts: Vec<PathBuf>,
    /// Its programs, in start order.
    pub apps: Vec<App>,
    /// A router: forwards packets.
    pub forwards: bool,
    /// Who reads along what programs say, by program.
    pub readers: HashMap<String, LineReader>,
    /// Environment of everything that runs in it, below each program's own.
    pub env: Vec<(String, String)>,
    /// How programs run, by program; those that are not there run as init does.
    pub settings: HashMap<String, Settings>,
    /// What its processes count against, and how that is limited.
    pub limits: Option<(Group, Limits)>,
}

impl UnitSpec {
    /// A unit that runs nothing.
    pub fn new(target: Target, root: UnitRoot) -> Self {
        Self {
            target,
            root,
            files: Vec::new(),
            folders: Vec::new(),
            init_scripts: Vec::new(),
            apps: Vec::new(),
            forwards: false,
            readers: HashMap::new(),
            env: Vec::new(),
            settings: HashMap::new(),
            limits: None,
        }
    }
}

/// An empty folder on a unit's `/run`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    /// Its path below `/run`.
    pub path: PathBuf,
    /// Permission bits.
    pub mode: u32,
    /// User and group that it belongs to.
    pub owner: (u32, u32),
}

impl Folder {
    pub(super) fn make(&self, run: &std::path::Path) -> std::io::Result<()> {
        let path = run.join(&self.path);
        std::fs::create_dir_all(&path)?;
        if self.owner != (0, 0) {
            std::os::unix::fs::chown(&path, Some(self.owner.0), Some(self.owner.1))?;
        }
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(self.mode))
    }
}

/// Hears every line that a program writes.
#[derive(Clone)]
pub struct LineReader(pub Arc<dyn Fn(&str) + Send + Sync>);

impl std::fmt::Debug for LineReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LineReader")
    }
}

/// Root file system of a unit.
#[derive(Debug, Clone)]
pub enum UnitRoot {
    /// The host's, read-only but for `/run`, `/tmp` and `/etc`.
    HostReadOnly,
    /// The host's as it is, but for `/run` (placemat v2's `NetworkNamespace`).
    Host,
    /// A node image's tree.
    Tree(PathBuf),
    /// An OCI image's tree.
    Image(PathBuf),
    /// As [`UnitRoot::HostReadOnly`], with these shown below `/run`: a pod's images.
    Showing(Vec<Bind>),
}
