//! Keys of networks, images, data folders, device classes and power.

use super::super::How;
use super::node::network_type;
use super::{Facts, flag, nets, said, word, words};
use placemat_spec::Cluster;
use placemat_spec::resource::{
    DataFolder, DeviceClass, FileSource, FolderContent, FolderFile, Image, ImageSource, Network,
    Power,
};
use placemat_spec::value::format_duration;

pub(super) fn network(network: &Network) -> Facts {
    let Network {
        name: _,
        kind,
        addresses,
        mtu,
        use_nat,
        use_nat_place: _,
        impair,
        labels,
        place: _,
    } = network;
    let mut facts = Facts::default();
    facts.add("type", network_type(*kind), How::Refused);
    facts.add("addresses", nets(addresses), How::Address);
    facts.add("mtu", said("", *mtu).trim(), How::InPlace);
    facts.add("use-nat", flag("yes", *use_nat), How::Refused);
    let impair = impair.as_ref().map(|it| it.effects.to_string());
    facts.add("impair", impair.unwrap_or_default(), How::InPlace);
    facts.labels(labels);
    facts
}

pub(super) fn image(image: &Image) -> Facts {
    let mut facts = Facts::default();
    facts.add("source", of_image(image), How::InPlace);
    facts.labels(&image.labels);
    facts
}

fn of_image(image: &Image) -> String {
    let Image {
        name: _,
        source,
        compression,
        sha256,
        labels: _,
        place: _,
    } = image;
    let from = match source {
        ImageSource::File(path) | ImageSource::Bundle(path) => path.display().to_string(),
        ImageSource::Url(url) => url.to_string(),
    };
    let all = [
        from,
        compression
            .map(placemat_spec::resource::Compression::word)
            .unwrap_or_default()
            .to_owned(),
        said("sha256", *sha256),
    ];
    words(all.iter().filter(|text| !text.is_empty()))
}

/// An image as a part of what uses it: what becomes of the one becomes of the other.
pub(super) fn named_image(name: &str, cluster: &Cluster) -> String {
    let image = cluster.images.get(name).map(of_image);
    format!("{name} ({})", image.unwrap_or_default())
}

pub(super) fn data_folder(folder: &DataFolder) -> Facts {
    let mut facts = Facts::default();
    facts.add("content", of_folder(folder), How::InPlace);
    facts.labels(&folder.labels);
    facts
}

fn of_folder(folder: &DataFolder) -> String {
    let DataFolder {
        name: _,
        content,
        labels: _,
        place: _,
    } = folder;
    match content {
        FolderContent::Dir(path) => path.display().to_string(),
        FolderContent::Files(files) => words(files.iter().map(|file| {
            let FolderFile {
                name,
                source,
                sha256,
                place: _,
            } = file;
            let from = match source {
                FileSource::File(path) => path.display().to_string(),
                FileSource::Url(url) => url.to_string(),
            };
            format!("{name}={from}{}", said(" sha256", *sha256))
        })),
    }
}

/// A data folder as a part of what uses it.
pub(super) fn named_folder(name: &str, cluster: &Cluster) -> String {
    let folder = cluster.data_folders.get(name).map(of_folder);
    format!("{name} ({})", folder.unwrap_or_default())
}

pub(super) fn device_class(class: &DeviceClass) -> Facts {
    let DeviceClass {
        name: _,
        path,
        labels,
        place: _,
    } = class;
    let mut facts = Facts::default();
    facts.add("path", path.display(), How::InPlace);
    facts.labels(labels);
    facts
}

pub(super) fn power(power: &Power) -> Facts {
    let Power {
        name: _,
        kind,
        loads,
        delay,
        gap,
        labels,
        place: _,
    } = power;
    let mut facts = Facts::default();
    facts.add("type", word(kind), How::InPlace);
    facts.add("loads", words(loads.iter()), How::InPlace);
    let back = format!(
        "delay {} gap {}",
        format_duration(*delay),
        format_duration(*gap)
    );
    facts.add("return", back, How::InPlace);
    facts.labels(labels);
    facts
}
