//! Which routing sessions of a lab are up, as its BIRDs tell.

use super::super::Lab;
use crate::change::{LiveSession, SessionKind};
use crate::unit::{BIRD_SOCKET, Unit};
use placemat_spec::selector::Target;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// How long one BIRD may take to tell. One that hangs has no session that could be disturbed.
const PATIENCE: Duration = Duration::from_secs(5);

impl Lab {
    /// Sessions that are up, of everything that is no VM; of a VM's the other ends tell.
    pub(super) async fn sessions(&self) -> Vec<LiveSession> {
        let mut units: Vec<Unit> = self.fleet().units.values().cloned().collect();
        units.retain(|unit| unit.is_on() && unit.run_dir().join(BIRD_SOCKET).exists());
        let mut asking = JoinSet::new();
        for unit in units {
            let (lab, of) = (self.clone(), unit.target().clone());
            asking.spawn(async move { timeout(PATIENCE, lab.sessions_of(&of)).await });
        }
        let mut sessions = Vec::new();
        while let Some(told) = asking.join_next().await {
            sessions.extend(told.ok().and_then(Result::ok).unwrap_or_default());
        }
        sessions.sort_by(|a, b| (&a.of, a.kind, a.neighbor).cmp(&(&b.of, b.kind, b.neighbor)));
        sessions
    }

    async fn sessions_of(&self, of: &Target) -> Vec<LiveSession> {
        let bgp = self.bgp(of).await.unwrap_or_default();
        let bgp = bgp.into_iter().filter(|it| it.state == "Established");
        let bgp = bgp.filter_map(|it| {
            Some(LiveSession {
                of: of.clone(),
                kind: SessionKind::Bgp,
                protocol: Some(it.name),
                neighbor: it.neighbor?,
                interface: None,
            })
        });
        let bfd = self.bfd(of).await.unwrap_or_default();
        let bfd = bfd.into_iter().filter(|it| it.state == "Up");
        let bfd = bfd.map(|it| LiveSession {
            of: of.clone(),
            kind: SessionKind::Bfd,
            protocol: None,
            neighbor: it.neighbor,
            interface: Some(it.interface).filter(|name| name != "---"),
        });
        bgp.chain(bfd).collect()
    }
}
