//! The plan in words, for people and for snapshots.

use super::Plan;
use super::link::{End, Peer};
use std::fmt;

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} namespaces, {} bridges, {} veth pairs, {} taps",
            self.namespaces.len(),
            self.bridges.len(),
            self.pairs.len(),
            self.taps.len()
        )?;
        for namespace in &self.namespaces {
            writeln!(f, "namespace {:<16} {}", namespace.name, namespace.target)?;
        }
        for address in &self.hub_addresses {
            writeln!(f, "hub       {address}")?;
        }
        for bridge in &self.bridges {
            write!(f, "bridge    {:<16}", bridge.name)?;
            for address in &bridge.addresses {
                write!(f, " {address}")?;
            }
            writeln!(f)?;
        }
        for pair in &self.pairs {
            write!(f, "veth      {:<16} {}", pair.network, Shown(&pair.end))?;
            match &pair.peer {
                Peer::End(end) => writeln!(f, " - {}", Shown(end))?,
                Peer::Port { name, bridge } => writeln!(f, " - {name} in {bridge}")?,
            }
        }
        for tap in &self.taps {
            writeln!(
                f,
                "tap       {:<16} {} in {}",
                tap.name,
                Shown(&tap.end),
                tap.bridge
            )?;
        }
        Ok(())
    }
}

struct Shown<'a>(&'a End);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{} {}", self.0.target, self.0.interface, self.0.mac)?;
        for address in &self.0.addresses {
            write!(f, " {address}")?;
        }
        if let Some(effects) = &self.0.impair {
            write!(f, " ({effects})")?;
        }
        Ok(())
    }
}
