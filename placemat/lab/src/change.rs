//! What leads from one cluster to another on a live lab: which objects come, go or change, in which keys and by what
//! means, and whom that disturbs. Pure.
//!
//! ```text
//! Blueprint x Blueprint --facts--> keys that differ --reach--> sessions and machines --show--> text
//! ```
//!
//! A row of `facts` says of each key of a kind what its change takes; `lab/apply` does what it says.

mod bird;
mod compare;
mod facts;
mod reach;
mod show;

pub use compare::{NetworkRule, REMEDY, between};
pub use reach::LiveSession;

use serde::{Deserialize, Serialize};

/// Version of [`Changes`] as JSON. Raised on every incompatible change.
pub const VERSION: u32 = 1;

/// All that a new file changes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changes {
    /// [`VERSION`].
    pub v: u32,
    /// Objects that come, go or change, in the order of the new file; those that go come last.
    pub objects: Vec<ObjectChange>,
    /// Networks whose veth pair becomes a bridge.
    pub converted: Vec<String>,
    /// Sessions that are up and will go down.
    pub sessions: Vec<SessionLoss>,
    /// Machines that are made, removed, restarted or lose a NIC.
    pub machines: Vec<MachineChange>,
    /// What cannot be done on a live lab. If there is any, nothing is.
    pub refused: Vec<Refusal>,
}

/// What happens to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Act {
    /// It comes.
    Add,
    /// It stays, and is otherwise.
    Change,
    /// It goes.
    Remove,
}

/// What a change of a key takes, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// Nothing that runs notices.
    InPlace,
    /// Addresses are put on or taken off.
    Address,
    /// BIRD reads its configuration again; sessions that do not change stay up.
    Reload,
    /// An interface is made anew.
    Link,
    /// One program is started, stopped or restarted.
    Program,
    /// The router or machine restarts.
    Restart,
    /// It cannot be done on a live lab.
    Refused,
}

/// An object that comes, goes or changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectChange {
    /// `router/r1`, `network/net0`, `image/os`, ...
    pub object: String,
    /// What happens to it.
    pub act: Act,
    /// The most that any of its keys takes.
    pub how: How,
    /// What of it changes; empty where all of it comes or goes.
    pub keys: Vec<KeyChange>,
}

/// A key that changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyChange {
    /// `interfaces.eth0`, `apps.relay`, `memory`, ...
    pub key: String,
    /// What it was, in words; absent where it was not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old: Option<String>,
    /// What it is to be; absent where it goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new: Option<String>,
    /// What it takes.
    pub how: How,
    /// More about it: which protocols of a BIRD configuration differ.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// What kind of session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SessionKind {
    /// BGP (RFC 4271).
    Bgp,
    /// BFD (RFC 5880).
    Bfd,
}

/// A session that goes down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionLoss {
    /// What kind.
    pub kind: SessionKind,
    /// Who speaks, with the interface where the session is on a link: one or two.
    pub ends: Vec<String>,
    /// Why it goes.
    pub why: String,
}

/// What becomes of a machine: a server, router or boot server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// It is made.
    New,
    /// It is removed.
    Removed,
    /// It restarts.
    Restarts,
    /// An interface of it goes, for good or for a moment.
    LosesInterface,
}

/// A machine that feels it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MachineChange {
    /// `node/n1`.
    pub machine: String,
    /// What becomes of it.
    pub fate: Fate,
    /// Which keys or interfaces do it.
    pub why: String,
}

/// What cannot be done on a live lab.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The object.
    pub object: String,
    /// The key.
    pub key: String,
    /// Why not.
    pub why: String,
}

impl Changes {
    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    /// The change of an object.
    pub fn of(&self, object: &str) -> Option<&ObjectChange> {
        self.objects.iter().find(|it| it.object == object)
    }
}

#[cfg(test)]
mod tests;
