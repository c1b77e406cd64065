//! Budgets: what a measurement is held against. Requirements, so never stretched by `slowness`.

use super::gap::longest_gap;
use crate::event::{Budget, Measurement, Verdict};
use crate::outcome::Outcome;
use crate::port::FlowRecord;
use crate::words::{percent, span, span_ms};
use std::time::Duration;

/// `expect:` of a `measure` step. Shares are 0 to 1.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Budgets {
    /// Least share of flows that crossed the target before the fault.
    pub(crate) min_exposed: Option<f64>,
    /// Longest silence of any flow.
    pub(crate) max_gap: Option<Duration>,
    /// Largest share of packets lost.
    pub(crate) max_loss: Option<f64>,
}

/// Fills in the budgets of a measurement and says how it ended.
pub(crate) fn judge(
    budgets: &Budgets,
    numbers: &mut Measurement,
    records: &[FlowRecord],
) -> Outcome {
    if numbers.flows.iter().all(|flow| flow.sent == 0) {
        return Outcome::vacuous("no packet was sent, so nothing was measured");
    }
    numbers.budgets = rows(budgets, numbers);
    let broken: Vec<&Budget> = numbers.budgets.iter().filter(|budget| !budget.ok).collect();
    if let Some(exposure) = broken.iter().find(|budget| budget.name == "min-exposed") {
        let through = numbers.through.as_deref().unwrap_or("the target");
        return Outcome::vacuous(format!(
            "only {} of the flows crossed {through} before the fault, {} wanted: too little would be tested",
            exposure.measured, exposure.limit
        ));
    }
    let Some(first) = broken.first() else {
        return Outcome::pass();
    };
    let mut lines = vec![
        broken
            .iter()
            .map(|b| said(b))
            .collect::<Vec<_>>()
            .join("; "),
    ];
    lines.extend(worst_flows(numbers));
    if first.name == "max-gap"
        && broken.len() == 1
        && let Some(pause) = host_pause(budgets, numbers, records)
    {
        lines.push(format!(
            "the sender itself paused for {} in that silence: the host was too busy to judge",
            span_ms(pause)
        ));
        return Outcome::of(Verdict::Inconclusive, lines.join("\n"));
    }
    Outcome::fail(lines.join("\n"))
}

fn rows(budgets: &Budgets, numbers: &Measurement) -> Vec<Budget> {
    let mut rows = Vec::new();
    if let Some(exposed) = numbers.exposed {
        // Even without a stated share, flows that never cross the target test nothing.
        let least = budgets.min_exposed.unwrap_or(f64::MIN_POSITIVE);
        rows.push(Budget {
            name: "min-exposed".to_owned(),
            limit: budgets
                .min_exposed
                .map_or_else(|| "one flow".to_owned(), percent),
            measured: percent(exposed),
            ok: exposed >= least,
        });
    }
    if let Some(limit) = budgets.max_gap {
        rows.push(Budget {
            name: "max-gap".to_owned(),
            limit: span(limit),
            measured: span_ms(numbers.max_gap_ms),
            ok: numbers.max_gap_ms <= limit.as_secs_f64() * 1000.0,
        });
    }
    if let Some(limit) = budgets.max_loss {
        rows.push(Budget {
            name: "max-loss".to_owned(),
            limit: percent(limit),
            measured: percent(numbers.loss),
            ok: numbers.loss <= limit,
        });
    }
    rows
}

fn said(budget: &Budget) -> String {
    match budget.name.as_str() {
        "max-gap" => {
            format!(
                "longest silence {}, budget {}",
                budget.measured, budget.limit
            )
        }
        "max-loss" => format!(
            "{} of packets lost, budget {}",
            budget.measured, budget.limit
        ),
        name => format!("{name} {}, budget {}", budget.measured, budget.limit),
    }
}

fn worst_flows(numbers: &Measurement) -> Vec<String> {
    let mut flows: Vec<_> = numbers.flows.iter().filter(|flow| flow.lost > 0).collect();
    flows.sort_by(|a, b| b.max_gap_ms.total_cmp(&a.max_gap_ms));
    let exposed = |flow: &crate::event::FlowMeasurement| match flow.exposed {
        Some(true) => ", crossed the target before",
        Some(false) => ", did not cross the target before",
        None => "",
    };
    crate::words::capped(
        flows.iter().map(|flow| {
            format!(
                "{}: {} of {} lost, silent for {}{}",
                flow.name,
                flow.lost,
                flow.sent,
                span_ms(flow.max_gap_ms),
                exposed(flow)
            )
        }),
        5,
    )
}

/// The pause of the sender, when every silence over budget is explained by one: without the pause
/// it would have been within budget.
fn host_pause(budgets: &Budgets, numbers: &Measurement, records: &[FlowRecord]) -> Option<f64> {
    let limit = budgets.max_gap?.as_secs_f64() * 1000.0;
    let mut longest: Option<f64> = None;
    for record in records {
        let Some(gap) = longest_gap(record, numbers.every_ms) else {
            continue;
        };
        if gap.length_ms() <= limit {
            continue;
        }
        if gap.length_ms() - gap.sender_pause_ms > limit {
            return None;
        }
        longest = Some(longest.unwrap_or(0.0).max(gap.sender_pause_ms));
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::{ChosenFlow, measurement};

    fn numbers(
        lost: std::ops::Range<u32>,
        exposed: Option<bool>,
    ) -> (Measurement, Vec<FlowRecord>) {
        let record = FlowRecord {
            sent: (0..200u32).map(|i| f64::from(i) * 10.0).collect(),
            received: (0..200u32)
                .map(|i| (!lost.contains(&i)).then_some(f64::from(i) * 10.0 + 1.0))
                .collect(),
        };
        let flow = ChosenFlow {
            name: "node/a -> node/b :40001".to_owned(),
            exposed,
        };
        let records = vec![record];
        let through = exposed.map(|_| "router/spine-1".to_owned());
        (measurement(&[flow], &records, 10.0, through, 0.0), records)
    }

    fn verdict(budgets: Budgets, (mut numbers, records): (Measurement, Vec<FlowRecord>)) -> String {
        let outcome = judge(&budgets, &mut numbers, &records);
        format!(
            "{:?}: {}",
            outcome.verdict,
            outcome.message.unwrap_or_default()
        )
    }

    const BUDGETS: Budgets = Budgets {
        min_exposed: Some(0.25),
        max_gap: Some(Duration::from_secs(1)),
        max_loss: Some(0.3),
    };

    #[test]
    fn within_budget_passes() {
        assert_eq!(verdict(BUDGETS, numbers(10..50, Some(true))), "Pass: ");
    }

    #[test]
    fn over_budget_names_the_worst_flows() {
        insta::assert_snapshot!(verdict(BUDGETS, numbers(10..150, Some(true))));
    }

    #[test]
    fn flows_that_miss_the_target_test_nothing() {
        insta::assert_snapshot!(verdict(BUDGETS, numbers(0..0, Some(false))));
        let unstated = Budgets {
            min_exposed: None,
            ..BUDGETS
        };
        insta::assert_snapshot!(verdict(unstated, numbers(0..0, Some(false))));
    }

    #[test]
    fn a_starved_sender_is_inconclusive() {
        let record = FlowRecord {
            sent: vec![0.0, 10.0, 1500.0, 1510.0],
            received: vec![Some(1.0), None, Some(1501.0), Some(1511.0)],
        };
        let flow = ChosenFlow {
            name: "node/a -> node/b :40001".to_owned(),
            exposed: None,
        };
        let records = vec![record];
        let numbers = measurement(&[flow], &records, 10.0, None, 0.0);
        insta::assert_snapshot!(verdict(BUDGETS, (numbers, records)));
    }
}
