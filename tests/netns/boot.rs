//! A boot server and its misbehaviour as clients on its network meet it: `udhcpc` as UEFI firmware, as
//! iPXE and as neither, and `curl`.

use placemat_tests::{Need, Place, needs};
use serde_json::json;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

const CLUSTER: &str = r#"
kind: Image
name: os
bundle: os
---
kind: Image
name: other
bundle: other
---
kind: Network
name: rack
type: internal
---
kind: NetworkNamespace
name: client
interfaces: [{network: rack, addresses: [10.1.0.2/24]}]
---
kind: Node
name: n1
tier: mock
interfaces: [{network: rack, mac: "52:54:00:00:00:01"}]
smbios: {serial: serial-1}
---
kind: BootServer
name: boot
interfaces: [{network: rack, addresses: [10.1.0.1/24]}]
loopback: [10.2.0.1/32]
image: os
dhcp: {ranges: [{subnet: 10.1.0.0/24, start: 10.1.0.100, end: 10.1.0.120, router: 10.1.0.1}]}
machines:
  - {node: n1, image: other, boot: ipxe, kernel-params: hello=there, ignition: n1.ign}
faults: {http: truncated, dhcp: no-boot-file}
"#;

/// `udhcpc` asks once as whoever it is told to be, and prints what it was given.
const ASK: &str = "#!/bin/sh
script=$(dirname \"$0\")/given
exec busybox udhcpc -f -q -n -t 2 -T 1 -i eth0 -s \"$script\" -O bootfile \"$@\"
";
const GIVEN: &str = "#!/bin/sh
[ \"$1\" != bound ] || echo \"address=$ip boot=$boot_file$bootfile next=$siaddr\"
";

const SCENARIO: &str = r#"
kind: Scenario
name: boot
dc: dc.yml
steady-state: none
timeout: 5m
steps:
  # From the start, as the file says.
  - exec: {at: router/client, run: "ip route add 10.2.0.1 via 10.1.0.1"}
  - name: no boot file from the start
    exec: {at: router/client, run: "$ASK -V HTTPClient -x 0x5d:0010", expect: {stdout: {contains: "boot= ", lacks: boot.efi}}}
  - name: truncated from the start
    exec: {at: router/client, run: "curl -sm 5 http://10.2.0.1/boot.efi", expect: {exit: 18}}
  # A fault of a scenario takes its place, and heals into health.
  - fault:
      kind: boot-dhcp
      how: silent
      of: boot-server/boot
      during: [{exec: {at: router/client, run: "$ASK", expect: {exit: 1}}}]
  - fault:
      kind: boot-http
      how: 404
      of: boot-server/boot
      during: [{exec: {at: router/client, run: "curl -sfm 5 http://10.2.0.1/boot.efi", expect: {exit: 22}}}]
  - name: firmware is sent to the boot file
    exec: {at: router/client, run: "$ASK -V HTTPClient:Arch:00016:UNDI:003001 -x 0x5d:0010", expect: {stdout: {contains: "boot=http://10.2.0.1/boot.efi "}}}
  - name: iPXE is sent to its script, also where it says HTTPClient
    exec: {at: router/client, run: "$ASK -V HTTPClient -x 0x5d:0010 -x 0x4d:69505845", expect: {stdout: {contains: "boot=http://10.2.0.1/boot.ipxe "}}}
  - name: firmware of another architecture, and everybody else, is told who serves
    exec: {at: router/client, run: "$ASK -V HTTPClient -x 0x5d:0013; $ASK", expect: {stdout: {contains: "next=10.2.0.1", lacks: "http:"}}}
  - name: a script asks for the machine's own
    exec: {at: router/client, run: "curl -sf http://10.2.0.1/boot.ipxe", expect: {stdout: {contains: "chain --replace --autofree http://10.2.0.1/machines/${serial}/boot.ipxe"}}}
  - name: which has its image, parameters and Ignition
    exec:
      at: router/client
      run: "curl -sf http://10.2.0.1/machines/serial-1/boot.ipxe"
      expect: {stdout: {contains: ["/images/other/vmlinuz", "of=other hello=there", "ignition.config.url=http://10.2.0.1/machines/serial-1/ignition.json"]}}
  - exec: {at: router/client, run: "curl -sf http://10.2.0.1/machines/serial-1/ignition.json", expect: {stdout: {equals: "{}"}}}
  - name: a stranger boots the usual image
    exec: {at: router/client, run: "curl -sf http://10.2.0.1/boot.efi | head -c 5", expect: {stdout: {equals: os-os}}}
  - fault:
      kind: boot-http
      how: truncated
      of: boot-server/boot
      during: [{exec: {at: router/client, run: "curl -sm 5 http://10.2.0.1/boot.efi", expect: {exit: 18}}}]
  - fault:
      kind: boot-http
      how: corrupt
      of: boot-server/boot
      during: [{exec: {at: router/client, run: "curl -sm 5 http://10.2.0.1/boot.efi | cmp -s - $BUNDLE/node.efi", expect: {exit: 1}}}]
  - fault:
      kind: boot-http
      how: slow
      rate: 40kbit
      of: boot-server/boot
      during: [{exec: {at: router/client, run: "curl -sm 1 http://10.2.0.1/boot.efi", expect: {exit: 28}}}]
  - fault:
      kind: boot-http
      how: silent
      of: boot-server/boot
      during: [{exec: {at: router/client, run: "curl -sm 1 http://10.2.0.1/boot.efi", expect: {exit: 28}}}]
  - name: healed
    exec: {at: router/client, run: "curl -sfm 5 http://10.2.0.1/boot.efi | cmp - $BUNDLE/node.efi"}
  - fault:
      kind: boot-dhcp
      how: nak
      of: boot-server/boot
      # It asks over and over; the events tell what it is answered.
      during: [{exec: {at: router/client, run: "timeout 2 $ASK", expect: {exit: 124}}}]
  - fault:
      kind: boot-dhcp
      how: slow
      delay: 60s
      of: boot-server/boot
      during: [{exec: {at: router/client, run: "$ASK", expect: {exit: 1}}}]
  - fault:
      kind: boot-dhcp
      how: no-boot-file
      of: boot-server/boot
      during:
        # A fault outlasts a loss of power.
        - power: {of: boot-server/boot, reset: PowerCycle}
        - eventually: {that: {exec: {at: boot-server/boot, run: "test -e /run/dnsmasq/dnsmasq.pid"}}, timeout: 30s}
        - exec: {at: router/client, run: "$ASK -V HTTPClient -x 0x5d:0010", expect: {stdout: {contains: "address=10.1.0.", lacks: boot.efi}}}
  - name: healed, too
    exec: {at: router/client, run: "$ASK", expect: {stdout: {contains: "address=10.1.0."}}}
"#;

#[test]
fn boots_are_served_and_misbehaviour_is_seen_and_healed() {
    let wanted = [Need::Root, Need::Dnsmasq, Need::Curl, Need::Busybox];
    if !needs(&wanted) {
        return;
    }
    let place = Place::new();
    for image in ["os", "other"] {
        for part in ["node.efi", "vmlinuz", "initrd.img"] {
            place.write(
                &format!("{image}/{part}"),
                &format!("{image}-").repeat(20_000),
            );
        }
        place.write(&format!("{image}/cmdline"), &format!("of={image}"));
    }
    place.write("n1.ign", "{}");
    for (name, text) in [("ask", ASK), ("given", GIVEN)] {
        let path = place.write(name, text);
        let runs = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(path, runs).expect("a script");
    }
    place.write("dc.yml", CLUSTER);
    let here = |name: &str| place.dir().join(name).display().to_string();
    let text = SCENARIO
        .replace("$ASK", &here("ask"))
        .replace("$BUNDLE", &here("os"));
    let scenario = place.write("boot.yml", &text);
    let events = place.lab_events_of(&scenario, Duration::from_secs(240));
    // Who fetched what: the client has no entry, so it is told by its address alone.
    let not_found = json!({"kind": "http", "path": "/boot.efi", "status": 404});
    let silent = json!({
        "kind": "http", "path": "/boot.efi", "status": 0, "bytes": 0, "client": "10.1.0.2",
    });
    let dhcp = ["discover", "nak", "ack"].map(|act| json!({"kind": "dhcp", "act": act}));
    for wanted in [not_found, silent].into_iter().chain(dhcp) {
        let wanted = wanted.as_object().expect("an object");
        let mut found = events
            .iter()
            .filter(|event| wanted.iter().all(|(key, value)| &event[key] == value));
        assert!(found.next().is_some(), "no {wanted:?}");
    }
    place.assert_nothing_left();
}
