//! Whether ranges hold what they must and do not meet. A pool that does not reach is named, with how
//! far it goes and what size would do.

mod overlap;
mod pool;
mod sabakan;

use super::allocation::FIRST_SEAT;
use super::input::{Menu, Rack};
use placemat_spec::Problem;
use placemat_spec::problem::Findings;

/// Private ASNs (RFC 6996), of two and of four bytes.
const PRIVATE_ASNS: [(u32, u32); 2] = [(64_512, 65_534), (4_200_000_000, 4_294_967_294)];

/// Whether there is nothing that arithmetic would stumble over.
pub(super) fn check(menu: &Menu, findings: &Findings) -> bool {
    let before = findings.error_count();
    for problem in pool::all(menu) {
        findings.error(problem);
    }
    for rack in 0..menu.inventory.racks.len() {
        seats(menu, rack, findings);
    }
    asns(menu, findings);
    if findings.error_count() == before {
        overlap::check(menu, findings);
        sabakan::check(menu, findings);
    }
    findings.error_count() == before
}

/// Whether the servers of a rack have addresses in its ranges.
fn seats(menu: &Menu, index: usize, findings: &Findings) {
    let ipam = &menu.network.ipam;
    let Rack { cs, ss, place } = menu.inventory.racks[index];
    let (size, mask) = (ipam.range_size, ipam.range_mask);
    // The last address of a subnet is for broadcasts.
    let subnet = 1_u64 << (32 - mask.value.min(32));
    let range = 1_u64 << size.value;
    let fit = range
        .min(subnet.saturating_sub(1))
        .saturating_sub(FIRST_SEAT.into());
    let servers = u64::from(cs) + u64::from(ss);
    if servers <= fit {
        return;
    }
    let (at, label) = if subnet < range {
        let label = format!(
            "a /{} is {subnet} of the {range} addresses of a range",
            mask.value
        );
        (mask.place, label)
    } else {
        (size.place, format!("ranges of {range} addresses"))
    };
    let bits = (servers + u64::from(FIRST_SEAT) + 1)
        .next_power_of_two()
        .trailing_zeros();
    let would = if bits <= size.value {
        format!(
            "`\"node-ipv4-range-mask\": {}` takes all of a range",
            32 - size.value
        )
    } else {
        let mask = 32 - bits;
        format!(
            "`\"node-ipv4-range-size\": {bits}` with `\"node-ipv4-range-mask\": {mask}` holds them"
        )
    };
    findings.error(
        Problem::new(
            "rack-full",
            format!("rack {index} has {servers} servers, and its ranges hold {fit}"),
        )
        .at(at, label)
        .at(place, format!("{servers} servers"))
        .help(format!(
            "the first {FIRST_SEAT} addresses are for the ToR and the boot server; {would}"
        )),
    );
}

fn asns(menu: &Menu, findings: &Findings) {
    let base = menu.network.asn_base;
    let racks = menu.inventory.racks.len() as u64;
    let (first, last) = (base.value - 3, u64::from(base.value) + racks - 1);
    let label = format!("{first} to {last} are needed: the core's first, the last rack's last");
    if last >= u64::from(u32::MAX) {
        findings.error(
            Problem::new(
                "asn-out-of-range",
                format!("rack {} would have ASN {last}", racks - 1),
            )
            .at(base.place, label)
            .help("an ASN is less than 4294967295"),
        );
        return;
    }
    let private = PRIVATE_ASNS.iter().any(|(low, high)| {
        (u64::from(*low)..=u64::from(*high)).contains(&u64::from(first)) && last <= u64::from(*high)
    });
    if !private {
        findings.warning(
            Problem::new("asn-not-private", "not all ASNs are private ones")
                .at(base.place, label)
                .help("private ASNs are 64512 to 65534 and 4200000000 to 4294967294 (RFC 6996)"),
        );
    }
}
