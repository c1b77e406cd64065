//! Whether pools and ASNs reach. A pool that does not is named, with how far it goes and what
//! size would do.

mod overlap;

use super::{BLOCK, BMC_RESERVED, NODE_BLOCKS, asn, fabric_block, ipv6, pod_block};
use crate::rack::{AsnScheme, DataCenter, Pool};
use ipnet::IpNet;
use placemat_spec::{Place, Problem};

/// Private ASNs (RFC 6996), of two and of four bytes.
const PRIVATE_ASNS: [(u32, u32); 2] = [(64512, 65534), (4_200_000_000, 4_294_967_294)];

/// What a pool has to hold.
struct Demand {
    /// How messages call the pool.
    what: String,
    prefix: IpNet,
    place: Option<Place>,
    /// Addresses (of IPv6: /64s) before the first block.
    reserved: u64,
    /// Addresses (of IPv6: /64s) of one block.
    block: u64,
    /// Number of blocks.
    count: u64,
    /// What owns a block.
    owner: &'static str,
    /// Whether addresses are counted in IPv6, too.
    single: bool,
}

impl Demand {
    fn of<Net: Into<IpNet>>(key: &str, pool: Pool<Net>, blocks: (u32, u32, u64)) -> Self {
        let (reserved, block, count) = blocks;
        Self {
            what: format!("pool `{key}`"),
            prefix: pool.prefix.into(),
            place: pool.place,
            reserved: reserved.into(),
            block: block.into(),
            count,
            owner: "rack",
            single: false,
        }
    }

    fn by(self, owner: &'static str) -> Self {
        Self { owner, ..self }
    }

    /// Bits of what is counted: addresses, or /64s.
    fn bits(&self) -> u8 {
        match self.prefix {
            IpNet::V4(_) => 32,
            IpNet::V6(_) if self.single => 128,
            IpNet::V6(_) => 64,
        }
    }

    fn unit(&self) -> (&'static str, &'static str) {
        match self.prefix {
            IpNet::V6(_) if !self.single => ("/64", "/64s"),
            _ => ("address", "addresses"),
        }
    }
}

pub(super) fn check(dc: &DataCenter) -> Vec<Problem> {
    let demands = demands(dc);
    let mut problems: Vec<Problem> = demands
        .iter()
        .filter_map(|demand| reach(demand, dc.racks_place))
        .collect();
    problems.extend(overlap::check(dc));
    problems.extend(asns(dc));
    problems
}

fn demands(dc: &DataCenter) -> Vec<Demand> {
    let racks = dc.racks.len() as u64;
    let pools = &dc.pools;
    let mut demands = vec![
        Demand::of("node", pools.node, (0, NODE_BLOCKS * BLOCK, racks)),
        Demand::of("fabric", pools.fabric, (0, fabric_block(dc.spines), racks)),
        Demand::of("bmc", pools.bmc, (BMC_RESERVED, BLOCK, racks)),
    ];
    let (switches, switch) = if dc.pods == 0 {
        let blocks = (1, 1, dc.spines.into());
        demands.push(Demand::of("loopback", pools.loopback, blocks).by("spine"));
        (dc.spines, "spine")
    } else {
        let blocks = (BLOCK + 1, BLOCK, dc.pods.into());
        demands.push(Demand::of("loopback", pools.loopback, blocks).by("pod"));
        let blocks = (0, pod_block(dc.spines, dc.super_spines), dc.pods.into());
        demands.push(Demand::of("pods", pools.pods, blocks).by("pod"));
        (dc.super_spines, "super-spine")
    };
    if dc.core.is_some() {
        demands.push(Demand::of("core", pools.core, (2, 2, switches.into())).by(switch));
    }
    if dc.has_ipv6() {
        let mut demand = Demand::of("ipv6", pools.ipv6, (0, 0, racks));
        (demand.reserved, demand.block) = (ipv6::RESERVED, ipv6::PER_RACK);
        demands.push(demand);
    }
    let bastions = ["bastion", "bastion6"];
    for range in dc.exposed.iter().filter(|it| bastions.contains(&it.name)) {
        let pool = Pool {
            prefix: range.prefix,
            place: Some(range.place),
        };
        let mut demand = Demand::of("", pool, (0, 1, racks));
        demand.what = format!("range `{}`", range.name);
        demand.single = true;
        demands.push(demand);
    }
    demands
}

/// `otherwise` is where a problem with a default pool is shown.
fn reach(demand: &Demand, otherwise: Place) -> Option<Problem> {
    let (bits, (_, units)) = (demand.bits(), demand.unit());
    let size = match bits.checked_sub(demand.prefix.prefix_len()) {
        Some(bits) => 1u128.checked_shl(bits.into()).unwrap_or(u128::MAX),
        None => 0,
    };
    let (reserved, block) = (u128::from(demand.reserved), u128::from(demand.block));
    let needed = reserved + block * u128::from(demand.count);
    if needed <= size {
        return None;
    }
    let Demand {
        what,
        prefix,
        count,
        owner,
        ..
    } = demand;
    let reaches = match size.saturating_sub(reserved) / block {
        0 => format!("is too small for any {owner}"),
        fits => format!("ends at {owner} {fits}"),
    };
    // At least 1 bit, since at least one address was missing.
    let wanted = u8::try_from(needed.next_power_of_two().trailing_zeros()).unwrap_or(u8::MAX);
    let help = match bits.checked_sub(wanted) {
        Some(len) => format!(
            "{}; {} {} a /{len}, such as {}",
            what_it_takes(demand),
            counted(*count, owner),
            if *count == 1 { "needs" } else { "need" },
            widened(*prefix, len)
        ),
        None => format!(
            "{}; no prefix holds {count} {owner}s",
            what_it_takes(demand)
        ),
    };
    let are = if *count == 1 { "is" } else { "are" };
    let message = format!("{what} {prefix} {reaches}, and there {are} {count}");
    let label = match demand.place {
        Some(_) => format!("{size} {units}, {needed} needed"),
        None => format!("the default pool has {size} {units}, {needed} needed"),
    };
    Some(
        Problem::new("pool-exhausted", message)
            .at(demand.place.unwrap_or(otherwise), label)
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
    let (unit, units) = demand.unit();
    let Demand {
        reserved,
        block,
        owner,
        ..
    } = demand;
    let takes = match block {
        1 => format!("a {owner} takes 1 {unit}"),
        _ => format!("a {owner} takes {block} {units}"),
    };
    match reserved {
        0 => takes,
        1 => format!("{takes}, after the first one"),
        _ => format!("{takes}, after the first {reserved}"),
    }
}

fn widened(prefix: IpNet, len: u8) -> IpNet {
    IpNet::new_assert(prefix.addr(), len).trunc()
}

fn asns(dc: &DataCenter) -> Option<Problem> {
    let base = dc.asn.base;
    let racks = dc.racks.len();
    let (down, up) = asn::extent(dc);
    let problem = |message: String, label: String, help: String| {
        Some(
            Problem::new("asn-out-of-range", message)
                .at(dc.asn.place, label)
                .help(help),
        )
    };
    let Some((first, last)) = PRIVATE_ASNS
        .into_iter()
        .find(|(first, last)| (*first..=*last).contains(&base))
    else {
        return problem(
            format!("ASN {base} is not a private one"),
            "not private".into(),
            "private ASNs are 64512 to 65534 and 4200000000 to 4294967294 (RFC 6996)".into(),
        );
    };
    let [short, long] = PRIVATE_ASNS.map(|(first, _)| u64::from(first) + down);
    if u64::from(base - first) < down {
        let lowest = u64::from(base) - down;
        let start = if u64::from(first) + down == short && short + up <= 65534 {
            short
        } else {
            long
        };
        return problem(
            format!(
                "core and spines have ASNs down to {lowest}, and private ones begin at {first}"
            ),
            format!("{down} below this"),
            format!("start at {start}"),
        );
    }
    let fits = asn::racks_within(dc.asn.scheme, (last - base).into());
    if up <= u64::from(last - base) {
        return None;
    }
    let rack = match dc.asn.scheme {
        AsnScheme::PerRack => u64::from(base) + up,
        AsnScheme::PerSwitch => u64::from(base) + up - 2,
    };
    let reaches = asn::racks_within(dc.asn.scheme, 65534_u64.saturating_sub(short));
    problem(
        format!("the private ASNs from {base} end at rack {fits}, and there are {racks}"),
        format!("rack {racks} would have ASN {rack}"),
        format!("start at {short}, which reaches {reaches} racks, or at {long}"),
    )
}
