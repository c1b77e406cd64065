//! What a sabakan of the same IPAM configuration would hand out: addresses that nobody has, or that
//! two have. Warnings, since the file may be there for the menu alone, and sabakan have another.

use crate::neco::allocation::{BMC_RESERVED, BOOT_SEAT, FIRST_SEAT, TOR_SEAT};
use crate::neco::input::{Menu, Rack};
use placemat_spec::Problem;
use placemat_spec::problem::Findings;

/// Looks at all that the menu itself makes nothing of.
pub(super) fn check(menu: &Menu, findings: &Findings) {
    let told = [gateway(menu), racks_meet(menu), spines_meet(menu)];
    for problem in registered(menu)
        .into_iter()
        .chain(told.into_iter().flatten())
    {
        findings.warning(problem);
    }
}

fn servers(rack: &Rack) -> u64 {
    u64::from(rack.cs) + u64::from(rack.ss)
}

/// Racks with more servers than sabakan takes.
fn registered(menu: &Menu) -> Vec<Problem> {
    let Some(most) = menu.network.ipam.max_nodes else {
        return Vec::new();
    };
    let racks = menu.inventory.racks.iter().enumerate();
    let full = racks.filter(|(_, rack)| servers(rack) > u64::from(most.value));
    full.map(|(index, rack)| {
        let servers = servers(rack);
        Problem::new(
            "rack-full",
            format!(
                "rack {index} has {servers} servers, and sabakan takes {}",
                most.value
            ),
        )
        .at(most.place, "most that sabakan registers")
        .at(rack.place, format!("{servers} servers"))
    })
    .collect()
}

/// The gateway that servers are told of is to be the `ToR`.
fn gateway(menu: &Menu) -> Option<Problem> {
    let offset = menu.network.ipam.gateway_offset?;
    if offset.value == TOR_SEAT {
        return None;
    }
    Some(
        Problem::new(
            "gateway",
            "sabakan would tell servers of a gateway that is no ToR",
        )
        .at(
            offset.place,
            format!("the ToR is at offset {TOR_SEAT} of its segment"),
        )
        .help(format!("write `\"node-gateway-offset\": {TOR_SEAT}`")),
    )
}

/// BMCs of a rack go on into the addresses of the next rack.
fn racks_meet(menu: &Menu) -> Option<Problem> {
    let size = menu.network.ipam.bmc_range_size?;
    let range = 1_u64 << size.value;
    // After the last rack there is nobody to meet.
    let (_, before) = menu.inventory.racks.split_last()?;
    let racks = before.iter().enumerate();
    let (index, rack) = racks.max_by_key(|(_, rack)| servers(rack))?;
    let servers = servers(rack);
    if servers < range {
        return None;
    }
    let message = format!(
        "BMCs of rack {index} and rack {} would have the same addresses",
        index + 1
    );
    let bits = (servers + u64::from(FIRST_SEAT))
        .next_power_of_two()
        .trailing_zeros();
    Some(
        Problem::new("overlap", message)
            .at(
                size.place,
                format!("the next rack begins after {range} addresses"),
            )
            .at(
                rack.place,
                format!("{servers} servers and a boot server have BMCs"),
            )
            .help(format!(
                "sabakan computes them so; `\"bmc-ipv4-range-size\": {bits}` holds them"
            )),
    )
}

/// BMCs of the first rack begin among the spines' addresses on the same network.
fn spines_meet(menu: &Menu) -> Option<Problem> {
    let ipam = &menu.network.ipam;
    ipam.bmc_range_size?;
    let spines = menu.inventory.spines;
    let first = u64::from(ipam.bmc_offset.value) + u64::from(BOOT_SEAT);
    let last = u64::from(BMC_RESERVED) + u64::from(spines.value) - 1;
    if first > last {
        return None;
    }
    Some(
        Problem::new("overlap", "BMCs of rack 0 would have addresses of spines")
            .at(
                ipam.bmc_offset.place,
                format!("the first BMC is at offset {first} of `bmc-ipv4-pool`"),
            )
            .at(
                spines.place,
                format!("spines have offsets {BMC_RESERVED} to {last}"),
            )
            .help("`\"bmc-ipv4-offset\": \"0.0.1.0\"` begins after them"),
    )
}
