//! Watches one life of a machine: turns what QEMU, console and guest agent say into phases and
//! news, and cleans up when QEMU has ended.

use super::announce;
use super::command::{AGENT_ID, ANNOUNCE_ID};
use super::launch::{self, Launched};
use super::scan::Sign;
use super::tpm::TpmProcess;
use super::{Machine, MachineNews, lock};
use placemat_host::agent::Agent;
use placemat_host::qmp::{Qmp, QmpEvent, QmpEvents, commands};
use placemat_spec::event::{BootPhase, LabEventKind};
use std::process::ExitStatus;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::process::Child;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

/// How long one try to reach the guest agent takes at most. It opens its channel a moment before
/// it answers.
const AGENT_TRY: Duration = Duration::from_secs(5);

/// How long a machine whose TPM has ended may take to end itself, as both do on power-off.
const TPM_GRACE: Duration = Duration::from_secs(1);

/// A running QEMU.
#[derive(Debug)]
pub(super) struct Life {
    pub(super) qmp: Qmp,
    pub(super) agent: Agent,
    pub(super) pid: Option<u32>,
    /// Resets so far.
    pub(super) resets: watch::Sender<u32>,
    /// The guest has the agent's channel open.
    pub(super) listening: watch::Sender<bool>,
    cut: CancellationToken,
    cut_by: Mutex<Option<String>>,
}

impl Life {
    /// Pulls the plug; the keeper does the rest.
    pub(super) fn cut(&self, cause: &str) {
        lock(&self.cut_by).get_or_insert_with(|| cause.into());
        self.cut.cancel();
    }
}

/// How a life came to its end.
enum End {
    /// The plug.
    Cut(String),
    /// The guest's own doing.
    GuestOff,
    /// QEMU died.
    Died(String),
}

/// A life and the task that watches it.
pub(super) fn keep(
    machine: &Machine,
    launched: Launched,
) -> (Arc<Life>, impl Future<Output = ()> + Send + use<>) {
    let life = Arc::new(Life {
        qmp: launched.qmp,
        agent: launched.agent,
        pid: launched.child.id(),
        resets: watch::Sender::new(0),
        listening: watch::Sender::new(false),
        cut: machine.inner.setup.cancel.child_token(),
        cut_by: Mutex::new(None),
    });
    let (failures, nothing_to_boot) = mpsc::unbounded_channel();
    let closed = Arc::new(Notify::new());
    let mut tasks = JoinSet::new();
    tasks.spawn(announce::listen(
        machine.spec().name.clone(),
        launched.announce,
        closed.clone(),
        machine.inner.setup.announced.clone(),
    ));
    let keeper = Keeper {
        machine: machine.clone(),
        life: life.clone(),
        child: launched.child,
        _daemons: launched.daemons,
        tpm: launched.tpm,
        events: launched.events,
        nothing_to_boot,
        announce_closed: closed,
        tasks,
        retry_at: None,
        guest_off: false,
        failure: None,
    };
    let console = machine.console().clone();
    let track = machine.track().clone();
    let serve = async move {
        let sign = |sign| match sign {
            Sign::Output => track.reach(BootPhase::Firmware, None),
            Sign::Kernel => track.reach(BootPhase::Kernel, None),
            Sign::Userspace(image) => track.reach(BootPhase::Userspace, Some(image)),
            Sign::Refused(words) => track.note(LabEventKind::Note {
                text: format!("the firmware refused what it should boot: {words}"),
            }),
            Sign::NothingToBoot(words) => {
                // The keeper ends only after QEMU has, and then nobody cares.
                let _ = failures.send(words);
            }
        };
        console.serve(launched.console, sign).await;
    };
    (life, keeper.run(serve))
}

struct Keeper {
    machine: Machine,
    life: Arc<Life>,
    child: Child,
    /// Daemons of its shared folders; dropped with the keeper, they are killed.
    _daemons: Vec<Child>,
    tpm: Option<TpmProcess>,
    events: QmpEvents,
    nothing_to_boot: mpsc::UnboundedReceiver<String>,
    /// The guest has closed the port that it announces on.
    announce_closed: Arc<Notify>,
    tasks: JoinSet<()>,
    /// When firmware that found nothing is to try again.
    retry_at: Option<Instant>,
    /// The guest has powered the machine off; QEMU is about to end.
    guest_off: bool,
    /// Why QEMU was ended although nobody asked for it.
    failure: Option<String>,
}

impl Keeper {
    async fn run(mut self, serve_console: impl Future<Output = ()> + Send + 'static) {
        let console = self.tasks.spawn(serve_console);
        let status = self.watch().await;
        // What QEMU said last may still be on its way.
        while let Some(event) = self.events.next().await {
            self.note(&event).await;
        }
        let end = self.end(status);
        while !self.tasks.is_empty() && !console.is_finished() {
            let _ = self.tasks.join_next().await;
        }
        self.tasks.shutdown().await;
        if let Some(tpm) = self.tpm.take() {
            tpm.finish().await;
        }
        self.finish(end);
    }

    /// Until QEMU has ended.
    async fn watch(&mut self) -> std::io::Result<ExitStatus> {
        let cut = self.life.cut.clone();
        let mut cutting = false;
        let mut events_end = false;
        loop {
            let retry_at = self.retry_at;
            let retry = async {
                match retry_at {
                    Some(at) => sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            let tpm = self.tpm.as_mut();
            let tpm_ended = async {
                match tpm {
                    Some(tpm) => tpm.ended().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                status = self.child.wait() => return status,
                how = tpm_ended => {
                    self.tpm = None;
                    // It ends with its machine, and may be seen to do so first.
                    if let Ok(status) = timeout(TPM_GRACE, self.child.wait()).await {
                        return status;
                    }
                    self.note_lost_tpm(how);
                }
                () = cut.cancelled(), if !cutting => {
                    cutting = true;
                    // It fails only when QEMU has ended, which `wait` tells.
                    let _ = self.child.start_kill();
                }
                event = self.events.next(), if !events_end => match event {
                    Some(event) => self.note(&event).await,
                    None => events_end = true,
                },
                Some(words) = self.nothing_to_boot.recv() => self.note_failed_boot(&words),
                () = retry => {
                    self.retry_at = None;
                    // Beside a QEMU that does not answer, the plug must still work.
                    let reset = self.life.qmp.run(commands::system_reset {});
                    if let Some(Err(error)) = cut.run_until_cancelled(reset).await {
                        tracing::warn!(machine = %self.machine.spec().name, %error, "retry the boot");
                    }
                }
            }
        }
    }

    async fn note(&mut self, event: &QmpEvent) {
        let guest = event.data["guest"].as_bool().unwrap_or(false);
        match event.name.as_str() {
            "RESET" => self.note_reset(guest),
            "SHUTDOWN" => self.guest_off |= guest,
            "VSERPORT_CHANGE" if event.data["id"] == AGENT_ID => {
                self.life.agent.mark_stale();
                let open = event.data["open"] == true;
                self.life.listening.send_replace(open);
                if open {
                    self.greet_agent();
                }
            }
            "VSERPORT_CHANGE" if event.data["id"] == ANNOUNCE_ID && event.data["open"] == false => {
                self.announce_closed.notify_one();
            }
            "STOP" if self.failure.is_none() => self.note_stop().await,
            "GUEST_PANICKED" => self.machine.track().note(LabEventKind::Note {
                text: "the guest's kernel panicked".into(),
            }),
            _ => {}
        }
    }

    fn note_reset(&mut self, guest: bool) {
        self.retry_at = None;
        self.life.agent.mark_stale();
        self.life.resets.send_modify(|count| *count += 1);
        let track = self.machine.track();
        if guest && track.phase() == BootPhase::Power {
            // Firmware that starts over before it has said a word, as SeaBIOS does after a warm
            // reset: still the same boot.
            return;
        }
        self.machine.console().begin_boot();
        track.begin();
        if guest {
            self.machine.tell(MachineNews::GuestReset);
        }
    }

    /// Nobody pauses machines, so a stop is a failure: of the accelerator, or of a disk.
    async fn note_stop(&mut self) {
        let status = self.life.qmp.run(commands::query_status {});
        let Some(Ok(status)) = self.life.cut.run_until_cancelled(status).await else {
            return;
        };
        if !status.running && !self.guest_off {
            let state = format!("{:?}", status.status).replace('_', "-");
            let words = launch::last_words(&self.machine.spec().qemu_log);
            self.failure = Some(format!("QEMU stopped the machine ({state}): {words}"));
            let _ = self.child.start_kill();
        }
    }

    fn note_failed_boot(&mut self, words: &str) {
        let retry = self.machine.inner.setup.boot_retry;
        let next = match retry {
            Some(pause) => format!("; it tries again in {} s", pause.as_secs()),
            None => String::new(),
        };
        self.machine.track().note(LabEventKind::Note {
            text: format!("the firmware found nothing to boot ({words}){next}"),
        });
        self.retry_at = retry.map(|pause| Instant::now() + pause);
    }

    /// Without its TPM a machine runs on, as one with a dead chip would.
    fn note_lost_tpm(&self, status: std::io::Result<ExitStatus>) {
        let how = status.map_or_else(|error| error.to_string(), |status| status.to_string());
        let log = self.machine.spec().tpm.as_ref().map(|tpm| &tpm.log);
        let words = log.map_or_else(String::new, |log| launch::last_words(log));
        self.machine.track().note(LabEventKind::Note {
            text: format!("its TPM (swtpm) ended by itself ({how}): {words}"),
        });
    }

    /// The guest has opened the agent's channel: it answers in a moment.
    fn greet_agent(&mut self) {
        let life = self.life.clone();
        let track = self.machine.track().clone();
        let boot = track.boots();
        self.tasks.spawn(async move {
            while track.boots() == boot {
                if life.agent.ping(AGENT_TRY).await.is_ok() {
                    track.reach(BootPhase::Agent, None);
                    return;
                }
            }
        });
    }

    fn end(&self, status: std::io::Result<ExitStatus>) -> End {
        if let Some(failure) = &self.failure {
            return End::Died(failure.clone());
        }
        if self.life.cut.is_cancelled() {
            let cause = lock(&self.life.cut_by).clone();
            return End::Cut(cause.unwrap_or_else(|| "stop".into()));
        }
        if self.guest_off {
            return End::GuestOff;
        }
        let how = status.map_or_else(|error| error.to_string(), |status| status.to_string());
        let words = launch::last_words(&self.machine.spec().qemu_log);
        End::Died(format!("QEMU ended by itself ({how}): {words}"))
    }

    fn finish(self, end: End) {
        let machine = self.machine;
        machine.set_carrier(false);
        let track = machine.track();
        let (cause, news) = match end {
            End::Cut(cause) => (cause, None),
            End::GuestOff => ("guest".into(), Some(MachineNews::GuestOff)),
            End::Died(how) => {
                track.note(LabEventKind::Note { text: how.clone() });
                let after = track.phase();
                ("died".into(), Some(MachineNews::Died { how, after }))
            }
        };
        track.end();
        track.power(false, &cause);
        machine.inner.life.send_replace(None);
        if let Some(news) = news {
            machine.tell(news);
        }
    }
}

impl Machine {
    fn tell(&self, news: MachineNews) {
        // Nobody may be listening.
        let _ = self.inner.news.send(news);
    }
}
