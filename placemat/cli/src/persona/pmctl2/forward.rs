//! `pmctl2 forward`: placemat's forwards, in v2's words.

use super::endpoint::Endpoint;
use crate::command::forward;
use crate::exit::{self, Failure};
use crate::talk;
use anyhow::Context;
use placemat_lab::forward::{Destination, Forward as Shown, Listen, To};
use serde::Serialize;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Forward {
    /// Let the host listen, and lead what comes in into the lab, until `delete` or the lab's end.
    Add {
        /// Port of the host, on all of its IPv4 addresses.
        local_port: u16,
        /// NETNS:HOST:PORT: what is connected to, from which network namespace.
        to: Remote,
    },
    /// List forwards.
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// End a forward.
    Delete {
        /// Port of the host.
        local_port: u16,
    },
}

/// `NETNS:HOST:PORT`.
#[derive(Debug, Clone)]
pub(super) struct Remote(Destination);

impl FromStr for Remote {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let destination = format!("router/{text}").parse().ok();
        match destination {
            Some(
                to @ Destination {
                    to: To::Address(_), ..
                },
            ) => Ok(Self(to)),
            _ => Err("expected NETNS:ADDRESS:PORT, such as operation:10.0.0.2:80".into()),
        }
    }
}

/// A forward as v2 showed it.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Entry {
    local_port: u16,
    /// The network namespace; v2 kept v1's word.
    pod: String,
    remote_host: String,
    remote_port: u16,
}

impl Entry {
    /// `None` for what v2 had no words for.
    fn of(shown: &Shown) -> Option<Self> {
        let Ok(Listen::Tcp(local)) = shown.listen.parse() else {
            return None;
        };
        let Ok(Destination {
            target,
            to: To::Address(remote),
        }) = shown.to.parse()
        else {
            return None;
        };
        Some(Self {
            local_port: local.port(),
            pod: target.strip_prefix("router/")?.to_owned(),
            remote_host: remote.ip().to_string(),
            remote_port: remote.port(),
        })
    }
}

fn listen(port: u16) -> Listen {
    Listen::Tcp(SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), port))
}

impl Forward {
    pub(super) fn run(self, endpoint: &Endpoint) -> Result<u8, Failure> {
        let run_dir = endpoint.run_dir()?;
        match self {
            Self::Add { local_port, to } => {
                forward::add(&run_dir, &listen(local_port), &to.0)?;
            }
            Self::List { json } => {
                let forwards = forward::all(&run_dir)?;
                let entries: Vec<Entry> = forwards.iter().filter_map(Entry::of).collect();
                talk::data(&shown(&entries, json)?)?;
            }
            Self::Delete { local_port } => forward::remove(&run_dir, listen(local_port))?,
        }
        Ok(exit::OK)
    }
}

fn shown(entries: &[Entry], json: bool) -> Result<String, Failure> {
    if json {
        return Ok(serde_json::to_string(entries).context("write JSON")? + "\n");
    }
    let line = |entry: &Entry| {
        let remote = SocketAddr::new(
            entry
                .remote_host
                .parse()
                .unwrap_or(Ipv4Addr::UNSPECIFIED.into()),
            entry.remote_port,
        );
        [
            entry.local_port.to_string(),
            format!("{}:{remote}\n", entry.pod),
        ]
        .join(" ")
    };
    Ok(entries.iter().map(line).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_v2s_words() {
        let forward = |listen: &str, to: &str| Shown {
            listen: listen.into(),
            to: to.into(),
            connections: 0,
        };
        let all = [
            forward("tcp:0.0.0.0:8000", "router/operation:10.0.0.2:80"),
            forward("tcp:127.0.0.1:8001", "router/core:[fd00::2]:80"),
            forward("udp:127.0.0.1:53", "router/core:10.0.0.2:53"),
            forward("tcp:127.0.0.1:8002", "hub:10.0.0.2:80"),
            forward("tcp:127.0.0.1:8003", "router/core:80"),
        ];
        let entries: Vec<Entry> = all.iter().filter_map(Entry::of).collect();
        let text = shown(&entries, false).expect("text");
        assert_eq!(text, "8000 operation:10.0.0.2:80\n8001 core:[fd00::2]:80\n");
        insta::assert_snapshot!(shown(&entries, true).expect("JSON"));
        assert!("operation:10.0.0.2:80".parse::<Remote>().is_ok());
        for bad in [
            "",
            "operation",
            "operation:80",
            "operation:web:80",
            "operation:10.0.0.2:0",
        ] {
            assert!(bad.parse::<Remote>().is_err(), "{bad}");
        }
    }
}
