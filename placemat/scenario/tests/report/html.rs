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

/// The events of a run with its first one changed.
fn begun(name: &str, change: impl FnOnce(&mut What)) -> Vec<Event> {
    let mut run = events(name);
    change(&mut run[0].what);
    run
}

#[test]
fn html_says_how_to_run_the_same_again() {
    let asked = begun("failing", |what| {
        let What::RunStart {
            paths,
            dc,
            dc_given,
            ..
        } = what
        else {
            panic!("a run begins with its start")
        };
        *paths = vec!["scenarios/demo/2-power.yml".into(), "my tests".into()];
        *dc = "other dc.yml".into();
        *dc_given = true;
    });
    let html = render_html(&asked);
    for command in [
        "placemat test scenarios/demo/2-power.yml 'my tests' --dc 'other dc.yml' --seed 81",
        "placemat test scenarios/demo/2-power.yml --dc 'other dc.yml' --seed 81",
    ] {
        let command = command.replace('/', "&#x2f;").replace('\'', "&#x27;");
        assert!(
            html.contains(&format!("<code>{command}</code>")),
            "{command}"
        );
    }
    // What wrote no paths was asked for a folder, as far as anybody can tell.
    let html = render_html(&events("failing"));
    assert!(html.contains("<code>placemat test scenarios&#x2f;demo --seed 81</code>"));
}

#[test]
fn html_explains_every_colour_and_mark() {
    let html = render_html(&events("passing"));
    let (_, legend) = html.split_once("<ul class=\"legend\">").expect("a legend");
    let (legend, _) = legend.split_once("</ul>").expect("its end");
    for phase in [
        "off",
        "power",
        "firmware",
        "dhcp",
        "http",
        "kernel",
        "userspace",
        "agent",
        "bgp",
        "on",
    ] {
        assert!(legend.contains(&format!("band p-{phase}\"")), "{phase}");
        assert!(
            html.contains(&format!("<pattern id=\"p-{phase}\"")),
            "{phase}"
        );
        assert!(html.contains(&format!(".f-{phase} {{")), "{phase}");
    }
    for mark in ["app", "trouble", "link", "http", "note"] {
        assert!(legend.contains(&format!("mark m-{mark}\"")), "{mark}");
        assert!(html.contains(&format!(".m-{mark} ")), "{mark}");
    }
    assert!(legend.contains("did not start"));
}

#[test]
fn html_marks_each_bad_end_by_its_verdict() {
    assert!(render_html(&events("vacuous")).contains("<span class=\"pin vacuous\""));
    let html = render_html(&events("failing"));
    assert!(html.contains("<span class=\"pin fail\""));
    assert!(html.contains(">✕</span>") && html.contains("<span class=\"pin late\""));
}

#[test]
fn html_keeps_evidence_together() {
    let mut run = events("failing");
    let at = run
        .iter()
        .position(|event| matches!(event.what, What::Evidence { .. }))
        .expect("evidence");
    let first = run[at].clone();
    for machine in ["a", "b", "c"] {
        let mut more = first.clone();
        if let What::Evidence { title, .. } = &mut more.what {
            *title = format!("routes of router/{machine}");
        }
        run.insert(at, more);
    }
    let html = render_html(&run);
    assert!(
        html.contains("<summary>evidence: routes of 3 machines, "),
        "one line for all"
    );
}

#[test]
fn html_says_nothing_twice_and_leaves_nothing_out() {
    let mut run = events("failing");
    let said = run.iter().find_map(|event| match &event.what {
        What::StepEnd {
            scenario,
            path,
            message: Some(message),
            ..
        } if scenario == "power" && path == "4" => Some(message.clone()),
        _ => None,
    });
    let said = said.expect("what step 4 said");
    let mut page = |own: &str| {
        for event in &mut run {
            if let What::ScenarioEnd {
                scenario, message, ..
            } = &mut event.what
                && scenario == "power"
            {
                *message = Some(format!(
                    "scenarios/demo/2-power.yml:23:17  step 4 `eventually`\n{said}{own}"
                ));
            }
        }
        render_html(&run)
    };
    let messages = |html: &str| html.matches("<pre class=\"message\">").count();
    let (steps_alone, more) = (page(""), page("\nand the heal failed, too"));
    assert_eq!(messages(&steps_alone) + 1, messages(&more));
    assert!(more.contains("and the heal failed, too"));
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
