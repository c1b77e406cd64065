//! An OCI image's tree as a root file system.
//!
//! The tree may hold any link. So whatever is mounted in it is mounted after it has become the root:
//! then no link leads out of it. Sources are opened before.

use super::root::{Bind, mount_on, proc, read_only, tmpfs};
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

const NONE: Option<&str> = None;
const DEVICES: [&str; 6] = ["null", "zero", "full", "random", "urandom", "tty"];
/// Links of `/dev` that every program expects.
const LINKS: [(&str, &str); 4] = [
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
];

/// What [`enter`] makes a root of.
pub(super) struct Image<'a> {
    pub(super) tree: &'a Path,
    pub(super) run: &'a Path,
    pub(super) scratch: &'a Path,
    pub(super) writable: bool,
    pub(super) binds: &'a [Bind],
}

/// Makes the image the caller's root. Only for a process alone in a new mount namespace.
pub(super) fn enter(image: &Image<'_>) -> io::Result<()> {
    fs::create_dir_all(image.scratch)?;
    let base = if image.writable || !image.binds.is_empty() {
        overlay(image)?
    } else {
        // pivot_root wants a mount point.
        mount_on(image.tree, image.tree, MsFlags::MS_BIND)?;
        image.tree.to_owned()
    };
    let devices = DEVICES
        .iter()
        .map(|device| Ok((*device, source(&Path::new("/dev").join(device))?)))
        .collect::<io::Result<Vec<_>>>()?;
    let run = source(image.run)?;
    let binds = image
        .binds
        .iter()
        .map(|bind| Ok((bind, source(&bind.source)?)))
        .collect::<io::Result<Vec<_>>>()?;
    let etc = (!image.writable).then(|| etc(&base, image.scratch));
    let etc = etc.transpose()?;
    std::env::set_current_dir(&base)?;
    // With both arguments the same, the old root ends up over the new one; paths from `/` lead into
    // the new one from now on, while mounts of the old one still are there to be bound.
    nix::unistd::pivot_root(".", ".")?;
    proc(Path::new("/proc"))?;
    // Of use to few, and not allowed everywhere.
    let sys = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC | MsFlags::MS_RDONLY;
    let _ = mount(Some("sysfs"), "/sys", Some("sysfs"), sys, NONE);
    tmpfs(Path::new("/dev"), "mode=755,size=1m")?;
    fill_dev(&devices)?;
    show(&run, Path::new("/run"))?;
    if let Some(etc) = &etc {
        show(etc, Path::new("/etc"))?;
    }
    tmpfs(Path::new("/tmp"), "mode=1777")?;
    for (bind, from) in &binds {
        place(bind, from)?;
    }
    umount2(".", MntFlags::MNT_DETACH)?;
    std::env::set_current_dir("/")?;
    if !image.writable {
        read_only(Path::new("/"))?;
    }
    Ok(())
}

/// The tree with a layer on it that takes what is written.
fn overlay(image: &Image<'_>) -> io::Result<PathBuf> {
    let [upper, work, merged] = ["upper", "work", "root"].map(|dir| image.scratch.join(dir));
    for dir in [&upper, &work, &merged] {
        fs::create_dir_all(dir)?;
    }
    fs::set_permissions(&upper, fs::Permissions::from_mode(0o755))?;
    mount_overlay(image.tree, &upper, &work, &merged).map_err(|error| {
        io::Error::new(
            error.kind(),
            format!("put a writable layer on the image (overlayfs): {error}"),
        )
    })?;
    Ok(merged)
}

fn mount_overlay(lower: &Path, upper: &Path, work: &Path, on: &Path) -> io::Result<()> {
    // A comma or colon would end the path; a cache has neither but where its user put one.
    let [lower, upper, work] =
        [lower, upper, work].map(|path| path.display().to_string().replace([',', ':'], "\\:"));
    let options = format!("lowerdir={lower},upperdir={upper},workdir={work}");
    mount(
        Some("placemat"),
        on,
        Some("overlay"),
        MsFlags::empty(),
        Some(options.as_str()),
    )
    .map_err(Into::into)
}

/// A writable `/etc`: the image's under an overlay, or a copy where there is no overlayfs for us.
fn etc(base: &Path, scratch: &Path) -> io::Result<File> {
    let [upper, work, merged] = [".etc", ".etc-work", ".etc-all"].map(|dir| scratch.join(dir));
    for dir in [&upper, &work, &merged] {
        fs::create_dir_all(dir)?;
    }
    fs::set_permissions(&upper, fs::Permissions::from_mode(0o755))?;
    let from = base.join("etc");
    // A link could lead out of the image.
    if !fs::symlink_metadata(&from)?.is_dir() {
        return source(&upper);
    }
    if mount_overlay(&from, &upper, &work, &merged).is_ok() {
        return source(&merged);
    }
    super::root::copy_tree(&from, &upper)?;
    source(&upper)
}

/// What a bind mount shows, found before the root changes.
fn source(path: &Path) -> io::Result<File> {
    fs::OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_PATH)
        .open(path)
        .map_err(|error| io::Error::new(error.kind(), format!("open {}: {error}", path.display())))
}

/// Binds an open file or folder on a path of the new root.
fn show(from: &File, on: &Path) -> io::Result<()> {
    let from = format!("/proc/self/fd/{}", from.as_raw_fd());
    mount_on(Path::new(&from), on, MsFlags::MS_BIND)
}

fn fill_dev(devices: &[(&str, File)]) -> io::Result<()> {
    let dev = Path::new("/dev");
    for (device, from) in devices {
        let on = dev.join(device);
        File::create(&on)?;
        show(from, &on)?;
    }
    for (name, to) in LINKS {
        symlink(to, dev.join(name))?;
    }
    fs::create_dir(dev.join("shm"))?;
    fs::set_permissions(dev.join("shm"), fs::Permissions::from_mode(0o1777))
}

/// Puts a volume at its place, which is made where the image has none.
fn place(bind: &Bind, from: &File) -> io::Result<()> {
    let named = |error: io::Error| {
        io::Error::new(
            error.kind(),
            format!("mount a volume on {}: {error}", bind.target.display()),
        )
    };
    if from.metadata().map_err(named)?.is_dir() {
        fs::create_dir_all(&bind.target).map_err(named)?;
    } else {
        if let Some(parent) = bind.target.parent() {
            fs::create_dir_all(parent).map_err(named)?;
        }
        fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&bind.target)
            .map_err(named)?;
    }
    show(from, &bind.target).map_err(named)?;
    if bind.read_only {
        read_only(&bind.target).map_err(named)?;
    }
    Ok(())
}
