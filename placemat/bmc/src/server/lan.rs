//! IPMI over UDP: the loop around [`Endpoint`] and [`ipmi::dispatch`].

use super::ServeError;
use crate::bmc::Bmc;
use crate::ipmi::{self, Answer, Call, Outcome, State, app::device::wire_guid};
use crate::rmcp::endpoint::Path;
use crate::rmcp::message::Request;
use crate::rmcp::{Endpoint, Incoming};
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::net::UdpSocket;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// More than any datagram that a client sends.
const DATAGRAM: usize = 2048;

struct Lan {
    bmc: Bmc,
    socket: UdpSocket,
    wire: Mutex<Wire>,
}

struct Wire {
    endpoint: Endpoint,
    state: State,
    /// The number of losses of mains power that the endpoint's sessions have seen.
    mains_losses: u32,
}

/// Serves until cancelled.
pub(super) async fn serve(
    bmc: &Bmc,
    socket: UdpSocket,
    cancel: &CancellationToken,
) -> Result<(), ServeError> {
    let entropy = |bytes: &mut [u8]| getrandom::fill(bytes).expect("the kernel has random bytes");
    let endpoint = Endpoint::new(wire_guid(&bmc.identity()), Box::new(entropy));
    let lan = Arc::new(Lan {
        bmc: bmc.clone(),
        socket,
        wire: Mutex::new(Wire {
            endpoint,
            state: State::default(),
            mains_losses: bmc.chassis().mains_losses,
        }),
    });
    let mut under_way = JoinSet::new();
    let mut buffer = vec![0; DATAGRAM];
    loop {
        tokio::select! {
            () = cancel.cancelled() => break,
            Some(_) = under_way.join_next() => {}
            received = lan.socket.recv_from(&mut buffer) => match received {
                Ok((length, peer)) if bmc.is_reachable() => {
                    lan.receive(&buffer[..length], peer, &mut under_way).await;
                }
                Ok(_) => {}
                // A client that went away before its answer came.
                Err(error) if error.kind() == ErrorKind::ConnectionRefused => {}
                Err(source) => {
                    let name = bmc.identity().name.clone();
                    return Err(ServeError::Lan { name, source });
                }
            },
        }
    }
    while under_way.join_next().await.is_some() {}
    Ok(())
}

impl Lan {
    async fn receive(
        self: &Arc<Self>,
        datagram: &[u8],
        peer: SocketAddr,
        under_way: &mut JoinSet<()>,
    ) {
        let reply = match self.take(datagram) {
            Taken::Nothing => return,
            Taken::Reply(reply) => reply,
            Taken::Later(path, request, work) => {
                let lan = Arc::clone(self);
                under_way.spawn(async move {
                    let answer = work.await;
                    let reply = lan.respond(path, &request, &answer);
                    lan.send(reply, peer).await;
                });
                return;
            }
        };
        self.send(Some(reply), peer).await;
    }

    /// What a datagram asks for; whatever can be answered at once is.
    fn take(&self, datagram: &[u8]) -> Taken {
        let mut wire = self.lock();
        let Wire {
            endpoint, state, ..
        } = &mut *wire;
        match endpoint.receive(self.bmc.uptime(), self.bmc.accounts(), datagram) {
            Incoming::Nothing => Taken::Nothing,
            Incoming::Reply(reply) => Taken::Reply(reply),
            Incoming::Request(path, request) => {
                let session = match path {
                    Path::Session(id) => Some(id),
                    Path::V15 | Path::V20 => None,
                };
                let mut call = Call {
                    bmc: &self.bmc,
                    state,
                    sessions: &mut endpoint.sessions,
                    session,
                    data: &request.data,
                };
                match ipmi::dispatch(&mut call, &request) {
                    Outcome::Later(work) => Taken::Later(path, request, work),
                    Outcome::Now(answer) => respond(endpoint, path, &request, &answer)
                        .map_or(Taken::Nothing, Taken::Reply),
                }
            }
        }
    }

    fn respond(&self, path: Path, request: &Request, answer: &Answer) -> Option<Vec<u8>> {
        respond(&mut self.lock().endpoint, path, request, answer)
    }

    async fn send(&self, reply: Option<Vec<u8>>, peer: SocketAddr) {
        if let Some(reply) = reply.filter(|_| self.bmc.is_reachable())
            && let Err(error) = self.socket.send_to(&reply, peer).await
        {
            tracing::debug!(node = %self.bmc.identity().name, %peer, %error, "send IPMI response");
        }
    }

    fn lock(&self) -> MutexGuard<'_, Wire> {
        // Nothing in there is left half-done by a panic.
        let mut wire = self.wire.lock().unwrap_or_else(PoisonError::into_inner);
        let losses = self.bmc.chassis().mains_losses;
        if wire.mains_losses != losses {
            // A BMC that had no power has forgotten who was talking to it.
            wire.mains_losses = losses;
            wire.endpoint.sessions.clear();
        }
        wire
    }
}

enum Taken {
    Nothing,
    Reply(Vec<u8>),
    Later(Path, Request, ipmi::Work),
}

fn respond(
    endpoint: &mut Endpoint,
    path: Path,
    request: &Request,
    answer: &Answer,
) -> Option<Vec<u8>> {
    match answer {
        Ok(data) => endpoint.respond(path, request, 0, data),
        Err(code) => endpoint.respond(path, request, *code as u8, &[]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Fault;
    use crate::rmcp::suite::Suite;
    use crate::user::Privilege;

    #[tokio::test]
    async fn sessions_end_with_mains_power_however_short_it_was_away() {
        let bmc = crate::ipmi::tests::bmc();
        let endpoint = Endpoint::new([0; 16], Box::new(|bytes| bytes.fill(1)));
        let lan = Lan {
            bmc: bmc.clone(),
            socket: UdpSocket::bind("127.0.0.1:0").await.expect("a port"),
            wire: Mutex::new(Wire {
                endpoint,
                state: State::default(),
                mains_losses: 0,
            }),
        };
        let now = bmc.uptime();
        let id = lan
            .lock()
            .endpoint
            .sessions
            .open(now, 1, Suite::Sha256, Privilege::User, || 5)
            .expect("room");
        bmc.set_fault(Fault::Unreachable, true);
        assert!(lan.lock().endpoint.sessions.get(id).is_some());
        bmc.mains_lost().await.expect("unplugged");
        bmc.mains_back().await.expect("plugged in");
        bmc.set_fault(Fault::Unreachable, false);
        assert!(lan.lock().endpoint.sessions.get(id).is_none());
    }
}
