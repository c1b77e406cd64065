//! What a resource says, key by key, in words that can be compared, each with what it takes to change it. Resources are
//! taken apart by name, so that a new field does not compile until it has its row here.

mod boot_server;
mod node;
mod other;
mod router;

use super::How;
use crate::blueprint::Blueprint;
use crate::plan::derived_mac;
use ipnet::IpNet;
use placemat_spec::resource::{Bird, Interface, Labels};
use placemat_spec::{Cluster, Place};
use sha1::{Digest, Sha1};
use std::fmt::Display;
use std::path::Path;

/// One key of a resource. Its value is made of parts, since a part may take less than the whole.
#[derive(Debug, Clone)]
pub(super) struct Fact {
    pub(super) key: String,
    /// What it takes that all of it comes or goes.
    pub(super) whole: How,
    pub(super) parts: Vec<(String, How)>,
    /// Shown as `***`.
    secret: bool,
}

/// What a resource says.
#[derive(Debug, Default)]
pub(super) struct Facts {
    pub(super) list: Vec<Fact>,
}

/// A resource of a cluster.
pub(super) struct Object {
    /// `router/r1`.
    pub(super) name: String,
    pub(super) facts: Vec<Fact>,
    pub(super) place: Place,
}

impl Fact {
    /// The value in words.
    pub(super) fn value(&self) -> String {
        if self.secret {
            return "***".into();
        }
        let parts = self.parts.iter().map(|(text, _)| text.as_str());
        let parts: Vec<&str> = parts.filter(|text| !text.is_empty()).collect();
        parts.join(" ")
    }

    /// What it takes to make this of `old`; `None` where they are the same.
    pub(super) fn how_from(&self, old: &Self) -> Option<How> {
        let parts = self.parts.iter().zip(&old.parts);
        let differing = parts.filter(|(new, old)| new.0 != old.0);
        let most = differing.map(|(new, old)| new.1.max(old.1)).max();
        if self.parts.len() == old.parts.len() {
            most
        } else {
            Some(self.whole.max(old.whole))
        }
    }
}

impl Facts {
    /// A key with a value in one part; an empty value is none.
    fn add(&mut self, key: impl Into<String>, value: impl Display, how: How) {
        self.parts(key, how, [(value.to_string(), how)]);
    }

    /// A key with a value in several parts.
    fn parts<const N: usize>(
        &mut self,
        key: impl Into<String>,
        whole: How,
        parts: [(String, How); N],
    ) {
        if parts.iter().any(|(text, _)| !text.is_empty()) {
            self.list.push(Fact {
                key: key.into(),
                whole,
                parts: parts.into(),
                secret: false,
            });
        }
    }

    /// A key whose value is shown to nobody.
    fn secret(&mut self, key: &str, value: &str, how: How) {
        self.add(key, value, how);
        if let Some(last) = self.list.last_mut() {
            last.secret = true;
        }
    }

    fn labels(&mut self, labels: &Labels) {
        for (key, value) in labels {
            self.add(format!("labels.{key}"), value, How::InPlace);
        }
    }

    /// Interfaces of `owner`. `made` is what it takes to make one anew, `address` what it takes to give it another address.
    fn interfaces(&mut self, owner: &str, interfaces: &[Interface], made: How, address: How) {
        for (index, interface) in interfaces.iter().enumerate() {
            let Interface {
                name,
                network,
                addresses,
                mac,
                impair,
                place: _,
            } = interface;
            let mac = mac.unwrap_or_else(|| derived_mac(owner, index));
            let impair = impair.as_ref().map(|it| format!("({})", it.effects));
            self.parts(
                format!("interfaces.{name}"),
                made,
                [
                    (format!("on {network}"), made),
                    (mac.to_string(), made),
                    (nets(addresses), address),
                    (impair.unwrap_or_default(), How::InPlace),
                ],
            );
        }
    }

    fn bird(&mut self, bird: Option<&Bird>, of: &Blueprint) {
        let Some(bird) = bird else { return };
        // By its contents: where the file lies makes no difference.
        let text = short(&of.bird(bird));
        self.parts("bird.config", How::Program, [(text, How::Reload)]);
    }
}

/// Every resource of a cluster, in the order in which they are started.
pub(super) fn objects(of: &Blueprint) -> Vec<Object> {
    let cluster: &Cluster = &of.cluster;
    let mut objects = Vec::new();
    let mut add = |name: String, facts: Facts, place: Place| {
        objects.push(Object {
            name,
            facts: facts.list,
            place,
        });
    };
    for it in cluster.device_classes.values() {
        add(
            format!("device-class/{}", it.name),
            other::device_class(it),
            it.place,
        );
    }
    for it in cluster.images.values() {
        add(format!("image/{}", it.name), other::image(it), it.place);
    }
    for it in cluster.data_folders.values() {
        add(
            format!("data-folder/{}", it.name),
            other::data_folder(it),
            it.place,
        );
    }
    for it in cluster.networks.values() {
        add(format!("network/{}", it.name), other::network(it), it.place);
    }
    for it in cluster.routers.values() {
        add(
            format!("router/{}", it.name),
            router::facts(it, of),
            it.place,
        );
    }
    let index = placemat_spec::resource::NodeIndex::of(cluster);
    for it in cluster.boot_servers.values() {
        let facts = boot_server::facts(it, of, &index);
        add(format!("boot-server/{}", it.name), facts, it.place);
    }
    for it in cluster.nodes.values() {
        add(format!("node/{}", it.name), node::facts(it, of), it.place);
    }
    for it in cluster.feeds.values() {
        add(it.target().to_string(), other::power(it), it.place);
    }
    objects
}

fn nets(nets: &[IpNet]) -> String {
    words(nets.iter())
}

fn words(list: impl Iterator<Item = impl ToString>) -> String {
    list.map(|it| it.to_string()).collect::<Vec<_>>().join(" ")
}

/// An enum's variant as a word.
fn word(of: &impl std::fmt::Debug) -> String {
    format!("{of:?}").to_lowercase()
}

/// `key VALUE`, or nothing.
fn said(key: &str, value: Option<impl Display>) -> String {
    value.map(|it| format!("{key} {it}")).unwrap_or_default()
}

/// A flag's word where it is set.
fn flag(word: &str, set: bool) -> String {
    if set { word.to_owned() } else { String::new() }
}

/// The beginning of a file's hash: enough to tell two versions apart.
fn short(contents: &[u8]) -> String {
    let hash = Sha1::digest(contents);
    let beginning: [u8; 4] = [hash[0], hash[1], hash[2], hash[3]];
    format!("{:08x}", u32::from_be_bytes(beginning))
}

/// A file that is copied: its name, and what is in it.
fn file(path: &Path, of: &Blueprint) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let contents = of.file(path).map_or(&[][..], |it| it);
    format!("{name} {}", short(contents))
}
