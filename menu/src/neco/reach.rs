//! Whether ranges hold what they must and do not meet. A pool that does not reach is named, with how
//! far it goes and what size would do.

mod overlap;
mod pool;

use super::allocation::FIRST_SEAT;
use super::input::{Menu, Rack};
use placemat_spec::problem::Findings;
use placemat_spec::{Place, Problem};

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
    }
    findings.error_count() == before
}

/// Whether the servers of a rack have addresses in its ranges.
fn seats(menu: &Menu, index: usize, findings: &Findings) {
    let ipam = &menu.network.ipam;
    let Rack { cs, ss, place } = menu.inventory.racks[index];
    // The last address of a subnet is for broadcasts.
    let subnet = 1_u64 << (32 - ipam.range_mask.value.min(32));
    let range = (1_u64 << ipam.range_size.value).min(subnet.saturating_sub(1));
    let fit = range.saturating_sub(FIRST_SEAT.into());
    let servers = u64::from(cs) + u64::from(ss);
    let problem = |message: String, at: Place, label: String| {
        Problem::new("rack-full", message)
            .at(at, label)
            .at(place, format!("{servers} servers"))
    };
    if servers > fit {
        let message = format!("rack {index} has {servers} servers, and its ranges hold {fit}");
        let label = format!("ranges of {} addresses", 1_u64 << ipam.range_size.value);
        findings.error(
            problem(message, ipam.range_size.place, label).help(format!(
                "the first {FIRST_SEAT} addresses are for the ToR and the boot server; make ranges larger, or the rack smaller"
            )),
        );
    } else if let Some(most) = ipam
        .max_nodes
        .filter(|most| servers > u64::from(most.value))
    {
        let message = format!(
            "rack {index} has {servers} servers, and sabakan takes {}",
            most.value
        );
        findings.warning(problem(
            message,
            most.place,
            "most that sabakan registers".into(),
        ));
    }
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
