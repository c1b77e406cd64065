//! JUnit: a suite a file, a case a scenario. Verdicts map to what CI servers know: `inconclusive`
//! is an error (nobody was wrong, it could not be judged), `vacuous` a failure, a scenario that
//! passed on retry a success with `flakyFailure`s. Measurements and seed are properties.

use super::timeline::{Run, ScenarioRun};
use super::{failure, words};
use crate::event::{Measurement, Verdict};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestRerun, TestSuite};
use std::time::Duration;

/// Renders the file.
pub(super) fn render(run: &Run) -> String {
    let name = if run.suite.is_empty() {
        "placemat"
    } else {
        &run.suite
    };
    let mut report = Report::new(name);
    report.set_time(seconds(run.end_ms));
    let mut files: Vec<&str> = Vec::new();
    for scenario in run.final_attempts() {
        if !files.contains(&scenario.loc.file.as_str()) {
            files.push(&scenario.loc.file);
        }
    }
    for file in files {
        let mut suite = new_suite(run, file);
        let mine = run
            .final_attempts()
            .filter(|scenario| scenario.loc.file == file);
        let mut total = 0.0;
        for scenario in mine {
            total += run.elapsed_ms(scenario);
            suite.add_test_case(case(run, scenario));
        }
        suite.set_time(seconds(total));
        report.add_test_suite(suite);
    }
    let mut not_run = run.not_run().peekable();
    if not_run.peek().is_some() {
        let mut suite = new_suite(run, "not run");
        for name in not_run {
            let mut status = TestCaseStatus::skipped();
            status.set_message("the run ended before it began");
            suite.add_test_case(TestCase::new(name, status));
        }
        report.add_test_suite(suite);
    }
    // The only error is a failing writer, and a string does not fail.
    report.to_string().unwrap_or_default()
}

fn new_suite(run: &Run, name: &str) -> TestSuite {
    let mut suite = TestSuite::new(name);
    // A reader that knows the attribute's type refuses the file for a bad one.
    if run.began.parse::<jiff::Timestamp>().is_ok() {
        // A reader that knows the attribute's type refuses the file for a bad one.
        if run.began.parse::<jiff::Timestamp>().is_ok() {
            suite
                .extra
                .insert("timestamp".into(), run.began.as_str().into());
        }
    }
    let known = [("run", &run.id), ("dc", &run.dc), ("version", &run.version)];
    for (key, value) in known.into_iter().filter(|(_, value)| !value.is_empty()) {
        suite.add_property((key, value.as_str()));
    }
    if let Some(seed) = run.seed {
        suite.add_property(("seed", seed.to_string().as_str()));
    }
    for (key, value) in &run.host {
        suite.add_property((format!("host.{key}").as_str(), value.as_str()));
    }
    suite
}

fn case(run: &Run, scenario: &ScenarioRun) -> TestCase {
    let mut case = TestCase::new(scenario.name.as_str(), status(run, scenario));
    case.set_classname(scenario.loc.file.as_str());
    case.set_time(seconds(run.elapsed_ms(scenario)));
    case.extra
        .insert("file".into(), scenario.loc.file.as_str().into());
    case.extra
        .insert("line".into(), scenario.loc.line.to_string().into());
    case.add_property(("verdict", words::verdict(scenario.verdict)));
    if let Some(seed) = run.seed {
        case.add_property(("seed", seed.to_string().as_str()));
    }
    for step in &scenario.steps {
        if let Some(measurement) = &step.measurement {
            for (key, value) in numbers(measurement) {
                case.add_property((format!("{}.{key}", step.path).as_str(), value.as_str()));
            }
        }
    }
    case
}

fn numbers(measurement: &Measurement) -> Vec<(String, String)> {
    let mut numbers = vec![
        ("flows".to_owned(), measurement.flows.len().to_string()),
        (
            "max-gap-ms".to_owned(),
            format!("{:.1}", measurement.max_gap_ms),
        ),
        ("loss".to_owned(), format!("{:.4}", measurement.loss)),
    ];
    if let Some(exposed) = measurement.exposed {
        numbers.push(("exposed".to_owned(), format!("{exposed:.3}")));
    }
    for budget in &measurement.budgets {
        let word = if budget.ok { "held" } else { "broken" };
        let text = format!("{word}: {} of {}", budget.measured, budget.limit);
        numbers.push((format!("budget.{}", budget.name), text));
    }
    numbers
}

fn status(run: &Run, scenario: &ScenarioRun) -> TestCaseStatus {
    let mut status = match scenario.verdict {
        Some(Verdict::Pass) => TestCaseStatus::success(),
        Some(Verdict::Flaky) => return flaky(run, scenario),
        Some(Verdict::Skip) => TestCaseStatus::skipped(),
        Some(Verdict::Fail | Verdict::Vacuous) => {
            TestCaseStatus::non_success(NonSuccessKind::Failure)
        }
        Some(Verdict::Inconclusive) | None => TestCaseStatus::non_success(NonSuccessKind::Error),
    };
    if scenario.verdict == Some(Verdict::Pass) {
        return status;
    }
    status.set_type(words::verdict(scenario.verdict));
    status.set_message(message(scenario));
    if scenario.verdict != Some(Verdict::Skip) {
        status.set_description(description(run, scenario));
    }
    let earlier = run.earlier_attempts(scenario);
    status.add_reruns(earlier.map(|attempt| rerun(run, attempt)));
    status
}

/// Passed on retry: earlier attempts where the events have them, else one made from the message.
fn flaky(run: &Run, scenario: &ScenarioRun) -> TestCaseStatus {
    let mut status = TestCaseStatus::success();
    let mut attempts: Vec<TestRerun> = run
        .earlier_attempts(scenario)
        .map(|attempt| rerun(run, attempt))
        .collect();
    if attempts.is_empty() {
        attempts.push(rerun(run, scenario));
    }
    status.add_reruns(attempts);
    status
}

fn rerun(run: &Run, attempt: &ScenarioRun) -> TestRerun {
    let mut rerun = TestRerun::new(NonSuccessKind::Failure);
    rerun.set_time(seconds(run.elapsed_ms(attempt)));
    rerun.set_type(words::verdict(attempt.verdict));
    rerun.set_message(message(attempt));
    rerun.set_description(description(run, attempt));
    rerun
}

fn message(scenario: &ScenarioRun) -> String {
    let first = |text: &str| text.lines().next().unwrap_or_default().to_owned();
    let of_step = || {
        let culprit = scenario.culprits().into_iter().next()?;
        Some(first(culprit.message.as_deref().unwrap_or(&culprit.name)))
    };
    let own = scenario.message.as_deref().map(first);
    own.or_else(of_step)
        .unwrap_or_else(|| words::verdict(scenario.verdict).to_owned())
}

fn description(run: &Run, scenario: &ScenarioRun) -> String {
    let mut lines = vec![format!("{} {}", words::loc(&scenario.loc), scenario.name)];
    lines.extend(failure::lines(run, scenario));
    if let Some(command) = run.rerun(Some(scenario)) {
        lines.push(format!("rerun: {command}"));
    }
    lines.join("\n")
}

fn seconds(ms: f64) -> Duration {
    Duration::try_from_secs_f64(ms.max(0.0) / 1e3).unwrap_or_default()
}
