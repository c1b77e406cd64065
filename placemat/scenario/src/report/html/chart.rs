//! The head of the timeline: time axis, scenarios, steps as a flame, fault columns, silences.

use super::super::timeline::{FaultRun, Run, ScenarioRun, Step};
use super::super::words;
use super::steps;
use serde::Serialize;

/// Rows of the step flame: deeper steps are in the step list.
const FLAME_DEPTH: usize = 3;

/// Steps drawn in the flame at most.
const FLAME: usize = 1_500;

/// Turns the run's clock into percent of the chart's width.
pub(super) struct Scale {
    end_ms: f64,
}

impl Scale {
    /// The whole run.
    pub(super) fn of(run: &Run) -> Self {
        Self::until(run.end_ms)
    }

    /// From 0 to `end_ms`.
    pub(super) fn until(end_ms: f64) -> Self {
        Self {
            end_ms: end_ms.max(1.0),
        }
    }

    /// Position in percent.
    pub(super) fn at(&self, t_ms: f64) -> f64 {
        rounded(t_ms / self.end_ms * 100.0)
    }

    /// A stretch: position and width in percent; to the end when it never ended.
    pub(super) fn span(&self, start_ms: f64, end_ms: Option<f64>) -> (f64, f64) {
        let end_ms = end_ms.unwrap_or(self.end_ms).max(start_ms);
        (
            self.at(start_ms),
            rounded((end_ms - start_ms) / self.end_ms * 100.0),
        )
    }

    /// Around eight round moments.
    pub(super) fn ticks(&self) -> Vec<(f64, String)> {
        const STEPS: [f64; 16] = [
            0.01, 0.05, 0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0,
            1800.0, 3600.0,
        ];
        let wanted = self.end_ms / 1e3 / 10.0;
        let step = STEPS
            .into_iter()
            .find(|step| *step >= wanted)
            .unwrap_or(7200.0)
            * 1e3;
        let mut ticks = Vec::new();
        let mut t = 0.0;
        while t < self.end_ms && ticks.len() < 100 {
            ticks.push((self.at(t), tick_label(t, step)));
            t += step;
        }
        ticks
    }
}

fn tick_label(t_ms: f64, step_ms: f64) -> String {
    let seconds = t_ms / 1e3;
    if step_ms < 1e3 {
        return format!("{seconds:.2} s");
    }
    if seconds < 60.0 {
        return format!("{seconds:.0} s");
    }
    format!("{:.0}:{:02.0}", (seconds / 60.0).floor(), seconds % 60.0)
}

/// Three decimals are below a pixel on any screen, and keep the file small.
pub(super) fn rounded(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}

/// All that stands above the lanes, and the columns that run through them.
#[derive(Serialize)]
pub(super) struct Chart {
    end: f64,
    ticks: Vec<(f64, String)>,
    phases: Vec<Bar>,
    scenarios: Vec<Bar>,
    flame: Vec<Bar>,
    flame_height: usize,
    faults: Vec<FaultBar>,
    fault_rows: usize,
    failures: Vec<Moment>,
    silences: Vec<Bar>,
}

/// A labelled stretch.
#[derive(Serialize)]
struct Bar {
    x: f64,
    w: f64,
    row: usize,
    class: String,
    label: String,
    title: String,
    anchor: String,
}

/// A fault: tinted from application to healing, darker once observed.
#[derive(Serialize)]
struct FaultBar {
    x: f64,
    w: f64,
    end: f64,
    observed: Option<(f64, f64)>,
    row: usize,
    label: String,
    flip: bool,
    title: String,
    open: bool,
}

/// A moment worth a line through everything.
#[derive(Serialize)]
struct Moment {
    x: f64,
    kind: &'static str,
    glyph: &'static str,
    title: String,
}

/// Builds it.
pub(super) fn chart(run: &Run, scale: &Scale) -> Chart {
    let flame: Vec<Bar> = run
        .scenarios
        .iter()
        .flat_map(|s| flame(run, s, scale))
        .take(FLAME)
        .collect();
    let faults = faults(run, scale);
    Chart {
        end: run.end_ms,
        ticks: scale.ticks(),
        phases: phases(run, scale),
        scenarios: run
            .scenarios
            .iter()
            .map(|s| scenario(run, s, scale))
            .collect(),
        flame_height: flame.iter().map(|bar| bar.row + 1).max().unwrap_or(0) * 10,
        flame,
        fault_rows: faults.iter().map(|fault| fault.row + 1).max().unwrap_or(0),
        faults,
        failures: failures(run, scale),
        silences: silences(run, scale),
    }
}

fn phases(run: &Run, scale: &Scale) -> Vec<Bar> {
    let ends = run
        .phases
        .iter()
        .skip(1)
        .map(|(t, _)| Some(*t))
        .chain([None]);
    let bars = run.phases.iter().zip(ends).map(|((t, phase), end)| {
        let (x, w) = scale.span(*t, end);
        let label = words::lab_phase(*phase).to_owned();
        let title = format!("{label} from {}", words::duration(*t));
        Bar {
            x,
            w,
            row: 0,
            class: "phase".to_owned(),
            label,
            title,
            anchor: String::new(),
        }
    });
    bars.collect()
}

fn scenario(run: &Run, scenario: &ScenarioRun, scale: &Scale) -> Bar {
    let (x, w) = scale.span(scenario.start_ms, scenario.end_ms);
    let (verdict, glyph) = (
        words::verdict(scenario.verdict),
        words::glyph(scenario.verdict),
    );
    let took = words::duration(run.elapsed_ms(scenario));
    Bar {
        x,
        w,
        row: 0,
        class: verdict.to_owned(),
        label: format!("{glyph} {}", scenario.name),
        title: format!("{}: {verdict}, {took}", scenario.name),
        anchor: steps::scenario_anchor(run, scenario),
    }
}

fn flame(run: &Run, scenario: &ScenarioRun, scale: &Scale) -> Vec<Bar> {
    let depth = |step: &Step| {
        let above = |s: &Step| s.parent.map(|p| &scenario.steps[p]);
        std::iter::successors(above(step), |s| above(s)).count()
    };
    let bar = |step: &Step| {
        let (x, w) = scale.span(step.start_ms, step.end_ms);
        let gate = if step.kind == "steady-state" {
            " gate"
        } else {
            ""
        };
        let took = words::duration(step.end_ms.unwrap_or(run.end_ms) - step.start_ms);
        let verdict = words::verdict(step.verdict);
        Bar {
            x,
            w,
            row: depth(step),
            class: format!("{verdict}{gate}"),
            label: String::new(),
            title: format!(
                "{} {} {}: {} ({verdict}, {took})",
                scenario.name, step.path, step.kind, step.name
            ),
            anchor: steps::anchor(run, scenario, step),
        }
    };
    scenario
        .steps
        .iter()
        .map(bar)
        .filter(|bar| bar.row < FLAME_DEPTH)
        .collect()
}

fn faults(run: &Run, scale: &Scale) -> Vec<FaultBar> {
    // Stretches taken in each row, bars and labels alike.
    let mut rows: Vec<Vec<(f64, f64)>> = Vec::new();
    let bars = run.faults.iter().take(200).map(|fault| {
        let (x, w) = scale.span(fault.applied_ms, fault.healed_ms);
        let label = fault_words(run, fault);
        let needs = label_width(&label);
        let flip = x + needs > 100.0;
        let taken = if flip {
            (x - needs, x + w)
        } else {
            (x, (x + w).max(x + needs))
        };
        let free = |row: &Vec<(f64, f64)>| {
            row.iter()
                .all(|other| taken.1 <= other.0 || other.1 <= taken.0)
        };
        let row = rows.iter().position(free).unwrap_or(rows.len());
        if row == rows.len() {
            rows.push(Vec::new());
        }
        rows[row].push(taken);
        FaultBar {
            x,
            w,
            end: rounded(x + w),
            observed: fault.observed_ms.map(|t| scale.span(t, fault.healed_ms)),
            row,
            label,
            flip,
            title: fault_title(fault),
            open: fault.healed_ms.is_none(),
        }
    });
    bars.collect()
}

/// Percent of the chart that a label is expected to take: about 7 of 1000 pixels a character.
fn label_width(label: &str) -> f64 {
    u32::try_from(label.chars().count()).map_or(100.0, |n| 3.0 + f64::from(n) * 0.74)
}

/// `carrier-down router/spine-1`.
pub(super) fn fault_words(run: &Run, fault: &FaultRun) -> String {
    format!("{} {}", fault.kind, words::targets(run, &fault.targets))
}

fn fault_title(fault: &FaultRun) -> String {
    let after = |t: Option<f64>, never: &str| match t {
        Some(t) => format!("after {}", words::duration(t - fault.applied_ms)),
        None => never.to_owned(),
    };
    format!(
        "{} {} ({} {})\napplied at {}\nobserved {}\nhealed {}",
        fault.kind,
        fault.targets.join(", "),
        fault.scenario,
        fault.path,
        words::duration(fault.applied_ms),
        after(fault.observed_ms, "never"),
        after(fault.healed_ms, "not before the events end"),
    )
}

fn failures(run: &Run, scale: &Scale) -> Vec<Moment> {
    let mut moments = Vec::new();
    for scenario in &run.scenarios {
        for step in scenario.culprits() {
            let title = format!(
                "{} {}: {}",
                scenario.name,
                step.path,
                words::verdict(step.verdict)
            );
            if let Some(end) = step.end_ms {
                moments.push(Moment {
                    x: scale.at(end),
                    kind: words::verdict(step.verdict),
                    glyph: words::glyph(step.verdict),
                    title: title.clone(),
                });
            }
            if let Some(late) = step.late_ms {
                moments.push(Moment {
                    x: scale.at(step.start_ms + late),
                    kind: "late",
                    glyph: "◇",
                    title: format!("{title}, came true late"),
                });
            }
        }
    }
    moments
}

/// The longest silence of each flow, where it happened.
fn silences(run: &Run, scale: &Scale) -> Vec<Bar> {
    let measured = run
        .scenarios
        .iter()
        .flat_map(|s| &s.steps)
        .filter_map(|s| s.measurement.as_ref());
    let flows = measured.flat_map(|m| m.flows.iter().map(move |flow| (m, flow)));
    let real = flows.filter_map(|(m, flow)| {
        let start = flow
            .gap_start_ms
            .filter(|_| flow.max_gap_ms > 2.0 * m.every_ms)?;
        let (x, w) = scale.span(start, Some(start + flow.max_gap_ms));
        let title = format!(
            "{}: silent for {}",
            flow.name,
            words::duration(flow.max_gap_ms)
        );
        Some(Bar {
            x,
            w,
            row: 0,
            class: "silence".to_owned(),
            label: String::new(),
            title,
            anchor: String::new(),
        })
    });
    real.take(500).collect()
}
