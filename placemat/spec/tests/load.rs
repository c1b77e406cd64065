//! Good files load into what they say; bad ones give exactly the messages that are committed.

#![allow(clippy::unwrap_used)]

use placemat_spec::document::LARGEST;
use placemat_spec::resource::{
    BootFaults, Cpu, DhcpFault, HttpFault, NetworkType, NodeIndex, OciSource, RestartPolicy, Tier,
    VolumeKind,
};
use placemat_spec::selector::{Selector, Target};
use placemat_spec::{Cluster, Problems, Severity, Source};
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

fn folder(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests")
        .join(name)
}

fn source(path: &Path) -> Source {
    let mut source = Source::file(path, std::fs::read_to_string(path).unwrap());
    source.name = path.file_name().unwrap().to_string_lossy().into_owned();
    source.dir = "/dc".into();
    source
}

fn small() -> Cluster {
    let (cluster, warnings) =
        Cluster::load(vec![source(&folder("good/small.yml"))]).unwrap_or_else(|it| panic!("{it}"));
    assert!(warnings.is_empty(), "{warnings}");
    cluster
}

#[test]
fn a_good_file_loads() {
    let cluster = small();
    assert_eq!(cluster.networks.len(), 5);
    assert_eq!(cluster.networks["internet"].addresses.len(), 2);
    assert_eq!(cluster.networks["bmc"].kind, NetworkType::Bmc);
    let names: Vec<&str> = cluster.routers["spine-1"]
        .interfaces
        .iter()
        .map(|it| it.name.as_str())
        .collect();
    assert_eq!(names, ["eth0", "uplink"]);
    let app = &cluster.routers["rack1-tor1"].apps[0];
    assert_eq!(app.env["LEVEL"], "1.10");
    assert_eq!(app.restart, RestartPolicy::OnFailure);
    assert_eq!(app.ready.as_ref().unwrap().timeout, Duration::from_secs(90));
    assert_eq!(
        app.ready.as_ref().unwrap().interval,
        Duration::from_millis(100)
    );
    assert_eq!(app.workdir.as_deref(), Some(Path::new("/var/tmp")));
    assert_eq!(app.user.as_deref(), Some("dnsmasq:nogroup"));
    assert_eq!(app.after, ["bird"]);
    let limits = cluster.routers["rack1-tor1"].limits.as_ref().unwrap();
    assert_eq!(
        (limits.memory, limits.cpu_milli, limits.pids),
        (Some(64 << 20), Some(500), Some(64))
    );
    let proxy = &cluster.routers["proxy"];
    assert_eq!(
        proxy.image.as_ref().unwrap().source,
        OciSource::Layout {
            path: "/dc/images/proxy".into(),
            tag: Some("v1".into())
        }
    );
    assert!(proxy.apps[0].command.is_empty());
    // Placemat v2 leaves an app alone that ended well.
    assert_eq!(
        cluster.routers["operation"].apps[0].restart,
        RestartPolicy::OnFailure
    );
    assert_eq!(cluster.routers["rack1-tor1"].labels["rack"], "1");
    let boot = &cluster.boot_servers["rack1-boot"];
    assert_eq!(
        (boot.http_port, boot.dhcp.ranges[0].lease.as_secs()),
        (8080, 1800)
    );
    assert_eq!(
        boot.machines[0].config.as_deref(),
        Some(Path::new("/dc/boot/rack1-cs1"))
    );
    assert_eq!(
        boot.faults,
        BootFaults {
            http: Some(HttpFault::Slow { rate: 10_000_000 }),
            dhcp: Some(DhcpFault::NoBootFile)
        }
    );
    let full = &cluster.nodes["rack1-cs1"];
    assert_eq!(
        (full.tier, full.cpu.count, full.memory.mib),
        (Tier::Full, 2, 512)
    );
    assert!(
        full.firmware.secure_boot.is_some() && full.devices.tpm.is_some() && full.devices.video
    );
    assert_eq!((full.devices.queues, full.boot_order.len()), (2, 2));
    assert!(full.firmware.uefi && full.firmware.http_boot && full.autostart);
    assert!(matches!(full.volumes[1].kind, VolumeKind::Raw { size, .. } if size == 1 << 30));
    assert_eq!(full.bmc.as_ref().unwrap().network, "bmc");
    let netns = &cluster.nodes["rack1-cs2"];
    assert_eq!(
        (netns.tier, netns.cpu.count, netns.memory.mib),
        (Tier::Netns, 4, 2048)
    );
    assert_eq!(netns.smbios.serial.len(), 40);
    assert_eq!(
        (netns.labels["role"].as_str(), netns.labels["rack"].as_str()),
        ("cs", "1")
    );
    assert_eq!(netns.bmc.as_ref().unwrap().user, "admin");
}

/// Entries that name a machine come first, then those that select it; the server's own words last.
#[test]
fn boot_entries_are_taken_together() {
    let cluster = small();
    let boot = &cluster.boot_servers["rack1-boot"];
    let recipes = boot.recipes(&cluster, &NodeIndex::of(&cluster));
    insta::assert_debug_snapshot!((boot.usual(), recipes));
}

#[test]
fn every_kind_of_volume_loads() {
    let (cluster, warnings) = Cluster::load(vec![source(&folder("good/volumes.yml"))])
        .unwrap_or_else(|it| panic!("{it}"));
    assert!(warnings.is_empty(), "{warnings}");
    let mut text = String::new();
    for image in cluster.images.values() {
        let (compression, sha256) = (image.compression, image.sha256);
        let _ = writeln!(text, "{:?} {compression:?} {sha256:?}", image.source);
    }
    for folder in cluster.data_folders.values() {
        let _ = writeln!(text, "{} {:?}", folder.name, folder.content);
    }
    for it in &cluster.nodes["n1"].volumes {
        let class = &it.device_class;
        let _ = writeln!(text, "{} {:?} {:?} {class:?}", it.name, it.kind, it.cache);
    }
    for file in cluster.files() {
        let path = file.path.display();
        let _ = writeln!(text, "{:?} {path}: {}", file.kind, file.what);
    }
    insta::assert_snapshot!(text);
}

#[test]
fn selectors_resolve() {
    let cluster = small();
    let resolve = |text: &str| -> String {
        match Selector::parse(text).and_then(|it| it.resolve(&cluster)) {
            Ok(targets) => targets
                .iter()
                .map(Target::to_string)
                .collect::<Vec<_>>()
                .join(" "),
            Err(error) => format!("{}: {error}", error.code),
        }
    };
    let texts = [
        "hub",
        "rack1-tor1",
        "rack/1",
        "node/*",
        "node/*-cs?",
        "node/rack=1+tier=netns",
        "router/role!=spine",
        "router/kind=NetworkNamespace",
        "boot-server/*",
        "feed/*",
        "pdu/*",
        "network/type=bmc",
        "feed-rack1",
        "node/image=node-*",
        "",
        "rack1-tor9",
        "rack/2",
        "nodes/*",
        "node/",
        "node/*-cs9",
        "node/rack=2",
        "node/rak=1",
        "node/role=cs+tier=mock",
        "node/role=cs+",
        "node/a b",
        "*-cs1",
        "pod/x/y",
        "node/rack=1+tier=full+role!=cs",
    ];
    let lines: Vec<String> = texts
        .iter()
        .map(|text| format!("{text:<32} {}", resolve(text)))
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn files_are_listed_with_their_places() {
    let cluster = small();
    let lines: Vec<String> = cluster
        .files()
        .iter()
        .map(|file| {
            format!(
                "{}: {:?} {} ({})",
                file.place.line,
                file.kind,
                file.path.display(),
                file.what
            )
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
    let problems = cluster.check_files(|file| {
        if file.path.starts_with("/dc/bird") {
            Ok(())
        } else {
            Err(file.missing("No such file or directory"))
        }
    });
    insta::assert_snapshot!("missing_files", problems.unwrap_err().to_string());
}

/// What each way of writing CPUs, memory and NUMA comes to.
#[test]
fn processors() {
    let written = [
        "",
        "cpu: 6",
        "cpu: 6\nnuma: {nodes: 2}",
        "cpu: 7\nnuma: {nodes: 2}\nmemory: 3G",
        "smp: {cpus: 6}",
        "smp: {cpus: 2, maxcpus: 8}",
        "smp: {cores: 2, threads: 2}",
        "smp: {cpus: 8, sockets: 2, threads: 2}",
        "smp: {cpus: 8, cores: 2, threads: 2}",
        "smp: {cpus: 8, cores: 2, sockets: 2}",
        "smp: {cpus: 4, sockets: 2, dies: 2, cores: 1, threads: 1}\nnuma: {nodes: 2}",
        "memory: 2048\ncpu-model: EPYC,+x2apic",
    ];
    let lines: Vec<String> = written
        .iter()
        .map(|lines| {
            let text = format!("kind: Node\nname: n1\ntier: full\n{lines}\n");
            let (cluster, _) = load(&text).unwrap_or_else(|it| panic!("{it}"));
            let Cpu { count, most, sockets, dies, cores, threads, model } = &cluster.nodes["n1"].cpu;
            let memory = &cluster.nodes["n1"].memory;
            let model = model.as_ref().map_or("-", |it| it.words.as_str());
            format!(
                "{:<60} {count}/{most} CPUs: {sockets} x {dies} x {cores} x {threads}, {model}; {}M over {:?}",
                lines.replace('\n', ", "),
                memory.mib,
                memory.numa_nodes
            )
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
}

/// Every file of tests/bad, rendered. A file's name is the code that it must give.
#[test]
fn bad_files_give_their_messages() {
    let mut files: Vec<_> = std::fs::read_dir(folder("bad"))
        .unwrap()
        .map(|it| it.unwrap().path())
        .collect();
    files.retain(|path| path.extension().is_some_and(|it| it == "yml"));
    files.sort();
    assert!(files.len() >= 80);
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("bad");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for path in files {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            let (severity, problems) = match Cluster::load(vec![source(&path)]) {
                Ok((_, warnings)) => (Severity::Warning, warnings),
                Err(errors) => (Severity::Error, errors),
            };
            let codes: Vec<&str> = problems.list.iter().map(|it| it.code).collect();
            let code = name.split("--").next().unwrap();
            assert!(codes.contains(&code), "{name} gives {codes:?}");
            insta::assert_snapshot!(name, problems.render_as(severity, false));
        }
    });
}

fn load(text: &str) -> Result<(Cluster, Problems), Problems> {
    Cluster::load(vec![Source::inline("test.yml", text)])
}

#[test]
fn problems_of_several_files_come_in_order_and_point_into_both() {
    let one = Source::inline(
        "one.yml",
        "{kind: Network, name: net0, type: internal}\n---\n{kind: Netwrok, name: x}\n",
    );
    let two = Source::inline("two.yml", "{kind: Network, name: net0, type: internal}\n");
    insta::assert_snapshot!(Cluster::load(vec![one, two]).unwrap_err().to_string());
}

#[test]
fn bombs_deep_nesting_and_huge_texts_are_refused() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let list = vec![format!("*a{}", level - 1); 10].join(", ");
        let _ = writeln!(bomb, "a{level}: &a{level} [{list}]");
    }
    let codes = |text: &str| {
        load(text)
            .unwrap_err()
            .list
            .iter()
            .map(|it| it.code)
            .collect::<Vec<_>>()
    };
    assert_eq!(codes(&bomb), ["alias-bomb"]);
    assert_eq!(codes(&"[".repeat(100_000)), ["too-deep"]);
    assert_eq!(codes(&"- ".repeat(100_000)), ["too-deep"]);
    let mut chain = String::from("a0: &a0 [x]\n");
    for level in 1..200 {
        let _ = writeln!(chain, "a{level}: &a{level} [*a{}]", level - 1);
    }
    assert_eq!(codes(&chain), ["too-deep"]);
    assert_eq!(codes("a: &a [*a]\n"), ["recursive-alias"]);
    // Few values, but long ones: 200 GB of text.
    let long = format!(
        "a: &a {}\nb: [{}]\n",
        "x".repeat(1 << 20),
        "*a,".repeat(200_000)
    );
    assert_eq!(codes(&long), ["alias-bomb"]);
    assert_eq!(codes(&" ".repeat(LARGEST + 1)), ["too-large"]);
}

#[test]
fn colours_are_only_in_the_coloured_rendering() {
    let problems = load("kind: Nod\nname: n\n").unwrap_err();
    assert!(!problems.render(false).contains('\x1b'));
    assert!(
        problems
            .render(true)
            .contains("\x1b[1;31merror[unknown-kind]")
    );
}

/// As many lines and documents as the largest files: nothing has a budget in their way.
#[test]
fn fifty_thousand_lines_load() {
    let mut text = String::from("kind: Network\nname: bmc\ntype: bmc\naddress: 10.64.0.1/10\n");
    for rack in 0..255_u32 {
        let (high, low) = (rack / 256, rack % 256);
        let _ = writeln!(
            text,
            "---\nkind: Network\nname: r{rack}\ntype: internal\nlabels: {{rack: {rack}}}"
        );
        let _ = writeln!(
            text,
            "---\nkind: Router\nname: rack{rack}-tor1\nlabels:\n  rack: {rack}\n  role: tor\ninterfaces:"
        );
        let _ = writeln!(
            text,
            "  - network: r{rack}\n    addresses:\n      - 10.{high}.{low}.1/24\nloopback: [10.32.{high}.{low}/32]"
        );
        for node in 0..16_u32 {
            let _ = writeln!(
                text,
                "---\nkind: Node\nname: rack{rack}-cs{node}\nlabels:\n  rack: {rack}\n  role: cs\ntier: mock\ncpu: 1"
            );
            let _ = writeln!(
                text,
                "interfaces:\n  - network: r{rack}\n    mac: 52:54:00:{high:02x}:{low:02x}:{node:02x}\nbmc:\n  address: 10.{}.{low}.{}",
                65 + high,
                node + 1
            );
        }
        let _ = writeln!(
            text,
            "---\nkind: Power\nname: feed{rack}\nloads: [rack/{rack}]"
        );
    }
    let lines = text.lines().count();
    assert!(lines > 50_000, "{lines}");
    let (cluster, warnings) = load(&text).unwrap_or_else(|it| {
        panic!(
            "{}",
            it.render(false)
                .lines()
                .take(20)
                .collect::<Vec<_>>()
                .join("\n")
        )
    });
    assert_eq!(cluster.nodes.len(), 255 * 16);
    assert!(warnings.is_empty());
}
