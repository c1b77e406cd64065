//! PID 1 of a container: single-threaded, starts programs on order, reaps, reports.

use super::root::{self, Root};
use super::settings::{Identity, Settings};
use super::wire::{self, Order, Reply};
use crate::capability;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fs;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

/// What init must know to set the container up.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Setup {
    pub(super) name: String,
    pub(super) root: Root,
    pub(super) forwards: bool,
    /// There is a limit to what its processes may use.
    pub(super) limited: bool,
}

/// Runs as init. `setup` is the argument after [`super::INIT_ARGUMENT`]; standard input is the
/// socket to the lab. Returns when the lab closed it.
pub fn main(setup: &str) {
    // Taken from standard input, so that programs do not inherit it.
    let Ok(socket) = io::stdin().as_fd().try_clone_to_owned() else {
        return;
    };
    if let Ok(null) = fs::File::open("/dev/null") {
        let _ = nix::unistd::dup2_stdin(&null);
    }
    let Ok(setup) = serde_json::from_str::<Setup>(setup) else {
        return;
    };
    match set_up(&setup) {
        Ok(signals) => {
            if wire::send(&socket, &Reply::Ready, &[]).is_ok() {
                serve(&socket, &signals, setup.limited);
            }
        }
        Err(error) => {
            let _ = wire::send(
                &socket,
                &Reply::Broken {
                    reason: error.to_string(),
                },
                &[],
            );
        }
    }
}

fn set_up(setup: &Setup) -> io::Result<SignalFd> {
    let mut set = SigSet::empty();
    set.add(Signal::SIGCHLD);
    set.thread_block()?;
    let signals = SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;
    nix::unistd::setsid()?;
    nix::unistd::sethostname(&setup.name)?;
    root::enter(&setup.root)?;
    set_sysctls(setup.forwards)?;
    // A time server in a lab must not step the host's clock.
    capability::leave_the_clock()?;
    Ok(signals)
}

/// Sysctls of the namespace. A router forwards, has no reverse-path filter, and spreads flows over
/// equal paths by ports too (the default hashes addresses only, so that ports would spread nothing).
fn set_sysctls(forwards: bool) -> io::Result<()> {
    // Pings need no privilege. Refused where no group but one is mapped, and missed by nobody there.
    let _ = fs::write("/proc/sys/net/ipv4/ping_group_range", "0 2147483647");
    if !forwards {
        return Ok(());
    }
    for (key, value) in [
        ("ipv4/ip_forward", "1"),
        ("ipv6/conf/all/forwarding", "1"),
        ("ipv4/conf/all/rp_filter", "0"),
        ("ipv4/conf/default/rp_filter", "0"),
        ("ipv4/fib_multipath_hash_policy", "1"),
        ("ipv6/fib_multipath_hash_policy", "1"),
    ] {
        match fs::write(format!("/proc/sys/net/{key}"), value) {
            // A kernel without IPv6 has no such keys.
            Err(error) if !key.starts_with("ipv6") => {
                return Err(io::Error::new(error.kind(), format!("set {key}: {error}")));
            }
            _ => {}
        }
    }
    for entry in fs::read_dir("/proc/sys/net/ipv4/conf")? {
        let _ = fs::write(entry?.path().join("rp_filter"), "0");
    }
    Ok(())
}

/// Sends a reply, however long the lab takes to read. An error means that there is no lab any more.
fn tell(socket: &OwnedFd, reply: &Reply) -> io::Result<()> {
    loop {
        match wire::send(socket, reply, &[]) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                let mut fds = [PollFd::new(socket.as_fd(), PollFlags::POLLOUT)];
                poll(&mut fds, PollTimeout::NONE)?;
            }
            sent => return sent,
        }
    }
}

fn serve(socket: &OwnedFd, signals: &SignalFd, limited: bool) {
    let mut ids: HashMap<Pid, u64> = HashMap::new();
    loop {
        let mut fds = [
            PollFd::new(socket.as_fd(), PollFlags::POLLIN),
            PollFd::new(signals.as_fd(), PollFlags::POLLIN),
        ];
        match poll(&mut fds, PollTimeout::NONE) {
            Ok(_) | Err(nix::Error::EINTR) => {}
            Err(_) => return,
        }
        while let Ok(Some(_)) = signals.read_signal() {}
        for (id, exit) in reap(&mut ids) {
            if tell(socket, &Reply::Ended { id, exit }).is_err() {
                return;
            }
        }
        let order = match wire::receive::<Order>(socket) {
            Ok(Some(order)) => order,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
            // The lab is gone, or speaks another language: nothing inside has a purpose any more.
            Ok(None) | Err(_) => return,
        };
        match order {
            (
                Order::Spawn {
                    id,
                    argv,
                    env,
                    terminal,
                    settings,
                },
                stdio,
            ) => {
                let reply = match spawn(
                    &argv,
                    env,
                    How {
                        terminal,
                        settings,
                        limited,
                    },
                    stdio,
                ) {
                    Ok(pid) => {
                        ids.insert(pid, id);
                        Reply::Started { id }
                    }
                    Err(error) => Reply::Refused {
                        id,
                        reason: error.to_string(),
                    },
                };
                if tell(socket, &reply).is_err() {
                    return;
                }
            }
            (Order::Signal { id, signal }, _) => {
                let group = ids
                    .iter()
                    .find(|(_, each)| **each == id)
                    .map(|(pid, _)| *pid);
                if let (Some(pid), Ok(signal)) = (group, Signal::try_from(signal)) {
                    let _ = kill(Pid::from_raw(-pid.as_raw()), signal);
                }
            }
        }
    }
}

fn reap(ids: &mut HashMap<Pid, u64>) -> Vec<(u64, i32)> {
    let mut ended = Vec::new();
    loop {
        let (pid, exit) = match waitpid(Pid::from_raw(-1), Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::Exited(pid, code)) => (pid, code),
            Ok(WaitStatus::Signaled(pid, signal, _)) => (pid, 128 + signal as i32),
            Ok(WaitStatus::StillAlive) | Err(_) => return ended,
            Ok(_) => continue,
        };
        ended.extend(ids.remove(&pid).map(|id| (id, exit)));
    }
}

/// How a program is to be started.
struct How {
    terminal: bool,
    settings: Box<Settings>,
    /// There is a limit to what the container may use.
    limited: bool,
}

fn spawn(
    argv: &[String],
    env: Vec<(String, String)>,
    how: How,
    stdio: Vec<OwnedFd>,
) -> io::Result<Pid> {
    let Some((command, arguments)) = argv.split_first() else {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "no program given",
        ));
    };
    let Ok([stdin, stdout, stderr]) = <[OwnedFd; 3]>::try_from(stdio) else {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "three descriptors are needed",
        ));
    };
    let identity = how.settings.identity()?;
    let home = identity.as_ref().and_then(|who| who.home.clone());
    let mut command = Command::new(command);
    command
        .args(arguments)
        .env_clear()
        .env(
            "PATH",
            "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        )
        .env("HOME", home.as_deref().unwrap_or("/root"))
        .env("LANG", "C.UTF-8")
        .envs(env)
        .stdin(Stdio::from(stdin))
        .stdout(Stdio::from(stdout))
        .stderr(Stdio::from(stderr));
    if !how.terminal {
        command.process_group(0);
    }
    let (why, mut tell) = io::pipe()?;
    // Without a closure the way to exec is shorter.
    if how.terminal || how.limited || *how.settings != Settings::default() {
        // SAFETY: this process has a single thread, so that its child may do what it could.
        unsafe {
            command.pre_exec(move || {
                prepare(&how, identity.as_ref()).inspect_err(|error| {
                    // Only a number gets through to the parent by itself.
                    let _ = tell.write_all(error.to_string().as_bytes());
                })
            });
        }
    } else {
        drop(tell);
    }
    let spawned = with_children_heard(|| command.spawn());
    // With it the last end that can be written to closes.
    drop(command);
    let child = spawned.map_err(|error| {
        let mut reason = String::new();
        let _ = io::BufReader::new(why).read_to_string(&mut reason);
        if !reason.is_empty() {
            io::Error::new(error.kind(), reason)
        } else if error.kind() == io::ErrorKind::NotFound {
            io::Error::new(error.kind(), "no such program there")
        } else {
            error
        }
    })?;
    // Reaped by number: `Child` neither kills nor waits when dropped.
    Ok(Pid::from_raw(i32::try_from(child.id()).unwrap_or(i32::MAX)))
}

/// Does what starts a program with SIGCHLD as a program expects to find it: one that never heard of its
/// children's ends, as sshd and shells do, would wait for them forever.
fn with_children_heard<T>(work: impl FnOnce() -> T) -> T {
    let mut set = SigSet::empty();
    set.add(Signal::SIGCHLD);
    // Neither fails for a set like this one.
    let _ = set.thread_unblock();
    let done = work();
    let _ = set.thread_block();
    // Whoever ended meanwhile was not told of: look again.
    let _ = kill(Pid::this(), Signal::SIGCHLD);
    done
}

/// In the child, between fork and exec.
fn prepare(how: &How, identity: Option<&Identity>) -> io::Result<()> {
    if how.terminal {
        nix::unistd::setsid()?;
        // SAFETY: TIOCSCTTY takes an integer.
        if unsafe { libc::ioctl(0, libc::TIOCSCTTY, 0) } != 0 {
            return Err(io::Error::last_os_error());
        }
    }
    if how.limited {
        // Where the container's memory is out, the kernel is to take a program and not its init,
        // with which everything in it would end.
        let _ = fs::write("/proc/self/oom_score_adj", FIRST_TO_GO);
    }
    how.settings.apply(identity)
}

/// Against 0 of init, on the kernel's scale of 1000.
const FIRST_TO_GO: &str = "300";
