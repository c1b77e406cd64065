//! Containers: routers, boot servers and namespace servers. Own network, mount, PID, UTS and IPC
//! namespace, around one small init process ([`init`]) that starts whatever runs inside.
//!
//! Because init forks everything inside, nothing ever joins the namespaces from outside: no
//! `setns` between fork and exec. And pulling the plug is one act: kill init, and the kernel kills
//! the rest.

mod image;
pub mod init;
mod root;
mod settings;
mod wire;

pub use root::{Bind, Root};
pub use settings::Settings;

use crate::cgroup::Group;
use crate::netns::Netns;
use crate::pidfd;
use nix::sched::{CloneFlags, unshare};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};
use std::collections::HashMap;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::unix::AsyncFd;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// First argument of this program when it is to be a container's init. `main` hands over to
/// [`init::main`] on it, before anything else.
pub const INIT_ARGUMENT: &str = "__container-init";

/// Longest set-up of a container, which takes milliseconds; a file system may hang.
const SET_UP: Duration = Duration::from_secs(30);

/// What a container is made of.
#[derive(Debug, Clone)]
pub struct Spec {
    /// Host name inside, and name in messages.
    pub name: String,
    /// Its network namespace.
    pub netns: Netns,
    /// Its root file system.
    pub root: Root,
    /// Forwards packets: a router's sysctls are set.
    pub forwards: bool,
    /// What its processes count against.
    pub group: Option<Group>,
}

/// Why a container could not be made or used.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ContainerError {
    /// It could not be set up.
    #[error("start container {name}: {reason}")]
    Start {
        /// Its name.
        name: String,
        /// Why.
        reason: String,
    },
    /// A program could not be started inside.
    #[error("run {program} in {name}: {reason}")]
    Spawn {
        /// Container.
        name: String,
        /// Program.
        program: String,
        /// Why.
        reason: String,
    },
    /// It has ended.
    #[error("{name} has no power")]
    Gone {
        /// Its name.
        name: String,
    },
}

/// A program to run inside.
#[derive(Debug)]
pub struct Program {
    /// Program and arguments.
    pub argv: Vec<String>,
    /// Environment on top of a minimal one.
    pub env: Vec<(String, String)>,
    /// Standard input, output, error.
    pub stdio: [OwnedFd; 3],
    /// Make standard input its controlling terminal.
    pub terminal: bool,
}

/// How a program ended: exit code, or 128 + signal number.
pub type Exit = i32;

/// A program that runs inside. Dropping the handle does not end it.
#[derive(Debug)]
pub struct Process {
    id: u64,
    /// Resolves when it has ended; with an error when its container has.
    pub exit: oneshot::Receiver<Exit>,
}

/// A live container. Clones are the same one.
#[derive(Debug, Clone)]
pub struct Container {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    name: String,
    pid: i32,
    /// Names init even where its number has been given away again; readable once it has ended.
    pidfd: AsyncFd<OwnedFd>,
    socket: AsyncFd<OwnedFd>,
    state: Mutex<State>,
    ended: CancellationToken,
}

#[derive(Debug, Default)]
struct State {
    next_id: u64,
    waiting: HashMap<u64, Waiting>,
    gone: bool,
}

#[derive(Debug)]
struct Waiting {
    started: Option<oneshot::Sender<Result<(), String>>>,
    ended: Option<oneshot::Sender<Exit>>,
}

impl Container {
    /// Makes a container and waits until it is set up. Its keeper runs on `tasks` and ends when the
    /// container has.
    pub async fn start(spec: Spec, tasks: &TaskTracker) -> Result<Self, ContainerError> {
        let name = spec.name.clone();
        let failed = |reason: String| ContainerError::Start {
            name: name.clone(),
            reason,
        };
        let (ours, theirs) = socketpair(
            AddressFamily::Unix,
            SockType::SeqPacket,
            None,
            SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK,
        )
        .map_err(|errno| failed(errno.desc().into()))?;
        let child = spawn_init(&spec, theirs).map_err(|error| failed(error.to_string()))?;
        let pid = i32::try_from(child.id()).unwrap_or(i32::MAX);
        // SAFETY: an `OwnedFd` keeps its descriptor open and the same for as long as it lives.
        let socket =
            unsafe { AsyncFd::register(ours) }.map_err(|error| failed(error.to_string()))?;
        // A child of ours that has not been waited for.
        let pidfd = pidfd::open(pid).map_err(|error| failed(error.to_string()))?;
        // SAFETY: as above.
        let pidfd =
            unsafe { AsyncFd::register(pidfd) }.map_err(|error| failed(error.to_string()))?;
        let container = Self {
            inner: Arc::new(Inner {
                name: name.clone(),
                pid,
                pidfd,
                socket,
                state: Mutex::default(),
                ended: CancellationToken::new(),
            }),
        };
        // The first message says how the set-up went.
        let first = tokio::time::timeout(SET_UP, container.receive()).await;
        let outcome = match first {
            Ok(Some(wire::Reply::Ready)) => Ok(()),
            Ok(Some(wire::Reply::Broken { reason })) => Err(failed(reason)),
            Ok(_) => Err(failed("its init ended".into())),
            Err(_) => Err(failed(format!("not set up within {} s", SET_UP.as_secs()))),
        };
        if outcome.is_err() {
            // One that hangs would never end by itself.
            container.kill();
        }
        let keeper = container.clone();
        tasks.spawn(async move { keeper.keep(child).await });
        outcome.map(|()| container)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// Process id of its init, as the lab sees it.
    pub fn pid(&self) -> i32 {
        self.inner.pid
    }

    /// Starts a program inside and returns once `exec` has succeeded.
    pub async fn spawn(&self, program: Program) -> Result<Process, ContainerError> {
        self.spawn_with(program, Settings::default()).await
    }

    /// As [`Container::spawn`], with a say in where and as whom it runs.
    pub async fn spawn_with(
        &self,
        program: Program,
        settings: Settings,
    ) -> Result<Process, ContainerError> {
        let argv0 = program.argv.first().cloned().unwrap_or_default();
        let failed = |reason: String| ContainerError::Spawn {
            name: self.inner.name.clone(),
            program: argv0.clone(),
            reason,
        };
        let (started_tx, started) = oneshot::channel();
        let (ended_tx, exit) = oneshot::channel();
        let id = {
            let mut state = self.state();
            if state.gone {
                return Err(self.gone());
            }
            state.next_id += 1;
            let id = state.next_id;
            state.waiting.insert(
                id,
                Waiting {
                    started: Some(started_tx),
                    ended: Some(ended_tx),
                },
            );
            id
        };
        let order = wire::Order::Spawn {
            id,
            argv: program.argv,
            env: program.env,
            terminal: program.terminal,
            settings: Box::new(settings),
        };
        let sent = self.send(&order, &program.stdio).await;
        drop(program.stdio);
        if let Err(error) = sent {
            self.state().waiting.remove(&id);
            return Err(if error.kind() == io::ErrorKind::BrokenPipe {
                self.gone()
            } else {
                failed(error.to_string())
            });
        }
        match started.await {
            Ok(Ok(())) => Ok(Process { id, exit }),
            Ok(Err(reason)) => Err(failed(reason)),
            Err(_) => Err(self.gone()),
        }
    }

    /// Sends a signal to a program's process group. A program that has ended is no error.
    pub async fn signal(&self, process: &Process, signal: i32) {
        self.signal_id(process.id, signal).await;
    }

    /// As [`Container::signal`], for a process whose handle is elsewhere.
    pub async fn signal_id(&self, id: u64, signal: i32) {
        // A container that is gone has taken the program with it.
        let _ = self.send(&wire::Order::Signal { id, signal }, &[]).await;
    }

    /// Pulls the plug: everything inside is killed, nothing is flushed.
    pub fn kill(&self) {
        // A container that is gone already needs no killing.
        let _ = pidfd::signal(&self.inner.pidfd, libc::SIGKILL);
    }

    /// Resolves when the last process inside is gone, and with it whatever it held.
    pub async fn ended(&self) {
        self.inner.ended.cancelled().await;
    }

    /// Whether its init has ended.
    pub fn is_gone(&self) -> bool {
        self.state().gone
    }

    /// Receives until init has ended, then reaps it and fails whatever still waits.
    async fn keep(self, mut child: Child) {
        while let Some(reply) = self.receive().await {
            self.dispatch(reply);
        }
        // The socket closes when init dies: the wait is for the kernel to finish the namespace.
        self.kill();
        let _ = self.inner.pidfd.readable().await;
        let _ = child.try_wait();
        {
            let mut state = self.state();
            state.gone = true;
            state.waiting.clear();
        }
        self.inner.ended.cancel();
    }

    fn dispatch(&self, reply: wire::Reply) {
        let mut state = self.state();
        match reply {
            wire::Reply::Ready | wire::Reply::Broken { .. } => {}
            wire::Reply::Started { id } => {
                if let Some(started) = state.waiting.get_mut(&id).and_then(|w| w.started.take()) {
                    let _ = started.send(Ok(()));
                }
            }
            wire::Reply::Refused { id, reason } => {
                if let Some(started) = state.waiting.remove(&id).and_then(|w| w.started) {
                    let _ = started.send(Err(reason));
                }
            }
            wire::Reply::Ended { id, exit } => {
                if let Some(ended) = state.waiting.remove(&id).and_then(|w| w.ended) {
                    let _ = ended.send(exit);
                }
            }
        }
    }

    async fn send(&self, order: &wire::Order, fds: &[OwnedFd]) -> io::Result<()> {
        loop {
            let mut guard = self.inner.socket.writable().await?;
            if let Ok(sent) = guard.try_io(|socket| wire::send(socket.get_ref(), order, fds)) {
                return sent;
            }
        }
    }

    async fn receive(&self) -> Option<wire::Reply> {
        loop {
            let mut guard = self.inner.socket.readable().await.ok()?;
            if let Ok(received) = guard.try_io(|socket| wire::receive(socket.get_ref())) {
                return received.ok().flatten().map(|(reply, _)| reply);
            }
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.inner
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn gone(&self) -> ContainerError {
        ContainerError::Gone {
            name: self.inner.name.clone(),
        }
    }
}

impl Process {
    /// Its id, for [`Container::signal_id`].
    pub fn id(&self) -> u64 {
        self.id
    }
}

/// Starts init from a throw-away thread that has moved into the namespaces: a child of that thread
/// is born in them, and as PID 1 of its own.
fn spawn_init(spec: &Spec, socket: OwnedFd) -> io::Result<Child> {
    let setup = serde_json::to_string(&init::Setup {
        name: spec.name.clone(),
        root: spec.root.clone(),
        forwards: spec.forwards,
        limited: spec.group.is_some(),
    })?;
    let groups = spec.group.as_ref().map(Group::open).transpose()?;
    let groups = groups.unwrap_or_default();
    std::thread::scope(|scope| {
        let thread = scope.spawn(move || {
            spec.netns.enter_for_good()?;
            unshare(
                CloneFlags::CLONE_NEWNS
                    | CloneFlags::CLONE_NEWUTS
                    | CloneFlags::CLONE_NEWIPC
                    | CloneFlags::CLONE_NEWPID,
            )?;
            let mut command = Command::new("/proc/self/exe");
            command
                .arg0("placemat-init")
                .arg(INIT_ARGUMENT)
                .arg(setup)
                .env_clear()
                .stdin(Stdio::from(socket))
                .stdout(Stdio::null())
                // Not the lab's: a lab that detaches must let go of its terminal.
                .stderr(Stdio::null());
            if !groups.is_empty() {
                // SAFETY: the closure writes one byte to each of some open files, and nothing else.
                unsafe { command.pre_exec(move || crate::cgroup::join(&groups)) };
            }
            command.spawn()
        });
        thread
            .join()
            .unwrap_or_else(|_| Err(io::Error::other("its thread panicked")))
    })
}
