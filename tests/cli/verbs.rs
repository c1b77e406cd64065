//! Verbs without a lab, with two, and with targets that are not there.

use crate::{says, shown};
use placemat_tests::{Need, Place, fixture, needs, repository};
use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::Stdio;

#[test]
fn without_a_lab() {
    let place = Place::new();
    let mut all = String::new();
    for arguments in [
        &["ls"][..],
        &["ls", "--json"],
        &["status"],
        &["status", "--lab", "none"],
        &["exec", "r1", "--", "true"],
        &["console", "r1"],
        &["power", "r1", "off"],
        &["down"],
        &["down", "/no/such.yml"],
        &["prune"],
        &["prune", "--data", "--json"],
    ] {
        let said = place.say(arguments);
        let _ = writeln!(
            all,
            "$ placemat {}\n{}",
            arguments.join(" "),
            shown(&place, &said)
        );
    }
    insta::assert_snapshot!(all);
    place.assert_nothing_left();
}

#[test]
fn with_two_labs_and_wrong_targets() {
    if !needs(&[Need::Root, Need::Bird]) {
        return;
    }
    let place = Place::new();
    let file = fixture::ring(&place);
    let (one, two) = (place.up(&file), place.up(&file));
    let mut all = String::new();
    let mut add = |words: &str, said: &placemat_tests::Said| {
        let text = shown(&place, said)
            .replace(&one.id, "ONE")
            .replace(&two.id, "TWO");
        let _ = writeln!(all, "$ placemat {words}\n{text}");
    };
    add("status", &place.say(&["status"]));
    add("down FILE", &place.say(&["down", &file.to_string_lossy()]));
    add("exec r7", &one.exec("r7", &["true"]));
    add("exec router/none", &one.exec("router/none", &["true"]));
    add("exec node/mock", &one.exec("node/mock", &["true"]));
    add(
        "exec r1 -- no-such-program",
        &one.exec("r1", &["no-such-program"]),
    );
    add(
        "exec r1 -- sh -c 'exit 7'",
        &one.exec("r1", &["sh", "-c", "echo out; echo err >&2; exit 7"]),
    );
    add("console mock", &one.say("console", &["mock"]));
    add("power r7 off", &one.say("power", &["r7", "off"]));
    add("shell mock", &one.say("shell", &["mock"]));
    add("shell r1", &one.say("shell", &["r1"]));
    add("connect r1:9", &one.say("connect", &["r1:9"]));
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let at = taken.local_addr().expect("its address").to_string();
    for (listen, shown) in [(&*at, "127.0.0.1:TAKEN"), ("192.0.2.1:9", "192.0.2.1:9")] {
        let mut said = place.say(&["forward", "add", listen, "r1:127.0.0.1:9", "--lab", &one.id]);
        said.err = said.err.replace(listen, shown);
        add(&format!("forward add {shown} r1:127.0.0.1:9"), &said);
    }
    insta::assert_snapshot!(all);
    two.down();
    // BIRD greets who stays: one that has nothing to say may be gone before it does.
    let mut visit = place
        .command(&["connect", "r1:unix:/run/bird/bird.ctl", "--lab", &one.id])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("start placemat");
    let mut greeting = String::new();
    BufReader::new(visit.stdout.take().expect("its output"))
        .read_line(&mut greeting)
        .expect("a line");
    assert!(greeting.starts_with("0001 BIRD"), "{greeting}");
    assert!(visit.wait().expect("wait for placemat").success());
    let follow = |arguments: &[&str]| {
        let mut command = place.command(arguments);
        let piped = command.args(["--lab", &one.id]).stdout(Stdio::piped());
        piped.spawn().expect("start placemat")
    };
    let events = follow(&["events", "--follow"]);
    let watched = follow(&["status", "--watch", "--json"]);
    let before = one.say("events", &["--json"]).well();
    for line in before.out.lines() {
        serde_json::from_str::<placemat_spec::event::LabEvent>(line).expect("an event");
    }
    one.say("power", &["r3", "off"]).well();
    one.down();
    let ended = |child: std::process::Child| {
        let output = child.wait_with_output().expect("wait for placemat");
        assert!(output.status.success());
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let events = ended(events);
    assert!(
        events.contains("router/r3                 power off by cli"),
        "{events}"
    );
    let watched = ended(watched);
    let last = watched.lines().last().expect("a status");
    serde_json::from_str::<placemat_lab::control::protocol::Status>(last).expect("a status");
    place.assert_nothing_left();
}

/// What a host has differs; what is told of it does not.
#[test]
fn doctor() {
    let place = Place::new();
    let file = place.write(
        "dc.yml",
        "kind: Network\nname: l\ntype: internal\n---\nkind: Router\nname: r1\ninterfaces: [{network: l, addresses: [10.0.0.1/24]}]\n",
    );
    let said = place.say(&["doctor", "--json", &file.to_string_lossy()]);
    assert!(matches!(said.code, Some(0 | 4)), "{said:?}");
    let json: serde_json::Value = serde_json::from_str(&said.out).expect("JSON");
    assert_eq!(
        (&json["v"], &json["changes"]),
        (&1.into(), &serde_json::json!([]))
    );
    assert_eq!(json["ready"] == true, said.code == Some(0));
    let rows = json["rows"].as_array().expect("rows");
    let row = |name: &str| rows.iter().find(|row| row["name"] == name).expect(name);
    assert_eq!(row("bird")["section"], "programs");
    assert_eq!(row("namespaces")["required"], true);
    // A router on a network of its own: its namespace and the hub's.
    assert_eq!(row("user.max_net_namespaces")["needed"], 2);
    let text = place.say(&["doctor", &file.to_string_lossy()]);
    assert_eq!(text.code, said.code);
    for row in rows {
        let name = row["name"].as_str().expect("a name");
        assert!(text.out.contains(name), "{name} is not in\n{}", text.out);
    }
    place.assert_nothing_left();
}

#[test]
fn menu() {
    let place = Place::new();
    let out = place.dir().join("out").to_string_lossy().into_owned();
    let file = repository().join("menu/examples/routers.yml");
    says!(place, &["menu", &file.to_string_lossy(), "-o", &out]);
    assert!(place.dir().join("out/cluster.yml").is_file());
}

#[test]
fn menu_check() {
    let place = Place::new();
    let file = repository().join("menu/examples/routers.yml");
    says!(place, &["menu", &file.to_string_lossy(), "--check"]);
    assert!(
        !place.dir().join("cluster.yml").exists(),
        "nothing is written"
    );
}

/// Pods, super-spines, both families, a core and two feeds.
#[test]
fn menu_check_of_forty_racks() {
    let place = Place::new();
    let file = repository().join("menu/examples/forty-racks.yml");
    says!(place, &["menu", &file.to_string_lossy(), "--check"]);
}

/// What a menu changes is told against another one and against what was written; a template of one's
/// own is one such change.
#[test]
fn menu_diff_and_templates() {
    let place = Place::new();
    let file = repository().join("menu/examples/routers.yml");
    let file = file.to_string_lossy();
    let own = place.dir().join("own");
    std::fs::create_dir(&own).expect("a folder");
    let listed = place.say(&["menu", "--list-templates"]).well().out;
    assert!(listed.lines().any(|name| name == "node.env"), "{listed}");
    let built_in = place
        .say(&["menu", "--print-template", "node.env"])
        .well()
        .out;
    std::fs::write(
        own.join("node.env.j2"),
        format!("{built_in}AS={{{{ own.asn }}}}\n"),
    )
    .expect("written");
    let own = own.to_string_lossy();
    let out = place.dir().join("out").to_string_lossy().into_owned();
    place
        .say(&["menu", &file, "-o", &out, "--format", "ansible"])
        .well();
    assert!(place.dir().join("out/ansible/hosts.yml").is_file());

    let same = [
        "menu",
        &file,
        "-o",
        &out,
        "--format",
        "ansible",
        "--diff",
        "--exit-code",
    ];
    assert_eq!(place.say(&same).well().out, "");
    let differs = place.say(&[
        "menu",
        &file,
        "-o",
        &out,
        "--templates",
        &own,
        "--diff",
        "--exit-code",
    ]);
    assert_eq!(differs.code, Some(1));
    assert_eq!(
        differs.out.matches("\n+AS=6460").count(),
        4,
        "{}",
        differs.out
    );
    let small = repository().join("menu/examples/small.yml");
    let other = place
        .say(&["menu", &small.to_string_lossy(), "--diff", &file])
        .well();
    assert!(
        other
            .out
            .starts_with("machines: 2 changed\n  ~ rack1-cs1: "),
        "{}",
        other.out
    );
}

#[test]
fn menu_templates_that_are_wrong() {
    let place = Place::new();
    let file = repository().join("menu/examples/routers.yml");
    let own = place.dir().join("own");
    std::fs::create_dir(&own).expect("a folder");
    std::fs::write(own.join("node.env.j2"), "NAME={{ own.nmae }}\n").expect("written");
    std::fs::write(own.join("README"), "{{").expect("written");
    let own = own.to_string_lossy();
    says!(
        place,
        &[
            "menu",
            &file.to_string_lossy(),
            "--check",
            "--templates",
            &own
        ]
    );
    says!(place, &["menu", "--print-template", "nod.env"]);
}

#[test]
fn menu_addresses() {
    let place = Place::new();
    let file = repository().join("menu/examples/routers.yml");
    let file = file.to_string_lossy();
    let say = |format: &str| place.say(&["menu", &file, "--addresses", "--format", format]);
    let csv = say("csv").well().out;
    let (heading, lines) = csv.split_once('\n').expect("a heading");
    assert_eq!(heading, "name,role,pod,rack,what,network,interface,value");
    assert!(lines.contains("rack1-cs1,cs,,1,lease,r1-node1,eth0,10.69.0.68\n"));
    let json: Vec<serde_json::Value> = serde_json::from_str(&say("json").well().out).expect("JSON");
    assert_eq!(json.len(), lines.lines().count());
    let table = say("table").well().out;
    assert_eq!(table.lines().count(), csv.lines().count());
    assert!(table.starts_with("NAME "), "{table}");
}

#[test]
fn schema() {
    let place = Place::new();
    let definitions = |words: &[&str]| {
        let said = place.say(words).well().out;
        let mut schema: serde_json::Value = serde_json::from_str(&said).expect("JSON");
        schema["$defs"].take()
    };
    let rack_spec = definitions(&["schema", "menu"]);
    assert!(rack_spec["DataCenter"]["properties"]["super-spines"].is_object());
    assert!(definitions(&["schema", "scenario"])["step"].is_object());
    assert!(definitions(&["schema", "cluster"])["Node"].is_object());
    assert_eq!(
        definitions(&["schema"]),
        definitions(&["schema", "Cluster"])
    );
    says!(place, &["schema", "sceario"]);
}

#[test]
fn plan() {
    let place = Place::new();
    let file = repository().join("menu/examples/small.yml");
    let file = file.to_string_lossy();
    let said = place.say(&["plan", "--json", &file]).well();
    let json: serde_json::Value = serde_json::from_str(&said.out).expect("JSON");
    assert_eq!(json["v"], 1);
    assert_eq!(json["totals"]["bridges"], 4);
    says!(place, &["plan", &file]);
}
