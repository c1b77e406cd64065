//! Measures what a user waits for, and writes it with the machine's description to a JSON file.
//! Nothing here passes or fails by a time; what should grow no faster than its input fails where it
//! does, by the processor's time.
//!
//! ```text
//! bench PLACEMAT RUNS OUT.json      from the top of the work tree; `ci/bench` builds and calls it
//! ```
//!
//! Times of a start come from the `events.jsonl` of suites made here, so their clock begins with the
//! run; `down` and `kill -9` are timed from outside.

use anyhow::{Context, Result, bail, ensure};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Longest that anything here may take before it counts as broken.
const PATIENCE: Duration = Duration::from_secs(300);

const REST: &str = "
asn-base: 64600
pools: {node: 10.69.0.0/20, fabric: 10.72.1.0/24, loopback: 10.72.0.0/24, bmc: 10.72.16.0/20}
bfd: {interval: 400ms, multiplier: 5}
bgp: {hold: 30s, connect: 1s, error-wait: 1s}
";

/// What holds on any machine, with the most that it may be. What is twice as large may take 2.2 times as
/// long; a check, which has several times as much in memory, a little more, as caches hold less of it.
const AT_MOST: [(&str, f64); 4] = [
    (MENU_MEMORY, 300.0),
    (MENU_GROWTH, 2.2),
    (VERIFY_GROWTH, 2.5),
    (CHECK_GROWTH, 1.1),
];
/// Runs of a menu in each run of all: they are short, and the shortest are what noise disturbs most.
const READINGS: usize = 5;
const MENU: &str = "menu: 1,000 racks of 28 servers that run";
const MENU_MEMORY: &str = "menu: memory for these (MB)";
const VERIFY: &str = "menu --check: 1,000 racks of 28 mocks";
const VERIFY_MEMORY: &str = "menu --check: memory for these (MB)";
const CHECK_GROWTH: &str = "check: a line of 100,000 to one of 50,000 (ratio)";
const MENU_GROWTH: &str = "menu: 2,000 racks to 1,000 (ratio)";
const VERIFY_GROWTH: &str = "menu --check: 2,000 racks to 1,000 (ratio)";

/// Everything is up, every session on both ends, every loopback reaches every other.
const STEADY: &str = "{all: [{booted: {of: node/*}}, \
    {bgp: {of: [router/*, boot-server/*, node/*]}}, \
    {bfd: {of: [router/*, boot-server/*, node/*]}}, \
    {reachable: {from: [router/*, boot-server/*, node/*], to: [router/*, boot-server/*, node/*]}}]}";

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, flag, command @ ..] = &arguments[..]
        && flag == SPENT
    {
        return spent_by(command);
    }
    let [_, placemat, runs, out] = &arguments[..] else {
        bail!("usage: bench PLACEMAT RUNS OUT.json");
    };
    let tree = std::env::current_dir()?;
    let work = tempfile::tempdir().context("make a folder for the runs")?;
    let memory = tempfile::tempdir_in("/dev/shm").context("make a folder in memory")?;
    let bench = Bench {
        placemat: std::path::absolute(placemat)?,
        work: work.path().to_owned(),
        memory: memory.path().to_owned(),
        image: tree.join("images/out/node"),
        small: tree.join("menu/examples/small.yml"),
        routers: tree.join("menu/examples/routers.yml"),
    };
    let runs: usize = runs.parse().context("RUNS is a number")?;
    let mut samples = Samples::default();
    for run in 1..=runs {
        say(&format!("run {run} of {runs}"));
        bench.run(&mut samples)?;
    }
    let report = json!({
        "runs": runs,
        "placemat": env!("CARGO_PKG_VERSION"),
        "profile": if cfg!(debug_assertions) { "dev" } else { "release" },
        "host": samples.host,
        "unit": "ms, medians; the clock of a start begins with the run",
        "times": samples.medians(),
        "samples": samples.times,
        "kill9-tests": recorded_kills(&tree),
    });
    let text = serde_json::to_string_pretty(&report)?;
    std::fs::write(out, &text).with_context(|| format!("write {out}"))?;
    let medians = samples.medians();
    for (name, median) in &medians {
        let unit = if name.ends_with(')') { "" } else { " ms" };
        say(&format!("{name:<56} {median:>10}{unit}"));
    }
    say(&format!("written to {out}"));
    for (name, most) in AT_MOST {
        let ratio = medians.get(name).and_then(Value::as_f64);
        let ratio = ratio.with_context(|| format!("{name} was not measured"))?;
        ensure!(ratio <= most, "{name} is {ratio}, more than {most}");
    }
    Ok(())
}

#[derive(Default)]
struct Samples {
    times: Map<String, Value>,
    host: Value,
}

impl Samples {
    fn add(&mut self, name: &str, ms: f64) {
        let list = self.times.entry(name).or_insert_with(|| json!([]));
        if let Value::Array(list) = list {
            let fine = if name.ends_with("(ratio)") {
                100.0
            } else {
                10.0
            };
            list.push(json!((ms * fine).round() / fine));
        }
    }

    fn medians(&self) -> Map<String, Value> {
        let median = |list: &Value| {
            let mut list: Vec<f64> = list.as_array()?.iter().filter_map(Value::as_f64).collect();
            list.sort_by(f64::total_cmp);
            list.get(list.len() / 2).copied()
        };
        self.times
            .iter()
            .filter_map(|(name, list)| Some((name.clone(), json!(median(list)?))))
            .collect()
    }
}

struct Bench {
    placemat: PathBuf,
    work: PathBuf,
    /// Where what menus write goes: how fast a disk makes tens of thousands of files says nothing about
    /// who asks it to.
    memory: PathBuf,
    image: PathBuf,
    small: PathBuf,
    routers: PathBuf,
}

impl Bench {
    fn run(&self, samples: &mut Samples) -> Result<()> {
        self.reading(samples)?;
        let events = self.events("small", &std::fs::read_to_string(&self.small)?, STEADY)?;
        samples.host = host(&events);
        samples.add("small demo: cold to steady", steady_at(&events)?);

        let racks = "  - servers: []\n".repeat(4);
        let spec = format!(
            "kind: DataCenter\nname: ten\nspines: 2\ntors: 2\nracks:\n{racks}types: {{light: {{tier: netns}}}}\n{REST}"
        );
        let events = self.events("ten", &spec, "{bgp: {of: router/*}}")?;
        samples.add(
            "10 routers: cold to every BGP session Established",
            steady_at(&events)?,
        );

        let spec = format!(
            "kind: DataCenter\nname: one\nspines: 1\ntors: 2\nracks:\n  - servers: [uefi]\n\
             types:\n  uefi: {{tier: full, cpu: 1, memory: 512M}}\n{REST}"
        );
        let events = self.events("one", &spec, "{booted: {of: node/*}}")?;
        for (name, ms) in phases(&events, "node/rack1-cs1")? {
            samples.add(&format!("one full server: {name}"), ms);
        }

        samples.add("routers.yml: down", self.down()?);
        samples.add(
            "routers.yml: kill -9 until no process is left",
            self.kill()?,
        );
        Ok(())
    }

    /// How long specifications take to expand and to check, and whether that grows with their length
    /// and no faster.
    fn reading(&self, samples: &mut Samples) -> Result<()> {
        let rows = [
            (MENU, MENU_MEMORY, MENU_GROWTH, "netns", &[][..]),
            (VERIFY, VERIFY_MEMORY, VERIFY_GROWTH, "mock", &["--check"]),
        ];
        for (name, memory, growth, tier, flags) in rows {
            for _ in 0..READINGS {
                let (one, _) = self.menu("racks-1000", 1000, tier, flags)?;
                let (two, _) = self.menu("racks-2000", 2000, tier, flags)?;
                samples.add(name, one.ms);
                samples.add(memory, one.peak_mb);
                samples.add(growth, two.own_ms / one.own_ms);
            }
        }
        let mut times = Vec::new();
        for (name, racks, lines) in [("racks-170", 170, 50_000_u32), ("racks-340", 340, 100_000)] {
            let (_, cluster) = self.menu(name, racks, "mock", &[])?;
            let count = u32::try_from(std::fs::read_to_string(&cluster)?.lines().count())?;
            ensure!(count >= lines, "{racks} racks are {count} lines");
            let spent = spent(self.command().arg("check").arg(&cluster))?;
            // Per line, so that a larger cluster than asked for counts as one of that size.
            let lines = f64::from(count);
            times.push((spent.ms / lines, spent.own_ms / lines));
        }
        if let [(half, half_own), (_, whole_own)] = times[..] {
            samples.add("check: cluster of 50,000 lines", half * 50_000.0);
            samples.add(CHECK_GROWTH, whole_own / half_own);
        }
        Ok(())
    }

    /// Expands a data center of so many racks: what that took, and its cluster file.
    fn menu(&self, name: &str, racks: u32, tier: &str, flags: &[&str]) -> Result<(Spent, PathBuf)> {
        let dir = self.memory.join(name);
        if dir.exists() {
            std::fs::remove_dir_all(&dir)?;
        }
        std::fs::create_dir_all(&dir)?;
        let spec = dir.join("dc.yml");
        // All that a check looks for in a bundle that only boot servers use.
        std::fs::write(dir.join("node.efi"), "")?;
        std::fs::write(
            &spec,
            format!(
                "kind: DataCenter\nname: large\nspines: 2\nracks: [{{count: {racks}, servers: [28 x light]}}]\n\
                 types: {{light: {{tier: {tier}}}}}\nimage: {{bundle: .}}\n\
                 asn-base: 4200000000\npools: {{node: 10.0.0.0/12, fabric: 10.16.0.0/12, loopback: 10.32.0.0/24, bmc: 10.48.0.0/12}}\n"
            ),
        )?;
        let mut command = self.command();
        command.arg("menu").arg(&spec).arg("-o").arg(&dir);
        Ok((spent(command.args(flags))?, dir.join("cluster.yml")))
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.placemat);
        command
            .env("PLACEMAT_RUN_DIR", self.work.join("run"))
            .env("PLACEMAT_DATA_DIR", self.work.join("data"))
            .stdin(Stdio::null());
        command
    }

    /// Runs one wait on a data center of its own; the events of that.
    fn events(&self, name: &str, spec: &str, steady: &str) -> Result<Vec<Value>> {
        let dir = self.work.join(name);
        std::fs::create_dir_all(&dir)?;
        // The rack spec has moved, so its image is named by its place.
        let image = self.image.display();
        let image = format!("image: {{name: node-os, bundle: {image}}}");
        let lines = spec.lines().filter(|line| !line.starts_with("image:"));
        let lines: Vec<&str> = lines.chain([image.as_str()]).collect();
        let spec = lines.join("\n");
        std::fs::write(dir.join("dc.yml"), spec)?;
        std::fs::write(
            dir.join("suite.yml"),
            format!(
                "kind: Suite\nname: {name}\ndc: dc.yml\n---\nkind: Scenario\nname: steady\n\
                 timeout: 4m\nsteps:\n  - eventually: {{that: {steady}, timeout: 4m}}\n"
            ),
        )?;
        let file = dir.join("events.jsonl");
        let output = self
            .command()
            .arg("test")
            .arg(dir.join("suite.yml"))
            .arg("--events")
            .arg(&file)
            .output()
            .context("start placemat")?;
        ensure!(
            output.status.success(),
            "the run of {name} ended with {}:\n{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        let text = std::fs::read_to_string(&file).context("read the events")?;
        text.lines()
            .map(|line| serde_json::from_str(line).context("read an event"))
            .collect()
    }

    /// How long `down` takes for the fabric with its light servers.
    fn down(&self) -> Result<f64> {
        // Its talk goes nowhere: a pipe would be ours to read for as long as the lab lives.
        let up = self
            .command()
            .args(["up", "--detach"])
            .arg(&self.routers)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()?;
        ensure!(up.success(), "up ended with {up}");
        let begin = Instant::now();
        let down = self.command().args(["down", "--lab", "routers"]).output()?;
        ensure!(
            down.status.success(),
            "down: {}",
            String::from_utf8_lossy(&down.stderr)
        );
        Ok(ms(begin.elapsed()))
    }

    /// How long all processes of the lab take to go when the one that started it is killed.
    fn kill(&self) -> Result<f64> {
        let mut up = self
            .command()
            .arg("up")
            .arg(&self.routers)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        until("the lab runs", || {
            let status = self.command().args(["status", "--json"]).output();
            status.is_ok_and(|output| {
                serde_json::from_slice::<Value>(&output.stdout)
                    .is_ok_and(|status| status["phase"] == "running")
            })
        })?;
        let members = tree(up.id());
        let begin = Instant::now();
        up.kill()?;
        up.wait()?;
        until("all of it is gone", || {
            members
                .iter()
                .all(|pid| !Path::new(&format!("/proc/{pid}")).exists())
        })?;
        Ok(ms(begin.elapsed()))
    }
}

/// What a command takes to its good end.
struct Spent {
    /// From start to end, in milliseconds.
    ms: f64,
    /// Time of processors on its own code, in milliseconds: what the kernel does for it depends on who
    /// else uses the machine.
    own_ms: f64,
    /// Resident memory at its most, in megabytes.
    peak_mb: f64,
}

/// The flag by which this program runs another and says what that took: the kernel tells a process
/// of all its children at once, so each has a parent of its own.
const SPENT: &str = "--spent";

fn spent(command: &Command) -> Result<Spent> {
    let mut parent = Command::new(std::env::current_exe()?);
    parent.arg(SPENT).arg(command.get_program());
    parent.args(command.get_args()).stdin(Stdio::null());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => parent.env(name, value),
            None => parent.env_remove(name),
        };
    }
    let output = parent.output().context("start a parent")?;
    ensure!(
        output.status.success(),
        "{command:?}:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let told: [f64; 3] = serde_json::from_slice(&output.stdout).context("read what it took")?;
    let [ms, own_ms, peak_mb] = told;
    Ok(Spent {
        ms,
        own_ms,
        peak_mb,
    })
}

/// Runs a command, and prints what it took.
#[expect(clippy::print_stdout, reason = "what the parent asked for")]
fn spent_by(command: &[String]) -> Result<()> {
    let [program, arguments @ ..] = command else {
        bail!("{SPENT} takes a command");
    };
    let begin = Instant::now();
    let output = Command::new(program).args(arguments).output()?;
    let took = ms(begin.elapsed());
    ensure!(
        output.status.success(),
        "it ended with {}:\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    // A bench is busy for less than 2^32 microseconds; Linux counts kilobytes.
    let [own, peak] = [usage.user_time().num_microseconds(), usage.max_rss()]
        .map(|number| f64::from(u32::try_from(number).unwrap_or(u32::MAX)));
    println!("{}", json!([took, own / 1000.0, peak / 1024.0]));
    Ok(())
}

/// When the run's only wait came true.
fn steady_at(events: &[Value]) -> Result<f64> {
    let end = events
        .iter()
        .find(|event| event["event"] == "step-end" && event["path"] == "1");
    let end = end.context("the events have no end of the wait")?;
    end["t_ms"].as_f64().context("an event without time")
}

/// Time in each phase of a server's first boot, and from power-on to the guest agent.
fn phases(events: &[Value], object: &str) -> Result<Vec<(String, f64)>> {
    let mut seen: Vec<(String, f64)> = Vec::new();
    for lab in events.iter().map(|event| &event["lab"]) {
        if lab["object"] == object && lab["kind"] == "boot" && lab["boot"] == 1 {
            let phase = lab["phase"].as_str().unwrap_or_default().to_owned();
            if seen.last().is_none_or(|(last, _)| *last != phase) && phase != "off" {
                seen.push((phase, lab["t_ms"].as_f64().unwrap_or_default()));
            }
        }
    }
    let (Some(first), Some(last)) = (
        seen.first(),
        seen.iter().find(|(phase, _)| phase == "agent"),
    ) else {
        bail!("{object} did not boot");
    };
    let mut times: Vec<_> = seen
        .windows(2)
        .take_while(|pair| pair[0].0 != "agent")
        .map(|pair| (format!("in phase {}", pair[0].0), pair[1].1 - pair[0].1))
        .collect();
    times.push(("power-on to guest agent".into(), last.1 - first.1));
    Ok(times)
}

/// The machine as the run describes it.
fn host(events: &[Value]) -> Value {
    let start = events.iter().find(|event| event["event"] == "run-start");
    start.map_or(Value::Null, |start| start["host"].clone())
}

/// What the tests of `kill -9` recorded, where they ran before.
fn recorded_kills(tree: &Path) -> Value {
    let text = std::fs::read_to_string(tree.join("target/tmp/kill9.jsonl")).unwrap_or_default();
    text.lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .collect()
}

/// A process and everything below it.
fn tree(pid: u32) -> Vec<u32> {
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
    let children = children.unwrap_or_default();
    let below = children
        .split_whitespace()
        .filter_map(|child| child.parse().ok());
    std::iter::once(pid).chain(below.flat_map(tree)).collect()
}

fn until(what: &str, mut holds: impl FnMut() -> bool) -> Result<()> {
    let begin = Instant::now();
    while !holds() {
        ensure!(
            begin.elapsed() < PATIENCE,
            "waited {} s until {what}",
            PATIENCE.as_secs()
        );
        std::thread::sleep(Duration::from_millis(2));
    }
    Ok(())
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

#[expect(clippy::print_stderr, reason = "talk of a program for developers")]
fn say(text: &str) {
    eprintln!("{text}");
}
