//! The HTML report: one file without scripts it would need, fonts, or any other request. Geometry
//! is computed here as percentages of the run's length, so that charts are fluid and text is never
//! stretched; the template only places it. Size is bounded by caps on what is drawn, all of them
//! said in the page.

use super::timeline::{Run, ScenarioRun, is_bad};
use super::{failure, words};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use serde::Serialize;

mod boots;
mod chart;
mod gaps;
mod lanes;
mod steps;

use chart::Scale;

const TEMPLATE: &str = include_str!("../../templates/report.html");
const STYLE: &str = include_str!("../../templates/report.css");
const SCRIPT: &str = include_str!("../../templates/report.js");

/// The whole page, as the template sees it.
#[derive(Serialize)]
struct Page<'a> {
    style: &'static str,
    script: &'static str,
    head: Head<'a>,
    chart: chart::Chart,
    groups: Vec<lanes::Group>,
    lanes_hidden: usize,
    gaps: Vec<gaps::Chart>,
    scenarios: Vec<steps::Scenario>,
    not_run: Vec<&'a str>,
    boots: boots::Table,
    slowest: Vec<steps::Slow>,
    slept: Option<String>,
    notes: Vec<(String, &'a str)>,
}

#[derive(Serialize)]
struct Head<'a> {
    suite: &'a str,
    verdict: &'static str,
    glyph: &'static str,
    summary: String,
    unfinished: bool,
    facts: Vec<(&'static str, String)>,
    host: &'a [(String, String)],
    rerun: Option<String>,
    failures: Vec<Failure>,
}

#[derive(Serialize)]
struct Failure {
    anchor: String,
    name: String,
    verdict: &'static str,
    glyph: &'static str,
    place: String,
    text: String,
    rerun: Option<String>,
}

/// Renders the page.
pub(super) fn render(run: &Run) -> String {
    let scale = Scale::of(run);
    let (groups, lanes_hidden) = lanes::groups(run, &scale);
    let mut budget = steps::EvidenceBudget::default();
    let page = Page {
        style: STYLE,
        script: SCRIPT,
        head: head(run),
        chart: chart::chart(run, &scale),
        groups,
        lanes_hidden,
        gaps: gaps::charts(run),
        scenarios: steps::scenarios(run, &mut budget),
        not_run: run.not_run().collect(),
        boots: boots::table(run),
        slowest: steps::slowest(run),
        slept: steps::slept(run),
        notes: run
            .notes
            .iter()
            .take(200)
            .map(|n| (words::duration(n.t_ms), n.text.as_str()))
            .collect(),
    };
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let mut syntax = SyntaxConfig::builder();
    syntax.trim_blocks(true).lstrip_blocks(true);
    let rendered = syntax.build().and_then(|syntax| {
        environment.set_syntax(syntax);
        environment.render_str(TEMPLATE, Serde(&page))
    });
    // The template is part of the program: every branch of it is under test.
    rendered.unwrap_or_else(|error| {
        format!("<!doctype html><pre>the report's template is broken: {error:#}</pre>")
    })
}

fn head(run: &Run) -> Head<'_> {
    let mut facts = vec![("wall time", words::duration(run.end_ms))];
    let began = words::moment(&run.began);
    let known = [
        ("began", &began),
        ("data center", &run.dc),
        ("placemat", &run.version),
        ("run", &run.id),
    ];
    facts.extend(
        known
            .into_iter()
            .filter(|(_, v)| !v.is_empty())
            .map(|(k, v)| (k, v.clone())),
    );
    if let Some(seed) = run.seed {
        facts.insert(1, ("seed", seed.to_string()));
    }
    let boots: usize = run.lanes.iter().map(|lane| lane.boots.len()).sum();
    facts.push(("boots", boots.to_string()));
    facts.push(("faults", run.faults.len().to_string()));
    let failures = run
        .final_attempts()
        .filter(|s| s.verdict.is_none_or(is_bad));
    Head {
        suite: if run.suite.is_empty() {
            "placemat"
        } else {
            &run.suite
        },
        verdict: words::verdict(run.verdict),
        glyph: words::glyph(run.verdict),
        summary: words::tally(run),
        unfinished: run.verdict.is_none(),
        facts,
        host: &run.host,
        rerun: run.rerun(None),
        failures: failures
            .map(|scenario| failure_view(run, scenario))
            .collect(),
    }
}

fn failure_view(run: &Run, scenario: &ScenarioRun) -> Failure {
    let culprit = scenario
        .culprits()
        .first()
        .map(|step| steps::anchor(run, scenario, step));
    let current = || {
        scenario
            .current_step()
            .map(|step| steps::anchor(run, scenario, step))
    };
    Failure {
        anchor: culprit
            .or_else(current)
            .unwrap_or_else(|| steps::scenario_anchor(run, scenario)),
        name: scenario.name.clone(),
        verdict: words::verdict(scenario.verdict),
        glyph: words::glyph(scenario.verdict),
        place: words::loc(&scenario.loc),
        text: failure::lines(run, scenario).join("\n"),
        rerun: run.rerun(Some(scenario)),
    }
}
