//! Log files of a lab: what programs and consoles say, as they say it, one file each, and a note of how
//! long each file was when.
//!
//! ```text
//! RUN/logs/router-spine-1/bird.log    what the program writes, untouched
//! RUN/logs/node-rack1-cs1/console.log
//! RUN/logs/times                      MILLISECONDS SIZE FILE: so long was the file at this time
//! ```
//!
//! Programs write to their files themselves: nothing of the lab stands between, so nothing of it can
//! hold them up. That is why times are kept beside.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio_util::sync::CancellationToken;

/// Below the run directory.
pub const DIR: &str = "logs";
/// Below [`DIR`].
const TIMES: &str = "times";
/// How often sizes are noted. `logs --since` is as exact as this.
const EVERY: Duration = Duration::from_secs(1);

/// Notes the sizes of log files that have grown, until it is told to stop.
pub(crate) async fn keep_times(logs: PathBuf, until: CancellationToken) {
    let mut clock = tokio::time::interval(EVERY);
    let mut sizes = HashMap::new();
    while until.run_until_cancelled(clock.tick()).await.is_some() {
        let dir = logs.clone();
        let noted = tokio::task::spawn_blocking(move || {
            // A full disk costs the notes, and nothing else.
            let _ = note(&dir, &mut sizes);
            sizes
        });
        let Ok(back) = noted.await else { return };
        sizes = back;
    }
}

fn note(logs: &Path, sizes: &mut HashMap<PathBuf, u64>) -> std::io::Result<()> {
    let now = milliseconds(SystemTime::now());
    let mut lines = String::new();
    for folder in fs::read_dir(logs)?.flatten() {
        for file in fs::read_dir(folder.path()).into_iter().flatten().flatten() {
            let size = file.metadata().map_or(0, |meta| meta.len());
            let path = file.path();
            let name = path.strip_prefix(logs).unwrap_or(&path).to_owned();
            if sizes.get(&name) != Some(&size) {
                // Writing to a string does not fail.
                let _ = writeln!(lines, "{now} {size} {}", name.display());
                sizes.insert(name, size);
            }
        }
    }
    if lines.is_empty() {
        return Ok(());
    }
    let mut times = OpenOptions::new()
        .create(true)
        .append(true)
        .open(logs.join(TIMES))?;
    times.write_all(lines.as_bytes())
}

/// How long a log file was at a time: what lies before was said before. `name` is relative to the log
/// directory.
pub fn size_at(logs: &Path, name: &Path, time: SystemTime) -> u64 {
    let text = fs::read_to_string(logs.join(TIMES)).unwrap_or_default();
    let wanted = milliseconds(time);
    let of_line = |line: &str| {
        let mut words = line.splitn(3, ' ');
        let at: u128 = words.next()?.parse().ok()?;
        let size: u64 = words.next()?.parse().ok()?;
        (at <= wanted && Path::new(words.next()?) == name).then_some(size)
    };
    text.lines().filter_map(of_line).next_back().unwrap_or(0)
}

/// The folder of an object's log files: `router/spine-1` is `router-spine-1`.
pub fn folder(kind: &str, name: &str) -> String {
    format!("{kind}-{name}")
}

fn milliseconds(time: SystemTime) -> u128 {
    time.duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_found_by_time() {
        let dir = tempfile::tempdir().expect("a folder");
        let logs = dir.path();
        fs::create_dir(logs.join("router-a")).expect("a folder");
        let name = Path::new("router-a/app.log");
        fs::write(logs.join(name), "one\n").expect("a file");
        let mut sizes = HashMap::new();
        note(logs, &mut sizes).expect("noted");
        let between = SystemTime::now();
        fs::write(logs.join(name), "one\ntwo\n").expect("a file");
        std::thread::sleep(Duration::from_millis(2));
        note(logs, &mut sizes).expect("noted");
        note(logs, &mut sizes).expect("noted");
        let later = SystemTime::now();
        assert_eq!(size_at(logs, name, between), 4);
        assert_eq!(size_at(logs, name, later), 8);
        assert_eq!(size_at(logs, name, between - Duration::from_secs(60)), 0);
        assert_eq!(size_at(logs, Path::new("router-a/other.log"), later), 0);
        let times = fs::read_to_string(logs.join(TIMES)).expect("a file");
        assert_eq!(times.lines().count(), 2);
    }
}
