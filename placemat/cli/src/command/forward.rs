//! `placemat forward`.

use super::LabArg;
use crate::exit::{self, Failure};
use crate::{launch, talk};
use clap::Subcommand;
use placemat_lab::control::protocol::{Answer, Request};
use placemat_lab::control::{Client, ClientError};
use placemat_lab::forward::{Destination, Forward as Shown, Listen};
use std::fmt::Write as _;
use std::io;
use std::net::{TcpListener, UdpSocket};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

/// Arguments of `forward`.
#[derive(Debug, clap::Args)]
pub(super) struct Forward {
    /// Lab, by id or name; needed when more than one is running.
    #[arg(long, value_name = "ID|NAME", env = "PLACEMAT_LAB", global = true)]
    lab: Option<String>,
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// Lets the host listen, and leads what comes in into the lab, until `rm` or the lab's end.
    Add {
        /// `PORT` or `ADDRESS:PORT` (TCP), `udp:...`, `unix:/PATH`. A port alone is 127.0.0.1's; port 0 is any free one.
        listen: Listen,
        /// `TARGET:PORT`, `TARGET:ADDRESS:PORT` (connected to from the target's namespace) or `TARGET:unix:/PATH`.
        to: Destination,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Lists forwards.
    Ls {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Ends a forward, with its connections.
    Rm {
        /// As `add` was told, or as `ls` shows it.
        listen: Listen,
    },
}

impl Forward {
    pub(super) fn run(self) -> Result<u8, Failure> {
        let run_dir = LabArg { lab: self.lab }.find()?.run_dir;
        match self.act {
            Act::Add { listen, to, json } => {
                let made = add(&run_dir, &listen, &to)?;
                if json {
                    talk::json(&made)?;
                } else {
                    talk::data(&format!("{} -> {}\n", made.listen, made.to))?;
                }
            }
            Act::Ls { json } => {
                let forwards = all(&run_dir)?;
                if json {
                    talk::json(&forwards)?;
                } else {
                    talk::data(&table(&forwards))?;
                }
            }
            Act::Rm { listen } => remove(&run_dir, listen)?,
        }
        Ok(exit::OK)
    }
}

/// Adds a forward to the lab with this run directory, and gives it as it is.
pub(crate) fn add(run_dir: &Path, listen: &Listen, to: &Destination) -> Result<Shown, Failure> {
    let (listen, socket) = open(listen).map_err(|error| {
        let remedy = remedy(&error);
        let error = anyhow::Error::new(error).context(format!("listen at {listen}"));
        Failure::new(exit::HOST, error).maybe_hint(remedy)
    })?;
    let request = Request::ForwardAdd {
        listen: listen.to_string(),
        to: to.to_string(),
    };
    launch::run(async move {
        let asked = async {
            let mut client = Client::connect(run_dir).await?;
            client.send(&request, &[socket]).await?;
            client.answer().await
        };
        match asked.await {
            Ok(Answer::Done) => {}
            other => {
                if let Listen::Unix(path) = &listen {
                    // Ours, and of no use.
                    let _ = std::fs::remove_file(path);
                }
                return Err(match other {
                    Ok(answer) => ClientError::Unexpected(Box::new(answer)).into(),
                    Err(error) => error.into(),
                });
            }
        }
        Ok(Shown {
            listen: listen.to_string(),
            to: to.to_string(),
            connections: 0,
        })
    })
}

/// What helps where the host does not let us listen.
fn remedy(error: &io::Error) -> Option<&'static str> {
    Some(match error.kind() {
        io::ErrorKind::AddrInUse => {
            "`ss -lntup` shows who has a port, `placemat forward ls` what a lab has; port 0 is any that is free"
        }
        io::ErrorKind::AddrNotAvailable => "it must be an address of this host: `ip -br addr`",
        io::ErrorKind::PermissionDenied => "ports below 1024 are root's",
        _ => return None,
    })
}

/// Opens the listening socket, in the host's network: that is where it stays. With it the address
/// that it really has.
fn open(listen: &Listen) -> io::Result<(Listen, OwnedFd)> {
    Ok(match listen {
        Listen::Tcp(address) => {
            let socket = TcpListener::bind(address)?;
            (Listen::Tcp(socket.local_addr()?), socket.into())
        }
        Listen::Udp(address) => {
            let socket = UdpSocket::bind(address)?;
            (Listen::Udp(socket.local_addr()?), socket.into())
        }
        Listen::Unix(path) => (listen.clone(), unix(path)?.into()),
    })
}

/// A socket that nobody listens on any more, a dead lab's, is replaced.
fn unix(path: &Path) -> io::Result<UnixListener> {
    match UnixListener::bind(path) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => match UnixStream::connect(path) {
            Err(dead) if dead.kind() == io::ErrorKind::ConnectionRefused => {
                std::fs::remove_file(path)?;
                UnixListener::bind(path)
            }
            _ => Err(error),
        },
        done => done,
    }
}

/// The forwards of a lab.
pub(crate) fn all(run_dir: &Path) -> Result<Vec<Shown>, Failure> {
    launch::run(async move {
        let mut client = Client::connect(run_dir).await?;
        match client.ask(&Request::ForwardList).await? {
            Answer::Forwards { forwards } => Ok(forwards),
            answer => Err(ClientError::Unexpected(Box::new(answer)).into()),
        }
    })
}

fn table(forwards: &[Shown]) -> String {
    let width = forwards.iter().map(|it| it.listen.len()).max().unwrap_or(0);
    let to = forwards.iter().map(|it| it.to.len()).max().unwrap_or(0);
    let (width, to) = (width.max("LISTEN".len()), to.max("TO".len()));
    let mut text = format!("{:<width$}  {:<to$}  CONNECTIONS\n", "LISTEN", "TO");
    for each in forwards {
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "{:<width$}  {:<to$}  {}",
            each.listen, each.to, each.connections
        );
    }
    text
}

/// Ends a forward of a lab.
pub(crate) fn remove(run_dir: &Path, listen: Listen) -> Result<(), Failure> {
    let request = Request::ForwardRemove {
        listen: listen.to_string(),
    };
    launch::run(async move {
        let mut client = Client::connect(run_dir).await?;
        match client.ask(&request).await? {
            Answer::Done => {}
            answer => return Err(ClientError::Unexpected(Box::new(answer)).into()),
        }
        if let Listen::Unix(path) = listen {
            // The lab cannot see it; a path that is gone is what was wanted.
            let _ = std::fs::remove_file(path);
        }
        Ok(())
    })
}
