//! A server of any tier: a chassis with a BMC in front of a body.

mod body;
mod track;

pub use body::{Body, MockBody};
pub use track::BootTrack;

use placemat_bmc::chassis::{Cause, PowerCommand, PowerPolicy};
use placemat_bmc::fault::Fault;
use placemat_bmc::identity::Identity;
use placemat_bmc::user::UserTable;
use placemat_bmc::{Bmc, Settings};
use placemat_spec::resource::{BmcFault, Node, PowerRestore};
use placemat_spec::selector::{Target, TargetKind};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

/// A live server. Clones are the same one.
#[derive(Debug, Clone)]
pub struct Server {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    node: Node,
    bmc: Bmc,
    body: Arc<Body>,
    track: BootTrack,
}

impl Server {
    /// A server without power.
    pub fn new(node: Node, body: Body, track: BootTrack) -> Result<Self, String> {
        let (address, user, password) = match &node.bmc {
            Some(bmc) => (bmc.address, bmc.user.as_str(), bmc.password.as_str()),
            // A chassis that nothing reaches over a network still has its rules.
            None => (IpAddr::V4(Ipv4Addr::UNSPECIFIED), "admin", "placemat"),
        };
        let mut identity = Identity::new(&node.name, &node.smbios.serial, address);
        identity.uuid = node.smbios.uuid.0;
        if let Some(manufacturer) = &node.smbios.manufacturer {
            identity.manufacturer.clone_from(manufacturer);
        }
        if let Some(product) = &node.smbios.product {
            identity.product.clone_from(product);
        }
        let users = UserTable::administrator(user, password)
            .map_err(|error| format!("BMC of node/{}: {error}", node.name))?;
        let mut settings = Settings::new(identity, users);
        if let Some(BmcFault::LiesAboutPower) = node.bmc.as_ref().and_then(|bmc| bmc.fault) {
            settings.faults.set(Fault::LiesAboutPower, true);
        }
        let body = Arc::new(body);
        let bmc = Bmc::new(settings, body.clone());
        bmc.set_policy(match node.power_restore {
            PowerRestore::AlwaysOn => PowerPolicy::AlwaysOn,
            PowerRestore::Previous => PowerPolicy::Previous,
            PowerRestore::AlwaysOff => PowerPolicy::AlwaysOff,
        });
        body.attach(&bmc);
        Ok(Self {
            inner: Arc::new(Inner {
                node,
                bmc,
                body,
                track,
            }),
        })
    }

    /// What it was made from.
    pub fn node(&self) -> &Node {
        &self.inner.node
    }

    /// Its target.
    pub fn target(&self) -> Target {
        Target {
            kind: TargetKind::Node,
            name: self.inner.node.name.clone(),
        }
    }

    /// Its BMC.
    pub fn bmc(&self) -> &Bmc {
        &self.inner.bmc
    }

    /// What is behind the BMC.
    pub fn body(&self) -> &Body {
        &self.inner.body
    }

    /// How far its boot has come.
    pub fn track(&self) -> &BootTrack {
        &self.inner.track
    }

    /// Acts on the chassis.
    pub async fn power(&self, command: PowerCommand, cause: Cause) -> Result<(), String> {
        self.inner
            .bmc
            .power(command, cause)
            .await
            .map_err(|error| format!("{}: {}", self.target(), crate::error::chain(&error)))
    }

    /// Pulls the plug, or puts it back.
    pub async fn mains(&self, on: bool) -> Result<(), String> {
        let done = if on {
            self.inner.bmc.mains_back().await
        } else {
            self.inner.bmc.mains_lost().await
        };
        done.map_err(|error| format!("{}: {}", self.target(), crate::error::chain(&error)))
    }
}
