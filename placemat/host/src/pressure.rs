//! How starved this host's processors are: how long work that could run has had to wait for one.

use std::io;
use std::time::{Duration, Instant};

/// Pressure stall information (Linux 4.20 and later, where built in and not switched off).
const PSI: &str = "/proc/pressure/cpu";
/// Kernel counters that every host has.
const STAT: &str = "/proc/stat";

/// A count, ever growing, of the time that work has waited for a processor. Where the kernel does
/// not count that itself it is estimated from one reading to the next: from the time the
/// hypervisor stole, and from how many more tasks can run than there are processors. Then read it
/// often: what happens between two readings is taken to be as it was at the second.
#[derive(Debug, Default)]
pub struct Pressure {
    estimated: Duration,
    last: Option<(Instant, Stat)>,
}

impl Pressure {
    /// Time waited so far. Only differences mean something: the count began at some point before.
    pub fn waited(&mut self) -> io::Result<Duration> {
        // A kernel that was told `psi=0` has the file and refuses to read it.
        if let Ok(text) = std::fs::read_to_string(PSI)
            && let Some(waited) = psi_total(&text)
        {
            return Ok(waited);
        }
        let text = std::fs::read_to_string(STAT)?;
        let stat = Stat::parse(&text)
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "no CPU counters"))?;
        let now = Instant::now();
        if let Some((then, before)) = self.last.replace((now, stat)) {
            self.estimated += (now - then).mul_f64(stat.waiting_since(before));
        }
        Ok(self.estimated)
    }
}

/// `total=` of the line `some`, in microseconds: time in which at least one task waited.
fn psi_total(text: &str) -> Option<Duration> {
    let some = text.lines().find(|line| line.starts_with("some "))?;
    let total = some
        .split_whitespace()
        .find_map(|word| word.strip_prefix("total="))?;
    total.parse().ok().map(Duration::from_micros)
}

/// What `/proc/stat` says (proc(5)), times in ticks over all processors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stat {
    all: u64,
    stolen: u64,
    processors: u32,
    /// Tasks that run or could run, the reader among them.
    runnable: u32,
}

impl Stat {
    fn parse(text: &str) -> Option<Self> {
        let line = text.lines().find(|line| line.starts_with("cpu "))?;
        // user nice system idle iowait irq softirq steal; guest time is within user's.
        let ticks = line.split_whitespace().skip(1).take(8);
        let ticks: Vec<u64> = ticks.map(|word| word.parse().ok()).collect::<Option<_>>()?;
        let is_one = |line: &&str| {
            line.strip_prefix("cpu")
                .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        };
        let running = text
            .lines()
            .find_map(|line| line.strip_prefix("procs_running "))?;
        Some(Self {
            all: ticks.iter().sum(),
            stolen: ticks.get(7).copied().unwrap_or(0),
            processors: u32::try_from(text.lines().filter(is_one).count()).ok()?,
            runnable: running.trim().parse().ok()?,
        })
    }

    /// Share of the time since `before` in which work waited, 0 to 1.
    #[expect(clippy::cast_precision_loss, reason = "a few seconds of ticks")]
    fn waiting_since(self, before: Self) -> f64 {
        let all = self.all.saturating_sub(before.all);
        let stolen = self.stolen.saturating_sub(before.stolen);
        let stolen = if all == 0 {
            0.0
        } else {
            stolen as f64 / all as f64
        };
        let queued = if self.runnable > self.processors {
            1.0
        } else {
            0.0
        };
        stolen.max(queued).clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUSY: &str = "cpu  100 0 50 800 10 0 5 35 0 0\ncpu0 50 0 25 400 5 0 2 18 0 0\n\
        cpu1 50 0 25 400 5 0 3 17 0 0\nintr 1 2 3\nprocs_running 6\nprocs_blocked 0\n";

    #[test]
    fn the_kernels_own_count_is_taken_where_there_is_one() {
        let text = "some avg10=82.03 avg60=48.94 avg300=21.90 total=99375954\n\
            full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n";
        assert_eq!(psi_total(text), Some(Duration::from_micros(99_375_954)));
        assert_eq!(psi_total("full avg10=0.00 total=7\n"), None);
        assert_eq!(psi_total(""), None);
    }

    #[test]
    fn without_it_stolen_time_and_queued_tasks_tell() {
        let busy = Stat::parse(BUSY).unwrap();
        assert_eq!(
            busy,
            Stat {
                all: 1000,
                stolen: 35,
                processors: 2,
                runnable: 6
            }
        );
        let before = Stat {
            all: 900,
            stolen: 10,
            ..busy
        };
        assert!((busy.waiting_since(before) - 1.0).abs() < 1e-9, "a queue");
        let alone = Stat {
            runnable: 1,
            ..busy
        };
        assert!((alone.waiting_since(before) - 0.25).abs() < 1e-9, "stolen");
        let quiet = Stat {
            stolen: 10,
            ..alone
        };
        assert!(quiet.waiting_since(before).abs() < 1e-9);
        assert_eq!(Stat::parse("cpu  1 2 x\n"), None);
        assert_eq!(Stat::parse(""), None);
    }

    #[test]
    fn this_host_can_be_read_and_never_counts_backwards() {
        let mut pressure = Pressure::default();
        let first = pressure.waited().unwrap();
        assert!(pressure.waited().unwrap() >= first);
    }
}
