//! Reports, from whole recorded runs. Each rendering is also left in the target's temporary
//! folder, to be looked at.

use placemat_scenario::event::Event;
use placemat_scenario::report::{read_events, render_html, render_junit};
use std::io::BufReader;
use std::path::Path;

/// What `tests/data` holds, each with its scenarios.
const RUNS: [(&str, &[&str]); 4] = [
    (
        "passing",
        &["bootstrap", "power", "spine-loss", "rack-outage"],
    ),
    (
        "failing",
        &["bootstrap", "power", "spine-loss", "rack-outage"],
    ),
    ("vacuous", &["bootstrap", "spine-loss"]),
    (
        "killed",
        &["bootstrap", "power", "spine-loss", "rack-outage"],
    ),
];

fn events(name: &str) -> Vec<Event> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(format!("{name}.jsonl"));
    let file = std::fs::File::open(&path).expect("the recording is there");
    read_events(BufReader::new(file)).expect("the recording is readable")
}

fn keep(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(path, text).expect("the target folder is writable");
}

#[test]
fn html_holds_every_scenario_and_asks_for_nothing() {
    for (name, scenarios) in RUNS {
        let html = render_html(&events(name));
        keep(&format!("{name}.html"), &html);
        assert!(
            html.trim_start().starts_with("<!doctype html>"),
            "{name}: {}",
            &html[..200]
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
