//! Changes of servers, boot servers, programs and power: what is not named in them lives on.

use super::{PATIENCE, apply, edited, nothing_differs, plan};
use placemat_tests::{Lab, Need, Place, needs, poll, program};

const SERVERS: &str = r#"
{kind: Network, name: net, type: internal}
---
{kind: Network, name: bmc, type: bmc, address: 10.9.0.1/24}
---
kind: NetworkNamespace
name: ns
interfaces: [{network: net, addresses: [10.1.0.1/24]}]
apps: [{name: one, command: [sleep, "1001"]}, {name: two, command: [sleep, "1002"]}]
---
{kind: Node, name: a, tier: mock, bmc: {address: 10.9.0.2}}
---
{kind: Node, name: b, tier: mock, bmc: {address: 10.9.0.3}}
---
{kind: Power, name: feed, loads: [a]}
"#;

#[test]
fn servers_apps_and_power_change_one_by_one() {
    if !needs(&[Need::Root]) {
        return;
    }
    let place = Place::new();
    let file = place.write("dc.yml", SERVERS);
    let lab = place.up(&file);
    let next = edited(&place, &file, |text| {
        text.replace("[sleep, \"1002\"]", "[sleep, \"1003\"]")
            .replace(
                "{kind: Node, name: b, tier: mock, bmc: {address: 10.9.0.3}}\n---\n",
                "{kind: Node, name: c, tier: mock, bmc: {address: 10.9.0.3}}\n---\n",
            )
            .replace(
                "bmc: {address: 10.9.0.2}",
                "bmc: {address: 10.9.0.7}, labels: {rack: \"1\"}",
            )
            .replace("loads: [a]", "loads: [a, c]")
    });
    insta::assert_snapshot!(plan(&place, &lab, &next, &[]).out);
    let pids = |name: &str| lab.exec("ns", &["pgrep", "-f", name]).out;
    let one = pids("^sleep 1001");
    assert_eq!(pids("^sleep 1003"), "");
    apply(&lab, &next).well();
    assert_eq!(pids("^sleep 1001"), one, "it is not touched");
    let restarted = poll(PATIENCE, || (!pids("^sleep 1003").is_empty()).then_some(()));
    assert!(restarted.is_some() && pids("^sleep 1002").is_empty());
    let powered: Vec<(String, bool)> = lab
        .status()
        .objects
        .into_iter()
        .map(|it| (it.target, it.power))
        .collect();
    let expected = ["router/ns", "node/a", "node/c"].map(|it| (it.to_owned(), true));
    assert_eq!(powered, expected);
    // What the BMCs answer at, and what hangs on the feed.
    let asked = lab.exec(
        "hub",
        &["sh", "-c", "ss -lun | grep -o '10.9.0.[0-9]*:623' | sort"],
    );
    assert_eq!(asked.out, "10.9.0.3:623\n10.9.0.7:623\n", "{asked:?}");
    lab.say("power", &["feed/feed", "off"]).well();
    let dark = lab.status().objects.iter().filter(|it| !it.power).count();
    assert_eq!(dark, 2);
    nothing_differs(&place, &lab, &next);
    lab.down();
    place.assert_nothing_left();
}

/// Two boot servers may be there, each with a network of its own; servers come and go on the first.
const BOOTED: &str = "
{kind: Image, name: os, bundle: BUNDLE}
---
{kind: Network, name: rack, type: internal}
---
{kind: Network, name: bmc, type: bmc, address: 10.9.0.1/24}
---
kind: BootServer
name: boot
interfaces: [{network: rack, addresses: [10.1.0.1/24]}]
loopback: [10.8.0.1/32]
image: os
dhcp: {ranges: [{subnet: 10.1.0.0/24, start: 10.1.0.100, end: 10.1.0.120}]}
---
{kind: Node, name: n1, tier: netns, image: os, interfaces: [rack], bmc: {address: 10.9.0.2}}
";

const MORE: &str = "
---
{kind: Network, name: rack2, type: internal}
---
kind: BootServer
name: boot2
interfaces: [{network: rack2, addresses: [10.2.0.1/24]}]
loopback: [10.8.0.2/32]
image: os
dhcp: {ranges: [{subnet: 10.2.0.0/24, start: 10.2.0.100, end: 10.2.0.120}]}
---
{kind: Node, name: n2, tier: netns, image: os, interfaces: [rack], bmc: {address: 10.9.0.3}}
---
{kind: Node, name: n3, tier: netns, image: os, interfaces: [rack2], bmc: {address: 10.9.0.4}}
";

/// What tells one life of an object from another: when its first process began, and its boots.
fn life(lab: &Lab, target: &str) -> (String, Option<u32>) {
    let stat = lab.exec(target, &["cat", "/proc/1/stat"]).well().out;
    let began = stat.split_whitespace().nth(21).expect("a start time");
    let mut objects = lab.status().objects.into_iter();
    let object = objects.find(|it| it.target == target);
    (began.to_owned(), object.map(|it| it.boots))
}

fn dnsmasq(lab: &Lab, target: &str) -> String {
    let pid = poll(PATIENCE, || {
        let said = lab.exec(target, &["cat", "/run/dnsmasq/dnsmasq.pid"]);
        (said.code == Some(0)).then_some(said.out)
    });
    pid.unwrap_or_else(|| panic!("no DHCP at {target}"))
}

/// Waits until a server has an address of a net.
fn leased(lab: &Lab, target: &str, net: &str) {
    let found = poll(PATIENCE, || {
        let said = lab.exec(target, &["ip", "-o", "-4", "address", "show", "eth0"]);
        said.out.contains(&format!("inet {net}")).then_some(())
    });
    assert!(found.is_some(), "no lease of {target}: {:#?}", lab.events());
}

#[test]
fn servers_and_boot_servers_come_change_and_go() {
    if !needs(&[Need::Root, Need::Dnsmasq, Need::Image]) {
        return;
    }
    let place = Place::new();
    let bundle = program::image().expect("the image");
    let bundle = bundle.canonicalize().expect("the image");
    let text = BOOTED.replace("BUNDLE", &bundle.to_string_lossy());
    let file = place.write("dc.yml", &text);
    let lab = place.up(&file);
    leased(&lab, "node/n1", "10.1.0.1");
    let others = |lab: &Lab| ["node/n1", "boot-server/boot"].map(|it| life(lab, it));
    let (before, dhcp) = (others(&lab), dnsmasq(&lab, "boot-server/boot"));

    let more = edited(&place, &file, |text| text + MORE);
    let said = apply(&lab, &more).well();
    for made in ["boot-server/boot2: made", "node/n2: made", "node/n3: made"] {
        assert!(said.err.contains(made), "{said:?}");
    }
    leased(&lab, "node/n2", "10.1.0.1");
    leased(&lab, "node/n3", "10.2.0.1");
    assert_eq!(others(&lab), before);
    assert_eq!(dnsmasq(&lab, "boot-server/boot"), dhcp, "no DHCP restarts");
    nothing_differs(&place, &lab, &more);

    // What is changed is changed: a range of addresses restarts the DHCP of one, a serial the server.
    let (n2, boot2) = (life(&lab, "node/n2"), life(&lab, "boot-server/boot2"));
    let (n3, dhcp2) = (life(&lab, "node/n3"), dnsmasq(&lab, "boot-server/boot2"));
    let other = edited(&place, &more, |text| {
        text.replace("end: 10.2.0.120", "end: 10.2.0.130").replace(
            "name: n2, tier: netns,",
            "name: n2, tier: netns, smbios: {serial: other},",
        )
    });
    let said = apply(&lab, &other).well();
    assert!(!said.err.contains("links"), "none changes: {said:?}");
    assert_eq!(others(&lab), before);
    assert_eq!(dnsmasq(&lab, "boot-server/boot"), dhcp, "no DHCP restarts");
    assert_eq!(life(&lab, "node/n3"), n3);
    assert_eq!(life(&lab, "boot-server/boot2"), boot2);
    assert_ne!(dnsmasq(&lab, "boot-server/boot2"), dhcp2);
    leased(&lab, "node/n2", "10.1.0.1");
    assert_ne!(life(&lab, "node/n2").0, n2.0);
    nothing_differs(&place, &lab, &other);

    apply(&lab, &file).well();
    assert_eq!(others(&lab), before);
    assert_eq!(dnsmasq(&lab, "boot-server/boot"), dhcp, "no DHCP restarts");
    let left: Vec<String> = lab
        .status()
        .objects
        .into_iter()
        .map(|it| it.target)
        .collect();
    assert_eq!(left, ["boot-server/boot", "node/n1"]);
    nothing_differs(&place, &lab, &file);
    lab.down();
    place.assert_nothing_left();
}
