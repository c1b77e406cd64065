//! iPXE: UEFI firmware that is handed iPXE, and a BIOS with iPXE in its network card's ROM; each boots
//! the machine's own kernel by its serial. And, in the first one's boot, a boot server whose HTTP is
//! broken at first.

use crate::turn::Turn;
use placemat_tests::{Need, Place, needs, repository};
use std::time::Duration;

const CLUSTER: &str = r"
kind: Image
name: node-os
bundle: $BUNDLE
---
kind: Network
name: rack
type: internal
---
kind: BootServer
name: boot
interfaces: [{network: rack, addresses: [10.1.0.1/24]}]
loopback: [10.2.0.1/32]
image: node-os
bird: {config: boot.conf}
dhcp: {ranges: [{subnet: 10.1.0.0/24, start: 10.1.0.100, end: 10.1.0.120, router: 10.1.0.1}]}
machines:
  - {node: n1, boot: ipxe, kernel-params: hello=there}
  - {node: n2, boot: ipxe, kernel-params: hello=bios}
---
kind: Node
name: n1
tier: full
cpu: 1
memory: 512M
interfaces: [rack]
firmware: {uefi: true, http-boot: true}
autostart: false
---
kind: Node
name: n2
tier: full
cpu: 1
memory: 512M
interfaces: [rack]
firmware: {uefi: false}
autostart: false
";

const SCENARIO: &str = r"
kind: Scenario
name: ipxe
dc: dc.yml
steady-state: none
timeout: 10m
steps:
  - fault:
      kind: boot-http
      how: 404
      of: boot-server/boot
      during:
        - power: {of: [node/n1, node/n2], reset: On}
        - eventually: {that: {booted: {of: [node/n1, node/n2], phase: http}}, timeout: 90s}
        - check: {that: {not: {booted: {of: [node/n1, node/n2], phase: kernel}}}}
  - name: a BIOS boots by its ROM, and tries again by itself
    eventually: {that: {booted: {of: node/n2, phase: agent, image: network}}, timeout: 3m}
  - exec: {at: node/n2, run: 'cat /proc/cmdline; ! ls /sys/firmware/efi', expect: {stdout: {contains: [initrd=initrd.img, hello=bios]}}}
  - name: the same machine boots once its boot server is well
    eventually: {that: {booted: {of: node/n1, phase: agent, image: network}}, timeout: 3m}
  - exec: {at: node/n1, run: cat /proc/cmdline, expect: {stdout: {contains: [initrd=initrd.img, hello=there]}}}
";

/// iPXE asks for IPv6 routers, and waits a quarter of a minute where none answers.
const BIRD: &str = "protocol device {}\nprotocol radv { interface \"eth0\"; }\n";

#[test]
fn a_machine_boots_by_ipxe_once_its_boot_server_is_well() {
    let wanted = [
        Need::Bird,
        Need::Dnsmasq,
        Need::Qemu,
        Need::Image,
        Need::Ipxe,
    ];
    if !needs(&wanted) {
        return;
    }
    let turn = Turn::take("ipxe");
    let place = Place::new();
    let bundle = repository().join("images/out/node").display().to_string();
    place.write("dc.yml", &CLUSTER.replace("$BUNDLE", &bundle));
    place.write("boot.conf", BIRD);
    let scenario = place.write("ipxe.yml", SCENARIO);
    let events = place.lab_events_of(&scenario, Duration::from_secs(400));
    turn.say("booted by iPXE");
    let asked: Vec<_> = events
        .iter()
        .filter(|event| event["kind"] == "http")
        .collect();
    let status = |node: &str, path: &str| -> Vec<u64> {
        let of_path = asked.iter().filter(|event| {
            let asked = event["path"].as_str().unwrap_or_default();
            event["node"] == node && asked.ends_with(path)
        });
        of_path
            .filter_map(|event| event["status"].as_u64())
            .collect()
    };
    let firmware = status("n1", "/boot.efi");
    assert!(firmware.contains(&404), "{asked:#?}");
    assert_eq!(firmware.last(), Some(&200), "{asked:#?}");
    assert_eq!(status("n2", "/boot.efi"), [0; 0], "a BIOS needs none");
    assert!(status("n2", "/boot.ipxe").contains(&404), "{asked:#?}");
    for path in ["/boot.ipxe", "/vmlinuz", "/initrd.img"] {
        for node in ["n1", "n2"] {
            assert!(
                status(node, path).contains(&200),
                "{node}: no {path}: {asked:#?}"
            );
        }
    }
    place.assert_nothing_left();
}
