//! Which links a cluster comes to, and under which names.

use super::Plan;
use placemat_spec::{Cluster, Source};

fn cluster(text: &str) -> Cluster {
    let source = Source {
        name: "test.yml".into(),
        dir: ".".into(),
        text: text.into(),
    };
    match Cluster::load(vec![source]) {
        Ok((cluster, _)) => cluster,
        Err(problems) => panic!("{problems}"),
    }
}

#[test]
fn two_namespaces_need_no_bridge_and_a_vm_does() {
    let plan = Plan::of(&cluster(
        "kind: Network\nname: p2p\ntype: internal\n---\n\
         kind: Network\nname: lan\ntype: internal\n---\n\
         kind: Network\nname: bmc\ntype: bmc\naddress: 10.9.0.1/24\n---\n\
         kind: Router\nname: a\ninterfaces: [{network: p2p, addresses: [10.0.0.0/31]}, {network: lan, addresses: [10.1.0.1/24]}]\n---\n\
         kind: Router\nname: b\ninterfaces: [{network: p2p, addresses: [10.0.0.1/31]}]\n---\n\
         kind: Node\nname: vm\ncpu: 1\nfirmware: {uefi: true}\ninterfaces: [lan]\nbmc: {address: 10.9.0.2}\n",
    ));
    insta::assert_snapshot!(plan);
}

#[test]
fn an_impairment_of_an_interface_goes_before_that_of_its_network() {
    let mut plan = Plan::of(&cluster(
        "kind: Network\nname: p2p\ntype: internal\nimpair: {delay: 50ms, jitter: 5ms}\n---\n\
         kind: Router\nname: a\ninterfaces: [{network: p2p, impair: {loss: 1%, rate: 10mbit}}]\n---\n\
         kind: Router\nname: b\ninterfaces: [p2p]\n",
    ));
    plan.default_mtu(Some(1400));
    assert_eq!(plan.pairs[0].mtu, Some(1400));
    insta::assert_snapshot!(plan);
}

#[test]
fn a_plan_is_counted_by_network_router_and_tier() {
    let cluster = cluster(
        "kind: Image\nname: os\nbundle: images/node\n---\n\
         kind: Network\nname: p2p\ntype: internal\n---\n\
         kind: Network\nname: lan\ntype: internal\nmtu: 1400\n---\n\
         kind: Network\nname: spare\ntype: internal\n---\n\
         kind: Network\nname: bmc\ntype: bmc\naddress: 10.9.0.1/24\n---\n\
         kind: Router\nname: a\nbird: {config: a.conf}\napps: [{name: relay, command: [dnsmasq]}]\n\
         interfaces: [{network: p2p, addresses: [10.0.0.0/31]}, {network: lan, addresses: [10.1.0.1/24]}]\n---\n\
         kind: NetworkNamespace\nname: b\ninterfaces: [{network: p2p, addresses: [10.0.0.1/31]}]\n---\n\
         kind: Node\nname: vm1\ncpu: 2\nmemory: 512M\nfirmware: {uefi: true}\ninterfaces: [lan]\n\
         volumes: [{kind: raw, name: data, size: 3G}, {kind: image, name: root, image: os}]\nbmc: {address: 10.9.0.2}\n---\n\
         kind: Node\nname: vm2\nautostart: false\nfirmware: {uefi: true}\ninterfaces: [lan]\n---\n\
         kind: Node\nname: light\ntier: netns\nimage: os\ninterfaces: [lan]\n---\n\
         kind: Node\nname: dummy\ntier: mock\nbmc: {address: 10.9.0.3}\n",
    );
    insta::assert_json_snapshot!(Plan::of(&cluster).summary(&cluster));
}
