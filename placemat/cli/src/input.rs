//! From file names to a checked cluster: the only place that reads specifications from disk.

mod menu;

use crate::exit::{self, Code, Failure};
use crate::{expansion, talk};
use anyhow::Context;
use placemat_host::probe::program;
use placemat_host::sandbox;
use placemat_lab::image::Images;
use placemat_lab::plan::Plan;
use placemat_lab::preflight::MachineHost;
use placemat_lab::space;
use placemat_menu::File;
use placemat_spec::cluster::{FileKind, FileRef};
use placemat_spec::document::{Dialect, LARGEST};
use placemat_spec::problem::Severity;
use placemat_spec::{Cluster, Problem, Problems, Source};
use std::collections::BTreeSet;
use std::io::{ErrorKind, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fmt, fs};

/// A checked cluster.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// The cluster.
    pub(crate) cluster: Cluster,
    /// What may be wrong with it.
    pub(crate) warnings: Problems,
    /// What may be wrong with the menu that it was expanded from.
    pub(crate) of_menu: Problems,
    /// The files of that expansion; none where there was no menu.
    pub(crate) files: Vec<File>,
    /// Of a rack spec: what a single failure takes, a line each.
    pub(crate) single_points: Vec<String>,
}

impl Loaded {
    /// Tells what may be wrong with it. Once, by whoever goes on with it.
    pub(crate) fn warn(&self) {
        warn(&self.of_menu);
        warn(&self.warnings);
    }

    /// The same with the files of a menu's expansion in a folder that stays.
    pub(crate) fn settle(self, specs: &[Source], dir: &Path) -> Result<Self, Failure> {
        let settled = match specs {
            [menu] if !self.files.is_empty() => menu::settle(menu, &self.files, dir)?,
            _ => return Ok(self),
        };
        Ok(Self {
            of_menu: self.of_menu,
            single_points: self.single_points,
            ..settled
        })
    }
}

/// Tells of problems that keep nothing from starting.
pub(crate) fn warn(warnings: &Problems) {
    if !warnings.is_empty() {
        talk::say(&warnings.render_as(Severity::Warning, crate::color::wanted()));
    }
}

/// Reads one file; `-` is standard input.
pub(crate) fn source(path: &Path) -> Result<Source, Failure> {
    if path == Path::new("-") {
        let text = text(std::io::stdin(), "standard input")?;
        let dir = std::env::current_dir().context("find the current directory")?;
        let mut source = Source::inline("<stdin>", text);
        source.dir = dir;
        return Ok(source);
    }
    let name = path.display().to_string();
    let file = fs::File::open(path)
        .with_context(|| format!("read {name}"))
        .code(exit::SPEC)?;
    placed(path, text(file, &name)?)
}

/// The text of a file, whose folder is absolute: nothing depends on where the lab process happens to be.
fn placed(path: &Path, text: impl Into<Arc<str>>) -> Result<Source, Failure> {
    let mut source = Source::file(path, text);
    source.dir = std::env::current_dir()
        .context("find the current directory")?
        .join(&source.dir);
    Ok(source)
}

/// The whole text, named `name` in what is told of it.
fn text(from: impl Read, name: &str) -> Result<String, Failure> {
    bounded(from).map_err(|unread| match unread {
        Unread::Io(error) => Failure::new(
            exit::SPEC,
            anyhow::Error::new(error).context(format!("read {name}")),
        ),
        Unread::TooLarge => Failure::new(exit::SPEC, anyhow::anyhow!("{name} {unread}"))
            .hint("give the data center in several files"),
        Unread::NoText { .. } => {
            Failure::new(exit::SPEC, anyhow::anyhow!("{name} {unread}")).hint("save it as UTF-8")
        }
    })
}

/// Why something that was to be read is no specification; after its name, or `it`.
#[derive(Debug)]
pub(crate) enum Unread {
    /// It cannot be read.
    Io(std::io::Error),
    /// It goes on beyond [`LARGEST`].
    TooLarge,
    /// It is not UTF-8.
    NoText {
        /// From this line on, counted from 1.
        line: usize,
    },
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "cannot be read: {}", words(error)),
            Self::TooLarge => write!(f, "is larger than {} MiB", LARGEST >> 20),
            Self::NoText { line } => write!(f, "is no text: line {line} is not UTF-8"),
        }
    }
}

/// Reads a whole text, as long as that is not too long to be a specification.
pub(crate) fn bounded(from: impl Read) -> Result<String, Unread> {
    let mut bytes = Vec::new();
    let mut from = from.take(LARGEST as u64 + 1);
    from.read_to_end(&mut bytes).map_err(Unread::Io)?;
    if bytes.len() > LARGEST {
        return Err(Unread::TooLarge);
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = good.split(|byte| *byte == b'\n').count();
        Unread::NoText { line }
    })
}

/// Reads files, each once: standard input cannot be read again.
pub(crate) fn read(files: &[PathBuf]) -> Result<Vec<Source>, Failure> {
    files.iter().map(|file| source(file)).collect()
}

/// Whether the files that a cluster names are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Files {
    MustBeThere,
    DoNotMatter,
}

/// Checks cluster files, or one rack spec, whose expansion is looked at and forgotten.
pub(crate) fn cluster(sources: &[Source]) -> Result<Loaded, Failure> {
    cluster_as(Dialect::Strict, sources)
}

/// As [`cluster`], by the rules of `dialect`.
pub(crate) fn cluster_as(dialect: Dialect, sources: &[Source]) -> Result<Loaded, Failure> {
    load(dialect, sources, Files::MustBeThere)
}

/// As [`cluster`], for who only looks at it: files that it names need not be there.
pub(crate) fn outline(sources: &[Source]) -> Result<Loaded, Failure> {
    load(Dialect::Strict, sources, Files::DoNotMatter)
}

fn load(dialect: Dialect, sources: &[Source], files: Files) -> Result<Loaded, Failure> {
    match sources {
        [menu] if expansion::is_menu(menu) => menu::look_at(menu, files),
        many => match many.iter().find(|one| expansion::is_menu(one)) {
            Some(menu) => Err(Failure::new(
                exit::USAGE,
                anyhow::anyhow!("{} is a rack spec, which takes no other files", menu.name),
            )
            .hint("expand it with `placemat menu`, then name its cluster.yml with the others")),
            None => checked(dialect, many.to_vec(), files),
        },
    }
}

fn nothing() -> Problems {
    Problems::new(Vec::new(), Vec::new())
}

fn checked(dialect: Dialect, sources: Vec<Source>, files: Files) -> Result<Loaded, Failure> {
    let (cluster, warnings) = Cluster::load_as(dialect, sources)?;
    if files == Files::MustBeThere {
        cluster.check_files(usable)?;
    }
    Ok(loaded(cluster, warnings))
}

fn loaded(cluster: Cluster, warnings: Problems) -> Loaded {
    Loaded {
        cluster,
        warnings,
        of_menu: nothing(),
        files: Vec::new(),
        single_points: Vec::new(),
    }
}

/// Whether a lab could use a file that the cluster needs.
fn usable(file: &FileRef) -> Result<(), Problem> {
    visible(file)?;
    readable(file).map_err(|reason| file.missing(&reason))
}

/// Whether a lab would see a file that the cluster needs.
fn visible(file: &FileRef) -> Result<(), Problem> {
    if !sandbox::hides(&file.path) {
        return Ok(());
    }
    let message = format!("{} cannot be seen by a lab", file.what);
    let label = format!("{} lies below /run", file.path.display());
    Err(Problem::new("hidden-file", message)
        .at(file.place, label)
        .help("a lab has a /run of its own: put the file elsewhere"))
}

/// Whether it is there, of the right kind, and ours to read; if not, why.
fn readable(file: &FileRef) -> Result<(), String> {
    let meta = match fs::metadata(&file.path) {
        Err(error)
            if error.kind() == ErrorKind::NotFound && file.kind == FileKind::FolderToMake =>
        {
            return Ok(());
        }
        meta => meta.map_err(|error| words(&error))?,
    };
    let right = match file.kind {
        FileKind::File | FileKind::Program => meta.is_file(),
        FileKind::Folder | FileKind::FolderToMake => meta.is_dir(),
    };
    if !right {
        return Err("it is of the wrong type".into());
    }
    if file.kind == FileKind::Program && meta.permissions().mode() & 0o111 == 0 {
        return Err("it is not executable (`chmod +x` makes it so)".into());
    }
    match file.kind {
        FileKind::File | FileKind::Program => fs::File::open(&file.path).map(drop),
        FileKind::Folder | FileKind::FolderToMake => fs::read_dir(&file.path).map(drop),
    }
    .map_err(|error| words(&error))
}

/// Whether the volumes fit: errors stop it, warnings are told.
pub(crate) fn check_space(
    cluster: &Cluster,
    data_dir: &Path,
    images: Option<&Images>,
) -> Result<(), Failure> {
    warn(&space_for(cluster, data_dir, images)?);
    Ok(())
}

/// As [`check_space`], with warnings untold.
pub(crate) fn space_for(
    cluster: &Cluster,
    data_dir: &Path,
    images: Option<&Images>,
) -> Result<Problems, Failure> {
    let found = space::check(cluster, data_dir, images);
    if found.errors.is_empty() {
        Ok(cluster.problems(found.warnings))
    } else {
        Err(cluster.problems(found.errors).into())
    }
}

/// Refuses a path at which what a lab writes would not outlive it. `what` names the path in the message.
pub(crate) fn check_visible(path: &Path, what: &str, code: u8, hint: &str) -> Result<(), Failure> {
    if sandbox::hides(path) {
        let error = anyhow::anyhow!(
            "{what} {} lies below /run, where a lab has files of its own",
            path.display()
        );
        return Err(Failure::new(code, error).hint(hint));
    }
    Ok(())
}

/// What the system says, without its number.
pub(crate) fn words(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}

/// Whether this host can run the cluster: programs, firmware, devices. Before anything starts.
pub(crate) fn check_host(cluster: &Cluster) -> Result<(), Failure> {
    let mut missing: Vec<String> = Vec::new();
    let mut packages = BTreeSet::new();
    for name in programs_of(cluster) {
        if let Err(error) = program::locate(name) {
            missing.push(format!(
                "{} ({})",
                error.name,
                program::known(name).map_or("an app of the cluster", |known| known.purpose)
            ));
            packages.extend(error.package);
        }
    }
    if !missing.is_empty() {
        let list = missing.join(", ");
        let plural = if missing.len() == 1 {
            "a program is"
        } else {
            "programs are"
        };
        let failure = Failure::new(exit::HOST, anyhow::anyhow!("{plural} missing: {list}"));
        let packages: Vec<String> = packages.into_iter().collect();
        return Err(failure.hint(format!("apt install {}", packages.join(" "))));
    }
    crate::network::check(cluster)?;
    crate::provision::check(cluster)?;
    crate::boot::check(cluster)?;
    let plan = Plan::of(cluster);
    if !plan.taps.is_empty() {
        fs::OpenOptions::new()
            .read(true)
            .write(true)
            .open("/dev/net/tun")
            .context("/dev/net/tun cannot be used, and servers of tier full need it")
            .map_err(|error| {
                Failure::new(exit::HOST, error).hint("load the driver (`modprobe tun`) and allow read and write to the device; or use tier netns")
            })?;
    }
    crate::limits::check(cluster, &plan)?;
    check_machines(cluster)
}

fn check_machines(cluster: &Cluster) -> Result<(), Failure> {
    let accel = crate::place::cache_base().join("accel.json");
    let found = MachineHost::of(cluster, &accel).check(cluster);
    warn(&cluster.problems(found.warnings));
    refuse(cluster, found.errors)
}

/// Ends with what this host cannot do, if there is anything.
pub(crate) fn refuse(cluster: &Cluster, errors: Vec<Problem>) -> Result<(), Failure> {
    if errors.is_empty() {
        return Ok(());
    }
    Err(Failure::of_host(&cluster.problems(errors)))
}

/// Programs that a lab of this cluster runs.
pub(crate) fn programs_of(cluster: &Cluster) -> Vec<&'static str> {
    use placemat_spec::resource::{Node, ShareProtocol, Tier, VolumeKind};
    let mut names = Vec::new();
    // An image brings its own.
    let birds = cluster
        .routers
        .values()
        .any(|router| router.bird.is_some() && router.image.is_none())
        || cluster
            .boot_servers
            .values()
            .any(|server| server.bird.is_some());
    if birds {
        names.push("bird");
    }
    if !cluster.boot_servers.is_empty() {
        names.push("dnsmasq");
    }
    if cluster
        .nodes
        .values()
        .any(|node| matches!(node.tier, Tier::Full | Tier::Kernel))
    {
        names.push("qemu-system-x86_64");
    }
    let shares_by = |node: &Node, wanted: ShareProtocol| {
        node.volumes.iter().any(|volume| {
            matches!(&volume.kind, VolumeKind::HostPath { protocol, .. } if *protocol == wanted)
        })
    };
    if cluster
        .nodes
        .values()
        .any(|node| shares_by(node, ShareProtocol::Virtiofs))
    {
        names.push("virtiofsd");
    }
    names
}
