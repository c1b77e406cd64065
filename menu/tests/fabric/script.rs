//! The shell script that makes a plan live, checks it, and prints what it found.

use placemat_menu::Plan;
use placemat_menu::topology::{Interface, Speaker};
use placemat_spec::Cluster;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Everything that speaks BGP, with its NICs. Leased addresses are filled in.
fn speakers(plan: &Plan) -> Vec<(&Speaker, Vec<Interface>)> {
    let leased = |interface: &Interface| {
        let mut hosts = plan.boot_servers.iter().flat_map(|boot| &boot.hosts);
        let host = hosts
            .find(|host| Some(&host.mac) == interface.mac.as_ref())
            .unwrap();
        Interface {
            address: Some(format!("{}/26", host.address).parse().unwrap()),
            ..interface.clone()
        }
    };
    let routers = plan
        .routers
        .iter()
        .map(|router| (&router.speaker, router.interfaces.clone()));
    let boots = plan
        .boot_servers
        .iter()
        .map(|boot| (&boot.speaker, boot.interfaces.clone()));
    let servers = plan.servers.iter().map(|server| {
        let interfaces = server.interfaces.iter().map(leased).collect();
        (&server.speaker, interfaces)
    });
    routers.chain(boots).chain(servers).collect()
}

pub(crate) fn script(plan: &Plan, cluster: &Cluster) -> String {
    let speakers = speakers(plan);
    let mut text = String::from("mount -t tmpfs tmpfs /run\nip link set lo up\n");
    links(&speakers, &mut text);
    for (own, interfaces) in &speakers {
        machine(plan, own, interfaces, &mut text);
    }
    sessions(&speakers, &mut text);
    reachability(&speakers, &mut text);
    text.push_str(&relay(plan, cluster));
    failures(plan, &mut text);
    text
}

/// A veth pair for a network of two ends, a bridge for any other, as the lab has it.
fn links(speakers: &[(&Speaker, Vec<Interface>)], text: &mut String) {
    let mut ends: BTreeMap<&str, Vec<(&str, &Interface)>> = BTreeMap::new();
    for (own, interfaces) in speakers {
        writeln!(text, "ip netns add {}", own.name).unwrap();
        for interface in interfaces {
            let ends = ends.entry(&interface.network).or_default();
            ends.push((&own.name, interface));
        }
    }
    text.push_str("ip -batch - <<END\n");
    for (network, ends) in ends {
        if let [(a, at_a), (b, at_b)] = ends[..] {
            let (at_a, at_b) = (&at_a.name, &at_b.name);
            writeln!(
                text,
                "link add {at_a} netns {a} type veth peer name {at_b} netns {b}"
            )
            .unwrap();
            continue;
        }
        writeln!(
            text,
            "link add {network} type bridge\nlink set {network} up"
        )
        .unwrap();
        for (index, (machine, interface)) in ends.iter().enumerate() {
            let (port, name) = (format!("{network}-{index}"), &interface.name);
            let mac = match &interface.mac {
                Some(mac) => format!("address {mac}"),
                None => String::new(),
            };
            writeln!(
                text,
                "link add {port} type veth peer name {name} {mac} netns {machine}\n\
                 link set {port} master {network} up"
            )
            .unwrap();
        }
    }
    text.push_str("END\n");
}

fn machine(plan: &Plan, own: &Speaker, interfaces: &[Interface], text: &mut String) {
    let (name, loopback) = (&own.name, own.loopback);
    writeln!(
        text,
        "ip netns exec {name} sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 \
         net.ipv4.fib_multipath_hash_policy=1\n\
         ip -n {name} -batch - <<END\nlink set lo up\naddress add {loopback}/32 dev lo"
    )
    .unwrap();
    for Interface { name, address, .. } in interfaces {
        let address = address.unwrap();
        writeln!(text, "address add {address} dev {name}\nlink set {name} up").unwrap();
    }
    let is_server = plan
        .servers
        .iter()
        .any(|server| server.speaker.name == *name);
    let config = if is_server {
        format!("boot/{name}/bird.conf")
    } else {
        format!("bird/{name}.conf")
    };
    writeln!(
        text,
        "END\nip netns exec {name} bird -f -c {config} -s /run/{name}.ctl -P /run/{name}.pid \
         2> {name}.log &"
    )
    .unwrap();
}

/// Polls until all sessions are up, at most 15 s, and says how many are.
fn sessions(speakers: &[(&Speaker, Vec<Interface>)], text: &mut String) {
    let count: usize = speakers.iter().map(|(own, _)| own.sessions.len()).sum();
    writeln!(
        text,
        "each() {{ for name in {}; do birdc -s /run/$name.ctl \"$@\" 2> /dev/null; done; }}\n\
         established() {{ each show protocols | grep -c ' BGP .* Established' || true; }}\n\
         bfd() {{ each show bfd sessions | grep -c ' Up ' || true; }}\n\
         polls=0\n\
         until [ $(established) = {count} ] && [ $(bfd) = {count} ] || [ $polls = 75 ]; do\n\
         sleep 0.2; polls=$((polls + 1)); done\n\
         echo established $(established) of {count}\n\
         echo bfd up $(bfd) of {count}",
        names(speakers)
    )
    .unwrap();
}

/// Pings every loopback from everywhere, and looks at the paths of two.
fn reachability(speakers: &[(&Speaker, Vec<Interface>)], text: &mut String) {
    let loopbacks: Vec<String> = speakers
        .iter()
        .map(|(own, _)| own.loopback.to_string())
        .collect();
    let count = speakers.len();
    // A route may take a moment longer than its session: a ping that fails is tried again.
    writeln!(
        text,
        "cat > reach.sh <<'END'\n\
         for tries in 1 3 3; do\n\
         ip netns exec $1 busybox ping -qc $tries -W 1 $2 > /dev/null && {{ echo ok; exit; }}\n\
         done; echo no way from $1 to $2 >&2\nEND\n\
         for name in {}; do for to in {}; do echo $name $to; done; done > pairs\n\
         echo reached $(($(xargs -P 8 -L 1 sh reach.sh < pairs | grep -c ok) - {count})) of {}",
        names(speakers),
        loopbacks.join(" "),
        count * (count - 1)
    )
    .unwrap();
    let to = speakers
        .iter()
        .find(|(own, _)| own.name == "rack2-cs1")
        .unwrap();
    let to = to.0.loopback;
    for from in ["rack1-cs1", "spine-1"] {
        writeln!(
            text,
            "ip -n {from} route show {to} > route\n\
             echo \"paths from {from} to rack2-cs1: $(grep -c nexthop route), \
             source $(sed -n 's/.* src \\([0-9.]*\\).*/\\1/p' route)\""
        )
        .unwrap();
    }
}

/// Lets rack1-cs1 ask for the address of its first NIC anew: without a relay, then with one. The
/// DHCP server is as the lab configures it; the relay is what the cluster says.
fn relay(plan: &Plan, cluster: &Cluster) -> String {
    let boot = &plan.boot_servers[0];
    let (range, host) = (&boot.ranges[0], &boot.hosts[0]);
    let relay = cluster.routers["rack1-tor1"].apps[0].command.join(" ");
    let link = boot.interfaces[0].address.unwrap().addr();
    format!(
        "ip netns exec rack1-boot dnsmasq --no-daemon --conf-file=/dev/null --port=0 --pid-file= \
         --dhcp-leasefile=leases --dhcp-authoritative --no-ping \
         --dhcp-range={},{},255.255.255.192,1h --dhcp-host={},{} \
         --dhcp-option=option:router,{} 2> dhcp.log &\n\
         cat > lease.sh <<'END'\n#!/bin/sh\n\
         [ \"$1\" != bound ] || echo \"$ip/$mask router $router\"\nEND\n\
         chmod +x lease.sh\n\
         ask() {{ ip netns exec rack1-cs1 busybox udhcpc -fnq -t $1 -T 1 -i eth0 -s ./lease.sh \
         2> /dev/null || echo no lease; }}\n\
         echo without relay: $(ask 2)\n\
         ip netns exec rack1-tor1 {relay} 2> relay.log &\n\
         echo with relay: $(ask 5)\n\
         ip netns exec rack1-cs1 busybox ping -qc 1 -W 1 {link} > /dev/null && \
         echo \"boot server's end of its link: reached\"\n",
        range.start, range.end, host.mac, host.address, range.router
    )
}

/// Takes a server's link away, then a spine: there is always a way around, also between machines of
/// one ASN.
fn failures(plan: &Plan, text: &mut String) {
    let (spine, tor) = (&plan.routers[0], &plan.routers[2].speaker.name);
    let other_tor = plan.routers[3].speaker.loopback;
    let server = plan.servers[0].speaker.loopback;
    let spine_down: Vec<String> = spine
        .interfaces
        .iter()
        .map(|nic| format!("ip -n {} link set {} down", spine.speaker.name, nic.name))
        .collect();
    writeln!(
        text,
        "reach() {{ for tries in 1 2 3 4 5 6; do\n\
         ip netns exec $1 busybox ping -qc 1 -W 1 $2 > /dev/null 2>&1 && {{ echo yes; return; }}\n\
         sleep 0.5; done; echo no; }}\n\
         ip -n rack1-cs1 link set eth0 down\n\
         echo \"server from its ToR without their link: $(reach {tor} {server})\"\n\
         {}\n\
         echo \"ToR from ToR of the rack without a spine: $(reach {tor} {other_tor})\"\n\
         echo \"server from another rack: $(reach rack2-cs1 {server})\"",
        spine_down.join("\n")
    )
    .unwrap();
}

fn names(speakers: &[(&Speaker, Vec<Interface>)]) -> String {
    let names: Vec<&str> = speakers.iter().map(|(own, _)| own.name.as_str()).collect();
    names.join(" ")
}
