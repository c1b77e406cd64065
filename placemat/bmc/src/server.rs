//! Serves one BMC on sockets that somebody else has opened, in whatever network namespace.

mod https;
mod lan;

use crate::bmc::Bmc;
use crate::certificate::{CertificateAuthority, CertificateError};
use std::io;
use std::sync::Arc;
use tokio::net::{TcpListener, UdpSocket};
use tokio_util::sync::CancellationToken;

/// UDP port of RMCP (IPMI 2.0 section 13.1.1).
pub const RMCP_PORT: u16 = 623;
/// TCP port of Redfish.
pub const REDFISH_PORT: u16 = 443;

/// Why a BMC stopped serving.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The UDP socket failed.
    #[error("receive IPMI of `{name}`")]
    Lan {
        /// Whose.
        name: String,
        /// What the kernel says.
        source: io::Error,
    },
    /// No certificate could be made.
    #[error("start Redfish of `{name}`")]
    Certificate {
        /// Whose.
        name: String,
        /// Why.
        source: CertificateError,
    },
}

/// Serves IPMI on `udp` and Redfish on `tcp` until `cancel` fires, then waits for the requests
/// under way. Many BMCs may share one authority and one process.
pub async fn serve(
    bmc: Bmc,
    udp: UdpSocket,
    tcp: TcpListener,
    authority: Arc<CertificateAuthority>,
    cancel: CancellationToken,
) -> Result<(), ServeError> {
    tokio::try_join!(
        lan::serve(&bmc, udp, &cancel),
        https::serve(&bmc, tcp, &authority, &cancel),
    )
    .map(|((), ())| ())
}
