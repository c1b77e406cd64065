//! Ports of the host that lead into the lab.
//!
//! The client opens the listening socket: it stays in the host's network namespace, wherever its
//! descriptor goes. The lab accepts on it and opens the other end in the target's namespace. So a
//! forward needs no process, and ends with the lab.

mod address;
mod datagram;
mod door;

pub use address::{Destination, ForwardError, Listen, To};

use crate::error::{ActError, chain};
use crate::lab::Lab;
use crate::registry::note_socket;
use door::{Door, Stream};
use serde::{Deserialize, Serialize};
use std::io;
use std::net::{TcpListener, UdpSocket};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// What others are given to go away when there are too many connections.
const PAUSE: Duration = Duration::from_millis(100);

/// A forward as `forward ls` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forward {
    /// Where the host listens: `tcp:127.0.0.1:8080`, `udp:...`, `unix:/path`.
    pub listen: String,
    /// Where that leads: `router/r1:80`, `router/r1:10.0.0.1:80`, `router/r1:unix:/path`.
    pub to: String,
    /// Connections (UDP: clients) since it was added.
    pub connections: u64,
}

/// The forwards of a lab.
#[derive(Debug, Default)]
pub struct Forwards {
    live: Mutex<Vec<Live>>,
}

#[derive(Debug)]
struct Live {
    listen: Listen,
    to: String,
    connections: Arc<AtomicU64>,
    cancel: CancellationToken,
    /// Cancelled once nobody listens any more.
    closed: CancellationToken,
}

impl Forwards {
    /// All of them, oldest first.
    pub fn list(&self) -> Vec<Forward> {
        let live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        live.iter()
            .map(|each| Forward {
                listen: each.listen.to_string(),
                to: each.to.clone(),
                connections: each.connections.load(Ordering::Relaxed),
            })
            .collect()
    }

    /// Ends one, with its connections. When this returns, its address is free again.
    pub async fn remove(&self, listen: &Listen) -> Result<(), ActError> {
        let ended = {
            let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
            let index = live.iter().position(|each| each.listen == *listen);
            let Some(index) = index else {
                let message = format!("nothing is forwarded from {listen}");
                return Err(ActError::unknown_target(message));
            };
            live.remove(index)
        };
        ended.cancel.cancel();
        ended.closed.cancelled().await;
        Ok(())
    }
}

/// A listening socket, of whichever kind.
enum Listener {
    Tcp(tokio::net::TcpListener),
    Unix(tokio::net::UnixListener),
    Udp(tokio::net::UdpSocket),
}

impl Lab {
    /// Forwards what comes in on a socket of the host's, which listens at `listen`.
    pub fn forward(
        &self,
        listen: &Listen,
        to: &Destination,
        socket: OwnedFd,
    ) -> Result<(), ActError> {
        let door = Door::find(self, to)?;
        if matches!(listen, Listen::Udp(_)) && !door.takes_datagrams() {
            return Err(ActError::refused(format!("{to} takes no UDP")));
        }
        let listener = Listener::of(listen, socket)
            .map_err(|error| ActError::failed(format!("listen at {listen}: {error}")))?;
        if let Listen::Unix(path) = listen {
            note_socket(self.run_dir(), path)
                .map_err(|error| ActError::failed(format!("note {listen}: {error}")))?;
        }
        let live = Live {
            listen: listen.clone(),
            to: to.to_string(),
            connections: Arc::default(),
            cancel: self.cancelled().child_token(),
            closed: CancellationToken::new(),
        };
        let closed = live.closed.clone().drop_guard();
        let (connections, cancel) = (live.connections.clone(), live.cancel.clone());
        {
            let mut all = self
                .forwards()
                .live
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            if all.iter().any(|each| each.listen == *listen) {
                return Err(ActError::refused(format!("{listen} is forwarded already")));
            }
            all.push(live);
        }
        let lab = self.clone();
        self.tasks().spawn(async move {
            let serve = serve(&lab, listener, Arc::new(door), &connections, &cancel);
            cancel.run_until_cancelled(serve).await;
            drop(closed);
        });
        Ok(())
    }
}

impl Lab {
    /// Connects to something inside the lab.
    pub(crate) async fn connect(&self, to: &Destination) -> Result<Box<dyn Stream>, ActError> {
        let door = Door::find(self, to)?;
        let opened = door.connect().await;
        opened.map_err(|error| ActError::failed(format!("connect to {to}: {error}")))
    }
}

impl Listener {
    fn of(listen: &Listen, socket: OwnedFd) -> io::Result<Self> {
        Ok(match listen {
            Listen::Tcp(_) => {
                let socket = TcpListener::from(socket);
                socket.set_nonblocking(true)?;
                Self::Tcp(tokio::net::TcpListener::from_std(socket)?)
            }
            Listen::Udp(_) => {
                let socket = UdpSocket::from(socket);
                socket.set_nonblocking(true)?;
                Self::Udp(tokio::net::UdpSocket::from_std(socket)?)
            }
            Listen::Unix(_) => {
                let socket = UnixListener::from(socket);
                socket.set_nonblocking(true)?;
                Self::Unix(tokio::net::UnixListener::from_std(socket)?)
            }
        })
    }

    async fn accept(&self) -> io::Result<Box<dyn Stream>> {
        Ok(match self {
            Self::Tcp(listener) => Box::new(listener.accept().await?.0),
            Self::Unix(listener) => Box::new(listener.accept().await?.0),
            Self::Udp(_) => return Err(io::ErrorKind::Unsupported.into()),
        })
    }
}

async fn serve(
    lab: &Lab,
    listener: Listener,
    door: Arc<Door>,
    connections: &Arc<AtomicU64>,
    cancel: &CancellationToken,
) {
    if let Listener::Udp(socket) = listener {
        return datagram::serve(lab, socket, &door, connections, cancel).await;
    }
    loop {
        let mut client = match listener.accept().await {
            Ok(client) => client,
            Err(error) => {
                // Too many at once must not end it: some will go.
                tracing::warn!(%error, "cannot accept a forwarded connection");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        connections.fetch_add(1, Ordering::Relaxed);
        let (door, cancel) = (door.clone(), cancel.clone());
        lab.tasks().spawn(async move {
            let pass = async {
                match door.connect().await {
                    // Either side may go at any time; that is how connections end.
                    Ok(mut inner) => {
                        let _ = tokio::io::copy_bidirectional(&mut client, &mut inner).await;
                    }
                    Err(error) => tracing::warn!(error = %chain(&error), "forward"),
                }
            };
            cancel.run_until_cancelled(pass).await;
        });
    }
}
