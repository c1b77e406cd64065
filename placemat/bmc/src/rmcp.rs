//! RMCP and RMCP+ (IPMI 2.0 chapter 13): packets, key exchange and sessions, without sockets and
//! without a clock. Time and random bytes are handed in, datagrams go in and out as bytes.
//!
//! ```text
//! datagram --packet--> Packet --endpoint--> Incoming (nothing | reply | request of a session)
//! ```

pub mod asf;
pub mod crypto;
pub mod endpoint;
pub mod message;
pub mod packet;
pub mod rakp;
pub mod session;
pub mod suite;
pub mod window;

pub use endpoint::{Endpoint, Incoming};
