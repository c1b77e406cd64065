//! BMC front ends: IPMI and Redfish on each BMC's address, which is the hub's.

use super::{Lab, LabError};
use crate::error::chain;
use placemat_bmc::certificate::CertificateAuthority;
use placemat_bmc::server::{self, REDFISH_PORT, RMCP_PORT};
use std::net::{TcpListener, UdpSocket};
use std::sync::Arc;

impl Lab {
    /// Opens the sockets of every BMC and serves on them until the lab ends.
    pub(super) fn serve_bmcs(&self) -> Result<(), LabError> {
        let mut authority = None;
        for server in self.servers() {
            let Some(spec) = &server.node().bmc else {
                continue;
            };
            let failed = |error: &dyn std::error::Error| {
                LabError(format!(
                    "serve the BMC of {}: {}",
                    server.target(),
                    chain(error)
                ))
            };
            // Made by the first BMC that there is; most labs of routers have none.
            let authority = if let Some(authority) = &authority {
                Arc::clone(authority)
            } else {
                let made = CertificateAuthority::new("placemat").map_err(|error| failed(&error))?;
                authority.insert(Arc::new(made)).clone()
            };
            // The lab process itself is in the hub's namespace.
            let udp = UdpSocket::bind((spec.address, RMCP_PORT)).map_err(|error| failed(&error))?;
            let tcp =
                TcpListener::bind((spec.address, REDFISH_PORT)).map_err(|error| failed(&error))?;
            udp.set_nonblocking(true).map_err(|error| failed(&error))?;
            tcp.set_nonblocking(true).map_err(|error| failed(&error))?;
            let udp = tokio::net::UdpSocket::from_std(udp).map_err(|error| failed(&error))?;
            let tcp = tokio::net::TcpListener::from_std(tcp).map_err(|error| failed(&error))?;
            let (bmc, cancel) = (server.bmc().clone(), self.inner.cancel.clone());
            self.tasks().spawn(async move {
                if let Err(error) = server::serve(bmc, udp, tcp, authority, cancel).await {
                    tracing::error!(error = %chain(&error), "BMC ended");
                }
            });
        }
        Ok(())
    }
}
