//! Data centers that the menu makes, alive: of 4, 20 and 60 routers, and one with sabakan in place of
//! the built-in boot server. Whether they converged is asked in the lab's own conditions: every
//! session up, every loopback in every table that should have it, pings from end to end.

use placemat_lab::boot::dnsmasq;
use placemat_menu::{Output, Plan, Source, expand};
use placemat_spec::Cluster;
use placemat_tests::{Need, Place, http, needs, program};
use std::fmt::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(300);

const NEEDS: [Need; 5] = [
    Need::Root,
    Need::Bird,
    Need::Dnsmasq,
    Need::Busybox,
    Need::Image,
];

/// Two racks with one ToR each, links of IPv6 only, two feeds.
const FOUR: &str = "
kind: DataCenter
name: four
spines: 2
tors: 1
racks: [{count: 2, servers: [2 x light]}]
types: {light: {tier: netns}}
family: ipv6
power: {feeds: 2}
";

/// Five stages in both families under a core with all that can lie behind it, ToRs in pairs and
/// alone, servers with one NIC and with two.
const TWENTY: &str = "
kind: DataCenter
name: twenty
spines: 2
super-spines: 2
pods:
  - racks: [{servers: [light, chassis]}, {count: 2, servers: [chassis]}]
  - racks: [{servers: [light]}, {servers: []}, {tors: 1, servers: [single]}]
types: {light: {tier: netns}, single: {tier: netns, nics: 1}, chassis: {tier: mock}}
family: dual
asn: {base: 4200000100}
core: {internet: 10.0.0.0/24, external: 10.75.1.0/24, operation: 10.75.2.0/24, proxy: 10.75.3.1}
exposed: {bastion: 10.76.16.0/24}
";

/// IPv4, an ASN for each switch. With two spines and a ToR a rack it needs a third of the neighbours
/// that a kernel has by default for all labs at once.
const SIXTY: &str = "
kind: DataCenter
name: sixty
spines: 2
tors: 1
racks: [{servers: [light]}, {count: 56, servers: []}, {servers: [light]}]
types: {light: {tier: netns}}
asn: {scheme: per-switch}
";

/// Waits until all of it is as it should be.
const STEADY: &str = "
  - eventually: {that: {use: lib.steady}, timeout: 2m}";

/// What makes up the fabric, below the core.
const FABRIC: &str = "router/role=super-spine, router/role=spine, router/role=tor";

/// A data center in a place of its own.
struct Center {
    place: Place,
    plan: Plan,
}

/// What a rack spec expands to, with the node image.
fn expanded(spec: &str) -> Output {
    let output = expand(&Source::inline("dc.yml", with_image(spec)));
    output.unwrap_or_else(|problems| panic!("{problems}"))
}

fn with_image(spec: &str) -> String {
    let image = program::image().expect("the image");
    format!("{spec}image: {{bundle: {}}}\n", image.display())
}

impl Center {
    fn new(spec: &str) -> Self {
        let place = Place::new();
        place.write("dc.yml", &with_image(spec));
        Self {
            plan: expanded(spec).plan,
            place,
        }
    }

    /// Starts it, runs steps on it, which must pass, takes it down and sees that nothing is left.
    /// `steady` is a list of conditions that steps may use.
    fn passes(&self, steady: &str, steps: &str) {
        let suite = format!(
            "kind: Suite\nname: center\ndc: dc.yml\n---\nkind: Library\nname: lib\nconditions:\n  \
             steady:\n    all:\n{steady}---\nkind: Scenario\nname: lives\ntimeout: 4m\nsteps:{steps}"
        );
        let suite = self.place.write("suite.yml", &suite);
        let words = ["test".as_ref(), suite.as_os_str()];
        self.place.say_within(PATIENCE, &words).well();
        self.place.assert_nothing_left();
    }
}

#[test]
fn four_routers_carry_ipv4_over_ipv6_and_live_on_either_feed() {
    if !needs(&NEEDS) {
        return;
    }
    let center = Center::new(FOUR);
    assert_eq!(center.plan.routers.len(), 4);
    let steady = "
      - booted: {of: node/*}
      - bgp: {of: [router/*, boot-server/*, node/*]}
      - bfd: {of: [router/*, boot-server/*, node/*]}
      - route: {at: [router/*, boot-server/*, node/*], to: [router/*, boot-server/*, node/*]}
      - route: {at: router/rack1-tor1, to: [router/rack=2, boot-server/rack=2, node/rack=2], next-hops: 2, via: router/role=spine}
      - reachable: {from: [router/*, boot-server/*, node/*], to: [router/*, boot-server/*, node/*]}
";
    let steps = format!(
        "{STEADY}
  - for-each:
      in: [feed-a, feed-b]
      as: feed
      steps:
        - fault:
            kind: power-loss
            of: feed/$(feed)
            during: [{{check: {{that: {{use: lib.steady}}}}}}]
"
    );
    center.passes(steady, &steps);
}

#[test]
fn twenty_routers_in_five_stages_reach_what_is_behind_the_core() {
    if !needs(&NEEDS) || !needs(&[Need::Pasta]) {
        return;
    }
    let center = Center::new(TWENTY);
    assert_eq!(center.plan.routers.len(), 20);
    let aggregates = center.plan.prefixes.iter().filter(|it| it.aggregate);
    let aggregates: Vec<String> = aggregates
        .map(|it| format!(
            "      - route: {{at: router/core, to: '{}', next-hops: 2, via: router/role=super-spine}}",
            it.prefix
        ))
        .collect();
    let aggregates = aggregates.join("\n");
    let bmc = center.plan.servers[1].bmc.address;
    let steady = format!("
      - booted: {{of: node/tier=netns}}
      - bgp: {{of: [{FABRIC}, router/core, boot-server/*, node/tier=netns]}}
      - bfd: {{of: [{FABRIC}, router/core, boot-server/*, node/tier=netns]}}
      - route: {{at: [{FABRIC}, boot-server/*, node/tier=netns], to: [{FABRIC}, boot-server/*, node/tier=netns]}}
      - route: {{at: [{FABRIC}, boot-server/*, node/tier=netns], to: 0.0.0.0/0}}
      - route: {{at: [{FABRIC}, boot-server/*, node/tier=netns], to: '::/0'}}
      - route: {{at: [{FABRIC}, boot-server/*, node/tier=netns], to: router/core}}
      - route: {{at: [{FABRIC}, boot-server/*, node/tier=netns], to: 10.75.2.0/24}}
      - route: {{at: router/role=tor+pod=1, to: [router/role=tor+pod=2, boot-server/rack=5], next-hops: 2, via: router/role=spine+pod=1}}
      - route: {{at: router/role=spine+pod=1, to: router/role=tor+pod=2, next-hops: 2, via: router/role=super-spine}}
{aggregates}
      - reachable: {{from: node/tier=netns, to: [{FABRIC}, router/core, boot-server/*, node/tier=netns]}}
      - reachable: {{from: [router/external, router/operation], to: [{FABRIC}, boot-server/*, node/tier=netns]}}
      - reachable: {{from: [router/operation, boot-server/*], to: {bmc}}}
      - reachable: {{from: [node/tier=netns, boot-server/*], to: 10.75.1.2}}
      - reachable: {{from: [node/tier=netns, boot-server/*], to: 10.75.2.2}}
");
    // By way of the core's masquerading and the lab's way out, to the host's loopback.
    let mut steps = STEADY.to_owned();
    let ways = [("127.0.0.1", "10.0.2.2"), ("::1", "[fd70:6c61:6365::2]")];
    for (own, gateway) in ways {
        let Ok(host) = TcpListener::bind((own, 0)) else {
            eprintln!("skipped: the host has no {own}");
            continue;
        };
        let port = host.local_addr().expect("its address").port();
        http::serve_on(host, b"greetings".to_vec());
        let _ = write!(
            steps,
            "
  - eventually:
      that:
        exec:
          at: [node/tier=netns, boot-server/*, router/role=tor, router/core]
          argv: [busybox, wget, -q, -O, '-', 'http://{gateway}:{port}/']
          expect: {{stdout: {{contains: greetings}}}}
"
        );
    }
    center.passes(&steady, &steps);
}

#[test]
fn sixty_routers_of_an_asn_each_converge() {
    if !needs(&NEEDS) {
        return;
    }
    let center = Center::new(SIXTY);
    assert_eq!(center.plan.routers.len(), 60);
    let steady = "
      - booted: {of: node/*}
      - bgp: {of: [router/*, boot-server/*, node/*]}
      - bfd: {of: [router/*, boot-server/*, node/*]}
      - route: {at: router/*, to: [router/*, boot-server/*, node/*]}
      - route: {at: router/rack1-tor1, to: [router/rack=58, boot-server/rack=58, node/rack=58], next-hops: 2, via: router/role=spine}
      - reachable: {from: node/*, to: [router/*, boot-server/*, node/*]}
      - reachable: {from: [router/spine-2, boot-server/rack7-boot], to: [router/*, boot-server/*, node/*]}
";
    center.passes(steady, STEADY);
}

/// What answers DHCP and HTTP at a boot server's address is the user's. Here it is what the built-in
/// boot server of the same data center would be told: the same leases, since both are of one plan.
#[test]
fn with_sabakan_servers_boot_from_whoever_answers_at_its_address() {
    if !needs(&NEEDS) {
        return;
    }
    let center = Center::new(&format!("{FOUR}boot: sabakan\n"));
    let files = expanded(FOUR).files;
    let text = files[0].contents.as_str();
    let built_in = Cluster::load(vec![Source::inline("cluster.yml", text)]);
    let (built_in, _) = built_in.unwrap_or_else(|problems| panic!("{problems}"));
    // Routers have a /tmp of their own, where this tree may be.
    let folder = tempfile::tempdir_in("/var/tmp").expect("a folder");
    let folder = folder.path();
    let write = |path: PathBuf, text: &str| {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("written");
    };
    for (name, server) in &built_in.boot_servers {
        let config = dnsmasq::config(server, Path::new("/run"), None).expect("an address");
        write(folder.join(name).join("dnsmasq.conf"), &config);
    }
    for server in &center.plan.servers {
        let (rack, serial) = (server.rack, &server.serial);
        for file in ["node.env", "bird.conf"] {
            let path = PathBuf::from(format!("boot/{}/{file}", server.speaker.name));
            let told = files.iter().find(|file| file.path == path);
            let told = &told.expect("what the server is told").contents;
            let name = format!("rack{rack}-boot/machines/{serial}/{file}");
            write(folder.join(name), told);
        }
    }
    let steady = "
      - booted: {of: node/*}
      - bgp: {of: [router/*, node/*]}
      - route: {at: [router/*, node/*], to: [router/*, node/*]}
      - reachable: {from: node/*, to: [router/*, node/*]}
";
    let folder = folder.display();
    let steps = format!(
        "
  - for-each:
      in: [rack1-boot, rack2-boot]
      as: boot
      steps:
        - exec: {{at: router/$(boot), argv: [dnsmasq, '--conf-file={folder}/$(boot)/dnsmasq.conf']}}
        - exec: {{at: router/$(boot), argv: [busybox, httpd, -h, '{folder}/$(boot)']}}{STEADY}
"
    );
    center.passes(steady, &steps);
}
