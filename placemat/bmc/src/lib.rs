//! Virtual BMC: one pure chassis state machine behind IPMI 2.0 (RMCP+, cipher suites 3 and 17)
//! and Redfish over HTTPS. It knows no QEMU: the machine is whatever implements
//! [`Hardware`](hardware::Hardware).
//!
//! ```text
//!  ipmitool -- UDP -- server::lan -- rmcp (packets, RAKP, sessions) -- ipmi (commands) --+
//!                                                                                        +-- Bmc -- chassis
//!  curl ----- TCP -- server::https ------------------------------- redfish (resources) --+    |     (pure)
//!  placemat power, scenarios, the lab's own events ---------------------------------------+    +-- dyn Hardware
//! ```
//!
//! - [`chassis`]: `(state, command) -> (state, effects)`. All rules of power and boot are there, once.
//! - [`sel`]: the event log, written from the chassis' steps.
//! - [`Bmc`]: the handle that everybody shares. Performs effects on the machine one at a time and
//!   reports back what came of them. Clones are the same BMC.
//! - [`rmcp`]: no sockets, no clock. [`ipmi`]: a command is a function and a table row.
//!   [`redfish`]: a resource is a file and a route line.
//! - [`fault`]: ways for the BMC itself to misbehave, set at run time.
//! - [`server::serve`]: serves one BMC on sockets that the caller has opened, in whatever namespace.
//!
//! ```no_run
//! # use std::sync::Arc;
//! # use placemat_bmc::{Bmc, Settings, hardware::Hardware, identity::Identity, user::UserTable};
//! # use placemat_bmc::{certificate::CertificateAuthority, server};
//! # async fn example(machine: Arc<dyn Hardware>) -> Result<(), Box<dyn std::error::Error>> {
//! let address = "10.72.17.4".parse()?;
//! let identity = Identity::new("rack1-cs1", "serial", address);
//! let users = UserTable::administrator("admin", "placemat")?;
//! let bmc = Bmc::new(Settings::new(identity, users), machine);
//! let udp = tokio::net::UdpSocket::bind((address, server::RMCP_PORT)).await?;
//! let tcp = tokio::net::TcpListener::bind((address, server::REDFISH_PORT)).await?;
//! let authority = Arc::new(CertificateAuthority::new("placemat")?);
//! server::serve(bmc, udp, tcp, authority, Default::default()).await?;
//! # Ok(())
//! # }
//! ```

mod bmc;
pub mod boot;
pub mod certificate;
pub mod chassis;
pub mod fault;
pub mod hardware;
pub mod identity;
pub mod ipmi;
pub mod redfish;
pub mod rmcp;
pub mod sel;
pub mod server;
pub mod user;

pub use bmc::{ActError, Bmc, Settings};
