//! The data center of Neco's menu, live: `placemat-menu` writes it, `placemat2` runs it, real BIRDs
//! converge. Its servers are left out: their images cannot be had here.

use nix::sys::signal::Signal;
use placemat_tests::{Attached, Need, Place, needs, poll, repository};
use std::time::Duration;

/// BIRD's default delays a first connection by up to five seconds, and Neco's routers have it.
const PATIENCE: Duration = Duration::from_secs(60);

/// Every router, and with how many others it speaks. Servers' sessions are passive, and nobody comes.
const ROUTERS: [(&str, usize); 7] = [
    ("core", 2),
    ("spine1", 5),
    ("spine2", 5),
    ("rack0-tor1", 2),
    ("rack0-tor2", 2),
    ("rack1-tor1", 2),
    ("rack1-tor2", 2),
];

/// A lab of the example, without its servers.
struct Dc<'a> {
    place: &'a Place,
    up: Attached,
}

impl<'a> Dc<'a> {
    fn start(place: &'a Place) -> Self {
        let menu = repository().join("menu/examples/neco/menu.yml");
        let out = place.dir().join("out");
        let arguments = [
            "-f",
            &*menu.to_string_lossy(),
            "-o",
            &*out.to_string_lossy(),
        ];
        place.say_as("placemat-menu", &arguments).well();
        let file = out.join("cluster.yml");
        place.say(&["check", &file.to_string_lossy()]).well();
        let text = std::fs::read_to_string(&file).expect("the cluster");
        let kept = text.split("---\n").filter(|document| {
            let kind = |kind: &str| document.lines().any(|line| line == kind);
            !["kind: Node", "kind: Image", "kind: DeviceClass"]
                .into_iter()
                .any(kind)
        });
        // The way out needs pasta, and nothing here goes out.
        let routers = kept
            .collect::<Vec<_>>()
            .join("---\n")
            .replace("use-nat: true\n", "");
        std::fs::write(&file, routers).expect("written");
        let dir = place.dir().to_string_lossy().into_owned();
        let mut up = Attached::start_as(
            place,
            "placemat2",
            &[
                &format!("--data-dir={dir}/data"),
                "--listen-addr=127.0.0.1:0",
                &format!("--run-dir={dir}"),
                &file.to_string_lossy(),
            ],
        );
        up.reach("running");
        Self { place, up }
    }

    fn run(&self, router: &str, command: &[&str]) -> String {
        self.place
            .say(&[&["exec", router, "--"], command].concat())
            .out
    }

    fn birdc(&self, router: &str, command: &[&str]) -> String {
        let socket = format!("/var/run/bird/bird_{router}.ctl");
        self.run(router, &[&["birdc", "-s", &socket], command].concat())
    }

    fn established(&self, router: &str) -> usize {
        let said = self.birdc(router, &["show", "protocols"]);
        let sessions = said.lines().filter(|line| line.contains(" BGP "));
        sessions.filter(|line| line.contains("Established")).count()
    }

    /// Prefixes that BIRD has put into the kernel's table.
    fn learned(&self, router: &str) -> Vec<String> {
        let routes = self.run(router, &["ip", "route", "show", "proto", "bird"]);
        let lines = routes
            .lines()
            .filter(|line| !line.starts_with(char::is_whitespace));
        let words = lines.filter_map(|line| Some(line.split(' ').next()?.to_owned()));
        let mut prefixes: Vec<String> = words.collect();
        prefixes.sort();
        prefixes
    }
}

#[test]
fn the_data_center_of_necos_menu_converges() {
    if !needs(&[Need::Root, Need::Bird, Need::Dnsmasq, Need::Busybox]) {
        return;
    }
    let place = Place::new();
    let mut dc = Dc::start(&place);
    for (router, sessions) in ROUTERS {
        let all = poll(PATIENCE, || {
            (dc.established(router) == sessions).then_some(())
        });
        assert!(
            all.is_some(),
            "{router}: {}\n{}",
            dc.birdc(router, &["show", "protocols"]),
            dc.up.said()
        );
    }
    // The core hears of aggregates only; the fabric of the way out, by both spines, and of all racks.
    let aggregates = [
        "10.72.16.0/20",
        "10.72.32.0/20",
        "10.72.48.0/24",
        "10.72.49.0/25",
        "172.19.0.0/24",
    ];
    let core = poll(PATIENCE, || {
        let learned = dc.learned("core");
        (learned
            .iter()
            .map(String::as_str)
            .filter(|it| *it != "default")
            .eq(aggregates))
        .then_some(())
    });
    assert!(core.is_some(), "{:?}", dc.learned("core"));
    let tor = ["10.69.1.0/26", "10.69.1.64/26", "default"];
    let fabric = poll(PATIENCE, || (dc.learned("rack0-tor1") == tor).then_some(()));
    assert!(fabric.is_some(), "{:?}", dc.learned("rack0-tor1"));
    let way_out = dc.run("rack0-tor1", &["ip", "route", "show", "default"]);
    for spine in ["via 10.72.1.0 ", "via 10.72.1.8 "] {
        assert!(way_out.contains(spine), "{way_out}");
    }
    // From one end to the other.
    let ping = |from: &str, words: &[&str]| {
        let once = ["exec", from, "--", "busybox", "ping", "-qc", "1", "-W", "1"];
        let arrived = || dc.place.say(&[&once, words].concat()).code == Some(0);
        poll(PATIENCE, || arrived().then_some(())).is_some()
    };
    // Links between switches are announced to nobody: a ToR speaks by its address in the rack.
    assert!(
        ping("rack0-tor1", &["-I", "10.69.0.65", "10.69.1.65"]),
        "from rack to rack"
    );
    assert!(
        ping("operation", &["10.72.16.3"]),
        "from operation to a spine's end of the BMC network"
    );
    assert!(
        ping("external", &["10.72.4.2"]),
        "between clients, by their default routes"
    );
    // squid is missing on most machines: that is its own trouble, and nobody else's.
    let rules = dc.run("core", &["iptables", "-t", "nat", "-S", "POSTROUTING"]);
    assert!(
        rules.contains("-s 172.19.0.0/24 -o eth0 -j MASQUERADE"),
        "{rules}"
    );
    let relays = dc.run("rack1-tor2", &["pgrep", "-a", "-x", "dnsmasq"]);
    assert!(
        relays.contains("--dhcp-relay 10.69.1.65,10.71.255.5"),
        "{relays}"
    );
    if placemat_host::probe::program::locate("squid").is_err() {
        assert!(
            dc.up.said().contains("squid could not be started"),
            "{}",
            dc.up.said()
        );
    }
    dc.up.signal(Signal::SIGINT);
    assert_eq!(dc.up.wait(PATIENCE).code(), Some(0), "{}", dc.up.said());
    place.assert_nothing_left();
}
