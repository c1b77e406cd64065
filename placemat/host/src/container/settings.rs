//! How a program runs inside a container: where, as whom, with which rights, on a root of its own.
//!
//! Applied by init between fork and exec. Init has a single thread, so the child may do whatever the
//! parent could: read files, allocate, mount.

use super::root::{self, Root};
use crate::capability;
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{Gid, Uid};
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// How a program runs inside a container. The default is: like init, in `/`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Folder to start in; an absolute path inside.
    pub workdir: Option<PathBuf>,
    /// `NAME` or `NAME:GROUP`, names of the program's own root or numbers.
    pub user: Option<String>,
    /// A root file system of its own, in a mount namespace of its own; paths are as init sees them.
    pub root: Option<Root>,
    /// Capabilities that it keeps, bit `n` for that of number `n`; absent: all.
    pub keep: Option<u64>,
}

/// Who a program runs as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    uid: u32,
    gid: u32,
    /// Further groups that list the user.
    groups: Vec<u32>,
    /// Home directory, where the user has an entry.
    pub(super) home: Option<String>,
}

impl Settings {
    /// Whom `user` means, looked up in the program's root.
    pub(super) fn identity(&self) -> io::Result<Option<Identity>> {
        let Some(user) = &self.user else {
            return Ok(None);
        };
        let tree = match &self.root {
            Some(Root::Image { tree, .. } | Root::Tree { tree, .. }) => tree.as_path(),
            Some(Root::Host { .. }) | None => Path::new("/"),
        };
        let passwd = read_entries(&tree.join("etc/passwd"));
        let group = read_entries(&tree.join("etc/group"));
        look_up(user, &passwd, &group).map(Some)
    }

    /// In the child, right before exec.
    pub(super) fn apply(&self, identity: Option<&Identity>) -> io::Result<()> {
        if let Some(root) = &self.root {
            unshare(CloneFlags::CLONE_NEWNS)?;
            root::enter(root)?;
        }
        if let Some(dir) = &self.workdir {
            std::env::set_current_dir(dir).map_err(|error| {
                io::Error::new(error.kind(), format!("go to {}: {error}", dir.display()))
            })?;
        }
        let Some(keep) = self.keep else {
            return identity.map_or(Ok(()), assume);
        };
        // In between, it still may change its user.
        capability::bound(keep)?;
        identity.map_or(Ok(()), assume)?;
        capability::keep_only(keep)
    }
}

/// Becomes the user.
fn assume(identity: &Identity) -> io::Result<()> {
    let own = Uid::current().as_raw();
    // With its user's own id only, a lab's root is that user.
    if own != 0 && [0, own].contains(&identity.uid) {
        return Ok(());
    }
    let refused = |errno: nix::Error| {
        let reason = if own == 0 && errno != nix::Error::EINVAL {
            errno.desc().to_owned()
        } else {
            "this lab has too few user ids (package uidmap and lines in /etc/subuid and /etc/subgid give more)".to_owned()
        };
        io::Error::new(
            io::ErrorKind::PermissionDenied,
            format!("become user {}: {reason}", identity.uid),
        )
    };
    let groups: Vec<Gid> = std::iter::once(identity.gid)
        .chain(identity.groups.iter().copied())
        .map(Gid::from_raw)
        .collect();
    nix::unistd::setgroups(&groups).map_err(refused)?;
    nix::unistd::setgid(Gid::from_raw(identity.gid)).map_err(refused)?;
    nix::unistd::setuid(Uid::from_raw(identity.uid)).map_err(refused)
}

/// Lines of `/etc/passwd` or `/etc/group`. An image may have none; a link in its place could lead
/// out of it, and is not followed.
fn read_entries(path: &Path) -> String {
    let mut text = String::new();
    let file = fs::OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
        .open(path);
    if let Ok(file) = file {
        // What is no text has no entries.
        let _ = file.take(1 << 20).read_to_string(&mut text);
    }
    text
}

/// `USER[:GROUP]` among the lines of a passwd and a group file. A number needs no entry.
fn look_up(user: &str, passwd: &str, group: &str) -> io::Result<Identity> {
    let unknown = |what: &str, name: &str| {
        io::Error::new(
            io::ErrorKind::NotFound,
            format!("there is no {what} `{name}` in its root file system"),
        )
    };
    let (user, wanted_group) = match user.split_once(':') {
        Some((user, group)) => (user, Some(group)),
        None => (user, None),
    };
    let entry = passwd
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>())
        .find(|entry| entry.len() >= 6 && (entry[0] == user || entry[2] == user));
    let uid = match &entry {
        Some(entry) => entry[2].parse().ok(),
        None => user.parse().ok(),
    };
    let uid = uid.ok_or_else(|| unknown("user", user))?;
    let lines = || {
        group
            .lines()
            .map(|line| line.split(':').collect::<Vec<_>>())
    };
    let gid = match (wanted_group, &entry) {
        (Some(wanted), _) => {
            let entry = lines().find(|entry| entry.len() >= 3 && entry[0] == wanted);
            let number = entry.map_or(wanted, |entry| entry[2]).parse().ok();
            number.ok_or_else(|| unknown("group", wanted))?
        }
        (None, Some(entry)) => entry[3].parse().unwrap_or(0),
        (None, None) => 0,
    };
    let name = entry.as_ref().map_or(user, |entry| entry[0]);
    // With a group of its own choice it has no others.
    let groups = lines()
        .filter(|entry| wanted_group.is_none() && entry.len() >= 4)
        .filter(|entry| entry[3].split(',').any(|member| member == name))
        .filter_map(|entry| entry[2].parse().ok())
        .filter(|group| *group != gid)
        .collect();
    Ok(Identity {
        uid,
        gid,
        groups,
        home: entry.map(|entry| entry[5].to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str =
        "root:x:0:0:root:/root:/bin/sh\nbird:x:101:102::/run/bird:/bin/false\nshort:x\n";
    const GROUP: &str = "root:x:0:\nbird:x:102:\nnet:x:33:web,bird\n";

    #[test]
    fn users_are_names_or_numbers() {
        let who = |user: &str| {
            look_up(user, PASSWD, GROUP)
                .map(|it| (it.uid, it.gid, it.groups, it.home.unwrap_or_default()))
                .map_err(|error| error.to_string())
        };
        let home = || "/run/bird".to_owned();
        assert_eq!(who("bird"), Ok((101, 102, vec![33], home())));
        assert_eq!(who("101"), Ok((101, 102, vec![33], home())));
        assert_eq!(who("bird:net"), Ok((101, 33, Vec::new(), home())));
        assert_eq!(who("bird:7"), Ok((101, 7, Vec::new(), home())));
        assert_eq!(who("4242"), Ok((4242, 0, Vec::new(), String::new())));
        assert_eq!(
            who("short").unwrap_err(),
            "there is no user `short` in its root file system"
        );
        assert_eq!(
            who("bird:x").unwrap_err(),
            "there is no group `x` in its root file system"
        );
    }
}
