//! What a guest says of its BMC: lines with an IPv4 address on the virtio-serial port `placemat`, as
//! placemat v2's guests write them.
//!
//! A guest may write anything. No line takes more memory than 64 bytes, none stops those
//! after it, and a guest that writes faster than it is heard waits.

use std::net::{IpAddr, Ipv4Addr};
use tokio::io::AsyncReadExt;
use tokio::net::UnixStream;
use tokio::sync::{Notify, mpsc};

/// Name of the port in the guest.
pub const ANNOUNCE_CHANNEL: &str = "placemat";

/// Longest line that is read, in bytes without its end. An address has 15.
const LONGEST: usize = 64;

/// One line of a machine's guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    /// The machine.
    pub machine: String,
    /// Its BMC's address.
    pub address: Result<Ipv4Addr, BadLine>,
}

/// Why a line is no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadLine {
    /// It is longer than any address.
    #[error("a line of more than {LONGEST} bytes is no address")]
    TooLong,
    /// It is an IPv6 address.
    #[error("{0} is an IPv6 address, and only IPv4 is announced")]
    Ipv6(IpAddr),
    /// It is something else.
    #[error("{0:?} is no IPv4 address")]
    NoAddress(String),
}

/// Makes lines of what comes in pieces. Spaces around an address and empty lines mean nothing.
#[derive(Debug, Default)]
struct Lines {
    line: Vec<u8>,
    /// The line is too long already: the rest of it is skipped.
    skips: bool,
}

impl Lines {
    /// Takes a piece; gives every line that it ends.
    fn take(&mut self, piece: &[u8]) -> Vec<Result<Ipv4Addr, BadLine>> {
        let mut lines = Vec::new();
        for byte in piece {
            if *byte == b'\n' {
                lines.extend(self.end());
            } else if self.skips {
            } else if self.line.len() == LONGEST {
                self.skips = true;
            } else {
                self.line.push(*byte);
            }
        }
        lines
    }

    /// The guest has closed the port, or rebooted: what is there is all of the line.
    fn end(&mut self) -> Option<Result<Ipv4Addr, BadLine>> {
        let line = std::mem::take(&mut self.line);
        if std::mem::take(&mut self.skips) {
            return Some(Err(BadLine::TooLong));
        }
        let text = String::from_utf8_lossy(&line);
        let text = text.trim();
        (!text.is_empty()).then(|| match text.parse() {
            Ok(IpAddr::V4(address)) => Ok(address),
            Ok(address) => Err(BadLine::Ipv6(address)),
            Err(_) => Err(BadLine::NoAddress(text.to_owned())),
        })
    }
}

/// Hears one life of a machine to its end. `closed` says that the guest has closed the port.
pub(super) async fn listen(
    machine: String,
    mut port: UnixStream,
    closed: impl AsRef<Notify>,
    heard: mpsc::Sender<Announcement>,
) {
    let mut lines = Lines::default();
    let mut piece = [0; 512];
    loop {
        let ended = tokio::select! {
            // What was written before the port was closed is there before that is told.
            biased;
            read = port.read(&mut piece) => match read {
                Ok(length) if length > 0 => lines.take(&piece[..length]),
                _ => return,
            },
            () = closed.as_ref().notified() => lines.end().into_iter().collect(),
        };
        for address in ended {
            let machine = machine.clone();
            if heard.send(Announcement { machine, address }).await.is_err() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests;
