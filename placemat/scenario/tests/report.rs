//! Reports, from whole recorded runs in `tests/data`. Each rendering is also left in the target's
//! temporary folder, to be looked at.

#[path = "report/html.rs"]
mod html;

use placemat_scenario::event::{Event, Loc, Verdict, What};
use placemat_scenario::report::{Options, Terminal, read_events, render_junit, terminal};
use placemat_spec::event::{AppState, BootPhase, LabEvent, LabEventKind, LabPhase};
use std::io::{BufReader, Write};
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

fn event(t_ms: f64, what: What) -> Event {
    Event {
        v: 1,
        t_ms,
        wall: "2026-11-21T04:00:00Z".to_owned(),
        what,
    }
}

fn text(terminal: Terminal<Vec<u8>>) -> String {
    String::from_utf8(terminal.into_inner()).expect("the display writes UTF-8")
}

/// What a display of an output without a TTY writes over a whole run.
fn plain(events: &[Event]) -> String {
    let mut terminal = Terminal::new(Vec::new(), Options::plain());
    for event in events {
        terminal
            .tick(event.t_ms)
            .expect("a vector takes every write");
        terminal.handle(event).expect("a vector takes every write");
    }
    terminal.finish().expect("a vector takes every write");
    text(terminal)
}

/// What stands on the screen of a live display at `t_ms`.
fn screen(events: &[Event], t_ms: f64, options: Options) -> String {
    let mut terminal = Terminal::new(Vec::new(), options);
    for event in events.iter().take_while(|event| event.t_ms <= t_ms) {
        terminal.handle(event).expect("a vector takes every write");
    }
    terminal.tick(t_ms).expect("a vector takes every write");
    let all = text(terminal);
    all.rsplit("\x1b[J").next().unwrap_or_default().to_owned()
}

#[test]
fn junit_of_each_run() {
    for (name, _) in RUNS {
        let xml = render_junit(&events(name));
        keep(&format!("{name}.xml"), &xml);
        let parsed =
            quick_junit::Report::deserialize_from_str(&xml).expect("the XML is well-formed");
        assert!(!parsed.test_suites.is_empty());
        insta::assert_snapshot!(format!("junit-{name}"), xml);
    }
}

#[test]
fn junit_counts_what_the_verdicts_mean() {
    let counts = |name| {
        let report = quick_junit::Report::deserialize_from_str(&render_junit(&events(name)))
            .expect("well-formed");
        let suites = &report.test_suites;
        let sum = |of: fn(&quick_junit::TestSuite) -> usize| suites.iter().map(of).sum::<usize>();
        (
            sum(|s| s.tests),
            sum(|s| s.failures),
            sum(|s| s.errors),
            sum(|s| s.skipped),
        )
    };
    assert_eq!(counts("passing"), (4, 0, 0, 0));
    assert_eq!(counts("failing"), (4, 3, 0, 0));
    assert_eq!(counts("vacuous"), (2, 1, 0, 0));
    assert_eq!(counts("killed"), (4, 0, 1, 1));
}

#[test]
fn junit_of_a_flaky_scenario_keeps_the_first_attempt() {
    let scenario = || "spine-loss".to_owned();
    let loc = Loc {
        file: "s.yml".to_owned(),
        line: 3,
        column: 1,
    };
    let end = |verdict, message: Option<&str>| What::ScenarioEnd {
        scenario: scenario(),
        verdict,
        message: message.map(str::to_owned),
    };
    let run = [
        event(
            0.0,
            What::ScenarioStart {
                scenario: scenario(),
                loc: loc.clone(),
            },
        ),
        event(
            900.0,
            end(Verdict::Fail, Some("longest silence 1.4 s, budget 1 s")),
        ),
        event(
            1000.0,
            What::ScenarioStart {
                scenario: scenario(),
                loc,
            },
        ),
        event(1500.0, end(Verdict::Flaky, None)),
        event(
            1600.0,
            What::RunEnd {
                verdict: Verdict::Flaky,
            },
        ),
    ];
    insta::assert_snapshot!(render_junit(&run));
}

#[test]
fn plain_display_of_each_run() {
    for (name, _) in RUNS {
        insta::assert_snapshot!(format!("plain-{name}"), plain(&events(name)));
    }
}

#[test]
fn plain_display_beats_its_heart() {
    let run = events("killed");
    let mut terminal = Terminal::new(Vec::new(), Options::plain());
    for event in &run {
        terminal.handle(event).expect("a vector takes every write");
    }
    let before = terminal.timeline().run().end_ms;
    for seconds in 1..=65 {
        terminal
            .tick(before + f64::from(seconds) * 1e3)
            .expect("a vector takes every write");
    }
    let text = text(terminal);
    let beats: Vec<&str> = text
        .lines()
        .filter(|line| line.contains("waiting:"))
        .collect();
    insta::assert_snapshot!(beats.join("\n"));
}

#[test]
fn a_lab_that_is_up_is_quiet() {
    let at = |t_ms, object: &str, what| LabEvent {
        t_ms,
        object: object.to_owned(),
        what,
    };
    let phase = |t_ms, phase| at(t_ms, "lab", LabEventKind::Lab { phase });
    let ended = LabEventKind::App {
        app: "bird".to_owned(),
        state: AppState::Ended,
        detail: None,
    };
    let mut terminal = Terminal::new(Vec::new(), Options::plain());
    let mut now_ms = 0.0;
    for event in [
        phase(0.0, LabPhase::Links),
        phase(70_000.0, LabPhase::Running),
        phase(170_000.0, LabPhase::Stopping),
        at(170_100.0, "router/spine-1", ended),
    ] {
        while now_ms < event.t_ms {
            terminal.tick(now_ms).expect("a vector takes every write");
            now_ms += 1_000.0;
        }
        terminal
            .handle_lab(&event)
            .expect("a vector takes every write");
    }
    insta::assert_snapshot!(text(terminal));
}

#[test]
fn live_display_at_three_moments() {
    let run = events("failing");
    let options = Options {
        live: true,
        color: false,
        width: 100,
        height: 30,
    };
    for (name, t_ms) in [
        ("booting", 9_000.0),
        ("waiting", 44_000.0),
        ("faulted", 52_700.0),
    ] {
        insta::assert_snapshot!(format!("live-{name}"), screen(&run, t_ms, options));
    }
}

#[test]
fn live_display_fits_its_terminal() {
    let run = events("failing");
    for (width, height) in [(40, 8), (20, 4), (10, 3), (200, 60)] {
        let options = Options {
            live: true,
            color: false,
            width,
            height,
        };
        let drawn = screen(&run, 52_700.0, options);
        let frame: Vec<&str> = drawn.lines().collect();
        assert!(
            frame.len() < usize::from(height).max(2),
            "{width}x{height}: {frame:#?}"
        );
        assert!(
            frame
                .iter()
                .all(|line| line.chars().count() <= usize::from(width)),
            "{frame:#?}"
        );
    }
}

#[test]
fn colour_is_said_in_words_too() {
    let run = events("failing");
    let options = Options {
        live: true,
        color: true,
        width: 100,
        height: 30,
    };
    let colored = screen(&run, 52_700.0, options);
    let bare = screen(
        &run,
        52_700.0,
        Options {
            color: false,
            ..options
        },
    );
    assert!(colored.contains("\x1b[32m"));
    let stripped: String = colored
        .split("\x1b[")
        .map(|part| {
            part.split_once('m').map_or(part, |(code, rest)| {
                if code.len() < 6 && code.chars().all(|c| c.is_ascii_digit() || c == ';') {
                    rest
                } else {
                    part
                }
            })
        })
        .collect();
    assert_eq!(stripped, bare);
}

/// A lab without scenarios, as `placemat up` shows it.
fn lab() -> Vec<LabEvent> {
    let at = |t_ms, object: &str, what| LabEvent {
        t_ms,
        object: object.to_owned(),
        what,
    };
    let boot = |t_ms, object: &str, phase| {
        at(
            t_ms,
            object,
            LabEventKind::Boot {
                phase,
                boot: 1,
                detail: None,
            },
        )
    };
    vec![
        at(
            0.0,
            "lab",
            LabEventKind::Lab {
                phase: LabPhase::Links,
            },
        ),
        at(
            200.0,
            "lab",
            LabEventKind::Lab {
                phase: LabPhase::Nodes,
            },
        ),
        boot(210.0, "node/rack1-cs1", BootPhase::Power),
        boot(220.0, "node/rack1-cs2", BootPhase::Power),
        boot(900.0, "node/rack1-cs2", BootPhase::Agent),
        boot(950.0, "node/rack1-cs1", BootPhase::Firmware),
        boot(4_950.0, "node/rack1-cs1", BootPhase::Dhcp),
    ]
}

#[tokio::test]
async fn a_lab_without_scenarios_is_shown_live() {
    let options = Options {
        live: true,
        color: false,
        width: 80,
        height: 24,
    };
    let mut terminal = Terminal::new(Vec::new(), options);
    for event in lab() {
        terminal
            .handle_lab(&event)
            .expect("a vector takes every write");
    }
    terminal.tick(6_000.0).expect("a vector takes every write");
    terminal.finish().expect("a vector takes every write");
    insta::assert_snapshot!(text(terminal).replace('\x1b', "␛"));
}

#[tokio::test]
async fn the_display_ends_with_its_senders() {
    let (sender, receiver) = tokio::sync::mpsc::channel(64);
    for event in lab() {
        sender.send(event).await.expect("the display listens");
    }
    drop(sender);
    let shown = terminal::show(Terminal::new(Vec::new(), Options::plain()), receiver).await;
    insta::assert_snapshot!(text(shown.expect("a vector takes every write")));
}

#[test]
fn a_lab_that_was_stopped_does_not_miss_its_servers() {
    let mut terminal = Terminal::new(Vec::new(), Options::plain());
    let end = [LabPhase::Stopping, LabPhase::Stopped].map(|phase| LabEvent {
        t_ms: 6_000.0,
        object: "lab".into(),
        what: LabEventKind::Lab { phase },
    });
    for event in lab().into_iter().chain(end) {
        terminal
            .handle_lab(&event)
            .expect("a vector takes every write");
    }
    terminal.finish().expect("a vector takes every write");
    let said = text(terminal);
    assert_eq!(said.lines().last(), Some("lab stopped, 6 s"), "{said}");
}

#[tokio::test]
async fn a_run_is_shown_from_its_sink() {
    let (sender, receiver) = tokio::sync::mpsc::unbounded_channel();
    for event in events("vacuous") {
        sender.send(event).expect("the display listens");
    }
    drop(sender);
    let shown = terminal::show_run(Terminal::new(Vec::new(), Options::plain()), receiver).await;
    let shown = text(shown.expect("a vector takes every write"));
    assert_eq!(shown, plain(&events("vacuous")));
}

#[test]
fn broken_lines_are_named() {
    let good = serde_json::to_string(&events("passing")[0]).expect("an event is JSON");
    let read = |text: String| match read_events(text.as_bytes()) {
        Ok(events) => format!("{} events", events.len()),
        Err(error) => {
            let source =
                std::error::Error::source(&error).map_or_else(String::new, |s| format!(": {s}"));
            format!("{error}{source}")
        }
    };
    let cases = [
        read(format!("{good}\n\n{good}\n")),
        read(format!("{good}\n{{\"v\":1,\"t_ms\":2")),
        read(format!("{good}\n{{\"v\":1,\"t_ms\":2\n{good}\n")),
        read(format!(
            "{good}\n{{\"v\":1,\"t_ms\":2.0,\"wall\":\"\",\"event\":\"no-such\"}}\n"
        )),
        read(format!(
            "{good}\n{{\"v\":9,\"t_ms\":2.0,\"wall\":\"\",\"event\":\"no-such\"}}\n"
        )),
        read(String::new()),
    ];
    insta::assert_snapshot!(cases.join("\n"));
}

#[test]
fn a_writer_that_fails_is_reported() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut terminal = Terminal::new(Full, Options::plain());
    assert!(
        events("passing")
            .iter()
            .any(|event| terminal.handle(event).is_err())
    );
}
