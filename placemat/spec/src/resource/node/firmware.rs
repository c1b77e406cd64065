//! Reads what a server starts from: firmware, its keys, the boot order, Ignition.

use super::{BootDevice, Firmware, Volume, VolumeKind};
use crate::cluster::FileKind;
use crate::document::{Fields, Item};
use crate::draft::Reading;
use crate::problem::{Problem, suggestion};
use crate::resource::Interface;
use std::path::PathBuf;

/// Takes `firmware: {uefi, http-boot, secure-boot, nvram}`, or placemat v2's `uefi`.
pub(super) fn read(fields: &mut Fields<'_>, reading: &mut Reading<'_>) -> Firmware {
    let short = fields.opt("uefi").and_then(|it| it.boolean());
    let item = fields.opt("firmware");
    if let (Some(uefi), Some(item)) = (fields.key_place("uefi"), &item) {
        fields.findings().error(
            Problem::new(
                "conflict",
                format!("{} has both `firmware` and `uefi`", fields.describe()),
            )
            .at(uefi, "move it into `firmware`")
            .at(item.place(), "`firmware` is here"),
        );
    }
    let Some(mut inner) = item.and_then(|it| it.fields()) else {
        return Firmware {
            uefi: short.is_some_and(|it| it.value),
            // Left to itself, as placemat v2 did, OVMF tries disks before the network.
            http_boot: false,
            secure_boot: None,
            nvram: None,
        };
    };
    let uefi = inner
        .opt("uefi")
        .and_then(|it| it.boolean())
        .is_none_or(|it| it.value);
    let http_boot = inner.opt("http-boot").and_then(|it| it.boolean());
    let secure_boot = inner.opt("secure-boot").and_then(|it| it.boolean());
    let secure_boot = secure_boot.filter(|it| it.value).map(|it| it.place);
    let nvram = inner.opt("nvram").and_then(|it| it.string());
    let needs = [
        (
            "boots over HTTP",
            http_boot.filter(|it| it.value).map(|it| it.place),
        ),
        ("has Secure Boot", secure_boot),
        ("has an `nvram`", nvram.as_ref().map(|it| it.place)),
    ];
    for (what, place) in needs {
        if let Some(place) = place.filter(|_| !uefi) {
            inner.findings().error(
                Problem::new(
                    "conflict",
                    format!("{} {what} without UEFI", fields.describe()),
                )
                .at(place, "only UEFI can do this")
                .help("set `uefi: true`"),
            );
        }
    }
    inner.finish();
    Firmware {
        uefi,
        http_boot: http_boot.map_or(uefi, |it| it.value),
        secure_boot,
        nvram: nvram.map(|path| {
            let what = "the variable store";
            reading.file(FileKind::File, &path, what, None)
        }),
    }
}

/// Takes `ignition`: a file that the guest reads by fw_cfg.
pub(super) fn ignition(fields: &mut Fields<'_>, reading: &mut Reading<'_>) -> Option<PathBuf> {
    let path = fields.opt("ignition")?.string()?;
    Some(reading.file(FileKind::File, &path, "the Ignition configuration", None))
}

/// Takes `boot-order`: `network`, `disk`, names of interfaces and of volumes, first to last.
pub(super) fn boot_order(
    fields: &mut Fields<'_>,
    interfaces: &[Interface],
    volumes: &[Volume],
) -> Vec<BootDevice> {
    let items = fields.opt("boot-order").and_then(|it| it.list());
    let mut order: Vec<BootDevice> = Vec::new();
    for item in items.unwrap_or_default() {
        let Some(device) = boot_device(&item, interfaces, volumes) else {
            continue;
        };
        if order.contains(&device) {
            let problem = item.problem("duplicate-value", "is there already", "named again here");
            item.findings().error(problem);
        }
        order.push(device);
    }
    order
}

fn boot_device(
    item: &Item<'_>,
    interfaces: &[Interface],
    volumes: &[Volume],
) -> Option<BootDevice> {
    let word = item.string()?;
    let named = interfaces.iter().map(|it| it.name.as_str());
    // Seeds and folders hold no system.
    let disks = volumes
        .iter()
        .filter(|it| matches!(it.kind, VolumeKind::Image { .. } | VolumeKind::Raw { .. }));
    let named = named.chain(disks.map(|it| it.name.as_str()));
    match word.as_str() {
        "network" => Some(BootDevice::Network),
        "disk" => Some(BootDevice::Disk),
        name if named.clone().any(|it| it == name) => Some(BootDevice::Named(word.value)),
        name => {
            let words: Vec<&str> = ["network", "disk"].into_iter().chain(named).collect();
            let problem = item.problem(
                "unknown-value",
                &format!("cannot be \"{name}\""),
                "no such interface, image or raw volume",
            );
            item.findings()
                .error(problem.help(suggestion(name, "possible values are", &words)));
            None
        }
    }
}
