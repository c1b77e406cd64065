//! Reads `volumes:` of a node.

use super::{CacheMode, RawFormat, ShareProtocol, Volume, VolumeKind};
use crate::Place;
use crate::check::names;
use crate::cluster::FileKind;
use crate::document::{At, Fields, Item};
use crate::draft::{Reading, Want};
use crate::problem::{Problem, suggestion};
use std::collections::HashMap;
use std::path::Path;

type Read = fn(&mut Fields<'_>, &mut Reading<'_>) -> Option<VolumeKind>;

/// Every kind of volume, and whether it is a file of the host that `cache` and `device-class` are
/// about.
const KINDS: [(&str, Read, bool); 5] = [
    ("image", image, true),
    ("localds", seed, true),
    ("raw", raw, true),
    ("hostPath", host_path, false),
    ("vvfat", folder, false),
];

pub(super) const CACHES: [(&str, CacheMode); 5] = [
    ("none", CacheMode::None),
    ("writeback", CacheMode::Writeback),
    ("writethrough", CacheMode::Writethrough),
    ("directsync", CacheMode::Directsync),
    ("unsafe", CacheMode::Unsafe),
];

pub(super) const FORMATS: [(&str, RawFormat); 2] =
    [("qcow2", RawFormat::Qcow2), ("raw", RawFormat::Raw)];

pub(super) const PROTOCOLS: [(&str, ShareProtocol); 2] = [
    ("9p", ShareProtocol::NineP),
    ("virtiofs", ShareProtocol::Virtiofs),
];

/// Longest mount tag of 9p, in bytes (QEMU's `MAX_TAG_LEN` less the final zero).
const LONGEST_TAG: usize = 31;
/// Bytes: what 32 MiB of qcow2's L1 table cover.
const LARGEST_DISK: u64 = 2048 << 40;

/// Takes `volumes`.
pub(in super::super) fn read(fields: &mut Fields<'_>, reading: &mut Reading<'_>) -> Vec<Volume> {
    let items = fields
        .opt("volumes")
        .and_then(|it| it.list())
        .unwrap_or_default();
    let mut seen: HashMap<String, Place> = HashMap::new();
    let mut volumes = Vec::new();
    for item in &items {
        let Some(volume) = one(item, reading) else {
            continue;
        };
        if let Some(first) = seen.insert(volume.name.clone(), volume.place) {
            fields.findings().error(
                Problem::new(
                    "duplicate-name",
                    format!("{} has two volumes named `{}`", reading.owner, volume.name),
                )
                .at(volume.place, "named again here")
                .at(first, "first named here"),
            );
        }
        volumes.push(volume);
    }
    volumes
}

fn one(item: &Item<'_>, reading: &mut Reading<'_>) -> Option<Volume> {
    let mut fields = item.fields()?;
    let kind = fields.req("kind").and_then(|it| it.string());
    let name = fields.req("name").and_then(|it| it.string());
    let kind = kind?;
    let Some((_, read, on_file)) = KINDS.iter().find(|(word, ..)| *word == kind.as_str()) else {
        fields.findings().error(no_such_kind(&kind));
        return None;
    };
    let read = read(&mut fields, reading);
    let cache = fields.opt("cache").and_then(|it| it.choice(&CACHES));
    let class = fields.opt("device-class").and_then(|it| it.string());
    if let Some(class) = &class {
        let ledger = &mut reading.draft.ledger;
        ledger.refer(Want::DeviceClass, class, &reading.owner);
    }
    if !on_file {
        for key in ["cache", "device-class"] {
            ignored(&fields, key, "the volume has no file of its own");
        }
    }
    fields.finish();
    let name = name?;
    names::part(&name, "a volume", item.findings());
    if kind.as_str() == "hostPath" && name.len() > LONGEST_TAG {
        item.findings().error(
            Problem::new(
                "bad-name",
                format!("\"{}\" is too long for a mount tag", name.value),
            )
            .at(name.place, format!("{} bytes", name.len()))
            .help(format!(
                "guests mount a shared folder by its volume's name, which has at most {LONGEST_TAG} bytes"
            )),
        );
    }
    Some(Volume {
        name: name.value,
        kind: read?,
        cache: cache.map(|it| it.value).unwrap_or_default(),
        device_class: class.filter(|_| *on_file).map(|class| class.value),
        place: name.place,
    })
}

fn no_such_kind(kind: &At<String>) -> Problem {
    if kind.as_str() == "lv" {
        return Problem::new(
            "unsupported",
            "volumes of kind `lv` (LVM, placemat v1) are not supported",
        )
        .at(kind.place, "write `raw` and keep `size`")
        .help("`device-class` puts a volume on a disk of your choice; there is no `vg`");
    }
    let words: Vec<&str> = KINDS.iter().map(|(word, ..)| *word).collect();
    Problem::new(
        "unknown-value",
        format!("there is no volume of kind `{}`", kind.value),
    )
    .at(kind.place, "unknown value")
    .help(suggestion(kind, "possible values are", &words))
}

/// Warns of a key that placemat v2 accepts, and that does nothing there either.
fn ignored(fields: &Fields<'_>, key: &str, why: &str) {
    if let Some(place) = fields.key_place(key) {
        fields.findings().warning(
            Problem::new(
                "ignored",
                format!("`{key}` of {} does nothing", fields.describe()),
            )
            .at(place, "ignored, as in placemat v2")
            .help(format!("remove it: {why}")),
        );
    }
}

fn image(fields: &mut Fields<'_>, reading: &mut Reading<'_>) -> Option<VolumeKind> {
    let image = fields.req("image").and_then(|it| it.string());
    let copy_on_write = fields.opt("copy-on-write").and_then(|it| it.boolean());
    for key in ["vg", "size"] {
        if fields.opt(key).is_some() {
            ignored(fields, key, "a disk is as large as its image");
        }
    }
    let image = image?;
    reading
        .draft
        .ledger
        .refer(Want::Image, &image, &reading.owner);
    Some(VolumeKind::Image {
        image: image.value,
        copy_on_write: copy_on_write.is_some_and(|it| it.value),
    })
}

fn seed(fields: &mut Fields<'_>, reading: &mut Reading<'_>) -> Option<VolumeKind> {
    let user_data = fields.req("user-data").and_then(|it| it.string());
    let network = fields.opt("network-config").and_then(|it| it.string());
    let mut file = |path: &At<String>, what: &str| reading.file(FileKind::File, path, what, None);
    let network_config = network.map(|path| file(&path, "the network-config"));
    Some(VolumeKind::Seed {
        user_data: file(&user_data?, "the user-data"),
        network_config,
    })
}

fn raw(fields: &mut Fields<'_>, _: &mut Reading<'_>) -> Option<VolumeKind> {
    let format = fields.opt("format").and_then(|it| it.choice(&FORMATS));
    let item = fields.req("size")?;
    let size = item.size()?;
    if size.value == 0 || !size.value.is_multiple_of(512) {
        fields.findings().error(item.problem(
            "out-of-range",
            "must be a whole number of sectors of 512 bytes",
            "expected a size such as `1G`",
        ));
    }
    if size.value > LARGEST_DISK {
        fields.findings().error(item.problem(
            "out-of-range",
            "is more than QEMU takes",
            "expected at most `2048T`",
        ));
    }
    Some(VolumeKind::Raw {
        size: size.value,
        format: format.map(|it| it.value).unwrap_or_default(),
    })
}

fn host_path(fields: &mut Fields<'_>, reading: &mut Reading<'_>) -> Option<VolumeKind> {
    let path = fields.req("path").and_then(|it| it.string());
    let writable = fields.opt("writable").and_then(|it| it.boolean());
    let protocol = fields.opt("protocol").and_then(|it| it.choice(&PROTOCOLS));
    let path = path?;
    if !Path::new(&path.value).is_absolute() {
        fields.findings().error(
            Problem::new(
                "relative-path",
                format!("`path` of {} is not absolute", fields.describe()),
            )
            .at(path.place, "must begin with `/`"),
        );
    }
    let virtiofs = protocol.filter(|it| it.value == ShareProtocol::Virtiofs);
    if let Some(virtiofs) = virtiofs
        && !writable.is_some_and(|it| it.value)
    {
        fields.findings().error(
            Problem::new(
                "conflict",
                format!("{} is shared read-only by virtiofs", fields.describe()),
            )
            .at(virtiofs.place, "virtiofsd lets guests write")
            .help("set `writable: true`, or use `9p`"),
        );
    }
    if let Some(virtiofs) = virtiofs
        && path.value.contains(',')
    {
        fields.findings().error(
            Problem::new(
                "conflict",
                format!("`path` of {} has a comma", fields.describe()),
            )
            .at(path.place, "virtiofsd would end it there")
            .at(virtiofs.place, "shared by virtiofs")
            .help("use `9p`, or a folder without a comma in its name"),
        );
    }
    Some(VolumeKind::HostPath {
        path: reading.file(FileKind::FolderToMake, &path, "the shared folder", None),
        writable: writable.is_some_and(|it| it.value),
        protocol: protocol.map(|it| it.value).unwrap_or_default(),
    })
}

fn folder(fields: &mut Fields<'_>, reading: &mut Reading<'_>) -> Option<VolumeKind> {
    let folder = fields.req("folder").and_then(|it| it.string())?;
    reading
        .draft
        .ledger
        .refer(Want::DataFolder, &folder, &reading.owner);
    Some(VolumeKind::Folder {
        folder: folder.value,
    })
}
