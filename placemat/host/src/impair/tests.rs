//! Effects on real links, in namespaces of the test's own. Only lower bounds of times are looked at.

use super::*;
use crate::icmp::ping;
use crate::netlink::VethEnd;
use crate::netns::apart::apart;
use std::net::Ipv4Addr;
use std::os::fd::AsFd;

const NEAR: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const FAR: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
const PATIENCE: Duration = Duration::from_secs(5);

/// Two namespaces with a pair between them, for the length of `work`.
fn on_a_pair(work: impl FnOnce(&Netns, &Netns) + Send + 'static) {
    apart(move || {
        let near = Netns::unnamed("near").expect("near");
        let far = Netns::unnamed("far").expect("far");
        let mut netlink = Netlink::open_in(&near).expect("netlink");
        let end = |netns| VethEnd {
            name: "eth0",
            netns: Some(netns),
            mac: None,
            mtu: Some(1450),
        };
        netlink.create_veth(end(&near), end(&far)).expect("a pair");
        for (netns, address) in [(&near, NEAR), (&far, FAR)] {
            let mut netlink = Netlink::open_in(netns).expect("netlink");
            let (index, _) = find(&mut netlink, "eth0").expect("eth0");
            let net = ipnet::IpNet::new(address.into(), 24).expect("a subnet");
            netlink.add_address(index, net).expect("address");
            netlink.set_up("eth0", true).expect("up");
        }
        // The first of all resolves the address.
        assert!(round_trips(&near, 1)[0].is_some());
        work(&near, &far);
    });
}

fn round_trips(from: &Netns, count: usize) -> Vec<Option<Duration>> {
    ping(from, None, &vec![FAR.into(); count], PATIENCE).expect("ping")
}

/// How many of `count` come back; what is lost is not waited for longer than it takes.
fn come_back(from: &Netns, count: usize) -> usize {
    let seen = ping(
        from,
        None,
        &vec![FAR.into(); count],
        Duration::from_millis(1500),
    )
    .expect("ping");
    seen.iter().flatten().count()
}

fn eth0(netns: &Netns) -> Link {
    Link::Interface {
        netns: netns.clone(),
        name: "eth0".into(),
    }
}

#[test]
fn delay_loss_and_rate_come_and_go() {
    on_a_pair(|near, _| {
        let offer = Offer::look().expect("look");
        let impairments = Impairments::new(offer);
        let set = |effects: Effects| {
            impairments
                .impair(&eth0(near), &effects)
                .expect("this kernel can do it")
        };
        let delay = Duration::from_millis(50);
        set(Effects {
            delay,
            ..Effects::default()
        });
        for trip in round_trips(near, 5) {
            assert!(trip.expect("an answer") >= delay);
        }
        // The device of a wire says nothing by itself, and nobody sees it from outside.
        let lossy = Effects {
            loss: 0.3,
            ..Effects::default()
        };
        let by = set(lossy);
        if !offer.netem {
            assert_eq!(by, [Backend::Filter]);
        }
        let back = come_back(near, 500);
        assert!((275..=425).contains(&back), "{back} of 500 with 30 % loss");
        // All effects at once.
        set(Effects {
            delay,
            jitter: Duration::from_millis(10),
            rate: Some(100_000_000),
            duplicate: 0.1,
            reorder: 0.2,
            corrupt: 0.1,
            ..lossy
        });
        let back = come_back(near, 500);
        assert!(
            (200..=400).contains(&back),
            "{back} of 500 with 30 % loss and 10 % corrupted"
        );
        // Healed, nothing is left on the link.
        set(Effects::default());
        assert_eq!(come_back(near, 500), 500);
        let names: Vec<String> = Netlink::open_in(near)
            .and_then(|mut netlink| netlink.links())
            .expect("links")
            .into_iter()
            .map(|link| link.name)
            .collect();
        assert_eq!(names, ["lo", "eth0"]);
    });
}

/// Nobody else could take the wire away once its link is forgotten.
#[test]
fn a_wire_goes_though_its_link_is_gone() {
    on_a_pair(|near, _| {
        let offer = Offer {
            netem: false,
            ..Offer::look().expect("look")
        };
        let impairments = Impairments::new(offer);
        let late = Effects {
            delay: Duration::from_millis(1),
            ..Effects::default()
        };
        let by = impairments.impair(&eth0(near), &late).expect("a wire");
        assert_eq!(by, [Backend::Wire]);
        let mut netlink = Netlink::open_in(near).expect("netlink");
        netlink.delete_link("eth0").expect("deleted");
        impairments
            .impair(&eth0(near), &Effects::default())
            .expect("healed");
        let links = netlink.links().expect("links").into_iter();
        let names: Vec<String> = links.map(|link| link.name).collect();
        assert_eq!(names, ["lo"]);
    });
}

/// A wire and the kernel's bucket both hold a rate: twice the bytes take about twice as long.
#[test]
fn a_rate_is_held_to() {
    on_a_pair(|near, far| {
        let offer = Offer::look().expect("look");
        for offer in [
            offer,
            Offer {
                netem: false,
                tbf: false,
                filter: true,
                wire: true,
            },
        ] {
            let impairments = Impairments::new(offer);
            let rate = Some(2_000_000);
            let by = impairments.impair(
                &eth0(near),
                &Effects {
                    rate,
                    ..Effects::default()
                },
            );
            by.expect("this kernel can do it");
            // 40 datagrams of 1000 bytes take 160 ms and more at 2 Mbit/s, but for the bucket's
            // first burst.
            let took = transfer(near, far, 40);
            assert!(took >= Duration::from_millis(100), "{took:?}");
            impairments
                .impair(&eth0(near), &Effects::default())
                .expect("healed");
        }
    });
}

fn transfer(near: &Netns, far: &Netns, count: usize) -> Duration {
    use std::net::UdpSocket;
    let receiver = far.run(|| UdpSocket::bind((FAR, 9))).expect("bind");
    receiver.set_read_timeout(Some(PATIENCE)).expect("timeout");
    let sender = near.run(|| UdpSocket::bind((NEAR, 0))).expect("bind");
    let began = std::time::Instant::now();
    for _ in 0..count {
        sender.send_to(&[0; 958], (FAR, 9)).expect("send");
    }
    for _ in 0..count {
        receiver.recv(&mut [0; 1000]).expect("it arrives");
    }
    began.elapsed()
}

/// A machine behind a TAP: the test reads and writes its descriptor as QEMU would.
#[test]
fn what_a_machine_sends_is_late_and_what_it_gets_is_not() {
    on_a_pair(|near, _| {
        let machine = near
            .run(|| tap::create("tap1").map_err(io::Error::other))
            .expect("a tap");
        let mut netlink = Netlink::open_in(near).expect("netlink");
        netlink.create_bridge("br", None).expect("bridge");
        let (bridge, _) = find(&mut netlink, "br").expect("bridge");
        for port in ["eth0", "tap1"] {
            netlink.set_bridge(port, bridge).expect("plug");
            netlink.set_up(port, true).expect("up");
        }
        netlink.set_up("br", true).expect("up");
        let link = Link::Tap {
            netns: near.clone(),
            name: "tap1".into(),
            bridge: "br".into(),
        };
        let impairments = Impairments::new(Offer::look().expect("look"));
        let seen = near.run(|| packet::listen("eth0")).expect("listen");
        let delay = Duration::from_millis(60);
        let by = impairments.impair(
            &link,
            &Effects {
                delay,
                ..Effects::default()
            },
        );
        assert_eq!(by.expect("this kernel can do it"), [Backend::Wire]);
        let sent = std::time::Instant::now();
        nix::unistd::write(&machine, &broadcast(1)).expect("the machine sends");
        wait_for(&seen, 1);
        assert!(sent.elapsed() >= delay);
        impairments
            .impair(&link, &Effects::default())
            .expect("healed");
        nix::unistd::write(&machine, &broadcast(2)).expect("the machine sends");
        wait_for(&seen, 2);
        let lossy = Effects {
            loss: 1.0,
            ..Effects::default()
        };
        assert_eq!(
            impairments.impair(&link, &lossy).expect("filtered"),
            [Backend::Filter]
        );
    });
}

/// A broadcast of an experimental protocol (IEEE 802 local experimental Ethertype 1).
fn broadcast(number: u8) -> Vec<u8> {
    let mut frame = vec![0; 10];
    frame.extend([0xff; 6]);
    frame.extend([0x52, 0x54, 0, 0, 0, 1, 0x88, 0xb5, number]);
    frame.resize(80, 0);
    frame
}

fn wait_for(seen: &std::os::fd::OwnedFd, number: u8) {
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
    loop {
        while let Some(frame) = packet::receive(seen, 100).expect("a frame") {
            if frame.bytes.get(12..15) == Some(&[0x88, 0xb5, number]) {
                return;
            }
        }
        let mut fds = [PollFd::new(seen.as_fd(), PollFlags::POLLIN)];
        assert_eq!(
            poll(&mut fds, PollTimeout::from(10_000_u16)),
            Ok(1),
            "frame {number}"
        );
    }
}
