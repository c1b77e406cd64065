//! Starts QEMU for one life of a machine: from power-on to power-off.

use super::command::{self, Descriptors};
use super::share;
use super::spec::{BootTarget, MachineSpec};
use super::tpm::TpmProcess;
use placemat_host::agent::Agent;
use placemat_host::inherit::{inherit, numbers};
use placemat_host::probe::vhost;
use placemat_host::qmp::{Qmp, QmpError, QmpEvents};
use placemat_host::tap::Tap;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream as StdUnixStream;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::net::UnixStream;
use tokio::process::{Child, Command};

/// Bounds the start of QEMU and every command to it. It takes 30 ms on an idle host; this is for
/// one where a hundred start at once.
const PATIENCE: Duration = Duration::from_secs(30);

/// Most of QEMU's log that an error repeats.
const LAST_WORDS: usize = 2000;

/// Why a machine did not start.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// A socket or descriptor for it could not be made.
    #[error("prepare QEMU of {machine}")]
    Prepare {
        /// The machine.
        machine: String,
        /// The kernel's answer.
        source: io::Error,
    },
    /// A shared folder's daemon could not be started.
    #[error("share folders with {machine}")]
    Share {
        /// The machine.
        machine: String,
        /// The kernel's answer.
        source: io::Error,
    },
    /// The program could not be started.
    #[error("start {program} for {machine}")]
    Start {
        /// The machine.
        machine: String,
        /// QEMU.
        program: String,
        /// The kernel's answer.
        source: io::Error,
    },
    /// It ended, or did not answer.
    #[error("QEMU of {machine} did not come up: {words}")]
    Died {
        /// The machine.
        machine: String,
        /// Its last words.
        words: String,
        /// What its monitor saw.
        source: QmpError,
    },
}

/// A QEMU that runs.
pub(super) struct Launched {
    pub(super) child: Child,
    /// Daemons of its shared folders; they go with it.
    pub(super) daemons: Vec<Child>,
    pub(super) qmp: Qmp,
    pub(super) events: QmpEvents,
    pub(super) agent: Agent,
    /// What its guest announces.
    pub(super) announce: UnixStream,
    pub(super) console: UnixStream,
    pub(super) tpm: Option<TpmProcess>,
}

/// Starts QEMU and waits until its monitor answers; the guest runs by then.
pub(super) async fn launch(
    spec: &MachineSpec,
    taps: &[Tap],
    first: Option<BootTarget>,
) -> Result<Launched, LaunchError> {
    let prepare = |source| LaunchError::Prepare {
        machine: spec.name.clone(),
        source,
    };
    let (monitor, its_monitor) = pair().map_err(prepare)?;
    let (console, its_console) = pair().map_err(prepare)?;
    let (agent, its_agent) = pair().map_err(prepare)?;
    let (announce, its_announce) = pair().map_err(prepare)?;
    let (tpm, its_tpm) = match &spec.tpm {
        None => (None, None),
        Some(tpm) => {
            let (tpm, fd) = TpmProcess::start(tpm).map_err(|source| LaunchError::Start {
                machine: spec.name.clone(),
                program: tpm.program.display().to_string(),
                source,
            })?;
            (Some(tpm), Some(fd))
        }
    };
    let queues = taps.iter().map(Tap::descriptors);
    let queues: Vec<Vec<OwnedFd>> = queues.collect::<Result<_, _>>().map_err(prepare)?;
    let with_vhost = if spec.vhost { &queues[..] } else { &[] };
    let vhost = with_vhost.iter().map(|queues| vhost::open(queues.len()));
    let vhost: Vec<Vec<OwnedFd>> = vhost.collect::<Result<_, _>>().map_err(prepare)?;
    let fds = Descriptors {
        monitor: its_monitor.as_raw_fd(),
        console: its_console.as_raw_fd(),
        agent: its_agent.as_raw_fd(),
        announce: its_announce.as_raw_fd(),
        tpm: its_tpm.as_ref().map(AsRawFd::as_raw_fd),
        taps: queues.iter().map(|queues| numbers(queues)).collect(),
        vhost: vhost.iter().map(|queues| numbers(queues)).collect(),
    };
    let log = open_log(&spec.qemu_log).map_err(prepare)?;
    let daemons = share::start(&spec.shares, &log).map_err(|source| LaunchError::Share {
        machine: spec.name.clone(),
        source,
    })?;
    let child = {
        // The command holds the child's ends. Once it is dropped, the child has the only ones, and
        // its end shows as the end of each socket.
        let mut command = Command::new(&spec.qemu);
        command
            .args(command::arguments(spec, first, &fds))
            .stdin(Stdio::null())
            .stdout(log.try_clone().map_err(prepare)?)
            .stderr(log)
            .kill_on_drop(true);
        let given = [its_monitor, its_console, its_agent, its_announce].into_iter();
        let nics = queues.into_iter().chain(vhost).flatten();
        inherit(&mut command, given.chain(its_tpm).chain(nics).collect());
        command.spawn().map_err(|source| LaunchError::Start {
            machine: spec.name.clone(),
            program: spec.qemu.display().to_string(),
            source,
        })?
    };
    let opened = Qmp::open(monitor, PATIENCE).await;
    let (qmp, events) = opened.map_err(|source| LaunchError::Died {
        machine: spec.name.clone(),
        words: last_words(&spec.qemu_log),
        source,
    })?;
    Ok(Launched {
        child,
        daemons,
        qmp,
        events,
        agent: Agent::new(agent),
        announce,
        console,
        tpm,
    })
}

/// Our end for the runtime, QEMU's end as it wants it.
fn pair() -> io::Result<(UnixStream, OwnedFd)> {
    let (ours, theirs) = StdUnixStream::pair()?;
    ours.set_nonblocking(true)?;
    Ok((UnixStream::from_std(ours)?, theirs.into()))
}

/// Each life's log replaces the last one's.
fn open_log(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(true)
        .open(path)
}

/// The end of QEMU's log, on one line.
pub(super) fn last_words(log: &Path) -> String {
    let Ok(bytes) = fs::read(log) else {
        return "it said nothing".into();
    };
    let from = bytes.len().saturating_sub(LAST_WORDS);
    let text = String::from_utf8_lossy(&bytes[from..]);
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    if lines.is_empty() {
        return "it said nothing".into();
    }
    lines.join("; ")
}
