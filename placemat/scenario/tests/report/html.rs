//! The HTML report: whole, safe, and small.

use super::{RUNS, event, events, keep, plain, screen};
use placemat_scenario::event::{Event, Loc, Verdict, What};
use placemat_scenario::report::{Options, render_html, render_junit};
use placemat_spec::event::{BootPhase, LabEvent, LabEventKind};

#[test]
fn html_holds_every_scenario_and_asks_for_nothing() {
    for (name, scenarios) in RUNS {
        let html = render_html(&events(name));
        keep(&format!("{name}.html"), &html);
        assert!(
            html.trim_start().starts_with("<!doctype html>"),
            "{name}: {html:.200}"
        );
        for scenario in scenarios {
            assert!(
                html.contains(&format!("<b>{scenario}</b>")),
                "{name}: {scenario}"
            );
        }
        for request in [
            "http://", "https://", "src=", "@import", "<link", "url(\"", "url(h",
        ] {
            assert!(!html.contains(request), "{name} contains {request}");
        }
        assert!(html.len() < 400_000, "{name}: {} bytes", html.len());
    }
}

#[test]
fn html_tags_are_balanced_and_links_have_targets() {
    for (name, _) in RUNS {
        let html = render_html(&events(name));
        for tag in [
            "details", "summary", "div", "section", "article", "svg", "table", "span", "a", "ul",
            "dl",
        ] {
            let opened = html.matches(&format!("<{tag}>")).count()
                + html.matches(&format!("<{tag} ")).count();
            assert_eq!(
                opened,
                html.matches(&format!("</{tag}>")).count(),
                "{name}: <{tag}>"
            );
        }
        for link in html.split("href=\"#").skip(1) {
            let anchor = link.split('"').next().unwrap_or_default();
            assert!(
                html.contains(&format!("id=\"{anchor}\"")),
                "{name}: nothing at #{anchor}"
            );
        }
    }
}

#[test]
fn html_opens_at_the_failing_line() {
    let html = render_html(&events("failing"));
    assert!(html.contains("<span class=\"word\">fail</span> demo"));
    assert!(html.contains("scenarios&#x2f;demo&#x2f;2-power.yml:23:17"));
    assert_eq!(
        html.matches("<details class=\"scenario v-fail\"").count(),
        3
    );
    for opened in html.split("<details class=\"scenario v-fail\"").skip(1) {
        assert!(
            opened
                .split('>')
                .next()
                .unwrap_or_default()
                .ends_with(" open")
        );
    }
    assert!(html.contains("late: it became true at 13.9 s"));
}

#[test]
fn html_shows_convergence_and_how_busy_the_host_was() {
    let html = render_html(&events("passing"));
    assert!(html.contains("applied to last route change"));
    assert!(html.contains("412 ms"));
    assert!(html.contains("host short of processors 3 % of the time"));
}

#[test]
fn html_says_that_a_killed_run_is_not_whole() {
    let html = render_html(&events("killed"));
    assert!(html.contains("The events stop before the run ended"));
    assert!(html.contains("– not run"));
    assert!(html.contains("scenario v-unfinished"));
}

#[test]
fn html_of_nothing_is_a_page() {
    assert!(render_html(&[]).contains("unfinished"));
}

/// What no name may do to a report.
const EVIL: &str = "<script>alert(1)</script>\"'&]]>\u{1b}[2J";

/// Adds it to every text of an event but those that serde tells variants by.
fn poison(value: &mut serde_json::Value, is_tag: bool) {
    match value {
        serde_json::Value::String(text) if !is_tag => text.push_str(EVIL),
        serde_json::Value::Array(items) => items.iter_mut().for_each(|item| poison(item, false)),
        serde_json::Value::Object(fields) => {
            let of_lab = fields.contains_key("object");
            for (key, field) in fields {
                let tags = ["event", "verdict", "phase", "state"].contains(&key.as_str());
                poison(field, tags || (of_lab && key == "kind"));
            }
        }
        _ => {}
    }
}

#[test]
fn hostile_names_stay_text() {
    for (name, _) in RUNS {
        let hostile = |event: Event| {
            let mut value = serde_json::to_value(event).expect("an event is JSON");
            poison(&mut value, false);
            serde_json::from_value(value).expect("still an event")
        };
        let run: Vec<Event> = events(name).into_iter().map(hostile).collect();
        let html = render_html(&run);
        assert!(!html.contains("<script>alert"), "{name}");
        assert_eq!(html.matches("<script").count(), 1, "{name}");
        assert!(!html.contains("\"'&]]>"), "{name}");
        let xml = render_junit(&run);
        quick_junit::Report::deserialize_from_str(&xml).expect("the XML is well-formed");
        assert!(!plain(&run).contains('\u{1b}'), "{name}");
        let options = Options {
            live: true,
            color: false,
            width: 90,
            height: 30,
        };
        assert!(
            !screen(&run, 40_000.0, options).contains('\u{1b}'),
            "{name}"
        );
    }
}

#[test]
fn html_of_a_huge_run_stays_small() {
    let mut run = events("failing");
    let object = |i: usize| format!("node/rack{}-cs{}", i / 28, i % 28);
    for i in 0..3_000 {
        for (boot, phase) in [
            BootPhase::Power,
            BootPhase::Firmware,
            BootPhase::Kernel,
            BootPhase::Agent,
        ]
        .repeat(9)
        .into_iter()
        .enumerate()
        {
            let what = LabEventKind::Boot {
                phase,
                boot: u32::try_from(boot / 4).unwrap_or(0),
                detail: None,
            };
            let t_ms = 100.0 * f64::from(u32::try_from(boot).unwrap_or(0));
            run.push(event(
                t_ms,
                What::Lab {
                    lab: LabEvent {
                        t_ms,
                        object: object(i),
                        what,
                    },
                },
            ));
        }
    }
    for i in 0..5_000 {
        let (scenario, path) = ("power".to_owned(), format!("5.{i}"));
        let loc = Loc {
            file: "scenarios/demo/2-power.yml".to_owned(),
            line: 40,
            column: 5,
        };
        run.push(event(
            60e3,
            What::StepStart {
                scenario: scenario.clone(),
                path: path.clone(),
                kind: "exec".to_owned(),
                name: "ipmitool chassis power status".to_owned(),
                loc,
                deadline_ms: 30e3,
            },
        ));
        run.push(event(
            60e3,
            What::Evidence {
                scenario: scenario.clone(),
                path: path.clone(),
                title: "output".to_owned(),
                text: "<&>/".repeat(16_000),
            },
        ));
        run.push(event(
            60e3,
            What::StepEnd {
                scenario,
                path,
                verdict: Verdict::Pass,
                message: None,
                tries: 1,
                late_ms: None,
            },
        ));
    }
    let html = render_html(&run);
    assert!(html.len() < 5_000_000, "{} bytes", html.len());
    assert!(html.contains("more lanes are not drawn"));
    assert!(html.contains("more steps that passed are left out"));
}
