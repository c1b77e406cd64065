//! The inner end of a forward: how one gets to the destination from inside the lab.

use super::{Destination, To};
use crate::error::ActError;
use crate::lab::Lab;
use placemat_host::netns::Netns;
use placemat_spec::resource::Interface;
use placemat_spec::selector::{Target, TargetKind};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpSocket, TcpStream, UdpSocket, UnixStream};

/// A connection that does not come about in this time is given up.
const PATIENCE: Duration = Duration::from_secs(10);

/// Either end of a forwarded connection.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// How one gets there.
pub(super) enum Door {
    /// Addresses, tried in order, from a namespace.
    Network {
        netns: Netns,
        addresses: Vec<SocketAddr>,
    },
    /// A path that a unit sees.
    Path {
        lab: Lab,
        target: Target,
        path: PathBuf,
    },
}

impl Door {
    pub(super) fn find(lab: &Lab, to: &Destination) -> Result<Self, ActError> {
        let target = lab.target(&to.target)?;
        if let To::Unix(path) = &to.to {
            if lab.is_vm(&target) {
                let message = format!("{target} is no namespace: its sockets are its own");
                return Err(ActError::refused(message));
            }
            return Ok(Self::Path {
                lab: lab.clone(),
                target,
                path: path.clone(),
            });
        }
        if lab.is_vm(&target) {
            return Self::of_machine(lab, &target, &to.to);
        }
        let addresses = match &to.to {
            To::Address(address) => vec![*address],
            To::Port(port) => vec![
                (Ipv4Addr::LOCALHOST, *port).into(),
                (Ipv6Addr::LOCALHOST, *port).into(),
            ],
            To::Unix(_) => Vec::new(),
        };
        Ok(Self::Network {
            netns: lab.wiring().netns(&target),
            addresses,
        })
    }

    /// A machine has no namespace: it is reached from one that is on the same network.
    fn of_machine(lab: &Lab, target: &Target, to: &To) -> Result<Self, ActError> {
        let cluster = lab.cluster();
        let To::Port(port) = to else {
            return Err(ActError::refused(format!(
                "nothing can be opened from inside {target}: name a router on its network and the address"
            )));
        };
        let interfaces = cluster
            .nodes
            .get(&target.name)
            .map(|node| &node.interfaces[..])
            .unwrap_or_default();
        for (interface, net) in interfaces
            .iter()
            .flat_map(|each| each.addresses.iter().map(move |net| (each, net)))
        {
            let near = |list: &[Interface]| {
                list.iter().any(|each| {
                    each.network == interface.network
                        && each.addresses.iter().any(|own| own.trunc() == net.trunc())
                })
            };
            let network = cluster.networks.get(&interface.network);
            let hub = network
                .is_some_and(|it| it.addresses.iter().any(|own| own.trunc() == net.trunc()))
                .then(|| Target::new(TargetKind::Hub, "hub"));
            let router = || {
                let found = cluster.routers.values().find(|it| near(&it.interfaces))?;
                Some(Target::new(TargetKind::Router, &found.name))
            };
            if let Some(from) = hub.or_else(router) {
                return Ok(Self::Network {
                    netns: lab.wiring().netns(&from),
                    addresses: vec![SocketAddr::new(net.addr(), *port)],
                });
            }
        }
        Err(ActError::refused(format!(
            "the file gives {target} no address on a network where the hub or a router has one: forward to `router/NAME:ADDRESS:{port}`"
        )))
    }

    pub(super) fn takes_datagrams(&self) -> bool {
        matches!(self, Self::Network { .. })
    }

    /// Opens a connection.
    pub(super) async fn connect(&self) -> io::Result<Box<dyn Stream>> {
        match self {
            Self::Network { netns, addresses } => {
                let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
                for address in addresses {
                    match tokio::time::timeout(PATIENCE, dial(netns, *address)).await {
                        Ok(Ok(stream)) => return Ok(Box::new(stream)),
                        Ok(Err(error)) => last = error,
                        Err(_) => last = io::ErrorKind::TimedOut.into(),
                    }
                }
                Err(last)
            }
            Self::Path { lab, target, path } => {
                let unit = lab.unit(target).ok_or(io::ErrorKind::NotFound)?;
                let pid = unit.pid().ok_or(io::ErrorKind::NotConnected)?;
                let path = path.strip_prefix("/").unwrap_or(path);
                // As its init sees it, whatever that is mounted on.
                let seen = PathBuf::from(format!("/proc/{pid}/root")).join(path);
                Ok(Box::new(UnixStream::connect(seen).await?))
            }
        }
    }

    /// Opens a socket for the datagrams of one client.
    pub(super) async fn datagrams(&self) -> io::Result<UdpSocket> {
        let Self::Network { netns, addresses } = self else {
            return Err(io::ErrorKind::Unsupported.into());
        };
        let Some(to) = addresses.first().copied() else {
            return Err(io::ErrorKind::AddrNotAvailable.into());
        };
        let any = if to.is_ipv4() {
            SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0))
        } else {
            SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0))
        };
        let socket = inside(netns, move || {
            let socket = std::net::UdpSocket::bind(any)?;
            socket.connect(to)?;
            socket.set_nonblocking(true)?;
            Ok(socket)
        });
        UdpSocket::from_std(socket.await?)
    }
}

async fn dial(netns: &Netns, to: SocketAddr) -> io::Result<TcpStream> {
    let socket = inside(netns, move || placemat_host::netns::stream_socket(to)).await?;
    let socket = TcpSocket::from_std_stream(std::net::TcpStream::from(socket));
    socket.connect(to).await
}

/// A socket belongs to the namespace that it was made in, whoever uses it.
async fn inside<T: Send + 'static>(
    netns: &Netns,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let netns = netns.clone();
    let open = move || {
        netns
            .run(work)
            .map_err(|error| io::Error::other(crate::error::chain(&error)))
    };
    tokio::task::spawn_blocking(open)
        .await
        .map_err(io::Error::other)?
}
