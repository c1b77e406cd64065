//! Reads `kind: Node`.

use super::{Accel, Node, PowerRestore, Tier, devices, firmware, hardware, processor, volume};
use crate::document::Fields;
use crate::draft::{Reading, Want};
use crate::problem::Problem;
use crate::resource::{interface, labels};

pub(super) const TIERS: [(&str, Tier); 4] = [
    ("full", Tier::Full),
    ("kernel", Tier::Kernel),
    ("netns", Tier::Netns),
    ("mock", Tier::Mock),
];

pub(super) const RESTORES: [(&str, PowerRestore); 3] = [
    ("always-on", PowerRestore::AlwaysOn),
    ("previous", PowerRestore::Previous),
    ("always-off", PowerRestore::AlwaysOff),
];

pub(super) const ACCELS: [(&str, Accel); 3] = [
    ("auto", Accel::Auto),
    ("kvm", Accel::Kvm),
    ("tcg", Accel::Tcg),
];

pub(crate) fn read(fields: &mut Fields<'_>, reading: &mut Reading<'_>) {
    let tier = fields
        .opt("tier")
        .and_then(|it| it.choice(&TIERS))
        .map(|it| it.value)
        .unwrap_or_default();
    let image = image(tier, fields, reading);
    let depends_on = fields
        .opt("depends-on")
        .and_then(|it| it.strings())
        .unwrap_or_default();
    for name in &depends_on {
        reading
            .draft
            .ledger
            .refer(Want::Dependency, name, &reading.owner);
    }
    let (cpu, memory) = processor::read(fields);
    let interfaces = interface::read(fields, reading);
    let volumes = volume::read(fields, reading);
    let boot_order = firmware::boot_order(fields, &interfaces, &volumes);
    let node = Node {
        name: reading.name.value.clone(),
        tier,
        interfaces,
        loopback: interface::loopback(fields, reading),
        cpu,
        memory,
        firmware: firmware::read(fields, reading),
        ignition: firmware::ignition(fields, reading),
        boot_order,
        smbios: hardware::smbios(fields, reading),
        volumes,
        devices: devices::read(fields),
        bmc: hardware::bmc(fields, reading),
        image,
        accel: fields
            .opt("accel")
            .and_then(|it| it.choice(&ACCELS))
            .map(|it| it.value)
            .unwrap_or_default(),
        depends_on: depends_on.into_iter().map(|name| name.value).collect(),
        autostart: fields
            .opt("autostart")
            .and_then(|it| it.boolean())
            .is_none_or(|it| it.value),
        power_restore: fields
            .opt("power-restore")
            .and_then(|it| it.choice(&RESTORES))
            .map(|it| it.value)
            .unwrap_or_default(),
        labels: labels::read(fields),
        place: reading.place(),
    };
    if node.tier != Tier::Netns {
        let addressed = node.interfaces.iter().filter(|it| !it.addresses.is_empty());
        for interface in addressed {
            fields.findings().warning(
                Problem::new(
                    "unused-address",
                    format!("{} does not get the addresses of an interface", fields.describe()),
                )
                .at(interface.place, "given to nobody")
                .help("only interfaces of tier `netns` are configured by the lab; other servers ask DHCP or configure themselves"),
            );
        }
    }
    if tier == Tier::Mock {
        refuse_impair(fields, &node);
    }
    devices::warn_of_idle_keys(fields, tier);
    reading
        .draft
        .cluster
        .nodes
        .entry(node.name.clone())
        .or_insert(node);
}

/// A mock has no links, so nothing can befall what it sends.
fn refuse_impair(fields: &Fields<'_>, node: &Node) {
    let asked = node.interfaces.iter().filter_map(|it| it.impair.as_ref());
    for (_, place) in asked.filter_map(|impair| impair.asked.first()) {
        fields.findings().error(
            Problem::new(
                "conflict",
                format!(
                    "{} impairs an interface that sends nothing",
                    fields.describe()
                ),
            )
            .at(*place, "a server of tier `mock` has no links")
            .help("remove `impair`, or give the server another tier"),
        );
    }
}

/// Takes `image`, which the tiers that run without firmware cannot do without.
fn image(tier: Tier, fields: &mut Fields<'_>, reading: &mut Reading<'_>) -> Option<String> {
    let image = fields.opt("image").and_then(|it| it.string());
    let why = match tier {
        Tier::Netns => "a node of tier `netns` runs the `rootfs/` of a bundle",
        Tier::Kernel => "a node of tier `kernel` boots the `vmlinuz` of a bundle",
        Tier::Full | Tier::Mock => "",
    };
    let needed = !why.is_empty();
    if let Some(image) = &image {
        let want = if needed {
            Want::Bundle(why)
        } else {
            Want::Image
        };
        reading.draft.ledger.refer(want, image, &reading.owner);
    } else if needed && fields.lacks("image") {
        let problem = Problem::new(
            "missing-key",
            format!("{} has no `image`", fields.describe()),
        )
        .at(
            fields.key_place("tier").unwrap_or(fields.place()),
            "needs an `image`",
        )
        .help(why);
        fields.missing(&["image"], problem);
    }
    image.map(|image| image.value)
}
