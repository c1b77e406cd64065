//! Changes of routes as the kernel makes them, in many namespaces at once.

use super::route::MAIN_TABLE;
use super::{Netlink, NetlinkError};
use crate::netns::Netns;
use netlink_sys::Socket;
use netlink_sys::protocols::NETLINK_ROUTE;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::io;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

/// Multicast groups (linux/rtnetlink.h: `RTNLGRP_IPV4_ROUTE`, `RTNLGRP_IPV6_ROUTE`).
const GROUPS: [u32; 2] = [7, 11];
/// `RTNLGRP_LINK`.
const LINKS: u32 = 1;
/// Message types (linux/rtnetlink.h: `RTM_NEWROUTE`, `RTM_DELROUTE`).
const ROUTE_MESSAGES: [u16; 2] = [24, 25];
/// Length of `struct nlmsghdr`.
const HEADER: usize = 16;
/// Offset of `rtm_table` in `struct rtmsg`.
const TABLE: usize = 4;

/// Sockets that hear of every change of a route, one a namespace.
#[derive(Debug)]
pub struct RouteWatch {
    sockets: Vec<Socket>,
}

impl RouteWatch {
    /// Listens in every one of the namespaces; what happens from now on is heard.
    pub fn open_in<'a>(
        namespaces: impl IntoIterator<Item = &'a Netns>,
    ) -> Result<Self, NetlinkError> {
        let sockets = namespaces.into_iter().map(|netns| {
            netns.run(open_here).map_err(|error| NetlinkError {
                act: format!("watch the routes of {}", netns.name()),
                source: io::Error::other(error),
            })
        });
        Ok(Self {
            sockets: sockets.collect::<Result<_, _>>()?,
        })
    }

    /// Waits for changes in main tables, at most for `timeout`: the indices of the namespaces
    /// that had some.
    pub fn wait(&self, timeout: Duration) -> io::Result<Vec<usize>> {
        let mut ready: Vec<PollFd<'_>> = self
            .sockets
            .iter()
            .map(|socket| PollFd::new(socket.as_fd(), PollFlags::POLLIN))
            .collect();
        let timeout = PollTimeout::try_from(timeout).unwrap_or(PollTimeout::MAX);
        match poll(&mut ready, timeout) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
        let mut changed = Vec::new();
        for (index, (socket, polled)) in self.sockets.iter().zip(&ready).enumerate() {
            if polled.any().unwrap_or(false) && drain(socket)? {
                changed.push(index);
            }
        }
        Ok(changed)
    }
}

fn open_here() -> io::Result<Socket> {
    let mut socket = Socket::new(NETLINK_ROUTE)?;
    socket.bind_auto()?;
    socket.set_non_blocking(true)?;
    for group in GROUPS {
        socket.add_membership(group)?;
    }
    Ok(socket)
}

/// Reads all there is; whether a main table changed.
fn drain(socket: &Socket) -> io::Result<bool> {
    let mut changed = false;
    loop {
        match socket.recv_from_full() {
            Ok((datagram, _)) => changed |= changes_main_table(&datagram),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(changed),
            // More than the buffer holds: what was lost were changes, too.
            Err(error) if error.raw_os_error() == Some(Errno::ENOBUFS as i32) => changed = true,
            Err(error) => return Err(error),
        }
    }
}

fn changes_main_table(datagram: &[u8]) -> bool {
    let mut rest = datagram;
    while rest.len() > HEADER + TABLE {
        let length = u32::from_ne_bytes([rest[0], rest[1], rest[2], rest[3]]) as usize;
        let kind = u16::from_ne_bytes([rest[4], rest[5]]);
        if ROUTE_MESSAGES.contains(&kind) && rest[HEADER + TABLE] == MAIN_TABLE {
            return true;
        }
        let next = length.next_multiple_of(4).max(HEADER);
        rest = rest.get(next..).unwrap_or_default();
    }
    false
}

impl Netlink {
    /// Waits until there is a link with this name; its index.
    pub fn wait_for_link(&mut self, name: &str, patience: Duration) -> Result<u32, NetlinkError> {
        let failed = |source| NetlinkError::new(format!("wait for link {name}"), source);
        // Listens first and looks then, so that nothing is missed between.
        let socket = listen_to_links().map_err(failed)?;
        let deadline = Instant::now() + patience;
        loop {
            let links = self.links()?;
            if let Some(link) = links.iter().find(|link| link.name == name) {
                return Ok(link.index);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(failed(io::ErrorKind::TimedOut.into()));
            }
            let mut ready = [PollFd::new(socket.as_fd(), PollFlags::POLLIN)];
            let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
            match poll(&mut ready, timeout) {
                Ok(0) | Err(Errno::EINTR) => {}
                // What it says is of no interest: all links are looked at again. Where more came
                // than it can hold, nothing is lost by that.
                Ok(_) => match socket.recv_from_full() {
                    Err(error) if error.raw_os_error() != Some(Errno::ENOBUFS as i32) => {
                        return Err(failed(error));
                    }
                    _ => {}
                },
                Err(errno) => return Err(failed(errno.into())),
            }
        }
    }
}

fn listen_to_links() -> io::Result<Socket> {
    let mut socket = Socket::new(NETLINK_ROUTE)?;
    socket.bind_auto()?;
    socket.add_membership(LINKS)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netns::apart::apart;

    fn message(kind: u16, table: u8) -> Vec<u8> {
        let mut bytes = vec![0; HEADER + 12];
        bytes[..4].copy_from_slice(&28_u32.to_ne_bytes());
        bytes[4..6].copy_from_slice(&kind.to_ne_bytes());
        bytes[HEADER + TABLE] = table;
        bytes
    }

    /// Makes more news than a socket with the smallest buffer holds.
    fn flood(netlink: &mut Netlink) {
        for _ in 0..200 {
            for up in [true, false] {
                netlink.set_up("lo", up).expect("up or down");
            }
        }
    }

    #[test]
    fn a_watch_that_missed_some_goes_on() {
        apart(|| {
            let mut netlink = Netlink::open().expect("a socket");
            netlink.set_up("lo", true).expect("up");
            let socket = open_here().expect("a socket");
            // The kernel makes it as small as it allows.
            socket.set_rx_buf_sz(1_i32).expect("a small buffer");
            let watch = RouteWatch {
                sockets: vec![socket],
            };
            for _ in 0..500 {
                let net = "10.9.9.0/24".parse().expect("a net");
                netlink.add_address(1, net).expect("added");
                netlink.remove_address(1, net).expect("removed");
            }
            let main = "10.9.9.1/24".parse().expect("a net");
            netlink.add_address(1, main).expect("added");
            let second = Duration::from_secs(1);
            assert_eq!(watch.wait(second).expect("it goes on"), [0]);
            assert_eq!(
                watch.wait(Duration::ZERO).expect("it goes on"),
                [0_usize; 0],
                "all was read"
            );
            netlink.remove_address(1, main).expect("removed");
            // Routes over loopback are of the main table where their net is.
            watch.wait(second).expect("it goes on");
        });
    }

    #[test]
    fn a_link_is_found_by_a_socket_that_overflows() {
        apart(|| {
            let socket = listen_to_links().expect("a socket");
            socket.set_rx_buf_sz(1_i32).expect("a small buffer");
            let mut netlink = Netlink::open().expect("a socket");
            flood(&mut netlink);
            let overflowed = loop {
                match socket.recv_from_full() {
                    Ok(_) => {}
                    Err(error) => break error,
                }
            };
            assert_eq!(overflowed.raw_os_error(), Some(Errno::ENOBUFS as i32));
            // Meanwhile somebody makes the link that is waited for, among much else.
            let (done, finished) = std::sync::mpsc::channel();
            std::thread::scope(|scope| {
                scope.spawn(move || {
                    let mut other = Netlink::open().expect("a socket");
                    flood(&mut other);
                    other.create_bridge("br", None).expect("a bridge");
                    flood(&mut other);
                    done.send(()).expect("heard");
                });
                let patience = Duration::from_secs(60);
                netlink.wait_for_link("br", patience).expect("it comes");
            });
            finished.recv().expect("all was done");
        });
    }

    #[test]
    fn only_routes_of_the_main_table_count() {
        let local = message(24, 255);
        let new = message(24, MAIN_TABLE);
        let gone = message(25, MAIN_TABLE);
        let link = message(16, MAIN_TABLE);
        assert!(changes_main_table(&new));
        assert!(changes_main_table(
            &[local.clone(), link.clone(), gone].concat()
        ));
        assert!(!changes_main_table(&[local, link].concat()));
        assert!(!changes_main_table(&[]));
        assert!(!changes_main_table(&[0; 64]), "lengths of zero end, too");
    }
}
