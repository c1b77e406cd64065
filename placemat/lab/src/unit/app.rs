//! Supervision of one program: start, readiness, log file, restart policy.

use super::order::Turn;
use super::{Unit, UnitError};
use placemat_host::container::{Container, Program, Settings};
use placemat_spec::event::{AppState, LabEventKind};
use placemat_spec::resource::{App, Readiness, RestartPolicy};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

/// First pause before a restart; doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// A program that ran this long starts over with the first pause.
const STABLE: Duration = Duration::from_secs(10);

/// Supervises one program for as long as its unit has power.
pub(super) struct Supervisor {
    unit: Unit,
    container: Container,
    app: App,
    cancel: CancellationToken,
    ready: Option<oneshot::Sender<()>>,
    turn: Turn,
}

impl Supervisor {
    pub(super) fn new(
        unit: Unit,
        container: Container,
        app: App,
        cancel: CancellationToken,
        turn: Turn,
    ) -> (Self, oneshot::Receiver<()>) {
        let (sender, receiver) = oneshot::channel();
        (
            Self {
                unit,
                container,
                app,
                cancel,
                ready: Some(sender),
                turn,
            },
            receiver,
        )
    }

    pub(super) async fn run(mut self) {
        let cancel = self.cancel.clone();
        // Cancelled means that the power is gone, and the program with it.
        cancel.run_until_cancelled(self.supervise()).await;
    }

    async fn supervise(&mut self) {
        for missing in self.turn.come().await {
            let text = format!("{} starts although {missing} is not ready", self.app.name);
            let object = self.unit.target().to_string();
            self.unit
                .inner
                .bus
                .emit(object, LabEventKind::Note { text });
        }
        let mut pause = FIRST_PAUSE;
        loop {
            // A fault outlasts a loss of power.
            self.unit.until_released(&self.app.name).await;
            let began = std::time::Instant::now();
            let again = match self.run_once().await {
                Ok(0) => self.app.restart == RestartPolicy::Always,
                Ok(_) => self.app.restart != RestartPolicy::Never,
                Err(error) => {
                    self.emit(AppState::Failed, Some(error.to_string()));
                    self.app.restart != RestartPolicy::Never
                }
            };
            // Whoever starts after it has waited long enough.
            self.turn.settle(false);
            if !again || self.container.is_gone() {
                return;
            }
            if began.elapsed() >= STABLE {
                pause = FIRST_PAUSE;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
            self.unit.until_released(&self.app.name).await;
            self.emit(AppState::Restarting, None);
        }
    }

    async fn run_once(&mut self) -> Result<i32, UnitError> {
        let log = log_file(&self.unit.inner.logs, &self.app.name)?;
        let program = Program {
            argv: self.app.command.clone(),
            env: self.env(),
            stdio: self.output(log)?,
            terminal: false,
        };
        let kills = self.unit.memory_kills();
        let process = self.container.spawn_with(program, self.settings()).await?;
        self.unit
            .state()
            .app_processes
            .insert(self.app.name.clone(), process.id());
        if self.unit.is_held(&self.app.name) {
            // Held while it was being started, when it had no number to kill it by.
            self.container.signal_id(process.id(), super::SIGKILL).await;
        }
        self.emit(AppState::Started, None);
        let mut exit = process.exit;
        let ended = tokio::select! {
            // What is ready as soon as it runs was so, however soon it ended.
            biased;
            () = self.tell_when_ready() => None,
            ended = &mut exit => Some(ended),
        };
        let ended = if let Some(ended) = ended {
            ended
        } else {
            exit.await
        };
        self.unit.state().app_processes.remove(&self.app.name);
        self.unit.inner.ended.send_replace(());
        let code = ended.map_err(|_| UnitError::Other("its container ended".into()))?;
        let mut words = in_words(code);
        if code == 128 + super::SIGKILL && self.unit.memory_kills() > kills {
            words.push_str(", its memory is out");
        }
        self.unit.tell_of_limits();
        if code != 0 {
            self.note_trouble(Some(words.clone()));
        }
        self.emit(AppState::Ended, Some(words));
        Ok(code)
    }

    fn settings(&self) -> Settings {
        let spec = self.unit.spec();
        let settings = &spec.settings;
        settings.get(&self.app.name).cloned().unwrap_or_default()
    }

    fn env(&self) -> Vec<(String, String)> {
        let own = self.app.env.clone();
        self.unit.spec().env.iter().cloned().chain(own).collect()
    }

    /// To the log file; by way of whoever reads along, if somebody does.
    fn output(&self, log: File) -> Result<[OwnedFd; 3], UnitError> {
        let Some(reader) = self.unit.spec().readers.get(&self.app.name).cloned() else {
            return stdio(log);
        };
        let failed = |error: std::io::Error| UnitError::Other(format!("make a pipe: {error}"));
        let (write, read) = tokio::net::unix::pipe::pipe().map_err(failed)?;
        let write = File::from(write.into_blocking_fd().map_err(failed)?);
        let mut log = log;
        self.unit.inner.tasks.spawn(async move {
            let mut read = BufReader::new(read);
            let mut line = Vec::new();
            // The pipe ends with the program, not with a line that is no text: a DHCP client can
            // have any name.
            while read
                .read_until(b'\n', &mut line)
                .await
                .is_ok_and(|read| read > 0)
            {
                let _ = log.write_all(&line);
                (reader.0)(String::from_utf8_lossy(&line).trim_end_matches('\n'));
                line.clear();
            }
        });
        stdio(write)
    }

    /// Tells that the program is ready, or that it did not get ready in time.
    async fn tell_when_ready(&mut self) {
        if let Some(readiness) = &self.app.ready
            && let Err(why) = self.until_ready(readiness).await
        {
            let timeout = readiness.timeout.as_secs();
            let detail = format!("not ready within {timeout} s: {why}");
            self.emit(AppState::Failed, Some(detail));
            self.turn.settle(false);
            // Whoever waits need not until its patience is over.
            self.ready = None;
            return;
        }
        self.emit(AppState::Ready, None);
        self.turn.settle(true);
        if let Some(ready) = self.ready.take() {
            // Nobody may be waiting.
            let _ = ready.send(());
        }
    }

    /// Resolves once the readiness command succeeds; or when its time is over, with what came of the
    /// last try.
    async fn until_ready(&self, readiness: &Readiness) -> Result<(), String> {
        let end = Instant::now() + readiness.timeout;
        let name = readiness.command.first().map_or("", String::as_str);
        let mut why = format!("`{name}` has not ended yet");
        loop {
            let Ok(done) = timeout_at(end, self.try_ready(&readiness.command)).await else {
                return Err(why);
            };
            why = match done {
                Ok(0) => return Ok(()),
                Ok(code) => format!("`{name}` exits with {code}"),
                Err(error) => crate::error::chain(&error),
            };
            if Instant::now() + readiness.interval >= end {
                return Err(why);
            }
            tokio::time::sleep(readiness.interval).await;
        }
    }

    async fn try_ready(&self, command: &[String]) -> Result<i32, UnitError> {
        let null = || {
            OpenOptions::new()
                .read(true)
                .write(true)
                .open("/dev/null")
                .map(OwnedFd::from)
                .map_err(|error| UnitError::Other(format!("open /dev/null: {error}")))
        };
        let program = Program {
            argv: command.to_vec(),
            env: self.env(),
            stdio: [null()?, null()?, null()?],
            terminal: false,
        };
        // In the same place, but as root: it asks from outside.
        let settings = Settings {
            root: self.settings().root,
            ..Settings::default()
        };
        let process = self.container.spawn_with(program, settings).await?;
        // One that hangs is not left behind when the time for readiness is over.
        let guard = KillUnlessEnded {
            unit: &self.unit,
            container: &self.container,
            id: Some(process.id()),
        };
        let ended = process.exit.await;
        guard.ended();
        ended.map_err(|_| UnitError::Other("its container ended".into()))
    }

    /// What is wrong with the program from now on, for whoever asks how its unit is.
    fn note_trouble(&self, why: Option<String>) {
        let mut state = self.unit.state();
        // One that was stopped for good has none any more.
        if self.cancel.is_cancelled() {
            return;
        }
        match why {
            Some(why) => state.troubles.insert(self.app.name.clone(), why),
            None => state.troubles.remove(&self.app.name),
        };
    }

    fn emit(&self, state: AppState, detail: Option<String>) {
        match state {
            AppState::Failed => self.note_trouble(detail.clone()),
            AppState::Ready => self.note_trouble(None),
            AppState::Started | AppState::Ended | AppState::Restarting => {}
        }
        self.unit.inner.bus.emit(
            self.unit.target().to_string(),
            LabEventKind::App {
                app: self.app.name.clone(),
                state,
                detail,
            },
        );
    }
}

struct KillUnlessEnded<'a> {
    unit: &'a Unit,
    container: &'a Container,
    id: Option<u64>,
}

impl KillUnlessEnded<'_> {
    fn ended(mut self) {
        self.id = None;
    }
}

impl Drop for KillUnlessEnded<'_> {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            let container = self.container.clone();
            let kill = async move { container.signal_id(id, super::SIGKILL).await };
            self.unit.tasks().spawn(kill);
        }
    }
}

fn in_words(code: i32) -> String {
    if code > 128 {
        format!("signal {}", code - 128)
    } else {
        format!("exit code {code}")
    }
}

/// The log file of a program, opened to append.
pub(super) fn log_file(dir: &Path, app: &str) -> Result<File, UnitError> {
    let path = dir.join(format!("{app}.log"));
    std::fs::create_dir_all(dir)
        .and_then(|()| OpenOptions::new().create(true).append(true).open(&path))
        .map_err(|error| UnitError::Other(format!("open {}: {error}", path.display())))
}

/// Standard input from nowhere, output and error to one file.
pub(super) fn stdio(log: File) -> Result<[OwnedFd; 3], UnitError> {
    let failed = |error: std::io::Error| UnitError::Other(format!("prepare descriptors: {error}"));
    let null = File::open("/dev/null").map_err(failed)?;
    let second = log.try_clone().map_err(failed)?;
    Ok([null.into(), log.into(), second.into()])
}
