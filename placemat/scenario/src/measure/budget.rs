//! Budgets: what a measurement is held against. Requirements, so never stretched by `slowness`.

use super::convergence::{self, FaultSpan, RouteChange};
use super::gap::{longest_gap, longest_pause};
use crate::event::{Budget, Measurement, Verdict};
use crate::outcome::Outcome;
use crate::port::FlowRecord;
use crate::pressure::Pressure;
use crate::words::{count, percent, span, span_ms};
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
    /// Longest time from a fault to the last change of a route.
    pub(crate) max_convergence: Option<Duration>,
}

/// What a measurement saw beside its numbers. Times are on the run's clock.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen<'a> {
    pub(crate) records: &'a [FlowRecord],
    pub(crate) pressure: &'a Pressure,
    /// Faults within the measurement.
    pub(crate) faults: &'a [FaultSpan],
    pub(crate) changes: &'a [RouteChange],
    pub(crate) ended_ms: f64,
}

/// Fills in the budgets of a measurement and says how it ended.
pub(crate) fn judge(budgets: &Budgets, numbers: &mut Measurement, seen: &Seen<'_>) -> Outcome {
    let (records, pressure) = (seen.records, seen.pressure);
    let silent = numbers.flows.iter().filter(|flow| flow.sent == 0).count();
    if silent > 0 || numbers.flows.is_empty() {
        return Outcome::vacuous(format!(
            "{silent} of {} sent no packet, so nothing was measured",
            count(numbers.flows.len(), "flow", "flows")
        ));
    }
    numbers.host_waited = pressure.share();
    let slowest = convergence::slowest(seen.faults, seen.changes);
    if budgets.max_convergence.is_some() {
        numbers.convergence_ms = slowest.map(|slowest| slowest.length_ms);
    }
    numbers.budgets = rows(budgets, numbers);
    let (exposure, broken): (Vec<&Budget>, Vec<&Budget>) = numbers
        .budgets
        .iter()
        .filter(|budget| !budget.ok)
        .partition(|budget| budget.name == "min-exposed");
    if !broken.is_empty() {
        return exceeded(budgets, numbers, seen, &broken);
    }
    if let Some(exposure) = exposure.first() {
        let through = numbers.through.as_deref().unwrap_or("the target");
        return Outcome::vacuous(format!(
            "only {} of the flows crossed {through} before the fault, {} wanted: too little would be tested",
            exposure.measured, exposure.limit
        ));
    }
    if let Some(why) = unconverged(budgets, numbers, seen) {
        return Outcome::vacuous(why);
    }
    if let Some(limit) = budgets.max_gap {
        let pause = records.iter().map(longest_pause).fold(0.0, f64::max);
        if pause > limit.as_secs_f64() * 1000.0 {
            return Outcome::of(
                Verdict::Inconclusive,
                format!(
                    "the host was too busy to judge: a sender paused for {}, and a silence above the budget of {} within that would not have been seen",
                    span_ms(pause),
                    span(limit)
                ),
            );
        }
    }
    Outcome::pass()
}

/// Why nothing is known about convergence, where a budget for it is given.
fn unconverged(budgets: &Budgets, numbers: &Measurement, seen: &Seen<'_>) -> Option<String> {
    let limit = budgets.max_convergence?;
    let Some(lasted) = convergence::shortest(seen.faults, seen.ended_ms) else {
        return Some("no fault within the measurement, so nothing had to converge".to_owned());
    };
    if numbers.convergence_ms.is_none() {
        return Some("no route changed under the fault, so nothing converged".to_owned());
    }
    (lasted < limit.as_secs_f64() * 1000.0).then(|| {
        format!(
            "the fault lasted {}, less than the {} that convergence may take: hold it longer with `for`",
            span_ms(lasted),
            span(limit)
        )
    })
}

/// The outcome when budgets are broken: inconclusive where the host may be to blame for each.
fn exceeded(
    budgets: &Budgets,
    numbers: &Measurement,
    seen: &Seen<'_>,
    broken: &[&Budget],
) -> Outcome {
    let (records, pressure) = (seen.records, seen.pressure);
    let said: Vec<String> = broken.iter().map(|budget| said(budget)).collect();
    let mut lines = vec![said.join("; ")];
    lines.extend(worst_flows(numbers));
    let excuses = broken.iter().map(|budget| match budget.name.as_str() {
        "max-gap" => host_pause(budgets, numbers, records)
            .or_else(|| starved_in_gaps(budgets, numbers, pressure)),
        "max-loss" => starved_in_loss(budgets, numbers, pressure),
        "max-convergence" => starved_in_convergence(budgets, seen),
        _ => None,
    });
    if let Some(excuses) = excuses.collect::<Option<Vec<String>>>() {
        lines.extend(excuses);
        lines.push("the host was too busy to judge".to_owned());
        return Outcome::of(Verdict::Inconclusive, lines.join("\n"));
    }
    if let Some(share) = numbers.host_waited {
        lines.push(format!(
            "work on the host waited for a processor {} of the time",
            percent(share)
        ));
    }
    Outcome::fail(lines.join("\n"))
}

/// Whether the host was starved in every longest silence over budget.
fn starved_in_gaps(
    budgets: &Budgets,
    numbers: &Measurement,
    pressure: &Pressure,
) -> Option<String> {
    let limit = budgets.max_gap?.as_secs_f64() * 1000.0;
    let over = numbers.flows.iter().filter(|flow| flow.max_gap_ms > limit);
    let shares = over.map(|flow| {
        let (start, length) = (flow.gap_start_ms?, flow.max_gap_ms);
        pressure.excuses(start, start + length, length - limit)
    });
    let least = shares.collect::<Option<Vec<f64>>>()?;
    Some(format!(
        "work on the host waited for a processor {} of that silence",
        percent(least.into_iter().reduce(f64::min)?)
    ))
}

/// Whether the host was starved from the first long silence to the end of the last.
fn starved_in_loss(
    budgets: &Budgets,
    numbers: &Measurement,
    pressure: &Pressure,
) -> Option<String> {
    let silences = numbers.flows.iter().filter_map(|flow| {
        let start = flow.gap_start_ms?;
        Some((start, start + flow.max_gap_ms))
    });
    let (start, end) = silences.reduce(|(start, end), (s, e)| (start.min(s), end.max(e)))?;
    let sent = numbers.flows.iter().map(|flow| flow.sent).max()?;
    let whole = Duration::from_secs_f64(numbers.every_ms / 1000.0)
        .mul_f64(f64::from(u32::try_from(sent).ok()?));
    let excess = (numbers.loss - budgets.max_loss?) * whole.as_secs_f64() * 1000.0;
    let share = pressure.excuses(start, end, excess)?;
    Some(format!(
        "work on the host waited for a processor {} of the time in which packets were lost",
        percent(share)
    ))
}

/// Whether the host was starved while routes converged.
fn starved_in_convergence(budgets: &Budgets, seen: &Seen<'_>) -> Option<String> {
    let slowest = convergence::slowest(seen.faults, seen.changes)?;
    let excess = slowest.length_ms - budgets.max_convergence?.as_secs_f64() * 1000.0;
    let (start, end) = (slowest.start_ms, slowest.start_ms + slowest.length_ms);
    let share = seen.pressure.excuses(start, end, excess)?;
    Some(format!(
        "work on the host waited for a processor {} of the time of convergence",
        percent(share)
    ))
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
    if let (Some(limit), Some(took)) = (budgets.max_convergence, numbers.convergence_ms) {
        rows.push(Budget {
            name: "max-convergence".to_owned(),
            limit: span(limit),
            measured: span_ms(took),
            ok: took <= limit.as_secs_f64() * 1000.0,
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
        "max-convergence" => format!(
            "routes changed for {} after the fault, budget {}",
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
fn host_pause(budgets: &Budgets, numbers: &Measurement, records: &[FlowRecord]) -> Option<String> {
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
    let pause = span_ms(longest?);
    Some(format!(
        "the sender itself paused for {pause} in that silence"
    ))
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
        let through = exposed.map(|_| "router/spine-1".to_owned());
        of_one_flow(record, exposed, through)
    }

    /// A sender that paused for 1.49 s between its second and third datagram.
    fn with_a_pause(received: Vec<Option<f64>>) -> (Measurement, Vec<FlowRecord>) {
        let sent = vec![0.0, 10.0, 1500.0, 1510.0];
        of_one_flow(FlowRecord { sent, received }, None, None)
    }

    fn of_one_flow(
        record: FlowRecord,
        exposed: Option<bool>,
        through: Option<String>,
    ) -> (Measurement, Vec<FlowRecord>) {
        let flow = ChosenFlow {
            name: "node/a -> node/b :40001".to_owned(),
            exposed,
        };
        let records = vec![record];
        (measurement(&[flow], &records, 10.0, through, 0.0), records)
    }

    fn verdict(budgets: Budgets, measured: (Measurement, Vec<FlowRecord>)) -> String {
        verdict_under(
            &Pressure::of(&[(0.0, 0.0), (2000.0, 40.0)]),
            budgets,
            measured,
        )
    }

    fn verdict_under(
        pressure: &Pressure,
        budgets: Budgets,
        (mut numbers, records): (Measurement, Vec<FlowRecord>),
    ) -> String {
        let seen = Seen {
            records: &records,
            pressure,
            faults: &[],
            changes: &[],
            ended_ms: 2000.0,
        };
        let outcome = judge(&budgets, &mut numbers, &seen);
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
        max_convergence: None,
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
        insta::assert_snapshot!(verdict(
            BUDGETS,
            with_a_pause(vec![Some(1.0), None, Some(1501.0), Some(1511.0)])
        ));
    }

    #[test]
    fn a_starved_host_is_inconclusive_where_it_explains_the_excess() {
        let starved = Pressure::of(&[(0.0, 0.0), (2000.0, 1800.0)]);
        let over = || numbers(10..150, Some(true));
        insta::assert_snapshot!(verdict_under(&starved, BUDGETS, over()));
        let strict = Budgets {
            max_gap: Some(Duration::from_millis(50)),
            ..BUDGETS
        };
        insta::assert_snapshot!(verdict_under(&starved, strict, over()));
        assert_eq!(
            verdict_under(&starved, BUDGETS, numbers(10..50, Some(true))),
            "Pass: ",
            "nothing was exceeded"
        );
    }

    #[test]
    fn a_pause_of_the_sender_that_could_hide_a_silence_is_inconclusive() {
        insta::assert_snapshot!(verdict(
            BUDGETS,
            with_a_pause(vec![Some(1.0), Some(11.0), Some(1501.0), Some(1511.0)])
        ));
    }

    #[test]
    fn a_flow_that_sent_nothing_tests_nothing() {
        let (good, mut records) = numbers(0..0, None);
        records.push(FlowRecord::default());
        let flows = ["a", "b"].map(|name| ChosenFlow {
            name: name.to_owned(),
            exposed: None,
        });
        let both = measurement(&flows, &records, good.every_ms, None, 0.0);
        insta::assert_snapshot!(verdict(BUDGETS, (both, records)));
    }

    #[test]
    fn losses_of_flows_that_miss_the_target_are_a_failure_all_the_same() {
        insta::assert_snapshot!(verdict(BUDGETS, numbers(10..150, Some(false))));
    }
}
