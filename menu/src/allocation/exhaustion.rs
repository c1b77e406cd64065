//! Whether pools and ASNs reach. A pool that does not is named, with how far it goes and what
//! size would do.

use super::{BLOCK, BMC_RESERVED, NODE_BLOCKS};
use crate::rack::{DataCenter, Pool};
use ipnet::Ipv4Net;
use placemat_spec::{Place, Problem};

/// Private ASNs (RFC 6996), of two and of four bytes.
const PRIVATE_ASNS: [(u32, u32); 2] = [(64512, 65534), (4_200_000_000, 4_294_967_294)];

/// What a pool has to hold.
struct Demand {
    /// Addresses before the first block.
    reserved: u64,
    /// Addresses of one block.
    block: u64,
    /// Number of blocks.
    count: u64,
    /// What owns a block.
    owner: &'static str,
}

pub(super) fn check(dc: &DataCenter, fabric_block: u32) -> Vec<Problem> {
    let racks = dc.racks.len() as u64;
    let per_rack = |reserved: u32, block: u32| Demand {
        reserved: reserved.into(),
        block: block.into(),
        count: racks,
        owner: "rack",
    };
    let spines = Demand {
        reserved: 1,
        block: 1,
        count: dc.spines.into(),
        owner: "spine",
    };
    let pools = &dc.pools;
    let mut problems: Vec<Problem> = [
        ("node", pools.node, per_rack(0, NODE_BLOCKS * BLOCK)),
        ("fabric", pools.fabric, per_rack(0, fabric_block)),
        ("loopback", pools.loopback, spines),
        ("bmc", pools.bmc, per_rack(BMC_RESERVED, BLOCK)),
    ]
    .into_iter()
    .filter_map(|(key, pool, demand)| reach(key, pool, &demand, dc.racks_place))
    .collect();
    problems.extend(overlaps(dc));
    problems.extend(asns(dc));
    problems
}

/// `otherwise` is where a problem with a default pool is shown.
fn reach(key: &str, pool: Pool, demand: &Demand, otherwise: Place) -> Option<Problem> {
    let size = 1u64 << (32 - u32::from(pool.prefix.prefix_len()));
    let needed = demand.reserved + demand.block * demand.count;
    if needed <= size {
        return None;
    }
    let Demand { count, owner, .. } = *demand;
    let fits = size.saturating_sub(demand.reserved) / demand.block;
    let reaches = match fits {
        0 => format!("is too small for any {owner}"),
        _ => format!("ends at {owner} {fits}"),
    };
    // At least 1 bit, since at least one address was missing.
    let bits = u8::try_from(needed.next_power_of_two().trailing_zeros()).unwrap_or(u8::MAX);
    let help = match 32u8.checked_sub(bits) {
        Some(len) => format!(
            "{}; {} {} a /{len}, such as {}",
            what_it_takes(demand),
            counted(count, owner),
            if count == 1 { "needs" } else { "need" },
            widened(pool.prefix, len)
        ),
        None => format!(
            "{}; no IPv4 prefix holds {count} {owner}s",
            what_it_takes(demand)
        ),
    };
    let are = if count == 1 { "is" } else { "are" };
    let message = format!(
        "pool `{key}` {} {reaches}, and there {are} {count}",
        pool.prefix
    );
    let label = match pool.place {
        Some(_) => format!("{size} addresses, {needed} needed"),
        None => format!("the default pool has {size} addresses, {needed} needed"),
    };
    Some(
        Problem::new("pool-exhausted", message)
            .at(pool.place.unwrap_or(otherwise), label)
            .help(help),
    )
}

fn counted(count: u64, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    }
}

fn what_it_takes(demand: &Demand) -> String {
    let Demand {
        reserved,
        block,
        owner,
        ..
    } = *demand;
    let takes = match block {
        1 => format!("a {owner} takes 1 address"),
        _ => format!("a {owner} takes {block} addresses"),
    };
    match reserved {
        0 => takes,
        1 => format!("{takes}, after the first one"),
        _ => format!("{takes}, after the first {reserved}"),
    }
}

fn widened(prefix: Ipv4Net, len: u8) -> Ipv4Net {
    Ipv4Net::new_assert(prefix.network(), len).trunc()
}

fn overlaps(dc: &DataCenter) -> Vec<Problem> {
    let pools = dc.pools.all();
    let mut problems = Vec::new();
    for (i, (key, pool)) in pools.iter().enumerate() {
        for (other_key, other) in &pools[..i] {
            if !pool.prefix.contains(&other.prefix) && !other.prefix.contains(&pool.prefix) {
                continue;
            }
            let mut problem = Problem::new(
                "pools-overlap",
                format!(
                    "pool `{key}` {} overlaps pool `{other_key}` {}",
                    pool.prefix, other.prefix
                ),
            );
            // The defaults do not overlap, so at least one of the two has a place.
            for (key, pool) in [(key, pool), (other_key, other)] {
                problem = match pool.place {
                    Some(place) => problem.at(place, format!("pool `{key}`")),
                    None => problem.help(format!(
                        "{} is the default of pool `{key}`: give it a prefix of its own",
                        pool.prefix
                    )),
                };
            }
            problems.push(problem);
        }
    }
    problems
}

fn asns(dc: &DataCenter) -> Option<Problem> {
    let base = dc.asn_base.number;
    let racks = dc.racks.len();
    let problem = |message: String, label: String, help: String| {
        Some(
            Problem::new("asn-out-of-range", message)
                .at(dc.asn_base.place, label)
                .help(help),
        )
    };
    let Some((_, last)) = PRIVATE_ASNS
        .into_iter()
        .find(|(first, last)| (*first..=*last).contains(&base))
    else {
        return problem(
            format!("ASN {base} is not a private one"),
            "not private".into(),
            "private ASNs are 64512 to 65534 and 4200000000 to 4294967294 (RFC 6996)".into(),
        );
    };
    let fits = last - base;
    if racks as u64 <= u64::from(fits) {
        return None;
    }
    problem(
        format!("the private ASNs from {base} end at rack {fits}, and there are {racks}"),
        format!(
            "rack {racks} would have ASN {}",
            u64::from(base) + racks as u64
        ),
        "start at 64512, which reaches 1022 racks, or at 4200000000".into(),
    )
}
