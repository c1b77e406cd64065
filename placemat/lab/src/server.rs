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
use placemat_spec::document::Dialect;
use placemat_spec::resource::{BmcFault, Node, PowerRestore};
use placemat_spec::selector::{Target, TargetKind};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

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
    retired: CancellationToken,
}

/// User and password of a BMC of which the file says nothing; in placemat v2 all had these.
const fn account(dialect: Dialect) -> (&'static str, &'static str) {
    match dialect {
        Dialect::Strict => ("admin", "placemat"),
        Dialect::V2 => ("cybozu", "cybozu"),
    }
}

impl Server {
    /// A server without power. `retired` ends when it is gone for good.
    pub fn new(
        node: Node,
        body: Body,
        track: BootTrack,
        dialect: Dialect,
        retired: CancellationToken,
    ) -> Result<Self, String> {
        let (address, user, password) = if let Some(bmc) = &node.bmc {
            (bmc.address, bmc.user.as_str(), bmc.password.as_str())
        } else {
            // Its guest may announce where it is; until then nothing reaches it over a network.
            let (user, password) = account(dialect);
            (IpAddr::V4(Ipv4Addr::UNSPECIFIED), user, password)
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
                retired,
            }),
        })
    }

    /// The same server, of which its file says something else that its body and BMC need not know.
    #[must_use]
    pub fn described_as(&self, node: Node) -> Self {
        let inner = &self.inner;
        Self {
            inner: Arc::new(Inner {
                node,
                bmc: inner.bmc.clone(),
                body: inner.body.clone(),
                track: inner.track.clone(),
                retired: inner.retired.clone(),
            }),
        }
    }

    /// Cancelled when it is gone for good: it was removed, or another has taken its place.
    pub fn retired(&self) -> &CancellationToken {
        &self.inner.retired
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::EventBus;
    use placemat_spec::{Cluster, Source};
    use std::path::Path;

    /// The only user of the BMC of a node whose file says nothing of it.
    fn user(dialect: Dialect) -> String {
        let source = Source::file(Path::new("dc.yml"), "{kind: Node, name: a, cpu: 1}");
        let (cluster, _) = Cluster::load_as(dialect, vec![source]).expect("a good file");
        let bus = EventBus::new(None, std::time::Instant::now());
        let track = BootTrack::new("node/a".into(), bus);
        let body = Body::Mock(MockBody::new(track.clone()));
        let server = Server::new(
            cluster.nodes["a"].clone(),
            body,
            track,
            cluster.dialect,
            CancellationToken::new(),
        );
        let server = server.expect("a server");
        let users = server.bmc().users();
        for (name, password) in [("admin", "placemat"), ("cybozu", "cybozu")] {
            let found = users.find(name.as_bytes());
            if found.is_some_and(|user| user.has_password(password)) {
                return name.to_owned();
            }
        }
        panic!("nobody known")
    }

    #[tokio::test]
    async fn a_bmc_that_the_file_does_not_mention_has_its_dialects_user() {
        assert_eq!(user(Dialect::Strict), "admin");
        assert_eq!(user(Dialect::V2), "cybozu");
    }
}
