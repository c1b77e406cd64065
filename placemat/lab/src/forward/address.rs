//! What forwards are called: where the host listens, and where that leads.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

/// Why a text names no end of a forward.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ForwardError {
    /// Not where one can listen.
    #[error(
        "`{0}` is nowhere to listen: expected `PORT`, `ADDRESS:PORT`, `udp:PORT`, `udp:ADDRESS:PORT` or `unix:/PATH`"
    )]
    Listen(String),
    /// Not where a forward can lead.
    #[error(
        "`{0}` leads nowhere: expected `TARGET:PORT`, `TARGET:ADDRESS:PORT` or `TARGET:unix:/PATH`"
    )]
    Destination(String),
    /// Port 0.
    #[error("`{0}` leads to port 0")]
    PortZero(String),
}

/// Where the host listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listen {
    /// TCP.
    Tcp(SocketAddr),
    /// UDP.
    Udp(SocketAddr),
    /// A Unix stream socket.
    Unix(PathBuf),
}

impl FromStr for Listen {
    type Err = ForwardError;
    fn from_str(text: &str) -> Result<Self, ForwardError> {
        let wrong = || ForwardError::Listen(text.to_owned());
        if let Some(path) = text.strip_prefix("unix:") {
            // Absolute: the lab and the next client stand elsewhere.
            let path = PathBuf::from(path);
            return path
                .is_absolute()
                .then_some(Self::Unix(path))
                .ok_or_else(wrong);
        }
        let (rest, make): (_, fn(SocketAddr) -> Self) = match text.strip_prefix("udp:") {
            Some(rest) => (rest, Self::Udp),
            None => (text.strip_prefix("tcp:").unwrap_or(text), Self::Tcp),
        };
        let local = |port| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
        rest.parse::<u16>()
            .map(local)
            .or_else(|_| rest.parse::<SocketAddr>())
            .map(make)
            .map_err(|_| wrong())
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "tcp:{address}"),
            Self::Udp(address) => write!(f, "udp:{address}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// Where a forward leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// From whose namespace: `router/r1`, `hub`.
    pub target: String,
    /// What is connected to there.
    pub to: To,
}

/// What is connected to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum To {
    /// A port of the target's own.
    Port(u16),
    /// An address that the target reaches.
    Address(SocketAddr),
    /// A Unix stream socket of the target's.
    Unix(PathBuf),
}

impl FromStr for Destination {
    type Err = ForwardError;
    fn from_str(text: &str) -> Result<Self, ForwardError> {
        let wrong = || ForwardError::Destination(text.to_owned());
        let (target, rest) = text.split_once(':').ok_or_else(wrong)?;
        if target.is_empty() {
            return Err(wrong());
        }
        let to = if let Some(path) = rest.strip_prefix("unix:") {
            let path = PathBuf::from(path);
            if !path.is_absolute() {
                return Err(wrong());
            }
            To::Unix(path)
        } else if let Ok(port) = rest.parse() {
            To::Port(port)
        } else {
            To::Address(rest.parse().map_err(|_| wrong())?)
        };
        let zero = match &to {
            To::Port(port) => *port == 0,
            To::Address(address) => address.port() == 0,
            To::Unix(_) => false,
        };
        if zero {
            return Err(ForwardError::PortZero(text.to_owned()));
        }
        Ok(Self {
            target: target.to_owned(),
            to,
        })
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.target)?;
        match &self.to {
            To::Port(port) => write!(f, "{port}"),
            To::Address(address) => write!(f, "{address}"),
            To::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown<T: FromStr<Err = ForwardError> + fmt::Display>(texts: &[&str]) -> String {
        let line = |text: &&str| match text.parse::<T>() {
            Ok(value) => format!("{text}  ->  {value}"),
            Err(error) => error.to_string(),
        };
        texts.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn both_ends_in_words() {
        let listens = [
            "8080",
            "tcp:8080",
            "0.0.0.0:80",
            "[::1]:80",
            "udp:53",
            "udp:127.0.0.2:53",
            "unix:/tmp/x",
            "unix:x",
            "",
            "70000",
            "host:80",
            "udp:",
        ];
        insta::assert_snapshot!("listen", shown::<Listen>(&listens));
        let destinations = [
            "r1:80",
            "node/n1:10.0.0.1:80",
            "hub:[fd00::1]:443",
            "router/r1:unix:/run/bird/bird.ctl",
            "r1",
            ":80",
            "r1:0",
            "r1:unix:run",
            "r1:fd00::1:443",
            "r1:name:80",
        ];
        insta::assert_snapshot!("destination", shown::<Destination>(&destinations));
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back(text in "(udp:|tcp:|unix:)?[0-9.:/a-z\\[\\]]{0,20}") {
            if let Ok(listen) = text.parse::<Listen>() {
                prop_assert_eq!(listen.to_string().parse(), Ok(listen));
            }
            if let Ok(to) = text.parse::<Destination>() {
                prop_assert_eq!(to.to_string().parse(), Ok(to));
            }
        }
    }
}
