//! rtnetlink, blocking, one socket a namespace.
//!
//! The kernel does each request inside `send` (under its own lock), so there is nothing to wait
//! for and nothing to gain from pipelining: what counts is order (see `lab::plan`). Hence a plain
//! blocking socket and no async stack. A socket stays in the namespace it was opened in.

mod address;
mod link;
mod route;
mod tc;
mod watch;

pub use link::{LinkState, VethEnd};
pub use route::FibRoute;
pub(crate) use tc::BACKLOG;
pub use tc::{Filter, Hook};
pub use watch::RouteWatch;

use crate::netns::Netns;
use netlink_packet_core::{
    NLM_F_ACK, NLM_F_CREATE, NLM_F_DUMP, NLM_F_EXCL, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage,
    NetlinkPayload,
};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{Socket, SocketAddr};
use std::io;

/// Why a netlink request failed: the act with its object, then the kernel's words.
#[derive(Debug, thiserror::Error)]
#[error("{act}")]
pub struct NetlinkError {
    act: String,
    /// The kernel's answer.
    pub source: io::Error,
}

impl NetlinkError {
    /// `act` failed because of `source`.
    pub fn new(act: impl Into<String>, source: io::Error) -> Self {
        Self {
            act: act.into(),
            source,
        }
    }
}

/// A netlink socket.
#[derive(Debug)]
pub struct Netlink {
    socket: Socket,
    sequence: u32,
}

impl Netlink {
    /// A socket in the calling thread's namespace.
    pub fn open() -> Result<Self, NetlinkError> {
        Self::open_here().map_err(|source| NetlinkError {
            act: "open a netlink socket".into(),
            source,
        })
    }

    /// A socket in a namespace; the caller stays where it is.
    pub fn open_in(netns: &Netns) -> Result<Self, NetlinkError> {
        netns.run(Self::open_here).map_err(|error| NetlinkError {
            act: format!("open a netlink socket in {}", netns.name()),
            source: io::Error::other(error),
        })
    }

    fn open_here() -> io::Result<Self> {
        let mut socket = Socket::new(NETLINK_ROUTE)?;
        socket.bind_auto()?;
        socket.connect(&SocketAddr::new(0, 0))?;
        // The default of 208 KiB loses answers under load.
        socket.set_rx_buf_sz(4 << 20)?;
        Ok(Self {
            socket,
            sequence: 0,
        })
    }

    /// Sends a request and waits for its acknowledgement.
    fn request(
        &mut self,
        message: RouteNetlinkMessage,
        flags: u16,
        act: impl FnOnce() -> String,
    ) -> Result<(), NetlinkError> {
        self.exchange(message, NLM_F_REQUEST | NLM_F_ACK | flags, |_| ())
            .map_err(|source| NetlinkError { act: act(), source })
    }

    /// Sends a dump request and gives every answer to `each`.
    fn dump(
        &mut self,
        message: RouteNetlinkMessage,
        act: &str,
        each: impl FnMut(RouteNetlinkMessage),
    ) -> Result<(), NetlinkError> {
        self.exchange(message, NLM_F_REQUEST | NLM_F_DUMP, each)
            .map_err(|source| NetlinkError {
                act: act.to_owned(),
                source,
            })
    }

    fn exchange(
        &mut self,
        message: RouteNetlinkMessage,
        flags: u16,
        mut each: impl FnMut(RouteNetlinkMessage),
    ) -> io::Result<()> {
        self.sequence = self.sequence.wrapping_add(1);
        let mut header = NetlinkHeader::default();
        header.flags = flags;
        header.sequence_number = self.sequence;
        let mut request = NetlinkMessage::new(header, NetlinkPayload::from(message));
        request.finalize();
        let mut bytes = vec![0; request.buffer_len()];
        request.serialize(&mut bytes);
        self.socket.send(&bytes, 0)?;
        loop {
            let (datagram, _) = self.socket.recv_from_full()?;
            let mut rest = &datagram[..];
            while rest.len() >= 16 {
                let answer = NetlinkMessage::<RouteNetlinkMessage>::deserialize(rest)
                    .map_err(|error| io::Error::other(error.to_string()))?;
                let length = (answer.header.length as usize)
                    .next_multiple_of(4)
                    .min(rest.len());
                rest = &rest[length.max(16)..];
                if answer.header.sequence_number != self.sequence {
                    continue;
                }
                match answer.payload {
                    NetlinkPayload::Error(error) if error.code.is_none() => return Ok(()),
                    NetlinkPayload::Error(error) => return Err(error.to_io()),
                    NetlinkPayload::Done(_) => return Ok(()),
                    NetlinkPayload::InnerMessage(inner) => each(inner),
                    _ => {}
                }
            }
        }
    }
}

const CREATE: u16 = NLM_F_CREATE | NLM_F_EXCL;
