//! Where keys stand and how values were made, as rows of an explanation.

use super::Making;
use crate::Plan;
use crate::allocation::{Allocation, Made, Start, Terms};
use crate::rack::{DataCenter, keys};
use crate::topology::Interface;
use placemat_spec::document::{self, Tree};
use placemat_spec::explain::{Origin, Value};
use placemat_spec::problem::Findings;
use placemat_spec::{Place, Source};
use std::collections::HashMap;
use std::fmt::Display;

/// What is known of a rack spec.
pub(super) struct Book<'a> {
    sources: &'a [Source],
    pub(super) dc: &'a DataCenter,
    pub(super) plan: &'a Plan,
    allocation: &'a Allocation,
    root: Option<Tree>,
    /// Who is on each network, by which NIC.
    plugs: HashMap<&'a str, Vec<Plug<'a>>>,
}

/// A machine, and its NIC on a network.
pub(super) type Plug<'a> = (&'a str, &'a Interface);

/// A key, from the top of the rack spec.
pub(super) type Path<'a> = &'a [&'a str];

impl<'a> Book<'a> {
    pub(super) fn new(
        source: &'a Source,
        dc: &'a DataCenter,
        plan: &'a Plan,
        allocation: &'a Allocation,
    ) -> Self {
        let sources = std::slice::from_ref(source);
        let documents = document::load(sources, &Findings::new());
        Self {
            sources,
            dc,
            plan,
            allocation,
            root: documents.into_iter().next().map(|document| document.root),
            plugs: plugs(plan),
        }
    }

    /// Who is on a network, by which NIC.
    pub(super) fn plugs(&self, network: &str) -> &[Plug<'a>] {
        self.plugs.get(network).map_or(&[], Vec::as_slice)
    }

    /// Where the value of a key stands, if it is there.
    fn place(&self, path: Path) -> Option<Place> {
        let mut tree = self.root.as_ref()?;
        for key in path {
            tree = &tree.as_map()?.get(*key)?.tree;
        }
        (!tree.is_null()).then_some(tree.place)
    }

    /// A key as what a value was made of.
    pub(super) fn key(&self, path: Path) -> Origin {
        self.at(&path.join("."), self.place(path))
    }

    /// The same of a key whose place is known, or that is known to be left out.
    pub(super) fn at(&self, key: &str, place: Option<Place>) -> Origin {
        Origin::new(key, place, self.sources)
    }

    /// The run that a server is of, by its number in the rack.
    pub(super) fn server(&self, rack: u32, server: u32) -> Origin {
        let servers = self.dc.rack(rack).map(|rack| &rack.servers);
        let index = (server as usize).saturating_sub(1);
        let place = servers.and_then(|servers| servers.get(index));
        self.at("servers", place.map(|name| name.place))
    }

    /// The key by which the base of ASNs is given.
    fn asn_base(&self) -> Origin {
        match self.place(&["asn-base"]) {
            Some(place) => self.at("asn-base", Some(place)),
            None => self.key(&["asn", "base"]),
        }
    }
}

/// Rows.
impl Book<'_> {
    /// A value that a key gives, or its default.
    pub(super) fn given(&self, what: impl Into<String>, value: impl Display, path: Path) -> Value {
        let origin = self.key(path);
        let how = match (&origin.at, default(path)) {
            (Some(_), _) => "given".into(),
            (None, Some(words)) => format!("default: {}", words.replace('`', "")),
            (None, None) => "not given".into(),
        };
        Value::new(what, value, how, vec![origin])
    }
}

impl Making for Book<'_> {
    fn terms(&self, made: Made) -> Option<Terms> {
        self.allocation.terms(made)
    }

    fn start(&self, start: Start) -> Vec<Origin> {
        match start {
            Start::Prefix(key, _) => vec![self.key(&key.split('.').collect::<Vec<_>>())],
            Start::AsnBase(_) => vec![self.asn_base(), self.key(&["asn", "scheme"])],
            Start::Qemu(_) => Vec::new(),
        }
    }

    /// The run that a rack is of.
    fn rack(&self, rack: u32) -> Origin {
        self.at("racks", self.dc.rack(rack).map(|rack| rack.place))
    }
}

fn plugs(plan: &Plan) -> HashMap<&str, Vec<Plug<'_>>> {
    let routers = plan.routers.iter().map(|it| (&it.speaker, &it.interfaces));
    let boots = plan.boot_servers.iter();
    let boots = boots.map(|it| (&it.speaker, &it.interfaces));
    let servers = plan.servers.iter().map(|it| (&it.speaker, &it.interfaces));
    let mut plugs: HashMap<&str, Vec<Plug>> = HashMap::new();
    for (speaker, nics) in routers.chain(boots).chain(servers) {
        for nic in nics {
            let on = plugs.entry(&nic.network).or_default();
            on.push((&speaker.name, nic));
        }
    }
    plugs
}

/// What leaving a key of the rack spec out means, as its row in the table of keys says.
fn default(path: Path) -> Option<&'static str> {
    Some(keys::DOC.key(path)?.default).filter(|words| !words.is_empty())
}
