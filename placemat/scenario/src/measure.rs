//! Arithmetic on what probe flows recorded: silences, loss, exposure, budgets. Pure; the step
//! that drives the flows is `step::measure`.

mod budget;
mod convergence;
mod gap;

pub(crate) use budget::{Budgets, Seen, judge};
pub(crate) use convergence::{FaultSpan, RouteChange};
pub(crate) use gap::{Gap, longest_gap, lost};

use crate::event::{FlowMeasurement, Measurement};
use crate::port::FlowRecord;

/// A flow as the step chose it: its name, and whether it was seen to cross the target.
#[derive(Debug, Clone)]
pub(crate) struct ChosenFlow {
    pub(crate) name: String,
    pub(crate) exposed: Option<bool>,
}

/// The numbers of one measurement. `to_run_ms` is added to the lab's clock to get the run's.
pub(crate) fn measurement(
    flows: &[ChosenFlow],
    records: &[FlowRecord],
    every_ms: f64,
    through: Option<String>,
    to_run_ms: f64,
) -> Measurement {
    let flows: Vec<FlowMeasurement> = flows
        .iter()
        .zip(records)
        .map(|(flow, record)| {
            let gap = longest_gap(record, every_ms);
            FlowMeasurement {
                name: flow.name.clone(),
                exposed: flow.exposed,
                sent: record.sent.len() as u64,
                lost: lost(record),
                max_gap_ms: gap.as_ref().map_or(0.0, Gap::length_ms),
                gap_start_ms: gap.map(|gap| gap.start_ms + to_run_ms),
            }
        })
        .collect();
    let (sent, lost) = flows
        .iter()
        .fold((0, 0), |(s, l), flow| (s + flow.sent, l + flow.lost));
    Measurement {
        every_ms,
        exposed: through.as_ref().map(|_| {
            let crossed = flows
                .iter()
                .filter(|flow| flow.exposed == Some(true))
                .count();
            share(crossed as u64, flows.len() as u64)
        }),
        through,
        max_gap_ms: flows.iter().map(|flow| flow.max_gap_ms).fold(0.0, f64::max),
        loss: share(lost, sent),
        convergence_ms: None,
        host_waited: None,
        flows,
        budgets: Vec::new(),
    }
}

/// `part` of `whole`, 0 where there is no whole.
#[allow(
    clippy::cast_precision_loss,
    reason = "packet counts are far below 2^52"
)]
pub(crate) fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adds_flows_up() {
        let record = |lost: &[u32]| FlowRecord {
            sent: (0..10u32).map(|i| f64::from(i) * 10.0).collect(),
            received: (0..10u32)
                .map(|i| (!lost.contains(&i)).then_some(f64::from(i) * 10.0 + 1.0))
                .collect(),
        };
        let flows = [Some(true), Some(false)].map(|exposed| ChosenFlow {
            name: "a -> b".to_owned(),
            exposed,
        });
        let numbers = measurement(
            &flows,
            &[record(&[3, 4]), record(&[])],
            10.0,
            Some("router/spine-1".to_owned()),
            1000.0,
        );
        insta::assert_json_snapshot!(numbers);
    }
}
