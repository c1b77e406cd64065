//! The program by the names of placemat v2's programs: help, wrong command lines, what cannot be had.

use crate::shown;
use placemat_tests::{Place, repository};
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;

const MOCK: &str = "{kind: Node, name: a, tier: mock}\n";
const SERVER: &str = "{kind: Node, name: a, cpu: 1}\n";

#[test]
fn help() {
    let place = Place::new();
    let cases: [(&str, &[&str]); 6] = [
        ("placemat2", &[]),
        ("pmctl2", &[]),
        ("pmctl2", &["node"]),
        ("pmctl2", &["node", "list"]),
        ("pmctl2", &["node", "action"]),
        ("placemat-menu", &[]),
    ];
    for (name, words) in cases {
        let said = place.say_as(name, &[words, &["--help"]].concat());
        let snapshot = [&[name], words].concat().join("_");
        insta::assert_snapshot!(snapshot, shown(&place, &said));
    }
    for name in ["placemat2", "pmctl2", "placemat-menu"] {
        // By a path, too: a link is called by one.
        let said = place.say_as(&format!("/usr/bin/{name}"), &["--version"]);
        assert!(said.well().out.starts_with(&format!("{name} ")));
    }
    place.assert_nothing_left();
}

#[test]
fn completion() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let script = place.say_as("pmctl2", &["completion", shell]).well().out;
        for word in ["pmctl2", "node", "forward"] {
            assert!(script.contains(word), "{shell} has no {word}");
        }
    }
}

#[test]
fn wrong_command_lines() {
    let place = Place::new();
    let mut all = Vec::new();
    let cases: [(&str, &[&str]); 11] = [
        ("placemat2", &[]),
        ("placemat2", &["no/such.yml"]),
        ("placemat2", &["--listen-addr", "10808", "x.yml"]),
        ("placemat2", &["--logformat", "xml", "x.yml"]),
        ("pmctl2", &["--endpoint", "localhost", "node", "list"]),
        (
            "pmctl2",
            &["--endpoint", "http://127.0.0.1:1", "node", "list"],
        ),
        ("pmctl2", &["node", "action", "stop", "a/b"]),
        ("pmctl2", &["pod", "enter", "core", "--app", "bird"]),
        ("pmctl2", &["net", "action", "up", "pm1"]),
        ("pmctl2", &["snapshot", "save", "now"]),
        ("placemat-menu", &[]),
    ];
    for (name, arguments) in cases {
        let said = place.say_as(name, arguments);
        let command = [&[name], arguments].concat().join(" ");
        all.push(format!("$ {command}\n{}", shown(&place, &said)));
    }
    insta::assert_snapshot!(all.join("\n"));
    place.assert_nothing_left();
}

#[test]
fn what_cannot_be_had_is_said_before_anything_starts() {
    let place = Place::new();
    let (mock, server) = (place.write("mock.yml", MOCK), place.write("vm.yml", SERVER));
    let dir = place.dir().to_string_lossy().into_owned();
    let data = format!("--data-dir={dir}/data");
    let mut all = Vec::new();
    let mut tell = |what: &str, said: &placemat_tests::Said| {
        all.push(format!("# {what}\n{}", shown(&place, said)));
    };
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let at = taken.local_addr().expect("its address").to_string();
    let mut said = place.say_as(
        "placemat2",
        &[&data, "--listen-addr", &at, &mock.to_string_lossy()],
    );
    said.err = said.err.replace(&at, "127.0.0.1:PORT");
    tell("the port is somebody else's", &said);

    let start = |folder: &str, file: &PathBuf| {
        place.say_as(
            "placemat2",
            &[
                &data,
                "--listen-addr=127.0.0.1:0",
                "--run-dir",
                folder,
                &file.to_string_lossy(),
            ],
        )
    };
    tell(
        "no such folder for consoles",
        &start(&format!("{dir}/none"), &server),
    );
    let _alive = UnixListener::bind(place.dir().join("a.socket")).expect("a socket");
    tell("another lab's console", &start(&dir, &server));
    let bad = place.write(
        "bad.yml",
        "kind: Node\nname: a\ninterfaces: [net1]\nfolder: x\n",
    );
    tell("a bad file", &start(&dir, &bad));

    let mut command = place.command_as("placemat2", &[&data, &*mock.to_string_lossy()]);
    command.env("SUDO_USER", "nobody-of-that-name");
    tell(
        "sudo by nobody",
        &placemat_tests::run::run(command, placemat_tests::lab::PATIENCE),
    );
    insta::with_settings!({filters => vec![(r"HTTP API on http://[0-9.:]+", "HTTP API on ADDRESS")]}, {
        insta::assert_snapshot!(all.join("\n"));
    });
    place.assert_nothing_left();
}

#[test]
fn links() {
    let place = Place::new();
    std::fs::create_dir(place.dir().join("bin")).expect("a folder");
    let dir = place.dir().join("bin").to_string_lossy().into_owned();
    let install = || place.say(&["install-links", &dir]);
    let first = install().well();
    // Again, over its own.
    assert_eq!(install().well().err, first.err);
    let link = |name: &str| place.dir().join("bin").join(name);
    assert!(
        link("pmctl2")
            .canonicalize()
            .expect("a program")
            .ends_with("placemat")
    );
    let said = placemat_tests::run::run(
        {
            let mut command = placemat_tests::run::command(link("pmctl2"));
            command.arg("--version");
            command
        },
        placemat_tests::lab::PATIENCE,
    );
    assert!(said.well().out.starts_with("pmctl2 "));
    // Over what is not its own, never; nor halfway.
    std::fs::remove_file(link("placemat2")).expect("removed");
    std::fs::remove_file(link("pmctl2")).expect("removed");
    place.write("bin/pmctl2", "somebody else's");
    std::fs::remove_file(link("placemat-menu")).expect("removed");
    std::os::unix::fs::symlink("/bin/true", link("placemat-menu")).expect("a link");
    insta::assert_snapshot!(shown(&place, &install()));
    assert!(!link("placemat2").exists());
    insta::assert_snapshot!(
        "links_without_a_folder",
        shown(&place, &place.say(&["install-links", "no/such"]))
    );
    place.assert_nothing_left();
}

#[test]
fn the_menu() {
    let place = Place::new();
    let out = place.dir().join("out");
    let say = |file: &std::path::Path| {
        place.say_as(
            "placemat-menu",
            &[
                "-f",
                &*file.to_string_lossy(),
                "-o",
                &*out.to_string_lossy(),
            ],
        )
    };
    say(&repository().join("menu/examples/routers.yml")).well();
    assert!(out.join("cluster.yml").is_file());
    // Neco's own input, by either name, and what is wrong with it.
    let neco = repository().join("menu/examples/neco/menu.yml");
    let said = say(&neco).well();
    assert!(said.err.starts_with("wrote 20 files to "), "{}", said.err);
    let mode = |name: &str| {
        use std::os::unix::fs::PermissionsExt;
        let meta = std::fs::metadata(out.join(name)).expect("a file");
        meta.permissions().mode() & 0o777
    };
    assert_eq!((mode("setup-iptables"), mode("squid.conf")), (0o755, 0o644));
    place
        .say(&["check", &*out.join("cluster.yml").to_string_lossy()])
        .well();
    place.say(&["check", &*neco.to_string_lossy()]).well();
    let text = std::fs::read_to_string(&neco).expect("the example");
    let beside = neco.parent().expect("a folder");
    for name in ["ipam.json", "boot-seed.yml.template"] {
        let text = std::fs::read_to_string(beside.join(name)).expect("beside the example");
        place.write(name, &text);
    }
    let old = place.write(
        "old.yml",
        &text.replace("  proxy: 10.0.49.3", "  prxy: 10.0.49.3"),
    );
    let warned = say(&old).well();
    let refused = place.say(&["menu", &*old.to_string_lossy(), "-o", "no"]);
    let bad = place.write(
        "bad.yml",
        &text
            .replace("boot-seed", "no-seed")
            .replace("ipam.json", "none.json"),
    );
    insta::assert_snapshot!(format!(
        "# placemat-menu\n{}\n# placemat menu\n{}\n# files that are not there\n{}",
        shown(&place, &warned),
        shown(&place, &refused),
        shown(&place, &say(&bad))
    ));
    assert!(!place.dir().join("no").exists());
    place.assert_nothing_left();
}
