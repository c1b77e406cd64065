//! User ids in the sandbox.
//!
//! Root needs no user namespace. An ordinary user gets subordinate ids where `newuidmap` and
//! entries for the user are there: the user is root inside, and services may switch to other
//! users. Else the user's own id is mapped to itself, with every capability ambient: as mapped
//! root with a single id, programs that call `setgroups` (dnsmasq) would refuse to start.

use super::{SandboxError, system};
use crate::capability;
use nix::unistd::{Gid, Pid, Uid};
use std::path::Path;
use std::process::Command;

/// How the lab's user ids relate to the host's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdMap {
    /// The same: placemat runs as root.
    Host,
    /// The user is root inside; subordinate ids follow.
    Subordinate,
    /// The user keeps its id, with ambient capabilities.
    Own,
}

impl IdMap {
    pub(super) fn code(self) -> u8 {
        match self {
            Self::Host => 0,
            Self::Subordinate => 1,
            Self::Own => 2,
        }
    }

    pub(super) fn from_code(code: u8) -> Self {
        match code {
            0 => Self::Host,
            1 => Self::Subordinate,
            _ => Self::Own,
        }
    }
}

/// From the parent: maps ids into the new user namespace of `child`.
pub(super) fn write_maps(child: Pid) -> Result<IdMap, SandboxError> {
    if let (Some(uids), Some(gids)) = (subordinate("/etc/subuid"), subordinate("/etc/subgid")) {
        let mapped = new_id_map("newuidmap", child, Uid::current().as_raw(), uids)
            && new_id_map("newgidmap", child, Gid::current().as_raw(), gids);
        if mapped {
            return Ok(IdMap::Subordinate);
        }
    }
    let (uid, gid) = (Uid::current(), Gid::current());
    let write = |file: &str, text: String| {
        std::fs::write(format!("/proc/{child}/{file}"), text)
            .map_err(|error| SandboxError::IdMap(format!("write {file}: {error}")))
    };
    write("setgroups", "deny".into())?;
    write("uid_map", format!("{uid} {uid} 1"))?;
    write("gid_map", format!("{gid} {gid} 1"))?;
    Ok(IdMap::Own)
}

/// The first range of at least 65,536 ids that belongs to the current user.
fn subordinate(file: &str) -> Option<(u32, u32)> {
    let text = std::fs::read_to_string(file).ok()?;
    let uid = Uid::current();
    let name = nix::unistd::User::from_uid(uid)
        .ok()
        .flatten()
        .map(|user| user.name);
    text.lines().find_map(|line| {
        let mut fields = line.split(':');
        let owner = fields.next()?;
        let start: u32 = fields.next()?.parse().ok()?;
        let count: u32 = fields.next()?.parse().ok()?;
        let mine = Some(owner) == name.as_deref() || owner == uid.to_string();
        (mine && count >= 65_536).then_some((start, count))
    })
}

fn new_id_map(program: &str, child: Pid, own: u32, (start, count): (u32, u32)) -> bool {
    let found = ["/usr/bin", "/bin", "/usr/local/bin"]
        .iter()
        .map(|dir| Path::new(dir).join(program))
        .find(|path| path.exists());
    let Some(path) = found else { return false };
    Command::new(path)
        .arg(child.to_string())
        .args(["0", &own.to_string(), "1"])
        .args(["1", &start.to_string(), &count.to_string()])
        .stderr(std::process::Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// From inside: becomes the mapped user.
pub(super) fn assume(id_map: IdMap, privileged: bool) -> Result<(), SandboxError> {
    if privileged {
        return Ok(());
    }
    match id_map {
        IdMap::Host => Ok(()),
        IdMap::Subordinate => {
            let root = (Uid::from_raw(0), Gid::from_raw(0));
            nix::unistd::setgroups(&[root.1]).map_err(system("drop the host's groups"))?;
            nix::unistd::setresgid(root.1, root.1, root.1).map_err(system("become root inside"))?;
            nix::unistd::setresuid(root.0, root.0, root.0).map_err(system("become root inside"))
        }
        IdMap::Own => {
            capability::keep_only(capability::ALL).map_err(|source| SandboxError::System {
                act: "keep capabilities inside",
                source,
            })
        }
    }
}
