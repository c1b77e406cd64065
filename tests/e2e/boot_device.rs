//! Boot device: a server whose own order begins with its disk boots the network image when its BMC
//! is told so, once, and then its disk again. (In the demo the own order begins with the network,
//! so that there only the disk shows that the override is obeyed.)

use crate::turn::Turn;
use crate::twin::Twin;
use placemat_tests::{Need, Place, needs};

const SCENARIO: &str = r#"
kind: Scenario
name: boot-device
steady-state: none
timeout: 10m
steps:
  - name: its own order begins with the disk
    eventually: {that: {booted: {of: node/rack1-cs1, total: 1, image: disk}}, timeout: 90s}
  - name: the relay's way to the boot server is there
    eventually: {that: {bgp: {of: boot-server/rack1-boot}}, timeout: 60s}
  - use: lib.ipmi-bootdev
    with: {server: node/rack1-cs1, device: pxe, options: options=efiboot}
  # Under TCG, firmware that a reset starts where a system has run is many times slower than after a power cycle.
  - use: lib.ipmi-power
    with: {server: node/rack1-cs1, action: cycle}
  - name: once from the network, by IPMI
    eventually: {that: {booted: {of: node/rack1-cs1, total: 2, image: network}}, timeout: 90s}
  - exec: {at: node/rack1-cs1, run: "(sleep 1; reboot -f) >/dev/null 2>&1 &"}
  - name: then from the disk again, by the guest's own reboot
    eventually: {that: {booted: {of: node/rack1-cs1, total: 3, image: disk}}, timeout: 90s}
  - use: lib.redfish-boot-once
    with: {server: node/rack1-cs1, target: UefiHttp}
  - use: lib.redfish-reset
    with: {server: node/rack1-cs1, type: ForceRestart}
  - name: once from the network, by Redfish
    eventually: {that: {booted: {of: node/rack1-cs1, total: 4, image: network}}, timeout: 90s}
  - name: cables pulled, and the machine sees it
    fault:
      kind: carrier-down
      of: node/rack1-cs1
      during:
        - check: {that: {link: {of: node/rack1-cs1, carrier: false}}}
        - exec: {at: node/rack1-cs1, run: "! grep -q 1 /sys/class/net/eth*/carrier"}
        - exec: {at: node/rack1-cs1, run: "ip link set eth0 down; ip link set eth0 up; sleep 1; ! grep -q 1 /sys/class/net/eth*/carrier"}
  - name: and plugged in again
    eventually: {that: {exec: {at: node/rack1-cs1, run: "! grep -q 0 /sys/class/net/eth*/carrier"}}, timeout: 30s}
  - check: {that: {link: {of: node/rack1-cs1}}}
"#;

#[test]
fn an_override_is_obeyed_once_against_the_servers_own_order() {
    if !needs(&[
        Need::Bird,
        Need::Dnsmasq,
        Need::Qemu,
        Need::Image,
        Need::Ipmitool,
        Need::Curl,
    ]) {
        return;
    }
    let _turn = Turn::take("boot device");
    let place = Place::new();
    let twin = Twin::new(&place);
    twin.change_resource("Node", "rack1-cs1", |text| {
        text.replace("http-boot: true", "http-boot: false")
    });
    for server in ["rack1-cs2", "rack2-cs1", "rack2-cs2"] {
        twin.leave_off(server);
    }
    twin.add("1-boot-device.yml", SCENARIO);
    let (said, _) = twin.run(&place);
    assert_eq!(said.code, Some(0), "{}", said.err);
    place.assert_nothing_left();
}
