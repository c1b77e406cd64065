//! TAP devices. rtnetlink does not make them; the ioctl of `/dev/net/tun` does.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

const IFF_TAP: libc::c_short = 0x0002;
const IFF_NO_PI: libc::c_short = 0x1000;
const IFF_VNET_HDR: libc::c_short = 0x4000;
const IFF_MULTI_QUEUE: libc::c_short = 0x0100;
const IFF_ATTACH_QUEUE: libc::c_short = 0x0200;

/// What every TAP device here is: frames as they are, with virtio headers.
const FLAGS: libc::c_short = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;

/// `_IOW('T', 217, int)`, since Linux 3.8.
const TUNSETQUEUE: libc::Ioctl = 0x4004_54d9;

/// `_IOW('T', 226, int)`, since Linux 5.0. The type is that of `ioctl` in this C library.
const TUNSETCARRIER: libc::Ioctl = 0x4004_54e2;

/// Why a TAP device could not be made.
#[derive(Debug, thiserror::Error)]
pub enum TapError {
    /// `/dev/net/tun` cannot be opened.
    #[error(
        "open /dev/net/tun (QEMU nodes need the tun driver: `modprobe tun`, and read-write access to the device)"
    )]
    Device(#[source] io::Error),
    /// The kernel refused.
    #[error("create tap {name}")]
    Create {
        /// Name asked for.
        name: String,
        /// The kernel's answer.
        source: io::Error,
    },
}

/// A TAP device; it goes with its last descriptor.
#[derive(Debug)]
pub struct Tap {
    /// One descriptor a queue.
    queues: Vec<OwnedFd>,
}

impl Tap {
    /// Makes a TAP device in the calling thread's namespace, with virtio headers and `queues` pairs
    /// of queues (at least one).
    pub fn create(name: &str, queues: u32) -> Result<Self, TapError> {
        let mut flags = FLAGS;
        if queues > 1 {
            flags |= IFF_MULTI_QUEUE;
        }
        let queues = (0..queues.max(1)).map(|_| open_queue(name, flags));
        Ok(Self {
            queues: queues.collect::<Result<_, _>>()?,
        })
    }

    /// Descriptors of its queues for a QEMU that is to have them.
    pub fn descriptors(&self) -> io::Result<Vec<OwnedFd>> {
        self.queues.iter().map(OwnedFd::try_clone).collect()
    }

    /// Attaches the queues that a machine's last life has detached. QEMU takes each queue that it is
    /// given for attached, and aborts when it detaches one that is not.
    pub fn attach_queues(&self) -> io::Result<()> {
        // One that is alone cannot be detached.
        let mut several = self.queues.iter().filter(|_| self.queues.len() > 1);
        several.try_for_each(attach)
    }

    /// Plugs it in or pulls it out: without a machine behind it that runs, it has no carrier.
    /// Frames that wait to be read are dropped, so that a machine never gets those of its last life.
    pub fn set_carrier(&self, on: bool) -> io::Result<()> {
        for queue in &self.queues {
            set_carrier(queue, on)?;
        }
        Ok(())
    }
}

/// Makes a TAP device of one queue in the calling thread's namespace, for somebody else than a
/// machine.
pub(crate) fn create(name: &str) -> Result<OwnedFd, TapError> {
    open_queue(name, FLAGS)
}

fn open_queue(name: &str, flags: libc::c_short) -> Result<OwnedFd, TapError> {
    let file: File = OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/net/tun")
        .map_err(TapError::Device)?;
    let mut request = ifreq(name);
    request.ifr_ifru.ifru_flags = flags;
    // SAFETY: the descriptor is open, and TUNSETIFF reads and writes one `ifreq`.
    let done = unsafe { libc::ioctl(file.as_raw_fd(), libc::TUNSETIFF, &raw mut request) };
    if done != 0 {
        return Err(TapError::Create {
            name: name.into(),
            source: io::Error::last_os_error(),
        });
    }
    Ok(file.into())
}

fn attach(queue: &OwnedFd) -> io::Result<()> {
    let mut request = ifreq("");
    request.ifr_ifru.ifru_flags = IFF_ATTACH_QUEUE;
    // SAFETY: the descriptor is open, and TUNSETQUEUE reads one `ifreq`.
    let done = unsafe { libc::ioctl(queue.as_raw_fd(), TUNSETQUEUE, &raw mut request) };
    if done == 0 {
        return Ok(());
    }
    let error = io::Error::last_os_error();
    match error.raw_os_error() {
        // It is attached.
        Some(libc::EINVAL) => Ok(()),
        _ => Err(error),
    }
}

fn set_carrier(queue: &OwnedFd, on: bool) -> io::Result<()> {
    let value = libc::c_int::from(on);
    // SAFETY: the descriptor is open, and TUNSETCARRIER reads one `int`.
    let done = unsafe { libc::ioctl(queue.as_raw_fd(), TUNSETCARRIER, &raw const value) };
    if done != 0 {
        return Err(io::Error::last_os_error());
    }
    nix::fcntl::fcntl(
        queue,
        nix::fcntl::FcntlArg::F_SETFL(nix::fcntl::OFlag::O_NONBLOCK),
    )?;
    let mut frame = [0; 2048];
    while nix::unistd::read(queue, &mut frame).is_ok_and(|count| count > 0) {}
    Ok(())
}

fn ifreq(name: &str) -> libc::ifreq {
    // SAFETY: `ifreq` is plain data, for which all zeroes is a value.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request
        .ifr_name
        .iter_mut()
        .take(libc::IFNAMSIZ - 1)
        .zip(name.bytes())
    {
        *to = from.cast_signed();
    }
    request
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netlink::Netlink;
    use crate::netns::apart::apart;

    #[test]
    fn carrier_comes_and_goes() {
        apart(|| {
            let tap = Tap::create("tap0", 1).expect("tap");
            let mut netlink = Netlink::open().expect("netlink");
            netlink.set_up("tap0", true).expect("up");
            let mut carrier = || {
                let links = netlink.links().expect("links");
                links.iter().any(|link| link.name == "tap0" && link.carrier)
            };
            assert!(carrier());
            tap.set_carrier(false).expect("off");
            assert!(!carrier());
            tap.set_carrier(true).expect("on");
            assert!(carrier());
        });
    }

    #[test]
    fn queues_that_a_life_detached_come_back() {
        apart(|| {
            let tap = Tap::create("tap0", 3).expect("tap");
            assert_eq!(tap.descriptors().expect("descriptors").len(), 3);
            let detach = || {
                let mut request = ifreq("");
                request.ifr_ifru.ifru_flags = 0x0400; // IFF_DETACH_QUEUE
                let fd = tap.queues[2].as_raw_fd();
                // SAFETY: the descriptor is open, and TUNSETQUEUE reads one `ifreq`.
                unsafe { libc::ioctl(fd, TUNSETQUEUE, &raw mut request) }
            };
            assert_eq!(detach(), 0);
            assert_eq!(detach(), -1, "it is detached, which QEMU aborts on");
            tap.attach_queues().expect("attach");
            tap.attach_queues().expect("again");
            assert_eq!(detach(), 0, "it was attached again");
        });
    }
}
