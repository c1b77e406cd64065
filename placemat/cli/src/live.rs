//! A lab from inside: start, control socket, display, signals, ordered end. `up` and `test` share it.

use crate::exit::{self, Code, Failure};
use anyhow::Context;
use placemat_host::sandbox::RUN_DIR;
use placemat_lab::control::v2::{self, ApiOptions};
use placemat_lab::control::{self, Served, Sockets};
use placemat_lab::image::Images;
use placemat_lab::lab::{Lab, LabOptions};
use placemat_lab::registry::Claim;
use placemat_scenario::report::terminal::{self, Terminal};
use placemat_spec::Cluster;
use placemat_spec::event::LabEvent;
use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Puts what the lab is made from into its run directory, for whoever looks later: every default
/// settled, every path absolute.
pub(crate) fn keep(run_dir: &Path, cluster: &Cluster) -> Result<(), Failure> {
    placemat_lab::registry::keep(run_dir, cluster)
        .context("write cluster.yml of the lab")
        .code(exit::HOST)
}

/// Options of a lab for a claimed run directory.
pub(crate) fn options(
    claim: &Claim,
    cache_dir: PathBuf,
    images: Arc<Images>,
    provisions: crate::provision::Provisions,
) -> LabOptions {
    LabOptions {
        id: claim.card.id.clone(),
        name: claim.card.name.clone(),
        run_dir: PathBuf::from(RUN_DIR),
        data_dir: claim.data_dir.clone(),
        cache_dir,
        images,
        outside: None,
        attach: None,
        // A host that does not say leaves links as the kernel makes them.
        mtu: placemat_host::probe::mtu::find().ok().flatten(),
        epoch: std::time::Instant::now(),
        oci: provisions.images,
        groups: provisions.groups,
    }
}

/// How a lab's time came to an end, or that it has not.
#[derive(Debug)]
pub(crate) enum Ended {
    /// It runs.
    Running,
    /// A client asked for it.
    Down,
    /// A signal: 130 or 143.
    Signal(u8),
    /// It failed.
    Failed(String),
}

/// A lab with its control socket and display.
pub(crate) struct Live {
    /// The lab itself.
    pub(crate) lab: Lab,
    tasks: TaskTracker,
    cancel: CancellationToken,
    control: JoinSet<std::io::Result<Served>>,
    display: JoinSet<()>,
    signals: Signals,
    /// What did not start, in words. Displays show it as it happens.
    pub(crate) unstarted: Vec<String>,
    /// A stop by a signal is what it was started for, and no failure.
    stops_well: bool,
}

/// How long a signal may take to come by all its ways.
const SAME_SIGNAL: Duration = Duration::from_secs(1);

struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
    seen: u32,
    /// Signals that come this soon after the first are the same: a service manager or a terminal
    /// sends one to every process of the lab, and each passes it on.
    same: Duration,
    first: Option<Instant>,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            seen: 0,
            same: Duration::ZERO,
            first: None,
        })
    }

    async fn next(&mut self) -> u8 {
        loop {
            let code = tokio::select! {
                _ = self.interrupt.recv() => exit::INTERRUPTED,
                _ = self.terminate.recv() => exit::TERMINATED,
                // The terminal went away: in order, as if told to.
                _ = self.hangup.recv() => exit::TERMINATED,
            };
            let now = Instant::now();
            if now.duration_since(*self.first.get_or_insert(now)) >= self.same || self.seen == 0 {
                self.seen += 1;
                return code;
            }
        }
    }
}

impl Live {
    /// Makes the lab, without power, and opens its control socket.
    pub(crate) async fn create(cluster: Cluster, options: LabOptions) -> Result<Self, Failure> {
        let mut signals = Signals::new().context("listen for signals")?;
        let lab = tokio::select! {
            made = Lab::create(cluster, options) => made.code(exit::LAB)?,
            // Nothing has power yet: there is nothing to shut down in order.
            code = signals.next() => {
                let error = anyhow::anyhow!("interrupted while the lab was made");
                return Err(Failure::new(code, error));
            }
        };
        let tasks = TaskTracker::new();
        let cancel = CancellationToken::new();
        let mut control = JoinSet::new();
        let (served, on, until) = (lab.clone(), tasks.clone(), cancel.clone());
        control.spawn(async move { control::serve(served, Path::new(RUN_DIR), &on, until).await });
        Ok(Self {
            lab,
            tasks,
            cancel,
            control,
            display: JoinSet::new(),
            signals,
            unstarted: Vec::new(),
            stops_well: false,
        })
    }

    /// From now on a stop by a signal is exit code 0, and signals that follow at once are the same.
    pub(crate) fn stop_well(&mut self) {
        self.stops_well = true;
        self.signals.same = SAME_SIGNAL;
    }

    /// Serves placemat v2's HTTP API, and consoles on sockets of their own.
    pub(crate) fn serve_v2(
        &self,
        listener: TcpListener,
        options: ApiOptions,
        consoles: Sockets,
    ) -> Result<(), Failure> {
        let (lab, until) = (self.lab.clone(), self.cancel.clone());
        self.tasks.spawn(async move {
            if let Err(error) = v2::serve(listener, lab, options, until).await {
                crate::talk::say(&format!("warning: the HTTP API ends: {error}"));
            }
        });
        consoles
            .serve(&self.lab, &self.tasks, &self.cancel)
            .context("serve consoles")
            .code(exit::LAB)
    }

    /// Shows the lab's events on stderr until the end.
    pub(crate) fn show(&mut self) {
        self.show_on(Terminal::new(std::io::stderr(), crate::color::display()));
    }

    /// Shows the lab's events on a display until the end.
    pub(crate) fn show_on<W: Write + Send + 'static>(&mut self, terminal: Terminal<W>) {
        let (sender, receiver) = mpsc::channel(1024);
        let mut events = self.lab.bus().subscribe_first();
        self.display.spawn(async move {
            loop {
                match events.recv().await {
                    Ok(event) => {
                        if sender.send(event).await.is_err() {
                            return;
                        }
                    }
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return,
                }
            }
        });
        self.display.spawn(async move {
            // A terminal that is gone must not end the lab.
            let _ = terminal::show::<W, LabEvent>(terminal, receiver).await;
        });
    }

    /// Powers everything on. An end that comes first wins. What does not start is told, and no end.
    pub(crate) async fn start(&mut self) -> Ended {
        let lab = self.lab.clone();
        tokio::select! {
            biased;
            ended = self.wait() => ended,
            started = lab.start() => match started {
                Ok(failures) => {
                    self.unstarted = failures;
                    Ended::Running
                }
                Err(error) => Ended::Failed(error.to_string()),
            },
        }
    }

    /// Waits for a signal, or for a client that asks for the end.
    pub(crate) async fn wait(&mut self) -> Ended {
        tokio::select! {
            code = self.signals.next() => Ended::Signal(code),
            served = self.control.join_next() => match served {
                Some(Ok(Err(error))) => Ended::Failed(format!("serve the control socket: {error}")),
                Some(Err(error)) => Ended::Failed(format!("serve the control socket: {error}")),
                Some(Ok(Ok(_))) | None => Ended::Down,
            },
        }
    }

    /// Shuts down in order; a further signal ends it at once. Gives the exit code.
    pub(crate) async fn finish(mut self, ended: Ended) -> Result<u8, Failure> {
        if let Ended::Signal(code) = ended
            && self.signals.seen > 1
        {
            return Ok(code);
        }
        let lab = self.lab.clone();
        let failures = tokio::select! {
            failures = lab.shutdown() => failures,
            // The kernel takes the rest down with the process.
            code = self.signals.next() => return Ok(code),
        };
        self.cancel.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        self.display.shutdown().await;
        for failure in &failures {
            crate::talk::say(&format!("warning: {failure}"));
        }
        match ended {
            Ended::Running | Ended::Down => Ok(exit::OK),
            Ended::Signal(_) if self.stops_well => Ok(exit::OK),
            Ended::Signal(code) => Ok(code),
            Ended::Failed(reason) => Err(Failure::new(exit::LAB, anyhow::anyhow!("{reason}"))),
        }
    }
}
