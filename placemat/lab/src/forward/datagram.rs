//! Forwarded UDP: a socket inside for each client outside.

use super::door::Door;
use crate::lab::Lab;
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
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

type Clients = Arc<Mutex<HashMap<SocketAddr, Arc<UdpSocket>>>>;

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
            inner
        } else {
            if lock(&clients).len() >= MOST {
                continue;
            }
            let inner = match door.datagrams().await {
                Ok(inner) => Arc::new(inner),
                Err(error) => {
                    tracing::warn!(%error, "forward a datagram");
                    continue;
                }
            };
            connections.fetch_add(1, Ordering::Relaxed);
            lock(&clients).insert(client, inner.clone());
            let back = answers(inner.clone(), outer.clone(), client, clients.clone());
            let cancel = cancel.clone();
            lab.tasks().spawn(async move {
                cancel.run_until_cancelled(back).await;
            });
            inner
        };
        // Nobody listens there, or the route is gone: a datagram is lost, as datagrams are.
        let _ = inner.send(&datagram[..length]).await;
    }
}

/// Carries answers to one client until both are quiet.
async fn answers(
    inner: Arc<UdpSocket>,
    outer: Arc<UdpSocket>,
    client: SocketAddr,
    clients: Clients,
) {
    let mut datagram = vec![0; LONGEST];
    loop {
        match tokio::time::timeout(IDLE, inner.recv(&mut datagram)).await {
            Ok(Ok(length)) => {
                let _ = outer.send_to(&datagram[..length], client).await;
            }
            // Nobody listens there yet.
            Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => {}
            Ok(Err(_)) | Err(_) => break,
        }
    }
    lock(&clients).remove(&client);
}

fn lock(clients: &Clients) -> std::sync::MutexGuard<'_, HashMap<SocketAddr, Arc<UdpSocket>>> {
    clients.lock().unwrap_or_else(PoisonError::into_inner)
}
