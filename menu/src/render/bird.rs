//! `bird/NAME.conf`: the routing daemons of routers and boot servers.

use super::{File, Templates};
use crate::topology::{AsnScheme, Family, PeerKind, Plan, Role, Segment, Speaker, Timers};
use ipnet::IpNet;
use serde::Serialize;
use std::net::IpAddr;

/// What a BIRD template sees.
#[derive(Serialize)]
pub(super) struct Context<'a, S> {
    /// The machine.
    pub(super) own: &'a S,
    /// What all sessions have in common.
    pub(super) timers: Timers,
    /// Families of routes.
    pub(super) families: Vec<FamilyContext>,
    /// What sessions carry.
    pub(super) transports: Vec<Transport>,
    /// Whether machines of a rack share an ASN with their ToRs.
    pub(super) internal: bool,
    /// What is below a switch: `tor` or `spine`.
    pub(super) below: PeerKind,
}

/// A family of routes, as one machine sees it.
#[derive(Serialize, Clone)]
pub(super) struct FamilyContext {
    /// `ipv4` or `ipv6`.
    name: &'static str,
    /// Length of a host's prefix.
    host: u8,
    /// The same, as the pattern of a prefix set.
    host_set: &'static str,
    /// All of it.
    default: &'static str,
    /// Prefix of the loopbacks of spines and super-spines.
    switches: String,
    /// The machine's own loopback.
    loopback: String,
    /// Everything on `lo`, as prefixes.
    addresses: Vec<String>,
    /// Where the default route leads.
    gateway: Option<IpAddr>,
    /// What the core is told of.
    aggregates: Vec<IpNet>,
    /// A ToR's own address on its segment: next hop of what lies behind it.
    next_hop: Option<IpAddr>,
}

/// What sessions over one family of addresses carry.
#[derive(Serialize)]
pub(super) struct Transport {
    /// The channels' names, joined.
    name: &'static str,
    /// Families of the routes.
    channels: Vec<FamilyContext>,
    /// Whether IPv4 routes have IPv6 next hops (RFC 8950).
    extended: bool,
}

/// What routers have that other machines have not.
#[derive(Default)]
struct Extras<'a> {
    gateways: &'a [IpAddr],
    aggregates: &'a [IpNet],
    segment: Option<&'a Segment>,
}

impl<'a, S> Context<'a, S> {
    pub(super) fn new(plan: &Plan, own: &'a S, speaker: &Speaker) -> Self {
        Self::with(plan, own, speaker, &Extras::default())
    }

    fn with(plan: &Plan, own: &'a S, speaker: &Speaker, extras: &Extras) -> Self {
        let families: Vec<FamilyContext> = [false, true]
            .into_iter()
            .filter_map(|ipv6| family(plan, speaker, extras, ipv6))
            .collect();
        let transport = |name, channels: &[FamilyContext]| Transport {
            name,
            channels: channels.to_vec(),
            extended: plan.family == Family::Ipv6,
        };
        let transports = match (plan.family, families.as_slice()) {
            (Family::Dual, [v4, v6]) => vec![
                transport("ipv4", std::slice::from_ref(v4)),
                transport("ipv6", std::slice::from_ref(v6)),
            ],
            (Family::Ipv6, both) => vec![transport("ipv4_ipv6", both)],
            (_, all) => vec![transport("ipv4", all)],
        };
        Self {
            own,
            timers: plan.timers,
            families,
            transports,
            internal: plan.asn_scheme == AsnScheme::PerRack,
            below: PeerKind::Tor,
        }
    }
}

/// What a machine knows of a family; none where the data center has none of it.
fn family(plan: &Plan, speaker: &Speaker, extras: &Extras, ipv6: bool) -> Option<FamilyContext> {
    let (loopback, switches): (IpAddr, IpNet) = if ipv6 {
        (speaker.loopback6?.into(), plan.spine_loopbacks6?.into())
    } else {
        (speaker.loopback.into(), plan.spine_loopbacks.into())
    };
    let host = if ipv6 { 128 } else { 32 };
    let more = speaker.addresses.iter().copied();
    let addresses = std::iter::once(loopback)
        .chain(more)
        .filter(|address| address.is_ipv6() == ipv6)
        .map(|address| format!("{address}/{host}"));
    let aggregates = extras.aggregates.iter();
    let aggregates = aggregates.filter(|net| net.addr().is_ipv6() == ipv6);
    let mut gateways = extras.gateways.iter().copied();
    // Over IPv6 alone, IPv4 routes have IPv6 next hops too.
    let by_ipv6 = ipv6 || plan.family == Family::Ipv6;
    let next_hop = extras.segment.and_then(|segment| match segment.prefix6 {
        Some(prefix) if by_ipv6 => prefix.hosts().nth(1).map(IpAddr::from),
        _ => Some(segment.gateway.into()),
    });
    Some(FamilyContext {
        name: if ipv6 { "ipv6" } else { "ipv4" },
        host,
        host_set: if ipv6 { "{128,128}" } else { "{32,32}" },
        default: if ipv6 { "::/0" } else { "0.0.0.0/0" },
        switches: switches.to_string(),
        loopback: loopback.to_string(),
        addresses: addresses.collect(),
        gateway: gateways.find(|gateway| gateway.is_ipv6() == ipv6),
        aggregates: aggregates.copied().collect(),
        next_hop,
    })
}

pub(super) fn render(plan: &Plan, templates: &Templates) -> Result<Vec<File>, minijinja::Error> {
    let path = |speaker: &Speaker| format!("bird/{}.conf", speaker.name);
    let routers = plan.routers.iter().map(|router| {
        let (template, below) = match router.role {
            Role::SuperSpine => ("switch.conf", PeerKind::Spine),
            Role::Spine => ("switch.conf", PeerKind::Tor),
            Role::Tor => ("tor.conf", PeerKind::Server),
            Role::Core => ("core.conf", PeerKind::Switch),
            Role::External | Role::Operation => ("edge.conf", PeerKind::Core),
        };
        let extras = Extras {
            gateways: &router.gateways,
            aggregates: &router.aggregates,
            segment: router.segment.as_ref(),
        };
        let mut context = Context::with(plan, router, &router.speaker, &extras);
        context.below = below;
        templates.file(path(&router.speaker), template, context)
    });
    let boot_servers = plan.boot_servers.iter().map(|boot| {
        let context = Context::new(plan, boot, &boot.speaker);
        templates.file(path(&boot.speaker), "boot.conf", context)
    });
    routers.chain(boot_servers).collect()
}
