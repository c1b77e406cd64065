//! `bird/NAME.conf`: the routing daemons of routers and boot servers.

use super::{File, Templates};
use crate::topology::{Plan, Role, Speaker, Timers};
use serde::Serialize;

/// What a BIRD template sees.
#[derive(Serialize)]
pub(super) struct Context<'a, S> {
    /// The machine.
    pub(super) own: &'a S,
    /// What all sessions have in common.
    pub(super) timers: Timers,
    /// Prefix of the spines' loopbacks.
    pub(super) spine_loopbacks: String,
}

impl<'a, S> Context<'a, S> {
    pub(super) fn new(plan: &Plan, own: &'a S) -> Self {
        Self {
            own,
            timers: plan.timers,
            spine_loopbacks: plan.spine_loopbacks.to_string(),
        }
    }
}

pub(super) fn render(plan: &Plan, templates: &Templates) -> Result<Vec<File>, minijinja::Error> {
    let path = |speaker: &Speaker| format!("bird/{}.conf", speaker.name);
    let routers = plan.routers.iter().map(|router| {
        let template = match router.role {
            Role::Spine => "spine.conf",
            Role::Tor => "tor.conf",
        };
        templates.file(path(&router.speaker), template, Context::new(plan, router))
    });
    let boot_servers = plan
        .boot_servers
        .iter()
        .map(|boot| templates.file(path(&boot.speaker), "boot.conf", Context::new(plan, boot)));
    routers.chain(boot_servers).collect()
}
