//! The host's limits that all labs share, held against a plan before anything starts.

use crate::exit::Failure;
use crate::input;
use placemat_host::probe::limit::Settings;
use placemat_lab::limits::{self, Demand, Finding, Measured};
use placemat_lab::plan::Plan;
use placemat_spec::{Cluster, Severity};

/// Refuses what could not work, and warns of what may not.
pub(crate) fn check(cluster: &Cluster, plan: &Plan) -> Result<(), Failure> {
    let demand = Demand::of(cluster, plan);
    let found = limits::check(&demand, &Measured::of(&Settings::default()));
    let of = |severity| {
        let found = found.iter().filter(move |it| it.severity == severity);
        found.map(Finding::problem).collect()
    };
    input::warn(&cluster.problems(of(Severity::Warning)));
    input::refuse(cluster, of(Severity::Error))
}
