//! A lab whose host-side process is the test's child: `up` without `--detach`.

use crate::{Place, process};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::time::Duration;

/// A running `placemat` with a lab below it. Dropped, it is killed, and the lab with it.
#[derive(Debug)]
pub struct Attached {
    child: Child,
    said: PathBuf,
    run_base: PathBuf,
}

impl Attached {
    /// Starts `placemat` with these arguments.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    pub fn start(place: &Place, arguments: &[&str]) -> Self {
        Self::run(place, place.command(arguments))
    }

    /// Starts it by another name.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    pub fn start_as(place: &Place, name: &str, arguments: &[&str]) -> Self {
        Self::run(place, place.command_as(name, arguments))
    }

    fn run(place: &Place, mut command: Command) -> Self {
        let said = place.dir().join("said");
        let file = fs::File::create(&said).expect("a file for what it says");
        let copy = file.try_clone().expect("copy a descriptor");
        let child = command.stdout(copy).stderr(file).spawn();
        Self {
            child: child.expect("start placemat"),
            said,
            run_base: place.run_base(),
        }
    }

    /// `up FILE`.
    pub fn up(place: &Place, file: &Path) -> Self {
        Self::start(place, &["up", &file.to_string_lossy()])
    }

    /// The host-side process.
    pub fn parent(&self) -> i32 {
        i32::try_from(self.child.id()).unwrap_or(i32::MAX)
    }

    /// The lab's PID 1, once it is there; `None` when the program has ended without.
    pub fn init(&mut self) -> Option<i32> {
        crate::poll(crate::lab::PATIENCE, || {
            if let Some(init) = process::children(self.parent()).first() {
                return Some(Some(*init));
            }
            self.ended().map(|_| None)
        })
        .flatten()
    }

    /// Lab phases so far, from its events.
    pub fn phases(&self) -> Vec<String> {
        phases(&self.run_base)
    }

    /// Waits until the lab is in a phase.
    ///
    /// # Panics
    ///
    /// When it does not come, with what the program said.
    pub fn reach(&mut self, phase: &str) {
        let reached = crate::poll(crate::lab::PATIENCE, || {
            let there = self.phases().iter().any(|seen| seen == phase);
            (there || self.ended().is_some()).then_some(there)
        });
        assert_eq!(reached, Some(true), "no phase {phase}: {}", self.said());
    }

    /// Sends a signal to the host-side process.
    pub fn signal(&self, signal: Signal) {
        // It may have ended.
        let _ = kill(Pid::from_raw(self.parent()), signal);
    }

    /// How it ended, when it has.
    ///
    /// # Panics
    ///
    /// When the kernel does not tell.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("wait for placemat")
    }

    /// Waits for its end.
    ///
    /// # Panics
    ///
    /// When that does not come in time.
    pub fn wait(&mut self, patience: Duration) -> ExitStatus {
        crate::poll(patience, || self.ended())
            .unwrap_or_else(|| panic!("did not end in {patience:?}: {}", self.said()))
    }

    /// What it said so far.
    pub fn said(&self) -> String {
        fs::read_to_string(&self.said).unwrap_or_default()
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Phases in the events of the newest lab below a run base.
pub fn phases(run_base: &Path) -> Vec<String> {
    let dirs = fs::read_dir(run_base).into_iter().flatten().flatten();
    let files = dirs.map(|entry| entry.path().join("events.jsonl"));
    let newest = files
        .filter_map(|path| Some((path.metadata().ok()?.modified().ok()?, path)))
        .max();
    let text = newest.and_then(|(_, path)| fs::read_to_string(path).ok());
    let text = text.unwrap_or_default();
    let events = text
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    events
        .filter(|event| event["object"] == "lab" && event["kind"] == "lab")
        .filter_map(|event| Some(event["phase"].as_str()?.to_owned()))
        .collect()
}
