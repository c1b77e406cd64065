//! A rendered data center made live, without QEMU: private namespaces, veth pairs, bridges, real
//! BIRDs and real DHCP relays. Nothing outside of the namespaces is touched, and they end with the
//! test.

#![allow(clippy::unwrap_used, clippy::print_stderr)] // tests may panic, and say why they skip

mod script;

use placemat_menu::{Output, Source, expand, plan};
use placemat_spec::Cluster;
use std::path::Path;
use std::process::Command;

const ROUTERS: &str = include_str!("../../examples/routers.yml");
const SMALL: &str = include_str!("../../examples/small.yml");
const MEDIUM: &str = include_str!("../inputs/medium.yml");
const TURNED: &str = include_str!("../inputs/turned.yml");

/// One ToR a rack, a rack without servers, more spines than the smallest block of links holds.
const ODD: &str = "
kind: DataCenter
name: odd
spines: 17
tors: 1
types: {light: {tier: netns}}
racks: [{servers: []}, {servers: [light]}]
image: {bundle: node}
";

#[test]
fn sessions_establish_and_loopbacks_reach_each_other_and_relays_relay() {
    let needs = ["bird", "dnsmasq", "ip", "busybox", "userns"];
    if !needs.into_iter().all(is_there) {
        return;
    }
    let source = source(ROUTERS);
    let plan = plan(&source).unwrap();
    let output = expand(&source).unwrap();
    let text = output.files[0].contents.as_str();
    let (cluster, _) = Cluster::load(vec![Source::inline("cluster.yml", text)]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    write(&output, folder.path());
    let script = script::script(&plan, &cluster);
    std::fs::write(folder.path().join("lab.sh"), script).unwrap();

    let lab = Command::new("unshare")
        .args([
            "--user",
            "--map-root-user",
            "--net",
            "--mount",
            "--pid",
            "--fork",
        ])
        .args(["--kill-child", "--mount-proc", "sh", "-eu", "lab.sh"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&lab.stderr);
    assert!(lab.status.success(), "{}\n{errors}", lab.status);
    insta::assert_snapshot!(String::from_utf8(lab.stdout).unwrap(), @r"
    established 40 of 40
    bfd up 40 of 40
    reached 132 of 132
    paths from rack1-cs1 to rack2-cs1: 2, source 10.69.0.4
    paths from spine-1 to rack2-cs1: 2, source 10.72.0.1
    without relay: no lease
    with relay: 10.69.0.68/26 router 10.69.0.65
    boot server's end of its link: reached
    server from its ToR without their link: yes
    ToR from ToR of the rack without a spine: yes
    server from another rack: yes
    ");
}

#[test]
fn programs_accept_every_configuration() {
    if !is_there("bird") {
        return;
    }
    let exposed = "exposed: {bastion: 10.76.0.0/24, bastion6: 'fd72::/64', global6: 'fd73::/64'}";
    let exposed = format!("{SMALL}family: dual\ncore: {{}}\n{exposed}\n");
    for text in [SMALL, ROUTERS, ODD, MEDIUM, TURNED, &exposed] {
        let output = expand(&source(text)).unwrap();
        let folder = tempfile::tempdir().unwrap();
        write(&output, folder.path());
        for file in &output.files {
            let path = folder.path().join(&file.path);
            let (program, arguments) = match file.path.to_str().unwrap() {
                // Of those who serve, too, where they are there to ask.
                "core/squid.conf" => ("squid", &["-k", "parse", "-f"][..]),
                "core/chrony.conf" => ("chronyd", &["-p", "-f"][..]),
                _ if path.extension().is_some_and(|it| it == "conf") => ("bird", &["-p", "-c"][..]),
                _ => continue,
            };
            if program != "bird" && !is_there(program) {
                continue;
            }
            let said = Command::new(program)
                .args(arguments)
                .arg(path)
                .output()
                .unwrap();
            let errors = String::from_utf8_lossy(&said.stderr);
            assert!(said.status.success(), "{}: {errors}", file.path.display());
        }
    }
}

fn source(text: &str) -> Source {
    Source {
        dir: "/dc".into(),
        ..Source::inline("dc.yml", text)
    }
}

fn write(output: &Output, folder: &Path) {
    for file in &output.files {
        let path = folder.join(&file.path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, &file.contents).unwrap();
    }
}

/// Whether a program can be run. Says in words what is skipped without it; fails where
/// `PLACEMAT_REQUIRE` names it.
fn is_there(need: &str) -> bool {
    let probe = match need {
        "ip" => "ip -V",
        "busybox" => "busybox true",
        "userns" => "unshare --user --map-root-user --net true",
        program => &format!("{program} --version"),
    };
    let found = Command::new("sh")
        .args(["-c", probe])
        .output()
        .is_ok_and(|output| output.status.success());
    if !found {
        let required = std::env::var("PLACEMAT_REQUIRE").unwrap_or_default();
        assert!(
            !required.split(',').any(|name| name == need),
            "{need} is required"
        );
        eprintln!("skipped: {need} is missing");
    }
    found
}
