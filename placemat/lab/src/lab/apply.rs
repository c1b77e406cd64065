//! A live lab made into what other files say: compared first, then changed object by object, with all else left alone.
//!
//! ```text
//! Proposal --compare--> Changes, Plan --prepare--> specs (nothing is touched yet) --act--> the lab, as far as it came
//! ```

mod act;
mod mixed;
mod prepare;
mod sessions;

pub use act::Step;

use super::Lab;
use crate::blueprint::Blueprint;
use crate::change::{self, Changes, NetworkRule, Refusal};
use crate::control::Proposal;
use crate::error::ActError;
use crate::plan::{Plan, Rewiring};
use crate::registry::{self, LabCard};
use act::Work;
use placemat_spec::document::Dialect;
use placemat_spec::event::{LabEventKind, LabPhase};
use placemat_spec::{Cluster, Problem};
use tokio::sync::mpsc::UnboundedSender;

/// New files held against a lab.
#[derive(Debug)]
pub(crate) struct Compared {
    /// What they change.
    pub(crate) changes: Changes,
    /// What of it cannot be done live, with the lines that ask for it; empty where all can.
    pub(crate) refused: String,
    old: Blueprint,
    blueprint: Blueprint,
    plan: Plan,
}

impl Lab {
    /// Makes of the lab what a proposal says, and tells each step. What fails is told, and the rest goes on; the sentences of
    /// what failed. Before anything is touched, the whole is refused where it cannot be done.
    pub(crate) async fn apply(
        &self,
        proposal: &Proposal,
        steps: UnboundedSender<Step>,
    ) -> Result<Vec<String>, ActError> {
        let _one_at_a_time = self.not_changing()?;
        if self.phase() != LabPhase::Running {
            let text = "the lab has not started yet, or goes down: it can be changed while it runs";
            return Err(ActError::refused(text));
        }
        let compared = self.compare(proposal).await?;
        if !compared.refused.is_empty() {
            return Err(ActError::refused(compared.refused));
        }
        let agreed = proposal.agreed.as_ref();
        if agreed.is_some_and(|agreed| *agreed != compared.changes.objects) {
            return Err(ActError::refused(
                "the lab or the files have changed since this was agreed to: look again",
            ));
        }
        if compared.changes.is_empty() {
            return Ok(Vec::new());
        }
        let prepared = self.prepare(compared, proposal).await?;
        let text = format!("changes: {}", prepared.changes.totals());
        self.bus().emit("lab", LabEventKind::Note { text });
        let failures = Work::new(self.clone(), prepared, steps).run().await;
        self.keep(proposal)?;
        Ok(failures)
    }

    /// What a proposal would change, of a lab that stays as it is meanwhile.
    pub(crate) async fn plan(&self, proposal: &Proposal) -> Result<Compared, ActError> {
        // Half of it would be compared with what is not done yet.
        drop(self.not_changing()?);
        self.compare(proposal).await
    }

    fn not_changing(&self) -> Result<tokio::sync::MutexGuard<'_, ()>, ActError> {
        let text = "another change of this lab is under way: wait until it is done";
        let free = self.inner.applying.try_lock();
        free.map_err(|_| ActError::refused(text))
    }

    /// Notes in the run directory what the lab is made from now.
    fn keep(&self, proposal: &Proposal) -> Result<(), ActError> {
        let noted = registry::keep(self.run_dir(), &self.cluster())
            .and_then(|()| LabCard::note_files(self.run_dir(), proposal.files.clone()));
        noted.map_err(|error| {
            ActError::failed(format!(
                "all is done, but not noted in the run directory: {error}"
            ))
        })
    }

    /// What a proposal would change. Changes nothing.
    async fn compare(&self, proposal: &Proposal) -> Result<Compared, ActError> {
        let old = self.fleet().blueprint.clone();
        if old.cluster.dialect == Dialect::V2 {
            return Err(ActError::refused(
                "a lab that was started as placemat2 cannot be changed: bring it up with `placemat up`",
            ));
        }
        let sources = proposal.sources();
        let known = proposal.contents.iter();
        let known = known.map(|(path, text)| (path.clone(), text.as_bytes().into()));
        let known = known.collect();
        let load = move || {
            let loaded = Cluster::load(sources);
            let (cluster, _) =
                loaded.map_err(|problems| ActError::refused(problems.to_string()))?;
            let blueprint = Blueprint::read(cluster, &known);
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
            old,
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
