//! The demo: what a new user runs, and what is left of it.

use crate::record::Record;
use crate::turn::Turn;
use placemat_scenario::event::Verdict;
use placemat_scenario::report;
use placemat_tests::{Need, Place, needs, repository};
use quick_junit::Report;
use std::time::Duration;

const ALL: &[Need] = &[
    Need::Bird,
    Need::Dnsmasq,
    Need::Qemu,
    Need::Image,
    Need::Ipmitool,
    Need::Curl,
];

/// The demo's own deadlines are shorter.
const PATIENCE: Duration = Duration::from_secs(30 * 60);

#[test]
fn the_demo_passes_and_its_reports_are_renderings_of_its_events() {
    if !needs(ALL) {
        return;
    }
    let _turn = Turn::take("demo");
    let place = Place::new();
    let out = tempfile::tempdir().expect("a temporary folder");
    let [junit, html, events] =
        ["junit.xml", "report.html", "events.jsonl"].map(|name| out.path().join(name));
    let suite = repository().join("scenarios/demo");
    let said = place.say_within(
        PATIENCE,
        &[
            "test".as_ref(),
            suite.as_os_str(),
            "--junit".as_ref(),
            junit.as_os_str(),
            "--html".as_ref(),
            html.as_os_str(),
            "--events".as_ref(),
            events.as_os_str(),
        ],
    );
    assert_eq!(said.code, Some(0), "the demo does not pass:\n{}", said.err);
    place.assert_nothing_left();

    let record = Record::read(&events);
    let names = ["bootstrap", "power", "spine-loss", "rack-outage"];
    assert_eq!(
        record.verdicts(),
        names.map(|name| (name, Verdict::Pass)),
        "the scenarios, in file order"
    );
    let boots = record.boots();
    assert_eq!(boots.len(), 4, "every server booted: {boots:?}");
    assert!(
        boots.values().all(|count| (2..=6).contains(count)),
        "no server boots more than six times: {boots:?}"
    );

    let html = std::fs::read_to_string(&html).expect("the HTML report");
    let junit = std::fs::read_to_string(&junit).expect("the JUnit report");
    assert!(html == report::render_html(&record.events), "HTML differs");
    assert!(
        junit == report::render_junit(&record.events),
        "JUnit differs"
    );
    for name in names {
        assert!(html.contains(name), "the HTML report has no {name}");
    }
    for outside in [
        "src=\"", "src='", "url(h", "url(/", "url(\"", "url('", "@import", "<link", "=\"http",
        "='http", "=\"//", "fetch(",
    ] {
        assert!(!html.contains(outside), "the report has {outside}");
    }
    let junit = Report::deserialize_from_str(&junit).expect("JUnit's schema");
    let suites = &junit.test_suites;
    let cases: Vec<&str> = suites
        .iter()
        .flat_map(|suite| &suite.test_cases)
        .map(|case| case.name.as_str())
        .collect();
    assert_eq!(cases, names);
    assert_eq!((junit.failures, junit.errors), (0, 0));
}
