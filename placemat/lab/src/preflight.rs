//! What virtual machines ask of a host, held against what it has: before anything starts, with the
//! line that asked.

use placemat_host::probe::firmware::{self, Flavor};
use placemat_host::probe::{accel, program};
use placemat_spec::resource::{Accel, CpuModel, Node, Tier};
use placemat_spec::{Cluster, Problem};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// A host, as far as machines go. Each part is looked at only where a cluster asks for it.
#[derive(Debug, Clone, Default)]
pub struct MachineHost {
    /// Why there is no swtpm.
    pub no_tpm: Option<String>,
    /// Why there is no UEFI firmware.
    pub no_uefi: Option<String>,
    /// Why there is none with Secure Boot.
    pub no_secure_boot: Option<String>,
    /// CPU models that QEMU knows; empty: not asked, or it did not say.
    pub cpu_models: Vec<String>,
    /// Why there is no KVM, as far as that is known.
    pub no_kvm: Option<String>,
    /// What QEMU says of the CPU models that it does not take, features and all.
    pub refused_models: BTreeMap<String, String>,
    /// Memory and swap in MiB, as far as it is known.
    pub memory_mib: Option<u64>,
    /// What of the memory is free or can be freed, in MiB.
    pub available_mib: Option<u64>,
}

/// What does not fit.
#[derive(Debug, Default)]
pub struct Findings {
    /// The cluster cannot run here.
    pub errors: Vec<Problem>,
    /// It may not do well.
    pub warnings: Vec<Problem>,
}

impl MachineHost {
    /// Looks at this host. `accel` is the file of the accelerator probe. Takes some 50 ms where a node
    /// names a CPU model, and 200 ms for each one with features; else none.
    pub fn of(cluster: &Cluster, accel: &Path) -> Self {
        let any = |wants: fn(&Node) -> bool| machines(cluster).any(wants);
        let firmware = |flavor| firmware::find(flavor).err().map(|error| error.to_string());
        let missing = |wanted: bool, look: &dyn Fn() -> Option<String>| wanted.then(look).flatten();
        let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let mib = |key| meminfo_mib(&memory, key);
        let mut host = Self {
            no_tpm: missing(any(|node| node.devices.tpm.is_some()), &|| {
                program::locate("swtpm")
                    .err()
                    .map(|error| error.to_string())
            }),
            no_uefi: missing(any(plain_uefi), &|| firmware(Flavor::Plain)),
            no_secure_boot: missing(any(|node| node.firmware.secure_boot.is_some()), &|| {
                firmware(Flavor::SecureBoot)
            }),
            cpu_models: Vec::new(),
            no_kvm: None,
            refused_models: BTreeMap::new(),
            memory_mib: mib("MemTotal").map(|all| all + mib("SwapTotal").unwrap_or(0)),
            available_mib: mib("MemAvailable"),
        };
        if any(|node| node.cpu.model.is_some()) {
            host.cpu_models = cpu_models();
            host.refused_models = refused_models(cluster, &host.cpu_models);
        }
        if any(|node| node.accel == Accel::Kvm || asks_for_host(node))
            && let Ok(qemu) = program::find(QEMU)
        {
            host.no_kvm = accel::no_kvm(&qemu, accel);
        }
        host
    }

    /// Holds a cluster against it.
    pub fn check(&self, cluster: &Cluster) -> Findings {
        let mut found = Findings::default();
        for node in machines(cluster) {
            self.check_node(node, &mut found.errors);
        }
        if let Some(why) = &self.no_uefi
            && let Some(node) = machines(cluster).find(|node| plain_uefi(node))
        {
            let message = format!("Node `{}` needs UEFI firmware", node.name);
            found.errors.push(
                Problem::new("missing-firmware", message)
                    .at(node.place, "the first of those that do")
                    .help(why),
            );
        }
        found.warnings.extend(self.too_much_memory(cluster));
        found
    }

    fn check_node(&self, node: &Node, errors: &mut Vec<Problem>) {
        let name = &node.name;
        if let (Some(place), Some(why)) = (node.devices.tpm, &self.no_tpm) {
            let message = format!("Node `{name}` has a TPM, which takes swtpm");
            errors.push(
                Problem::new("missing-program", message)
                    .at(place, "asked for here")
                    .help(why),
            );
        }
        if let (Some(place), Some(why)) = (node.firmware.secure_boot, &self.no_secure_boot) {
            let message = format!("Node `{name}` needs firmware with Secure Boot");
            errors.push(
                Problem::new("missing-firmware", message)
                    .at(place, "asked for here")
                    .help(why),
            );
        }
        if let Some(model) = &node.cpu.model {
            errors.extend(self.check_model(node, model));
        }
        if let (Accel::Kvm, Some(why)) = (node.accel, &self.no_kvm) {
            let message = format!("Node `{name}` wants KVM, which this host does not have");
            errors.push(
                Problem::new("no-kvm", message)
                    .at(node.place, "says `accel: kvm`")
                    .help(format!("{why}; `accel: auto` takes what there is")),
            );
        }
        if let Some(all) = self.memory_mib.filter(|all| node.memory.mib > *all) {
            let message = format!("Node `{name}` cannot have {}M of memory", node.memory.mib);
            errors.push(Problem::new("too-little-memory", message).at(
                node.memory.place,
                format!("this host has {all}M, with its swap"),
            ));
        }
    }

    /// Whether QEMU knows a model, its features, and can give it here.
    fn check_model(&self, node: &Node, model: &CpuModel) -> Option<Problem> {
        let (name, word) = (&node.name, base(&model.words));
        let tcg = match node.accel {
            Accel::Tcg => Some("it says `accel: tcg`"),
            Accel::Auto => self.no_kvm.as_deref(),
            // That alone is wrong, and told.
            Accel::Kvm => None,
        };
        if let (HOST, Some(why)) = (word, tcg) {
            let message = format!("Node `{name}` cannot have the host's own CPU model without KVM");
            return Some(
                Problem::new("cpu-model-of-kvm", message)
                    .at(model.place, "only under KVM")
                    .help(format!("{why}; `max` has all that TCG can do")),
            );
        }
        if !self.cpu_models.is_empty() && !self.cpu_models.iter().any(|known| known == word) {
            let known = self.cpu_models.iter().map(String::as_str);
            let near = placemat_spec::problem::nearest(word, known);
            let near = near.map(|near| format!("did you mean `{near}`? "));
            let message = format!("QEMU has no CPU model `{word}` for Node `{name}`");
            return Some(
                Problem::new("unknown-cpu-model", message)
                    .at(model.place, "unknown here")
                    .help(format!(
                        "{}`qemu-system-x86_64 -cpu help` lists them",
                        near.unwrap_or_default()
                    )),
            );
        }
        let why = self.refused_models.get(&model.words)?;
        let message = format!("QEMU does not take the CPU model of Node `{name}`");
        Some(
            Problem::new("bad-cpu-model", message)
                .at(model.place, why)
                .help("`qemu-system-x86_64 -cpu help` lists features at its end"),
        )
    }

    /// Machines take memory as their guests touch it, so what does not fit may do for a while.
    fn too_much_memory(&self, cluster: &Cluster) -> Option<Problem> {
        let available = self.available_mib?;
        let started = || machines(cluster).filter(|node| node.autostart);
        let sum: u64 = started().map(|node| node.memory.mib).sum();
        let most = started().max_by_key(|node| node.memory.mib)?;
        if sum <= available {
            return None;
        }
        let message = format!(
            "{} machines that start with the lab have {sum}M of memory, and {available}M are available",
            started().count()
        );
        Some(
            Problem::new("much-memory", message)
                .at(most.memory.place, format!("Node `{}` has the most", most.name))
                .help("it goes well as long as guests do not use it all; `autostart: false` leaves some off"),
        )
    }
}

/// The CPU model that only KVM has.
const HOST: &str = "host";
const QEMU: &str = "qemu-system-x86_64";

/// The model without its features.
fn base(words: &str) -> &str {
    words.split([',', '+']).next().unwrap_or_default()
}

fn asks_for_host(node: &Node) -> bool {
    let model = node.cpu.model.as_ref();
    model.is_some_and(|model| base(&model.words) == HOST)
}

fn plain_uefi(node: &Node) -> bool {
    node.firmware.uefi && node.firmware.secure_boot.is_none()
}

fn machines(cluster: &Cluster) -> impl Iterator<Item = &Node> {
    cluster
        .nodes
        .values()
        .filter(|node| matches!(node.tier, Tier::Full | Tier::Kernel))
}

/// A line of `/proc/meminfo`, which counts in KiB.
fn meminfo_mib(text: &str, key: &str) -> Option<u64> {
    let line = text.lines().find(|line| line.starts_with(key))?;
    let number = line.split_ascii_whitespace().nth(1)?;
    Some(number.parse::<u64>().ok()? >> 10)
}

/// Asks QEMU. An answer that is not understood is no reason to refuse a file.
fn cpu_models() -> Vec<String> {
    let Ok(qemu) = program::locate(QEMU) else {
        return Vec::new();
    };
    let said = Command::new(qemu)
        .args(["-cpu", "help"])
        .stdin(Stdio::null())
        .output();
    said.map_or_else(
        |_| Vec::new(),
        |said| models_in(&String::from_utf8_lossy(&said.stdout)),
    )
}

/// Models with features that QEMU does not take, with its words. Each is tried, without running a guest.
fn refused_models(cluster: &Cluster, known: &[String]) -> BTreeMap<String, String> {
    let Ok(qemu) = program::locate(QEMU) else {
        return BTreeMap::new();
    };
    let models = machines(cluster).filter_map(|node| node.cpu.model.as_ref());
    let models: BTreeSet<&str> = models.map(|model| model.words.as_str()).collect();
    let worth = models.into_iter().filter(|words| {
        let word = base(words);
        word != *words && word != HOST && known.iter().any(|it| it == word)
    });
    let tried = worth.filter_map(|words| Some((words.to_owned(), tried(&qemu, words)?)));
    tried.collect()
}

/// Why QEMU does not make a machine with this CPU. An answer that is not understood is none.
fn tried(qemu: &Path, words: &str) -> Option<String> {
    let script = "{\"execute\":\"qmp_capabilities\"}\n{\"execute\":\"quit\"}\n";
    let mut child = Command::new(qemu)
        .args(["-machine", "q35", "-accel", "tcg", "-cpu", words])
        .args(["-S", "-nodefaults", "-display", "none", "-m", "16"])
        .args(["-qmp", "stdio"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .ok()?;
    if let Some(mut stdin) = child.stdin.take() {
        // One that has ended already reads nothing.
        let _ = stdin.write_all(script.as_bytes());
    }
    let said = child.wait_with_output().ok()?;
    if said.status.success() {
        return None;
    }
    let text = String::from_utf8_lossy(&said.stderr);
    let line = text.lines().rev().find(|line| !line.is_empty())?;
    let (_, words) = line.split_once(": ")?;
    Some(words.trim().to_owned())
}

/// Its list: a heading, an indented line a model, an empty line.
fn models_in(text: &str) -> Vec<String> {
    let lines = text.lines().skip(1).take_while(|line| !line.is_empty());
    lines
        .filter_map(|line| line.split_ascii_whitespace().find(|word| *word != "x86"))
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use placemat_spec::Source;
    use placemat_spec::problem::Severity;

    const DC: &str = "\
kind: Node
name: n1
cpu: 1
memory: 4G
cpu-model: EPIC,+x2apic
tpm: true
firmware: {secure-boot: true}
---
kind: Node
name: n2
cpu: 1
memory: 100G
cpu-model: EPYC
---
kind: Node
name: n3
cpu: 1
memory: 8G
uefi: true
autostart: false
---
kind: Node
name: n4
tier: mock
memory: 200G
";

    fn rendered(host: &MachineHost) -> String {
        let source = Source::inline("dc.yml", DC);
        let (cluster, _) = Cluster::load(vec![source]).unwrap_or_else(|it| panic!("{it}"));
        let found = host.check(&cluster);
        let errors = cluster.problems(found.errors).render(false);
        let warnings = cluster.problems(found.warnings);
        format!("{errors}\n{}", warnings.render_as(Severity::Warning, false))
    }

    #[test]
    fn what_a_host_lacks() {
        let why = |what: &str| Some(format!("{what} is not installed"));
        insta::assert_snapshot!(rendered(&MachineHost {
            no_tpm: why("swtpm"),
            no_uefi: why("firmware"),
            no_secure_boot: why("such firmware"),
            cpu_models: vec!["EPYC".into(), "max".into()],
            memory_mib: Some(64 << 10),
            available_mib: Some(32 << 10),
            ..MachineHost::default()
        }));
    }

    /// What KVM alone has, and what QEMU has no words for.
    #[test]
    fn models_that_cannot_be_had() {
        let refusal = "Property 'max-x86_64-cpu.wings' not found";
        let host = MachineHost {
            cpu_models: vec!["host".into(), "max".into()],
            no_kvm: Some("there is no /dev/kvm".into()),
            refused_models: BTreeMap::from([("max,+wings".to_owned(), refusal.to_owned())]),
            ..MachineHost::default()
        };
        let node = |rest: &str| format!("kind: Node\nname: n\n{rest}\n");
        let told = |host: &MachineHost, rest: &str| {
            let loaded = Cluster::load(vec![Source::inline("dc.yml", node(rest))]);
            let (cluster, _) = loaded.unwrap_or_else(|it| panic!("{it}"));
            let found = host.check(&cluster).errors;
            cluster.problems(found).render(false)
        };
        for (rest, code, words) in [
            (
                "cpu-model: host",
                "cpu-model-of-kvm",
                "there is no /dev/kvm; `max` has",
            ),
            (
                "cpu-model: \"host,+avx\"",
                "cpu-model-of-kvm",
                "dc.yml:3:12",
            ),
            (
                "accel: kvm",
                "no-kvm",
                "there is no /dev/kvm; `accel: auto`",
            ),
            ("cpu-model: \"max,+wings\"", "bad-cpu-model", refusal),
            (
                "cpu-model: maxi",
                "unknown-cpu-model",
                "did you mean `max`?",
            ),
        ] {
            let text = told(&host, rest);
            assert!(
                text.contains(&format!("error[{code}]")) && text.contains(words),
                "{text}"
            );
        }
        let kvm = MachineHost {
            no_kvm: None,
            ..host
        };
        assert_eq!(told(&kvm, "cpu-model: host"), "");
        let tcg = told(&kvm, "cpu-model: host\naccel: tcg");
        assert!(tcg.contains("it says `accel: tcg`"), "{tcg}");
    }

    #[test]
    fn what_is_not_known_is_no_problem() {
        assert_eq!(rendered(&MachineHost::default()).trim(), "");
        let large = MachineHost {
            memory_mib: Some(1 << 20),
            available_mib: Some(104 << 10),
            ..MachineHost::default()
        };
        assert_eq!(rendered(&large).trim(), "");
    }

    #[test]
    fn reads_what_host_and_qemu_say() {
        let memory = "MemTotal:       24683520 kB\nMemFree:  1 kB\nMemAvailable: 2048 kB\n";
        assert_eq!(meminfo_mib(memory, "MemTotal"), Some(24105));
        assert_eq!(meminfo_mib(memory, "MemAvailable"), Some(2));
        assert_eq!(meminfo_mib(memory, "SwapTotal"), None);
        let old = "Available CPUs:\nx86 486                   (alias configured by machine type)\n\
                   x86 EPYC-Rome-v1          AMD EPYC-Rome Processor\nx86 host  all\n\n\
                   Recognized CPUID flags:\n  3dnow 3dnowext\n";
        assert_eq!(models_in(old), ["486", "EPYC-Rome-v1", "host"]);
        let new = "Available CPUs:\n  486-v1\n  max        Enables all features\n\nRecognized\n";
        assert_eq!(models_in(new), ["486-v1", "max"]);
    }
}
