//! Ranges that must hold something for each rack or spine.

use crate::neco::allocation::{RANGES, TORS};
use crate::neco::input::Menu;
use ipnet::Ipv4Net;
use placemat_spec::Problem;
use placemat_spec::document::At;
use std::net::Ipv4Addr;

/// What a prefix has to hold.
struct Demand {
    /// Its key.
    key: &'static str,
    /// The prefix.
    net: At<Ipv4Net>,
    /// Addresses before the first block.
    reserved: u64,
    /// Addresses of one block.
    block: u64,
    /// Number of blocks.
    count: u64,
    /// What owns a block.
    owner: &'static str,
    /// Addresses after the last block that cannot be used.
    after: u64,
    /// What a block is for.
    why: String,
}

/// Every prefix that does not reach, and every range that is not aligned.
pub(super) fn all(menu: &Menu) -> Vec<Problem> {
    let (network, ipam) = (&menu.network, &menu.network.ipam);
    let racks = menu.inventory.racks.len() as u64;
    let spines = u64::from(menu.inventory.spines.value);
    let range = 1_u64 << ipam.range_size.value;
    let ranges = u64::from(RANGES);
    let node = Demand {
        key: "node-ipv4-pool",
        net: ipam.node_pool,
        reserved: ipam.node_offset.value.into(),
        block: ranges * range,
        count: racks,
        owner: "rack",
        after: 0,
        why: format!("a rack takes {ranges} ranges of {range} addresses"),
    };
    let plain = |key, net, count, owner, reserved, why: &str| Demand {
        key,
        net,
        reserved,
        block: 1,
        count,
        owner,
        after: 0,
        why: why.to_owned(),
    };
    let bastion = plain(
        "bastion",
        network.exposed.bastion,
        racks,
        "rack",
        0,
        "each rack's boot server takes an address",
    );
    let spine = plain(
        "bmc-ipv4-pool",
        ipam.bmc_pool,
        spines,
        "spine",
        2,
        "each spine takes an address, after the host's",
    );
    let mut demands = vec![node, bastion, Demand { after: 1, ..spine }];
    if let Some(size) = ipam.bmc_range_size {
        demands.push(Demand {
            reserved: ipam.bmc_offset.value.into(),
            block: 1 << size.value,
            why: format!("BMCs of a rack take {} addresses", 1_u64 << size.value),
            ..plain("bmc-ipv4-pool", ipam.bmc_pool, racks, "rack", 0, "")
        });
    }
    let mut problems: Vec<Problem> = demands.iter().filter_map(reach).collect();
    problems.extend(links(menu));
    problems.extend(aligned(menu));
    problems.extend(segments(menu));
    problems
}

fn reach(demand: &Demand) -> Option<Problem> {
    let Demand {
        key,
        net,
        reserved,
        block,
        count,
        owner,
        after,
        why,
    } = demand;
    let size = 1_u64 << (32 - net.prefix_len());
    let needed = reserved + block * count + after;
    if needed <= size {
        return None;
    }
    let fits = size.saturating_sub(reserved + after) / block;
    let reaches = match fits {
        0 => format!("is too small for any {owner}"),
        1 => format!("ends after 1 {owner}"),
        _ => format!("ends after {fits} {owner}s"),
    };
    let what = match count {
        1 => format!("1 {owner} needs"),
        _ => format!("{count} {owner}s need"),
    };
    let bits = u8::try_from(needed.next_power_of_two().trailing_zeros()).unwrap_or(u8::MAX);
    let would = match 32_u8.checked_sub(bits) {
        Some(len) => format!("{what} a /{len}, such as {}", widened(net.value, len)),
        None => format!("no IPv4 prefix holds {count} {owner}s"),
    };
    let from = match reserved {
        0 => String::new(),
        _ => format!(" from its address {reserved} on"),
    };
    Some(
        Problem::new(
            "pool-exhausted",
            format!(
                "`{key}` {}{from} {reaches}, and there are {count}",
                net.value
            ),
        )
        .at(net.place, format!("{size} addresses, {needed} needed"))
        .help(format!("{why}; {would}")),
    )
}

fn widened(net: Ipv4Net, len: u8) -> Ipv4Net {
    Ipv4Net::new_assert(net.network(), len).trunc()
}

/// Links that are counted from a first address must not leave IPv4.
fn links(menu: &Menu) -> Vec<Problem> {
    let network = &menu.network;
    let racks = menu.inventory.racks.len() as u64;
    let spines = u64::from(menu.inventory.spines.value);
    let core = u32::from(network.core_spine.network());
    let needs = [
        (
            "spine-tor",
            u32::from(network.spine_tor.value),
            network.spine_tor.place,
            2 * u64::from(TORS) * racks * spines,
        ),
        ("core-spine", core, network.core_spine.place, 2 * spines),
    ];
    let mut problems = Vec::new();
    if network.core_spine.prefix_len() != 31 {
        // Placemat-menu gave both ends of every link the length that is written here.
        let why = match network.core_spine.prefix_len() {
            32 => "a /32 has no other end".to_owned(),
            len => format!(
                "of a /{len} the core's end would be the subnet's own address, and the links of all spines one subnet"
            ),
        };
        let help = format!(
            "write {}/31, and the links after it follow; {why}",
            network.core_spine.network()
        );
        let problem = Problem::new(
            "misaligned",
            "`core-spine` is not the first of the links, a /31",
        );
        problems.push(
            problem
                .at(network.core_spine.place, "each link has two addresses")
                .help(help),
        );
    }
    for (key, first, place, needed) in needs {
        if u64::from(first) + needed > 1 << 32 {
            let label = format!("{needed} addresses needed from here");
            problems.push(
                Problem::new("pool-exhausted", format!("`{key}` runs out of addresses"))
                    .at(place, label),
            );
        }
        if first % 2 == 1 {
            let help = format!("begin at {}", Ipv4Addr::from(first - 1));
            let problem = Problem::new(
                "misaligned",
                format!("`{key}` begins in the middle of a link"),
            );
            problems.push(
                problem
                    .at(place, "the ends of a /31 begin at an even address")
                    .help(help),
            );
        }
    }
    problems
}

/// A range must be a subnet of its prefix length.
fn aligned(menu: &Menu) -> Option<Problem> {
    let ipam = &menu.network.ipam;
    let (size, mask) = (ipam.range_size, ipam.range_mask);
    let block = 1_u64 << (32 - mask.value);
    let range = 1_u64 << size.value;
    if block > range {
        let fitting = 32 - size.value;
        return Some(
            Problem::new(
                "misaligned",
                format!(
                    "ranges of {range} addresses overlap as subnets of /{}",
                    mask.value
                ),
            )
            .at(
                mask.place,
                format!("a /{} has {block} addresses", mask.value),
            )
            .at(size.place, format!("a range has {range}"))
            .help(format!("a range of {range} addresses is a /{fitting}")),
        );
    }
    let first = u64::from(u32::from(ipam.node_pool.network())) + u64::from(ipam.node_offset.value);
    (!first.is_multiple_of(block)).then(|| {
        Problem::new(
            "misaligned",
            "the first range begins in the middle of a subnet",
        )
        .at(ipam.node_offset.place, format!("no multiple of {block}"))
        .at(mask.place, format!("subnets of {block} addresses"))
    })
}

/// Networks with addresses at fixed places.
fn segments(menu: &Menu) -> Vec<Problem> {
    let network = &menu.network;
    let nets = [
        ("internet", Some(network.internet), 2),
        ("core-external", Some(network.core_external), 2),
        ("core-operation", Some(network.core_operation), 2),
        ("ntp", network.ntp, 3),
    ];
    let mut problems = Vec::new();
    for (key, net, hosts) in nets {
        let Some(net) = net else { continue };
        // Its own address and the one for broadcasts are nobody's.
        if (1_u64 << (32 - net.prefix_len())) < hosts + 2 {
            let least = if hosts == 3 { 29 } else { 30 };
            problems.push(
                Problem::new(
                    "pool-exhausted",
                    format!("`{key}` {} is too small", net.value),
                )
                .at(net.place, format!("{hosts} machines have an address there"))
                .help(format!(
                    "it needs a /{least}, such as {}",
                    widened(net.value, least)
                )),
            );
        }
    }
    problems
}
