//! One lab of virtual machines at a time: this machine has few cores, and a boot that is starved
//! tells nothing.

use std::fs::File;
use std::io::Write;
use std::time::Instant;

/// The right to run a lab, and the clock of one group of tests.
pub(crate) struct Turn {
    group: &'static str,
    began: Instant,
    _lock: File,
}

impl Turn {
    /// Waits until no other test, of this process or another, has its turn.
    pub(crate) fn take(group: &'static str) -> Self {
        let path = std::env::temp_dir().join("placemat-e2e.lock");
        let file = File::options()
            .create(true)
            .append(true)
            .open(&path)
            .expect("a lock file");
        file.lock().expect("the lock");
        Self {
            group,
            began: Instant::now(),
            _lock: file,
        }
    }

    /// Says something under the group's name. Not by `eprintln`, which libtest keeps to itself
    /// while a test passes.
    pub(crate) fn say(&self, text: &str) {
        let seconds = self.began.elapsed().as_secs_f64();
        let _ = writeln!(
            std::io::stderr(),
            "e2e {}: {text} at {seconds:.1} s",
            self.group
        );
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.say(if std::thread::panicking() {
            "failed"
        } else {
            "done"
        });
    }
}
