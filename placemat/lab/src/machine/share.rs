//! Daemons of shared folders: one `virtiofsd` a folder, for one life of a machine.

use super::spec::{Carrier, Share};
use placemat_host::inherit::inherit;
use std::fs::{self, File};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Stdio;
use tokio::process::{Child, Command};

/// Starts what a machine's shared folders need. QEMU can connect at once: the sockets are there,
/// and the daemons end when it does.
pub(super) fn start(shares: &[Share], log: &File) -> io::Result<Vec<Child>> {
    let mut daemons = Vec::new();
    for share in shares {
        if let Carrier::Virtiofs { daemon, socket } = &share.carrier {
            daemons.push(serve(&share.path, daemon, socket, log)?);
        }
    }
    Ok(daemons)
}

fn serve(path: &Path, daemon: &Path, socket: &Path, log: &File) -> io::Result<Child> {
    let listener = OwnedFd::from(listen(socket)?);
    let mut command = Command::new(daemon);
    // The older form of its options is the one that the C daemon of QEMU and the Rust one share.
    command
        .arg(format!("--fd={}", listener.as_raw_fd()))
        .args(["-o", "sandbox=chroot", "-o"])
        .arg(format!("source={}", path.display()))
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log.try_clone()?)
        .kill_on_drop(true);
    inherit(&mut command, vec![listener]);
    command.spawn()
}

/// The socket of the life before is no use to this one.
fn listen(socket: &Path) -> io::Result<UnixListener> {
    if let Some(folder) = socket.parent() {
        fs::create_dir_all(folder)?;
    }
    match fs::remove_file(socket) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    UnixListener::bind(socket)
}
