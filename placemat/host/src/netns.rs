//! Network namespaces: made, named under `/run/netns` and entered on threads of their own.
//!
//! A worker thread of the async runtime never changes its namespace: if it failed to come back, it
//! would poison the pool. A thread that enters a namespace here ends with the work.

#[cfg(test)]
pub(crate) mod apart;

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};
use std::fs::File;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::path::PathBuf;
use std::sync::Arc;

/// Where names of namespaces live; `ip netns` looks there too.
const NETNS_DIR: &str = "/run/netns";

/// A network namespace, held by descriptor. Clones are the same namespace.
#[derive(Debug, Clone)]
pub struct Netns {
    name: Arc<str>,
    fd: Arc<OwnedFd>,
}

/// Why a namespace could not be made or entered.
#[derive(Debug, thiserror::Error)]
#[error("{act} network namespace {name}")]
pub struct NetnsError {
    act: &'static str,
    name: String,
    source: std::io::Error,
}

impl Netns {
    /// Makes a namespace with every interface but `lo` missing, under `/run/netns/NAME`.
    pub fn create(name: &str) -> Result<Self, NetnsError> {
        let path = named(name);
        Self::make(name, || {
            File::create(&path)?;
            Ok(mount(
                Some("/proc/thread-self/ns/net"),
                &path,
                None::<&str>,
                MsFlags::MS_BIND,
                None::<&str>,
            )?)
        })
    }

    /// Takes its name away: it ends with its last process, descriptor and clone.
    pub fn forget(&self) -> Result<(), NetnsError> {
        let path = named(&self.name);
        let failed = |source| NetnsError {
            act: "take the name from",
            name: self.name.to_string(),
            source,
        };
        umount2(&path, MntFlags::MNT_DETACH).map_err(|errno| failed(errno.into()))?;
        std::fs::remove_file(&path).map_err(failed)
    }

    /// Makes a namespace that no file names: it ends with its last process and descriptor.
    pub fn unnamed(name: &str) -> Result<Self, NetnsError> {
        Self::make(name, || Ok(()))
    }

    /// Makes a namespace and does `then` in it, on a thread of its own.
    fn make(
        name: &str,
        then: impl FnOnce() -> std::io::Result<()> + Send,
    ) -> Result<Self, NetnsError> {
        let fd = on_thread(name, "create", || {
            unshare(CloneFlags::CLONE_NEWNET)?;
            let own = File::open("/proc/thread-self/ns/net")?;
            then()?;
            Ok(OwnedFd::from(own))
        })?;
        Ok(Self {
            name: name.into(),
            fd: Arc::new(fd),
        })
    }

    /// The namespace that the calling thread is in.
    pub fn current(name: &str) -> Result<Self, NetnsError> {
        let file = File::open("/proc/thread-self/ns/net").map_err(|source| NetnsError {
            act: "open",
            name: name.into(),
            source,
        })?;
        Ok(Self {
            name: name.into(),
            fd: Arc::new(file.into()),
        })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its descriptor, for messages that move interfaces into it.
    pub fn raw_fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }

    /// Runs `work` on a thread inside the namespace and waits for it.
    pub fn run<T, F>(&self, work: F) -> Result<T, NetnsError>
    where
        T: Send,
        F: FnOnce() -> std::io::Result<T> + Send,
    {
        on_thread(&self.name, "work in", || {
            setns(self.fd.as_fd(), CloneFlags::CLONE_NEWNET)?;
            work()
        })
    }

    /// Moves the calling thread in. Only for threads that end there.
    pub(crate) fn enter_for_good(&self) -> nix::Result<()> {
        setns(self.fd.as_fd(), CloneFlags::CLONE_NEWNET)
    }
}

/// A TCP socket that does not block, for an address of this family, in the calling thread's
/// namespace.
pub fn stream_socket(of: SocketAddr) -> std::io::Result<OwnedFd> {
    let family = if of.is_ipv4() {
        AddressFamily::Inet
    } else {
        AddressFamily::Inet6
    };
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    Ok(socket(family, SockType::Stream, flags, None)?)
}

impl AsFd for Netns {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

fn named(name: &str) -> PathBuf {
    PathBuf::from(NETNS_DIR).join(name)
}

fn on_thread<T, F>(name: &str, act: &'static str, work: F) -> Result<T, NetnsError>
where
    T: Send,
    F: FnOnce() -> std::io::Result<T> + Send,
{
    std::thread::scope(|scope| {
        scope
            .spawn(work)
            .join()
            .unwrap_or_else(|_| Err(std::io::Error::other("its thread panicked")))
    })
    .map_err(|source| NetnsError {
        act,
        name: name.into(),
        source,
    })
}
