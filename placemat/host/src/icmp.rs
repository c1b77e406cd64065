//! ICMP echo from inside a namespace (RFC 792): every address once, all at the same time.

use crate::netns::{Netns, NetnsError};
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, SockaddrIn, bind, recvfrom, sendto,
    setsockopt, socket, sockopt,
};
use nix::sys::time::{TimeVal, TimeValLike};
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

const ECHO_REQUEST: u8 = 8;
const ECHO_REPLY: u8 = 0;

/// Pings every address of `to` once from `source`. One entry an address: the round-trip time, or
/// `None` where nothing came back within `timeout`. Blocks for that long at most.
pub fn ping(
    netns: &Netns,
    source: Option<Ipv4Addr>,
    to: &[Ipv4Addr],
    timeout: Duration,
) -> Result<Vec<Option<Duration>>, NetnsError> {
    netns.run(|| ping_here(source, to, timeout))
}

fn ping_here(
    source: Option<Ipv4Addr>,
    to: &[Ipv4Addr],
    timeout: Duration,
) -> io::Result<Vec<Option<Duration>>> {
    let fd = socket(
        AddressFamily::Inet,
        SockType::Raw,
        SockFlag::SOCK_CLOEXEC,
        SockProtocol::Icmp,
    )?;
    if let Some(source) = source {
        bind(
            fd.as_raw_fd(),
            &SockaddrIn::from(SocketAddrV4::new(source, 0)),
        )?;
    }
    // Raw sockets of one namespace all see every reply: the identifier tells ours.
    let ident = ident();
    let began = Instant::now();
    let mut sent = vec![None; to.len()];
    let mut seen = vec![None; to.len()];
    for (index, address) in to.iter().enumerate() {
        let packet = echo_request(ident, u16::try_from(index).unwrap_or(u16::MAX));
        let to = SockaddrIn::from(SocketAddrV4::new(*address, 0));
        sent[index] = Some(Instant::now());
        if sendto(fd.as_raw_fd(), &packet, &to, MsgFlags::empty()).is_err() {
            // No route: the same as no reply.
            sent[index] = None;
        }
    }
    let expected = sent.iter().flatten().count();
    let mut replies = 0;
    let mut buffer = [0_u8; 1500];
    while replies < expected {
        let Some(left) = timeout
            .checked_sub(began.elapsed())
            .filter(|left| !left.is_zero())
        else {
            break;
        };
        let micros = i64::try_from(left.as_micros()).unwrap_or(i64::MAX).max(1);
        setsockopt(&fd, sockopt::ReceiveTimeout, &TimeVal::microseconds(micros))?;
        let length = match recvfrom::<SockaddrIn>(fd.as_raw_fd(), &mut buffer) {
            Ok((length, _)) => length,
            Err(nix::Error::EAGAIN | nix::Error::EINTR) => continue,
            Err(errno) => return Err(errno.into()),
        };
        if let Some((index, from)) = echo_reply(&buffer[..length], ident)
            && to.get(index) == Some(&from)
            && seen[index].is_none()
        {
            seen[index] = sent[index].map(|sent| sent.elapsed());
            replies += 1;
        }
    }
    Ok(seen)
}

fn ident() -> u16 {
    use std::sync::atomic::{AtomicU16, Ordering};
    static NEXT: AtomicU16 = AtomicU16::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

fn echo_request(ident: u16, sequence: u16) -> Vec<u8> {
    let mut packet = vec![ECHO_REQUEST, 0, 0, 0];
    packet.extend(ident.to_be_bytes());
    packet.extend(sequence.to_be_bytes());
    packet.extend(b"placemat");
    let sum = checksum(&packet);
    packet[2..4].copy_from_slice(&sum.to_be_bytes());
    packet
}

/// The internet checksum (RFC 1071).
fn checksum(bytes: &[u8]) -> u16 {
    let mut sum: u32 = bytes
        .chunks(2)
        .map(|pair| u32::from(pair[0]) << 8 | pair.get(1).map_or(0, |low| u32::from(*low)))
        .sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap_or(0)
}

/// Sequence number and sender of an echo reply to `ident`, given with its IP header.
fn echo_reply(packet: &[u8], ident: u16) -> Option<(usize, Ipv4Addr)> {
    let header = usize::from(packet.first()? & 0x0f) * 4;
    let source: [u8; 4] = packet.get(12..16)?.try_into().ok()?;
    let icmp = packet.get(header..)?;
    let word = |at: usize| Some(u16::from_be_bytes(icmp.get(at..at + 2)?.try_into().ok()?));
    (*icmp.first()? == ECHO_REPLY && word(4)? == ident)
        .then_some((usize::from(word(6)?), Ipv4Addr::from(source)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_has_a_right_checksum() {
        // A packet with its checksum in place sums to zero.
        assert_eq!(checksum(&echo_request(7, 3)), 0);
    }

    #[test]
    fn reply_is_told_from_junk() {
        let mut packet = vec![0x45; 20];
        packet[12..16].copy_from_slice(&[10, 0, 0, 1]);
        let mut icmp = echo_request(7, 3);
        icmp[0] = ECHO_REPLY;
        packet.extend(icmp);
        assert_eq!(
            echo_reply(&packet, 7),
            Some((3, Ipv4Addr::new(10, 0, 0, 1)))
        );
        assert_eq!(echo_reply(&packet, 8), None);
        assert_eq!(echo_reply(&packet[..21], 7), None);
    }
}
