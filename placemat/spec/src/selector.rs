//! Selectors: how scenarios and power feeds name what they mean.
//!
//! `type/name-glob` or `type/key=value+key!=value`: `node/*`, `node/rack=1+role=cs`,
//! `router/role=spine`, `boot-server/*`, `feed/*`, `rack/1` (everything labelled `rack: "1"`),
//! `hub`, or a bare name where that is unique.

use std::fmt;

/// The type part of a selector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TargetKind {
    /// Servers.
    Node,
    /// Routers and network namespaces.
    Router,
    /// Boot servers.
    BootServer,
    /// Networks.
    Network,
    /// Power feeds.
    Feed,
    /// The namespace that holds the bridges.
    Hub,
}

/// One thing in the lab, as `node/rack1-cs1`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Target {
    /// Its kind.
    pub kind: TargetKind,
    /// Its name; empty for the hub.
    pub name: String,
}

impl fmt::Display for TargetKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Node => "node",
            Self::Router => "router",
            Self::BootServer => "boot-server",
            Self::Network => "network",
            Self::Feed => "feed",
            Self::Hub => "hub",
        })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.kind == TargetKind::Hub {
            return f.write_str("hub");
        }
        write!(f, "{}/{}", self.kind, self.name)
    }
}

/// A parsed selector, not yet matched against a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selector {
    /// As written.
    pub text: String,
}
