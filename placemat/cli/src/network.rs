//! What the networks of a cluster ask of this host, before anything starts.

use crate::exit::{self, Code, Failure};
use anyhow::Context;
use ipnet::IpNet;
use placemat_host::impair::{Effects, Offer};
use placemat_host::netlink::Netlink;
use placemat_host::probe::outside::Stack;
use placemat_host::probe::program;
use placemat_host::sandbox::LabSide;
use placemat_lab::outside::Exit;
use placemat_lab::wiring;
use placemat_spec::resource::{self, Effect, Impair, Interface, NetworkType, Tier};
use placemat_spec::value::Percentage;
use placemat_spec::{Cluster, Problem};
use std::collections::BTreeSet;
use std::time::Duration;

/// Refuses what this kernel cannot do to links, with the lines that asked.
pub(crate) fn check(cluster: &Cluster) -> Result<(), Failure> {
    stack(cluster)?;
    let asked = impaired(cluster);
    if asked.is_empty() {
        return Ok(());
    }
    // Where no namespaces can be made, the lab cannot be either, and says so.
    let Ok(offer) = Offer::of_host() else {
        return Ok(());
    };
    let problems = refused(&asked, offer);
    if problems.is_empty() {
        return Ok(());
    }
    Err(Failure::of_host(&cluster.problems(problems)))
}

/// What connects networks with `use-nat` with the outside; refused with their lines where there is
/// nothing that does.
pub(crate) fn stack(cluster: &Cluster) -> Result<Option<Stack>, Failure> {
    let asked: Vec<_> = cluster
        .networks
        .values()
        .filter(|network| network.use_nat)
        .collect();
    if asked.is_empty() {
        return Ok(None);
    }
    let preferred = std::env::var("PLACEMAT_OUTSIDE").ok();
    let tun = || {
        std::fs::File::options()
            .read(true)
            .write(true)
            .open("/dev/net/tun")
    };
    let (lacking, remedy) = match Stack::find(preferred.as_deref()) {
        Err(_) => (
            "`pasta` or `slirp4netns`, and neither is installed",
            "apt install passt",
        ),
        Ok(_) if program::locate("nft").is_err() => {
            ("`nft`, which is not installed", "apt install nftables")
        }
        Ok(_) if tun().is_err() => (
            "/dev/net/tun, which cannot be opened",
            "load the driver (`modprobe tun`) and allow read and write to the device",
        ),
        Ok(stack) => return Ok(Some(stack)),
    };
    let problems = asked.iter().map(|network| {
        let message = format!("`use-nat` of Network `{}` needs {lacking}", network.name);
        let place = network.use_nat_place.unwrap_or(network.place);
        Problem::new("unavailable", message)
            .at(place, "asked for here")
            .help(remedy)
    });
    Err(Failure::of_host(&cluster.problems(problems.collect())))
}

/// Refuses `--attach-host` where the host has some of the ranges already, with the lines of the
/// networks, and to anybody but root.
pub(crate) fn check_attach(cluster: &Cluster) -> Result<(), Failure> {
    if placemat_host::process::effective_uid() != 0 {
        let error = anyhow::anyhow!("--attach-host changes the host's network, which takes root");
        return Err(Failure::new(exit::USAGE, error).hint(
            "`placemat forward` leads into a lab without, `placemat exec` runs commands in it",
        ));
    }
    if let Err(error) = program::locate("nft") {
        return Err(Failure::new(exit::HOST, error));
    }
    let routes = Netlink::open()
        .and_then(|mut host| host.routes())
        .context("read the host's routes")
        .code(exit::HOST)?;
    let mut problems = Vec::new();
    let attached = cluster
        .networks
        .values()
        .filter(|network| network.kind != NetworkType::Internal);
    for network in attached {
        for range in network.addresses.iter().map(IpNet::trunc) {
            let taken = routes.iter().find(|route| {
                route.to.prefix_len() > 0
                    && (route.to.contains(&range) || range.contains(&route.to))
            });
            if let Some(taken) = taken {
                let message = format!(
                    "{range} of Network `{}` cannot be put on the host",
                    network.name
                );
                problems.push(
                    Problem::new("taken", message)
                        .at(
                            network.place,
                            format!("the host has a route to {}", taken.to),
                        )
                        .help("choose another range, or leave `--attach-host` out"),
                );
            }
        }
    }
    if problems.is_empty() {
        return Ok(());
    }
    Err(Failure::of_host(&cluster.problems(problems)))
}

/// The way out, from inside of the sandbox.
pub(crate) fn exit(stack: Option<Stack>, side: &LabSide) -> Option<Exit> {
    let outpost = side.outpost.clone()?;
    Some(Exit {
        stack: stack?,
        outpost,
    })
}

/// Every impairment that an interface is to have, and whether that is a machine's.
fn impaired(cluster: &Cluster) -> Vec<(&Impair, bool)> {
    let routers = cluster.routers.values().map(|it| (&it.interfaces, false));
    let boot_servers = cluster
        .boot_servers
        .values()
        .map(|it| (&it.interfaces, false));
    let nodes = cluster
        .nodes
        .values()
        .filter(|node| node.tier != Tier::Mock)
        .map(|node| (&node.interfaces, node.tier != Tier::Netns));
    routers
        .chain(boot_servers)
        .chain(nodes)
        .flat_map(|(interfaces, machine)| interfaces.iter().map(move |each| (each, machine)))
        .filter_map(|(each, machine)| Some((of(cluster, each)?, machine)))
        .collect()
}

fn of<'a>(cluster: &'a Cluster, interface: &'a Interface) -> Option<&'a Impair> {
    let network = || cluster.networks.get(&interface.network)?.impair.as_ref();
    interface.impair.as_ref().or_else(network)
}

fn refused(asked: &[(&Impair, bool)], offer: Offer) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut seen = BTreeSet::new();
    for (impair, machine) in asked {
        if offer
            .choose(&wiring::effects(&impair.effects), *machine)
            .is_some()
        {
            continue;
        }
        // Those that cannot be had even alone; else all of them, together.
        let alone = |effect: &Effect| offer.choose(&only(*effect), *machine).is_none();
        let lacking: Vec<_> = impair.asked.iter().filter(|(it, _)| alone(it)).collect();
        let lines = if lacking.is_empty() {
            impair.asked.iter().collect()
        } else {
            lacking
        };
        for (effect, place) in lines {
            if seen.insert((place.source, place.offset)) {
                let of = if *machine {
                    "a virtual machine"
                } else {
                    "a namespace"
                };
                let message = format!("this kernel has no `{}` for links of {of}", effect.word());
                problems.push(
                    Problem::new("unavailable", message)
                        .at(*place, "asked for here")
                        .help("`placemat doctor` has the table of effects and what they need"),
                );
            }
        }
    }
    problems
}

/// One effect by itself.
fn only(effect: Effect) -> Effects {
    let share = Percentage::new(50.0).unwrap_or_default();
    let mut effects = resource::Effects::default();
    match effect {
        Effect::Delay => effects.delay = Duration::from_millis(1),
        Effect::Jitter => effects.jitter = Duration::from_millis(1),
        Effect::Loss => effects.loss = share,
        Effect::Rate => effects.rate = Some(1_000_000),
        Effect::Corrupt => effects.corrupt = share,
        Effect::Duplicate => effects.duplicate = share,
        Effect::Reorder => effects.reorder = share,
    }
    wiring::effects(&effects)
}

#[cfg(test)]
mod tests {
    use super::*;
    use placemat_spec::Source;

    #[test]
    fn what_the_kernel_lacks_is_refused_with_its_line() {
        let text = "kind: Network\nname: slow\ntype: internal\nimpair:\n  delay: 10ms\n  loss: 1%\n---\n\
                    kind: Router\nname: a\ninterfaces:\n  - network: slow\n  - network: slow\n    name: up\n    impair: {loss: 5%}\n---\n\
                    kind: Node\nname: vm\ncpu: 1\ninterfaces:\n  - network: slow\n    impair: {rate: 1mbit}\n";
        let (cluster, _) = Cluster::load(vec![Source::inline("test.yml", text)])
            .unwrap_or_else(|it| panic!("{it}"));
        let asked = impaired(&cluster);
        let filter = Offer {
            filter: true,
            ..Offer::default()
        };
        let problems = |offer: Offer| cluster.problems(refused(&asked, offer)).to_string();
        insta::assert_snapshot!(problems(filter));
        let wire = Offer {
            wire: true,
            ..filter
        };
        assert_eq!(problems(wire), "");
    }
}
