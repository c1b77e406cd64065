//! What the node image makes of a seed of cloud-init's, in a namespace: the script is the same on a machine.

use placemat_tests::{Lab, Need, Place, needs, program};

const CLUSTER: &str = "
kind: Image
name: os
bundle: BUNDLE
---
kind: Network
name: net0
type: internal
---
kind: Node
name: n1
tier: netns
image: os
interfaces: [net0]
";

/// Block style with all that it has, and a few things that this small image does not follow.
const USER_DATA: &str = r#"#cloud-config
# of a host
hostname: "web-1"   # quoted
ssh_authorized_keys:
- ssh-ed25519 AAAA one
- 'ssh-ed25519 BBBB two # three'
write_files:
- path: /tmp/text
  permissions: '0640'
  content: |
    first: line
      second "with" \ \n and	tab

    # no comment
- path: /tmp/folded
  content: >-
    one
    two
- path: /tmp/text
  append: true
  content: "more\tof \"it\" C:\\new\n"
- {path: /tmp/flow, content: x}
runcmd:
  - 'echo "a: b" > /tmp/string'
  - [sh, -c, "echo one, 'two' > /tmp/list", it, 'it''s']  # [a]
  - - sh
    - -c
    - echo nested > /tmp/nested
  - exit 3
  - echo after > /tmp/after
packages: [nginx]
"#;

const NETWORK: &str = "
network:
  version: 2
  ethernets:
    eth0:
      mtu: 1400
      addresses: [172.16.0.11/24, \"fd00::11/64\"]
      routes:
        - {to: 10.0.0.0/8, via: 172.16.0.2}
        - to: 192.168.0.0/16
          via: 172.16.0.1
      nameservers: {addresses: [1.1.1.1]}
    eth1:
      dhcp4: true
";

#[test]
fn is_heeded_and_what_it_does_not_know_is_named() {
    if !needs(&[Need::Image]) {
        return;
    }
    let place = Place::new();
    let bundle = program::image().expect("the image");
    let bundle = bundle.canonicalize().expect("the image");
    let cluster = CLUSTER.replace("BUNDLE", &bundle.to_string_lossy());
    let lab = place.up(&place.write("seed.yml", &cluster));
    write(&lab, "user-data", USER_DATA);
    write(&lab, "network-config", NETWORK);
    write(&lab, "meta-data", "local-hostname: n1\n");
    let said = sh(&lab, "placemat-seed network /tmp/seed 4>&1; echo \"is $?\"");
    insta::assert_snapshot!("network", said);
    let links = sh(
        &lab,
        "ip -o link show eth0; ip -o address show eth0; ip route",
    );
    for wanted in [
        "mtu 1400 ",
        "172.16.0.11/24",
        "fd00::11/64",
        "192.168.0.0/16 via 172.16.0.1",
    ] {
        assert!(links.contains(wanted), "{wanted}: {links}");
    }
    insta::assert_snapshot!("apply", sh(&lab, "placemat-seed apply /tmp/seed 4>&1"));
    insta::assert_snapshot!(
        "made",
        sh(
            &lab,
            "hostname; cat /tmp/seed.keys; stat -c %a /tmp/text; \
             for it in text folded string list nested after; do echo \"-- $it\"; cat /tmp/$it; echo; done"
        )
    );
    lab.down();
    place.assert_nothing_left();
}

fn sh(lab: &Lab<'_>, script: &str) -> String {
    lab.exec("node/n1", &["sh", "-c", script]).out
}

fn write(lab: &Lab<'_>, name: &str, text: &str) {
    let script = format!("mkdir -p /tmp/seed && printf %s \"$1\" > /tmp/seed/{name}");
    lab.exec("node/n1", &["sh", "-c", &script, "sh", text])
        .well();
}
