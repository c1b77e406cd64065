//! The root file system of a container, made from inside its mount namespace.

use super::image;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use serde::{Deserialize, Serialize};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What a container sees as `/`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Root {
    /// The host's directories, with a private `/run`.
    Host {
        /// What is on `/run`, a directory of the lab's.
        run: PathBuf,
        /// The rest read-only, with a private `/tmp` and an overlay on `/etc`.
        read_only: bool,
        /// What else is shown, at paths below `/run`, even if it lies where something else is put.
        shown: Vec<Bind>,
    },
    /// A tree of its own, read-only, with a private writable `/run`, `/tmp`, `/var` and `/etc`.
    Tree {
        /// The tree.
        tree: PathBuf,
        /// What is on `/run`, a directory of the lab's.
        run: PathBuf,
    },
    /// The tree of an OCI image, with a private `/run`, `/tmp`, `/dev` and a writable `/etc`.
    Image {
        /// The tree. It is not changed.
        tree: PathBuf,
        /// What is on `/run`.
        run: PathBuf,
        /// Where what is written is kept: a directory on a tmpfs, of this root alone.
        scratch: PathBuf,
        /// The whole of it can be written to; what is written is lost with the scratch.
        writable: bool,
        /// What is mounted in it.
        binds: Vec<Bind>,
    },
}

/// A file or folder shown at another place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bind {
    /// What.
    pub source: PathBuf,
    /// Where, in the new root.
    pub target: PathBuf,
    /// It cannot be written to there.
    pub read_only: bool,
}

const NONE: Option<&str> = None;

/// Makes `root` the caller's root. Only for a process alone in a new mount namespace.
pub(super) fn enter(root: &Root) -> io::Result<()> {
    mount(NONE, "/", NONE, MsFlags::MS_REC | MsFlags::MS_PRIVATE, NONE)?;
    match root {
        Root::Host {
            run,
            read_only,
            shown,
        } => enter_host(run, *read_only, shown),
        Root::Tree { tree, run } => enter_tree(tree, run),
        Root::Image {
            tree,
            run,
            scratch,
            writable,
            binds,
        } => image::enter(&image::Image {
            tree,
            run,
            scratch,
            writable: *writable,
            binds,
        }),
    }
}

fn enter_host(run: &Path, read_only: bool, shown: &[Bind]) -> io::Result<()> {
    if !read_only {
        bind(run, Path::new("/run"))?;
        show(shown)?;
        return proc(Path::new("/proc"));
    }
    set_attributes(
        Path::new("/"),
        libc::AT_RECURSIVE,
        libc::MOUNT_ATTR_RDONLY,
        0,
    )?;
    bind(run, Path::new("/run"))?;
    set_attributes(Path::new("/run"), 0, 0, libc::MOUNT_ATTR_RDONLY)?;
    show(shown)?;
    for dir in ["/run/.etc", "/run/.etc-work"] {
        fs::create_dir_all(dir)?;
    }
    // Where this kernel has no overlayfs for us, /etc stays as read-only as the rest.
    let options = "lowerdir=/etc,upperdir=/run/.etc,workdir=/run/.etc-work";
    let _ = mount(
        Some("placemat"),
        "/etc",
        Some("overlay"),
        MsFlags::empty(),
        Some(options),
    );
    tmpfs(Path::new("/tmp"), "mode=1777")?;
    // Shared memory of POSIX, which some programs (squid) do not start without.
    if Path::new("/dev/shm").is_dir() {
        tmpfs(Path::new("/dev/shm"), "mode=1777")?;
    }
    proc(Path::new("/proc"))
}

/// Puts things below `/run`, in folders made for them.
fn show(shown: &[Bind]) -> io::Result<()> {
    for each in shown {
        fs::create_dir_all(&each.target)?;
        bind(&each.source, &each.target)?;
        let (set, clear) = if each.read_only {
            (libc::MOUNT_ATTR_RDONLY, 0)
        } else {
            (0, libc::MOUNT_ATTR_RDONLY)
        };
        set_attributes(&each.target, 0, set, clear)?;
    }
    Ok(())
}

/// `struct mount_attr` of linux/mount.h.
#[repr(C)]
struct MountAttr {
    set: u64,
    clear: u64,
    propagation: u64,
    userns_fd: u64,
}

/// Changes attributes of a mount, or with `AT_RECURSIVE` of all below it too, in one act (Linux 5.12).
fn set_attributes(path: &Path, flags: i32, set: u64, clear: u64) -> io::Result<()> {
    let attr = MountAttr {
        set,
        clear,
        propagation: 0,
        userns_fd: 0,
    };
    let path = std::ffi::CString::new(path.as_os_str().as_encoded_bytes())?;
    // SAFETY: the path is a C string and the attributes have the size that is passed with them.
    let done = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            libc::AT_FDCWD,
            path.as_ptr(),
            flags,
            &raw const attr,
            size_of::<MountAttr>(),
        )
    };
    if done == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

fn enter_tree(tree: &Path, run: &Path) -> io::Result<()> {
    // pivot_root wants a mount point.
    bind(tree, tree)?;
    // The places to mount on must be in the tree: it may belong to another user.
    let inside = |path: &str| tree.join(path);
    for device in ["null", "zero", "full", "random", "urandom", "tty"] {
        // A device file cannot be made here without privilege; the host's can be shown. What the
        // tree brings no file for is left out.
        let target = inside("dev").join(device);
        if target.exists() {
            bind(&Path::new("/dev").join(device), &target)?;
        }
    }
    if !inside("dev/null").exists() {
        let devices = run.join(".dev");
        fs::create_dir_all(&devices)?;
        for device in ["null", "zero", "full", "random", "urandom", "tty"] {
            let target = devices.join(device);
            fs::File::create(&target)?;
            bind(&Path::new("/dev").join(device), &target)?;
        }
        mount(
            Some(&devices),
            &inside("dev"),
            NONE,
            MsFlags::MS_BIND | MsFlags::MS_REC,
            NONE,
        )?;
    }
    let etc = run.join(".etc");
    copy_tree(&inside("etc"), &etc)?;
    proc(&inside("proc"))?;
    // The tree itself becomes read-only before anything writable is put on it.
    read_only(tree)?;
    bind(&etc, &inside("etc"))?;
    bind(run, &inside("run"))?;
    tmpfs(&inside("tmp"), "mode=1777")?;
    tmpfs(&inside("var"), "mode=755")?;
    std::env::set_current_dir(tree)?;
    // With both arguments the same, the old root ends up over the new one, and is taken off.
    nix::unistd::pivot_root(".", ".")?;
    umount2(".", MntFlags::MNT_DETACH)?;
    std::env::set_current_dir("/")?;
    for dir in ["/var/run", "/var/log", "/var/lib", "/var/tmp", "/var/empty"] {
        let _ = fs::create_dir_all(dir);
    }
    Ok(())
}

fn bind(source: &Path, target: &Path) -> io::Result<()> {
    mount_on(source, target, MsFlags::MS_BIND)
}

/// A bind mount; its error names both ends.
pub(super) fn mount_on(source: &Path, target: &Path, flags: MsFlags) -> io::Result<()> {
    mount(Some(source), target, NONE, flags, NONE).map_err(|errno| {
        let act = format!(
            "bind {} on {}: {}",
            source.display(),
            target.display(),
            errno.desc()
        );
        io::Error::new(io::Error::from(errno).kind(), act)
    })
}

pub(super) fn tmpfs(target: &Path, options: &str) -> io::Result<()> {
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    mount(
        Some("placemat"),
        target,
        Some("tmpfs"),
        flags,
        Some(options),
    )
    .map_err(Into::into)
}

pub(super) fn proc(target: &Path) -> io::Result<()> {
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    mount(Some("proc"), target, Some("proc"), flags, NONE).map_err(Into::into)
}

/// In a user namespace the flags that a mount came with are locked: they must be repeated.
pub(super) fn read_only(target: &Path) -> io::Result<()> {
    let flags = nix::sys::statvfs::statvfs(target)?.flags();
    let mut remount = MsFlags::MS_BIND | MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY;
    for (have, keep) in [
        (nix::sys::statvfs::FsFlags::ST_NOSUID, MsFlags::MS_NOSUID),
        (nix::sys::statvfs::FsFlags::ST_NODEV, MsFlags::MS_NODEV),
        (nix::sys::statvfs::FsFlags::ST_NOEXEC, MsFlags::MS_NOEXEC),
    ] {
        if flags.contains(have) {
            remount |= keep;
        }
    }
    for (have, keep) in [
        (nix::sys::statvfs::FsFlags::ST_NOATIME, MsFlags::MS_NOATIME),
        (
            nix::sys::statvfs::FsFlags::ST_NODIRATIME,
            MsFlags::MS_NODIRATIME,
        ),
        (
            nix::sys::statvfs::FsFlags::ST_RELATIME,
            MsFlags::MS_RELATIME,
        ),
    ] {
        if flags.contains(have) {
            remount |= keep;
        }
    }
    mount(NONE, target, NONE, remount, NONE).map_err(Into::into)
}

/// Copies a small tree (`/etc` of an image): directories, files, symbolic links.
pub(super) fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        let kind = entry.file_type()?;
        if kind.is_dir() {
            copy_tree(&entry.path(), &target)?;
        } else if kind.is_symlink() {
            let _ = std::os::unix::fs::symlink(fs::read_link(entry.path())?, &target);
        } else if kind.is_file() && fs::copy(entry.path(), &target).is_err() {
            // A file that this user may not read (a shadow file) is of no use inside either.
        }
    }
    Ok(())
}
