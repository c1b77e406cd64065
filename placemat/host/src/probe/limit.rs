//! Limits of this host that all namespaces share, how much of them is used, and how they are raised.
//!
//! Which are whose was tried on Linux 6.18: `net.*.neigh.default.gc_thresh*` stand only in the host's
//! own network namespace and hold for the neighbours of all of them together; `user.max_*` are per
//! user, and count what a user's namespaces hold below them, too; the others are the host's.

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A limit with what is known of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reading {
    /// What it is set to; `None`: this kernel has none, or it does not bind this user.
    pub has: Option<u64>,
    /// How much of it is taken already, by whatever runs here.
    pub used: u64,
}

/// Where the kernel's settings are.
#[derive(Debug, Clone)]
pub struct Settings(PathBuf);

impl Default for Settings {
    fn default() -> Self {
        Self("/proc".into())
    }
}

impl Settings {
    /// Another place than `/proc`, of the same form.
    pub fn at(proc: &Path) -> Self {
        Self(proc.to_owned())
    }

    /// A setting by its name, `net.core.somaxconn`: its first number.
    pub fn get(&self, name: &str) -> Option<u64> {
        let text = fs::read_to_string(self.path(name)).ok()?;
        text.split_ascii_whitespace().next()?.parse().ok()
    }

    /// Changes a setting. Only root can.
    pub fn set(&self, name: &str, value: u64) -> io::Result<()> {
        fs::write(self.path(name), format!("{value}\n"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join("sys").join(name.replace('.', "/"))
    }

    /// What is set and taken of a limit: a setting's name, or `open files` and `processes`, which are
    /// this process's own.
    pub fn reading(&self, name: &str) -> Reading {
        let own = |limit: libc::rlim_t| (limit != libc::RLIM_INFINITY).then_some(limit);
        match name {
            // What it starts with is raised to this where more is needed.
            "open files" => Reading {
                has: getrlimit(Resource::RLIMIT_NOFILE)
                    .ok()
                    .and_then(|(_, hard)| own(hard)),
                used: 0,
            },
            // Root may have as many as it likes.
            "processes" if crate::process::effective_uid() == 0 => Reading::default(),
            "processes" => Reading {
                has: getrlimit(Resource::RLIMIT_NPROC)
                    .ok()
                    .and_then(|(soft, _)| own(soft)),
                used: 0,
            },
            setting => Reading {
                has: self.get(setting),
                used: self.used(setting).unwrap_or(0),
            },
        }
    }

    fn used(&self, name: &str) -> Option<u64> {
        let read = |path: &str| fs::read_to_string(self.0.join(path)).ok();
        match name {
            "net.ipv4.neigh.default.gc_thresh3" => entries(&read("net/stat/arp_cache")?),
            "net.ipv6.neigh.default.gc_thresh3" => entries(&read("net/stat/ndisc_cache")?),
            // The fourth word is `RUNNING/ALL`, threads each.
            "kernel.pid_max" | "kernel.threads-max" => {
                let text = read("loadavg")?;
                let (_, all) = text.split_ascii_whitespace().nth(3)?.split_once('/')?;
                all.parse().ok()
            }
            "fs.file-max" => self.get("fs.file-nr"),
            _ => None,
        }
    }
}

/// Lets this process, and what it starts, open `count` files, as far as its hard limit goes.
pub fn allow_open_files(count: u64) -> io::Result<()> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    if soft < count && soft < hard {
        setrlimit(Resource::RLIMIT_NOFILE, count.min(hard), hard)?;
    }
    Ok(())
}

/// The first column of the first line below the heading: entries of all namespaces, hexadecimal.
fn entries(text: &str) -> Option<u64> {
    let word = text.lines().nth(1)?.split_ascii_whitespace().next()?;
    u64::from_str_radix(word, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_and_what_is_used_of_them() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
            fs::write(path, text).expect("a file");
        };
        write("sys/net/ipv4/neigh/default/gc_thresh3", "1024\n");
        write("sys/fs/file-nr", "1504\t0\t2466170\n");
        write("sys/fs/file-max", "2466170\n");
        write("sys/kernel/pid_max", "32768\n");
        write("loadavg", "11.07 9.22 8.66 3/812 23367\n");
        write("net/stat/arp_cache", "entries  allocs\n00000036 000001e7\n");
        let settings = Settings::at(folder.path());
        let reading = |name: &str| {
            let Reading { has, used } = settings.reading(name);
            (has, used)
        };
        let neighbours = "net.ipv4.neigh.default.gc_thresh3";
        assert_eq!(reading(neighbours), (Some(1024), 0x36));
        assert_eq!(reading("fs.file-max"), (Some(2_466_170), 1504));
        assert_eq!(reading("kernel.pid_max"), (Some(32768), 812));
        assert_eq!(reading("kernel.threads-max"), (None, 812));
        assert_eq!(reading("user.max_net_namespaces"), (None, 0));
        settings
            .set(neighbours, 8192)
            .expect("a file that can be written");
        assert_eq!(settings.get(neighbours), Some(8192));
        assert!(reading("open files").0.is_none_or(|it| it > 2));
    }
}
