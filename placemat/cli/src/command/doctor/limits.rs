//! Rows for limits that all labs share, held against files where some are given.

use super::{Row, Rows};
use crate::exit::Failure;
use placemat_host::probe::limit::Settings;
use placemat_lab::limits::{self, Demand, LIMITS, Limit, Measured, Need};
use placemat_lab::plan::Plan;
use placemat_spec::{Cluster, Severity};
use serde::Serialize;

/// What is known of a limit.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Numbers {
    /// What it is set to; absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<u64>,
    used: u64,
    /// What the files need.
    #[serde(skip_serializing_if = "Option::is_none")]
    needed: Option<u64>,
}

/// What files need.
pub(super) fn demand(cluster: &Cluster) -> Demand {
    Demand::of(cluster, &Plan::of(cluster))
}

pub(super) fn rows(rows: &mut Rows, cluster: Option<&Cluster>) -> Result<(), Failure> {
    const SECTION: &str = "limits of all labs together";
    let measured = Measured::of(&Settings::default());
    let demand = cluster.map(demand);
    let found = demand.map(|demand| limits::check(&demand, &measured));
    rows.section(SECTION, "")?;
    for limit in &LIMITS {
        let reading = measured.of_limit(limit);
        let need = demand.map(|demand| limit.need(&demand));
        let finding = found
            .iter()
            .flatten()
            .find(|it| it.limit.name == limit.name);
        let mut words = said(limit, reading.has, reading.used, need);
        if let Some(finding) = finding {
            words = format!("{words}: {}", finding.remedy());
        }
        rows.add(Row {
            section: SECTION,
            name: limit.name.to_owned(),
            ok: finding.is_none(),
            required: finding.is_some_and(|it| it.severity == Severity::Error),
            words,
            limit: Some(Numbers {
                limit: reading.has,
                used: reading.used,
                needed: need.map(|need| need.likely),
            }),
        })?;
    }
    Ok(())
}

/// `1024 IPv4 neighbours of all namespaces, 54 in use, 4200 needed`.
fn said(limit: &Limit, has: Option<u64>, used: u64, need: Option<Need>) -> String {
    let has = has.map_or_else(|| "no limit to".to_owned(), |has| has.to_string());
    let mut words = format!("{has} {}", limit.what);
    if used > 0 {
        words = format!("{words}, {used} in use");
    }
    match need {
        Some(need) if need.likely > 0 => format!("{words}, {} needed", need.likely),
        _ => words,
    }
}
