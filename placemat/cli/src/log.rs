//! The log of placemat v2: levels and formats by its names, to stderr or a file.

use crate::exit::{self, Code, Failure};
use anyhow::Context;
use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tracing::field::{Field, Visit};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::FmtContext;
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::writer::BoxMakeWriter;
use tracing_subscriber::registry::LookupSpan;

/// Target of the lines that a display would show.
const EVENTS: &str = "placemat_event";

/// Flags of the log.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct LogArgs {
    /// File that the log goes to, events too [default: stderr].
    #[arg(long, value_name = "FILE")]
    logfile: Option<PathBuf>,
    /// Least level that is logged.
    #[arg(long, value_name = "LEVEL", default_value = "info")]
    loglevel: Level,
    /// Format of the log.
    #[arg(long, value_name = "FORMAT", default_value = "plain")]
    logformat: LogFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Level {
    Critical,
    Error,
    #[value(alias = "warn")]
    Warning,
    Info,
    Debug,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum LogFormat {
    Plain,
    Logfmt,
    Json,
}

impl LogArgs {
    /// Whether events are to be logged: whoever names a file or format reads no display.
    pub(crate) fn wants_events(&self) -> bool {
        self.logfile.is_some() || self.logformat != LogFormat::Plain
    }

    /// Starts the log; `debug` asks for everything.
    pub(crate) fn start(&self, debug: bool) -> Result<(), Failure> {
        let level = match self.loglevel {
            _ if debug => "debug",
            Level::Critical | Level::Error => "error",
            Level::Warning => "warn",
            Level::Info => "info",
            Level::Debug => "debug",
        };
        let filter = std::env::var("PLACEMAT_LOG").unwrap_or_else(|_| {
            format!("warn,{EVENTS}={level},placemat={level},placemat_lab={level},placemat_host={level},placemat_bmc={level}")
        });
        let (writer, ansi) = match &self.logfile {
            Some(path) => (BoxMakeWriter::new(append(path)?), false),
            None => (BoxMakeWriter::new(io::stderr), crate::color::wanted()),
        };
        let log = tracing_subscriber::fmt()
            .with_env_filter(EnvFilter::new(filter))
            .with_writer(writer)
            .with_ansi(ansi)
            .with_target(false);
        match self.logformat {
            LogFormat::Plain => log.init(),
            LogFormat::Logfmt => log.event_format(Logfmt).init(),
            LogFormat::Json => log.json().flatten_event(true).init(),
        }
        Ok(())
    }
}

fn append(path: &Path) -> Result<Mutex<std::fs::File>, Failure> {
    let file = OpenOptions::new().create(true).append(true).open(path);
    let file = file
        .with_context(|| format!("open the log {}", path.display()))
        .code(exit::HOST)?;
    Ok(Mutex::new(file))
}

/// Takes lines of a display, and logs each.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lines {
    begun: Arc<Mutex<Vec<u8>>>,
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        begun.extend_from_slice(bytes);
        while let Some(end) = begun.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = begun.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line);
            if !line.trim().is_empty() {
                tracing::info!(target: EVENTS, "{}", line.trim());
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// `ts=... level=info msg="..." node=a`.
struct Logfmt;

impl<S, N> FormatEvent<S, N> for Logfmt
where
    S: tracing::Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &tracing::Event<'_>,
    ) -> fmt::Result {
        let level = event.metadata().level().as_str().to_lowercase();
        write!(writer, "ts={} level={level}", jiff::Timestamp::now())?;
        let mut pairs = Pairs(Vec::new());
        event.record(&mut pairs);
        for (key, value) in pairs.0 {
            write!(writer, " {}={}", logfmt_key(key), logfmt_value(&value))?;
        }
        writeln!(writer)
    }
}

struct Pairs(Vec<(&'static str, String)>);

impl Visit for Pairs {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.push((field.name(), value.to_owned()));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.push((field.name(), format!("{value:?}")));
    }
}

fn logfmt_key(key: &str) -> &str {
    if key == "message" { "msg" } else { key }
}

/// A word as it is, anything else in quotes.
fn logfmt_value(value: &str) -> String {
    let bare = |c: char| !c.is_whitespace() && !c.is_control() && !"\"=\\".contains(c);
    if !value.is_empty() && value.chars().all(bare) {
        value.to_owned()
    } else {
        format!("{value:?}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_logfmt() {
        let shown = ["a", "a b", "", "a=b", "say \"no\"", "two\nlines", "é"].map(logfmt_value);
        let wanted = [
            "a",
            "\"a b\"",
            "\"\"",
            "\"a=b\"",
            r#""say \"no\"""#,
            r#""two\nlines""#,
            "é",
        ];
        assert_eq!(shown, wanted);
    }

    #[test]
    fn a_display_is_logged_by_lines() {
        let mut lines = Lines::default();
        lines.write_all(b"one\ntw").expect("taken");
        assert_eq!(lines.begun.lock().expect("free").as_slice(), b"tw");
        lines.write_all(b"o\n").expect("taken");
        assert!(lines.begun.lock().expect("free").is_empty());
    }
}
