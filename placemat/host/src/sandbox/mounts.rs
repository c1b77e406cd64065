//! Mounts of the sandbox: a private view, its own `/proc`, and a tmpfs on `/run`.

use super::SandboxError;
use nix::mount::{MsFlags, mount};
use std::fs;
use std::os::fd::AsRawFd;
use std::path::Path;

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

pub(super) fn set_up(run_dir: &Path) -> Result<(), SandboxError> {
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
    let source = format!("/proc/self/fd/{}", run.as_raw_fd());
    mount(Some(source.as_str()), RUN_DIR, none, MsFlags::MS_BIND, none)
        .map_err(inside("bind the run directory"))
}

#[cfg(test)]
mod tests {
    use super::*;

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
