//! Redfish over HTTPS: the accept loop around [`Service`].

use super::ServeError;
use crate::bmc::Bmc;
use crate::certificate::CertificateAuthority;
use crate::redfish::{Limits, Service};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

/// How long a request that is under way may take once serving has been cancelled.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Bytes of the head of a request.
const HEAD: usize = 64 * 1024;
/// Pause after a failed accept (out of descriptors, most likely).
const PAUSE: Duration = Duration::from_millis(100);

/// Serves until cancelled.
pub(super) async fn serve(
    bmc: &Bmc,
    listener: TcpListener,
    authority: &CertificateAuthority,
    cancel: &CancellationToken,
) -> Result<(), ServeError> {
    let name = bmc.identity().name.clone();
    let limits = bmc.limits();
    let router = Service::new(bmc.clone()).router();
    let mut acceptor = None;
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = cancel.cancelled() => break,
            Some(_) = connections.join_next() => continue,
            () = bmc.until_reachable(false) => {
                connections.shutdown().await;
                // Clients wait in the backlog meanwhile, as for a host that does not answer.
                tokio::select! {
                    () = cancel.cancelled() => break,
                    () = bmc.until_reachable(true) => continue,
                }
            }
            accepted = listener.accept(), if connections.len() < limits.connections => accepted,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(node = %name, %error, "accept Redfish connection");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let acceptor = match &acceptor {
            Some(acceptor) => acceptor,
            None => acceptor.insert(authority.acceptor(&bmc.identity()).map_err(|source| {
                let name = name.clone();
                ServeError::Certificate { name, source }
            })?),
        };
        let acceptor: TlsAcceptor = acceptor.clone();
        let service = TowerToHyperService::new(router.clone());
        let cancel = cancel.clone();
        connections.spawn(async move {
            if let Err(error) = converse(stream, acceptor, service, limits, cancel).await {
                tracing::debug!(%error, "Redfish connection");
            }
        });
    }
    while connections.join_next().await.is_some() {}
    Ok(())
}

/// One connection, until the client leaves, is too slow, or has had its time, or we are cancelled.
async fn converse(
    stream: TcpStream,
    acceptor: TlsAcceptor,
    service: TowerToHyperService<axum::Router>,
    limits: Limits,
    cancel: CancellationToken,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    stream.set_nodelay(true)?;
    let handshake = tokio::time::timeout(limits.patience, acceptor.accept(stream));
    let stream = tokio::select! {
        () = cancel.cancelled() => return Ok(()),
        stream = handshake => stream??,
    };
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.patience)
        .max_buf_size(HEAD)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        ended = connection.as_mut() => return Ok(ended?),
        () = cancel.cancelled() => {}
        () = tokio::time::sleep(limits.lifetime) => {
            // Whoever still reads is served to the end of the answer.
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                ended = connection.as_mut() => return Ok(ended?),
                () = cancel.cancelled() => {}
                () = tokio::time::sleep(limits.patience) => return Ok(()),
            }
        }
    }
    connection.as_mut().graceful_shutdown();
    // A client that stalls in the middle of a request must not hold up the lab's end.
    Ok(tokio::time::timeout(LAST_WORDS, connection).await??)
}
