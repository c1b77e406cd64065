//! What the menu writes is taken by the programs that read it: every BIRD configuration by `bird
//! -p`, every DHCP server's configuration and every relay's command line by `dnsmasq --test`. Of
//! the examples, of the menu's test inputs, and of random inventories.

#[path = "../../menu/tests/properties/shape.rs"]
#[allow(
    dead_code,
    clippy::unwrap_used,
    reason = "property tests of the menu ask more of it than this"
)]
mod shape;

use placemat_lab::boot::dnsmasq;
use placemat_menu::{Output, Source, expand};
use placemat_spec::Cluster;
use placemat_tests::{Need, needs, repository};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

/// So many random inventories, the same in each run.
const RANDOM: usize = 12;

const FILES: [&str; 5] = [
    "menu/examples/small.yml",
    "menu/examples/routers.yml",
    "menu/examples/forty-racks.yml",
    "menu/tests/inputs/medium.yml",
    "menu/tests/inputs/turned.yml",
];

fn sources() -> Vec<Source> {
    let files = FILES.iter().map(|name| {
        let path = repository().join(name);
        let text = std::fs::read_to_string(&path).expect("a rack spec");
        Source {
            dir: path.parent().expect("a folder").into(),
            ..Source::inline(name, text)
        }
    });
    let mut runner = TestRunner::deterministic();
    let mut random = || shape::shape().new_tree(&mut runner).expect("a shape");
    let random = (0..RANDOM).map(|_| random().current().source());
    files.chain(random).collect()
}

/// What a rack spec expands to, written to a folder.
struct Written {
    folder: tempfile::TempDir,
    output: Output,
    text: String,
}

impl Written {
    fn new(source: &Source) -> Self {
        let output = expand(source).unwrap_or_else(|problems| panic!("{problems}"));
        let folder = tempfile::tempdir().expect("a folder");
        for file in &output.files {
            let path = folder.path().join(&file.path);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            std::fs::write(path, &file.contents).expect("written");
        }
        Self {
            folder,
            output,
            text: source.text.to_string(),
        }
    }

    fn cluster(&self) -> Cluster {
        let text = self.output.files[0].contents.as_str();
        let loaded = Cluster::load(vec![Source::inline("cluster.yml", text)]);
        loaded.unwrap_or_else(|problems| panic!("{problems}")).0
    }

    /// A program that only reads what it would run with ends well.
    fn accepted<S: AsRef<OsStr>>(&self, command: &[S], what: &dyn std::fmt::Display) {
        let ran = Command::new(command[0].as_ref())
            .args(&command[1..])
            .output()
            .expect("run it");
        let said = String::from_utf8_lossy(&ran.stderr);
        assert!(ran.status.success(), "{what}: {said}\nof\n{}", self.text);
    }
}

#[test]
fn bird_takes_every_configuration() {
    if !needs(&[Need::Bird]) {
        return;
    }
    for source in sources() {
        let written = Written::new(&source);
        let files = written.output.files.iter();
        let configs: Vec<&Path> = files
            .map(|file| file.path.as_path())
            .filter(|path| path.extension() == Some(OsStr::new("conf")))
            // Those of the core's services are squid's and chronyd's.
            .filter(|path| !path.starts_with("core"))
            .collect();
        assert!(configs.len() >= written.output.plan.routers.len());
        for config in configs {
            let path = written.folder.path().join(config);
            let command = [
                "bird".as_ref(),
                "-p".as_ref(),
                "-c".as_ref(),
                path.as_os_str(),
            ];
            written.accepted(&command, &config.display());
        }
    }
}

#[test]
fn dnsmasq_takes_every_configuration_and_relay() {
    if !needs(&[Need::Dnsmasq]) {
        return;
    }
    let (mut servers, mut relays) = (0, 0);
    for source in sources() {
        let written = Written::new(&source);
        let cluster = written.cluster();
        let state = written.folder.path();
        for (name, server) in &cluster.boot_servers {
            let config = dnsmasq::config(server, state, None).expect("a configuration");
            let path = state.join("dnsmasq.conf");
            std::fs::write(&path, config).expect("written");
            let mut command = vec!["dnsmasq".to_owned(), "--test".to_owned()];
            command.extend(dnsmasq::arguments(&path));
            written.accepted(&command, name);
            servers += 1;
        }
        for (name, router) in &cluster.routers {
            for app in router.apps.iter().filter(|app| app.name == "dhcp-relay") {
                let mut command = app.command.clone();
                command.push("--test".into());
                written.accepted(&command, name);
                relays += 1;
            }
        }
    }
    assert!(servers > RANDOM && relays > RANDOM, "{servers}, {relays}");
}
