//! A unit that is made of something else from now on, with as little of it stopped as that takes.

use super::{App, BIRD_CONFIG, BIRD_SOCKET, Ready, Unit, UnitError, UnitSpec};
use crate::birdc;
use crate::blueprint::Contents;
use std::path::{Path, PathBuf};
use std::sync::PoisonError;
use std::time::Duration;

/// What is to be done to a unit that has power.
#[derive(Debug, Clone, Default)]
pub struct Update {
    /// Programs that are started, stopped or restarted, as the old and the new spec have them.
    pub programs: Vec<String>,
    /// Its BIRD reads its configuration again.
    pub reload: bool,
}

/// What a program is given to end by itself: a BIRD takes its routes out of the kernel.
const GRACE: Duration = Duration::from_secs(2);
const SIGTERM: i32 = 15;

/// Where a configuration is tried out, below `/run`.
const TRIAL: &str = "bird/bird.conf.new";

impl Unit {
    /// What it is made of from its next power-on.
    pub fn respec(&self, spec: UnitSpec) {
        let mut own = self
            .inner
            .spec
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *own = spec.into();
    }

    /// Makes of it what `spec` says while its power stays as it is. A configuration that its BIRD refuses changes nothing.
    pub async fn update(&self, spec: UnitSpec, update: &Update) -> Result<Ready, UnitError> {
        let _one_at_a_time = self.inner.power.lock().await;
        let container = self.state().container.clone();
        let Some(container) = container.filter(|it| !it.is_gone()) else {
            self.respec(spec);
            return Ok(Ready::default());
        };
        let in_new = |name: &str| spec.apps.iter().find(|app| app.name == name);
        let reload = update.reload && self.app_runs(BIRD);
        if reload {
            self.try_bird(&spec).await?;
        }
        for name in &update.programs {
            self.stop_app(name).await;
        }
        self.write_files(&spec)?;
        let apps: Vec<App> = update
            .programs
            .iter()
            .filter_map(|it| in_new(it).cloned())
            .collect();
        self.respec(spec);
        if reload {
            self.ask_bird("configure").await?;
        }
        Ok(self.start_apps(&container, &apps))
    }

    /// Whether its BIRD takes the configuration of a spec.
    async fn try_bird(&self, spec: &UnitSpec) -> Result<(), UnitError> {
        let Some((_, contents)) = spec
            .files
            .iter()
            .find(|(path, _)| path == Path::new(BIRD_CONFIG))
        else {
            return Ok(());
        };
        let trial = self.inner.dir.join(TRIAL);
        std::fs::write(&trial, contents).map_err(|error| self.failed("write", TRIAL, &error))?;
        let command = format!("configure check \"/run/{TRIAL}\"");
        let done = self.ask_bird(&command).await;
        // It was only to be looked at.
        let _ = std::fs::remove_file(&trial);
        done
    }

    async fn ask_bird(&self, command: &str) -> Result<(), UnitError> {
        let socket = self.inner.dir.join(BIRD_SOCKET);
        let answer = birdc::command(&socket, command).await;
        answer.map(drop).map_err(|error| {
            UnitError::Other(format!("reconfigure BIRD of {}: {error}", self.target()))
        })
    }

    /// Files that the new spec has otherwise. What a fault has put in the place of one stays.
    fn write_files(&self, spec: &UnitSpec) -> Result<(), UnitError> {
        let old = self.spec();
        let replaced = super::lock(&self.inner.replaced);
        for (path, contents) in &spec.files {
            let is_same = |it: &(PathBuf, Contents)| it.0 == *path && it.1 == *contents;
            if old.files.iter().any(is_same) || replaced.contains_key(path) {
                continue;
            }
            let whole = self.inner.dir.join(path);
            let parent = whole.parent().unwrap_or(&self.inner.dir);
            std::fs::create_dir_all(parent)
                .and_then(|()| std::fs::write(&whole, contents))
                .map_err(|error| self.failed("write", &path.display().to_string(), &error))?;
        }
        Ok(())
    }

    /// Ends a program, if it runs, and whoever would start it again.
    async fn stop_app(&self, app: &str) {
        let held = self.is_held(app);
        self.inner.held.send_modify(|held| {
            held.insert(app.to_owned());
        });
        for signal in [SIGTERM, super::SIGKILL] {
            let (container, id) = {
                let state = self.state();
                (
                    state.container.clone(),
                    state.app_processes.get(app).copied(),
                )
            };
            if let (Some(container), Some(id)) = (container, id) {
                container.signal_id(id, signal).await;
            }
            if tokio::time::timeout(GRACE, self.until_app_ended(app))
                .await
                .is_ok()
            {
                break;
            }
        }
        let mut state = self.state();
        if let Some(supervisor) = state.supervisors.remove(app) {
            supervisor.cancel();
        }
        state.troubles.remove(app);
        drop(state);
        if !held {
            self.release_app(app);
        }
    }

    fn failed(&self, act: &str, what: &str, error: &dyn std::fmt::Display) -> UnitError {
        UnitError::Other(format!("{act} {what} of {}: {error}", self.target()))
    }
}

/// What the program is called that [`super::bird_app`] makes.
const BIRD: &str = "bird";
