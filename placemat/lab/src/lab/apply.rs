//! A live lab made into what other files say: compared first, then changed object by object, with all else left alone.
//!
//! ```text
//! Proposal --compare--> Changes, Plan --prepare--> specs (nothing is touched yet) --act--> the lab, as far as it came
//! ```

mod sessions;

use super::Lab;
use crate::blueprint::Blueprint;
use crate::change::{self, Changes, NetworkRule, Refusal};
use crate::control::Proposal;
use crate::error::ActError;
use crate::plan::{Plan, Rewiring};
use placemat_spec::document::Dialect;
use placemat_spec::{Cluster, Problem};

/// New files held against a lab.
#[derive(Debug)]
pub(crate) struct Compared {
    /// What they change.
    pub(crate) changes: Changes,
    /// What of it cannot be done live, with the lines that ask for it; empty where all can.
    pub(crate) refused: String,
    blueprint: Blueprint,
    plan: Plan,
}

impl Lab {
    /// What a proposal would change. Changes nothing.
    pub(crate) async fn compare(&self, proposal: &Proposal) -> Result<Compared, ActError> {
        let old = self.fleet().blueprint.clone();
        if old.cluster.dialect == Dialect::V2 {
            return Err(ActError::refused(
                "a lab that was started as placemat2 cannot be changed: bring it up with `placemat up`",
            ));
        }
        let sources = proposal.sources();
        let load = move || {
            let loaded = Cluster::load(sources);
            let (cluster, _) =
                loaded.map_err(|problems| ActError::refused(problems.to_string()))?;
            let blueprint = Blueprint::read(cluster);
            blueprint.map_err(|error| ActError::refused(error.to_string()))
        };
        let loaded = tokio::task::spawn_blocking(load).await;
        let blueprint = loaded.map_err(|error| ActError::failed(error.to_string()))??;
        let mut plan = Plan::of(&blueprint.cluster);
        plan.default_mtu(self.inner.options.mtu);
        let rewiring = Rewiring::between(&self.wiring().plan(), &mut plan);
        let rule = match self.inner.options.attach {
            Some(_) => NetworkRule::Attached,
            None => NetworkRule::Inside,
        };
        let sessions = self.sessions().await;
        let (mut changes, mut problems) =
            change::between(&old, &blueprint, &rewiring, &sessions, rule);
        problems.extend(self.refuse_limits(&blueprint.cluster, &mut changes));
        let refused = if problems.is_empty() {
            String::new()
        } else {
            blueprint.cluster.problems(problems).to_string()
        };
        Ok(Compared {
            changes,
            refused,
            blueprint,
            plan,
        })
    }

    /// Limits that this lab has no control groups for: those are made before its namespaces.
    fn refuse_limits(&self, cluster: &Cluster, changes: &mut Changes) -> Vec<Problem> {
        if self.inner.options.groups.is_some() {
            return Vec::new();
        }
        let mut problems = Vec::new();
        for router in cluster.routers.values() {
            let Some(limits) = &router.limits else {
                continue;
            };
            let object = format!("router/{}", router.name);
            let why = "the lab was started without limits, and has no control groups";
            problems.push(
                Problem::new(
                    "not-live",
                    format!("`limits` of {object} cannot be set on a live lab"),
                )
                .at(limits.place, why)
                .help(change::REMEDY),
            );
            changes.refused.push(Refusal {
                object,
                key: "limits".into(),
                why: why.into(),
            });
        }
        problems
    }
}
