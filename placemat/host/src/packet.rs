//! Packet sockets (packet(7)): frames of one link, as they are on the wire.

use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Duration;
use tokio::io::unix::AsyncFd;

/// `ETH_P_ALL`.
const EVERY_PROTOCOL: u16 = 0x0003;
const PACKET_VNET_HDR: libc::c_int = 15;
const PACKET_IGNORE_OUTGOING: libc::c_int = 23;
/// `TP_STATUS_VLAN_VALID` of a `tpacket_auxdata`.
const VLAN_VALID: u32 = 1 << 4;
/// `TP_STATUS_VLAN_TPID_VALID`.
const VLAN_TPID_VALID: u32 = 1 << 6;

/// Opens a socket that sees every frame of the link with this name in the calling thread's
/// namespace, sent and received, with the time of each. For [`receive`].
pub fn listen(link: &str) -> io::Result<OwnedFd> {
    // Protocol 0 until it is bound: nothing of other links comes in between.
    let fd = open()?;
    let index = nix::net::if_::if_nametoindex(link)?;
    set(&fd, libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, 1)?;
    set(&fd, libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, 8 << 20)
        .or_else(|_| set(&fd, libc::SOL_SOCKET, libc::SO_RCVBUF, 8 << 20))?;
    set(&fd, libc::SOL_PACKET, libc::PACKET_AUXDATA, 1)?;
    promiscuous(&fd, index)?;
    bind(&fd, index, EVERY_PROTOCOL)?;
    Ok(fd)
}

/// Opens a socket for a wire: reads what the link receives, if `reads`, and writes what it is to
/// send with `mark`, each frame behind a virtio-net header, as TAP devices have it.
pub(crate) fn wire(link: &str, reads: bool, mark: u32) -> io::Result<OwnedFd> {
    let fd = open()?;
    let index = nix::net::if_::if_nametoindex(link)?;
    set(&fd, libc::SOL_PACKET, PACKET_VNET_HDR, 1)?;
    set(&fd, libc::SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)?;
    set(&fd, libc::SOL_SOCKET, libc::SO_MARK, mark.cast_signed())?;
    if reads {
        promiscuous(&fd, index)?;
    }
    bind(&fd, index, if reads { EVERY_PROTOCOL } else { 0 })?;
    Ok(fd)
}

/// A frame that passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// When, since 1970.
    pub at: Duration,
    /// Its length on the wire in bytes.
    pub length: usize,
    /// Its first bytes, as many as were asked for.
    pub bytes: Vec<u8>,
    /// It was sent by the link, not received.
    pub sent: bool,
}

/// Takes the next frame from a socket of [`listen`], at most `most` bytes of it; `None` when there
/// is none yet. The tag of a VLAN, which the kernel takes off, is put back.
pub fn receive(fd: &OwnedFd, most: usize) -> io::Result<Option<Frame>> {
    let mut bytes = vec![0_u8; most];
    let mut slice = libc::iovec {
        iov_base: bytes.as_mut_ptr().cast(),
        iov_len: bytes.len(),
    };
    let mut control = [0_u64; 16];
    // SAFETY: `sockaddr_ll` and `msghdr` are plain data, for which all zeroes is a value.
    let (mut from, mut message): (libc::sockaddr_ll, libc::msghdr) =
        unsafe { (std::mem::zeroed(), std::mem::zeroed()) };
    message.msg_name = (&raw mut from).cast();
    message.msg_namelen = socket_length::<libc::sockaddr_ll>();
    message.msg_iov = &raw mut slice;
    message.msg_iovlen = 1;
    message.msg_control = control.as_mut_ptr().cast();
    message.msg_controllen = size_of_val(&control) as _;
    // SAFETY: every pointer of the message is to memory that outlives the call, with its length.
    let length = unsafe {
        libc::recvmsg(
            fd.as_raw_fd(),
            &raw mut message,
            libc::MSG_TRUNC | libc::MSG_DONTWAIT,
        )
    };
    let Ok(length) = usize::try_from(length) else {
        let error = io::Error::last_os_error();
        return if error.kind() == io::ErrorKind::WouldBlock {
            Ok(None)
        } else {
            Err(error)
        };
    };
    bytes.truncate(length);
    // Many may wait to be written, and most are far shorter than what might have come.
    bytes.shrink_to_fit();
    let mut frame = Frame {
        at: Duration::ZERO,
        length,
        bytes,
        sent: from.sll_pkttype == libc::PACKET_OUTGOING,
    };
    // SAFETY: the kernel filled `message` in; the macros walk within its control buffer.
    unsafe {
        let mut header = libc::CMSG_FIRSTHDR(&raw const message);
        while let Some(each) = header.as_ref() {
            let data = libc::CMSG_DATA(header);
            match (each.cmsg_level, each.cmsg_type) {
                (libc::SOL_SOCKET, libc::SCM_TIMESTAMPNS) => {
                    let time: libc::timespec = data.cast::<libc::timespec>().read_unaligned();
                    frame.at = Duration::new(
                        u64::try_from(time.tv_sec).unwrap_or(0),
                        u32::try_from(time.tv_nsec).unwrap_or(0),
                    );
                }
                (libc::SOL_PACKET, libc::PACKET_AUXDATA) => {
                    let aux = data.cast::<libc::tpacket_auxdata>().read_unaligned();
                    tag(&mut frame, &aux, most);
                }
                _ => {}
            }
            header = libc::CMSG_NXTHDR(&raw const message, header);
        }
    }
    Ok(Some(frame))
}

/// A socket of [`listen`], to be waited on.
#[derive(Debug)]
pub struct Listener {
    socket: AsyncFd<OwnedFd>,
}

impl Listener {
    /// Waits on a socket of [`listen`]. Needs a runtime.
    pub fn new(socket: OwnedFd) -> io::Result<Self> {
        // SAFETY: an `OwnedFd` keeps its descriptor open and the same for as long as it lives.
        let socket = unsafe { AsyncFd::register(socket) }?;
        Ok(Self { socket })
    }

    /// The next frame, at most `most` bytes of it. Cancel safe.
    pub async fn next(&self, most: usize) -> io::Result<Frame> {
        loop {
            let mut guard = self.socket.readable().await?;
            match receive(self.socket.get_ref(), most) {
                Ok(Some(frame)) => return Ok(frame),
                Ok(None) => guard.clear_ready(),
                // Said once when the link goes down; it may come up again.
                Err(error) if error.raw_os_error() == Some(libc::ENETDOWN) => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// Puts a VLAN tag back behind the two MAC addresses (IEEE 802.1Q).
fn tag(frame: &mut Frame, aux: &libc::tpacket_auxdata, most: usize) {
    const MACS: usize = 12;
    if aux.tp_status & VLAN_VALID == 0 || frame.bytes.len() < MACS {
        return;
    }
    let protocol = if aux.tp_status & VLAN_TPID_VALID == 0 {
        0x8100
    } else {
        aux.tp_vlan_tpid
    };
    let tag = [protocol.to_be_bytes(), aux.tp_vlan_tci.to_be_bytes()].concat();
    frame.bytes.splice(MACS..MACS, tag);
    frame.bytes.truncate(most);
    frame.length += 4;
}

fn open() -> io::Result<OwnedFd> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    Ok(socket(AddressFamily::Packet, SockType::Raw, flags, None)?)
}

fn bind(fd: &OwnedFd, index: u32, protocol: u16) -> io::Result<()> {
    // SAFETY: `sockaddr_ll` is plain data, for which all zeroes is a value.
    let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
    address.sll_family = u16::try_from(libc::AF_PACKET).unwrap_or(0);
    address.sll_protocol = protocol.to_be();
    address.sll_ifindex = index.cast_signed();
    // SAFETY: the address lives through the call and has the length that is passed with it.
    let done = unsafe {
        libc::bind(
            fd.as_raw_fd(),
            (&raw const address).cast(),
            socket_length::<libc::sockaddr_ll>(),
        )
    };
    if done == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

fn promiscuous(fd: &OwnedFd, index: u32) -> io::Result<()> {
    let membership = libc::packet_mreq {
        mr_ifindex: index.cast_signed(),
        mr_type: u16::try_from(libc::PACKET_MR_PROMISC).unwrap_or(0),
        mr_alen: 0,
        mr_address: [0; 8],
    };
    set_raw(
        fd,
        libc::SOL_PACKET,
        libc::PACKET_ADD_MEMBERSHIP,
        &membership,
    )
}

fn set(fd: &OwnedFd, level: libc::c_int, name: libc::c_int, value: libc::c_int) -> io::Result<()> {
    set_raw(fd, level, name, &value)
}

fn set_raw<T>(fd: &OwnedFd, level: libc::c_int, name: libc::c_int, value: &T) -> io::Result<()> {
    // SAFETY: the value lives through the call and has the length that is passed with it.
    let done = unsafe {
        libc::setsockopt(
            fd.as_raw_fd(),
            level,
            name,
            std::ptr::from_ref(value).cast(),
            socket_length::<T>(),
        )
    };
    if done == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

fn socket_length<T>() -> libc::socklen_t {
    libc::socklen_t::try_from(size_of::<T>()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vlan_tag_is_put_back_within_the_limit() {
        let mut frame = Frame {
            at: Duration::ZERO,
            length: 20,
            bytes: (0..20).collect(),
            sent: false,
        };
        // SAFETY: plain data, for which all zeroes is a value.
        let mut aux: libc::tpacket_auxdata = unsafe { std::mem::zeroed() };
        tag(&mut frame, &aux, 20);
        assert_eq!(frame.length, 20);
        aux.tp_status = VLAN_VALID;
        aux.tp_vlan_tci = 100;
        tag(&mut frame, &aux, 20);
        assert_eq!((frame.length, frame.bytes.len()), (24, 20));
        assert_eq!(frame.bytes[11..17], [11, 0x81, 0, 0, 100, 12]);
    }
}
