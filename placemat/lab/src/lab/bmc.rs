//! BMC front ends: IPMI and Redfish on each BMC's address, which is the hub's.

use super::Lab;
use crate::error::chain;
use crate::server::Server;
use placemat_bmc::certificate::CertificateAuthority;
use placemat_bmc::server::{self, REDFISH_PORT, RMCP_PORT};
use std::error::Error;
use std::net::{IpAddr, TcpListener, UdpSocket};
use std::sync::Arc;

impl Lab {
    /// Opens the sockets of every BMC and serves on them until the lab ends. One that cannot be
    /// served is an event on its server, and a sentence of what this gives.
    pub(super) fn serve_bmcs(&self) -> Vec<String> {
        let mut authority = None;
        let mut failures = Vec::new();
        for server in self.servers() {
            let Some(address) = server.node().bmc.as_ref().map(|bmc| bmc.address) else {
                continue;
            };
            if let Err(error) = self.serve_bmc(server, address, &mut authority) {
                let text = format!("its BMC does not answer: {}", chain(&*error));
                failures.push(self.note_failure(&server.target(), text));
            }
        }
        failures
    }

    /// `authority` is made by the first BMC that there is; most labs of routers have none.
    fn serve_bmc(
        &self,
        server: &Server,
        address: IpAddr,
        authority: &mut Option<Arc<CertificateAuthority>>,
    ) -> Result<(), Box<dyn Error>> {
        let authority = if let Some(authority) = authority {
            Arc::clone(authority)
        } else {
            let made = CertificateAuthority::new("placemat")?;
            authority.insert(Arc::new(made)).clone()
        };
        // The lab process itself is in the hub's namespace.
        let udp = UdpSocket::bind((address, RMCP_PORT))?;
        let tcp = TcpListener::bind((address, REDFISH_PORT))?;
        udp.set_nonblocking(true)?;
        tcp.set_nonblocking(true)?;
        let udp = tokio::net::UdpSocket::from_std(udp)?;
        let tcp = tokio::net::TcpListener::from_std(tcp)?;
        let (bmc, cancel) = (server.bmc().clone(), self.inner.cancel.clone());
        let (lab, target) = (self.clone(), server.target());
        self.tasks().spawn(async move {
            if let Err(error) = server::serve(bmc, udp, tcp, authority, cancel).await {
                lab.note_failure(&target, format!("its BMC ended: {}", chain(&error)));
            }
        });
        Ok(())
    }
}
