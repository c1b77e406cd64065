//! Firmware descriptors: QEMU's `docs/interop/firmware.json`, one file each.

use super::{FirmwareFile, Flavor, Ovmf};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Where they are, most important first: a file in a later folder is hidden by one of the same name
/// in an earlier one, which may be empty.
const FOLDERS: [&str; 2] = ["etc/qemu/firmware", "usr/share/qemu/firmware"];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Descriptor {
    interface_types: Vec<String>,
    mapping: Mapping,
    targets: Vec<Target>,
    features: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Mapping {
    device: String,
    mode: Option<String>,
    executable: Option<Described>,
    nvram_template: Option<Described>,
}

#[derive(Debug, Deserialize)]
struct Described {
    filename: String,
    format: String,
}

#[derive(Debug, Deserialize)]
struct Target {
    architecture: String,
    machines: Vec<String>,
}

/// Every pair that is described and fits, the best first: descriptors are numbered by rank.
pub(super) fn all(root: &Path, flavor: Flavor) -> Vec<Ovmf> {
    let mut by_name: BTreeMap<_, PathBuf> = BTreeMap::new();
    for folder in FOLDERS {
        let entries = fs::read_dir(root.join(folder));
        for entry in entries.into_iter().flatten().flatten() {
            let path = entry.path();
            if path.extension().is_some_and(|it| it == "json") {
                by_name.entry(entry.file_name()).or_insert(path);
            }
        }
    }
    let described = by_name.values().filter_map(|path| {
        let text = fs::read_to_string(path).ok().filter(|it| !it.is_empty())?;
        match serde_json::from_str::<Descriptor>(&text) {
            Ok(descriptor) => pair(root, &descriptor, flavor),
            Err(error) => {
                // It may describe a kind of firmware that came later than this program.
                tracing::debug!(path = %path.display(), %error, "firmware descriptor left out");
                None
            }
        }
    });
    described.collect()
}

fn pair(root: &Path, descriptor: &Descriptor, flavor: Flavor) -> Option<Ovmf> {
    let has = |feature: &str| descriptor.features.iter().any(|it| it == feature);
    let mapping = &descriptor.mapping;
    let fits = descriptor.interface_types.iter().any(|it| it == "uefi")
        && mapping.device == "flash"
        && mapping.mode.as_deref().unwrap_or("split") == "split"
        && descriptor.targets.iter().any(|target| {
            target.architecture == "x86_64"
                && target.machines.iter().any(|it| it.starts_with("pc-q35"))
        });
    let right = match flavor {
        Flavor::Plain => !has("requires-smm") && !has("enrolled-keys"),
        Flavor::SecureBoot => has("secure-boot") && has("enrolled-keys") && has("requires-smm"),
    };
    if !fits || !right {
        return None;
    }
    Some(Ovmf {
        code: file(root, mapping.executable.as_ref()?)?,
        vars: file(root, mapping.nvram_template.as_ref()?)?,
    })
}

fn file(root: &Path, described: &Described) -> Option<FirmwareFile> {
    let format = ["raw", "qcow2"]
        .into_iter()
        .find(|format| *format == described.format)?;
    Some(FirmwareFile {
        path: root.join(described.filename.trim_start_matches('/')),
        format,
    })
}
