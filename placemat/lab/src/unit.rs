//! A unit: a router, boot server or namespace server. A container, the programs supervised in it,
//! and its power.

mod app;
mod bird;
mod change;
mod files;
mod limit;
mod order;
mod script;
mod spec;

pub use bird::bird_app;
pub(crate) use bird::{CONFIG as BIRD_CONFIG, SOCKET as BIRD_SOCKET};
pub use change::Update;
pub use spec::{Folder, LineReader, UnitRoot, UnitSpec};

use crate::blueprint::Contents;
use crate::event::EventBus;
use crate::wiring::Wiring;
use app::Supervisor;
use placemat_host::container::{self, Container, ContainerError, Process, Program, Root};
use placemat_spec::event::LabEventKind;
use placemat_spec::resource::App;
use placemat_spec::selector::Target;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::{oneshot, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Tells when the programs of a unit that was just powered on are ready.
#[derive(Debug, Default)]
pub struct Ready {
    waits: Vec<(Duration, oneshot::Receiver<()>)>,
}

impl Ready {
    /// Waits until every program that tells is ready; whether all are. It is not when one took
    /// longer than its time-out, or lost power.
    pub async fn wait(self) -> bool {
        let mut all = true;
        for (timeout, ready) in self.waits {
            // The program's own word comes first.
            let patience = timeout + Duration::from_secs(1);
            all &= matches!(tokio::time::timeout(patience, ready).await, Ok(Ok(())));
        }
        all
    }
}

/// Why a unit could not be powered on or used.
#[derive(Debug, Clone, thiserror::Error)]
pub enum UnitError {
    /// Its container.
    #[error(transparent)]
    Container(#[from] ContainerError),
    /// Anything else, in words that name the unit and the act.
    #[error("{0}")]
    Other(String),
}

/// A live unit. Clones are the same one.
#[derive(Debug, Clone)]
pub struct Unit {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    target: Target,
    /// What it is made of from its next power-on, and as far as that is changed on the way, now.
    spec: RwLock<Arc<UnitSpec>>,
    wiring: Arc<Wiring>,
    bus: EventBus,
    /// Where `/run` and logs of the unit are.
    dir: PathBuf,
    logs: PathBuf,
    tasks: TaskTracker,
    power: tokio::sync::Mutex<()>,
    /// Programs that a fault keeps from running, whether there is power or not.
    held: watch::Sender<HashSet<String>>,
    /// What is put on its `/run` instead of what its spec says, by path below it.
    replaced: Mutex<HashMap<PathBuf, Contents>>,
    /// News that programs have ended.
    ended: watch::Sender<()>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    container: Option<Container>,
    supervision: CancellationToken,
    /// Of each program, below `supervision`.
    supervisors: HashMap<String, CancellationToken>,
    app_processes: HashMap<String, u64>,
    boots: u32,
    /// It is to be off for good.
    halted: bool,
    /// What is wrong with programs of it that run, or should.
    troubles: BTreeMap<String, String>,
    /// What was told of its limits so far: memory kills, refused processes.
    told_of_limits: (u64, u64),
}

impl Unit {
    /// A unit without power. `dir` is its own, on the lab's tmpfs; `logs` takes a file a program.
    pub fn new(
        spec: UnitSpec,
        wiring: Arc<Wiring>,
        bus: EventBus,
        dir: PathBuf,
        logs: PathBuf,
        tasks: TaskTracker,
    ) -> Self {
        let inner = Inner {
            target: spec.target.clone(),
            spec: RwLock::new(Arc::new(spec)),
            wiring,
            bus,
            dir,
            logs,
            tasks,
            power: tokio::sync::Mutex::default(),
            held: watch::Sender::new(HashSet::new()),
            replaced: Mutex::default(),
            ended: watch::Sender::new(()),
            state: Mutex::default(),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// What it is.
    pub fn target(&self) -> &Target {
        &self.inner.target
    }

    fn spec(&self) -> Arc<UnitSpec> {
        let spec = self.inner.spec.read();
        spec.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Its `/run`, as the lab sees it.
    pub fn run_dir(&self) -> PathBuf {
        self.inner.dir.clone()
    }

    /// Where its background work is tracked.
    pub fn tasks(&self) -> &TaskTracker {
        &self.inner.tasks
    }

    /// Whether it has power.
    pub fn is_on(&self) -> bool {
        self.state()
            .container
            .as_ref()
            .is_some_and(|container| !container.is_gone())
    }

    /// How often its power came on.
    pub fn boots(&self) -> u32 {
        self.state().boots
    }

    /// What is wrong with its programs, in words; `None` where all are well, or it has no power.
    pub fn problem(&self) -> Option<String> {
        let state = self.state();
        let troubles = state.troubles.iter();
        let words: Vec<String> = troubles.map(|(app, why)| format!("{app}: {why}")).collect();
        (!words.is_empty()).then(|| words.join("; "))
    }

    /// Process id of its init, as the lab sees it, while it has power.
    pub fn pid(&self) -> Option<i32> {
        let state = self.state();
        let container = state.container.as_ref()?;
        (!container.is_gone()).then(|| container.pid())
    }

    /// Power on: interfaces up, container made, programs started. What it returns tells when the
    /// programs are ready. A unit that has power is left alone; one that fails to start has none.
    pub async fn power_on(&self, cause: &str) -> Result<Ready, UnitError> {
        let _one_at_a_time = self.inner.power.lock().await;
        if self.is_on() {
            return Ok(Ready::default());
        }
        if self.state().halted {
            let act = format!("power {} on: the lab goes down", self.target());
            return Err(UnitError::Other(act));
        }
        match self.bring_up(cause).await {
            Ok(ready) => Ok(ready),
            Err(error) => {
                // What stopped it is what is told.
                let _ = self.take_down("it did not start").await;
                Err(error)
            }
        }
    }

    async fn bring_up(&self, cause: &str) -> Result<Ready, UnitError> {
        self.prepare_run_dir()?;
        self.blocking(|inner| inner.wiring.plug(&inner.target))
            .await?;
        let spec = self.spec();
        let made = container::Spec {
            name: self.target().name.clone(),
            netns: self.inner.wiring.netns(self.target()),
            root: self.root(&spec),
            forwards: spec.forwards,
            group: spec.limits.as_ref().map(|it| it.0.clone()),
        };
        let container = Container::start(made, &self.inner.tasks).await?;
        let supervision = CancellationToken::new();
        {
            let mut state = self.state();
            if state.halted {
                container.kill();
            }
            state.container = Some(container.clone());
            state.supervision = supervision.clone();
            state.supervisors.clear();
            state.app_processes.clear();
            state.troubles.clear();
            state.boots += 1;
        }
        self.inner.bus.emit(
            self.target().to_string(),
            LabEventKind::Power {
                on: true,
                cause: cause.into(),
            },
        );
        if spec.limits.is_some() {
            let (unit, until) = (self.clone(), supervision.clone());
            self.inner
                .tasks
                .spawn(async move { unit.watch_limits(until).await });
        }
        self.run_scripts(&container).await?;
        Ok(self.start_apps(&container, &spec.apps))
    }

    /// Starts programs, each after those of them that it is to start after.
    fn start_apps(&self, container: &Container, apps: &[App]) -> Ready {
        let supervision = self.state().supervision.clone();
        let mut ready = Ready::default();
        let mut order = order::Order::new(apps);
        for app in apps {
            let until = supervision.child_token();
            let (supervisor, when_ready) = Supervisor::new(
                self.clone(),
                container.clone(),
                app.clone(),
                until.clone(),
                order.place(app),
            );
            self.state().supervisors.insert(app.name.clone(), until);
            self.inner.tasks.spawn(supervisor.run());
            if app.ready.is_some() {
                let patience = order::patience(apps, app);
                ready.waits.push((patience, when_ready));
            }
        }
        ready
    }

    /// The plug is pulled: everything is killed, nothing is flushed, every link loses carrier.
    pub async fn power_off(&self, cause: &str) -> Result<(), UnitError> {
        let _one_at_a_time = self.inner.power.lock().await;
        self.take_down(cause).await
    }

    async fn take_down(&self, cause: &str) -> Result<(), UnitError> {
        let container = {
            let mut state = self.state();
            state.supervision.cancel();
            state.app_processes.clear();
            state.troubles.clear();
            state.container.take()
        };
        self.inner.ended.send_replace(());
        if let Some(container) = &container {
            container.kill();
        }
        self.blocking(|inner| inner.wiring.unplug(&inner.target))
            .await?;
        let Some(container) = container else {
            return Ok(());
        };
        // Its ports and files are free again only then.
        container.ended().await;
        self.inner.bus.emit(
            self.target().to_string(),
            LabEventKind::Power {
                on: false,
                cause: cause.into(),
            },
        );
        Ok(())
    }

    /// Ends it for good: no interface is touched, the namespace goes with the lab. Nothing powers
    /// it on again.
    pub async fn halt(&self) {
        {
            let mut state = self.state();
            state.halted = true;
            // Whoever changes its power may wait for what runs in it: an init script that hangs.
            if let Some(container) = &state.container {
                container.kill();
            }
        }
        let _one_at_a_time = self.inner.power.lock().await;
        let container = {
            let mut state = self.state();
            state.supervision.cancel();
            state.container.take()
        };
        if let Some(container) = container {
            container.kill();
            container.ended().await;
        }
    }

    /// Starts a program inside.
    pub async fn exec(&self, mut program: Program) -> Result<(Container, Process), UnitError> {
        let container = self.state().container.clone();
        let Some(container) = container else {
            return Err(ContainerError::Gone {
                name: self.target().to_string(),
            }
            .into());
        };
        let own = std::mem::take(&mut program.env);
        program.env = self.spec().env.iter().cloned().chain(own).collect();
        let process = container.spawn(program).await?;
        Ok((container, process))
    }

    /// Kills a supervised program and keeps it from being started again, until
    /// [`Unit::release_app`]. One that does not run at the moment is kept from it, too.
    pub async fn kill_app(&self, app: &str) -> Result<(), UnitError> {
        let spec = self.spec();
        if !spec.apps.iter().any(|known| known.name == app) {
            let known: Vec<&str> = spec.apps.iter().map(|known| known.name.as_str()).collect();
            return Err(UnitError::Other(format!(
                "kill {app} of {}: its programs are {}",
                self.target(),
                known.join(", ")
            )));
        }
        self.inner.held.send_modify(|held| {
            held.insert(app.to_owned());
        });
        let (container, id) = {
            let state = self.state();
            (
                state.container.clone(),
                state.app_processes.get(app).copied(),
            )
        };
        if let (Some(container), Some(id)) = (container, id) {
            container.signal_id(id, SIGKILL).await;
        }
        Ok(())
    }

    /// Whether a supervised program runs.
    pub fn app_runs(&self, app: &str) -> bool {
        self.state().app_processes.contains_key(app)
    }

    /// Lets a killed program be started again.
    pub fn release_app(&self, app: &str) {
        self.inner.held.send_modify(|held| {
            held.remove(app);
        });
    }

    fn is_held(&self, app: &str) -> bool {
        self.inner.held.borrow().contains(app)
    }

    async fn until_app_ended(&self, app: &str) {
        let mut ended = self.inner.ended.subscribe();
        // The sender is ours: the wait cannot fail.
        while self.app_runs(app) && ended.changed().await.is_ok() {}
    }

    async fn until_released(&self, app: &str) {
        let mut held = self.inner.held.subscribe();
        // The sender is ours: the wait cannot fail.
        let _ = held.wait_for(|held| !held.contains(app)).await;
    }

    fn root(&self, spec: &UnitSpec) -> Root {
        let run = self.inner.dir.clone();
        match &spec.root {
            UnitRoot::HostReadOnly => Root::Host {
                run,
                read_only: true,
                shown: Vec::new(),
            },
            UnitRoot::Showing(shown) => Root::Host {
                run,
                read_only: true,
                shown: shown.clone(),
            },
            UnitRoot::Host => Root::Host {
                run,
                read_only: false,
                shown: Vec::new(),
            },
            UnitRoot::Tree(tree) => Root::Tree {
                tree: tree.clone(),
                run,
            },
            UnitRoot::Image(tree) => Root::Image {
                tree: tree.clone(),
                scratch: run.join(".root"),
                run,
                writable: false,
                binds: Vec::new(),
            },
        }
    }

    async fn blocking<F>(&self, work: F) -> Result<(), UnitError>
    where
        F: FnOnce(&Inner) -> Result<(), crate::wiring::WiringError> + Send + 'static,
    {
        let inner = self.inner.clone();
        tokio::task::spawn_blocking(move || work(&inner))
            .await
            .map_err(|error| UnitError::Other(error.to_string()))?
            .map_err(|error| UnitError::Other(crate::error::chain(&error)))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.inner.state)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The same number on every Linux.
const SIGKILL: i32 = 9;
