//! Reads `dhcp:` of a boot server.

use super::{Dhcp, DhcpHost, DhcpRange};
use crate::document::{At, Fields, Item};
use crate::draft::{HostUse, RangeUse, Reading};
use crate::value::{Mac, parse_subnet};
use std::net::Ipv4Addr;
use std::str::FromStr;
use std::time::Duration;

/// Lease time, unless the file says otherwise.
const LEASE: Duration = Duration::from_secs(3600);

/// Takes `dhcp`.
pub(super) fn read(fields: &mut Fields<'_>, reading: &mut Reading<'_>) -> Dhcp {
    let Some(mut fields) = fields.opt("dhcp").and_then(|it| it.fields()) else {
        return Dhcp::default();
    };
    let ranges = fields
        .opt("ranges")
        .and_then(|it| it.list())
        .unwrap_or_default();
    let hosts = fields
        .opt("hosts")
        .and_then(|it| it.list())
        .unwrap_or_default();
    fields.finish();
    Dhcp {
        ranges: ranges
            .iter()
            .filter_map(|item| range(item, reading))
            .collect(),
        hosts: hosts
            .iter()
            .filter_map(|item| host(item, reading))
            .collect(),
    }
}

fn range(item: &Item<'_>, reading: &mut Reading<'_>) -> Option<DhcpRange> {
    let mut fields = item.fields()?;
    let subnet = fields.req("subnet").and_then(|it| {
        it.parse(
            "bad-subnet",
            "an IPv4 subnet such as `10.69.0.64/26`",
            parse_subnet,
        )
    });
    let start = fields.req("start").and_then(|it| ipv4(&it));
    let end = fields.req("end").and_then(|it| ipv4(&it));
    let router = fields.opt("router").and_then(|it| ipv4(&it));
    let lease = fields.opt("lease").and_then(|it| it.duration());
    fields.finish();
    let subnet = subnet?;
    let server = reading.owner.clone();
    reading.draft.ledger.ranges.push(RangeUse {
        server,
        subnet,
        start,
        end,
        router,
    });
    Some(DhcpRange {
        subnet: subnet.value,
        start: start?.value,
        end: end?.value,
        router: router.map(|it| it.value),
        lease: lease.map_or(LEASE, |it| it.value),
        place: item.place(),
    })
}

fn host(item: &Item<'_>, reading: &mut Reading<'_>) -> Option<DhcpHost> {
    let mut fields = item.fields()?;
    let mac = fields.req("mac").and_then(|it| {
        it.parse(
            "bad-mac",
            "a MAC address such as `52:54:00:aa:bb:01`",
            Mac::from_str,
        )
    });
    let address = fields.req("address").and_then(|it| ipv4(&it));
    fields.finish();
    let (mac, address) = (mac?, address?);
    let server = reading.owner.clone();
    reading.draft.ledger.hosts.push(HostUse {
        server,
        mac,
        address,
    });
    Some(DhcpHost {
        mac: mac.value,
        address: address.value,
        place: address.place,
    })
}

fn ipv4(item: &Item<'_>) -> Option<At<Ipv4Addr>> {
    item.parse(
        "bad-address",
        "an IPv4 address such as `10.69.0.68`",
        |text| text.parse::<Ipv4Addr>().map_err(|_| "not an IPv4 address"),
    )
}
