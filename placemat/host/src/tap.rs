//! TAP devices. rtnetlink does not make them; the ioctl of `/dev/net/tun` does.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

const IFF_TAP: libc::c_short = 0x0002;
const IFF_NO_PI: libc::c_short = 0x1000;
const IFF_VNET_HDR: libc::c_short = 0x4000;

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

/// Makes a TAP device in the calling thread's namespace, with virtio headers, and gives the
/// descriptor that QEMU is to have. The device goes with its last descriptor.
pub fn create(name: &str) -> Result<OwnedFd, TapError> {
    let file: File = OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/net/tun")
        .map_err(TapError::Device)?;
    let mut request = ifreq(name);
    request.ifr_ifru.ifru_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
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

/// Plugs the TAP in or pulls it out: without a machine behind it that runs, it has no carrier.
/// Frames that wait to be read are dropped, so that a machine never gets those of its last life.
pub fn set_carrier(tap: &OwnedFd, on: bool) -> io::Result<()> {
    let value = libc::c_int::from(on);
    // SAFETY: the descriptor is open, and TUNSETCARRIER reads one `int`.
    let done = unsafe { libc::ioctl(tap.as_raw_fd(), TUNSETCARRIER, &raw const value) };
    if done != 0 {
        return Err(io::Error::last_os_error());
    }
    nix::fcntl::fcntl(
        tap,
        nix::fcntl::FcntlArg::F_SETFL(nix::fcntl::OFlag::O_NONBLOCK),
    )?;
    let mut frame = [0; 2048];
    while nix::unistd::read(tap, &mut frame).is_ok_and(|count| count > 0) {}
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
    use nix::sched::{CloneFlags, unshare};

    #[test]
    fn carrier_comes_and_goes() {
        let in_own_namespace = || {
            if let Err(error) = unshare(CloneFlags::CLONE_NEWNET) {
                assert!(
                    !std::env::var("PLACEMAT_REQUIRE")
                        .unwrap_or_default()
                        .contains("root"),
                    "PLACEMAT_REQUIRE names root, but: {error}"
                );
                eprintln!("skipped: a network namespace of its own: {error}");
                return;
            }
            let tap = create("tap0").expect("tap");
            let mut netlink = Netlink::open().expect("netlink");
            netlink.set_up("tap0", true).expect("up");
            let mut carrier = || {
                let links = netlink.links().expect("links");
                links.iter().any(|link| link.name == "tap0" && link.carrier)
            };
            assert!(carrier());
            set_carrier(&tap, false).expect("off");
            assert!(!carrier());
            set_carrier(&tap, true).expect("on");
            assert!(carrier());
        };
        std::thread::spawn(in_own_namespace)
            .join()
            .expect("the thread ends");
    }
}
