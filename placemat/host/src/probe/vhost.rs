//! Whether this host moves frames of NICs in the kernel (vhost-net), and the descriptors for it.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

nix::ioctl_read!(
    /// `VHOST_GET_FEATURES` of `linux/vhost.h`.
    get_features,
    0xaf,
    0x00,
    u64
);

/// Opens `count` descriptors of vhost-net, one a pair of queues. They serve one QEMU: what it makes
/// of them cannot be undone.
pub fn open(count: usize) -> io::Result<Vec<OwnedFd>> {
    (0..count).map(|_| Ok(device()?.into())).collect()
}

/// Whether vhost-net is there, may be used, and answers.
pub fn works() -> bool {
    let Ok(device) = device() else {
        return false;
    };
    let mut features: u64 = 0;
    // SAFETY: the descriptor is open, and VHOST_GET_FEATURES writes one `u64`.
    let done = unsafe { get_features(device.as_raw_fd(), &raw mut features) };
    done.is_ok() && features != 0
}

fn device() -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/vhost-net")
}
