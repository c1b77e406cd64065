//! `machines:` of a boot server: what one machine, or several, boot and learn.

use super::BootServer;
use crate::cluster::FileKind;
use crate::document::{At, Fields, Item};
use crate::draft::{Reading, Want};
use crate::problem::Problem;
use crate::resource::{Name, Node};
use crate::selector::{Selector, TargetKind};
use crate::value::Mac;
use crate::{Cluster, Place};
use indexmap::IndexMap;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// What UEFI firmware that boots over HTTP is handed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BootMethod {
    /// The image's unified kernel image: kernel, initramfs and command line in one file.
    #[default]
    Uki,
    /// iPXE, which asks for a script by the machine's serial and loads kernel and initramfs as the
    /// script says. A BIOS with iPXE in its network card's ROM gets the same script.
    Ipxe,
}

/// Which machines an entry is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BootOf {
    /// The one with this SMBIOS serial.
    Serial(String),
    /// The node of this name.
    Node(Name),
    /// The one with a NIC of this MAC address, which the file gives it.
    Mac(Mac),
    /// All nodes that a selector means.
    Nodes(Selector),
}

/// An entry of `machines`. What it does not say, a less particular entry or the server itself does.
#[derive(Debug, Clone, PartialEq)]
pub struct BootEntry {
    /// Which machines it is for.
    pub of: BootOf,
    /// Image.
    pub image: Option<Name>,
    /// What firmware is handed.
    pub boot: Option<BootMethod>,
    /// Kernel parameters, after those of the image. Only iPXE passes them on.
    pub kernel_params: Option<At<Vec<String>>>,
    /// Folder of files served under `/machines/SERIAL/` (`node.env`, `bird.conf`).
    pub config: Option<PathBuf>,
    /// Ignition configuration, served as `/machines/SERIAL/ignition.json`.
    pub ignition: Option<PathBuf>,
    /// Where what it is for stands.
    pub place: Place,
}

/// What one machine boots and learns, all entries for it taken together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BootRecipe<'c> {
    /// Image.
    pub image: &'c Name,
    /// What firmware is handed.
    pub boot: BootMethod,
    /// Kernel parameters besides the image's own.
    pub kernel_params: &'c [String],
    /// Folder of its files.
    pub config: Option<&'c Path>,
    /// Its Ignition configuration.
    pub ignition: Option<&'c Path>,
}

/// Finds nodes by what entries call them.
#[derive(Debug)]
pub struct NodeIndex<'c> {
    serials: HashMap<&'c str, &'c Node>,
    macs: HashMap<Mac, &'c Node>,
}

impl<'c> NodeIndex<'c> {
    /// Of all nodes of a cluster.
    pub fn of(cluster: &'c Cluster) -> Self {
        let nodes = || cluster.nodes.values();
        let macs = |node: &'c Node| {
            let nics = node.interfaces.iter().filter_map(|nic| nic.mac);
            nics.map(move |mac| (mac, node))
        };
        Self {
            serials: nodes()
                .map(|node| (node.smbios.serial.as_str(), node))
                .collect(),
            macs: nodes().flat_map(macs).collect(),
        }
    }

    /// The nodes that an entry is for; none where it names what does not exist.
    pub fn meant(&self, cluster: &'c Cluster, of: &BootOf) -> Vec<&'c Node> {
        let one = |node: Option<&&'c Node>| node.map(|node| vec![*node]).unwrap_or_default();
        match of {
            BootOf::Serial(serial) => one(self.serials.get(serial.as_str())),
            BootOf::Mac(mac) => one(self.macs.get(mac)),
            BootOf::Node(name) => cluster.nodes.get(name).into_iter().collect(),
            BootOf::Nodes(selector) => {
                let targets = selector.resolve(cluster).unwrap_or_default();
                let nodes = targets.iter().filter(|it| it.kind == TargetKind::Node);
                nodes.filter_map(|it| cluster.nodes.get(&it.name)).collect()
            }
        }
    }
}

impl BootServer {
    /// What a machine boots that no entry is for.
    pub fn usual(&self) -> BootRecipe<'_> {
        BootRecipe {
            image: &self.image,
            boot: self.boot,
            kernel_params: self.kernel_params.as_ref().map_or(&[], |it| &it.value),
            config: None,
            ignition: None,
        }
    }

    /// What every machine boots that an entry is for. An entry that names the machine comes before
    /// those that select it among others, an earlier one before a later one; the first that says
    /// something of a matter decides it.
    pub fn recipes<'c>(
        &'c self,
        cluster: &'c Cluster,
        index: &NodeIndex<'c>,
    ) -> IndexMap<&'c str, BootRecipe<'c>> {
        let mut of_node: IndexMap<&'c str, Vec<&'c BootEntry>> = IndexMap::new();
        let (own, selecting): (Vec<_>, Vec<_>) = self
            .machines
            .iter()
            .partition(|entry| !matches!(entry.of, BootOf::Nodes(_)));
        for entry in own.into_iter().chain(selecting) {
            for node in index.meant(cluster, &entry.of) {
                of_node.entry(&node.name).or_default().push(entry);
            }
        }
        let recipe = |entries: Vec<&'c BootEntry>| {
            let usual = self.usual();
            let entries = || entries.iter().copied();
            BootRecipe {
                image: entries()
                    .find_map(|it| it.image.as_ref())
                    .unwrap_or(usual.image),
                boot: entries().find_map(|it| it.boot).unwrap_or(usual.boot),
                kernel_params: entries()
                    .find_map(|it| it.kernel_params.as_ref())
                    .map_or(usual.kernel_params, |it| &it.value),
                config: entries().find_map(|it| it.config.as_deref()),
                ignition: entries().find_map(|it| it.ignition.as_deref()),
            }
        };
        of_node
            .into_iter()
            .map(|(node, entries)| (node, recipe(entries)))
            .collect()
    }

    /// Whether any machine may be handed iPXE.
    pub fn hands_out_ipxe(&self) -> bool {
        let entries = self.machines.iter().filter_map(|entry| entry.boot);
        entries.chain([self.boot]).any(|it| it == BootMethod::Ipxe)
    }
}

pub(super) const METHODS: [(&str, BootMethod); 2] =
    [("uki", BootMethod::Uki), ("ipxe", BootMethod::Ipxe)];

/// Takes `boot`.
pub(super) fn method(fields: &mut Fields<'_>) -> Option<BootMethod> {
    let boot = fields.opt("boot").and_then(|it| it.choice(&METHODS));
    boot.map(|boot| boot.value)
}

/// Takes `kernel-params`: words in one text, or a list of them.
pub(super) fn kernel_params(fields: &mut Fields<'_>) -> Option<At<Vec<String>>> {
    let item = fields.opt("kernel-params")?;
    let texts = match item.tree().as_list() {
        Some(_) => item.strings()?,
        None => vec![item.string()?],
    };
    let mut words = Vec::new();
    for text in texts {
        // The script has one line for them, and boot loaders know no escapes.
        if let Some(c) = text.chars().find(|c| !matches!(c, ' '..='~')) {
            fields.findings().error(
                Problem::new(
                    "bad-text",
                    format!(
                        "a kernel parameter of {} has the character `{}` in it",
                        fields.describe(),
                        c.escape_default()
                    ),
                )
                .at(text.place, "only printable ASCII can be passed on")
                .help("write the parameters on one line"),
            );
            return None;
        }
        words.extend(
            text.split(' ')
                .filter(|it| !it.is_empty())
                .map(str::to_owned),
        );
    }
    Some(At::new(words, item.place()))
}

/// Reads an element of `machines`.
pub(super) fn read(item: &Item<'_>, reading: &mut Reading<'_>) -> Option<BootEntry> {
    let mut fields = item.fields()?;
    let of = of(&mut fields, reading);
    let image = fields.opt("image").and_then(|it| it.string());
    let boot = method(&mut fields);
    let kernel_params = kernel_params(&mut fields);
    let config = fields.opt("config").and_then(|it| it.string());
    let ignition = fields.opt("ignition").and_then(|it| it.string());
    fields.finish();
    if let Some(image) = &image {
        let ledger = &mut reading.draft.ledger;
        ledger.refer(super::read::BUNDLE, image, &reading.owner);
    }
    let config = config
        .map(|config| reading.file(FileKind::Folder, &config, "the machine configuration", None));
    let ignition =
        ignition.map(|file| reading.file(FileKind::File, &file, "an Ignition configuration", None));
    let of = of?;
    Some(BootEntry {
        of: of.value,
        image: image.map(|image| image.value),
        boot,
        kernel_params,
        config,
        ignition,
        place: of.place,
    })
}

/// Takes the one key that says which machines an entry is for.
fn of(fields: &mut Fields<'_>, reading: &mut Reading<'_>) -> Option<At<BootOf>> {
    let serial = fields.opt("serial").and_then(|it| it.string());
    let node = fields.opt("node").and_then(|it| it.string());
    let mac = fields.opt("mac").and_then(|it| {
        it.parse(
            "bad-mac",
            "a MAC address such as `52:54:00:aa:bb:01`",
            Mac::from_str,
        )
    });
    let nodes = fields.opt("nodes").and_then(|it| Selector::read(&it));
    if let Some(node) = &node {
        reading.draft.ledger.refer(Want::Node, node, &reading.owner);
    }
    let given: Vec<(&str, At<BootOf>)> = [
        serial.map(|it| ("serial", it.map(BootOf::Serial))),
        node.map(|it| ("node", it.map(BootOf::Node))),
        mac.map(|it| ("mac", it.map(BootOf::Mac))),
        nodes.map(|it| ("nodes", it.map(BootOf::Nodes))),
    ]
    .into_iter()
    .flatten()
    .collect();
    let keys = ["serial", "node", "mac", "nodes"];
    match given.as_slice() {
        [(_, one)] => Some(one.clone()),
        [(first, at), (second, again), ..] => {
            fields.findings().error(
                Problem::new(
                    "conflict",
                    format!("{} names its machine twice", fields.describe()),
                )
                .at(again.place, format!("`{second}` as well"))
                .at(at.place, format!("`{first}` says which"))
                .help("keep one of them"),
            );
            None
        }
        [] => {
            if keys.iter().all(|key| fields.key_place(key).is_none()) {
                let problem = Problem::new(
                    "missing-key",
                    format!("{} does not say which machine it is for", fields.describe()),
                )
                .at(fields.place(), "no machine named here")
                .help("give one of `serial`, `node`, `mac`, or `nodes` with a selector");
                fields.missing(&keys, problem);
            }
            None
        }
    }
}
