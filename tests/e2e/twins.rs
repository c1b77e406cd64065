//! Negative controls: four sabotaged twins of the demo. Each has to fail, at the step that is there
//! to notice, in words that name the culprit.

use crate::record::Record;
use crate::turn::Turn;
use crate::twin::Twin;
use placemat_spec::event::BootPhase;
use placemat_tests::{Need, Place, needs};

/// What a fabric without servers takes.
const FABRIC: &[Need] = &[Need::Bird, Need::Dnsmasq, Need::Qemu, Need::Image];
/// Exit code of scenarios that did not pass.
const FAILED: Option<i32> = Some(6);

/// A twin of the fabric alone: its servers stay off, and the gate of `bootstrap` has to notice.
fn of_fabric(place: &Place) -> Twin {
    let twin = Twin::new(place);
    for server in ["rack1-cs1", "rack1-cs2", "rack2-cs1", "rack2-cs2"] {
        twin.leave_off(server);
    }
    // Steady in a second, if at all.
    twin.take("1-bootstrap.yml", &[("timeout: 15s", "timeout: 4s")]);
    twin
}

fn run(twin: &Twin, place: &Place) -> Record {
    let (said, record) = twin.run(place);
    assert_eq!(said.code, FAILED, "{}", said.err);
    place.assert_nothing_left();
    record
}

#[test]
fn a_wrong_asn_is_noticed_by_the_gate_of_bootstrap() {
    if !needs(FABRIC) {
        return;
    }
    let _turn = Turn::take("twin, wrong ASN");
    let place = Place::new();
    let twin = of_fabric(&place);
    // Of one of its sessions. With another ASN for all of them its BIRD would not even start.
    twin.change(
        "dc/bird/rack1-tor2.conf",
        &[("local 10.72.1.3;", "local 10.72.1.3 as 64699;")],
    );
    let failure = run(&twin, &place).only_failure();
    assert_eq!(
        (failure.path.as_str(), failure.kind.as_str()),
        ("before", "steady-state")
    );
    for culprit in ["router/spine-1 rack1-tor2", "Bad peer AS"] {
        assert!(failure.message.contains(culprit), "{failure:#?}");
    }
    for innocent in ["router/spine-2 rack1-tor2", "router/spine-1 rack1-tor1"] {
        assert!(!failure.message.contains(innocent), "{failure:#?}");
    }
}

#[test]
fn bfd_that_is_off_on_one_side_is_noticed_by_the_gate_of_bootstrap() {
    if !needs(FABRIC) {
        return;
    }
    let _turn = Turn::take("twin, BFD off");
    let place = Place::new();
    let twin = of_fabric(&place);
    twin.change("dc/bird/rack1-tor1.conf", &[("\tbfd on;\n", "")]);
    let failure = run(&twin, &place).only_failure();
    assert_eq!(
        (failure.path.as_str(), failure.kind.as_str()),
        ("before", "steady-state")
    );
    // By the other ends' word: the ToR's ends of its links to either spine.
    for culprit in [
        "router/spine-1 eth0 10.72.1.1",
        "router/spine-2 eth0 10.72.1.5",
    ] {
        assert!(failure.message.contains(culprit), "{failure:#?}");
    }
    assert!(
        !failure.message.contains("Established"),
        "BGP is not to blame: {failure:#?}"
    );
    assert!(!failure.message.contains("10.72.1.3"), "{failure:#?}");
}

#[test]
fn servers_without_a_relay_do_not_boot_and_bootstrap_notices() {
    if !needs(FABRIC) {
        return;
    }
    let _turn = Turn::take("twin, no relay");
    let place = Place::new();
    let twin = Twin::new(&place);
    for tor in ["rack1-tor1", "rack1-tor2"] {
        twin.change_resource("Router", tor, |text| {
            let apps = text.find("apps:\n").expect("apps of a ToR");
            text[..apps].to_owned()
        });
    }
    // Three times that under TCG, which stretches waits.
    twin.take("1-bootstrap.yml", &[("timeout: 40s", "timeout: 12s")]);
    let record = run(&twin, &place);
    let failure = record.only_failure();
    assert_eq!(
        (
            failure.scenario.as_str(),
            failure.path.as_str(),
            failure.name.as_str()
        ),
        (
            "bootstrap",
            "1",
            "full servers boot the node image over UEFI HTTP"
        )
    );
    assert!(failure.message.contains("node/rack1-cs1"), "{failure:#?}");
    assert!(record.reached("node/rack1-cs1", BootPhase::Firmware));
    assert!(
        !record.reached("node/rack1-cs1", BootPhase::Http),
        "it shares no segment with its boot server"
    );
    assert!(
        record.reached("node/rack2-cs1", BootPhase::Http),
        "the rack with relays boots"
    );
}

#[test]
fn a_bmc_that_lies_about_power_is_found_out_by_what_really_runs() {
    if !needs(FABRIC) || !needs(&[Need::Ipmitool]) {
        return;
    }
    let _turn = Turn::take("twin, lying BMC");
    let place = Place::new();
    let twin = Twin::new(&place);
    twin.change_resource("Node", "rack1-cs1", |text| {
        let honest = "password: \"placemat\"}";
        assert!(text.contains(honest), "{text}");
        text.replace(honest, "password: \"placemat\", fault: lies-about-power}")
    });
    twin.leave_off("rack2-cs1");
    // Of the scenario: its first server, until it has been switched off.
    twin.take(
        "2-power.yml",
        &[(
            "{that: {use: lib.steady}, timeout: 30s}",
            "{that: {booted: {of: node/rack1-cs1, phase: firmware}}, timeout: 60s}",
        )],
    );
    twin.cut("2-power.yml", "# Once from its disk");
    twin.change("suite/lib.yml", &[("within: 10s", "within: 3s")]);
    let record = run(&twin, &place);
    let failure = record.only_failure();
    assert_eq!(
        (failure.scenario.as_str(), failure.name.as_str()),
        ("power", "rack1-cs1 is really off")
    );
    assert!(failure.message.contains("node/rack1-cs1"), "{failure:#?}");
    assert!(
        record
            .passed()
            .contains(&"ipmitool power off of rack1-cs1".to_owned()),
        "the BMC itself claims success"
    );
}

#[test]
fn boot_servers_share_no_segment_with_servers() {
    let place = Place::new();
    let twin = Twin::new(&place);
    let text = std::fs::read_to_string(twin.cluster()).expect("the cluster");
    let source = placemat_spec::Source::file(&twin.cluster(), text);
    let (cluster, _) = placemat_spec::Cluster::load(vec![source]).expect("a cluster");
    assert_eq!((cluster.boot_servers.len(), cluster.nodes.len()), (2, 4));
    let plan = placemat_lab::plan::Plan::of(&cluster);
    for boot_server in cluster.boot_servers.values() {
        for segment in &boot_server.interfaces {
            let shared = cluster.nodes.values().any(|node| {
                node.interfaces
                    .iter()
                    .any(|nic| nic.network == segment.network)
            });
            assert!(!shared, "{} of {}", segment.network, boot_server.name);
            // Nor a bridge that something else could be plugged into.
            let bridged = plan.bridges.iter().any(|it| it.name == segment.network);
            assert!(!bridged, "{} of {}", segment.network, boot_server.name);
        }
    }
}
