//! Prints a [`Volume`].

use super::read::{CACHES, FORMATS, PROTOCOLS};
use super::{CacheMode, Volume, VolumeKind};
use crate::print::{Map, word};
use crate::value::format_size;

pub(in super::super) fn print(volume: &Volume) -> Map {
    let Volume {
        name,
        kind,
        cache,
        device_class,
        place: _,
    } = volume;
    let named = |kind| Map::new().text("kind", kind).text("name", name);
    let (map, on_file) = match kind {
        VolumeKind::Image {
            image,
            copy_on_write,
        } => {
            let map = named("image").text("image", image);
            (map.with("copy-on-write", *copy_on_write), true)
        }
        VolumeKind::Seed {
            user_data,
            network_config,
        } => {
            let map = named("localds").text("user-data", user_data.display());
            let network_config = network_config.as_deref();
            (map.maybe_path("network-config", network_config), true)
        }
        VolumeKind::Raw { size, format } => {
            let map = named("raw").text("size", format_size(*size));
            (map.text("format", word(&FORMATS, format)), true)
        }
        VolumeKind::HostPath {
            path,
            writable,
            protocol,
        } => {
            let map = named("hostPath").text("path", path.display());
            let map = map.with("writable", *writable);
            (map.text("protocol", word(&PROTOCOLS, protocol)), false)
        }
        VolumeKind::Folder { folder } => (named("vvfat").text("folder", folder), false),
    };
    // Where it means nothing, it is told only where the file says it, too.
    let cache = (on_file || *cache != CacheMode::default()).then(|| word(&CACHES, cache));
    map.maybe_text("cache", cache)
        .maybe_text("device-class", device_class.as_ref())
}
