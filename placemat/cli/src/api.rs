//! placemat v2's HTTP API and console sockets: opened in the host's network and folders, before the
//! lab has its own, so that what cannot be had is said before anything starts.

use crate::exit::{self, Code, Failure};
use crate::live::Live;
use crate::talk;
use anyhow::Context;
use placemat_lab::control::Sockets;
use placemat_lab::control::v2::ApiOptions;
use placemat_lab::registry::Claim;
use placemat_spec::Cluster;
use placemat_spec::resource::Tier;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Where to listen: `HOST:PORT`, or `:PORT` for every address of the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ListenAddr(String);

impl FromStr for ListenAddr {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let port = text.rsplit_once(':').map(|(_, port)| port.parse::<u16>());
        match port {
            Some(Ok(_)) => Ok(Self(text.to_owned())),
            _ => Err("expected HOST:PORT or :PORT, such as 127.0.0.1:10808".into()),
        }
    }
}

impl ListenAddr {
    fn bind(&self) -> std::io::Result<TcpListener> {
        match self.0.strip_prefix(':') {
            // Both families, where the host has IPv6.
            Some(port) => TcpListener::bind(format!("[::]:{port}"))
                .or_else(|_| TcpListener::bind(format!("0.0.0.0:{port}"))),
            None => TcpListener::bind(&self.0),
        }
    }
}

/// An API that listens and does not answer yet.
pub(crate) struct Api {
    listener: TcpListener,
    consoles: Sockets,
    sockets: Option<PathBuf>,
    run_dir: PathBuf,
}

impl Api {
    /// Opens it where it is wanted, and sockets of the consoles in the folder `sockets`.
    pub(crate) fn open(
        wanted: Option<&ListenAddr>,
        sockets: Option<&Path>,
        cluster: &Cluster,
    ) -> Result<Option<Self>, Failure> {
        let Some(wanted) = wanted else {
            return Ok(None);
        };
        let listener = wanted
            .bind()
            .with_context(|| format!("listen on {} for the HTTP API", wanted.0))
            .map_err(|error| {
                Failure::new(exit::HOST, error).hint(
                    "`ss -ltnp` shows who has a port; --listen-addr takes another, 127.0.0.1:0 any that is free",
                )
            })?;
        let consoles = match sockets {
            Some(folder) => consoles(folder, cluster)?,
            None => Sockets::default(),
        };
        let at = listener
            .local_addr()
            .context("find the API's address")
            .code(exit::HOST)?;
        talk::say(&format!("HTTP API on http://{at}"));
        Ok(Some(Self {
            listener,
            consoles,
            sockets: sockets.map(Path::to_owned),
            run_dir: PathBuf::new(),
        }))
    }

    /// The same for the lab that has been claimed.
    pub(crate) fn of(self, claim: &Claim) -> Self {
        let run_dir = claim.run_dir.clone();
        Self { run_dir, ..self }
    }

    /// Answers for the lab, for as long as it lives.
    pub(crate) fn serve(self, lab: &Live) -> Result<(), Failure> {
        let options = ApiOptions {
            run_dir: self.run_dir,
            sockets: self.sockets,
        };
        lab.serve_v2(self.listener, options, self.consoles)
    }
}

fn consoles(folder: &Path, cluster: &Cluster) -> Result<Sockets, Failure> {
    let machines = cluster
        .nodes
        .values()
        .filter(|node| matches!(node.tier, Tier::Full | Tier::Kernel));
    Sockets::bind(folder, machines.map(|node| node.name.as_str()))
        .context("open the consoles' sockets")
        .map_err(|error| Failure::new(exit::HOST, error).hint("--run-dir names another folder"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_to_listen() {
        for good in ["127.0.0.1:10808", "localhost:0", ":10808", "[::1]:80"] {
            assert!(good.parse::<ListenAddr>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "10808",
            "localhost",
            "localhost:http",
            "127.0.0.1:65536",
        ] {
            assert!(bad.parse::<ListenAddr>().is_err(), "{bad}");
        }
    }
}
