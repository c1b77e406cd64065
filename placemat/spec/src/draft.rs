//! What the readers of resources fill: the cluster to be, and a ledger of everything that has to fit
//! together, each with the place that a message has to point at. Checks work on the ledger, so that
//! they point at the word that is wrong and not at the resource around it.

use crate::cluster::{FileKind, FileRef};
use crate::document::At;
use crate::selector::Selector;
use crate::value::Mac;
use crate::{Cluster, Place, Source};
use ipnet::{IpNet, Ipv4Net};
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

/// A data center while it is being read.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    /// Built as far as it can be; only given out when nothing is wrong.
    pub(crate) cluster: Cluster,
    /// What the checks look at.
    pub(crate) ledger: Ledger,
}

/// What resources declare, refer to and occupy.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// Every named resource.
    pub(crate) names: Vec<Declared>,
    /// Every mention of another resource.
    pub(crate) references: Vec<Reference>,
    /// Every interface.
    pub(crate) interfaces: Vec<InterfaceUse>,
    /// Every address, of whatever it is.
    pub(crate) addresses: Vec<AddressUse>,
    /// Every MAC address of an interface.
    pub(crate) macs: Vec<(At<Mac>, String)>,
    /// Every SMBIOS serial of a node, by default too.
    pub(crate) serials: Vec<(At<String>, String)>,
    /// Every DHCP range.
    pub(crate) ranges: Vec<RangeUse>,
    /// Every fixed DHCP address.
    pub(crate) hosts: Vec<HostUse>,
    /// Every load of a power feed.
    pub(crate) loads: Vec<(At<Selector>, String)>,
    /// A document was lost, so a name that seems to be missing may stand in it.
    pub(crate) lost: bool,
}

/// The kinds of things that have names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// `Network`.
    Network,
    /// `Router`, `NetworkNamespace`.
    Router,
    /// `BootServer`.
    BootServer,
    /// `Node`.
    Node,
    /// `Image`.
    Image,
    /// `DeviceClass`.
    DeviceClass,
    /// `DataFolder`.
    DataFolder,
    /// `Power`.
    Power,
}

impl Kind {
    /// What messages call one.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Router => "router",
            Self::BootServer => "boot server",
            Self::Node => "node",
            Self::Image => "image",
            Self::DeviceClass => "device class",
            Self::DataFolder => "data folder",
            Self::Power => "power feed",
        }
    }

    /// The word with its article.
    pub(crate) fn a_word(self) -> String {
        format!(
            "{} {}",
            if self == Self::Image { "an" } else { "a" },
            self.word()
        )
    }

    /// Whether it is a machine: machines share one space of names, as targets are named by them.
    pub(crate) fn is_machine(self) -> bool {
        matches!(self, Self::Router | Self::BootServer | Self::Node)
    }
}

/// A named resource.
#[derive(Debug)]
pub(crate) struct Declared {
    pub(crate) kind: Kind,
    pub(crate) name: At<String>,
}

/// What a reference wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Want {
    /// A network.
    Network,
    /// An image, of any form.
    Image,
    /// An image that is a bundle; the words say what for.
    Bundle(&'static str),
    /// A device class.
    DeviceClass,
    /// A data folder.
    DataFolder,
    /// Something that a node can wait for: a node, router or boot server.
    Dependency,
    /// A node, which is to be booted.
    Node,
}

/// A mention of another resource by name.
#[derive(Debug)]
pub(crate) struct Reference {
    pub(crate) want: Want,
    pub(crate) name: At<String>,
    /// Who mentions it, as messages call it.
    pub(crate) by: String,
}

/// An interface plugged into a network.
#[derive(Debug)]
pub(crate) struct InterfaceUse {
    pub(crate) owner: String,
    pub(crate) network: At<String>,
    pub(crate) name: At<String>,
}

/// Where an address is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Segment {
    /// On an interface in a network.
    Network(String),
    /// On `lo`, announced to everybody.
    Loopback,
    /// A BMC, on whichever network of type `bmc` holds it.
    Bmc,
}

/// An address that somebody has.
#[derive(Debug)]
pub(crate) struct AddressUse {
    pub(crate) segment: Segment,
    pub(crate) net: At<IpNet>,
    /// Whose: ``Router `spine-1` ``.
    pub(crate) owner: String,
}

/// A DHCP range of a boot server.
#[derive(Debug)]
pub(crate) struct RangeUse {
    pub(crate) server: String,
    pub(crate) subnet: At<Ipv4Net>,
    pub(crate) start: Option<At<Ipv4Addr>>,
    pub(crate) end: Option<At<Ipv4Addr>>,
    pub(crate) router: Option<At<Ipv4Addr>>,
}

/// A fixed DHCP address of a boot server.
#[derive(Debug)]
pub(crate) struct HostUse {
    pub(crate) server: String,
    pub(crate) mac: At<Mac>,
    pub(crate) address: At<Ipv4Addr>,
}

impl Ledger {
    /// Notes a resource's name.
    pub(crate) fn declare(&mut self, kind: Kind, name: &At<String>) {
        self.names.push(Declared {
            kind,
            name: name.clone(),
        });
    }

    /// Notes a mention of another resource.
    pub(crate) fn refer(&mut self, want: Want, name: &At<String>, by: &str) {
        self.references.push(Reference {
            want,
            name: name.clone(),
            by: by.to_owned(),
        });
    }

    /// Notes an address.
    pub(crate) fn address(&mut self, segment: Segment, net: At<IpNet>, owner: &str) {
        self.addresses.push(AddressUse {
            segment,
            net,
            owner: owner.to_owned(),
        });
    }
}

/// A single address as a host route.
pub(crate) fn host(address: IpAddr) -> IpNet {
    IpNet::from(address)
}

/// What a reader of one resource has at hand.
pub(crate) struct Reading<'d> {
    pub(crate) draft: &'d mut Draft,
    /// The source that the resource stands in: its folder is where its paths start.
    pub(crate) source: &'d Source,
    /// The resource's name.
    pub(crate) name: At<String>,
    /// What messages call it: ``Node `n1` ``.
    pub(crate) owner: String,
}

impl Reading<'_> {
    /// A file or folder that the resource needs, resolved against the folder of its YAML file and
    /// noted for [`Cluster::files`]. `what` completes "WHAT of Router `x`".
    pub(crate) fn file(
        &mut self,
        kind: FileKind,
        path: &At<String>,
        what: &str,
        remedy: Option<&'static str>,
    ) -> PathBuf {
        let resolved = self.source.dir.join(&path.value);
        self.draft.cluster.files.push(FileRef {
            path: resolved.clone(),
            what: format!("{what} of {}", self.owner),
            kind,
            place: path.place,
            remedy,
        });
        resolved
    }

    /// Where the resource's name stands.
    pub(crate) fn place(&self) -> Place {
        self.name.place
    }
}
