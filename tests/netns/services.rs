//! The services of a data center's core, alive: a proxy and a time server by the files that the menu
//! writes, for those who may use them.

use placemat_tests::{Lab, Need, Place, Said, needs, poll, program};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);

const SPEC: &str = "
kind: DataCenter
name: services
spines: 1
tors: 1
racks: [{servers: []}]
types: {light: {tier: netns}}
core: {operation: 10.75.2.0/24, proxy: 10.75.3.1, ntp: 10.75.3.2, services: run}
";

/// Asks the boot server of rack 1 for a page, by the proxy.
fn fetch(lab: &Lab, from: &str) -> Said {
    let proxy = "http://10.75.3.1:3128";
    let words = [
        "curl",
        "-s",
        "-m",
        "5",
        "-i",
        "-x",
        proxy,
        "http://10.69.0.3/",
    ];
    lab.exec(from, &words)
}

/// Asks the time server what the time is, and leaves the clock alone.
fn time(lab: &Lab, from: &str) -> Said {
    let server = "server 10.75.3.2 iburst";
    lab.exec(from, &["chronyd", "-Q", "-t", "10", server])
}

#[test]
fn the_core_serves_those_who_may_use_it() {
    let wanted = [
        Need::Root,
        Need::Bird,
        Need::Dnsmasq,
        Need::Curl,
        Need::Image,
        Need::Services,
    ];
    if !needs(&wanted) {
        return;
    }
    let place = Place::new();
    let image = program::image().expect("the image");
    let spec = format!("{SPEC}image: {{bundle: {}}}\n", image.display());
    let file = place.write("services.yml", &spec);
    let lab = place.up(&file);
    for from in ["router/operation", "router/rack1-tor1"] {
        // Its own name in the answer of the boot server.
        let by_proxy = |said: &Said| said.out.contains("Via: 1.1 services-proxy");
        let answer = poll(PATIENCE, || Some(fetch(&lab, from)).filter(by_proxy));
        assert!(answer.is_some(), "{}", fetch(&lab, from).text());
        let said = time(&lab, from);
        assert_eq!(said.code, Some(0), "{}", said.text());
        assert!(
            said.text().contains("System clock wrong by"),
            "{}",
            said.text()
        );
    }
    // The core's own address towards itself is nobody's that may use it.
    let said = fetch(&lab, "router/core");
    assert!(said.out.starts_with("HTTP/1.1 403"), "{}", said.out);
    lab.down();
    place.assert_nothing_left();
}
