//! Where keys of the menu and of the files beside it stand, and how values were made.

use crate::allocation::{Made, Start, Terms};
use crate::explain::Making;
use crate::neco::allocation::Allocation;
use crate::neco::input::Menu;
use crate::neco::plan::Plan;
use placemat_spec::document::{self, Document};
use placemat_spec::explain::{Origin, Value, given};
use placemat_spec::problem::Findings;
use placemat_spec::{Place, Source};

/// What is known of a menu.
pub(super) struct Book<'a> {
    sources: &'a [Source],
    pub(super) menu: &'a Menu,
    pub(super) plan: &'a Plan,
    allocation: &'a Allocation<'a>,
    documents: Vec<Document>,
}

impl<'a> Book<'a> {
    pub(super) fn new(
        sources: &'a [Source],
        menu: &'a Menu,
        plan: &'a Plan,
        allocation: &'a Allocation<'a>,
    ) -> Self {
        Self {
            sources,
            menu,
            plan,
            allocation,
            documents: document::load(&sources[..1], &Findings::new()),
        }
    }

    /// A key that a value was made of, by what the arithmetic calls it.
    pub(super) fn key(&self, key: &str) -> Origin {
        let network = &self.menu.network;
        let exposed = &network.exposed;
        let place = match key {
            "node-ipv4-pool" => Some(network.ipam.node_pool.place),
            "bmc-ipv4-pool" => Some(network.ipam.bmc_pool.place),
            "asn-base" => Some(network.asn_base.place),
            "internet" => Some(network.internet.place),
            "spine-tor" => Some(network.spine_tor.place),
            "core-spine" => Some(network.core_spine.place),
            "core-external" => Some(network.core_external.place),
            "core-operation" => Some(network.core_operation.place),
            "proxy" => network.proxy.map(|it| it.place),
            "ntp" => network.ntp.map(|it| it.place),
            "exposed.loadbalancer" => Some(exposed.load_balancer.place),
            "exposed.bastion" => Some(exposed.bastion.place),
            "exposed.egress" => Some(exposed.egress.place),
            "exposed.global" => Some(exposed.global.place),
            "spine" => Some(self.menu.inventory.spines.place),
            _ => None,
        };
        self.at(key, place)
    }

    fn at(&self, key: &str, place: Option<Place>) -> Origin {
        Origin::new(key, place, self.sources)
    }

    /// What a document says under `spec`: of `kind`, and of `type` where it has one.
    pub(super) fn spec(&self, kind: &str, of: Option<&str>) -> Vec<Value> {
        let found = self.documents.iter().find_map(|document| {
            let map = document.root.as_map()?;
            let text = |key: &str| map.get(key).and_then(|entry| entry.tree.text());
            let meant = text("kind") == Some(kind) && (of.is_none() || text("type") == of);
            map.get("spec").filter(|_| meant)
        });
        let spec = found.map(|spec| given(self.sources, "spec", &spec.tree));
        spec.unwrap_or_default()
    }

    /// The key of a type of server, where it is given.
    pub(super) fn of_type(&self, role: &str, key: &str) -> Vec<Origin> {
        let spec = self.spec("Node", Some(role));
        let path = format!("spec.{key}");
        let own = spec.into_iter().filter(|it| {
            let rest = it.what.strip_prefix(&path);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        });
        let mut own = own.flat_map(|it| it.from).peekable();
        match own.peek() {
            Some(_) => own.collect(),
            None => vec![self.at(&path, None)],
        }
    }
}

/// Rows.
impl Book<'_> {
    /// Labels of what may stand in a rack.
    pub(super) fn labels(&self, role: &str, rack: Option<u32>) -> Vec<Value> {
        let mut values = vec![Value::new("labels.role", role, "what it is", Vec::new())];
        if let Some(rack) = rack {
            let how = "racks are numbered from 0";
            values.push(Value::new("labels.rack", rack, how, vec![self.rack(rack)]));
        }
        let inventory = self.spec("Inventory", None).into_iter();
        values.extend(
            inventory
                .filter(|it| it.what == "spec.cluster-id")
                .map(|it| Value {
                    what: "labels.cluster-id".into(),
                    ..it
                }),
        );
        values
    }
}

impl Making for Book<'_> {
    fn terms(&self, made: Made) -> Option<Terms> {
        self.allocation.terms(made)
    }

    fn start(&self, start: Start) -> Vec<Origin> {
        match start {
            Start::Prefix(key, _) => vec![self.key(key)],
            Start::AsnBase(_) | Start::Qemu(_) => vec![self.key("asn-base")],
        }
    }

    /// The entry of a rack in the inventory.
    fn rack(&self, rack: u32) -> Origin {
        let place = self.menu.inventory.racks.get(rack as usize);
        self.at("rack", place.map(|rack| rack.place))
    }
}
