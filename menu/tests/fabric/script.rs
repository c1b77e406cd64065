//! The shell script that makes a plan live, checks it, and prints what it found.

use placemat_menu::Plan;
use placemat_menu::topology::{Interface, Speaker};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Everything that speaks BGP, with its NICs. Leased addresses are filled in.
pub(crate) fn speakers(plan: &Plan) -> Vec<(&Speaker, Vec<Interface>)> {
    let leased = |interface: &Interface| {
        let host = plan
            .boot_servers
            .iter()
            .flat_map(|boot| &boot.hosts)
            .find(|host| Some(&host.mac) == interface.mac.as_ref())
            .unwrap();
        Interface {
            address: Some(format!("{}/26", host.address).parse().unwrap()),
            ..interface.clone()
        }
    };
    let routers = plan.routers.iter().map(|router| (&router.speaker, router.interfaces.clone()));
    let boots = plan.boot_servers.iter().map(|boot| (&boot.speaker, boot.interfaces.clone()));
    let servers = plan
        .servers
        .iter()
        .map(|server| (&server.speaker, server.interfaces.iter().map(leased).collect()));
    routers.chain(boots).chain(servers).collect()
}

pub(crate) fn script(plan: &Plan) -> String {
    let speakers = speakers(plan);
    let mut text = String::from("mount -t tmpfs tmpfs /run\nip link set lo up\n");
    let mut line = |words: String| writeln!(text, "{words}").unwrap();
    for (own, _) in &speakers {
        line(format!("ip netns add {}", own.name));
    }
    line("cat > links.batch <<END".into());
    let mut ends: BTreeMap<&str, Vec<(&str, &Interface)>> = BTreeMap::new();
    for (own, interfaces) in &speakers {
        for interface in interfaces {
            ends.entry(&interface.network).or_default().push((&own.name, interface));
        }
    }
    for (network, ends) in ends {
        if let [(a, at_a), (b, at_b)] = ends[..] {
            line(format!(
                "link add {} netns {a} type veth peer name {} netns {b}",
                at_a.name, at_b.name
            ));
            continue;
        }
        line(format!("link add {network} type bridge\nlink set {network} up"));
        for (index, (machine, interface)) in ends.iter().enumerate() {
            line(format!(
                "link add {network}-{index} type veth peer name {} netns {machine}\n\
                 link set {network}-{index} master {network} up",
                interface.name
            ));
        }
    }
    line("END\nip -batch links.batch".into());
    for (own, interfaces) in &speakers {
        line(format!(
            "ip netns exec {0} sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 \
             net.ipv4.fib_multipath_hash_policy=1\nip -n {0} -batch - <<END\nlink set lo up\n\
             address add {1}/32 dev lo",
            own.name, own.loopback
        ));
        for interface in interfaces {
            let (name, address) = (&interface.name, interface.address.unwrap());
            line(format!("address add {address} dev {name}\nlink set {name} up"));
        }
        let config = match plan.servers.iter().find(|server| server.speaker.name == own.name) {
            Some(_) => format!("boot/{}/bird.conf", own.name),
            None => format!("bird/{}.conf", own.name),
        };
        line(format!(
            "END\nip netns exec {0} bird -f -c {config} -s /run/{0}.ctl -P /run/{0}.pid 2> {0}.log &",
            own.name
        ));
    }
    checks(&speakers, &mut line);
    text
}

fn checks(speakers: &[(&Speaker, Vec<Interface>)], line: &mut impl FnMut(String)) {
    let sessions: usize = speakers.iter().map(|(own, _)| own.sessions.len()).sum();
    let names: Vec<&str> = speakers.iter().map(|(own, _)| own.name.as_str()).collect();
    let names = names.join(" ");
    line(format!(
        "each() {{ for name in {names}; do birdc -s /run/$name.ctl \"$@\" 2> /dev/null; done; }}\n\
         established() {{ each show protocols | grep -c ' BGP .* Established' || true; }}\n\
         bfd() {{ each show bfd sessions | grep -c ' Up ' || true; }}\n\
         polls=0\n\
         until [ $(established) = {sessions} ] && [ $(bfd) = {sessions} ] || [ $polls = 75 ]; do\n\
         sleep 0.2; polls=$((polls + 1)); done\n\
         echo established $(established) of {sessions}\n\
         echo bfd up $(bfd) of {sessions}"
    ));
    // A route may take a moment longer than its session: every ping is tried for a while.
    let loopbacks: Vec<String> =
        speakers.iter().map(|(own, _)| own.loopback.to_string()).collect();
    let pairs = speakers.len() * (speakers.len() - 1);
    line("cat > reach.sh <<'END'\nip netns exec $1 busybox ping -qc 1 -W 1 $2 > /dev/null || \
          ip netns exec $1 busybox ping -qc 3 -W 1 $2 > /dev/null || { echo $1 $2 >&2; exit; }\necho ok\nEND".into());
    line(format!(
        "for name in {names}; do for to in {}; do echo $name $to; done; done > pairs",
        loopbacks.join(" ")
    ));
    line(format!(
        "echo reached $(($(xargs -P 8 -L 1 sh reach.sh < pairs | grep -c ok) - {})) of {pairs}",
        speakers.len()
    ));
    for from in ["rack1-cs1", "spine-1"] {
        let to = speakers.iter().find(|(own, _)| own.name == "rack2-cs1").unwrap().0.loopback;
        line(format!(
            "echo \"paths from {from} to rack2-cs1: $(ip -n {from} route show {to} | grep -c nexthop), \
             source $(ip -n {from} route show {to} | sed -n 's/.*src \\([0-9.]*\\).*/\\1/p')\""
        ));
    }
}
