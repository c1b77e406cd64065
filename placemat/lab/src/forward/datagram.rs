//! Forwarded UDP: a socket inside for each client outside.

use super::door::Door;
use crate::lab::Lab;
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio_util::sync::CancellationToken;

/// A client that neither says nor hears anything for this long is forgotten (RFC 4787, REQ-5).
const IDLE: Duration = Duration::from_secs(120);
/// Most clients at a time: each has a socket.
const MOST: usize = 512;
/// A socket that fails this often in a row is none that receives datagrams.
const FAILURES: u32 = 100;
/// Longest datagram in bytes.
const LONGEST: usize = 65_535;

type Clients = Arc<Mutex<HashMap<SocketAddr, Arc<Client>>>>;

/// A client's end inside.
struct Client {
    socket: UdpSocket,
    /// It said something since its answers were last waited for in vain.
    spoke: AtomicBool,
}

pub(super) async fn serve(
    lab: &Lab,
    outer: UdpSocket,
    door: &Door,
    connections: &AtomicU64,
    cancel: &CancellationToken,
) {
    let outer = Arc::new(outer);
    let clients = Clients::default();
    let mut datagram = vec![0; LONGEST];
    let mut failures = 0;
    while failures < FAILURES {
        // What a client that went away left behind comes back as an error of the next read.
        let Ok((length, client)) = outer.recv_from(&mut datagram).await else {
            failures += 1;
            continue;
        };
        failures = 0;
        let known = lock(&clients).get(&client).cloned();
        let inner = if let Some(inner) = known {
            inner.spoke.store(true, Ordering::Relaxed);
            inner
        } else {
            if lock(&clients).len() >= MOST {
                continue;
            }
            let inner = match door.datagrams().await {
                Ok(socket) => Arc::new(Client {
                    socket,
                    spoke: AtomicBool::new(false),
                }),
                Err(error) => {
                    tracing::warn!(%error, "forward a datagram");
                    continue;
                }
            };
            connections.fetch_add(1, Ordering::Relaxed);
            lock(&clients).insert(client, inner.clone());
            let back = answers(inner.clone(), outer.clone(), client, clients.clone(), IDLE);
            let cancel = cancel.clone();
            lab.tasks().spawn(async move {
                cancel.run_until_cancelled(back).await;
            });
            inner
        };
        // Nobody listens there, or the route is gone: a datagram is lost, as datagrams are.
        let _ = inner.socket.send(&datagram[..length]).await;
    }
}

/// Carries answers to one client until both are quiet.
async fn answers(
    inner: Arc<Client>,
    outer: Arc<UdpSocket>,
    client: SocketAddr,
    clients: Clients,
    idle: Duration,
) {
    let mut datagram = vec![0; LONGEST];
    loop {
        match tokio::time::timeout(idle, inner.socket.recv(&mut datagram)).await {
            Ok(Ok(length)) => {
                let _ = outer.send_to(&datagram[..length], client).await;
            }
            // Nobody listens there yet.
            Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => {}
            // Some only ever talk.
            Err(_) if inner.spoke.swap(false, Ordering::Relaxed) => {}
            Ok(Err(_)) | Err(_) => break,
        }
    }
    lock(&clients).remove(&client);
}

fn lock(clients: &Clients) -> std::sync::MutexGuard<'_, HashMap<SocketAddr, Arc<Client>>> {
    clients.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[tokio::test]
    async fn a_client_that_only_talks_is_not_forgotten_before_it_is_quiet() {
        let socket = || async { UdpSocket::bind("127.0.0.1:0").await.expect("a socket") };
        let client: SocketAddr = "127.0.0.1:1".parse().expect("an address");
        let outer = Arc::new(socket().await);
        let idle = Duration::from_millis(20);
        for (spoke, waits) in [(false, 1), (true, 2)] {
            let inner = Arc::new(Client {
                socket: socket().await,
                spoke: AtomicBool::new(spoke),
            });
            let clients = Clients::default();
            lock(&clients).insert(client, inner.clone());
            let began = Instant::now();
            answers(inner, outer.clone(), client, clients.clone(), idle).await;
            assert!(began.elapsed() >= idle * waits);
            assert!(lock(&clients).is_empty());
        }
    }
}
