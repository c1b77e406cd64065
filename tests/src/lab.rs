//! Labs in places of their own, driven through the built program.

use crate::host::{self, HostState};
use crate::process;
use crate::program::placemat;
use crate::run::{self, Said};
use placemat_lab::control::protocol::Status;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Longest wait for one command, on the busiest of machines.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Run and data directories that no other lab uses, with the host as it was before.
#[derive(Debug)]
pub struct Place {
    dir: tempfile::TempDir,
    before: HostState,
    program: PathBuf,
    user: Option<String>,
}

impl Default for Place {
    fn default() -> Self {
        Self::new()
    }
}

impl Place {
    /// A new place.
    ///
    /// # Panics
    ///
    /// When it cannot be made.
    pub fn new() -> Self {
        let dir = tempfile::Builder::new()
            .prefix("placemat-test-")
            .tempdir()
            .expect("make a temporary directory");
        Self {
            dir,
            before: HostState::now(),
            program: placemat().to_owned(),
            user: None,
        }
    }

    /// Its directory; whatever is put there goes with it.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Where run directories are.
    pub fn run_base(&self) -> PathBuf {
        self.dir().join("run")
    }

    /// Where data directories are.
    pub fn data_base(&self) -> PathBuf {
        self.dir().join("data")
    }

    /// Writes a file into the place.
    ///
    /// # Panics
    ///
    /// When it cannot be written.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.dir().join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).expect("make a folder");
        }
        fs::write(&path, text).expect("write a file");
        path
    }

    /// The program with its environment, without standard input; not started.
    pub fn command<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Command {
        let mut command = match &self.user {
            None => run::command(&self.program),
            Some(user) => {
                let mut command = run::command("setpriv");
                command.args(["--reuid", user, "--regid", user, "--init-groups"]);
                command.current_dir(self.dir()).arg(&self.program);
                command
                    .env("HOME", self.dir())
                    .env_remove("XDG_RUNTIME_DIR");
                command
            }
        };
        command
            .args(arguments)
            .env("PLACEMAT_RUN_DIR", self.run_base())
            .env("PLACEMAT_DATA_DIR", self.data_base())
            .env("PLACEMAT_CACHE_DIR", crate::program::cache())
            .env("NO_COLOR", "1")
            .env_remove("PLACEMAT_LAB")
            .env_remove("SUDO_USER")
            .env_remove("PLACEMAT_LOG");
        command
    }

    /// The program by another name, as a link gives it; else as [`Place::command`].
    pub fn command_as<S: AsRef<OsStr>>(&self, name: &str, arguments: &[S]) -> Command {
        let mut command = self.command(arguments);
        command.arg0(name);
        command
    }

    /// Runs the program by another name to its end.
    pub fn say_as<S: AsRef<OsStr>>(&self, name: &str, arguments: &[S]) -> Said {
        run::run(self.command_as(name, arguments), PATIENCE)
    }

    /// From now on an ordinary user runs labs here, with a program that it can read.
    pub fn become_user(&mut self, user: &str, program: &Path) {
        self.user = Some(user.to_owned());
        program.clone_into(&mut self.program);
        self.look_again();
    }

    /// Takes the host as it is now for what it has to be again.
    pub fn look_again(&mut self) {
        self.before = HostState::now();
    }

    /// Runs the program to its end.
    pub fn say<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Said {
        self.say_within(PATIENCE, arguments)
    }

    /// As [`Place::say`], with a patience of its own.
    pub fn say_within<S: AsRef<OsStr>>(&self, patience: Duration, arguments: &[S]) -> Said {
        run::run(self.command(arguments), patience)
    }

    /// Runs a scenario that must pass, and gives the events of its labs.
    ///
    /// # Panics
    ///
    /// When it does not pass in time.
    pub fn lab_events_of(&self, scenario: &Path, patience: Duration) -> Vec<serde_json::Value> {
        let file = self.dir().join("events.jsonl");
        let words = [
            "test".as_ref(),
            scenario.as_os_str(),
            "--events".as_ref(),
            file.as_os_str(),
        ];
        self.say_within(patience, &words).well();
        let told = std::fs::read_to_string(file).expect("the events");
        told.lines()
            .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
            .map(|event| event["lab"].clone())
            .filter(|event| !event.is_null())
            .collect()
    }

    /// Brings a lab up, detached, from a cluster file or rack spec.
    ///
    /// # Panics
    ///
    /// When it does not come up.
    pub fn up(&self, file: &Path) -> Lab<'_> {
        self.up_within(PATIENCE, file)
    }

    /// As [`Place::up`], with a patience of its own.
    ///
    /// # Panics
    ///
    /// When it does not come up.
    pub fn up_within(&self, patience: Duration, file: &Path) -> Lab<'_> {
        let before = self.labs();
        let up = [OsStr::new("up"), OsStr::new("--detach"), file.as_os_str()];
        self.say_within(patience, &up).well();
        let new = self.labs().into_iter().find(|id| !before.contains(id));
        Lab::attach(self, &new.expect("a new lab"))
    }

    /// Ids of the labs that run here, oldest first.
    pub fn labs(&self) -> Vec<String> {
        let said = self.say(&["ls", "--json"]).well();
        let labs = said.out.lines().filter_map(|line| {
            let lab: serde_json::Value = serde_json::from_str(line).ok()?;
            Some(lab["lab"]["id"].as_str()?.to_owned())
        });
        labs.collect()
    }

    /// PID 1 of every lab here that lives, on the host.
    pub fn inits(&self) -> Vec<i32> {
        self.run_dirs()
            .iter()
            .filter_map(|dir| holder(dir))
            .collect()
    }

    /// The host as it was when the place was made.
    pub fn before(&self) -> &HostState {
        &self.before
    }

    /// Waits until no process of a lab of this place is left, no run directory, and the host is as
    /// it was.
    ///
    /// # Panics
    ///
    /// When something is left, with what it is.
    pub fn assert_nothing_left(&self) {
        let run = self.run_base();
        let patience = Duration::from_secs(10);
        let gone = crate::poll(patience, || {
            process::carrying(&run).is_empty().then_some(())
        });
        assert!(
            gone.is_some(),
            "processes are left: {:?}",
            process::carrying(&run)
        );
        assert_eq!(
            self.run_dirs(),
            Vec::<PathBuf>::new(),
            "run directories are left"
        );
        host::assert_unchanged(&self.before);
    }

    /// Run directories, of labs dead and alive.
    pub fn run_dirs(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.run_base())
            .into_iter()
            .flatten()
            .flatten();
        let mut dirs: Vec<PathBuf> = entries
            .map(|entry| entry.path())
            .filter(|path| path.is_dir())
            .collect();
        dirs.sort();
        dirs
    }
}

/// A detached lab. Dropped without [`Lab::down`], it is killed.
#[derive(Debug)]
pub struct Lab<'a> {
    place: &'a Place,
    /// Its id.
    pub id: String,
    /// Process id of its PID 1, on the host.
    pub init: i32,
    up: bool,
}

impl<'a> Lab<'a> {
    /// The lab with this id, which runs in `place`.
    ///
    /// # Panics
    ///
    /// When there is none.
    pub fn attach(place: &'a Place, id: &str) -> Self {
        let run_dir = place.run_base().join(id);
        let init = holder(&run_dir).unwrap_or_else(|| panic!("no init of {}", run_dir.display()));
        Self {
            place,
            id: id.to_owned(),
            init,
            up: true,
        }
    }

    /// Its run directory.
    pub fn run_dir(&self) -> PathBuf {
        self.place.run_base().join(&self.id)
    }

    /// Runs a verb on this lab.
    pub fn say<S: AsRef<OsStr>>(&self, verb: &str, arguments: &[S]) -> Said {
        let mut all = vec![OsStr::new(verb), OsStr::new("--lab"), OsStr::new(&self.id)];
        all.extend(arguments.iter().map(AsRef::as_ref));
        self.place.say(&all)
    }

    /// Runs a command in a target.
    pub fn exec(&self, target: &str, command: &[&str]) -> Said {
        let mut all = vec![target, "--"];
        all.extend(command);
        self.say("exec", &all)
    }

    /// The lab as it is.
    ///
    /// # Panics
    ///
    /// When it does not say.
    pub fn status(&self) -> Status {
        let said = self.say("status", &["--json"]).well();
        serde_json::from_str(&said.out).expect("status as JSON")
    }

    /// Its events so far.
    pub fn events(&self) -> Vec<serde_json::Value> {
        let text = fs::read_to_string(self.run_dir().join("events.jsonl")).unwrap_or_default();
        let lines = text
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok());
        lines.collect()
    }

    /// Takes it down.
    ///
    /// # Panics
    ///
    /// When that fails.
    pub fn down(mut self) {
        self.say::<&str>("down", &[]).well();
        self.up = false;
    }
}

impl Drop for Lab<'_> {
    fn drop(&mut self) {
        if self.up {
            let init = nix::unistd::Pid::from_raw(self.init);
            // It may have been killed by the test.
            if process::carrying(&self.place.run_base()).contains(&self.init) {
                let _ = nix::sys::signal::kill(init, nix::sys::signal::Signal::SIGKILL);
            }
        }
    }
}

/// The outermost process that holds the lock of a run directory: the lab's PID 1 of a detached lab,
/// whose parent has gone.
fn holder(run_dir: &Path) -> Option<i32> {
    let lock = run_dir.join("lock");
    let holds = |pid: &i32| {
        let fds = fs::read_dir(format!("/proc/{pid}/fd"));
        let mut links = fds.into_iter().flatten().flatten();
        links.any(|fd| fs::read_link(fd.path()).is_ok_and(|link| link == lock))
    };
    let base = run_dir.parent()?;
    process::carrying(base).into_iter().filter(holds).min()
}
