//! ICMP echo from inside a namespace (RFC 792, RFC 4443 section 4): every address once, all at the
//! same time.

use crate::netns::{Netns, NetnsError};
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, SockaddrLike, SockaddrStorage, bind,
    recvfrom, sendto, setsockopt, socket, sockopt,
};
use nix::sys::time::{TimeVal, TimeValLike};
use std::io;
use std::net::{IpAddr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

/// What differs between the two families.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    V4,
    V6,
}

/// Pings every address of `to` once from `source`. One entry an address: the round-trip time, or
/// `None` where nothing came back within `timeout`. Blocks for that long at most. A `source` of
/// one family pings no address of the other: that is an error.
pub fn ping(
    netns: &Netns,
    source: Option<IpAddr>,
    to: &[IpAddr],
    timeout: Duration,
) -> Result<Vec<Option<Duration>>, NetnsError> {
    netns.run(|| ping_here(source, to, timeout))
}

fn ping_here(
    source: Option<IpAddr>,
    to: &[IpAddr],
    timeout: Duration,
) -> io::Result<Vec<Option<Duration>>> {
    if let Some(source) = source
        && let Some(other) = to.iter().find(|to| to.is_ipv4() != source.is_ipv4())
    {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("{source} and {other} are not of one address family"),
        ));
    }
    let echoes = |family| {
        let some = to.iter().enumerate();
        let some = some.filter(move |(_, to)| Family::of(**to) == family);
        some.map(|(index, to)| (index, *to)).collect::<Vec<_>>()
    };
    let (v4, v6) = (echoes(Family::V4), echoes(Family::V6));
    let mut seen = vec![None; to.len()];
    // A thread is born in the namespace of the one that starts it.
    let answers = std::thread::scope(|scope| {
        let v6 = scope.spawn(|| ping_family(Family::V6, source, &v6, timeout));
        let v4 = ping_family(Family::V4, source, &v4, timeout);
        let v6 = v6
            .join()
            .unwrap_or_else(|_| Err(io::Error::other("its thread panicked")));
        Ok::<_, io::Error>(v4?.into_iter().chain(v6?))
    })?;
    for (index, took) in answers {
        seen[index] = Some(took);
    }
    Ok(seen)
}

/// Pings addresses of one family, each with its place in the list; gives the places that answered.
fn ping_family(
    family: Family,
    source: Option<IpAddr>,
    to: &[(usize, IpAddr)],
    timeout: Duration,
) -> io::Result<Vec<(usize, Duration)>> {
    if to.is_empty() {
        return Ok(Vec::new());
    }
    let fd = socket(
        family.address_family(),
        SockType::Raw,
        SockFlag::SOCK_CLOEXEC,
        family.protocol(),
    )?;
    // Room for the answers of many addresses at once.
    let room = 4 << 20;
    setsockopt(&fd, sockopt::RcvBufForce, &room)
        .or_else(|_| setsockopt(&fd, sockopt::RcvBuf, &room))?;
    if let Some(source) = source {
        bind(fd.as_raw_fd(), &sockaddr(source))?;
    }
    // Raw sockets of one namespace all see every reply: the identifier tells ours.
    let ident = ident();
    let began = Instant::now();
    let mut waiting = Vec::with_capacity(to.len());
    for (sequence, (_, address)) in to.iter().enumerate() {
        let packet = family.echo_request(ident, u16::try_from(sequence).unwrap_or(u16::MAX));
        let now = Instant::now();
        let sent = sendto(
            fd.as_raw_fd(),
            &packet,
            &sockaddr(*address),
            MsgFlags::empty(),
        );
        // No route: the same as no reply.
        waiting.push(sent.is_ok().then_some(now));
    }
    let mut seen = Vec::new();
    let mut buffer = [0_u8; 1500];
    while waiting.iter().any(Option::is_some) {
        let Some(left) = timeout
            .checked_sub(began.elapsed())
            .filter(|left| !left.is_zero())
        else {
            break;
        };
        let micros = i64::try_from(left.as_micros()).unwrap_or(i64::MAX).max(1);
        setsockopt(&fd, sockopt::ReceiveTimeout, &TimeVal::microseconds(micros))?;
        let (length, from) = match recvfrom::<SockaddrStorage>(fd.as_raw_fd(), &mut buffer) {
            Ok(received) => received,
            Err(nix::Error::EAGAIN | nix::Error::EINTR) => continue,
            Err(errno) => return Err(errno.into()),
        };
        let Some(sequence) = family.echo_reply(&buffer[..length], ident) else {
            continue;
        };
        let Some((index, address)) = to.get(sequence) else {
            continue;
        };
        if from.as_ref().and_then(address_of) == Some(*address)
            && let Some(sent) = waiting[sequence].take()
        {
            seen.push((*index, sent.elapsed()));
        }
    }
    Ok(seen)
}

impl Family {
    fn of(address: IpAddr) -> Self {
        if address.is_ipv4() {
            Self::V4
        } else {
            Self::V6
        }
    }

    fn address_family(self) -> AddressFamily {
        match self {
            Self::V4 => AddressFamily::Inet,
            Self::V6 => AddressFamily::Inet6,
        }
    }

    fn protocol(self) -> SockProtocol {
        match self {
            Self::V4 => SockProtocol::Icmp,
            Self::V6 => SockProtocol::IcmpV6,
        }
    }

    /// Types of echo request and reply (RFC 792; RFC 4443 sections 4.1, 4.2).
    fn types(self) -> (u8, u8) {
        match self {
            Self::V4 => (8, 0),
            Self::V6 => (128, 129),
        }
    }

    /// An echo request. Of ICMPv6 the kernel makes the checksum, which covers the addresses too
    /// (RFC 3542 section 3.1).
    fn echo_request(self, ident: u16, sequence: u16) -> Vec<u8> {
        let mut packet = vec![self.types().0, 0, 0, 0];
        packet.extend(ident.to_be_bytes());
        packet.extend(sequence.to_be_bytes());
        packet.extend(b"placemat");
        if self == Self::V4 {
            let sum = checksum(&packet);
            packet[2..4].copy_from_slice(&sum.to_be_bytes());
        }
        packet
    }

    /// Sequence number of an echo reply to `ident`, as a raw socket gives it: IPv4 with its header,
    /// IPv6 without.
    fn echo_reply(self, packet: &[u8], ident: u16) -> Option<usize> {
        let header = match self {
            Self::V4 => usize::from(packet.first()? & 0x0f) * 4,
            Self::V6 => 0,
        };
        let icmp = packet.get(header..)?;
        let word = |at: usize| Some(u16::from_be_bytes(icmp.get(at..at + 2)?.try_into().ok()?));
        (*icmp.first()? == self.types().1 && word(4)? == ident).then_some(usize::from(word(6)?))
    }
}

fn sockaddr(address: IpAddr) -> SockaddrStorage {
    SockaddrStorage::from(SocketAddr::new(address, 0))
}

fn address_of(from: &SockaddrStorage) -> Option<IpAddr> {
    match from.family()? {
        AddressFamily::Inet => from
            .as_sockaddr_in()
            .map(|from| IpAddr::V4(SocketAddrV4::from(*from).ip().to_owned())),
        AddressFamily::Inet6 => from
            .as_sockaddr_in6()
            .map(|from| IpAddr::V6(SocketAddrV6::from(*from).ip().to_owned())),
        _ => None,
    }
}

fn ident() -> u16 {
    use std::sync::atomic::{AtomicU16, Ordering};
    static NEXT: AtomicU16 = AtomicU16::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netlink::Netlink;
    use crate::netns::apart::apart;

    #[test]
    fn request_has_a_right_checksum() {
        // A packet with its checksum in place sums to zero.
        assert_eq!(checksum(&Family::V4.echo_request(7, 3)), 0);
    }

    #[test]
    fn reply_is_told_from_junk() {
        for (family, header) in [(Family::V4, 20), (Family::V6, 0)] {
            let mut packet = vec![0x45; header];
            let mut icmp = family.echo_request(7, 3);
            assert_eq!(family.echo_reply(&[&packet[..], &icmp].concat(), 7), None);
            icmp[0] = family.types().1;
            packet.extend(icmp);
            assert_eq!(family.echo_reply(&packet, 7), Some(3));
            assert_eq!(family.echo_reply(&packet, 8), None);
            assert_eq!(family.echo_reply(&packet[..=header], 7), None);
        }
    }

    #[test]
    fn both_families_answer_at_once_and_what_is_not_there_does_not() {
        apart(|| {
            let mut netlink = Netlink::open().expect("netlink");
            netlink.set_up("lo", true).expect("up");
            let netns = Netns::current("test").expect("a namespace");
            let address = |text: &str| text.parse::<IpAddr>().expect("an address");
            let to = [
                address("::1"),
                address("127.0.0.1"),
                address("2001:db8::1"),
                address("127.0.0.2"),
                address("192.0.2.1"),
            ];
            let hour = Duration::from_secs(3600);
            let seen = ping(&netns, None, &to, hour).expect("pinged");
            let answered: Vec<bool> = seen.iter().map(Option::is_some).collect();
            assert_eq!(answered, [true, true, false, true, false]);
            let seen = ping(&netns, Some(to[0]), &to[..1], hour).expect("pinged");
            assert!(seen[0].is_some());
            let mixed = ping(&netns, Some(to[0]), &to, hour).expect_err("two families");
            assert_eq!(
                std::error::Error::source(&mixed)
                    .expect("a cause")
                    .to_string(),
                "::1 and 127.0.0.1 are not of one address family"
            );
        });
    }
}
