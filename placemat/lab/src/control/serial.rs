//! Serial consoles on Unix sockets of their own, as placemat v2 had them: `FOLDER/NODE.socket`, for
//! whoever connects with `socat`. Any number of readers share one.

use super::v2::socket_path;
use crate::lab::Lab;
use std::fs;
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixListener as Listener;
use std::path::{Path, PathBuf};
use tokio::net::{UnixListener, UnixStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The sockets of a lab's consoles. Their files go when it is dropped.
#[derive(Debug, Default)]
pub struct Sockets {
    files: Vec<PathBuf>,
    listeners: Vec<(String, Listener)>,
}

impl Sockets {
    /// Opens a socket for each of `nodes`. What a dead lab left in its place is replaced, what anybody
    /// else put there is an error. Needs no lab yet: the folder may be one that a lab cannot see.
    pub fn bind<'a>(folder: &Path, nodes: impl IntoIterator<Item = &'a str>) -> io::Result<Self> {
        let mut sockets = Self::default();
        for node in nodes {
            let path = socket_path(folder, node);
            let named = |error: io::Error| {
                io::Error::new(error.kind(), format!("{}: {error}", path.display()))
            };
            make_way(&path).map_err(named)?;
            let listener = Listener::bind(&path).map_err(named)?;
            sockets.files.push(path.clone());
            listener.set_nonblocking(true).map_err(named)?;
            sockets.listeners.push((node.to_owned(), listener));
        }
        Ok(sockets)
    }

    /// Serves them on `tasks` until `cancel`, and leaves the files to whoever holds a copy of this
    /// outside of the lab.
    pub fn serve(
        mut self,
        lab: &Lab,
        tasks: &TaskTracker,
        cancel: &CancellationToken,
    ) -> io::Result<()> {
        self.files.clear();
        for (node, listener) in std::mem::take(&mut self.listeners) {
            let listener = UnixListener::from_std(listener)?;
            let accept = accept(lab.clone(), node, listener, tasks.clone(), cancel.clone());
            let cancel = cancel.clone();
            tasks.spawn(async move {
                cancel.run_until_cancelled(accept).await;
            });
        }
        Ok(())
    }
}

async fn accept(
    lab: Lab,
    node: String,
    listener: UnixListener,
    tasks: TaskTracker,
    cancel: CancellationToken,
) {
    let Some(target) = lab.server(&node).map(|server| server.target()) else {
        return;
    };
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Too many clients at once must not end the console: some will go.
                tracing::warn!(%error, node, "cannot accept a client of the console");
                tokio::time::sleep(super::server::PAUSE).await;
                continue;
            }
        };
        let Ok(session) = lab.console(&target) else {
            return;
        };
        let cancel = cancel.clone();
        tasks.spawn(async move {
            cancel.run_until_cancelled(relay(session, stream)).await;
        });
    }
}

impl Drop for Sockets {
    fn drop(&mut self) {
        for file in &self.files {
            // Whoever comes next replaces it.
            let _ = fs::remove_file(file);
        }
    }
}

/// Removes a socket that nobody listens on any more.
fn make_way(path: &Path) -> io::Result<()> {
    let Ok(meta) = fs::symlink_metadata(path) else {
        return Ok(());
    };
    if !meta.file_type().is_socket() {
        return Err(io::Error::other("is there, and is no socket"));
    }
    if std::os::unix::net::UnixStream::connect(path).is_ok() {
        return Err(io::Error::other("another lab listens on it"));
    }
    fs::remove_file(path)
}

/// Copies between a console and a client until one of them is gone.
pub(super) async fn relay(
    mut console: crate::machine::ConsoleSession,
    stream: UnixStream,
) -> io::Result<()> {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let (mut read, mut write) = stream.into_split();
    let mut typed = [0_u8; 1024];
    loop {
        tokio::select! {
            shown = console.read() => match shown {
                Some(bytes) => write.write_all(&bytes).await?,
                None => return Ok(()),
            },
            got = read.read(&mut typed) => match got? {
                0 => return Ok(()),
                length => {
                    // A server without power hears nothing; its console is still there to look at.
                    let _ = console.write(typed[..length].to_vec()).await;
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_dead_lab_left_is_replaced() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("a.socket");
        make_way(&path).expect("nothing is there");
        let alive = std::os::unix::net::UnixListener::bind(&path).expect("bind");
        let error = make_way(&path).expect_err("it listens");
        assert_eq!(error.to_string(), "another lab listens on it");
        drop(alive);
        make_way(&path).expect("nobody listens");
        assert!(!path.exists());
        fs::write(&path, "mine").expect("write");
        let error = make_way(&path).expect_err("not ours");
        assert_eq!(error.to_string(), "is there, and is no socket");
        assert!(path.exists());
    }
}
