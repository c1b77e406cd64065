//! The lab's sandbox: new user (when not root), mount, PID, network, UTS and IPC namespaces, made
//! before the program has a second thread.
//!
//! ```text
//! placemat up        host side: relays signals and the exit status ([`parent`])
//!   └─ init          PID 1 of the lab: reaps, forwards signals ([`init`])
//!        └─ lab      PID 2: everything else; what [`enter`] returns into as `Side::Lab`
//! ```
//!
//! When init dies, however it dies, the kernel kills every process of the lab and drops its links,
//! mounts and namespaces. Init dies with the parent (`PR_SET_PDEATHSIG`), detached until the lab is
//! ready, and ends when the lab process ends. So there is no instant at which a SIGKILL leaves
//! anything behind.

mod ids;
mod init;
mod mounts;
mod outpost;
mod outside;
mod parent;

pub use ids::IdMap;
pub use mounts::{RUN_DIR, hides};
pub use outpost::Outpost;
pub use outside::Outside;

use crate::netns::Netns;
use nix::sys::signal::{SigHandler, Signal, signal};
use nix::unistd::{ForkResult, Pid, fork};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;

/// How the sandbox is to be made.
#[derive(Debug, Clone)]
pub struct Options {
    /// Host name inside.
    pub hostname: String,
    /// The lab's run directory on the host; it is found at [`RUN_DIR`] inside.
    pub run_dir: PathBuf,
    /// Outlive the parent: the parent returns once the lab calls [`LabSide::ready`].
    pub detach: bool,
    /// Leave a process of the lab in the host's network ([`LabSide::outpost`]).
    pub outpost: bool,
    /// Keep the host's network namespace at hand ([`LabSide::host_netns`]). Only root can use it.
    pub host_netns: bool,
}

/// Where the hub's network namespace has a name inside, if there is an outpost: for programs that
/// may not look into `/proc` of the lab's processes.
pub const HUB_NETNS: &str = "/run/hub-netns";

/// Which side of the sandbox the caller is on after [`enter`].
#[derive(Debug)]
pub enum Side {
    /// The host side. The lab has ended (or, detached, is ready): exit with this code.
    Parent {
        /// Exit code, 128 + signal number when a signal ended the lab.
        code: u8,
    },
    /// Inside. Runs the lab, then returns its exit code from `main`.
    Lab(LabSide),
}

/// What the lab knows of its sandbox.
#[derive(Debug)]
pub struct LabSide {
    /// How user ids are mapped.
    pub id_map: IdMap,
    /// The process that was left in the host's network, if one was asked for.
    pub outpost: Option<Outpost>,
    /// The host's network namespace, if it was asked for.
    pub host_netns: Option<Netns>,
    detach: bool,
}

impl LabSide {
    /// Lets a detaching parent go: by way of init, which was to die with it until now. Without a
    /// detaching parent it does nothing. Call it when the lab has let go of the terminal.
    pub fn ready(&mut self) {
        if std::mem::take(&mut self.detach) {
            // Init lives for as long as this process does.
            let _ = nix::sys::signal::kill(Pid::from_raw(1), init::READY);
        }
    }
}

/// Why a sandbox could not be made.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The kernel or its configuration does not allow the namespaces.
    #[error("create the lab's namespaces{}", hint_of(*.source))]
    Namespaces {
        /// The kernel's answer.
        source: nix::Error,
    },
    /// User ids could not be mapped.
    #[error("map user ids into the lab: {0}")]
    IdMap(String),
    /// A step of the set-up inside failed.
    #[error("set up the lab's sandbox: {0}")]
    Inside(String),
    /// The same, as the inside told it.
    #[error("{0}")]
    Told(String),
    /// A system call of the plumbing failed.
    #[error("{act}")]
    System {
        /// What was being done.
        act: &'static str,
        /// Why it failed.
        source: io::Error,
    },
}

fn hint_of(errno: nix::Error) -> &'static str {
    match errno {
        nix::Error::EPERM | nix::Error::EACCES => {
            " (unprivileged user namespaces are not allowed here; `placemat doctor` tells how to allow them)"
        }
        nix::Error::ENOSPC => " (the limit user.max_user_namespaces or its like is reached)",
        _ => "",
    }
}

fn system(act: &'static str) -> impl FnOnce(nix::Error) -> SandboxError {
    move |errno| SandboxError::System {
        act,
        source: errno.into(),
    }
}

/// Lets go of the terminal: standard input, output and error become `/dev/null`.
fn silence() -> std::io::Result<()> {
    let null = std::fs::File::options()
        .read(true)
        .write(true)
        .open("/dev/null")?;
    nix::unistd::dup2_stdin(&null)?;
    nix::unistd::dup2_stdout(&null)?;
    nix::unistd::dup2_stderr(&null)?;
    Ok(())
}

/// Makes the sandbox. Call it before the process has a second thread.
///
/// Returns twice, once on each [`Side`]: in the calling process, when the lab has ended, and in the
/// lab's own process, at once.
pub fn enter(options: &Options) -> Result<Side, SandboxError> {
    assert_single_threaded()?;
    let privileged = nix::unistd::geteuid().is_root();
    // The child waits on `go` for its ids; the parent's death closes it as well.
    let (go_read, go_write) = pipe()?;
    let (ready_read, ready_write) = pipe()?;
    let host_netns = options
        .host_netns
        .then(|| Netns::current("host"))
        .transpose()
        .map_err(|error| SandboxError::Inside(error.to_string()))?;
    // Before the child exists, so that no signal is lost between.
    parent::block_relayed_signals().map_err(system("block signals"))?;

    match clone_into_namespaces(privileged, !options.outpost)? {
        None => {
            drop(go_write);
            drop(ready_read);
            let outcome = inside(options, privileged, go_read, ready_write.as_fd());
            match outcome {
                Ok((id_map, outpost)) => Ok(Side::Lab(LabSide {
                    id_map,
                    outpost,
                    host_netns,
                    detach: options.detach,
                })),
                Err(error) => {
                    // The parent prints it: one voice, whatever happens.
                    let cause = std::error::Error::source(&error);
                    let cause = cause.map(|cause| format!(": {cause}")).unwrap_or_default();
                    let text = format!("E{error}{cause}");
                    let _ = std::fs::File::from(ready_write).write_all(text.as_bytes());
                    Ok(Side::Parent { code: 4 })
                }
            }
        }
        Some(init) => {
            drop(go_read);
            drop(ready_write);
            let id_map = if privileged {
                Ok(IdMap::Host)
            } else {
                ids::write_maps(init)
            };
            let id_map = match id_map {
                Ok(id_map) => id_map,
                Err(error) => {
                    drop(go_write);
                    parent::reap(init);
                    return Err(error);
                }
            };
            std::fs::File::from(go_write)
                .write_all(&[id_map.code()])
                .map_err(|source| SandboxError::System {
                    act: "start the lab's init",
                    source,
                })?;
            parent::attend(init, ready_read, options.detach)
        }
    }
}

/// Whether this user could make a sandbox here: makes one that ends at once. In words, how.
pub fn probe() -> Result<&'static str, SandboxError> {
    let work = || nix::unistd::sethostname("placemat").is_ok().then(Vec::new);
    let (id_map, _) = in_throwaway(work)?;
    Ok(match id_map {
        IdMap::Host => "as root",
        IdMap::Subordinate => "as an ordinary user, with subordinate ids",
        IdMap::Own => "as an ordinary user, with its own id only (package uidmap gives more)",
    })
}

/// Does `work` in namespaces as a lab's, which end with it, and gives what it tells: a few hundred
/// bytes, or nothing when it failed. Call it before the process has a second thread.
pub(crate) fn in_throwaway(
    work: impl FnOnce() -> Option<Vec<u8>>,
) -> Result<(IdMap, Vec<u8>), SandboxError> {
    assert_single_threaded()?;
    let privileged = nix::unistd::geteuid().is_root();
    let (go_read, go_write) = pipe()?;
    let (told_read, told_write) = pipe()?;
    let Some(init) = clone_into_namespaces(privileged, true)? else {
        drop(go_write);
        let mut code = [0_u8; 1];
        let got = std::fs::File::from(go_read).read(&mut code).unwrap_or(0);
        let able = got == 1 && ids::assume(IdMap::from_code(code[0]), privileged).is_ok();
        let told = if able { work() } else { None };
        let done = told.is_some_and(|told| {
            let mut pipe = std::fs::File::from(told_write);
            pipe.write_all(&told).is_ok()
        });
        // SAFETY: `_exit` takes an integer and does not return.
        unsafe { libc::_exit(i32::from(!done)) }
    };
    drop(told_write);
    let id_map = if privileged {
        Ok(IdMap::Host)
    } else {
        ids::write_maps(init)
    };
    if let Ok(id_map) = &id_map {
        let _ = std::fs::File::from(go_write).write_all(&[id_map.code()]);
    } else {
        drop(go_write);
    }
    let ended = nix::sys::wait::waitpid(init, None).map_err(system("wait for the probe"))?;
    let id_map = id_map?;
    if ended != nix::sys::wait::WaitStatus::Exited(init, 0) {
        return Err(SandboxError::Namespaces {
            source: nix::Error::EPERM,
        });
    }
    let mut told = Vec::new();
    let read = std::fs::File::from(told_read).read_to_end(&mut told);
    read.map_err(|source| SandboxError::System {
        act: "hear of the probe",
        source,
    })?;
    Ok((id_map, told))
}

/// PID 1's way to the lab process. Only PID 2 returns from here; PID 1 stays in [`init::run`].
fn inside(
    options: &Options,
    privileged: bool,
    go: OwnedFd,
    ready: std::os::fd::BorrowedFd<'_>,
) -> Result<(IdMap, Option<Outpost>), SandboxError> {
    // First of all: init may be stopped before it gets any further, and the parent killed then.
    tie_to_parent(options.detach)?;
    let mut code = [0_u8; 1];
    let mut go = std::fs::File::from(go);
    if go.read(&mut code).unwrap_or(0) != 1 {
        return Err(SandboxError::Inside("the parent went away".into()));
    }
    let id_map = IdMap::from_code(code[0]);
    ids::assume(id_map, privileged)?;
    // A session of its own: a terminal's Ctrl-C reaches the parent alone, which relays it.
    nix::unistd::setsid().map_err(system("start a session for the lab"))?;
    nix::sys::prctl::set_pdeathsig(Signal::SIGKILL).map_err(system("tie the lab to its parent"))?;
    // The parent may have died before that took effect: its end of the pipe tells.
    if nix::unistd::getppid() != Pid::from_raw(0) {
        return Err(SandboxError::Inside("not PID 1 of a new namespace".into()));
    }
    parent_is_alive(ready)?;
    nix::unistd::sethostname(&options.hostname).map_err(system("set the lab's host name"))?;
    mounts::set_up(&options.run_dir, options.outpost)?;
    let outpost = if options.outpost {
        let outpost = outpost::leave_behind()?;
        leave_host_network()?;
        Some(outpost)
    } else {
        None
    };
    // SAFETY: the process has a single thread (checked in `enter`, inherited through clone), so the
    // child may use everything the parent could.
    match unsafe { fork() }.map_err(system("fork the lab process"))? {
        ForkResult::Child => {
            // Init keeps them blocked: it takes them one by one and forwards them.
            parent::unblock_relayed_signals().map_err(system("unblock signals"))?;
            Ok((id_map, outpost))
        }
        ForkResult::Parent { child } => init::run(child, ready),
    }
}

/// What `clone` does where nobody is left behind.
fn leave_host_network() -> Result<(), SandboxError> {
    use nix::mount::{MsFlags, mount};
    nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNET)
        .map_err(|source| SandboxError::Namespaces { source })?;
    std::fs::File::create(HUB_NETNS).map_err(|source| SandboxError::System {
        act: "name the hub's network namespace",
        source,
    })?;
    let own = Some("/proc/self/ns/net");
    let none = None::<&str>;
    mount(own, HUB_NETNS, none, MsFlags::MS_BIND, none)
        .map_err(system("name the hub's network namespace"))
}

/// The kernel kills the caller when its parent dies, stopped or not. Not when it is to detach.
fn tie_to_parent(detach: bool) -> Result<(), SandboxError> {
    if detach {
        return Ok(());
    }
    nix::sys::prctl::set_pdeathsig(Signal::SIGKILL).map_err(system("tie the lab to its parent"))
}

/// The read end of the ready pipe is the parent's: once that is gone, so is the parent.
fn parent_is_alive(ready: std::os::fd::BorrowedFd<'_>) -> Result<(), SandboxError> {
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
    let mut fds = [PollFd::new(ready, PollFlags::empty())];
    poll(&mut fds, PollTimeout::ZERO).map_err(system("look for the parent"))?;
    let gone = fds[0]
        .revents()
        .is_some_and(|events| events.contains(PollFlags::POLLERR));
    if gone {
        return Err(SandboxError::Inside("the parent went away".into()));
    }
    Ok(())
}

fn pipe() -> Result<(OwnedFd, OwnedFd), SandboxError> {
    nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC).map_err(system("make a pipe"))
}

fn assert_single_threaded() -> Result<(), SandboxError> {
    let threads = std::fs::read_dir("/proc/self/task").map_or(1, Iterator::count);
    if threads == 1 {
        return Ok(());
    }
    Err(SandboxError::System {
        act: "create the lab's namespaces",
        source: io::Error::other(format!("{threads} threads are running already")),
    })
}

/// `fork` into new namespaces, without one for the network unless asked. `None` in the child, which is PID 1 of them.
fn clone_into_namespaces(privileged: bool, network: bool) -> Result<Option<Pid>, SandboxError> {
    let mut flags =
        libc::CLONE_NEWNS | libc::CLONE_NEWPID | libc::CLONE_NEWUTS | libc::CLONE_NEWIPC;
    if !privileged {
        flags |= libc::CLONE_NEWUSER;
    }
    if network {
        flags |= libc::CLONE_NEWNET;
    }
    // A child that inherits the default action of SIGCHLD can wait for its own children.
    // SAFETY: SIG_DFL is no handler.
    unsafe { signal(Signal::SIGCHLD, SigHandler::SigDfl) }.map_err(system("reset SIGCHLD"))?;
    // SAFETY: without CLONE_VM and with a null stack, clone acts as fork does; the process has a
    // single thread, so no lock can be held by a thread that the child does not have.
    let pid = unsafe {
        libc::syscall(
            libc::SYS_clone,
            libc::c_long::from(flags | libc::SIGCHLD),
            0_usize,
            0_usize,
            0_usize,
            0_usize,
        )
    };
    match pid {
        -1 => Err(SandboxError::Namespaces {
            source: nix::Error::last(),
        }),
        0 => Ok(None),
        pid => Ok(Some(Pid::from_raw(i32::try_from(pid).unwrap_or(i32::MAX)))),
    }
}
