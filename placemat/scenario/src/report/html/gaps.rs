//! Measured gaps: for each `measure` step the longest silence of every flow, sorted, against the
//! budget. Exposed flows are filled, unexposed hollow, so that the reader sees who could suffer.

use super::super::timeline::{FaultRun, Run, ScenarioRun, Step};
use super::super::words;
use super::chart::{Scale, fault_words, rounded};
use super::steps;
use crate::event::{FlowMeasurement, Measurement};
use serde::Serialize;

/// Height of the plot in pixels.
const HEIGHT: f64 = 160.0;
/// Flows drawn and listed in all charts together, about: the worst ones of each.
const FLOWS: usize = 2_048;

/// One chart.
#[derive(Serialize)]
pub(super) struct Chart {
    scenario: String,
    step: String,
    name: String,
    anchor: String,
    verdict: &'static str,
    glyph: &'static str,
    through: Option<String>,
    faults: String,
    summary: String,
    height: f64,
    grid: Vec<(f64, String)>,
    budget: Option<(f64, String)>,
    bars: Vec<Bar>,
    budgets: Vec<Budget>,
    waterfall: Vec<Stage>,
    hidden: usize,
}

#[derive(Serialize)]
struct Bar {
    x: f64,
    w: f64,
    y: f64,
    h: f64,
    class: &'static str,
    name: String,
    exposed: &'static str,
    gap: String,
    sent: u64,
    lost: u64,
    at: String,
}

#[derive(Serialize)]
struct Budget {
    name: String,
    limit: String,
    measured: String,
    ok: bool,
}

#[derive(Serialize)]
struct Stage {
    label: &'static str,
    x: f64,
    w: f64,
    text: String,
}

/// All measurements of a run.
pub(super) fn charts(run: &Run) -> Vec<Chart> {
    let steps = run
        .scenarios
        .iter()
        .flat_map(|s| s.steps.iter().map(move |step| (s, step)));
    let measured: Vec<_> = steps
        .filter_map(|(s, step)| Some((s, step, step.measurement.as_ref()?)))
        .collect();
    let share = (FLOWS / measured.len().max(1)).clamp(16, 256);
    measured
        .into_iter()
        .map(|(s, step, m)| chart(run, s, step, m, share))
        .collect()
}

fn chart(
    run: &Run,
    scenario: &ScenarioRun,
    step: &Step,
    measurement: &Measurement,
    share: usize,
) -> Chart {
    let limit = measurement
        .budgets
        .iter()
        .find(|b| b.name == "max-gap")
        .and_then(|b| words::parse_ms(&b.limit));
    let worst = measurement
        .flows
        .iter()
        .map(|f| f.max_gap_ms)
        .fold(measurement.max_gap_ms, f64::max);
    let top = worst
        .max(limit.unwrap_or(0.0))
        .max(4.0 * measurement.every_ms)
        .max(1.0)
        * 1.12;
    let height_of = |ms: f64| rounded(ms / top * HEIGHT);
    let mut flows: Vec<&FlowMeasurement> = measurement.flows.iter().collect();
    flows.sort_by(|a, b| b.max_gap_ms.total_cmp(&a.max_gap_ms));
    let hidden = flows.len().saturating_sub(share);
    flows.truncate(share);
    let slots = Scale::until(u32::try_from(flows.len().max(8)).map_or(f64::MAX, f64::from));
    let bars = flows.iter().zip(0_u32..).map(|(flow, i)| {
        let (x, w) = slots.span(f64::from(i), Some(f64::from(i) + 0.7));
        let h = height_of(flow.max_gap_ms).max(1.5);
        bar(flow, (x, w), h)
    });
    let inside = format!("{}.", step.path);
    let own = |f: &&FaultRun| f.scenario == scenario.name && f.path.starts_with(&inside);
    let faults: Vec<&FaultRun> = run.faults.iter().filter(own).collect();
    Chart {
        scenario: scenario.name.clone(),
        step: step.path.clone(),
        name: step.name.clone(),
        anchor: steps::anchor(run, scenario, step),
        verdict: words::verdict(step.verdict),
        glyph: words::glyph(step.verdict),
        through: measurement.through.clone(),
        faults: faults
            .iter()
            .map(|f| fault_words(run, f))
            .collect::<Vec<_>>()
            .join(", "),
        summary: summary(measurement),
        height: HEIGHT,
        grid: grid(top)
            .into_iter()
            .map(|ms| (HEIGHT - height_of(ms), words::duration(ms)))
            .collect(),
        budget: limit.map(|ms| (HEIGHT - height_of(ms), words::duration(ms))),
        bars: bars.collect(),
        budgets: measurement.budgets.iter().map(budget).collect(),
        waterfall: waterfall(&faults, measurement),
        hidden,
    }
}

fn bar(flow: &FlowMeasurement, (x, w): (f64, f64), h: f64) -> Bar {
    let (class, exposed) = match flow.exposed {
        Some(true) => ("exposed", "yes"),
        Some(false) => ("unexposed", "no"),
        None => ("unknown", "not known"),
    };
    Bar {
        x,
        w,
        y: rounded(HEIGHT - h),
        h,
        class,
        name: flow.name.clone(),
        exposed,
        gap: words::duration(flow.max_gap_ms),
        sent: flow.sent,
        lost: flow.lost,
        at: flow.gap_start_ms.map(words::duration).unwrap_or_default(),
    }
}

fn budget(budget: &crate::event::Budget) -> Budget {
    Budget {
        name: budget.name.clone(),
        limit: budget.limit.clone(),
        measured: budget.measured.clone(),
        ok: budget.ok,
    }
}

fn summary(measurement: &Measurement) -> String {
    let exposed = measurement.exposed.map_or_else(String::new, |share| {
        format!(", {:.0} % exposed", share * 100.0)
    });
    let host = measurement.host_waited.map_or_else(String::new, |share| {
        format!(
            "; host short of processors {:.0} % of the time",
            share * 100.0
        )
    });
    format!(
        "{} every {}{exposed}; longest silence {}, {:.2} % lost{host}",
        words::count(measurement.flows.len(), "flow", "flows"),
        words::duration(measurement.every_ms),
        words::duration(measurement.max_gap_ms),
        measurement.loss * 100.0,
    )
}

/// Round values for up to five lines.
fn grid(top: f64) -> Vec<f64> {
    let rough = top / 4.0;
    let magnitude = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|m| m * magnitude)
        .find(|s| *s >= rough)
        .unwrap_or(rough);
    (1..=5_u32)
        .map(|i| f64::from(i) * step)
        .filter(|ms| *ms < top)
        .collect()
}

/// From the fault's application: when it was seen, when traffic suffered, when it was undone.
fn waterfall(faults: &[&FaultRun], measurement: &Measurement) -> Vec<Stage> {
    let Some(fault) = faults.first() else {
        return Vec::new();
    };
    // With several faults it is the slowest one's, and does not say whose.
    let converged = measurement
        .convergence_ms
        .filter(|_| faults.len() == 1)
        .map(|took| fault.applied_ms + took);
    let gaps = measurement
        .flows
        .iter()
        .filter(|f| f.max_gap_ms > 2.0 * measurement.every_ms);
    let gaps = gaps.filter_map(|f| f.gap_start_ms.map(|start| (start, start + f.max_gap_ms)));
    let gap = gaps.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
    let zero = fault.applied_ms.min(gap.map_or(f64::MAX, |g| g.0));
    let healed = fault.healed_ms.unwrap_or(fault.applied_ms);
    let observed = fault.observed_ms.unwrap_or(fault.applied_ms);
    let end = healed
        .max(observed)
        .max(gap.map_or(0.0, |g| g.1))
        .max(converged.unwrap_or(0.0));
    let scale = Scale::until(end - zero);
    let stage = |label, start: f64, end: f64| {
        let (x, w) = scale.span(start - zero, Some(end - zero));
        Stage {
            label,
            x,
            w,
            text: words::duration(end - start),
        }
    };
    let mut stages = Vec::new();
    if let Some(observed) = fault.observed_ms {
        stages.push(stage("applied to observed", fault.applied_ms, observed));
    }
    if let Some(converged) = converged {
        stages.push(stage(
            "applied to last route change",
            fault.applied_ms,
            converged,
        ));
    }
    if let Some((start, end)) = gap {
        stages.push(stage("first silence to last arrival", start, end));
    }
    if let Some(healed) = fault.healed_ms {
        stages.push(stage("fault in place", fault.applied_ms, healed));
    }
    stages
}
