//! A rendered data center made live, without QEMU: private namespaces, veth pairs, bridges and real
//! BIRDs. Every session comes up, every loopback reaches every other, over equal-cost paths.

mod script;

use placemat_menu::{File, Plan, Source};
use std::path::Path;
use std::process::Command;

const ROUTERS: &str = include_str!("../../examples/routers.yml");

#[test]
fn every_session_establishes_and_every_loopback_reaches_every_other() {
    if !has_what_it_takes() {
        return;
    }
    let source = Source {
        name: "routers.yml".into(),
        dir: "/menu/examples".into(),
        text: ROUTERS.into(),
    };
    let plan = placemat_menu::plan(&source).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for File { path, contents, .. } in placemat_menu::expand(&source).unwrap().files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, contents).unwrap();
    }
    let verdict = run(&plan, folder.path());
    assert_eq!(verdict, expected(&plan));
}

fn expected(plan: &Plan) -> String {
    let speakers = script::speakers(plan);
    let sessions: usize = speakers.iter().map(|(own, _)| own.sessions.len()).sum();
    let pairs = speakers.len() * (speakers.len() - 1);
    format!(
        "established {sessions} of {sessions}\n\
         bfd up {sessions} of {sessions}\n\
         reached {pairs} of {pairs}\n\
         paths from rack1-cs1 to rack2-cs1: 2, source 10.69.0.4\n\
         paths from spine-1 to rack2-cs1: 2, source 10.72.0.1\n"
    )
}

fn run(plan: &Plan, folder: &Path) -> String {
    std::fs::write(folder.join("lab.sh"), script::script(plan)).unwrap();
    let output = Command::new("unshare")
        .args(["--user", "--map-root-user", "--net", "--mount", "--pid", "--fork", "--kill-child"])
        .args(["--mount-proc", "sh", "-eu", "lab.sh"])
        .current_dir(folder)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}\n{errors}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

/// Skips in words where something is missing; fails where `PLACEMAT_REQUIRE` names it.
fn has_what_it_takes() -> bool {
    let required = std::env::var("PLACEMAT_REQUIRE").unwrap_or_default();
    let probes = [
        ("bird", vec!["bird", "--version"]),
        ("ip", vec!["ip", "-V"]),
        ("busybox", vec!["busybox", "true"]),
        ("userns", vec!["unshare", "--user", "--map-root-user", "--net", "true"]),
    ];
    probes.iter().all(|(need, probe)| {
        let found = Command::new(probe[0])
            .args(&probe[1..])
            .output()
            .is_ok_and(|output| output.status.success());
        assert!(found || !required.split(',').any(|name| name == *need), "{need} is required");
        if !found {
            eprintln!("skipped: {need} is missing");
        }
        found
    })
}
