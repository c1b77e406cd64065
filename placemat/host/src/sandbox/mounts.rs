//! Mounts of the sandbox: a private view, its own `/proc`, and a tmpfs on `/run`.

use super::SandboxError;
use nix::mount::{MsFlags, mount};
use std::fs;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

/// Where the lab finds its run directory.
pub const RUN_DIR: &str = "/run/placemat";

/// Whether a lab cannot see what the host has at this path: a `/run` of its own covers it. Links are
/// followed as far as the path exists.
pub fn hides(path: &Path) -> bool {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let real = absolute
        .ancestors()
        .find_map(|known| known.canonicalize().ok());
    real.is_some_and(|real| real.starts_with("/run"))
}

fn inside(act: &str) -> impl FnOnce(nix::Error) -> SandboxError + '_ {
    move |errno| SandboxError::Inside(format!("{act}: {}", errno.desc()))
}

/// Where the host's name servers stand.
const RESOLV_CONF: &str = "/etc/resolv.conf";

/// `resolv.conf` as it is below `run`, and the path there that the link to it leads to, if it does:
/// systemd-resolved and NetworkManager keep it there.
fn names_below(run: &Path, resolv_conf: &Path) -> Option<(PathBuf, Vec<u8>)> {
    let mut path = resolv_conf.to_owned();
    // As many links as the kernel follows.
    for _ in 0..40 {
        let folder = path.parent()?.canonicalize().ok()?;
        let real = folder.join(path.file_name()?);
        if real.starts_with(run) {
            let text = fs::read(&real).ok()?;
            return Some((real, text));
        }
        path = folder.join(fs::read_link(&real).ok()?);
    }
    None
}

/// Mounts all of it. `names`: the host's `resolv.conf` is to be seen inside, for a program that
/// stays in the host's network.
pub(super) fn set_up(run_dir: &Path, names: bool) -> Result<(), SandboxError> {
    let resolv_conf = names
        .then(|| names_below(Path::new("/run"), Path::new(RESOLV_CONF)))
        .flatten();
    // Kept by descriptor: it may lie under /run, which is about to be covered.
    let run = fs::File::open(run_dir)
        .map_err(|error| SandboxError::Inside(format!("open {}: {error}", run_dir.display())))?;
    let none = None::<&str>;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)
        .map_err(inside("make the mounts private"))?;
    let guarded = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    mount(
        Some("proc"),
        "/proc",
        Some("proc"),
        guarded | MsFlags::MS_NOEXEC,
        none,
    )
    .map_err(inside("mount /proc"))?;
    mount(
        Some("placemat"),
        "/run",
        Some("tmpfs"),
        guarded,
        Some("mode=755"),
    )
    .map_err(inside("mount a tmpfs on /run"))?;
    for dir in [RUN_DIR, "/run/netns", "/run/lock"] {
        fs::create_dir_all(dir)
            .map_err(|error| SandboxError::Inside(format!("create {dir}: {error}")))?;
    }
    if let Some((path, text)) = resolv_conf {
        path.parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| fs::write(&path, text))
            .map_err(|error| SandboxError::Inside(format!("copy {}: {error}", path.display())))?;
    }
    let source = format!("/proc/self/fd/{}", run.as_raw_fd());
    mount(Some(source.as_str()), RUN_DIR, none, MsFlags::MS_BIND, none)
        .map_err(inside("bind the run directory"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_servers_below_run_are_found_by_the_way_that_leads_there() {
        use std::os::unix::fs::symlink;
        let dir = tempfile::tempdir().expect("a folder");
        let root = dir.path().canonicalize().expect("a path");
        let (run, etc) = (root.join("run"), root.join("etc"));
        for folder in [run.join("resolve"), etc.clone()] {
            fs::create_dir_all(folder).expect("a folder");
        }
        let conf = etc.join("resolv.conf");
        assert_eq!(names_below(&run, &conf), None, "none");
        fs::write(&conf, "a file").expect("written");
        assert_eq!(names_below(&run, &conf), None, "not below run");
        fs::remove_file(&conf).expect("removed");
        fs::write(run.join("resolve/stub"), "nameserver 127.0.0.53\n").expect("written");
        symlink("stub", run.join("resolve/link")).expect("a link");
        symlink("run", root.join("var")).expect("a link");
        symlink("../var/resolve/link", &conf).expect("a link");
        let (path, text) = names_below(&run, &conf).expect("found");
        assert_eq!(path, run.join("resolve/link"));
        assert_eq!(text, b"nameserver 127.0.0.53\n");
        fs::remove_file(&conf).expect("removed");
        symlink("resolv.conf", &conf).expect("a link to itself");
        assert_eq!(names_below(&run, &conf), None, "a loop");
    }

    #[test]
    fn only_what_lies_below_run_is_hidden() {
        let dir = tempfile::tempdir().expect("a folder");
        let link = dir.path().join("link");
        std::os::unix::fs::symlink("/run", &link).expect("a link");
        for hidden in [
            "/run",
            "/run/no/such.yml",
            "/run/../run/x",
            "/proc/../run/x",
        ] {
            assert!(hides(Path::new(hidden)), "{hidden}");
        }
        assert!(hides(&link.join("no/such.html")));
        for seen in ["/", "/run/../etc/x", "/running/x", "/no/run/x", "run/x"] {
            assert!(!hides(Path::new(seen)), "{seen}");
        }
        assert!(!hides(&dir.path().join("run/x")));
    }
}
