//! Routing sessions as a daemon itself sees them: asked by `lab`, judged by `scenario`.

use std::net::IpAddr;

/// A BGP session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BgpSession {
    /// Name of the protocol.
    pub name: String,
    /// Neighbor address.
    pub neighbor: Option<IpAddr>,
    /// Neighbor AS number.
    pub neighbor_as: Option<u32>,
    /// FSM state, as RFC 4271 section 8.2.2 names them.
    pub state: String,
    /// The last error in BIRD's words.
    pub last_error: Option<String>,
}

/// A BFD session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BfdSession {
    /// Neighbor address.
    pub neighbor: IpAddr,
    /// Interface.
    pub interface: String,
    /// State, as RFC 5880 section 6.2 names them.
    pub state: String,
}
